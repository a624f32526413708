"""Transformations of some steps alone: accumulation, lookahead, and what skips bad gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

from lucid.core.parameter import Fixed
from lucid.core.tensor import Tensor
from lucid.ops.compare import isfinite
from lucid.optim.combine import check_rule
from lucid.optim.gradients import check_every
from lucid.optim.kernels import check_options, check_params, where
from lucid.optim.transform import (
    GradientTransformation,
    flat,
    is_updated,
    leafwise,
    take,
    zeros,
)

__all__ = [
    "AccumulateState",
    "ApplyIfFiniteState",
    "LookaheadState",
    "accumulate",
    "apply_if_finite",
    "lookahead",
]


class AccumulateState(NamedTuple):
    """State of `accumulate`.

    Attributes:
        mini_step: gradients since the last step.
        mean: their mean, of the structure of the parameters.
        inner: the state of what the means go through.
    """

    mini_step: Any
    mean: Any
    inner: Any


class LookaheadState(NamedTuple):
    """State of `lookahead`.

    Attributes:
        since: steps since the last meeting.
        slow: the slow parameters.
        inner: the state of what steps between meetings.
    """

    since: Any
    slow: Any
    inner: Any


class ApplyIfFiniteState(NamedTuple):
    """State of `apply_if_finite`.

    Attributes:
        notfinite_count: updates skipped in a row.
        total_notfinite: updates skipped in all.
        inner: the state of what finite gradients go through.
    """

    notfinite_count: Any
    total_notfinite: Any
    inner: Any


def accumulate(inner: GradientTransformation, every_k: int) -> GradientTransformation:
    """Return a transformation that takes the mean of `every_k` gradients for one step.

    The other updates are zero. Steps over k parts of a batch are then those over the whole batch.

    Args:
        inner: what the means go through.
        every_k: how many gradients make a step.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if `inner` is no gradient transformation, or `every_k` no positive integer.

    Example:
        >>> from lucid import optim
        >>> rule = optim.accumulate(optim.sgd(1.0), 2)
        >>> first, state = rule.update(1.0, rule.init(0.0))
        >>> first, rule.update(3.0, state)[0]
        (Tensor(0.), Tensor(-2.))
    """
    check_rule("accumulate", inner)
    check_every("accumulate", "every_k", every_k)

    def init(params: Any) -> AccumulateState:
        return AccumulateState(0, zeros(params), inner.init(params))

    def update(grads: Any, state: AccumulateState, params: Any = None) -> tuple[Any, Any]:
        count = state.mini_step + 1
        kernel = lambda g, mean, share: (mean + (g - mean) * share,)  # noqa: E731
        (mean,) = leafwise("accumulate", kernel, grads, (), state.mean, (1.0 / count,))
        last = count == every_k
        none = zeros(grads)
        if last is False:
            return none, AccumulateState(count, mean, state.inner)
        updates, after = inner.update(mean, state.inner, params)
        updates, after = select(last, (updates, after), (none, state.inner))
        return updates, AccumulateState(where(last, 0, count), select(last, none, mean), after)

    return GradientTransformation(init, update)


def lookahead(
    inner: GradientTransformation, sync_period: int = 6, slow_step_size: Any = 0.5
) -> GradientTransformation:
    """Return a transformation that goes back some way after every `sync_period` steps.

    Slow parameters s wait where the fast ones p began; after `sync_period` steps of `inner`,
    s ← s + slow_step_size·(p - s), and the fast ones begin anew from there.

    Args:
        inner: the steps of the fast parameters.
        sync_period: how many of them there are between two meetings.
        slow_step_size: the share of the way that is kept.

    Returns:
        The gradient transformation, whose `update` needs the parameters; they are the fast ones,
        and the slow ones are part of its state.

    Raises:
        OptionError: if `inner` is no gradient transformation, `sync_period` no positive integer or
            `slow_step_size` negative.

    Example:
        >>> from lucid import optim
        >>> rule, x = optim.lookahead(optim.sgd(1.0), 2, 0.5), 0.0
        >>> state = rule.init(x)
        >>> for _ in range(2):
        ...     updates, state = rule.update(-1.0, state, x)
        ...     x = optim.apply_updates(x, updates)
        >>> x
        Tensor(1.)

    References:
        Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", NeurIPS 2019.
    """
    check_rule("lookahead", inner)
    check_every("lookahead", "sync_period", sync_period)
    check_options("lookahead", slow_step_size=slow_step_size)

    def init(params: Any) -> LookaheadState:
        values, rebuild = flat(params)
        slow = [take(x) if is_updated(x) and type(x) is not Fixed else x for x in values]
        return LookaheadState(0, rebuild(slow), inner.init(params))

    def meet(u: Any, p: Any, slow: Any, share: Any) -> Any:
        slow = slow + share * (p + u - slow)
        return slow - p, slow

    def update(grads: Any, state: LookaheadState, params: Any = None) -> tuple[Any, Any]:
        check_params("lookahead", params)
        updates, after = inner.update(grads, state.inner, params)
        count, slots, numbers = state.since + 1, (state.slow,), (slow_step_size,)
        met = leafwise("lookahead", meet, updates, slots, params, numbers)
        last = count == sync_period
        updates, slow = select(last, met, (updates, state.slow))
        return updates, LookaheadState(where(last, 0, count), slow, after)

    return GradientTransformation(init, update)


def apply_if_finite(
    inner: GradientTransformation, max_consecutive_errors: int = 5
) -> GradientTransformation:
    """Return a transformation that skips gradients with infinities or NaN.

    Such an update is zero, and the inner state stays. After `max_consecutive_errors` of them in a
    row, gradients are passed on whatever they hold, so that a run that cannot go on shows it.

    Args:
        inner: what finite gradients go through.
        max_consecutive_errors: how many are skipped in a row.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if `inner` is no gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.apply_if_finite(optim.sgd(1.0))
        >>> bad, state = rule.update(float("nan"), rule.init(0.0))
        >>> bad, rule.update(2.0, state)[0]
        (Tensor(0.), Tensor(-2.))
    """
    check_rule("apply_if_finite", inner)

    def init(params: Any) -> ApplyIfFiniteState:
        return ApplyIfFiniteState(0, 0, inner.init(params))

    def update(grads: Any, state: ApplyIfFiniteState, params: Any = None) -> tuple[Any, Any]:
        finite = _all_finite(grads)
        count = where(finite, 0, state.notfinite_count + 1)
        total = where(finite, state.total_notfinite, state.total_notfinite + 1)
        passes, none = finite | (count > max_consecutive_errors), zeros(grads)
        if passes is False:
            return none, ApplyIfFiniteState(count, total, state.inner)
        updates, after = inner.update(grads, state.inner, params)
        updates, after = select(passes, (updates, after), (none, state.inner))
        return updates, ApplyIfFiniteState(count, total, after)

    return GradientTransformation(init, update)


def _all_finite(values: Any) -> Any:
    """Return whether all leaves are finite: a bool, or a Tensor where a transformation watches."""
    found = [take(x) for x in flat(values)[0] if is_updated(x) and type(x) is not Fixed]
    finite: Any = True
    for x in found:
        here = isfinite(x).all()
        finite = finite & (here if here._note is not None else bool(here))
    return finite


def select(condition: Any, one: Any, other: Any) -> Any:
    """Return one of two trees, leaf by leaf where the condition is a Tensor."""
    if not isinstance(condition, Tensor):
        return one if condition else other
    found, rebuild = flat(one)
    rows = zip(found, flat(other)[0], strict=True)
    return rebuild([_pick(condition, a, b) for a, b in rows])


def _pick(condition: Tensor, a: Any, b: Any) -> Any:
    return where(condition, a, b) if is_updated(a) or isinstance(a, int) else a
