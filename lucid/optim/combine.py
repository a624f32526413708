"""Transformations made of others: chains, and those of some leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lucid import tree
from lucid.core.parameter import Fixed
from lucid.errors import OperandError, OptionError, message
from lucid.optim.transform import (
    GradientTransformation,
    Hole,
    check_columns,
    flat,
)

__all__ = [
    "chain",
    "check_rule",
    "masked",
    "multi_transform",
]


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
        check_rule("chain", part)

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

    Returns:
        The gradient transformation.

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
    check_rule("masked", inner)

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
        check_rule("multi_transform", part)

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


def check_rule(name: str, value: Any) -> None:
    """Raise unless a value is a gradient transformation."""
    if not isinstance(value, GradientTransformation):
        if isinstance(value, Callable):
            hint = "call it: it returns the transformation"
            raise OptionError(message(name, "gradient transformations", "a function", hint))
        got = f"a {type(value).__name__}"
        raise OptionError(message(name, "gradient transformations", got))
