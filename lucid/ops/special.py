"""The special functions that other families need: the error function and the gamma function's kin.

SciPy computes them and is imported when the first of them is called. That is also why a rule here
refers to functions defined further down only: trying it out at definition would call SciPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.core.define import ZERO, elementwise
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, message
from lucid.ops.exponential import exp

__all__ = ["digamma", "erf", "erfc", "erfinv", "gammaln", "polygamma"]

_SLOPE = 2 / math.sqrt(math.pi)


@elementwise(lambda x: scipy_special.erf(x), lambda ans, x: _SLOPE * exp(-x * x), singular=(0,))
def erf(x: ArrayLike, /) -> Tensor:
    """Return the error function of every element.

    The result is (2/√π) ∫₀ˣ exp(-t²) dt.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.special.erf(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 0.84270079])

    Source: DLMF 7.2.1.
    """
    ...


@elementwise(lambda x: scipy_special.erfc(x), lambda ans, x: -_SLOPE * exp(-x * x), singular=(0,))
def erfc(x: ArrayLike, /) -> Tensor:
    """Return the complementary error function of every element, accurate in the tail.

    The result is 1 - erf(x).

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.special.erfc(lucid.asarray([0.0, 10.0]))
        Tensor([1.00000000e+00, 2.08848758e-45])

    Source: DLMF 7.2.2.
    """
    ...


@elementwise(
    lambda x: scipy_special.erfinv(x), lambda ans, x: exp(ans * ans) / _SLOPE, singular=(0,)
)
def erfinv(x: ArrayLike, /) -> Tensor:
    """Return the inverse of the error function of every element.

    The result is the y with erf(y) = x.

    Args:
        x: of any shape, real, in [-1, 1].

    Returns:
        The value, of the shape of `x`, floating; infinite at ±1 and NaN beyond.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.special.erfinv(lucid.asarray([0.0, 0.5]))
        Tensor([0.        , 0.47693628])

    Source: DLMF 7.17.1.
    """
    ...


@elementwise(lambda x: scipy_special.gammaln(x), lambda ans, x: digamma(x), singular=(0,))
def gammaln(x: ArrayLike, /) -> Tensor:
    """Return the logarithm of the absolute value of the gamma function of every element.

    The result is ln |Γ(x)|.

    Args:
        x: of any shape, real.

    Returns:
        The value, of the shape of `x`, floating; infinite at 0, -1, -2, …

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.special.gammaln(lucid.asarray([1.0, 10.0]))
        Tensor([ 0.        , 12.80182748])

    Source: DLMF 5.2.1.
    """
    ...


@elementwise(lambda x: scipy_special.digamma(x), lambda ans, x: polygamma(1, x), singular=(0,))
def digamma(x: ArrayLike, /) -> Tensor:
    """Return the digamma function of every element.

    The result is d/dx ln Γ(x). Complex values are computed, but their derivative is not.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.special.digamma(lucid.asarray([1.0, 2.0]))
        Tensor([-0.57721566,  0.42278434])

    Source: DLMF 5.2.2.
    """
    ...


def polygamma(n: ArrayLike, x: ArrayLike, /) -> Tensor:
    """Return a derivative of the digamma function of every element.

    The result is the n-th derivative of ψ(x) = d/dx ln Γ(x).

    Args:
        n: the order, integers ≥ 0, of any shape.
        x: of a shape that broadcasts with that of `n`, real.

    Returns:
        The value, of the broadcast shape and the dtype of `x`, or float64 if that is integer; NaN
        where the order is negative.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: if `n` is not integer, or `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.special.polygamma(1, lucid.asarray([1.0, 2.0]))
        Tensor([1.64493407, 0.64493407])

    Source: DLMF 5.15.
    """
    dtype = getattr(n, "dtype", None)
    if type(n) is not int and (dtype is None or dtype.kind not in "iu"):
        got = type(n).__name__ if dtype is None else str(dtype)
        hint = "the order has no derivative; give it as an integer"
        raise DTypeError(message("polygamma", "integers as order", got, hint))
    return _polygamma(n, x)


def _polygamma_impl(n: Any, x: Any) -> Any:
    n, x = np.asarray(n), np.asarray(x)
    if x.dtype.kind == "c":
        raise TypeError("it is computed for real numbers only")
    order = n + 1.0
    sign = np.where(n % 2, 1.0, -1.0)
    with np.errstate(all="ignore"):
        higher = sign * scipy_special.gamma(order) * scipy_special.zeta(order, x)
    value = np.where(n == 0, scipy_special.digamma(x), np.where(n > 0, higher, np.nan))
    return value.astype(x.dtype if x.dtype.kind == "f" else np.float64)


# The order is an integer, so that nobody ever asks for the derivative by it.
@elementwise(
    _polygamma_impl, ZERO, lambda ans, n, x: polygamma(n + 1, x), name="polygamma", singular=(1,)
)
def _polygamma(n: Any, x: Any, /) -> Any:
    """Return a derivative of the digamma function."""
    ...
