"""Arithmetic: sums, products, quotients and remainders, and the infix operators they stand for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.define import NEG, SAME, ZERO, elementwise
from lucid.core.dispatch import PYTHON
from lucid.core.fastpath import operator, reflected
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, install

__all__ = [
    "add",
    "divide",
    "floor_divide",
    "fmod",
    "multiply",
    "negative",
    "positive",
    "reciprocal",
    "remainder",
    "subtract",
]


@elementwise(np.add, SAME, SAME, weak=True)
def add(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Add element by element.

    The result is x1 + x2; of booleans, "or".

    Args:
        x1: the first summand, of any shape and dtype.
        x2: the second summand, of a shape that broadcasts with that of `x1`.

    Returns:
        The sum, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.add(lucid.asarray([1.0, 2.0]), 10.0)
        Tensor([11., 12.])
    """
    ...


@elementwise(np.subtract, SAME, NEG, weak=True)
def subtract(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Subtract element by element.

    The result is x1 - x2.

    Args:
        x1: the minuend, of any shape and numeric dtype.
        x2: the subtrahend, of a shape that broadcasts with that of `x1`.

    Returns:
        The difference, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: if both are boolean.

    Example:
        >>> import lucid
        >>> lucid.subtract(lucid.asarray([1.0, 2.0]), 10.0)
        Tensor([-9., -8.])
    """
    ...


@elementwise(
    np.multiply,
    lambda ans, x1, x2: x2,
    lambda ans, x1, x2: x1,
    weak=True,
    singular=(0, 1),
)
def multiply(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Multiply element by element.

    The result is x1 · x2; of booleans, "and".

    Args:
        x1: the first factor, of any shape and dtype.
        x2: the second factor, of a shape that broadcasts with that of `x1`.

    Returns:
        The product, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.multiply(lucid.asarray([1.0, 2.0]), 10.0)
        Tensor([10., 20.])
    """
    ...


def _inverse(x: Any) -> Any:
    """1 / x, where x may be a Python zero, by which Python refuses to divide."""
    if type(x) in PYTHON and not x:
        return math.nan if type(x) is complex else math.copysign(math.inf, x)
    return 1 / x


@elementwise(
    np.divide,
    lambda ans, x1, x2: _inverse(x2),
    lambda ans, x1, x2: -ans / x2,
    weak=True,
    singular=(0, 1),
)
def divide(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Divide element by element.

    The result is x1 / x2, floating also for integers.

    Args:
        x1: the dividend, of any shape and dtype.
        x2: the divisor, of a shape that broadcasts with that of `x1`.

    Returns:
        The quotient, of the broadcast shape and the promoted floating or complex dtype; infinite
        or NaN, with NumPy's warning, where the divisor is zero.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.divide(lucid.asarray([1.0, 2.0]), 10)
        Tensor([0.1, 0.2])
    """
    ...


@elementwise(np.negative, NEG, weak=True)
def negative(x: ArrayLike, /) -> Tensor:
    """Change the sign of every element.

    The result is -x.

    Args:
        x: of any shape and numeric dtype.

    Returns:
        The negative, of the shape and dtype of `x`; unsigned integers wrap around.

    Raises:
        DTypeError: if `x` is boolean.

    Example:
        >>> import lucid
        >>> lucid.negative(lucid.asarray([1.0, -2.0]))
        Tensor([-1.,  2.])
    """
    ...


@elementwise(np.positive, SAME, weak=True)
def positive(x: ArrayLike, /) -> Tensor:
    """Return every element as it is.

    The result is +x.

    Args:
        x: of any shape and numeric dtype.

    Returns:
        The same values, of the shape and dtype of `x`.

    Raises:
        DTypeError: if `x` is boolean.

    Example:
        >>> import lucid
        >>> lucid.positive(lucid.asarray([1.0, -2.0]))
        Tensor([ 1., -2.])
    """
    ...


@elementwise(np.reciprocal, lambda ans, x: -ans * ans, singular=(0,))
def reciprocal(x: ArrayLike, /) -> Tensor:
    """Invert every element.

    The result is 1 / x.

    Args:
        x: of any shape, floating or complex; for integers the result is rounded towards zero.

    Returns:
        The reciprocal, of the shape and dtype of `x`.

    Example:
        >>> import lucid
        >>> lucid.reciprocal(lucid.asarray([1.0, 4.0]))
        Tensor([1.  , 0.25])
    """
    ...


def _floor_divide(x1: Any, x2: Any) -> Any:
    """NumPy's, and the standard's where an operand is infinite: ⌊x1 / x2⌋ instead of NaN or -1."""
    infinite = np.isinf(x1) | np.isinf(x2)
    if not infinite.any():
        return np.floor_divide(x1, x2)
    with np.errstate(invalid="ignore"):
        return np.where(infinite, np.floor(np.divide(x1, x2)), np.floor_divide(x1, x2))


@elementwise(_floor_divide, ZERO, ZERO, weak=True)
def floor_divide(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Divide element by element and round down.

    The result is ⌊x1 / x2⌋; its derivative is zero.

    Args:
        x1: the dividend, of any shape, real.
        x2: the divisor, of a shape that broadcasts with that of `x1`, real.

    Returns:
        The rounded quotient, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for complex operands.

    Example:
        >>> import lucid
        >>> lucid.floor_divide(lucid.asarray([7.0, -7.0]), 2)
        Tensor([ 3., -4.])

    Source: array API standard 2025.12, which fixes the values at infinity.
    """
    ...


@elementwise(np.remainder, SAME, lambda ans, x1, x2: -(x1 // x2), weak=True, singular=(1,))
def remainder(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return what a division rounded down leaves, with the sign of the divisor.

    The result is x1 - x2 · ⌊x1 / x2⌋, Python's ``%``.

    Args:
        x1: the dividend, of any shape, real.
        x2: the divisor, of a shape that broadcasts with that of `x1`, real.

    Returns:
        The remainder, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for complex operands.

    Example:
        >>> import lucid
        >>> lucid.remainder(lucid.asarray([7.0, -7.0]), 4)
        Tensor([3., 1.])
    """
    ...


# The quotient is recovered from the exact remainder: x1 / x2 itself can round to the next integer.
@elementwise(np.fmod, SAME, lambda ans, x1, x2: (ans - x1) / x2, singular=(1,))
def fmod(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return what a division rounded towards zero leaves, with the sign of the dividend.

    The result is x1 - x2 · trunc(x1 / x2), C's ``fmod``.

    Args:
        x1: the dividend, of any shape, real.
        x2: the divisor, of a shape that broadcasts with that of `x1`, real.

    Returns:
        The remainder, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for complex operands.

    Example:
        >>> import lucid
        >>> lucid.fmod(lucid.asarray([7.0, -7.0]), 4)
        Tensor([ 3., -3.])
    """
    ...


def _infix(name: str, function: Any) -> dict[str, Any]:
    return {f"__{name}__": operator(function.op), f"__r{name}__": reflected(function.op)}


install(
    {
        **_infix("add", add),
        **_infix("sub", subtract),
        **_infix("mul", multiply),
        **_infix("truediv", divide),
        **_infix("floordiv", floor_divide),
        **_infix("mod", remainder),
        "__neg__": negative,
        "__pos__": positive,
    }
)
