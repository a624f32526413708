"""From the nodes of a graph to the steps of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.op import OPS, Aval
from lucid.dtypes import python_dtype
from lucid.graph.ir import Graph, Node, Value
from lucid.graph.native.blas import Product
from lucid.graph.native.branch import plan_cond, plan_while
from lucid.graph.native.elementwise import is_elementwise
from lucid.graph.native.lower_axis import RULES as AXIS_RULES
from lucid.graph.native.lower_check import RULES as CHECK_RULES
from lucid.graph.native.lower_conv import RULES as CONV_RULES
from lucid.graph.native.lower_draws import RULES as DRAW_RULES
from lucid.graph.native.lower_gauge import RULES as GAUGE_RULES
from lucid.graph.native.lower_index import RULES as INDEX_RULES
from lucid.graph.native.lower_lapack import RULES as LAPACK_RULES
from lucid.graph.native.lower_maxima import RULES as MAXIMA_RULES
from lucid.graph.native.lower_random import RULES as RANDOM_RULES
from lucid.graph.native.lower_search import RULES as SEARCH_RULES
from lucid.graph.native.lower_sort import RULES as SORT_RULES
from lucid.graph.native.lower_whole import plan_product
from lucid.graph.native.lower_window import RULES as WINDOW_RULES
from lucid.graph.native.plan import Planner, Ref, Step, contiguous, squeezed
from lucid.graph.native.scan import plan_scan
from lucid.graph.native.text import KINDS
from lucid.graph.native.views import VIEWS, change_of, supported, view_key

__all__ = ["Call", "Fill", "lower"]

REDUCTIONS = {"sum": "sum", "prod": "prod", "max": "max", "min": "min", "any": "any", "all": "all"}


class Call(Step):
    """An operation without native code: its implementation is called, between native parts."""

    python = True

    def __init__(self, node: Node, operands: Sequence[Any]) -> None:
        self.node = node
        self.operands = list(operands)

    def reads(self) -> Any:
        """The roots that are read."""
        return (x.root for x in self.operands if isinstance(x, Ref))

    def writes(self) -> Any:
        """The roots that are written."""
        return iter(self.node.outputs)


class Fill(Step):
    """Memory set to zero."""

    def __init__(self, root: Value) -> None:
        self.root = root

    def reads(self) -> Any:
        """The roots that are read."""
        return iter(())

    def writes(self) -> Any:
        """The roots that are written."""
        return iter((self.root,))


def lower(planner: Planner, graph: Graph) -> None:
    """Plan all nodes; inputs have been taken up."""
    for node in graph.nodes:
        lower_node(planner, node)


def lower_node(planner: Planner, node: Node) -> None:
    """Plan one node."""
    name = node.op.name
    rule = RULES.get(name)
    if rule is not None and supported(node) and rule(planner, node):
        return
    if name in VIEWS and supported(node) and _view(planner, node):
        return
    if supported(node) and is_elementwise(node):
        planner.elementwise(node)
        return
    _fallback(planner, node)


def _fallback(planner: Planner, node: Node) -> None:
    operands = [planner.ref(x) if isinstance(x, Value) else x for x in node.operands]
    planner.add(Call(node, operands), *node.outputs)


# -- views -----------------------------------------------------------------------------------------


def _view(planner: Planner, node: Node) -> bool:
    x = node.operands[0]
    if not isinstance(x, Value) or x.aval.weak:
        return False
    ref = planner.refs[x]
    new = ref.view(change_of(node))
    if new is None:
        new = planner.materialise(x).view(change_of(node))
        assert new is not None
    planner.refs[node.outputs[0]] = new
    return True


# -- reductions ------------------------------------------------------------------------------------


def _reduction(planner: Planner, node: Node) -> bool:
    x = node.operands[0]
    axes = node.params[0]
    if not isinstance(x, Value):
        return False
    count = math.prod(x.aval.shape[a] for a in axes)
    if node.op.name in ("max", "min") and count == 0:
        return False
    if not any(x.aval.shape[a] != 1 for a in axes):
        return _as_copy(planner, node, x)
    planner.reduce(node, axes)
    return True


def _as_copy(planner: Planner, node: Node, x: Value) -> bool:
    """A reduction over axes of length 1 changes the shape, and perhaps the dtype."""
    out = node.outputs[0]
    ref = planner.refs[x].view(lambda a: np.reshape(a, out.aval.shape, copy=False))
    if ref is None:
        return False
    if node.op.name in ("any", "all") and x.aval.dtype.char != "?":
        return False
    alias = Value(x.aval._replace(shape=out.aval.shape))
    planner.refs[alias] = ref
    step = planner.copy(alias, Ref.whole(out))
    planner.made(out, step)
    planner.stored.add(out)
    return True


# -- putting together ------------------------------------------------------------------------------


def _concat(planner: Planner, node: Node) -> bool:
    (out,) = node.outputs
    axis = node.params[0]
    stacked = node.op.name == "stack"
    if axis is None or any(not isinstance(x, Value) for x in node.operands):
        return False
    axis %= len(out.aval.shape)
    start, last = 0, -1
    steps = contiguous(out.aval.shape)
    for x in node.values():
        length = 1 if stacked else x.aval.shape[axis]
        if stacked:
            shape = x.aval.shape
            strides = steps[:axis] + steps[axis + 1 :]
        else:
            shape, strides = x.aval.shape, steps
        target = Ref(out, shape, strides, start * steps[axis])
        if math.prod(shape):
            last = max(last, planner.copy(x, target))
        start += length
    if last < 0:
        last = planner.add(Fill(out))
    planner.made(out, last)
    planner.stored.add(out)
    return True


def _place(planner: Planner, node: Node) -> bool:
    """Put an array into a part of zeros."""
    (out,) = node.outputs
    x = node.operands[0]
    if not isinstance(x, Value):
        return False
    if node.op.name == "embed_diagonal":
        diagonal = node.params[:3]
        target = Ref.whole(out).view(lambda a: a.diagonal(*diagonal))
    else:
        key = view_key(node.params[1])
        target = Ref.whole(out).view(lambda a: a[key])
    if target is None or squeezed(target.shape) != squeezed(x.aval.shape):
        return False
    step = planner.add(Fill(out), out)
    if math.prod(x.aval.shape):
        step = planner.copy(
            x, Ref(out, x.aval.shape, _unsqueezed(target, x.aval.shape), target.offset), after=step
        )
    planner.made(out, step)
    return True


def _assemble(planner: Planner, node: Node) -> bool:
    """Pieces at places that do not overlap (`native.rewrite`); each is added to a zero."""
    (out,) = node.outputs
    shape, keys = node.params
    step, covered = -1, 0
    pieces: list[tuple[Value, Ref]] = []
    for x, key in zip(node.operands, keys, strict=True):
        assert isinstance(x, Value)
        target = Ref.whole(out).view(lambda a, key=key: a[view_key(key)])
        assert target is not None
        strides = _unsqueezed(target, x.aval.shape)
        pieces.append((x, Ref(out, x.aval.shape, strides, target.offset)))
        covered += math.prod(x.aval.shape)
    if covered < math.prod(shape):
        step = planner.add(Fill(out), out)
    last = step
    for x, target in pieces:
        positive = Node(OPS["add"], (x, 0.0), (), (x.aval,))  # -0 + 0 is 0
        planner.elementwise(positive)
        last = max(last, planner.copy(positive.outputs[0], target, after=step))
    planner.made(out, last)
    planner.stored.add(out)
    return True


def _unsqueezed(target: Ref, shape: tuple[int, ...]) -> tuple[int, ...]:
    steps = iter(s for s, n in zip(target.strides, target.shape, strict=True) if n != 1)
    return tuple(1 if n == 1 else next(steps) for n in shape)


# -- products --------------------------------------------------------------------------------------


def _matmul(planner: Planner, node: Node) -> bool:
    x, y = node.operands
    if not isinstance(x, Value) or not isinstance(y, Value):
        return False
    (out,) = node.outputs
    a, b = planner.refs[x], planner.refs[y]
    rows = a.shape[-2:-1]
    columns = b.shape[-1:] if len(b.shape) > 1 else ()
    if len(a.shape) == 1:
        a = _expand(a, 0)
    if len(b.shape) == 1:
        b = _expand(b, 1)
    stack = out.aval.shape[: len(out.aval.shape) - len(rows) - len(columns)]
    if stack and len(b.shape) == 2 and rows:  # one tall matrix instead of a stack
        tall = (math.prod(stack) * rows[0], a.shape[-1])
        c = Ref(out, (tall[0], b.shape[1]), contiguous((tall[0], b.shape[1])))
        return plan_product(planner, out, (), _flattened(planner, x, tall), b, c)
    shape = (*stack, rows[0] if rows else 1, columns[0] if columns else 1)
    c = Ref(out, shape, contiguous(shape))
    return plan_product(planner, out, stack, _stacked(a, stack), _stacked(b, stack), c)


def _expand(ref: Ref, axis: int) -> Ref:
    new = ref.view(lambda a: np.expand_dims(a, axis))
    assert new is not None
    return new


def _stacked(ref: Ref, stack: tuple[int, ...]) -> Ref:
    new = ref.view(lambda a: np.broadcast_to(a, (*stack, *a.shape[-2:])))
    assert new is not None
    return new


def _linear(planner: Planner, node: Node) -> bool:
    x, w, *bias = node.operands
    if not isinstance(x, Value) or not isinstance(w, Value) or w.aval.ndim != 2:
        return False
    (out,) = node.outputs
    kind = out.aval.dtype
    if kind.char not in "fd" or any(v.aval.dtype != kind for v in node.values()):
        return False
    product = Value(out.aval) if bias else out
    rows = math.prod(x.aval.shape[:-1])
    a = _flattened(planner, x, (rows, x.aval.shape[-1]))
    b = planner.refs[w].view(lambda m: m.T)
    assert b is not None
    c = Ref(product, (rows, w.aval.shape[0]), contiguous((rows, w.aval.shape[0])))
    if not Product.plan(planner, product, (), a, b, c):
        return False
    if bias:
        total = Node(OPS["add"], (product, bias[0]), (), (out.aval,))
        planner.elementwise(total)
        planner.refs[out] = planner.refs[total.outputs[0]]
    return True


def _flattened(planner: Planner, x: Value, shape: tuple[int, ...]) -> Ref:
    def flat(a: Any) -> Any:
        return np.reshape(a, shape, copy=False)

    ref = planner.refs[x].view(flat)
    if ref is None:
        ref = planner.materialise(x).view(flat)
    assert ref is not None
    return ref


def _contract(planner: Planner, node: Node) -> bool:
    x, y = node.operands
    if not isinstance(x, Value) or not isinstance(y, Value):
        return False
    a, b, labels = node.params
    batch = [c for c in labels if c in a and c in b]
    left = [c for c in labels if c not in b]
    right = [c for c in labels if c not in a]
    summed = [c for c in a if c not in labels]
    (out,) = node.outputs
    if not summed:
        return False
    sizes = dict(zip(a + b, (*x.aval.shape, *y.aval.shape), strict=True))
    stack = tuple(sizes[c] for c in batch)
    m, n, k = (math.prod(sizes[c] for c in part) for part in (left, right, summed))
    lhs = _grouped(planner, x, [a.index(c) for c in (*batch, *left, *summed)], (*stack, m, k))
    rhs = _grouped(planner, y, [b.index(c) for c in (*batch, *summed, *right)], (*stack, k, n))
    order = [labels.index(c) for c in (*batch, *left, *right)]
    shape = (*stack, m, n)
    target = Ref.whole(out).view(lambda z: np.reshape(z.transpose(order), shape, copy=False))
    if target is not None and _leading(target):
        return plan_product(planner, out, stack, lhs, rhs, target)
    made = Value(out.aval._replace(shape=tuple(sizes[c] for c in (*batch, *left, *right))))
    if not plan_product(planner, made, stack, lhs, rhs, Ref(made, shape, contiguous(shape))):
        return False
    back = [(*batch, *left, *right).index(c) for c in labels]
    ref = Ref.whole(made).view(lambda z: z.transpose(back))
    assert ref is not None
    planner.refs[out] = ref
    return True


def _grouped(planner: Planner, x: Value, order: list[int], shape: tuple[int, ...]) -> Ref:
    def change(z: Any) -> Any:
        return np.reshape(z.transpose(order), shape, copy=False)

    ref = planner.refs[x].view(change)
    if ref is not None:
        return ref
    moved = planner.refs[x].view(lambda z: z.transpose(order))
    assert moved is not None
    alias = Value(x.aval._replace(shape=moved.shape))
    planner.refs[alias] = moved
    ref = planner.materialise(alias).view(lambda z: np.reshape(z, shape, copy=False))
    assert ref is not None
    return ref


def _leading(ref: Ref) -> bool:
    """Whether BLAS can write a matrix there: one of its strides is 1."""
    (m, n), (s, t) = ref.shape[-2:], ref.strides[-2:]
    by_row = (n == 1 or t == 1) and (m == 1 or s >= n)
    return by_row or ((m == 1 or s == 1) and (n == 1 or t >= m))


def _scan(planner: Planner, node: Node) -> bool:
    body, constants, carry, length, reverse, *_ = node.params
    graph = body.graph
    operands = [_as_value(planner, x) for x in node.operands]
    for k, (x, inner) in enumerate(zip(operands, graph.inputs, strict=True)):
        if x.aval.dtype != inner.aval.dtype or x.aval.dtype.char not in KINDS:
            return False
        if k < constants + carry and x.aval.shape != inner.aval.shape:
            return False
    parts = (
        operands[:constants],
        operands[constants : constants + carry],
        operands[constants + carry :],
    )
    results = node.outputs[:carry], node.outputs[carry:]
    return plan_scan(planner, graph, parts, results, length, reverse, lower)


def _same_types(values: Sequence[Value], inputs: Sequence[Value]) -> bool:
    return all(
        x.aval.dtype == y.aval.dtype and x.aval.shape == y.aval.shape and x.aval.dtype.char in KINDS
        for x, y in zip(values, inputs, strict=True)
    )


def _while(planner: Planner, node: Node) -> bool:
    cond, body, constants, limit = node.params
    operands = [_as_value(planner, x) for x in node.operands]
    if not _same_types(operands, body.graph.inputs):
        return False
    parts = operands[:constants], operands[constants:]
    return plan_while(planner, (cond.graph, body.graph), parts, node.outputs, limit, lower)


def _cond(planner: Planner, node: Node) -> bool:
    index, *arguments = (_as_value(planner, x) for x in node.operands)
    graphs = [p.graph for p in node.params[0]]
    if index.aval.dtype.char != "?" or not _same_types(arguments, graphs[0].inputs):
        return False
    if any(not isinstance(y, Value) for g in graphs for y in g.outputs):
        return False
    return plan_cond(planner, graphs, index, arguments, node.outputs, lower)


def _as_value(planner: Planner, x: Any) -> Value:
    if isinstance(x, Value):
        return x
    array = np.asarray(x, python_dtype(x))
    value = Value(Aval((), array.dtype))
    planner.given(value, array)
    planner.extra[value] = array
    return value


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    **dict.fromkeys(REDUCTIONS, _reduction),
    "concat": _concat,
    "stack": _concat,
    "place": _place,
    "embed_diagonal": _place,
    "matmul": _matmul,
    "linear": _linear,
    "contract": _contract,
    "scan": _scan,
    "while": _while,
    "cond": _cond,
    "assemble": _assemble,
    **INDEX_RULES,
    **CONV_RULES,
    **WINDOW_RULES,
    **MAXIMA_RULES,
    **RANDOM_RULES,
    **SORT_RULES,
    **CHECK_RULES,
    **DRAW_RULES,
    **SEARCH_RULES,
    **LAPACK_RULES,
    **GAUGE_RULES,
    **AXIS_RULES,
}
