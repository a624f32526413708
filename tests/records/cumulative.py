"""Records of cumulative operations and of the recurrences behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lucid
from lucid.ops.recurrence import recur, shift
from tests.record import INEXACT, INTEGER, REAL, Record, distinct
from tests.records.reduce import with_a_zero

FORMS: Any = (
    ("only", {}, (((4,),), ((1,),), ((0,),))),
    ("axis", {"axis": 0}, (((3, 2),), ((4,),), ((2, 0),))),
    ("negative", {"axis": -2}, (((3, 2),), ((2, 3, 2),))),
)
INITIAL: Any = (("initial", {"axis": -1, "include_initial": True}, (((3, 2),), ((0,),))),)


def rows(
    op: str, fn: Callable[..., Any], ref: Callable[..., Any], forms: Any = FORMS, **more: Any
) -> list[Record]:
    """One record per form of `axis`."""
    return [
        Record(
            op,
            lambda x, o=o: fn(x, **o),
            lambda x, o=o: ref(x, **o),
            shapes=shapes,
            id=name,
            **more,
        )
        for name, o, shapes in forms
    ]


def _accumulate(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda x, axis=0: ufunc.accumulate(x, axis)


def _recur_ref(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    if reverse:
        a, b = a[::-1], b[::-1]
    s = np.zeros_like(b)
    last = np.zeros_like(b[:1].sum(0))
    for i in range(len(b)):
        last = s[i] = (a[i] if i else 0) * last + b[i]
    return np.moveaxis(s[::-1] if reverse else s, 0, axis)


def _shift_ref(x: Any, axis: int, reverse: bool) -> Any:
    out = np.roll(x, -1 if reverse else 1, axis)
    np.moveaxis(out, axis, 0)[-1 if reverse else 0] = 0
    return out


APART = distinct(-2.0, 2.0)

RECORDS: list[Record] = [
    *rows(
        "cumulative_sum",
        lucid.cumulative_sum,
        np.cumulative_sum,
        (*FORMS, *INITIAL),
        dtypes=INEXACT + INTEGER,
    ),
    *rows(
        "cumulative_prod",
        lucid.cumulative_prod,
        np.cumulative_prod,
        (*FORMS, *INITIAL),
        dtypes=INEXACT + INTEGER,
    ),
    Record(
        "cumulative_prod",
        lambda x: lucid.cumulative_prod(x, axis=-1),
        lambda x: np.cumprod(x, axis=-1),
        shapes=(((5,),), ((2, 4),)),
        domains=(with_a_zero,),
        dtypes=REAL,
        id="zeros",
    ),
    Record(
        "cumulative_sum",
        lambda x: lucid.cumulative_sum(x, axis=-1, dtype=np.float64),
        lambda x: np.cumsum(x, axis=-1, dtype=np.float64),
        shapes=(((5,),), ((2, 4),)),
        dtypes=REAL,
        id="dtype",
    ),
    Record("cumulative_sum", lambda x: x.cumsum(), np.cumsum, shapes=(((2, 3),), ((),)), id="flat"),
    Record(
        "cumulative_prod",
        lambda x: x.cumprod(1),
        lambda x: x.cumprod(1),
        shapes=(((2, 3),),),
        id="method",
    ),
    *rows("cummax", lucid.cummax, _accumulate(np.maximum), domains=(APART,), dtypes=REAL + INTEGER),
    *rows("cummin", lucid.cummin, _accumulate(np.minimum), domains=(APART,), dtypes=REAL + INTEGER),
    *rows("logcumsumexp", lucid.logcumsumexp, _accumulate(np.logaddexp), dtypes=REAL),
    *(
        Record(
            "recurrence",
            lambda a, b, k=axis, r=reverse: recur(lucid.Tensor(a), lucid.Tensor(b), k, r),
            lambda a, b, k=axis, r=reverse: _recur_ref(a, b, k, r),
            shapes=shapes,
            domains=((-2.0, 2.0),) * 2,
            id=f"{'reverse' if reverse else 'forward'}-{axis}",
        )
        for axis, shapes in (
            (0, (((4,),) * 2, ((3, 2),) * 2)),
            (1, (((2, 4),) * 2, ((2, 3, 2),) * 2)),
        )
        for reverse in (False, True)
    ),
    *(
        Record(
            "shift",
            lambda x, k=axis, r=reverse: shift(lucid.Tensor(x), k, r),
            lambda x, k=axis, r=reverse: _shift_ref(x, k, r),
            shapes=shapes,
            id=f"{'reverse' if reverse else 'forward'}-{axis}",
        )
        for axis, shapes in ((0, (((4,),), ((3, 2),))), (1, (((2, 4),), ((2, 3, 2),))))
        for reverse in (False, True)
    ),
]
