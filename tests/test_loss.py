"""Losses: the MSELoss page line by line, and the others against PyTorch."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as TF  # noqa: N812 - the usual name

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid import nn
from lucid.errors import DTypeError, IndexOutOfBoundsError, OptionError, ShapeError

# -- the MSELoss page ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reduction", "x", "y", "loss", "grad"),
    [
        (
            "mean",
            [[2.5, 0.0, 2.0, 8.0]],
            [[3.0, -0.5, 2.0, 7.0]],
            0.375,
            [[-0.25, 0.25, 0.0, 0.5]],
        ),
        ("sum", [[1.0, 2.0, 3.0]], [[1.5, 2.5, 3.5]], 0.75, [[-1.0, -1.0, -1.0]]),
    ],
)
def test_page(reduction: str, x: Any, y: Any, loss: float, grad: Any) -> None:
    given = lucid.Tensor(x, requires_grad=True)
    target = lucid.Tensor(y, requires_grad=True)
    criterion = nn.MSELoss(reduction=reduction)
    assert criterion.reduction == reduction
    output = criterion(given, target)
    output.backward()
    assert output.item() == loss
    assert given.grad.tolist() == grad
    np.testing.assert_array_equal(target.grad.numpy(), -np.array(grad))
    assert repr(output) == f"Tensor({loss}, grad=None)"


def test_page_with_a_model() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super(Model, self).__init__()  # noqa: UP008 - as the page spells it
            self.linear = nn.Linear(in_features=2, out_features=1)

        def forward(self, x: Any) -> Any:
            return self.linear(x)

    model = Model()
    given = lucid.Tensor([[1.0, 2.0]], requires_grad=True)
    target = lucid.Tensor([[3.0]])
    output = model(given)
    assert repr(output).startswith("Tensor([[")
    assert repr(output).endswith("]], grad=None)")
    loss = nn.MSELoss(reduction="mean")(output, target)
    loss.backward()
    out, weight = output.item(), model.linear.weight.numpy()
    assert loss.item() == pytest.approx((out - 3) ** 2)
    np.testing.assert_allclose(given.grad.numpy(), 2 * (out - 3) * weight)
    np.testing.assert_allclose(model.linear.bias.grad.numpy(), [2 * (out - 3)])


def test_reduction_none() -> None:
    x, y = np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]])
    for criterion in (nn.MSELoss(None), nn.MSELoss("none")):
        np.testing.assert_array_equal(criterion(x, y).numpy(), [[1, 4]])
    assert nn.MSELoss(reduction=None).reduction is None
    assert nn.MSELoss().reduction == "mean"


def test_scalar_target_and_dtypes() -> None:
    x = np.array([1.0, 2.0, 3.0], np.float32)
    assert F.mse_loss(x, 0.0).dtype == np.float32
    assert F.mse_loss(x, 2).item() == pytest.approx(2 / 3)
    assert F.mse_loss(x, x.astype(np.float64)).dtype == np.float64
    assert F.mse_loss(x, np.array([1, 2, 3])).item() == 0
    target = lucid.Tensor(2.0, requires_grad=True)
    F.mse_loss(np.array([1.0, 2.0, 6.0]), target, "sum").backward()
    assert target.grad.item() == -6
    assert math.isnan(F.mse_loss(np.zeros(0), np.zeros(0)).item())
    assert F.mse_loss(np.zeros(0), np.zeros(0), "sum").item() == 0
    z, w = np.array([1 + 2j]), np.array([0.5j])
    assert F.mse_loss(z, w).item() == 3.25
    np.testing.assert_allclose(lucid.grad(F.mse_loss)(z, w).numpy(), 2 * (z - w))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_large_arrays(order: Any, dtype: Any) -> None:
    """Block by block, or in one go where memory is no single run: the same numbers."""
    rng = np.random.default_rng(0)
    x = np.array(rng.standard_normal((300, 701)), dtype, order=order)
    y = np.array(rng.standard_normal((300, 701)), dtype)
    value, (gx, gy) = lucid.value_and_grad(F.mse_loss, (0, 1))(x, y)
    d = x.astype(np.complex128) - y
    assert value.item() == pytest.approx(np.mean(abs(d) ** 2), rel=1e-6)
    np.testing.assert_allclose(gx.numpy(), 2 * (x - y) / x.size, rtol=1e-6)
    np.testing.assert_allclose(gy.numpy(), -gx.numpy())
    assert gx.dtype == dtype


def test_memory_of_the_reverse_pass() -> None:
    """At most two arrays beyond inputs and gradient; in fact none."""
    x, y = np.ones(10**6, np.float32), np.zeros(10**6, np.float32)
    run = lucid.value_and_grad(F.mse_loss)
    run(x, y)
    tracemalloc.start()
    try:
        result = run(x, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result[1].shape == (10**6,)
    assert peak < 1.5 * x.nbytes


def test_second_order_and_batches() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 3, 4))
    h = lucid.hessian(lambda v: F.mse_loss(v, y[0]))(x[0])
    np.testing.assert_allclose(h.numpy(), 2 * np.eye(4) / 4)
    each = lucid.vmap(lucid.grad(F.mse_loss))(x, y)
    np.testing.assert_allclose(each.numpy(), 2 * (x - y) / 4)
    shared = lucid.vmap(F.mse_loss, in_axes=(0, None))(x, y[0])
    np.testing.assert_allclose(shared.numpy(), ((x - y[0]) ** 2).mean(1))


# -- against PyTorch -------------------------------------------------------------------------------

WAYS = ["mean", "sum", "none"]


def agree(ours: Any, theirs: Any, *arrays: Any) -> None:
    """Compare values and the gradients of all floating arrays."""
    ts = [lucid.Tensor(a, requires_grad=True) for a in arrays]
    us = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, v = ours(*ts), theirs(*us)
    np.testing.assert_allclose(y.numpy(), v.detach().numpy(), rtol=1e-12, atol=1e-14)
    y.sum().backward()
    v.sum().backward()
    for t, u in zip(ts, us, strict=True):
        np.testing.assert_allclose(t.grad.numpy(), u.grad.numpy(), rtol=1e-11, atol=1e-13)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("mse_loss", {}), ("l1_loss", {}), ("huber_loss", {}), ("huber_loss", {"delta": 0.4})),
        *(
            ("smooth_l1_loss", {}),
            ("smooth_l1_loss", {"beta": 0.3}),
            ("smooth_l1_loss", {"beta": 0}),
        ),
    ],
)
def test_regression(name: str, options: Any, way: str, rng: Any) -> None:
    x, y = rng.standard_normal((2, 4, 5))
    ours, theirs = getattr(F, name), getattr(TF, name)
    agree(
        lambda a, b: ours(a, b, reduction=way, **options),
        lambda a, b: theirs(a, b, reduction=way, **options),
        x,
        y,
    )
    layer = {"mse_loss": "MSELoss", "l1_loss": "L1Loss", "huber_loss": "HuberLoss"}
    kind = getattr(nn, layer.get(name, "SmoothL1Loss"))
    np.testing.assert_array_equal(
        kind(reduction=way, **options)(x, y).numpy(), ours(x, y, reduction=way, **options).numpy()
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 5, 2, 2)])
@pytest.mark.parametrize(
    ("smoothing", "weighted"), [(0.0, False), (0.0, True), (0.2, False), (0.2, True)]
)
def test_classes(shape: Any, smoothing: float, weighted: bool, way: str, rng: Any) -> None:
    x = rng.standard_normal(shape)
    indices = np.asarray(rng.integers(0, 5, shape[:1] + shape[2:] if len(shape) > 1 else ()))
    if indices.ndim:
        indices.flat[0] = -100
    w = rng.random(5) if weighted else None
    u = torch.tensor(w) if weighted else None
    options: Any = {"reduction": way, "label_smoothing": smoothing}
    t = torch.tensor(indices)
    agree(
        lambda x: F.cross_entropy(x, indices, w, **options),
        lambda x: TF.cross_entropy(x, t, u, **options),
        x,
    )
    agree(
        lambda x: nn.NLLLoss(w, reduction=way)(x, indices),
        lambda x: TF.nll_loss(x, t, u, reduction=way),
        x,
    )
    agree(
        lambda x, p: nn.CrossEntropyLoss(w, **options)(x, p),
        lambda x, p: TF.cross_entropy(x, p, u, **options),
        *(x, rng.random(shape)),
    )


@pytest.mark.parametrize("way", WAYS)
def test_two_classes(way: str, rng: Any) -> None:
    x, p, t = rng.standard_normal((4, 5)), rng.random((4, 5)), rng.random((4, 5))
    w, pos = rng.random((4, 5)), rng.random(5)
    agree(
        lambda p, t: nn.BCELoss(w, way)(p, t),
        lambda p, t: TF.binary_cross_entropy(p, t, torch.tensor(w), reduction=way),
        *(p, t),
    )
    agree(
        lambda x, t: nn.BCEWithLogitsLoss(w, way, pos)(x, t),
        lambda x, t: TF.binary_cross_entropy_with_logits(
            *(x, t, torch.tensor(w)), pos_weight=torch.tensor(pos), reduction=way
        ),
        *(x, t),
    )
    agree(
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction=way),
        lambda x, t: TF.binary_cross_entropy_with_logits(x, t, reduction=way),
        *(100 * x, t),
    )
    certain = np.array([0.0, 1.0, 0.0, 1.0])
    both = np.array([0.0, 0.0, 1.0, 1.0])
    np.testing.assert_array_equal(
        F.binary_cross_entropy(certain, both, reduction="none").numpy(), [0, 100, 100, 0]
    )


@pytest.mark.filterwarnings("ignore:reduction. 'mean'")  # PyTorch's advice
@pytest.mark.parametrize("way", [*WAYS, "batchmean"])
@pytest.mark.parametrize("log_target", [False, True])
def test_divergence(way: str, log_target: bool, rng: Any) -> None:
    x, t = rng.standard_normal((4, 5)), rng.random((4, 5))
    agree(
        lambda x, t: nn.KLDivLoss(way, log_target)(x, t),
        lambda x, t: TF.kl_div(x, t, reduction=way, log_target=log_target),
        *(x, t),
    )
    assert F.kl_div(np.zeros(2), np.array([0.0, 1.0]), "sum").item() == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("HingeEmbeddingLoss", {}), ("HingeEmbeddingLoss", {"margin": 0.3})),
        *(("MarginRankingLoss", {}), ("MarginRankingLoss", {"margin": 0.5})),
        *(("CosineEmbeddingLoss", {}), ("CosineEmbeddingLoss", {"margin": 0.2})),
        *(("TripletMarginLoss", {}), ("TripletMarginLoss", {"p": 1.5, "swap": True})),
        *(("SoftMarginLoss", {}), ("MultiLabelSoftMarginLoss", {})),
        *(("PoissonNLLLoss", {}), ("PoissonNLLLoss", {"full": True})),
        *(("PoissonNLLLoss", {"log_input": False}), ("GaussianNLLLoss", {"full": True})),
    ],
)
def test_margins(name: str, options: Any, way: str, rng: Any) -> None:
    x, y, z = rng.standard_normal((3, 4, 5))
    sign = np.sign(rng.standard_normal((4, 5)))
    given = {
        "HingeEmbeddingLoss": ((x,), (sign,)),
        "MarginRankingLoss": ((x, y), (sign,)),
        "CosineEmbeddingLoss": ((x, y), (sign[:, 0],)),
        "TripletMarginLoss": ((x, y, z), ()),
        "SoftMarginLoss": ((x,), (sign,)),
        "MultiLabelSoftMarginLoss": ((x,), ((sign + 1) / 2,)),
        "PoissonNLLLoss": ((np.abs(x),), (np.round(5 * np.abs(y)),)),
        "GaussianNLLLoss": ((x, y, np.abs(z) + 0.1), ()),
    }
    moving, fixed = given[name]
    ours = getattr(nn, name)(reduction=way, **options)
    theirs = getattr(torch.nn, name)(reduction=way, **options)
    agree(
        lambda *a: ours(*a, *fixed),
        lambda *a: theirs(*a, *(torch.tensor(f) for f in fixed)),
        *moving,
    )


def test_weighted_labels(rng: Any) -> None:
    x, w = rng.standard_normal((4, 5)), rng.random(5)
    t = (rng.random((4, 5)) > 0.5) * 1.0
    agree(
        lambda x: nn.MultiLabelSoftMarginLoss(w)(x, t),
        lambda x: TF.multilabel_soft_margin_loss(x, torch.tensor(t), torch.tensor(w)),
        x,
    )


def test_variances_per_row(rng: Any) -> None:
    x, v = rng.standard_normal((4, 5)), rng.random(4) + 0.1
    for shape in ((4,), (4, 1)):
        agree(
            lambda x, v: F.gaussian_nll_loss(x, x * 0 + 1, v),
            lambda x, v: TF.gaussian_nll_loss(x, x * 0 + 1, v),
            *(x, v.reshape(shape)),
        )


def test_distances(rng: Any) -> None:
    x, y = rng.standard_normal((2, 4, 5))
    for p in (1.0, 2.0, 3.5):
        agree(nn.PairwiseDistance(p), torch.nn.PairwiseDistance(p), x, y)
    agree(nn.PairwiseDistance(keepdim=True), torch.nn.PairwiseDistance(keepdim=True), x, y)
    agree(nn.CosineSimilarity(), torch.nn.CosineSimilarity(), x, y)
    agree(nn.CosineSimilarity(dim=0), torch.nn.CosineSimilarity(dim=0), x, y)
    assert F.cosine_similarity(np.zeros(3), np.ones(3), 0).item() == 0
    g = lucid.grad(lambda x: F.cosine_similarity(x, np.ones(3), 0))(np.zeros(3))
    assert np.isfinite(g.numpy()).all()


def test_unlikely_classes_do_not_poison_the_gradient() -> None:
    p = np.array([[0.0, 1.0], [0.5, 0.5]])
    with np.errstate(divide="ignore"):
        g = lucid.grad(lambda p: F.nll_loss(lucid.log(p), np.array([1, 0]), reduction="sum"))(p)
    np.testing.assert_array_equal(g.numpy(), [[0, -1], [-2, 0]])


def test_classes_under_vmap(rng: Any) -> None:
    x, t = rng.standard_normal((4, 5)), rng.integers(0, 5, 4)
    each = lucid.vmap(lucid.grad(F.cross_entropy))(x, t)
    whole = lucid.grad(lambda x: F.cross_entropy(x, t, reduction="sum"))(x)
    np.testing.assert_allclose(each.numpy(), whole.numpy(), atol=1e-15)
    shared = lucid.vmap(F.cross_entropy, in_axes=(None, 0))(x[0], t)
    np.testing.assert_allclose(
        shared.numpy(), F.cross_entropy(np.tile(x[0], (4, 1)), t, reduction="none").numpy()
    )


# -- refusals --------------------------------------------------------------------------------------

X = np.zeros((4, 5))
T = np.zeros(4, int)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: F.mse_loss(np.ones((3, 1)), np.ones(3)),
            ShapeError,
            r"mse_loss: expected a target of shape \(3, 1\) or a scalar, got a target of shape "
            r"\(3,\); reshape one of them: a loss does not broadcast",
        ),
        (lambda: F.mse_loss(1.0, np.ones(3)), ShapeError, r"target of shape \(\) or a scalar"),
        (lambda: F.mse_loss(T, T), DTypeError, "mse_loss: .*got int64; convert it with .astype"),
        (
            lambda: nn.MSELoss("average"),
            OptionError,
            "MSELoss: expected reduction 'mean', 'sum', 'none' or None, got 'average'",
        ),
        (lambda: nn.KLDivLoss("x"), OptionError, "'none', 'batchmean' or None, got 'x'"),
        (lambda: F.mse_loss(X, X, "avg"), OptionError, "mse_loss: .*got 'avg'"),
        (lambda: F.l1_loss(X, X, 3), OptionError, "l1_loss: .*got 3"),
        (lambda: F.l1_loss(X, T), ShapeError, "l1_loss"),
        (lambda: F.huber_loss(X, X, delta=0), OptionError, "positive delta"),
        (lambda: F.smooth_l1_loss(X, X, beta=-1), OptionError, "beta that is not negative"),
        (lambda: F.cross_entropy(X, T + 5), IndexOutOfBoundsError, "indices from 0 to 4.*got 5"),
        (lambda: F.cross_entropy(X, T - 1), IndexOutOfBoundsError, "got -1"),
        (lambda: F.cross_entropy(X, T * 1.0), DTypeError, "integer class indices, got float64"),
        (lambda: F.cross_entropy(X, T[:2]), ShapeError, r"shape \(4,\), got shape \(2,\)"),
        (lambda: F.cross_entropy(X, X.astype(int)), ShapeError, r"target of shape \(4,\)"),
        (lambda: F.cross_entropy(X, T, np.ones(4)), ShapeError, r"weight of shape \(5,\)"),
        (lambda: F.cross_entropy(X, T, label_smoothing=2), OptionError, "between 0 and 1"),
        (lambda: F.cross_entropy(1.0, 0), ShapeError, r"\(classes,\) or \(n, classes, ...\)"),
        (lambda: F.nll_loss(X.astype(int), T), DTypeError, "nll_loss: expected a real floating"),
        (
            lambda: F.binary_cross_entropy(X + 2, X),
            OptionError,
            "between 0 and 1, got values from 2 to 2; for scores use binary_cross_entropy_with",
        ),
        (lambda: F.binary_cross_entropy(X, X, np.ones(3)), ShapeError, "broadcast"),
        (lambda: F.kl_div(X, T), ShapeError, "kl_div"),
        (lambda: F.triplet_margin_loss(X, X, X, margin=0), OptionError, "positive margin"),
        (lambda: F.triplet_margin_loss(X, X, X[0]), ShapeError, "triplet_margin_loss"),
        (lambda: F.cosine_embedding_loss(X, X, X), ShapeError, r"target of shape \(4,\)"),
        (lambda: F.gaussian_nll_loss(X, X, np.ones((2, 4, 5))), ShapeError, "var that broadcasts"),
        (lambda: F.margin_ranking_loss(X, X, T), ShapeError, "margin_ranking_loss"),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
