"""Records of operations on sliding windows."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from lucid.ops.window.conv import conv, conv_weight
from lucid.ops.window.maxima import max_pool, max_pool_places, pick_places, put_places
from lucid.ops.window.patches import fold, unfold
from lucid.ops.window.sums import window_sum
from tests.record import ALL, INEXACT, INTEGER, REAL, Record, distinct

# The references visit windows one by one, and read entries by their places in the array.


def windows(sizes: Any, window: Any, strides: Any, padding: Any, base: Any, dilation: Any) -> Any:
    """How many windows there are, and all (window, entry, place in the array) inside of it."""
    whole = [(n - 1) * b + 1 for n, b in zip(sizes, base, strict=True)]
    lengths = [
        (m + lo + hi - (k - 1) * d - 1) // s + 1
        for m, k, s, (lo, hi), d in zip(whole, window, strides, padding, dilation, strict=True)
    ]
    found = []
    for q in itertools.product(*map(range, lengths)):
        for k in itertools.product(*map(range, window)):
            at = [
                i * s + j * d - lo
                for i, j, s, d, (lo, _) in zip(q, k, strides, dilation, padding, strict=True)
            ]
            place = [divmod(a, b) for a, b in zip(at, base, strict=True)]
            if all(not r and 0 <= i < n for (i, r), n in zip(place, sizes, strict=True)):
                found.append((q, k, tuple(i for i, _ in place)))
    return tuple(lengths), found


def full(*index: Any) -> Any:
    return (..., *index)


def conv_ref(x: Any, w: Any, *params: Any) -> Any:
    *geometry, groups = params
    lengths, found = windows(x.shape[2:], w.shape[2:], *geometry)
    y = np.zeros((x.shape[0], w.shape[0], *lengths), np.result_type(x, w))
    some, made = x.shape[1] // groups, w.shape[0] // groups
    for g in range(groups):
        for q, k, i in found:
            xs = x[(slice(None), slice(g * some, (g + 1) * some), *i)]
            ws = w[(slice(g * made, (g + 1) * made), slice(None), *k)]
            y[(slice(None), slice(g * made, (g + 1) * made), *q)] += xs @ ws.T
    return y


def conv_weight_ref(x: Any, y: Any, window: Any, *params: Any) -> Any:
    *geometry, groups = params
    _, found = windows(x.shape[2:], window, *geometry)
    some, made = x.shape[1] // groups, y.shape[1] // groups
    w = np.zeros((y.shape[1], some, *window), np.result_type(x, y))
    for g in range(groups):
        for q, k, i in found:
            xs = x[(slice(None), slice(g * some, (g + 1) * some), *i)]
            ys = y[(slice(None), slice(g * made, (g + 1) * made), *q)]
            w[(slice(g * made, (g + 1) * made), slice(None), *k)] += ys.T @ xs
    return w


def sum_ref(x: Any, window: Any, *geometry: Any) -> Any:
    at = x.ndim - len(window)
    lengths, found = windows(x.shape[at:], window, *geometry)
    y = np.zeros((*x.shape[:at], *lengths), x.dtype)
    for q, _, i in found:
        y[full(*q)] += x[full(*i)]
    return y


def unfold_ref(x: Any, window: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    at = x.ndim - len(window)
    plain = (1,) * len(window)
    lengths, found = windows(x.shape[at:], window, strides, padding, plain, dilation)
    y = np.zeros((*x.shape[:at], *window, *lengths), x.dtype)
    for q, k, i in found:
        y[full(*k, *q)] = x[full(*i)]
    return y


def fold_ref(y: Any, sizes: Any, window: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    _, found = windows(sizes, window, strides, padding, (1,) * len(window), dilation)
    x = np.zeros((*y.shape[: y.ndim - 2 * len(sizes)], *sizes), y.dtype)
    for q, k, i in found:
        x[full(*i)] += y[full(*k, *q)]
    return x


def places_ref(x: Any, window: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    at = x.ndim - len(window)
    sizes = x.shape[at:]
    plain = (1,) * len(window)
    lengths, found = windows(sizes, window, strides, padding, plain, dilation)
    flat = x.reshape((-1, *sizes))
    y = np.full((flat.shape[0], *lengths), -1, np.int64)
    for n in range(flat.shape[0]):
        for q, _, i in found:
            best = y[(n, *q)]
            if best < 0 or flat[(n, *i)] > flat[n].ravel()[best]:
                y[(n, *q)] = np.ravel_multi_index(i, sizes)
    return y.reshape((*x.shape[:at], *lengths))


def max_ref(x: Any, window: Any, *params: Any) -> Any:
    return pick_ref(x, places_ref(x, window, *params), len(window))


def pick_ref(x: Any, places: Any, rank: int) -> Any:
    lead = x.shape[: x.ndim - rank]
    rows = places.reshape((*lead, math.prod(places.shape[len(lead) :])))
    flat = x.reshape((*lead, math.prod(x.shape[len(lead) :])))
    taken = np.take_along_axis(flat, rows, -1)
    return taken.reshape(places.shape)


def put_ref(y: Any, places: Any, sizes: Any) -> Any:
    lead = y.shape[: y.ndim - len(sizes)]
    count, size = int(np.prod(lead)), int(np.prod(sizes))
    out = np.zeros((count, size), y.dtype)
    rows = places.reshape((count, -1)), y.reshape((count, -1))
    for n in range(count):
        np.add.at(out[n], rows[0][n], rows[1][n])
    return out.reshape((*lead, *sizes))


def few(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Places among six, repeated."""
    return rng.integers(0, 6, shape)


def different(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Places among six along the last axis, none twice."""
    order = rng.random((*shape[:-1], 6)).argsort(-1)
    return order[..., : shape[-1]]


def with_params(fn: Any, *params: Any) -> Any:
    return lambda *operands: fn(*operands, *params)


PLAIN2 = ((1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1), 1)
WIDE = ((1, 1), ((1, 1), (1, 1)), (1, 1), (1, 1), 1)
STEPS = ((2, 1), ((1, 0), (-1, 2)), (1, 3), (1, 2), 2)
LINE = ((2,), ((1, 2),), (1,), (2,), 1)
UP = ((1,), ((2, 1),), (2,), (1,), 1)
SPACE = ((1, 2, 1), ((0, 1), (1, 0), (0, 0)), (1, 1, 2), (1, 1, 1), 1)
# (id, parameters, shapes of images and kernel)
CONVS: list[tuple[str, Any, Any]] = [
    ("", PLAIN2, (((2, 3, 4, 5), (2, 3, 2, 3)), ((1, 1, 3, 3), (1, 1, 1, 1)))),
    ("runs", WIDE, (((2, 1, 9, 9), (4, 1, 3, 3)), ((1, 4, 9, 9), (1, 4, 3, 3)))),
    ("empty", PLAIN2, (((0, 3, 4, 5), (2, 3, 2, 3)), ((2, 3, 2, 2), (2, 3, 3, 2)))),
    ("groups", STEPS, (((2, 4, 4, 3), (6, 2, 2, 2)), ((1, 2, 5, 3), (2, 1, 3, 2)))),
    ("line", LINE, (((2, 2, 6), (3, 2, 2)),)),
    ("up", UP, (((2, 3, 4), (2, 3, 3)), ((2, 2, 3), (5, 2, 2)))),
    ("space", SPACE, (((1, 2, 3, 4, 2), (2, 2, 2, 2, 2)),)),
]
RECORDS = [
    Record(
        "conv",
        with_params(conv, *params),
        with_params(conv_ref, *params),
        shapes=shapes,
        domains=((-2, 2),) * 2,
        dtypes=ALL[:-1] if not name else INEXACT,
        id=name,
    )
    for name, params, shapes in CONVS
]
WEIGHTS: list[tuple[str, Any, Any]] = [
    ("", ((2, 3), *PLAIN2), (((2, 3, 4, 5), (2, 2, 3, 3)),)),
    ("runs", ((3, 3), *WIDE), (((2, 2, 9, 9), (2, 3, 9, 9)),)),
    ("empty", ((2, 3), *PLAIN2), (((0, 3, 4, 5), (0, 2, 3, 3)),)),
    ("groups", ((2, 2), *STEPS), (((2, 4, 4, 3), (2, 6, 2, 6)),)),
    ("up", ((3,), *UP), (((2, 3, 4), (2, 2, 8)),)),
]
RECORDS += [
    Record(
        "conv_weight",
        with_params(conv_weight, *params),
        with_params(conv_weight_ref, *params),
        shapes=shapes,
        domains=((-2, 2),) * 2,
        id=name,
    )
    for name, params, shapes in WEIGHTS
]

ODD = ((2, 3), (2, 1), ((1, 0), (1, 2)), (1, 2))  # window, strides, padding, dilation
HALVES = ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
IMAGES = (((2, 3, 4, 5),), ((5, 5),), ((0, 4, 5),))
for name, (window, strides, padding, dilation) in {"": ODD, "halves": HALVES}.items():
    laid = windows((4, 5), window, strides, padding, (1, 1), dilation)[0]
    RECORDS += [
        Record(
            "window_sum",
            with_params(window_sum, window, strides, padding, (1, 1), dilation),
            with_params(sum_ref, window, strides, padding, (1, 1), dilation),
            shapes=IMAGES,
            dtypes=INEXACT + INTEGER[:1],
            id=name,
        ),
        Record(
            "unfold",
            with_params(unfold, window, strides, padding, dilation),
            with_params(unfold_ref, window, strides, padding, dilation),
            shapes=IMAGES,
            dtypes=INEXACT + INTEGER[:1],
            id=name,
        ),
        Record(
            "fold",
            with_params(fold, (4, 5), window, strides, padding, dilation),
            with_params(fold_ref, (4, 5), window, strides, padding, dilation),
            shapes=(((3, *window, *laid),), ((*window, *laid),)),
            id=name,
        ),
        Record(
            "max_pool",
            with_params(max_pool, window, strides, padding, dilation),
            with_params(max_ref, window, strides, padding, dilation),
            shapes=IMAGES,
            domains=(distinct(-2, 2),),
            dtypes=REAL,
            id=name,
        ),
        Record(
            "max_pool_places",
            with_params(max_pool_places, window, strides, padding, dilation),
            with_params(places_ref, window, strides, padding, dilation),
            shapes=IMAGES,
            dtypes=REAL + INTEGER,
            diff=(),
            id=name,
        ),
    ]
RECORDS += [
    Record(
        "window_sum",
        with_params(window_sum, (2, 2), (1, 1), ((1, 2), (0, 1)), base, (1, 1)),
        with_params(sum_ref, (2, 2), (1, 1), ((1, 2), (0, 1)), base, (1, 1)),
        shapes=(((2, 3, 2),), ((2, 2),)),
        id=name,
    )
    for name, base in {"base": (2, 3), "repeat": (2, 2)}.items()
]
for name, unique, places in (("", False, few), ("unique", True, different)):
    RECORDS += [
        Record(
            "pick_places",
            with_params(pick_places, 1, unique),
            with_params(pick_ref, 1),
            shapes=(((2, 2, 6), (2, 2, 4)), ((6,), (5,))),
            domains=((-2, 2), places),
            id=name,
        ),
        Record(
            "put_places",
            with_params(put_places, (6,), unique),
            with_params(put_ref, (6,)),
            shapes=(((2, 2, 4), (2, 2, 4)), ((5,), (5,))),
            domains=((-2, 2), places),
            id=name,
        ),
    ]
RECORDS.append(
    Record(
        "pick_places",
        with_params(pick_places, 2, False),
        with_params(pick_ref, 2),
        shapes=(((2, 2, 3), (2, 3, 3)), ((0, 2, 3), (0, 1, 2))),
        domains=((-2, 2), few),
        id="planes",
    )
)
