"""Where the values of a transform belong: fftfreq, rfftfreq, fftshift, ifftshift."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike, Axis
from lucid.core.tensor import Tensor, wrap
from lucid.errors import DTypeError, message
from lucid.ops.axes import as_tensor, axes_of
from lucid.ops.creation import target_dtype
from lucid.ops.fft.arguments import check_length
from lucid.ops.permute import roll

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]


def fftfreq(
    n: int, /, d: float | Tensor = 1.0, *, dtype: Any = None, device: str | None = None
) -> Tensor:
    """Return the frequencies of `fft`: 0, 1, …, and from the middle on the negative ones, / (n d).

    Args:
        n: the length of the transform.
        d: the distance between samples.
        dtype: floating; by default ``lucid.get_default_dtype()``.
        device: None or "cpu".

    Returns:
        A Tensor of shape (n,), in cycles per unit of `d`.

    Raises:
        ShapeError: if `n` is less than 1.
        DTypeError: if `dtype` is not floating.

    Example:
        >>> import lucid
        >>> lucid.fft.fftfreq(4)
        Tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    n = check_length("fftfreq", n)
    counts = np.concatenate((np.arange((n + 1) // 2), np.arange(-(n // 2), 0)))
    return _scaled("fftfreq", counts, n, d, dtype, device)


def rfftfreq(
    n: int, /, d: float | Tensor = 1.0, *, dtype: Any = None, device: str | None = None
) -> Tensor:
    """Return the frequencies of `rfft`: 0, 1, …, n // 2, / (n d).

    Args:
        n: the length of the transform.
        d: the distance between samples.
        dtype: floating; by default ``lucid.get_default_dtype()``.
        device: None or "cpu".

    Returns:
        A Tensor of shape (n // 2 + 1,), in cycles per unit of `d`.

    Raises:
        ShapeError: if `n` is less than 1.
        DTypeError: if `dtype` is not floating.

    Example:
        >>> import lucid
        >>> lucid.fft.rfftfreq(4)
        Tensor([0.  , 0.25, 0.5 ])
    """
    n = check_length("rfftfreq", n)
    return _scaled("rfftfreq", np.arange(n // 2 + 1), n, d, dtype, device)


def _scaled(name: str, counts: Any, n: int, d: Any, dtype: Any, device: Any) -> Tensor:
    kind = target_dtype(name, dtype, device)
    if kind.kind != "f":
        raise DTypeError(message(name, "a floating dtype", str(kind)))
    return wrap(counts.astype(kind), None) * (1.0 / (n * d))


def fftshift(x: ArrayLike, /, axes: Axis = None) -> Tensor:
    """Move the frequency zero from the front to the middle.

    Args:
        x: any shape and dtype.
        axes: the axes along which to move it; by default all.

    Returns:
        A Tensor of the shape of `x`.

    Raises:
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.fftshift(lucid.fft.fftfreq(4))
        Tensor([-0.5 , -0.25,  0.  ,  0.25])
    """
    t = as_tensor("fftshift", x)
    where = axes_of("fftshift", axes, t.ndim)
    return roll(t, tuple(t.shape[a] // 2 for a in where), where)


def ifftshift(x: ArrayLike, /, axes: Axis = None) -> Tensor:
    """Move the frequency zero from the middle back to the front.

    Args:
        x: any shape and dtype.
        axes: the axes along which to move it; by default all.

    Returns:
        A Tensor of the shape of `x`.

    Raises:
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.ifftshift(lucid.asarray([-0.5, -0.25, 0.0, 0.25]))
        Tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    t = as_tensor("ifftshift", x)
    where = axes_of("ifftshift", axes, t.ndim)
    return roll(t, tuple(-(t.shape[a] // 2) for a in where), where)
