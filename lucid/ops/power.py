"""Powers and roots, and the infix ``**``."""

from __future__ import annotations

import cmath
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit, spread, unbroadcast_mask
from lucid.core.define import align_batch, elementwise, general
from lucid.core.dispatch import PYTHON, apply
from lucid.core.fastpath import operator, reflected
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, aval, install
from lucid.ops.select import where

__all__ = ["cbrt", "hypot", "pow", "sqrt", "square"]


@elementwise(np.square, lambda ans, x: 2 * x, weak=True, singular=(0,))
def square(x: ArrayLike, /) -> Tensor:
    """Square every element.

    The result is x · x.

    Args:
        x: of any shape and numeric dtype.

    Returns:
        The square, of the shape and dtype of `x`.

    Example:
        >>> import lucid
        >>> lucid.square(lucid.asarray([2.0, -3.0]))
        Tensor([4., 9.])
    """
    ...


@elementwise(np.sqrt, lambda ans, x: 0.5 / ans, weak=True, singular=(0,))
def sqrt(x: ArrayLike, /) -> Tensor:
    """Take the principal square root of every element.

    The result is √x; its derivative at 0 is infinite.

    Args:
        x: of any shape, real or complex.

    Returns:
        The root, of the shape of `x`, floating or complex; NaN, with NumPy's warning, for a
        negative real number.

    Example:
        >>> import lucid
        >>> lucid.sqrt(lucid.asarray([4.0, 9.0]))
        Tensor([2., 3.])
    """
    ...


@elementwise(np.cbrt, lambda ans, x: 1 / (3 * ans * ans), singular=(0,))
def cbrt(x: ArrayLike, /) -> Tensor:
    """Take the real cube root of every element.

    The result is ∛x, negative for negative numbers; its derivative at 0 is infinite.

    Args:
        x: of any shape, real.

    Returns:
        The root, of the shape of `x`, floating.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.cbrt(lucid.asarray([8.0, -27.0]))
        Tensor([ 2., -3.])
    """
    ...


@elementwise(
    np.hypot,
    lambda ans, x1, x2: where(ans == 0, 0, x1 / ans),
    lambda ans, x1, x2: where(ans == 0, 0, x2 / ans),
    singular=(0, 1),
)
def hypot(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the length of the hypotenuse, without overflow on the way.

    The result is √(x1² + x2²); its gradient at the origin is 0, the subgradient of least norm.

    Args:
        x1: the first leg, of any shape, real.
        x2: the second leg, of a shape that broadcasts with that of `x1`, real.

    Returns:
        The length, of the broadcast shape and the promoted floating dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for complex operands.

    Example:
        >>> import lucid
        >>> lucid.hypot(lucid.asarray([3.0, 5.0]), lucid.asarray([4.0, 12.0]))
        Tensor([ 5., 13.])
    """
    ...


# -- powers ----------------------------------------------------------------------------------------

# The derivatives stand first, because `elementwise` tries out what the partials of `pow` call.


def _base_slope(x: Any, y: Any) -> Any:
    """∂(x^y)/∂x."""
    if type(y) in PYTHON:
        return y * x ** (y - 1) if y else 0
    return _mixed(x, y, 1, 0)


def _exponent_slope(ans: Any, x: Any, y: Any) -> Any:
    """∂(x^y)/∂y."""
    if type(x) in PYTHON and type(x) is not complex and x > 0:
        return ans * math.log(x)
    if type(x) is complex and x:
        return ans * cmath.log(x)
    return _mixed(x, y, 0, 1)


def _mixed(x: Any, y: Any, n: int, k: int) -> Any:
    """∂ⁿ⁺ᵏ(x^y)/∂xⁿ∂yᵏ."""
    if isinstance(x, Tensor) or isinstance(y, Tensor):
        return apply(_slope, (x, y), (n, k))
    return _slope_impl(x, y, n, k)


def _slope_impl(x: Any, y: Any, n: int, k: int) -> Any:
    """Differentiate P(y) x^(y-n) k times by y, where P(y) = y (y-1) … (y-n+1).

    A factor that is exactly zero wins over an infinite one beside it: P vanishes at the whole
    exponents for which x^y is a polynomial of degree below n, and 0^p log 0 counts as 0 for p ≥ 0.
    """
    dtype = np.result_type(x, y, np.float16)
    x, y = np.asarray(x, dtype), np.asarray(y, dtype)
    total: Any = 0
    with np.errstate(all="ignore"):
        power = np.power(x, y - n)
        log: Any = np.log(x) if k else None
        vanishing = (x == 0) & ((y - n).real >= 0)
        for j in range(min(n, k) + 1):
            factor = math.comb(k, j) * np.polyval(_falling(n, j), y).astype(dtype)
            term = power if j == k else np.where(vanishing, 0, power * log ** (k - j))
            total = total + np.where(factor == 0, 0, factor * term)
    return np.asarray(total, dtype)


@functools.lru_cache(maxsize=64)
def _falling(n: int, j: int) -> Any:
    """The coefficients of the j-th derivative of y (y-1) … (y-n+1)."""
    return np.polyder(np.atleast_1d(np.poly(np.arange(n))), j)


def _slope_jvp(ans: Any, tangents: Sequence[Any], operands: Sequence[Any], n: int, k: int) -> Any:
    x, y = operands
    dx, dy = tangents
    total = None if dx is None else _weighted(dx, _mixed(x, y, n + 1, k))
    if dy is not None:
        term = _weighted(dy, _mixed(x, y, n, k + 1))
        total = term if total is None else total + term
    return None if total is None else spread(total, ans)


_slope = general(
    "pow_derivative",
    _slope_impl,
    infer=lambda x, y, n, k: Aval(
        np.broadcast_shapes(x.shape, y.shape),
        OPS["pow"].infer(x, y).dtype,  # type: ignore[misc]
    ),
    jvp=_slope_jvp,
    vjps=[
        lambda ct, ans, x, y, n, k: fit(_weighted(ct, conj(_mixed(x, y, n + 1, k))), x),
        lambda ct, ans, x, y, n, k: fit(_weighted(ct, conj(_mixed(x, y, n, k + 1))), y),
    ],
    batch=lambda size, batched, operands, n, k: apply(
        _slope, tuple(align_batch(batched, operands)), (n, k)
    ),
    singular=frozenset((0, 1)),
    live=lambda mask, i, ans, operands, n, k: unbroadcast_mask(mask, operands[i].shape),
)


def _weighted_impl(weight: Any, slope: Any) -> Any:
    return np.where(weight == 0, 0, weight * slope)


# A direction that leaves the exponent alone must not see that its slope, below a negative base, is
# NaN: the derivative by the base would be lost. So here, and only here, 0 · NaN is 0.
@elementwise(
    _weighted_impl,
    lambda ans, weight, slope: slope,
    lambda ans, weight, slope: weight,
    name="pow_weighted",
    singular=(0, 1),
)
def _weighted(weight: Any, slope: Any) -> Any:
    """Multiply, where a weight of exactly zero wins."""
    ...


def _power(x: Any, y: Any) -> Any:
    """NumPy's power; cubes of floating arrays as products, a hundred times as fast.

    Of Python numbers Python's own, whose bits NumPy's vectorised one does not always have.
    """
    if type(y) is int and y == 3 and type(x) is np.ndarray and x.dtype.kind == "f":
        return x * x * x
    if type(x) is float and x > 0 and type(y) in (int, float):
        try:
            return x**y
        except OverflowError:
            pass
    return np.power(x, y)


@elementwise(
    _power,
    lambda ans, x1, x2: _base_slope(x1, x2),
    lambda ans, x1, x2: _exponent_slope(ans, x1, x2),
    weak=True,
    singular=(0, 1),
)
def pow(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:  # noqa: A001 - the standard's name
    """Raise to a power, element by element.

    The result is x1 ** x2. Both derivatives hold at the edges, to any order: that of x ** 0 is 0,
    that of 0 ** x by its exponent is 0 for x ≥ 0, and a negative base with a whole exponent is
    differentiable by the base, while its derivative by the exponent, which does not exist, is NaN.

    Args:
        x1: the base, of any shape and numeric dtype.
        x2: the exponent, of a shape that broadcasts with that of `x1`.

    Returns:
        The power, of the broadcast shape and the promoted dtype; NaN, with NumPy's warning, for a
        negative real base with a fractional exponent.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        ValueError: for integers with a negative integer exponent.

    Example:
        >>> import lucid
        >>> lucid.pow(lucid.asarray([2.0, 3.0]), 2)
        Tensor([4., 9.])
    """
    ...


def _push(ans: Any, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
    x, y = operands
    dx, dy = tangents
    total = None if dx is None else dx * _base_slope(x, y)
    if dy is not None:
        term = _weighted(dy, _exponent_slope(ans, x, y))
        total = term if total is None else total + term
    return None if total is None else spread(total, ans)


pow.op.jvp = _push  # type: ignore[attr-defined]


_general_pow = operator(pow.op)  # type: ignore[attr-defined]


def _pow(self: Any, other: Any, /) -> Any:
    """``x ** y``, of which squares and square roots are quicker."""
    if type(other) is int and other == 2:
        return square(self)
    if type(other) is float and other == 0.5 and self.dtype.kind in "fc" and not aval(self).weak:
        return sqrt(self)
    return _general_pow(self, other)


install({"__pow__": _pow, "__rpow__": reflected(pow.op)})  # type: ignore[attr-defined]
