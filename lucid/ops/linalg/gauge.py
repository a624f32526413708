"""Division by spectral gaps, which decides what a degenerate spectrum means for a derivative.

Eigenvectors and singular vectors are unique only up to a *gauge*: a phase each, and a rotation
among those of one eigenvalue. The derivative of a function of them divides by the differences of
the eigenvalues. Where two of them coincide (to rounding), the cotangents of the eigenvalues and
vectors no longer determine the derivative: of ``V f(w) Vᴴ`` at a multiple eigenvalue one would
have to know f', of which only f(w) is left. So a coinciding pair is left out where nothing
depends on it, and otherwise reverse mode raises and forward mode gives NaN in those vectors alone.

What depends on a pair is seen from the cotangents of its values and vectors. They can all be zero
by accident, where f vanishes at the eigenvalue and the cotangent of the matrix happens to be off
the diagonal in the computed basis (single rows of the Jacobian of ``V log(w) Vᴴ`` at A = 1); no
rule can tell that from a function of other vectors. `logm`, `sqrtm` and `expm` have no such gap.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit
from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
from lucid.errors import LinAlgError, message
from lucid.ops.linalg.matrix import Array, batch_aligned, column, constant, row

__all__ = [
    "coincidence",
    "far_diagonal",
    "gaps",
    "loud",
    "loud_pairs",
    "quotient",
    "unless",
]

# Computed eigenvalues are off by a small multiple of eps·‖A‖, more for larger matrices. Cotangents
# carry the rounding of a whole program; one that matters does not hide below half of the digits.
_SLACK = 10


def largest(x: Tensor, axes: int) -> Tensor:
    """Return the largest absolute value over the last one or two axes, which are kept."""
    return apply(OPS["max"], (abs(x),), (tuple(range(x.ndim - axes, x.ndim)), True))


def coincidence(w: Tensor) -> Tensor | float:
    """Return the distance (..., 1, 1) up to which eigenvalues (..., n) count as equal."""
    n = w.shape[-1]
    return row(largest(w, 1) * (_SLACK * n * float(np.finfo(w.dtype).eps))) if n else 0.0


def gaps(w: Tensor) -> Tensor:
    """Return the differences w[j] - w[i], infinite on the diagonal: it is no coincidence."""
    return row(w) - column(w) + far_diagonal(w)


def far_diagonal(w: Tensor) -> Tensor:
    """Return a matrix that is infinite on the diagonal and zero elsewhere."""
    return constant(np.diag(np.full(w.shape[-1], np.inf)), w)


def loud(x: Tensor, among: Tensor | None = None, axes: int = 2) -> Tensor:
    """Return which entries are more than rounding among those of a matrix.

    With ``axes=1``, of a vector. `among` is `x` itself by default.
    """
    among = x if among is None else among
    if 0 in among.shape[among.ndim - axes :]:  # nothing to take the largest of
        return abs(x) > 0
    return abs(x) > largest(among, axes) * math.sqrt(np.finfo(among.dtype).eps)


def loud_pairs(y: Tensor, among: Tensor, gw: Tensor | None) -> Tensor:
    """Return which pairs (i, j) the entries of `y`, or a cotangent of eigenvalue i or j, need."""
    here = loud(y, among)
    if gw is None:
        return here
    w = loud(gw, axes=1)
    return here | row(w) | column(w)


def quotient(y: Tensor, d: Tensor, floor: Any, need: Any, name: str, strict: bool = True) -> Tensor:
    """Divide element by element where the denominator is more than rounding.

    Args:
        y: the numerator.
        d: the denominator, broadcast against `y`.
        floor: the size up to which a denominator counts as zero; the result there is zero.
        need: where a zero denominator matters, a boolean Tensor or number.
        name: the operation that an error names.
        strict: whether to raise where it matters; otherwise the result there is NaN.

    Raises:
        LinAlgError: if a denominator that matters is zero.
    """
    return apply(_quotient, (y, d, floor, need), (name, strict))


_VECTORS = "distinct eigenvalues where a function of eigenvectors is differentiated"
_EXPECTED = {
    "eigh": _VECTORS,
    "eig": _VECTORS,
    "svd": "distinct nonzero singular values where a function of their vectors is differentiated",
    "phase": "a function that does not depend on the phases of the vectors",
    "span": "a function of the columns beyond the rank that depends on their span alone",
}
_HINT = (
    "use eigvalsh, eigvals or svdvals for a function of the values alone, and sqrtm, logm, expm or "
    "pinv for a function of the matrix"
)


def _quotient_impl(y: Array, d: Array, floor: Any, need: Any, name: str, strict: bool) -> Array:
    close = np.abs(d) <= floor
    lost = np.broadcast_to(close, np.broadcast_shapes(close.shape, y.shape)) & need
    if strict and lost.any():
        *_, i, j = np.argwhere(lost)[0]
        gap = np.broadcast_to(np.abs(d), lost.shape)[lost][0]
        got = f"a gap of {gap:.1e} at the pair ({i}, {j})"
        raise LinAlgError(message(f"{name}: derivative", _EXPECTED[name], got, _HINT))
    with np.errstate(all="ignore"):
        z = np.where(close, y * 0, y / np.where(close, 1, d))  # y * 0: a NaN stays one
    return z if strict else np.where(lost, np.nan, z).astype(z.dtype)


def _divide(y: Tensor, d: Tensor, floor: Any, name: str, strict: bool) -> Tensor:
    return apply(_quotient, (y, d, floor, loud(y)), (name, strict))


def _quotient_jvp(ans: Any, tangents: Any, args: Any, name: str, strict: bool) -> Tensor | None:
    ty, td = tangents[:2]
    _, d, floor, _ = args
    change = ty if td is None else -ans * td if ty is None else ty - ans * td
    return None if change is None else _divide(change, d, floor, name, False)


def _quotient_vjp(
    ct: Tensor, needs: Any, ans: Tensor, args: Any, name: str, strict: bool
) -> tuple[Tensor | None, ...]:
    y, d, floor, _ = args
    g = _divide(ct, conj(d), floor, name, True)
    gd = fit(-g * conj(ans), d) if needs[1] else None
    return fit(g, y), gd, None, None


def _quotient_infer(y: Aval, d: Aval, floor: Any, need: Any, *params: Any) -> Aval:
    return Aval(np.broadcast_shapes(y.shape, d.shape), np.result_type(y.dtype, d.dtype))


_quotient = batch_aligned(
    general(
        "spectral_quotient",
        _quotient_impl,
        infer=_quotient_infer,
        jvp=_quotient_jvp,
        vjp=_quotient_vjp,
    )
)


def unless(x: Tensor, y: Tensor, among: Tensor, name: str, kind: str) -> Tensor:
    """Return `x`, or raise unless `y` is rounding among the entries of a third matrix.

    All of a cotangent can be rounding, where contributions have cancelled; of so little no error
    is made, as ignoring it is no more than to choose a gauge. The check is added to `x` as a zero,
    so that a compiled program keeps it.
    """
    need = loud(y, among) & (abs(y) > 100 * float(np.finfo(y.dtype).eps))
    return x + apply(_check, (need,), (name, kind, x.dtype))


def _check_impl(need: Array, name: str, kind: str, dtype: Any) -> Array:
    if need.any():
        j = np.argwhere(need)[0][-1]
        got = f"one that turns with vector {j}"
        raise LinAlgError(message(f"{name}: derivative", _EXPECTED[kind], got, _HINT))
    return np.zeros((*need.shape[:-2], 1, 1), dtype)


_check = batch_aligned(
    general(
        "spectral_check",
        _check_impl,
        infer=lambda need, name, kind, dtype: Aval((*need.shape[:-2], 1, 1), dtype),
        smooth=False,
    )
)
