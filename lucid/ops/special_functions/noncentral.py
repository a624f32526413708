"""Noncentral chi-square and F distributions."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.ops.exponential import exp, log, log1p
from lucid.ops.special_functions.gamma import betaln
from lucid.ops.special_functions.hypergeometric import hyp1f1
from lucid.ops.special_functions.incomplete import (
    betainc_taylor,
    gamma_density_kernel,
    gammainc_order,
)
from lucid.ops.special_functions.statistics import (
    poisson_mixture,
)
from lucid.ops.special_functions.table import NoRule, function, numeric

__all__ = [
    "chndtr",
    "chndtridf",
    "chndtrinc",
    "chndtrix",
    "ncfdtr",
    "ncfdtri",
    "ncfdtridfd",
    "ncfdtridfn",
    "ncfdtrinc",
]

_SECOND = NoRule("no rule for the second derivative by degrees of freedom is written")
_THIRD = NoRule("it is itself a second derivative, and no rule for the third is written")
_MIXTURE = "Poisson mixture of the derivatives of the central distribution"

# -- chi-square ------------------------------------------------------------------------------------

_CHI2 = "x: the argument, positive; df: degrees of freedom; nc: the noncentrality, not negative"


def _chi2_kernel(x: Any, df: Any, nc: Any) -> Any:
    """(x/nc)^((df-2)/4) exp(-(√x - √nc)²/2) e^-√(nc x) I_{df/2-1}(√(nc x)) / 2."""
    central = nc * x <= 1e-16
    shift = np.where(central, 1.0, nc)
    a, b = np.sqrt(x), np.sqrt(shift)
    power = np.exp(0.5 * (0.5 * df - 1) * np.log(x / shift) - 0.5 * (a - b) * (a - b))
    value = 0.5 * power * scipy_special.ive(0.5 * df - 1, a * b)
    return np.where(central, 0.5 * gamma_density_kernel(0.5 * df, 0.5 * x), value)


chi2_density_df = function(
    "chi2_density_df",
    "Derivative of the noncentral chi-square density by df",
    "",
    _MIXTURE,
    _CHI2,
    impl=numeric(
        lambda x, df, nc: poisson_mixture(
            lambda j, x, a: (
                0.25 * gamma_density_kernel(a + j, x) * (np.log(x) - scipy_special.digamma(a + j))
            ),
            nc,
            0.5 * x,
            0.5 * df,
        )
    ),
    partials=(_THIRD, _THIRD, _THIRD),
)
chi2_density: Any = function(
    "chi2_density",
    "Density of the noncentral chi-square distribution",
    "(x/nc)^((df-2)/4) exp(-(x + nc)/2) I_{df/2-1}(√(nc x)) / 2",
    "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, chapter 29",
    _CHI2,
    impl=numeric(_chi2_kernel),
    partials=(
        lambda ans, x, df, nc: (
            ans * ((0.5 * df - 1) / x - 0.5) + 0.5 * nc / x * chi2_density(x, df + 2, nc)
        ),
        lambda ans, x, df, nc: chi2_density_df(x, df, nc),
        lambda ans, x, df, nc: 0.5 * (chi2_density(x, df + 2, nc) - ans),
    ),
)
chndtr_dfdf = function(
    "chndtr_dfdf",
    "Second derivative of `chndtr` by df",
    "",
    _MIXTURE,
    _CHI2,
    impl=numeric(
        lambda x, df, nc: poisson_mixture(
            lambda j, x, a: 0.25 * gammainc_order(a + j, x, 2), nc, 0.5 * x, 0.5 * df
        )
    ),
    partials=(_THIRD, _THIRD, _THIRD),
)
chndtr_df: Any = function(
    "chndtr_df",
    "Derivative of `chndtr` by df",
    "",
    _MIXTURE,
    _CHI2,
    impl=numeric(
        lambda x, df, nc: poisson_mixture(
            lambda j, x, a: 0.5 * gammainc_order(a + j, x, 1), nc, 0.5 * x, 0.5 * df
        )
    ),
    partials=(
        lambda ans, x, df, nc: chi2_density_df(x, df, nc),
        lambda ans, x, df, nc: chndtr_dfdf(x, df, nc),
        lambda ans, x, df, nc: 0.5 * (chndtr_df(x, df + 2, nc) - ans),
    ),
)


def _chi2_nc(x: Any, df: Any, nc: Any) -> Any:
    """∂F/∂nc = -f(x; df + 2, nc)."""
    return -chi2_density(x, df + 2, nc)


chndtr = function(
    "chndtr",
    "Cumulative distribution function of the noncentral chi-square distribution",
    "Σ_j exp(-nc/2) (nc/2)^j/j! P(df/2 + j, x/2)",
    "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2, chapter 29",
    _CHI2,
    "chndtr(1.0, 2.0, 0.0) = Tensor(0.39346934)",
    partials=(
        lambda ans, x, df, nc: chi2_density(x, df, nc),
        lambda ans, x, df, nc: chndtr_df(x, df, nc),
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
        lambda ans, p, df, nc: 1 / chi2_density(ans, df, nc),
        lambda ans, p, df, nc: -chndtr_df(ans, df, nc) / chi2_density(ans, df, nc),
        lambda ans, p, df, nc: -_chi2_nc(ans, df, nc) / chi2_density(ans, df, nc),
    ),
)
chndtrinc = function(
    "chndtrinc",
    "Inverse of `chndtr` by nc",
    "",
    "Johnson, Kotz and Balakrishnan, chapter 29",
    "x: the argument; df: degrees of freedom; p: a probability",
    partials=(
        lambda ans, x, df, p: -chi2_density(x, df, ans) / _chi2_nc(x, df, ans),
        lambda ans, x, df, p: -chndtr_df(x, df, ans) / _chi2_nc(x, df, ans),
        lambda ans, x, df, p: 1 / _chi2_nc(x, df, ans),
    ),
)
chndtridf = function(
    "chndtridf",
    "Inverse of `chndtr` by df",
    "",
    "Johnson, Kotz and Balakrishnan, chapter 29",
    "x: the argument; p: a probability; nc: the noncentrality",
    partials=(
        lambda ans, x, p, nc: -chi2_density(x, ans, nc) / chndtr_df(x, ans, nc),
        lambda ans, x, p, nc: 1 / chndtr_df(x, ans, nc),
        lambda ans, x, p, nc: -_chi2_nc(x, ans, nc) / chndtr_df(x, ans, nc),
    ),
)

# -- F ---------------------------------------------------------------------------------------------


def _f_parts(dfn: Any, dfd: Any, nc: Any, f: Any) -> tuple[Any, Any, Any]:
    """A = dfn/2, w = dfn f/(dfd + dfn f), and w^a (1-w)^b exp(-nc/2)/B(a, b) with b = dfd/2."""
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


def _mixed_beta(name: str, da: int, db: int) -> Any:
    """Σ_j exp(-nc/2) (nc/2)^j/j! of the derivative of I_w(a + j, b) along (da, db)."""
    call: Any = function(
        name,
        f"Poisson mixture of the derivative of I_w(a, b) by {'a' if da else 'b'}",
        "Σ_j exp(-nc/2) (nc/2)^j/j! ∂I_w(a + j, b)",
        _MIXTURE,
        "a: the first shape; b: the second shape; nc: the noncentrality; w: the argument in [0, 1]",
        impl=numeric(
            lambda a, b, nc, w: poisson_mixture(
                lambda j, a, b, w: betainc_taylor(a + j, b, w, da, db, 1), nc, a, b, w
            )
        ),
        partials=(
            _SECOND,
            _SECOND,
            lambda ans, a, b, nc, w: 0.5 * (call(a + 1, b, nc, w) - ans),
            _SECOND,
        ),
    )
    return call


ncf_a = _mixed_beta("ncf_a", 1, 0)
ncf_b = _mixed_beta("ncf_b", 0, 1)


def _f_dfn(dfn: Any, dfd: Any, nc: Any, f: Any) -> Any:
    w = dfn * f / (dfn * f + dfd)
    return 0.5 * ncf_a(0.5 * dfn, 0.5 * dfd, nc, w) + _f_density(dfn, dfd, nc, f) * f / dfn


def _f_dfd(dfn: Any, dfd: Any, nc: Any, f: Any) -> Any:
    w = dfn * f / (dfn * f + dfd)
    return 0.5 * ncf_b(0.5 * dfn, 0.5 * dfd, nc, w) - _f_density(dfn, dfd, nc, f) * f / dfd


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
        lambda ans, dfn, dfd, nc, f: _f_dfn(dfn, dfd, nc, f),
        lambda ans, dfn, dfd, nc, f: _f_dfd(dfn, dfd, nc, f),
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
        lambda ans, dfn, dfd, nc, p: -_f_dfn(dfn, dfd, nc, ans) / _f_density(dfn, dfd, nc, ans),
        lambda ans, dfn, dfd, nc, p: -_f_dfd(dfn, dfd, nc, ans) / _f_density(dfn, dfd, nc, ans),
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
        lambda ans, dfn, dfd, p, f: -_f_dfn(dfn, dfd, ans, f) / _f_nc(dfn, dfd, ans, f),
        lambda ans, dfn, dfd, p, f: -_f_dfd(dfn, dfd, ans, f) / _f_nc(dfn, dfd, ans, f),
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
    partials=(
        lambda ans, dfn, p, nc, f: -_f_dfn(dfn, ans, nc, f) / _f_dfd(dfn, ans, nc, f),
        lambda ans, dfn, p, nc, f: 1 / _f_dfd(dfn, ans, nc, f),
        lambda ans, dfn, p, nc, f: -_f_nc(dfn, ans, nc, f) / _f_dfd(dfn, ans, nc, f),
        lambda ans, dfn, p, nc, f: -_f_density(dfn, ans, nc, f) / _f_dfd(dfn, ans, nc, f),
    ),
)
ncfdtridfn = function(
    "ncfdtridfn",
    "Inverse of `ncfdtr` by dfn",
    "",
    _JKB,
    "p: a probability; dfd: degrees of freedom of the denominator; nc: the noncentrality; "
    "f: the argument",
    partials=(
        lambda ans, p, dfd, nc, f: 1 / _f_dfn(ans, dfd, nc, f),
        lambda ans, p, dfd, nc, f: -_f_dfd(ans, dfd, nc, f) / _f_dfn(ans, dfd, nc, f),
        lambda ans, p, dfd, nc, f: -_f_nc(ans, dfd, nc, f) / _f_dfn(ans, dfd, nc, f),
        lambda ans, p, dfd, nc, f: -_f_density(ans, dfd, nc, f) / _f_dfn(ans, dfd, nc, f),
    ),
)
