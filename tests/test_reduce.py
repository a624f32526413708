"""Reductions: edges, ties, masks and messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import DTypeError, IndexOutOfBoundsError, OperandError, ShapeError

NAN, INF = float("nan"), float("inf")


def gradient(fn: Any, x: Any) -> Any:
    value, pull = lucid.vjp(fn, np.asarray(x, np.float64))
    return pull(np.ones(value.shape))[0].numpy()


# -- arguments -------------------------------------------------------------------------------------

REDUCTIONS = ["sum", "prod", "mean", "max", "min", "var", "std", "all", "any", "logsumexp"]


@pytest.mark.parametrize("name", REDUCTIONS)
def test_axes_are_checked(name: str) -> None:
    fn, x = getattr(lucid, name), lucid.ones((2, 3))
    with pytest.raises(IndexOutOfBoundsError, match=rf"{name}: expected an axis from -2 to 1, got"):
        fn(x, axis=2)
    with pytest.raises(ShapeError, match=rf"{name}: expected each axis once, got axis=\(0, -2\)"):
        fn(x, axis=(0, -2))
    with pytest.raises(OperandError, match=rf"{name}: expected an integer as axis, got 1.5"):
        fn(x, axis=1.5)
    with pytest.raises(OperandError, match=rf"{name}: expected an integer as axis, got True"):
        fn(x, axis=True)
    with pytest.raises(IndexOutOfBoundsError, match="as a 0-d array has none"):
        fn(lucid.asarray(1.0), axis=0)
    with pytest.raises(OperandError, match=rf"{name}: expected Tensors, NumPy arrays or numbers"):
        fn([1.0, 2.0])


@pytest.mark.parametrize("name", [*REDUCTIONS, "nansum", "median", "ptp"])
def test_numbers_are_reduced(name: str) -> None:
    assert getattr(lucid, name)(2.0).shape == ()


def test_methods_spell_as_numpy() -> None:
    x = np.arange(6.0).reshape(2, 3) + 1
    t = lucid.asarray(x)
    for name in ("sum", "prod", "mean", "max", "min", "all", "any", "var", "std"):
        for options in ({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}):
            want = getattr(x, name)(**options)
            np.testing.assert_allclose(getattr(t, name)(**options).numpy(), want, rtol=1e-15)
    np.testing.assert_allclose(t.var(1, ddof=1).numpy(), x.var(1, ddof=1))
    np.testing.assert_allclose(t.std(1, 1).numpy(), x.std(1, ddof=1))
    assert t.sum(0, np.float32).dtype == np.float32
    assert t.trace().item() == x.trace()
    assert t.trace(1, 1, 0).item() == x.trace(1, 1, 0)


@pytest.mark.parametrize("name", ["sum", "prod"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "uint32", "int64", "float32"])
def test_accumulation_dtype(name: str, dtype: str) -> None:
    x = np.ones((2, 2), dtype)
    for axis in (None, 0, ()):
        got, want = getattr(lucid, name)(x, axis=axis), getattr(np, name)(x, axis=axis)
        assert got.dtype == want.dtype
    assert getattr(lucid, name)(x, dtype=lucid.float32).dtype == np.float32


def test_integers_add_exactly() -> None:
    assert int(lucid.sum(lucid.full((4,), 2**60))) == 2**62
    assert int(lucid.sum(np.full(300, 255, np.uint8))) == 300 * 255


def test_dtype_is_checked() -> None:
    with pytest.raises(
        DTypeError, match=r"sum: expected a dtype such as lucid\.float32, got 'f99'"
    ):
        lucid.sum(lucid.ones(2), dtype="f99")
    with pytest.raises(DTypeError, match="prod: expected a boolean, integer, floating or complex"):
        lucid.prod(lucid.ones(2), dtype="U3")


# -- nothing to reduce -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["max", "min", "nanmax", "nanmin", "median", "ptp", "nanvar"])
def test_no_extremum_of_nothing(name: str) -> None:
    fn = getattr(lucid, name)
    message = r"expected at least one entry to reduce, got shape \(3, 0\), whose axis 1 has length"
    with pytest.raises(ShapeError, match=message):
        fn(lucid.ones((3, 0)), axis=1)
    with pytest.raises(ShapeError, match=message):
        fn(lucid.ones((3, 0)))


def test_no_result_is_made_of_nothing() -> None:
    assert lucid.max(lucid.ones((3, 0)), axis=0).shape == (0,)
    assert lucid.min(lucid.ones((3, 0)), axis=()).shape == (3, 0)
    assert lucid.median(lucid.ones((3, 0)), axis=0).shape == (0,)


def test_values_of_nothing() -> None:
    x = lucid.ones((0,))
    assert float(lucid.sum(x)) == 0
    assert float(lucid.prod(x)) == 1
    assert bool(lucid.all(x))
    assert not bool(lucid.any(x))
    assert float(lucid.logsumexp(x)) == -INF
    for fn in (lucid.mean, lucid.var, lucid.std):
        with pytest.warns(RuntimeWarning, match="invalid value"):
            assert np.isnan(fn(x).item())
    assert gradient(lucid.sum, np.ones((0, 2))).shape == (0, 2)


def test_correction_as_large_as_the_sample_warns() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert lucid.var(lucid.asarray([1.0, 2.0]), correction=2).item() == INF
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(lucid.std(lucid.asarray([1.0]), correction=1).item())


# -- derivatives at the edges ----------------------------------------------------------------------


def test_ties_share() -> None:
    np.testing.assert_allclose(gradient(lucid.max, [1.0, 3.0, 3.0, 3.0]), [0, 1 / 3, 1 / 3, 1 / 3])
    np.testing.assert_allclose(gradient(lucid.min, [1.0, 3.0, 1.0, 3.0]), [0.5, 0, 0.5, 0])
    np.testing.assert_allclose(
        gradient(lambda x: lucid.max(x, axis=1), [[2.0, 2.0], [1.0, 2.0]]), [[0.5, 0.5], [0, 1]]
    )
    np.testing.assert_allclose(gradient(lucid.median, [2.0, 2.0, 2.0, 9.0]), [1 / 3] * 3 + [0])
    _, tangent = lucid.jvp(lucid.max, (np.array([3.0, 3.0]),), (np.array([1.0, 3.0]),))
    assert tangent.item() == 2


def test_nan_wins_an_extremum() -> None:
    x = np.array([1.0, NAN, 3.0])
    for fn in (lucid.max, lucid.min, lucid.median):
        assert np.isnan(fn(x).item())
        np.testing.assert_array_equal(gradient(fn, x), [0, 1, 0])


def test_unselected_entries_have_no_derivative() -> None:
    def fn(x: Any) -> Any:
        return lucid.max(lucid.stack([lucid.log(x), lucid.asarray(1.0)]))

    with np.errstate(divide="ignore"):
        assert lucid.grad(fn)(0.0).item() == 0

    def of_roots(x: Any) -> Any:
        return lucid.max(lucid.sqrt(x))

    np.testing.assert_array_equal(gradient(of_roots, [0.0, 4.0]), [0, 0.25])
    np.testing.assert_array_equal(
        gradient(lambda x: lucid.median(lucid.sqrt(x)), [0.0, 4.0, 9.0]), [0, 0.25, 0]
    )


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 2), (0, 1, 2, 3)])
def test_products_with_zeros(zeros: tuple[int, ...]) -> None:
    x = np.array([2.0, -3.0, 0.5, 4.0])
    x[list(zeros)] = 0
    first = [np.prod(np.delete(x, i)) for i in range(4)]
    second = [[0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(lucid.grad(lucid.prod)(x).numpy(), first)
    np.testing.assert_allclose(lucid.hessian(lucid.prod)(x).numpy(), second)
    np.testing.assert_allclose(lucid.jacrev(lucid.grad(lucid.prod))(x).numpy(), second)


def test_std_of_equal_entries() -> None:
    x = np.full(3, 0.1)  # whose mean is not 0.1
    assert lucid.std(x).item() == 0
    np.testing.assert_array_equal(gradient(lucid.std, x), np.zeros(3))
    np.testing.assert_array_equal(gradient(lucid.nanstd, [0.1, 0.1, 0.1, NAN]), np.zeros(4))
    np.testing.assert_array_equal(lucid.hessian(lucid.std)(x).numpy(), np.zeros((3, 3)))
    _, tangent = lucid.jvp(lucid.std, (x,), (np.arange(3.0),))
    assert tangent.item() == 0


def test_var_of_large_numbers_keeps_digits() -> None:
    x = np.array([1e9, 1e9 + 1, 1e9 + 2])
    np.testing.assert_allclose(lucid.var(x).item(), 2 / 3, rtol=1e-15)


def test_logsumexp_at_infinities() -> None:
    with np.errstate(all="raise"):
        value = lucid.logsumexp(
            np.array([[-INF, -INF], [-INF, 1.0], [INF, 1.0], [1e4, 1e4]]), axis=1
        )
    np.testing.assert_allclose(value.numpy(), [-INF, 1, INF, 1e4 + np.log(2)])
    rows = [[-INF, -INF], [-INF, 1.0], [INF, 1.0], [-INF, INF]]
    got = gradient(lambda x: lucid.logsumexp(x, axis=1), rows)
    np.testing.assert_array_equal(got, [[0, 0], [0, 1], [1, 0], [0, 1]])
    assert np.isnan(lucid.logsumexp(np.array([NAN, 1.0])).item())


def test_logsumexp_keeps_what_is_small() -> None:
    np.testing.assert_allclose(lucid.logsumexp(np.array([0.0, -50.0])).item(), np.exp(-50))
    np.testing.assert_allclose(lucid.logsumexp(np.array([-2.0, -2.0])).item(), -2 + np.log(2))


def test_float32_stays() -> None:
    x = lucid.ones((2, 3), dtype=lucid.float32)
    for name in (*REDUCTIONS[:7], "logsumexp", "nansum", "nanmean", "nanvar", "nanstd", "median"):
        fn = getattr(lucid, name)
        assert fn(x, axis=0).dtype == np.float32, name
        assert lucid.grad(lambda t, fn=fn: fn(t))(x).dtype == np.float32, name


def test_recorded_sum_respects_no_grad_and_views() -> None:
    x = lucid.Tensor([1.0, 2.0], requires_grad=True)
    (x.sum() * x.mean()).backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [1.5 + 1.5, 1.5 + 1.5])
    a = np.ones(3)
    t = lucid.sum(a, axis=())
    a[0] = 5
    np.testing.assert_array_equal(t.numpy(), np.ones(3))
