"""NumPy functions that reduce, accumulate or compare along axes, under NumPy's signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor
from lucid.errors import OperandError, message
from lucid.ops import cumulative, extrema, finite, index, moments, reduce, select, sets, shape, sort
from lucid.ops.numpy_api.table import (
    ACCUMULATE,
    REDUCE,
    covers,
    from_initial,
    plain,
    same,
    tensor,
)

__all__: list[str] = []

_NO = np._NoValue  # type: ignore[attr-defined]  # NumPy's "not given"
_sum, _prod, _any, _all = reduce.sum, reduce.prod, reduce.any, reduce.all


def _kept(keepdims: Any) -> bool:
    return False if keepdims is _NO else bool(keepdims)


def _given(value: Any) -> bool:
    return not plain(value, _NO)


def _masked(x: Any, where: Any, fill: Any) -> Any:
    return select.where(where, x, fill) if _given(where) else x


@covers(np.sum)
def _np_sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = _NO,
    initial: Any = _NO,
    where: Any = _NO,
) -> Tensor:
    total = _sum(_masked(a, where, 0), axis, dtype=dtype, keepdims=_kept(keepdims))
    return total + initial if _given(initial) else total


@covers(np.prod)
def _np_prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = _NO,
    initial: Any = _NO,
    where: Any = _NO,
) -> Tensor:
    total = _prod(_masked(a, where, 1), axis, dtype=dtype, keepdims=_kept(keepdims))
    return total * initial if _given(initial) else total


@covers(np.mean)
def _np_mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = _NO,
    *,
    where: Any = _NO,
) -> Tensor:
    if dtype is not None:
        a = a.astype(dtype)
    if _given(where):
        chosen = shape.broadcast_to(tensor(where), a.shape).astype(float)
        count = _sum(chosen, axis, keepdims=_kept(keepdims))
        return _sum(_masked(a, where, 0), axis, keepdims=_kept(keepdims)) / count
    return reduce.mean(a, axis, keepdims=_kept(keepdims))


def _spread(name: str, ours: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def adapter(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: Any = _NO,
        *,
        where: Any = _NO,
        mean: Any = _NO,
        correction: Any = _NO,
    ) -> Tensor:
        if _given(where) or _given(mean):
            raise OperandError(message(f"np.{name}", "no where= or mean= on Tensors", "them"))
        a = tensor(a) if dtype is None else tensor(a).astype(dtype)
        ddof = correction if _given(correction) else ddof
        return ours(a, axis, correction=ddof, keepdims=_kept(keepdims))

    return adapter


covers(np.std)(_spread("std", moments.std))
covers(np.var)(_spread("var", moments.var))


def _extreme(ours: Callable[..., Tensor], join: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def adapter(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = _NO,
        initial: Any = _NO,
        where: Any = _NO,
    ) -> Tensor:
        if _given(where) and not _given(initial):
            raise OperandError(message("np.max", "initial= together with where=", "where= alone"))
        x = tensor(_masked(a, where, initial))
        if not _given(initial):
            return ours(x, axis, keepdims=_kept(keepdims))
        return from_initial(
            lambda *args: ours(args[0], args[1], keepdims=args[2]),
            join,
            x,
            axis,
            _kept(keepdims),
            initial,
        )

    return adapter


covers(np.max, np.amax)(_extreme(extrema.max, select.maximum))
covers(np.min, np.amin)(_extreme(extrema.min, select.minimum))


def _truth(ours: Callable[..., Tensor], neutral: bool) -> Callable[..., Tensor]:
    def adapter(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = _NO, *, where: Any = _NO
    ) -> Tensor:
        return ours(_masked(a, where, neutral), axis, keepdims=_kept(keepdims))

    return adapter


covers(np.all)(_truth(_all, True))
covers(np.any)(_truth(_any, False))


@covers(np.argmax)
def _np_argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = _NO) -> Tensor:
    return sort.argmax(a, axis=axis, keepdims=_kept(keepdims))


@covers(np.argmin)
def _np_argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = _NO) -> Tensor:
    return sort.argmin(a, axis=axis, keepdims=_kept(keepdims))


@covers(np.ptp)
def _np_ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _NO) -> Tensor:
    kept = _kept(keepdims)
    return extrema.max(a, axis, keepdims=kept) - extrema.min(a, axis, keepdims=kept)


# -- accumulations ---------------------------------------------------------------------------------


def _accumulate(ours: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def adapter(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Tensor:
        if axis is None:
            a, axis = a.reshape((-1,)), 0
        return ours(a, axis=axis, dtype=dtype)

    return adapter


covers(np.cumsum)(_accumulate(cumulative.cumulative_sum))
covers(np.cumprod)(_accumulate(cumulative.cumulative_prod))
same(np.cumulative_sum, cumulative.cumulative_sum)
same(np.cumulative_prod, cumulative.cumulative_prod)

ACCUMULATE.update(
    add=lambda x, axis: cumulative.cumulative_sum(x, axis=axis),
    multiply=lambda x, axis: cumulative.cumulative_prod(x, axis=axis),
    maximum=lambda x, axis: cumulative.cummax(x, axis=axis),
    minimum=lambda x, axis: cumulative.cummin(x, axis=axis),
    logaddexp=lambda x, axis: cumulative.logcumsumexp(x, axis=axis),
)
REDUCE.update(
    add=lambda x, axis, keepdims: _sum(x, axis, keepdims=keepdims),
    multiply=lambda x, axis, keepdims: _prod(x, axis, keepdims=keepdims),
    maximum=lambda x, axis, keepdims: extrema.max(x, axis, keepdims=keepdims),
    minimum=lambda x, axis, keepdims: extrema.min(x, axis, keepdims=keepdims),
    logical_and=lambda x, axis, keepdims: _all(x, axis, keepdims=keepdims),
    logical_or=lambda x, axis, keepdims: _any(x, axis, keepdims=keepdims),
    logaddexp=lambda x, axis, keepdims: reduce.logsumexp(x, axis, keepdims=keepdims),
)


# -- sorting and searching -------------------------------------------------------------------------


@covers(np.sort)
def _np_sort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Tensor:
    if axis is None:
        a, axis = a.reshape((-1,)), -1
    return sort.sort(a, axis=axis)


@covers(np.argsort)
def _np_argsort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Tensor:
    if axis is None:
        a, axis = a.reshape((-1,)), -1
    return sort.argsort(a, axis=axis)


@covers(np.nonzero)
def _np_nonzero(a: Any) -> tuple[Tensor, ...]:
    return index.nonzero(a)


@covers(np.flatnonzero)
def _np_flatnonzero(a: Any) -> Tensor:
    return index.nonzero(a.reshape((-1,)))[0]


same(np.argwhere, index.argwhere)


@covers(np.take)
def _np_take(
    a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise"
) -> Tensor:
    if mode != "raise":
        raise OperandError(message("np.take", 'mode="raise"', repr(mode)))
    return index.take(a, indices, axis=axis)


@covers(np.take_along_axis)
def _np_take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Tensor:
    if axis is None:
        arr, indices, axis = arr.reshape((-1,)), indices.reshape((-1,)), 0
    return index.take_along_axis(arr, indices, axis=axis)


@covers(np.searchsorted)
def _np_searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
    return sort.searchsorted(a, v, side=side, sorter=sorter)  # type: ignore[arg-type]


@covers(np.count_nonzero)
def _np_count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    return sort.count_nonzero(a, axis=axis, keepdims=keepdims)


@covers(np.where)
def _np_where(condition: Any, x: Any = _NO, y: Any = _NO) -> Any:
    if x is _NO or y is _NO:
        return index.nonzero(condition)
    return select.where(condition, x, y)


@covers(np.clip)
def _np_clip(
    a: Any, a_min: Any = _NO, a_max: Any = _NO, out: Any = None, *, min: Any = _NO, max: Any = _NO
) -> Tensor:
    lo = min if a_min is _NO else a_min
    hi = max if a_max is _NO else a_max
    return select.clip(a, None if lo is _NO else lo, None if hi is _NO else hi)


@covers(np.nan_to_num)
def _np_nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Tensor:
    return finite.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@covers(np.isin)
def _np_isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Tensor:
    return sets.isin(element, test_elements, invert=invert)
