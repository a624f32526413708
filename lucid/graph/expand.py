"""Putting operations in the place of those that stand for a function, when a graph is compiled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from lucid.core.dispatch import apply
from lucid.core.op import Op
from lucid.core.tensor import Tensor, wrap
from lucid.graph.capture import capture
from lucid.graph.ir import Graph, Node, Value
from lucid.transforms.boundary import settle_output

__all__ = ["expand"]


def expand(graph: Graph, keep: Collection[Op] = ()) -> Graph:
    """Replace custom rules, checkpoints and fused reverse rules by what they stand for.

    Args:
        graph: the graph.
        keep: operations that stay.
    """

    def stands(node: Node) -> bool:
        return node.op.inline is not None and node.op not in keep

    while any(map(stands, graph.nodes)):  # what comes out can hold others

        def run(*inputs: Tensor, graph: Graph = graph) -> Sequence[Any]:
            known: dict[Value, Any] = dict(zip(graph.inputs, inputs, strict=True))
            known.update((v, wrap(a, None)) for v, a in graph.constants.items())
            for node in graph.nodes:
                args = tuple([known[x] if isinstance(x, Value) else x for x in node.operands])
                if stands(node):
                    assert node.op.inline is not None
                    result = node.op.inline(args, node.params)
                else:
                    result = apply(node.op, args, node.params)
                outs = result if node.op.multi else (result,)
                known.update(zip(node.outputs, outs, strict=True))
            return [known[y] if isinstance(y, Value) else wrap(y, None) for y in graph.outputs]

        graph = capture("jit", run, [v.aval for v in graph.inputs], settle_output).graph
    return graph
