"""Elliptic integrals, Jacobi's elliptic functions, the arithmetic-geometric mean."""

from __future__ import annotations

import math
from typing import Any

from lucid.ops.power import sqrt
from lucid.ops.rounding import round as rint
from lucid.ops.select import where
from lucid.ops.special_functions.carlson import elliprd_taylor
from lucid.ops.special_functions.table import NoRule, function, multi
from lucid.ops.trigonometric import cos, sin

__all__ = [
    "agm",
    "ellipe",
    "ellipeinc",
    "ellipj",
    "ellipk",
    "ellipkinc",
    "ellipkm1",
    "elliprc",
    "elliprd",
    "elliprf",
    "elliprg",
    "elliprj",
]

# -- Carlson's symmetric integrals -----------------------------------------------------------------

_XYZ = "x: the first argument, not negative; y: the second argument, not negative; z: the third"
_PARTS = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}
_THIRD = NoRule("it is itself a second derivative, and no rule for the third is written")


def _rd_derivative(name: str, direction: tuple[int, int, int], order: int, partials: Any) -> Any:
    return function(
        name,
        f"Derivative of order {order} of R_D along {direction}",
        "",
        "duplication (Carlson 1995) on truncated Taylor series",
        _XYZ,
        impl=lambda x, y, z: elliprd_taylor(x, y, z, direction, order),
        partials=partials,
    )


_SECOND: dict[tuple[int, ...], Any] = {
    d: _rd_derivative("elliprd_" + "".join(map(str, d)) + "_2", d, 2, (_THIRD,) * 3)
    for d in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1))
}


def _rd_second(i: int, j: int) -> Any:
    """The second derivative by arguments i and j; mixed ones by polarisation."""
    ei = tuple(int(k == i) for k in range(3))
    ej = tuple(int(k == j) for k in range(3))
    if i == j:
        return lambda ans, x, y, z: _SECOND[ei](x, y, z)
    both = tuple(p + q for p, q in zip(ei, ej, strict=True))
    return lambda ans, x, y, z: (
        0.5 * (_SECOND[both](x, y, z) - _SECOND[ei](x, y, z) - _SECOND[ej](x, y, z))
    )


elliprd_x, elliprd_y, elliprd_z = (
    _rd_derivative(f"elliprd_{a}", _PARTS[a], 1, tuple(_rd_second(i, j) for j in range(3)))
    for i, a in enumerate("xyz")
)

elliprd = function(
    "elliprd",
    "Carlson's symmetric elliptic integral R_D",
    "(3/2) ∫_0^∞ (t+x)^(-1/2) (t+y)^(-1/2) (t+z)^(-3/2) dt",
    "DLMF 19.16.5",
    f"{_XYZ}, not zero",
    "elliprd(1.0, 2.0, 3.0) = Tensor(0.29046028)",
    partials=(
        lambda ans, x, y, z: elliprd_x(x, y, z),
        lambda ans, x, y, z: elliprd_y(x, y, z),
        lambda ans, x, y, z: elliprd_z(x, y, z),
    ),
)

elliprf = function(
    "elliprf",
    "Carlson's symmetric elliptic integral R_F",
    "(1/2) ∫_0^∞ ((t+x) (t+y) (t+z))^(-1/2) dt",
    "DLMF 19.16.1",
    f"{_XYZ}, not negative",
    "elliprf(1.0, 2.0, 3.0) = Tensor(0.72694594)",
    partials=(
        lambda ans, x, y, z: elliprd(y, z, x) / -6,
        lambda ans, x, y, z: elliprd(x, z, y) / -6,
        lambda ans, x, y, z: elliprd(x, y, z) / -6,
    ),
)


def _rg_part(x: Any, y: Any, z: Any) -> Any:
    """∂R_G/∂x = (R_F - x R_D(y, z, x)/3)/4, where x R_D vanishes with x."""
    zero = x == 0
    tail = where(zero, 0.0, x * elliprd(y, z, where(zero, 1.0, x)))
    return 0.25 * (elliprf(x, y, z) - tail / 3)


elliprg = function(
    "elliprg",
    "Carlson's completely symmetric elliptic integral R_G",
    "(1/4) ∫_0^∞ ((t+x) (t+y) (t+z))^(-1/2) (x/(t+x) + y/(t+y) + z/(t+z)) t dt",
    "DLMF 19.16.3",
    f"{_XYZ}, not negative",
    "elliprg(1.0, 2.0, 3.0) = Tensor(1.4018471)",
    partials=(
        lambda ans, x, y, z: _rg_part(x, y, z),
        lambda ans, x, y, z: _rg_part(y, x, z),
        lambda ans, x, y, z: _rg_part(z, x, y),
    ),
)


def _rc_y(ans: Any, x: Any, y: Any) -> Any:
    """-R_D(x, y, y)/3; for the principal value, y < 0, (√x/y - R_C)/(2 (y - x))."""
    if ans.dtype.kind == "c":
        return elliprd(x, y, y) / -3
    cut = y < 0
    positive, negative = where(cut, 1.0, y), where(cut, y, -1.0)
    principal = (sqrt(x) / negative - ans) / (2 * (negative - x))
    return where(cut, principal, elliprd(x, positive, positive) / -3)


def _rc_x(ans: Any, x: Any, y: Any) -> Any:
    """-R_D(y, y, x)/6; for the principal value, y < 0, (R_C - 1/√x)/(2 (y - x))."""
    if ans.dtype.kind == "c":
        return elliprd(y, y, x) / -6
    cut = y < 0
    positive, negative = where(cut, 1.0, y), where(cut, y, -1.0)
    principal = (ans - 1 / sqrt(x)) / (2 * (negative - x))
    return where(cut, principal, elliprd(positive, positive, x) / -6)


elliprc = function(
    "elliprc",
    "Carlson's degenerate elliptic integral R_C",
    "R_F(x, y, y)",
    "DLMF 19.2.17",
    "x: the first argument, not negative; y: the second argument, not zero",
    "elliprc(1.0, 2.0) = Tensor(0.78539816)",
    partials=(_rc_x, _rc_y),
)


def _rj_part(ans: Any, x: Any, y: Any, z: Any, p: Any) -> Any:
    """∂R_J/∂x = (R_J - R_D(y, z, x)) / (2 (p - x)), symmetric in x, y and z."""
    return 0.5 * (ans - elliprd(y, z, x)) / (p - x)


elliprj = function(
    "elliprj",
    "Carlson's symmetric elliptic integral R_J",
    "(3/2) ∫_0^∞ ((t+x) (t+y) (t+z))^(-1/2) (t+p)^(-1) dt",
    "DLMF 19.16.2",
    f"{_XYZ}, not negative; p: the fourth, not zero",
    "elliprj(1.0, 2.0, 3.0, 4.0) = Tensor(0.2398481)",
    domain="p away from x, y and z: the relative error grows like 1e-16 / |1 - p/x|",
    partials=(
        lambda ans, x, y, z, p: _rj_part(ans, x, y, z, p),
        lambda ans, x, y, z, p: _rj_part(ans, y, x, z, p),
        lambda ans, x, y, z, p: _rj_part(ans, z, x, y, p),
        lambda ans, x, y, z, p: (
            -(
                1.5 * ans
                + x * _rj_part(ans, x, y, z, p)
                + y * _rj_part(ans, y, x, z, p)
                + z * _rj_part(ans, z, x, y, p)
            )
            / p
        ),
    ),
)

# -- Legendre's integrals, through R_D: no singularity at m = 0 ------------------------------------

ellipk = function(
    "ellipk",
    "Complete elliptic integral of the first kind",
    "K(m) = ∫_0^(π/2) (1 - m sin²t)^(-1/2) dt",
    "DLMF 19.2.8, 19.25.1",
    "m: the parameter, at most 1",
    "ellipk(0.5) = Tensor(1.85407468)",
    partials=(lambda ans, m: elliprd(0.0, 1.0, 1 - m) / 6,),
)
ellipkm1 = function(
    "ellipkm1",
    "Complete elliptic integral of the first kind about m = 1",
    "K(1 - p)",
    "DLMF 19.2.8, 19.25.1",
    "p: 1 - m, not negative",
    "ellipkm1(0.5) = Tensor(1.85407468)",
    partials=(lambda ans, p: elliprd(0.0, 1.0, p) / -6,),
)
ellipe = function(
    "ellipe",
    "Complete elliptic integral of the second kind",
    "E(m) = ∫_0^(π/2) (1 - m sin²t)^(1/2) dt",
    "DLMF 19.2.8, 19.25.1",
    "m: the parameter, at most 1",
    "ellipe(0.5) = Tensor(1.35064388)",
    partials=(lambda ans, m: elliprd(0.0, 1 - m, 1.0) / -6,),
)


def _periods(phi: Any) -> tuple[Any, Any, Any]:
    """The number of half periods in phi, and sin³ and cos² of the rest."""
    n = rint(phi / math.pi)
    rest = phi - n * math.pi
    s, c = sin(rest), cos(rest)
    return n, s * s * s, c * c


def _first_m(phi: Any, m: Any) -> Any:
    """∂F(phi, m)/∂m = ∫_0^phi sin²t (1 - m sin²t)^(-3/2) dt / 2."""
    n, s3, c2 = _periods(phi)
    whole = where(n == 0, 0.0, n * elliprd(0.0, 1.0, where(n == 0, 0.5, 1 - m)))
    return whole / 3 + s3 * elliprd(c2, 1.0, c2 + (1 - m) * (1 - c2)) / 6


def _second_m(phi: Any, m: Any) -> Any:
    """∂E(phi, m)/∂m = -∫_0^phi sin²t (1 - m sin²t)^(-1/2) dt / 2."""
    n, s3, c2 = _periods(phi)
    whole = n * elliprd(0.0, 1 - m, 1.0)
    return -whole / 3 - s3 * elliprd(c2, c2 + (1 - m) * (1 - c2), 1.0) / 6


ellipkinc = function(
    "ellipkinc",
    "Incomplete elliptic integral of the first kind",
    "F(phi, m) = ∫_0^phi (1 - m sin²t)^(-1/2) dt",
    "DLMF 19.2.4, 19.25.9",
    "phi: the amplitude; m: the parameter",
    "ellipkinc(1.0, 0.5) = Tensor(1.08321677)",
    partials=(
        lambda ans, phi, m: 1 / sqrt(1 - m * sin(phi) ** 2),
        lambda ans, phi, m: _first_m(phi, m),
    ),
)
ellipeinc = function(
    "ellipeinc",
    "Incomplete elliptic integral of the second kind",
    "E(phi, m) = ∫_0^phi (1 - m sin²t)^(1/2) dt",
    "DLMF 19.2.5, 19.25.9",
    "phi: the amplitude; m: the parameter",
    "ellipeinc(1.0, 0.5) = Tensor(0.92732988)",
    partials=(
        lambda ans, phi, m: sqrt(1 - m * sin(phi) ** 2),
        lambda ans, phi, m: _second_m(phi, m),
    ),
)

# -- Jacobi ----------------------------------------------------------------------------------------


def _amplitude_m(ans: Any, m: Any) -> Any:
    """∂am(u, m)/∂m, from F(am, m) = u."""
    return -ans[2] * _first_m(ans[3], m)


ellipj = multi(
    "ellipj",
    "sn cn dn ph",
    "Jacobi's elliptic functions and amplitude",
    "F(ph, m) = u, sn = sin ph, cn = cos ph, dn = √(1 - m sn²)",
    "DLMF 22.2, 22.13",
    "u: the argument; m: the parameter, in [0, 1)",
    "ellipj(0.5, 0.5)[0] = Tensor(0.47075047)",
    partials=(
        (
            lambda ans, u, m: ans[1] * ans[2],
            lambda ans, u, m: -ans[0] * ans[2],
            lambda ans, u, m: -m * ans[0] * ans[1],
            lambda ans, u, m: ans[2],
        ),
        (
            lambda ans, u, m: ans[1] * _amplitude_m(ans, m),
            lambda ans, u, m: -ans[0] * _amplitude_m(ans, m),
            lambda ans, u, m: -ans[0] * (0.5 * ans[0] + m * ans[1] * _amplitude_m(ans, m)) / ans[2],
            lambda ans, u, m: _amplitude_m(ans, m),
        ),
    ),
)


def _agm_part(ans: Any, a: Any, b: Any) -> Any:
    """From agm(a, b) = π (a + b)/(4 K(r²)) with r = (a - b)/(a + b)."""
    s = a + b
    r = (a - b) / s
    slope = elliprd(0.0, 1.0, 4 * a * b / (s * s)) / 6  # K'(r²), 1 - r² = 4ab/(a + b)²
    return ans / s - ans * ans * slope * 16 * r * b / (math.pi * s * s * s)


agm = function(
    "agm",
    "Arithmetic-geometric mean",
    "the common limit of a_{n+1} = (a_n + b_n)/2 and b_{n+1} = √(a_n b_n)",
    "DLMF 19.8.1",
    "a: the first number; b: the second number, of the same sign",
    "agm(1.0, 2.0) = Tensor(1.45679103)",
    partials=(lambda ans, a, b: _agm_part(ans, a, b), lambda ans, a, b: _agm_part(ans, b, a)),
)
