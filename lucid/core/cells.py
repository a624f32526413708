"""Cells under a capture: where mutable state is read and written, so that `jit` can follow it.

Whatever changes in lucid lives in few places: a Parameter's value, a `.grad`, a module's buffer, an
optimiser's state and options, a generator's key. Each asks `capturing` before it reads or
writes; while a function is captured, the capture answers, and keeps the place as an input or
output of the graph. What is read and decides Python's control flow becomes a guard.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np

__all__ = [
    "ABSENT",
    "Place",
    "Watcher",
    "bump",
    "capturing",
    "guard_attribute",
    "guard_attributes",
    "guarded",
    "held",
    "own",
    "snapshot",
    "spying",
    "unchanged",
    "version",
]


class Place:
    """One mutable place: whose it is, what it is called there, and how to reach it.

    Attributes:
        owner: the object that it is a part of.
        name: what it is called there.
        get: returns what it holds.
        put: replaces that; None where only a guard looks.
        taped: whether `get` gives leaves of the caller's ambient tape (a Parameter, when read),
            or must not (its `.data`); None where no tape is concerned.
        stable: whether every change of it is counted in `version`.
    """

    __slots__ = ("get", "key", "name", "owner", "put", "stable", "taped")

    def __init__(
        self,
        owner: Any,
        name: Any,
        get: Callable[[], Any],
        put: Callable[[Any], None] | None = None,
        *,
        taped: bool | None = None,
        stable: bool = False,
    ) -> None:
        self.owner = owner  # kept alive, so that its id stays its own
        self.name = name
        self.key = (id(owner), name)
        self.get = get
        self.put = put
        self.taped = taped
        self.stable = stable


class Watcher(Protocol):
    """What a capture does with cells."""

    def read(self, place: Place) -> Any:
        """Return the present value of a place, as the captured function sees it."""

    def write(self, place: Place, value: Any) -> None:
        """Give a place a value, for the captured function; the place itself stays as it is."""

    def guard(self, place: Place) -> Any:
        """Return the value of a place whose every change means another capture."""

    def own(self, owner: Any) -> None:
        """Take note of an object that the captured function has made: its places are its own."""

    def owns(self, owner: Any) -> bool:
        """Return whether the captured function has made this object."""
        ...


capturing: ContextVar[Watcher | None] = ContextVar("lucid_capturing", default=None)

# Changes with whatever guards look at, so that a call without a change needs to look at nothing.
version = [0]
_count = itertools.count(1).__next__


def bump() -> None:
    """Take note that something has changed that a guard may look at."""
    version[0] = _count()


def own(owner: Any) -> None:
    """Tell the capture in progress, if any, that it has made this object."""
    watcher = capturing.get()
    if watcher is not None:
        watcher.own(owner)


# -- what a guard remembers ------------------------------------------------------------------------


class _Absent:
    """Stands for what is not there."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()
_DEPTH = 6  # of containers in containers; further in, identity is what counts


class _Copy:
    """What a container held when a guard looked at it."""

    __slots__ = ("items", "keys", "kind")

    def __init__(self, value: Any, depth: int) -> None:
        self.kind = type(value)
        self.keys = list(value) if isinstance(value, dict) else None
        found = value.values() if isinstance(value, dict) else value
        self.items = [snapshot(x, depth - 1) for x in found]

    def __repr__(self) -> str:
        if self.keys is not None:
            return repr(dict(zip(self.keys, self.items, strict=True)))
        return repr(self.items)


def snapshot(value: Any, depth: int = _DEPTH) -> Any:
    """Return a value as a guard remembers it: of lists, tuples and dicts, what they hold."""
    return _Copy(value, depth) if isinstance(value, list | tuple | dict) and depth else value


def held(kept: Any) -> list[Any] | None:
    """Return what was in a list or tuple that a guard remembers; None of anything else."""
    return kept.items if type(kept) is _Copy and kept.keys is None else None


def unchanged(kept: Any, value: Any) -> bool:
    """Return whether a value is still what a guard remembers of it."""
    if kept is value:
        return True
    if type(kept) is not _Copy:
        if type(kept) is not type(value):
            return False
        try:
            same: Any = kept == value
        except Exception:  # whatever its own comparison cannot do
            return False
        return same is True or (isinstance(same, np.bool_) and bool(same))
    if type(value) is not kept.kind or len(value) != len(kept.items):
        return False
    if kept.keys is not None:
        if any(a != b for a, b in zip(kept.keys, value, strict=True)):
            return False
        value = value.values()
    return all(map(unchanged, kept.items, value))


# -- attributes ------------------------------------------------------------------------------------

Hook = Callable[[Any, str, Any, Watcher], Any]
_classes: dict[type, Hook] = {}
_lock = threading.Lock()
_spies = 0


def guard_attributes(kind: type, hook: Hook | None = None) -> None:
    """Let captures see which attributes of instances of a class they read.

    Args:
        kind: the class; its subclasses are included.
        hook: ``hook(instance, name, value, watcher)``, the value as the captured function sees it;
            by default the attribute becomes a guard.
    """
    _classes[kind] = hook or guard_attribute


def guarded(instance: Any) -> bool:
    """Return whether captures see what they read of this object."""
    return isinstance(instance, tuple(_classes))


def _entry(state: dict[str, Any], name: str) -> Any:
    return state.get(name, ABSENT)


def guard_attribute(
    instance: Any, name: str, value: Any, watcher: Watcher, counted: bool = False
) -> Any:
    """Guard what an instance itself has under a name, be it nothing.

    `counted` tells that assigning to attributes of this class is counted in `version`.
    """
    state = object.__getattribute__(instance, "__dict__")
    stable = counted and not isinstance(state.get(name), list | dict)
    get = functools.partial(_entry, state, name)
    watcher.guard(Place(instance, name, get, stable=stable))
    return value


@contextmanager
def spying() -> Generator[None]:
    """While a capture runs, see the attributes it reads; code outside pays nothing before."""
    global _spies
    with _lock:
        _spies += 1
        if _spies == 1:
            for kind, hook in _classes.items():
                kind.__getattribute__ = _spy(hook)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        with _lock:
            _spies -= 1
            if _spies == 0:
                for kind in _classes:
                    del kind.__getattribute__


def _spy(hook: Hook) -> Any:
    plain = object.__getattribute__

    def spied(self: Any, name: str) -> Any:
        watcher = capturing.get()
        if watcher is None or name[:2] == "__":
            return plain(self, name)
        try:
            value = plain(self, name)
        except AttributeError:
            hook(self, name, ABSENT, watcher)
            raise
        return hook(self, name, value, watcher)

    return spied
