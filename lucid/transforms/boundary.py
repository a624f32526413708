"""What enters and leaves a transformation: lifting inputs, stripping levels, owning results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.dispatch import PYTHON, lift
from lucid.core.frames import ABSENT, MANY, Frame, Recorded
from lucid.core.tensor import Tensor, lower, wrap
from lucid.dtypes import python_dtype
from lucid.errors import DTypeError, OperandError, message

__all__ = [
    "argument_indices",
    "check_function",
    "check_sequence",
    "differentiable_leaf",
    "leave",
    "release",
    "settle_output",
    "split_aux",
    "take_in",
]


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
        rest = "close over it" if name in ("vjp", "jvp", "linearize") else "leave it out of argnums"
        hint = f"convert it to floating point, or {rest}"
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
            splits = name in ("grad", "value_and_grad", "vjp", "jvp")
            hint = "pass has_aux=True and return (value, aux) for anything else" if splits else ""
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
    results = [_own(r, roots) for r in results]
    _own_records(frame, results, roots)
    return results


def _own(result: Any, roots: set[int]) -> Any:
    if isinstance(result, np.ndarray):
        return result.copy() if id(_root(result)) in roots else result
    if not isinstance(result, Tensor):
        return result
    owned = _own(result._value, roots)
    return result if owned is result._value else wrap(owned, result._note)


def _own_records(frame: Frame, results: Sequence[Any], roots: set[int]) -> None:
    """Copy what outer tapes have recorded of the arguments: they will read it after the call."""
    pending = [r for r in results if isinstance(r, Tensor) and r._note is not None]
    seen: set[Recorded] = set()
    while pending:
        t = pending.pop()
        if isinstance(t, Tensor):
            pending += [x for x in (t._value, t._note) if isinstance(x, Tensor | Recorded)]
        # a record older than this transformation cannot have read its arguments
        elif t not in seen and t.seq >= frame.began:
            seen.add(t)
            if t.op is None and not t.is_leaf:  # one output of several
                pending.append(t.first)
                continue
            several = isinstance(t.ans, tuple)
            t.ans = tuple(_own(a, roots) for a in t.ans) if several else _own(t.ans, roots)
            owned = tuple(_own(e, roots) for e in t.entries)
            if t.first is MANY:
                t.second = owned
            else:
                t.first, t.second = (*owned, ABSENT, ABSENT)[:2]
            t.params = tree.map(lambda p: _own(p, roots), t.params)  # what a custom rule kept
            answers = t.ans if several else (t.ans,)
            kept = (*owned, *answers, *tree.leaves(t.params))
            pending += [x for x in kept if isinstance(x, Tensor | Recorded)]


def _root(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def check_function(name: str, fun: Any) -> None:
    """Raise unless `fun` can be called."""
    if not callable(fun):
        raise OperandError(message(name, "a function", type(fun).__name__))


def check_sequence(name: str, **arguments: Any) -> None:
    """Raise unless every argument is a tuple or list."""
    for what, value in arguments.items():
        if not isinstance(value, tuple | list):
            got = type(value).__name__
            raise OperandError(message(name, f"{what} as a tuple or list", got))


def split_aux(name: str, out: Any, has_aux: bool) -> tuple[Any, Any]:
    """Return what a function returned as ``(output, aux)``."""
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise OperandError(message(name, "a pair (value, aux) with has_aux", type(out).__name__))
    return out


def argument_indices(name: str, argnums: Any, count: int) -> tuple[int, ...]:
    """Return the positions of the arguments to differentiate, checked and non-negative."""
    if type(argnums) is int and 0 <= argnums < count:
        return (argnums,)
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
