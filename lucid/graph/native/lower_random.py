"""NumPy's Philox stream in native code: uniform numbers, truth values, and parts of keys.

Source: Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.elementwise import cast
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine
from lucid.graph.native.table import address_of
from lucid.graph.native.text import Body

__all__ = ["MULTIPLIERS", "ROUNDS", "RULES", "STEPS", "Draw", "product", "signed"]

MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
ROUNDS = 10


class Draw(Routine):
    """Consecutive words of a key's stream, as what a distribution makes of them.

    Attributes:
        form: "words"; "uniform", numbers of the kind of the result; "truth", where one in double
            precision is below the second operand.
        high: the highest word of the counter.
        start: where the lowest word begins to count.
    """

    shared = True

    def __init__(
        self, operands: list[Ref], out: Value, form: str, high: int = 0, start: int = 0
    ) -> None:
        super().__init__(operands, [out])
        self.form, self.high, self.start = form, high, start
        self.single = form == "uniform" and out.aval.dtype.char == "f"
        self.each = 8 if self.single else 4  # numbers for one value of the counter
        self.count = math.prod(out.aval.shape)
        self.pieces = -(-self.count // self.each)
        self.work = self.count * 8
        self.can_fail = form == "truth"

    def code(self, b: Body) -> None:
        """Loop over counters; the last one may give less."""
        words = self.operands[0]
        base = address_of(b, words)
        keys = [b.load(b.address(base, "L", str(i * words.strides[0])), "L") for i in range(2)]
        rounds = [tuple(keys)]
        for _ in range(ROUNDS - 1):
            pair = zip(rounds[-1], STEPS, strict=True)
            rounds.append(tuple(b.put(f"add i64 {k}, {signed(s)}") for k, s in pair))
        limit = self._limit(b) if self.form == "truth" else ""
        out = self.results[0]
        kind = out.aval.dtype.char
        goal = address_of(b, Ref.whole(out))
        full = self.count // self.each
        last = b.put(f"icmp sgt i64 %hi, {full}")
        stop = b.put(f"select i1 {last}, i64 {full}, i64 %hi")
        with b.loop("%lo", stop) as c:
            at = b.address(goal, kind, b.put(f"mul nsw i64 {c}, {self.each}"))
            self._numbers(b, c, rounds, limit, at, self.each)
        if rest := self.count % self.each:
            with b.when(last):
                at = b.address(goal, kind, str(full * self.each))
                self._numbers(b, str(full), rounds, limit, at, rest)

    def _limit(self, b: Body) -> str:
        p = self.operands[1]
        kind = p.root.aval.dtype.char
        limit = cast(b, b.load(address_of(b, p), kind), kind, "d")
        low, high = (
            b.compare(test, "d", limit, b.const(number, "d"))
            for test, number in (("oge", 0), ("ole", 1))
        )
        inside = b.put(f"and i1 {low}, {high}")
        self.fail(b, b.put(f"xor i1 {inside}, true"))
        return limit

    def _numbers(self, b: Body, counter: str, rounds: Any, limit: str, at: str, count: int) -> None:
        kind = self.results[0].aval.dtype.char
        first = b.put(f"add i64 {counter}, {signed(self.start + 1)}")
        words = [first, "0", "0", str(signed(self.high))]
        for keys in rounds:
            (h0, l0), (h1, l1) = (product(b, words[2 * i], MULTIPLIERS[i]) for i in range(2))
            left = b.put(f"xor i64 {b.put(f'xor i64 {h1}, {words[1]}')}, {keys[0]}")
            right = b.put(f"xor i64 {b.put(f'xor i64 {h0}, {words[3]}')}, {keys[1]}")
            words = [left, l1, right, l0]
        if self.single:
            halves: list[str] = []
            for w in words:
                halves.append(b.put(f"trunc i64 {w} to i32"))
                halves.append(b.put(f"trunc i64 {b.put(f'lshr i64 {w}, 32')} to i32"))
            words = halves
        for i, w in enumerate(words[:count]):
            b.store(self._number(b, w, limit), b.address(at, kind, str(i)), kind)

    def _number(self, b: Body, word: str, limit: str) -> str:
        if self.form == "words":
            return word
        if self.single:
            whole = b.put(f"lshr i32 {word}, 8")
            return b.binary(
                "fmul", "f", b.put(f"uitofp i32 {whole} to float"), b.const(2.0**-24, "f")
            )
        whole = b.put(f"lshr i64 {word}, 11")
        number = b.binary(
            "fmul", "d", b.put(f"uitofp i64 {whole} to double"), b.const(2.0**-53, "d")
        )
        return number if not limit else b.compare("olt", "d", number, limit)


def signed(n: int) -> int:
    """Return a word as LLVM's text has it."""
    return n - (1 << 64) if n >> 63 else n


def product(b: Body, x: str, factor: int) -> tuple[str, str]:
    """Return the high and the low word of a product."""
    wide = b.put(f"zext i64 {x} to i128")
    product = b.put(f"mul i128 {wide}, {factor}")
    high = b.put(f"trunc i128 {b.put(f'lshr i128 {product}, 64')} to i64")
    return high, b.put(f"trunc i128 {product} to i64")


def _draw(planner: Planner, node: Node) -> bool:
    words, *rest = node.operands
    (out,) = node.outputs
    name = node.op.name
    if not isinstance(words, Value) or not math.prod(out.aval.shape):
        return False
    if words.aval.shape != (2,) or words.aval.dtype != np.dtype(np.uint64):
        return False
    if name == "random_uniform" and out.aval.dtype.char not in "fd":
        return False
    operands = [planner.ref(words)]
    if name == "random_bernoulli":
        (p,) = rest
        if not isinstance(p, Value) or math.prod(p.aval.shape) != 1 or p.aval.dtype.kind != "f":
            return False
        operands.append(planner.ref(p))
    form, high = FORMS[name]
    start = node.params[0] if name == "random_fold_in" else 0
    if start + 1 >= 1 << 64:  # which the next word of the counter would count
        return False
    planner.add(Draw(operands, out, form, high, start), out)
    return True


# Parts of keys come from a part of the counter space that draws do not reach.
FORMS = {
    "random_uniform": ("uniform", 0),
    "random_bernoulli": ("truth", 0),
    "random_split": ("words", 1 << 63),
    "random_fold_in": ("words", 1 << 62),
}
RULES: dict[str, Callable[[Planner, Node], bool]] = dict.fromkeys(FORMS, _draw)
