"""Operations that only look at memory in another way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.graph.ir import Node
from lucid.graph.native.text import KINDS
from lucid.ops.keys import numpy_key

__all__ = ["VIEWS", "change_of", "supported", "view_key"]

VIEWS = frozenset(("permute_dims", "getitem", "flip", "broadcast_to", "diagonal", "reshape"))


def supported(node: Node) -> bool:
    """Whether native code computes with all the dtypes of a node."""
    avals = [x.aval for x in (*node.values(), *node.outputs)]
    return all(a.dtype.char in KINDS and a.dtype.isnative for a in avals) and not any(
        type(x) is complex for x in node.operands
    )


def view_key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a static key that makes a view: without an ellipsis NumPy may read a scalar."""
    plain = numpy_key(key)
    return plain if ... in plain else (*plain, ...)


def change_of(node: Node, copy: bool | None = False) -> Callable[[Any], Any]:
    """Return the function that makes the view of an array; an error where it would be a copy."""
    name, params = node.op.name, node.params
    if name == "getitem":
        return lambda x: x[view_key(params[0])]
    if name == "reshape":
        return lambda x: np.reshape(x, params[0], copy=copy)
    if name == "broadcast_to":
        return lambda x: np.broadcast_to(x, params[0])
    # np.flip indexes even an array without axes, which reads its number
    return lambda x: node.op.impl(x, *params) if x.ndim else x
