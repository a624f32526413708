"""A Module as a pytree: its leaves, and the static rest that rebuilds it around other leaves.

The leaves are the parameters and buffers of the whole tree of modules, in registration order; a
parameter that stands in several places is one leaf. Buffers and frozen parameters are constants to
every derivative, and wrapped in `Fixed`, so that no optimiser touches them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lucid import tree
from lucid.core.cells import capturing, own
from lucid.core.parameter import Fixed, Parameter
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OperandError, message
from lucid.transforms.stop import stop_gradient

__all__ = ["Layout", "Tree", "check_hidden", "replace", "take_apart"]

_REGISTRIES = frozenset(("_parameters", "_buffers", "_modules", "_frozen"))
_CONTAINERS = (list, tuple, dict)


class Tree:
    """What is a tree of modules: the base of `Module`, each subclass of which is a pytree node."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        tree.register_node(cls, _to_children, _from_children, shown="attribute")
        tree.register_template(cls, _template)


def contents(module: Tree) -> dict[str, Any]:
    """Return the attributes of a module, as the present capture sees them, if there is one."""
    state = module.__dict__
    return state if capturing.get() is None else {n: getattr(module, n) for n in state}


class _Ref(NamedTuple):
    """Stands in a static container for a module (by its number) or a leaf of the tree."""

    module: bool
    place: int


class _Entry(NamedTuple):
    """One module: its class, and by name its slots (numbers of leaves and modules) and the rest."""

    kind: type[Any]
    parameters: dict[str, int | None]
    buffers: dict[str, int | None]
    modules: dict[str, int | None]
    frozen: frozenset[str]
    static: dict[str, Any]


class Layout:
    """All of a Module that is no leaf. Equal layouts hold equal static attributes."""

    __slots__ = ("entries", "fixed", "names")

    def __init__(self, entries: list[_Entry], names: list[str], fixed: set[int]) -> None:
        self.entries = entries
        self.names = names  # the first path of every leaf
        self.fixed = fixed  # the leaves that are buffers or frozen

    def build(self, leaves: Sequence[Any], *, constants: bool = True) -> Any:
        """Return a new Module with these leaves, which may be anything.

        Args:
            leaves: as many as `names`.
            constants: keep derivatives from buffers and frozen parameters.
        """
        made = [object.__new__(entry.kind) for entry in self.entries]
        for module in made:
            own(module)
        leaves = _distinct(leaves)
        if constants:
            leaves = [_constant(x) if k in self.fixed else x for k, x in enumerate(leaves)]

        def restore(ref: _Ref) -> Any:
            return made[ref.place] if ref.module else leaves[ref.place]

        for module, entry in zip(made, self.entries, strict=True):
            state = module.__dict__
            for name, value in entry.static.items():
                state[name] = replace(value, _Ref, restore)
            parameters = {n: None if k is None else leaves[k] for n, k in entry.parameters.items()}
            buffers = {n: None if k is None else leaves[k] for n, k in entry.buffers.items()}
            state["_parameters"] = parameters
            state["_buffers"] = buffers
            state["_modules"] = {
                n: None if k is None else made[k] for n, k in entry.modules.items()
            }
            state["_frozen"] = entry.frozen
        return made[0]

    def index(self) -> dict[str, int]:
        """Return the number of the leaf in every slot, by the slot's path, ties included."""
        found: dict[str, int] = {}

        def walk(k: int, prefix: str) -> None:
            entry = self.entries[k]
            for name, leaf in (*entry.parameters.items(), *entry.buffers.items()):
                if leaf is not None:
                    found[f"{prefix}{name}"] = leaf
            for name, child in entry.modules.items():
                if child is not None:
                    walk(child, f"{prefix}{name}.")

        walk(0, "")
        return found

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Layout) or len(self.entries) != len(other.entries):
            return False
        return all(map(_same_entry, self.entries, other.entries))

    def __hash__(self) -> int:
        return hash(tuple((e.kind, tuple(e.parameters), tuple(e.modules)) for e in self.entries))

    def __repr__(self) -> str:
        return self.entries[0].kind.__name__


def take_apart(root: Tree) -> tuple[list[Any], Layout]:
    """Return the distinct leaves of a tree of modules, and its layout."""
    walk = _Walk()
    walk.enter(root, "")
    for module, entry in zip(walk.modules, walk.entries, strict=True):
        for name, value in entry.static.items():
            if type(value) in _CONTAINERS and value:
                entry.static[name] = _link(module, name, value, walk.places)
    fixed = {k for e in walk.entries for k in e.buffers.values() if k is not None}
    fixed.update(e.parameters[n] for e in walk.entries for n in e.frozen)  # type: ignore[misc]
    return walk.leaves, Layout(walk.entries, walk.names, fixed)


class _Walk:
    """What a walk through a tree of modules has found."""

    def __init__(self) -> None:
        self.leaves: list[Any] = []
        self.names: list[str] = []
        self.modules: list[Tree] = []
        self.entries: list[_Entry] = []
        self.places: dict[int, int] = {}  # from the identity of a module or leaf to its number

    def enter(self, module: Tree, prefix: str) -> int:
        """Note a module and all below it, once; return its number."""
        if id(module) in self.places:
            return self.places[id(module)]
        number = self.places[id(module)] = len(self.modules)
        state = contents(module)
        parameters: dict[str, Any] = state["_parameters"]
        entry = _Entry(
            type(module),
            {n: self.leaf(p, f"{prefix}{n}", tied=True) for n, p in parameters.items()},
            {n: self.leaf(b, f"{prefix}{n}", tied=False) for n, b in state["_buffers"].items()},
            {},
            frozenset(n for n, p in parameters.items() if _is_frozen(p, n, state["_frozen"])),
            {n: v for n, v in state.items() if n not in _REGISTRIES},
        )
        self.modules.append(module)
        self.entries.append(entry)
        for n, child in state["_modules"].items():
            entry.modules[n] = None if child is None else self.enter(child, f"{prefix}{n}.")
        return number

    def leaf(self, value: Any, name: str, *, tied: bool) -> int | None:
        """Note what stands in a slot; return the leaf's number."""
        if value is None:
            return None
        number = len(self.leaves)
        if tied and isinstance(value, Tensor | np.ndarray):
            number = self.places.setdefault(id(value), number)
        if number == len(self.leaves):
            self.leaves.append(value)
            self.names.append(name)
        return number


def _is_frozen(value: Any, name: str, frozen: frozenset[str]) -> bool:
    """Whether a slot holds a frozen parameter, or what has replaced one."""
    if isinstance(value, Parameter):
        return not value.requires_grad
    return value is not None and name in frozen


def _to_children(root: Tree) -> tuple[list[Any], Layout, list[str]]:
    """Return children, static data and names, as `tree.register_node` wants them."""
    leaves, layout = take_apart(root)
    children = [Fixed((x,)) if k in layout.fixed else x for k, x in enumerate(leaves)]
    return children, layout, layout.names


def _from_children(layout: Layout, children: Iterable[Any]) -> Any:
    """Return the Module of this layout with these children."""
    return layout.build([x[0] if type(x) is Fixed else x for x in children])


def _template(root: Tree) -> tree.Template | None:
    """Return what Modules of one layout are made of; None where something is tied.

    Static containers then hold no module and no leaf either.
    """
    leaves, layout = take_apart(root)
    modules = [k for e in layout.entries for k in e.modules.values() if k is not None]
    refs: list[Any] = []
    for entry in layout.entries:
        for value in entry.static.values():
            if type(value) in _CONTAINERS:
                replace(value, (_Ref, Tensor, Tree), refs.append)
    tied = len({*map(id, leaves)}) < len(leaves) or len({0, *modules}) <= len(modules)
    if tied or refs or any(type(x) is not object for x in leaves):
        return None

    def slots(numbers: dict[str, int | None], leaf: bool) -> dict[str, tuple[bool, int] | None]:
        return {n: None if k is None else (leaf, k) for n, k in numbers.items()}

    parts = [
        tree.Part(
            e.kind,
            {**e.static, "_frozen": e.frozen},
            {
                "_parameters": slots(e.parameters, True),
                "_buffers": slots(e.buffers, True),
                "_modules": slots(e.modules, False),
            },
        )
        for e in layout.entries
    ]
    return tree.Template(parts, _same, lambda value: replace(value, _Ref, lambda ref: ref))


def _distinct(leaves: Sequence[Any]) -> Sequence[Any]:
    """Return the leaves, no two arrays among them the same object: that would tie them."""
    seen: set[int] = set()
    out = list(leaves)
    for k, x in enumerate(leaves):
        if isinstance(x, Tensor | np.ndarray):
            if id(x) in seen:
                out[k] = x.view() if isinstance(x, np.ndarray) else wrap(x._value, x._note)
            seen.add(id(x))
    return out


def _constant(value: Any) -> Any:
    watched = isinstance(value, Tensor) and value._note is not None
    return stop_gradient(value) if watched else value


# -- static attributes -----------------------------------------------------------------------------


def replace(value: Any, kind: type | tuple[type, ...], change: Callable[[Any], Any]) -> Any:
    """Return a static value with what its containers hold of a kind replaced."""
    if isinstance(value, kind):
        return change(value)
    if type(value) is dict:
        return {k: replace(v, kind, change) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(replace(v, kind, change) for v in value)
    return value


def _link(owner: Tree, name: str, value: Any, places: dict[int, int]) -> Any:
    """Replace modules and parameters in a container by references, so that copies keep them."""

    def change(found: Any) -> Any:
        if id(found) in places:
            return _Ref(isinstance(found, Tree), places[id(found)])
        if isinstance(found, Tree | Parameter):
            raise _hidden(owner, name, value, found)
        return found

    return replace(value, (Tree, Tensor), change)


def check_hidden(owner: Tree, known: set[int]) -> None:
    """Raise if a list, tuple or dict among the attributes holds what nobody has registered."""

    def check(name: str, value: Any) -> Callable[[Any], Any]:
        def change(found: Any) -> Any:
            if id(found) not in known:
                raise _hidden(owner, name, value, found)
            return found

        return change

    for name, value in contents(owner).items():
        if type(value) in _CONTAINERS and value and name not in _REGISTRIES:
            replace(value, (Tree, Parameter), check(name, value))


def _hidden(owner: Tree, name: str, value: Any, found: Any) -> OperandError:
    kind = "Parameter" if isinstance(found, Parameter) else "Module"
    hint = f"use nn.{kind}List or nn.{kind}Dict; a lambda can hide it on purpose"
    got = f"a {type(value).__name__} holding a {type(found).__name__}"
    want = f"a {kind} registered by attribute"
    return OperandError(message(f"{type(owner).__name__}.{name}", want, got, hint))


def _same_entry(a: _Entry, b: _Entry) -> bool:
    return a.kind is b.kind and a[1:5] == b[1:5] and _same(a.static, b.static)


def _same(a: Any, b: Any) -> bool:
    """Whether two static values are equal; in doubt they are not."""
    if a is b:
        return True
    if type(a) is not type(b) or isinstance(a, Tensor):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(v, b[k]) for k, v in a.items())
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    try:
        return bool(a == b)
    except Exception:  # whatever its own comparison cannot do
        return False
