"""Kernels for derivatives of the noncentral t, Kolmogorov and Smirnov distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.ops.special_functions.jet import Jet

__all__ = ["kolmogorov_kernel", "noncentral_t_kernel", "smirnov_kernel"]

Array = np.ndarray[Any, Any]
_REACH = 42.0


def noncentral_t_kernel(df: Array, nc: Array, t: Array, power: int) -> Array:
    """Return E[s^power φ(t s - nc)], where df s² is chi-square with df degrees of freedom.

    With s = e^u the integrand is exp(g(u)), g(u) = (df + power) u - df e^(2u)/2 - (t e^u - nc)²/2,
    analytic with one maximum, so the trapezoidal rule about it converges exponentially.
    """
    m = df + power
    q = df + t * t
    c = t * nc
    # the maximum solves q s² - c s - m = 0
    root = np.sqrt(c * c + 4 * q * m)
    s0 = np.where(c > 0, (c + root) / (2 * q), 2 * m / (root - c))
    peak = np.log(s0)

    def g(u: Array) -> Array:
        """The exponent at peak + u less that at the peak, without cancellation."""
        e1 = np.expm1(u)
        quad = 0.5 * q * s0 * s0 * e1 * (e1 + 2)
        return m * u - quad + c * s0 * e1

    width = 1 / np.sqrt(np.abs(2 * q * s0 * s0 - c * s0) + 1e-300)
    hi = _reach(g, width)
    lo = -_reach(lambda u: g(-u), width)
    # the step follows the peak's width and, in a long tail, the scale 1 of e^u
    count = np.max((hi - lo) / np.minimum(0.15, 0.3 * width), initial=1.0)
    count = int(np.clip(np.nan_to_num(count), 64, 20000))
    h = (hi - lo) / count
    nodes = lo[:, None] + h[:, None] * np.arange(count + 1)
    e1 = np.expm1(nodes)
    sq = (q * s0 * s0)[:, None]
    values = np.exp(m[:, None] * nodes - 0.5 * sq * e1 * (e1 + 2) + (c * s0)[:, None] * e1)
    half = 0.5 * df
    log_top = (
        m * peak
        - half * s0 * s0
        - 0.5 * (t * s0 - nc) ** 2
        + half * np.log(half)
        - scipy_special.gammaln(half)
        + math.log(2)
        - 0.5 * math.log(2 * math.pi)
    )
    return np.where(df > 0, h * values.sum(axis=1) * np.exp(log_top), np.nan)


def _reach(g: Any, width: Array) -> Array:
    """Return where g has fallen by `_REACH` from its maximum at 0."""
    outer = width
    for _ in range(60):
        outer = np.where(g(outer) > -_REACH, 2 * outer, outer)
    inner = np.zeros_like(width)
    for _ in range(12):
        middle = 0.5 * (inner + outer)
        high = g(middle) > -_REACH
        inner, outer = np.where(high, middle, inner), np.where(high, outer, middle)
    return outer


def kolmogorov_kernel(y: Array, order: int) -> Array:
    """Return a derivative of 2 Σ (-1)^(k-1) exp(-2 k² y²), for small y by Jacobi's identity."""
    small = y < 0.8
    u = np.where(small, 1.0, y)
    v = np.where(small & (y > 0), y, 1.0)
    high, low = np.zeros_like(y), np.zeros_like(y)
    for k in range(1, 8):
        e = (-1) ** (k - 1) * 2 * np.exp(-2 * k * k * u * u)
        high += e * (-4 * k * k * u if order == 1 else 16 * k**4 * u * u - 4 * k * k)
        c = (2 * k - 1) ** 2 * math.pi**2 / 8
        w = c / (v * v)
        e = math.sqrt(2 * math.pi) * np.exp(-w) / (v * v)
        low -= e * (2 * w - 1 if order == 1 else (4 * w * w - 10 * w + 2) / v)
    return np.where(small, np.where(y > 0, low, 0.0), high)


def smirnov_kernel(n: Array, d: Array, order: int) -> Array:
    """Return a derivative by d of d Σ_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j)."""
    inside = (d > 0) & (d < 1) & (n >= 1)
    m = np.where(inside, np.floor(n), 1.0)
    x = np.where(inside, d, 0.5)
    total = Jet([np.zeros_like(x)] * (order + 1))
    jd = Jet.variable(x, 1.0, order)
    last = np.floor(m * (1 - x))
    for j in range(int(np.max(last, initial=0)) + 1):
        counts = j <= last
        mj = np.where(counts, m, j + 1.0)
        left, right = jd + j / mj, 1.0 - jd - j / mj
        positive = right.c[0] > 0
        right = right.where(positive, Jet.variable(np.ones_like(x), -1.0, order))
        choose = scipy_special.gammaln(mj + 1) - scipy_special.gammaln(mj - j + 1)
        choose = choose - math.lgamma(j + 1)
        term = (left.log() * (j - 1.0) + right.log() * (mj - j) + choose).exp() * jd
        keep = counts & positive
        total = total + term.where(keep, Jet([np.zeros_like(x)] * (order + 1)))
    value = total.c[order] * math.factorial(order)
    edge = np.where(np.isnan(d) | np.isnan(n) | (n < 1), np.nan, 0.0)
    edge = np.where((d == 0) & (n >= 1) & (order == 1), -1.0, edge)
    return np.where(inside, value, edge)
