"""Fractional max pooling: windows of one size at random places, as many as wanted.

Along an axis of length n, window i < m - 1 of m, k long, begins at ⌊(i + u)·a⌋ - ⌊u·a⌋ with
a = (n - k) / (m - 1) and a random u from [0, 1); the last one ends where the axis ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.checks import check_real
from lucid.functional.geometry import Lengths, images, lengths
from lucid.ops.axes import as_tensor
from lucid.ops.creation import full
from lucid.ops.index import along
from lucid.ops.join import concat
from lucid.ops.random.continuous import uniform
from lucid.ops.random.generator import default_generator
from lucid.ops.random.keys import Key
from lucid.ops.rounding import floor
from lucid.ops.sort import argmax
from lucid.ops.window.geometry import Ints
from lucid.ops.window.maxima import pick_places
from lucid.transforms.stop import stop_gradient

__all__ = ["fractional_max_pool2d", "fractional_max_pool3d"]

Ratio = float | Sequence[float]


def fractional_max_pool2d(
    input: ArrayLike,
    kernel_size: Lengths,
    output_size: Lengths | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = False,
    _random_samples: ArrayLike | None = None,
    *,
    key: Key | None = None,
) -> Any:
    """Return the greatest entry of each of so many windows of images, at random places.

    Args:
        input: real, of shape (batch, channels, height, width), or without the batch.
        kernel_size: of the windows, one number or two.
        output_size: how many windows, one number or two.
        output_ratio: instead of it, their share of the entries of an axis, one number or two.
        return_indices: whether to return as well where the entries stand.
        _random_samples: numbers u from [0, 1), of shape (batch, channels, 2), for the width, then
            for the height; by default drawn.
        key: a single, unused random key to draw them with; by default the next one of the default
            generator.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch; with
        `return_indices` a pair of it and the places, which number the entries of each channel.

    Raises:
        ShapeError: if `input` has another number of axes, or so many windows do not fit.
        OptionError: unless one of `output_size` and `output_ratio` is given.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.fractional_max_pool2d(lucid.ones((1, 7, 5)), 2, (4, 3)).shape
        (1, 4, 3)

    Source: Graham, "Fractional max-pooling", 2014.
    """
    options = kernel_size, output_size, output_ratio, return_indices, _random_samples, key
    return fractional_max_pool(2, input, *options)


def fractional_max_pool3d(
    input: ArrayLike,
    kernel_size: Lengths,
    output_size: Lengths | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = False,
    _random_samples: ArrayLike | None = None,
    *,
    key: Key | None = None,
) -> Any:
    """Return the greatest entry of each of so many windows of volumes, at random places.

    Args:
        input: real, of shape (batch, channels, depth, height, width), or without the batch.
        kernel_size: of the windows, one number or three.
        output_size: how many windows, one number or three.
        output_ratio: instead of it, their share of the entries of an axis, one number or three.
        return_indices: whether to return as well where the entries stand.
        _random_samples: numbers u from [0, 1), of shape (batch, channels, 3), for depth, height
            and width; by default drawn.
        key: a single, unused random key to draw them with; by default the next one of the default
            generator.

    Returns:
        An array of shape (batch, channels, *output_size), or without the batch; with
        `return_indices` a pair of it and the places, which number the entries of each channel.

    Raises:
        ShapeError: if `input` has another number of axes, or so many windows do not fit.
        OptionError: unless one of `output_size` and `output_ratio` is given.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.fractional_max_pool3d(lucid.ones((1, 8, 6, 4)), 2, None, 0.5).shape
        (1, 4, 3, 2)

    Source: Graham, "Fractional max-pooling", 2014.
    """
    options = kernel_size, output_size, output_ratio, return_indices, _random_samples, key
    return fractional_max_pool(3, input, *options)


def fractional_max_pool(
    rank: int,
    input: ArrayLike,
    kernel_size: Lengths,
    output_size: Lengths | None,
    output_ratio: Ratio | None,
    return_indices: bool,
    samples: ArrayLike | None,
    key: Key | None,
) -> Any:
    """Pool over so many axes."""
    name = f"fractional_max_pool{rank}d"
    x = check_real(name, images(name, input, rank))
    lead, sizes = x.shape[:-rank], x.shape[-rank:]
    window, wanted = _geometry(name, rank, sizes, kernel_size, output_size, output_ratio)
    u = _samples(name, rank, x, samples, key)
    table = _places(u, sizes, window, wanted).reshape((*lead, math.prod(wanted), math.prod(window)))
    flat = x.reshape((*lead, math.prod(sizes)))
    rows = table.reshape((*lead, math.prod(table.shape[-2:])))
    entries = pick_places(stop_gradient(flat), rows, 1, False).reshape(table.shape)
    best = argmax(entries, axis=-1, keepdims=True)
    places = along(table, best, table.ndim - 1).reshape((*lead, math.prod(wanted)))
    values = pick_places(flat, places, 1, False).reshape((*lead, *wanted))
    return (values, places.reshape(values.shape)) if return_indices else values


def _geometry(
    name: str, rank: int, sizes: Ints, kernel: Any, size: Any, ratio: Any
) -> tuple[Ints, Ints]:
    """Return the size of the windows, and how many there shall be along each axis, checked."""
    if (size is None) == (ratio is None):
        got = "none" if size is None else "both"
        raise OptionError(message(name, "either output_size or output_ratio", got))
    window = lengths(name, "kernel_size", kernel, rank)
    if ratio is None:
        wanted = lengths(name, "output_size", size, rank)
    else:
        shares = tuple(ratio) if isinstance(ratio, Sequence) else (ratio,) * rank
        if len(shares) != rank or not all(0 < r < 1 for r in shares):
            want = f"output_ratio between 0 and 1, one number or {rank}"
            raise OptionError(message(name, want, repr(ratio)))
        wanted = tuple(int(n * r) for n, r in zip(sizes, shares, strict=True))
    if any(m < 1 or k + m - 1 > n for n, k, m in zip(sizes, window, wanted, strict=True)):
        want = f"an input that holds {wanted} different windows of {window} places"
        raise ShapeError(message(name, want, f"axes of {sizes}"))
    return window, wanted


def _samples(name: str, rank: int, x: Tensor, given: Any, key: Key | None) -> Tensor:
    """Return a number from [0, 1) for each axis of each channel."""
    shape, dtype = (*x.shape[:-rank], rank), x.dtype if x.dtype.kind == "f" else None
    if given is None:
        return uniform(default_generator.next_key() if key is None else key, shape, dtype)
    u = as_tensor(name, given)
    if u.shape != shape and (u.shape != (1, *shape) or x.ndim != rank + 1):
        raise ShapeError(message(name, f"_random_samples of shape {shape}", f"shape {u.shape}"))
    return u.reshape(shape)


def _places(u: Tensor, sizes: Ints, window: Ints, wanted: Ints) -> Tensor:
    """Return which places of a channel the entries of the windows are: axes of windows, of one."""
    rank, lead = len(sizes), u.shape[:-1]
    total: Any = 0
    for axis, (n, k, m) in enumerate(zip(sizes, window, wanted, strict=True)):
        # of images, PyTorch takes the numbers for the width first
        starts = _starts(u[..., 1 - axis if rank == 2 else axis], n, k, m)
        shape = [1] * (2 * rank)
        shape[axis], shape[rank + axis] = m, k
        own = starts.reshape((*lead, m, 1)) + wrap(np.arange(k), None)
        total = total * n + own.reshape((*lead, *shape))
    return total


def _starts(u: Tensor, n: int, k: int, m: int) -> Tensor:
    """Return where the windows along an axis begin, with one number u for each channel."""
    last = full((*u.shape, 1), n - k, dtype=np.int64)
    if m == 1:
        return last
    first, step = u.reshape((*u.shape, 1)), (n - k) / (m - 1)
    starts = floor((wrap(np.arange(m - 1, dtype=u.dtype), None) + first) * step)
    return concat([(starts - floor(first * step)).astype(np.int64), last], axis=-1)
