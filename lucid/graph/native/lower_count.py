"""Sorting of many elements of 8 or 16 bits, by counting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.graph.ir import Value
from lucid.graph.native import counting
from lucid.graph.native.elementwise import cast
from lucid.graph.native.plan import Ref
from lucid.graph.native.routine import moved
from lucid.graph.native.sort_rows import Rows, each
from lucid.graph.native.table import address_of, scratch_of
from lucid.graph.native.text import Body

__all__ = ["Count", "counts"]

# From how many elements on it is faster, by bits, and whether the order is asked for.
_LEAST = {(8, False): 256, (8, True): 128, (16, False): 1 << 15, (16, True): 512}
_PAD = 128  # bytes that may be written behind the keys


def _bits(kind: str) -> int:
    return 8 if kind in "?bB" else 16


def counts(kind: str, n: int, order: bool) -> bool:
    """Whether so many elements are sorted by counting."""
    return kind in "?bBhH" and n >= _LEAST[_bits(kind), order]


class Count(Rows):
    """The elements of each row in ascending or descending order, or where they come from."""

    def __init__(self, x: Ref, out: Value, axis: int, order: bool, descending: bool) -> None:
        super().__init__(x, out, axis, order, descending)
        self.bits = _bits(self.kind)
        self.unsigned = "B" if self.bits == 8 else "H"
        self.work = self.pieces * self.n * 4

    def scratch(self, module: Any) -> None:
        """Keys, counts, and places twice, for each thread."""
        self.lanes = module.width // (self.bits // 8)
        sizes = [self.n * self.bits // 8 + _PAD, counting.room(self.bits, self.order)]
        sizes += [8 * self.n] * (2 if self.order else 0)
        self.starts = [0]
        for size in sizes:
            self.starts.append(self.starts[-1] + -(-size // 64) * 64)
        self.bytes = self.starts.pop()
        self.memory = module.scratch(self.bytes * (module.threads if self.pieces > 1 else 1))

    def code(self, b: Body) -> None:
        """Loop over rows."""
        x, out = self.operands[0], Ref.whole(self.results[0])
        kind = self.results[0].aval.dtype.char
        base, target = address_of(b, x), address_of(b, out)
        first = scratch_of(b, self.memory, self.bytes)
        buffers = [b.put(f"getelementptr inbounds i8, ptr {first}, i64 {k}") for k in self.starts]
        given = [f"ptr {buffers[0]}", f"ptr {buffers[1]}", f"i64 {self.n}"]
        given += [f"ptr {p}" for p in buffers[2:]]
        symbol = counting.compiled(self.bits, self.order)
        types = ", ".join(g.split()[0] for g in given)
        b.module.declare(f"declare void @{symbol}({types})")
        with b.loop("%lo", "%hi") as r:
            self.load(b, self.row(b, base, self.kind, self.strides(x), r), buffers)
            b.do(f"call void @{symbol}({', '.join(given)})")
            self.save(b, buffers, self.row(b, target, kind, self.strides(out), r), 0, self.n)

    def _turned(self, b: Body, x: str) -> str:
        """Exchange elements with keys, or back: both as unsigned numbers."""
        kind, flip = self.unsigned, 1 << (self.bits - 1) if self.kind in "bh" else 0
        if self.descending:
            flip ^= 1 if self.kind == "?" else (1 << self.bits) - 1
        return b.binary("xor", kind, x, b.const(flip, kind)) if flip else x

    def load(self, b: Body, source: str, buffers: Sequence[str]) -> None:
        """Make keys of a row; truth values are bytes 0 and 1, for sure."""
        kind, step = self.kind, self.operands[0].strides[self.axis]

        def visit(i: str) -> None:
            x = b.load(moved(b, source, kind, i, step), kind)
            x = cast(b, x, "?", "B") if kind == "?" else x
            b.store(self._turned(b, x), b.address(buffers[0], self.unsigned, i), self.unsigned)

        each(b, 0, self.n, self.lanes if step == 1 else 1, visit)

    def save(self, b: Body, buffers: Sequence[str], goal: str, start: Any, stop: Any) -> None:
        """Write elements, or places."""
        kind = "l" if self.order else self.unsigned
        source = buffers[2 if self.order else 0]
        step = Ref.whole(self.results[0]).strides[self.axis]

        def visit(i: str) -> None:
            x = b.load(b.address(source, kind, i), kind)
            b.store(x if self.order else self._turned(b, x), moved(b, goal, kind, i, step), kind)

        each(b, start, stop, self.lanes if step == 1 and not self.order else 1, visit)
