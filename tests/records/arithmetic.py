from __future__ import annotations

from typing import Any

import numpy as np

import lucid
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from tests.record import ALL, BINARY, INEXACT, INTEGER, REAL, Record

NUMBERS = INEXACT + INTEGER
PLANE = ((-2.0, 2.0), (-2.0, 2.0))


def nonzero(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers of either sign that are far enough from zero to divide by."""
    if dtype.kind in "iu":
        return rng.integers(1, 5, shape).astype(dtype)
    size = rng.uniform(0.5, 2.0, shape)
    if dtype.kind == "c":
        size = size * np.exp(2j * np.pi * rng.random(shape))
    return np.asarray(size * rng.choice([-1, 1], shape), dtype)


def between_whole_numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers whose quotient by one near 1 keeps away from whole numbers."""
    return np.asarray(rng.integers(-4, 4, shape) + rng.uniform(0.3, 0.7, shape), dtype)


DIVISION = (between_whole_numbers, (0.95, 1.05))


def standard_floor_divide(x1: Any, x2: Any) -> Any:
    return np.floor(x1 / x2) if x1.dtype.kind == "f" else np.floor_divide(x1, x2)


RECORDS = [
    Record("add", lucid.add, np.add, domains=PLANE, dtypes=ALL),
    Record("add", lambda x: lucid.add(x, 2.5), lambda x: x + 2.5, id="right number"),
    Record("add", lambda x: lucid.add(x, x), lambda x: x + x, id="twice"),
    Record("subtract", lucid.subtract, np.subtract, domains=PLANE, dtypes=NUMBERS),
    Record("subtract", lambda x: lucid.subtract(2, x), lambda x: 2 - x, id="left number"),
    Record("multiply", lucid.multiply, np.multiply, domains=PLANE, dtypes=ALL),
    Record("multiply", lambda x: lucid.multiply(1.5, x), lambda x: 1.5 * x, id="left number"),
    Record("multiply", lambda x: lucid.multiply(x, 1 + 2j), lambda x: x * (1 + 2j), id="complex"),
    Record("multiply", lambda x: lucid.multiply(x, x), lambda x: x * x, id="twice"),
    Record("divide", lucid.divide, np.divide, domains=((-2.0, 2.0), nonzero), dtypes=NUMBERS),
    Record("divide", lambda x: lucid.divide(x, 3), lambda x: x / 3, id="right number"),
    Record(
        "divide",
        lambda x: lucid.divide(3, x),
        lambda x: 3 / x,
        domains=(nonzero,),
        id="left number",
    ),
    Record("negative", lucid.negative, np.negative, dtypes=NUMBERS),
    Record("positive", lucid.positive, np.positive, dtypes=NUMBERS),
    Record("reciprocal", lucid.reciprocal, np.reciprocal, domains=(nonzero,)),
    Record(
        "floor_divide",
        lucid.floor_divide,
        standard_floor_divide,
        domains=(nonzero, nonzero),
        dtypes=REAL + INTEGER,
        diff=(),
    ),
    Record("remainder", lucid.remainder, np.remainder, domains=DIVISION, dtypes=REAL),
    Record(
        "remainder", lambda x: lucid.remainder(x, 1.03), lambda x: x % 1.03, dtypes=REAL, id="n"
    ),
    Record(
        "remainder",
        lucid.remainder,
        np.remainder,
        domains=((-6, 6), nonzero),
        dtypes=INTEGER,
        diff=(),
        id="integer",
    ),
    Record("fmod", lucid.fmod, np.fmod, domains=DIVISION, dtypes=REAL),
    Record("square", lucid.square, np.square, dtypes=NUMBERS),
    Record("sqrt", lucid.sqrt, np.sqrt, domains=((0.2, 3.0),)),
    Record("cbrt", lucid.cbrt, np.cbrt, domains=(nonzero,), dtypes=REAL),
    Record("hypot", lucid.hypot, np.hypot, domains=(nonzero, (-2.0, 2.0)), dtypes=REAL),
    Record("pow", lucid.pow, np.power, domains=((0.3, 2.0), (-2.0, 3.0))),
    Record("pow", lucid.pow, np.power, domains=((0, 4), (0, 4)), dtypes=INTEGER, diff=(), id="int"),
    Record(
        "pow",
        lucid.pow,
        np.power,
        shapes=BINARY,
        domains=(nonzero, lambda rng, shape, dtype: rng.integers(-2, 4, shape)),
        dtypes=("float64", "complex128"),
        id="whole exponents",
    ),
    Record("pow", lambda x: lucid.pow(x, 3), lambda x: x**3, id="cube"),
    Record(
        "pow", lambda x: lucid.pow(x, -2), lambda x: x**-2, domains=(nonzero,), id="inverse square"
    ),
    Record("pow", lambda x: lucid.pow(x, 1.5), lambda x: x**1.5, domains=((0.3, 2.0),), id="1.5"),
    Record("pow", lambda x: lucid.pow(x, 1), lambda x: x**1, id="first"),
    Record("pow", lambda x: lucid.pow(2.5, x), lambda x: 2.5**x, id="number to the"),
    Record("pow", lambda x: lucid.pow(1 - 2j, x), lambda x: (1 - 2j) ** x, id="complex to the"),
    Record("square", lambda x: lucid.Tensor.__pow__(x, 2), lambda x: x**2, id="infix"),
    Record(
        "sqrt",
        lambda x: lucid.Tensor.__pow__(x, 0.5),
        lambda x: x**0.5,
        domains=((0.2, 3.0),),
        id="infix",
    ),
    Record("pow", lambda x: lucid.pow(x, x), lambda x: x**x, domains=((0.3, 2.0),), id="itself"),
    # what the derivatives of powers are made of
    *(
        Record(
            "pow_derivative",
            lambda x, y, n=n, k=k: bind(OPS["pow_derivative"], (x, y), (n, k)),
            reference,
            domains=((0.3, 2.0), (-2.0, 3.0)),
            id=f"{n} by base, {k} by exponent",
        )
        for n, k, reference in (
            (1, 0, lambda x, y: y * x ** (y - 1)),
            (0, 2, lambda x, y: x**y * np.log(x) ** 2),
            (1, 1, lambda x, y: x ** (y - 1) * (1 + y * np.log(x))),
            (2, 1, lambda x, y: x ** (y - 2) * (2 * y - 1 + y * (y - 1) * np.log(x))),
        )
    ),
    Record(
        "pow_weighted", lambda w, s: bind(OPS["pow_weighted"], (w, s)), np.multiply, domains=PLANE
    ),
]
