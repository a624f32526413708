"""Lion, which steps by signs, and LAMB, which scales Adam's step to the size of each parameter."""

from __future__ import annotations

from typing import Any, NamedTuple

from lucid.optim.kernels import (
    check_betas,
    check_options,
    check_params,
    decay_of,
    is_zero,
    moved,
    moved_square,
    penalised,
    sign,
    square,
    where,
)
from lucid.optim.transform import GradientTransformation, Number, leafwise, number, zeros

__all__ = ["LAMBState", "LionState", "lamb", "lion", "trust"]


class LionState(NamedTuple):
    """State of `lion`.

    Attributes:
        step: the number of updates made.
        exp_avg: the running mean of gradients.
    """

    step: Any
    exp_avg: Any


class LAMBState(NamedTuple):
    """State of `lamb`.

    Attributes:
        step: the number of updates made.
        exp_avg: the running mean of gradients.
        exp_avg_sq: the running mean of their squares.
    """

    step: Any
    exp_avg: Any
    exp_avg_sq: Any


def lion(
    lr: Number = 1e-4,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """Return Lion: a step of constant size in every direction, by the sign of a running mean.

    The update is -lr·(sign(β₁m + (1-β₁)g) + weight_decay·p); then m ← β₂m + (1-β₂)g. A complex
    number counts as two real ones.

    Args:
        lr: the learning rate, or a schedule; smaller by 3 to 10 times than one for `adamw`.
        betas: the share of the running mean in the step, and that which is kept; in [0, 1).
        weight_decay: how fast parameters decay.
        maximize: ascend instead.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import optim
        >>> rule = optim.lion(0.1)
        >>> rule.update(3.0, rule.init(1.0))[0]
        Tensor(-0.1)

    References:
        Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023.
    """
    check_options("lion", lr=lr, weight_decay=weight_decay)
    check_betas("lion", betas)

    def init(params: Any) -> LionState:
        return LionState(0, zeros(params))

    def update(grads: Any, state: LionState, params: Any = None) -> tuple[Any, LionState]:
        decay = decay_of("lion", weight_decay, params)
        numbers = (number(lr, state.step), *betas, decay, -1.0 if maximize else 1.0)
        slots = (state.exp_avg,)
        updates, average = leafwise("lion", _lion, grads, slots, params, numbers, real=True)
        return updates, LionState(state.step + 1, average)

    return GradientTransformation(init, update)


def _lion(g: Any, p: Any, m: Any, lr: Any, b1: Any, b2: Any, decay: Any, direction: float) -> Any:
    g = penalised(g, p, 0.0, direction)
    u = sign(moved(m, g, b1))
    if not is_zero(decay):
        u = u + decay * p
    return -lr * u, moved(m, g, b2)


def lamb(
    lr: Number = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """Return LAMB: Adam's step, scaled for each array to the size of the array.

    With Adam's running means m and v, let r = m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + eps) + weight_decay·p.
    Update number t is -lr·(‖p‖/‖r‖)·r, or -lr·r where one of the norms is 0.

    Args:
        lr: the learning rate, or a schedule.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: how fast parameters decay.
        maximize: ascend instead.

    Returns:
        The gradient transformation, whose `update` needs the parameters.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import optim
        >>> rule = optim.lamb(0.1)
        >>> updates, _ = rule.update(3.0, rule.init(2.0), 2.0)
        >>> round(updates.item(), 6)
        -0.2

    References:
        You et al., "Large batch optimization for deep learning: training BERT in 76 minutes",
        ICLR 2020.
    """
    b1, b2 = betas
    check_options("lamb", lr=lr, eps=eps, weight_decay=weight_decay)
    check_betas("lamb", betas)

    def init(params: Any) -> LAMBState:
        return LAMBState(0, zeros(params), zeros(params))

    def update(grads: Any, state: LAMBState, params: Any = None) -> tuple[Any, LAMBState]:
        step, rate = state.step + 1, number(lr, state.step)
        check_params("lamb", params)
        signed = -1.0 if maximize else 1.0
        numbers = (b1, b2, eps, 1 - b1**step, 1 - b2**step, weight_decay, signed)
        updates, *new = leafwise("lamb", _lamb, grads, state[1:], params, numbers, real=True)
        (updates,) = leafwise("lamb", trust, updates, (), params, (-rate, 0.0))
        return updates, LAMBState(step, *new)

    return GradientTransformation(init, update)


def _lamb(
    g: Any, p: Any, m: Any, v: Any, b1: Any, b2: Any, eps: Any, c1: Any, c2: Any, *rest: Any
) -> Any:
    decay, direction = rest
    g = penalised(g, p, 0.0, direction)
    m = moved(m, g, b1)
    v = moved_square(v, g, b2)
    root = (v / c2) ** 0.5
    root += eps
    u = m / c1
    u = u / root
    return (u if is_zero(decay) else u + decay * p), m, v


def trust(r: Any, p: Any, scale: Any, eps: Any) -> Any:
    """Return scale·(‖p‖/(‖r‖ + eps))·r, or scale·r where one of the norms is 0: a kernel."""
    of_p, of_r = square(p).sum() ** 0.5, square(r).sum() ** 0.5
    both = (of_p > 0) & (of_r > 0)
    ratio = where(both, of_p / where(both, of_r + eps, 1.0), 1.0)
    return (scale * ratio * r,)
