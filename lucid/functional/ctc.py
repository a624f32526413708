"""Connectionist temporal classification: the likelihood of labels whose times are not known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, IndexOutOfBoundsError, ShapeError, message
from lucid.functional.checks import reduce_loss, reduction_of
from lucid.functional.recurrent_layers import unroll
from lucid.ops.axes import as_tensor, known
from lucid.ops.creation import full
from lucid.ops.join import concat, stack
from lucid.ops.reduce import logsumexp
from lucid.ops.select import maximum, where

__all__ = ["ctc_loss"]

_NAME = "ctc_loss"


def ctc_loss(
    log_probs: ArrayLike,
    targets: ArrayLike,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str | None = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return -log of the probability of labels, summed over all times at which they can stand.

    A path has a class or a blank at every time; its labels are what is left when repetitions and
    then blanks are taken out.

    Args:
        log_probs: logarithms of the probabilities of classes, of shape (time, batch, classes), or
            without the batch.
        targets: the labels, integers of shape (batch, longest), or all behind one another.
        input_lengths: how many times of each example count, integers of shape (batch,).
        target_lengths: how many labels each example has, likewise.
        blank: the class that is no label.
        reduction: "mean" of the losses divided by the numbers of labels, "sum", or "none" (or
            None).
        zero_infinity: whether the loss of labels that do not fit into the time is 0.

    Returns:
        A scalar; the losses, of shape (batch,), for "none".

    Raises:
        ShapeError: if the shapes or lengths do not fit.
        OptionError: for another `reduction`.
        DTypeError: if `log_probs` is not real and floating, or `targets` not integer.
        IndexOutOfBoundsError: if there is no class `blank`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> even = lucid.log(lucid.full((2, 1, 2), 0.5))
        >>> loss = functional.ctc_loss(even, lucid.asarray([[1]]), [2], [1])
        >>> bool(abs(lucid.exp(-loss) - 0.75) < 1e-12)
        True

    Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist temporal classification", ICML
    2006.
    """
    reduction = reduction_of(_NAME, reduction)
    x, labels, times, counts = _checked(log_probs, targets, input_lengths, target_lengths, blank)
    losses = _losses(x, labels, times, counts, blank)
    if zero_infinity:
        losses = where(losses == math.inf, 0, losses)
    if reduction == "mean":
        losses = losses / maximum(counts, 1)
    single = len(np.shape(log_probs)) == 2 and reduction == "none"
    return losses[0] if single else reduce_loss(losses, reduction)


def _checked(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return log-probabilities, labels of shape (batch, longest), and both lengths."""
    x, labels = as_tensor(_NAME, log_probs), as_tensor(_NAME, targets)
    if x.dtype.kind != "f" or labels.dtype.kind not in "iu":
        want = "floating log_probs and integer targets"
        raise DTypeError(message(_NAME, want, f"{x.dtype} and {labels.dtype}"))
    if x.ndim == 2:
        x = x.reshape((x.shape[0], 1, x.shape[1]))
        labels = labels.reshape((1, labels.size))
    if x.ndim != 3 or labels.ndim not in (1, 2) or labels.shape[0] not in (x.shape[1], labels.size):
        want = "shapes (time, batch, classes) and (batch, longest)"
        raise ShapeError(message(_NAME, want, f"{x.shape} and {labels.shape}"))
    steps, batch, classes = x.shape
    if not 0 <= blank < classes:
        want = f"a blank from 0 to {classes - 1}"
        raise IndexOutOfBoundsError(message(_NAME, want, str(blank)))
    counts = _lengths("target_lengths", target_lengths, batch, None)
    times = _lengths("input_lengths", input_lengths, batch, steps)
    if labels.ndim == 1:
        labels = _rows(labels, counts)
    if (most := known(counts)) is not None and (most > labels.shape[1]).any():
        want = f"target_lengths up to {labels.shape[1]}"
        raise ShapeError(message(_NAME, want, str(most.max())))
    return x, labels, times, counts


def _lengths(what: str, given: Any, batch: int, most: int | None) -> Tensor:
    lengths = as_tensor(_NAME, given if isinstance(given, Tensor) else np.asarray(given))
    lengths = lengths.reshape((1,)) if not lengths.ndim else lengths
    numbers = known(lengths)
    wrong = (
        numbers is not None
        and numbers.size
        and (numbers.min() < 0 or (most is not None and numbers.max() > most))
    )
    if lengths.shape != (batch,) or lengths.dtype.kind not in "iu" or wrong:
        limit = "" if most is None else f" up to {most}"
        got = f"{lengths.dtype} of shape {lengths.shape}" if numbers is None else str(numbers)
        raise ShapeError(message(_NAME, f"{batch} integers{limit} as {what}", got))
    return lengths


def _rows(labels: Tensor, counts: Tensor) -> Tensor:
    """Return labels that lie behind one another as rows."""
    sizes = np.asarray(counts.tolist())
    if sizes.sum() != labels.size:
        want = f"target_lengths that add up to {labels.size}"
        raise ShapeError(message(_NAME, want, str(sizes.sum())))
    places = np.cumsum(sizes)[:, None] - sizes[:, None] + np.arange(max(sizes.max(), 1))
    return labels[np.minimum(places, labels.size - 1)] if labels.size else labels.reshape((1, 0))


def _losses(x: Tensor, labels: Tensor, times: Tensor, counts: Tensor, blank: int) -> Tensor:
    """Go along time with the logarithms of the probabilities of all beginnings of the labels.

    Places are labels with a blank before each, and one behind the last.
    """
    batch, longest = labels.shape
    labels = where(np.arange(longest) < counts.reshape((batch, 1)), labels, blank)
    blanks = full((batch, longest), blank, dtype=labels.dtype)
    places = stack([blanks, labels], axis=2).reshape((batch, 2 * longest))
    places = concat([places, full((batch, 1), blank, dtype=labels.dtype)], axis=1)
    steps, width = x.shape[0], 2 * longest + 1
    each = np.arange(batch)[:, None]
    emitted = x[np.arange(steps)[:, None, None], each, places]
    none = full((1, batch, 2), -math.inf, dtype=x.dtype)
    skips = (places[:, 2:] != blank) & (places[:, 2:] != places[:, :-2])
    skips = concat([Tensor(np.zeros((batch, min(2, width)), bool)), skips], axis=1)

    def step(now: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor]:
        padded = concat([none, state[0]], axis=2)
        skipped = where(skips, padded[..., :width], -math.inf)
        return (logsumexp(stack([state[0], padded[..., 1:-1], skipped]), axis=0) + now,)

    first = np.full((batch, width), -math.inf, x.dtype)
    first[:, 0] = 0  # before the first time, as if in front of the first blank
    live = Tensor(np.arange(steps)[:, None, None]) < times.reshape((batch, 1))
    last = unroll(step, emitted, (Tensor(first),), live, False)[0][-1] if steps else Tensor(first)
    ends = stack([2 * counts, maximum(2 * counts - 1, 0)], axis=1)
    found = last[each, ends]
    empty = Tensor(np.array([False, True])) & (counts == 0).reshape((batch, 1))
    return -logsumexp(where(empty, -math.inf, found), axis=1)
