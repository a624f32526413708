"""Cells under a capture: where mutable state is read and written, so that `jit` can follow it.

Whatever changes in lucid lives in few places: a Parameter's value, a `.grad`, a module's buffer, an
optimiser's state and options, a generator's key. Each asks `capturing` before it reads or
writes; while a function is captured, the capture answers, and keeps the place as an input or
output of the graph. What is read and decides Python's control flow becomes a guard.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol

__all__ = ["Place", "Watcher", "capturing", "version"]


class Place:
    """One mutable place: whose it is, what it is called there, and how to reach it."""

    __slots__ = ("get", "key", "name", "owner", "put")

    def __init__(
        self,
        owner: Any,
        name: Any,
        get: Callable[[], Any],
        put: Callable[[Any], None] | None = None,
    ) -> None:
        self.owner = owner  # kept alive, so that its id stays its own
        self.name = name
        self.key = (id(owner), name)
        self.get = get
        self.put = put


class Watcher(Protocol):
    """What a capture does with cells."""

    def read(self, place: Place) -> Any:
        """Return the present value of a place, as the captured function sees it."""

    def write(self, place: Place, value: Any) -> None:
        """Give a place a value, for the captured function; the place itself stays as it is."""

    def guard(self, place: Place) -> Any:
        """Return the value of a place whose every change means another capture."""


capturing: ContextVar[Watcher | None] = ContextVar("lucid_capturing", default=None)

# Counts the changes of what guards look at, so that a call with none needs to look at nothing.
version = [0]
