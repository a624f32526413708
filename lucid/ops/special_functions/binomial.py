"""The binomial and negative binomial distributions."""

from __future__ import annotations

from typing import Any

from lucid.ops.rounding import floor
from lucid.ops.select import where
from lucid.ops.special_functions.incomplete_beta import beta_density, betainc_a, betainc_b
from lucid.ops.special_functions.table import DISCRETE, function

__all__ = [
    "bdtr",
    "bdtrc",
    "bdtri",
    "bdtrik",
    "bdtrin",
    "nbdtr",
    "nbdtrc",
    "nbdtri",
    "nbdtrik",
    "nbdtrin",
]

_CDF = "DLMF 8.17.5"

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
