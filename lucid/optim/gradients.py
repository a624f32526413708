"""Transformations of gradients one by one: to scale, average, decay and centre them.

They are links for `chain`; each returns updates of the structure, shapes and dtypes of its input.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lucid.errors import OptionError, message
from lucid.optim.kernels import (
    check_betas,
    check_options,
    check_params,
    moved,
    moved_square,
)
from lucid.optim.rules_sign import trust
from lucid.optim.transform import (
    GradientTransformation,
    Kernel,
    Number,
    leafwise,
    number,
    zeros,
)

__all__ = [
    "EmaState",
    "EmptyState",
    "ScaleByAdamState",
    "ScaleByScheduleState",
    "TraceState",
    "add_decayed_weights",
    "centralize",
    "check_every",
    "ema",
    "identity",
    "scale",
    "scale_by_adam",
    "scale_by_learning_rate",
    "scale_by_schedule",
    "scale_by_trust_ratio",
    "scaled",
    "set_to_zero",
    "stateless",
    "trace",
]


class EmptyState(NamedTuple):
    """State of a transformation that remembers nothing."""


class ScaleByScheduleState(NamedTuple):
    """State of `scale_by_schedule`.

    Attributes:
        count: the number of updates made.
    """

    count: Any


class TraceState(NamedTuple):
    """State of `trace`.

    Attributes:
        trace: the decaying sum of updates.
    """

    trace: Any


class EmaState(NamedTuple):
    """State of `ema`.

    Attributes:
        count: the number of updates made.
        ema: their running mean.
    """

    count: Any
    ema: Any


class ScaleByAdamState(NamedTuple):
    """State of `scale_by_adam`.

    Attributes:
        count: the number of updates made.
        mu: the running mean of gradients.
        nu: the running mean of their squares.
    """

    count: Any
    mu: Any
    nu: Any


def stateless(
    name: str, kernel: Kernel, *numbers: Any, needs_params: bool = False, real: bool = False
) -> GradientTransformation:
    """Return the transformation that applies a kernel to every leaf and remembers nothing."""

    def update(grads: Any, state: EmptyState, params: Any = None) -> tuple[Any, EmptyState]:
        if needs_params:
            check_params(name, params)
        (updates,) = leafwise(name, kernel, grads, (), params, numbers, real=real)
        return updates, state

    return GradientTransformation(lambda params: EmptyState(), update)


# -- scaling ---------------------------------------------------------------------------------------


def identity() -> GradientTransformation:
    """Return the transformation that leaves gradients as they are.

    Returns:
        The gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.identity()
        >>> rule.update(2.0, rule.init(1.0))[0]
        2.0
    """
    return GradientTransformation(lambda params: EmptyState(), lambda g, s, params=None: (g, s))


def set_to_zero() -> GradientTransformation:
    """Return the transformation that makes every update zero: what it holds for stays.

    Returns:
        The gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.set_to_zero()
        >>> rule.update(2.0, rule.init(1.0))[0]
        Tensor(0.)
    """

    def update(grads: Any, state: EmptyState, params: Any = None) -> tuple[Any, EmptyState]:
        return zeros(grads), state

    return GradientTransformation(lambda params: EmptyState(), update)


def scale(step_size: Any) -> GradientTransformation:
    """Return the transformation g ↦ step_size·g.

    Args:
        step_size: a number, or a 0-d Tensor.

    Returns:
        The gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.scale(-0.5)
        >>> rule.update(2.0, rule.init(1.0))[0]
        Tensor(-1.)
    """
    return stateless("scale", lambda g, p, factor: (factor * g,), step_size)


def scale_by_schedule(step_size_fn: Number) -> GradientTransformation:
    """Return the transformation g ↦ step_size_fn(t)·g, where t updates have been made before.

    Args:
        step_size_fn: a function of the number of updates, such as those of `lucid.optim.schedule`.

    Returns:
        The gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.scale_by_schedule(optim.schedule.exponential(1.0, 0.5))
        >>> state = rule.init(1.0)
        >>> first, state = rule.update(2.0, state)
        >>> first, rule.update(2.0, state)[0]
        (Tensor(2.), Tensor(1.))
    """

    def update(
        grads: Any, state: ScaleByScheduleState, params: Any = None
    ) -> tuple[Any, ScaleByScheduleState]:
        factor = number(step_size_fn, state.count)
        (updates,) = leafwise("scale_by_schedule", scaled, grads, (), params, (factor,))
        return updates, ScaleByScheduleState(state.count + 1)

    return GradientTransformation(lambda params: ScaleByScheduleState(0), update)


def scaled(g: Any, p: Any, factor: Any) -> Any:
    """Return factor·g: a kernel."""
    return (factor * g,)


def scale_by_learning_rate(
    learning_rate: Number, *, flip_sign: bool = True
) -> GradientTransformation:
    """Return the transformation g ↦ -learning_rate·g: the last link of a chain that descends.

    Args:
        learning_rate: a number, or a schedule.
        flip_sign: False to ascend.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if the learning rate is negative.

    Example:
        >>> from lucid import optim
        >>> rule = optim.scale_by_learning_rate(0.5)
        >>> rule.update(2.0, rule.init(1.0))[0]
        Tensor(-1.)
    """
    check_options("scale_by_learning_rate", learning_rate=learning_rate)
    direction = -1 if flip_sign else 1
    if callable(learning_rate):
        return scale_by_schedule(lambda count: direction * number(learning_rate, count))
    return scale(direction * learning_rate)


# -- averaging -------------------------------------------------------------------------------------


def trace(decay: Any, *, nesterov: bool = False) -> GradientTransformation:
    """Return the decaying sum of gradients, which is momentum.

    The update is b ← g + decay·b, or g + decay·b with the new b if `nesterov`.

    Args:
        decay: the share of the sum that is kept.
        nesterov: look ahead along the sum.

    Returns:
        The gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.trace(0.5)
        >>> _, state = rule.update(2.0, rule.init(1.0))
        >>> rule.update(2.0, state)[0]
        Tensor(3.)
    """

    def kernel(g: Any, p: Any, b: Any, decay: Any) -> Any:
        b = decay * b + g
        return (decay * b + g if nesterov else b), b

    def update(grads: Any, state: TraceState, params: Any = None) -> tuple[Any, TraceState]:
        updates, new = leafwise("trace", kernel, grads, (state.trace,), params, (decay,))
        return updates, TraceState(new)

    return GradientTransformation(lambda params: TraceState(zeros(params)), update)


def ema(decay: Any, *, debias: bool = True) -> GradientTransformation:
    """Return the running mean of gradients.

    m ← decay·m + (1 - decay)·g; update number t is m, divided by 1 - decayᵗ if `debias`.

    Args:
        decay: the share of the mean that is kept.
        debias: correct for the mean's beginning at 0.

    Returns:
        The gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.ema(0.5)
        >>> rule.update(2.0, rule.init(1.0))[0]
        Tensor(2.)
    """

    def kernel(g: Any, p: Any, m: Any, decay: Any, correction: Any) -> Any:
        m = moved(m, g, decay)
        return m / correction, m

    def update(grads: Any, state: EmaState, params: Any = None) -> tuple[Any, EmaState]:
        count = state.count + 1
        numbers = (decay, 1 - decay**count if debias else 1.0)
        updates, new = leafwise("ema", kernel, grads, (state.ema,), params, numbers)
        return updates, EmaState(count, new)

    return GradientTransformation(lambda params: EmaState(0, zeros(params)), update)


def scale_by_adam(b1: Any = 0.9, b2: Any = 0.999, eps: Any = 1e-8) -> GradientTransformation:
    """Return Adam's direction: `adam` without learning rate and sign.

    Args:
        b1: the share of the running mean of gradients that is kept.
        b2: the share of the running mean of squares that is kept.
        eps: keeps the quotient finite.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a share is not in [0, 1), or `eps` negative.

    Example:
        >>> from lucid import optim
        >>> rule = optim.chain(optim.scale_by_adam(), optim.scale(-0.1))
        >>> round(rule.update(3.0, rule.init(1.0))[0].item(), 6)
        -0.1

    References:
        Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """
    check_betas("scale_by_adam", (b1, b2))
    check_options("scale_by_adam", eps=eps)

    def kernel(g: Any, p: Any, m: Any, v: Any, c1: Any, c2: Any) -> Any:
        m, v = moved(m, g, b1), moved_square(v, g, b2)
        return m / c1 / ((v / c2) ** 0.5 + eps), m, v

    def init(params: Any) -> ScaleByAdamState:
        return ScaleByAdamState(0, zeros(params), zeros(params))

    def update(grads: Any, state: ScaleByAdamState, params: Any = None) -> tuple[Any, Any]:
        count = state.count + 1
        numbers = (1 - b1**count, 1 - b2**count)
        slots = state[1:]
        updates, *new = leafwise("scale_by_adam", kernel, grads, slots, params, numbers, real=True)
        return updates, ScaleByAdamState(count, *new)

    return GradientTransformation(init, update)


# -- what looks at the parameters ------------------------------------------------------------------


def add_decayed_weights(weight_decay: Any = 0.0) -> GradientTransformation:
    """Return the transformation g ↦ g + weight_decay·p.

    Before a rule it is an L2 penalty; after one, decoupled weight decay.

    Args:
        weight_decay: how fast parameters decay.

    Returns:
        The gradient transformation, whose `update` needs the parameters. `masked` exempts some.

    Raises:
        OptionError: if `weight_decay` is negative.

    Example:
        >>> from lucid import optim
        >>> rule = optim.add_decayed_weights(0.1)
        >>> rule.update(2.0, rule.init(10.0), 10.0)[0]
        Tensor(3.)
    """
    check_options("add_decayed_weights", weight_decay=weight_decay)
    kernel = lambda g, p, decay: (g + decay * p,)  # noqa: E731
    return stateless("add_decayed_weights", kernel, weight_decay, needs_params=True)


def scale_by_trust_ratio(trust_coefficient: Any = 1.0, eps: Any = 0.0) -> GradientTransformation:
    """Return the transformation that scales each leaf's update to the leaf's size.

    u ↦ trust_coefficient·‖p‖/(‖u‖ + eps)·u, or trust_coefficient·u where one of the norms is 0.

    Args:
        trust_coefficient: the size of the step by the size of the parameter.
        eps: keeps the quotient finite.

    Returns:
        The gradient transformation, whose `update` needs the parameters.

    Example:
        >>> from lucid import optim
        >>> rule = optim.scale_by_trust_ratio()
        >>> rule.update(2.0, rule.init(5.0), 5.0)[0]
        Tensor(5.)

    References:
        You, Gitman and Ginsburg, "Large batch training of convolutional networks", 2017.
    """
    check_options("scale_by_trust_ratio", trust_coefficient=trust_coefficient, eps=eps)
    numbers = (trust_coefficient, eps)
    return stateless("scale_by_trust_ratio", trust, *numbers, needs_params=True)


def centralize() -> GradientTransformation:
    """Return the transformation that takes from each row of a gradient its mean.

    Leaves with fewer than two axes stay; the mean is over all axes but the first.

    Returns:
        The gradient transformation.

    Example:
        >>> import numpy as np
        >>> from lucid import optim
        >>> rule, g = optim.centralize(), np.asarray([[1.0, 3.0], [5.0, 5.0]])
        >>> rule.update(g, rule.init(g))[0]
        Tensor([[-1.,  1.],
                [ 0.,  0.]])

    References:
        Yong et al., "Gradient centralization: a new optimization technique for deep neural
        networks", ECCV 2020.
    """
    return stateless("centralize", _centred)


def _centred(g: Any, p: Any) -> Any:
    if g.ndim < 2:
        return (g,)
    return (g - g.mean(axis=tuple(range(1, g.ndim)), keepdims=True),)


def check_every(name: str, what: str, value: int) -> None:
    """Raise unless a number of steps is a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise OptionError(message(name, f"a positive integer {what}", repr(value)))
