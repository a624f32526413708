"""The distributions of the Kolmogorov and Smirnov statistics."""

from __future__ import annotations

from lucid.ops.special_functions.statistics import kolmogorov_kernel, smirnov_kernel
from lucid.ops.special_functions.table import DISCRETE, NoRule, function, numeric

__all__ = ["kolmogi", "kolmogorov", "smirnov", "smirnovi"]

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
