"""Cumulative operations: running sums, products, extrema and log-sum-exp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.cotangent import conj, fit, fit_raw, spread
from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval, Op, Rule
from lucid.core.tensor import Tensor, install
from lucid.errors import ShapeError, message
from lucid.ops.axes import as_tensor, axis_of, dtype_of
from lucid.ops.join import concat
from lucid.ops.recurrence import ahead, recur, shift
from lucid.ops.reduce import log_ratio

__all__ = ["cummax", "cummin", "cumulative_prod", "cumulative_sum", "logcumsumexp"]


def running(name: str, x: ArrayLike, axis: int | None) -> tuple[Tensor, int]:
    """Return the operand and axis of a cumulative operation; one axis need not be named."""
    t = as_tensor(name, x)
    if axis is None:
        if t.ndim != 1:
            hint = "pass axis="
            raise ShapeError(message(name, "an axis for all but one", f"shape {t.shape}", hint))
        return t, 0
    return t, axis_of(name, axis, t.ndim)


def cumulative(
    name: str, impl: Rule, *, jvp: Rule, vjp: Rule, masks: Rule | None = None
) -> Callable[..., Tensor]:
    """Register an operation along one axis that keeps the shape, with parameters ``(axis, *more)``.

    Args:
        name: the operation's name.
        impl: ``impl(x, axis, *more)``.
        jvp: ``jvp(ans, tangent, x, axis, *more)``.
        vjp: ``vjp(ct, ans, x, axis, *more)``.
        masks: which entries are selected, as in `Op`.
    """

    def infer(x: Aval, axis: int, *more: Any) -> Aval:
        one = impl(np.ones((1,) * x.ndim, x.dtype), axis, *more)
        return Aval(x.shape, one.dtype)

    def batch(size: int, batched: Any, operands: Any, axis: int, *more: Any) -> Tensor:
        return apply(op, tuple(operands), (axis + 1, *more))

    op = Op(
        name,
        impl,
        infer=infer,
        jvp=lambda ans, tangents, args, *more: spread(jvp(ans, tangents[0], args[0], *more), ans),
        vjps=(lambda ct, ans, x, *more: fit(vjp(ct, ans, x, *more), x),),
        batch=batch,
        masks=masks,
    )
    return direct(op)


# -- sums ------------------------------------------------------------------------------------------


def cumulative_sum(
    x: ArrayLike,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: bool = False,
) -> Tensor:
    """Add up the entries along an axis, yₖ = Σᵢ≤ₖ xᵢ.

    Args:
        x: a numeric array.
        axis: the axis to run along; it may be left out if there is only one.
        dtype: the dtype to add in and to return. By default that of `x`, except that integers and
            booleans are added as 64-bit integers.
        include_initial: begin with 0, so that the result is one entry longer.

    Returns:
        The running sums.

    Raises:
        ShapeError: if `axis` is left out although there is not exactly one axis.
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.cumulative_sum(lucid.asarray([1.0, 2.0, 3.0]))
        Tensor([1., 3., 6.])
    """
    t, k = running("cumulative_sum", x, axis)
    ans = _cumulative_sum(t, (k, False, dtype_of("cumulative_sum", dtype)))
    return _with_initial(ans, k, 0) if include_initial else ans


def _with_initial(ans: Tensor, axis: int, initial: int) -> Tensor:
    shape = (*ans.shape[:axis], 1, *ans.shape[axis + 1 :])
    return concat((Tensor(np.full(shape, initial, ans.dtype)), ans), axis=axis)


def _cumulative_sum_impl(x: Any, axis: int, reverse: bool, dtype: Any = None) -> Any:
    if reverse:
        return _flipped(np.add.accumulate(_flipped(x, axis), axis, dtype), axis)
    return np.add.accumulate(x, axis, dtype)


def _flipped(x: Any, axis: int) -> Any:
    return x[(slice(None),) * axis + (slice(None, None, -1),)]


_cumulative_sum = direct(
    linear(
        "cumulative_sum",
        _cumulative_sum_impl,
        transpose=lambda ct, x, axis, reverse, _=None: _cumulative_sum(ct, (axis, not reverse)),
        batch=lambda x, axis, *more: _cumulative_sum(x, (axis + 1, *more)),
    )
)
OPS["cumulative_sum"].raw = (
    lambda ct, ans, x, axis, reverse, _=None: fit_raw(
        _cumulative_sum_impl(ct, axis, not reverse), x
    ),
)


# -- products --------------------------------------------------------------------------------------


def cumulative_prod(
    x: ArrayLike,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: bool = False,
) -> Tensor:
    """Multiply the entries along an axis, yₖ = Πᵢ≤ₖ xᵢ.

    The derivative is made of products, never of quotients, so that zeros do no harm.

    Args:
        x: a numeric array.
        axis: the axis to run along; it may be left out if there is only one.
        dtype: the dtype to multiply in and to return. By default that of `x`, except that integers
            and booleans are multiplied as 64-bit integers.
        include_initial: begin with 1, so that the result is one entry longer.

    Returns:
        The running products.

    Raises:
        ShapeError: if `axis` is left out although there is not exactly one axis.
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.cumulative_prod(lucid.asarray([1.0, 2.0, 3.0]))
        Tensor([1., 2., 6.])
    """
    t, k = running("cumulative_prod", x, axis)
    ans = _cumulative_prod(t, (k, False, False, dtype_of("cumulative_prod", dtype)))
    return _with_initial(ans, k, 1) if include_initial else ans


def _cumulative_prod_impl(
    x: Any, axis: int, reverse: bool, exclusive: bool, dtype: Any = None
) -> Any:
    if reverse:
        x = _flipped(x, axis)
    ans = np.multiply.accumulate(x, axis, dtype)
    if exclusive:
        moved, ans = ans, np.ones_like(ans)
        ahead(ans, axis, False)[..., 1:] = ahead(moved, axis, False)[..., :-1]
    return _flipped(ans, axis) if reverse else ans


def _before(x: Tensor, axis: int, reverse: bool) -> Tensor:
    """Return the product of all entries before each."""
    return _cumulative_prod(x, (axis, reverse, True))


def _cumulative_prod_jvp(
    ans: Tensor, t: Tensor, x: Tensor, axis: int, reverse: bool, exclusive: bool, *_: Any
) -> Tensor:
    # From yₖ = xₖ yₖ₋₁ follows y'ₖ = xₖ y'ₖ₋₁ + x'ₖ yₖ₋₁.
    change = recur(x, t * _before(x, axis, reverse), axis, reverse)
    return shift(change, axis, reverse) if exclusive else change


def _cumulative_prod_vjp(
    ct: Tensor, ans: Tensor, x: Tensor, axis: int, reverse: bool, exclusive: bool, *_: Any
) -> Tensor:
    if exclusive:
        ct = shift(ct, axis, not reverse)
    carried = recur(shift(conj(x), axis, not reverse), ct, axis, not reverse)
    return carried * conj(_before(x, axis, reverse))


_cumulative_prod = cumulative(
    "cumulative_prod", _cumulative_prod_impl, jvp=_cumulative_prod_jvp, vjp=_cumulative_prod_vjp
)


# -- extrema ---------------------------------------------------------------------------------------


def cummax(x: ArrayLike, /, *, axis: int | None = None) -> Tensor:
    """Take the largest entry so far along an axis, yₖ = maxᵢ≤ₖ xᵢ.

    Entries that tie for the maximum so far share its cotangent equally; NaN is larger than
    anything.

    Args:
        x: a numeric array.
        axis: the axis to run along; it may be left out if there is only one.

    Returns:
        The running maxima, of the shape and dtype of `x`.

    Raises:
        ShapeError: if `axis` is left out although there is not exactly one axis.
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.cummax(lucid.asarray([2.0, 1.0, 3.0, 0.0]))
        Tensor([2., 2., 3., 3.])
    """
    t, k = running("cummax", x, axis)
    return _cummax(t, (k,))


def cummin(x: ArrayLike, /, *, axis: int | None = None) -> Tensor:
    """Take the smallest entry so far along an axis, yₖ = minᵢ≤ₖ xᵢ.

    Entries that tie for the minimum so far share its cotangent equally; NaN is smaller than
    anything.

    Args:
        x: a numeric array.
        axis: the axis to run along; it may be left out if there is only one.

    Returns:
        The running minima, of the shape and dtype of `x`.

    Raises:
        ShapeError: if `axis` is left out although there is not exactly one axis.
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.cummin(lucid.asarray([2.0, 3.0, 1.0, 4.0]))
        Tensor([2., 2., 1., 1.])
    """
    t, k = running("cummin", x, axis)
    return _cummin(t, (k,))


def _holders(x: Tensor, ans: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """Say which entries are the extremum so far.

    Returns:
        Booleans: those entries. Of their number, how many share the extremum at each place; and
        where the extremum is that of the place before: 1, else 0.
    """
    nan = ans != ans
    holds = (x == ans) | (x != x)
    last = shift(ans, axis)
    same = _as(ans.dtype, (last == ans) | (nan & (last != last)))
    return holds, recur(same, _as(ans.dtype, holds), axis), same


def _as(dtype: Any, x: Tensor) -> Tensor:
    return apply(OPS["astype"], (x,), (dtype,))


def _extremum_jvp(ans: Tensor, t: Tensor, x: Tensor, axis: int) -> Tensor:
    holds, count, same = _holders(x, ans, axis)
    change = apply(OPS["where"], (holds, t, 0.0))
    return recur(same, change, axis) / count


def _extremum_vjp(ct: Tensor, ans: Tensor, x: Tensor, axis: int) -> Tensor:
    holds, count, same = _holders(x, ans, axis)
    carried = recur(shift(same, axis, True), ct / count, axis, True)
    return apply(OPS["where"], (holds, carried, 0.0))


def _running_extremum(name: str, ufunc: np.ufunc) -> Callable[..., Tensor]:
    return cumulative(
        name,
        ufunc.accumulate,
        jvp=_extremum_jvp,
        vjp=_extremum_vjp,
        masks=lambda i, ans, operands, axis: _holders(operands[0], ans, axis)[0],
    )


_cummax = _running_extremum("cummax", np.maximum)
_cummin = _running_extremum("cummin", np.minimum)


# -- log-sum-exp -----------------------------------------------------------------------------------


def logcumsumexp(x: ArrayLike, /, *, axis: int | None = None) -> Tensor:
    """Compute yₖ = log Σᵢ≤ₖ exp(xᵢ) along an axis without overflow.

    Args:
        x: a real array; integers are taken as float64.
        axis: the axis to run along; it may be left out if there is only one.

    Returns:
        The running logarithms of sums.

    Raises:
        ShapeError: if `axis` is left out although there is not exactly one axis.
        IndexOutOfBoundsError: if the axis does not exist.
        DTypeError: if `x` is complex.

    Example:
        >>> import lucid
        >>> lucid.logcumsumexp(lucid.asarray([1000.0, 1000.0]))
        Tensor([1000.        , 1000.69314718])
    """
    t, k = running("logcumsumexp", x, axis)
    return _logcumsumexp(t, (k,))


def _shares(x: Tensor, ans: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return the derivatives of each sum by its last term, and by the sum before."""
    exp = OPS["exp"]
    before = shift(ans, axis)  # the first of them is not read
    return apply(exp, (log_ratio(x, ans),)), apply(exp, (log_ratio(before, ans),))


def _logcumsumexp_impl(x: Any, axis: int) -> Any:
    return np.logaddexp.accumulate(x if x.dtype.kind in "fc" else x.astype(np.float64), axis)


def _logcumsumexp_jvp(ans: Tensor, t: Tensor, x: Tensor, axis: int) -> Tensor:
    term, rest = _shares(x, ans, axis)
    return recur(rest, term * t, axis)


def _logcumsumexp_vjp(ct: Tensor, ans: Tensor, x: Tensor, axis: int) -> Tensor:
    term, rest = _shares(x, ans, axis)
    return term * recur(shift(rest, axis, True), ct, axis, True)


_logcumsumexp = cumulative(
    "logcumsumexp", _logcumsumexp_impl, jvp=_logcumsumexp_jvp, vjp=_logcumsumexp_vjp
)


# -- NumPy's methods -------------------------------------------------------------------------------


def _method(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def method(self: Tensor, axis: int | None = None) -> Tensor:
        flat = self if axis is not None else self.reshape((self.size,))
        return function(flat, axis=0 if axis is None else axis)

    return method


install({"cumsum": _method(cumulative_sum), "cumprod": _method(cumulative_prod)})
