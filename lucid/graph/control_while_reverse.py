"""Reverse mode of loops that end when a condition no longer holds.

It needs to know how many steps there are. Where there are numbers, the loop is run to count them,
and what is differentiated is a scan of that many steps; under `vmap` of as many as the longest row
takes. Where there are none (under `jit`, in the body of another loop) it is a scan of `max_steps`
steps, of which the last do nothing; or, without that bound, the operation ``while_pull``, which
runs the loop anew, keeps every carry, and goes back. Its own derivatives wait for numbers
(`control_late`), and are then those of a scan.

The operation ``while_pull``
    operands: ``(*constants, *carry, *cotangents)``, one of these for each smooth carry.
    params: ``(cond, body, constants, needs, taped)``: as for ``while``; `needs` tells for each of
        constants and carry whether its cotangent is wanted, `taped` whether an ambient tape does.
    results: those cotangents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import zeros_like
from lucid.core.define import general
from lucid.core.dispatch import apply, below, record_outputs
from lucid.core.frames import RecordFrame
from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.graph import control_while_rules as rules
from lucid.graph.capture import taping
from lucid.graph.control import (
    as_numbers,
    cast_to,
    is_smooth,
    is_symbolic,
    is_taped,
    splice,
    strong,
    to_program,
    zeros,
)
from lucid.graph.control_cond import apply_cond
from lucid.graph.control_late import pull_late, push_late
from lucid.graph.control_prune import prune_while
from lucid.graph.control_scan_reverse import apply_scan
from lucid.graph.control_scan_rules import carried, over_rows, repeat
from lucid.graph.control_while_rules import apart, apply_while
from lucid.graph.passes import PRUNE
from lucid.graph.program import Program
from lucid.transforms.api import vjp

__all__ = ["apply_while"]


# -- reverse mode ----------------------------------------------------------------------------------


def _as_scan(operands: Sequence[Any], params: Sequence[Any]) -> tuple[Any, ...]:
    """Do what the loop does by a scan, which reverse mode can go back through."""
    cond, body, constants, max_steps = params
    if any(is_symbolic(x) for x in operands):
        steps, alike = max_steps, False
    else:
        steps, alike = _count(operands, cond, body, constants, max_steps)
    step = body if alike else body.derive(("masked", cond), lambda: _masked(cond, body, constants))
    return apply_scan(operands, step, constants, len(operands) - constants, steps)


def _count(
    operands: Sequence[Any], cond: Program, body: Program, constants: int, max_steps: int | None
) -> tuple[int, bool]:
    """Return how many steps the loop takes, at most, and whether all rows take as many."""

    def count(*values: Any) -> list[Any]:
        fixed, taken, state = values[:constants], values[constants], values[constants + 1 :]
        return [taken + 1, *body.graph.run(*fixed, *state)]

    def test(*values: Any) -> Any:
        return cond.graph.run(*values[:constants], *values[constants + 1 :])

    def make() -> tuple[Program, Program]:
        avals = body.avals()
        avals.insert(constants, Aval((), np.dtype(np.int64)))
        return to_program("while_loop", test, avals), to_program("while_loop", count, avals)

    going, step = body.derive(("counted", cond), make)
    plain = [x.detach() if isinstance(x, Tensor) else x for x in operands]
    start = cast_to(0, Aval((), np.dtype(np.int64)))
    full = [*plain[:constants], start, *plain[constants:]]
    taken: Any = apply_while(full, going, step, constants, max_steps)[0]
    while isinstance(taken, Tensor):
        taken = taken._value
    return int(np.max(taken, initial=0)), taken.ndim == 0


def _masked(cond: Program, body: Program, constants: int) -> Program:
    """Return the body that changes nothing once the condition fails."""
    avals = body.avals()
    same = to_program("while_loop", lambda *values: values[constants:], avals)

    def run(*values: Any) -> Any:
        (going,) = cond.graph.run(*values)
        return apply_cond(going, values, (same, body))

    return to_program("while_loop", run, avals)


def _record(frame: RecordFrame, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    known = params[-1] is not None or not any(is_symbolic(x) for x in args)
    if frame.scoped and known and any(is_smooth(params[1].graph)):
        return _as_scan(args, params)
    outs = apply(_while, below(frame, args), params)
    taped = is_taped(frame, params[1])
    return record_outputs(frame, _while, args, (*params, taped), outs)


def _vjp(
    ct: Sequence[Any], needs: Sequence[bool], ans: Any, operands: Any, *params: Any
) -> tuple[Any, ...]:
    cond, body, constants, max_steps, taped = params
    smooth = is_smooth(body.graph)
    whole = [
        zeros_like(a) if c is None else c for c, a, s in zip(ct, ans, smooth, strict=True) if s
    ]
    wanted = tuple(needs)
    if max_steps is None and any(is_symbolic(x) for x in operands):
        pulled = apply(_pull, (*operands, *whole), (cond, body, constants, wanted, taped))
    else:
        token = taping.set(taped)
        try:
            pulled = _by_scan(whole, wanted, operands, params[:4])
        finally:
            taping.reset(token)
    found = iter(pulled)
    return tuple(next(found) if n else None for n in needs)


def _by_scan(
    cts: Sequence[Any], needs: Sequence[bool], operands: Sequence[Any], params: Sequence[Any]
) -> tuple[Any, ...]:
    smooth = is_smooth(params[1].graph)

    def run(*some: Any) -> list[Any]:
        outs = _as_scan(splice(operands, needs, some), params)
        return [y for y, s in zip(outs, smooth, strict=True) if s]

    _, pull = vjp(run, *(x for x, n in zip(operands, needs, strict=True) if n))
    return pull(list(cts))


_while = general(
    "while",
    rules.impl,
    multi=True,
    infer=rules.infer,
    jvp=rules.push,
    vjp=_vjp,
    batch=rules.batch,
    record=_record,
)
PRUNE["while"] = prune_while


# -- going back without a bound --------------------------------------------------------------------


def _pull_impl(*values: Any) -> tuple[Any, ...]:
    *operands, cond, body, constants, needs, taped = values
    count = len(body.graph.outputs)
    which, back = _back(body, needs, constants, taped)
    test, step, pull = cond.compiled(), body.compiled(), back.compiled()
    fixed = as_numbers(operands[:constants], body.graph.inputs[:constants])
    state: Any = operands[constants : constants + count]
    passed: list[Any] = []
    while test((*fixed, *state))[0]:
        passed.append(state)
        state = step((*fixed, *state))
    avals = body.avals()
    sums = [np.zeros(a.shape, a.dtype) for a, w in zip(avals[:constants], which, strict=False) if w]
    live = which[constants:]
    given = iter(operands[constants + count :])
    cts = [
        c
        for w, s in zip(live, is_smooth(body.graph), strict=True)
        if s
        for c in (next(given),)
        if w
    ]
    for state in reversed(passed):
        pulled = pull((*fixed, *state, *cts))
        sums = [a + b for a, b in zip(sums, pulled[: len(sums)], strict=True)]
        cts = list(pulled[len(sums) :])
    totals = iter((*sums, *cts))
    found = [next(totals) if w else None for w in which]
    return tuple(x for x, n in zip(found, needs, strict=True) if n)


def _back(
    body: Program, needs: Sequence[bool], constants: int, taped: bool
) -> tuple[tuple[bool, ...], Program]:
    """Return the inputs that cotangents reach, and (inputs, their cotangents) -> pulled."""
    which = tuple(carried(body, needs, constants, len(body.graph.outputs), smooth=True)[0])

    def make() -> Program:
        avals = body.avals()
        live = which[constants:]
        outs = body.graph.avals()

        def run(*values: Any) -> list[Any]:
            given = iter(values[len(avals) :])
            cts = [next(given) if w else zeros(a) for a, w in zip(outs, live, strict=True)]
            seeds = [c for c in cts if c.dtype.kind in "fc"]
            pulled = iter(body.pull(which, taped).graph.run(*values[: len(avals)], *seeds))
            return [
                cast_to(next(pulled), strong(a)) for a, w in zip(avals, which, strict=True) if w
            ]

        cts = [a for a, w in zip(outs, live, strict=True) if w]
        return to_program("while_loop", run, [*avals, *cts])

    return which, body.derive(("while-back", which, constants, taped), make)


def _pull_infer(*values: Any) -> tuple[Aval, ...]:
    _, body, _, needs, _ = values[-5:]
    return tuple(strong(a) for a, n in zip(body.avals(), needs, strict=True) if n)


def _pull_batch(size: int, batched: Sequence[bool], operands: Any, *params: Any) -> tuple[Any, ...]:
    cond, body, constants, needs, taped = params
    full = [x if b else repeat(x, size) for x, b in zip(operands, batched, strict=True)]
    count = len(body.graph.outputs)
    which = [True] * len(needs)
    axes = [0] * len(needs)
    (going,) = over_rows(cond, axes, [True], size)(*full[: len(needs)])
    step, test = body.derive(
        ("while-batch", tuple(which), size, cond),
        lambda: apart(cond, body, which, constants, size),
    )
    state = (*full[:constants], going, *full[constants:])
    wanted = (*needs[:constants], False, *needs[constants:])
    return apply(_pull, state, (test, step, constants, wanted, taped)) if count else ()


def _definition(params: Sequence[Any]) -> Callable[..., Any]:
    """Return what the operation computes from numbers, in terms of what differentiates again."""
    cond, body, constants, needs, _ = params

    def run(*values: Any) -> Any:
        operands, cts = values[: len(needs)], values[len(needs) :]
        return _by_scan(cts, needs, operands, (cond, body, constants, None))

    return run


def _pull_push(ans: Any, tangents: Sequence[Any], operands: Any, *params: Any) -> tuple[Any, ...]:
    return push_late(ans, tangents, operands, _definition(params), _pull_infer(*params))


def _pull_pull(
    ct: Sequence[Any], needs: Sequence[bool], ans: Any, operands: Any, *params: Any
) -> tuple[Any, ...]:
    return pull_late(ct, needs, ans, operands, _definition(params), _pull_infer(*params))


_pull = general(
    "while_pull",
    _pull_impl,
    multi=True,
    infer=_pull_infer,
    jvp=_pull_push,
    vjp=_pull_pull,
    batch=_pull_batch,
)
