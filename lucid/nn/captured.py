"""What a captured function sees of a Module, and what it may change there.

Buffers are cells, as the values of parameters are. Everything else that the function reads is a
guard: a change of it means another capture. What it would change otherwise would change once, when
it is captured, and never again; so that raises.
"""

from __future__ import annotations

import functools
from typing import Any

from lucid.core.cells import (
    Place,
    Watcher,
    bump,
    capturing,
    guard_attribute,
    guard_attributes,
    unchanged,
)
from lucid.core.tensor import Tensor
from lucid.errors import GraphError, message
from lucid.nn.layout import Tree

__all__ = ["change", "keeps", "member", "write_buffer"]


def change(module: Tree, name: str) -> None:
    """Take note that a module changes; raise where that would happen in a capture alone."""
    watcher = capturing.get()
    if watcher is not None and not watcher.owns(module):
        kind = type(module).__name__
        hint = "register_buffer(name, value) for what changes, or assign outside the function"
        want = "a module that a compiled function leaves as it is, but for parameters and buffers"
        raise GraphError(message(f"{kind}.{name}", want, f"one whose {name!r} it sets", hint))
    bump()


def keeps(module: Tree, name: str, value: Any) -> bool:
    """Return whether a capture sets an attribute to what it is, as `train()` does in training."""
    watcher = capturing.get()
    if watcher is None or watcher.owns(module):
        return False
    state = module.__dict__
    if name not in state or isinstance(value, Tensor) or not unchanged(state[name], value):
        return False
    guard_attribute(module, name, value, watcher, counted=True)
    return True


def _place(module: Tree, name: str) -> Place:
    state = module.__dict__

    def put(value: Any) -> None:
        state["_buffers"][name] = value

    return Place(module, ("buffer", name), lambda: state["_buffers"].get(name), put)


def write_buffer(module: Tree, name: str, value: Any) -> None:
    """Replace a registered buffer."""
    watcher = capturing.get()
    if watcher is None:
        module.__dict__["_buffers"][name] = value
    else:
        watcher.write(_place(module, name), value)


def member(module: Tree, registry: str, name: str, watcher: Watcher) -> Any:
    """Return what a registered name stands for."""
    state = module.__dict__
    if watcher.owns(module):
        return state[registry][name]
    if registry != "_buffers":
        get = functools.partial(_of, state, registry, name)
        return watcher.guard(Place(module, (registry, name), get, stable=True))
    there = Place(module, ("is buffer", name), lambda: name in state["_buffers"], stable=True)
    watcher.guard(there)
    return watcher.read(_place(module, name))


def _of(state: dict[str, Any], registry: str, name: str) -> Any:
    return state[registry].get(name)


def _seen(module: Any, name: str, value: Any, watcher: Watcher) -> Any:
    if watcher.owns(module):
        return value
    if name not in ("_parameters", "_modules", "_buffers"):
        return guard_attribute(module, name, value, watcher, counted=True)
    state = module.__dict__
    if name != "_buffers":
        return watcher.guard(Place(module, name, lambda: state[name], stable=True))
    watcher.guard(Place(module, name, lambda: list(state[name]), stable=True))
    return {n: watcher.read(_place(module, n)) for n in state[name]}


guard_attributes(Tree, _seen)
