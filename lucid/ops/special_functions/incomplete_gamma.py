"""The incomplete gamma functions, their inverses, and the distributions made of them."""

from __future__ import annotations

from typing import Any

from lucid.ops.exponential import log
from lucid.ops.rounding import floor
from lucid.ops.special import digamma, polygamma
from lucid.ops.special_functions.incomplete import gamma_density_kernel, gammainc_order
from lucid.ops.special_functions.table import DISCRETE, NoRule, function, numeric

__all__ = [
    "chdtr",
    "chdtrc",
    "chdtri",
    "chdtriv",
    "gamma_density",
    "gammainc",
    "gammainc_a",
    "gammaincc",
    "gammainccinv",
    "gammaincinv",
    "gdtr",
    "gdtrc",
    "gdtria",
    "gdtrib",
    "gdtrix",
    "pdtr",
    "pdtrc",
    "pdtri",
    "pdtrik",
]

THIRD = NoRule("it is itself a second derivative, and no rule for the third is written")


def _centre(a: Any, x: Any) -> Any:
    """Log x - ψ(a), the derivative of the logarithm of the gamma density by a."""
    return log(x) - digamma(a)


# -- what SciPy does not have ----------------------------------------------------------------------

gamma_density = function(
    "gamma_density",
    "Density of the gamma distribution, the derivative of P(a, x) by x",
    "x^(a-1) exp(-x) / Γ(a)",
    "DLMF 8.8.13",
    "a: the shape, not negative; x: the argument, not negative",
    impl=numeric(gamma_density_kernel),
    partials=(
        lambda ans, a, x: ans * _centre(a, x),
        lambda ans, a, x: ans * ((a - 1) / x - 1),
    ),
)

gammainc_aa = function(
    "gammainc_aa",
    "Second derivative of P(a, x) by a",
    "∂²P(a, x)/∂a²",
    "exp-sinh quadrature of ∫ t^(a-1) e^-t ((log t - ψ(a))² - ψ'(a)) dt / Γ(a)",
    "a: the shape; x: the argument",
    impl=numeric(lambda a, x: gammainc_order(a, x, 2)),
    partials=(
        THIRD,
        lambda ans, a, x: gamma_density(a, x) * (_centre(a, x) ** 2 - polygamma(1, a)),
    ),
)

gammainc_a = function(
    "gammainc_a",
    "Derivative of P(a, x) by a",
    "∂P(a, x)/∂a",
    "exp-sinh quadrature of ∫ t^(a-1) e^-t (log t - ψ(a)) dt / Γ(a); a power series for x <= 1",
    "a: the shape; x: the argument",
    impl=numeric(lambda a, x: gammainc_order(a, x, 1)),
    partials=(
        lambda ans, a, x: gammainc_aa(a, x),
        lambda ans, a, x: gamma_density(a, x) * _centre(a, x),
    ),
)

# -- incomplete gamma ------------------------------------------------------------------------------

gammainc = function(
    "gammainc",
    "Regularised lower incomplete gamma function",
    "P(a, x) = ∫_0^x t^(a-1) exp(-t) dt / Γ(a)",
    "DLMF 8.2.4",
    "a: the shape, not negative; x: the argument, not negative",
    "gammainc(2.0, 1.0) = Tensor(0.26424112)",
    partials=(
        lambda ans, a, x: gammainc_a(a, x),
        lambda ans, a, x: gamma_density(a, x),
    ),
)

gammaincc = function(
    "gammaincc",
    "Regularised upper incomplete gamma function",
    "Q(a, x) = ∫_x^∞ t^(a-1) exp(-t) dt / Γ(a)",
    "DLMF 8.2.4",
    "a: the shape, not negative; x: the argument, not negative",
    "gammaincc(2.0, 1.0) = Tensor(0.73575888)",
    partials=(
        lambda ans, a, x: -gammainc_a(a, x),
        lambda ans, a, x: -gamma_density(a, x),
    ),
)

gammaincinv = function(
    "gammaincinv",
    "Inverse of the regularised lower incomplete gamma function, the x with P(a, x) = y",
    "",
    "DLMF 8.12.21",
    "a: the shape, positive; y: a probability",
    "gammaincinv(2.0, 0.5) = Tensor(1.67834699)",
    partials=(
        lambda ans, a, y: -gammainc_a(a, ans) / gamma_density(a, ans),
        lambda ans, a, y: 1 / gamma_density(a, ans),
    ),
)

gammainccinv = function(
    "gammainccinv",
    "Inverse of the regularised upper incomplete gamma function, the x with Q(a, x) = y",
    "",
    "DLMF 8.12.21",
    "a: the shape, positive; y: a probability",
    "gammainccinv(2.0, 0.5) = Tensor(1.67834699)",
    partials=(
        lambda ans, a, y: -gammainc_a(a, ans) / gamma_density(a, ans),
        lambda ans, a, y: -1 / gamma_density(a, ans),
    ),
)

# -- chi-square ------------------------------------------------------------------------------------

chdtr = function(
    "chdtr",
    "Cumulative distribution function of the chi-square distribution",
    "P(v/2, x/2)",
    "DLMF 8.2.4",
    "v: degrees of freedom; x: the argument, not negative",
    "chdtr(2.0, 1.0) = Tensor(0.39346934)",
    partials=(
        lambda ans, v, x: 0.5 * gammainc_a(0.5 * v, 0.5 * x),
        lambda ans, v, x: 0.5 * gamma_density(0.5 * v, 0.5 * x),
    ),
)

chdtrc = function(
    "chdtrc",
    "Survival function of the chi-square distribution",
    "Q(v/2, x/2)",
    "DLMF 8.2.4",
    "v: degrees of freedom; x: the argument, not negative",
    "chdtrc(2.0, 1.0) = Tensor(0.60653066)",
    partials=(
        lambda ans, v, x: -0.5 * gammainc_a(0.5 * v, 0.5 * x),
        lambda ans, v, x: -0.5 * gamma_density(0.5 * v, 0.5 * x),
    ),
)

chdtri = function(
    "chdtri",
    "Inverse of `chdtrc` by x, the x with chdtrc(v, x) = p",
    "",
    "DLMF 8.2.4",
    "v: degrees of freedom; p: a probability",
    "chdtri(2.0, 0.5) = Tensor(1.38629436)",
    partials=(
        lambda ans, v, p: -gammainc_a(0.5 * v, 0.5 * ans) / gamma_density(0.5 * v, 0.5 * ans),
        lambda ans, v, p: -2 / gamma_density(0.5 * v, 0.5 * ans),
    ),
)

chdtriv = function(
    "chdtriv",
    "Inverse of `chdtr` by v, the v with chdtr(v, x) = p",
    "",
    "DLMF 8.2.4",
    "p: a probability; x: the argument, positive",
    "chdtriv(0.5, 1.0) = Tensor(1.5971476)",
    partials=(
        lambda ans, p, x: 2 / gammainc_a(0.5 * ans, 0.5 * x),
        lambda ans, p, x: -gamma_density(0.5 * ans, 0.5 * x) / gammainc_a(0.5 * ans, 0.5 * x),
    ),
)

# -- gamma -----------------------------------------------------------------------------------------

gdtr = function(
    "gdtr",
    "Cumulative distribution function of the gamma distribution",
    "P(b, a x)",
    "DLMF 8.2.4",
    "a: the rate; b: the shape; x: the argument, not negative",
    "gdtr(1.0, 2.0, 1.0) = Tensor(0.26424112)",
    partials=(
        lambda ans, a, b, x: x * gamma_density(b, a * x),
        lambda ans, a, b, x: gammainc_a(b, a * x),
        lambda ans, a, b, x: a * gamma_density(b, a * x),
    ),
)

gdtrc = function(
    "gdtrc",
    "Survival function of the gamma distribution",
    "Q(b, a x)",
    "DLMF 8.2.4",
    "a: the rate; b: the shape; x: the argument, not negative",
    "gdtrc(1.0, 2.0, 1.0) = Tensor(0.73575888)",
    partials=(
        lambda ans, a, b, x: -x * gamma_density(b, a * x),
        lambda ans, a, b, x: -gammainc_a(b, a * x),
        lambda ans, a, b, x: -a * gamma_density(b, a * x),
    ),
)

gdtria = function(
    "gdtria",
    "Inverse of `gdtr` by a, the a with gdtr(a, b, x) = p",
    "",
    "DLMF 8.2.4",
    "p: a probability; b: the shape; x: the argument, positive",
    "gdtria(0.5, 2.0, 1.0) = Tensor(1.67834699)",
    partials=(
        lambda ans, p, b, x: 1 / (x * gamma_density(b, ans * x)),
        lambda ans, p, b, x: -gammainc_a(b, ans * x) / (x * gamma_density(b, ans * x)),
        lambda ans, p, b, x: -ans / x,
    ),
)

gdtrib = function(
    "gdtrib",
    "Inverse of `gdtr` by b, the b with gdtr(a, b, x) = p",
    "",
    "DLMF 8.2.4",
    "a: the rate; p: a probability; x: the argument, positive",
    "gdtrib(1.0, 0.5, 1.0) = Tensor(1.31425001)",
    partials=(
        lambda ans, a, p, x: -x * gamma_density(ans, a * x) / gammainc_a(ans, a * x),
        lambda ans, a, p, x: 1 / gammainc_a(ans, a * x),
        lambda ans, a, p, x: -a * gamma_density(ans, a * x) / gammainc_a(ans, a * x),
    ),
)

gdtrix = function(
    "gdtrix",
    "Inverse of `gdtr` by x, the x with gdtr(a, b, x) = p",
    "",
    "DLMF 8.2.4",
    "a: the rate; b: the shape; p: a probability",
    "gdtrix(1.0, 2.0, 0.5) = Tensor(1.67834699)",
    partials=(
        lambda ans, a, b, p: -ans / a,
        lambda ans, a, b, p: -gammainc_a(b, a * ans) / (a * gamma_density(b, a * ans)),
        lambda ans, a, b, p: 1 / (a * gamma_density(b, a * ans)),
    ),
)

# -- Poisson ---------------------------------------------------------------------------------------

pdtr = function(
    "pdtr",
    "Cumulative distribution function of the Poisson distribution",
    "Σ_{j=0}^⌊k⌋ exp(-m) m^j / j! = Q(⌊k⌋ + 1, m)",
    "DLMF 8.4.10",
    "k: the number of events, rounded down; m: the mean, not negative",
    "pdtr(2.0, 1.0) = Tensor(0.9196986)",
    partials=(DISCRETE, lambda ans, k, m: -gamma_density(floor(k) + 1, m)),
)

pdtrc = function(
    "pdtrc",
    "Survival function of the Poisson distribution",
    "Σ_{j=⌊k⌋+1}^∞ exp(-m) m^j / j! = P(⌊k⌋ + 1, m)",
    "DLMF 8.4.10",
    "k: the number of events, rounded down; m: the mean, not negative",
    "pdtrc(2.0, 1.0) = Tensor(0.0803014)",
    partials=(DISCRETE, lambda ans, k, m: gamma_density(floor(k) + 1, m)),
)

pdtri = function(
    "pdtri",
    "Inverse of `pdtr` by m, the m with pdtr(k, m) = y",
    "",
    "DLMF 8.4.10",
    "k: the number of events; y: a probability",
    "pdtri(2, 0.5) = Tensor(2.67406031)",
    partials=(DISCRETE, lambda ans, k, y: -1 / gamma_density(floor(k) + 1, ans)),
)

pdtrik = function(
    "pdtrik",
    "Inverse of `pdtr` by k, continued to real k: the k with Q(k + 1, m) = p",
    "",
    "DLMF 8.4.10",
    "p: a probability; m: the mean, positive",
    "pdtrik(0.5, 3.0) = Tensor(2.32673701)",
    partials=(
        lambda ans, p, m: -1 / gammainc_a(ans + 1, m),
        lambda ans, p, m: -gamma_density(ans + 1, m) / gammainc_a(ans + 1, m),
    ),
)
