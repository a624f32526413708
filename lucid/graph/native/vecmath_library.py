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
    with library.LOCK:
        found = library.address(symbol)
        if found is None:
            if variant.lanes > 1 and variant.recipe.slow is not None:
                compiled(variant.at(1))  # which redoes single lanes
            module = ir.Module(symbol)
            module.triple = host().triple
            define(module, variant, symbol)
            library.add(str(module), [symbol])
            found = library.address(symbol)
        assert found is not None
        return found
