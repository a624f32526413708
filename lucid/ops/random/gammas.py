"""The gamma family: gamma, beta, dirichlet, chi-square and Student's t, differentiated implicitly.

A gamma draw x with shape a satisfies P(a, x) = u for some noise u, so that keeping u fixed gives
∂x/∂a = -(∂P/∂a) / (∂P/∂x).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid._lazy import special_functions
from lucid.core.cotangent import fit, spread
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
from lucid.errors import ShapeError, message
from lucid.ops.linalg.factor import cholesky
from lucid.ops.random.continuous import Shape, lengths, normal, parameters
from lucid.ops.random.keys import Key, philox, sampler, split, take

__all__ = ["beta", "chisquare", "dirichlet", "gamma", "multivariate_normal", "t"]


def gamma(
    key: Key,
    a: ArrayLike,
    shape: Shape | None = None,
    dtype: Any = None,
    *,
    scale: ArrayLike = 1.0,
) -> Tensor:
    """Draw from the gamma distribution, density x^(a-1) exp(-x/θ) / (Γ(a) θᵃ).

    Args:
        key: a single, unused key.
        a: shape parameter, positive.
        shape: of the result; by default the common shape of the parameters.
        dtype: float32 or float64; by default that of the parameters, or the default dtype.
        scale: θ, positive.

    Returns:
        The draws, differentiable in `a` (implicitly) and `scale`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the parameters do not broadcast to `shape`, or `a` is negative.

    Example:
        >>> import lucid
        >>> bool((lucid.random.gamma(lucid.random.key(0), 2.0, (4,)) > 0).all())
        True

    References:
        M. Figurnov, S. Mohamed, A. Mnih, Implicit reparameterization gradients, NeurIPS (2018).
    """
    full, found, (alpha, theta) = parameters("gamma", shape, dtype, a, scale)
    return theta * _standard_gamma(take("gamma", key), alpha, full, found)


def _standard_gamma(words: Tensor, a: Tensor, shape: Any, dtype: Any) -> Tensor:
    if a.shape != shape:
        a = apply(OPS["broadcast_to"], (a,), (shape,))
    return apply(_gamma, (words, a), (dtype,))


def _draw_gamma(words: Any, a: Any, dtype: Any) -> Any:
    if (bad := ~(a >= 0)).any():
        raise ShapeError(message("gamma", "a shape parameter that is not negative", f"{a[bad][0]}"))
    generator = np.random.Generator(philox(words))
    return np.asarray(generator.standard_gamma(a.astype(np.float64)), dtype)


def _slope(x: Tensor, words: Tensor, a: Tensor) -> Tensor:
    """∂x/∂a; where x has underflowed to 0 it stays there."""
    positive = x > 0
    safe = apply(OPS["where"], (positive, x, 1.0))
    family = special_functions.incomplete_gamma
    slope = -family.gammainc_a(a, safe) / family.gamma_density(a, safe)
    return apply(OPS["where"], (positive, slope, 0.0))


_gamma = sampler(
    "random_gamma",
    _draw_gamma,
    lambda words, a, dtype: Aval(a.shape, dtype),
    smooth=True,
    jvp=lambda ans, t, operands, dtype: (
        None if t[1] is None else spread(t[1] * _slope(ans, *operands), ans)
    ),
    vjps=[None, lambda ct, ans, words, a, dtype: fit(ct * _slope(ans, words, a), a)],
)


def chisquare(key: Key, df: ArrayLike, shape: Shape | None = None, dtype: Any = None) -> Tensor:
    """Draw from the chi-square distribution with `df` degrees of freedom.

    Args:
        key: a single, unused key.
        df: degrees of freedom, positive.
        shape: of the result; by default that of `df`.
        dtype: float32 or float64; by default that of `df`, or the default dtype.

    Returns:
        The draws, differentiable in `df`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `df` does not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> lucid.random.chisquare(lucid.random.key(0), 3.0, (4,)).shape
        (4,)
    """
    _, _, (nu,) = parameters("chisquare", shape, dtype, df)
    return gamma(key, nu / 2, shape, dtype, scale=2.0)


def t(key: Key, df: ArrayLike, shape: Shape | None = None, dtype: Any = None) -> Tensor:
    """Draw from Student's t distribution with `df` degrees of freedom.

    Args:
        key: a single, unused key.
        df: degrees of freedom, positive.
        shape: of the result; by default that of `df`.
        dtype: float32 or float64; by default that of `df`, or the default dtype.

    Returns:
        The draws, differentiable in `df`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `df` does not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> lucid.random.t(lucid.random.key(0), 3.0, (4,)).shape
        (4,)
    """
    full, found, (nu,) = parameters("t", shape, dtype, df)
    k1, k2 = split(key)
    spread_ = gamma(k2, nu / 2, full, found) * (2 / nu)
    return normal(k1, full, found) / apply(OPS["sqrt"], (spread_,))


def beta(
    key: Key, a: ArrayLike, b: ArrayLike, shape: Shape | None = None, dtype: Any = None
) -> Tensor:
    """Draw from the beta distribution, density x^(a-1) (1-x)^(b-1) / B(a, b).

    Args:
        key: a single, unused key.
        a: positive.
        b: positive.
        shape: of the result; by default the common shape of the parameters.
        dtype: float32 or float64; by default that of the parameters, or the default dtype.

    Returns:
        The draws, differentiable in `a` and `b` (implicitly).

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the parameters do not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> x = lucid.random.beta(lucid.random.key(0), 2.0, 3.0, (4,))
        >>> bool(((x > 0) & (x < 1)).all())
        True
    """
    full, found, (p, q) = parameters("beta", shape, dtype, a, b)
    k1, k2 = split(key)
    x, y = _log_gamma(k1, p, full, found), _log_gamma(k2, q, full, found)
    return apply(OPS["exp"], (x - apply(OPS["logaddexp"], (x, y)),))


def _log_gamma(key: Key, a: Tensor, shape: Any, dtype: Any) -> Tensor:
    """The logarithm of a gamma draw, which does not underflow for small a.

    A draw with shape a is one with shape a + 1 times U^(1/a) (Marsaglia and Tsang, 2000).
    """
    k1, k2 = split(key)
    x = _standard_gamma(take("gamma", k1), a + 1.0, shape, dtype)
    noise = apply(OPS["random_exponential"], (take("gamma", k2),), (shape, dtype))
    return apply(OPS["log"], (x,)) - noise / a


def dirichlet(key: Key, alpha: ArrayLike, shape: Shape | None = None, dtype: Any = None) -> Tensor:
    """Draw probability vectors from the Dirichlet distribution, density ∝ Πᵢ xᵢ^(αᵢ-1).

    Args:
        key: a single, unused key.
        alpha: (..., n), positive.
        shape: of the batch of draws; by default that of `alpha` without its last axis.
        dtype: float32 or float64; by default that of `alpha`, or the default dtype.

    Returns:
        Draws of shape (*shape, n) that sum to 1, differentiable in `alpha` (implicitly).

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `alpha` has no axis or does not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> x = lucid.random.dirichlet(lucid.random.key(0), lucid.asarray([1.0, 2.0, 3.0]))
        >>> bool(abs(x.sum() - 1) < 1e-12)
        True
    """
    n = (alpha if isinstance(alpha, Tensor) else Tensor(alpha)).shape[-1:]
    if not n:
        raise ShapeError(message("dirichlet", "alpha with an axis of categories", "a number"))
    batch = None if shape is None else (*lengths("dirichlet", shape), *n)
    full, found, (a,) = parameters("dirichlet", batch, dtype, alpha)
    logs = _log_gamma(key, a, full, found)
    last = (len(full) - 1,)
    return apply(OPS["exp"], (logs - apply(OPS["logsumexp"], (logs,), (last, True)),))


def multivariate_normal(
    key: Key,
    mean: ArrayLike,
    cov: ArrayLike,
    shape: Shape | None = None,
    dtype: Any = None,
) -> Tensor:
    """Draw vectors from the multivariate normal distribution, x = μ + L z with L Lᵀ = Σ.

    Args:
        key: a single, unused key.
        mean: (..., n), μ.
        cov: (..., n, n), Σ, symmetric positive definite.
        shape: of the batch of draws; by default the common batch shape of the parameters.
        dtype: float32 or float64; by default that of the parameters, or the default dtype.

    Returns:
        Draws of shape (*shape, n), differentiable in `mean` and `cov`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if shapes do not fit.
        LinAlgError: if `cov` is not positive definite.

    Example:
        >>> import lucid
        >>> k = lucid.random.key(0)
        >>> lucid.random.multivariate_normal(k, lucid.zeros(2), lucid.eye(2)).shape
        (2,)
    """
    mu = mean if isinstance(mean, Tensor) else Tensor(mean)
    sigma = cov if isinstance(cov, Tensor) else Tensor(cov)
    if mu.ndim < 1 or sigma.ndim < 2 or sigma.shape[-2:] != (mu.shape[-1],) * 2:
        got = f"shapes {mu.shape} and {sigma.shape}"
        raise ShapeError(message("multivariate_normal", "mean (..., n) and cov (..., n, n)", got))
    n = mu.shape[-1:]
    # a row of the covariance has the shape of a draw: broadcast it with the mean, and to `shape`
    batch = None if shape is None else (*lengths("multivariate_normal", shape), *n)
    full, found, (mu, _) = parameters("multivariate_normal", batch, dtype, mu, sigma[..., 0, :])
    if sigma.dtype != found:
        sigma = apply(OPS["astype"], (sigma,), (found,))
    noise = normal(key, full, found)
    pushed = apply(OPS["matmul"], (cholesky(sigma), noise.reshape((*full, 1))))
    return mu + pushed.reshape(full)
