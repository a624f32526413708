"""Kernels for derivatives of the noncentral t, Kolmogorov and Smirnov distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.ops.special_functions.jet import Jet

__all__ = [
    "kolmogorov_kernel",
    "noncentral_t_df",
    "noncentral_t_kernel",
    "poisson_mixture",
    "smirnov_kernel",
]

Array = np.ndarray[Any, Any]
_REACH = 42.0


def poisson_mixture(term: Any, nc: Array, *args: Array) -> Array:
    """Return Σ_j exp(-nc/2) (nc/2)^j/j! term(j, *args), summed where the weights count.

    The number of terms grows like the square root of `nc`.
    """
    out = np.full_like(nc, np.nan)
    order = np.argsort(nc, kind="stable")
    order = order[(nc[order] >= 0) & np.isfinite(nc[order])]
    for i in range(0, order.size, 256):  # like with like, so that blocks are narrow
        rows = order[i : i + 256]
        mean = 0.5 * nc[rows]
        reach = 10 * np.sqrt(mean) + 45
        first = np.maximum(np.floor(mean - reach), 0.0)
        j = first[:, None] + np.arange(int(np.max(2 * reach)) + 1)
        log_weight = scipy_special.xlogy(j, mean[:, None]) - mean[:, None]
        weight = np.exp(log_weight - scipy_special.gammaln(j + 1))
        used = weight > 1e-30
        columns = np.broadcast_arrays(j, *(a[rows, None] for a in args))
        value = np.zeros_like(weight)
        value[used] = term(*(c[used] for c in columns))
        out[rows] = np.sum(weight * value, axis=1)
    return out


def _grid(g: Any, width: Array, step: Array) -> tuple[Array, Array]:
    """Return the nodes of the trapezoidal rule about the maximum of exp(g) at 0, and their step."""
    hi = _reach(g, width)
    lo = -_reach(lambda u: g(-u), width)
    count = np.max((hi - lo) / np.minimum(step, 0.3 * width), initial=1.0)
    count = int(np.clip(np.nan_to_num(count), 64, 20000))
    h = (hi - lo) / count
    return lo[:, None] + h[:, None] * np.arange(count + 1), h


def _score(df: Array, u: Array) -> Array:
    """The derivative by df of the logarithm of the density of s = e^u."""
    half = 0.5 * df[:, None]
    e1 = np.expm1(u)
    return 0.5 * (np.log(half) - scipy_special.digamma(half)) + u - 0.5 * e1 * (e1 + 2)


def noncentral_t_kernel(df: Array, nc: Array, t: Array, power: int, by_df: bool = False) -> Array:
    """Return E[s^power φ(t s - nc)], where df s² is chi-square with df degrees of freedom.

    With s = e^u the integrand is exp(g(u)), g(u) = (df + power) u - df e^(2u)/2 - (t e^u - nc)²/2,
    analytic with one maximum, so the trapezoidal rule about it converges exponentially. With
    `by_df`, the derivative by df is returned.
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
        e1 = np.expm1(u).T
        return m * u.T - 0.5 * q * s0 * s0 * e1 * (e1 + 2) + c * s0 * e1

    width = 1 / np.sqrt(np.abs(2 * q * s0 * s0 - c * s0) + 1e-300)
    nodes, h = _grid(g, width, np.full_like(width, 0.15))
    values = np.exp(g(nodes).T)
    if by_df:
        values = values * _score(df, nodes + peak[:, None])
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


def noncentral_t_df(df: Array, nc: Array, t: Array) -> Array:
    """Return the derivative by df of E[Φ(t s - nc)].

    The density's derivative by df integrates to zero, so that Φ(t - nc) is subtracted from Φ.
    """
    half = 0.5 * df

    def g(u: Array) -> Array:
        e1 = np.expm1(u).T
        return df * u.T - half * e1 * (e1 + 2)

    # Φ(t e^u - nc) turns from 0 to 1 over a length 1/nc in u
    nodes, h = _grid(g, 1 / np.sqrt(2 * df), np.minimum(0.15, 0.5 / (1 + np.abs(nc))))
    phi = scipy_special.ndtr(t[:, None] * np.exp(nodes) - nc[:, None])
    change = phi - scipy_special.ndtr(t - nc)[:, None]
    values = np.exp(g(nodes).T) * _score(df, nodes) * change
    log_top = half * np.log(half) - half - scipy_special.gammaln(half) + math.log(2)
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
