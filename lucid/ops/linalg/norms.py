"""Norms, and what they tell of a matrix: vector_norm, matrix_norm, norm, cond, matrix_rank."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.define import elementwise
from lucid.core.dispatch import apply, lift
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS
from lucid.core.reductions import reduction
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensor, axes_of
from lucid.ops.linalg.matrix import check_matrix, real_of, real_part
from lucid.ops.linalg.singular import svdvals
from lucid.ops.linalg.solve import inv

__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "vector_norm"]


def _inexact(name: str, x: Any) -> Tensor:
    """Return an operand as a floating or complex Tensor; integers are converted, as in NumPy."""
    t = as_tensor(name, x)
    return t if t.dtype.kind in "fc" else apply(OPS["astype"], (t,), (get_default_dtype(),))


# -- vectors ---------------------------------------------------------------------------------------


def vector_norm(
    x: ArrayLike, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2
) -> Tensor:
    """Compute norms of vectors.

    (Σ |xᵢ|ᵖ)^(1/p); the largest |xᵢ| for p = inf, the smallest for -inf, and the number of
    elements that are not zero for p = 0. The derivative at x = 0 is zero, a subgradient of every
    norm, and so it is for an element xᵢ = 0 if p < 2; ties of the largest share equally.

    Args:
        x: any shape; integers are converted.
        axis: the axes that hold a vector; by default all of them.
        keepdims: whether to keep the reduced axes with length 1.
        ord: p, any real number.

    Returns:
        The norms, real.

    Raises:
        OperandError: if `ord` is no real number.
        IndexOutOfBoundsError: if an axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.linalg.vector_norm(lucid.asarray([3.0, 4.0]))
        Tensor(5.)
        >>> lucid.grad(lucid.linalg.vector_norm)(lucid.asarray([0.0, 0.0]))
        Tensor([0., 0.])
    """
    t = _inexact("vector_norm", x)
    if isinstance(ord, bool) or not isinstance(ord, int | float):
        raise OperandError(message("vector_norm", "ord a real number", repr(ord)))
    return _vector_norm(t, axes_of("vector_norm", axis, t.ndim), bool(keepdims), ord)


def _vector_norm(t: Tensor, axes: tuple[int, ...], keepdims: bool, p: float) -> Tensor:
    if p == 0:
        count = apply(OPS["astype"], (t != 0,), (real_of(t.dtype),))
        return apply(OPS["sum"], (count,), (axes, keepdims))
    if p in (1, math.inf, -math.inf):
        name = {1: "sum", math.inf: "max", -math.inf: "min"}[p]
        return apply(OPS[name], (abs(t),), (axes, keepdims))
    return apply(_power_norm, (t,), (axes, keepdims, float(p)))


def _power_norm_impl(x: Any, axes: tuple[int, ...], keepdims: bool, p: float) -> Any:
    if p == 2:
        squares = x * x if x.dtype.kind == "f" else (x * x.conj()).real
        return np.sqrt(np.add.reduce(squares, axes, keepdims=keepdims))
    with np.errstate(divide="ignore", over="ignore"):
        return np.linalg.vector_norm(x, axis=axes, keepdims=keepdims, ord=p)


def _ratio_impl(x: Any, size: Any) -> Any:
    if np.all(size):
        return x / size
    return np.where(size == 0, 0, x / np.where(size == 0, 1, size))


@elementwise(
    _ratio_impl,
    lambda ans, x, size: apply(OPS["ratio"], (1.0, size)),
    lambda ans, x, size: -apply(OPS["ratio"], (ans, size)),
    name="ratio",
)
def ratio(x: ArrayLike, size: ArrayLike, /) -> Tensor:
    """Divide by a size of which `x` is a part: 0 / 0 is 0, as are its derivatives."""
    ...


def _slope(ans: Tensor, x: Tensor, p: float) -> Tensor:
    """Return the gradient x/N · (|x|/N)^(p-2) of the norm N, zero where x or N is."""
    unit = ratio(x, ans)
    if p == 2:
        return unit
    size = abs(unit)
    if p < 2:
        size = apply(OPS["where"], (size == 0, 1.0, size))
    return unit * apply(OPS["pow"], (size, p - 2))


def _power_norm_jvp(
    ans: Tensor, t: Tensor, x: Tensor, axes: tuple[int, ...], keepdims: bool, p: float
) -> Tensor:
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    slope = _slope(apply(OPS["reshape"], (ans,), (kept,)), x, p)
    slope = apply(OPS["conj"], (slope,)) if slope.dtype.kind == "c" else slope
    return apply(OPS["sum"], (real_part(slope * t),), (axes, keepdims))


_power_norm = reduction(
    "vector_norm",
    _power_norm_impl,
    vjp=lambda ct, ans, x, axes, p: ct * _slope(ans, x, p),
    jvp=_power_norm_jvp,
)


# -- matrices --------------------------------------------------------------------------------------


def matrix_norm(x: ArrayLike, /, *, keepdims: bool = False, ord: float | str = "fro") -> Tensor:
    """Compute norms of matrices.

    With s the singular values:

    ======== ===================================
    "fro"    (Σ |aᵢⱼ|²)^(1/2)
    "nuc"    Σ sᵢ
    2, -2    the largest, the smallest sᵢ
    1, -1    the largest, the smallest Σᵢ |aᵢⱼ|
    inf, -inf the largest, the smallest Σⱼ |aᵢⱼ|
    ======== ===================================

    Args:
        x: A, (..., m, n); integers are converted.
        keepdims: whether to keep the last two axes with length 1.
        ord: which norm.

    Returns:
        The norms, (...), real. Derivatives where a norm has none are subgradients: zero at A = 0.

    Raises:
        OperandError: for another `ord`.
        ShapeError: if `x` has fewer than two axes, or has no elements to take the largest of.

    Example:
        >>> import lucid
        >>> lucid.linalg.matrix_norm(lucid.asarray([[3.0, 0.0], [0.0, 4.0]]), ord="nuc")
        Tensor(7.)
    """
    t = check_matrix("matrix_norm", _inexact("matrix_norm", x))
    last = t.ndim - 1
    if ord == "fro":
        return _vector_norm(t, (last - 1, last), bool(keepdims), 2)
    if isinstance(ord, bool) or ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        want = "ord 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        raise OperandError(message("matrix_norm", want, repr(ord)))
    if ord == "nuc":
        out = apply(OPS["sum"], (svdvals(t),), ((last - 1,), False))
    else:
        if ord in (2, -2):
            sizes = svdvals(t)
        else:
            sizes = apply(OPS["sum"], (abs(t),), ((last - 1 if ord in (1, -1) else last,), False))
        _check_some(sizes.shape[-1], t, ord)
        out = apply(OPS["max" if ord > 0 else "min"], (sizes,), ((last - 1,), False))  # type: ignore[operator]
    return apply(OPS["reshape"], (out,), ((*out.shape, 1, 1),)) if keepdims else out


def _check_some(length: int, t: Tensor, ord: Any) -> None:
    if not length:
        want = f"a matrix with elements for ord {ord}"
        raise ShapeError(message("matrix_norm", want, f"shape {t.shape}"))


def norm(
    x: ArrayLike, /, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False
) -> Tensor:
    """Compute norms of vectors or matrices, as NumPy's function of this name.

    Args:
        x: any shape; integers are converted.
        ord: as for `vector_norm` or `matrix_norm`; None for the square root of the sum of squares.
        axis: one axis for vectors, two for matrices. By default all elements are one vector if
            `ord` is None, and otherwise `x` is one vector or one matrix.
        keepdims: whether to keep the reduced axes with length 1.

    Returns:
        The norms, real.

    Raises:
        OperandError: if `ord` does not suit vectors or matrices.
        ShapeError: if `axis` names more than two axes, or `x` is neither vector nor matrix.

    Example:
        >>> import lucid
        >>> lucid.linalg.norm(lucid.asarray([[3.0, 0.0], [0.0, 4.0]]))
        Tensor(5.)
    """
    t = _inexact("norm", x)
    axes = axes_of("norm", axis, t.ndim)
    if ord is None and (axis is None or len(axes) <= 2):
        return _vector_norm(t, axes, bool(keepdims), 2)
    if len(axes) == 1:
        if not isinstance(ord, int | float):
            raise OperandError(message("norm", "ord a real number for vectors", repr(ord)))
        return vector_norm(t, axis=axes, keepdims=keepdims, ord=ord)
    if len(axes) != 2:
        want = "one axis for vectors or two for matrices"
        raise ShapeError(message("norm", want, f"axis={axis} for shape {t.shape}"))
    order = (*(i for i in range(t.ndim) if i not in axes), *axes)
    moved = apply(OPS["permute_dims"], (t,), (order,))
    out = matrix_norm(moved, ord="fro" if ord is None else ord)
    if not keepdims:
        return out
    kept = tuple(1 if i in axes else n for i, n in enumerate(t.shape))
    return apply(OPS["reshape"], (out,), (kept,))


# -- condition and rank ----------------------------------------------------------------------------


def cond(x: ArrayLike, /, p: float | str | None = None) -> Tensor:
    """Compute condition numbers.

    ‖A‖ ‖A⁻¹‖; in the norm of order 2, the ratio of the largest singular value to the smallest.

    Args:
        x: A, (..., m, n), floating or complex; square unless `p` is None, 2 or -2.
        p: the norm, as for `matrix_norm`; None stands for 2.

    Returns:
        The condition numbers, (...), real; inf for a singular matrix in the norm of order 2.

    Raises:
        LinAlgError: if a matrix is singular, in another norm.
        ShapeError: if `x` has no elements, or is not square and `p` asks for A⁻¹.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.cond(lucid.asarray([[2.0, 0.0], [0.0, 4.0]]))
        Tensor(2.)
    """
    (t,) = lift("cond", (x,))
    t = check_matrix("cond", t)
    if p is not None and p not in (2, -2):
        return matrix_norm(t, ord=p) * matrix_norm(inv(t), ord=p)
    if 0 in t.shape[-2:]:
        raise ShapeError(message("cond", "matrices with elements", f"shape {t.shape}"))
    s = svdvals(t)
    return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]


def rank_tolerance(x: Tensor) -> float:
    """Return the part of the largest singular value that counts as zero by default."""
    return max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)


def matrix_rank(x: ArrayLike, /, *, rtol: ArrayLike | None = None) -> Tensor:
    """Compute the number of singular values that count.

    Args:
        x: A, (..., m, n), floating or complex.
        rtol: singular values up to `rtol` times the largest count as zero; a number, or an array
            that broadcasts against (...). By default max(m, n) times the machine epsilon.

    Returns:
        The ranks, (...), int64.

    Raises:
        ShapeError: if `x` has fewer than two axes.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.matrix_rank(lucid.asarray([[1.0, 1.0], [1.0, 1.0]]))
        Tensor(1)
    """
    (t,) = lift("matrix_rank", (x,))
    t = check_matrix("matrix_rank", t)
    (limit,) = lift("matrix_rank", (rank_tolerance(t) if rtol is None else rtol,))
    s = svdvals(t)
    last = s.ndim - 1
    if not s.shape[last]:
        return apply(OPS["sum"], (s > s,), ((last,), False))
    if isinstance(limit, Tensor):
        limit = apply(OPS["reshape"], (limit,), ((*limit.shape, 1),))
    counts = s > apply(OPS["max"], (s,), ((last,), True)) * limit
    return apply(OPS["sum"], (counts,), ((last,), False))
