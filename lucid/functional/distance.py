"""Distances and similarities between vectors."""

from __future__ import annotations

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.ops.axes import as_tensors, axis_of
from lucid.ops.linalg.norms import vector_norm
from lucid.ops.select import maximum

__all__ = ["cosine_similarity", "pairwise_distance"]


def cosine_similarity(x1: ArrayLike, x2: ArrayLike, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between vectors, x1·x2 / (max(‖x1‖, eps)·max(‖x2‖, eps)).

    Args:
        x1: vectors along an axis, of any shape.
        x2: vectors, of a shape that broadcasts with that of `x1`.
        dim: the axis.
        eps: the least length to divide by.

    Returns:
        The cosines, without the axis.

    Raises:
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([1.0, 0.0])
        >>> functional.cosine_similarity(x, lucid.asarray([1.0, 1.0]), dim=0)
        Tensor(0.70710678)
    """
    a, b = as_tensors("cosine_similarity", (x1, x2))
    axis = axis_of("cosine_similarity", dim, max(a.ndim, b.ndim))
    behind = axis - max(a.ndim, b.ndim)  # counted from the end it is the same axis of both
    lengths = [maximum(vector_norm(v, axis=behind), eps) for v in (a, b)]
    return (a * b).sum(behind) / (lengths[0] * lengths[1])


def pairwise_distance(
    x1: ArrayLike, x2: ArrayLike, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the distance ‖x1 - x2 + eps‖ₚ of vectors along the last axis.

    Args:
        x1: vectors along the last axis.
        x2: vectors, of a shape that broadcasts with that of `x1`.
        p: of the norm.
        eps: a small number, which keeps the difference from 0.
        keepdim: whether to keep the last axis with length 1.

    Returns:
        The distances.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.pairwise_distance(lucid.asarray([3.0, 4.0]), lucid.zeros(2), eps=0.0)
        Tensor(5.)
    """
    a, b = as_tensors("pairwise_distance", (x1, x2))
    return vector_norm(a - b + eps, axis=-1, ord=p, keepdims=keepdim)
