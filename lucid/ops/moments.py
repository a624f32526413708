"""Moments: variance and standard deviation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.cotangent import conj
from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS
from lucid.core.reductions import reduction
from lucid.core.tensor import Tensor, install
from lucid.ops.axes import as_tensor, axes_of, keep_axes
from lucid.ops.reduce import count_of, mean_over, sum_over

__all__ = ["std", "var"]


def var(
    x: ArrayLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Compute the variance along axes, Σᵢ |xᵢ - x̄|² / (n - correction).

    Args:
        x: a numeric array; integers are taken as float64.
        axis: the axis or axes to reduce; None reduces all of them.
        correction: what to subtract from n: 0 for the variance of a population, 1 for the unbiased
            estimate from a sample (NumPy's `ddof`).
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The variances, real also for complex `x`; NaN or infinity (with NumPy's warning) where
        n does not exceed `correction`.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice.

    Example:
        >>> import lucid
        >>> lucid.var(lucid.asarray([1.0, 2.0, 6.0]), correction=1)
        Tensor(7.)
    """
    x = as_tensor("var", x)
    return _var(x, (axes_of("var", axis, x.ndim), bool(keepdims), float(correction)))


def _var_impl(x: Any, axes: tuple[int, ...], keepdims: bool, correction: float) -> Any:
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    n = count_of(x, axes)
    # Relative to one of them, equal entries deviate by exactly zero, whatever the mean rounds to.
    first = tuple(slice(0, 1) if i in axes else slice(None) for i in range(x.ndim))
    d = x - x[first]
    d = d - np.add.reduce(d, axis=axes, keepdims=True) / n
    square = d.real * d.real + d.imag * d.imag if d.dtype.kind == "c" else d * d
    return np.add.reduce(square, axis=axes, keepdims=keepdims) / _freedom(n, correction)


def _freedom(n: int, correction: float) -> float:
    return n - correction if n > correction else 0.0


def _deviation(x: Tensor, axes: tuple[int, ...], correction: float) -> tuple[Tensor, float]:
    """Return x - mean(x), and what its products are averaged with: 1 / (n - correction)."""
    free = _freedom(count_of(x, axes), correction)
    return x - mean_over(x, (axes, True)), 1.0 / free if free else math.inf


def _along(d: Tensor, t: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Return the real inner product of deviation and tangent."""
    p = conj(d) * t
    return sum_over(apply(OPS["real"], (p,)) if p.dtype.kind == "c" else p, (axes, keepdims))


def _var_vjp(ct: Tensor, ans: Tensor, x: Tensor, axes: Any, correction: float) -> Tensor:
    d, weight = _deviation(x, axes, correction)
    return ct * (2.0 * weight) * d


def _var_jvp(ans: Tensor, t: Tensor, x: Tensor, axes: Any, keepdims: Any, correction: Any) -> Any:
    d, weight = _deviation(x, axes, correction)
    return _along(d, t, axes, keepdims) * (2.0 * weight)


def _var_raw(ct: Any, ans: Any, x: Any, axes: Any, keepdims: bool, correction: float) -> Any:
    n = count_of(x, axes)
    free = _freedom(n, correction)
    d = x - np.add.reduce(x, axes, keepdims=True) / n
    if ct.ndim and not keepdims:
        ct = ct.reshape(keep_axes(x.shape, axes))
    d *= ct * (2.0 / free if free else math.inf)
    return d


_var = direct(reduction("var", _var_impl, vjp=_var_vjp, jvp=_var_jvp))
OPS["var"].raw = (_var_raw,)


def std(
    x: ArrayLike, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Compute the standard deviation along axes, √(Σᵢ |xᵢ - x̄|² / (n - correction)).

    Where all entries are equal the derivative is 0, the subgradient of least norm.

    Args:
        x: a numeric array; integers are taken as float64.
        axis: the axis or axes to reduce; None reduces all of them.
        correction: what to subtract from n: 0 for a population, 1 for a sample (NumPy's `ddof`).
        keepdims: whether the reduced axes stay, with length 1.

    Returns:
        The standard deviations, real also for complex `x`; NaN or infinity (with NumPy's warning)
        where n does not exceed `correction`.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if an axis is given twice.

    Example:
        >>> import lucid
        >>> lucid.std(lucid.asarray([[1.0, 3.0], [2.0, 2.0]]), axis=1)
        Tensor([1., 0.])
    """
    x = as_tensor("std", x)
    return _std(x, (axes_of("std", axis, x.ndim), bool(keepdims), float(correction)))


def reciprocal_or_zero(x: Tensor) -> Tensor:
    """Return 1 / x, and 0 where x is 0."""
    zero = x == 0
    safe = apply(OPS["where"], (zero, 1.0, x))
    return apply(OPS["where"], (zero, 0.0, 1.0 / safe))


def _std_vjp(ct: Tensor, ans: Tensor, x: Tensor, axes: Any, correction: float) -> Tensor:
    d, weight = _deviation(x, axes, correction)
    return ct * reciprocal_or_zero(ans) * weight * d


def _std_jvp(ans: Tensor, t: Tensor, x: Tensor, axes: Any, keepdims: Any, correction: Any) -> Any:
    d, weight = _deviation(x, axes, correction)
    return _along(d, t, axes, keepdims) * weight * reciprocal_or_zero(ans)


_std = direct(
    reduction("std", lambda x, *params: np.sqrt(_var_impl(x, *params)), vjp=_std_vjp, jvp=_std_jvp)
)


install(
    {
        "var": lambda self, axis=None, ddof=0, keepdims=False: var(
            self, axis, correction=ddof, keepdims=keepdims
        ),
        "std": lambda self, axis=None, ddof=0, keepdims=False: std(
            self, axis, correction=ddof, keepdims=keepdims
        ),
    }
)
