"""Schedulers of cycles, which turn the momentum the other way round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucid.errors import OptionError, message
from lucid.optim import schedule
from lucid.optim.optimizer import Optimizer
from lucid.optim.scheduler_base import LRScheduler, check_optimizer, per_group

__all__ = ["CyclicLR", "OneCycleLR"]


class _Cycle(LRScheduler):
    """What the two share: a rate and a momentum for each group, from pure schedules."""

    _hidden = LRScheduler._hidden | {"_cycles", "_momenta"}
    _absolute = True
    _cycles: list[schedule.Schedule]
    _momenta: list[schedule.Schedule]
    cycle_momentum: bool

    def _check_momentum(self) -> None:
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            if "momentum" not in group and "betas" not in group:
                name, hint = type(self).__name__, "pass cycle_momentum=False"
                raise OptionError(message(name, "an optimiser with momentum", "none", hint))

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return self._cycles[k](epoch)

    def step(self, epoch: float | None = None) -> None:
        """Count a step and set the rates, and the momenta.

        Args:
            epoch: go there instead.
        """
        super().step(epoch)
        if self.cycle_momentum:
            for group, momentum in zip(self.optimizer.param_groups, self._momenta, strict=True):
                value = momentum(self.last_epoch)
                if "betas" in group:
                    group["betas"] = (value, *group["betas"][1:])
                else:
                    group["momentum"] = value


class OneCycleLR(_Cycle):
    """One rise of the rate, and a long fall; see `schedule.one_cycle`.

    With `cycle_momentum` the momentum, or the first of `betas`, falls and rises meanwhile.

    Args:
        optimizer: whose rates are set.
        max_lr: the highest rate, or a list with one for each group.
        total_steps: how many steps there are; or else `epochs` times `steps_per_epoch`.
        epochs: how many epochs there are.
        steps_per_epoch: how many steps an epoch has.
        pct_start: the share of the steps in which the rate rises.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether the momentum is set as well.
        base_momentum: the lowest momentum, or a list.
        max_momentum: the highest momentum, or a list.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first one divided by this.
        three_phase: fall back to the first rate as fast as it rose, then on to the last.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if the number of steps is missing, an option out of its range, the optimiser
            without momentum where `cycle_momentum`, or, at `step`, all steps have been made.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0, momentum=0.9)
        >>> scheduler = optim.lr_scheduler.OneCycleLR(opt, 1.0, total_steps=10, div_factor=10.0)
        >>> opt.param_groups[0]["lr"], opt.param_groups[0]["momentum"]
        (0.1, 0.95)

    References:
        Smith and Topin, "Super-convergence", 2019.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        name = "OneCycleLR"
        self.optimizer = check_optimizer(name, optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                want = "total_steps, or epochs and steps_per_epoch"
                raise OptionError(message(name, want, "neither"))
            total_steps = epochs * steps_per_epoch
        if not 0 <= pct_start <= 1:
            raise OptionError(message(name, "a pct_start in [0, 1]", str(pct_start)))
        self.total_steps, self.cycle_momentum = total_steps, cycle_momentum
        shape = (total_steps, pct_start, anneal_strategy)
        divisors = (div_factor, final_div_factor, three_phase)
        highest = per_group(name, "values of max_lr", max_lr, optimizer)
        self._cycles = [schedule.one_cycle(lr, *shape, *divisors) for lr in highest]
        low = per_group(name, "values of base_momentum", base_momentum, optimizer)
        high = per_group(name, "values of max_momentum", max_momentum, optimizer)
        # the mirror image: from high over low to high, whatever the final division of the rate
        self._momenta = [
            schedule.one_cycle(a, *shape, a / b, 1.0, three_phase)
            for a, b in zip(low, high, strict=True)
        ]
        self._check_momentum()
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, self._cycles, strict=True):
                group["initial_lr"] = rate(0)
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        if epoch > self.total_steps:
            got = f"step {epoch}"
            raise OptionError(message("OneCycleLR.step", f"at most {self.total_steps} steps", got))
        return super().rate(k, epoch)


class CyclicLR(_Cycle):
    """The rate goes up and down between two values again and again; see `schedule.cyclic`.

    With `cycle_momentum` the momentum, or the first of `betas`, falls and rises meanwhile.

    Args:
        optimizer: whose rates are set.
        base_lr: the lowest rate, or a list with one for each group.
        max_lr: the highest rate, or a list.
        step_size_up: how many steps the rate rises.
        step_size_down: how many it falls; by default as many.
        mode: "triangular"; "triangular2", every cycle half as high; or "exp_range", lower by
            `gamma` at every step.
        gamma: for "exp_range".
        scale_fn: a function that gives the height instead of `mode`.
        scale_mode: whether `scale_fn` takes the number of the "cycle", from 1, or of "iterations".
        cycle_momentum: whether the momentum is set as well.
        base_momentum: the lowest momentum, or a list.
        max_momentum: the highest momentum, or a list.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if an option is out of its range, or the optimiser without momentum where
            `cycle_momentum`.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0, momentum=0.9)
        >>> scheduler = optim.lr_scheduler.CyclicLR(opt, 0.1, 0.5, step_size_up=2)
        >>> for _ in range(2):
        ...     scheduler.step()
        >>> opt.param_groups[0]["lr"], opt.param_groups[0]["momentum"]
        (0.5, 0.8)

    References:
        Smith, "Cyclical learning rates for training neural networks", WACV 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Any,
        max_lr: Any,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[Any], Any] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.8,
        max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ) -> None:
        name = "CyclicLR"
        self.optimizer = check_optimizer(name, optimizer)
        self.cycle_momentum = cycle_momentum
        shape = (step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode)

        def cycles(what: str, first: Any, second: Any) -> list[schedule.Schedule]:
            low, high = (
                per_group(name, f"values of {what}", x, optimizer) for x in (first, second)
            )
            return [schedule.cyclic(a, b, *shape) for a, b in zip(low, high, strict=True)]

        self._cycles = cycles("base_lr and max_lr", base_lr, max_lr)
        self._momenta = cycles("base_momentum and max_momentum", max_momentum, base_momentum)
        self._check_momentum()
        self.mode, self.gamma = mode, gamma
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, self._cycles, strict=True):
                group["lr"] = rate(0)
        super().__init__(optimizer, last_epoch)
