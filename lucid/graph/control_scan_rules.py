"""The operation of loops over rows: what it computes, its forward mode and its batching.

The operation ``scan``
    operands: ``(*constants, *carry, *rows)``; each of `rows` has `length` as its first axis.
    params: ``(body, constants, carry, length, reverse, policy)``
        body: a Program ``(*constants, *carry, *row) -> (*carry, *outputs)``; the types of the
            carry are the same in and out, and no output is weak.
        constants, carry: how many operands are of either kind; the rest are rows.
        length: the number of steps.
        reverse: whether steps go from the last row to the first; outputs lie where their rows do.
        policy: None, or "recompute": what reverse mode keeps (see `scan`).
    results: ``(*carry, *outputs)``, each of `outputs` with `length` as its first axis.

Where an input of the body is weak, a Python number enters it: the element of a one-dimensional
operand, or a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, aval
from lucid.graph.control import (
    as_numbers,
    splice,
    strong,
    to_program,
    zeros,
)
from lucid.graph.program import Program, reaches
from lucid.transforms.api import jvp
from lucid.transforms.batch import vmap

__all__ = [
    "apply_scan",
    "batch",
    "carried",
    "impl",
    "infer",
    "over_rows",
    "push",
    "pushing",
    "repeat",
]


def apply_scan(
    operands: Sequence[Any],
    body: Program,
    constants: int,
    carry: int,
    length: int,
    reverse: bool = False,
    policy: str | None = None,
) -> tuple[Any, ...]:
    """Bind the operation."""
    return apply(OPS["scan"], tuple(operands), (body, constants, carry, length, reverse, policy))


def impl(*values: Any) -> tuple[Any, ...]:
    """Run the loop in Python."""
    *operands, body, constants, count, length, reverse, _ = values
    run = body.compiled()
    inputs = body.graph.inputs
    fixed = tuple(as_numbers(operands[:constants], inputs[:constants]))
    start = constants + count
    state = tuple(operands[constants:start])
    rows = [
        x.tolist() if v.aval.weak else [x[k, ...] for k in range(length)]
        for x, v in zip(operands[start:], inputs[start:], strict=True)
    ]
    avals = body.graph.avals()[count:]
    stacks = [np.empty((length, *a.shape), a.dtype) for a in avals]
    if not avals:
        for k in range(length - 1, -1, -1) if reverse else range(length):
            state = run((*fixed, *state, *[x[k] for x in rows]))
        return tuple(state)
    for k in range(length - 1, -1, -1) if reverse else range(length):
        outs = run((*fixed, *state, *[x[k] for x in rows]))
        state = outs[:count]
        for stack, y in zip(stacks, outs[count:], strict=True):
            stack[k] = y
    return (*state, *stacks)


def infer(*values: Any) -> tuple[Aval, ...]:
    """Return the types of the results."""
    body, _, count, length = values[-6:-2]
    avals = body.graph.avals()
    return (*avals[:count], *(Aval((length, *a.shape), a.dtype) for a in avals[count:]))


def carried(
    body: Program, which: Sequence[bool], constants: int, carry: int, *, smooth: bool = False
) -> tuple[list[bool], list[bool]]:
    """Return which inputs of the body depend on the operands in `which`, and which outputs.

    What one step makes of a carry is what the next begins with: a carry depends on them in and out
    or not at all.
    """
    now = list(which)
    while True:
        outs = reaches(body.graph, now, smooth=smooth)
        new = list(now)
        for k in range(carry):
            new[constants + k] = now[constants + k] or outs[k]
        if new == now:
            return now, [*now[constants : constants + carry], *outs[carry:]]
        now = new


def push(ans: Any, tangents: Sequence[Any], operands: Any, *params: Any) -> tuple[Any, ...]:
    """Return the tangents: the rule `jvp`."""
    body, constants, count, length, reverse, policy = params[:6]
    given = tuple(t is not None for t in tangents)
    which, outs = carried(body, given, constants, count, smooth=True)
    key = ("scan-push", tuple(which))
    make = lambda: pushing(body, which, outs, constants, count)  # noqa: E731
    program, layout = body.derive(key, make)
    full = [
        operands[k] if not is_tangent else zeros(aval(operands[k])) if t is None else t
        for k, is_tangent in layout
        for t in (tangents[k],)
    ]
    start = constants + count
    sizes = constants + sum(which[:constants]), count + sum(which[constants:start])
    found = apply_scan(full, program, *sizes, length, reverse, policy)
    pushed = iter(found[count:])
    live = [*which[constants:start], *outs[count:]]
    return tuple(next(pushed) if w else None for w in live)


def pushing(
    body: Program, which: Sequence[bool], outs: Sequence[bool], constants: int, count: int
) -> tuple[Program, list[tuple[int, bool]]]:
    """Return the body that carries tangents beside their primals, and what its inputs are.

    Inputs are pairs: the input of the body, and whether it is its tangent. Outputs that are no
    carry are tangents alone.
    """
    avals = body.avals()
    start = constants + count
    layout: list[tuple[int, bool]] = []
    for a, b in ((0, constants), (constants, start), (start, len(avals))):
        layout += [(k, False) for k in range(a, b)]
        layout += [(k, True) for k in range(a, b) if which[k]]

    def run(*values: Any) -> list[Any]:
        primals: list[Any] = [None] * len(avals)
        tangents: list[Any] = [None] * len(avals)
        for (k, is_tangent), v in zip(layout, values, strict=True):
            (tangents if is_tangent else primals)[k] = v
        chosen = [k for k, w in enumerate(which) if w]

        def some(*live: Any) -> Any:
            return body.graph.run(*splice(primals, which, live))

        results, pushed = jvp(some, [primals[k] for k in chosen], [tangents[k] for k in chosen])
        carry = [pushed[k] for k in range(count) if which[constants + k]]
        rest = [t for t, o in zip(pushed[count:], outs[count:], strict=True) if o]
        return [*results[:count], *carry, *rest]

    inputs = [strong(avals[k]) if is_tangent else avals[k] for k, is_tangent in layout]
    return to_program("scan", run, inputs), layout


def batch(size: int, batched: Sequence[bool], operands: Any, *params: Any) -> tuple[Any, ...]:
    """Return the results for all rows: the rule `batch`."""
    body, constants, count, length, *options = params[:6]
    which, outs = carried(body, batched, constants, count)
    start = constants + count
    key = ("scan-batch", tuple(which), size)
    program = body.derive(key, lambda: batched_body(body, which, outs, size))
    full: list[Any] = []
    for k, (x, b) in enumerate(zip(operands, batched, strict=True)):
        if k >= start and b:
            x = _swap(x)
        elif constants <= k < start and which[k] and not b:
            x = repeat(x, size)
        full.append(x)
    results = apply_scan(full, program, constants, count, length, *options)
    return tuple(
        repeat(y, size) if not o else y if k < count else _swap(y)
        for k, (y, o) in enumerate(zip(results, outs, strict=True))
    )


def batched_body(body: Program, which: Sequence[bool], outs: Sequence[bool], size: int) -> Program:
    """Return the body with a leading axis on some inputs and outputs."""
    axes = [0 if w else None for w in which]
    avals = [
        Aval((size, *a.shape), a.dtype) if w else a
        for a, w in zip(body.avals(), which, strict=True)
    ]
    return to_program("scan", over_rows(body, axes, outs, size), avals)


def over_rows(
    body: Program, axes: Sequence[int | None], outs: Sequence[bool], size: int
) -> Callable[..., Any]:
    """Return a function that runs the body for all rows; outputs not in `outs` have none."""

    def run(*values: Any) -> Any:
        places = tuple(0 if o else None for o in outs)
        return vmap(body.graph.run, in_axes=list(axes), out_axes=places, axis_size=size)(*values)

    return run


def _swap(x: Tensor) -> Tensor:
    order = (1, 0, *range(2, x.ndim))
    return apply(OPS["permute_dims"], (x,), (order,))


def repeat(x: Any, size: int) -> Tensor:
    """Return a value with a leading axis along which it is repeated."""
    return apply(OPS["broadcast_to"], (x,), ((size, *aval(x).shape),))
