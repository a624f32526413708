"""Reductions: sums, means, products and truth over some or all axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit_raw
from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS
from lucid.core.reductions import infer_reduced, reduction
from lucid.core.tensor import Tensor, install, wrap
from lucid.ops.axes import (
    as_tensor,
    axes_of,
    dtype_of,
    fold_axes,
    keep_axes,
    real_dtype,
    unfold_axes,
)

__all__ = ["all", "any", "logsumexp", "mean", "prod", "sum"]


def count_of(x: Any, axes: tuple[int, ...]) -> int:
    """Return how many entries are reduced to one."""
    shape = x.shape
    return math.prod(shape[i] for i in axes)


def with_axes(ans: Tensor, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return a reduced value with its reduced axes in place."""
    kept = keep_axes(x.shape, axes)
    return ans if ans.shape == kept else apply(OPS["reshape"], (ans,), (kept,))


def _repeat(ct: Tensor, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Give every entry of `x` the cotangent of what it was reduced to."""
    if ct.ndim:
        ct = with_axes(ct, x, axes)
    shape = x.shape
    return ct if ct.shape == shape else apply(OPS["broadcast_to"], (ct,), (shape,))


_FEW = 4096  # below this, writing a number everywhere is faster than a view that repeats it


def _repeat_plain(ct: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Do what `_repeat` does on plain arrays, in the dtype of `x`."""
    shape = x.shape
    if ct.dtype.kind == "c" and x.dtype.kind != "c":
        ct = ct.real
    if ct.ndim:
        ct = ct if ct.ndim == len(shape) else ct.reshape(keep_axes(shape, axes))
        return np.broadcast_to(ct, shape).astype(x.dtype, copy=False)
    if x.size < _FEW:
        out = np.empty(shape, x.dtype)
        out.fill(ct)
        return out
    return np.broadcast_to(np.asarray(ct, x.dtype), shape)


# -- sums ------------------------------------------------------------------------------------------


def sum(x: ArrayLike, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001 - NumPy's name
    """Add up the entries along axes, Σᵢ xᵢ.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        dtype: the dtype to add in and to return. By default that of `x`, except that integers and
            booleans are added as 64-bit integers.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The sums; 0 where there is nothing to add.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice.
        DTypeError: if `dtype` is no numeric dtype.

    Example:
        >>> import lucid
        >>> lucid.sum(lucid.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        Tensor([4., 6.])
    """
    x = as_tensor("sum", x)
    axes = axes_of("sum", axis, x.ndim)
    if dtype is None:
        return sum_over(x, (axes, bool(keepdims)))
    return sum_over(x, (axes, bool(keepdims), dtype_of("sum", dtype)))


_add_up = np.add.reduce


def _sum_impl(x: Any, axes: tuple[int, ...], keepdims: bool, dtype: Any = None) -> Any:
    return _add_up(x, axes, dtype, None, keepdims)  # pyright: ignore[reportCallIssue]


sum_over = direct(
    linear(
        "sum",
        _sum_impl,
        transpose=lambda ct, x, axes, *_: _repeat(ct, x, axes),
        batch=lambda x, axes, *more: sum_over(x, (tuple(a + 1 for a in axes), *more)),
        infer=infer_reduced(_sum_impl),
    )
)
OPS["sum"].raw = (lambda ct, ans, x, axes, *_: _repeat_plain(ct, x, axes),)


def mean(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Average the entries along axes, Σᵢ xᵢ / n.

    Args:
        x: a numeric array; integers are averaged as float64.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The means; NaN (with NumPy's warning) where there is nothing to average.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice.

    Example:
        >>> import lucid
        >>> lucid.mean(lucid.asarray([1.0, 2.0, 6.0]))
        Tensor(3.)
    """
    x = as_tensor("mean", x)
    return mean_over(x, (axes_of("mean", axis, x.ndim), bool(keepdims)))


def _mean_impl(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if x.dtype.char in "fdFD":
        return np.add.reduce(x, axis=axes, keepdims=keepdims) / count_of(x, axes)
    return np.mean(x, axes, keepdims=keepdims)


mean_over = direct(
    linear(
        "mean",
        _mean_impl,
        transpose=lambda ct, x, axes, _: _repeat(ct / count_of(x, axes), x, axes),
        batch=lambda x, axes, keepdims: mean_over(x, (tuple(a + 1 for a in axes), keepdims)),
        infer=infer_reduced(_mean_impl),
    )
)

OPS["mean"].raw = (
    lambda ct, ans, x, axes, _: _repeat_plain(ct / ct.dtype.type(count_of(x, axes)), x, axes),
)


# -- products --------------------------------------------------------------------------------------


def prod(
    x: ArrayLike, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False
) -> Tensor:
    """Multiply the entries along axes, Πᵢ xᵢ.

    The derivative is made of products of the other entries, never of quotients, so that zeros
    among them do no harm.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        dtype: the dtype to multiply in and to return. By default that of `x`, except that integers
            and booleans are multiplied as 64-bit integers.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The products; 1 where there is nothing to multiply.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice.
        DTypeError: if `dtype` is no numeric dtype.

    Example:
        >>> import lucid
        >>> lucid.prod(lucid.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=1)
        Tensor([ 2., 12.])
    """
    x = as_tensor("prod", x)
    axes = axes_of("prod", axis, x.ndim)
    return _prod(x, (axes, bool(keepdims), dtype_of("prod", dtype)))


def _others(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return for each entry the product of all others along the axes."""
    flat = fold_axes(x, axes)
    last = flat.ndim - 1
    before = apply(OPS["cumulative_prod"], (flat,), (last, False, True))
    after = apply(OPS["cumulative_prod"], (flat,), (last, True, True))
    return unfold_axes(before * after, axes, x.shape)


def _prod_raw(ct: Any, ans: Any, x: Any, axes: Any, keepdims: bool, _: Any = None) -> Any:
    """Divide by each entry, if no product of entries can come near the limits of the dtype."""
    if not keepdims and ans.ndim:
        kept = keep_axes(x.shape, axes)
        ct, ans = ct.reshape(kept), ans.reshape(kept)
    if x.size and x.dtype.kind == "f" and ans.dtype == x.dtype:
        low, high = np.minimum.reduce(x, None), np.maximum.reduce(x, None)
        if low > 0:
            room = -math.log(np.finfo(x.dtype).tiny) / count_of(x, axes)
            if math.log(low) > -room and math.log(high) < room:
                return ct * ans / x
    return fit_raw(ct * _others(wrap(x, None), axes)._value.conj(), x)


_prod = direct(
    reduction(
        "prod",
        lambda x, axes, keepdims, dtype=None: np.multiply.reduce(
            x, axis=axes, dtype=dtype, keepdims=keepdims
        ),
        vjp=lambda ct, ans, x, axes, _=None: ct * conj(_others(x, axes)),
        jvp=lambda ans, t, x, axes, keepdims, _=None: sum_over(
            t * _others(x, axes), (axes, keepdims)
        ),
    )
)
OPS["prod"].raw = (_prod_raw,)


# -- truth -----------------------------------------------------------------------------------------


def all(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:  # noqa: A001 - NumPy's name
    """Tell whether every entry along axes is true, that is, not zero.

    Args:
        x: an array.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        Booleans; True where there is no entry.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice.

    Example:
        >>> import lucid
        >>> lucid.all(lucid.asarray([[True, False], [True, True]]), axis=1)
        Tensor([False,  True])
    """
    x = as_tensor("all", x)
    return _all(x, (axes_of("all", axis, x.ndim), bool(keepdims)))


_all = direct(
    reduction(
        "all",
        lambda x, axes, keepdims: np.logical_and.reduce(x, axis=axes, keepdims=keepdims),
        smooth=False,
    )
)


def any(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:  # noqa: A001 - NumPy's name
    """Tell whether some entry along axes is true, that is, not zero.

    Args:
        x: an array.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        Booleans; False where there is no entry.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice.

    Example:
        >>> import lucid
        >>> lucid.any(lucid.asarray([[True, False], [False, False]]), axis=1)
        Tensor([ True, False])
    """
    x = as_tensor("any", x)
    return _any(x, (axes_of("any", axis, x.ndim), bool(keepdims)))


_any = direct(
    reduction(
        "any",
        lambda x, axes, keepdims: np.logical_or.reduce(x, axis=axes, keepdims=keepdims),
        smooth=False,
    )
)


# -- logsumexp -------------------------------------------------------------------------------------


def logsumexp(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Compute log Σᵢ exp(xᵢ) along axes without overflow.

    The derivative is the softmax; where every entry is -∞ it is 0.

    Args:
        x: a numeric array; integers are taken as float64.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The logarithms; -∞ where there is nothing to add.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice.

    Example:
        >>> import lucid
        >>> lucid.logsumexp(lucid.asarray([1000.0, 1000.0, -float("inf")]))
        Tensor(1000.69314718)

    P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and softmax
    functions, IMA J. Numer. Anal. 41 (2021).
    """
    x = as_tensor("logsumexp", x)
    return _logsumexp(x, (axes_of("logsumexp", axis, x.ndim), bool(keepdims)))


def _logsumexp_impl(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    top = np.maximum.reduce(x.real, axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore", over="ignore"):
        # Entries at the top are counted rather than added, so that the others keep their digits.
        highest = x == top
        rest = np.exp(np.where(highest, -np.inf, x - top))
        count = np.add.reduce(highest, axis=axes, dtype=real_dtype(x.dtype), keepdims=True)
        rest = np.add.reduce(rest, axis=axes, keepdims=True)
        some = np.maximum(count, 1)
        ans = np.where(count == 0, np.log(rest), np.log(some) + np.log1p(rest / some)) + top
    return ans if keepdims else ans.reshape([n for i, n in enumerate(ans.shape) if i not in axes])


def log_ratio(x: Tensor, ans: Tensor) -> Tensor:
    """Return x - ans for x ≤ ans, made to mean something at infinities.

    An entry of +∞ is all of its sum, and -∞ is nothing of any sum, of an empty one either.
    """
    where = OPS["where"]
    ans = apply(where, (ans == -math.inf, 0.0, ans))
    return apply(where, (x == math.inf, 0.0, x - ans))


def _logsumexp_vjp(ct: Tensor, ans: Tensor, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return ct * conj(apply(OPS["exp"], (log_ratio(x, ans),)))


def _logsumexp_jvp(ans: Tensor, t: Tensor, x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    share = apply(OPS["exp"], (log_ratio(x, with_axes(ans, x, axes)),))
    return sum_over(t * share, (axes, keepdims))


_logsumexp = direct(reduction("logsumexp", _logsumexp_impl, vjp=_logsumexp_vjp, jvp=_logsumexp_jvp))


install(
    {
        "sum": lambda self, axis=None, dtype=None, keepdims=False: sum(
            self, axis, dtype=dtype, keepdims=keepdims
        ),
        "prod": lambda self, axis=None, dtype=None, keepdims=False: prod(
            self, axis, dtype=dtype, keepdims=keepdims
        ),
        "mean": lambda self, axis=None, keepdims=False: mean(self, axis, keepdims=keepdims),
        "all": lambda self, axis=None, keepdims=False: all(self, axis, keepdims=keepdims),
        "any": lambda self, axis=None, keepdims=False: any(self, axis, keepdims=keepdims),
        "trace": lambda self, offset=0, axis1=0, axis2=1: sum(
            self.diagonal(offset, axis1, axis2), -1
        ),
    }
)
