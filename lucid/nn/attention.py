"""Attention as a layer.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = lucid.ones((1, 5, 8))
    >>> y, weights = layer(x, x, x)
    >>> y.shape, weights.shape
    ((1, 5, 8), (1, 5, 5))
"""

from __future__ import annotations

from typing import Any

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.nn import init
from lucid.nn.layer import Layer
from lucid.nn.linear import Linear
from lucid.nn.parameter import Parameter, blank

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Layer):
    """Attend with several heads; see `lucid.functional.multi_head_attention_forward`.

    Args:
        embed_dim: the width of queries and of the output.
        num_heads: of which each has an equal part of the width.
        dropout: the probability with which weights are set to zero in training.
        bias: whether projections have a bias.
        add_bias_kv: whether there is one more, learned, key and value.
        add_zero_attn: whether there is one more key and value of zeros.
        kdim: the width of keys, by default `embed_dim`.
        vdim: the width of values, by default `embed_dim`.
        batch_first: whether sequences are (batch, length, width), not (length, batch, width).
        dtype: of the parameters; by default the default dtype.

    Attributes:
        in_proj_weight: of shape (3·embed_dim, embed_dim), after Glorot; or None.
        q_proj_weight: of shape (embed_dim, embed_dim), where widths differ; otherwise None.
        k_proj_weight: of shape (embed_dim, kdim), likewise.
        v_proj_weight: of shape (embed_dim, vdim), likewise.
        in_proj_bias: of shape (3·embed_dim,), at first 0; or None.
        out_proj: the `Linear` layer that makes the output.
        bias_k: of shape (1, 1, embed_dim), after Glorot; or None.
        bias_v: likewise.

    Raises:
        OptionError: if `num_heads` does not divide `embed_dim`.
    """

    _options = ("embed_dim", "num_heads")

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim < 1 or embed_dim % num_heads:
            want = "num_heads that divides embed_dim"
            raise OptionError(message("MultiheadAttention", want, f"{num_heads} and {embed_dim}"))
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self.separate = (self.kdim, self.vdim) != (embed_dim, embed_dim)
        widths = {"q": embed_dim, "k": self.kdim, "v": self.vdim}
        for letter, width in widths.items():
            weight = blank((embed_dim, width), dtype) if self.separate else None
            self.register_parameter(f"{letter}_proj_weight", weight)
        packed = None if self.separate else blank((3 * embed_dim, embed_dim), dtype)
        self.register_parameter("in_proj_weight", packed)
        self.register_parameter("in_proj_bias", blank((3 * embed_dim,), dtype) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype)
        for letter in "kv":
            row = blank((1, 1, embed_dim), dtype) if add_bias_kv else None
            self.register_parameter(f"bias_{letter}", row)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        for name, p in self._parameters.items():
            if p is not None and name.endswith("weight"):
                init.xavier_uniform_(p)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for p in (self.bias_k, self.bias_v):
            if p is not None:
                init.xavier_normal_(p)

    def forward(
        self,
        query: ArrayLike,
        key: ArrayLike,
        value: ArrayLike,
        key_padding_mask: ArrayLike | None = None,
        need_weights: bool = True,
        attn_mask: ArrayLike | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the output and, if they are needed, the weights."""
        masks = (key_padding_mask, need_weights, attn_mask)
        separate = (self.separate, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        rest = (*masks, *separate, average_attn_weights, is_causal)
        given: list[Any] = [query, key, value, *self._shared(), self.training, *rest]
        return functional.multi_head_attention_forward(*given, batch_first=self.batch_first)

    def _shared(self) -> tuple[Any, ...]:
        sizes = (self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias)
        more = (self.bias_k, self.bias_v, self.add_zero_attn, self.dropout)
        return (*sizes, *more, self.out_proj.weight, self.out_proj.bias)
