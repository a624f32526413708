"""Orthogonal polynomials and Legendre functions: derivatives by the argument."""

from __future__ import annotations

from typing import Any

from lucid.ops.power import sqrt
from lucid.ops.select import where
from lucid.ops.special_functions.table import DISCRETE, NoRule, function

__all__ = [
    "eval_chebyc",
    "eval_chebys",
    "eval_chebyt",
    "eval_chebyu",
    "eval_gegenbauer",
    "eval_genlaguerre",
    "eval_hermite",
    "eval_hermitenorm",
    "eval_jacobi",
    "eval_laguerre",
    "eval_legendre",
    "eval_sh_chebyt",
    "eval_sh_chebyu",
    "eval_sh_jacobi",
    "eval_sh_legendre",
    "lpmv",
]

DEGREE = NoRule("no recurrence gives the derivative by the degree")
PARAMETER = NoRule("no recurrence gives the derivative by this parameter")
_X = "n: the degree; x: the argument"


def _below(n: Any, f: Any) -> Any:
    """f(n - 1), and 0 for the constant polynomial of degree 0."""
    constant = n == 0
    return where(constant, 0.0, f(where(constant, 0, n - 1)))


eval_jacobi: Any = function(
    "eval_jacobi",
    "Jacobi polynomial",
    "P_n^(alpha,beta)(x)",
    "DLMF 18.9.15",
    "n: the degree; alpha: the first parameter; beta: the second parameter; x: the argument",
    "eval_jacobi(2, 1.0, 1.0, 0.5) = Tensor(0.1875)",
    partials=(
        DEGREE,
        PARAMETER,
        PARAMETER,
        lambda ans, n, alpha, beta, x: (
            0.5
            * (n + alpha + beta + 1)
            * _below(n, lambda k: eval_jacobi(k, alpha + 1, beta + 1, x))
        ),
    ),
)
eval_sh_jacobi: Any = function(
    "eval_sh_jacobi",
    "Shifted Jacobi polynomial",
    "n! Γ(n + p)/Γ(2n + p) P_n^(p-q,q-1)(2x - 1)",
    "DLMF 18.1, Abramowitz and Stegun 22.5.2",
    "n: the degree; p: the first parameter; q: the second parameter; x: the argument",
    "eval_sh_jacobi(2, 1.0, 1.0, 0.5) = Tensor(-0.08333333)",
    partials=(
        DEGREE,
        PARAMETER,
        PARAMETER,
        lambda ans, n, p, q, x: n * _below(n, lambda k: eval_sh_jacobi(k, p + 2, q + 1, x)),
    ),
)
eval_gegenbauer: Any = function(
    "eval_gegenbauer",
    "Gegenbauer (ultraspherical) polynomial",
    "C_n^(alpha)(x)",
    "DLMF 18.9.19",
    "n: the degree; alpha: the parameter; x: the argument",
    "eval_gegenbauer(2, 1.0, 0.5) = Tensor(0.)",
    partials=(
        DEGREE,
        PARAMETER,
        lambda ans, n, alpha, x: 2 * alpha * _below(n, lambda k: eval_gegenbauer(k, alpha + 1, x)),
    ),
)
eval_chebyt: Any = function(
    "eval_chebyt",
    "Chebyshev polynomial of the first kind",
    "T_n(x)",
    "DLMF 18.9.21",
    _X,
    "eval_chebyt(2, 0.5) = Tensor(-0.5)",
    partials=(DEGREE, lambda ans, n, x: n * _below(n, lambda k: eval_chebyu(k, x))),
)
eval_chebyu = function(
    "eval_chebyu",
    "Chebyshev polynomial of the second kind",
    "U_n(x)",
    "DLMF 18.7.4, 18.9.19",
    _X,
    "eval_chebyu(2, 0.5) = Tensor(0.)",
    partials=(DEGREE, lambda ans, n, x: 2 * _below(n, lambda k: eval_gegenbauer(k, 2.0, x))),
)
eval_chebyc = function(
    "eval_chebyc",
    "Chebyshev polynomial of the first kind on [-2, 2]",
    "C_n(x) = 2 T_n(x/2)",
    "DLMF 18.1.3",
    _X,
    "eval_chebyc(2, 1.0) = Tensor(-1.)",
    partials=(DEGREE, lambda ans, n, x: n * _below(n, lambda k: eval_chebyu(k, 0.5 * x))),
)
eval_chebys = function(
    "eval_chebys",
    "Chebyshev polynomial of the second kind on [-2, 2]",
    "S_n(x) = U_n(x/2)",
    "DLMF 18.1.3",
    _X,
    "eval_chebys(2, 1.0) = Tensor(0.)",
    partials=(DEGREE, lambda ans, n, x: _below(n, lambda k: eval_gegenbauer(k, 2.0, 0.5 * x))),
)
eval_sh_chebyt = function(
    "eval_sh_chebyt",
    "Shifted Chebyshev polynomial of the first kind",
    "T_n(2x - 1)",
    "DLMF 18.7.19",
    _X,
    "eval_sh_chebyt(2, 0.5) = Tensor(-1.)",
    partials=(DEGREE, lambda ans, n, x: 2 * n * _below(n, lambda k: eval_chebyu(k, 2 * x - 1))),
)
eval_sh_chebyu = function(
    "eval_sh_chebyu",
    "Shifted Chebyshev polynomial of the second kind",
    "U_n(2x - 1)",
    "DLMF 18.7.19",
    _X,
    "eval_sh_chebyu(2, 0.5) = Tensor(-1.)",
    partials=(
        DEGREE,
        lambda ans, n, x: 4 * _below(n, lambda k: eval_gegenbauer(k, 2.0, 2 * x - 1)),
    ),
)
eval_legendre = function(
    "eval_legendre",
    "Legendre polynomial",
    "P_n(x)",
    "DLMF 18.7.9, 18.9.19",
    _X,
    "eval_legendre(2, 0.5) = Tensor(-0.125)",
    partials=(DEGREE, lambda ans, n, x: _below(n, lambda k: eval_gegenbauer(k, 1.5, x))),
)
eval_sh_legendre = function(
    "eval_sh_legendre",
    "Shifted Legendre polynomial",
    "P_n(2x - 1)",
    "DLMF 18.7.9, 18.9.19",
    _X,
    "eval_sh_legendre(2, 0.5) = Tensor(-0.5)",
    partials=(
        DEGREE,
        lambda ans, n, x: 2 * _below(n, lambda k: eval_gegenbauer(k, 1.5, 2 * x - 1)),
    ),
)
eval_genlaguerre: Any = function(
    "eval_genlaguerre",
    "Generalised Laguerre polynomial",
    "L_n^(alpha)(x)",
    "DLMF 18.9.23",
    "n: the degree; alpha: the parameter; x: the argument",
    "eval_genlaguerre(2, 1.0, 0.5) = Tensor(1.625)",
    partials=(
        DEGREE,
        PARAMETER,
        lambda ans, n, alpha, x: -_below(n, lambda k: eval_genlaguerre(k, alpha + 1, x)),
    ),
)
eval_laguerre = function(
    "eval_laguerre",
    "Laguerre polynomial",
    "L_n(x)",
    "DLMF 18.9.23",
    _X,
    "eval_laguerre(2, 0.5) = Tensor(0.125)",
    partials=(DEGREE, lambda ans, n, x: -_below(n, lambda k: eval_genlaguerre(k, 1.0, x))),
)
eval_hermite: Any = function(
    "eval_hermite",
    "Physicist's Hermite polynomial",
    "H_n(x)",
    "DLMF 18.9.25",
    "n: the degree, a whole number; x: the argument",
    "eval_hermite(2, 0.5) = Tensor(-1.)",
    partials=(DISCRETE, lambda ans, n, x: 2 * n * _below(n, lambda k: eval_hermite(k, x))),
)
eval_hermitenorm: Any = function(
    "eval_hermitenorm",
    "Probabilist's Hermite polynomial",
    "He_n(x)",
    "DLMF 18.9.27",
    "n: the degree, a whole number; x: the argument",
    "eval_hermitenorm(2, 0.5) = Tensor(-0.75)",
    partials=(DISCRETE, lambda ans, n, x: n * _below(n, lambda k: eval_hermitenorm(k, x))),
)
lpmv: Any = function(
    "lpmv",
    "Associated Legendre function of whole order and real degree",
    "P_v^m(x), with the Condon-Shortley phase",
    "DLMF 14.3.1, 14.10.2",
    "m: the order, a whole number; v: the degree; x: the argument, in (-1, 1)",
    "lpmv(1.0, 2.0, 0.5) = Tensor(-1.29903811)",
    domain="|x| < 1",
    partials=(
        DISCRETE,
        DEGREE,
        lambda ans, m, v, x: (
            0.5
            * ((v + m) * (v - m + 1) * lpmv(m - 1, v, x) - lpmv(m + 1, v, x))
            / sqrt((1 - x) * (1 + x))
        ),
    ),
)
