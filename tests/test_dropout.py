"""Dropout: how often, how much, whole channels, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid import nn
from lucid.errors import DTypeError, KeyReusedError, OptionError, ShapeError
from lucid.nn import dropout
from tests.layers import signature

KINDS = [(name, getattr(nn, name)) for name in dropout.__all__]
SHAPES = {"Dropout1d": (40, 50, 3), "Dropout3d": (40, 50, 1, 2, 3)}


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_layers(name: str, kind: Any) -> None:
    theirs = [p for p in signature(getattr(torch.nn, name)) if p[0] != "inplace"]
    assert signature(kind) == theirs  # nothing happens in place
    lucid.random.seed(0)
    layer, x = (
        kind(0.25),
        np.random.default_rng(0).standard_normal(SHAPES.get(name, (40, 50, 2, 3))),
    )
    y = layer(x).numpy()
    alpha = "Alpha" in name
    low = -1.7580993408473766
    limit = low * 0.75 / np.sqrt((low * low * 0.25 + 1) * 0.75) if alpha else 0
    dropped = np.isclose(y, limit)
    if name not in ("Dropout", "AlphaDropout"):
        whole = dropped.reshape(40, 50, -1)
        assert (whole == whole[..., :1]).all()
    assert dropped.mean() == pytest.approx(0.25, abs=0.04)
    if alpha:
        assert y.mean() == pytest.approx(0, abs=0.1)
        assert y.std() == pytest.approx(1, abs=0.1)
    else:
        np.testing.assert_allclose(y[~dropped], x[~dropped] / 0.75)
    assert not np.array_equal(y, layer(x).numpy())
    np.testing.assert_array_equal(layer.eval()(x).numpy(), x)
    assert repr(layer) == f"{name}(p=0.25)"


def test_keys_and_derivatives() -> None:
    x = np.ones(100, np.float32)
    with lucid.random.allow_key_reuse():
        k = lucid.random.key(3)
        y = F.dropout(x, 0.5, key=k)
        g = lucid.grad(lambda x: F.dropout(x, 0.5, key=k).sum())(x)
    assert y.dtype == g.dtype == np.float32
    np.testing.assert_array_equal(y.numpy(), g.numpy())
    with pytest.raises(KeyReusedError, match="split it first"):
        F.dropout(x, key=k)
    assert F.dropout(x, 1.0).sum().item() == 0
    assert F.alpha_dropout(x, 1.0, True).sum().item() == 0
    for f in (F.dropout, F.alpha_dropout):
        np.testing.assert_array_equal(f(x, 0.0, True).numpy(), x)
    assert F.dropout(x * 1j, 0.5).dtype == np.complex64
    keys = lucid.random.split(lucid.random.key(0), 4)
    each = lucid.vmap(lambda x, k: F.dropout(x, 0.5, key=k))(np.ones((4, 100)), keys)
    assert len({tuple(row) for row in each.tolist()}) == 4


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: F.dropout(np.ones(2), 1.5), OptionError, "dropout: expected a probability p from"),
        (lambda: nn.Dropout2d(-1), OptionError, "Dropout2d: expected a probability p .* got -1"),
        (lambda: F.dropout(np.arange(2)), DTypeError, "floating or complex input, got int64"),
        (lambda: F.dropout1d(np.ones(2)), ShapeError, r"dropout1d: expected an input with 2 or 3"),
        (lambda: F.feature_alpha_dropout(np.ones(2)), ShapeError, r"\(batch, channels, ...\)"),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
