"""The incomplete beta function, its inverses, and the distributions made of it."""

from __future__ import annotations

from typing import Any

from lucid.ops.exponential import log, log1p
from lucid.ops.special import digamma
from lucid.ops.special_functions.incomplete import beta_density_kernel, betainc_taylor
from lucid.ops.special_functions.table import NoRule, function, numeric

__all__ = [
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
