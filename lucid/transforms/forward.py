"""Forward mode: the frame that carries a tangent beside every value."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.frames import Frame, Note
from lucid.core.op import Op
from lucid.core.tensor import Tensor, lower, strip, wrap
from lucid.errors import no_rule

__all__ = ["Dual", "ForwardFrame"]


class Dual(Note):
    """Forward mode's note: the tangent, a Tensor of the level below."""

    __slots__ = ("tangent",)

    def __init__(self, frame: Frame, tangent: Tensor) -> None:
        self.frame = frame
        self.tangent = tangent


class ForwardFrame(Frame):
    """One running forward differentiation."""

    __slots__ = ()

    def attach(self, value: Any, tangent: Tensor | None) -> Tensor:
        """Return `value`, a Tensor of the level below, watched by this frame."""
        return value if tangent is None else wrap(strip(value), Dual(self, tangent))

    def apply(self, op: Op, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Compute `op` and its tangent one level below."""
        below: list[Any] = []
        tangents: list[Any] = []
        for a in args:
            note = a._note if isinstance(a, Tensor) else None
            if note is not None and note.frame is self:
                below.append(lower(a))
                tangents.append(note.tangent)  # type: ignore[attr-defined]
            else:
                below.append(a)
                tangents.append(None)
        ans = apply(op, tuple(below), params)
        if not op.smooth or not _any_inexact(ans):
            return ans
        with np.errstate(all="ignore"):
            if op.jvp is None:
                raise no_rule(op.name)
            out = op.jvp(ans, tuple(tangents), tuple(below), *params)
        if op.multi:
            out = (None,) * len(ans) if out is None else out
            return tuple(
                self.attach(a, t if a.dtype.kind in "fc" else None)
                for a, t in zip(ans, out, strict=True)
            )
        return self.attach(ans, out)


def _any_inexact(ans: Any) -> bool:
    return any(a.dtype.kind in "fc" for a in (ans if isinstance(ans, tuple) else (ans,)))
