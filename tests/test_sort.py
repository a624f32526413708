"""Sorting, extremes and sets: NaN, ties, stability, errors."""

from __future__ import annotations

import numpy as np
import pytest

import lucid
from lucid.errors import (
    ConcretizationError,
    IndexOutOfBoundsError,
    OperandError,
    ShapeError,
)

T = lucid.Tensor
nan = np.nan


def test_nan_is_the_largest() -> None:
    x = T([1.0, nan, 3.0])
    np.testing.assert_array_equal(lucid.sort(x).numpy(), [1.0, 3.0, nan])
    np.testing.assert_array_equal(lucid.sort(x, descending=True).numpy(), [nan, 3.0, 1.0])
    assert lucid.argsort(x, descending=True).tolist() == [1, 2, 0]
    assert lucid.argmax(x).item() == 1
    assert lucid.topk(x, 1).indices.tolist() == [1]


@pytest.mark.parametrize("descending", [False, True])
def test_sorting_is_stable(descending: bool) -> None:
    x = np.random.default_rng(0).integers(0, 3, 50)
    order = lucid.argsort(T(x), descending=descending).tolist()
    assert order == sorted(range(50), key=lambda i: (-x[i] if descending else x[i], i))
    unstable = lucid.argsort(T(x), descending=descending, stable=False).numpy()
    assert x[unstable].tolist() == lucid.sort(T(x), descending=descending).tolist()


def test_derivatives_follow_the_elements() -> None:
    x, w = np.asarray([3.0, 1.0, 2.0]), T([1.0, 10.0, 100.0])
    assert lucid.grad(lambda x: (lucid.sort(x) * w).sum())(x).tolist() == [100.0, 1.0, 10.0]
    down = lucid.grad(lambda x: (lucid.sort(x, descending=True) * w).sum())
    assert down(x).tolist() == [1.0, 100.0, 10.0]
    # equal elements keep their order, and none gets a cotangent twice
    assert lucid.grad(lambda x: lucid.sort(x)[0])(np.ones(2)).tolist() == [1.0, 0.0]
    values = lucid.grad(lambda x: (lucid.topk(x, 2).values * T([1.0, 10.0])).sum())
    assert values(x).tolist() == [1.0, 0.0, 10.0]
    small = lucid.grad(lambda x: lucid.topk(x, 1, largest=False).values.sum())
    assert small(x).tolist() == [0.0, 1.0, 0.0]


def test_methods_and_forms() -> None:
    x = T([[3, 1], [2, 4]])
    assert x.sort().tolist() == [[1, 3], [2, 4]]
    assert x.sort(0).tolist() == [[2, 1], [3, 4]]
    assert x.argsort(axis=0).tolist() == [[1, 0], [0, 1]]
    assert x.argmax().item() == 3
    assert x.argmin(axis=1).tolist() == [1, 0]
    assert lucid.argmax(x, keepdims=True).shape == (1, 1)
    assert lucid.topk(x, 0).values.shape == (2, 0)
    assert lucid.count_nonzero(3.0).item() == 1


def test_places_have_no_derivative() -> None:
    for f in (lucid.argsort, lucid.argmax, lucid.argmin, lucid.count_nonzero):
        _, t = lucid.jvp(lambda x, f=f: f(x).astype(lucid.float64), (np.ones(2),), (np.ones(2),))
        assert (t.numpy() == 0).all()


def test_refusals() -> None:
    with pytest.raises(IndexOutOfBoundsError, match=r"sort: expected"):
        lucid.sort(T(1.0))
    with pytest.raises(IndexOutOfBoundsError, match=r"argmax: expected an axis from -1 to 0"):
        lucid.argmax(T([1.0]), axis=1)
    with pytest.raises(ShapeError, match=r"argmax: .*empty"):
        lucid.argmax(lucid.zeros(0))
    for k in (-1, 4):
        with pytest.raises(ShapeError, match=r"topk: expected k from 0 to 3"):
            lucid.topk(T([1, 2, 3]), k)
    with pytest.raises(OperandError, match=r'searchsorted: expected side "left" or "right"'):
        lucid.searchsorted(T([1]), 1, side="middle")
    with pytest.raises(ShapeError, match=r"searchsorted: expected a vector to search in"):
        lucid.searchsorted(T([[1]]), 1)


def test_searchsorted() -> None:
    a = T([1.0, 2.0, 3.0], dtype=lucid.float32)
    assert lucid.searchsorted(a, 2.0, side="right").item() == 2
    assert lucid.searchsorted(a, np.float32(0.1) + np.ones(1, np.float32)).tolist() == [1]
    assert lucid.searchsorted(T([3.0, 1.0, 2.0]), 2.5, sorter=T([1, 2, 0])).item() == 2
    tenth = T([0.1], dtype=lucid.float32)  # not the same number as the double 0.1
    assert lucid.searchsorted(tenth, 0.1, side="right").item() == 1
    # over each batch its own array to search in, twice nested
    rows = np.sort(np.random.default_rng(0).standard_normal((2, 3, 5)))
    v = np.random.default_rng(1).standard_normal((2, 3, 4))
    nested = lucid.vmap(lucid.vmap(lucid.searchsorted))(rows, v).numpy()
    for i, j in np.ndindex(2, 3):
        assert nested[i, j].tolist() == np.searchsorted(rows[i, j], v[i, j]).tolist()
    shared = lucid.vmap(lambda r: lucid.vmap(lambda u: lucid.searchsorted(r, u))(v[0]))(rows[:, 0])
    assert shared.shape == (2, 3, 4)


def test_isin_takes_numbers() -> None:
    x = T([0.1, 0.2], dtype=lucid.float32)
    assert lucid.isin(x, 0.1).tolist() == [True, False]
    assert lucid.isin(0.1, x).item() is True
    assert lucid.isin(1, 1).item() is True


def test_unique() -> None:
    x = T([[3.0, 1.0], [3.0, nan]])
    values, indices, inverse, counts = lucid.unique_all(x)
    np.testing.assert_array_equal(values.numpy(), [1.0, 3.0, nan])
    assert (indices.tolist(), inverse.tolist(), counts.tolist()) == (
        [1, 0, 3],
        [[1, 0], [1, 2]],
        [1, 2, 1],
    )
    twice = T([nan, nan])
    assert lucid.unique_values(twice).shape == (2,)
    assert lucid.unique_counts(twice).counts.tolist() == [1, 1]
    np.testing.assert_array_equal(lucid.unique_inverse(twice).inverse_indices.numpy(), [0, 1])
    g = lucid.grad(lambda x: (lucid.unique_values(x) * T([1.0, 10.0])).sum())
    assert g(np.asarray([2.0, 1.0, 2.0])).tolist() == [10.0, 1.0, 0.0]
    for f in (lucid.unique_all, lucid.unique_counts, lucid.unique_inverse, lucid.unique_values):
        with pytest.raises(ConcretizationError, match=r"unique_"):
            lucid.vmap(f)(x)
