"""sin, cos and tan.

x = n pi/2 + r with an integer n and |r| <= pi/4, by subtracting n times pi/2 in parts (Cody and
Waite) up to a bound, and beyond it by the bits of 2/pi that matter for x (Payne and Hanek).
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Code, Lane

__all__ = ["cos", "huge", "reduce", "sin", "slow", "tan"]

# (sin(r) - r) / r**3 in r**2: single, degree 3, error 2**-37; double, 5, 2**-58.
SIN = {
    SINGLE: (-0.166666672, 0.00833332911, -0.000198393318, 2.71827594e-06),
    DOUBLE: (
        -0.16666666666666632,
        0.008333333333322457,
        -0.00019841269829817059,
        2.7557313689167247e-06,
        -2.5050756984799913e-08,
        1.5896697909336164e-10,
    ),
}
# (cos(r) - 1 + r**2/2) / r**4 in r**2: single, degree 2, error 2**-33; double, 5, 2**-64.
COS = {
    SINGLE: (0.0416666456, -0.00138873723, 2.44387593e-05),
    DOUBLE: (
        0.041666666666666616,
        -0.0013888888888875998,
        2.4801587290486416e-05,
        -2.7557314606903086e-07,
        2.0875754142171045e-09,
        -1.1361091284337489e-11,
    ),
}
# (tan(r) - r) / r**3 in r**2: single, degree 6, error 2**-29; double, 13, 2**-56.
TAN = {
    SINGLE: (
        0.333333522,
        0.133326128,
        0.0540655293,
        0.0212538503,
        0.0109074861,
        8.56867871e-07,
        0.00441901712,
    ),
    DOUBLE: (
        0.3333333333333277,
        0.1333333333341791,
        0.05396825392453634,
        0.02186948966712682,
        0.008863218291966034,
        0.0035922972029281135,
        0.0014547078782412687,
        0.000595276525825893,
        0.0002217559663514431,
        0.00013780473163690733,
        -2.8176769231454178e-05,
        9.10840597324844e-05,
        -4.5749067819417595e-05,
        2.107096710014256e-05,
    ),
}
# pi/2 in parts. With FMA, x - n times the first is exact; without it the parts are short, 33 bits.
PARTS = {
    SINGLE: (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    DOUBLE: (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}
SHORT = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32)
# 2/pi in units of 2**-1168, little-endian; what lies further down never counts for a double.
TWO_OVER_PI_BITS = 1168


def bound(code: Code) -> float:
    """How far `reduce` holds."""
    if not code.has_fma:
        return 2.0**16 if code.format is SINGLE else 2.0**20
    return 2.0**16 if code.format is SINGLE else 2.0**40


def slow(code: Code, x: Lane) -> Lane:
    """Whether `reduce` does not hold for x."""
    size = x.abs()
    return (size > bound(code)) & (size < math.inf)


def reduce(code: Code, x: Lane) -> tuple[Lane, Lane]:
    """Find n as an integer (its low bits matter) and r, within `bound`."""
    real, n = (x * (2 / math.pi)).round()
    if code.has_fma:
        for part in PARTS[code.format]:
            x = code.fma(real, -part, x)
        return n, x
    wide = code.with_format(DOUBLE)
    x, real = x.to(wide), real.to(wide)
    for part in SHORT:
        x = x - real * part
    return n, x.to(code)


def turn(code: Code, n: Lane, r: Lane) -> Lane:
    """sin(n pi/2 + r)."""
    z = r * r
    sin = code.fma(r * z, code.poly(z, SIN[code.format]), r)
    cos = code.fma(z * z, code.poly(z, COS[code.format]), code.fma(z, -0.5, 1.0))
    result = (n & 1).equals(0).where(sin, cos)
    return (result.bits() ^ ((n & 2) << (code.format.bits - 2))).from_bits()


def sin(code: Code, x: Lane, n: Lane, r: Lane) -> Lane:
    """The sine of x, reduced to n and r."""
    return (x.abs() < 1e-9).where(x, turn(code, n, r))


def cos(code: Code, x: Lane, n: Lane, r: Lane) -> Lane:
    """The cosine of x, reduced to n and r."""
    return turn(code, n + 1, r)


def tan(code: Code, x: Lane, n: Lane, r: Lane) -> Lane:
    """The tangent of x, reduced to n and r; in odd quadrants that of r inverted."""
    z = r * r
    result = code.fma(r * z, code.poly(z, TAN[code.format]), r)
    result = (n & 1).equals(0).where(result, -1.0 / result)
    return (x.abs() < 1e-9).where(x, result)


def table(module: Any) -> Any:
    """The bits of 2/pi as a constant array."""
    name = "lucid_two_over_pi"
    if name not in module.globals:
        raw = bytearray(two_over_pi(TWO_OVER_PI_BITS).to_bytes(160, "little"))
        data = ir.Constant(ir.ArrayType(ir.IntType(8), len(raw)), raw)
        variable: Any = ir.GlobalVariable(module, data.type, name)
        variable.initializer, variable.global_constant, variable.linkage = data, True, "internal"
    return module.globals[name]


def two_over_pi(bits: int) -> int:
    """2/pi in units of 2**-bits, by Machin's formula."""

    def arccot(n: int) -> int:
        term = total = unit // n
        k = 1
        while term:
            term //= -n * n
            total += term // (2 * k + 1)
            k += 1
        return total

    unit = 1 << (bits + 64)
    pi = 4 * (4 * arccot(5) - arccot(239))
    return (2 * unit << bits) // pi


def huge(code: Code, x: Lane) -> tuple[Lane, Lane]:
    """Find n and r for a scalar double beyond 2**15, exactly reduced.

    |x| = M 2**e with a whole M of 53 bits. The bits of 2/pi above 2**(1 - e) contribute multiples
    of 4 to the product; the next 192 of them, as a whole number P, give it as M P 2**-190, of
    which the two highest bits are n and the rest is r.
    """
    build, wide = code.builder, ir.IntType(192)
    bits = x.abs().bits()
    exponent = (bits >> 52) - 1075
    mantissa = (bits & (2**52 - 1)) | 2**52
    start = TWO_OVER_PI_BITS - 190 - exponent
    array = table(build.module)
    byte, zero = (start >> 3).value, ir.Constant(ir.IntType(64), 0)
    address = build.bitcast(
        build.gep(array, [zero, byte], source_etype=array.value_type), ir.IntType(256).as_pointer()
    )
    window = build.load(address, typ=ir.IntType(256), align=1)
    window = build.lshr(window, build.zext((start & 7).value, ir.IntType(256)))
    total = build.mul(build.trunc(window, wide), build.zext(mantissa.value, wide))
    quarter = build.add(total, ir.Constant(wide, 1 << 189))
    n = Lane(code, build.trunc(build.lshr(quarter, ir.Constant(wide, 190)), code.word))
    two = ir.Constant(wide, 2)
    fraction = build.ashr(build.shl(total, two), two)
    low, middle, top = (
        build.trunc(build.lshr(fraction, ir.Constant(wide, shift)), code.word)
        for shift in (0, 64, 128)
    )
    high = build.sitofp(top, code.real)
    lost = build.sitofp(build.sub(top, build.fptosi(high, code.word)), code.real)
    rest = Lane(code, lost) * 2.0**-62
    rest = rest + Lane(code, build.uitofp(middle, code.real)) * 2.0**-126
    rest = rest + Lane(code, build.uitofp(low, code.real)) * 2.0**-190
    first, error = code.product(Lane(code, high) * 2.0**-62, code.real_number(math.pi / 2))
    rest = rest * (math.pi / 2) + Lane(code, high) * (PARTS[DOUBLE][1] * 2.0**-62)
    r = first + (rest + error)
    negative = x < 0.0
    return negative.where(-n, n), negative.where(-r, r)
