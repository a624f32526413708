"""The inverse trigonometric functions."""

from __future__ import annotations

import math

from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Code, Lane

__all__ = ["acos", "asin", "atan", "atan2"]

# (atan(t) - t) / t**3 in t**2, |t| <= tan(pi/8): single, degree 4, 2**-30; double, 10, 2**-59.
ATAN = {
    SINGLE: (-0.333333164, 0.199985281, -0.142444417, 0.10599637, -0.0609128959),
    DOUBLE: (
        -0.3333333333333323,
        0.1999999999996133,
        -0.14285714280843967,
        0.11111110811377917,
        -0.09090898467411765,
        0.07692071567245017,
        -0.06663221557210287,
        0.058486753652007194,
        -0.050425855592109665,
        0.038142249103020436,
        -0.01798690454986823,
    ),
}
# (asin(t) - t) / t**3 in t**2, |t| <= 1/2: single, degree 4, 2**-27; double, 11, 2**-55.
ASIN = {
    SINGLE: (0.166667506, 0.0749533474, 0.0454674922, 0.0241882093, 0.0421580859),
    DOUBLE: (
        0.16666666666665647,
        0.07500000000296234,
        0.044642856854668185,
        0.030381958248141973,
        0.022371776013607673,
        0.017359471584448075,
        0.01388724956995858,
        0.012157504370134012,
        0.006573243621991602,
        0.019416612931158147,
        -0.01606529112824962,
        0.031812858702825283,
    ),
}
# pi/2 in two parts; halving and doubling them is exact.
HALF_PI = {
    SINGLE: (1.5707963705062866, -4.3711388286737929e-08),
    DOUBLE: (1.5707963267948966, 6.123233995736766e-17),
}


def asin_of(code: Code, t: Lane) -> Lane:
    """asin(t) for |t| <= 1/2."""
    z = t * t
    return code.fma(t * z, code.poly(z, ASIN[code.format]), t)


def asin(code: Code, x: Lane) -> Lane:
    """The arc sine; above 1/2 from that of sqrt((1 - x) / 2), doubled, up to pi/2."""
    size = x.abs()
    large = size > 0.5
    part = asin_of(code, large.where(((1.0 - size) * 0.5).sqrt(), size))
    high, low = HALF_PI[code.format]
    return large.where(high - (part * 2.0 - low), part).sign_of(x)


def acos(code: Code, x: Lane) -> Lane:
    """The arc cosine; above 1/2 in magnitude twice the arc sine of sqrt((1 - |x|) / 2)."""
    size = x.abs()
    large = size > 0.5
    high, low = HALF_PI[code.format]
    part = asin_of(code, large.where(((1.0 - size) * 0.5).sqrt(), x))
    negative = x < 0.0
    twice = part * 2.0
    mirrored = negative.where(2.0 * high - (twice - 2.0 * low), twice)
    return large.where(mirrored, high - (part - low))


def atan_ratio(code: Code, a: Lane, b: Lane, negative: Lane | None) -> Lane:
    """atan(a / b) for a, b >= 0; pi minus it where `negative`.

    It is 0, pi/4 or pi/2 plus the arc tangent of a/b, (a - b)/(a + b) or -b/a.
    """
    low, steep = a < b * math.tan(math.pi / 8), a > b * math.tan(3 * math.pi / 8)
    above = low.where(a, steep.where(-b, a - b))
    below = low.where(b, steep.where(a, a + b))
    t = above / below
    high, rest = HALF_PI[code.format]
    offset = low.where(0.0, steep.where(code.real_number(high), high / 2))
    correction = low.where(0.0, steep.where(code.real_number(rest), rest / 2))
    if negative is not None:
        offset = negative.where(2.0 * high - offset, offset)
        correction = negative.where(2.0 * rest - correction, correction)
        t = negative.where(-t, t)
    z = t * t
    tail = code.fma(t * z, code.poly(z, ATAN[code.format]), correction)
    return offset + (t + tail)


def atan(code: Code, x: Lane) -> Lane:
    """The arc tangent."""
    return atan_ratio(code, x.abs(), code.real_number(1.0), None).sign_of(x)


def atan2(code: Code, y: Lane, x: Lane) -> Lane:
    """The angle of the point (x, y), with the signs of zeros and infinities."""
    a, b = y.abs(), x.abs()
    # Equal infinities have the ratio 1, zeros the ratio 0; no sum overflows, none is subnormal.
    equal = a.equals(math.inf) & b.equals(math.inf)
    a, b = equal.where(1.0, a), (equal | (a.equals(0.0) & b.equals(0.0))).where(1.0, b)
    larger = (a > b).where(a, b)
    factor = (larger > 2.0**64).where(code.real_number(0.25), 2.0**60)
    return atan_ratio(code, a * factor, b * factor, x.signed()).sign_of(y)
