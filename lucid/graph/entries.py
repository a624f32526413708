"""Entries of a jitted function's cache: a compiled capture, and what must hold to call it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.cells import Place, unchanged, version
from lucid.core.dispatch import PYTHON
from lucid.core.frames import Recorded
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, aval, lower
from lucid.graph.capture import Cellular, Trace
from lucid.graph.program import Program

__all__ = ["Entry", "Guards", "Static", "leaf_aval", "leaf_type", "read_cell", "shares"]

_ndarray = np.ndarray


class Guards:
    """Places whose content decided what was captured.

    Attributes:
        stable: those of which every change is counted, each with what it held.
        loose: the others.
        version: the count of changes at which the stable ones were last seen to hold.
    """

    __slots__ = ("loose", "stable", "version")

    def __init__(self, found: Sequence[tuple[Place, Any]]) -> None:
        self.stable = [g for g in found if g[0].stable]
        self.loose = [g for g in found if not g[0].stable]
        self.version = -1

    def kept(self) -> bool:
        """Return whether every stable place has the value it had."""
        now = version[0]
        if self.version != now:
            if not all(unchanged(kept, place.get()) for place, kept in self.stable):
                return False
            self.version = now
        return True

    def hold(self) -> bool:
        """Return whether every place has the value it had."""
        return self.kept() and all(unchanged(kept, place.get()) for place, kept in self.loose)


class Entry:
    """One compiled capture.

    Attributes:
        trace: what the capture gave.
        out: the structure of the result.
        outputs: how many outputs are the result's; the others go to cells.
        program: the compiled program.
        spends: for each random key among the arguments, what a call uses of it.
        guards: what must be as it was.
        quick: the short way to call it; MISS where there is none, None before it was looked for.
        seen: the program that is recorded for an ambient tape; None where nothing is.
        pulled: whether that had been gone back through when `quick` was written.
        calls: how often the long way was taken.
    """

    __slots__ = (
        *("calls", "guards", "out", "outputs", "program", "pulled", "quick", "seen", "spends"),
        "trace",
    )

    def __init__(
        self, found: Trace, out: Any, outputs: int, program: Program, spends: Sequence[Any]
    ) -> None:
        self.trace = found
        self.out = out
        self.outputs = outputs
        self.program = program
        self.spends = tuple(spends)
        self.guards = Guards(found.guards)
        self.quick: Any = None
        self.calls = 0
        self.seen: Program | None = None
        self.pulled = False

    def holds(self) -> bool:
        """Return whether every guard has the value it had."""
        return self.guards.hold() and self.alive()

    def alive(self) -> bool:
        """Return whether it can be called again: what it closes over is not of the past."""
        return all(map(_alive, self.trace.outside))

    def read_cells(self) -> list[Any] | None:
        """Return the numbers in all cells; None if one has changed its structure or type."""
        found: list[Any] = []
        for cell in self.trace.cells:
            if cell.structure is not None and not read_cell(cell, found, cell.place.get()):
                return None
        return found

    def write_cells(self, outs: Sequence[Any]) -> None:
        """Put what the program computed into the cells that the function has set."""
        done: list[tuple[Place, Any]] = []
        for k, structure, start, stop in self.trace.written:
            values = [_settled(y) for y in outs[start:stop]]
            done.append((self.trace.cells[k].place, tree.unflatten(structure, values)))
        for place, value in done:
            assert place.put is not None
            place.put(value)

    def differs(self) -> str | None:
        """Return what keeps it from being called now, in words."""
        for place, kept in (*self.guards.stable, *self.guards.loose):
            present = place.get()
            if not unchanged(kept, present):
                return f"{_name(place)} was {kept!r:.80}, and is {present!r:.80} now"
        if not self.alive():
            return "it closes over a Tensor that another transformation watches"
        for cell in self.trace.cells:
            if cell.structure is not None and not read_cell(cell, [], cell.place.get()):
                was = [str(v.aval) for v in cell.leaves if v is not None]
                now = [str(leaf_aval(x)) for x in tree.leaves(cell.place.get()) if _counts(x)]
                return f"{_name(cell.place)} held {_listed(was)}, and holds {_listed(now)} now"
        return None


def read_cell(cell: Cellular, found: list[Any], value: Any) -> bool:
    """Append the numbers in a cell; False if it has changed its structure or type."""
    specs = cell.specs  # the short way, for a Tensor, or a tuple of Tensors and numbers
    if specs is not None and type(value) is cell.kind:
        items = value if isinstance(value, tuple) else (value,)
        if len(items) == len(specs) and all(map(_fits, items, specs)):
            found.extend([x for x in items if x is not None])
            return True
    leaves, structure = tree.flatten(value)
    if structure != cell.structure:
        return False
    numbers: list[Any] = []
    for leaf, want, fixed in zip(leaves, cell.leaves, cell.static, strict=True):
        if want is None:
            if not unchanged(fixed, leaf):
                return False
        elif leaf_aval(leaf) != want.aval:
            return False
        else:
            numbers.append(leaf)
    found += numbers
    return True


def _fits(x: Any, spec: Any) -> bool:
    """Return whether a leaf is what a capture found: None, a number of a type, or an array."""
    if type(spec) is not Aval:
        return x is None if spec is None else type(x) is spec
    if type(x) is not Tensor or (x._note is not None and type(x._note) is not Recorded):
        return False
    array = x._value
    return type(array) is _ndarray and array.shape == spec.shape and array.dtype == spec.dtype


def _name(place: Place) -> str:
    name = place.name if isinstance(place.name, str) else " ".join(map(str, place.name))
    return f"{name!r} of a {type(place.owner).__name__}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _counts(x: Any) -> bool:
    return isinstance(x, Tensor | _ndarray | np.generic) or type(x) in PYTHON


def _alive(t: Tensor) -> bool:
    """Whether a closed-over Tensor may be read again: its transformations still run."""
    x: Any = t
    while isinstance(x, Tensor) and x._note is not None:
        if x._note.frame.scoped or not x._note.frame.open:
            return False
        x = x._value
    return True


def _settled(y: Tensor) -> Any:
    """Return what a cell keeps: Python numbers as such, Tensors without the ambient tape."""
    while y._note is not None and not y._note.frame.scoped:
        y = lower(y)
    return y._value if y._note is None and type(y._value) in PYTHON else y


def shares(value: Any, arrays: Sequence[Any]) -> bool:
    """Return whether a result may lie in the memory of an argument."""
    if value.base is None:  # memory of its own, unless it is an argument
        return any(value is a for a in arrays)
    return any(np.may_share_memory(value, a) for a in arrays)


# -- keys ------------------------------------------------------------------------------------------


class Static:
    """A leaf that is no number, as part of a key: compared by type and value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and unchanged(self.value, other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))

    def __repr__(self) -> str:
        return f"{self.value!r:.80}"


def leaf_type(x: Any) -> Any:
    """Return shape and dtype of an argument, and whether it is weak, as part of a key."""
    if type(x) is _ndarray:
        return x.shape, x.dtype
    if type(x) is Tensor and x._note is None and type(x._value) is _ndarray:
        return x._value.shape, x._value.dtype
    a = leaf_aval(x)
    return a if a.weak else (a.shape, a.dtype)


def leaf_aval(x: Any) -> Aval:
    """Return shape and dtype of an array, Tensor or number."""
    if isinstance(x, _ndarray | np.generic):
        return Aval(x.shape, x.dtype)
    return aval(x)
