"""Resampling and grids against PyTorch, and what they refuse."""

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
from tests.layers import RNG, agree, signature

quick = settings(max_examples=60, deadline=None, derandomize=True)
flags = st.booleans()
LINEAR = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}


@pytest.mark.parametrize("name", ["Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"])
def test_signatures_are_those_of_pytorch(name: str) -> None:
    assert signature(getattr(nn, name)) == signature(getattr(torch.nn, name))


@quick
@given(st.data(), st.integers(1, 3), flags, flags, flags)
def test_interpolate(data: Any, rank: int, by_size: bool, corners: bool, again: bool) -> None:
    mode = data.draw(st.sampled_from(["nearest", "nearest-exact", "area", *LINEAR[rank]]))
    options: dict[str, Any] = {"mode": mode}
    if mode in LINEAR[rank]:
        options["align_corners"] = corners
    if mode.startswith("bi") and not corners and by_size:
        options["antialias"] = again
    if by_size:
        options["size"] = tuple(data.draw(st.integers(1, 9)) for _ in range(rank))
    else:
        options["scale_factor"] = data.draw(st.sampled_from([2.0, 0.5, 1.5, 0.3, 3.0]))
        options["recompute_scale_factor"] = again
    x = RNG.standard_normal((2, 3, *(5, 4, 6)[:rank]))
    agree(lambda x: F.interpolate(x, **options), lambda x: TF.interpolate(x, **options), x)


@quick
@given(
    st.sampled_from(["bilinear", "nearest", "bicubic"]),
    st.sampled_from(["zeros", "border", "reflection"]),
    flags,
    flags,
)
def test_grid_sample(mode: str, padding: str, corners: bool, volume: bool) -> None:
    rank = 3 if volume and mode != "bicubic" else 2
    x = RNG.standard_normal((2, 3, *(4, 5, 3)[:rank]))
    grid = 1.4 * RNG.standard_normal((2, *(3, 2, 4)[:rank], rank))
    agree(
        lambda x, g: F.grid_sample(x, g, mode, padding, corners),
        lambda x, g: TF.grid_sample(x, g, mode, padding, corners),
        *(x, grid),
    )


@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid:UserWarning")
@pytest.mark.parametrize("corners", [True, False])
@pytest.mark.parametrize("size", [(2, 1, 4, 3), (2, 1, 1, 2), (2, 1, 4, 3, 2)])
def test_affine_grid(corners: bool, size: Any) -> None:
    rank = len(size) - 2
    agree(
        lambda t: F.affine_grid(t, size, corners),
        lambda t: TF.affine_grid(t, list(size), corners),
        RNG.standard_normal((2, rank, rank + 1)),
    )


def test_layers_and_batches() -> None:
    x = RNG.standard_normal((2, 3, 4, 4))
    for ours, theirs in (
        (nn.Upsample(scale_factor=2, mode="bilinear"), torch.nn.Upsample(None, 2, "bilinear")),
        (nn.UpsamplingNearest2d(7), torch.nn.UpsamplingNearest2d(7)),
        (nn.UpsamplingBilinear2d(scale_factor=1.5), torch.nn.UpsamplingBilinear2d(None, 1.5)),
    ):
        agree(ours, theirs, x)
    assert repr(nn.Upsample(3)) == "Upsample(size=3, mode='nearest')"
    assert repr(nn.Upsample(scale_factor=2)) == "Upsample(scale_factor=2, mode='nearest')"
    each = lucid.vmap(lambda x: F.interpolate(x, 6, mode="bicubic"))(x[:, None])
    np.testing.assert_allclose(each[:, 0].numpy(), F.interpolate(x, 6, mode="bicubic").numpy())
    grid = RNG.uniform(-1, 1, (2, 1, 3, 3, 2))
    many = lucid.vmap(F.grid_sample)(x[:, None], grid)
    np.testing.assert_allclose(many[:, 0].numpy(), F.grid_sample(x, grid[:, 0]).numpy())
    assert F.interpolate(x.astype(np.float32), 6, mode="bicubic").dtype == np.float32


X = np.ones((1, 1, 3, 3))
G = np.zeros((1, 2, 2, 2))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: F.interpolate(X),
            OptionError,
            "interpolate: expected size or scale_factor, got nei",
        ),
        (lambda: F.interpolate(X, 2, 2.0), OptionError, "got both"),
        (
            lambda: F.interpolate(X, (2, 2, 2)),
            OptionError,
            "2 of them, that give one place or more",
        ),
        (lambda: F.interpolate(X, scale_factor=0.1), OptionError, "one place or more, got 0.1"),
        (
            lambda: F.interpolate(X, 2, mode="linear"),
            ShapeError,
            "as many axes of places as 'linear'",
        ),
        (lambda: F.interpolate(X[0, 0], 2), ShapeError, r"\(batch, channels, ...\)"),
        (
            lambda: F.interpolate(X, 2, mode="spline"),
            OptionError,
            "mode nearest, nearest-exact, area",
        ),
        (
            lambda: F.interpolate(X, 2, align_corners=True),
            OptionError,
            "align_corners=None in mode",
        ),
        (lambda: F.interpolate(X, 2, antialias=True), OptionError, 'antialias in modes "bilinear"'),
        (
            lambda: F.interpolate(X.astype(int), 2),
            DTypeError,
            "a floating or complex input, got int",
        ),
        (lambda: F.affine_grid(X, (1, 1, 3, 3)), ShapeError, r"maps of shape \(batch, 2, 3\)"),
        (lambda: F.grid_sample(X, G[0]), ShapeError, r"a grid of shape \(batch, ..., 2\)"),
        (lambda: F.grid_sample(X, G, "linear"), OptionError, 'mode "bilinear", "nearest" or'),
        (lambda: F.grid_sample(X, G, padding_mode="x"), OptionError, 'padding_mode "zeros"'),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
