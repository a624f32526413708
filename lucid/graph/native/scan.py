"""Native loops: `scan`, whose body is either numbers in registers or steps of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Graph, Value
from lucid.graph.native.decompose import decompose
from lucid.graph.native.plan import Planner, Ref, Step, contiguous
from lucid.graph.native.rewrite import hoist_products, merge_places
from lucid.graph.native.scalars import Names, emit_graph, fits
from lucid.graph.native.table import address_of
from lucid.graph.native.text import Body

__all__ = [
    "Loop",
    "ScalarLoop",
    "add_loop",
    "enter",
    "finish",
    "loaded",
    "plan_scan",
    "read",
    "save",
    "variables",
    "write",
]


class ScalarLoop(Step):
    """A scan whose state lives in registers.

    Attributes:
        body: (constants, carries, slices) -> (carries, slices of the results).
        consts, start, xs: references to the operands.
        carries, ys: the roots of the results.
    """

    def __init__(
        self,
        body: Graph,
        operands: tuple[Sequence[Ref], Sequence[Ref], Sequence[Ref]],
        results: tuple[Sequence[Value], Sequence[Value]],
        length: int,
        reverse: bool,
    ) -> None:
        self.body = body
        self.consts, self.start, self.xs = operands
        self.carries, self.ys = results
        self.length = length
        self.reverse = reverse

    def reads(self) -> Iterator[Value]:
        """The roots of the operands."""
        return (r.root for r in (*self.consts, *self.start, *self.xs))

    def writes(self) -> Iterator[Value]:
        """The roots of the results."""
        return iter((*self.carries, *self.ys))

    def emit(self, b: Body) -> None:
        """Add the loop."""
        b.lanes = 1
        consts = [read(b, address_of(b, r), r) for r in self.consts]
        cells: list[tuple[Names, str]] = []
        for r in self.start:
            kind = r.root.aval.dtype.char
            names = read(b, address_of(b, r), r)
            cells.append((variables(b, names, kind), kind))
        xs = [address_of(b, r) for r in self.xs]
        ys = [address_of(b, Ref.whole(y)) for y in self.ys]
        with b.loop(0, self.length) as i:
            if self.reverse:
                i = b.put(f"sub nsw i64 {self.length - 1}, {i}")
            state = [loaded(b, cell, kind) for cell, kind in cells]
            slices = [
                read(b, _moved(b, base, r, i), _slice(r))
                for base, r in zip(xs, self.xs, strict=True)
            ]
            results = emit_graph(b, self.body, [*consts, *state, *slices])
            new, stacked = results[: len(cells)], results[len(cells) :]
            for base, y, names in zip(ys, self.ys, stacked, strict=True):
                whole = Ref.whole(y)
                write(b, _moved(b, base, whole, i), _slice(whole), names)
            for (cell, kind), names in zip(cells, new, strict=True):
                save(b, cell, names, kind)
        for root, (cell, kind) in zip(self.carries, cells, strict=True):
            whole = Ref.whole(root)
            write(b, address_of(b, whole), whole, loaded(b, cell, kind))


def _slice(r: Ref) -> Ref:
    return Ref(r.root, r.shape[1:], r.strides[1:], 0)


def _moved(b: Body, base: str, r: Ref, index: str) -> str:
    step = b.put(f"mul nsw i64 {index}, {r.strides[0]}")
    return b.address(base, r.root.aval.dtype.char, step)


def read(b: Body, base: str, r: Ref) -> Names:
    """Load every element."""
    kind = r.root.aval.dtype.char
    names = np.empty(r.shape, object)
    for index in np.ndindex(r.shape):
        at = sum(k * s for k, s in zip(index, r.strides, strict=True))
        names[index] = b.load(b.address(base, kind, str(at)) if at else base, kind)
    return names


def write(b: Body, base: str, r: Ref, names: Names) -> None:
    """Store every element."""
    kind = r.root.aval.dtype.char
    for index in np.ndindex(r.shape):
        at = sum(k * s for k, s in zip(index, r.strides, strict=True))
        b.store(names[index], b.address(base, kind, str(at)) if at else base, kind)


def variables(b: Body, names: Names, kind: str) -> Names:
    """Return the addresses of variables with these values."""
    cell = np.empty(names.shape, object)
    for index in np.ndindex(names.shape):
        cell[index] = b.stack(kind, 1)
    save(b, cell, names, kind)
    return cell


def loaded(b: Body, cell: Names, kind: str) -> Names:
    """Return the present values of variables."""
    names = np.empty(cell.shape, object)
    for index in np.ndindex(cell.shape):
        names[index] = b.put(f"load {b.type(kind)}, ptr {cell[index]}, align 8")
    return names


def save(b: Body, cell: Names, names: Names, kind: str) -> None:
    """Assign to variables."""
    for index in np.ndindex(cell.shape):
        b.do(f"store {b.type(kind)} {names[index]}, ptr {cell[index]}, align 8")


class Loop(Step):
    """A scan whose body consists of steps; values that persist lie in memory.

    Attributes:
        steps: the steps of the body, the copies into the carries at its end.
        outer: the roots of outside that the body reads.
        results: the carries and the stacked results.
        place: where in the table of memory the index of the step stands.
    """

    def __init__(self, length: int, reverse: bool) -> None:
        self.length = length
        self.reverse = reverse
        self.steps: list[Step] = []
        self.outer: list[Value] = []
        self.results: list[Value] = []
        self.place = -1

    def reads(self) -> Iterator[Value]:
        """What the body reads."""
        return iter(self.outer)

    def writes(self) -> Iterator[Value]:
        """The results, and everything that the body keeps in memory."""
        inner = [r for s in self.steps for r in (*s.writes(), *s.reads())]
        return iter(dict.fromkeys((*self.results, *(r for r in inner if r not in self.outer))))


def plan_scan(
    planner: Planner,
    body: Graph,
    operands: tuple[Sequence[Value], Sequence[Value], Sequence[Value]],
    outputs: tuple[Sequence[Value], Sequence[Value]],
    length: int,
    reverse: bool,
    lower: Callable[[Planner, Graph], None],
) -> bool:
    """Plan a scan; False if its body needs Python."""
    body = decompose(body)
    consts, start, xs = ([planner.ref(x) for x in part] for part in operands)
    carries, ys = outputs
    small = sum(math.prod(v.aval.shape) for v in body.inputs) <= 256
    if small and fits(body):
        step = ScalarLoop(body, (consts, start, xs), (carries, ys), length, reverse)
        planner.add(step, *carries, *ys)
        return True
    body = merge_places(hoist_products(body))
    loop = Loop(length, reverse)
    copies = [planner.fresh(v) for v in carries]
    rows = [
        Ref(r.root, r.shape[1:], r.strides[1:], r.offset, (*r.moving, (loop, r.strides[0])))
        for r in xs
    ]
    inner = enter(planner, body, [*consts, *map(Ref.whole, copies), *rows], loop, copies)
    lower(inner, body)
    if any(s.python for s in inner.steps):
        return False
    finish(inner, body, copies, ys, loop)
    loop.steps = inner.steps
    loop.results = [*copies, *ys]
    add_loop(planner, loop, [inner], start, copies, carries)
    for y in ys:
        planner.made(y, len(planner.steps) - 1)
        planner.stored.add(y)
    return True


def enter(
    planner: Planner, body: Graph, refs: Sequence[Ref], loop: Loop, own: Sequence[Value] = ()
) -> Planner:
    """Return a planner for a body, whose inputs lie at `refs`; `own` is memory of the loop's."""
    inner = Planner()
    inner.stored, inner.extra = planner.stored, planner.extra
    for value, ref in zip(body.inputs, refs, strict=True):
        if ref.root in own:
            inner.home[ref.root] = -1
            inner.refs[value] = ref
            planner.stored.add(ref.root)
        else:
            _enter(inner, planner, value, ref, loop)
    for value, array in body.constants.items():
        inner.given(value, array)
        planner.home[value] = -1
        planner.extra[value] = array
    return inner


def add_loop(
    planner: Planner,
    loop: Loop,
    inners: Sequence[Planner],
    start: Sequence[Ref],
    copies: Sequence[Value],
    carries: Sequence[Value],
) -> None:
    """Append a loop: its carries are set up before, and lie in `copies` after it."""
    for copy, r in zip(copies, start, strict=True):
        alias = Value(copy.aval)
        planner.refs[alias] = r
        planner.home[copy] = planner.copy(alias, Ref.whole(copy))
        planner.refs[copy] = Ref.whole(copy)
    planner.steps.append(loop)
    where = len(planner.steps) - 1
    for inner in inners:
        planner.literals.update(inner.literals)
        for step in inner.steps:
            for root in step.writes():
                planner.home[root] = where
    for value, copy in zip(carries, copies, strict=True):
        planner.home[copy] = where
        planner.refs[value] = Ref.whole(copy)


def _enter(inner: Planner, planner: Planner, value: Value, ref: Ref, loop: Loop) -> None:
    inner.refs[value] = ref
    inner.home[ref.root] = -1
    if ref.root in planner.literals:
        inner.literals[ref.root] = planner.literals[ref.root]
    if ref.root not in loop.outer:
        loop.outer.append(ref.root)


def finish(
    inner: Planner, body: Graph, copies: Sequence[Value], ys: Sequence[Value], loop: Loop
) -> None:
    """Write the slices of the results, and at the very end the new carries."""
    new, stacked = body.outputs[: len(copies)], body.outputs[len(copies) :]
    for y, out in zip(ys, stacked, strict=True):
        shape = y.aval.shape[1:]
        strides = contiguous(y.aval.shape)
        inner.home[y] = -1
        target = Ref(y, shape, strides[1:], 0, ((loop, strides[0]),))
        inner.copy(out, target)
    ready: list[Any] = []
    for copy, out in zip(copies, new, strict=True):
        if isinstance(out, Value) and inner.refs[out].root in copies:
            if inner.refs[out].root is copy and inner.refs[out].is_whole:
                ready.append(None)  # it stays as it is
                continue
            root = inner.materialise(out).root
            ready.append(root)
        else:
            ready.append(out)
    last = len(inner.steps) - 1
    for copy, out in zip(copies, ready, strict=True):
        if out is not None:
            inner.copy(out, Ref.whole(copy), after=last)
