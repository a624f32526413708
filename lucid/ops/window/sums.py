"""Sums over windows; the transpose of one is another one."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.ops.window.geometry import Ints, Pairs, counts, frame, opposite

__all__ = ["reduce_windows", "window_sum"]


def window_sum(
    x: Tensor, window: Ints, strides: Ints, padding: Pairs, base: Ints, dilation: Ints
) -> Tensor:
    """Add up the entries of each window over the last axes; padding counts as zeros.

    Args:
        x: an array of shape (..., *places).
        window: see `lucid.ops.window.geometry` for this and the others.
        strides: of the windows.
        padding: with zeros.
        base: the distance between the entries of `x`.
        dilation: the distance between the entries of a window.

    Returns:
        An array of shape (..., *windows), of the dtype of `x`.
    """
    return apply(_window_sum, (x,), (window, strides, padding, base, dilation))


def reduce_windows(ufunc: Any, x: Any, window: Ints, strides: Ints, dilation: Ints) -> Any:
    """Reduce the windows of a framed array, one axis after the other."""
    first = x.ndim - len(window)
    for axis, (k, stride, apart) in enumerate(zip(window, strides, dilation, strict=True), first):
        if k == stride == 1:
            continue
        lead = (slice(None),) * axis
        run = max(0, (x.shape[axis] - (k - 1) * apart - 1) // stride + 1)
        reach = stride * (run - 1) + 1 if run else 0
        parts = [x[(*lead, slice(i * apart, i * apart + reach, stride))] for i in range(k)]
        total = ufunc(parts[0], parts[1]) if k > 1 else parts[0].copy()
        for part in parts[2:]:
            ufunc(total, part, out=total)
        x = total
    return x


def _window_sum_impl(
    x: Any, window: Ints, strides: Ints, padding: Pairs, base: Ints, dilation: Ints
) -> Any:
    if base == window and set(strides) == {1} == set(dilation):  # every sum has one term
        for axis in range(1, len(window) + 1):
            x = np.repeat(x, window[-axis], -axis)
        pads = zip(padding, window, strict=True)
        x = frame(x, tuple((lo - w + 1, hi - w + 1) for (lo, hi), w in pads), strides)
        return x.copy() if x.base is not None else x
    framed = frame(x, padding, base)
    out = reduce_windows(np.add, framed, window, strides, dilation)
    return out.copy() if out is framed else out


def _infer(x: Aval, window: Ints, *rest: Any) -> Aval:
    at = x.ndim - len(window)
    return Aval((*x.shape[:at], *counts(x.shape[at:], window, *rest)), x.dtype)


def _transpose(
    ct: Tensor, x: Tensor, window: Ints, strides: Ints, padding: Pairs, base: Ints, dilation: Ints
) -> Tensor:
    sizes = x.shape[x.ndim - len(window) :]
    pads = opposite(sizes, window, strides, padding, base, dilation)
    return window_sum(ct, window, base, pads, strides, dilation)


_window_sum = linear(
    "window_sum",
    _window_sum_impl,
    transpose=_transpose,
    batch=lambda x, *params: apply(_window_sum, (x,), params),
    infer=_infer,
    selects=True,
)
