"""Adaptive pooling: windows chosen so that there are as many as wanted.

Along an axis of length n, window i of m begins at ⌊i·n/m⌋ and ends before ⌈(i + 1)·n/m⌉.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.avg_pool import avg_pool
from lucid.functional.checks import check_real
from lucid.functional.geometry import Lengths, images, lengths
from lucid.functional.max_pool import max_pool
from lucid.ops.index import take
from lucid.ops.select import where
from lucid.ops.sort import argmax
from lucid.ops.window.maxima import pick_places

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]

Wanted = Lengths | tuple[int | None, ...]


def adaptive_avg_pool1d(input: ArrayLike, output_size: Wanted) -> Tensor:
    """Return the means of so many windows of signals.

    Args:
        input: of shape (batch, channels, length), or without the batch.
        output_size: how many windows, an integer.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or an axis of length 0.
        OptionError: if `output_size` makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.adaptive_avg_pool1d(lucid.asarray([[1.0, 3.0, 5.0]]), 2)
        Tensor([[2., 4.]])
    """
    return adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: ArrayLike, output_size: Wanted) -> Tensor:
    """Return the means of so many windows of images.

    Args:
        input: of shape (batch, channels, height, width), or without the batch.
        output_size: how many windows, one integer or two; None keeps a length.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or an axis of length 0.
        OptionError: if `output_size` makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.adaptive_avg_pool2d(lucid.ones((2, 7, 5)), (3, None)).shape
        (2, 3, 5)
    """
    return adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: ArrayLike, output_size: Wanted) -> Tensor:
    """Return the means of so many windows of volumes.

    Args:
        input: of shape (batch, channels, depth, height, width), or without the batch.
        output_size: how many windows, one integer or three; None keeps a length.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or an axis of length 0.
        OptionError: if `output_size` makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.adaptive_avg_pool3d(lucid.ones((2, 7, 5, 4)), 1).shape
        (2, 1, 1, 1)
    """
    return adaptive_avg_pool(3, input, output_size)


def adaptive_avg_pool(rank: int, input: ArrayLike, output_size: Any) -> Tensor:
    """Average over so many windows of so many axes."""
    x, wanted = _wanted(f"adaptive_avg_pool{rank}d", input, output_size, rank)
    window = _divided(x.shape[-rank:], wanted)
    if window is not None:
        return avg_pool(rank, x, window, None, 0, False, True, None)
    for axis, m in enumerate(wanted, -rank):
        if m == x.shape[axis]:
            continue
        places, inside = _windows(x.shape[axis], m)
        tail = (1,) * (-axis - 1)
        taken = take(x, wrap(places, None), axis=axis)
        shown = wrap(inside.reshape((*inside.shape, *tail)), None)
        counts = wrap(inside.sum(1).reshape((m, *tail)), None)
        total = where(shown, taken, 0).sum(axis=axis)
        x = total / counts.astype(x.dtype if x.dtype.kind in "fc" else np.float64)
    return x


def _wanted(name: str, input: Any, given: Any, rank: int) -> tuple[Tensor, tuple[int, ...]]:
    """Return the input, and how many windows there shall be along each axis."""
    x = images(name, input, rank)
    if 0 in x.shape[-rank:]:
        raise ShapeError(message(name, "axes with something to pool", f"shape {x.shape}"))
    if isinstance(given, tuple | list):
        if len(given) != rank:
            raise OptionError(message(name, f"one output_size or {rank}", repr(given)))
        pairs = zip(given, x.shape[-rank:], strict=True)
        given = [n if m is None else m for m, n in pairs]
    elif given is None:
        given = x.shape[-rank:]
    return x, lengths(name, "output_size", given, rank, 0)


def _divided(sizes: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the size of the windows if all are of one size, side by side."""
    if any(not m or n % m for n, m in zip(sizes, wanted, strict=True)):
        return None
    return tuple(n // m for n, m in zip(sizes, wanted, strict=True))


def _windows(n: int, m: int) -> tuple[Any, Any]:
    """Return the places in every window, the last one repeated in short ones, and which count."""
    i = np.arange(m)
    starts, stops = i * n // max(m, 1), -(-(i + 1) * n // max(m, 1))
    places = starts[:, None] + np.arange(max(stops - starts, default=1))
    return np.minimum(places, stops[:, None] - 1), places < stops[:, None]


def adaptive_max_pool1d(input: ArrayLike, output_size: Wanted, return_indices: bool = False) -> Any:
    """Return the greatest entries of so many windows of signals.

    Args:
        input: real, of shape (batch, channels, length), or without the batch.
        output_size: how many windows, an integer.
        return_indices: whether to return as well where the entries stand.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch; with
        `return_indices` a pair of it and the places, which number the entries of each channel.

    Raises:
        ShapeError: if `input` has another number of axes, or an axis of length 0.
        OptionError: if `output_size` makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.adaptive_max_pool1d(lucid.asarray([[1.0, 3.0, 5.0]]), 2)
        Tensor([[3., 5.]])
    """
    return adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: ArrayLike, output_size: Wanted, return_indices: bool = False) -> Any:
    """Return the greatest entries of so many windows of images.

    Args:
        input: real, of shape (batch, channels, height, width), or without the batch.
        output_size: how many windows, one integer or two; None keeps a length.
        return_indices: whether to return as well where the entries stand.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch; with
        `return_indices` a pair of it and the places, which number the entries of each channel.

    Raises:
        ShapeError: if `input` has another number of axes, or an axis of length 0.
        OptionError: if `output_size` makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.adaptive_max_pool2d(lucid.ones((2, 7, 5)), (3, None)).shape
        (2, 3, 5)
    """
    return adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: ArrayLike, output_size: Wanted, return_indices: bool = False) -> Any:
    """Return the greatest entries of so many windows of volumes.

    Args:
        input: real, of shape (batch, channels, depth, height, width), or without the batch.
        output_size: how many windows, one integer or three; None keeps a length.
        return_indices: whether to return as well where the entries stand.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch; with
        `return_indices` a pair of it and the places, which number the entries of each channel.

    Raises:
        ShapeError: if `input` has another number of axes, or an axis of length 0.
        OptionError: if `output_size` makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.adaptive_max_pool3d(lucid.ones((2, 7, 5, 4)), 1).shape
        (2, 1, 1, 1)
    """
    return adaptive_max_pool(3, input, output_size, return_indices)


def adaptive_max_pool(rank: int, input: ArrayLike, output_size: Any, return_indices: bool) -> Any:
    """Take maxima of so many windows of so many axes."""
    name = f"adaptive_max_pool{rank}d"
    x, wanted = _wanted(name, input, output_size, rank)
    check_real(name, x)
    sizes = x.shape[-rank:]
    window = _divided(sizes, wanted)
    if window is not None:
        return max_pool(rank, x, window, None, 0, 1, False, return_indices)
    table: Any = np.zeros((1, 1), int)  # of every window, the places of its entries
    for n, m in zip(sizes, wanted, strict=True):
        own = _windows(n, m)[0]
        table = table[:, None, :, None] * n + own[None, :, None, :]
        table = table.reshape((-1, table.shape[2] * table.shape[3]))
    flat = x.reshape((*x.shape[:-rank], math.prod(sizes)))
    entry = argmax(take(flat, wrap(table, None), axis=-1), axis=-1)
    places = wrap(table, None)[wrap(np.arange(len(table)), None), entry]
    shape = (*x.shape[:-rank], *wanted)
    values = pick_places(flat, places, 1, False).reshape(shape)
    return (values, places.reshape(shape)) if return_indices else values
