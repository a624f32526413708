"""Sets: the distinct elements of an array, and membership."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, concrete, wrap
from lucid.ops.axes import as_tensor
from lucid.ops.rowwise import operands, rowwise
from lucid.ops.shape import ravel

__all__ = ["isin", "unique_all", "unique_counts", "unique_inverse", "unique_values"]


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


def _unique(name: str, x: Any) -> UniqueAll:
    t = as_tensor(name, x)
    _, first, inverse, counts = np.unique(
        concrete(t, name).ravel(), True, True, True, equal_nan=False
    )
    places = wrap(first, None)
    values = apply(OPS["gather"], (ravel(t), places), ((0,), 0, True))
    return UniqueAll(values, places, wrap(inverse.reshape(t.shape), None), wrap(counts, None))


def unique_all(x: ArrayLike, /) -> UniqueAll:
    """Return the distinct elements of an array, where they are, and how often they occur.

    NaNs are distinct from each other. The values are sorted, and differentiable: each is the
    element at its first place.

    Args:
        x: any shape and dtype.

    Returns:
        ``(values, indices, inverse_indices, counts)``: the values, a vector; their first places
        among all elements, the last axis fastest; for each element of `x` which value it is; and
        how often each value occurs.

    Raises:
        ConcretizationError: under `vmap` or `jit`, where the shape of the result is not known.

    Example:
        >>> import lucid
        >>> values, indices, inverse, counts = lucid.unique_all(lucid.asarray([3, 1, 3]))
        >>> values, indices, inverse, counts
        (Tensor([1, 3]), Tensor([1, 0]), Tensor([1, 0, 1]), Tensor([1, 2]))
    """
    return _unique("unique_all", x)


def unique_counts(x: ArrayLike, /) -> UniqueCounts:
    """Return the distinct elements of an array and how often they occur; see `unique_all`.

    Example:
        >>> import lucid
        >>> lucid.unique_counts(lucid.asarray([3, 1, 3]))
        UniqueCounts(values=Tensor([1, 3]), counts=Tensor([1, 2]))
    """
    found = _unique("unique_counts", x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: ArrayLike, /) -> UniqueInverse:
    """Return the distinct elements of an array and which one each element is; see `unique_all`.

    Example:
        >>> import lucid
        >>> lucid.unique_inverse(lucid.asarray([3, 1, 3]))
        UniqueInverse(values=Tensor([1, 3]), inverse_indices=Tensor([1, 0, 1]))
    """
    found = _unique("unique_inverse", x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: ArrayLike, /) -> Tensor:
    """Return the distinct elements of an array, sorted; see `unique_all`.

    Example:
        >>> import lucid
        >>> lucid.unique_values(lucid.asarray([3, 1, 3]))
        Tensor([1, 3])
    """
    return _unique("unique_values", x).values


def isin(x1: ArrayLike, x2: ArrayLike, /, *, invert: bool = False) -> Tensor:
    """Say for each element of one array whether it occurs in another.

    Args:
        x1: the elements, any shape.
        x2: where to look for them, any shape.
        invert: whether to say the opposite.

    Returns:
        A boolean Tensor of the shape of `x1`. It has no derivative.

    Example:
        >>> import lucid
        >>> lucid.isin(lucid.asarray([1, 2, 3]), lucid.asarray([3, 1]))
        Tensor([ True, False,  True])
    """
    x, y = operands("isin", x1, x2)
    return apply(_isin, (x, y), (bool(invert), 0))


_isin = rowwise("isin", lambda x, y, invert: np.isin(x, y, invert=invert), np.bool_, like=0)
