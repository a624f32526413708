"""The kinds of recurrent networks: their gates, states, weights, and how they go along time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.linear import linear
from lucid.functional.parts import divide
from lucid.functional.recurrent_layers import (
    gru_layer,
    lstm_layer,
    lstm_step,
    rnn_layer,
    unroll,
)
from lucid.ops.axes import as_tensor
from lucid.ops.creation import zeros
from lucid.ops.join import concat

__all__ = [
    "GRU",
    "LSTM",
    "Kind",
    "LayerWeights",
    "States",
    "first_states",
    "rnn_kind",
    "weights_of",
]

States = tuple[Tensor, ...]


class LayerWeights(NamedTuple):
    """The weights of one direction of one layer."""

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor | None
    b_hh: Tensor | None
    w_hr: Tensor | None


class Kind(NamedTuple):
    """What one kind of network is: its name, gates, states, and how it goes along time."""

    name: str
    gates: int
    states: int
    run: Callable[..., States]


def _run_lstm(x: Tensor, state: States, p: LayerWeights, live: Any, reverse: bool) -> States:
    inputs = linear(x, p.w_ih, _sum(p.b_ih, p.b_hh))
    w_hr = p.w_hr
    if w_hr is not None:
        return unroll(lambda i, s: lstm_step(i, s, p.w_hh, w_hr), inputs, state, live, reverse)
    both = divide(lstm_layer(inputs, p.w_hh, *state, live, reverse=reverse), 2, 0)
    return tuple(s.reshape(s.shape[1:]) for s in both)


def _run_gru(x: Tensor, state: States, p: LayerWeights, live: Any, reverse: bool) -> States:
    width = p.w_hh.shape[1]
    bias, own = p.b_ih, zeros(width, dtype=x.dtype)
    if bias is not None and p.b_hh is not None:  # that of n stands inside of its gate
        reset, update, own = divide(p.b_hh, 3, 0)
        bias = bias + concat([reset, update, zeros(width, dtype=own.dtype)])
    ans = gru_layer(linear(x, p.w_ih, bias), p.w_hh, *state, own, live, reverse=reverse)
    return (ans.reshape(ans.shape[1:]),)


def _run_rnn(nonlinearity: str) -> Callable[..., States]:
    def run(x: Tensor, state: States, p: LayerWeights, live: Any, reverse: bool) -> States:
        inputs = linear(x, p.w_ih, _sum(p.b_ih, p.b_hh))
        ans = rnn_layer[nonlinearity](inputs, p.w_hh, *state, live, reverse=reverse)
        return (ans.reshape(ans.shape[1:]),)

    return run


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return a if b is None else b if a is None else a + b


LSTM = Kind("lstm", 4, 2, _run_lstm)
GRU = Kind("gru", 3, 1, _run_gru)
_RNN = {k: Kind("rnn", 1, 1, _run_rnn(k)) for k in ("tanh", "relu")}


def rnn_kind(nonlinearity: str) -> Kind:
    """Return the kind of plain networks with an activation function."""
    if nonlinearity not in _RNN:
        want = 'nonlinearity "tanh" or "relu"'
        raise OptionError(message("rnn", want, repr(nonlinearity)))
    return _RNN[nonlinearity]


def weights_of(kind: Kind, given: Sequence[ArrayLike | None], width: int) -> LayerWeights:
    """Return weights as Tensors, checked against the width of their input."""
    found = [None if w is None else as_tensor(kind.name, w) for w in given]
    if len(found) in (2, 3):
        found[2:2] = [None, None]
    found += [None] * (5 - len(found))
    p = LayerWeights(*cast("Any", found))
    rows = p.w_hh.shape[0]
    own = p.w_hh.shape[1] if p.w_hr is None else p.w_hr.shape[-1]
    fits = rows == kind.gates * own and p.w_ih.shape == (rows, width)
    if not fits or any(b is not None and b.shape != (rows,) for b in (p.b_ih, p.b_hh)):
        want = f"weights for an input of width {width} and {kind.gates} gates"
        got = ", ".join(str(w.shape) for w in found if w is not None)
        raise ShapeError(message(kind.name, want, got))
    return p


def first_states(kind: Kind, states: Any, k: int, count: int, x: Tensor, p: LayerWeights) -> States:
    """Return the first states of one direction of one layer."""
    batch, widths = x.shape[1], (p.w_hh.shape[1], p.w_hh.shape[0] // kind.gates)
    if states is None:
        return tuple(zeros((batch, n), dtype=x.dtype) for n in widths[: kind.states])
    want = [(count, batch, n) for n in widths[: kind.states]]
    if [s.shape for s in states] != want:
        expected = f"first states of shape {' and '.join(map(str, want))}"
        got = " and ".join(str(s.shape) for s in states)
        raise ShapeError(message(kind.name, expected, got))
    return tuple(s[k] for s in states)
