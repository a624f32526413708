"""Transformations made of others: chains, masks, labels, accumulation, lookahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lucid import tree
from lucid.core.parameter import Fixed
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, OptionError, message
from lucid.ops.compare import isfinite
from lucid.optim.gradients import check_every
from lucid.optim.kernels import check_options, check_params, where
from lucid.optim.transform import (
    GradientTransformation,
    Hole,
    check_columns,
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
    "chain",
    "lookahead",
    "masked",
    "multi_transform",
]


class AccumulateState(NamedTuple):
    """State of `accumulate`: gradients since the last step, their mean, the inner state."""

    mini_step: Any
    mean: Any
    inner: Any


class LookaheadState(NamedTuple):
    """State of `lookahead`: steps since the last meeting, the slow parameters, the inner state."""

    since: Any
    slow: Any
    inner: Any


class ApplyIfFiniteState(NamedTuple):
    """State of `apply_if_finite`: updates skipped in a row, and in all, and the inner state."""

    notfinite_count: Any
    total_notfinite: Any
    inner: Any


def chain(*transforms: GradientTransformation) -> GradientTransformation:
    """Return transformations one after the other: each takes the updates of the one before.

    Args:
        transforms: in their order.

    Returns:
        The gradient transformation; its state is a tuple of theirs.

    Raises:
        OptionError: if one of them is no gradient transformation.
        OperandError: if a state is of another chain.

    Example:
        >>> from lucid import optim
        >>> rule = optim.chain(optim.clip_by_value(1.0), optim.sgd(0.5))
        >>> rule.update(8.0, rule.init(1.0))[0]
        Tensor(-0.5)
    """
    for part in transforms:
        _check_rule("chain", part)

    def init(params: Any) -> tuple[Any, ...]:
        return tuple(part.init(params) for part in transforms)

    def update(grads: Any, state: tuple[Any, ...], params: Any = None) -> tuple[Any, Any]:
        if len(state) != len(transforms):
            got = str(len(state))
            raise OperandError(message("chain", f"{len(transforms)} states", got))
        after: list[Any] = []
        for part, old in zip(transforms, state, strict=True):
            grads, new = part.update(grads, old, params)
            after.append(new)
        return grads, tuple(after)

    return GradientTransformation(init, update)


# -- some leaves alone -----------------------------------------------------------------------------


def masked(inner: GradientTransformation, mask: Any) -> GradientTransformation:
    """Return a transformation of some leaves; the gradients of the others pass as they are.

    Args:
        inner: what the chosen leaves go through.
        mask: a pytree of bools of the structure of the parameters, or of its upper part: a bool
            holds for all leaves below. Or a function that makes one of the parameters.

    Raises:
        OptionError: if `inner` is no gradient transformation.
        OperandError: if the structures differ, or a leaf of the mask is no bool.

    Example:
        >>> from lucid import optim
        >>> rule = optim.masked(optim.add_decayed_weights(0.5), {"w": True, "b": False})
        >>> params = {"w": 2.0, "b": 2.0}
        >>> rule.update({"w": 1.0, "b": 1.0}, rule.init(params), params)[0]
        {'w': Tensor(2.), 'b': 1.0}
    """
    _check_rule("masked", inner)

    def init(params: Any) -> Any:
        return inner.init(_only(params, _chosen(mask, params)))

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        chosen = _chosen(mask, grads)
        some = None if params is None else _only(params, chosen)
        updates, state = inner.update(_only(grads, chosen), state, some)
        return _merged(grads, [(chosen, updates)]), state

    return GradientTransformation(init, update)


def multi_transform(
    transforms: Mapping[Any, GradientTransformation], param_labels: Any
) -> GradientTransformation:
    """Return different transformations for different leaves.

    Args:
        transforms: a transformation for each label.
        param_labels: a pytree of labels of the structure of the parameters, or of its upper part.
            Or a function that makes one of the parameters.

    Returns:
        The gradient transformation; its state is a dict by label.

    Raises:
        OptionError: if one of `transforms` is no gradient transformation.
        OperandError: if the structures differ, or a label is unknown.

    Example:
        >>> from lucid import optim
        >>> rules = {"slow": optim.sgd(0.1), "fast": optim.sgd(1.0)}
        >>> rule = optim.multi_transform(rules, {"w": "slow", "b": "fast"})
        >>> rule.update({"w": 1.0, "b": 1.0}, rule.init({"w": 0.0, "b": 0.0}))[0]
        {'w': Tensor(-0.1), 'b': Tensor(-1.)}
    """
    for part in transforms.values():
        _check_rule("multi_transform", part)

    def choices(values: Any) -> dict[Any, list[bool]]:
        labels = _spread("multi_transform", param_labels, values)
        unknown = set(labels) - {None, *transforms}
        if unknown:
            want = f"labels among {', '.join(map(str, transforms))}"
            got = ", ".join(sorted(map(str, unknown)))
            raise OperandError(message("multi_transform", want, got))
        return {label: [x == label for x in labels] for label in transforms}

    def init(params: Any) -> dict[Any, Any]:
        found = choices(params)
        return {k: part.init(_only(params, found[k])) for k, part in transforms.items()}

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, dict[Any, Any]]:
        done: list[tuple[list[bool], Any]] = []
        after: dict[Any, Any] = {}
        for label, chosen in choices(grads).items():
            some = None if params is None else _only(params, chosen)
            rule = transforms[label]
            updates, after[label] = rule.update(_only(grads, chosen), state[label], some)
            done.append((chosen, updates))
        return _merged(grads, done), after

    return GradientTransformation(init, update)


def _chosen(mask: Any, values: Any) -> list[bool]:
    """Return for every leaf whether the mask chooses it."""
    found = _spread("masked", mask, values)
    for x in found:
        if not (isinstance(x, bool) or x is None):
            raise OperandError(message("masked", "a mask of bools", f"a {type(x).__name__}"))
    return [x is True for x in found]


def _spread(name: str, prefix: Any, values: Any) -> list[Any]:
    """Return the leaf of a tree's upper part that holds for each leaf of the tree."""
    whole = tree.leaves(prefix)
    if len(whole) == 1 and whole[0] is prefix and callable(prefix):
        return _spread(name, prefix(values), values)
    if type(prefix) is Fixed:
        (prefix,) = prefix
    prefix = None if type(prefix) is Hole else prefix
    if prefix is None or (len(whole) == 1 and whole[0] is prefix):
        return [prefix] * len(flat(values)[0])
    parts, names = tree.children(prefix)
    below, known = tree.children(values)
    if names != known:
        got = f"children {list(names)} for {list(known)}"
        raise OperandError(message(name, "a tree like the upper part of the parameters", got))
    return [x for part, value in zip(parts, below, strict=True) for x in _spread(name, part, value)]


def _only(values: Any, chosen: list[bool]) -> Any:
    """Return a tree without the leaves that are not chosen."""
    found, rebuild = flat(values)
    check_columns("masked", len(chosen), {"params": found})
    return rebuild([x if yes else Hole() for x, yes in zip(found, chosen, strict=True)])


def _merged(values: Any, parts: list[tuple[list[bool], Any]]) -> Any:
    """Return a tree with the chosen leaves of other trees in place of its own."""
    found, rebuild = flat(values)
    for chosen, other in parts:
        rows = zip(found, flat(other)[0], chosen, strict=True)
        found = [new if yes else old for old, new, yes in rows]
    return rebuild(found)


# -- some steps alone ------------------------------------------------------------------------------


def accumulate(inner: GradientTransformation, every_k: int) -> GradientTransformation:
    """Return a transformation that takes the mean of `every_k` gradients for one step.

    The other updates are zero. Steps over k parts of a batch are then those over the whole batch.

    Args:
        inner: what the means go through.
        every_k: how many gradients make a step.

    Raises:
        OptionError: if `inner` is no gradient transformation, or `every_k` no positive integer.

    Example:
        >>> from lucid import optim
        >>> rule = optim.accumulate(optim.sgd(1.0), 2)
        >>> first, state = rule.update(1.0, rule.init(0.0))
        >>> first, rule.update(3.0, state)[0]
        (Tensor(0.), Tensor(-2.))
    """
    _check_rule("accumulate", inner)
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
    _check_rule("lookahead", inner)
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

    Raises:
        OptionError: if `inner` is no gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.apply_if_finite(optim.sgd(1.0))
        >>> bad, state = rule.update(float("nan"), rule.init(0.0))
        >>> bad, rule.update(2.0, state)[0]
        (Tensor(0.), Tensor(-2.))
    """
    _check_rule("apply_if_finite", inner)

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


def _check_rule(name: str, value: Any) -> None:
    if not isinstance(value, GradientTransformation):
        if isinstance(value, Callable):
            hint = "call it: it returns the transformation"
            raise OptionError(message(name, "gradient transformations", "a function", hint))
        got = f"a {type(value).__name__}"
        raise OptionError(message(name, "gradient transformations", got))
