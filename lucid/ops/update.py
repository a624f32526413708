"""Functional updates: ``x.at[key].set(value)`` and its relatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lucid.core.dispatch import apply, top
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, aval, concrete, install
from lucid.errors import DTypeError, ShapeError, message
from lucid.ops.axes import as_tensor
from lucid.ops.creation import asarray
from lucid.ops.datatypes import cast_into
from lucid.ops.index import scatter_add
from lucid.ops.keys import Split, split_key, static_key
from lucid.ops.scatter import positions_of
from lucid.ops.shape import broadcast_shapes, broadcast_to, reshape

__all__: list[str] = []

Combine = Callable[[Tensor, Tensor], Tensor]


class At:
    """What ``x.at`` is: index it, then say what to put there.

    Example:
        >>> import lucid
        >>> x = lucid.asarray([1.0, 2.0, 3.0])
        >>> x.at[0].set(10.0)
        Tensor([10., 2., 3.])
        >>> x.at[lucid.asarray([1, 1])].add(1.0)
        Tensor([1., 4., 3.])
    """

    __slots__ = ("_x",)

    def __init__(self, x: Tensor) -> None:
        self._x = x

    def __getitem__(self, key: Any) -> Place:
        return Place(self._x, key)


class Place:
    """Places in an array, ``x.at[key]``, for any key that ``x[key]`` takes.

    Each method returns a new Tensor, differentiable in the array and in the value. The value
    broadcasts to the shape of ``x[key]`` and takes the dtype of `x`; one that does not fit its kind
    (a float for an integer array) raises. Where a key names a place several times, all values
    are applied one after the other; for `set` the last one stays.

    Raises:
        IndexOutOfBoundsError: if the key names places outside the array.
        ShapeError: if the value does not broadcast to the shape of ``x[key]``.
        DTypeError: if the value is not of a kind that fits the dtype of `x`.
    """

    __slots__ = ("_key", "_x")

    def __init__(self, x: Tensor, key: Any) -> None:
        self._x = x
        self._key = key

    def get(self) -> Tensor:
        """Return ``x[key]``."""
        return self._x[self._key]

    def set(self, value: ArrayLike) -> Tensor:
        """Replace the elements there."""
        return self._update("set", value, None, _scatter("scatter_set"))

    def add(self, value: ArrayLike) -> Tensor:
        """Add to the elements there."""
        return self._update("add", value, lambda x, v: x + v, _add)

    def subtract(self, value: ArrayLike) -> Tensor:
        """Subtract from the elements there."""
        return self._update("subtract", value, lambda x, v: x - v, lambda x, v, s: _add(x, -v, s))

    def multiply(self, value: ArrayLike) -> Tensor:
        """Multiply the elements there."""
        return self._update("multiply", value, lambda x, v: x * v)

    def divide(self, value: ArrayLike) -> Tensor:
        """Divide the elements there."""
        return self._update("divide", value, lambda x, v: x / v)

    def power(self, value: ArrayLike) -> Tensor:
        """Raise the elements there to a power."""
        return self._update("power", value, lambda x, v: x**v)

    def min(self, value: ArrayLike) -> Tensor:
        """Replace the elements there by the value where that is smaller."""
        return self._update("min", value, _call("minimum"), _scatter("scatter_min"))

    def max(self, value: ArrayLike) -> Tensor:
        """Replace the elements there by the value where that is larger."""
        return self._update("max", value, _call("maximum"), _scatter("scatter_max"))

    def _update(
        self,
        method: str,
        value: Any,
        combine: Combine | None,
        scatter: Callable[[Tensor, Tensor, Split], Tensor] | None = None,
    ) -> Tensor:
        """Update a static key by `combine`; one with arrays by `scatter`, or step by step."""
        name = f"x.at[...].{method}"
        x = asarray(self._x)
        v = cast_into(name, value, x.dtype)
        key = static_key(self._key)
        if key is not None:
            old = apply(OPS["getitem"], (x,), (key,))
            v = _spread(name, v, old.shape)
            new = v if combine is None else _same_dtype(name, combine(old, v), x)
            return apply(OPS["setitem"], (x, new), (key,))
        split = split_key(x.shape, self._key)
        part = x if split.trivial else apply(OPS["getitem"], (x,), (split.basic,))
        infer: Any = OPS["gather"].infer
        shape = infer(aval(part), *map(aval, split.indices), *split.params).shape
        v = _spread(name, v, shape)
        if scatter is not None:
            part = scatter(part, v, split)
        else:
            assert combine is not None
            part = _one_after_the_other(name, part, v, split, combine)
        return part if split.trivial else apply(OPS["setitem"], (x, part), (split.basic,))


def _spread(name: str, v: Tensor, shape: tuple[int, ...]) -> Tensor:
    if v.shape == shape:
        return v
    extra = len(shape) - v.ndim
    if extra < 0 or any(n not in (1, m) for n, m in zip(v.shape, shape[extra:], strict=True)):
        want = f"a value that broadcasts to shape {shape}"
        raise ShapeError(message(name, want, f"shape {v.shape}"))
    return broadcast_to(v, shape)


def _same_dtype(name: str, new: Tensor, x: Tensor) -> Tensor:
    if new.dtype != x.dtype:
        hint = f"convert the array to {new.dtype} first"
        raise DTypeError(message(name, f"a result of dtype {x.dtype}", str(new.dtype), hint))
    return new


def _call(op: str) -> Combine:
    return lambda x, v: apply(OPS[op], (x, v))


def _scatter(op: str) -> Callable[[Tensor, Tensor, Split], Tensor]:
    return lambda x, v, split: apply(OPS[op], (x, v, *split.indices), split.params)


def _add(x: Tensor, v: Tensor, split: Split) -> Tensor:
    return x + scatter_add(v, split.indices, (x.shape, *split.params))


def _one_after_the_other(name: str, x: Tensor, v: Tensor, split: Split, combine: Combine) -> Tensor:
    """Update in rounds, none of which names a place twice."""
    shape = broadcast_shapes(*(k.shape for k in split.indices))
    count, at = math.prod(shape), split.at
    indices = [reshape(broadcast_to(k, shape), count) for k in split.indices]
    v = reshape(v, (*v.shape[:at], count, *v.shape[at + len(shape) :]))
    params = (split.axes, at, True)
    lengths = [x.shape[a] for a in split.axes]
    rounds = [None] if split.unique else _rounds(indices, lengths, count)
    for places in rounds:
        some = indices if places is None else [k[places] for k in indices]
        values = v if places is None else v[(slice(None),) * at + (places,)]
        old = apply(OPS["gather"], (x, *some), params)
        new = _same_dtype(name, combine(old, values), x)
        x = apply(OPS["scatter_set"], (x, new, *some), params)
    return x


def _rounds(
    indices: Sequence[Tensor], lengths: Sequence[int], count: int
) -> Iterator[np.ndarray[Any, Any]]:
    """Divide values into rounds: the first for each place, the second for each, and so on.

    Indices without a number (under `vmap`, `jit`) may all name one place: a round for each.
    """
    if top(indices) is not None:
        yield from np.arange(count).reshape(count, 1)
        return
    positions = positions_of([concrete(k, "at") for k in indices], lengths)
    order = np.argsort(positions, kind="stable")
    ordered = positions[order]
    first = np.searchsorted(ordered, ordered)
    turn = np.arange(count) - first
    for k in range(int(turn.max(initial=-1)) + 1):
        yield order[turn == k]


install({"at": property(lambda self: At(as_tensor("at", self)), doc=At.__doc__)})
