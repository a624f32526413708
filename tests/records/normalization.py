"""Records of normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid import functional as F  # noqa: N812 - the usual name
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from tests.record import REAL, Record


def spread_out(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers whose variance is far from 0."""
    ramp = np.linspace(-2, 2, max(int(np.prod(shape)), 1))[: int(np.prod(shape))]
    return np.asarray(ramp.reshape(shape) + rng.uniform(-0.2, 0.2, shape), dtype)


def standardize(x: Any, axes: Any, w: Any = 1, b: Any = 0, centred: bool = True) -> Any:
    d = x - x.mean(axes, keepdims=True) if centred else x
    y = d / np.sqrt((d * d).mean(axes, keepdims=True) + np.asarray(0.1, x.dtype))
    return (y * w + b).astype(x.dtype)


def op(axes: Any, centred: bool = True) -> Any:
    return lambda *a: bind(OPS["standardize"], a, (axes, 0.1, centred))


def lrn(x: Any) -> Any:
    wide = np.pad(x * x, ((0, 0), (1, 1), (0, 0)))
    mean = (wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]) / 3
    return (x / (1 + x.dtype.type(0.5) * mean) ** 0.75).astype(x.dtype)


LAST: tuple[Any, ...] = (((2, 3), (3,), (3,)), ((2, 4, 3), (3,), (3,)), ((3,), (3,), (3,)))

RECORDS = [
    Record(
        "standardize",
        op((1,)),
        lambda x: standardize(x, 1),
        shapes=(((2, 3),), ((2, 3, 2),), ((0, 3),)),
        domains=(spread_out,),
        dtypes=REAL,
    ),
    Record(
        "standardize",
        op((0, 2), False),
        lambda x: standardize(x, (0, 2), centred=False),
        shapes=(((2, 3, 2),),),
        domains=(spread_out,),
        dtypes=REAL,
        id="root mean square",
    ),
    Record(
        "standardize",
        op((0, 2)),
        lambda x, w, b: standardize(x, (0, 2), w, b),
        shapes=(((2, 3, 2), (3, 1), (3, 1)), ((3, 1, 4), (1, 1), (4,))),
        domains=(spread_out, (-2, 2), (-2, 2)),
        dtypes=REAL,
        id="channels",
    ),
    Record(
        "standardize",
        lambda x, w, b: op((x.ndim - 1,))(x, w, b),
        lambda x, w, b: standardize(x, -1, w, b),
        shapes=LAST,
        domains=(spread_out, (-2, 2), (-2, 2)),
        dtypes=REAL,
        id="affine",
    ),
    Record(
        "layer_norm",
        lambda x, w, b: F.layer_norm(x, 3, w, b, 0.1),
        lambda x, w, b: standardize(x, -1, w, b),
        shapes=LAST,
        domains=(spread_out, (-2, 2), (-2, 2)),
        dtypes=REAL,
    ),
    Record(
        "rms_norm",
        lambda x, w: F.rms_norm(x, 3, w, 0.1),
        lambda x, w: standardize(x, -1, w, centred=False),
        shapes=[case[:2] for case in LAST],
        domains=(spread_out, (-2, 2)),
        dtypes=REAL,
    ),
    Record(
        "local_response_norm",
        lambda x: F.local_response_norm(x, 3, 0.5),
        lrn,
        shapes=(((2, 3, 2),),),
        dtypes=REAL,
    ),
    Record(
        "normalize",
        lambda x: F.normalize(x, dim=-1),
        lambda x: x / np.sqrt((x * x).sum(-1, keepdims=True)),
        shapes=(((2, 3),), ((3,),)),
        domains=(spread_out,),
        dtypes=REAL,
    ),
]
