"""NumPy's statistics and operations on samples, under NumPy's signatures."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.tensor import Tensor
from lucid.errors import OperandError, message
from lucid.ops import convolve, matmul, permute, quantile, reduce, samples, segment, statistics
from lucid.ops.linalg import diagonals
from lucid.ops.numpy_api.table import covers, plain, same, tensors

__all__: list[str] = []

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
    ones = reduce.sum(tensors((a,))[0] * 0 + 1 if weights is None else weights, axis, keepdims=kept)
    return found, ones


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
    if y is not None or fweights is not None or aweights is not None:
        raise OperandError(message("np.cov", "one array without weights", "more"))
    (x,) = tensors((m,))
    x = x.reshape((1, -1)) if x.ndim == 1 else x if rowvar else permute.matrix_transpose(x)
    centred = x - reduce.mean(x, -1, keepdims=True)
    free = x.shape[1] - (ddof if ddof is not None else 0 if bias else 1)
    product = matmul.matmul(centred, permute.matrix_transpose(centred).conj()) / free
    return product.squeeze()


@covers(np.corrcoef)
def _np_corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    covariance = _np_cov(x, y, rowvar)
    if covariance.ndim == 0:
        return covariance / covariance
    scale = diagonals.diagonal(covariance).real ** 0.5
    return covariance / (scale.reshape((-1, 1)) * scale)
