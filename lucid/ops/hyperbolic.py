"""Hyperbolic functions and their inverses.

The slopes of the inverse functions are written so that a complex number on a branch cut finds the
side that the sign of its zero part says: ``-(-x - 1)`` keeps that sign where ``1 + x`` loses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.define import elementwise
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor

__all__ = ["acosh", "asinh", "atanh", "cosh", "sinh", "tanh"]


@elementwise(np.sinh, lambda ans, x: cosh(x), singular=(0,))  # pyright: ignore
def sinh(x: ArrayLike, /) -> Tensor:
    """Return the hyperbolic sine of every element.

    The result is (eˣ - e⁻ˣ) / 2.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.sinh(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 1.17520119])

    Source: DLMF 4.28.
    """
    ...


@elementwise(np.cosh, lambda ans, x: sinh(x), singular=(0,))  # pyright: ignore
def cosh(x: ArrayLike, /) -> Tensor:
    """Return the hyperbolic cosine of every element.

    The result is (eˣ + e⁻ˣ) / 2.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.cosh(lucid.asarray([0.0, 1.0]))
        Tensor([1.        , 1.54308063])

    Source: DLMF 4.28.
    """
    ...


def _tanh(x: Any) -> Any:
    """NumPy's, and the standard's sign of a zero imaginary part at complex infinities."""
    result: Any = np.tanh(x)
    if result.dtype.kind == "c":
        infinite = np.isinf(np.real(x))
        if infinite.any():
            result = np.asarray(result)
            result.imag[infinite] = np.copysign(0, np.imag(x)[infinite])
    return result


_tanh.real_impl = np.tanh  # type: ignore[attr-defined]


@elementwise(_tanh, lambda ans, x: 1 - ans * ans, singular=(0,))
def tanh(x: ArrayLike, /) -> Tensor:
    """Return the hyperbolic tangent of every element.

    The result is sinh(x) / cosh(x).

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.tanh(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 0.76159416])

    Source: DLMF 4.28.
    """
    ...


@elementwise(np.arcsinh, lambda ans, x: 1 / (-(-x * x - 1)) ** 0.5, singular=(0,))
def asinh(x: ArrayLike, /) -> Tensor:
    """Return the inverse hyperbolic sine of every element.

    The result is ln(x + √(x² + 1)); the branch cuts are the imaginary numbers beyond ±i.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.asinh(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 0.88137359])

    Source: DLMF 4.37.
    """
    ...


@elementwise(np.arccosh, lambda ans, x: 1 / ((x - 1) ** 0.5 * (-(-x - 1)) ** 0.5), singular=(0,))
def acosh(x: ArrayLike, /) -> Tensor:
    """Return the inverse hyperbolic cosine of every element.

    The result is ln(x + √(x - 1) √(x + 1)); the branch cut is the real numbers below 1.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex; NaN, with NumPy's warning, for a real
        number below 1.

    Example:
        >>> import lucid
        >>> lucid.acosh(lucid.asarray([1.0, 2.0]))
        Tensor([0.        , 1.3169579])

    Source: DLMF 4.37.
    """
    ...


@elementwise(np.arctanh, lambda ans, x: 1 / ((1 - x) * (1 + x)), singular=(0,))
def atanh(x: ArrayLike, /) -> Tensor:
    """Return the inverse hyperbolic tangent of every element.

    The result is ln((1 + x) / (1 - x)) / 2; the branch cuts are the real numbers beyond ±1.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex; infinite at ±1 and NaN for a real
        number beyond, with NumPy's warning.

    Example:
        >>> import lucid
        >>> lucid.atanh(lucid.asarray([0.0, 0.5]))
        Tensor([0.        , 0.54930614])

    Source: DLMF 4.37.
    """
    ...
