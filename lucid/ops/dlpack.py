"""DLPack: exchanging arrays with other libraries without a detour over NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.tensor import Tensor, concrete, install, wrap
from lucid.dtypes import check_numeric
from lucid.errors import DetachedArrayError, OperandError, message
from lucid.ops.axes import as_tensor
from lucid.ops.creation import asarray
from lucid.ops.datatypes import check_device

__all__ = ["from_dlpack"]


def from_dlpack(x: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """Convert an array of another library by the DLPack protocol.

    Args:
        x: an object with ``__dlpack__`` and ``__dlpack_device__``, in the memory of the CPU.
        device: None or "cpu".
        copy: False to share the memory of `x`, which must not be written to from then on. By
            default it is copied.

    Returns:
        A Tensor of the shape and dtype of `x`.

    Raises:
        OperandError: if `x` does not speak the protocol, or does not lie on the CPU.
        DTypeError: if its dtype is none of lucid's.

    Example:
        >>> import lucid, numpy
        >>> lucid.from_dlpack(numpy.ones(2))
        Tensor([1., 1.])
    """
    check_device("from_dlpack", device)
    if isinstance(x, Tensor):
        return asarray(x, copy=copy)
    try:
        array = np.from_dlpack(x)
    except (AttributeError, TypeError, RuntimeError, BufferError) as error:
        expected = "an array that exports CPU memory by DLPack"
        raise OperandError(
            message("from_dlpack", expected, type(x).__name__, str(error))
        ) from error
    check_numeric("from_dlpack", array.dtype)
    return wrap(array if copy is False else array.copy(), None)


def _dlpack(
    self: Tensor,
    /,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """Export the value by DLPack: read-only where the consumer knows of it, else as a copy.

    A consumer that ignores the read-only flag, as PyTorch does, must not write to the memory; ask
    it for a copy (``torch.from_dlpack(x, copy=True)``).

    Args:
        self: the Tensor.
        stream: None, as for every array on the CPU.
        max_version: the newest version of DLPack that the consumer understands.
        dl_device: None or the CPU, ``(1, 0)``.
        copy: True for a copy; False for the memory itself, which the consumer must not write to.

    Raises:
        DetachedArrayError: if something differentiates this Tensor.
        ConcretizationError: under `vmap` or `jit`.
    """
    t = as_tensor("__dlpack__", self)  # what a parameter holds
    _check_export(t)
    value = concrete(t, "__dlpack__", strict=True)
    if max_version is None or max_version[0] < 1:
        if copy is None:
            copy = True  # an old consumer cannot be told that the memory is read-only
    else:
        value = value.view()
        value.flags.writeable = False
    return value.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def _check_export(t: Tensor) -> None:
    if t._note is not None:
        hint = "call .detach() first if no derivative is wanted"
        got = f"one watched by {t._note.frame.describe()}"
        expected = "a Tensor that no transformation watches"
        raise DetachedArrayError(message("__dlpack__", expected, got, hint))


def _dlpack_device(self: Tensor, /) -> tuple[int, int]:
    """Return the device as DLPack numbers it: the CPU."""
    return (1, 0)


install({"__dlpack__": _dlpack, "__dlpack_device__": _dlpack_device})
