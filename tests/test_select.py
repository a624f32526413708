"""where, maximum and minimum, clip, nan_to_num: masks, ties, dtypes, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import OperandError, OverflowedError, ShapeError

T = lucid.Tensor
nan, inf = math.nan, math.inf


def both_modes(f: Any, x: Any) -> list[Any]:
    """The gradient of an elementwise f by reverse and by forward mode."""
    ones = T(np.ones(x.shape, x.dtype))
    return [lucid.grad(lambda a: f(a).sum())(x).tolist(), lucid.jvp(f, (x,), (ones,))[1].tolist()]


def test_where_hides_what_it_does_not_choose() -> None:
    with np.errstate(all="ignore"):
        for got in both_modes(lambda x: lucid.where(x > 0, lucid.log(x), 0.0), T([0.0, 2.0])):
            assert got == [0.0, 0.5]
        for got in both_modes(lambda x: lucid.where(x > 0, x / x, 3 * x), T([0.0, 2.0])):
            assert got == [3.0, 0.0]
        for got in both_modes(lambda x: lucid.where(x > 0, lucid.sqrt(x), 0.0) ** 2, T([0.0, 4.0])):
            assert got == [0.0, 1.0]
        # broadcast operands, and a selection behind a selection
        g = lucid.grad(
            lambda x: lucid.where(
                T([[True], [False]]), lucid.where(T([False, True]), 1 / x, x), 2.0
            ).sum()
        )(T([0.0, 2.0]))
        assert g.tolist() == [1.0, -0.25]
        per_row = lucid.vmap(lucid.grad(lambda x: lucid.where(x > 0, lucid.log(x), 0.0)))
        assert per_row(T([0.0, 2.0])).tolist() == [0.0, 0.5]
        second = lucid.hessian(lambda x: lucid.where(x > 0, x * lucid.log(x), 0.0).sum())
        assert second(T([0.0, 2.0])).tolist() == [[0.0, 0.0], [0.0, 0.5]]


def test_an_honest_indeterminate_product_stays_nan() -> None:
    assert math.isnan(lucid.grad(lambda x: lucid.sqrt(x) * lucid.sqrt(x))(T(0.0)).item())


def test_where_takes_any_condition_and_numbers() -> None:
    x = T(np.float32([1.0, 2.0]))
    assert lucid.where(T([0, 3]), x, 0).tolist() == [0.0, 2.0]
    assert lucid.where(T([0.0, nan]), x, 0).tolist() == [0.0, 2.0]
    assert lucid.where(True, x, 0.5).tolist() == [1.0, 2.0]
    assert lucid.where(np.array([True, False]), x, 0.5).dtype == np.float32
    assert lucid.where(T([True]), 1.0, 2).dtype == np.float64
    with pytest.raises(OperandError, match="where: expected two operands to choose from, got one"):
        lucid.where(T([True]), x)
    with pytest.raises(ShapeError, match=r"where: expected shapes that broadcast"):
        lucid.where(T([True, False, True]), x, x)
    with pytest.raises(OperandError, match="where: expected Tensors, NumPy arrays or numbers"):
        lucid.where([True, False], x, x)  # type: ignore[arg-type]


def test_where_of_the_condition_alone_gives_indices() -> None:
    (found,) = lucid.where(T([0.0, 1.0, 2.0]))
    assert found.tolist() == [1, 2]


def test_where_keeps_its_own_copy_of_the_condition() -> None:
    mask = np.array([True, False])

    def f(x: Any) -> Any:
        y = lucid.where(mask, x, 3 * x)
        mask[:] = False
        return y.sum()

    assert lucid.grad(f)(T([1.0, 1.0])).tolist() == [1.0, 3.0]


@pytest.mark.parametrize("f", [lucid.maximum, lucid.minimum, lucid.fmax, lucid.fmin])
def test_ties_share_the_derivative(f: Any) -> None:
    x, y = T([1.0, 2.0, 3.0]), T([2.0, 2.0, 2.0])
    got = lucid.grad(lambda x, y: f(x, y).sum(), (0, 1))(x, y)
    upper = f in (lucid.maximum, lucid.fmax)
    first = [0.0, 0.5, 1.0] if upper else [1.0, 0.5, 0.0]
    assert got[0].tolist() == first
    assert got[1].tolist() == first[::-1]
    assert lucid.jvp(lambda x: f(x, 2.0), (x,), (T([1.0, 1.0, 1.0]),))[1].tolist() == first
    assert lucid.grad(lambda x: f(x, x).sum())(x).tolist() == [1.0, 1.0, 1.0]


def test_maximum_hides_what_loses() -> None:
    with np.errstate(all="ignore"):
        for got in both_modes(lambda x: lucid.maximum(lucid.log(x), -1.0), T([0.0, 2.0])):
            assert got == [0.0, 0.5]
        for got in both_modes(lambda x: lucid.minimum(1 / x, 1.0), T([0.0, 2.0])):
            assert got == [0.0, -0.25]
        for got in both_modes(lambda x: lucid.clip(1 / x, 0.0, 1.0), T([0.0, 2.0])):
            assert got == [0.0, -0.25]


def test_fmax_and_fmin_pass_over_nan() -> None:
    x, y = T([nan, 1.0, nan]), T([2.0, nan, nan])
    for f in (lucid.fmax, lucid.fmin):
        np.testing.assert_array_equal(f(x, y).numpy(), [2.0, 1.0, nan])
        got = lucid.grad(lambda x, y, f=f: f(x, y)[:2].sum(), (0, 1))(x, y)
        assert [g.tolist() for g in got] == [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    np.testing.assert_array_equal(lucid.maximum(x, y).numpy(), [nan, nan, nan])


def test_clip_gives_the_limit_the_derivative_where_it_holds() -> None:
    x = T([-2.0, -1.0, 0.0, 1.0, 2.0])
    got = lucid.grad(lambda *a: lucid.clip(*a).sum(), (0, 1, 2))(x, T(-1.0), T(1.0))
    assert got[0].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]
    assert (got[1].item(), got[2].item()) == (2.0, 2.0)
    # the upper limit wins where the limits cross, as in NumPy
    assert lucid.clip(T([0.0]), 3.0, 1.0).tolist() == np.clip([0.0], 3.0, 1.0).tolist()
    assert math.isnan(lucid.clip(T(nan), 0.0, 1.0).item())
    assert T([5.0]).clip(max=1.0).tolist() == [1.0]


def test_clip_keeps_the_dtype_of_its_argument() -> None:
    x = T(np.float32([-2.0, 2.0]))
    assert lucid.clip(x, T([-1.0]), T([1.0])).dtype == np.float32
    assert lucid.clip(T(np.int8([5])), T([3]), None).dtype == np.int8
    small = T(np.uint8([5, 250]))
    assert lucid.clip(small, -1, 300).tolist() == [5, 250]
    assert lucid.clip(T([0, 3]), 0.5, 2.5).tolist() == [0.5, 2.5]
    assert lucid.clip(x).tolist() == x.tolist()
    assert lucid.clip(7.0, 0.0, 1.0).dtype == np.float64
    assert lucid.clip(np.float32([7.0]), min=9.0).dtype == np.float32
    with pytest.raises(OverflowedError, match=r"clip_lower: expected numbers that fit"):
        lucid.clip(small, 300)
    with pytest.raises(ShapeError, match="clip_lower: expected shapes that broadcast"):
        lucid.clip(x, T([1.0, 2.0, 3.0]))


def test_nan_to_num() -> None:
    x = T([nan, inf, -inf, 1.5])
    big = np.finfo(np.float64).max
    assert lucid.nan_to_num(x).tolist() == [0.0, big, -big, 1.5]
    got = lucid.nan_to_num(x, nan=7.0, posinf=8.0, neginf=9.0)
    assert got.tolist() == [7.0, 8.0, 9.0, 1.5]
    for slope in both_modes(lambda a: lucid.nan_to_num(a) / 2, x):
        assert slope == [0.0, 0.0, 0.0, 0.5]
    assert lucid.nan_to_num(T([1, 2])).dtype == np.int64
    z = lucid.nan_to_num(T([complex(nan, 1), complex(2, inf)]), posinf=5.0)
    assert z.tolist() == [1j, 2 + 5j]
