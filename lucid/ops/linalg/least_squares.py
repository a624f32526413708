"""Systems without a unique solution: the pseudo-inverse and least squares."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lucid.core.cotangent import conj, fit, spread
from lucid.core.define import align_batch, general
from lucid.core.dispatch import apply, lift
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
from lucid.ops.linalg.matrix import Array, adjoint, check_matrix, real_part
from lucid.ops.linalg.norms import matrix_rank, rank_tolerance
from lucid.ops.linalg.singular import svdvals
from lucid.ops.linalg.solve import flat, system

__all__ = ["LstsqResult", "lstsq", "pinv"]


class LstsqResult(NamedTuple):
    """Least-squares solutions and what is known about them."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def pinv(x: ArrayLike, /, *, rtol: ArrayLike | None = None) -> Tensor:
    """Compute the Moore-Penrose pseudo-inverse.

    A⁺ = V diag(1/sᵢ) Uᴴ over the singular values that count. Its derivative holds along changes
    that keep the rank; where the rank changes, A⁺ is not continuous.

    Args:
        x: A, (..., m, n), floating or complex.
        rtol: singular values up to `rtol` times the largest count as zero; a number, or an array
            that broadcasts against (...). By default max(m, n) times the machine epsilon.

    Returns:
        A⁺, (..., n, m).

    Raises:
        ShapeError: if `x` has fewer than two axes.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.pinv(lucid.asarray([[2.0, 0.0], [0.0, 0.0]]))
        Tensor([[0.5, 0. ], [0. , 0. ]])

    References:
        G. H. Golub and V. Pereyra, The differentiation of pseudo-inverses and nonlinear least
        squares problems whose variables separate, SIAM J. Numer. Anal. 10, 1973.
    """
    (a,) = lift("pinv", (x,))
    a = check_matrix("pinv", a)
    (tolerance,) = lift("pinv", (rank_tolerance(a) if rtol is None else rtol,))
    return apply(_pinv, (a, tolerance))


def _pinv_jvp(ans: Tensor, tangents: Any, args: Any) -> Tensor | None:
    t, a = tangents[0], args[0]
    if t is None:
        return None
    th, ah = adjoint(t), adjoint(ans)
    left = ans @ (ah @ th)
    right = (th @ ah) @ ans
    inside = -(ans @ t @ ans)
    return spread(inside + (left - left @ a @ ans) + (right - ans @ (a @ right)), ans)


def _pinv_vjp(ct: Tensor, ans: Tensor, a: Tensor, rtol: Any) -> Tensor:
    cth, ah = adjoint(ct), adjoint(ans)
    left = (cth @ ans) @ ah
    right = ah @ (ans @ cth)
    outside = (left - a @ (ans @ left)) + (right - (right @ ans) @ a)
    return fit(outside - ah @ ct @ ah, a)


def _pinv_infer(a: Aval, rtol: Aval) -> Aval:
    lead = np.broadcast_shapes(a.shape[:-2], rtol.shape)
    return Aval((*lead, a.shape[-1], a.shape[-2]), a.dtype)


def _pinv_impl(a: Array, rtol: Any) -> Array:
    lead = np.broadcast_shapes(a.shape[:-2], np.shape(rtol))
    return np.linalg.pinv(np.broadcast_to(a, (*lead, *a.shape[-2:])), rtol=np.asarray(rtol))


def _pinv_batch(size: int, batched: Any, args: Any) -> Tensor:
    a, rtol = args
    if isinstance(rtol, Tensor):  # it lacks the two axes of the matrices
        rtol = apply(OPS["reshape"], (rtol,), ((*rtol.shape, 1, 1),))
        a, rtol = align_batch(batched, (a, rtol))
        rtol = apply(OPS["reshape"], (rtol,), (rtol.shape[:-2],))
    return apply(_pinv, (a, rtol))


_pinv = general(
    "pinv",
    _pinv_impl,
    infer=_pinv_infer,
    jvp=_pinv_jvp,
    vjps=[_pinv_vjp, None],
    batch=_pinv_batch,
)


def lstsq(a: ArrayLike, b: ArrayLike, /, rcond: float | None = None) -> LstsqResult:
    """Solve linear systems in the sense of least squares.

    The X of least norm among those that minimise ‖A X - B‖: X = A⁺ B.

    Args:
        a: A, (..., m, n), floating or complex.
        b: B, (..., m, k), or one vector (m,).
        rcond: singular values up to `rcond` times the largest count as zero. By default max(m, n)
            times the machine epsilon.

    Returns:
        A named tuple: solution (..., n, k), or (..., n) if B is one vector; residuals, the squared
        norm of each column of B - A X, (..., k) or (...), also where NumPy leaves them empty; rank
        (...); singular_values (..., min(m, n)).

    Raises:
        ShapeError: if B does not fit A.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> a = lucid.asarray([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
        >>> fit = lucid.linalg.lstsq(a, lucid.asarray([1.0, 3.0, 5.0]))
        >>> bool(lucid.max(abs(fit.solution - lucid.asarray([1.0, 2.0]))) < 1e-14)
        True
    """
    a, b, vector = system("lstsq", a, b, square=False)
    x = pinv(a, rtol=rcond) @ b
    rest = b - a @ x
    residuals = apply(OPS["sum"], (real_part(conj(rest) * rest),), ((rest.ndim - 2,), False))
    if vector:
        residuals = apply(OPS["reshape"], (residuals,), (residuals.shape[:-1],))
    return LstsqResult(flat(x, vector), residuals, matrix_rank(a, rtol=rcond), svdvals(a))
