"""Embeddings: rows of a table, looked up by integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, IndexOutOfBoundsError, OptionError, ShapeError, message
from lucid.ops.axes import as_tensor, known
from lucid.ops.index import take
from lucid.ops.linalg.norms import vector_norm
from lucid.ops.segment import segment_max, segment_sum
from lucid.ops.select import maximum, where
from lucid.transforms.stop import stop_gradient

__all__ = ["embedding", "embedding_bag", "one_hot"]


def embedding(
    input: ArrayLike,
    weight: ArrayLike,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Tensor:
    """Return rows of a table.

    Args:
        input: the numbers of rows, integers of any shape.
        weight: the table, of shape (rows, width).
        padding_idx: a row that has no gradient.
        max_norm: the greatest length of a row in the result, where longer ones are shortened; the
            table stays as it is, and the gradient does not see it.
        norm_type: of which norm.
        scale_grad_by_freq: whether the gradient of a row is divided by how often it is looked up.

    Returns:
        The rows, of shape (*input.shape, width).

    Raises:
        DTypeError: if `input` is no integer array.
        ShapeError: if `weight` is no matrix.
        IndexOutOfBoundsError: if there is no such row.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> table = lucid.asarray([[1.0, 2.0], [3.0, 4.0]])
        >>> functional.embedding(lucid.asarray([1, 1]), table)
        Tensor([[3., 4.],
                [3., 4.]])
    """
    name = "embedding"
    index, table = _checked(name, input, weight)
    padding = _padding(name, padding_idx, table.shape[0])
    return _rows(index, table, padding, max_norm, norm_type, scale_grad_by_freq)


def _checked(name: str, input: ArrayLike, weight: ArrayLike) -> tuple[Tensor, Tensor]:
    index, table = as_tensor(name, input), as_tensor(name, weight)
    if index.dtype.kind not in "iu":
        hint = "convert it with .astype(lucid.int64)"
        raise DTypeError(message(name, "integers", str(index.dtype), hint))
    if table.ndim != 2:
        raise ShapeError(message(name, "a weight of shape (rows, width)", f"shape {table.shape}"))
    numbers = known(index)
    if numbers is not None and numbers.size:
        low, high = numbers.min(), numbers.max()
        if low < 0 or high >= table.shape[0]:
            want = f"rows from 0 to {table.shape[0] - 1}"
            raise IndexOutOfBoundsError(message(name, want, f"{low if low < 0 else high}"))
    return index, table


def _padding(name: str, padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        want = f"padding_idx from {-rows} to {rows - 1}"
        raise IndexOutOfBoundsError(message(name, want, str(padding_idx)))
    return padding_idx % rows


def _rows(
    index: Tensor, table: Tensor, padding: int | None, longest: Any, p: float, shared: bool
) -> Tensor:
    """Look rows up; what differs from that is added: a constant, or 0 with a gradient."""
    rows = take(table, index, axis=0)
    if longest is not None:
        length = vector_norm(rows, axis=-1, ord=p, keepdims=True)
        scale = where(length > longest, longest / (length + 1e-7), 1)
        rows = rows + stop_gradient(rows * scale - rows)
    if shared:
        flat = index.reshape((index.size,))
        count = segment_sum(np.ones(flat.shape, rows.dtype), flat, table.shape[0])
        share = 1 / take(count, index, axis=0).reshape((*index.shape, 1))
        rows = rows + (rows - stop_gradient(rows)) * (share - 1)
    if padding is not None:
        live = (index != padding).reshape((*index.shape, 1))
        rows = where(live, rows, stop_gradient(rows))
    return rows


def embedding_bag(
    input: ArrayLike,
    weight: ArrayLike,
    offsets: ArrayLike | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    per_sample_weights: ArrayLike | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return sums, means or maxima of bags of rows of a table; zeros for an empty bag.

    Args:
        input: the numbers of rows, integers of shape (bags, count), or of shape (total,) with
            `offsets`.
        weight: the table, of shape (rows, width).
        offsets: where in `input` each bag begins.
        max_norm: the greatest length of a row, as in `embedding`.
        norm_type: of which norm.
        scale_grad_by_freq: whether the gradient of a row is divided by how often it is looked up.
        mode: "sum", "mean" or "max".
        per_sample_weights: factors of the rows in mode "sum", of the shape of `input`.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: a row that is left out.

    Returns:
        An array of shape (bags, width).

    Raises:
        DTypeError: if `input` or `offsets` is no integer array.
        ShapeError: if the shapes do not fit.
        OptionError: for another mode, or weights in another mode than "sum".
        IndexOutOfBoundsError: if there is no such row.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> table = lucid.asarray([[1.0, 2.0], [3.0, 4.0]])
        >>> functional.embedding_bag(lucid.asarray([[0, 1], [1, 1]]), table, mode="sum")
        Tensor([[4., 6.],
                [6., 8.]])
    """
    name = "embedding_bag"
    if mode not in ("sum", "mean", "max"):
        raise OptionError(message(name, 'mode "sum", "mean" or "max"', repr(mode)))
    if per_sample_weights is not None and mode != "sum":
        raise OptionError(message(name, 'per_sample_weights in mode "sum" only', repr(mode)))
    index, table = _checked(name, input, weight)
    bags, count = _bags(name, index, offsets, include_last_offset)
    padding = _padding(name, padding_idx, table.shape[0])
    flat = index.reshape((index.size,))
    rows = _rows(flat, table, padding, max_norm, norm_type, scale_grad_by_freq)
    if per_sample_weights is not None:
        factors = as_tensor(name, per_sample_weights)
        if factors.shape != index.shape:
            want = f"per_sample_weights of shape {index.shape}"
            raise ShapeError(message(name, want, f"shape {factors.shape}"))
        rows = rows * factors.reshape((flat.size, 1))
    live = Tensor(np.ones(flat.shape, bool)) if padding is None else flat != padding
    return _reduced(rows, live, bags, count, mode)


def _bags(name: str, index: Tensor, offsets: Any, include_last: bool) -> tuple[Tensor, int]:
    """Return the bag of every row, and how many there are."""
    if index.ndim not in (1, 2) or (index.ndim == 2) != (offsets is None):
        want = "an input of shape (bags, count), or (total,) with offsets"
        got = f"shape {index.shape} with{'out' if offsets is None else ''} offsets"
        raise ShapeError(message(name, want, got))
    if offsets is None:
        count, size = index.shape
        return Tensor(np.repeat(np.arange(count), size)), count
    starts = as_tensor(name, offsets)
    if starts.ndim != 1 or starts.dtype.kind not in "iu" or starts.shape[0] < 1 + include_last:
        want = "integer offsets of shape (bags,)"
        error = ShapeError if starts.dtype.kind in "iu" else DTypeError
        raise error(message(name, want, f"{starts.dtype} of shape {starts.shape}"))
    numbers = known(starts)
    if numbers is not None and (numbers[0] != 0 or (np.diff(numbers) < 0).any()):
        raise ShapeError(message(name, "offsets that rise from 0", str(numbers.tolist())))
    starts = starts[:-1] if include_last else starts
    places = np.arange(index.size)[:, None]
    return (starts <= places).sum(1) - 1, starts.shape[0]


def _reduced(rows: Tensor, live: Tensor, bags: Tensor, count: int, mode: str) -> Tensor:
    alive = live.reshape((live.size, 1))
    each = segment_sum(live.astype(rows.dtype), bags, count).reshape((count, 1))
    if mode == "max":
        top = segment_max(where(alive, rows, -np.inf), bags, count)
        return where(each > 0, top, 0)
    total = segment_sum(where(alive, rows, 0), bags, count)
    return total if mode == "sum" else total / maximum(each, 1)


def one_hot(tensor: ArrayLike, num_classes: int = -1) -> Tensor:
    """Return 1 at the place of each number, and 0 elsewhere.

    Args:
        tensor: the numbers, integers of any shape.
        num_classes: how many places there are; -1 for one more than the largest number.

    Returns:
        Integers, of shape (*tensor.shape, num_classes).

    Raises:
        DTypeError: if `tensor` is no integer array.
        IndexOutOfBoundsError: if a number has no place.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.one_hot(lucid.asarray([0, 2]))
        Tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    x = as_tensor("one_hot", tensor)
    if x.dtype.kind not in "iu":
        hint = "convert it with .astype(lucid.int64)"
        raise DTypeError(message("one_hot", "integers", str(x.dtype), hint))
    numbers = known(x)
    if num_classes == -1:
        num_classes = int(x.max()) + 1 if x.size else 0
    if (
        numbers is not None
        and numbers.size
        and not 0 <= numbers.min() <= numbers.max() < num_classes
    ):
        wrong = numbers.min() if numbers.min() < 0 else numbers.max()
        want = f"numbers from 0 to {num_classes - 1}"
        raise IndexOutOfBoundsError(message("one_hot", want, str(wrong)))
    places = np.arange(num_classes)
    return (x.reshape((*x.shape, 1)) == places).astype(np.int64)
