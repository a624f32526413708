"""The weights of attention in one operation: scaled and masked scores, and their softmax."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import fit, fit_raw, spread
from lucid.core.define import align_batch, general, move_batch_first
from lucid.core.fastpath import several
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, wrap
from lucid.ops.exponential import exp
from lucid.ops.select import where

__all__ = ["attention_weights"]


def attention_weights(scores: Tensor, mask: Tensor | None, scale: float, causal: bool) -> Tensor:
    """Return softmax(scale·scores + mask) along the last axis; 0 where everything is masked out.

    Args:
        scores: real and floating, of shape (..., queries, keys).
        mask: boolean, True where a query attends to a key; or floating, to be added. It broadcasts
            to the shape of `scores`. None is no mask.
        scale: a number.
        causal: whether query i attends to keys 0 to i only.

    Returns:
        The weights, of the shape and dtype of `scores`.
    """
    return _call((scores,) if mask is None else (scores, mask), (scale, causal))


@functools.lru_cache(maxsize=64)
def _later(queries: int, keys: int) -> Any:
    """Return where a key comes later than a query."""
    return ~np.tri(queries, keys, dtype=bool)


@np.errstate(all="ignore")
def _impl(scores: Any, *rest: Any) -> Any:
    *masks, scale, causal = rest
    ans = scores * scale
    for mask in masks:
        if mask.dtype.kind == "b":
            np.copyto(ans, -np.inf, where=~mask)
        else:
            ans += mask
    if causal:
        np.copyto(ans, -np.inf, where=_later(*ans.shape[-2:]))
    if not ans.size:
        return ans
    top = np.maximum.reduce(ans, -1, keepdims=True)
    if masks:
        top[top == -np.inf] = 0  # no key is left: exp(-inf) = 0 for all of them
    ans -= top
    np.exp(ans, ans)
    total = np.vecdot(ans, np.ones(ans.shape[-1], ans.dtype))[..., None]
    if masks:
        total[total == 0] = 1
    ans /= total
    return ans


def _change(ans: Tensor, t: Tensor) -> Tensor:
    """Apply the derivative of softmax to a tangent or cotangent: it is a symmetric matrix."""
    weighted = ans * t
    return weighted - ans * weighted.sum(-1, keepdims=True)


def _pull(ct: Tensor, needs: Any, ans: Tensor, operands: Any, scale: float, causal: bool) -> Any:
    change = _change(ans, ct)
    whole = fit(change * scale, operands[0])
    return (
        (whole, fit(change, operands[1]) if needs[1] else None) if len(operands) > 1 else (whole,)
    )


def _pull_plain(ct: Any, needs: Any, ans: Any, operands: Any, scale: float, causal: bool) -> Any:
    """Do what `_pull` does on plain arrays."""
    change = ct - np.vecdot(ans, ct)[..., None]
    change *= ans
    cts = [fit_raw(change, operands[1])] if len(operands) > 1 and needs[1] else [None]
    return [fit_raw(change * scale, operands[0]), *cts[: len(operands) - 1]]


def _push(ans: Tensor, tangents: Sequence[Any], operands: Any, scale: float, causal: bool) -> Any:
    t = None if tangents[0] is None else tangents[0] * scale
    if len(tangents) > 1 and tangents[1] is not None and operands[1].dtype.kind == "f":
        t = tangents[1] if t is None else t + tangents[1]
    return None if t is None else spread(_change(ans, t), ans)


def _batch(size: int, batched: Sequence[bool], args: Any, *params: Any) -> Tensor:
    scores = move_batch_first(size, batched[:1], args[:1])[0]
    args = align_batch((True, *batched[1:]), (scores, *args[1:]))
    return _call(tuple(args), params)


def _infer(scores: Aval, *_: Any) -> Aval:
    return scores


def _lower(scores: Tensor, *rest: Any) -> Tensor:
    *masks, scale, causal = rest
    ans = scores * scale
    for mask in masks:
        ans = where(mask, ans, -math.inf) if mask.dtype.kind == "b" else ans + mask
    if causal:
        ans = where(wrap(~_later(*scores.shape[-2:]), None), ans, -math.inf)
    top = ans.max(-1, keepdims=True)
    if masks:
        top = where(top == -math.inf, 0.0, top)
    e = exp(ans - top)
    total = e.sum(-1, keepdims=True)
    return e / (where(total == 0, 1.0, total) if masks else total)


_op = general(
    "attention_weights", _impl, infer=_infer, jvp=_push, vjp=_pull, batch=_batch, lower=_lower
)
_op.raw = (_pull_plain,)
_call = several(_op)
