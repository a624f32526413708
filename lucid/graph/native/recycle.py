"""Memory for results: what nobody holds any more is given out again.

The allocator returns large blocks to the system when they are freed, and touching fresh pages costs
more than computing what goes into them.
"""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["LEAST", "recycler"]

LEAST = 1 << 14  # bytes from which on a page is worth keeping
KEPT = 3  # blocks per result: the one in use, the one before, and one to spare


def recycler(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Callable[[], Any]:
    """Return a function that gives an uninitialised array, whose memory no other array uses.

    An array that is alive holds its block by a reference; so does each view of it.
    """
    size = math.prod(shape) * dtype.itemsize
    blocks: deque[Any] = deque()
    count = sys.getrefcount
    array = np.ndarray

    def make() -> Any:
        for _ in range(len(blocks)):
            try:
                block = blocks.popleft()  # nobody else can look at it now
            except IndexError:
                break
            if count(block) == 2:  # this variable, and the argument of the count
                result = array(shape, dtype, block)
                blocks.append(block)
                return result
            blocks.append(block)
        block = np.empty(size, np.uint8)
        if len(blocks) < KEPT:
            blocks.append(block)
        return array(shape, dtype, block)

    return make
