"""Logic on truth values, and on the bits of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.define import elementwise
from lucid.core.fastpath import operator, reflected
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, install

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
]


@elementwise(np.logical_and)
def logical_and(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where both operands hold.

    The result is x1 ∧ x2; a number holds if it differs from zero.

    Args:
        x1: the first operand, of any shape and dtype.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> x = lucid.asarray([True, True, False])
        >>> y = lucid.asarray([True, False, False])
        >>> lucid.logical_and(x, y)
        Tensor([ True, False, False])
    """
    ...


@elementwise(np.logical_or)
def logical_or(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where at least one operand holds.

    The result is x1 ∨ x2; a number holds if it differs from zero.

    Args:
        x1: the first operand, of any shape and dtype.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> x = lucid.asarray([True, True, False])
        >>> y = lucid.asarray([True, False, False])
        >>> lucid.logical_or(x, y)
        Tensor([ True,  True, False])
    """
    ...


@elementwise(np.logical_xor)
def logical_xor(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Tell where exactly one operand holds.

    The result is x1 ⊻ x2; a number holds if it differs from zero.

    Args:
        x1: the first operand, of any shape and dtype.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        Booleans, of the broadcast shape.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> x = lucid.asarray([True, True, False])
        >>> y = lucid.asarray([True, False, False])
        >>> lucid.logical_xor(x, y)
        Tensor([False,  True, False])
    """
    ...


@elementwise(np.logical_not)
def logical_not(x: ArrayLike, /) -> Tensor:
    """Tell where an operand does not hold.

    The result is ¬x; a number holds if it differs from zero.

    Args:
        x: of any shape and dtype.

    Returns:
        Booleans, of the shape of `x`.

    Example:
        >>> import lucid
        >>> lucid.logical_not(lucid.asarray([True, False]))
        Tensor([False,  True])
    """
    ...


@elementwise(np.bitwise_and, weak=True)
def bitwise_and(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Combine two operands bit by bit with "and".

    A bit of the result is set where it is set in both.

    Args:
        x1: the first operand, of any shape, boolean or integer.
        x2: the second operand, of a shape that broadcasts with that of `x1`, likewise.

    Returns:
        The combination, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for floating or complex operands.

    Example:
        >>> import lucid
        >>> lucid.bitwise_and(lucid.asarray([12]), 10)
        Tensor([8])
    """
    ...


@elementwise(np.bitwise_or, weak=True)
def bitwise_or(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Combine two operands bit by bit with "or".

    A bit of the result is set where it is set in at least one.

    Args:
        x1: the first operand, of any shape, boolean or integer.
        x2: the second operand, of a shape that broadcasts with that of `x1`, likewise.

    Returns:
        The combination, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for floating or complex operands.

    Example:
        >>> import lucid
        >>> lucid.bitwise_or(lucid.asarray([12]), 10)
        Tensor([14])
    """
    ...


@elementwise(np.bitwise_xor, weak=True)
def bitwise_xor(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Combine two operands bit by bit with "exclusive or".

    A bit of the result is set where it is set in exactly one.

    Args:
        x1: the first operand, of any shape, boolean or integer.
        x2: the second operand, of a shape that broadcasts with that of `x1`, likewise.

    Returns:
        The combination, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for floating or complex operands.

    Example:
        >>> import lucid
        >>> lucid.bitwise_xor(lucid.asarray([12]), 10)
        Tensor([6])
    """
    ...


@elementwise(np.invert, weak=True)
def bitwise_invert(x: ArrayLike, /) -> Tensor:
    """Invert every bit.

    The result is -x - 1 of a signed integer, and "not" of a boolean.

    Args:
        x: of any shape, boolean or integer.

    Returns:
        The inverse, of the shape and dtype of `x`.

    Raises:
        DTypeError: for a floating or complex operand.

    Example:
        >>> import lucid
        >>> lucid.bitwise_invert(lucid.asarray([0, 5]))
        Tensor([-1, -6])
    """
    ...


@elementwise(np.left_shift, weak=True)
def bitwise_left_shift(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Shift the bits of every element to the left.

    The result is x1 · 2^x2, without the bits that leave the dtype.

    Args:
        x1: of any shape, integer.
        x2: by how many bits, integers ≥ 0, of a shape that broadcasts with that of `x1`.

    Returns:
        The shifted values, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for floating or complex operands.

    Example:
        >>> import lucid
        >>> lucid.bitwise_left_shift(lucid.asarray([12]), 2)
        Tensor([48])
    """
    ...


@elementwise(np.right_shift, weak=True)
def bitwise_right_shift(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Shift the bits of every element to the right.

    The result is ⌊x1 / 2^x2⌋.

    Args:
        x1: of any shape, integer.
        x2: by how many bits, integers ≥ 0, of a shape that broadcasts with that of `x1`.

    Returns:
        The shifted values, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for floating or complex operands.

    Example:
        >>> import lucid
        >>> lucid.bitwise_right_shift(lucid.asarray([12]), 2)
        Tensor([3])
    """
    ...


def _infix(name: str, function: Any) -> dict[str, Any]:
    return {f"__{name}__": operator(function.op), f"__r{name}__": reflected(function.op)}


install(
    {
        **_infix("and", bitwise_and),
        **_infix("or", bitwise_or),
        **_infix("xor", bitwise_xor),
        **_infix("lshift", bitwise_left_shift),
        **_infix("rshift", bitwise_right_shift),
        "__invert__": bitwise_invert,
    }
)
