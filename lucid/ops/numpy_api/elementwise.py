"""Products of arrays, and elementwise functions that no operation stands for."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor
from lucid.errors import OperandError, message
from lucid.ops import (
    arithmetic,
    compare,
    complex_,
    contract,
    einsum,
    exponential,
    matmul,
    permute,
    power,
    reduce,
    rounding,
    select,
    trigonometric,
)
from lucid.ops.numpy_api.table import NAMED, covers, flat, stepwise, tensor, tensors

__all__: list[str] = []

_abs, _all, _round = complex_.abs, reduce.all, rounding.round


# -- products --------------------------------------------------------------------------------------


covers(np.outer)(lambda a, b, out=None: contract.outer(flat(a), flat(b)))
covers(np.vdot)(lambda a, b: contract.vecdot(flat(a), flat(b)))


@covers(np.cross)
def _np_cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = permute.moveaxis(tensor(a), axisa, -1), permute.moveaxis(tensor(b), axisb, -1)
    return permute.moveaxis(contract.cross(x, y), -1, axisc)


@covers(np.einsum)
def _np_einsum(*operands: Any, out: Any = None, optimize: Any = False, **options: Any) -> Tensor:
    if options:
        want = "no further options on Tensors"
        raise OperandError(message("np.einsum", want, f"{[*options]}"))
    subscripts, arrays = _subscripts(operands)
    # False, NumPy's default, asks for nothing
    return einsum.einsum(subscripts, *tensors(arrays), optimize=optimize or True)


def _subscripts(operands: Any) -> tuple[str, Any]:
    """Return the arguments of `einsum` with subscripts as a string, also where they are lists."""
    if isinstance(operands[0], str):
        return operands[0], operands[1:]

    def text(places: Any) -> str:
        return "".join("..." if k is Ellipsis else string.ascii_letters[k] for k in places)

    terms = ",".join(text(places) for places in operands[1::2])
    if len(operands) % 2:
        return f"{terms}->{text(operands[-1])}", operands[:-1:2]
    return terms, operands[::2]


@covers(np.einsum_path)
def _np_einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    subscripts, arrays = _subscripts(operands)
    dummies = [np.broadcast_to(np.zeros((), x.dtype), x.shape) for x in arrays]
    return np.einsum_path(subscripts, *dummies, optimize=optimize)


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
    modf=lambda x: (_fraction(x), rounding.trunc(x)),
    frexp=lambda x: _split_power(x),
    spacing=stepwise(np.spacing),
    gcd=stepwise(np.gcd),
    lcm=stepwise(np.lcm),
    bitwise_count=stepwise(np.bitwise_count),
    ldexp=lambda x, e: x * exponential.exp2(tensors((e,))[0].astype(x.dtype)),
)


def _fraction(x: Tensor) -> Tensor:
    finite = select.where(compare.isinf(x), 0, x)
    return finite - rounding.trunc(finite)


def _split_power(x: Tensor) -> tuple[Tensor, Tensor]:
    _, exponents = stepwise(np.frexp)(x)
    return x * exponential.exp2(-exponents.astype(x.dtype)), exponents


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
