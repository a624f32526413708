"""Linear systems: solve, inv, and their triangular relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid._lazy import scipy_linalg
from lucid.core.cotangent import conj, fit, spread
from lucid.core.define import general
from lucid.core.dispatch import apply, lift
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
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
    transposed,
    triangle,
)

__all__ = ["cho_solve", "inv", "solve", "solve_triangular"]


def system(name: str, a: Any, b: Any, square: bool = True) -> tuple[Tensor, Tensor, bool]:
    """Return matrices and right-hand sides that fit, and whether these were one vector."""
    a, b = lift(name, (a, b))
    a = check_matrix(name, a)
    if square:
        check_square(name, a)
    vector = isinstance(b, Tensor) and b.ndim == 1
    if vector:
        b = apply(OPS["reshape"], (b,), ((*b.shape, 1),))
    b = check_matrix(name, b)
    if b.shape[-2] != a.shape[-2]:
        want = f"a right-hand side with {a.shape[-2]} rows for a matrix of shape {a.shape}"
        got = f"shape {b.shape[:-1] if vector else b.shape}"
        raise ShapeError(message(name, want, got))
    batch_shape(name, a, b)
    return a, b, vector


def flat(x: Tensor, vector: bool) -> Tensor:
    """Return solutions without their last axis if the right-hand side was one vector."""
    return apply(OPS["reshape"], (x,), (x.shape[:-1],)) if vector else x


def infer_system(a: Aval, b: Aval, *params: Any) -> Aval:
    """Infer the solution of a system."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return Aval((*lead, *b.shape[-2:]), np.result_type(a.dtype, b.dtype))


# -- solve -----------------------------------------------------------------------------------------


def solve(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Solve systems of linear equations.

    A X = B, by LU factorisation with partial pivoting.

    Args:
        x1: A, (..., n, n), floating or complex.
        x2: B, (..., n, k), or one vector (n,). Leading axes broadcast with those of `x1`.

    Returns:
        X, (..., n, k), or (..., n) if B is one vector.

    Raises:
        LinAlgError: if a matrix is singular.
        ShapeError: if a matrix is not square, or B does not fit it.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> a = lucid.asarray([[2.0, 0.0], [0.0, 4.0]])
        >>> lucid.linalg.solve(a, lucid.asarray([2.0, 2.0]))
        Tensor([1. , 0.5])
    """
    a, b, vector = system("solve", x1, x2)
    return flat(apply(_solve, (a, b)), vector)


def _solve_impl(a: Array, b: Array) -> Array:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        hint = "use pinv or lstsq for the solution of least norm"
        raise refuse("solve", "invertible matrices", "that is singular", a, hint) from None


def _solve_jvp(ans: Tensor, tangents: Any, args: Any) -> Tensor:
    ta, tb = tangents
    change = tb if ta is None else -(ta @ ans) if tb is None else tb - ta @ ans
    return spread(apply(_solve, (args[0], change)), ans)


def _solve_vjp(ct: Tensor, needs: Any, ans: Tensor, args: Any) -> tuple[Tensor | None, ...]:
    a, b = args
    gb = apply(_solve, (adjoint(a), ct))
    return fit(-(gb @ adjoint(ans)), a) if needs[0] else None, fit(gb, b)


_solve = batch_aligned(
    general("solve", _solve_impl, infer=infer_system, jvp=_solve_jvp, vjp=_solve_vjp)
)


# -- inv -------------------------------------------------------------------------------------------


def inv(x: ArrayLike, /) -> Tensor:
    """Invert square matrices.

    A A⁻¹ = 1, and dA⁻¹ = -A⁻¹ dA A⁻¹. A system is solved faster and more accurately by `solve`.

    Args:
        x: A, (..., n, n), floating or complex.

    Returns:
        A⁻¹, (..., n, n).

    Raises:
        LinAlgError: if a matrix is singular.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.inv(lucid.asarray([[2.0, 0.0], [0.0, 4.0]]))
        Tensor([[0.5 , 0.  ], [0.  , 0.25]])
    """
    return apply(_inv, (matrix("inv", x),))


def _inv_impl(a: Array) -> Array:
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        hint = "use pinv for the pseudo-inverse"
        raise refuse("inv", "invertible matrices", "that is singular", a, hint) from None


_inv = batch_aligned(
    general(
        "inv",
        _inv_impl,
        infer=same,
        jvp=lambda ans, tangents, args: -(ans @ tangents[0] @ ans),
        vjps=[lambda ct, ans, a: -(adjoint(ans) @ ct @ adjoint(ans))],
    )
)


# -- triangular systems ----------------------------------------------------------------------------

_TRANSPOSED: dict[Any, str] = {0: "N", 1: "T", 2: "C", "N": "N", "T": "T", "C": "C"}


def solve_triangular(
    a: ArrayLike,
    b: ArrayLike,
    /,
    *,
    lower: bool = False,
    trans: int | str = 0,
    unit_diagonal: bool = False,
) -> Tensor:
    """Solve systems of linear equations with triangular matrices.

    A X = B by substitution; entries of A on the other side of the diagonal are not read.

    Args:
        a: A, (..., n, n), floating or complex.
        b: B, (..., n, k), or one vector (n,). Leading axes broadcast with those of `a`.
        lower: whether A is the lower triangle rather than the upper.
        trans: solve with A (0 or "N"), its transpose (1 or "T") or its conjugate transpose
            (2 or "C"); `lower` speaks of A itself.
        unit_diagonal: take the diagonal to be 1, whatever is there.

    Returns:
        X, (..., n, k), or (..., n) if B is one vector.

    Raises:
        LinAlgError: if a diagonal entry is zero.
        ShapeError: if a matrix is not square, or B does not fit it.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> a = lucid.asarray([[2.0, 0.0], [1.0, 1.0]])
        >>> lucid.linalg.solve_triangular(a, lucid.asarray([2.0, 2.0]), lower=True)
        Tensor([1., 1.])
    """
    if trans not in _TRANSPOSED:
        want = "trans one of 0, 1, 2, 'N', 'T', 'C'"
        raise OperandError(message("solve_triangular", want, repr(trans)))
    matrices, sides, vector = system("solve_triangular", a, b)
    form = _TRANSPOSED[trans]
    if form != "N":
        matrices = transposed(matrices)
        lower = not lower
    if form == "C":
        matrices = conj(matrices)
    return flat(triangular(matrices, sides, bool(lower), bool(unit_diagonal)), vector)


def triangular(a: Tensor, b: Tensor, lower: bool, unit: bool = False) -> Tensor:
    """Solve triangular systems, as in a rule."""
    return apply(_solve_triangular, (a, b), (lower, unit))


def _solve_triangular_impl(a: Array, b: Array, lower: bool, unit: bool) -> Array:
    dtype = np.result_type(a, b)
    (trtrs,) = scipy_linalg.get_lapack_funcs(("trtrs",), dtype=dtype)

    def one(a: Array, b: Array) -> Array:  # LAPACK reads columns first: a.T costs no copy
        x, info = trtrs(a.T, b, lower=not lower, trans=1, unitdiag=unit)
        if info > 0:
            got = f"with a zero at {info - 1} of its diagonal"
            raise refuse("solve_triangular", "triangles without zeros on the diagonal", got, a)
        return x

    a, b = a.astype(dtype, copy=False), b.astype(dtype, copy=False)
    if 0 in b.shape[-2:]:
        return np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), dtype)
    return one(a, b) if a.ndim == b.ndim == 2 else each_matrix(one, b.shape[-2:], a, b)


def _solve_triangular_jvp(ans: Tensor, tangents: Any, args: Any, lower: bool, unit: bool) -> Tensor:
    ta, tb = tangents
    moved = None if ta is None else triangle(ta, lower, int(unit)) @ ans
    change = tb if moved is None else -moved if tb is None else tb - moved
    return spread(triangular(args[0], change, lower, unit), ans)


def _solve_triangular_vjp(
    ct: Tensor, needs: Any, ans: Tensor, args: Any, lower: bool, unit: bool
) -> tuple[Tensor | None, ...]:
    a, b = args
    gb = triangular(adjoint(a), ct, not lower, unit)
    if not needs[0]:
        return None, fit(gb, b)
    return fit(-triangle(gb @ adjoint(ans), lower, int(unit)), a), fit(gb, b)


_solve_triangular = batch_aligned(
    general(
        "solve_triangular",
        _solve_triangular_impl,
        infer=infer_system,
        jvp=_solve_triangular_jvp,
        vjp=_solve_triangular_vjp,
    )
)


def cho_solve(c_and_lower: tuple[ArrayLike, bool], b: ArrayLike, /) -> Tensor:
    """Solve systems of linear equations whose Cholesky factor is known.

    A X = B with A = L Lᴴ, or A = Uᴴ U.

    Args:
        c_and_lower: the factor, (..., n, n), and whether it is the lower one, L. The other
            triangle is not read.
        b: B, (..., n, k), or one vector (n,). Leading axes broadcast with those of the factor.

    Returns:
        X, (..., n, k), or (..., n) if B is one vector.

    Raises:
        LinAlgError: if a diagonal entry of the factor is zero.
        ShapeError: if a matrix is not square, or B does not fit it.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> factor = lucid.linalg.cholesky(lucid.asarray([[4.0, 2.0], [2.0, 2.0]]))
        >>> lucid.linalg.cho_solve((factor, True), lucid.asarray([2.0, 2.0]))
        Tensor([0., 1.])
    """
    if not isinstance(c_and_lower, tuple | list) or len(c_and_lower) != 2:
        got = type(c_and_lower).__name__
        raise OperandError(message("cho_solve", "a pair (factor, lower)", got))
    factor, sides, vector = system("cho_solve", c_and_lower[0], b)
    low = factor if c_and_lower[1] else adjoint(factor)
    half = triangular(low, sides, lower=True)
    return flat(triangular(adjoint(low), half, lower=False), vector)
