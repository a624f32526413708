"""What the operations of control flow share: their bodies, and how types and dependence are told.

A body is captured once, as a graph whose first inputs are what it closes over: the Tensors that a
transformation around it watches. They become operands of the operation, so that derivatives reach
them. `Program` objects hold the graphs; where nothing else compiles them, NumPy runs them, with the
bits that eager computation gives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lucid import tree
from lucid.core.cells import Place, capturing
from lucid.core.dispatch import PYTHON, apply, lift
from lucid.core.frames import Frame, RecordFrame, silenced
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, aval, wrap
from lucid.errors import DTypeError, GraphError, ShapeError, message
from lucid.graph.capture import taping
from lucid.graph.ir import Graph, Value
from lucid.graph.program import Program, trace

__all__ = [
    "Body",
    "Packed",
    "as_numbers",
    "cast_to",
    "check_structure",
    "check_types",
    "close_over",
    "closure",
    "harden",
    "is_abstract",
    "is_smooth",
    "is_symbolic",
    "is_taped",
    "pack",
    "promote",
    "settle_carry",
    "splice",
    "strong",
    "to_program",
    "trace_body",
    "watched_by",
    "with_residuals",
    "zeros",
]


# -- capturing a body ------------------------------------------------------------------------------


class _Outside:
    """Cells as a body sees them that no `jit` captures: the values of the moment, to be read."""

    def read(self, place: Place) -> Any:
        """Return what is there; a Parameter records it on every tape itself."""
        token, tapes = capturing.set(None), silenced.set(sys.maxsize)
        try:
            return place.get()
        finally:
            silenced.reset(tapes)
            capturing.reset(token)

    guard = read

    def write(self, place: Place, value: Any) -> None:
        """Unreached: the capture of a body refuses to write."""
        raise NotImplementedError

    def own(self, owner: Any) -> None:
        """Unreached: the capture of a body takes note."""
        raise NotImplementedError

    def owns(self, owner: Any) -> bool:
        """Return whether a body has made this object: none that ends here has."""
        return False


class Body(NamedTuple):
    """A captured function.

    Attributes:
        graph: inputs are the given ones, then one for each of `outside`.
        outside: the watched Tensors that it closes over.
        info: what the function returned beside its outputs.
    """

    graph: Graph
    outside: tuple[Tensor, ...]
    info: Any


def trace_body(name: str, fun: Callable[..., tuple[Any, Any]], avals: Sequence[Aval]) -> Body:
    """Capture a function of Tensors that returns a flat list of outputs, and something beside it.

    Outputs that are Python numbers stay weak.
    """
    info: Any = None

    def flat(*tensors: Tensor) -> list[Any]:
        nonlocal info
        found, info = fun(*tensors)
        return [wrap(y, None) if type(y) in PYTHON else y for y in found]

    token = capturing.set(capturing.get() or _Outside())
    try:
        found = trace(name, flat, avals)
    finally:
        capturing.reset(token)
    return Body(found.graph, found.outside, info)


def closure(bodies: Sequence[Body], given: int) -> tuple[list[Tensor], list[Graph]]:
    """Return what any of the bodies closes over, and their graphs with all of that first."""
    places: dict[int, int] = {}
    tensors: list[Tensor] = []
    for body in bodies:
        for t in body.outside:
            if id(t) not in places:
                places[id(t)] = len(tensors)
                tensors.append(t)
    graphs: list[Graph] = []
    for body in bodies:
        inputs = [Value(aval(t)) for t in tensors]
        for t, value in zip(body.outside, body.graph.inputs[given:], strict=True):
            inputs[places[id(t)]] = value
        g = body.graph
        graphs.append(Graph([*inputs, *g.inputs[:given]], g.constants, g.nodes, g.outputs))
    return tensors, graphs


def close_over(body: Body, given: int) -> tuple[list[Tensor], Graph]:
    """Return what one body closes over, and its graph with that first."""
    tensors, (graph,) = closure([body], given)
    return tensors, graph


def to_program(name: str, fun: Callable[..., Sequence[Any]], avals: Sequence[Aval]) -> Program:
    """Capture a function that closes over nothing that is watched."""
    return Program(trace(name, fun, avals).graph, "numpy")


# -- arguments -------------------------------------------------------------------------------------


class Packed(NamedTuple):
    """A pytree of arguments: Tensors and Python numbers, and how to put others in their place."""

    leaves: list[Any]
    structure: Any

    @property
    def avals(self) -> list[Aval]:
        """Shapes and dtypes."""
        return [aval(x) for x in self.leaves]

    def rebuild(self, leaves: Sequence[Any]) -> Any:
        """Return the pytree with other leaves."""
        return tree.unflatten(self.structure, leaves)

    def where(self, whole: Any, k: int) -> str:
        """Return the path to a leaf."""
        return tree.paths(whole)[k]


def pack(name: str, whole: Any) -> Packed:
    """Take a pytree apart; arrays that the caller may write to are copied."""
    found, structure = tree.flatten(whole)
    return Packed(list(lift(name, found, view=True)), structure)


def is_abstract(x: Any) -> bool:
    """Whether there is no one number behind a Tensor: under `vmap` or `jit`."""
    return _behind(x, lambda frame: frame.abstract)


def is_symbolic(x: Any) -> bool:
    """Whether there are no numbers behind a Tensor at all: under `jit`."""
    return _behind(x, lambda frame: frame.abstract and not frame.batched)


def _behind(x: Any, holds: Callable[[Frame], bool]) -> bool:
    while isinstance(x, Tensor):
        if x._note is not None and holds(x._note.frame):
            return True
        x = x._value
    return False


def is_taped(frame: RecordFrame, *programs: Program) -> bool:
    """Whether a derivative is for an ambient tape, which does not follow all of the programs."""
    return (not frame.scoped or taping.get()) and any(p.taped() for p in programs)


def watched_by(frame: Frame, args: Sequence[Any]) -> tuple[bool, ...]:
    """Return which operands a frame watches."""
    return tuple(
        isinstance(a, Tensor) and a._note is not None and a._note.frame is frame for a in args
    )


# -- types -----------------------------------------------------------------------------------------

_KINDS = {"b": True, "i": 1, "u": 1, "f": 1.0, "c": 1j}


def promote(a: Aval, b: Aval) -> np.dtype[Any]:
    """Return the dtype in which two meet; a weak one gives way."""
    x, y = (_KINDS[v.dtype.kind] if v.weak else v.dtype for v in (a, b))
    return np.result_type(x, y)  # type: ignore[arg-type]


def strong(a: Aval) -> Aval:
    """Return the type that a number has as an array."""
    return Aval(a.shape, a.dtype)


def cast_to(x: Any, target: Aval) -> Any:
    """Return a value as an array of the dtype, whose shape it has."""
    have = aval(x)
    if have.dtype == target.dtype and not have.weak:
        return x
    if not isinstance(x, Tensor) or (x._note is None and type(x._value) in PYTHON):
        return wrap(np.asarray(x._value if isinstance(x, Tensor) else x, target.dtype), None)
    return apply(OPS["astype"], (x,), (target.dtype,))


def harden(graph: Graph, targets: Sequence[Aval]) -> Graph:
    """Return the graph with its weak outputs converted to these types."""
    if list(graph.avals()) == list(targets):
        return graph

    def run(*values: Any) -> list[Any]:
        return [cast_to(y, t) for y, t in zip(graph.run(*values), targets, strict=True)]

    return trace("jit", run, [x.aval for x in graph.inputs]).graph


def settle_carry(
    capture: Callable[[Sequence[Aval]], Body], avals: Sequence[Aval]
) -> tuple[Body, list[Aval]]:
    """Capture a body whose first outputs take the place of its first inputs.

    A carry that starts as a Python number takes the dtype that the body makes of it.

    Returns:
        The body, and the types of the carry, of which none is weak.
    """
    now = list(avals)
    while True:
        body = capture(now)
        outs = body.graph.avals()
        weak = [k for k, a in enumerate(now) if a.weak]
        if not weak or len(outs) < len(now):
            return body, now
        chosen = [k for k in weak if not outs[k].weak] or weak
        for k in chosen:
            now[k] = Aval((), promote(now[k], outs[k]))


def check_types(
    name: str,
    what: str,
    paths: Sequence[str],
    expected: Sequence[Aval],
    got: Sequence[Aval],
) -> None:
    """Raise, naming the leaf, unless shapes agree, and dtypes of what is not weak."""
    for path, a, b in zip(paths, expected, got, strict=True):
        if a.shape != b.shape:
            hint = "make the shapes agree, with lucid.broadcast_to for example"
            raise ShapeError(message(name, f"{what}{path} of shape {a.shape}", f"{b.shape}", hint))
        if a.dtype != b.dtype if not b.weak else promote(a, b) != a.dtype:
            hint = "make the dtypes agree with .astype"
            raise DTypeError(message(name, f"{what}{path} of {a.dtype}", str(b.dtype), hint))


def check_structure(name: str, what: str, expected: Any, got: Any) -> None:
    """Raise unless two pytrees have one structure."""
    if expected != got:
        want = f"{what} of the structure {expected}"
        raise GraphError(message(name, want, str(got)))


# -- looking into graphs ---------------------------------------------------------------------------


def splice(first: Sequence[Any], which: Sequence[bool], other: Sequence[Any]) -> list[Any]:
    """Return `first` with the entries in `which` replaced by those of `other`, in order."""
    new = iter(other)
    return [next(new) if w else x for x, w in zip(first, which, strict=True)]


def as_numbers(values: Sequence[Any], inputs: Sequence[Value]) -> list[Any]:
    """Return arrays as Python numbers where a program expects those."""
    return [
        v.item() if x.aval.weak and isinstance(v, np.ndarray) else v
        for v, x in zip(values, inputs, strict=True)
    ]


def zeros(a: Aval) -> Tensor:
    """Return zeros that take no memory."""
    zero = wrap(np.zeros((), a.dtype), None)
    return apply(OPS["broadcast_to"], (zero,), (a.shape,)) if a.shape else zero


def is_smooth(graph: Graph) -> list[bool]:
    """Return which outputs can carry a derivative."""
    return [a.dtype.kind in "fc" for a in graph.avals()]


def with_residuals(graph: Graph, forward: Graph) -> Callable[..., tuple[list[Any], list[Any]]]:
    """Return a function of the inputs that gives all outputs, and the residuals.

    Args:
        graph: a body.
        forward: the first half of its split: the smooth outputs, then the residuals.
    """
    smooth = is_smooth(graph)
    rest = [y for y, s in zip(graph.outputs, smooth, strict=True) if not s]
    other = Graph(graph.inputs, graph.constants, graph.nodes, rest)
    count = sum(smooth)

    def run(*values: Any) -> tuple[list[Any], list[Any]]:
        found = forward.run(*values)
        exact = other.run(*values) if rest else ()
        return splice(
            splice([None] * len(smooth), smooth, found[:count]), [not s for s in smooth], exact
        ), list(found[count:])

    return run
