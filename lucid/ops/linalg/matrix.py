"""What the files of linear algebra share: checked operands, adjoints, triangles, diagonals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import conj
from lucid.core.define import align_batch
from lucid.core.dispatch import apply, lift
from lucid.core.op import OPS, Aval, Op
from lucid.core.tensor import Tensor, wrap
from lucid.errors import DTypeError, LinAlgError, ShapeError, message

Array = np.ndarray[Any, np.dtype[Any]]


# -- operands --------------------------------------------------------------------------------------


def matrices(name: str, *operands: Any) -> tuple[Tensor, ...]:
    """Return operands as Tensors with at least two axes and a floating or complex dtype."""
    return tuple(check_matrix(name, x) for x in lift(name, operands))


def matrix(name: str, x: Any) -> Tensor:
    """Return one operand as a Tensor of square matrices."""
    (t,) = matrices(name, x)
    return check_square(name, t)


def check_matrix(name: str, x: Any) -> Tensor:
    """Return a lifted operand if it is a stack of floating or complex matrices."""
    shape = x.shape if isinstance(x, Tensor) else ()
    if len(shape) < 2:
        got = f"shape {shape}"
        raise ShapeError(message(name, "an array with at least 2 axes (..., m, n)", got))
    return check_inexact(name, x)


def check_inexact(name: str, x: Tensor) -> Tensor:
    """Return `x` if its dtype is floating or complex."""
    if x.dtype.kind not in "fc":
        hint = "convert it with .astype(lucid.float64)"
        raise DTypeError(message(name, "a floating or complex array", str(x.dtype), hint))
    return x


def real_of(dtype: Any) -> np.dtype[Any]:
    """Return the real dtype as precise as a floating or complex one."""
    return np.finfo(dtype).dtype


def check_square(name: str, x: Tensor) -> Tensor:
    """Return `x` if its matrices are square."""
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(message(name, "square matrices (..., n, n)", f"shape {x.shape}"))
    return x


def batch_shape(name: str, *operands: Tensor) -> tuple[int, ...]:
    """Return what the leading axes of stacks of matrices broadcast to, or raise."""
    try:
        return np.broadcast_shapes(*(x.shape[:-2] for x in operands))
    except ValueError:
        got = " and ".join(str(x.shape) for x in operands)
        hint = "all axes but the last two are broadcast"
        raise ShapeError(message(name, "stacks that broadcast together", got, hint)) from None


# -- stacks of matrices ----------------------------------------------------------------------------


def batch_aligned(op: Op) -> Op:
    """Give an operation on stacks of matrices its batching rule: one more leading axis."""

    def batch(size: int, batched: Sequence[bool], args: Sequence[Any], *params: Any) -> Any:
        return apply(op, tuple(align_batch(batched, args)), params)

    op.batch = batch
    return op


def each_matrix(function: Callable[..., Array], shape: Sequence[int], *stacks: Array) -> Array:
    """Apply a function of single matrices to stacks; `shape` is that of one result.

    For the routines of SciPy that take one matrix at a time.
    """
    lead = np.broadcast_shapes(*(s.shape[:-2] for s in stacks))
    out = np.empty((*lead, *shape), np.result_type(*stacks))
    if out.size:
        full = [np.broadcast_to(s, (*lead, *s.shape[-2:])) for s in stacks]
        for index in np.ndindex(*lead):
            out[index] = function(*(s[index] for s in full))
    return out


def same(x: Aval, *params: Any) -> Aval:
    """Infer a result of the operand's own shape and dtype."""
    return Aval(x.shape, x.dtype)


def refuse(name: str, expected: str, got: str, a: Array, hint: str = "") -> LinAlgError:
    """Return the error for a matrix that an operation is not defined for."""
    which = "a matrix" if a.ndim == 2 else "a stack of matrices"
    return LinAlgError(message(name, expected, f"{which} of shape {a.shape} {got}", hint))


# -- pieces of rules, in lucid's own operations ----------------------------------------------------


def transposed(x: Tensor) -> Tensor:
    """Return the transpose of every matrix."""
    n = x.ndim
    return apply(OPS["permute_dims"], (x,), ((*range(n - 2), n - 1, n - 2),))


def adjoint(x: Tensor) -> Tensor:
    """Return the conjugate transpose of every matrix."""
    return conj(transposed(x))


def hermitian(x: Tensor) -> Tensor:
    """Return the Hermitian part of every matrix."""
    return (x + adjoint(x)) / 2


def skew(x: Tensor) -> Tensor:
    """Return the skew-Hermitian part of every matrix."""
    return (x - adjoint(x)) / 2


def real_part(x: Tensor) -> Tensor:
    """Return the real part, of a real Tensor itself."""
    return apply(OPS["real"], (x,)) if x.dtype.kind == "c" else x


def constant(value: Any, like: Tensor) -> Tensor:
    """Return a real array as a Tensor as precise as `like`."""
    return wrap(np.asarray(value, real_of(like.dtype)), None)


def eye(n: int, like: Tensor) -> Tensor:
    """Return the identity of order n."""
    return constant(np.eye(n), like)


def half_lower(x: Tensor) -> Tensor:
    """Return the lower triangle of every matrix with half the diagonal."""
    m, n = x.shape[-2:]
    return x * constant(np.tri(m, n, -1) + 0.5 * np.eye(m, n), x)


def triangle(x: Tensor, lower: bool, offset: int = 0) -> Tensor:
    """Return the triangle from the diagonal `offset` steps inside; the rest is zero."""
    m, n = x.shape[-2:]
    mask = np.tri(m, n, -offset) if lower else 1 - np.tri(m, n, offset - 1)
    return x * constant(mask, x)


def row(x: Tensor) -> Tensor:
    """Return vectors as matrices of one row."""
    return apply(OPS["reshape"], (x,), ((*x.shape[:-1], 1, x.shape[-1]),))


def column(x: Tensor) -> Tensor:
    """Return vectors as matrices of one column."""
    return apply(OPS["reshape"], (x,), ((*x.shape, 1),))


def scalar(x: Tensor) -> Tensor:
    """Return numbers as matrices of one element."""
    return apply(OPS["reshape"], (x,), ((*x.shape, 1, 1),))


def diagonal_of(x: Tensor) -> Tensor:
    """Return the diagonal of every matrix as a vector."""
    return apply(OPS["diagonal"], (x,), (0, x.ndim - 2, x.ndim - 1))


def off_diagonal(x: Tensor) -> Tensor:
    """Return every square matrix with a zero diagonal."""
    return x - x * eye(x.shape[-1], x)


def trace_of(x: Tensor) -> Tensor:
    """Return the trace of every matrix."""
    return apply(OPS["sum"], (diagonal_of(x),), ((x.ndim - 2,), False))


def padded(x: Tensor, m: int, n: int, ones: bool = False) -> Tensor:
    """Return matrices of m rows and n columns with `x` in front and zeros or an identity behind."""
    rows, columns = x.shape[-2:]
    if (rows, columns) != (m, n):
        shape = (*x.shape[:-2], m, n)
        key = tuple((0, length, None) for length in x.shape)
        x = apply(OPS["place"], (x,), (shape, key))
    if ones and min(rows, columns) < min(m, n):
        x = x + constant(np.diag(np.arange(m) >= min(rows, columns)), x)
    return x
