"""Losses of labels without times and of classes by margins, and what draws, against PyTorch."""

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
from lucid.errors import DTypeError, IndexOutOfBoundsError, OptionError, ShapeError
from tests.layers import RNG, agree, signature

quick = settings(max_examples=30, deadline=None, derandomize=True)
flags = st.booleans()
WAYS = ["mean", "sum", "none"]
NEW = ["CTCLoss", "MultiLabelMarginLoss", "MultiMarginLoss", "TripletMarginWithDistanceLoss"]


@pytest.mark.parametrize("name", [*NEW, "RReLU"])
def test_signatures_are_those_of_pytorch(name: str) -> None:
    old = {"inplace", "size_average", "reduce"}
    theirs = [p for p in signature(getattr(torch.nn, name)) if p[0] not in old]
    assert signature(getattr(nn, name)) == theirs


@quick
@given(st.sampled_from(WAYS), flags, flags, st.sampled_from([0, 2]), flags)
def test_labels_without_times(way: str, flat: bool, zero: bool, blank: int, one: bool) -> None:
    logits = RNG.standard_normal((7, 5)) if one else RNG.standard_normal((7, 4, 5))
    labels = [k for k in range(5) if k != blank]
    counts, times = [3, 1, 0, 2], [7, 5, 3, 6]
    targets = RNG.choice(labels, (4, 3))
    if one:
        targets, counts, times = targets[0], 3, 7
    elif flat:
        targets = np.concatenate([t[:n] for t, n in zip(targets, counts, strict=True)])
    options = {"blank": blank, "reduction": way, "zero_infinity": zero}

    def theirs(x: Any) -> Any:
        lengths = (torch.tensor(times), torch.tensor(counts))
        return TF.ctc_loss(x.log_softmax(-1), torch.tensor(targets), *lengths, **options)

    layer = nn.CTCLoss(**options)
    agree(lambda x: layer(F.log_softmax(x, -1), targets, times, counts), theirs, logits)


def test_labels_that_do_not_fit() -> None:
    x = F.log_softmax(RNG.standard_normal((2, 1, 3)), -1)
    assert F.ctc_loss(x, np.array([[1, 1]]), [2], [2]).item() == np.inf
    assert F.ctc_loss(x, np.array([[1, 1]]), [2], [2], zero_infinity=True).item() == 0
    g = lucid.grad(lambda x: F.ctc_loss(x, np.array([[1, 1]]), [2], [2], zero_infinity=True))(x)
    np.testing.assert_array_equal(g.numpy(), 0 * g.numpy())
    lucid.check_grads(lambda x: F.ctc_loss(x, np.array([[1]]), [2], [1]), (x,), order=2)
    targets = np.array([[1, 2], [2, 0]])
    y = F.log_softmax(RNG.standard_normal((2, 4, 3)), -1)
    each = lucid.vmap(lambda y, t, n: F.ctc_loss(y, t, [4], n, reduction="sum"))(
        y, targets, np.array([2, 1])
    )
    both = F.ctc_loss(y.swapaxes(0, 1), targets, [4, 4], [2, 1], reduction="none")
    np.testing.assert_allclose(each.numpy(), both.numpy())


@quick
@given(st.sampled_from(WAYS), st.sampled_from([1, 2]), flags, flags)
def test_margins_between_classes(way: str, p: int, weighted: bool, one: bool) -> None:
    x, t = RNG.standard_normal((4, 5)), RNG.integers(0, 5, 4)
    w = RNG.random(5) if weighted else None
    labels = np.array([[1, 3, -1, 0, 0], [0, 1, 2, 3, 4], [-1, 1, 1, 1, 1], [2, 2, -1, -1, -1]])
    if one:
        x, t, labels = x[0], t[0], labels[0]
    v = None if w is None else torch.tensor(w)
    agree(
        lambda x: nn.MultiMarginLoss(p, 0.7, w, way)(x, t),
        lambda x: TF.multi_margin_loss(x, torch.tensor(t), p, 0.7, v, reduction=way),
        x,
    )
    agree(
        lambda x: nn.MultiLabelMarginLoss(way)(x, labels),
        lambda x: TF.multilabel_margin_loss(x, torch.tensor(labels), reduction=way),
        x,
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("swap", [True, False])
def test_triplets(way: str, swap: bool) -> None:
    options: dict[str, Any] = {"margin": 2.0, "swap": swap, "reduction": way}

    def squares(a: Any, b: Any) -> Any:
        return ((a - b) ** 2).sum(-1)

    for distance in (None, squares):
        ours = nn.TripletMarginWithDistanceLoss(distance_function=distance, **options)
        theirs = torch.nn.TripletMarginWithDistanceLoss(distance_function=distance, **options)
        agree(ours, theirs, *RNG.standard_normal((3, 4, 5)))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_all_distances(p: float) -> None:
    x, y = RNG.standard_normal((2, 4, 3)), RNG.standard_normal((2, 5, 3))
    agree(lambda x, y: F.cdist(x, y, p), lambda x, y: torch.cdist(x, y, p), x, y)
    agree(lambda x: F.pdist(x, p), lambda x: TF.pdist(x, p), x[0])
    g = lucid.grad(lambda x: F.cdist(x, x).sum())(x[0])
    assert np.isfinite(g.numpy()).all()


def test_random_activations() -> None:
    x = RNG.standard_normal((50, 40))
    layer = nn.RReLU(0.2, 0.6)
    y = layer(x).numpy()
    slopes = y[x < 0] / x[x < 0]
    np.testing.assert_array_equal(y[x > 0], x[x > 0])
    assert 0.2 <= slopes.min() < 0.22 < 0.58 < slopes.max() <= 0.6
    agree(layer.eval(), torch.nn.RReLU(0.2, 0.6).eval(), x)
    agree(nn.Softmax2d(), torch.nn.Softmax2d(), RNG.standard_normal((2, 3, 4, 4)))
    logits = np.log(np.tile([0.7, 0.2, 0.1], (5000, 1)))
    hard = F.gumbel_softmax(logits, hard=True, key=lucid.random.key(0))
    np.testing.assert_allclose(hard.numpy().mean(0), [0.7, 0.2, 0.1], atol=0.03)
    assert set(np.unique(hard.numpy())) == {0.0, 1.0}
    soft = F.gumbel_softmax(logits, 2.0, dim=0)
    np.testing.assert_allclose(soft.numpy().sum(0), 1)
    with lucid.random.allow_key_reuse():
        key = lucid.random.key(1)
        w = np.array([1.0, 2.0, 3.0])
        a, b = (
            lucid.grad(lambda x, h=h: (F.gumbel_softmax(x, 1.0, h, key=key) * w).sum())(logits[0])
            for h in (True, False)
        )
    np.testing.assert_allclose(a.numpy(), b.numpy())


X, P = np.ones((2, 3)), np.ones((4, 2, 3))
T = np.zeros(2, int)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: F.ctc_loss(P, T[:, None], [4], [1, 1]),
            ShapeError,
            "2 integers up to 4 as input_l",
        ),
        (lambda: F.ctc_loss(P, T[:, None], [5, 4], [1, 1]), ShapeError, r"up to 4 .* got \[5 4\]"),
        (lambda: F.ctc_loss(P, T[:, None], [4, 4], [1, 2]), ShapeError, "target_lengths up to 1"),
        (lambda: F.ctc_loss(P, T, [4, 4], [1, 2]), ShapeError, "target_lengths that add up to 2"),
        (lambda: F.ctc_loss(P, T * 1.0, [4, 4], [1, 1]), DTypeError, "integer targets"),
        (lambda: F.ctc_loss(P[None], T, [4], [1]), ShapeError, r"\(time, batch, classes\) and"),
        (lambda: F.ctc_loss(P, T, [4, 4], [1, 1], 3), IndexOutOfBoundsError, "a blank from 0 to 2"),
        (lambda: nn.CTCLoss(reduction="avg"), OptionError, "CTCLoss: expected reduction"),
        (lambda: F.multi_margin_loss(X, T, 3), OptionError, "p 1 or 2, got 3"),
        (lambda: F.multi_margin_loss(X, T[:1]), ShapeError, r"a target of shape \(2,\), got"),
        (
            lambda: F.multi_margin_loss(X, T * 1.0),
            DTypeError,
            "floating scores and integer classes",
        ),
        (lambda: F.multi_margin_loss(X, T, weight=T), ShapeError, r"a weight of shape \(3,\)"),
        (lambda: F.multilabel_margin_loss(X, T), ShapeError, r"a target of shape \(2, 3\)"),
        (
            lambda: F.triplet_margin_with_distance_loss(X, X, X, margin=0),
            OptionError,
            "a positive margin, got 0",
        ),
        (lambda: F.cdist(X, X[:, :2]), ShapeError, r"shapes \(..., n, width\) and"),
        (lambda: F.pdist(P), ShapeError, r"an input of shape \(n, width\)"),
        (lambda: F.rrelu(X, 0.5, 0.2), OptionError, "lower up to upper, got 0.5 and 0.2"),
        (lambda: F.gumbel_softmax(X, 0), OptionError, "a positive tau, got 0"),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
