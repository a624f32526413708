"""Kernels on arrays for the incomplete gamma and beta functions: densities, parameter derivatives.

SciPy has the functions and not these. Each kernel takes flat float64 arrays of one length.

The derivative of P(a, x) by its order is an integral of the gamma density times log t - ψ(a), which
has one sign on either side of its zero; the side without it is integrated, so that nothing cancels.
For the beta function the continued fraction of the value is run on jets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.ops.special_functions.jet import Jet

__all__ = [
    "beta_density_kernel",
    "betainc_taylor",
    "gamma_density_kernel",
    "gammainc_order",
    "half_line",
]

Array = np.ndarray[Any, Any]

# -- pieces ----------------------------------------------------------------------------------------

_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_PSI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


def _powers(x: Array, coefficients: tuple[float, ...]) -> Array:
    total = np.zeros_like(x)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def log_quotient(difference: Array, u: Array, c: Array) -> Array:
    """Return log(u/c), where `difference` is u - c."""
    near = np.abs(difference) < 0.5 * c
    return np.where(near, np.log1p(difference / c), np.log(u / c))


def log1pmx(difference: Array, u: Array, c: Array) -> Array:
    """Return log(u/c) - (u - c)/c without cancellation at u near c."""
    v = difference / c
    near = np.abs(v) < 0.5
    w = np.where(near, v, 0.25)
    r = w / (2 + w)
    series = tuple(1 / (2 * k + 3) for k in range(19))
    return np.where(near, r * (2 * r * r * _powers(r * r, series) - w), np.log(u / c) - v)


def expm1mx(s: Array) -> Array:
    """Return exp(s) - 1 - s without cancellation at small s."""
    near = np.abs(s) < 0.5
    w = np.where(near, s, 0.0)
    series = tuple(1 / math.factorial(k + 2) for k in range(15))
    return np.where(near, w * w * _powers(w, series), np.expm1(s) - s)


def stirling_error(a: Array) -> Array:
    """Return log Γ(a) - (a - 1/2) log a + a - log(2π)/2."""
    big = a >= 10
    c = np.where(big, a, 10.0)
    series = _powers(1 / (c * c), _STIRLING) / c
    d = np.where(big, 1.0, a)
    exact = scipy_special.gammaln(d) - (d - 0.5) * np.log(d) + d - 0.5 * math.log(2 * math.pi)
    return np.where(big, series, exact)


def log_minus_psi(a: Array) -> Array:
    """Return log a - ψ(a) for a >= 20."""
    return 0.5 / a + _powers(1 / (a * a), _PSI) / (a * a)


def half_line(integrand: Callable[..., Array], width: Array, *args: Array) -> Array:
    """Integrate over s in (0, ∞) by the exp-sinh rule.

    The integrand decays at least exponentially on the scale `width` and is analytic about the
    axis; it is called as ``integrand(s, *args)``, with columns for `args`.
    """
    y = np.arange(-3.7, 4.05, 0.08)
    node = np.exp(y - np.exp(-y))
    weight = 0.08 * node * (1 + np.exp(-y))
    out = np.empty_like(width)
    for i in range(0, width.size, 2048):
        block = slice(i, i + 2048)
        w = width[block, None]
        values = integrand(w * node, *(a[block, None] for a in args))
        out[block] = width[block] * (values @ weight)
    return out


# -- gamma -----------------------------------------------------------------------------------------


def _gamma_weight(a: Array, x: Array) -> Array:
    """Return x^a exp(-x) / Γ(a), by the saddle point for large a."""
    small = a < 1
    direct = a * np.log(x) - x - scipy_special.gammaln(a)
    c = np.where(small, 1.0, a)
    saddle = c * log1pmx(x - c, x, c) + 0.5 * np.log(c / (2 * math.pi)) - stirling_error(c)
    return np.exp(np.where(small, direct, saddle))


def gamma_density_kernel(a: Array, x: Array) -> Array:
    """Return x^(a-1) exp(-x) / Γ(a)."""
    inside = (x > 0) & (x < np.inf)
    value = _gamma_weight(a, np.where(inside, x, 1.0)) / np.where(inside, x, 1.0)
    edge = np.where(a < 1, np.inf, np.where(a == 1, 1.0, 0.0))
    value = np.where(x == 0, edge, np.where(x == np.inf, 0.0, value))
    return np.where((a >= 0) & (x >= 0), value, np.nan)


def gammainc_order(a: Array, x: Array, order: int) -> Array:
    """Return the first or second derivative of P(a, x) by a, for a >= 0 and x >= 0."""
    inside = (x > 0) & (x < np.inf) & (a >= 0) & (a < np.inf)
    out = np.where((x >= 0) & (a >= 0), 0.0, np.nan)
    near = inside & (x <= 1)
    far = inside & (x > 1) & (a > 0)
    out[near] = _gammainc_series(a[near], x[near], order)
    out[far] = _gammainc_integral(a[far], x[far], order)
    at_zero = inside & (x > 1) & (a == 0)
    out[at_zero] = -scipy_special.exp1(x[at_zero]) if order == 1 else np.nan
    return out


def _gammainc_series(a: Array, x: Array, order: int) -> Array:
    """P = x^a/Γ(a+1) Σ (-x)^n/n! a/(a+n), for x <= 1."""
    s0, s1, s2 = np.ones_like(x), np.zeros_like(x), np.zeros_like(x)
    term = np.ones_like(x)
    for n in range(1, 21):
        term = term * (-x / n)
        s0 += term * a / (a + n)
        s1 += term * n / (a + n) ** 2
        s2 -= term * 2 * n / (a + n) ** 3
    front = np.exp(a * np.log(x) - scipy_special.gammaln(a + 1))
    slope = np.log(x) - scipy_special.digamma(a + 1)
    if order == 1:
        return front * (slope * s0 + s1)
    curve = slope * slope - scipy_special.zeta(2, a + 1)
    return front * (curve * s0 + 2 * slope * s1 + s2)


def _gammainc_integral(a: Array, x: Array, order: int) -> Array:
    """∫ exp(a s - x (e^s - 1)) (log x - ψ(a) + s) ds times x^a e^-x/Γ(a), with t = x e^s."""
    big = a >= 20
    c = np.where(big, a, 20.0)
    slope = np.where(
        big, log_quotient(x - c, x, c) + log_minus_psi(c), np.log(x) - scipy_special.digamma(a)
    )
    side = np.where(slope < 0, -1.0, 1.0)  # integrate from 0 up to x, or from x on
    # ψ(a) and ψ'(a) through ψ(a+1), so that the powers of 1/a cancel exactly
    tail = np.log(x) - scipy_special.digamma(a + 1)
    curve = scipy_special.zeta(2, a + 1)

    def integrand(s: Any, a: Any, x: Any, side: Any, slope: Any, tail: Any, curve: Any) -> Any:
        s = side * s
        weight = np.exp((a - x) * s - x * expm1mx(s))
        if order == 1:
            return weight * (slope + s)
        small = (tail + s) ** 2 + 2 * (tail + s) / a - curve
        large = (slope + s) ** 2 - curve - 1 / (a * a)
        return weight * np.where(a < 20, small, large)

    width = 1 / (np.abs(a - x) + np.sqrt(x))
    total = half_line(integrand, width, a, x, side, slope, tail, curve)
    return -side * _gamma_weight(a, x) * total


# -- beta ------------------------------------------------------------------------------------------


def _beta_weight(a: Array, b: Array, x: Array) -> Array:
    """Return x^a (1-x)^b / B(a, b), by the saddle point for large a and b."""
    large = (a >= 10) & (b >= 10)
    direct = a * np.log(x) + b * np.log1p(-x) - scipy_special.betaln(a, b)
    p, q = np.where(large, a, 10.0), np.where(large, b, 10.0)
    n = p + q
    d = x * q - (1 - x) * p
    saddle = p * log1pmx(d, n * x, p) + q * log1pmx(-d, n * (1 - x), q)
    saddle += 0.5 * np.log(p * q / (2 * math.pi * n))
    saddle += stirling_error(n) - stirling_error(p) - stirling_error(q)
    return np.exp(np.where(large, saddle, direct))


def beta_density_kernel(a: Array, b: Array, x: Array) -> Array:
    """Return x^(a-1) (1-x)^(b-1) / B(a, b)."""
    inside = (x > 0) & (x < 1)
    c = np.where(inside, x, 0.5)
    value = _beta_weight(a, b, c) / (c * (1 - c))
    low = np.where(a < 1, np.inf, np.where(a == 1, b, 0.0))
    high = np.where(b < 1, np.inf, np.where(b == 1, a, 0.0))
    value = np.where(x == 0, low, np.where(x == 1, high, value))
    return np.where((a > 0) & (b > 0) & (x >= 0) & (x <= 1), value, np.nan)


def betainc_taylor(a: Array, b: Array, x: Array, da: int, db: int, order: int) -> Array:
    """Return the derivative of the given order of I_x(a, b) along the direction (da, db)."""
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1)
    out = np.where((a > 0) & (b > 0) & ((x == 0) | (x == 1)), 0.0, np.nan)
    low = inside & (x * (a + b + 2) <= a + 1)
    high = inside & ~low
    for part, swap in ((low, False), (high, True)):
        if part.any():
            p, q, z = a[part], b[part], x[part]
            value = _betainc_fraction(p, q, z, da, db, order, swap)
            out[part] = -value if swap else value
    return out


def _betainc_fraction(
    a: Array, b: Array, x: Array, da: int, db: int, order: int, swap: bool
) -> Array:
    """Run the continued fraction of DiDonato and Morris (1992), equation 9, on jets.

    I = x^a y^b Γ(a+b) / (Γ(a+1) Γ(b)) / (β0 + α1/(β1 + ...)), y = 1 - x; with `swap` it
    is the fraction of 1 - I = I_y(b, a).
    """
    weight = _beta_weight(a, b, x)
    slope_a, slope_b = _log_slopes(a, b, x)
    if swap:
        a, b, da, db, slope_a, slope_b = b, a, db, da, slope_b, slope_a
    y = x if swap else 1 - x
    x = 1 - x if swap else x
    n = a + b
    ja, jb = Jet.variable(a, da, order), Jet.variable(b, db, order)
    zeta = scipy_special.zeta
    log_front = [np.zeros_like(a), da * slope_a + db * slope_b]
    if order > 1:
        curve = (da + db) ** 2 * zeta(2, n + 1) - da**2 * zeta(2, a + 1) - db**2 * zeta(2, b + 1)
        log_front.append(0.5 * curve)
    # Γ(a+b)/Γ(b) = (b/(a+b)) Γ(a+b+1)/Γ(b+1): the slopes are those at a+1, b+1 and a+b+1
    front = Jet(log_front[: order + 1]).exp() * (jb / (ja + jb)) * (n / b)
    value = front / _fraction(ja, jb, x, y) * (weight / a)
    return value.c[order] * math.factorial(order)


def _log_slopes(a: Array, b: Array, x: Array) -> tuple[Array, Array]:
    """Return log x - ψ(a+1) + ψ(a+b+1) and log(1-x) - ψ(b+1) + ψ(a+b+1)."""
    psi = scipy_special.digamma
    large = (a >= 20) & (b >= 20)
    p, q = np.where(large, a, 20.0), np.where(large, b, 20.0)
    n = p + q
    d = x * q - (1 - x) * p
    rest = 1 / n - log_minus_psi(n)
    la = log_quotient(d, n * x, p) + log_minus_psi(p) - 1 / p + rest
    lb = log_quotient(-d, n * (1 - x), q) + log_minus_psi(q) - 1 / q + rest
    whole = psi(a + b + 1)
    return (
        np.where(large, la, np.log(x) - psi(a + 1) + whole),
        np.where(large, lb, np.log1p(-x) - psi(b + 1) + whole),
    )


def _fraction(a: Jet, b: Jet, x: Array, y: Array) -> Jet:
    """Return β0 + α1/(β1 + α2/(β2 + ...)), divided by a, by Lentz's method."""
    offset = a * y - b * x + 1
    value = offset / (a + 1)
    c, d = value, Jet([np.zeros_like(x)] * len(a.c))
    for m in range(1, 20000):
        alpha = (b - m) * (a + b + (m - 1)) * (m * x * x)
        if m > 1:
            alpha = alpha * (a + (m - 1))
        odd = a + (2 * m - 1)
        alpha = alpha / (odd * odd)
        beta = (b - m) * (m * x) / odd + m + (a + m) * (offset + m * (2 - x)) / (a + (2 * m + 1))
        d = 1 / (beta + alpha * d)
        c = beta + alpha / c
        step = c * d
        value = value * step
        # the jet of the step must settle, not only its value
        change = np.abs(step.c[0] - 1)
        for k in range(1, len(step.c)):
            change = change + np.abs(step.c[k]) * a.c[0] ** k
        if not np.any(change > 1e-15):
            break
    return value
