"""Kernels for the derivative of the Bessel function K by its order."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["macdonald_order"]

Array = np.ndarray[Any, Any]
_NODES = 192
_REACH = 45.0  # the integrand counts where its logarithm is within this of its maximum


def _edge(inner: Array, outer: Array, exponent: Any, floor: Array) -> Array:
    """Bisect for where the exponent falls to `floor` between its peak and beyond."""
    for _ in range(40):
        middle = 0.5 * (inner + outer)
        high = exponent(middle) > floor
        inner, outer = np.where(high, middle, inner), np.where(high, outer, middle)
    return outer


def macdonald_order(v: Array, x: Array, order: int, scaled: bool) -> Array:
    """Return the derivative of K_v(x), or exp(x) K_v(x), by v, for x > 0.

    K_v(x) = ∫_0^∞ exp(-x cosh t) cosh(v t) dt (DLMF 10.32.9): the derivative's integrand has one
    sign, is even and falls doubly exponentially, so the trapezoidal rule converges exponentially.
    """
    w = np.abs(v)
    z = np.where((x > 0) & (x < np.inf), x, 1.0)

    def exponent(t: Array) -> Array:
        return w * t - 2 * z * np.sinh(0.5 * t) ** 2  # that of exp(x) K

    peak = np.arcsinh(w / z)
    top = exponent(peak)
    far = peak + 1 + np.log1p(2 * (_REACH + w) / z)
    hi = _edge(peak, far, exponent, top - _REACH)
    zero = np.zeros_like(z)
    lo = np.where(exponent(zero) > top - _REACH, 0.0, _edge(peak, zero, exponent, top - _REACH))
    h = (hi - lo) / _NODES
    t = lo[:, None] + h[:, None] * np.arange(_NODES + 1)
    up = w[:, None] * t - 2 * z[:, None] * np.sinh(0.5 * t) ** 2 - top[:, None]
    fold = np.expm1(-2 * w[:, None] * t)  # cosh and sinh of w t are half of 1 ± exp(-2 w t)
    values = t**order * np.exp(up) * (-fold if order == 1 else 2 + fold) / 2
    values[:, 0] *= 0.5
    total = h * values.sum(axis=1) * np.exp(top if scaled else top - z)
    total = np.where(x == np.inf, 0.0, total)
    return np.where(x > 0, total * (np.sign(v) if order == 1 else 1.0), np.nan)
