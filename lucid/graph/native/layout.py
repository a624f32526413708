"""Images laid out so that windows are shifts.

The entries of a padded image are put on one long axis, one after the other for each remainder of
their places by the strides. All windows' entries of one number then lie together: for the windows
in their order, with some in between that wrap around an edge, a window's entry is a shift along
the axis. What is computed for those that wrap around is dropped, or multiplied by zero.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Value
from lucid.graph.native.plan import Planner, Ref, contiguous
from lucid.graph.native.routine import Stream, moved, run_of
from lucid.graph.native.text import Body
from lucid.ops.window.geometry import counts

__all__ = ["Layout", "fill", "flattened", "zero"]


class Layout:
    """Where the entries of images lie on the long axis, and by how much windows are shifts.

    Attributes:
        out: how many windows there are along each axis.
        room: the lengths of the axes that the long one is made of.
        steps: how far apart the windows are along each axis.
        plane: the length for one remainder.
        size: that for all of them, with what may be read behind.
        span: from the first window to behind the last.
        shifts: of each entry of a window.
    """

    def __init__(
        self, sizes: Any, window: Any, strides: Any, padding: Any, base: Any, dilation: Any
    ) -> None:
        self.sizes, self.strides, self.padding, self.base = sizes, strides, padding, base
        self.out = counts(sizes, window, strides, padding, base, dilation)
        self.room = tuple(
            m + (k - 1) * d // s
            for m, k, d, s in zip(self.out, window, dilation, strides, strict=True)
        )
        self.steps = contiguous(self.room)
        self.plane = math.prod(self.room)
        self.span = sum((m - 1) * s for m, s in zip(self.out, self.steps, strict=True)) + 1
        reached = [
            sorted({i * d % s for i in range(k)})
            for k, d, s in zip(window, dilation, strides, strict=True)
        ]
        self.remainders = list(itertools.product(*reached))
        self.size = self.plane * len(self.remainders)
        self.shifts: list[int] = []
        for entry in itertools.product(*map(range, window)):
            at = [i * d for i, d in zip(entry, dilation, strict=True)]
            phase = tuple(a % s for a, s in zip(at, strides, strict=True))
            inside = sum(a // s * step for a, s, step in zip(at, strides, self.steps, strict=True))
            self.shifts.append(self.remainders.index(phase) * self.plane + inside)
        self.dense = self.span == math.prod(self.out)

    def blocks(self) -> Any:
        """Iterate over the blocks that an image is copied in.

        Yields its first entry, the strides of entries (factors of the image's own), the first
        place, and the strides of places and the lengths.
        """
        for number, phase in enumerate(self.remainders):
            block: list[tuple[int, int, int, int, int]] = []
            for n, s, (lo, _), b, f, m, step in zip(
                self.sizes, self.strides, self.padding, self.base, phase, self.room, self.steps,
                strict=True,
            ):  # fmt: skip
                # entry i is at place q with q s + f - lo = i b
                g = math.gcd(s, b)
                pairs = [
                    (i, (i * b + lo - f) // s)
                    for i in range(n)
                    if (i * b + lo - f) % s == 0 and 0 <= (i * b + lo - f) // s < m
                ]
                if not pairs:
                    block = []
                    break
                (i, q), count = pairs[0], len(pairs)
                block.append((i, s // g, q * step, b // g * step, count))
            if block:
                yield number * self.plane, block


def fill(b: Body, layout: Layout, x: str, kind: str, strides: Sequence[int], target: str) -> None:
    """Copy one channel of one image to its places; the others hold zeros already."""
    for start, block in layout.blocks():
        first = sum(i * s for (i, *_), s in zip(block, strides, strict=True))
        place = start + sum(q for _, _, q, _, _ in block)
        source = Stream(
            moved(b, x, kind, "1", first), kind,
            [f * s for (_, f, *_), s in zip(block, strides, strict=True)],
        )  # fmt: skip
        goal = Stream(moved(b, target, kind, "1", place), kind, [t for *_, t, _ in block])

        def visit(at: list[str]) -> None:
            b.store(b.load(at[0], kind), at[1], kind)

        run_of(b, [n for *_, n in block], [source, goal], visit)


def zero(b: Body, address: str, size: Any) -> None:
    """Set bytes to zero."""
    b.module.declare("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
    b.do(f"call void @llvm.memset.p0.i64(ptr {address}, i8 0, i64 {size}, i1 false)")


def flattened(planner: Planner, x: Value, rank: int) -> Ref:
    """Return an array with one axis in front of the last ones."""
    lead = math.prod(x.aval.shape[: x.aval.ndim - rank])
    shape = (lead, *x.aval.shape[x.aval.ndim - rank :])

    def change(a: Any) -> Any:
        return np.reshape(a, shape, copy=False)

    ref = planner.refs[x].view(change)
    if ref is None:
        ref = planner.materialise(x).view(change)
    assert ref is not None
    planner.stored.add(ref.root)
    return ref
