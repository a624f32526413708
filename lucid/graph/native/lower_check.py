"""Conditions on numbers that native code checks, and operations that need no more than that.

Where a condition does not hold native code gives up, and the numpy executor raises as eager does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lucid.core.op import OPS
from lucid.graph.ir import Node, Operand, Value, infer, number_aval
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine
from lucid.graph.native.table import address_of
from lucid.graph.native.text import Body

__all__ = ["RULES", "elementwise", "require", "require_within"]

FLOOR = -100.0  # of logarithms in `binary_cross_entropy`


class Guard(Routine):
    """Gives up where a truth value is false."""

    can_fail = True

    def __init__(self, condition: Ref) -> None:
        super().__init__([condition], [])

    def code(self, b: Body) -> None:
        """Look at it."""
        good = b.load(address_of(b, self.operands[0]), "?")
        self.fail(b, b.put(f"xor i1 {good}, true"))


def elementwise(planner: Planner, name: str, *operands: Operand) -> Value:
    """Plan an operation that is applied element by element; return its result."""
    avals = [x.aval if isinstance(x, Value) else number_aval(x) for x in operands]
    node = Node(OPS[name], operands, (), infer(OPS[name], avals, ()))
    planner.elementwise(node)
    return node.outputs[0]


def require(planner: Planner, condition: Value) -> None:
    """Plan a check that a condition holds for all elements, of which there is one at least."""
    aval = condition.aval
    if math.prod(aval.shape) > 1:
        axes = tuple(range(aval.ndim))
        node = Node(OPS["all"], (condition,), (axes, False), (aval._replace(shape=()),))
        planner.reduce(node, axes)
        condition = node.outputs[0]
    planner.add(Guard(planner.ref(condition)))


def require_within(planner: Planner, x: Value, high: float, strict: bool = False) -> None:
    """Require numbers from 0 to a limit."""
    above = elementwise(planner, "greater_equal", x, 0)
    below = elementwise(planner, "less" if strict else "less_equal", x, high)
    require(planner, elementwise(planner, "logical_and", above, below))


def _whole(*operands: Any) -> bool:
    """Whether operands are arrays with elements."""
    return all(
        isinstance(x, Value) and not x.aval.weak and math.prod(x.aval.shape) for x in operands
    )


def _binary_cross_entropy(planner: Planner, node: Node) -> bool:
    x, t = node.operands
    (out,) = node.outputs
    if not isinstance(x, Value) or not _whole(x, out) or out.aval.dtype.kind != "f":
        return False
    if x.aval.dtype != out.aval.dtype or (isinstance(t, Value) and t.aval.weak):
        return False
    require_within(planner, x, 1)

    def term(name: str, y: Value, factor: Operand) -> Value:
        log = elementwise(planner, "maximum", elementwise(planner, name, y), FLOOR)
        return elementwise(planner, "multiply", factor, log)

    rest = elementwise(planner, "subtract", t, 1)
    no = term("log1p", elementwise(planner, "negative", x), rest)
    last = Node(OPS["subtract"], (no, term("log", x, t)), (), (out.aval,))
    planner.elementwise(last)
    planner.refs[out] = planner.refs[last.outputs[0]]
    return True


def _weights(planner: Planner, node: Node) -> bool:
    """Weights as they are, if none is negative or infinite, and enough are positive."""
    (p,) = node.operands
    (out,) = node.outputs
    (at_least,) = node.params
    if not isinstance(p, Value) or not _whole(p) or p.aval.ndim != 1 or p.aval.dtype.kind != "f":
        return False
    require_within(planner, p, math.inf, strict=True)
    positive = elementwise(planner, "greater", p, 0)
    some = elementwise(planner, "where", positive, 1, 0)
    if p.aval.shape[0] > 1:
        total = Node(OPS["sum"], (some,), ((0,), False), (some.aval._replace(shape=()),))
        planner.reduce(total, (0,))
        some = total.outputs[0]
    require(planner, elementwise(planner, "greater_equal", some, max(at_least, 1)))
    planner.refs[out] = planner.refs[p]
    return True


def _barrier(planner: Planner, node: Node) -> bool:
    """The first operands as they are; what is computed from them later is computed later."""
    (count,) = node.params
    if not _views(node.operands[:count]):
        return False
    for x, out in zip(node.operands[:count], node.outputs, strict=True):
        assert isinstance(x, Value)
        ref = planner.refs[out] = planner.refs[x]
        if planner.home[ref.root] >= 0:
            planner.stored.add(ref.root)
            planner.home[ref.root] = max(planner.home[ref.root], len(planner.steps) - 1)
    return True


def _views(operands: Any) -> bool:
    return all(isinstance(x, Value) and not x.aval.weak for x in operands)


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "binary_cross_entropy": _binary_cross_entropy,
    "random_weights": _weights,
    "barrier": _barrier,
}
