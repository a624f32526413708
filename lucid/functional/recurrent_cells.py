"""Recurrent cells: one step of a recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, ShapeError, message
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

__all__ = ["gru_cell", "lstm_cell", "rnn_cell"]


def rnn_cell(
    input: ArrayLike,
    hx: ArrayLike | None,
    w_ih: ArrayLike,
    w_hh: ArrayLike,
    b_ih: ArrayLike | None = None,
    b_hh: ArrayLike | None = None,
    nonlinearity: str = "tanh",
) -> Tensor:
    """Return the next state of a plain recurrent cell, tanh(W x + b + W' h + b').

    Args:
        input: x, of shape (batch, width), or (width,).
        hx: h, of shape (batch, hidden), or (hidden,); None is zeros.
        w_ih: W, of shape (hidden, width).
        w_hh: W', of shape (hidden, hidden).
        b_ih: b, of shape (hidden,), or None.
        b_hh: b', likewise.
        nonlinearity: "tanh" or "relu".

    Returns:
        The next h.

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: for another `nonlinearity`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> one = lucid.ones((1, 1))
        >>> functional.rnn_cell(lucid.ones(1), lucid.ones(1), one, one, nonlinearity="relu")
        Tensor([2.])
    """
    states = None if hx is None else (hx,)
    return _cell(rnn_kind(nonlinearity), input, states, (w_ih, w_hh, b_ih, b_hh))[0]


def lstm_cell(
    input: ArrayLike,
    hx: tuple[ArrayLike, ArrayLike] | None,
    w_ih: ArrayLike,
    w_hh: ArrayLike,
    b_ih: ArrayLike | None = None,
    b_hh: ArrayLike | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the next states of a cell with long short-term memory; see `lstm`.

    Args:
        input: x, of shape (batch, width), or (width,).
        hx: h and c, of shape (batch, hidden), or (hidden,); None is zeros.
        w_ih: of shape (4·hidden, width), for gates i, f, g, o.
        w_hh: of shape (4·hidden, hidden).
        b_ih: of shape (4·hidden,), or None.
        b_hh: likewise.

    Returns:
        The next ``(h, c)``.

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.lstm_cell(lucid.ones(1), None, lucid.zeros((4, 1)), lucid.zeros((4, 1)))
        (Tensor([0.]), Tensor([0.]))
    """
    h, c = _cell(LSTM, input, hx, (w_ih, w_hh, b_ih, b_hh))
    return h, c


def gru_cell(
    input: ArrayLike,
    hx: ArrayLike | None,
    w_ih: ArrayLike,
    w_hh: ArrayLike,
    b_ih: ArrayLike | None = None,
    b_hh: ArrayLike | None = None,
) -> Tensor:
    """Return the next state of a gated recurrent unit; see `gru`.

    Args:
        input: x, of shape (batch, width), or (width,).
        hx: h, of shape (batch, hidden), or (hidden,); None is zeros.
        w_ih: of shape (3·hidden, width), for gates r, z, n.
        w_hh: of shape (3·hidden, hidden).
        b_ih: of shape (3·hidden,), or None.
        b_hh: likewise.

    Returns:
        The next h.

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> w = lucid.zeros((3, 1))
        >>> functional.gru_cell(lucid.ones(1), lucid.ones(1), w, w)
        Tensor([0.5])
    """
    return _cell(GRU, input, None if hx is None else (hx,), (w_ih, w_hh, b_ih, b_hh))[0]


def _cell(kind: Kind, input: ArrayLike, hx: Any, weights: Sequence[ArrayLike | None]) -> States:
    """Run one layer for one step."""
    x = as_tensor(kind.name, input)
    if x.dtype.kind != "f" or x.ndim not in (1, 2):
        want = "a floating input of shape (batch, width) or (width,)"
        error = ShapeError if x.dtype.kind == "f" else DTypeError
        raise error(message(f"{kind.name}_cell", want, f"{x.dtype} of shape {x.shape}"))
    states = None if hx is None else [as_tensor(kind.name, s) for s in hx]
    if states is not None and any(s.ndim != x.ndim for s in states):
        want = "an input and states with as many axes"
        got = f"{x.shape} and " + ", ".join(str(s.shape) for s in states)
        raise ShapeError(message(f"{kind.name}_cell", want, got))
    one = (1,) * (3 - x.ndim)
    first = None if states is None else [s.reshape((*one, *s.shape)) for s in states]
    x = x.reshape((*one, *x.shape))
    p = weights_of(kind, weights, x.shape[2])
    found = kind.run(x, first_states(kind, first, 0, 1, x, p), p, None, False)
    return tuple(s.reshape(s.shape[len(one) :]) for s in found)
