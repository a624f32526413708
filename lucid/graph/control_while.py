"""Loops that end when a condition no longer holds: `while_loop`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor, aval
from lucid.errors import (
    GraphError,
    OptionError,
    ShapeError,
    message,
)
from lucid.graph.control import (
    Body,
    cast_to,
    check_structure,
    check_types,
    closure,
    harden,
    pack,
    settle_carry,
    trace_body,
)
from lucid.graph.control_while_reverse import apply_while
from lucid.graph.program import Program
from lucid.transforms.boundary import check_function

__all__ = ["loop_while", "while_loop"]


def while_loop(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init: Any,
    *,
    max_steps: int | None = None,
) -> Any:
    """Apply a function again and again while a condition holds.

        while cond_fun(x): x = body_fun(x)

    Both functions are captured once. Under `vmap` the loop goes on until it has ended for all rows,
    and rows for which it has ended keep their carry.

    Forward mode differentiates every such loop. Reverse mode keeps what it needs of every step. It
    counts the steps first; where it cannot, under `jit` and in the body of another loop, it goes
    through `max_steps` of them, and without that bound goes back in Python, when there are numbers.

    Args:
        cond_fun: takes the carry and returns a boolean scalar, or a number compared with zero.
        body_fun: takes the carry and returns the next one. What the functions close over is
            differentiated as usual. They may read Parameters, not write any.
        init: the first carry, an array or a pytree of them. A Python number takes the dtype that
            `body_fun` makes of it.
        max_steps: the loop ends after so many steps in any case; None, never. The reverse mode of
            a jitted loop then is native code, but takes time and memory for all of them.

    Returns:
        The last carry.

    Raises:
        ShapeError: if the condition is no scalar, or the carry changes its shape.
        DTypeError: if the carry changes its dtype.
        GraphError: if the carry changes its structure, or a function writes to a Parameter.
        OptionError: if `max_steps` is no non-negative integer.

    Example:
        >>> import lucid
        >>> lucid.while_loop(lambda x: x < 100.0, lambda x: x * x, 3.0)
        Tensor(6561.)
        >>> lucid.grad(lambda x: lucid.while_loop(lambda x: x < 100.0, lambda x: x * x, x))(3.0)
        Tensor(17496.)
    """
    check_function("while_loop", cond_fun)
    check_function("while_loop", body_fun)
    if max_steps is not None and (not isinstance(max_steps, int) or max_steps < 0):
        want = "max_steps None or a non-negative integer"
        raise OptionError(message("while_loop", want, repr(max_steps)))
    return loop_while("while_loop", cond_fun, body_fun, init, max_steps)


def loop_while(
    name: str,
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init: Any,
    max_steps: int | None,
) -> Any:
    """Capture the functions, and bind the operation."""
    state = pack(name, init)
    count = len(state.leaves)

    def step(*tensors: Tensor) -> Any:
        return tree.flatten(body_fun(state.rebuild(tensors)))

    def test(*tensors: Tensor) -> Any:
        found, structure = tree.flatten(cond_fun(state.rebuild(tensors)))
        return [_condition(name, found, structure)], None

    def capture(avals: Sequence[Aval]) -> Body:
        body = trace_body(name, step, avals)
        check_structure(name, "a carry", state.structure, body.info)
        return body

    body, avals = settle_carry(capture, state.avals)
    paths = [state.where(init, k) for k in range(count)]
    check_types(name, "a carry", paths, avals, body.graph.avals())
    cond = trace_body(name, test, avals)
    tensors, (first, second) = closure([cond, body], count)
    programs = Program(first, "numpy"), Program(harden(second, avals), "numpy")
    carry = [cast_to(x, a) for x, a in zip(state.leaves, avals, strict=True)]
    return state.rebuild(apply_while((*tensors, *carry), *programs, len(tensors), max_steps))


def _condition(name: str, found: Sequence[Any], structure: Any) -> Any:
    if len(found) != 1:
        raise GraphError(message(name, "one condition", str(structure)))
    a = aval(found[0])
    if a.shape != ():
        hint = "reduce it with .all() or .any()"
        raise ShapeError(message(name, "a scalar condition", f"shape {a.shape}", hint))
    if a.weak and not isinstance(found[0], Tensor):
        return cast_to(bool(found[0]), Aval((), np.dtype(bool)))
    return found[0] if a.dtype.kind == "b" else apply(OPS["not_equal"], (found[0], 0))
