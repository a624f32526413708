"""Functions known by samples: differences, slopes, integrals and interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.dispatch import lift
from lucid.core.methods import ArrayLike, Axis
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensor, as_tensors, axes_of, axis_of, known, slice_axis
from lucid.ops.join import concat
from lucid.ops.select import clip, where
from lucid.ops.shape import broadcast_to
from lucid.ops.sort import argsort, searchsorted

__all__ = ["diff", "gradient", "interp", "trapezoid"]


def diff(
    x: ArrayLike,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: ArrayLike | None = None,
    append: ArrayLike | None = None,
) -> Tensor:
    """Subtract neighbours along an axis, xᵢ₊₁ - xᵢ, n times over.

    Args:
        x: a numeric array; of booleans, the result tells which neighbours differ.
        axis: the axis.
        n: how often.
        prepend: what to put in front of `x` first: an array that fits it but for `axis`, or a
            number.
        append: what to put behind it.

    Returns:
        The differences, n entries fewer along the axis.

    Raises:
        IndexOutOfBoundsError: if the axis does not exist.
        OperandError: if n is negative.

    Example:
        >>> import lucid
        >>> lucid.diff(lucid.asarray([1.0, 4.0, 9.0]))
        Tensor([3., 5.])
    """
    if n < 0:
        raise OperandError(message("diff", "n of 0 or more", f"n={n}"))
    t, *given = lift("diff", (x, *(e for e in (prepend, append) if e is not None)))
    t = as_tensor("diff", t)
    k = axis_of("diff", axis, t.ndim)
    if given:
        parts = [_fitted(e, t, k) for e in given]
        parts.insert(0 if prepend is None else 1, t)
        t = concat(parts, axis=k)
    for _ in range(n):
        t = _step(t, k)
    return t


def _fitted(end: Any, t: Tensor, axis: int) -> Tensor:
    """Return what to put at an end, of length 1 if it is a number."""
    if not isinstance(end, Tensor):
        end = Tensor(end, dtype=np.result_type(t.dtype, end))
    return end if end.ndim else broadcast_to(end, (*t.shape[:axis], 1, *t.shape[axis + 1 :]))


def _step(t: Tensor, axis: int) -> Tensor:
    left, right = slice_axis(t, axis, None, -1), slice_axis(t, axis, 1, None)
    return right != left if t.dtype.kind == "b" else right - left


def trapezoid(
    y: ArrayLike, x: ArrayLike | None = None, dx: ArrayLike = 1.0, axis: int = -1
) -> Tensor:
    """Integrate samples along an axis by the trapezoidal rule, Σᵢ (xᵢ₊₁ - xᵢ)(yᵢ + yᵢ₊₁) / 2.

    Args:
        y: the samples.
        x: where they were taken: a vector as long as the axis, or an array of the shape of `y`.
        dx: the distance between samples, where `x` is not given.
        axis: the axis.

    Returns:
        The integrals, without the axis.

    Raises:
        ShapeError: if `x` does not fit `y`.
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.trapezoid(lucid.asarray([0.0, 1.0, 4.0]), x=lucid.asarray([0.0, 1.0, 2.0]))
        Tensor(3.)
    """
    if x is None:
        t = as_tensor("trapezoid", y)
        k = axis_of("trapezoid", axis, t.ndim)
        d = dx
    else:
        t, places = as_tensors("trapezoid", (y, x))
        k = axis_of("trapezoid", axis, t.ndim)
        d = _steps("trapezoid", places, t, k) if places.ndim < 2 else diff(places, axis=axis)
    return ((slice_axis(t, k, 1, None) + slice_axis(t, k, None, -1)) * d * 0.5).sum(k)


def _steps(name: str, places: Tensor, t: Tensor, axis: int) -> Tensor:
    """Return the distances between the samples along an axis, shaped to go with them."""
    if places.shape != (t.shape[axis],):
        want = f"a vector of length {t.shape[axis]}, a place for each sample"
        raise ShapeError(message(name, want, f"shape {places.shape}"))
    d = _step(places, 0)
    return d.reshape((*d.shape, *(1,) * (t.ndim - axis - 1)))


def gradient(
    f: ArrayLike, *spacing: ArrayLike, axis: Axis = None, edge_order: int = 1
) -> Tensor | tuple[Tensor, ...]:
    """Estimate the slopes of sampled values by second-order differences.

    In between, the slope is that of the parabola through a sample and its neighbours; at the ends
    that of a line or parabola through the last samples. (For derivatives of functions see
    `lucid.grad`.)

    Args:
        f: the samples on a grid, at least one axis.
        spacing: the distance between samples, or a vector of their places: one for all axes, or one
            for each.
        axis: the axis or axes to differentiate along; by default all.
        edge_order: 1 for lines at the ends, 2 for parabolas.

    Returns:
        The slopes, of the shape of `f`; for several axes a tuple of them.

    Raises:
        ShapeError: if an axis has too few samples, or places do not fit it.
        OperandError: if `edge_order` is neither 1 nor 2, or the number of spacings does not fit.

    Example:
        >>> import lucid
        >>> lucid.gradient(lucid.asarray([0.0, 1.0, 4.0]), 1.0, edge_order=2)
        Tensor([0., 2., 4.])
    """
    if edge_order not in (1, 2):
        raise OperandError(message("gradient", "edge_order 1 or 2", repr(edge_order)))
    t, *steps = lift("gradient", (f, *spacing))
    t = as_tensor("gradient", t)
    axes = axes_of("gradient", axis, t.ndim)
    steps = (steps or [1.0]) * (len(axes) if len(steps) < 2 else 1)
    if len(steps) != len(axes) or not axes:
        want = f"no spacing, one, or one for each of {len(axes)} axes"
        raise OperandError(message("gradient", want, f"{len(spacing)}"))
    slopes = tuple(_slopes(t, k, s, edge_order) for k, s in zip(axes, steps, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _slopes(f: Tensor, axis: int, spacing: Any, edge_order: int) -> Tensor:
    if f.shape[axis] <= edge_order:
        want = f"at least {edge_order + 1} samples along axis {axis}"
        raise ShapeError(message("gradient", want, f"shape {f.shape}"))
    d = _steps("gradient", spacing, f, axis) if getattr(spacing, "ndim", 0) else spacing
    s = _step(f, axis) / d

    def steps(start: int | None, stop: int | None) -> Any:
        return slice_axis(d, 0, start, stop) if getattr(d, "ndim", 0) else d

    def slopes(start: int | None, stop: int | None) -> Tensor:
        return slice_axis(s, axis, start, stop)

    left, right = steps(None, -1), steps(1, None)
    inner = (slopes(None, -1) * right + slopes(1, None) * left) / (left + right)
    first, last = slopes(None, 1), slopes(-1, None)
    if edge_order == 2:
        bend = (slopes(1, 2) - first) / (steps(None, 1) + steps(1, 2))
        first = first - steps(None, 1) * bend
        bend = (last - slopes(-2, -1)) / (steps(-1, None) + steps(-2, -1))
        last = last + steps(-1, None) * bend
    return concat((first, inner, last), axis=axis)


def interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    left: ArrayLike | None = None,
    right: ArrayLike | None = None,
    period: float | None = None,
) -> Tensor:
    """Interpolate linearly between points (xpᵢ, fpᵢ).

    It is differentiable with respect to the places, the points and their values. At a point, the
    slope is that of the line to its right.

    Args:
        x: where to evaluate, any shape.
        xp: the places of the points, a vector in ascending order (in any order with `period`).
        fp: the values there, as many; real or complex.
        left: the value for x < xp[0]; by default fp[0].
        right: the value for x > xp[-1]; by default fp[-1].
        period: the period of the function, if it is periodic; `left` and `right` are then not used.

    Returns:
        The values, of the shape of `x`.

    Raises:
        ShapeError: if `xp` and `fp` are not vectors of one length, at least 1.
        OperandError: if `xp` is not in ascending order, or `period` is 0.

    Example:
        >>> import lucid
        >>> lucid.interp(1.5, lucid.asarray([1.0, 2.0]), lucid.asarray([10.0, 20.0]))
        Tensor(15.)
    """
    x, xp, fp = as_tensors("interp", (x, xp, fp))
    if xp.ndim != 1 or fp.shape != xp.shape or not xp.size:
        got = f"shapes {xp.shape} and {fp.shape}"
        raise ShapeError(message("interp", "xp and fp vectors of one length, at least 1", got))
    if period is not None:
        x, xp, fp = _wrap_around(x, xp, fp, period)
        left = right = None
    _check_order(xp)
    left, right = (fp[0] if left is None else left), (fp[-1] if right is None else right)
    inside = fp[0] if xp.size == 1 else _between(x, xp, fp)
    return where(x < xp[0], left, where(x > xp[-1], right, inside))


def _check_order(xp: Tensor) -> None:
    places = known(xp)
    if places is not None and not np.all(places[1:] >= places[:-1]):
        hint = "sort both: order = lucid.argsort(xp)"
        raise OperandError(message("interp", "xp in ascending order", "another order", hint))


def _wrap_around(x: Tensor, xp: Tensor, fp: Tensor, period: float) -> tuple[Tensor, Tensor, Tensor]:
    """Reduce to one period, with a point more at either side."""
    if period == 0:
        raise OperandError(message("interp", "a period other than 0", "period=0"))
    period = abs(period)
    xp = xp % period
    order = argsort(xp)
    xp, fp = xp[order], fp[order]
    xp = concat((xp[-1:] - period, xp, xp[:1] + period))
    return x % period, xp, concat((fp[-1:], fp, fp[:1]))


def _between(x: Tensor, xp: Tensor, fp: Tensor) -> Tensor:
    k = clip(searchsorted(xp, x, side="right"), 1, xp.size - 1)
    x0, x1, f0, f1 = xp[k - 1], xp[k], fp[k - 1], fp[k]
    jump = x0 == x1  # only at the very end: there the last value counts
    weight = where(jump, 1.0, (x - x0) / where(jump, 1.0, x1 - x0))
    return f0 + weight * (f1 - f0)
