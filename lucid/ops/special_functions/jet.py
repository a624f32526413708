"""Truncated Taylor series on NumPy arrays: derivatives of an algorithm by one of its parameters.

Where no SciPy function gives a derivative, the algorithm that computes the value (a power series, a
continued fraction, Carlson's duplication) is run on jets instead of numbers: f + f'·ε + f''·ε²/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Jet"]

Array = np.ndarray[Any, Any]


class Jet:
    """The first few Taylor coefficients of a quantity in one direction."""

    __slots__ = ("c",)
    __array_ufunc__ = None  # arrays leave infix operators to this class

    def __init__(self, coefficients: Sequence[Any]) -> None:
        self.c = list(coefficients)

    @classmethod
    def variable(cls, value: Array, direction: float, order: int) -> Jet:
        """Return the jet of a parameter that moves with the speed `direction`."""
        zero = np.zeros_like(value)
        return cls([value, zero + direction, *[zero] * (order - 1)][: order + 1])

    def _lift(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            return other
        return Jet([other, *[0.0] * (len(self.c) - 1)])

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet([self.c[0] + other, *self.c[1:]])
        return Jet([a + b for a, b in zip(self.c, other.c, strict=True)])

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return Jet([-a for a in self.c])

    def __sub__(self, other: Any) -> Jet:
        return self + (-other)

    def __rsub__(self, other: Any) -> Jet:
        return -self + other

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet([a * other for a in self.c])
        a, b = self.c, other.c
        return Jet([sum(a[i] * b[k - i] for i in range(k + 1)) for k in range(len(a))])

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet([a / other for a in self.c])
        b = other.c
        out: list[Any] = []
        for k, a in enumerate(self.c):
            out.append((a - sum(out[i] * b[k - i] for i in range(k))) / b[0])
        return Jet(out)

    def __rtruediv__(self, other: Any) -> Jet:
        return self._lift(other) / self

    def sqrt(self) -> Jet:
        """Return the square root."""
        out = [np.sqrt(self.c[0])]
        for k in range(1, len(self.c)):
            cross = sum(out[i] * out[k - i] for i in range(1, k))
            rest = self.c[k] - cross
            still = (out[0] == 0) & (rest == 0)  # a zero that does not move
            out.append(np.where(still, 0.0, rest / np.where(still, 1.0, 2 * out[0])))
        return Jet(out)

    def exp(self) -> Jet:
        """Return the exponential."""
        out = [np.exp(self.c[0])]
        for k in range(1, len(self.c)):
            out.append(sum(i * self.c[i] * out[k - i] for i in range(1, k + 1)) / k)
        return Jet(out)

    def log(self) -> Jet:
        """Return the natural logarithm."""
        a = self.c
        out = [np.log(a[0])]
        for k in range(1, len(a)):
            rest = sum(i * out[i] * a[k - i] for i in range(1, k))
            out.append((a[k] - rest / k) / a[0])
        return Jet(out)

    def where(self, condition: Array, other: Jet) -> Jet:
        """Return this jet where `condition` holds and the other elsewhere."""
        return Jet([np.where(condition, a, b) for a, b in zip(self.c, other.c, strict=True)])
