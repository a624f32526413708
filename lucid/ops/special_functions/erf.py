"""The error function and its kin: Dawson, Faddeeva, Fresnel, Voigt, Owen, the normal law."""

from __future__ import annotations

import math
from typing import Any

from lucid.core.cotangent import conj
from lucid.core.define import SAME
from lucid.ops.complex_ import abs as absolute
from lucid.ops.complex_ import imag, real
from lucid.ops.exponential import exp
from lucid.ops.select import where
from lucid.ops.special import erf, erfc, erfinv
from lucid.ops.special_functions.helpers import horner
from lucid.ops.special_functions.table import adopt, function, multi
from lucid.ops.trigonometric import cos, sin

__all__ = [
    "dawsn",
    "erfcinv",
    "erfcx",
    "erfi",
    "fresnel",
    "log_ndtr",
    "modfresnelm",
    "modfresnelp",
    "ndtr",
    "ndtri",
    "ndtri_exp",
    "nrdtrimn",
    "nrdtrisd",
    "owens_t",
    "voigt_profile",
    "wofz",
]

_TWO = 2 / math.sqrt(math.pi)
_NORMAL = 1 / math.sqrt(2 * math.pi)
# 1 - √π x erfcx(x) = r Σ_k (-1)^k (2k+1)!! r^k with r = 1/(2x²), asymptotically
_TAIL = [float((-1) ** k * math.prod(range(1, 2 * k + 2, 2))) for k in range(12)]

adopt(
    erf,
    "erf",
    "Error function",
    "erf z = (2/√π) ∫_0^z exp(-t²) dt",
    "DLMF 7.2.1",
    "z: the argument",
    ("2/√π exp(-z²)",),
)
adopt(
    erfc,
    "erfc",
    "Complementary error function",
    "1 - erf z",
    "DLMF 7.2.2",
    "z: the argument",
    ("-2/√π exp(-z²)",),
)
adopt(
    erfinv,
    "erfinv",
    "Inverse of the error function",
    "",
    "DLMF 7.17.1",
    "y: the argument in [-1, 1]",
    ("√π/2 exp(ans²)",),
)

erfcinv = function(
    "erfcinv",
    "Inverse of the complementary error function",
    "",
    "DLMF 7.17.1",
    "y: the argument in [0, 2]",
    "erfcinv(0.5) = Tensor(0.47693628)",
    partials=(lambda ans, y: exp(ans * ans) / -_TWO,),
)


def _scaled_slope(ans: Any, x: Any) -> Any:
    """2 x erfcx(x) - 2/√π, by the asymptotic series where the difference would cancel."""
    far = (real(x) if x.dtype.kind == "c" else x) > 20

    def series(v: Any) -> Any:
        r = 0.5 / (v * v)
        return -_TWO * r * horner(r, _TAIL)

    value = where(far, 0.0, ans)
    near = where(far, 1.0, x)
    return where(far, series(where(far, x, 20.0)), 2 * near * value - _TWO)


erfcx = function(
    "erfcx",
    "Scaled complementary error function",
    "exp(x²) erfc(x)",
    "DLMF 7.2.3",
    "x: the argument",
    "erfcx(1.0) = Tensor(0.42758358)",
    partials=(_scaled_slope,),
)

erfi = function(
    "erfi",
    "Imaginary error function",
    "-i erf(i z)",
    "DLMF 7.2.1",
    "z: the argument",
    "erfi(1.0) = Tensor(1.65042576)",
    partials=(lambda ans, z: _TWO * exp(z * z),),
)


def _dawson_slope(ans: Any, x: Any) -> Any:
    """1 - 2 x F(x), by the asymptotic series where the difference would cancel."""
    square = x * x
    far = (real(square) if x.dtype.kind == "c" else square) > 400

    def series(v: Any) -> Any:
        r = -0.5 / (v * v)
        return r * horner(r, _TAIL)

    near = where(far, 0.0, x)
    return where(far, series(where(far, x, 20.0)), 1 - 2 * near * where(far, 0.0, ans))


dawsn = function(
    "dawsn",
    "Dawson's integral",
    "F(x) = exp(-x²) ∫_0^x exp(t²) dt",
    "DLMF 7.2.5",
    "x: the argument",
    "dawsn(1.0) = Tensor(0.53807951)",
    partials=(_dawson_slope,),
)


def _faddeeva_slope(ans: Any, z: Any) -> Any:
    """2i/√π - 2 z w(z), by the asymptotic series where the difference would cancel."""
    far = (absolute(z) > 20) & (imag(z) >= 0)

    def series(v: Any) -> Any:
        r = -0.5 / (v * v)
        return 1j * _TWO * r * horner(r, _TAIL)

    near = where(far, 0.0, z)
    return where(far, series(where(far, z, 20.0)), 1j * _TWO - 2 * near * where(far, 0.0, ans))


wofz = function(
    "wofz",
    "Faddeeva function",
    "w(z) = exp(-z²) erfc(-i z)",
    "DLMF 7.2.3",
    "z: the argument",
    "wofz(1.0) = Tensor(0.36787944+0.60715771j)",
    partials=(_faddeeva_slope,),
)

fresnel = multi(
    "fresnel",
    "S C",
    "Fresnel integrals",
    "S(z) = ∫_0^z sin(πt²/2) dt, C(z) = ∫_0^z cos(πt²/2) dt",
    "DLMF 7.2.7",
    "z: the argument",
    "fresnel(1.0) = (Tensor(0.43825915), Tensor(0.7798934))",
    partials=(
        (
            lambda ans, z: sin(0.5 * math.pi * z * z),
            lambda ans, z: cos(0.5 * math.pi * z * z),
        ),
    ),
)


_TURN = math.sqrt(0.5) * (1 + 1j)  # K+(x) = w(e^{iπ/4} x)/2, and K- is its conjugate


def _modified_fresnel(name: str, i: complex) -> Any:
    plus = i == 1j

    def slope(ans: Any, x: Any) -> Any:
        """w'(e^{±iπ/4} x) e^{±iπ/4}/2."""
        value = ans[1] if plus else conj(ans[1])
        found = 0.5 * _TURN * _faddeeva_slope(2 * value, _TURN * x)
        return found if plus else conj(found)

    s, t = ("+", "-") if plus else ("-", "+")
    return multi(
        name,
        "F K",
        f"Modified Fresnel integrals with the sign {s}",
        f"F(x) = ∫_x^∞ exp({s}it²) dt, K(x) = exp({t}i(x² + π/4)) F(x)/√π",
        "DLMF 7.2.6",
        "x: the argument",
        partials=((lambda ans, x: -exp(i * x * x), slope),),
    )


modfresnelp = _modified_fresnel("modfresnelp", 1j)
modfresnelm = _modified_fresnel("modfresnelm", -1j)

# -- the normal distribution -----------------------------------------------------------------------

ndtr = function(
    "ndtr",
    "Cumulative distribution function of the standard normal distribution",
    "Φ(x) = ∫_-∞^x exp(-t²/2) dt / √(2π)",
    "DLMF 7.2.1",
    "x: the argument",
    "ndtr(1.0) = Tensor(0.84134475)",
    partials=(lambda ans, x: _NORMAL * exp(-0.5 * x * x),),
)

log_ndtr = function(
    "log_ndtr",
    "Logarithm of the cumulative distribution function of the standard normal distribution",
    "ln Φ(x)",
    "DLMF 7.2.1",
    "x: the argument",
    "log_ndtr(-10.0) = Tensor(-53.23128515)",
    partials=(lambda ans, x: 2 * _NORMAL / erfcx(-math.sqrt(0.5) * x),),
)

ndtri = function(
    "ndtri",
    "Inverse of `ndtr`",
    "",
    "DLMF 7.17.1",
    "y: a probability",
    "ndtri(0.975) = Tensor(1.95996398)",
    partials=(lambda ans, y: exp(0.5 * ans * ans) / _NORMAL,),
)

ndtri_exp = function(
    "ndtri_exp",
    "Inverse of `log_ndtr`",
    "",
    "DLMF 7.17.1",
    "y: the logarithm of a probability",
    "ndtri_exp(-1.0) = Tensor(-0.33747496)",
    partials=(lambda ans, y: erfcx(-math.sqrt(0.5) * ans) / (2 * _NORMAL),),
)

nrdtrimn = function(
    "nrdtrimn",
    "Mean of the normal distribution with given standard deviation and probability of (-∞, x)",
    "x - std Φ⁻¹(p)",
    "DLMF 7.17.1",
    "p: a probability; std: the standard deviation, positive; x: the quantile",
    "nrdtrimn(0.5, 1.0, 2.0) = Tensor(2.)",
    partials=(
        lambda ans, p, std, x: -std / _NORMAL * exp(0.5 * ((x - ans) / std) ** 2),
        lambda ans, p, std, x: (ans - x) / std,
        SAME,
    ),
)

nrdtrisd = function(
    "nrdtrisd",
    "Standard deviation of the normal distribution with given mean and probability of (-∞, x)",
    "(x - mn) / Φ⁻¹(p)",
    "DLMF 7.17.1",
    "mn: the mean; p: a probability; x: the quantile",
    "nrdtrisd(0.0, 0.975, 1.95996398454) = Tensor(1.)",
    partials=(
        lambda ans, mn, p, x: -1 / ndtri(p),
        lambda ans, mn, p, x: -ans / ndtri(p) / _NORMAL * exp(0.5 * ndtri(p) ** 2),
        lambda ans, mn, p, x: 1 / ndtri(p),
    ),
)

owens_t = function(
    "owens_t",
    "Owen's T function",
    "T(h, a) = ∫_0^a exp(-h²(1 + t²)/2) / (1 + t²) dt / (2π)",
    "Owen, Annals of Mathematical Statistics 27 (1956)",
    "h: the first argument; a: the second argument",
    "owens_t(1.0, 0.5) = Tensor(0.04306469)",
    partials=(
        lambda ans, h, a: -0.5 * _NORMAL * exp(-0.5 * h * h) * erf(math.sqrt(0.5) * a * h),
        lambda ans, h, a: exp(-0.5 * h * h * (1 + a * a)) / (2 * math.pi * (1 + a * a)),
    ),
)


def _voigt_point(x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
    z = (x + 1j * absolute(gamma)) / (sigma * math.sqrt(2))
    return z, _faddeeva_slope(wofz(z), z)


def _voigt_sigma(ans: Any, x: Any, sigma: Any, gamma: Any) -> Any:
    """σ ∂²V/∂x², by the heat equation; w'' = -2 (w + z w')."""
    z, slope = _voigt_point(x, sigma, gamma)
    return -(ans + real(z * slope) * _NORMAL / sigma) / sigma


voigt_profile = function(
    "voigt_profile",
    "Voigt profile, a normal and a Cauchy density convolved",
    "Re w(z) / (σ √(2π)) with z = (x + iγ) / (σ √2)",
    "DLMF 7.19",
    "x: the argument; sigma: the standard deviation, positive; gamma: the half-width of the Cauchy "
    "density, not negative",
    "voigt_profile(1.0, 1.0, 1.0) = Tensor(0.16579566)",
    domain="sigma positive; the second derivative holds within 20 widths of the centre",
    partials=(
        lambda ans, x, sigma, gamma: (
            real(_voigt_point(x, sigma, gamma)[1]) * (_NORMAL / math.sqrt(2)) / (sigma * sigma)
        ),
        _voigt_sigma,
        lambda ans, x, sigma, gamma: (
            -imag(_voigt_point(x, sigma, gamma)[1]) * (_NORMAL / math.sqrt(2)) / (sigma * sigma)
        ),
    ),
)
