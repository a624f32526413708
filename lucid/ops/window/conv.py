"""Convolution, and the two operations that its derivatives are made of.

`conv` slides a kernel over images, without mirroring it. It is linear in both; the transpose with
respect to the image is a `conv` again, with strides and `base` exchanged and the kernel mirrored,
and that with respect to the kernel is `conv_weight`, whose transposes are the two others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.define import bilinear
from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
from lucid.ops.window import kernels
from lucid.ops.window.geometry import Ints, Pairs, counts, opposite

__all__ = ["conv", "conv_transpose", "conv_weight", "mirror"]


def conv(
    x: Tensor,
    w: Tensor,
    strides: Ints,
    padding: Pairs,
    base: Ints,
    dilation: Ints,
    groups: int,
) -> Tensor:
    """Slide a kernel over images, yₙₒ(q) = Σ w₍ₒ₎₍c₎(k) xₙ₍c₎(q·stride + k·dilation - lo).

    Args:
        x: images, of shape (examples, channels, *places).
        w: the kernel, of shape (filters, channels // groups, *window). The filters of each group
            see the channels of that group.
        strides: see `lucid.ops.window.geometry` for this and the next three.
        padding: with zeros.
        base: the distance between the entries of `x`.
        dilation: the distance between the entries of the kernel.
        groups: divides the channels and the filters.

    Returns:
        An array of shape (examples, filters, *windows).
    """
    return apply(_conv, (x, w), (strides, padding, base, dilation, groups))


def conv_weight(
    x: Tensor,
    y: Tensor,
    window: Ints,
    strides: Ints,
    padding: Pairs,
    base: Ints,
    dilation: Ints,
    groups: int,
) -> Tensor:
    """Apply the transpose of `conv` with respect to the kernel to what has its result's shape."""
    return apply(_conv_weight, (x, y), (window, strides, padding, base, dilation, groups))


def conv_transpose(
    y: Tensor, w: Tensor, sizes: Ints, strides: Ints, padding: Pairs, base: Ints, dilation: Ints,
    groups: int,
) -> Tensor:  # fmt: skip
    """Apply the transpose of `conv` with respect to images that have these places."""
    pads = opposite(sizes, w.shape[2:], strides, padding, base, dilation)
    return conv(y, mirror(w, groups), base, pads, strides, dilation, groups)


def mirror(w: Tensor, groups: int) -> Tensor:
    """Mirror a kernel, and exchange the channels and the filters of each group."""
    axes = tuple(range(2, w.ndim))
    if any(n > 1 for n in w.shape[2:]):
        w = apply(OPS["flip"], (w,), (axes,))
    filters, channels, *window = w.shape
    if groups == 1:
        return apply(OPS["permute_dims"], (w,), ((1, 0, *axes),))
    w = _reshape(w, (groups, filters // groups, channels, *window))
    w = apply(OPS["permute_dims"], (w,), ((0, 2, 1, *(a + 1 for a in axes)),))
    return _reshape(w, (groups * channels, filters // groups, *window))


def _reshape(x: Tensor, shape: Sequence[int]) -> Tensor:
    return x if x.shape == tuple(shape) else apply(OPS["reshape"], (x,), (tuple(shape),))


def _move(x: Tensor, source: int, target: int) -> Tensor:
    order = [i for i in range(x.ndim) if i != source]
    order.insert(target, source)
    return apply(OPS["permute_dims"], (x,), (tuple(order),))


# -- batches ---------------------------------------------------------------------------------------


def _merge(x: Tensor, axis: int, groups: int) -> Tensor:
    """Put the leading batch axis into another one, inside of its groups."""
    _, *shape = x.shape
    parts = (*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])
    x = _move(_reshape(x, (x.shape[0], *parts)), 0, axis + 1)
    return _reshape(x, (*shape[:axis], x.shape[axis + 1] * shape[axis], *shape[axis + 1 :]))


def _split(x: Tensor, axis: int, groups: int, size: int, length: int) -> Tensor:
    """Undo `_merge` on a result whose axis had this length in each example."""
    shape = x.shape
    parts = (*shape[:axis], groups, size, length // groups, *shape[axis + 1 :])
    x = _move(_reshape(x, parts), axis + 1, 0)
    return _reshape(x, (size, *shape[:axis], length, *shape[axis + 1 :]))


def _batch_conv(size: int, batched: Sequence[bool], args: Sequence[Any], *params: Any) -> Tensor:
    x, w = args
    *geometry, groups = params
    if not batched[1]:
        count = x.shape[1]
        return _split(apply(_conv, (_merge(x, 0, 1), w), params), 0, 1, size, count)
    filters = w.shape[1]
    if not batched[0]:
        w = _merge(w, 0, groups)
        return _split(apply(_conv, (x, w), params), 1, groups, size, filters)
    pair = (_merge(x, 1, 1), _merge(w, 0, 1))
    return _split(apply(_conv, pair, (*geometry, size * groups)), 1, 1, size, filters)


def _batch_conv_weight(
    size: int, batched: Sequence[bool], args: Sequence[Any], *params: Any
) -> Tensor:
    x, y = args
    *geometry, groups = params
    if not batched[1]:
        channels = x.shape[2] // groups
        x = _merge(x, 1, groups)
        return _split(apply(_conv_weight, (x, y), params), 1, 1, size, channels)
    filters = y.shape[2]
    if not batched[0]:
        y = _merge(y, 1, groups)
        return _split(apply(_conv_weight, (x, y), params), 0, groups, size, filters)
    pair = (_merge(x, 1, 1), _merge(y, 1, 1))
    return _split(apply(_conv_weight, pair, (*geometry, size * groups)), 0, 1, size, filters)


# -- the operations --------------------------------------------------------------------------------


def _infer_conv(x: Aval, w: Aval, *params: Any) -> Aval:
    *geometry, _ = params
    places = counts(x.shape[2:], w.shape[2:], *geometry)
    return Aval((x.shape[0], w.shape[0], *places), np.result_type(x.dtype, w.dtype))


def _infer_conv_weight(x: Aval, y: Aval, window: Ints, *params: Any) -> Aval:
    shape = (y.shape[1], x.shape[1] // params[-1], *window)
    return Aval(shape, np.result_type(x.dtype, y.dtype))


_conv = bilinear(
    "conv",
    kernels.conv,
    transpose_lhs=lambda ct, x, w, *params: conv_transpose(ct, w, x.shape[2:], *params),
    transpose_rhs=lambda ct, x, w, *params: conv_weight(x, ct, w.shape[2:], *params),
    batch=_batch_conv,
    infer=_infer_conv,
)
_conv_weight = bilinear(
    "conv_weight",
    kernels.conv_weight,
    transpose_lhs=lambda ct, x, y, _, *params: conv_transpose(y, ct, x.shape[2:], *params),
    transpose_rhs=lambda ct, x, y, _, *params: conv(x, ct, *params),
    batch=_batch_conv_weight,
    infer=_infer_conv_weight,
)
