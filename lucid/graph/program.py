"""Programs: compiled graphs, the operation that calls one, and what is derived from one.

To the rest of lucid, a call of a program is one operation with several results. Its derivatives
and its batching are programs too, captured by interpreting the graph under the transformation, and
kept with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from lucid.core.cotangent import zeros_like
from lucid.core.define import general
from lucid.core.dispatch import apply, below, record_outputs
from lucid.core.frames import Frame, RecordFrame
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.graph.capture import Trace, capture, taping, untape
from lucid.graph.executors import compile_graph, has_native
from lucid.graph.expand import expand
from lucid.graph.ir import Graph, Node, Operand, Value
from lucid.graph.passes import EXACT, simplify
from lucid.transforms.api import jvp, vjp
from lucid.transforms.batch import vmap
from lucid.transforms.boundary import settle_output
from lucid.transforms.fused import pull_fused

__all__ = ["Program", "call", "programs_in", "reaches", "trace"]


def trace(name: str, fun: Callable[..., Sequence[Any]], avals: Sequence[Aval]) -> Trace:
    """Capture a function of Tensors, and simplify the graph by the exact rules."""
    found = capture(name, fun, avals, settle_output)
    return found._replace(graph=simplify(found.graph))


class Program:
    """A graph, compiled when it is first run, and its derived programs.

    Attributes:
        graph: what it computes.
        executor: "numpy" or "native"; None chooses.
        pulled: whether an ambient tape has gone back through a call: residuals are then kept.
    """

    __slots__ = ("_derived", "_lock", "_run", "executor", "graph", "pulled")

    def __init__(self, graph: Graph, executor: str | None = None) -> None:
        self.graph = graph
        self.executor = executor
        self.pulled = False
        self._run: Callable[[Sequence[Any]], tuple[Any, ...]] | None = None
        self._derived: dict[Any, Any] = {}
        self._lock = threading.RLock()

    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """Compute on arrays and Python numbers."""
        run = self._run
        if run is None:
            run = self.compiled()
        return run(arguments)

    def compiled(self) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """Return the compiled function."""
        with self._lock:
            if self._run is None:
                numpy = self.executor == "numpy" or (self.executor is None and not has_native())
                graph = expand(self.graph, (pull_fused,) if numpy else ())
                graph = simplify(graph, EXACT)
                self._run = compile_graph(graph, self.executor)
            return self._run

    def derive(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return a derived program, made at the first request."""
        found = self._derived.get(key)
        if found is not None:
            return found
        with self._lock:
            if key not in self._derived:
                self._derived[key] = make()
            return self._derived[key]

    def _of(self, fun: Callable[..., Sequence[Any]], avals: Sequence[Aval]) -> Program:
        return Program(trace("jit", fun, avals).graph, self.executor)

    def avals(self) -> list[Aval]:
        """Return shapes and dtypes of the inputs."""
        return [x.aval for x in self.graph.inputs]

    def followed(self, which: tuple[bool, ...], taped: bool = False) -> list[bool]:
        """Return which outputs derivatives with respect to some inputs reach."""
        make = lambda: reaches(self.graph, which, smooth=True, taped=taped)  # noqa: E731
        return self.derive(("followed", which, taped), make)

    def taped(self) -> bool:
        """Return whether some of it is nothing to an ambient tape (`capture.untape`)."""

        def make() -> bool:
            nodes = self.graph.nodes
            return any(
                n.op is untape or any(p.taped() for p in programs_in(n.params)) for n in nodes
            )

        return self.derive("taped", make)

    # -- what is derived -------------------------------------------------------------------------

    def pushed(self, which: tuple[bool, ...]) -> Program:
        """Return the program (inputs, tangents) -> tangents of the outputs."""

        def push(*values: Tensor) -> Sequence[Tensor]:
            n = len(which)
            live = [i for i, w in enumerate(which) if w]
            return jvp(self._partial(values[:n], live), [values[i] for i in live], values[n:])[1]

        def make() -> Program:
            avals = self.avals()
            return self._of(push, [*avals, *(avals[i] for i, w in enumerate(which) if w)])

        return self.derive(("push", which), make)

    def pulled_back(self, which: tuple[bool, ...], taped: bool = False) -> Program:
        """Return the program (inputs, cotangents) -> outputs and cotangents of the inputs.

        `taped` tells that it is for an ambient tape, which does not follow what is untaped.
        """

        def pull(*values: Tensor) -> Sequence[Tensor]:
            n = len(which)
            live = [i for i, w in enumerate(which) if w]
            outs, back = vjp(self._partial(values[:n], live), *(values[i] for i in live))
            return [*outs, *back(tuple(values[n:]))]

        def make() -> Program:
            token = taping.set(taped)
            try:
                return self._of(pull, [*self.avals(), *_smooth(self.graph.avals())])
            finally:
                taping.reset(token)

        # the outputs that carry no derivative are not among those of `vjp`
        return self.derive(("pull", which, taped), make)

    def split(self, which: tuple[bool, ...], taped: bool = False) -> tuple[Program, Program, int]:
        """Return the forward program, with residuals, the backward one, and how many residuals."""

        def make() -> tuple[Program, Program, int]:
            forward, backward, count = split(self.pulled_back(which, taped).graph, len(which))
            return Program(forward, self.executor), Program(backward, self.executor), count

        return self.derive(("split", which, taped), make)

    def batched(self, which: tuple[bool, ...], size: int) -> Program:
        """Return the program with a leading axis on some inputs and all outputs."""

        def run(*values: Tensor) -> Sequence[Tensor]:
            axes = [0 if b else None for b in which]
            return vmap(self.graph.run, in_axes=axes, axis_size=size)(*values)

        def make() -> Program:
            avals = [
                Aval((size, *a.shape), a.dtype) if b else a
                for a, b in zip(self.avals(), which, strict=True)
            ]
            return self._of(run, avals)

        return self.derive(("batch", which, size), make)

    def pull(self, which: tuple[bool, ...], taped: bool = False) -> Program:
        """Return the program (inputs, cotangents) -> cotangents of the inputs."""

        def make() -> Program:
            g = self.pulled_back(which, taped).graph
            outs = g.outputs[len(_smooth(self.graph.avals())) :]
            return Program(simplify(Graph(g.inputs, g.constants, g.nodes, outs)), self.executor)

        return self.derive(("only", which, taped), make)

    def _partial(self, values: Sequence[Tensor], live: Sequence[int]) -> Callable[..., Any]:
        def run(*some: Any) -> Any:
            full = list(values)
            for i, x in zip(live, some, strict=True):
                full[i] = x
            outs = self.graph.run(*full)
            return tuple(y for y in outs if y.dtype.kind in "fc")

        return run


def programs_in(params: Sequence[Any]) -> list[Program]:
    """Return the programs among the parameters of an operation: the bodies of loops."""
    flat = [q for p in params for q in (p if isinstance(p, tuple) else (p,))]
    return [p for p in flat if isinstance(p, Program)]


def _smooth(avals: Sequence[Aval]) -> list[Aval]:
    return [Aval(a.shape, a.dtype) for a in avals if a.dtype.kind in "fc"]


# -- the joint graph, split ------------------------------------------------------------------------

# Cheaper to compute again than to write and read.
_CHEAP = frozenset(
    (
        *("add", "subtract", "multiply", "negative", "maximum", "minimum", "where", "relu"),
        *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "square"),
        *("logical_and", "logical_or", "logical_not", "astype", "reshape", "permute_dims"),
        *("broadcast_to", "keep_positive", "isfinite", "abs", "sign", "clip_lower", "clip_upper"),
        "clip",
        *("real", "imag", "conj", "flip"),
    )
)


def split(joint: Graph, inputs: int) -> tuple[Graph, Graph, int]:
    """Split (inputs, cotangents) -> (outputs, pulled) into two graphs joined by residuals."""
    cts = joint.inputs[inputs:]
    late: set[Value] = set(cts)
    backward: list[Node] = []
    forward: list[Node] = []
    for node in joint.nodes:
        if any(x in late for x in node.values()):
            backward.append(node)
            late.update(node.outputs)
        else:
            forward.append(node)
    count = len(cts)
    outs, pulled = joint.outputs[:count], joint.outputs[count:]
    early = set(joint.inputs[:inputs]) | {y for n in forward for y in n.outputs}
    needed = {x for n in backward for x in n.values() if x in early}
    needed |= {y for y in pulled if isinstance(y, Value) and y in early}
    kept, again = _residuals(needed, set(joint.inputs[:inputs]), set(joint.constants))
    order = [n for n in forward if not again.isdisjoint(n.outputs)]
    residuals = [
        x for x in (*joint.inputs[:inputs], *(y for n in forward for y in n.outputs)) if x in kept
    ]
    first = Graph(joint.inputs[:inputs], joint.constants, forward, (*outs, *residuals))
    second = Graph((*residuals, *cts), joint.constants, (*order, *backward), pulled)
    return simplify(first), simplify(second), len(residuals)


def _residuals(
    needed: set[Value], inputs: set[Value], constants: set[Value]
) -> tuple[set[Value], set[Value]]:
    """Return what is kept for the backward graph, and what it computes again."""
    kept = {x for x in needed if x in inputs}
    again: set[Value] = set()

    def available(x: Operand, depth: int) -> bool:
        if not isinstance(x, Value) or x in kept or x in again or x in constants or x in inputs:
            return True
        node = x.node
        if node is None or depth == 0 or node.op.name not in _CHEAP:
            return False
        return all(available(a, depth - 1) for a in node.operands)

    def repeat(x: Operand) -> None:
        if not isinstance(x, Value) or x in kept or x in again or x in constants:
            return
        if x in inputs:
            kept.add(x)
            return
        assert x.node is not None
        again.update(x.node.outputs)
        for a in x.node.operands:
            repeat(a)

    dear = [x for x in needed if x.node is not None and x.node.op.name not in _CHEAP]
    kept.update(dear)
    for x in needed - kept:
        if available(x, 6):
            repeat(x)
        else:
            kept.add(x)
    return kept, again


# -- what depends on what --------------------------------------------------------------------------


def reaches(
    graph: Graph, which: Sequence[bool], *, smooth: bool = False, taped: bool = False
) -> list[bool]:
    """Return which outputs depend on some inputs.

    Args:
        graph: what computes them.
        which: for each input whether it is meant.
        smooth: as far as derivatives go.
        taped: as far as an ambient tape goes, which does not follow what is untaped.
    """
    live = {x for x, w in zip(graph.inputs, which, strict=True) if w}
    for node in graph.nodes:
        if not any(x in live for x in node.values()):
            continue
        if not smooth:
            live.update(node.outputs)
        elif node.op.smooth and not (taped and node.op is untape):
            live.update(y for y in node.outputs if y.aval.dtype.kind in "fc")
    return [isinstance(y, Value) and y in live for y in graph.outputs]


# -- the operation ---------------------------------------------------------------------------------


def _impl(*values: Any) -> tuple[Any, ...]:
    *arguments, program = values
    return program.run(arguments)


def _record(frame: RecordFrame, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    program: Program = params[0]
    taped = not frame.scoped and program.taped()
    which = _watched(frame, args)
    if not frame.scoped and not program.pulled:
        outs = apply(call, below(frame, args), params)
        recorded = record_outputs(frame, call, args, (program, taped), outs)
    else:
        forward, backward, count = program.split(which, taped)
        results = apply(call, below(frame, args), (forward,))
        n = len(results) - count
        outs = _all_outputs(program, results[:n], below(frame, args))
        kept = tuple(results[n:])
        recorded = record_outputs(frame, _pull, args, (program, backward, kept), outs)
    followed = program.followed(which, taped)
    return tuple(r if f else y for r, y, f in zip(recorded, outs, followed, strict=True))


def _all_outputs(program: Program, smooth: Sequence[Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return all outputs: those without a derivative are not in the joint graph."""
    kinds = [a.dtype.kind for a in program.graph.avals()]
    if all(k in "fc" for k in kinds):
        return tuple(smooth)
    rest = apply(call, args, (program.derive("rest", lambda: _rest(program)),))
    a, b = iter(smooth), iter(rest)
    return tuple(next(a) if k in "fc" else next(b) for k in kinds)


def _rest(program: Program) -> Program:
    g = program.graph
    outs = [y for y, a in zip(g.outputs, g.avals(), strict=True) if a.dtype.kind not in "fc"]
    return Program(simplify(Graph(g.inputs, g.constants, g.nodes, outs)), program.executor)


def _watched(frame: Frame, args: Sequence[Any]) -> tuple[bool, ...]:
    return tuple(
        isinstance(a, Tensor) and a._note is not None and a._note.frame is frame for a in args
    )


def _whole(ct: Sequence[Any], ans: Sequence[Any]) -> list[Any]:
    return [
        zeros_like(a) if c is None else c
        for c, a in zip(ct, ans, strict=True)
        if a.dtype.kind in "fc"
    ]


def _vjp(
    ct: Sequence[Any],
    needs: Sequence[bool],
    ans: Any,
    operands: Any,
    program: Program,
    taped: bool = False,
) -> tuple[Any, ...]:
    program.pulled = True
    whole = _whole(ct, ans)
    pulled = iter(apply(call, (*operands, *whole), (program.pull(tuple(needs), taped),)))
    return tuple(next(pulled) if n else None for n in needs)


def _vjp_split(
    ct: Sequence[Any],
    needs: Sequence[bool],
    ans: Any,
    operands: Any,
    program: Program,
    backward: Program,
    residuals: tuple[Any, ...],
) -> tuple[Any, ...]:
    pulled = iter(apply(call, (*residuals, *_whole(ct, ans)), (backward,)))
    return tuple(next(pulled) if n else None for n in needs)


def _jvp(ans: Any, tangents: Sequence[Any], operands: Any, program: Program, *_: Any) -> Any:
    which = tuple(t is not None for t in tangents)
    live = [t for t in tangents if t is not None]
    pushed = iter(apply(call, (*operands, *live), (program.pushed(which),)))
    found = [next(pushed) if a.dtype.kind in "fc" else None for a in ans]
    return tuple(t if f else None for t, f in zip(found, program.followed(which), strict=True))


def _batch(size: int, batched: Sequence[bool], operands: Any, program: Program) -> Any:
    return apply(call, tuple(operands), (program.batched(tuple(batched), size),))


def _inline(args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    return tuple(params[0].graph.run(*args))


def _infer(*values: Any) -> tuple[Aval, ...]:
    return values[-1].graph.avals()


def _infer_pull(*values: Any) -> tuple[Aval, ...]:
    return values[-3].graph.avals()


call = general(
    "call",
    _impl,
    multi=True,
    inline=_inline,
    infer=_infer,
    jvp=_jvp,
    vjp=_vjp,
    batch=_batch,
    record=_record,
)
_pull = general(
    "call_pull", _impl, multi=True, infer=_infer_pull, inline=_inline, jvp=_jvp, vjp=_vjp_split
)
