"""The greatest entry of each window, where it stands, and reading and writing there.

Places are numbers of entries of an array's last axes, counted as if these were one axis. Of equal
entries in a window the first one is the greatest.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import fit
from lucid.core.define import general, move_batch_first
from lucid.core.dispatch import apply
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, wrap
from lucid.ops.window.geometry import Ints, Pairs, counts, frame
from lucid.ops.window.sums import reduce_windows

__all__ = ["max_pool", "max_pool_places", "pick_places", "put_places"]


def max_pool(x: Tensor, window: Ints, strides: Ints, padding: Pairs, dilation: Ints) -> Tensor:
    """Return the greatest entry of each window over the last axes; NaN if there is one.

    Args:
        x: a real array of shape (..., *places).
        window: see `lucid.ops.window.geometry` for this and the others.
        strides: of the windows.
        padding: with entries smaller than all others.
        dilation: the distance between the entries of a window.

    Returns:
        An array of shape (..., *windows), of the dtype of `x`.
    """
    return apply(_max_pool, (x,), (window, strides, padding, dilation))


def max_pool_places(
    x: Tensor, window: Ints, strides: Ints, padding: Pairs, dilation: Ints
) -> Tensor:
    """Return where the entries stand that `max_pool` returns, as int64."""
    return apply(_max_pool_places, (x,), (window, strides, padding, dilation))


def pick_places(x: Tensor, places: Tensor, rank: int, unique: bool) -> Tensor:
    """Return entries of the last axes of an array.

    Args:
        x: an array of shape (*lead, *sizes).
        places: integers of shape (*lead, *shape).
        rank: how many axes `sizes` and `shape` are.
        unique: whether no place occurs twice beside one another.

    Returns:
        An array of shape (*lead, *shape).
    """
    return apply(_pick, (x, places), (rank, unique))


def put_places(y: Tensor, places: Tensor, sizes: Ints, unique: bool) -> Tensor:
    """Add entries to zeros, at places of the last axes: the transpose of `pick_places`.

    Args:
        y: an array of shape (*lead, *shape).
        places: integers of the shape of `y`.
        sizes: the lengths of the result's last axes, as many as there are in `shape`.
        unique: whether no place occurs twice.

    Returns:
        An array of shape (*lead, *sizes).
    """
    return apply(_put, (y, places), (sizes, unique))


# -- on NumPy arrays -------------------------------------------------------------------------------


def _lowest(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


def _max_pool_impl(x: Any, window: Ints, strides: Ints, padding: Pairs, dilation: Ints) -> Any:
    framed = frame(x, padding, (1,) * len(window), _lowest(x.dtype))
    out = reduce_windows(np.maximum, framed, window, strides, dilation)
    return out.copy() if out is framed else out


def _places_impl(x: Any, window: Ints, strides: Ints, padding: Pairs, dilation: Ints) -> Any:
    rank = len(window)
    sizes = x.shape[x.ndim - rank :]
    framed = frame(x, padding, (1,) * rank, _lowest(x.dtype))
    best = reduce_windows(np.maximum, framed, window, strides, dilation)
    out = best.shape[x.ndim - rank :]
    small = np.min_scalar_type(math.prod(window))
    entry = np.full(best.shape, np.iinfo(small).max, small)
    nan = x.dtype.kind == "f" and x.size > 0 and bool(np.isnan(np.max(x)))
    for number, k in enumerate(itertools.product(*map(range, window))):
        every = zip(k, out, strides, dilation, strict=True)
        cut = (slice(i * d, i * d + (n - 1) * s + 1 if n else 0, s) for i, n, s, d in every)
        part = framed[(..., *cut)]
        other = (part != best).astype(small)
        np.minimum(entry, np.negative(other, other) | small.type(number), out=entry)
        if nan:  # the last NaN counts, as in PyTorch
            np.copyto(entry, number, where=part != part)
    first, starts, steps = _tables(sizes, out, window, strides, padding, dilation)
    # Where even padding is as great as the greatest entry, the first that is no padding counts.
    np.maximum(entry, first, out=entry)
    places = np.take(steps, entry)
    places += starts
    return places


@functools.lru_cache(maxsize=256)
def _tables(
    sizes: Ints, out: Ints, window: Ints, strides: Ints, padding: Pairs, dilation: Ints
) -> tuple[Any, Any, Any]:
    """Return what places are made of.

    These are, for each window, the number of its first entry that is no padding, and where the
    window starts; and by the number of an entry, how far it is from the start.
    """
    first: Any = 0
    starts: Any = 0
    steps: Any = 0
    every = zip(sizes, out, window, strides, padding, dilation, strict=True)
    for axis, (n, m, k, s, (lo, _), d) in enumerate(every):
        behind = (1,) * (len(out) - axis - 1)
        start = np.arange(m, dtype=np.int64) * s - lo
        skipped = np.minimum(np.maximum(0, -(start // d)), k - 1)
        first = first * k + skipped.reshape((-1, *behind))
        starts = starts * n + start.reshape((-1, *behind))
        steps = steps * n + (np.arange(k, dtype=np.int64) * d).reshape((-1, *behind))
    return first.astype(np.min_scalar_type(math.prod(window))), starts, np.ravel(steps)


def _rows(lead: Ints, size: int, like: Any) -> Any:
    """Return where the row of each leading index begins, if all rows are one behind the other."""
    starts = np.arange(math.prod(lead), dtype=np.intp) * size
    return starts.reshape((*lead, *(1,) * (like.ndim - len(lead))))


def _pick_impl(x: Any, places: Any, rank: int, unique: bool) -> Any:
    lead = x.shape[: x.ndim - rank]
    flat = places + _rows(lead, math.prod(x.shape[x.ndim - rank :]), places)
    return np.take(x, flat)


def _put_impl(y: Any, places: Any, sizes: Ints, unique: bool) -> Any:
    lead = y.shape[: y.ndim - len(sizes)]
    out = np.zeros((*lead, *sizes), y.dtype)
    flat = places + _rows(lead, math.prod(sizes), places)
    if unique:
        out.reshape(-1)[flat] = y
    else:
        np.add.at(out.reshape(-1), flat.reshape(-1), y.reshape(-1))
    return out


# -- rules -----------------------------------------------------------------------------------------


def _infer(x: Aval, window: Ints, strides: Ints, padding: Pairs, dilation: Ints) -> Aval:
    at = x.ndim - len(window)
    plain = (1,) * len(window)
    out = counts(x.shape[at:], window, strides, padding, plain, dilation)
    return Aval((*x.shape[:at], *out), x.dtype)


def _apart(window: Ints, strides: Ints, dilation: Ints) -> bool:
    """Whether no entry lies in two windows."""
    return all((k - 1) * d < s for k, s, d in zip(window, strides, dilation, strict=True))


def _max_pool_vjp(
    ct: Tensor, ans: Tensor, x: Tensor, window: Ints, strides: Ints, padding: Pairs, dilation: Ints
) -> Tensor:
    places = max_pool_places(x, window, strides, padding, dilation)
    sizes = x.shape[x.ndim - len(window) :]
    return fit(put_places(ct, places, sizes, _apart(window, strides, dilation)), x)


def _max_pool_jvp(
    ans: Tensor,
    tangents: Sequence[Any],
    operands: Sequence[Any],
    window: Ints,
    strides: Ints,
    padding: Pairs,
    dilation: Ints,
) -> Tensor:
    places = max_pool_places(operands[0], window, strides, padding, dilation)
    return pick_places(tangents[0], places, len(window), _apart(window, strides, dilation))


def _reached(mask: Tensor, x: Tensor, params: tuple[Any, ...]) -> Tensor:
    """Return which entries stand behind those results of `max_pool` that are in a mask."""
    window, strides, _, dilation = params
    sizes = x.shape[x.ndim - len(window) :]
    marked = mask.astype(np.float32)
    unique = _apart(window, strides, dilation)
    return put_places(marked, max_pool_places(x, *params), sizes, unique) != 0


def _all(ans: Tensor) -> Tensor:
    return wrap(np.ones(ans.shape, bool), None)


_max_pool = general(
    "max_pool",
    _max_pool_impl,
    infer=_infer,
    jvp=_max_pool_jvp,
    vjps=[_max_pool_vjp],
    batch=lambda size, batched, args, *params: max_pool(args[0], *params),
    live=lambda mask, i, ans, args, *params: _reached(mask, args[0], params),
    masks=lambda i, ans, args, *params: _reached(_all(ans), args[0], params),
)
_max_pool_places = general(
    "max_pool_places",
    _places_impl,
    infer=lambda x, *params: Aval(_infer(x, *params).shape, np.dtype(np.int64)),
    batch=lambda size, batched, args, *params: max_pool_places(args[0], *params),
    smooth=False,
)


def _chosen(mask: Tensor, x: Tensor, places: Tensor, rank: int, unique: bool) -> Tensor:
    """Return which entries are picked for a place in a mask."""
    return put_places(mask.astype(np.float32), places, x.shape[x.ndim - rank :], unique) != 0


_pick = general(
    "pick_places",
    _pick_impl,
    infer=lambda x, places, *_: Aval(places.shape, x.dtype),
    jvp=lambda ans, tangents, args, *params: pick_places(tangents[0], args[1], *params),
    vjps=[
        lambda ct, ans, x, places, rank, unique: fit(
            put_places(ct, places, x.shape[x.ndim - rank :], unique), x
        ),
        None,
    ],
    batch=lambda size, batched, args, *params: apply(
        _pick, tuple(move_batch_first(size, batched, args)), params
    ),
    live=lambda mask, i, ans, args, *params: _chosen(mask, *args, *params),
    masks=lambda i, ans, args, *params: None if i else _chosen(_all(ans), *args, *params),
)
_put = general(
    "put_places",
    _put_impl,
    infer=lambda y, places, sizes, _: Aval((*y.shape[: y.ndim - len(sizes)], *sizes), y.dtype),
    jvp=lambda ans, tangents, args, *params: put_places(tangents[0], args[1], *params),
    vjps=[
        lambda ct, ans, y, places, sizes, unique: fit(
            pick_places(ct, places, len(sizes), unique), y
        ),
        None,
    ],
    batch=lambda size, batched, args, *params: apply(
        _put, tuple(move_batch_first(size, batched, args)), params
    ),
)
