"""The gamma function and its kin; the zeta function."""

from __future__ import annotations

import math
from typing import Any

from lucid._lazy import scipy_special
from lucid.core.define import ZERO
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.ops.complex_ import abs as absolute
from lucid.ops.complex_ import real
from lucid.ops.select import where
from lucid.ops.special import digamma, gammaln, polygamma
from lucid.ops.special_functions.helpers import cospi, sinpi
from lucid.ops.special_functions.riemann import zeta_kernel, zetac_kernel
from lucid.ops.special_functions.table import DISCRETE, NoRule, adopt, function, numeric

__all__ = [
    "beta",
    "betaln",
    "binom",
    "gamma",
    "gammasgn",
    "loggamma",
    "poch",
    "psi",
    "rgamma",
    "zeta",
    "zetac",
]

psi = digamma

adopt(
    gammaln,
    "gammaln",
    "Logarithm of the absolute value of the gamma function",
    "ln |Γ(x)|",
    "DLMF 5.2.1",
    "x: the argument",
    ("digamma(x)",),
)
for _name in ("digamma", "psi"):
    adopt(
        digamma,
        _name,
        "Digamma function",
        "ψ(z) = Γ'(z)/Γ(z)",
        "DLMF 5.2.2",
        "z: the argument, real where the derivative is wanted",
        ("polygamma(1, z)",),
    )
adopt(
    polygamma,
    "polygamma",
    "Derivative of the digamma function",
    "ψ^(n)(x)",
    "DLMF 5.15",
    "n: the order; x: the argument",
    (DISCRETE, "polygamma(n + 1, x)"),
)

gamma = function(
    "gamma",
    "Gamma function",
    "Γ(z) = ∫_0^∞ t^(z-1) exp(-t) dt",
    "DLMF 5.2.1",
    "z: the argument",
    "gamma(5.0) = Tensor(24.)",
    partials=(lambda ans, z: ans * digamma(z),),
)

loggamma = function(
    "loggamma",
    "Principal branch of the logarithm of the gamma function",
    "ln Γ(z), analytic in the plane cut along (-∞, 0]",
    "DLMF 5.4",
    "z: the argument",
    "loggamma(5.0) = Tensor(3.17805383)",
    partials=(lambda ans, z: digamma(z),),
)

gammasgn = function(
    "gammasgn",
    "Sign of the gamma function",
    "sgn Γ(x)",
    "DLMF 5.2.1",
    "x: the argument",
    "gammasgn(-0.5) = Tensor(-1.)",
    partials=(ZERO,),
)


def _rgamma_slope(ans: Any, z: Any) -> Any:
    """-ψ(z)/Γ(z), for Re z < 1/2 by reflection, so that it is finite at the whole z <= 0."""
    low = (real(z) if z.dtype.kind == "c" else z) < 0.5
    m = 1 - where(low, z, 0.0)  # 1/Γ(z) = Γ(m) sin(πz)/π
    reflected = gamma(m) * (cospi(z) - digamma(m) * sinpi(z) / math.pi)
    return where(low, reflected, -ans * digamma(where(low, 1.0, z)))


rgamma = function(
    "rgamma",
    "Reciprocal of the gamma function",
    "1/Γ(z)",
    "DLMF 5.2.1",
    "z: the argument",
    "rgamma(5.0) = Tensor(0.04166667)",
    partials=(_rgamma_slope,),
)


def _digamma_difference(z: Any, m: Any) -> Any:
    """ψ(z + m) - ψ(z), by the midpoint series where m is small and the difference would cancel."""
    near = absolute(m) < 0.02 * z
    c = where(near, z + 0.5 * m, 1.0)
    step = where(near, m, 0.0)
    square = step * step
    series = polygamma(3, c) / 24 + square * polygamma(5, c) / 1920
    return where(near, step * (polygamma(1, c) + square * series), digamma(z + m) - digamma(z))


poch = function(
    "poch",
    "Pochhammer symbol, the rising factorial",
    "(z)_m = Γ(z + m)/Γ(z)",
    "DLMF 5.2.5",
    "z: the start; m: the number of factors, a real number",
    "poch(2.0, 3.0) = Tensor(24.)",
    domain="z and z + m positive",
    partials=(
        lambda ans, z, m: ans * _digamma_difference(z, m),
        lambda ans, z, m: ans * digamma(z + m),
    ),
)

beta = function(
    "beta",
    "Beta function",
    "B(a, b) = Γ(a) Γ(b) / Γ(a + b)",
    "DLMF 5.12.1",
    "a: the first argument; b: the second argument",
    "beta(2.0, 3.0) = Tensor(0.08333333)",
    domain="a and b positive",
    partials=(
        lambda ans, a, b: -ans * _digamma_difference(a, b),
        lambda ans, a, b: -ans * _digamma_difference(b, a),
    ),
)

betaln = function(
    "betaln",
    "Logarithm of the absolute value of the beta function",
    "ln |B(a, b)|",
    "DLMF 5.12.1",
    "a: the first argument; b: the second argument",
    "betaln(2.0, 3.0) = Tensor(-2.48490665)",
    domain="a and b positive",
    partials=(
        lambda ans, a, b: -_digamma_difference(a, b),
        lambda ans, a, b: -_digamma_difference(b, a),
    ),
)

binom = function(
    "binom",
    "Binomial coefficient of real arguments",
    "Γ(x + 1) / (Γ(y + 1) Γ(x - y + 1))",
    "DLMF 1.2.6",
    "x: the upper argument; y: the lower argument",
    "binom(5.0, 2.0) = Tensor(10.)",
    domain="x, y and x - y above -1",
    partials=(
        lambda ans, x, y: ans * _digamma_difference(x - y + 1, y),
        lambda ans, x, y: ans * (digamma(x - y + 1) - digamma(y + 1)),
    ),
)

# -- zeta ------------------------------------------------------------------------------------------

_THIRD = NoRule("it is itself a second derivative, and no rule for the third is written")

zeta_xx = function(
    "zeta_xx",
    "Second derivative of the Hurwitz zeta function by x",
    "∂²ζ(x, q)/∂x²",
    "Euler-Maclaurin summation on truncated Taylor series",
    "x: the exponent, above 1; q: the shift, positive",
    impl=numeric(lambda x, q: zeta_kernel(x, q, 2)),
    partials=(_THIRD, lambda ans, x, q: -2 * zeta_x(x + 1, q) - x * zeta_xx(x + 1, q)),
)

zeta_x = function(
    "zeta_x",
    "Derivative of the Hurwitz zeta function by x",
    "∂ζ(x, q)/∂x",
    "Euler-Maclaurin summation on truncated Taylor series",
    "x: the exponent, above 1; q: the shift, positive",
    impl=numeric(lambda x, q: zeta_kernel(x, q, 1)),
    partials=(
        lambda ans, x, q: zeta_xx(x, q),
        lambda ans, x, q: -_hurwitz(x + 1, q) - x * zeta_x(x + 1, q),
    ),
)

_hurwitz = function(
    "zeta",
    "Riemann and Hurwitz zeta function",
    "ζ(x, q) = Σ_{k=0}^∞ (k + q)^-x",
    "DLMF 25.11.1",
    "x: the exponent, above 1; q: the shift, positive",
    impl=lambda x, q: scipy_special.zeta(x, q),
    partials=(
        lambda ans, x, q: zeta_x(x, q),
        lambda ans, x, q: -x * _hurwitz(x + 1, q),
    ),
)

zetac_xx = function(
    "zetac_xx",
    "Second derivative of the Riemann zeta function",
    "ζ''(x)",
    "Euler-Maclaurin summation; the functional equation below 0",
    "x: the argument",
    impl=numeric(lambda x: zetac_kernel(x, 2)),
    partials=(_THIRD,),
)

zetac_x = function(
    "zetac_x",
    "Derivative of the Riemann zeta function",
    "ζ'(x)",
    "Euler-Maclaurin summation; the functional equation below 0",
    "x: the argument",
    impl=numeric(lambda x: zetac_kernel(x, 1)),
    partials=(lambda ans, x: zetac_xx(x),),
)

zetac = function(
    "zetac",
    "Riemann zeta function minus one",
    "ζ(x) - 1",
    "DLMF 25.2.1",
    "x: the argument",
    "zetac(2.0) = Tensor(0.64493407)",
    partials=(lambda ans, x: zetac_x(x),),
)


def zeta(x: ArrayLike, q: ArrayLike | None = None, /) -> Tensor:
    """Riemann zeta function, or that of Hurwitz.

        ζ(x, q) = Σ_{k=0}^∞ (k + q)^-x

    Args:
        x: the exponent; above 1 if `q` is given.
        q: the shift, positive; None for the Riemann zeta function, of any real `x`.

    Returns:
        The value, element by element, of the broadcast shape and the promoted dtype.

    Example:
        >>> import lucid
        >>> lucid.special.zeta(2.0)
        Tensor(1.64493407)

    Source: DLMF 25.2.1, 25.11.1.
    """
    return zetac(x) + 1 if q is None else _hurwitz(x, q)
