"""Reading and writing at indices: gathering, scattering, entries of classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.elementwise import cast, maximum, minimum
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine, Stream, moved, nest, run_of
from lucid.graph.native.table import address_of
from lucid.graph.native.text import Body
from lucid.ops.keys import numpy_key

__all__ = ["RULES"]

Emit = Callable[[Body, str, str, str], str]  # body, kind, what is there, what comes


def _add(b: Body, kind: str, old: str, new: str) -> str:
    return b.binary("fadd" if kind in "fd" else "or" if kind == "?" else "add", kind, old, new)


def _multiply(b: Body, kind: str, old: str, new: str) -> str:
    return b.binary("fmul" if kind in "fd" else "and" if kind == "?" else "mul", kind, old, new)


COMBINE: dict[str, Emit] = {
    "set": lambda b, kind, old, new: new,
    "add": _add,
    "multiply": _multiply,
    "max": lambda b, kind, old, new: maximum(b, kind, (old, new)),
    "min": lambda b, kind, old, new: minimum(b, kind, (old, new)),
}


class Indexed(Routine):
    """An array read or written at indices, side by side with one that is stepped through.

    The values' axes are *before*, those of the indices, and *after*; the first and the last are
    the axes of the array that are not indexed.

    Attributes:
        array: the indexed array.
        values: what is read into, or written from.
        indices: broadcast against each other.
        axes: of the array, that are indexed.
        at: how many axes are before.
        op: how a value is put where another one is; "" where the array is read.
    """

    can_fail = True

    def __init__(
        self, array: Ref, values: Ref, indices: Sequence[Ref], axes: Any, at: int, op: str
    ) -> None:
        reads = [*indices, values, *([array] * (op != "set"))] if op else [*indices, array]
        super().__init__(reads, [array.root if op else values.root])
        self.array, self.values, self.indices = array, values, list(indices)
        self.axes, self.at, self.op = tuple(axes), at, op
        self.inner = np.broadcast_shapes(*(r.shape for r in indices))
        sizes = values.shape[: at + len(self.inner)]
        self.pieces = next((n for n in sizes[:1]), 1)
        self.work = math.prod(values.shape) * 2
        self.shared = bool(sizes) and (not op or at > 0)

    def code(self, b: Body) -> None:
        """Loop over the places of indices; then over what stands at each."""
        array, values, at = self.array, self.values, self.at
        cut = at + len(self.inner)
        kept = [i for i in range(len(array.shape)) if i not in self.axes]
        front, back = kept[:at], kept[at:]
        sizes = values.shape[:cut]
        none = (0,) * len(self.inner)
        streams = [
            self.stream(b, array, (*(array.strides[i] for i in front), *none)),
            self.stream(b, values, values.strides[:cut]),
            *(self.stream(b, r, ((0,) * at + _along(r, self.inner))) for r in self.indices),
        ]
        if not sizes:
            sizes = (1,)
            for s in streams:
                s.strides = [0]
        with nest(b, sizes, streams, shared=True) as (base, here, *places):
            b.lanes = 1
            for place, r, axis in zip(places, self.indices, self.axes, strict=True):
                kind = r.root.aval.dtype.char
                k = cast(b, b.load(place, kind), kind, "l")
                k = self._inside(b, k, array.shape[axis])
                base = moved(b, base, streams[0].kind, k, array.strides[axis])
            inner = [
                Stream(base, streams[0].kind, [array.strides[i] for i in back]),
                Stream(here, streams[1].kind, values.strides[cut:]),
            ]
            run_of(b, values.shape[cut:], inner, lambda two: self._one(b, *two))

    def _inside(self, b: Body, k: str, n: int) -> str:
        """Return an index from 0 on; what is outside is reported, and 0 instead."""
        negative = b.put(f"icmp slt i64 {k}, 0")
        more = b.put(f"add i64 {k}, {n}")
        k = b.put(f"select i1 {negative}, i64 {more}, i64 {k}")
        bad = b.put(f"icmp uge i64 {k}, {n}")
        self.fail(b, bad)
        return b.put(f"select i1 {bad}, i64 0, i64 {k}")

    def _one(self, b: Body, place: str, value: str) -> None:
        kind, other = self.array.root.aval.dtype.char, self.values.root.aval.dtype.char
        if not self.op:
            b.store(b.load(place, kind), value, other)
            return
        new = cast(b, b.load(value, other), other, kind)
        old = b.load(place, kind) if self.op != "set" else ""
        b.store(COMBINE[self.op](b, kind, old, new), place, kind)


def _along(r: Ref, shape: Sequence[int]) -> tuple[int, ...]:
    """Return strides over a shape to which an array is broadcast."""
    lead = (0,) * (len(shape) - len(r.shape))
    return lead + tuple(0 if n == 1 else s for n, s in zip(r.shape, r.strides, strict=True))


def _usable(node: Node, indices: Sequence[Any]) -> bool:
    """Whether these are arrays of integers, and everything has elements."""
    if not indices or any(not isinstance(x, Value) for x in node.operands):
        return False
    if any(x.aval.dtype.kind not in "iu" for x in indices):
        return False
    return all(math.prod(x.aval.shape) for x in (*node.values(), *node.outputs))


def _gather(planner: Planner, node: Node) -> bool:
    x, *indices = node.operands
    axes, at, _ = node.params
    if not _usable(node, indices) or not isinstance(x, Value):
        return False
    (out,) = node.outputs
    places = [planner.ref(k) for k in indices]  # type: ignore[arg-type]
    planner.add(Indexed(planner.ref(x), Ref.whole(out), places, axes, at, ""), out)
    return True


def _scatter_add(planner: Planner, node: Node) -> bool:
    v, *indices = node.operands
    _, axes, at, unique = node.params
    if not _usable(node, indices) or not isinstance(v, Value):
        return False
    (out,) = node.outputs
    values, places = planner.ref(v), [planner.ref(k) for k in indices]  # type: ignore[arg-type]
    _start(planner, out, 0)
    op = "set" if unique else "add"
    planner.add(Indexed(Ref.whole(out), values, places, axes, at, op), out)
    return True


def _start(planner: Planner, out: Value, number: int) -> None:
    """Fill the memory of a result with one number."""
    planner.add(Filled(out, number), out)


class Filled(Routine):
    """Memory filled with one number."""

    def __init__(self, out: Value, number: int) -> None:
        super().__init__([], [out])
        self.number = number

    def code(self, b: Body) -> None:
        """Store it everywhere."""
        out = Ref.whole(self.results[0])
        kind = out.root.aval.dtype.char
        if not self.number:
            size = math.prod(out.shape) * out.root.aval.dtype.itemsize
            b.module.declare("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
            base = address_of(b, out)
            b.do(f"call void @llvm.memset.p0.i64(ptr {base}, i8 0, i64 {size}, i1 false)")
            return
        run_of(
            b,
            out.shape,
            [self.stream(b, out)],
            lambda at: b.store(b.const(self.number, kind), at[0], kind),
        )


def _update(op: str) -> Callable[[Planner, Node], bool]:
    def rule(planner: Planner, node: Node) -> bool:
        x, v, *indices = node.operands
        axes, at, _ = node.params
        if not _usable(node, indices) or not isinstance(x, Value) or not isinstance(v, Value):
            return False
        if (op != "set" and v.aval.dtype != x.aval.dtype) or not _safe(v, x):
            return False
        (out,) = node.outputs
        values, places = planner.ref(v), [planner.ref(k) for k in indices]  # type: ignore[arg-type]
        if values.shape != _selected(x.aval.shape, places, axes, at):
            return False
        planner.made(out, planner.copy(x, Ref.whole(out)))
        planner.stored.add(out)
        planner.add(Indexed(Ref.whole(out), values, places, axes, at, op), out)
        return True

    return rule


def _safe(v: Value, x: Value) -> bool:
    """Whether a cast is defined for every number."""
    return not (v.aval.dtype.kind == "f" and x.aval.dtype.kind in "iu")


def _selected(shape: Sequence[int], places: Sequence[Ref], axes: Any, at: int) -> tuple[int, ...]:
    kept = tuple(n for i, n in enumerate(shape) if i not in axes)
    inner = np.broadcast_shapes(*(r.shape for r in places))
    return (*kept[:at], *inner, *kept[at:])


def _setitem(planner: Planner, node: Node) -> bool:
    x, v = node.operands
    (out,) = node.outputs
    target = Ref.whole(out).view(lambda a: a[numpy_key(node.params[0])])
    if not isinstance(x, Value) or not isinstance(v, Value) or target is None:
        return False
    if not math.prod(out.aval.shape) or not math.prod(target.shape) or not _safe(v, x):
        return False
    source = planner.refs[v].view(lambda a: np.broadcast_to(a, target.shape))
    if source is None:
        return False
    step = planner.copy(x, Ref.whole(out))
    alias = Value(v.aval._replace(shape=target.shape, weak=False))
    planner.refs[alias] = source
    planner.made(out, planner.copy(alias, target, after=step))
    planner.stored.add(out)
    return True


def _segment_prod(planner: Planner, node: Node) -> bool:
    x, ids = node.operands
    if not _usable(node, [ids]) or not isinstance(x, Value) or not isinstance(ids, Value):
        return False
    (out,) = node.outputs
    values, places = planner.ref(x), [planner.ref(ids)]
    _start(planner, out, 1)
    planner.add(Indexed(Ref.whole(out), values, places, (0,), 0, "multiply"), out)
    return True


# -- classes ---------------------------------------------------------------------------------------


class Classes(Routine):
    """The entries of classes, picked or put: the class is an index along one axis.

    Attributes:
        table: the array with an axis of classes.
        values: without it.
        target: the classes.
        axis: that of the classes.
        ignore: the class that counts as zero.
        put: whether values go into the table.
    """

    can_fail = True

    def __init__(
        self, table: Ref, values: Ref, target: Ref, axis: int, ignore: int, put: bool
    ) -> None:
        super().__init__([values if put else table, target], [(table if put else values).root])
        self.table, self.values, self.target = table, values, target
        self.axis, self.ignore, self.put = axis, ignore, put

    def code(self, b: Body) -> None:
        """Loop over the targets."""
        table, axis = self.table, self.axis
        n = table.shape[axis]
        kind, index = table.root.aval.dtype.char, self.target.root.aval.dtype.char
        rest = table.strides[:axis] + table.strides[axis + 1 :]
        streams = [
            self.stream(b, table, rest),
            self.stream(b, self.values),
            self.stream(b, self.target),
        ]
        with nest(b, self.target.shape, streams) as (base, value, target):
            k = cast(b, b.load(target, index), index, "l")
            ignored = b.put(f"icmp eq i64 {k}, {self.ignore}")
            k = b.put(f"select i1 {ignored}, i64 0, i64 {k}")
            bad = b.put(f"icmp uge i64 {k}, {n}")
            self.fail(b, bad)
            k = b.put(f"select i1 {bad}, i64 0, i64 {k}")
            place = moved(b, base, kind, k, table.strides[axis])
            source, goal = (value, place) if self.put else (place, value)
            x = b.select(kind, ignored, b.const(0, kind), b.load(source, kind))
            b.store(x, goal, kind)


def _class_rule(put: bool) -> Callable[[Planner, Node], bool]:
    def rule(planner: Planner, node: Node) -> bool:
        x, target = node.operands
        axis, ignore = node.params[:2]
        (out,) = node.outputs
        if not _usable(node, [target]) or not isinstance(x, Value):
            return False
        if not isinstance(target, Value) or type(ignore) is not int or abs(ignore) >> 63:
            return False
        given, classes = planner.ref(x), planner.ref(target)
        if put:
            _start(planner, out, 0)
        whole = Ref.whole(out)
        table, values = (whole, given) if put else (given, whole)
        if values.shape != classes.shape:
            return False
        planner.add(Classes(table, values, classes, axis, ignore, put), out)
        return True

    return rule


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "gather": _gather,
    "scatter_add": _scatter_add,
    "scatter_set": _update("set"),
    "scatter_max": _update("max"),
    "scatter_min": _update("min"),
    "setitem": _setitem,
    "segment_prod": _segment_prod,
    "pick_class": _class_rule(put=False),
    "spread_class": _class_rule(put=True),
}
