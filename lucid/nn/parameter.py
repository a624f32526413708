"""Parameter, how layers make theirs, and how they are converted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.parameter import Parameter
from lucid.core.tensor import Tensor

__all__ = ["Parameter", "blank", "convert"]


def blank(shape: Sequence[int], dtype: Any = None) -> Parameter:
    """Return a parameter of zeros, for an initialiser to fill."""
    return Parameter(np.zeros(shape, get_default_dtype() if dtype is None else dtype))


def convert(value: Any, want: np.dtype[Any]) -> Any:
    """Return a slot's content in a dtype; a Parameter stays the same cell."""
    if not isinstance(value, Tensor) or value.dtype.kind not in "fc":
        return value
    if value.dtype.kind == "c" and want.kind == "f":
        want = np.result_type(want, np.complex64)
    if not isinstance(value, Parameter):
        return value.astype(want)
    value.recast(want)
    return value
