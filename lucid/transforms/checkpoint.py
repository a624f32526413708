"""checkpoint: trade time for memory by computing intermediate values again when needed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from lucid import tree
from lucid.core.cells import capturing
from lucid.core.cotangent import zeros_like
from lucid.core.define import general, move_batch_first
from lucid.core.dispatch import apply, below, lift, record_outputs, top
from lucid.core.frames import Frame, RecordFrame
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, strip, wrap
from lucid.graph.capture import capture as capture_graph
from lucid.transforms.api import jvp, vjp
from lucid.transforms.batch import vmap
from lucid.transforms.boundary import settle_output
from lucid.transforms.program import Program, capture

__all__ = ["checkpoint"]

F = TypeVar("F", bound=Callable[..., Any])


def checkpoint(fun: F) -> F:
    """Make reverse mode keep only the inputs of a function and compute the rest again.

    The memory of a chain of n checkpointed blocks is that of the blocks' inputs and of one block's
    intermediate values; the price is one more evaluation.

    Args:
        fun: a function of arrays, or pytrees of them, to the same. What it closes over (module
            parameters, for example) is differentiated as usual. Values only: it is run once, and
            what it did is then replayed.

    Returns:
        The function, computing the same values and derivatives.

    Example:
        >>> import lucid
        >>> block = lucid.checkpoint(lambda x: lucid.sin(lucid.exp(x)))
        >>> bool(lucid.grad(block)(0.0) == lucid.cos(1.0))
        True

    References:
        A. Griewank, A. Walther, Algorithm 799: revolve (2000).
    """

    @functools.wraps(fun)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        found, structure = tree.flatten((args, kwargs))
        where = [i for i, x in enumerate(found) if _is_array(x)]
        # copied, like the operands of a view: the record of what `fun` closes over may keep them
        lifted = lift("checkpoint", [found[i] for i in where], view=True)
        inputs = [x if isinstance(x, Tensor) else wrap(x, None) for x in lifted]
        out_structure: Any = None

        def body(*tensors: Tensor) -> list[Tensor]:
            nonlocal out_structure
            full = list(found)
            for i, t in zip(where, tensors, strict=True):
                full[i] = t
            args_in, kwargs_in = tree.unflatten(structure, full)
            outs, out_structure = tree.flatten(fun(*args_in, **kwargs_in))
            return [o if isinstance(o, Tensor) else wrap(o, None) for o in lift("checkpoint", outs)]

        program, constants, values = capture("checkpoint", body, inputs)
        operands = (*inputs, *constants)
        outs = _attach(program, operands, values)
        return tree.unflatten(out_structure, outs)

    return transformed  # type: ignore[return-value]


def _is_array(x: Any) -> bool:
    return isinstance(x, Tensor | np.ndarray | np.generic | bool | int | float | complex)


def _attach(
    program: Program, operands: tuple[Any, ...], values: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Return the values watched as if `program` had been applied to the operands."""
    frames: list[Frame] = []
    levels: list[tuple[Any, ...]] = []
    args = operands
    while (frame := top(args)) is not None:
        frame.check_open("checkpoint")
        if not isinstance(frame, RecordFrame):
            return apply(_op, operands, (program,))  # under vmap or jvp: compute it there
        frames.append(frame)
        levels.append(args)
        args = below(frame, args)
    outs = values
    for frame, args in zip(reversed(frames), reversed(levels), strict=True):
        if frame.recording:  # type: ignore[attr-defined]
            outs = record_outputs(frame, _op, args, (program,), outs)  # type: ignore[arg-type]
    return outs


def _impl(*values: Any) -> tuple[Any, ...]:
    *arrays, program = values
    return tuple(strip(y) for y in program.run(*(wrap(a, None) for a in arrays)))


def _push(ans: Any, tangents: Sequence[Any], operands: Any, program: Program) -> Any:
    live = [i for i, t in enumerate(tangents) if t is not None]

    def run(*some: Any) -> Any:
        full = list(operands)
        for i, x in zip(live, some, strict=True):
            full[i] = x
        return program.run(*full)

    return jvp(run, [operands[i] for i in live], [tangents[i] for i in live])[1]


def _pull(
    ct: Sequence[Any], needs: Sequence[bool], ans: Any, operands: Any, program: Program
) -> tuple[Any, ...]:
    which = [i for i, n in enumerate(needs) if n]
    if capturing.get() is not None:  # in a graph, what is computed again waits for cotangents
        operands = _held(operands, [c for c in ct if c is not None])

    def run(*some: Any) -> Any:
        full = list(operands)
        for i, x in zip(which, some, strict=True):
            full[i] = x
        return program.run(*full)

    _, pull = vjp(run, *(operands[i] for i in which))
    whole = tuple(zeros_like(a) if c is None else c for c, a in zip(ct, ans, strict=True))
    pulled = dict(zip(which, pull(whole), strict=True))
    return tuple(pulled.get(i) for i in range(len(operands)))


def _batch(size: int, batched: Sequence[bool], operands: Any, program: Program) -> Any:
    axes = [0 if b else None for b in batched]
    return vmap(program.run, in_axes=axes, axis_size=size)(*operands)


def _infer(*values: Any) -> tuple[Aval, ...]:
    *avals, program = values
    return capture_graph("checkpoint", program.run, avals, settle_output).graph.avals()


_op = general(
    "checkpoint",
    _impl,
    multi=True,
    opaque=True,
    infer=_infer,
    inline=lambda args, params: params[0].run(*args),
    jvp=_push,
    vjp=_pull,
    batch=_batch,
)


# -- keeping computations apart --------------------------------------------------------------------


def _held(values: Sequence[Any], until: Sequence[Any]) -> tuple[Any, ...]:
    """Return values that, in a graph, are there when others are, and are computed with anew."""
    tensors = [i for i, x in enumerate(values) if isinstance(x, Tensor)]
    out = list(values)
    held = apply(_barrier, (*(values[i] for i in tensors), *until), (len(tensors),))
    for i, x in zip(tensors, held, strict=True):
        out[i] = x
    return tuple(out)


def _hold(*values: Any) -> tuple[Any, ...]:
    return values[: values[-1]]


def _hold_batch(size: int, batched: Sequence[bool], args: Any, count: int) -> Any:
    first = move_batch_first(size, batched[:count], args[:count])
    return apply(_barrier, (*first, *args[count:]), (count,))


def _hold_push(ans: Any, tangents: Sequence[Any], args: Any, count: int) -> Any:
    return tuple(tangents[:count])


def _hold_pull(ct: Sequence[Any], needs: Any, ans: Any, args: Any, count: int) -> Any:
    return (*ct, *(None for _ in args[count:]))


# The first operands, which no pass merges with what else is computed from the same values.
_barrier = general(
    "barrier",
    _hold,
    multi=True,
    infer=_hold,
    view=True,
    jvp=_hold_push,
    vjp=_hold_pull,
    batch=_hold_batch,
)
