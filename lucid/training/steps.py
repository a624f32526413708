"""The steps of training and validation: functions of a batch that `lucid.jit` compiles whole."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lucid import tree
from lucid.core.parameter import Parameter
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, ShapeError, message
from lucid.graph.jit import jit
from lucid.nn.module import Module
from lucid.nn.utils import clip_grad_norm_
from lucid.optim import LBFGS
from lucid.training.batches import predict, tensors
from lucid.transforms.stop import no_grad

__all__ = ["Objective", "Trainer", "compiler", "evaluator"]


class Objective(NamedTuple):
    """What is computed of a batch: the loss of a model's prediction, and metrics of it.

    Attributes:
        model: gives the prediction.
        loss: a function of prediction and target.
        metrics: functions of prediction and target, by name.
    """

    model: Any
    loss: Callable[[Any, Any], Any]
    metrics: Mapping[str, Callable[[Any, Any], Any]]

    def __call__(self, inputs: Any, target: Any) -> tuple[Any, list[Any]]:
        """Return the loss, and the metrics, which no derivative follows."""
        prediction = predict(self.model, inputs)
        value = _scalar("loss", self.loss(prediction, target))
        plain = tree.map(lambda x: x.detach() if isinstance(x, Tensor) else x, prediction)
        with no_grad():
            found = [_scalar(f"metric {n!r}", f(plain, target)) for n, f in self.metrics.items()]
        return value, found

    def parameters(self, optimiser: Any) -> list[Parameter]:
        """Return the parameters of model, loss and optimiser, each once."""
        found = list(self.model.parameters())
        found += self.loss.parameters() if isinstance(self.loss, Module) else ()
        found += [p for group in optimiser.param_groups for p in group["params"]]
        return list({id(p): p for p in found if isinstance(p, Parameter)}.values())


def _scalar(what: str, value: Any) -> Any:
    """Return a value, having made sure that it is one real number."""
    shape = np.shape(value) if not isinstance(value, Tensor) else value.shape
    if shape != ():
        want = f"a {what} that returns one number"
        raise ShapeError(message("fit", want, f"shape {shape}", "take its .mean()"))
    kind = value.dtype.kind if isinstance(value, Tensor) else np.asarray(value).dtype.kind
    if kind not in "biuf":
        got = str(getattr(value, "dtype", type(value).__name__))
        raise DTypeError(message("fit", f"a {what} that returns a real number", got))
    return value


def compiler(compiled: bool, executor: str | None) -> Callable[[Any], Any]:
    """Return what makes a step of a function: `lucid.jit`, or, eagerly, almost nothing."""
    if compiled:
        return functools.partial(jit, executor=executor)
    return lambda f: lambda *args: f(*map(tensors, args))


class Trainer:
    """The training step: gradients of a batch, and an update after every `accumulate` of them."""

    def __init__(
        self,
        objective: Objective,
        optimiser: Any,
        make: Callable[[Any], Any],
        accumulate: int,
        clip_norm: float | None,
    ) -> None:
        self.objective, self.optimiser = objective, optimiser
        self.accumulate, self.clip_norm = accumulate, clip_norm
        self.params = objective.parameters(optimiser)
        self.pending = 0  # batches whose gradients wait for an update
        self._whole = make(self._step)
        self._backward = make(self._gradients)
        self._apply = make(self._update)

    def step(self, inputs: Any, target: Any) -> tuple[list[float], bool]:
        """Train with a batch; return loss and metrics, and whether parameters were updated."""
        if isinstance(self.optimiser, LBFGS):
            return self._search(inputs, target), True
        if self.accumulate == 1:
            return _floats(self._whole(inputs, target)), True
        found = _floats(self._backward(inputs, target))
        self.pending += 1
        return found, self.pending == self.accumulate and self.flush()

    def flush(self) -> bool:
        """Update the parameters with the gradients that wait, if there are any."""
        if not self.pending:
            return False
        self._apply(self.pending)
        self.pending = 0
        return True

    def forget(self) -> None:
        """Forget all gradients."""
        for p in self.params:
            p.grad = None

    # -- what is compiled ------------------------------------------------------------------------

    def _gradients(self, inputs: Any, target: Any) -> Any:
        value, found = self.objective(inputs, target)
        value.backward()
        return value.detach(), *found

    def _update(self, count: Any) -> None:
        if self.accumulate > 1:
            for p in self.params:
                if p.grad is not None:
                    p.grad = p.grad / count
        if self.clip_norm is not None:
            clip_grad_norm_(self.params, self.clip_norm)
        self.optimiser.step()
        self.forget()

    def _step(self, inputs: Any, target: Any) -> Any:
        found = self._gradients(inputs, target)
        self._update(1)
        return found

    def _search(self, inputs: Any, target: Any) -> list[float]:
        """Let an optimiser that evaluates the loss as often as it likes make its steps."""
        found: list[Any] = []

        def closure() -> Any:
            self.forget()
            found.append(self._backward(inputs, target))
            if self.clip_norm is not None:
                clip_grad_norm_(self.params, self.clip_norm)
            return found[-1][0]

        self.optimiser.step(closure)
        self.forget()
        return _floats(found[0])


def evaluator(objective: Objective, make: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the step of validation: loss and metrics of a batch, without gradients."""

    def measure(inputs: Any, target: Any) -> Any:
        with no_grad():
            value, found = objective(inputs, target)
        return value, *found

    made = make(measure)
    return lambda inputs, target: _floats(made(inputs, target))


def _floats(values: Any) -> list[float]:
    return [float(x.item() if isinstance(x, Tensor) else x) for x in values]
