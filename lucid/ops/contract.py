"""Contractions of two arrays: sums of products over axes that they share."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lucid.core.cotangent import conj
from lucid.core.define import align_batch, bilinear
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, install
from lucid.errors import ShapeError, message
from lucid.ops.axes import as_tensors, axes_of, axis_of
from lucid.ops.matmul import matmul

__all__ = ["cross", "dot", "inner", "kron", "outer", "tensordot", "vecdot"]

# Labels name axes, one character each, as in `einsum`: 'ij' and 'jk' make 'ik'.
LABELS = "".join(map(chr, (*range(97, 123), *range(65, 91), *range(0x3B1, 0x3B1 + 200))))


def tensordot(
    x1: ArrayLike, x2: ArrayLike, /, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """Sum products over pairs of axes.

    Args:
        x1: the first operand.
        x2: the second operand.
        axes: a number n, to pair the last n axes of `x1` with the first n of `x2`; or two
            sequences of as many axes, paired in order.

    Returns:
        The contraction: the other axes of `x1`, followed by those of `x2`.

    Raises:
        ShapeError: if paired axes differ in length or number.
        IndexOutOfBoundsError: if an axis does not exist.

    Example:
        >>> import lucid
        >>> a, b = lucid.asarray([[1.0, 2.0], [3.0, 4.0]]), lucid.asarray([1.0, 10.0])
        >>> lucid.tensordot(a, b, axes=((0,), (0,)))
        Tensor([31., 42.])
    """
    x, y = as_tensors("tensordot", (x1, x2))
    if isinstance(axes, tuple | list):
        if len(axes) != 2:
            raise ShapeError(message("tensordot", "two sequences of axes", repr(axes)))
        left = axes_of("tensordot", axes[0], x.ndim)
        right = axes_of("tensordot", axes[1], y.ndim)
        if len(left) != len(right):
            raise ShapeError(message("tensordot", "as many axes of x1 as of x2", repr(axes)))
    else:
        if not 0 <= axes <= min(x.ndim, y.ndim):
            got = f"axes={axes} for shapes {x.shape} and {y.shape}"
            raise ShapeError(message("tensordot", "no more axes than the operands have", got))
        left = tuple(range(x.ndim - axes, x.ndim))
        right = tuple(range(axes))
    return contract_axes("tensordot", x, y, left, right)


def contract_axes(
    name: str, x: Tensor, y: Tensor, left: tuple[int, ...], right: tuple[int, ...]
) -> Tensor:
    """Sum over pairs of axes, counted from the front."""
    for i, j in zip(left, right, strict=True):
        if x.shape[i] != y.shape[j]:
            got = f"axis {i} of shape {x.shape} and axis {j} of shape {y.shape}"
            raise ShapeError(message(name, "paired axes of one length", got))
    a = LABELS[: x.ndim]
    fresh = iter(LABELS[x.ndim :])
    b = "".join(a[left[right.index(j)]] if j in right else next(fresh) for j in range(y.ndim))
    out = "".join([c for c in a if c not in b] + [c for c in b if c not in a])
    return contract(x, y, a, b, out)


def contract(x: Tensor, y: Tensor, a: str, b: str, out: str) -> Tensor:
    """Contract two Tensors whose axes have these labels.

    No label may occur twice in one of the strings, and one that only `x` or only `y` has must be
    in `out`; then the transposes of the operation are operations of the same kind.
    """
    return apply(OPS["contract"], (x, y), (a, b, out))


class _Plan(NamedTuple):
    """How two operands become one (batched) matrix product."""

    x_axes: tuple[int, ...]  # batch, left, summed
    y_axes: tuple[int, ...]  # batch, summed, right
    groups: tuple[int, int, int, int]  # how many batch, left, summed and right axes there are
    out_axes: tuple[int, ...]  # where the axes (batch, left, right) go


@functools.lru_cache(maxsize=4096)
def _plan(a: str, b: str, out: str) -> _Plan:
    batch = [c for c in out if c in a and c in b]
    left = [c for c in out if c not in b]
    right = [c for c in out if c not in a]
    summed = [c for c in a if c not in out]
    made = [*batch, *left, *right]
    return _Plan(
        tuple(a.index(c) for c in (*batch, *left, *summed)),
        tuple(b.index(c) for c in (*batch, *summed, *right)),
        (len(batch), len(left), len(summed), len(right)),
        tuple(made.index(c) for c in out),
    )


def _contract_impl(x: Any, y: Any, a: str, b: str, out: str) -> Any:
    plan = _plan(a, b, out)
    n_batch, n_left, n_summed, _ = plan.groups
    if not n_summed:
        return np.multiply(_placed(x, a, out), _placed(y, b, out))
    x = x.transpose(plan.x_axes)
    y = y.transpose(plan.y_axes)
    batch = x.shape[:n_batch]
    left = x.shape[n_batch : n_batch + n_left]
    right = y.shape[n_batch + n_summed :]
    k = math.prod(y.shape[n_batch : n_batch + n_summed])
    x = x.reshape((*batch, math.prod(left), k))
    y = y.reshape((*batch, k, math.prod(right)))
    return np.matmul(x, y).reshape(batch + left + right).transpose(plan.out_axes)


def _placed(x: Any, labels: str, out: str) -> Any:
    """Return a view with the axes of the result, of length 1 where the operand has none."""
    if not labels:
        return x  # also a Python number
    x = x.transpose([labels.index(c) for c in out if c in labels])
    lengths = iter(x.shape)
    return x.reshape([next(lengths) if c in labels else 1 for c in out])


def _infer_contract(x: Aval, y: Aval, a: str, b: str, out: str) -> Aval:
    sizes = dict(zip(a + b, x.shape + y.shape, strict=True))
    return Aval(tuple(sizes[c] for c in out), np.result_type(x.dtype, y.dtype))


def _batch_contract(size: int, batched: Any, operands: Any, a: str, b: str, out: str) -> Tensor:
    new = next(c for c in LABELS if c not in a + b)
    x, y = operands
    return contract(x, y, new * batched[0] + a, new * batched[1] + b, new + out)


bilinear(
    "contract",
    _contract_impl,
    transpose_lhs=lambda ct, x, y, a, b, out: contract(ct, y, out, b, a),
    transpose_rhs=lambda ct, x, y, a, b, out: contract(x, ct, a, out, b),
    batch=_batch_contract,
    infer=_infer_contract,
)


# -- products of vectors ---------------------------------------------------------------------------


def vecdot(x1: ArrayLike, x2: ArrayLike, /, axis: int = -1) -> Tensor:
    """Compute inner products of vectors, Σᵢ conj(x1ᵢ) x2ᵢ.

    Args:
        x1: vectors along `axis`; they are conjugated.
        x2: vectors of the same length along `axis`. All other axes broadcast.
        axis: the axis of the vectors in both operands.

    Returns:
        The products, of the broadcast shape without `axis`.

    Raises:
        ShapeError: if the vectors differ in length, or other axes do not broadcast.
        IndexOutOfBoundsError: if an operand has no such axis.

    Example:
        >>> import lucid
        >>> lucid.vecdot(lucid.asarray([[1.0, 2.0], [3.0, 4.0]]), lucid.asarray([1.0, 10.0]))
        Tensor([21., 43.])
    """
    x, y = as_tensors("vecdot", (x1, x2))
    x = conj(x)
    i, j = axis_of("vecdot", axis, x.ndim), axis_of("vecdot", axis, y.ndim)
    if x.shape[i] != y.shape[j]:
        got = f"{x.shape[i]} and {y.shape[j]}"
        raise ShapeError(message("vecdot", f"vectors of one length along axis {axis}", got))
    # Other axes are labelled from the right, where they are aligned.
    out = LABELS[1 : max(x.ndim, y.ndim)]
    a, b = (out[len(out) - t.ndim + 1 :] for t in (x, y))
    a, b = a[:i] + LABELS[0] + a[i:], b[:j] + LABELS[0] + b[j:]
    sizes = join_sizes("vecdot", (a, b), (x.shape, y.shape))
    x, a = drop_unit_axes(x, a, sizes)
    y, b = drop_unit_axes(y, b, sizes)
    return contract(x, y, a, b, out)


def join_sizes(
    name: str, terms: Sequence[str], shapes: Sequence[tuple[int, ...]]
) -> dict[str, int]:
    """Return the length of every label; a length of 1 broadcasts."""
    sizes: dict[str, int] = {}
    for labels, shape in zip(terms, shapes, strict=True):
        for c, n in zip(labels, shape, strict=True):
            if sizes.setdefault(c, n) == 1:
                sizes[c] = n
            elif n not in (1, sizes[c]):
                got = " and ".join(map(str, shapes))
                want = f"one length for each index, or 1 ({sizes[c]} and {n} meet)"
                raise ShapeError(message(name, want, got))
    return sizes


def drop_unit_axes(x: Tensor, labels: str, sizes: dict[str, int]) -> tuple[Tensor, str]:
    """Drop the axes of length 1 that broadcast against longer ones: a contraction repeats them."""
    keep = [k for k, c in enumerate(labels) if x.shape[k] == sizes[c]]
    if len(keep) == len(labels):
        return x, labels
    shape = tuple(x.shape[k] for k in keep)
    return apply(OPS["reshape"], (x,), (shape,)), "".join(labels[k] for k in keep)


def inner(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Sum products over the last axes of both operands, without conjugation.

    Args:
        x1: an array of shape (..., k), or a number.
        x2: an array of shape (..., k), or a number.

    Returns:
        The products: the other axes of `x1`, followed by those of `x2`.

    Raises:
        ShapeError: if the last axes differ in length.

    Example:
        >>> import lucid
        >>> lucid.inner(lucid.asarray([1.0, 2.0]), lucid.asarray([3.0, 4.0]))
        Tensor(11.)
    """
    x, y = as_tensors("inner", (x1, x2))
    if not x.ndim or not y.ndim:
        return x * y
    return contract_axes("inner", x, y, (x.ndim - 1,), (y.ndim - 1,))


def dot(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Multiply as NumPy's `dot`: numbers, vectors, matrices, and stacks in all combinations.

    It is `matmul` for vectors and matrices; of larger arrays it sums over the last axis of `x1` and
    the last but one of `x2`, without broadcasting.

    Args:
        x1: an array of shape (..., k), or a number.
        x2: an array of shape (k,) or (..., k, n), or a number.

    Returns:
        The products: the other axes of `x1`, followed by those of `x2`.

    Raises:
        ShapeError: if the summed axes differ in length.

    Example:
        >>> import lucid
        >>> lucid.dot(lucid.asarray([1.0, 2.0]), lucid.asarray([3.0, 4.0]))
        Tensor(11.)
    """
    x, y = as_tensors("dot", (x1, x2))
    if not x.ndim or not y.ndim:
        return x * y
    if y.ndim < 3:
        return matmul(x, y)
    return contract_axes("dot", x, y, (x.ndim - 1,), (y.ndim - 2,))


def outer(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Multiply every entry of one vector with every entry of another, x1ᵢ x2ⱼ.

    Args:
        x1: a vector of length m; other shapes are flattened.
        x2: a vector of length n; other shapes are flattened.

    Returns:
        The matrix of products, of shape (m, n).

    Example:
        >>> import lucid
        >>> lucid.outer(lucid.asarray([1.0, 2.0]), lucid.asarray([3.0, 4.0]))
        Tensor([[3., 4.],
                [6., 8.]])
    """
    x, y = as_tensors("outer", (x1, x2))
    return contract(x.reshape((x.size,)), y.reshape((y.size,)), "a", "b", "ab")


def kron(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Compute the Kronecker product: the blocks x1ᵢⱼ · x2.

    Args:
        x1: an array of any shape.
        x2: an array of any shape; the one with fewer axes is given leading axes of length 1.

    Returns:
        The blocks put together; each axis is as long as the product of the operands' axes.

    Example:
        >>> import lucid
        >>> lucid.kron(lucid.asarray([1.0, 10.0]), lucid.asarray([1.0, 2.0, 3.0]))
        Tensor([ 1.,  2.,  3., 10., 20., 30.])
    """
    x, y = as_tensors("kron", (x1, x2))
    ndim = max(x.ndim, y.ndim)
    x = x.reshape((1,) * (ndim - x.ndim) + x.shape)
    y = y.reshape((1,) * (ndim - y.ndim) + y.shape)
    a, b = LABELS[:ndim], LABELS[ndim : 2 * ndim]
    blocks = contract(x, y, a, b, "".join(p + q for p, q in zip(a, b, strict=True)))
    return blocks.reshape(tuple(m * n for m, n in zip(x.shape, y.shape, strict=True)))


def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Tensor:
    """Compute the cross product of vectors in space.

    Args:
        x1: vectors of length 3 along `axis`.
        x2: vectors of length 3 along `axis`; all other axes broadcast.
        axis: the axis of the vectors in the operands and the result; if it is not negative, as
            counted in the broadcast shape.

    Returns:
        The vectors x1 × x2.

    Raises:
        ShapeError: if the vectors do not have length 3, or other axes do not broadcast.
        IndexOutOfBoundsError: if an operand has no such axis.

    Example:
        >>> import lucid
        >>> lucid.cross(lucid.asarray([1.0, 0.0, 0.0]), lucid.asarray([0.0, 1.0, 0.0]))
        Tensor([0., 0., 1.])
    """
    x, y = as_tensors("cross", (x1, x2))
    ndim = max(x.ndim, y.ndim)
    last = axis_of("cross", axis, ndim) - ndim
    for t in (x, y):
        if t.shape[axis_of("cross", last, t.ndim)] != 3:
            got = f"shapes {x.shape} and {y.shape}"
            raise ShapeError(message("cross", f"vectors of length 3 along axis {axis}", got))
    return _cross(x, y, last)


def _cross(x: Tensor, y: Tensor, axis: int) -> Tensor:
    return apply(OPS["cross"], (x, y), (axis,))


def _infer_cross(x: Aval, y: Aval, axis: int) -> Aval:
    return Aval(np.broadcast_shapes(x.shape, y.shape), np.result_type(x.dtype, y.dtype))


def _batch_cross(size: int, batched: Any, operands: Any, axis: int) -> Tensor:
    x, y = align_batch(batched, operands)
    return _cross(x, y, axis)


def _lower_cross(x: Tensor, y: Tensor, axis: int) -> Tensor:
    def after(z: Tensor, steps: int) -> Tensor:
        return apply(OPS["roll"], (z,), ((-steps,), (axis % z.ndim,)))

    return after(x, 1) * after(y, 2) - after(x, 2) * after(y, 1)


# x · (y × z) is the same for cyclic exchange, so that both transposes are cross products again.
bilinear(
    "cross",
    lambda x, y, axis: np.cross(x, y, axis=axis),
    transpose_lhs=lambda ct, x, y, axis: _cross(y, ct, axis),
    transpose_rhs=lambda ct, x, y, axis: _cross(ct, x, axis),
    batch=_batch_cross,
    infer=_infer_cross,
    lower=_lower_cross,
)


install({"dot": dot})
