"""Merging and dividing axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import ShapeError, message
from lucid.ops.axes import as_tensor, axis_of

__all__ = ["flatten", "unflatten"]


def flatten(input: ArrayLike, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge neighbouring axes into one.

    Args:
        input: of any shape.
        start_dim: the first of the axes.
        end_dim: the last of them.

    Returns:
        The same elements.

    Raises:
        IndexOutOfBoundsError: if an axis does not exist.
        ShapeError: if `end_dim` comes before `start_dim`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.flatten(lucid.zeros((2, 3, 4)), 1).shape
        (2, 12)
    """
    x = as_tensor("flatten", input, view=True)
    if not x.ndim:
        return x.reshape((1,))
    first = axis_of("flatten", start_dim, x.ndim)
    last = axis_of("flatten", end_dim, x.ndim)
    if last < first:
        got = f"start_dim={start_dim}, end_dim={end_dim}"
        raise ShapeError(message("flatten", "start_dim not behind end_dim", got))
    merged = math.prod(x.shape[first : last + 1])
    return x.reshape((*x.shape[:first], merged, *x.shape[last + 1 :]))


def unflatten(input: ArrayLike, dim: int, unflattened_size: Sequence[int]) -> Tensor:
    """Divide an axis into several.

    Args:
        input: of any shape with at least one axis.
        dim: the axis.
        unflattened_size: the lengths of the new axes, of which one may be -1.

    Returns:
        The same elements.

    Raises:
        IndexOutOfBoundsError: if the axis does not exist.
        ShapeError: if the lengths do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.unflatten(lucid.zeros((2, 12)), 1, (3, -1)).shape
        (2, 3, 4)
    """
    x = as_tensor("unflatten", input, view=True)
    axis = axis_of("unflatten", dim, x.ndim)
    sizes = [int(n) for n in unflattened_size]
    known = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) == 1 and known and not x.shape[axis] % known:
        sizes[sizes.index(-1)] = x.shape[axis] // known
    if math.prod(sizes) != x.shape[axis] or -1 in sizes:
        want = f"lengths whose product is {x.shape[axis]}"
        raise ShapeError(message("unflatten", want, str(tuple(unflattened_size))))
    return x.reshape((*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))
