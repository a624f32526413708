"""What a captured function sees of an optimiser: states and learning rates are cells.

Every other option is a guard: another value means another capture. A number that was found changed
by one (a momentum that a scheduler cycles) is a cell from then on, so that there is no third.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn

from lucid.core.cells import Place, Watcher, capturing, guard_attribute
from lucid.errors import GraphError, message

__all__ = ["keep_state", "refuse_step", "seen", "state_of"]


def _state_place(optimizer: Any, position: int, make: Callable[[], Any]) -> Place:
    state = optimizer.__dict__

    def get() -> Any:
        found = state["state"].get(position)
        return make() if found is None else found

    def put(value: Any) -> None:
        state["state"][position] = value

    return Place(optimizer, ("state", position), get, put)


def state_of(optimizer: Any, position: int, make: Callable[[], Any]) -> Any:
    """Return the state of a parameter, by its position; a new one if there is none."""
    place = _state_place(optimizer, position, make)
    watcher = capturing.get()
    return place.get() if watcher is None else watcher.read(place)


def keep_state(optimizer: Any, position: int, value: Any) -> None:
    """Replace the state of a parameter."""
    watcher = capturing.get()
    if watcher is None:
        optimizer.state[position] = value
    else:
        watcher.write(_state_place(optimizer, position, lambda: None), value)


def refuse_step(scheduler: str) -> None:
    """Raise in a capture, where a scheduler would step once and never again."""
    if capturing.get() is not None:
        hint = "call it after: the new rate needs no new capture; or pass a schedule as lr"
        got = "one inside, which would be made at the first call alone"
        want = "a call outside the compiled function"
        raise GraphError(message(f"{scheduler}.step", want, got, hint))


def _numbers(value: Any) -> tuple[float, ...]:
    """Return the numbers in an option that could be a cell."""
    found = value if isinstance(value, tuple) else (value,)
    return found if all(type(x) is float for x in found) else ()


def _zeros(group: dict[str, Any], name: str) -> list[bool]:
    return [x == 0 for x in _numbers(group.get(name))]


def _moves(memory: dict[Any, Any], key: Any, value: Any) -> bool:
    """Return whether a number has changed since an earlier capture saw it."""
    if not _numbers(value):
        return False
    first, moved = memory.setdefault(key, (value, False))
    memory[key] = (first, moved or first != value)
    return memory[key][1]


class Options(dict[str, Any]):
    """A group of parameters with its options, as a captured function sees them."""

    def __init__(self, group: dict[str, Any], watcher: Watcher, memory: dict[Any, Any]) -> None:
        super().__init__()
        self._group, self._watcher = group, watcher
        for name, value in group.items():
            place = self._place(name)
            moving = name == "lr" or _moves(memory, (id(group), name), value)
            if moving and name != "lr":  # what is zero is left out: that is decided once
                zeros = functools.partial(_zeros, group, name)
                watcher.guard(Place(group, (name, "zeros"), zeros))
            super().__setitem__(name, watcher.read(place) if moving else watcher.guard(place))

    def _place(self, name: str) -> Place:
        group = self._group
        return Place(
            group, name, functools.partial(group.get, name), lambda x: group.__setitem__(name, x)
        )

    def __setitem__(self, name: str, value: Any) -> None:
        if name != "lr":
            self._refuse(name)
        self._watcher.write(self._place(name), value)
        super().__setitem__(name, value)

    def update(self, *changes: Any, **named: Any) -> None:
        """Set several options, of which a captured function may set the learning rate."""
        for name, value in dict(*changes, **named).items():
            self[name] = value

    def _refuse(self, *names: Any) -> NoReturn:
        want = "a group whose options, but for lr, a compiled function leaves as they are"
        hint = "set it outside"
        got = f"one whose {names[0]!r} it sets" if names else "one that it empties"
        raise GraphError(message("param_groups", want, got, hint))

    __delitem__ = pop = popitem = clear = _refuse


def seen(optimizer: Any, name: str, value: Any, watcher: Watcher) -> Any:
    """Return an attribute of an optimiser as a captured function sees it."""
    if watcher.owns(optimizer):
        return value
    state = optimizer.__dict__
    if name == "param_groups":
        watcher.guard(Place(optimizer, name, lambda: list(map(id, state["param_groups"]))))
        memory = state.setdefault("_seen", {})
        return [Options(group, watcher, memory) for group in value]
    if name == "state":
        watcher.guard(Place(optimizer, name, lambda: list(state["state"])))
        return {k: state_of(optimizer, k, lambda: None) for k in value}
    return guard_attribute(optimizer, name, value, watcher)
