"""Noncentral distributions, and those of the Kolmogorov and Smirnov statistics."""

from __future__ import annotations

from typing import Any

from lucid.ops.exponential import exp, log, log1p
from lucid.ops.power import sqrt
from lucid.ops.select import where
from lucid.ops.special_functions.bessel import ive
from lucid.ops.special_functions.gamma import betaln
from lucid.ops.special_functions.hypergeometric import hyp1f1
from lucid.ops.special_functions.incomplete_gamma import gamma_density
from lucid.ops.special_functions.statistics import (
    kolmogorov_kernel,
    noncentral_t_kernel,
    smirnov_kernel,
)
from lucid.ops.special_functions.table import DISCRETE, NoRule, function, numeric

__all__ = [
    "chndtr",
    "chndtridf",
    "chndtrinc",
    "chndtrix",
    "kolmogi",
    "kolmogorov",
    "ncfdtr",
    "ncfdtri",
    "ncfdtridfd",
    "ncfdtridfn",
    "ncfdtrinc",
    "nctdtr",
    "nctdtridf",
    "nctdtrinc",
    "nctdtrit",
    "smirnov",
    "smirnovi",
]

_DF = NoRule("no closed form gives the derivative by the degrees of freedom")
_IMPLICIT = NoRule("it needs the derivative by the degrees of freedom, which has no closed form")

# -- chi-square ------------------------------------------------------------------------------------


def _chi2_density(x: Any, df: Any, nc: Any) -> Any:
    """(x/nc)^((df-2)/4) exp(-(√x - √nc)²/2) e^-√(nc x) I_{df/2-1}(√(nc x)) / 2."""
    central = nc * x <= 1e-16
    shift = where(central, 1.0, nc)
    a, b = sqrt(x), sqrt(shift)
    power = exp(0.5 * (0.5 * df - 1) * log(x / shift) - 0.5 * (a - b) * (a - b))
    value = 0.5 * power * ive(0.5 * df - 1, a * b)
    return where(central, 0.5 * gamma_density(0.5 * df, 0.5 * x), value)


def _chi2_nc(x: Any, df: Any, nc: Any) -> Any:
    """∂F/∂nc = -f(x; df + 2, nc)."""
    return -_chi2_density(x, df + 2, nc)


chndtr = function(
    "chndtr",
    "Cumulative distribution function of the noncentral chi-square distribution",
    "Σ_j exp(-nc/2) (nc/2)^j/j! P(df/2 + j, x/2)",
    "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, chapter 29",
    "x: the argument, positive; df: degrees of freedom; nc: the noncentrality, not negative",
    "chndtr(1.0, 2.0, 0.0) = Tensor(0.39346934)",
    partials=(
        lambda ans, x, df, nc: _chi2_density(x, df, nc),
        _DF,
        lambda ans, x, df, nc: _chi2_nc(x, df, nc),
    ),
)
chndtrix = function(
    "chndtrix",
    "Inverse of `chndtr` by x",
    "",
    "Johnson, Kotz and Balakrishnan, chapter 29",
    "p: a probability; df: degrees of freedom; nc: the noncentrality",
    partials=(
        lambda ans, p, df, nc: 1 / _chi2_density(ans, df, nc),
        _DF,
        lambda ans, p, df, nc: -_chi2_nc(ans, df, nc) / _chi2_density(ans, df, nc),
    ),
)
chndtrinc = function(
    "chndtrinc",
    "Inverse of `chndtr` by nc",
    "",
    "Johnson, Kotz and Balakrishnan, chapter 29",
    "x: the argument; df: degrees of freedom; p: a probability",
    partials=(
        lambda ans, x, df, p: -_chi2_density(x, df, ans) / _chi2_nc(x, df, ans),
        _DF,
        lambda ans, x, df, p: 1 / _chi2_nc(x, df, ans),
    ),
)
chndtridf = function(
    "chndtridf",
    "Inverse of `chndtr` by df",
    "",
    "Johnson, Kotz and Balakrishnan, chapter 29",
    "x: the argument; p: a probability; nc: the noncentrality",
    partials=(_IMPLICIT, _IMPLICIT, _IMPLICIT),
)

# -- F ---------------------------------------------------------------------------------------------


def _f_parts(dfn: Any, dfd: Any, nc: Any, f: Any) -> tuple[Any, Any, Any]:
    """A = dfn/2, w = dfn f/(dfd + dfn f), and ln(w^a (1-w)^b/B(a, b)) - nc/2 with b = dfd/2."""
    a, b = 0.5 * dfn, 0.5 * dfd
    ratio = dfn * f / dfd
    front = a * log(ratio) - (a + b) * log1p(ratio) - betaln(a, b) - 0.5 * nc
    return a, ratio / (1 + ratio), exp(front)


def _f_density(dfn: Any, dfd: Any, nc: Any, f: Any) -> Any:
    a, w, front = _f_parts(dfn, dfd, nc, f)
    return front / f * hyp1f1(a + 0.5 * dfd, a, 0.5 * nc * w)


def _f_nc(dfn: Any, dfd: Any, nc: Any, f: Any) -> Any:
    a, w, front = _f_parts(dfn, dfd, nc, f)
    return -0.5 * front / a * hyp1f1(a + 0.5 * dfd, a + 1, 0.5 * nc * w)


_F = (
    "dfn: degrees of freedom of the numerator; dfd: those of the denominator; nc: the noncentrality"
)
_JKB = "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, chapter 30"

ncfdtr = function(
    "ncfdtr",
    "Cumulative distribution function of the noncentral F distribution",
    "Σ_j exp(-nc/2) (nc/2)^j/j! I_w(dfn/2 + j, dfd/2), w = dfn f/(dfn f + dfd)",
    _JKB,
    f"{_F}; f: the argument, positive",
    "ncfdtr(2.0, 3.0, 0.0, 1.0) = Tensor(0.535242)",
    partials=(
        _DF,
        _DF,
        lambda ans, dfn, dfd, nc, f: _f_nc(dfn, dfd, nc, f),
        lambda ans, dfn, dfd, nc, f: _f_density(dfn, dfd, nc, f),
    ),
)
ncfdtri = function(
    "ncfdtri",
    "Inverse of `ncfdtr` by f",
    "",
    _JKB,
    f"{_F}; p: a probability",
    partials=(
        _DF,
        _DF,
        lambda ans, dfn, dfd, nc, p: -_f_nc(dfn, dfd, nc, ans) / _f_density(dfn, dfd, nc, ans),
        lambda ans, dfn, dfd, nc, p: 1 / _f_density(dfn, dfd, nc, ans),
    ),
)
ncfdtrinc = function(
    "ncfdtrinc",
    "Inverse of `ncfdtr` by nc",
    "",
    _JKB,
    "dfn: degrees of freedom of the numerator; dfd: those of the denominator; p: a probability; "
    "f: the argument",
    partials=(
        _DF,
        _DF,
        lambda ans, dfn, dfd, p, f: 1 / _f_nc(dfn, dfd, ans, f),
        lambda ans, dfn, dfd, p, f: -_f_density(dfn, dfd, ans, f) / _f_nc(dfn, dfd, ans, f),
    ),
)
ncfdtridfd = function(
    "ncfdtridfd",
    "Inverse of `ncfdtr` by dfd",
    "",
    _JKB,
    "dfn: degrees of freedom of the numerator; p: a probability; nc: the noncentrality; "
    "f: the argument",
    partials=(_IMPLICIT,) * 4,
)
ncfdtridfn = function(
    "ncfdtridfn",
    "Inverse of `ncfdtr` by dfn",
    "",
    _JKB,
    "p: a probability; dfd: degrees of freedom of the denominator; nc: the noncentrality; "
    "f: the argument",
    partials=(_IMPLICIT,) * 4,
)

# -- t: E[s^k φ(t s - nc)] for s² the mean of df squared normals -----------------------------------


def _moment(name: str, power: int, partials: Any) -> Any:
    return function(
        name,
        f"Mean of s^{power} φ(t s - nc), where df s² is chi-square with df degrees of freedom",
        f"E[s^{power} φ(t s - nc)]",
        "trapezoidal rule on an analytic integrand of one sign",
        "df: degrees of freedom; nc: the noncentrality; t: the argument",
        impl=numeric(lambda df, nc, t: noncentral_t_kernel(df, nc, t, power)),
        partials=partials,
    )


def _ladder(k: int) -> Any:
    """The derivatives of the k-th moment: φ'(u) = -u φ(u) with u = t s - nc."""

    def by_nc(ans: Any, df: Any, nc: Any, t: Any) -> Any:
        return t * _MOMENTS[k + 1](df, nc, t) - nc * ans

    def by_t(ans: Any, df: Any, nc: Any, t: Any) -> Any:
        return nc * _MOMENTS[k + 1](df, nc, t) - t * _MOMENTS[k + 2](df, nc, t)

    return (_DF, by_nc, by_t)


_LAST = NoRule("derivatives of the noncentral t distribution end at the third")
_MOMENTS = [
    _moment(f"nct_moment{k}", k, _ladder(k) if k < 4 else (_DF, _LAST, _LAST)) for k in range(6)
]

_T = "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, chapter 31"

nctdtr = function(
    "nctdtr",
    "Cumulative distribution function of the noncentral t distribution",
    "E[Φ(t s - nc)], where df s² is chi-square with df degrees of freedom",
    _T,
    "df: degrees of freedom; nc: the noncentrality; t: the argument",
    "nctdtr(3.0, 0.0, 1.0) = Tensor(0.80449889)",
    partials=(
        _DF,
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
        _DF,
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
        _DF,
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
    partials=(_IMPLICIT,) * 3,
)

# -- Kolmogorov and Smirnov ------------------------------------------------------------------------

kolmogorov_2 = function(
    "kolmogorov_2",
    "Second derivative of the survival function of Kolmogorov's statistic",
    "",
    "its two theta series",
    "y: the argument",
    impl=numeric(lambda y: kolmogorov_kernel(y, 2)),
    partials=(NoRule("it is itself a second derivative, and no rule for the third is written"),),
)
kolmogorov_1 = function(
    "kolmogorov_1",
    "Derivative of the survival function of Kolmogorov's statistic",
    "-8 y Σ_{k>=1} (-1)^(k-1) k² exp(-2 k² y²)",
    "its two theta series",
    "y: the argument",
    impl=numeric(lambda y: kolmogorov_kernel(y, 1)),
    partials=(lambda ans, y: kolmogorov_2(y),),
)
kolmogorov = function(
    "kolmogorov",
    "Survival function of Kolmogorov's limiting statistic",
    "2 Σ_{k>=1} (-1)^(k-1) exp(-2 k² y²)",
    "Kolmogorov (1933)",
    "y: the argument",
    "kolmogorov(1.0) = Tensor(0.26999967)",
    partials=(lambda ans, y: kolmogorov_1(y),),
)
kolmogi = function(
    "kolmogi",
    "Inverse of `kolmogorov`",
    "",
    "Kolmogorov (1933)",
    "p: a probability",
    "kolmogi(0.5) = Tensor(0.82757356)",
    partials=(lambda ans, p: 1 / kolmogorov_1(ans),),
)
smirnov_2 = function(
    "smirnov_2",
    "Second derivative by d of the survival function of Smirnov's statistic",
    "",
    "the sum of Birnbaum and Tingey (1951)",
    "n: the number of samples; d: the argument",
    impl=numeric(lambda n, d: smirnov_kernel(n, d, 2)),
    partials=(
        DISCRETE,
        NoRule("it is itself a second derivative, and no rule for the third is written"),
    ),
)
smirnov_1 = function(
    "smirnov_1",
    "Derivative by d of the survival function of Smirnov's statistic",
    "",
    "the sum of Birnbaum and Tingey (1951)",
    "n: the number of samples; d: the argument",
    impl=numeric(lambda n, d: smirnov_kernel(n, d, 1)),
    partials=(DISCRETE, lambda ans, n, d: smirnov_2(n, d)),
)
smirnov = function(
    "smirnov",
    "Survival function of Smirnov's one-sided statistic of n samples",
    "d Σ_{0<=j<=n(1-d)} C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j)",
    "Birnbaum and Tingey (1951)",
    "n: the number of samples; d: the argument in [0, 1]",
    "smirnov(3, 0.5) = Tensor(0.16666667)",
    domain="n up to 1000",
    partials=(DISCRETE, lambda ans, n, d: smirnov_1(n, d)),
)
smirnovi = function(
    "smirnovi",
    "Inverse of `smirnov` by d",
    "",
    "Birnbaum and Tingey (1951)",
    "n: the number of samples; p: a probability",
    "smirnovi(3, 0.25462963) = Tensor(0.43199256)",
    domain="n up to 1000",
    partials=(DISCRETE, lambda ans, n, p: 1 / smirnov_1(n, ans)),
)
