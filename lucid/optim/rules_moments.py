"""The relatives of Adam: NAdam, RAdam and Adamax.

The signs, defaults and order of operations are PyTorch's. A complex number counts as two real ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lucid.optim.kernels import (
    absolute,
    check_betas,
    check_options,
    decay_of,
    is_zero,
    maximum,
    moved,
    moved_square,
    penalised,
    where,
)
from lucid.optim.transform import GradientTransformation, Number, leafwise, number, zeros

__all__ = ["AdamaxState", "NAdamState", "RAdamState", "adamax", "nadam", "radam"]


class NAdamState(NamedTuple):
    """State of `nadam`.

    Attributes:
        step: the number of updates made.
        mu_product: the product of the momenta so far.
        exp_avg: the running mean of gradients.
        exp_avg_sq: the running mean of their squares.
    """

    step: Any
    mu_product: Any
    exp_avg: Any
    exp_avg_sq: Any


class RAdamState(NamedTuple):
    """State of `radam`.

    Attributes:
        step: the number of updates made.
        exp_avg: the running mean of gradients.
        exp_avg_sq: the running mean of their squares.
    """

    step: Any
    exp_avg: Any
    exp_avg_sq: Any


class AdamaxState(NamedTuple):
    """State of `adamax`.

    Attributes:
        step: the number of updates made.
        exp_avg: the running mean of gradients.
        exp_inf: the decaying maximum of their absolute values.
    """

    step: Any
    exp_avg: Any
    exp_inf: Any


# -- NAdam -----------------------------------------------------------------------------------------


def nadam(
    lr: Number = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float = 4e-3,
    *,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> GradientTransformation:
    """Return NAdam: Adam that looks ahead along its running mean, as Nesterov's momentum does.

    With μₜ = β₁(1 - 0.96^(t·momentum_decay) / 2), the product Πₜ = μ₁⋯μₜ and Adam's running means m
    and v of g and g², update number t is
    -lr·((1-μₜ)/(1-Πₜ)·g + μₜ₊₁/(1-Πₜ₊₁)·m) / (√(v / (1-β₂ᵗ)) + eps).

    Args:
        lr: the learning rate, or a schedule.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient, or of the decay.
        momentum_decay: how fast the momentum grows from β₁/2 towards β₁.
        decoupled_weight_decay: take -lr·weight_decay·p as in `adamw`, instead of a penalty.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import optim
        >>> rule = optim.nadam(0.1)
        >>> updates, _ = rule.update(3.0, rule.init(1.0))
        >>> round(updates.item(), 4)
        -0.1056

    References:
        Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.
    """
    b1, b2 = betas
    check_options("nadam", lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
    check_betas("nadam", betas)

    def momentum(step: Any) -> Any:
        return b1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))

    def init(params: Any) -> NAdamState:
        return NAdamState(0, 1.0, zeros(params), zeros(params))

    def update(grads: Any, state: NAdamState, params: Any = None) -> tuple[Any, NAdamState]:
        step, rate = state.step + 1, number(lr, state.step)
        mu, ahead = momentum(step), momentum(step + 1)
        product = state.mu_product * mu
        shares = rate * (1 - mu) / (1 - product), rate * ahead / (1 - product * ahead)
        decays = _decays("nadam", weight_decay, decoupled_weight_decay, rate, params)
        numbers = (b1, b2, eps, *shares, 1 - b2**step, *decays, -1.0 if maximize else 1.0)
        updates, *new = leafwise("nadam", _nadam, grads, state[2:], params, numbers, real=True)
        return updates, NAdamState(step, product, *new)

    return GradientTransformation(init, update)


def _nadam(
    g: Any, p: Any, m: Any, v: Any, b1: Any, b2: Any, eps: Any, of_g: Any, of_m: Any, *rest: Any
) -> Any:
    correction, decay, shrink, sign = rest
    g = penalised(g, p, decay, sign)
    m = moved(m, g, b1)
    v = moved_square(v, g, b2)
    root = (v / correction) ** 0.5
    root += eps
    u = -of_g * g
    u -= of_m * m
    u = u / root
    return (u if is_zero(shrink) else u - shrink * p), m, v


def _decays(
    name: str, weight_decay: Any, decoupled: bool, rate: Any, params: Any
) -> tuple[Any, Any]:
    """Return the factor of the penalty's gradient, and that of the decay."""
    decay = decay_of(name, weight_decay, params)
    if is_zero(decay):
        return 0.0, 0.0
    return (0.0, rate * decay) if decoupled else (decay, 0.0)


# -- RAdam -----------------------------------------------------------------------------------------


def radam(
    lr: Number = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> GradientTransformation:
    """Return RAdam: Adam, whose division waits until the variance of its divisor is bounded.

    With Adam's running means m and v, ρ∞ = 2/(1-β₂) - 1 and ρₜ = ρ∞ - 2tβ₂ᵗ/(1-β₂ᵗ), update number
    t is -lr·m/(1-β₁ᵗ) while ρₜ ≤ 5, and from then on this times r·√(1-β₂ᵗ)/(√v + eps), where
    r² = (ρₜ-4)(ρₜ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρₜ).

    Args:
        lr: the learning rate, or a schedule.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient, or of the decay.
        decoupled_weight_decay: take -lr·weight_decay·p as in `adamw`, instead of a penalty.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import optim
        >>> rule = optim.radam(0.1)
        >>> updates, _ = rule.update(3.0, rule.init(1.0))
        >>> round(updates.item(), 6)
        -0.3

    References:
        Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020.
    """
    b1, b2 = betas
    check_options("radam", lr=lr, eps=eps, weight_decay=weight_decay)
    check_betas("radam", betas)

    def init(params: Any) -> RAdamState:
        return RAdamState(0, zeros(params), zeros(params))

    def update(grads: Any, state: RAdamState, params: Any = None) -> tuple[Any, RAdamState]:
        step, rate = state.step + 1, number(lr, state.step)
        decays = _decays("radam", weight_decay, decoupled_weight_decay, rate, params)
        adaptive, constant = _rectification(step, b2)
        scale = rate / (1 - b1**step)
        numbers = (b1, b2, eps, scale, adaptive, constant, *decays, -1.0 if maximize else 1.0)
        updates, *new = leafwise("radam", _radam, grads, state[1:], params, numbers, real=True)
        return updates, RAdamState(step, *new)

    return GradientTransformation(init, update)


def _rectification(step: Any, b2: Any) -> tuple[Any, Any]:
    """Return a and c of the factor a/(√v + eps) + c: one of them is 0."""
    power = b2**step
    limit = 2 / (1 - b2) - 1
    length = limit - 2 * step * power / (1 - power)
    long = length > 5
    # where the length is short the root is taken of 1, so that it has a derivative
    rise = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
    root = where(long, rise * (1 - power), 1.0) ** 0.5
    return where(long, root, 0.0), where(long, 0.0, 1.0)


def _radam(
    g: Any, p: Any, m: Any, v: Any, b1: Any, b2: Any, eps: Any, scale: Any, *rest: Any
) -> Any:
    adaptive, constant, decay, shrink, sign = rest
    g = penalised(g, p, decay, sign)
    m = moved(m, g, b1)
    v = moved_square(v, g, b2)
    u = -scale * m
    if not is_zero(adaptive):
        root = v**0.5
        root += eps
        u = u * (adaptive / root + constant)
    return (u if is_zero(shrink) else u - shrink * p), m, v


# -- Adamax ----------------------------------------------------------------------------------------


def adamax(
    lr: Number = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """Return Adamax: Adam with a decaying maximum in place of the root of mean squares.

    With g ← ±g + weight_decay·p, m ← β₁m + (1-β₁)g and n ← max(β₂n, |g| + eps), update number t is
    -lr/(1-β₁ᵗ) · m / n.

    Args:
        lr: the learning rate, or a schedule.
        betas: the shares of the running mean and the maximum that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import optim
        >>> rule = optim.adamax(0.1)
        >>> updates, _ = rule.update(3.0, rule.init(1.0))
        >>> round(updates.item(), 6)
        -0.1

    References:
        Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.1.
    """
    b1, b2 = betas
    check_options("adamax", lr=lr, eps=eps, weight_decay=weight_decay)
    check_betas("adamax", betas)

    def init(params: Any) -> AdamaxState:
        return AdamaxState(0, zeros(params), zeros(params))

    def update(grads: Any, state: AdamaxState, params: Any = None) -> tuple[Any, AdamaxState]:
        step = state.step + 1
        scale = number(lr, state.step) / (1 - b1**step)
        decay = decay_of("adamax", weight_decay, params)
        numbers = (b1, b2, eps, scale, decay, -1.0 if maximize else 1.0)
        updates, *new = leafwise("adamax", _adamax, grads, state[1:], params, numbers, real=True)
        return updates, AdamaxState(step, *new)

    return GradientTransformation(init, update)


def _adamax(
    g: Any, p: Any, m: Any, n: Any, b1: Any, b2: Any, eps: Any, scale: Any, *rest: Any
) -> Any:
    g = penalised(g, p, *rest)
    m = moved(m, g, b1)
    n = maximum(b2 * n, absolute(g) + eps)
    u = m / n
    u *= -scale
    return u, m, n
