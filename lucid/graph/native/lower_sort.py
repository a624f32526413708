"""Sorting along an axis, the order of elements, medians, and places in sorted arrays.

Every element becomes a signed integer, its key: keys are in the order that elements have, NaN
being the last. Where the order of elements is asked for, keys of 32 bits have the element's place
in their low half, and longer ones have it beside them; equal elements then keep their order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native import quicksort
from lucid.graph.native.elementwise import FLOAT, cast
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine, moved
from lucid.graph.native.table import address_of, scratch_of
from lucid.graph.native.text import Body

__all__ = ["RULES"]

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
        top = b.const(_top(key), key)
        last = top if order else b.binary("and", key, bits, top)
        found = b.select(key, nan, last, _turned(b, bits, key))
    else:
        found = cast(b, x, kind, key)
        if kind in "ILQ":
            found = b.binary("xor", key, found, b.const(-_top(key) - 1, key))
    return b.binary("xor", key, found, b.const(-1, key)) if descending else found


def element_of(b: Body, x: str, kind: str, descending: bool) -> str:
    """Return the elements that have these keys."""
    key = KEYS[kind]
    if descending:
        x = b.binary("xor", key, x, b.const(-1, key))
    if kind in FLOAT:
        return b.put(f"bitcast {b.type(key)} {_turned(b, x, key)} to {b.type(kind)}")
    if kind in "ILQ":
        return b.binary("xor", key, x, b.const(-_top(key) - 1, key))
    return cast(b, x, key, kind)


def _turned(b: Body, bits: str, key: str) -> str:
    """Exchange bits of floating numbers with integers in their order, or back."""
    size = 8 * np.dtype(key).itemsize
    sign = b.binary("ashr", key, bits, b.const(size - 1, key))
    return b.binary("xor", key, bits, b.binary("and", key, sign, b.const(_top(key), key)))


def _top(key: str) -> int:
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
        self.module = module
        self.lanes = quicksort.lanes_of(self.key)
        room = (self.n + SEGMENTS * self.lanes) * self.size
        self.room = -(-room // 64) * 64
        self.bytes = 2 * self.arrays * self.room
        self.memory = module.scratch(self.bytes * module.threads)

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


class Sort(Rows):
    """The elements of each row in ascending or descending order, or where they come from."""

    def prepare(self, module: Any, name: str) -> None:
        """Define the function; two for one long row, whose segments threads share."""
        self.long = self.pieces == 1 and self.work >= module.parallel_work
        if not self.long:
            super().prepare(module, name)
            return
        self._name = name
        self.scratch(module)
        self.bounds = module.scratch(8 * (SEGMENTS + 1))
        for suffix, write in (("a", self._parted), ("b", self._segments)):
            b = Body(module)
            write(b)
            b.do("ret void")
            head = f"define internal void @{name}{suffix}(ptr %env, i64 %lo, i64 %hi, i64 %tid)"
            module.function(head, b)

    def emit(self, b: Body) -> None:
        """Add the calls."""
        if not self.long:
            super().emit(b)
            return
        b.lanes = 1
        b.module.run(b, f"{self._name}a", 1, False)
        b.module.run(b, f"{self._name}b", SEGMENTS, True)

    def code(self, b: Body) -> None:
        """Loop over rows."""
        x, out = self.operands[0], Ref.whole(self.results[0])
        kind = self.results[0].aval.dtype.char
        base, target = address_of(b, x), address_of(b, out)
        buffers = self.buffers(b, scratch_of(b, self.memory, self.bytes))
        with b.loop("%lo", "%hi") as r:
            self.load(b, self.row(b, base, self.kind, self.strides(x), r), buffers)
            self.call(b, "sort", buffers, self.n)
            self.save(b, buffers, self.row(b, target, kind, self.strides(out), r), 0, self.n)

    def _parted(self, b: Body) -> None:
        """Make keys and part them in segments, each below the next one."""
        buffers = self.buffers(b, slot_of(b, self.memory))
        self.load(b, address_of(b, self.operands[0]), buffers)
        bounds = slot_of(b, self.bounds)
        ends: list[Any] = [0, self.n]
        while len(ends) <= SEGMENTS:
            new = [ends[0]]
            for start, stop in itertools.pairwise(ends):
                length = b.put(f"sub i64 {stop}, {start}")
                here = [b.address(p, self.key, str(start)) for p in buffers[: self.arrays]]
                below = self.call(b, "part", [*here, *buffers[self.arrays :]], length)
                new += [b.put(f"add i64 {start}, {below}"), stop]
            ends = new
        for k, end in enumerate(ends):
            b.do(f"store i64 {end}, ptr {b.address(bounds, 'l', str(k))}, align 8")

    def _segments(self, b: Body) -> None:
        """Sort segments; each has its own part of the scratch memory."""
        out = Ref.whole(self.results[0])
        buffers = self.buffers(b, slot_of(b, self.memory))
        bounds, goal = slot_of(b, self.bounds), address_of(b, out)
        with b.loop("%lo", "%hi") as k:
            at = b.address(bounds, "l", k)
            start = b.load(at, "l")
            stop = b.load(b.address(at, "l", "1"), "l")
            own = b.put(f"add i64 {start}, {b.put(f'mul nsw i64 {k}, {self.lanes}')}")
            here = [b.address(p, self.key, start) for p in buffers[: self.arrays]]
            here += [b.address(p, self.key, own) for p in buffers[self.arrays :]]
            self.call(b, "sort", here, b.put(f"sub i64 {stop}, {start}"))
            self.save(b, buffers, goal, start, stop)


class Middle(Rows):
    """The entry that stands at one place among the sorted ones of each row; NaN if one is."""

    def __init__(self, x: Ref, out: Value, place: int) -> None:
        super().__init__(x, out, len(x.shape) - 1, False, False)
        self.place = place
        self.work = math.prod(x.shape) * 3

    def code(self, b: Body) -> None:
        """Loop over rows."""
        x, kind, key = self.operands[0], self.kind, self.key
        base, target = address_of(b, x), address_of(b, Ref.whole(self.results[0]))
        buffers = self.buffers(b, scratch_of(b, self.memory, self.bytes))
        top = b.stack(key, 1)
        with b.loop("%lo", "%hi") as r:
            self.load(b, self.row(b, base, kind, self.strides(x), r), buffers)
            b.do(f"store {b.type(key)} {b.const(-_top(key) - 1, key)}, ptr {top}")
            self._largest(b, buffers[0], top)
            self.call(b, "select", buffers, self.n, self.place)
            found = b.load(b.address(buffers[0], key, str(self.place)), key)
            largest = element_of(b, b.load(top, key), kind, False)
            strange = b.compare("uno", kind, largest, largest)
            found = b.select(kind, strange, largest, element_of(b, found, kind, False))
            b.store(found, b.address(target, kind, r), kind)

    def _largest(self, b: Body, keys: str, top: str) -> None:
        """Find the largest key."""
        many = b.stack(self.key, self.lanes)
        b.lanes = self.lanes
        b.do(f"store {b.type(self.key)} {b.const(-_top(self.key) - 1, self.key)}, ptr {many}")
        b.lanes = 1

        def visit(i: str) -> None:
            at = many if b.lanes > 1 else top
            have = b.put(f"load {b.type(self.key)}, ptr {at}")
            x = b.load(b.address(keys, self.key, i), self.key)
            b.do(f"store {b.type(self.key)} {b.intrinsic('smax', self.key, [have, x])}, ptr {at}")

        each(b, 0, self.n, self.lanes, visit)
        with b.loop(0, self.lanes) as i:
            have, x = b.load(top, self.key), b.load(b.address(many, self.key, i), self.key)
            b.store(b.intrinsic("smax", self.key, [have, x]), top, self.key)


def _middle(planner: Planner, node: Node) -> bool:
    (x,) = node.operands
    (out,) = node.outputs
    axes, _, upper = node.params
    if not isinstance(x, Value) or not math.prod(x.aval.shape) or x.aval.dtype.kind != "f":
        return False
    kept = [i for i in range(x.aval.ndim) if i not in axes]
    n = math.prod(x.aval.shape[i] for i in axes)
    if n >> 31:
        return False
    ref = joined(planner, x, kept, axes)
    planner.add(Middle(ref, out, n // 2 if upper else (n - 1) // 2), out)
    return True


def joined(planner: Planner, x: Value, kept: Sequence[int], axes: Sequence[int]) -> Ref:
    """Return an array with some axes joined to one, the last."""
    shape = [x.aval.shape[i] for i in kept]

    def change(a: Any) -> Any:
        return np.reshape(a.transpose([*kept, *axes]), [*shape, -1], copy=False)

    ref = planner.refs[x].view(change)
    if ref is None:
        ref = planner.materialise(x).view(change)
    if ref is None:
        moved_ = planner.refs[x].view(lambda a: a.transpose([*kept, *axes]))
        assert moved_ is not None
        alias = Value(x.aval._replace(shape=moved_.shape))
        planner.refs[alias] = moved_
        ref = planner.materialise(alias).view(lambda a: np.reshape(a, [*shape, -1], copy=False))
    assert ref is not None
    planner.stored.add(ref.root)
    return ref


def slot_of(b: Body, memory: int) -> str:
    """Return the address of a scratch memory that is one for all threads."""
    b.lanes = 1
    return b.put(f"load ptr, ptr {b.put(f'getelementptr inbounds ptr, ptr %env, i64 {memory}')}")


def _sorted(planner: Planner, node: Node) -> bool:
    (x,) = node.operands
    (out,) = node.outputs
    if not isinstance(x, Value) or not math.prod(x.aval.shape) or x.aval.weak:
        return False
    axis, descending = node.params[:2]
    if x.aval.shape[axis] >> 31:
        return False
    order = node.op.name == "argsort"
    planner.add(Sort(planner.ref(x), out, axis, order, descending), out)
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "sort": _sorted,
    "argsort": _sorted,
    "middle": _middle,
}
