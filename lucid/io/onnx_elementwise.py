"""How the ONNX export writes what works entry by entry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.io.onnx_writer import Writer, refuse, rule

__all__ = ["common"]

_ONE = {
    **{n: n.capitalize() for n in ("abs", "acos", "acosh", "asin", "asinh", "atan", "atanh")},
    **{n: n.capitalize() for n in ("ceil", "cos", "cosh", "erf", "exp", "floor", "log", "relu")},
    **{n: n.capitalize() for n in ("round", "sigmoid", "sign", "sin", "sinh", "softplus", "sqrt")},
    **{n: n.capitalize() for n in ("tan", "tanh", "reciprocal")},
    **dict.fromkeys(("positive", "stop_gradient", "untape", "materialise"), "Identity"),
    "negative": "Neg",
    "special.expit": "Sigmoid",
}
_TWO = {
    **dict.fromkeys(("maximum", "clip_lower"), "Max"),
    **dict.fromkeys(("minimum", "clip_upper"), "Min"),
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "pow": "Pow",
}
_COMPARE = {
    "equal": "Equal",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "less_equal": "LessOrEqual",
}
_LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}


def common(node: Node) -> np.dtype[Any]:
    """Return the dtype in which operands meet."""
    given = [x.aval.dtype for x in node.operands if isinstance(x, Value) and not x.aval.weak]
    numbers = [x for x in node.operands if not isinstance(x, Value)]
    return np.result_type(*given, *numbers)


@rule(*_ONE)
def _one(w: Writer, node: Node) -> str:
    return w.node(_ONE[node.op.name], *w.operands(node))


@rule(*_TWO)
def _two(w: Writer, node: Node) -> str:
    dtype = node.outputs[0].aval.dtype
    if dtype.kind == "b":
        raise refuse(node, "one of booleans")
    return w.node(_TWO[node.op.name], *w.operands(node))


@rule(*_COMPARE, "not_equal")
def _compare(w: Writer, node: Node) -> str:
    dtype = common(node)
    if dtype.kind == "b" and node.op.name not in ("equal", "not_equal"):
        dtype = np.dtype(np.int32)
    names = w.operands(node, dtype)
    if node.op.name == "not_equal":
        return w.node("Not", w.node("Equal", *names))
    return w.node(_COMPARE[node.op.name], *names)


@rule(*_LOGIC)
def _logic(w: Writer, node: Node) -> str:
    return w.node(_LOGIC[node.op.name], *w.operands(node, bool))


@rule("logical_not")
def _not(w: Writer, node: Node) -> str:
    return w.node("Not", *w.operands(node, bool))


@rule("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert")
def _bits(w: Writer, node: Node) -> str:
    kind = node.op.name.removeprefix("bitwise_").capitalize()
    if node.outputs[0].aval.dtype.kind == "b":
        return w.node("Not" if kind == "Invert" else kind, *w.operands(node))
    return w.node("BitwiseNot" if kind == "Invert" else f"Bitwise{kind}", *w.operands(node))


@rule("isnan", "isinf", "isfinite")
def _finite(w: Writer, node: Node) -> str:
    (x,) = node.operands
    floating = not isinstance(x, Value) or x.aval.dtype.kind == "f"
    name = w.operand(x, None if floating else np.float32)
    if node.op.name != "isfinite":
        return w.node("IsNaN" if node.op.name == "isnan" else "IsInf", name)
    return w.node("Not", w.node("Or", w.node("IsNaN", name), w.node("IsInf", name)))


@rule("where")
def _where(w: Writer, node: Node) -> str:
    condition, x, y = node.operands
    dtype = node.outputs[0].aval.dtype
    return w.node("Where", w.operand(condition, bool), w.operand(x, dtype), w.operand(y, dtype))


@rule("clip")
def _clip(w: Writer, node: Node) -> str:
    x, low, high = w.operands(node)
    return w.node("Min", w.node("Max", x, low), high)


@rule("astype")
def _astype(w: Writer, node: Node) -> str:
    return w.operands(node)[0]


@rule("square", "exp2", "expm1", "log1p", "log2", "log10", "erfc", "normal_cdf", "gelu")
def _formula(w: Writer, node: Node) -> str:
    (x,), dtype = w.operands(node), node.outputs[0].aval.dtype

    def number(value: float) -> str:
        return w.constant(value, dtype)

    match node.op.name:
        case "square":
            return w.node("Mul", x, x)
        case "exp2":
            return w.node("Pow", number(2), x)
        case "expm1":
            return w.node("Sub", w.node("Exp", x), number(1))
        case "log1p":
            return w.node("Log", w.node("Add", x, number(1)))
        case "log2" | "log10":
            base = math.log(2 if node.op.name == "log2" else 10)
            return w.node("Div", w.node("Log", x), number(base))
        case "erfc":
            return w.node("Sub", number(1), w.node("Erf", x))
        case _:  # Φ(x) = (1 + erf(x/√2)) / 2, and x·Φ(x)
            inner = w.node("Erf", w.node("Mul", x, number(math.sqrt(0.5))))
            cdf = w.node("Mul", w.node("Add", inner, number(1)), number(0.5))
            return cdf if node.op.name == "normal_cdf" else w.node("Mul", x, cdf)


@rule("floor_divide", "remainder", "fmod")
def _division(w: Writer, node: Node) -> str:
    (x, y), kind = w.operands(node), node.outputs[0].aval.dtype.kind
    if node.op.name == "fmod":
        return w.node("Mod", x, y, fmod=1)
    if kind != "f":
        remainder = w.node("Mod", x, y)  # its sign is that of y, as in Python
        exact = w.node("Sub", x, remainder)
        return remainder if node.op.name == "remainder" else w.node("Div", exact, y)
    quotient = w.node("Floor", w.node("Div", x, y))
    if node.op.name == "floor_divide":
        return quotient
    return w.node("Sub", x, w.node("Mul", quotient, y))


@rule("elu", "leaky_relu")
def _slope(w: Writer, node: Node) -> str:
    x, alpha = node.operands
    dtype = node.outputs[0].aval.dtype
    if isinstance(alpha, Value):
        if node.op.name == "elu":
            raise refuse(node, "one with a slope that is an array")
        return w.node("PRelu", w.operand(x, dtype), w.operand(alpha, dtype))
    kind = "Elu" if node.op.name == "elu" else "LeakyRelu"
    return w.node(kind, w.operand(x, dtype), alpha=float(alpha.real))
