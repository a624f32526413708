"""Branches: `cond`, `switch`, and the operation that both are.

The operation ``cond``
    operands: ``(index, *arguments)``; the index is a 0-d boolean or integer.
    params: ``(branches,)``, a tuple of Programs, all of the same inputs (`arguments`) and of the
        same types of outputs. False is branch 0 and True branch 1.
    results: those of the branch chosen. An integer out of range is an error, never clamped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lucid import tree
from lucid.core.define import general
from lucid.core.dispatch import apply, below, record_outputs
from lucid.core.frames import RecordFrame
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, aval, concrete
from lucid.errors import DTypeError, IndexOutOfBoundsError, OperandError, ShapeError, message
from lucid.graph.capture import is_number
from lucid.graph.control import (
    Body,
    as_numbers,
    cast_to,
    check_structure,
    check_types,
    closure,
    harden,
    is_abstract,
    is_smooth,
    is_taped,
    pack,
    promote,
    to_program,
    trace_body,
    watched_by,
    with_residuals,
    zeros,
)
from lucid.graph.control_prune import prune_cond
from lucid.graph.ir import Graph, Value
from lucid.graph.passes import PRUNE
from lucid.graph.program import Program
from lucid.transforms.batch import vmap
from lucid.transforms.boundary import check_function, take_in

__all__ = ["apply_cond", "cond", "switch"]


def cond(
    pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any
) -> Any:
    """Call one of two functions, as a condition says.

        cond(pred, f, g, *x) = f(*x) if pred else g(*x)

    A condition that is known chooses at once: only that function is called. Under `jit` both are
    captured, and one of them runs at each call. Where `vmap` maps the condition, both are
    computed for all rows, and selected from.

    Args:
        pred: a boolean, or a number that is compared with zero; a scalar.
        true_fun: called where it holds.
        false_fun: called where it does not. Under `jit` and `vmap` it must return what `true_fun`
            returns, in structure, shapes and dtypes; Python numbers adapt.
        operands: their arguments: arrays, numbers, or pytrees of them.

    Returns:
        The result of the function called.

    Raises:
        ShapeError: if `pred` is no scalar, or results differ in shape.
        DTypeError: if results differ in dtype.
        GraphError: if results differ in structure, or a function writes to a Parameter.

    Example:
        >>> import lucid
        >>> lucid.cond(lucid.asarray(True), lucid.sin, lucid.cos, 0.0)
        Tensor(0.)
        >>> safe = lambda x: lucid.cond(x > 0, lucid.log, lambda x: 0.0, x)
        >>> lucid.vmap(safe)(lucid.asarray([1.0, -1.0]))
        Tensor([0., 0.])
    """
    check_function("cond", true_fun)
    check_function("cond", false_fun)
    p = _scalar("cond", "a scalar condition", pred)
    if not is_abstract(p):
        return (true_fun if bool(concrete(p, "cond")) else false_fun)(*operands)
    if p.dtype.kind != "b":
        p = apply(OPS["not_equal"], (p, 0))
    return _choose("cond", p, (false_fun, true_fun), operands)


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Call one of several functions, by its position.

        switch(i, branches, *x) = branches[i](*x)

    As `cond` does, a known index chooses at once; under `jit` all functions are captured, and
    where `vmap` maps the index all are computed.

    Args:
        index: an integer scalar from 0 to the number of functions, exclusively. It is not clamped,
            and does not count from the end.
        branches: the functions. Under `jit` and `vmap` they must agree in what they return.
        operands: their arguments.

    Returns:
        The result of the function called.

    Raises:
        IndexOutOfBoundsError: if there is no such function; under `jit`, at the call.
        OperandError: if `branches` is empty or no sequence of functions.
        DTypeError: if `index` is no integer, or results differ in dtype.
        ShapeError: if `index` is no scalar, or results differ in shape.
        GraphError: if results differ in structure, or a function writes to a Parameter.

    Example:
        >>> import lucid
        >>> lucid.switch(1, [lucid.sin, lucid.cos, lucid.exp], 0.0)
        Tensor(1.)
    """
    if not isinstance(branches, tuple | list) or not branches:
        got = "none" if isinstance(branches, tuple | list) else type(branches).__name__
        raise OperandError(message("switch", "a sequence of functions", got))
    for fun in branches:
        check_function("switch", fun)
    i = _scalar("switch", "a scalar index", index)
    if i.dtype.kind not in "iu":
        raise DTypeError(message("switch", "an integer index", str(i.dtype), "use lucid.cond"))
    if not is_abstract(i):
        return branches[_checked(concrete(i, "switch"), len(branches))](*operands)
    return _choose("switch", i, tuple(branches), operands)


def _scalar(name: str, what: str, x: Any) -> Tensor:
    t = take_in(name, x)
    if t.shape != ():
        hint = "reduce it with .all() or .any(), or map over it with lucid.vmap"
        raise ShapeError(message(name, what, f"shape {t.shape}", hint))
    return t


def _checked(index: Any, count: int) -> int:
    k = int(index)
    if not 0 <= k < count:
        raise IndexOutOfBoundsError(message("switch", f"an index from 0 to {count - 1}", str(k)))
    return k


def _choose(
    name: str, index: Tensor, functions: Sequence[Callable[..., Any]], operands: Any
) -> Any:
    """Capture the functions, and bind the operation."""
    found, structure = tree.flatten(operands)
    where = [i for i, x in enumerate(found) if is_number(x)]
    packed = pack(name, [found[i] for i in where])

    def captured(fun: Callable[..., Any]) -> Body:
        def flat(*tensors: Tensor) -> Any:
            full = list(found)
            for i, t in zip(where, tensors, strict=True):
                full[i] = t
            return tree.flatten(fun(*tree.unflatten(structure, full)))

        return trace_body(name, flat, packed.avals)

    bodies = [captured(f) for f in functions]
    out = bodies[-1].info
    for body in bodies:
        check_structure(name, "results", out, body.info)
    tensors, graphs = closure(bodies, len(where))
    targets = _agree(name, graphs, out)
    branches = tuple(Program(harden(g, targets), "numpy") for g in graphs)
    return tree.unflatten(out, apply_cond(index, (*tensors, *packed.leaves), branches))


def _agree(name: str, graphs: Sequence[Graph], out: Any) -> list[Aval]:
    """Return the types of the results, to which weak ones are converted."""
    columns = list(zip(*(g.avals() for g in graphs), strict=True))
    targets: list[Aval] = []
    for column in columns:
        best = next((a for a in column if not a.weak), column[0])
        dtype = best.dtype
        if all(a.weak for a in column):
            for a in column:
                dtype = promote(Aval((), dtype, weak=True), a)
        targets.append(Aval(best.shape, dtype))
    paths = tree.paths(tree.unflatten(out, range(len(columns)))) if columns else []
    for g in graphs:
        check_types(name, "a result", paths, targets, g.avals())
    return targets


# -- the operation ---------------------------------------------------------------------------------


def apply_cond(index: Any, arguments: Sequence[Any], branches: tuple[Program, ...]) -> Any:
    """Bind the operation."""
    return apply(_cond, (index, *arguments), (branches,))


def _impl(index: Any, *rest: Any) -> tuple[Any, ...]:
    *arguments, branches = rest
    program = branches[_checked(index, len(branches))]
    return program.run(as_numbers(arguments, program.graph.inputs))


def _infer(*values: Any) -> tuple[Aval, ...]:
    return values[-1][0].graph.avals()


def _jvp(ans: Any, tangents: Sequence[Any], operands: Any, branches: tuple[Program, ...]) -> Any:
    which = tuple(t is not None for t in tangents[1:])
    live = [t for t in tangents[1:] if t is not None]
    pushed = tuple(b.pushed(which) for b in branches)
    found = iter(apply_cond(operands[0], (*operands[1:], *live), pushed))
    return tuple(next(found) if s else None for s in is_smooth(branches[0].graph))


class _Plan(NamedTuple):
    """How a choice is differentiated in reverse.

    Attributes:
        forward: the branches, which also fill the slots for their residuals.
        backward: (arguments, slots, cotangents of the smooth results) -> pulled.
    """

    forward: tuple[Program, ...]
    backward: tuple[Program, ...]


def _plan(branches: tuple[Program, ...], which: tuple[bool, ...], taped: bool) -> _Plan:
    """Let branches share slots for residuals; what is an argument anyway needs none."""
    splits = [b.split(which, taped) for b in branches]
    slots: list[Aval] = []
    places: list[list[tuple[bool, int]]] = []  # (is an argument, its position) per residual
    for forward, _, count in splits:
        graph = forward.graph
        start = len(graph.outputs) - count
        free = list(enumerate(slots))
        mine: list[tuple[bool, int]] = []
        for y, a in zip(graph.outputs[start:], graph.avals()[start:], strict=True):
            if isinstance(y, Value) and y in graph.inputs:
                mine.append((True, graph.inputs.index(y)))
                continue
            want = Aval(a.shape, a.dtype)
            found = next((s for s in free if s[1] == want), None)
            if found is None:
                found = (len(slots), want)
                slots.append(want)
            else:
                free.remove(found)
            mine.append((False, found[0]))
        places.append(mine)
    avals = branches[0].avals()
    cts = [a for a in branches[0].graph.avals() if a.dtype.kind in "fc"]
    forwards = tuple(
        to_program("cond", _filling(b, s[0], p, slots), avals)
        for b, s, p in zip(branches, splits, places, strict=True)
    )
    backwards = tuple(
        to_program("cond", _pulling(s[1], p, len(avals), len(slots)), [*avals, *slots, *cts])
        for s, p in zip(splits, places, strict=True)
    )
    return _Plan(forwards, backwards)


def _filling(
    branch: Program, forward: Program, places: Sequence[tuple[bool, int]], slots: Sequence[Aval]
) -> Callable[..., Any]:
    compute = with_residuals(branch.graph, forward.graph)

    def run(*values: Any) -> list[Any]:
        outs, kept = compute(*values)
        filled: list[Any] = [None] * len(slots)
        for (is_argument, k), r in zip(places, kept, strict=True):
            if not is_argument:
                filled[k] = cast_to(r, slots[k])
        rest = [zeros(a) if f is None else f for f, a in zip(filled, slots, strict=True)]
        return [*outs, *rest]

    return run


def _pulling(
    backward: Program, places: Sequence[tuple[bool, int]], arguments: int, slots: int
) -> Callable[..., Any]:
    def run(*values: Any) -> Any:
        kept = [values[k] if is_argument else values[arguments + k] for is_argument, k in places]
        return backward.graph.run(*kept, *values[arguments + slots :])

    return run


def _record(frame: RecordFrame, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    (branches,) = params
    which = watched_by(frame, args[1:])
    under = below(frame, args)
    if not any(is_smooth(branches[0].graph)):
        return apply(_cond, under, params)
    taped = is_taped(frame, *branches)
    key = ("cond", branches[1:], which, taped)
    plan = branches[0].derive(key, lambda: _plan(branches, which, taped))
    results = apply(_cond, under, (plan.forward,))
    count = len(branches[0].graph.outputs)
    outs, kept = tuple(results[:count]), tuple(results[count:])
    return record_outputs(frame, _pull, args, (branches, plan, kept), outs)


def _vjp(
    ct: Sequence[Any],
    needs: Sequence[bool],
    ans: Any,
    operands: Any,
    branches: tuple[Program, ...],
    plan: _Plan,
    kept: tuple[Any, ...],
) -> tuple[Any, ...]:
    whole = [
        zeros(aval(a)) if c is None else c
        for c, a, s in zip(ct, ans, is_smooth(branches[0].graph), strict=True)
        if s
    ]
    pulled = iter(apply_cond(operands[0], (*operands[1:], *kept, *whole), plan.backward))
    return tuple(next(pulled) if n else None for n in needs)


def _batch(
    size: int, batched: Sequence[bool], operands: Any, branches: tuple[Program, ...]
) -> tuple[Any, ...]:
    index, *arguments = operands
    which = tuple(batched[1:])
    if not batched[0]:
        return apply_cond(index, arguments, tuple(b.batched(which, size) for b in branches))
    if len(branches) > 2 or index.dtype.kind != "b":
        index = apply(_in_range, (index,), (len(branches),))
    axes = [0 if b else None for b in which]
    # one by one and not as a call, so that a masked cotangent stays masked within the branches
    with np.errstate(all="ignore"):  # every branch meets rows that it is not meant for
        rows = [vmap(b.graph.run, in_axes=axes, axis_size=size)(*arguments) for b in branches]
    return tuple(_select(index, column) for column in zip(*rows, strict=True))


def _select(index: Tensor, column: Sequence[Any]) -> Any:
    shape = (*index.shape, *(1,) * (column[0].ndim - 1))
    index = apply(OPS["reshape"], (index,), (shape,))
    best = column[0]
    for k in range(1, len(column)):
        mask = index if index.dtype.kind == "b" else apply(OPS["equal"], (index, k))
        best = apply(OPS["where"], (mask, column[k], best))
    return best


def _unchanged(index: Any, count: int) -> Any:
    if index.size and not (int(index.min()) >= 0 and int(index.max()) < count):
        got = f"{int(index.min())} to {int(index.max())}"
        raise IndexOutOfBoundsError(message("switch", f"an index from 0 to {count - 1}", got))
    return np.positive(index)


_in_range = general(
    "index_in_range",
    _unchanged,
    infer=lambda x, count: Aval(x.shape, x.dtype),
    smooth=False,
    batch=lambda size, batched, args, count: apply(_in_range, tuple(args), (count,)),
)
_cond = general("cond", _impl, multi=True, infer=_infer, jvp=_jvp, batch=_batch, record=_record)
PRUNE["cond"] = prune_cond
_pull = general(
    "cond_pull",
    _impl,
    multi=True,
    infer=lambda *values: values[-3][0].graph.avals(),
    jvp=lambda ans, tangents, operands, branches, *_: _jvp(ans, tangents, operands, branches),
    vjp=_vjp,
)
