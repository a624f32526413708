"""Leaving out of branches and loops what nobody reads: residuals, outputs, and whole carries.

A rule gets a node and which of its results are read. It returns a smaller node, and the positions
of the results that this one still has; or None, if there is nothing to leave out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.graph.ir import Graph, Node, Operand, Value
from lucid.graph.passes import simplify
from lucid.graph.program import Program

__all__ = ["prune_cond", "prune_scan", "prune_while"]

Pruned = tuple[Node, list[int]] | None


def _needed(graph: Graph, outputs: Sequence[Operand]) -> list[bool]:
    """Return which inputs these outputs depend on."""
    wanted = {y for y in outputs if isinstance(y, Value)}
    for node in reversed(graph.nodes):
        if not wanted.isdisjoint(node.outputs):
            wanted.update(node.values())
    return [x in wanted for x in graph.inputs]


def _part(body: Program, inputs: Sequence[bool], outputs: Sequence[bool]) -> Program:
    """Return the program of some outputs, as a function of some inputs."""

    def make() -> Program:
        g = body.graph
        some = simplify(Graph(g.inputs, g.constants, g.nodes, _chosen(g.outputs, outputs)))
        given = _chosen(g.inputs, inputs)
        return Program(Graph(given, some.constants, some.nodes, some.outputs), body.executor)

    return body.derive(("part", tuple(inputs), tuple(outputs)), make)


def _chosen(items: Sequence[Any], which: Sequence[bool]) -> list[Any]:
    return [x for x, w in zip(items, which, strict=True) if w]


def _places(which: Sequence[bool]) -> list[int]:
    return [k for k, w in enumerate(which) if w]


def prune_cond(node: Node, used: Sequence[bool]) -> Pruned:
    """Leave out results of all branches, and arguments that none reads any more."""
    (branches,) = node.params
    found = [_needed(b.graph, _chosen(b.graph.outputs, used)) for b in branches]
    inputs = [any(column) for column in zip(*found, strict=True)]
    if all(used) and all(inputs):
        return None
    parts = tuple(_part(b, inputs, used) for b in branches)
    operands = (node.operands[0], *_chosen(node.operands[1:], inputs))
    avals = [y.aval for y in _chosen(node.outputs, used)]
    return Node(node.op, operands, (parts,), avals), _places(used)


def prune_scan(node: Node, used: Sequence[bool]) -> Pruned:
    """Leave out outputs, and what only they need: carries, constants and rows."""
    body, constants, carry, *rest = node.params
    start = constants + carry
    outputs = list(used)
    inputs = [False] * len(node.operands)
    while True:
        found = _needed(body.graph, _chosen(body.graph.outputs, outputs))
        inputs = [a or b for a, b in zip(inputs, found, strict=True)]
        more = [inputs[constants + k] or outputs[k] for k in range(carry)]
        if more == outputs[:carry]:
            break
        outputs[:carry] = more
    inputs[constants:start] = outputs[:carry]  # a carry that is read begins with something
    if all(outputs) and all(inputs):
        return None
    part = _part(body, inputs, outputs)
    sizes = sum(inputs[:constants]), sum(outputs[:carry])
    avals = [y.aval for y in _chosen(node.outputs, outputs)]
    operands = _chosen(node.operands, inputs)
    return Node(node.op, operands, (part, *sizes, *rest), avals), _places(outputs)


def prune_while(node: Node, used: Sequence[bool]) -> Pruned:
    """Leave out carries that neither the condition nor what is read depends on."""
    cond, body, constants, max_steps = node.params
    outputs = list(used)
    inputs = _needed(cond.graph, cond.graph.outputs)
    while True:
        outputs = [a or b for a, b in zip(outputs, inputs[constants:], strict=True)]
        found = _needed(body.graph, _chosen(body.graph.outputs, outputs))
        new = [a or b for a, b in zip(inputs, found, strict=True)]
        if new == inputs and not any(
            a and not b for a, b in zip(inputs[constants:], outputs, strict=True)
        ):
            break
        inputs = new
    inputs[constants:] = outputs
    if all(inputs):
        return None
    parts = _part(cond, inputs, [True]), _part(body, inputs, outputs)
    avals = [y.aval for y in _chosen(node.outputs, outputs)]
    params = (*parts, sum(inputs[:constants]), max_steps)
    return Node(node.op, _chosen(node.operands, inputs), params, avals), _places(outputs)
