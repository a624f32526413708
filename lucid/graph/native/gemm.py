"""Products of small matrices, compiled for their sizes; BLAS takes the large ones.

Two forms: *rows*, where a block of the result stays in registers while a column of the left matrix
is broadcast against a row of the right one; and *dots*, where both operands have the summed axis
contiguous, and a block of scalar products runs along it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.graph.native.text import KINDS, Body, register_type

__all__ = ["Small", "small"]

LIMIT = 3_000_000  # products of numbers; beyond, BLAS' blocking for the caches pays
RIGHT_LIMIT = 160 * 1024  # bytes of the right matrix, which is read once per block of rows


class Small:
    """A product c = a b with sizes (m, n, k) and strides, of one kind.

    Attributes:
        form: "rows" or "dots".
        swapped: whether it is the transposed product, so that the operands come in reverse.
    """

    def __init__(
        self, kind: str, sizes: tuple[int, int, int], a: Any, b: Any, c: Any, form: str
    ) -> None:
        self.kind = kind
        self.sizes = sizes
        self.a, self.b, self.c = tuple(a), tuple(b), tuple(c)
        self.form = form
        self.swapped = False

    @property
    def name(self) -> str:
        """The name of the function for these sizes."""
        numbers = (*self.sizes, *self.a, *self.b, *self.c)
        return f"{self.form}_{self.kind}_{'_'.join(str(n).replace('-', 'm') for n in numbers)}"

    def emit(self, b: Body, x: str, y: str, z: str) -> None:
        """Add a call; the function is defined at its first use."""
        module = b.module
        if module.first(self.name):
            body = Body(module)
            if self.form == "rows":
                self._rows(body)
            else:
                self._dots(body)
            body.do("ret void")
            given = ", ".join(f"ptr noalias %{letter}" for letter in "abc")
            module.function(f"define internal void @{self.name}({given})", body)
        if self.swapped:
            x, y = y, x
        b.do(f"call void @{self.name}(ptr {x}, ptr {y}, ptr {z})")

    # -- rows ------------------------------------------------------------------------------------

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

    # -- dots ------------------------------------------------------------------------------------

    def _dots(self, b: Body) -> None:
        m, n, _ = self.sizes
        for low, high, rows in _rows_blocks(m, 4):
            with b.loop(low, high, rows) as i:
                for start, stop, columns in _rows_blocks(n, 4):
                    with b.loop(start, stop, columns) as j:
                        self._tile(b, i, j, rows, columns)

    def _tile(self, b: Body, i: str, j: str, rows: int, columns: int) -> None:
        kind, k = self.kind, self.sizes[2]
        width = min(b.module.width // np.dtype(kind).itemsize, 1 << (max(k, 1).bit_length() - 1))
        b.lanes = width
        sums = [[b.stack(kind, width) for _ in range(columns)] for _ in range(rows)]
        for line in sums:
            for variable in line:
                b.do(f"store {b.type(kind)} zeroinitializer, ptr {variable}")
        left = b.address("%a", kind, b.put(f"mul nsw i64 {i}, {self.a[0]}"))
        right = b.address("%b", kind, b.put(f"mul nsw i64 {j}, {self.b[1]}"))
        main = k // width * width
        with b.loop(0, main, width) as p:
            xs = [b.load(self._at(b, left, p, r * self.a[0]), kind) for r in range(rows)]
            ys = [b.load(self._at(b, right, p, c * self.b[1]), kind) for c in range(columns)]
            for r in range(rows):
                for c in range(columns):
                    old = b.put(f"load {b.type(kind)}, ptr {sums[r][c]}")
                    new = b.intrinsic("fmuladd", kind, [xs[r], ys[c], old])
                    b.do(f"store {b.type(kind)} {new}, ptr {sums[r][c]}")
        totals = [[self._total(b, v, width) for v in line] for line in sums]
        b.lanes = 1
        for p in range(main, k):
            for r in range(rows):
                x = b.load(b.address(left, kind, str(p + r * self.a[0])), kind)
                for c in range(columns):
                    y = b.load(b.address(right, kind, str(p + c * self.b[1])), kind)
                    product = b.binary("fmul", kind, x, y)
                    totals[r][c] = b.binary("fadd", kind, totals[r][c], product)
        for r in range(rows):
            at = b.put(f"add nsw i64 {i}, {r}") if r else i
            row = b.address("%c", kind, b.put(f"mul nsw i64 {at}, {self.c[0]}"))
            row = b.address(row, kind, b.put(f"mul nsw i64 {j}, {self.c[1]}"))
            for c in range(columns):
                b.store(totals[r][c], b.address(row, kind, str(c * self.c[1])), kind)

    def _at(self, b: Body, base: str, p: str, offset: int) -> str:
        at = b.address(base, self.kind, p)
        return b.address(at, self.kind, str(offset)) if offset else at

    def _total(self, b: Body, variable: str, width: int) -> str:
        kind = self.kind
        b.lanes = width
        value = b.put(f"load {b.type(kind)}, ptr {variable}")
        b.lanes = 1
        if width == 1:
            return value
        t = register_type(kind, width)
        name = f"llvm.vector.reduce.fadd.v{width}f{32 if kind == 'f' else 64}"
        b.module.declare(f"declare {KINDS[kind]} @{name}({KINDS[kind]}, {t})")
        zero = "-0.0"
        return b.put(f"call reassoc {KINDS[kind]} @{name}({KINDS[kind]} {zero}, {t} {value})")


def small(kind: str, sizes: tuple[int, int, int], a: Any, b: Any, c: Any) -> Small | None:
    """Return a small product with these strides; None where BLAS is to be called."""
    m, n, k = sizes
    if m * n * k > LIMIT or n * k * np.dtype(kind).itemsize > RIGHT_LIMIT:
        return None
    a, b, c = _settled(a, (m, k)), _settled(b, (k, n)), _settled(c, (m, n))
    if k == 1 or (b[1] == 1 and c[1] == 1 and n >= 4):
        if b[1] == 1 and c[1] == 1:
            return Small(kind, sizes, a, b, c, "rows")
        return None
    if a[0] == 1 and c[0] == 1 and m >= 4:  # the transposed product has its rows together
        product = Small(kind, (n, m, k), b[::-1], a[::-1], c[::-1], "rows")
        product.swapped = True
        return product
    if a[1] == 1 and b[0] == 1:
        return Small(kind, sizes, a, b, c, "dots")
    return None


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
