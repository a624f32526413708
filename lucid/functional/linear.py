"""Affine maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit, spread
from lucid.core.define import general
from lucid.core.dispatch import apply, bind
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.errors import ShapeError, message
from lucid.ops.einsum import einsum

__all__ = ["bilinear", "linear"]


def linear(input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Tensor:
    """Apply an affine map to the last axis, x·Wᵀ + b.

    Args:
        input: x, of shape (..., in_features).
        weight: W, of shape (out_features, in_features), or (in_features,).
        bias: b, of shape (out_features,), or a scalar where `weight` has one axis.

    Returns:
        The result, of shape (..., out_features), or (...) where `weight` has one axis.

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.linear(lucid.ones((1, 2)), lucid.asarray([[3.0, 4.0]]), lucid.asarray([0.5]))
        Tensor([[7.5]])
    """
    return bind(_linear, (input, weight) if bias is None else (input, weight, bias))


def _impl(x: Any, w: Any, b: Any = None) -> Any:
    _shape(x, w, b)
    ans = (x if x.ndim == 2 else _rows(x)) @ w.T
    if b is not None:
        ans = np.add(ans, b, ans if np.result_type(ans, b) == ans.dtype else None)
    return ans if x.ndim == 2 else ans.reshape(x.shape[:-1] + w.shape[:-1])


def _rows(x: Any) -> Any:
    """Return all vectors along the last axis as the rows of a matrix."""
    return x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def _shape(x: Any, w: Any, b: Any = None) -> tuple[int, ...]:
    """Return the shape of the result, or raise."""
    if not x.shape or len(w.shape) not in (1, 2) or x.shape[-1] != w.shape[-1]:
        want = "an input of shape (..., in) and a weight of shape (out, in)"
        raise ShapeError(message("linear", want, f"{x.shape} and {w.shape}"))
    if isinstance(b, np.ndarray | Aval) and b.shape not in (w.shape[:-1], ()):
        raise ShapeError(message("linear", f"a bias of shape {w.shape[:-1]}", f"{b.shape}"))
    return x.shape[:-1] + w.shape[:-1]


def _infer(*avals: Aval) -> Aval:
    return Aval(_shape(*avals), np.result_type(*(a.dtype for a in avals if not a.weak)))


def _jvp(ans: Tensor, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
    x, w = operands[:2]
    terms = []
    if tangents[0] is not None:
        terms.append(apply(_linear, (tangents[0], w)))
    if tangents[1] is not None:
        terms.append(apply(_linear, (x, tangents[1])))
    terms += [t for t in tangents[2:] if t is not None]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return spread(total, ans)


def _input_vjp(ct: Tensor, ans: Tensor, x: Tensor, w: Tensor, b: Any = None) -> Tensor:
    w = conj(w)
    return fit(ct @ w if w.ndim == 2 else ct.reshape((*ct.shape, 1)) * w, x)


def _weight_vjp(ct: Tensor, ans: Tensor, x: Tensor, w: Tensor, b: Any = None) -> Tensor:
    if x.ndim != 2:
        x = _rows(x)
    if w.ndim == 1:
        return fit(ct.reshape((x.shape[0],)) @ conj(x), w)
    if ct.ndim != 2:
        ct = ct.reshape((x.shape[0], w.shape[0]))
    return fit(ct.mT @ conj(x), w)


def _batch(size: int, batched: Sequence[bool], operands: Sequence[Any]) -> Tensor:
    if not any(batched[1:]):  # the input has one leading axis more, like any other
        return apply(_linear, tuple(operands))
    x, w = operands[:2]
    matrix = w.ndim - batched[1] == 2
    if not matrix:
        w = w.reshape((*w.shape[:-1], 1, w.shape[-1]))
    lead = x.shape[batched[0] : -1]
    if not batched[1]:
        ans = x @ w.mT
    else:  # one matrix each: rows in one axis
        rows = math.prod(lead)
        x = x.reshape((size, rows, x.shape[-1]) if batched[0] else (rows, x.shape[-1]))
        ans = (x @ w.mT).reshape((size, *lead, w.shape[-2]))
    if not matrix:
        ans = ans.reshape(ans.shape[:-1])
    if len(operands) == 3:
        b = operands[2]
        if batched[2]:
            ans_ndim = len(lead) + 1 + matrix
            b = b.reshape((size, *(1,) * (ans_ndim - b.ndim), *b.shape[1:]))
        ans = ans + b
    return ans


_linear = general(
    "linear",
    _impl,
    infer=_infer,
    jvp=_jvp,
    vjps=[_input_vjp, _weight_vjp, lambda ct, ans, x, w, b: fit(ct, b)],
    batch=_batch,
)


def bilinear(
    input1: ArrayLike, input2: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None
) -> Tensor:
    """Apply a bilinear map to the last axes, yₒ = Σᵢⱼ x1ᵢ Wₒᵢⱼ x2ⱼ + bₒ.

    Args:
        input1: x1, of shape (..., in1_features).
        input2: x2, of shape (..., in2_features), with the same leading axes.
        weight: W, of shape (out_features, in1_features, in2_features).
        bias: b, of shape (out_features,).

    Returns:
        The result, of shape (..., out_features).

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([2.0, 3.0])
        >>> functional.bilinear(x, x, lucid.ones((1, 2, 2)))
        Tensor([25.])
    """
    ans = einsum("...i,oij,...j->...o", input1, weight, input2)
    return ans if bias is None else ans + bias
