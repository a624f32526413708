"""pow, cbrt and hypot."""

from __future__ import annotations

import math

from lucid.graph.native.vecmath_exp import LN2, clamp, exp_pair, reduce
from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Code, Lane
from lucid.graph.native.vecmath_log import integer_to_real, normalize, split

__all__ = ["cbrt", "hypot", "power"]

# (log((1 + s) / (1 - s)) / s - 2 - 2/3 s**2) / s**4 in s**2, degree 6: error 2**-64 of s**4.
LOG_TAIL = (
    0.40000000000000396,
    0.28571428570904245,
    0.22222222388601326,
    0.18181794967882986,
    0.15386303533453707,
    0.13266696796161914,
    0.13110177029250575,
)
# (log(1 + f) - f) / f**2 on sqrt(1/2) <= 1 + f <= sqrt(2), degree 11, weighted by |f| + 0.01: error
# 2**-35, for single precision. A division would take longer than the terms that it saves.
LOG_SINGLE = (
    -0.5000000001283932,
    0.33333334056996167,
    -0.24999996641333977,
    0.19999896190318323,
    -0.16666823197297745,
    0.14290605818348454,
    -0.12499913525553921,
    0.11010559835011552,
    -0.0990036443940693,
    0.0998869637319055,
    -0.0997989781277876,
    0.05519140723609014,
)
# q of e**r = 1 + r + r**2 q(r), degree 5: error 2**-31, for single precision.
EXP_SINGLE = (
    0.5000000042397795,
    0.16666666812138972,
    0.041666365437719274,
    0.008333273995256057,
    0.001394037741786656,
    0.00019913732531209904,
)
TWO_THIRDS = (2 / 3, 2**-54 * 2 / 3)
# m**(1/3) on 0.35 <= m <= 2.84, degree 4: error 2**-9.
CBRT = (0.443, 0.90006, -0.47533, 0.153742, -0.019578)


def log_pair(code: Code, x: Lane) -> tuple[Lane, Lane]:
    """log(x) of a positive finite double as a sum of two, to about 2**-67 of it.

    2 s + s**3 (2/3 + s**2 P(s**2)), of which 2 s and the term with 2/3 are carried in two parts.
    """
    exponent, m = normalize(code, x)
    f = m - 1.0
    g, g_rest = code.sum(code.real_number(2.0), f)
    inverse = 1.0 / g
    s = f * inverse
    product, error = code.product(s, g)
    s_rest = ((f - product) - error - s * g_rest) * inverse
    z, z_rest = code.product(s, s)
    z_rest = code.fma(s * 2.0, s_rest, z_rest)
    # c = 2/3 + z P
    higher = z * code.poly(z, LOG_TAIL)
    c, c_rest = code.sum(code.real_number(TWO_THIRDS[0]), higher)
    c_rest = c_rest + TWO_THIRDS[1]
    # d = z c, then t = s d
    d, d_rest = code.product(z, c)
    d_rest = d_rest + code.fma(z, c_rest, z_rest * c)
    t, t_rest = code.product(s, d)
    t_rest = t_rest + code.fma(s, d_rest, s_rest * d)
    e = integer_to_real(code, exponent)
    ln2, ln2_rest = LN2[DOUBLE]
    high, first = code.sum_any(e * ln2, s * 2.0)
    high, second = code.sum_any(high, t)
    low = first + second + (t_rest + code.fma(e, ln2_rest, s_rest * 2.0))
    return code.sum(high, low)


def power_of(code: Code, x: Lane, y: Lane) -> Lane:
    """x**y for x positive and finite, in double."""
    high, low = log_pair(code, x)
    # Larger exponents overflow, or vanish, just so, and their products stay finite.
    y = clamp(y, -(2.0**100), 2.0**100)
    product, error = code.product(high, y)
    large = product.abs() > 2.0**11
    low = large.where(0.0, code.fma(low, y, error))
    return exp_pair(code, product, low)


def power_single(code: Code, x: Lane, y: Lane) -> Lane:
    """x**y for x positive and finite, in double for a result in single."""
    exponent, m = split(code, x)
    f = m - 1.0
    log = code.fma(f * f, code.poly(f, LOG_SINGLE), f)
    y = clamp(y, -(2.0**100), 2.0**100)
    product = y * code.fma(integer_to_real(code, exponent), math.log(2), log)
    exponent, r = reduce(code, clamp(product, -200.0, 200.0))
    return code.fma(r * r, code.poly(r, EXP_SINGLE), r + 1.0) * code.power_of_two(exponent)


def power(code: Code, x: Lane, y: Lane) -> Lane:
    """x**y with the edges of IEEE 754's pow."""
    size = x.abs()
    if code.format is SINGLE:
        wide = code.with_format(DOUBLE)
        result = power_single(wide, size.to(wide), y.to(wide)).to(code)
    else:
        result = power_of(code, size, y)
    zero, infinite = size.equals(0.0), size.equals(math.inf)
    grows = infinite.where(y, -y) > 0.0
    result = (zero | infinite).where(grows.where(code.real_number(math.inf), 0.0), result)
    whole, half = y.trunc().equals(y), y * 0.5
    odd = whole.where(half.trunc().equals(half).where(code.word_number(0), 1), 0)
    result = (result.bits() ^ ((odd << (code.format.bits - 1)) & x.bits())).from_bits()
    undefined = (x < 0.0) & (x > -math.inf)
    result = undefined.where(whole.where(result, math.nan), result)
    result = x.isnan().where(x, y.isnan().where(y, result))
    return (x.equals(1.0) | y.equals(0.0)).where(1.0, result)


def cbrt(code: Code, x: Lane) -> Lane:
    """The cube root: a polynomial of the significand and Halley's iteration."""
    size = x.abs()
    exponent, m = normalize(code, size)
    third = (integer_to_real(code, exponent) * (1 / 3)).round()[1]
    m = m * code.power_of_two(exponent - third * 3)
    y = code.poly(m, CBRT)
    for _ in range(1 if code.format is SINGLE else 2):
        cube = y * y * y
        y = code.fma(y, (m - cube) / code.fma(cube, 2.0, m), y)
    result = (y * code.power_of_two(third)).sign_of(x)
    return ((size > 0.0) & (size < math.inf)).where(result, x)


def hypot(code: Code, x: Lane, y: Lane) -> Lane:
    """sqrt(x**2 + y**2) without overflow on the way; infinite if either is."""
    a, b = x.abs(), y.abs()
    if code.format is SINGLE:
        wide = code.with_format(DOUBLE)
        u, v = a.to(wide), b.to(wide)
        result = wide.fma(u, u, v * v).sqrt().to(code)
    else:
        first = a > b
        large, small = first.where(a, b), first.where(b, a)
        size = (large > 2.0**500).where(2.0**-600, code.real_number(1.0))
        size = (large < 2.0**-500).where(2.0**600, size)
        large, small = large * size, small * size
        # The reciprocal of a power of two is exact.
        result = code.fma(large, large, small * small).sqrt() / size
    return (a.equals(math.inf) | b.equals(math.inf)).where(math.inf, result)
