"""Recurrent networks as layers, over the functions of `lucid.functional`.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.LSTM(3, 4, num_layers=2)
    >>> y, (h, c) = layer(lucid.ones((5, 1, 3)))
    >>> y.shape, h.shape
    ((5, 1, 4), (2, 1, 4))
    >>> layer
    LSTM(3, 4, num_layers=2)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.nn import init
from lucid.nn.module import Module
from lucid.nn.parameter import Parameter, blank

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


class _Recurrent(Module):
    """What networks and cells have in common."""

    _gates: ClassVar[int]
    hidden_size: int

    def _check(self, input_size: int, hidden_size: int, nonlinearity: str = "tanh") -> None:
        name = type(self).__name__
        if input_size < 1 or hidden_size < 1:
            want = "positive input_size and hidden_size"
            raise OptionError(message(name, want, f"{input_size} and {hidden_size}"))
        if nonlinearity not in ("tanh", "relu"):
            want = 'nonlinearity "tanh" or "relu"'
            raise OptionError(message(name, want, repr(nonlinearity)))
        self.input_size, self.hidden_size = input_size, hidden_size

    def reset_parameters(self) -> None:
        """Draw the parameters anew, evenly from ±1/√hidden_size."""
        for p in self.parameters():
            init.fan_in_uniform_(p, self.hidden_size)


# -- networks --------------------------------------------------------------------------------------


class _Network(_Recurrent):
    def _make(
        self,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        dtype: Any,
    ) -> None:
        name = type(self).__name__
        if num_layers < 1 or not 0 <= proj_size < self.hidden_size:
            want = "one layer or more, and proj_size below hidden_size"
            raise OptionError(message(name, want, f"{num_layers} and {proj_size}"))
        if not 0 <= dropout <= 1 or (dropout and num_layers == 1):
            want = (
                "a probability dropout, 0 for a single layer, which has nothing behind it to drop"
            )
            raise OptionError(message(name, want, str(dropout)))
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = dropout, bidirectional, proj_size
        rows, own = self._gates * self.hidden_size, proj_size or self.hidden_size
        for layer, suffix in self._places():
            width = self.input_size if not layer else own * (2 if bidirectional else 1)
            shapes = {"weight_ih": (rows, width), "weight_hh": (rows, own)}
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
            shapes |= {"weight_hr": (proj_size, self.hidden_size)} if proj_size else {}
            for kind, shape in shapes.items():
                setattr(self, f"{kind}_l{layer}{suffix}", blank(shape, dtype))
        self.reset_parameters()

    def _places(self) -> Iterator[tuple[int, str]]:
        """Yield number and suffix of every direction of every layer."""
        for layer in range(self.num_layers):
            yield from ((layer, s) for s in ("", "_reverse")[: 2 if self.bidirectional else 1])

    def _weights(self) -> list[tuple[Any, ...]]:
        names = ["weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if self.bias else ())]
        names += ["weight_hr"] if self.proj_size else []
        return [tuple(getattr(self, f"{n}_l{k}{s}") for n in names) for k, s in self._places()]

    def _options(self) -> dict[str, Any]:
        names = ("bidirectional", "batch_first", "dropout", "training")
        return {name: getattr(self, name) for name in names}

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False}
        usual |= {"dropout": 0, "bidirectional": False}
        shown = [f"{n}={getattr(self, n)}" for n, v in usual.items() if getattr(self, n) != v]
        return ", ".join([str(self.input_size), str(self.hidden_size), *shown])


class RNN(_Network):
    """Plain recurrent cells along time; see `lucid.functional.rnn`.

    Args:
        input_size: the width of the input.
        hidden_size: the width of states and output.
        num_layers: how many layers there are, one behind the other.
        nonlinearity: "tanh" or "relu".
        bias: whether there are biases.
        batch_first: whether sequences are (batch, time, width), not (time, batch, width).
        dropout: the probability with which outputs between layers are set to zero in training.
        bidirectional: whether every layer also goes backwards.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight_ih_l0: of shape (hidden_size, input width); so for every layer, with `_reverse`
            behind the number for the other direction. All are drawn evenly from ±1/√hidden_size.
        weight_hh_l0: of shape (hidden_size, hidden_size).
        bias_ih_l0: of shape (hidden_size,).
        bias_hh_l0: likewise.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._check(input_size, hidden_size, nonlinearity)
        self.nonlinearity = nonlinearity
        self._make(num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)

    def forward(self, input: Any, hx: ArrayLike | None = None) -> tuple[Any, Tensor]:
        """Return outputs of all times, and the last states."""
        options = self._options()
        return functional.rnn(input, hx, self._weights(), self.nonlinearity, **options)


class LSTM(_Network):
    """Cells with long short-term memory along time; see `lucid.functional.lstm`.

    Args:
        input_size: the width of the input.
        hidden_size: the width of states and output.
        num_layers: how many layers there are, one behind the other.
        bias: whether there are biases.
        batch_first: whether sequences are (batch, time, width), not (time, batch, width).
        dropout: the probability with which outputs between layers are set to zero in training.
        bidirectional: whether every layer also goes backwards.
        proj_size: the width to which a matrix brings h; 0 for none.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight_ih_l0: of shape (4·hidden_size, input width), for gates i, f, g, o; so for every
            layer, with `_reverse` behind the number for the other direction. All are drawn evenly
            from ±1/√hidden_size.
        weight_hh_l0: of shape (4·hidden_size, width of h).
        bias_ih_l0: of shape (4·hidden_size,).
        bias_hh_l0: likewise.
        weight_hr_l0: of shape (proj_size, hidden_size), where there are projections.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._check(input_size, hidden_size)
        self._make(num_layers, bias, batch_first, dropout, bidirectional, proj_size, dtype)

    def forward(
        self, input: Any, hx: tuple[ArrayLike, ArrayLike] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """Return outputs of all times, and the last states."""
        return functional.lstm(input, hx, self._weights(), **self._options())


class GRU(_Network):
    """Gated recurrent units along time; see `lucid.functional.gru`.

    Args:
        input_size: the width of the input.
        hidden_size: the width of states and output.
        num_layers: how many layers there are, one behind the other.
        bias: whether there are biases.
        batch_first: whether sequences are (batch, time, width), not (time, batch, width).
        dropout: the probability with which outputs between layers are set to zero in training.
        bidirectional: whether every layer also goes backwards.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight_ih_l0: of shape (3·hidden_size, input width), for gates r, z, n; so for every layer,
            with `_reverse` behind the number for the other direction. All are drawn evenly from
            ±1/√hidden_size.
        weight_hh_l0: of shape (3·hidden_size, hidden_size).
        bias_ih_l0: of shape (3·hidden_size,).
        bias_hh_l0: likewise.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._check(input_size, hidden_size)
        self._make(num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)

    def forward(self, input: Any, hx: ArrayLike | None = None) -> tuple[Any, Tensor]:
        """Return outputs of all times, and the last states."""
        return functional.gru(input, hx, self._weights(), **self._options())


# -- cells -----------------------------------------------------------------------------------------


class _Cell(_Recurrent):
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def _make(self, bias: bool, dtype: Any) -> None:
        self.bias, rows = bias, self._gates * self.hidden_size
        self.weight_ih = blank((rows, self.input_size), dtype)
        self.weight_hh = blank((rows, self.hidden_size), dtype)
        self.register_parameter("bias_ih", blank((rows,), dtype) if bias else None)
        self.register_parameter("bias_hh", blank((rows,), dtype) if bias else None)
        self.reset_parameters()

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        shown = [str(self.input_size), str(self.hidden_size)]
        shown += [] if self.bias else ["bias=False"]
        other = getattr(self, "nonlinearity", "tanh")
        return ", ".join(shown if other == "tanh" else [*shown, f"nonlinearity={other}"])


class RNNCell(_Cell):
    """A plain recurrent cell; see `lucid.functional.rnn_cell`.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the state.
        bias: whether there are biases.
        nonlinearity: "tanh" or "relu".
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight_ih: of shape (hidden_size, input_size), like all drawn evenly from ±1/√hidden_size.
        weight_hh: of shape (hidden_size, hidden_size).
        bias_ih: of shape (hidden_size,), or None.
        bias_hh: likewise.
    """

    _gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._check(input_size, hidden_size, nonlinearity)
        self.nonlinearity = nonlinearity
        self._make(bias, dtype)

    def forward(self, input: ArrayLike, hx: ArrayLike | None = None) -> Tensor:
        """Return the next state."""
        options = {"nonlinearity": self.nonlinearity}
        return functional.rnn_cell(input, hx, *self._weights(), **options)


class LSTMCell(_Cell):
    """A cell with long short-term memory; see `lucid.functional.lstm_cell`.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the states.
        bias: whether there are biases.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight_ih: of shape (4·hidden_size, input_size), like all drawn evenly from
            ±1/√hidden_size.
        weight_hh: of shape (4·hidden_size, hidden_size).
        bias_ih: of shape (4·hidden_size,), or None.
        bias_hh: likewise.
    """

    _gates = 4

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = None
    ) -> None:
        super().__init__()
        self._check(input_size, hidden_size)
        self._make(bias, dtype)

    def forward(
        self, input: ArrayLike, hx: tuple[ArrayLike, ArrayLike] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the next states."""
        return functional.lstm_cell(input, hx, *self._weights())


class GRUCell(_Cell):
    """A gated recurrent unit; see `lucid.functional.gru_cell`.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the state.
        bias: whether there are biases.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight_ih: of shape (3·hidden_size, input_size), like all drawn evenly from
            ±1/√hidden_size.
        weight_hh: of shape (3·hidden_size, hidden_size).
        bias_ih: of shape (3·hidden_size,), or None.
        bias_hh: likewise.
    """

    _gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = None
    ) -> None:
        super().__init__()
        self._check(input_size, hidden_size)
        self._make(bias, dtype)

    def forward(self, input: ArrayLike, hx: ArrayLike | None = None) -> Tensor:
        """Return the next state."""
        return functional.gru_cell(input, hx, *self._weights())
