"""Small functions that several families' derivatives are made of.

They remove singularities that a textbook formula has where its function has none.
"""

from __future__ import annotations

import math
from typing import Any

from lucid.ops.complex_ import abs as absolute
from lucid.ops.complex_ import real
from lucid.ops.exponential import exp, log1p
from lucid.ops.rounding import round as rint
from lucid.ops.select import where
from lucid.ops.trigonometric import cos, sin

__all__ = ["cospi", "horner", "select", "sinpi", "slope_of_exprel", "slope_of_log1prel"]


def select(condition: Any, x: Any, inside: Any, outside: Any, safe: float) -> Any:
    """Return ``inside(x)`` where `condition` holds and ``outside(x)`` elsewhere.

    Each branch sees the number `safe` where it is not selected (`safe` must suit both), so that
    neither value nor derivative of the unselected branch can be infinite.
    """
    return where(condition, inside(where(condition, x, safe)), outside(where(condition, safe, x)))


def horner(x: Any, coefficients: list[float]) -> Any:
    """Return Σ coefficients[k] x^k."""
    total: Any = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def sinpi(x: Any) -> Any:
    """Return sin(π x), exactly zero at whole x."""
    part = real(x) if x.dtype.kind == "c" else x
    turns = 2 * rint(0.5 * part)
    return sin(math.pi * (x - turns))


def cospi(x: Any) -> Any:
    """Return cos(π x)."""
    part = real(x) if x.dtype.kind == "c" else x
    turns = 2 * rint(0.5 * part)
    return cos(math.pi * (x - turns))


_EXPREL = [(k + 1) / math.factorial(k + 2) for k in range(16)]
_LOG1PREL = [(-1) ** k * (k + 1) / (k + 2) for k in range(16)]


def slope_of_exprel(u: Any) -> Any:
    """Return the derivative of (exp(u) - 1)/u, (u exp(u) - exp(u) + 1)/u²."""
    near = absolute(u) < 0.5

    def far(v: Any) -> Any:
        return (exp(v) * (1 - 1 / v) + 1 / v) / v

    return select(near, u, lambda v: horner(v, _EXPREL), far, 0.5)


def slope_of_log1prel(u: Any) -> Any:
    """Return minus the derivative of log(1 + u)/u, (log(1 + u) - u/(1 + u))/u²."""
    near = absolute(u) < 0.05

    def far(v: Any) -> Any:
        return (log1p(v) / v - 1 / (1 + v)) / v

    return select(near, u, lambda v: horner(v, _LOG1PREL), far, 0.05)
