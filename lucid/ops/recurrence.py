"""First-order linear recurrences, which the derivatives of cumulative operations are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid._lazy import scipy_linalg
from lucid.core.cotangent import conj
from lucid.core.define import general, linear, move_batch_first
from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.op import Aval
from lucid.core.tensor import Tensor

__all__ = ["recur", "shift"]


# -- shift -----------------------------------------------------------------------------------------


def shift(x: Tensor, axis: int, reverse: bool = False) -> Tensor:
    """Move entries one place on along an axis, 0 coming in and the last going out.

    With `reverse` they move towards the front.
    """
    return _shift(x, (axis, reverse))


def ahead(array: Any, axis: int, reverse: bool) -> Any:
    """Return a view in which a reverse direction along the last axis runs forwards."""
    moved = array.swapaxes(axis, -1)
    return moved[..., ::-1] if reverse else moved


def _shift_impl(x: Any, axis: int, reverse: bool) -> Any:
    ans = np.zeros_like(x)
    ahead(ans, axis, reverse)[..., 1:] = ahead(x, axis, reverse)[..., :-1]
    return ans


_shift = direct(
    linear(
        "shift",
        _shift_impl,
        transpose=lambda ct, x, axis, reverse: _shift(ct, (axis, not reverse)),
        batch=lambda x, axis, reverse: _shift(x, (axis + 1, reverse)),
        infer=lambda x, axis, reverse: x,
    )
)


# -- recurrence ------------------------------------------------------------------------------------


def recur(a: Tensor, b: Tensor, axis: int, reverse: bool = False) -> Tensor:
    """Solve sᵢ = aᵢ sᵢ₋₁ + bᵢ along an axis, with s before the first entry 0.

    A coefficient of 0 separates what is before from what is after, even from an infinity.

    Args:
        a: the coefficients, inexact; the first along the axis is not read.
        b: the inhomogeneity, of the shape and dtype of `a`.
        axis: a non-negative axis.
        reverse: run the recurrence from the end, sᵢ = aᵢ sᵢ₊₁ + bᵢ.

    Returns:
        The solution, of the same shape and dtype.
    """
    return apply(_recurrence, (a, b), (axis, reverse))


_TRIANGULAR = {
    np.dtype(name): f"{char}tbtrs"
    for name, char in (("f4", "s"), ("f8", "d"), ("c8", "c"), ("c16", "z"))
}


def _recurrence_impl(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    shape = np.broadcast_shapes(a.shape, b.shape)
    dtype = np.result_type(a, b)
    ans = np.empty(shape, dtype)
    a, b = (ahead(np.broadcast_to(t, shape), axis, reverse) for t in (a, b))
    if b.size:
        flat = _solve(a, b, dtype) if dtype in _TRIANGULAR else None
        ahead(ans, axis, reverse)[...] = _step_by_step(a, b, dtype) if flat is None else flat
    return ans


def _solve(a: Any, b: Any, dtype: Any) -> Any:
    """Solve by substitution with a bidiagonal matrix; None if infinities could spread.

    All sequences are one system, as a coefficient of 0 parts one sequence from the next.
    """
    band = np.ones((2, b.size), dtype, order="F")
    coefficients = -a
    coefficients[..., 0] = 0
    band[1, :-1] = coefficients.reshape(-1)[1:]
    column = np.array(b, dtype, order="C").reshape(-1, 1)
    solve = getattr(scipy_linalg.lapack, _TRIANGULAR[dtype])
    ans, _ = solve(band, column, uplo="L", diag="U", overwrite_b=True)
    return ans.reshape(b.shape) if np.isfinite(ans.sum()) else None


def _step_by_step(a: Any, b: Any, dtype: Any) -> Any:
    ans = np.array(b, dtype)
    for i in range(1, ans.shape[-1]):
        ans[..., i] += np.where(a[..., i] == 0, 0, a[..., i] * ans[..., i - 1])
    return ans


def _recurrence_jvp(
    ans: Tensor, tangents: Any, operands: Any, axis: int, reverse: bool
) -> Tensor | None:
    a, _ = operands
    ta, tb = tangents
    change = tb
    if ta is not None:
        change = ta * shift(ans, axis, reverse)
        change = change if tb is None else change + tb
    return None if change is None else recur(a, change, axis, reverse)


def _back(ct: Tensor, a: Tensor, axis: int, reverse: bool) -> Tensor:
    """Run the transposed recurrence, in which a coefficient belongs to the step out of an entry."""
    return recur(shift(conj(a), axis, not reverse), ct, axis, not reverse)


def _recurrence_batch(size: int, batched: Any, operands: Any, axis: int, reverse: bool) -> Tensor:
    a, b = move_batch_first(size, batched, operands)
    return recur(a, b, axis + 1, reverse)


def _infer_recurrence(a: Aval, b: Aval, axis: int, reverse: bool) -> Aval:
    return Aval(np.broadcast_shapes(a.shape, b.shape), np.result_type(a.dtype, b.dtype))


_recurrence = general(
    "recurrence",
    _recurrence_impl,
    infer=_infer_recurrence,
    jvp=_recurrence_jvp,
    vjps=(
        lambda ct, ans, a, b, axis, reverse: (
            _back(ct, a, axis, reverse) * conj(shift(ans, axis, reverse))
        ),
        lambda ct, ans, a, b, axis, reverse: _back(ct, a, axis, reverse),
    ),
    batch=_recurrence_batch,
)
