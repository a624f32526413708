"""Calls of NumPy's functions, each a test: with Tensors they give NumPy's values, and derivatives.

A line is an expression of the arrays below. `#` says what does not hold of it:
`no rule`: it has no derivative and says so;
`no vmap`: the shape of the result, or what is done, depends on values;
`flat`: the result has no derivative, or one that is zero wherever it exists;
`shapes`: what comes out is no array, or its values mean nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_rng = np.random.default_rng(7)
_square = _rng.uniform(-1, 1, (3, 3))

ARRAYS: dict[str, Any] = {
    # general arrays, without ties and away from kinks
    "x": np.array([[0.31, -1.27, 0.83], [-0.64, 1.71, 0.12]]),
    "y": np.array([[1.43, 0.58, -0.92], [0.27, -1.36, 2.14]]),
    "v": np.array([0.9, -0.4, 1.6]),
    "w": np.array([0.2, 1.1, 0.7]),
    "u": _rng.uniform(-1, 1, (2, 3, 4)),
    "s": np.array(0.7),
    # positive; within (-1, 1); above 1; ascending; with NaN
    "p": np.array([[0.62, 1.34, 2.41], [0.29, 3.08, 0.87]]),
    "i": np.array([[0.31, -0.27, 0.83], [-0.64, 0.71, 0.12]]),
    "j": np.array([[1.31, 2.27, 1.83], [3.64, 1.71, 5.12]]),
    "t": np.array([0.1, 0.5, 1.2, 2.0, 3.3]),
    "n": np.array([[0.31, np.nan, 0.83, -2.0], [-0.64, 1.71, np.nan, 0.4]]),
    # matrices
    "A": _square + 2 * np.eye(3),
    "S": _square @ _square.T + np.eye(3),
    "B": _rng.uniform(-1, 1, (4, 3)),
    "T4": _rng.uniform(-1, 1, (2, 3, 3, 2)),
    # complex, integers, booleans
    "z": np.array([[0.3 + 0.8j, -1.2 + 0.1j, 0.8 - 0.5j], [-0.6 + 1.1j, 1.7 - 0.2j, 0.1 + 0.4j]]),
    "C": _square + 1j * _rng.uniform(-1, 1, (3, 3)) + 2 * np.eye(3),
    "k": np.array([[2, 0, 1], [1, 2, 0]]),
    "l": np.array([3, 5, 6]),
    "m": np.array([[True, False, True], [False, True, True]]),
}

UFUNCS = """
np.absolute(x) np.absolute(z) np.fabs(x) np.negative(x) np.positive(x) np.conjugate(z) np.square(x)
np.sign(x) np.sign(z) np.sqrt(p) np.sqrt(z) np.cbrt(p) np.reciprocal(p) np.exp(x) np.exp(z)
np.exp2(x) np.expm1(x) np.log(p) np.log(z) np.log2(p) np.log10(p) np.log1p(p) np.sin(x) np.cos(x)
np.tan(x) np.arcsin(i) np.arccos(i) np.arctan(x) np.sinh(x) np.cosh(z) np.tanh(x) np.arcsinh(x)
np.arccosh(j) np.arctanh(i) np.degrees(x) np.radians(x) np.deg2rad(x) np.rad2deg(x) np.floor(x)
np.ceil(x) np.trunc(x) np.rint(x) np.isfinite(x) np.isinf(x) np.isnan(n) np.signbit(x)
np.logical_not(m) np.invert(k) np.add(x,v) np.add(x,2) np.subtract(x,y) np.multiply(x,z)
np.divide(x,y) np.true_divide(x,p) np.floor_divide(x,y) np.remainder(x,y) np.mod(x,y) np.fmod(x,y)
np.power(p,x) np.power(x,2) np.power(2.0,x) np.float_power(p,x) np.arctan2(x,y) np.hypot(x,y)
np.logaddexp(x,y) np.logaddexp2(x,y) np.maximum(x,y) np.minimum(x,y) np.fmax(x,y) np.fmin(x,y)
np.copysign(x,y) np.heaviside(x,p) np.equal(x,y) np.not_equal(x,y) np.less(x,y)
np.less_equal(x,y) np.greater(x,y) np.greater_equal(x,y) np.logical_and(m,k) np.logical_or(m,k)
np.logical_xor(m,k) np.bitwise_and(k,l) np.bitwise_or(k,l) np.bitwise_xor(k,l) np.left_shift(l,k)
np.right_shift(l,k) np.matmul(A,v) np.vecdot(v,w) np.vecdot(z,z) np.matvec(A,v) np.vecmat(v,A)
np.matvec(C,v) np.vecmat(z[0],C) np.divmod(x,y) np.modf(x) np.ldexp(x,k)
"""

CALLS = """
np.nextafter(p, j)  # no rule
np.frexp(p)  # no vmap
np.spacing(x)  # flat no vmap
np.gcd(k, l)  # no vmap
np.lcm(k, l)  # no vmap
np.bitwise_count(l)  # no vmap

np.add(x, y, dtype=np.float32).astype(float) * 0 + x
np.add(x, 1, dtype=complex)
np.greater(x, y, dtype=bool)
np.add(x, [1, 2, 3])
np.add.reduce(x)
np.add.reduce(x, axis=(0, 1), keepdims=True)
np.add.reduce(x, 1, initial=2.0)
np.add.reduce(x, axis=1, where=m)
np.add.reduce(k, dtype=float)
np.multiply.reduce(x, axis=None)
np.maximum.reduce(x, axis=1, initial=0.5)
np.minimum.reduce(x, axis=1, initial=0.5, where=m)
np.maximum.reduce(x[:0], axis=0, initial=0.5)
np.logaddexp.reduce(x, axis=1)
np.logical_and.reduce(m, axis=1)
np.logical_or.reduce(m, axis=1)
np.logical_xor.reduce(m, axis=1)
np.bitwise_xor.reduce(k, axis=1)
np.subtract.reduce(x, axis=1)
np.divide.reduce(p, axis=-1, keepdims=True)
np.hypot.reduce(v)
np.power.reduce(p[:, :2], axis=1)
np.add.accumulate(x)
np.multiply.accumulate(x, axis=1)
np.maximum.accumulate(x, axis=1)
np.minimum.accumulate(x, axis=1)
np.logaddexp.accumulate(x, axis=1)
np.subtract.accumulate(x, axis=-1)
np.multiply.outer(v, x)
np.hypot.outer(x, w)
np.add.outer(v, w, dtype=np.float64)

np.sum(x)
np.sum(x, axis=1, keepdims=True)
np.sum(x, axis=-1, where=m, initial=1.0)
np.sum(k, dtype=float)
np.prod(x, axis=0)
np.prod(x, where=m, initial=2.0)
np.mean(x, axis=1)
np.mean(x, where=m)
np.mean(n, axis=1, where=n == n)
np.polyval([3.0], n)
np.mean(k, dtype=float)
np.std(x, axis=1, ddof=1)
np.std(x, correction=1)
np.var(x, keepdims=True)
np.var(z, axis=0)
np.max(x, axis=1)
np.max(x, axis=1, initial=0.5)
np.amax(x)
np.min(x, axis=0, where=m, initial=0.2)
np.amin(x)
np.all(m, axis=1)
np.any(m, axis=1, where=m)
np.argmax(x, axis=1)
np.argmin(x, axis=1, keepdims=True)
np.ptp(x, axis=1)
np.cumsum(x)
np.cumsum(x, axis=1)
np.cumprod(x, 0)
np.cumulative_sum(v, include_initial=True)
np.cumulative_prod(x, axis=1)
np.count_nonzero(m, axis=1)
np.average(x, axis=1, weights=w)
np.average(x, weights=p, returned=True)
np.average(x, axis=1, weights=w, returned=True)
np.average(x, returned=True)
np.median(x, axis=1)
np.percentile(x, 30)
np.percentile(x, [10, 60], axis=1)
np.quantile(x, s, axis=1, keepdims=True)
np.nansum(n, axis=0)
np.nanprod(n, axis=1)
np.nancumsum(n, axis=1)
np.nancumprod(n)
np.nanmean(n, axis=1)
np.nanstd(n, axis=1)
np.nanvar(n, ddof=1)
np.nanmax(n, axis=1)
np.nanmin(n)
np.nanargmax(n, axis=1)
np.nanargmin(n, axis=1)
np.nanmedian(n, axis=1)
np.nanquantile(n, [0.2, 0.5], axis=1)
np.nanquantile(n, s)
np.nanpercentile(n, 30, axis=0, keepdims=True)
np.cov(x)
np.cov(x, p, ddof=0)
np.cov(x, rowvar=False, bias=True)
np.cov(x, aweights=w)
np.cov(x, fweights=np.array([1, 2, 1]), aweights=w)
np.corrcoef(B)
np.corrcoef(v, w)
np.bincount(l, weights=w)  # no vmap
np.histogram(x, bins=4)  # no vmap
np.histogram(t, bins=[0.0, 1.0, 3.4], weights=t, density=True)
np.histogram(x, bins=3, range=(-1.0, 1.5))
np.histogram(x, bins="sturges")  # no vmap
np.histogram_bin_edges(x, 4)
np.histogram2d(x.ravel(), y.ravel(), bins=4)  # no vmap
np.histogram2d(x.ravel(), y.ravel(), bins=[3, [-2.0, 0.0, 1.5]], weights=p.ravel(), density=True)
np.histogram2d(v, w, bins=np.array([0.0, 0.5, 1.0]), range=((0.0, 1.0), (0.0, 1.0)))
np.digitize(x, [0.1, 0.5])
np.digitize(x, t[::-1], right=True)  # no vmap
np.trapezoid(x, dx=0.5)
np.trapezoid(x, w, axis=1)
np.diff(x)
np.diff(x, n=2, axis=1, prepend=np.zeros((2, 1)))
np.ediff1d(x, to_end=[5.0], to_begin=np.array([2.0]))
np.gradient(t)
np.gradient(x, 0.5, axis=1)
np.convolve(v, t)
np.convolve(v, t, "same")
np.correlate(v, t, mode="full")
np.interp(v, t, np.sin(t))
np.unwrap(t * 3)
np.unwrap(x * 4, axis=0, period=1.5)

np.sort(x)
np.sort(x, axis=None)
np.argsort(x, axis=0)
np.sort_complex(z)
np.partition(v, 1)[1]
np.argpartition(v, 1)[1]
np.lexsort((v, w))  # no vmap
np.nonzero(m)  # no vmap
np.flatnonzero(m)  # no vmap
np.argwhere(m)  # no vmap
np.take(x, k[0], axis=1)
np.take(x, 4)
np.take_along_axis(x, k, axis=1)
np.take_along_axis(v, k.ravel(), axis=None)
np.searchsorted(t, x)
np.searchsorted(t, v, side="right")
np.where(m, x, y)
np.where(m)  # no vmap
np.clip(x, -0.5, 0.5)
np.clip(x, None, p)
np.clip(x, min=0)
np.nan_to_num(n, nan=2.0)
np.select([x > 1, x > 0], [x**2, y], default=-1.0)
np.piecewise(x, [x < 0, x > 1], [lambda a: -a, lambda a: a**2, 0.5])  # no vmap
np.piecewise(v, v > 0, [np.sin, lambda a: a * 2])  # no vmap
np.choose(k, [x, y, p])
np.choose(k + 1, [x, 2.0, p], mode="wrap")
np.choose(k - 1, x[:, None], mode="clip")
np.compress(m[0], x, axis=1)  # no vmap
np.extract(m, x)  # no vmap
np.delete(x, 1, axis=1)
np.delete(t, [0, 3])
np.delete(t, np.array([True, False, False, True, False]))
np.insert(t, 2, s)
np.insert(t, [1, 3], w[:2])
np.insert(x, 1, v, axis=0)
np.insert(x, [0, 2], p[:, :2], axis=1)
np.insert(t, slice(0, 4, 2), 1.5)
np.insert(t, 1, w)
np.trim_zeros(np.concatenate([np.zeros(2), v, np.zeros(1)]))  # no vmap
np.unique(x)  # no vmap
np.unique(k, return_index=True, return_inverse=True, return_counts=True)  # no vmap
np.unique(n)  # no vmap
np.unique(x, axis=0)  # no vmap
np.unique_values(x)  # no vmap
np.unique_counts(k)  # no vmap
np.unique_inverse(k)  # no vmap
np.unique_all(k)  # no vmap
np.union1d(v, w)  # no vmap
np.intersect1d(t, t[1:3], return_indices=True)  # no vmap
np.setdiff1d(t, t[1:3])  # no vmap
np.setxor1d(t[:3], t[1:])  # no vmap
np.isin(k, l)
np.unravel_index(l, (3, 4))  # no vmap
np.ravel_multi_index((k[0], k[1]), (3, 4))  # no vmap
np.packbits(m)  # no vmap
np.unpackbits(k.astype(np.uint8))  # no vmap
np.min_scalar_type(l)  # shapes no vmap
np.ix_(l, m[0])  # no vmap
np.tril_indices_from(A)  # no vmap
np.triu_indices_from(A, 1)  # no vmap
np.diag_indices_from(A)  # no vmap
np.apply_along_axis(np.cumsum, 0, x)
np.apply_along_axis(np.sum, 1, x)
np.apply_along_axis(lambda a: a[:, None] * a, 0, x)

np.shape(x)
np.ndim(x)
np.size(x, 1)
np.iscomplexobj(z)
np.isrealobj(x)
np.iscomplex(z)
np.isreal(x)
np.isneginf(x)
np.isposinf(x)
np.real_if_close(z * 0j + 1)  # no vmap
np.copy(x)
np.result_type(x, k)
np.can_cast(x, np.float32)
np.common_type(x, z)
np.astype(x, np.float32) * 0 + x
np.zeros_like(x)
np.zeros_like(x, shape=(2,), dtype=int)
np.ones_like(k)
np.empty_like(x)  # shapes
np.full_like(x, 3.0)
np.full_like(x, s)
np.zeros(3, like=x)
np.ones((2, 3), like=x)
np.empty(3, like=x)  # shapes
np.full((2,), 4.0, like=x)
np.eye(3, like=x)
np.identity(2, like=x)
np.arange(3, like=x)
np.arange(1, 7, 2, like=x)
np.tri(3, k=-1, like=x)
np.array([1.0, 2.0], ndmin=2, like=x)
np.asarray([1.0, 2.0], like=x)
np.asanyarray([1.0, 2.0], like=x)
np.ascontiguousarray([1.0, 2.0], like=x)
np.asfortranarray([1.0, 2.0], like=x)
np.array_repr(k)  # shapes
np.array_str(k)  # shapes
np.array2string(k)  # shapes
np.reshape(x, (3, 2))
np.reshape(x, -1)
np.ravel(x)
np.transpose(x)
np.transpose(u, (1, 2, 0))
np.permute_dims(u, (1, 2, 0))
np.moveaxis(u, 0, -1)
np.rollaxis(u, 2)
np.rollaxis(u, 0, -1)
np.swapaxes(u, 0, 2)
np.matrix_transpose(u)
np.roll(x, 1, axis=1)
np.flip(x)
np.fliplr(x)
np.flipud(x)
np.rot90(x)
np.rot90(u, 3, axes=(1, 2))
np.squeeze(x[None])
np.expand_dims(x, (0, 3))
np.broadcast_to(v, (2, 3))
np.broadcast_arrays(v, x)
np.atleast_1d(s)
np.atleast_2d(v)
np.atleast_3d(v, x)
np.tile(x, (2, 1))
np.repeat(x, 2, axis=1)
np.repeat(x, 2)
np.resize(x, (3, 4))
np.pad(x, 1)
np.pad(x, ((1, 0), (0, 2)), mode="edge")
np.pad(x, 1, constant_values=((1.0, 2.0), (3.0, 4.0)))
np.diag(v, 1)
np.diag(A)
np.diagflat(x)
np.diagonal(u, axis1=1, axis2=2)
np.trace(A, 1)
np.tril(A)
np.triu(A, 1)
np.real(z)
np.imag(z)
np.sinc(x)
np.i0(p)
np.angle(z)
np.angle(z, deg=True)
np.round(x * 10, 1)  # flat
np.around(x * 10)
np.fix(x)
np.isclose(x, x + 1e-9)
np.allclose(x, y)  # no vmap
np.array_equal(x, x)  # no vmap
np.array_equiv(v, v[None])  # no vmap
np.concatenate([x, y], 1)
np.concatenate((v, x), axis=None)
np.stack([v, w], axis=1)
np.vstack([v, x])
np.hstack([x, y])
np.dstack([x, y])
np.column_stack([v, w])
np.append(x, y)
np.append(x, y, axis=0)
np.block([[A, B.T], [np.ones((1, 3)), np.zeros((1, 4))]])
np.block([v, w])
np.split(x, 3, axis=1)
np.split(t, [1, 3])
np.array_split(t, 2)
np.vsplit(x, 2)
np.hsplit(x, 3)
np.dsplit(u, 2)
np.unstack(x, axis=1)
np.meshgrid(v, t)
np.meshgrid(v, t, indexing="ij", sparse=True)
np.meshgrid(v, t, sparse=True)

np.dot(A, v)
np.dot([1.0, 2.0, 3.0], v)
np.inner(x, y)
np.outer(v, x)
np.vdot(z, x)
np.kron(x, v)
np.cross(v, w)
np.cross(x, A[:, :2], axisb=0, axisc=0)
np.tensordot(u, x, axes=([0, 1], [0, 1]))
np.tensordot(v, s, axes=0)
np.einsum("ij,jk->ik", x, A)
np.einsum(x, [0, 1], y, [0, 1], [1])
np.einsum("...i->...", u)
np.einsum_path("ij,jk,k", x, A, v)[0]  # shapes
np.polyval(v, x)
np.polyval([1.0, 2.0], x)
np.vander(v)
np.vander(v, 2, increasing=True)
np.polyadd(v, t)
np.polysub(v, t)
np.polymul(v, t)
np.polyder(t, 2)
np.polyint(v, 2, k=[1.0, 2.0])
np.polyfit(t, np.cos(t), 2)
np.polyfit(t, np.cos(t), 1, w=t)
np.poly(v)
np.roots(v)  # no vmap
np.roots(np.concatenate([t, v]))  # no vmap
np.polydiv(np.concatenate([t, v]), v)  # no vmap
np.polydiv(v, np.concatenate([t, v]))  # no vmap
np.linspace(s, v, 4)
np.linspace(s, v, 4, endpoint=False, retstep=True, axis=1)
np.logspace(s, v, 4, base=2.0)
np.geomspace(s, w, 4)

np.linalg.cholesky((S + S.T) / 2)
np.linalg.cholesky((S + S.T) / 2, upper=True)
np.linalg.cond(A)
np.linalg.cross(v, w)
np.linalg.det(A)
np.linalg.diagonal(A, offset=1)
np.linalg.eig(A)[0] ** 2
np.linalg.eigh((S + S.T) / 2)[0]
np.linalg.eigh((S + S.T) / 2)
np.linalg.eigh((S + S.T) / 2, "U")
np.linalg.eigvalsh((S + S.T) / 2, UPLO="U")
np.linalg.eigvals(A) ** 2
np.linalg.eigvalsh((S + S.T) / 2)
np.linalg.inv(A)
np.linalg.inv(C)
np.linalg.lstsq(B, np.ones(4), rcond=None)[0]
np.linalg.matmul(A, B.T)
np.linalg.matrix_norm(A, ord="nuc")
np.linalg.matrix_power(A, 3)
np.linalg.matrix_rank(A)
np.linalg.matrix_rank(A, tol=0.5)
np.linalg.matrix_transpose(B)
np.linalg.multi_dot([A, B.T, B])
np.linalg.norm(x)
np.linalg.norm(x, axis=1)
np.linalg.norm(A, 2)
np.linalg.outer(v, w)
np.linalg.pinv(B)
np.linalg.qr(B)
np.linalg.slogdet(A)
np.linalg.solve(A, v)
np.linalg.solve(A, B.T)
np.linalg.svd(B, full_matrices=False)[1]
np.linalg.svd(B, compute_uv=False)
np.linalg.svdvals(B)
np.linalg.tensordot(x, A, axes=1)
np.linalg.tensorinv(T4)
np.linalg.tensorsolve(T4, x)
np.linalg.trace(A)
np.linalg.vecdot(v, w)
np.linalg.vector_norm(x, ord=3)

np.fft.fft(x)
np.fft.fft(z, n=4, axis=0, norm="ortho")
np.fft.ifft(z)
np.fft.rfft(x)
np.fft.irfft(z, n=4)
np.fft.hfft(z)
np.fft.ihfft(x)
np.fft.fft2(x)
np.fft.ifft2(z)
np.fft.rfft2(x)
np.fft.irfft2(z)
np.fft.fftn(u)
np.fft.ifftn(z)
np.fft.rfftn(u, s=(2, 2), axes=(0, 1))
np.fft.irfftn(z)
np.fft.fftshift(x)
np.fft.ifftshift(x, axes=1)
"""


def calls() -> list[tuple[str, frozenset[str]]]:
    """Every expression, and what is said of it."""
    found = [(text, frozenset[str]()) for text in UFUNCS.split()]
    for line in CALLS.strip().splitlines():
        text, _, notes = line.partition("  # ")
        words = ("no rule", "no vmap", "flat", "shapes")
        if text:
            found.append((text, frozenset(w for w in words if w in notes)))
    return found
