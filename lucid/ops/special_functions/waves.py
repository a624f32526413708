"""Mathieu and spheroidal wave functions: derivatives by the argument, from their equations."""

from __future__ import annotations

import math
from typing import Any

from lucid.ops.hyperbolic import cosh
from lucid.ops.special_functions.table import DISCRETE, NoRule, function, multi
from lucid.ops.trigonometric import cos

__all__ = [
    "mathieu_a",
    "mathieu_b",
    "mathieu_cem",
    "mathieu_modcem1",
    "mathieu_modcem2",
    "mathieu_modsem1",
    "mathieu_modsem2",
    "mathieu_sem",
    "obl_ang1",
    "obl_ang1_cv",
    "obl_cv",
    "obl_rad1",
    "obl_rad1_cv",
    "obl_rad2",
    "obl_rad2_cv",
    "pro_ang1",
    "pro_ang1_cv",
    "pro_cv",
    "pro_rad1",
    "pro_rad1_cv",
    "pro_rad2",
    "pro_rad2_cv",
]

_EIGENVALUE = NoRule(
    "the derivative of an eigenfunction by its equation's parameter has no formula"
)
_VALUE = NoRule("it is an integral of the squared eigenfunction, which SciPy gives to 1e-7 at best")
_DEGREE = math.pi / 180

# -- Mathieu: y'' = -(a - 2 q cos 2t) y, and y'' = (a - 2 q cosh 2t) y for the modified ones -------


def _characteristic(name: str, letter: str, kind: str) -> Any:
    return function(
        name,
        f"Characteristic value of the {kind} Mathieu function",
        f"{letter}_m(q)",
        "DLMF 28.2(v)",
        "m: the order, a whole number; q: the parameter",
        partials=(DISCRETE, _VALUE),
    )


mathieu_a = _characteristic("mathieu_a", "a", "even")
mathieu_b = _characteristic("mathieu_b", "b", "odd")


def _mathieu(name: str, kind: str, formula: str, value: Any) -> Any:
    def curve(ans: Any, m: Any, q: Any, x: Any) -> Any:
        return -_DEGREE * (value(m, q) - 2 * q * cos(2 * _DEGREE * x)) * ans[0]

    return multi(
        name,
        "y yp",
        f"{kind} Mathieu function and its derivative by the angle in radians",
        formula,
        "DLMF 28.2",
        "m: the order, a whole number; q: the parameter; x: the angle in degrees",
        partials=(DISCRETE, _EIGENVALUE, (lambda ans, m, q, x: _DEGREE * ans[1], curve)),
    )


def _modified(name: str, kind: str, value: Any) -> Any:
    def curve(ans: Any, m: Any, q: Any, x: Any) -> Any:
        return (value(m, q) - 2 * q * cosh(2 * x)) * ans[0]

    return multi(
        name,
        "y yp",
        f"{kind} modified Mathieu function and its derivative",
        "",
        "DLMF 28.20",
        "m: the order, a whole number; q: the parameter, positive; x: the argument",
        domain="accurate to what SciPy's values are",
        partials=(DISCRETE, _EIGENVALUE, (lambda ans, m, q, x: ans[1], curve)),
    )


mathieu_cem = _mathieu("mathieu_cem", "Even", "ce_m(x, q)", mathieu_a)
mathieu_sem = _mathieu("mathieu_sem", "Odd", "se_m(x, q)", mathieu_b)
mathieu_modcem1 = _modified("mathieu_modcem1", "Even first-kind", mathieu_a)
mathieu_modcem2 = _modified("mathieu_modcem2", "Even second-kind", mathieu_a)
mathieu_modsem1 = _modified("mathieu_modsem1", "Odd first-kind", mathieu_b)
mathieu_modsem2 = _modified("mathieu_modsem2", "Odd second-kind", mathieu_b)

# -- spheroidal: ((1 - x²) w')' + (λ - c²x² - m²/(1 - x²)) w = 0, oblate with -c² ------------------


def _spheroidal_value(name: str, kind: str) -> Any:
    return function(
        name,
        f"Characteristic value of the {kind} spheroidal wave functions",
        "λ_n^m(c)",
        "DLMF 30.3",
        "m: the order; n: the degree; c: the parameter",
        partials=(DISCRETE, DISCRETE, _VALUE),
    )


pro_cv = _spheroidal_value("pro_cv", "prolate")
obl_cv = _spheroidal_value("obl_cv", "oblate")


def _prolate(ans: Any, m: Any, cv: Any, c: Any, x: Any) -> Any:
    u = 1 - x * x
    return (2 * x * ans[1] - (cv - c * c * x * x - m * m / u) * ans[0]) / u


def _oblate_angular(ans: Any, m: Any, cv: Any, c: Any, x: Any) -> Any:
    u = 1 - x * x
    return (2 * x * ans[1] - (cv + c * c * x * x - m * m / u) * ans[0]) / u


def _oblate_radial(ans: Any, m: Any, cv: Any, c: Any, x: Any) -> Any:
    u = 1 + x * x
    return ((cv - c * c * x * x - m * m / u) * ans[0] - 2 * x * ans[1]) / u


_CV = NoRule("no formula gives the derivative by the characteristic value")


def _spheroidal(name: str, kind: str, equation: Any, value: Any) -> tuple[Any, Any]:
    """The function of m, n, c and x, and that which takes the characteristic value as well."""
    outputs = "s sp" if "ang" in name else "r rp"
    where = "|x| < 1" if "ang" in name else "x > 1" if name.startswith("pro") else "x >= 0"
    summary = f"{kind} spheroidal wave function and its derivative"
    start = "m: the order; n: the degree; c: the parameter"
    domain = f"{where}; accurate to what SciPy's values are"
    if name.endswith("rad2"):
        domain += ", which jump between methods and for the oblate function can be wrong altogether"
    plain = multi(
        name,
        outputs,
        summary,
        "",
        "DLMF 30.2",
        f"{start}; x: the argument, {where}",
        partials=(
            DISCRETE,
            DISCRETE,
            _EIGENVALUE,
            (
                lambda ans, m, n, c, x: ans[1],
                lambda ans, m, n, c, x: equation(ans, m, value(m, n, c), c, x),
            ),
        ),
        domain=domain,
    )
    given = multi(
        f"{name}_cv",
        outputs,
        f"{summary}, for a given characteristic value",
        "",
        "DLMF 30.2",
        f"{start}; cv: the characteristic value; x: the argument, {where}",
        partials=(
            DISCRETE,
            DISCRETE,
            _EIGENVALUE,
            _CV,
            (
                lambda ans, m, n, c, cv, x: ans[1],
                lambda ans, m, n, c, cv, x: equation(ans, m, cv, c, x),
            ),
        ),
        domain=domain,
    )
    return plain, given


pro_ang1, pro_ang1_cv = _spheroidal("pro_ang1", "Angular prolate", _prolate, pro_cv)
pro_rad1, pro_rad1_cv = _spheroidal("pro_rad1", "Radial first-kind prolate", _prolate, pro_cv)
pro_rad2, pro_rad2_cv = _spheroidal("pro_rad2", "Radial second-kind prolate", _prolate, pro_cv)
obl_ang1, obl_ang1_cv = _spheroidal("obl_ang1", "Angular oblate", _oblate_angular, obl_cv)
obl_rad1, obl_rad1_cv = _spheroidal("obl_rad1", "Radial first-kind oblate", _oblate_radial, obl_cv)
obl_rad2, obl_rad2_cv = _spheroidal("obl_rad2", "Radial second-kind oblate", _oblate_radial, obl_cv)
