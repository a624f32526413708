"""Max pooling, and its undoing.

Of equal entries in a window the first one counts: it is the one whose place is told, and the one
that the derivative belongs to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, wrap
from lucid.errors import DTypeError, OptionError, ShapeError, message
from lucid.functional.checks import check_real
from lucid.functional.geometry import Lengths, images, lengths, pool_geometry
from lucid.ops.axes import as_tensor
from lucid.ops.creation import zeros
from lucid.ops.window import maxima

__all__ = [
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]


def max_pool1d(
    input: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the greatest entry of each window of signals.

    Args:
        input: real, of shape (batch, channels, length), or without the batch.
        kernel_size: of the windows.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, with entries that are never greatest; at most half a window.
        dilation: the distance between the entries of a window.
        ceil_mode: whether a window may reach past the end.
        return_indices: whether to return as well where the entries stand.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch; with `return_indices`
        a pair of it and the places, which number the entries of each channel.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.max_pool1d(lucid.asarray([[1.0, 3.0, 2.0, 5.0]]), 2)
        Tensor([[3., 5.]])
    """
    return max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the greatest entry of each window of images.

    Args:
        input: real, of shape (batch, channels, height, width), or without the batch.
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, with entries that are never greatest; at most half a window.
        dilation: the distance between the entries of a window.
        ceil_mode: whether a window may reach past the end.
        return_indices: whether to return as well where the entries stand.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch; with `return_indices`
        a pair of it and the places, which number the entries of each channel.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> values, places = functional.max_pool2d(
        ...     lucid.asarray([[[1.0, 3.0], [2.0, 5.0]]]), 2, return_indices=True
        ... )
        >>> values, places
        (Tensor([[[5.]]]), Tensor([[[3]]]))
    """
    return max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the greatest entry of each window of volumes.

    Args:
        input: real, of shape (batch, channels, depth, height, width), or without the batch.
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, with entries that are never greatest; at most half a window.
        dilation: the distance between the entries of a window.
        ceil_mode: whether a window may reach past the end.
        return_indices: whether to return as well where the entries stand.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch; with `return_indices`
        a pair of it and the places, which number the entries of each channel.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.max_pool3d(lucid.ones((2, 4, 4, 4)), 2).shape
        (2, 2, 2, 2)
    """
    return max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool(
    rank: int,
    input: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None,
    padding: Lengths,
    dilation: Lengths,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    """Pool over so many axes."""
    name = f"max_pool{rank}d"
    x = check_real(name, images(name, input, rank))
    geometry = pool_geometry(name, x, rank, kernel_size, stride, padding, dilation, ceil_mode)
    values = maxima.max_pool(x, *geometry)
    return (values, maxima.max_pool_places(x, *geometry)) if return_indices else values


# -- undone ----------------------------------------------------------------------------------------


def max_unpool1d(
    input: ArrayLike,
    indices: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put what `max_pool1d` returned back to its places, among zeros.

    Args:
        input: of shape (batch, channels, *windows), or without the batch.
        indices: the places, of the same shape. Of entries with one place the last one stays.
        kernel_size: of the windows.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side.
        output_size: of the last axes, or of all; by default the least that has such windows.

    Returns:
        An array of shape (batch, channels, length), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: if `output_size` is not within a stride of the default.
        IndexOutOfBoundsError: if a place lies outside.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[1.0, 3.0, 2.0, 5.0]])
        >>> values, places = functional.max_pool1d(x, 2, return_indices=True)
        >>> functional.max_unpool1d(values, places, 2)
        Tensor([[0., 3., 0., 5.]])
    """
    return max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: ArrayLike,
    indices: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put what `max_pool2d` returned back to its places, among zeros.

    Args:
        input: of shape (batch, channels, *windows), or without the batch.
        indices: the places, of the same shape. Of entries with one place the last one stays.
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side.
        output_size: of the last axes, or of all; by default the least that has such windows.

    Returns:
        An array of shape (batch, channels, height, width), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: if `output_size` is not within a stride of the default.
        IndexOutOfBoundsError: if a place lies outside.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> values, places = functional.max_pool2d(
        ...     lucid.ones((1, 4, 4)), 2, return_indices=True
        ... )
        >>> functional.max_unpool2d(values, places, 2).shape
        (1, 4, 4)
    """
    return max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: ArrayLike,
    indices: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put what `max_pool3d` returned back to its places, among zeros.

    Args:
        input: of shape (batch, channels, *windows), or without the batch.
        indices: the places, of the same shape. Of entries with one place the last one stays.
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side.
        output_size: of the last axes, or of all; by default the least that has such windows.

    Returns:
        An array of shape (batch, channels, depth, height, width), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: if `output_size` is not within a stride of the default.
        IndexOutOfBoundsError: if a place lies outside.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> values, places = functional.max_pool3d(
        ...     lucid.ones((1, 4, 4, 4)), 2, return_indices=True
        ... )
        >>> functional.max_unpool3d(values, places, 2).shape
        (1, 4, 4, 4)
    """
    return max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


def max_unpool(
    rank: int,
    input: ArrayLike,
    indices: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None,
    padding: Lengths,
    output_size: Sequence[int] | None,
) -> Tensor:
    """Undo pooling over so many axes."""
    name = f"max_unpool{rank}d"
    x, places = images(name, input, rank), as_tensor(name, indices)
    if places.shape != x.shape:
        got = f"{x.shape} and {places.shape}"
        raise ShapeError(message(name, "an input and indices of one shape", got))
    if places.dtype.kind not in "iu":
        raise DTypeError(message(name, "integers as indices", str(places.dtype)))
    window = lengths(name, "kernel_size", kernel_size, rank)
    strides = window if stride is None else lengths(name, "stride", stride, rank)
    pads = lengths(name, "padding", padding, rank, 0)
    every = zip(x.shape[-rank:], strides, pads, window, strict=True)
    sizes = tuple((n - 1) * s - 2 * p + k for n, s, p, k in every)
    if output_size is not None:
        given = tuple(int(n) for n in output_size)[-rank:]
        near = zip(given, sizes, strides, strict=False)
        if len(given) != rank or any(not n - s < m < n + s for m, n, s in near):
            want = f"an output_size within a stride of {sizes}"
            raise OptionError(message(name, want, repr(tuple(output_size))))
        sizes = given
    lead = x.shape[:-rank]
    count, many = math.prod(lead), math.prod(x.shape[-rank:])
    flat = zeros((count, math.prod(sizes)), dtype=x.dtype)
    key = (wrap(np.arange(count)[:, None], None), places.reshape((count, many)))
    return flat.at[key].set(x.reshape((count, many))).reshape((*lead, *sizes))
