"""Losses that are negative log-likelihoods: cross entropies and divergences."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.define import elementwise
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import (
    DTypeError,
    OptionError,
    ShapeError,
    message,
)
from lucid.functional.activation import softplus
from lucid.functional.checks import check_same_shape, reduce_loss, reduction_of
from lucid.functional.class_index import count, pick
from lucid.functional.softmax import log_softmax
from lucid.ops.axes import as_tensor, as_tensors
from lucid.ops.exponential import exp, log, log1p
from lucid.ops.select import clip, maximum, where
from lucid.ops.shape import broadcast_to

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "kl_div",
    "nll_loss",
]


# -- many classes ----------------------------------------------------------------------------------


def cross_entropy(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str | None = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross entropy between softmax(x) and the target, -Σ_c t_c log softmax(x)_c.

    Args:
        input: x, unnormalised scores of shape (classes,) or (n, classes, ...).
        target: class indices of shape () or (n, ...), or shares of every class, floating, of the
            shape of `input`.
        weight: a factor per class, of shape (classes,).
        ignore_index: an index whose entries do not count.
        reduction: "mean" (for class indices, weighted by the targets' weights), "sum", or "none"
            (or None).
        label_smoothing: the share, between 0 and 1, that is spread evenly over all classes.

    Returns:
        A scalar; the losses, of shape () or (n, ...), for "none".

    Raises:
        OptionError: if `reduction` or `label_smoothing` is none of these.
        ShapeError: if the shapes do not fit.
        DTypeError: if class indices are not integers, or `input` is not floating.
        IndexOutOfBoundsError: if a class index is out of range.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[0.0, 0.0], [0.0, 100.0]])
        >>> functional.cross_entropy(x, lucid.asarray([0, 1]), reduction="none")
        Tensor([0.69314718, 0.        ])
    """
    name = "cross_entropy"
    reduction = reduction_of(name, reduction)
    if not 0 <= label_smoothing <= 1:
        want = "a label_smoothing between 0 and 1"
        raise OptionError(message(name, want, str(label_smoothing)))
    x, t = as_tensors(name, (input, target))
    axis = _class_axis(name, x)
    logs = log_softmax(x, axis)
    weights = _class_weights(name, weight, x, axis)
    if t.dtype.kind == "f" and t.shape == x.shape:
        count = x.shape[axis]
        if label_smoothing:
            t = t * (1 - label_smoothing) + label_smoothing / count
        losses = -(t * (logs if weights is None else logs * weights)).sum(axis)
        if reduction == "mean":
            return losses.sum() / (x.size // count if count else 0)
        return reduce_loss(losses, reduction)
    return _index_loss(name, logs, t, weights, axis, ignore_index, reduction, label_smoothing)


def nll_loss(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the negative log-likelihood of class indices, -x_t, given log-probabilities.

    Args:
        input: x, log-probabilities of shape (classes,) or (n, classes, ...).
        target: class indices of shape () or (n, ...).
        weight: a factor per class, of shape (classes,).
        ignore_index: an index whose entries do not count.
        reduction: "mean" (weighted by the targets' weights), "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `target`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes do not fit.
        DTypeError: if `target` is not integer, or `input` is not floating.
        IndexOutOfBoundsError: if a class index is out of range.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.log(lucid.asarray([[0.5, 0.5], [0.25, 0.75]]))
        >>> functional.nll_loss(x, lucid.asarray([0, 0]), reduction="sum")
        Tensor(2.07944154)
    """
    name = "nll_loss"
    reduction = reduction_of(name, reduction)
    x, t = as_tensors(name, (input, target))
    axis = _class_axis(name, x)
    weights = _class_weights(name, weight, x, axis)
    return _index_loss(name, x, t, weights, axis, ignore_index, reduction, 0.0)


def _class_axis(name: str, x: Tensor) -> int:
    if x.dtype.kind != "f":
        hint = "convert it with .astype"
        raise DTypeError(message(name, "a real floating input", str(x.dtype), hint))
    if not x.ndim:
        want = "an input of shape (classes,) or (n, classes, ...)"
        raise ShapeError(message(name, want, "shape ()"))
    return 1 if x.ndim > 1 else 0


def _class_weights(name: str, weight: Any, x: Tensor, axis: int) -> Tensor | None:
    """Return class weights in the shape of the input, in its dtype."""
    if weight is None:
        return None
    w = as_tensor(name, weight)
    count = x.shape[axis]
    if w.shape != (count,):
        raise ShapeError(message(name, f"a weight of shape ({count},)", f"shape {w.shape}"))
    w = w if w.dtype == x.dtype else w.astype(x.dtype)
    return broadcast_to(w.reshape((count, *(1,) * (x.ndim - axis - 1))), x.shape)


def _index_loss(
    name: str,
    logs: Tensor,
    target: Tensor,
    weights: Tensor | None,
    axis: int,
    ignore: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """Return the loss of class indices: log-likelihoods picked, weighted, smoothed and reduced."""
    shape = logs.shape[:axis] + logs.shape[axis + 1 :]
    if target.dtype.kind not in "iu":
        hint = "use .astype(int) for indices; shares of all classes have the input's shape"
        raise DTypeError(message(name, "integer class indices", str(target.dtype), hint))
    if target.shape != shape:
        hint = f"the input has shape {logs.shape}"
        raise ShapeError(message(name, f"a target of shape {shape}", f"shape {target.shape}", hint))
    weighted = logs if weights is None else logs * weights
    losses = 0.0 - pick(weighted, target, axis, ignore)
    if smoothing:
        even = where(target != ignore, -weighted.sum(axis), 0)
        losses = (1 - smoothing) * losses + smoothing / logs.shape[axis] * even
    if reduction != "mean":
        return reduce_loss(losses, reduction)
    if weights is None:
        total = count(target, ignore, logs.dtype)
    else:
        total = pick(weights, target, axis, ignore).sum()
    return losses.sum() / total


# -- two classes -----------------------------------------------------------------------------------


def _binary_impl(x: Any, t: Any) -> Any:
    if np.size(x) and not (np.min(x) >= 0 and np.max(x) <= 1):
        hint = "for scores use binary_cross_entropy_with_logits"
        got = f"values from {np.min(x):g} to {np.max(x):g}"
        want = "probabilities between 0 and 1"
        raise OptionError(message("binary_cross_entropy", want, got, hint))
    with np.errstate(divide="ignore"):
        yes, no = np.log(x), np.log1p(-x)
    return (t - 1) * np.maximum(no, _FLOOR) - t * np.maximum(yes, _FLOOR)


_FLOOR = -100.0  # as in PyTorch, so that a wrong certainty costs 100 and not infinity


@elementwise(
    _binary_impl,
    lambda ans, x, t: (x - t) / maximum(x * (1 - x), 1e-12),
    lambda ans, x, t: clip(log1p(-x), _FLOOR) - clip(log(x), _FLOOR),
    name="binary_cross_entropy",
)
def _binary(x: Any, t: Any, /) -> Any:
    """Return -t log x - (1 - t) log(1 - x)."""


def binary_cross_entropy(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Tensor:
    """Return the cross entropy of probabilities, -t·log x - (1 - t)·log(1 - x).

    The logarithms are limited to -100 from below.

    Args:
        input: x, probabilities of any shape.
        target: t, between 0 and 1, of the same shape, or a scalar.
        weight: factors of the losses, of a shape that broadcasts to that of `input`.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these, or an input no probability.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.binary_cross_entropy(lucid.asarray([0.5, 0.75]), lucid.asarray([0.0, 1.0]))
        Tensor(0.49041463)
    """
    reduction = reduction_of("binary_cross_entropy", reduction)
    check_same_shape("binary_cross_entropy", input, target)
    losses = _binary(input, target)
    return reduce_loss(_weighted("binary_cross_entropy", losses, weight), reduction)


def _weighted(name: str, losses: Tensor, weight: Any) -> Tensor:
    if weight is None:
        return losses
    ans = losses * weight
    if ans.shape != losses.shape:
        got = f"shape {as_tensor(name, weight).shape}"
        raise ShapeError(message(name, f"a weight that broadcasts to {losses.shape}", got))
    return ans


def binary_cross_entropy_with_logits(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    reduction: str | None = "mean",
) -> Tensor:
    """Return `binary_cross_entropy` of sigmoid(x), computed without overflow.

    Args:
        input: x, scores of any shape.
        target: t, between 0 and 1, of the same shape, or a scalar.
        weight: factors of the losses, of a shape that broadcasts to that of `input`.
        pos_weight: factors of the terms in t, likewise.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the losses, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([0.0, 1000.0])
        >>> functional.binary_cross_entropy_with_logits(x, 1.0, reduction="none")
        Tensor([0.69314718, 0.        ])
    """
    name = "binary_cross_entropy_with_logits"
    reduction = reduction_of(name, reduction)
    check_same_shape(name, input, target)
    x, t = as_tensors(name, (input, target))
    tail = softplus(-x)
    if pos_weight is not None:
        tail = _weighted(name, tail, 1 + (as_tensor(name, pos_weight) - 1) * t)
    return reduce_loss(_weighted(name, (1 - t) * x + tail, weight), reduction)


# -- divergence ------------------------------------------------------------------------------------


def kl_div(
    input: ArrayLike,
    target: ArrayLike,
    reduction: str | None = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the Kullback-Leibler divergence, Σ t·(log t - x), of log-probabilities x from t.

    A term with t = 0 is 0.

    Args:
        input: x, log-probabilities of any shape.
        target: t, probabilities of the same shape.
        reduction: "mean" over all terms, "batchmean" for the sum over the length of the first axis
            (the divergence as it is defined), "sum", or "none" (or None).
        log_target: whether `target` holds log t.

    Returns:
        A scalar; the terms, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.log(lucid.asarray([0.5, 0.5]))
        >>> functional.kl_div(x, lucid.asarray([0.0, 1.0]), reduction="sum")
        Tensor(0.69314718)
    """
    reduction = reduction_of("kl_div", reduction, "batchmean")
    check_same_shape("kl_div", input, target)
    x, t = as_tensors("kl_div", (input, target))
    own = exp(t) * t if log_target else where(t > 0, t * log(where(t > 0, t, 1)), 0)
    terms = own - (exp(t) if log_target else t) * x
    if reduction == "batchmean":
        return terms.sum() / (x.shape[0] if x.ndim else 1)
    return reduce_loss(terms, reduction)
