"""Records of sorting, extremes, sets, and places in sorted arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

import lucid
from tests.record import ALL, BOOL, INTEGER, REAL, Record, distinct

EXACT = REAL + INTEGER + BOOL
SHAPES: Any = (((2, 3),), ((5,),), ((2, 3, 2),), ((0, 2),))
FULL: Any = SHAPES[:3]
APART = (distinct(-2.0, 2.0),)
TIES = (lambda rng, shape, dtype: rng.integers(0, 3, shape).astype(dtype),)
SORTED = (lambda rng, shape, dtype: np.sort(rng.integers(0, 9, shape)).astype(dtype),)


def ascending(rng: np.random.Generator, shape: Any, dtype: Any) -> Any:
    """Sample a vector in ascending order, with ties."""
    return np.sort(rng.integers(-5, 5, shape), -1).astype(dtype)


def few(rng: np.random.Generator, shape: Any, dtype: Any) -> Any:
    """Sample small integers, so that some coincide."""
    return rng.integers(-2, 3, shape).astype(dtype)


def topk(x: Any, k: int, axis: int) -> Any:
    """The k largest elements and their places, by sorting -x stably."""
    places = np.take(np.argsort(-x, axis, kind="stable"), np.arange(k), axis)
    return np.take_along_axis(x, places, axis), places


RECORDS: list[Record] = [
    Record("sort", lucid.sort, np.sort, shapes=SHAPES, domains=APART, dtypes=EXACT),
    Record(
        "sort",
        lambda x: lucid.sort(x, axis=0, descending=True),
        lambda x: -np.sort(-x, 0),
        shapes=FULL,
        domains=APART,
        dtypes=REAL,
        id="descending",
    ),
    Record(
        "sort",
        lambda x: lucid.sort(x, axis=None),
        lambda x: np.sort(x, None),
        shapes=(*SHAPES, ((),)),
        domains=APART,
        id="flat",
        dtypes=REAL,
    ),
    Record(
        "argsort",
        lucid.argsort,
        lambda x: np.argsort(x, kind="stable"),
        shapes=SHAPES,
        domains=TIES,
        dtypes=EXACT,
        diff=(),
    ),
    Record(
        "argsort",
        lambda x: lucid.argsort(x, axis=0, descending=True),
        lambda x: np.argsort(-x, 0, kind="stable"),
        shapes=SHAPES,
        domains=TIES,
        dtypes=REAL,
        diff=(),
        id="descending",
    ),
    Record(
        "topk",
        lambda x: tuple(lucid.topk(x, 2, axis=0)),
        lambda x: topk(x, 2, 0),
        shapes=(((2, 3),), ((5,),), ((2, 0),)),
        domains=APART,
        dtypes=REAL,
    ),
    *(
        Record(
            name,
            lambda x, n=name, o=options: getattr(lucid, n)(x, **o),
            lambda x, n=name, o=options: getattr(np, n)(x, **o),
            shapes=(*FULL, *scalar),
            domains=TIES,
            dtypes=EXACT,
            diff=(),
            id=form,
        )
        for name in ("argmax", "argmin")
        for form, options, scalar in (
            ("", {}, (((),),)),
            ("axis", {"axis": -1}, (((0, 2),),)),
            ("keepdims", {"axis": 0, "keepdims": True}, ()),
            ("all", {"keepdims": True}, ()),
        )
    ),
    *(
        Record(
            "count_nonzero",
            lambda x, o=options: lucid.count_nonzero(x, **o),
            lambda x, o=options: np.asarray(np.count_nonzero(x, **o)),
            shapes=shapes,
            domains=TIES,
            dtypes=ALL,
            diff=(),
            id=form,
        )
        for form, options, shapes in (
            ("", {}, (*SHAPES, ((),))),
            ("axis", {"axis": 0}, SHAPES),
            ("axes", {"axis": (-1, 0), "keepdims": True}, (((2, 3),), ((2, 3, 2),))),
        )
    ),
    *(
        Record(
            "searchsorted",
            lambda a, v, s=side: lucid.searchsorted(a, v, side=s),
            lambda a, v, s=side: np.asarray(np.searchsorted(a, v, s)),
            shapes=(((5,), (3,)), ((4,), ()), ((3,), (2, 2)), ((0,), (2,))),
            domains=(ascending, few),
            dtypes=REAL + INTEGER[:3],
            diff=(),
            id=side,
        )
        for side in ("left", "right")
    ),
    *(
        Record(
            "isin",
            lambda x, y, i=invert: lucid.isin(x, y, invert=i),
            lambda x, y, i=invert: np.asarray(np.isin(x, y, invert=i)),
            shapes=(((5,), (3,)), ((2, 2), ()), ((), (2, 2)), ((2,), (0,))),
            domains=(few, few),
            dtypes=REAL + INTEGER[:3],
            diff=(),
            id="not" if invert else "",
        )
        for invert in (False, True)
    ),
    Record(
        "unique_all",
        lambda x: tuple(lucid.unique_all(x)),
        lambda x: np.unique(x, True, True, True),
        shapes=(((5,),), ((0,),)),
        domains=APART,
        dtypes=REAL,
        batch=False,  # the shape of the result depends on the data
    ),
]
