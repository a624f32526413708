"""Comparisons, and questions about single elements. The results are boolean."""

from __future__ import annotations

import numpy as np

from lucid.core.define import elementwise
from lucid.core.fastpath import operator
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, install

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "not_equal",
]


@elementwise(np.equal)
def equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where two operands are equal.

    The result is x1 = x2; NaN equals nothing.

    Args:
        x1: the first operand, of any shape.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.equal(lucid.asarray([1.0, 2.0, 3.0]), 2.0)
        Tensor([False,  True, False])
    """
    ...


@elementwise(np.not_equal)
def not_equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where two operands differ.

    The result is x1 ≠ x2; NaN differs from everything.

    Args:
        x1: the first operand, of any shape.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.not_equal(lucid.asarray([1.0, 2.0, 3.0]), 2.0)
        Tensor([ True, False,  True])
    """
    ...


@elementwise(np.less)
def less(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where one operand is smaller than another.

    The result is x1 < x2.

    Args:
        x1: the first operand, of any shape, real.
        x2: the second operand, of a shape that broadcasts with that of `x1`, real.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.less(lucid.asarray([1.0, 2.0, 3.0]), 2.0)
        Tensor([ True, False, False])
    """
    ...


@elementwise(np.less_equal)
def less_equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where one operand is at most another.

    The result is x1 ≤ x2.

    Args:
        x1: the first operand, of any shape, real.
        x2: the second operand, of a shape that broadcasts with that of `x1`, real.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.less_equal(lucid.asarray([1.0, 2.0, 3.0]), 2.0)
        Tensor([ True,  True, False])
    """
    ...


@elementwise(np.greater)
def greater(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where one operand is larger than another.

    The result is x1 > x2.

    Args:
        x1: the first operand, of any shape, real.
        x2: the second operand, of a shape that broadcasts with that of `x1`, real.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.greater(lucid.asarray([1.0, 2.0, 3.0]), 2.0)
        Tensor([False, False,  True])
    """
    ...


@elementwise(np.greater_equal)
def greater_equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where one operand is at least another.

    The result is x1 ≥ x2.

    Args:
        x1: the first operand, of any shape, real.
        x2: the second operand, of a shape that broadcasts with that of `x1`, real.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.greater_equal(lucid.asarray([1.0, 2.0, 3.0]), 2.0)
        Tensor([False,  True,  True])
    """
    ...


@elementwise(np.isnan)
def isnan(x: ArrayLike, /) -> Tensor:
    """Tell of every element whether it is NaN.

    The result holds for NaN, and for a complex number with a NaN part.

    Args:
        x: of any shape and dtype.

    Returns:
        Booleans, of the shape of `x`.

    Example:
        >>> import lucid
        >>> lucid.isnan(lucid.asarray([1.0, lucid.inf, lucid.nan]))
        Tensor([False, False,  True])
    """
    ...


@elementwise(np.isinf)
def isinf(x: ArrayLike, /) -> Tensor:
    """Tell of every element whether it is infinite.

    The result holds for ±∞, and for a complex number with an infinite part.

    Args:
        x: of any shape and dtype.

    Returns:
        Booleans, of the shape of `x`.

    Example:
        >>> import lucid
        >>> lucid.isinf(lucid.asarray([1.0, lucid.inf, lucid.nan]))
        Tensor([False,  True, False])
    """
    ...


@elementwise(np.isfinite)
def isfinite(x: ArrayLike, /) -> Tensor:
    """Tell of every element whether it is finite.

    The result holds for what is neither infinite nor NaN, in both parts of a complex number.

    Args:
        x: of any shape and dtype.

    Returns:
        Booleans, of the shape of `x`.

    Example:
        >>> import lucid
        >>> lucid.isfinite(lucid.asarray([1.0, lucid.inf, lucid.nan]))
        Tensor([ True, False, False])
    """
    ...


install(
    {
        "__eq__": operator(equal.op),  # type: ignore[attr-defined]
        "__ne__": operator(not_equal.op),  # type: ignore[attr-defined]
        "__lt__": operator(less.op),  # type: ignore[attr-defined]
        "__le__": operator(less_equal.op),  # type: ignore[attr-defined]
        "__gt__": operator(greater.op),  # type: ignore[attr-defined]
        "__ge__": operator(greater_equal.op),  # type: ignore[attr-defined]
    }
)
