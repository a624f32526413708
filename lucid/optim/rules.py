"""The update rules: stochastic gradient descent, with momentum, and Adam with its variants.

Each rule is one kernel of infix arithmetic, which computes on arrays, or on Tensors where a
transformation watches. The signs, defaults and order of operations are PyTorch's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lucid.errors import OptionError, message
from lucid.optim.kernels import (
    check_betas,
    check_options,
    decay_of,
    first,
    is_one,
    is_zero,
    maximum,
    moved,
    moved_square,
    penalised,
)
from lucid.optim.transform import GradientTransformation, Number, leafwise, number, zeros

__all__ = ["AdamState", "SGDState", "adam", "adamw", "momentum", "sgd"]


class SGDState(NamedTuple):
    """State of `sgd`.

    Attributes:
        step: the number of updates made.
        momentum_buffer: the running mean of gradients; None without momentum.
    """

    step: Any
    momentum_buffer: Any


class AdamState(NamedTuple):
    """State of `adam`.

    Attributes:
        step: the number of updates made.
        exp_avg: the running mean of gradients.
        exp_avg_sq: the running mean of their squares.
        max_exp_avg_sq: its maximum so far; None without `amsgrad`.
    """

    step: Any
    exp_avg: Any
    exp_avg_sq: Any
    max_exp_avg_sq: Any


# -- stochastic gradient descent -------------------------------------------------------------------


def sgd(
    lr: Number = 1e-3,
    momentum: float = 0.0,
    *,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> GradientTransformation:
    """Return gradient descent, optionally with momentum.

    With g ← ±g + weight_decay·p and b ← momentum·b + (1 - dampening)·g (the first b is g itself),
    the update is -lr·b, or -lr·(g + momentum·b) if `nesterov`.

    Args:
        lr: the learning rate, or a schedule.
        momentum: the share of the running mean that is kept, in [0, 1).
        dampening: how much less of a gradient enters the running mean.
        nesterov: look ahead along the running mean.
        weight_decay: the factor of the L2 penalty's gradient.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative, or `nesterov` lacks momentum or meets dampening.

    Example:
        >>> from lucid import optim
        >>> rule = optim.sgd(0.1)
        >>> updates, _ = rule.update({"w": 2.0}, rule.init({"w": 1.0}))
        >>> updates
        {'w': Tensor(-0.2)}
    """
    check_options("sgd", lr=lr, momentum=momentum, weight_decay=weight_decay)
    if nesterov and (is_zero(momentum) or not is_zero(dampening)):
        got = f"momentum={momentum}, dampening={dampening}"
        raise OptionError(message("sgd", "momentum and no dampening for nesterov", got))
    plain = is_zero(momentum)

    def init(params: Any) -> SGDState:
        return SGDState(0, None if plain else zeros(params))

    def update(grads: Any, state: SGDState, params: Any = None) -> tuple[Any, SGDState]:
        decay = decay_of("sgd", weight_decay, params)
        sign = -1.0 if maximize else 1.0
        gain = first(state.step, 1.0, 1.0 - dampening)
        rule = _nesterov if nesterov else _sgd
        numbers = (number(lr, state.step), momentum, gain, decay, sign)
        slots = (state.momentum_buffer,)
        updates, buffer = leafwise("sgd", rule, grads, slots, params, numbers)
        return updates, SGDState(state.step + 1, buffer)

    return GradientTransformation(init, update)


def momentum(
    lr: Number = 1e-3, momentum: float = 0.9, *, nesterov: bool = False
) -> GradientTransformation:
    """Return gradient descent with momentum: `sgd` with a default of 0.9.

    Args:
        lr: the learning rate, or a schedule.
        momentum: the share of the running mean that is kept, in (0, 1).
        nesterov: look ahead along the running mean.

    Returns:
        The gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.momentum(0.1)
        >>> updates, state = rule.update(2.0, rule.init(1.0))
        >>> rule.update(2.0, state)[0]
        Tensor(-0.38)
    """
    return sgd(lr, momentum, nesterov=nesterov)


def _sgd(g: Any, p: Any, b: Any, lr: Any, momentum: Any, gain: Any, decay: Any, sign: float) -> Any:
    g = penalised(g, p, decay, sign)
    if b is not None:
        g = _running(b, g, momentum, gain)
        b = g
    return -lr * g, b


def _nesterov(
    g: Any, p: Any, b: Any, lr: Any, momentum: Any, gain: Any, decay: Any, sign: float
) -> Any:
    g = penalised(g, p, decay, sign)
    b = _running(b, g, momentum, gain)
    u = momentum * b
    u += g
    u *= -lr
    return u, b


def _running(b: Any, g: Any, momentum: Any, gain: Any) -> Any:
    """Return momentum·b + gain·g."""
    b = momentum * b
    b += g if is_one(gain) else gain * g
    return b


# -- Adam ------------------------------------------------------------------------------------------


def adam(
    lr: Number = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    amsgrad: bool = False,
    maximize: bool = False,
) -> GradientTransformation:
    """Return Adam: steps scaled by running means of the gradient and of its square.

    A complex number counts as two real ones.
    With g ← ±g + weight_decay·p, m ← β₁m + (1-β₁)g and v ← β₂v + (1-β₂)g², the update number t is
    -lr · (m / (1-β₁ᵗ)) / (√(v / (1-β₂ᵗ)) + eps).

    Args:
        lr: the learning rate, or a schedule.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient.
        amsgrad: divide by the largest v so far.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import optim
        >>> rule = optim.adam(0.1)
        >>> updates, _ = rule.update(3.0, rule.init(1.0))
        >>> round(updates.item(), 6)
        -0.1

    References:
        Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015;
        Reddi, Kale and Kumar, "On the convergence of Adam and beyond", ICLR 2018.
    """
    return _adam_rule("adam", lr, betas, eps, (weight_decay, 0.0), amsgrad, maximize)


def adamw(
    lr: Number = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    *,
    amsgrad: bool = False,
    maximize: bool = False,
) -> GradientTransformation:
    """Return AdamW: `adam`, with a weight decay of -lr·weight_decay·p that is not scaled.

    Args:
        lr: the learning rate, or a schedule.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: how fast parameters decay.
        amsgrad: divide by the largest v so far.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import optim
        >>> rule = optim.adamw(0.1)
        >>> updates, _ = rule.update(3.0, rule.init(1.0), 1.0)
        >>> round(updates.item(), 6)
        -0.101

    References:
        Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """
    return _adam_rule("adamw", lr, betas, eps, (0.0, weight_decay), amsgrad, maximize)


def _adam_rule(
    name: str,
    lr: Number,
    betas: tuple[float, float],
    eps: float,
    decays: tuple[float, float],
    amsgrad: bool,
    maximize: bool,
) -> GradientTransformation:
    b1, b2 = betas
    penalty, shrink = decays
    check_options(name, lr=lr, eps=eps, weight_decay=penalty + shrink)
    check_betas(name, betas)

    def init(params: Any) -> AdamState:
        largest = zeros(params) if amsgrad else None
        return AdamState(0, zeros(params), zeros(params), largest)

    def update(grads: Any, state: AdamState, params: Any = None) -> tuple[Any, AdamState]:
        step = state.step + 1
        rate = number(lr, state.step)
        root = (1 - b2**step) ** 0.5
        scale = rate * root / (1 - b1**step)
        numbers = (
            *(b1, b2, eps * root, scale),
            *(decay_of(name, penalty, params), rate * decay_of(name, shrink, params)),
            -1.0 if maximize else 1.0,
        )
        slots = state[1:]
        updates, *new = leafwise(name, _adam, grads, slots, params, numbers, real=True)
        return updates, AdamState(step, *new)

    return GradientTransformation(init, update)


def _adam(
    g: Any, p: Any, m: Any, v: Any, top: Any, b1: Any, b2: Any, eps: Any, scale: Any, *rest: Any
) -> Any:
    # √(v/c) + eps = (√v + eps·√c)/√c: the correction c of v sits in `eps` and `scale`
    decay, shrink, sign = rest
    g = penalised(g, p, decay, sign)
    m = moved(m, g, b1)
    v = moved_square(v, g, b2)
    if top is not None:
        top = maximum(top, v)
    u = (v if top is None else top) ** 0.5
    u += eps
    u = m / u
    u *= -scale
    if not is_zero(shrink):
        u -= shrink * p
    return u, m, v, top
