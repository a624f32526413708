"""Which operations are applied element by element in native code, and how with these operands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.elementwise_more import rare
from lucid.graph.native.formulas import (
    COMPARING,
    FLOAT,
    FLOATING,
    LOGICAL,
    SAME_KIND,
    SIGNED,
    TESTING,
    UNSIGNED,
    cast,
    maximum,
    minimum,
)
from lucid.graph.native.text import KINDS, Body

__all__ = [
    "ELEMENTWISE",
    "FLOAT",
    "FLOATING",
    "SIGNED",
    "cast",
    "compute_kind",
    "emit_node",
    "is_elementwise",
    "maximum",
    "minimum",
]

ELEMENTWISE = {**SAME_KIND, **FLOATING, **COMPARING, **TESTING, **LOGICAL}


def compute_kind(operands: Sequence[Any]) -> str:
    """Return the kind that NumPy's promotion gives operands, of which numbers are weak."""
    kinds = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
    strong = [x.aval.dtype for x in operands if isinstance(x, Value) and not x.aval.weak]
    weak = [kinds[x.aval.dtype.kind] for x in operands if isinstance(x, Value) and x.aval.weak]
    weak += [type(x) for x in operands if not isinstance(x, Value)]
    if not strong:
        return np.result_type(*[k(1) for k in weak]).char
    return np.result_type(*strong, *[k(1) for k in weak]).char


def is_elementwise(node: Node) -> bool:
    """Whether there is native code for this operation with these operands."""
    name = node.op.name
    out = node.outputs[0].aval.dtype.char
    kinds = [x.aval.dtype.char for x in node.values()]
    if out not in KINDS or any(k not in KINDS for k in kinds):
        return False
    if any(type(x) is complex for x in node.operands):
        return False
    if name == "astype":
        return True
    if name == "where":
        return _fit(node.operands[1:], out)
    if rare(node) is not None:
        return True
    if name == "round":
        return node.params in ((), (0,))
    if name == "pow_derivative":
        y, (_, k) = node.operands[1], node.params
        return out in FLOAT and k == 0 and isinstance(y, int | float)
    if name in COMPARING:
        return _representable(node)
    if name in TESTING:
        return all(k in FLOAT for k in kinds)
    if name in LOGICAL:
        return True
    if name in FLOATING:
        return out in FLOAT
    if name == "abs" and kinds[0] == "?":
        return False
    return name in SAME_KIND and _representable(node)


def _representable(node: Node) -> bool:
    """Whether what is computed in one kind is what NumPy computes."""
    kind = compute_kind(node.operands)
    whole = all(x.aval.dtype.kind in "iu" for x in node.values())
    if kind not in KINDS or (node.op.name in COMPARING and kind in FLOAT and whole):
        return False  # NumPy compares signed and unsigned numbers of 64 bits exactly
    return _fit(node.operands, kind)


def _fit(operands: Sequence[Any], kind: str) -> bool:
    """Whether every Python integer is sure to fit the kind (NumPy raises otherwise)."""
    if kind not in SIGNED + UNSIGNED:
        return True
    info = np.iinfo(kind)
    numbers = [x for x in operands if not isinstance(x, Value)]
    weak = any(isinstance(x, Value) and x.aval.weak and x.aval.dtype.kind == "i" for x in operands)
    return all(info.min <= x <= info.max for x in numbers) and (kind in "lq" or not weak)


def emit_node(b: Body, node: Node, args: Sequence[tuple[str, str]]) -> str:
    """Emit an operation; `args` are values with their kinds; numbers have kind "" and are raw."""
    name = node.op.name
    out = node.outputs[0].aval.dtype.char

    def take(i: int, kind: str) -> str:
        value, have = args[i]
        return b.const(node.operands[i], kind) if not have else cast(b, value, have, kind)

    if name == "where":
        return b.select(out, take(0, "?"), take(1, out), take(2, out))
    if name == "astype":
        return take(0, out)
    if (found := rare(node)) is not None:
        code, kind = found
        return code.emit(b, node, kind, [take(i, kind) for i in range(len(args))])
    if name == "round":
        x = take(0, out)
        return b.intrinsic("roundeven", out, [x]) if out in FLOAT else x
    if name == "pow":
        return _emit_power(b, node, out, take)
    if name == "pow_derivative":
        return _emit_slope(b, node, out, take)
    if name in LOGICAL:
        return LOGICAL[name](b, "?", [take(i, "?") for i in range(len(args))], ())
    if name in COMPARING:
        kind = compute_kind(node.operands)
        return COMPARING[name](b, kind, [take(i, kind) for i in range(len(args))], ())
    if name in TESTING:
        return TESTING[name](b, args[0][1], [args[0][0]], ())
    return ELEMENTWISE[name](b, out, [take(i, out) for i in range(len(args))], node.params)


def _emit_power(b: Body, node: Node, out: str, take: Callable[[int, str], str]) -> str:
    y = node.operands[1]
    x = take(0, out)
    if isinstance(y, int | float) and not isinstance(node.operands[0], int | float):
        if y == 2:
            return b.binary("fmul", out, x, x)
        if y == 3 and type(y) is int:
            return b.binary("fmul", out, b.binary("fmul", out, x, x), x)
        if y == 1:
            return x
        if y == 0.5:  # NumPy takes the root here, too
            return b.intrinsic("sqrt", out, [x])
        if y == -1:
            return b.binary("fdiv", out, b.const(1, out), x)
    return b.module.math(b, "pow", out, [x, take(1, out)])


def _emit_slope(b: Body, node: Node, out: str, take: Callable[[int, str], str]) -> str:
    """Emit y (y-1) … (y-n+1) x^(y-n) for a constant y."""
    y = node.operands[1]
    assert isinstance(y, int | float)
    n = node.params[0]
    factor = math.prod(y - k for k in range(n))
    if factor == 0:
        return b.const(0, out)
    rest = y - n
    x = take(0, out)
    if rest == 0:
        return b.const(factor, out)
    if rest == 1:
        value = x
    elif rest == 2:
        value = b.binary("fmul", out, x, x)
    elif rest == -0.5:
        value = b.binary("fdiv", out, b.const(1, out), b.intrinsic("sqrt", out, [x]))
    else:
        value = b.module.math(b, "pow", out, [x, b.const(rest, out)])
    return b.binary("fmul", out, b.const(factor, out), value)
