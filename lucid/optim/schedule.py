"""Learning-rate schedules: pure functions of the number of steps made so far.

Each function here returns a schedule, ``schedule(step) -> rate``, which the transformations of
`lucid.optim` take for their `lr`. A step may be a Python number or, under `jit`, a Tensor.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.optim.kernels import cos, floor, log, minimum, where

__all__ = [
    "PlateauState",
    "Schedule",
    "constant",
    "cosine",
    "cyclic",
    "exponential",
    "join",
    "linear",
    "multistep",
    "one_cycle",
    "plateau",
    "polynomial",
    "step_decay",
    "warm_restarts",
]

Schedule: TypeAlias = Callable[[Any], Any]


def constant(lr: float, factor: float = 1 / 3, total_iters: int = 5) -> Schedule:
    """Return lr·factor before `total_iters` steps, then lr.

    Example:
        >>> from lucid.optim import schedule
        >>> rate = schedule.constant(1.0, 0.5, 2)
        >>> [rate(k) for k in range(4)]
        [0.5, 0.5, 1.0, 1.0]
    """
    return lambda step: where(step < total_iters, lr * factor, lr)


def step_decay(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """Return lr·gamma^⌊step / step_size⌋.

    Example:
        >>> from lucid.optim import schedule
        >>> rate = schedule.step_decay(1.0, 2, 0.5)
        >>> [rate(k) for k in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _positive("step_decay", step_size=step_size)
    return lambda step: lr * gamma ** (step // step_size)


def multistep(lr: float, milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """Return lr·gamma^k where k milestones have been reached.

    Example:
        >>> from lucid.optim import schedule
        >>> rate = schedule.multistep(1.0, [2, 3], 0.5)
        >>> [rate(k) for k in range(4)]
        [1.0, 1.0, 0.5, 0.25]
    """
    stones = sorted(milestones)

    def schedule(step: Any) -> Any:
        if not isinstance(step, Tensor):
            return lr * gamma ** bisect.bisect_right(stones, step)
        rate: Any = lr
        for stone in stones:
            rate = where(step < stone, rate, rate * gamma)
        return rate

    return schedule


def exponential(lr: float, gamma: float) -> Schedule:
    """Return lr·gammaˢᵗᵉᵖ.

    Example:
        >>> from lucid.optim import schedule
        >>> schedule.exponential(1.0, 0.5)(3)
        0.125
    """
    return lambda step: lr * gamma**step


def linear(
    lr: float, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
) -> Schedule:
    """Return lr times a factor that goes linearly from one value to another, and stays.

    Example:
        >>> from lucid.optim import schedule
        >>> rate = schedule.linear(1.0, 0.0, 1.0, 2)
        >>> [rate(k) for k in range(4)]
        [0.0, 0.5, 1.0, 1.0]
    """
    _positive("linear", total_iters=total_iters)
    slope = (end_factor - start_factor) / total_iters
    return lambda step: lr * (start_factor + slope * minimum(step, total_iters))


def polynomial(lr: float, total_iters: int = 5, power: float = 1.0) -> Schedule:
    """Return lr·(1 - step / total_iters)ᵖᵒʷᵉʳ, and 0 from `total_iters` on.

    Example:
        >>> from lucid.optim import schedule
        >>> schedule.polynomial(1.0, 4, 2.0)(2)
        0.25
    """
    _positive("polynomial", total_iters=total_iters)
    return lambda step: lr * (1 - minimum(step, total_iters) / total_iters) ** power


def cosine(lr: float, T_max: float, eta_min: float = 0.0) -> Schedule:  # noqa: N803 - PyTorch's name
    """Return eta_min + (lr - eta_min)·(1 + cos(π·step / T_max)) / 2.

    The rate rises again after `T_max` steps.

    Example:
        >>> from lucid.optim import schedule
        >>> rate = schedule.cosine(1.0, 4)
        >>> [round(rate(k), 3) for k in range(5)]
        [1.0, 0.854, 0.5, 0.146, 0.0]

    References:
        Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """
    _positive("cosine", T_max=T_max)
    return lambda step: eta_min + (lr - eta_min) * (1 + cos(math.pi * step / T_max)) / 2


def warm_restarts(lr: float, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> Schedule:  # noqa: N803
    """Return `cosine`, anew after `T_0` steps, then after `T_mult` times as many, and so on.

    Example:
        >>> from lucid.optim import schedule
        >>> rate = schedule.warm_restarts(1.0, 2)
        >>> [round(rate(k), 3) for k in range(4)]
        [1.0, 0.5, 1.0, 0.5]
    """
    _positive("warm_restarts", T_0=T_0, T_mult=T_mult)

    def schedule(step: Any) -> Any:
        if T_mult == 1:
            return cosine(lr, T_0, eta_min)(step % T_0)
        # restart n comes after T_0·(T_multⁿ - 1)/(T_mult - 1) steps
        ratio = step / T_0 * (T_mult - 1) + 1
        n = floor(log(ratio) / math.log(T_mult) + 1e-12)
        length = T_0 * T_mult**n
        begin = (length - T_0) / (T_mult - 1)
        return eta_min + (lr - eta_min) * (1 + cos(math.pi * (step - begin) / length)) / 2

    return schedule


def one_cycle(
    max_lr: float,
    total_steps: int,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """Return the one-cycle schedule: up from max_lr / div_factor to max_lr, and far down again.

    Args:
        max_lr: the highest rate.
        total_steps: how many steps there are.
        pct_start: the share of them in which the rate rises.
        anneal_strategy: "cos" or "linear".
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first one divided by this.
        three_phase: fall back to the first rate as fast as it rose, then on to the last.

    Example:
        >>> from lucid.optim import schedule
        >>> rate = schedule.one_cycle(1.0, 10, 0.5, "linear", div_factor=2.0)
        >>> [round(rate(k), 3) for k in (0, 2, 4, 9)]
        [0.5, 0.75, 1.0, 0.0]

    References:
        Smith and Topin, "Super-convergence", 2019.
    """
    _positive("one_cycle", total_steps=total_steps)
    if anneal_strategy not in ("cos", "linear"):
        raise OptionError(message("one_cycle", '"cos" or "linear"', repr(anneal_strategy)))
    first = max_lr / div_factor
    last = first / final_div_factor
    end = total_steps - 1
    top = pct_start * total_steps - 1
    phases = [(top, first, max_lr), (end, max_lr, last)]
    if three_phase:
        back = 2 * pct_start * total_steps - 2
        phases = [(top, first, max_lr), (back, max_lr, first), (end, first, last)]

    def schedule(step: Any) -> Any:
        begin, rates = 0.0, []
        for stop, low, high in phases:
            share = (step - begin) / (stop - begin) if stop != begin else 1.0
            if anneal_strategy == "cos":
                share = (1 - cos(math.pi * share)) / 2
            rates.append(low + (high - low) * share)
            begin = stop
        rate = rates.pop()
        for (stop, _, _), earlier in zip(phases[-2::-1], rates[::-1], strict=True):
            rate = where(step <= stop, earlier, rate)
        return rate

    return schedule


def cyclic(
    base_lr: float,
    max_lr: float,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: str = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[Any], Any] | None = None,
    scale_mode: str = "cycle",
) -> Schedule:
    """Return a rate that goes linearly from base_lr up to max_lr and down, again and again.

    Args:
        base_lr: the lowest rate.
        max_lr: the highest rate.
        step_size_up: how many steps the rate rises.
        step_size_down: how many it falls; by default as many.
        mode: "triangular"; "triangular2", every cycle half as high as the one before; or
            "exp_range", lower by `gamma` at every step.
        gamma: for "exp_range".
        scale_fn: a function that gives the height instead of `mode`.
        scale_mode: whether `scale_fn` takes the number of the "cycle", from 1, or of "iterations".

    Raises:
        OptionError: if a number of steps is not positive, or a mode unknown.

    Example:
        >>> from lucid.optim import schedule
        >>> rate = schedule.cyclic(0.0, 1.0, 2, mode="triangular2")
        >>> [rate(k) for k in range(8)]
        [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25]

    References:
        Smith, "Cyclical learning rates for training neural networks", WACV 2017.
    """
    down = step_size_up if step_size_down is None else step_size_down
    _positive("cyclic", step_size_up=step_size_up, step_size_down=down)
    heights: dict[str, Callable[[Any], Any]] = {
        "triangular": lambda cycle: 1.0,
        "triangular2": lambda cycle: 0.5 ** (cycle - 1),
        "exp_range": lambda step: gamma**step,
    }
    if scale_fn is None:
        if mode not in heights:
            raise OptionError(message("cyclic", f"a mode among {', '.join(heights)}", repr(mode)))
        scale_fn, scale_mode = heights[mode], "iterations" if mode == "exp_range" else "cycle"
    elif scale_mode not in ("cycle", "iterations"):
        want = 'scale_mode "cycle" or "iterations"'
        raise OptionError(message("cyclic", want, repr(scale_mode)))
    height, by_cycle, total = scale_fn, scale_mode == "cycle", step_size_up + down

    def schedule(step: Any) -> Any:
        cycle = floor(1 + step / total)
        at = step - (cycle - 1) * total
        share = where(at <= step_size_up, at / step_size_up, (total - at) / down)
        return base_lr + (max_lr - base_lr) * share * height(cycle if by_cycle else step)

    return schedule


def join(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """Return schedules one after the other, each counting from its own beginning.

    Args:
        schedules: in their order.
        milestones: the step at which each but the first begins.

    Example:
        >>> from lucid.optim import schedule
        >>> warm, cool = schedule.linear(1.0, 0.0, 1.0, 2), schedule.exponential(1.0, 0.5)
        >>> rate = schedule.join([warm, cool], [2])
        >>> [rate(k) for k in range(4)]
        [0.0, 0.5, 1.0, 0.5]
    """
    if len(schedules) != len(milestones) + 1:
        got = f"{len(schedules)} and {len(milestones)}"
        raise OptionError(message("join", "one schedule more than milestones", got))

    def schedule(step: Any) -> Any:
        if not isinstance(step, Tensor):
            k = bisect.bisect_right(milestones, step)
            return schedules[k](step - (milestones[k - 1] if k else 0))
        rate = schedules[0](step)
        for stone, later in zip(milestones, schedules[1:], strict=True):
            rate = where(step < stone, rate, later(step - stone))
        return rate

    return schedule


# -- a schedule that looks at a metric -------------------------------------------------------------


class PlateauState(NamedTuple):
    """State of `plateau`: the best metric, steps without a better one, and steps to wait."""

    best: float
    num_bad_epochs: int
    cooldown_counter: int


def plateau(
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
) -> tuple[PlateauState, Callable[[float, PlateauState], tuple[float, PlateauState]]]:
    """Return how the rate falls when a metric has stopped improving.

    Args:
        mode: "min" where a smaller metric is better, else "max".
        factor: what the rate is multiplied by.
        patience: how many steps without improvement are waited for.
        threshold: what counts as an improvement.
        threshold_mode: "rel" for a share of the best metric, "abs" for a difference.
        cooldown: how many steps to wait after a fall.

    Returns:
        The first state, and ``update(metric, state) -> (factor or 1, state)``.

    Example:
        >>> from lucid.optim import schedule
        >>> state, update = schedule.plateau(factor=0.5, patience=0)
        >>> _, state = update(1.0, state)
        >>> update(1.0, state)[0]
        0.5
    """
    if mode not in ("min", "max"):
        raise OptionError(message("plateau", 'mode "min" or "max"', repr(mode)))
    if threshold_mode not in ("rel", "abs"):
        raise OptionError(message("plateau", 'threshold_mode "rel" or "abs"', repr(threshold_mode)))
    if not factor < 1:
        raise OptionError(message("plateau", "a factor below 1", str(factor)))
    sign = 1 if mode == "min" else -1

    def better(metric: float, best: float) -> bool:
        share = 1 - sign * threshold
        goal = best * share if threshold_mode == "rel" else best - sign * threshold
        return sign * metric < sign * goal

    def update(metric: float, state: PlateauState) -> tuple[float, PlateauState]:
        best, bad, wait = state
        best, bad = (metric, 0) if better(metric, best) else (best, bad + 1)
        if wait > 0:
            wait, bad = wait - 1, 0
        if bad > patience:
            return factor, PlateauState(best, 0, cooldown)
        return 1.0, PlateauState(best, bad, wait)

    return PlateauState(sign * math.inf, 0, 0), update


def _positive(name: str, **numbers: float) -> None:
    for what, value in numbers.items():
        if not value > 0:
            raise OptionError(message(name, f"a positive {what}", str(value)))
