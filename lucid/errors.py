"""Every exception that lucid raises.

Each class derives from :class:`LucidError` and from the built-in exception that fits, so that
``except ValueError`` written for NumPy keeps working. A message reads
``operation: expected …, got …; hint``.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = [
    "ConcretizationError",
    "DTypeError",
    "DetachedArrayError",
    "FileFormatError",
    "GraphError",
    "ImmutableTensorError",
    "IndexOutOfBoundsError",
    "KeyReusedError",
    "LeakedTensorError",
    "LinAlgError",
    "LucidError",
    "MissingAttributeError",
    "MissingExtraError",
    "NonFiniteError",
    "NotDifferentiableError",
    "OperandError",
    "OptionError",
    "OverflowedError",
    "ShapeError",
    "StateDictError",
    "UnsupportedError",
    "WorkerError",
    "WorkerTimeoutError",
    "message",
    "no_rule",
    "users_line",
]


class LucidError(Exception):
    """Base class of every exception raised by lucid."""


class OperandError(LucidError, TypeError):
    """An argument has a type that the operation does not take."""


class DTypeError(LucidError, TypeError):
    """An argument has a dtype that the operation does not take."""


class ShapeError(LucidError, ValueError):
    """The shapes of the arguments do not fit each other or the operation."""


class IndexOutOfBoundsError(LucidError, IndexError):
    """An index lies outside its axis, or is of a kind that cannot index."""


class LinAlgError(LucidError, ValueError):
    """A matrix is singular, not positive definite, or a factorisation did not converge."""


class OverflowedError(LucidError, OverflowError):
    """A Python number does not fit the dtype that the operation computes in."""


class ImmutableTensorError(LucidError, TypeError):
    """Something tried to change a Tensor in place."""


class NotDifferentiableError(LucidError, TypeError):
    """A derivative was asked for where no rule gives one."""


class ConcretizationError(LucidError, TypeError):
    """A value was asked of a Tensor that, under a transformation, has none of its own."""


class DetachedArrayError(LucidError, TypeError):
    """A Tensor under a transformation was about to become a plain array, losing derivatives."""


class LeakedTensorError(LucidError, RuntimeError):
    """A Tensor outlived the transformation that it belongs to."""


class UnsupportedError(LucidError, NotImplementedError):
    """The combination of operation and transformation has no rule."""


class MissingAttributeError(LucidError, AttributeError):
    """A Module has no such attribute, or its ``__init__`` has not run."""


class OptionError(LucidError, ValueError):
    """An argument has the right type, but a value that is not among those allowed."""


class StateDictError(LucidError, ValueError):
    """A saved state does not fit the object that was to take it."""


class KeyReusedError(LucidError, ValueError):
    """A random key was used a second time, which would give the same numbers again."""


class GraphError(LucidError, TypeError):
    """A function cannot be traced into a graph, or a graph is not well formed."""


class FileFormatError(LucidError, ValueError):
    """A file is truncated, corrupt, or not of the format that it was taken for."""


class WorkerError(LucidError, RuntimeError):
    """A worker of a DataLoader ended, or failed in a way that cannot be raised again here."""


class WorkerTimeoutError(WorkerError, TimeoutError):
    """A worker of a DataLoader did not deliver a batch in time."""


class NonFiniteError(LucidError, ArithmeticError):
    """A number that has to be finite, such as the loss of a training step, is infinite or NaN."""


class MissingExtraError(LucidError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


def message(op: str, expected: str, got: str, hint: str = "") -> str:
    """Return the one sentence that every error of lucid consists of."""
    return f"{op}: expected {expected}, got {got}" + (f"; {hint}" if hint else "")


def no_rule(op: str) -> NotDifferentiableError:
    """Return the error for a derivative that no rule gives."""
    hint = "wrap its argument in lucid.stop_gradient if no derivative is wanted"
    return NotDifferentiableError(message(op, "an operation with a derivative rule", "none", hint))


def users_line() -> str:
    """Return where the innermost code outside lucid and NumPy is, for messages."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in ("lucid", "numpy"):
            return f" (at {frame.f_code.co_filename}:{frame.f_lineno})"
        frame = frame.f_back
    return ""
