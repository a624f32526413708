"""Parameter: the cell that a model learns, and the mark of what nobody learns."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.cells import Place, bump, capturing, own
from lucid.core.frames import Cell, Note, RecordFrame, ambient, leaf
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, check_grad, lower, strip, wrap
from lucid.errors import DTypeError, GraphError, ImmutableTensorError, ShapeError, message

__all__ = ["Fixed", "Parameter", "untaped"]


class Parameter(Tensor):
    """A cell that holds a Tensor: the one kind of Tensor whose value can be replaced.

    An operation that meets a Parameter reads its present value. While `requires_grad` is set, the
    value is read as a leaf of the ambient tape, whose gradient `.backward()` adds to `.grad`.

    Args:
        data: a number, a (nested) list of numbers, an array, or a Tensor. It is copied.
        requires_grad: whether the parameter is trained; a frozen one is read as a constant.
        dtype: the dtype to convert to; None keeps an array's own, and gives Python floats
            ``lucid.get_default_dtype()``.

    Raises:
        DTypeError: if `requires_grad` meets a dtype that is not floating or complex.

    Example:
        >>> import lucid
        >>> p = lucid.nn.Parameter([1.0, 2.0])
        >>> (p * p).sum().backward()
        >>> p.grad
        Tensor([2., 4.])
        >>> p.data = p.data - 0.5 * p.grad
        >>> p
        Parameter([0., 0.], requires_grad=True)
    """

    __slots__ = ("__weakref__", "_cell", "_requires_grad")
    _cell: Cell
    _requires_grad: bool

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self, data: Any, requires_grad: bool = True, dtype: Any = None) -> None:
        own(self)
        self._note = None
        self._value = _contents(data, dtype)
        self._cell = Cell()
        self._requires_grad = False
        self.requires_grad = requires_grad

    def read(self) -> Tensor:
        """Return the present value, recorded on the ambient tape of every body around this one."""
        watcher = capturing.get()
        if watcher is None:
            present = self._present()
            return self._record(present, ambient.get()) if self._requires_grad else present
        tape = ambient.get()
        if not self.requires_grad or not tape.recording:
            return self.data
        place = Place(self, "data", self._leaf, self._rebind, taped=True)
        return self._record(watcher.read(place), tape)

    def _record(self, present: Tensor, frame: RecordFrame) -> Tensor:
        note: Note | None = present._note
        if note is not None and note.frame.level > frame.level:  # it was made further in
            return present
        if frame.outer is not None:
            present = self._record(present, frame.outer)
        if not frame.recording:
            return present
        value = strip(present)
        return wrap(value, leaf(frame, value, self._cell))

    # -- the cell --------------------------------------------------------------------------------

    @property
    def data(self) -> Tensor:
        """The present value, without history; assigning replaces it, keeping shape and kind."""
        watcher = capturing.get()
        return self._present() if watcher is None else watcher.read(self._place())

    def _present(self) -> Tensor:
        value = self._value
        return value if type(value) is Tensor else wrap(value, None)

    def _leaf(self) -> Tensor:
        """Return the present value as the ambient tape of the caller records it."""
        present = self._present()
        return self._record(present, ambient.get()) if self._requires_grad else present

    def _place(self) -> Place:
        return Place(self, "data", self._present, self._rebind, taped=False)

    def _rebind(self, value: Tensor) -> None:
        self._value = value if value._note is not None else value._value

    @data.setter
    def data(self, value: ArrayLike) -> None:
        new = _contents(value, None)
        shape, kind = new.shape, new.dtype.kind
        if shape != self.shape:
            got = f"one of shape {shape}"
            raise ShapeError(message("Parameter.data", f"a value of shape {self.shape}", got))
        if kind != self.dtype.kind:
            hint = "convert it with .astype, or make a new Parameter"
            want = f"a value of a dtype like {self.dtype}"
            raise DTypeError(message("Parameter.data", want, str(new.dtype), hint))
        watcher = capturing.get()
        if watcher is None:
            self._value = new
        else:
            watcher.write(self._place(), new if isinstance(new, Tensor) else wrap(new, None))

    def recast(self, dtype: Any) -> None:
        """Convert the value, and the gradient, to another floating or complex dtype."""
        watcher = capturing.get()
        if watcher is not None and not watcher.owns(self):
            hint = "convert it outside"
            want = "a parameter whose dtype a compiled function leaves as it is"
            raise GraphError(message("Parameter", want, f"a conversion to {dtype}", hint))
        self._value = _contents(self.data.astype(dtype), None)
        grad = self._cell.grad
        self._cell.grad = None if grad is None else grad.astype(dtype)

    @property
    def requires_grad(self) -> bool:
        """Whether `.backward()` reaches this parameter."""
        watcher = capturing.get()
        if watcher is not None:
            get = functools.partial(getattr, self, "_requires_grad")
            return watcher.guard(Place(self, "requires_grad", get, stable=True))
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self.dtype.kind not in "fc":
            hint = "convert the data to floating point, or pass requires_grad=False"
            want = "a floating or complex dtype where requires_grad=True"
            raise DTypeError(message("Parameter", want, str(self.dtype), hint))
        watcher = capturing.get()
        if watcher is not None and not watcher.owns(self) and self.requires_grad != bool(value):
            hint = "freeze it outside, or use lucid.stop_gradient"
            want = "a parameter that a compiled function does not freeze or release"
            raise GraphError(message("Parameter.requires_grad", want, f"{value}", hint))
        self._requires_grad = bool(value)
        bump()

    def requires_grad_(self, requires_grad: bool = True) -> Parameter:
        """Set `requires_grad` and return this parameter."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """True: a parameter is never the result of an operation."""
        return True

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated by `.backward()`, or None."""
        return self._cell.grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        self._cell.grad = check_grad(self, value)

    # -- what differs from a Tensor --------------------------------------------------------------

    def detach(self) -> Tensor:
        """Return the present value alone, which no transformation or tape follows back."""
        return self.data.detach()

    def backward(self, gradient: ArrayLike | None = None) -> None:
        """Add `gradient`, by default 1 for a scalar, to `.grad`."""
        self.read().backward(gradient)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.read().__array__(dtype, copy)

    def __repr__(self) -> str:
        shown = repr(self.data).removeprefix("Tensor(")[:-1].replace("\n", "\n   ")
        return f"Parameter({shown}, requires_grad={self._requires_grad})"

    def __reduce__(self) -> Any:
        return (Parameter, (self.data.numpy(), self._requires_grad))


def untaped(t: Tensor) -> Tensor:
    """Return what a cell may keep of a Tensor: the ambient tape does not pass through one."""
    if isinstance(t, Parameter):
        return t.data
    while t._note is not None and not t._note.frame.scoped:
        t = lower(t)
    return t


def _contents(data: Any, dtype: Any) -> Any:
    """Return what a cell keeps: an array of its own, or a Tensor that a transformation watches."""
    t = untaped(data) if isinstance(data, Tensor) else data
    if not isinstance(t, Tensor) or dtype is not None:
        t = Tensor(t, dtype=dtype)
    value = t if t._note is not None else t._value
    return value if isinstance(value, Tensor | np.ndarray) else np.asarray(value, t.dtype)


def _refuse(symbol: str) -> Callable[[Tensor, Any], Any]:
    def inplace(self: Tensor, other: Any) -> Any:
        hint = f"write p.data = p.data {symbol} v, or let an optimiser take the step"
        raise ImmutableTensorError(
            message(f"p {symbol}= v", "a name that may be bound anew", "a Parameter", hint)
        )

    return inplace


for _name, _symbol in {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
    "and": "&",
    "or": "|",
    "xor": "^",
    "lshift": "<<",
    "rshift": ">>",
}.items():
    setattr(Parameter, f"__i{_name}__", _refuse(_symbol))


class Fixed(tuple[Any]):
    """A container of one leaf that no optimiser touches: a buffer, or a frozen parameter."""

    __slots__ = ()


tree.register_node(
    Fixed, lambda x: (tuple(x), None), lambda _, children: Fixed(children), shown="not"
)
