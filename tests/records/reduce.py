"""Records of reductions: sums, products, truth, extrema, moments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lucid
from tests.record import ALL, INEXACT, INTEGER, REAL, Record, distinct

Options = dict[str, Any]

# id, options, and the shapes they fit
FORMS: tuple[tuple[str, Options, Any], ...] = (
    ("all", {}, (((2, 3),), ((),), ((4,),), ((2, 1, 3),))),
    ("axis", {"axis": 0}, (((3, 2),), ((4,),), ((2, 3, 2),))),
    ("negative", {"axis": -1, "keepdims": True}, (((3, 2),), ((4,),), ((2, 3, 2),))),
    ("axes", {"axis": (2, 0)}, (((2, 3, 2),), ((3, 1, 2, 2),))),
    ("none", {"axis": (), "keepdims": True}, (((2, 3),), ((),))),
)
EMPTY: Any = (((0,),), ((2, 0),))


def rows(
    op: str,
    fn: Callable[..., Any],
    ref: Callable[..., Any],
    *,
    empty: bool = True,
    options: Options | None = None,
    prefix: str = "",
    **more: Any,
) -> list[Record]:
    """One record per form of `axis` and `keepdims`; one of nothing if that has a value."""
    forms = [*FORMS, *([("empty", {"axis": -1}, EMPTY)] if empty else [])]
    return [
        Record(
            op,
            lambda x, o={**o, **(options or {})}: fn(x, **o),
            lambda x, o={**o, **(options or {})}: ref(x, **o),
            shapes=shapes,
            id=prefix + name,
            **more,
        )
        for name, o, shapes in forms
    ]


def _ddof(ref: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, correction=0.0, **o: ref(x, ddof=correction, **o)


def with_a_zero(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample numbers with one zero along the last axis, for products."""
    x = np.asarray(rng.uniform(0.5, 2.0, shape), dtype)
    np.put_along_axis(x, rng.integers(0, shape[-1], (*shape[:-1], 1)), 0, -1)
    return x


def _logsumexp(x: Any, **options: Any) -> Any:
    return np.log(np.sum(np.exp(x), **options))


APART = distinct(-2.0, 2.0)

RECORDS: list[Record] = [
    *rows("sum", lucid.sum, np.sum, dtypes=ALL),
    Record(
        "sum",
        lambda x: lucid.sum(x, axis=0, dtype=np.float64),
        lambda x: np.sum(x, axis=0, dtype=np.float64),
        shapes=(((3, 2),), ((4,),)),
        dtypes=REAL + INTEGER,
        id="dtype",
    ),
    *rows("mean", lucid.mean, np.mean, dtypes=ALL, empty=False),
    *rows("prod", lucid.prod, np.prod, dtypes=INEXACT + INTEGER),
    Record(
        "prod",
        lambda x: lucid.prod(x, axis=-1),
        lambda x: np.prod(x, axis=-1),
        shapes=(((3, 4),), ((5,),)),
        domains=(with_a_zero,),
        dtypes=REAL,
        id="zeros",
    ),
    Record(
        "prod",
        lambda x: lucid.prod(x, axis=0, dtype=np.float64),
        lambda x: np.prod(x, axis=0, dtype=np.float64),
        shapes=(((3, 2),), ((4,),)),
        dtypes=REAL,
        id="dtype",
    ),
    *rows("max", lucid.max, np.max, domains=(APART,), dtypes=REAL + INTEGER, empty=False),
    *rows("min", lucid.min, np.min, domains=(APART,), dtypes=REAL + INTEGER, empty=False),
    *rows("all", lucid.all, np.all, dtypes=ALL, diff=()),
    *rows("any", lucid.any, np.any, dtypes=ALL, diff=()),
    *rows("var", lucid.var, np.var, dtypes=INEXACT + INTEGER, empty=False),
    *rows("logsumexp", lucid.logsumexp, _logsumexp, empty=False),
    Record(
        "var",
        lambda x: lucid.var(x, axis=-1, correction=1),
        lambda x: np.var(x, axis=-1, ddof=1),
        shapes=(((2, 3),), ((4,),)),
        id="correction",
    ),
    Record(
        "std",
        lambda x: lucid.std(x, axis=(0, -1), correction=0.5, keepdims=True),
        lambda x: np.std(x, axis=(0, -1), ddof=0.5, keepdims=True),
        shapes=(((2, 3),), ((3, 1, 2),)),
        # Two entries that nearly agree make the second derivative of the root large.
        domains=(APART,),
        dtypes=REAL,
        id="correction",
    ),
    Record(
        "std",
        lucid.std,
        np.std,
        shapes=(((2, 3),), ((4,),)),
        id="all",
        scale=10.0,  # the variance of complex entries may be small against their size
    ),
]
