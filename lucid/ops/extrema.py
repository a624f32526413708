"""Extrema: the largest and smallest entries along axes, and what else selects entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS, Op, Rule
from lucid.core.reductions import reduction
from lucid.core.tensor import Tensor, install
from lucid.errors import ShapeError, message
from lucid.ops.axes import as_tensor, axes_of, keep_axes
from lucid.ops.reduce import sum_over, with_axes

__all__ = ["max", "min"]


def max(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:  # noqa: A001 - NumPy's name
    """Take the largest entry along axes.

    Entries that tie for the maximum share its cotangent equally; NaN is larger than anything.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The maxima, of the dtype of `x`.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice, or there is nothing to take the maximum of.

    Example:
        >>> import lucid
        >>> lucid.max(lucid.asarray([[1.0, 5.0], [3.0, 4.0]]), axis=0)
        Tensor([3., 5.])
    """
    return reduce_extremum("max", _max, x, axis, keepdims)


def min(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:  # noqa: A001 - NumPy's name
    """Take the smallest entry along axes.

    Entries that tie for the minimum share its cotangent equally; NaN is smaller than anything.

    Args:
        x: a numeric array.
        axis: the axis or axes to reduce; None reduces all of them.
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The minima, of the dtype of `x`.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice, or there is nothing to take the minimum of.

    Example:
        >>> import lucid
        >>> lucid.min(lucid.asarray([[1.0, 5.0], [3.0, 4.0]]), axis=0)
        Tensor([1., 4.])
    """
    return reduce_extremum("min", _min, x, axis, keepdims)


def reduce_extremum(name: str, call: Any, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    """Do what `max`, `min` and their relatives share: refuse the extremum of nothing."""
    x = as_tensor(name, x)
    axes = axes_of(name, axis, x.ndim)
    require_entries(name, x.shape, axes)
    return call(x, (axes, bool(keepdims)))


def require_entries(name: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    """Raise if results would be made of no entries at all."""
    empty = [i for i in axes if shape[i] == 0]
    if empty:
        got = f"shape {shape}, whose axis {empty[0]} has length 0"
        raise ShapeError(message(name, "at least one entry to reduce", got))


def selecting(name: str, impl: Rule, chosen: Callable[[Tensor, Tensor], Tensor]) -> Op:
    """Register a reduction whose result is one of the entries; those that tie share its cotangent.

    Args:
        name: the operation's name.
        impl: ``impl(x, axes, keepdims, *more)``.
        chosen: ``chosen(x, ans)``, the entries that are the result.
    """

    def share(x: Tensor, ans: Tensor, axes: Any) -> tuple[Tensor, Tensor]:
        where = chosen(x, ans)
        return where, sum_over(where, (axes, True, ans.dtype))

    def vjp(ct: Tensor, ans: Tensor, x: Tensor, axes: Any, *_: Any) -> Tensor:
        where, count = share(x, ans, axes)
        return apply(OPS["where"], (where, ct / count, 0.0))

    def jvp(ans: Tensor, t: Tensor, x: Tensor, axes: Any, keepdims: bool, *_: Any) -> Tensor:
        where, count = share(x, with_axes(ans, x, axes), axes)
        change = apply(OPS["where"], (where, t, 0.0))
        total = sum_over(change, (axes, True)) / count
        return total if keepdims else apply(OPS["reshape"], (total,), (ans.shape,))

    def masks(i: int, ans: Tensor, operands: Any, axes: Any, *_: Any) -> Tensor:
        return chosen(operands[0], with_axes(ans, operands[0], axes))

    return reduction(name, impl, vjp=vjp, jvp=jvp, masks=masks)


def equal_or_nan(x: Tensor, ans: Tensor) -> Tensor:
    """Return which entries are the result, where NaN wins over everything."""
    return (x == ans) | (x != x)


def extremum(name: str, ufunc: np.ufunc, chosen: Callable[[Tensor, Tensor], Tensor]) -> Op:
    """Register the reduction by `np.maximum` or one of its relatives."""
    return selecting(
        name, lambda x, axes, keepdims: ufunc.reduce(x, axis=axes, keepdims=keepdims), chosen
    )


def _extremum_raw(ct: Any, ans: Any, x: Any, axes: Any, keepdims: bool) -> Any:
    if not keepdims and ans.ndim:
        kept = keep_axes(x.shape, axes)
        ct, ans = ct.reshape(kept), ans.reshape(kept)
    where = x == ans
    count = np.add.reduce(where, axes, x.dtype, keepdims=True)
    if not count.all():
        where |= x != x
        count = np.add.reduce(where, axes, x.dtype, keepdims=True)
    return np.where(where, ct / count, 0)


_max = direct(extremum("max", np.maximum, equal_or_nan))
_min = direct(extremum("min", np.minimum, equal_or_nan))
OPS["max"].raw = OPS["min"].raw = (_extremum_raw,)


install(
    {
        "max": lambda self, axis=None, keepdims=False: max(self, axis, keepdims=keepdims),
        "min": lambda self, axis=None, keepdims=False: min(self, axis, keepdims=keepdims),
    }
)
