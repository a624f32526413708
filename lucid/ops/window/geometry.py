"""Where windows lie, and arrays made ready for them.

All operations of this package share these parameters, one entry for each axis that windows slide
over:

    window    how many entries a window has
    strides   from one window to the next
    padding   pairs, how many entries are put in front and behind; negative ones cut off
    base      how far apart the entries of the array are placed, with zeros in between
    dilation  how far apart the entries of a window are

`base` comes first, then `padding`, then the windows that fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

__all__ = ["Ints", "Pairs", "counts", "extent", "frame", "opposite", "spans", "windows"]

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def extent(n: int, apart: int) -> int:
    """Return how many places n entries take that are so far apart."""
    return (n - 1) * apart + 1 if n else 0


def counts(
    sizes: Sequence[int], window: Ints, strides: Ints, padding: Pairs, base: Ints, dilation: Ints
) -> Ints:
    """Return how many windows there are along each axis."""
    every = zip(sizes, window, strides, padding, base, dilation, strict=True)
    return tuple(
        max(0, (extent(n, b) + lo + hi - extent(k, d)) // s + 1)
        for n, k, s, (lo, hi), b, d in every
    )


def opposite(
    sizes: Sequence[int], window: Ints, strides: Ints, padding: Pairs, base: Ints, dilation: Ints
) -> Pairs:
    """Return the padding of the transpose: strides and base exchanged, the window mirrored."""
    out = counts(sizes, window, strides, padding, base, dilation)
    pairs: list[tuple[int, int]] = []
    every = zip(sizes, out, window, strides, padding, base, dilation, strict=True)
    for n, m, k, s, (lo, _), b, d in every:
        reach = extent(k, d) - 1
        pairs.append((reach - lo, extent(n, b) - extent(m, s) + lo))
    return tuple(pairs)


def spans(n: int, lo: int, length: int, base: int) -> tuple[slice, slice]:
    """Return which of n entries stay, and where, if entry i moves to place lo + base·i."""
    first = max(0, -(lo // base))
    last = min(n - 1, (length - 1 - lo) // base)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last + 1), slice(lo + base * first, lo + base * last + 1, base)


def frame(x: Any, padding: Pairs, base: Ints, fill: Any = 0) -> Any:
    """Return an array with its last axes spread out and padded; itself if nothing changes."""
    if set(base) == {1} and not any(map(any, padding)):
        return x
    lead, sizes = x.shape[: x.ndim - len(base)], x.shape[x.ndim - len(base) :]
    every = list(zip(sizes, padding, base, strict=True))
    shape = tuple(max(0, extent(n, b) + lo + hi) for n, (lo, hi), b in every)
    pairs = [spans(n, lo, m, b) for (n, (lo, _), b), m in zip(every, shape, strict=True)]
    inside = x[(..., *(source for source, _ in pairs))]
    if inside.shape[len(lead) :] == shape:
        return inside
    out = np.full(lead + shape, fill, x.dtype) if fill else np.zeros(lead + shape, x.dtype)
    out[(..., *(place for _, place in pairs))] = inside
    return out


def windows(x: Any, window: Ints, strides: Ints, dilation: Ints) -> Any:
    """Return a view of all windows: the entries of a window come first, the windows last."""
    at = x.ndim - len(window)
    plain = (1,) * len(window)
    count = counts(x.shape[at:], window, strides, ((0, 0),) * len(window), plain, dilation)
    steps = x.strides[at:]
    return as_strided(
        x,
        (*x.shape[:at], *window, *count),
        (
            *x.strides[:at],
            *(n * d for n, d in zip(steps, dilation, strict=True)),
            *(n * s for n, s in zip(steps, strides, strict=True)),
        ),
        writeable=False,
    )
