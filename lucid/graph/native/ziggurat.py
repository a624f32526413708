"""Normal and exponential numbers by the ziggurat method in native code, NumPy's to the bit.

Sources: those of `ziggurat_tables`.
"""

from __future__ import annotations

from collections.abc import Callable

from lucid.graph.native.stream import PLACE, WORDS, Stream
from lucid.graph.native.text import Body, literal
from lucid.graph.native.ziggurat_tables import EXPONENTIAL, NORMAL, tables

__all__ = ["Ziggurat"]


class Ziggurat(Stream):
    """Writes functions that draw normal and exponential numbers."""

    def ziggurat(self, name: str) -> list[str]:
        """Return the tables, and ``@late.<name>(state, word, goal)``."""
        return [*self._tables(name), self._late(name)]

    def _tables(self, name: str) -> list[str]:
        found = tables(name, self.kind)
        rows = [(self.w, map(str, found.bounds))]
        rows += [(self.real, (literal(x, self.kind) for x in t)) for t in found[1:]]
        return [
            f"@{name}.{part} = internal constant [256 x {t}] [{', '.join(f'{t} {x}' for x in row)}]"
            for part, (t, row) in zip(("bounds", "scales", "densities"), rows, strict=True)
        ]

    def _entry(self, b: Body, name: str, part: str, layer: str) -> str:
        t = self.w if part == "bounds" else self.real
        at = b.put(f"getelementptr {t}, ptr @{name}.{part}, {self.w} {layer}")
        return b.put(f"load {t}, ptr {at}, align {self.size}")

    def _split(self, b: Body, name: str, word: str) -> tuple[str, str, str]:
        """Return the layer that a word stands for, the place in it, and the number there."""
        w, real = self.w, self.real
        skip = 0 if name == "normal" else 3 if self.kind == "d" else 1
        layer = b.put(f"and {w} {b.put(f'lshr {w} {word}, {skip}')}, 255")
        place = b.put(f"lshr {w} {word}, {skip + 8 + (name == 'normal')}")
        if name == "normal":
            place = b.put(f"and {w} {place}, {(1 << (23 if self.f else 52)) - 1}")
        x = b.put(f"uitofp {w} {place} to {real}")
        x = b.put(f"fmul {real} {x}, {self._entry(b, name, 'scales', layer)}")
        if name == "normal":
            sign = b.put(f"and {w} {word}, 256")
            bits = b.put(f"shl {w} {sign}, {8 * self.size - 9}")
            x = b.put(f"bitcast {real} {x} to {w}")
            x = b.put(f"bitcast {w} {b.put(f'xor {w} {x}, {bits}')} to {real}")
        return layer, place, x

    def _ziggurat(self, name: str) -> Callable[[Body], None]:
        """All numbers; those that need a second look are left to a function."""
        w, real = self.w, self.real

        def write(b: Body) -> None:
            b.do("br label %head")
            b.label("head")
            b.do("%i = phi i64 [ 0, %entry ], [ %i.n, %good ], [ %i.l, %late ]")
            full = WORDS * 8 // self.size
            b.do(f"%p = phi i64 [ {full}, %entry ], [ %p.n, %good ], [ %p.l, %late ]")
            go = b.put("icmp slt i64 %i, %n")
            b.do(f"br i1 {go}, label %look, label %exit")
            b.label("look")
            empty = b.put(f"icmp eq i64 %p, {full}")
            b.do(f"br i1 {empty}, label %fill, label %take")
            b.label("fill")
            b.do("call void @refill(ptr %state)")
            b.do("br label %take")
            b.label("take")
            b.do("%q = phi i64 [ %p, %look ], [ 0, %fill ]")
            word = self._take(b, "%q")
            b.do("%p.n = add i64 %q, 1")
            layer, place, x = self._split(b, name, word)
            goal = b.put(f"getelementptr {real}, ptr %out, i64 %i")
            b.do(f"store {real} {x}, ptr {goal}, align {self.size}")
            inside = b.put(f"icmp ult {w} {place}, {self._entry(b, name, 'bounds', layer)}")
            b.do(f"br i1 {inside}, label %good, label %late")
            b.label("good")
            b.do("%i.n = add i64 %i, 1")
            b.do("br label %head")
            b.label("late")
            b.do(f"store i64 %p.n, ptr {self._at(b, PLACE)}, align 8")
            taken = b.put(f"call i64 @late.{name}(ptr %state, {w} {word}, ptr {goal})")
            b.do(f"%p.l = load i64, ptr {self._at(b, PLACE)}, align 8")
            b.do(f"%i.l = add i64 %i, {taken}")
            b.do("br label %head")
            b.label("exit")
            b.do("ret void")

        return write

    def _late(self, name: str) -> str:
        """Look again at a number outside of what is surely under the density; 1 if it is taken."""
        real = self.real

        def write(b: Body) -> None:
            layer, place, x = self._split(b, name, "%word")
            tail = b.put(f"icmp eq {self.w} {layer}, 0")
            b.do(f"br i1 {tail}, label %tail, label %edge")
            b.label("edge")
            before = b.put(f"sub {self.w} {layer}, 1")
            above, below = (self._entry(b, name, "densities", k) for k in (before, layer))
            y = b.put(f"fmul {real} {b.put(f'fsub {real} {above}, {below}')}, {self._unit(b)}")
            y = b.put(f"fadd {real} {y}, {below}")
            taken = b.put(f"zext i1 {self._under(b, name, x, y)} to i64")
            b.do(f"ret i64 {taken}")
            b.label("tail")
            if name == "normal":
                self._normal_tail(b, place)
                return
            r = literal(EXPONENTIAL, self.kind)
            x = b.put(f"fsub {real} {r}, {self._log_of_rest(b)}")
            b.do(f"store {real} {x}, ptr %goal, align {self.size}")
            b.do("ret i64 1")

        return self._function(
            f"internal i64 @late.{name}(ptr %state, {self.w} %word, ptr %goal)", write
        )

    def _under(self, b: Body, name: str, x: str, y: str) -> str:
        """Whether y is below the density at x."""
        real = self.real
        if name == "exponential":
            ans = b.put(f"call {real} @lucid_c_exp{self.f}({real} {b.put(f'fneg {real} {x}')})")
            return b.put(f"fcmp olt {real} {y}, {ans}")
        if self.f:
            x, y = (b.put(f"fpext float {z} to double") for z in (x, y))
        half = b.put(f"fmul double {literal(-0.5, 'd')}, {x}")
        ans = b.put(f"call double @lucid_c_exp(double {b.put(f'fmul double {half}, {x}')})")
        return b.put(f"fcmp olt double {y}, {ans}")

    def _log_of_rest(self, b: Body) -> str:
        """Return log(1 - u)."""
        u = b.put(f"fneg {self.real} {self._unit(b)}")
        return b.put(f"call {self.real} @lucid_c_log1p{self.f}({self.real} {u})")

    def _normal_tail(self, b: Body, place: str) -> None:
        real = self.real
        b.do("br label %again")
        b.label("again")
        scale = literal(-0.27366123732975828, self.kind)
        x = b.put(f"fmul {real} {scale}, {self._log_of_rest(b)}")
        y = b.put(f"fneg {real} {self._log_of_rest(b)}")
        twice, square = b.put(f"fadd {real} {y}, {y}"), b.put(f"fmul {real} {x}, {x}")
        b.do(f"br i1 {b.put(f'fcmp ogt {real} {twice}, {square}')}, label %found, label %again")
        b.label("found")
        x = b.put(f"fadd {real} {literal(NORMAL, self.kind)}, {x}")
        bit = b.put(f"and {self.w} {place}, 256")
        negative = b.put(f"icmp ne {self.w} {bit}, 0")
        x = b.put(f"select i1 {negative}, {real} {b.put(f'fneg {real} {x}')}, {real} {x}")
        b.do(f"store {real} {x}, ptr %goal, align {self.size}")
        b.do("ret i64 1")

    def _one(self, name: str) -> str:
        """Draw one number by the ziggurat method."""

        def write(b: Body) -> None:
            b.allocas.append("  %goal = alloca double, align 8")
            b.do("br label %again")
            b.label("again")
            word = b.put("call i64 @next(ptr %state)")
            layer, place, x = self._split(b, name, word)
            b.do(f"store double {x}, ptr %goal, align 8")
            inside = b.put(f"icmp ult i64 {place}, {self._entry(b, name, 'bounds', layer)}")
            b.do(f"br i1 {inside}, label %good, label %late")
            b.label("late")
            taken = b.put(f"call i64 @late.{name}(ptr %state, i64 {word}, ptr %goal)")
            b.do(f"br i1 {b.put(f'icmp eq i64 {taken}, 0')}, label %again, label %good")
            b.label("good")
            b.do(f"ret double {b.put('load double, ptr %goal, align 8')}")

        return self._function(f"internal double @{name}(ptr %state)", write)
