"""Convolutions: weighted sums over windows of images.

As everywhere in learning, the kernel is not mirrored: what is computed is a correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.geometry import Lengths, images, lengths
from lucid.functional.pad import pad
from lucid.ops.axes import as_tensors
from lucid.ops.window.conv import conv
from lucid.ops.window.geometry import Pairs, extent

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
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
    check(name, x, w, rest, rank, groups, w.shape[:1], 1)
    strides = lengths(name, "stride", stride, rank)
    apart = lengths(name, "dilation", dilation, rank)
    pads = _pads(name, padding, w.shape[2:], strides, apart)
    if padding_mode != "zeros":
        x = pad(x, [n for pair in reversed(pads) for n in pair], mode=padding_mode)
        pads = ((0, 0),) * rank
    _check_fit(name, x.shape[-rank:], w.shape[2:], pads, apart)
    batched = x.ndim == rank + 2
    ans = conv(x if batched else x[None], w, strides, pads, (1,) * rank, apart, groups)
    return finish(ans, rest, rank, batched)


def check(
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


def finish(ans: Tensor, bias: Sequence[Tensor], rank: int, batched: bool) -> Tensor:
    """Add the bias, and drop the batch if there was none."""
    if bias:
        ans = ans + bias[0].reshape((-1, *(1,) * rank))
    return ans if batched else ans[0]
