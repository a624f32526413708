"""Records of attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from lucid import functional as F  # noqa: N812 - the usual name
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from tests.record import INEXACT, REAL, Record


def first_key(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Booleans, of which the first along the last axis are True."""
    mask = rng.random(shape) < 0.5
    mask[..., :1] = True
    return mask


def weights(s: Any, mask: Any = None, causal: bool = False) -> Any:
    s = s * s.dtype.type(0.5)
    if mask is not None:
        s = np.where(mask, s, -np.inf) if mask.dtype == bool else s + mask
    if causal:
        s = np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf)
    return sp.softmax(s, -1).astype(s.dtype) if s.size else s


def op(causal: bool = False) -> Any:
    return lambda *a: bind(OPS["attention_weights"], a, (0.5, causal))


SCORES: tuple[Any, ...] = (((2, 3), (2, 3)), ((2, 2, 3), (3,)), ((2, 3, 2), (2, 1, 2)))

RECORDS = [
    Record("attention_weights", op(), weights, shapes=(((2, 3),), ((2, 1, 4),)), dtypes=REAL),
    Record(
        "attention_weights",
        op(True),
        lambda s: weights(s, None, True),
        shapes=(((3, 3),), ((2, 2, 4),), ((3, 2),)),
        dtypes=REAL,
        id="causal",
    ),
    Record(
        "attention_weights",
        op(),
        weights,
        shapes=SCORES,
        domains=((-2, 2), (-2, 2)),
        dtypes=REAL,
        id="added mask",
    ),
    Record(
        "attention_weights",
        op(),
        weights,
        shapes=SCORES,
        domains=((-2, 2), first_key),
        dtypes=REAL,
        id="boolean mask",
    ),
    Record(
        "scaled_dot_product_attention",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=0.5),
        lambda q, k, v: weights(q @ np.swapaxes(k, -1, -2)) @ v,
        shapes=(((2, 3), (4, 3), (4, 2)), ((2, 2, 3), (2, 2, 3), (2, 2, 1))),
        domains=((-1, 1),) * 3,
        dtypes=REAL,
    ),
    Record(
        "divide_axis",
        lambda x: bind(OPS["divide_axis"], (x,), (3, 1)),
        lambda x: tuple(np.split(x, 3, 1)),
        shapes=(((2, 3),), ((2, 6, 2),), ((0, 3),)),
        dtypes=INEXACT,
    ),
]
