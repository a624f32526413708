"""Recurrent networks: layers of cells over time.

Weights come as tuples, one for each direction of each layer: (w_ih, w_hh), (w_ih, w_hh, b_ih, b_hh)
or, for an LSTM with projections, one of these with w_hr behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, ShapeError, message
from lucid.functional.dropout import dropout as drop
from lucid.functional.packing import Numbers, PackedSequence, pad_packed_sequence, repack
from lucid.functional.recurrent_kinds import (
    GRU,
    LSTM,
    Kind,
    States,
    first_states,
    rnn_kind,
    weights_of,
)
from lucid.ops.axes import as_tensor
from lucid.ops.join import concat, stack
from lucid.ops.permute import swapaxes
from lucid.ops.random.keys import Key, split
from lucid.ops.select import where

__all__ = ["gru", "lstm", "rnn"]

Weights = Sequence[Sequence[ArrayLike | None]]
Sequences = TypeVar("Sequences", Tensor, PackedSequence)


def rnn(
    input: Sequences,
    hx: ArrayLike | None,
    weights: Weights,
    nonlinearity: str = "tanh",
    *,
    bidirectional: bool = False,
    batch_first: bool = False,
    dropout: float = 0.0,
    training: bool = False,
    lengths: Numbers | None = None,
    dropout_key: Key | None = None,
) -> tuple[Sequences, Tensor]:
    """Run layers of plain recurrent cells, hₜ = tanh(W xₜ + b + W' hₜ₋₁ + b'), along time.

    Args:
        input: x, of shape (time, batch, width), or (time, width), or a PackedSequence.
        hx: the first h, of shape (layers·directions, batch, hidden), or without the batch; None is
            zeros.
        weights: of every direction of every layer, as the module says.
        nonlinearity: "tanh" or "relu".
        bidirectional: whether every layer also goes backwards.
        batch_first: whether `input` has shape (batch, time, width).
        dropout: the probability with which outputs between layers are set to zero.
        training: whether there is any dropout.
        lengths: how many steps of each sequence count; outputs behind its end are zero.
        dropout_key: a random key for the dropout; by default the default generator's next one.

    Returns:
        ``(output, h)``: the last layer's h of all times, with both directions in the last axis;
        and the last h of all, of the shape of `hx`.

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: for another `nonlinearity`.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> one = lucid.ones((1, 1))
        >>> y, h = functional.rnn(lucid.ones((2, 1)), None, [(one, one)], "relu")
        >>> y
        Tensor([[1.],
                [2.]])
    """
    options = _Options(bidirectional, batch_first, dropout if training else 0.0, dropout_key)
    first = None if hx is None else (hx,)
    y, (h,) = _network(rnn_kind(nonlinearity), input, first, weights, lengths, options)
    return cast("Sequences", y), h


def lstm(
    input: Sequences,
    hx: tuple[ArrayLike, ArrayLike] | None,
    weights: Weights,
    *,
    bidirectional: bool = False,
    batch_first: bool = False,
    dropout: float = 0.0,
    training: bool = False,
    lengths: Numbers | None = None,
    dropout_key: Key | None = None,
) -> tuple[Sequences, tuple[Tensor, Tensor]]:
    """Run layers of cells with long short-term memory along time.

    With gates i, f, o = σ(…) and g = tanh(…) of W xₜ + b + W' hₜ₋₁ + b', the states are
    cₜ = f·cₜ₋₁ + i·g and hₜ = o·tanh(cₜ).

    Args:
        input: x, of shape (time, batch, width), or (time, width), or a PackedSequence.
        hx: the first h and c, of shape (layers·directions, batch, hidden), or without the batch;
            None is zeros.
        weights: of every direction of every layer, as the module says; gates come as i, f, g, o.
        bidirectional: whether every layer also goes backwards.
        batch_first: whether `input` has shape (batch, time, width).
        dropout: the probability with which outputs between layers are set to zero.
        training: whether there is any dropout.
        lengths: how many steps of each sequence count; outputs behind its end are zero.
        dropout_key: a random key for the dropout; by default the default generator's next one.

    Returns:
        ``(output, (h, c))``: the last layer's h of all times, with both directions in the last
        axis; and the last h and c of all, of the shape of `hx`.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> weights = [(lucid.zeros((8, 3)), lucid.zeros((8, 2)))]
        >>> y, (h, c) = functional.lstm(lucid.ones((5, 1, 3)), None, weights)
        >>> y.shape, h.shape, c.shape
        ((5, 1, 2), (1, 1, 2), (1, 1, 2))

    Source: Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9 (1997).
    """
    options = _Options(bidirectional, batch_first, dropout if training else 0.0, dropout_key)
    y, (h, c) = _network(LSTM, input, hx, weights, lengths, options)
    return cast("Sequences", y), (h, c)


def gru(
    input: Sequences,
    hx: ArrayLike | None,
    weights: Weights,
    *,
    bidirectional: bool = False,
    batch_first: bool = False,
    dropout: float = 0.0,
    training: bool = False,
    lengths: Numbers | None = None,
    dropout_key: Key | None = None,
) -> tuple[Sequences, Tensor]:
    """Run layers of gated recurrent units along time.

    With gates r, z = σ(W xₜ + b + W' hₜ₋₁ + b') and n = tanh(W xₜ + b + r·(W' hₜ₋₁ + b')), the
    state is hₜ = (1 - z)·n + z·hₜ₋₁.

    Args:
        input: x, of shape (time, batch, width), or (time, width), or a PackedSequence.
        hx: the first h, of shape (layers·directions, batch, hidden), or without the batch; None is
            zeros.
        weights: of every direction of every layer, as the module says; gates come as r, z, n.
        bidirectional: whether every layer also goes backwards.
        batch_first: whether `input` has shape (batch, time, width).
        dropout: the probability with which outputs between layers are set to zero.
        training: whether there is any dropout.
        lengths: how many steps of each sequence count; outputs behind its end are zero.
        dropout_key: a random key for the dropout; by default the default generator's next one.

    Returns:
        ``(output, h)``: the last layer's h of all times, with both directions in the last axis;
        and the last h of all, of the shape of `hx`.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> weights = [(lucid.zeros((6, 3)), lucid.zeros((6, 2)))]
        >>> y, h = functional.gru(lucid.ones((5, 1, 3)), None, weights)
        >>> y.shape, h.shape
        ((5, 1, 2), (1, 1, 2))

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014.
    """
    options = _Options(bidirectional, batch_first, dropout if training else 0.0, dropout_key)
    first = None if hx is None else (hx,)
    y, (h,) = _network(GRU, input, first, weights, lengths, options)
    return cast("Sequences", y), h


class _Options(NamedTuple):
    bidirectional: bool
    batch_first: bool
    dropout: float
    key: Key | None


def _network(
    kind: Kind, input: Any, hx: Any, weights: Weights, lengths: Any, options: _Options
) -> tuple[Tensor | PackedSequence, States]:
    """Bring sequences to the shape (time, batch, width), run the layers, and bring them back."""
    if isinstance(input, PackedSequence):
        x, lengths = pad_packed_sequence(input)
        y, last = _layers(kind, x, hx, weights, lengths, options)
        return repack(y, input), last
    x = as_tensor(kind.name, input)
    if x.dtype.kind != "f" or x.ndim not in (2, 3):
        want = "a floating input of shape (time, batch, width) or (time, width)"
        error = ShapeError if x.dtype.kind == "f" else DTypeError
        raise error(message(kind.name, want, f"{x.dtype} of shape {x.shape}"))
    if x.ndim == 2:
        first = None if hx is None else tuple(_with_batch(kind, s) for s in hx)
        y, last = _layers(
            kind, x.reshape((x.shape[0], 1, x.shape[1])), first, weights, lengths, options
        )
        return y.reshape((y.shape[0], y.shape[2])), tuple(
            s.reshape((s.shape[0], s.shape[2])) for s in last
        )
    x = swapaxes(x, 0, 1) if options.batch_first else x
    y, last = _layers(kind, x, hx, weights, lengths, options)
    return (swapaxes(y, 0, 1) if options.batch_first else y), last


def _with_batch(kind: Kind, state: ArrayLike) -> Tensor:
    s = as_tensor(kind.name, state)
    if s.ndim != 2:
        want = "a state of 2 axes beside an input of 2 axes"
        raise ShapeError(message(kind.name, want, f"shape {s.shape}"))
    return s.reshape((s.shape[0], 1, s.shape[1]))


def _layers(
    kind: Kind, x: Tensor, hx: Any, weights: Weights, lengths: Any, options: _Options
) -> tuple[Tensor, States]:
    directions = 2 if options.bidirectional else 1
    if not x.shape[0] or not weights or len(weights) % directions:
        want = "one step or more, and weights for every direction of every layer"
        raise ShapeError(message(kind.name, want, f"shape {x.shape} and {len(weights)} of them"))
    live = None if lengths is None else _live(kind, x, lengths)
    states = None if hx is None else [as_tensor(kind.name, s) for s in hx]
    last: list[States] = []
    key = options.key
    for k in range(0, len(weights), directions):
        outputs: list[Tensor] = []
        for d in range(directions):
            p = weights_of(kind, weights[k + d], x.shape[2])
            first = first_states(kind, states, k + d, len(weights), x, p)
            found = kind.run(x, first, p, live, d == 1)
            outputs.append(found[0])
            last.append(tuple(s[0 if d else -1] for s in found))
        x = outputs[0] if directions == 1 else concat(outputs, axis=2)
        if options.dropout and k + directions < len(weights):
            key, own = (None, None) if key is None else split(key)
            x = drop(x, options.dropout, key=own)
    y = x if live is None else where(live, x, 0)
    return y, tuple(stack(every) for every in zip(*last, strict=True))


def _live(kind: Kind, x: Tensor, lengths: Any) -> Tensor:
    """Return where sequences go on, of shape (time, batch, 1)."""
    n = as_tensor(kind.name, lengths if isinstance(lengths, Tensor) else np.asarray(lengths))
    if n.shape != x.shape[1:2] or n.dtype.kind not in "iu":
        want = f"{x.shape[1]} integers as lengths"
        raise ShapeError(message(kind.name, want, f"{n.dtype} of shape {n.shape}"))
    return Tensor(np.arange(x.shape[0])[:, None, None]) < n.reshape((x.shape[1], 1))
