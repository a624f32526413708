"""Stable quicksort of vectors of keys, compiled once per process.

A partition reads a register of keys and writes those below the pivot together, and the others
together, both in their order: the former to where keys have been read already, the latter to
scratch memory. Few keys are sorted in registers (`sort_few`).

Source: B. Bramas, A novel hybrid quicksort algorithm vectorized using AVX-512 on Intel Skylake,
IJACSA 8 (2017), for the partition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lucid.graph.native import library
from lucid.graph.native.host import host
from lucid.graph.native.sort_few import Keys
from lucid.graph.native.text import Body

__all__ = ["compiled", "lanes_of"]

_SAMPLES = ((512, 31), (0, 7))  # from so many keys on, the pivot is the median of so many


def lanes_of(kind: str) -> int:
    """Return how many keys of a kind, "i" or "l", a register has."""
    return host().width // (4 if kind == "i" else 8)


def compiled(kind: str, payload: bool) -> str:
    """Return the prefix of the functions for keys of a kind, which the linker knows.

    ``<prefix>_sort(keys, scratch, n)`` sorts; ``<prefix>_select(keys, scratch, n, k)`` brings the
    k-th key to its place; ``<prefix>_part(keys, scratch, n)`` parts keys in two at a pivot, and
    returns how many are below. With payload there are two arrays of keys, and two of scratch: the
    second one moves with the first. Scratch has room for one register more than there are keys.
    """
    lanes = lanes_of(kind)
    prefix = f"lucid_quick_{kind}{'p' if payload else ''}{lanes}"
    symbols = [f"{prefix}_{name}" for name in ("sort", "select", "part")]
    library.once(symbols, lambda: _Writer(prefix, kind, lanes, payload).text())
    return prefix


class _Writer(Keys):
    """Writes the functions."""

    def __init__(self, prefix: str, kind: str, lanes: int, payload: bool) -> None:
        super().__init__(kind, lanes, payload)
        self.prefix = prefix

    def text(self) -> str:
        """Return the whole module."""
        return "\n".join(
            [
                *self.few(),
                "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
                self._function("internal i64 @partition", f", {self.t} %p", self._partition),
                self._function(f"internal {self.t} @pivot", "", self._pivot),
                self._function(f"i64 @{self.prefix}_part", "", self._part),
                self._function(f"void @{self.prefix}_sort", "", self._sort),
                self._function(f"void @{self.prefix}_select", ", i64 %k", self._select),
            ]
        )

    def _function(self, head: str, more: str, write: Callable[[Body], None]) -> str:
        b = Body(None)
        write(b)
        lines = [*b.allocas, *b.lines]
        head = f"define {head}({self._given(0, 1)}, i64 %n{more}) nounwind {{"
        return "\n".join([head, "entry:", *lines, "}"])

    # -- partition -------------------------------------------------------------------------------

    def _partition(self, b: Body) -> None:
        """Put keys below p in front of the others; return how many there are."""
        v, m, lanes = self.v, self.m, self.lanes
        pivot = self._everywhere(b, "%p", self.t)
        main = b.put(f"and i64 %n, {-lanes}")
        b.do("br label %head")
        b.label("head")
        b.do("%i = phi i64 [ 0, %entry ], [ %i.n, %body ]")
        b.do("%l = phi i64 [ 0, %entry ], [ %l.n, %body ]")
        b.do(f"%go = icmp slt i64 %i, {main}")
        b.do("br i1 %go, label %body, label %rest")
        b.label("body")
        h = b.put("sub i64 %i, %l")
        low = high = ""
        for a, s in self.pairs:
            x = b.put(f"load {v}, ptr {self._at(b, a, '%i')}, align {self.size}")
            if a == "%a":
                low = b.put(f"icmp slt {v} {x}, {pivot}")
                high = b.put(f"xor {m} {low}, splat (i1 true)")
            below, above = self._compress(b, x, low), self._compress(b, x, high)
            b.do(f"store {v} {below}, ptr {self._at(b, a, '%l')}, align {self.size}")
            b.do(f"store {v} {above}, ptr {self._at(b, s, h)}, align {self.size}")
        b.do(f"%l.n = add i64 %l, {self._size_of(b, low)}")
        b.do(f"%i.n = add i64 %i, {lanes}")
        b.do("br label %head")
        b.label("rest")
        left = b.put(f"sub i64 %n, {main}")
        inside = self._below(b, left)
        h = b.put(f"sub i64 {main}, %l")
        count = few = ""
        for a, s in self.pairs:
            x = self._load(b, self._at(b, a, main), inside)
            if a == "%a":
                low = b.put(f"and {m} {b.put(f'icmp slt {v} {x}, {pivot}')}, {inside}")
                high = b.put(f"xor {m} {low}, {inside}")
                count = self._size_of(b, low)
                few = self._below(b, count)
            self._store(b, self._compress(b, x, low), self._at(b, a, "%l"), few)
            above = self._compress(b, x, high)
            b.do(f"store {v} {above}, ptr {self._at(b, s, h)}, align {self.size}")
        end = b.put(f"add i64 %l, {count}")
        size = b.put(f"mul i64 {b.put(f'sub i64 %n, {end}')}, {self.size}")
        for a, s in self.pairs:
            to = self._at(b, a, end)
            b.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {s}, i64 {size}, i1 false)")
        b.do(f"ret i64 {end}")

    # -- quicksort -------------------------------------------------------------------------------

    def _pivot(self, b: Body) -> None:
        """Return the median of keys from places that look random."""
        buffers = ["%k", "%q"][: len(self.pairs)]
        b.allocas = [f"  {x} = alloca [32 x {self.t}], align 64" for x in buffers]
        (least, many), (_, few) = _SAMPLES
        large = b.put(f"icmp sge i64 %n, {least}")
        many, few = (min(x, self.most - 1) for x in (many, few))
        count = b.put(f"select i1 {large}, i64 {many}, i64 {few}")
        start = b.put(f"mul i64 %n, {0x632BE59BD9B4E019}")
        with b.loop(0, count) as i:
            mixed = b.put(f"mul i64 {b.put(f'add i64 {start}, {i}')}, {-0x61C8864680B583EB}")
            mixed = b.put(f"xor i64 {mixed}, {b.put(f'lshr i64 {mixed}, 29')}")
            wide = b.put(f"zext i64 {b.put(f'mul i64 {mixed}, {-0x40A7B892E31B1A47}')} to i128")
            wide = b.put(f"mul i128 {wide}, {b.put('zext i64 %n to i128')}")
            place = b.put(f"trunc i128 {b.put(f'lshr i128 {wide}, 64')} to i64")
            x = b.put(f"load {self.t}, ptr {self._at(b, '%a', place)}, align {self.size}")
            b.do(f"store {self.t} {x}, ptr {self._at(b, '%k', i)}, align {self.size}")
            if len(buffers) > 1:
                b.do(f"store {self.t} 0, ptr {self._at(b, '%q', i)}, align {self.size}")
        b.do(f"call void @base({', '.join(f'ptr {x}' for x in buffers)}, i64 {count})")
        middle = self._at(b, "%k", b.put(f"lshr i64 {count}, 1"))
        b.do(f"ret {self.t} {b.put(f'load {self.t}, ptr {middle}, align {self.size}')}")

    def _divide(self, b: Body, n: str) -> tuple[str, str]:
        """Choose a pivot and part keys at it; return it and how many are below."""
        p = b.put(f"call {self.t} @pivot({self._given(0, 1)}, i64 {n})")
        low = b.put(f"call i64 @partition({self._given(0, 1)}, i64 {n}, {self.t} {p})")
        return p, low

    def _part(self, b: Body) -> None:
        b.do(f"ret i64 {self._divide(b, '%n')[1]}")

    def _descend(self, b: Body, go: Callable[[str, str, bool], None]) -> None:
        """Sort few keys at once; part many, and go on as a function says.

        It gets how many keys are in front and behind, and whether those in front are equal.
        """
        few = b.put(f"icmp sle i64 %n, {self.most}")
        b.do(f"br i1 {few}, label %few, label %many")
        b.label("few")
        b.do(f"call void @base({self._given(0)}, i64 %n)")
        b.do("ret void")
        b.label("many")
        p, low = self._divide(b, "%n")
        none = b.put(f"icmp eq i64 {low}, 0")
        b.do(f"br i1 {none}, label %least, label %parts")
        b.label("least")  # nothing is below the pivot: what equals it comes first
        every = b.put(f"icmp eq {self.t} {p}, {self.top}")
        b.do(f"br i1 {every}, label %sorted, label %equal")
        b.label("sorted")
        b.do("ret void")
        b.label("equal")
        above = b.put(f"add {self.t} {p}, 1")
        alike = b.put(f"call i64 @partition({self._given(0, 1)}, i64 %n, {self.t} {above})")
        go(alike, b.put(f"sub i64 %n, {alike}"), True)
        b.label("parts")
        go(low, b.put(f"sub i64 %n, {low}"), False)

    def _again(self, b: Body, arrays: Sequence[str], rest: str, name: str) -> None:
        """Go on with a part of the keys."""
        given = ", ".join(f"ptr {x}" for x in (*arrays, *(s for _, s in self.pairs)))
        b.do(f"musttail call void @{self.prefix}_{name}({given}, {rest})")
        b.do("ret void")

    def _sort(self, b: Body) -> None:
        """Sort the smaller part by a call, and go on with the larger one."""

        def go(low: str, high: str, equal: bool) -> None:
            ends = [self._at(b, a, low) for a, _ in self.pairs]
            if equal:
                self._again(b, ends, f"i64 {high}", "sort")
                return
            smaller = b.put(f"icmp slt i64 {low}, {high}")
            now, later = [], []
            for (a, _), end in zip(self.pairs, ends, strict=True):
                now.append(b.put(f"select i1 {smaller}, ptr {a}, ptr {end}"))
                later.append(b.put(f"select i1 {smaller}, ptr {end}, ptr {a}"))
            first = b.put(f"select i1 {smaller}, i64 {low}, i64 {high}")
            rest = b.put(f"select i1 {smaller}, i64 {high}, i64 {low}")
            given = ", ".join(f"ptr {x}" for x in (*now, *(s for _, s in self.pairs)))
            b.do(f"call void @{self.prefix}_sort({given}, i64 {first})")
            self._again(b, later, f"i64 {rest}", "sort")

        self._descend(b, go)

    def _select(self, b: Body) -> None:
        """Go on with the part in which the k-th key is."""

        def go(low: str, high: str, equal: bool) -> None:
            left = b.put(f"icmp slt i64 %k, {low}")
            ends = [
                b.put(f"select i1 {left}, ptr {a}, ptr {self._at(b, a, low)}")
                for a, _ in self.pairs
            ]
            front = "0" if equal else low
            n = b.put(f"select i1 {left}, i64 {front}, i64 {high}")
            k = b.put(f"select i1 {left}, i64 %k, i64 {b.put(f'sub i64 %k, {low}')}")
            self._again(b, ends, f"i64 {n}, i64 {k}", "select")

        self._descend(b, go)
