"""Losses as objects, over the functions of `lucid.functional`.

Every loss has the attribute `reduction`: "mean" (the default), "sum", or "none" (or None).

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> x = lucid.Tensor([[2.5, 0.0, 2.0, 8.0]], requires_grad=True)
    >>> loss = nn.MSELoss()(x, lucid.Tensor([[3.0, -0.5, 2.0, 7.0]]))
    >>> loss.backward()
    >>> loss.item(), x.grad
    (0.375, Tensor([[-0.25,  0.25,  0.  ,  0.5 ]]))
"""

from __future__ import annotations

from typing import Any

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.functional.checks import reduction_of
from lucid.nn.module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
]


class Loss(Module):
    """Base class of losses.

    Args:
        reduction: "mean", "sum", or "none" (or None).

    Raises:
        OptionError: if `reduction` is none of these.
    """

    reduction: str | None
    _reductions: tuple[str, ...] = ()

    def __init__(self, reduction: str | None = "mean") -> None:
        super().__init__()
        reduction_of(type(self).__name__, reduction, *self._reductions)
        self.reduction = reduction

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class MSELoss(Loss):
    """The mean squared error Σᵢ |xᵢ - yᵢ|² / n; see `lucid.functional.mse_loss`.

    Args:
        reduction: "mean", "sum", or "none" (or None).

    Raises:
        OptionError: if `reduction` is none of these.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> criterion = nn.MSELoss(reduction="sum")
        >>> criterion(lucid.asarray([[1.0, 2.0, 3.0]]), lucid.asarray([[1.5, 2.5, 3.5]]))
        Tensor(0.75)
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """The mean absolute error; see `lucid.functional.l1_loss`.

    Args:
        reduction: "mean", "sum", or "none" (or None).
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.l1_loss(input, target, self.reduction)


class HuberLoss(Loss):
    """Quadratic near the target, linear beyond; see `lucid.functional.huber_loss`.

    Args:
        reduction: "mean", "sum", or "none" (or None).
        delta: where it becomes linear.
    """

    def __init__(self, reduction: str | None = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """The absolute error, smooth near the target; see `lucid.functional.smooth_l1_loss`.

    Args:
        reduction: "mean", "sum", or "none" (or None).
        beta: where it becomes linear.
    """

    def __init__(self, reduction: str | None = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.smooth_l1_loss(input, target, self.reduction, self.beta)


class WeightedLoss(Loss):
    """A loss with constant weights, kept as a buffer."""

    weight: Tensor | None

    def __init__(self, weight: ArrayLike | None = None, reduction: str | None = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(WeightedLoss):
    """The cross entropy of scores and classes; see `lucid.functional.cross_entropy`.

    Args:
        weight: a factor per class, of shape (classes,).
        ignore_index: an index whose entries do not count.
        reduction: "mean", "sum", or "none" (or None).
        label_smoothing: the share that is spread evenly over all classes.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.CrossEntropyLoss()(lucid.asarray([[0.0, 0.0]]), lucid.asarray([1]))
        Tensor(0.69314718)
    """

    def __init__(
        self,
        weight: ArrayLike | None = None,
        ignore_index: int = -100,
        reduction: str | None = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        options = (self.ignore_index, self.reduction, self.label_smoothing)
        return functional.cross_entropy(input, target, self.weight, *options)


class NLLLoss(WeightedLoss):
    """The negative log-likelihood of classes; see `lucid.functional.nll_loss`.

    Args:
        weight: a factor per class, of shape (classes,).
        ignore_index: an index whose entries do not count.
        reduction: "mean", "sum", or "none" (or None).
    """

    def __init__(
        self,
        weight: ArrayLike | None = None,
        ignore_index: int = -100,
        reduction: str | None = "mean",
    ) -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        options = (self.ignore_index, self.reduction)
        return functional.nll_loss(input, target, self.weight, *options)


class BCELoss(WeightedLoss):
    """The cross entropy of probabilities; see `lucid.functional.binary_cross_entropy`.

    Args:
        weight: factors of the losses, of a shape that broadcasts to that of the input.
        reduction: "mean", "sum", or "none" (or None).
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """`BCELoss` of sigmoid(x); see `lucid.functional.binary_cross_entropy_with_logits`.

    Args:
        weight: factors of the losses, of a shape that broadcasts to that of the input.
        reduction: "mean", "sum", or "none" (or None).
        pos_weight: factors of the terms of the positive class.
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: ArrayLike | None = None,
        reduction: str | None = "mean",
        pos_weight: ArrayLike | None = None,
    ) -> None:
        super().__init__(weight, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        options = (self.weight, self.pos_weight, self.reduction)
        return functional.binary_cross_entropy_with_logits(input, target, *options)


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence; see `lucid.functional.kl_div`.

    Args:
        reduction: "mean", "batchmean", "sum", or "none" (or None).
        log_target: whether the target holds log-probabilities.
    """

    _reductions = ("batchmean",)

    def __init__(self, reduction: str | None = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        """Return the loss."""
        return functional.kl_div(input, target, self.reduction, self.log_target)


class CTCLoss(Loss):
    """-log of the probability of labels whose times are not known; see `functional.ctc_loss`.

    Args:
        blank: the class that is no label.
        reduction: "mean", "sum", or "none" (or None).
        zero_infinity: whether the loss of labels that do not fit into the time is 0.
    """

    def __init__(
        self, blank: int = 0, reduction: str | None = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self, log_probs: ArrayLike, targets: ArrayLike, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        """Return the loss."""
        options = (self.blank, self.reduction, self.zero_infinity)
        return functional.ctc_loss(log_probs, targets, input_lengths, target_lengths, *options)
