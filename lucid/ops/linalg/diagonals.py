"""Diagonals of stacks of matrices: diagonal, trace."""

from __future__ import annotations

from operator import index
from typing import Any

from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensor, dtype_of

__all__ = ["diagonal", "trace"]


def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Tensor:
    """Return a diagonal of every matrix; `lucid.diagonal` takes other axes than the last two.

    Args:
        x: A, (..., m, n), any dtype.
        offset: which diagonal: positive above, negative below the main one.

    Returns:
        (..., k), where k is the length of that diagonal.

    Raises:
        ShapeError: if `x` has fewer than two axes.
        OperandError: if `offset` is no integer.

    Example:
        >>> import lucid
        >>> lucid.linalg.diagonal(lucid.asarray([[1, 2], [3, 4]]))
        Tensor([1, 4])
    """
    return _diagonal("diagonal", x, offset)


def trace(x: ArrayLike, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """Add up a diagonal of every matrix, Σᵢ aᵢᵢ.

    Args:
        x: A, (..., m, n), any numeric dtype.
        offset: which diagonal: positive above, negative below the main one.
        dtype: the dtype to add in; by default that of `x`, small integers as int64 or uint64.

    Returns:
        The traces, (...).

    Raises:
        ShapeError: if `x` has fewer than two axes.
        OperandError: if `offset` is no integer.

    Example:
        >>> import lucid
        >>> lucid.linalg.trace(lucid.asarray([[1, 2], [3, 4]]))
        Tensor(5)
    """
    entries = _diagonal("trace", x, offset)
    return apply(OPS["sum"], (entries,), ((entries.ndim - 1,), False, dtype_of("trace", dtype)))


def _diagonal(name: str, x: Any, offset: Any) -> Tensor:
    t = as_tensor(name, x, view=True)
    if t.ndim < 2:
        want = "an array with at least 2 axes (..., m, n)"
        raise ShapeError(message(name, want, f"shape {t.shape}"))
    if isinstance(offset, bool) or not hasattr(offset, "__index__"):
        raise OperandError(message(name, "an integer offset", repr(offset)))
    return apply(OPS["diagonal"], (t,), (index(offset), t.ndim - 2, t.ndim - 1))
