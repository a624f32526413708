"""Statistics, quantiles, samples: edges and messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import OperandError, ShapeError

NAN, INF = float("nan"), float("inf")


def gradient(fn: Any, x: Any) -> Any:
    value, pull = lucid.vjp(fn, np.asarray(x, np.float64))
    return pull(np.ones(value.shape))[0].numpy()


# -- NaN -------------------------------------------------------------------------------------------


def test_nothing_but_nan() -> None:
    x = np.array([[NAN, NAN], [1.0, NAN]])
    np.testing.assert_array_equal(lucid.nansum(x, axis=1).numpy(), [0, 1])
    np.testing.assert_array_equal(lucid.nanmax(x, axis=1).numpy(), [NAN, 1])
    np.testing.assert_array_equal(lucid.nanmin(x, axis=1).numpy(), [NAN, 1])
    for fn in (lucid.nanmean, lucid.nanvar, lucid.nanstd):
        with pytest.warns(RuntimeWarning, match="invalid value"):
            assert np.isnan(fn(x, axis=1).numpy()[0])


def test_nan_has_no_derivative() -> None:
    x = [NAN, 2.0, 4.0]
    np.testing.assert_array_equal(gradient(lucid.nansum, x), [0, 1, 1])
    np.testing.assert_array_equal(gradient(lucid.nanmean, x), [0, 0.5, 0.5])
    np.testing.assert_array_equal(gradient(lucid.nanmax, x), [0, 0, 1])
    np.testing.assert_allclose(gradient(lucid.nanvar, x), [0, -1, 1])
    np.testing.assert_allclose(gradient(lucid.nanstd, x), [0, -0.5, 0.5])


def test_average_checks_its_weights() -> None:
    x = lucid.ones((2, 3))
    with pytest.raises(ShapeError, match=r"average: expected weights of shape \(2, 3\)"):
        lucid.average(x, weights=np.ones(3))
    with pytest.raises(ShapeError, match=r"or as long as the axes to reduce, got shape \(2,\)"):
        lucid.average(x, axis=1, weights=np.ones(2))
    assert lucid.average(x, axis=1).shape == (2,)


# -- quantiles -------------------------------------------------------------------------------------


def test_quantiles_at_nan_and_infinity() -> None:
    x = np.array([[1.0, NAN, 2.0], [-INF, 1.0, INF], [INF, INF, INF]])
    with np.errstate(invalid="ignore"):
        got = lucid.quantile(x, np.array([0.0, 0.5, 0.75, 1.0]), axis=1).numpy()
    want = [[NAN, -INF, INF], [NAN, 1, INF], [NAN, INF, INF], [NAN, INF, INF]]
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(lucid.median(x, axis=1).numpy(), [NAN, 1, INF])


def test_the_slope_of_quantiles() -> None:
    x = np.array([1.0, 2.0, 5.0])
    slope = lucid.grad(lambda q: lucid.quantile(x, q))
    assert [slope(q).item() for q in (0.0, 0.25, 0.5, 0.75, 1.0)] == [2, 2, 6, 6, 6]
    assert lucid.grad(lambda q: lucid.quantile(x, q, method="nearest"))(0.3).item() == 0


def test_quantiles_refuse() -> None:
    x = lucid.ones(3)
    with pytest.raises(OperandError, match=r"quantile: expected q from 0 to 1, got 1\.5"):
        lucid.quantile(x, 1.5)
    with pytest.raises(OperandError, match="percentile: expected q from 0 to 100, got 101"):
        lucid.percentile(x, 101)
    with pytest.raises(OperandError, match="quantile: expected q from 0 to 1, got nan"):
        lucid.quantile(x, NAN)
    with pytest.raises(OperandError, match=r"expected a method among linear, .* got 'best'"):
        lucid.quantile(x, 0.5, method="best")
    with pytest.raises(ShapeError, match="quantile: expected at least one entry"):
        lucid.quantile(lucid.ones(0), 0.5)
    out = lucid.vmap(lambda q: lucid.quantile(x, q))(np.array([0.5, 1.5]))
    np.testing.assert_array_equal(out.numpy(), [1, NAN])


def test_a_plain_fraction_takes_the_dtype_of_the_data() -> None:
    x = np.array([1.0, 2.0], np.float32)
    assert lucid.quantile(x, 0.3).dtype == np.quantile(x, 0.3).dtype == np.float32
    assert lucid.quantile(x, [0.3, 0.4]).shape == (2,)


# -- samples ---------------------------------------------------------------------------------------


def test_interpolation_beyond_the_points() -> None:
    xp, fp = np.array([0.0, 1.0, 1.0, 3.0]), np.array([1.0, 2.0, 4.0, 0.0])
    x = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, NAN, INF])
    np.testing.assert_array_equal(lucid.interp(x, xp, fp).numpy(), np.interp(x, xp, fp))
    x = x[:6]
    np.testing.assert_array_equal(
        gradient(lambda t: lucid.interp(t, xp, fp), x), [0, 1, -2, -2, -2, 0]
    )
    np.testing.assert_array_equal(gradient(lambda f: lucid.interp(x, xp, f), fp), [2, 0, 1.5, 2.5])
    np.testing.assert_array_equal(lucid.interp(x, xp[:1], fp[:1]).numpy(), np.ones(6))
    ends = lucid.interp(x, xp, fp, left=-7, right=7)
    np.testing.assert_array_equal(ends.numpy()[[0, -1]], [-7, 7])


def test_interpolation_refuses() -> None:
    v = np.array([0.0, 2.0, 1.0])
    with pytest.raises(OperandError, match="interp: expected xp in ascending order"):
        lucid.interp(0.5, v, v)
    with pytest.raises(OperandError, match="interp: expected a period other than 0"):
        lucid.interp(0.5, v, v, period=0)
    with pytest.raises(ShapeError, match="interp: expected xp and fp vectors of one length"):
        lucid.interp(0.5, v, v[:2])


def test_differences() -> None:
    np.testing.assert_array_equal(lucid.diff(np.array([1, 4, 9]), n=0).numpy(), [1, 4, 9])
    np.testing.assert_array_equal(lucid.diff(np.array([True, True, False])).numpy(), [False, True])
    assert lucid.diff(np.ones(2, np.float32), prepend=0, append=0.5).dtype == np.float32
    with pytest.raises(OperandError, match="diff: expected n of 0 or more, got n=-1"):
        lucid.diff(lucid.ones(3), n=-1)


def test_gradient_and_trapezoid_refuse() -> None:
    x = lucid.ones((3, 3))
    with pytest.raises(OperandError, match="gradient: expected edge_order 1 or 2, got 3"):
        lucid.gradient(x, edge_order=3)
    with pytest.raises(OperandError, match="expected no spacing, one, or one for each of 2 axes"):
        lucid.gradient(x, 1.0, 2.0, 3.0)
    with pytest.raises(ShapeError, match="gradient: expected at least 3 samples along axis 0"):
        lucid.gradient(x[:2], edge_order=2)
    with pytest.raises(ShapeError, match="gradient: expected a vector of length 3"):
        lucid.gradient(x, lucid.ones(2))
    with pytest.raises(ShapeError, match="trapezoid: expected a vector of length 3"):
        lucid.trapezoid(x, lucid.ones(2))


@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_convolutions_refuse(name: str) -> None:
    fn = getattr(lucid, name)
    with pytest.raises(ShapeError, match=f"{name}: expected two vectors of length 1 or more"):
        fn(lucid.ones(3), lucid.ones(0))
    with pytest.raises(OperandError, match=f'{name}: expected mode "full", "same" or "valid"'):
        fn(lucid.ones(3), lucid.ones(2), "half")


def test_long_convolutions_cost_no_more_backwards() -> None:
    x, w = np.random.default_rng(0).standard_normal(2**17), np.ones(4)
    grads = lucid.grad(lambda x, w: lucid.convolve(x, w).sum(), argnums=(0, 1))(x, w)
    np.testing.assert_allclose(grads[0].numpy(), 4)
    np.testing.assert_allclose(grads[1].numpy(), x.sum())
