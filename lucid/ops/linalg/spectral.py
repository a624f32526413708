"""Eigenvalues and eigenvectors: eigh, eigvalsh, eig, eigvals."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from lucid.core.cotangent import conj, fit
from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.errors import LinAlgError, OperandError, message
from lucid.ops.linalg.gauge import coincidence, gaps, loud, loud_pairs, quotient, unless
from lucid.ops.linalg.matrix import (
    Array,
    adjoint,
    batch_aligned,
    column,
    diagonal_of,
    hermitian,
    matrix,
    off_diagonal,
    real_of,
    real_part,
    refuse,
    row,
)
from lucid.ops.linalg.solve import solve

__all__ = ["EigResult", "EighResult", "eig", "eigh", "eigvals", "eigvalsh"]


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and orthonormal eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class EigResult(NamedTuple):
    """Eigenvalues and eigenvectors of norm 1 as columns, both complex."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def failed(name: str, a: Array) -> LinAlgError:
    """Return the error for an iteration that does not converge."""
    return refuse(name, "finite matrices", "whose iteration did not converge", a)


# -- eigh ------------------------------------------------------------------------------------------


def eigh(x: ArrayLike, /, UPLO: str = "L") -> EighResult:  # noqa: N803 - NumPy's name
    """Compute eigenvalues and eigenvectors of Hermitian matrices.

    A = V diag(w) Vᴴ. Only one triangle of A is read; the derivative is that of a Hermitian
    argument, whose cotangent is Hermitian.

    Where eigenvalues coincide to rounding, neither they nor their vectors have derivatives of
    their own. Reverse mode takes a function of the eigenvalues alone as a symmetric one (its
    gradient is then exact), and a function of vectors that belong to other eigenvalues as it is;
    a function of the eigenvectors alone may depend on the span of those that coincide. It raises
    for everything else, for which the cotangents do not determine the derivative. Forward mode
    gives NaN for vectors that belong to a coinciding pair, if the pair is coupled.

    Args:
        x: A, (..., n, n), floating or complex.
        UPLO: the triangle to read, "L" or "U".

    Returns:
        A named tuple: eigenvalues, w, (..., n), real and ascending; eigenvectors, the columns of
        V, (..., n, n), each determined up to a phase.

    Raises:
        LinAlgError: if the iteration does not converge; from the derivative, where eigenvalues
            coincide that it has to tell apart, or for a function of the phases.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.eigh(lucid.asarray([[3.0, 0.0], [0.0, 2.0]])).eigenvalues
        Tensor([2., 3.])
    """
    check_uplo("eigh", UPLO)
    return EighResult(*apply(_eigh, (matrix("eigh", x),), (False, UPLO)))


def check_uplo(name: str, uplo: str) -> None:
    """Refuse what names no triangle."""
    if uplo not in ("L", "U"):
        raise OperandError(message(name, "UPLO 'L' or 'U'", repr(uplo)))


def _eigh_impl(a: Array, strict: bool, uplo: str = "L") -> Any:
    try:
        return np.linalg.eigh(a, uplo)  # type: ignore[arg-type]
    except np.linalg.LinAlgError:
        raise failed("eigh", a) from None


def _eigh_infer(a: Aval, strict: bool, uplo: str = "L") -> tuple[Aval, Aval]:
    return _eigvalsh_infer(a), Aval(a.shape, a.dtype)


# With X = Vᴴ dA V: dw = diag X and dV = V (X / gaps), where gaps[i, j] = w[j] - w[i] off the
# diagonal. `strict` stands for the vectors that the derivative of `eigvalsh` uses: there a
# coincidence is never harmless, as the eigenvalues reach the result another way.


def _eigh_jvp(
    ans: Any, tangents: Any, args: Any, strict: bool, uplo: str = "L"
) -> tuple[Tensor, Tensor]:
    w, v = ans
    x = adjoint(v) @ hermitian(tangents[0]) @ v
    off = off_diagonal(x)
    need = True if strict else loud(off, x)
    turn = quotient(off, gaps(w), coincidence(w), need, "eigh", strict=False)
    return real_part(diagonal_of(x)), v @ turn


def _eigh_vjp(ct: Any, ans: Any, a: Tensor, strict: bool, uplo: str = "L") -> Tensor:
    gw, gv = ct
    w, v = ans
    if gv is None:
        return (v * row(gw)) @ adjoint(v)
    y = adjoint(v) @ gv
    turn = (y - adjoint(y)) / 2
    if a.dtype.kind == "c":
        turn = unless(turn, row(diagonal_of(turn)), y, "eigh", "phase")
    # The vectors alone may turn within a span; with eigenvalues, nothing may reach into it.
    part = off_diagonal(turn if gw is None else y)
    need = True if strict else loud_pairs(part, y, gw)
    x = quotient(part, gaps(w), coincidence(w), need, "eigh")
    g = v @ x @ adjoint(v)
    return hermitian(g if gw is None else g + (v * row(gw)) @ adjoint(v))


_eigh = batch_aligned(
    general("eigh", _eigh_impl, infer=_eigh_infer, jvp=_eigh_jvp, vjps=[_eigh_vjp], multi=True)
)


def eigvalsh(x: ArrayLike, /, UPLO: str = "L") -> Tensor:  # noqa: N803 - NumPy's name
    """Compute eigenvalues of Hermitian matrices.

    dw = diag(Vᴴ dA V). Where eigenvalues coincide, this is the derivative of their symmetric
    functions (sums of f(w)), and one of the subgradients of the others (the largest eigenvalue).

    Args:
        x: A, (..., n, n), floating or complex.
        UPLO: the triangle to read, "L" or "U".

    Returns:
        w, (..., n), real and ascending.

    Raises:
        LinAlgError: if the iteration does not converge; from second derivatives, where
            eigenvalues coincide.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.eigvalsh(lucid.asarray([[3.0, 0.0], [0.0, 2.0]]))
        Tensor([2., 3.])
    """
    check_uplo("eigvalsh", UPLO)
    a = matrix("eigvalsh", x)
    return apply(_eigvalsh, (a if UPLO == "L" else adjoint(a),))


def _eigvalsh_impl(a: Array) -> Array:
    try:
        return np.linalg.eigvalsh(a)
    except np.linalg.LinAlgError:
        raise failed("eigvalsh", a) from None


def _eigvalsh_infer(a: Aval) -> Aval:
    return Aval(a.shape[:-1], real_of(a.dtype))


def _eigvalsh_jvp(ans: Tensor, tangents: Any, args: Any) -> Tensor:
    v = apply(_eigh, args, (True,))[1]
    return real_part(diagonal_of(adjoint(v) @ hermitian(tangents[0]) @ v))


def _eigvalsh_vjp(ct: Tensor, ans: Tensor, a: Tensor) -> Tensor:
    v = apply(_eigh, (a,), (True,))[1]
    return (v * row(ct)) @ adjoint(v)


_eigvalsh = batch_aligned(
    general(
        "eigvalsh",
        _eigvalsh_impl,
        infer=_eigvalsh_infer,
        jvp=_eigvalsh_jvp,
        vjps=[_eigvalsh_vjp],
    )
)


# -- eig -------------------------------------------------------------------------------------------


def eig(x: ArrayLike, /) -> EigResult:
    """Compute eigenvalues and eigenvectors of square matrices.

    A V = V diag(w), with columns of V of norm 1. Their phases are not determined: a derivative
    moves no vector along itself, and a function of the phases has none. Where eigenvalues
    coincide, the rules of `eigh` hold; a matrix without a full set of eigenvectors has no
    derivative.

    Args:
        x: A, (..., n, n), floating or complex.

    Returns:
        A named tuple: eigenvalues, w, (..., n); eigenvectors, the columns of V, (..., n, n); both
        complex, as precise as `x`.

    Raises:
        LinAlgError: if the iteration does not converge; from the derivative, where eigenvalues
            coincide that it has to tell apart, or for a function of the phases.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.eig(lucid.asarray([[0.0, -1.0], [1.0, 0.0]])).eigenvalues
        Tensor([0.+1.j, 0.-1.j])
    """
    return EigResult(*apply(_eig, (matrix("eig", x),), (False,)))


def _complex_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.result_type(dtype, np.complex64)


def _eig_impl(a: Array, strict: bool, name: str = "eig") -> Any:
    try:
        w, v = np.linalg.eig(a)
    except np.linalg.LinAlgError:
        raise failed(name, a) from None
    dtype = _complex_of(a.dtype)
    return w.astype(dtype, copy=False), v.astype(dtype, copy=False)


def _eig_infer(a: Aval, strict: bool) -> tuple[Aval, Aval]:
    return _eigvals_infer(a), Aval(a.shape, _complex_of(a.dtype))


# With X = V⁻¹ dA V: dw = diag X and dV = V (X / gaps), from which every column then loses its part
# along the vector itself.


def _eig_jvp(ans: Any, tangents: Any, args: Any, strict: bool) -> tuple[Tensor, Tensor]:
    w, v = ans
    x = solve(v, tangents[0] @ v)
    off = off_diagonal(x)
    need = True if strict else loud(off, x) | _parallel(v)
    dv = v @ quotient(off, gaps(w), coincidence(w), need, "eig", strict=False)
    return diagonal_of(x), dv - v * row(diagonal_of(adjoint(v) @ dv))


def _parallel(v: Tensor) -> Tensor:
    """Return which pairs of vectors are one, so that there is no full set of them."""
    return abs(adjoint(v) @ v) > 1 - math.sqrt(np.finfo(v.dtype).eps)


def _eig_vjp(ct: Any, ans: Any, a: Tensor, strict: bool) -> Tensor:
    gw, gv = ct
    w, v = ans
    vh = adjoint(v)
    if gv is None:
        return fit(solve(vh, column(gw) * vh), a)
    y = vh @ gv
    along = diagonal_of(y)
    part = off_diagonal(y - (vh @ v) * row(along))
    part = unless(part, row(along - real_part(along)), y, "eig", "phase")
    need = True if strict else loud_pairs(part, y, gw) | _parallel(v)
    x = quotient(part, gaps(conj(w)), coincidence(w), need, "eig") @ vh
    return fit(solve(vh, x if gw is None else x + column(gw) * vh), a)


_eig = batch_aligned(
    general("eig", _eig_impl, infer=_eig_infer, jvp=_eig_jvp, vjps=[_eig_vjp], multi=True)
)


def eigvals(x: ArrayLike, /) -> Tensor:
    """Compute eigenvalues of square matrices.

    dw = diag(V⁻¹ dA V); where eigenvalues coincide, as for `eigvalsh`.

    Args:
        x: A, (..., n, n), floating or complex.

    Returns:
        w, (..., n), complex, as precise as `x`.

    Raises:
        LinAlgError: if the iteration does not converge; from the derivative, if there is no full
            set of eigenvectors; from second derivatives, where eigenvalues coincide.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.eigvals(lucid.asarray([[0.0, -1.0], [1.0, 0.0]]))
        Tensor([0.+1.j, 0.-1.j])
    """
    return apply(_eigvals, (matrix("eigvals", x),))


def _eigvals_impl(a: Array) -> Array:
    # LAPACK finds the values of large matrices in another order when it is asked for them alone;
    # the derivative needs the order of the vectors.
    return _eig_impl(a, False, "eigvals")[0]


def _eigvals_infer(a: Aval) -> Aval:
    return Aval(a.shape[:-1], _complex_of(a.dtype))


def _eigvals_jvp(ans: Tensor, tangents: Any, args: Any) -> Tensor:
    v = apply(_eig, args, (True,))[1]
    return diagonal_of(solve(v, tangents[0] @ v))


def _eigvals_vjp(ct: Tensor, ans: Tensor, a: Tensor) -> Tensor:
    vh = adjoint(apply(_eig, (a,), (True,))[1])
    return fit(solve(vh, column(ct) * vh), a)


_eigvals = batch_aligned(
    general(
        "eigvals",
        _eigvals_impl,
        infer=_eigvals_infer,
        jvp=_eigvals_jvp,
        vjps=[_eigvals_vjp],
    )
)
