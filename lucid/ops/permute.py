"""Order: of the axes, and of the elements along them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from lucid.core.define import linear
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike, Axis
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, install
from lucid.errors import ShapeError, message
from lucid.ops.axes import as_tensor, axes_of, axis_of
from lucid.ops.shape import reshape

__all__ = [
    "flip",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "roll",
    "swapaxes",
    "transpose",
]


# -- the order of axes -----------------------------------------------------------------------------


def permute_dims(x: ArrayLike, /, axes: Sequence[int]) -> Tensor:
    """Reorder the axes: axis i of the result is axis ``axes[i]`` of `x`.

    Args:
        x: any shape and dtype.
        axes: each axis of `x` once.

    Returns:
        A Tensor with the same elements.

    Raises:
        ShapeError: if an axis is missing or named twice.

    Example:
        >>> import lucid
        >>> lucid.permute_dims(lucid.zeros((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    t = as_tensor("permute_dims", x, view=True)
    order = axes_of("permute_dims", axes, t.ndim)
    if len(order) != t.ndim:
        want = f"{t.ndim} axes for shape {t.shape}"
        raise ShapeError(message("permute_dims", want, f"axes={axes}"))
    return _permute(t, (order,))


_permute = direct(
    linear(
        "permute_dims",
        lambda x, axes: x.transpose(axes),
        transpose=lambda ct, x, axes: _permute(ct, (_inverse(axes),)),
        batch=lambda x, axes: _permute(x, ((0, *(a + 1 for a in axes)),)),
        view=True,
    )
)
OPS["permute_dims"].raw = (lambda ct, ans, x, axes: ct.transpose(_inverse(axes)),)


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    order = [0] * len(axes)
    for i, a in enumerate(axes):
        order[a] = i
    return tuple(order)


def transpose(x: ArrayLike, /, axes: Sequence[int] | None = None) -> Tensor:
    """Reorder the axes, by default into the opposite order (NumPy's name for `permute_dims`).

    Example:
        >>> import lucid
        >>> lucid.transpose(lucid.zeros((2, 3, 4))).shape
        (4, 3, 2)
    """
    t = as_tensor("transpose", x, view=True)
    return permute_dims(t, tuple(range(t.ndim))[::-1] if axes is None else axes)


def matrix_transpose(x: ArrayLike, /) -> Tensor:
    """Exchange the last two axes: the transpose of each matrix of a stack, without conjugation.

    Args:
        x: (..., m, n), any dtype.

    Returns:
        A Tensor of shape (..., n, m).

    Raises:
        ShapeError: if `x` has fewer than two axes.

    Example:
        >>> import lucid
        >>> lucid.matrix_transpose(lucid.asarray([[1, 2], [3, 4]]))
        Tensor([[1, 3], [2, 4]])
    """
    t = as_tensor("matrix_transpose", x, view=True)
    n = t.ndim
    if n < 2:
        got = f"shape {t.shape}"
        raise ShapeError(message("matrix_transpose", "an array with two axes or more", got))
    return _permute(t, ((*range(n - 2), n - 1, n - 2),))


def swapaxes(x: ArrayLike, /, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes.

    Example:
        >>> import lucid
        >>> lucid.swapaxes(lucid.zeros((2, 3, 4)), 0, -1).shape
        (4, 3, 2)
    """
    t = as_tensor("swapaxes", x, view=True)
    order = list(range(t.ndim))
    i, j = axis_of("swapaxes", axis1, t.ndim), axis_of("swapaxes", axis2, t.ndim)
    order[i], order[j] = j, i
    return _permute(t, (tuple(order),))


def moveaxis(x: ArrayLike, source: Any, destination: Any, /) -> Tensor:
    """Move axes to other places; the others keep their order.

    Args:
        x: any shape and dtype.
        source: the axis or axes to move.
        destination: for each of them its place in the result.

    Returns:
        A Tensor with the same elements.

    Raises:
        ShapeError: if the two differ in number, or name an axis twice.

    Example:
        >>> import lucid
        >>> lucid.moveaxis(lucid.zeros((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    t = as_tensor("moveaxis", x, view=True)
    here = axes_of("moveaxis", source if source is not None else (), t.ndim)
    there = axes_of("moveaxis", destination if destination is not None else (), t.ndim)
    if len(here) != len(there):
        got = f"{source} and {destination}"
        raise ShapeError(message("moveaxis", "as many destinations as sources", got))
    return _permute(t, (moved(t.ndim, here, there),))


def moved(ndim: int, source: Sequence[int], destination: Sequence[int]) -> tuple[int, ...]:
    """Return the permutation that takes axes from `source` to `destination`."""
    order = [a for a in range(ndim) if a not in source]
    for d, s in sorted(zip(destination, source, strict=True)):
        order.insert(d, s)
    return tuple(order)


# -- reversed and rotated --------------------------------------------------------------------------


def flip(x: ArrayLike, /, axis: Axis = None) -> Tensor:
    """Reverse the order of the elements along axes.

    Args:
        x: any shape and dtype.
        axis: the axes to reverse; by default all.

    Returns:
        A Tensor of the shape of `x`.

    Example:
        >>> import lucid
        >>> lucid.flip(lucid.asarray([1, 2, 3]))
        Tensor([3, 2, 1])
    """
    t = as_tensor("flip", x, view=True)
    return _flip(t, (axes_of("flip", axis, t.ndim),))


_flip = direct(
    linear(
        "flip",
        lambda x, axes: np.flip(x, axes),
        transpose=lambda ct, x, axes: _flip(ct, (axes,)),
        batch=lambda x, axes: _flip(x, (tuple(a + 1 for a in axes),)),
        view=True,
    )
)


def roll(x: ArrayLike, /, shift: Any, axis: Axis = None) -> Tensor:
    """Move elements along axes by a number of places; what leaves at the end enters in front.

    Args:
        x: any shape and dtype.
        shift: how many places, negative for towards the front; one number, or one for each axis.
        axis: the axes; by default the elements are moved as if on one axis.

    Returns:
        A Tensor of the shape of `x`.

    Raises:
        ShapeError: if there are several shifts and another number of axes.

    Example:
        >>> import lucid
        >>> lucid.roll(lucid.asarray([1, 2, 3]), 1)
        Tensor([3, 1, 2])
    """
    t = as_tensor("roll", x)
    if axis is None:
        return reshape(roll(reshape(t, -1), shift, axis=0), t.shape)
    axes = (axis,) if not isinstance(axis, tuple | list) else tuple(axis)
    axes = tuple(axis_of("roll", a, t.ndim) for a in axes)  # one may occur twice
    shifts = (index(shift),) if hasattr(shift, "__index__") else tuple(map(index, shift))
    if len(shifts) == 1:
        shifts *= len(axes)
    if len(axes) == 1:
        axes *= len(shifts)
    if len(shifts) != len(axes):
        raise ShapeError(message("roll", "one shift for each axis", f"{shift} for axes {axis}"))
    return _roll(t, (shifts, axes))


_roll = direct(
    linear(
        "roll",
        lambda x, shifts, axes: np.roll(x, shifts, axes),
        transpose=lambda ct, x, shifts, axes: _roll(ct, (tuple(-s for s in shifts), axes)),
        batch=lambda x, shifts, axes: _roll(x, (shifts, tuple(a + 1 for a in axes))),
    )
)


def _reversed(self: Tensor) -> Tensor:
    return _permute(self, (tuple(range(self.ndim - 1, -1, -1)),))


def _transpose_method(self: Tensor, *axes: Any) -> Tensor:
    """Reorder the axes, by default into the opposite order."""
    if len(axes) == 1 and not hasattr(axes[0], "__index__"):
        (axes,) = axes
    return transpose(self, axes or None)


install(
    {
        "transpose": _transpose_method,
        "swapaxes": swapaxes,
        "T": property(_reversed, doc="The array with its axes in the opposite order."),
        "mT": property(matrix_transpose, doc="The array with its last two axes exchanged."),
    }
)
