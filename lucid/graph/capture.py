"""Capture: running a function on symbols, and keeping what it did as a graph."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from lucid import tree
from lucid.core.cells import Place, capturing, snapshot, spying
from lucid.core.define import general
from lucid.core.dispatch import PYTHON, apply, below, entries, explain
from lucid.core.frames import Frame, Note, Recorded, RecordFrame, silenced, transformation
from lucid.core.op import Aval, Op
from lucid.core.tensor import Tensor, aval, strip, wrap
from lucid.dtypes import python_dtype
from lucid.errors import GraphError, message
from lucid.graph.ir import Graph, Node, Operand, Value, infer, number_aval

__all__ = ["Cellular", "GraphFrame", "Symbol", "Trace", "capture", "is_number", "taping", "untape"]


class Symbol(Note):
    """The note of a Tensor in a function being captured: the value it stands for."""

    __slots__ = ("value",)

    def __init__(self, frame: Frame, value: Value) -> None:
        self.frame = frame
        self.value = value

    @property
    def aval(self) -> Aval:
        """Shape and dtype."""
        return self.value.aval


class Cellular:
    """A mutable place that the captured function reads or writes.

    Attributes:
        place: where it is.
        structure: the pytree structure of what it held, None if it was not read.
        leaves: the values that stand for its leaves, None for a leaf that is no number.
        static: the leaves that are no numbers.
        kind, specs: what it held, if that was a Tensor, or a tuple of Tensors, numbers and None:
            its type, and for each entry shape and dtype, the type of a number, or None.
        present: what the captured function sees there now.
        written: whether it has assigned it.
    """

    __slots__ = ("kind", "leaves", "place", "present", "specs", "static", "structure", "written")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.structure: Any = None
        self.leaves: list[Value | None] = []
        self.static: list[Any] = []
        self.kind: Any = None
        self.specs: tuple[Any, ...] | None = None
        self.present: Any = None
        self.written = False


def is_number(x: Any) -> bool:
    """Whether a leaf is traced: an array or a number."""
    return isinstance(x, Tensor | np.ndarray | np.generic | bool | int | float | complex)


class GraphFrame(Frame):
    """One running capture.

    Attributes:
        inputs: the values for explicit arguments, closed-over watched Tensors, and cells.
        outside: watched Tensors of outer transformations that the function closes over.
    """

    __slots__ = (
        *("cells", "constants", "guards", "inputs", "known", "made", "nodes", "outer", "outside"),
    )
    abstract = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.nodes: list[Node] = []
        self.inputs: list[Value] = []
        self.constants: dict[Value, np.ndarray[Any, Any]] = {}
        self.outside: list[tuple[Value, Tensor]] = []
        self.known: dict[int, tuple[Value, Any]] = {}  # id -> its value; the object is kept alive
        self.cells: dict[Any, Cellular] = {}
        self.guards: dict[Any, tuple[Place, Any]] = {}
        self.made: dict[int, Any] = {}  # what the function has made; kept alive
        self.outer = capturing.get()

    # -- operations ------------------------------------------------------------------------------

    def enter(self, a: Aval) -> Tensor:
        """Return a new input."""
        value = Value(a)
        self.inputs.append(value)
        return self.symbol(value)

    def symbol(self, value: Value) -> Tensor:
        """Return the Tensor that stands for a value."""
        return wrap(None, Symbol(self, value))

    def value_of(self, x: Any) -> Operand:
        """Return what an operand is in the graph; a Tensor from outside becomes part of it."""
        if not isinstance(x, Tensor):
            return x
        note = x._note
        if isinstance(note, Symbol) and note.frame is self:
            return note.value
        if id(x) in self.known:
            return self.known[id(x)][0]
        if note is None and not isinstance(x._value, np.ndarray | Tensor):
            return x._value  # a weak number
        value = Value(aval(x))
        if note is None:
            array: Any = x._value
            self.constants[value] = array
        else:
            self.outside.append((value, x))
        self.known[id(x)] = (value, x)
        return value

    def apply(self, op: Op, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Add a node."""
        if op.inline is not None and not op.opaque:
            return op.inline(args, params)
        operands = [self.value_of(a) for a in args]
        avals = [x.aval if isinstance(x, Value) else number_aval(x) for x in operands]
        if not op.weak and op.inline is None and avals and all(a.weak for a in avals):
            operands = [self.materialised(x) for x in operands]
            avals = [x.aval if isinstance(x, Value) else number_aval(x) for x in operands]
        try:
            inferred = infer(op, avals, params)
        except Exception as error:
            raise explain(op, args, error) from error
        node = Node(op, operands, params, inferred)
        self.nodes.append(node)
        outs = tuple(self.symbol(y) for y in node.outputs)
        if op.smooth and silenced.get() > self.level:  # under `no_grad` in the function
            outs = tuple(map(self.untaped, outs))
        return outs if op.multi else outs[0]

    def untaped(self, t: Tensor) -> Tensor:
        """Return a value that no ambient tape of the caller's follows back."""
        if not isinstance(t._note, Symbol) or t._note.frame is not self:
            return t
        node = Node(untape, (t._note.value,), (), (t._note.aval,))
        self.nodes.append(node)
        return self.symbol(node.outputs[0])

    def materialised(self, x: Operand) -> Operand:
        """Return a weak number as an array, as operations on numbers alone convert theirs."""
        if isinstance(x, Value):
            node = Node(_materialise, (x,), (), (Aval((), x.aval.dtype),))
            self.nodes.append(node)
            return node.outputs[0]
        value = Value(Aval((), python_dtype(x)))
        self.constants[value] = np.asarray(x, python_dtype(x))
        return value

    def sources(self, note: Note) -> list[Tensor]:
        """Return the Tensors of outside that a value was computed from."""
        assert isinstance(note, Symbol)
        wanted: set[Value] = {note.value}
        for node in reversed(self.nodes):
            if not wanted.isdisjoint(node.outputs):
                wanted.update(node.values())
        cells = [
            (v, leaf)
            for c in self.cells.values()
            if c.structure is not None
            for v, leaf in zip(c.leaves, tree.leaves(_fetch(c.place)), strict=False)
        ]
        return [t for v, t in (*self.outside, *cells) if v in wanted and isinstance(t, Tensor)]

    # -- cells -----------------------------------------------------------------------------------

    def own(self, owner: Any) -> None:
        """Take note of an object that the function has made."""
        self.made[id(owner)] = owner

    def owns(self, owner: Any) -> bool:
        """Return whether the function has made this object."""
        return id(owner) in self.made or (self.outer is not None and self.outer.owns(owner))

    def read(self, place: Place) -> Any:
        """Return what is in a place: symbols for its numbers."""
        if id(place.owner) in self.made:
            return place.get()
        cell = self.cells.get(place.key)
        if cell is None and self.outer is not None:
            return self.outer.read(place)
        if cell is None:
            cell = self.cells[place.key] = Cellular(place)
            self._enter_cell(cell, _fetch(place))
        if place.taped:
            cell.place = place
        if place.taped is False and isinstance(cell.present, Tensor):
            return self.untaped(cell.present)
        return cell.present

    def _enter_cell(self, cell: Cellular, value: Any) -> None:
        found, cell.structure = tree.flatten(value)
        inner: list[Any] = []
        for leaf in found:
            if is_number(leaf):
                t = self.enter(aval(leaf))
                cell.leaves.append(t._note.value)  # type: ignore[union-attr]
                inner.append(t)
            else:
                cell.leaves.append(None)
                inner.append(leaf)
        cell.static = [None if is_number(x) else x for x in found]
        cell.present = tree.unflatten(cell.structure, inner)
        items = value if isinstance(value, tuple) else (value,)
        if all(x is None or type(x) is Tensor or type(x) in PYTHON for x in items):
            cell.kind = type(value)
            cell.specs = tuple(map(_spec, items))

    def write(self, place: Place, value: Any) -> None:
        """Note what will be written to a place after a call."""
        if id(place.owner) in self.made:
            assert place.put is not None
            place.put(value)
            return
        if self.outer is not None:
            want = "a body without side effects"
            hint = "return the new value, and assign it after the loop"
            raise GraphError(message(self.name, want, f"one that sets {place.name!r}", hint))
        cell = self.cells.get(place.key)
        if cell is None:
            cell = self.cells[place.key] = Cellular(place)
        cell.present = value
        cell.written = True

    def guard(self, place: Place) -> Any:
        """Return what is in a place, to be found there again at every call."""
        if id(place.owner) in self.made:
            return place.get()
        if self.outer is not None:
            return self.outer.guard(place)
        value = place.get()
        self.guards.setdefault(place.key, (place, snapshot(value)))
        return value


def _spec(x: Any) -> Any:
    return aval(x) if isinstance(x, Tensor) else None if x is None else type(x)


def _fetch(place: Place) -> Any:
    """Return what is in a place, as no capture and no ambient tape sees it."""
    token, tapes = capturing.set(None), silenced.set(sys.maxsize)
    try:
        return place.get()
    finally:
        silenced.reset(tapes)
        capturing.reset(token)


def _same(x: Any) -> Any:
    return np.asarray(x, python_dtype(x)) if not isinstance(x, np.ndarray) else x


_materialise = general(
    "materialise",
    _same,
    infer=lambda x: Aval(x.shape, x.dtype),
    weak=False,
    smooth=True,
    jvp=lambda ans, tangents, args: tangents[0],
    vjps=[lambda ct, ans, x: ct],
    batch=lambda size, batched, args: args[0],
)


# Whether reverse mode stands for an ambient tape at present: what is untaped is then constant.
taping: ContextVar[bool] = ContextVar("lucid_taping", default=False)


def _record_untaped(frame: RecordFrame, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    under = below(frame, args)
    ans = apply(untape, under)
    if taping.get() or not frame.scoped:
        return ans
    value = strip(ans)
    return wrap(value, Recorded(frame, untape, entries(frame, args), (), value))


# Marks what the ambient tape around a compiled function does not follow back: what `no_grad`
# computes in it, and the `.data` of parameters. Other derivatives go through.
untape = general(
    "untape",
    lambda x: x,
    infer=lambda x: x,
    weak=True,
    view=True,
    jvp=lambda ans, tangents, args: tangents[0],
    vjps=[lambda ct, ans, x: ct],
    record=_record_untaped,
    batch=lambda size, batched, args: apply(untape, args),
)


class Trace(NamedTuple):
    """What a capture gave.

    Attributes:
        graph: the operations; its inputs are the arguments, then `outside`, then the cells' leaves.
        outside: watched Tensors that the function closes over.
        cells: the mutable places, in the order of their first use.
        guards: places whose content decided something.
        written: for each written cell its index, structure, and places among the outputs.
    """

    graph: Graph
    outside: tuple[Tensor, ...]
    cells: tuple[Cellular, ...]
    guards: tuple[tuple[Place, Any], ...]
    written: tuple[tuple[int, Any, int, int], ...]


def capture(
    name: str, fun: Callable[..., Sequence[Any]], avals: Sequence[Aval], settle: Callable[..., Any]
) -> Trace:
    """Run `fun` on symbols of these shapes and dtypes, and return what it did.

    Args:
        name: the transformation, for messages.
        fun: a function of Tensors that returns a flat sequence of Tensors.
        avals: one per argument.
        settle: ``settle(frame, name, output)``, an output without the levels above the frame.
    """
    frame = GraphFrame(name)
    token = capturing.set(frame)
    try:
        with spying(), transformation(frame):
            arguments = [frame.enter(a) for a in avals]
            given = list(frame.inputs)
            outs = [frame.value_of(settle(frame, name, y)) for y in fun(*arguments)]
            written: list[tuple[int, Any, int, int]] = []
            cells = list(frame.cells.values())
            for k, cell in enumerate(cells):
                if cell.written:
                    found, structure = tree.flatten(cell.present)
                    start = len(outs)
                    outs += [frame.value_of(_settled(frame, name, y, settle)) for y in found]
                    written.append((k, structure, start, len(outs)))
    finally:
        capturing.reset(token)
    values = [v for c in cells for v in c.leaves if v is not None]
    inputs = [*given, *(v for v, _ in frame.outside), *values]
    graph = Graph(inputs, frame.constants, frame.nodes, outs)
    return Trace(
        graph,
        tuple(t for _, t in frame.outside),
        tuple(cells),
        tuple(frame.guards.values()),
        tuple(written),
    )


def _settled(frame: GraphFrame, name: str, y: Any, settle: Callable[..., Any]) -> Any:
    return settle(frame, name, y) if isinstance(y, Tensor) else y
