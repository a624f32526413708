"""The noncentral t distribution, by moments over the chi distribution of its denominator."""

from __future__ import annotations

from typing import Any

from lucid.ops.special_functions.statistics import (
    noncentral_t_df,
    noncentral_t_kernel,
)
from lucid.ops.special_functions.table import NoRule, function, numeric

__all__ = ["nctdtr", "nctdtridf", "nctdtrinc", "nctdtrit"]

_SECOND = NoRule("no rule for the second derivative by degrees of freedom is written")
_THIRD = NoRule("it is itself a second derivative, and no rule for the third is written")

# -- t: E[s^k φ(t s - nc)] for s² the mean of df squared normals -----------------------------------


def _moment(name: str, power: int, by_df: bool, partials: Any) -> Any:
    what = "Derivative by df of the mean" if by_df else "Mean"
    return function(
        name,
        f"{what} of s^{power} φ(t s - nc), where df s² is chi-square with df degrees of freedom",
        f"E[s^{power} φ(t s - nc)]",
        "trapezoidal rule on an analytic integrand",
        "df: degrees of freedom; nc: the noncentrality; t: the argument",
        impl=numeric(lambda df, nc, t: noncentral_t_kernel(df, nc, t, power, by_df)),
        partials=partials,
    )


def _ladder(k: int) -> Any:
    """The derivatives of the k-th moment: φ'(u) = -u φ(u) with u = t s - nc."""

    def by_nc(ans: Any, df: Any, nc: Any, t: Any) -> Any:
        return t * _MOMENTS[k + 1](df, nc, t) - nc * ans

    def by_t(ans: Any, df: Any, nc: Any, t: Any) -> Any:
        return nc * _MOMENTS[k + 1](df, nc, t) - t * _MOMENTS[k + 2](df, nc, t)

    by_df = _BY_DF[k] if k < 2 else None
    first = _SECOND if by_df is None else lambda ans, df, nc, t: by_df(df, nc, t)
    return (first, by_nc, by_t)


_LAST = NoRule("derivatives of the noncentral t distribution end at the third")
_BY_DF = [_moment(f"nct_moment{k}_df", k, True, (_THIRD,) * 3) for k in range(2)]
_MOMENTS = [
    _moment(f"nct_moment{k}", k, False, _ladder(k) if k < 4 else (_SECOND, _LAST, _LAST))
    for k in range(6)
]

nctdtr_df = function(
    "nctdtr_df",
    "Derivative of `nctdtr` by df",
    "",
    "trapezoidal rule on an analytic integrand",
    "df: degrees of freedom; nc: the noncentrality; t: the argument",
    impl=numeric(noncentral_t_df),
    partials=(
        _SECOND,
        lambda ans, df, nc, t: -_BY_DF[0](df, nc, t),
        lambda ans, df, nc, t: _BY_DF[1](df, nc, t),
    ),
)

_T = "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, chapter 31"

nctdtr = function(
    "nctdtr",
    "Cumulative distribution function of the noncentral t distribution",
    "E[Φ(t s - nc)], where df s² is chi-square with df degrees of freedom",
    _T,
    "df: degrees of freedom; nc: the noncentrality; t: the argument",
    "nctdtr(3.0, 0.0, 1.0) = Tensor(0.80449889)",
    partials=(
        lambda ans, df, nc, t: nctdtr_df(df, nc, t),
        lambda ans, df, nc, t: -_MOMENTS[0](df, nc, t),
        lambda ans, df, nc, t: _MOMENTS[1](df, nc, t),
    ),
)
nctdtrit = function(
    "nctdtrit",
    "Inverse of `nctdtr` by t",
    "",
    _T,
    "df: degrees of freedom; nc: the noncentrality; p: a probability",
    partials=(
        lambda ans, df, nc, p: -nctdtr_df(df, nc, ans) / _MOMENTS[1](df, nc, ans),
        lambda ans, df, nc, p: _MOMENTS[0](df, nc, ans) / _MOMENTS[1](df, nc, ans),
        lambda ans, df, nc, p: 1 / _MOMENTS[1](df, nc, ans),
    ),
)
nctdtrinc = function(
    "nctdtrinc",
    "Inverse of `nctdtr` by nc",
    "",
    _T,
    "df: degrees of freedom; p: a probability; t: the argument",
    partials=(
        lambda ans, df, p, t: nctdtr_df(df, ans, t) / _MOMENTS[0](df, ans, t),
        lambda ans, df, p, t: -1 / _MOMENTS[0](df, ans, t),
        lambda ans, df, p, t: _MOMENTS[1](df, ans, t) / _MOMENTS[0](df, ans, t),
    ),
)
nctdtridf = function(
    "nctdtridf",
    "Inverse of `nctdtr` by df",
    "",
    _T,
    "p: a probability; nc: the noncentrality; t: the argument",
    partials=(
        lambda ans, p, nc, t: 1 / nctdtr_df(ans, nc, t),
        lambda ans, p, nc, t: _MOMENTS[0](ans, nc, t) / nctdtr_df(ans, nc, t),
        lambda ans, p, nc, t: -_MOMENTS[1](ans, nc, t) / nctdtr_df(ans, nc, t),
    ),
)
