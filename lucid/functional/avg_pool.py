"""Average pooling, and pooling by norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OptionError, message
from lucid.functional.checks import check_real
from lucid.functional.geometry import Lengths, images, pool_geometry
from lucid.ops.select import where
from lucid.ops.window.sums import window_sum

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d"]


def avg_pool1d(
    input: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window of signals.

    Args:
        input: of shape (batch, channels, length), or without the batch.
        kernel_size: of the windows.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: with zeros, on every side; at most half a window.
        ceil_mode: whether a window may reach past the end; what lies there does not count.
        count_include_pad: whether the zeros count.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.avg_pool1d(lucid.asarray([[1.0, 3.0, 2.0, 6.0]]), 2)
        Tensor([[2., 4.]])
    """
    options = kernel_size, stride, padding, ceil_mode, count_include_pad, None
    return avg_pool(1, input, *options)


def avg_pool2d(
    input: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window of images.

    Args:
        input: of shape (batch, channels, height, width), or without the batch.
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: with zeros, on every side; at most half a window.
        ceil_mode: whether a window may reach past the end; what lies there does not count.
        count_include_pad: whether the zeros count.
        divisor_override: what to divide by instead of the number of entries.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.avg_pool2d(lucid.ones((1, 4, 4)), 2, padding=1)[0, 0]
        Tensor([0.25, 0.5 , 0.25])
    """
    options = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return avg_pool(2, input, *options)


def avg_pool3d(
    input: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window of volumes.

    Args:
        input: of shape (batch, channels, depth, height, width), or without the batch.
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: with zeros, on every side; at most half a window.
        ceil_mode: whether a window may reach past the end; what lies there does not count.
        count_include_pad: whether the zeros count.
        divisor_override: what to divide by instead of the number of entries.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.avg_pool3d(lucid.ones((1, 4, 4, 4)), 2).shape
        (1, 2, 2, 2)
    """
    options = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return avg_pool(3, input, *options)


def avg_pool(
    rank: int,
    input: ArrayLike,
    kernel_size: Lengths,
    stride: Lengths | None,
    padding: Lengths,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """Average over windows of so many axes."""
    name = f"avg_pool{rank}d"
    x = images(name, input, rank)
    geometry = pool_geometry(name, x, rank, kernel_size, stride, padding, 1, ceil_mode)
    window, strides, pads, apart = geometry
    total = window_sum(x, window, strides, pads, (1,) * rank, apart)
    if divisor_override is not None:
        if not divisor_override:
            raise OptionError(message(name, "a divisor_override other than 0", "0"))
        return total / int(divisor_override)
    counts: Any = 1
    for axis, (k, s, (lo, _)) in enumerate(zip(window, strides, pads, strict=True), -rank):
        n = x.shape[axis]
        start = np.arange(total.shape[axis]) * s - lo
        stop = np.minimum(start + k, n + lo)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, n)
        counts = counts * (stop - start).reshape((-1, *(1,) * (-axis - 1)))
    if not counts.size or np.all(counts == counts.flat[0]):
        return total / (int(counts.flat[0]) if counts.size else 1)
    inexact = total.dtype if total.dtype.kind in "fc" else np.dtype(np.float64)
    return total / wrap(counts.astype(inexact), None)


# -- norms -----------------------------------------------------------------------------------------


def lp_pool1d(
    input: ArrayLike,
    norm_type: float,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return (Σ xᵖ)^(1/p) of each window of signals; where the sum is 0, the derivative is 0.

    Args:
        input: x, real, of shape (batch, channels, length), or without the batch.
        norm_type: p, not 0.
        kernel_size: of the windows.
        stride: the step from one window to the next, by default `kernel_size`.
        ceil_mode: whether a window may reach past the end. Its sum is then scaled to a whole one.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.lp_pool1d(lucid.asarray([[3.0, 4.0]]), 2.0, 2)
        Tensor([[5.]])
    """
    return lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: ArrayLike,
    norm_type: float,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return (Σ xᵖ)^(1/p) of each window of images; where the sum is 0, the derivative is 0.

    Args:
        input: x, real, of shape (batch, channels, height, width), or without the batch.
        norm_type: p, not 0.
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, by default `kernel_size`.
        ceil_mode: whether a window may reach past the end. Its sum is then scaled to a whole one.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.lp_pool2d(lucid.ones((1, 4, 4)), 2.0, 2)[0, 0]
        Tensor([2., 2.])
    """
    return lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: ArrayLike,
    norm_type: float,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return (Σ xᵖ)^(1/p) of each window of volumes; where the sum is 0, the derivative is 0.

    Args:
        input: x, real, of shape (batch, channels, depth, height, width), or without the batch.
        norm_type: p, not 0.
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, by default `kernel_size`.
        ceil_mode: whether a window may reach past the end. Its sum is then scaled to a whole one.

    Returns:
        An array of shape (batch, channels, *windows), or without the batch.

    Raises:
        ShapeError: if `input` has another number of axes, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.lp_pool3d(lucid.ones((1, 4, 4, 4)), 1.0, 2)[0, 0, 0]
        Tensor([8., 8.])
    """
    return lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool(
    rank: int,
    input: ArrayLike,
    norm_type: float,
    kernel_size: Lengths,
    stride: Lengths | None,
    ceil_mode: bool,
) -> Tensor:
    """Take norms over windows of so many axes."""
    name = f"lp_pool{rank}d"
    x = check_real(name, images(name, input, rank))
    if not norm_type:
        raise OptionError(message(name, "a norm_type other than 0", "0"))
    window = pool_geometry(name, x, rank, kernel_size, stride, 0, 1, ceil_mode)[0]
    mean = avg_pool(rank, x**norm_type, kernel_size, stride, 0, ceil_mode, True, None)
    total = mean * math.prod(window)
    some = total != 0
    return where(some, where(some, total, 1.0) ** (1.0 / norm_type), 0.0)
