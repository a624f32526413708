"""How a product of matrices is computed: by code for its sizes, by blocks, or by BLAS.

Very small products are written out: a block of the result stays in registers while a column of the
left matrix is broadcast against a row of the right one. Larger ones call functions that are
compiled once for the process: `packed`, or `dots` where both operands have the summed axis
contiguous. Where nothing fits, BLAS is called.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from lucid.graph.native.micro import dots
from lucid.graph.native.packed import MOST, Packed
from lucid.graph.native.text import Body, register_type

__all__ = ["Own", "own"]

WRITTEN = 8_000  # multiplications up to which code is written for the sizes
SHORT = 320_000  # up to which scalar products are computed without packing
LIMIT = 3_000_000  # of a product with hardly any rows or columns; beyond, BLAS is called
RIGHT_LIMIT = 160 * 1024  # bytes of the right matrix of such a product


class Own(Protocol):
    """A product that is computed by code of our own.

    Attributes:
        size: bytes of scratch memory that a call needs.
        parallel: whether a call shares its work among threads.
    """

    size: int
    parallel: bool

    def call(self, b: Body, x: str, y: str, z: str, room: str) -> None:
        """Add the call, with the addresses of the operands, the result, and scratch memory."""


def own(
    module: Any, kind: str, sizes: tuple[int, int, int], a: Any, b: Any, c: Any
) -> tuple[Own, bool] | None:
    """Return how c = a b is computed, and whether its operands are exchanged; None is BLAS.

    Args:
        module: the code's module.
        kind: of the numbers.
        sizes: (m, n, k).
        a: strides of the left operand.
        b: strides of the right operand.
        c: strides of the result.
    """
    m, n, k = sizes
    work = m * n * k
    thin = min(sizes) < 4
    if thin and (work > LIMIT or n * k * np.dtype(kind).itemsize > RIGHT_LIMIT):
        return None
    a, b, c = _settled(a, (m, k)), _settled(b, (k, n)), _settled(c, (m, n))
    straight = c[1] == 1
    rows = straight and b[1] == 1 and (n >= 4 or k == 1)
    columns = c[0] == 1 and a[0] == 1 and m >= 4
    if thin or work <= WRITTEN:
        if rows:
            return Written(kind, sizes, a, b, c), False
        if columns:
            return Written(kind, (n, m, k), b[::-1], a[::-1], c[::-1]), True
    if a[1] == b[0] == 1 and (thin or (work <= SHORT and not rows and not columns)):
        return Dots(module, kind, sizes, a, b, c), False
    if thin or n * k * np.dtype(kind).itemsize > MOST:
        return None
    if straight:
        return Packed(module, kind, sizes, a, b, c), False
    if c[0] == 1:
        return Packed(module, kind, (n, m, k), b[::-1], a[::-1], c[::-1]), True
    return None


class Dots:
    """A product whose operands both have the summed axis contiguous."""

    size = 0
    parallel = False

    def __init__(self, module: Any, kind: str, sizes: Any, a: Any, b: Any, c: Any) -> None:
        item = np.dtype(kind).itemsize
        self.name = dots(module, kind, *sizes[:2])
        strides = (s * item for s in (a[0], b[1], *c))
        self.a0, self.b1, self.c0, self.c1 = (f"i64 {s}" for s in strides)
        self.sizes = ", ".join(f"i64 {n}" for n in sizes)

    def call(self, b: Body, x: str, y: str, z: str, room: str) -> None:
        """Add the call."""
        operands = f"ptr {x}, {self.a0}, ptr {y}, {self.b1}, ptr {z}, {self.c0}, {self.c1}"
        b.do(f"call void @{self.name}({operands}, {self.sizes})")


class Written:
    """A product whose right operand has its columns together, as code for its sizes."""

    size = 0
    parallel = False

    def __init__(self, kind: str, sizes: Any, a: Any, b: Any, c: Any) -> None:
        self.kind = kind
        self.sizes = sizes
        self.a, self.b, self.c = tuple(a), tuple(b), tuple(c)
        numbers = "_".join(str(n).replace("-", "m") for n in (*sizes, *a, *b, *c))
        self.name = f"product_{kind}_{numbers}"

    def call(self, b: Body, x: str, y: str, z: str, room: str) -> None:
        """Add a call; the function is defined at its first use."""
        module = b.module
        if module.first(self.name):
            body = Body(module)
            self._rows(body)
            body.do("ret void")
            given = ", ".join(f"ptr noalias %{letter}" for letter in "abc")
            module.function(f"define internal void @{self.name}({given})", body)
        b.do(f"call void @{self.name}(ptr {x}, ptr {y}, ptr {z})")

    def _rows(self, b: Body) -> None:
        m, n, _ = self.sizes
        width = b.module.width // np.dtype(self.kind).itemsize
        registers = 32 if b.module.width == 64 else 16
        for start, stop, columns in _blocks(n, 2 * width, width):
            vectors = -(-columns // width)
            height = min((registers - vectors - 2) // vectors, 14)
            with b.loop(start, stop, columns) as j:
                for low, high, rows in _rows_blocks(m, height):
                    with b.loop(low, high, rows) as i:
                        self._block(b, i, j, rows, columns, width)

    def _block(self, b: Body, i: str, j: str, rows: int, columns: int, width: int) -> None:
        k = self.sizes[2]
        kind = self.kind
        parts = [(s, min(width, columns - s)) for s in range(0, columns, width)]
        sums: list[list[str]] = []
        for _ in range(rows):
            line = []
            for _, lanes in parts:
                variable = b.stack(kind, lanes)
                b.do(f"store {register_type(kind, lanes)} zeroinitializer, ptr {variable}")
                line.append(variable)
            sums.append(line)
        left = b.address("%a", kind, b.put(f"mul nsw i64 {i}, {self.a[0]}"))
        right = b.address("%b", kind, j)
        unroll = 4 if k >= 8 else 1
        main = k // unroll * unroll
        if main:
            with b.loop(0, main, unroll) as p:
                x = b.address(left, kind, b.put(f"mul nsw i64 {p}, {self.a[1]}"))
                y = b.address(right, kind, b.put(f"mul nsw i64 {p}, {self.b[0]}"))
                for u in range(unroll):
                    self._step(b, x, y, u, rows, parts, sums)
        x = b.address(left, kind, str(main * self.a[1]))
        y = b.address(right, kind, str(main * self.b[0]))
        for u in range(k - main):
            self._step(b, x, y, u, rows, parts, sums)
        for r in range(rows):
            at = b.put(f"add nsw i64 {i}, {r}") if r else i
            row = b.address("%c", kind, b.put(f"mul nsw i64 {at}, {self.c[0]}"))
            row = b.address(row, kind, j)
            for (start, lanes), variable in zip(parts, sums[r], strict=True):
                b.lanes = lanes
                value = b.put(f"load {b.type(kind)}, ptr {variable}")
                b.store(value, b.address(row, kind, str(start)), kind)
        b.lanes = 1

    def _step(
        self, b: Body, x: str, y: str, u: int, rows: int, parts: Any, sums: list[list[str]]
    ) -> None:
        """Add the products with one row of the right matrix."""
        kind = self.kind
        row = []
        for start, lanes in parts:
            b.lanes = lanes
            row.append(b.load(b.address(y, kind, str(u * self.b[0] + start)), kind))
        for r in range(rows):
            b.lanes = 1
            one = b.load(b.address(x, kind, str(u * self.a[1] + r * self.a[0])), kind)
            for (_, lanes), value, variable in zip(parts, row, sums[r], strict=True):
                b.lanes = lanes
                spread = b.splat(one, kind)
                old = b.put(f"load {b.type(kind)}, ptr {variable}")
                new = b.intrinsic("fmuladd", kind, [spread, value, old])
                b.do(f"store {b.type(kind)} {new}, ptr {variable}")
        b.lanes = 1


def _settled(strides: Any, shape: tuple[int, int]) -> tuple[int, int]:
    """Give axes of length 1 the stride 1 or that of a row, whichever helps."""
    (s, t), (m, n) = strides, shape
    if n == 1:
        t = 1
    if m == 1:
        s = max(n, 1) if t == 1 else 1
    return s, t


def _blocks(n: int, wide: int, width: int) -> list[tuple[int, int, int]]:
    """Cut columns into wide blocks, single registers, and a rest."""
    found = []
    main = n // wide * wide
    if main:
        found.append((0, main, wide))
    if (n - main) // width:
        found.append((main, main + width, width))
        main += width
    if n - main:
        found.append((main, n, n - main))
    return found


def _rows_blocks(m: int, height: int) -> list[tuple[int, int, int]]:
    """Cut rows into blocks of nearly equal height."""
    if m <= height:
        return [(0, m, m)] if m else []
    count = -(-m // height)
    height = -(-m // count)
    main = m // height * height
    return [(0, main, height), *([(main, m, m - main)] if m - main else [])]
