"""The softmax over clusters of classes, against PyTorch and under transformations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lucid
from lucid import nn
from lucid.errors import DTypeError, IndexOutOfBoundsError, OptionError, ShapeError
from tests.layers import RNG, agree, share, signature

quick = settings(max_examples=20, deadline=None, derandomize=True)


def pair(bias: bool, cutoffs: Any = (3, 7)) -> tuple[Any, Any]:
    ours = nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs, 2.0, bias)
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs, 2.0, bias)
    share(ours, theirs)
    return ours, theirs


def test_signature() -> None:
    kinds = nn.AdaptiveLogSoftmaxWithLoss, torch.nn.AdaptiveLogSoftmaxWithLoss
    assert signature(kinds[0]) == signature(kinds[1])


@quick
@given(
    st.booleans(),
    st.sampled_from([(3, 7), (1,), (2, 3, 11)]),
    st.lists(st.integers(0, 11), min_size=1, max_size=6),
)
def test_against_pytorch(bias: bool, cutoffs: Any, target: Any) -> None:
    ours, theirs = pair(bias, cutoffs)
    x = RNG.standard_normal((len(target), 8))
    agree(ours, theirs, x, np.array(target))
    agree(ours.log_prob, theirs.log_prob, x)
    np.testing.assert_array_equal(ours.predict(x).numpy(), theirs.predict(torch.tensor(x)).numpy())
    agree(ours, theirs, x[0], np.array(target[0]))


def test_transformed() -> None:
    ours, _ = pair(True)
    x, target = RNG.standard_normal((5, 8)), np.array([0, 11, 5, 2, 8])
    want = ours(x, target)
    every = ours.log_prob(x).numpy()
    np.testing.assert_allclose(want.output.numpy(), every[np.arange(5), target])
    np.testing.assert_allclose(np.exp(every).sum(-1), 1)

    def loss(model: Any, x: Any, target: Any) -> Any:
        return model(x, target).loss

    grads = lucid.grad(loss)(ours, x, target)
    compiled = lucid.jit(lucid.grad(loss))(ours, x, target)
    for a, b in zip(grads.parameters(), compiled.parameters(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-14)
    each = lucid.vmap(lambda x, t: ours(x, t).output)(x, target)
    np.testing.assert_allclose(each.numpy(), want.output.numpy(), rtol=1e-12)
    lucid.check_grads(lambda x: ours(x, target).loss, (x,), order=2)
    stacked = ours(x[None].repeat(2, 0), target[None].repeat(2, 0))
    assert stacked.output.shape == (2, 5)
    assert float(stacked.loss) == pytest.approx(float(want.loss))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 12, [7, 3]),
            OptionError,
            r"Loss: expected cutoffs that rise from .* got \[7, 3\] of 12",
        ),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 12, []), OptionError, r"got \[\] of 12"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 12, [12]), OptionError, r"got \[12\] of 12"),
        (
            lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 12, [2, 4, 6]),
            OptionError,
            "a div_value that leaves every cluster a width, got 4.0 for 8 features",
        ),
        (
            lambda: pair(False)[0](np.ones((2, 8)), np.array([1, 12])),
            IndexOutOfBoundsError,
            "expected class indices from 0 to 11, got 12",
        ),
        (
            lambda: pair(False)[0](np.ones((2, 8)), np.array([1.0, 2.0])),
            DTypeError,
            "expected class indices as integers, got float64",
        ),
        (
            lambda: pair(False)[0](np.ones((2, 8)), np.array([1])),
            ShapeError,
            r"an input of shape \(..., features\), a target of \(...\), got \(2, 8\) and \(1,\)",
        ),
        (
            lambda: lucid.jit(pair(False)[0])(np.ones((1, 8)), np.array([-1])),
            IndexOutOfBoundsError,
            "class indices from 0",
        ),
        (
            lambda: lucid.jit(pair(False)[0])(np.ones((1, 8)), np.array([12])),
            IndexOutOfBoundsError,
            "class indices from 0",
        ),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_only_the_clusters_of_targets_are_computed() -> None:
    ours, _ = pair(False)
    ours(RNG.standard_normal((3, 8)), np.array([0, 1, 4])).loss.backward()
    assert ours.tail[0][0].weight.grad is not None
    assert ours.tail[1][0].weight.grad is None
