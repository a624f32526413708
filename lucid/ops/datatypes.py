"""Data types: converting arrays, and asking about dtypes."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucid.core.define import linear
from lucid.core.dispatch import PYTHON, read
from lucid.core.fastpath import direct
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, aval, install
from lucid.dtypes import python_dtype
from lucid.errors import DTypeError, OperandError, message
from lucid.ops.axes import as_tensor, dtype_of

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]


def numeric_dtype(name: str, dtype: Any) -> np.dtype[Any]:
    """Return a dtype argument as an ``np.dtype``, or raise if it is none of lucid's."""
    found = dtype_of(name, dtype)
    if found is None:  # NumPy would take it for float64
        raise DTypeError(message(name, "a dtype such as lucid.float32", "None"))
    return found


def check_device(name: str, device: Any) -> None:
    """Raise unless `device` is None or "cpu", the only device."""
    if device not in (None, "cpu"):
        raise OperandError(message(name, 'device None or "cpu"', repr(device)))


# -- astype ----------------------------------------------------------------------------------------


def astype(x: ArrayLike, dtype: Any, /, *, copy: bool = True, device: str | None = None) -> Tensor:
    """Convert an array to another dtype.

    The derivative is that of the identity between floating and complex dtypes; a result that is
    integer or boolean has none.

    Args:
        x: any shape and dtype.
        dtype: the dtype of the result.
        copy: accepted for the standard's sake. Tensors are immutable, so that a conversion to the
            dtype an array has already returns the array itself.
        device: None or "cpu".

    Returns:
        A Tensor of the shape of `x`.

    Raises:
        DTypeError: if `x` is complex and `dtype` is not (the imaginary part would be lost), or if
            `dtype` is not numeric.

    Example:
        >>> import lucid
        >>> lucid.astype(lucid.asarray([0.5, 2.5]), lucid.int64)
        Tensor([0, 2])
    """
    target = numeric_dtype("astype", dtype)
    check_device("astype", device)
    t = as_tensor("astype", x)
    about = aval(t)
    if about.dtype.kind == "c" and target.kind not in "cb":
        hint = "take .real, .imag or abs() first"
        raise DTypeError(message("astype", f"a real array for {target}", str(about.dtype), hint))
    if about.dtype == target and not about.weak:
        return as_tensor("astype", x, view=True)
    return _astype(t, (target,))


_astype = direct(
    linear(
        "astype",
        lambda x, dtype: x.astype(dtype),
        transpose=lambda ct, x, dtype: ct,  # every cotangent is cast to its primal's dtype
        batch=lambda x, dtype: _astype(x, (dtype,)),
    )
)


def cast_into(name: str, value: Any, dtype: np.dtype[Any]) -> Tensor:
    """Return a value to be put into an array of this dtype, or raise if it would lose its kind."""
    t = value if type(value) in PYTHON else as_tensor(name, value, view=True)
    have = aval(t)
    if have.weak:
        fits = _RANK[have.dtype.kind] <= _RANK[dtype.kind]
    else:
        fits = np.can_cast(have.dtype, dtype, "same_kind")
    if not fits:
        hint = f"convert it with .astype({dtype}), or the array first"
        raise DTypeError(message(name, f"a value for {dtype}", str(have.dtype), hint))
    return Tensor(t, dtype=dtype) if type(t) in PYTHON else astype(t, dtype)


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


# -- questions -------------------------------------------------------------------------------------


_WEAKEST = (builtins.bool, int, float, complex)


def _kind(name: str, x: Any) -> Any:
    """Return what stands for `x` in NumPy's promotion: a dtype, or a weak Python number."""
    if isinstance(x, Tensor | np.ndarray | np.generic):
        a = aval(read(x) if isinstance(x, Tensor) else np.asarray(x))
        return a.dtype.type(0).item() if a.weak else a.dtype
    return type(x)(0) if type(x) in PYTHON else numeric_dtype(name, x)


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """Return the dtype that arithmetic between arrays, dtypes and Python numbers gives.

    Python numbers are weak: they take the dtype of what they meet, if that is of their kind.

    Args:
        arrays_and_dtypes: at least one array, dtype or Python number.

    Raises:
        OperandError: without an argument.

    Example:
        >>> import lucid
        >>> lucid.result_type(lucid.float32, 1.0)
        dtype('float32')
    """
    if not arrays_and_dtypes:
        raise OperandError(message("result_type", "arrays or dtypes", "nothing"))
    kinds = [_kind("result_type", x) for x in arrays_and_dtypes]
    if all(type(k) in PYTHON for k in kinds):
        return python_dtype(max(kinds, key=lambda k: _WEAKEST.index(type(k))))
    return np.result_type(*kinds)


def can_cast(from_: Any, to: Any, /) -> builtins.bool:
    """Say whether the promotion rules allow one dtype to be taken for another.

    Args:
        from_: a dtype or an array.
        to: a dtype.

    Example:
        >>> import lucid
        >>> lucid.can_cast(lucid.int32, lucid.float64), lucid.can_cast(lucid.float64, lucid.int32)
        (True, False)
    """
    if isinstance(from_, Tensor | np.ndarray | np.generic):
        from_ = from_.dtype
    return builtins.bool(
        np.can_cast(numeric_dtype("can_cast", from_), numeric_dtype("can_cast", to))
    )


_KINDS = (
    "bool",
    "signed integer",
    "unsigned integer",
    "integral",
    "real floating",
    "complex floating",
    "numeric",
)


def isdtype(dtype: Any, kind: Any) -> builtins.bool:
    """Say whether a dtype is of a kind.

    Args:
        dtype: the dtype.
        kind: a dtype; one of "bool", "signed integer", "unsigned integer", "integral",
            "real floating", "complex floating", "numeric"; or a tuple of such, any of which may
            hold.

    Raises:
        OperandError: for another kind.

    Example:
        >>> import lucid
        >>> lucid.isdtype(lucid.float32, ("integral", "real floating"))
        True
    """
    found = numeric_dtype("isdtype", dtype)
    for k in kind if isinstance(kind, tuple) else (kind,):
        if isinstance(k, str) and k not in _KINDS:
            want = "a dtype or one of " + ", ".join(_KINDS)
            raise OperandError(message("isdtype", want, repr(k)))
        if np.isdtype(found, k if isinstance(k, str) else numeric_dtype("isdtype", k)):
            return True
    return False


@dataclass(frozen=True)
class FloatInfo:
    """Limits of a floating dtype; for a complex one, of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype[Any]

    @property
    def tiny(self) -> float:
        """The smallest positive normal number, NumPy's older name for it."""
        return self.smallest_normal


@dataclass(frozen=True)
class IntInfo:
    """Limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: np.dtype[Any]


def _dtype_of(name: str, type: Any) -> np.dtype[Any]:
    if isinstance(type, Tensor | np.ndarray | np.generic):
        return type.dtype
    return numeric_dtype(name, type)


def finfo(type: Any, /) -> FloatInfo:
    """Return the limits of a floating dtype, as Python numbers.

    Args:
        type: a floating or complex dtype, or an array of one.

    Raises:
        DTypeError: for any other dtype.

    Example:
        >>> import lucid
        >>> lucid.finfo(lucid.float64).eps
        2.220446049250313e-16
    """
    dtype = _dtype_of("finfo", type)
    if dtype.kind not in "fc":
        hint = "use lucid.iinfo for integers"
        raise DTypeError(message("finfo", "a floating or complex dtype", str(dtype), hint))
    f = np.finfo(dtype)
    limits = (float(f.eps), float(f.max), float(f.min), float(f.smallest_normal))
    return FloatInfo(int(f.bits), *limits, np.dtype(f.dtype))


def iinfo(type: Any, /) -> IntInfo:
    """Return the limits of an integer dtype, as Python numbers.

    Args:
        type: an integer dtype, or an array of one.

    Raises:
        DTypeError: for any other dtype.

    Example:
        >>> import lucid
        >>> lucid.iinfo(lucid.int8).max
        127
    """
    dtype = _dtype_of("iinfo", type)
    if dtype.kind not in "iu":
        hint = "use lucid.finfo for floating dtypes"
        raise DTypeError(message("iinfo", "an integer dtype", str(dtype), hint))
    i = np.iinfo(dtype)
    return IntInfo(int(i.bits), int(i.max), int(i.min), dtype)


install({"astype": astype, "hook:read": read, "hook:astype": astype})
