"""Scans in blocks: several steps in one turn of the loop, and the steps that are left over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.core.op import Aval
from lucid.core.tensor import Tensor
from lucid.graph.control import to_program
from lucid.graph.control_scan_reverse import apply_scan
from lucid.graph.program import Program
from lucid.ops.join import concat, stack

__all__ = ["apply_unrolled"]


def apply_unrolled(
    operands: Sequence[Any],
    body: Program,
    constants: int,
    carry: int,
    length: int,
    options: tuple[bool, str | None],
    unroll: int,
) -> tuple[Any, ...]:
    """Bind a scan of blocks, and behind it one of the steps that fill no block.

    Args:
        operands: constants, carry and rows, of which none is weak if there are blocks.
        body: one step.
        constants: how many operands are constants.
        carry: how many are the carry.
        length: the number of steps.
        options: whether it is reversed, and its policy.
        unroll: the steps of a block.
    """
    size = min(unroll, length)
    if size < 2:
        return apply_scan(operands, body, constants, carry, length, *options)
    reverse = options[0]
    start = constants + carry
    fixed, rows = operands[:constants], operands[start:]
    count, rest = divmod(length, size)
    cut = rest if reverse else length - rest  # where rows in blocks meet the others
    blocks = [(x[cut:] if reverse else x[:cut]).reshape((count, size, *x.shape[1:])) for x in rows]
    key = ("scan-unroll", constants, carry, size, reverse)
    program = body.derive(key, lambda: _block(body, constants, carry, size, reverse))
    given = (*operands[:start], *blocks)
    found = apply_scan(given, program, constants, carry, count, *options)
    state = found[:carry]
    ys = [y.reshape((count * size, *y.shape[2:])) for y in found[carry:]]
    if rest:
        others = [x[:cut] if reverse else x[cut:] for x in rows]
        given = (*fixed, *state, *others)
        found = apply_scan(given, body, constants, carry, rest, *options)
        state = found[:carry]
        pairs = zip(ys, found[carry:], strict=True)
        ys = [concat([z, y] if reverse else [y, z]) for y, z in pairs]
    return (*state, *ys)


def _block(body: Program, constants: int, carry: int, size: int, reverse: bool) -> Program:
    """Return the body of several steps, whose rows and outputs have them as their first axis."""
    start = constants + carry
    avals = body.avals()

    def run(*values: Tensor) -> list[Any]:
        fixed, state, rows = values[:constants], values[constants:start], values[start:]
        done: list[Any] = []
        for k in reversed(range(size)) if reverse else range(size):
            outs = body.graph.run(*fixed, *state, *(x[k] for x in rows))
            state = tuple(outs[:carry])
            done.append(outs[carry:])
        columns = zip(*(done[::-1] if reverse else done), strict=True)
        return [*state, *(stack(list(column)) for column in columns)]

    given = [Aval((size, *a.shape), a.dtype) for a in avals[start:]]
    return to_program("scan", run, [*avals[:start], *given])
