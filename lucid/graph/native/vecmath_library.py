"""Functions with a rare slow path, compiled once per process for every number of lanes.

Each takes the fast path for all lanes, then a branch, seldom taken, to redo the lanes where it
does not hold. A branch would stop LLVM's loop vectoriser, so a program only declares the scalar
function, with an attribute that names its vector variants; the vectoriser calls those.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir

from lucid.graph.native import vecmath_trig as trig
from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Code, Format, Lane

__all__ = ["OUTLINED", "declare"]

LANES = {SINGLE: (1, 2, 4, 8, 16), DOUBLE: (1, 2, 4, 8)}
ENGINES: list[Any] = []  # keep the code alive
COMPILED: set[str] = set()
LOCK = threading.Lock()


class Outlined:
    """A fast path, a test for where it does not hold, and a scalar slow path for there."""

    def __init__(
        self,
        arity: int,
        fast: Callable[..., Lane],
        slow: Callable[..., Lane],
        redo: Callable[..., Lane],
    ) -> None:
        self.arity, self.fast, self.slow, self.redo = arity, fast, slow, redo


def circular(finish: Callable[[Code, Lane, Lane, Lane], Lane]) -> Outlined:
    """sin, cos or tan from the reduced argument."""

    def fast(code: Code, x: Lane) -> Lane:
        return finish(code, x, *trig.reduce(code, x))

    def redo(code: Code, x: Lane) -> Lane:
        wide = code.with_format(DOUBLE)
        n, r = trig.huge(wide, x.to(wide))
        if code.format is SINGLE:
            n = Lane(code, code.builder.trunc(n.value, code.word))
        return finish(code, x, n, r.to(code))

    return Outlined(1, fast, trig.slow, redo)


OUTLINED = {
    "cos": circular(trig.cos),
    "sin": circular(trig.sin),
    "tan": circular(trig.tan),
}


def symbol_of(name: str, format: Format, lanes: int, fma: bool) -> str:
    """The name of a function's variant."""
    return f"lucid_{name}_{format.name}_{lanes}{'' if fma else '_plain'}"


def declare(module: Any, name: str, format: Format, fma: bool) -> Any:
    """The scalar function's declaration in a module, with its variants', compiled if need be."""
    scalar = symbol_of(name, format, 1, fma)
    if scalar in module.globals:
        return module.globals[scalar]
    compile_library(name, format, fma)
    arity = OUTLINED[name].arity
    function = prototype(module, name, format, 1, fma)
    mappings: list[str] = []
    used: list[Any] = []
    for lanes in LANES[format][1:]:
        variant = prototype(module, name, format, lanes, fma)
        mappings.append(f"_ZGV_LLVM_N{lanes}{'v' * arity}_{scalar}({variant.name})")
        used.append(variant)
    set.add(function.attributes, f'"vector-function-abi-variant"="{",".join(mappings)}"')
    keep(module, used)
    return function


def prototype(module: Any, name: str, format: Format, lanes: int, fma: bool) -> Any:
    """A function with this signature, without effects."""
    real = format.real if lanes == 1 else ir.VectorType(format.real, lanes)
    kind = ir.FunctionType(real, [real] * OUTLINED[name].arity)
    function = ir.Function(module, kind, symbol_of(name, format, lanes, fma))
    for attribute in ("readnone", "nounwind"):
        function.attributes.add(attribute)
    return function


def keep(module: Any, functions: list[Any]) -> None:
    """Keep unused declarations until the vectoriser has seen them."""
    name, pointer = "llvm.compiler.used", ir.IntType(8).as_pointer()
    old = module.globals.get(name)
    entries = [*(old.initializer.constant if old else []), *(f.bitcast(pointer) for f in functions)]
    if old:
        del module.globals[name]
    array = ir.ArrayType(pointer, len(entries))
    variable: Any = ir.GlobalVariable(module, array, name)
    variable.initializer = ir.Constant(array, entries)
    variable.linkage, variable.section = "appending", "llvm.metadata"


def define(module: Any, name: str, format: Format, lanes: int, fma: bool) -> None:
    """Define one variant: the fast path, and a branch to the slow one."""
    recipe = OUTLINED[name]
    function = prototype(module, name, format, lanes, fma)
    build = ir.IRBuilder(function.append_basic_block())
    code = Code(build, format, lanes, fma)
    args = [Lane(code, a) for a in function.args]
    result = recipe.fast(code, *args).value
    mask = recipe.slow(code, *args).value
    if lanes > 1:
        width = ir.IntType(lanes)
        mask = build.icmp_unsigned("!=", build.bitcast(mask, width), ir.Constant(width, 0))
    cold = function.append_basic_block()
    done = function.append_basic_block()
    build.cbranch(mask, cold, done).set_weights([1, 10000])
    build.position_at_end(done)
    build.ret(result)
    build.position_at_end(cold)
    if lanes == 1:
        result = recipe.redo(code, *args).value
    else:  # the scalar function gives what the fast path gave, where that holds
        scalar = module.globals[symbol_of(name, format, 1, fma)]
        for k in range(lanes):
            index = ir.Constant(ir.IntType(32), k)
            parts = [build.extract_element(a.value, index) for a in args]
            result = build.insert_element(result, build.call(scalar, parts), index)
    build.ret(result)


def compile_library(name: str, format: Format, fma: bool) -> None:
    """Compile all variants of a function for this host, once, and name them to the linker."""
    with LOCK:
        if symbol_of(name, format, 1, fma) in COMPILED:
            return
        module = ir.Module(f"lucid_{name}")
        module.triple = llvm.get_process_triple()
        for lanes in LANES[format]:
            define(module, name, format, lanes, fma)
        engine = build_engine(str(module))
        for lanes in LANES[format]:
            symbol = symbol_of(name, format, lanes, fma)
            llvm.add_symbol(symbol, engine.get_function_address(symbol))
            COMPILED.add(symbol)
        ENGINES.append(engine)


def build_engine(text: str) -> Any:
    """Optimised native code of a module's text, for this host."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        jit=True,
    )
    parsed = llvm.parse_assembly(text)
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(parsed, builder)
    engine = llvm.create_mcjit_compiler(parsed, machine)
    engine.finalize_object()
    return engine
