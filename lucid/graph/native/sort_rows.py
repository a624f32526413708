"""Keys of elements, and rows of them.

Every element becomes a signed integer, its key: keys are in the order that elements have, NaN
being the last. Where the order of elements is asked for, keys of 32 bits have the element's place
in their low half, and longer ones have it beside them; equal elements then keep their order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Value
from lucid.graph.native import quicksort
from lucid.graph.native.elementwise import FLOAT, cast
from lucid.graph.native.plan import Ref
from lucid.graph.native.routine import Routine, moved
from lucid.graph.native.text import Body

__all__ = ["KEYS", "SEGMENTS", "Rows", "each", "element_of", "key_of", "top_of"]

KEYS = {"?": "i", **dict.fromkeys("bBhHiIf", "i"), **dict.fromkeys("lLqQd", "l")}
SEGMENTS = 8  # in which a long row is parted for the threads


# -- keys ------------------------------------------------------------------------------------------


def key_of(b: Body, x: str, kind: str, order: bool, descending: bool) -> str:
    """Return the keys of elements; `order`: whether equal elements must have equal keys."""
    key = KEYS[kind]
    if kind in FLOAT:
        if order:  # -0 is 0
            x = b.binary("fadd", kind, x, b.const(0.0, kind))
        bits = b.put(f"bitcast {b.type(kind)} {x} to {b.type(key)}")
        nan = b.compare("uno", kind, x, x)
        top = b.const(top_of(key), key)
        last = top if order else b.binary("and", key, bits, top)
        found = b.select(key, nan, last, _turned(b, bits, key))
    else:
        found = cast(b, x, kind, key)
        if kind in "ILQ":
            found = b.binary("xor", key, found, b.const(-top_of(key) - 1, key))
    return b.binary("xor", key, found, b.const(-1, key)) if descending else found


def element_of(b: Body, x: str, kind: str, descending: bool) -> str:
    """Return the elements that have these keys."""
    key = KEYS[kind]
    if descending:
        x = b.binary("xor", key, x, b.const(-1, key))
    if kind in FLOAT:
        return b.put(f"bitcast {b.type(key)} {_turned(b, x, key)} to {b.type(kind)}")
    if kind in "ILQ":
        return b.binary("xor", key, x, b.const(-top_of(key) - 1, key))
    return cast(b, x, key, kind)


def _turned(b: Body, bits: str, key: str) -> str:
    """Exchange bits of floating numbers with integers in their order, or back."""
    size = 8 * np.dtype(key).itemsize
    sign = b.binary("ashr", key, bits, b.const(size - 1, key))
    return b.binary("xor", key, bits, b.binary("and", key, sign, b.const(top_of(key), key)))


def top_of(key: str) -> int:
    """Return the greatest key."""
    return int(np.iinfo(key).max)


def each(b: Body, start: Any, stop: Any, lanes: int, visit: Callable[[str], None]) -> None:
    """Visit a run of elements, several at a time and then the rest one by one."""
    b.lanes = 1
    length = b.put(f"sub i64 {stop}, {start}")
    main = b.put(f"add i64 {start}, {b.put(f'and i64 {length}, {-lanes}')}")
    if lanes > 1:
        with b.loop(start, main, lanes) as i:
            b.lanes = lanes
            visit(i)
            b.lanes = 1
    with b.loop(main if lanes > 1 else start, stop) as i:
        visit(i)


# -- rows ------------------------------------------------------------------------------------------


class Rows(Routine):
    """What is done with the keys of each row along an axis.

    Attributes:
        order: whether places are wanted.
        key: the kind of what is sorted.
        payload: whether places lie beside keys.
    """

    shared = True

    def __init__(self, x: Ref, out: Value, axis: int, order: bool, descending: bool) -> None:
        super().__init__([x], [out])
        self.axis, self.order, self.descending = axis, order, descending
        self.n = x.shape[axis]
        self.kind = x.root.aval.dtype.char
        self.key = "l" if order else KEYS[self.kind]
        self.payload = order and KEYS[self.kind] == "l"
        self.size = np.dtype(self.key).itemsize
        self.rest = x.shape[:axis] + x.shape[axis + 1 :]
        self.pieces = math.prod(self.rest)
        self.work = math.prod(x.shape) * self.n.bit_length()

    @property
    def arrays(self) -> int:
        """How many arrays are sorted together."""
        return 2 if self.payload else 1

    def scratch(self, module: Any) -> None:
        """Keys, and as much again for sorting them, for each thread."""
        self.lanes = quicksort.lanes_of(self.key)
        room = (self.n + SEGMENTS * self.lanes) * self.size
        self.room = -(-room // 64) * 64
        self.bytes = 2 * self.arrays * self.room
        self.memory = module.scratch(self.bytes * (module.threads if self.pieces > 1 else 1))

    def buffers(self, b: Body, first: str) -> list[str]:
        """Return the addresses of keys and of scratch, each for all arrays."""
        return [
            b.put(f"getelementptr inbounds i8, ptr {first}, i64 {k * self.room}")
            for k in range(2 * self.arrays)
        ]

    def strides(self, ref: Ref) -> tuple[int, ...]:
        """Return the strides of the other axes."""
        return ref.strides[: self.axis] + ref.strides[self.axis + 1 :]

    def row(self, b: Body, base: str, kind: str, strides: Sequence[int], row: str) -> str:
        """Return the address of a row's first element."""
        sizes, steps = list(self.rest), list(strides)
        for i in range(len(sizes) - 2, -1, -1):
            if steps[i] == sizes[i + 1] * steps[i + 1]:
                sizes[i : i + 2], steps[i : i + 2] = [sizes[i] * sizes[i + 1]], [steps[i + 1]]
        for n, step in zip(sizes[:0:-1], steps[:0:-1], strict=True):
            base = moved(b, base, kind, b.put(f"urem i64 {row}, {n}"), step)
            row = b.put(f"udiv i64 {row}, {n}")
        return moved(b, base, kind, row, steps[0]) if sizes else base

    def load(self, b: Body, source: str, buffers: Sequence[str]) -> None:
        """Make keys of a row."""
        kind, step = self.kind, self.operands[0].strides[self.axis]
        lanes = self.lanes if step == 1 else 1
        own = KEYS[kind]

        def visit(i: str) -> None:
            x = b.load(moved(b, source, kind, i, step), kind)
            x = key_of(b, x, kind, self.order, self.descending)
            if self.order:
                place = _ramp(b, i)
                if self.payload:
                    b.store(place, b.address(buffers[1], "l", i), "l")
                else:
                    x = cast(b, x, own, "l")
                    x = b.binary("shl", "l", x, b.const(32, "l"))
                    x = b.binary("or", "l", x, place)
            b.store(x, b.address(buffers[0], self.key, i), self.key)

        each(b, 0, self.n, lanes, visit)

    def save(self, b: Body, buffers: Sequence[str], goal: str, start: Any, stop: Any) -> None:
        """Write what the sorted keys stand for."""
        out = Ref.whole(self.results[0])
        kind, step = self.results[0].aval.dtype.char, out.strides[self.axis]

        def visit(i: str) -> None:
            x = b.load(b.address(buffers[1 if self.payload else 0], self.key, i), self.key)
            if not self.order:
                x = element_of(b, x, kind, self.descending)
            elif not self.payload:
                x = b.binary("and", "l", x, b.const(0xFFFFFFFF, "l"))
            b.store(x, moved(b, goal, kind, i, step), kind)

        each(b, start, stop, self.lanes if step == 1 else 1, visit)

    def call(self, b: Body, name: str, buffers: Sequence[str], *more: Any) -> str:
        """Call a function of the library."""
        prefix = quicksort.compiled(self.key, self.payload)
        types = ["ptr"] * len(buffers) + ["i64"] * len(more)
        result = "i64" if name == "part" else "void"
        b.module.declare(f"declare {result} @{prefix}_{name}({', '.join(types)})")
        given = ", ".join(f"{t} {x}" for t, x in zip(types, (*buffers, *more), strict=True))
        text = f"call {result} @{prefix}_{name}({given})"
        if result == "void":
            b.do(text)
            return ""
        return b.put(text)


def _ramp(b: Body, first: str) -> str:
    """Return the places of elements, of which the first is given."""
    if b.lanes == 1:
        return b.put(f"add i64 {first}, 0")
    ramp = ", ".join(f"i64 {k}" for k in range(b.lanes))
    return b.put(f"add {b.type('l')} {b.splat(first, 'l')}, <{ramp}>")
