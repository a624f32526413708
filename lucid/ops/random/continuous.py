"""Continuous distributions: pure functions of a key, differentiable in their parameters.

A draw is a differentiable function of parameters and of noise that does not depend on them
(reparameterisation); the gamma family, which has no such form, is differentiated implicitly
through its distribution function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from lucid._lazy import special_functions
from lucid.config import get_default_dtype
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OperandError, ShapeError, message
from lucid.ops.random.keys import Key, philox, sampler, take

__all__ = [
    "cauchy",
    "exponential",
    "gumbel",
    "laplace",
    "logistic",
    "lognormal",
    "normal",
    "pareto",
    "rayleigh",
    "truncated_normal",
    "uniform",
    "weibull",
]

Shape = int | Sequence[int]


def lengths(name: str, shape: Shape) -> tuple[int, ...]:
    """Return a shape argument as a tuple."""
    try:
        found = (index(shape),) if hasattr(shape, "__index__") else tuple(map(index, shape))  # type: ignore[arg-type]
    except TypeError:
        raise OperandError(message(name, "a shape", repr(shape))) from None
    if any(n < 0 for n in found):
        raise ShapeError(message(name, "non-negative lengths", repr(shape)))
    return found


def floating(name: str, dtype: Any) -> np.dtype[Any]:
    """Return a dtype argument: float32 or float64, by default the default dtype."""
    found = get_default_dtype() if dtype is None else np.dtype(dtype)
    if found not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise DTypeError(message(name, "float32 or float64", str(found)))
    return found


def parameters(
    name: str, shape: Shape | None, dtype: Any, *values: ArrayLike
) -> tuple[tuple[int, ...], np.dtype[Any], list[Tensor]]:
    """Return shape and dtype of a draw, and its array parameters as Tensors of that dtype."""
    given = [v if isinstance(v, Tensor) else Tensor(v) for v in values]
    common = np.result_type(*(v.dtype for v in given))
    if common.kind == "c":
        raise DTypeError(message(name, "real parameters", str(common)))
    found = floating(name, dtype if dtype is not None or common.kind != "f" else common)
    try:
        joint = np.broadcast_shapes(*(v.shape for v in given))
        full = joint if shape is None else lengths(name, shape)
        if np.broadcast_shapes(joint, full) != full:
            raise ValueError
    except ValueError:
        got = f"shape={shape} for parameters of shapes {[v.shape for v in given]}"
        raise ShapeError(message(name, "a shape that the parameters broadcast to", got)) from None
    cast = [v if v.dtype == found else apply(OPS["astype"], (v,), (found,)) for v in given]
    return full, found, cast


# -- noise -----------------------------------------------------------------------------------------


def _noise(name: str, draw: Callable[..., Any]) -> Callable[..., Tensor]:
    op = sampler(
        name,
        lambda words, shape, dtype: np.asarray(
            draw(np.random.Generator(philox(words)), shape, dtype), dtype
        ),
        lambda words, shape, dtype: Aval(shape, dtype),
    )
    return lambda words, shape, dtype: apply(op, (words,), (shape, dtype))


_normal = _noise("random_normal", lambda g, shape, dtype: g.standard_normal(shape, dtype))
_uniform = _noise("random_uniform", lambda g, shape, dtype: g.random(shape, dtype))
_exponential = _noise(
    "random_exponential", lambda g, shape, dtype: g.standard_exponential(shape, dtype)
)


def _open_uniform(words: Tensor, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Tensor:
    """Uniform numbers without 0, so that their logarithm is finite."""
    return apply(OPS["maximum"], (_uniform(words, shape, dtype), float(np.finfo(dtype).tiny)))


def normal(
    key: Key,
    shape: Shape | None = None,
    dtype: Any = None,
    *,
    loc: ArrayLike = 0.0,
    scale: ArrayLike = 1.0,
) -> Tensor:
    """Draw from the normal distribution, density exp(-(x-μ)²/2σ²) / (σ√2π).

    Args:
        key: a single, unused key.
        shape: of the result; by default the common shape of the parameters.
        dtype: float32 or float64; by default that of the parameters, or the default dtype.
        loc: mean μ.
        scale: standard deviation σ.

    Returns:
        The draws, differentiable in `loc` and `scale`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the parameters do not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> lucid.random.normal(lucid.random.key(0), (2, 3)).shape
        (2, 3)
    """
    full, found, (mu, sigma) = parameters("normal", shape, dtype, loc, scale)
    return mu + sigma * _normal(take("normal", key), full, found)


def uniform(
    key: Key,
    shape: Shape | None = None,
    dtype: Any = None,
    *,
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
) -> Tensor:
    """Draw from the uniform distribution on [minval, maxval); rounding can give maxval.

    Args:
        key: a single, unused key.
        shape: of the result; by default the common shape of the parameters.
        dtype: float32 or float64; by default that of the parameters, or the default dtype.
        minval: lower end.
        maxval: upper end.

    Returns:
        The draws, differentiable in both ends.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the parameters do not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> lucid.random.uniform(lucid.random.key(0), (4,)).shape
        (4,)
    """
    full, found, (lo, hi) = parameters("uniform", shape, dtype, minval, maxval)
    return lo + (hi - lo) * _uniform(take("uniform", key), full, found)


def exponential(
    key: Key, shape: Shape | None = None, dtype: Any = None, *, scale: ArrayLike = 1.0
) -> Tensor:
    """Draw from the exponential distribution, density exp(-x/θ)/θ.

    Args:
        key: a single, unused key.
        shape: of the result; by default that of `scale`.
        dtype: float32 or float64; by default that of `scale`, or the default dtype.
        scale: mean θ.

    Returns:
        The draws, differentiable in `scale`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `scale` does not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> lucid.random.exponential(lucid.random.key(0), (4,)).shape
        (4,)
    """
    full, found, (theta,) = parameters("exponential", shape, dtype, scale)
    return theta * _exponential(take("exponential", key), full, found)


def truncated_normal(
    key: Key, lower: ArrayLike, upper: ArrayLike, shape: Shape | None = None, dtype: Any = None
) -> Tensor:
    """Draw from the standard normal distribution restricted to [lower, upper].

    By inversion, x = Φ⁻¹(Φ(a) + u (Φ(b) - Φ(a))), on logarithms and in the lower tail, so that it
    holds however far out the ends lie.

    Args:
        key: a single, unused key.
        lower: lower end a; may be -∞.
        upper: upper end b; may be ∞.
        shape: of the result; by default the common shape of the ends.
        dtype: float32 or float64; by default that of the ends, or the default dtype.

    Returns:
        The draws, differentiable in both ends.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the ends do not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> x = lucid.random.truncated_normal(lucid.random.key(0), -1.0, 1.0, (100,))
        >>> bool((abs(x) <= 1).all())
        True
    """
    full, found, (a, b) = parameters("truncated_normal", shape, dtype, lower, upper)
    u = _open_uniform(take("truncated_normal", key), full, found)
    flip = a > 0  # Φ is close to 1 there; use the other tail
    lo, hi = _where(flip, -b, a), _where(flip, -a, b)
    log_cdf = special_functions.erf.log_ndtr
    bounded = lo > -math.inf  # Φ is 0 at -∞, and constant
    top = log_cdf(hi)
    ratio = apply(OPS["exp"], (log_cdf(_where(bounded, lo, hi)) - top,))
    ratio = _where(bounded, ratio, 0.0)
    x = special_functions.erf.ndtri_exp(top + _log(ratio + u * (1 - ratio)))
    x = _where(flip, -x, x)
    inside = apply(OPS["minimum"], (apply(OPS["maximum"], (x.detach(), a)), b)).detach()
    return x + (inside - x).detach()  # rounding can leave the interval; the derivative stays


def _where(mask: Tensor, x: Any, y: Any) -> Tensor:
    return apply(OPS["where"], (mask, x, y))


def _by_inversion(name: str, formula: str, invert: Callable[[Any], Any]) -> Callable[..., Tensor]:
    def draw(
        key: Key,
        shape: Shape | None = None,
        dtype: Any = None,
        *,
        loc: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
    ) -> Tensor:
        full, found, (mu, sigma) = parameters(name, shape, dtype, loc, scale)
        return mu + sigma * invert(_open_uniform(take(name, key), full, found))

    draw.__name__ = draw.__qualname__ = name
    draw.__doc__ = f"""Draw from the {name} distribution, distribution function {formula}.

    Args:
        key: a single, unused key.
        shape: of the result; by default the common shape of the parameters.
        dtype: float32 or float64; by default that of the parameters, or the default dtype.
        loc: location μ; z = (x - μ) / σ.
        scale: scale σ.

    Returns:
        The draws, differentiable in `loc` and `scale`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the parameters do not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> lucid.random.{name}(lucid.random.key(0), (4,)).shape
        (4,)
    """
    return draw


def _log(x: Any) -> Tensor:
    return apply(OPS["log"], (x,))


gumbel = _by_inversion("gumbel", "exp(-exp(-z))", lambda u: -_log(-_log(u)))
logistic = _by_inversion("logistic", "1 / (1 + exp(-z))", lambda u: _log(u) - _log(1 - u))
cauchy = _by_inversion(
    "cauchy", "1/2 + arctan(z)/π", lambda u: apply(OPS["tan"], (math.pi * (u - 0.5),))
)
laplace = _by_inversion(
    "laplace",
    "exp(z)/2 for z < 0 and 1 - exp(-z)/2 otherwise",
    lambda u: _where(u < 0.5, _log(2 * u), -_log(2 * (1 - u))),
)


def lognormal(
    key: Key,
    shape: Shape | None = None,
    dtype: Any = None,
    *,
    loc: ArrayLike = 0.0,
    scale: ArrayLike = 1.0,
) -> Tensor:
    """Draw numbers whose logarithm is normal with mean `loc` and standard deviation `scale`.

    Arguments, result and errors are those of `normal`.

    Example:
        >>> import lucid
        >>> bool((lucid.random.lognormal(lucid.random.key(0), (4,)) > 0).all())
        True
    """
    full, found, (mu, sigma) = parameters("lognormal", shape, dtype, loc, scale)
    return apply(OPS["exp"], (mu + sigma * _normal(take("lognormal", key), full, found),))


def weibull(
    key: Key,
    concentration: ArrayLike,
    shape: Shape | None = None,
    dtype: Any = None,
    *,
    scale: ArrayLike = 1.0,
) -> Tensor:
    """Draw from the Weibull distribution, distribution function 1 - exp(-(x/λ)ᵏ).

    Args:
        key: a single, unused key.
        concentration: k > 0.
        shape: of the result; by default the common shape of the parameters.
        dtype: float32 or float64; by default that of the parameters, or the default dtype.
        scale: λ > 0.

    Returns:
        The draws, differentiable in the parameters.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the parameters do not broadcast to `shape`.

    Example:
        >>> import lucid
        >>> lucid.random.weibull(lucid.random.key(0), 1.5, (4,)).shape
        (4,)
    """
    full, found, (k, lam) = parameters("weibull", shape, dtype, concentration, scale)
    return lam * _exponential(take("weibull", key), full, found) ** (1 / k)


def rayleigh(
    key: Key, shape: Shape | None = None, dtype: Any = None, *, scale: ArrayLike = 1.0
) -> Tensor:
    """Draw from the Rayleigh distribution, distribution function 1 - exp(-x²/2σ²).

    Arguments, result and errors are those of `exponential`, with σ for `scale`.

    Example:
        >>> import lucid
        >>> lucid.random.rayleigh(lucid.random.key(0), (4,)).shape
        (4,)
    """
    full, found, (sigma,) = parameters("rayleigh", shape, dtype, scale)
    noise = _exponential(take("rayleigh", key), full, found)
    return sigma * apply(OPS["sqrt"], (2 * noise,))


def pareto(
    key: Key,
    concentration: ArrayLike,
    shape: Shape | None = None,
    dtype: Any = None,
    *,
    scale: ArrayLike = 1.0,
) -> Tensor:
    """Draw from the Pareto distribution, distribution function 1 - (m/x)ᵃ for x ≥ m.

    Arguments, result and errors are those of `weibull`, with a for `concentration`, m for `scale`.

    Example:
        >>> import lucid
        >>> bool((lucid.random.pareto(lucid.random.key(0), 3.0, (4,)) >= 1).all())
        True
    """
    full, found, (a, m) = parameters("pareto", shape, dtype, concentration, scale)
    return m * apply(OPS["exp"], (_exponential(take("pareto", key), full, found) / a,))
