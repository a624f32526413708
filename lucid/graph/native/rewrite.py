"""Rewrites for native code: sums of pieces become one array, sums over steps one product."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lucid.core.define import general
from lucid.core.op import OPS, Aval
from lucid.graph.ir import Graph, Node, Operand, Value
from lucid.graph.native.views import view_key
from lucid.graph.passes import dead_code
from lucid.graph.program import Program

__all__ = ["hoist_products", "merge_places"]

_LIMIT = 1 << 22  # elements of an array whose pieces are looked at
Visit = Callable[[Node, tuple[Operand, ...], list[Node]], "Sequence[Operand] | None"]


def _rebuilt(graph: Graph, visit: Visit) -> Graph:
    """Return a graph with some nodes replaced.

    ``visit(node, operands, nodes)`` appends to `nodes` and returns what stands for the outputs, or
    None to keep a node; `operands` are those of the new graph.
    """
    new: dict[Value, Operand] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        operands = tuple(new.get(x, x) if isinstance(x, Value) else x for x in node.operands)
        outputs = visit(node, operands, nodes)
        if outputs is None:
            kept = node
            if any(a is not b for a, b in zip(operands, node.operands, strict=True)):
                kept = Node(node.op, operands, node.params, [y.aval for y in node.outputs])
            nodes.append(kept)
            outputs = kept.outputs
        new.update(zip(node.outputs, outputs, strict=True))
    results = [new.get(y, y) if isinstance(y, Value) else y for y in graph.outputs]
    return dead_code(Graph(graph.inputs, graph.constants, nodes, results))


def _uses(graph: Graph) -> dict[Value, int]:
    count: dict[Value, int] = {}
    for x in (*(x for n in graph.nodes for x in n.operands), *graph.outputs):
        if isinstance(x, Value):
            count[x] = count.get(x, 0) + 1
    return count


# -- pieces ----------------------------------------------------------------------------------------


def _assemble_impl(*values: Any) -> Any:
    *pieces, shape, keys = values
    out = np.zeros(shape, pieces[0].dtype)
    for x, key in zip(pieces, keys, strict=True):
        out[view_key(key)] += x
    return out


def _assemble_infer(*values: Any) -> Aval:
    *pieces, shape, _ = values
    return Aval(shape, pieces[0].dtype)


_assemble = general("assemble", _assemble_impl, infer=_assemble_infer, smooth=False, register=False)


def merge_places(graph: Graph) -> Graph:
    """Put the sum of `place` operations, where they do not overlap, together in one array.

    The derivative of several slices of one array is such a sum, of arrays that are mostly zero.
    """
    if sum(n.op.name == "place" for n in graph.nodes) < 2:
        return graph
    uses = _uses(graph)
    pieces: dict[Value, tuple[tuple[Operand, Any], ...]] = {}

    def visit(node: Node, operands: tuple[Operand, ...], nodes: list[Node]) -> Any:
        out = node.outputs[0]
        if node.op.name == "place" and isinstance(operands[0], Value):
            pieces[out] = ((operands[0], node.params[1]),)
        elif node.op.name == "add" and all(
            x in pieces and uses[x] == 1 and x.aval == out.aval
            for x in node.operands
            if isinstance(x, Value)
        ):
            both = [p for x in node.values() for p in pieces[x]]
            keys = tuple(key for _, key in both)
            if all(isinstance(x, Value) for x in node.operands) and _apart(out.aval.shape, keys):
                pieces[out] = tuple(both)
                values = [v for v, _ in both]
                merged = Node(_assemble, values, (out.aval.shape, keys), [out.aval])
                nodes.append(merged)
                return merged.outputs
        return None

    return _rebuilt(graph, visit)


def _apart(shape: tuple[int, ...], keys: Sequence[Any]) -> bool:
    """Whether no element is in two pieces."""
    if math.prod(shape) > _LIMIT:
        return False
    seen = np.zeros(shape, np.int8)
    for key in keys:
        seen[view_key(key)] += 1
    return not seen.size or int(seen.max()) <= 1


# -- products over steps ---------------------------------------------------------------------------


class _Sum(NamedTuple):
    """A carry that a step adds a product to."""

    carry: int
    left: tuple[Value, bool]  # the matrix, and whether its transpose is meant
    right: tuple[Value, bool]


def hoist_products(graph: Graph) -> Graph:
    """Take sums of products out of scans: one product of stacked matrices behind the loop.

    A carry that a step only adds a product of two matrices to, the gradient of a weight, needs no
    loop: the sum over steps of a[t] b[t] is the product of all a side by side with all b stacked.
    """

    def visit(node: Node, operands: tuple[Operand, ...], nodes: list[Node]) -> Any:
        if node.op.name != "scan":
            return None
        found = _sums(node)
        return _hoisted(node, operands, nodes, found) if found else None

    if not any(n.op.name == "scan" for n in graph.nodes):
        return graph
    return _rebuilt(graph, visit)


def _sums(node: Node) -> list[_Sum]:
    body, constants, carry = node.params[:3]
    graph: Graph = body.graph
    uses = _uses(graph)
    fixed = set(graph.inputs[:constants]) | set(graph.constants)
    found: list[_Sum] = []
    for k in range(carry):
        cell, out = graph.inputs[constants + k], graph.outputs[k]
        if not isinstance(out, Value) or out.node is None or out.node.op.name != "add":
            continue
        terms = [x for x in out.node.operands if x is not cell]
        if len(terms) != 1 or uses[cell] != 1 or uses[out] != 1:
            continue
        product = terms[0]
        if not isinstance(product, Value) or product.node is None or uses[product] != 1:
            continue
        if product.node.op.name != "matmul" or product.aval != cell.aval:
            continue
        sides = [_untransposed(x) for x in product.node.operands if isinstance(x, Value)]
        if len(sides) == 2 and all(v.aval.ndim == 2 and v not in fixed for v, _ in sides):
            found.append(_Sum(k, sides[0], sides[1]))
    return found


def _untransposed(x: Value) -> tuple[Value, bool]:
    node = x.node
    if node is not None and node.op.name == "permute_dims" and node.params[0] == (1, 0):
        (base,) = node.operands
        if isinstance(base, Value):
            return base, True
    return x, False


def _hoisted(
    node: Node, operands: tuple[Operand, ...], nodes: list[Node], sums: list[_Sum]
) -> list[Value]:
    """Add the smaller scan and the products; return what stands for the results."""
    body, constants, carry, length, *rest = node.params
    graph: Graph = body.graph
    gone = {s.carry for s in sums}
    outputs = [y for k, y in enumerate(graph.outputs) if k not in gone]
    avals = [y.aval for k, y in enumerate(node.outputs) if k not in gone]
    rows = dict(zip(graph.inputs[constants + carry :], operands[constants + carry :], strict=True))
    stacked: dict[Value, int] = {}
    for s in sums:
        for base, _ in (s.left, s.right):
            if base in rows or base in stacked:
                continue
            kept = [i for i, y in enumerate(outputs) if y is base and i >= carry - len(gone)]
            if not kept:
                outputs.append(base)
                avals.append(Aval((length, *base.aval.shape), base.aval.dtype))
                kept = [len(outputs) - 1]
            stacked[base] = kept[0]
    inputs = [x for k, x in enumerate(graph.inputs) if k - constants not in gone]
    smaller = Program(dead_code(Graph(inputs, graph.constants, graph.nodes, outputs)), "numpy")
    given = [x for k, x in enumerate(operands) if k - constants not in gone]
    params = (smaller, constants, carry - len(gone), length, *rest)
    scan = Node(node.op, given, params, avals)
    nodes.append(scan)
    totals: dict[int, Value] = {}
    for s in sums:
        (a, ta), (b, tb) = s.left, s.right
        x, y = (rows[v] if v in rows else scan.outputs[stacked[v]] for v in (a, b))
        labels = ("tpm" if ta else "tmp", "tnp" if tb else "tpn", "mn")
        out = node.outputs[s.carry].aval
        product = Node(OPS["contract"], (x, y), labels, [out])
        total = Node(OPS["add"], (operands[constants + s.carry], product.outputs[0]), (), [out])
        nodes += [product, total]
        totals[s.carry] = total.outputs[0]
    left = iter(scan.outputs)
    return [totals[k] if k in totals else next(left) for k in range(len(node.outputs))]
