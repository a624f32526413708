"""Convolution on NumPy arrays: windows copied into columns, then products of matrices.

Arrays are kept as (examples, channels, *places). Copying runs of places that lie side by side is
what costs. Where windows move by single steps, all places of a padded image are therefore treated
as one long axis: a window's entry is a shift along it, and a run is as long as the whole image.
The windows that wrap around an edge are computed in vain, and dropped.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lucid.ops.window.geometry import Ints, Pairs, counts, extent, frame, windows

__all__ = ["conv", "conv_weight"]

CHUNK = 1 << 20  # bytes of columns made at a time: they should stay in the cache
WASTE = 1.4  # how many places may be computed for each that is needed


def conv(
    x: Any, w: Any, strides: Ints, padding: Pairs, base: Ints, dilation: Ints, groups: int
) -> Any:
    """Return y[n, o, q] = Σ w[o, c, k] x[n, c, q·stride + k·dilation], x being framed."""
    dtype = np.result_type(x, w)
    x, w = x.astype(dtype, copy=False), w.astype(dtype, copy=False)
    sizes, window = x.shape[2:], w.shape[2:]
    out = counts(sizes, window, strides, padding, base, dilation)
    shape = (x.shape[0], w.shape[0], *out)
    if not math.prod(shape) or not x.size or not w.size:
        return np.zeros(shape, dtype)
    # Spreading products writes one number where gathering columns reads one; adding costs more.
    spread = 1.5 * w.shape[0] * math.prod(sizes) < x.shape[1] * math.prod(out)
    if spread and set(strides) == {1}:
        return _spread(x, w, padding, base, dilation, groups)
    return _gather(frame(x, padding, base), w, shape, strides, dilation, groups)


def _gather(x: Any, w: Any, shape: Ints, strides: Ints, dilation: Ints, groups: int) -> Any:
    columns = _Columns(x, w.shape[2:], shape[2:], strides, dilation, groups)
    matrix = w.reshape((groups, w.shape[0] // groups, -1))
    room = np.empty((*shape[:1], groups, matrix.shape[1], math.prod(columns.grid)), x.dtype)
    for some, block in columns:
        np.matmul(matrix, block, out=room[some, ..., : block.shape[-1]])
    if columns.grid == shape[2:]:
        return room.reshape(shape)
    cut = tuple(slice(n) for n in shape[2:])
    return np.ascontiguousarray(room.reshape((*shape[:2], *columns.grid))[(..., *cut)])


def conv_weight(
    x: Any,
    y: Any,
    window: Ints,
    strides: Ints,
    padding: Pairs,
    base: Ints,
    dilation: Ints,
    groups: int,
) -> Any:
    """Return w[o, c, k] = Σ y[n, o, q] x[n, c, q·stride + k·dilation], x being framed."""
    dtype = np.result_type(x, y)
    shape = (y.shape[1], x.shape[1] // groups, *window)
    if not x.size or not y.size:
        return np.zeros(shape, dtype)
    x = frame(x.astype(dtype, copy=False), padding, base)
    columns = _Columns(x, window, y.shape[2:], strides, dilation, groups)
    y = y.astype(dtype, copy=False)
    if columns.grid != y.shape[2:]:  # the windows that wrap around an edge count as zero
        fill = zip(y.shape[2:], columns.grid, strict=True)
        y = frame(y, tuple((0, n - m) for m, n in fill), (1,) * len(window))
    y = y.reshape((y.shape[0], groups, y.shape[1] // groups, -1))
    total: Any = 0
    for some, block in columns:
        total += np.matmul(y[some, ..., : block.shape[-1]], block.swapaxes(-1, -2)).sum(0)
    return total.astype(dtype, copy=False).reshape(shape)


class _Columns:
    """The windows of some examples at a time, as matrices (channels · window, places)."""

    def __init__(
        self, x: Any, window: Ints, out: Ints, strides: Ints, dilation: Ints, groups: int
    ) -> None:
        self.x = x.reshape((x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
        self.geometry = window, strides, dilation
        sizes = x.shape[2:]
        self.runs = (
            set(strides) == {1}
            and len(sizes) > 1
            and math.prod(window) > 1
            and math.prod(sizes) <= WASTE * math.prod(out)
        )
        self.grid = sizes if self.runs else out  # the places of which columns are made

    def __iter__(self) -> Iterator[tuple[slice, Any]]:
        window, strides, dilation = self.geometry
        view = self._shifts() if self.runs else windows(self.x, window, strides, dilation)
        rows = math.prod(view.shape[2 : 3 + len(window)])
        places = math.prod(view.shape[3 + len(window) :])
        count, groups = view.shape[:2]
        step = max(1, CHUNK // (groups * rows * places * view.itemsize))
        for start in range(0, count, step):
            block = np.ascontiguousarray(view[start : start + step])
            yield slice(start, start + step), block.reshape((-1, groups, rows, places))

    def _shifts(self) -> Any:
        """Return all shifts of the one long axis of places by a window's entry."""
        window, _, dilation = self.geometry
        x = np.ascontiguousarray(self.x)
        steps = tuple(n * d for n, d in zip(x.strides[3:], dilation, strict=True))
        reach = sum(n * (k - 1) for n, k in zip(steps, window, strict=True)) // x.itemsize
        run = math.prod(x.shape[3:]) - reach
        strides = (*x.strides[:3], *steps, x.itemsize)
        return as_strided(x, (*x.shape[:3], *window, run), strides, writeable=False)


def _spread(x: Any, w: Any, padding: Pairs, base: Ints, dilation: Ints, groups: int) -> Any:
    """Convolve by adding, for every entry of the window, its products at the places it reaches.

    This is faster than gathering where few channels are made out of many, and where zeros would
    stand between the entries.
    """
    count, channels, *sizes = x.shape
    filters, _, *window = w.shape
    reach = [extent(k, d) - 1 for k, d in zip(window, dilation, strict=True)]
    whole = tuple(extent(n, b) + r for n, b, r in zip(sizes, base, reach, strict=True))
    entries = list(itertools.product(*map(range, window)))
    if set(base) == {1} and math.prod(whole) <= WASTE * math.prod(sizes):  # along whole rows
        x = frame(x, tuple((0, r) for r in reach), base)
        steps = [math.prod(whole[i + 1 :]) * d for i, d in enumerate(dilation)]
        last = sum(n * (k - 1) for n, k in zip(steps, window, strict=True))
        sizes, grid = [math.prod(whole) - last], (math.prod(whole),)
        starts = [(last - sum(map(operator.mul, steps, k)),) for k in entries]
        base = (1,)
    else:
        grid = whole
        starts = [
            tuple(r - i * d for r, i, d in zip(reach, k, dilation, strict=True)) for k in entries
        ]
    ends = [extent(n, b) for n, b in zip(sizes, base, strict=True)]
    targets = [(..., *map(slice, at, map(operator.add, at, ends), base)) for at in starts]
    places = math.prod(sizes)
    x = x.reshape((count, groups, channels // groups, -1))[..., :places]
    matrix = w.reshape((groups, filters // groups, channels // groups, len(entries)))
    matrix = matrix.transpose((0, 3, 1, 2)).reshape((groups, -1, channels // groups))
    out = np.zeros((count, groups, filters // groups, *grid), x.dtype)
    step = max(1, CHUNK // (filters * len(entries) * places * x.itemsize))
    for start in range(0, count, step):
        made = np.matmul(matrix, x[start : start + step])
        made = made.reshape((-1, groups, len(entries), filters // groups, *sizes))
        part = out[start : start + step]
        for k, target in enumerate(targets):
            part[target] += made[:, :, k]
    pairs = tuple((lo - r, hi - r) for (lo, hi), r in zip(padding, reach, strict=True))
    return np.ascontiguousarray(
        frame(out.reshape((count, filters, *whole)), pairs, (1,) * len(whole))
    )
