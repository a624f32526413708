"""Native code of single operations on numbers, in any number of lanes, and NumPy's casts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.native.text import KINDS, Body

__all__ = [
    "COMPARING",
    "FLOAT",
    "FLOATING",
    "LOGICAL",
    "SAME_KIND",
    "SIGNED",
    "TESTING",
    "UNSIGNED",
    "cast",
    "maximum",
    "minimum",
]

FLOAT = "fd"
SIGNED = "bhilq"
UNSIGNED = "BHILQ"
Emit = Callable[[Body, str, Sequence[str], tuple[Any, ...]], str]


def cast(b: Body, x: str, old: str, new: str) -> str:
    """Convert as NumPy does."""
    if old == new or (KINDS[old] == KINDS[new] != "i1" and old not in FLOAT):
        return x
    s, t = b.type(old), b.type(new)
    if new == "?":
        zero = b.const(0, old)
        return b.compare("une" if old in FLOAT else "ne", old, x, zero)
    if old == "?":
        return b.put(f"{'uitofp' if new in FLOAT else 'zext'} {s} {x} to {t}")
    if old in FLOAT and new in FLOAT:
        return b.put(f"{'fpext' if new == 'd' else 'fptrunc'} {s} {x} to {t}")
    if old in FLOAT:
        return _whole(b, x, old, new)
    if new in FLOAT:
        return b.put(f"{'sitofp' if old in SIGNED else 'uitofp'} {s} {x} to {t}")
    wide, have = np.dtype(new).itemsize, np.dtype(old).itemsize
    if wide < have:
        return b.put(f"trunc {s} {x} to {t}")
    return b.put(f"{'sext' if old in SIGNED else 'zext'} {s} {x} to {t}")


def _whole(b: Body, x: str, old: str, new: str) -> str:
    """Return the whole part; out of range what NumPy gives: the low bits of a longer integer."""
    s, size = b.type(old), np.dtype(new).itemsize
    if size < 4 or (size == 4 and new in UNSIGNED):
        wide = "i" if size < 4 else "l"
        value = b.put(f"fptosi {s} {x} to {b.type(wide)}")
        return b.put(f"trunc {b.type(wide)} {value} to {b.type(new)}")
    near = b.put(f"fptosi {s} {x} to {b.type(new)}")
    if new in SIGNED:
        return near
    half = b.const(2.0**63, old)
    far = b.put(f"fptosi {s} {b.binary('fsub', old, x, half)} to {b.type(new)}")
    far = b.binary("xor", new, far, b.const(1 << 63, new))
    return b.select(new, b.compare("oge", old, x, half), far, near)


def _arith(real: str, whole: str, truth: str | None = None) -> Emit:
    def emit(b: Body, kind: str, args: Sequence[str], params: tuple[Any, ...]) -> str:
        op = real if kind in FLOAT else truth if kind == "?" else whole
        assert op is not None
        return b.binary(op, kind, args[0], args[1])

    return emit


def _compare(real: str, signed: str, unsigned: str) -> Emit:
    def emit(b: Body, kind: str, args: Sequence[str], params: tuple[Any, ...]) -> str:
        predicate = real if kind in FLOAT else signed if kind in SIGNED else unsigned
        return b.compare(predicate, kind, args[0], args[1])

    return emit


def _math(name: str) -> Emit:
    return lambda b, kind, args, params: b.module.math(b, name, kind, list(args))


def _intrinsic(name: str, whole: str | None = None) -> Emit:
    def emit(b: Body, kind: str, args: Sequence[str], params: tuple[Any, ...]) -> str:
        if kind in FLOAT:
            return b.intrinsic(name, kind, list(args))
        return args[0]  # whole numbers are rounded already

    return emit


def isnan(b: Body, kind: str, x: str) -> str:
    """Return where a value is NaN."""
    return b.compare("uno", kind, x, x)


def maximum(b: Body, kind: str, args: Sequence[str], params: Any = ()) -> str:
    """NumPy's maximum: NaN if either is."""
    return _extreme(b, kind, args, "oge", "sge", "uge")


def minimum(b: Body, kind: str, args: Sequence[str], params: Any = ()) -> str:
    """NumPy's minimum: NaN if either is."""
    return _extreme(b, kind, args, "ole", "sle", "ule")


def _extreme(b: Body, kind: str, args: Sequence[str], real: str, signed: str, other: str) -> str:
    x, y = args
    if kind in FLOAT:  # ordered and not below, or NaN: the unordered opposite, turned round
        first = b.put(f"or {b.type('?')} {b.compare(real, kind, x, y)}, {isnan(b, kind, x)}")
    else:
        first = b.compare(signed if kind in SIGNED else other, kind, x, y)
    return b.select(kind, first, x, y)


def _clip(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return minimum(b, kind, (maximum(b, kind, args[:2]), args[2]))


def _fmax(real: str, signed: str, other: str) -> Emit:
    def emit(b: Body, kind: str, args: Sequence[str], params: tuple[Any, ...]) -> str:
        x, y = args
        if kind not in FLOAT:
            return _extreme(b, kind, args, real, signed, other)
        first = b.put(f"or {b.type('?')} {b.compare(real, kind, x, y)}, {isnan(b, kind, y)}")
        return b.select(kind, first, x, y)

    return emit


def _negative(b: Body, kind: str, args: Sequence[str], params: Any = ()) -> str:
    if kind in FLOAT:
        return b.put(f"fneg {b.type(kind)} {args[0]}")
    return b.binary("sub", kind, b.const(0, kind), args[0])


def absolute(b: Body, kind: str, args: Sequence[str], params: Any = ()) -> str:
    """Return the absolute value; of the least whole number, itself."""
    if kind in FLOAT:
        return b.intrinsic("fabs", kind, [args[0]])
    if kind in SIGNED:
        return b.intrinsic("abs", kind, [args[0]], ", i1 false")
    return args[0]


def _sign(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    (x,) = args
    zero, one = b.const(0, kind), b.const(1, kind)
    if kind not in FLOAT and kind not in SIGNED:
        return b.select(kind, b.compare("ne", kind, x, zero), one, zero)
    real = kind in FLOAT
    up = b.select(kind, b.compare("ogt" if real else "sgt", kind, x, zero), one, zero)
    down = b.compare("olt" if real else "slt", kind, x, zero)
    value = b.select(kind, down, b.const(-1, kind), up)
    return b.select(kind, isnan(b, kind, x), x, value) if real else value


def _square(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return _MULTIPLY(b, kind, (args[0], args[0]), ())


def _reciprocal(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return b.binary("fdiv", kind, b.const(1, kind), args[0])


def _relu(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return maximum(b, kind, (b.const(0, kind), args[0]))  # of equal ones the first: +0


def _positive(b: Body, kind: str, x: str) -> str:
    predicate = "ogt" if kind in FLOAT else "sgt" if kind in SIGNED else "ugt"
    return b.compare(predicate, kind, x, b.const(0, kind))


def _keep_positive(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    x, y = args
    return b.select(kind, _positive(b, kind, y), x, b.const(0, kind))


def _leaky(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    x, slope = args
    return b.select(kind, _positive(b, kind, x), x, _MULTIPLY(b, kind, (x, slope), ()))


def _elu(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    x, alpha = args
    low = b.module.math(b, "expm1", kind, [minimum(b, kind, (b.const(0, kind), x))])
    return b.select(kind, _positive(b, kind, x), x, b.binary("fmul", kind, alpha, low))


def _softplus(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    (x,) = args
    far = _negative(b, kind, (absolute(b, kind, (x,)),))
    tail = b.module.math(b, "log1p", kind, [b.module.math(b, "exp", kind, [far])])
    return b.binary("fadd", kind, tail, maximum(b, kind, (x, b.const(0, kind))))


def _normal_cdf(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    scaled = b.binary("fmul", kind, args[0], b.const(-math.sqrt(0.5), kind))
    tail = b.module.math(b, "erfc", kind, [scaled])
    return b.binary("fmul", kind, b.const(0.5, kind), tail)


def _gelu(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return b.binary("fmul", kind, args[0], _normal_cdf(b, kind, args, params))


def _logaddexp(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    x, y = args
    top = maximum(b, kind, (x, y))
    far = b.binary("fsub", kind, x, y)
    low = _negative(b, kind, (absolute(b, kind, (far,)),))
    tail = b.module.math(b, "log1p", kind, [b.module.math(b, "exp", kind, [low])])
    value = b.binary("fadd", kind, top, tail)
    same = b.compare("oeq", kind, x, y)  # infinities that cancel give NaN otherwise
    twice = b.binary("fadd", kind, x, b.const(math.log(2), kind))
    return b.select(kind, same, twice, value)


def _scaled_difference(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    c, x, y = args
    return b.binary("fmul", kind, c, b.binary("fsub", kind, x, y))


def _ratio(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    x, size = args
    zero = b.const(0, kind)
    empty = b.compare("oeq", kind, size, zero)
    return b.select(kind, empty, zero, b.binary("fdiv", kind, x, size))


def _weighted(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    weight, slope = args
    zero = b.const(0, kind)
    nothing = b.compare("oeq", kind, weight, zero)
    return b.select(kind, nothing, zero, b.binary("fmul", kind, weight, slope))


def _isinf(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return b.compare("oeq", kind, absolute(b, kind, args), b.const(math.inf, kind))


def _isfinite(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return b.compare("one", kind, absolute(b, kind, args), b.const(math.inf, kind))


def _not(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return b.binary("xor", kind, args[0], b.const(True if kind == "?" else -1, kind))


def _logical(op: str) -> Emit:
    return lambda b, kind, args, params: b.binary(op, "?", args[0], args[1])


def _copysign(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return b.intrinsic("copysign", kind, list(args))


def _times(factor: float) -> Emit:
    return lambda b, kind, args, params: b.binary("fmul", kind, args[0], b.const(factor, kind))


def _same(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return args[0]


def _power(b: Body, kind: str, args: Sequence[str], params: Any) -> str:
    return b.module.math(b, "pow", kind, list(args))


_MULTIPLY = _arith("fmul", "mul", "and")

# Operations whose operands and result have one kind, that of the result.
SAME_KIND: dict[str, Emit] = {
    "add": _arith("fadd", "add", "or"),
    "subtract": _arith("fsub", "sub"),
    "multiply": _MULTIPLY,
    "negative": _negative,
    "positive": _same,
    "stop_gradient": _same,
    "materialise": _same,
    "conj": _same,
    "real": _same,
    "square": _square,
    "maximum": maximum,
    "minimum": minimum,
    "clip_lower": maximum,
    "clip_upper": minimum,
    "clip": _clip,
    "fmax": _fmax("oge", "sge", "uge"),
    "fmin": _fmax("ole", "sle", "ule"),
    "abs": absolute,
    "sign": _sign,
    "relu": _relu,
    "keep_positive": _keep_positive,
    "leaky_relu": _leaky,
    "floor": _intrinsic("floor"),
    "ceil": _intrinsic("ceil"),
    "trunc": _intrinsic("trunc"),
    "bitwise_and": _arith("", "and", "and"),
    "bitwise_or": _arith("", "or", "or"),
    "bitwise_xor": _arith("", "xor", "xor"),
    "bitwise_invert": _not,
}
# The same, of floating numbers alone.
FLOATING: dict[str, Emit] = {
    "divide": _arith("fdiv", ""),
    "reciprocal": _reciprocal,
    "sqrt": _intrinsic("sqrt"),
    "elu": _elu,
    "softplus": _softplus,
    "normal_cdf": _normal_cdf,
    "gelu": _gelu,
    "logaddexp": _logaddexp,
    "scaled_difference": _scaled_difference,
    "ratio": _ratio,
    "pow_weighted": _weighted,
    "copysign": _copysign,
    "deg2rad": _times(math.pi / 180),
    "rad2deg": _times(180 / math.pi),
    "pow": _power,
    "special.expit": _math("sigmoid"),
    "special.ndtr": _normal_cdf,
    **{
        name: _math(name)
        for name in (
            *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan"),
            *("tanh", "sinh", "cosh", "asin", "acos", "atan", "atan2", "asinh", "acosh"),
            *("atanh", "erf", "erfc", "sigmoid", "cbrt", "hypot"),
        )
    },
}
# Operands of one kind, that of their promotion; the result is a truth value.
COMPARING: dict[str, Emit] = {
    "equal": _compare("oeq", "eq", "eq"),
    "not_equal": _compare("une", "ne", "ne"),
    "less": _compare("olt", "slt", "ult"),
    "less_equal": _compare("ole", "sle", "ule"),
    "greater": _compare("ogt", "sgt", "ugt"),
    "greater_equal": _compare("oge", "sge", "uge"),
}
TESTING: dict[str, Emit] = {
    "isnan": lambda b, kind, args, params: isnan(b, kind, args[0]),
    "isinf": _isinf,
    "isfinite": _isfinite,
}
LOGICAL: dict[str, Emit] = {
    "logical_and": _logical("and"),
    "logical_or": _logical("or"),
    "logical_xor": _logical("xor"),
    "logical_not": _not,
}
