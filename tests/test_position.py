"""Positions: the formulas, and that rotated products depend on distances."""

from __future__ import annotations

import numpy as np
import pytest

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid import nn
from lucid.errors import OptionError, ShapeError

RNG = np.random.default_rng(0)


def test_sines() -> None:
    table = F.sinusoidal_positions(7, 6).numpy()
    for p in range(7):
        for i in range(3):
            angle = p / 10000 ** (2 * i / 6)
            np.testing.assert_allclose(table[p, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)])
    layer = nn.SinusoidalEmbedding(7, 6, dtype=np.float32)
    assert layer(np.array([3, 3])).dtype == np.float32
    assert not layer.state_dict()
    np.testing.assert_allclose(layer(np.array([3])).numpy()[0], table[3], rtol=1e-6)
    assert repr(layer) == "SinusoidalEmbedding(7, 6, base=10000.0)"


@pytest.mark.parametrize("interleaved", [True, False])
@pytest.mark.parametrize("width", [8, 6])
def test_rotations(interleaved: bool, width: int) -> None:
    layer = nn.RotaryEmbedding(width, interleaved=interleaved)
    q, k = RNG.standard_normal((2, 8))
    same = [np.tile(x, (10, 1)) for x in (q, k)]
    products = (layer(lucid.Tensor(same[0])) @ layer(lucid.Tensor(same[1])).mT).numpy()
    for shift in range(-5, 6):
        diagonal = np.diagonal(products, shift)
        np.testing.assert_allclose(diagonal, diagonal[0])
    x = RNG.standard_normal((3, 5, 8))
    y = layer(lucid.Tensor(x)).numpy()
    np.testing.assert_allclose((y**2).sum(-1), (x**2).sum(-1))
    np.testing.assert_array_equal(y[..., width:], x[..., width:])
    np.testing.assert_array_equal(y[:, 0], x[:, 0])
    later = layer(lucid.Tensor(x), np.arange(5) + 2).numpy()
    assert (later[:, 1, :width] != y[:, 1, :width]).any()
    places = [slice(0, width, 2), slice(1, width, 2)]
    if not interleaved:
        places = [slice(0, width // 2), slice(width // 2, width)]
    z = x[..., places[0]] + 1j * x[..., places[1]]
    z = z * np.exp(1j * np.arange(5)[:, None] * 10000 ** (-np.arange(0, width, 2) / width))
    np.testing.assert_allclose(y[..., places[0]], z.real)
    np.testing.assert_allclose(y[..., places[1]], z.imag)
    lucid.check_grads(lambda x: layer(x), (x[0],), order=2)


def test_refusals() -> None:
    with pytest.raises(OptionError, match="sinusoidal_positions: expected an even width, got 3"):
        F.sinusoidal_positions(4, 3)
    with pytest.raises(ShapeError, match="vectors at least twice as wide as there are angles"):
        F.apply_rotary(np.ones((2, 3)), np.ones((2, 2)))
