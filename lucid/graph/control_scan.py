"""Loops over rows: `scan`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lucid import tree
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, aval
from lucid.errors import OperandError, OptionError, ShapeError, message
from lucid.graph.control import (
    Body,
    Packed,
    cast_to,
    check_structure,
    check_types,
    close_over,
    harden,
    pack,
    settle_carry,
    strong,
    trace_body,
)
from lucid.graph.control_scan_unroll import apply_unrolled
from lucid.graph.program import Program
from lucid.transforms.boundary import check_function

__all__ = ["loop", "scan"]


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
        unroll: how many steps are captured as one turn of the loop: a hint, which changes no
            more than the rounding of derivatives. Native code then goes through a large carry once
            for so many steps; where the carry is a few numbers, in registers anyway, it gives
            nothing. The graph grows with it.
        policy: what reverse mode keeps of every turn: None, all that the derivatives read;
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
        >>> power = lambda x: lucid.scan(lambda c, _: (c * x, None), 1.0, length=3)[0]
        >>> lucid.grad(power)(2.0)
        Tensor(12.)
    """
    check_function("scan", f)
    if not isinstance(unroll, int) or isinstance(unroll, bool) or unroll < 1:
        raise OptionError(message("scan", "unroll a positive integer", repr(unroll)))
    if policy not in (None, "recompute"):
        raise OptionError(message("scan", 'policy None or "recompute"', repr(policy)))
    rows = pack("scan", xs)
    steps = _length(rows, xs, length)
    return loop("scan", f, init, rows, steps, (bool(reverse), policy), unroll)


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
    options: tuple[bool, str | None] = (False, None),
    unroll: int = 1,
    weak_rows: bool = False,
) -> tuple[Any, Any]:
    """Capture the body, and bind the operation.

    Args:
        name: what messages call it.
        f: takes the carry and a row, and returns the next carry and an output.
        init: the first carry.
        rows: arrays whose first axis is looped over.
        length: its length.
        options: whether the last row comes first, and what reverse mode keeps.
        unroll: the steps of one turn.
        weak_rows: whether rows are Python numbers to the body; then nothing is unrolled.
    """
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
    results = apply_unrolled(operands, program, len(tensors), count, length, options, unroll)
    return state.rebuild(results[:count]), tree.unflatten(body.info[1], results[count:])
