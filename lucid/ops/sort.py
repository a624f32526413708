"""Order: sorting, the largest and smallest elements, and places in sorted arrays."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any, NamedTuple

import numpy as np

from lucid.core.cotangent import fit
from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS, Aval
from lucid.core.reductions import reduction
from lucid.core.tensor import Tensor, install
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensor, axes_of, axis_of, slice_axis
from lucid.ops.index import along, coordinates, scatter_add
from lucid.ops.rowwise import operands, rowwise
from lucid.ops.shape import ravel, reshape

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "count_nonzero",
    "searchsorted",
    "sort",
    "topk",
]


# -- sorting ---------------------------------------------------------------------------------------


def sort(
    x: ArrayLike, /, axis: int | None = -1, *, descending: bool = False, stable: bool = True
) -> Tensor:
    """Sort the elements along an axis.

    NaN is taken for the largest number. The derivative takes each cotangent back to where its
    element came from; among equal elements the order is that of a stable sort.

    Args:
        x: any shape and dtype.
        axis: the axis; None puts all elements on one axis first.
        descending: whether the largest comes first.
        stable: accepted for the standard's sake: equal elements cannot be told apart here.

    Returns:
        A Tensor of the shape and dtype of `x`.

    Example:
        >>> import lucid
        >>> lucid.sort(lucid.asarray([3.0, 1.0, 2.0]))
        Tensor([1., 2., 3.])
    """
    t, a = _along(as_tensor("sort", x), "sort", axis)
    return _sort(t, (a, bool(descending)))


def _along(t: Tensor, name: str, axis: int | None) -> tuple[Tensor, int]:
    if axis is None or not t.ndim:
        t = ravel(t) if axis is None else t
        axis = 0 if axis is None else axis
    return t, axis_of(name, axis, t.ndim)


def _sort_impl(x: Any, axis: int, descending: bool) -> Any:
    out = np.sort(x, axis)
    return np.flip(out, axis) if descending else out


def _order(x: Tensor, axis: int, descending: bool) -> list[Tensor]:
    """Return where the elements of the sorted array come from, as indices for all axes."""
    return coordinates(x.shape, _argsort(x, (axis, descending, True)), axis)


def _back(ct: Tensor, x: Tensor, axis: int, descending: bool) -> Tensor:
    """Take elements of the sorted array back to where they came from."""
    everywhere = (x.shape, tuple(range(x.ndim)), 0, True)
    return scatter_add(ct, _order(x, axis, descending), everywhere)


def _live(mask: Tensor, i: int, ans: Tensor, args: Any, axis: int, descending: bool) -> Tensor:
    return _back(mask, args[0], axis, descending)


_MANY = 1024  # elements from which on a stable order takes longer than to see that any will do


def _order_raw(x: Any, ans: Any, axis: int, descending: bool) -> Any:
    """Return the stable order of a plain array, by a faster sort if no elements are equal."""
    if x.size < _MANY:
        return _argsort_impl(x, axis, descending, True)
    row = np.moveaxis(ans, axis, 0)
    last = row[0 if descending else -1]  # NaN, which equals nothing, is found there
    distinct = not ((row[1:] == row[:-1]).any() or (last != last).any())
    if not distinct:
        return _argsort_impl(x, axis, descending, True)
    order = np.argsort(x, axis)
    return np.flip(order, axis) if descending else order


def _sort_raw(ct: Any, ans: Any, x: Any, axis: int, descending: bool) -> Any:
    out = np.empty(x.shape, ct.dtype)
    order = _order_raw(x, ans, axis, descending)
    if x.ndim == 1:
        out[order] = ct
    else:
        np.put_along_axis(out, order, ct, axis)
    return out


_sort = direct(
    general(
        "sort",
        _sort_impl,
        infer=lambda x, axis, descending: Aval(x.shape, x.dtype),
        jvp=lambda ans, tangents, args, axis, descending: along(
            tangents[0], _argsort(args[0], (axis, descending, True)), axis, unique=True
        ),
        vjps=[lambda ct, ans, x, axis, descending: fit(_back(ct, x, axis, descending), x)],
        batch=lambda size, batched, args, axis, descending: _sort(args[0], (axis + 1, descending)),
        live=_live,
    )
)
OPS["sort"].raw = (_sort_raw,)


def argsort(
    x: ArrayLike, /, axis: int | None = -1, *, descending: bool = False, stable: bool = True
) -> Tensor:
    """Return where the elements of the sorted array come from.

    Args:
        x: any shape and dtype.
        axis: the axis; None puts all elements on one axis first.
        descending: whether the largest comes first.
        stable: whether equal elements keep their order; without, it may be faster.

    Returns:
        An int64 Tensor of the shape of `x`. It has no derivative.

    Example:
        >>> import lucid
        >>> lucid.argsort(lucid.asarray([3.0, 1.0, 2.0]), descending=True)
        Tensor([0, 2, 1])
    """
    t, a = _along(as_tensor("argsort", x), "argsort", axis)
    return _argsort(t, (a, bool(descending), bool(stable)))


def _argsort_impl(x: Any, axis: int, descending: bool, stable: bool) -> Any:
    kind = "stable" if stable else None
    if not descending:
        return np.argsort(x, axis, kind)
    # reversed before as well as after, so that equal elements keep their order
    return np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis, kind), axis)


_argsort = direct(
    general(
        "argsort",
        _argsort_impl,
        infer=lambda x, axis, descending, stable: Aval(x.shape, np.dtype(np.intp)),
        batch=lambda size, batched, args, axis, *params: _argsort(args[0], (axis + 1, *params)),
        smooth=False,
    )
)


class TopK(NamedTuple):
    """The largest or smallest elements along an axis, and where they are."""

    values: Tensor
    indices: Tensor


def topk(x: ArrayLike, k: int, /, axis: int = -1, *, largest: bool = True) -> TopK:
    """Return the k largest elements along an axis, the largest first, and where they are.

    NaN is taken for the largest number; of equal elements the first comes first.

    Args:
        x: at least one axis, any dtype.
        k: how many, at most as many as the axis is long.
        axis: the axis.
        largest: False for the smallest elements, the smallest first.

    Returns:
        ``(values, indices)``, both with k elements along the axis; the indices are int64.

    Raises:
        ShapeError: if k is negative or larger than the axis is long.

    Example:
        >>> import lucid
        >>> lucid.topk(lucid.asarray([3.0, 1.0, 2.0]), 2)
        TopK(values=Tensor([3., 2.]), indices=Tensor([0, 2]))
    """
    t = as_tensor("topk", x)
    a, count = axis_of("topk", axis, t.ndim), index(k)
    if not 0 <= count <= t.shape[a]:
        raise ShapeError(message("topk", f"k from 0 to {t.shape[a]}", f"k={k}"))
    places = slice_axis(_argsort(t, (a, bool(largest), True)), a, 0, count)
    return TopK(along(t, places, a, unique=True), places)


# -- extremes --------------------------------------------------------------------------------------


def argmax(x: ArrayLike, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return where the largest element along an axis is; of equal ones, the first.

    NaN is taken for the largest number.

    Args:
        x: any shape and dtype.
        axis: the axis; by default the place among all elements, the last axis fastest.
        keepdims: whether reduced axes stay with length 1.

    Returns:
        An int64 Tensor. It has no derivative.

    Raises:
        ShapeError: if there is no element to choose from.

    Example:
        >>> import lucid
        >>> lucid.argmax(lucid.asarray([[1, 5], [7, 3]]), axis=1)
        Tensor([1, 0])
    """
    return _arg_extreme(_argmax, as_tensor("argmax", x), "argmax", axis, keepdims)


def argmin(x: ArrayLike, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Return where the smallest element along an axis is; of equal ones, the first.

    NaN is taken for the smallest number.

    Args:
        x: any shape and dtype.
        axis: the axis; by default the place among all elements, the last axis fastest.
        keepdims: whether reduced axes stay with length 1.

    Returns:
        An int64 Tensor. It has no derivative.

    Raises:
        ShapeError: if there is no element to choose from.

    Example:
        >>> import lucid
        >>> lucid.argmin(lucid.asarray([[1, 5], [7, 3]]))
        Tensor(0)
    """
    return _arg_extreme(_argmin, as_tensor("argmin", x), "argmin", axis, keepdims)


def _arg_extreme(call: Any, t: Tensor, name: str, axis: int | None, keepdims: bool) -> Tensor:
    if axis is None:
        found = call(ravel(t), (0, False))
        return reshape(found, (1,) * t.ndim) if keepdims else found
    return call(t, (axis_of(name, axis, t.ndim), bool(keepdims)))


def _arg_op(name: str, impl: Callable[..., Any]) -> Any:
    def infer(x: Aval, axis: int, keepdims: bool) -> Aval:
        middle = (1,) if keepdims else ()
        return Aval((*x.shape[:axis], *middle, *x.shape[axis + 1 :]), np.dtype(np.intp))

    op = general(
        name,
        lambda x, axis, keepdims: impl(x, axis, keepdims=keepdims),
        infer=infer,
        batch=lambda size, batched, args, axis, keepdims: call(args[0], (axis + 1, keepdims)),
        smooth=False,
    )
    call = direct(op)
    return call


_argmax = _arg_op("argmax", np.argmax)
_argmin = _arg_op("argmin", np.argmin)


def count_nonzero(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Count the elements that are not zero.

    Args:
        x: any shape and dtype.
        axis: the axes to count along; by default all.
        keepdims: whether reduced axes stay with length 1.

    Returns:
        An int64 Tensor. It has no derivative.

    Example:
        >>> import lucid
        >>> lucid.count_nonzero(lucid.asarray([0, 3, 0, 5]))
        Tensor(2)
    """
    t = as_tensor("count_nonzero", x)
    return _count_nonzero(t, (axes_of("count_nonzero", axis, t.ndim), bool(keepdims)))


_count_nonzero = direct(
    reduction(
        "count_nonzero",
        lambda x, axes, keepdims: np.count_nonzero(x, axes, keepdims=keepdims),
        smooth=False,
    )
)


# -- places in sorted arrays -----------------------------------------------------------------------


def searchsorted(
    x1: ArrayLike, x2: ArrayLike, /, *, side: str = "left", sorter: Any = None
) -> Tensor:
    """Return where numbers would have to be inserted so that a sorted array stays sorted.

    Args:
        x1: a vector in ascending order.
        x2: numbers, of any shape.
        side: among equal elements, "left" of them or "right".
        sorter: indices that sort `x1`, which then need not be sorted.

    Returns:
        An int64 Tensor of the shape of `x2`. It has no derivative.

    Raises:
        ShapeError: if `x1` is not a vector.
        OperandError: for another side.

    Example:
        >>> import lucid
        >>> lucid.searchsorted(lucid.asarray([1.0, 2.0, 3.0]), 2.5)
        Tensor(2)
    """
    if side not in ("left", "right"):
        raise OperandError(message("searchsorted", 'side "left" or "right"', repr(side)))
    t, v = operands("searchsorted", x1, x2)
    if t.ndim != 1:
        raise ShapeError(message("searchsorted", "a vector to search in", f"shape {t.shape}"))
    if sorter is not None:
        t = t[sorter]
    return apply(_searchsorted, (t, v), (side, 0))


_searchsorted = rowwise(
    "searchsorted", lambda a, v, side: np.searchsorted(a, v, side), np.intp, like=1
)


def _sort_method(self: Tensor, axis: int = -1) -> Tensor:
    """Return the elements sorted along an axis."""
    return sort(self, axis)


install({"sort": _sort_method, "argsort": argsort, "argmax": argmax, "argmin": argmin})
