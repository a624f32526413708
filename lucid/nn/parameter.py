"""Parameter, and how layers make theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.parameter import Parameter

__all__ = ["Parameter", "blank"]


def blank(shape: Sequence[int], dtype: Any = None) -> Parameter:
    """Return a parameter of zeros, for an initialiser to fill."""
    return Parameter(np.zeros(shape, get_default_dtype() if dtype is None else dtype))
