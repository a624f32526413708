"""L-BFGS as an object, with a line search for the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lucid.core.parameter import Parameter
from lucid.errors import OptionError, StateDictError, message
from lucid.optim.optimizer import Optimizer, given
from lucid.optim.rules_lbfgs import CURVATURE, direction, lbfgs, vector
from lucid.optim.transform import GradientTransformation, apply_updates, zeros
from lucid.optim.wolfe import Point, strong_wolfe
from lucid.transforms.stop import enable_grad

__all__ = ["LBFGS", "LBFGSMemory"]


class LBFGSMemory(NamedTuple):
    """State of `LBFGS`, by PyTorch's names.

    Attributes:
        func_evals: how often the closure was called.
        n_iter: how many directions were taken.
        d: the last direction.
        t: how far it was followed.
        old_dirs: changes of the gradient that are kept.
        old_stps: the steps along which they were.
        ro: 1 / (change·step) for each.
        H_diag: the size of the inverse Hessian.
        prev_flat_grad: the last gradient but one.
        prev_loss: the last loss but one.
    """

    func_evals: int = 0
    n_iter: int = 0
    d: Any = None
    t: Any = None
    old_dirs: list[Any] = []  # noqa: RUF012 - never written into
    old_stps: list[Any] = []  # noqa: RUF012
    ro: list[float] = []  # noqa: RUF012
    H_diag: float = 1.0
    prev_flat_grad: Any = None
    prev_loss: float | None = None

    def turned(self, g: Any, history_size: int) -> LBFGSMemory:
        """Return the memory with the pair of the last step, and the direction from here."""
        if self.n_iter == 0:
            return self._replace(n_iter=1, d=-g)
        changes, steps, ro, scale = self.old_dirs, self.old_stps, self.ro, self.H_diag
        y, s = g - self.prev_flat_grad, self.d * self.t
        curvature = float(y @ s)
        if curvature > CURVATURE:
            first = max(0, len(steps) + 1 - history_size)
            changes, steps = [*changes, y][first:], [*steps, s][first:]
            ro, scale = [*ro, 1.0 / curvature][first:], curvature / float(y @ y)
        return self._replace(
            n_iter=self.n_iter + 1,
            d=direction(g, steps, changes, ro, scale),
            old_dirs=changes,
            old_stps=steps,
            ro=ro,
            H_diag=scale,
        )


class LBFGS(Optimizer):
    """Quasi-Newton with little memory; `step` takes several directions and needs a closure.

    Without a line search each step has length `lr`; with it `lr` is the first length that is tried.
    The pure function is `lbfgs`. Control flow depends on losses, so that a step cannot be jitted;
    the closure can.

    Args:
        params: the Parameters, in one group. A complex number counts as two real ones.
        lr: the length of a step, or the first that is tried.
        max_iter: how many directions one call of `step` takes.
        max_eval: after how many calls of the closure it takes no more; by default 5/4 of
            `max_iter`.
        tolerance_grad: it ends where no entry of the gradient is larger.
        tolerance_change: it ends where the loss, or every parameter, changes by less.
        history_size: how many steps are remembered.
        line_search_fn: None, or "strong_wolfe".

    Raises:
        OptionError: if `lr` is negative, `line_search_fn` unknown, or there are several groups.

    Example:
        >>> from lucid import nn, optim
        >>> w = nn.Parameter([3.0, -2.0])
        >>> opt = optim.LBFGS([w], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     opt.zero_grad()
        ...     loss = ((w - 1.0) ** 2).sum()
        ...     loss.backward()
        ...     return loss
        >>> opt.step(closure).item()
        13.0
        >>> w.detach().round(6)
        Tensor([1., 1.])

    References:
        Nocedal and Wright, "Numerical optimization", algorithms 7.4, 3.5 and 3.6.
    """

    _state_type = LBFGSMemory

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, given(locals()))

    def _rule(self, group: dict[str, Any]) -> GradientTransformation:
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            got = repr(group["line_search_fn"])
            raise OptionError(message("LBFGS", 'line_search_fn None or "strong_wolfe"', got))
        return lbfgs(group["lr"], group["history_size"])

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add the one group of parameters.

        Raises:
            OptionError: if there is one already.
        """
        if self.param_groups:
            raise OptionError(message("LBFGS", "one group of parameters", "a second one"))
        super().add_param_group(param_group)

    # -- steps -----------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take steps until one of the limits is reached.

        Args:
            closure: forgets the gradients, computes the loss, goes backward and returns the loss.

        Returns:
            What `closure` returned at first.

        Raises:
            OptionError: without a closure.
        """
        if closure is None:
            hint = "pass a function that computes the loss and the gradients"
            raise OptionError(message("LBFGS.step", "a closure", "none", hint))
        group = self.param_groups[0]
        with enable_grad():
            first = closure()
        loss, g, evals = float(first), self._gradient(), 1
        memory = self.state.get(0, LBFGSMemory())
        memory = memory._replace(func_evals=memory.func_evals + 1)
        if _largest(g) > group["tolerance_grad"]:
            for n in range(1, group["max_iter"] + 1):
                memory = memory.turned(g, group["history_size"])
                t = _length(memory, g, float(group["lr"]))
                memory = memory._replace(t=t, prev_flat_grad=g, prev_loss=loss)
                if float(g @ memory.d) > -group["tolerance_change"]:
                    break
                loss, g, t, used = self._follow(closure, memory, n, evals)
                evals += used
                memory = memory._replace(t=t, func_evals=memory.func_evals + used)
                if n == group["max_iter"] or self._ends(memory, loss, g, evals):
                    break
        self.state[0] = memory
        return first

    def _follow(
        self, closure: Callable[[], Any], memory: LBFGSMemory, n: int, evals: int
    ) -> tuple[float, Any, float, int]:
        """Move along the direction; return loss, gradient, the length and the calls it took."""
        group, d, t = self.param_groups[0], memory.d, memory.t
        loss, g = float(memory.prev_loss or 0.0), memory.prev_flat_grad
        origin = [p.data for p in group["params"]]

        def at(t: float) -> Point:
            self._move(origin, t * d)
            with enable_grad():
                loss = float(closure())
            g = self._gradient()
            return Point(t, loss, g, float(g @ d))

        if group["line_search_fn"] is not None:
            start = Point(0.0, loss, g, float(g @ d))
            limit = group["max_eval"] - evals
            found, used = strong_wolfe(at, start, t, _largest(d), limit)
            self._move(origin, found.t * d)
            return found.loss, found.gradient, found.t, used
        if n == group["max_iter"]:  # another gradient would not be used
            self._move(origin, t * d)
            return loss, g, t, 0
        there = at(t)
        return there.loss, there.gradient, t, 1

    def _ends(self, memory: LBFGSMemory, loss: float, g: Any, evals: int) -> bool:
        group = self.param_groups[0]
        change = group["tolerance_change"]
        return (
            evals >= group["max_eval"]
            or _largest(g) <= group["tolerance_grad"]
            or _largest(memory.d * memory.t) <= change
            or abs(loss - float(memory.prev_loss or 0.0)) < change
        )

    def _gradient(self) -> Any:
        params: list[Parameter] = self.param_groups[0]["params"]
        return vector([zeros(p.data) if p.grad is None else p.grad for p in params])[0].numpy()

    def _move(self, origin: list[Any], step: Any) -> None:
        """Set the parameters to those at the origin plus a step."""
        params = self.param_groups[0]["params"]
        new = apply_updates(origin, vector(origin)[1](step))
        for p, value in zip(params, new, strict=True):
            p.data = value

    # -- state -----------------------------------------------------------------------------------

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state, also PyTorch's with its tensors as arrays.

        Raises:
            StateDictError: if groups, options or sizes differ.
        """
        saved = state_dict["state"]
        size = sum(p.size * (2 if p.dtype.kind == "c" else 1) for p in self._all())
        state = {int(k): _restored(values, size) for k, values in saved.items()}
        super().load_state_dict({**state_dict, "state": {}})
        self.state = state

    def _all(self) -> list[Parameter]:
        return self.param_groups[0]["params"]


def _length(memory: LBFGSMemory, g: Any, lr: float) -> float:
    return lr if memory.n_iter > 1 else lr * min(1.0, 1.0 / float(abs(g).sum()))


def _largest(x: Any) -> float:
    return float(abs(x).max(initial=0.0))


def _restored(values: Mapping[str, Any], size: int) -> LBFGSMemory:
    name = "LBFGS.load_state_dict"
    found = {n: v for n, v in values.items() if n != "al" and v is not None}  # al: a work space
    unknown = set(found) - set(LBFGSMemory._fields)
    if unknown:
        want = f"a state with {', '.join(LBFGSMemory._fields)}"
        raise StateDictError(message(name, want, ", ".join(sorted(unknown))))
    for field in ("func_evals", "n_iter"):
        found[field] = int(found.get(field, 0))
    for field in ("t", "H_diag", "prev_loss"):
        if field in found:
            found[field] = float(found[field])
    found["ro"] = [float(x) for x in found.get("ro", ())]
    for field in ("old_dirs", "old_stps"):
        found[field] = [_sized(name, x, size) for x in found.get(field, ())]
    for field in ("d", "prev_flat_grad"):
        if field in found:
            found[field] = _sized(name, found[field], size)
    return LBFGSMemory(**found)


def _sized(name: str, x: Any, size: int) -> Any:
    x = np.asarray(x).copy()  # its owner may write into it
    if x.shape != (size,):
        raise StateDictError(message(name, f"vectors of {size} numbers", f"shape {x.shape}"))
    return x
