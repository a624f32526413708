"""Softmax and its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.cotangent import fit, spread
from lucid.core.define import general
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval, Op, Rule
from lucid.core.tensor import Tensor
from lucid.functional.checks import check_real
from lucid.ops.axes import as_tensor, axis_of
from lucid.ops.exponential import exp

__all__ = ["log_softmax", "softmax", "softmin"]


def _normalising(name: str, impl: Rule, jvp: Rule, vjp: Rule) -> Any:
    """Register an operation along one axis, a parameter, that keeps the shape."""

    def infer(x: Aval, axis: int) -> Aval:
        return Aval(x.shape, x.dtype if x.dtype.kind == "f" else np.dtype(np.float64))

    op: Op = general(
        name,
        impl,
        infer=infer,
        jvp=lambda ans, tangents, args, axis: spread(jvp(ans, tangents[0], axis), ans),
        vjps=[lambda ct, ans, x, axis: fit(vjp(ct, ans, axis), x)],
        batch=lambda size, batched, args, axis: call(args[0], (axis + 1,)),
    )
    call = direct(op)
    return call


def softmax(input: ArrayLike, dim: int = -1) -> Tensor:
    """Return exp(xᵢ) / Σⱼ exp(xⱼ) along an axis.

    Args:
        input: x, of any shape with at least one axis, real.
        dim: the axis that sums to 1.

    Returns:
        The shares, of the shape of `input`.

    Raises:
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.softmax(lucid.asarray([0.0, 0.0]))
        Tensor([0.5, 0.5])
    """
    x = check_real("softmax", as_tensor("softmax", input))
    return _softmax(x, (axis_of("softmax", dim, x.ndim),))


@np.errstate(invalid="ignore")  # infinities that cancel give NaN
def _softmax_impl(x: Any, axis: int) -> Any:
    ans = _shifted(x, axis)
    np.exp(ans, ans)
    ans /= np.add.reduce(ans, axis, keepdims=True)
    return ans


def _shifted(x: Any, axis: int) -> Any:
    """Return a new floating array, less its largest entry along the axis: nothing overflows."""
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    return x - np.maximum.reduce(x, axis, keepdims=True) if x.size else x.copy()


_softmax = _normalising(
    "softmax",
    _softmax_impl,
    jvp=lambda ans, t, axis: ans * (t - (ans * t).sum(axis, keepdims=True)),
    vjp=lambda ct, ans, axis: _less_mean(ct * ans, ans, axis),
)


def _less_mean(weighted: Tensor, ans: Tensor, axis: int) -> Tensor:
    return weighted - ans * weighted.sum(axis, keepdims=True)


def softmin(input: ArrayLike, dim: int = -1) -> Tensor:
    """Return exp(-xᵢ) / Σⱼ exp(-xⱼ) along an axis.

    Args:
        input: x, of any shape with at least one axis, real.
        dim: the axis that sums to 1.

    Returns:
        The shares, of the shape of `input`.

    Raises:
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.softmin(lucid.asarray([0.0, 0.0]))
        Tensor([0.5, 0.5])
    """
    return softmax(-as_tensor("softmin", input), dim)


def log_softmax(input: ArrayLike, dim: int = -1) -> Tensor:
    """Return the logarithm of `softmax`, accurately: xᵢ - log Σⱼ exp(xⱼ) along an axis.

    Args:
        input: x, of any shape with at least one axis, real.
        dim: the axis whose exponentials sum to 1.

    Returns:
        The logarithms of the shares, of the shape of `input`.

    Raises:
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.log_softmax(lucid.asarray([0.0, 0.0]))
        Tensor([-0.69314718, -0.69314718])
    """
    x = check_real("log_softmax", as_tensor("log_softmax", input))
    return _log_softmax(x, (axis_of("log_softmax", dim, x.ndim),))


@np.errstate(invalid="ignore", divide="ignore")
def _log_softmax_impl(x: Any, axis: int) -> Any:
    ans = _shifted(x, axis)
    ans -= np.log(np.add.reduce(np.exp(ans), axis, keepdims=True))
    return ans


_log_softmax = _normalising(
    "log_softmax",
    _log_softmax_impl,
    jvp=lambda ans, t, axis: t - (exp(ans) * t).sum(axis, keepdims=True),
    vjp=lambda ct, ans, axis: ct - exp(ans) * ct.sum(axis, keepdims=True),
)
