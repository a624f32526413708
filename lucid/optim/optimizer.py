"""Optimisers as objects: shells over the pure rules that keep state and replace parameters."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from lucid.core.cells import guard_attributes, own
from lucid.core.parameter import Parameter
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, OptionError, StateDictError, message
from lucid.optim.captured import keep_state, seen, state_of
from lucid.optim.rules import AdamState, SGDState, adam, adamw, sgd
from lucid.optim.transform import GradientTransformation, apply_updates, zeros
from lucid.transforms.stop import enable_grad

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "given", "options"]


class Optimizer:
    """Base class of optimisers: parameter groups with options, and a state per parameter.

    A subclass names its rule, which takes the options of a group by name, in `_transformation`, or
    overrides `_rule`, which makes a gradient transformation out of a group.

    Args:
        params: Parameters, or dicts with the list ``"params"`` and options that hold for it.
        defaults: the options of groups that do not set them.

    Raises:
        OperandError: if `params` holds something else.
        OptionError: if there is no parameter, one twice, or an option that does not exist.

    Attributes:
        param_groups: dicts with the list ``"params"`` and the options that hold for it; options may
            be changed at any time.
        state: the rule's state by the parameter's position over all groups.
        defaults: see above.

    Example:
        >>> from lucid import nn, optim
        >>> class Descent(optim.Optimizer):
        ...     def __init__(self, params, lr):
        ...         super().__init__(params, {"lr": lr})
        ...
        ...     def _rule(self, group):
        ...         return optim.scale(-group["lr"])
        >>> p = nn.Parameter(1.0)
        >>> (p * p).backward()
        >>> Descent([p], 0.25).step()
        >>> p.data
        Tensor(0.5)
    """

    _state_type: ClassVar[Any]
    _transformation: ClassVar[Callable[..., GradientTransformation]]

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        own(self)
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[int, Any] = {}
        name = type(self).__name__
        if isinstance(params, Tensor | Mapping) or not isinstance(params, Iterable):
            hint = "pass model.parameters(), or a list"
            got = f"a {type(params).__name__}"
            raise OperandError(message(name, "an iterable of Parameters or groups", got, hint))
        groups = list(params)
        if not groups:
            raise OptionError(message(name, "at least one parameter", "none"))
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _rule(self, group: dict[str, Any]) -> GradientTransformation:
        return self._transformation(**options(group))

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own.

        Args:
            param_group: a dict with ``"params"``, a Parameter or an iterable of them, and options.
        """
        name = type(self).__name__
        group = dict(param_group)
        params = group.get("params")
        group["params"] = [params] if isinstance(params, Tensor) else list(params or ())
        unknown = set(group) - {"params", *self.defaults, "initial_lr"}
        if unknown:
            want = f"options among {', '.join(self.defaults)}"
            raise OptionError(message(name, want, ", ".join(sorted(unknown))))
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in group["params"]:
            if not isinstance(p, Parameter):
                hint = "wrap it in nn.Parameter, or use the pure functions of lucid.optim"
                got = f"a {type(p).__name__}"
                raise OperandError(message(name, "Parameters", got, hint))
            if id(p) in known:
                raise OptionError(message(name, "each parameter once", f"one twice: {p!r:.60}"))
            known.add(id(p))
        group = {"params": group["params"], **self.defaults, **group}
        self._rule(group)  # checks the options
        self.param_groups.append(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step with the present gradients; a parameter without one stays as it is.

        Args:
            closure: recomputes the loss and the gradients first.

        Returns:
            What `closure` returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        positions = itertools.count()
        for group in self.param_groups:
            rule = self._rule(group)
            for p, position in zip(group["params"], positions, strict=False):
                if p.grad is not None:
                    state = state_of(self, position, functools.partial(rule.init, p))
                    updates, new = rule.update(p.grad, state, p)
                    p.data = apply_updates(p, updates)
                    keep_state(self, position, new)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = zeros(p.grad)

    # -- state -----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options, with parameters as their positions."""
        start = 0
        groups: list[dict[str, Any]] = []
        for group in self.param_groups:
            places = list(range(start, start + len(group["params"])))
            start += len(places)
            groups.append({**group, "params": places})
        return {"state": {k: s._asdict() for k, s in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state; nothing is changed if it does not fit.

        Raises:
            StateDictError: if groups, options or shapes differ.
        """
        name = f"{type(self).__name__}.load_state_dict"
        groups = state_dict["param_groups"]
        sizes = [len(g["params"]) for g in groups]
        own = [len(g["params"]) for g in self.param_groups]
        if sizes != own:
            raise StateDictError(message(name, f"groups of {own} parameters", str(sizes)))
        unknown = {n for g in groups for n in g} - {"params", "initial_lr", *self.defaults}
        if unknown:
            want = f"options among {', '.join(self.defaults)}"
            raise StateDictError(message(name, want, ", ".join(sorted(unknown))))
        merged = [
            {**group, **{n: v for n, v in new.items() if n != "params"}}
            for group, new in zip(self.param_groups, groups, strict=True)
        ]
        rules = [(p, self._rule(group)) for group in merged for p in group["params"]]
        state: dict[int, Any] = {}
        for k, values in state_dict["state"].items():
            fields = self._state_type._fields
            if int(k) >= len(rules) or not set(values) <= set(fields):
                want = f"states with {', '.join(fields)} of {len(rules)} parameters"
                raise StateDictError(message(name, want, f"{', '.join(values)} at {k}"))
            p, rule = rules[int(k)]
            found = {"step": 1, **values}  # what is saved has made a step, though not all count
            start = zip(fields, rule.init(p), strict=True)
            state[int(k)] = self._state_type(
                *(_restore(name, f, found.get(f), old, p) for f, old in start)
            )
        self.state = state
        for group, new in zip(self.param_groups, merged, strict=True):
            group.update(new)

    def __repr__(self) -> str:
        lines = []
        for k, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {k}")
            lines += [f"    {n}: {group[n]}" for n in sorted(group) if n != "params"]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"


guard_attributes(Optimizer, seen)


def _restore(name: str, field: str, value: Any, start: Any, p: Parameter) -> Any:
    """Return a saved value as a value of the kind that a state begins with."""
    if value is None:
        return start
    if isinstance(start, int | float):
        return type(start)(value)
    start = p if start is None else start
    t = Tensor(value).astype(start.dtype)
    if t.shape != start.shape:
        raise StateDictError(message(name, f"{field} of shape {start.shape}", f"shape {t.shape}"))
    return t


def given(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the options among the arguments of a constructor, its `locals()`."""
    return {n: v for n, v in arguments.items() if n not in ("self", "params", "__class__")}


# What a rule does not take: the group's parameters, what schedulers remember, and the arguments
# by which PyTorch chooses between implementations of one rule.
_OTHERS = {"params", "initial_lr", "foreach", "fused", "capturable", "differentiable"}


def options(group: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a group that its rule takes."""
    return {n: v for n, v in group.items() if n not in _OTHERS}


class SGD(Optimizer):
    """Gradient descent, optionally with momentum: the object over `sgd`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        momentum: the share of the running mean that is kept.
        dampening: how much less of a gradient enters the running mean.
        weight_decay: the factor of the L2 penalty's gradient.
        nesterov: look ahead along the running mean.
        maximize: ascend instead.
        foreach, differentiable, fused: taken for PyTorch's sake; they change nothing.

    Raises:
        OptionError: if a number is negative, or `nesterov` lacks momentum or meets dampening.

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.SGD([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> w
        Parameter(0.8, requires_grad=True)
    """

    _state_type = SGDState
    _transformation = staticmethod(sgd)

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, given(locals()))


class Adam(Optimizer):
    """Adam: the object over `adam`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: the factor of the L2 penalty's gradient.
        amsgrad: divide by the largest running mean of squares so far.
        maximize: ascend instead.
        foreach, capturable, differentiable, fused: taken for PyTorch's sake; they change nothing.
        decoupled_weight_decay: decay as `AdamW` does.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter(1.0)
        >>> opt = optim.Adam([w], lr=0.1)
        >>> (w * w).backward()
        >>> opt.step()
        >>> round(w.item(), 6)
        0.9
    """

    _state_type = AdamState

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def _rule(self, group: dict[str, Any]) -> GradientTransformation:
        found = options(group)
        return (adamw if found.pop("decoupled_weight_decay") else adam)(**found)


class AdamW(Adam):
    """Adam with decoupled weight decay: the object over `adamw`.

    Args:
        params: the Parameters, or dicts of groups.
        lr: the learning rate.
        betas: the shares of the running means that are kept, each in [0, 1).
        eps: keeps the quotient finite.
        weight_decay: how fast parameters decay.
        amsgrad: divide by the largest running mean of squares so far.
        maximize: ascend instead.
        foreach, capturable, differentiable, fused: taken for PyTorch's sake; they change nothing.

    Raises:
        OptionError: if a number is negative, or a beta not in [0, 1).

    Example:
        >>> from lucid import nn, optim
        >>> optim.AdamW([nn.Parameter(1.0)]).defaults["weight_decay"]
        0.01
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(**given(locals()), params=params, decoupled_weight_decay=True)
