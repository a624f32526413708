"""Schedulers by functions of the epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lucid.errors import OptionError, message
from lucid.optim.optimizer import Optimizer
from lucid.optim.scheduler_base import LRScheduler, per_group

__all__ = ["LambdaLR", "MultiplicativeLR"]


class _Functions(LRScheduler):
    """What schedulers by functions share; a state holds the attributes of the functions."""

    _hidden = LRScheduler._hidden | {"lr_lambdas"}
    lr_lambdas: list[Callable[[float], float]]

    def _take(self, optimizer: Optimizer, lr_lambda: Any) -> None:
        name = type(self).__name__
        self.lr_lambdas = per_group(name, "functions", lr_lambda, optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                got = f"a {type(function).__name__}"
                raise OptionError(message(name, "functions of the epoch", got))

    def state_dict(self) -> dict[str, Any]:
        """Return the state; functions stand for themselves, other callables by their attributes."""
        held = [dict(getattr(f, "__dict__", {})) or None for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": held}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state."""
        for f, held in zip(self.lr_lambdas, state_dict.get("lr_lambdas", ()), strict=False):
            if held is not None:
                f.__dict__.update(held)
        super().load_state_dict(state_dict)


class LambdaLR(_Functions):
    """Sets the initial rate times ``lr_lambda(epoch)``.

    Args:
        optimizer: whose rates are set.
        lr_lambda: a function of the epoch, or a list with one for each group.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or there is not one function per group.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.LambdaLR(opt, lambda epoch: 0.5**epoch)
        >>> for _ in range(3):
        ...     opt.step()
        ...     scheduler.step()
        ...     print(round(opt.param_groups[0]["lr"], 4))
        0.5
        0.25
        0.125
    """

    _absolute = True

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Any,
        last_epoch: int = -1,
    ) -> None:
        self._take(optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def rate(self, k: int, epoch: float) -> float:
        """Return group k's rate after `epoch` steps."""
        return self.base_lrs[k] * self.lr_lambdas[k](epoch)


class MultiplicativeLR(_Functions):
    """Multiplies the rate by ``lr_lambda(epoch)`` at every step.

    Args:
        optimizer: whose rates are set.
        lr_lambda: a function of the epoch, or a list with one for each group.
        last_epoch: the number of steps made before, less one; -1 to begin.

    Raises:
        OptionError: if `optimizer` is none, or there is not one function per group.

    Example:
        >>> from lucid import nn, optim
        >>> opt = optim.SGD([nn.Parameter(1.0)], lr=1.0)
        >>> scheduler = optim.lr_scheduler.MultiplicativeLR(opt, lambda epoch: 0.5)
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
        lr_lambda: Any,
        last_epoch: int = -1,
    ) -> None:
        self._take(optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the present rates times the factors at `last_epoch`; the first are as they are."""
        if self._initial:
            return self.get_last_lr()
        rows = zip(self.get_last_lr(), self.lr_lambdas, strict=True)
        return [lr * factor(self.last_epoch) for lr, factor in rows]
