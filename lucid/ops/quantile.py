"""Order statistics: medians, quantiles and percentiles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, message
from lucid.ops.axes import as_tensor, as_tensors, axes_of, fold_axes, keep_axes, known, slice_axis
from lucid.ops.extrema import equal_or_nan, require_entries, selecting
from lucid.ops.index import take
from lucid.ops.reduce import count_of
from lucid.ops.select import clip, where
from lucid.ops.sort import sort

__all__ = ["median", "percentile", "quantile"]


def median(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Take the median along axes: the entry in the middle, or the mean of the two in the middle.

    Entries that tie for the middle share its cotangent equally.

    Args:
        x: a real array; integers are taken as float64.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The medians; NaN where an entry is NaN.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if there is nothing to take the median of.

    Example:
        >>> import lucid
        >>> lucid.median(lucid.asarray([[1.0, 9.0, 2.0], [4.0, 4.0, 7.0]]), axis=1)
        Tensor([2., 4.])
    """
    t = _floating(as_tensor("median", x))
    axes = axes_of("median", axis, t.ndim)
    require_entries("median", t.shape, axes)
    lower = _middle(t, (axes, bool(keepdims), False))
    if count_of(t, axes) % 2:
        return lower
    return (lower + _middle(t, (axes, bool(keepdims), True))) * 0.5


def _floating(t: Tensor) -> Tensor:
    if t.dtype.kind in "fc":
        return t
    return apply(OPS["astype"], (t,), (np.dtype(np.float64),))


def _middle_impl(x: Any, axes: tuple[int, ...], keepdims: bool, upper: bool) -> Any:
    """Return the entry in the middle, of two the lower or the upper one."""
    kept = [i for i in range(x.ndim) if i not in axes]
    n = count_of(x, axes)
    k = n // 2 if upper else (n - 1) // 2
    flat = x.transpose([*kept, *axes]).reshape([*(x.shape[i] for i in kept), n])
    parted = np.partition(flat, (k, n - 1), -1)
    last = parted[..., n - 1]  # NaN if anything is
    ans = np.where(np.isnan(last), last, parted[..., k])
    return ans.reshape(keep_axes(x.shape, axes)) if keepdims else ans


_middle = direct(selecting("middle", _middle_impl, equal_or_nan))


# -- quantiles -------------------------------------------------------------------------------------

# A quantile lies at a place v among the sorted entries, counted from 0, and mixes the entries
# before and after it: a method says how v and the weight of the entry after follow from q and n.
# R. J. Hyndman, Y. Fan, Sample quantiles in statistical packages, Am. Stat. 50 (1996) 361-365.

Place = Callable[[Any, int], Any]
Weight = Callable[[Any, Any], Any]


def _linear(v: Any, low: Any) -> Any:
    return v - low


def _continuous(alpha: float, beta: float) -> tuple[Place, Weight]:
    return lambda q, n: n * q + (alpha + q * (1 - alpha - beta) - 1), _linear


def _among(q: Any, n: int) -> Any:
    return (n - 1) * q


def _number(condition: Any) -> Any:
    return where(condition, 1.0, 0.0)


_METHODS: dict[str, tuple[Place, Weight]] = {
    "linear": (_among, _linear),
    "lower": (_among, lambda v, low: (v - low) * 0),
    "higher": (_among, lambda v, low: _number(v > low)),
    "midpoint": (_among, lambda v, low: _number(v > low) * 0.5),
    "nearest": (
        _among,
        lambda v, low: _number((v - low > 0.5) | ((v - low == 0.5) & (low % 2 == 1))),
    ),
    "inverted_cdf": (lambda q, n: n * q - 1, lambda v, low: _number(v > low)),
    "averaged_inverted_cdf": (
        lambda q, n: n * q - 1,
        lambda v, low: _number(v > low) * 0.5 + 0.5,
    ),
    "closest_observation": (
        lambda q, n: n * q - 1.5,
        lambda v, low: _number((v > low) | (low % 2 == 0)),
    ),
    "interpolated_inverted_cdf": _continuous(0, 1),
    "hazen": _continuous(0.5, 0.5),
    "weibull": _continuous(0, 0),
    "median_unbiased": _continuous(1 / 3, 1 / 3),
    "normal_unbiased": _continuous(3 / 8, 3 / 8),
}


def quantile(
    x: ArrayLike,
    q: Any,
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Compute quantiles along axes: what a fraction q of the entries does not exceed.

    Differentiable with respect to `x`, and for continuous methods with respect to `q`. Among equal
    entries the cotangent goes to those that a stable sort puts at the place.

    Args:
        x: a real array; integers are taken as float64.
        q: fractions from 0 to 1, a number or an array of any shape.
        axis: the axis or axes to reduce; None reduces all of them.
        method: how to estimate a quantile between two entries; the names are NumPy's.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The quantiles: the axes of `q`, followed by those of `x` that remain; NaN where an entry is
        NaN.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if there is nothing to take the quantile of.
        OperandError: if a fraction lies outside 0 to 1 (under `vmap` and `jit` the result is NaN
            instead), or there is no such method.

    Example:
        >>> import lucid
        >>> lucid.quantile(lucid.asarray([1.0, 2.0, 4.0, 8.0]), lucid.asarray([0.5, 1.0]))
        Tensor([3., 8.])
    """
    return _quantile("quantile", x, q, 1, axis, method, keepdims)


def percentile(
    x: ArrayLike,
    q: Any,
    /,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Compute percentiles along axes: quantiles of fractions q / 100.

    Args:
        x: a real array; integers are taken as float64.
        q: percentages from 0 to 100, a number or an array of any shape.
        axis: the axis or axes to reduce; None reduces all of them.
        method: as for `quantile`.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The percentiles, shaped as those of `quantile`.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if there is nothing to take the percentile of.
        OperandError: if a percentage lies outside 0 to 100, or there is no such method.

    Example:
        >>> import lucid
        >>> lucid.percentile(lucid.asarray([1.0, 2.0, 4.0, 8.0]), 50)
        Tensor(3.)
    """
    return _quantile("percentile", x, q, 100, axis, method, keepdims)


def _quantile(
    name: str, x: Any, q: Any, whole: int, axis: Axis, method: str, keepdims: bool
) -> Tensor:
    weak = isinstance(q, int | float)
    t, fractions = as_tensors(name, (x, np.float64(q) if weak else _array(q)))
    t, fractions = _floating(t), _floating(fractions)
    if method not in _METHODS:
        raise OperandError(message(name, f"a method among {', '.join(_METHODS)}", repr(method)))
    given = known(fractions)
    if given is not None and not np.all((given >= 0) & (given <= whole)):
        raise OperandError(message(name, f"q from 0 to {whole}", str(q)))
    if whole != 1:
        fractions = fractions / whole
    axes = axes_of(name, axis, t.ndim)
    require_entries(name, t.shape, axes)
    ans = _at_fractions(t, axes, fractions.reshape((fractions.size,)), method, weak)
    if given is None:  # under `vmap` or `jit` a fraction cannot be refused
        outside = (fractions < 0) | (fractions > 1)
        outside = outside.reshape((fractions.size, *(1,) * (ans.ndim - 1)))
        ans = where(outside, math.nan, ans)
    kept = keep_axes(t.shape, axes)
    rest = kept if keepdims else tuple(n for i, n in enumerate(kept) if i not in axes)
    return ans.reshape((*fractions.shape, *rest))


def _array(q: Any) -> Any:
    return Tensor(q) if isinstance(q, list | tuple) else q


def _at_fractions(t: Tensor, axes: tuple[int, ...], q: Tensor, method: str, weak: bool) -> Tensor:
    """Return the quantiles for a vector of fractions, which becomes the first axis."""
    ordered = sort(fold_axes(t, axes))
    last = ordered.ndim - 1
    n = ordered.shape[last]
    place, weigh = _METHODS[method]
    v = place(q, n)
    low = apply(OPS["floor"], (v,))
    if method == "linear":  # mixed at the very end too, for the sake of the slope there
        low = apply(OPS["minimum"], (low, max(n - 2, 0)))
    weight = weigh(v, low)
    if weak:
        weight = apply(OPS["astype"], (weight,), (t.dtype,))
    k = apply(OPS["astype"], (low,), (np.dtype(np.int64),))
    before, after = (take(ordered, clip(i, 0, n - 1), axis=last) for i in (k, k + 1))
    ans = _mix(before, after, weight)
    nan = slice_axis(ordered, last, n - 1, None)  # NaN if anything is
    ans = where(nan != nan, nan, ans)
    return apply(OPS["permute_dims"], (ans,), ((last, *range(last)),))


def _mix(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Return a + weight (b - a), exact at either end and without ∞ - ∞ where that can be."""
    step = b - a
    between = where(weight < 0.5, a + step * weight, b - step * (1 - weight))
    infinite = (abs(a) == math.inf) | (abs(b) == math.inf)
    mixed = a * (1 - weight) + b * weight
    return where(infinite, where(weight == 0, a, where(weight == 1, b, mixed)), between)
