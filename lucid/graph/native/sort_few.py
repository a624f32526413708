"""Few keys sorted in registers: by a network, or by counting where places move with them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from lucid.graph.native.sort_pack import packer
from lucid.graph.native.text import Body

__all__ = ["Keys"]


class Keys:
    """Writes functions that sort few keys.

    Attributes:
        t: the type of a key.
        v: that of a register of keys.
        m: that of what a comparison of registers gives.
        pairs: the names of arrays, each with that of its scratch.
        most: how many keys are few.
    """

    def __init__(self, kind: str, lanes: int, payload: bool) -> None:
        self.lanes, self.payload = lanes, payload
        self.size = 4 if kind == "i" else 8
        self.t = f"i{8 * self.size}"
        self.v, self.m = f"<{lanes} x {self.t}>", f"<{lanes} x i1>"
        self.suffix = f"v{lanes}{self.t}"
        self.top = (1 << (8 * self.size - 1)) - 1
        self.packer = packer(lanes, 8 * self.size)
        self.pairs = [("%a", "%s"), ("%b", "%r")][: 2 if payload else 1]
        self.most = min(32, 4 * lanes) if payload else 16 * lanes

    def few(self) -> list[str]:
        """Return declarations, and the function ``@base(keys, n)``."""
        v, m, lanes = self.v, self.m, self.lanes
        found = [
            *self.packer.text(),
            f"declare {v} @llvm.masked.load.{self.suffix}.p0(ptr, i32, {m}, {v})",
            f"declare void @llvm.masked.store.{self.suffix}.p0({v}, ptr, i32, {m})",
            f"declare {v} @llvm.smin.{self.suffix}({v}, {v})",
            f"declare {v} @llvm.smax.{self.suffix}({v}, {v})",
            "declare i64 @llvm.smax.i64(i64, i64)",
            "declare i64 @llvm.ctlz.i64(i64, i1)",
            f"declare i{lanes} @llvm.ctpop.i{lanes}(i{lanes})",
        ]
        if not self.payload:
            return [*found, self._network()]
        registers = 1
        while registers * lanes <= self.most:
            found.append(self._counting(registers))
            registers *= 2
        return [*found, self._base()]

    def _given(self, *which: int) -> str:
        """Return the names of arrays (0) and of their scratch (1), as they are handed on."""
        return ", ".join(f"ptr {pair[i]}" for i in which for pair in self.pairs)

    # -- registers -------------------------------------------------------------------------------

    def _at(self, b: Body, base: str, index: str) -> str:
        return b.put(f"getelementptr {self.t}, ptr {base}, i64 {index}")

    def _everywhere(self, b: Body, x: str, t: str) -> str:
        v = f"<{self.lanes} x {t}>"
        one = b.put(f"insertelement {v} poison, {t} {x}, i64 0")
        return b.put(f"shufflevector {v} {one}, {v} poison, <{self.lanes} x i32> zeroinitializer")

    def _below(self, b: Body, n: str) -> str:
        """Return a mask of the first n lanes."""
        ramp = ", ".join(f"i64 {k}" for k in range(self.lanes))
        every = self._everywhere(b, n, "i64")
        return b.put(f"icmp sgt <{self.lanes} x i64> {every}, <{ramp}>")

    def _compress(self, b: Body, x: str, mask: str) -> str:
        return self.packer.packed(b, x, mask)

    def _load(self, b: Body, at: str, mask: str) -> str:
        rest = f"i32 {self.size}, {self.m} {mask}, {self.v} splat ({self.t} {self.top})"
        return b.put(f"call {self.v} @llvm.masked.load.{self.suffix}.p0(ptr {at}, {rest})")

    def _store(self, b: Body, x: str, at: str, mask: str) -> None:
        rest = f"ptr {at}, i32 {self.size}, {self.m} {mask}"
        b.do(f"call void @llvm.masked.store.{self.suffix}.p0({self.v} {x}, {rest})")

    def _size_of(self, b: Body, mask: str) -> str:
        lanes = self.lanes
        bits = b.put(f"bitcast {self.m} {mask} to i{lanes}")
        count = b.put(f"call i{lanes} @llvm.ctpop.i{lanes}(i{lanes} {bits})")
        return b.put(f"zext i{lanes} {count} to i64")

    # -- counting --------------------------------------------------------------------------------

    def _counting(self, registers: int) -> str:
        """Sort what fits into so many registers."""
        b = Body(None)
        v, lanes = self.v, self.lanes
        room = f"alloca [{registers} x {v}], align 64"
        buffers = ["%k", "%q"][: len(self.pairs)]
        b.allocas = [f"  {name} = {room}" for name in (*buffers, "%places")]
        keys: list[str] = []
        for r in range(registers):
            inside = self._below(b, b.put(f"sub i64 %n, {r * lanes}"))
            for (a, _), buffer in zip(self.pairs, buffers, strict=True):
                x = self._load(b, self._at(b, a, str(r * lanes)), inside)
                b.do(f"store {v} {x}, ptr {self._at(b, buffer, str(r * lanes))}, align 64")
                if a == "%a":
                    keys.append(x)
        ramp = ", ".join(f"{self.t} {k}" for k in range(lanes))
        places = ["zeroinitializer"] * registers
        for own in range(registers):
            places = self._counted(b, keys, places, own, f"<{ramp}>")
        for r, place in enumerate(places):
            b.do(f"store {v} {place}, ptr {self._at(b, '%places', str(r * lanes))}, align 64")
        with b.loop(0, "%n") as i:
            place = b.put(f"load {self.t}, ptr {self._at(b, '%places', i)}, align {self.size}")
            if self.t != "i64":
                place = b.put(f"zext {self.t} {place} to i64")
            for (a, _), buffer in zip(self.pairs, buffers, strict=True):
                x = b.put(f"load {self.t}, ptr {self._at(b, buffer, i)}, align {self.size}")
                b.do(f"store {self.t} {x}, ptr {self._at(b, a, place)}, align {self.size}")
        b.do("ret void")
        head = f"define internal void @count{registers}({self._given(0)}, i64 %n) nounwind {{"
        return "\n".join([head, "entry:", *b.allocas, *b.lines, "}"])

    def _counted(
        self, b: Body, keys: Sequence[str], places: Sequence[str], own: int, ramp: str
    ) -> list[str]:
        """Compare all keys with those in one register, and count those that come before."""
        v = self.v
        before, head, inside, after = b.block, f"head{own}", f"inside{own}", f"after{own}"
        b.do(f"br label %{head}")
        b.label(head)
        counts = [f"%count{own}.{r}" for r in range(len(keys))]
        b.do(f"%j{own} = phi {self.t} [ 0, %{before} ], [ %j{own}.n, %{inside} ]")
        for count, place in zip(counts, places, strict=True):
            b.do(f"{count} = phi {v} [ {place}, %{before} ], [ {count}.n, %{inside} ]")
        more = b.put(f"icmp ult {self.t} %j{own}, {self.lanes}")
        b.do(f"br i1 {more}, label %{inside}, label %{after}")
        b.label(inside)
        at = self._at(b, "%k", str(own * self.lanes))
        at = b.put(f"getelementptr {self.t}, ptr {at}, {self.t} %j{own}")
        one = b.put(f"load {self.t}, ptr {at}, align {self.size}")
        other = self._everywhere(b, one, self.t)
        for r, (key, count) in enumerate(zip(keys, counts, strict=True)):
            mask = b.put(f"icmp {'sle' if r > own else 'slt'} {v} {other}, {key}")
            if r == own:  # equal ones come before if they stand before
                level = b.put(f"icmp eq {v} {other}, {key}")
                behind = b.put(f"icmp sgt {v} {ramp}, {self._everywhere(b, f'%j{own}', self.t)}")
                level = b.put(f"and {self.m} {level}, {behind}")
                mask = b.put(f"or {self.m} {mask}, {level}")
            b.do(f"{count}.n = sub {v} {count}, {b.put(f'sext {self.m} {mask} to {v}')}")
        b.do(f"%j{own}.n = add {self.t} %j{own}, 1")
        b.do(f"br label %{head}")
        b.label(after)
        return counts

    def _base(self) -> str:
        """Sort few keys with as few registers as they fit into."""
        b = Body(None)
        registers = 1
        while registers * self.lanes < self.most:
            fits = b.put(f"icmp sle i64 %n, {registers * self.lanes}")
            b.do(f"br i1 {fits}, label %use{registers}, label %try{2 * registers}")
            b.label(f"use{registers}")
            b.do(f"call void @count{registers}({self._given(0)}, i64 %n)")
            b.do("ret void")
            registers *= 2
            b.label(f"try{registers}")
        b.do(f"call void @count{registers}({self._given(0)}, i64 %n)")
        b.do("ret void")
        head = f"define internal void @base({self._given(0)}, i64 %n) nounwind {{"
        return "\n".join([head, "entry:", *b.lines, "}"])

    # -- a network -------------------------------------------------------------------------------

    def _both(self, b: Body, x: str, y: str) -> tuple[str, str]:
        """Return the smaller and the larger of keys, lane by lane."""
        low, high = (
            b.put(f"call {self.v} @llvm.{f}.{self.suffix}({self.v} {x}, {self.v} {y})")
            for f in ("smin", "smax")
        )
        return low, high

    def _exchanged(self, b: Body, x: str, partners: Sequence[int], least: Sequence[bool]) -> str:
        """Compare each lane with another one; where `least` keep the smaller key."""
        low, high = self._both(b, x, self._shuffled(b, x, partners))
        mask = ", ".join(f"i1 {'true' if k else 'false'}" for k in least)
        return b.put(f"select {self.m} <{mask}>, {self.v} {low}, {self.v} {high}")

    def _shuffled(self, b: Body, x: str, places: Sequence[int]) -> str:
        mask = ", ".join(f"i32 {k}" for k in places)
        return b.put(f"shufflevector {self.v} {x}, {self.v} poison, <{self.lanes} x i32> <{mask}>")

    def _merged(self, b: Body, x: str, size: int) -> str:
        """Sort runs of lanes that rise and then fall, or the other way; every other one falls."""
        lanes, step = range(self.lanes), size // 2
        while step:
            least = [(k & step == 0) == (k & size == 0) for k in lanes]
            x = self._exchanged(b, x, [k ^ step for k in lanes], least)
            step //= 2
        return x

    def _network(self) -> str:
        """Sort a few registers of keys: each, then pairs of runs of them.

        Source: K. E. Batcher, Sorting networks and their applications, AFIPS 32 (1968).
        """
        b = Body(None)
        b.allocas = [f"  %k = alloca [16 x {self.v}], align 64"]
        some = b.put("call i64 @llvm.smax.i64(i64 %n, i64 2)")
        last = b.put(f"lshr i64 {b.put(f'sub i64 {some}, 1')}, {self.lanes.bit_length() - 1}")
        zeros = b.put(f"call i64 @llvm.ctlz.i64(i64 {last}, i1 false)")
        count = b.put(f"shl i64 1, {b.put(f'sub i64 64, {zeros}')}")
        count = b.put(f"call i64 @llvm.smax.i64(i64 {count}, i64 2)")
        half = b.put(f"lshr i64 {count}, 1")
        with b.loop(0, half) as t:
            self._first(b, t)
        with self._steps(b, "w", "2", f"ult i64 %w, {count}", "shl") as w:
            with b.loop(0, half) as t:
                self._fold(b, t, w)
            start = b.put(f"lshr i64 {w}, 1")
            with (
                self._steps(b, "d", start, "ugt i64 %d, 1", "lshr") as step,
                b.loop(0, half) as t,
            ):
                inner = b.put(f"and i64 {t}, {b.put(f'sub i64 {step}, 1')}")
                place = b.put(f"sub i64 {b.put(f'shl i64 {t}, 1')}, {inner}")
                self._pair(b, place, step, merge=False)
            with b.loop(0, half) as t:
                self._pair(b, b.put(f"shl i64 {t}, 1"), "1", merge=True)
        with b.loop(0, count) as r:
            first, inside = self._inside(b, r)
            self._store(b, self._register(b, r)[0], self._at(b, "%a", first), inside)
        b.do("ret void")
        head = "define internal void @base(ptr %a, i64 %n) nounwind {"
        return "\n".join([head, "entry:", *b.allocas, *b.lines, "}"])

    def _inside(self, b: Body, r: str) -> tuple[str, str]:
        """Return the place of a register's first key, and which of its keys there are."""
        first = b.put(f"mul i64 {r}, {self.lanes}")
        return first, self._below(b, b.put(f"sub i64 %n, {first}"))

    def _register(self, b: Body, index: str) -> tuple[str, str]:
        """Return keys and their address."""
        at = b.put(f"getelementptr {self.v}, ptr %k, i64 {index}")
        return b.put(f"load {self.v}, ptr {at}, align 64"), at

    def _put(self, b: Body, x: str, at: str) -> None:
        b.do(f"store {self.v} {x}, ptr {at}, align 64")

    def _first(self, b: Body, t: str) -> None:
        """Take two registers of keys, sort them, and merge them."""
        pair = []
        for k in range(2):
            r = b.put(f"add i64 {b.put(f'shl i64 {t}, 1')}, {k}")
            first, inside = self._inside(b, r)
            x, run = self._load(b, self._at(b, "%a", first), inside), 2
            while run <= self.lanes:
                x = self._merged(b, x, run)
                run *= 2
            pair.append((x, b.put(f"getelementptr {self.v}, ptr %k, i64 {r}")))
        for x, (_, at) in zip(self._folded(b, pair[0][0], pair[1][0]), pair, strict=True):
            self._put(b, self._merged(b, x, self.lanes), at)

    def _folded(self, b: Body, x: str, y: str) -> tuple[str, str]:
        """Of two runs that rise make two that rise and fall, the first below the second."""
        back = range(self.lanes - 1, -1, -1)
        low, high = self._both(b, x, self._shuffled(b, y, back))
        return low, self._shuffled(b, high, back)

    def _fold(self, b: Body, t: str, w: str) -> None:
        """The same with runs of w registers: a register of one, and its counterpart."""
        inner = b.put(f"and i64 {t}, {b.put(f'sub i64 {w}, 1')}")
        start = b.put(f"shl i64 {b.put(f'sub i64 {t}, {inner}')}, 1")
        end = b.put(f"sub i64 {b.put(f'add i64 {start}, {w}')}, 1")
        x, at = self._register(b, b.put(f"add i64 {start}, {inner}"))
        y, to = self._register(b, b.put(f"add i64 {w}, {b.put(f'sub i64 {end}, {inner}')}"))
        low, high = self._folded(b, x, y)
        self._put(b, low, at)
        self._put(b, high, to)

    def _pair(self, b: Body, place: str, step: str, merge: bool) -> None:
        """Exchange two registers lane by lane; `merge`: sort them, which rise and fall."""
        x, at = self._register(b, place)
        y, to = self._register(b, b.put(f"add i64 {place}, {step}"))
        for z, where in zip(self._both(b, x, y), (at, to), strict=True):
            self._put(b, self._merged(b, z, self.lanes) if merge else z, where)

    @contextmanager
    def _steps(self, b: Body, name: str, start: str, test: str, change: str) -> Generator[str]:
        """Emit a loop whose index is doubled or halved each time."""
        before, index = b.block, f"%{name}"
        head, inside, latch, after = (f"{x}.{name}" for x in ("head", "inside", "latch", "after"))
        b.do(f"br label %{head}")
        b.label(head)
        b.do(f"{index} = phi i64 [ {start}, %{before} ], [ {index}.n, %{latch} ]")
        more = b.put(f"icmp {test}")
        b.do(f"br i1 {more}, label %{inside}, label %{after}")
        b.label(inside)
        yield index
        b.do(f"br label %{latch}")
        b.label(latch)
        b.do(f"{index}.n = {change} i64 {index}, 1")
        b.do(f"br label %{head}")
        b.label(after)
