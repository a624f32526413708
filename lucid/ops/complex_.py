"""Complex numbers: their parts, conjugate, modulus, sign and angle.

None but the first three is linear, and none is holomorphic; the gradient of each points in the
direction of steepest ascent in the plane.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import zeros_like
from lucid.core.define import ZERO, elementwise, linear
from lucid.core.dispatch import apply, bind
from lucid.core.fastpath import unary
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, install
from lucid.ops.axes import as_tensor
from lucid.ops.pointwise import BELOW, rules
from lucid.ops.select import where
from lucid.ops.trigonometric import atan2

__all__ = ["abs", "angle", "conj", "imag", "real", "sign"]


def real(x: ArrayLike, /) -> Tensor:
    """Return the real part of every element.

    The result is Re x.

    Args:
        x: of any shape and dtype.

    Returns:
        The real part, of the shape of `x`, of the real dtype of its precision; a real `x` as it is.

    Example:
        >>> import lucid
        >>> lucid.real(lucid.asarray([1.0 + 2.0j, 3.0]))
        Tensor([1., 3.])
    """
    return bind(_real, (x,))


_real = linear(
    "real",
    np.real,
    transpose=lambda ct, x: ct,  # `fit` makes it complex
    batch=lambda x: apply(_real, (x,)),
    view=True,
)


def imag(x: ArrayLike, /) -> Tensor:
    """Return the imaginary part of every element.

    The result is Im x.

    Args:
        x: of any shape and dtype.

    Returns:
        The imaginary part, of the shape of `x`, of the real dtype of its precision; zeros for a
        real `x`.

    Example:
        >>> import lucid
        >>> lucid.imag(lucid.asarray([1.0 + 2.0j, 3.0]))
        Tensor([2., 0.])
    """
    return bind(_imag, (x,))


_imag = linear(
    "imag",
    np.imag,
    transpose=lambda ct, x: 1j * ct if x.dtype.kind == "c" else zeros_like(x),
    batch=lambda x: apply(_imag, (x,)),
    view=True,
)


_conj = linear(
    "conj",
    np.conjugate,
    transpose=lambda ct, x: conj(ct),
    batch=lambda x: apply(_conj, (x,)),
)
_conjugate = unary(_conj)


def conj(x: ArrayLike, /) -> Tensor:
    """Return the complex conjugate of every element.

    The result is Re x - i Im x.

    Args:
        x: of any shape and dtype.

    Returns:
        The conjugate, of the shape and dtype of `x`; a real `x` as it is.

    Example:
        >>> import lucid
        >>> lucid.conj(lucid.asarray([1.0 + 2.0j, 3.0]))
        Tensor([1.-2.j, 3.-0.j])
    """
    return x if type(x) is Tensor and x.dtype.kind != "c" else _conjugate(x)


@elementwise(np.absolute, lambda ans, x: sign(x), real_valued=True, weak=True, singular=(0,))
def abs(x: ArrayLike, /) -> Tensor:  # noqa: A001 - the standard's name
    """Return the absolute value of every element.

    The result is |x|; its derivative at 0 is 0, the subgradient of least norm.

    Args:
        x: of any shape and numeric dtype.

    Returns:
        The absolute value, of the shape of `x`, of its dtype or, if that is complex, of the real
        one of its precision.

    Example:
        >>> import lucid
        >>> lucid.abs(lucid.asarray([-2.0, 3.0 - 4.0j]))
        Tensor([2., 5.])
    """
    ...


def _sign_impl(x: Any) -> Any:
    """NumPy's, and NaN where a complex number has a NaN part beside an infinite one."""
    result = np.sign(x)
    if result.dtype.kind == "c":
        return np.where(np.isnan(x), complex(math.nan, math.nan), result)
    return result


@elementwise(_sign_impl, BELOW, singular=(0,))
def sign(x: ArrayLike, /) -> Tensor:
    """Return the sign of every element.

    The result is x / |x|, and 0 at 0: -1, 0 or 1 of a real number, with derivative zero, and a
    point of the unit circle of a complex one. The derivative at 0 is 0.

    Args:
        x: of any shape and numeric dtype.

    Returns:
        The sign, of the shape and dtype of `x`.

    Example:
        >>> import lucid
        >>> lucid.sign(lucid.asarray([-2.0, 0.0, 5.0]))
        Tensor([-1.,  0.,  1.])
    """
    ...


def _turn(u: Any, ans: Any, x: Any) -> Any:
    """What is left of u along the unit circle at ans = x / |x|, over |x|: its own adjoint."""
    if x.dtype.kind != "c":
        return None
    modulus = abs(x)
    return where(modulus == 0, 0, (u - ans * real(conj(ans) * u)) / modulus)


def _sign_jvp(ans: Any, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
    return _turn(tangents[0], ans, operands[0])


rules(sign, jvp=_sign_jvp, vjps=(_turn,))


def angle(x: ArrayLike, /, deg: bool = False) -> Tensor:
    """Return the argument of every element, its angle in the complex plane.

    The result is atan2(Im x, Re x), in [-π, π]. Of a real number it is 0 or π, with derivative
    zero; the gradient at a complex 0, which does not exist, is NaN.

    Args:
        x: of any shape and dtype.
        deg: whether to return degrees instead of radians.

    Returns:
        The angle, of the shape of `x` and of the real floating dtype of its precision.

    Example:
        >>> import lucid
        >>> lucid.angle(lucid.asarray([1.0j, -1.0]))
        Tensor([1.57079633, 3.14159265])
    """
    t = as_tensor("angle", x, view=True)
    radians = atan2(imag(t), real(t)) if t.dtype.kind == "c" else _angle_of_real(t)
    return radians * (180 / math.pi) if deg else radians


@elementwise(np.angle, ZERO, name="real_angle")
def _angle_of_real(x: Any, /) -> Any:
    """Return 0 or π."""
    ...


install({"__abs__": abs, "conj": conj, "real": property(real), "imag": property(imag)})
