"""Operations between two arrays of which NumPy does one pair at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.define import general, move_batch_first
from lucid.core.dispatch import PYTHON, apply
from lucid.core.op import Aval, Op
from lucid.core.tensor import Tensor
from lucid.ops.axes import as_tensor
from lucid.ops.creation import asarray
from lucid.ops.datatypes import result_type

__all__ = ["operands", "rowwise"]


def operands(name: str, *given: Any) -> list[Tensor]:
    """Return operands as Tensors; a Python number takes the dtype it would among the others."""
    dtype = None
    if any(type(x) in PYTHON for x in given):
        given = tuple(x if type(x) in PYTHON else as_tensor(name, x) for x in given)
        dtype = result_type(*given)
    return [asarray(x, dtype=dtype) if type(x) in PYTHON else as_tensor(name, x) for x in given]


def rowwise(name: str, function: Callable[..., Any], dtype: Any, like: int) -> Op:
    """Register an operation without derivative, of two operands and with a result like one of them.

    Its last parameter counts the leading axes that both operands have for batches; over them the
    implementation loops.

    Args:
        name: the operation's name.
        function: ``function(x, y, *params)`` on NumPy arrays; its result has the shape of one.
        dtype: the dtype of the result.
        like: which operand has that shape.
    """

    def impl(*args: Any) -> Any:
        *operands, depth = args
        if not depth:
            return function(*operands)
        x, y, *params = operands
        out = np.empty(operands[like].shape, dtype)
        for i in np.ndindex(out.shape[:depth]):
            out[i] = function(x[i], y[i], *params)
        return out

    def batch(size: int, batched: Sequence[bool], args: Any, *params: Any) -> Any:
        depth = params[-1]
        if not depth and not batched[1 - like]:
            return apply(op, args, params)  # more of what one call takes
        return apply(op, tuple(move_batch_first(size, batched, args)), (*params[:-1], depth + 1))

    op = general(
        name,
        impl,
        infer=lambda *args: Aval(args[like].shape, np.dtype(dtype)),
        batch=batch,
        smooth=False,
    )
    return op
