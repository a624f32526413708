"""Trigonometric functions and their inverses, angles in radians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit, spread
from lucid.core.define import elementwise, general
from lucid.core.dispatch import apply, bind
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.ops.power import hypot

__all__ = [
    "acos",
    "asin",
    "atan",
    "atan2",
    "cos",
    "deg2rad",
    "rad2deg",
    "sin",
    "sinc",
    "tan",
]


@elementwise(np.sin, lambda ans, x: cos(x), singular=(0,))  # pyright: ignore
def sin(x: ArrayLike, /) -> Tensor:
    """Return the sine of every element.

    The result is sin x.

    Args:
        x: the angles in radians, of any shape, real or complex.

    Returns:
        The sine, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.sin(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 0.84147098])

    Source: DLMF 4.14.
    """
    ...


@elementwise(np.cos, lambda ans, x: -sin(x), singular=(0,))  # pyright: ignore
def cos(x: ArrayLike, /) -> Tensor:
    """Return the cosine of every element.

    The result is cos x.

    Args:
        x: the angles in radians, of any shape, real or complex.

    Returns:
        The cosine, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.cos(lucid.asarray([0.0, 1.0]))
        Tensor([1.        , 0.54030231])

    Source: DLMF 4.14.
    """
    ...


@elementwise(np.tan, lambda ans, x: 1 + ans * ans, singular=(0,))
def tan(x: ArrayLike, /) -> Tensor:
    """Return the tangent of every element.

    The result is sin(x) / cos(x).

    Args:
        x: the angles in radians, of any shape, real or complex.

    Returns:
        The tangent, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.tan(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 1.55740772])

    Source: DLMF 4.14.
    """
    ...


# -- inverses --------------------------------------------------------------------------------------

# (x - 1) (-x - 1) is 1 - x², accurate near ±1, with the sign of zero that tells on which side of a
# branch cut a complex number lies.


@elementwise(np.arcsin, lambda ans, x: 1 / ((x - 1) * (-x - 1)) ** 0.5, singular=(0,))
def asin(x: ArrayLike, /) -> Tensor:
    """Return the inverse sine of every element.

    The result is arcsin x, in [-π/2, π/2]; the branch cuts are the real numbers beyond ±1.

    Args:
        x: of any shape, real or complex.

    Returns:
        The angle in radians, of the shape of `x`, floating or complex; NaN, with NumPy's warning,
        for a real number beyond ±1.

    Example:
        >>> import lucid
        >>> lucid.asin(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 1.57079633])

    Source: DLMF 4.23.
    """
    ...


@elementwise(np.arccos, lambda ans, x: -1 / ((x - 1) * (-x - 1)) ** 0.5, singular=(0,))
def acos(x: ArrayLike, /) -> Tensor:
    """Return the inverse cosine of every element.

    The result is arccos x, in [0, π]; the branch cuts are the real numbers beyond ±1.

    Args:
        x: of any shape, real or complex.

    Returns:
        The angle in radians, of the shape of `x`, floating or complex; NaN, with NumPy's warning,
        for a real number beyond ±1.

    Example:
        >>> import lucid
        >>> lucid.acos(lucid.asarray([0.0, 1.0]))
        Tensor([1.57079633, 0.        ])

    Source: DLMF 4.23.
    """
    ...


@elementwise(np.arctan, lambda ans, x: 1 / (1 + x * x), singular=(0,))
def atan(x: ArrayLike, /) -> Tensor:
    """Return the inverse tangent of every element.

    The result is arctan x, in (-π/2, π/2); the branch cuts are the imaginary numbers beyond ±i.

    Args:
        x: of any shape, real or complex.

    Returns:
        The angle in radians, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.atan(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 0.78539816])

    Source: DLMF 4.23.
    """
    ...


@elementwise(
    np.arctan2,
    lambda ans, x1, x2: _over_square(x2, x1, x2),
    lambda ans, x1, x2: -_over_square(x1, x1, x2),
    singular=(0, 1),
)
def atan2(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the angle of the point (x2, x1) in the plane.

    The result is arctan(x1 / x2) in the right quadrant, in [-π, π]; the gradient at the origin,
    which does not exist, is NaN.

    Args:
        x1: the ordinates, of any shape, real.
        x2: the abscissae, of a shape that broadcasts with that of `x1`, real.

    Returns:
        The angle in radians, of the broadcast shape and the promoted floating dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        DTypeError: for complex operands.

    Example:
        >>> import lucid
        >>> lucid.atan2(lucid.asarray([1.0, -1.0]), lucid.asarray([0.0, -1.0]))
        Tensor([ 1.57079633, -2.35619449])
    """
    ...


def _over_square(x: Any, x1: Any, x2: Any) -> Any:
    """Divide by x1² + x2², neither overflowing nor underflowing on the way."""
    r = hypot(x1, x2)
    return x / r / r


# -- units and sinc --------------------------------------------------------------------------------


@elementwise(np.deg2rad, lambda ans, x: math.pi / 180)
def deg2rad(x: ArrayLike, /) -> Tensor:
    """Convert degrees to radians.

    The result is x · π/180.

    Args:
        x: the angles in degrees, of any shape, real.

    Returns:
        The angles in radians, of the shape of `x`, floating.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.deg2rad(lucid.asarray([90.0, 180.0]))
        Tensor([1.57079633, 3.14159265])
    """
    ...


@elementwise(np.rad2deg, lambda ans, x: 180 / math.pi)
def rad2deg(x: ArrayLike, /) -> Tensor:
    """Convert radians to degrees.

    The result is x · 180/π.

    Args:
        x: the angles in radians, of any shape, real.

    Returns:
        The angles in degrees, of the shape of `x`, floating.

    Raises:
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.rad2deg(lucid.asarray([0.0, lucid.pi]))
        Tensor([  0., 180.])
    """
    ...


def sinc(x: ArrayLike, /) -> Tensor:
    """Return the normalised cardinal sine of every element, smooth at 0 to every order.

    The result is sin(πx) / (πx), and 1 at 0.

    Args:
        x: of any shape, real or complex.

    Returns:
        The value, of the shape of `x`, floating or complex.

    Example:
        >>> import lucid
        >>> lucid.sinc(lucid.asarray([0.0, 0.5]))
        Tensor([1.        , 0.63661977])

    Source: DLMF 3.3.43.
    """
    return bind(_sinc, (x,), (0,))


def _sinc_impl(x: Any, n: int) -> Any:
    """The n-th derivative of sin(πx) / (πx), by a Taylor series near 0 and by recurrence beyond.

    With s(y) = sin(y) / y, differentiating y s = sin y n times gives y s⁽ⁿ⁾ + n s⁽ⁿ⁻¹⁾ = sin⁽ⁿ⁾ y.
    """
    if n == 0:
        return np.sinc(x)
    kind = np.complex128 if x.dtype.kind == "c" else np.float64
    y = np.pi * np.asarray(x, kind)
    near = np.abs(y) < n + 1
    far = np.where(near, n + 1, y)
    value = np.sin(far) / far
    for k in range(1, n + 1):
        value = (np.sin(far + k * (math.pi / 2)) - k * value) / far
    y = np.where(near, y, 0)
    series = np.zeros_like(y)
    for m in reversed(range((n + 1) // 2, (n + 1) // 2 + 20 + 2 * n)):  # the term y^(2m-n)
        power = 2 * m - n
        series = series * y * y + (-1) ** m / (math.factorial(power) * (2 * m + 1))
    series = series * y if n % 2 else series
    return (math.pi**n * np.where(near, series, value)).astype(x.dtype)


_sinc = general(
    "sinc",
    _sinc_impl,
    infer=lambda x, n: Aval(x.shape, np.asarray(np.sinc(np.ones((), x.dtype))).dtype),
    jvp=lambda ans, tangents, operands, n: spread(
        tangents[0] * apply(_sinc, operands, (n + 1,)), ans
    ),
    vjps=[lambda ct, ans, x, n: fit(ct * conj(apply(_sinc, (x,), (n + 1,))), x)],
    batch=lambda size, batched, operands, n: apply(_sinc, operands, (n,)),
    singular=frozenset((0,)),
    live=lambda mask, i, ans, operands, n: mask,
)
