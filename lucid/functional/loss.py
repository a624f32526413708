"""Losses of regression: how far predictions lie from their targets.

Every loss reduces by "mean" unless told otherwise, and none broadcasts: a target has the shape of
the input, or is a scalar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit, fit_raw, spread
from lucid.core.define import align_batch, elementwise, general
from lucid.core.fastpath import binary
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval, Op
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OptionError, message
from lucid.functional.checks import check_same_shape, reduce_loss, reduction_of
from lucid.ops.arithmetic import subtract
from lucid.ops.complex_ import abs as absolute
from lucid.ops.complex_ import real
from lucid.ops.select import minimum

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]

_BLOCK = 1 << 16  # elements: two blocks fit the second-level cache


# -- mean squared error ----------------------------------------------------------------------------


def mse_loss(x: ArrayLike, y: ArrayLike, reduction: str | None = "mean") -> Tensor:
    """Return the mean squared error, Σᵢ |xᵢ - yᵢ|² / n.

    It is one operation: neither it nor its gradient 2(x - y)/n needs an array beyond the gradient.

    Args:
        x: the predictions, of any shape, floating or complex.
        y: the targets, of the same shape, or a scalar.
        reduction: "mean", "sum", or "none" (or None) for the squares themselves.

    Returns:
        A scalar; the squares, of the shape of `x`, for "none". Real.

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.
        DTypeError: if neither operand is floating or complex.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> y = lucid.asarray([3.0, -0.5, 2.0, 7.0])
        >>> functional.mse_loss(lucid.asarray([2.5, 0.0, 2.0, 8.0]), y)
        Tensor(0.375)
    """
    check_same_shape("mse_loss", x, y)
    if reduction == "mean":
        return _mean(x, y)
    if reduction_of("mse_loss", reduction) == "sum":
        return _sum(x, y)
    return _squared(subtract(x, y))


def _squared(d: Tensor) -> Tensor:
    return real(d * conj(d)) if d.dtype.kind == "c" else d * d


def _total(x: Any, y: Any) -> Any:
    """Return Σ|x - y|², block by block where the difference would leave the cache."""
    dtype = np.result_type(x, y)
    if dtype.kind not in "fc":
        want = "a floating or complex operand"
        raise DTypeError(message("mse_loss", want, str(dtype), "convert it with .astype"))
    if np.size(x) <= _BLOCK or np.shape(x) != np.shape(y) or not _both_flat(x, y):
        d: Any = np.subtract(x, y).ravel()
        return np.vdot(d, d).real
    x, y = x.reshape(-1), y.reshape(-1)
    buffer = np.empty(_BLOCK, dtype)
    total: Any = 0.0
    for start in range(0, x.size, _BLOCK):
        a = x[start : start + _BLOCK]
        d = np.subtract(a, y[start : start + _BLOCK], buffer[: a.size])
        total += float(np.vdot(d, d).real)
    return np.asarray(total, np.real(buffer[:0]).dtype)[()]


def _small(x: Any, y: Any) -> bool:
    """Whether both are real arrays of one shape and dtype that fit the cache: the usual case."""
    return (
        type(x) is type(y) is np.ndarray
        and x.dtype is y.dtype
        and x.dtype.kind == "f"
        and x.shape == y.shape
        and 0 < x.size <= _BLOCK
    )


def _both_flat(x: Any, y: Any) -> bool:
    return bool(x.flags.c_contiguous and y.flags.c_contiguous)


def _scaled_difference_impl(c: Any, x: Any, y: Any) -> Any:
    """Return c·(x - y), for a scalar c block by block as well."""
    if np.size(x) <= _BLOCK or np.shape(x) != np.shape(y) or not _both_flat(x, y) or np.ndim(c):
        ans = np.subtract(x, y)
        return ans * c if not ans.ndim else np.multiply(ans, c, ans if _fits(ans, c) else None)
    ans = np.empty(x.shape, np.result_type(x, y, c))
    a, b, out = x.reshape(-1), y.reshape(-1), ans.reshape(-1)
    for start in range(0, out.size, _BLOCK):
        part = out[start : start + _BLOCK]
        np.subtract(a[start : start + _BLOCK], b[start : start + _BLOCK], part)
        np.multiply(part, c, part)
    return ans


def _fits(ans: Any, c: Any) -> bool:
    """Whether ans·c can be written over `ans`."""
    return (
        np.result_type(ans, c) == ans.dtype
        and np.broadcast_shapes(ans.shape, np.shape(c)) == ans.shape
    )


@elementwise(
    _scaled_difference_impl,
    lambda ans, c, x, y: x - y,
    lambda ans, c, x, y: c,
    lambda ans, c, x, y: -c,
    name="scaled_difference",
)
def _scaled_difference(c: Any, x: Any, y: Any, /) -> Any:
    """Return c·(x - y): the gradient of the squared error."""


def _squared_error(name: str, mean: bool) -> Op:
    """Register the mean or the sum of squared errors."""

    def factor(x: Any, y: Any) -> float:
        """Return the factor of x - y in the gradient."""
        return 2.0 / max(1, *(getattr(v, "size", 1) for v in (x, y))) if mean else 2.0

    def impl(x: Any, y: Any) -> Any:
        if _small(x, y):
            d = (x - y).ravel()
            return d.dot(d) / x.size if mean else d.dot(d)
        total = _total(x, y)
        count = max(np.size(x), np.size(y)) if np.size(x) else 0
        if not mean:
            return total
        return total / count if count else total.dtype.type(np.nan)

    def infer(x: Aval, y: Aval) -> Aval:
        return Aval((), np.zeros((), subtract.op.infer(x, y).dtype).real.dtype)  # type: ignore[attr-defined]

    def jvp(ans: Tensor, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
        x, y = operands
        t = subtract(*(0.0 if t is None else t for t in tangents))
        change = conj(subtract(x, y)) * t
        return spread(
            (real(change) if change.dtype.kind == "c" else change).sum() * factor(x, y), ans
        )

    def batch(size: int, batched: Sequence[bool], operands: Sequence[Any]) -> Any:
        squares = _squared(subtract(*align_batch(batched, operands)))
        axes = tuple(range(1, squares.ndim))
        return squares.mean(axes) if mean else squares.sum(axes)

    def pull(i: int, sign: float) -> Any:
        def vjp(ct: Any, ans: Any, x: Any, y: Any) -> Any:
            return fit(_scaled_difference(ct * (sign * factor(x, y)), x, y), (x, y)[i])

        return vjp

    def pull_raw(i: int, sign: float) -> Any:
        def vjp(ct: Any, ans: Any, x: Any, y: Any) -> Any:
            if _small(x, y):
                d = x - y
                d *= ct * (2.0 * sign / x.size if mean else 2.0 * sign)
                return d
            c = ct * (sign * factor(x, y))
            return fit_raw(_scaled_difference_impl(c, x, y), (x, y)[i])

        return vjp

    op = general(name, impl, infer=infer, jvp=jvp, vjps=[pull(0, 1.0), pull(1, -1.0)], batch=batch)
    op.raw = (pull_raw(0, 1.0), pull_raw(1, -1.0))
    return op


_mean = binary(_squared_error("mse_loss", mean=True))
_sum = binary(_squared_error("mse_loss_sum", mean=False))


# -- losses that grow linearly ---------------------------------------------------------------------


def l1_loss(input: ArrayLike, target: ArrayLike, reduction: str | None = "mean") -> Tensor:
    """Return the mean absolute error, Σᵢ |xᵢ - yᵢ| / n.

    Args:
        input: the predictions, of any shape.
        target: the targets, of the same shape, or a scalar.
        reduction: "mean", "sum", or "none" (or None).

    Returns:
        A scalar; the absolute errors, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.l1_loss(lucid.asarray([1.0, 2.0]), lucid.asarray([1.5, 4.0]))
        Tensor(1.25)
    """
    reduction = reduction_of("l1_loss", reduction)
    check_same_shape("l1_loss", input, target)
    return reduce_loss(absolute(subtract(input, target)), reduction)


def huber_loss(
    input: ArrayLike, target: ArrayLike, reduction: str | None = "mean", delta: float = 1.0
) -> Tensor:
    """Return the mean of d²/2 where |d| = |x - y| is at most delta, else of delta·(|d| - delta/2).

    Args:
        input: the predictions, of any shape.
        target: the targets, of the same shape, or a scalar.
        reduction: "mean", "sum", or "none" (or None).
        delta: where the loss becomes linear, positive.

    Returns:
        A scalar; the losses, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these, or `delta` is not positive.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.huber_loss(lucid.asarray([1.0, 5.0]), 0.0, reduction="none")
        Tensor([0.5, 4.5])

    Source: Huber, "Robust estimation of a location parameter", 1964.
    """
    reduction = reduction_of("huber_loss", reduction)
    if not delta > 0:
        raise OptionError(message("huber_loss", "a positive delta", str(delta)))
    check_same_shape("huber_loss", input, target)
    error = absolute(subtract(input, target))
    inner = minimum(error, delta)
    return reduce_loss(inner * (error - 0.5 * inner), reduction)


def smooth_l1_loss(
    input: ArrayLike, target: ArrayLike, reduction: str | None = "mean", beta: float = 1.0
) -> Tensor:
    """Return the mean of d²/(2 beta) where |d| = |x - y| is below beta, else of |d| - beta/2.

    Args:
        input: the predictions, of any shape.
        target: the targets, of the same shape, or a scalar.
        reduction: "mean", "sum", or "none" (or None).
        beta: where the loss becomes linear, not negative; 0 gives `l1_loss`.

    Returns:
        A scalar; the losses, of the shape of `input`, for "none".

    Raises:
        OptionError: if `reduction` is none of these, or `beta` is negative.
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.smooth_l1_loss(lucid.asarray([1.0, 5.0]), 0.0, reduction="none")
        Tensor([0.5, 4.5])
    """
    if beta < 0:
        raise OptionError(message("smooth_l1_loss", "a beta that is not negative", str(beta)))
    if beta == 0:
        return l1_loss(input, target, reduction)
    return huber_loss(input, target, reduction, beta) / beta
