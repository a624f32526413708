"""Runs compiled programs on arrays between pages that cannot be touched, in a process of its own.

An access beyond an array, its arena or a result, at either end, kills the process.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import random
import sys
from typing import Any

import numpy as np

import lucid
from lucid import functional
from lucid.graph.jit import jit
from tests.graph.programs import random_program

PAGE = mmap.PAGESIZE
ALIGN = 64  # the arena's, which the program makes room for
LIBRARY = ctypes.CDLL(None, use_errno=True)
LIBRARY.mmap.restype = ctypes.c_void_p
LIBRARY.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
LIBRARY.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
LIBRARY.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE


class Guards:
    """Arrays at the end, or at the start, of pages whose neighbours are protected."""

    def __init__(self, end: bool) -> None:
        self.end = end
        self.mapped: list[tuple[int, int]] = []

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        inner = max(-(-size // PAGE), 1) * PAGE
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        base = LIBRARY.mmap(None, inner + 2 * PAGE, READ_WRITE, flags, -1, 0)
        assert not LIBRARY.mprotect(base, PAGE, 0)
        assert not LIBRARY.mprotect(base + PAGE + inner, PAGE, 0)
        self.mapped.append((base, inner + 2 * PAGE))
        at = base + PAGE + (inner - size if self.end and size else 0)
        return np.ndarray(shape, dtype, (ctypes.c_char * max(size, 1)).from_address(at))

    def copy(self, array: Any) -> Any:
        new = self.empty(array.shape, array.dtype)
        new[...] = array
        return new

    def release(self) -> None:
        for base, size in self.mapped:
            LIBRARY.munmap(base, size)


def recycled(make: Any) -> tuple[tuple[int, ...], Any]:
    """The shape and dtype that a recycler of results was made for."""
    inside = dict(zip(make.__code__.co_freevars, make.__closure__, strict=True))
    return inside["shape"].cell_contents, inside["dtype"].cell_contents


def run(function: Any, arguments: list[Any]) -> None:
    """Run a compiled program with everything between guards, and compare."""
    compiled = jit(function, executor="native")
    want = [np.asarray(y.numpy()) for y in compiled(*arguments)]
    program = compiled.lower(*arguments).program.compiled()
    scope = program._run.__globals__
    arena = scope["make"]().size - ALIGN if "make" in scope else 0
    makers = {
        k: recycled(v) for k, v in scope.items() if "recycler" in getattr(v, "__qualname__", "")
    }
    for end in (True, False):
        guards = Guards(end)
        scope["empty"] = guards.empty
        scope["make"] = lambda guards=guards: guards.empty((arena,), np.uint8)
        for key, (shape, dtype) in makers.items():
            scope[key] = lambda guards=guards, s=shape, d=dtype: guards.empty(s, d)
        scope["pool"].clear()
        for got, y in zip(program([guards.copy(a) for a in arguments]), want, strict=True):
            np.testing.assert_array_equal(got, y)
        scope["pool"].clear()
        guards.release()


def kernels(n: int, dtype: str) -> tuple[Any, list[Any]]:
    """Every kind of loop over rows of an odd length."""
    rng = np.random.default_rng(n)

    def every(x: Any, m: Any) -> list[Any]:
        return [
            lucid.exp(x) * 2 + x,
            *(x.sum(), x.max(axis=0), x.sum(axis=1), (x > 0).astype("int8")),
            *(functional.softmax(x, 1), lucid.flip(x, axis=1) + 1, x[:, ::2] * 3, x.T + 0),
            *(lucid.concat([x, x[:, :1]], axis=1), m @ x, x @ x.T, lucid.roll(x, 1, axis=1)),
        ]

    m = rng.standard_normal((5, 3)).astype(dtype)
    return every, [rng.standard_normal((3, n)).astype(dtype), m]


def orders(n: int, dtype: str) -> tuple[Any, list[Any]]:
    """Sorting, searching and draws of odd numbers of elements, and products of integers."""
    rng = np.random.default_rng(n)

    def every(x: Any, k: Any, words: Any) -> list[Any]:
        keys = random_keys(words, 6)
        return [
            *(lucid.sort(x), lucid.sort(x.T, axis=0), lucid.argsort(x, axis=0)),
            *(lucid.argsort(x, descending=True), lucid.median(x, axis=1), lucid.median(x)),
            *(lucid.sort(k), lucid.argsort(k.astype("int8")), lucid.argsort(k.astype("int16"))),
            *(lucid.sort(k.astype("int8")), lucid.sort(k.astype("uint16")), lucid.argsort(k > 0)),
            *(lucid.searchsorted(x[0], x), lucid.searchsorted(k[0], k, side="right")),
            *(k[:, :9].T @ k, k @ k.T, (k > 0) @ (k.T > 0), k.astype("int8") @ k.T.astype("int8")),
            *(lucid.random.normal(keys[0], (n,), dtype), lucid.random.permutation(keys[1], n)),
            *(lucid.random.exponential(keys[2], (n,), dtype), lucid.random.gamma(keys[3], x * x)),
            *(lucid.random.randint(keys[4], 0, n, (n,)), lucid.random.bernoulli(keys[5], x > 0)),
        ]

    k = rng.integers(-99, 99, (3, n))
    return every, [rng.standard_normal((3, n)).astype(dtype), k, np.arange(2, dtype=np.uint64)]


def random_keys(words: Any, count: int) -> Any:
    return lucid.random.split(lucid.random.Key(lucid.asarray(words)), count)


def main(programs: int) -> None:
    """Run odd sizes, then random programs."""
    for n in (*range(1, 20), 31, 33, 63, 65, 127, 129, 4097, 8195):
        for dtype in ("float32", "float64"):
            run(*kernels(n, dtype))
    for n in (*range(1, 20), 31, 33, 127, 129, 257, 4097, 40_001):
        for dtype in ("float32", "float64"):
            run(*orders(n, dtype))
    for seed in range(programs):
        program = random_program(random.Random(seed), 12)
        with np.errstate(all="ignore"):
            run(program.run, program.arguments)


if __name__ == "__main__":
    main(int(sys.argv[1]))
