"""The one switch: the dtype that Python literals and new parameters take."""

from __future__ import annotations

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

import numpy as np

from lucid.errors import DTypeError, message

__all__ = ["get_default_dtype", "set_default_dtype"]

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
