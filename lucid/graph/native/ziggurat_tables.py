"""NumPy's tables of the ziggurat method, computed: 256 layers of equal area below a density.

Layer i reaches from 0 to xᵢ. Its table has the scale xᵢ / 2ᵇ, which makes a number of b bits a
place in the layer; the bound xᵢ₋₁ / xᵢ · 2ᵇ, below which that place is under the density without
a look; and the density at xᵢ. Layer 0 has the tail, from r on, and a base of the same area.

Sources: G. Marsaglia, W. W. Tsang, The ziggurat method for generating random variables, J. Stat.
Softw. 5 (2000); J. A. Doornik, An improved ziggurat method to generate normal random samples
(2005). Which roundings NumPy's own tables have was found by comparison.
"""

from __future__ import annotations

import functools
import math
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

import numpy as np

__all__ = ["EXPONENTIAL", "NORMAL", "Tables", "tables"]

NORMAL = 3.6541528853610088  # where the tail begins
EXPONENTIAL = 7.69711747013104972
_NORMAL_AREA = 0.004928673233974652
_DIGITS = 30


class Tables(NamedTuple):
    """What belongs to each of the 256 layers."""

    bounds: list[int]
    scales: list[float]
    densities: list[float]


@functools.cache
def tables(name: str, kind: str) -> Tables:
    """Return the tables of "normal" or "exponential", for float64 ("d") or float32 ("f")."""
    if kind == "d":
        with localcontext(Context(prec=_DIGITS)):
            return _normal() if name == "normal" else _exponential()
    double = tables(name, "d")
    bits = 52 if name == "normal" else 53
    scales = [w * 2.0 ** (bits - 23) for w in double.scales]
    densities = double.densities
    if name == "exponential":  # as they are when nine digits are written down
        scales, densities = ([float(f"{x:.8e}") for x in t] for t in (scales, densities))
    bounds = [(k + (1 << (bits - 24))) >> (bits - 23) for k in double.bounds]
    single = ([float(np.float32(x)) for x in t] for t in (scales, densities))
    return Tables(bounds, *single)


def _normal() -> Tables:
    """In double precision, each function rounded to the nearest number: that is how NumPy's are."""
    f, x = [1.0] * 256, [0.0] * 256
    x[255] = NORMAL
    f[255] = float(Decimal(-0.5 * NORMAL * NORMAL).exp())
    for i in range(254, 0, -1):
        x[i] = math.sqrt(-2.0 * float(Decimal(_NORMAL_AREA / x[i + 1] + f[i + 1]).ln()))
        f[i] = float(Decimal(-0.5 * x[i] * x[i]).exp())
        if i == 38:  # a tie but for 1/500 of a unit in the last place, and rounded the other way
            f[i] = math.nextafter(f[i], 1.0)
    bounds = [0] * 256
    bounds[0] = int(NORMAL * f[255] / _NORMAL_AREA * 2.0**52)
    for i in range(2, 256):
        bounds[i] = round(x[i - 1] / x[i] * 2.0**52)
    x[0] = _NORMAL_AREA / f[255]
    return Tables(bounds, [y / 2.0**52 for y in x], f)


def _exponential() -> Tables:
    """In many digits."""
    r = Decimal("7.69711747013104971404462804811")
    area = (r + 1) * (-r).exp()
    f, x = [Decimal(1)] * 256, [r] * 256
    f[255] = (-r).exp()
    for i in range(254, 0, -1):
        x[i] = -(area / x[i + 1] + f[i + 1]).ln()
        f[i] = (-x[i]).exp()
    bounds = [0] * 256
    bounds[0] = 2 * int(r * f[255] / area * 2**52)
    for i in range(2, 256):
        bounds[i] = 2 * int(x[i - 1] / x[i] * 2**52)
    x[0] = area / f[255]
    return Tables(bounds, [float(y / 2**53) for y in x], [float(y) for y in f])
