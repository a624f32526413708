"""Kernels for the derivatives of the zeta function by its exponent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.ops.special_functions.jet import Jet

__all__ = ["zeta_kernel", "zetac_kernel"]

Array = np.ndarray[Any, Any]

# B_2j / (2j)!
_BERNOULLI = (
    *(1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160),
    *(-691 / 1307674368000, 1 / 74724249600, -3617 / 10670622842880000),
    *(43867 / 5109094217170944000, -174611 / 802857662698291200000),
)
_TERMS = 12


def _euler_maclaurin(s: Array, q: Array, order: int, skip: int = 0) -> Jet:
    """Σ_{k>=skip} (q + k)^-s as a jet in s, without its pole 1/(s - 1)."""
    js = Jet.variable(s, 1.0, order)
    zero = np.zeros_like(s)
    total = Jet([zero] * (order + 1))
    for k in range(skip, _TERMS):
        total = total + (-js * np.log(q + k)).exp()
    edge = q + _TERMS
    power = (-js * np.log(edge)).exp()
    total = total + power * 0.5
    rising = js / edge
    for j, b in enumerate(_BERNOULLI):
        total = total + rising * power * b
        rising = rising * (js + (2 * j + 1)) * (js + (2 * j + 2)) / (edge * edge)
    return total + _pole(js, edge)


def _pole(js: Jet, edge: Array) -> Jet:
    """(q + N)^(1-s) / (s - 1)."""
    u = js - 1.0
    return (-u * np.log(edge)).exp() / u


def zeta_kernel(s: Array, q: Array, order: int) -> Array:
    """Return the derivative of the given order of ζ(s, q) by s, for s > 1 and q > 0."""
    # the terms before N matter only as far as they are counted, whatever the size of s and q
    value = _euler_maclaurin(s, q, order).c[order] * math.factorial(order)
    return np.where((s > 1) & (q > 0), value, np.nan)


def zetac_kernel(s: Array, order: int) -> Array:
    """Return the derivative of the given order of ζ(s) by s."""
    low = s < 0
    one = np.ones_like(s)
    high = _euler_maclaurin(np.where(low, 1.5, s), one, order, skip=1)
    # ζ(s) = 2 (2π)^(s-1) sin(πs/2) Γ(1-s) ζ(1-s)
    t = np.where(low, s, -0.5)
    js = Jet.variable(t, 1.0, order)
    other = _euler_maclaurin(1 - t, one, order)
    reflected = Jet([c * (-1.0) ** k for k, c in enumerate(other.c)])
    psi = scipy_special.digamma(1 - t)
    gamma = [scipy_special.gammaln(1 - t), -psi, 0.5 * scipy_special.zeta(2, 1 - t)]
    front = (Jet(gamma[: order + 1]) + (js - 1.0) * math.log(2 * math.pi)).exp() * 2.0
    value = high.where(~low, front * _sine(t, order) * reflected)
    return value.c[order] * math.factorial(order)


def _sine(s: Array, order: int) -> Jet:
    """The jet of sin(πs/2), exact at even s."""
    turned = math.pi / 2 * (s - 4 * np.round(s / 4))
    half = math.pi / 2
    even = np.where(s / 2 == np.round(s / 2), 0.0, np.sin(turned))
    return Jet([even, half * np.cos(turned), -0.5 * half**2 * even][: order + 1])
