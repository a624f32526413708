"""Fourier transforms of complex data: fft, ifft, fftn, ifftn, fft2, ifft2.

One operation carries both directions along any axes. Lengths are changed before it, by cropping or
filling up with zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
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

__all__ = ["fft", "fft2", "fftn", "ifft", "ifft2", "ifftn", "transform"]


def fft(x: ArrayLike, /, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Compute the discrete Fourier transform along an axis.

    yₖ = Σⱼ xⱼ exp(-2πi jk/n), j, k = 0 … n - 1.

    Args:
        x: any shape, floating or complex; integers are converted.
        n: the length of the transform: `x` is cropped, or filled up with zeros. By default that
            of the axis.
        axis: the axis to transform.
        norm: where the factor 1/n stands: "backward", in the inverse transform; "forward", in this
            one; "ortho", its square root in both.

    Returns:
        A complex Tensor as precise as `x`, of length n along the axis.

    Raises:
        ShapeError: if the length is less than 1.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.fft(lucid.asarray([1.0, 0.0, -1.0, 0.0])).real
        Tensor([0., 2., 0., 2.])
    """
    return _along("fft", x, n, axis, norm, inverse=False)


def ifft(x: ArrayLike, /, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Compute the inverse discrete Fourier transform along an axis.

    xⱼ = 1/n Σₖ yₖ exp(2πi jk/n).

    Args:
        x: any shape, floating or complex; integers are converted.
        n: the length of the transform, as for `fft`.
        axis: the axis to transform.
        norm: where the factor stands, as for `fft`.

    Returns:
        A complex Tensor as precise as `x`, of length n along the axis.

    Raises:
        ShapeError: if the length is less than 1.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.ifft(lucid.asarray([4.0, 0.0, 0.0, 0.0])).real
        Tensor([1., 1., 1., 1.])
    """
    return _along("ifft", x, n, axis, norm, inverse=True)


def _along(name: str, x: Any, n: Any, axis: Any, norm: Any, inverse: bool) -> Tensor:
    t = operand(name, x)
    axis = axis_of(name, axis, t.ndim)
    n = check_length(name, t.shape[axis] if n is None else n)
    return transform(resize(t, axis, n), (axis,), inverse, norm_of(name, norm))


def fftn(
    x: ArrayLike, /, s: Lengths = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Compute the discrete Fourier transform along several axes.

    Args:
        x: any shape, floating or complex; integers are converted.
        s: the length of the transform along each of the axes, -1 for that of the axis itself.
        axes: the axes to transform; by default all, or the last ``len(s)``.
        norm: where the factor stands, as for `fft`.

    Returns:
        A complex Tensor as precise as `x`.

    Raises:
        ShapeError: if a length is less than 1, `s` does not fit the axes, or one is named twice.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.fftn(lucid.ones((2, 2))).real
        Tensor([[4., 0.],
                [0., 0.]])
    """
    return _over("fftn", x, s, axes, norm, inverse=False)


def ifftn(
    x: ArrayLike, /, s: Lengths = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Compute the inverse discrete Fourier transform along several axes.

    Args:
        x: any shape, floating or complex; integers are converted.
        s: the length of the transform along each of the axes, as for `fftn`.
        axes: the axes to transform; by default all, or the last ``len(s)``.
        norm: where the factor stands, as for `fft`.

    Returns:
        A complex Tensor as precise as `x`.

    Raises:
        ShapeError: if a length is less than 1, `s` does not fit the axes, or one is named twice.
        OperandError: for another `norm`.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.ifftn(lucid.ones((2, 2))).real
        Tensor([[1., 0.],
                [0., 0.]])
    """
    return _over("ifftn", x, s, axes, norm, inverse=True)


def fft2(
    x: ArrayLike, /, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: str = "backward"
) -> Tensor:
    """Compute the discrete Fourier transform along two axes: `fftn` with other defaults.

    Example:
        >>> import lucid
        >>> lucid.fft.fft2(lucid.ones((3, 2, 2))).shape
        (3, 2, 2)
    """
    return fftn(x, s, axes, norm)


def ifft2(
    x: ArrayLike, /, s: Lengths = None, axes: Sequence[int] = (-2, -1), norm: str = "backward"
) -> Tensor:
    """Compute the inverse discrete Fourier transform along two axes: `ifftn` with other defaults.

    Example:
        >>> import lucid
        >>> lucid.fft.ifft2(lucid.ones((3, 2, 2))).shape
        (3, 2, 2)
    """
    return ifftn(x, s, axes, norm)


def _over(name: str, x: Any, s: Any, axes: Any, norm: Any, inverse: bool) -> Tensor:
    t = operand(name, x)
    where, lengths = several(name, t, s, axes)
    for axis, n in zip(where, lengths, strict=True):
        t = resize(t, axis, n)
    return transform(t, where, inverse, norm_of(name, norm))


def transform(t: Tensor, axes: Sequence[int], inverse: bool, norm: str) -> Tensor:
    """Transform along axes, with checked arguments."""
    return apply(_fft, (t,), (tuple(a - t.ndim for a in axes), inverse, norm))


def _fft_impl(x: Any, axes: tuple[int, ...], inverse: bool, norm: str) -> Any:
    if len(axes) == 1:
        return (np.fft.ifft if inverse else np.fft.fft)(x, axis=axes[0], norm=norm)  # type: ignore[arg-type]
    if not axes:  # NumPy would take all axes
        return x.astype(np.result_type(x, np.complex64))
    return (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=axes, norm=norm)  # type: ignore[arg-type]


# Axes are counted from the end, so that a batch axis in front changes nothing.
_fft = linear(
    "fft",
    _fft_impl,
    transpose=lambda ct, x, axes, inverse, norm: apply(
        _fft, (ct,), (axes, not inverse, OPPOSITE[norm])
    ),
    batch=lambda x, *params: apply(_fft, (x,), params),
    infer=lambda x, axes, inverse, norm: Aval(x.shape, np.result_type(x.dtype, np.complex64)),
    mixes=True,
)
