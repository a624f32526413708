"""Records of recurrent layers: inputs, weight, states, extras, and where sequences go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from lucid.core.dispatch import bind
from lucid.core.op import OPS
from tests.record import REAL, Record


def lstm(x: Any, state: Any, w: Any) -> Any:
    i, f, g, o = np.split(x + state[0] @ w.T, 4, -1)
    c = sp.expit(f) * state[1] + sp.expit(i) * np.tanh(g)
    return sp.expit(o) * np.tanh(c), c


def gru(x: Any, state: Any, w: Any, b: Any) -> Any:
    (xr, xz, xn), (hr, hz, hn) = np.split(x, 3, -1), np.split(state[0] @ w.T, 3, -1)
    z, n = sp.expit(xz + hz), np.tanh(xn + sp.expit(xr + hr) * (hn + b))
    return ((1 - z) * n + z * state[0],)


def plain(activation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, state, w: (activation(x + state[0] @ w.T),)


def loop(step: Callable[..., Any], count: int, extras: int, reverse: bool) -> Callable[..., Any]:
    """The whole layer, one step after the other."""

    def run(x: Any, w: Any, *rest: Any) -> Any:
        state, extra = rest[:count], rest[count : count + extras]
        live = rest[count + extras] if len(rest) > count + extras else None
        every: list[Any] = [None] * len(x)
        for t in reversed(range(len(x))) if reverse else range(len(x)):
            new = step(x[t], state, w, *extra)
            if live is not None:
                new = tuple(np.where(live[t], n, s) for n, s in zip(new, state, strict=True))
            every[t] = state = new
        out = [np.stack([s[k] for s in every]) for k in range(count)]
        return np.stack(out).astype(x.dtype)

    return run


def some(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    return rng.random(shape) < 0.6


def away(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers so far from 0 that what a state adds does not bring them there."""
    return np.asarray(rng.choice([-5.2, -4.1, 4.3, 5.4], shape), dtype)


def rows(name: str, step: Any, gates: int, states: int, extras: int, first: Any) -> list[Record]:
    """Forwards, and backwards with some states kept."""
    shapes = [(3, 2, 2 * gates), (2 * gates, 2), *[(2, 2)] * states, *[(2,)] * extras]
    domains = [first, (-0.5, 0.5), *[(-1, 1)] * (states + extras)]
    return [
        Record(
            name,
            lambda *a: bind(OPS[name], a, (False,)),
            loop(step, states, extras, False),
            shapes=(shapes, [(1, *shapes[0][1:]), *shapes[1:]]),
            domains=domains,
            dtypes=REAL,
        ),
        Record(
            name,
            lambda *a: bind(OPS[name], a, (True,)),
            loop(step, states, extras, True),
            shapes=([*shapes, (3, 2, 1)],),
            domains=[*domains, some],
            dtypes=REAL,
            id="backwards",
        ),
    ]


RECORDS = [
    *rows("lstm_layer", lstm, 4, 2, 0, (-2, 2)),
    *rows("gru_layer", gru, 3, 1, 1, (-2, 2)),
    *rows("rnn_tanh_layer", plain(np.tanh), 1, 1, 0, (-2, 2)),
    *rows("rnn_relu_layer", plain(lambda x: np.maximum(x, 0)), 1, 1, 0, away),
]
