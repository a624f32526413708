"""What the rules of the ONNX export write with: nodes, constants and casts of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid._lazy import onnx
from lucid.core.op import Aval
from lucid.errors import UnsupportedError, message
from lucid.graph.ir import Node, Operand, Value, number_aval

__all__ = ["RULES", "Writer", "refuse", "rule"]

Rule = Callable[["Writer", Node], "str | list[str]"]
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register how operations are written."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


def refuse(node: Node, why: str) -> UnsupportedError:
    """Return the error for a use of an operation that ONNX cannot say."""
    want = f"an operation that ONNX has, instead of {node.op.name!r}"
    return UnsupportedError(message("export_onnx", want, why))


class Writer:
    """An ONNX graph in the making. Values are spoken of by their names."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.names: dict[Value, str] = {}
        self._constants: dict[Any, str] = {}
        self._count = 0

    def fresh(self) -> str:
        """Return a name that no value has."""
        self._count += 1
        return f"_{self._count}"

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node, and return the name of its result."""
        out = self.fresh()
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Return the name of a constant."""
        array = np.asarray(value, dtype)
        key = (array.dtype, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.fresh()
            self.initializer(self._constants[key], array)
        return self._constants[key]

    def integers(self, values: Sequence[int]) -> str:
        """Return the name of a vector of int64, as axes, shapes and places are given."""
        return self.constant(np.array(values, np.int64).reshape(-1))

    def initializer(self, name: str, array: Any) -> None:
        """Give an array a name."""
        self.initializers.append(
            onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        )

    def cast(self, name: str, old: Any, new: Any) -> str:
        """Return a value with another dtype."""
        if np.dtype(old) == np.dtype(new):
            return name
        code = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(new))
        return self.node("Cast", name, to=code)

    def operand(self, x: Operand, dtype: Any = None) -> str:
        """Return the name of an operand, converted to a dtype."""
        if not isinstance(x, Value):
            return self.constant(x, number_aval(x).dtype if dtype is None else dtype)
        name = self.names[x]
        return name if dtype is None else self.cast(name, x.aval.dtype, dtype)

    def operands(self, node: Node, dtype: Any = None) -> list[str]:
        """Return the names of all operands, converted to the dtype of the result or this one."""
        want = node.outputs[0].aval.dtype if dtype is None else dtype
        return [self.operand(x, want) for x in node.operands]

    def reshape(self, name: str, shape: Sequence[int]) -> str:
        """Return a value with another shape."""
        return self.node("Reshape", name, self.integers(shape), allowzero=1)

    def reduce(self, kind: str, name: str, axes: Sequence[int], keepdims: bool) -> str:
        """Return a value reduced over axes."""
        if not axes:
            return name
        return self.node(kind, name, self.integers(axes), keepdims=int(keepdims))

    def move(self, name: str, ndim: int, length: int, old: int, new: int) -> str:
        """Move a block of `length` axes from place `old` to `new`, counted without the block."""
        if old == new or not length:
            return name
        rest = [k for k in range(ndim) if not old <= k < old + length]
        block = range(old, old + length)
        return self.node("Transpose", name, perm=[*rest[:new], *block, *rest[new:]])


def avals(node: Node) -> list[Aval]:
    """Return shapes and dtypes of the operands."""
    return [x.aval if isinstance(x, Value) else number_aval(x) for x in node.operands]
