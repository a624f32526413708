"""Mathematics as native functions, each compiled at most once per process."""

from __future__ import annotations

import threading
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir

from lucid.graph.native.vecmath_recipes import Variant, define

__all__ = ["compiled"]

ENGINES: dict[str, Any] = {}  # the engine that owns the code of each symbol
LOCK = threading.RLock()


def compiled(variant: Variant) -> int:
    """The address of a variant, compiled for this host and named to the linker."""
    symbol = variant.symbol
    with LOCK:
        if symbol not in ENGINES:
            if variant.lanes > 1 and variant.recipe.slow is not None:
                compiled(variant.at(1))  # which redoes single lanes
            module = ir.Module(symbol)
            module.triple = llvm.get_process_triple()
            define(module, variant, symbol)
            engine = build_engine(str(module))
            llvm.add_symbol(symbol, engine.get_function_address(symbol))
            ENGINES[symbol] = engine
        return ENGINES[symbol].get_function_address(symbol)


def build_engine(text: str) -> Any:
    """Native code of a module's text; straight-line code needs no passes before selection."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        jit=True,
    )
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), machine)
    engine.finalize_object()
    return engine
