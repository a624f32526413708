"""What enters and leaves a transformation: lifting inputs, stripping levels, owning results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.dispatch import PYTHON, lift
from lucid.core.frames import Frame
from lucid.core.tensor import Tensor, lower, wrap
from lucid.dtypes import python_dtype
from lucid.errors import DTypeError, OperandError, message

__all__ = ["argument_indices", "differentiable_leaf", "leave", "release", "settle_output", "take_in"]


def take_in(name: str, x: Any) -> Tensor:
    """Return an argument as a Tensor that borrows its memory; a Python number stays weak."""
    (lifted,) = lift(name, (x,))
    return lifted if isinstance(lifted, Tensor) else wrap(lifted, None)


def differentiable_leaf(name: str, x: Any, where: Callable[[], str]) -> Tensor:
    """Return a leaf to differentiate with respect to, or raise naming the argument."""
    if type(x) in PYTHON or isinstance(x, Tensor | np.ndarray | np.generic):
        t = take_in(name, x)
        if t.dtype.kind in "fc":
            return t
        hint = "convert it to floating point, or leave it out of argnums"
        got = f"{t.dtype} in {where()}"
        raise DTypeError(message(name, "a floating or complex argument", got, hint))
    hint = "leave it out of argnums, or close over it"
    got = f"{type(x).__name__} in {where()}"
    raise OperandError(message(name, "arrays or numbers to differentiate", got, hint))


def settle_output(frame: Frame, name: str, result: Any) -> Tensor:
    """Return an output of the transformed function without the levels above `frame`."""
    if not isinstance(result, Tensor):
        if not isinstance(result, np.ndarray | np.generic) and type(result) not in PYTHON:
            got = f"a {type(result).__name__}"
            hint = "return has_aux=True for anything else"
            raise OperandError(message(name, "Tensors, arrays or numbers as output", got, hint))
        (result,) = lift(name, (result,), view=True)
        if not isinstance(result, Tensor):
            return wrap(np.asarray(result, python_dtype(result)), None)
    t = result if type(result) is Tensor else take_in(name, result)
    while t._note is not None and t._note.frame.level > frame.level:
        t._note.frame.check_open(name)
        t = lower(t)
    if t._note is not None:
        t._note.frame.check_open(name)
    return t


def leave(frame: Frame, value: Any) -> Any:
    """Return an auxiliary output without the levels of `frame` and above."""
    t = value
    while isinstance(t, Tensor) and t._note is not None and t._note.frame.level >= frame.level:
        t = lower(t)
    return t


def release(frame: Frame, arguments: Sequence[Any], results: list[Any]) -> list[Any]:
    """Copy the results that share memory with an argument array the caller may write to."""
    if not frame.borrowed:
        return results
    roots = {id(_root(a)) for a in arguments if isinstance(a, np.ndarray)}
    return [_own(r, roots) for r in results]


def _own(result: Any, roots: set[int]) -> Any:
    if not isinstance(result, Tensor):
        return result
    value = result._value
    if isinstance(value, np.ndarray):
        return wrap(value.copy(), result._note) if id(_root(value)) in roots else result
    owned = _own(value, roots)
    return result if owned is value else wrap(owned, result._note)


def _root(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def argument_indices(name: str, argnums: Any, count: int) -> tuple[int, ...]:
    """Return the positions of the arguments to differentiate, checked and non-negative."""
    many = argnums if isinstance(argnums, tuple | list) else (argnums,)
    for k in many:
        if not isinstance(k, int) or isinstance(k, bool):
            got = f"argnums={argnums!r}"
            raise OperandError(message(name, "argnums an integer or a tuple of them", got))
        if not -count <= k < count:
            got = f"argnums={argnums!r} for {count} positional arguments"
            hint = "pass the argument by position"
            raise OperandError(message(name, "argnums of positional arguments", got, hint))
    places = tuple(k % count for k in many)
    if len(set(places)) != len(places) or not places:
        raise OperandError(message(name, "distinct argnums", f"argnums={argnums!r}"))
    return places


