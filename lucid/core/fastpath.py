"""The calls that public functions are made of: the common cases first, `bind` for the rest.

Here every attribute look-up counts. A call recognises plain Tensors and Tensors on one reverse
tape, computes with the NumPy implementation directly, and leaves the note that `record` would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.dispatch import bind, bind_operator, explain
from lucid.core.frames import ABSENT, MANY, Recorded, next_seq, silenced
from lucid.core.op import Op
from lucid.core.parameter import Parameter
from lucid.core.tensor import Tensor

__all__ = ["binary", "direct", "nary", "operator", "reflected", "several", "unary"]

_new = object.__new__
_ndarray = np.ndarray
_asarray = np.asarray
_enabled_from = silenced.get
_float32 = np.dtype(np.float32)
_float64 = np.dtype(np.float64)

# Half of the time of `x * 2.0` goes into making an array of the number: the last ones are kept.
_singles: dict[float, Any] = {}
_doubles: dict[float, Any] = {}


def _keep(kept: dict[float, Any], x: float, dtype: np.dtype[Any]) -> Any:
    """Return a Python float as the ufunc would convert it, and keep that for the next time."""
    if not 0 < abs(x) < 1e38:  # 0.0 and -0.0 are one key; an overflow is for NumPy to warn of
        return x
    if len(kept) > 255:
        kept.clear()
    kept[x] = value = np.array(x, dtype)
    value.flags.writeable = False
    return value


def unary(op: Op) -> Callable[..., Any]:
    """Return the public call of an operation with one operand and no parameters."""
    impl = op.impl
    real_impl = getattr(impl, "real_impl", None)  # the same on real arrays, without a detour
    smooth = op.smooth and op.vjps is not None  # otherwise `record` decides

    def call(x: Any, /) -> Any:
        if type(x) is not Tensor:
            return call(x.read()) if type(x) is Parameter else bind(op, (x,))
        note = x._note
        value = x._value
        if type(value) is _ndarray:
            run = impl if real_impl is None or value.dtype.kind == "c" else real_impl
            if note is None:
                try:
                    result = run(value)
                except Exception as error:
                    raise explain(op, (x,), error) from error
                if type(result) is not _ndarray:  # a scalar: the operand has no axes
                    result = _asarray(result)
                t = _new(Tensor)
                t._value = result
                t._note = None
                return t
            if smooth and type(note) is Recorded:
                frame = note.frame
                if frame.open and (frame.scoped or frame.level >= _enabled_from()):
                    try:
                        result = run(value)
                    except Exception as error:
                        raise explain(op, (x,), error) from error
                    if type(result) is not _ndarray:
                        result = _asarray(result)
                    new = _new(Recorded)
                    new.frame = frame
                    new.op = op
                    new.first = note
                    new.second = ABSENT
                    new.params = ()
                    new.ans = result
                    new.seq = next_seq()
                    t = _new(Tensor)
                    t._value = result
                    t._note = new
                    return t
        return bind(op, (x,))

    return call


def direct(op: Op) -> Callable[[Any, tuple[Any, ...]], Any]:
    """Return ``call(x, params)``, which is `bind` with the common cases first.

    It serves operations with one operand and parameters.
    """
    impl = op.impl
    smooth = op.smooth and op.vjps is not None  # otherwise `record` decides

    def call(x: Any, params: tuple[Any, ...]) -> Any:
        if type(x) is not Tensor:
            return bind(op, (x,), params)
        note = x._note
        value = x._value
        if type(value) is not _ndarray:
            return bind(op, (x,), params)
        if note is not None:
            if not smooth or type(note) is not Recorded:
                return bind(op, (x,), params)
            frame = note.frame
            if not frame.open or not (frame.scoped or frame.level >= _enabled_from()):
                return bind(op, (x,), params)
        try:
            result = impl(value, *params)
        except Exception as error:
            raise explain(op, (x,), error) from error
        if type(result) is not _ndarray:
            result = _asarray(result)
        t = _new(Tensor)
        t._value = result
        if note is None or result.dtype.kind not in "fc":
            t._note = None
            return t
        new = _new(Recorded)
        new.frame = note.frame
        new.op = op
        new.first = note
        new.second = ABSENT
        new.params = params
        new.ans = result
        new.seq = next_seq()
        t._note = new
        return t

    return call


def binary(op: Op, fallback: Callable[..., Any] = bind) -> Callable[..., Any]:
    """Return the public call of an operation with two operands and no parameters."""
    impl = op.impl
    smooth = op.smooth and op.vjps is not None  # otherwise `record` decides

    def call(x1: Any, x2: Any, /) -> Any:
        kind1 = type(x1)
        kind2 = type(x2)
        if kind1 is Tensor:
            note = first = x1._note
            v1 = x1._value
            if kind2 is Tensor:
                v2 = x2._value
                second = x2._note
                if second is not first:
                    if first is None:
                        note = second
                    elif second is not None and second.frame is not first.frame:
                        return fallback(op, (x1, x2))
                if type(v2) is not _ndarray:
                    return fallback(op, (x1, x2))
            elif kind2 is float or kind2 is int:
                v2 = x2
                second = None
            elif kind2 is Parameter:
                return call(x1, x2.read())
            else:
                return fallback(op, (x1, x2))
            if type(v1) is not _ndarray:
                return fallback(op, (x1, x2))
            if kind2 is float:
                if v1.dtype is _float32:
                    v2 = _keep(_singles, x2, _float32) if (v := _singles.get(x2)) is None else v
                elif v1.dtype is _float64:
                    v2 = _keep(_doubles, x2, _float64) if (v := _doubles.get(x2)) is None else v
        elif (kind1 is float or kind1 is int) and kind2 is Tensor:
            v1 = x1
            v2 = x2._value
            first = None
            note = second = x2._note
            if type(v2) is not _ndarray:
                return fallback(op, (x1, x2))
        elif kind1 is Parameter:
            return call(x1.read(), x2)
        else:
            return fallback(op, (x1, x2))
        if note is None:
            try:
                result = impl(v1, v2)
            except Exception as error:
                raise explain(op, (x1, x2), error) from error
            if type(result) is not _ndarray:
                result = _asarray(result)
            t = _new(Tensor)
            t._value = result
            t._note = None
            return t
        if smooth and type(note) is Recorded:
            frame = note.frame
            if frame.open and (frame.scoped or frame.level >= _enabled_from()):
                try:
                    result = impl(v1, v2)
                except Exception as error:
                    raise explain(op, (x1, x2), error) from error
                if type(result) is not _ndarray:
                    result = _asarray(result)
                new = _new(Recorded)
                new.frame = frame
                new.op = op
                new.first = x1 if first is None else first
                new.second = x2 if second is None else second
                new.params = ()
                new.ans = result
                new.seq = next_seq()
                t = _new(Tensor)
                t._value = result
                t._note = new
                return t
        return fallback(op, (x1, x2))

    return call


def nary(op: Op) -> Callable[..., Any]:
    """Return the public call of an operation with any number of operands and no parameters."""
    run = several(op)

    def call(*operands: Any) -> Any:
        return run(operands)

    return call


def several(op: Op) -> Callable[..., Any]:
    """Return ``call(operands, params)``, which is `bind` with the common cases first.

    It serves operations with any number of operands.
    """
    impl = op.impl
    smooth = op.smooth and op.reversible  # otherwise `record` decides

    def call(operands: tuple[Any, ...], params: tuple[Any, ...] = ()) -> Any:
        frame: Any = None
        tensors = False
        values: list[Any] = []
        entries: list[Any] = []
        for x in operands:
            kind = type(x)
            if kind is Tensor:
                tensors = True
                value = x._value
                note = x._note
                if type(value) is not _ndarray:
                    return bind(op, operands, params)
                values.append(value)
                if note is None:
                    entries.append(x)
                elif type(note) is Recorded and (frame is None or frame is note.frame):
                    frame = note.frame
                    entries.append(note)
                else:
                    return bind(op, operands, params)
            elif kind is float or kind is int:
                values.append(x)
                entries.append(x)
            else:
                return bind(op, operands, params)
        if not tensors or (
            frame is not None
            and not (smooth and frame.open and (frame.scoped or frame.level >= _enabled_from()))
        ):
            return bind(op, operands, params)
        try:
            result = impl(*values, *params)
        except Exception as error:
            raise explain(op, operands, error) from error
        if type(result) is not _ndarray:
            if op.multi:
                return bind(op, operands, params)
            result = _asarray(result)
        t = _new(Tensor)
        t._value = result
        if frame is None or result.dtype.kind not in "fc":
            t._note = None
            return t
        if len(entries) < 3:
            t._note = Recorded(frame, op, tuple(entries), params, result)
            return t
        new = _new(Recorded)
        new.frame = frame
        new.op = op
        new.first = MANY
        new.second = tuple(entries)
        new.params = params
        new.ans = result
        new.seq = next_seq()
        t._note = new
        return t

    return call


def operator(op: Op) -> Callable[..., Any]:
    """Return the infix form of a binary operation: NotImplemented for a foreign operand."""
    return binary(op, bind_operator)


def reflected(op: Op) -> Callable[..., Any]:
    """Return the reflected infix form of a binary operation."""
    forward = operator(op)

    def call(self: Any, other: Any, /) -> Any:
        return forward(other, self)

    return call
