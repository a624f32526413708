"""Selection: the element-by-element choice between operands, and what is made of it.

The derivative of a selection selects as well. It never multiplies by 0 or 1, so that a NaN or an
infinity beside the chosen element does not reach the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import select_raw, unbroadcast_mask
from lucid.core.define import elementwise
from lucid.core.dispatch import PYTHON, apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, install
from lucid.errors import OperandError, message
from lucid.ops.axes import as_tensor
from lucid.ops.compare import not_equal
from lucid.ops.pointwise import BELOW, rules

__all__ = ["clip", "fmax", "fmin", "maximum", "minimum", "where"]


def where(condition: ArrayLike, x1: ArrayLike | None = None, x2: ArrayLike | None = None, /) -> Any:
    """Choose from one of two operands, element by element.

    The result is x1 where `condition` holds, x2 elsewhere. What is not chosen has derivative 0,
    whatever its own derivative is there: the gradient of ``where(x > 0, log(x), 0)`` at 0 is 0.

    Args:
        condition: boolean; of another dtype, whether it differs from zero.
        x1: what to take where it holds, of a shape that broadcasts with the others.
        x2: what to take where it does not.

    Returns:
        The choice, of the broadcast shape and the promoted dtype of `x1` and `x2`. With the
        condition alone, the tuple of indices at which it holds, as `nonzero` gives.

    Raises:
        ShapeError: if the shapes do not broadcast together.
        OperandError: if only one of `x1` and `x2` is given.

    Example:
        >>> import lucid
        >>> x = lucid.asarray([-1.0, 4.0])
        >>> lucid.where(x > 0, x, 0)
        Tensor([0., 4.])
    """
    if x1 is None and x2 is None:
        return as_tensor("where", condition).nonzero()
    if x1 is None or x2 is None:
        hint = "give both x1 and x2, or the condition alone"
        raise OperandError(message("where", "two operands to choose from", "one", hint))
    if isinstance(condition, bool | int | float | complex):
        condition = Tensor(bool(condition))
    elif isinstance(condition, Tensor | np.ndarray) and condition.dtype.kind != "b":
        condition = not_equal(condition, 0)
    return _where(condition, x1, x2)


@elementwise(np.where, BELOW, BELOW, BELOW, name="where")
def _where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """Choose from one of two operands."""
    ...


def _where_jvp(ans: Any, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
    _, t1, t2 = tangents
    if t1 is None and t2 is None:
        return None
    return _where(operands[0], 0 if t1 is None else t1, 0 if t2 is None else t2)


def _where_masks(i: int, ans: Any, operands: Sequence[Any]) -> Any:
    condition = operands[0]
    return unbroadcast_mask(condition if i == 1 else ~condition, operands[i].shape) if i else None


rules(
    _where,
    jvp=_where_jvp,
    vjps=(
        None,
        lambda ct, ans, condition, x1, x2: _where(condition, ct, 0),
        lambda ct, ans, condition, x1, x2: _where(condition, 0, ct),
    ),
    masks=_where_masks,
    raw=(
        None,
        lambda ct, ans, condition, x1, x2: select_raw(condition, ct),
        lambda ct, ans, condition, x1, x2: select_raw(~condition, ct),
    ),
)


# -- the larger and the smaller --------------------------------------------------------------------


@elementwise(np.maximum, BELOW, BELOW)
def maximum(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the larger of two operands, element by element; NaN if either is.

    Where the operands are equal, each takes half of the derivative.

    Args:
        x1: the first operand, of any shape, real.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        The larger, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.maximum(lucid.asarray([1.0, 5.0]), 3.0)
        Tensor([3., 5.])
    """
    ...


@elementwise(np.minimum, BELOW, BELOW)
def minimum(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the smaller of two operands, element by element; NaN if either is.

    Where the operands are equal, each takes half of the derivative.

    Args:
        x1: the first operand, of any shape, real.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        The smaller, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.minimum(lucid.asarray([1.0, 5.0]), 3.0)
        Tensor([1., 3.])
    """
    ...


@elementwise(np.fmax, BELOW, BELOW)
def fmax(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the larger of two operands, element by element; the other one if one is NaN.

    Where the operands are equal, each takes half of the derivative.

    Args:
        x1: the first operand, of any shape, real.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        The larger, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.fmax(lucid.asarray([1.0, lucid.nan]), 3.0)
        Tensor([3., 3.])
    """
    ...


@elementwise(np.fmin, BELOW, BELOW)
def fmin(x1: ArrayLike, x2: ArrayLike, /) -> Tensor:
    """Return the smaller of two operands, element by element; the other one if one is NaN.

    Where the operands are equal, each takes half of the derivative.

    Args:
        x1: the first operand, of any shape, real.
        x2: the second operand, of a shape that broadcasts with that of `x1`.

    Returns:
        The smaller, of the broadcast shape and the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.fmin(lucid.asarray([1.0, lucid.nan]), 3.0)
        Tensor([1., 3.])
    """
    ...


Wins = Callable[[Any, Any], Any]  # which elements of the first operand beat those of the second


def _contest(function: Callable[..., Any], wins: Wins) -> None:
    """Give a choice between two operands its rules; where neither wins, they share."""

    def jvp(ans: Any, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
        x1, x2 = operands
        t1, t2 = (0 if t is None else t for t in tangents)
        return _where(wins(x1, x2), t1, _where(wins(x2, x1), t2, 0.5 * t1 + 0.5 * t2))

    def share(ct: Any, mine: Any, other: Any) -> Any:
        return _where(wins(mine, other), ct, _where(wins(other, mine), 0, 0.5 * ct))

    def share_raw(ct: Any, mine: Any, other: Any) -> Any:
        won, lost = wins(mine, other), wins(other, mine)
        if np.count_nonzero(won) + np.count_nonzero(lost) == won.size:
            return select_raw(won, ct)
        return np.where(won, ct, np.where(lost, 0, 0.5 * ct))

    def masks(i: int, ans: Any, operands: Sequence[Any]) -> Any:
        mine, other = operands[i], operands[1 - i]
        return unbroadcast_mask(~wins(other, mine), mine.shape)

    rules(
        function,
        jvp=jvp,
        vjps=(
            lambda ct, ans, x1, x2: share(ct, x1, x2),
            lambda ct, ans, x1, x2: share(ct, x2, x1),
        ),
        masks=masks,
        raw=(
            lambda ct, ans, x1, x2: share_raw(ct, x1, x2),
            lambda ct, ans, x1, x2: share_raw(ct, x2, x1),
        ),
    )


_contest(maximum, lambda a, b: a > b)
_contest(minimum, lambda a, b: a < b)
_contest(fmax, lambda a, b: (a > b) | ((b != b) & (a == a)))
_contest(fmin, lambda a, b: (a < b) | ((b != b) & (a == a)))


# -- limits ----------------------------------------------------------------------------------------


def clip(x: ArrayLike, /, min: ArrayLike | None = None, max: ArrayLike | None = None) -> Tensor:
    """Limit every element to an interval.

    The result is the smaller of `max` and the larger of `min` and x. At a limit the derivative by
    x is 0, the subgradient of least norm; the limit has it.

    Args:
        x: of any shape, real.
        min: the lower limit, of a shape that broadcasts with that of `x`; None: there is none.
        max: the upper limit, likewise.

    Returns:
        The limited values, of the broadcast shape and of the dtype of `x`; if `x` is integer and
        a limit floating, of the promoted dtype.

    Raises:
        ShapeError: if the shapes do not broadcast together.

    Example:
        >>> import lucid
        >>> lucid.clip(lucid.asarray([-1.0, 0.5, 2.0]), 0.0, 1.0)
        Tensor([0. , 0.5, 1. ])
    """
    dtype = getattr(x, "dtype", None)
    lower, upper = min, max
    if dtype is not None and dtype.kind in "iu":
        limits = np.iinfo(dtype)  # a Python integer beyond them does not limit anything
        lower = None if type(min) is int and min <= limits.min else min
        upper = None if type(max) is int and max >= limits.max else max
    if lower is None and upper is None:
        return as_tensor("clip", x, view=True)
    if upper is None:
        out = _at_least(x, lower)
    else:
        out = _at_most(x, upper) if lower is None else _between(x, lower, upper)
    if dtype is not None and out.dtype.kind == dtype.kind and out.dtype != dtype:
        return apply(OPS["astype"], (out,), (dtype,))
    return out


# Not the ufuncs themselves: those are the implementation of `maximum` and `minimum`.
@elementwise(lambda x, limit: np.maximum(x, limit), BELOW, BELOW, name="clip_lower")
def _at_least(x: Any, limit: Any, /) -> Any:
    """Return `limit` where `x` is not above it."""
    ...


@elementwise(lambda x, limit: np.minimum(x, limit), BELOW, BELOW, name="clip_upper")
def _at_most(x: Any, limit: Any, /) -> Any:
    """Return `limit` where `x` is not below it."""
    ...


def _limit(function: Callable[..., Any], limited: Wins) -> None:
    """Give a limit its rules; `limited` tells where it holds."""

    def jvp(ans: Any, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
        t, limit = (0 if t is None else t for t in tangents)
        return _where(limited(*operands), limit, t)

    def masks(i: int, ans: Any, operands: Sequence[Any]) -> Any:
        held = limited(*operands)
        return unbroadcast_mask(held if i else ~held, operands[i].shape)

    rules(
        function,
        jvp=jvp,
        vjps=(
            lambda ct, ans, x, limit: _where(limited(x, limit), 0, ct),
            lambda ct, ans, x, limit: _where(limited(x, limit), ct, 0),
        ),
        masks=masks,
        raw=(
            lambda ct, ans, x, limit: select_raw(ans != limit, ct),
            lambda ct, ans, x, limit: select_raw(limited(x, limit), ct),
        ),
    )


_limit(_at_least, lambda x, limit: x <= limit)
_limit(_at_most, lambda x, limit: x >= limit)


def _between_impl(x: Any, low: Any, high: Any) -> Any:
    if type(x) is np.ndarray and x.dtype.kind == "f" and {type(low), type(high)} <= PYTHON:
        return x.clip(low, high)  # in one pass
    return np.minimum(np.maximum(x, low), high)


# Both limits in one: an operation of its own reads and writes half as much memory.
@elementwise(_between_impl, BELOW, BELOW, BELOW, name="clip")
def _between(x: Any, low: Any, high: Any, /) -> Any:
    """Return `x` limited to an interval; where the limits cross, the upper one."""
    ...


def _between_jvp(ans: Any, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
    x, low, high = operands
    t, t_low, t_high = (0 if t is None else t for t in tangents)
    return _where(ans == high, t_high, _where(x <= low, t_low, t))


def _between_parts(i: int, ans: Any, x: Any, low: Any, high: Any) -> Any:
    """Return where operand i is the result."""
    if i == 0:
        return ~((x <= low) | (ans == high))
    return (x <= low) & (ans != high) if i == 1 else ans == high


def _between_vjp(i: int) -> Callable[..., Any]:
    return lambda ct, ans, *operands: _where(_between_parts(i, ans, *operands), ct, 0)


def _between_raw(i: int) -> Callable[..., Any]:
    return lambda ct, ans, *operands: select_raw(_between_parts(i, ans, *operands), ct)


rules(
    _between,
    jvp=_between_jvp,
    vjps=[_between_vjp(i) for i in range(3)],
    masks=lambda i, ans, operands: unbroadcast_mask(
        _between_parts(i, ans, *operands), operands[i].shape
    ),
    raw=[_between_raw(i) for i in range(3)],
)


install({"clip": clip})
