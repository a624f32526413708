"""Vector mathematics for the native executor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from lucid.graph.native import vecmath_arc as arc
from lucid.graph.native import vecmath_erf as erf
from lucid.graph.native import vecmath_exp as exp
from lucid.graph.native import vecmath_log as log
from lucid.graph.native import vecmath_power as power
from lucid.graph.native.vecmath_lanes import Code, Lane, format_of
from lucid.graph.native.vecmath_library import OUTLINED, declare

__all__ = ["NAMES", "emit"]

INLINE: dict[str, Callable[..., Lane]] = {
    "acos": arc.acos,
    "acosh": log.acosh,
    "asin": arc.asin,
    "asinh": log.asinh,
    "atan": arc.atan,
    "atan2": arc.atan2,
    "atanh": log.atanh,
    "cbrt": power.cbrt,
    "cosh": exp.cosh,
    "erf": erf.erf,
    "erfc": erf.erfc,
    "exp": exp.exp,
    "exp2": exp.exp2,
    "expm1": exp.expm1,
    "hypot": power.hypot,
    "log": log.log,
    "log10": log.log10,
    "log1p": log.log1p,
    "log2": log.log2,
    "pow": power.power,
    "sigmoid": exp.sigmoid,
    "sinh": exp.sinh,
    "tanh": exp.tanh,
}
NAMES = frozenset(INLINE) | frozenset(OUTLINED)


def emit(builder: Any, name: str, args: Sequence[Any], fma: bool = True) -> Any:
    """The value of a function at scalar float or double values, as a call that vectorises."""
    module, form = builder.module, format_of(args[0].type)
    if name in OUTLINED:
        return builder.call(declare(module, name, form, fma), args)
    symbol = f"lucid.{name}.{form.name}"
    function = module.globals.get(symbol)
    if function is None:
        kind = ir.FunctionType(form.real, [form.real] * len(args))
        function = ir.Function(module, kind, symbol)
        function.linkage = "internal"
        function.attributes.add("alwaysinline")
        function.attributes.add("nounwind")
        inner = ir.IRBuilder(function.append_basic_block())
        code = Code(inner, form, 1, fma)
        inner.ret(INLINE[name](code, *(Lane(code, a) for a in function.args)).value)
    return builder.call(function, args)
