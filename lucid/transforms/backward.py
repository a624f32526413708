"""The ambient tape's way back: `Tensor.backward`, by the walk of reverse mode."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.cotangent import fit
from lucid.core.frames import Frame, Recorded
from lucid.core.tensor import Tensor, install, lower, wrap
from lucid.errors import DTypeError, NotDifferentiableError, ShapeError, message
from lucid.transforms.reverse import pullback, records

__all__ = ["backward"]


def backward(self: Tensor, gradient: Any = None) -> None:  # noqa: D417 - a method
    """Add the derivative of this Tensor to the `.grad` of every leaf it was computed from.

    Args:
        gradient: the cotangent of this Tensor, of its shape; by default 1, for a 0-d Tensor or
            one with a single element.

    Raises:
        NotDifferentiableError: if nothing was recorded, or a transformation watches this Tensor
            more closely than the tape of a leaf does.
        ShapeError: if this Tensor has several elements and no `gradient` is given, or the
            gradient has another shape.
        DTypeError: if the gradient of a real Tensor is complex.

    Example:
        >>> import lucid
        >>> x = lucid.Tensor(3.0, requires_grad=True)
        >>> (x * x).backward()
        >>> x.grad
        Tensor(6.)
    """
    note = self._note
    _check_backward(self)
    assert isinstance(note, Recorded)
    seed = _seed(self, gradient)
    reached = [*pullback(note.frame, [(note, fit(seed, lower(self)))]).items()]
    for leaf, ct in reached + _outer_tapes(self, note, seed):
        cell = leaf.cell
        assert cell is not None
        with cell.lock:
            cell.grad = ct if cell.grad is None else cell.grad + ct


def _seed(self: Tensor, gradient: Any) -> Tensor:
    if gradient is None:
        if self.size != 1:
            hint = "reduce it with .sum() or .mean(), or pass gradient="
            raise ShapeError(message("backward", "a scalar", f"shape {self.shape}", hint))
        return wrap(np.ones(self.shape, self.dtype), None)
    seed = Tensor(gradient)
    if seed.shape != self.shape:
        got = f"shape {seed.shape}"
        raise ShapeError(message("backward", f"a gradient of shape {self.shape}", got))
    if seed.dtype.kind == "c" and self.dtype.kind != "c":
        raise DTypeError(message("backward", f"a real gradient for {self.dtype}", str(seed.dtype)))
    return seed


def _outer_tapes(self: Tensor, note: Recorded, seed: Tensor) -> list[tuple[Recorded, Tensor]]:
    """Return the cotangents of leaves that the tapes around this body's watch, if any does.

    A leaf that this body's tape watches too (a Parameter is read on every tape) has its cotangent
    already. Past a transformation in between, the others have none that could be stored.
    """
    reached: list[tuple[Recorded, Tensor]] = []
    done: set[Recorded] | None = None
    pending: list[tuple[Any, Frame | None]] = [(self._value, None)]
    while pending:
        t, between = pending.pop()
        if not isinstance(t, Tensor) or t._note is None:
            continue
        outer: Any = t._note
        if outer.frame.scoped:
            between = outer.frame
            pending += [(source, between) for source in between.sources(outer)]
        else:
            done = _shadows(note) if done is None else done
            missing = [r for r in records(outer.frame, [outer]) if r.is_leaf and r not in done]
            if missing and between is not None:
                hint = "use lucid.grad for both derivatives, or .detach() the outer Tensor"
                got = f"one that, under {between.describe()}, also comes from a leaf made outside"
                want = "a Tensor computed from leaves of this body"
                raise NotDifferentiableError(message("backward", want, got, hint))
            if missing:
                pulled = pullback(outer.frame, [(outer, fit(seed, lower(t)))])
                reached += [(r, pulled[r]) for r in missing if r in pulled]
                done.update(missing)
        pending.append((t._value, between))
    return reached


def _shadows(note: Recorded) -> set[Recorded]:
    """Return the leaves on other tapes of the cells whose leaves this record comes from."""
    found: set[Recorded] = set()
    for leaf in records(note.frame, [note]):
        t = leaf.ans if leaf.is_leaf else None
        while isinstance(t, Tensor):
            mark: Any = t._note
            own = isinstance(mark, Recorded) and mark.is_leaf and not mark.frame.scoped
            if own and mark.cell is leaf.cell:
                found.add(mark)
            t = t._value
    return found


def _check_backward(self: Tensor) -> None:
    note = self._note
    if note is not None and not note.frame.open:
        note.frame.check_open("backward")
    if note is not None and note.frame.scoped and self.requires_grad:
        hint = "use lucid.grad for both derivatives, or read the leaf inside the function"
        got = f"one that {note.frame.describe()} watches too"
        raise NotDifferentiableError(message("backward", "a Tensor of this body's tape", got, hint))
    if note is None or not isinstance(note, Recorded) or note.frame.scoped:
        hint = "create an input with requires_grad=True, and leave lucid.no_grad()"
        got = "one without history"
        raise NotDifferentiableError(message("backward", "a recorded Tensor", got, hint))


install({"backward": backward})
