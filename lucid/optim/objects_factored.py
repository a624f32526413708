"""Adafactor and Muon as objects: shells over their rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lucid.optim.optimizer import Optimizer, given
from lucid.optim.rules_factored import AdafactorState, MuonState, adafactor, muon

__all__ = ["Adafactor", "Muon"]


class Adafactor(Optimizer):
    """Mean squares kept by rows and columns: the object over `adafactor`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the largest relative step.
        beta2_decay: how fast the newest square loses weight; not positive.
        eps: the least divisor, by default the dtype's spacing at 1, and the least size of a
            parameter.
        d: the largest root mean square of the direction, at least 1.
        weight_decay: how fast parameters decay.
        foreach: taken for PyTorch's sake; it changes nothing.
        maximize: ascend instead.

    Raises:
        OptionError: if a number is out of its range.
        DTypeError: if a parameter is complex.

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.Adafactor([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.9
    """

    _state_type = AdafactorState
    _transformation = staticmethod(adafactor)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own; see `Optimizer.add_param_group`."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        self._rule(group).init(group["params"])  # checks the parameters


class Muon(Optimizer):
    """Momentum with singular values near 1, for matrices alone: the object over `muon`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        weight_decay: how fast parameters decay.
        momentum: the share of the running mean that is kept.
        nesterov: look ahead along the running mean.
        ns_coefficients: the coefficients of the iteration.
        eps: the least norm that is divided by.
        ns_steps: the number of iterations, below 100.
        adjust_lr_fn: None, "original" or "match_rms_adamw", see `muon`.

    Raises:
        OptionError: if an option is out of its range.
        ShapeError: if a parameter is no matrix.
        DTypeError: if a parameter is complex.

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter([[1.0, 0.0], [0.0, 1.0]])
        >>> opt = optim.Muon([w], lr=0.1, weight_decay=0.0)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> w.detach().round(2)
        Tensor([[0.89, 0.  ],
                [0.  , 0.89]])
    """

    _state_type = MuonState
    _transformation = staticmethod(muon)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(params, given(locals()))

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own; see `Optimizer.add_param_group`."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        self._rule(group).init(group["params"])  # checks the parameters
