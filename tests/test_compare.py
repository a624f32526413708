"""Comparisons, logic and bits."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import lucid
from lucid.errors import ConcretizationError, DTypeError

T = lucid.Tensor


@pytest.mark.parametrize(
    "symbol", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
)
def test_infix_comparisons(symbol: object) -> None:
    x, y = np.array([1.0, 2.0, np.nan]), np.array([2.0, 2.0, 1.0])
    compare = symbol
    for got, want in (
        (compare(T(x), T(y)), compare(x, y)),  # type: ignore[operator]
        (compare(T(x), y), compare(x, y)),  # type: ignore[operator]
        (compare(T(x), 2), compare(x, 2)),  # type: ignore[operator]
        (compare(2.0, T(x)), compare(2.0, x)),  # type: ignore[operator]
    ):
        assert got.dtype == bool
        assert got.tolist() == want.tolist()


def test_comparison_with_something_foreign_is_pythons() -> None:
    assert (T([1.0]) == "one") is False
    assert (T([1.0]) != None) is True  # noqa: E711
    with pytest.raises(TypeError, match="not supported between"):
        T([1.0]) < "one"  # noqa: B015


@pytest.mark.parametrize("symbol", [operator.and_, operator.or_, operator.xor])
def test_infix_bits(symbol: object) -> None:
    x, y = np.array([12, 10]), np.array([10, 3])
    for got, want in (
        (symbol(T(x), T(y)), symbol(x, y)),  # type: ignore[operator]
        (symbol(T(x), 6), symbol(x, 6)),  # type: ignore[operator]
        (symbol(6, T(x)), symbol(6, x)),  # type: ignore[operator]
        (symbol(T(x > 11), True), symbol(x > 11, True)),  # type: ignore[operator]
    ):
        assert got.dtype == want.dtype
        assert got.tolist() == want.tolist()


def test_shifts_and_inversion() -> None:
    assert (T([1, 2]) << 3).tolist() == [8, 16]
    assert (1 << T([1, 2])).tolist() == [2, 4]
    assert (T([17, -17]) >> 2).tolist() == [4, -5]
    assert (64 >> T([1, 2])).tolist() == [32, 16]
    assert (~T([0, 5])).tolist() == [-1, -6]
    assert (~T([True, False])).tolist() == [False, True]
    with pytest.raises(DTypeError, match=r"bitwise_and: .*float64"):
        T([1.0]) & 1
    with pytest.raises(DTypeError, match=r"bitwise_invert: .*float64"):
        ~T([1.0])


def test_comparisons_are_plain_under_grad_and_refuse_to_be_bool_under_vmap() -> None:
    def f(x: lucid.Tensor) -> lucid.Tensor:
        return x * 2 if x > 1 else x * 3

    assert lucid.grad(f)(T(2.0)).item() == 2.0
    assert lucid.grad(f)(T(0.0)).item() == 3.0
    with pytest.raises(ConcretizationError, match="bool"):
        lucid.vmap(f)(T([1.0, 2.0]))
    assert lucid.vmap(lambda x: x > 1)(T([1.0, 2.0])).tolist() == [False, True]
