"""Exact rewrites: what a graph computes stays the same to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.graph.ir import Graph, Node, Operand, Value

__all__ = ["EARLY", "EXACT", "MARKS", "PRUNE", "dead_code", "prune", "simplify"]


def dead_code(graph: Graph) -> Graph:
    """Leave out what no output needs."""
    wanted = {y for y in graph.outputs if isinstance(y, Value)}
    nodes: list[Node] = []
    for node in reversed(graph.nodes):
        if not wanted.isdisjoint(node.outputs):
            nodes.append(node)
            wanted.update(node.values())
    constants = {v: a for v, a in graph.constants.items() if v in wanted}
    return Graph(graph.inputs, constants, nodes[::-1], graph.outputs)


Rule = Callable[[Node], Operand | None]


def _same_type(node: Node, x: Any) -> Value | None:
    return x if isinstance(x, Value) and x.aval == node.outputs[0].aval else None


def _identity(node: Node) -> Operand | None:
    """An operation that gives back an operand of the result's own shape and dtype."""
    return _same_type(node, node.operands[0])


def _permutation(node: Node) -> Operand | None:
    return _identity(node) if node.params[0] == tuple(range(len(node.params[0]))) else None


def _times_one(node: Node) -> Operand | None:
    """``x * 1``, also for infinities, NaN and negative zero."""
    for a, b in (node.operands, node.operands[::-1]):
        if type(b) in (int, float) and b == 1:
            return _same_type(node, a)
    return None


def _over_one(node: Node) -> Operand | None:
    a, b = node.operands
    return _same_type(node, a) if type(b) in (int, float) and b == 1 else None


def _minus_zero(node: Node) -> Operand | None:
    """``x - 0``; but not ``x + 0``, which makes a positive zero of a negative one."""
    a: Any
    b: Any
    a, b = node.operands
    plus = type(b) in (int, float) and b == 0 and not np.signbit(b)
    return _same_type(node, a) if plus else None


EXACT: dict[str, Rule] = {
    "astype": _identity,
    "reshape": _identity,
    "broadcast_to": _identity,
    "permute_dims": _permutation,
    "multiply": _times_one,
    "divide": _over_one,
    "subtract": _minus_zero,
    "positive": _identity,
    "stop_gradient": _identity,
    "untape": _identity,
}
# What means something to derivatives, and is left out when a graph is compiled.
MARKS = frozenset(("stop_gradient", "untape"))
EARLY = {name: rule for name, rule in EXACT.items() if name not in MARKS}

# Of two operands that are one array, NumPy's products choose another routine, with other bits.
_PRODUCTS = frozenset(("matmul", "contract", "linear", "conv", "convolve"))


def simplify(graph: Graph, rules: dict[str, Rule] | None = None) -> Graph:
    """Apply rules for single operations, by default EARLY, merge equal ones, drop what is dead."""
    rules = EARLY if rules is None else rules
    graph = dead_code(graph)
    new: dict[Value, Operand] = {}
    seen: dict[Any, Node] = {}
    apart = _products(graph)
    nodes: list[Node] = []

    def now(x: Operand) -> Operand:
        while isinstance(x, Value) and x in new:
            x = new[x]
        return x

    for node in graph.nodes:
        operands = tuple(now(x) for x in node.operands)
        if any(a is not b for a, b in zip(operands, node.operands, strict=True)):
            fresh = Node(node.op, operands, node.params, [y.aval for y in node.outputs])
            new.update(zip(node.outputs, fresh.outputs, strict=True))
            for y, z in zip(node.outputs, fresh.outputs, strict=True):
                if y in apart:
                    apart.add(z)
            node = fresh
        rule = rules.get(node.op.name)
        short = rule(node) if rule else None
        if short is not None:
            new[node.outputs[0]] = short
            continue
        key = _key(node)
        if key is not None and apart.isdisjoint(node.outputs):
            twin = seen.setdefault(key, node)
            if twin is not node:
                new.update(zip(node.outputs, twin.outputs, strict=True))
                continue
        nodes.append(node)
    outputs = [now(y) for y in graph.outputs]
    return prune(dead_code(Graph(graph.inputs, graph.constants, nodes, outputs)))


# For operations of several results: ``rule(node, used)``, the operation without those that are not
# used and the positions of those it has; None if it needs them all. Control flow fills it.
PRUNE: dict[str, Callable[[Node, list[bool]], tuple[Node, list[int]] | None]] = {}


def prune(graph: Graph) -> Graph:
    """Leave out what branches and loops compute that nothing reads."""
    if not any(node.op.name in PRUNE for node in graph.nodes):
        return graph
    wanted = {y for y in graph.outputs if isinstance(y, Value)}
    new: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in reversed(graph.nodes):
        if wanted.isdisjoint(node.outputs):
            continue
        rule = PRUNE.get(node.op.name)
        pruned = rule(node, [y in wanted for y in node.outputs]) if rule else None
        if pruned is not None:
            fresh, places = pruned
            new.update((node.outputs[k], y) for k, y in zip(places, fresh.outputs, strict=True))
            node = fresh
        nodes.append(node)
        wanted.update(node.values())
    if not new:
        return graph
    nodes.reverse()

    def now(x: Operand) -> Operand:
        while isinstance(x, Value) and x in new:
            x = new[x]
        return x

    for k, node in enumerate(nodes):
        if any(x in new for x in node.values()):
            operands = [now(x) for x in node.operands]
            nodes[k] = Node(node.op, operands, node.params, [y.aval for y in node.outputs])
            new.update(zip(node.outputs, nodes[k].outputs, strict=True))
    outputs = [now(y) for y in graph.outputs]
    return dead_code(Graph(graph.inputs, graph.constants, nodes, outputs))


def _key(node: Node) -> Any:
    if node.op.name == "barrier":
        return None
    operands = tuple((type(x), repr(x)) if not isinstance(x, Value) else x for x in node.operands)
    try:
        key = (node.op.name, operands, node.params)
        hash(key)
    except TypeError:
        return None
    return key


def _products(graph: Graph) -> set[Value]:
    """Return the values that reach a product, through views: they are not merged."""
    apart: set[Value] = set()
    for node in reversed(graph.nodes):
        if node.op.name in _PRODUCTS or (node.op.view and not apart.isdisjoint(node.outputs)):
            apart.update(node.values())
    return apart
