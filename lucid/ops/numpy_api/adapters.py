"""All tables of adapters: imported when a NumPy function first meets a Tensor."""

from lucid.ops.numpy_api import (
    choosing,
    elementwise,
    histograms,
    linear,
    polynomials,
    reducing,
    shaping,
    statistical,
)
from lucid.ops.numpy_api.table import ACCUMULATE, FUNCTIONS, NAMED, REDUCE, from_initial

__all__ = [
    "ACCUMULATE",
    "FUNCTIONS",
    "NAMED",
    "REDUCE",
    "choosing",
    "elementwise",
    "from_initial",
    "histograms",
    "linear",
    "polynomials",
    "reducing",
    "shaping",
    "statistical",
]
