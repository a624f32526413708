"""What the array API standard asks of a namespace about itself."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.tensor import Tensor, install
from lucid.dtypes import default_complex
from lucid.errors import OperandError, message

__all__ = ["ArrayNamespaceInfo", "__array_namespace_info__"]

_KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_KINDS["integral"] = _KINDS["signed integer"] + _KINDS["unsigned integer"]
_KINDS["numeric"] = _KINDS["integral"] + _KINDS["real floating"] + _KINDS["complex floating"]


class ArrayNamespaceInfo:
    """Answers of the namespace `lucid` to the array API's inspection functions."""

    def capabilities(self) -> dict[str, Any]:
        """Return which optional parts of the standard exist.

        Example:
            >>> import lucid
            >>> lucid.__array_namespace_info__().capabilities()["max dimensions"]
            64
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Return the device that new arrays are on.

        Example:
            >>> import lucid
            >>> lucid.__array_namespace_info__().default_device()
            'cpu'
        """
        return "cpu"

    def devices(self) -> tuple[str, ...]:
        """Return all devices.

        Example:
            >>> import lucid
            >>> lucid.__array_namespace_info__().devices()
            ('cpu',)
        """
        return ("cpu",)

    def default_dtypes(self, *, device: str | None = None) -> dict[str, np.dtype[Any]]:
        """Return the dtype that each kind of Python number takes.

        Example:
            >>> import lucid
            >>> lucid.__array_namespace_info__().default_dtypes()["integral"]
            dtype('int64')
        """
        _check_device(device)
        return {
            "real floating": get_default_dtype(),
            "complex floating": default_complex(),
            "integral": np.dtype("int64"),
            "indexing": np.dtype("int64"),
        }

    def dtypes(
        self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, np.dtype[Any]]:
        """Return the dtypes by name, all or those of a kind or several kinds.

        Raises:
            OperandError: for a kind or device that does not exist.

        Example:
            >>> import lucid
            >>> list(lucid.__array_namespace_info__().dtypes(kind="real floating"))
            ['float32', 'float64']
        """
        _check_device(device)
        kinds = (
            ("bool", "numeric") if kind is None else kind if isinstance(kind, tuple) else (kind,)
        )
        for k in kinds:
            if k not in _KINDS:
                raise OperandError(message("dtypes", f"a kind among {[*_KINDS]}", repr(k)))
        return {name: np.dtype(name) for k in kinds for name in _KINDS[k]}


def _namespace(self: Tensor, /, *, api_version: str | None = None) -> Any:
    """Return the namespace of the array API's functions: lucid itself."""
    if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12", "2025.12"):
        raise OperandError(message("__array_namespace__", "a version up to 2025.12", api_version))
    return sys.modules["lucid"]


install({"__array_namespace__": _namespace})


def _check_device(device: str | None) -> None:
    if device not in (None, "cpu"):
        raise OperandError(message("device", '"cpu" or None', repr(device)))


def __array_namespace_info__() -> ArrayNamespaceInfo:  # noqa: N807 - the standard's name
    """Return the array API standard's inspection object for lucid.

    Example:
        >>> import lucid
        >>> lucid.__array_namespace_info__().devices()
        ('cpu',)
    """
    return ArrayNamespaceInfo()
