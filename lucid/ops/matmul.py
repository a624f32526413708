"""The matrix product."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit_raw
from lucid.core.define import align_batch, bilinear
from lucid.core.fastpath import binary, operator, reflected
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, install
from lucid.errors import ShapeError, message

__all__ = ["matmul"]


def matmul(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Multiply matrices, Σⱼ x1ᵢⱼ x2ⱼₖ; this is what ``x1 @ x2`` computes.

    Args:
        x1: matrices in the last two axes, shape (..., m, k), or one vector (k,).
        x2: matrices of shape (..., k, n), or one vector (k,). Leading axes broadcast.

    Returns:
        The products, of shape (..., m, n) and the promoted dtype; the axis that a vector lacks is
        missing in the result.

    Raises:
        ShapeError: if the inner lengths differ, leading axes do not broadcast, or an operand has
            no axes.

    Example:
        >>> import lucid
        >>> lucid.matmul(lucid.asarray([[1.0, 2.0], [3.0, 4.0]]), lucid.asarray([1.0, 10.0]))
        Tensor([21., 43.])
    """
    return _call(x1, x2)


def _matmul_impl(x: Any, y: Any) -> Any:
    try:
        if x.ndim > 2 and y.ndim < 3 and x.flags.c_contiguous:
            rows = x.shape[:-1]  # one product with a tall matrix, not one for each of a stack
            flat = np.matmul(x.reshape(math.prod(rows), x.shape[-1]), y)
            return flat.reshape(rows + y.shape[1:])
        result = np.matmul(x, y)
    except (ValueError, AttributeError) as error:  # numbers have no `ndim`
        raise _mismatch(np.shape(x), np.shape(y)) from error
    return result if type(result) is np.ndarray else np.asarray(result)


def _mismatch(x: tuple[int, ...], y: tuple[int, ...]) -> ShapeError:
    got = f"{x} and {y}"
    if not x or not y:
        hint = "multiply by a number with *"
        return ShapeError(message("matmul", "operands with at least one axis", got, hint))
    inner = -2 if len(y) > 1 else -1
    if x[-1] != y[inner]:
        want = f"x1.shape[-1] == x2.shape[{inner}]"
        hint = "transpose one of them with .mT" if x[-1] in y[-2:] or y[inner] in x[-2:] else ""
        return ShapeError(message("matmul", want, got, hint))
    return ShapeError(message("matmul", "leading axes that broadcast together", got))


def _infer_matmul(x: Aval, y: Aval) -> Aval:
    if not x.ndim or not y.ndim or x.shape[-1] != y.shape[-2 if y.ndim > 1 else -1]:
        raise _mismatch(x.shape, y.shape)
    try:
        stack = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        raise _mismatch(x.shape, y.shape) from None
    shape = (*stack, *x.shape[-2:-1], *(y.shape[-1:] if y.ndim > 1 else ()))
    return Aval(shape, np.result_type(x.dtype, y.dtype))


# Both rules are made of what Tensors and arrays have in common, so that they serve as `Op.raw` too.
# Transposed matrices are views, which BLAS takes as they are.


def _left(ct: Any, x: Any, y: Any) -> Any:
    """Return ct·yᵀ, the cotangent of `x` before un-broadcasting."""
    if y.ndim == 1:
        return ct * y if x.ndim == 1 else ct.reshape((*ct.shape, 1)) * y
    if x.ndim > 1:
        return ct @ y.mT
    if y.ndim == 2:
        return y @ ct
    return (y @ ct.reshape((*ct.shape, 1))).reshape(y.shape[:-1])


def _right(ct: Any, x: Any, y: Any) -> Any:
    """Return xᵀ·ct, the cotangent of `y` before un-broadcasting."""
    if x.ndim == 1:
        if y.ndim == 1:
            return ct * x
        return x.reshape((x.shape[0], 1)) * ct.reshape((*ct.shape[:-1], 1, ct.shape[-1]))
    if x.ndim > 2 and y.ndim < 3:
        rows = math.prod(x.shape[:-1])
        x = x.reshape((rows, x.shape[-1]))
        ct = ct.reshape((rows, *y.shape[1:]))
    return x.mT @ ct


def _batch_matmul(size: int, batched: Any, operands: Any) -> Tensor:
    x, y = operands
    x_ndim, y_ndim = x.ndim - batched[0], y.ndim - batched[1]
    if not batched[1] and y_ndim < 3:
        return x @ y
    if not batched[0]:
        if x_ndim == 1:
            return y @ x if y_ndim == 1 else x @ y
        if x_ndim == 2:
            return y @ x.mT if y_ndim == 1 else x @ y
    if x_ndim == 1:
        x = x.reshape((*x.shape[:-1], 1, x.shape[-1]))
    if y_ndim == 1:
        y = y.reshape((*y.shape, 1))
    x, y = align_batch(batched, (x, y))
    ans = x @ y
    shape = ans.shape[:-2] + ans.shape[-2:-1] * (x_ndim > 1) + ans.shape[-1:] * (y_ndim > 1)
    return ans.reshape(shape)


_op = bilinear(
    "matmul",
    _matmul_impl,
    transpose_lhs=_left,
    transpose_rhs=_right,
    batch=_batch_matmul,
    infer=_infer_matmul,
)
_op.raw = (
    lambda ct, ans, x, y: fit_raw(_left(ct, x, conj(y)), x),
    lambda ct, ans, x, y: fit_raw(_right(ct, conj(x), y), y),
)
_call = binary(_op)
matmul = functools.wraps(matmul)(_call)

install({"__matmul__": operator(_op), "__rmatmul__": reflected(_op)})
