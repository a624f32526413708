"""Singular values and vectors: svd, svdvals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
from lucid.ops.linalg.gauge import (
    coincidence,
    far_diagonal,
    gaps,
    loud,
    loud_pairs,
    quotient,
    unless,
)
from lucid.ops.linalg.matrix import (
    Array,
    adjoint,
    batch_aligned,
    column,
    diagonal_of,
    hermitian,
    matrices,
    off_diagonal,
    real_of,
    real_part,
    row,
    skew,
)
from lucid.ops.linalg.spectral import failed

__all__ = ["SVDResult", "svd", "svdvals"]


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values, right singular vectors as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


# -- svd -------------------------------------------------------------------------------------------


def svd(x: ArrayLike, /, *, full_matrices: bool = True) -> SVDResult:
    """Compute singular value decompositions.

    A = U diag(s) Vᴴ, with k = min(m, n) singular values. Vectors beyond k, which `full_matrices`
    adds, are any basis of the rest of space: only functions of their span have a derivative.

    Where singular values coincide to rounding, or are zero, the derivative follows the rules of
    `eigh`: exact for symmetric functions of the values alone, and for functions of the vectors
    alone that depend on the spans (such as U Vᴴ); an error where the cotangents do not determine
    it, NaN in forward mode.

    Args:
        x: A, (..., m, n), floating or complex.
        full_matrices: whether U and Vᴴ are square.

    Returns:
        A named tuple: U, (..., m, m) or (..., m, k); S, (..., k), real and descending;
        Vh, (..., n, n) or (..., k, n). Each pair of vectors is determined up to a phase.

    Raises:
        LinAlgError: if the iteration does not converge; from the derivative, where singular values
            coincide that it has to tell apart, or for a function of the phases.
        ShapeError: if `x` has fewer than two axes.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.svd(lucid.asarray([[0.0, 2.0], [1.0, 0.0]])).S
        Tensor([2., 1.])
    """
    (a,) = matrices("svd", x)
    full = bool(full_matrices) and a.shape[-1] != a.shape[-2]
    return SVDResult(*apply(_svd, (a,), (full, False)))


def _svd_impl(a: Array, full: bool, strict: bool) -> Any:
    try:
        return np.linalg.svd(a, full_matrices=full)
    except np.linalg.LinAlgError:
        raise failed("svd", a) from None


def _svd_infer(a: Aval, full: bool, strict: bool) -> tuple[Aval, Aval, Aval]:
    *lead, m, n = a.shape
    k = min(m, n)
    return (
        Aval((*lead, m, m if full else k), a.dtype),
        _svdvals_infer(a),
        Aval((*lead, n if full else k, n), a.dtype),
    )


# With P = Uᴴ dA V, the rotations U Ω and V Ψ of the vectors obey
#     Ω + Ψ = 2 herm(P)[i, j] / (s[j] - s[i])  and  Ω - Ψ = 2 skew(P)[i, j] / (s[j] + s[i]),
# so that only their sum suffers from coinciding values, and U Vᴴ, say, does not. What leaves the
# span of the first k vectors is divided by s[j] alone.


def _sums(s: Tensor, phases: bool) -> Tensor:
    """Return s[i] + s[j]; the diagonal matters only where there are phases."""
    both = row(s) + column(s)
    return both if phases else both + far_diagonal(s)


def _svd_jvp(ans: Any, tangents: Any, args: Any, full: bool, strict: bool) -> Any:
    u, s, vh = ans
    (t,) = tangents
    k = s.shape[-1]
    v = adjoint(vh)
    u1, v1 = (u[..., :k], v[..., :k]) if full else (u, v)
    p = adjoint(u1) @ t @ v1
    floor = coincidence(s)

    def divide(x: Tensor, d: Tensor, among: Tensor) -> Tensor:
        return quotient(x, d, floor, strict or loud(x, among), "svd", strict=False)

    sym = hermitian(p)
    sym = divide(off_diagonal(sym), gaps(s), p)
    alt = divide(skew(p), _sums(s, t.dtype.kind == "c"), p)
    du, dv = u1 @ (sym + alt), v1 @ (sym - alt)
    if t.shape[-2] > k:
        tv = t @ v1
        du = _leave(du, u, divide(tv - u1 @ p, row(s), tv), full)
    if t.shape[-1] > k:
        tu = adjoint(t) @ u1
        dv = _leave(dv, v, divide(tu - v1 @ adjoint(p), row(s), tu), full)
    return du, real_part(diagonal_of(p)), adjoint(dv)


def _leave(du: Tensor, u: Tensor, away: Tensor, full: bool) -> Tensor:
    """Add to the motion of the first k vectors what leaves their span, and move the others."""
    du = du + away
    if not full:
        return du
    k = away.shape[-1]
    back = u[..., :k] @ adjoint(adjoint(u[..., k:]) @ away)
    return apply(OPS["concat"], (du, -back), (du.ndim - 1,))


def _svd_vjp(ct: Any, ans: Any, a: Tensor, full: bool, strict: bool) -> Tensor:
    gu, gs, gvh = ct
    u, s, vh = ans
    k = s.shape[-1]
    v, gv = adjoint(vh), None if gvh is None else adjoint(gvh)
    u1, v1 = (u[..., :k], v[..., :k]) if full else (u, v)
    total = None if gs is None else (u1 * row(gs)) @ adjoint(v1)
    if gu is None and gv is None:
        return total  # type: ignore[return-value]
    yu, away_u = _reach(gu, u, k, full)
    yv, away_v = _reach(gv, v, k, full)
    inside = _inside(yu, yv, gs, s, strict)
    g = u1 @ inside @ adjoint(v1)
    need_s = False if gs is None else row(loud(gs, axes=1))
    for away, left in ((away_u, True), (away_v, False)):
        if away is not None:
            need = True if strict else loud(away, gu if left else gv) | need_s
            away = quotient(away, row(s), coincidence(s), need, "svd")
            g = g + (away @ adjoint(v1) if left else u1 @ adjoint(away))
    return g if total is None else total + g


def _reach(gu: Tensor | None, u: Tensor, k: int, full: bool) -> tuple[Any, Any]:
    """Return the moment of a cotangent within the span of the first k vectors, and beyond it."""
    if gu is None:
        return None, None
    u1, g1 = (u[..., :k], gu[..., :k]) if full else (u, gu)
    y = adjoint(u1) @ g1
    if u.shape[-2] == k:
        return y, None
    away = g1 - u1 @ y
    if full and u.shape[-1] > k:
        rest = adjoint(u[..., k:]) @ gu
        away = unless(away, skew(rest[..., k:]), gu, "svd", "span")
        away = away - u[..., k:] @ (adjoint(gu[..., k:]) @ u1)
    return y, away


def _inside(yu: Any, yv: Any, gs: Any, s: Tensor, strict: bool) -> Tensor:
    """Return what the moments of both sides give in the basis of the singular vectors."""
    left: Any = 0 if yu is None else yu
    right: Any = 0 if yv is None else yv
    plus, minus = left + right, left - right
    phases = plus.dtype.kind == "c"
    if phases:
        plus = unless(plus, row(diagonal_of(skew(plus))), plus, "svd", "phase")
    floor = coincidence(s)
    part = skew(plus) if gs is None else plus
    part = off_diagonal(part)
    need = True if strict else loud_pairs(part, plus, gs)
    sym = quotient(part, gaps(s), floor, need, "svd")
    alt = skew(minus)
    need = True if strict else loud_pairs(alt, minus, gs)
    return hermitian(sym) + quotient(alt, _sums(s, phases), floor, need, "svd")


_svd = batch_aligned(
    general("svd", _svd_impl, infer=_svd_infer, jvp=_svd_jvp, vjps=[_svd_vjp], multi=True)
)


# -- svdvals ---------------------------------------------------------------------------------------


def svdvals(x: ArrayLike, /) -> Tensor:
    """Compute singular values.

    ds = Re diag(Uᴴ dA V). Where singular values coincide, this is the derivative of their
    symmetric functions, and a subgradient of the others. A value of exactly zero has the
    subgradient of least norm, zero.

    Args:
        x: A, (..., m, n), floating or complex.

    Returns:
        s, (..., min(m, n)), real and descending.

    Raises:
        LinAlgError: if the iteration does not converge; from second derivatives, where singular
            values coincide or are zero.
        ShapeError: if `x` has fewer than two axes.
        DTypeError: for integers.

    Example:
        >>> import lucid
        >>> lucid.linalg.svdvals(lucid.asarray([[0.0, 2.0], [1.0, 0.0]]))
        Tensor([2., 1.])
    """
    return apply(_svdvals, matrices("svdvals", x))


def _svdvals_impl(a: Array) -> Array:
    try:
        return np.linalg.svd(a, compute_uv=False)
    except np.linalg.LinAlgError:
        raise failed("svdvals", a) from None


def _svdvals_infer(a: Aval) -> Aval:
    return Aval((*a.shape[:-2], min(a.shape[-2:])), real_of(a.dtype))


def _svdvals_jvp(ans: Tensor, tangents: Any, args: Any) -> Tensor:
    u, s, vh = apply(_svd, args, (False, True))
    moved = real_part(diagonal_of(adjoint(u) @ tangents[0] @ adjoint(vh)))
    return moved * apply(OPS["sign"], (s,))


def _svdvals_vjp(ct: Tensor, ans: Tensor, a: Tensor) -> Tensor:
    u, s, vh = apply(_svd, (a,), (False, True))
    return (u * row(ct * apply(OPS["sign"], (s,)))) @ vh


_svdvals = batch_aligned(
    general("svdvals", _svdvals_impl, infer=_svdvals_infer, jvp=_svdvals_jvp, vjps=[_svdvals_vjp])
)
