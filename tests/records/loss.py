"""Records of losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from lucid import functional as F  # noqa: N812 - the usual name
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from tests.record import REAL, Record, integers

PAIR: tuple[Any, ...] = (
    *(((2, 3), (2, 3)), ((), ()), ((4,), (4,)), ((2, 3), ()), ((2, 2, 2), (2, 2, 2))),
)
EMPTY = (((0,), (0,)), ((2, 0), (2, 0)))
CLASSES: tuple[Any, ...] = (((4, 3), (4,)), ((3,), ()), ((2, 3, 2), (2, 2)), ((0, 3), (0,)))


def far(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers whose differences from those between -0.1 and 0.1 keep away from 0 and ±1."""
    return np.asarray(rng.choice([-1.7, -0.6, 0.5, 1.8], shape), dtype)


def square(x: Any, y: Any) -> Any:
    d = x - y
    return (d * np.conj(d)).real


def average(values: Any) -> Any:
    return values.sum() / values.dtype.type(values.size)


def huber(x: Any, y: Any) -> Any:
    a = np.abs(x - y)
    return average(np.where(a <= 1, a * a / 2, a - 0.5).astype(a.dtype))


def picked(x: Any, t: Any, axis: int) -> Any:
    return np.take_along_axis(x, np.expand_dims(t, axis), axis).reshape(t.shape)


def cross_entropy(x: Any, t: Any) -> Any:
    axis = 1 if x.ndim > 1 else 0
    return average(-picked(sp.log_softmax(x, axis).astype(x.dtype), t, axis))


RECORDS = [
    Record(
        "mse_loss",
        F.mse_loss,
        lambda x, y: average(square(x, y)),
        shapes=PAIR,
        domains=((-2, 2),) * 2,
    ),
    Record(
        "mse_loss_sum",
        lambda x, y: F.mse_loss(x, y, "sum"),
        lambda x, y: square(x, y).sum(),
        shapes=PAIR + EMPTY,
        domains=((-2, 2),) * 2,
    ),
    Record(
        "mse_loss_none",
        lambda x, y: F.mse_loss(x, y, None),
        square,
        shapes=PAIR + EMPTY,
        domains=((-2, 2),) * 2,
    ),
    Record(
        "mse_loss",
        lambda x: F.mse_loss(x, 0.5),
        lambda x: average(square(x, x.dtype.type(0.5))),
        shapes=(((2, 3),), ((),)),
        id="number",
    ),
    Record(
        "scaled_difference",
        lambda c, x, y: bind(OPS["scaled_difference"], (c, x, y)),
        lambda c, x, y: c * (x - y),
        domains=((-2, 2),) * 3,
    ),
    Record(
        "l1_loss",
        F.l1_loss,
        lambda x, y: average(np.abs(x - y)),
        shapes=PAIR,
        domains=(far, (-0.1, 0.1)),
        dtypes=REAL,
    ),
    Record("huber_loss", F.huber_loss, huber, shapes=PAIR, domains=(far, (-0.1, 0.1)), dtypes=REAL),
    Record(
        "pick_class",
        lambda x, t: F.nll_loss(x, t, reduction="none"),
        lambda x, t: -picked(x, t, 1 if x.ndim > 1 else 0),
        shapes=CLASSES,
        domains=((-2, 2), integers(0, 3)),
        dtypes=REAL,
    ),
    Record(
        "spread_class",
        lambda x, t: bind(OPS["spread_class"], (x, t), (0, 1, 3)),
        lambda x, t: np.where((np.arange(3)[(..., *(None,) * t.ndim)] == t) & (t != 1), x, x * 0),
        shapes=(((4,), (4,)), ((), ()), ((2, 3), (2, 3)), ((0,), (0,))),
        domains=((-2, 2), integers(0, 3)),
        dtypes=REAL,
    ),
    Record(
        "count_classes",
        lambda t: bind(OPS["count_classes"], (t,), (1, np.dtype("float32"))),
        lambda t: np.asarray(np.sum(t != 1), np.float32),
        shapes=(((4,),), ((),), ((2, 3),), ((0,),)),
        domains=(integers(0, 3),),
        dtypes=("int64",),
        diff=(),
    ),
    Record(
        "cross_entropy",
        F.cross_entropy,
        cross_entropy,
        shapes=CLASSES[:3],
        domains=((-2, 2), integers(0, 3)),
        dtypes=REAL,
    ),
    Record(
        "binary_cross_entropy",
        lambda x, t: F.binary_cross_entropy(x, t, reduction="none"),
        lambda x, t: -t * np.log(x) - (1 - t) * np.log1p(-x),
        shapes=PAIR + EMPTY,
        domains=((0.1, 0.9), (0, 1)),
        dtypes=REAL,
    ),
    Record(
        "binary_cross_entropy_with_logits",
        F.binary_cross_entropy_with_logits,
        lambda x, t: average(np.logaddexp(0, x) - t * x),
        shapes=PAIR,
        domains=((-2, 2), (0, 1)),
        dtypes=REAL,
    ),
    Record(
        "kl_div",
        lambda x, t: F.kl_div(x, t, "sum"),
        lambda x, t: (t * (np.log(t) - x)).sum(),
        shapes=PAIR[:3],
        domains=((-2, 2), (0.1, 0.9)),
        dtypes=REAL,
    ),
]
