"""Vector mathematics within 4 ULP over the full range, for any number of lanes.

Every function can be inlined (`definition`), or called (`compiled`), which costs a program no time
to compile and a tenth more to run. Inlined or called, with any number of lanes, it gives the same
bits. A function is right for every input: where a fast path does not hold (huge angles, quotients
of many digits), a branch that is seldom taken leads to a slow one.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from llvmlite import ir

from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Format
from lucid.graph.native.vecmath_library import compiled as compiled_variant
from lucid.graph.native.vecmath_recipes import RECIPES, Variant, define

__all__ = ["ARITY", "Definition", "compiled", "definition"]

ARITY = {name: recipe.arity for name, recipe in RECIPES.items()}
FORMATS: dict[str, Format] = {"f": SINGLE, "d": DOUBLE}


class Definition(NamedTuple):
    """The text of a function that is to be inlined.

    Attributes:
        symbol: the function's name.
        text: its definition.
        declarations: the declarations that the definition needs.
    """

    symbol: str
    text: str
    declarations: tuple[str, ...]


@cache
def definition(name: str, kind: str, lanes: int, fma: bool) -> Definition:
    """A function's text for a NumPy character code, "f" or "d", and a number of lanes."""
    variant = Variant(name, FORMATS[kind], lanes, fma)
    module = ir.Module()
    function = inlined(module, variant)
    others = (str(g).strip() for g in module.globals.values() if g is not function)
    return Definition(function.name, str(function), tuple(others))


def inlined(module: Any, variant: Variant) -> Any:
    """The function in a module that LLVM puts into its callers, defined at its first use."""
    symbol = variant.symbol.replace("_", ".")
    if symbol in module.globals:
        return module.globals[symbol]
    if variant.recipe.slow is not None:
        compiled_variant(variant)  # the slow path
    function = define(module, variant, symbol)
    function.linkage = "internal"
    function.attributes.add("alwaysinline")
    return function


def compiled(name: str, kind: str, lanes: int, fma: bool) -> tuple[str, int]:
    """The symbol, known to the linker, and the address of a compiled function."""
    variant = Variant(name, FORMATS[kind], lanes, fma)
    return variant.symbol, compiled_variant(variant)
