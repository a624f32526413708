"""Embeddings against PyTorch, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as TF  # noqa: N812 - the usual name
from hypothesis import given, settings
from hypothesis import strategies as st

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid import nn
from lucid.errors import (
    DTypeError,
    IndexOutOfBoundsError,
    OptionError,
    ShapeError,
    UnsupportedError,
)
from tests.layers import RNG, agree, share, signature

quick = settings(max_examples=30, deadline=None, derandomize=True)
flags = st.booleans()


@pytest.mark.parametrize("name", ["Embedding", "EmbeddingBag"])
def test_signatures_are_those_of_pytorch(name: str) -> None:
    for ours, theirs in (
        (getattr(nn, name), getattr(torch.nn, name)),
        (getattr(nn, name).from_pretrained, getattr(torch.nn, name).from_pretrained),
    ):
        # gradients are dense
        assert signature(ours) == [p for p in signature(theirs) if p[0] != "sparse"]


@quick
@given(st.sampled_from([None, 0, 2, -1]), flags, st.sampled_from([(), (3,), (2, 5), (0,)]))
def test_embedding(padding: Any, shared: bool, shape: tuple[int, ...]) -> None:
    options = {"padding_idx": padding, "scale_grad_by_freq": shared}
    ours, theirs = nn.Embedding(4, 3, **options), torch.nn.Embedding(4, 3, **options)
    share(ours, theirs)
    agree(ours, theirs, RNG.integers(0, 4, shape))
    assert repr(ours) == repr(theirs).replace(", scale_grad_by_freq=True", "")


@quick
@given(st.sampled_from(["sum", "mean", "max"]), flags, flags, flags, flags)
def test_bags(mode: str, last: bool, padded: bool, weighted: bool, flat: bool) -> None:
    options: dict[str, Any] = {
        "mode": mode,
        "include_last_offset": last and flat,
        "padding_idx": 1 if padded else None,
    }
    ours, theirs = nn.EmbeddingBag(6, 3, **options), torch.nn.EmbeddingBag(6, 3, **options)
    share(ours, theirs)
    index = RNG.integers(0, 6, (8,) if flat else (3, 4))
    inputs = [index, np.array([0, 3, 3, 8] if last else [0, 3, 3]) if flat else None]
    if weighted and mode == "sum":
        inputs.append(RNG.standard_normal(index.shape))
    agree(ours, theirs, *inputs)


def test_longest_rows() -> None:
    table, index = 3 * RNG.standard_normal((4, 3)), np.array([0, 2, 2])
    for p in (2.0, 1.0):
        want = TF.embedding(torch.tensor(index), torch.tensor(table), max_norm=1.0, norm_type=p)
        got = F.embedding(index, table, max_norm=1.0, norm_type=p)
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-6)
    g = lucid.grad(lambda w: F.embedding(index, w, max_norm=1.0).sum())(table)
    np.testing.assert_array_equal(g.numpy()[:, 0], [1, 0, 2, 0])


def test_padding_starts_at_zero_and_tables_are_taken_over() -> None:
    layer = nn.Embedding(3, 2, padding_idx=-1)
    assert layer.padding_idx == 2
    assert layer.weight.numpy()[2].tolist() == [0, 0]
    table = RNG.standard_normal((3, 2))
    kept = nn.Embedding.from_pretrained(table)
    assert not kept.weight.requires_grad
    np.testing.assert_array_equal(kept(np.array([1])).numpy(), table[1:2])
    bag = nn.EmbeddingBag.from_pretrained(table, freeze=False, mode="sum")
    assert bag.weight.requires_grad
    np.testing.assert_allclose(bag(np.array([[0, 1]])).numpy(), table[:2].sum(0)[None])
    each = lucid.vmap(lambda i: bag(i))(np.array([[[0, 1]], [[2, 2]]]))
    np.testing.assert_allclose(each[1].numpy(), 2 * table[2:])


def test_one_hot() -> None:
    x = RNG.integers(0, 4, (2, 3))
    np.testing.assert_array_equal(F.one_hot(x, 5).numpy(), TF.one_hot(torch.tensor(x), 5).numpy())
    np.testing.assert_array_equal(F.one_hot(x).numpy(), TF.one_hot(torch.tensor(x)).numpy())
    each = lucid.vmap(lambda i: F.one_hot(i, 4))(x)
    np.testing.assert_array_equal(each.numpy(), F.one_hot(x, 4).numpy())


IDX, W = np.array([0, 1]), np.ones((3, 2))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.embedding(IDX + 2, W), IndexOutOfBoundsError, "rows from 0 to 2, got 3"),
        (lambda: F.embedding(IDX - 1, W), IndexOutOfBoundsError, "rows from 0 to 2, got -1"),
        (
            lambda: F.embedding(IDX * 1.0, W),
            DTypeError,
            "embedding: expected integers, got float64",
        ),
        (lambda: F.embedding(IDX, W[0]), ShapeError, r"a weight of shape \(rows, width\)"),
        (
            lambda: F.embedding(IDX, W, 3),
            IndexOutOfBoundsError,
            "padding_idx from -3 to 2, got 3",
        ),
        (lambda: nn.Embedding(3, 2, 3), IndexOutOfBoundsError, "Embedding: expected padding_idx"),
        (lambda: nn.Embedding(3, 2, max_norm=1), UnsupportedError, "max_norm=None, got 1; shorten"),
        (lambda: nn.Embedding(2, 2, _weight=W), ShapeError, r"a table of shape \(2, 2\), got"),
        (lambda: nn.Embedding.from_pretrained(IDX), ShapeError, "from_pretrained: expected"),
        (lambda: F.embedding_bag(IDX, W), ShapeError, r"\(total,\) with offsets, got .* without"),
        (lambda: F.embedding_bag(IDX, W, IDX * 1.0), DTypeError, "integer offsets"),
        (
            lambda: F.embedding_bag(IDX, W, IDX + 1),
            ShapeError,
            r"offsets that rise from 0, got \[1, 2",
        ),
        (
            lambda: F.embedding_bag(IDX, W, IDX, mode="min"),
            OptionError,
            '"sum", "mean" or "max"',
        ),
        (lambda: nn.EmbeddingBag(3, 2, mode="min"), OptionError, "EmbeddingBag: expected mode"),
        (
            lambda: F.embedding_bag(IDX, W, IDX, per_sample_weights=IDX),
            OptionError,
            "per_sample_weights in mode \"sum\" only, got 'mean'",
        ),
        (
            lambda: F.embedding_bag(IDX, W, IDX, mode="sum", per_sample_weights=W),
            ShapeError,
            r"per_sample_weights of shape \(2,\)",
        ),
        (lambda: F.one_hot(IDX, 1), IndexOutOfBoundsError, "numbers from 0 to 0, got 1"),
        (lambda: F.one_hot(IDX * 1.0), DTypeError, "one_hot: expected integers"),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
