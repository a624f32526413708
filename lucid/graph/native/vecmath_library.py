"""Mathematics as native functions, each compiled at most once per process."""

from __future__ import annotations

from llvmlite import ir

from lucid.graph.native import library
from lucid.graph.native.host import host
from lucid.graph.native.vecmath_recipes import Variant, define

__all__ = ["compiled"]


def compiled(variant: Variant) -> int:
    """The address of a variant, compiled for this host and named to the linker."""
    symbol = variant.symbol
    library.once([symbol], lambda: _text(variant))
    return library.address(symbol)


def _text(variant: Variant) -> str:
    if variant.lanes > 1 and variant.recipe.slow is not None:
        compiled(variant.at(1))  # which redoes single lanes
    module = ir.Module(variant.symbol)
    module.triple = host().triple
    define(module, variant, variant.symbol)
    return str(module)
