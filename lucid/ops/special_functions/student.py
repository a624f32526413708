"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.ops.exponential import log1p
from lucid.ops.select import where
from lucid.ops.special import digamma
from lucid.ops.special_functions.incomplete_beta import betainc_a, betainc_b
from lucid.ops.special_functions.table import function, numeric

__all__ = [
    "stdtr",
    "stdtridf",
    "stdtrit",
    "t_density",
]


def _t_density(df: Any, t: Any) -> Any:
    """Γ((v+1)/2) / (Γ(v/2) √(π v)) (1 + t²/v)^(-(v+1)/2), from B(v/2, 1/2)."""
    return np.exp(-0.5 * (df + 1) * np.log1p(t * t / df)) * _t_peak(df)


def _t_peak(df: Any) -> Any:
    """Γ((v+1)/2) / (Γ(v/2) √(π v)) = Γ(v/2 + 1/2)/Γ(v/2)/√(v π)."""
    small = df < 100
    exact = np.exp(-scipy_special.betaln(0.5 * np.where(small, df, 1.0), 0.5)) / np.sqrt(df)
    return np.where(small, exact, _t_peak_large(np.where(small, 100.0, df)))


def _t_peak_large(df: Any) -> Any:
    """The same for large v, from the asymptotic series of Γ(z + 1/2)/Γ(z) (DLMF 5.11.13)."""
    r = 1 / df
    series = 1 + r * (-1 / 4 + r * (1 / 32 + r * (5 / 128 + r * (-21 / 2048 + r * -399 / 8192))))
    return series / math.sqrt(2 * math.pi)


t_density = function(
    "t_density",
    "Density of Student's t distribution",
    "Γ((v+1)/2) / (Γ(v/2) √(π v)) (1 + t²/v)^(-(v+1)/2)",
    "DLMF 8.17.5",
    "df: degrees of freedom, positive; t: the argument",
    impl=numeric(_t_density),
    partials=(
        lambda ans, df, t: (
            0.5
            * ans
            * (
                digamma(0.5 * (df + 1))
                - digamma(0.5 * df)
                - log1p(t * t / df)
                + (t * t - 1) / (df + t * t)
            )
        ),
        lambda ans, df, t: -ans * (df + 1) * t / (df + t * t),
    ),
)


def _t_df(df: Any, t: Any) -> Any:
    """∂F/∂df: with w = t²/(df + t²), F = 1/2 ± I_w(1/2, df/2)/2 by the sign of t."""
    tt = t * t
    near = tt < df
    # the tail from its own side, so that nothing is lost far out
    low = betainc_b(0.5, 0.5 * df, where(near, tt / (df + tt), 0.5))
    high = -betainc_a(0.5 * df, 0.5, where(near, 0.5, df / (df + tt)))
    by_shape = 0.25 * where(near, low, high)
    side = where(t < 0, -1.0, 1.0)
    return side * by_shape - t_density(df, t) * t / (2 * df)


stdtr = function(
    "stdtr",
    "Cumulative distribution function of Student's t distribution",
    "Γ((v+1)/2) / (Γ(v/2) √(π v)) ∫_-∞^t (1 + s²/v)^(-(v+1)/2) ds, v = df",
    "DLMF 8.17.5",
    "df: degrees of freedom, positive; t: the argument",
    "stdtr(3.0, 1.0) = Tensor(0.80449889)",
    partials=(lambda ans, df, t: _t_df(df, t), lambda ans, df, t: t_density(df, t)),
)

stdtrit = function(
    "stdtrit",
    "Inverse of `stdtr` by t, the t with stdtr(df, t) = p",
    "",
    "DLMF 8.17.5",
    "df: degrees of freedom, positive; p: a probability",
    "stdtrit(3.0, 0.5) = Tensor(0.)",
    partials=(
        lambda ans, df, p: -_t_df(df, ans) / t_density(df, ans),
        lambda ans, df, p: 1 / t_density(df, ans),
    ),
)

stdtridf = function(
    "stdtridf",
    "Inverse of `stdtr` by df, the df with stdtr(df, t) = p",
    "",
    "DLMF 8.17.5",
    "p: a probability; t: the argument",
    partials=(
        lambda ans, p, t: 1 / _t_df(ans, t),
        lambda ans, p, t: -t_density(ans, t) / _t_df(ans, t),
    ),
)
