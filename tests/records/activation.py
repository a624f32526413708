"""Records of activations, softmax and affine maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from lucid import functional as F  # noqa: N812 - the usual name
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from tests.record import REAL, UNARY, Record


def kinked(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers that keep away from the kink at 0."""
    return np.asarray(rng.choice([-1.7, -0.9, -0.4, 0.3, 0.8, 1.6], shape), dtype)


def softmax(x: Any, axis: int) -> Any:
    return sp.softmax(x, axis).astype(x.dtype) if x.size else x


def log_softmax(x: Any, axis: int) -> Any:
    return sp.log_softmax(x, axis).astype(x.dtype) if x.size else x


def celu(x: Any, a: float) -> Any:
    return np.where(x > 0, x, a * np.expm1(x / a))


def affine(x: Any, w: Any, b: Any = 0) -> Any:
    return x @ w.T + b


AXES: tuple[Any, ...] = (((2, 3),), ((4, 1),), ((3, 2, 2),), ((2, 0),), ((0, 3),))
AFFINE: tuple[Any, ...] = (
    *(((2, 3), (4, 3), (4,)), ((3,), (4, 3), (4,)), ((2, 5, 3), (4, 3), (4,))),
    *(((0, 3), (4, 3), (4,)), ((2, 3), (1, 3), (1,)), ((2, 0), (4, 0), (4,))),
    *(((2, 3), (3,), ()), ((3,), (3,), ()), ((2, 1, 3), (3,), ())),
)
GELU_TANH = np.sqrt(2 / np.pi)

RECORDS = [
    Record(
        "relu", F.relu, lambda x: np.maximum(x, 0), domains=(kinked,), dtypes=REAL, shapes=UNARY
    ),
    Record(
        "keep_positive",
        lambda x, y: bind(OPS["keep_positive"], (x, y)),
        lambda x, y: np.where(y > 0, x, 0),
        domains=((-2, 2), kinked),
        dtypes=REAL,
        diff=(0,),
    ),
    Record(
        "leaky_relu",
        F.leaky_relu,
        lambda x: np.where(x > 0, x, 0.01 * x),
        domains=(kinked,),
        dtypes=REAL,
        shapes=UNARY,
    ),
    Record(
        "leaky_relu",
        lambda x, w: bind(OPS["leaky_relu"], (x, w)),
        lambda x, w: np.where(x > 0, x, w * x),
        domains=(kinked, (-2, 2)),
        dtypes=REAL,
        id="slope",
    ),
    Record(
        "prelu",
        F.prelu,
        lambda x, w: np.where(x > 0, x, w[:, None] * x if x.ndim > 2 else w * x),
        shapes=(((2, 3), (3,)), ((2, 3, 4), (3,)), ((3,), (3,)), ((2, 3), (1,))),
        domains=(kinked, (-2, 2)),
        dtypes=REAL,
    ),
    Record(
        "elu",
        F.elu,
        lambda x: celu(x, 1.0),
        domains=(kinked,),
        dtypes=REAL,
        shapes=UNARY,
    ),
    Record(
        "elu",
        lambda x, a: bind(OPS["elu"], (x, a)),
        lambda x, a: np.where(x > 0, x, a * np.expm1(np.minimum(x, 0))),
        domains=(kinked, (0.5, 2)),
        dtypes=REAL,
        id="alpha",
    ),
    Record(
        "celu",
        lambda x: F.celu(x, 0.5),
        lambda x: celu(x, 0.5),
        domains=(kinked,),
        dtypes=REAL,
        shapes=UNARY,
    ),
    Record("sigmoid", F.sigmoid, sp.expit, domains=((-4, 4),), dtypes=REAL),
    Record("softplus", F.softplus, lambda x: np.logaddexp(0, x), domains=((-4, 4),), dtypes=REAL),
    Record(
        "softplus",
        lambda x: F.softplus(x, 2.0, 1.0),
        lambda x: np.where(2 * x > 1, x, np.logaddexp(0, 2 * x) / 2),
        domains=((-0.4, 0.4),),
        dtypes=REAL,
        id="beta",
    ),
    Record("logsigmoid", F.logsigmoid, sp.log_expit, domains=((-4, 4),), dtypes=REAL),
    Record("silu", F.silu, lambda x: x * sp.expit(x), domains=((-4, 4),), dtypes=REAL),
    Record("gelu", F.gelu, lambda x: x * sp.ndtr(x), domains=((-4, 4),), dtypes=REAL),
    Record(
        "gelu_tanh",
        lambda x: F.gelu(x, "tanh"),
        lambda x: 0.5 * x * (1 + np.tanh(np.asarray(GELU_TANH, x.dtype) * (x + 0.044715 * x**3))),
        dtypes=REAL,
    ),
    Record(
        "normal_cdf",
        lambda x: bind(OPS["normal_cdf"], (x,)),
        sp.ndtr,
        domains=((-4, 4),),
        dtypes=REAL,
    ),
    Record("softmax", F.softmax, lambda x: softmax(x, -1), shapes=AXES, dtypes=REAL),
    Record(
        "softmax",
        lambda x: F.softmax(x, 0),
        lambda x: softmax(x, 0),
        shapes=AXES,
        dtypes=REAL,
        id="first axis",
    ),
    Record("log_softmax", F.log_softmax, lambda x: log_softmax(x, -1), shapes=AXES, dtypes=REAL),
    Record(
        "log_softmax",
        lambda x: F.log_softmax(x, 0),
        lambda x: log_softmax(x, 0),
        shapes=AXES,
        dtypes=REAL,
        id="first axis",
    ),
    Record("linear", F.linear, affine, shapes=AFFINE, domains=((-2, 2),) * 3),
    Record(
        "linear",
        F.linear,
        affine,
        shapes=[case[:2] for case in AFFINE],
        domains=((-2, 2),) * 2,
        id="no bias",
    ),
    Record(
        "bilinear",
        F.bilinear,
        lambda x, y, w, b: np.einsum("...i,oij,...j->...o", x, w, y) + b,
        shapes=(((2, 3), (2, 4), (5, 3, 4), (5,)), ((3,), (4,), (5, 3, 4), (5,))),
        domains=((-2, 2),) * 4,
    ),
]
