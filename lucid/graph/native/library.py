"""Native functions that many programs call, each compiled at most once per process.

A program's module only declares them. What it asks for and what is not there yet is compiled
together before the program is, since every compilation has a fixed price of some milliseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import llvmlite.binding as llvm

from lucid.graph.native.host import host
from lucid.graph.native.store import Stored

__all__ = ["LOCK", "Define", "address", "complete", "once"]

Define = Callable[[Any], None]  # adds the function to a module

ENGINES: dict[str, Any] = {}  # the engine that owns the code of each symbol
LOCK = threading.RLock()


def address(symbol: str) -> int:
    """Return the address of a function that is compiled."""
    return ENGINES[symbol].get_function_address(symbol)


def once(symbols: Sequence[str], text: Callable[[], str]) -> None:
    """Compile functions that come together, straight from a text, unless they are there."""
    with LOCK:
        if symbols[0] not in ENGINES:
            _add(text(), symbols)


def _add(text: str, symbols: Sequence[str]) -> None:
    """Compile functions and name them to the linker."""
    with LOCK:
        stored = Stored(text, host(), 2)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), host().machine())
        stored.attach(engine)
        engine.finalize_object()
        for symbol in symbols:
            llvm.add_symbol(symbol, engine.get_function_address(symbol))
            ENGINES[symbol] = engine


def complete(wanted: Mapping[str, Define], module: Any) -> None:
    """Compile the functions that are not there yet, and those that they call, in a new module."""
    with LOCK:
        todo = dict(wanted)
        new: list[str] = []
        while todo:
            symbol, define = todo.popitem()
            if symbol in ENGINES or symbol in new:
                continue
            define(module)
            new.append(symbol)
            todo.update(module.wanted)
            module.wanted.clear()
        if new:
            _add(module.text(), new)
