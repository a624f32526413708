"""Native code of rarer elementwise operations, each with the kind that it is computed in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native import cython_special
from lucid.graph.native.text import Body

__all__ = ["Rare", "rare"]

SIGNED, WHOLE, FLOAT = "bhilq", "bhilqBHILQ", "fd"


def rare(node: Node) -> tuple[Rare, str] | None:
    """Return the code of a rare operation, and the kind in which it takes its operands."""
    found = MORE.get(node.op.name, SPECIAL)
    kind = found.kind(node)
    return None if kind is None else (found, kind)


class Rare(NamedTuple):
    """One operation.

    Attributes:
        kind: returns the kind that the operands are taken in; None where there is no code.
        emit: of a body, the node, this kind and the operands.
    """

    kind: Callable[[Node], str | None]
    emit: Callable[[Body, Node, str, Sequence[str]], str]


def _own(node: Node) -> str | None:
    """The kind of the result, which Python integers among the operands fit."""
    kind = node.outputs[0].aval.dtype.char
    return kind if kind in FLOAT or (kind in WHOLE and _fits(node, kind)) else None


def _fits(node: Node, kind: str) -> bool:
    info = np.iinfo(kind)
    numbers = [x for x in node.operands if not isinstance(x, Value)]
    return all(isinstance(x, int) and info.min <= x <= info.max for x in numbers)


def _real(node: Node) -> str | None:
    kind = node.outputs[0].aval.dtype.char
    return kind if kind in FLOAT else None


def _whole(node: Node) -> str | None:
    kind = _own(node)
    return kind if kind is not None and kind in WHOLE else None


def _given(kinds: str) -> Callable[[Node], str | None]:
    def kind(node: Node) -> str | None:
        x = node.operands[0]
        return x.aval.dtype.char if isinstance(x, Value) and x.aval.dtype.char in kinds else None

    return kind


def _truth(answer: bool) -> Callable[[Body, Node, str, Sequence[str]], str]:
    return lambda b, node, kind, args: b.const(answer, "?")


# -- division --------------------------------------------------------------------------------------


def _divided(b: Body, kind: str, x: str, y: str) -> tuple[str, str, str]:
    """Return quotient and rest of integers, cut off, and where the divisor is zero.

    There, and for the least number by -1, which overflows, they are those by 1.
    """
    zero = b.compare("eq", kind, y, b.const(0, kind))
    safe = b.select(kind, zero, b.const(1, kind), y)
    sign = "s" if kind in SIGNED else "u"
    minus = ""
    if kind in SIGNED:
        minus = b.compare("eq", kind, y, b.const(-1, kind))
        safe = b.select(kind, minus, b.const(1, kind), safe)
    quotient = b.binary(f"{sign}div", kind, x, safe)
    rest = b.binary("sub", kind, x, b.binary("mul", kind, quotient, safe))
    if kind in SIGNED:
        negative = b.binary("sub", kind, b.const(0, kind), x)
        quotient = b.select(kind, minus, negative, quotient)
    return quotient, rest, zero


def _other_sign(b: Body, kind: str, rest: str, y: str) -> str:
    """Where a rest is not zero and has not the divisor's sign."""
    differ = b.compare("slt", kind, b.binary("xor", kind, rest, y), b.const(0, kind))
    some = b.compare("ne", kind, rest, b.const(0, kind))
    return b.binary("and", "?", differ, some)


def _floor_divide(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    x, y = args
    if kind in FLOAT:
        whole = b.module.math(b, "floor_divide", kind, [x, y])
        infinite = b.put(f"or {b.type('?')} {_infinite(b, kind, x)}, {_infinite(b, kind, y)}")
        ratio = b.intrinsic("floor", kind, [b.binary("fdiv", kind, x, y)])
        return b.select(kind, infinite, ratio, whole)
    quotient, rest, zero = _divided(b, kind, x, y)
    if kind in SIGNED:
        less = b.binary("sub", kind, quotient, b.const(1, kind))
        quotient = b.select(kind, _other_sign(b, kind, rest, y), less, quotient)
    return b.select(kind, zero, b.const(0, kind), quotient)


def _infinite(b: Body, kind: str, x: str) -> str:
    return b.compare("oeq", kind, b.intrinsic("fabs", kind, [x]), b.const(math.inf, kind))


def _remainder(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    x, y = args
    if kind in FLOAT:
        return b.module.math(b, "remainder", kind, [x, y])
    _, rest, zero = _divided(b, kind, x, y)
    if kind in SIGNED:
        more = b.binary("add", kind, rest, y)
        rest = b.select(kind, _other_sign(b, kind, rest, y), more, rest)
    return b.select(kind, zero, b.const(0, kind), rest)


def _fmod(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    x, y = args
    if kind in FLOAT:
        return b.module.math(b, "fmod", kind, [x, y])
    _, rest, zero = _divided(b, kind, x, y)
    return b.select(kind, zero, b.const(0, kind), rest)


# -- powers and bits -------------------------------------------------------------------------------


def _small_power(node: Node) -> str | None:
    """Whether this is a whole number to the power of a small constant."""
    y = node.operands[1]
    kind = node.outputs[0].aval.dtype.char
    small = type(y) is int and 0 <= y <= 64 and isinstance(node.operands[0], Value)
    return kind if small and kind in WHOLE and _fits(node, kind) else None


def _power(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    """Multiply, by repeated squaring; what overflows wraps around."""
    n = node.operands[1]
    assert type(n) is int
    total, square = b.const(1, kind), args[0]
    while n:
        if n & 1:
            total = b.binary("mul", kind, total, square)
        n >>= 1
        if n:
            square = b.binary("mul", kind, square, square)
    return total


def _shifted(left: bool) -> Callable[[Body, Node, str, Sequence[str]], str]:
    def emit(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
        x, y = args
        bits = 8 * np.dtype(kind).itemsize
        far = b.compare("uge", kind, y, b.const(bits, kind))
        safe = b.select(kind, far, b.const(0, kind), y)
        if left:
            return b.select(kind, far, b.const(0, kind), b.binary("shl", kind, x, safe))
        if kind in SIGNED:  # what is shifted out entirely leaves the sign
            safe = b.select(kind, far, b.const(bits - 1, kind), y)
            return b.binary("ashr", kind, x, safe)
        return b.select(kind, far, b.const(0, kind), b.binary("lshr", kind, x, safe))

    return emit


def _signbit(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    whole = {"f": "i", "d": "l"}[kind]
    bits = b.put(f"bitcast {b.type(kind)} {args[0]} to {b.type(whole)}")
    return b.compare("slt", whole, bits, b.const(0, whole))


def _nextafter(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    x, y = args
    whole = {"f": "i", "d": "l"}[kind]
    t, s = b.type(kind), b.type(whole)
    bits = b.put(f"bitcast {t} {x} to {s}")
    up = b.compare("ogt", kind, y, x)
    positive = b.compare("sge", whole, bits, b.const(0, whole))
    away = b.put(f"xor {b.type('?')} {up}, {positive}")  # towards zero
    step = b.select(whole, away, b.const(-1, whole), b.const(1, whole))
    moved = b.binary("add", whole, bits, step)
    found = b.put(f"bitcast {s} {moved} to {t}")
    least = b.const(float(np.finfo(kind).smallest_subnormal), kind)
    least = b.intrinsic("copysign", kind, [least, y])
    found = b.select(kind, b.compare("oeq", kind, x, b.const(0, kind)), least, found)
    found = b.select(kind, b.compare("oeq", kind, x, y), y, found)
    strange = b.compare("uno", kind, x, y)
    return b.select(kind, strange, b.binary("fadd", kind, x, y), found)


# -- others ----------------------------------------------------------------------------------------


def _heaviside(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    x, y = args
    zero = b.const(0, kind)
    side = b.select(kind, b.compare("ogt", kind, x, zero), b.const(1, kind), zero)
    value = b.select(kind, b.compare("oeq", kind, x, zero), y, side)
    return b.select(kind, b.compare("uno", kind, x, x), x, value)


def _angle(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    (x,) = args
    below = _signbit(b, node, kind, args)  # of -0.0, too
    value = b.select(kind, below, b.const(math.pi, kind), b.const(0, kind))
    return b.select(kind, b.compare("uno", kind, x, x), x, value)


def _round(b: Body, node: Node, kind: str, args: Sequence[str]) -> str:
    """Scale, round to even, and scale back, as NumPy does."""
    factor = b.const(10.0 ** abs(node.params[0]), kind)
    there, back = ("fmul", "fdiv") if node.params[0] > 0 else ("fdiv", "fmul")
    scaled = b.binary(there, kind, args[0], factor)
    return b.binary(back, kind, b.intrinsic("roundeven", kind, [scaled]), factor)


def _decimals(node: Node) -> str | None:
    return _real(node) if node.params and node.params[0] and abs(node.params[0]) < 23 else None


MORE: dict[str, Rare] = {
    "floor_divide": Rare(_own, _floor_divide),
    "remainder": Rare(_own, _remainder),
    "fmod": Rare(_own, _fmod),
    "pow": Rare(_small_power, _power),
    "bitwise_left_shift": Rare(_whole, _shifted(left=True)),
    "bitwise_right_shift": Rare(_whole, _shifted(left=False)),
    "signbit": Rare(_given(FLOAT), _signbit),
    "nextafter": Rare(_real, _nextafter),
    "heaviside": Rare(_real, _heaviside),
    "real_angle": Rare(_real, _angle),
    "round": Rare(_decimals, _round),
    "imag": Rare(_given(FLOAT + WHOLE + "?"), lambda b, node, kind, args: b.const(0, kind)),
    "isnan": Rare(_given(WHOLE + "?"), _truth(answer=False)),
    "isinf": Rare(_given(WHOLE + "?"), _truth(answer=False)),
    "isfinite": Rare(_given(WHOLE + "?"), _truth(answer=True)),
}
SPECIAL = Rare(cython_special.kind, cython_special.emit)
