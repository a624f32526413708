"""Arrangement: elements repeated, surrounded, or read along a diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, concrete, install, wrap
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensor, axis_of
from lucid.ops.creation import asarray
from lucid.ops.datatypes import cast_into
from lucid.ops.shape import broadcast_to, lengths, reshape

__all__ = ["diag", "diagonal", "pad", "repeat", "tile"]


# -- repeated --------------------------------------------------------------------------------------


def tile(x: ArrayLike, repetitions: int | Sequence[int], /) -> Tensor:
    """Put copies of a whole array side by side.

    Args:
        x: any shape and dtype.
        repetitions: how many copies along each axis; the shorter of it and the shape of `x` is
            filled up with ones in front.

    Returns:
        A Tensor with axes as many times as long.

    Example:
        >>> import lucid
        >>> lucid.tile(lucid.asarray([1, 2]), (2, 2))
        Tensor([[1, 2, 1, 2], [1, 2, 1, 2]])
    """
    t = as_tensor("tile", x, view=True)
    times = lengths("tile", repetitions)
    ndim = max(t.ndim, len(times))
    times = (1,) * (ndim - len(times)) + times
    shape = (1,) * (ndim - t.ndim) + t.shape
    pairs = list(zip(times, shape, strict=True))
    t = reshape(t, tuple(k for _, n in pairs for k in (1, n)))
    t = broadcast_to(t, tuple(k for pair in pairs for k in pair))
    return reshape(t, tuple(r * n for r, n in pairs))


def repeat(x: ArrayLike, repeats: Any, /, axis: int | None = None) -> Tensor:
    """Repeat each element.

    Args:
        x: any shape and dtype.
        repeats: how many times: an integer, or one for each element along the axis.
        axis: the axis along which to repeat; by default all elements are put on one axis first.

    Returns:
        A Tensor with that axis longer.

    Raises:
        ShapeError: if there are neither one nor as many `repeats` as elements along the axis.
        ConcretizationError: if `repeats` is a Tensor under `vmap` or `jit`, as it decides a shape.

    Example:
        >>> import lucid
        >>> lucid.repeat(lucid.asarray([1, 2]), 2)
        Tensor([1, 1, 2, 2])
    """
    t = as_tensor("repeat", x, view=True)
    if axis is None:
        t = reshape(t, -1)
    a = axis_of("repeat", 0 if axis is None else axis, t.ndim)
    n = t.shape[a]
    times = concrete(asarray(repeats), "repeat")
    if times.dtype.kind not in "iu" or (times < 0).any():
        raise OperandError(message("repeat", "repeats of 0 or more", f"{repeats}"))
    if times.size == 1:
        shape = (*t.shape[: a + 1], int(times.item()), *t.shape[a + 1 :])
        spread = broadcast_to(reshape(t, (*shape[: a + 1], 1, *shape[a + 2 :])), shape)
        return reshape(spread, (*shape[:a], n * shape[a + 1], *shape[a + 2 :]))
    if times.shape != (n,):
        want = f"1 or {n} repeats for axis {a} of shape {t.shape}"
        raise ShapeError(message("repeat", want, f"shape {times.shape}"))
    return _pick(t, np.repeat(np.arange(n), times), a)


def _pick(t: Tensor, places: np.ndarray[Any, Any], axis: int) -> Tensor:
    return apply(OPS["gather"], (t, wrap(places, None)), ((axis,), axis, False))


# -- surrounded ------------------------------------------------------------------------------------


def pad(
    x: ArrayLike,
    pad_width: Any,
    mode: str = "constant",
    *,
    constant_values: ArrayLike = 0,
) -> Tensor:
    """Surround an array with more elements, as NumPy does.

    Args:
        x: any shape and dtype.
        pad_width: how many in front and behind: one pair ``(before, after)`` for each axis, or one
            pair or one integer for all of them.
        mode: "constant"; "edge" repeats the outermost elements; "reflect" mirrors about them,
            "symmetric" about the edge behind them; "wrap" continues at the other end.
        constant_values: what to surround with in mode "constant": a number, or a 0-d Tensor, which
            keeps its derivative.

    Returns:
        A Tensor with longer axes.

    Raises:
        ShapeError: if `pad_width` does not fit the axes, or there is nothing to continue.
        OperandError: for another mode.

    Example:
        >>> import lucid
        >>> lucid.pad(lucid.asarray([1, 2, 3]), (1, 2), "reflect")
        Tensor([2, 1, 2, 3, 2, 1])
    """
    t = as_tensor("pad", x, view=True)
    widths = _widths(pad_width, t.ndim)
    if not any(map(any, widths)):
        return t
    if mode == "constant":
        return _surround(t, widths, constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        want = 'mode "constant", "edge", "reflect", "symmetric" or "wrap"'
        raise OperandError(message("pad", want, repr(mode)))
    for axis, width in enumerate(widths):
        if any(width):
            if not t.shape[axis]:
                got = f"length 0 at axis {axis}"
                raise ShapeError(message("pad", f"elements for mode {mode!r}", got))
            places: Any = np.pad(np.arange(t.shape[axis]), width, mode)  # type: ignore[call-overload]
            t = _pick(t, places, axis)
    return t


def _widths(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    given = np.asarray(pad_width)
    try:
        if given.dtype.kind not in "iu" or (given < 0).any():
            raise ValueError
        pairs = np.broadcast_to(given, (ndim, 2)).tolist()
    except ValueError:
        want = f"an integer, a pair or {ndim} pairs of widths of 0 or more"
        raise ShapeError(message("pad", want, f"{pad_width!r}")) from None
    return tuple((before, after) for before, after in pairs)


def _surround(t: Tensor, widths: Sequence[tuple[int, int]], value: Any) -> Tensor:
    shape = tuple(b + n + a for (b, a), n in zip(widths, t.shape, strict=True))
    key = tuple((b, b + n, None) for (b, _), n in zip(widths, t.shape, strict=True))
    padded = apply(OPS["place"], (t,), (shape, key))
    if not isinstance(value, Tensor) and np.ndim(value) == 0 and value == 0:
        return padded
    inside = np.zeros(shape, bool)
    inside[tuple(slice(*k) for k in key)] = True
    fill = cast_into("pad", value, t.dtype)
    if fill.ndim:
        want = "one number as constant_values"
        raise ShapeError(message("pad", want, f"shape {fill.shape}"))
    return apply(OPS["where"], (wrap(inside, None), padded, fill))


# -- along a diagonal ------------------------------------------------------------------------------


def diagonal(x: ArrayLike, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return a diagonal of each matrix that two axes span, on a new last axis.

    Args:
        x: at least two axes, any dtype.
        offset: which diagonal: positive above, negative below the main one.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Returns:
        A Tensor without the two axes and with one more at the end.

    Raises:
        ShapeError: if the two axes are one.

    Example:
        >>> import lucid
        >>> lucid.diagonal(lucid.asarray([[1, 2], [3, 4]]))
        Tensor([1, 4])
    """
    t = as_tensor("diagonal", x, view=True)
    a, b = axis_of("diagonal", axis1, t.ndim), axis_of("diagonal", axis2, t.ndim)
    if a == b:
        raise ShapeError(message("diagonal", "two different axes", f"{axis1} and {axis2}"))
    return _diagonal(t, (index(offset), a, b))


_diagonal = direct(
    linear(
        "diagonal",
        lambda x, k, a, b: x.diagonal(k, a, b),
        transpose=lambda ct, x, k, a, b: _embed_diagonal(ct, (k, a, b, x.shape)),
        batch=lambda x, k, a, b: _diagonal(x, (k, a + 1, b + 1)),
        view=True,
        selects=True,
    )
)


def _embed(x: Any, k: int, a: int, b: int, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, x.dtype)
    steps = np.arange(x.shape[-1])
    np.moveaxis(out, (a, b), (-2, -1))[..., steps + max(-k, 0), steps + max(k, 0)] = x
    return out


_embed_diagonal = direct(
    linear(
        "embed_diagonal",
        _embed,
        transpose=lambda ct, x, k, a, b, shape: _diagonal(ct, (k, a, b)),
        batch=lambda x, k, a, b, shape: _embed_diagonal(x, (k, a + 1, b + 1, (x.shape[0], *shape))),
    )
)


def diag(x: ArrayLike, /, k: int = 0) -> Tensor:
    """Return the matrix with a vector on a diagonal, or a diagonal of a matrix.

    Args:
        x: a vector or a matrix.
        k: which diagonal: positive above, negative below the main one.

    Raises:
        ShapeError: if `x` has neither one axis nor two.

    Example:
        >>> import lucid
        >>> lucid.diag(lucid.asarray([1, 2]))
        Tensor([[1, 0], [0, 2]])
    """
    t = as_tensor("diag", x, view=True)
    if t.ndim == 2:
        return _diagonal(t, (index(k), 0, 1))
    if t.ndim != 1:
        raise ShapeError(message("diag", "a vector or a matrix", f"shape {t.shape}"))
    n = t.shape[0] + abs(index(k))
    return _embed_diagonal(t, (index(k), 0, 1, (n, n)))


def _diagonal_method(self: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return a diagonal of each matrix that two axes span, on a new last axis."""
    return diagonal(self, offset=offset, axis1=axis1, axis2=axis2)


def _repeat_method(self: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeat each element, `repeats` times."""
    return repeat(self, repeats, axis=axis)


install({"diagonal": _diagonal_method, "repeat": _repeat_method})
