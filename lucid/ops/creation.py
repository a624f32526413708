"""Creation: arrays out of data, and out of shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.dispatch import PYTHON, apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, aval, install, wrap
from lucid.dtypes import check_numeric, python_dtype
from lucid.errors import DTypeError, OperandError, message
from lucid.ops.axes import as_tensor
from lucid.ops.datatypes import astype, check_device, numeric_dtype
from lucid.ops.shape import broadcast_to, lengths

__all__ = [
    "asarray",
    "empty",
    "empty_like",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def target_dtype(name: str, dtype: Any, device: Any, default: Any = None) -> np.dtype[Any]:
    """Check the arguments that all these functions share; return the dtype of the result."""
    check_device(name, device)
    if dtype is not None:
        return numeric_dtype(name, dtype)
    return get_default_dtype() if default is None else np.dtype(default)


# -- out of data -----------------------------------------------------------------------------------


def asarray(
    obj: Any,
    /,
    *,
    dtype: Any = None,
    device: str | None = None,
    copy: bool | None = None,
) -> Tensor:
    """Convert numbers, nested lists of them, arrays and Tensors to a Tensor.

    An array is copied, so that later writes to it do not reach the Tensor. A Tensor, which cannot
    be written to, is returned as it is where its dtype fits.

    Args:
        obj: the data; lists may hold Tensors, whose derivatives are kept.
        dtype: the dtype of the result; by default that of an array, and for Python numbers int64,
            ``lucid.get_default_dtype()`` or its complex companion.
        device: None or "cpu".
        copy: False to share the memory of an array and to raise where that is impossible; True to
            copy Tensors as well.

    Returns:
        A Tensor with the data.

    Raises:
        OperandError: if the data is not numeric, or nested irregularly, or would have to be copied
            under ``copy=False``.
        DTypeError: if `dtype` is not numeric, or real where the data is complex.

    Example:
        >>> import lucid
        >>> lucid.asarray([[1, 2], [3, 4]], dtype=lucid.float64)
        Tensor([[1., 2.], [3., 4.]])
    """
    check_device("asarray", device)
    target = None if dtype is None else numeric_dtype("asarray", dtype)
    if isinstance(obj, Tensor):
        t = as_tensor("asarray", obj)
        if target is not None and aval(t).dtype != target:
            return _unless(copy is False, astype(t, target), "a Tensor of that dtype", t.dtype)
        if copy or aval(t).weak:
            return apply(OPS["astype"], (t,), (t.dtype,))
        return t
    if isinstance(obj, np.ndarray | np.generic):
        if isinstance(obj, np.ma.MaskedArray):
            hint = "fill it with .filled(value)"
            raise OperandError(message("asarray", "an array without a mask", "one with", hint))
        _check_real("asarray", obj.dtype, target)
        if copy is False:
            return _share(obj, target)
    else:
        _unless(copy is False, None, "an array or Tensor, whose memory it can share", type(obj))
    return Tensor(obj, dtype=target)


def _unless(refuse: bool, result: Any, expected: str, got: Any) -> Any:
    if refuse:
        hint = "leave out copy=False"
        raise OperandError(message("asarray", f"{expected} with copy=False", str(got), hint))
    return result


def _check_real(name: str, dtype: np.dtype[Any], target: np.dtype[Any] | None) -> None:
    if target is not None and dtype.kind == "c" and target.kind not in "cb":
        hint = "take .real, .imag or abs() first"
        raise DTypeError(message(name, f"real data for {target}", str(dtype), hint))


def _share(obj: Any, target: np.dtype[Any] | None) -> Tensor:
    check_numeric("asarray", obj.dtype)
    same = isinstance(obj, np.ndarray) and target in (None, obj.dtype)
    _unless(not same, None, "an array of that dtype", obj.dtype)
    return wrap(np.asarray(obj), None)


# -- out of shapes ---------------------------------------------------------------------------------


def zeros(shape: int | Sequence[int], *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Return an array of zeros.

    Args:
        shape: lengths of the axes.
        dtype: by default ``lucid.get_default_dtype()``.
        device: None or "cpu".

    Example:
        >>> import lucid
        >>> lucid.zeros(2)
        Tensor([0., 0.])
    """
    return wrap(np.zeros(lengths("zeros", shape), target_dtype("zeros", dtype, device)), None)


def ones(shape: int | Sequence[int], *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Return an array of ones.

    Args:
        shape: lengths of the axes.
        dtype: by default ``lucid.get_default_dtype()``.
        device: None or "cpu".

    Example:
        >>> import lucid
        >>> lucid.ones((1, 2), dtype=lucid.int64)
        Tensor([[1, 1]])
    """
    return wrap(np.ones(lengths("ones", shape), target_dtype("ones", dtype, device)), None)


def empty(shape: int | Sequence[int], *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Return an array of zeros: what is in fresh memory would be of no use in an immutable array.

    Args:
        shape: lengths of the axes.
        dtype: by default ``lucid.get_default_dtype()``.
        device: None or "cpu".

    Example:
        >>> import lucid
        >>> lucid.empty((2, 3)).shape
        (2, 3)
    """
    return wrap(np.zeros(lengths("empty", shape), target_dtype("empty", dtype, device)), None)


def full(
    shape: int | Sequence[int],
    fill_value: ArrayLike,
    *,
    dtype: Any = None,
    device: str | None = None,
) -> Tensor:
    """Return an array filled with one value.

    Args:
        shape: lengths of the axes.
        fill_value: a number, or an array that broadcasts to `shape`; a Tensor keeps its derivative.
        dtype: by default that of the value, as `asarray` gives it.
        device: None or "cpu".

    Raises:
        OverflowedError: if a Python integer does not fit the dtype.
        DTypeError: if the value is complex and `dtype` is real.

    Example:
        >>> import lucid
        >>> lucid.full(2, 7)
        Tensor([7, 7])
    """
    check_device("full", device)
    if type(fill_value) in PYTHON:
        target = python_dtype(fill_value) if dtype is None else numeric_dtype("full", dtype)
        _check_real("full", python_dtype(fill_value), target)
        fill_value = asarray(fill_value, dtype=target)
    t = broadcast_to(asarray(fill_value, dtype=dtype), lengths("full", shape))
    return t if t._note is not None else wrap(t._value.copy(), None)


def _like(name: str, x: Any, dtype: Any, device: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    t = as_tensor(name, x)
    return t.shape, target_dtype(name, dtype, device, t.dtype)


def zeros_like(x: ArrayLike, /, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Return zeros of the shape, and by default the dtype, of `x`.

    Example:
        >>> import lucid
        >>> lucid.zeros_like(lucid.asarray([1, 2]))
        Tensor([0, 0])
    """
    return wrap(np.zeros(*_like("zeros_like", x, dtype, device)), None)


def ones_like(x: ArrayLike, /, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Return ones of the shape, and by default the dtype, of `x`.

    Example:
        >>> import lucid
        >>> lucid.ones_like(lucid.asarray([3.0, 2.0]))
        Tensor([1., 1.])
    """
    return wrap(np.ones(*_like("ones_like", x, dtype, device)), None)


def empty_like(x: ArrayLike, /, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Return zeros of the shape, and by default the dtype, of `x`; see `empty`.

    Example:
        >>> import lucid
        >>> lucid.empty_like(lucid.asarray([1, 2])).dtype
        dtype('int64')
    """
    return wrap(np.zeros(*_like("empty_like", x, dtype, device)), None)


def full_like(
    x: ArrayLike,
    /,
    fill_value: ArrayLike,
    *,
    dtype: Any = None,
    device: str | None = None,
) -> Tensor:
    """Return an array of the shape, and by default the dtype, of `x`, filled with one value.

    Example:
        >>> import lucid
        >>> lucid.full_like(lucid.asarray([1.0, 2.0]), 7)
        Tensor([7., 7.])
    """
    shape, target = _like("full_like", x, dtype, device)
    return full(shape, fill_value, dtype=target)


def _copy(self: Tensor) -> Tensor:
    """Return a Tensor with memory of its own."""
    return asarray(self, copy=True)


install({"copy": _copy})
