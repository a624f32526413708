"""Data types: NumPy's own scalar types, and what the rest of lucid asks about them."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
from numpy import (
    bool_ as bool,  # noqa: A004 - the array API standard's name
)
from numpy import (
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

from lucid.config import get_default_dtype
from lucid.errors import DTypeError, message

__all__ = [
    "bool",
    "check_numeric",
    "complex64",
    "complex128",
    "default_complex",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "literal_dtype",
    "python_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


def check_numeric(op: str, dtype: np.dtype[Any]) -> None:
    """Raise unless `dtype` is boolean, integer, floating or complex."""
    if dtype.kind not in "biufc":
        raise DTypeError(message(op, "a boolean, integer, floating or complex array", str(dtype)))


def default_complex() -> np.dtype[Any]:
    """Return the complex dtype as precise as the default floating dtype."""
    return np.dtype(complex64 if get_default_dtype() == float32 else complex128)


def python_dtype(value: object) -> np.dtype[Any]:
    """Return the dtype that a Python number takes when something materialises it."""
    if isinstance(value, builtins.bool):
        return np.dtype(bool)
    if isinstance(value, int):
        return np.dtype(int64)
    return get_default_dtype() if isinstance(value, float) else default_complex()


_PYTHON = (builtins.bool, int, float, complex)  # the weakest first


def literal_dtype(data: Any) -> np.dtype[Any] | None:
    """Return the dtype of Python numbers in nested lists; None if anything else is among them."""
    kinds: set[type] = set()
    pending = [data]
    while pending:
        item = pending.pop()
        if isinstance(item, list | tuple):
            pending.extend(item)
        else:
            kinds.add(type(item))
    if not kinds <= set(_PYTHON):
        return None
    strongest = max(kinds, key=_PYTHON.index, default=float)
    return python_dtype(strongest())
