"""Division by spectral gaps, which gives up where a derivative does not exist."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lucid.graph.ir import Node, Operand, Value
from lucid.graph.native.lower_check import elementwise, require
from lucid.graph.native.plan import Planner

__all__ = ["RULES"]


def _suited(node: Node) -> bool:
    avals = [x.aval for x in (*node.values(), *node.outputs)]
    return all(a.dtype.char in "fd?" and not a.weak and math.prod(a.shape) for a in avals)


def _quotient(planner: Planner, node: Node) -> bool:
    y, d, floor, need = node.operands
    _, strict = node.params
    (out,) = node.outputs
    if not (isinstance(y, Value) and isinstance(d, Value)) or not _suited(node):
        return False
    if any(v.aval.dtype != out.aval.dtype for v in (y, d)):
        return False
    close = elementwise(planner, "less_equal", elementwise(planner, "abs", d), floor)
    lost: Operand = need and close
    if isinstance(need, Value):
        lost = elementwise(planner, "logical_and", close, need)
    if strict and isinstance(lost, Value):
        require(planner, elementwise(planner, "logical_not", lost))
    whole = elementwise(planner, "divide", y, elementwise(planner, "where", close, 1, d))
    nothing = elementwise(planner, "multiply", y, 0)  # a NaN stays one
    z = elementwise(planner, "where", close, nothing, whole)
    if not strict and isinstance(lost, Value):
        z = elementwise(planner, "where", lost, math.nan, z)
    if z.aval[:2] != out.aval[:2]:
        return False
    planner.refs[out] = planner.refs[z]
    return True


def _check(planner: Planner, node: Node) -> bool:
    (need,) = node.operands
    (out,) = node.outputs
    if not isinstance(need, Value) or not _suited(node):
        return False
    require(planner, elementwise(planner, "logical_not", need))
    planner.extra[out] = np.zeros(out.aval.shape, out.aval.dtype)
    planner.given(out, planner.extra[out])
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "spectral_quotient": _quotient,
    "spectral_check": _check,
}
