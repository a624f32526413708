"""Dispatch: from operands as the user gave them to the interpreter of the highest level.

`bind` is the door for the public functions: it lifts what the user passed. `apply` is for code
inside lucid, whose operands are Tensors and Python numbers already. The constructors in
`lucid.core.define` short-cut both for the common cases; whatever they do not recognise ends here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from lucid.core.frames import Frame, Recorded, RecordFrame
from lucid.core.op import Op
from lucid.core.tensor import Tensor, aval, lower, strip, wrap
from lucid.dtypes import check_numeric, python_dtype
from lucid.errors import (
    DTypeError,
    IndexOutOfBoundsError,
    LinAlgError,
    LucidError,
    OperandError,
    OverflowedError,
    ShapeError,
    message,
)

__all__ = [
    "PYTHON",
    "apply",
    "below",
    "bind",
    "bind_operator",
    "explain",
    "lift",
    "read",
    "record_outputs",
    "settle",
    "top",
]

PYTHON = frozenset((bool, int, float, complex))
_ndarray = np.ndarray


def top(args: Sequence[Any]) -> Frame | None:
    """Return the frame of the highest level among the operands, or None."""
    best: Frame | None = None
    for a in args:
        if isinstance(a, Tensor):
            note = a._note
            if note is not None and (best is None or note.frame.level > best.level):
                best = note.frame
    return best


def apply(op: Op, args: tuple[Any, ...], params: tuple[Any, ...] = ()) -> Any:
    """Interpret `op` on Tensors and Python numbers."""
    frame = top(args)
    if frame is None:
        return evaluate(op, args, params)
    if not frame.open:
        frame.check_open(op.name)
    return frame.apply(op, args, params)


def bind(op: Op, args: tuple[Any, ...], params: tuple[Any, ...] = ()) -> Any:
    """Interpret `op` on operands as the user gave them."""
    return apply(op, lift(op.name, args, op.view), params)


def bind_operator(op: Op, args: tuple[Any, ...], params: tuple[Any, ...] = ()) -> Any:
    """As `bind`, for an infix operator: NotImplemented for a foreign operand."""
    for a in args:
        if not isinstance(a, Tensor | np.ndarray | np.generic | bool | int | float | complex):
            return NotImplemented
    return bind(op, args, params)


def evaluate(op: Op, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Compute `op` where no transformation watches."""
    values = [a._value if isinstance(a, Tensor) else a for a in args]
    if not op.weak and op.inline is None and all(type(v) in PYTHON for v in values):
        values = [np.asarray(v, python_dtype(v)) for v in values]
    try:
        result = op.impl(*values, *params)
    except Exception as error:
        raise explain(op, args, error) from error
    if type(result) is _ndarray:
        return wrap(result, None)
    if op.multi:
        return tuple(
            wrap(r if type(r) is _ndarray or type(r) in PYTHON else np.asarray(r), None)
            for r in result
        )
    return settle(op, result, values)


def settle(op: Op, result: Any, values: Sequence[Any]) -> Tensor:
    """Wrap a result that is no array: a 0-d one, or a Python number where all operands are."""
    for v in values:
        if type(v) not in PYTHON:
            return wrap(np.asarray(result), None)
    if op.weak:
        return wrap(result.item() if isinstance(result, np.generic) else result, None)
    result = np.asarray(result)
    kind = result.dtype.kind
    if kind in "fc":
        result = result.astype(python_dtype(1.0 if kind == "f" else 1j))
    return wrap(result, None)


# -- lifting what the user passed ------------------------------------------------------------------


def read(a: Any) -> Tensor:
    """Return what a Tensor stands for: itself, or a cell's present value."""
    return a if type(a) is Tensor else a.read()


def lift(name: str, args: Sequence[Any], view: bool = False) -> tuple[Any, ...]:
    """Return the operands as Tensors and Python numbers.

    A writable NumPy array is copied where the result or a record could outlive or outrun the
    caller's next write to it: under a `view`, or beside a watched Tensor. Arguments that the
    transformation borrowed are exempt.
    """
    out = [_lift_one(name, a) for a in args]
    frame: Frame | None = None
    for i, a in enumerate(args):
        if isinstance(a, np.ndarray):
            frame = frame or top(out)
            if view or (frame is not None and id(a) not in frame.borrowed):
                out[i] = wrap(a.copy(order="K"), None)
    return tuple(out)


def _lift_one(name: str, a: Any) -> Any:
    kind = type(a)
    if kind is Tensor or kind in PYTHON:
        return a
    if isinstance(a, Tensor):
        return read(a)
    if kind is _ndarray:
        check_numeric(name, a.dtype)
        return wrap(a, None)
    if isinstance(a, _ndarray) and not isinstance(a, np.ma.MaskedArray | np.matrix):
        check_numeric(name, a.dtype)
        return wrap(a.view(_ndarray), None)
    if isinstance(a, np.generic):
        value = np.asarray(a)
        check_numeric(name, value.dtype)
        return wrap(value, None)
    if isinstance(a, bool | int | float | complex):  # a subclass: IntEnum and the like
        return next(k(cast("Any", a)) for k in (bool, int, float, complex) if isinstance(a, k))
    hint = "convert it with lucid.asarray"
    raise OperandError(message(name, "Tensors, NumPy arrays or numbers", kind.__name__, hint))


# -- recording -------------------------------------------------------------------------------------


def record(frame: RecordFrame, op: Op, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Interpret `op` for reverse mode: compute it one level below and note how it was made."""
    if op.record is not None and frame.recording:
        return op.record(frame, args, params)
    ans = apply(op, below(frame, args), params)
    if not op.smooth or not frame.recording:
        return ans
    if op.multi:
        return record_outputs(frame, op, args, params, ans)
    if ans.dtype.kind not in "fc":
        return ans
    value = strip(ans)
    return wrap(value, Recorded(frame, op, entries(frame, args), params, value))


def entries(frame: RecordFrame, args: Sequence[Any]) -> tuple[Any, ...]:
    """Return operands as a record of `frame` keeps them."""
    return tuple(
        a._note if isinstance(a, Tensor) and a._note is not None and a._note.frame is frame else a
        for a in args
    )


def below(frame: Frame, args: Sequence[Any]) -> tuple[Any, ...]:
    """Return operands as values of the level below `frame`."""
    return tuple(
        lower(a) if isinstance(a, Tensor) and a._note is not None and a._note.frame is frame else a
        for a in args
    )


def record_outputs(
    frame: RecordFrame,
    op: Op,
    args: tuple[Any, ...],
    params: tuple[Any, ...],
    ans: tuple[Tensor, ...],
) -> tuple[Tensor, ...]:
    """Note how several results were made by one operation; each refers to the record of all."""
    whole = Recorded(frame, op, entries(frame, args), params, ans)
    return tuple(
        wrap(strip(part), Recorded(frame, None, (whole,), (k,), strip(part)))
        if part.dtype.kind in "fc"
        else part
        for k, part in enumerate(ans)
    )


RecordFrame.apply = record  # type: ignore[method-assign]


# -- saying what went wrong ------------------------------------------------------------------------


def describe(args: Sequence[Any]) -> str:
    """Return operands as an error message shows them."""
    return " and ".join(
        repr(a) if not isinstance(a, Tensor) else f"{a.dtype.name} of shape {a.shape}" for a in args
    )


def explain(op: Op, args: Sequence[Any], error: Exception) -> Exception:
    """Turn NumPy's complaint into an error that names the operation and what it was given."""
    if op.opaque or isinstance(error, LucidError | MemoryError | RecursionError):
        return error
    args = [a if isinstance(a, Tensor) or type(a) in PYTHON else wrap(a, None) for a in args]
    shapes = [aval(a).shape for a in args]
    name, got, said = op.name, describe(args), str(error).strip().split("\n")[0]
    if isinstance(error, np.linalg.LinAlgError):
        return LinAlgError(message(name, "a matrix it is defined for", got, said))
    if isinstance(error, IndexError):
        return IndexOutOfBoundsError(message(name, "indices and axes inside the array", got, said))
    if isinstance(error, OverflowError):
        return OverflowedError(message(name, "numbers that fit the dtype", got, said))
    if isinstance(error, TypeError):
        return DTypeError(message(name, "dtypes it is defined for", got, said))
    if isinstance(error, ValueError):
        if "broadcast" in said and len(shapes) > 1:
            hint = "align them with reshape, or insert axes of length 1"
            return ShapeError(message(name, "shapes that broadcast together", got, hint))
        return ShapeError(message(name, "operands whose shapes fit", got, said))
    return type(error)(message(name, "to compute", got, said))
