"""Small values as single numbers in registers: each element of an array is a value of its own.

Views, concatenations and the like then cost nothing at all, whatever their shape, for NumPy does
them on arrays of names while the code is emitted. This serves loops over small states.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from lucid.graph.ir import Graph, Node, Operand, Value
from lucid.graph.native.elementwise import cast, emit_node, is_elementwise
from lucid.graph.native.loops import combine
from lucid.graph.native.text import Body, literal
from lucid.graph.native.views import VIEWS, change_of, supported
from lucid.ops.keys import numpy_key

__all__ = ["Names", "emit_graph", "fits"]

Names: TypeAlias = Any  # an array of strings: the names of the elements
LIMIT = 3000  # operations on single numbers in one body
REDUCTIONS = ("sum", "prod", "max", "min", "any", "all")


def fits(graph: Graph) -> bool:
    """Whether a graph consists of what can be done here, and is small enough."""
    return sum(_cost(node) for node in graph.nodes) <= LIMIT


def _cost(node: Node) -> float:
    out = node.outputs[0].aval
    size = math.prod(out.shape)
    if not supported(node):
        return math.inf
    name = node.op.name
    if name in VIEWS or name in ("concat", "stack", "place"):
        return 0 if size <= LIMIT else math.inf
    if name in REDUCTIONS:
        x = node.operands[0]
        assert isinstance(x, Value)
        empty = name in ("max", "min") and not math.prod(x.aval.shape)
        return math.inf if empty else math.prod(x.aval.shape)
    if name in ("matmul", "contract", "linear"):
        return 2 * size * _summed(node) if out.dtype.kind == "f" else math.inf
    return size if is_elementwise(node) else math.inf


def _summed(node: Node) -> int:
    x, y = (a.aval for a in node.operands[:2] if isinstance(a, Value))
    if node.op.name != "contract":
        return x.shape[-1]
    a, _, out = node.params
    del y
    return math.prod(n for c, n in zip(a, x.shape, strict=True) if c not in out)


def emit_graph(b: Body, graph: Graph, inputs: Sequence[Names]) -> list[Names]:
    """Emit a graph; return the names of the elements of its outputs."""
    known: dict[Value, Names] = dict(zip(graph.inputs, inputs, strict=True))
    for value, array in graph.constants.items():
        known[value] = _literals(array, value.aval.dtype.char)
    for node in graph.nodes:
        args = [known[x] if isinstance(x, Value) else x for x in node.operands]
        known[node.outputs[0]] = _emit(b, node, args)
    return [
        known[y] if isinstance(y, Value) else _literals(np.asarray(y), np.asarray(y).dtype.char)
        for y in graph.outputs
    ]


def _literals(array: Any, kind: str) -> Names:
    names = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        names[index] = literal(array[index], kind)
    return names


def _emit(b: Body, node: Node, args: list[Any]) -> Names:
    name = node.op.name
    out = node.outputs[0].aval
    if name in VIEWS:
        return np.asarray(change_of(node, copy=None)(args[0]), object)
    if name in ("concat", "stack"):
        join = np.concatenate if name == "concat" else np.stack
        parts = [_as(b, a, node.operands[k], out.dtype.char) for k, a in enumerate(args)]
        return join(parts, axis=node.params[0])
    if name == "place":
        names = np.full(out.shape, literal(0, out.dtype.char), object)
        names[numpy_key(node.params[1])] = args[0]
        return names
    if name in REDUCTIONS:
        return _reduce(b, node, args[0])
    if name in ("matmul", "contract", "linear"):
        return _product(b, node, args)
    return _elementwise(b, node, args)


def _as(b: Body, names: Any, operand: Operand, kind: str) -> Names:
    """Return operands in another kind."""
    if not isinstance(operand, Value):
        return _literals(np.asarray(operand), kind)
    have = operand.aval.dtype.char
    if have == kind:
        return names
    return _mapped(lambda x: cast(b, x, have, kind), names)


def _mapped(function: Callable[[Any], str], names: Names) -> Names:
    out = np.empty(names.shape, object)
    for index in np.ndindex(names.shape):
        out[index] = function(names[index])
    return out


def _elementwise(b: Body, node: Node, args: list[Any]) -> Names:
    shape = node.outputs[0].aval.shape
    out = np.empty(shape, object)
    spread: list[Any] = [
        np.broadcast_to(a, shape) if isinstance(a, np.ndarray) else a for a in args
    ]
    kinds = [x.aval.dtype.char if isinstance(x, Value) else "" for x in node.operands]
    for index in np.ndindex(shape):
        given = [(a[index], k) if k else (repr(a), "") for a, k in zip(spread, kinds, strict=True)]
        out[index] = emit_node(b, node, given)
    return out


def _reduce(b: Body, node: Node, names: Names) -> Names:
    axes, keepdims = node.params[:2]
    out = node.outputs[0].aval
    kind = out.dtype.char
    names = _as(b, names, node.operands[0], kind)
    rest = [i for i in range(names.ndim) if i not in axes]
    rows = names.transpose([*rest, *axes]).reshape([names.shape[i] for i in rest] + [-1])
    start = literal({"prod": 1, "all": 1}.get(node.op.name, 0), kind)
    total = np.empty(rows.shape[:-1], object)
    for index in np.ndindex(total.shape):
        total[index] = _fold(b, node.op.name, kind, list(rows[index]), start)
    del keepdims
    return total.reshape(out.shape)


def _fold(b: Body, op: str, kind: str, names: list[str], start: str) -> str:
    """Combine in pairs, so that the sums do not wait for each other."""
    if not names:
        return start
    while len(names) > 1:
        pairs = itertools.zip_longest(names[::2], names[1::2])
        names = [x if y is None else combine(b, op, kind, x, y) for x, y in pairs]
    return names[0]


def _product(b: Body, node: Node, args: list[Any]) -> Names:
    out = node.outputs[0].aval
    kind = out.dtype.char
    x, y, *bias = (_as(b, a, o, kind) for a, o in zip(args, node.operands, strict=True))
    if node.op.name == "contract":
        a, c, labels = node.params
    else:
        if node.op.name == "linear":
            y = y.T
        stack = "abcdefgh"[: max(x.ndim, y.ndim, 2) - 2]
        a = (stack + "mk")[-x.ndim :] if x.ndim > 1 else "k"
        c = (stack + "kn")[-y.ndim :] if y.ndim > 1 else "k"
        labels = stack + "m" * (x.ndim > 1) + "n" * (y.ndim > 1)
    sizes: dict[str, int] = {}
    for term, names in ((a, x), (c, y)):
        for label, n in zip(term, names.shape, strict=True):
            sizes[label] = max(n, sizes.get(label, 0)) if n != 1 else sizes.get(label, 1)
    summed = [label for label in a if label not in labels]
    result: Any = np.empty(tuple(sizes[label] for label in labels), object)
    for index in np.ndindex(result.shape):
        at = dict(zip(labels, index, strict=True))
        terms: list[str] = []
        for inner in np.ndindex(*(sizes[label] for label in summed)):
            place = {**at, **dict(zip(summed, inner, strict=True))}
            left, right = (names[_at(place, t, names)] for t, names in ((a, x), (c, y)))
            terms.append(b.binary("fmul", kind, left, right))
        result[index] = _fold(b, "sum", kind, terms, literal(0, kind))
    if bias:
        spread: Any = np.broadcast_to(bias[0], result.shape)
        for index in np.ndindex(result.shape):
            result[index] = b.binary("fadd", kind, result[index], spread[index])
    return result.reshape(out.shape)


def _at(place: dict[str, int], labels: str, names: Names) -> tuple[int, ...]:
    """Return the index of an element, in axes that may be broadcast."""
    return tuple(place[q] if n != 1 else 0 for q, n in zip(labels, names.shape, strict=True))
