"""Schedulers with a formula: each sets the rate that a pure schedule gives for the epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from lucid.optim import schedule
from lucid.optim.optimizer import Optimizer
from lucid.optim.scheduler_base import LRScheduler, check_share

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LinearLR",
    "MultiStepLR",
    "PolynomialLR",
    "StepLR",
]


class StepLR(LRScheduler):
    """Multiplies the rate by `gamma` after every `step_size` steps; see `schedule.step_decay`.

    Args:
        optimizer: whose rates are set.
        step_size: how many steps one rate holds.
        gamma: the factor.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or `step_size` not positive.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        1.0
        0.5
        0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.step_decay(self.base_lrs[k], self.step_size, self.gamma)(epoch)


class MultiStepLR(LRScheduler):
    """Multiplies the rate by `gamma` at every milestone; see `schedule.multistep`.

    Args:
        optimizer: whose rates are set.
        milestones: the epochs.
        gamma: the factor.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.MultiStepLR(opt, [2, 3], 0.5)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        1.0
        0.5
        0.25
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.multistep(self.base_lrs[k], sorted(self.milestones.elements()), self.gamma)(
            epoch
        )

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state, also one from a file, which knows no `Counter`."""
        found = dict(state_dict)
        if "milestones" in found:
            found["milestones"] = Counter(found["milestones"])
        super().load_state_dict(found)


class ConstantLR(LRScheduler):
    """Multiplies the rate by a factor for `total_iters` steps; see `schedule.constant`.

    Args:
        optimizer: whose rates are set.
        factor: the factor, in [0, 1].
        total_iters: how long it holds.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or `factor` not in [0, 1].

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.ConstantLR(opt, 0.5, 2)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        0.5
        1.0
        1.0
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_share("ConstantLR", "factor", factor)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.constant(self.base_lrs[k], self.factor, self.total_iters)(epoch)


class LinearLR(LRScheduler):
    """Multiplies the rate by a factor that goes linearly to another; see `schedule.linear`.

    Args:
        optimizer: whose rates are set.
        start_factor: the first factor, in (0, 1].
        end_factor: the last factor, in [0, 1].
        total_iters: how many steps lie between them.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or a factor not in its range.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.LinearLR(opt, 0.5, 1.0, 4)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        0.625
        0.75
        0.875
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_share("LinearLR", "start_factor", start_factor, above=True)
        check_share("LinearLR", "end_factor", end_factor)
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.linear(
            self.base_lrs[k], self.start_factor, self.end_factor, self.total_iters
        )(epoch)


class PolynomialLR(LRScheduler):
    """Lowers the rate to 0 as (1 - epoch/total_iters)ᵖᵒʷᵉʳ; see `schedule.polynomial`.

    Args:
        optimizer: whose rates are set.
        total_iters: when 0 is reached.
        power: of the polynomial.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or `total_iters` not positive.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.PolynomialLR(opt, 4, 2.0)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        0.5625
        0.25
        0.0625
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.polynomial(self.base_lrs[k], self.total_iters, self.power)(epoch)


class ExponentialLR(LRScheduler):
    """Multiplies the rate by `gamma` at every step; see `schedule.exponential`.

    Args:
        optimizer: whose rates are set.
        gamma: the factor.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.ExponentialLR(opt, 0.5)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        0.5
        0.25
        0.125
    """

    def __init__(
        self,
        optimizer: Optimizer,
        gamma: float,
        last_epoch: int = -1,
    ) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.exponential(self.base_lrs[k], self.gamma)(epoch)


class CosineAnnealingLR(LRScheduler):
    """Lowers the rate along half a cosine, and raises it again; see `schedule.cosine`.

    Args:
        optimizer: whose rates are set.
        T_max: half of the period.
        eta_min: the lowest rate.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or `T_max` not positive.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.CosineAnnealingLR(opt, 4)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        0.8536
        0.5
        0.1464
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.cosine(self.base_lrs[k], self.T_max, self.eta_min)(epoch)

    def _scaled(self, present: float, new: float, old: float) -> float:
        if old == self.eta_min:
            return new
        return self.eta_min + (present - self.eta_min) * (new - self.eta_min) / (old - self.eta_min)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Lowers the rate along half a cosine, anew and anew; see `schedule.warm_restarts`.

    `step` also takes a fraction of an epoch.

    Args:
        optimizer: whose rates are set.
        T_0: the first period.
        T_mult: by what a period is longer than the one before.
        eta_min: the lowest rate.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or a period not positive.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, 2)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        0.5
        1.0
        0.5
    """

    _absolute = True

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803 - PyTorch's name
        T_mult: int = 1,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return schedule.warm_restarts(self.base_lrs[k], self.T_0, self.T_mult, self.eta_min)(epoch)
