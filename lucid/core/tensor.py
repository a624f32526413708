"""Tensor: an immutable array value plus at most one note of the transformation watching it.

Methods whose functions live on higher floors are declared here and filled in once, by
:func:`install`, when those floors are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.frames import Cell, Note, Recorded, ambient, leaf
from lucid.core.methods import ArrayLike, Methods
from lucid.core.op import OPS, Aval
from lucid.dtypes import check_numeric, default_complex, literal_dtype, python_dtype
from lucid.errors import (
    ConcretizationError,
    DetachedArrayError,
    DTypeError,
    ImmutableTensorError,
    IndexOutOfBoundsError,
    NotDifferentiableError,
    OperandError,
    OptionError,
    ShapeError,
    message,
    users_line,
)

__all__ = ["Tensor", "as_value", "aval", "concrete", "install", "lower", "strip", "wrap"]

_new = object.__new__


class Tensor(Methods):
    """An immutable, differentiable array.

    Args:
        data: a number, a (nested) list of numbers or Tensors, an array, or a Tensor. It is copied.
        requires_grad: record what is computed from this Tensor, so that `.backward()` on a result
            fills this Tensor's `.grad`.
        dtype: the dtype to convert to; None keeps an array's own, and gives Python floats
            ``lucid.get_default_dtype()``.

    Raises:
        DTypeError: if the dtype is not numeric, or `requires_grad` meets one that is not floating
            or complex.

    Example:
        >>> import lucid
        >>> x = lucid.Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        Tensor([2., 4.])
    """

    __slots__ = ("_note", "_value")
    _value: Any  # np.ndarray, Python number (weak), or a Tensor of the next-outer level
    _note: Note | None

    __hash__ = None  # type: ignore[assignment]
    __array_priority__: float = 1000.0

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        value = as_value(data, dtype)
        if isinstance(value, Tensor):
            self._value, self._note = value._value, value._note
        else:
            self._value, self._note = value, None
        if requires_grad:
            if self.dtype.kind not in "fc":
                hint = "convert the data to floating point"
                want = "a floating or complex dtype where requires_grad=True"
                raise DTypeError(message("Tensor", want, str(self.dtype), hint))
            if self._note is not None:
                self._value = wrap(self._value, self._note)
            self._note = leaf(ambient.get(), self._value, Cell())

    # -- what an array is ------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        value = self._value
        if type(value) is np.ndarray and (self._note is None or not self._note.frame.abstract):
            return value.shape
        return aval(self).shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the elements, an ``np.dtype``."""
        value = self._value
        return value.dtype if type(value) is np.ndarray else aval(self).dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    @property
    def device(self) -> str:
        """Always "cpu"."""
        return "cpu"

    def to_device(self, device: str, /, *, stream: object = None) -> Tensor:
        """Return this Tensor; "cpu" is the only device."""
        if device != "cpu" or stream is not None:
            raise OperandError(message("to_device", 'device "cpu", no stream', f"{device!r}"))
        return self

    def __len__(self) -> int:
        if not self.shape:
            raise OperandError(message("len", "a Tensor with at least one axis", "a 0-d Tensor"))
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise OperandError(message("iter", "a Tensor with at least one axis", "a 0-d Tensor"))
        return (self[i] for i in range(self.shape[0]))

    # -- ways out of lucid (the escape table of docs/internals.md) -------------------------------

    def numpy(self) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the value as a read-only NumPy array, leaving derivatives behind.

        Raises:
            DetachedArrayError: under a transformation; `lucid.stop_gradient` says it is meant.
        """
        view = concrete(self, "numpy", strict=True).view()
        view.flags.writeable = False
        return view

    def item(self, *index: int) -> Any:
        """Return the single element (or the one at `index`) as a Python number."""
        value = concrete(self, "item", strict=True)
        if not index and value.size != 1:
            raise ShapeError(message("item", "a Tensor with one element", f"shape {value.shape}"))
        try:
            return value.item(*index)
        except (IndexError, ValueError) as error:
            got = f"{index} for shape {value.shape}"
            raise IndexOutOfBoundsError(message("item", "an index inside", got)) from error

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""
        return concrete(self, "tolist", strict=True).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        t: Any = self
        while isinstance(t, Tensor):
            if t._note is not None:
                hint = "use lucid's functions, or .detach() first if no derivative is wanted"
                got = f"one watched by {t._note.frame.describe()}"
                expected = "a Tensor that nothing differentiates"
                raise DetachedArrayError(message("np.asarray", expected, got, hint))
            t = t._value
        value = self.numpy()
        if dtype is not None and np.dtype(dtype) != value.dtype:
            if copy is False:
                got = f"dtype {np.dtype(dtype)} for {value.dtype}"
                raise OptionError(message("np.asarray", "a dtype that needs no copy", got))
            return value.astype(dtype)
        return value.copy() if copy else value

    def __float__(self) -> float:
        return float(_real(_one(concrete(self, "float", strict=True), "float"), "float"))

    def __complex__(self) -> complex:
        return complex(_one(concrete(self, "complex", strict=True), "complex"))

    def __int__(self) -> int:
        return int(_real(_one(concrete(self, "int"), "int"), "int"))

    def __index__(self) -> int:
        value = _one(concrete(self, "index"), "index")
        if value.dtype.kind not in "iu":
            raise OperandError(message("index", "an integer Tensor", str(value.dtype)))
        return int(value)

    def __bool__(self) -> bool:
        return bool(_one(concrete(self, "bool"), "bool"))

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        return format(_one(concrete(self, "format", strict=True), "format").item(), spec)

    def __repr__(self) -> str:
        note = self._note
        if note is None:
            return _show(self, "")
        if note.frame.abstract:
            return f"Tensor({aval(self)}, under {note.frame.describe()})"
        if not note.frame.scoped:
            return _show(self, f", grad={self.grad!r}")
        return _show(self, f", under {note.frame.describe()}")

    def __reduce__(self) -> Any:
        if self._note is not None and not self.is_leaf:
            raise NotDifferentiableError(
                message("pickle", "a Tensor without history", repr(self), "use .detach()")
            )
        return (Tensor, (self.detach().numpy(), self.requires_grad))

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        make, args = self.__reduce__()
        return make(*args)

    # -- the ambient tape ------------------------------------------------------------------------

    @property
    def is_leaf(self) -> bool:
        """Whether this Tensor was made with ``requires_grad=True`` rather than computed."""
        note = self._note
        return isinstance(note, Recorded) and note.is_leaf and not note.frame.scoped

    @property
    def requires_grad(self) -> bool:
        """Whether `.backward()` on something computed from this Tensor reaches a leaf."""
        note, value = self._note, self._value
        while note is not None:
            if not note.frame.scoped:
                return True
            note, value = (value._note, value._value) if isinstance(value, Tensor) else (None, None)
        return False

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated by `.backward()`: a Tensor on a leaf, otherwise None."""
        note = self._note
        return note.cell.grad if self.is_leaf else None  # type: ignore[union-attr]

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if not self.is_leaf:
            hint = "create it with requires_grad=True"
            raise ImmutableTensorError(message("grad", "a leaf Tensor", "a computed one", hint))
        self._note.cell.grad = check_grad(self, value)  # type: ignore[union-attr]

    def zero_grad(self) -> None:
        """Forget the accumulated gradient."""
        self.grad = None

    def detach(self) -> Tensor:
        """Return the value alone, which no transformation or tape follows back."""
        value: Any = self
        while isinstance(value, Tensor) and not _is_abstract(value):
            if value._note is None:
                return value if type(value) is Tensor else wrap(value._value, None)
            value = value._value
        if isinstance(value, Tensor):  # an abstract value: what it stands for is detached
            note: Any = value._note
            if not note.frame.batched:
                return note.frame.apply(OPS["stop_gradient"], (value,), ())
            return detach_below(value)
        return wrap(value, None)

    def backward(self, gradient: ArrayLike | None = None) -> None:
        """Add the derivative of this Tensor to the `.grad` of every leaf it was computed from."""
        raise NotImplementedError

    # -- refusals --------------------------------------------------------------------------------

    def __setitem__(self, key: Any, value: Any) -> None:
        shown = key if isinstance(key, int) else "i"
        if isinstance(key, slice):
            ends = ("" if k is None else str(k) for k in (key.start, key.stop, key.step))
            shown = ":".join(ends).removesuffix(":")
        hint = f"write x = x.at[{shown}].set(v), which returns a new Tensor"
        raise ImmutableTensorError(message("x[i] = v", "a mutable array", "a Tensor", hint))

    def __delitem__(self, key: Any) -> None:
        raise ImmutableTensorError(message("del x[i]", "a mutable array", "a Tensor"))


# Filled by the floors above: how a nested list with Tensors in it is stacked.
_hooks: dict[str, Callable[..., Any]] = {}


def install(methods: Mapping[str, Any]) -> None:
    """Give Tensor the methods and hooks that a higher floor implements."""
    for name, value in methods.items():
        if name.startswith("hook:"):
            _hooks[name[5:]] = value
        else:
            setattr(Tensor, name, value)


def wrap(value: Any, note: Note | None) -> Tensor:
    """Return the Tensor with exactly this value and note, without a copy or a check."""
    t = _new(Tensor)
    t._value = value
    t._note = note
    return t


def lower(t: Tensor) -> Tensor:
    """Return the value of `t` at the level below its note."""
    value = t._value
    return value if isinstance(value, Tensor) else wrap(value, None)


def strip(t: Tensor) -> Any:
    """Return what a Tensor one level up keeps as its value: the array itself if nothing watches."""
    return t._value if t._note is None else t


def aval(x: Any) -> Aval:
    """Return shape, dtype and weakness of a Tensor or Python number, as the user sees them."""
    if not isinstance(x, Tensor):
        if isinstance(x, np.ndarray):
            return Aval(x.shape, x.dtype)
        return Aval((), python_dtype(x), weak=True)
    note = x._note
    if note is not None and note.frame.abstract:
        if not note.frame.batched:
            return note.aval  # type: ignore[attr-defined]
        below = aval(x._value)
        return Aval(below.shape[1:], below.dtype)
    return aval(x._value)


def _is_abstract(t: Tensor) -> bool:
    return t._note is not None and t._note.frame.abstract


def detach_below(t: Tensor) -> Tensor:
    """Detach what lies below a batched value, keeping its note."""
    if isinstance(t._value, Tensor):
        below = t._value.detach()
        return wrap(below if below._note is not None else below._value, t._note)
    return t


def concrete(t: Tensor, what: str, *, strict: bool = False) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the number behind `t`, or raise where the escape table says so.

    `strict` is for the ways out that drop a derivative (`float`, `.item()`); the others are
    piecewise constant, so that nothing is lost under `grad` and `jvp`.
    """
    value: Any = t
    while isinstance(value, Tensor):
        note = value._note
        if note is not None:
            note.frame.check_open(what)
            if note.frame.abstract:
                hint = "use lucid.where or lucid.cond, or compute it outside"
                got = f"one under {note.frame.describe()}, which stands for many values"
                if not note.frame.batched:  # the user's code is read once: say where it asks
                    hint += users_line()
                raise ConcretizationError(message(what, "a Tensor with a number", got, hint))
            if strict and note.frame.scoped:
                hint = "wrap it in lucid.stop_gradient(...) if the derivative is not wanted"
                got = f"one that {note.frame.describe()} differentiates"
                raise DetachedArrayError(message(what, "a Tensor that can leave", got, hint))
        value = value._value
    return value if isinstance(value, np.ndarray) else np.asarray(value, python_dtype(value))


def _one(value: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, Any]:
    if value.size != 1:
        hint = "use .any() or .all()" if what == "bool" else "index one element first"
        got = f"shape {value.shape}"
        raise ShapeError(message(what, "a Tensor with exactly one element", got, hint))
    return value.reshape(())


def _real(value: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, Any]:
    if value.dtype.kind == "c":
        hint = "take .real, or use complex()"
        raise DTypeError(message(what, "a real Tensor", str(value.dtype), hint))
    return value


def _show(t: Tensor, tail: str) -> str:
    value: Any = t
    while isinstance(value, Tensor):
        if _is_abstract(value):
            return f"Tensor({aval(t)}, under {value._note.frame.describe()}{tail})"  # type: ignore[union-attr]
        value = value._value
    value = np.asarray(value, None if isinstance(value, np.ndarray) else python_dtype(value))
    text = np.array2string(value, separator=", ", prefix="Tensor(")
    plain = (np.dtype(bool), np.dtype("int64"), get_default_dtype(), default_complex())
    return f"Tensor({text}{'' if value.dtype in plain else f', dtype={value.dtype}'}{tail})"


def check_grad(t: Tensor, value: Any) -> Tensor | None:
    """Return `value` if it can be the `.grad` of `t`."""
    if value is None:
        return None
    expected = f"None or a Tensor of shape {t.shape}"
    if not isinstance(value, Tensor):
        raise OperandError(message("grad", expected, type(value).__name__))
    if value.shape != t.shape:
        raise ShapeError(message("grad", expected, f"shape {value.shape}"))
    return value


def as_value(data: Any, dtype: Any = None) -> Any:
    """Return `data` as an array of lucid's own, or as the Tensor that it is or contains."""
    if isinstance(data, Tensor):
        return _hooks["astype"](data, dtype) if dtype is not None else _hooks["read"](data)
    if isinstance(data, list | tuple) and _has_tensor(data):
        return _hooks["stack"]([Tensor(item, dtype=dtype) for item in data])
    if dtype is None and not isinstance(data, np.ndarray | np.generic):
        dtype = literal_dtype(data)
    if isinstance(data, np.ma.MaskedArray):
        hint = "fill it with .filled(value), and use lucid.where"
        raise OperandError(message("Tensor", "an array without a mask", "a masked array", hint))
    try:
        value = np.array(data, dtype=dtype)
    except (ValueError, TypeError, OverflowError) as error:
        expected = "numbers in a regular nest of lists, or an array"
        raise OperandError(message("Tensor", expected, f"{data!r:.60}", str(error))) from None
    check_numeric("Tensor", value.dtype)
    return value


def _has_tensor(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return any(_has_tensor(item) for item in data)
    return isinstance(data, Tensor)
