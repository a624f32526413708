"""Keys: what ``x[key]`` is given, taken apart into a static part and arrays of indices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import index
from typing import Any, NamedTuple

import numpy as np

from lucid.core.tensor import Tensor, concrete, wrap
from lucid.errors import IndexOutOfBoundsError, message
from lucid.ops.creation import asarray
from lucid.ops.permute import moved

__all__ = [
    "FULL",
    "Split",
    "advanced_key",
    "entry_of",
    "natural",
    "numpy_key",
    "shift_axes",
    "split_key",
    "static_key",
]

FULL = (None, None, None)  # how a parameter spells a full slice
MASK = "getitem with a boolean key"


# -- static keys -----------------------------------------------------------------------------------


def static_key(key: Any) -> tuple[Any, ...] | None:
    """Return a key without arrays as a hashable parameter: slices as tuples; None for others."""
    kind = type(key)
    if kind is int:
        return (key,)
    if kind is slice:
        return (_slice(key),)
    out = []
    for k in key if kind is tuple else (key,):
        kind = type(k)
        if kind is int or k is None or k is ...:
            out.append(k)
        elif kind is slice:
            out.append(_slice(k))
        elif isinstance(k, np.integer) or (isinstance(k, int) and kind is not bool):
            out.append(int(k))
        else:
            return None
    return tuple(out)


def _slice(s: slice) -> tuple[Any, Any, Any]:
    start, stop, step = s.start, s.stop, s.step
    for bound in (start, stop, step):
        if bound is not None and type(bound) is not int:
            try:
                return tuple(None if b is None else index(b) for b in (start, stop, step))  # type: ignore[return-value]
            except TypeError:
                raise IndexOutOfBoundsError(
                    message("getitem", "integers or None in a slice", repr(s))
                ) from None
    return (start, stop, step)


def numpy_key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a static key as NumPy takes it."""
    for k in key:
        if type(k) is tuple:
            return tuple([slice(*k) if type(k) is tuple else k for k in key])
    return key


# -- splitting a key with arrays -------------------------------------------------------------------


class Split(NamedTuple):
    """A key taken apart: ``x[key]`` is a `getitem` with `basic`, then a `gather` with the rest."""

    basic: tuple[Any, ...]  # static key of the part without arrays
    axes: tuple[int, ...]  # axes of what that gives, one for each array of indices
    indices: tuple[Tensor, ...]
    at: int  # where the axes of the indices are found in the result
    unique: bool  # whether no element is selected twice

    @property
    def params(self) -> tuple[Any, ...]:
        """The parameters of `gather` and its relatives."""
        return (self.axes, self.at, self.unique)

    @property
    def trivial(self) -> bool:
        """Whether the static part selects everything."""
        return all(k == FULL for k in self.basic)


def split_key(shape: tuple[int, ...], key: Any) -> Split:
    """Take apart a key for an array of this shape."""
    if isinstance(key, Tensor | np.ndarray) and key.dtype.kind in "iu" and shape:
        return Split((FULL,), (0,), (asarray(key),), 0, key.size <= 1)  # the most frequent one
    entries = _expand(shape, [entry_of(k) for k in (key if isinstance(key, tuple) else (key,))])
    basic: list[Any] = []
    axes: list[int] = []
    indices: list[Tensor] = []
    advanced: list[int] = []  # where arrays stand, and integers: NumPy takes both alike
    before = 0  # axes of the result ahead of the first of them
    for place, (part, array) in enumerate(_pairs(shape, entries)):
        if part is ...:
            continue
        if array is not None:
            axes.append(sum(type(b) is not int for b in basic))
            indices.append(array)
        if array is not None or type(part) is int:
            advanced.append(place)
        before += not advanced
        basic.append(part)
    together = advanced == list(range(advanced[0], advanced[0] + len(advanced)))
    arrays = [e for e in entries if isinstance(e, Tensor)]
    unique = (len(arrays) == 1 and arrays[0].dtype.kind == "b") or all(k.size <= 1 for k in indices)
    return Split(tuple(basic), tuple(axes), tuple(indices), before if together else 0, unique)


def _pairs(shape: tuple[int, ...], entries: list[Any]) -> Iterator[tuple[Any, Tensor | None]]:
    """Give for each axis of the result its static entry, and its array of indices if it has one."""
    axis = 0
    for e in entries:
        if not isinstance(e, Tensor):
            yield e, None
            axis += e is not None and e is not ...
        elif e.dtype.kind != "b":
            yield FULL, e
            axis += 1
        elif not e.ndim:  # stands for a new axis of length 0 or 1
            yield None, wrap(np.zeros(int(concrete(e, MASK)), np.intp), None)
        else:
            yield from ((FULL, wrap(i, None)) for i in _mask_indices(e, shape, axis))
            axis += e.ndim


def entry_of(k: Any) -> Any:
    """Return one entry of a key as None, Ellipsis, an integer, a tuple, or a Tensor of indices."""
    static = static_key((k,))
    if static is not None:
        return static[0]
    if isinstance(k, list) and not k:
        return wrap(np.zeros(0, np.intp), None)
    if not isinstance(k, Tensor | np.ndarray | np.generic | list | tuple | bool):
        got = f"{type(k).__name__} {k!r}"
        want = "integers, slices, None, ... or arrays of integers or booleans as a key"
        raise IndexOutOfBoundsError(message("getitem", want, got))
    t = asarray(k)
    if t.dtype.kind not in "iub":
        hint = "convert it with .astype(lucid.int64)"
        want = "indices that are integers or booleans"
        raise IndexOutOfBoundsError(message("getitem", want, str(t.dtype), hint))
    return t


def _expand(shape: tuple[int, ...], entries: list[Any]) -> list[Any]:
    """Replace Ellipsis by full slices, and name the remaining axes.

    One that stands for no axis stays: even so, NumPy takes it to part the arrays around it.
    """
    used = 0
    for e in entries:
        if isinstance(e, Tensor):
            used += e.ndim if e.dtype.kind == "b" else 1
        else:
            used += e is not None and e is not ...
    if used > len(shape):
        got = f"{used} for shape {shape}"
        raise IndexOutOfBoundsError(message("getitem", "as many indices as axes", got))
    dots = [i for i, e in enumerate(entries) if e is ...]
    if len(dots) > 1:
        raise IndexOutOfBoundsError(message("getitem", "one ... in a key", f"{len(dots)}"))
    rest = [FULL] * (len(shape) - used)
    if not dots:
        return entries + rest
    return entries[: dots[0]] + (rest or [...]) + entries[dots[0] + 1 :]


def _mask_indices(mask: Tensor, shape: tuple[int, ...], axis: int) -> Any:
    """Return a boolean array as arrays of indices, one for each of its axes."""
    value = concrete(mask, MASK)
    if value.shape != shape[axis : axis + value.ndim]:
        want = f"a boolean key that fits axis {axis} and following of shape {shape}"
        raise IndexOutOfBoundsError(message("getitem", want, f"one of shape {value.shape}"))
    return value.nonzero()


# -- keys for NumPy --------------------------------------------------------------------------------


def index_ndim(indices: Sequence[Any]) -> int:
    """Return how many axes the indices have together."""
    return max(k.ndim for k in indices)


def advanced_key(ndim: int, axes: Sequence[int], indices: Sequence[Any]) -> tuple[Any, ...]:
    """Return the NumPy key that applies arrays of indices to axes."""
    key: list[Any] = [slice(None)] * ndim
    for a, k in zip(axes, indices, strict=True):
        key[a] = np.asarray(k, np.intp)
    return tuple(key)


def natural(axes: Sequence[int]) -> int:
    """Return where NumPy puts the axes of the indices."""
    return axes[0] if list(axes) == list(range(axes[0], axes[0] + len(axes))) else 0


def shift_axes(ndim: int, count: int, source: int, target: int) -> tuple[int, ...]:
    """Return the permutation that takes `count` adjacent axes from one place to another."""
    return moved(ndim, range(source, source + count), range(target, target + count))
