"""Levels, frames and notes: how a Tensor knows which transformation watches it.

A transformation in progress is a :class:`Frame` with a level of its own. A Tensor that it watches
carries a *note*, an object with the attribute ``frame``. Of the notes among an operation's
arguments, the one with the highest level decides how the operation is interpreted; its frame
computes on values of the levels below. Levels only ever grow, so two frames never share one.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from lucid.core.cells import Place, capturing, own
from lucid.errors import LeakedTensorError, message

if TYPE_CHECKING:
    from lucid.core.op import Op

__all__ = [
    "ABSENT",
    "MANY",
    "Cell",
    "Frame",
    "Note",
    "RecordFrame",
    "Recorded",
    "ambient",
    "leaf",
    "transformation",
]

_next_level = itertools.count(1).__next__
# the age of a record; ever-increasing, atomic in CPython
next_seq: Callable[[], int] = itertools.count().__next__

# Every ambient level below this one is switched off (`no_grad`).
silenced: ContextVar[int] = ContextVar("lucid_silenced", default=0)


class Frame:
    """One running transformation: its level, and whether it still runs.

    Attributes:
        level: its rank; the highest rank among an operation's operands interprets it.
        open: False once the transformation has ended: its Tensors have then leaked.
        scoped: True for a transformation, False for an ambient tape.
        name: the transformation as the user spelt it; of an ambient tape, the one it is inside.
        borrowed: the ids of the argument arrays that the transformation reads without a copy
            while it runs; they are also what its results may not share memory with.
        abstract: True when values have no number of their own here (`vmap`, `jit`).
        batched: True when values carry a leading axis that the user does not see.
        began: the age of the oldest record that can have been made inside.
    """

    __slots__ = ("began", "borrowed", "level", "name", "open")
    scoped = True
    abstract = False
    batched = False
    level: int
    open: bool
    name: str
    borrowed: Collection[int]
    began: int  # set where the transformation begins

    def __init__(self, name: str) -> None:
        self.level = _next_level()
        self.open = True
        self.name = name
        self.borrowed = ()

    def describe(self) -> str:
        """Return what messages call this frame."""
        if self.scoped:
            return self.name
        return f"the ambient tape inside {self.name}" if self.name else "the ambient tape"

    def apply(self, op: Op, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Interpret `op`, of whose operands none has a note of a higher level."""
        raise NotImplementedError

    def sources(self, note: Note) -> Sequence[Any]:
        """Return Tensors of outside that a value comes from, though its value does not tell."""
        return ()

    def check_open(self, op: str) -> None:
        """Raise if the transformation has ended."""
        if not self.open:
            raise LeakedTensorError(
                message(
                    op,
                    "tensors of transformations that still run",
                    f"a tensor that leaked out of {self.describe()}, which has ended",
                    "return it from the transformed function instead of storing it",
                )
            )


class Note:
    """What the innermost transformation that watches a Tensor left on it."""

    __slots__ = ("frame",)
    frame: Frame


class Cell:
    """The mutable place of a gradient: a leaf's `.grad`."""

    __slots__ = ("lock", "present")

    def __init__(self) -> None:
        self.present: Any = None
        self.lock: threading.Lock = threading.Lock()
        own(self)

    @property
    def grad(self) -> Any:
        """The gradient accumulated so far, or None."""
        watcher = capturing.get()
        return self.present if watcher is None else watcher.read(self._place())

    @grad.setter
    def grad(self, value: Any) -> None:
        watcher = capturing.get()
        if watcher is None:
            self.present = value
        else:
            watcher.write(self._place(), value)

    def _place(self) -> Place:
        return Place(self, "grad", lambda: self.present, lambda g: setattr(self, "present", g))


class Recorded(Note):
    """Reverse mode's note: the operation that made a value, and what its rule will need.

    An operand is kept as an *entry*: the record that made it, if this frame watches it, and
    otherwise the operand itself. Entries and not Tensors, so that one object per operation stays
    alive: the garbage collector walks all of them again and again while a record grows.

    Attributes:
        op: the operation; None for a leaf and for one output of several.
        first, second: the entries of the operands of a unary or binary operation; ABSENT where
            there is none. Of any other operation `first` is MANY and `second` the tuple of entries.
            One output of several has in `first` the record of all of them.
        params: the operation's parameters; of one output of several, its position.
        ans: the value, as a Tensor one level up keeps it; a tuple for several outputs.
        seq: the age.
        cell: where the gradient of a leaf of an ambient tape goes.
    """

    __slots__ = ("ans", "cell", "first", "op", "params", "second", "seq")
    frame: RecordFrame
    op: Op | None
    first: Any
    second: Any
    params: tuple[Any, ...]
    ans: Any
    cell: Cell | None
    seq: int

    def __init__(
        self,
        frame: RecordFrame,
        op: Op | None,
        entries: tuple[Any, ...],
        params: tuple[Any, ...],
        ans: Any,
    ) -> None:
        self.frame = frame  # pyright: ignore[reportIncompatibleVariableOverride]
        self.op = op
        if len(entries) == 1:
            self.first, self.second = entries[0], ABSENT
        elif len(entries) == 2:
            self.first, self.second = entries
        else:
            self.first, self.second = (MANY, entries) if entries else (ABSENT, ABSENT)
        self.params = params
        self.ans = ans
        self.seq = next_seq()

    @property
    def entries(self) -> tuple[Any, ...]:
        """The operands: records of this frame, or what was passed."""
        if self.first is MANY:
            return self.second
        if self.second is ABSENT:
            return () if self.first is ABSENT else (self.first,)
        return (self.first, self.second)

    @property
    def is_leaf(self) -> bool:
        """Whether nothing made this value: it is an input of the record."""
        return self.op is None and self.first is ABSENT


def leaf(frame: RecordFrame, value: Any, cell: Cell | None = None) -> Recorded:
    """Return the record of an input; `value` is what its Tensor will keep as value."""
    note = Recorded(frame, None, (), (), value)
    note.cell = cell
    return note


class _Mark:
    """Stands where a record has no entry of its own."""

    __slots__ = ()


ABSENT = _Mark()
MANY = _Mark()


class RecordFrame(Frame):
    """A frame that records operations for reverse mode: of a transformation, or ambient."""

    __slots__ = ("outer", "scoped")
    outer: RecordFrame | None

    def __init__(self, name: str, *, scoped: bool = True, outer: RecordFrame | None = None) -> None:
        self.level = _next_level()
        self.open = True
        self.name = name
        self.borrowed = ()
        self.scoped = scoped
        self.outer = outer  # of an ambient tape: the one in force around its transformation

    @property
    def recording(self) -> bool:
        """False where `no_grad` has switched this ambient tape off."""
        return self.scoped or self.level >= silenced.get()


# The tape that `requires_grad=True` and `.backward()` use in the body that is running now.
ambient: ContextVar[RecordFrame] = ContextVar(
    "lucid_ambient",
    default=RecordFrame("", scoped=False),  # noqa: B039 - the tape outside every transformation
)


class transformation:  # noqa: N801 - used as a function is, in a with statement
    """Run a body inside `frame`, with an ambient tape of its own one level above it.

    Both are closed at the end, after an exception too; `keep_open` leaves the frame open for
    closures that outlive the call (`vjp`, `linearize`), except after an exception.
    """

    __slots__ = ("_frame", "_inner", "_keep_open", "_token")

    def __init__(self, frame: Frame, *, keep_open: bool = False) -> None:
        self._frame = frame
        frame.began = next_seq()
        self._keep_open = keep_open
        # made last, so that its level is the highest
        self._inner = RecordFrame(frame.name, scoped=False, outer=ambient.get())

    def __enter__(self) -> Frame:
        self._token = ambient.set(self._inner)
        return self._frame

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        ambient.reset(self._token)
        self._inner.open = False
        if kind is not None or not self._keep_open:
            self._frame.open = False
