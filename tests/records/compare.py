from __future__ import annotations

from typing import Any

import numpy as np

import lucid
from tests.record import ALL, BOOL, INTEGER, REAL, Record, integers

ORDERED = REAL + INTEGER + BOOL
WHOLE = INTEGER + BOOL


def ties(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Few different numbers, so that many are equal."""
    return rng.integers(0, 3, shape).astype(dtype)


def strange(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers, infinities and NaN."""
    if dtype.kind not in "fc":
        return ties(rng, shape, dtype)
    return rng.choice([0.0, -0.0, 1.5, np.inf, -np.inf, np.nan], shape).astype(dtype)


PAIR = (ties, ties)

RECORDS = [
    Record("equal", lucid.equal, np.equal, domains=PAIR, dtypes=ALL, diff=()),
    Record(
        "equal", lambda x: lucid.equal(x, 1), lambda x: x == 1, domains=(ties,), diff=(), id="1"
    ),
    Record("not_equal", lucid.not_equal, np.not_equal, domains=PAIR, dtypes=ALL, diff=()),
    Record("less", lucid.less, np.less, domains=PAIR, dtypes=ORDERED, diff=()),
    Record("less_equal", lucid.less_equal, np.less_equal, domains=PAIR, dtypes=ORDERED, diff=()),
    Record("greater", lucid.greater, np.greater, domains=PAIR, dtypes=ORDERED, diff=()),
    Record(
        "greater_equal",
        lucid.greater_equal,
        np.greater_equal,
        domains=PAIR,
        dtypes=ORDERED,
        diff=(),
    ),
    Record("isnan", lucid.isnan, np.isnan, domains=(strange,), dtypes=ALL, diff=()),
    Record("isinf", lucid.isinf, np.isinf, domains=(strange,), dtypes=ALL, diff=()),
    Record("isfinite", lucid.isfinite, np.isfinite, domains=(strange,), dtypes=ALL, diff=()),
    Record("logical_and", lucid.logical_and, np.logical_and, domains=PAIR, dtypes=ALL, diff=()),
    Record("logical_or", lucid.logical_or, np.logical_or, domains=PAIR, dtypes=ALL, diff=()),
    Record("logical_xor", lucid.logical_xor, np.logical_xor, domains=PAIR, dtypes=ALL, diff=()),
    Record("logical_not", lucid.logical_not, np.logical_not, domains=(ties,), dtypes=ALL, diff=()),
    Record(
        "bitwise_and", lucid.bitwise_and, np.bitwise_and, domains=((0, 9), (0, 9)), dtypes=WHOLE
    ),
    Record("bitwise_or", lucid.bitwise_or, np.bitwise_or, domains=((0, 9), (0, 9)), dtypes=WHOLE),
    Record(
        "bitwise_xor", lucid.bitwise_xor, np.bitwise_xor, domains=((0, 9), (0, 9)), dtypes=WHOLE
    ),
    Record("bitwise_invert", lucid.bitwise_invert, np.invert, domains=((0, 9),), dtypes=WHOLE),
    Record(
        "bitwise_left_shift",
        lucid.bitwise_left_shift,
        np.left_shift,
        domains=((0, 9), (0, 3)),
        dtypes=INTEGER,
    ),
    Record(
        "bitwise_right_shift",
        lucid.bitwise_right_shift,
        np.right_shift,
        domains=(integers(-99, 99), (0, 3)),
        dtypes=INTEGER,
    ),
]
