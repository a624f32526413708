"""Cosine and sine transforms: dct, idct, dst, idst, as in `scipy.fft`."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid._lazy import scipy_fft
from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import axis_of
from lucid.ops.fft.arguments import OPPOSITE, check_length, norm_of, operand, resize

__all__ = ["dct", "dst", "idct", "idst"]

_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


def dct(
    x: ArrayLike, /, type: int = 2, n: int | None = None, axis: int = -1, norm: str = "backward"
) -> Tensor:
    """Compute a discrete cosine transform along an axis.

    With N samples and k = 0 … N - 1, unnormalised:

    ==== =============================================================
    1    yₖ = x₀ + (-1)ᵏ xₙ₋₁ + 2 Σ₀﹤ⱼ﹤ₙ₋₁ xⱼ cos(π jk / (N - 1))
    2    yₖ = 2 Σⱼ xⱼ cos(π k (2j + 1) / 2N)
    3    yₖ = x₀ + 2 Σⱼ﹥₀ xⱼ cos(π j (2k + 1) / 2N)
    4    yₖ = 2 Σⱼ xⱼ cos(π (2j + 1) (2k + 1) / 4N)
    ==== =============================================================

    Args:
        x: any shape, floating or complex; integers are converted.
        type: 1, 2, 3 or 4.
        n: the length of the transform: `x` is cropped, or filled up with zeros.
        axis: the axis to transform.
        norm: "backward" for these sums, "forward" for the factor of the inverse transform with
            them, "ortho" for orthogonal matrices.

    Returns:
        A Tensor of the dtype of `x`, of length n along the axis.

    Raises:
        OperandError: for another `type` or `norm`.
        ShapeError: if the length is less than 1, or than 2 for type 1.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.dct(lucid.asarray([1.0, 1.0]))
        Tensor([4., 0.])
    """
    return _wave("dct", x, type, n, axis, norm, sine=False, inverse=False)


def idct(
    x: ArrayLike, /, type: int = 2, n: int | None = None, axis: int = -1, norm: str = "backward"
) -> Tensor:
    """Compute the inverse of `dct` with the same arguments.

    Args:
        x: any shape, floating or complex; integers are converted.
        type: 1, 2, 3 or 4, that of the transform to invert.
        n: the length of the transform: `x` is cropped, or filled up with zeros.
        axis: the axis to transform.
        norm: where the factor stands, as for `dct`.

    Returns:
        A Tensor of the dtype of `x`, of length n along the axis.

    Raises:
        OperandError: for another `type` or `norm`.
        ShapeError: if the length is less than 1, or than 2 for type 1.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.idct(lucid.asarray([4.0, 0.0]))
        Tensor([1., 1.])
    """
    return _wave("idct", x, type, n, axis, norm, sine=False, inverse=True)


def dst(
    x: ArrayLike, /, type: int = 2, n: int | None = None, axis: int = -1, norm: str = "backward"
) -> Tensor:
    """Compute a discrete sine transform along an axis.

    With N samples and k = 0 … N - 1, unnormalised:

    ==== =============================================================
    1    yₖ = 2 Σⱼ xⱼ sin(π (j + 1) (k + 1) / (N + 1))
    2    yₖ = 2 Σⱼ xⱼ sin(π (k + 1) (2j + 1) / 2N)
    3    yₖ = (-1)ᵏ xₙ₋₁ + 2 Σⱼ﹤ₙ₋₁ xⱼ sin(π (j + 1) (2k + 1) / 2N)
    4    yₖ = 2 Σⱼ xⱼ sin(π (2j + 1) (2k + 1) / 4N)
    ==== =============================================================

    Args:
        x: any shape, floating or complex; integers are converted.
        type: 1, 2, 3 or 4.
        n: the length of the transform: `x` is cropped, or filled up with zeros.
        axis: the axis to transform.
        norm: as for `dct`.

    Returns:
        A Tensor of the dtype of `x`, of length n along the axis.

    Raises:
        OperandError: for another `type` or `norm`.
        ShapeError: if the length is less than 1.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.dst(lucid.asarray([1.0, -1.0]))
        Tensor([0., 4.])
    """
    return _wave("dst", x, type, n, axis, norm, sine=True, inverse=False)


def idst(
    x: ArrayLike, /, type: int = 2, n: int | None = None, axis: int = -1, norm: str = "backward"
) -> Tensor:
    """Compute the inverse of `dst` with the same arguments.

    Args:
        x: any shape, floating or complex; integers are converted.
        type: 1, 2, 3 or 4, that of the transform to invert.
        n: the length of the transform: `x` is cropped, or filled up with zeros.
        axis: the axis to transform.
        norm: where the factor stands, as for `dct`.

    Returns:
        A Tensor of the dtype of `x`, of length n along the axis.

    Raises:
        OperandError: for another `type` or `norm`.
        ShapeError: if the length is less than 1.
        IndexOutOfBoundsError: if there is no such axis.

    Example:
        >>> import lucid
        >>> lucid.fft.idst(lucid.asarray([0.0, 4.0]))
        Tensor([ 1., -1.])
    """
    return _wave("idst", x, type, n, axis, norm, sine=True, inverse=True)


def _wave(
    name: str, x: Any, kind: Any, n: Any, axis: Any, norm: Any, *, sine: bool, inverse: bool
) -> Tensor:
    if kind not in _INVERSE:
        raise OperandError(message(name, "type 1, 2, 3 or 4", repr(kind)))
    t = operand(name, x)
    axis = axis_of(name, axis, t.ndim)
    n = check_length(name, t.shape[axis] if n is None else n)
    if n < 2 and kind == 1 and not sine:
        raise ShapeError(message(name, "a length of 2 or more for type 1", str(n)))
    norm = norm_of(name, norm)
    if inverse:
        kind, norm = _INVERSE[kind], OPPOSITE[norm]
    return apply(_dct, (resize(t, axis, n),), (sine, kind, axis - t.ndim, norm))


def _dct_impl(x: Any, sine: bool, kind: int, axis: int, norm: str) -> Any:
    return (scipy_fft.dst if sine else scipy_fft.dct)(x, kind, axis=axis, norm=norm)  # type: ignore[arg-type]


# Types 1 and 4 of the sums have symmetric matrices, 2 and 3 are each other's transposes, except for
# samples that enter without the factor 2: the outer ones of cosines of type 1, and of type 3 the
# first cosine and the last sine. The adjoint moves that factor to the other side.


def _weights(sine: bool, kind: int, n: int, axis: int, like: Tensor) -> Tensor | None:
    """Return 1/2 for samples that type `kind` takes with half the weight of the others."""
    w = np.ones(n, np.finfo(like.dtype).dtype)
    if kind == 3:
        w[-1 if sine else 0] = 0.5
    elif kind == 1 and not sine:
        w[0] = w[-1] = 0.5
    else:
        return None
    return wrap(w.reshape((n,) + (1,) * (-axis - 1)), None)


def _dct_transpose(ct: Tensor, x: Tensor, sine: bool, kind: int, axis: int, norm: str) -> Tensor:
    other = _INVERSE[kind]
    n = x.shape[axis]
    before = None if norm == "ortho" else _weights(sine, other, n, axis, ct)
    after = None if norm == "ortho" else _weights(sine, kind, n, axis, ct)
    ct = ct if before is None else ct / before
    out = apply(_dct, (ct,), (sine, other, axis, norm))
    return out if after is None else out * after


_dct = linear(
    "dct",
    _dct_impl,
    transpose=_dct_transpose,
    batch=lambda x, *params: apply(_dct, (x,), params),
    infer=lambda x, *params: Aval(x.shape, x.dtype),
    mixes=True,
)
