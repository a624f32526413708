"""Transformers: stacks of attention and of layers that treat every place alike.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> nn.TransformerEncoder(layer, 2)(lucid.ones((1, 5, 8))).shape
    (1, 5, 8)
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.nn import init
from lucid.nn.attention import MultiheadAttention
from lucid.nn.containers import ModuleList
from lucid.nn.dropout import Dropout
from lucid.nn.linear import Linear
from lucid.nn.module import Module
from lucid.nn.normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Tensor], Tensor]
Mask = ArrayLike | None


def _activation(name: str, activation: Activation) -> Callable[[Tensor], Tensor]:
    known = {"relu": functional.relu, "gelu": functional.gelu}
    if callable(activation):
        return activation
    if activation not in known:
        raise OptionError(message(name, '"relu", "gelu" or a function', repr(activation)))
    return known[activation]


class _Layer(Module):
    """What the layers of encoder and decoder have in common."""

    _attentions: ClassVar[tuple[str, ...]]
    self_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    dropout1: Dropout
    dropout2: Dropout

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options: dict[str, Any] = {"bias": bias, "dtype": dtype}
        for name in self._attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, batch_first=batch_first, **options
            )
            self.register_module(name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, **options)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **options)
        self.norm_first = norm_first
        parts = range(1, len(self._attentions) + 2)
        for k in parts:
            self.register_module(f"norm{k}", LayerNorm(d_model, layer_norm_eps, **options))
        for k in parts:
            self.register_module(f"dropout{k}", Dropout(dropout))
        self.activation = _activation(type(self).__name__, activation)

    def _residual(self, x: Tensor, norm: Module, block: Callable[[Tensor], Tensor]) -> Tensor:
        return functional.residual(x, block, norm, self.norm_first)

    def _attend(self, x: Tensor, *masks: Any) -> Tensor:
        return self.dropout1(self.self_attn(x, x, x, *masks)[0])

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Attend to the sequence itself, then apply two affine maps to every place.

    Args:
        d_model: the width of the sequence.
        nhead: the number of heads.
        dim_feedforward: the width between the affine maps.
        dropout: the probability of all dropouts.
        activation: "relu", "gelu", or a function, between the affine maps.
        layer_norm_eps: what normalisations add to variances.
        batch_first: whether sequences are (batch, length, width), not (length, batch, width).
        norm_first: whether normalisation comes before each part, not after it.
        bias: whether affine maps and normalisations have a bias.
        dtype: of the parameters; by default the default dtype.

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """

    _attentions = ("self_attn",)

    def forward(
        self,
        src: Tensor,
        src_mask: Mask = None,
        src_key_padding_mask: Mask = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Apply the layer."""
        masks = (src_key_padding_mask, False, src_mask, True, is_causal)
        x = self._residual(src, self.norm1, lambda y: self._attend(y, *masks))
        return self._residual(x, self.norm2, lambda y: self.dropout2(self._feed_forward(y)))


class TransformerDecoderLayer(_Layer):
    """Attend to the sequence itself, then to another one, then apply two affine maps.

    Args:
        d_model: the width of the sequences.
        nhead: the number of heads.
        dim_feedforward: the width between the affine maps.
        dropout: the probability of all dropouts.
        activation: "relu", "gelu", or a function, between the affine maps.
        layer_norm_eps: what normalisations add to variances.
        batch_first: whether sequences are (batch, length, width), not (length, batch, width).
        norm_first: whether normalisation comes before each part, not after it.
        bias: whether affine maps and normalisations have a bias.
        dtype: of the parameters; by default the default dtype.

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """

    _attentions = ("self_attn", "multihead_attn")
    multihead_attn: MultiheadAttention
    norm3: LayerNorm
    dropout3: Dropout

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Mask = None,
        memory_mask: Mask = None,
        tgt_key_padding_mask: Mask = None,
        memory_key_padding_mask: Mask = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Apply the layer."""
        own = (tgt_key_padding_mask, False, tgt_mask, True, tgt_is_causal)
        other = (memory_key_padding_mask, False, memory_mask, True, memory_is_causal)
        x = self._residual(tgt, self.norm1, lambda y: self._attend(y, *own))
        x = self._residual(x, self.norm2, lambda y: self._look(y, memory, *other))
        return self._residual(x, self.norm3, lambda y: self.dropout3(self._feed_forward(y)))

    def _look(self, x: Tensor, memory: Tensor, *masks: Any) -> Tensor:
        return self.dropout2(self.multihead_attn(x, memory, memory, *masks)[0])


class _Stack(Module):
    """Copies of a layer, one behind the other."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.register_module("norm", norm)

    def _run(self, x: Tensor, *args: Any) -> Tensor:
        for layer in self.layers:
            x = layer(x, *args)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """Apply copies of a `TransformerEncoderLayer` one after the other.

    Args:
        encoder_layer: the layer, which itself is not part of the stack.
        num_layers: how many copies.
        norm: a layer to apply last.
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self,
        src: Tensor,
        mask: Mask = None,
        src_key_padding_mask: Mask = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Apply the layers."""
        return self._run(src, mask, src_key_padding_mask, bool(is_causal))


class TransformerDecoder(_Stack):
    """Apply copies of a `TransformerDecoderLayer` one after the other.

    Args:
        decoder_layer: the layer, which itself is not part of the stack.
        num_layers: how many copies.
        norm: a layer to apply last.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Mask = None,
        memory_mask: Mask = None,
        tgt_key_padding_mask: Mask = None,
        memory_key_padding_mask: Mask = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Apply the layers."""
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self._run(tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)


class Transformer(Module):
    """An encoder, and a decoder that attends to what it makes.

    Args:
        d_model: the width of the sequences.
        nhead: the number of heads.
        num_encoder_layers: of the encoder.
        num_decoder_layers: of the decoder.
        dim_feedforward: the width between the affine maps of a layer.
        dropout: the probability of all dropouts.
        activation: "relu", "gelu", or a function, between the affine maps.
        custom_encoder: what takes the place of the encoder.
        custom_decoder: what takes the place of the decoder.
        layer_norm_eps: what normalisations add to variances.
        batch_first: whether sequences are (batch, length, width), not (length, batch, width).
        norm_first: whether normalisation comes before each part of a layer, not after it.
        bias: whether affine maps and normalisations have a bias.
        dtype: of the parameters; by default the default dtype.

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = functional.relu,
        custom_encoder: Any | None = None,
        custom_decoder: Any | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps)
        options = (*options, batch_first, norm_first, bias, dtype)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*options), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*options), num_decoder_layers, norm()
        )
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all matrices anew, after Glorot."""
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: Any = None) -> Tensor:
        """Return the mask of attention to what came before: -∞ above the diagonal, else 0."""
        return functional.square_subsequent_mask(sz, dtype)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Mask = None,
        tgt_mask: Mask = None,
        memory_mask: Mask = None,
        src_key_padding_mask: Mask = None,
        tgt_key_padding_mask: Mask = None,
        memory_key_padding_mask: Mask = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode `src`, and decode `tgt` with it."""
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        padding = (tgt_key_padding_mask, memory_key_padding_mask)
        masks = (tgt_mask, memory_mask, *padding, tgt_is_causal, memory_is_causal)
        return self.decoder(tgt, memory, *masks)
