"""How the ONNX export writes reductions, and what moves entries about."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.io.onnx_writer import Writer, avals, refuse, rule

__all__ = ["first"]

_LEAST = -(2**63)  # an end before the first entry


def first(node: Node) -> Value:
    """Return the first operand, an array."""
    x = node.operands[0]
    if not isinstance(x, Value):
        raise refuse(node, "one of a number")
    return x


@rule("sum", "prod", "max", "min", "mean")
def _reduce(w: Writer, node: Node) -> str:
    axes, keepdims = node.params[:2]
    dtype = node.outputs[0].aval.dtype
    if dtype.kind == "b":
        raise refuse(node, "one of booleans")
    (x,) = w.operands(node)
    return w.reduce(f"Reduce{node.op.name.capitalize()}", x, axes, keepdims)


@rule("all", "any")
def _truth(w: Writer, node: Node) -> str:
    axes, keepdims = node.params[:2]
    number = w.cast(w.operands(node, bool)[0], bool, np.int32)
    kind = "ReduceMin" if node.op.name == "all" else "ReduceMax"
    return w.cast(w.reduce(kind, number, axes, keepdims), np.int32, bool)


@rule("argmax", "argmin")
def _place_of(w: Writer, node: Node) -> str:
    axis, keepdims = node.params
    kind = "ArgMax" if node.op.name == "argmax" else "ArgMin"
    return w.node(kind, w.operand(first(node)), axis=axis, keepdims=int(keepdims))


@rule("var", "std")
def _moments(w: Writer, node: Node) -> str:
    axes, keepdims, correction = node.params
    (x,), aval = w.operands(node), first(node).aval
    dtype = node.outputs[0].aval.dtype
    d = w.node("Sub", x, w.reduce("ReduceMean", x, axes, True))
    total = w.reduce("ReduceSum", w.node("Mul", d, d), axes, keepdims)
    count = math.prod(aval.shape[k] for k in axes) - correction
    var = w.node("Div", total, w.constant(count, dtype))
    return var if node.op.name == "var" else w.node("Sqrt", var)


@rule("logsumexp")
def _logsumexp(w: Writer, node: Node) -> str:
    axes, keepdims = node.params[:2]
    (x,) = w.operands(node)
    top = w.reduce("ReduceMax", x, axes, True)
    total = w.reduce("ReduceSum", w.node("Exp", w.node("Sub", x, top)), axes, True)
    out = w.node("Add", w.node("Log", total), top)
    return out if keepdims else w.reshape(out, node.outputs[0].aval.shape)


@rule("cumulative_sum")
def _running(w: Writer, node: Node) -> str:
    axis, reverse = node.params[:2]
    (x,) = w.operands(node)
    return w.node("CumSum", x, w.constant(axis, np.int64), reverse=int(reverse))


# -- shapes ----------------------------------------------------------------------------------------


@rule("reshape")
def _reshape(w: Writer, node: Node) -> str:
    return w.reshape(w.operand(first(node)), node.outputs[0].aval.shape)


@rule("permute_dims")
def _permute(w: Writer, node: Node) -> str:
    return w.node("Transpose", w.operand(first(node)), perm=list(node.params[0]))


@rule("broadcast_to")
def _broadcast(w: Writer, node: Node) -> str:
    shape = w.integers(node.outputs[0].aval.shape)
    return w.node("Expand", w.operands(node)[0], shape)


@rule("concat")
def _concat(w: Writer, node: Node) -> str:
    return w.node("Concat", *w.operands(node), axis=node.params[0])


@rule("stack")
def _stack(w: Writer, node: Node) -> str:
    axis = w.integers([node.params[0]])
    parts = [w.node("Unsqueeze", x, axis) for x in w.operands(node)]
    return w.node("Concat", *parts, axis=node.params[0])


@rule("flip")
def _flip(w: Writer, node: Node) -> str:
    axes = node.params[0]
    cuts = [(k, -1, _LEAST, -1) for k in axes]
    return _cut(w, w.operand(first(node)), cuts)


def _cut(w: Writer, name: str, cuts: list[tuple[int, int, int, int]]) -> str:
    """Slice: axis, start, stop and step each."""
    if not cuts:
        return name
    axes, starts, stops, steps = (w.integers(column) for column in zip(*cuts, strict=True))
    return w.node("Slice", name, starts, stops, axes, steps)


@rule("divide_axis")
def _divide(w: Writer, node: Node) -> list[str]:
    count, axis = node.params
    x = first(node)
    name, n = w.operand(x), x.aval.shape[axis] // count
    return [_cut(w, name, [(axis, k * n, (k + 1) * n, 1)]) for k in range(count)]


@rule("tril", "triu")
def _triangle(w: Writer, node: Node) -> str:
    x, upper = w.operand(first(node)), int(node.op.name == "triu")
    return w.node("Trilu", x, w.constant(node.params[0], np.int64), upper=upper)


# -- indices ---------------------------------------------------------------------------------------


def _expanded(key: tuple[Any, ...], ndim: int) -> list[Any]:
    """Return the entries of a key, one per axis; those that add axes are left out."""
    entries = [k for k in key if k is not None]
    at = next((i for i, k in enumerate(entries) if k is ...), len(entries))
    given = len(entries) - (at < len(entries))
    return [*entries[:at], *[(None, None, None)] * (ndim - given), *entries[at + 1 :]]


@rule("getitem")
def _getitem(w: Writer, node: Node) -> str:
    x = first(node)
    cuts: list[tuple[int, int, int, int]] = []
    for axis, entry in enumerate(_expanded(node.params[0], x.aval.ndim)):
        n = x.aval.shape[axis]
        if isinstance(entry, int):
            cuts.append((axis, entry % n, entry % n + 1, 1))
            continue
        start, stop, step = slice(*entry).indices(n)
        if (start, stop, step) != (0, n, 1):
            cuts.append((axis, start, _LEAST if step < 0 and stop < 0 else stop, step))
    return w.reshape(_cut(w, w.operand(x), cuts), node.outputs[0].aval.shape)


@rule("place")
def _place(w: Writer, node: Node) -> str:
    """Write an array into zeros: the padding around it."""
    shape, key = node.params
    x = first(node)
    entries = _expanded(key, len(shape))
    if None in key or any(isinstance(e, int) or e[2] not in (None, 1) for e in entries):
        raise refuse(node, "one with a key that is more than slices without steps")
    spans = [slice(*e).indices(n) for e, n in zip(entries, shape, strict=True)]
    pads = [s[0] for s in spans] + [n - s[1] for s, n in zip(spans, shape, strict=True)]
    zero = w.constant(0, x.aval.dtype)
    return w.node("Pad", w.operand(x), w.integers(pads), zero)


@rule("gather")
def _gather(w: Writer, node: Node) -> str:
    axes, at, _ = node.params
    x, *indices = node.operands
    aval, *inner = avals(node)
    shape = np.broadcast_shapes(*(a.shape for a in inner))
    names = [w.operand(i, np.int64) for i in indices]
    ndim = aval.ndim - len(axes) + len(shape)
    if len(axes) == 1:
        out = w.node("Gather", w.operand(x), names[0], axis=axes[0])
        return w.move(out, ndim, len(shape), axes[0], at)
    rest = [k for k in range(aval.ndim) if k not in axes]
    ordered = w.node("Transpose", w.operand(x), perm=[*axes, *rest])
    wide = [w.node("Expand", n, w.integers(shape)) for n in names]
    last = [w.reshape(n, (*shape, 1)) for n in wide]
    out = w.node("GatherND", ordered, w.node("Concat", *last, axis=len(shape)))
    return w.move(out, ndim, len(shape), 0, at)
