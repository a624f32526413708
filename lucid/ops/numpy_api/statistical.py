"""NumPy's statistics and operations on samples, under NumPy's signatures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor
from lucid.errors import OperandError, message
from lucid.ops import (
    compare,
    convolve,
    cumulative,
    datatypes,
    index,
    join,
    matmul,
    permute,
    quantile,
    reduce,
    rounding,
    samples,
    segment,
    select,
    shape,
    sort,
    statistics,
)
from lucid.ops.axes import axes_of, fold_axes, keep_axes, known
from lucid.ops.linalg import diagonals
from lucid.ops.numpy_api.table import covers, flat, plain, same, tensor, tensors

__all__: list[str] = []

_sum, _prod = reduce.sum, reduce.prod

for _function, _ours in {
    np.nansum: statistics.nansum,
    np.nanmean: statistics.nanmean,
    np.nanmax: statistics.nanmax,
    np.nanmin: statistics.nanmin,
    np.median: quantile.median,
    np.percentile: quantile.percentile,
    np.quantile: quantile.quantile,
    np.trapezoid: samples.trapezoid,
    np.bincount: segment.bincount,
    np.convolve: convolve.convolve,
    np.correlate: convolve.correlate,
    np.interp: samples.interp,
}.items():
    same(_function, _ours, a="x", v="x2")


def _nan_spread(ours: Any) -> Any:
    def adapter(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: Any = False,
        **options: Any,
    ) -> Tensor:
        if not all(plain(v, None) for v in options.values()):
            raise OperandError(message("np.nanstd", "no further options", f"{[*options]}"))
        a = a if dtype is None else a.astype(dtype)
        return ours(a, axis, correction=ddof, keepdims=keepdims is True)

    return adapter


covers(np.nanstd)(_nan_spread(statistics.nanstd))
covers(np.nanvar)(_nan_spread(statistics.nanvar))


@covers(np.average)
def _np_average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    kept = keepdims is True
    found = statistics.average(a, axis, weights=weights, keepdims=kept)
    if not returned:
        return found
    x = tensor(a)
    if weights is None:
        weights = Tensor(1.0)
    elif np.ndim(weights) < x.ndim and axis is not None:
        axes = axes_of("np.average", axis, x.ndim)
        along = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
        weights = tensor(weights).reshape(along)
    total = _sum(shape.broadcast_to(tensor(weights), x.shape), axis, keepdims=kept)
    return found, total


@covers(np.diff)
def _np_diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    ends = [None if plain(x, None) else tensors((x,))[0] for x in (prepend, append)]
    return samples.diff(a, axis=axis, n=n, prepend=ends[0], append=ends[1])


@covers(np.gradient)
def _np_gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    return samples.gradient(f, *varargs, axis=axis, edge_order=edge_order)


@covers(np.cov)
def _np_cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Tensor:
    x = _variables(m, rowvar)
    if y is not None:
        x = join.concat([x, _variables(y, rowvar)])
    x = x if dtype is None else x.astype(dtype)
    ddof = ddof if ddof is not None else 0 if bias else 1
    given = [tensor(w) for w in (fweights, aweights) if w is not None]
    if not given:
        centred = x - reduce.mean(x, -1, keepdims=True)
        return _products(centred, centred, x.shape[1] - ddof)
    weights = math.prod(given[1:], start=given[0])
    total = _sum(weights)
    centred = x - _sum(x * weights, -1, keepdims=True) / total
    free = total - (0 if not ddof else ddof if aweights is None else _lost(weights, given, ddof))
    return _products(centred, centred * weights, free)


def _variables(m: Any, rowvar: bool) -> Tensor:
    """Return observations as a matrix with one row per variable."""
    x = tensor(m)
    x = x if x.ndim > 1 else x.reshape((1, -1))
    return x if rowvar or tensor(m).ndim < 2 else permute.matrix_transpose(x)


def _lost(weights: Tensor, given: list[Tensor], ddof: Any) -> Tensor:
    return ddof * _sum(weights * given[-1]) / _sum(weights)


def _products(x: Tensor, y: Tensor, free: Any) -> Tensor:
    return (matmul.matmul(x, permute.matrix_transpose(y).conj()) / free).squeeze()


@covers(np.corrcoef)
def _np_corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    covariance = _np_cov(x, y, rowvar, dtype=dtype)
    if covariance.ndim == 0:
        return covariance / covariance
    scale = diagonals.diagonal(covariance).real ** 0.5
    return covariance / (scale.reshape((-1, 1)) * scale)


# -- without NaN -----------------------------------------------------------------------------------


def _without_nan(name: str, ours: Callable[..., Any], neutral: float) -> Callable[..., Any]:
    def adapter(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any
    ) -> Any:
        if not all(plain(v, None) for v in (options.get("initial"), options.get("where"))):
            raise OperandError(message(name, "no initial= or where= on Tensors", f"{[*options]}"))
        kept = {"keepdims": True} if options.get("keepdims") is True else {}
        x = tensor(a)
        x = select.where(compare.isnan(x), neutral, x) if x.dtype.kind in "fc" else x
        if ours is not _prod and axis is None:
            x, axis = flat(x), 0
        return ours(x, axis=axis, dtype=dtype, **kept)

    return adapter


covers(np.nanprod)(_without_nan("np.nanprod", _prod, 1))
covers(np.nancumsum)(_without_nan("np.nancumsum", cumulative.cumulative_sum, 0))
covers(np.nancumprod)(_without_nan("np.nancumprod", cumulative.cumulative_prod, 1))


def _nan_quantile(name: str, a: Any, q: Any, axis: Any, keepdims: Any, whole: float) -> Tensor:
    x, fractions = tensor(a), tensor(q) / whole
    given = known(fractions)
    if given is not None and not np.all((given >= 0) & (given <= 1)):
        raise OperandError(message(name, f"q from 0 to {whole}", str(q)))
    axes = axes_of(name, axis, x.ndim)
    ordered = sort.sort(fold_axes(x, axes))  # NaN comes last
    count = _sum(compare.isnan(ordered) == False, -1, keepdims=True)  # noqa: E712 - a Tensor
    place = fractions.reshape((-1,)) * (count - 1)
    low = select.clip(rounding.floor(place), 0, select.maximum(count - 2, 0))
    k = datatypes.astype(low, np.int64)
    last = ordered.shape[-1] - 1
    before = index.take_along_axis(ordered, k)
    after = index.take_along_axis(ordered, select.minimum(k + 1, last))
    weight = place - low
    # beside a last number there may be NaN, of weight 0
    mixed = select.where(weight == 0, before, before + (after - before) * weight)
    ans = permute.moveaxis(mixed, -1, 0)
    kept = keep_axes(x.shape, axes)
    rest = kept if keepdims is True else tuple(n for i, n in enumerate(kept) if i not in axes)
    return ans.reshape((*fractions.shape, *rest))


def _nan_quantiles(name: str, whole: float) -> Callable[..., Tensor]:
    def adapter(
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = False,
        *,
        weights: Any = None,
    ) -> Tensor:
        if method != "linear" or weights is not None:
            raise OperandError(message(name, 'method="linear" and no weights=', "others"))
        return _nan_quantile(name, a, q, axis, keepdims, whole)

    return adapter


covers(np.nanquantile)(_nan_quantiles("np.nanquantile", 1))
covers(np.nanpercentile)(_nan_quantiles("np.nanpercentile", 100))
covers(np.nanmedian)(
    lambda a, axis=None, out=None, overwrite_input=False, keepdims=False: _nan_quantile(
        "np.nanmedian", a, 0.5, axis, keepdims, 1
    )
)
