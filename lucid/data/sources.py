"""Where arrays come from: NumPy, Tensors, pandas, scikit-learn's bunches, files of arrays.

pandas and scikit-learn are recognised by what their objects can do, and never imported.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor, concrete
from lucid.dtypes import check_numeric, literal_dtype
from lucid.errors import DTypeError, FileFormatError, OperandError, message

__all__ = ["array_of", "is_bunch", "is_frame", "is_series", "one_length", "open_npy"]


def _is_pandas(x: Any, kind: str) -> bool:
    return any(
        c.__name__ == kind and c.__module__.split(".")[0] == "pandas" for c in type(x).__mro__
    )


def is_frame(x: Any) -> bool:
    """Whether `x` is a pandas DataFrame."""
    return _is_pandas(x, "DataFrame")


def is_series(x: Any) -> bool:
    """Whether `x` is a pandas Series."""
    return _is_pandas(x, "Series")


def is_bunch(x: Any) -> bool:
    """Whether `x` is what scikit-learn's dataset functions return."""
    return isinstance(x, dict) and type(x).__name__ == "Bunch" and "data" in x and "target" in x


def array_of(name: str, x: Any) -> np.ndarray[Any, Any]:
    """Return the numbers in `x`: without a copy where it is an array, a Tensor or mapped memory.

    Args:
        name: who asks, for messages.
        x: an array, a Tensor, a nested list of numbers, a DataFrame or a Series. Columns of
            different dtypes take the one that NumPy promotes them to; missing entries are NaN.

    Raises:
        DTypeError: if it holds anything but numbers and booleans.
    """
    if isinstance(x, Tensor):
        return concrete(x, name, strict=True)
    if is_frame(x):
        columns = [_column(name, x.iloc[:, k]) for k in range(x.shape[1])]
        dtype = np.result_type(*columns) if columns else np.dtype(np.float64)
        out = np.empty(x.shape, dtype)
        for k, column in enumerate(columns):
            out[:, k] = column
        return out
    if is_series(x):
        return _column(name, x)
    if hasattr(x, "toarray"):  # a sparse matrix of SciPy
        hint = "call .toarray() on it"
        raise OperandError(message(name, "a dense array", type(x).__name__, hint))
    if isinstance(x, np.ma.MaskedArray):
        hint = "fill it with .filled(value)"
        raise OperandError(message(name, "an array without a mask", "a masked array", hint))
    try:
        array = x if isinstance(x, np.ndarray) else np.asarray(x, literal_dtype(x))
    except (ValueError, TypeError, OverflowError) as error:
        want = "an array, a DataFrame, or numbers in a regular nest of lists"
        raise OperandError(message(name, want, f"{x!r:.60}", str(error))) from None
    check_numeric(name, array.dtype)
    return array


def _column(name: str, series: Any) -> np.ndarray[Any, Any]:
    """Return a Series as an array; one that can miss entries, and does, with NaN."""
    dtype = series.dtype
    if not isinstance(dtype, np.dtype):  # an extension dtype: Int64, boolean, category, string, …
        inner = getattr(dtype, "numpy_dtype", None)
        if isinstance(inner, np.dtype) and inner.kind in "biufc":
            if not series.isna().any():
                return series.to_numpy(inner)
            wide = np.result_type(inner, np.float32 if inner.itemsize <= 2 else np.float64)
            return series.to_numpy(inner if inner.kind in "fc" else wide, na_value=np.nan)
    elif dtype.kind in "biufc":
        return series.to_numpy()
    hint = "encode it as numbers first, for example with .cat.codes or pandas.get_dummies"
    got = f"{dtype} in column {series.name!r}"
    raise DTypeError(message(name, "columns of numbers or booleans", got, hint))


def open_npy(path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """Return the array in a ``.npy`` file, mapped into memory and read-only.

    Raises:
        FileFormatError: if the file is not a whole ``.npy`` file of numbers.
        OSError: if it cannot be opened.
    """
    name = os.fspath(path)
    try:
        if os.path.isfile(name) and os.path.getsize(name) == 0:
            raise ValueError("the file is empty")
        array = np.lib.format.open_memmap(name, mode="r")
        if array.dtype.kind not in "biufc":
            raise ValueError(f"it holds {array.dtype}")
    except (ValueError, TypeError, SyntaxError, OverflowError, RecursionError, MemoryError) as e:
        got = f"{name!r}: {str(e) or type(e).__name__}"
        raise FileFormatError(message("NpyDataset", "a .npy file of numbers", got)) from None
    return array


def one_length(name: str, arrays: Sequence[np.ndarray[Any, Any]]) -> int:
    """Return the length that all arrays share along their first axis."""
    for array in arrays:
        if array.ndim == 0:
            raise OperandError(message(name, "arrays with a first axis", "a 0-d array"))
    lengths = [len(a) for a in arrays]
    if len(set(lengths)) != 1:
        got = ", ".join(map(str, lengths)) or "no array"
        raise OperandError(message(name, "arrays of one length", got))
    return lengths[0]
