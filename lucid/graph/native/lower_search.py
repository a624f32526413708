"""Places in sorted arrays, by halving: several searches at a time, all in as many steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.elementwise import FLOAT, SIGNED, cast
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine
from lucid.graph.native.sort_rows import each
from lucid.graph.native.table import address_of
from lucid.graph.native.text import KINDS, Body, memory_type

__all__ = ["RULES"]

BLOCK = 512  # searches that a thread takes at a time


class Search(Routine):
    """How many elements of a row are below numbers, or not above them.

    Attributes:
        kind: in which numbers are compared.
        right: whether equal elements are counted.
        rows: how many rows there are, of elements as of numbers.
    """

    shared = True

    def __init__(self, a: Ref, v: Ref, out: Value, kind: str, right: bool, rows: int) -> None:
        super().__init__([a, v], [out])
        self.kind, self.right, self.rows = kind, right, rows
        self.n = math.prod(a.shape) // rows
        self.count = math.prod(v.shape) // rows
        self.blocks = -(-self.count // BLOCK)
        self.pieces = rows * self.blocks
        self.work = rows * self.count * 4 * self.n.bit_length()

    def code(self, b: Body) -> None:
        """Loop over blocks of numbers."""
        a, v = self.operands
        first, second = a.root.aval.dtype.char, v.root.aval.dtype.char
        base, numbers = address_of(b, a), address_of(b, v)
        goal = address_of(b, Ref.whole(self.results[0]))
        lanes = b.module.width // 8
        if lanes < 4 or first in "?bBhH":  # which processors do not gather
            lanes = 1
        with b.loop("%lo", "%hi") as piece:
            row = b.put(f"udiv i64 {piece}, {self.blocks}")
            block = b.put(f"urem i64 {piece}, {self.blocks}")
            begin = b.put(f"mul nsw i64 {row}, {self.count}")
            start = b.put(f"mul nsw i64 {block}, {BLOCK}")
            stop = b.put(f"add nsw i64 {start}, {BLOCK}")
            stop = b.intrinsic("smin", "l", [stop, str(self.count)])
            start, stop = (b.put(f"add nsw i64 {begin}, {x}") for x in (start, stop))
            here = b.address(base, first, b.put(f"mul nsw i64 {row}, {self.n}"))

            def visit(i: str, here: str = here) -> None:
                x = cast(b, b.load(b.address(numbers, second, i), second), second, self.kind)
                b.store(self._place(b, here, x), b.address(goal, "l", i), "l")

            each(b, start, stop, lanes, visit)

    def _place(self, b: Body, base: str, x: str) -> str:
        place, length = b.const(0, "l"), self.n
        while length > 1:
            half = length // 2
            further = b.binary("add", "l", place, b.const(half, "l"))
            below = self._below(b, base, b.binary("sub", "l", further, b.const(1, "l")), x)
            place = b.select("l", below, further, place)
            length -= half
        if not self.n:
            return place
        below = self._below(b, base, place, x)
        return b.select("l", below, b.binary("add", "l", place, b.const(1, "l")), place)

    def _below(self, b: Body, base: str, place: str, x: str) -> str:
        """Whether what stands at a place comes before x; NaN comes last."""
        first, kind = self.operands[0].root.aval.dtype.char, self.kind
        y = cast(b, _gathered(b, base, first, place), first, kind)
        if kind not in FLOAT:
            sign = "s" if kind in SIGNED else "u"
            return b.compare(sign + ("le" if self.right else "lt"), kind, y, x)
        if self.right:  # not x before y
            after = b.compare("ule", kind, y, x)
            strange = b.compare("uno", kind, y, y)
            known = b.compare("ord", kind, x, x)
            wrong = b.binary("and", "?", strange, known)
            return b.binary("and", "?", after, b.binary("xor", "?", wrong, b.const(1, "?")))
        less = b.compare("ult", kind, y, x)
        return b.binary("and", "?", less, b.compare("ord", kind, y, y))


def _gathered(b: Body, base: str, kind: str, places: str) -> str:
    if b.lanes == 1:
        return b.load(b.address(base, kind, places), kind)
    lanes, size = b.lanes, np.dtype(kind).itemsize
    t = memory_type(kind, lanes)
    suffix = f"v{lanes}{ {'f': 'f32', 'd': 'f64'}.get(kind) or KINDS[kind] }.v{lanes}p0"
    where = b.put(f"getelementptr {memory_type(kind, 1)}, ptr {base}, <{lanes} x i64> {places}")
    given = f"<{lanes} x ptr>, i32, <{lanes} x i1>, {t}"
    b.module.declare(f"declare {t} @llvm.masked.gather.{suffix}({given})")
    return b.put(
        f"call {t} @llvm.masked.gather.{suffix}(<{lanes} x ptr> {where}, i32 {size}, "
        f"<{lanes} x i1> splat (i1 true), {t} poison)"
    )


def _searchsorted(planner: Planner, node: Node) -> bool:
    a, v = node.operands
    (out,) = node.outputs
    side, depth = node.params
    if not isinstance(a, Value) or not isinstance(v, Value) or a.aval.weak or v.aval.weak:
        return False
    kind = np.result_type(a.aval.dtype, v.aval.dtype).char
    if kind not in KINDS or not math.prod(out.aval.shape) or not math.prod(a.aval.shape):
        return False
    if kind == "?":
        kind = "B"
    refs: list[Any] = []
    for x in (a, v):
        ref = planner.ref(x)
        refs.append(ref if ref.is_contiguous else planner.materialise(x))
    rows = math.prod(a.aval.shape[:depth])
    planner.add(Search(refs[0], refs[1], out, kind, side == "right", rows), out)
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {"searchsorted": _searchsorted}
