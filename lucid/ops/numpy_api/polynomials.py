"""NumPy functions on polynomials, and sequences made by formulas, under NumPy's signatures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor, concrete
from lucid.errors import OperandError, ShapeError, message
from lucid.ops import (
    arithmetic,
    arrange,
    complex_,
    convolve,
    creation,
    cumulative,
    exponential,
    grids,
    join,
    permute,
    power,
    samples,
    select,
)
from lucid.ops.axes import axis_of
from lucid.ops.linalg import least_squares, spectral
from lucid.ops.numpy_api.table import covers, flat, tensor, tensors

__all__: list[str] = []

_abs, _pow = complex_.abs, power.pow


# -- polynomials, the highest power first ----------------------------------------------------------


@covers(np.polyval)
def _np_polyval(p: Any, x: Any) -> Tensor:
    x = tensor(x)
    value: Any = creation.zeros_like(x)
    for coefficient in tensors(p):
        value = value * x + coefficient
    return value


@covers(np.vander)
def _np_vander(x: Any, N: Any = None, increasing: bool = False) -> Tensor:  # noqa: N803
    x = tensor(x)
    count = x.size if N is None else int(N)
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    return _pow(x.reshape((-1, 1)), powers) if count else creation.zeros((x.size, 0), dtype=x.dtype)


def _aligned(p: Any, q: Any) -> tuple[Tensor, Tensor]:
    """Return two polynomials with as many coefficients as the longer has."""
    x, y = flat(p), flat(q)
    longest = max(x.size, y.size)
    first, second = (join.concat([creation.zeros(longest - v.size), v]) for v in (x, y))
    return first, second


covers(np.polyadd)(lambda a1, a2: arithmetic.add(*_aligned(a1, a2)))
covers(np.polysub)(lambda a1, a2: arithmetic.subtract(*_aligned(a1, a2)))
covers(np.polymul)(lambda a1, a2: convolve.convolve(flat(a1), flat(a2)))


@covers(np.poly)
def _np_poly(seq_of_zeros: Any) -> Tensor:
    zeros = tensor(seq_of_zeros)
    if zeros.ndim == 2:
        zeros = spectral.eigvals(zeros)
    found = creation.ones(1, dtype=zeros.dtype)
    for zero in zeros:
        found = _pad(found, 0, 1) - zero * _pad(found, 1, 0)
    return found


def _pad(x: Tensor, before: int, after: int) -> Tensor:
    return arrange.pad(x, ((before, after),))


@covers(np.roots)
def _np_roots(p: Any) -> Tensor:
    """Return the eigenvalues of the companion matrix: always complex, the zeros last."""
    x = tensor(p)
    if x.ndim > 1:
        raise ShapeError(message("np.roots", "a vector of coefficients", f"shape {x.shape}"))
    x = flat(x if x.dtype.kind in "fc" else x.astype(np.float64))
    found = np.flatnonzero(concrete(x, "np.roots"))
    first = int(found[0]) if found.size else x.size
    if first and x._note is not None:  # it has a derivative, by a root that comes from infinity
        want = "a leading coefficient other than 0 where it is differentiated"
        raise OperandError(message("np.roots", want, "0", f"leave it out, with p[{first}:]"))
    x = x[first:]
    if x.size < 2:
        return creation.zeros(0, dtype=np.result_type(x.dtype, np.complex64))
    shifted = grids.eye(x.size - 2, x.size - 1, dtype=x.dtype)
    values = spectral.eigvals(join.concat([(-x[1:] / x[0]).reshape((1, -1)), shifted]))
    return values[np.argsort(concrete(values, "np.roots") == 0, kind="stable")]


@covers(np.polydiv)
def _np_polydiv(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    rest, divisor = flat(u), flat(v)
    dtype = np.result_type(rest.dtype, divisor.dtype, np.float16)
    rest, divisor = rest.astype(dtype), divisor.astype(dtype)
    steps, scale = rest.size - divisor.size + 1, 1.0 / divisor[0]
    parts: list[Tensor] = []
    for k in range(steps):
        parts.append(scale * rest[k])
        rest = rest - parts[k] * _pad(divisor, k, steps - 1 - k)
    quotient = join.stack(parts) if parts else creation.zeros(1, dtype=dtype)
    # as NumPy, which leaves out what is nearly 0 at the beginning
    small = np.isclose(concrete(rest, "np.polydiv"), 0, rtol=1e-14)
    start = int(np.argmin(small)) if not small.all() else rest.size - 1
    return quotient, rest[start:]


@covers(np.polyder)
def _np_polyder(p: Any, m: int = 1) -> Tensor:
    p = tensor(p)
    for _ in range(m):
        p = p[:-1] * np.arange(p.size - 1, 0, -1)
    return p


@covers(np.polyint)
def _np_polyint(p: Any, m: int = 1, k: Any = None) -> Tensor:
    p = tensor(p)
    constants = creation.zeros(m) if k is None else flat(k)
    if constants.size == 1:
        constants = join.concat([constants, creation.zeros(max(m - 1, 0))]) if m > 1 else constants
    for i in range(m):
        p = join.concat([p / np.arange(p.size, 0, -1), constants[i : i + 1]])
    return p


@covers(np.polyfit)
def _np_polyfit(
    x: Any,
    y: Any,
    deg: Any,
    rcond: Any = None,
    full: bool = False,
    w: Any = None,
    cov: Any = False,
) -> Tensor:
    if full or cov is not False or rcond is not None or not isinstance(deg, int | np.integer):
        raise OperandError(message("np.polyfit", "x, y, deg and w on Tensors", "other options"))
    columns, values = _np_vander(x, int(deg) + 1), tensor(y)
    if w is not None:
        weights = tensor(w)
        columns = columns * weights.reshape((-1, 1))
        values = values * weights.reshape((-1, *(1,) * (values.ndim - 1)))
    scale = _abs(columns * columns.conj()).sum(0) ** 0.5  # for the condition, as NumPy
    found = least_squares.lstsq(columns / scale, values)[0]
    return (found.T / scale).T


# -- sequences -------------------------------------------------------------------------------------


@covers(np.unwrap)
def _np_unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Tensor:
    half = period / 2
    jump = samples.diff(p, axis=axis)
    wrapped = (jump + half) % period - half
    wrapped = select.where((wrapped == -half) & (jump > 0), half, wrapped)
    limit = half if discont is None else select.maximum(discont, half)
    correction = select.where(_abs(jump) < limit, 0, wrapped - jump)
    a = axis_of("np.unwrap", axis, p.ndim)
    start = creation.zeros((*p.shape[:a], 1, *p.shape[a + 1 :]), dtype=p.dtype)
    return p + join.concat([start, cumulative.cumulative_sum(correction, axis=a)], axis=a)


@covers(np.ediff1d)
def _np_ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Tensor:
    x = flat(ary)
    parts = [to_begin, x[1:] - x[:-1], to_end]
    return join.concat([flat(v).astype(x.dtype) for v in parts if v is not None])


def _spaced(x: Tensor, dtype: Any, axis: int) -> Tensor:
    x = permute.moveaxis(x, 0, axis) if axis else x
    return x if dtype is None else x.astype(dtype)


@covers(np.linspace)
def _np_linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    points = _spaced(_line(start, stop, num, endpoint), dtype, axis)
    if not retstep:
        return points
    return points, (tensor(stop) - tensor(start)) / (num - 1 if endpoint else num)


def _line(start: Any, stop: Any, num: int, endpoint: bool) -> Tensor:
    return grids.linspace(tensor(start), tensor(stop), num, endpoint=endpoint)


@covers(np.logspace)
def _np_logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    return _spaced(_pow(base, _line(start, stop, num, endpoint)), dtype, axis)


@covers(np.geomspace)
def _np_geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Tensor:
    first, last = tensor(start), tensor(stop)
    if first.dtype.kind == "c" or last.dtype.kind == "c":
        raise OperandError(message("np.geomspace", "real ends on Tensors", "complex ones"))
    exponents = _line(0.0, exponential.log(last / first), num, endpoint)
    return _spaced(first * exponential.exp(exponents), dtype, axis)


# what like=tensor makes
covers(np.zeros)(
    lambda shape, dtype=None, order="C", *, device=None: creation.zeros(shape, dtype=dtype)
)
covers(np.ones)(
    lambda shape, dtype=None, order="C", *, device=None: creation.ones(shape, dtype=dtype)
)
covers(np.empty)(
    lambda shape, dtype=None, order="C", *, device=None: creation.empty(shape, dtype=dtype)
)
covers(np.full)(
    lambda shape, fill_value, dtype=None, order="C", *, device=None: creation.full(
        shape, fill_value, dtype=dtype
    )
)
covers(np.eye)(
    lambda N, M=None, k=0, dtype=None, order="C", *, device=None: grids.eye(N, M, k=k, dtype=dtype)  # noqa: N803
)
covers(np.identity)(lambda n, dtype=None: grids.eye(n, dtype=dtype))
covers(np.arange)(
    lambda *args, dtype=None, device=None, **given: grids.arange(*args, dtype=dtype, **given)
)
covers(np.tri)(
    lambda N, M=None, k=0, dtype=None: grids.tril(  # noqa: N803
        creation.ones((N, N if M is None else M), dtype=dtype), k=k
    )
)
covers(np.array)(
    lambda data, dtype=None, *, ndmin=0, **_: _of_rank(Tensor(data, dtype=dtype), ndmin)
)
covers(np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)(
    lambda a, dtype=None, order=None, *, device=None, copy=None: Tensor(a, dtype=dtype)
)


def _of_rank(x: Tensor, ndim: int) -> Tensor:
    return x.reshape((*(1,) * (ndim - x.ndim), *x.shape))
