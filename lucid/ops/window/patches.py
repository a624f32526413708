"""Windows laid out as arrays, and put back: each the transpose of the other."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.ops.window.geometry import Ints, Pairs, counts, frame, windows

__all__ = ["fold", "unfold"]


def unfold(x: Tensor, window: Ints, strides: Ints, padding: Pairs, dilation: Ints) -> Tensor:
    """Lay out the windows over the last axes.

    Args:
        x: an array of shape (..., *places).
        window: see `lucid.ops.window.geometry` for this and the others.
        strides: of the windows.
        padding: with zeros.
        dilation: the distance between the entries of a window.

    Returns:
        An array of shape (..., *window, *windows).
    """
    return apply(_unfold, (x,), (window, strides, padding, dilation))


def fold(
    x: Tensor, sizes: Ints, window: Ints, strides: Ints, padding: Pairs, dilation: Ints
) -> Tensor:
    """Add up windows where they lie in an array whose last axes have these sizes.

    Args:
        x: an array of shape (..., *window, *windows).
        sizes: of the last axes of the result.
        window: see `lucid.ops.window.geometry` for this and the others.
        strides: of the windows.
        padding: what is put there is dropped.
        dilation: the distance between the entries of a window.

    Returns:
        An array of shape (..., *sizes).
    """
    return apply(_fold, (x,), (sizes, window, strides, padding, dilation))


def _unfold_impl(x: Any, window: Ints, strides: Ints, padding: Pairs, dilation: Ints) -> Any:
    framed = frame(x, padding, (1,) * len(window))
    return windows(framed, window, strides, dilation).copy()


def _fold_impl(
    x: Any, sizes: Ints, window: Ints, strides: Ints, padding: Pairs, dilation: Ints
) -> Any:
    rank = len(sizes)
    lead = x.shape[: x.ndim - 2 * rank]
    count = x.shape[x.ndim - rank :]
    pads = zip(sizes, padding, strict=True)
    out = np.zeros((*lead, *(n + max(lo, 0) + max(hi, 0) for n, (lo, hi) in pads)), x.dtype)
    cut = tuple(slice(max(-lo, 0), None) for lo, _ in padding)
    room = out[(..., *cut)]
    for k in itertools.product(*map(range, window)):
        starts = [i * d for i, d in zip(k, dilation, strict=True)]
        every = zip(starts, count, strides, strict=True)
        places = tuple(slice(a, a + (n - 1) * s + 1 if n else a, s) for a, n, s in every)
        room[(..., *places)] += x[(*(slice(None),) * len(lead), *k)]
    inner = zip(sizes, padding, strict=True)
    return out[(..., *(slice(max(lo, 0), max(lo, 0) + n) for n, (lo, _) in inner))].copy()


def _infer_unfold(x: Aval, window: Ints, strides: Ints, padding: Pairs, dilation: Ints) -> Aval:
    at = x.ndim - len(window)
    plain = (1,) * len(window)
    out = counts(x.shape[at:], window, strides, padding, plain, dilation)
    return Aval((*x.shape[:at], *window, *out), x.dtype)


def _infer_fold(x: Aval, sizes: Ints, *_: Any) -> Aval:
    return Aval((*x.shape[: x.ndim - 2 * len(sizes)], *sizes), x.dtype)


def _unfold_transpose(ct: Tensor, x: Tensor, window: Ints, *rest: Any) -> Tensor:
    return fold(ct, x.shape[x.ndim - len(window) :], window, *rest)


_unfold = linear(
    "unfold",
    _unfold_impl,
    transpose=_unfold_transpose,
    batch=lambda x, *params: apply(_unfold, (x,), params),
    infer=_infer_unfold,
    selects=True,
)
_fold = linear(
    "fold",
    _fold_impl,
    transpose=lambda ct, x, sizes, *rest: unfold(ct, *rest),
    batch=lambda x, *params: apply(_fold, (x,), params),
    infer=_infer_fold,
    selects=True,
)
