"""Schedulers made of others, and the one that looks at a metric."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

from lucid.errors import OptionError, message
from lucid.optim import schedule
from lucid.optim.captured import refuse_step
from lucid.optim.optimizer import Optimizer
from lucid.optim.scheduler_base import LRScheduler, check_optimizer, per_group

__all__ = ["ChainedScheduler", "ReduceLROnPlateau", "SequentialLR"]


class _Composed(LRScheduler):
    """What the two share: the schedulers, whose states are part of the state."""

    _hidden = LRScheduler._hidden | {"_schedulers"}
    _schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        name = type(self).__name__
        self._schedulers = list(schedulers)
        if not self._schedulers:
            raise OptionError(message(name, "at least one scheduler", "none"))
        for one in self._schedulers:
            if not isinstance(one, LRScheduler):
                got = f"a {type(one).__name__}"
                raise OptionError(message(name, "schedulers that look at no metric", got))
        owner = self._schedulers[0].optimizer if optimizer is None else optimizer
        self.optimizer = check_optimizer(name, owner)
        if any(one.optimizer is not owner for one in self._schedulers):
            raise OptionError(message(name, "schedulers of one optimiser", "several"))

    def _rewind(self) -> None:
        super()._rewind()
        for one in self._schedulers:
            one._rewind()

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with those of the schedulers."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state."""
        super().load_state_dict(state_dict)
        for one, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            one.load_state_dict(state)


class SequentialLR(_Composed):
    """Schedulers one after the other, each from its own milestone; see `schedule.join`.

    Args:
        optimizer: whose rates are set.
        schedulers: in their order.
        milestones: the epoch at which each but the first begins.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if there is not one scheduler more than milestones, or they are of another
            optimiser.

    Example:
        >>> from lucid import nn, optim
        >>> from lucid.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> parts = [ConstantLR(opt, 0.1, 2), ExponentialLR(opt, 0.5)]
        >>> scheduler = SequentialLR(opt, parts, milestones=[2])
        >>> rates = scheduler.get_last_lr()
        >>> for _ in range(3):
        ...     scheduler.step()
        ...     rates += scheduler.get_last_lr()
        >>> rates
        [0.1, 0.1, 1.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            got = f"{len(schedulers)} and {len(milestones)}"
            raise OptionError(message("SequentialLR", "one scheduler more than milestones", got))
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for one in self._schedulers:
            one._rewind()
        self._schedulers[bisect.bisect_right(self._milestones, 0)]._begin()
        self._last_lr = self.get_last_lr()

    def step(self, epoch: float | None = None) -> None:
        """Count a step and set the rates.

        Args:
            epoch: go there instead.
        """
        refuse_step(type(self).__name__)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        k = bisect.bisect_right(self._milestones, self.last_epoch)
        start = self._milestones[k - 1] if k else 0
        jumps = epoch is not None or (k > 0 and self.last_epoch == start)
        self._schedulers[k].step(self.last_epoch - start if jumps else None)
        self._last_lr = self.get_last_lr()


class ChainedScheduler(_Composed):
    """Schedulers that all step together: their factors multiply.

    Args:
        schedulers: in the order in which they step.
        optimizer: whose rates are set; by default that of the first scheduler.

    Raises:
        OptionError: if there is no scheduler, or they are of several optimisers.

    Example:
        >>> from lucid import nn, optim
        >>> from lucid.optim.lr_scheduler import ChainedScheduler, ConstantLR, ExponentialLR
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = ChainedScheduler([ConstantLR(opt, 0.5, 2), ExponentialLR(opt, 0.5)])
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.25]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self._take(schedulers, optimizer)
        self.last_epoch = 0
        self._last_lr = self.get_last_lr()

    def step(self, epoch: float | None = None) -> None:
        """Let every scheduler step.

        Args:
            epoch: where they go instead.
        """
        refuse_step(type(self).__name__)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        for one in self._schedulers:
            one.step(epoch)
        self._last_lr = self.get_last_lr()


class ReduceLROnPlateau:
    """Lowers the rates when a metric has stopped improving; see `schedule.plateau`.

    Args:
        optimizer: whose rates are set.
        mode: "min" where a smaller metric is better, else "max".
        factor: what the rates are multiplied by, below 1.
        patience: how many steps without improvement are waited for.
        threshold: what counts as an improvement.
        threshold_mode: "rel" for a share of the best metric, "abs" for a difference.
        cooldown: how many steps to wait after a fall.
        min_lr: the lowest rate, or a list with one for each group.
        eps: a smaller fall is not made.

    Raises:
        OptionError: if an option is out of its range.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
        >>> for loss in (3.0, 2.0, 2.0, 2.0):
        ...     scheduler.step(loss)
        >>> scheduler.get_last_lr()
        [0.5]
    """

    _options = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown")

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
        name = "ReduceLROnPlateau"
        self.optimizer = check_optimizer(name, optimizer)
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.min_lrs = per_group(name, "values of min_lr", min_lr, optimizer)
        self.eps = eps
        self.last_epoch = 0
        self.state, self._update = self._plateau()

    def _plateau(self) -> Any:
        return schedule.plateau(**{n: getattr(self, n) for n in self._options})

    def step(self, metrics: Any, epoch: int | None = None) -> None:
        """Look at a metric and lower the rates if need be.

        Args:
            metrics: a number, or a Tensor with one element.
            epoch: the number to count on from.
        """
        refuse_step(type(self).__name__)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        factor, self.state = self._update(float(metrics), self.state)
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            new = max(group["lr"] * factor, least)
            if group["lr"] - new > self.eps:
                group["lr"] = new

    def get_last_lr(self) -> list[float]:
        """Return the present rate of every group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options by PyTorch's names."""
        names = (*self._options, "min_lrs", "eps", "last_epoch")
        return {**{n: getattr(self, n) for n in names}, **self.state._asdict()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state."""
        for n in (*self._options, "min_lrs", "eps", "last_epoch"):
            setattr(self, n, state_dict.get(n, getattr(self, n)))
        _, self._update = self._plateau()
        fields = schedule.PlateauState._fields
        self.state = schedule.PlateauState(**{n: state_dict[n] for n in fields})
