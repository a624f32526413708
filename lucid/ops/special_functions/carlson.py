"""Kernels for the derivatives of Carlson's R_D, by his duplication algorithm on jets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.ops.special_functions.jet import Jet

__all__ = ["elliprd_taylor"]


def elliprd_taylor(x: Any, y: Any, z: Any, direction: tuple[int, int, int], order: int) -> Any:
    """Return the derivative of the given order of R_D along a direction.

    Carlson, Numerical Algorithms 10 (1995). A fixed number of duplications brings the arguments so
    close together that the series about their mean is exact to rounding, derivatives included.
    """
    dtype = np.result_type(x, y, z)
    if dtype.kind not in "fc":
        dtype = np.dtype(np.float64)
    wide = np.dtype(np.complex128 if dtype.kind == "c" else np.float64)
    arrays = np.broadcast_arrays(*(np.asarray(t, wide) for t in (x, y, z)))
    with np.errstate(all="ignore"):
        jets = [Jet.variable(t, d, order) for t, d in zip(arrays, direction, strict=True)]
        total: Any = Jet([np.zeros_like(arrays[0])] * (order + 1))
        scale = 1.0
        for _ in range(_STEPS):
            roots = [t.sqrt() for t in jets]
            lam = roots[0] * roots[1] + roots[0] * roots[2] + roots[1] * roots[2]
            total = total + (scale / (roots[2] * (jets[2] + lam))) * 3.0
            scale *= 0.25
            jets = [(t + lam) * 0.25 for t in jets]
        mean = (jets[0] + jets[1] + jets[2] * 3.0) * 0.2
        ex, ey = (mean - jets[0]) / mean, (mean - jets[1]) / mean
        ez = (ex + ey) * (-1 / 3)
        total = total + _series(ex, ey, ez) * scale / (mean * mean.sqrt())
        out = total.c[order] * math.factorial(order)
    real = [np.real(t) for t in arrays]
    return np.asarray(np.where(np.isnan(sum(real)), np.nan, out)).astype(dtype)


_STEPS = 16


def _series(ex: Jet, ey: Jet, ez: Jet) -> Jet:
    """The expansion about equal arguments (DLMF 19.36.2)."""
    xy, zz = ex * ey, ez * ez
    e2 = xy - zz * 6.0
    e3 = (xy * 3.0 - zz * 8.0) * ez
    e4 = (xy - zz) * zz * 3.0
    e5 = xy * zz * ez
    return (
        e2 * (-3 / 14)
        + e3 * (1 / 6)
        + e2 * e2 * (9 / 88)
        + e4 * (-3 / 22)
        + e2 * e3 * (-9 / 52)
        + e5 * (3 / 26)
        + 1.0
    )
