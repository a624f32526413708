"""Products of matrices, block by block, over strips of the right one that fit a first-level cache.

Strips are packed: they are copied so that what a block reads lies together. Threads share the rows,
or the strips. The functions are compiled once per process, for all sizes: a product is described by
constants, and called with addresses.

K. Goto and R. van de Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34 (2008).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lucid.graph.native.micro import block, lanes_of, square_of, turn
from lucid.graph.native.text import Body

__all__ = ["MOST", "Packed"]

DEPTH = 256  # rows of a strip that one pass takes: 32 KiB for two registers of 64 bytes
VECTORS = 2  # registers across a strip
MOST = 1 << 26  # bytes of the packed matrix, beyond which BLAS is called

# What a product's constants are, in their order; then come the functions for blocks: inner and last
# rows of an inner strip, inner and last rows of the last strip.
FIELDS = (
    *("k", "a0", "a1", "b0", "b1", "c0", "height", "units", "strips", "last", "valid"),
    *("by_strip", "packs"),
)
# What the functions get: the constants, the operands, the result, and room for packed strips.
GIVEN = ("constants", "a", "b", "c", "strips")


class Packed:
    """A product c = a b of sizes (m, n, k), whose result has stride 1 along its columns.

    Attributes:
        size: bytes of the packed matrix; 0 if it is read where it lies.
        parallel: whether it is large enough for threads.
    """

    def __init__(self, module: Any, kind: str, sizes: Any, a: Any, b: Any, c: Any) -> None:
        self.kind = kind
        m, n, k = sizes
        item = np.dtype(kind).itemsize
        w = lanes_of(module, kind)
        height, units, end = _cut(m, module.host.registers)
        strips = -(-n // (VECTORS * w))
        rest = n - (strips - 1) * VECTORS * w
        last = -(-rest // w)  # registers in the last strip
        valid = rest - (last - 1) * w  # numbers in its last register
        self.by_strip = strips >= 2 * module.threads or units < 2
        self.strips, self.units = strips, units
        packs = b[1] != 1 or units > 2
        self.size = k * ((strips - 1) * VECTORS + last) * w * item * packs
        self.parallel = 2 * m * n * k >= 20 * module.parallel_work
        strides = (s * item for s in (*a, *b, c[0]))
        fields = (k, *strides, height, units, strips, last, valid, self.by_strip, packs)
        functions = [
            block(module, kind, rows, vectors, masked)
            for vectors, masked in ((VECTORS, False), (last, valid < w))
            for rows in (height, end)
        ]
        numbers = [f"i64 {int(x)}" for x in fields]
        numbers += [f"i64 ptrtoint (ptr @{f} to i64)" for f in functions]
        self.constants = module.numbers(numbers)
        self._pack, self._run = _functions(module, kind)

    def call(self, b: Body, x: str, y: str, z: str, room: str) -> None:
        """Add the calls; `room` is scratch memory of `size` bytes."""
        given = b.name()
        b.allocas.append(f"  {given} = alloca [{len(GIVEN)} x ptr], align 8")
        for k, value in enumerate((self.constants, x, y, z, room)):
            place = b.put(f"getelementptr inbounds ptr, ptr {given}, i64 {k}")
            b.do(f"store ptr {value}, ptr {place}, align 8")
        if self.size and not self.by_strip:
            b.module.run(b, self._pack, self.strips, False, given)
        b.module.run(
            b, self._run, self.strips if self.by_strip else self.units, self.parallel, given
        )


def _cut(m: int, registers: int) -> tuple[int, int, int]:
    """Cut rows into blocks: their height, how many there are, and the height of the last one.

    The height hardly matters for speed as long as the sums hide the latency of additions, so it is
    nearly always the same: every height is a function to compile.
    """
    most = (registers - VECTORS - 2) // VECTORS
    if m <= most:
        return m, 1, m
    height = registers // 4
    units = m // height
    end = m - (units - 1) * height  # one and a bit, if that fits
    return (height, units, end) if end <= most else (height, units + 1, end - height)


# -- the functions -------------------------------------------------------------------------------


def _functions(module: Any, kind: str) -> tuple[str, str]:
    """Return the names of the functions that pack and compute strips or rows from lo to hi."""
    names = []
    for name, define in (("pack", _pack), ("product", _run)):
        symbol = f"lucid_{name}_{kind}"
        head = f"void @{symbol}(ptr %env, i64 %lo, i64 %hi, i64 %tid)"
        module.use(symbol, head, partial(define, head, kind))
        names.append(symbol)
    return names[0], names[1]


class _Given:
    """What a function reads when it starts: constants by name, and addresses."""

    def __init__(self, b: Body, kind: str) -> None:
        addresses = (
            b.put(f"load ptr, ptr {b.put(f'getelementptr ptr, ptr %env, i64 {k}')}, align 8")
            for k in range(len(GIVEN))
        )
        self.constants, self.a, self.b, self.c, self.strips = addresses
        self.b_, self.kind = b, kind
        self.item = np.dtype(kind).itemsize
        self.width = lanes_of(b.module, kind)
        self.register = self.width * self.item  # bytes

    def __getitem__(self, name: str) -> str:
        at = self.b_.address(self.constants, "l", str(FIELDS.index(name)))
        return self.b_.load(at, "l")

    def vectors(self, s: str) -> tuple[str, str]:
        """Return whether a strip is the last one, and how many registers it has."""
        b = self.b_
        strips = self["strips"]
        edge = b.put(f"icmp eq i64 {s}, {b.put(f'sub nsw i64 {strips}, 1')}")
        return edge, b.put(f"select i1 {edge}, i64 {self['last']}, i64 {VECTORS}")


def _times(b: Body, x: Any, y: Any) -> str:
    return b.put(f"mul nsw i64 {x}, {y}")


def _pack(head: str, kind: str, module: Any) -> None:
    b = Body(module)
    g = _Given(b, kind)
    k, b0, b1, valid = (g[name] for name in ("k", "b0", "b1", "valid"))
    square = turn(module, kind)
    together = b.put(f"icmp eq i64 {b1}, {g.item}")
    across = b.put(f"icmp eq i64 {b0}, {g.item}")
    side = square_of(module, kind)
    main = b.put(f"and i64 {k}, {-side}")
    with b.loop("%lo", "%hi") as s:
        edge, vectors = g.vectors(s)
        step = _times(b, vectors, g.register)
        first = b.on(g.b, _times(b, _times(b, s, VECTORS * g.width), b1))
        goal = b.on(g.strips, _times(b, _times(b, s, VECTORS * g.register), k))
        with b.loop(0, vectors) as v:
            end = b.put(f"icmp eq i64 {v}, {b.put(f'sub nsw i64 {vectors}, 1')}")
            part = b.put(f"and i1 {end}, {edge}")
            lanes = b.put(f"select i1 {part}, i64 {valid}, i64 {g.width}")
            x = b.on(first, _times(b, _times(b, v, g.width), b1))
            y = b.on(goal, _times(b, v, g.register))
            whole = b.put(f"icmp eq i64 {lanes}, {g.width}")
            copies = b.put(f"and i1 {together}, {whole}")
            with b.when(copies), b.loop(0, k) as p:
                b.lanes = g.width
                value = b.load(b.on(x, _times(b, p, b0)), kind)
                b.store(value, b.on(y, _times(b, p, step)), kind)
                b.lanes = 1
            with b.when(across), b.loop(0, main, side) as p, b.loop(0, lanes, side) as j:
                here = b.on(x, _times(b, p, g.item), _times(b, j, b1))
                there = b.on(y, _times(b, p, step), _times(b, j, g.item))
                count = b.put(f"sub nsw i64 {lanes}, {j}")
                operands = f"ptr {here}, i64 {b1}, ptr {there}, i64 {step}, i64 {count}"
                b.do(f"call void @{square}({operands})")
            start = b.put(f"select i1 {across}, i64 {main}, i64 0")
            start = b.put(f"select i1 {copies}, i64 {k}, i64 {start}")
            with b.loop(start, k) as p, b.loop(0, lanes) as j:
                here = b.on(x, _times(b, p, b0), _times(b, j, b1))
                there = b.on(y, _times(b, p, step), _times(b, j, g.item))
                b.store(b.load(here, kind), there, kind)
    b.do("ret void")
    module.function(f"define {head}", b)


def _run(head: str, kind: str, module: Any) -> None:
    b = Body(module)
    g = _Given(b, kind)
    names = ("k", "a0", "a1", "b0", "c0", "height", "units", "valid")
    k, a0, a1, b0, c0, height, units, valid = (g[name] for name in names)
    by_strip, packs = (b.put(f"icmp ne i64 {g[name]}, 0") for name in ("by_strip", "packs"))
    pack, _ = _functions(module, kind)
    with b.when(b.put(f"and i1 {by_strip}, {packs}")):  # each thread packs what it will use
        b.do(f"call void @{pack}(ptr %env, i64 %lo, i64 %hi, i64 %tid)")
    module.declare("declare i64 @llvm.smin.i64(i64, i64)")
    strips = [
        b.put(f"select i1 {by_strip}, i64 {x}, i64 {y}")
        for x, y in (("%lo", "0"), ("%hi", g["strips"]))
    ]
    rows = [
        b.put(f"select i1 {by_strip}, i64 {x}, i64 {y}") for x, y in (("0", "%lo"), (units, "%hi"))
    ]
    end = b.put(f"sub nsw i64 {units}, 1")
    x_step, z_step = _times(b, height, a0), _times(b, height, c0)
    functions = b.address(g.constants, "l", str(len(FIELDS)))
    with b.loop(0, k, DEPTH) as p:
        left = b.put(f"sub nsw i64 {k}, {p}")
        depth = b.put(f"call i64 @llvm.smin.i64(i64 {left}, i64 {DEPTH})")
        more = b.put(f"zext i1 {b.put(f'icmp sgt i64 {p}, 0')} to i64")
        x = b.on(g.a, _times(b, p, a1))
        with b.loop(strips[0], strips[1]) as s:
            edge, vectors = g.vectors(s)
            column = _times(b, s, VECTORS * g.register)
            step = b.put(f"select i1 {packs}, i64 {_times(b, vectors, g.register)}, i64 {b0}")
            start = b.put(f"select i1 {packs}, i64 {_times(b, column, k)}, i64 {column}")
            base = b.put(f"select i1 {packs}, ptr {g.strips}, ptr {g.b}")
            y = b.on(base, start, _times(b, p, step))
            z = b.on(g.c, column)
            last = b.put(f"select i1 {edge}, i64 2, i64 0")
            with b.loop(rows[0], rows[1]) as i:
                at_end = b.put(f"zext i1 {b.put(f'icmp eq i64 {i}, {end}')} to i64")
                which = b.put(f"add nsw i64 {last}, {at_end}")
                address = b.load(b.address(functions, "l", which), "l")
                function = b.put(f"inttoptr i64 {address} to ptr")
                here, goal = b.on(x, _times(b, i, x_step)), b.on(z, _times(b, i, z_step))
                b.do(
                    f"call void {function}(ptr {here}, i64 {a0}, i64 {a1}, ptr {y}, i64 {step}, "
                    f"ptr {goal}, i64 {c0}, i64 {depth}, i64 {more}, i64 {valid})"
                )
    b.do("ret void")
    module.function(f"define {head}", b)
