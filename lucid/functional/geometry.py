"""What functions of windows check: sizes given as one number or several, and shapes of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.ops.axes import as_tensor
from lucid.ops.window.geometry import Ints, Pairs, extent

__all__ = ["Lengths", "images", "lengths", "pool_geometry"]

Lengths = int | Sequence[int]


def lengths(name: str, what: str, given: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """Return one integer per axis: one for all of them, or as many as there are axes."""
    several = given if isinstance(given, Sequence | np.ndarray) else (given,) * rank
    whole = all(hasattr(n, "__index__") and not isinstance(n, bool) for n in several)
    if isinstance(several, str) or not whole:
        want = f"an integer or {rank} of them as {what}"
        raise OptionError(message(name, want, repr(given)))
    found = tuple(int(n) for n in several)
    found = found * rank if len(found) == 1 else found
    if len(found) != rank or any(n < least for n in found):
        want = f"{what} of {least} or more, one number or {rank}"
        raise OptionError(message(name, want, repr(given)))
    return found


def images(name: str, input: Any, rank: int, view: bool = False) -> Tensor:
    """Return an operand of shape (batch, channels, *places) or (channels, *places), checked."""
    x = as_tensor(name, input, view)
    if x.ndim not in (rank + 1, rank + 2):
        want = f"an input with {rank + 2} axes, or {rank + 1} without a batch"
        raise ShapeError(message(name, want, f"shape {x.shape}"))
    return x


def pool_geometry(
    name: str,
    x: Tensor,
    rank: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> tuple[Ints, Ints, Pairs, Ints]:
    """Return window, strides, padding and dilation of a pooling, checked."""
    window = lengths(name, "kernel_size", kernel_size, rank)
    strides = window if stride is None else lengths(name, "stride", stride, rank)
    pads = lengths(name, "padding", padding, rank, 0)
    apart = lengths(name, "dilation", dilation, rank)
    reach = [extent(k, d) for k, d in zip(window, apart, strict=True)]
    if any(p > r // 2 for p, r in zip(pads, reach, strict=True)):
        raise OptionError(message(name, "padding of at most half a window", f"{pads}"))
    behind: list[int] = []
    for n, r, s, p in zip(x.shape[-rank:], reach, strides, pads, strict=True):
        room = n + 2 * p - r
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= n + p:  # a window must not lie behind the end
            count -= 1
        if count < 1:
            want = f"an input that, padded, holds a window of {tuple(reach)} places"
            raise ShapeError(message(name, want, f"shape {x.shape}"))
        behind.append((count - 1) * s + r - n - p if ceil_mode else p)
    return window, strides, tuple(zip(pads, behind, strict=True)), apart
