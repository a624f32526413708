"""NumPy functions that make, shape, join and combine arrays, under NumPy's signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid._lazy import special_functions
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, ShapeError, message
from lucid.ops import (
    arrange,
    complex_,
    contract,
    creation,
    datatypes,
    grids,
    join,
    permute,
    reduce,
    rounding,
    shape,
    trigonometric,
)
from lucid.ops.numpy_api.table import covers, flat, same, tensor, tensors

__all__: list[str] = []

_abs, _all, _round = complex_.abs, reduce.all, rounding.round


# -- what an array is ------------------------------------------------------------------------------


covers(np.shape)(lambda a: a.shape)
covers(np.ndim)(lambda a: a.ndim)
covers(np.size)(lambda a, axis=None: a.size if axis is None else a.shape[axis])
covers(np.iscomplexobj)(lambda x: x.dtype.kind == "c")
covers(np.isrealobj)(lambda x: x.dtype.kind != "c")
covers(np.copy)(lambda a, order="K", subok=False: Tensor(a))
covers(np.result_type)(
    lambda *args: np.result_type(*(a.dtype if isinstance(a, Tensor) else a for a in args))
)


@covers(np.can_cast)
def _np_can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(from_.dtype if isinstance(from_, Tensor) else from_, to, casting)


covers(np.astype)(lambda x, dtype, /, *, copy=True, device=None: datatypes.astype(x, dtype))


def _like(ours: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def adapter(
        a: Any,
        dtype: Any = None,
        order: Any = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Tensor:
        return ours(a if shape is None else _of_shape(a, shape), dtype=dtype)

    return adapter


def _of_shape(a: Any, shape: Any) -> Tensor:
    """Return some Tensor of the dtype of one and of another shape."""
    return creation.zeros(shape, dtype=a.dtype)


covers(np.zeros_like)(_like(creation.zeros_like))
covers(np.ones_like)(_like(creation.ones_like))
covers(np.empty_like)(_like(creation.empty_like))


@covers(np.full_like)
def _np_full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Tensor:
    a = a if shape is None else _of_shape(a, shape)
    if isinstance(fill_value, Tensor):
        target = a.dtype if dtype is None else dtype
        return shape_to(datatypes.astype(fill_value, target), a.shape)
    return creation.full_like(a, fill_value, dtype=dtype)


def shape_to(x: Tensor, target: tuple[int, ...]) -> Tensor:
    """Broadcast a Tensor to a shape."""
    return shape.broadcast_to(x, target)


# -- shape -----------------------------------------------------------------------------------------


@covers(np.reshape)
def _np_reshape(a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Tensor:
    _only_c("reshape", order)
    return a.reshape(shape)


@covers(np.ravel)
def _np_ravel(a: Any, order: str = "C") -> Tensor:
    _only_c("ravel", order)
    return a.reshape((-1,))


def _only_c(name: str, order: str) -> None:
    if order not in ("C", "K", "A"):
        hint = "transpose first"
        raise OperandError(message(f"np.{name}", 'order="C" on Tensors', repr(order), hint))


for _function, _ours in {
    np.transpose: permute.transpose,
    np.permute_dims: permute.transpose,
    np.moveaxis: permute.moveaxis,
    np.swapaxes: permute.swapaxes,
    np.matrix_transpose: permute.matrix_transpose,
    np.roll: permute.roll,
    np.flip: permute.flip,
    np.squeeze: shape.squeeze,
    np.expand_dims: shape.expand_dims,
    np.broadcast_to: shape.broadcast_to,
    np.atleast_1d: shape.atleast_1d,
    np.atleast_2d: shape.atleast_2d,
    np.atleast_3d: shape.atleast_3d,
    np.broadcast_arrays: shape.broadcast_arrays,
    np.tile: arrange.tile,
    np.repeat: arrange.repeat,
    np.real: complex_.real,
    np.imag: complex_.imag,
    np.sinc: trigonometric.sinc,
    np.tensordot: contract.tensordot,
    np.dot: contract.dot,
    np.inner: contract.inner,
    np.kron: contract.kron,
}.items():
    same(
        _function,
        _ours,
        a="x",
        m="x",
        k="offset",
        v="x",
        A="x",
        val="x",
    )


same(np.diagflat, lambda v, k=0: arrange.diag(flat(v), k))


@covers(np.rollaxis)
def _np_rollaxis(a: Any, axis: int, start: int = 0) -> Tensor:
    axis, start = axis % a.ndim, start + a.ndim if start < 0 else start
    return permute.moveaxis(a, axis, start - (start > axis))


covers(np.diag)(lambda v, k=0: arrange.diag(tensor(v), k))


@covers(np.pad)
def _np_pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Tensor:
    x, values = tensor(array), options.pop("constant_values", 0)
    if options:
        raise OperandError(message("np.pad", "no further options on Tensors", f"{[*options]}"))
    if np.ndim(values) == 0:
        return arrange.pad(x, pad_width, mode, constant_values=values)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    fills = shape.broadcast_to(tensor(values), (x.ndim, 2))
    for place, width in np.ndenumerate(widths):
        alone = np.zeros_like(widths)
        alone[place] = width
        x = arrange.pad(x, alone, constant_values=fills[place])
    return x


covers(np.fix)(lambda x, out=None: rounding.trunc(x))
covers(np.i0)(lambda x: special_functions.UFUNCS["i0"](x))
covers(np.common_type)(lambda *arrays: np.common_type(*(np.empty(0, x.dtype) for x in arrays)))
covers(np.array_repr, np.array_str, np.array2string)(lambda a, *args, **options: repr(a))
covers(np.fliplr)(lambda m: permute.flip(m, axis=1))
covers(np.flipud)(lambda m: permute.flip(m, axis=0))
covers(np.tril)(lambda m, k=0: grids.tril(m, k=k))
covers(np.triu)(lambda m, k=0: grids.triu(m, k=k))
covers(np.diagonal)(lambda a, offset=0, axis1=0, axis2=1: a.diagonal(offset, axis1, axis2))
covers(np.trace)(
    lambda a, offset=0, axis1=0, axis2=1, dtype=None, out=None: reduce.sum(
        a.diagonal(offset, axis1, axis2), -1, dtype=dtype
    )
)


@covers(np.rot90)
def _np_rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    first, second = axes
    turns = k % 4
    if turns == 0:
        return m
    if turns == 2:
        return permute.flip(permute.flip(m, axis=first), axis=second)
    if turns == 1:
        return permute.swapaxes(permute.flip(m, axis=second), first, second)
    return permute.flip(permute.swapaxes(m, first, second), axis=second)


# -- joining ---------------------------------------------------------------------------------------


@covers(np.concatenate)
def _np_concatenate(
    arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Tensor:
    joined = join.concat(tensors(arrays), axis=axis)
    return joined if dtype is None else datatypes.astype(joined, dtype)


@covers(np.stack)
def _np_stack(
    arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Tensor:
    joined = join.stack(tensors(arrays), axis=axis)
    return joined if dtype is None else datatypes.astype(joined, dtype)


def _stack(ours: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def adapter(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Tensor:
        joined = ours(tensors(tup))
        return joined if dtype is None else datatypes.astype(joined, dtype)

    return adapter


covers(np.vstack)(_stack(join.vstack))
covers(np.hstack)(_stack(join.hstack))
covers(np.column_stack)(lambda tup: join.column_stack(tensors(tup)))
covers(np.dstack)(lambda tup: join.concat([shape.atleast_3d(x) for x in tensors(tup)], axis=2))
covers(np.append)(
    lambda arr, values, axis=None: (
        join.concat(tensors((arr, values)), axis=axis)
        if axis is not None
        else join.concat([x.reshape((-1,)) for x in tensors((arr, values))], axis=0)
    )
)


def _split(ours: Callable[..., Any]) -> Callable[..., list[Tensor]]:
    def adapter(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
        return list(ours(ary, indices_or_sections, axis))

    return adapter


def _split_at(ndim: int, axis: int) -> Callable[..., list[Tensor]]:
    def adapter(ary: Any, indices_or_sections: Any) -> list[Tensor]:
        if ary.ndim < ndim:
            want = f"an array with {ndim} axes or more"
            raise ShapeError(message("np.split", want, f"shape {ary.shape}"))
        return list(join.split(ary, indices_or_sections, min(axis, ary.ndim - 1)))

    return adapter


covers(np.split)(_split(join.split))
covers(np.array_split)(_split(join.array_split))
covers(np.vsplit)(_split_at(2, 0))
covers(np.hsplit)(_split_at(1, 1))
covers(np.dsplit)(_split_at(3, 2))
covers(np.unstack)(lambda x, /, *, axis=0: join.unstack(x, axis=axis))


@covers(np.meshgrid)
def _np_meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if not sparse:
        return grids.meshgrid(*tensors(xi), indexing=indexing)
    order = [*range(len(xi))]
    if indexing == "xy" and len(xi) > 1:
        order[:2] = [1, 0]
    return tuple(
        flat(x).reshape(tuple(-1 if k == i else 1 for k in order)) for i, x in enumerate(xi)
    )
