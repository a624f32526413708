"""Clipping, vectors and parametrizations against PyTorch."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch

import lucid
from lucid import nn
from lucid.errors import (
    DTypeError,
    MissingAttributeError,
    OperandError,
    OptionError,
    OverflowedError,
    ShapeError,
)
from lucid.functional import orthogonal as pure
from lucid.nn.utils import parametrizations, parametrize
from tests.layers import RNG, agree, share


def pairs() -> tuple[list[Any], list[Any]]:
    """Parameters with gradients, one without, here and in PyTorch."""
    values, grads = (RNG.standard_normal((3, 4)), RNG.standard_normal(2)), (5.0, -0.2)
    ours, theirs = (
        [nn.Parameter(v) for v in values],
        [torch.nn.Parameter(torch.tensor(v)) for v in values],
    )
    for p, q, g in zip(ours, theirs, grads, strict=True):
        p.grad = lucid.Tensor(np.full(p.shape, g))
        q.grad = torch.full(q.shape, g, dtype=torch.float64)
    return [*ours, nn.Parameter([1.0])], theirs


@pytest.mark.parametrize("p", [2.0, 1.0, math.inf])
@pytest.mark.parametrize("limit", [1.0, 100.0])
def test_clipping(p: float, limit: float) -> None:
    ours, theirs = pairs()
    norm = nn.utils.clip_grad_norm_(ours, limit, p)
    want = torch.nn.utils.clip_grad_norm_(theirs, limit, p)
    assert norm.item() == pytest.approx(want.item())
    for a, b in zip(ours[:2], theirs, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy())
    assert ours[2].grad is None
    nn.utils.clip_grad_value_(ours, 0.1)
    assert max(abs(a.grad.numpy()).max() for a in ours[:2]) <= 0.1
    assert nn.utils.clip_grad_norm_(nn.Parameter([1.0]), 1.0).item() == 0


def test_vectors() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = nn.utils.parameters_to_vector(model.parameters())
    assert vector.shape == (13,)
    nn.utils.vector_to_parameters(vector * 2, model.parameters())
    np.testing.assert_array_equal(
        nn.utils.parameters_to_vector(model.parameters()).numpy(), 2 * vector.numpy()
    )
    (vector**2).sum().backward()
    assert model[0].weight.grad.shape == (3, 2)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(dim: Any) -> None:
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    parametrizations.weight_norm(ours, dim=dim)
    torch.nn.utils.parametrizations.weight_norm(theirs, dim=-1 if dim is None else dim)
    state = {k: v.numpy() for k, v in theirs.state_dict().items()}
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in state.items()
    }
    for k, v in ours.state_dict().items():
        np.testing.assert_allclose(v.numpy(), state[k])
    agree(ours, theirs, RNG.standard_normal((4, 3)))


def test_spectral_norm() -> None:
    ours, theirs = nn.Conv2d(3, 4, 2), torch.nn.Conv2d(3, 4, 2).double()
    parametrizations.spectral_norm(ours)
    torch.nn.utils.parametrizations.spectral_norm(theirs)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = RNG.standard_normal((2, 3, 4, 4))
    agree(ours, theirs, x)
    for k, v in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[k].numpy(), v.detach().numpy())
    agree(ours.eval(), theirs.eval(), x)
    assert parametrizations.spectral_norm(nn.ConvTranspose1d(2, 5, 3)).weight.shape == (2, 5, 3)
    row = parametrizations.spectral_norm(nn.LayerNorm(4))
    assert float((row.weight**2).sum()) == pytest.approx(1)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("name", "norm", "options", "shape"),
    [
        ("Conv1d", "BatchNorm1d", {"groups": 2}, (2, 4, 7)),
        ("Conv2d", "BatchNorm2d", {"stride": 2}, (2, 4, 7, 6)),
        ("ConvTranspose2d", "BatchNorm2d", {}, (2, 4, 5, 6)),
        ("ConvTranspose1d", "BatchNorm1d", {"groups": 2}, (2, 4, 5)),
        ("Linear", "BatchNorm1d", {}, (3, 4)),
    ],
)
def test_fusion(name: str, norm: str, options: Any, shape: Any, bias: bool, affine: bool) -> None:
    args = (4, 6) if name == "Linear" else (4, 6, 3)
    layer = getattr(nn, name)(*args, bias=bias, **options)
    bn = getattr(nn, norm)(6, affine=affine)
    for module in (layer, bn):
        module.load_state_dict(
            {k: 0.5 + RNG.random(v.shape) for k, v in module.state_dict().items()}, strict=False
        )
        module.eval()
    x = RNG.standard_normal(shape)
    if name == "Linear":
        fused = nn.utils.fuse_linear_bn_eval(layer, bn)
    else:
        fused = nn.utils.fuse_conv_bn_eval(layer, bn, "Transpose" in name)
    assert type(fused) is type(layer)
    assert not fused.training
    np.testing.assert_allclose(fused(x).numpy(), bn(layer(x)).numpy(), rtol=1e-10)
    fused(x).sum().backward()
    assert fused.weight.grad is not None


@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6)])
@pytest.mark.parametrize("kind", [None, "matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal(shape: Any, kind: str | None, trivial: bool) -> None:
    if not trivial and (kind != "householder"):
        kind = "householder"
    rows, columns = shape
    ours, theirs = nn.Linear(columns, rows), torch.nn.Linear(columns, rows).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    for module, package in ((ours, nn), (theirs, torch.nn)):
        orthogonal = package.utils.parametrizations.orthogonal
        orthogonal(module, "weight", kind, use_trivialization=trivial)
    weight = ours.weight.numpy()
    if not trivial or rows == columns:  # otherwise torch has drawn other numbers
        np.testing.assert_allclose(weight, theirs.weight.detach().numpy(), atol=1e-12)
    share(ours, theirs, randomise=False)
    original = theirs.parametrizations.weight.original
    with torch.no_grad():  # away from where it begins, apart from the signs on the diagonal
        original += 0.3 * torch.tensor(RNG.standard_normal(shape)) * (1 - torch.eye(*shape))
    share(ours, theirs, randomise=False)
    agree(ours, theirs, RNG.standard_normal((2, columns)))
    q = ours.weight.numpy() if rows >= columns else ours.weight.numpy().T
    np.testing.assert_allclose(q.T @ q, np.eye(min(shape)), atol=1e-12)


def test_orthogonal_weights_stay() -> None:
    layer = nn.Linear(3, 5)
    nn.init.orthogonal_(layer.weight)
    before = layer.weight.numpy().copy()
    for kind in ("matrix_exp", "cayley", "householder"):
        parametrizations.orthogonal(layer, "weight", kind)
        np.testing.assert_allclose(layer.weight.numpy(), before, atol=1e-12)
        parametrize.remove_parametrizations(layer, "weight")
    parametrizations.orthogonal(layer, "weight", "householder", use_trivialization=False)
    np.testing.assert_allclose(layer.weight.numpy(), before, atol=1e-12)
    singular = nn.Linear(3, 3)
    nn.init.zeros_(singular.weight)
    for trivial in (True, False):
        made = parametrizations.orthogonal(
            copy.deepcopy(singular), orthogonal_map="householder", use_trivialization=trivial
        )
        q = made.weight.numpy()
        np.testing.assert_allclose(q @ q.T, np.eye(3), atol=1e-12)
    square = nn.Linear(3, 3)
    square.weight = nn.Parameter(RNG.standard_normal((3, 3)) + 1j * RNG.standard_normal((3, 3)))
    parametrizations.orthogonal(square)
    q = square.weight.numpy()
    np.testing.assert_allclose(q @ q.T.conj(), np.eye(3), atol=1e-12)
    with pytest.raises(DTypeError, match="orthogonal: expected a real weight, got complex128"):
        pure.orthogonal_map(q, "householder", True)


class Double(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * 2


def test_parametrized_modules_are_modules() -> None:
    layer = nn.Linear(3, 2)
    before = layer.weight.numpy().copy()
    parametrize.register_parametrization(layer, "weight", Double())
    parametrize.register_parametrization(layer, "weight", Double())
    parametrize.register_parametrization(layer, "bias", Double())
    assert parametrize.is_parametrized(layer, "bias")
    assert type(layer).__name__ == "ParametrizedLinear"
    np.testing.assert_allclose(layer.weight.numpy(), 4 * before)
    x = np.ones((1, 3))
    grads = lucid.grad(lambda m: m(x).sum())(layer)
    np.testing.assert_array_equal(
        grads.parametrizations.weight.original.numpy(), np.full((2, 3), 4)
    )
    twin = copy.deepcopy(layer)
    np.testing.assert_array_equal(twin(x).numpy(), layer(x).numpy())
    parametrize.remove_parametrizations(layer, "weight")
    np.testing.assert_allclose(layer.weight.numpy(), 4 * before)
    assert "weight" in dict(layer.named_parameters())
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    assert type(layer) is nn.Linear
    assert not parametrize.is_parametrized(layer)
    network = parametrizations.weight_norm(nn.LSTM(3, 4), "weight_hh_l0")
    network(np.ones((2, 1, 3)))[0].sum().backward()
    assert network.parametrizations.weight_hh_l0.original1.grad.shape == (16, 4)


class Row(nn.Module):
    def forward(self, x: Any) -> Any:
        return x[0]


def infinite() -> Any:
    p = nn.Parameter([1.0])
    p.grad = lucid.Tensor([math.nan])
    return p


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: nn.utils.clip_grad_norm_(infinite(), 1.0, error_if_nonfinite=True),
            OverflowedError,
            "clip_grad_norm_: expected a finite norm",
        ),
        (
            lambda: nn.utils.vector_to_parameters(np.ones(3), [nn.Parameter([1.0])]),
            ShapeError,
            r"a vector of 1, got shape \(3,\)",
        ),
        (
            lambda: nn.utils.vector_to_parameters(np.ones(1), [3.0]),
            OperandError,
            "expected Parameters, got a float",
        ),
        (lambda: nn.utils.parameters_to_vector([]), OptionError, "one array or more, got none"),
        (
            lambda: parametrize.register_parametrization(nn.Linear(2, 2), "w", Double()),
            MissingAttributeError,
            "Linear: expected the name of a parameter, got 'w'",
        ),
        (
            lambda: parametrize.register_parametrization(nn.Linear(2, 2), "weight", Row()),
            ShapeError,
            r"Linear.weight: expected a parametrization that keeps shape \(2, 2\), got",
        ),
        (
            lambda: parametrize.remove_parametrizations(nn.Linear(2, 2), "weight"),
            MissingAttributeError,
            "the name of a parametrized attribute",
        ),
        (
            lambda: parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
            OptionError,
            "a positive n_power_iterations, got 0",
        ),
        (
            lambda: nn.utils.fuse_linear_bn_eval(nn.Linear(2, 2), nn.BatchNorm1d(2).eval()),
            OptionError,
            r"expected layers in evaluation, .*; call .eval\(\) on both",
        ),
        (
            lambda: nn.utils.fuse_linear_bn_eval(nn.Linear(2, 2).eval(), nn.BatchNorm1d(3).eval()),
            ShapeError,
            r"fuse_norm: expected statistics of 2 outputs, got shape \(3,\)",
        ),
        (
            lambda: parametrizations.orthogonal(nn.Linear(2, 2), "w"),
            MissingAttributeError,
            "Linear: expected the name of a parameter, got 'w'",
        ),
        (
            lambda: parametrizations.orthogonal(nn.Linear(2, 2), "bias"),
            ShapeError,
            r"orthogonal: expected at least two axes, got shape \(2,\)",
        ),
        (
            lambda: parametrizations.orthogonal(nn.Linear(2, 2), "weight", "qr"),
            OptionError,
            'expected orthogonal_map "matrix_exp", "cayley" or "householder", got .qr.',
        ),
        (
            lambda: parametrizations.orthogonal(
                nn.Linear(2, 2), orthogonal_map="cayley", use_trivialization=False
            ),
            OptionError,
            "expected use_trivialization=True .* got False; their inverses are not known",
        ),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
