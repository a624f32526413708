"""The table of functions, and how one becomes a function of LLVM IR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from lucid.graph.native import vecmath_arc as arc
from lucid.graph.native import vecmath_erf as erf
from lucid.graph.native import vecmath_exp as exp
from lucid.graph.native import vecmath_log as log
from lucid.graph.native import vecmath_power as power
from lucid.graph.native import vecmath_remainder as rest
from lucid.graph.native import vecmath_trig as trig
from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Code, Format, Lane

__all__ = ["RECIPES", "Variant", "define", "prototype"]


@dataclass(frozen=True)
class Recipe:
    """How to compute a function.

    Attributes:
        fast: straight-line code for any number of lanes.
        arity: the number of operands.
        slow: where the fast path does not hold; None if it always does.
        redo: scalar code for there.
    """

    fast: Callable[..., Lane]
    arity: int = 1
    slow: Callable[..., Lane] | None = None
    redo: Callable[..., Lane] | None = None


@dataclass(frozen=True)
class Variant:
    """A function for one format and number of lanes, on hosts with or without FMA."""

    name: str
    format: Format
    lanes: int
    fma: bool

    @property
    def symbol(self) -> str:
        """The name of the compiled function."""
        return f"lucid_{self.name}_{self.format.name}_x{self.lanes}{'' if self.fma else '_nofma'}"

    @property
    def recipe(self) -> Recipe:
        """How to compute it."""
        return RECIPES[self.name]

    def at(self, lanes: int) -> Variant:
        """The same function for another number of lanes."""
        return Variant(self.name, self.format, lanes, self.fma)


def circular(finish: Callable[[Code, Lane, Lane, Lane], Lane]) -> Recipe:
    """sin, cos or tan, from the reduced argument."""

    def fast(code: Code, x: Lane) -> Lane:
        return finish(code, x, *trig.reduce(code, x))

    def redo(code: Code, x: Lane) -> Lane:
        wide = code.with_format(DOUBLE)
        n, r = trig.huge(wide, x.to(wide))
        if code.format is SINGLE:
            n = Lane(code, code.builder.trunc(n.value, code.word))
        return finish(code, x, n, r.to(code))

    return Recipe(fast, 1, trig.slow, redo)


RECIPES: dict[str, Recipe] = {
    "acos": Recipe(arc.acos),
    "acosh": Recipe(log.acosh),
    "asin": Recipe(arc.asin),
    "asinh": Recipe(log.asinh),
    "atan": Recipe(arc.atan),
    "atan2": Recipe(arc.atan2, 2),
    "atanh": Recipe(log.atanh),
    "cbrt": Recipe(power.cbrt),
    "cos": circular(trig.cos),
    "cosh": Recipe(exp.cosh),
    "erf": Recipe(erf.erf),
    "erfc": Recipe(erf.erfc),
    "exp": Recipe(exp.exp),
    "exp2": Recipe(exp.exp2),
    "expm1": Recipe(exp.expm1),
    "floor_divide": Recipe(
        rest.floor_divide(rest.fmod), 2, rest.slow, rest.floor_divide(rest.frem)
    ),
    "fmod": Recipe(rest.fmod, 2, rest.slow, rest.frem),
    "hypot": Recipe(power.hypot, 2),
    "log": Recipe(log.log),
    "log10": Recipe(log.log10),
    "log1p": Recipe(log.log1p),
    "log2": Recipe(log.log2),
    "pow": Recipe(power.power, 2),
    "remainder": Recipe(rest.remainder(rest.fmod), 2, rest.slow, rest.remainder(rest.frem)),
    "sigmoid": Recipe(exp.sigmoid),
    "sin": circular(trig.sin),
    "sinh": Recipe(exp.sinh),
    "tan": circular(trig.tan),
    "tanh": Recipe(exp.tanh),
}


def prototype(module: Any, variant: Variant, symbol: str) -> Any:
    """The function of this name in a module, declared if it is not there yet; without effects."""
    if symbol in module.globals:
        return module.globals[symbol]
    form, lanes = variant.format, variant.lanes
    real = form.real if lanes == 1 else ir.VectorType(form.real, lanes)
    kind = ir.FunctionType(real, [real] * variant.recipe.arity)
    function = ir.Function(module, kind, symbol)
    function.attributes.add("nounwind")
    set.add(function.attributes, "memory(none)")  # newer than llvmlite's list of attributes
    return function


def seldom(build: Any, condition: Any) -> Any:
    """A truth value, with the promise that it is false nearly always."""
    name, truth = "llvm.expect.i1", ir.IntType(1)
    expect = build.module.globals.get(name)
    if expect is None:
        expect = ir.Function(build.module, ir.FunctionType(truth, [truth, truth]), name)
    return build.call(expect, [condition, ir.Constant(truth, 0)])


def define(module: Any, variant: Variant, symbol: str) -> Any:
    """Define a variant under a name: the fast path and, where it may not hold, a branch.

    The branch calls the compiled variant if `symbol` is another name (an inlined copy), the scalar
    one for each lane if this is the compiled one, and does it itself if this is the scalar one.
    """
    recipe, lanes = variant.recipe, variant.lanes
    function = prototype(module, variant, symbol)
    build = ir.IRBuilder(function.append_basic_block())
    code = Code(build, variant.format, lanes, variant.fma)
    args = [Lane(code, a) for a in function.args]
    result = recipe.fast(code, *args).value
    if recipe.slow is None:
        build.ret(result)
        return function
    mask = recipe.slow(code, *args).value
    if lanes > 1:
        width = ir.IntType(lanes)
        mask = build.icmp_unsigned("!=", build.bitcast(mask, width), ir.Constant(width, 0))
    done, cold = function.append_basic_block(), function.append_basic_block()
    build.cbranch(seldom(build, mask), cold, done)
    build.position_at_end(done)
    build.ret(result)
    build.position_at_end(cold)
    if symbol != variant.symbol:
        result = build.call(prototype(module, variant, variant.symbol), function.args)
    elif lanes == 1:
        assert recipe.redo is not None
        result = recipe.redo(code, *args).value
    else:  # the scalar function gives what the fast path gave, where that holds
        scalar = prototype(module, variant.at(1), variant.at(1).symbol)
        for k in range(lanes):
            index = ir.Constant(ir.IntType(32), k)
            parts = [build.extract_element(a, index) for a in function.args]
            result = build.insert_element(result, build.call(scalar, parts), index)
    build.ret(result)
    return function
