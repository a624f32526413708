"""Matrices with orthonormal rows or columns as functions of matrices without constraint."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, concrete, wrap
from lucid.errors import DTypeError, OptionError, ShapeError, message
from lucid.ops.axes import as_tensor
from lucid.ops.complex_ import conj, sign
from lucid.ops.creation import zeros
from lucid.ops.grids import tril, triu
from lucid.ops.join import concat
from lucid.ops.linalg.factor import qr
from lucid.ops.linalg.functions import expm
from lucid.ops.linalg.matrix import diagonal_of, eye
from lucid.ops.linalg.solve import solve, triangular
from lucid.ops.random.continuous import normal
from lucid.ops.random.keys import Key
from lucid.ops.select import where
from lucid.transforms.stop import stop_gradient

__all__ = ["orthogonal_map", "orthogonal_matrix", "orthogonal_start"]

_MAPS = ("matrix_exp", "cayley", "householder")


def orthogonal_map(weight: ArrayLike, kind: str | None, trivial: bool) -> str:
    """Return which map fits a weight: the given one, checked, or that to be taken by default.

    Args:
        weight: of shape (..., rows, columns).
        kind: "matrix_exp", "cayley", "householder", or None.
        trivial: whether there will be a base to start from.

    Raises:
        ShapeError: if `weight` has fewer than two axes.
        OptionError: if there is no such map, or none such without a base.
        DTypeError: if the map is not for complex numbers.
    """
    w = as_tensor("orthogonal", weight)
    if w.ndim < 2:
        raise ShapeError(message("orthogonal", "at least two axes", f"shape {w.shape}"))
    square = w.shape[-1] == w.shape[-2] or w.dtype.kind == "c"
    found = ("matrix_exp" if square else "householder") if kind is None else kind
    if found not in _MAPS:
        want = 'orthogonal_map "matrix_exp", "cayley" or "householder"'
        raise OptionError(message("orthogonal", want, repr(kind)))
    if found == "householder" and w.dtype.kind == "c":
        hint = 'take "matrix_exp" or "cayley"'
        raise DTypeError(message("orthogonal", "a real weight", str(w.dtype), hint))
    if found != "householder" and not trivial:
        hint = "their inverses are not known"
        want = 'use_trivialization=True for "matrix_exp" and "cayley"'
        raise OptionError(message("orthogonal", want, "False", hint))
    return found


def orthogonal_matrix(x: ArrayLike, kind: str, base: ArrayLike | None = None) -> Tensor:
    """Return a matrix with orthonormal columns, or rows if there are fewer of them.

    With L the lower triangle of x, and A = L - Lᴴ, it is exp(A), or (I - A/2)⁻¹ (I + A/2), or the
    product of the reflections at the columns of L with the diagonal 1, times the signs of the
    diagonal of x. Of a tall x, these are as many columns as it has.

    Args:
        x: of shape (..., rows, columns).
        kind: "matrix_exp", "cayley" or "householder".
        base: a square orthogonal matrix from which the result is turned, of the longer side.

    Returns:
        The matrix, of the shape of `x`.

    Example:
        >>> import lucid
        >>> from lucid.functional.orthogonal import orthogonal_matrix
        >>> q = orthogonal_matrix(lucid.asarray([[0.0, 0.0], [0.5, 0.0], [0.2, 1.0]]), "cayley")
        >>> bool(abs(q.mT @ q - lucid.eye(2)).max() < 1e-12)
        True

    Source: Lezcano-Casado and Martínez-Rubio, "Cheap orthogonal constraints in neural networks",
    ICML 2019; Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds",
    NeurIPS 2019.
    """
    t = as_tensor("orthogonal_matrix", x)
    wide = t.shape[-2] < t.shape[-1]
    t = t.mT if wide else t
    q = _reflections(t) if kind == "householder" else _rotation(t, kind)
    q = q if base is None else as_tensor("orthogonal_matrix", base) @ q
    return q.mT if wide else q


def _rotation(x: Tensor, kind: str) -> Tensor:
    n, k = x.shape[-2:]
    lower = tril(x)
    if n != k:
        lower = concat([lower, zeros((*x.shape[:-1], n - k), dtype=x.dtype)], axis=-1)
    skew = lower - conj(lower.mT)
    if kind == "matrix_exp":
        return expm(skew)[..., :k]
    half, one = skew / 2, eye(n, skew)
    return solve(one - half, one + half)[..., :k]


def _reflections(x: Tensor) -> Tensor:
    """Return H₁H₂… of reflections Hᵢ = I - 2vᵢvᵢᵀ / ‖vᵢ‖² as I - V T Vᵀ.

    The inverse of T is the upper triangle of VᵀV with half its diagonal, see Joffrain, Low,
    Quintana-Ortí, van de Geijn and Van Zee, "Accumulating Householder transformations, revisited",
    ACM TOMS 32 (2006).
    """
    n, k = x.shape[-2:]
    one = wrap(np.eye(n, k, dtype=x.dtype), None)
    v = tril(x, k=-1) + one
    gram = v.mT @ v
    inverse = triu(gram) - gram * (eye(k, gram) * 0.5)
    signs = sign(stop_gradient(diagonal_of(x)))
    return (one - v @ triangular(inverse, v[..., :k, :].mT, False)) * signs[..., None, :]


def orthogonal_start(weight: ArrayLike, key: Key | None) -> tuple[Tensor, Tensor | None]:
    """Return an x, and a base if there is a key, with which `orthogonal_matrix` is near a weight.

    Args:
        weight: of shape (..., rows, columns). If its rows or columns are orthonormal, the matrix
            is the weight; otherwise that which its QR decomposition gives.
        key: to draw with what completes the base; None for no base, and "householder".

    Returns:
        ``(x, base)``.
    """
    w = as_tensor("orthogonal_start", weight)
    wide = w.shape[-2] < w.shape[-1]
    tall = w.mT if wide else w
    n, k = tall.shape[-2:]
    if key is not None:
        more = normal(key, (*tall.shape[:-1], n - k), np.finfo(tall.dtype).dtype)
        whole = tall if n == k else concat([tall, more.astype(tall.dtype)], axis=-1)
        minus = np.zeros(w.shape, w.dtype)
        minus[..., range(k), range(k)] = -1  # no reflection at all
        return wrap(minus, None), whole if _is_orthogonal(whole) else _orthogonalise(whole)
    packed, factors = np.linalg.qr(concrete(tall, "orthogonal_start"), mode="raw")
    x: Any = packed.swapaxes(-1, -2).copy()
    own = np.arange(k)
    # what is not reflected will be, since its vector is not 0
    x[..., own, own] = np.where((x[..., own, own] < 0) == (factors == 0), 1, -1)
    return wrap(x.swapaxes(-1, -2).copy() if wide else x, None), None


def _is_orthogonal(x: Tensor) -> bool:
    n = x.shape[-1]
    far = abs(conj(x.mT) @ x - eye(n, x)).max()
    return bool(far <= 10 * n * float(np.finfo(x.dtype).eps))


def _orthogonalise(x: Tensor) -> Tensor:
    """Return the Q of x = Q R with a positive diagonal of R."""
    q, r = qr(x)
    signs = diagonal_of(r)
    return q * where(signs == 0, 1, sign(signs))[..., None, :]
