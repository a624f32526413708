"""Routines of LAPACK, through SciPy's public pointers to them, and what calls them."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg.cython_lapack

from lucid.graph.native.blas import pointer, register
from lucid.graph.native.text import Body

__all__ = ["call", "memory_of"]


@functools.cache
def function(name: str) -> str:
    """Return the symbol of a routine, made known to the linker."""
    return register("lapack_" + name, scipy.linalg.cython_lapack.__pyx_capi__[name])


def full_name(kind: str, routine: str) -> str:
    """Return a routine's name with the letter for what it computes with."""
    return {"f": "s", "d": "d"}[kind] + routine


def call(b: Body, kind: str, routine: str, args: Sequence[Any], info: str) -> str:
    """Call a routine and return its status: 0 where all went well.

    Args:
        b: the function.
        kind: of the numbers.
        routine: its name, without the first letter.
        args: numbers and letters, and addresses of everything else.
        info: where the status goes.
    """
    name = function(full_name(kind, routine))
    given = [*(_address(b, a) for a in args), info]
    b.module.declare(f"declare void @{name}({', '.join(['ptr'] * len(given))})")
    b.do(f"call void @{name}({', '.join(f'ptr {a}' for a in given)})")
    b.lanes = 1
    return b.put(f"load i32, ptr {info}, align 4")


def _address(b: Body, x: Any) -> str:
    if isinstance(x, int):
        return b.module.constant("i32", x)
    return b.module.constant("i8", ord(x)) if len(x) == 1 else x


@functools.cache
def memory_of(kind: str, routine: str, *args: Any) -> int:
    """Return how many numbers a routine wants to work with, as it says itself.

    Args:
        kind: of the numbers.
        routine: its name, without the first letter.
        args: letters and numbers, -1 being the question; ``...`` for the array that the answer
            comes in, and None for all others.
    """
    answer, nothing = np.zeros(1, kind), np.zeros(1, kind)
    given: list[Any] = []
    for a in (*args, 0):  # the last is the status
        if a is None or a is ...:
            given.append((nothing if a is None else answer).ctypes.data)
        else:
            made = ctypes.c_int(a) if isinstance(a, int) else ctypes.c_char(a.encode())
            given.append(ctypes.byref(made))
    address = pointer(scipy.linalg.cython_lapack.__pyx_capi__[full_name(kind, routine)])
    types = [ctypes.c_void_p] * len(given)
    ctypes.CFUNCTYPE(None, *types)(address)(*given)
    return max(int(answer[0]), 1)
