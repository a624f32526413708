"""Sums over windows, patches, and entries of planes, which are the last axes together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.elementwise import cast
from lucid.graph.native.layout import Layout, fill, flattened, zero
from lucid.graph.native.lower_index import COMBINE, Filled
from lucid.graph.native.plan import Planner, Ref, contiguous
from lucid.graph.native.routine import Routine, Stream, moved, run_of
from lucid.graph.native.table import address_of, scratch_of
from lucid.graph.native.text import Body
from lucid.ops.window.geometry import spans

__all__ = ["RULES"]


# -- places ----------------------------------------------------------------------------------------


class Places(Routine):
    """Entries of planes, read or written where an array says.

    Attributes:
        planes: of shape (count, size).
        values: of shape (count, how many).
        places: of the shape of `values`.
        op: "set" or "add"; "" to read.
    """

    can_fail = True
    shared = True

    def __init__(self, planes: Ref, values: Ref, places: Ref, op: str) -> None:
        given = [places, values] if op else [places, planes]
        super().__init__(given, [planes.root if op else values.root])
        self.planes, self.values, self.places, self.op = planes, values, places, op
        self.pieces = planes.shape[0]
        self.work = math.prod(values.shape) * 3

    def code(self, b: Body) -> None:
        """Loop over planes, and over places."""
        kind, index = self.planes.root.aval.dtype.char, self.places.root.aval.dtype.char
        planes, values, places = (address_of(b, r) for r in (self.planes, self.values, self.places))
        size = self.planes.shape[1]
        with b.loop("%lo", "%hi") as n:
            first = b.put(f"mul nsw i64 {n}, {size}")
            if self.op:
                zero(b, moved(b, planes, kind, first, 1), size * np.dtype(kind).itemsize)
            row = moved(b, values, kind, n, self.values.strides[0])
            line = moved(b, places, index, n, self.places.strides[0])
            with b.loop(0, self.values.shape[1]) as i:
                k = b.load(moved(b, line, index, i, self.places.strides[1]), index)
                k = cast(b, k, index, "l")
                bad = b.put(f"icmp uge i64 {k}, {size}")
                self.fail(b, bad)
                k = b.put(f"select i1 {bad}, i64 0, i64 {k}")
                at = moved(b, planes, kind, b.put(f"add nsw i64 {first}, {k}"), 1)
                value = moved(b, row, kind, i, self.values.strides[1])
                if self.op:
                    new = b.load(value, kind)
                    old = b.load(at, kind) if self.op == "add" else ""
                    b.store(COMBINE[self.op](b, kind, old, new), at, kind)
                else:
                    b.store(b.load(at, kind), value, kind)


def _planes(planner: Planner, x: Value, rank: int) -> Ref:
    lead = x.aval.ndim - rank
    shape = (math.prod(x.aval.shape[:lead]), math.prod(x.aval.shape[lead:]))

    def change(a: Any) -> Any:
        return np.reshape(a, shape, copy=False)

    ref = planner.refs[x].view(change)
    if ref is None:
        ref = planner.materialise(x).view(change)
    assert ref is not None
    planner.stored.add(ref.root)
    return ref


def _pick(planner: Planner, node: Node) -> bool:
    x, places = node.operands
    (out,) = node.outputs
    if not isinstance(x, Value) or not isinstance(places, Value):
        return False
    if not _places_ready(x, places, out):
        return False
    rank = node.params[0]
    lead = x.aval.ndim - rank
    planes = _planes(planner, x, rank)
    if not planes.is_contiguous:
        shape = planes.shape
        planes = planner.materialise(x)
        planes = Ref(planes.root, shape, contiguous(shape))
    at = _planes(planner, places, places.aval.ndim - lead)
    planner.add(Places(planes, _planes_of(out, lead), at, ""), out)
    return True


def _planes_of(out: Value, lead: int) -> Ref:
    shape = (math.prod(out.aval.shape[:lead]), math.prod(out.aval.shape[lead:]))
    return Ref(out, shape, contiguous(shape))


def _places_ready(x: Value, places: Value, out: Value) -> bool:
    every = (x.aval, places.aval, out.aval)
    return places.aval.dtype.kind in "iu" and all(math.prod(a.shape) for a in every)


def _put(planner: Planner, node: Node) -> bool:
    y, places = node.operands
    (out,) = node.outputs
    if not isinstance(y, Value) or not isinstance(places, Value):
        return False
    if not _places_ready(y, places, out) or y.aval.shape != places.aval.shape:
        return False
    sizes, unique = node.params
    lead = y.aval.ndim - len(sizes)
    values, at = (_planes(planner, v, len(sizes)) for v in (y, places))
    op = "set" if unique else "add"
    planner.add(Places(_planes_of(out, lead), values, at, op), out)
    return True


# -- sums ------------------------------------------------------------------------------------------


class WindowSum(Routine):
    """The sums of windows."""

    shared = True

    def __init__(self, x: Ref, out: Value, layout: Layout) -> None:
        super().__init__([x], [out])
        self.layout = layout
        self.pieces = x.shape[0]
        self.work = math.prod(out.aval.shape) * len(layout.shifts)

    def scratch(self, module: Any) -> None:
        """A plane, and its sums."""
        size = self.operands[0].root.aval.dtype.itemsize
        self.width = max(module.width // max(size, 4), 1)
        self.vectors = -(-self.layout.span // self.width)
        self.image = -(-(self.layout.size + 2 * self.width) * size // 64) * 64
        self.line = -(-self.vectors * self.width * size // 64) * 64
        self.places = (
            module.scratch(self.image * module.threads),
            module.scratch(self.line * module.threads),
        )

    def code(self, b: Body) -> None:
        """Loop over planes: lay one out, add up shifts, take the windows."""
        x, out = self.operands[0], self.results[0]
        kind, layout = out.aval.dtype.char, self.layout
        image, line = (
            scratch_of(b, place, size)
            for place, size in zip(self.places, (self.image, self.line), strict=True)
        )
        zero(b, image, self.image)
        base, goal = address_of(b, x), address_of(b, Ref.whole(out))
        with b.loop("%lo", "%hi") as n:
            fill(b, layout, moved(b, base, kind, n, x.strides[0]), kind, x.strides[1:], image)
            with b.loop(0, self.vectors * self.width, self.width) as p:
                at = b.address(image, kind, p)
                b.lanes = self.width
                total = b.load(b.address(at, kind, str(layout.shifts[0])), kind)
                for shift in layout.shifts[1:]:
                    value = b.load(b.address(at, kind, str(shift)), kind)
                    total = COMBINE["add"](b, kind, total, value)
                b.store(total, b.address(line, kind, p), kind)
                b.lanes = 1
            there = moved(b, goal, kind, n, math.prod(layout.out))
            streams = [
                Stream(line, kind, layout.steps),
                Stream(there, kind, contiguous(layout.out)),
            ]
            run_of(b, layout.out, streams, lambda at: b.store(b.load(at[0], kind), at[1], kind))


def _window_sum(planner: Planner, node: Node) -> bool:
    (x,) = node.operands
    (out,) = node.outputs
    window, *geometry = node.params
    if not isinstance(x, Value) or not math.prod(x.aval.shape) or not math.prod(out.aval.shape):
        return False
    if math.prod(window) > 256:
        return False
    ref = flattened(planner, x, len(window))
    planner.add(WindowSum(ref, out, Layout(ref.shape[1:], window, *geometry)), out)
    return True


# -- patches ---------------------------------------------------------------------------------------


def _unfold(planner: Planner, node: Node) -> bool:
    (x,) = node.operands
    (out,) = node.outputs
    if not isinstance(x, Value) or not math.prod(x.aval.shape) or not math.prod(out.aval.shape):
        return False
    window, strides, padding, dilation = node.params
    rank = len(window)
    lead = x.aval.ndim - rank
    sizes = x.aval.shape[lead:]
    ref = planner.refs[x]
    if any(map(any, padding)):
        shape = tuple(n + lo + hi for n, (lo, hi) in zip(sizes, padding, strict=True))
        room = Value(x.aval._replace(shape=(*x.aval.shape[:lead], *shape)))
        pairs = [spans(n, lo, m, 1) for n, (lo, _), m in zip(sizes, padding, shape, strict=True)]
        source = ref.view(lambda a: a[(..., *(s for s, _ in pairs))])
        target = Ref.whole(room).view(lambda a: a[(..., *(t for _, t in pairs))])
        assert source is not None
        assert target is not None
        step = planner.add(Filled(room, 0), room)
        if math.prod(source.shape):
            alias = Value(x.aval._replace(shape=source.shape))
            planner.refs[alias] = source
            step = planner.copy(alias, target, after=step)
        planner.made(room, step)
        ref = planner.refs[room]
    steps = ref.strides[lead:]
    planner.stored.add(ref.root)
    planner.refs[out] = Ref(
        ref.root,
        out.aval.shape,
        (
            *ref.strides[:lead],
            *(s * d for s, d in zip(steps, dilation, strict=True)),
            *(s * t for s, t in zip(steps, strides, strict=True)),
        ),
        ref.offset,
        ref.moving,
    )
    return True


class Fold(Routine):
    """Windows added up where they lie."""

    shared = True

    def __init__(self, x: Ref, out: Value, params: Any) -> None:
        super().__init__([x], [out])
        self.params = params
        self.pieces = x.shape[0]
        self.work = math.prod(x.shape) * 2

    def code(self, b: Body) -> None:
        """Loop over planes, entries of the window, and the windows in which they are inside."""
        x, out = self.operands[0], self.results[0]
        kind = out.aval.dtype.char
        sizes, window, strides, padding, dilation = self.params
        rank = len(sizes)
        count = x.shape[1 + rank :]
        base, goal = address_of(b, x), address_of(b, Ref.whole(out))
        steps = contiguous(sizes)
        with b.loop("%lo", "%hi") as n:
            plane = moved(b, goal, kind, n, math.prod(sizes))
            zero(b, plane, math.prod(sizes) * np.dtype(kind).itemsize)
            source = moved(b, base, kind, n, x.strides[0])
            for entry in itertools.product(*map(range, window)):
                first = sum(i * s for i, s in zip(entry, x.strides[1 : 1 + rank], strict=True))
                place, lengths = 0, []
                every = zip(
                    entry,
                    dilation,
                    strides,
                    padding,
                    sizes,
                    count,
                    x.strides[1 + rank :],
                    steps,
                    strict=True,
                )
                for i, d, s, (lo, _), size, m, t, step in every:
                    start = i * d - lo
                    low = max(0, -(start // s))
                    high = min(m, (size - 1 - start) // s + 1)
                    first += low * t
                    place += (start + low * s) * step
                    lengths.append(max(0, high - low))
                if not math.prod(lengths):
                    continue
                streams = [
                    Stream(moved(b, source, kind, "1", first), kind, x.strides[1 + rank :]),
                    Stream(
                        moved(b, plane, kind, "1", place), kind,
                        [s * t for s, t in zip(steps, strides, strict=True)],
                    ),
                ]  # fmt: skip

                def visit(at: list[str]) -> None:
                    old = b.load(at[1], kind)
                    b.store(COMBINE["add"](b, kind, old, b.load(at[0], kind)), at[1], kind)

                run_of(b, lengths, streams, visit)


def _fold(planner: Planner, node: Node) -> bool:
    (x,) = node.operands
    (out,) = node.outputs
    if not isinstance(x, Value) or not math.prod(x.aval.shape) or not math.prod(out.aval.shape):
        return False
    if math.prod(node.params[1]) > 256:
        return False
    planner.add(Fold(flattened(planner, x, 2 * len(node.params[0])), out, node.params), out)
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "pick_places": _pick,
    "put_places": _put,
    "window_sum": _window_sum,
    "unfold": _unfold,
    "fold": _fold,
}
