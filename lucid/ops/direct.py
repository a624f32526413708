"""The direct call of an operation with one operand and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.dispatch import bind, explain
from lucid.core.frames import ABSENT, Recorded, next_seq, silenced
from lucid.core.op import Op
from lucid.core.tensor import Tensor

__all__ = ["direct"]

_new = object.__new__
_ndarray = np.ndarray
_asarray = np.asarray
_enabled_from = silenced.get


def direct(op: Op) -> Callable[[Any, tuple[Any, ...]], Any]:
    """Return ``call(x, params)``, which is `bind` with the common cases first.

    As the calls in `lucid.core.fastpath`, it recognises a plain Tensor and one on a reverse tape.
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
