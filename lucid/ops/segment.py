"""Segments: entries brought together by what an array of integers says they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit, spread
from lucid.core.define import general, move_batch_first
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
from lucid.errors import (
    ConcretizationError,
    IndexOutOfBoundsError,
    OperandError,
    ShapeError,
    message,
)
from lucid.ops.axes import as_tensor, as_tensors, known, real_dtype
from lucid.ops.index import scatter_add, take
from lucid.ops.recurrence import recur, shift
from lucid.ops.select import where
from lucid.ops.sort import argsort

__all__ = [
    "bincount",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
]

_FIRST = ((0,), 0, False)  # places along the first axis, several of them perhaps the same


def _segments(name: str, data: Any, ids: Any, count: int | None) -> tuple[Tensor, Tensor, int]:
    """Return data and segments with one axis of entries in front, and the number of segments."""
    t, k = as_tensors(name, (data, ids))
    if k.dtype.kind not in "iu" or not k.ndim:
        got = f"{k.dtype} of shape {k.shape}"
        raise OperandError(message(name, "segment_ids as an array of integers", got))
    if t.shape[: k.ndim] != k.shape:
        want = f"segment_ids for the leading axes of data of shape {t.shape}"
        raise ShapeError(message(name, want, f"shape {k.shape}"))
    count = _check_range(name, known(k), count, "num_segments")
    t = t.reshape((k.size, *t.shape[k.ndim :]))
    k = apply(OPS["astype"], (k,), (np.dtype(np.int64),))
    return t, k.reshape((k.size,)), count


def _check_range(name: str, ids: Any, count: int | None, option: str) -> int:
    if ids is None:
        if count is None:
            hint = f"pass {option}= under vmap and jit, where the shape must be known"
            raise ConcretizationError(message(name, option, "none", hint))
        return count
    lowest, highest = int(ids.min(initial=0)), int(ids.max(initial=-1))
    if count is None:
        count = highest + 1
    if lowest < 0 or highest >= count:
        got = str(lowest if lowest < 0 else highest)
        raise IndexOutOfBoundsError(message(name, f"integers from 0 to {count - 1}", got))
    return count


def segment_sum(
    data: ArrayLike, segment_ids: ArrayLike, /, num_segments: int | None = None
) -> Tensor:
    """Add up the entries of each segment, yₖ = Σ xᵢ over all i of segment k.

    Args:
        data: entries along the leading axes.
        segment_ids: for each entry the number of its segment, in any order; an integer array whose
            shape is that of the leading axes of `data`.
        num_segments: the number of segments; by default one more than the largest in
            `segment_ids`.

    Returns:
        The sums, of shape (num_segments, ...) and the dtype of `data`; 0 for an empty segment.

    Raises:
        ShapeError: if `segment_ids` does not fit `data`.
        IndexOutOfBoundsError: if a segment is negative, or `num_segments` or more.
        ConcretizationError: if `num_segments` is not given under `vmap` or `jit`.

    Example:
        >>> import lucid
        >>> lucid.segment_sum(lucid.asarray([1.0, 2.0, 4.0]), lucid.asarray([0, 2, 0]))
        Tensor([5., 0., 2.])
    """
    return _sum(*_segments("segment_sum", data, segment_ids, num_segments))


def _sum(data: Tensor, ids: Tensor, count: int) -> Tensor:
    return scatter_add(data, [ids], ((count, *data.shape[1:]), *_FIRST))


def segment_mean(
    data: ArrayLike, segment_ids: ArrayLike, /, num_segments: int | None = None
) -> Tensor:
    """Average the entries of each segment.

    Args:
        data: entries along the leading axes.
        segment_ids: for each entry the number of its segment, as for `segment_sum`.
        num_segments: the number of segments; by default one more than the largest.

    Returns:
        The means, of shape (num_segments, ...); 0 for an empty segment.

    Raises:
        ShapeError: if `segment_ids` does not fit `data`.
        IndexOutOfBoundsError: if a segment is negative, or `num_segments` or more.
        ConcretizationError: if `num_segments` is not given under `vmap` or `jit`.

    Example:
        >>> import lucid
        >>> lucid.segment_mean(lucid.asarray([1.0, 2.0, 4.0]), lucid.asarray([0, 2, 0]))
        Tensor([2.5, 0. , 2. ])
    """
    t, ids, count = _segments("segment_mean", data, segment_ids, num_segments)
    total = _sum(t, ids, count)
    ones = Tensor(np.ones(ids.shape, real_dtype(total.dtype)))
    number = apply(OPS["maximum"], (_sum(ones, ids, count), 1.0))
    return total / number.reshape((count, *(1,) * (total.ndim - 1)))


def segment_max(
    data: ArrayLike, segment_ids: ArrayLike, /, num_segments: int | None = None
) -> Tensor:
    """Take the largest entry of each segment; those that tie share its cotangent equally.

    Args:
        data: entries along the leading axes.
        segment_ids: for each entry the number of its segment, as for `segment_sum`.
        num_segments: the number of segments; by default one more than the largest.

    Returns:
        The maxima, of shape (num_segments, ...) and the dtype of `data`; for an empty segment -∞,
        or the smallest integer.

    Raises:
        ShapeError: if `segment_ids` does not fit `data`.
        IndexOutOfBoundsError: if a segment is negative, or `num_segments` or more.
        ConcretizationError: if `num_segments` is not given under `vmap` or `jit`.

    Example:
        >>> import lucid
        >>> lucid.segment_max(lucid.asarray([1.0, 2.0, 4.0]), lucid.asarray([0, 1, 0]))
        Tensor([4., 2.])
    """
    return _extremum("segment_max", data, segment_ids, num_segments)


def segment_min(
    data: ArrayLike, segment_ids: ArrayLike, /, num_segments: int | None = None
) -> Tensor:
    """Take the smallest entry of each segment; those that tie share its cotangent equally.

    Args:
        data: entries along the leading axes.
        segment_ids: for each entry the number of its segment, as for `segment_sum`.
        num_segments: the number of segments; by default one more than the largest.

    Returns:
        The minima, of shape (num_segments, ...) and the dtype of `data`; for an empty segment +∞,
        or the largest integer.

    Raises:
        ShapeError: if `segment_ids` does not fit `data`.
        IndexOutOfBoundsError: if a segment is negative, or `num_segments` or more.
        ConcretizationError: if `num_segments` is not given under `vmap` or `jit`.

    Example:
        >>> import lucid
        >>> lucid.segment_min(lucid.asarray([1.0, 2.0, 4.0]), lucid.asarray([0, 1, 0]))
        Tensor([1., 2.])
    """
    return _extremum("segment_min", data, segment_ids, num_segments)


def _extremum(name: str, data: Any, segment_ids: Any, num_segments: int | None) -> Tensor:
    t, ids, count = _segments(name, data, segment_ids, num_segments)
    largest = name == "segment_max"
    if t.dtype.kind in "iu":
        limits = np.iinfo(t.dtype)
        start: Any = limits.min if largest else limits.max
    else:
        start = -np.inf if largest else np.inf
    nothing = Tensor(np.full((count, *t.shape[1:]), start, t.dtype))
    return apply(OPS["scatter_max" if largest else "scatter_min"], (nothing, t, ids), _FIRST)


def segment_prod(
    data: ArrayLike, segment_ids: ArrayLike, /, num_segments: int | None = None
) -> Tensor:
    """Multiply the entries of each segment.

    The derivative is made of products of the other entries, never of quotients, so that zeros
    among them do no harm.

    Args:
        data: entries along the leading axes.
        segment_ids: for each entry the number of its segment, as for `segment_sum`.
        num_segments: the number of segments; by default one more than the largest.

    Returns:
        The products, of shape (num_segments, ...) and the dtype of `data`; 1 for an empty segment.

    Raises:
        ShapeError: if `segment_ids` does not fit `data`.
        IndexOutOfBoundsError: if a segment is negative, or `num_segments` or more.
        ConcretizationError: if `num_segments` is not given under `vmap` or `jit`.

    Example:
        >>> import lucid
        >>> lucid.segment_prod(lucid.asarray([2.0, 3.0, 4.0]), lucid.asarray([0, 1, 0]))
        Tensor([8., 3.])
    """
    t, ids, count = _segments("segment_prod", data, segment_ids, num_segments)
    return apply(_prod, (t, ids), (count,))


def _prod_impl(data: Any, ids: Any, count: int) -> Any:
    ans = np.ones((count, *data.shape[1:]), data.dtype)
    np.multiply.at(ans, ids, data)
    return ans


def _others(data: Tensor, ids: Tensor) -> Tensor:
    """Return for each entry the product of all others in its segment."""
    order = argsort(ids)
    x, k = take(data, order, axis=0), take(ids, order) + 1
    column = (k.size, *(1,) * (x.ndim - 1))
    same = (k == shift(k, 0)).reshape(column)  # as the entry before; the first is not, as 0 < k
    same_next = shift(same, 0, True)
    before = recur(*_within(same, shift(x, 0)), 0)
    after = recur(*_within(same_next, shift(x, 0, True)), 0, True)
    return take(before * after, argsort(order), axis=0)


def _within(same: Tensor, neighbour: Tensor) -> tuple[Tensor, Tensor]:
    """Return the coefficients of pᵢ = neighbourᵢ pᵢ₋₁ within a segment and 1 where one begins."""
    one = Tensor(np.ones((), neighbour.dtype))
    start = apply(OPS["broadcast_to"], (where(same, 0, one),), (neighbour.shape,))
    return where(same, neighbour, 0), start


def _prod_batch(size: int, batched: Any, operands: Any, count: int) -> Tensor:
    data, ids = move_batch_first(size, batched, operands)
    n, *rest = data.shape[1:]
    ids = ids + Tensor(np.arange(0, size * count, count).reshape(size, 1)) if count else ids
    flat = data.reshape((size * n, *rest)), ids.reshape((size * n,))
    return apply(_prod, flat, (size * count,)).reshape((size, count, *rest))


_prod = general(
    "segment_prod",
    _prod_impl,
    infer=lambda x, ids, count: Aval((count, *x.shape[1:]), x.dtype),
    jvp=lambda ans, tangents, args, count: spread(
        _sum(tangents[0] * _others(*args), args[1], count), ans
    ),
    vjps=(
        lambda ct, ans, x, ids, count: fit(take(ct, ids, axis=0) * conj(_others(x, ids)), x),
        None,
    ),
    batch=_prod_batch,
)


def bincount(
    x: ArrayLike,
    /,
    weights: ArrayLike | None = None,
    minlength: int = 0,
    *,
    length: int | None = None,
) -> Tensor:
    """Count how often each integer occurs, or add up the weights of its occurrences.

    Args:
        x: a vector of integers from 0 on.
        weights: numbers to add up instead of ones, a vector as long as `x`.
        minlength: the least length of the result.
        length: the length of the result, needed under `vmap` and `jit`; by default one more than
            the largest integer, but at least `minlength`.

    Returns:
        The counts, int64; or the sums of weights, of their dtype.

    Raises:
        ShapeError: if `x` is no vector, or `weights` does not fit it.
        IndexOutOfBoundsError: if an integer is negative, or `length` or more.
        ConcretizationError: if `length` is not given under `vmap` or `jit`.

    Example:
        >>> import lucid
        >>> lucid.bincount(lucid.asarray([0, 2, 2]), weights=lucid.asarray([1.0, 0.5, 0.25]))
        Tensor([1.  , 0.  , 0.75])
    """
    t = as_tensor("bincount", x)
    if t.ndim != 1:
        raise ShapeError(message("bincount", "a vector of integers", f"shape {t.shape}"))
    if length is None:
        length = max(_check_range("bincount", known(t), None, "length"), minlength)
    data, _ = as_tensors("bincount", (np.ones(t.shape, int) if weights is None else weights, t))
    if data.shape != t.shape:
        want = f"weights of shape {t.shape}, one for each integer"
        raise ShapeError(message("bincount", want, f"shape {data.shape}"))
    return _sum(*_segments("bincount", data, t, length))
