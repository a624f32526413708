"""Exponential, trigonometric and hyperbolic integrals; the dilogarithm; Lambert's W."""

from __future__ import annotations

from typing import Any

from lucid._lazy import scipy_special
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.ops.complex_ import abs as absolute
from lucid.ops.exponential import exp, log, log1p
from lucid.ops.hyperbolic import cosh, sinh
from lucid.ops.select import where
from lucid.ops.special_functions.helpers import select
from lucid.ops.special_functions.table import DISCRETE, function, multi
from lucid.ops.trigonometric import cos, sin

__all__ = ["exp1", "expi", "expn", "lambertw", "shichi", "sici", "spence", "wrightomega"]

exp1 = function(
    "exp1",
    "Exponential integral E1",
    "∫_z^∞ exp(-t)/t dt",
    "DLMF 6.2.1",
    "z: the argument",
    "exp1(1.0) = Tensor(0.21938393)",
    partials=(lambda ans, z: -exp(-z) / z,),
)

expi = function(
    "expi",
    "Exponential integral Ei",
    "the principal value of ∫_-∞^x exp(t)/t dt",
    "DLMF 6.2.5",
    "x: the argument",
    "expi(1.0) = Tensor(1.89511782)",
    partials=(lambda ans, x: exp(x) / x,),
)


def _expn_slope(ans: Any, n: Any, x: Any) -> Any:
    """-E_{n-1}(x), where E_0(x) = exp(-x)/x and E_-1(x) = exp(-x) (1 + 1/x)/x."""
    zeroth = n == 0
    lower = where(zeroth, 0, n - 1)
    return where(zeroth, -exp(-x) * (1 + 1 / x) / x, -expn(lower, x))


expn = function(
    "expn",
    "Generalised exponential integral of whole order",
    "E_n(x) = ∫_1^∞ exp(-x t) / t^n dt",
    "DLMF 8.19.3",
    "n: the order, a whole number; x: the argument, not negative",
    "expn(2, 1.0) = Tensor(0.14849551)",
    partials=(DISCRETE, _expn_slope),
)


def _per(f: Any, x: Any, at_zero: float) -> Any:
    """f(x)/x with its limit at 0."""
    zero = x == 0
    return where(zero, at_zero, f(x) / where(zero, 1.0, x))


sici = multi(
    "sici",
    "Si Ci",
    "Sine and cosine integrals",
    "Si(x) = ∫_0^x sin t/t dt, Ci(x) = γ + ln x + ∫_0^x (cos t - 1)/t dt",
    "DLMF 6.2.9",
    "x: the argument",
    "sici(1.0) = (Tensor(0.94608307), Tensor(0.33740392))",
    partials=((lambda ans, x: _per(sin, x, 1.0), lambda ans, x: cos(x) / x),),
)

shichi = multi(
    "shichi",
    "Shi Chi",
    "Hyperbolic sine and cosine integrals",
    "Shi(x) = ∫_0^x sinh t/t dt, Chi(x) = γ + ln x + ∫_0^x (cosh t - 1)/t dt",
    "DLMF 6.2.15",
    "x: the argument",
    "shichi(1.0) = (Tensor(1.05725088), Tensor(0.83786694))",
    partials=((lambda ans, x: _per(sinh, x, 1.0), lambda ans, x: cosh(x) / x),),
)

_SPENCE = [(-1.0) ** k / (k + 1) for k in range(14)]


def _spence_slope(ans: Any, z: Any) -> Any:
    """Ln z/(1 - z), by its series about 1."""

    def near(u: Any) -> Any:
        total: Any = _SPENCE[-1]
        for c in reversed(_SPENCE[:-1]):
            total = total * u + c
        return -total

    u = z - 1
    return select(absolute(u) < 0.06, u, near, lambda v: -log1p(v) / v, 0.06)


def _spence_far(ans: Any, z: Any) -> Any:
    """As `_spence_slope`, exact for small z, whose digits z - 1 would lose."""
    small = absolute(z) < 0.5
    return where(
        small,
        log(where(small, z, 0.5)) / (1 - where(small, z, 0.5)),
        _spence_slope(ans, where(small, 1.0, z)),
    )


spence = function(
    "spence",
    "Dilogarithm in Spence's form",
    "∫_1^z ln t/(1 - t) dt = Li2(1 - z)",
    "DLMF 25.12",
    "z: the argument",
    "spence(0.0) = Tensor(1.64493407)",
    partials=(_spence_far,),
)

wrightomega = function(
    "wrightomega",
    "Wright omega function",
    "the ω with ω + ln ω = z",
    "DLMF 4.13",
    "z: the argument",
    "wrightomega(1.0) = Tensor(1.)",
    partials=(lambda ans, z: ans / (1 + ans),),
)

_lambertw = function(
    "lambertw",
    "Lambert's W function, always complex",
    "the w with w exp(w) = z, on the branch k",
    "DLMF 4.13",
    "z: the argument; k: the branch, a whole number",
    impl=lambda z, k: scipy_special.lambertw(z, k),
    partials=(lambda ans, z, k: exp(-ans) / (1 + ans), DISCRETE),
)


def lambertw(z: ArrayLike, k: ArrayLike = 0, /) -> Tensor:
    """Lambert's W function, always complex.

        the w with w exp(w) = z, on the branch k

    Args:
        z: the argument.
        k: the branch, a whole number; no derivative.

    Returns:
        The value, complex, of the broadcast shape.

    Raises:
        NotDifferentiableError: if a derivative by `k` is asked for.

    Example:
        >>> import lucid
        >>> lucid.special.lambertw(1.0).real
        Tensor(0.56714329)

    Source: DLMF 4.13.
    """
    return _lambertw(z, k)
