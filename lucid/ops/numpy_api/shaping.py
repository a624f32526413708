"""NumPy functions that make, shape, join and combine arrays, under NumPy's signatures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor
from lucid.errors import OperandError, message
from lucid.ops import (
    arithmetic,
    arrange,
    compare,
    complex_,
    contract,
    creation,
    datatypes,
    einsum,
    exponential,
    grids,
    join,
    matmul,
    permute,
    power,
    reduce,
    rounding,
    shape,
    trigonometric,
)
from lucid.ops.numpy_api.table import NAMED, covers, same, tensors

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
covers(np.can_cast)(
    lambda from_, to, casting="safe": np.can_cast(
        from_.dtype if isinstance(from_, Tensor) else from_, to, casting
    )
)
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
        if shape is not None:
            raise OperandError(message("np.zeros_like", "no shape= on Tensors", f"{shape}"))
        return ours(a, dtype=dtype)

    return adapter


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
    if shape is not None:
        raise OperandError(message("np.full_like", "no shape= on Tensors", f"{shape}"))
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
    np.pad: arrange.pad,
    np.diag: arrange.diag,
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


covers(np.vstack)(lambda tup, *, dtype=None, casting="same_kind": join.vstack(tensors(tup)))
covers(np.hstack)(lambda tup, *, dtype=None, casting="same_kind": join.hstack(tensors(tup)))
covers(np.column_stack)(lambda tup: join.column_stack(tensors(tup)))
covers(np.dstack)(lambda tup: join.concat([shape.atleast_3d(x) for x in tensors(tup)], axis=2))
covers(np.append)(
    lambda arr, values, axis=None: (
        join.concat(tensors((arr, values)), axis=axis)
        if axis is not None
        else join.concat([x.reshape((-1,)) for x in tensors((arr, values))], axis=0)
    )
)
covers(np.split)(
    lambda ary, indices_or_sections, axis=0: join.split(ary, indices_or_sections, axis)
)
covers(np.array_split)(
    lambda ary, indices_or_sections, axis=0: join.array_split(ary, indices_or_sections, axis)
)
covers(np.unstack)(lambda x, /, *, axis=0: join.unstack(x, axis=axis))


@covers(np.meshgrid)
def _np_meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if sparse:
        raise OperandError(message("np.meshgrid", "sparse=False on Tensors", "sparse=True"))
    return grids.meshgrid(*tensors(xi), indexing=indexing)


# -- products --------------------------------------------------------------------------------------


covers(np.outer)(
    lambda a, b, out=None: contract.outer(*(x.reshape((-1,)) for x in tensors((a, b))))
)
covers(np.vdot)(lambda a, b: contract.vecdot(*(x.reshape((-1,)) for x in tensors((a, b)))))
covers(np.cross)(
    lambda a, b, axisa=-1, axisb=-1, axisc=-1, axis=None: contract.cross(
        a, b, axis=_one_axis(axisa, axisb, axisc, axis)
    )
)


def _one_axis(axisa: int, axisb: int, axisc: int, axis: int | None) -> int:
    if axis is not None:
        return axis
    if axisa == axisb == axisc:
        return axisa
    raise OperandError(message("np.cross", "one axis for all", f"{(axisa, axisb, axisc)}"))


@covers(np.einsum)
def _np_einsum(*operands: Any, out: Any = None, optimize: Any = False, **options: Any) -> Tensor:
    if options or not isinstance(operands[0], str):
        got = f"{[*options] or type(operands[0]).__name__}"
        raise OperandError(message("np.einsum", "subscripts as a string and operands", got))
    return einsum.einsum(*operands)


NAMED.update(
    matmul=matmul.matmul,
    vecdot=contract.vecdot,
    matvec=lambda x, y: matmul.matmul(x, y.reshape((*y.shape, 1)))[..., 0],
    vecmat=lambda x, y: contract.vecdot(x.reshape((*x.shape, 1)), y, axis=-2),
    fabs=lambda x: _abs(x),
    float_power=lambda x, y: power.pow(
        *(v.astype(np.result_type(v.dtype, float)) for v in tensors((x, y)))
    ),
    logaddexp2=lambda x, y: (
        exponential.logaddexp(*(v * math.log(2) for v in tensors((x, y)))) / math.log(2)
    ),
    divmod=lambda x, y: (arithmetic.floor_divide(x, y), arithmetic.remainder(x, y)),
    modf=lambda x: (x - rounding.trunc(x), rounding.trunc(x)),
    ldexp=lambda x, e: x * exponential.exp2(tensors((e,))[0].astype(x.dtype)),
)


# -- elementwise functions that are no ufuncs ------------------------------------------------------


@covers(np.angle)
def _np_angle(z: Any, deg: bool = False) -> Tensor:
    found = complex_.angle(z)
    return trigonometric.rad2deg(found) if deg else found


@covers(np.round, np.around)
def _np_round(a: Any, decimals: int = 0, out: Any = None) -> Tensor:
    return a.round(decimals)


@covers(np.isclose)
def _np_isclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    x, y = tensors((a, b))
    finite = compare.isfinite(x) & compare.isfinite(y)
    near = (_abs(x - y) <= atol + rtol * _abs(y)) & finite
    same_ = (x == y) | near
    return same_ | ((x != x) & (y != y)) if equal_nan else same_


@covers(np.allclose)
def _np_allclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    return bool(_all(_np_isclose(a, b, rtol, atol, equal_nan)))


@covers(np.array_equal)
def _np_array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    x, y = tensors((a1, a2))
    if x.shape != y.shape:
        return False
    same_ = x == y
    if equal_nan:
        same_ = same_ | ((x != x) & (y != y))
    return bool(_all(same_))
