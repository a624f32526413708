"""The short way through a jitted call: a function written for one entry of its cache.

It knows the structure of the arguments, the cells, and the guards, so that nothing is walked
through. Whatever it does not recognise makes it return MISS, having done nothing; the call then
goes the long way, which also raises the errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import numpy as np

from lucid.config import _default
from lucid.core.cells import capturing, held, unchanged, version
from lucid.core.dispatch import lift
from lucid.core.frames import Cell, Recorded, ambient, leaf, silenced
from lucid.core.op import OPS, Aval
from lucid.core.parameter import Parameter
from lucid.core.tensor import Tensor
from lucid.graph.capture import Cellular
from lucid.graph.entries import Entry, Static, read_cell, shares
from lucid.graph.ir import Graph, Value
from lucid.graph.passes import simplify
from lucid.graph.program import Program, call
from lucid.graph.quick_trees import MISS, Code, build, take
from lucid.ops.random.keys import spend_like

__all__ = ["MISS", "quick"]

_ndarray = np.ndarray
_NUMBERS = {"b": bool, "i": int, "f": float, "c": complex}
_LARGEST = 4000  # inputs and outputs; with more, the long way costs less than what it leads to


def quick(entry: Entry, key: Any, lock: Any) -> Callable[[Any, Any], Any] | None:
    """Return a function of positional and named arguments that calls an entry, or returns MISS.

    Args:
        entry: what is called.
        key: what it is kept under: structure, types, static arguments, default dtype.
        lock: held from reading cells to writing them, where some are written.

    Returns:
        The function; None where there is no short way.
    """
    found = entry.trace
    graph = found.graph
    if found.outside or len(graph.inputs) + len(graph.outputs) > _LARGEST:
        return None
    for cell in found.cells:
        if any(v is not None and v.aval.weak and cell.specs is None for v in cell.leaves):
            return None
    writer = _Writer(entry, key, lock)
    entry.seen, entry.pulled = (writer.seen, writer.seen.pulled) if writer.taped else (None, False)
    try:
        short = writer.write()
    except (RecursionError, MemoryError, SyntaxError):  # containers nested too deeply for Python
        return None
    return short if len(entry.spends) in (0, len(writer.keys)) else None


class _Writer:
    """What is known while the function is written.

    Attributes:
        inputs: the names of arrays and numbers, in the order of the graph's inputs.
        taped: for each input that the ambient tape follows, its position and the gradient's cell.
        apart: whether results may lie in the memory of arguments.
        seen, used: the program that a tape around the call records, and which inputs it has.
        split: that program in two halves, and how many values the first keeps for the second; None
            unless a tape has gone back through it before, or where other things are computed.
    """

    def __init__(self, entry: Entry, key: Any, lock: Any) -> None:
        self.entry, self.key, self.lock = entry, key, lock
        self.graph: Graph = entry.trace.graph
        self.code = Code()
        self.code.scope.update(
            T=Tensor, A=_ndarray, R=Recorded, new=object.__new__, plain=_plain, lift=lift
        )
        self.inputs: list[str] = []
        self.keys: list[str] = []
        self.taped: list[tuple[int, Cell]] = []
        self._find_taped()
        self.seen, self.used = _seen(entry) if self.taped else (entry.program, [])
        self.split = self._find_split()
        program = entry.program if self.split is None else self.split[0]
        run = program.compiled()
        values = [y for y in self.graph.outputs if isinstance(y, Value)]
        given = any(y in self.graph.inputs for y in values)
        self.apart = self.split is None and (given or not getattr(run, "owns_results", False))
        self.run = run if getattr(run, "fallbacks", True) else run._run  # type: ignore[attr-defined]

    def write(self) -> Any:
        """Return the function."""
        code, c = self.code, self.code.constant
        code.miss(
            f"{c(capturing.get)}() is not None or {c(_default.get)}() is not {c(self.key[3])}"
        )
        if self.taped:
            code.add(f"frame = {c(ambient.get)}()")
            code.miss("frame.outer is not None")
            code.add(f"taped = frame.level >= {c(silenced.get)}()")
            code.miss("not taped" if self.split is not None else f"{c(self.seen)}.pulled")
        if self.apart:
            code.add("given = []")
        locked = bool(self.entry.trace.written)
        if locked:
            code.add(f"with {c(self.lock)}:")
            code.indent += "    "
        code.add("try:")
        code.indent += "    "
        self._guards()
        self._arguments()
        self._cells()
        outs = [code.new() for _ in self.graph.outputs]
        kept = [code.new() for _ in range(0 if self.split is None else self.split[2])]
        inputs = self.inputs if self.split is None else [self.inputs[k] for k in self.used]
        code.add(f"results = {c(self.run)}(({''.join(x + ', ' for x in inputs)}))")
        code.indent = code.indent[:-4]
        code.add("except Exception: return MISS")
        if self.apart:
            code.add(f"if given: results = {c(_apart)}(results, given)")
        if outs or kept:
            code.add(f"{', '.join([*outs, *kept])}, = results")
        for name, pattern in zip(self.keys, self.entry.spends, strict=False):
            code.add(f"{c(spend_like)}('jit', {name}, {c(pattern)})")
        shown = self._results(outs[: self.entry.outputs], kept)
        self._writes(outs)
        code.add(f"return {build(code, self.entry.out, iter(shown), bool(self.taped))}")
        return code.function("call(args, kwargs)")

    # -- what goes in ----------------------------------------------------------------------------

    def _guards(self) -> None:
        code, c, guards = self.code, self.code.constant, self.entry.guards
        if guards.stable:
            code.miss(f"{c(guards)}.version != {c(version)}[0] and not {c(guards.kept)}()")
        for place, kept in guards.loose:
            code.add(f"g = {c(place.get)}()")
            items = held(kept)
            if items is None:
                other = f"g is not {c(kept)}"
            else:  # the same objects are in it
                other = f"(len(g) != {len(items)} or not all(map({c(is_)}, g, {c(items)})))"
            code.miss(f"{other} and not {c(unchanged)}({c(kept)}, g)")

    def _arguments(self) -> None:
        code, c = self.code, self.code.constant
        structure, kinds, static, _ = self.key
        positional, named = structure.children()
        fixed = dict(static)
        parts = positional.children()
        names = [code.new() for _ in parts]
        code.miss(f"len(args) != {len(parts)}")
        if parts:
            code.add(f"{', '.join(names)}, = args")
        count = named.num_children + sum(isinstance(k, str) for k in fixed)
        code.miss(f"len(kwargs) != {count}" if count else "kwargs")
        found: list[str] = []
        for k, (name, part) in enumerate(zip(names, parts, strict=True)):
            if k in fixed:
                self._static(name, fixed[k])
            else:
                take(code, part, name, found, self.keys)
        for key, part in zip(named.entries(), named.children(), strict=True):
            name = code.new()
            code.add(f"{name} = kwargs[{c(key)}]")
            take(code, part, name, found, self.keys)
        for key, value in static:
            if isinstance(key, str):
                name = code.new()
                code.add(f"{name} = kwargs[{c(key)}]")
                self._static(name, value)
        for name, kind in zip(found, kinds, strict=True):
            if isinstance(kind, Static):
                self._static(name, kind)
            elif isinstance(kind, Aval):
                self._number(name, _NUMBERS[kind.dtype.kind])
                self.inputs.append(name)
            else:
                self._array(name, *kind)
                self.inputs.append(name)

    def _static(self, name: str, kept: Static) -> None:
        c = self.code.constant
        value = c(kept.value)
        self.code.miss(f"{name} is not {value} and not {c(unchanged)}({value}, {name})")

    def _number(self, name: str, kind: type) -> None:
        """Take a Python number, or a weak Tensor."""
        code = self.code
        code.add(f"if type({name}) is not {kind.__name__}:")
        code.add(f"    if type({name}) is not T or {name}._note is not None: return MISS")
        code.add(f"    {name} = {name}._value")
        code.add(f"    if type({name}) is not {kind.__name__}: return MISS")

    def _array(self, name: str, shape: tuple[int, ...], dtype: Any) -> None:
        """Take a Tensor or a NumPy array as an array."""
        code = self.code
        code.add(f"if type({name}) is T:")
        code.add(f"    if {name}._note is not None: return MISS")
        code.add(f"    {name} = {name}._value")
        code.add(f"    if type({name}) is not A: return MISS")
        code.add("else:")
        code.add(f"    if type({name}) is not A: {name} = plain({name})")
        if self.taped:  # the tape keeps it, and its owner may write to it
            code.add(f"    if taped: {name} = {name}.copy('K')")
        if self.apart:
            code.add(f"    {'else: ' * bool(self.taped)}given.append({name})")
        self._typed(name, shape, dtype)

    def _typed(self, name: str, shape: tuple[int, ...], dtype: Any) -> None:
        c = self.code.constant
        d = c(dtype)  # a dtype that comes from another process is equal only
        same = f"{name}.dtype is not {d} and {name}.dtype != {d}"
        self.code.miss(f"{name}.shape != {c(shape)} or ({same})")

    # -- cells -----------------------------------------------------------------------------------

    def _find_taped(self) -> None:
        cells = self.entry.trace.cells
        at = len(self.graph.inputs) - sum(v is not None for c in cells for v in c.leaves)
        for cell in cells:
            owner = cell.place.owner
            if cell.place.taped and isinstance(owner, Parameter) and owner._requires_grad:
                self.taped.append((at, owner._cell))
            at += sum(v is not None for v in cell.leaves)

    def _which(self) -> tuple[bool, ...]:
        """Return which inputs of the recorded program the tape follows."""
        cells = dict(self.taped)
        return tuple(k in cells for k in self.used)

    def _find_split(self) -> tuple[Program, Program, int] | None:
        smooth = all(a.dtype.kind in "fc" for a in self.graph.avals())
        if not (self.taped and self.seen.pulled and smooth) or self.entry.trace.written:
            return None
        return self.seen.split(self._which(), self.seen.taped())

    def _cells(self) -> None:
        code, c = self.code, self.code.constant
        for cell in self.entry.trace.cells:
            if cell.structure is None:
                continue
            place = cell.place
            name = code.new()
            if isinstance(place.owner, Parameter) and place.name == "data":
                (value,) = cell.leaves
                assert value is not None
                code.add(f"{name} = {c(place.owner)}._value")
                code.miss(f"type({name}) is not A")
                self._typed(name, value.aval.shape, value.aval.dtype)
                self.inputs.append(name)
                continue
            if isinstance(place.owner, Cell):
                code.add(f"{name} = {c(place.owner)}.present")
            else:
                code.add(f"{name} = {c(place.get)}()")
            self._cell(cell, name)

    def _cell(self, cell: Cellular, name: str) -> None:
        """Take apart what a cell holds."""
        code, c = self.code, self.code.constant
        avals = iter([v.aval for v in cell.leaves if v is not None])
        if cell.specs is None:
            numbers = code.new()
            code.add(f"{numbers} = []")
            code.miss(f"not {c(read_cell)}({c(cell)}, {numbers}, {name})")
            names = [code.new() for _ in avals]
            if names:
                code.add(f"{', '.join(names)}, = {c(_values)}({numbers})")
            self.inputs += names
            return
        names = [name]
        if cell.kind is not None and issubclass(cell.kind, tuple):
            code.miss(f"type({name}) is not {c(cell.kind)} or len({name}) != {len(cell.specs)}")
            names = [code.new() for _ in cell.specs]
            if names:
                code.add(f"{', '.join(names)}, = {name}")
        for name, spec in zip(names, cell.specs, strict=True):
            if spec is None:
                code.miss(f"{name} is not None")
                continue
            if isinstance(spec, Aval):
                code.miss(f"type({name}) is not T or {name}._note is not None")
                code.add(f"{name} = {name}._value")
                code.miss(f"type({name}) is not A")
                self._typed(name, spec.shape, spec.dtype)
            else:
                code.miss(f"type({name}) is not {spec.__name__}")
            self.inputs.append(name)

    # -- what comes out --------------------------------------------------------------------------

    def _wrapped(self, y: str) -> str:
        """Return the name of a Tensor of a value."""
        t = self.code.new()
        self.code.add(f"{t} = new(T); {t}._value = {y}; {t}._note = None")
        return t

    def _results(self, outs: Sequence[str], kept: Sequence[str]) -> list[str]:
        """Return the names of the results, which the ambient tape records as the long way does."""
        code, c = self.code, self.code.constant
        shown = [self._wrapped(y) for y in outs]
        cells = dict(self.taped)
        followed = self.seen.followed(self._which(), self.seen.taped()) if cells else []
        recorded = [k for k, f in enumerate(followed) if f]
        if not recorded:
            return shown
        code.add("if taped:")
        code.indent += "    "
        entries = []
        for k in self.used:
            x = self.inputs[k]
            if k in cells:
                code.add(f"{x} = {c(leaf)}(frame, {x}, {c(cells[k])})")
                entries.append(x)
            elif self.graph.inputs[k].aval.weak:
                entries.append(x)
            else:
                entries.append(self._wrapped(x))
        given = "".join(x + ", " for x in entries)
        answers = "".join(t + ", " for t in shown)
        if self.split is None:
            op, params = c(call), c((self.seen, self.seen.taped()))
        else:
            rest = "".join(self._wrapped(x) + ", " for x in kept)
            op, params = c(OPS["call_pull"]), f"({c(self.seen)}, {c(self.split[1])}, ({rest}))"
        code.add(f"whole = R(frame, {op}, ({given}), {params}, ({answers}))")
        for k in recorded:
            inner = self._wrapped(outs[k])
            code.add(f"{shown[k]} = {inner}")
            code.add(f"{inner}._note = R(frame, None, (whole,), ({k},), {outs[k]})")
        code.indent = code.indent[:-4]
        return shown

    def _writes(self, outs: Sequence[str]) -> None:
        code, c = self.code, self.code.constant
        avals = self.graph.avals()
        for k, structure, start, stop in self.entry.trace.written:
            place = self.entry.trace.cells[k].place
            weak = [a.weak for a in avals[start:stop]]
            if isinstance(place.owner, Parameter) and place.name == "data" and weak == [False]:
                code.add(f"{c(place.owner)}._value = {outs[start]}")
                continue
            leaves = [
                y if w else self._wrapped(y) for y, w in zip(outs[start:stop], weak, strict=True)
            ]
            value = build(code, structure, iter(leaves))
            if isinstance(place.owner, Cell):
                code.add(f"{c(place.owner)}.present = {value}")
            else:
                code.add(f"{c(place.put)}({value})")


def _seen(entry: Entry) -> tuple[Program, list[int]]:
    """Return the program of the results alone, and which inputs it has.

    A record of the whole program would keep old and new states alive with each result.
    """
    return entry.program.derive(("seen", entry.outputs), lambda: _make_seen(entry))


def _make_seen(entry: Entry) -> tuple[Program, list[int]]:
    graph = entry.trace.graph
    outs = graph.outputs[: entry.outputs]
    small = simplify(Graph(graph.inputs, graph.constants, graph.nodes, outs))
    needed = {x for n in small.nodes for x in n.values()} | {
        y for y in small.outputs if isinstance(y, Value)
    }
    used = [k for k, x in enumerate(small.inputs) if x in needed]
    inputs = [small.inputs[k] for k in used]
    small = Graph(inputs, small.constants, small.nodes, small.outputs)
    return Program(small, entry.program.executor), used


def _plain(x: Any) -> Any:
    """Return a NumPy scalar, or an array of another class, as an array."""
    if not isinstance(x, np.generic | _ndarray):
        raise TypeError
    return lift("jit", (x,))[0]._value


def _values(numbers: Sequence[Any]) -> list[Any]:
    """Return arrays and Python numbers of what nothing watches."""
    found: list[Any] = []
    for x in numbers:
        if isinstance(x, Tensor):
            if type(x) is not Tensor or x._note is not None:
                raise TypeError
            x = x._value
        found.append(x)
    return found


def _apart(results: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Copy results that share memory with an array that the caller may write to."""
    return [y.copy() if type(y) is _ndarray and shares(y, given) else y for y in results]
