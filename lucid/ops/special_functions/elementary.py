"""Elementary functions that SciPy has beside NumPy's."""

from __future__ import annotations

import math

from lucid.core.define import ZERO
from lucid.ops.exponential import exp, log
from lucid.ops.special_functions.helpers import slope_of_exprel
from lucid.ops.special_functions.table import function
from lucid.ops.trigonometric import sin

__all__ = [
    "cbrt",
    "cosdg",
    "cosm1",
    "cotdg",
    "exp2",
    "exp10",
    "expm1",
    "exprel",
    "log1p",
    "powm1",
    "radian",
    "round",
    "sindg",
    "tandg",
]

_DEGREE = math.pi / 180

exp2 = function(
    "exp2",
    "Power of two",
    "2^x",
    "DLMF 4.2",
    "x: the exponent",
    "exp2(3.0) = Tensor(8.)",
    partials=(lambda ans, x: ans * 0.6931471805599453,),
)

exp10 = function(
    "exp10",
    "Power of ten",
    "10^x",
    "DLMF 4.2",
    "x: the exponent",
    "exp10(2.0) = Tensor(100.)",
    partials=(lambda ans, x: ans * 2.302585092994046,),
)

expm1 = function(
    "expm1",
    "Exponential minus one",
    "exp(x) - 1",
    "DLMF 4.2",
    "x: the argument",
    "expm1(0.0) = Tensor(0.)",
    partials=(lambda ans, x: exp(x),),
)

log1p = function(
    "log1p",
    "Logarithm of one plus x",
    "ln(1 + x)",
    "DLMF 4.2",
    "x: the argument, above -1",
    "log1p(0.0) = Tensor(0.)",
    partials=(lambda ans, x: 1 / (1 + x),),
)

exprel = function(
    "exprel",
    "Relative error exponential",
    "(exp(x) - 1) / x; 1 at 0",
    "DLMF 4.2",
    "x: the argument",
    "exprel(0.0) = Tensor(1.)",
    partials=(lambda ans, x: slope_of_exprel(x),),
)

cbrt = function(
    "cbrt",
    "Real cube root",
    "x^(1/3), odd in x",
    "DLMF 4.2",
    "x: the argument",
    "cbrt(8.0) = Tensor(2.)",
    partials=(lambda ans, x: 1 / (3 * ans * ans),),
)

powm1 = function(
    "powm1",
    "Power minus one",
    "x^y - 1",
    "DLMF 4.2",
    "x: the base, positive; y: the exponent",
    "powm1(2.0, 3.0) = Tensor(7.)",
    domain="x positive",
    partials=(
        lambda ans, x, y: y * x ** (y - 1),
        lambda ans, x, y: x**y * log(x),
    ),
)

round = function(  # noqa: A001 - SciPy's name
    "round",
    "Nearest whole number, halves to even",
    "",
    "DLMF 1.16",
    "x: the argument",
    "round(2.5) = Tensor(2.)",
    partials=(ZERO,),
)

cosm1 = function(
    "cosm1",
    "Cosine minus one",
    "cos x - 1",
    "DLMF 4.14",
    "x: the argument",
    "cosm1(0.0) = Tensor(0.)",
    partials=(lambda ans, x: -sin(x),),
)

sindg = function(
    "sindg",
    "Sine of an angle in degrees",
    "sin(π x / 180)",
    "DLMF 4.14",
    "x: the angle in degrees",
    "sindg(90.0) = Tensor(1.)",
    partials=(lambda ans, x: _DEGREE * cosdg(x),),
)

cosdg = function(
    "cosdg",
    "Cosine of an angle in degrees",
    "cos(π x / 180)",
    "DLMF 4.14",
    "x: the angle in degrees",
    "cosdg(0.0) = Tensor(1.)",
    partials=(lambda ans, x: -_DEGREE * sindg(x),),
)

tandg = function(
    "tandg",
    "Tangent of an angle in degrees",
    "tan(π x / 180)",
    "DLMF 4.14",
    "x: the angle in degrees",
    "tandg(45.0) = Tensor(1.)",
    partials=(lambda ans, x: _DEGREE * (1 + ans * ans),),
)

cotdg = function(
    "cotdg",
    "Cotangent of an angle in degrees",
    "cot(π x / 180)",
    "DLMF 4.14",
    "x: the angle in degrees",
    "cotdg(45.0) = Tensor(1.)",
    partials=(lambda ans, x: -_DEGREE * (1 + ans * ans),),
)

radian = function(
    "radian",
    "Radians of an angle in degrees, minutes and seconds",
    "π (d + m/60 + s/3600) / 180",
    "DLMF 4.14",
    "d: degrees; m: minutes; s: seconds",
    "radian(180.0, 0.0, 0.0) = Tensor(3.14159265)",
    partials=(
        lambda ans, d, m, s: _DEGREE + 0 * d,
        lambda ans, d, m, s: _DEGREE / 60 + 0 * m,
        lambda ans, d, m, s: _DEGREE / 3600 + 0 * s,
    ),
)
