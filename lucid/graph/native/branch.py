"""Native loops that end on a condition, and branches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lucid.graph.ir import Graph, Value
from lucid.graph.native.decompose import decompose
from lucid.graph.native.plan import Planner, Ref, Step
from lucid.graph.native.rewrite import merge_places
from lucid.graph.native.scalars import emit_graph, fits
from lucid.graph.native.scan import (
    Loop,
    add_loop,
    enter,
    finish,
    loaded,
    read,
    save,
    variables,
    write,
)
from lucid.graph.native.table import address_of
from lucid.graph.native.text import Body

__all__ = ["Branch", "ScalarWhile", "While", "plan_cond", "plan_while"]

Lower = Callable[[Planner, Graph], None]


def counted(b: Body, limit: int | None) -> Callable[[str], str]:
    """Return what makes of a condition one that also counts the steps, if there is a limit."""
    if limit is None:
        return lambda go: go
    cell = b.stack("q", 1)
    b.do(f"store i64 0, ptr {cell}, align 8")

    def more(go: str) -> str:
        n = b.put(f"load i64, ptr {cell}, align 8")
        b.do(f"store i64 {b.put(f'add i64 {n}, 1')}, ptr {cell}, align 8")
        return b.put(f"and i1 {go}, {b.put(f'icmp slt i64 {n}, {limit}')}")

    return more


class ScalarWhile(Step):
    """A loop on a condition whose state lives in registers."""

    def __init__(
        self,
        graphs: tuple[Graph, Graph],
        operands: tuple[Sequence[Ref], Sequence[Ref]],
        carries: Sequence[Value],
        limit: int | None,
    ) -> None:
        self.cond, self.body = graphs
        self.consts, self.start = operands
        self.carries = carries
        self.limit = limit

    def reads(self) -> Iterator[Value]:
        """The roots of the operands."""
        return (r.root for r in (*self.consts, *self.start))

    def writes(self) -> Iterator[Value]:
        """The roots of the results."""
        return iter(self.carries)

    def emit(self, b: Body) -> None:
        """Add the loop."""
        b.lanes = 1
        consts = [read(b, address_of(b, r), r) for r in self.consts]
        kinds = [r.root.aval.dtype.char for r in self.start]
        cells = [
            variables(b, read(b, address_of(b, r), r), k)
            for r, k in zip(self.start, kinds, strict=True)
        ]
        more = counted(b, self.limit)

        def state() -> list[Any]:
            return [loaded(b, cell, kind) for cell, kind in zip(cells, kinds, strict=True)]

        def test() -> str:
            (go,) = emit_graph(b, self.cond, [*consts, *state()])
            return more(go.item())

        with b.loop_while(test):
            new = emit_graph(b, self.body, [*consts, *state()])
            for cell, names, kind in zip(cells, new, kinds, strict=True):
                save(b, cell, names, kind)
        for root, cell, kind in zip(self.carries, cells, kinds, strict=True):
            whole = Ref.whole(root)
            write(b, address_of(b, whole), whole, loaded(b, cell, kind))


class While(Loop):
    """A loop on a condition that consists of steps.

    Attributes:
        test: the steps that compute the condition.
        go: where it lies then.
        limit: the most steps, or None.
    """

    def __init__(self, limit: int | None) -> None:
        super().__init__(0, False)
        self.test: list[Step] = []
        self.go: Ref | None = None
        self.limit = limit

    def writes(self) -> Iterator[Value]:
        """The results, and everything that body and condition keep in memory."""
        inner = [r for s in (*self.test, *self.steps) for r in (*s.writes(), *s.reads())]
        return iter(dict.fromkeys((*self.results, *(r for r in inner if r not in self.outer))))


def plan_while(
    planner: Planner,
    graphs: tuple[Graph, Graph],
    operands: tuple[Sequence[Value], Sequence[Value]],
    carries: Sequence[Value],
    limit: int | None,
    lower: Lower,
) -> bool:
    """Plan a loop on a condition; False if it needs Python."""
    cond, body = (decompose(g) for g in graphs)
    consts, start = ([planner.ref(x) for x in part] for part in operands)
    small = sum(math.prod(v.aval.shape) for v in body.inputs) <= 256
    if small and fits(cond) and fits(body):
        planner.add(ScalarWhile((cond, body), (consts, start), carries, limit), *carries)
        return True
    body = merge_places(body)
    loop = While(limit)
    copies = [planner.fresh(v) for v in carries]
    refs = [*consts, *map(Ref.whole, copies)]
    test = enter(planner, cond, refs, loop, copies)
    inner = enter(planner, body, refs, loop, copies)
    lower(test, cond)
    lower(inner, body)
    if any(s.python for s in (*test.steps, *inner.steps)):
        return False
    go = cond.outputs[0]
    if not isinstance(go, Value):
        return False
    loop.go = test.materialise(go)
    finish(inner, body, copies, (), loop)
    loop.test, loop.steps, loop.results = test.steps, inner.steps, copies
    add_loop(planner, loop, [test, inner], start, copies, carries)
    return True


class Branch(Loop):
    """One of several lists of steps.

    Attributes:
        index: where the number of the branch lies.
        branches: the steps of each.
    """

    def __init__(self, index: Ref) -> None:
        super().__init__(0, False)
        self.index = index
        self.branches: list[list[Step]] = []

    def reads(self) -> Iterator[Value]:
        """What the branches read, and the index."""
        return iter((self.index.root, *self.outer))

    def writes(self) -> Iterator[Value]:
        """The results, and everything that the branches keep in memory."""
        inner = [r for part in self.branches for s in part for r in (*s.writes(), *s.reads())]
        return iter(dict.fromkeys((*self.results, *(r for r in inner if r not in self.outer))))


def plan_cond(
    planner: Planner,
    branches: Sequence[Graph],
    index: Value,
    arguments: Sequence[Value],
    outputs: Sequence[Value],
    lower: Lower,
) -> bool:
    """Plan branches; False if one needs Python. The index is a truth value."""
    step = Branch(planner.ref(index))
    refs = [planner.ref(x) for x in arguments]
    inners: list[Planner] = []
    for graph in branches:
        graph = merge_places(decompose(graph))
        inner = enter(planner, graph, refs, step)
        lower(inner, graph)
        if any(s.python for s in inner.steps):
            return False
        for y, out in zip(outputs, graph.outputs, strict=True):
            inner.home[y] = -1
            inner.copy(out, Ref.whole(y))
        step.branches.append(inner.steps)
        inners.append(inner)
    step.results = list(outputs)
    add_loop(planner, step, inners, (), (), ())
    for y in outputs:
        planner.made(y, len(planner.steps) - 1)
        planner.stored.add(y)
    return True
