"""NumPy functions that choose, put in, take out and count entries, under NumPy's signatures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor, concrete
from lucid.errors import IndexOutOfBoundsError, OperandError, message
from lucid.ops import (
    compare,
    complex_,
    creation,
    datatypes,
    extrema,
    index,
    join,
    permute,
    reduce,
    select,
    sets,
    shape,
    sort,
)
from lucid.ops.axes import axis_of, known, slice_axis
from lucid.ops.numpy_api.table import covers, flat, stepwise, tensor, tensors

__all__: list[str] = []

_any, _min, _max = reduce.any, extrema.min, extrema.max


# -- by conditions ---------------------------------------------------------------------------------


@covers(np.select)
def _np_select(condlist: Any, choicelist: Any, default: Any = 0) -> Tensor:
    if len(condlist) != len(choicelist):
        got = f"{len(condlist)} conditions and {len(choicelist)} choices"
        raise OperandError(message("np.select", "as many choices as conditions", got))
    chosen = default
    for condition, choice in [*zip(condlist, choicelist, strict=True)][::-1]:
        chosen = select.where(condition, choice, chosen)
    return tensor(chosen)


@covers(np.piecewise)
def _np_piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Tensor:
    x = tensor(x)
    if isinstance(condlist, Tensor | np.ndarray):
        one = condlist.ndim == x.ndim
    else:
        one = not isinstance(condlist[0], Tensor | np.ndarray | list) and x.ndim > 0
    conditions = [flat(c) != 0 for c in ([condlist] if one else condlist)]
    if len(funclist) == len(conditions) + 1:
        covered = _any(join.stack(conditions), 0)
        conditions.append(covered == False)  # noqa: E712 - a Tensor
    if len(funclist) != len(conditions):
        want = "as many functions as conditions, or one more"
        raise OperandError(message("np.piecewise", want, f"{len(funclist)} functions"))
    xs = flat(x)
    y = creation.zeros_like(xs)
    for condition, function in zip(conditions, funclist, strict=True):
        value = function(xs[condition], *args, **kw) if callable(function) else function
        y = y.at[condition].set(value)
    return y.reshape(x.shape)


@covers(np.choose)
def _np_choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Tensor:
    picks, *options = shape.broadcast_arrays(tensor(a), *tensors(choices))
    if mode == "clip":
        picks = select.clip(picks, 0, len(options) - 1)
    elif mode == "wrap":
        picks = picks % len(options)
    else:
        given = known(picks)
        if given is not None and given.size and given.min() < 0:
            raise IndexOutOfBoundsError(message("np.choose", "places from 0 on", f"{given.min()}"))
    stacked = join.stack(options)
    return index.take_along_axis(stacked, picks.reshape((1, *picks.shape)), axis=0)[0]


@covers(np.compress)
def _np_compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Tensor:
    (places,) = index.nonzero(flat(condition))
    return index.take(tensor(a), places, axis=axis)


covers(np.extract)(lambda condition, arr: flat(arr)[index.nonzero(flat(condition))[0]])


@covers(np.real_if_close)
def _np_real_if_close(a: Any, tol: float = 100) -> Tensor:
    if a.dtype.kind != "c":
        return a
    limit = tol * float(np.finfo(a.dtype).eps) if tol > 1 else tol
    return a.real if bool((complex_.abs(a.imag) < limit).all()) else a


covers(np.iscomplex)(lambda x: complex_.imag(x) != 0)
covers(np.isreal)(lambda x: complex_.imag(x) == 0)
covers(np.isneginf)(lambda x, out=None: x == -math.inf)
covers(np.isposinf)(lambda x, out=None: x == math.inf)
covers(np.array_equiv)(stepwise(np.array_equiv))


# -- putting in and taking out ---------------------------------------------------------------------


def _number(x: Any) -> Any:
    """Return indices as NumPy knows them."""
    return concrete(x, "np.insert and np.delete") if isinstance(x, Tensor) else x


@covers(np.delete)
def _np_delete(arr: Any, obj: Any, axis: Any = None) -> Tensor:
    x = flat(arr) if axis is None else tensor(arr)
    axis = 0 if axis is None else axis
    kept = np.delete(np.arange(x.shape[axis]), _number(obj))
    return index.take(x, kept, axis=axis)


@covers(np.insert)
def _np_insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Tensor:
    x = flat(arr) if axis is None else tensor(arr)
    axis = axis_of("np.insert", 0 if axis is None else axis, x.ndim)
    n, obj = x.shape[axis], _number(obj)
    new = tensor(values).astype(x.dtype)
    new = new.reshape((*(1,) * (x.ndim - new.ndim), *new.shape))
    places = np.arange(n)[obj] if isinstance(obj, slice) else np.asarray(obj)
    if places.ndim == 0:
        new = permute.moveaxis(new, 0, axis)
    size = np.flatnonzero(places).size if places.dtype == np.bool_ else places.size
    count = new.shape[axis] if size == 1 else size
    new = shape.broadcast_to(new, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    order = np.insert(np.arange(n), obj, np.arange(n, n + count))
    return index.take(join.concat([x, new], axis=axis), order, axis=axis)


@covers(np.resize)
def _np_resize(a: Any, new_shape: Any) -> Tensor:
    x = flat(a)
    target = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    if not x.size:
        return creation.zeros(target, dtype=x.dtype)
    return index.take(x, np.arange(math.prod(target)).reshape(target) % x.size, axis=0)


@covers(np.trim_zeros)
def _np_trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Tensor:
    x = tensor(filt)
    places = np.argwhere(concrete(x, "np.trim_zeros"))
    axes = range(x.ndim) if axis is None else [axis_of("np.trim_zeros", axis, x.ndim)]
    for a in axes:
        n = x.shape[a]
        first, last = (places[:, a].min(), places[:, a].max() + 1) if places.size else (n, n)
        x = slice_axis(
            x, a, first if "f" in trim.lower() else 0, last if "b" in trim.lower() else n
        )
    return x


# -- sets ------------------------------------------------------------------------------------------


@covers(np.unique)
def _np_unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    _, places, inverse, counts = np.unique(
        concrete(ar, "np.unique"), True, True, True, axis, equal_nan=equal_nan
    )
    x, axis = (flat(ar), 0) if axis is None else (ar, axis)
    values = index.take(x, places, axis=axis)
    wanted = zip((places, inverse, counts), (return_index, return_inverse, return_counts))  # noqa: B905
    extra = [Tensor(x) for x, wish in wanted if wish]
    return (values, *extra) if extra else values


covers(np.unique_all)(sets.unique_all)
covers(np.unique_counts)(sets.unique_counts)
covers(np.unique_inverse)(sets.unique_inverse)
covers(np.unique_values)(sets.unique_values)
covers(np.union1d)(lambda ar1, ar2: _np_unique(join.concat([flat(ar1), flat(ar2)])))


@covers(np.intersect1d)
def _np_intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    one, other = (concrete(flat(x), "np.intersect1d") for x in (ar1, ar2))
    _, first, second = np.intersect1d(one, other, assume_unique, return_indices=True)
    values = index.take(flat(ar1), first)
    return (values, Tensor(first), Tensor(second)) if return_indices else values


@covers(np.setdiff1d)
def _np_setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Tensor:
    x = flat(ar1) if assume_unique else _np_unique(tensor(ar1))
    return x[sets.isin(x, flat(ar2), invert=True)]


@covers(np.setxor1d)
def _np_setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Tensor:
    one, other = _np_setdiff1d(ar1, ar2), _np_setdiff1d(ar2, ar1)
    return sort.sort(join.concat([one, other]))


# -- order -----------------------------------------------------------------------------------------


@covers(np.partition)
def _np_partition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Tensor:
    # sorted is partitioned at every place
    return sort.sort(flat(a) if axis is None else a, axis=-1 if axis is None else axis)


@covers(np.argpartition)
def _np_argpartition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Tensor:
    return sort.argsort(flat(a) if axis is None else a, axis=-1 if axis is None else axis)


@covers(np.sort_complex)
def _np_sort_complex(a: Any) -> Tensor:
    return datatypes.astype(sort.sort(a), np.result_type(a.dtype, np.complex64))


covers(np.lexsort)(stepwise(np.lexsort))
covers(np.ravel_multi_index)(stepwise(np.ravel_multi_index))
covers(np.unravel_index)(stepwise(np.unravel_index))
covers(np.packbits)(stepwise(np.packbits))
covers(np.unpackbits)(stepwise(np.unpackbits))
covers(np.min_scalar_type)(stepwise(np.min_scalar_type))


@covers(np.digitize)
def _np_digitize(x: Any, bins: Any, right: bool = False) -> Tensor:
    edges, side = tensor(bins), "left" if right else "right"
    if edges.size < 2 or bool(edges[0] <= edges[-1]):
        return sort.searchsorted(edges, tensor(x), side=side)
    return edges.size - sort.searchsorted(permute.flip(edges), tensor(x), side=side)


# -- one slice after the other ---------------------------------------------------------------------


@covers(np.apply_along_axis)
def _np_apply_along_axis(func1d: Any, axis: Any, arr: Any, *args: Any, **kwargs: Any) -> Tensor:
    x = permute.moveaxis(tensor(arr), axis, -1)
    rows = x.reshape((-1, x.shape[-1]))
    found = join.stack([tensor(func1d(row, *args, **kwargs)) for row in rows])
    found = found.reshape((*x.shape[:-1], *found.shape[1:]))
    made = range(x.ndim - 1, found.ndim)
    at = axis_of("np.apply_along_axis", axis, x.ndim)
    return permute.moveaxis(found, [*made], [at + i for i, _ in enumerate(made)])


# -- nested lists and indices ----------------------------------------------------------------------


@covers(np.block)
def _np_block(arrays: Any) -> Tensor:
    depth = _depth(arrays)
    ndim = max(depth, *(x.ndim for x in _leaves(arrays)), 0)

    def build(item: Any, level: int) -> Tensor:
        if isinstance(item, list):
            return join.concat([build(i, level + 1) for i in item], axis=ndim - depth + level)
        x = tensor(item)
        return x.reshape((*(1,) * (ndim - x.ndim), *x.shape))

    return build(arrays, 0)


def _depth(item: Any) -> int:
    return 1 + max(map(_depth, item)) if isinstance(item, list) else 0


def _leaves(item: Any) -> list[Tensor]:
    return [x for i in item for x in _leaves(i)] if isinstance(item, list) else [tensor(item)]


@covers(np.ix_)
def _np_ix(*args: Any) -> tuple[Tensor, ...]:
    sequences = tensors(args)
    for x in sequences:
        if x.ndim != 1:
            raise OperandError(message("np.ix_", "vectors", f"shape {x.shape}"))
    found = [index.nonzero(x)[0] if x.dtype.kind == "b" else x for x in sequences]
    count = len(found)
    return tuple(
        x.reshape((*(1,) * i, x.size, *(1,) * (count - i - 1))) for i, x in enumerate(found)
    )


def _indices_from(function: Callable[..., Any], *more: str) -> Callable[..., Any]:
    def adapter(arr: Any, *args: Any, **kwargs: Any) -> Any:
        found = function(np.broadcast_to(0, arr.shape), *args, **kwargs)
        return tuple(Tensor(i) for i in found)

    return adapter


covers(np.tril_indices_from)(_indices_from(np.tril_indices_from))
covers(np.triu_indices_from)(_indices_from(np.triu_indices_from))
covers(np.diag_indices_from)(_indices_from(np.diag_indices_from))


def _nan_place(ours: Callable[..., Tensor], fill: float) -> Callable[..., Tensor]:
    def adapter(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Tensor:
        if a.dtype.kind in "fc":
            missing = compare.isnan(a)
            given = known(reduce.all(missing, axis))
            if given is not None and given.any():
                want = "a number in every slice"
                raise OperandError(message("np.nanargmax", want, "a slice of NaN alone"))
            a = select.where(missing, fill, a)
        return ours(a, axis=axis, keepdims=keepdims is True)

    return adapter


covers(np.nanargmax)(_nan_place(sort.argmax, -math.inf))
covers(np.nanargmin)(_nan_place(sort.argmin, math.inf))
