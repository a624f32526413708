"""ONNX: what lucid exports, another runtime computes alike."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import lucid
from lucid import errors, functional, nn
from lucid.io import export_onnx

RNG = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


def run(path: Path, *arrays: Any) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))


def check(path: Path, model: Any, *arrays: Any) -> None:
    """Compare the runtime's outputs with lucid's: equal to some units in the last place."""
    args = tuple(map(lucid.asarray, arrays))
    export_onnx(model, args, path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    want = lucid.tree.leaves(model(*args))
    got = run(path, *arrays)
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        value = b.detach().numpy()
        assert a.dtype == value.dtype
        assert a.shape == value.shape
        if a.dtype.kind == "f":
            finite = np.abs(value[np.isfinite(value)])
            scale = float(finite.max()) if finite.size else 1.0
            np.testing.assert_allclose(a, value, rtol=2e-5, atol=2e-6 * scale)
        else:
            np.testing.assert_array_equal(a, value)


class Net(nn.Module):
    """A convolutional network with most layers that are common."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.second = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=4)
        self.norm = nn.GroupNorm(2, 8)
        self.pool = nn.AvgPool2d(2)
        self.head = nn.Linear(32, 5)

    def forward(self, x: Any) -> Any:
        x = self.first(x)
        x = self.pool(x + self.second(self.norm(x)))
        return {"scores": functional.softmax(self.head(x.reshape(x.shape[0], -1)), -1), "x": x}


class Encoder(nn.Module):
    """Embedding, attention with a mask, layer normalisation."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.table = nn.Parameter(normal(11, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.causal = causal

    def forward(self, tokens: Any, padding: Any) -> Any:
        x = self.table[tokens]
        q = self.norm(x)
        mask = None
        if self.causal:
            mask = lucid.triu(lucid.ones((4, 4), dtype=lucid.bool), k=1)
        y, _ = self.attention(q, q, q, key_padding_mask=padding, attn_mask=mask, need_weights=False)
        return x + y


@pytest.fixture(autouse=True)
def _single_precision() -> Any:
    with lucid.set_default_dtype(lucid.float32):
        yield


def test_mlp(tmp_path: Path) -> None:
    layers = [
        nn.GELU(),
        nn.Tanh(),
        nn.Sigmoid(),
        nn.SiLU(),
        nn.ELU(),
        nn.LeakyReLU(),
        nn.Softplus(),
    ]
    layers += [nn.Mish(), nn.Hardswish(), nn.Hardtanh(), nn.SELU(), nn.PReLU(), nn.LogSigmoid()]
    body = [layer for act in layers for layer in (act, nn.Linear(6, 6))]
    model = nn.Sequential(nn.Linear(4, 6), *body, nn.Dropout(0.5), nn.LogSoftmax(-1)).eval()
    check(tmp_path / "m.onnx", model, normal(5, 4))
    check(tmp_path / "m.onnx", model, normal(2, 3, 4))
    names = {i.name for i in onnx.load(tmp_path / "m.onnx").graph.initializer}
    assert {n for n, _ in model.named_parameters()} <= names


def test_convolutions(tmp_path: Path) -> None:
    check(tmp_path / "m.onnx", Net().eval(), normal(2, 3, 16, 16))
    check(tmp_path / "m.onnx", nn.Conv1d(4, 6, 3, padding=1, groups=2), normal(2, 4, 9))
    check(tmp_path / "m.onnx", nn.Conv3d(1, 2, 2), normal(1, 1, 4, 5, 3))
    check(tmp_path / "m.onnx", nn.MaxPool1d(3, 2, 1), normal(2, 4, 9))
    check(tmp_path / "m.onnx", nn.AdaptiveAvgPool2d(1), normal(2, 4, 5, 6))
    check(tmp_path / "m.onnx", nn.AvgPool2d(3, 2, 1), normal(2, 4, 7, 6))


@pytest.mark.parametrize(
    "options",
    [
        {"stride": 2},
        {"stride": 3, "padding": 1, "output_padding": 1},
        {"stride": 2, "groups": 2, "dilation": 2},
        {"stride": 2, "output_padding": 1},
        {},
    ],
    ids=str,
)
def test_transposed_convolutions(tmp_path: Path, options: Any) -> None:
    check(tmp_path / "m.onnx", nn.ConvTranspose2d(4, 6, 3, **options), normal(2, 4, 5, 6))


@pytest.mark.parametrize("causal", [False, True])
def test_attention(tmp_path: Path, causal: bool) -> None:
    padding = np.array([[False, False, True, True], [False, False, False, False]])
    check(
        tmp_path / "m.onnx",
        Encoder(causal).eval(),
        np.array([[1, 2, 3, -1], [0, 10, 5, 5]]),
        padding,
    )


def test_embedding(tmp_path: Path) -> None:
    check(tmp_path / "m.onnx", nn.Embedding(5, 3, padding_idx=0), np.array([[0, 4], [2, 2]]))


def test_transformer(tmp_path: Path) -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    check(tmp_path / "m.onnx", layer.eval(), normal(2, 5, 8))


def test_scaled_dot_product_attention(tmp_path: Path) -> None:
    def masked(q: Any, mask: Any) -> Any:
        return functional.scaled_dot_product_attention(q, q, q, mask)

    mask = np.array([[True, False, True], [False, False, False], [True, True, True]])
    check(tmp_path / "m.onnx", masked, normal(2, 3, 4), mask)  # one query sees nothing
    check(tmp_path / "m.onnx", masked, normal(2, 3, 4), normal(3, 3))
    check(
        tmp_path / "m.onnx",
        lambda q: functional.scaled_dot_product_attention(q, q, q, is_causal=True),
        normal(2, 3, 4),
    )


X = normal(3, 4)
I = np.array([[2, 0], [1, -1]])  # noqa: E741 - indices
UNARY = """abs acos asin asinh atan atanh ceil cos cosh erf erfc exp exp2 expm1 floor log1p negative
    reciprocal round sign sin sinh square tan tanh""".split()  # noqa: SIM905 - a list of words
FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "unary": (
        lambda x: (
            *[getattr(lucid, n)(x / 4) for n in UNARY],
            *[f(lucid.abs(x) + 1.5) for f in (lucid.acosh, lucid.log, lucid.sqrt)],
            *[f(lucid.abs(x) + 1.5) for f in (lucid.log2, lucid.log10)],
        ),
        (X,),
    ),
    "numbers": (lambda x: (x + 1, 2 - x, x * True, x / 3, 2**x, x**2, x**3, 1 / x), (X,)),
    "promotion": (
        lambda x, i: (
            x + i,
            i / 2,
            i + 1,
            lucid.sin(i),
            lucid.where(i > 0, i, 0.5),
            i // 2,
            i % 3,
            i * i,
        ),
        (normal(2, 2), I),
    ),
    "division": (lambda x, y: (x // y, x % y, lucid.fmod(x, y)), (X * 5, normal(3, 4))),
    "integer division": (lambda i, j: (i // j, i % j), (np.arange(-6, 6), np.array([-4, 3] * 6))),
    "compare": (
        lambda x, y: (x > y, x >= 0, x < y, x <= y, x == x, x != y, (x > 0) & ~(y > 0) | (x < y)),
        (X, normal(4)),
    ),
    "booleans": (
        lambda a, b: (lucid.logical_and(a, b), lucid.logical_xor(a, b), a ^ b, ~a, a == b, a < b),
        (np.array([True, True, False]), np.array([True, False, False])),
    ),
    "finite": (
        lambda x: (lucid.isnan(x), lucid.isinf(x), lucid.isfinite(x)),
        (np.array([1.0, np.nan, np.inf, -np.inf], np.float32),),
    ),
    "select": (
        lambda x, y: (
            lucid.where(x > 0, x, y),
            lucid.clip(x, -0.5, 0.5),
            lucid.clip(x, 0.1, None),
            lucid.maximum(x, y),
            lucid.minimum(x, 0.2),
        ),
        (X, normal(4)),
    ),
    "reductions": (
        lambda x: [
            f(x, axis=axis, keepdims=keep)
            for f in (
                lucid.sum,
                lucid.mean,
                lucid.max,
                lucid.min,
                lucid.prod,
                lucid.var,
                lucid.std,
                lucid.logsumexp,
            )
            for axis, keep in ((None, False), (1, True), ((0, 2), False))
        ],
        (normal(2, 3, 2),),
    ),
    "counts": (
        lambda x: (
            lucid.sum(x > 0),
            lucid.all(x > 0, axis=1),
            lucid.any(x > 0),
            lucid.argmax(x, axis=1),
            lucid.argmin(x, axis=0, keepdims=True),
            lucid.cumulative_sum(x, axis=1),
        ),
        (X,),
    ),
    "shapes": (
        lambda x: (
            x.reshape(4, 3),
            x.T,
            x[None],
            lucid.squeeze(x[:, :1], axis=1),
            lucid.flip(x, axis=1),
            lucid.broadcast_to(x, (2, 3, 4)),
            lucid.concat([x, x], axis=1),
            lucid.stack([x, x], axis=1),
            lucid.tril(x),
            lucid.triu(x, k=1),
            lucid.pad(x, ((1, 2), (0, 1))),
        ),
        (X,),
    ),
    "slices": (
        lambda x: (
            x[1],
            x[-1, 1:3],
            x[..., ::-1],
            x[::2, None, ::3],
            x[:0],
            x[::-2, 1],
            x[2:0:-1, ...],
        ),
        (X,),
    ),
    "indices": (
        lambda x, i: (
            x[i],
            x[:, i],
            lucid.take(x, i[0], axis=1),
            x[i, i],
            x[i, :, i],
            x[:, i, 0],
            lucid.take_along_axis(x[:2, :, 0], i, axis=1),
        ),
        (normal(3, 3, 3), I),
    ),
    "products": (
        lambda x, y: (
            x @ y,
            lucid.einsum("ij,jk->ki", x, y),
            x[0] @ y,
            functional.linear(x[0], y.T),
            functional.linear(x, y.T, lucid.ones(2)),
        ),
        (X, normal(4, 2)),
    ),
    "casts": (
        lambda x: (x.astype(lucid.int32), x.astype(lucid.bool), (x > 0).astype(lucid.float64)),
        (X * 3,),
    ),
    "normalisation": (
        lambda x: (
            functional.layer_norm(x, (4,)),
            functional.rms_norm(x, (4,)),
            functional.softmax(x, 0),
        ),
        (X,),
    ),
    "constant": (lambda x: (lucid.asarray([1.0, 2.0]), x), (X,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(tmp_path: Path, name: str) -> None:
    function, arrays = FUNCTIONS[name]
    check(tmp_path / "f.onnx", function, *arrays)


def test_double_precision(tmp_path: Path) -> None:
    with lucid.set_default_dtype(lucid.float64):
        model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
        check(tmp_path / "m.onnx", model, RNG.normal(size=(2, 4)))


def test_names_and_trees(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    model = nn.Linear(2, 1)
    before = model.weight
    export_onnx(model, lucid.ones((1, 2)), path, input_names=["weight_"], output_names=["y"])
    graph = onnx.load(path).graph
    assert ([i.name for i in graph.input], [o.name for o in graph.output]) == (["weight_"], ["y"])
    assert model.weight is before
    assert model.weight.grad is None

    def tree(pair: Any) -> Any:
        return {"sum": pair["a"] + pair["b"][0]}

    export_onnx(tree, ({"a": lucid.ones(2), "b": [lucid.ones(2)]},), path)
    assert run(path, np.ones(2, np.float32), np.ones(2, np.float32))[0].tolist() == [2.0, 2.0]
    for names in (["a", "b"], [""]):
        with pytest.raises(errors.OptionError, match="expected 1 input_names"):
            export_onnx(model, lucid.ones((1, 2)), path, input_names=names)
    with pytest.raises(errors.OptionError, match="expected different names"):
        export_onnx(model, lucid.ones((1, 2)), path, input_names=["x"], output_names=["x"])


def test_what_cannot_be_exported(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "m.onnx"
    cases: list[tuple[Any, Any, str]] = [
        (lucid.linalg.inv, normal(2, 2), "has a rule for, got 'inv'"),
        (
            nn.BatchNorm1d(3),
            normal(4, 3),
            r"that changes nothing, got one that sets .*; call model.eval",
        ),
        (nn.LSTM(2, 3), normal(4, 1, 2), "has a rule for, got 'lstm_layer'"),
        (lambda x: x * 1j, normal(2), "real numbers, got complex ones in"),
        (nn.Dropout(0.5), normal(2), "call model.eval"),
    ]
    for model, x, text in cases:
        with pytest.raises(errors.UnsupportedError, match=text):
            export_onnx(model, lucid.asarray(x), path)
    with pytest.raises(errors.OperandError, match="a Module or another function, got int"):
        export_onnx(3, (), path)  # type: ignore[arg-type]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(errors.MissingExtraError, match="install the extra: pip install"):
        export_onnx(lucid.sin, lucid.ones(2), path)
    assert not path.exists()
