"""The graph: operations in single static assignment, with shapes and dtypes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.op import Aval, Op
from lucid.core.tensor import wrap
from lucid.dtypes import python_dtype
from lucid.errors import GraphError, message, users_line

__all__ = ["Graph", "Node", "Operand", "Value", "infer", "typecheck"]


class Value:
    """What one operation gives, or an input or constant: assigned once."""

    __slots__ = ("aval", "index", "node")

    def __init__(self, aval: Aval, node: Node | None = None, index: int = 0) -> None:
        self.aval = aval
        self.node = node
        self.index = index

    def __repr__(self) -> str:
        return f"<{self.aval}>"


Operand: TypeAlias = Value | bool | int | float | complex


class Node:
    """One operation: operands are values or Python numbers, parameters are static."""

    __slots__ = ("op", "operands", "outputs", "params")

    def __init__(
        self,
        op: Op,
        operands: Sequence[Operand],
        params: tuple[Any, ...],
        avals: Sequence[Aval],
    ) -> None:
        self.op = op
        self.operands = tuple(operands)
        self.params = params
        self.outputs = tuple(Value(a, self, k) for k, a in enumerate(avals))

    def values(self) -> Iterator[Value]:
        """Iterate over the operands that are values."""
        return (x for x in self.operands if isinstance(x, Value))

    def __repr__(self) -> str:
        return f"<{self.op.name} -> {self.outputs}>"


class Graph:
    """Nodes in an order in which they can be computed.

    Attributes:
        inputs: the values that a call is given.
        constants: arrays that every call shares, by value.
        nodes: the operations.
        outputs: the results, values or Python numbers.
    """

    __slots__ = ("constants", "inputs", "nodes", "outputs")

    def __init__(
        self,
        inputs: Sequence[Value],
        constants: dict[Value, np.ndarray[Any, Any]],
        nodes: Sequence[Node],
        outputs: Sequence[Operand],
    ) -> None:
        self.inputs = tuple(inputs)
        self.constants = constants
        self.nodes = tuple(nodes)
        self.outputs = tuple(outputs)

    def run(self, *inputs: Any) -> tuple[Any, ...]:
        """Interpret the graph on Tensors and Python numbers, whatever watches them."""
        known: dict[Value, Any] = dict(zip(self.inputs, inputs, strict=True))
        for value, array in self.constants.items():
            known[value] = wrap(array, None)
        for node in self.nodes:
            args = tuple([known[x] if isinstance(x, Value) else x for x in node.operands])
            result = apply(node.op, args, node.params)
            known.update(zip(node.outputs, result if node.op.multi else (result,), strict=True))
        return tuple(known[y] if isinstance(y, Value) else wrap(y, None) for y in self.outputs)

    def avals(self) -> tuple[Aval, ...]:
        """Return shapes and dtypes of the outputs."""
        return tuple(
            y.aval if isinstance(y, Value) else Aval((), python_dtype(y), True)
            for y in self.outputs
        )

    def __str__(self) -> str:
        names: dict[Value, str] = {}

        def name(x: Operand) -> str:
            if not isinstance(x, Value):
                return repr(x)
            if x not in names:
                names[x] = f"%{len(names)}"
            return names[x]

        head = ", ".join(f"{name(x)}: {x.aval}" for x in self.inputs)
        lines = [f"graph({head}):"]
        for value, array in self.constants.items():
            shown = array.item() if array.size == 1 else "constant"
            lines.append(f"  {name(value)}: {value.aval} = {shown}")
        for node in self.nodes:
            outs = ", ".join(f"{name(y)}: {y.aval}" for y in node.outputs)
            params = f"[{', '.join(_shown(p) for p in node.params)}]" if node.params else ""
            args = ", ".join(name(x) for x in node.operands)
            lines.append(f"  {outs} = {node.op.name}{params} {args}")
        lines.append(f"  return {', '.join(name(y) for y in self.outputs)}")
        return "\n".join(lines)

    __repr__ = __str__


def _shown(param: Any) -> str:
    text = repr(param)
    return text if len(text) <= 60 else f"<{type(param).__name__}>"


def infer(op: Op, avals: Sequence[Aval], params: tuple[Any, ...]) -> tuple[Aval, ...]:
    """Return shapes and dtypes of the results of an operation."""
    if op.infer is None:
        hint = "give the operation an infer rule (lucid.extend)" + users_line()
        got = "one whose shape and dtype no rule tells"
        raise GraphError(message(op.name, "an operation that jit can trace", got, hint))
    found = op.infer(*avals, *params)
    outs: tuple[Aval, ...] = tuple(found) if op.multi else (found,)
    if op.weak and avals and all(a.weak for a in avals):
        outs = tuple(Aval((), python_dtype(_one(a.dtype)), True) for a in outs)
    return tuple(Aval(tuple(a.shape), np.dtype(a.dtype), a.weak) for a in outs)


def _one(dtype: np.dtype[Any]) -> bool | int | float | complex:
    return {"b": True, "i": 1, "u": 1, "f": 1.0, "c": 1j}[dtype.kind]


def typecheck(graph: Graph) -> None:
    """Raise unless every value is defined once, before its use, with the type its rule gives."""
    defined = {*graph.inputs, *graph.constants}
    for value, array in graph.constants.items():
        if (array.shape, array.dtype) != (value.aval.shape, value.aval.dtype):
            raise GraphError(message("graph", f"a constant {value.aval}", f"{array.dtype}"))
    for node in graph.nodes:
        for x in node.values():
            if x not in defined:
                raise GraphError(message("graph", "values defined before use", f"{node}"))
        avals = [x.aval if isinstance(x, Value) else number_aval(x) for x in node.operands]
        expected = infer(node.op, avals, node.params)
        got = tuple(y.aval for y in node.outputs)
        if expected != got:
            raise GraphError(message(node.op.name, f"results {expected}", f"{got}"))
        if not defined.isdisjoint(node.outputs):
            raise GraphError(message("graph", "each value defined once", f"{node}"))
        defined.update(node.outputs)
    for y in graph.outputs:
        if isinstance(y, Value) and y not in defined:
            raise GraphError(message("graph", "outputs that are defined", f"{y}"))


def number_aval(x: Any) -> Aval:
    """Return the abstract value of a Python number."""
    return Aval((), python_dtype(x), True)
