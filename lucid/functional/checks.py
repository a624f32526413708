"""What the functions of this package check, and how losses reduce."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OptionError, ShapeError, message

__all__ = ["check_real", "check_same_shape", "reduce_loss", "reduction_of", "shape_of"]


def reduction_of(name: str, reduction: Any, *more: str) -> str:
    """Return a loss's reduction, "none" for None; `more` are further ones that it takes."""
    if reduction in ("mean", "sum", "none", *more):
        return reduction
    if reduction is None:
        return "none"
    allowed = ", ".join(repr(r) for r in ("mean", "sum", "none", *more))
    raise OptionError(message(name, f"reduction {allowed} or None", repr(reduction)))


def reduce_loss(losses: Tensor, reduction: str) -> Tensor:
    """Return the mean or the sum of losses, or the losses themselves."""
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape of an operand as the user gave it."""
    return x.shape if isinstance(x, Tensor | np.ndarray) else np.shape(x)


def check_same_shape(name: str, x: Any, target: Any) -> None:
    """Raise unless a loss's target is a scalar or has the input's shape."""
    got, want = shape_of(target), shape_of(x)
    if got != want and got:
        hint = "reshape one of them: a loss does not broadcast"
        shapes = f"a target of shape {got}"
        raise ShapeError(message(name, f"a target of shape {want} or a scalar", shapes, hint))


def check_real(name: str, x: Tensor) -> Tensor:
    """Return an operand, or raise if it is complex."""
    if x.dtype.kind == "c":
        raise DTypeError(message(name, "a real operand", str(x.dtype), "take .real or abs() of it"))
    return x
