from __future__ import annotations

from typing import Any

import numpy as np

import lucid
from tests.record import ALL, INTEGER, REAL, Record, Sampler, booleans
from tests.records.compare import strange


def grid(offset: float) -> Sampler:
    """Numbers from a grid; those of two grids neither tie nor cross under a small step."""

    def sample(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        whole = rng.integers(0 if dtype.kind == "u" else -9, 9, shape)
        return np.asarray(whole if dtype.kind in "iu" else whole / 4 + offset, dtype)

    return sample


BOTH = (grid(0.0), grid(0.125))


def wide(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers that keep away from the limits -1 and 1."""
    return np.asarray(rng.choice([-1.7, -1.3, -0.6, 0.1, 0.8, 1.4], shape), dtype)


RECORDS = [
    Record(
        "where", lucid.where, np.where, domains=(booleans, (-2.0, 2.0), (-2.0, 2.0)), dtypes=ALL
    ),
    Record(
        "where",
        lambda c, x: lucid.where(c, x, 0.5),
        lambda c, x: np.where(c, x, 0.5),
        domains=(booleans, (-2.0, 2.0)),
        id="right number",
    ),
    Record(
        "where",
        lambda c, x: lucid.where(c, 2, x),
        lambda c, x: np.where(c, 2, x),
        domains=(booleans, (-2.0, 2.0)),
        id="left number",
    ),
    Record("maximum", lucid.maximum, np.maximum, domains=BOTH, dtypes=REAL + INTEGER),
    Record("minimum", lucid.minimum, np.minimum, domains=BOTH, dtypes=REAL + INTEGER),
    Record(
        "maximum",
        lambda x: lucid.maximum(x, 0.5),
        lambda x: np.maximum(x, 0.5),
        domains=(grid(0.125),),
        dtypes=REAL,
        id="n",
    ),
    Record(
        "minimum",
        lambda x: lucid.minimum(0.5, x),
        lambda x: np.minimum(0.5, x),
        domains=(grid(0.125),),
        dtypes=REAL,
        id="n",
    ),
    Record(
        "maximum", lambda x: lucid.maximum(x, x), lambda x: np.maximum(x, x), dtypes=REAL, id="tie"
    ),
    Record("fmax", lucid.fmax, np.fmax, domains=BOTH, dtypes=REAL + INTEGER),
    Record("fmin", lucid.fmin, np.fmin, domains=BOTH, dtypes=REAL + INTEGER),
    Record(
        "clip",
        lambda x: lucid.clip(x, -1.0, 1.0),
        lambda x: np.clip(x, -1.0, 1.0),
        domains=(wide,),
        dtypes=REAL,
    ),
    Record(
        "clip_lower",
        lambda x, low: lucid.clip(x, low),
        np.maximum,
        domains=BOTH,
        dtypes=REAL + INTEGER,
    ),
    Record(
        "clip_upper",
        lambda x, high: lucid.clip(x, max=high),
        np.minimum,
        domains=BOTH,
        dtypes=REAL + INTEGER,
    ),
    Record(
        "clip",
        lucid.clip,
        np.clip,
        shapes=(((2, 3), (3,), ()), ((), (), ()), ((0,), (1,), (1,))),
        domains=(wide, (-1.2, -0.7), (0.9, 1.2)),
        dtypes=REAL,
        id="arrays",
    ),
    Record("nan_to_num", lucid.nan_to_num, np.nan_to_num),
    Record(
        "nan_to_num", lucid.nan_to_num, np.nan_to_num, domains=(strange,), diff=(), id="strange"
    ),
]
