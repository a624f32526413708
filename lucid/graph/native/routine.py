"""Steps with a function of their own, and the loop nests that their code is made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lucid.graph.ir import Value
from lucid.graph.native.loops import Access, _collapsed
from lucid.graph.native.plan import Ref, Step
from lucid.graph.native.table import address_of, slot
from lucid.graph.native.text import Body

__all__ = ["Routine", "Stream", "moved", "nest", "run_of"]

Stream = Access


class Routine(Step):
    """A step that is one function ``(env, lo, hi, tid)``, run over a range, perhaps by threads.

    Attributes:
        operands: what is read.
        results: the roots that are written.
        pieces: how long the range is.
        work: roughly, how many operations on elements there are.
        can_fail: whether the code may report an index out of bounds (`fail`).
        shared: whether threads may run parts of the range.
        sums: whether the scratch memory of a thread holds results until all parts have run.
    """

    pieces = 1
    work = 0
    can_fail = False
    shared = False
    sums = False

    def __init__(self, operands: Sequence[Ref], results: Sequence[Value]) -> None:
        self.operands = list(operands)
        self.results = list(results)
        self._name = ""
        self._parallel = False
        self._status = -1

    def reads(self) -> Iterator[Value]:
        """The roots of the operands."""
        return (r.root for r in self.operands)

    def writes(self) -> Iterator[Value]:
        """The results."""
        return iter(self.results)

    def code(self, b: Body) -> None:
        """Emit the body of the function, over ``%lo`` to ``%hi``."""
        raise NotImplementedError

    def scratch(self, module: Any) -> None:
        """Ask for the scratch memory that the code needs."""

    # -- emission --------------------------------------------------------------------------------

    def prepare(self, module: Any, name: str) -> None:
        """Define the function."""
        self._name = name
        if self.can_fail:
            self._status = module.scratch(8)
        self.scratch(module)
        self._parallel = self.shared and self.work >= module.parallel_work
        b = Body(module)
        self.code(b)
        b.lanes = 1
        b.do("ret void")
        module.function(f"define internal void @{name}(ptr %env, i64 %lo, i64 %hi, i64 %tid)", b)

    def emit(self, b: Body) -> None:
        """Add the call."""
        b.lanes = 1
        status = ""
        if self.can_fail:
            status = slot(b, self._status)
            b.do(f"store i64 0, ptr {status}, align 8")
        b.module.run(b, self._name, self.pieces, self._parallel, sums=self.sums)
        if self.can_fail:
            value = b.put(f"load i64, ptr {status}, align 8")
            bad = b.put(f"icmp ne i64 {value}, 0")
            after = f"fine{value[1:]}"
            b.do(f"br i1 {bad}, label %outside, label %{after}")
            b.label(after)

    def fail(self, b: Body, condition: str) -> None:
        """Report an index out of bounds where the condition holds."""
        with b.when(condition):
            b.do(f"store i64 1, ptr {slot(b, self._status)}, align 8")

    # -- memory ----------------------------------------------------------------------------------

    def stream(self, b: Body, ref: Ref, strides: Sequence[int] | None = None) -> Stream:
        """Return a reference as what a loop nest steps through."""
        kind = ref.root.aval.dtype.char
        return Stream(address_of(b, ref), kind, ref.strides if strides is None else strides)


def moved(b: Body, base: str, kind: str, index: str, stride: int) -> str:
    """Return an address so many strides on."""
    if not stride or index == "0":
        return base
    step = index if stride == 1 else b.put(f"mul nsw i64 {index}, {stride}")
    return b.address(base, kind, step)


@contextmanager
def nest(
    b: Body, sizes: Sequence[int], streams: Sequence[Stream], shared: bool = False
) -> Generator[list[str]]:
    """Emit loops around what is emitted inside; yields the addresses of the streams there.

    Args:
        b: the function.
        sizes: of the axes.
        streams: what to step through.
        shared: whether the first axis goes from ``%lo`` to ``%hi``.
    """
    sizes = list(sizes)
    lists = [list(s.strides) for s in streams]
    if not shared:
        drop = [i for i, n in enumerate(sizes) if n == 1]
        sizes = [n for n in sizes if n != 1]
        lists = [[s for i, s in enumerate(x) if i not in drop] for x in lists]
        if sizes:
            _collapsed(sizes, 0, lists)
    pointers = [s.base for s in streams]
    kinds = [s.kind for s in streams]

    @contextmanager
    def level(axis: int, bases: list[str]) -> Generator[list[str]]:
        if axis == len(sizes):
            yield bases
            return
        top = shared and axis == 0
        with b.loop("%lo" if top else 0, "%hi" if top else sizes[axis]) as i:
            new = [moved(b, p, k, i, x[axis]) for p, k, x in zip(bases, kinds, lists, strict=True)]
            with level(axis + 1, new) as inner:
                yield inner

    with level(0, pointers) as found:
        yield found


def run_of(
    b: Body,
    sizes: Sequence[int],
    streams: Sequence[Stream],
    visit: Callable[[list[str]], None],
) -> None:
    """Visit all elements of a block, several at a time where all streams have them together.

    `visit` gets the addresses, and emits for ``b.lanes`` neighbouring elements.
    """
    sizes = list(sizes)
    lists = [list(s.strides) for s in streams]
    drop = [i for i, n in enumerate(sizes) if n == 1]
    sizes = [n for n in sizes if n != 1]
    lists = [[s for i, s in enumerate(x) if i not in drop] for x in lists]
    if sizes:
        _collapsed(sizes, 0, lists)
    if not math.prod(sizes):
        return
    wide = bool(sizes) and all(x[-1] == 1 for x in lists)
    if not wide:
        again = [Stream(s.base, s.kind, x) for s, x in zip(streams, lists, strict=True)]
        with nest(b, sizes, again) as at:
            b.lanes = 1
            visit(at)
        return
    *outer, n = sizes
    again = [Stream(s.base, s.kind, x[:-1]) for s, x in zip(streams, lists, strict=True)]
    width = b.module.width // max(np.dtype(s.kind).itemsize for s in streams)
    with nest(b, outer, again) as at:
        for start, stop, lanes in pieces_of(n, width):
            b.lanes = 1
            with b.loop(start, stop, lanes) as i:
                here = [moved(b, p, s.kind, i, 1) for p, s in zip(at, streams, strict=True)]
                b.lanes = lanes
                visit(here)
                b.lanes = 1
    b.lanes = 1


def pieces_of(n: int, width: int) -> list[tuple[int, int, int]]:
    """Cut a run into registers, and smaller ones for the rest: (start, stop, lanes)."""
    found = []
    start = 0
    while start < n:
        lanes = width
        while lanes > n - start:
            lanes //= 2
        stop = start + (n - start) // lanes * lanes
        found.append((start, stop, lanes))
        start = stop
    return found
