"""The plan of a native program: which loops there are, what each computes, and where values lie.

Operations that are applied element by element are gathered into *kernels*, loop nests over one
domain. A kernel also reduces: along its last axes row by row, where what follows may use the result
of a row in the same kernel (softmax, normalisation), or along any axes into an accumulator. Views
cost nothing: they are strides into the memory of another value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Operand, Value

__all__ = ["Item", "Kernel", "Planner", "Ref", "Step", "contiguous", "squeezed"]

ROW_LIMIT = 16384  # longer rows are summed into accumulators, block by block
ITEM_LIMIT = 300  # of one kernel, for the sake of registers and of compile time


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the strides of C order, in elements."""
    strides: list[int] = []
    step = 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def squeezed(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape without its axes of length 1: the domain of a loop nest."""
    return tuple(n for n in shape if n != 1)


class Ref:
    """Where a value lies: strides, in elements, into the memory of `root`.

    `moving` are pairs (loop, stride): the offset grows with the index of a surrounding loop.
    """

    __slots__ = ("moving", "offset", "root", "shape", "strides")

    def __init__(
        self,
        root: Value,
        shape: Sequence[int],
        strides: Sequence[int],
        offset: int = 0,
        moving: tuple[tuple[Any, int], ...] = (),
    ) -> None:
        self.root = root
        self.shape = tuple(shape)
        self.strides = tuple(strides)
        self.offset = offset
        self.moving = moving

    @classmethod
    def whole(cls, root: Value) -> Ref:
        """Return the reference to all of a value's own memory."""
        return cls(root, root.aval.shape, contiguous(root.aval.shape))

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the root's memory, in its order."""
        same = self.offset == 0 and not self.moving
        return (
            same
            and math.prod(self.shape) == math.prod(self.root.aval.shape)
            and (self.is_contiguous)
        )

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements are neighbours, in C order."""
        want = contiguous(self.shape)
        return all(s == w for s, w, n in zip(self.strides, want, self.shape, strict=True) if n != 1)

    def view(self, change: Callable[[Any], Any]) -> Ref | None:
        """Return what a function that makes a view of an array makes of this; None for a copy."""
        array = np.asarray(_Fake(self))
        try:
            new = change(array)
        except ValueError:
            return None
        offset = new.__array_interface__["data"][0] - _BASE
        return Ref(self.root, new.shape, new.strides, offset, self.moving)

    def along(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the strides for a loop nest over `shape`, to which this is broadcast."""
        missing = len(shape) - len(self.shape)
        strides = [0] * missing
        for s, n, m in zip(self.strides, self.shape, shape[missing:], strict=True):
            strides.append(0 if n == 1 and m != 1 else s)
        return tuple(s for s, n in zip(strides, shape, strict=True) if n != 1)


def _cuts(axes: Sequence[int], rank: int, row: int) -> bool:
    """Whether a sum over these axes ends within a row: it has no place among sums of whole rows."""
    return row > 1 and rank - 1 in axes and not set(range(rank - row, rank)) <= set(axes)


_BASE = 1 << 44


class _Fake:
    """An array of bytes that is nowhere: its views tell strides and offsets, and are not read."""

    def __init__(self, ref: Ref) -> None:
        self.__array_interface__ = {
            "version": 3,
            "typestr": "|u1",
            "shape": ref.shape,
            "strides": ref.strides,
            "data": (_BASE + ref.offset, False),
        }


class Item:
    """One operation in a kernel.

    Attributes:
        node: the operation; None for a copy.
        level: "full" once per element; "row" once per row; "reduce"; "copy".
        args: per operand a reference, a Value that the kernel has computed, or a Python number.
        out: the value; None for a copy.
        phase: the pass over the row in which it runs; of a row value, before which.
        target: where a copy goes.
        shape: that to which operands are broadcast.
        axes: of a reduction, the reduced axes of the domain.
        by_row: of a reduction, whether its result is used row by row.
    """

    __slots__ = ("args", "axes", "by_row", "level", "node", "out", "phase", "shape", "target")

    def __init__(
        self,
        node: Node | None,
        level: str,
        args: Sequence[Any],
        out: Value | None,
        phase: int,
        shape: tuple[int, ...],
    ) -> None:
        self.shape = shape
        self.node = node
        self.level = level
        self.args = list(args)
        self.out = out
        self.phase = phase
        self.target: Ref | None = None
        self.axes: tuple[int, ...] = ()
        self.by_row = False


class Step:
    """What a program does in order: a kernel, a call of a library, or Python code.

    Attributes:
        python: whether it is Python code.
    """

    python = False

    def reads(self) -> Iterator[Value]:
        """Iterate over the roots whose memory is read."""
        raise NotImplementedError

    def writes(self) -> Iterator[Value]:
        """Iterate over the roots whose memory is written."""
        raise NotImplementedError


class Kernel(Step):
    """A loop nest over a domain without axes of length 1."""

    def __init__(self, domain: tuple[int, ...]) -> None:
        self.domain = domain
        self.row: int | None = None  # how many trailing axes a row has
        self.items: list[Item] = []
        self.members: dict[Value, tuple[str, int]] = {}  # level and phase

    def reads(self) -> Iterator[Value]:
        """The roots whose memory is read."""
        for item in self.items:
            yield from (a.root for a in item.args if isinstance(a, Ref))

    def writes(self) -> Iterator[Value]:
        """The roots that the items compute."""
        for item in self.items:
            if item.target is not None:
                yield item.target.root
            elif item.out is not None:
                yield item.out

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The trailing axes that make a row."""
        return self.domain[len(self.domain) - (self.row or 0) :]

    @property
    def outer_shape(self) -> tuple[int, ...]:
        """The axes before those of a row."""
        return self.domain[: len(self.domain) - (self.row or 0)]


class Planner:
    """Makes a plan, node by node, in the order of the graph.

    Attributes:
        steps: the plan.
        refs: where each value lies.
        home: the step after which a root's memory is complete; -1 for inputs.
        stored: the roots that must be in memory.
        literals: constants that are one number throughout.
        extra: the constants of loop bodies.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.refs: dict[Value, Ref] = {}
        self.home: dict[Value, int] = {}
        self.stored: set[Value] = set()
        self.literals: dict[Value, Any] = {}
        self.extra: dict[Value, Any] = {}

    # -- values ----------------------------------------------------------------------------------

    def given(self, value: Value, array: Any = None) -> None:
        """Take up an input or constant."""
        self.home[value] = -1
        self.refs[value] = Ref.whole(value)
        if array is not None and array.size and (array == array.flat[0]).all():
            first = array.flat[0].item()
            if not (isinstance(first, float) and first == 0) or not np.signbit(array).any():
                self.literals[value] = first

    def ref(self, x: Value) -> Ref:
        """Return where a value lies, to be read from memory."""
        ref = self.refs[x]
        self.stored.add(ref.root)
        return ref

    def add(self, step: Step, *outputs: Value) -> int:
        """Append a step; its outputs lie in memory of their own afterwards."""
        self.steps.append(step)
        for y in outputs:
            self.made(y, len(self.steps) - 1)
            self.stored.add(y)
        return len(self.steps) - 1

    def made(self, value: Value, step: int) -> None:
        """Note that a value has its own memory, complete after a step."""
        self.refs[value] = Ref.whole(value)
        self.home[value] = step

    def ready(self, ref: Ref) -> int:
        """Return the step after which what is referred to can be read."""
        return self.home[ref.root]

    def fresh(self, like: Value, shape: Sequence[int] | None = None) -> Value:
        """Return a value of a memory of its own."""
        aval = like.aval if shape is None else like.aval._replace(shape=tuple(shape))
        return Value(aval)

    # -- kernels ---------------------------------------------------------------------------------

    def elementwise(self, node: Node) -> None:
        """Plan an operation that is applied element by element."""
        out = node.outputs[0]
        self._place("full", node, node.operands, out.aval.shape, out)

    def copy(self, x: Operand, target: Ref, after: int = -1) -> int:
        """Plan a copy of a value into memory; return the step."""
        return self._place("copy", None, (x,), target.shape, None, target, after)

    def materialise(self, x: Value) -> Ref:
        """Return a contiguous copy of a value's elements."""
        new = Value(x.aval)
        step = self.copy(x, Ref.whole(new))
        self.made(new, step)
        self.stored.add(new)
        return self.refs[new]

    def reduce(self, node: Node, axes: tuple[int, ...]) -> None:
        """Plan a reduction of the first operand along axes."""
        x = node.operands[0]
        assert isinstance(x, Value)
        self._place("reduce", node, (x,), x.aval.shape, node.outputs[0], axes=axes)

    def _place(
        self,
        level: str,
        node: Node | None,
        operands: Sequence[Operand],
        shape: tuple[int, ...],
        out: Value | None,
        target: Ref | None = None,
        after: int = -1,
        axes: tuple[int, ...] = (),
    ) -> int:
        """Put an operation into the best kernel that can take it, or into a new one."""
        domain = squeezed(shape)
        args = [self._argument(x) for x in operands]
        refs = [a for a in args if isinstance(a, Ref)]
        first = max([after, *(self.ready(r) for r in refs)])
        inner = tuple(sum(n != 1 for n in shape[:a]) for a in axes if shape[a] != 1)
        best, best_score, best_item, where = None, -1, None, -1
        for k in range(len(self.steps) - 1, max(first, 0) - 1, -1):
            kernel = self.steps[k]
            if not isinstance(kernel, Kernel) or len(kernel.items) >= ITEM_LIMIT:
                continue
            item, score = self._fit(kernel, k, level, node, args, shape, domain, inner, out)
            if item is not None and score > best_score and k > after:
                best, best_score, best_item, where = kernel, score, item, k
                if score == len(refs):
                    break
        if best is None:
            best = Kernel(domain)
            self.steps.append(best)
            where = len(self.steps) - 1
            best_item, _ = self._fit(best, where, level, node, args, shape, domain, inner, out)
            assert best_item is not None
        assert best_item is not None
        self._join(best, where, best_item, target)
        return where

    def _argument(self, x: Operand) -> Any:
        if not isinstance(x, Value):
            return x
        ref = self.refs[x]
        return self.literals.get(ref.root, ref)

    def _fit(
        self,
        kernel: Kernel,
        where: int,
        level: str,
        node: Node | None,
        args: Sequence[Any],
        shape: tuple[int, ...],
        domain: tuple[int, ...],
        axes: tuple[int, ...],
        out: Value | None,
    ) -> tuple[Item | None, int]:
        """Return the item that the kernel would take up, and how many operands it has itself."""
        by_row = False
        if kernel.domain == domain:
            pass
        elif level in ("full", "copy") and kernel.row and kernel.outer_shape == domain:
            by_row = True
        else:
            return None, 0
        new: list[Any] = []
        score, phase = 0, 0
        for a in args:
            if not isinstance(a, Ref) or self.home[a.root] != where:
                new.append(a)
                continue
            member = kernel.members.get(a.root)
            if (
                member is None
                or member[0] == "acc"
                or not self._in_register(kernel, a, shape, by_row)
            ):
                return None, 0
            new.append(a.root)
            phase = max(phase, member[1])
            score += 1
        if by_row and not score:
            return None, 0
        item = Item(node, "row" if by_row and level == "full" else level, new, out, phase, shape)
        if by_row and level == "copy":
            return None, 0
        if level == "reduce" and not self._reduces(kernel, item, domain, axes):
            return None, 0
        return item, score

    def _reduces(
        self, kernel: Kernel, item: Item, domain: tuple[int, ...], axes: tuple[int, ...]
    ) -> bool:
        """Settle how a reduction is done in a kernel; return whether it can be done there."""
        item.axes = axes
        rank = len(domain)
        trailing = axes == tuple(range(rank - len(axes), rank)) and 0 < len(axes) < rank
        short = math.prod(domain[rank - len(axes) :]) <= ROW_LIMIT
        item.by_row = trailing and short and kernel.row in (None, len(axes))
        row = len(axes) if item.by_row else kernel.row or 0
        sums = [i.axes for i in kernel.items if i.level == "reduce" and not i.by_row]
        return not any(_cuts(a, rank, row) for a in (*sums, *[axes] * (not item.by_row)))

    def _in_register(self, kernel: Kernel, a: Ref, shape: tuple[int, ...], by_row: bool) -> bool:
        """Whether what a reference reads is just what the kernel has computed at that point."""
        if a.offset or a.moving:
            return False
        level, _ = kernel.members[a.root]
        if by_row:
            want = contiguous(kernel.outer_shape)
            return level == "row" and a.along(shape) == want
        if level == "full":
            return a.along(shape) == contiguous(kernel.domain)
        return a.along(shape) == contiguous(kernel.outer_shape) + (0,) * (kernel.row or 0)

    def _join(self, kernel: Kernel, where: int, item: Item, target: Ref | None) -> None:
        kernel.items.append(item)
        item.target = target
        for a in item.args:
            if isinstance(a, Ref):
                self.stored.add(a.root)
        if item.out is None:
            return
        if item.level == "reduce":
            if item.by_row:
                kernel.row = len(item.axes)
                kernel.members[item.out] = ("row", item.phase + 1)
            else:
                kernel.members[item.out] = ("acc", 0)
        else:
            kernel.members[item.out] = (item.level, item.phase)
        self.made(item.out, where)
