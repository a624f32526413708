"""Normalisation against PyTorch, running statistics, and what is refused."""

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
from lucid.errors import DTypeError, OptionError, ShapeError
from lucid.nn import normalization
from tests.layers import RNG, agree, share, signature

quick = settings(max_examples=25, deadline=None, derandomize=True)
flags = st.booleans()


@pytest.mark.parametrize("name", normalization.__all__)
def test_signatures_are_those_of_pytorch(name: str) -> None:
    assert signature(getattr(nn, name)) == signature(getattr(torch.nn, name))


@quick
@given(st.integers(1, 3), st.sampled_from([0.1, 0.4, None]), flags, flags, flags)
def test_batch_norm(rank: int, momentum: Any, affine: bool, track: bool, vector: bool) -> None:
    args = (3, 1e-3, momentum, affine, track)
    ours = getattr(nn, f"BatchNorm{rank}d")(*args)
    theirs = getattr(torch.nn, f"BatchNorm{rank}d")(*args)
    share(ours, theirs)
    shape = (4, 3) if vector and rank == 1 else (4, 3, *(5, 2, 3)[:rank])
    for _ in range(2):
        agree(ours, theirs, 3 + 2 * RNG.standard_normal(shape))
    for k, v in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[k].numpy(), v.numpy(), rtol=1e-12)
        assert str(ours.state_dict()[k].dtype) == str(v.dtype).removeprefix("torch.")
    agree(ours.eval(), theirs.eval(), RNG.standard_normal(shape))


@quick
@given(st.integers(1, 3), flags, flags, flags)
def test_instance_norm(rank: int, affine: bool, track: bool, single: bool) -> None:
    args = (3, 1e-3, 0.2, affine, track)
    ours = getattr(nn, f"InstanceNorm{rank}d")(*args)
    theirs = getattr(torch.nn, f"InstanceNorm{rank}d")(*args)
    share(ours, theirs)
    shape = (4, 3, *(5, 2, 3)[:rank])[single:]
    shape = (3, *shape[1:]) if single else shape
    agree(ours, theirs, 3 + RNG.standard_normal(shape))
    for k, v in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[k].numpy(), v.numpy(), rtol=1e-12)
    agree(ours.eval(), theirs.eval(), RNG.standard_normal(shape))


@quick
@given(st.integers(1, 3), st.integers(1, 2), flags, flags)
def test_layers_over_axes(lead: int, axes: int, affine: bool, bias: bool) -> None:
    shape, normal = (2, 1, 4)[:lead], (3, 5)[:axes]
    x = RNG.standard_normal((*shape, *normal))
    pairs = [
        (nn.LayerNorm(normal, 1e-3, affine, bias), torch.nn.LayerNorm(normal, 1e-3, affine, bias)),
        (nn.RMSNorm(normal, None, affine), torch.nn.RMSNorm(normal, None, affine)),
    ]
    for ours, theirs in pairs:
        share(ours, theirs)
        agree(ours, theirs, x)


@quick
@given(st.integers(0, 2), st.sampled_from([1, 2, 3, 6]), flags)
def test_group_norm(rank: int, groups: int, affine: bool) -> None:
    ours, theirs = (
        nn.GroupNorm(groups, 6, 1e-3, affine),
        torch.nn.GroupNorm(groups, 6, 1e-3, affine),
    )
    share(ours, theirs)
    agree(ours, theirs, RNG.standard_normal((2, 6, *(3, 4)[:rank])))


def test_by_neighbours_and_by_length() -> None:
    x = RNG.standard_normal((2, 5, 3))
    for args in ((2,), (5, 0.5, 0.7, 2.0), (1,)):
        agree(nn.LocalResponseNorm(*args), torch.nn.LocalResponseNorm(*args), x)
    for p, dim in ((2.0, 1), (1.0, -1), (3.0, 0)):
        agree(
            lambda x, p=p, d=dim: F.normalize(x, p, d),
            lambda x, p=p, d=dim: TF.normalize(x, p, d),
            x,
        )
    assert F.normalize(np.zeros(3), dim=0).tolist() == [0, 0, 0]


def test_precision_and_large_means() -> None:
    x = (1000 + RNG.standard_normal((64, 128))).astype(np.float32)
    got = F.layer_norm(x, 128)
    want = TF.layer_norm(torch.tensor(x).double(), (128,)).numpy()
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.numpy(), want, atol=1e-3)
    assert F.layer_norm(np.ones((2, 3)), 3).tolist() == [[0] * 3] * 2


def test_derivatives_of_derivatives_and_batches() -> None:
    x, w, b = RNG.standard_normal((4, 3, 5)), RNG.standard_normal(5), RNG.standard_normal(5)
    norms: tuple[Any, ...] = (
        lambda x, w: F.layer_norm(x, 5, w, b),
        lambda x, w: F.rms_norm(x, 5, w),
    )
    for norm in norms:

        def loss(x: Any, norm: Any = norm) -> Any:
            return (norm(x, w) ** 3).sum()

        whole = lucid.grad(loss)(x)
        each = lucid.vmap(lucid.grad(loss))(x)
        np.testing.assert_allclose(each.numpy(), whole.numpy(), atol=1e-12)
        weights = np.stack([w, 2 * w])
        many = lucid.vmap(norm, in_axes=(None, 0))(x, weights)
        np.testing.assert_allclose(many[1].numpy(), norm(x, 2 * w).numpy(), atol=1e-12)
    lucid.check_grads(lambda x: F.layer_norm(x, 5, w, b, 0.1), (x,), order=2)


def test_statistics_do_not_follow_derivatives() -> None:
    layer = nn.BatchNorm1d(3)
    x = RNG.standard_normal((5, 3))
    lucid.grad(lambda x: layer(x).sum())(x)
    assert layer.num_batches_tracked.item() == 1
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * x.mean(0))
    layer(lucid.Tensor(x, requires_grad=True))
    assert not layer.running_mean.requires_grad
    layer.reset_running_stats()
    assert layer.running_var.tolist() == [1, 1, 1]
    assert repr(nn.GroupNorm(2, 4)) == "GroupNorm(2, 4, eps=1e-05, affine=True)"
    assert repr(nn.LayerNorm(4)) == "LayerNorm((4,), eps=1e-05, elementwise_affine=True)"


X = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.layer_norm(X, 4), ShapeError, r"layer_norm: expected an input whose last axes"),
        (lambda: F.layer_norm(X, ()), ShapeError, "expected one axis or more"),
        (lambda: F.layer_norm(X, 3, np.ones(2)), ShapeError, r"weight and bias of shape \(3,\)"),
        (lambda: F.layer_norm(X.astype(int), 3), DTypeError, "real floating operand, got int64"),
        (lambda: F.rms_norm(X * 1j, 3), DTypeError, "rms_norm: .*complex128"),
        (
            lambda: F.group_norm(X, 2),
            OptionError,
            "num_groups that divides the channels, got 2 for",
        ),
        (lambda: nn.GroupNorm(2, 3), OptionError, "GroupNorm: expected num_groups"),
        (lambda: F.group_norm(np.ones(3), 1), ShapeError, "2 or more axes"),
        (lambda: F.group_norm(X, 3, np.ones(2)), ShapeError, r"weight of shape \(3,\), got"),
        (lambda: F.batch_norm(X[:1], None, None, training=True), ShapeError, "more than one value"),
        (lambda: F.batch_norm(X, None, None), OptionError, "where training is False, got None"),
        (lambda: F.batch_norm(X, np.ones(2), np.ones(3)), ShapeError, "running_mean of shape"),
        (lambda: F.instance_norm(X), ShapeError, "instance_norm: expected more than one value"),
        (
            lambda: F.instance_norm(X, use_input_stats=False),
            OptionError,
            "where use_input_stats is False",
        ),
        (lambda: nn.BatchNorm2d(3)(X), ShapeError, "BatchNorm2d: expected an input with 4 axes"),
        (lambda: nn.InstanceNorm1d(3)(X[0]), ShapeError, "2 or 3 axes, got shape"),
        (lambda: F.local_response_norm(X[None], 0), OptionError, "a positive size, got 0"),
        (lambda: F.local_response_norm(X, 2), ShapeError, "3 or more axes"),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
