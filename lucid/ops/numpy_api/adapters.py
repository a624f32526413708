"""All tables of adapters: imported when a NumPy function first meets a Tensor."""

from lucid.ops.numpy_api import linear, reducing, shaping, statistical
from lucid.ops.numpy_api.table import ACCUMULATE, FUNCTIONS, NAMED, REDUCE

__all__ = [
    "ACCUMULATE",
    "FUNCTIONS",
    "NAMED",
    "REDUCE",
    "linear",
    "reducing",
    "shaping",
    "statistical",
]
