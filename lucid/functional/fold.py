"""Windows of images laid out as columns, and entries moved between places and channels."""

from __future__ import annotations

import math
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import ShapeError, message
from lucid.functional.geometry import Lengths, images, lengths
from lucid.ops.axes import as_tensor
from lucid.ops.permute import permute_dims
from lucid.ops.window import patches
from lucid.ops.window.geometry import Ints, Pairs, counts

__all__ = ["channel_shuffle", "fold", "pixel_shuffle", "pixel_unshuffle", "unfold"]


def unfold(
    input: ArrayLike,
    kernel_size: Lengths,
    dilation: Lengths = 1,
    padding: Lengths = 0,
    stride: Lengths = 1,
) -> Tensor:
    """Lay out the windows of images as columns.

    Args:
        input: of shape (batch, channels, height, width), or without the batch.
        kernel_size: of the windows, one number or two.
        dilation: the distance between the entries of a window.
        padding: with zeros, on every side.
        stride: the step from one window to the next.

    Returns:
        An array of shape (batch, channels·kernel_size, windows), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.unfold(lucid.asarray([[[1.0, 2.0, 3.0]]]), (1, 2))
        Tensor([[1., 2.], [2., 3.]])
    """
    x = images("unfold", input, 2)
    geometry = _geometry("unfold", kernel_size, dilation, padding, stride)
    count = _counts("unfold", x.shape[-2:], *geometry)
    made = patches.unfold(x, *geometry)
    return made.reshape((*x.shape[:-3], x.shape[-3] * math.prod(geometry[0]), math.prod(count)))


def fold(
    input: ArrayLike,
    output_size: Lengths,
    kernel_size: Lengths,
    dilation: Lengths = 1,
    padding: Lengths = 0,
    stride: Lengths = 1,
) -> Tensor:
    """Add up columns where the windows lie that `unfold` lays out: its transpose.

    Args:
        input: of shape (batch, channels·kernel_size, windows), or without the batch.
        output_size: height and width of the result, one number or two.
        kernel_size: of the windows, one number or two.
        dilation: the distance between the entries of a window.
        padding: how much is dropped on every side.
        stride: the step from one window to the next.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.fold(lucid.asarray([[1.0, 2.0], [2.0, 3.0]]), (1, 3), (1, 2))
        Tensor([[[1., 4., 3.]]])
    """
    x = as_tensor("fold", input)
    sizes = lengths("fold", "output_size", output_size, 2)
    geometry = _geometry("fold", kernel_size, dilation, padding, stride)
    count = _counts("fold", sizes, *geometry)
    window = geometry[0]
    each, many = math.prod(window), math.prod(count)
    if x.ndim not in (2, 3) or x.shape[-2] % each or x.shape[-1] != many:
        want = f"an input of shape (batch, channels·{each}, {many}), or without the batch"
        raise ShapeError(message("fold", want, f"shape {x.shape}"))
    laid = x.reshape((*x.shape[:-2], x.shape[-2] // each, *window, *count))
    return patches.fold(laid, sizes, *geometry)


def _geometry(
    name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[Ints, Ints, Pairs, Ints]:
    pads = tuple((n, n) for n in lengths(name, "padding", padding, 2, 0))
    window = lengths(name, "kernel_size", kernel_size, 2)
    strides = lengths(name, "stride", stride, 2)
    return window, strides, pads, lengths(name, "dilation", dilation, 2)


def _counts(
    name: str, sizes: Ints, window: Ints, strides: Ints, padding: Pairs, dilation: Ints
) -> Ints:
    """Return how many windows there are, or raise if there is none."""
    count = counts(sizes, window, strides, padding, (1, 1), dilation)
    if not all(count):
        want = f"an image that, padded, holds a window of {window}"
        raise ShapeError(message(name, want, f"height and width {sizes}"))
    return count


# -- between places and channels -------------------------------------------------------------------


def pixel_shuffle(input: ArrayLike, upscale_factor: int) -> Tensor:
    """Turn channels into places: each r² channels into one with r times the height and width.

    Args:
        input: of shape (..., channels·r², height, width).
        upscale_factor: r.

    Returns:
        An array of shape (..., channels, height·r, width·r).

    Raises:
        ShapeError: if there are fewer than three axes, or the channels are no multiple of r².
        OptionError: if r is no positive integer.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.pixel_shuffle(lucid.asarray([[[1]], [[2]], [[3]], [[4]]]), 2)
        Tensor([[[1, 2], [3, 4]]])

    Source: Shi et al., "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network", CVPR 2016.
    """
    x, r = _scaled("pixel_shuffle", input, "upscale_factor", upscale_factor)
    *lead, channels, height, width = x.shape
    if channels % r**2:
        want = f"a number of channels divisible by {r**2}"
        raise ShapeError(message("pixel_shuffle", want, f"shape {x.shape}"))
    x = x.reshape((*lead, channels // r**2, r, r, height, width))
    x = permute_dims(x, (*range(len(lead) + 1), *(len(lead) + k for k in (3, 1, 4, 2))))
    return x.reshape((*lead, channels // r**2, height * r, width * r))


def pixel_unshuffle(input: ArrayLike, downscale_factor: int) -> Tensor:
    """Turn places into channels: undo `pixel_shuffle`.

    Args:
        input: of shape (..., channels, height·r, width·r).
        downscale_factor: r.

    Returns:
        An array of shape (..., channels·r², height, width).

    Raises:
        ShapeError: if there are fewer than three axes, or height or width is no multiple of r.
        OptionError: if r is no positive integer.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.pixel_unshuffle(lucid.asarray([[[1, 2], [3, 4]]]), 2)
        Tensor([[[1]], [[2]], [[3]], [[4]]])
    """
    x, r = _scaled("pixel_unshuffle", input, "downscale_factor", downscale_factor)
    *lead, channels, height, width = x.shape
    if height % r or width % r:
        want = f"height and width divisible by {r}"
        raise ShapeError(message("pixel_unshuffle", want, f"shape {x.shape}"))
    x = x.reshape((*lead, channels, height // r, r, width // r, r))
    x = permute_dims(x, (*range(len(lead) + 1), *(len(lead) + k for k in (2, 4, 1, 3))))
    return x.reshape((*lead, channels * r**2, height // r, width // r))


def _scaled(name: str, input: Any, what: str, factor: Any) -> tuple[Tensor, int]:
    x = as_tensor(name, input, view=True)
    if x.ndim < 3:
        raise ShapeError(message(name, "an input with at least 3 axes", f"shape {x.shape}"))
    return x, lengths(name, what, factor, 1)[0]


def channel_shuffle(input: ArrayLike, groups: int) -> Tensor:
    """Mix the channels of groups: the first of each group come first, then the second ones.

    Args:
        input: of shape (batch, channels, ...), with at least three axes.
        groups: how many there are.

    Returns:
        An array of the shape of `input`.

    Raises:
        ShapeError: if there are fewer than three axes, or the groups do not divide the channels.
        OptionError: if `groups` is no positive integer.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.channel_shuffle(lucid.asarray([[[1], [2], [3], [4]]]), 2)
        Tensor([[[1], [3], [2], [4]]])

    Source: Zhang, Zhou, Lin and Sun, "ShuffleNet: an extremely efficient convolutional neural
    network for mobile devices", CVPR 2018.
    """
    x, count = _scaled("channel_shuffle", input, "groups", groups)
    if x.shape[1] % count:
        want = f"a number of channels divisible by {count}"
        raise ShapeError(message("channel_shuffle", want, f"shape {x.shape}"))
    parts = x.reshape((x.shape[0], count, x.shape[1] // count, *x.shape[2:]))
    return parts.swapaxes(1, 2).reshape(x.shape)
