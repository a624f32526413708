"""Products of matrices, with the right one packed into strips that fit the first-level cache.

The result is computed block by block in registers; each block runs over a strip of packed columns
and over rows of the left matrix, read where they lie. Threads share the rows, or the strips.

K. Goto and R. van de Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34 (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.graph.native.table import entry_at, slot
from lucid.graph.native.text import Body, register_type

__all__ = ["Packed", "packed"]

DEPTH = 256  # rows of a strip that one pass takes: 32 KiB for two registers of 64 bytes
UNROLL = 2  # steps in one turn of the innermost loop: more compile longer and run no faster
LEAST = 40_000  # multiplications from which on packing pays
MOST = 1 << 26  # bytes of the packed matrix, beyond which BLAS is called


class Packed:
    """A product c = a b of sizes (m, n, k), whose result has stride 1 along its columns.

    Attributes:
        kind: of the numbers.
        a, b, c: the strides.
    """

    def __init__(
        self, module: Any, name: str, kind: str, sizes: Any, a: Any, b: Any, c: Any
    ) -> None:
        self.module = module
        self.name = name
        self.kind = kind
        self.m, self.n, self.k = sizes
        self.a, self.b, self.c = a, b, c
        self.width = module.width // np.dtype(kind).itemsize
        registers = 32 if module.width == 64 else 16
        self.vectors = 2
        most = (registers - self.vectors - 2) // self.vectors
        self.units = -(-self.m // most)
        self.height = -(-self.m // self.units)
        self.units = -(-self.m // self.height)
        self.strip = self.vectors * self.width
        self.strips = -(-self.n // self.strip)
        rest = self.n - (self.strips - 1) * self.strip
        self.last = -(-rest // self.width)  # registers in the last strip
        self.valid = rest - (self.last - 1) * self.width  # elements in its last register
        size = self.k * ((self.strips - 1) * self.strip + self.last * self.width)
        self.even = self.last == self.vectors and self.valid == self.width
        self.place = module.scratch(size * np.dtype(kind).itemsize)
        self.by_strip = self.strips >= 2 * module.threads or self.units < 2
        self.parallel = 2 * self.m * self.n * self.k >= 20 * module.parallel_work

    # -- functions -------------------------------------------------------------------------------

    def define(self) -> None:
        """Add the functions that pack and compute."""
        for rows in {self.height, self.m - (self.units - 1) * self.height}:
            if self.even or self.strips > 1:
                self._micro(rows, True)
            if not self.even:
                self._micro(rows, False)
        self._pack()
        self._compute()

    def call(self, b: Body, x: str, y: str, z: str) -> None:
        """Add the calls; the addresses of the operands go through the table."""
        for place, address in zip(self.slots, (x, y, z), strict=True):
            b.do(f"store ptr {address}, ptr {entry_at(b, place)}, align 8")
        if not self.by_strip:
            b.module.run(b, f"{self.name}_pack", self.strips, False)
        pieces = self.strips if self.by_strip else self.units
        b.module.run(b, f"{self.name}_run", pieces, self.parallel)

    def reserve(self) -> None:
        """Reserve places for the addresses of the operands."""
        self.slots = [self.module.counter_place() for _ in range(3)]

    def _function(self, name: str, b: Body) -> None:
        b.lanes = 1
        b.do("ret void")
        head = f"define internal void @{name}(ptr %env, i64 %lo, i64 %hi, i64 %tid)"
        self.module.function(head, b)

    # -- packing ---------------------------------------------------------------------------------

    def _pack(self) -> None:
        b = Body(self.module)
        source, target = slot(b, self.slots[1]), slot(b, self.place)
        full = self.strips - 1
        edge = b.put(f"call i64 @llvm.smin.i64(i64 %hi, i64 {full})")
        self.module.declare("declare i64 @llvm.smin.i64(i64, i64)")
        with b.loop("%lo", edge) as s:
            self._pack_strip(b, source, target, s, self.vectors, self.width)
        with b.when(b.put(f"icmp sgt i64 %hi, {full}")):
            self._pack_strip(b, source, target, str(full), self.last, self.valid)
        self._function(f"{self.name}_pack", b)

    def _pack_strip(
        self, b: Body, source: str, target: str, s: str, vectors: int, valid: int
    ) -> None:
        kind, w = self.kind, self.width
        column = b.put(f"mul nsw i64 {s}, {self.strip}")
        x = b.address(source, kind, b.put(f"mul nsw i64 {column}, {self.b[1]}"))
        y = b.address(target, kind, b.put(f"mul nsw i64 {s}, {self.strip * self.k}"))
        across = self.b[1] != 1 and self.b[0] == 1
        main = self.k // w * w if across else 0
        for v in range(vectors):
            lanes = w if v < vectors - 1 else valid
            if main:
                with b.loop(0, main, w) as p:
                    self._turn(b, x, y, p, v, vectors, lanes)
            with b.loop(main, self.k) as p:
                row = b.put(f"mul nsw i64 {p}, {self.b[0]}")
                at = b.put(f"add nsw i64 {row}, {v * w * self.b[1]}")
                b.lanes = lanes
                if self.b[1] == 1 or lanes == 1:
                    value = b.load(b.address(x, kind, at), kind)
                else:
                    value = b.gather(x, kind, at, self.b[1])
                value = self._widen(b, value, lanes)
                b.lanes = w
                to = b.put(f"mul nsw i64 {p}, {vectors * w}")
                to = b.put(f"add nsw i64 {to}, {v * w}")
                b.store(value, b.address(y, kind, to), kind)
                b.lanes = 1

    def _turn(self, b: Body, x: str, y: str, p: str, v: int, vectors: int, lanes: int) -> None:
        """Transpose a square block: columns lie together there, rows are wanted here."""
        kind, w = self.kind, self.width
        b.lanes = w
        rows = []
        for j in range(w):
            if j >= lanes:
                rows.append("zeroinitializer")
                continue
            at = b.put(f"add nsw i64 {p}, {(v * w + j) * self.b[1]}")
            rows.append(b.load(b.address(x, kind, at), kind))
        rows = transposed(b, kind, rows)
        for u, row in enumerate(rows):
            at = b.put(f"add nsw i64 {p}, {u}")
            at = b.put(f"mul nsw i64 {at}, {vectors * w}")
            at = b.put(f"add nsw i64 {at}, {v * w}")
            b.store(row, b.address(y, kind, at), kind)
        b.lanes = 1

    def _widen(self, b: Body, value: str, lanes: int) -> str:
        w = self.width
        if lanes == w:
            return value
        if lanes == 1:
            t = register_type(self.kind, w)
            one = register_type(self.kind, 1)
            return b.put(f"insertelement {t} zeroinitializer, {one} {value}, i64 0")
        t = register_type(self.kind, lanes)
        mask = ", ".join(f"i32 {k if k < lanes else lanes}" for k in range(w))
        return b.put(f"shufflevector {t} {value}, {t} zeroinitializer, <{w} x i32> <{mask}>")

    # -- computing -------------------------------------------------------------------------------

    def _compute(self) -> None:
        b = Body(self.module)
        x, y, z = (slot(b, p) for p in (self.slots[0], self.place, self.slots[2]))
        strips = ("%lo", "%hi") if self.by_strip else ("0", str(self.strips))
        if self.by_strip:  # each thread packs what it will use
            b.do(f"call void @{self.name}_pack(ptr %env, i64 %lo, i64 %hi, i64 %tid)")
        units = ("0", str(self.units)) if self.by_strip else ("%lo", "%hi")
        with b.loop(0, self.k, DEPTH) as p:
            left = b.put(f"sub nsw i64 {self.k}, {p}")
            depth = b.put(f"call i64 @llvm.smin.i64(i64 {left}, i64 {DEPTH})")
            more = b.put(f"icmp sgt i64 {p}, 0")
            with b.loop(*strips) as s:
                base = b.put(f"mul nsw i64 {s}, {self.strip * self.k}")
                if self.last == self.vectors:
                    step = b.put(f"mul nsw i64 {p}, {self.strip}")
                else:
                    edge = b.put(f"icmp eq i64 {s}, {self.strips - 1}")
                    wide = b.put(
                        f"select i1 {edge}, i64 {self.last * self.width}, i64 {self.strip}"
                    )
                    step = b.put(f"mul nsw i64 {p}, {wide}")
                packed = b.address(b.address(y, self.kind, base), self.kind, step)
                with b.loop(*units) as i:
                    self._dispatch(b, x, packed, z, s, i, p, depth, more)
        self.module.declare("declare i64 @llvm.smin.i64(i64, i64)")
        self._function(f"{self.name}_run", b)

    def _dispatch(self, b: Body, *given: str) -> None:
        """Call the function for the rows and columns of a block."""
        x, packed, z, s, i, p, depth, more = given
        kind = self.kind
        row = b.put(f"mul nsw i64 {i}, {self.height}")
        start = b.put(f"mul nsw i64 {row}, {self.a[0]}")
        start = b.put(f"add nsw i64 {start}, {b.put(f'mul nsw i64 {p}, {self.a[1]}')}")
        left = b.address(x, kind, start)
        at = b.put(f"mul nsw i64 {row}, {self.c[0]}")
        at = b.put(f"add nsw i64 {at}, {b.put(f'mul nsw i64 {s}, {self.strip}')}")
        out = b.address(z, kind, at)
        rest = self.m - (self.units - 1) * self.height
        at_edge = b.put(f"icmp eq i64 {s}, {self.strips - 1}")
        at_end = b.put(f"icmp eq i64 {i}, {self.units - 1}")
        args = f"(ptr {left}, ptr {packed}, ptr {out}, i64 {depth}, i1 {more})"

        def columns(rows: int) -> None:
            if self.even:
                b.do(f"call void @{self.name}_{rows}_full{args}")
                return
            if self.strips > 1:
                with b.when(b.put(f"xor i1 {at_edge}, true")):
                    b.do(f"call void @{self.name}_{rows}_full{args}")
            with b.when(at_edge):
                b.do(f"call void @{self.name}_{rows}_edge{args}")

        if rest == self.height:
            columns(self.height)
            return
        with b.when(b.put(f"xor i1 {at_end}, true")):
            columns(self.height)
        with b.when(at_end):
            columns(rest)

    def _micro(self, rows: int, full: bool) -> None:
        """The innermost function: a block of the result in registers."""
        b = Body(self.module)
        kind, w = self.kind, self.width
        vectors = self.vectors if full else self.last
        b.lanes = w
        t = b.type(kind)
        sums = [[b.stack(kind, w) for _ in range(vectors)] for _ in range(rows)]
        for line in sums:
            for variable in line:
                b.do(f"store {t} zeroinitializer, ptr {variable}, align 64")
        with b.when("%more"):
            for r, line in enumerate(sums):
                for v, variable in enumerate(line):
                    lanes = w if full or v < vectors - 1 else self.valid
                    b.lanes = lanes
                    old = b.load(b.address("%c", kind, str(r * self.c[0] + v * w)), kind)
                    old = self._widen(b, old, lanes)
                    b.do(f"store {t} {old}, ptr {variable}, align 64")
        b.lanes = w
        main = b.put(f"and i64 %depth, {-UNROLL}")
        with b.loop(0, main, UNROLL) as p:
            for u in range(UNROLL):
                self._step(b, p, u, rows, vectors, sums)
        with b.loop(main, "%depth") as p:
            self._step(b, p, 0, rows, vectors, sums)
        for r, line in enumerate(sums):
            for v, variable in enumerate(line):
                b.lanes = w
                value = b.put(f"load {t}, ptr {variable}, align 64")
                lanes = w if full or v < vectors - 1 else self.valid
                at = b.address("%c", kind, str(r * self.c[0] + v * w))
                if lanes == 1:
                    value = b.put(f"extractelement {t} {value}, i64 0")
                elif lanes < w:
                    mask = ", ".join(f"i32 {k}" for k in range(lanes))
                    value = b.put(
                        f"shufflevector {t} {value}, {t} poison, <{lanes} x i32> <{mask}>"
                    )
                b.lanes = lanes
                b.store(value, at, kind)
        b.lanes = 1
        b.do("ret void")
        name = f"{self.name}_{rows}_{'full' if full else 'edge'}"
        given = "ptr noalias %a, ptr noalias %b, ptr noalias %c, i64 %depth, i1 %more"
        self.module.function(f"define internal void @{name}({given})", b)

    def _step(
        self, b: Body, p: str, u: int, rows: int, vectors: int, sums: list[list[str]]
    ) -> None:
        kind, w = self.kind, self.width
        t = b.type(kind)
        at = b.put(f"mul nsw i64 {p}, {vectors * w}")
        y = b.address("%b", kind, at)
        row = [b.load(b.address(y, kind, str((u * vectors + v) * w)), kind) for v in range(vectors)]
        x = b.address("%a", kind, b.put(f"mul nsw i64 {p}, {self.a[1]}"))
        for r in range(rows):
            b.lanes = 1
            one = b.load(b.address(x, kind, str(u * self.a[1] + r * self.a[0])), kind)
            b.lanes = w
            spread = b.splat(one, kind)
            for v in range(vectors):
                old = b.put(f"load {t}, ptr {sums[r][v]}, align 64")
                new = b.intrinsic("fmuladd", kind, [spread, row[v], old])
                b.do(f"store {t} {new}, ptr {sums[r][v]}, align 64")


def transposed(b: Body, kind: str, rows: list[str]) -> list[str]:
    """Return the rows of the transpose of a square block, exchanging ever smaller blocks."""
    w = len(rows)
    t = register_type(kind, w)
    s = w // 2
    while s:
        for i in range(w):
            if i & s:
                continue
            first = ", ".join(f"i32 {q if not q & s else w + q - s}" for q in range(w))
            second = ", ".join(f"i32 {q + s if not q & s else w + q}" for q in range(w))
            x, y = rows[i], rows[i + s]
            rows[i] = b.put(f"shufflevector {t} {x}, {t} {y}, <{w} x i32> <{first}>")
            rows[i + s] = b.put(f"shufflevector {t} {x}, {t} {y}, <{w} x i32> <{second}>")
        s //= 2
    return rows


def packed(module: Any, name: str, kind: str, sizes: Any, a: Any, b: Any, c: Any) -> Any:
    """Return the product and whether its operands are exchanged; None where it is not for here."""
    m, n, k = sizes
    if m * n * k < LEAST or min(m, n) < 4 or k < 4:
        return None
    if n * k * np.dtype(kind).itemsize > MOST:
        return None
    if c[1] == 1:
        return Packed(module, name, kind, sizes, a, b, c), False
    if c[0] == 1:
        return Packed(module, name, kind, (n, m, k), b[::-1], a[::-1], c[::-1]), True
    return None
