"""Convolutions: weighted sums over windows of images.

As everywhere in learning, the kernel is not mirrored: what is computed is a correlation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.geometry import Lengths, images, lengths
from lucid.functional.pad import pad
from lucid.ops.axes import as_tensors
from lucid.ops.window.conv import conv, mirror
from lucid.ops.window.geometry import Pairs, extent

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def conv1d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Lengths = 1,
    padding: str | Lengths = 0,
    dilation: Lengths = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels along signals, yₒ(q) = bₒ + Σ Wₒ꜀(k) x꜀(q·stride + k·dilation - padding).

    Args:
        input: x, of shape (batch, in_channels, length), or without the batch.
        weight: W, of shape (out_channels, in_channels // groups, window).
        bias: b, of shape (out_channels,).
        stride: the step from one window to the next.
        padding: how many zeros are put on both sides; "valid" for none, "same" for as many as keep
            the length (for a stride of 1 only).
        dilation: the distance between the entries of a kernel.
        groups: into how many groups channels are divided, each with kernels of its own.

    Returns:
        y, of shape (batch, out_channels, windows), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[1.0, 2.0, 4.0, 8.0]])
        >>> functional.conv1d(x, lucid.asarray([[[-1.0, 1.0]]]))
        Tensor([[1., 2., 4.]])
    """
    return convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Lengths = 1,
    padding: str | Lengths = 0,
    dilation: Lengths = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels over images; see `conv1d`.

    Args:
        input: of shape (batch, in_channels, height, width), or without the batch.
        weight: of shape (out_channels, in_channels // groups, *window).
        bias: of shape (out_channels,).
        stride: the step from one window to the next, one number or two.
        padding: how many zeros are put on every side, one number or two; or "valid" or "same".
        dilation: the distance between the entries of a kernel, one number or two.
        groups: into how many groups channels are divided, each with kernels of its own.

    Returns:
        An array of shape (batch, out_channels, *windows), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x, w = lucid.ones((1, 3, 8, 8)), lucid.ones((5, 3, 3, 3))
        >>> functional.conv2d(x, w, padding=1, stride=2).shape
        (1, 5, 4, 4)
    """
    return convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Lengths = 1,
    padding: str | Lengths = 0,
    dilation: Lengths = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels through volumes; see `conv1d`.

    Args:
        input: of shape (batch, in_channels, depth, height, width), or without the batch.
        weight: of shape (out_channels, in_channels // groups, *window).
        bias: of shape (out_channels,).
        stride: the step from one window to the next, one number or three.
        padding: how many zeros are put on every side, one number or three; or "valid" or "same".
        dilation: the distance between the entries of a kernel, one number or three.
        groups: into how many groups channels are divided, each with kernels of its own.

    Returns:
        An array of shape (batch, out_channels, *windows), or without the batch.

    Raises:
        ShapeError: if the shapes do not fit, or no window fits.
        OptionError: for an option that makes no sense.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.conv3d(lucid.ones((1, 4, 4, 4)), lucid.ones((2, 1, 3, 3, 3))).shape
        (2, 2, 2, 2)
    """
    return convolve(3, input, weight, bias, stride, padding, dilation, groups)


def convolve(
    rank: int,
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None,
    stride: Lengths = 1,
    padding: str | Lengths = 0,
    dilation: Lengths = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Tensor:
    """Convolve over so many axes; `padding_mode` is "zeros" or a mode of `pad`."""
    name = f"conv{rank}d"
    x, w, *rest = as_tensors(name, (input, weight) if bias is None else (input, weight, bias))
    x = images(name, x, rank)
    _check(name, x, w, rest, rank, groups, w.shape[:1], 1)
    strides = lengths(name, "stride", stride, rank)
    apart = lengths(name, "dilation", dilation, rank)
    pads = _pads(name, padding, w.shape[2:], strides, apart)
    if padding_mode != "zeros":
        x = pad(x, [n for pair in reversed(pads) for n in pair], mode=padding_mode)
        pads = ((0, 0),) * rank
    _check_fit(name, x.shape[-rank:], w.shape[2:], pads, apart)
    batched = x.ndim == rank + 2
    ans = conv(x if batched else x[None], w, strides, pads, (1,) * rank, apart, groups)
    return _finish(ans, rest, rank, batched)


def _check(
    name: str,
    x: Tensor,
    w: Tensor,
    bias: Sequence[Tensor],
    rank: int,
    groups: Any,
    out: tuple[int, ...],
    axis: int,
) -> None:
    """Raise unless kernel, bias and groups fit; `axis` is that of the kernel's own channels."""
    if isinstance(groups, bool) or not hasattr(groups, "__index__") or groups < 1:
        raise OptionError(message(name, "groups of 1 or more", repr(groups)))
    layout = "(out, in // groups" if axis == 1 else "(in, out // groups"
    if w.ndim != rank + 2 or 0 in w.shape:
        want = f"a weight of shape {layout}, {'*window' if rank > 1 else 'window'}), not empty"
        raise ShapeError(message(name, want, f"shape {w.shape}"))
    channels = x.shape[-rank - 1]
    expected = w.shape[1] * groups if axis == 1 else w.shape[0]
    if w.shape[0] % groups or channels != expected:
        want = f"an input and a weight {layout}, ...) that fit for groups={groups}"
        raise ShapeError(message(name, want, f"shapes {x.shape} and {w.shape}"))
    if bias and bias[0].shape != out:
        raise ShapeError(message(name, f"a bias of shape {out}", f"{bias[0].shape}"))


def _pads(name: str, padding: Any, window: Any, strides: Any, dilation: Any) -> Pairs:
    rank = len(window)
    if padding == "valid":
        return ((0, 0),) * rank
    if padding == "same":
        if set(strides) != {1}:
            raise OptionError(message(name, 'a stride of 1 for padding="same"', f"{strides}"))
        reach = [extent(k, d) - 1 for k, d in zip(window, dilation, strict=True)]
        return tuple((r // 2, r - r // 2) for r in reach)
    if isinstance(padding, str):
        raise OptionError(message(name, 'padding "valid", "same" or integers', repr(padding)))
    return tuple((n, n) for n in lengths(name, "padding", padding, rank, 0))


def _check_fit(name: str, sizes: Any, window: Any, pads: Pairs, dilation: Any) -> None:
    """Raise if no window fits into the padded image."""
    room = [n + lo + hi for n, (lo, hi) in zip(sizes, pads, strict=True)]
    need = [extent(k, d) for k, d in zip(window, dilation, strict=True)]
    if any(n < m for n, m in zip(room, need, strict=True)):
        want = f"an input that, padded, holds a window of {tuple(need)} places"
        raise ShapeError(message(name, want, f"{tuple(room)} places"))


def _finish(ans: Tensor, bias: Sequence[Tensor], rank: int, batched: bool) -> Tensor:
    if bias:
        ans = ans + bias[0].reshape((-1, *(1,) * rank))
    return ans if batched else ans[0]


# -- transposed ------------------------------------------------------------------------------------


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
    _check(name, x, w, rest, rank, groups, out, 0)
    strides = lengths(name, "stride", stride, rank)
    cut = lengths(name, "padding", padding, rank, 0)
    apart = lengths(name, "dilation", dilation, rank)
    least = [
        extent(n, s) + extent(k, d) - 1 - 2 * p
        for n, k, s, d, p in zip(x.shape[-rank:], w.shape[2:], strides, apart, cut, strict=True)
    ]
    if output_size is None:
        more = lengths(name, "output_padding", output_padding, rank, 0)
    else:
        more = tuple(n - m for n, m in zip(output_size[-rank:], least, strict=True))
    if any(n < 0 or n >= max(s, d) for n, s, d in zip(more, strides, apart, strict=True)):
        want = "output_padding less than stride or dilation"
        if output_size is not None:
            most = [m + max(s, d) - 1 for m, s, d in zip(least, strides, apart, strict=True)]
            want = f"an output_size from {tuple(least)} to {tuple(most)}"
        raise OptionError(message(name, want, f"{more if output_size is None else output_size}"))
    if any(n + m < 1 for n, m in zip(least, more, strict=True)):
        got = f"{tuple(n + m for n, m in zip(least, more, strict=True))} places"
        raise ShapeError(message(name, "a result with at least one place along each axis", got))
    reach = [extent(k, d) - 1 for k, d in zip(w.shape[2:], apart, strict=True)]
    pads = tuple((r - p, r - p + m) for r, p, m in zip(reach, cut, more, strict=True))
    batched = x.ndim == rank + 2
    x = x if batched else x[None]
    ans = conv(x, mirror(w, groups), (1,) * rank, pads, strides, apart, groups)
    return _finish(ans, rest, rank, batched)
