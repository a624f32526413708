"""Resampling along one axis: a product with a sparse matrix, which a rule of places gives."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from lucid._lazy import scipy_sparse
from lucid.core.define import linear
from lucid.core.dispatch import apply
from lucid.core.op import Aval
from lucid.core.tensor import Tensor

__all__ = ["Rule", "resample"]


class Rule(NamedTuple):
    """From which places of an axis each place of the resampled one is made, and with what weights.

    Attributes:
        size: the length of the axis.
        wanted: that of the resampled one.
        mode: "nearest", "nearest-exact", "linear", "cubic" or "area".
        corners: whether the first and last places stay where they are, and not the outer edges.
        step: how far apart the resampled places are.
        wide: whether weights reach as far as the resampled places are apart.
    """

    size: int
    wanted: int
    mode: str
    corners: bool
    step: float
    wide: bool = False


def resample(x: Tensor, axis: int, rule: Rule) -> Tensor:
    """Return an array resampled along a non-negative axis."""
    return apply(_op, (x,), (axis, rule, False))


def _taps(rule: Rule) -> tuple[Any, Any]:
    """Return places and weights, each of shape (wanted, taps); places may lie outside."""
    i = np.arange(rule.wanted)
    if rule.mode == "nearest":
        return np.floor(i * rule.step).astype(int)[:, None], np.ones((rule.wanted, 1))
    if rule.mode == "nearest-exact":
        return np.floor((i + 0.5) * rule.step).astype(int)[:, None], np.ones((rule.wanted, 1))
    if rule.mode == "area":
        first, last = i * rule.size // rule.wanted, -(-(i + 1) * rule.size // rule.wanted)
        places = first[:, None] + np.arange((last - first).max(initial=1))
        inside = places < last[:, None]
        return np.where(inside, places, 0), inside / (last - first)[:, None]
    if rule.wide:
        return _wide(rule)
    at = i * rule.step if rule.corners else (i + 0.5) * rule.step - 0.5
    if rule.mode == "linear":
        at = np.maximum(at, 0)
        low = np.floor(at).astype(int)
        part = (at - low)[:, None]
        return low[:, None] + np.arange(2), np.concatenate([1 - part, part], 1)
    low = np.floor(at).astype(int)
    places = low[:, None] + np.arange(-1, 3)
    return places, cubic(at[:, None] - places, -0.75)


def cubic(x: Any, a: float) -> Any:
    """Return the weights of cubic convolution at distances x (Keys, 1981)."""
    d = abs(x)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _wide(rule: Rule) -> tuple[Any, Any]:
    stretch = max(rule.step, 1)
    reach = (1 if rule.mode == "linear" else 2) * stretch
    centre = rule.step * (np.arange(rule.wanted) + 0.5)
    first = np.maximum((centre - reach + 0.5).astype(int), 0)
    last = np.minimum((centre + reach + 0.5).astype(int), rule.size)
    places = first[:, None] + np.arange((last - first).max(initial=1))
    d = (places - centre[:, None] + 0.5) / stretch
    weights = np.maximum(1 - abs(d), 0) if rule.mode == "linear" else cubic(d, -0.5)
    weights = np.where(places < last[:, None], weights, 0)
    return np.minimum(places, rule.size - 1), weights / weights.sum(1, keepdims=True)


@functools.lru_cache(maxsize=64)
def _matrix(rule: Rule, transposed: bool, dtype: np.dtype[Any]) -> Any:
    """Return the matrix of a rule, in which places outside are those at the end."""
    places, weights = _taps(rule)
    columns = np.clip(places, 0, rule.size - 1).ravel()
    rows = np.repeat(np.arange(rule.wanted), places.shape[1])
    entries = (weights.ravel().astype(dtype), (rows, columns))
    matrix = scipy_sparse.coo_matrix(entries, (rule.wanted, rule.size)).tocsr()
    return matrix.T.tocsr() if transposed else matrix


def _lengths(shape: Any, axis: int, rule: Rule, transposed: bool) -> tuple[int, ...]:
    return (*shape[:axis], rule.size if transposed else rule.wanted, *shape[axis + 1 :])


def _impl(x: Any, axis: int, rule: Rule, transposed: bool) -> Any:
    first = np.moveaxis(x, axis, 0)
    flat = first.reshape(first.shape[0], math.prod(first.shape[1:]))
    ans = _matrix(rule, transposed, x.real.dtype) @ flat
    shape = _lengths(x.shape, axis, rule, transposed)
    ans = np.moveaxis(ans.reshape(shape[axis], *first.shape[1:]), 0, axis)
    return np.ascontiguousarray(ans)


_op = linear(
    "resample",
    _impl,
    transpose=lambda ct, x, axis, rule, transposed: apply(_op, (ct,), (axis, rule, not transposed)),
    batch=lambda x, axis, rule, transposed: apply(_op, (x,), (axis + 1, rule, transposed)),
    infer=lambda x, *params: Aval(_lengths(x.shape, *params), x.dtype),
    mixes=True,  # weights of cubics are negative in part
)
