"""The incomplete beta function, its inverses, and the distributions made of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.ops.exponential import log, log1p
from lucid.ops.rounding import floor
from lucid.ops.select import where
from lucid.ops.special import digamma
from lucid.ops.special_functions.incomplete import beta_density_kernel, betainc_taylor
from lucid.ops.special_functions.table import DISCRETE, NoRule, function, numeric

__all__ = [
    "bdtr",
    "bdtrc",
    "bdtri",
    "bdtrik",
    "bdtrin",
    "beta_density",
    "betainc",
    "betainc_a",
    "betainc_b",
    "betaincc",
    "betainccinv",
    "betaincinv",
    "btdtria",
    "btdtrib",
    "fdtr",
    "fdtrc",
    "fdtri",
    "fdtridfd",
    "nbdtr",
    "nbdtrc",
    "nbdtri",
    "nbdtrik",
    "nbdtrin",
    "stdtr",
    "stdtridf",
    "stdtrit",
    "t_density",
]

THIRD = NoRule("it is itself a second derivative, and no rule for the third is written")
DOMAIN = (
    "a and b at least 1e-3; below, the derivative by the other one has an absolute error of 1e-15"
)
_PLACES = "a: the first shape, positive; b: the second shape, positive; x: the argument in [0, 1]"
_CDF = "DLMF 8.17.5"


def _left(a: Any, b: Any, x: Any) -> Any:
    """Log x - ψ(a) + ψ(a+b), the derivative of the logarithm of the density by a."""
    return log(x) - digamma(a) + digamma(a + b)


def _right(a: Any, b: Any, x: Any) -> Any:
    """log(1-x) - ψ(b) + ψ(a+b), likewise by b."""
    return log1p(-x) - digamma(b) + digamma(a + b)


def _mixed(a: Any, b: Any, x: Any) -> Any:
    """∂²I/∂a∂b, from the second derivatives along (1, 1), (1, 0) and (0, 1)."""
    both = betainc_taylor(a, b, x, 1, 1, 2)
    return 0.5 * (both - betainc_taylor(a, b, x, 1, 0, 2) - betainc_taylor(a, b, x, 0, 1, 2))


# -- what SciPy does not have ----------------------------------------------------------------------

_FRACTION = "continued fraction (DiDonato and Morris 1992, equation 9) on truncated Taylor series"

beta_density = function(
    "beta_density",
    "Density of the beta distribution, the derivative of I_x(a, b) by x",
    "x^(a-1) (1-x)^(b-1) / B(a, b)",
    "DLMF 8.17.1",
    _PLACES,
    impl=numeric(beta_density_kernel),
    partials=(
        lambda ans, a, b, x: ans * _left(a, b, x),
        lambda ans, a, b, x: ans * _right(a, b, x),
        lambda ans, a, b, x: ans * ((a - 1) / x - (b - 1) / (1 - x)),
    ),
)

betainc_aa = function(
    "betainc_aa",
    "Second derivative of I_x(a, b) by a",
    "∂²I/∂a²",
    _FRACTION,
    _PLACES,
    impl=numeric(lambda a, b, x: betainc_taylor(a, b, x, 1, 0, 2)),
    partials=(THIRD, THIRD, NoRule("no rule for the third derivative is written")),
)

betainc_ab = function(
    "betainc_ab",
    "Second derivative of I_x(a, b) by a and b",
    "∂²I/∂a∂b",
    _FRACTION,
    _PLACES,
    impl=numeric(_mixed),
    partials=(THIRD, THIRD, NoRule("no rule for the third derivative is written")),
)

betainc_bb = function(
    "betainc_bb",
    "Second derivative of I_x(a, b) by b",
    "∂²I/∂b²",
    _FRACTION,
    _PLACES,
    impl=numeric(lambda a, b, x: betainc_taylor(a, b, x, 0, 1, 2)),
    partials=(THIRD, THIRD, NoRule("no rule for the third derivative is written")),
)

betainc_a = function(
    "betainc_a",
    "Derivative of I_x(a, b) by a",
    "∂I/∂a",
    _FRACTION,
    _PLACES,
    impl=numeric(lambda a, b, x: betainc_taylor(a, b, x, 1, 0, 1)),
    domain=DOMAIN,
    partials=(
        lambda ans, a, b, x: betainc_aa(a, b, x),
        lambda ans, a, b, x: betainc_ab(a, b, x),
        lambda ans, a, b, x: beta_density(a, b, x) * _left(a, b, x),
    ),
)

betainc_b = function(
    "betainc_b",
    "Derivative of I_x(a, b) by b",
    "∂I/∂b",
    _FRACTION,
    _PLACES,
    impl=numeric(lambda a, b, x: betainc_taylor(a, b, x, 0, 1, 1)),
    domain=DOMAIN,
    partials=(
        lambda ans, a, b, x: betainc_ab(a, b, x),
        lambda ans, a, b, x: betainc_bb(a, b, x),
        lambda ans, a, b, x: beta_density(a, b, x) * _right(a, b, x),
    ),
)

# -- incomplete beta -------------------------------------------------------------------------------

betainc = function(
    "betainc",
    "Regularised incomplete beta function",
    "I_x(a, b) = ∫_0^x t^(a-1) (1-t)^(b-1) dt / B(a, b)",
    "DLMF 8.17.2",
    _PLACES,
    "betainc(2.0, 3.0, 0.5) = Tensor(0.6875)",
    domain=DOMAIN,
    partials=(
        lambda ans, a, b, x: betainc_a(a, b, x),
        lambda ans, a, b, x: betainc_b(a, b, x),
        lambda ans, a, b, x: beta_density(a, b, x),
    ),
)

betaincc = function(
    "betaincc",
    "Complement of the regularised incomplete beta function",
    "1 - I_x(a, b)",
    "DLMF 8.17.2",
    _PLACES,
    "betaincc(2.0, 3.0, 0.5) = Tensor(0.3125)",
    domain=DOMAIN,
    partials=(
        lambda ans, a, b, x: -betainc_a(a, b, x),
        lambda ans, a, b, x: -betainc_b(a, b, x),
        lambda ans, a, b, x: -beta_density(a, b, x),
    ),
)


def _quantile(name: str, summary: str, sign: float, example: str) -> Any:
    return function(
        name,
        summary,
        "",
        _CDF,
        "a: the first shape; b: the second shape; y: a probability",
        example,
        domain=DOMAIN,
        partials=(
            lambda ans, a, b, y: -betainc_a(a, b, ans) / beta_density(a, b, ans),
            lambda ans, a, b, y: -betainc_b(a, b, ans) / beta_density(a, b, ans),
            lambda ans, a, b, y: sign / beta_density(a, b, ans),
        ),
    )


betaincinv = _quantile(
    "betaincinv",
    "Inverse of the regularised incomplete beta function, the x with I_x(a, b) = y",
    1.0,
    "betaincinv(2.0, 3.0, 0.6875) = Tensor(0.5)",
)
betainccinv = _quantile(
    "betainccinv",
    "Inverse of its complement, the x with 1 - I_x(a, b) = y",
    -1.0,
    "betainccinv(2.0, 3.0, 0.3125) = Tensor(0.5)",
)

btdtria = function(
    "btdtria",
    "Inverse of `betainc` by a, the a with I_x(a, b) = p",
    "",
    _CDF,
    "p: a probability; b: the second shape; x: the argument in (0, 1)",
    "btdtria(0.6875, 3.0, 0.5) = Tensor(2.)",
    partials=(
        lambda ans, p, b, x: 1 / betainc_a(ans, b, x),
        lambda ans, p, b, x: -betainc_b(ans, b, x) / betainc_a(ans, b, x),
        lambda ans, p, b, x: -beta_density(ans, b, x) / betainc_a(ans, b, x),
    ),
)

btdtrib = function(
    "btdtrib",
    "Inverse of `betainc` by b, the b with I_x(a, b) = p",
    "",
    _CDF,
    "a: the first shape; p: a probability; x: the argument in (0, 1)",
    "btdtrib(2.0, 0.6875, 0.5) = Tensor(3.)",
    partials=(
        lambda ans, a, p, x: -betainc_a(a, ans, x) / betainc_b(a, ans, x),
        lambda ans, a, p, x: 1 / betainc_b(a, ans, x),
        lambda ans, a, p, x: -beta_density(a, ans, x) / betainc_b(a, ans, x),
    ),
)

# -- Fisher's F: F(x) = I_w(d1/2, d2/2), w = d1 x / (d1 x + d2) ------------------------------------


def _w(dfn: Any, dfd: Any, x: Any) -> Any:
    return dfn * x / (dfn * x + dfd)


def _f_x(dfn: Any, dfd: Any, x: Any) -> Any:
    scale = dfn * x + dfd
    return beta_density(0.5 * dfn, 0.5 * dfd, _w(dfn, dfd, x)) * dfn * dfd / (scale * scale)


def _f_dfn(dfn: Any, dfd: Any, x: Any) -> Any:
    w = _w(dfn, dfd, x)
    return 0.5 * betainc_a(0.5 * dfn, 0.5 * dfd, w) + _f_x(dfn, dfd, x) * x / dfn


def _f_dfd(dfn: Any, dfd: Any, x: Any) -> Any:
    w = _w(dfn, dfd, x)
    return 0.5 * betainc_b(0.5 * dfn, 0.5 * dfd, w) - _f_x(dfn, dfd, x) * x / dfd


_DF = "dfn: degrees of freedom of the numerator; dfd: degrees of freedom of the denominator"

fdtr = function(
    "fdtr",
    "Cumulative distribution function of the F distribution",
    "I_w(dfn/2, dfd/2) with w = dfn x / (dfn x + dfd)",
    _CDF,
    f"{_DF}; x: the argument, not negative",
    "fdtr(2.0, 3.0, 1.0) = Tensor(0.535242)",
    partials=(
        lambda ans, dfn, dfd, x: _f_dfn(dfn, dfd, x),
        lambda ans, dfn, dfd, x: _f_dfd(dfn, dfd, x),
        lambda ans, dfn, dfd, x: _f_x(dfn, dfd, x),
    ),
)

fdtrc = function(
    "fdtrc",
    "Survival function of the F distribution",
    "1 - I_w(dfn/2, dfd/2) with w = dfn x / (dfn x + dfd)",
    _CDF,
    f"{_DF}; x: the argument, not negative",
    "fdtrc(2.0, 3.0, 1.0) = Tensor(0.464758)",
    partials=(
        lambda ans, dfn, dfd, x: -_f_dfn(dfn, dfd, x),
        lambda ans, dfn, dfd, x: -_f_dfd(dfn, dfd, x),
        lambda ans, dfn, dfd, x: -_f_x(dfn, dfd, x),
    ),
)

fdtri = function(
    "fdtri",
    "Inverse of `fdtr` by x, the x with fdtr(dfn, dfd, x) = p",
    "",
    _CDF,
    f"{_DF}; p: a probability",
    "fdtri(2.0, 3.0, 0.5) = Tensor(0.88110158)",
    partials=(
        lambda ans, dfn, dfd, p: -_f_dfn(dfn, dfd, ans) / _f_x(dfn, dfd, ans),
        lambda ans, dfn, dfd, p: -_f_dfd(dfn, dfd, ans) / _f_x(dfn, dfd, ans),
        lambda ans, dfn, dfd, p: 1 / _f_x(dfn, dfd, ans),
    ),
)

fdtridfd = function(
    "fdtridfd",
    "Inverse of `fdtr` by dfd, the dfd with fdtr(dfn, dfd, x) = p",
    "",
    _CDF,
    "dfn: degrees of freedom of the numerator; p: a probability; x: the argument, positive",
    partials=(
        lambda ans, dfn, p, x: -_f_dfn(dfn, ans, x) / _f_dfd(dfn, ans, x),
        lambda ans, dfn, p, x: 1 / _f_dfd(dfn, ans, x),
        lambda ans, dfn, p, x: -_f_x(dfn, ans, x) / _f_dfd(dfn, ans, x),
    ),
)

# -- Student's t -----------------------------------------------------------------------------------


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

# -- binomial: F(k) = I_{1-p}(n - k, k + 1) --------------------------------------------------------

_TRIALS = "k: the number of successes, rounded down; n: the number of trials"

bdtr = function(
    "bdtr",
    "Cumulative distribution function of the binomial distribution",
    "Σ_{j=0}^⌊k⌋ C(n, j) p^j (1-p)^(n-j) = I_{1-p}(n - ⌊k⌋, ⌊k⌋ + 1)",
    _CDF,
    f"{_TRIALS}; p: the probability of a success",
    "bdtr(2.0, 5, 0.5) = Tensor(0.5)",
    partials=(
        DISCRETE,
        DISCRETE,
        lambda ans, k, n, p: -_binomial_p(k, n, p),
    ),
)

bdtrc = function(
    "bdtrc",
    "Survival function of the binomial distribution",
    "Σ_{j=⌊k⌋+1}^n C(n, j) p^j (1-p)^(n-j) = I_p(⌊k⌋ + 1, n - ⌊k⌋)",
    _CDF,
    f"{_TRIALS}; p: the probability of a success",
    "bdtrc(2.0, 5, 0.5) = Tensor(0.5)",
    partials=(
        DISCRETE,
        DISCRETE,
        lambda ans, k, n, p: _binomial_p(k, n, p),
    ),
)


def _binomial_p(k: Any, n: Any, p: Any) -> Any:
    """∂I_p(k+1, n-k)/∂p, zero where all successes are counted (k = n) or none (k < 0)."""
    k = floor(k * 1.0)
    some = (k >= 0) & (k < n)
    k = where(some, k, 0.0)
    return where(some, beta_density(k + 1, where(some, n - k, 1.0), p), 0.0)


bdtri = function(
    "bdtri",
    "Inverse of `bdtr` by p, the p with bdtr(k, n, p) = y",
    "",
    _CDF,
    f"{_TRIALS}; y: a probability",
    "bdtri(2.0, 5, 0.5) = Tensor(0.5)",
    partials=(DISCRETE, DISCRETE, lambda ans, k, n, y: -1 / _binomial_p(k, n, ans)),
)


def _binomial(k: Any, n: Any, p: Any) -> tuple[Any, Any, Any]:
    """The derivatives of I_{1-p}(n - k, k + 1) by k, n and p, for real k and n."""
    by_a, by_b = betainc_a(n - k, k + 1, 1 - p), betainc_b(n - k, k + 1, 1 - p)
    return by_b - by_a, by_a, -beta_density(n - k, k + 1, 1 - p)


bdtrik = function(
    "bdtrik",
    "Inverse of `bdtr` by k, continued to real k: the k with I_{1-p}(n - k, k + 1) = y",
    "",
    _CDF,
    "y: a probability; n: the number of trials, a real number; p: the probability of a success",
    partials=(
        lambda ans, y, n, p: 1 / _binomial(ans, n, p)[0],
        lambda ans, y, n, p: -_binomial(ans, n, p)[1] / _binomial(ans, n, p)[0],
        lambda ans, y, n, p: -_binomial(ans, n, p)[2] / _binomial(ans, n, p)[0],
    ),
)

bdtrin = function(
    "bdtrin",
    "Inverse of `bdtr` by n, continued to real n: the n with I_{1-p}(n - k, k + 1) = y",
    "",
    _CDF,
    "k: the number of successes, a real number; y: a probability; p: the probability of a success",
    partials=(
        lambda ans, k, y, p: -_binomial(k, ans, p)[0] / _binomial(k, ans, p)[1],
        lambda ans, k, y, p: 1 / _binomial(k, ans, p)[1],
        lambda ans, k, y, p: -_binomial(k, ans, p)[2] / _binomial(k, ans, p)[1],
    ),
)

# -- negative binomial: F(k) = I_p(n, k + 1) -------------------------------------------------------

_FAILURES = "k: the number of failures, rounded down; n: the number of successes"

nbdtr = function(
    "nbdtr",
    "Cumulative distribution function of the negative binomial distribution",
    "I_p(n, ⌊k⌋ + 1)",
    _CDF,
    f"{_FAILURES}; p: the probability of a success",
    "nbdtr(2, 3, 0.5) = Tensor(0.5)",
    partials=(
        DISCRETE,
        DISCRETE,
        lambda ans, k, n, p: beta_density(floor(n * 1.0), floor(k * 1.0) + 1, p),
    ),
)

nbdtrc = function(
    "nbdtrc",
    "Survival function of the negative binomial distribution",
    "1 - I_p(n, ⌊k⌋ + 1)",
    _CDF,
    f"{_FAILURES}; p: the probability of a success",
    "nbdtrc(2, 3, 0.5) = Tensor(0.5)",
    partials=(
        DISCRETE,
        DISCRETE,
        lambda ans, k, n, p: -beta_density(floor(n * 1.0), floor(k * 1.0) + 1, p),
    ),
)

nbdtri = function(
    "nbdtri",
    "Inverse of `nbdtr` by p, the p with nbdtr(k, n, p) = y",
    "",
    _CDF,
    f"{_FAILURES}; y: a probability",
    "nbdtri(2, 3, 0.5) = Tensor(0.5)",
    partials=(
        DISCRETE,
        DISCRETE,
        lambda ans, k, n, y: 1 / beta_density(floor(n * 1.0), floor(k * 1.0) + 1, ans),
    ),
)

nbdtrik = function(
    "nbdtrik",
    "Inverse of `nbdtr` by k, continued to real k: the k with I_p(n, k + 1) = y",
    "",
    _CDF,
    "y: a probability; n: the number of successes, a real number; p: the probability of a success",
    partials=(
        lambda ans, y, n, p: 1 / betainc_b(n, ans + 1, p),
        lambda ans, y, n, p: -betainc_a(n, ans + 1, p) / betainc_b(n, ans + 1, p),
        lambda ans, y, n, p: -beta_density(n, ans + 1, p) / betainc_b(n, ans + 1, p),
    ),
)

nbdtrin = function(
    "nbdtrin",
    "Inverse of `nbdtr` by n, continued to real n: the n with I_p(n, k + 1) = y",
    "",
    _CDF,
    "k: the number of failures, a real number; y: a probability; p: the probability of a success",
    partials=(
        lambda ans, k, y, p: -betainc_b(ans, k + 1, p) / betainc_a(ans, k + 1, p),
        lambda ans, k, y, p: 1 / betainc_a(ans, k + 1, p),
        lambda ans, k, y, p: -beta_density(ans, k + 1, p) / betainc_a(ans, k + 1, p),
    ),
)
