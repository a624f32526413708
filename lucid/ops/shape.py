"""Shape: the same elements on other axes, and broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any

import numpy as np

from lucid.core.cotangent import unbroadcast
from lucid.core.define import linear
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, install
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensor, axes_of

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "expand_dims",
    "ravel",
    "reshape",
    "squeeze",
]


def _integers(shape: Any) -> tuple[int, ...]:
    try:
        return (index(shape),)
    except TypeError:
        return tuple(index(n) for n in shape)


def lengths(name: str, shape: Any, least: int = 0) -> tuple[int, ...]:
    """Return a shape as a tuple of integers, none of them less than `least`."""
    if type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape):
        return shape
    try:
        found = _integers(shape)
    except TypeError:
        expected = "a shape, an integer or a tuple of them"
        raise OperandError(message(name, expected, repr(shape))) from None
    if any(n < least for n in found):
        raise ShapeError(message(name, f"lengths of {least} or more", f"shape {found}"))
    return found


# -- reshape ---------------------------------------------------------------------------------------


def reshape(x: ArrayLike, /, shape: int | Sequence[int], *, copy: bool | None = None) -> Tensor:
    """Give an array another shape with the same elements in the same order, the last axis fastest.

    Args:
        x: any shape and dtype.
        shape: the new lengths; one of them may be -1 and is then computed.
        copy: False to raise where the result cannot share memory with `x`. Tensors are immutable,
            so that nothing else depends on it.

    Returns:
        A Tensor of that shape.

    Raises:
        ShapeError: if the shape has another number of elements, or `copy` is False and the
            elements do not lie in this order in memory.

    Example:
        >>> import lucid
        >>> lucid.reshape(lucid.asarray([1, 2, 3, 4]), (2, -1))
        Tensor([[1, 2], [3, 4]])
    """
    t = as_tensor("reshape", x, view=True)
    target = resolve(t, lengths("reshape", shape, -1))
    if copy is False and isinstance(t._value, np.ndarray) and t.shape == t._value.shape:
        try:
            np.reshape(t._value, target, copy=False)
        except ValueError:
            got = f"shape {t.shape} with strides {t._value.strides}"
            hint = "leave copy=None"
            want = f"memory that can be seen as {target}"
            raise ShapeError(message("reshape", want, got, hint)) from None
    return _reshape(t, (target,))


def resolve(t: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return `shape` with -1 replaced by the length that keeps the number of elements."""
    size = t.size
    if -1 in shape:
        known = -prod(shape)
        k = shape.index(-1)
        if -1 not in shape[k + 1 :] and known and size % known == 0:
            return (*shape[:k], size // known, *shape[k + 1 :])
        hint = "only one length can be computed, from the others"
    elif prod(shape) == size:
        return shape
    else:
        hint = f"{shape} has {prod(shape)}"
    got = f"shape {t.shape} for {shape}"
    raise ShapeError(message("reshape", f"a shape with {size} elements", got, hint))


_reshape = direct(
    linear(
        "reshape",
        lambda x, shape: x.reshape(shape),
        transpose=lambda ct, x, shape: _reshape(ct, (x.shape,)),
        batch=lambda x, shape: _reshape(x, ((x.shape[0], *shape),)),
        view=True,
    )
)
OPS["reshape"].raw = (lambda ct, ans, x, shape: ct.reshape(x.shape),)


def ravel(x: ArrayLike, /) -> Tensor:
    """Return all elements on one axis, the last axis fastest.

    Args:
        x: any shape and dtype.

    Returns:
        A Tensor of shape ``(x.size,)``.

    Example:
        >>> import lucid
        >>> lucid.ravel(lucid.asarray([[1, 2], [3, 4]]))
        Tensor([1, 2, 3, 4])
    """
    t = as_tensor("ravel", x, view=True)
    return _reshape(t, ((t.size,),))


def expand_dims(x: ArrayLike, /, axis: int | Sequence[int]) -> Tensor:
    """Insert axes of length 1.

    Args:
        x: any shape and dtype.
        axis: where the new axes are found in the result; an integer or several.

    Returns:
        A Tensor with the same elements.

    Raises:
        IndexOutOfBoundsError: if an axis lies outside the result.

    Example:
        >>> import lucid
        >>> lucid.expand_dims(lucid.asarray([1, 2]), axis=1).shape
        (2, 1)
    """
    t = as_tensor("expand_dims", x, view=True)
    ndim = t.ndim + (len(axis) if isinstance(axis, tuple | list) else 1)
    axes = axes_of("expand_dims", axis, ndim)
    rest = iter(t.shape)
    return _reshape(t, (tuple(1 if i in axes else next(rest) for i in range(ndim)),))


def squeeze(x: ArrayLike, /, axis: Axis = None) -> Tensor:
    """Remove axes of length 1.

    Args:
        x: any shape and dtype.
        axis: the axes to remove; by default all of length 1.

    Returns:
        A Tensor with the same elements.

    Raises:
        ShapeError: if an axis to remove has another length.

    Example:
        >>> import lucid
        >>> lucid.squeeze(lucid.asarray([[1, 2]]), axis=0)
        Tensor([1, 2])
    """
    t = as_tensor("squeeze", x, view=True)
    shape = t.shape
    if axis is None:
        return _reshape(t, (tuple(n for n in shape if n != 1),))
    axes = axes_of("squeeze", axis, len(shape))
    for a in axes:
        if shape[a] != 1:
            got = f"length {shape[a]} at axis {a} of shape {shape}"
            raise ShapeError(message("squeeze", "axes of length 1", got))
    return _reshape(t, (tuple(n for i, n in enumerate(shape) if i not in axes),))


def atleast_1d(*arrays: ArrayLike) -> Any:
    """Return each array with at least one axis, as NumPy does; a tuple for several.

    Example:
        >>> import lucid
        >>> lucid.atleast_1d(3.0)
        Tensor([3.])
    """
    return _atleast(1, arrays)


def atleast_2d(*arrays: ArrayLike) -> Any:
    """Return each array with at least two axes, new ones in front; a tuple for several.

    Example:
        >>> import lucid
        >>> lucid.atleast_2d(lucid.asarray([1, 2]))
        Tensor([[1, 2]])
    """
    return _atleast(2, arrays)


def atleast_3d(*arrays: ArrayLike) -> Any:
    """Return each array with at least three axes; a tuple for several.

    A vector becomes shape (1, n, 1), a matrix (m, n, 1), as in NumPy.

    Example:
        >>> import lucid
        >>> lucid.atleast_3d(lucid.asarray([1, 2])).shape
        (1, 2, 1)
    """
    return _atleast(3, arrays)


_RAISED = {
    1: lambda s: s or (1,),
    2: lambda s: (1,) * (2 - len(s)) + s,
    3: lambda s: (1, *s, 1)[-3:] if len(s) == 1 else s + (1,) * (3 - len(s)),
}


def _atleast(ndim: int, arrays: Sequence[ArrayLike]) -> Any:
    found = [as_tensor(f"atleast_{ndim}d", x, view=True) for x in arrays]
    out = tuple(_reshape(t, (_RAISED[ndim](t.shape),)) for t in found)
    return out[0] if len(out) == 1 else out


# -- broadcasting ----------------------------------------------------------------------------------


def broadcast_to(x: ArrayLike, /, shape: int | Sequence[int]) -> Tensor:
    """Repeat an array along axes of length 1 and new leading axes, without a copy.

    Args:
        x: any shape and dtype.
        shape: the shape of the result, with which that of `x` must be compatible.

    Returns:
        A Tensor of that shape.

    Raises:
        ShapeError: if `x` does not broadcast to it.

    Example:
        >>> import lucid
        >>> lucid.broadcast_to(lucid.asarray([1, 2]), (2, 2))
        Tensor([[1, 2], [1, 2]])
    """
    t = as_tensor("broadcast_to", x, view=True)
    target = lengths("broadcast_to", shape)
    extra = len(target) - t.ndim
    if extra < 0 or any(n not in (1, m) for n, m in zip(t.shape, target[extra:], strict=True)):
        got, hint = f"shape {t.shape} for {target}", "only axes of length 1 are repeated"
        raise ShapeError(message("broadcast_to", "a shape that broadcasts", got, hint))
    return t if t.shape == target else _broadcast(t, (target,))


def _broadcast_impl(x: Any, shape: tuple[int, ...]) -> Any:
    """Do what ``np.broadcast_to`` does, of a contiguous array in a third of the time."""
    if not x.flags.c_contiguous:
        return np.broadcast_to(x, shape)
    strides = [0] * (len(shape) - x.ndim)
    for n, m, step in zip(x.shape, shape[len(strides) :], x.strides, strict=True):
        strides.append(step if n == m else 0)
    out = np.ndarray(shape, x.dtype, x, 0, strides)
    out.flags.writeable = False
    return out


def _batch_broadcast(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    size, *rest = x.shape
    aligned = (size, *(1,) * (len(shape) - len(rest)), *rest)
    return _broadcast(_reshape(x, (aligned,)), ((size, *shape),))


_broadcast = direct(
    linear(
        "broadcast_to",
        _broadcast_impl,
        transpose=lambda ct, x, shape: unbroadcast(ct, x.shape),
        batch=_batch_broadcast,
        view=True,
    )
)


def broadcast_shapes(*shapes: int | Sequence[int]) -> tuple[int, ...]:
    """Return the shape that arrays of these shapes broadcast to.

    Raises:
        ShapeError: if they do not.

    Example:
        >>> import lucid
        >>> lucid.broadcast_shapes((3, 1), (2,))
        (3, 2)
    """
    found = [lengths("broadcast_shapes", s) for s in shapes]
    try:
        return np.broadcast_shapes(*found)
    except ValueError:
        got = " and ".join(map(str, found))
        expected = "shapes that broadcast together"
        raise ShapeError(message("broadcast_shapes", expected, got)) from None


def broadcast_arrays(*arrays: ArrayLike) -> tuple[Tensor, ...]:
    """Broadcast arrays against each other.

    Args:
        arrays: any shapes that broadcast together, any dtypes.

    Returns:
        A tuple of Tensors of one shape, each with the dtype it had.

    Raises:
        ShapeError: if the shapes do not broadcast.

    Example:
        >>> import lucid
        >>> [t.shape for t in lucid.broadcast_arrays(lucid.zeros((3, 1)), lucid.zeros(2))]
        [(3, 2), (3, 2)]
    """
    found = [as_tensor("broadcast_arrays", x, view=True) for x in arrays]
    shape = broadcast_shapes(*(t.shape for t in found))
    return tuple(broadcast_to(t, shape) for t in found)


# -- methods ---------------------------------------------------------------------------------------


def _reshape_method(self: Tensor, *shape: Any, copy: bool | None = None) -> Tensor:
    """Give the array another shape; ``x.reshape(2, 3)`` or ``x.reshape((2, 3))``."""
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        (shape,) = shape
    return reshape(self, shape, copy=copy)


install(
    {
        "reshape": _reshape_method,
        "ravel": ravel,
        "flatten": ravel,
        "squeeze": squeeze,
    }
)
