"""Loops over rows: `scan`, `map`, and the operation.

The operation ``scan``
    operands: ``(*constants, *carry, *rows)``; each of `rows` has `length` as its first axis.
    params: ``(body, constants, carry, length, reverse, unroll, policy)``
        body: a Program ``(*constants, *carry, *row) -> (*carry, *outputs)``; the types of the
            carry are the same in and out, and no output is weak.
        constants, carry: how many operands are of either kind; the rest are rows.
        length: the number of steps.
        reverse: whether steps go from the last row to the first; outputs lie where their rows do.
        unroll: how many steps native code may put into one turn of the loop; a hint.
        policy: None, or "recompute": what reverse mode keeps (see `scan`).
    results: ``(*carry, *outputs)``, each of `outputs` with `length` as its first axis.

Where an input of the body is weak, a Python number enters it: the element of a one-dimensional
operand, or a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, aval
from lucid.errors import OperandError, OptionError, ShapeError, message
from lucid.graph.control import (
    Body,
    Packed,
    as_numbers,
    cast_to,
    check_structure,
    check_types,
    close_over,
    harden,
    is_smooth,
    pack,
    reaches,
    settle_carry,
    splice,
    strong,
    to_program,
    trace_body,
    zeros,
)
from lucid.graph.program import Program
from lucid.transforms.api import jvp
from lucid.transforms.batch import vmap
from lucid.transforms.boundary import check_function

__all__ = ["apply_scan", "batch", "carried", "impl", "infer", "loop", "push", "scan"]


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
    policy: str | None = None,
) -> tuple[Any, Any]:
    """Loop over the rows of arrays, carrying a state along, and stack what each step returns.

        carry, y[k] = f(carry, x[k])   for k = 0, 1, …

    The body is captured once, so that the graph of a long loop is that of one step. Derivatives
    and `vmap` of a scan are scans.

    Args:
        f: takes the carry and one row of `xs`; returns a pair of the next carry and an output.
            What it closes over is differentiated as usual. It may read Parameters, not write any.
        init: the first carry, an array or a pytree of them. A Python number takes the dtype that
            `f` makes of it.
        xs: an array or a pytree of them whose first axes have one length; None for none.
        length: the number of steps; needed where `xs` holds no array.
        reverse: go from the last row to the first. Outputs lie where their rows do.
        unroll: how many steps native code may put into one turn of the loop: a hint, which
            changes no result.
        policy: what reverse mode keeps of every step: None, all that the derivatives read;
            "recompute", the carry alone, at the price of computing every step again.

    Returns:
        The last carry, and the outputs of all steps, stacked along a new first axis.

    Raises:
        ShapeError: if the lengths of `xs` differ, or the carry changes its shape.
        DTypeError: if the carry changes its dtype.
        GraphError: if the carry changes its structure, or `f` writes to a Parameter.
        OperandError: if `f` returns no pair, or nothing tells the number of steps.
        OptionError: if `unroll` is no positive integer, or there is no such `policy`.

    Example:
        >>> import lucid
        >>> step = lambda total, x: (total + x, total)
        >>> lucid.scan(step, 0.0, lucid.asarray([1.0, 2.0, 3.0]))
        (Tensor(6.), Tensor([0., 1., 3.]))
        >>> lucid.grad(lambda a: lucid.scan(lambda c, x: (a * c + x, None), 1.0, [1.0, 1.0])[0])(2.0)
        Tensor(5.)
    """
    check_function("scan", f)
    if not isinstance(unroll, int) or unroll < 1:
        raise OptionError(message("scan", "unroll a positive integer", repr(unroll)))
    if policy not in (None, "recompute"):
        raise OptionError(message("scan", 'policy None or "recompute"', repr(policy)))
    rows = pack("scan", xs)
    steps = _length(rows, xs, length)
    return loop("scan", f, init, rows, steps, (bool(reverse), unroll, policy))


def _length(rows: Packed, xs: Any, length: int | None) -> int:
    if length is not None and (not isinstance(length, int) or length < 0):
        raise OptionError(message("scan", "length a non-negative integer", repr(length)))
    sizes: dict[str, int] = {} if length is None else {"length": length}
    for k, a in enumerate(rows.avals):
        where = f"xs{rows.where(xs, k)}"
        if not a.shape:
            hint = "close over what every step shares"
            raise ShapeError(
                message("scan", f"{where} with an axis to loop over", "a 0-d one", hint)
            )
        sizes[where] = a.shape[0]
    if not sizes:
        hint = "pass xs, or length"
        raise OperandError(message("scan", "a number of steps", "neither xs nor length", hint))
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{v} at {k}" for k, v in sizes.items())
        raise ShapeError(message("scan", "first axes of one length", shown))
    return next(iter(sizes.values()))


def loop(
    name: str,
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    rows: Packed,
    length: int,
    options: tuple[bool, int, str | None],
    weak_rows: bool = False,
) -> tuple[Any, Any]:
    """Capture the body, and bind the operation; `weak_rows` are Python numbers to the body."""
    state = pack(name, init)
    slices = [Aval(a.shape[1:], a.dtype, weak_rows) for a in rows.avals]
    count = len(state.leaves)

    def flat(*tensors: Tensor) -> Any:
        out = f(state.rebuild(tensors[:count]), rows.rebuild(tensors[count:]))
        if not isinstance(out, tuple) or len(out) != 2:
            hint = "return (carry, output), with None for no output"
            got = f"a {type(out).__name__}"
            raise OperandError(message(name, "the body to return a pair", got, hint))
        carry, structure = tree.flatten(out[0])
        outputs, y_structure = tree.flatten(out[1])
        return [*carry, *outputs], (structure, y_structure)

    def capture(avals: Sequence[Aval]) -> Body:
        body = trace_body(name, flat, [*avals, *slices])
        check_structure(name, "a carry", state.structure, body.info[0])
        return body

    body, avals = settle_carry(capture, state.avals)
    outs = body.graph.avals()
    paths = [f"{state.where(init, k)}" for k in range(count)]
    check_types(name, "a carry", paths, avals, outs[:count])
    tensors, graph = close_over(body, count + len(rows.leaves))
    program = Program(harden(graph, [*avals, *(strong(a) for a in outs[count:])]), "numpy")
    carry = [cast_to(x, a) for x, a in zip(state.leaves, avals, strict=True)]
    operands = (*tensors, *carry, *(cast_to(x, strong(aval(x))) for x in rows.leaves))
    results = apply_scan(operands, program, len(tensors), count, length, *options)
    return state.rebuild(results[:count]), tree.unflatten(body.info[1], results[count:])


# -- the operation ---------------------------------------------------------------------------------


def apply_scan(
    operands: Sequence[Any],
    body: Program,
    constants: int,
    carry: int,
    length: int,
    reverse: bool = False,
    unroll: int = 1,
    policy: str | None = None,
) -> tuple[Any, ...]:
    """Bind the operation."""
    return apply(
        OPS["scan"], tuple(operands), (body, constants, carry, length, reverse, unroll, policy)
    )


def impl(*values: Any) -> tuple[Any, ...]:
    """Run the loop in Python."""
    *operands, body, constants, count, length, reverse, _, _ = values
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
    body, _, count, length = values[-7:-3]
    avals = body.graph.avals()
    return (*avals[:count], *(Aval((length, *a.shape), a.dtype) for a in avals[count:]))


def carried(
    body: Program, which: Sequence[bool], constants: int, carry: int, *, smooth: bool = False
) -> tuple[list[bool], list[bool]]:
    """Return which inputs of the body depend on the operands in `which`, and which outputs.

    What one step makes of a carry is what the next begins with.
    """
    now = list(which)
    while True:
        outs = reaches(body.graph, now, smooth=smooth)
        new = list(now)
        for k in range(carry):
            new[constants + k] = now[constants + k] or outs[k]
        if new == now:
            return now, outs
        now = new


def push(ans: Any, tangents: Sequence[Any], operands: Any, *params: Any) -> tuple[Any, ...]:
    body, constants, count, length, reverse, unroll, policy = params[:7]
    given = tuple(t is not None for t in tangents)
    which, outs = carried(body, given, constants, count, smooth=True)
    key = ("scan-push", tuple(which))
    program = body.derive(key, lambda: _pushing(body, which, outs, constants, count))
    live = [
        (zeros(aval(x)) if t is None else t) if w else None
        for t, w, x in zip(tangents, which, operands, strict=True)
    ]
    start = constants + count
    parts = [(0, constants), (constants, start), (start, len(operands))]
    full: list[Any] = []
    sizes: list[int] = []
    for a, b in parts:
        mine = [*operands[a:b], *(t for t in live[a:b] if t is not None)]
        sizes.append(len(mine))
        full += mine
    found = apply_scan(full, program, *sizes[:2], length, reverse, unroll, policy)
    pushed = iter(found[count:])
    carry = [next(pushed) if w else None for w in which[constants:start]]
    smooth = is_smooth(body.graph)
    live_outs = [o and s for o, s in zip(outs, smooth, strict=True)]
    return (*carry, *(next(pushed) if o else None for o in live_outs[count:]))


def _pushing(
    body: Program, which: Sequence[bool], outs: Sequence[bool], constants: int, count: int
) -> Program:
    """Return the body that carries tangents beside their primals."""
    avals = body.avals()
    start = constants + count
    ends = [(0, constants), (constants, start), (start, len(avals))]
    layout: list[tuple[int, bool]] = []  # (input of the body, whether its tangent)
    for a, b in ends:
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
    return to_program("scan", run, inputs)


def batch(size: int, batched: Sequence[bool], operands: Any, *params: Any) -> tuple[Any, ...]:
    body, constants, count, length, *options = params[:7]
    which, outs = carried(body, batched, constants, count)
    start = constants + count
    key = ("scan-batch", tuple(which), size)
    program = body.derive(key, lambda: batched_body(body, which, outs, size))
    full: list[Any] = []
    for k, (x, b) in enumerate(zip(operands, batched, strict=True)):
        if k >= start and b:
            x = _swap(x)
        elif constants <= k < start and which[k] and not b:
            x = _repeat(x, size)
        full.append(x)
    results = apply_scan(full, program, constants, count, length, *options)
    return tuple(
        _repeat(y, size) if not o else y if k < count else _swap(y)
        for k, (y, o) in enumerate(zip(results, outs, strict=True))
    )


def batched_body(body: Program, which: Sequence[bool], outs: Sequence[bool], size: int) -> Program:
    """Return the body with a leading axis on some inputs and outputs."""
    axes = [0 if w else None for w in which]
    avals = [Aval((size, *a.shape), a.dtype) if w else a for a, w in zip(body.avals(), which)]
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


def _repeat(x: Any, size: int) -> Tensor:
    return apply(OPS["broadcast_to"], (x,), ((size, *aval(x).shape),))
