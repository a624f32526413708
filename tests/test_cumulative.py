"""Cumulative operations: ties, zeros, infinities and messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import DTypeError, IndexOutOfBoundsError, ShapeError
from lucid.ops.recurrence import recur

NAN, INF = float("nan"), float("inf")


def jacobian(fn: Any, x: Any) -> Any:
    """The Jacobian by both modes, which must agree."""
    x = np.asarray(x, np.float64)
    back, forward = lucid.jacrev(fn)(x).numpy(), lucid.jacfwd(fn)(x).numpy()
    np.testing.assert_allclose(back, forward)
    return back


@pytest.mark.parametrize(
    "name", ["cumulative_sum", "cumulative_prod", "cummax", "cummin", "logcumsumexp"]
)
def test_axes_are_checked(name: str) -> None:
    fn = getattr(lucid, name)
    with pytest.raises(ShapeError, match=rf"{name}: expected an axis for all but one, got shape"):
        fn(lucid.ones((2, 3)))
    with pytest.raises(IndexOutOfBoundsError, match=rf"{name}: expected an axis from -1 to 0"):
        fn(lucid.ones(2), axis=1)


def test_running_extrema_share_among_ties() -> None:
    got = jacobian(lucid.cummax, [1.0, 3.0, 2.0, 3.0, 3.0, 4.0])
    want = [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 1 / 2, 0, 1 / 2, 0, 0],
        [0, 1 / 3, 0, 1 / 3, 1 / 3, 0],
        [0, 0, 0, 0, 0, 1],
    ]
    np.testing.assert_allclose(got, want)
    np.testing.assert_allclose(
        jacobian(lucid.cummin, [0.0, 0.0, -1.0]), [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]]
    )


def test_nan_stays_in_running_extrema() -> None:
    x = np.array([1.0, NAN, 5.0])
    np.testing.assert_array_equal(lucid.cummax(x).numpy(), [1, NAN, NAN])
    _, pull = lucid.vjp(lucid.cummax, x)
    np.testing.assert_array_equal(pull(np.ones(3))[0].numpy(), [1, 2, 0])


def test_an_infinite_cotangent_stays_in_its_run() -> None:
    _, pull = lucid.vjp(lucid.cummax, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(pull(np.array([1.0, INF, 1.0]))[0].numpy(), [1, INF, 1])


def test_running_extrema_mask() -> None:
    def fn(x: Any) -> Any:
        return lucid.cummax(lucid.sqrt(x)).sum()

    np.testing.assert_array_equal(lucid.grad(fn)(np.array([4.0, 0.0])).numpy(), [0.5, 0])


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0, 0.0, 5.0], [0.0, 0.0, 1.0], [1.5]])
def test_running_products_with_zeros(x: list[float]) -> None:
    n = len(x)
    want = [
        [np.prod(np.delete(x[: k + 1], i)) if i <= k else 0 for i in range(n)] for k in range(n)
    ]
    np.testing.assert_allclose(jacobian(lucid.cumulative_prod, x), want)

    def last(t: Any) -> Any:
        return lucid.cumulative_prod(t)[-1]

    second = lucid.hessian(last)(np.array(x)).numpy()
    np.testing.assert_allclose(second, lucid.hessian(lucid.prod)(np.array(x)).numpy())


def test_logcumsumexp_at_infinities() -> None:
    x = np.array([-INF, -INF, 0.0, 1e4, INF, 0.0])
    got = lucid.logcumsumexp(x).numpy()
    np.testing.assert_array_equal(got, [-INF, -INF, 0, 1e4, INF, INF])
    rows = jacobian(lucid.logcumsumexp, x)
    np.testing.assert_array_equal(rows[:2], np.zeros((2, 6)))
    np.testing.assert_array_equal(rows[2], [0, 0, 1, 0, 0, 0])
    np.testing.assert_array_equal(rows[5], [0, 0, 0, 0, 1, 0])
    with pytest.raises(DTypeError, match="logcumsumexp: expected dtypes it is defined for"):
        lucid.logcumsumexp(np.ones(2, complex))


def test_accumulation_dtype() -> None:
    for name in ("cumulative_sum", "cumulative_prod"):
        for dtype in ("bool", "int8", "uint16", "float32"):
            x = np.ones((2, 2), dtype)
            for initial in (False, True):
                options = {"axis": 0, "include_initial": initial}
                got, want = getattr(lucid, name)(x, **options), getattr(np, name)(x, **options)
                assert got.dtype == want.dtype
                np.testing.assert_array_equal(got.numpy(), want)


def test_integers_in_log_space() -> None:
    assert lucid.logcumsumexp(np.array([0, 0])).dtype == np.float64


def test_recurrences_with_infinities() -> None:
    a = lucid.asarray([[2.0, 2.0, 0.0, 2.0], [9.0, 1.0, 1.0, 1.0]])
    b = lucid.asarray([[1.0, INF, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    with np.errstate(invalid="ignore"):  # as under a transformation
        got = recur(a, b, 1).numpy()
    np.testing.assert_array_equal(got, [[1, INF, 1, 3], [1, 2, 3, 4]])
