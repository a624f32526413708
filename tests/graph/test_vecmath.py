"""Vector mathematics: at most 4 ULP over the full range, special values exactly."""

from __future__ import annotations

import ctypes
import math
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special

llvm = pytest.importorskip("llvmlite.binding")
vecmath = pytest.importorskip("lucid.graph.native.vecmath")

LANES = {"f": 16, "d": 8}
TYPES = {"f": "float", "d": "double"}
EXACT = ("floor_divide", "fmod", "remainder")
INEXACT = sorted(set(vecmath.ARITY) - set(EXACT))
MP = mpmath.mp.clone()
MP.prec = 140


def sigmoid(x: np.ndarray) -> np.ndarray:
    z = np.exp(-np.abs(x))
    return np.where(x < 0, z, 1) / (1 + z)


def power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # long double's gives (-inf)**(-2**63) = inf
    doubles = np.power(x.astype(np.float64), y.astype(np.float64))
    return np.where(np.isinf(x), doubles, np.power(x, y))


# In NumPy for the wider type, and in mpmath.
REFERENCES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    **{
        name: (getattr(np, name), getattr(MP, name))
        for name in (
            *("exp", "expm1", "log", "log1p", "log10", "sin", "cos", "tan", "tanh", "sinh", "cosh"),
            *("asin", "acos", "atan", "asinh", "acosh", "atanh", "hypot", "atan2"),
        )
    },
    "exp2": (np.exp2, lambda x: MP.power(2, x)),
    "log2": (np.log2, lambda x: MP.log(x, 2)),
    "cbrt": (np.cbrt, lambda x: MP.sign(x) * MP.cbrt(abs(x))),
    "pow": (power, MP.power),
    "sigmoid": (sigmoid, lambda x: 1 / (1 + MP.exp(-x))),
    "erf": (scipy.special.erf, MP.erf),
    "erfc": (scipy.special.erfc, MP.erfc),
}


def loop(name: str, kind: str, lanes: int, symbol: str) -> str:
    """The text of a function `run` that maps `symbol` over arrays, a multiple of `lanes` long."""
    one = TYPES[kind]
    many = one if lanes == 1 else f"<{lanes} x {one}>"
    operands = range(vecmath.ARITY[name])
    lines = [f"define void @run(i64 %n, ptr %out{''.join(f', ptr %in{k}' for k in operands)}) {{"]
    lines += ["entry:", "  br label %loop", "loop:", "  %i = phi i64 [0, %entry], [%next, %loop]"]
    for k in operands:
        lines += [
            f"  %a{k} = getelementptr {one}, ptr %in{k}, i64 %i",
            f"  %x{k} = load {many}, ptr %a{k}, align 4",
        ]
    lines += [
        f"  %y = call {many} @{symbol}({', '.join(f'{many} %x{k}' for k in operands)})",
        f"  %b = getelementptr {one}, ptr %out, i64 %i",
        f"  store {many} %y, ptr %b, align 4",
        f"  %next = add i64 %i, {lanes}",
        "  %more = icmp slt i64 %next, %n",
        "  br i1 %more, label %loop, label %done",
        "done:",
        "  ret void",
        "}",
    ]
    return "\n".join(lines)


@cache
def function(name: str, kind: str, lanes: int, fma: bool, inline: bool) -> Callable[..., Any]:
    """A function of arrays, inlined into the loop or called from it."""
    if inline:
        symbol, text, declarations = vecmath.definition(name, kind, lanes, fma)
        parts = [*declarations, text]
    else:
        symbol, _ = vecmath.compiled(name, kind, lanes, fma)
        many = TYPES[kind] if lanes == 1 else f"<{lanes} x {TYPES[kind]}>"
        parts = [f"declare {many} @{symbol}({', '.join([many] * vecmath.ARITY[name])})"]
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly("\n".join([*parts, loop(name, kind, lanes, symbol)]))
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(llvm.get_host_cpu_name(), features, 1, jit=True)
    engine = llvm.create_mcjit_compiler(module, machine)
    address = engine.get_function_address("run")
    pointers = [ctypes.c_void_p] * (1 + vecmath.ARITY[name])
    run = ctypes.CFUNCTYPE(None, ctypes.c_int64, *pointers)(address)

    def call(*xs: np.ndarray) -> np.ndarray:
        assert engine is not None
        padded = [np.append(x, np.zeros(-x.size % lanes, x.dtype)) for x in xs]
        out = np.empty_like(padded[0])
        run(out.size, out.ctypes.data, *(x.ctypes.data for x in padded))
        return out[: xs[0].size]

    return call


def special(dtype: Any) -> np.ndarray:
    """Zeros, infinities, NaN, the ends of the formats, and where functions turn over."""
    info = np.finfo(dtype)
    ends = [info.smallest_subnormal, info.smallest_normal, info.max, info.eps]
    points = [0, math.inf, 0.5, 1, 2, 3, 10, 1000, math.pi / 4, math.pi / 2, math.pi, 1e-8]
    points += [709.78271289338397, 709.782712893384, 710.4758600739439, 745.13, 745.14, 708.4]
    points += [88.72283, 88.72284, 89.41598, 103.97, 103.98, 87.33, 1024, 1075, 128, 149, 150]
    points += [6.0, 26.5, 27.23, 9.2, 10.06, 2.0**16, 2.0**40, 2.0**28, 2.0**63, 1e22, 1e30]
    x = np.array([*ends, *points, math.pi * 1e5, np.sqrt(0.5), np.sqrt(2)], dtype)
    with np.errstate(over="ignore"):
        x = np.concatenate([x, np.nextafter(x, dtype(0)), np.nextafter(x, dtype(math.inf))])
    return np.concatenate([x, -x, np.array([math.nan], dtype)])


def samples(n: int, dtype: Any, seed: int) -> np.ndarray:
    """Random bits, ordinary numbers, near multiples of pi/2, near one, small and tiny."""
    rng = np.random.default_rng(seed)
    word = np.dtype(f"i{np.dtype(dtype).itemsize}")
    limit = np.iinfo(word)
    m = n // 5
    bits = rng.integers(limit.min, limit.max, m, word, endpoint=True).view(dtype)
    plain = rng.standard_normal(m) * np.exp(rng.uniform(-3, 7, m))
    turns = (rng.integers(-(10**6), 10**6, m) * (np.pi / 2)).astype(dtype)
    turns = (turns.view(word) + rng.integers(-2, 3, m, word)).view(dtype)
    one = (1 + rng.standard_normal(m) * 2.0 ** rng.uniform(-52, 0, m)) * rng.choice([-1, 1], m)
    with np.errstate(under="ignore"):
        small = rng.standard_normal(m) * 2.0 ** rng.uniform(np.log2(limit.max) * -17, 0, m)
        parts = [bits, plain.astype(dtype), turns, one.astype(dtype), small.astype(dtype)]
    return np.concatenate(parts)


def operands(name: str, n: int, dtype: Any) -> list[np.ndarray]:
    """Operands with every special value; of two, every pair of them, and powers within range."""
    seed = zlib.crc32(name.encode())
    edges, x = special(dtype), samples(n, dtype, seed)
    if vecmath.ARITY[name] == 1:
        return [np.concatenate([edges, x])]
    y = np.random.default_rng(seed).permutation(samples(n, dtype, seed + 1))
    pairs = [grid.ravel() for grid in np.meshgrid(edges, edges)]
    with np.errstate(all="ignore"):
        base = np.exp(np.clip(x, -600, 600)).astype(dtype)
        scale = np.log(np.finfo(dtype).max) / np.abs(np.log(base.astype(np.float64)))
        exponent = (np.random.default_rng(seed).uniform(-1.1, 1.1, base.size) * scale).astype(dtype)
    return [
        np.concatenate([pairs[0], x, base, -base]),
        np.concatenate([pairs[1], y, exponent, np.round(exponent)]),
    ]


def ulps(value: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The error in units of the last place of the reference; infinite where a kind is wrong."""
    info = np.finfo(value.dtype)
    wide = value.astype(reference.dtype)
    kind = (np.isnan(wide) != np.isnan(reference)) | (
        (np.signbit(wide) != np.signbit(reference)) & ~np.isnan(reference)
    )
    kind |= np.isinf(reference) & (wide != reference)
    # Beyond the greatest number lies, one unit further, infinity.
    end = np.ldexp(reference.dtype.type(1), info.maxexp)
    wide, clipped = np.clip(wide, -end, end), np.clip(reference, -end, end)
    exponent = np.clip(np.frexp(clipped)[1] - 1, info.minexp, info.maxexp - 1)
    unit = np.ldexp(reference.dtype.type(1), exponent - info.nmant)
    return np.where(kind, math.inf, np.where(np.isnan(wide), 0, np.abs(wide - clipped) / unit))


def check(name: str, xs: list[np.ndarray], value: np.ndarray, reference: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        error = ulps(value, reference)
    k = int(np.argmax(error))
    place = f"{name}{tuple(x[k] for x in xs)} = {value[k]}, not {reference[k]}"
    assert error[k] <= 4, f"{place}: {error[k]} ULP"


@pytest.mark.parametrize("fma", [True, False])
@pytest.mark.parametrize("name", INEXACT)
def test_single_precision(name: str, fma: bool) -> None:
    xs = operands(name, 20_000, np.float32)
    value = function(name, "f", LANES["f"], fma, inline=not fma)(*xs)
    with np.errstate(all="ignore"):
        reference = REFERENCES[name][0](*(x.astype(np.float64) for x in xs))
    check(name, xs, value, reference)


@pytest.mark.parametrize("fma", [True, False])
@pytest.mark.parametrize("name", INEXACT)
def test_double_precision(name: str, fma: bool) -> None:
    wide = np.longdouble if np.finfo(np.longdouble).nmant > 60 else np.float64
    if name in ("erf", "erfc"):
        wide = np.float64  # SciPy's: their kinds; mpmath gives the digits
    xs = operands(name, 20_000, np.float64)
    value = function(name, "d", LANES["d"], fma, inline=not fma)(*xs)
    with np.errstate(all="ignore"):
        reference = REFERENCES[name][0](*(x.astype(wide) for x in xs))
        if wide is np.float64:  # no measure of digits, but of NaN, infinities and signs
            error = ulps(value, reference)
            assert not np.isinf(error).any(), [x[np.isinf(error)] for x in xs]
        else:
            check(name, xs, value, reference)


@pytest.mark.parametrize("name", INEXACT)
def test_double_precision_against_mpmath(name: str) -> None:
    n = 20_000 if name in ("erf", "erfc") else 1_500
    xs = operands(name, n, np.float64)
    if name in ("erf", "erfc"):
        xs[0][-n // 2 :] = np.random.default_rng(0).uniform(-6, 27.3, n // 2)
    values = [function(name, "d", LANES["d"], fma, inline=fma)(*xs) for fma in (True, False)]
    with np.errstate(all="ignore"):
        known = REFERENCES[name][0](*xs)
        plain = [np.isfinite(x) & (x != 0) for x in (*xs, known, values[0])]
    chosen = np.flatnonzero(np.all(plain, 0))
    for k in chosen[:: 1 + len(chosen) // n]:
        exact = REFERENCES[name][1](*(MP.mpf(float(x[k])) for x in xs))
        unit = MP.ldexp(1, max(MP.frexp(exact)[1] - 1, -1022) - 52)
        for value in values:
            error = abs(MP.mpf(float(value[k])) - exact) / unit
            assert error <= 4, f"{name}{tuple(x[k] for x in xs)} = {value[k]}: {float(error)} ULP"


@pytest.mark.parametrize("fma", [True, False])
@pytest.mark.parametrize("kind", ["f", "d"])
@pytest.mark.parametrize("name", EXACT)
def test_remainders_are_numpys(name: str, kind: str, fma: bool) -> None:
    xs = operands(name, 20_000, np.dtype(kind).type)
    value = function(name, kind, LANES[kind], fma, inline=not fma)(*xs)
    with np.errstate(all="ignore"):
        reference = getattr(np, name)(*xs)
    np.testing.assert_array_equal(value, reference)
    known = ~np.isnan(reference)
    np.testing.assert_array_equal(np.signbit(value[known]), np.signbit(reference[known]))


@pytest.mark.parametrize("kind", ["f", "d"])
@pytest.mark.parametrize("name", ["exp", "sin", "tanh", "pow", "remainder"])
def test_one_lane_and_many_inlined_and_called_give_the_same_bits(name: str, kind: str) -> None:
    xs = operands(name, 20_000, np.dtype(kind).type)
    many = function(name, kind, LANES[kind], True, inline=True)(*xs)
    for lanes, inline in ((1, True), (1, False), (4, False), (LANES[kind], False)):
        other = function(name, kind, lanes, True, inline=inline)(*xs)
        np.testing.assert_array_equal(many, other)
        np.testing.assert_array_equal(np.signbit(many), np.signbit(other))


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        ("exp2", 10.0, 1024.0),
        ("log2", 2.0**-1074, -1074.0),
        ("log10", 1000.0, 3.0),
        ("cbrt", 27.0, 3.0),
        ("cos", 0.0, 1.0),
        ("exp", 0.0, 1.0),
        ("acos", 1.0, 0.0),
        ("sigmoid", 0.0, 0.5),
        ("tanh", 40.0, 1.0),
        ("erf", 6.0, 1.0),
    ],
)
def test_round_values(name: str, x: float, value: float) -> None:
    assert function(name, "d", 1, True, inline=True)(np.array([x]))[0] == value
