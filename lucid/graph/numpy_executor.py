"""The numpy executor: a flat Python function of implementations, bit-identical to eager.

A buffer is used again where a ufunc's operand is dead, alone in its memory, and laid out as the
result would be: `out=` then changes where the result lies and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lucid.core.dispatch import explain
from lucid.core.tensor import wrap
from lucid.errors import LucidError
from lucid.graph.ir import Graph, Node, Value, number_aval

__all__ = ["compile_numpy", "explained"]

_asarray = np.asarray


def compile_numpy(graph: Graph) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return a function of a sequence of arrays and Python numbers that computes the graph."""
    names: dict[Value, str] = {}
    scope: dict[str, Any] = {"asarray": _asarray, "number": _number}

    def name(x: Any) -> str:
        if not isinstance(x, Value):
            return repr(x) if type(x) in (int, bool) else constant(x)
        return names.setdefault(x, f"v{len(names)}")

    def constant(x: Any) -> str:
        key = f"c{len(scope)}"
        scope[key] = x
        return key

    for value, array in graph.constants.items():
        names[value] = constant(array)
    arguments = ", ".join(name(x) for x in graph.inputs)
    lines = [f"    ({arguments},) = arguments"] if graph.inputs else []
    last = _last_uses(graph)
    reuse = _reusable(graph, last)
    for k, node in enumerate(graph.nodes):
        called = constant(node.op.impl)
        args = [name(x) for x in node.operands] + [constant(p) for p in node.params]
        spare = reuse.get(k)
        if spare is not None:
            args.append(f"out={names[spare]}")
        outs = [name(y) for y in node.outputs]
        call = f"{called}({', '.join(args)})"
        infix = _INFIX.get(node.op.name)
        python = infix is not None and _are_floats(node)
        if infix is not None and python:
            call = infix.join(args)
        lines.append(f"    {', '.join(outs)}{',' * (len(outs) == 1 and node.op.multi)} = {call}")
        for y, text in zip(node.outputs, outs, strict=True):
            if y.aval.weak and not python:
                lines[-1] += f"; {text} = number({text})"
            elif y.aval.shape == () and not y.aval.weak:
                lines[-1] += f"; {text} = asarray({text})"
        dead = [names[x] for x in last.get(k, ()) if x is not spare and x not in graph.constants]
        if dead:
            lines[-1] += f"; {' = '.join(dead)} = None"
    results = "".join(f"{name(y)}, " for y in graph.outputs)
    lines.append(f"    return ({results})")
    source = "def program(arguments):\n" + "\n".join(lines)
    exec(compile(source, "<lucid.jit>", "exec"), scope)
    program = scope["program"]
    where = dict(enumerate(graph.nodes, 3 if graph.inputs else 2))  # by line

    def run(arguments: Sequence[Any]) -> tuple[Any, ...]:
        try:
            with np.errstate(all="ignore"):
                return program(arguments)
        except Exception as error:
            raise explained(error, where) from error

    run.source = source  # type: ignore[attr-defined]
    return run


# Of Python floats, Python computes what NumPy does, in a tenth of the time.
_INFIX = {"add": " + ", "subtract": " - ", "multiply": " * "}


def _are_floats(node: Node) -> bool:
    """Whether an operation takes Python numbers and gives a Python float."""
    (out,) = node.outputs
    numbers = [x.aval if isinstance(x, Value) else number_aval(x) for x in node.operands]
    return (
        out.aval.weak and out.aval.dtype.kind == "f" and all(a.dtype.kind in "fi" for a in numbers)
    )


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, np.generic | np.ndarray) else x


def explained(error: Exception, where: Mapping[int, Node]) -> Exception:
    """Return an error that names the operation of the line that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != "<lucid.jit>":
        trace = trace.tb_next
    node = None if trace is None else where.get(trace.tb_lineno)
    if node is None or isinstance(error, LucidError):
        return error
    shown = [
        wrap(np.broadcast_to(np.zeros((), x.aval.dtype), x.aval.shape), None)
        if isinstance(x, Value)
        else x
        for x in node.operands
    ]
    return explain(node.op, shown, error)


def _last_uses(graph: Graph) -> dict[int, list[Value]]:
    """Return for each node the values that nothing needs after it."""
    needed = {y for y in graph.outputs if isinstance(y, Value)}
    last: dict[int, list[Value]] = {}
    for k in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[k]
        for x in (*node.values(), *node.outputs):
            if x not in needed:
                needed.add(x)
                last.setdefault(k, []).append(x)
    return last


def _reusable(graph: Graph, last: dict[int, list[Value]]) -> dict[int, Value]:
    """Return for each ufunc the operand whose memory can hold its result.

    Such an operand was made here by a ufunc, in C order as all that went into it, has never been
    an operand of what returns views, and has the shape and dtype of the result.
    """
    tame: set[Value] = set()  # fresh memory in C order
    shared: set[Value] = set()
    for node in graph.nodes:
        if node.op.view or not isinstance(node.op.impl, np.ufunc):
            shared.update(node.values())
    reuse: dict[int, Value] = {}
    for k, node in enumerate(graph.nodes):
        impl = node.op.impl
        if not isinstance(impl, np.ufunc) or node.op.multi or node.params:
            if node.op.name in _FRESH:
                tame.update(node.outputs)
            continue
        out = node.outputs[0]
        full = [x for x in node.values() if x.aval.shape == out.aval.shape]
        if out.aval.shape == () or not full or any(x not in tame for x in full):
            continue
        tame.add(out)
        for x in full:
            if x in last.get(k, ()) and x not in shared and x.aval == out.aval:
                reuse[k] = x
                break
    return reuse


# Operations whose results lie in fresh memory in C order, whatever their operands.
_FRESH = frozenset(("matmul", "linear", "random_normal", "random_uniform"))
