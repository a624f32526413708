"""Scattering: values put or added at places of an array, the adjoint of gathering among them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid._lazy import scipy_sparse
from lucid.core.cotangent import fit, spread, zeros_like
from lucid.core.define import align_batch, general, move_batch_first
from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, wrap
from lucid.ops.index import iota, reached, scatter_add
from lucid.ops.keys import FULL, advanced_key, index_ndim, natural, numpy_key, shift_axes
from lucid.ops.shape import broadcast_to, reshape

__all__ = ["positions_of"]

WIDE = 4096  # from here on, a sparse product adds rows faster than one addition at a time


# -- the layout of values --------------------------------------------------------------------------


def _moved_values(v: Any, indices: Sequence[Any], at: int, target: int) -> Any:
    """Return values with the axes of the indices moved from `at` to `target`."""
    if at == target:
        return v
    return v.transpose(shift_axes(v.ndim, max(map(np.ndim, indices)), at, target))


def positions_of(indices: Sequence[Any], lengths: Sequence[int]) -> Any:
    """Return indices of several axes as positions on one, checked and not negative."""
    total: Any = 0
    for k, n in zip(indices, lengths, strict=True):
        k = np.asarray(k, np.intp)
        if k.size and (k.min() < -n or k.max() >= n):
            bad = k[(k < -n) | (k >= n)][0]
            raise IndexError(f"index {bad} is out of bounds for an axis of length {n}")
        total = total * n + np.where(k < 0, k + n, k)
    return total


def _batch(size: int, op: Any, arrays: list[Any], indices: Any, some: Any, params: Any) -> Tensor:
    """Update a whole batch: `arrays` have the batch axis first, `some` of the indices too."""
    axes, at, unique = params
    inner = tuple(a + 1 for a in axes)
    if not any(some):
        return op(arrays, indices, (inner, at + 1, unique))
    indices = align_batch(some, indices)
    rank = index_ndim(indices) - 1
    v = arrays[-1]
    order = shift_axes(v.ndim, rank, at + 1, 1)
    arrays[-1] = apply(OPS["permute_dims"], (v,), (order,))
    return op(arrays, [iota(size, rank), *indices], ((0, *inner), 0, unique))


def _gather(x: Tensor, indices: Sequence[Any], params: tuple[Any, ...]) -> Tensor:
    return apply(OPS["gather"], (x, *indices), params)


# -- adding ----------------------------------------------------------------------------------------


def _scatter_add_impl(v: Any, *rest: Any) -> Any:
    *indices, shape, axes, at, unique = rest
    if unique:
        out = np.zeros(shape, v.dtype)
        out[advanced_key(len(shape), axes, indices)] = _moved_values(v, indices, at, natural(axes))
        return out
    front = tuple(shape[a] for a in axes)
    kept = tuple(i for i in range(len(shape)) if i not in axes)
    back = tuple(shape[i] for i in kept)
    positions = positions_of(indices, front)
    rows = _moved_values(v, indices, at, 0).reshape(positions.size, math.prod(back))
    out = _add_rows(rows, positions.ravel(), math.prod(front)).reshape(front + back)
    return out.transpose(np.argsort((*axes, *kept)))


def _add_rows(rows: Any, positions: Any, count: int) -> Any:
    """Return an array of `count` rows: each the sum of those given for its position."""
    n, width = rows.shape
    if width > 1 and n * width > WIDE and rows.dtype.kind in "fc":
        ones = np.ones(n, rows.dtype)
        matrix = scipy_sparse.csr_array((ones, positions, np.arange(n + 1)), shape=(n, count))
        return matrix.T @ rows
    if width != 1:
        positions = (positions[:, None] * width + np.arange(width)).ravel()
    out = np.zeros(count * width, rows.dtype)
    np.add.at(out, positions, rows.ravel())
    return out.reshape(count, width)


def _scatter_add_batch(size: int, batched: Any, args: Any, shape: Any, *params: Any) -> Tensor:
    values = move_batch_first(size, batched[:1], args[:1])
    return _batch(
        size,
        lambda arrays, indices, more: scatter_add(arrays[0], indices, ((size, *shape), *more)),
        values,
        args[1:],
        batched[1:],
        params,
    )


_scatter_add = general(
    "scatter_add",
    _scatter_add_impl,
    infer=lambda v, *rest: Aval(rest[-4], v.dtype),
    jvp=lambda ans, tangents, args, *params: scatter_add(tangents[0], args[1:], params),
    vjps=[lambda ct, ans, v, *rest: fit(_gather(ct, rest[:-4], rest[-3:]), v)],
    batch=_scatter_add_batch,
    live=lambda mask, i, ans, args, shape, *params: _gather(mask, args[1:], params),
)


# -- setting ---------------------------------------------------------------------------------------


def _setitem_impl(x: Any, v: Any, key: tuple[Any, ...]) -> Any:
    out = x.copy()
    out[numpy_key(key)] = v
    return out


def _setitem_masks(i: int, ans: Tensor, args: Any, key: tuple[Any, ...]) -> Tensor:
    mask = np.ones(args[i].shape, bool)
    if i == 0:
        mask[numpy_key(key)] = False
    return wrap(mask, None)


def _or_zeros(tangents: Sequence[Any], args: Sequence[Any]) -> list[Tensor]:
    return [zeros_like(x) if t is None else t for t, x in zip(tangents, args, strict=False)]


_setitem = general(
    "setitem",
    _setitem_impl,
    infer=lambda x, v, key: Aval(x.shape, x.dtype),
    jvp=lambda ans, tangents, args, key: apply(_setitem, tuple(_or_zeros(tangents, args)), (key,)),
    vjps=[
        lambda ct, ans, x, v, key: apply(_setitem, (ct, zeros_like(v)), (key,)),
        lambda ct, ans, x, v, key: apply(OPS["getitem"], (ct,), (key,)),
    ],
    batch=lambda size, batched, args, key: apply(
        _setitem, tuple(move_batch_first(size, batched, args)), ((FULL, *key),)
    ),
    live=lambda mask, i, ans, args, key: apply(OPS["getitem"], (mask,), (key,)) if i else mask,
    masks=_setitem_masks,
)


def _set(x: Tensor, v: Tensor, indices: Sequence[Any], params: tuple[Any, ...]) -> Tensor:
    return apply(_scatter_set, (x, v, *indices), params)


def _scatter_set_impl(x: Any, v: Any, *rest: Any) -> Any:
    *indices, axes, at, unique = rest
    out = x.copy()
    if not unique:
        indices, v = _in_order(indices, v, at)
    out[advanced_key(x.ndim, axes, indices)] = _moved_values(v, indices, at, natural(axes))
    return out


def _in_order(indices: Sequence[Any], v: Any, at: int) -> Any:
    """Return indices and values with one axis in C order; NumPy visits several as they lie."""
    grid = np.broadcast_arrays(*indices)
    rank = grid[0].ndim
    values = v.reshape(*v.shape[:at], grid[0].size, *v.shape[at + rank :])
    return [k.ravel() for k in grid], values


def _winners(x: Tensor, v: Tensor, indices: Sequence[Any], params: tuple[Any, ...]) -> Tensor:
    """Return which of the values are found in the result: of several for one place, the last."""
    axes, at, unique = params
    if unique:
        return wrap(np.ones((1,) * v.ndim, bool), None)
    shape = np.broadcast_shapes(*(k.shape for k in indices))
    order = wrap(np.arange(math.prod(shape)).reshape(shape), None)
    slots = wrap(np.zeros([x.shape[a] for a in axes], np.int64), None)
    simple = (tuple(range(len(axes))), 0, False)
    last = _gather(_set(slots, order, indices, simple), indices, simple)
    behind = v.ndim - at - len(shape)
    return reshape(last == order, ((1,) * at + shape + (1,) * behind))


def _where(mask: Tensor, x: Tensor) -> Tensor:
    return apply(OPS["where"], (mask, x, zeros_like(x)))


def _scatter_set_vjp(ct: Tensor, ans: Tensor, x: Tensor, v: Tensor, *rest: Any) -> Tensor:
    indices, params = rest[:-3], rest[-3:]
    found = _gather(ct, indices, params)
    return found if params[-1] else _where(_winners(x, v, indices, params), found)


def _update_batch(op: Any) -> Callable[..., Tensor]:
    def batch(size: int, batched: Any, args: Any, *params: Any) -> Tensor:
        arrays = move_batch_first(size, batched[:2], args[:2])

        def update(both: Any, indices: Any, more: Any) -> Tensor:
            return apply(OPS[op], (*both, *indices), more)

        return _batch(size, update, arrays, args[2:], batched[2:], params)

    return batch


def _update_live(mask: Tensor, i: int, ans: Tensor, args: Any, *params: Any) -> Tensor:
    return _gather(mask, args[2:], params) if i else mask


def _scatter_set_masks(i: int, ans: Tensor, args: Any, *params: Any) -> Tensor:
    x, v, *indices = args
    if i:
        return broadcast_to(_winners(x, v, indices, params), v.shape)
    return ~reached(wrap(np.ones(v.shape, bool), None), x.shape, indices, params)


def _scatter_set_jvp(ans: Tensor, tangents: Any, args: Any, *params: Any) -> Tensor:
    tx, tv = _or_zeros(tangents[:2], args)
    return _set(tx, tv, args[2:], params)


_scatter_set = general(
    "scatter_set",
    _scatter_set_impl,
    infer=lambda x, *rest: Aval(x.shape, x.dtype),
    jvp=_scatter_set_jvp,
    vjps=[
        lambda ct, ans, x, v, *rest: _set(ct, zeros_like(v), rest[:-3], rest[-3:]),
        _scatter_set_vjp,
    ],
    batch=_update_batch("scatter_set"),
    live=_update_live,
    masks=_scatter_set_masks,
)


# -- extremes --------------------------------------------------------------------------------------


# Elements and values that tie share the cotangent equally.


def _taken(ans: Tensor, x: Tensor, v: Tensor, indices: Any, params: Any) -> Any:
    """Return which elements and which values are found in the result, and their shares."""
    from_x, from_v = x == ans, v == _gather(ans, indices, params)
    dtype = (ans.dtype,)
    ties = apply(OPS["astype"], (from_x,), dtype) + scatter_add(
        apply(OPS["astype"], (from_v,), dtype), indices, (x.shape, *params)
    )
    # NaN equals nothing: there nothing is shared
    return from_x, from_v, 1 / apply(OPS["maximum"], (ties, 1))


def _extreme_vjp_x(ct: Tensor, ans: Tensor, x: Tensor, v: Tensor, *rest: Any) -> Tensor:
    from_x, _, share = _taken(ans, x, v, rest[:-3], rest[-3:])
    return _where(from_x, ct * share)


def _extreme_vjp_v(ct: Tensor, ans: Tensor, x: Tensor, v: Tensor, *rest: Any) -> Tensor:
    indices, params = rest[:-3], rest[-3:]
    _, from_v, share = _taken(ans, x, v, indices, params)
    return _where(from_v, _gather(ct * share, indices, params))


def _extreme_jvp(ans: Tensor, tangents: Any, args: Any, *params: Any) -> Tensor:
    x, v, *indices = args
    tx, tv = _or_zeros(tangents[:2], args)
    from_x, from_v, share = _taken(ans, x, v, indices, params)
    added = scatter_add(_where(from_v, tv), indices, (x.shape, *params))
    return spread((_where(from_x, tx) + added) * share, ans)


def _extreme(name: str, ufunc: Any) -> Any:
    """Register an update by the larger or smaller of what is there and all values for the place."""

    def impl(x: Any, v: Any, *rest: Any) -> Any:
        *indices, axes, at, _ = rest
        out = x.copy()
        values = _moved_values(v, indices, at, natural(axes))
        ufunc.at(out, advanced_key(x.ndim, axes, indices), values)
        return out

    return general(
        name,
        impl,
        infer=lambda x, *rest: Aval(x.shape, x.dtype),
        jvp=_extreme_jvp,
        vjps=[_extreme_vjp_x, _extreme_vjp_v],
        batch=_update_batch(name),
        live=_update_live,
        masks=lambda i, ans, args, *params: _taken(ans, args[0], args[1], args[2:], params)[i],
    )


_scatter_max = _extreme("scatter_max", np.maximum)
_scatter_min = _extreme("scatter_min", np.minimum)
