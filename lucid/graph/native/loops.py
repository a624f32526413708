"""The code of one kernel: the memory it touches, and the loops over its rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Value
from lucid.graph.native.combine import combine, identity_of
from lucid.graph.native.plan import Item, Kernel, Planner, Ref, contiguous
from lucid.graph.native.rows import EXPENSIVE, Access, RowCode
from lucid.graph.native.table import address_of, slot
from lucid.graph.native.text import Body

__all__ = ["EXPENSIVE", "KernelCode", "combine", "identity_of"]

CHUNK = 4096  # elements after which a float32 sum goes over into a float64 one
ONE_BY_ONE = 256  # the same, where each number is added to the sum of all before it


class KernelCode(RowCode):
    """Emits the functions of a kernel.

    Attributes:
        kernel: what is computed.
        accumulators: per reduction into memory its item, scratch memory, and kind.
        parallel: how many pieces the first axis has, if threads may share them; otherwise 0.
    """

    def __init__(self, module: Any, planner: Planner, kernel: Kernel, name: str) -> None:
        self.module = module
        self.planner = planner
        self.kernel = kernel
        self.name = name
        self.accumulators: list[tuple[Item, Any, str, tuple[int, ...]]] = []
        self.stash: dict[Value, Any] = {}
        self.accesses: dict[Any, Access] = {}
        self.parallel = 0
        self.body = Body(module)
        self.crossing = self._crossing()

    # -- what is accessed ------------------------------------------------------------------------

    def _crossing(self) -> set[Value]:
        """Return the values that a later pass over the row uses."""
        members = self.kernel.members
        found: set[Value] = set()
        for item in self.kernel.items:
            if item.level == "row":
                continue
            for a in item.args:
                if isinstance(a, Value):
                    level, phase = members[a]
                    if level == "full" and phase < item.phase:
                        found.add(a)
        return found

    def _access(self, key: Any, ref: Ref, strides: Sequence[int]) -> None:
        if key not in self.accesses:
            kind = ref.root.aval.dtype.char
            base = address_of(self.body, ref)
            self.accesses[key] = Access(base, kind, strides)

    def _collect(self) -> None:
        kernel, planner = self.kernel, self.planner
        pad = (0,) * (kernel.row or 0)
        for k, item in enumerate(kernel.items):
            row = item.level == "row"
            for a in item.args:
                if isinstance(a, Ref):
                    strides = a.along(item.shape) + (pad if row else ())
                    self._access(("load", a.root, a.offset, a.moving, strides), a, strides)
            if item.level == "copy":
                assert item.target is not None
                self._access(("copy", k), item.target, item.target.along(item.shape))
            elif item.level == "reduce" and not item.by_row:
                self._accumulator(item)
            elif item.out in planner.stored:
                assert item.out is not None
                whole = Ref.whole(item.out)
                if row or item.level == "reduce":
                    strides = contiguous(kernel.outer_shape) + pad
                else:
                    strides = contiguous(kernel.domain)
                self._access(("store", item.out), whole, strides)
        for value in kernel.members:  # in the order of the items, as text is compared
            if value not in self.crossing or value in planner.stored:
                continue
            count = math.prod(kernel.row_shape)
            kind = value.aval.dtype.char
            place = self.module.scratch(count * np.dtype(kind).itemsize * self.module.threads)
            self.stash[value] = place
            base = self._scratch(place, count, kind)
            strides = (0,) * len(kernel.outer_shape) + contiguous(kernel.row_shape)
            self.accesses["store", value] = Access(base, kind, strides)

    def _scratch(self, place: int, count: int, kind: str) -> str:
        """Return this thread's part of a scratch memory."""
        b = self.body
        base = slot(b, place)
        return b.address(base, kind, b.put(f"mul nsw i64 %tid, {count}"))

    def _accumulator(self, item: Item) -> None:
        kernel = self.kernel
        assert item.out is not None
        assert item.node is not None
        kind = item.out.aval.dtype.char
        kept = [n for i, n in enumerate(kernel.domain) if i not in item.axes]
        steps = iter(contiguous(kept))
        strides = [0 if i in item.axes else next(steps) for i in range(len(kernel.domain))]
        wide = kind == "f" and item.node.op.name == "sum"
        most = CHUNK if strides[-1:] == [0] else ONE_BY_ONE
        wide = wide and math.prod(kernel.domain[i] for i in item.axes) > most
        memory = "d" if wide else kind
        count = math.prod(kept)
        place = self.module.scratch(count * np.dtype(memory).itemsize * self.module.threads)
        self.accesses["acc", item.out] = Access(
            self._scratch(place, count, memory), memory, strides
        )
        self.accumulators.append((item, place, memory, tuple(kept)))

    # -- emission --------------------------------------------------------------------------------

    def emit(self) -> None:
        """Add the kernel's function to the module."""
        kernel = self.kernel
        self._collect()
        domain = list(kernel.domain)
        row = kernel.row or 0
        sizes, row = _collapsed(domain, row, [a.strides for a in self.accesses.values()])
        if not sizes:
            sizes = [1]
            for a in self.accesses.values():
                a.strides = [0]
            row = 0
        self.row = row
        work = math.prod(kernel.domain) * sum(
            8 if i.node is not None and i.node.op.name in EXPENSIVE else 1 for i in kernel.items
        )
        split = not row and len(sizes) >= 1 and sizes[-1] >= 2 * CHUNK
        if split and (len(sizes) == 1 or self.accumulators):
            n, rest = divmod(sizes[-1], CHUNK)
            self._region([*sizes[:-1], n, CHUNK], self._split(n), work)
            if rest:
                start = n * CHUNK
                with self.body.when(self.body.put("icmp eq i64 %lo, 0")):
                    self._region([*sizes[:-1], rest], self._shift(start), 0)
        else:
            self._region(sizes, dict(self.accesses), work)
        self.body.do("ret void")
        self.module.function(
            f"define internal void @{self.name}(ptr %env, i64 %lo, i64 %hi, i64 %tid)", self.body
        )

    def _split(self, n: int) -> dict[Any, Access]:
        return {
            k: Access(a.base, a.kind, [*a.strides[:-1], a.strides[-1] * CHUNK, a.strides[-1]])
            for k, a in self.accesses.items()
        }

    def _shift(self, start: int) -> dict[Any, Access]:
        new: dict[Any, Access] = {}
        for k, a in self.accesses.items():
            base = a.base
            if a.strides[-1]:
                base = self.body.address(base, a.kind, str(start * a.strides[-1]))
            new[k] = Access(base, a.kind, a.strides)
        return new

    def _region(self, sizes: list[int], accesses: dict[Any, Access], work: int) -> None:
        row = max(self.row, 1)
        outer, inner = sizes[: len(sizes) - row], sizes[len(sizes) - row :]
        if work >= self.module.parallel_work and outer and outer[0] >= 2:
            self.parallel = outer[0]
        self._outer(outer, inner, accesses, 0, bool(work))

    def _outer(
        self, outer: list[int], inner: list[int], accesses: dict[Any, Access], depth: int, top: bool
    ) -> None:
        b = self.body
        if depth == len(outer):
            self._row(inner, accesses, depth)
            return
        shared = depth == 0 and top and self.parallel
        with b.loop("%lo" if shared else 0, "%hi" if shared else outer[depth]) as i:
            moved = {k: self._move(a, i, depth) for k, a in accesses.items()}
            self._outer(outer, inner, moved, depth + 1, top)


def _collapsed(sizes: list[int], row: int, strides: Sequence[list[int]]) -> tuple[list[int], int]:
    """Merge neighbouring axes that all step through evenly, but not across a row's edge."""
    i = len(sizes) - 2
    while i >= 0:
        edge = len(sizes) - row
        even = all(s[i] == sizes[i + 1] * s[i + 1] for s in strides)
        if even and not (row and i + 1 == edge):
            sizes[i] *= sizes[i + 1]
            del sizes[i + 1]
            for s in strides:
                s[i] = s[i + 1]
                del s[i + 1]
            if row and i >= edge:
                row -= 1
        i -= 1
    return sizes, row
