"""The choice of an executor."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

from lucid._lazy import native
from lucid.errors import MissingExtraError, OptionError, message
from lucid.graph.ir import Graph
from lucid.graph.numpy_executor import compile_numpy

__all__ = ["check_executor", "compile_graph", "has_native"]


def has_native() -> bool:
    """Return whether llvmlite is installed."""
    return importlib.util.find_spec("llvmlite") is not None


def check_executor(executor: Any) -> None:
    """Raise unless this is an executor that can run here."""
    if executor not in (None, "numpy", "native"):
        raise OptionError(message("jit", 'executor "numpy", "native" or None', repr(executor)))
    if executor == "native" and not has_native():
        hint = 'install the extra: pip install "lucid-grad[jit]"'
        raise MissingExtraError(message("jit", "llvmlite", "no such package", hint))


def compile_graph(graph: Graph, executor: str | None) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return a function of arrays and Python numbers that computes the graph."""
    if executor == "numpy" or (executor is None and not has_native()):
        return compile_numpy(graph)
    return native.compile_native(graph)
