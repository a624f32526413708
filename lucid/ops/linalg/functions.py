"""Functions of matrices: powers, exponential, logarithm, square root, Sylvester's equation."""

from __future__ import annotations

import warnings
from operator import index
from typing import Any

import numpy as np

from lucid._lazy import scipy_linalg
from lucid.core.cotangent import fit, zeros_like
from lucid.core.define import general
from lucid.core.dispatch import apply, lift
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval, Op
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.linalg.matrix import (
    Array,
    adjoint,
    batch_aligned,
    batch_shape,
    check_matrix,
    check_square,
    each_matrix,
    matrix,
    refuse,
    same,
)
from lucid.ops.linalg.solve import inv

__all__ = ["expm", "logm", "matrix_power", "solve_sylvester", "sqrtm"]


# -- powers ----------------------------------------------------------------------------------------


def matrix_power(x: ArrayLike, n: int, /) -> Tensor:
    """Raise square matrices to an integer power, by repeated squaring.

    Args:
        x: A, (..., m, m); integers only if `n` is not negative.
        n: the exponent; a negative one raises A⁻¹.

    Returns:
        Aⁿ, (..., m, m).

    Raises:
        LinAlgError: if `n` is negative and a matrix is singular.
        OperandError: if `n` is no integer.
        ShapeError: if a matrix is not square.

    Example:
        >>> import lucid
        >>> lucid.linalg.matrix_power(lucid.asarray([[1.0, 1.0], [0.0, 1.0]]), 3)
        Tensor([[1., 3.], [0., 1.]])
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise OperandError(message("matrix_power", "an integer exponent", repr(n)))
    (t,) = lift("matrix_power", (x,), view=True)  # the first power is the matrix itself
    if not isinstance(t, Tensor) or t.ndim < 2:
        got = f"shape {t.shape if isinstance(t, Tensor) else ()}"
        want = "square matrices (..., n, n)"
        raise ShapeError(message("matrix_power", want, got))
    check_square("matrix_power", t)
    n = index(n)
    if n < 0:
        t, n = inv(t), -n
    if n == 0:
        one = wrap(np.eye(t.shape[-1], dtype=t.dtype), None)
        return apply(OPS["broadcast_to"], (one,), (t.shape,))
    out: Tensor | None = None
    while n:
        if n % 2:
            out = t if out is None else out @ t
        n //= 2
        t = t @ t if n else t
    assert out is not None
    return out


# -- analytic functions ----------------------------------------------------------------------------


def _analytic(name: str, impl: Any) -> Op:
    """Register an analytic function of a matrix.

    Its derivative in the direction E is the upper right block of f([[A, E], [0, A]]); the adjoint
    of E → f'(A; E) is that of Aᴴ.
    """

    def derivative(a: Tensor, e: Tensor) -> Tensor:
        n = a.shape[-1]
        top = apply(OPS["concat"], (a, e), (a.ndim - 1,))
        bottom = apply(OPS["concat"], (zeros_like(a), a), (a.ndim - 1,))
        both = apply(OPS["concat"], (top, bottom), (a.ndim - 2,))
        return apply(op, (both,))[..., :n, n:]

    op = general(
        name,
        impl,
        infer=same,
        jvp=lambda ans, tangents, args: derivative(args[0], tangents[0]),
        vjps=[lambda ct, ans, a: derivative(adjoint(a), ct)],
    )
    return batch_aligned(op)


def expm(x: ArrayLike, /) -> Tensor:
    """Compute exponentials of square matrices.

    exp(A) = Σ Aᵏ/k!, by scaling, squaring and Padé approximation.

    Args:
        x: A, (..., n, n), floating or complex.

    Returns:
        exp(A), (..., n, n).

    Raises:
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.expm(lucid.asarray([[0.0, 1.0], [0.0, 0.0]]))
        Tensor([[1., 1.], [0., 1.]])

    References:
        A. H. Al-Mohy and N. J. Higham, A new scaling and squaring algorithm for the matrix
        exponential, SIAM J. Matrix Anal. Appl. 31, 2009. R. Mathias, A chain rule for matrix
        functions and applications, SIAM J. Matrix Anal. Appl. 17, 1996.
    """
    return apply(_expm, (matrix("expm", x),))


def _expm_impl(a: Array) -> Array:
    if a.size == 0:
        return np.zeros_like(a)
    return np.asarray(scipy_linalg.expm(a)).astype(a.dtype, copy=False)


_expm = _analytic("expm", _expm_impl)


def logm(x: ArrayLike, /) -> Tensor:
    """Compute principal logarithms of square matrices.

    The X with exp(X) = A whose eigenvalues have imaginary parts between -π and π.

    Args:
        x: A, (..., n, n), floating or complex, without eigenvalues on the closed negative real
            axis if it is real.

    Returns:
        log(A), (..., n, n), of the dtype of `x`.

    Raises:
        LinAlgError: if a matrix is singular, or a real one has no real principal logarithm.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.logm(lucid.asarray([[1.0, 1.0], [0.0, 1.0]]))
        Tensor([[0., 1.], [0., 0.]])

    References:
        A. H. Al-Mohy and N. J. Higham, Improved inverse scaling and squaring algorithms for the
        matrix logarithm, SIAM J. Sci. Comput. 34, 2012.
    """
    return apply(_logm, (matrix("logm", x),))


def _logm_impl(a: Array) -> Array:
    if a.size and (np.linalg.slogdet(a)[0] == 0).any():  # of which SciPy only warns
        raise refuse("logm", "matrices with a logarithm", "that is singular", a)
    return _principal("logm", "logarithm", scipy_linalg.logm, a)


def _principal(name: str, noun: str, function: Any, a: Array) -> Array:
    """Apply SciPy's function to every matrix; the dtype does not depend on the values."""

    def one(a: Array) -> Array:
        with warnings.catch_warnings():  # what they warn of is checked below
            warnings.simplefilter("ignore")
            result: Any = np.asarray(function(a))
        if not np.isfinite(result).all():
            raise refuse(name, f"matrices with a {noun}", "that has none", a)
        if result.dtype.kind == "c" and a.dtype.kind != "c":
            if np.abs(result.imag).max() > 1e3 * np.finfo(a.dtype).eps * np.abs(result).max():
                hint = "convert it with .astype(lucid.complex128)"
                got = "with eigenvalues on the negative real axis"
                raise refuse(name, f"matrices with a real {noun}", got, a, hint)
            result = result.real
        return result.astype(a.dtype, copy=False)

    return each_matrix(one, a.shape[-2:], a)


_logm = _analytic("logm", _logm_impl)


# -- square root and Sylvester's equation ----------------------------------------------------------


def sqrtm(x: ArrayLike, /) -> Tensor:
    """Compute principal square roots of square matrices.

    The X with X² = A whose eigenvalues have no negative real part; X dX + dX X = dA.

    Args:
        x: A, (..., n, n), floating or complex, without negative eigenvalues if it is real.

    Returns:
        X, (..., n, n), of the dtype of `x`.

    Raises:
        LinAlgError: if a matrix has no square root, or a real one no real principal one; from the
            derivative, if a matrix is singular.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.sqrtm(lucid.asarray([[4.0, 0.0], [0.0, 9.0]]))
        Tensor([[2., 0.], [0., 3.]])
    """
    return apply(_sqrtm, (matrix("sqrtm", x),))


def _sqrtm_impl(a: Array) -> Array:
    return _principal("sqrtm", "square root", scipy_linalg.sqrtm, a)


def _sqrtm_vjp(ct: Tensor, ans: Tensor, a: Tensor) -> Tensor:
    root = adjoint(ans)
    return apply(_solve_sylvester, (root, root, ct))


_sqrtm = batch_aligned(
    general(
        "sqrtm",
        _sqrtm_impl,
        infer=same,
        jvp=lambda ans, tangents, args: apply(_solve_sylvester, (ans, ans, tangents[0])),
        vjps=[_sqrtm_vjp],
    )
)


def solve_sylvester(a: ArrayLike, b: ArrayLike, q: ArrayLike, /) -> Tensor:
    """Solve Sylvester's equation A X + X B = Q.

    Args:
        a: A, (..., m, m), floating or complex.
        b: B, (..., n, n).
        q: Q, (..., m, n). Leading axes broadcast.

    Returns:
        X, (..., m, n).

    Raises:
        LinAlgError: if A and -B have an eigenvalue in common, to rounding.
        ShapeError: if the shapes do not fit.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> one = lucid.asarray([[1.0]])
        >>> lucid.linalg.solve_sylvester(one, one, lucid.asarray([[4.0]]))
        Tensor([[2.]])

    References:
        R. H. Bartels and G. W. Stewart, Solution of the matrix equation AX + XB = C, Comm. ACM 15,
        1972.
    """
    name = "solve_sylvester"
    a, b, q = (check_matrix(name, t) for t in lift(name, (a, b, q)))
    a, b = check_square(name, a), check_square(name, b)
    if q.shape[-2:] != (a.shape[-1], b.shape[-1]):
        want = f"a right-hand side of shape (..., {a.shape[-1]}, {b.shape[-1]})"
        raise ShapeError(message(name, want, f"shape {q.shape}"))
    batch_shape(name, a, b, q)
    return apply(_solve_sylvester, (a, b, q))


def _solve_sylvester_impl(a: Array, b: Array, q: Array) -> Array:
    dtype = np.result_type(a, b, q)
    (trsyl,) = scipy_linalg.get_lapack_funcs(("trsyl",), dtype=dtype)
    form = "complex" if dtype.kind == "c" else "real"

    def one(a: Array, b: Array, q: Array) -> Array:
        left: Any = scipy_linalg.schur(a.astype(dtype), output=form)
        right: Any = scipy_linalg.schur(b.astype(dtype), output=form)
        (r, u), (s, v) = left, right
        y, scale, info = trsyl(r, s, u.conj().T @ q @ v)
        if info:
            want = "A and -B without a common eigenvalue"
            raise refuse("solve_sylvester", want, "that has one", a)
        return u @ (scale * y) @ v.conj().T

    if 0 in q.shape:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
        return np.zeros((*lead, *q.shape[-2:]), dtype)
    return each_matrix(one, q.shape[-2:], a, b, q)


def _solve_sylvester_infer(a: Aval, b: Aval, q: Aval) -> Aval:
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
    return Aval((*lead, *q.shape[-2:]), np.result_type(a.dtype, b.dtype, q.dtype))


def _solve_sylvester_jvp(ans: Tensor, tangents: Any, args: Any) -> Tensor:
    ta, tb, tq = tangents
    terms = [
        *([] if tq is None else [tq]),
        *([] if ta is None else [-(ta @ ans)]),
        *([] if tb is None else [-(ans @ tb)]),
    ]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return apply(_solve_sylvester, (args[0], args[1], total))


def _solve_sylvester_vjp(ct: Tensor, needs: Any, ans: Tensor, args: Any) -> Any:
    a, b, q = args
    gq = apply(_solve_sylvester, (adjoint(a), adjoint(b), ct))
    up = adjoint(ans)
    return (
        fit(-(gq @ up), a) if needs[0] else None,
        fit(-(up @ gq), b) if needs[1] else None,
        fit(gq, q),
    )


_solve_sylvester = batch_aligned(
    general(
        "solve_sylvester",
        _solve_sylvester_impl,
        infer=_solve_sylvester_infer,
        jvp=_solve_sylvester_jvp,
        vjp=_solve_sylvester_vjp,
    )
)
