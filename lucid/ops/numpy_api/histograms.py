"""NumPy's histograms, under NumPy's signatures; by weights and edges they have derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.tensor import Tensor, concrete
from lucid.errors import ShapeError, message
from lucid.ops import extrema, grids, reduce, samples, segment, select, sort
from lucid.ops.numpy_api.table import covers, flat, tensor, tensors

__all__: list[str] = []

_min, _max = extrema.min, extrema.max


@covers(np.histogram_bin_edges)
def _np_histogram_bin_edges(
    a: Any, bins: Any = 10, range: Any = None, weights: Any = None
) -> Tensor:
    if isinstance(bins, str):
        plain_edges = np.histogram_bin_edges(concrete(tensor(a), "np.histogram"), bins, range)
        bins = plain_edges.size - 1
    if not isinstance(bins, int | np.integer):
        edges = tensor(bins)
        if edges.ndim != 1:
            want = "a number of bins, or their edges as a vector"
            raise ShapeError(message("np.histogram", want, f"shape {edges.shape}"))
        return edges
    x = flat(a)
    if range is None:
        low, high = (_min(x), _max(x)) if x.size else tensors((0.0, 1.0))
    else:
        low, high = tensors(range)
    same = low == high
    low, high = (select.where(same, v + d, v) for v, d in ((low, -0.5), (high, 0.5)))
    return grids.linspace(low, high, int(bins) + 1)


def _places(x: Tensor, edges: Tensor) -> Tensor:
    """Return the bin of each number; for one outside, how many bins there are."""
    count = edges.size - 1
    places = sort.searchsorted(edges, x, side="right") - 1
    places = select.where(x == edges[-1], count - 1, places)
    return select.where((places < 0) | (places >= count), count, places)


@covers(np.histogram)
def _np_histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Tensor, Tensor]:
    edges = _np_histogram_bin_edges(a, bins, range)
    weights = None if weights is None else flat(weights)
    counts = segment.bincount(_places(flat(a), edges), weights, length=edges.size)[:-1]
    if density:
        counts = counts / samples.diff(edges) / reduce.sum(counts)
    return counts, edges


@covers(np.histogram2d)
def _np_histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Tensor, Tensor, Tensor]:
    several = isinstance(bins, list | tuple | np.ndarray | Tensor) and len(bins) == 2
    both = bins if several else (bins, bins)
    points = flat(x), flat(y)
    if points[0].size != points[1].size:
        got = f"{points[0].size} and {points[1].size}"
        raise ShapeError(message("np.histogram2d", "as many numbers x as y", got))
    edges = [
        _np_histogram_bin_edges(p, b, r)
        for p, b, r in zip(points, both, (None, None) if range is None else range, strict=True)
    ]
    rows, columns = (e.size - 1 for e in edges)
    i, j = (_places(p, e) for p, e in zip(points, edges, strict=True))
    places = select.where((i == rows) | (j == columns), rows * columns, i * columns + j)
    weights = None if weights is None else flat(weights)
    counts = segment.bincount(places, weights, length=rows * columns + 1)[:-1] * 1.0
    counts = counts.reshape((rows, columns))
    if density:
        widths = [samples.diff(e) for e in edges]
        counts = counts / widths[0].reshape((-1, 1)) / widths[1] / reduce.sum(counts)
    return counts, edges[0], edges[1]
