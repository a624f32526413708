"""Rounding, and the functions that look at or set the sign bit or the last bit."""

from __future__ import annotations

from operator import index

import numpy as np

from lucid.core.define import ZERO, elementwise, general
from lucid.core.dispatch import apply, bind
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, install
from lucid.errors import OperandError, message
from lucid.ops.complex_ import sign

__all__ = [
    "ceil",
    "copysign",
    "floor",
    "heaviside",
    "nextafter",
    "round",
    "signbit",
    "trunc",
]


@elementwise(np.floor, ZERO)
def floor(x: ArrayLike, /) -> Tensor:
    """Round every element down.

    The result is ⌊x⌋, the largest integer not above x; its derivative is zero.

    Args:
        x: of any shape, real.

    Returns:
        The rounded values, of the shape and dtype of `x`.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.floor(lucid.asarray([1.5, -1.5]))
        Tensor([ 1., -2.])
    """
    ...


@elementwise(np.ceil, ZERO)
def ceil(x: ArrayLike, /) -> Tensor:
    """Round every element up.

    The result is ⌈x⌉, the smallest integer not below x; its derivative is zero.

    Args:
        x: of any shape, real.

    Returns:
        The rounded values, of the shape and dtype of `x`.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.ceil(lucid.asarray([1.5, -1.5]))
        Tensor([ 2., -1.])
    """
    ...


@elementwise(np.trunc, ZERO)
def trunc(x: ArrayLike, /) -> Tensor:
    """Round every element towards zero.

    The result is the integer part of x; its derivative is zero.

    Args:
        x: of any shape, real.

    Returns:
        The rounded values, of the shape and dtype of `x`.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.trunc(lucid.asarray([1.5, -1.5]))
        Tensor([ 1., -1.])
    """
    ...


def round(x: ArrayLike, /, decimals: int = 0) -> Tensor:  # noqa: A001 - the standard's name
    """Round every element to the nearest number with some decimals, halves to the even digit.

    The result is the multiple of 10^-decimals nearest to x; its derivative is zero.

    Args:
        x: of any shape, real or complex, of which each part is rounded on its own.
        decimals: how many digits to keep after the point; negative: before it.

    Returns:
        The rounded values, of the shape and dtype of `x`.

    Raises:
        OperandError: if `decimals` is not an integer.

    Example:
        >>> import lucid
        >>> lucid.round(lucid.asarray([0.5, 1.5, -2.25]))
        Tensor([ 0.,  2., -2.])
        >>> lucid.round(lucid.asarray([0.5, 1.5, -2.25]), 1)
        Tensor([ 0.5,  1.5, -2.2])
    """
    try:
        decimals = index(decimals)
    except TypeError:
        raise OperandError(message("round", "an integer as decimals", repr(decimals))) from None
    return bind(_round, (x,), (decimals,))


_round = general(
    "round",
    np.round,
    infer=lambda x, decimals=0: x._replace(weak=False),
    batch=lambda size, batched, operands, decimals=0: apply(_round, operands, (decimals,)),
    smooth=False,
)


# -- the sign bit and the last bit -----------------------------------------------------------------


@elementwise(np.copysign, lambda ans, x1, x2: sign(x1) * sign(ans), ZERO, singular=(0,))
def copysign(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the magnitude of one operand with the sign of another.

    The result is |x1| where the sign bit of x2 is clear, -|x1| where it is set; its derivative by
    x1 is 0 at x1 = 0, and that by x2 is zero.

    Args:
        x1: the magnitudes, of any shape, real.
        x2: the signs, of a shape that broadcasts with that of `x1`, real; -0 counts as negative.

    Returns:
        The values, of the broadcast shape and the promoted floating dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for complex operands.

    Example:
        >>> import lucid
        >>> lucid.copysign(lucid.asarray([1.0, -2.0]), -0.0)
        Tensor([-1., -2.])
    """
    ...


@elementwise(np.signbit)
def signbit(x: ArrayLike, /) -> Tensor:
    """Tell of every element whether its sign bit is set.

    The result holds for negative numbers, for -0, and for NaN whose sign bit is set.

    Args:
        x: of any shape, real.

    Returns:
        Booleans, of the shape of `x`.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.signbit(lucid.asarray([1.0, -0.0]))
        Tensor([False,  True])
    """
    ...


@elementwise(np.nextafter)
def nextafter(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the next floating-point number in a direction.

    The result is the neighbour of x1 on the side of x2, or x2 where they are equal. It has no
    derivative.

    Args:
        x1: where to start, of any shape, real.
        x2: where to go, of a shape that broadcasts with that of `x1`, real.

    Returns:
        The neighbours, of the broadcast shape and the promoted floating dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        NotDifferentiableError: if a derivative is asked for.

    Example:
        >>> import lucid
        >>> lucid.nextafter(lucid.asarray(1.0), 2.0) - 1.0
        Tensor(2.22044605e-16)
    """
    ...


@elementwise(np.heaviside, ZERO, lambda ans, x1, x2: x1 == 0, singular=(1,))
def heaviside(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the unit step of every element.

    The result is 0 for x1 < 0, x2 for x1 = 0, and 1 for x1 > 0. Its derivative by x1 is zero
    wherever it exists.

    Args:
        x1: of any shape, real.
        x2: the value at the step, of a shape that broadcasts with that of `x1`, real.

    Returns:
        The step, of the broadcast shape and the promoted floating dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for complex operands.

    Example:
        >>> import lucid
        >>> lucid.heaviside(lucid.asarray([-1.5, 0.0, 2.0]), 0.5)
        Tensor([0. , 0.5, 1. ])
    """
    ...


install({"round": round})
