"""The short way through a jitted call: positional arrays of the types that it has seen before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid import tree
from lucid.config import _default, get_default_dtype
from lucid.core.cells import capturing
from lucid.core.tensor import Tensor
from lucid.graph.capture import Trace

__all__ = ["MISS", "quick"]

_ndarray = np.ndarray
_new = object.__new__
_watcher = capturing.get
_present = _default.get
MISS: Any = object()


def quick(
    found: Trace, run: Callable[[list[Any]], tuple[Any, ...]], out: Any, args: tuple[Any, ...]
) -> Callable[[tuple[Any, ...]], Any] | None:
    """Return a call for arguments like these, which gives MISS for any others.

    It serves functions of plain Tensors and arrays, each an argument of its own, that read no
    cells, close over nothing watched, and return no argument as it is.
    """
    graph = found.graph
    if found.cells or found.guards or found.outside or len(args) != len(graph.inputs):
        return None
    if any(y in graph.inputs or y in graph.constants for y in graph.outputs):
        return None
    if not getattr(run, "owns_results", False) or any(a.weak for a in graph.avals()):
        return None
    expected: list[Any] = []
    for x in args:
        value = x._value if type(x) is Tensor and x._note is None else x
        if type(value) is not _ndarray:
            return None
        expected.append((value.shape, value.dtype))
    count = len(expected)
    default = get_default_dtype()
    single = out == tree.flatten(0.0)[1]
    pair = not single and out == tree.flatten((0.0, 0.0))[1]

    def call(args: tuple[Any, ...]) -> Any:
        if len(args) != count or _watcher() is not None or _present() is not default:
            return MISS
        values = []
        for x, (shape, dtype) in zip(args, expected, strict=False):
            if type(x) is Tensor:
                if x._note is not None:
                    return MISS
                x = x._value
            if type(x) is not _ndarray or x.shape != shape or x.dtype is not dtype:
                return MISS
            values.append(x)
        results = run(values)
        if single:
            t = _new(Tensor)
            t._value = results[0]
            t._note = None
            return t
        tensors = []
        for value in results:
            t = _new(Tensor)
            t._value = value
            t._note = None
            tensors.append(t)
        return tuple(tensors) if pair else tree.unflatten(out, tensors)

    return call
