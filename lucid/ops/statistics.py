"""Statistics: reductions that skip NaN, weighted averages, the range."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from lucid.core.cotangent import conj
from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS
from lucid.core.tensor import Tensor
from lucid.errors import ShapeError, message
from lucid.ops.axes import as_tensor, as_tensors, axes_of, real_dtype
from lucid.ops.extrema import extremum, reduce_extremum, require_entries
from lucid.ops.extrema import max as _max
from lucid.ops.extrema import min as _min
from lucid.ops.moments import var
from lucid.ops.reduce import mean, sum_over

__all__ = ["average", "nanmax", "nanmean", "nanmin", "nanstd", "nansum", "nanvar", "ptp"]


def nansum(
    x: ArrayLike, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False
) -> Tensor:
    """Add up the entries along axes that are not NaN.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        dtype: the dtype to add in and to return, as for `sum`.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The sums; 0 where there is nothing but NaN.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.nansum(lucid.asarray([1.0, float("nan"), 3.0]))
        Tensor(4.)
    """
    x = as_tensor("nansum", x)
    axes = axes_of("nansum", axis, x.ndim)
    return _zero_for_nan(x, x).sum(axes, dtype, keepdims)


def _zero_for_nan(x: Tensor, value: Tensor) -> Tensor:
    """Return `value`, 0 where `x` is NaN."""
    if x.dtype.kind not in "fc":
        return value
    return apply(OPS["where"], (x != x, 0.0, value))


def _count(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return how many entries are not NaN, as numbers to divide by; the axes stay."""
    return sum_over(x == x, (axes, True, real_dtype(x.dtype)))


def nanmean(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Average the entries along axes that are not NaN.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The means; NaN (with NumPy's warning) where there is nothing else.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.nanmean(lucid.asarray([1.0, float("nan"), 3.0]))
        Tensor(2.)
    """
    x = as_tensor("nanmean", x)
    axes = axes_of("nanmean", axis, x.ndim)
    total = sum_over(_zero_for_nan(x, x), (axes, True))
    return _squeeze(total / _count(x, axes), axes, keepdims)


def _squeeze(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if keepdims or not axes:
        return x
    return x.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axes))


def nanmax(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Take the largest entry along axes that is not NaN.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The maxima, of the dtype of `x`; NaN where there is nothing else.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if there is nothing to take the maximum of.

    Example:
        >>> import lucid
        >>> lucid.nanmax(lucid.asarray([1.0, float("nan"), 3.0]))
        Tensor(3.)
    """
    return reduce_extremum("nanmax", _nanmax, x, axis, keepdims)


def nanmin(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Take the smallest entry along axes that is not NaN.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The minima, of the dtype of `x`; NaN where there is nothing else.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if there is nothing to take the minimum of.

    Example:
        >>> import lucid
        >>> lucid.nanmin(lucid.asarray([1.0, float("nan"), 3.0]))
        Tensor(1.)
    """
    return reduce_extremum("nanmin", _nanmin, x, axis, keepdims)


_nanmax = direct(extremum("nanmax", np.fmax, operator.eq))
_nanmin = direct(extremum("nanmin", np.fmin, operator.eq))


def nanvar(
    x: ArrayLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Compute the variance along axes of the entries that are not NaN.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        correction: what to subtract from their number, as for `var`.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The variances; NaN or infinity (with NumPy's warning) where there are no more entries than
        `correction`.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if there is nothing to reduce.

    Example:
        >>> import lucid
        >>> lucid.nanvar(lucid.asarray([1.0, float("nan"), 3.0]))
        Tensor(1.)
    """
    return _nanvar("nanvar", x, axis, correction, keepdims)


def _nanvar(name: str, x: Any, axis: Axis, correction: float, keepdims: bool) -> Tensor:
    x = as_tensor(name, x)
    axes = axes_of(name, axis, x.ndim)
    require_entries(name, x.shape, axes)
    if x.dtype.kind not in "fc":
        return var(x, axes, correction=correction, keepdims=keepdims)
    count = _count(x, axes)
    # Relative to one of them, equal entries deviate by exactly zero, whatever the mean rounds to.
    d = _zero_for_nan(x, x - _nanmax(x, (axes, True)))
    d = _zero_for_nan(x, d - sum_over(d, (axes, True)) / apply(OPS["maximum"], (count, 1.0)))
    square = conj(d) * d
    if square.dtype.kind == "c":
        square = apply(OPS["real"], (square,))
    free = apply(OPS["maximum"], (count - correction, 0.0))
    return _squeeze(sum_over(square, (axes, True)) / free, axes, keepdims)


def nanstd(
    x: ArrayLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Compute the standard deviation along axes of the entries that are not NaN.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        correction: what to subtract from their number, as for `std`.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The standard deviations, whose derivative is 0 where all entries are equal; NaN or infinity
        (with NumPy's warning) where there are no more entries than `correction`.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if there is nothing to reduce.

    Example:
        >>> import lucid
        >>> lucid.nanstd(lucid.asarray([1.0, float("nan"), 3.0]))
        Tensor(1.)
    """
    square = _nanvar("nanstd", x, axis, correction, keepdims)
    where, flat = OPS["where"], square == 0
    root = apply(OPS["sqrt"], (apply(where, (flat, 1.0, square)),))
    return apply(where, (flat, 0.0, root))


def average(
    x: ArrayLike,
    /,
    axis: Axis = None,
    weights: ArrayLike | None = None,
    *,
    keepdims: bool = False,
) -> Tensor:
    """Compute weighted means along axes, Σᵢ wᵢ xᵢ / Σᵢ wᵢ.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        weights: of the shape of `x`, or as long as the reduced axes, in their order; None for
            equal ones.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The weighted means; NaN or infinity (with NumPy's warning) where the weights add up to 0.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if the weights do not fit.

    Example:
        >>> import lucid
        >>> lucid.average(lucid.asarray([1.0, 2.0]), weights=lucid.asarray([3.0, 1.0]))
        Tensor(1.25)
    """
    if weights is None:
        return mean(x, axis, keepdims=keepdims)
    t, w = as_tensors("average", (x, weights))
    axes = axes_of("average", axis, t.ndim)
    if w.shape != t.shape:
        w = _placed_weights(w, t, axes if axis is not None else ())
    mixed = sum_over(t * w, (axes, True)) / sum_over(w, (axes, True))
    return _squeeze(mixed, axes, keepdims)


def _placed_weights(w: Tensor, t: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return weights that go along some axes so that they broadcast."""
    if not axes or w.shape != tuple(t.shape[a] for a in axes):
        want = f"weights of shape {t.shape}, or as long as the axes to reduce"
        raise ShapeError(message("average", want, f"shape {w.shape}"))
    w = apply(OPS["permute_dims"], (w,), (tuple(axes.index(a) for a in sorted(axes)),))
    return w.reshape(tuple(n if i in axes else 1 for i, n in enumerate(t.shape)))


def ptp(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Compute the range along axes, from the smallest to the largest entry ("peak to peak").

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The differences of maximum and minimum.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if there is nothing to reduce.

    Example:
        >>> import lucid
        >>> lucid.ptp(lucid.asarray([3.0, 1.0, 6.0]))
        Tensor(5.)
    """
    x = as_tensor("ptp", x)
    return _max(x, axis, keepdims=keepdims) - _min(x, axis, keepdims=keepdims)
