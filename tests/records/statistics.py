"""Records of statistics: NaN-skipping reductions, averages, quantiles; and of sampled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lucid
from tests.record import INEXACT, INTEGER, REAL, Record, distinct
from tests.records.reduce import rows

APART = distinct(-2.0, 2.0)
TWO = ((-2.0, 2.0),) * 2
PLACES: tuple[tuple[str, dict[str, Any], Any], ...] = (
    ("all", {}, (((2, 3),), ((5,),), ((),))),
    ("axis", {"axis": 0, "keepdims": True}, (((3, 2),), ((4, 2, 1),))),
    ("axes", {"axis": (-1, 0)}, (((2, 3, 2),),)),
)


def _some_nan(x: Any) -> Any:
    """Return x with its first entry NaN where it has several."""
    return lucid.where(np.arange(x.size).reshape(x.shape) == (0 if x.size > 1 else -1), np.nan, x)


def _some_nan_ref(x: Any) -> Any:
    x = x.copy()
    if x.size > 1:
        x.reshape(-1)[0] = np.nan
    return x


def nan_rows(op: str, fn: Any, ref: Any, **more: Any) -> list[Record]:
    """Records of a reduction of arrays of which one entry is NaN."""
    return [
        Record(
            op,
            lambda x, o=o: fn(_some_nan(x), **o),
            lambda x, o=o: ref(_some_nan_ref(x), **o),
            shapes=(((2, 3),), ((2, 2, 3),)) if name != "all" else (((2, 3),), ((5,),)),
            id=name,
            **more,
        )
        for name, o in (
            ("all", {}),
            ("axis", {"axis": -1}),
            ("axes", {"axis": (0, -1), "keepdims": True}),
        )
    ]


def _ddof(ref: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, **o: ref(x, ddof=0.5, **o)


def nanvar(x: Any, **options: Any) -> Any:
    """The variance with a correction."""
    return lucid.nanvar(x, correction=0.5, **options)


def nanstd(x: Any, **options: Any) -> Any:
    """The standard deviation with a correction."""
    return lucid.nanstd(x, correction=0.5, **options)


def quantile(method: str, **more: Any) -> Record:
    """A record of one method, at fractions between its jumps."""
    q = np.array([[0.11, 0.37], [0.52, 0.93]])
    return Record(
        "quantile",
        lambda x: lucid.quantile(x, q, axis=-1, method=method),
        lambda x: np.quantile(x, q, axis=-1, method=method),
        shapes=(((5,),), ((2, 4),), ((3, 1),)),
        domains=(APART,),
        dtypes=("float64",),
        id=method,
        **more,
    )


METHODS = (
    *("linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf", "hazen", "weibull"),
    *("averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf"),
    *("median_unbiased", "normal_unbiased"),
)


def _interp_ref(x: Any, xp: Any, fp: Any) -> Any:
    return np.asarray(np.interp(x, xp, fp), np.result_type(x, xp, fp))


def _knots(rng: Any, shape: Any, dtype: Any) -> Any:
    return np.asarray(np.arange(shape[0]) + rng.uniform(-0.2, 0.2, shape), dtype)


def _between_knots(rng: Any, shape: Any, dtype: Any) -> Any:
    return np.asarray(rng.integers(-1, 4, shape) + rng.uniform(0.3, 0.7, shape), dtype)


def convolution(name: str, mode: str) -> Record:
    """A record of one mode of convolution or correlation."""
    return Record(
        name,
        lambda x, y: getattr(lucid, name)(x, y, mode),
        lambda x, y: getattr(np, name)(x, y, mode),
        shapes=(((5,), (3,)), ((2,), (4,)), ((3,), (3,)), ((1,), (1,)), ((6,), (2,))),
        domains=TWO,
        dtypes=(*INEXACT, "int64"),
        id=mode,
    )


RECORDS: list[Record] = [
    *nan_rows("nansum", lucid.nansum, np.nansum),
    *nan_rows("nanmean", lucid.nanmean, np.nanmean),
    *nan_rows("nanmax", lucid.nanmax, np.nanmax, domains=(APART,), dtypes=REAL),
    *nan_rows("nanmin", lucid.nanmin, np.nanmin, domains=(APART,), dtypes=REAL),
    *nan_rows("nanvar", nanvar, _ddof(np.nanvar)),
    *nan_rows("nanstd", nanstd, _ddof(np.nanstd), domains=(APART,), dtypes=REAL),
    Record("nansum", lucid.nansum, np.nansum, dtypes=INTEGER, id="integers"),
    Record(
        "nanmean", lucid.nanmean, np.nanmean, shapes=(((2, 3),),), dtypes=INTEGER, id="integers"
    ),
    Record("nanvar", lucid.nanvar, np.nanvar, shapes=(((2, 3),),), dtypes=INTEGER, id="integers"),
    *rows(
        "ptp",
        lucid.ptp,
        np.ptp,
        domains=(APART,),
        dtypes=REAL + INTEGER,
        empty=False,
        prefix="ptp-",
    ),
    Record(
        "average",
        lambda x, w: lucid.average(x, weights=w),
        lambda x, w: np.average(x, weights=w),
        shapes=(((2, 3), (2, 3)), ((4,), (4,))),
        domains=((-2.0, 2.0), (0.5, 2.0)),
    ),
    Record(
        "average",
        lambda x, w: lucid.average(x, axis=(2, 0), weights=w, keepdims=True),
        lambda x, w: np.average(x, axis=(2, 0), weights=w, keepdims=True),
        shapes=(((2, 3, 4), (4, 2)),),
        domains=((-2.0, 2.0), (0.5, 2.0)),
        id="axes",
    ),
    *(
        Record(
            "median",
            lambda x, o=o: lucid.median(x, **o),
            lambda x, o=o: np.median(x, **o),
            shapes=shapes,
            domains=(APART,),
            dtypes=REAL + INTEGER,
            id=name,
        )
        for name, o, shapes in PLACES
    ),
    Record(
        "middle",  # what the median is made of: the lower of two in the middle
        lambda x: lucid.median(x, axis=-1),
        lambda x: np.median(x, axis=-1),
        shapes=(((2, 4),), ((3,),)),
        domains=(APART,),
        dtypes=REAL,
    ),
    *(quantile(method) for method in METHODS),
    Record(
        "quantile",
        lambda x, q: lucid.quantile(x, q, axis=0, keepdims=True),
        lambda x, q: np.quantile(x, q, axis=0, keepdims=True),
        shapes=(((4, 2), ()), ((3,), (2,)), ((5,), (2, 2))),
        # Away from the places 1/3, 1/2 and 1/4 of entries, where the slope jumps.
        domains=(APART, (0.34, 0.49)),
        dtypes=("float64",),
        id="fractions",
    ),
    Record(
        "percentile",
        lambda x: lucid.percentile(x, 40, axis=(0, 1)),
        lambda x: np.percentile(x, 40, axis=(0, 1)),
        shapes=(((2, 3),), ((2, 1, 3),)),
        domains=(APART,),
        dtypes=REAL + INTEGER,
    ),
    Record(
        "diff",
        lucid.diff,
        np.diff,
        shapes=(((4,),), ((2, 3),), ((1,),)),
        dtypes=(*INEXACT, "int64"),
    ),
    Record(
        "diff",
        lambda x, y: lucid.diff(x, n=2, axis=0, prepend=0.5, append=y),
        lambda x, y: np.diff(x, n=2, axis=0, prepend=x.dtype.type(0.5), append=y),
        shapes=(((3, 2), (2, 2)), ((1, 2), (1, 2))),
        domains=TWO,
        id="ends",
    ),
    Record(
        "trapezoid",
        lambda y: lucid.trapezoid(y, dx=0.5),
        lambda y: np.trapezoid(y, dx=0.5).astype(y.dtype),
        shapes=(((4,),), ((2, 3),), ((1,),)),
        id="dx",
    ),
    Record(
        "trapezoid",
        lambda y, x: lucid.trapezoid(y, x, axis=0),
        lambda y, x: np.asarray(np.trapezoid(y, x, axis=0)).astype(y.dtype),
        shapes=(((4,), (4,)), ((3, 2), (3,)), ((3, 2), (3, 2))),
        domains=TWO,
        id="places",
    ),
    Record(
        "gradient",
        lambda f: lucid.gradient(f, 0.5, edge_order=2),
        lambda f: np.gradient(f, 0.5, edge_order=2),
        shapes=(((4,),), ((3, 3),)),
        id="uniform",
    ),
    Record(
        "gradient",
        lambda f, x: lucid.gradient(f, x, axis=0),
        lambda f, x: np.gradient(f, x, axis=0),
        shapes=(((4,), (4,)), ((3, 2), (3,)), ((2, 1), (2,))),
        domains=((-2.0, 2.0), _knots),
        dtypes=("float64", "complex128"),
        id="places",
    ),
    Record(
        "gradient",
        lambda f, x: lucid.gradient(f, x, edge_order=2),
        lambda f, x: np.gradient(f, x, edge_order=2),
        shapes=(((5,), (5,)), ((3,), (3,))),
        domains=((-2.0, 2.0), _knots),
        dtypes=("float64",),
        id="places-2",
    ),
    Record(
        "interp",
        lucid.interp,
        _interp_ref,
        shapes=(((4,), (4,), (4,)), ((), (4,), (4,)), ((2, 3), (4,), (4,))),
        domains=(_between_knots, _knots, (-2.0, 2.0)),
        dtypes=REAL,
    ),
    Record(
        "interp",
        lambda x, xp, fp: lucid.interp(x, xp, fp, left=-1.0, right=fp[0] * 2),
        lambda x, xp, fp: np.interp(x, xp, fp, left=-1.0, right=fp[0] * 2),
        shapes=(((4,), (4,), (4,)),),
        domains=(_between_knots, _knots, (-2.0, 2.0)),
        dtypes=("float64",),
        id="ends",
    ),
    Record(
        "interp",
        lambda x, xp, fp: lucid.interp(x, xp, fp, period=3.9),
        lambda x, xp, fp: np.interp(x, xp, fp, period=3.9),
        shapes=(((4,), (4,), (4,)),),
        domains=(
            _between_knots,
            lambda rng, shape, dtype: _knots(rng, shape, dtype)[::-1].copy(),
            (-2.0, 2.0),
        ),
        dtypes=("float64",),
        id="period",
    ),
    *(
        convolution(name, mode)
        for name in ("convolve", "correlate")
        for mode in ("full", "same", "valid")
    ),
]
