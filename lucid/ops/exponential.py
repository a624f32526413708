"""Exponentials and logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.define import elementwise
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.ops.compare import isinf
from lucid.ops.select import where

__all__ = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
]


@elementwise(np.exp, lambda ans, x: ans, singular=(0,))
def exp(x: ArrayLike, /) -> Tensor:
    """Return the exponential of every element.

    The result is eˣ.

    Args:
        x: of any shape, real or complex.

    Returns:
        The exponential, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.exp(lucid.asarray([0.0, 1.0]))
        Tensor([1.        , 2.71828183])

    Source: DLMF 4.2.
    """
    ...


@elementwise(np.exp2, lambda ans, x: ans * math.log(2), singular=(0,))
def exp2(x: ArrayLike, /) -> Tensor:
    """Return two to the power of every element.

    The result is 2ˣ.

    Args:
        x: of any shape, real.

    Returns:
        The power of two, of the shape of `x`, floating.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.exp2(lucid.asarray([-1.0, 3.0]))
        Tensor([0.5, 8. ])
    """
    ...


def _expm1(x: Any) -> Any:
    """NumPy's, and the standard's for complex zeros and infinities."""
    result = np.expm1(x)
    if result.dtype.kind == "c":
        odd = (x == 0) | ~np.isfinite(x)
        if odd.any():
            return np.where(odd, np.exp(x) - 1, result)
    return result


@elementwise(_expm1, lambda ans, x: ans + 1, singular=(0,))
def expm1(x: ArrayLike, /) -> Tensor:
    """Return the exponential less one, accurate near 0.

    The result is eˣ - 1.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.expm1(lucid.asarray([0.0, 1e-20]))
        Tensor([0.e+00, 1.e-20])

    Source: DLMF 4.2; array API standard 2025.12 for complex infinities.
    """
    ...


@elementwise(np.log, lambda ans, x: 1 / x, singular=(0,))
def log(x: ArrayLike, /) -> Tensor:
    """Return the natural logarithm of every element.

    The result is ln x, of a complex number the principal value.

    Args:
        x: of any shape, real or complex.

    Returns:
        The logarithm, of the shape of `x`, floating or complex; -∞ at 0 and NaN for a negative
        real number, with NumPy's warning.

    Example:
        >>> import lucid
        >>> lucid.log(lucid.asarray([1.0, 10.0]))
        Tensor([0.        , 2.30258509])

    Source: DLMF 4.2.
    """
    ...


@elementwise(np.log2, lambda ans, x: (1 / math.log(2)) / x, singular=(0,))
def log2(x: ArrayLike, /) -> Tensor:
    """Return the logarithm of every element to the base 2.

    The result is log₂ x.

    Args:
        x: of any shape, real or complex.

    Returns:
        The logarithm, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.log2(lucid.asarray([0.5, 8.0]))
        Tensor([-1.,  3.])
    """
    ...


@elementwise(np.log10, lambda ans, x: (1 / math.log(10)) / x, singular=(0,))
def log10(x: ArrayLike, /) -> Tensor:
    """Return the logarithm of every element to the base 10.

    The result is log₁₀ x.

    Args:
        x: of any shape, real or complex.

    Returns:
        The logarithm, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.log10(lucid.asarray([0.1, 1000.0]))
        Tensor([-1.,  3.])
    """
    ...


@elementwise(np.log1p, lambda ans, x: 1 / (1 + x), singular=(0,))
def log1p(x: ArrayLike, /) -> Tensor:
    """Return the logarithm of one plus every element, accurate near 0.

    The result is ln(1 + x).

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.log1p(lucid.asarray([0.0, 1e-20]))
        Tensor([0.e+00, 1.e-20])

    Source: DLMF 4.2.
    """
    ...


_LARGE = 4096  # elements from which on six vectorised passes are faster than NumPy's one


def _logaddexp(x1: Any, x2: Any) -> Any:
    """NumPy's; of many finite numbers by its vectorised exp and log1p, as accurate as its own."""
    arrays = type(x1) is type(x2) is np.ndarray and x1.dtype == x2.dtype and x1.shape == x2.shape
    if not arrays or x1.size < _LARGE or x1.dtype.char not in "fd":
        return np.logaddexp(x1, x2)
    with np.errstate(all="ignore"):
        out = np.subtract(x1, x2)
        np.abs(out, out=out)
        finite = np.isfinite(np.add.reduce(out, None))
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
    out += np.maximum(x1, x2)
    return out if finite else np.logaddexp(x1, x2)


@elementwise(
    _logaddexp,
    lambda ans, x1, x2: _share(x1, x2),
    lambda ans, x1, x2: _share(x2, x1),
    singular=(0, 1),
)
def logaddexp(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Add numbers given by their logarithms, without overflow on the way.

    The result is ln(exp x1 + exp x2). Where both are the same infinity, each takes half of the
    derivative.

    Args:
        x1: the first logarithm, of any shape, real.
        x2: the second logarithm, of a shape that broadcasts with that of `x1`, real.

    Returns:
        The logarithm of the sum, of the broadcast shape and the promoted floating dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for complex operands.

    Example:
        >>> import lucid
        >>> lucid.logaddexp(lucid.asarray([0.0, -999.0]), lucid.asarray([0.0, -1000.0]))
        Tensor([ 6.93147181e-01, -9.98686738e+02])
    """
    ...


def _share(mine: Any, other: Any) -> Any:
    """exp(mine) / (exp(mine) + exp(other)), which only needs their difference."""
    same = isinf(mine) & (mine == other)
    return 1 / (1 + exp(where(same, 0, other - mine)))
