"""Special functions by SciPy's public pointers to them, called number by number."""

from __future__ import annotations

import ctypes
import functools
import importlib
import re
from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm

from lucid.graph.ir import Node
from lucid.graph.native.text import KINDS, Body

__all__ = ["emit", "kind"]

# Operations that SciPy has under another name, and those that are done otherwise.
NAMES = {"digamma": "psi", "gammaln": "gammaln", "erfinv": "erfinv"}
# SciPy's pointers to the last ones take numbers for integers, and warn in Python, with no caller.
OTHERS = frozenset(
    f"special.{name}"
    for name in (
        *("round", "expit", "ndtr", "bdtr", "bdtrc", "bdtri", "nbdtr", "nbdtrc", "nbdtri", "pdtri"),
        *("expn", "kn", "yn", "smirnov", "smirnovi"),
    )
)
SIGNATURE = re.compile(r"double \((double, )+int __pyx_skip_dispatch\)")


@functools.cache
def pointers() -> dict[tuple[str, int], Any]:
    """Return the capsules of real functions, by name and number of operands."""
    module = importlib.import_module("scipy.special.cython_special")
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    found: dict[tuple[str, int], Any] = {}
    for name, capsule in module.__pyx_capi__.items():
        signature = name_of(capsule).decode()
        if SIGNATURE.fullmatch(signature):
            short = re.sub(r"^__pyx_fuse(_\d+)+", "", name)
            found[short, signature.count("double, ")] = capsule
    return found


def _key(node: Node) -> tuple[str, int] | None:
    name = node.op.name
    if name in OTHERS or node.params or not (name.startswith("special.") or name in NAMES):
        return None
    return NAMES.get(name, name.removeprefix("special.")), len(node.operands)


def kind(node: Node) -> str | None:
    """Return the kind that an operation is computed in; None if SciPy has no pointer to it."""
    key = _key(node)
    if key is None or node.op.multi or node.outputs[0].aval.dtype.char not in "fd":
        return None
    kinds = [x.aval.dtype.char for x in node.values()]
    if any(k not in KINDS or k == "?" for k in kinds) or key not in pointers():
        return None
    return "d"


@functools.cache
def symbol(key: tuple[str, int]) -> str:
    """Return the name under which the linker knows a function."""
    capsule = pointers()[key]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    name = f"special_{key[0]}_{key[1]}"
    llvm.add_symbol(name, api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))
    return name


def emit(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    """Call the function for every lane."""
    key = _key(node)
    assert key is not None
    name = symbol(key)
    b.module.declare(f"declare double @{name}({', '.join(['double'] * len(args))}, i32)")
    lanes, t = b.lanes, b.type("d")

    def call(values: Sequence[str]) -> str:
        given = ", ".join(f"double {v}" for v in values)
        return b.put(f"call double @{name}({given}, i32 0)")

    if lanes == 1:
        result = call(args)
    else:
        rooms = [b.stack("d", lanes) for _ in args]
        for room, value in zip(rooms, args, strict=True):
            b.do(f"store {t} {value}, ptr {room}, align 8")
        b.lanes = 1
        with b.loop(0, lanes) as i:
            at = [b.address(room, "d", i) for room in rooms]
            b.store(call([b.load(p, "d") for p in at]), at[0], "d")
        b.lanes = lanes
        result = b.put(f"load {t}, ptr {rooms[0]}, align 8")
    if node.outputs[0].aval.dtype.char == "f":
        return b.put(f"fptrunc {t} {result} to {b.type('f')}")
    return result
