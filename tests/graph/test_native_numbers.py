"""What the native executor promises of numbers, and how it meets NumPy's dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import LucidError
from lucid.graph.jit import jit

pytest.importorskip("llvmlite")
MILLIONS = np.random.default_rng(0).random(10**7, dtype=np.float32)


def native(function: Callable[..., Any]) -> Any:
    return jit(function, executor="native")


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        *[((10**7,), None), ((5 * 10**6, 2), 0), ((2, 5 * 10**6), 1), ((10**5, 100), 0)],
        *[((610, 16393), 1), ((610, 16393), 0), ((300, 16384), 1), ((100, 1000, 100), 1)],
        *[((3000, 16, 200), (0, 2)), ((10, 8192, 122), (1, 2)), ((1000, 1000, 10), 0)],
    ],
)
def test_sums_of_many_float32_numbers_are_accurate(shape: tuple[int, ...], axis: Any) -> None:
    x = MILLIONS[: int(np.prod(shape))].reshape(shape)
    exact = x.sum(axis=axis, dtype=np.float64)
    got = native(lambda t: t.sum(axis=axis))(x)
    assert got.dtype == np.float32
    assert np.max(np.abs(got.numpy() - exact) / exact) <= 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "function",
    [
        *[lambda x, y: (x / y) * y, lambda x, y: x * x - x * x, lambda x, y: (x * x) * 0.0],
        *[lambda x, y: (y * 1e-10) * 1e10, lambda x, y: x + y - x, lambda x, y: -(x - x)],
        *[lambda x, y: (-x) * 0.0, lambda x, y: (y + 1e16) - 1e16, lambda x, y: x * y / y],
    ],
)
def test_nothing_is_reordered(function: Callable[..., Any], dtype: str) -> None:
    """Not even where overflow, rounding, NaN or the sign of zero would not be seen otherwise."""
    x = np.full(37, 1e30 if dtype == "float32" else 1e300, dtype)
    y = 1 / x
    with np.errstate(all="ignore"):
        want = function(x, y)
    got = native(function)(x, y).numpy()
    np.testing.assert_array_equal(got, want)
    known = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(want)[known])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_subnormal_numbers_are_kept(dtype: Any) -> None:
    x = np.arange(1, 40).astype(dtype) * np.finfo(dtype).smallest_subnormal
    np.testing.assert_array_equal(native(lambda t: t + t * 2)(x).numpy(), x + x * dtype(2))
    assert native(lambda t: t.sum())(x).item() == x.sum()


BYTES = np.array([-100, 44, 100, 127], np.int8)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (lambda x, k: x < k, (BYTES, 300)),
        (lambda x, k: x == k, (BYTES, 300)),
        (lambda x, k: x > k, (np.array([1, 2**63], np.uint64), -3)),
        (lambda x: x < 300, (BYTES,)),
        (lambda x, k: x + k, (BYTES, 3)),
        (lambda x, y: x < y, (np.array([2**53 + 1, -1]), np.array([2**53, 2**64 - 1], np.uint64))),
        (lambda x: x * 2, (np.ones(3, ">f4"),)),
        (lambda x: x.astype("float32"), (np.arange(3, dtype=">i8"),)),
        (lambda x: x + 1e300, (np.ones(3, np.float32),)),
        (lambda x: lucid.clip(x, -3, 40), (BYTES,)),
        (lambda x: (x[1], x[0, ...], lucid.flip(x.sum())), (np.arange(3.0),)),
        (lambda x: ((x + 1).reshape(6), lucid.sort(x + 1, axis=1)), (np.eye(2, 3),)),
    ],
)
def test_dtypes_and_numbers_are_numpys(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    want = lucid.tree.leaves(jit(function, executor="numpy")(*args))
    for got, w in zip(lucid.tree.leaves(native(function)(*args)), want, strict=True):
        assert (got.shape, got.dtype) == (w.shape, w.dtype)
        np.testing.assert_array_equal(got.numpy(), w.numpy())


@pytest.mark.parametrize(("dtype", "k"), [(np.int8, 300), (np.uint8, -3)])
def test_numbers_that_do_not_fit_raise(dtype: Any, k: int) -> None:
    with pytest.raises(LucidError, match=f"add: .*{k} out of bounds"):
        native(lambda x, k: x + k)(np.ones(3, dtype), k)


def test_errors_of_implementations_name_the_operation() -> None:
    with pytest.raises(LucidError, match="cholesky: expected positive-definite"):
        native(lambda x: lucid.linalg.cholesky(x + 0.0))(-np.eye(3))


def test_several_reductions_of_rows_of_two_axes() -> None:
    """Sums that end within such a row have no place among those of whole rows."""
    x = np.random.default_rng(0).standard_normal((5, 6, 7))

    def f(x: Any) -> Any:
        e = lucid.exp(x)
        part = e / e.sum(axis=(1, 2), keepdims=True)
        return part, x.sum(axis=(0, 2)), x.sum(axis=2), e.sum(axis=0), x.max(axis=1)

    for got, want in zip(native(f)(x), f(lucid.asarray(x)), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)
