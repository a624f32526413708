"""`numpy.linalg` and `numpy.fft` on Tensors, under NumPy's signatures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor
from lucid.ops import contract, matmul, permute, sort
from lucid.ops.fft import complex_, frequencies, real
from lucid.ops.linalg import (
    determinant,
    diagonals,
    factor,
    functions,
    least_squares,
    norms,
    singular,
    solve,
    spectral,
)
from lucid.ops.numpy_api.table import covers, same, tensor, tensors

__all__: list[str] = []

for _name, _ours in {
    "cond": norms.cond,
    "det": determinant.det,
    "diagonal": diagonals.diagonal,
    "eig": spectral.eig,
    "eigh": spectral.eigh,
    "eigvals": spectral.eigvals,
    "eigvalsh": spectral.eigvalsh,
    "inv": solve.inv,
    "matmul": matmul.matmul,
    "matrix_norm": norms.matrix_norm,
    "matrix_power": functions.matrix_power,
    "matrix_transpose": permute.matrix_transpose,
    "norm": norms.norm,
    "outer": contract.outer,
    "pinv": least_squares.pinv,
    "slogdet": determinant.slogdet,
    "solve": solve.solve,
    "svdvals": singular.svdvals,
    "trace": diagonals.trace,
    "vecdot": contract.vecdot,
    "vector_norm": norms.vector_norm,
}.items():
    same(getattr(np.linalg, _name), _ours, a="x1", b="x2", x="x")

covers(np.linalg.cross)(lambda x1, x2, /, *, axis=-1: contract.cross(x1, x2, axis=axis))
covers(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: contract.tensordot(x1, x2, axes=axes))
covers(np.linalg.cholesky)(lambda a, /, *, upper=False: factor.cholesky(a, upper=upper))


@covers(np.linalg.matrix_rank)
def _np_matrix_rank(
    A: Any,  # noqa: N803
    tol: Any = None,
    hermitian: bool = False,
    *,
    rtol: Any = None,
) -> Tensor:
    if tol is None:
        return norms.matrix_rank(A, rtol=rtol)
    return sort.count_nonzero(singular.svdvals(A) > tensor(tol)[..., None], axis=-1)


@covers(np.linalg.tensorsolve)
def _np_tensorsolve(a: Any, b: Any, axes: Any = None) -> Tensor:
    a, b = tensors((a, b))
    if axes is not None:
        rest = [i for i in range(a.ndim) if i not in [k % a.ndim for k in axes]]
        a = permute.permute_dims(a, (*rest, *(k % a.ndim for k in axes)))
    shape = a.shape[b.ndim :]
    size = math.prod(shape)
    return solve.solve(a.reshape((b.size, size)), b.reshape((-1,))).reshape(shape)


@covers(np.linalg.tensorinv)
def _np_tensorinv(a: Any, ind: int = 2) -> Tensor:
    first, last = a.shape[:ind], a.shape[ind:]
    return solve.inv(a.reshape((math.prod(first), -1))).reshape((*last, *first))


covers(np.linalg.lstsq)(lambda a, b, rcond=None: least_squares.lstsq(a, b, rcond))


@covers(np.linalg.qr)
def _np_qr(a: Any, mode: str = "reduced") -> Any:
    return factor.qr(a, mode=mode)


@covers(np.linalg.svd)
def _np_svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    return singular.svd(a, full_matrices=full_matrices) if compute_uv else singular.svdvals(a)


@covers(np.linalg.multi_dot)
def _np_multi_dot(arrays: Any, *, out: Any = None) -> Tensor:
    first, *rest = tensors(arrays)
    for x in rest:
        first = matmul.matmul(first, x)
    return first


# -- fft -------------------------------------------------------------------------------------------


def _transform(function: Any, ours: Callable[..., Tensor]) -> None:
    def one(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Tensor:
        return ours(a, n=n, axis=axis, norm=norm or "backward")

    covers(function)(one)


def _transforms(function: Any, ours: Callable[..., Tensor], axes: Any) -> None:
    default = axes

    def many(
        a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None
    ) -> Tensor:
        return ours(a, s=s, axes=axes, norm=norm or "backward")

    covers(function)(many)


_transform(np.fft.fft, complex_.fft)
_transform(np.fft.ifft, complex_.ifft)
_transform(np.fft.rfft, real.rfft)
_transform(np.fft.irfft, real.irfft)
_transform(np.fft.hfft, real.hfft)
_transform(np.fft.ihfft, real.ihfft)
_transforms(np.fft.fftn, complex_.fftn, None)
_transforms(np.fft.ifftn, complex_.ifftn, None)
_transforms(np.fft.rfftn, real.rfftn, None)
_transforms(np.fft.irfftn, real.irfftn, None)
_transforms(np.fft.fft2, complex_.fftn, (-2, -1))
_transforms(np.fft.ifft2, complex_.ifftn, (-2, -1))
_transforms(np.fft.rfft2, real.rfftn, (-2, -1))
_transforms(np.fft.irfft2, real.irfftn, (-2, -1))
covers(np.fft.fftshift)(lambda x, axes=None: frequencies.fftshift(x, axes=axes))
covers(np.fft.ifftshift)(lambda x, axes=None: frequencies.ifftshift(x, axes=axes))
