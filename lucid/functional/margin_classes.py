"""Losses by a margin between the scores of classes, and between triplets at any distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OptionError, ShapeError, message
from lucid.functional.checks import reduce_loss, reduction_of
from lucid.functional.class_index import pick
from lucid.functional.distance import pairwise_distance
from lucid.functional.rectifier import relu
from lucid.ops.axes import as_tensor
from lucid.ops.cumulative import cumulative_prod
from lucid.ops.index import take
from lucid.ops.select import clip, minimum, where

__all__ = ["multi_margin_loss", "multilabel_margin_loss", "triplet_margin_with_distance_loss"]


def _scores(name: str, input: ArrayLike, target: ArrayLike, labels: int) -> tuple[Tensor, Tensor]:
    """Return scores of shape (n, classes) and targets of one axis less, or none with `labels`."""
    x, t = as_tensor(name, input), as_tensor(name, target)
    if x.dtype.kind != "f" or t.dtype.kind not in "iu":
        want = "floating scores and integer classes"
        raise DTypeError(message(name, want, f"{x.dtype} and {t.dtype}"))
    want = x.shape if labels else x.shape[:-1]
    if x.ndim not in (1, 2) or t.shape not in (want, (1,) * (x.ndim == 1 and not labels)):
        expected = f"scores of shape (n, classes) and a target of shape {want}"
        raise ShapeError(message(name, expected, f"{x.shape} and {t.shape}"))
    if x.ndim == 1:
        x, t = x.reshape((1, x.size)), t.reshape((1, t.size) if labels else (1,))
    return x, t


def multi_margin_loss(
    input: ArrayLike,
    target: ArrayLike,
    p: int = 1,
    margin: float = 1.0,
    weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the mean of Σᵢ max(0, margin - x_t + xᵢ)ᵖ / classes over all classes i but t.

    Args:
        input: scores x, of shape (n, classes), or (classes,).
        target: the classes t, integers of shape (n,), or a scalar.
        p: 1 or 2.
        margin: by how much the score of the right class is to be the largest.
        weight: a factor per class t, of shape (classes,).
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `target`, for "none".

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: for another `p` or `reduction`.
        DTypeError: if `input` is not floating, or `target` not integer.
        IndexOutOfBoundsError: if there is no such class.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.multi_margin_loss(lucid.asarray([0.5, 0.0]), lucid.asarray(0))
        Tensor(0.25)
    """
    name = "multi_margin_loss"
    reduction = reduction_of(name, reduction)
    x, t = _scores(name, input, target, 0)
    if p not in (1, 2):
        raise OptionError(message(name, "p 1 or 2", str(p)))
    classes = x.shape[1]
    own = pick(x, t, 1, -1)
    lack = relu(margin - own.reshape((own.size, 1)) + x)
    lack = where(t.reshape((t.size, 1)) == np.arange(classes), 0, lack if p == 1 else lack * lack)
    losses = lack.sum(1) / classes
    if weight is not None:
        losses = losses * take(_per_class(name, weight, classes), t, axis=0)
    return reduce_loss(losses if len(np.shape(input)) == 2 else losses[0], reduction)


def _per_class(name: str, weight: ArrayLike, classes: int) -> Tensor:
    w = as_tensor(name, weight)
    if w.shape != (classes,):
        raise ShapeError(message(name, f"a weight of shape ({classes},)", f"shape {w.shape}"))
    return w


def multilabel_margin_loss(
    input: ArrayLike, target: ArrayLike, reduction: str | None = "mean"
) -> Tensor:
    """Return the mean of Σ max(0, 1 - x_t + xᵢ) / classes over labels t and other classes i.

    Args:
        input: scores x, of shape (n, classes), or (classes,).
        target: the labels t, of the same shape: classes, and -1 behind the last.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of shape (n,) or (), for "none".

    Raises:
        ShapeError: if the shapes differ.
        OptionError: for another `reduction`.
        DTypeError: if `input` is not floating, or `target` not integer.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([0.1, 0.2, 0.4, 0.8])
        >>> functional.multilabel_margin_loss(x, lucid.asarray([3, 0, -1, 1]))
        Tensor(0.85)
    """
    name = "multilabel_margin_loss"
    reduction = reduction_of(name, reduction)
    x, t = _scores(name, input, target, 1)
    n, classes = x.shape
    valid = cumulative_prod((t >= 0).astype(np.int64), axis=1) > 0
    t = where(valid, clip(t, 0, classes - 1), 0)
    own = x[np.arange(n)[:, None], t]
    among = (t.reshape((n, classes, 1)) == np.arange(classes)) & valid.reshape((n, classes, 1))
    counted = valid.reshape((n, classes, 1)) & ~among.any(1, keepdims=True)
    lack = relu(1 - own.reshape((n, classes, 1)) + x.reshape((n, 1, classes)))
    losses = where(counted, lack, 0).sum((1, 2)) / classes
    return reduce_loss(losses if len(np.shape(input)) == 2 else losses[0], reduction)


def triplet_margin_with_distance_loss(
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    *,
    distance_function: Callable[[Any, Any], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the mean of max(0, d(anchor, positive) - d(anchor, negative) + margin), with any d.

    Args:
        anchor: vectors along the last axis.
        positive: vectors that are to be near.
        negative: vectors that are to be far.
        distance_function: d, by default `pairwise_distance`.
        margin: by how much farther.
        swap: take d(positive, negative) where it is the smaller distance.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses for "none".

    Raises:
        OptionError: if `reduction` is none of these, or `margin` is not positive.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> def squares(a, b):
        ...     return ((a - b) ** 2).sum(-1)
        >>> x, y = lucid.zeros((1, 2)), lucid.ones((1, 2))
        >>> functional.triplet_margin_with_distance_loss(x, y, x, distance_function=squares)
        Tensor(3.)
    """
    name = "triplet_margin_with_distance_loss"
    reduction = reduction_of(name, reduction)
    if not margin > 0:
        raise OptionError(message(name, "a positive margin", str(margin)))
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduce_loss(relu(near - far + margin), reduction)
