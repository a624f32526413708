"""The update rules that divide by a root of squared gradients: Adagrad, Adadelta and RMSprop.

The signs, defaults and order of operations are PyTorch's. A complex number counts as two real ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lucid.core.tensor import Tensor, wrap
from lucid.errors import OptionError, message
from lucid.optim.kernels import (
    check_options,
    decay_of,
    is_zero,
    moved,
    moved_square,
    penalised,
)
from lucid.optim.transform import GradientTransformation, Number, leafwise, number, slot, zeros

__all__ = [
    "AdadeltaState",
    "AdagradState",
    "RMSpropState",
    "adadelta",
    "adagrad",
    "rmsprop",
]


class AdagradState(NamedTuple):
    """State of `adagrad`.

    Attributes:
        step: the number of updates made.
        sum: the sum of squared gradients.
    """

    step: Any
    sum: Any


class AdadeltaState(NamedTuple):
    """State of `adadelta`.

    Attributes:
        step: the number of updates made.
        square_avg: the running mean of squared gradients.
        acc_delta: the running mean of squared steps.
    """

    step: Any
    square_avg: Any
    acc_delta: Any


class RMSpropState(NamedTuple):
    """State of `rmsprop`.

    Attributes:
        step: the number of updates made.
        square_avg: the running mean of squared gradients.
        grad_avg: the running mean of gradients; None unless `centered`.
        momentum_buffer: the decaying sum of steps; None without momentum.
    """

    step: Any
    square_avg: Any
    grad_avg: Any
    momentum_buffer: Any


# -- Adagrad ---------------------------------------------------------------------------------------


def adagrad(
    lr: Number = 1e-2,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """Return Adagrad: steps divided by the root of the sum of all squared gradients.

    With g ← ±g + weight_decay·p and s ← s + g², update number t is
    -lr / (1 + (t-1)·lr_decay) · g / (√s + eps).

    Args:
        lr: the learning rate, or a schedule.
        lr_decay: how fast the learning rate falls.
        weight_decay: the factor of the L2 penalty's gradient.
        initial_accumulator_value: the first value of s.
        eps: keeps the quotient finite.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative.

    Example:
        >>> from lucid import optim
        >>> rule = optim.adagrad(0.1)
        >>> updates, _ = rule.update(3.0, rule.init(1.0))
        >>> round(updates.item(), 6)
        -0.1

    References:
        Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
        optimization", JMLR 2011.
    """
    check_options(
        "adagrad",
        lr=lr,
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        initial_accumulator_value=initial_accumulator_value,
        eps=eps,
    )

    def start(p: Tensor) -> Tensor:
        value = complex(*[initial_accumulator_value] * 2) if p.dtype.kind == "c" else None
        value = initial_accumulator_value if value is None else value
        return wrap(np.full(p.shape, value, p.dtype), None)

    def init(params: Any) -> AdagradState:
        return AdagradState(0, slot(params, start))

    def update(grads: Any, state: AdagradState, params: Any = None) -> tuple[Any, AdagradState]:
        rate = number(lr, state.step) / (1 + state.step * lr_decay)
        decay = decay_of("adagrad", weight_decay, params)
        numbers = (rate, eps, decay, -1.0 if maximize else 1.0)
        slots = (state.sum,)
        updates, total = leafwise("adagrad", _adagrad, grads, slots, params, numbers, real=True)
        return updates, AdagradState(state.step + 1, total)

    return GradientTransformation(init, update)


def _adagrad(g: Any, p: Any, total: Any, rate: Any, eps: Any, decay: Any, sign: float) -> Any:
    g = penalised(g, p, decay, sign)
    total = total + g * g
    u = total**0.5
    u += eps
    u = g / u
    u *= -rate
    return u, total


# -- Adadelta --------------------------------------------------------------------------------------


def adadelta(
    lr: Number = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """Return Adadelta: steps in the unit of the parameters, from the sizes of steps before.

    With g ← ±g + weight_decay·p, v ← ρv + (1-ρ)g² and d = g·√(a + eps) / √(v + eps), the update is
    -lr·d; then a ← ρa + (1-ρ)d².

    Args:
        lr: the factor of the step, or a schedule.
        rho: the share of the running means that is kept, in [0, 1].
        eps: starts the steps, and keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative, or `rho` above 1.

    Example:
        >>> from lucid import optim
        >>> rule = optim.adadelta()
        >>> updates, _ = rule.update(3.0, rule.init(1.0))
        >>> round(updates.item(), 6)
        -0.003162

    References:
        Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
    """
    check_options("adadelta", lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
    if isinstance(rho, float | int) and rho > 1:
        raise OptionError(message("adadelta", "a rho in [0, 1]", str(rho)))

    def init(params: Any) -> AdadeltaState:
        return AdadeltaState(0, zeros(params), zeros(params))

    def update(grads: Any, state: AdadeltaState, params: Any = None) -> tuple[Any, AdadeltaState]:
        decay = decay_of("adadelta", weight_decay, params)
        numbers = (number(lr, state.step), rho, eps, decay, -1.0 if maximize else 1.0)
        updates, *new = leafwise(
            "adadelta", _adadelta, grads, state[1:], params, numbers, real=True
        )
        return updates, AdadeltaState(state.step + 1, *new)

    return GradientTransformation(init, update)


def _adadelta(
    g: Any, p: Any, v: Any, a: Any, lr: Any, rho: Any, eps: Any, decay: Any, sign: float
) -> Any:
    g = penalised(g, p, decay, sign)
    v = moved_square(v, g, rho)
    d = (a + eps) ** 0.5
    d /= (v + eps) ** 0.5
    d *= g
    return -lr * d, v, moved_square(a, d, rho)


# -- RMSprop ---------------------------------------------------------------------------------------


def rmsprop(
    lr: Number = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    *,
    centered: bool = False,
    maximize: bool = False,
) -> GradientTransformation:
    """Return RMSprop: steps divided by the root of a running mean of squared gradients.

    With g ← ±g + weight_decay·p and v ← αv + (1-α)g², let u = g / (√v + eps), or
    u = g / (√(v - m²) + eps) with the running mean m of g if `centered`. The update is -lr·u, or
    -lr·b with b ← momentum·b + u.

    Args:
        lr: the learning rate, or a schedule.
        alpha: the share of the running means that is kept.
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient.
        momentum: the share of the earlier steps that is kept.
        centered: divide by an estimate of the standard deviation.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative.

    Example:
        >>> from lucid import optim
        >>> rule = optim.rmsprop(0.1, alpha=0.75)
        >>> updates, _ = rule.update(3.0, rule.init(1.0))
        >>> round(updates.item(), 6)
        -0.2

    References:
        Tieleman and Hinton, "Lecture 6.5: rmsprop", 2012;
        Graves, "Generating sequences with recurrent neural networks", 2013 (centered).
    """
    check_options(
        "rmsprop", lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum
    )

    def init(params: Any) -> RMSpropState:
        average = zeros(params) if centered else None
        return RMSpropState(0, zeros(params), average, None if is_zero(momentum) else zeros(params))

    def update(grads: Any, state: RMSpropState, params: Any = None) -> tuple[Any, RMSpropState]:
        decay = decay_of("rmsprop", weight_decay, params)
        sign = -1.0 if maximize else 1.0
        numbers = (number(lr, state.step), alpha, eps, momentum, decay, sign)
        updates, *new = leafwise("rmsprop", _rmsprop, grads, state[1:], params, numbers, real=True)
        return updates, RMSpropState(state.step + 1, *new)

    return GradientTransformation(init, update)


def _rmsprop(
    g: Any, p: Any, v: Any, m: Any, b: Any, lr: Any, alpha: Any, eps: Any, momentum: Any, *rest: Any
) -> Any:
    g = penalised(g, p, *rest)
    v = moved_square(v, g, alpha)
    u = v
    if m is not None:
        m = moved(m, g, alpha)
        u = v - m * m
    u = u**0.5
    u += eps
    u = g / u
    if b is not None:
        b = momentum * b
        b += u
        u = b
    return -lr * u, v, m, b
