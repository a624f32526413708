"""The greatest entries of windows, and where they stand, in one pass."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from lucid.graph.ir import Node, Value
from lucid.graph.native.elementwise import FLOAT, SIGNED
from lucid.graph.native.layout import flattened
from lucid.graph.native.loops import identity_of
from lucid.graph.native.plan import Planner, Ref, contiguous
from lucid.graph.native.routine import Routine, Stream, moved, run_of
from lucid.graph.native.table import address_of, scratch_of
from lucid.graph.native.text import Body, register_type
from lucid.ops.window.geometry import spans

__all__ = ["RULES"]


def spaced(b: Body, base: str, kind: str, stride: int) -> str:
    """Load elements at a small stride, and nothing behind the last of them."""
    lanes = b.lanes
    if lanes == 1 or stride == 1:
        return b.load(base, kind)
    t = register_type(kind, lanes)
    last = (lanes - 1) * stride
    value, have = "", 0  # what has been found, and how many elements that is
    while have < lanes:
        start = min(have * stride, last - lanes + 1)
        part = b.load(b.address(base, kind, str(start)), kind)
        more = min(lanes, (start + lanes - 1) // stride + 1)
        picked = [k * stride - start for k in range(have, more)]
        if not have:
            mask = [*picked, *[0] * (lanes - more)]
            value = _shuffle(b, t, part, part, mask)
        else:
            mask = [*range(have), *(lanes + k for k in picked), *[0] * (lanes - more)]
            value = _shuffle(b, t, value, part, mask)
        have = more
    return value


def _shuffle(b: Body, t: str, x: str, y: str, mask: Sequence[int]) -> str:
    places = ", ".join(f"i32 {k}" for k in mask)
    return b.put(f"shufflevector {t} {x}, {t} {y}, <{len(mask)} x i32> <{places}>")


# -- maxima ----------------------------------------------------------------------------------------


class MaxPool(Routine):
    """The greatest entries of windows, and where they stand.

    Attributes:
        values: where the greatest entries go; None if they are not wanted.
        places: where their places go.
    """

    shared = True

    def __init__(self, x: Ref, params: Any, out: tuple[int, ...]) -> None:
        super().__init__([x], [])
        self.params, self.out = params, out
        self.values: Value | None = None
        self.places: Value | None = None
        self.pieces = x.shape[0]
        window, _, padding, _ = params
        self.work = x.shape[0] * math.prod(out) * math.prod(window)
        self.room = -1
        sizes = x.shape[1:]
        self.framed = tuple(n + lo + hi for n, (lo, hi) in zip(sizes, padding, strict=True))
        self.inside = not any(map(any, padding))

    def give(self, out: Value, places: bool) -> None:
        """Add a result."""
        if places:
            self.places = out
        else:
            self.values = out
        self.results.append(out)

    def scratch(self, module: Any) -> None:
        """A plane with its padding."""
        if not self.inside:
            size = self.operands[0].root.aval.dtype.itemsize
            self.bytes = -(-math.prod(self.framed) * size // 64) * 64
            self.room = module.scratch(self.bytes * module.threads)

    def code(self, b: Body) -> None:
        """Loop over planes, rows, and along rows."""
        x = self.operands[0]
        kind = x.root.aval.dtype.char
        base = address_of(b, x)
        targets = [
            (out, address_of(b, Ref.whole(out)))
            for out in (self.values, self.places)
            if out is not None
        ]
        size = math.prod(self.out)
        room = ""
        if not self.inside:
            room = scratch_of(b, self.room, self.bytes)
            lowest = identity_of("max", kind)
            run_of(
                b, self.framed, [Stream(room, kind, contiguous(self.framed))],
                lambda at: b.store(b.const(lowest, kind), at[0], kind),
            )  # fmt: skip
        with b.loop("%lo", "%hi") as n:
            plane = moved(b, base, kind, n, x.strides[0])
            strides = x.strides[1:]
            if not self.inside:
                self._frame(b, plane, room)
                plane, strides = room, contiguous(self.framed)
            goals = {out: moved(b, at, out.aval.dtype.char, n, size) for out, at in targets}
            self._plane(b, plane, strides, goals)

    def _frame(self, b: Body, plane: str, room: str) -> None:
        x, kind = self.operands[0], self.operands[0].root.aval.dtype.char
        steps = contiguous(self.framed)
        source, goal, sizes = 0, 0, []
        every = zip(x.shape[1:], self.params[2], self.framed, x.strides[1:], steps, strict=True)
        for n, (lo, _), m, s, t in every:
            taken, placed = spans(n, lo, m, 1)
            source += taken.start * s
            goal += placed.start * t
            sizes.append(taken.stop - taken.start)
        streams = [
            Stream(moved(b, plane, kind, "1", source), kind, x.strides[1:]),
            Stream(moved(b, room, kind, "1", goal), kind, steps),
        ]
        run_of(b, sizes, streams, lambda at: b.store(b.load(at[0], kind), at[1], kind))

    def _plane(self, b: Body, plane: str, strides: Sequence[int], goals: dict[Value, str]) -> None:
        x = self.operands[0]
        kind = x.root.aval.dtype.char
        window, steps, padding, dilation = self.params
        jumps = [s * t for s, t in zip(strides, steps, strict=True)]
        whole = contiguous(x.shape[1:])  # how places are counted
        entries = [
            (
                sum(i * d * s for i, d, s in zip(k, dilation, strides, strict=True)),
                sum(i * d * s for i, d, s in zip(k, dilation, whole, strict=True)),
            )
            for k in itertools.product(*map(range, window))
        ]
        start = -sum(lo * s for (lo, _), s in zip(padding, whole, strict=True))
        *outer, n = self.out
        lanes = self._lanes(b, n, strides[-1] * steps[-1], strides[-1])
        rows = [Stream(plane, kind, jumps[:-1])]
        out_steps = contiguous(self.out)
        for out, at in goals.items():
            rows.append(Stream(at, out.aval.dtype.char, out_steps[:-1]))
        with nest_indices(b, outer) as indices:
            here, *results = (_at(b, s, indices) for s in rows)
            first = str(start)
            lines = [s * t for s, t in zip(steps[:-1], whole[:-1], strict=True)]
            for i, s in zip(indices, lines, strict=True):
                step = b.put(f"mul nsw i64 {i}, {s}")
                first = b.put(f"add nsw i64 {first}, {step}")
            for low, high in _overlapping(n, lanes):
                with b.loop(low, high, lanes) as q:
                    at = moved(b, here, kind, q, jumps[-1])
                    column = b.put(f"mul nsw i64 {q}, {steps[-1]}")
                    place = b.put(f"add nsw i64 {first}, {column}")
                    self._windows(
                        b,
                        at,
                        entries,
                        jumps[-1],
                        steps[-1],
                        place,
                        lanes,
                        [moved(b, p, r.kind, q, 1) for p, r in zip(results, rows[1:], strict=True)],
                        list(goals),
                        indices,
                        q,
                    )

    def _lanes(self, b: Body, n: int, jump: int, stride: int) -> int:
        kind = self.operands[0].root.aval.dtype
        if kind.char == "?" or stride != 1 or not 1 <= jump <= 4:
            return 1
        lanes = b.module.width // kind.itemsize
        while lanes > n:
            lanes //= 2
        return lanes

    def _windows(
        self, b: Body, at: str, entries: Any, jump: int, step: int, place: str, lanes: int,
        results: Sequence[str], outs: Sequence[Value], indices: Sequence[str], q: str,
    ) -> None:  # fmt: skip
        kind = self.operands[0].root.aval.dtype.char
        b.lanes = lanes
        where = self.places is not None
        best = chosen = ""
        if self.inside:
            rest = entries
            best = spaced(b, b.address(at, kind, str(entries[0][0])), kind, jump)
            chosen, rest = b.const(entries[0][1], "l"), entries[1:]
        else:
            best, rest = b.const(identity_of("max", kind), kind), entries
            chosen = self._firsts(b, indices, q, lanes) if where else ""
        for offset, number in rest:
            value = spaced(b, b.address(at, kind, str(offset)), kind, jump)
            if kind in FLOAT:  # above, or NaN: the last one counts
                more = b.compare("ogt", kind, value, best)
                better = b.put(f"or {b.type('?')} {more}, {b.compare('uno', kind, value, value)}")
            else:
                better = b.compare("sgt" if kind in SIGNED else "ugt", kind, value, best)
            best = b.select(kind, better, value, best)
            if where:
                chosen = b.select("l", better, b.const(number, "l"), chosen)
        for out, target in zip(outs, results, strict=True):
            if out is self.places:
                base = b.splat(place, "l")
                if lanes > 1:
                    ramp = ", ".join(f"i64 {k * step}" for k in range(lanes))
                    base = b.put(f"add <{lanes} x i64> {base}, <{ramp}>")
                b.store(b.binary("add", "l", base, chosen), target, "l")
            else:
                b.store(best, target, kind)
        b.lanes = 1

    def _firsts(self, b: Body, indices: Sequence[str], q: str, lanes: int) -> str:
        """Return by how much the first entry that is no padding is behind the window's first."""
        window, steps, padding, dilation = self.params
        whole = contiguous(self.operands[0].shape[1:])
        total = b.const(0, "l")
        every = zip([*indices, q], steps, padding, dilation, whole, strict=True)
        for axis, (i, s, (lo, _), d, t) in enumerate(every):
            last = axis == len(window) - 1
            b.lanes = lanes if last else 1
            index = b.splat(i, "l")
            if last and lanes > 1:
                ramp = ", ".join(f"i64 {k}" for k in range(lanes))
                index = b.put(f"add <{lanes} x i64> {index}, <{ramp}>")
            start = b.binary("mul", "l", index, b.const(s, "l"))
            short = b.binary("sub", "l", b.const(lo + d - 1, "l"), start)
            short = b.binary("sdiv", "l", short, b.const(d, "l"))
            short = b.intrinsic("smax", "l", [short, b.const(0, "l")])
            part = b.binary("mul", "l", short, b.const(d * t, "l"))
            if not last:
                b.lanes = lanes
                part = b.splat(part, "l")
            total = b.binary("add", "l", total, part)
        b.lanes = lanes
        return total


def nest_indices(b: Body, sizes: Sequence[int]) -> Any:
    """Emit loops around what is emitted inside; yields their indices."""
    return _Indices(b, sizes)


class _Indices:
    def __init__(self, b: Body, sizes: Sequence[int]) -> None:
        self.loops = [b.loop(0, n) for n in sizes]

    def __enter__(self) -> list[str]:
        return [loop.__enter__() for loop in self.loops]

    def __exit__(self, *error: Any) -> None:
        for loop in reversed(self.loops):
            loop.__exit__(*error)


def _at(b: Body, s: Stream, indices: Sequence[str]) -> str:
    base = s.base
    for i, stride in zip(indices, s.strides, strict=True):
        base = moved(b, base, s.kind, i, stride)
    return base


def _overlapping(n: int, lanes: int) -> list[tuple[int, int]]:
    """Cut a run into registers, of which the last may overlap with the one before."""
    main = n // lanes * lanes
    return [(0, main), *([(n - lanes, n)] if n > main else [])]


def _pool_step(planner: Planner, node: Node) -> MaxPool | None:
    """Return a step for these windows: one that has been planned, or a new one."""
    (x,) = node.operands
    (out,) = node.outputs
    if not isinstance(x, Value) or not math.prod(x.aval.shape) or not math.prod(out.aval.shape):
        return None
    window, strides, padding, dilation = node.params
    rank = len(window)
    sizes = x.aval.shape[x.aval.ndim - rank :]
    for n, k, s, (lo, _), d, m in zip(
        sizes, window, strides, padding, dilation, out.aval.shape[x.aval.ndim - rank :],
        strict=True,
    ):  # fmt: skip
        for q in range(m):
            if not any(0 <= q * s + i * d - lo < n for i in range(k)):
                return None
    ref = flattened(planner, x, rank)
    want = node.op.name == "max_pool_places"
    for step in planner.steps:
        if isinstance(step, MaxPool) and step.params == node.params:
            have = step.operands[0]
            same = have.root is ref.root and have.offset == ref.offset
            same = same and have.shape == ref.shape and have.strides == ref.strides
            free = step.places is None if want else step.values is None
            if same and have.moving == ref.moving and free:
                return step
    return MaxPool(ref, node.params, out.aval.shape[x.aval.ndim - rank :])


def _max_pool(planner: Planner, node: Node) -> bool:
    step = _pool_step(planner, node)
    if step is None:
        return False
    (out,) = node.outputs
    step.give(out, node.op.name == "max_pool_places")
    if step in planner.steps:
        planner.made(out, planner.steps.index(step))
        planner.stored.add(out)
    else:
        planner.add(step, out)
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "max_pool": _max_pool,
    "max_pool_places": _max_pool,
}
