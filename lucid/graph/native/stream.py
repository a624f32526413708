"""NumPy's Philox stream in native code: words taken one after the other.

Source: J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC11 (2011).
"""

from __future__ import annotations

from collections.abc import Callable

from lucid.graph.native.lower_random import MULTIPLIERS, ROUNDS, STEPS, product, signed
from lucid.graph.native.text import Body, literal

__all__ = ["PLACE", "WORDS", "Arithmetic", "Stream"]

WORDS = 64  # of 64 bits, that are made at a time
COUNTER, KEY, PLACE, BUFFER = 0, 1, 3, 8  # where they are in the state, in words


class Stream:
    """Writes functions that take words of a stream.

    Attributes:
        kind: of numbers: "d" and "l" are made of words of 64 bits, "f" and "i" of halves.
        w: the type of the words that are taken from the stream.
        size: their bytes.
        real: the type of floating numbers.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.size = 4 if kind in "fi" else 8
        self.w = f"i{8 * self.size}"
        self.real = "float" if kind == "f" else "double"
        self.f = "f" if kind == "f" else ""  # the suffix of C's functions

    def _function(self, head: str, write: Callable[[Body], None]) -> str:
        b = Body(None)
        write(b)
        return "\n".join([f"define {head} nounwind {{", "entry:", *b.allocas, *b.lines, "}"])

    def _at(self, b: Body, place: int | str) -> str:
        return b.put(f"getelementptr i64, ptr %state, i64 {place}")

    def _word(self, b: Body, place: int | str) -> str:
        return b.put(f"load i64, ptr {self._at(b, place)}, align 8")

    def _refill(self) -> str:
        """Make the next words of the stream."""

        def write(b: Body) -> None:
            keys = [(self._word(b, KEY), self._word(b, KEY + 1))]
            for _ in range(ROUNDS - 1):
                pair = zip(keys[-1], STEPS, strict=True)
                keys.append(tuple(b.put(f"add i64 {k}, {signed(s)}") for k, s in pair))  # type: ignore[arg-type]
            counter = self._word(b, COUNTER)
            with b.loop(0, WORDS // 4) as i:
                words = [b.put(f"add i64 {counter}, {b.put(f'add i64 {i}, 1')}"), "0", "0", "0"]
                for first, second in keys:
                    (h0, l0), (h1, l1) = (
                        product(b, words[2 * k], MULTIPLIERS[k]) for k in range(2)
                    )
                    left = b.put(f"xor i64 {b.put(f'xor i64 {h1}, {words[1]}')}, {first}")
                    right = b.put(f"xor i64 {b.put(f'xor i64 {h0}, {words[3]}')}, {second}")
                    words = [left, l1, right, l0]
                at = self._at(b, b.put(f"add i64 {b.put(f'mul i64 {i}, 4')}, {BUFFER}"))
                for k, word in enumerate(words):
                    b.do(f"store i64 {word}, ptr {b.address(at, 'l', str(k))}, align 8")
            more = b.put(f"add i64 {counter}, {WORDS // 4}")
            b.do(f"store i64 {more}, ptr {self._at(b, COUNTER)}, align 8")
            b.do("ret void")

        return self._function("internal void @refill(ptr %state)", write)

    def _next(self) -> str:
        """Take a word of the stream; those of 32 bits are halves, the lower one first."""

        def write(b: Body) -> None:
            place = self._word(b, PLACE)
            empty = b.put(f"icmp eq i64 {place}, {WORDS * 8 // self.size}")
            b.do(f"br i1 {empty}, label %fill, label %take")
            b.label("fill")
            b.do("call void @refill(ptr %state)")
            b.do("br label %take")
            b.label("take")
            now = b.put(f"phi i64 [ {place}, %entry ], [ 0, %fill ]")
            word = self._take(b, now)
            b.do(f"store i64 {b.put(f'add i64 {now}, 1')}, ptr {self._at(b, PLACE)}, align 8")
            b.do(f"ret {self.w} {word}")

        return self._function(f"internal {self.w} @next(ptr %state)", write)

    def _take(self, b: Body, place: str) -> str:
        at = b.put(f"getelementptr {self.w}, ptr {self._at(b, BUFFER)}, i64 {place}")
        return b.put(f"load {self.w}, ptr {at}, align {self.size}")

    def _unit(self, b: Body) -> str:
        """Take a number from [0, 1)."""
        word = b.put(f"call {self.w} @next(ptr %state)")
        bits = 8 if self.f else 11
        whole = b.put(f"uitofp {self.w} {b.put(f'lshr {self.w} {word}, {bits}')} to {self.real}")
        scale = literal(2.0 ** (bits - 8 * self.size), self.kind)
        return b.put(f"fmul {self.real} {whole}, {scale}")

    def _outer(self, head: str, write: Callable[[Body], None]) -> str:
        """A function that draws all numbers, with a stream of its own."""
        b = Body(None)
        b.allocas.append(f"  %state = alloca [{BUFFER + WORDS} x i64], align 64")
        empty = str(WORDS * 8 // self.size)
        for place, value in ((COUNTER, "0"), (KEY, "%k0"), (KEY + 1, "%k1"), (PLACE, empty)):
            b.do(f"store i64 {value}, ptr {self._at(b, place)}, align 8")
        write(b)
        return "\n".join([f"{head} nounwind {{", "entry:", *b.allocas, *b.lines, "}"])


class Arithmetic:
    """Operations on doubles, written one by one."""

    def __init__(self, b: Body) -> None:
        self.b = b

    def _two(self, op: str, x: str | float, y: str | float) -> str:
        return self.b.put(f"{op} double {self._of(x)}, {self._of(y)}")

    def _of(self, x: str | float) -> str:
        return x if isinstance(x, str) else literal(x, "d")

    def add(self, x: str | float, y: str | float) -> str:
        """Return x + y."""
        return self._two("fadd", x, y)

    def subtract(self, x: str | float, y: str | float) -> str:
        """Return x - y."""
        return self._two("fsub", x, y)

    def multiply(self, x: str | float, y: str | float) -> str:
        """Return x y."""
        return self._two("fmul", x, y)

    def divide(self, x: str | float, y: str | float) -> str:
        """Return x / y."""
        return self._two("fdiv", x, y)

    def negative(self, x: str) -> str:
        """Return -x."""
        return self.b.put(f"fneg double {x}")

    def compare(self, test: str, x: str, y: str | float) -> str:
        """Whether a test holds."""
        return self._two(f"fcmp {test}", x, y)

    def call(self, name: str, *args: str) -> str:
        """Call a function."""
        given = ", ".join(f"double {x}" for x in args)
        return self.b.put(f"call double @{name}({given})")
