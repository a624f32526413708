"""Records of resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates

from lucid import functional as F  # noqa: N812 - the usual name
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from lucid.functional.resample import Rule
from tests.record import INEXACT, REAL, Record

RULE = Rule(3, 5, "linear", True, 0.5)


def line(x: Any) -> Any:
    """Means of neighbours put between them, along axis 1."""
    out = np.empty((x.shape[0], 5, *x.shape[2:]), x.dtype)
    out[:, ::2] = x
    out[:, 1::2] = (x[:, 1:] + x[:, :-1]) / 2
    return out


def looked_up(x: Any, grid: Any) -> Any:
    places = [
        (grid[0, ..., 1] + 1) * (x.shape[2] - 1) / 2,
        (grid[0, ..., 0] + 1) * (x.shape[3] - 1) / 2,
    ]
    return map_coordinates(x[0, 0].astype(float), places, order=1)[None, None].astype(x.dtype)


def off_centre(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Places that are far from those of an image of 3 by 3."""
    return np.asarray(rng.choice([-0.7, -0.4, 0.3, 0.6], shape), dtype)


RECORDS = [
    Record(
        "resample",
        lambda x: bind(OPS["resample"], (x,), (1, RULE, False)),
        line,
        shapes=(((2, 3),), ((1, 3, 2),), ((0, 3),)),
        dtypes=INEXACT,
    ),
    Record(
        "grid_sample",
        lambda x, g: F.grid_sample(x, g, align_corners=True),
        looked_up,
        shapes=(((1, 1, 3, 3), (1, 2, 2, 2)),),
        domains=((-2, 2), off_centre),
        dtypes=REAL,
    ),
]
