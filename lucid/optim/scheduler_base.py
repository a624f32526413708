"""The base class of learning-rate schedulers: shells over `lucid.optim.schedule` that set `lr`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lucid.errors import OptionError, UnsupportedError, message
from lucid.optim.captured import refuse_step
from lucid.optim.optimizer import Optimizer

__all__ = ["LRScheduler", "check_share", "per_group"]


class LRScheduler:
    """Base class: sets every group's learning rate to a pure schedule of its initial one.

    A rate that something else has changed since the last step (another scheduler, or the user) is
    scaled as the schedule scales, so that schedulers combine. A subclass defines `rate`, or, as in
    PyTorch, `get_lr`.

    Attributes:
        optimizer: whose rates are set.
        last_epoch: how many steps have been made.
        base_lrs: the initial rates.

    Args:
        optimizer: whose rates are set.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or there is no initial rate to go on from.

    Example:
        >>> from lucid import nn, optim
        >>> class Halving(optim.lr_scheduler.LRScheduler):
        ...     def rate(self, k, epoch):
        ...         return self.base_lrs[k] * 0.5**epoch
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = Halving(opt)
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    # what a state does not hold: other objects, functions, and what follows from the rest
    _hidden: ClassVar[frozenset[str]] = frozenset({"optimizer", "_rates", "_initial"})
    # whether what others did to the rate is ignored
    _absolute: ClassVar[bool] = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        self.optimizer = check_optimizer(name, optimizer)
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                hint = "load the optimiser's state first"
                raise OptionError(message(name, "initial_lr in every group", "none", hint))
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch: float = last_epoch
        self._begin()

    def _begin(self) -> None:
        """Make the step that sets the first rates."""
        groups = self.optimizer.param_groups
        fresh = self.last_epoch == -1
        self._rates = list(self.base_lrs) if fresh else [group["lr"] for group in groups]
        self._initial = True
        self.step()
        self._initial = False

    def _rewind(self) -> None:
        """Take back the step that `_begin` made."""
        self.last_epoch -= 1

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        name = type(self).__name__
        raise UnsupportedError(message(name, "a method `rate` or `get_lr`", "neither"))

    def get_lr(self) -> list[float]:
        """Return the rates at `last_epoch`, scaled where something else has changed the present."""
        found: list[float] = []
        for k, group in enumerate(self.optimizer.param_groups):
            new, old, present = self.rate(k, self.last_epoch), self._rates[k], group["lr"]
            moved = not self._absolute and present != old
            found.append(self._scaled(present, new, old) if moved and old else new)
            self._rates[k] = new
        return found

    def _scaled(self, present: float, new: float, old: float) -> float:
        """Return a rate that should be `old`, changed as `old` changes to `new`."""
        return present * new / old

    def step(self, epoch: float | None = None) -> None:
        """Count a step and set the rates.

        Args:
            epoch: go there instead, and set the rates to those of the schedule alone.
        """
        refuse_step(type(self).__name__)
        if epoch is None:
            self.last_epoch += 1
        else:
            self.last_epoch = epoch
            self._rates = [group["lr"] for group in self.optimizer.param_groups]
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """Return the present rate of every group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return the state by PyTorch's names, without the optimiser and without functions."""
        return {n: v for n, v in self.__dict__.items() if n not in self._hidden}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state. That of the optimiser, its present rates too, is loaded apart."""
        self.__dict__.update({n: v for n, v in state_dict.items() if n not in self._hidden})
        self._resume()

    def _resume(self) -> None:
        """Find what the state does not hold."""
        if type(self).rate is not LRScheduler.rate:
            self._rates = [self.rate(k, self.last_epoch) for k in range(len(self.base_lrs))]


def check_optimizer(name: str, optimizer: Any) -> Optimizer:
    """Return an optimiser, having made sure that it is one."""
    if not isinstance(optimizer, Optimizer):
        got = f"a {type(optimizer).__name__}"
        raise OptionError(message(name, "an optimiser of lucid.optim", got))
    return optimizer


def per_group(name: str, what: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """Return one value for each group, from a list of them or one for all."""
    count = len(optimizer.param_groups)
    found = list(value) if isinstance(value, Sequence) else [value] * count
    if len(found) != count:
        raise OptionError(message(name, f"{count} {what}", str(len(found))))
    return found


def check_share(name: str, what: str, value: float, *, above: bool = False) -> None:
    """Raise unless a factor is between 0 and 1, and, if `above`, not 0."""
    if not 0 <= value <= 1 or (above and value == 0):
        want = f"a {what} in {'(' if above else '['}0, 1]"
        raise OptionError(message(name, want, str(value)))
