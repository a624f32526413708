"""Whole models whose state goes from PyTorch through a file to lucid, and back.

Each model is written once, over a package that is `lucid.nn` or `torch.nn`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import lucid
from lucid import nn
from tests.layers import agree

RNG = np.random.default_rng(0)


def array(package: Any, value: Any) -> Any:
    """A constant, as the package wants it."""
    return lucid.asarray(value) if package is nn else torch.tensor(value)


# -- ResNet-18 -------------------------------------------------------------------------------------


def resnet(package: Any, width: int = 8, classes: int = 5) -> Any:
    """ResNet-18 with its names in torchvision, but narrower."""

    class Block(package.Module):
        def __init__(self, before: int, after: int, stride: int) -> None:
            super().__init__()
            self.conv1 = package.Conv2d(before, after, 3, stride, 1, bias=False)
            self.bn1 = package.BatchNorm2d(after)
            self.relu = package.ReLU()
            self.conv2 = package.Conv2d(after, after, 3, 1, 1, bias=False)
            self.bn2 = package.BatchNorm2d(after)
            self.downsample = None
            if stride > 1:
                conv = package.Conv2d(before, after, 1, stride, bias=False)
                self.downsample = package.Sequential(conv, package.BatchNorm2d(after))

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(y + (x if self.downsample is None else self.downsample(x)))

    class ResNet(package.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = package.Conv2d(3, width, 7, 2, 3, bias=False)
            self.bn1 = package.BatchNorm2d(width)
            self.relu = package.ReLU()
            self.maxpool = package.MaxPool2d(3, 2, 1)
            for k in range(4):
                before, after = width * 2 ** max(k - 1, 0), width * 2**k
                blocks = Block(before, after, 1 + (k > 0)), Block(after, after, 1)
                setattr(self, f"layer{k + 1}", package.Sequential(*blocks))
            self.avgpool = package.AdaptiveAvgPool2d((1, 1))
            self.flatten = package.Flatten()
            self.fc = package.Linear(8 * width, classes)

        def forward(self, x: Any) -> Any:
            x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(self.flatten(self.avgpool(x)))

    return ResNet()


# -- a bidirectional LSTM --------------------------------------------------------------------------


def tagger(package: Any, words: int = 11, tags: int = 4) -> Any:
    """Tags for words, from both sides."""

    class Tagger(package.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = package.Embedding(words, 6, padding_idx=0)
            options = {"bidirectional": True, "batch_first": True, "dropout": 0.5}
            self.lstm = package.LSTM(6, 5, num_layers=2, **options)
            self.dropout = package.Dropout(0.5)
            self.linear = package.Linear(10, tags)

        def forward(self, x: Any) -> Any:
            y, (h, c) = self.lstm(self.embedding(x))
            return self.linear(self.dropout(y)), h, c

    return Tagger()


# -- GPT -------------------------------------------------------------------------------------------


def gpt(package: Any, tied: bool, words: int = 13, length: int = 7, width: int = 12) -> Any:
    """A decoder of pre-normalised blocks, whose head may be the embedding."""

    class Block(package.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ln_1 = package.LayerNorm(width)
            self.attn = package.MultiheadAttention(width, 3, dropout=0.1, batch_first=True)
            self.ln_2 = package.LayerNorm(width)
            self.mlp = package.Sequential(
                package.Linear(width, 4 * width),
                package.GELU(approximate="tanh"),
                package.Linear(4 * width, width),
                package.Dropout(0.1),
            )

        def forward(self, x: Any, mask: Any) -> Any:
            y = self.ln_1(x)
            x = x + self.attn(y, y, y, attn_mask=mask, need_weights=False)[0]
            return x + self.mlp(self.ln_2(x))

    class GPT(package.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wte = package.Embedding(words, width)
            self.wpe = package.Embedding(length, width)
            self.drop = package.Dropout(0.1)
            self.h = package.ModuleList([Block() for _ in range(2)])
            self.ln_f = package.LayerNorm(width)
            self.lm_head = package.Linear(width, words, bias=False)
            if tied:
                self.lm_head.weight = self.wte.weight
            later = np.triu(np.ones((length, length), bool), 1)
            self.register_buffer("mask", array(package, later), persistent=False)
            places = array(package, np.arange(length))
            self.register_buffer("places", places, persistent=False)

        def forward(self, x: Any) -> Any:
            x = self.drop(self.wte(x) + self.wpe(self.places))
            for block in self.h:
                x = block(x, self.mask)
            return self.lm_head(self.ln_f(x))

    return GPT()


# -- there and back --------------------------------------------------------------------------------

MODELS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "resnet18": (resnet, RNG.standard_normal((4, 3, 40, 40))),
    "lstm": (tagger, RNG.integers(0, 11, (3, 8))),
    "gpt": (lambda package: gpt(package, tied=False), RNG.integers(0, 13, (2, 7))),
    "gpt-tied": (lambda package: gpt(package, tied=True), RNG.integers(0, 13, (2, 7))),
}


def drawn(state: Any) -> dict[str, Any]:
    """Random weights, not too large, and variances that are positive."""
    values: dict[str, Any] = {}
    for name, old in state.items():
        shape = tuple(old.shape)
        if not shape:
            values[name] = np.array(3)  # num_batches_tracked
        elif name.endswith("running_var"):
            values[name] = 0.5 + RNG.random(shape)
        else:
            fan = np.prod(shape[1:]) if len(shape) > 1 else 4
            values[name] = RNG.standard_normal(shape) / np.sqrt(fan)
    return values


def from_pytorch(ours: Any, theirs: Any, path: Path) -> None:
    values = drawn(theirs.state_dict())
    theirs.load_state_dict({k: torch.tensor(v) for k, v in values.items()})
    state = {k: v.clone() for k, v in theirs.state_dict().items()}  # ties are refused there
    safetensors.torch.save_file(state, path)
    assert ours.load_state_dict(lucid.load(path)) == ([], [])


def to_pytorch(ours: Any, theirs: Any, path: Path) -> None:
    ours.load_state_dict(drawn(ours.state_dict()))
    lucid.save(path, ours.state_dict())
    theirs.load_state_dict(safetensors.torch.load_file(path))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("way", [from_pytorch, to_pytorch])
def test_state_goes_through_files(name: str, way: Any, tmp_path: Path) -> None:
    make, x = MODELS[name]
    ours, theirs = make(nn), make(torch.nn).double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    way(ours, theirs, tmp_path / "model.safetensors")
    for key, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[key].numpy(), value.numpy())
        assert str(ours.state_dict()[key].dtype) == str(value.dtype).removeprefix("torch.")
    agree(ours.eval(), theirs.eval(), x, tol=1e-10)


def test_resnet18_trains_alike(tmp_path: Path) -> None:
    make, x = MODELS["resnet18"]
    ours, theirs = make(nn), make(torch.nn).double()
    from_pytorch(ours, theirs, tmp_path / "model.safetensors")
    agree(ours, theirs, x, tol=1e-8)
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.numpy(), rtol=1e-10)


def test_a_tied_head_stays_tied(tmp_path: Path) -> None:
    ours, theirs = gpt(nn, tied=True), gpt(torch.nn, tied=True).double()
    from_pytorch(ours, theirs, tmp_path / "model.safetensors")
    assert ours.lm_head.weight is ours.wte.weight
    assert sum(p.size for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
