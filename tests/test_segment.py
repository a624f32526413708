"""Segment operations: empty segments, ties, zeros and messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import ConcretizationError, IndexOutOfBoundsError, OperandError, ShapeError

NAMES = ["segment_sum", "segment_mean", "segment_prod", "segment_max", "segment_min"]
IDS = np.array([0, 2, 0])


@pytest.mark.parametrize("name", NAMES)
def test_segments_are_checked(name: str) -> None:
    fn = getattr(lucid, name)
    with pytest.raises(OperandError, match=f"{name}: expected segment_ids as an array of integers"):
        fn(lucid.ones(3), np.ones(3))
    with pytest.raises(ShapeError, match=f"{name}: expected segment_ids for the leading axes"):
        fn(lucid.ones((2, 3)), IDS)
    with pytest.raises(IndexOutOfBoundsError, match="expected integers from 0 to 1, got 2"):
        fn(lucid.ones(3), IDS, 2)
    with pytest.raises(IndexOutOfBoundsError, match="expected integers from 0 to 1, got -1"):
        fn(lucid.ones(2), np.array([-1, 1]))
    with pytest.raises(ConcretizationError, match=f"{name}: expected num_segments, got none"):
        lucid.vmap(lambda k: fn(lucid.ones(3), k))(IDS[None])


def test_empty_segments() -> None:
    x = np.array([1.0, 2.0, 4.0])
    want = {
        "segment_sum": 0,
        "segment_mean": 0,
        "segment_prod": 1,
        "segment_max": -np.inf,
        "segment_min": np.inf,
    }
    for name, value in want.items():
        assert getattr(lucid, name)(x, IDS).numpy()[1] == value
        assert getattr(lucid, name)(x, IDS, 5).shape == (5,)
        assert getattr(lucid, name)(x[:0], IDS[:0]).shape == (0,)
    whole = np.array([1, 2, 4], np.int16)
    assert lucid.segment_max(whole, IDS).numpy()[1] == np.iinfo(np.int16).min


def test_ties_share() -> None:
    x = np.array([2.0, 1.0, 2.0])
    for fn in (lucid.segment_max, lucid.segment_min):
        got = lucid.grad(lambda t, fn=fn: fn(t, IDS)[0])(x)
        np.testing.assert_array_equal(got.numpy(), [0.5, 0, 0.5])


def test_products_with_zeros() -> None:
    x, ids = np.array([0.0, 3.0, 2.0, 0.0, 5.0]), np.array([0, 1, 0, 0, 1])

    def fn(t: Any) -> Any:
        return lucid.segment_prod(t, ids).sum()

    def by_hand(t: Any) -> Any:
        return t[0] * t[2] * t[3] + t[1] * t[4]

    np.testing.assert_array_equal(lucid.grad(fn)(x).numpy(), lucid.grad(by_hand)(x).numpy())
    np.testing.assert_array_equal(lucid.hessian(fn)(x).numpy(), lucid.hessian(by_hand)(x).numpy())


def test_counting() -> None:
    x = np.array([0, 2, 2])
    np.testing.assert_array_equal(lucid.bincount(x).numpy(), np.bincount(x))
    np.testing.assert_array_equal(lucid.bincount(x, minlength=5).numpy(), np.bincount(x, None, 5))
    assert lucid.bincount(x).dtype == np.int64
    counts = lucid.vmap(lambda k: lucid.bincount(k, length=3))(np.stack([x, x[::-1], [0, 0, 0]]))
    np.testing.assert_array_equal(counts.numpy(), [[1, 0, 2], [1, 0, 2], [3, 0, 0]])
    with pytest.raises(ShapeError, match="bincount: expected a vector of integers"):
        lucid.bincount(np.ones((2, 2), int))
    with pytest.raises(ShapeError, match="bincount: expected weights of shape"):
        lucid.bincount(x, np.ones(2))
    with pytest.raises(ConcretizationError, match="bincount: expected length, got none; pass"):
        lucid.vmap(lucid.bincount)(x[None])
    with pytest.raises(OperandError, match="bincount: expected segment_ids as an array"):
        lucid.bincount(np.ones(2), length=2)
