"""NAdam, RAdam and Adamax as objects: shells over their rules."""

from __future__ import annotations

from typing import Any

from lucid.optim.optimizer import Optimizer, given
from lucid.optim.rules_moments import AdamaxState, NAdamState, RAdamState, adamax, nadam, radam

__all__ = ["Adamax", "NAdam", "RAdam"]


class NAdam(Optimizer):
    """Adam that looks ahead along its running mean: the object over `nadam`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient, or of the decay.
        momentum_decay: how fast the momentum grows.
        decoupled_weight_decay: decay as `AdamW` does, instead of a penalty.
        maximize: ascend instead.
        foreach, capturable, differentiable: taken for PyTorch's sake; they change nothing.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.NAdam([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.8944
    """

    _state_type = NAdamState
    _transformation = staticmethod(nadam)

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))


class RAdam(Optimizer):
    """Adam that divides only once its divisor is reliable: the object over `radam`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient, or of the decay.
        decoupled_weight_decay: decay as `AdamW` does, instead of a penalty.
        maximize: ascend instead.
        foreach, capturable, differentiable: taken for PyTorch's sake; they change nothing.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.RAdam([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.8
    """

    _state_type = RAdamState
    _transformation = staticmethod(radam)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))


class Adamax(Optimizer):
    """Adam with a decaying maximum for its divisor: the object over `adamax`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient.
        maximize: ascend instead.
        foreach, capturable, differentiable: taken for PyTorch's sake; they change nothing.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.Adamax([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.9
    """

    _state_type = AdamaxState
    _transformation = staticmethod(adamax)

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))
