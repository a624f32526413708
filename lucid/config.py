"""The one switch: the dtype that Python literals and new parameters take."""

from __future__ import annotations

import os
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

import numpy as np

from lucid.errors import DTypeError, OptionError, message

__all__ = [
    "get_compilation_cache",
    "get_default_dtype",
    "set_compilation_cache",
    "set_default_dtype",
]

_default: ContextVar[np.dtype[Any]] = ContextVar(
    "lucid_default_dtype",
    default=np.dtype("float64"),  # noqa: B039 - immutable
)


class set_default_dtype:  # noqa: N801 - a function that also works as a context manager
    """Set the dtype that Python floats and new parameters take.

    The switch takes effect at once; used in a ``with`` statement it is undone at the end.

    Args:
        dtype: ``lucid.float32`` or ``lucid.float64``.

    Raises:
        DTypeError: for any other dtype.

    Example:
        >>> import lucid
        >>> with lucid.set_default_dtype(lucid.float32):
        ...     lucid.asarray(1.0).dtype
        dtype('float32')
        >>> lucid.asarray(1.0).dtype
        dtype('float64')
    """

    _token: Token[np.dtype[Any]]

    def __init__(self, dtype: Any) -> None:
        try:
            new = None if dtype is None else np.dtype(dtype)
        except TypeError:
            new = None
        if new is None or new not in (np.dtype("float32"), np.dtype("float64")):
            raise DTypeError(message("set_default_dtype", "float32 or float64", repr(dtype)))
        self._token = _default.set(new)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _default.reset(self._token)


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype that Python floats and new parameters take.

    Example:
        >>> import lucid
        >>> lucid.get_default_dtype()
        dtype('float64')
    """
    return _default.get()


_directory: list[str | None] = [None]


def set_compilation_cache(directory: str | os.PathLike[str] | None) -> None:
    """Keep what `lucid.jit` compiles in a directory, for this process and later ones.

    Code is found again by the program it comes from, the processor, and the version of LLVM, and
    checked before it is run. It is machine code: use a directory that nobody else can write to.

    Args:
        directory: the directory, made when it is first needed; None, the default, keeps nothing.

    Raises:
        OptionError: if `directory` is no path.

    Example:
        >>> import lucid
        >>> lucid.set_compilation_cache(None)
    """
    if directory is not None and not isinstance(directory, str | os.PathLike):
        got = type(directory).__name__
        raise OptionError(message("set_compilation_cache", "a directory, or None", got))
    _directory[0] = None if directory is None else os.fspath(directory)


def get_compilation_cache() -> str | None:
    """Return the directory that `set_compilation_cache` has set, or None.

    Example:
        >>> import lucid
        >>> lucid.get_compilation_cache() is None
        True
    """
    return _directory[0]
