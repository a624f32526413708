"""Sorting along an axis, the order of elements, and medians."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.lower_count import Count, counts
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.sort_rows import SEGMENTS, Rows, each, element_of, top_of
from lucid.graph.native.table import address_of, scratch_of
from lucid.graph.native.text import Body

__all__ = ["RULES"]


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
            b.do(f"store {b.type(key)} {b.const(-top_of(key) - 1, key)}, ptr {top}")
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
        b.do(f"store {b.type(self.key)} {b.const(-top_of(self.key) - 1, self.key)}, ptr {many}")
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
    kind, n = x.aval.dtype.char, x.aval.shape[axis]
    step = Count if counts(kind, n, order) else Sort
    planner.add(step(planner.ref(x), out, axis, order, descending), out)
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "sort": _sorted,
    "argsort": _sorted,
    "middle": _middle,
}
