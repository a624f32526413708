"""Struve and Kelvin functions, integrals of Bessel functions, Wright's function."""

from __future__ import annotations

import math
from typing import Any

from lucid.ops.complex_ import abs as absolute
from lucid.ops.exponential import exp
from lucid.ops.select import where
from lucid.ops.special_functions.bessel import i0, j0, k0, y0
from lucid.ops.special_functions.helpers import horner, select
from lucid.ops.special_functions.table import NoRule, function, multi

__all__ = [
    "bei",
    "beip",
    "ber",
    "berp",
    "besselpoly",
    "it2i0k0",
    "it2j0y0",
    "it2struve0",
    "iti0k0",
    "itj0y0",
    "itmodstruve0",
    "itstruve0",
    "kei",
    "keip",
    "kelvin",
    "ker",
    "kerp",
    "log_wright_bessel",
    "modstruve",
    "struve",
    "wright_bessel",
]

_ORDER = NoRule("no recurrence gives the derivative by the order")
_PARAMETER = NoRule("no recurrence gives the derivative by this parameter")

# -- Struve ----------------------------------------------------------------------------------------


def _over(f: Any, x: Any) -> Any:
    """f/x for an f that vanishes at 0 faster than x."""
    zero = x == 0
    return where(zero, 0.0, f / where(zero, 1.0, x))


struve: Any = function(
    "struve",
    "Struve function of real order",
    "H_v(x)",
    "DLMF 11.2.1, 11.4.27",
    "v: the order; x: the argument",
    "struve(1.0, 2.0) = Tensor(0.64676373)",
    partials=(_ORDER, lambda ans, v, x: struve(v - 1, x) - v * _over(ans, x)),
)
modstruve: Any = function(
    "modstruve",
    "Modified Struve function of real order",
    "L_v(x)",
    "DLMF 11.2.2, 11.4.27",
    "v: the order; x: the argument",
    "modstruve(1.0, 2.0) = Tensor(1.10275979)",
    partials=(_ORDER, lambda ans, v, x: modstruve(v - 1, x) - v * _over(ans, x)),
)
itstruve0 = function(
    "itstruve0",
    "Integral of the Struve function of order 0",
    "∫_0^x H_0(t) dt",
    "DLMF 11.7",
    "x: the argument",
    "itstruve0(1.0) = Tensor(0.30109043)",
    partials=(lambda ans, x: struve(0, x),),
)
it2struve0 = function(
    "it2struve0",
    "Integral of the Struve function of order 0 over its argument",
    "∫_x^∞ H_0(t)/t dt",
    "DLMF 11.7",
    "x: the argument",
    "it2struve0(1.0) = Tensor(0.95719735)",
    partials=(lambda ans, x: -_ratio(lambda u: struve(0, u), x, 2 / math.pi),),
)
itmodstruve0 = function(
    "itmodstruve0",
    "Integral of the modified Struve function of order 0",
    "∫_0^x L_0(t) dt",
    "DLMF 11.7",
    "x: the argument",
    "itmodstruve0(1.0) = Tensor(0.33647263)",
    partials=(lambda ans, x: modstruve(0, x),),
)


def _ratio(f: Any, x: Any, at_zero: complex) -> Any:
    zero = x == 0
    return where(zero, at_zero, f(x) / where(zero, 1.0, x))


# -- integrals of Bessel functions -----------------------------------------------------------------


def _series(alternate: float) -> list[float]:
    """Σ_{k>=1} (±1)^(k+1) (x/2)^(2k)/k!² over x²/4, in x²/4."""
    return [alternate**k / math.factorial(k + 1) ** 2 for k in range(12)]


def _one_minus_j0(x: Any) -> Any:
    """(1 - J_0(x))/x without cancellation at small x."""
    return select(
        absolute(x) < 1,
        x,
        lambda u: 0.25 * u * horner(0.25 * u * u, _series(-1.0)),
        lambda u: (1 - j0(u)) / u,
        1.0,
    )


def _i0_minus_one(x: Any) -> Any:
    """(I_0(x) - 1)/x without cancellation at small x."""
    return select(
        absolute(x) < 1,
        x,
        lambda u: 0.25 * u * horner(0.25 * u * u, _series(1.0)),
        lambda u: (i0(u) - 1) / u,
        1.0,
    )


itj0y0 = multi(
    "itj0y0",
    "ij0 iy0",
    "Integrals of the Bessel functions of order 0",
    "∫_0^x J_0(t) dt, ∫_0^x Y_0(t) dt",
    "DLMF 10.22",
    "x: the argument",
    "itj0y0(1.0) = (Tensor(0.91973041), Tensor(-0.63706938))",
    partials=((lambda ans, x: j0(x), lambda ans, x: y0(x)),),
)
it2j0y0 = multi(
    "it2j0y0",
    "ij0 iy0",
    "Integrals of the Bessel functions of order 0 over their argument",
    "∫_0^x (1 - J_0(t))/t dt, ∫_x^∞ Y_0(t)/t dt",
    "DLMF 10.22",
    "x: the argument",
    "it2j0y0(1.0) = (Tensor(0.12116525), Tensor(0.3952729))",
    partials=((lambda ans, x: _one_minus_j0(x), lambda ans, x: -y0(x) / x),),
)
iti0k0 = multi(
    "iti0k0",
    "ii0 ik0",
    "Integrals of the modified Bessel functions of order 0",
    "∫_0^x I_0(t) dt, ∫_0^x K_0(t) dt",
    "DLMF 10.43",
    "x: the argument",
    "iti0k0(1.0) = (Tensor(1.0865211), Tensor(1.24250985))",
    partials=((lambda ans, x: i0(x), lambda ans, x: k0(x)),),
)
it2i0k0 = multi(
    "it2i0k0",
    "ii0 ik0",
    "Integrals of the modified Bessel functions of order 0 over their argument",
    "∫_0^x (I_0(t) - 1)/t dt, ∫_x^∞ K_0(t)/t dt",
    "DLMF 10.43",
    "x: the argument",
    "it2i0k0(1.0) = (Tensor(0.12897944), Tensor(0.20851829))",
    partials=((lambda ans, x: _i0_minus_one(x), lambda ans, x: -k0(x) / x),),
)

besselpoly: Any = function(
    "besselpoly",
    "Weighted integral of the Bessel function of the first kind",
    "∫_0^1 x^lmb J_nu(2 a x) dx",
    "DLMF 10.22",
    "a: the scale; lmb: the power; nu: the order",
    "besselpoly(1.0, 1.0, 0.0) = Tensor(0.2883624)",
    partials=(
        lambda ans, a, lmb, nu: besselpoly(a, lmb + 1, nu - 1) - besselpoly(a, lmb + 1, nu + 1),
        _PARAMETER,
        _ORDER,
    ),
)

# -- Kelvin ----------------------------------------------------------------------------------------


def _kelvin_function(name: str, slope: str, text: str, value: str) -> Any:
    return function(
        name,
        f"Kelvin function {name}",
        text,
        "DLMF 10.61",
        "x: the argument",
        f"{name}(1.0) = {value}",
        partials=(lambda ans, x: _KELVIN[slope](x),),
    )


def _kelvin_slope(name: str, text: str, other: str, sign: float, at_zero: float, value: str) -> Any:
    """The derivative f of a Kelvin function: f' = sign·other - f/x (DLMF 10.61.3)."""

    def slope(ans: Any, x: Any) -> Any:
        return sign * _KELVIN[other](x) - _ratio(lambda u: ans, x, at_zero)

    slope.__doc__ = f"`{'-' if sign < 0 else ''}{other}(x) - ans / x`"
    return function(
        name,
        f"Derivative of the Kelvin function {name[:-1]}",
        text,
        "DLMF 10.61",
        "x: the argument",
        f"{name}(1.0) = {value}",
        partials=(slope,),
    )


ber = _kelvin_function("ber", "berp", "Re J_0(x exp(3πi/4))", "Tensor(0.98438178)")
bei = _kelvin_function("bei", "beip", "Im J_0(x exp(3πi/4))", "Tensor(0.24956604)")
ker = _kelvin_function("ker", "kerp", "Re K_0(x exp(πi/4))", "Tensor(0.28670621)")
kei = _kelvin_function("kei", "keip", "Im K_0(x exp(πi/4))", "Tensor(-0.49499464)")
berp = _kelvin_slope("berp", "ber'(x)", "bei", -1.0, 0.0, "Tensor(-0.06244575)")
beip = _kelvin_slope("beip", "bei'(x)", "ber", 1.0, 0.5, "Tensor(0.49739651)")
kerp = _kelvin_slope("kerp", "ker'(x)", "kei", -1.0, math.inf, "Tensor(-0.69460389)")
keip = _kelvin_slope("keip", "kei'(x)", "ker", 1.0, math.inf, "Tensor(0.35236991)")

_KELVIN = {
    "ber": ber,
    "bei": bei,
    "ker": ker,
    "kei": kei,
    "berp": berp,
    "beip": beip,
    "kerp": kerp,
    "keip": keip,
}

kelvin = multi(
    "kelvin",
    "Be Ke Bep Kep",
    "Kelvin functions as complex numbers, and their derivatives",
    "Be = ber + i bei, Ke = ker + i kei, Bep = Be', Kep = Ke'",
    "DLMF 10.61",
    "x: the argument",
    partials=(
        (
            lambda ans, x: ans[2],
            lambda ans, x: ans[3],
            lambda ans, x: 1j * ans[0] - _ratio(lambda u: ans[2], x, 0.5j),
            lambda ans, x: 1j * ans[1] - ans[3] / x,
        ),
    ),
)

# -- Wright ----------------------------------------------------------------------------------------

wright_bessel: Any = function(
    "wright_bessel",
    "Wright's generalised Bessel function",
    "Φ(a, b; x) = Σ_k x^k / (k! Γ(a k + b))",
    "DLMF 10.46.1",
    "a: the first parameter, not negative; b: the second parameter, not negative; x: the argument",
    "wright_bessel(1.0, 1.0, 1.0) = Tensor(2.2795853)",
    partials=(_PARAMETER, _PARAMETER, lambda ans, a, b, x: wright_bessel(a, a + b, x)),
)
log_wright_bessel: Any = function(
    "log_wright_bessel",
    "Logarithm of Wright's generalised Bessel function",
    "ln Φ(a, b; x)",
    "DLMF 10.46.1",
    "a: the first parameter, not negative; b: the second parameter, not negative; x: the argument",
    "log_wright_bessel(1.0, 1.0, 1.0) = Tensor(0.82399354)",
    partials=(
        _PARAMETER,
        _PARAMETER,
        lambda ans, a, b, x: exp(log_wright_bessel(a, a + b, x) - ans),
    ),
)
