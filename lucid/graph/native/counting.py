"""Short keys sorted by counting how often each occurs, compiled once per process.

Keys are unsigned, of 8 or 16 bits. Where the order of elements is asked for, keys of 16 bits are
sorted by their low half and then, keeping that order, by their high half.
"""

from __future__ import annotations

from lucid.graph.native import library
from lucid.graph.native.host import host
from lucid.graph.native.text import Body

__all__ = ["compiled", "room"]


def room(bits: int, order: bool) -> int:
    """Return how many bytes the counts take."""
    if order:
        return 8 * 256 * (bits // 8)
    return 8 << bits


def compiled(bits: int, order: bool) -> str:
    """Return the symbol of a function, which the linker knows.

    ``sort(keys, counts, n)`` sorts, and may write 64 bytes more than there are keys;
    ``order(keys, counts, n, places, scratch)`` writes where sorted keys come from.
    """
    symbol = f"lucid_count_{'order' if order else 'sort'}{bits}"
    library.once([symbol], lambda: _Writer(bits).text(symbol, order))
    return symbol


class _Writer:
    """Writes the functions."""

    def __init__(self, bits: int) -> None:
        self.bits, self.t = bits, f"i{bits}"

    def text(self, symbol: str, order: bool) -> str:
        """Return a module."""
        b = Body(None)
        counted = 8 * 256 * (self.bits // 8) if order else 8 << self.bits
        b.do(f"call void @llvm.memset.p0.i64(ptr %counts, i8 0, i64 {counted}, i1 false)")
        if order:
            self._order(b)
        else:
            self._sort(b)
        b.do("ret void")
        more = ", ptr %places, ptr %scratch" if order else ""
        head = f"define void @{symbol}(ptr %keys, ptr %counts, i64 %n{more}) nounwind {{"
        declared = "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"
        return "\n".join([declared, head, "entry:", *b.lines, "}"])

    def _key(self, b: Body, i: str) -> str:
        at = b.put(f"getelementptr {self.t}, ptr %keys, i64 {i}")
        return b.put(f"load {self.t}, ptr {at}, align {self.bits // 8}")

    def _halves(self, b: Body, key: str) -> list[str]:
        """Return places among the counts, for each half of a key."""
        wide = b.put(f"zext {self.t} {key} to i64")
        if self.bits == 8:
            return [wide]
        high = b.put(f"add i64 {b.put(f'lshr i64 {wide}, 8')}, 256")
        return [b.put(f"and i64 {wide}, 255"), high]

    def _step(self, b: Body, place: str) -> str:
        """Return a count, and make it one more."""
        at = b.address("%counts", "l", place)
        have = b.load(at, "l")
        b.store(b.put(f"add i64 {have}, 1"), at, "l")
        return have

    def _order(self, b: Body) -> None:
        with b.loop(0, "%n") as i:
            for place in self._halves(b, self._key(b, i)):
                self._step(b, place)
        halves = self.bits // 8
        for half in range(halves):
            self._starts(b, 256 * half)
        for half in range(halves):
            last = half == halves - 1
            with b.loop(0, "%n") as i:
                place = i if half == 0 else b.load(b.address("%scratch", "l", i), "l")
                goal = self._step(b, self._halves(b, self._key(b, place))[half])
                b.store(place, b.address("%places" if last else "%scratch", "l", goal), "l")

    def _starts(self, b: Body, first: int) -> None:
        """Turn counts into where the keys begin."""
        at = b.address("%counts", "l", str(first))
        before = b.block
        name = f"%sum{first}"
        b.do(f"br label %starts{first}")
        b.label(f"starts{first}")
        b.do(f"%at{first} = phi i64 [ 0, %{before} ], [ %at{first}.n, %starts{first} ]")
        b.do(f"{name} = phi i64 [ 0, %{before} ], [ {name}.n, %starts{first} ]")
        place = b.address(at, "l", f"%at{first}")
        b.do(f"{name}.n = add i64 {name}, {b.load(place, 'l')}")
        b.store(name, place, "l")
        b.do(f"%at{first}.n = add i64 %at{first}, 1")
        more = b.put(f"icmp ult i64 %at{first}.n, 256")
        b.do(f"br i1 {more}, label %starts{first}, label %after{first}")
        b.label(f"after{first}")

    def _sort(self, b: Body) -> None:
        with b.loop(0, "%n") as i:
            wide = b.put(f"zext {self.t} {self._key(b, i)} to i64")
            self._step(b, wide)
        lanes = host().width * 8 // self.bits
        vector = f"<{lanes} x {self.t}>"
        start = b.block
        b.do("br label %values")
        b.label("values")
        b.do(f"%value = phi i64 [ 0, %{start} ], [ %value.n, %next ]")
        b.do(f"%done = phi i64 [ 0, %{start} ], [ %end, %next ]")
        count = b.load(b.address("%counts", "l", "%value"), "l")
        b.do(f"%end = add i64 %done, {count}")
        key = b.put(f"trunc i64 %value to {self.t}")
        one = b.put(f"insertelement {vector} poison, {self.t} {key}, i64 0")
        every = b.put(
            f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer"
        )
        b.do("br label %fill")
        b.label("fill")
        b.do("%i = phi i64 [ %done, %values ], [ %i.n, %put ]")
        b.do(f"br i1 {b.put('icmp ult i64 %i, %end')}, label %put, label %next")
        b.label("put")
        at = b.put(f"getelementptr {self.t}, ptr %keys, i64 %i")
        b.do(f"store {vector} {every}, ptr {at}, align {self.bits // 8}")
        b.do(f"%i.n = add i64 %i, {lanes}")
        b.do("br label %fill")
        b.label("next")
        b.do("%value.n = add i64 %value, 1")
        more = b.put(f"icmp ult i64 %value.n, {1 << self.bits}")
        b.do(f"br i1 {more}, label %values, label %exit")
        b.label("exit")
