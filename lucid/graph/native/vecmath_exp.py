"""exp and what is made of it: expm1, the hyperbolic functions, sigmoid.

x = k ln 2 + r with an integer k and |r| <= ln(2)/2; e**r = 1 + r + r**2 q(r).
"""

from __future__ import annotations

import math

from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Code, Lane, Number

__all__ = [
    "LN2",
    "clamp",
    "cosh",
    "exp",
    "exp2",
    "exp_pair",
    "expm1",
    "reduce",
    "sigmoid",
    "sinh",
    "tanh",
]

# q on |r| <= 0.347, weighted by |r| + 0.02: single, degree 4, error 2**-26; double, 9, 2**-55.4.
Q = {
    SINGLE: (0.5, 0.16666545, 0.0416662879, 0.0083664069, 0.00139461074),
    DOUBLE: (
        0.5000000000000004,
        0.16666666666666685,
        0.04166666666658144,
        0.00833333333331549,
        0.0013888888930396713,
        0.0001984126990131454,
        2.480150639802526e-05,
        2.7557229312661043e-06,
        2.762566932561852e-07,
        2.5114089931314156e-08,
    ),
}
# (sinh(r) - r) / r**3 and (cosh(r) - 1 - r**2/2) / r**4 in r**2: errors below 2**-37 and 2**-61.
SINH = {
    SINGLE: (0.166666672, 0.00833328906, 0.000199047776),
    DOUBLE: (
        0.16666666666666677,
        0.008333333333322037,
        0.0001984126988527445,
        2.7557244938284244e-06,
        2.5108818044691293e-08,
    ),
}
COSH = {
    SINGLE: (0.0416665003, 0.00139316858),
    DOUBLE: (
        0.04166666666666667,
        0.0013888888888883204,
        2.4801587328568994e-05,
        2.755726960776321e-07,
        2.091631141620996e-09,
    ),
}
# ln 2 in two parts, the first so short that its product with any exponent is exact.
LN2 = {
    SINGLE: (355 / 512, -0.00021219444005469057),
    DOUBLE: (0.693147180559663, 2.8235290563031577e-13),
}
# Beyond these exp is 0, or infinite, in any rounding; they bound the exponents.
LEAST = {SINGLE: -105.0, DOUBLE: -746.0}
MOST = {SINGLE: 89.0, DOUBLE: 710.0}


def clamp(x: Lane, low: float, high: float) -> Lane:
    """`x` within bounds; NaN stays."""
    x = (x < low).where(low, x)
    return (x > high).where(high, x)


def reduce(code: Code, x: Lane) -> tuple[Lane, Lane]:
    """The integer k and r with x = k ln 2 + r."""
    high, low = LN2[code.format]
    k, exponent = (x * (1 / math.log(2))).round()
    return exponent, code.fma(k, -low, code.fma(k, -high, x))


def growth(code: Code, r: Lane) -> Lane:
    """expm1(r) for a reduced r."""
    return code.fma(r * r, code.poly(r, Q[code.format]), r)


def exp(code: Code, x: Lane) -> Lane:
    """e**x."""
    exponent, r = reduce(code, clamp(x, LEAST[code.format], MOST[code.format]))
    return code.scale(growth(code, r) + 1.0, exponent)


def exp_pair(code: Code, high: Lane, low: Lane, factor: Number = 1.0) -> Lane:
    """`factor * e**(high + low)` for a `low` of rounding size, rounded once if subnormal."""
    exponent, r = reduce(code, clamp(high, LEAST[code.format], MOST[code.format]))
    return code.scale(code.fma(growth(code, r + low), factor, factor), exponent)


def exp2(code: Code, x: Lane) -> Lane:
    """2**x."""
    x = clamp(x, LEAST[code.format] * 1.45, MOST[code.format] * 1.45)
    k, exponent = x.round()
    return code.scale(growth(code, (x - k) * math.log(2)) + 1.0, exponent)


def expm1(code: Code, x: Lane) -> Lane:
    """e**x - 1, in half size so that the largest exponent has a power."""
    exponent, r = reduce(code, clamp(x, -40.0, MOST[code.format]))
    grown = growth(code, r)
    half = code.power_of_two(exponent - 1)
    result = code.fma(half, grown, half - 0.5) * 2.0
    return exponent.equals(0).where(grown, result).sign_of(x)


def tanh(code: Code, x: Lane) -> Lane:
    """expm1(2 x) / (expm1(2 x) + 2)."""
    double = x.abs() * 2.0
    exponent, r = reduce(code, (double > 40.0).where(40.0, double))
    power = code.power_of_two(exponent)
    t = code.fma(power, growth(code, r), power - 1.0)
    return (t / (t + 2.0)).sign_of(x)


def sigmoid(code: Code, x: Lane) -> Lane:
    """1 / (1 + e**-x), by a power that does not overflow: e**-|x|."""
    z = exp(code, -x.abs())
    return (x < 0.0).where(z, 1.0) / (z + 1.0)


def hyperbolic(code: Code, x: Lane) -> tuple[Lane, ...]:
    """The parts of x = k ln 2 + r: sinh(r), cosh(r) - 1, and a quarter of sinh, cosh(k ln 2)."""
    most = MOST[code.format] + 1.0
    exponent, r = reduce(code, (x > most).where(most, x))
    square = r * r
    sinh = code.fma(r * square, code.poly(square, SINH[code.format]), r)
    tail = code.poly(square, COSH[code.format])
    rise = code.fma(square * square, tail, square * 0.5)
    up = code.power_of_two(exponent - 3)
    down = code.power_of_two(-3 - (exponent > 70).where(70, exponent))
    return sinh, rise, up - down, up + down


def sinh(code: Code, x: Lane) -> Lane:
    """The hyperbolic sine by the addition theorem."""
    size = x.abs()
    sinh_r, rise, sinh_k, cosh_k = hyperbolic(code, size)
    result = (sinh_k + code.fma(rise, sinh_k, sinh_r * cosh_k)) * 4.0
    return (size < 1e-9).where(size, result).sign_of(x)


def cosh(code: Code, x: Lane) -> Lane:
    """The hyperbolic cosine by the addition theorem."""
    sinh_r, rise, sinh_k, cosh_k = hyperbolic(code, x.abs())
    return (cosh_k + code.fma(rise, cosh_k, sinh_r * sinh_k)) * 4.0
