"""Convolution and correlation of two vectors."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from lucid.core.cotangent import conj
from lucid.core.define import bilinear, move_batch_first
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensors
from lucid.ops.permute import flip

__all__ = ["convolve", "correlate"]


def convolve(x1: ArrayLike, x2: ArrayLike, /, mode: str = "full") -> Tensor:
    """Convolve two vectors, yₖ = Σᵢ x1ᵢ x2ₖ₋ᵢ.

    Args:
        x1: a vector of length m.
        x2: a vector of length n.
        mode: "full" for all m + n - 1 places where the vectors overlap, "same" for the max(m, n)
            places in their middle, "valid" for the places where they overlap completely.

    Returns:
        The convolution, of the promoted dtype.

    Raises:
        ShapeError: if an operand is no vector, or empty.
        OperandError: for another mode.

    Example:
        >>> import lucid
        >>> lucid.convolve(lucid.asarray([1.0, 2.0, 3.0]), lucid.asarray([0.0, 1.0, 0.5]))
        Tensor([0. , 1. , 2.5, 4. , 1.5])
    """
    x, y = _vectors("convolve", x1, x2, mode)
    if x.size < y.size:
        x, y = y, x
    if mode != "same":
        return _convolve(x, y, mode)
    start = (y.size - 1) // 2
    return _convolve(x, y, "full")[start : start + x.size]


def correlate(x1: ArrayLike, x2: ArrayLike, /, mode: str = "valid") -> Tensor:
    """Correlate two vectors, yₖ = Σᵢ x1ᵢ₊ₖ conj(x2ᵢ).

    Args:
        x1: a vector of length m.
        x2: a vector of length n, which is conjugated.
        mode: "full", "same" or "valid", as in `convolve`.

    Returns:
        The correlation, of the promoted dtype.

    Raises:
        ShapeError: if an operand is no vector, or empty.
        OperandError: for another mode.

    Example:
        >>> import lucid
        >>> lucid.correlate(lucid.asarray([1.0, 2.0, 3.0]), lucid.asarray([0.0, 1.0, 0.5]))
        Tensor([3.5])
    """
    x, y = _vectors("correlate", x1, x2, mode)
    y = flip(conj(y))
    if mode != "same":
        return convolve(x, y, mode)
    start = (min(x.size, y.size) - (x.size >= y.size)) // 2
    return convolve(x, y)[start : start + max(x.size, y.size)]


def _vectors(name: str, x1: Any, x2: Any, mode: str) -> list[Tensor]:
    if mode not in ("full", "same", "valid"):
        raise OperandError(message(name, 'mode "full", "same" or "valid"', repr(mode)))
    x, y = as_tensors(name, (x1, x2))
    if x.ndim != 1 or y.ndim != 1 or not x.size or not y.size:
        got = f"shapes {x.shape} and {y.shape}"
        raise ShapeError(message(name, "two vectors of length 1 or more", got))
    return [x, y]


def _convolve(x: Tensor, y: Tensor, mode: str) -> Tensor:
    """Convolve along the last axis; for "valid" `x` is the longer one."""
    return apply(OPS["convolve"], (x, y), (mode,))


def _convolve_impl(x: Any, y: Any, mode: str) -> Any:
    if x.ndim == y.ndim == 1:
        return np.convolve(x, y, cast("Any", mode))
    m, n = x.shape[-1], y.shape[-1]
    if m < n:
        x, y, m, n = y, x, n, m
    stack = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    full = np.zeros((*stack, m + n - 1), np.result_type(x, y))
    for i in range(n):
        full[..., i : i + m] += x * y[..., i : i + 1]
    return full if mode == "full" else full[..., n - 1 : m]


def _left(ct: Tensor, x: Tensor, y: Tensor, mode: str) -> Tensor:
    return _convolve(ct, _reversed(y), "valid" if mode == "full" else "full")


def _right(ct: Tensor, x: Tensor, y: Tensor, mode: str) -> Tensor:
    return (
        _convolve(ct, _reversed(x), "valid")
        if mode == "full"
        else _convolve(_reversed(x), ct, mode)
    )


def _reversed(x: Tensor) -> Tensor:
    return apply(OPS["flip"], (x,), ((x.ndim - 1,),))


def _batch_convolve(size: int, batched: Any, operands: Any, mode: str) -> Tensor:
    x, y = move_batch_first(size, batched, operands)
    return _convolve(x, y, mode)


def _infer_convolve(x: Aval, y: Aval, mode: str) -> Aval:
    m, n = x.shape[-1], y.shape[-1]
    stack = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    length = m + n - 1 if mode == "full" else m - n + 1
    return Aval((*stack, length), np.result_type(x.dtype, y.dtype))


bilinear(
    "convolve",
    _convolve_impl,
    transpose_lhs=_left,
    transpose_rhs=_right,
    batch=_batch_convolve,
    infer=_infer_convolve,
)
