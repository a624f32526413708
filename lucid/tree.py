"""Pytrees: nested containers of arrays, through optree.

Lists, tuples, dicts, named tuples and everything registered with optree in the namespace "lucid"
are containers; dataclasses are recognised by themselves, all their fields being children. Anything
else is a leaf, and None is an empty container.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from lucid._lazy import optree
from lucid.errors import OperandError, message

__all__ = [
    "PyTreeDef",
    "children",
    "flatten",
    "leaves",
    "map",
    "paths",
    "register_node",
    "unflatten",
]

if TYPE_CHECKING:
    PyTreeDef: TypeAlias = optree.PyTreeSpec
else:
    PyTreeDef = Any
T = TypeVar("T")
_NAMESPACE = "lucid"
_plain: set[type] = {float, int, bool, complex, str, type(None)}


def flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], PyTreeDef]:
    """Return the leaves of a pytree and its structure.

    Args:
        tree: any nest of containers.
        is_leaf: treat what it accepts as a leaf.

    Returns:
        The list of leaves, in order, and the structure that `unflatten` takes.

    Example:
        >>> from lucid import tree
        >>> tree.flatten({"b": [1, 2], "a": 3})[0]
        [3, 1, 2]
    """
    if _pending:
        _register_pending()
    found, structure = optree.tree_flatten(tree, is_leaf, namespace=_NAMESPACE)
    fresh = False
    for leaf in found:
        kind = type(leaf)
        if kind not in _plain:
            if dataclasses.is_dataclass(kind) and not (is_leaf and is_leaf(leaf)):
                _register_dataclass(kind)
                fresh = True
            else:
                _plain.add(kind)
    return flatten(tree, is_leaf) if fresh else (found, structure)


def unflatten(structure: PyTreeDef, values: Iterable[Any]) -> Any:
    """Return the pytree of this structure with these leaves.

    Example:
        >>> from lucid import tree
        >>> found, structure = tree.flatten({"a": 1, "b": (2,)})
        >>> tree.unflatten(structure, [10, 20])
        {'a': 10, 'b': (20,)}
    """
    return optree.tree_unflatten(structure, values)


def leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """Return the leaves of a pytree, in order.

    Example:
        >>> from lucid import tree
        >>> tree.leaves([1, (2, None)])
        [1, 2]
    """
    return flatten(tree, is_leaf)[0]


def children(tree: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """Return what a container holds directly, and where; nothing for a leaf.

    Example:
        >>> from lucid import tree
        >>> tree.children({"b": [1, 2], "a": 3})
        ([3, [1, 2]], ('a', 'b'))
    """
    flatten(tree)  # makes sure that dataclasses are known
    if optree.tree_is_leaf(tree, namespace=_NAMESPACE):
        return [], ()
    found = optree.tree_flatten_one_level(tree, namespace=_NAMESPACE)
    return list(found[0]), tuple(found[2])


def map(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:  # noqa: A001
    """Apply a function to corresponding leaves of pytrees of one structure.

    Args:
        function: called with one leaf of each tree.
        tree: the pytree whose structure the result has.
        rest: more pytrees of that structure.

    Raises:
        OperandError: if the structures differ.

    Example:
        >>> from lucid import tree
        >>> tree.map(lambda a, b: a + b, {"a": 1}, {"a": 2})
        {'a': 3}
    """
    first, structure = flatten(tree)
    columns: list[Sequence[Any]] = [first]
    for other in rest:
        column, shape = flatten(other)
        if shape != structure:
            raise OperandError(message("tree.map", f"the structure {structure}", f"{shape}"))
        columns.append(column)
    return unflatten(structure, [function(*row) for row in zip(*columns, strict=True)])


def paths(tree: Any) -> list[str]:
    """Return where each leaf lies, as Python spells it: ``['a'][0].weight``.

    Example:
        >>> from lucid import tree
        >>> tree.paths({"a": [1, 2]})
        ["['a'][0]", "['a'][1]"]
    """
    flatten(tree)  # makes sure that dataclasses are known
    accessors, _, _ = optree.tree_flatten_with_accessor(tree, namespace=_NAMESPACE)
    return [a.codify("") for a in accessors]


def register_node(
    kind: type[T],
    to_children: Callable[[T], Any],
    from_children: Callable[[Any, Any], T],
    *,
    shown: str = "item",
) -> type[T]:
    """Make instances of a class containers.

    Args:
        kind: the class.
        to_children: returns the children, static data, and optionally the names of the children.
        from_children: rebuilds an instance from static data and children.
        shown: how `paths` spells a child: as an "item", an "attribute", or "not" at all.

    Returns:
        The class itself.
    """
    _pending.append((kind, to_children, from_children, shown))
    return kind


# What optree is yet to be told: importing it takes longer than importing the core.
_pending: list[tuple[type[Any], Callable[..., Any], Callable[..., Any], str]] = []
_lock = threading.Lock()


def _register_pending() -> None:
    register: Any = optree.register_pytree_node  # typed for containers that have a length
    with _lock:
        while _pending:
            kind, to_children, from_children, shown = _pending[0]
            entry = _entries()[shown]
            try:
                register(
                    kind, to_children, from_children, path_entry_type=entry, namespace=_NAMESPACE
                )
            finally:
                del _pending[0]


@functools.cache
def _entries() -> dict[str, type[optree.PyTreeEntry]]:
    """Return how paths spell the children of containers."""

    class Unnamed(optree.PyTreeEntry):
        """Where a container has one child and is nothing to its reader."""

        def codify(self, /, node: str = "") -> str:
            """Return the path of the container itself."""
            return node

    return {"item": optree.AutoEntry, "attribute": optree.GetAttrEntry, "not": Unnamed}


_fields: dict[type[Any], tuple[str, ...]] = {}


def attributes(kind: type[Any]) -> tuple[str, ...] | None:
    """Return the fields of a dataclass that is a container by itself; None of any other class."""
    return _fields.get(kind)


class Part(NamedTuple):
    """One object of a container that is made of several.

    Attributes:
        kind: its class.
        constants: what else is in its ``__dict__``.
        slots: the dicts there that hold leaves and objects: for each name whether it is a leaf, and
            its number; None for None.
    """

    kind: type[Any]
    constants: dict[str, Any]
    slots: dict[str, dict[str, tuple[bool, int] | None]]


class Template(NamedTuple):
    """What a container with one structure is made of: for code that takes such containers apart.

    Attributes:
        parts: its objects, each before those that it holds, all of them distinct.
        same: whether two constants are equal.
        copy: returns a constant for a new container.
    """

    parts: list[Part]
    same: Callable[[Any, Any], bool]
    copy: Callable[[Any], Any]


_templates: dict[type[Any], Callable[[Any], Template | None]] = {}


def register_template(kind: type[Any], make: Callable[[Any], Template | None]) -> None:
    """Say what makes the template of a class from an instance, or None where there is none."""
    _templates[kind] = make


def template(structure: PyTreeDef) -> Template | None:
    """Return the template of a container, if there is one."""
    kinds = () if structure.type is None else structure.type.__mro__
    make = next((_templates[k] for k in kinds if k in _templates), None)
    if make is None:
        return None
    return make(unflatten(structure, [object() for _ in range(structure.num_leaves)]))


def _register_dataclass(kind: type[Any]) -> None:
    names = tuple(f.name for f in dataclasses.fields(kind))

    def to_children(value: Any) -> Any:
        return [getattr(value, n) for n in names], None, names

    def from_children(_: Any, children: Any) -> Any:
        value = object.__new__(kind)
        for n, child in zip(names, children, strict=True):
            object.__setattr__(value, n, child)
        return value

    _fields[kind] = names
    register_node(kind, to_children, from_children)
