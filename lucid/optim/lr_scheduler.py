"""Learning-rate schedulers as objects: shells over `lucid.optim.schedule` that set `lr`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lucid.errors import OptionError, message
from lucid.optim import schedule
from lucid.optim.optimizer import Optimizer

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LRScheduler:
    """Base class: sets every group's learning rate to a pure schedule of its initial one.

    A rate that something else has changed since the last step (another scheduler, or the user) is
    scaled as the schedule scales, so that schedulers combine.

    Attributes:
        optimizer: whose rates are set.
        last_epoch: how many steps have been made.
        base_lrs: the initial rates.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            got = f"a {type(optimizer).__name__}"
            raise OptionError(message(name, "an optimiser of lucid.optim", got))
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                hint = "load the optimiser's state first"
                raise OptionError(message(name, "initial_lr in every group", "none", hint))
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._last_lr = [group["lr"] for group in optimizer.param_groups]
        self.step()

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps; subclasses define it."""
        raise NotImplementedError

    def step(self) -> None:
        """Count a step and set the rates."""
        self.last_epoch += 1
        for k, group in enumerate(self.optimizer.param_groups):
            new, old = self.rate(k, self.last_epoch), self._last_lr[k]
            moved = self.last_epoch > 0 and group["lr"] != old
            group["lr"] = group["lr"] * new / old if moved and old else new
            self._last_lr[k] = new

    def get_last_lr(self) -> list[float]:
        """Return the present rate of every group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from step to step."""
        return {n: v for n, v in self.__dict__.items() if n != "optimizer" and not callable(v)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.__dict__.update(state_dict)


class LambdaLR(LRScheduler):
    """The initial rate times ``lr_lambda(epoch)``; a list gives one function per group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        count = len(optimizer.param_groups)
        self.lr_lambdas = (
            list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * count
        )
        if len(self.lr_lambdas) != count:
            got = str(len(self.lr_lambdas))
            raise OptionError(message("LambdaLR", f"{count} functions", got))
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return self.base_lrs[k] * self.lr_lambdas[k](epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from step to step, without the functions."""
        return {n: v for n, v in super().state_dict().items() if n != "lr_lambdas"}


class StepLR(LRScheduler):
    """See `schedule.step_decay`."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.step_decay(self.base_lrs[k], self.step_size, self.gamma)(epoch)


class MultiStepLR(LRScheduler):
    """See `schedule.multistep`."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = list(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.multistep(self.base_lrs[k], self.milestones, self.gamma)(epoch)


class ConstantLR(LRScheduler):
    """See `schedule.constant`."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.constant(self.base_lrs[k], self.factor, self.total_iters)(epoch)


class LinearLR(LRScheduler):
    """See `schedule.linear`."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.factors, self.total_iters = (start_factor, end_factor), total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.linear(self.base_lrs[k], *self.factors, self.total_iters)(epoch)


class PolynomialLR(LRScheduler):
    """See `schedule.polynomial`."""

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.polynomial(self.base_lrs[k], self.total_iters, self.power)(epoch)


class ExponentialLR(LRScheduler):
    """See `schedule.exponential`."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.exponential(self.base_lrs[k], self.gamma)(epoch)


class CosineAnnealingLR(LRScheduler):
    """See `schedule.cosine`."""

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.cosine(self.base_lrs[k], self.T_max, self.eta_min)(epoch)


class CosineAnnealingWarmRestarts(LRScheduler):
    """See `schedule.warm_restarts`."""

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803 - PyTorch's name
        T_mult: int = 1,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.periods, self.eta_min = (T_0, T_mult), eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.warm_restarts(self.base_lrs[k], *self.periods, self.eta_min)(epoch)


class OneCycleLR(LRScheduler):
    """See `schedule.one_cycle`; with `cycle_momentum` the momentum goes the other way round."""

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
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                want = "total_steps, or epochs and steps_per_epoch"
                raise OptionError(message("OneCycleLR", want, "neither"))
            total_steps = epochs * steps_per_epoch
        groups = optimizer.param_groups
        highest = list(max_lr) if isinstance(max_lr, Sequence) else [max_lr] * len(groups)
        shape = (total_steps, pct_start, anneal_strategy)
        self.total_steps = total_steps
        self._rates = [
            schedule.one_cycle(lr, *shape, div_factor, final_div_factor, three_phase)
            for lr in highest
        ]
        # the mirror image: from high over low to high, whatever the final division of the rate
        ratio = base_momentum / max_momentum
        self._momentum = schedule.one_cycle(base_momentum, *shape, ratio, 1.0, three_phase)
        self.cycle_momentum = cycle_momentum
        for group, rate in zip(groups, self._rates, strict=True):
            if last_epoch == -1:
                group["initial_lr"] = rate(0)
            if cycle_momentum and "momentum" not in group and "betas" not in group:
                hint = "pass cycle_momentum=False"
                raise OptionError(message("OneCycleLR", "an optimiser with momentum", "none", hint))
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        if epoch >= self.total_steps:
            got = f"step {epoch + 1}"
            raise OptionError(message("OneCycleLR.step", f"at most {self.total_steps} steps", got))
        return self._rates[k](epoch)

    def step(self) -> None:
        """Count a step and set the rates, and the momenta."""
        super().step()
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            value = self._momentum(self.last_epoch)
            if "betas" in group:
                group["betas"] = (value, *group["betas"][1:])
            else:
                group["momentum"] = value

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from step to step."""
        return {n: v for n, v in super().state_dict().items() if n != "_rates"}


class SequentialLR(LRScheduler):
    """Schedulers one after the other, each from its own milestone; see `schedule.join`."""

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._schedulers = list(schedulers)
        self._joined = [
            schedule.join([_rate_of(s, k) for s in schedulers], milestones)
            for k in range(len(optimizer.param_groups))
        ]
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: int) -> float:
        """Return group k's rate after `epoch` steps."""
        return self._joined[k](epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from step to step."""
        hidden = ("_schedulers", "_joined")
        return {n: v for n, v in super().state_dict().items() if n not in hidden}


def _rate_of(scheduler: LRScheduler, k: int) -> Callable[[int], float]:
    return lambda epoch: scheduler.rate(k, epoch)


class ReduceLROnPlateau:
    """Lowers the rates when a metric has stopped improving; see `schedule.plateau`."""

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Any = 0,
        eps: float = 1e-8,
    ) -> None:
        self.optimizer = optimizer
        groups = optimizer.param_groups
        self.min_lrs = list(min_lr) if isinstance(min_lr, Sequence) else [min_lr] * len(groups)
        self.eps = eps
        self.state, self._update = schedule.plateau(
            mode, factor, patience, threshold, threshold_mode, cooldown
        )

    def step(self, metrics: Any) -> None:
        """Look at a metric and lower the rates if need be."""
        factor, self.state = self._update(float(metrics), self.state)
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            new = max(group["lr"] * factor, least)
            if group["lr"] - new > self.eps:
                group["lr"] = new

    def get_last_lr(self) -> list[float]:
        """Return the present rate of every group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from step to step."""
        return self.state._asdict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.state = schedule.PlateauState(**state_dict)
