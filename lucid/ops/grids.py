"""Grids and triangles: evenly spaced numbers, coordinates, and parts of matrices."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any, cast

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.define import linear
from lucid.core.dispatch import PYTHON
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, wrap
from lucid.errors import DTypeError, OperandError, ShapeError, message
from lucid.ops.axes import as_tensor
from lucid.ops.creation import asarray, target_dtype
from lucid.ops.datatypes import astype, finfo, result_type
from lucid.ops.shape import broadcast_to, lengths, reshape

__all__ = ["arange", "eye", "linspace", "meshgrid", "tril", "triu"]


def _number(name: str, value: Any) -> Any:
    """Return a 0-d argument as a Python number."""
    return value if type(value) in PYTHON else as_tensor(name, value).item()


def arange(
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: str | None = None,
) -> Tensor:
    """Return evenly spaced numbers: start, start + step, ..., less than stop.

    Args:
        start: the first number; with no `stop` it is the end, and the first number is 0.
        stop: the end, not included.
        step: the distance, which may be negative.
        dtype: by default int64 for integers, otherwise ``lucid.get_default_dtype()``.
        device: None or "cpu".

    Raises:
        OperandError: if `step` is 0.
        DTypeError: if `dtype` is boolean or complex.

    Example:
        >>> import lucid
        >>> lucid.arange(2, 8, 3)
        Tensor([2, 5])
    """
    if stop is None:
        start, stop = 0, start
    start, stop, step = [_number("arange", v) for v in (start, stop, step)]
    if step == 0:
        raise OperandError(message("arange", "a step other than 0", "0"))
    whole = all(isinstance(v, int) for v in (start, stop, step))
    target = target_dtype("arange", dtype, device, np.int64 if whole else None)
    if target.kind not in "iuf":
        raise DTypeError(message("arange", "an integer or floating dtype", str(target)))
    if (stop - start) / step <= 0:
        return wrap(np.zeros(0, target), None)
    return wrap(np.arange(start, stop, step, dtype=target), None)


def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    /,
    num: int = 50,
    *,
    dtype: Any = None,
    device: str | None = None,
    endpoint: bool = True,
) -> Tensor:
    """Return `num` evenly spaced numbers from start to stop.

    Number i is (1 - w)·start + w·stop with w = i / (num - 1), or i / num without the endpoint.

    Args:
        start: the first number; a Tensor keeps its derivative, and its axes follow the new one.
        stop: the last number, or the first one behind the end without `endpoint`.
        num: how many.
        dtype: by default floating or complex as precise as `start` and `stop`.
        device: None or "cpu".
        endpoint: whether `stop` is included.

    Raises:
        ShapeError: if `num` is negative.

    Example:
        >>> import lucid
        >>> lucid.linspace(0, 1, 5)
        Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    (num,) = lengths("linspace", num)
    common = result_type(start, stop)
    if common.kind not in "fc":
        common = get_default_dtype()
    target = target_dtype("linspace", dtype, device, common)
    if type(start) in PYTHON and type(stop) in PYTHON:
        space = cast("Any", np.linspace)
        return wrap(space(start, stop, num, endpoint=endpoint, dtype=target), None)
    a, b = asarray(start, dtype=common), asarray(stop, dtype=common)
    w = np.linspace(0, 1, num, endpoint=endpoint, dtype=finfo(common).dtype)
    w = w.reshape(num, *(1,) * max(a.ndim, b.ndim))
    return astype(a * (1 - w) + b * w, target)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: str | None = None,
) -> Tensor:
    """Return a matrix with ones on a diagonal and zeros elsewhere.

    Args:
        n_rows: number of rows.
        n_cols: number of columns; by default as many.
        k: which diagonal: positive above, negative below the main one.
        dtype: by default ``lucid.get_default_dtype()``.
        device: None or "cpu".

    Example:
        >>> import lucid
        >>> lucid.eye(2)
        Tensor([[1., 0.], [0., 1.]])
    """
    rows, cols = lengths("eye", (n_rows, n_rows if n_cols is None else n_cols))
    return wrap(np.eye(rows, cols, index(k), target_dtype("eye", dtype, device)), None)


def meshgrid(*arrays: ArrayLike, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Return coordinates on a grid: array i repeated along the axes of all the others.

    Args:
        arrays: coordinates along each axis, vectors or numbers.
        indexing: "ij" gives array i axis i; "xy" exchanges the first two axes, as in pictures.

    Returns:
        As many Tensors, each with one axis per array.

    Raises:
        ShapeError: if an array has more than one axis.
        OperandError: if `indexing` is neither "xy" nor "ij".

    Example:
        >>> import lucid
        >>> x, y = lucid.meshgrid(lucid.asarray([1, 2]), lucid.asarray([3, 4, 5]), indexing="ij")
        >>> x
        Tensor([[1, 1, 1], [2, 2, 2]])
    """
    if indexing not in ("xy", "ij"):
        raise OperandError(message("meshgrid", 'indexing "xy" or "ij"', repr(indexing)))
    found = [as_tensor("meshgrid", a, view=True) for a in arrays]
    for t in found:
        if t.ndim > 1:
            raise ShapeError(message("meshgrid", "vectors", f"shape {t.shape}"))
    places = list(range(len(found)))
    if indexing == "xy" and len(found) > 1:
        places[:2] = 1, 0
    whole = [0] * len(found)
    for place, t in zip(places, found, strict=True):
        whole[place] = t.size
    return tuple(
        broadcast_to(reshape(t, [t.size if k == p else 1 for k in range(len(found))]), whole)
        for p, t in zip(places, found, strict=True)
    )


# -- triangles -------------------------------------------------------------------------------------


def tril(x: ArrayLike, /, k: int = 0) -> Tensor:
    """Return the lower triangle of each matrix, with zeros above it.

    Args:
        x: (..., m, n), any dtype.
        k: the last diagonal to keep: positive above, negative below the main one.

    Returns:
        A Tensor of the shape of `x`.

    Raises:
        ShapeError: if `x` has fewer than two axes.

    Example:
        >>> import lucid
        >>> lucid.tril(lucid.asarray([[1, 2], [3, 4]]))
        Tensor([[1, 0], [3, 4]])
    """
    return _tril(_matrices("tril", x), (index(k),))


def triu(x: ArrayLike, /, k: int = 0) -> Tensor:
    """Return the upper triangle of each matrix, with zeros below it.

    Args:
        x: (..., m, n), any dtype.
        k: the first diagonal to keep: positive above, negative below the main one.

    Returns:
        A Tensor of the shape of `x`.

    Raises:
        ShapeError: if `x` has fewer than two axes.

    Example:
        >>> import lucid
        >>> lucid.triu(lucid.asarray([[1, 2], [3, 4]]))
        Tensor([[1, 2], [0, 4]])
    """
    return _triu(_matrices("triu", x), (index(k),))


def _matrices(name: str, x: Any) -> Tensor:
    t = as_tensor(name, x)
    if t.ndim < 2:
        raise ShapeError(message(name, "an array with two axes or more", f"shape {t.shape}"))
    return t


def _triangle(name: str, impl: Callable[..., Any]) -> Callable[..., Any]:
    """Register one of the two: a projection, which is its own adjoint."""
    call: Any = direct(
        linear(
            name,
            impl,
            transpose=lambda ct, x, k: call(ct, (k,)),
            batch=lambda x, k: call(x, (k,)),
            selects=True,
        )
    )
    return call


_tril = _triangle("tril", np.tril)
_triu = _triangle("triu", np.triu)
