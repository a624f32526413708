"""Distances and similarities between vectors."""

from __future__ import annotations

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import ShapeError, message
from lucid.ops.axes import as_tensor, as_tensors, axis_of
from lucid.ops.linalg.norms import vector_norm
from lucid.ops.select import maximum

__all__ = ["cdist", "cosine_similarity", "pairwise_distance", "pdist"]


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


def cdist(x1: ArrayLike, x2: ArrayLike, p: float = 2.0) -> Tensor:
    """Return the distance ‖x1ᵢ - x2ⱼ‖ₚ of every vector of one array from every one of another.

    Args:
        x1: vectors along the last axis, of shape (..., n, width).
        x2: vectors, of shape (..., m, width).
        p: of the norm.

    Returns:
        The distances, of shape (..., n, m).

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.cdist(lucid.asarray([[0.0], [1.0]]), lucid.asarray([[3.0]]))
        Tensor([[3.],
                [2.]])
    """
    a, b = as_tensors("cdist", (x1, x2))
    if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-1]:
        want = "shapes (..., n, width) and (..., m, width)"
        raise ShapeError(message("cdist", want, f"{a.shape} and {b.shape}"))
    a = a.reshape((*a.shape[:-1], 1, a.shape[-1]))
    b = b.reshape((*b.shape[:-2], 1, *b.shape[-2:]))
    return vector_norm(a - b, axis=-1, ord=p)


def pdist(input: ArrayLike, p: float = 2.0) -> Tensor:
    """Return the distance ‖xᵢ - xⱼ‖ₚ of every vector from every one behind it.

    Args:
        input: vectors x, of shape (n, width).
        p: of the norm.

    Returns:
        The n·(n - 1)/2 distances, row by row.

    Raises:
        ShapeError: if `input` is no matrix.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.pdist(lucid.asarray([[0.0], [1.0], [3.0]]))
        Tensor([1., 3., 2.])
    """
    x = as_tensor("pdist", input)
    if x.ndim != 2:
        raise ShapeError(message("pdist", "an input of shape (n, width)", f"shape {x.shape}"))
    first, second = np.triu_indices(x.shape[0], 1)
    return vector_norm(x[first] - x[second], axis=-1, ord=p)
