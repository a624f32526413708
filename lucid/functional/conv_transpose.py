"""Transposed convolutions: kernels put down beside one another and added up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.conv import check, finish
from lucid.functional.geometry import Lengths, images, lengths
from lucid.ops.axes import as_tensors
from lucid.ops.window.conv import conv, mirror
from lucid.ops.window.geometry import extent

__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def conv_transpose1d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Lengths = 1,
    padding: Lengths = 0,
    output_padding: Lengths = 0,
    groups: int = 1,
    dilation: Lengths = 1,
) -> Tensor:
    """Apply the transpose of `conv1d`: put down a kernel for every entry of signals, and add up.

    Args:
        input: of shape (batch, in_channels, length), or without the batch.
        weight: of shape (in_channels, out_channels // groups, window).
        bias: of shape (out_channels,).
        stride: the step from one kernel to the next.
        padding: how many places are cut off on both sides.
        output_padding: how many more places there are at the end; less than stride or dilation.
        groups: into how many groups channels are divided, each with kernels of its own.
        dilation: the distance between the entries of a kernel.

    Returns:
        An array of shape (batch, out_channels, (length - 1)·stride - 2·padding +
        (window - 1)·dilation + output_padding + 1), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit, or nothing is left.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x, w = lucid.asarray([[1.0, 10.0]]), lucid.asarray([[[1.0, 2.0, 3.0]]])
        >>> functional.conv_transpose1d(x, w, stride=2)
        Tensor([[ 1.,  2., 13., 20., 30.]])
    """
    return convolve_transpose(
        1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Lengths = 1,
    padding: Lengths = 0,
    output_padding: Lengths = 0,
    groups: int = 1,
    dilation: Lengths = 1,
) -> Tensor:
    """Apply the transpose of `conv2d`; see `conv_transpose1d`.

    Args:
        input: of shape (batch, in_channels, height, width), or without the batch.
        weight: of shape (in_channels, out_channels // groups, *window).
        bias: of shape (out_channels,).
        stride: the step from one kernel to the next, one number or two.
        padding: how many places are cut off on every side, one number or two.
        output_padding: how many more places there are at the ends, one number or two.
        groups: into how many groups channels are divided, each with kernels of its own.
        dilation: the distance between the entries of a kernel, one number or two.

    Returns:
        An array of shape (batch, out_channels, *places), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit, or nothing is left.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x, w = lucid.ones((1, 5, 4, 4)), lucid.ones((5, 3, 2, 2))
        >>> functional.conv_transpose2d(x, w, stride=2).shape
        (1, 3, 8, 8)
    """
    return convolve_transpose(
        2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Lengths = 1,
    padding: Lengths = 0,
    output_padding: Lengths = 0,
    groups: int = 1,
    dilation: Lengths = 1,
) -> Tensor:
    """Apply the transpose of `conv3d`; see `conv_transpose1d`.

    Args:
        input: of shape (batch, in_channels, depth, height, width), or without the batch.
        weight: of shape (in_channels, out_channels // groups, *window).
        bias: of shape (out_channels,).
        stride: the step from one kernel to the next, one number or three.
        padding: how many places are cut off on every side, one number or three.
        output_padding: how many more places there are at the ends, one number or three.
        groups: into how many groups channels are divided, each with kernels of its own.
        dilation: the distance between the entries of a kernel, one number or three.

    Returns:
        An array of shape (batch, out_channels, *places), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit, or nothing is left.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.conv_transpose3d(lucid.ones((1, 2, 2, 2)), lucid.ones((1, 3, 2, 2, 2))).shape
        (3, 3, 3, 3)
    """
    return convolve_transpose(
        3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def convolve_transpose(
    rank: int,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None,
    stride: Lengths = 1,
    padding: Lengths = 0,
    output_padding: Lengths = 0,
    groups: int = 1,
    dilation: Lengths = 1,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Convolve over so many axes, transposed; `output_size` replaces `output_padding`."""
    name = f"conv_transpose{rank}d"
    x, w, *rest = as_tensors(name, (input, weight) if bias is None else (input, weight, bias))
    x = images(name, x, rank)
    out = (math.prod(w.shape[1:2]) * groups,) if isinstance(groups, int) else ()
    check(name, x, w, rest, rank, groups, out, 0)
    strides = lengths(name, "stride", stride, rank)
    cut = lengths(name, "padding", padding, rank, 0)
    apart = lengths(name, "dilation", dilation, rank)
    more = lengths(name, "output_padding", output_padding, rank, 0)
    more = _more(name, x.shape[-rank:], w.shape[2:], strides, cut, apart, more, output_size)
    reach = [extent(k, d) - 1 for k, d in zip(w.shape[2:], apart, strict=True)]
    pads = tuple((r - p, r - p + m) for r, p, m in zip(reach, cut, more, strict=True))
    batched = x.ndim == rank + 2
    x = x if batched else x[None]
    ans = conv(x, mirror(w, groups), (1,) * rank, pads, strides, apart, groups)
    return finish(ans, rest, rank, batched)


def _more(
    name: str,
    sizes: Any,
    window: Any,
    strides: Any,
    cut: Any,
    dilation: Any,
    more: tuple[int, ...],
    output_size: Sequence[int] | None,
) -> tuple[int, ...]:
    """Return the output_padding, or what makes the result as large as output_size; checked."""
    every = zip(sizes, window, strides, cut, dilation, strict=True)
    least = [extent(n, s) + extent(k, d) - 1 - 2 * p for n, k, s, p, d in every]
    most = [max(s, d) - 1 for s, d in zip(strides, dilation, strict=True)]
    given: Any = more
    want = "output_padding less than stride or dilation"
    if output_size is not None:
        given = tuple(output_size)
        if len(given) < len(least):
            raise OptionError(message(name, f"an output_size of {len(least)} numbers", f"{given}"))
        ends = tuple(n + m for n, m in zip(least, most, strict=True))
        want = f"an output_size from {tuple(least)} to {ends}"
        more = tuple(n - m for n, m in zip(given[-len(least) :], least, strict=True))
    if any(not 0 <= n <= m for n, m in zip(more, most, strict=True)):
        raise OptionError(message(name, want, f"{given}"))
    made = tuple(n + m for n, m in zip(least, more, strict=True))
    if min(made) < 1:
        want = "a result with at least one place along each axis"
        raise ShapeError(message(name, want, f"{made} places"))
    return more
