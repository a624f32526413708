"""log and what is made of it: log1p, log2, log10, the inverse hyperbolic functions.

x = 2**e m with sqrt(1/2) <= m < sqrt(2), f = m - 1 and s = f / (2 + f):
log(m) = log((1 + s) / (1 - s)) = f - f**2/2 + s (f**2/2 + R(s**2)).
"""

from __future__ import annotations

import math

from lucid.graph.native.vecmath_exp import LN2
from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Code, Lane

__all__ = ["acosh", "asinh", "atanh", "log", "log1p", "log2", "log10", "normalize", "split"]

# R(z)/z for z = s**2 <= 0.0295, relative to log: single, degree 3, 2**-36; double, 6, 2**-58.
R = {
    SINGLE: (0.666666687, 0.400003195, 0.28538087, 0.235697985),
    DOUBLE: (
        0.6666666666666715,
        0.3999999999951505,
        0.28571428723449754,
        0.2222220027633709,
        0.18183485137829683,
        0.15315888816102471,
        0.1477909049429397,
    ),
}
# log10(2) in two parts, the first exact times an exponent, and log10(e).
LOG10_2 = {
    SINGLE: (1233 / 4096, 4.605038981195214e-06),
    DOUBLE: (0.30102999566383914, 1.42050232272661e-13),
}


def split(code: Code, x: Lane) -> tuple[Lane, Lane]:
    """The exponent as an integer, and the significand within sqrt(1/2) and sqrt(2), of a normal."""
    bits = x.bits()
    exponent = (bits - code.bits_of(math.sqrt(0.5))) >> code.format.digits
    return exponent, (bits - (exponent << code.format.digits)).from_bits()


def normalize(code: Code, x: Lane) -> tuple[Lane, Lane]:
    """As `split`, of subnormals too: they are scaled up by 2**64 first."""
    small = x < code.format.tiny
    exponent, m = split(code, small.where(x * 2.0**64, x))
    return exponent - small.where(code.word_number(64), 0), m


def integer_to_real(code: Code, integer: Lane) -> Lane:
    """A small integer as a real, by bits."""
    magic = code.format.magic
    return (integer + code.bits_of(magic)).from_bits() - magic


def log_of(code: Code, f: Lane) -> Lane:
    """log(1 + f) for a reduced f."""
    s = f / (f + 2.0)
    z = s * s
    half = f * f * 0.5
    return f - (half - s * code.fma(z, code.poly(z, R[code.format]), half))


def edges(code: Code, x: Lane, result: Lane) -> Lane:
    """The results of log for zero, negative numbers and infinity; NaN gives NaN."""
    result = (x > 0.0).where(result, x.equals(0.0).where(-math.inf, math.nan))
    return x.equals(math.inf).where(math.inf, result)


def log(code: Code, x: Lane) -> Lane:
    """The natural logarithm."""
    exponent, m = normalize(code, x)
    high, low = LN2[code.format]
    e = integer_to_real(code, exponent)
    return edges(code, x, code.fma(e, high, code.fma(e, low, log_of(code, m - 1.0))))


def log2(code: Code, x: Lane) -> Lane:
    """The logarithm to base 2; exact for powers of two."""
    exponent, m = normalize(code, x)
    e = integer_to_real(code, exponent)
    return edges(code, x, code.fma(log_of(code, m - 1.0), 1 / math.log(2), e))


def log10(code: Code, x: Lane) -> Lane:
    """The logarithm to base 10."""
    exponent, m = normalize(code, x)
    high, low = LOG10_2[code.format]
    e = integer_to_real(code, exponent)
    fraction = code.fma(e, low, log_of(code, m - 1.0) * (1 / math.log(10)))
    return edges(code, x, code.fma(e, high, fraction))


def log1p(code: Code, x: Lane) -> Lane:
    """log(1 + x): the rounding error of 1 + x goes back into the significand's f."""
    u, error = code.sum_any(code.real_number(1.0), x)
    exponent, m = split(code, u)
    # Beyond 2**60 the error does not count, and 1 + x may have no reciprocal power of two.
    shrink = code.power_of_two(-(exponent > 60).where(60, exponent))
    f = code.fma(error, shrink, m - 1.0)
    high, low = LN2[code.format]
    e = integer_to_real(code, exponent)
    result = code.fma(e, high, code.fma(e, low, log_of(code, f)))
    return edges(code, u, result).sign_of(x)


def asinh(code: Code, x: Lane) -> Lane:
    """log(|x| + sqrt(x**2 + 1)) by log1p; log(2 |x|) where the square would overflow."""
    size = x.abs()
    square = size * size
    large = size > 2.0**28
    y = large.where(size - 1.0, size + square / ((square + 1.0).sqrt() + 1.0))
    return (log1p(code, y) + large.where(math.log(2), 0.0)).sign_of(x)


def acosh(code: Code, x: Lane) -> Lane:
    """log(x + sqrt(x**2 - 1)) by log1p of t + sqrt(t (t + 2)), t = x - 1."""
    t = x - 1.0
    large = x > 2.0**28
    y = large.where(t, t + (t * (t + 2.0)).sqrt())
    result = log1p(code, y) + large.where(math.log(2), 0.0)
    return (x < 1.0).where(math.nan, result)


def atanh(code: Code, x: Lane) -> Lane:
    """log((1 + x) / (1 - x)) / 2."""
    size = x.abs()
    return (log1p(code, size * 2.0 / (1.0 - size)) * 0.5).sign_of(x)
