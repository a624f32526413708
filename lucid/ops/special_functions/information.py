"""Entropies, logistic functions, power transforms and losses."""

from __future__ import annotations

from typing import Any

from lucid.ops.complex_ import abs as absolute
from lucid.ops.complex_ import sign
from lucid.ops.exponential import exp, log, log1p
from lucid.ops.power import sqrt
from lucid.ops.select import where
from lucid.ops.special_functions.helpers import select, slope_of_exprel, slope_of_log1prel
from lucid.ops.special_functions.table import function

__all__ = [
    "boxcox",
    "boxcox1p",
    "entr",
    "expit",
    "huber",
    "inv_boxcox",
    "inv_boxcox1p",
    "kl_div",
    "log_expit",
    "logit",
    "pseudo_huber",
    "rel_entr",
    "tklmbda",
    "xlog1py",
    "xlogy",
]


# -- entropies -------------------------------------------------------------------------------------

entr = function(
    "entr",
    "Entropy of a single probability",
    "-x ln x; 0 at x = 0 and -∞ below",
    "Boyd and Vandenberghe, Convex Optimization",
    "x: the argument",
    "entr(0.5) = Tensor(0.34657359)",
    partials=(lambda ans, x: -log(x) - 1,),
)

rel_entr = function(
    "rel_entr",
    "Relative entropy",
    "x ln(x / y); 0 at x = 0 <= y",
    "Boyd and Vandenberghe, Convex Optimization",
    "x: the first argument, not negative; y: the second argument, positive",
    "rel_entr(1.0, 2.0) = Tensor(-0.69314718)",
    partials=(lambda ans, x, y: log(x / y) + 1, lambda ans, x, y: -x / y),
)

kl_div = function(
    "kl_div",
    "Kullback-Leibler divergence of two numbers",
    "x ln(x / y) - x + y",
    "Boyd and Vandenberghe, Convex Optimization",
    "x: the first argument, not negative; y: the second argument, positive",
    "kl_div(1.0, 2.0) = Tensor(0.30685282)",
    partials=(lambda ans, x, y: log(x / y), lambda ans, x, y: 1 - x / y),
)

xlogy = function(
    "xlogy",
    "Product of x and ln y, zero where x is zero",
    "x ln y",
    "DLMF 4.2",
    "x: the factor; y: the argument of the logarithm",
    "xlogy(2.0, 3.0) = Tensor(2.19722458)",
    partials=(
        lambda ans, x, y: log(y),
        lambda ans, x, y: where(x == 0, 0.0, x / where(x == 0, 1.0, y)),
    ),
)

xlog1py = function(
    "xlog1py",
    "Product of x and ln(1 + y), zero where x is zero",
    "x ln(1 + y)",
    "DLMF 4.2",
    "x: the factor; y: the argument of the logarithm",
    "xlog1py(2.0, 3.0) = Tensor(2.77258872)",
    partials=(
        lambda ans, x, y: log1p(y),
        lambda ans, x, y: where(x == 0, 0.0, x / (1 + where(x == 0, 0.0, y))),
    ),
)

# -- logistic --------------------------------------------------------------------------------------

expit = function(
    "expit",
    "Logistic function",
    "1 / (1 + exp(-x))",
    "DLMF 4.2",
    "x: the argument",
    "expit(0.0) = Tensor(0.5)",
    partials=(lambda ans, x: ans * expit(-x),),
)

log_expit = function(
    "log_expit",
    "Logarithm of the logistic function",
    "-ln(1 + exp(-x))",
    "DLMF 4.2",
    "x: the argument",
    "log_expit(0.0) = Tensor(-0.69314718)",
    partials=(lambda ans, x: expit(-x),),
)

logit = function(
    "logit",
    "Inverse of the logistic function",
    "ln(x / (1 - x))",
    "DLMF 4.2",
    "x: a probability",
    "logit(0.5) = Tensor(0.)",
    partials=(lambda ans, x: 1 / (x * (1 - x)),),
)

# -- power transforms ------------------------------------------------------------------------------


def _boxcox_slope(u: Any, logarithm: Any) -> Any:
    """∂/∂λ of (exp(λ l) - 1)/λ for l = `logarithm` and u = λ l."""
    return where(logarithm == 0, 0.0, logarithm * logarithm * slope_of_exprel(u))


boxcox = function(
    "boxcox",
    "Box-Cox transformation",
    "(x^lmbda - 1) / lmbda; ln x if lmbda = 0",
    "Box and Cox (1964)",
    "x: the argument, positive; lmbda: the power",
    "boxcox(2.0, 3.0) = Tensor(2.33333333)",
    partials=(
        lambda ans, x, lmbda: exp((lmbda - 1) * log(x)),
        lambda ans, x, lmbda: _boxcox_slope(lmbda * log(x), log(x)),
    ),
)

boxcox1p = function(
    "boxcox1p",
    "Box-Cox transformation of 1 + x",
    "((1 + x)^lmbda - 1) / lmbda; ln(1 + x) if lmbda = 0",
    "Box and Cox (1964)",
    "x: the argument, above -1; lmbda: the power",
    "boxcox1p(1.0, 3.0) = Tensor(2.33333333)",
    partials=(
        lambda ans, x, lmbda: exp((lmbda - 1) * log1p(x)),
        lambda ans, x, lmbda: _boxcox_slope(lmbda * log1p(x), log1p(x)),
    ),
)


def _inverse_boxcox_y(y: Any, lmbda: Any) -> Any:
    """(1 + λ y)^(1/λ - 1)."""
    u = lmbda * y
    return exp(y * _log1prel(u) - log1p(u))


def _log1prel(u: Any) -> Any:
    """ln(1 + u)/u."""
    return select(
        absolute(u) < 1e-3,
        u,
        lambda v: 1 - v * (1 / 2 - v * (1 / 3 - v * (1 / 4 - v * (1 / 5 - v / 6)))),
        lambda v: log1p(v) / v,
        1e-3,
    )


def _inverse_boxcox_lmbda(y: Any, lmbda: Any) -> Any:
    u = lmbda * y
    return -exp(y * _log1prel(u)) * y * y * slope_of_log1prel(u)


inv_boxcox = function(
    "inv_boxcox",
    "Inverse of the Box-Cox transformation",
    "(1 + lmbda y)^(1/lmbda); exp(y) if lmbda = 0",
    "Box and Cox (1964)",
    "y: the argument; lmbda: the power",
    "inv_boxcox(2.0, 1.0) = Tensor(3.)",
    partials=(
        lambda ans, y, lmbda: _inverse_boxcox_y(y, lmbda),
        lambda ans, y, lmbda: _inverse_boxcox_lmbda(y, lmbda),
    ),
)

inv_boxcox1p = function(
    "inv_boxcox1p",
    "Inverse of the Box-Cox transformation of 1 + x",
    "(1 + lmbda y)^(1/lmbda) - 1; exp(y) - 1 if lmbda = 0",
    "Box and Cox (1964)",
    "y: the argument; lmbda: the power",
    "inv_boxcox1p(2.0, 1.0) = Tensor(2.)",
    partials=(
        lambda ans, y, lmbda: _inverse_boxcox_y(y, lmbda),
        lambda ans, y, lmbda: _inverse_boxcox_lmbda(y, lmbda),
    ),
)


def _tukey_density(p: Any, lmbda: Any) -> Any:
    """1/Q'(p) with Q(p) = (p^λ - (1-p)^λ)/λ; zero outside the support."""
    inside = (p > 0) & (p < 1)
    q = where(inside, p, 0.5)
    slope = exp((lmbda - 1) * log(q)) + exp((lmbda - 1) * log1p(-q))
    return where(inside, 1 / slope, 0.0)


def _tukey_lmbda(p: Any, lmbda: Any) -> Any:
    inside = (p > 0) & (p < 1)
    q = where(inside, p, 0.5)
    low, high = log(q), log1p(-q)
    slope = _boxcox_slope(lmbda * low, low) - _boxcox_slope(lmbda * high, high)
    return -slope * _tukey_density(p, lmbda)


tklmbda = function(
    "tklmbda",
    "Cumulative distribution function of Tukey's lambda distribution",
    "the p with (p^lmbda - (1 - p)^lmbda) / lmbda = x",
    "Joiner and Rosenblatt (1971)",
    "x: the argument; lmbda: the shape",
    "tklmbda(0.5, 1.0) = Tensor(0.75)",
    partials=(
        lambda ans, x, lmbda: _tukey_density(ans, lmbda),
        lambda ans, x, lmbda: _tukey_lmbda(ans, lmbda),
    ),
)

# -- losses ----------------------------------------------------------------------------------------

huber = function(
    "huber",
    "Huber loss",
    "r²/2 where |r| <= delta, delta (|r| - delta/2) beyond",
    "Huber (1964)",
    "delta: where the loss turns linear, not negative; r: the residual",
    "huber(1.0, 2.0) = Tensor(1.5)",
    partials=(
        lambda ans, delta, r: where(absolute(r) <= delta, 0.0, absolute(r) - delta),
        lambda ans, delta, r: where(absolute(r) <= delta, r, delta * sign(r)),
    ),
)


def _pseudo_huber_root(delta: Any, r: Any) -> Any:
    return sqrt(delta * delta + r * r)


pseudo_huber = function(
    "pseudo_huber",
    "Pseudo-Huber loss",
    "delta² (√(1 + (r/delta)²) - 1)",
    "Charbonnier et al. (1997)",
    "delta: where the loss turns linear, positive; r: the residual",
    "pseudo_huber(1.0, 2.0) = Tensor(1.23606798)",
    partials=(
        lambda ans, delta, r: (
            r**4 / (_pseudo_huber_root(delta, r) * (_pseudo_huber_root(delta, r) + delta) ** 2)
        ),
        lambda ans, delta, r: delta * r / _pseudo_huber_root(delta, r),
    ),
)
