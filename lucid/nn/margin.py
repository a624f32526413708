"""Losses by a margin and of likelihoods as objects, over the functions of `lucid.functional`.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> x, y = lucid.asarray([1.0, 2.0]), lucid.asarray([0.0, 3.0])
    >>> nn.MarginRankingLoss(margin=0.5)(x, y, lucid.ones(2))
    Tensor(0.75)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.nn.loss import Loss, WeightedLoss

__all__ = [
    "CosineEmbeddingLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "PoissonNLLLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class CosineEmbeddingLoss(Loss):
    """One less the cosine of similar pairs, and the cosine of others beyond a margin.

    See `lucid.functional.cosine_embedding_loss`.

    Args:
        margin: the largest cosine of dissimilar pairs that costs nothing.
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(self, margin: float = 0.0, reduction: str | None = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.cosine_embedding_loss(input1, input2, target, self.margin, self.reduction)


class HingeEmbeddingLoss(Loss):
    """The distance of similar pairs, and what others lack of a margin.

    See `lucid.functional.hinge_embedding_loss`.

    Args:
        margin: how far dissimilar pairs are to be.
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(self, margin: float = 1.0, reduction: str | None = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.hinge_embedding_loss(input, target, self.margin, self.reduction)


class MarginRankingLoss(Loss):
    """What the right order of two scores lacks of a margin.

    See `lucid.functional.margin_ranking_loss`.

    Args:
        margin: by how much one score is to exceed the other.
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(self, margin: float = 0.0, reduction: str | None = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.margin_ranking_loss(input1, input2, target, self.margin, self.reduction)


class TripletMarginLoss(Loss):
    """What a negative example's distance lacks of exceeding a positive one's by a margin.

    See `lucid.functional.triplet_margin_loss`.

    Args:
        margin: by how much.
        p: of the norm that measures distances.
        eps: see `lucid.functional.pairwise_distance`.
        swap: measure from the positive example where that is nearer.
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str | None = "mean",
    ) -> None:
        super().__init__(reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, self.reduction
        )


class PoissonNLLLoss(Loss):
    """The negative log-likelihood of Poisson counts; see `lucid.functional.poisson_nll_loss`.

    Args:
        log_input: whether the input is the logarithm of the rate.
        full: add Stirling's approximation of log t!.
        eps: keeps the logarithm finite.
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: str | None = "mean",
    ) -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.poisson_nll_loss(
            input, target, self.log_input, self.full, self.eps, self.reduction
        )


class GaussianNLLLoss(Loss):
    """The negative log-likelihood of normal noise; see `lucid.functional.gaussian_nll_loss`.

    Args:
        full: add the constant log(2π) / 2.
        eps: the least variance.
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(
        self, *, full: bool = False, eps: float = 1e-6, reduction: str | None = "mean"
    ) -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: ArrayLike, target: ArrayLike, var: ArrayLike) -> Tensor:
        """Return the loss."""
        options = (self.full, self.eps, self.reduction)
        return functional.gaussian_nll_loss(input, target, var, *options)


class SoftMarginLoss(Loss):
    """The logistic loss of two classes; see `lucid.functional.soft_margin_loss`.

    Args:
        reduction: "mean", "sum", or "none" (or None).
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.soft_margin_loss(input, target, self.reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """The logistic loss of many labels; see `lucid.functional.multilabel_soft_margin_loss`.

    Args:
        weight: a factor per class, of shape (classes,).
        reduction: "mean", "sum", or "none" (or None).
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        options = (self.weight, self.reduction)
        return functional.multilabel_soft_margin_loss(input, target, *options)


class MultiMarginLoss(WeightedLoss):
    """What the scores of other classes lack of a margin; see `lucid.functional.multi_margin_loss`.

    Args:
        p: 1 or 2, the power of what they lack.
        margin: by how much the score of the right class is to be the largest.
        weight: a factor per class, of shape (classes,).
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: ArrayLike | None = None,
        reduction: str | None = "mean",
    ) -> None:
        super().__init__(weight, reduction)
        self.p, self.margin = p, margin

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        options = (self.p, self.margin, self.weight, self.reduction)
        return functional.multi_margin_loss(input, target, *options)


class MultiLabelMarginLoss(Loss):
    """What other classes lack of a margin from labels; see `functional.multilabel_margin_loss`.

    Args:
        reduction: "mean", "sum", or "none" (or None).
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.multilabel_margin_loss(input, target, self.reduction)


class TripletMarginWithDistanceLoss(Loss):
    """What triplets lack of a margin, at any distance.

    See `lucid.functional.triplet_margin_with_distance_loss`.

    Args:
        distance_function: of two arrays, by default `functional.pairwise_distance`.
        margin: by how much farther the negative is to be than the positive.
        swap: whether the negative may be nearer to the positive than to the anchor.
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str | None = "mean",
    ) -> None:
        super().__init__(reduction)
        self.distance_function, self.margin, self.swap = distance_function, margin, swap

    def forward(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike) -> Tensor:
        """Return the loss."""
        names = ("distance_function", "margin", "swap", "reduction")
        options: dict[str, Any] = {name: getattr(self, name) for name in names}
        return functional.triplet_margin_with_distance_loss(anchor, positive, negative, **options)
