"""Joining: arrays put one behind the other, and taken apart again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import index
from typing import Any

import numpy as np

from lucid.core.cotangent import fit, fit_raw, spread, zeros_like
from lucid.core.define import general, move_batch_first
from lucid.core.dispatch import apply, bind
from lucid.core.fastpath import several
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, install
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensor, axis_of, slice_axis
from lucid.ops.creation import asarray
from lucid.ops.datatypes import result_type
from lucid.ops.shape import atleast_1d, atleast_2d, ravel

__all__ = [
    "array_split",
    "column_stack",
    "concat",
    "concatenate",
    "hstack",
    "split",
    "stack",
    "unstack",
    "vstack",
]


def _several(name: str, arrays: Any) -> list[Any]:
    """Return a sequence of arrays as a list of operands, at least one."""
    if isinstance(arrays, Tensor | np.ndarray):
        arrays = list(as_tensor(name, arrays, view=True))
    if not isinstance(arrays, tuple | list) or not arrays:
        got = "none" if isinstance(arrays, tuple | list) else type(arrays).__name__
        raise OperandError(message(name, "a tuple or list of arrays", got))
    return list(arrays)


def _promote(kinds: Sequence[Aval]) -> np.dtype[Any]:
    return np.result_type(*(k.dtype.type(0).item() if k.weak else k.dtype for k in kinds))


# -- concat ----------------------------------------------------------------------------------------


def concat(arrays: Sequence[ArrayLike], /, axis: int | None = 0) -> Tensor:
    """Join arrays along an axis that they have.

    Args:
        arrays: at least one; their shapes agree except along the axis.
        axis: the axis to join along; None puts the elements of each array on one axis first.

    Returns:
        A Tensor of the promoted dtype.

    Raises:
        ShapeError: if the other axes differ, or an array has no axis.

    Example:
        >>> import lucid
        >>> lucid.concat([lucid.asarray([1, 2]), lucid.asarray([3])])
        Tensor([1, 2, 3])
    """
    found = _several("concat", arrays)
    if axis is None:
        found, axis = [ravel(x) for x in found], 0
    shapes = [np.shape(x) if not isinstance(x, Tensor) else x.shape for x in found]
    a = axis_of("concat", axis, len(shapes[0]))
    front, back = shapes[0][:a], shapes[0][a + 1 :]
    ndim = len(shapes[0])
    if any(len(s) != ndim or s[:a] != front or s[a + 1 :] != back for s in shapes):
        want = f"arrays whose shapes agree except at axis {a}"
        raise ShapeError(message("concat", want, " and ".join(map(str, shapes))))
    return _concat_call(tuple(found), (a,))


concatenate = concat


def _concat_infer(*args: Any) -> Aval:
    *arrays, axis = args
    shape = arrays[0].shape
    length = sum(x.shape[axis] for x in arrays)
    return Aval((*shape[:axis], length, *shape[axis + 1 :]), _promote(arrays))


def _concat_jvp(ans: Tensor, tangents: Any, args: Any, axis: int) -> Any:
    parts = [zeros_like(x) if t is None else t for t, x in zip(tangents, args, strict=True)]
    return spread(apply(_concat, tuple(parts), (axis,)), ans)


def _part(whole: Tensor, i: int, args: Sequence[Tensor], axis: int) -> Tensor:
    """Return the part of a joined array that came from operand i."""
    start = sum(x.shape[axis] for x in args[:i])
    return slice_axis(whole, axis, start, start + args[i].shape[axis])


def _concat_vjp(ct: Tensor, needs: Any, ans: Tensor, args: Any, axis: int) -> Any:
    return tuple(
        fit(_part(ct, i, args, axis), x) if need else None
        for i, (x, need) in enumerate(zip(args, needs, strict=True))
    )


def _concat_raw(ct: Any, needs: Any, ans: Any, arrays: Any, axis: int) -> Any:
    parts: list[Any] = []
    before, start = (slice(None),) * axis, 0
    for x, need in zip(arrays, needs, strict=True):
        stop = start + x.shape[axis]
        parts.append(fit_raw(ct[(*before, slice(start, stop))], x) if need else None)
        start = stop
    return parts


_concat = general(
    "concat",
    lambda *args: np.concatenate(args[:-1], axis=args[-1]),
    infer=_concat_infer,
    jvp=_concat_jvp,
    vjp=_concat_vjp,
    batch=lambda size, batched, args, axis: apply(
        _concat, tuple(move_batch_first(size, batched, args)), (axis + 1,)
    ),
    live=lambda mask, i, ans, args, axis: _part(mask, i, args, axis),
)
_concat.raw = (_concat_raw,)
_concat_call = several(_concat)


# -- stack -----------------------------------------------------------------------------------------


def stack(arrays: Sequence[ArrayLike], /, axis: int = 0) -> Tensor:
    """Join arrays along a new axis.

    Args:
        arrays: at least one, of one shape.
        axis: where the new axis is found in the result.

    Returns:
        A Tensor of the promoted dtype, with one axis more.

    Raises:
        ShapeError: if the shapes differ.

    Example:
        >>> import lucid
        >>> lucid.stack([lucid.asarray([1, 2]), lucid.asarray([3, 4])])
        Tensor([[1, 2], [3, 4]])
    """
    found = _several("stack", arrays)
    shapes = [np.shape(x) if not isinstance(x, Tensor) else x.shape for x in found]
    if len(set(shapes)) > 1:
        got = " and ".join(map(str, dict.fromkeys(shapes)))
        raise ShapeError(message("stack", "arrays of one shape", got))
    return bind(_stack, tuple(found), (axis_of("stack", axis, len(shapes[0]) + 1),))


def _stack_impl(*args: Any) -> Any:
    *arrays, axis = args
    if any(type(x) is not np.ndarray for x in arrays):  # numbers are weak among arrays
        dtype = np.result_type(*arrays)
        arrays = [np.asarray(x, dtype) for x in arrays]
    return np.stack(arrays, axis)


def _stack_infer(*args: Any) -> Aval:
    *arrays, axis = args
    shape = arrays[0].shape
    return Aval((*shape[:axis], len(arrays), *shape[axis:]), _promote(arrays))


def _stack_jvp(ans: Tensor, tangents: Any, args: Any, axis: int) -> Any:
    parts = [zeros_like(x) if t is None else t for t, x in zip(tangents, args, strict=True)]
    return spread(apply(_stack, tuple(parts), (axis,)), ans)


def _row(whole: Tensor, i: int, axis: int) -> Tensor:
    return whole[(slice(None),) * axis + (i,)]


_stack = general(
    "stack",
    _stack_impl,
    infer=_stack_infer,
    jvp=_stack_jvp,
    vjp=lambda ct, needs, ans, args, axis: tuple(
        fit(_row(ct, i, axis), x) if need else None
        for i, (x, need) in enumerate(zip(args, needs, strict=True))
    ),
    batch=lambda size, batched, args, axis: apply(
        _stack, tuple(_lift_batch(size, batched, args)), (axis + 1,)
    ),
    live=lambda mask, i, ans, args, axis: _row(mask, i, axis),
)


def _lift_batch(size: int, batched: Sequence[bool], args: Sequence[Any]) -> list[Tensor]:
    dtype = result_type(*args)
    return move_batch_first(size, batched, [asarray(a, dtype=dtype) for a in args])


def column_stack(arrays: Sequence[ArrayLike], /) -> Tensor:
    """Join vectors and matrices as columns of one matrix.

    Example:
        >>> import lucid
        >>> lucid.column_stack([lucid.asarray([1, 2]), lucid.asarray([3, 4])])
        Tensor([[1, 3], [2, 4]])
    """
    found = [as_tensor("column_stack", x) for x in _several("column_stack", arrays)]
    return concat([x if x.ndim > 1 else atleast_2d(x).T for x in found], axis=1)


def hstack(arrays: Sequence[ArrayLike], /) -> Tensor:
    """Join arrays side by side: along the second axis, vectors along their only one.

    Example:
        >>> import lucid
        >>> lucid.hstack([lucid.asarray([1, 2]), lucid.asarray([3])])
        Tensor([1, 2, 3])
    """
    found = [atleast_1d(x) for x in _several("hstack", arrays)]
    return concat(found, axis=0 if found[0].ndim == 1 else 1)


def vstack(arrays: Sequence[ArrayLike], /) -> Tensor:
    """Join arrays one above the other: along the first axis, vectors as rows.

    Example:
        >>> import lucid
        >>> lucid.vstack([lucid.asarray([1, 2]), lucid.asarray([3, 4])])
        Tensor([[1, 2], [3, 4]])
    """
    return concat([atleast_2d(x) for x in _several("vstack", arrays)], axis=0)


# -- taken apart -----------------------------------------------------------------------------------


def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the arrays that lie one behind the other along an axis.

    Args:
        x: at least one axis, any dtype.
        axis: the axis, which the results do not have.

    Returns:
        A tuple of as many Tensors as the axis is long.

    Example:
        >>> import lucid
        >>> lucid.unstack(lucid.asarray([[1, 2], [3, 4]]))
        (Tensor([1, 2]), Tensor([3, 4]))
    """
    t = as_tensor("unstack", x, view=True)
    a = axis_of("unstack", axis, t.ndim)
    return tuple(_row(t, i, a) for i in range(t.shape[a]))


def split(
    x: ArrayLike, indices_or_sections: int | Sequence[int], /, axis: int = 0
) -> tuple[Tensor, ...]:
    """Cut an array into pieces along an axis.

    Args:
        x: at least one axis, any dtype.
        indices_or_sections: into how many pieces of equal length; or the places to cut.
        axis: the axis.

    Returns:
        A tuple of Tensors.

    Raises:
        ShapeError: if the axis cannot be divided into pieces of equal length.

    Example:
        >>> import lucid
        >>> lucid.split(lucid.asarray([1, 2, 3, 4]), [1])
        (Tensor([1]), Tensor([2, 3, 4]))
    """
    t = as_tensor("split", x, view=True)
    a = axis_of("split", axis, t.ndim)
    if hasattr(indices_or_sections, "__index__"):
        count = index(indices_or_sections)  # type: ignore[arg-type]
        if count < 1 or t.shape[a] % count:
            hint = "lucid.array_split makes pieces of unequal length"
            want = f"a length that {count} divides at axis {a}"
            raise ShapeError(message("split", want, f"shape {t.shape}", hint))
    return array_split(t, indices_or_sections, axis=a)


def array_split(
    x: ArrayLike, indices_or_sections: int | Sequence[int], /, axis: int = 0
) -> tuple[Tensor, ...]:
    """Cut an array into pieces along an axis, the first ones longer by one where need be.

    Args:
        x: at least one axis, any dtype.
        indices_or_sections: into how many pieces; or the places to cut.
        axis: the axis.

    Returns:
        A tuple of Tensors.

    Raises:
        ShapeError: if the number of pieces is less than 1.

    Example:
        >>> import lucid
        >>> lucid.array_split(lucid.asarray([1, 2, 3]), 2)
        (Tensor([1, 2]), Tensor([3]))
    """
    t = as_tensor("array_split", x, view=True)
    a = axis_of("array_split", axis, t.ndim)
    n = t.shape[a]
    if hasattr(indices_or_sections, "__index__"):
        count = index(indices_or_sections)  # type: ignore[arg-type]
        if count < 1:
            raise ShapeError(message("array_split", "1 piece or more", str(count)))
        cuts = [k * (n // count) + min(k, n % count) for k in range(count + 1)]
    else:
        cuts = [0, *map(index, indices_or_sections), n]  # type: ignore[arg-type]
    return tuple(slice_axis(t, a, i, j) for i, j in pairwise(cuts))


install({"hook:stack": stack})
