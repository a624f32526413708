"""Axis arguments: checked, and turned into the non-negative ones that operations take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from lucid.core.dispatch import apply, lift
from lucid.core.op import OPS
from lucid.core.reductions import keep_axes
from lucid.core.tensor import Tensor
from lucid.dtypes import check_numeric, python_dtype
from lucid.errors import DTypeError, IndexOutOfBoundsError, OperandError, ShapeError, message

__all__ = [
    "as_tensor",
    "as_tensors",
    "axes_of",
    "axis_of",
    "dtype_of",
    "fold_axes",
    "keep_axes",
    "known",
    "real_dtype",
    "slice_axis",
    "unfold_axes",
]

_EVERY = tuple(tuple(range(n)) for n in range(65))  # NumPy's arrays have at most 64 axes


def as_tensor(name: str, x: Any, view: bool = False) -> Tensor:
    """Return an operand as the user gave it as a Tensor, or raise in the name of an operation.

    An array is copied where the result will be a `view` of it.
    """
    return x if type(x) is Tensor else as_tensors(name, (x,), view)[0]


def as_tensors(name: str, operands: Sequence[Any], view: bool = False) -> list[Tensor]:
    """Return operands as Tensors; together, as what is watched decides over what is copied.

    A Python number takes the dtype that it would have among the others.
    """
    lifted = lift(name, operands, view)
    numbers = [x for x in lifted if not isinstance(x, Tensor)]
    if not numbers:
        return list(lifted)
    dtypes = [x.dtype for x in lifted if isinstance(x, Tensor)] or [
        python_dtype(x) for x in numbers
    ]
    dtype = np.result_type(*dtypes, *numbers)
    return [x if isinstance(x, Tensor) else Tensor(x, dtype=dtype) for x in lifted]


def dtype_of(name: str, dtype: Any) -> np.dtype[Any] | None:
    """Return what the user gave as `dtype=`, checked."""
    if dtype is None:
        return None
    try:
        given = np.dtype(dtype)
    except TypeError:
        raise DTypeError(message(name, "a dtype such as lucid.float32", repr(dtype))) from None
    check_numeric(name, given)
    return given


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the floating dtype as precise as this one; float64 for integers and booleans."""
    if dtype.kind == "c":
        return np.dtype(np.float32 if dtype == np.complex64 else np.float64)
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def axis_of(name: str, axis: Any, ndim: int) -> int:
    """Return one axis counted from the front."""
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise OperandError(message(name, "an integer as axis", repr(axis)))
    k = index(axis)
    if not -ndim <= k < ndim:
        want = f"an axis from {-ndim} to {ndim - 1}" if ndim else "no axis, as a 0-d array has none"
        raise IndexOutOfBoundsError(message(name, want, f"axis={axis}"))
    return k % ndim


def axes_of(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Return several axes counted from the front: all of them for None."""
    if axis is None:
        return _EVERY[ndim]
    if not isinstance(axis, tuple | list):
        return (axis_of(name, axis, ndim),)
    axes = tuple(axis_of(name, a, ndim) for a in axis)
    if len(set(axes)) != len(axes):
        raise ShapeError(message(name, "each axis once", f"axis={tuple(axis)}"))
    return axes


def fold_axes(x: Tensor, axes: Sequence[int]) -> Tensor:
    """Move axes to the end and merge them into one."""
    kept = [i for i in range(x.ndim) if i not in axes]
    shape = (*(x.shape[i] for i in kept), math.prod(x.shape[i] for i in axes))
    order = (*kept, *axes)
    if order != _EVERY[x.ndim]:
        x = apply(OPS["permute_dims"], (x,), (order,))
    return x if x.shape == shape else apply(OPS["reshape"], (x,), (shape,))


def unfold_axes(x: Tensor, axes: Sequence[int], shape: Sequence[int]) -> Tensor:
    """Undo `fold_axes` on a Tensor that had this shape."""
    kept = [i for i in range(len(shape)) if i not in axes]
    order = (*kept, *axes)
    whole = tuple(shape[i] for i in order)
    if x.shape != whole:
        x = apply(OPS["reshape"], (x,), (whole,))
    if order == _EVERY[len(shape)]:
        return x
    return apply(OPS["permute_dims"], (x,), (tuple(order.index(i) for i in range(len(order))),))


def slice_axis(x: Tensor, axis: int, start: int | None, stop: int | None) -> Tensor:
    """Return ``x[start:stop]`` along one axis."""
    return x[(slice(None),) * axis + (slice(start, stop),)]


def known(t: Tensor) -> np.ndarray[Any, Any] | None:
    """Return the number behind a Tensor, or None where it stands for many values."""
    value: Any = t
    while isinstance(value, Tensor):
        if value._note is not None and value._note.frame.abstract:
            return None
        value = value._value
    return np.asarray(value)
