"""Batching: `vmap`, whose frame carries one leading axis that the function does not see."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from lucid import tree
from lucid.core.dispatch import apply
from lucid.core.frames import Frame, Note, transformation
from lucid.core.op import OPS, Op
from lucid.core.tensor import Tensor, lower, strip, wrap
from lucid.errors import OperandError, ShapeError, UnsupportedError, message
from lucid.transforms.boundary import check_function, release, settle_output, take_in

__all__ = ["BatchFrame", "Batched", "vmap"]

F = TypeVar("F", bound=Callable[..., Any])


class Batched(Note):
    """Batching's note; the value below carries the batch as its first axis."""

    __slots__ = ()

    def __init__(self, frame: Frame) -> None:
        self.frame = frame


class BatchFrame(Frame):
    """One running `vmap`."""

    __slots__ = ("loop", "size")
    abstract = True
    batched = True

    def __init__(self, size: int, loop: bool) -> None:
        super().__init__("vmap")
        self.size = size
        self.loop = loop

    def apply(self, op: Op, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Compute `op` for the whole batch one level below."""
        batched = tuple(
            isinstance(a, Tensor) and a._note is not None and a._note.frame is self for a in args
        )
        below = tuple(lower(a) if b else a for a, b in zip(args, batched, strict=True))
        if op.batch is not None:
            ans = op.batch(self.size, batched, below, *params)
        elif self.loop:
            ans = self._one_by_one(op, batched, below, params)
        else:
            hint = 'give it one, or use vmap(..., fallback="loop")'
            raise UnsupportedError(message(op.name, "a batching rule under vmap", "none", hint))
        if op.multi:
            return tuple(wrap(strip(a), Batched(self)) for a in ans)
        return wrap(strip(ans), Batched(self))

    def _one_by_one(
        self, op: Op, batched: Sequence[bool], args: Sequence[Any], params: tuple[Any, ...]
    ) -> Any:
        rows = [
            apply(op, tuple(a[k] if b else a for a, b in zip(args, batched, strict=True)), params)
            for k in range(self.size)
        ]
        if op.multi:
            return tuple(_stack(column) for column in zip(*rows, strict=True))
        return _stack(rows)


def _stack(rows: Sequence[Tensor]) -> Tensor:
    return apply(OPS["stack"], tuple(rows), (0,))


def vmap(
    fun: F,
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    axis_size: int | None = None,
    fallback: str | None = None,
) -> F:
    """Map a function over an axis of its arguments, computing the whole batch at once.

    Args:
        fun: a function of arrays, or pytrees of them.
        in_axes: for each positional argument the axis to map over, None for an argument shared by
            all; an integer for all of them, or a pytree prefix of an argument. Keyword arguments
            are mapped over axis 0.
        out_axes: where the mapped axis goes in each output; None where the output does not depend
            on it. An integer, or a pytree prefix of the output.
        axis_size: the length of the mapped axis; needed only if no argument is mapped.
        fallback: "loop" computes operations that have no batching rule one by one.

    Returns:
        The mapped function. Its results are Tensors.

    Raises:
        OperandError: if nothing is mapped, or `fallback` is neither None nor "loop".
        ShapeError: if the lengths of the mapped axes differ, or an axis does not exist.

    Example:
        >>> import lucid
        >>> lucid.vmap(lucid.sum)(lucid.asarray([[1.0, 2.0], [3.0, 4.0]]))
        Tensor([3., 7.])
    """
    if fallback not in (None, "loop"):
        raise OperandError(message("vmap", 'fallback None or "loop"', repr(fallback)))

    check_function("vmap", fun)

    @functools.wraps(fun)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        found, structure = tree.flatten((args, kwargs))
        axes = _in_axes(in_axes, args, kwargs)
        size = _axis_size(found, axes, axis_size, (args, kwargs))
        frame = BatchFrame(size, fallback == "loop")
        inputs = [
            x if axis is None else wrap(strip(_to_front(x, axis)), Batched(frame))
            for x, axis in zip(found, axes, strict=True)
        ]
        frame.borrowed = {id(x) for x in found if isinstance(x, np.ndarray)}
        args_in, kwargs_in = tree.unflatten(structure, inputs)
        with transformation(frame):
            out = fun(*args_in, **kwargs_in)
            results, out_structure = tree.flatten(out)
            places = broadcast_prefix("out_axes", out_axes, out)
            done = [_leave(frame, r, a) for r, a in zip(results, places, strict=True)]
        return tree.unflatten(out_structure, release(frame, found, done))

    return mapped  # type: ignore[return-value]


def broadcast_prefix(name: str, prefix: Any, whole: Any) -> list[Any]:
    """Return, for every leaf of `whole`, the leaf of its pytree prefix that covers it."""
    if prefix is None or isinstance(prefix, int):
        return [prefix] * len(tree.leaves(whole))
    if type(prefix) in (list, tuple) and type(whole) in (list, tuple):
        if len(prefix) != len(whole):
            raise OperandError(message("vmap", f"{name} of length {len(whole)}", repr(prefix)))
        parts, children = prefix, whole
    else:
        parts, entries = tree.children(prefix)
        children, others = tree.children(whole)
        if type(prefix) is not type(whole) or entries != others or not entries:
            what = "the arguments" if name == "in_axes" else "the output"
            raise OperandError(message("vmap", f"{name} a prefix of {what}", repr(prefix)))
    pairs = zip(parts, children, strict=True)
    return [axis for p, w in pairs for axis in broadcast_prefix(name, p, w)]


def _in_axes(in_axes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    return [
        *broadcast_prefix("in_axes", in_axes, args),
        *broadcast_prefix("in_axes", 0, kwargs),
    ]


def _axis_size(found: Sequence[Any], axes: Sequence[Any], given: int | None, whole: Any) -> int:
    sizes: dict[str, int] = {} if given is None else {"axis_size": given}
    for k, (x, axis) in enumerate(zip(found, axes, strict=True)):
        if axis is None:
            continue
        shape: Any = getattr(x, "shape", ())
        where = "argument " + tree.paths(whole)[k].replace("[0]", "", 1)
        if not -len(shape) <= axis < len(shape):
            hint = "set in_axes to None for an argument that is not mapped"
            got = f"shape {shape} at {where}"
            raise ShapeError(message("vmap", f"an array with axis {axis}", got, hint))
        sizes[where] = shape[axis]
    if not sizes:
        hint = "map at least one argument, or pass axis_size"
        raise OperandError(message("vmap", "an argument to map over", "none", hint))
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{v} at {k}" for k, v in sizes.items())
        raise ShapeError(message("vmap", "mapped axes of one length", shown))
    return next(iter(sizes.values()))


def _to_front(x: Any, axis: int) -> Tensor:
    return _move(take_in("vmap", x), axis, 0)


def _move(t: Tensor, source: int, target: int) -> Tensor:
    axes = list(range(t.ndim))
    axes.insert(target % t.ndim, axes.pop(source % t.ndim))
    return t if axes == list(range(t.ndim)) else apply(OPS["permute_dims"], (t,), (tuple(axes),))


def _leave(frame: BatchFrame, result: Any, axis: int | None) -> Tensor:
    """Return an output of the mapped function with its batch axis in place."""
    t = settle_output(frame, "vmap", result)
    if t._note is None or t._note.frame is not frame:
        if axis is None:
            return t
        t = apply(OPS["broadcast_to"], (t,), ((frame.size, *t.shape),))
    elif axis is None:
        hint = "reduce over the mapped axis outside, or give out_axes an integer"
        raise ShapeError(
            message(
                "vmap", "an output without the mapped axis where out_axes is None", str(t), hint
            )
        )
    else:
        t = lower(t)
    if not -t.ndim <= axis < t.ndim:
        raise ShapeError(message("vmap", f"an output with axis {axis}", f"shape {t.shape}"))
    return _move(t, 0, axis)
