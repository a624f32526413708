"""Adagrad, Adadelta and RMSprop as objects: shells over their rules."""

from __future__ import annotations

from typing import Any

from lucid.optim.optimizer import Optimizer, given
from lucid.optim.rules_adaptive import (
    AdadeltaState,
    AdagradState,
    RMSpropState,
    adadelta,
    adagrad,
    rmsprop,
)

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class Adagrad(Optimizer):
    """Steps divided by the root of all squared gradients' sum: the object over `adagrad`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        lr_decay: how fast the learning rate falls.
        weight_decay: the factor of the L2 penalty's gradient.
        initial_accumulator_value: the first value of the sum.
        eps: keeps the quotient finite.
        maximize: ascend instead.
        foreach, differentiable, fused: taken for PyTorch's sake; they change nothing.

    Raises:
        OptionError: if a number is negative.

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.Adagrad([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.9
    """

    _state_type = AdagradState
    _transformation = staticmethod(adagrad)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, given(locals()))


class Adadelta(Optimizer):
    """Steps in the unit of the parameters: the object over `adadelta`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the factor of the step.
        rho: the share of the running means that is kept, in [0, 1].
        eps: starts the steps, and keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient.
        maximize: ascend instead.
        foreach, capturable, differentiable: taken for PyTorch's sake; they change nothing.

    Raises:
        OptionError: if a number is negative, or `rho` above 1.

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.Adadelta([w], lr=1.0)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.9968
    """

    _state_type = AdadeltaState
    _transformation = staticmethod(adadelta)

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))


class RMSprop(Optimizer):
    """Steps divided by the root of mean squared gradients: the object over `rmsprop`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        alpha: the share of the running means that is kept.
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient.
        momentum: the share of the earlier steps that is kept.
        centered: divide by an estimate of the standard deviation.
        maximize: ascend instead.
        capturable, foreach, differentiable: taken for PyTorch's sake; they change nothing.

    Raises:
        OptionError: if a number is negative.

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.RMSprop([w], lr=0.01)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.9
    """

    _state_type = RMSpropState
    _transformation = staticmethod(rmsprop)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))
