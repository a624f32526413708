"""What a model is made of: for each layer its outputs, its parameters and what a call costs.

The model itself is not called: a copy that shares its parameters is captured, as `lucid.jit` would
capture it, on shapes alone. So nothing is computed, and nothing about the model changes.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.config import get_default_dtype
from lucid.core.cells import capturing, own
from lucid.core.op import Aval
from lucid.core.parameter import Parameter
from lucid.core.tensor import Tensor, aval, wrap
from lucid.errors import (
    ConcretizationError,
    GraphError,
    OperandError,
    OptionError,
    message,
)
from lucid.graph.capture import capture
from lucid.graph.entries import leaf_aval
from lucid.graph.ir import Graph, Node
from lucid.graph.lowered import Lowered
from lucid.graph.passes import dead_code
from lucid.graph.program import Program
from lucid.nn.layout import Tree, replace
from lucid.nn.lazy import Lazy
from lucid.nn.module import Module
from lucid.nn.summary_table import LayerSummary, Summary
from lucid.ops.random.generator import Generator as RandomGenerator
from lucid.ops.random.generator import default_generator
from lucid.transforms.boundary import settle_output
from lucid.transforms.stop import no_grad

__all__ = ["summary"]


def summary(model: Module, input: Any, *, depth: int | None = None) -> Summary:
    """Tell what a model is made of: outputs, parameters and operations of each layer.

        flops(model) = Σ over layers ℓ of flops(ℓ)

    Each row tells what is the layer's own, so that the columns add up: a parameter that stands in
    several layers counts in the first, and an operation in the innermost layer that computes it.
    Flops and bytes are those of ``lucid.jit(model).lower(input).cost()``, before equal operations
    are merged, and without the update of running statistics. The model is looked at in its present
    mode. It is not changed, nor is any generator: a copy is captured, without the user's hooks. A
    model that needs the numbers behind its input is called on it instead (on zeros, where shapes
    are given), under `no_grad`; its flops are then not known. Lazy layers that were never called
    stay lazy, and are shown as the layers that this input would make of them.

    Args:
        model: the model.
        input: what it is called with: an array, of which only shape and dtype count; a shape, as
            in ``(32, 10)``, which stands for an array of the dtype of the model's parameters;
            ``(shape, dtype)``; or anything else with these two attributes. A tuple of these is
            several arguments. Other pytrees of them are one argument.
        depth: how many layers deep the table goes; what lies deeper is added to the last row above
            it. None goes to the bottom, 0 shows the model alone.

    Returns:
        A `Summary`, with a row for each layer, and totals.

    Raises:
        OperandError: if `model` is no Module.
        OptionError: if `depth` is no natural number.

    Example:
        >>> from lucid import nn
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        >>> found = nn.summary(model, (8, 3))
        >>> found
        layer          output shape  parameters  flops
        ----------------------------------------------
        Sequential     (8, 1)                 -      -
          (0): Linear  (8, 4)                16    224
          (1): ReLU    (8, 4)                 -     32
          (2): Linear  (8, 1)                 5     72
        ----------------------------------------------
        parameters: 21
        memory: 168 B, and 576 B of outputs
        a call: 328 flops, 1.4 KiB read and written
        >>> found.parameters, found["0"].flops
        (21, 224)

    Source: Hunger, "Floating point operations in matrix-vector calculus", TU München (2005), for
    the count of products.
    """
    if not isinstance(model, Module):
        raise OperandError(message("summary", "a Module", f"a {type(model).__name__}"))
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
        raise OptionError(message("summary", "depth a natural number or None", repr(depth)))
    arguments = _arguments(model, input)
    with _generators_kept(model):
        if any(isinstance(m, Lazy) for m in model.modules()):
            model = _copy(model)
            _call(model, arguments)
        record = _Record()
        try:
            costs: dict[str, tuple[int, int]] | None = _captured(model, arguments, record)
        except (ConcretizationError, GraphError):
            costs, record = None, _Record()
            _call(_copy(model, record), arguments)
    rows = [_row(path, layer, record, costs) for path, layer in _layers(model, depth).items()]
    names = ("parameters", "trainable", "buffers", "nbytes", "flops", "traffic")
    sums = {name: _sum(rows, name) for name in names}
    return Summary(layers=tuple(rows), output_bytes=record.innermost(), **sums)


# -- the arguments ---------------------------------------------------------------------------------


def _is_shape(x: Any) -> bool:
    return (
        isinstance(x, tuple)
        and bool(x)
        and all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in x)
    )


def _is_pair(x: Any) -> bool:
    """Whether this is a shape and a dtype."""
    if not (isinstance(x, tuple) and len(x) == 2 and (_is_shape(x[0]) or x[0] == ())):
        return False
    return isinstance(x[1], type | np.dtype | str)


def _is_spec(x: Any) -> bool:
    return _is_shape(x) or _is_pair(x) or (hasattr(x, "shape") and hasattr(x, "dtype"))


def _arguments(model: Module, input: Any) -> tuple[Any, ...]:
    """Return the arguments, with an `Aval` for every array of which only that is given."""
    many = isinstance(input, tuple) and not hasattr(input, "_fields") and not _is_spec(input)
    dtypes = (p.dtype for p in _all_parameters(model))
    dtype = next((d for d in dtypes if d.kind in "fc"), get_default_dtype())

    def spec(x: Any) -> Any:
        if isinstance(x, Tensor | np.ndarray | np.generic) or not _is_spec(x):
            return x
        shape, kind = (x, dtype) if _is_shape(x) else x if _is_pair(x) else (x.shape, x.dtype)
        if any(n < 0 for n in shape):
            raise OptionError(message("summary", "a shape of natural numbers", str(shape)))
        return Aval(tuple(map(int, shape)), np.dtype(kind))

    given = input if many else (input,)
    return _mapped(spec, given, lambda x: x is not given and _is_spec(x))


def _mapped(change: Any, values: Any, is_leaf: Any) -> Any:
    leaves, structure = tree.flatten(values, is_leaf)
    return tree.unflatten(structure, map(change, leaves))


def _all_parameters(model: Module) -> Iterator[Tensor]:
    for module in model.modules():
        if not isinstance(module, Lazy):
            yield from (p for p in module._parameters.values() if p is not None)


def _is_array(x: Any) -> bool:
    return isinstance(x, Aval | Tensor | np.ndarray | np.generic)


# -- looking at the model --------------------------------------------------------------------------


@contextlib.contextmanager
def _generators_kept(model: Module) -> Generator[None]:
    """Put generators back to where they are."""
    found = [x for m in model.modules() for x in m.__dict__.values()]
    kept = {id(g): g for g in found if isinstance(g, RandomGenerator)}
    kept[id(default_generator)] = default_generator
    states = [g.state for g in kept.values()]
    try:
        yield
    finally:
        for g, state in zip(kept.values(), states, strict=True):
            g.state = state


class _Record:
    """What was seen of a call: outputs by path, and which layer each node of the graph is of."""

    def __init__(self) -> None:
        self.outputs: dict[str, list[list[Aval]]] = {}
        self._open: list[str] = []
        self._marks: list[tuple[int, str]] = [(0, "")]
        self._frame: Any = None

    def watch(self, module: Module, path: str) -> None:
        """Note each call of a module, which is a copy."""
        module.register_forward_pre_hook(lambda _, args: self._enter(path))
        module.register_forward_hook(lambda _, args, output: self._leave(path, output))

    def _enter(self, path: str) -> None:
        if not self._open:
            self._frame = capturing.get()
        self._open.append(path)
        self._mark()

    def _leave(self, path: str, output: Any) -> None:
        arrays = [y for y in tree.leaves(output) if isinstance(y, Tensor | np.ndarray)]
        self.outputs.setdefault(path, []).append([leaf_aval(y) for y in arrays])
        self._open.pop()
        self._mark()

    def _mark(self) -> None:
        # in the body of a loop another frame captures; the loop is one node of this one
        if self._frame is not None and capturing.get() is self._frame:
            self._marks.append((len(self._frame.nodes), self._open[-1] if self._open else ""))

    def innermost(self) -> int:
        """Return the size of what the layers return that call no other layer."""
        paths = self.outputs
        inner = [p for p in paths if not any(_is_below(q, p) for q in paths)]
        return sum(_nbytes(a) for p in inner for call in paths[p] for a in call)

    def share(self, nodes: Sequence[Node]) -> dict[str, list[Node]]:
        """Return the nodes of each layer."""
        shares: dict[str, list[Node]] = {}
        ends = [*(start for start, _ in self._marks[1:]), len(nodes)]
        for (start, path), end in zip(self._marks, ends, strict=True):
            shares.setdefault(path, []).extend(nodes[start:end])
        return shares


def _is_below(path: str, other: str) -> bool:
    return path != other and (not other or path.startswith(f"{other}."))


def _copy(root: Module, record: _Record | None = None) -> Module:
    """Return a copy that shares parameters and the values of buffers, without hooks."""
    old = list(root.named_modules())
    new: dict[int, Module] = {id(m): object.__new__(type(m)) for _, m in old}
    for path, module in old:
        copy = new[id(module)]
        own(copy)
        for name, value in module.__dict__.items():
            if name == "_modules":
                value = {n: None if m is None else new[id(m)] for n, m in value.items()}
            elif name == "_buffers" or (name == "_parameters" and type(value) is dict):
                value = dict(value)
            elif name != "_parameters":
                value = replace(value, Tree, lambda found: new.get(id(found), found))
            copy.__dict__[name] = value
        copy.__dict__.pop("_hooks", None)
        if record is not None:
            record.watch(copy, path)
    return new[id(root)]


def _call(model: Module, arguments: tuple[Any, ...]) -> None:
    """Call a copy of a model on its arguments, on zeros where only shapes are known."""

    def some(x: Any) -> Any:
        return wrap(np.zeros(x.shape, x.dtype), None) if isinstance(x, Aval) else x

    with no_grad():
        model(*_mapped(some, arguments, _is_array))


def _captured(
    model: Module, arguments: tuple[Any, ...], record: _Record
) -> dict[str, tuple[int, int]]:
    """Capture a copy of a model; return flops and bytes of each layer's own operations."""
    leaves, structure = tree.flatten(arguments, _is_array)
    where = [k for k, x in enumerate(leaves) if _is_array(x)]

    def body(*tensors: Tensor) -> list[Tensor]:
        full = list(leaves)
        for k, t in zip(where, tensors, strict=True):
            full[k] = t
        found = _copy(model, record)(*tree.unflatten(structure, full))
        return [y for y in tree.leaves(found) if isinstance(y, Tensor)]

    known = [x if isinstance(x, Aval) else leaf_aval(x) for x in (leaves[k] for k in where)]
    graph = capture("summary", body, known, settle_output).graph
    live = set(dead_code(graph).nodes)
    shares = record.share(graph.nodes)
    return {path: _cost([n for n in nodes if n in live]) for path, nodes in shares.items()}


def _cost(nodes: Sequence[Node]) -> tuple[int, int]:
    """Return the flops and bytes of some nodes."""
    made = {y for n in nodes for y in n.outputs}
    free = dict.fromkeys(x for n in nodes for x in n.values() if x not in made)
    cost = Lowered(Program(Graph(list(free), {}, nodes, ()))).cost()
    return sum(cost.flops.values()), sum(cost.bytes.values())


# -- rows ------------------------------------------------------------------------------------------


class _Layer:
    """A row of the table: a module, and those below it that have none."""

    def __init__(self, module: Module) -> None:
        self.kind = type(module).__name__
        self.container = type(module).forward is Module.forward
        self.paths: list[str] = []
        self.parameters: list[tuple[Tensor, bool]] = []  # each with whether it is trained
        self.shared: dict[int, Tensor] = {}
        self.buffers: list[Tensor] = []


def _layers(model: Module, depth: int | None) -> dict[str, _Layer]:
    """Return the layers by path."""
    found: dict[str, _Layer] = {}
    first: dict[int, _Layer] = {}  # where a parameter stands first
    for path, module in model.named_modules():
        home = path if depth is None else ".".join(path.split(".")[:depth])
        layer = found.setdefault(home, _Layer(module))
        layer.paths.append(path)
        layer.buffers += [b for b in module._buffers.values() if b is not None]
        for name, p in () if isinstance(module, Lazy) else module._parameters.items():
            if p is None:
                continue
            if id(p) not in first:
                first[id(p)] = layer
                frozen = not p.requires_grad if isinstance(p, Parameter) else name in module._frozen
                layer.parameters.append((p, not frozen))
            elif first[id(p)] is not layer:
                layer.shared[id(p)] = p
    return found


def _row(
    name: str, layer: _Layer, record: _Record, costs: dict[str, tuple[int, int]] | None
) -> LayerSummary:
    calls = record.outputs.get(name, [])
    found = None if costs is None else [costs.get(path, (0, 0)) for path in layer.paths]
    return LayerSummary(
        name=name,
        kind=layer.kind,
        depth=name.count(".") + 1 if name else 0,
        calls=None if layer.container else len(calls),
        output_shapes=tuple(a.shape for a in calls[0]) if calls else (),
        output_bytes=sum(_nbytes(a) for call in calls for a in call),
        parameters=sum(p.size for p, _ in layer.parameters),
        trainable=sum(p.size for p, trained in layer.parameters if trained),
        shared=sum(p.size for p in layer.shared.values()),
        buffers=sum(b.size for b in layer.buffers),
        nbytes=sum(_nbytes(aval(x)) for x in (*(p for p, _ in layer.parameters), *layer.buffers)),
        flops=None if found is None else sum(flops for flops, _ in found),
        traffic=None if found is None else sum(traffic for _, traffic in found),
    )


def _nbytes(a: Aval) -> int:
    return math.prod(a.shape) * a.dtype.itemsize


def _sum(rows: Sequence[LayerSummary], name: str) -> Any:
    values = [getattr(r, name) for r in rows]
    return None if None in values else sum(values)
