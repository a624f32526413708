"""Recurrent networks, cells and packed sequences against PyTorch, and what they refuse."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils import rnn as theirs_rnn

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid import nn
from lucid.errors import DTypeError, OperandError, OptionError, ShapeError
from lucid.nn.utils import rnn
from tests.layers import RNG, agree, share, signature

quick = settings(max_examples=20, deadline=None, derandomize=True)
flags = st.booleans()
KINDS = ["RNN", "LSTM", "GRU"]


@pytest.mark.parametrize("name", [f"{k}Cell" for k in KINDS])
def test_signatures_of_cells(name: str) -> None:
    assert signature(getattr(nn, name)) == signature(getattr(torch.nn, name))


@pytest.mark.parametrize("name", rnn.__all__[1:])
def test_signatures_of_packing(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(m, name)) for m in (rnn, theirs_rnn))
    assert list(ours.parameters) == list(theirs.parameters)


def options(name: str, layers: int, both: bool, bias: bool, first: bool, more: bool) -> Any:
    made: dict[str, Any] = {
        "num_layers": layers,
        "bidirectional": both,
        "bias": bias,
        "batch_first": first,
    }
    if name == "RNN":
        made["nonlinearity"] = "relu" if more else "tanh"
    if name == "LSTM" and more:
        made["proj_size"] = 2
    return made


def first_states(name: str, made: Any, batch: tuple[int, ...]) -> Any:
    count = made["num_layers"] * (1 + made["bidirectional"])
    h = RNG.standard_normal((count, *batch, made.get("proj_size", 4)))
    return (h, RNG.standard_normal((count, *batch, 4))) if name == "LSTM" else h


@pytest.mark.parametrize("name", KINDS)
@quick
@given(st.integers(1, 2), flags, flags, flags, flags, flags, flags)
def test_networks(
    name: str, layers: int, both: bool, bias: bool, first: bool, more: bool, given: bool, one: bool
) -> None:
    made = options(name, layers, both, bias, first, more)
    ours, theirs = getattr(nn, name)(3, 4, **made), getattr(torch.nn, name)(3, 4, **made)
    share(ours, theirs)
    shape = (5, 3) if one else (2, 5, 3) if first else (5, 2, 3)
    inputs = [RNG.standard_normal(shape)]
    if given:
        inputs.append(first_states(name, made, () if one else (2,)))
    agree(ours, theirs, *inputs)
    assert repr(ours) == repr(theirs).replace(", nonlinearity='relu'", "")


@pytest.mark.parametrize("name", KINDS)
@quick
@given(st.integers(1, 2), flags, flags, flags, flags)
def test_packed(name: str, layers: int, both: bool, given: bool, ordered: bool, more: bool) -> None:
    made = options(name, layers, both, True, False, more)
    ours, theirs = getattr(nn, name)(3, 4, **made), getattr(torch.nn, name)(3, 4, **made)
    share(ours, theirs)
    lengths = [5, 3, 2] if ordered else [2, 5, 3]
    inputs = [RNG.standard_normal((5, 3, 3))]
    if given:
        inputs.append(first_states(name, made, (3,)))

    def run(layer: Any, library: Any) -> Any:
        def whole(x: Any, *hx: Any) -> Any:
            packed = library.pack_padded_sequence(x, lengths, enforce_sorted=ordered)
            y, last = layer(packed, *hx)
            return library.pad_packed_sequence(y)[0], y.data, last

        return whole

    agree(run(ours, rnn), run(theirs, theirs_rnn), *inputs)
    y, _ = ours(rnn.pack_padded_sequence(inputs[0], lengths, enforce_sorted=ordered))
    for p in ours.parameters():
        p.requires_grad = False
    function = getattr(F, name.lower())
    more_args = (made["nonlinearity"],) if name == "RNN" else ()
    z, _ = function(
        inputs[0], None, ours._weights(), *more_args, bidirectional=both, lengths=lengths
    )
    np.testing.assert_allclose(rnn.pad_packed_sequence(y)[0].numpy(), z.numpy())


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_cells(name: str, bias: bool, batch: Any) -> None:
    args = (3, 4, bias) + (("relu",) if name == "RNN" and bias else ())
    ours, theirs = getattr(nn, f"{name}Cell")(*args), getattr(torch.nn, f"{name}Cell")(*args)
    share(ours, theirs)
    x, h, c = (RNG.standard_normal((*batch, n)) for n in (3, 4, 4))
    agree(ours, theirs, x)
    agree(ours, theirs, x, (h, c) if name == "LSTM" else h)
    assert repr(ours) == repr(theirs)


def test_cells_and_layers_are_the_same() -> None:
    cell, layer = nn.LSTMCell(3, 4), nn.LSTM(3, 4)
    layer.load_state_dict({f"{k}_l0": v for k, v in cell.state_dict().items()})
    x = RNG.standard_normal((5, 2, 3))
    y, (h, c) = layer(x)
    state = None
    for t in range(5):
        state = cell(x[t], state)
        np.testing.assert_allclose(state[0].numpy(), y[t].numpy(), rtol=1e-12)
    np.testing.assert_array_equal(h[0].numpy(), y[-1].numpy())
    np.testing.assert_allclose(c[0].numpy(), state[1].numpy(), rtol=1e-12)


def test_transformations() -> None:
    layer = nn.GRU(3, 4, num_layers=2, dropout=0.5)
    x = RNG.standard_normal((5, 2, 3))
    assert (layer(x)[0] != layer(x)[0]).any()
    layer.eval()
    each = lucid.vmap(lambda x: layer(x)[0])(np.stack([x, 2 * x]))
    np.testing.assert_allclose(each[1].numpy(), layer(2 * x)[0].numpy(), rtol=1e-12)
    g = lucid.grad(lambda m: (m(x)[0] ** 2).sum())(layer)
    assert g.weight_hh_l1.shape == (12, 4)
    single = lucid.vmap(lucid.grad(lambda m, x: (m(x)[0] ** 2).sum()), in_axes=(None, 1))(layer, x)
    np.testing.assert_allclose(
        single.weight_ih_l0.sum(0).numpy(), g.weight_ih_l0.numpy(), rtol=1e-9
    )
    flat = layer.float()(x.astype(np.float32))
    assert flat[0].dtype == flat[1].dtype == np.float32


def test_dropout_by_key() -> None:
    weights = [(RNG.standard_normal((4, 3)), RNG.standard_normal((4, 4)))] * 1
    weights += [(RNG.standard_normal((4, 4)), RNG.standard_normal((4, 4)))] * 2
    x = RNG.standard_normal((5, 2, 3))
    with lucid.random.allow_key_reuse():
        key = lucid.random.key(0)
        runs = [
            F.rnn(x, None, weights, dropout=0.5, training=True, dropout_key=key)[0] for _ in "ab"
        ]
    np.testing.assert_array_equal(runs[0].numpy(), runs[1].numpy())
    assert (runs[0] != F.rnn(x, None, weights, dropout=0.5)[0]).any()


# -- sequences of different lengths ----------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
def test_packing(first: bool) -> None:
    rows = [RNG.standard_normal((n, 2)) for n in (2, 4, 1, 4)]
    tensors = [torch.tensor(r) for r in rows]
    for side in ("right", "left"):
        got = rnn.pad_sequence(rows, first, -1.0, side)
        want = theirs_rnn.pad_sequence(tensors, first, -1.0, side)
        np.testing.assert_array_equal(got.numpy(), want.numpy())
    ours = rnn.pack_sequence(rows, enforce_sorted=False)
    theirs = theirs_rnn.pack_sequence(tensors, enforce_sorted=False)
    assert ours.batch_sizes.tolist() == theirs.batch_sizes.tolist() == [4, 3, 2, 2]
    np.testing.assert_array_equal(ours.data[0].numpy(), rows[ours.sorted_indices[0].item()][0])
    got, lengths = rnn.pad_packed_sequence(ours, first, 7.0, 5)
    want, _ = theirs_rnn.pad_packed_sequence(theirs, first, 7.0, 5)
    np.testing.assert_array_equal(got.numpy(), want.numpy())
    assert lengths.tolist() == [2, 4, 1, 4]
    for parts in (rnn.unpack_sequence(ours), rnn.unpad_sequence(got, lengths, first)):
        for a, b in zip(parts, rows, strict=True):
            np.testing.assert_array_equal(a.numpy(), b)


X = np.ones((5, 2, 3))
W = [(np.ones((4, 3)), np.ones((4, 4)))]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: F.rnn(X, None, W, "sine"),
            OptionError,
            'rnn: expected nonlinearity "tanh" or "rel',
        ),
        (lambda: F.rnn(X[0, 0], None, W), ShapeError, r"of shape \(time, batch, width\) or"),
        (lambda: F.rnn(X.astype(int), None, W), DTypeError, "a floating input .* got int64"),
        (lambda: F.rnn(X[..., :2], None, W), ShapeError, "weights for an input of width 2 and 1"),
        (
            lambda: F.lstm(X, None, W),
            ShapeError,
            "weights for an input of width 3 and 4 gates, got",
        ),
        (lambda: F.rnn(X[:0], None, W), ShapeError, "one step or more"),
        (lambda: F.rnn(X, None, W, bidirectional=True), ShapeError, "for every direction"),
        (lambda: F.rnn(X, np.ones((1, 2, 3)), W), ShapeError, r"states of shape \(1, 2, 4\), got"),
        (lambda: F.rnn(X[0], np.ones((1, 2, 4)), W), ShapeError, "a state of 2 axes beside"),
        (lambda: F.rnn(X, None, W, lengths=[1]), ShapeError, "2 integers as lengths"),
        (lambda: F.rnn_cell(X, None, *W[0]), ShapeError, r"rnn_cell: .* \(batch, width\) or"),
        (lambda: F.rnn_cell(X[0], np.ones(4), *W[0]), ShapeError, "states with as many axes"),
        (lambda: nn.RNN(3, 4, nonlinearity="x"), OptionError, "RNN: expected nonlinearity"),
        (lambda: nn.GRU(3, 0), OptionError, "GRU: expected positive input_size and hidden_size"),
        (lambda: nn.LSTM(3, 4, proj_size=4), OptionError, "proj_size below hidden_size, got 1 and"),
        (lambda: nn.LSTM(3, 4, dropout=0.5), OptionError, "0 for a single layer"),
        (
            lambda: rnn.pack_padded_sequence(X, [2, 3]),
            OptionError,
            "falling lengths, got .*enforce",
        ),
        (lambda: rnn.pack_padded_sequence(X, [6, 3]), ShapeError, "2 lengths from 1 to 5"),
        (lambda: rnn.pack_padded_sequence(X, [1.5, 1]), OperandError, "integers as lengths"),
        (lambda: rnn.pack_padded_sequence(X[0, 0], [1]), ShapeError, r"\(time, batch, ...\)"),
        (lambda: rnn.pad_sequence([X], padding_side="up"), OptionError, '"right" or "left"'),
        (lambda: rnn.pad_sequence([X, X[0]]), ShapeError, "shapes agree but for the first axis"),
        (
            lambda: rnn.pad_packed_sequence(rnn.pack_sequence([X]), total_length=2),
            OptionError,
            "a total_length of 5 or more, got 2",
        ),
        (lambda: rnn.unpad_sequence(X, [1]), ShapeError, "2 lengths up to 5"),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
