"""Fourier transforms of real data, and of data with a real transform: rfft, irfft, hfft and more.

Two operations along one axis carry them. Their values are half of a complex transform, the other
half of which are conjugates: the adjoints count the values that stand for two twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import conj
from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, wrap
from lucid.errors import ShapeError, message
from lucid.ops.axes import axis_of
from lucid.ops.fft.arguments import (
    OPPOSITE,
    Lengths,
    check_length,
    norm_of,
    operand,
    resize,
    several,
)
from lucid.ops.fft.complex_ import transform

__all__ = ["hfft", "ihfft", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftn"]


def rfft(x: ArrayLike, /, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Compute the discrete Fourier transform of real data along an axis.

    The first n // 2 + 1 values of `fft`; the others are their conjugates.

    Args:
        x: any shape, floating; integers are converted.
        n: the length of the transform, as for `fft`.
        axis: the axis to transform.
        norm: where the factor stands, as for `fft`.

    Returns:
        A complex Tensor as precise as `x`, of length n // 2 + 1 along the axis.

    Raises:
        DTypeError: for complex data.
        ShapeError: if the length is less than 1.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.rfft(lucid.asarray([1.0, 0.0, -1.0, 0.0])).real
        Tensor([0., 2., 0.])
    """
    return _halved("rfft", x, n, axis, norm_of("rfft", norm))


def _halved(name: str, x: Any, n: Any, axis: Any, norm: str) -> Tensor:
    t = operand(name, x, real=True)
    axis = axis_of(name, axis, t.ndim)
    n = check_length(name, t.shape[axis] if n is None else n)
    return apply(_rfft, (resize(t, axis, n),), (axis - t.ndim, norm))


def irfft(x: ArrayLike, /, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Compute the inverse of `rfft`, real data, along an axis.

    Args:
        x: the first values of a transform, any shape, complex or floating; integers are converted.
            The imaginary part of the first value, and of the last for an even n, is not read.
        n: the length of the result, by default 2 (m - 1) for an axis of length m: even. The axis is
            cropped, or filled up with zeros, to n // 2 + 1.
        axis: the axis to transform.
        norm: where the factor stands, as for `fft`.

    Returns:
        A real Tensor as precise as `x`, of length n along the axis.

    Raises:
        ShapeError: if the length is less than 1.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.irfft(lucid.asarray([0.0, 2.0, 0.0]))
        Tensor([ 1.,  0., -1.,  0.])
    """
    return _doubled("irfft", operand("irfft", x), n, axis, norm_of("irfft", norm))


def _doubled(name: str, t: Tensor, n: Any, axis: Any, norm: str) -> Tensor:
    axis = axis_of(name, axis, t.ndim)
    n = check_length(name, 2 * (t.shape[axis] - 1) if n is None else n)
    return apply(_irfft, (resize(t, axis, n // 2 + 1),), (n, axis - t.ndim, norm))


def rfftn(
    x: ArrayLike, /, s: Lengths = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Compute the discrete Fourier transform of real data along several axes.

    `rfft` along the last of the axes, `fft` along the others.

    Args:
        x: any shape with at least one axis, floating; integers are converted.
        s: the length of the transform along each of the axes, as for `fftn`.
        axes: the axes to transform; by default all, or the last ``len(s)``.
        norm: where the factor stands, as for `fft`.

    Returns:
        A complex Tensor as precise as `x`, of length n // 2 + 1 along the last of the axes.

    Raises:
        DTypeError: for complex data.
        ShapeError: if a length is less than 1, `s` does not fit the axes, or there is no axis.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.rfftn(lucid.ones((2, 2))).shape
        (2, 2)
    """
    t = operand("rfftn", x, real=True)
    where, lengths = several("rfftn", t, s, axes)
    *first, last = _some("rfftn", where)
    for axis, n in zip(where, lengths, strict=True):
        t = resize(t, axis, n)
    t = apply(_rfft, (t,), (last - t.ndim, norm_of("rfftn", norm)))
    return transform(t, first, False, norm_of("rfftn", norm)) if first else t


def irfftn(
    x: ArrayLike, /, s: Lengths = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Compute the inverse of `rfftn`, real data, along several axes.

    `ifft` along all of the axes but the last, `irfft` along that one.

    Args:
        x: any shape with at least one axis, complex or floating; integers are converted.
        s: the length of the result along each of the axes, as for `fftn`; by default, for the last
            of them, 2 (m - 1) for an axis of length m.
        axes: the axes to transform; by default all, or the last ``len(s)``.
        norm: where the factor stands, as for `fft`.

    Returns:
        A real Tensor as precise as `x`.

    Raises:
        ShapeError: if a length is less than 1, `s` does not fit the axes, or there is no axis.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.irfftn(lucid.ones((2, 2))).shape
        (2, 2)
    """
    t = operand("irfftn", x)
    where, lengths = several("irfftn", t, s, axes)
    *first, last = _some("irfftn", where)
    for axis, n in zip(first, lengths, strict=False):
        t = resize(t, axis, n)
    norm = norm_of("irfftn", norm)
    if first:
        t = transform(t, first, True, norm)
    given = s is not None and tuple(s)[-1] != -1
    return _doubled("irfftn", t, lengths[-1] if given else None, last, norm)


def rfft2(
    x: ArrayLike, /, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: str = "backward"
) -> Tensor:
    """Compute the Fourier transform of real data along two axes: `rfftn` with other defaults.

    Example:
        >>> import lucid
        >>> lucid.fft.rfft2(lucid.ones((3, 2, 2))).shape
        (3, 2, 2)
    """
    return rfftn(x, s, axes, norm)


def irfft2(
    x: ArrayLike, /, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: str = "backward"
) -> Tensor:
    """Compute the inverse of `rfft2` along two axes: `irfftn` with other defaults.

    Example:
        >>> import lucid
        >>> lucid.fft.irfft2(lucid.ones((3, 2, 2))).shape
        (3, 2, 2)
    """
    return irfftn(x, s, axes, norm)


def _some(name: str, axes: tuple[int, ...]) -> tuple[int, ...]:
    if not axes:
        raise ShapeError(message(name, "at least one axis to transform", "none"))
    return axes


def _weights(n: int, inside: float, axis: int, like: Tensor) -> Tensor:
    """Return 1 for the frequencies that stand for themselves, `inside` for those with a mirror."""
    w = np.full(n // 2 + 1, inside, np.finfo(like.dtype).dtype)
    w[0] = 1
    if n % 2 == 0:
        w[-1] = 1
    return wrap(w.reshape(w.shape + (1,) * (-axis - 1)), None)


def _rfft_transpose(ct: Tensor, x: Tensor, axis: int, norm: str) -> Tensor:
    n = x.shape[axis]
    return apply(_irfft, (ct * _weights(n, 0.5, axis, ct),), (n, axis, OPPOSITE[norm]))


def _irfft_transpose(ct: Tensor, x: Tensor, n: int, axis: int, norm: str) -> Tensor:
    return apply(_rfft, (ct,), (axis, OPPOSITE[norm])) * _weights(n, 2.0, axis, ct)


def _with_length(x: Aval, axis: int, n: int, dtype: Any) -> Aval:
    shape = list(x.shape)
    shape[axis] = n
    return Aval(tuple(shape), np.dtype(dtype))


_rfft = linear(
    "rfft",
    lambda x, axis, norm: np.fft.rfft(x, axis=axis, norm=norm),
    transpose=_rfft_transpose,
    batch=lambda x, *params: apply(_rfft, (x,), params),
    infer=lambda x, axis, norm: _with_length(
        x, axis, x.shape[axis] // 2 + 1, np.result_type(x.dtype, np.complex64)
    ),
    mixes=True,
)

_irfft = linear(
    "irfft",
    lambda x, n, axis, norm: np.fft.irfft(x, n, axis=axis, norm=norm),
    transpose=_irfft_transpose,
    batch=lambda x, *params: apply(_irfft, (x,), params),
    infer=lambda x, n, axis, norm: _with_length(x, axis, n, np.finfo(x.dtype).dtype),
    mixes=True,
)


# -- data with a real transform --------------------------------------------------------------------


def hfft(x: ArrayLike, /, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Compute the discrete Fourier transform of Hermitian data, which is real, along an axis.

    The data are x₀ … xₘ₋₁ followed by their conjugates in the opposite order.

    Args:
        x: the first values, any shape, complex or floating; integers are converted.
        n: the length of the result, as for `irfft`.
        axis: the axis to transform.
        norm: where the factor stands, as for `fft`.

    Returns:
        A real Tensor as precise as `x`, of length n along the axis.

    Raises:
        ShapeError: if the length is less than 1.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.hfft(lucid.asarray([1.0, 0.0, 0.0]))
        Tensor([1., 1., 1., 1.])
    """
    return _doubled("hfft", conj(operand("hfft", x)), n, axis, OPPOSITE[norm_of("hfft", norm)])


def ihfft(x: ArrayLike, /, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Compute the inverse of `hfft`, the first half of Hermitian data, along an axis.

    Args:
        x: any shape, floating; integers are converted.
        n: the length of the transform, as for `fft`.
        axis: the axis to transform.
        norm: where the factor stands, as for `fft`.

    Returns:
        A complex Tensor as precise as `x`, of length n // 2 + 1 along the axis.

    Raises:
        DTypeError: for complex data.
        ShapeError: if the length is less than 1.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.ihfft(lucid.asarray([1.0, 1.0, 1.0, 1.0])).real
        Tensor([1., 0., 0.])
    """
    return conj(_halved("ihfft", x, n, axis, OPPOSITE[norm_of("ihfft", norm)]))
