"""Factorisations into triangles: cholesky, qr, lu."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lucid._lazy import scipy_linalg
from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, message
from lucid.ops.linalg.gauge import unless
from lucid.ops.linalg.matrix import (
    Array,
    adjoint,
    batch_aligned,
    half_lower,
    hermitian,
    matrices,
    matrix,
    padded,
    real_of,
    refuse,
    same,
    skew,
    transposed,
    triangle,
)
from lucid.ops.linalg.solve import triangular

__all__ = ["LUResult", "QRResult", "cholesky", "lu", "qr"]


class QRResult(NamedTuple):
    """Orthonormal columns and an upper triangle."""

    Q: Tensor
    R: Tensor


class LUResult(NamedTuple):
    """A permutation, a unit lower triangle and an upper triangle."""

    P: Tensor
    L: Tensor
    U: Tensor


# -- cholesky --------------------------------------------------------------------------------------


def cholesky(x: ArrayLike, /, *, upper: bool = False) -> Tensor:
    """Factorise Hermitian positive-definite matrices.

    A = L Lᴴ, or A = Uᴴ U with `upper`. Only the triangle of that name is read; the derivative is
    that of a Hermitian argument, whose cotangent is Hermitian: an entry and its mirror image share.

    Args:
        x: A, (..., n, n), floating or complex.
        upper: whether to return U rather than L.

    Returns:
        The triangle, (..., n, n), with a positive diagonal; the other triangle is zero.

    Raises:
        LinAlgError: if a matrix is not positive definite.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.cholesky(lucid.asarray([[4.0, 2.0], [2.0, 2.0]]))
        Tensor([[2., 0.], [1., 1.]])

    References:
        I. Murray, Differentiation of the Cholesky decomposition, arXiv:1602.07527.
    """
    a = matrix("cholesky", x)
    return adjoint(apply(_cholesky, (adjoint(a),))) if upper else apply(_cholesky, (a,))


def _cholesky_impl(a: Array) -> Array:
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        got = "that is not positive definite"
        hint = "add a small multiple of the identity if rounding is the cause"
        raise refuse("cholesky", "positive-definite matrices", got, a, hint) from None


def _cholesky_jvp(ans: Tensor, tangents: Any, args: Any) -> Tensor:
    left = triangular(ans, hermitian(tangents[0]), lower=True)  # L⁻¹ dA
    inside = adjoint(triangular(ans, adjoint(left), lower=True))  # L⁻¹ dA L⁻ᴴ
    return ans @ half_lower(inside)


def _cholesky_vjp(ct: Tensor, ans: Tensor, a: Tensor) -> Tensor:
    up = adjoint(ans)
    inside = hermitian(half_lower(up @ triangle(ct, lower=True)))
    left = triangular(up, inside, lower=False)
    return hermitian(adjoint(triangular(up, adjoint(left), lower=False)))


_cholesky = batch_aligned(
    general("cholesky", _cholesky_impl, infer=same, jvp=_cholesky_jvp, vjps=[_cholesky_vjp])
)


# -- qr --------------------------------------------------------------------------------------------


def qr(x: ArrayLike, /, *, mode: str = "reduced") -> QRResult:
    """Factorise matrices into orthonormal columns and an upper triangle.

    A = Q R. With k = min(m, n), the first k columns of A have to be linearly independent for the
    derivative. Columns of Q beyond them, which "complete" adds if m > n, are any basis of the rest
    of space: only functions that depend on their span alone have a derivative.

    Args:
        x: A, (..., m, n), floating or complex.
        mode: "reduced" for Q (..., m, k) and R (..., k, n), "complete" for Q (..., m, m) and
            R (..., m, n).

    Returns:
        A named tuple (Q, R).

    Raises:
        LinAlgError: from the derivative, if the first k columns are linearly dependent, or if a
            function depends on more of the added columns than their span.
        OperandError: for another mode.
        ShapeError: if `x` has fewer than two axes.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.qr(lucid.asarray([[0.0, 2.0], [1.0, 0.0]])).R
        Tensor([[-1.,  0.], [ 0., -2.]])

    References:
        M. Seeger et al., Auto-differentiating linear algebra, arXiv:1710.08717.
    """
    if mode not in ("reduced", "complete"):
        raise OperandError(message("qr", "mode 'reduced' or 'complete'", repr(mode)))
    (a,) = matrices("qr", x)
    complete = mode == "complete" and a.shape[-2] > a.shape[-1]
    return QRResult(*apply(_qr, (a,), (complete,)))


def _qr_impl(a: Array, complete: bool) -> Any:
    return np.linalg.qr(a, mode="complete" if complete else "reduced")


def _qr_infer(a: Aval, complete: bool) -> tuple[Aval, Aval]:
    *lead, m, n = a.shape
    k = m if complete else min(m, n)
    return Aval((*lead, m, k), a.dtype), Aval((*lead, k, n), a.dtype)


# With k = min(m, n), A₁ and R₁ the first k columns, B = dA₁ R₁⁻¹ and N = Qᴴ B, the rotation of Q
# is Ω = Φ(N) - Φ(N)ᴴ, where Φ takes the lower triangle with half the diagonal: then
# dR = Qᴴ dA - Ω R is upper triangular, with the real diagonal that LAPACK gives. dQ = Q Ω, plus
# what leaves the span of a reduced Q; the columns beyond k are not rotated among themselves.


def _qr_jvp(ans: Any, tangents: Any, args: Any, complete: bool) -> tuple[Tensor, Tensor]:
    q, r = ans
    (t,) = tangents
    m, n = t.shape[-2:]
    k = min(m, n)
    r1 = r[..., :k, :k]
    b = _times_inverse(t[..., :k], r1)
    inside = adjoint(q) @ b
    low = half_lower(padded(inside, m, m) if complete else inside)
    turn = low - adjoint(low)
    dq = q @ turn
    if m > k and not complete:
        dq = dq + (b - q @ inside)
    return dq, triangle(adjoint(q) @ t - turn @ r, lower=False)


def _qr_vjp(ct: Any, ans: Any, a: Tensor, complete: bool) -> Tensor:
    gq, gr = ct
    q, r = ans
    m, n = a.shape[-2:]
    k = min(m, n)
    moment = 0 if gr is None else -(gr @ adjoint(r))
    out = None if gr is None else q @ gr
    inside = None
    if gq is not None:
        inside = adjoint(q) @ gq
        moment = inside + moment
        if complete and m > k:
            moment = unless(moment, skew(inside[..., k:, k:]), inside, "qr", "span")
    low = half_lower(moment - adjoint(moment))[..., :k]  # type: ignore[arg-type]
    g = q @ low
    if inside is not None and m > k and not complete:
        g = g + (gq - q @ inside)
    g = padded(_times_inverse(g, adjoint(r[..., :k, :k]), lower=True), m, n)
    return g if out is None else out + g


def _times_inverse(x: Tensor, r: Tensor, lower: bool = False) -> Tensor:
    """Return X R⁻¹."""
    return transposed(triangular(transposed(r), transposed(x), not lower))


_qr = batch_aligned(
    general("qr", _qr_impl, infer=_qr_infer, jvp=_qr_jvp, vjps=[_qr_vjp], multi=True)
)


# -- lu --------------------------------------------------------------------------------------------


def lu(x: ArrayLike, /) -> LUResult:
    """Factorise matrices by elimination with partial pivoting.

    A = P L U, with k = min(m, n). The permutation is constant to a derivative.

    Args:
        x: A, (..., m, n), floating or complex.

    Returns:
        A named tuple: P (..., m, m), real; L (..., m, k) with a diagonal of ones; U (..., k, n).

    Raises:
        LinAlgError: from the derivative, if the first k columns or rows are linearly dependent.
        ShapeError: if `x` has fewer than two axes.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.lu(lucid.asarray([[1.0, 2.0], [2.0, 2.0]])).U
        Tensor([[2., 2.], [0., 1.]])
    """
    return LUResult(*apply(_lu, matrices("lu", x)))


def _lu_impl(a: Array) -> Any:
    if a.ndim == 2 and a.size:
        return scipy_linalg.lu(a)
    p, low, up = (np.empty(v.shape, v.dtype) for v in _lu_infer(Aval(a.shape, a.dtype)))
    p[...] = np.eye(a.shape[-2])
    for index in np.ndindex(*a.shape[:-2]):
        if a[index].size:
            parts: Any = scipy_linalg.lu(a[index])
            p[index], low[index], up[index] = parts
    return p, low, up


def _lu_infer(a: Aval) -> tuple[Aval, Aval, Aval]:
    *lead, m, n = a.shape
    k = min(m, n)
    real = real_of(a.dtype)
    return (
        Aval((*lead, m, m), real),
        Aval((*lead, m, k), a.dtype),
        Aval((*lead, k, n), a.dtype),
    )


# L and U are completed to square matrices by an identity. F = L⁻¹ Pᵀ dA U⁻¹ then falls apart into
# L⁻¹ dL, strictly lower, and dU U⁻¹, upper.


def _lu_jvp(ans: Any, tangents: Any, args: Any) -> tuple[None, Tensor, Tensor]:
    p, low, up = ans
    (t,) = tangents
    m, n = t.shape[-2:]
    k = min(m, n)
    low, up = padded(low, m, m, ones=True), padded(up, n, n, ones=True)
    f = triangular(low, transposed(p) @ t, True, True)
    f = _times_inverse(f, up)
    return (
        None,
        (low @ triangle(f, True, 1))[..., :k],
        (triangle(f, False) @ up)[..., :k, :],
    )


def _lu_vjp(ct: Any, ans: Any, a: Tensor) -> Tensor | None:
    _, gl, gu = ct
    p, low, up = ans
    m, n = a.shape[-2:]
    lowh = adjoint(padded(low, m, m, ones=True))
    uph = adjoint(padded(up, n, n, ones=True))
    f = None
    if gl is not None:
        f = triangle(lowh @ padded(gl, m, n), True, 1)
    if gu is not None:
        g = triangle(padded(gu, m, n) @ uph, False)
        f = g if f is None else f + g
    if f is None:
        return None
    f = triangular(lowh, f, False, True)
    return p @ _times_inverse(f, uph, lower=True)


_lu = batch_aligned(
    general("lu", _lu_impl, infer=_lu_infer, jvp=_lu_jvp, vjps=[_lu_vjp], multi=True)
)
