"""Operations that native code knows as a few simpler ones, which fuse with their neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.op import OPS, Op
from lucid.core.tensor import Tensor, wrap
from lucid.graph.capture import capture
from lucid.graph.ir import Graph, Node, Value
from lucid.graph.native.decompose_more import RULES as MORE
from lucid.graph.native.decompose_more import allowed
from lucid.graph.passes import simplify
from lucid.transforms.boundary import settle_output

__all__ = ["decompose"]


def _do(name: str, *operands: Any, params: tuple[Any, ...] = ()) -> Tensor:
    return apply(OPS[name], operands, params)


def _reduced(name: str, x: Tensor, axes: Any, keepdims: bool = True) -> Tensor:
    return _do(name, x, params=(tuple(axes), keepdims))


def _count(x: Tensor, axes: Sequence[int]) -> int:
    return math.prod(x.shape[a] for a in axes)


def _float(x: Tensor) -> Tensor:
    return x if x.dtype.kind == "f" else _do("astype", x, params=(np.dtype(np.float64),))


def _mean(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    x = _float(x)
    return _reduced("sum", x, axes, keepdims) / _count(x, axes)


def _softmax(x: Tensor, axis: int) -> Tensor:
    top = _reduced("max", x, (axis,))
    e = _do("exp", x - top)
    return e / _reduced("sum", e, (axis,))


def _log_softmax(x: Tensor, axis: int) -> Tensor:
    shifted = x - _reduced("max", x, (axis,))
    return shifted - _do("log", _reduced("sum", _do("exp", shifted), (axis,)))


def _logsumexp(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    x = _float(x)
    top = _reduced("max", x, axes)
    top = _do("where", _do("isfinite", top), top, 0.0)
    total = _do("log", _reduced("sum", _do("exp", x - top), axes)) + top
    return total if keepdims else _squeezed(total, axes)


def _squeezed(x: Tensor, axes: Sequence[int]) -> Tensor:
    shape = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    return _do("reshape", x, params=(shape,))


def _var(x: Tensor, axes: Any, keepdims: bool, correction: float) -> Tensor:
    x = _float(x)
    n = _count(x, axes)
    d = x - _reduced("sum", x, axes) / n
    return _reduced("sum", d * d, axes, keepdims) / max(n - correction, 0)


def _std(x: Tensor, axes: Any, keepdims: bool, correction: float) -> Tensor:
    return _do("sqrt", _var(x, axes, keepdims, correction))


def _mse(mean: bool) -> Callable[..., Tensor]:
    def loss(x: Any, y: Any) -> Tensor:
        d = x - y
        total = _reduced("sum", d * d, range(d.ndim), False)
        return total / d.size if mean else total

    return loss


def _norm(x: Tensor, axes: Any, keepdims: bool, p: float) -> Tensor:
    if p == 2:
        return _do("sqrt", _reduced("sum", x * x, axes, keepdims))
    return _do("pow", _reduced("sum", _do("pow", _do("abs", x), p), axes, keepdims), 1 / p)


def _outer_product(x: Tensor, y: Tensor, a: str, b: str, out: str) -> Tensor:
    return _placed(x, a, out) * _placed(y, b, out)


def _placed(x: Tensor, labels: str, out: str) -> Tensor:
    order = tuple(labels.index(c) for c in out if c in labels)
    if order != tuple(range(len(order))):
        x = _do("permute_dims", x, params=(order,))
    lengths = iter(x.shape)
    shape = tuple(next(lengths) if c in labels else 1 for c in out)
    return _do("reshape", x, params=(shape,))


def _triangle(lower: bool) -> Callable[..., Tensor]:
    def keep(x: Tensor, k: int) -> Tensor:
        rows, columns = x.shape[-2:]
        mask = np.tri(rows, columns, k if lower else k - 1, dtype=bool)
        return _do("where", wrap(mask if lower else ~mask, None), x, x.dtype.type(0).item())

    return keep


def _count_nonzero(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    whole = _do("astype", x != 0, params=(np.dtype(np.int64),))
    return _reduced("sum", whole, axes, keepdims)


def _roll(x: Tensor, shifts: Any, axes: Any) -> Tensor:
    for shift, axis in zip(shifts, axes, strict=True):
        n = x.shape[axis]
        if not n or not shift % n:
            continue
        front: Any = [slice(None)] * x.ndim
        back: Any = [slice(None)] * x.ndim
        front[axis], back[axis] = slice(n - shift % n, None), slice(0, n - shift % n)
        x = _do("concat", x[tuple(front)], x[tuple(back)], params=(axis,))
    return x


def _count_classes(target: Tensor, ignore: int, dtype: Any) -> Tensor:
    whole = np.dtype(np.int64)  # in which any class, and what is ignored, can be told
    counted = _do("astype", _do("astype", target, params=(whole,)) != ignore, params=(whole,))
    total = _reduced("sum", counted, range(target.ndim), False)
    return _do("astype", total, params=(dtype,))


def _sinc(x: Tensor) -> Tensor:
    y = x * math.pi
    return _do("where", y == 0, 1.0, _do("sin", y) / _do("where", y == 0, 1.0, y))


RULES: dict[str, Callable[..., Tensor]] = {
    "mean": _mean,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "var": _var,
    "std": _std,
    "mse_loss": _mse(True),
    "mse_loss_sum": _mse(False),
    "tril": _triangle(True),
    "triu": _triangle(False),
    "count_nonzero": _count_nonzero,
    "roll": _roll,
    "count_classes": _count_classes,
}


PRODUCTS = frozenset(("matmul", "linear", "contract"))  # compiled for operands of one dtype


def _of_one_kind(node: Node) -> Callable[..., Tensor]:
    """Convert the operands of a product to the dtype of its result."""
    dtype = node.outputs[0].aval.dtype
    count = len(node.operands)

    def rule(*args: Any) -> Tensor:
        operands = [
            x if x.dtype == dtype else _do("astype", x, params=(dtype,)) for x in args[:count]
        ]
        return _do(node.op.name, *operands, params=node.params)

    return rule


def _rule(node: Node) -> Callable[..., Tensor] | None:
    avals = [x.aval for x in (*node.values(), *node.outputs)]
    if any(a.dtype.kind not in "fiub" or a.dtype.char == "e" for a in avals):
        return None
    name = node.op.name
    if node.op.lower is not None and all(math.prod(a.shape) for a in avals):
        return node.op.lower
    if name in PRODUCTS and node.outputs[0].aval.dtype.char in "fd":
        mixed = any(x.aval.dtype != node.outputs[0].aval.dtype for x in node.values())
        if mixed and all(isinstance(x, Value) for x in node.operands):
            return _of_one_kind(node)
    if name in MORE:
        return MORE[name] if allowed(node) else None
    if name == "sinc":  # not its derivatives
        return (lambda x, order: _sinc(x)) if node.params[0] == 0 else None
    if name == "vector_norm":
        return _norm if avals[0].dtype.kind == "f" else None
    if name == "contract":
        a, b, out = node.params
        values = all(isinstance(x, Value) for x in node.operands)
        return _outer_product if values and set(a + b) == set(out) else None
    if name in ("softmax", "log_softmax", "logsumexp"):
        axes = node.params[0] if name == "logsumexp" else (node.params[0],)
        if avals[0].dtype.kind != "f" or any(avals[0].shape[a] == 0 for a in axes):
            return None
    if name in ("mean", "var", "std") and math.prod(avals[0].shape) == 0:
        return None
    if name in ("mse_loss", "mse_loss_sum") and math.prod(avals[0].shape) == 0:
        return None
    return RULES.get(name)


def decompose(graph: Graph) -> Graph:
    """Return the graph in simple operations; the same graph where it consists of them."""
    kept: set[tuple[Op, Any]] = set()  # whose rule does not give what the operation does
    while True:  # what comes out may be taken apart further
        rules = [None if _key(node) in kept else _rule(node) for node in graph.nodes]
        if not any(rules):
            return graph
        graph = _replaced(graph, rules, kept)


def _key(node: Node) -> tuple[Op, Any]:
    return node.op, node.params


def _replaced(graph: Graph, rules: Sequence[Callable[..., Any] | None], kept: Any) -> Graph:
    """Return the graph with what the rules give in place of their nodes."""

    def run(*inputs: Tensor) -> list[Any]:
        known: dict[Value, Any] = dict(zip(graph.inputs, inputs, strict=True))
        known.update({v: wrap(a, None) for v, a in graph.constants.items()})
        for node, rule in zip(graph.nodes, rules, strict=True):
            args = tuple(known[x] if isinstance(x, Value) else x for x in node.operands)
            found: Sequence[Any] | None = None
            if rule is not None:
                found = _tuple(node, rule(*args, *node.params))
                if any(
                    (x.shape, x.dtype) != y.aval[:2]
                    for x, y in zip(found, node.outputs, strict=True)
                ):
                    kept.add(_key(node))
                    found = None
            if found is None:
                found = _tuple(node, apply(node.op, args, node.params))
            known.update(zip(node.outputs, found, strict=True))
        return [known[y] if isinstance(y, Value) else wrap(y, None) for y in graph.outputs]

    found = capture("jit", run, [x.aval for x in graph.inputs], settle_output)
    return simplify(found.graph)


def _tuple(node: Node, result: Any) -> Sequence[Any]:
    return result if node.op.multi else (result,)
