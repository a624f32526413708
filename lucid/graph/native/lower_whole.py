"""Products of matrices of integers and truth values, and of floating ones of different dtypes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.graph.ir import Value
from lucid.graph.native.blas import Product
from lucid.graph.native.plan import Planner, Ref, contiguous
from lucid.graph.native.routine import Routine
from lucid.graph.native.table import address_of
from lucid.graph.native.text import KINDS, Body

__all__ = ["plan_product"]

ROWS, COLUMNS = 4, 2  # of the result that are computed together, columns in registers
BLOCK = 64  # rows that a thread takes at a time


class WholeProduct(Routine):
    """A stack of products of matrices, whose rows lie together; truth values are bytes 0 and 1."""

    shared = True

    def __init__(self, a: Ref, b: Ref, c: Ref) -> None:
        super().__init__([a, b], [c.root])
        self.a, self.b, self.c = a, b, c
        *self.stack, self.m, self.n = c.shape
        self.k = a.shape[-1]
        self.kind = c.root.aval.dtype.char
        self.blocks = -(-self.m // BLOCK)
        self.pieces = math.prod(self.stack) * self.blocks
        self.work = math.prod(c.shape) * self.k // 4

    def code(self, b: Body) -> None:
        """Loop over blocks of rows, then over columns, and over the rows of a block."""
        kind = "B" if self.kind == "?" else self.kind
        lanes = b.module.width // np.dtype(kind).itemsize
        while lanes > self.n:
            lanes //= 2
        bases = [address_of(b, r) for r in (self.a, self.b, self.c)]
        with b.loop("%lo", "%hi") as piece:
            number = b.put(f"udiv i64 {piece}, {self.blocks}")
            first = b.put(f"mul i64 {b.put(f'urem i64 {piece}, {self.blocks}')}, {BLOCK}")
            last = b.put(f"add i64 {first}, {BLOCK}")
            last = b.intrinsic("smin", "l", [last, str(self.m)])
            at = [
                self._matrix(b, base, r, number)
                for base, r in zip(bases, (self.a, self.b, self.c), strict=True)
            ]
            main = self.n // (lanes * COLUMNS) * lanes * COLUMNS
            pieces = [(0, main, COLUMNS), (main, self.n // lanes * lanes, 1)]
            if self.n % lanes:  # the last register overlaps with the one before
                pieces.append((self.n - lanes, self.n, 1))
            for start, stop, many in pieces:
                if start < stop:
                    with b.loop(start, stop, lanes * many) as j:
                        self._columns(b, kind, at, (first, last), j, lanes, many)

    def _matrix(self, b: Body, base: str, ref: Ref, number: str) -> str:
        """Return the address of a matrix of the stack."""
        for n, step in zip(reversed(self.stack), reversed(ref.strides[:-2]), strict=True):
            index = b.put(f"urem i64 {number}, {n}")
            number = b.put(f"udiv i64 {number}, {n}")
            if step:
                base = b.address(base, self.kind, b.put(f"mul i64 {index}, {step}"))
        return base

    def _columns(
        self, b: Body, kind: str, at: list[str], rows: Any, j: str, lanes: int, many: int
    ) -> None:
        first, last = rows
        length = b.put(f"sub i64 {last}, {first}")
        main = b.put(f"add i64 {first}, {b.put(f'and i64 {length}, {-ROWS}')}")
        with b.loop(first, main, ROWS) as i:
            self._tile(b, kind, at, i, j, lanes, (ROWS, many))
        with b.loop(main, last) as i:
            self._tile(b, kind, at, i, j, lanes, (1, many))

    def _tile(
        self, b: Body, kind: str, at: list[str], i: str, j: str, lanes: int, size: tuple[int, int]
    ) -> None:
        """Compute some rows of some registers of columns."""
        rows, columns = range(size[0]), range(size[1])
        (sa, ta), (sb, _), (sc, _) = (r.strides[-2:] for r in (self.a, self.b, self.c))
        left = b.address(at[0], kind, b.put(f"mul i64 {i}, {sa}"))
        right = b.address(at[1], kind, j)
        goal = b.address(b.address(at[2], kind, b.put(f"mul i64 {i}, {sc}")), kind, j)
        b.lanes = lanes
        t = b.type(kind)
        sums = [[b.stack(kind, lanes) for _ in columns] for _ in rows]
        for cell in (c for row in sums for c in row):
            b.do(f"store {t} {b.const(0, kind)}, ptr {cell}")
        add, multiply = ("or", "and") if self.kind == "?" else ("add", "mul")
        b.lanes = 1
        with b.loop(0, self.k) as k:
            here = b.address(right, kind, b.put(f"mul i64 {k}, {sb}"))
            there = b.address(left, kind, b.put(f"mul i64 {k}, {ta}"))
            ones = [b.load(b.address(there, kind, str(r * sa)), kind) for r in rows]
            b.lanes = lanes
            others = [b.load(b.address(here, kind, str(c * lanes)), kind) for c in columns]
            for one, row in zip(ones, sums, strict=True):
                spread = b.splat(one, kind)
                for other, cell in zip(others, row, strict=True):
                    have = b.put(f"load {t}, ptr {cell}")
                    product = b.binary(multiply, kind, spread, other)
                    b.do(f"store {t} {b.binary(add, kind, have, product)}, ptr {cell}")
            b.lanes = 1
        b.lanes = lanes
        for r, row in enumerate(sums):
            for c, cell in enumerate(row):
                value = b.put(f"load {t}, ptr {cell}")
                b.store(value, b.address(goal, kind, str(r * sc + c * lanes)), kind)
        b.lanes = 1


def plan_product(
    planner: Planner, out: Value, stack: tuple[int, ...], a: Ref, b: Ref, c: Ref
) -> bool:
    """Plan a product of matrices of any dtypes."""
    dtype = out.aval.dtype
    if dtype.char not in KINDS or a.root.aval.weak or b.root.aval.weak:
        return False
    if a.root.aval.dtype != dtype:
        a = _converted(planner, a, dtype)
    if b.root.aval.dtype != dtype:
        b = _converted(planner, b, dtype)
    if dtype.kind == "f":
        return Product.plan(planner, out, stack, a, b, c)
    if not math.prod(c.shape):
        return False
    if b.shape[-1] > 1 and b.strides[-1] != 1:
        b = _converted(planner, b, dtype)
    for x in (a, b):
        planner.stored.add(x.root)
    if c.shape[-1] > 1 and c.strides[-1] != 1:  # by columns
        made = Value(out.aval._replace(shape=c.shape))
        planner.add(WholeProduct(a, b, Ref(made, c.shape, contiguous(c.shape))), made)
        planner.made(out, planner.copy(made, c))
        planner.stored.add(out)
        return True
    planner.add(WholeProduct(a, b, c), out)
    return True


def _converted(planner: Planner, x: Ref, dtype: Any) -> Ref:
    """Return a contiguous copy of another dtype."""
    alias = Value(x.root.aval._replace(shape=x.shape))
    planner.refs[alias] = x
    new = Value(alias.aval._replace(dtype=dtype))
    planner.made(new, planner.copy(alias, Ref.whole(new)))
    planner.stored.add(new)
    return planner.refs[new]
