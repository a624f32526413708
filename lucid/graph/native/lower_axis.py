"""Operations along one axis: running sums and the like, and where extremes stand."""

from __future__ import annotations

import math
from collections.abc import Callable
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

    def code(self, b: Body) -> None:
        """Loop over the other axes, and along the axis; together if the last one is another."""
        x, axis = self.operands[0], self.axis
        rest = x.shape[:axis] + x.shape[axis + 1 :]
        strides = x.strides[:axis] + x.strides[axis + 1 :]
        streams = [self.stream(b, x, strides)]
        out = Ref(self.results[0], rest, contiguous(rest))
        streams.append(self.stream(b, out))
        if not rest:
            rest = (1,)
            for s in streams:
                s.strides = [0]
        wide = len(rest) > 1 and strides[-1] == 1 and rest[-1] > 1
        if not wide:
            with nest(b, rest, streams, shared=True) as at:
                self._place(b, *at)
            return
        *outer, n = rest
        ahead = [Stream(s.base, s.kind, s.strides[:-1]) for s in streams]
        with nest(b, outer, ahead, shared=True) as at:
            again = [Stream(p, s.kind, [1]) for p, s in zip(at, streams, strict=True)]
            run_of(b, (n,), again, lambda two: self._place(b, *two))

    def _place(self, b: Body, base: str, goal: str) -> None:
        x, n = self.operands[0], self.operands[0].shape[self.axis]
        kind = x.root.aval.dtype.char
        best, where = b.stack(kind, b.lanes), b.stack("l", b.lanes)
        t, whole = b.type(kind), b.type("l")
        start = b.load(base, kind)
        b.do(f"store {t} {start}, ptr {best}")
        b.do(
            f"store {whole} zeroinitializer, ptr {where}"
            if b.lanes > 1
            else f"store i64 0, ptr {where}"
        )
        lanes = b.lanes
        b.lanes = 1
        with b.loop(1, n) as i:
            at = moved(b, base, kind, i, x.strides[self.axis])
            b.lanes = lanes
            value, have = b.load(at, kind), b.put(f"load {t}, ptr {best}")
            better = self._better(b, kind, value, have)
            b.do(f"store {t} {b.select(kind, better, value, have)}, ptr {best}")
            place = b.put(f"load {whole}, ptr {where}")
            new = b.select("l", better, b.splat(i, "l"), place)
            b.do(f"store {whole} {new}, ptr {where}")
            b.lanes = 1
        b.lanes = lanes
        b.store(b.put(f"load {whole}, ptr {where}"), goal, "l")

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
    largest = node.op.name == "argmax"
    planner.add(Extreme(planner.ref(x), out, node.params[0], largest), out)
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    **dict.fromkeys(
        ("cumulative_sum", "cumulative_prod", "cummax", "cummin", "logcumsumexp"), _running
    ),
    **dict.fromkeys(("argmax", "argmin"), _extreme),
}
