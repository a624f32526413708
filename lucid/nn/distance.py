"""Distances and similarities as layers.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> x, y = lucid.asarray([[1.0, 0.0]]), lucid.asarray([[3.0, 3.0]])
    >>> nn.CosineSimilarity()(x, y).round(4)
    Tensor([0.7071])
    >>> nn.PairwiseDistance(p=1.0, eps=0.0)(x, y)
    Tensor([5.])
"""

from __future__ import annotations

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.nn.module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """The cosine of the angle between vectors; see `lucid.functional.cosine_similarity`.

    Args:
        dim: the axis along which they lie.
        eps: the least length to divide by.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: ArrayLike, x2: ArrayLike) -> Tensor:
        """Return the result."""
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The distance of vectors along the last axis; see `lucid.functional.pairwise_distance`.

    Args:
        p: of the norm.
        eps: keeps the difference from 0.
        keepdim: whether to keep the last axis with length 1.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: ArrayLike, x2: ArrayLike) -> Tensor:
        """Return the result."""
        return functional.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)
