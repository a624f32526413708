"""Arithmetic: the infix operators and their relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.define import NEG, SAME, ZERO, elementwise
from lucid.core.dispatch import bind
from lucid.core.fastpath import operator, reflected
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, install

__all__ = ["add", "multiply", "negative", "subtract", "divide", "square"]


@elementwise(np.add, SAME, SAME, weak=True)
def add(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Add element by element, x1 + x2.

    Args:
        x1: the first summand.
        x2: the second summand, of a shape that broadcasts with `x1`.

    Returns:
        The sum, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast.

    Example:
        >>> import lucid
        >>> lucid.add(lucid.asarray([1.0, 2.0]), 10.0)
        Tensor([11., 12.])
    """
    ...


@elementwise(np.subtract, SAME, NEG, weak=True)
def subtract(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Subtract"""
    ...


@elementwise(
    np.multiply, lambda ans, x1, x2: x2, lambda ans, x1, x2: x1, weak=True, singular=(0, 1)
)
def multiply(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Multiply"""
    ...


@elementwise(
    np.divide, lambda ans, x1, x2: 1 / x2, lambda ans, x1, x2: -ans / x2, weak=True, singular=(0, 1)
)
def divide(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Divide"""
    ...


@elementwise(np.negative, NEG, weak=True)
def negative(x: ArrayLike, /) -> Tensor:
    """Negate"""
    ...


@elementwise(np.square, lambda ans, x: 2 * x)
def square(x: ArrayLike, /) -> Tensor:
    """Square"""
    ...


@elementwise(np.tanh, lambda ans, x: 1 - ans * ans)
def tanh(x: ArrayLike, /) -> Tensor:
    """tanh"""
    ...

@elementwise(np.log, lambda ans, x: 1 / x, singular=(0,))
def log(x: ArrayLike, /) -> Tensor:
    """tanh"""
    ...


@elementwise(np.conjugate, SAME)
def conj(x: ArrayLike, /) -> Tensor:
    """tanh"""
    ...

@elementwise(np.greater)
def greater(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """tanh"""
    ...

@elementwise(np.bitwise_and)
def bitwise_and(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """tanh"""
    ...

@elementwise(np.not_equal)
def not_equal(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """tanh"""
    ...


@elementwise(np.where, ZERO, lambda ans,c,x,y:c, lambda ans,c,x,y:~c, masks=lambda i,ans,args: args[0] if i==1 else args[0].__invert__())
def where(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """tanh"""
    ...

_ = (Any, bind)


def _infix(name: str, function: Any) -> dict[str, Any]:
    return {
        f"__{name}__": operator(function.op),
        f"__r{name}__": reflected(function.op),
    }


install(
    {
        **_infix("add", add),
        **_infix("sub", subtract),
        **_infix("mul", multiply),
        **_infix("truediv", divide),
        "__neg__": negative,
        "__gt__": operator(greater.op),
        "__ne__": operator(not_equal.op),
        "__and__": operator(bitwise_and.op),
    }
)
