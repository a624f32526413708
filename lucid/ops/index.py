"""Indexing: reading elements, by static keys (views) and by arrays of indices.

A key is split into a static part, the parameter of `getitem`, and arrays of indices, the operands
of `gather`. `place` and `scatter_add` (in `lucid.ops.scatter`) are their adjoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import fit
from lucid.core.define import align_batch, general, linear
from lucid.core.dispatch import apply, explain
from lucid.core.fastpath import direct, several
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, concrete, install, wrap
from lucid.errors import IndexOutOfBoundsError, ShapeError, message
from lucid.ops.axes import as_tensor, axis_of
from lucid.ops.keys import (
    FULL,
    advanced_key,
    entry_of,
    index_ndim,
    natural,
    numpy_key,
    shift_axes,
    split_key,
    static_key,
)
from lucid.ops.shape import ravel

__all__ = ["argwhere", "nonzero", "take", "take_along_axis"]

# -- static keys -----------------------------------------------------------------------------------


def getitem(x: Tensor, key: Any, /) -> Tensor:
    """Return the elements that a key selects, by all the rules of NumPy.

    Integers, slices, None and ``...`` give a view. Integer arrays and Tensors gather elements,
    boolean ones select those where they are true; under `vmap`, integer Tensors may differ from
    example to example.

    Raises:
        IndexOutOfBoundsError: if an index lies outside its axis, or is of a kind that cannot index.
        ConcretizationError: if a boolean Tensor under `vmap` or `jit` decides a shape.

    Example:
        >>> import lucid
        >>> x = lucid.asarray([[1, 2, 3], [4, 5, 6]])
        >>> x[1, ::2]
        Tensor([4, 6])
        >>> x[x > 4]
        Tensor([5, 6])
    """
    static = static_key(key)
    if static is not None:
        return _getitem(x, (static,))
    return _gather_key(as_tensor("getitem", x, view=True), key)


def _getitem_raw(ct: Any, ans: Any, x: Any, key: tuple[Any, ...]) -> Any:
    out = np.zeros(x.shape, ct.dtype)
    out[numpy_key(key)] = ct
    return out


_getitem = direct(
    linear(
        "getitem",
        lambda x, key: x[numpy_key(key)],
        transpose=lambda ct, x, key: _place(ct, (x.shape, key)),
        batch=lambda x, key: _getitem(x, ((FULL, *key),)),
        view=True,
        selects=True,
    )
)
OPS["getitem"].raw = (_getitem_raw,)


def _place_impl(x: Any, shape: tuple[int, ...], key: tuple[Any, ...]) -> Any:
    out = np.zeros(shape, x.dtype)
    out[numpy_key(key)] = x
    return out


_place = direct(
    linear(
        "place",
        _place_impl,
        transpose=lambda ct, x, shape, key: _getitem(ct, (key,)),
        batch=lambda x, shape, key: _place(x, ((x.shape[0], *shape), (FULL, *key))),
    )
)


def _gather_key(x: Tensor, key: Any) -> Tensor:
    """Read by a key with arrays in it."""
    given = key if isinstance(key, tuple) else (key,)
    value = x._value
    if x._note is None and type(value) is np.ndarray and (plain := _plain(given)) is not None:
        try:
            return wrap(np.asarray(value[plain]), None)
        except IndexError as error:
            raise explain(_gather, (x,), error) from error
    if type(key) is Tensor and type(key._value) is np.ndarray and key.dtype.kind in "iu" and x.ndim:
        return _gather_call((x, key), ((0,), 0, key._value.size <= 1))  # the most frequent one
    split = split_key(x.shape, key)
    if not split.trivial:
        x = _getitem(x, (split.basic,))
    return _gather_call((x, *split.indices), split.params)


def _plain(entries: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return a key as NumPy takes it, if nothing watches its arrays and all of them can index."""
    out: list[Any] = []
    for k in entries:
        if isinstance(k, Tensor):
            if k._note is not None:
                return None
            k = k._value
        elif isinstance(k, list | tuple):
            return None
        if type(k) is np.ndarray and k.dtype.kind not in "iub":
            return None
        out.append(k)
    return tuple(out)


# -- gather ----------------------------------------------------------------------------------------


def _gather_impl(x: Any, *rest: Any) -> Any:
    *indices, axes, at, _ = rest
    if len(axes) == 1:
        out = x.take(np.asarray(indices[0], np.intp), axes[0])
        if axes[0] == at:
            return out
    else:
        out = x[advanced_key(x.ndim, axes, indices)]
    if (have := natural(axes)) == at:
        return out
    return out.transpose(shift_axes(out.ndim, max(map(np.ndim, indices)), have, at))


def _gather_infer(x: Aval, *rest: Any) -> Aval:
    *indices, axes, at, _ = rest
    kept = [n for i, n in enumerate(x.shape) if i not in axes]
    shape = np.broadcast_shapes(*(k.shape for k in indices))
    return Aval((*kept[:at], *shape, *kept[at:]), x.dtype)


def iota(size: int, ndim: int) -> Tensor:
    """Return 0, 1, ..., size - 1 with `ndim` axes of length 1 behind."""
    return wrap(np.arange(size).reshape(size, *(1,) * ndim), None)


def _gather_batch(size: int, batched: Any, args: Any, axes: Any, at: int, unique: bool) -> Tensor:
    (x, *indices), (x_batched, *some) = args, batched
    inner = tuple(a + 1 for a in axes)
    if not any(some):
        return apply(_gather, (x, *indices), (inner, at + 1, unique))
    indices = align_batch(some, indices)
    rank = index_ndim(indices) - 1
    if x_batched:
        out = apply(_gather, (x, iota(size, rank), *indices), ((0, *inner), 0, unique))
        order = shift_axes(out.ndim, rank, 1, at + 1)
    else:  # different examples may select the same element
        out = apply(_gather, (x, *indices), (axes, at, False))
        order = shift_axes(out.ndim, 1, at, 0)
    return apply(OPS["permute_dims"], (out,), (order,))


def _gather_vjp(ct: Tensor, ans: Tensor, x: Tensor, *rest: Any) -> Tensor:
    *indices, axes, at, unique = rest
    return fit(scatter_add(ct, indices, (x.shape, axes, at, unique)), x)


def _gather_raw(ct: Any, ans: Any, x: Any, *rest: Any) -> Any:
    *indices, axes, at, unique = rest
    if x.ndim == 1:  # the indices were checked when they gathered
        out = np.zeros(x.shape, ct.dtype)
        if unique:
            out[indices[0]] = ct
        else:
            np.add.at(out, indices[0], ct)
        return out
    return OPS["scatter_add"].impl(ct, *indices, x.shape, axes, at, unique)


def scatter_add(x: Tensor, indices: Sequence[Any], params: tuple[Any, ...]) -> Tensor:
    """Apply the adjoint of `gather`."""
    return apply(OPS["scatter_add"], (x, *indices), params)


def reached(mask: Tensor, shape: tuple[int, ...], indices: Any, params: tuple[Any, ...]) -> Tensor:
    """Return which elements a key selects for some place in a boolean mask."""
    ones = apply(OPS["astype"], (mask,), (np.dtype(np.float32),))
    return scatter_add(ones, indices, (shape, *params)) != 0


def _gather_live(mask: Tensor, i: int, ans: Tensor, args: Any, *params: Any) -> Tensor:
    return reached(mask, args[0].shape, args[1:], params)


def _gather_masks(i: int, ans: Tensor, args: Any, *params: Any) -> Tensor:
    everything = wrap(np.ones(ans.shape, bool), None)
    return reached(everything, args[0].shape, args[1:], params)


_gather = general(
    "gather",
    _gather_impl,
    infer=_gather_infer,
    jvp=lambda ans, tangents, args, *params: apply(_gather, (tangents[0], *args[1:]), params),
    vjps=[_gather_vjp],
    batch=_gather_batch,
    live=_gather_live,
    masks=_gather_masks,
)
_gather.raw = (_gather_raw,)
_gather_call = several(_gather)


# -- along one axis --------------------------------------------------------------------------------


def take(x: ArrayLike, indices: Any, /, axis: int | None = None) -> Tensor:
    """Return the elements at places along an axis.

    Args:
        x: any shape and dtype.
        indices: integers of any shape, negative ones counting from the end.
        axis: the axis, in whose place those of `indices` are found in the result; by default the
            elements are put on one axis first.

    Returns:
        A Tensor of shape ``x.shape[:axis] + indices.shape + x.shape[axis + 1:]``.

    Raises:
        IndexOutOfBoundsError: if a place lies outside the axis.

    Example:
        >>> import lucid
        >>> lucid.take(lucid.asarray([[1, 2], [3, 4]]), lucid.asarray([1, 0]), axis=1)
        Tensor([[2, 1], [4, 3]])
    """
    t = as_tensor("take", x)
    if axis is None:
        t, axis = ravel(t), 0
    a = axis_of("take", axis, t.ndim)
    return apply(_gather, (t, _places("take", indices)), ((a,), a, False))


def _places(name: str, indices: Any) -> Tensor:
    t = entry_of(indices if not isinstance(indices, int | np.integer) else np.asarray(indices))
    if not isinstance(t, Tensor) or t.dtype.kind not in "iu":
        got = str(t.dtype) if isinstance(t, Tensor) else repr(indices)
        raise IndexOutOfBoundsError(message(name, "integers as indices", got))
    return t


def take_along_axis(x: ArrayLike, indices: Any, /, axis: int | None = -1) -> Tensor:
    """Return for each vector along an axis the elements at places of its own.

    Out of x of shape (m, n) and indices of shape (m, k) along the last axis: x[i, indices[i, j]].

    Args:
        x: any shape and dtype.
        indices: integers, with as many axes as `x` and lengths that broadcast with its own except
            along the axis; for example, what `argsort` gives.
        axis: the axis; None puts all elements on one axis first.

    Returns:
        A Tensor with the broadcast shape, along the axis as long as `indices`.

    Raises:
        ShapeError: if `indices` has another number of axes.
        IndexOutOfBoundsError: if a place lies outside the axis.

    Example:
        >>> import lucid
        >>> x = lucid.asarray([[3, 1, 2], [4, 6, 5]])
        >>> lucid.take_along_axis(x, lucid.argsort(x))
        Tensor([[1, 2, 3], [4, 5, 6]])
    """
    t = as_tensor("take_along_axis", x)
    places = _places("take_along_axis", indices)
    if axis is None:
        t, axis = ravel(t), 0
    if places.ndim != t.ndim:
        want = f"indices with {t.ndim} axes, as many as the array"
        raise ShapeError(message("take_along_axis", want, f"shape {places.shape}"))
    return along(t, places, axis_of("take_along_axis", axis, t.ndim))


def along(x: Tensor, places: Tensor, axis: int, unique: bool = False) -> Tensor:
    """Gather along an axis."""
    indices = coordinates(x.shape, places, axis)
    return apply(_gather, (x, *indices), (tuple(range(x.ndim)), 0, unique))


def coordinates(shape: Sequence[int], places: Tensor, axis: int) -> list[Tensor]:
    """Return one array of indices for each axis: `places` for this one, the element's own else."""
    return [places if i == axis else iota(n, len(shape) - i - 1) for i, n in enumerate(shape)]


# -- where an array is not zero --------------------------------------------------------------------


def nonzero(x: ArrayLike, /) -> tuple[Tensor, ...]:
    """Return where an array is not zero: for each axis the indices of those elements.

    Args:
        x: at least one axis, any dtype.

    Returns:
        A tuple with one integer vector for each axis of `x`.

    Raises:
        ShapeError: if `x` has no axis.
        ConcretizationError: under `vmap` or `jit`, where the shape of the result is not known.

    Example:
        >>> import lucid
        >>> lucid.nonzero(lucid.asarray([0, 3, 0, 5]))
        (Tensor([1, 3]),)
    """
    t = as_tensor("nonzero", x)
    if not t.ndim:
        raise ShapeError(message("nonzero", "an array with at least one axis", "a 0-d array"))
    return tuple(wrap(i, None) for i in concrete(t, "nonzero").nonzero())


def argwhere(x: ArrayLike, /) -> Tensor:
    """Return where an array is not zero: one row of indices for each such element.

    Args:
        x: any shape and dtype.

    Returns:
        An integer Tensor of shape (number of such elements, x.ndim).

    Raises:
        ConcretizationError: under `vmap` or `jit`, where the shape of the result is not known.

    Example:
        >>> import lucid
        >>> lucid.argwhere(lucid.asarray([[0, 1], [1, 0]]))
        Tensor([[0, 1], [1, 0]])
    """
    return wrap(np.argwhere(concrete(as_tensor("argwhere", x), "argwhere")), None)


def _take_method(self: Tensor, indices: Any, axis: int | None = None) -> Tensor:
    """Return the elements at places along an axis."""
    return take(self, indices, axis=axis)


install({"__getitem__": getitem, "take": _take_method, "nonzero": nonzero})
