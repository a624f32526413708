"""Lion and LAMB as objects: shells over their rules."""

from __future__ import annotations

from typing import Any

from lucid.optim.optimizer import Optimizer, given
from lucid.optim.rules_sign import LAMBState, LionState, lamb, lion

__all__ = ["LAMB", "Lion"]


class Lion(Optimizer):
    """Steps of constant size by the sign of a running mean: the object over `lion`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        betas: the share of the running mean in the step, and that which is kept; in [0, 1).
        weight_decay: how fast parameters decay.
        maximize: ascend instead.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.Lion([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.9
    """

    _state_type = LionState
    _transformation = staticmethod(lion)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))


class LAMB(Optimizer):
    """Adam's step scaled to the size of each parameter: the object over `lamb`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: how fast parameters decay.
        maximize: ascend instead.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.LAMB([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.9
    """

    _state_type = LAMBState
    _transformation = staticmethod(lamb)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))
