"""Static arguments of a jitted function, and why a call was captured anew."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lucid import tree
from lucid.core.op import Aval
from lucid.errors import OptionError, message
from lucid.graph.entries import Entry, Static

__all__ = ["StaticArguments", "describe_unhashable", "static_arguments", "why"]


class StaticArguments:
    """Which arguments are compiled in, by position and by name.

    Attributes:
        given: positions and names as the user gave them.
    """

    def __init__(self, given: tuple[Any, Any], places: Iterable[int], names: Iterable[str]) -> None:
        self.given = given
        self.places = frozenset(places)
        self.names = frozenset(names)

    def __bool__(self) -> bool:
        return bool(self.places or self.names)

    def of(self, count: int) -> set[int]:
        """Return the static ones of so many positions."""
        return {k % count for k in self.places if -count <= k < count}

    def split(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...]]:
        """Return arguments with None in static places, named ones without, and the static ones."""
        if not self:
            return args, dict(kwargs), ()
        places = self.of(len(args))
        static = [(k, Static(args[k])) for k in sorted(places)]
        static += [(n, Static(kwargs[n])) for n in sorted(self.names) if n in kwargs]
        rest = tuple(None if k in places else a for k, a in enumerate(args))
        named = {n: a for n, a in kwargs.items() if n not in self.names}
        return rest, named, tuple(static)

    def join(self, inner: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return arguments with the static ones back in their places."""
        rest, named = inner
        places = self.of(len(args))
        whole = tuple(args[k] if k in places else a for k, a in enumerate(rest))
        return whole, {**named, **{n: a for n, a in kwargs.items() if n in self.names}}


def static_arguments(fun: Any, argnums: Any, argnames: Any) -> StaticArguments:
    """Return which arguments of a function are static; an argument may be passed either way."""
    places = list(argnums) if isinstance(argnums, Iterable) else [argnums]
    several = isinstance(argnames, Iterable) and not isinstance(argnames, str)
    names: list[Any] = list(argnames) if several else [argnames]
    for k in places:
        if not isinstance(k, int) or isinstance(k, bool):
            raise OptionError(message("jit", "static_argnums of integers", repr(argnums)))
    for n in names:
        if not isinstance(n, str):
            raise OptionError(message("jit", "static_argnames of strings", repr(argnames)))
    if not places and not names:
        return StaticArguments((argnums, argnames), (), ())
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (TypeError, ValueError):  # what Python cannot look into
        return StaticArguments((argnums, argnames), places, names)
    kinds = {p.kind for p in parameters}
    ordered = [p for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        for k in places:
            if not -len(ordered) <= k < len(ordered):
                got = f"{k} for a function with {len(ordered)} positional arguments"
                raise OptionError(message("jit", "static_argnums of positional arguments", got))
        places = [k % len(ordered) for k in places]
    known = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        for n in names:
            if n not in known:
                want = f"static_argnames among {', '.join(sorted(known))}"
                raise OptionError(message("jit", want, repr(n)))
    by_place = [ordered[k].name for k in places if 0 <= k < len(ordered)]
    by_name = [k for k, p in enumerate(ordered) if p.name in names]
    return StaticArguments((argnums, argnames), {*places, *by_name}, {*names, *by_place})


def describe_unhashable(key: Any, args: Any, kwargs: Any) -> str:
    """Return which part of a key cannot be hashed."""
    _, kinds, static, _ = key
    for where, value in static:
        if not _hashable(value):
            return f"a {type(value.value).__name__} for {_argument(where)}"
    for path, kind in zip(_paths(args, kwargs, static), kinds, strict=True):
        if isinstance(kind, Static) and not _hashable(kind):
            return f"a {type(kind.value).__name__} in {path}"
    return ""


def _hashable(x: Any) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True


def _argument(where: Any) -> str:
    return f"argument {where}" if isinstance(where, int) else f"argument {where!r}"


def _paths(args: Any, kwargs: Any, static: Sequence[Any]) -> list[str]:
    """Return what each leaf of the arguments, but for the static ones, is called."""
    fixed = {where for where, _ in static}
    rest = tuple(None if k in fixed else a for k, a in enumerate(args))
    named = {n: a for n, a in kwargs.items() if n not in fixed}
    found: list[str] = []
    for path in tree.paths((rest, named)):  # "[0][2].weight" or "[1]['name']"
        first, _, inner = path[4:].partition("]")
        found.append(f"argument {first} at {inner}" if inner else f"argument {first}")
    return found


def why(cache: Mapping[Any, Sequence[Entry]], key: Any, args: Any, kwargs: Any) -> str:
    """Return why none of the compiled captures serves a call, in one sentence."""
    if key in cache:
        reasons = [entry.differs() for entry in cache[key]]
        return next((r for r in reasons if r), "its guards did not hold")
    if not cache:
        return "it was the first call"
    found = [_differences(old, key, args, kwargs) for old in reversed(cache)]
    return "; ".join(min(found)[1])


def _differences(old: Any, new: Any, args: Any, kwargs: Any) -> tuple[int, list[str]]:
    """Return how far two keys are apart, and in what they differ."""
    if old[0] != new[0]:
        return 100, [f"the arguments had the structure {old[0]}, and have {new[0]} now"]
    found: list[str] = []
    distance = 0
    for path, was, now in zip(_paths(args, kwargs, new[2]), old[1], new[1], strict=True):
        if was != now:
            found.append(f"{path} was {_shown(was)}, and is {_shown(now)} now")
            both = isinstance(was, tuple) and isinstance(now, tuple)
            distance += sum(a != b for a, b in zip(was, now, strict=False)) if both else 2
    before = dict(old[2])
    for where, value in new[2]:
        if before.get(where) != value:
            was = before.get(where, "not given")
            found.append(f"static {_argument(where)} was {was!r}, and is {value!r} now")
    if old[3] != new[3]:
        found.append(f"the default dtype was {old[3]}, and is {new[3]} now")
    return distance + len(found), found


def _shown(kind: Any) -> str:
    return str(Aval(*kind)) if isinstance(kind, tuple) else repr(kind)
