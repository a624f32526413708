"""Layers of windows: signatures, parameters and outputs are PyTorch's; lazy ones become others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import lucid
from lucid import functional, nn
from lucid.errors import OptionError, ShapeError, UnsupportedError
from lucid.nn import conv, fold, fractional_pool, padding, pooling
from tests.layers import agree, share, signature

RNG = np.random.default_rng(0)
LAYERS = [name for m in (conv, fold, fractional_pool, padding, pooling) for name in m.__all__]


@pytest.mark.parametrize("name", LAYERS)
def test_signatures_are_those_of_pytorch(name: str) -> None:
    assert signature(getattr(nn, name)) == signature(getattr(torch.nn, name))


SAMPLES = RNG.random((2, 3, 3))


# (name, arguments, options, shape of the input)
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("Conv1d", (4, 6, 3), {"stride": 2, "groups": 2}, (2, 4, 9)),
    ("Conv2d", (3, 5, (3, 2)), {"padding": "same", "bias": False}, (2, 3, 6, 7)),
    ("Conv2d", (3, 5, 3), {"padding": (1, 2), "padding_mode": "reflect"}, (3, 6, 7)),
    ("Conv2d", (3, 5, 3), {"padding": (1, 2), "padding_mode": "replicate"}, (2, 3, 6, 7)),
    ("Conv2d", (3, 5, 4), {"padding": "same", "padding_mode": "circular"}, (2, 3, 6, 7)),
    ("Conv3d", (2, 3, 2), {"dilation": (1, 2, 1)}, (1, 2, 4, 5, 4)),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 3, "output_padding": 2}, (2, 4, 5)),
    ("ConvTranspose2d", (4, 6, 3), {"groups": 2, "dilation": 2, "padding": 1}, (2, 4, 5, 5)),
    ("ConvTranspose3d", (2, 3, 2), {"bias": False}, (1, 2, 3, 3, 3)),
    ("MaxPool1d", (3,), {"padding": 1}, (2, 3, 8)),
    ("MaxPool2d", (3, 2), {"dilation": 2, "ceil_mode": True}, (2, 3, 8, 9)),
    ("MaxPool3d", ((2, 1, 2),), {}, (2, 4, 5, 6)),
    ("AvgPool1d", (3, 1), {"padding": 1}, (2, 3, 8)),
    ("AvgPool2d", (2,), {"divisor_override": 3}, (2, 3, 8, 9)),
    ("AvgPool3d", (2,), {"padding": 1, "count_include_pad": False}, (2, 4, 5, 6)),
    ("LPPool1d", (2, 3), {}, (2, 3, 8)),
    ("LPPool2d", (1.0, 3, 2), {"ceil_mode": True}, (2, 3, 8, 8)),
    ("LPPool3d", (2, 2), {}, (2, 4, 5, 6)),
    ("AdaptiveAvgPool1d", (3,), {}, (2, 3, 8)),
    ("AdaptiveAvgPool2d", ((None, 3),), {}, (2, 3, 8, 9)),
    ("AdaptiveAvgPool3d", (2,), {}, (2, 4, 5, 6)),
    ("AdaptiveMaxPool1d", (3,), {}, (2, 3, 8)),
    ("AdaptiveMaxPool2d", ((None, 3),), {}, (2, 3, 8, 9)),
    ("AdaptiveMaxPool3d", (2,), {}, (2, 4, 5, 6)),
    ("FractionalMaxPool2d", (2, (4, 3), None, False, SAMPLES[..., :2]), {}, (2, 3, 9, 7)),
    ("FractionalMaxPool3d", (2, None, (0.5, 0.3, 0.7), False, SAMPLES), {}, (2, 3, 9, 7, 8)),
    ("Unfold", (3,), {"padding": 1}, (2, 3, 5, 5)),
    ("Fold", (5, 3), {"padding": 1}, (2, 18, 25)),
    ("PixelShuffle", (2,), {}, (8, 3, 3)),
    ("PixelUnshuffle", (2,), {}, (2, 4, 6)),
    ("ChannelShuffle", (2,), {}, (2, 4, 3)),
    *((f"ZeroPad{r}d", (1,), {}, (2, 3, *(4, 5, 6)[:r])) for r in (1, 2, 3)),
    *((f"ConstantPad{r}d", (2, 1.5), {}, (2, 3, *(4, 5, 6)[:r])) for r in (1, 2, 3)),
    *((f"ReflectionPad{r}d", (1,), {}, (2, 3, *(4, 5, 6)[:r])) for r in (1, 2, 3)),
    *((f"ReplicationPad{r}d", (3,), {}, (2, 3, *(4, 5, 6)[:r])) for r in (1, 2, 3)),
    *((f"CircularPad{r}d", ((2, 1) * r,), {}, (2, 3, *(4, 5, 6)[:r])) for r in (1, 2, 3)),
]


@pytest.mark.parametrize(
    ("name", "args", "options", "shape"), CASES, ids=[f"{c[0]}-{k}" for k, c in enumerate(CASES)]
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_outputs_and_gradients_are_those_of_pytorch(
    name: str, args: Any, options: Any, shape: Any
) -> None:
    ours = getattr(nn, name)(*args, **options)
    given = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    theirs = getattr(torch.nn, name)(*given, **options).double()
    share(ours, theirs)
    agree(ours, theirs, np.abs(RNG.standard_normal(shape)))
    assert repr(ours).startswith(f"{name}(")


def test_unpooling_undoes_pooling() -> None:
    for rank in (1, 2, 3):
        x = RNG.standard_normal((2, 3, *(5, 6, 7)[:rank]))
        values, places = getattr(nn, f"MaxPool{rank}d")(2, return_indices=True)(x)
        y = getattr(nn, f"MaxUnpool{rank}d")(2)(values, places, x.shape)
        assert y.shape == x.shape
        assert float(y.sum()) == pytest.approx(float(values.sum()))


@pytest.mark.parametrize(
    ("sizes", "window", "wanted"),
    [
        ((9, 7), 2, (4, 3)),
        ((9, 7), (3, 2), (1, 6)),
        ((9, 7, 5), (2, 3, 2), (5, 3, 3)),
        ((4,) * 3, 2, 1),
    ],
)
@pytest.mark.parametrize("lead", [(2, 3), (3,)])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_fractional_pooling(sizes: Any, window: Any, wanted: Any, lead: Any, dtype: str) -> None:
    rank = len(sizes)
    x = RNG.standard_normal((*lead, *sizes)).astype(dtype)
    u = RNG.random((*lead, rank) if len(lead) == 2 else (1, *lead, rank)).astype(dtype)
    options = {"kernel_size": window, "output_size": wanted, "return_indices": True}
    ours = getattr(nn, f"FractionalMaxPool{rank}d")(**options, _random_samples=u)
    theirs = getattr(torch.nn, f"FractionalMaxPool{rank}d")(
        **options, _random_samples=torch.tensor(u)
    )
    agree(ours, theirs, x, tol=1e-5 if dtype == "f4" else 1e-8)
    places = theirs(torch.tensor(x))[1].numpy()
    np.testing.assert_array_equal(ours(x)[1].numpy(), places)


def test_fractional_pooling_draws() -> None:
    layer = nn.FractionalMaxPool2d(2, output_ratio=0.6)
    x = RNG.standard_normal((2, 3, 20, 20))
    first, second = layer(x), layer(x)
    assert first.shape == (2, 3, 12, 12)
    assert not (first == second).all()
    pool = functional.fractional_max_pool2d

    def draw(x: Any, key: Any) -> Any:
        return pool(x, 2, 12, key=key)

    same = [f(x, lucid.random.key(3)) for f in (draw, lucid.jit(draw))]
    np.testing.assert_array_equal(same[0].numpy(), same[1].numpy())
    u = RNG.random((4, 3, 2))
    each = lucid.vmap(lambda x, u: pool(x, 2, 5, None, False, u))(x[:1].repeat(4, 0), u)
    both = pool(x[:1].repeat(4, 0), 2, 5, None, False, u)
    np.testing.assert_array_equal(each.numpy(), both.numpy())
    lucid.check_grads(lambda x: pool(x, 2, (3, 4), None, False, u[0]), (x[0, :, :6, :5],), order=2)


def test_output_size_of_a_transposed_convolution() -> None:
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    assert layer(lucid.ones((1, 2, 4, 4))).shape == (1, 3, 7, 7)
    assert layer(lucid.ones((1, 2, 4, 4)), output_size=(8, 7)).shape == (1, 3, 8, 7)
    want = r"expected an output_size from \(7, 7\) to \(8, 8\), got \(9, 7\)"
    with pytest.raises(OptionError, match=want):
        layer(lucid.ones((1, 2, 4, 4)), output_size=(9, 7))
    want = r"conv_transpose2d: expected an output_size of 2 numbers, got \(8,\)"
    with pytest.raises(OptionError, match=want):
        layer(lucid.ones((1, 2, 4, 4)), output_size=(8,))


def test_parameters_are_drawn_as_in_pytorch() -> None:
    lucid.random.seed(0)
    for layer, fan_in in ((nn.Conv2d(8, 40, 3), 72), (nn.ConvTranspose2d(8, 40, 3), 360)):
        bound = fan_in**-0.5
        for p in layer.parameters():
            entries = p.data.numpy()
            assert abs(entries).max() <= bound
            assert abs(entries).max() > 0.85 * bound
            assert abs(entries.mean()) < 0.3 * bound


def test_refusals() -> None:
    want = "Conv2d: expected groups that divide in_channels and out_channels, got 2, 3 and 4"
    with pytest.raises(OptionError, match=want):
        nn.Conv2d(3, 4, 3, groups=2)
    want = 'Conv1d: expected padding_mode "zeros" or "reflect" or "replicate" or "circular"'
    with pytest.raises(OptionError, match=want):
        nn.Conv1d(3, 4, 3, padding_mode="edge")
    with pytest.raises(OptionError, match="Pool2d: expected either output_size or output_ratio, g"):
        nn.FractionalMaxPool2d(3)
    pool = functional.fractional_max_pool2d
    with pytest.raises(OptionError, match="expected either output_size or output_ratio, got both"):
        pool(np.ones((1, 5, 5)), 2, 2, 0.5)
    with pytest.raises(OptionError, match="expected output_ratio between 0 and 1, one number or 2"):
        pool(np.ones((1, 5, 5)), 2, None, (0.5, 1.0))
    want = (
        r"an input that holds \(4, 5\) different windows of \(2, 2\) places, got axes of \(5, 5\)"
    )
    with pytest.raises(ShapeError, match=want):
        pool(np.ones((1, 5, 5)), 2, (4, 5))
    with pytest.raises(ShapeError, match=r"_random_samples of shape \(1, 2\), got shape \(2,\)"):
        pool(np.ones((1, 5, 5)), 2, 2, None, False, np.ones(2))
    with pytest.raises(OptionError, match='ConvTranspose1d: expected padding_mode "zeros", got'):
        nn.ConvTranspose1d(3, 4, 3, padding_mode="reflect")


# -- lazy ones -------------------------------------------------------------------------------------


def test_a_lazy_layer_becomes_an_ordinary_one() -> None:
    model = nn.Sequential(
        nn.LazyConv2d(4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2, bias=False)
    )
    assert "LazyConv2d(4, 3, padding=1)" in repr(model)
    model.eval()
    x = RNG.standard_normal((5, 3, 6, 6))
    assert model(x).shape == (5, 2)
    assert [type(m).__name__ for m in model] == ["Conv2d", "ReLU", "Flatten", "Linear"]
    assert [p.shape for p in model.parameters()] == [(4, 3, 3, 3), (4,), (2, 144)]
    assert not any(m.training for m in model.modules())
    grads = lucid.grad(lambda m: (m(x) ** 2).sum())(model)
    assert grads[0].weight.shape == (4, 3, 3, 3)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_lazy_convolutions(rank: int) -> None:
    x = np.ones((3, *(4,) * rank))
    for name in ("Conv", "ConvTranspose"):
        layer = getattr(nn, f"Lazy{name}{rank}d")(6, 2, groups=3)
        layer(x)
        assert type(layer) is getattr(nn, f"{name}{rank}d")
        assert layer.in_channels == 3


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_lazy_norms(rank: int) -> None:
    x = RNG.standard_normal((4, 3, *(4, 2, 3)[:rank]))
    for name in ("BatchNorm", "InstanceNorm"):
        ours = getattr(nn, f"Lazy{name}{rank}d")(momentum=0.4)
        theirs = getattr(torch.nn, f"Lazy{name}{rank}d")(momentum=0.4, dtype=torch.float64)
        for _ in range(2):
            got, want = ours(x), theirs(torch.tensor(x))
            np.testing.assert_allclose(got.numpy(), want.detach().numpy(), rtol=1e-10, atol=1e-12)
        assert type(ours) is getattr(nn, f"{name}{rank}d")
        assert ours.num_features == 3
        state = {k: v.numpy() for k, v in theirs.state_dict().items()}
        assert list(ours.state_dict()) == list(state)
        for k, v in ours.state_dict().items():
            np.testing.assert_allclose(v.numpy(), state[k], rtol=1e-10)
    with pytest.raises(ShapeError, match="LazyBatchNorm1d: expected an input with at least 2 axes"):
        nn.LazyBatchNorm1d()(np.ones(3))


def test_lazy_layers_tell_that_they_have_no_parameters_yet() -> None:
    layer = nn.LazyLinear(3)
    unbuilt = "LazyLinear: expected a layer that knows how many inputs it has, got "
    hint = "; call the model on an example first"
    with pytest.raises(UnsupportedError, match=unbuilt + "one that was never called" + hint):
        list(nn.Sequential(layer).parameters())
    with pytest.raises(UnsupportedError, match=unbuilt + "one that was never called"):
        lucid.grad(lambda m: m(np.ones((1, 2))).sum())(layer)
    with pytest.raises(UnsupportedError, match=unbuilt + r"one first called inside grad"):
        lucid.grad(lambda x: layer(x).sum())(np.ones((1, 2)))
    with pytest.raises(ShapeError, match="LazyConv2d: expected an input with at least 3 axes"):
        nn.LazyConv2d(3, 2)(np.ones((2, 2)))
    with pytest.raises(TypeError, match="out_channels"):
        nn.LazyConv1d(kernel_size=2)
