"""An axis divided into equal parts, all of them by one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.ops.creation import zeros
from lucid.ops.join import concat

__all__ = ["divide"]


def divide(x: Tensor, count: int, axis: int) -> tuple[Tensor, ...]:
    """Return `count` equal parts of an array along a non-negative axis.

    Slices give the same, but each would have a cotangent as large as the whole.
    """
    return apply(_divide, (x,), (count, axis))


def _impl(x: Any, count: int, axis: int) -> tuple[Any, ...]:
    n = x.shape[axis] // count
    before = (slice(None),) * axis
    return tuple(x[(*before, slice(i * n, (i + 1) * n))] for i in range(count))


def _infer(x: Aval, count: int, axis: int) -> tuple[Aval, ...]:
    n = x.shape[axis] // count
    return (Aval((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype),) * count


def _vjp(
    cts: Sequence[Any], needs: Any, ans: Sequence[Tensor], args: Any, count: int, axis: int
) -> tuple[Tensor]:
    whole = [
        zeros(part.shape, dtype=part.dtype) if ct is None else ct
        for ct, part in zip(cts, ans, strict=True)
    ]
    return (concat(whole, axis=axis),)


def _lower(x: Tensor, count: int, axis: int) -> tuple[Tensor, ...]:
    n = x.shape[axis] // count
    before = (slice(None),) * axis
    return tuple(x[(*before, slice(k * n, (k + 1) * n))] for k in range(count))


_divide = general(
    "divide_axis",
    _impl,
    infer=_infer,
    jvp=lambda ans, tangents, args, count, axis: divide(tangents[0], count, axis),
    vjp=_vjp,
    batch=lambda size, batched, args, count, axis: divide(args[0], count, axis + 1),
    lower=_lower,
    multi=True,
    view=True,
)
