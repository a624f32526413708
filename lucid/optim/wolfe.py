"""A line search: how far to follow a direction so that the strong Wolfe conditions hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Point", "strong_wolfe"]

DECREASE, FLATNESS = 1e-4, 0.9  # c₁ and c₂ of the conditions


class Point(NamedTuple):
    """A point on the line.

    Attributes:
        t: how far it is.
        loss: the loss there.
        gradient: its gradient, a vector.
        slope: the derivative along the line.
    """

    t: float
    loss: float
    gradient: Any
    slope: float


def strong_wolfe(
    at: Callable[[float], Point],
    start: Point,
    t: float,
    size: float,
    limit: int,
    shortest: float = 1e-9,
) -> tuple[Point, int]:
    """Return a point where the strong Wolfe conditions hold, or the lowest one found.

    With c₁ = 1e-4 and c₂ = 0.9 these are loss(t) ≤ loss(0) + c₁·t·slope(0), and
    |slope(t)| ≤ -c₂·slope(0). Trial points are minima of cubic interpolations.

    Args:
        at: computes a point on the line.
        start: the point at 0, whose slope is negative.
        t: the first trial.
        size: the largest entry of the direction.
        limit: how many more points to try.
        shortest: the interval that is not divided further, times `size`.

    Returns:
        The point, and how many points were computed.

    References:
        Nocedal and Wright, "Numerical optimization", algorithms 3.5 and 3.6.
    """
    before, new, tries = start, at(t), 0
    while tries < limit:
        rises = _is_high(new, start) or (tries > 1 and new.loss >= before.loss)
        if not rises and _is_flat(new, start):
            return new, tries + 1
        if rises or new.slope >= 0:
            return _zoom(at, start, [before, new], tries, size, limit, shortest)
        nearest = new.t + 0.01 * (new.t - before.t)
        t = _cubic(before, new, nearest, new.t * 10)
        before, new, tries = new, at(t), tries + 1
    return _zoom(at, start, [start, new], tries, size, limit, shortest)


def _zoom(
    at: Callable[[float], Point],
    start: Point,
    bracket: list[Point],
    tries: int,
    size: float,
    limit: int,
    shortest: float,
) -> tuple[Point, int]:
    """Return the best point of a bracket that contains a good one, made ever narrower."""
    low = 0 if bracket[0].loss <= bracket[1].loss else 1
    stuck = False
    while tries < limit and abs(bracket[1].t - bracket[0].t) * size >= shortest:
        left, right = sorted((bracket[0].t, bracket[1].t))
        t = _cubic(bracket[0], bracket[1], left, right)
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stuck or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            near = False
        stuck = near  # twice near an edge is no progress
        new, tries = at(t), tries + 1
        if _is_high(new, start) or new.loss >= bracket[low].loss:
            bracket[1 - low] = new
            low = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        if _is_flat(new, start):
            return new, tries + 1
        if new.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = new
    return bracket[low], tries + 1


def _is_high(new: Point, start: Point) -> bool:
    return new.loss > start.loss + DECREASE * new.t * start.slope


def _is_flat(new: Point, start: Point) -> bool:
    return abs(new.slope) <= -FLATNESS * start.slope


def _cubic(a: Point, b: Point, lowest: float, highest: float) -> float:
    """Return where the cubic through two points with their slopes is least, within bounds."""
    if a.t > b.t:
        a, b = b, a
    middle = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    inner = middle * middle - a.slope * b.slope
    if not inner >= 0:
        return (lowest + highest) / 2
    root = inner**0.5
    below = b.slope - a.slope + 2 * root
    if below == 0:
        return (lowest + highest) / 2
    least = b.t - (b.t - a.t) * ((b.slope + root - middle) / below)
    return min(max(least, lowest), highest)
