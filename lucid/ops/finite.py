"""Finite numbers put in the place of those that are not."""

from __future__ import annotations

import math

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS
from lucid.core.tensor import Tensor
from lucid.ops.axes import as_tensor
from lucid.ops.compare import isnan
from lucid.ops.select import where

__all__ = ["nan_to_num"]


def nan_to_num(
    x: ArrayLike,
    /,
    *,
    nan: ArrayLike = 0.0,
    posinf: ArrayLike | None = None,
    neginf: ArrayLike | None = None,
) -> Tensor:
    """Replace what is not finite.

    What is replaced has derivative 0.

    Args:
        x: of any shape; integers come back as they are, and of complex numbers each part is
            treated on its own.
        nan: what to put for NaN.
        posinf: what to put for +∞; None: the largest finite number of the dtype.
        neginf: what to put for -∞; None: the smallest.

    Returns:
        The finite values, of the shape and dtype of `x`.

    Example:
        >>> import lucid
        >>> lucid.nan_to_num(lucid.asarray([1.0, lucid.nan, lucid.inf]), posinf=9.0)
        Tensor([1., 0., 9.])
    """
    t = as_tensor("nan_to_num", x, view=True)
    kind = t.dtype.kind
    if kind == "c":
        parts = (
            nan_to_num(apply(OPS[part], (t,)), nan=nan, posinf=posinf, neginf=neginf)
            for part in ("real", "imag")
        )
        return next(parts) + 1j * next(parts)
    if kind != "f":
        return t
    limits = np.finfo(t.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    finite = where(t == math.inf, high, where(t == -math.inf, low, t))
    return where(isnan(t), nan, finite)
