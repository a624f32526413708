"""Text of Python code that takes pytrees of one structure apart, and puts them together.

Walking through containers as optree does costs microseconds; code that knows the structure does it
in tenths of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lucid import tree
from lucid.ops.random.keys import Key

__all__ = ["MISS", "Code", "build", "take"]

MISS: Any = object()


class Code:
    """A function being written: its lines, and what its names stand for.

    Attributes:
        lines: the body so far, indented as a whole.
        scope: the constants.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {"MISS": MISS}
        self.indent = "    "
        self._names: dict[int, str] = {}
        self._count = 0

    def add(self, *lines: str) -> None:
        """Add lines."""
        self.lines += [self.indent + line for line in lines]

    def miss(self, condition: str) -> None:
        """Give up where a condition holds."""
        self.add(f"if {condition}: return MISS")

    def new(self) -> str:
        """Return a name for a variable."""
        self._count += 1
        return f"x{self._count}"

    def constant(self, value: Any) -> str:
        """Return the name of an object, which is kept alive with the function."""
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = f"c{len(self._names)}"
            self.scope[name] = value
        return name

    def function(self, signature: str) -> Any:
        """Return the function."""
        text = f"def {signature}:\n" + "\n".join(self.lines)
        exec(compile(text, "<lucid.jit call>", "exec"), self.scope)
        return self.scope.pop(signature.partition("(")[0])


def _attributes(kind: Any) -> tuple[str, ...] | None:
    """Return the names under which a container has its children, if it is nothing else."""
    return ("_data",) if kind is Key else tree.attributes(kind)


def take(code: Code, spec: Any, text: str, found: list[str], keys: list[str]) -> None:
    """Add code that takes a pytree apart, and gives up if its structure differs.

    Args:
        code: what it is added to.
        spec: the structure.
        text: the name of the pytree.
        found: takes the names of the leaves, in order.
        keys: takes the names of random keys.
    """
    kind, parts = spec.kind.name, spec.children()
    names = [code.new() for _ in parts]
    fields = _attributes(spec.type) if kind == "CUSTOM" else None
    if kind == "LEAF":
        found.append(text)
        return
    if kind == "NONE":
        code.miss(f"{text} is not None")
        return
    exact = f"type({text}) is not {code.constant(spec.type)}"
    if kind in ("TUPLE", "LIST", "NAMEDTUPLE"):
        code.miss(f"{exact} or len({text}) != {len(parts)}")
        if parts:
            code.add(f"{', '.join(names)}, = {text}")
    elif kind == "DICT":
        code.miss(f"{exact} or len({text}) != {len(parts)}")
        for name, key in zip(names, spec.entries(), strict=True):
            code.add(f"{name} = {text}[{code.constant(key)}]")
    elif fields is not None:
        code.miss(exact)
        if spec.type is Key:
            keys.append(text)
        for name, field in zip(names, fields, strict=True):
            code.add(f"{name} = {text}.{field}")
    elif kind == "CUSTOM" and (known := tree.template(spec)) is not None:
        found += _take_parts(code, known, text, spec.num_leaves)
        return
    else:  # what other containers hold, they tell themselves
        leaves, structure = code.new(), code.new()
        code.add(f"{leaves}, {structure} = {code.constant(tree.flatten)}({text})")
        code.miss(f"{structure} != {code.constant(spec)}")
        names = [code.new() for _ in range(spec.num_leaves)]
        if names:
            code.add(f"{', '.join(names)}, = {leaves}")
        found += names
        return
    for part, name in zip(parts, names, strict=True):
        take(code, part, name, found, keys)


def build(code: Code, spec: Any, leaves: Iterator[str], watched: bool = False) -> str:
    """Return an expression that puts a pytree together, after adding what it needs.

    Args:
        code: what it will be part of.
        spec: the structure.
        leaves: the names of the leaves, in order.
        watched: whether something may watch the leaves.
    """
    kind, fields = spec.kind.name, None
    if kind == "LEAF":
        return next(leaves)
    if kind == "NONE":
        return "None"
    if kind == "CUSTOM" and spec.type is not Key:
        fields = _attributes(spec.type)
    if kind not in ("TUPLE", "LIST", "NAMEDTUPLE", "DICT") and fields is None:
        known = tree.template(spec) if kind == "CUSTOM" and not watched else None
        if known is not None:
            return _build_parts(code, known, [next(leaves) for _ in range(spec.num_leaves)])
        own = "".join(f"{next(leaves)}, " for _ in range(spec.num_leaves))
        return f"{code.constant(tree.unflatten)}({code.constant(spec)}, ({own}))"
    parts = [build(code, part, leaves, watched) for part in spec.children()]
    inside = "".join(f"{p}, " for p in parts)
    if kind == "TUPLE":
        return f"({inside})"
    if kind == "LIST":
        return f"[{inside}]"
    if kind == "NAMEDTUPLE":
        return f"{code.constant(spec.type)}({inside})"
    if kind == "DICT":
        at = dict(zip(spec.entries(), parts, strict=True))
        order = tree.unflatten(spec, [None] * spec.num_leaves)  # as the function inserted them
        return "{" + ", ".join(f"{code.constant(k)}: {at[k]}" for k in order) + "}"
    name = code.new()
    code.add(f"{name} = {code.constant(object.__new__)}({code.constant(spec.type)})")
    for field, part in zip(fields or (), parts, strict=True):
        code.add(f"{code.constant(object.__setattr__)}({name}, {field!r}, {part})")
    return name


def _take_parts(code: Code, known: tree.Template, text: str, count: int) -> list[str]:
    """Add code that takes a container of several objects apart; return the names of its leaves."""
    c = code.constant
    leaves = [code.new() for _ in range(count)]
    objects = [text, *(code.new() for _ in known.parts[1:])]
    for name, part in zip(objects, known.parts, strict=True):
        state, value = code.new(), code.new()
        code.miss(f"type({name}) is not {c(part.kind)}")
        code.add(f"{state} = {name}.__dict__")
        code.miss(f"len({state}) != {len(part.constants) + len(part.slots)}")
        for attribute, kept in part.constants.items():
            code.add(f"{value} = {state}[{attribute!r}]")
            code.miss(f"{value} is not {c(kept)} and not {c(known.same)}({value}, {c(kept)})")
        for attribute, slots in part.slots.items():
            code.add(f"{value} = {state}[{attribute!r}]")
            code.miss(f"len({value}) != {len(slots)}" if slots else value)
            for slot, target in slots.items():
                if target is None:
                    code.miss(f"{value}[{slot!r}] is not None")
                else:
                    into = (leaves if target[0] else objects)[target[1]]
                    code.add(f"{into} = {value}[{slot!r}]")
    every = "".join(f"{x}, " for x in (*objects, *leaves))
    code.miss(f"len({{*map(id, ({every}))}}) < {len(objects) + count}")  # something is tied
    return leaves


def _build_parts(code: Code, known: tree.Template, leaves: list[str]) -> str:
    """Add code that makes a container of several objects; return its name."""
    c = code.constant
    objects = [code.new() for _ in known.parts]
    for name, part in zip(objects, known.parts, strict=True):
        code.add(f"{name} = {c(object.__new__)}({c(part.kind)})")
    for name, part in zip(objects, known.parts, strict=True):
        items: list[str] = []
        for attribute, kept in part.constants.items():
            if type(kept) in (list, dict) and not kept:
                value = repr(kept)
            elif type(kept) in (list, dict, tuple):
                value = f"{c(known.copy)}({c(kept)})"
            else:
                value = c(kept)
            items.append(f"{attribute!r}: {value}")
        for attribute, slots in part.slots.items():
            inner = [
                f"{n!r}: {None if t is None else (leaves if t[0] else objects)[t[1]]}"
                for n, t in slots.items()
            ]
            items.append(f"{attribute!r}: {{{', '.join(inner)}}}")
        code.add(f"{name}.__dict__.update({{{', '.join(items)}}})")
    return objects[0]
