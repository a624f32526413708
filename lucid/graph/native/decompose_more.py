"""More composite operations, written in simpler ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, wrap
from lucid.graph.ir import Node

__all__ = ["RULES", "allowed"]


def _do(name: str, *operands: Any, params: tuple[Any, ...] = ()) -> Tensor:
    return apply(OPS[name], operands, params)


def _standardize(x: Tensor, *rest: Any) -> Tensor:
    *affine, axes, eps, centred = rest
    n = max(math.prod(x.shape[a] for a in axes), 1)
    d = x - _do("sum", x, params=(axes, True)) / n if centred else x
    variance = _do("sum", d * d, params=(axes, True)) / n
    ans = d * (1 / _do("sqrt", variance + eps))
    if affine:
        ans = ans * affine[0]
    return ans + affine[1] if len(affine) > 1 else ans


def _ignoring_nan(name: str) -> Callable[..., Tensor]:
    def reduce(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
        if x.dtype.kind != "f":
            return _do(name, x, params=(axes, keepdims))
        missing = _do("isnan", x)
        lowest = -math.inf if name == "max" else math.inf
        found = _do(name, _do("where", missing, lowest, x), params=(axes, keepdims))
        nothing = _do("all", missing, params=(axes, keepdims))
        return _do("where", nothing, math.nan, found)

    return reduce


def _shift(x: Tensor, axis: int, reverse: bool) -> Tensor:
    n = x.shape[axis]
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    zeros = wrap(np.zeros(shape, x.dtype), None)
    keep = slice(1, None) if reverse else slice(0, n - 1)
    rest = x[(slice(None),) * axis + (keep,)]
    return _do("concat", *((rest, zeros) if reverse else (zeros, rest)), params=(axis,))


RULES: dict[str, Callable[..., Tensor]] = {
    "standardize": _standardize,
    "nanmax": _ignoring_nan("max"),
    "nanmin": _ignoring_nan("min"),
    "shift": _shift,
}


def allowed(node: Node) -> bool:
    """Whether a rule here holds for these operands."""
    avals = [x.aval for x in node.values()]
    if len(avals) != len(node.operands) or any(a.weak for a in avals):
        return False
    return all(math.prod(a.shape) for a in avals)
