"""Convolutions, folding and padding against PyTorch, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as TF  # noqa: N812 - the usual name
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid.errors import OptionError, ShapeError

quick = settings(max_examples=40, deadline=None, derandomize=True)
ranks = st.integers(1, 3)
RNG = np.random.default_rng(0)


def compare(ours: Any, theirs: Any, *arrays: Any) -> None:
    """The same values and gradients as PyTorch, in double precision."""
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    want = theirs(*tensors)
    ct = RNG.standard_normal(tuple(want.shape))
    grads = torch.autograd.grad(want, tensors, torch.tensor(ct))
    got, pull = lucid.vjp(ours, *arrays)
    np.testing.assert_allclose(got.numpy(), want.detach().numpy(), rtol=1e-8, atol=1e-8)
    for g, w in zip(pull(ct), grads, strict=True):
        np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-8, atol=1e-8)


def ints(draw: Any, rank: int, lo: int, hi: int) -> tuple[int, ...]:
    return tuple(draw(st.integers(lo, hi)) for _ in range(rank))


@st.composite
def cases(draw: Any) -> Any:
    """Rank, image, two of the kernel's sizes, and options."""
    rank = draw(ranks)
    groups = draw(st.integers(1, 3))
    ins, outs = draw(st.integers(1, 3)) * groups, draw(st.integers(1, 3)) * groups
    sizes, window = ints(draw, rank, 3, 7), ints(draw, rank, 1, 3)
    batch = draw(st.sampled_from([(), (2,), (0,)]))
    plain = draw(st.booleans())  # the way that goes along whole rows
    options = {
        "stride": (1,) * rank if plain else ints(draw, rank, 1, 3),
        "padding": ints(draw, rank, 0, 2),
        "dilation": ints(draw, rank, 1, 2),
        "groups": groups,
    }
    return rank, (*batch, ins, *sizes), (ins, outs, groups), window, options


@quick
@given(cases(), st.booleans())
def test_conv_is_that_of_pytorch(case: Any, biased: bool) -> None:
    rank, shape, (ins, outs, groups), window, options = case
    every = zip(shape[-rank:], options["padding"], window, options["dilation"], strict=True)
    assume(all(n + 2 * p > (k - 1) * d for n, p, k, d in every))
    arrays = [shape, (outs, ins // groups, *window), (outs,)][: 2 + biased]
    compare(
        lambda *a: getattr(F, f"conv{rank}d")(*a, **options),
        lambda *a: getattr(TF, f"conv{rank}d")(*a, **options),
        *(RNG.standard_normal(s) for s in arrays),
    )


@quick
@given(cases(), st.booleans(), st.integers(0, 2))
def test_conv_transpose_is_that_of_pytorch(case: Any, biased: bool, more: int) -> None:
    rank, shape, (ins, outs, groups), window, options = case
    limits = zip(options["stride"], options["dilation"], strict=True)
    extra = tuple(min(more, max(s, d) - 1) for s, d in limits)
    names = ("stride", "padding", "dilation")
    every = zip(shape[-rank:], window, *(options[k] for k in names), extra, strict=True)
    assume(all((n - 1) * s - 2 * p + (k - 1) * d + o >= 0 for n, k, s, p, d, o in every))
    arrays = [shape, (ins, outs // groups, *window), (outs,)][: 2 + biased]
    options = {**options, "output_padding": extra}
    compare(
        lambda *a: getattr(F, f"conv_transpose{rank}d")(*a, **options),
        lambda *a: getattr(TF, f"conv_transpose{rank}d")(*a, **options),
        *(RNG.standard_normal(s) for s in arrays),
    )


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("window", [(2, 3), (1, 4), (5, 5)])
def test_padding_by_name(padding: str, window: Any) -> None:
    x, w = RNG.standard_normal((2, 3, 9, 10)), RNG.standard_normal((4, 3, *window))
    options = {"padding": padding, "dilation": (2, 1)}
    compare(lambda *a: F.conv2d(*a, **options), lambda *a: TF.conv2d(*a, **options), x, w)


@pytest.mark.parametrize("shape", [(32, 1, 28, 28), (32, 16, 26, 26), (8, 24, 9, 9)])
def test_images_of_many_chunks(shape: Any) -> None:
    """More columns than are made at a time, by all ways of computing."""
    for filters in (2, 32):
        x, w = RNG.standard_normal(shape), RNG.standard_normal((filters, shape[1], 3, 3))
        compare(lambda *a: F.conv2d(*a, padding=1), lambda *a: TF.conv2d(*a, padding=1), x, w)
        compare(lambda *a: F.conv2d(*a, stride=2), lambda *a: TF.conv2d(*a, stride=2), x, w)


def test_integers_and_complex_numbers() -> None:
    x, w = RNG.integers(-5, 5, (2, 5, 5)), RNG.integers(-5, 5, (3, 2, 2, 2))
    got = F.conv2d(x, w)
    assert got.dtype == np.int64
    want = TF.conv2d(torch.tensor(x, dtype=torch.float64), torch.tensor(w, dtype=torch.float64))
    np.testing.assert_array_equal(got.numpy(), want.numpy())
    a, b = x + 1j * x[::-1], w - 2j * w
    want = TF.conv2d(torch.tensor(a), torch.tensor(b))
    np.testing.assert_allclose(F.conv2d(a, b).numpy(), want.numpy())


def test_per_example_gradients() -> None:
    x, w = RNG.standard_normal((4, 2, 5, 5)), RNG.standard_normal((3, 2, 3, 3))

    def loss(w: Any, x: Any) -> Any:
        return (F.conv2d(x, w) ** 2).sum()

    got = lucid.vmap(lucid.grad(loss), in_axes=(None, 0))(w, x)
    for k in range(4):
        np.testing.assert_allclose(got[k].numpy(), lucid.grad(loss)(w, x[k]).numpy())


def test_second_derivative_is_that_of_pytorch() -> None:
    x, w = RNG.standard_normal((2, 2, 4, 4)), RNG.standard_normal((2, 2, 2, 2))

    def ours(x: Any, w: Any) -> Any:
        return (lucid.tanh(F.conv2d(x, w, stride=2, padding=1)) ** 2).sum()

    def theirs(w: Any) -> Any:
        return (torch.tanh(TF.conv2d(torch.tensor(x), w, stride=2, padding=1)) ** 2).sum()

    got = lucid.hessian(lambda w: ours(x, w))(w)
    want = torch.autograd.functional.hessian(theirs, torch.tensor(w))
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-8, atol=1e-8)


# -- folding and moving ----------------------------------------------------------------------------


@quick
@given(st.data())
def test_unfold_and_fold_are_those_of_pytorch(data: Any) -> None:
    sizes = ints(data.draw, 2, 3, 7)
    names = ("kernel_size", "dilation", "padding", "stride")
    ranges = ((1, 3), (1, 2), (0, 2), (1, 3))
    options = {k: ints(data.draw, 2, *r) for k, r in zip(names, ranges, strict=True)}
    every = zip(sizes, *(options[k] for k in names), strict=True)
    assume(all(n + 2 * p > (k - 1) * d for n, k, d, p, _ in every))
    x = RNG.standard_normal((*data.draw(st.sampled_from([(), (2,)])), 3, *sizes))
    compare(lambda x: F.unfold(x, **options), lambda x: TF.unfold(x, **options), x)
    y = F.unfold(x, **options).numpy()
    compare(lambda y: F.fold(y, sizes, **options), lambda y: TF.fold(y, sizes, **options), y)


def test_shuffles_are_those_of_pytorch() -> None:
    x = RNG.standard_normal((2, 8, 4, 6))
    compare(lambda x: F.pixel_shuffle(x, 2), lambda x: TF.pixel_shuffle(x, 2), x)
    compare(lambda x: F.pixel_unshuffle(x, 2), lambda x: TF.pixel_unshuffle(x, 2), x)
    want = TF.channel_shuffle(torch.tensor(x), 4)
    np.testing.assert_array_equal(F.channel_shuffle(x, 4).numpy(), want.numpy())


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("widths", [(1, 2), (2, 0, 1, 3), (0, 1, 2, 2, 1, 0)])
def test_pad_is_that_of_pytorch(mode: str, widths: Any) -> None:
    x = RNG.standard_normal((2, 3, *(4, 5, 4)[: len(widths) // 2]))
    compare(lambda x: F.pad(x, widths, mode), lambda x: TF.pad(x, widths, mode), x)


def test_pad_cuts_off_and_fills() -> None:
    x = RNG.standard_normal((3, 4, 5))
    compare(
        lambda x: F.pad(x, (-1, 2, 1, -2), value=1.5),
        lambda x: TF.pad(x, (-1, 2, 1, -2), value=1.5),
        x,
    )


# -- refusals --------------------------------------------------------------------------------------

X, W = np.zeros((1, 4, 5, 5)), np.zeros((6, 4, 3, 3))
REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "axes": (
        lambda: F.conv2d(X[0, 0], W),
        ShapeError,
        r"conv2d: expected an input with 4 axes, or 3 without a batch, got shape \(5, 5\)",
    ),
    "channels": (
        lambda: F.conv2d(X[:, :3], W),
        ShapeError,
        r"conv2d: expected an input and a weight \(out, in // groups, ...\) that fit for groups=1, "
        r"got shapes \(1, 3, 5, 5\) and \(6, 4, 3, 3\)",
    ),
    "weight": (
        lambda: F.conv2d(X, W[0]),
        ShapeError,
        r"conv2d: expected a weight of shape \(out, in // groups, \*window\), not empty, "
        r"got shape \(4, 3, 3\)",
    ),
    "bias": (
        lambda: F.conv2d(X, W, np.zeros(4)),
        ShapeError,
        r"conv2d: expected a bias of shape \(6,\), got \(4,\)",
    ),
    "groups": (
        lambda: F.conv2d(X, W, groups=0),
        OptionError,
        "conv2d: expected groups of 1 or more, got 0",
    ),
    "stride": (
        lambda: F.conv2d(X, W, stride=(1, 2, 3)),
        OptionError,
        r"conv2d: expected stride of 1 or more, one number or 2, got \(1, 2, 3\)",
    ),
    "a fraction": (
        lambda: F.conv2d(X, W, stride=1.5),
        OptionError,
        "conv2d: expected an integer or 2 of them as stride, got 1.5",
    ),
    "same": (
        lambda: F.conv2d(X, W, stride=2, padding="same"),
        OptionError,
        r'conv2d: expected a stride of 1 for padding="same", got \(2, 2\)',
    ),
    "padding": (
        lambda: F.conv2d(X, W, padding="full"),
        OptionError,
        'conv2d: expected padding "valid", "same" or integers, got \'full\'',
    ),
    "too large": (
        lambda: F.conv2d(X, W, dilation=3),
        ShapeError,
        r"conv2d: expected an input that, padded, holds a window of \(7, 7\) places, "
        r"got \(5, 5\) places",
    ),
    "output_padding": (
        lambda: F.conv_transpose2d(X, np.zeros((4, 2, 3, 3)), output_padding=1),
        OptionError,
        r"conv_transpose2d: expected output_padding less than stride or dilation, got \(1, 1\)",
    ),
    "nothing left": (
        lambda: F.conv_transpose1d(X[0, :, :, 0], np.zeros((4, 2, 1)), padding=3),
        ShapeError,
        r"conv_transpose1d: expected a result with at least one place along each axis, "
        r"got \(-1,\) places",
    ),
    "transposed channels": (
        lambda: F.conv_transpose2d(X, W),
        ShapeError,
        r"conv_transpose2d: expected an input and a weight \(in, out // groups, ...\) that fit",
    ),
    "unfold": (
        lambda: F.unfold(X, 6),
        ShapeError,
        r"unfold: expected an image that, padded, holds a window of \(6, 6\), "
        r"got height and width \(5, 5\)",
    ),
    "fold": (
        lambda: F.fold(np.zeros((1, 9, 5)), 4, 3),
        ShapeError,
        r"fold: expected an input of shape \(batch, channels·9, 4\), or without the batch, "
        r"got shape \(1, 9, 5\)",
    ),
    "pixel_shuffle": (
        lambda: F.pixel_shuffle(X, 3),
        ShapeError,
        r"pixel_shuffle: expected a number of channels divisible by 9, got shape \(1, 4, 5, 5\)",
    ),
    "pixel_unshuffle": (
        lambda: F.pixel_unshuffle(X, 2),
        ShapeError,
        r"pixel_unshuffle: expected height and width divisible by 2, got shape \(1, 4, 5, 5\)",
    ),
    "channel_shuffle": (
        lambda: F.channel_shuffle(X, 3),
        ShapeError,
        r"channel_shuffle: expected a number of channels divisible by 3, got shape \(1, 4, 5, 5\)",
    ),
    "too few axes": (
        lambda: F.pixel_shuffle(X[0, 0], 2),
        ShapeError,
        r"pixel_shuffle: expected an input with at least 3 axes, got shape \(5, 5\)",
    ),
    "pad: odd": (
        lambda: F.pad(X, (1, 2, 3)),
        OptionError,
        r"pad: expected two widths for each axis, got \(1, 2, 3\)",
    ),
    "pad: many": (
        lambda: F.pad(X[0, 0, 0], (1, 2, 3, 4)),
        ShapeError,
        r"pad: expected at most 2 widths for shape \(5,\), got \(1, 2, 3, 4\)",
    ),
    "pad: cut": (
        lambda: F.pad(X, (-3, -3)),
        ShapeError,
        r"pad: expected no more cut off than \(5,\), got \(-3, -3\)",
    ),
    "pad: mode": (
        lambda: F.pad(X, (1, 1), "edge"),
        OptionError,
        'pad: expected mode "constant", "reflect", "replicate" or "circular", got \'edge\'',
    ),
    "pad: value": (
        lambda: F.pad(X, (1, 1), "reflect", 1.0),
        OptionError,
        "pad: expected no value in mode 'reflect', got 1.0",
    ),
    "pad: reflect": (
        lambda: F.pad(X, (5, 1), "reflect"),
        ShapeError,
        "pad: expected widths of at most 4 in mode 'reflect' along an axis of length 5, "
        "got 5 and 1",
    ),
}


@pytest.mark.parametrize(("call", "error", "said"), REFUSED.values(), ids=REFUSED)
def test_refusals(call: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        call()
