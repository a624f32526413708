"""Sorting and places in sorted arrays in native code against the numpy executor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lucid
from lucid.graph.native.host import host

DTYPES = (
    *("float32", "float64", "bool", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)


def drawn(shape: Any, dtype: str, seed: int = 0) -> Any:
    """Elements of all sizes, many of them equal, with NaN, infinities and zeros of both signs."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype.startswith("float"):
        x = rng.standard_normal(shape).round(1).astype(dtype)
        strange = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0], dtype)
        return np.where(rng.random(shape) < 0.5, x, rng.choice(strange, shape))
    info = np.iinfo(dtype)
    some = rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    few = rng.integers(max(info.min, -3), 4, shape).astype(dtype)
    return np.where(rng.random(shape) < 0.5, some, few)


def check(f: Any, *args: Any, native: bool = True) -> None:
    """Compare the executors, to the bit but for the sign of zeros and NaN."""
    slow, fast = lucid.jit(f, executor="numpy"), lucid.jit(f, executor="native")
    want, got = lucid.tree.leaves(slow(*args)), lucid.tree.leaves(fast(*args))
    for x, y in zip(want, got, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_array_equal(y, x)
    if native:
        assert not fast.lower(*args).fallbacks()


SHAPES = [
    *(((1,), 0), ((7,), 0), ((33,), 0), ((3, 5), 0), ((3, 5), 1), ((3, 130), 1), ((200, 3), 0)),
    *(((2, 3, 40), 1), ((3, 70, 2), 0), ((1, 300), 1), ((3000,), 0)),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_order_of_all_dtypes_along_all_axes(dtype: str) -> None:
    for shape, axis in SHAPES:
        x = drawn(shape, dtype)
        for falling in (False, True):
            check(
                lambda x, a=axis, d=falling: (
                    lucid.sort(x, axis=a, descending=d),
                    lucid.argsort(x, axis=a, descending=d),
                ),
                x,
            )


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int8", "int16", "uint16", "uint64", "bool"]
)
def test_long_rows_that_threads_share(dtype: str) -> None:
    x = drawn((150_000,), dtype)
    for y in (x, np.sort(x), np.sort(x)[::-1], np.full_like(x, x[0]), np.repeat(x[:3], 50_000)):
        check(lambda x: (lucid.sort(x), lucid.argsort(x), lucid.argsort(x, descending=True)), y)


@pytest.mark.parametrize("n", [64, 200, 5000])
def test_rows_in_every_pattern(n: int) -> None:
    k = np.arange(n)
    top = np.iinfo(np.int64).max
    rows = [k, -k, k % 7, k // 7, np.minimum(k, n - k), 0 * k, np.where(k % 2, top, -top - 1)]
    rows += [np.where(k == j, top, 5) for j in (0, n - 1)] + [(k * 7919) % n, k * 0 + top]
    for dtype in ("int64", "int32", "float64"):
        x = np.stack(rows).astype(dtype)
        check(lambda x: (lucid.sort(x), lucid.argsort(x), lucid.argsort(x, descending=True)), x)


@pytest.mark.parametrize("width", [16, 32])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_processors_with_shorter_registers(
    width: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if width > host().width:
        pytest.skip("the processor's registers are shorter")
    monkeypatch.setattr(host(), "width", width)
    for shape, axis in [*SHAPES, ((150_000,), 0)]:
        x = drawn(shape, dtype)
        check(
            lambda x, a=axis: (
                *(lucid.sort(x, axis=a), lucid.argsort(x, axis=a)),
                lucid.argsort(x, axis=a, descending=True),
            ),
            x,
        )
    x = np.random.default_rng(0).standard_normal((3, 301))
    check(lambda x: lucid.median(x, axis=1), x.astype(dtype))
    check(lambda x: lucid.searchsorted(lucid.sort(x[0]), x), x.astype(dtype))


def test_other_layouts_and_nothing() -> None:
    x = drawn((30, 50), "float32")
    check(lambda x: lucid.sort(x[::2, ::-3].T, axis=0), x)
    check(lambda x: lucid.argsort(x.T[3:], axis=1, descending=True), x)
    check(lambda x: lucid.sort(lucid.broadcast_to(x[:1], (3, 50)), axis=0), x)
    check(lambda x: lucid.sort(x), np.asfortranarray(x))
    check(lambda x: lucid.sort(x, axis=None), x)
    for shape in ((0,), (0, 3), (3, 0)):
        check(lambda x: (lucid.sort(x), lucid.argsort(x)), np.zeros(shape), native=False)


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_what_is_made_of_sorting(dtype: str) -> None:
    x = drawn((6, 41), dtype)
    check(lambda x: (lucid.topk(x, 3), lucid.topk(x, 2, axis=0, largest=False)), x)
    y = np.random.default_rng(1).standard_normal((6, 41))
    check(lucid.grad(lambda x: (lucid.sort(x) * lucid.asarray(y)).sum()), y[::-1] + 1)
    check(lucid.vmap(lambda x: lucid.argsort(x, axis=0)), x.reshape(6, 41, 1))


def test_in_a_loop() -> None:
    def step(carry: Any, x: Any) -> Any:
        return lucid.sort(carry + x), lucid.argsort(carry)

    x = np.random.default_rng(0).standard_normal((5, 100))
    check(lambda c, x: lucid.scan(step, c, x), x[0], x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_medians_and_quantiles(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for shape in ((1,), (2,), (9, 40), (4, 3, 301)):
        x = rng.standard_normal(shape).astype(dtype).round(1)
        for axis in (None, 0, -1, tuple(range(x.ndim))):
            check(lambda x, a=axis: (lucid.median(x, axis=a), lucid.median(-x, axis=a)), x)
        check(lambda x: lucid.median(x.T, axis=-1, keepdims=True), x)
    x[0, 0, 5], x[1, 1, 1], x[2, 0] = np.nan, np.inf, np.nan
    for axis in ((0, 2), (1, 2), 1, 2):
        check(lambda x, a=axis: lucid.median(x, axis=a), x)
    check(lambda x: lucid.quantile(x, 0.3, axis=2), rng.standard_normal((4, 3, 50)).astype(dtype))
    check(lambda x: lucid.median(x), np.arange(12).reshape(3, 4))
    check(lucid.grad(lambda x: lucid.median(x, axis=1).sum()), rng.standard_normal((3, 8)))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_places_in_sorted_arrays(dtype: str, side: str) -> None:
    for n in (1, 2, 3, 7, 8, 64, 100, 1000):
        a = np.sort(drawn((n,), dtype, n))
        for other in (dtype, "float64", "int8"):
            v = drawn((3, 217), other, n + 1)
            if other == dtype:
                v.flat[: min(n, 600)] = a[:600]
            check(lambda a, v: lucid.searchsorted(a, v, side=side), a, v)
    check(lambda a, v: lucid.searchsorted(a[::2], v.T[0], side=side), a, v)
    check(lucid.vmap(lambda a, v: lucid.searchsorted(a, v, side=side)), np.stack([a] * 3), v)
    check(lambda a, v: lucid.searchsorted(a, v, side=side), a[:0], v, native=False)
    check(lambda a, v: lucid.searchsorted(a, v, side=side), a, v[:0], native=False)
