"""Losses of classification and ranking by a margin, and likelihoods of counts and noisy numbers."""

from __future__ import annotations

import math
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.activation import logsigmoid, softplus
from lucid.functional.checks import check_same_shape, reduce_loss, reduction_of
from lucid.functional.distance import cosine_similarity, pairwise_distance
from lucid.functional.rectifier import relu
from lucid.ops.axes import as_tensors
from lucid.ops.exponential import exp, log
from lucid.ops.select import maximum, minimum, where

__all__ = [
    "cosine_embedding_loss",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multilabel_soft_margin_loss",
    "poisson_nll_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
]


def hinge_embedding_loss(
    input: ArrayLike, target: ArrayLike, margin: float = 1.0, reduction: str | None = "mean"
) -> Tensor:
    """Return the mean of x where the target is 1, and of max(0, margin - x) where it is -1.

    Args:
        input: x, distances of any shape.
        target: 1 or -1, of the same shape.
        margin: how far dissimilar pairs are to be.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x, y = lucid.asarray([0.5, 0.25]), lucid.asarray([1, -1])
        >>> functional.hinge_embedding_loss(x, y, reduction="none")
        Tensor([0.5 , 0.75])
    """
    reduction = reduction_of("hinge_embedding_loss", reduction)
    check_same_shape("hinge_embedding_loss", input, target)
    x, y = as_tensors("hinge_embedding_loss", (input, target))
    return reduce_loss(where(y == 1, x, relu(margin - x)), reduction)


def margin_ranking_loss(
    input1: ArrayLike,
    input2: ArrayLike,
    target: ArrayLike,
    margin: float = 0.0,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the mean of max(0, margin - y·(x1 - x2)).

    Args:
        input1: x1, scores of any shape.
        input2: x2, scores of the same shape.
        target: y, 1 where x1 is to be larger and -1 where x2 is, of the same shape or a scalar.
        margin: by how much.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of the inputs, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.margin_ranking_loss(lucid.asarray([1.0]), lucid.asarray([3.0]), 1)
        Tensor(2.)
    """
    name = "margin_ranking_loss"
    reduction = reduction_of(name, reduction)
    check_same_shape(name, input1, input2)
    check_same_shape(name, input1, target)
    a, b, y = as_tensors(name, (input1, input2, target))
    return reduce_loss(relu(margin - y * (a - b)), reduction)


def soft_margin_loss(input: ArrayLike, target: ArrayLike, reduction: str | None = "mean") -> Tensor:
    """Return the mean of log(1 + exp(-y·x)), computed without overflow.

    Args:
        input: x, scores of any shape.
        target: y, 1 or -1, of the same shape, or a scalar.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.soft_margin_loss(lucid.asarray([0.0, 1000.0]), 1, reduction="none")
        Tensor([0.69314718, 0.        ])
    """
    reduction = reduction_of("soft_margin_loss", reduction)
    check_same_shape("soft_margin_loss", input, target)
    x, y = as_tensors("soft_margin_loss", (input, target))
    return reduce_loss(softplus(-y * x), reduction)


def multilabel_soft_margin_loss(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the mean over classes of -t·log sigmoid(x) - (1 - t)·log sigmoid(-x).

    Args:
        input: x, scores of shape (..., classes).
        target: t, 0 or 1, of the same shape.
        weight: a factor per class, of shape (classes,).
        reduction: "mean", "sum", or "none" (or None), over all but the classes.

    Returns:
        A scalar; the losses, of shape (...), for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.multilabel_soft_margin_loss(lucid.zeros((1, 3)), lucid.ones((1, 3)))
        Tensor(0.69314718)
    """
    name = "multilabel_soft_margin_loss"
    reduction = reduction_of(name, reduction)
    check_same_shape(name, input, target)
    x, t = as_tensors(name, (input, target))
    losses = -(t * logsigmoid(x) + (1 - t) * logsigmoid(-x))
    return reduce_loss((losses if weight is None else losses * weight).mean(-1), reduction)


def cosine_embedding_loss(
    input1: ArrayLike,
    input2: ArrayLike,
    target: ArrayLike,
    margin: float = 0.0,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the mean of 1 - cos(x1, x2) where the target is 1, of max(0, cos - margin) where -1.

    Args:
        input1: x1, vectors of shape (n, features) or (features,).
        input2: x2, of the same shape.
        target: 1 or -1, of shape (n,) or ().
        margin: the largest cosine of dissimilar pairs that costs nothing, from -1 to 1.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `target`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[1.0, 2.0]])
        >>> functional.cosine_embedding_loss(x, -x, lucid.asarray([1]))
        Tensor(2.)
    """
    name = "cosine_embedding_loss"
    reduction = reduction_of(name, reduction)
    check_same_shape(name, input1, input2)
    a, b, y = as_tensors(name, (input1, input2, target))
    if y.shape != a.shape[:-1]:
        got = f"shape {y.shape}"
        raise ShapeError(message(name, f"a target of shape {a.shape[:-1]}", got))
    cosine = cosine_similarity(a, b, dim=-1)
    return reduce_loss(where(y == 1, 1 - cosine, relu(cosine - margin)), reduction)


def triplet_margin_loss(
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the mean of max(0, d(anchor, positive) - d(anchor, negative) + margin).

    Args:
        anchor: vectors along the last axis.
        positive: vectors that are to be near, of the same shape.
        negative: vectors that are to be far, of the same shape.
        margin: by how much farther.
        p: of the norm that measures distances.
        eps: see `pairwise_distance`.
        swap: take d(positive, negative) where it is the smaller distance.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, without the last axis, for "none".

    Raises:
        OptionError: if `reduction` is none of these, or `margin` is not positive.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.zeros((1, 2))
        >>> functional.triplet_margin_loss(x, x, x + 1.0, margin=2.0).round(3)
        Tensor(0.586)
    """
    name = "triplet_margin_loss"
    reduction = reduction_of(name, reduction)
    if not margin > 0:
        raise OptionError(message(name, "a positive margin", str(margin)))
    check_same_shape(name, anchor, positive)
    check_same_shape(name, anchor, negative)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduce_loss(relu(near - far + margin), reduction)


# -- likelihoods -----------------------------------------------------------------------------------


def poisson_nll_loss(
    input: ArrayLike,
    target: ArrayLike,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the negative log-likelihood of Poisson counts, exp(x) - t·x for a logarithmic rate x.

    Args:
        input: x, the logarithm of the rate, of any shape.
        target: t, counts of the same shape, or a scalar.
        log_input: False where `input` is the rate itself: x - t·log(x + eps).
        full: add Stirling's approximation of log t! where t > 1.
        eps: keeps the logarithm finite.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.poisson_nll_loss(lucid.asarray([0.0]), 3.0)
        Tensor(1.)
    """
    reduction = reduction_of("poisson_nll_loss", reduction)
    check_same_shape("poisson_nll_loss", input, target)
    x, t = as_tensors("poisson_nll_loss", (input, target))
    losses = exp(x) - t * x if log_input else x - t * log(x + eps)
    if full:
        safe = where(t > 1, t, 1)
        losses = losses + where(t > 1, _log_factorial(safe), 0)
    return reduce_loss(losses, reduction)


def _log_factorial(t: Any) -> Any:
    return t * log(t) - t + 0.5 * log(2 * math.pi * t)


def gaussian_nll_loss(
    input: ArrayLike,
    target: ArrayLike,
    var: ArrayLike,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the negative log-likelihood of normal noise, (log v + (x - t)² / v) / 2.

    Args:
        input: x, expectations of any shape.
        target: t, observations of the same shape, or a scalar.
        var: v, variances, of a shape that broadcasts to that of `input`.
        full: add the constant log(2π) / 2.
        eps: the least variance.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.gaussian_nll_loss(lucid.asarray([3.0]), 1.0, 2.0).round(3)
        Tensor(1.347)
    """
    name = "gaussian_nll_loss"
    reduction = reduction_of(name, reduction)
    check_same_shape(name, input, target)
    x, t, v = as_tensors(name, (input, target, var))
    if v.ndim == x.ndim - 1 and v.shape == x.shape[:-1]:
        v = v.reshape((*v.shape, 1))  # one variance per row, as PyTorch takes it
    v = maximum(v, eps)
    losses = 0.5 * (log(v) + (x - t) * (x - t) / v) + (0.5 * math.log(2 * math.pi) if full else 0)
    if losses.shape != x.shape:
        raise ShapeError(message(name, f"a var that broadcasts to {x.shape}", f"shape {v.shape}"))
    return reduce_loss(losses, reduction)
