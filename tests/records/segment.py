"""Records of segment operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lucid
from tests.record import INEXACT, INTEGER, REAL, Record, distinct, integers

COUNT = 4
SHAPES: Any = (((5,), (5,)), ((6, 2), (6,)), ((0, 2), (0,)), ((2, 3, 2), (2, 3)))


def _loop(combine: Callable[..., Any], start: Callable[[Any], Any]) -> Callable[..., Any]:
    """Combine the entries of each segment one after the other."""

    def ref(data: Any, ids: Any) -> Any:
        out = np.full((COUNT, *data.shape[ids.ndim :]), start(data.dtype), data.dtype)
        for i in np.ndindex(ids.shape):
            out[ids[i]] = combine(out[ids[i]], data[i])
        return out

    return ref


def _mean(data: Any, ids: Any) -> Any:
    number = np.maximum(np.bincount(ids.ravel(), minlength=COUNT), 1)
    total = _loop(np.add, lambda d: 0)(data, ids)
    ans = total / number.reshape((COUNT, *(1,) * (total.ndim - 1)))
    return ans.astype(total.dtype if total.dtype.kind in "fc" else np.float64)


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


def row(name: str, ref: Callable[..., Any], **more: Any) -> Record:
    """A record of one segment operation."""
    fn = getattr(lucid, name)
    return Record(
        name,
        lambda data, ids: fn(data, ids, COUNT),
        ref,
        shapes=more.pop("shapes", SHAPES),
        domains=(more.pop("domain", (-2.0, 2.0)), more.pop("ids", integers(0, COUNT))),
        diff=(0,),
        id=more.pop("id", ""),
        **more,
    )


def with_zeros(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample numbers of which two are zero."""
    x = rng.uniform(0.5, 2.0, shape)
    x[[0, -1]] = 0
    return np.asarray(x, dtype)


def cyclic(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample segments of which no two neighbours share one."""
    return np.arange(shape[0]) % 2


APART = distinct(-2.0, 2.0)

RECORDS: list[Record] = [
    row("segment_sum", _loop(np.add, lambda d: 0), dtypes=INEXACT + INTEGER),
    row("segment_mean", _mean, dtypes=INEXACT + INTEGER),
    row("segment_prod", _loop(np.multiply, lambda d: 1), dtypes=INEXACT + INTEGER),
    row(
        "segment_prod",
        _loop(np.multiply, lambda d: 1),
        shapes=(((6,), (6,)), ((4, 2), (4,))),
        domain=with_zeros,
        ids=cyclic,
        dtypes=REAL,
        id="zeros",
    ),
    # An empty segment is infinite, which no difference quotient takes, so that none is empty here.
    row(
        "segment_max",
        _loop(np.maximum, _lowest),
        shapes=(((8,), (8,)), ((9, 2), (9,))),
        domain=APART,
        ids=lambda rng, shape, dtype: rng.permutation(np.arange(shape[0]) % COUNT),
        dtypes=REAL + INTEGER,
    ),
    row(
        "segment_min",
        _loop(np.minimum, _highest),
        shapes=(((8,), (8,)), ((9, 2), (9,))),
        domain=APART,
        ids=lambda rng, shape, dtype: rng.permutation(np.arange(shape[0]) % COUNT),
        dtypes=REAL + INTEGER,
    ),
    Record(
        "bincount",
        lambda ids, w: lucid.bincount(ids, w, length=COUNT),
        lambda ids, w: np.bincount(ids, w, COUNT).astype(w.dtype),
        shapes=(((5,), (5,)), ((0,), (0,))),
        domains=(integers(0, COUNT), (-2.0, 2.0)),
        dtypes=REAL,
        diff=(1,),
    ),
]
