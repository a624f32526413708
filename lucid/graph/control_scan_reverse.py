"""Reverse mode of a scan: the joint graph of its body, split into two scans.

The first runs forward and stacks the residuals of every step; the second runs the other way, with
the cotangents of the carry as its carry, and beside them the sums for the constants. Residuals that
depend on constants alone are computed once; those that are rows of an operand are not stored again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from lucid.core.define import general
from lucid.core.dispatch import apply, below, record_outputs
from lucid.core.frames import RecordFrame
from lucid.core.op import Aval
from lucid.core.tensor import aval
from lucid.graph import control_scan_rules as rules
from lucid.graph.control import (
    cast_to,
    is_smooth,
    is_taped,
    strong,
    to_program,
    watched_by,
    with_residuals,
    zeros,
)
from lucid.graph.control_prune import prune_scan
from lucid.graph.control_scan_rules import apply_scan, carried
from lucid.graph.ir import Graph, Value
from lucid.graph.passes import PRUNE
from lucid.graph.program import Program, call, reaches

__all__ = ["apply_scan", "scan_op"]


class Plan(NamedTuple):
    """How a scan is differentiated in reverse.

    Attributes:
        body: the body of the scan.
        constants, carry: as in its params.
        which: the inputs of the body with respect to which it is differentiated.
        forward: the body with stacked residuals behind its outputs.
        invariant: constants -> the residuals that depend on them alone.
        rows: the operands that are residuals as they are.
        order: for each residual ("invariant" | "row" | "stack", its position there).
        backward: (residuals, cotangents of the smooth outputs) -> pulled.
    """

    body: Program
    constants: int
    carry: int
    which: tuple[bool, ...]
    forward: Program
    invariant: Program
    rows: tuple[int, ...]
    order: tuple[tuple[str, int], ...]
    backward: Graph


def plan_of(
    body: Program, watched: Sequence[bool], params: Sequence[Any], taped: bool = False
) -> Plan:
    """Return how a scan with this body is differentiated."""
    constants, carry, policy = params[1], params[2], params[5]
    which = tuple(carried(body, watched, constants, carry, smooth=True)[0])
    key = ("scan-reverse", which, constants, carry, policy, taped)
    return body.derive(key, lambda: _make(body, which, constants, carry, policy, taped))


def _make(
    body: Program,
    which: tuple[bool, ...],
    constants: int,
    carry: int,
    policy: str | None,
    taped: bool,
) -> Plan:
    if policy is None:
        forward, backward, count = body.split(which, taped)
        first, second = forward.graph, backward.graph
    else:
        first, second, count = _recomputing(body, which, taped)
    start = len(first.outputs) - count
    residuals = first.outputs[start:]
    moving = [k >= constants for k in range(len(first.inputs))]
    varies = reaches(first, moving)[start:]
    begin = constants + carry
    places = {x: k for k, x in enumerate(first.inputs)}
    fixed: list[Any] = []
    rows: list[int] = []
    stacked: list[int] = []
    order: list[tuple[str, int]] = []
    for k, (r, v) in enumerate(zip(residuals, varies, strict=True)):
        if not v:
            order.append(("invariant", len(fixed)))
            fixed.append(r)
        elif isinstance(r, Value) and places.get(r, 0) >= begin:
            order.append(("row", len(rows)))
            rows.append(places[r])
        else:
            order.append(("stack", len(stacked)))
            stacked.append(k)
    compute = with_residuals(body.graph, first)

    def run(*values: Any) -> list[Any]:
        outs, kept = compute(*values)
        return [*outs, *(cast_to(kept[k], strong(aval(kept[k]))) for k in stacked)]

    invariant = Graph(first.inputs[:constants], first.constants, first.nodes, fixed)
    return Plan(
        *(body, constants, carry, which),
        to_program("scan", run, body.avals()),
        _part(invariant),
        tuple(rows),
        tuple(order),
        second,
    )


def _part(graph: Graph) -> Program:
    """Return the program of what only some of the inputs are needed for."""
    needed = {y for y in graph.outputs if isinstance(y, Value)}
    nodes = []
    for node in reversed(graph.nodes):
        if not needed.isdisjoint(node.outputs):
            nodes.append(node)
            needed.update(node.values())
    constants = {v: a for v, a in graph.constants.items() if v in needed}
    return Program(Graph(graph.inputs, constants, nodes[::-1], graph.outputs), "numpy")


def _recomputing(body: Program, which: tuple[bool, ...], taped: bool) -> tuple[Graph, Graph, int]:
    """Return a split whose residuals are the inputs of the body."""
    graph, inputs = body.graph, len(which)
    pull = body.pull(which, taped).graph
    read = {x for node in pull.nodes for x in node.values()}
    read |= {y for y in pull.outputs if isinstance(y, Value)}
    kept = [k for k in range(inputs) if pull.inputs[k] in read]
    smooth = [y for y, s in zip(graph.outputs, is_smooth(graph), strict=True) if s]
    outs = (*smooth, *(graph.inputs[k] for k in kept))
    first = Graph(graph.inputs, graph.constants, graph.nodes, outs)
    again = [*(pull.inputs[k] for k in kept), *pull.inputs[inputs:]]
    return first, Graph(again, pull.constants, pull.nodes, pull.outputs), len(kept)


def _record(frame: RecordFrame, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    body, constants, carry, length, reverse, _ = params
    watched = watched_by(frame, args)
    under = below(frame, args)
    if not any(is_smooth(body.graph)):
        return apply(scan_op, under, params)
    plan = plan_of(body, watched, params, is_taped(frame, body))
    results = apply_scan(under, plan.forward, constants, carry, length, reverse)
    count = len(body.graph.outputs)
    fixed: tuple[Any, ...] = ()
    if plan.invariant.graph.outputs:
        given = plan.invariant.graph.inputs
        fixed = _invariants(plan.invariant, under[: len(given)])
    rows = tuple(under[k] for k in plan.rows)
    kept = (fixed, rows, tuple(results[count:]))
    return record_outputs(frame, _pull, args, (*params, plan, kept), tuple(results[:count]))


def _invariants(program: Program, operands: Sequence[Any]) -> tuple[Any, ...]:
    """Return what depends on constants alone; inputs as they are, numbers included."""
    places = {x: k for k, x in enumerate(program.graph.inputs)}
    found: list[Any] = []
    rest: list[int] = []
    for k, y in enumerate(program.graph.outputs):
        given = isinstance(y, Value) and y in places
        found.append(operands[places[y]] if given else None)  # type: ignore[index]
        if not given:
            rest.append(k)
    if rest:
        g = program.graph
        outs = [g.outputs[k] for k in rest]
        part = program.derive("rest", lambda: _part(Graph(g.inputs, g.constants, g.nodes, outs)))
        for k, y in zip(rest, apply(call, tuple(operands), (part,)), strict=True):
            found[k] = y
    return tuple(found)


def _vjp(
    ct: Sequence[Any], needs: Sequence[bool], ans: Any, operands: Any, *params: Any
) -> tuple[Any, ...]:
    *_, length, reverse, _, plan, kept = params
    fixed, rows, stacks = kept
    constants, carry, which = plan.constants, plan.carry, plan.which
    smooth = is_smooth(plan.body.graph)
    present = tuple(c is not None for c in ct[carry:])
    program = plan.body.derive(("scan-back", plan, present), lambda: _backward(plan, present))
    start = constants + carry
    sums = [zeros(aval(x)) for x, w in zip(operands[:constants], which, strict=False) if w]
    cts = [
        zeros(aval(a)) if c is None else c
        for c, a, w in zip(ct[:carry], ans, which[constants:start], strict=False)
        if w
    ]
    ys = [c for c, s in zip(ct[carry:], smooth[carry:], strict=True) if s and c is not None]
    state = [*cts, *sums]
    full = (*fixed, *state, *rows, *stacks, *ys)
    found = apply_scan(full, program, len(fixed), len(state), length, not reverse)
    of_carry = iter(found[: len(cts)])
    of_constants = iter(found[len(cts) : len(state)])
    of_rows = iter(found[len(state) :])
    pulled = [
        next(of_constants if k < constants else of_carry if k < start else of_rows) if w else None
        for k, w in enumerate(which)
    ]
    return tuple(p if n else None for p, n in zip(pulled, needs, strict=True))


def _backward(plan: Plan, present: tuple[bool, ...]) -> Program:
    """Return the body of the scan that goes back; cotangents that are not `present` are zero."""
    constants, carry, which = plan.constants, plan.carry, plan.which
    outs = plan.body.graph.avals()
    smooth = is_smooth(plan.body.graph)
    start = constants + carry
    live = which[constants:start]
    fixed = [k for k, (kind, _) in enumerate(plan.order) if kind == "invariant"]
    rows = [k for k, (kind, _) in enumerate(plan.order) if kind == "row"]
    stacks = [k for k, (kind, _) in enumerate(plan.order) if kind == "stack"]
    types = [x.aval for x in plan.backward.inputs]
    avals = plan.body.avals()
    sums = [strong(a) for a, w in zip(avals[:constants], which, strict=False) if w]
    cts = [a for a, w in zip(outs, live, strict=False) if w]
    ys = [a for a, p, s in zip(outs[carry:], present, smooth[carry:], strict=True) if p and s]

    def run(*values: Any) -> list[Any]:
        given = iter(values)
        residuals: list[Any] = [None] * len(plan.order)
        for k in fixed:
            residuals[k] = next(given)
        of_carry = [next(given) for _ in cts]
        totals = [next(given) for _ in sums]
        for k in (*rows, *stacks):
            residuals[k] = next(given)
        pending = iter(of_carry)
        whole = [next(pending) if w else zeros(a) for a, w in zip(outs[:carry], live, strict=True)]
        whole += [
            next(given) if p and s else zeros(a)
            for a, p, s in zip(outs[carry:], present, smooth[carry:], strict=True)
        ]
        seeds = [c for c, s in zip(whole, smooth, strict=True) if s]
        found = iter(plan.backward.run(*residuals, *seeds))
        pulled = [
            cast_to(next(found), strong(a)) if w else None
            for a, w in zip(avals, which, strict=True)
        ]
        added = [t + p for t, p in zip(totals, _some(pulled[:constants]), strict=True)]
        return [*_some(pulled[constants:start]), *added, *_some(pulled[start:])]

    inputs = [types[k] for k in fixed], [*cts, *sums], [types[k] for k in (*rows, *stacks)], ys
    return to_program("scan", run, [a for part in inputs for a in part])


def _some(values: Sequence[Any]) -> list[Any]:
    return [v for v in values if v is not None]


def _infer(*values: Any) -> tuple[Aval, ...]:
    return rules.infer(*values[:-2])


scan_op = general(
    "scan",
    rules.impl,
    multi=True,
    infer=rules.infer,
    jvp=rules.push,
    batch=rules.batch,
    record=_record,
)
PRUNE["scan"] = prune_scan
_pull = general("scan_pull", rules.impl, multi=True, infer=_infer, jvp=rules.push, vjp=_vjp)
