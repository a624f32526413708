"""State: what of a training the model, optimiser, scheduler and callbacks hold, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.tensor import Tensor, wrap
from lucid.nn.module import Module
from lucid.optim.optimizer import Optimizer
from lucid.training.callbacks import Callback
from lucid.training.steps import Trainer

__all__ = ["layouts", "rebuild", "relaid", "restore", "snapshot", "weights"]


def weights(module: Module) -> dict[str, Tensor]:
    """Return the parameters and all buffers of a module by path, also those not in its state."""
    buffers = {name: value.detach() for name, value in module.named_buffers()}
    return {**module.state_dict(), **buffers}


def restore(module: Module, values: Mapping[str, Any]) -> None:
    """Give a module what `weights` returned."""
    own = module.state_dict()
    module.load_state_dict(
        {n: v for n, v in values.items() if n in own or n not in weights(module)}
    )
    for name in values.keys() - own.keys():
        path, _, last = name.rpartition(".")
        setattr(module.get_submodule(path), last, Tensor(values[name]))


def snapshot(trainer: Trainer, scheduler: Any, callbacks: Sequence[Callback]) -> dict[str, Any]:
    """Return the state of everything but the position."""
    loss = trainer.objective.loss
    grads = [p.grad for p in trainer.params] if trainer.pending else []
    state = {
        "model": weights(trainer.objective.model),
        "loss": weights(loss) if isinstance(loss, Module) else {},
        "optimiser": _without_functions(trainer.optimiser),
        "scheduler": scheduler.state_dict() if hasattr(scheduler, "state_dict") else None,
        "pending": trainer.pending,
        "gradients": [None if g is None else g.detach() for g in grads],
        "callbacks": [[type(c).__name__, c.state_dict()] for c in callbacks],
    }
    return {**state, "layouts": layouts(state)}


def rebuild(
    trainer: Trainer, scheduler: Any, callbacks: Sequence[Callback], state: Mapping[str, Any]
) -> dict[str, Any]:
    """Give everything the state that `snapshot` returned; return it, as it was."""
    own = relaid({n: state[n] for n in _PARTS}, state["layouts"])
    objective = trainer.objective
    restore(objective.model, own["model"])
    if isinstance(objective.loss, Module):
        restore(objective.loss, own["loss"])
    trainer.optimiser.load_state_dict(own["optimiser"])
    if hasattr(scheduler, "load_state_dict") and own["scheduler"] is not None:
        scheduler.load_state_dict(own["scheduler"])
    trainer.pending = own["pending"]
    for p, grad in zip(trainer.params, own["gradients"], strict=False):
        p.grad = grad
    left = list(own["callbacks"])
    for callback in callbacks:
        for k, (kind, saved) in enumerate(left):
            if kind == type(callback).__name__:
                if saved:
                    callback.load_state_dict(saved)
                del left[k]
                break
    return {**state, **own}


_PARTS = ("model", "loss", "optimiser", "scheduler", "pending", "gradients", "callbacks")


def _without_functions(optimiser: Optimizer) -> dict[str, Any]:
    """Return an optimiser's state; functions, such as schedules, are left out."""
    state = optimiser.state_dict()
    groups = [
        {n: v for n, v in group.items() if not callable(v)} for group in state["param_groups"]
    ]
    return {**state, "param_groups": groups}


# -- the order of axes in memory, on which products of matrices depend in their last bits ----------


def layouts(values: Any) -> list[list[int]]:
    """Return, for each leaf that is not in C order, its number and its axes from far to near."""
    found: list[list[int]] = []
    for k, leaf in enumerate(tree.leaves(values)):
        if isinstance(leaf, Tensor) and not leaf.numpy().flags.c_contiguous:
            strides = leaf.numpy().strides
            found.append([k, *sorted(range(leaf.ndim), key=lambda axis: -abs(strides[axis]))])
    return found


def relaid(values: Any, orders: Sequence[Sequence[int]]) -> Any:
    """Return a pytree whose leaves lie in memory as `layouts` has found them."""
    leaves, structure = tree.flatten(values)
    for k, *axes in orders:
        near = np.ascontiguousarray(leaves[k].numpy().transpose(axes))
        leaves[k] = wrap(near.transpose(np.argsort(axes)), None)
    return tree.unflatten(structure, leaves)
