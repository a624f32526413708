"""The operation of loops that a condition ends: its value, its forward mode and its batching.

The operation ``while``
    operands: ``(*constants, *carry)``.
    params: ``(cond, body, constants, max_steps)``
        cond: a Program ``(*constants, *carry) -> (condition,)``, a 0-d boolean.
        body: a Program ``(*constants, *carry) -> (*carry,)``; the types of the carry are the same
            in and out, and none is weak.
        constants: how many operands are constants.
        max_steps: the most steps to take, or None.
    results: the carry for which the condition does not hold, or after `max_steps` steps.

Where a constant's input is weak, a Python number enters the programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, aval
from lucid.graph.control import (
    as_numbers,
    to_program,
    zeros,
)
from lucid.graph.control_scan_rules import carried, over_rows, pushing, repeat
from lucid.graph.program import Program, reaches

__all__ = ["apart", "apply_while", "batch", "impl", "infer", "push"]


# -- the operation ---------------------------------------------------------------------------------


def apply_while(
    operands: Sequence[Any], cond: Program, body: Program, constants: int, max_steps: int | None
) -> tuple[Any, ...]:
    """Bind the operation."""
    return apply(OPS["while"], tuple(operands), (cond, body, constants, max_steps))


def impl(*values: Any) -> tuple[Any, ...]:
    """Run the loop in Python."""
    *operands, cond, body, constants, max_steps = values
    test, step = cond.compiled(), body.compiled()
    fixed = tuple(as_numbers(operands[:constants], body.graph.inputs[:constants]))
    state = tuple(operands[constants:])
    taken = 0
    while taken != max_steps and test((*fixed, *state))[0]:
        state = step((*fixed, *state))
        taken += 1
    return tuple(state)


def infer(*values: Any) -> tuple[Aval, ...]:
    """Return the types of the results."""
    return values[-3].graph.avals()


def push(ans: Any, tangents: Sequence[Any], operands: Any, *params: Any) -> tuple[Any, ...]:
    """Return the tangents: the rule `jvp`."""
    cond, body, constants, max_steps = params[:4]
    given = tuple(t is not None for t in tangents)
    which, outs = carried(body, given, constants, len(ans), smooth=True)
    key = ("while-push", tuple(which))
    step, layout = body.derive(key, lambda: pushing(body, which, outs, constants, len(ans)))
    test = cond.derive(key, lambda: _on_primals(cond, layout, step))
    full = [
        operands[k] if not is_tangent else zeros(aval(operands[k])) if t is None else t
        for k, is_tangent in layout
        for t in (tangents[k],)
    ]
    found = apply_while(full, test, step, constants + sum(which[:constants]), max_steps)
    pushed = iter(found[len(ans) :])
    return tuple(next(pushed) if w else None for w in which[constants:])


def _on_primals(cond: Program, layout: Sequence[tuple[int, bool]], step: Program) -> Program:
    """Return the condition as a function of primals and tangents."""

    def run(*values: Any) -> Any:
        primals = [v for v, (_, is_tangent) in zip(values, layout, strict=True) if not is_tangent]
        return cond.graph.run(*primals)

    return to_program("while_loop", run, step.avals())


# -- batching --------------------------------------------------------------------------------------


def batch(size: int, batched: Sequence[bool], operands: Any, *params: Any) -> tuple[Any, ...]:
    """Return the results for all rows: the rule `batch`."""
    cond, body, constants, max_steps = params
    count = len(operands) - constants
    which, outs = carried(body, batched, constants, count)
    varies = reaches(cond.graph, which)[0]
    if varies:  # rows end at different times
        which = [*which[:constants], *([True] * count)]
        outs = [True] * count
    full = [
        repeat(x, size) if w and not b else x
        for x, w, b in zip(operands, which, batched, strict=True)
    ]
    key = ("while-batch", tuple(which), size)
    if not varies:
        step, test = body.derive((*key, cond), lambda: _together(cond, body, which, outs, size))
        found = apply_while(full, test, step, constants, max_steps)
    else:
        axes = [0 if w else None for w in which]
        (going,) = over_rows(cond, axes, [True], size)(*full)
        step, test = body.derive((*key, cond), lambda: apart(cond, body, which, constants, size))
        state = (*full[:constants], going, *full[constants:])
        found = apply_while(state, test, step, constants, max_steps)[1:]
    return tuple(y if o else repeat(y, size) for y, o in zip(found, outs, strict=True))


def _together(
    cond: Program, body: Program, which: Sequence[bool], outs: Sequence[bool], size: int
) -> tuple[Program, Program]:
    """Return body and condition for rows that take the same steps."""
    axes = [0 if w else None for w in which]
    avals = _rows_of(body, which, size)
    step = to_program("while_loop", over_rows(body, axes, outs, size), avals)
    test = to_program("while_loop", over_rows(cond, axes, [False], size), avals)
    return step, test


def apart(
    cond: Program, body: Program, which: Sequence[bool], constants: int, size: int
) -> tuple[Program, Program]:
    """Return body and condition for rows that end at different times.

    The first carry tells which rows go on.
    """
    axes = [0 if w else None for w in which]
    outs = [True] * (len(which) - constants)
    step = over_rows(body, axes, outs, size)
    test = over_rows(cond, axes, [True], size)

    def advance(*values: Any) -> list[Any]:
        fixed, going, old = values[:constants], values[constants], values[constants + 1 :]
        new = step(*fixed, *old)
        kept = [_where(going, n, o) for n, o in zip(new, old, strict=True)]
        (more,) = test(*fixed, *kept)
        return [apply(OPS["logical_and"], (going, more)), *kept]

    def go_on(*values: Any) -> list[Any]:
        return [apply(OPS["any"], (values[constants],), ((0,), False))]

    avals = _rows_of(body, which, size)
    avals.insert(constants, Aval((size,), np.dtype(bool)))
    return to_program("while_loop", advance, avals), to_program("while_loop", go_on, avals)


def _rows_of(body: Program, which: Sequence[bool], size: int) -> list[Aval]:
    return [
        Aval((size, *a.shape), a.dtype) if w else a
        for a, w in zip(body.avals(), which, strict=True)
    ]


def _where(mask: Tensor, x: Tensor, y: Tensor) -> Tensor:
    shape = (*mask.shape, *(1,) * (x.ndim - 1))
    return apply(OPS["where"], (apply(OPS["reshape"], (mask,), (shape,)), x, y))
