"""One entry per class index: picking it, putting it back, and counting those that count."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.core.define import general, move_batch_first
from lucid.core.dispatch import apply
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.errors import IndexOutOfBoundsError, message

__all__ = ["count", "pick", "spread"]


def _places(target: Any, shape: Any, axis: int, ignore: int) -> tuple[Any, Any]:
    """Return where the class of each target stands in an array, and which to ignore (or None)."""
    classes = shape[axis]
    ignored = None
    low, high = (target.min(), target.max()) if target.size else (0, 0)
    if low < 0 or high >= classes or 0 <= ignore < classes:
        ignored = target == ignore
        target = np.where(ignored, 0, target)
        wrong = target[(target < 0) | (target >= classes)]
        if wrong.size:
            want = f"class indices from 0 to {classes - 1}, or {ignore} to ignore"
            raise IndexOutOfBoundsError(message("target", want, str(wrong[0])))
    own = np.ogrid[tuple(slice(n) for n in target.shape)] if target.ndim > 1 else _ranges(target)
    return (*own[:axis], target, *own[axis:]), ignored


def _ranges(target: Any) -> tuple[Any, ...]:
    return (np.arange(target.shape[0]),) if target.ndim else ()


def _pick_impl(x: Any, target: Any, axis: int, ignore: int) -> Any:
    places, ignored = _places(target, x.shape, axis, ignore)
    ans = x[places]
    return ans if ignored is None else np.where(ignored, ans.dtype.type(0), ans)


def _spread_impl(ct: Any, target: Any, axis: int, ignore: int, count: int) -> Any:
    shape = (*target.shape[:axis], count, *target.shape[axis:])
    places, ignored = _places(target, shape, axis, ignore)
    ans = np.zeros(shape, ct.dtype)
    ans[places] = ct if ignored is None else np.where(ignored, ct.dtype.type(0), ct)
    return ans


def pick(x: Tensor, target: Tensor, axis: int, ignore: int) -> Tensor:
    """Return the entry of the target's class along an axis; 0 where the target is ignored."""
    return apply(_pick, (x, target), (axis, ignore))


def spread(ct: Tensor, target: Tensor, axis: int, ignore: int, count: int) -> Tensor:
    """Return zeros with `ct` at the target's class: the transpose of `pick`."""
    return apply(_spread, (ct, target), (axis, ignore, count))


def count(target: Tensor, ignore: int, dtype: np.dtype[Any]) -> Tensor:
    """Return how many targets are not ignored."""
    return apply(_count, (target,), (ignore, dtype))


def _chosen(x: Tensor, target: Tensor, axis: int, ignore: int) -> Tensor:
    ones = Tensor(np.ones(target.shape, np.float32))
    return spread(ones, target, axis, ignore, x.shape[axis]) != 0


def _live(mask: Tensor, i: int, ans: Any, args: Any, axis: int, ignore: int) -> Tensor:
    marked = mask.astype(np.float32)
    return spread(marked, args[1], axis, ignore, args[0].shape[axis]) != 0


_pick = general(
    "pick_class",
    _pick_impl,
    infer=lambda x, target, axis, ignore: Aval(target.shape, x.dtype),
    jvp=lambda ans, tangents, args, *params: pick(tangents[0], args[1], *params),
    vjps=[
        lambda ct, ans, x, target, axis, ignore: spread(ct, target, axis, ignore, x.shape[axis]),
        None,
    ],
    batch=lambda size, batched, args, axis, ignore: apply(
        _pick, tuple(move_batch_first(size, batched, args)), (axis + 1, ignore)
    ),
    live=_live,
    masks=lambda i, ans, args, axis, ignore: None if i else _chosen(args[0], args[1], axis, ignore),
)
_spread = general(
    "spread_class",
    _spread_impl,
    infer=lambda ct, target, axis, ignore, count: Aval(
        (*target.shape[:axis], count, *target.shape[axis:]), ct.dtype
    ),
    jvp=lambda ans, tangents, args, *params: spread(tangents[0], args[1], *params),
    vjps=[
        lambda ct, ans, x, target, axis, ignore, count: pick(ct, target, axis, ignore),
        None,
    ],
    batch=lambda size, batched, args, axis, ignore, count: apply(
        _spread, tuple(move_batch_first(size, batched, args)), (axis + 1, ignore, count)
    ),
)


_count = general(
    "count_classes",
    lambda target, ignore, dtype: np.asarray(np.count_nonzero(target != ignore), dtype),
    infer=lambda target, ignore, dtype: Aval((), dtype),
    batch=lambda size, batched, args, ignore, dtype: (
        (args[0] != ignore).reshape((size, math.prod(args[0].shape[1:]))).sum(1).astype(dtype)
    ),
    smooth=False,
)
