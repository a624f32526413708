"""A softmax over many classes in clusters, of which only those of the targets are computed.

The frequent classes come first. They, and one entry for each cluster of the others, make up the
head; log p(c) of a class in cluster k is log p_head(k) + log p_k(c).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, IndexOutOfBoundsError, OptionError, ShapeError, message
from lucid.functional.class_index import pick
from lucid.functional.linear import linear
from lucid.functional.softmax import log_softmax
from lucid.ops.axes import as_tensor, known
from lucid.ops.creation import zeros
from lucid.ops.join import concat
from lucid.ops.select import where
from lucid.ops.sort import argmax

__all__ = [
    "AdaptiveLogSoftmax",
    "adaptive_log_prob",
    "adaptive_log_softmax_with_loss",
    "adaptive_predict",
    "cluster_sizes",
]

Tails = Sequence[Sequence[ArrayLike]]


class AdaptiveLogSoftmax(NamedTuple):
    """What `adaptive_log_softmax_with_loss` returns.

    Attributes:
        output: the log-probabilities of the targets.
        loss: the mean of -output.
    """

    output: Tensor
    loss: Tensor


def cluster_sizes(
    name: str, in_features: int, cutoffs: Sequence[int], div_value: float
) -> list[tuple[int, int]]:
    """Return the width of every cluster, a power of `div_value` narrower, and its classes' number.

    Args:
        name: who asks.
        in_features: the width of the input.
        cutoffs: the first class of each cluster, and last the number of classes.
        div_value: the factor.
    """
    ends = [0, *cutoffs]
    if len(cutoffs) < 2 or any(int(b) != b or a >= b for a, b in pairwise(ends)):
        want = "cutoffs that rise from 1 or more to the number of classes less 1"
        raise OptionError(message(name, want, f"{list(cutoffs[:-1])} of {cutoffs[-1]}"))
    widths = [int(in_features // div_value**k) for k in range(1, len(cutoffs))]
    if min(widths) < 1:
        want = "a div_value that leaves every cluster a width"
        raise OptionError(message(name, want, f"{div_value} for {in_features} features"))
    return [(width, b - a) for width, (a, b) in zip(widths, pairwise(cutoffs), strict=True)]


def adaptive_log_softmax_with_loss(
    input: ArrayLike,
    target: ArrayLike,
    cutoffs: Sequence[int],
    head: ArrayLike,
    tails: Tails,
    head_bias: ArrayLike | None = None,
) -> AdaptiveLogSoftmax:
    """Return the log-probabilities of classes, the frequent ones first, and their mean loss.

    Under `vmap` and `jit`, where targets stand for many, every cluster is computed for all.

    Args:
        input: of shape (..., in_features).
        target: class indices, of shape (...).
        cutoffs: the first class of each cluster, and last the number of classes.
        head: a matrix of shape (cutoffs[0] + clusters, in_features).
        tails: for each cluster two matrices, of shapes (width, in_features) and (classes, width).
        head_bias: of shape (cutoffs[0] + clusters,).

    Returns:
        ``(output, loss)``: of the shape of `target`, and a scalar.

    Raises:
        ShapeError: if the shapes of `input` and `target` do not fit.
        DTypeError: if `target` is no integer array.
        IndexOutOfBoundsError: if there is no such class.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> head, tails = lucid.zeros((4, 2)), [(lucid.zeros((1, 2)), lucid.zeros((4, 1)))]
        >>> x, target = lucid.ones((2, 2)), lucid.asarray([0, 5])
        >>> y = functional.adaptive_log_softmax_with_loss(x, target, [3, 7], head, tails)
        >>> lucid.exp(y.output)
        Tensor([0.25  , 0.0625])

    Source: Grave, Joulin, Cissé, Grangier and Jégou, "Efficient softmax approximation for GPUs",
    ICML 2017.
    """
    name = "adaptive_log_softmax_with_loss"
    x, t = as_tensor(name, input), as_tensor(name, target)
    _check_target(name, x, t, cutoffs[-1])
    rows, classes = x.reshape((t.size, x.shape[-1])), t.reshape((t.size,))
    scores = log_softmax(linear(rows, head, head_bias))
    later = sum((classes >= c).astype(classes.dtype) for c in cutoffs)
    column = where(classes < cutoffs[0], classes, later + (cutoffs[0] - 1))
    output = pick(scores, column, 1, scores.shape[1] + 1)  # refuses a class that does not exist
    for (low, high), weights in zip(pairwise(cutoffs), tails, strict=True):
        output = output + _local(rows, classes, low, high, weights)
    return AdaptiveLogSoftmax(output.reshape(t.shape), -output.mean())


def _check_target(name: str, x: Tensor, target: Tensor, count: int) -> None:
    if x.shape[:-1] != target.shape or not x.ndim:
        got = f"{x.shape} and {target.shape}"
        raise ShapeError(message(name, "an input of shape (..., features), a target of (...)", got))
    if target.dtype.kind not in "iu":
        raise DTypeError(message(name, "class indices as integers", str(target.dtype)))
    numbers = known(target)
    if numbers is not None and numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
        wrong = numbers[(numbers < 0) | (numbers >= count)].flat[0]
        want = f"class indices from 0 to {count - 1}"
        raise IndexOutOfBoundsError(message(name, want, str(wrong)))


def _local(x: Tensor, target: Tensor, low: int, high: int, weights: Sequence[ArrayLike]) -> Tensor:
    """Return log p(class) within a cluster; 0 for classes of others."""
    inside, local = (target >= low) & (target < high), target - low
    numbers = known(inside)
    if numbers is None:
        scores = _tail(x, weights)
        return pick(scores, where(inside, local, high - low), 1, high - low)
    result, rows = zeros(target.shape, dtype=x.dtype), np.flatnonzero(numbers)
    if not rows.size:
        return result
    return result.at[rows].set(pick(_tail(x[rows], weights), local[rows], 1, high - low))


def _tail(x: Tensor, weights: Sequence[ArrayLike]) -> Tensor:
    narrow, wide = weights
    return log_softmax(linear(linear(x, narrow), wide))


def adaptive_log_prob(
    input: ArrayLike,
    cutoffs: Sequence[int],
    head: ArrayLike,
    tails: Tails,
    head_bias: ArrayLike | None = None,
) -> Tensor:
    """Return the log-probabilities of all classes; see `adaptive_log_softmax_with_loss`.

    Args:
        input: of shape (..., in_features).
        cutoffs: the first class of each cluster, and last the number of classes.
        head: a matrix of shape (cutoffs[0] + clusters, in_features).
        tails: for each cluster two matrices, of shapes (width, in_features) and (classes, width).
        head_bias: of shape (cutoffs[0] + clusters,).

    Returns:
        An array of shape (..., classes).

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> tails = [(lucid.zeros((1, 2)), lucid.zeros((2, 1)))]
        >>> y = functional.adaptive_log_prob(lucid.ones(2), [3, 5], lucid.zeros((4, 2)), tails)
        >>> lucid.exp(y)
        Tensor([0.25 , 0.25 , 0.25 , 0.125, 0.125])
    """
    x, short = as_tensor("adaptive_log_prob", input), cutoffs[0]
    scores = log_softmax(linear(x, head, head_bias))
    own = [scores[..., short + k, None] + _tail(x, w) for k, w in enumerate(tails)]
    return concat([scores[..., :short], *own], axis=-1)


def adaptive_predict(
    input: ArrayLike,
    cutoffs: Sequence[int],
    head: ArrayLike,
    tails: Tails,
    head_bias: ArrayLike | None = None,
) -> Tensor:
    """Return the likeliest classes; see `adaptive_log_softmax_with_loss`.

    Args:
        input: of shape (..., in_features).
        cutoffs: the first class of each cluster, and last the number of classes.
        head: a matrix of shape (cutoffs[0] + clusters, in_features).
        tails: for each cluster two matrices, of shapes (width, in_features) and (classes, width).
        head_bias: of shape (cutoffs[0] + clusters,).

    Returns:
        Class indices, of shape (...).

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> tails = [(lucid.zeros((1, 2)), lucid.zeros((2, 1)))]
        >>> functional.adaptive_predict(lucid.ones(2), [3, 5], lucid.zeros((4, 2)), tails)
        Tensor(0)
    """
    return argmax(adaptive_log_prob(input, cutoffs, head, tails, head_bias), axis=-1)
