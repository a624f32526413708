"""Attention: averages of values, weighted by how well their keys match a query."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OptionError, ShapeError, message
from lucid.functional.attention_weights import attention_weights
from lucid.functional.dropout import dropout
from lucid.functional.linear import linear
from lucid.functional.parts import divide
from lucid.ops.arrange import repeat
from lucid.ops.axes import as_tensor, as_tensors
from lucid.ops.creation import zeros
from lucid.ops.join import concat
from lucid.ops.random.keys import Key
from lucid.ops.select import where
from lucid.ops.shape import broadcast_to

__all__ = [
    "multi_head_attention_forward",
    "scaled_dot_product_attention",
    "square_subsequent_mask",
]


def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    dropout_key: Key | None = None,
) -> Tensor:
    """Return softmax(scale·Q Kᵀ + mask) V.

    A query that may attend to no key gives zeros.

    Args:
        query: Q, of shape (..., heads, queries, width).
        key: K, of shape (..., heads, keys, width).
        value: V, of shape (..., heads, keys, value width).
        attn_mask: boolean, True where a query attends to a key; or floating, to be added to the
            scores. It broadcasts to (..., heads, queries, keys).
        dropout_p: the probability with which weights are set to zero.
        is_causal: whether query i attends to keys 0 to i only; then there is no `attn_mask`.
        scale: by default 1/√width.
        enable_gqa: whether keys and values may have fewer heads, each for several of the queries'.
        dropout_key: a random key for the dropout; by default the default generator's next one.

    Returns:
        An array of shape (..., heads, queries, value width).

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: if both `attn_mask` and `is_causal` are given.
        DTypeError: if the mask is neither boolean nor floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[1.0, 0.0], [0.0, 1.0]])
        >>> functional.scaled_dot_product_attention(x, x, x, is_causal=True, scale=0.0)
        Tensor([[1. , 0. ],
                [0.5, 0.5]])

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """
    name = "scaled_dot_product_attention"
    if attn_mask is not None and is_causal:
        raise OptionError(message(name, "attn_mask or is_causal", "both"))
    q, k, v = as_tensors(name, (query, key, value))
    if min(q.ndim, k.ndim, v.ndim) < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        want = "shapes (..., n, d), (..., m, d) and (..., m, e)"
        raise ShapeError(message(name, want, f"{q.shape}, {k.shape} and {v.shape}"))
    if enable_gqa:
        k, v = (_repeat_heads(name, q, x) for x in (k, v))
    mask = None if attn_mask is None else _check_mask(name, attn_mask, q.dtype)
    weights = _weights(q, k, mask, is_causal, scale)
    return dropout(weights, dropout_p, key=dropout_key) @ v if dropout_p else weights @ v


def _repeat_heads(name: str, q: Tensor, x: Tensor) -> Tensor:
    if min(q.ndim, x.ndim) < 3 or q.shape[-3] % x.shape[-3]:
        want = "a number of heads that divides the queries'"
        raise ShapeError(message(name, want, f"{x.shape} for {q.shape}"))
    count = q.shape[-3] // x.shape[-3]
    return x if count == 1 else repeat(x, count, axis=-3)


def _check_mask(name: str, mask: ArrayLike, dtype: np.dtype[Any]) -> Tensor:
    m = as_tensor(name, mask)
    if m.dtype.kind not in "bf":
        raise DTypeError(message(name, "a boolean or floating mask", str(m.dtype)))
    return m if m.dtype.kind == "b" or m.dtype == dtype else m.astype(dtype)


def _weights(
    q: Tensor, k: Tensor, mask: Tensor | None, causal: bool, scale: float | None
) -> Tensor:
    scale = 1 / math.sqrt(max(q.shape[-1], 1)) if scale is None else float(scale)
    return attention_weights(q @ k.mT, mask, scale, causal)


def square_subsequent_mask(size: int, dtype: Any = None) -> Tensor:
    """Return the mask of attention to what came before: -∞ above the diagonal, and 0 elsewhere.

    Args:
        size: how many queries and keys there are.
        dtype: floating; by default the default dtype.

    Returns:
        An array of shape (size, size).

    Example:
        >>> from lucid import functional
        >>> functional.square_subsequent_mask(2)
        Tensor([[  0., -inf],
                [  0.,   0.]])
    """
    dtype = get_default_dtype() if dtype is None else dtype
    return Tensor(np.triu(np.full((size, size), -np.inf, dtype), 1))


# -- with projections ------------------------------------------------------------------------------


class _Layout(NamedTuple):
    """Where the axes of a sequence are, and the sizes that all parts share."""

    single: bool  # no batch axis was given
    batch_first: bool
    batch: int
    heads: int
    width: int

    def split(self, x: Tensor) -> Tensor:
        """Return an array of shape (length, batch, embedding) as (batch, heads, length, width)."""
        x = x.reshape((*x.shape[:2], self.heads, self.width))
        return x.transpose((0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3))

    def join(self, x: Tensor) -> Tensor:
        """Undo `split`."""
        x = x.transpose((0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3))
        return x.reshape((*x.shape[:2], self.heads * self.width))


def multi_head_attention_forward(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: ArrayLike | None,
    in_proj_bias: ArrayLike | None,
    bias_k: ArrayLike | None,
    bias_v: ArrayLike | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: ArrayLike,
    out_proj_bias: ArrayLike | None,
    training: bool = True,
    key_padding_mask: ArrayLike | None = None,
    need_weights: bool = True,
    attn_mask: ArrayLike | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: ArrayLike | None = None,
    k_proj_weight: ArrayLike | None = None,
    v_proj_weight: ArrayLike | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    batch_first: bool = False,
    dropout_key: Key | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Project queries, keys and values, attend with several heads, and project the result.

    In both masks of booleans True forbids to attend, other than in `scaled_dot_product_attention`;
    floating ones are added.

    Args:
        query: of shape (queries, batch, embed_dim), or without the batch.
        key: of shape (keys, batch, embed_dim), or another width where weights are separate.
        value: likewise.
        embed_dim_to_check: the width of `query`.
        num_heads: of which each has an equal part of the width.
        in_proj_weight: of shape (3·embed_dim, embed_dim), for queries, keys and values.
        in_proj_bias: of shape (3·embed_dim,), or None.
        bias_k: of shape (1, 1, embed_dim), one more key for all; or None.
        bias_v: its value.
        add_zero_attn: whether there is one more key, and value, of zeros.
        dropout_p: the probability with which weights are set to zero.
        out_proj_weight: of shape (embed_dim, embed_dim).
        out_proj_bias: of shape (embed_dim,), or None.
        training: whether there is any dropout.
        key_padding_mask: of shape (batch, keys), of keys that nothing attends to.
        need_weights: whether weights are returned.
        attn_mask: of shape (queries, keys), or (batch·num_heads, queries, keys).
        use_separate_proj_weight: whether the three following are used.
        q_proj_weight: of shape (embed_dim, embed_dim).
        k_proj_weight: of shape (embed_dim, width of `key`).
        v_proj_weight: of shape (embed_dim, width of `value`).
        average_attn_weights: whether the weights returned are averaged over heads.
        is_causal: whether `attn_mask` is known to be causal; there must be one.
        batch_first: whether the batch is the first axis of the sequences.
        dropout_key: a random key for the dropout; by default the default generator's next one.

    Returns:
        ``(output, weights)``: the output as `query`; weights of shape (batch, queries, keys), or
        (batch, num_heads, queries, keys), or None.

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: if arguments that belong together are missing.
        DTypeError: if a mask is neither boolean nor floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x, eye = lucid.ones((3, 1, 2)), lucid.eye(2)
        >>> w = lucid.concat([eye, eye, eye])
        >>> more = (None, None, None, False, 0.0, eye, None)
        >>> y, weights = functional.multi_head_attention_forward(x, x, x, 2, 1, w, *more)
        >>> y.shape, weights.shape
        ((3, 1, 2), (1, 3, 3))

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """
    given = (query, key, value)
    weights = (q_proj_weight, k_proj_weight, v_proj_weight)
    if not use_separate_proj_weight:
        weights = (in_proj_weight, None, None)
    layout = _check_sequences(given, embed_dim_to_check, num_heads, batch_first)
    q, k, v = _project(given, weights, in_proj_bias, layout)
    k = _extend(k, bias_k, add_zero_attn, layout)
    v = _extend(v, bias_v, add_zero_attn, layout)
    if is_causal and attn_mask is None:
        raise OptionError(message(_NAME, "attn_mask where is_causal is set", "None"))
    own = (q.shape[2], k.shape[2] - add_zero_attn - (bias_k is not None))
    causal = bool(is_causal and key_padding_mask is None and not need_weights)
    mask = _merge(None if causal else attn_mask, key_padding_mask, layout, q.dtype, own, k.shape[2])
    shares = _weights(q, k, mask, causal, None)
    if training and dropout_p:
        shares = dropout(shares, dropout_p, key=dropout_key)
    y = linear(layout.join(shares @ v), out_proj_weight, out_proj_bias)
    y = y.reshape((y.shape[int(batch_first)], y.shape[2])) if layout.single else y
    if not need_weights:
        return y, None
    shares = shares.mean(1) if average_attn_weights else shares
    return y, shares[0] if layout.single else shares


_NAME = "multi_head_attention"


def _check_sequences(given: Any, embedding: int, heads: int, batch_first: bool) -> _Layout:
    shapes = [x.shape for x in given]
    q, k, v = shapes
    if q[-1:] != (embedding,) or heads < 1 or embedding % heads:
        want = f"queries of width {embedding}, and heads that divide it"
        raise ShapeError(message(_NAME, want, f"shape {q} and {heads} heads"))
    ranks = {len(s) for s in shapes}
    batch = [s[0 if batch_first else 1] for s in shapes] if ranks == {3} else [1]
    if len(ranks) > 1 or not ranks <= {2, 3} or k[:-1] != v[:-1] or len(set(batch)) > 1:
        want = "sequences of 3 axes with one batch, or of 2, and a value for every key"
        raise ShapeError(message(_NAME, want, f"{q}, {k} and {v}"))
    return _Layout(ranks == {2}, batch_first, batch[0], heads, embedding // heads)


def _project(given: Any, weights: Any, bias: Any, layout: _Layout) -> list[Tensor]:
    """Return queries, keys and values, of shape (batch, heads, length, width)."""
    q, k, v = given
    packed = weights[1] is None
    if weights[0] is None or (not packed and weights[2] is None):
        want = "in_proj_weight, or q_proj_weight, k_proj_weight and v_proj_weight"
        raise OptionError(message(_NAME, want, "None"))
    if q is k and k is v:
        whole = _sequence(q, layout)
        if packed:
            return [layout.split(x) for x in divide(linear(whole, weights[0], bias), 3, 2)]
        sequences = [whole] * 3
    else:
        sequences = [_sequence(x, layout) for x in given]
    matrices = divide(as_tensor(_NAME, weights[0]), 3, 0) if packed else weights
    biases = (None,) * 3 if bias is None else divide(as_tensor(_NAME, bias), 3, 0)
    every = zip(sequences, matrices, biases, strict=True)
    return [layout.split(linear(x, w, b)) for x, w, b in every]


def _sequence(x: ArrayLike, layout: _Layout) -> Tensor:
    t = as_tensor(_NAME, x)
    if not layout.single:
        return t
    return t.reshape((1, *t.shape) if layout.batch_first else (t.shape[0], 1, t.shape[1]))


def _extend(x: Tensor, bias: ArrayLike | None, zero: bool, layout: _Layout) -> Tensor:
    """Put one more key or value, and one of zeros, behind the others."""
    one = (layout.batch, layout.heads, 1, layout.width)
    parts = [x]
    if bias is not None:
        rows = as_tensor(_NAME, bias).reshape((1, layout.heads, 1, layout.width))
        parts.append(broadcast_to(rows, one))
    if zero:
        parts.append(zeros(one, dtype=x.dtype))
    return x if len(parts) == 1 else concat(parts, axis=2)


def _merge(
    attention: Any, padding: Any, layout: _Layout, dtype: Any, own: tuple[int, int], keys: int
) -> Tensor | None:
    """Return both masks as one, to be added or to attend by; None if there is none."""
    masks: list[Tensor] = []
    if attention is not None:
        shapes = {2: own, 3: (layout.batch * layout.heads, *own)}
        mask = _fitting("attn_mask", attention, shapes, dtype)
        one = (1, 1) if mask.ndim == 2 else (layout.batch, layout.heads)
        masks.append(mask.reshape((*one, *own)))
    if padding is not None:
        shapes = {1: own[1:]} if layout.single else {2: (layout.batch, own[1])}
        mask = _fitting("key_padding_mask", padding, shapes, dtype)
        masks.append(mask.reshape((layout.batch, 1, 1, own[1])))
    if keys > own[1]:  # nothing forbids to attend to those put behind
        masks = [
            concat([m, zeros((*m.shape[:-1], keys - own[1]), dtype=m.dtype)], axis=3) for m in masks
        ]
    if all(m.dtype.kind == "b" for m in masks):
        masks = [~m for m in masks]
        return masks[0] & masks[1] if len(masks) == 2 else (masks or [None])[0]
    masks = [where(m, np.asarray(-np.inf, dtype), 0) if m.dtype.kind == "b" else m for m in masks]
    return masks[0] + masks[1] if len(masks) == 2 else masks[0]


def _fitting(what: str, mask: Any, shapes: dict[int, Any], dtype: Any) -> Tensor:
    m = _check_mask(_NAME, mask, dtype)
    if m.shape != shapes.get(m.ndim):
        want = f"{what} of shape {' or '.join(map(str, shapes.values()))}"
        raise ShapeError(message(_NAME, want, f"shape {m.shape}"))
    return m
