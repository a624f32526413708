"""Determinants: det, slogdet, and the adjugate that differentiates det at singular matrices too."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lucid.core.cotangent import conj
from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.ops.linalg.matrix import (
    Array,
    adjoint,
    batch_aligned,
    eye,
    matrix,
    real_of,
    real_part,
    same,
    scalar,
    trace_of,
)
from lucid.ops.linalg.solve import inv

__all__ = ["SlogdetResult", "det", "slogdet"]


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of determinants."""

    sign: Tensor
    logabsdet: Tensor


# -- det -------------------------------------------------------------------------------------------


def det(x: ArrayLike, /) -> Tensor:
    """Compute determinants.

    d det A = tr(adj(A) dA), where adj(A) = det(A) A⁻¹ extends to singular matrices: their
    determinant has a derivative too.

    Args:
        x: A, (..., n, n), floating or complex.

    Returns:
        (...); 1 for n = 0.

    Raises:
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.det(lucid.asarray([[2.0, 0.0], [0.0, 4.0]]))
        Tensor(8.)
    """
    return apply(_det, (matrix("det", x),))


_det = batch_aligned(
    general(
        "det",
        np.linalg.det,
        infer=lambda a: Aval(a.shape[:-2], a.dtype),
        jvp=lambda ans, tangents, args: trace_of(apply(_adjugate, args) @ tangents[0]),
        vjps=[lambda ct, ans, a: scalar(ct) * adjoint(apply(_adjugate, (a,)))],
    )
)


# The adjugate is a polynomial in the entries, defined for singular matrices. Its derivative in the
# direction E is adj'(A; E) = (tr(adj(A) E) - adj(A) E) A⁻¹, a polynomial as well. Both come from
# A⁻¹ where that is accurate, otherwise from the singular values s: in the singular bases adj(A)
# is diagonal with the products of all s but one. As tr(adj'(A; E) F) is symmetric in E and F, the
# adjoint of E → adj'(A; E) is the operation itself between conjugate transposes.


def _accurate_inverse(a: Array) -> Array | None:
    """Return the inverses if all of them have at least half of the digits."""
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    condition = np.abs(a).sum(-2).max(-1) * np.abs(inverse).sum(-2).max(-1)
    good = condition * np.sqrt(np.finfo(a.dtype).eps) < 1
    return inverse if good.all() else None


def _all_but_one(s: Array) -> Array:
    """Return the products of all entries of the last axis but one."""
    before = np.cumprod(np.concatenate((np.ones_like(s[..., :1]), s[..., :-1]), -1), -1)
    after = np.cumprod(np.concatenate((np.ones_like(s[..., :1]), s[..., :0:-1]), -1), -1)
    return before * after[..., ::-1]


def _adjugate_impl(a: Array) -> Array:
    if a.size == 0:
        return np.zeros_like(a)
    inverse = _accurate_inverse(a)
    if inverse is not None:
        return np.linalg.det(a)[..., None, None] * inverse
    u, s, vh = np.linalg.svd(a)
    unit = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    v, uh = vh.conj().swapaxes(-1, -2), u.conj().swapaxes(-1, -2)
    return unit * ((v * _all_but_one(s)[..., None, :]) @ uh)


def _adjugate_tangent_impl(a: Array, e: Array) -> Array:
    if a.size == 0 or e.size == 0:
        return np.zeros(np.broadcast_shapes(a.shape, e.shape), np.result_type(a, e))
    inverse = _accurate_inverse(a)
    if inverse is not None:
        moved = np.linalg.det(a)[..., None, None] * inverse @ e
        return (np.trace(moved, axis1=-2, axis2=-1)[..., None, None] * inverse) - moved @ inverse
    u, s, vh = np.linalg.svd(a)
    unit = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    v, uh = vh.conj().swapaxes(-1, -2), u.conj().swapaxes(-1, -2)
    one = np.eye(s.shape[-1], dtype=s.dtype)
    pairs = _all_but_one(np.where(one, 1, s[..., None, :]).astype(s.dtype)) * (1 - one)
    inner = uh @ e @ v
    diagonal = pairs @ np.diagonal(inner, axis1=-2, axis2=-1)[..., None]
    return unit * (v @ (diagonal * one - pairs * inner) @ uh)


def _second(a: Tensor, e: Tensor, ans: Tensor, change: Tensor) -> Tensor:
    """Return the derivative of adj'(A; E) with respect to A in a direction, for invertible A."""
    moved = apply(_adjugate_tangent, (a, change)) @ e
    whole = scalar(trace_of(moved)) * eye(a.shape[-1], a) - moved - ans @ change
    return whole @ inv(a)


def _adjugate_tangent_jvp(ans: Tensor, tangents: Any, args: Any) -> Tensor:
    ta, te = tangents
    a, e = args
    if ta is None:
        return apply(_adjugate_tangent, (a, te))
    total = _second(a, e, ans, ta)
    return total if te is None else total + apply(_adjugate_tangent, (a, te))


_adjugate = batch_aligned(
    general(
        "adjugate",
        _adjugate_impl,
        infer=same,
        jvp=lambda ans, tangents, args: apply(_adjugate_tangent, (args[0], tangents[0])),
        vjps=[lambda ct, ans, a: adjoint(apply(_adjugate_tangent, (a, adjoint(ct))))],
    )
)

_adjugate_tangent = batch_aligned(
    general(
        "adjugate_tangent",
        _adjugate_tangent_impl,
        infer=lambda a, e: Aval(
            np.broadcast_shapes(a.shape, e.shape), np.result_type(a.dtype, e.dtype)
        ),
        jvp=_adjugate_tangent_jvp,
        vjps=[
            lambda ct, ans, a, e: adjoint(_second(a, e, ans, adjoint(ct))),
            lambda ct, ans, a, e: adjoint(apply(_adjugate_tangent, (a, adjoint(ct)))),
        ],
    )
)


# -- slogdet ---------------------------------------------------------------------------------------


def slogdet(x: ArrayLike, /) -> SlogdetResult:
    """Compute sign and logarithm of the absolute value of determinants, without overflow.

    det A = sign · exp(logabsdet); d log|det A| = Re tr(A⁻¹ dA).

    Args:
        x: A, (..., n, n), floating or complex.

    Returns:
        A named tuple (sign, logabsdet), each (...). The sign has absolute value 1 and the dtype of
        `x`; for a singular matrix it is 0, and logabsdet is -inf.

    Raises:
        LinAlgError: from the derivative at a singular matrix, where it is infinite.
        ShapeError: if a matrix is not square.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.slogdet(lucid.asarray([[0.0, 1.0], [1.0, 0.0]]))
        SlogdetResult(sign=Tensor(-1.), logabsdet=Tensor(0.))
    """
    return SlogdetResult(*apply(_slogdet, (matrix("slogdet", x),)))


def _slogdet_jvp(ans: Any, tangents: Any, args: Any) -> tuple[Tensor | None, Tensor]:
    change = trace_of(inv(args[0]) @ tangents[0])
    log = real_part(change)
    return ans[0] * (change - log) if change.dtype.kind == "c" else None, log


def _slogdet_vjp(ct: Any, ans: Any, a: Tensor) -> Tensor | None:
    gsign, glog = ct
    total = glog
    if gsign is not None and a.dtype.kind == "c":
        turn = gsign * conj(ans[0])
        turn = turn - real_part(turn)
        total = turn if glog is None else glog + turn
    if total is None:  # the sign of a real determinant alone
        return None
    return scalar(total) * adjoint(inv(a))


def _slogdet_infer(a: Aval) -> tuple[Aval, Aval]:
    return Aval(a.shape[:-2], a.dtype), Aval(a.shape[:-2], real_of(a.dtype))


_slogdet = batch_aligned(
    general(
        "slogdet",
        np.linalg.slogdet,
        infer=_slogdet_infer,
        jvp=_slogdet_jvp,
        vjps=[_slogdet_vjp],
        multi=True,
    )
)
