"""Operations along one axis: running sums and the like, and where extremes stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from lucid.graph.ir import Node, Value
from lucid.graph.native.elementwise import FLOAT, FLOATING, SIGNED, cast
from lucid.graph.native.lower_index import COMBINE
from lucid.graph.native.plan import Planner, Ref, contiguous
from lucid.graph.native.routine import Routine, Stream, moved, nest, run_of
from lucid.graph.native.text import Body

__all__ = ["RULES"]

ONE = {"cumulative_prod": 1}


def _combine(name: str) -> Callable[[Body, str, str, str], str]:
    if name == "logcumsumexp":
        return lambda b, kind, x, y: FLOATING["logaddexp"](b, kind, (x, y), ())
    return COMBINE[
        {"cumulative_sum": "add", "cumulative_prod": "multiply", "cummax": "max", "cummin": "min"}[
            name
        ]
    ]


class Running(Routine):
    """Partial results along an axis: each is the one before combined with an entry."""

    shared = True

    def __init__(self, x: Ref, out: Value, axis: int, name: str, reverse: bool) -> None:
        super().__init__([x], [out])
        self.axis, self.name, self.reverse = axis, name, reverse
        self.pieces = x.shape[0] if axis else 1
        self.work = math.prod(x.shape) * (20 if name == "logcumsumexp" else 2)

    def code(self, b: Body) -> None:
        """Loop over what is in front of the axis; along the axis; over what is behind."""
        x, out = self.operands[0], Ref.whole(self.results[0])
        axis, n = self.axis, x.shape[self.axis]
        last = n - 1 if self.reverse else 0
        turn = -1 if self.reverse else 1
        streams = [self.stream(b, x, x.strides[:axis]), self.stream(b, out, out.strides[:axis])]
        sizes = x.shape[:axis]
        if not sizes:
            sizes = (1,)
            for s in streams:
                s.strides = [0]
        old, kind = streams[0].kind, streams[1].kind
        combine = _combine(self.name)
        with nest(b, sizes, streams, shared=True) as (source, target):
            source = moved(b, source, old, str(last), x.strides[axis])
            target = moved(b, target, kind, str(last), out.strides[axis])
            if math.prod(x.shape[axis + 1 :]) == 1:
                self._alone(b, source, target, n, turn * x.strides[axis], turn, combine)
            else:
                self._rows(b, source, target, turn, combine)

    def _alone(
        self, b: Body, source: str, target: str, n: int, step: int, turn: int, combine: Any
    ) -> None:
        """The axis alone: what has been found so far is in a register."""
        old = self.operands[0].root.aval.dtype.char
        kind = self.results[0].aval.dtype.char
        b.lanes = 1
        total = b.stack(kind, 1)
        first = cast(b, b.load(source, old), old, kind)
        b.do(f"store {b.type(kind)} {first}, ptr {total}")
        b.store(first, target, kind)
        stride = self.results[0].aval.shape
        out_step = turn * contiguous(stride)[self.axis]
        with b.loop(1, n) as i:
            x = cast(b, b.load(moved(b, source, old, i, step), old), old, kind)
            have = b.put(f"load {b.type(kind)}, ptr {total}")
            new = combine(b, kind, have, x)
            b.do(f"store {b.type(kind)} {new}, ptr {total}")
            b.store(new, moved(b, target, kind, i, out_step), kind)

    def _rows(self, b: Body, source: str, target: str, turn: int, combine: Any) -> None:
        """Several places side by side: what has been found so far is read from the result."""
        x, out = self.operands[0], Ref.whole(self.results[0])
        axis = self.axis
        old, kind = x.root.aval.dtype.char, out.root.aval.dtype.char
        behind = x.shape[axis + 1 :]
        inner, outer = x.strides[axis + 1 :], out.strides[axis + 1 :]
        step = out.strides[axis]

        def first(at: list[str]) -> None:
            b.store(cast(b, b.load(at[0], old), old, kind), at[1], kind)

        def later(at: list[str]) -> None:
            value = cast(b, b.load(at[0], old), old, kind)
            have = b.load(b.address(at[1], kind, str(-turn * step)), kind)
            b.store(combine(b, kind, have, value), at[1], kind)

        run_of(b, behind, [Stream(source, old, inner), Stream(target, kind, outer)], first)
        with b.loop(1, x.shape[axis]) as i:
            here = moved(b, source, old, i, turn * x.strides[axis])
            there = moved(b, target, kind, i, turn * step)
            run_of(b, behind, [Stream(here, old, inner), Stream(there, kind, outer)], later)


def _running(planner: Planner, node: Node) -> bool:
    (x,) = node.operands
    axis, *more = node.params
    (out,) = node.outputs
    if not isinstance(x, Value) or not math.prod(x.aval.shape):
        return False
    reverse = bool(more and more[0])
    if node.op.name == "cumulative_prod" and more[1]:
        return False
    if (x.aval.dtype.kind == "f" and out.aval.dtype.kind in "iu") or out.aval.dtype.char == "?":
        return False
    if node.op.name == "logcumsumexp" and out.aval.dtype.kind != "f":
        return False
    planner.add(Running(planner.ref(x), out, axis, node.op.name, reverse), out)
    return True


# -- where extremes stand --------------------------------------------------------------------------


class Extreme(Routine):
    """The first place of the greatest or smallest entry along an axis; of NaN if there is one."""

    shared = True

    def __init__(self, x: Ref, out: Value, axis: int, largest: bool) -> None:
        super().__init__([x], [out])
        self.axis, self.largest = axis, largest
        rest = x.shape[:axis] + x.shape[axis + 1 :]
        self.pieces = rest[0] if rest else 1
        self.work = math.prod(x.shape) * 2
        self.columns = False  # whether entries that lie side by side belong to different results

    def scratch(self, module: Any) -> None:
        """Choose the form of the loops; none is needed."""
        x, axis = self.operands[0], self.axis
        rest = x.shape[:axis] + x.shape[axis + 1 :]
        strides = x.strides[:axis] + x.strides[axis + 1 :]
        width = module.width // max(x.root.aval.dtype.itemsize, 4)
        truth = x.root.aval.dtype.char == "?"
        self.columns = bool(rest) and strides[-1] == 1 and rest[-1] >= width and not truth
        if self.columns and len(rest) == 1:
            self.pieces = 1

    def code(self, b: Body) -> None:
        """Loop over the other axes and along the axis, several entries at a time if they lie so."""
        x, axis = self.operands[0], self.axis
        rest = x.shape[:axis] + x.shape[axis + 1 :]
        strides = x.strides[:axis] + x.strides[axis + 1 :]
        out = Ref(self.results[0], rest, contiguous(rest))
        streams = [self.stream(b, x, strides), self.stream(b, out)]
        if not rest:
            rest = (1,)
            for s in streams:
                s.strides = [0]
        kind = x.root.aval.dtype.char
        width = b.module.width // max(x.root.aval.dtype.itemsize, 4)
        if self.columns:
            *outer, n = rest
            ahead = [Stream(s.base, s.kind, s.strides[:-1] or [0]) for s in streams]
            with nest(b, outer or [1], ahead, shared=True) as at:
                self._columns(b, at, n, width)
            return
        along = x.strides[axis] == 1 and x.shape[axis] >= 2 * width and kind != "?"
        with nest(b, rest, streams, shared=True) as at:
            if along:
                self._row(b, at[0], at[1], width)
            else:
                self._best(b, at[0], [at[1]], 1, 1)

    def _columns(self, b: Body, at: Sequence[str], n: int, width: int) -> None:
        """Go down several registers of columns together."""
        kind = self.operands[0].root.aval.dtype.char
        many = min(8, n // width)
        main = n // (many * width) * (many * width)
        pieces = [(0, main, many, width)]
        if (n - main) // width:
            pieces.append((main, n // width * width, 1, width))
        if n % width:  # the last register overlaps with the one before
            pieces.append((n - width, n, 1, width))
        for start, stop, registers, lanes in pieces:
            with b.loop(start, stop, registers * lanes) as i:
                goal = moved(b, at[1], "l", i, 1)
                goals = [b.address(goal, "l", str(r * lanes)) for r in range(registers)]
                self._best(b, moved(b, at[0], kind, i, 1), goals, registers, lanes)

    def _best(self, b: Body, base: str, goals: Sequence[str], registers: int, lanes: int) -> None:
        """Find the places of extremes along the axis, in each lane of some registers."""
        x, n = self.operands[0], self.operands[0].shape[self.axis]
        kind = x.root.aval.dtype.char
        b.lanes = lanes
        starts = [b.address(base, kind, str(r * lanes)) for r in range(registers)]
        state = [(b.stack(kind, lanes), b.stack("i", lanes)) for _ in range(registers)]
        for at, (best, where) in zip(starts, state, strict=True):
            b.do(f"store {b.type(kind)} {b.load(at, kind)}, ptr {best}")
            b.do(f"store {b.type('i')} {b.const(0, 'i')}, ptr {where}")
        b.lanes = 1
        with b.loop(1, n) as i:
            row = moved(b, base, kind, i, x.strides[self.axis])
            place = b.put(f"trunc i64 {i} to i32")
            b.lanes = lanes
            place = b.splat(place, "i")
            for r, (best, where) in enumerate(state):
                value = b.load(b.address(row, kind, str(r * lanes)), kind)
                self._update(b, kind, value, place, best, where)
            b.lanes = 1
        b.lanes = lanes
        for goal, (_, where) in zip(goals, state, strict=True):
            found = b.put(f"load {b.type('i')}, ptr {where}")
            b.store(b.put(f"sext {b.type('i')} {found} to {b.type('l')}"), goal, "l")
        b.lanes = 1

    def _update(self, b: Body, kind: str, value: str, place: str, best: str, where: str) -> None:
        have = b.put(f"load {b.type(kind)}, ptr {best}")
        better = self._better(b, kind, value, have)
        b.do(f"store {b.type(kind)} {b.select(kind, better, value, have)}, ptr {best}")
        old = b.put(f"load {b.type('i')}, ptr {where}")
        b.do(f"store {b.type('i')} {b.select('i', better, place, old)}, ptr {where}")

    def _row(self, b: Body, base: str, goal: str, width: int) -> None:
        """Go along a row with several registers; then choose among the lanes."""
        kind, n = self.operands[0].root.aval.dtype.char, self.operands[0].shape[self.axis]
        registers = 4 if n >= 8 * width else 1
        b.lanes = width
        ramp = ", ".join(f"i32 {k}" for k in range(width))
        ramp = f"<{ramp}>" if width > 1 else "0"
        state = [(b.stack(kind, width), b.stack("i", width)) for _ in range(registers)]
        for r, (best, where) in enumerate(state):
            value = b.load(b.address(base, kind, str(r * width)), kind)
            b.do(f"store {b.type(kind)} {value}, ptr {best}")
            place = b.binary("add", "i", b.const(r * width, "i"), ramp)
            b.do(f"store {b.type('i')} {place}, ptr {where}")
        step = registers * width
        main = n // step * step

        def visit(i: str, registers: int) -> None:
            b.lanes = 1
            first = b.put(f"trunc i64 {i} to i32")
            row = b.address(base, kind, i)
            b.lanes = width
            first = b.binary("add", "i", b.splat(first, "i"), ramp)
            for r, (best, where) in enumerate(state[:registers]):
                value = b.load(b.address(row, kind, str(r * width)), kind)
                place = b.binary("add", "i", first, b.const(r * width, "i"))
                self._update(b, kind, value, place, best, where)
            b.lanes = 1

        b.lanes = 1
        with b.loop(step, main, step) as i:
            visit(i, registers)
        for start in [*range(main, n - width + 1, width), *([n - width] if n % width else [])]:
            visit(str(start), 1)
        self._choose(b, kind, state, goal, width)

    def _choose(
        self, b: Body, kind: str, state: Sequence[tuple[str, str]], goal: str, width: int
    ) -> None:
        """Of the lanes' extremes take the first one: among registers, then among lanes."""
        b.lanes = width
        t, whole = b.type(kind), b.type("i")
        first = tuple(
            b.put(f"load {u}, ptr {p}") for u, p in zip((t, whole), state[0], strict=True)
        )
        for pair in state[1:]:
            other = tuple(
                b.put(f"load {u}, ptr {p}") for u, p in zip((t, whole), pair, strict=True)
            )
            first = self._first(b, kind, first, other)
        values, places = b.stack(kind, width), b.stack("i", width)
        b.do(f"store {t} {first[0]}, ptr {values}")
        b.do(f"store {whole} {first[1]}, ptr {places}")
        b.lanes = 1
        best, where = b.stack(kind, 1), b.stack("i", 1)
        b.do(f"store {b.type(kind)} {b.load(values, kind)}, ptr {best}")
        b.do(f"store i32 {b.load(places, 'i')}, ptr {where}")
        with b.loop(1, width) as i:
            have = b.load(best, kind), b.load(where, "i")
            other = b.load(b.address(values, kind, i), kind), b.load(b.address(places, "i", i), "i")
            value, place = self._first(b, kind, have, other)
            b.do(f"store {b.type(kind)} {value}, ptr {best}")
            b.do(f"store i32 {place}, ptr {where}")
        b.store(b.put(f"sext i32 {b.put(f'load i32, ptr {where}')} to i64"), goal, "l")

    def _first(
        self, b: Body, kind: str, one: tuple[str, ...], other: tuple[str, ...]
    ) -> tuple[str, str]:
        """Return the extreme of two with places, and of equal ones the sooner one."""
        better = self._better(b, kind, other[0], one[0])
        worse = self._better(b, kind, one[0], other[0])
        sooner = b.compare("slt", "i", other[1], one[1])
        level = b.binary("and", "?", b.binary("xor", "?", worse, b.const(1, "?")), sooner)
        better = b.binary("or", "?", better, level)
        return b.select(kind, better, other[0], one[0]), b.select("i", better, other[1], one[1])

    def _better(self, b: Body, kind: str, value: str, have: str) -> str:
        if kind in FLOAT:  # above it, or NaN where there was none
            more = b.compare("ugt" if self.largest else "ult", kind, value, have)
            known = b.compare("ord", kind, have, have)
            return b.put(f"and {b.type('?')} {more}, {known}")
        sign = "s" if kind in SIGNED else "u"
        return b.compare(sign + ("gt" if self.largest else "lt"), kind, value, have)


def _extreme(planner: Planner, node: Node) -> bool:
    (x,) = node.operands
    (out,) = node.outputs
    if not isinstance(x, Value) or not math.prod(x.aval.shape) or out.aval.dtype.char not in "lq":
        return False
    if x.aval.shape[node.params[0]] >> 31:
        return False
    largest = node.op.name == "argmax"
    planner.add(Extreme(planner.ref(x), out, node.params[0], largest), out)
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    **dict.fromkeys(
        ("cumulative_sum", "cumulative_prod", "cummax", "cummin", "logcumsumexp"), _running
    ),
    **dict.fromkeys(("argmax", "argmin"), _extreme),
}
