"""Products of integers and truth values in native code against the numpy executor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lucid

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def drawn(shape: Any, dtype: str, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.3
    if dtype.startswith("float"):
        return rng.integers(-9, 9, shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def check(f: Any, *args: Any, native: bool = True) -> None:
    slow, fast = lucid.jit(f, executor="numpy"), lucid.jit(f, executor="native")
    want, got = lucid.tree.leaves(slow(*args)), lucid.tree.leaves(fast(*args))
    for x, y in zip(want, got, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_array_equal(y, x)
    if native:
        assert not fast.lower(*args).fallbacks()


SIZES = [(1, 1, 1), (2, 3, 4), (5, 17, 3), (4, 9, 70), (7, 5, 129), (70, 33, 20), (1, 40, 8)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_all_sizes(dtype: str) -> None:
    for m, k, n in SIZES:
        check(lambda a, b: a @ b, drawn((m, k), dtype), drawn((k, n), dtype, 1))
    a, b = drawn((5, 6), dtype), drawn((6, 9), dtype, 1)
    check(lambda a, b: lucid.asarray(b).T @ a.T, a, lucid.asarray(b))
    check(lambda a, b: lucid.asarray(a)[:, 0] @ a, a, b)
    check(lambda a, b: lucid.asarray(a) @ b[:, 3], a, b)
    check(lambda a, b: lucid.asarray(a)[0] @ b[:, 3], a, b)
    check(lambda a, b: lucid.asarray(a)[::-2, ::2] @ b[::2, ::-3], a, b)
    check(lambda a: lucid.asarray(a) @ lucid.asarray(a).T, a)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64"])
def test_stacks_and_contractions(dtype: str) -> None:
    a, b = drawn((3, 1, 5, 6), dtype), drawn((4, 6, 9), dtype, 1)
    check(lambda a, b: lucid.asarray(a) @ b, a, b)
    check(lambda a, b: lucid.asarray(a) @ b[0], a, b)
    check(lambda a, b: lucid.einsum("xyij,zjk->zkix", a, b), a, b)
    check(lambda a, b: lucid.tensordot(a, b, axes=([3], [1])), a, b)
    check(lambda a, b: lucid.einsum("ij,kj->ik", a[0, 0], b[0].T), a, b)
    check(lambda a: lucid.einsum("ij,ij->", a[0, 0], a[1, 0]), a)
    check(lucid.vmap(lambda a, b: a @ b), drawn((4, 5, 6), dtype), b)
    for shapes in (((0, 3), (3, 2)), ((2, 0), (0, 4)), ((2, 3), (3, 0))):
        check(lambda a, b: a @ b, *(drawn(s, dtype) for s in shapes), native=False)


@pytest.mark.parametrize(
    ("one", "other"),
    [("int8", "int32"), ("uint8", "int8"), ("bool", "int64"), ("int32", "float64"),
     ("float32", "float64"), ("bool", "float32"), ("int16", "float32")],
)  # fmt: skip
def test_two_dtypes(one: str, other: str) -> None:
    a, b = drawn((5, 6), one), drawn((6, 9), other)
    check(lambda a, b: lucid.asarray(a) @ b, a, b)
    check(lambda a, b: lucid.asarray(b).T @ a.T, a, b)
    check(lambda a, b: lucid.einsum("ij,jk->ki", a, b), a, b)


def test_large_products_that_threads_share() -> None:
    for dtype in ("int64", "int8"):
        a, b = drawn((300, 200), dtype), drawn((200, 310), dtype, 1)
        check(lambda a, b: a @ b, a, b)
        check(lambda a, b: a @ b, drawn((40, 30, 20), dtype), drawn((40, 20, 50), dtype, 1))
