"""Activations against PyTorch, at the edges, and their refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as TF  # noqa: N812 - the usual name

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid import nn
from lucid.errors import DTypeError, IndexOutOfBoundsError, OptionError, ShapeError

LAYERS = [
    *("nn.ReLU()", "nn.ReLU6()", "nn.Sigmoid()", "nn.Tanh()", "nn.Softplus()", "nn.GELU()"),
    *(
        "nn.Softplus(2.0, 0.5)",
        'nn.GELU(approximate="tanh")',
        "nn.SiLU()",
        "nn.Mish()",
        "nn.LeakyReLU()",
    ),
    *("nn.LeakyReLU(0.3)", "nn.ELU()", "nn.ELU(0.5)", "nn.CELU(2.0)", "nn.SELU()"),
    *("nn.Hardtanh()", "nn.Hardtanh(-0.5, 2.0)", "nn.Hardsigmoid()", "nn.Hardswish()"),
    *("nn.Hardshrink()", "nn.Softshrink(0.2)", "nn.Tanhshrink()", "nn.Softsign()"),
    *("nn.LogSigmoid()", "nn.Threshold(0.1, 20.0)", "nn.GLU()", "nn.GLU(0)", "nn.Softmax(0)"),
    *("nn.Softmin(1)", "nn.LogSoftmax(-1)", "nn.PReLU()"),
]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_layer(layer: str, dtype: str) -> None:
    x = (3 * np.random.default_rng(0).standard_normal((4, 6))).astype(dtype)
    ours, theirs = eval(layer, {"nn": nn}), eval(layer, {"nn": torch.nn})
    ours, theirs = ours.to(dtype), theirs.to(getattr(torch, dtype))
    t, u = lucid.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, v = ours(t), theirs(u)
    assert y.dtype == np.dtype(dtype)
    (y * y).sum().backward()
    (v * v).sum().backward()
    # softplus beyond PyTorch's threshold of 20, and its 1/6 in single precision
    rtol = 3e-7 if dtype == "float64" and "ard" in layer else {"float64": 1e-8}.get(dtype, 2e-5)
    np.testing.assert_allclose(y.numpy(), v.detach().numpy(), rtol, 1e-6 if rtol > 1e-6 else 1e-12)
    np.testing.assert_allclose(t.grad.numpy(), u.grad.numpy(), rtol, 3e-5 if rtol > 1e-6 else 1e-7)


EDGES = np.array([-np.inf, -1000.0, -0.0, 0.0, 1000.0, np.inf, np.nan])


@pytest.mark.parametrize("name", ["relu", "sigmoid", "softplus", "logsigmoid", "elu", "leaky_relu"])
def test_edges_without_warnings(name: str) -> None:
    want = getattr(TF, name)(torch.tensor(EDGES)).numpy()
    np.testing.assert_array_equal(getattr(F, name)(EDGES).numpy(), want)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (F.relu, 0.0),
        (F.leaky_relu, 0.01),
        (lambda x: F.elu(x, 0.5), 0.5),
        (lambda x: F.relu6(x + 6), 0.0),
        (lambda x: F.hardtanh(x - 1), 0.0),
        (lambda x: F.hardshrink(x + 0.5), 0.0),
        (lambda x: F.softshrink(x + 0.5), 0.0),
        (lambda x: F.threshold(x + 2, 2, 1), 0.0),
    ],
)
def test_kinks(f: Any, slope: float) -> None:
    assert lucid.grad(f)(0.0).item() == slope


def test_relu_selects() -> None:
    x = np.array([0.0, -0.0, 4.0, np.nan])
    with np.errstate(divide="ignore"):
        g = lucid.grad(lambda x: F.relu(lucid.log(x)).sum())(np.array([0.0, 0.5, 2.0]))
    np.testing.assert_array_equal(g.numpy(), [0, 0, 0.5])  # not 0·∞
    _, pull = lucid.vjp(F.relu, x)
    (g,) = pull(np.array([np.inf, np.nan, 2, 2]))
    np.testing.assert_array_equal(g.numpy(), [0, 0, 2, 0])
    for dtype in (np.float32, np.float64, np.float16):
        y = lucid.grad(lambda x: (3 * F.relu(x)).sum())(np.array([[-1, 2], [3, -0.0]], dtype).T)
        np.testing.assert_array_equal(y.numpy(), [[0, 3], [3, 0]])
        assert y.dtype == dtype


def test_softmax_of_large_numbers() -> None:
    x = np.array([[1000.0, 1000.0], [-1000.0, 0.0], [-np.inf, 0.0]])
    np.testing.assert_array_equal(F.softmax(x).numpy(), [[0.5, 0.5], [0, 1], [0, 1]])
    logs = F.log_softmax(x).numpy()
    np.testing.assert_array_equal(logs[1:], [[-1000, 0], [-np.inf, 0]])
    assert np.isnan(F.softmax(np.full(2, -np.inf)).numpy()).all()
    assert F.softmax(np.arange(3)).dtype == np.float64
    assert F.softmax(np.zeros((0, 2))).shape == (0, 2)


def test_small_tails_keep_their_digits() -> None:
    # against mpmath: sigmoid(-40), softplus(-40), gelu(-8)
    assert F.sigmoid(-40.0).item() == pytest.approx(4.248354255291589e-18, rel=1e-15)
    assert F.softplus(-40.0).item() == pytest.approx(4.248354255291589e-18, rel=1e-15)
    assert F.gelu(-8.0).item() == pytest.approx(-4.976768456997857e-15, rel=1e-13)


def test_numbers_and_arrays() -> None:
    assert F.relu(-1.0).item() == 0
    assert F.sigmoid(0).item() == 0.5
    assert F.relu(np.array([-1, 2])).dtype == np.int64
    assert F.sigmoid(np.float32(0)).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.gelu(1.0, "erf"), OptionError, '"none" or "tanh", got \'erf\''),
        (lambda: F.softplus(1.0, -1.0), OptionError, "softplus: expected a positive beta"),
        (lambda: F.celu(1.0, 0.0), OptionError, "celu: expected a positive alpha"),
        (lambda: F.softshrink(1.0, -0.5), OptionError, "lambd that is not negative"),
        (lambda: F.glu(np.ones(3)), ShapeError, "glu: expected an even length"),
        (lambda: F.prelu(np.ones((2, 3)), np.ones(2)), ShapeError, "1 or 3 elements"),
        (lambda: F.softmax(np.ones(2), 1), IndexOutOfBoundsError, "softmax: expected an axis"),
        (lambda: F.log_softmax(1j * np.ones(2)), DTypeError, "log_softmax: expected a real"),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
