"""Smooth activation functions, and their piecewise linear stand-ins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.core.define import elementwise
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.checks import shape_of
from lucid.ops.axes import as_tensor, axis_of, slice_axis
from lucid.ops.complex_ import abs as absolute
from lucid.ops.exponential import exp
from lucid.ops.hyperbolic import tanh
from lucid.ops.select import clip, where

__all__ = [
    "gelu",
    "glu",
    "hardsigmoid",
    "hardswish",
    "logsigmoid",
    "mish",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "tanh",
    "tanhshrink",
]


# -- exponential kin -------------------------------------------------------------------------------


def _sigmoid_impl(x: Any) -> Any:
    with np.errstate(over="ignore"):  # 1/(1 + inf) is the 0 it should be
        t = np.exp(0.0 - x)
    t += 1
    return 1 / t


@elementwise(_sigmoid_impl, lambda ans, x: ans * (1 - ans))
def sigmoid(input: ArrayLike, /) -> Tensor:
    """Return the logistic function 1 / (1 + exp(-x)) of every element.

    Args:
        input: x, of any shape.

    Returns:
        The values, of the shape of `input`, between 0 and 1.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.sigmoid(lucid.asarray([0.0, 1.0]))
        Tensor([0.5       , 0.73105858])
    """
    ...


def _softplus_impl(x: Any) -> Any:
    far = np.minimum(x, 0.0) - np.maximum(x, 0.0)  # -|x|, also of unsigned integers
    return np.log1p(np.exp(far)) + np.maximum(x, 0)


@elementwise(_softplus_impl, lambda ans, x: sigmoid(x), name="softplus")
def _softplus(x: Any, /) -> Any:
    """Return log(1 + exp(x)), without overflow."""


def softplus(input: ArrayLike, beta: float = 1.0, threshold: float | None = None) -> Tensor:
    """Return log(1 + exp(beta·x)) / beta for every element, a smooth `relu`.

    Args:
        input: x, of any shape, real.
        beta: how sharp the bend is, positive.
        threshold: above which beta·x the result is x itself. The formula needs none, since it is
            computed without overflow; None computes it everywhere.

    Returns:
        The values, of the shape of `input`.

    Raises:
        OptionError: if `beta` is not positive.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.softplus(lucid.asarray([0.0, 1000.0]))
        Tensor([6.93147181e-01, 1.00000000e+03])
    """
    if not beta > 0:
        raise OptionError(message("softplus", "a positive beta", str(beta)))
    x = as_tensor("softplus", input)
    ans = _softplus(x) if beta == 1 else _softplus(beta * x) / beta
    return ans if threshold is None else where(beta * x > threshold, x, ans)


def logsigmoid(input: ArrayLike, /) -> Tensor:
    """Return log(sigmoid(x)) = -log(1 + exp(-x)) of every element, without underflow.

    Args:
        input: x, of any shape, real.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.logsigmoid(lucid.asarray([0.0, -1000.0]))
        Tensor([-6.93147181e-01, -1.00000000e+03])
    """
    return -_softplus(-as_tensor("logsigmoid", input))


def silu(input: ArrayLike, /) -> Tensor:
    """Return x·sigmoid(x) for every element, also called swish.

    Args:
        input: x, of any shape.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.silu(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 0.73105858])
    """
    x = as_tensor("silu", input)
    return x * sigmoid(x)


def mish(input: ArrayLike, /) -> Tensor:
    """Return x·tanh(log(1 + exp(x))) for every element.

    Args:
        input: x, of any shape, real.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.mish(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 0.86509839])

    Source: Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.
    """
    x = as_tensor("mish", input)
    return x * tanh(_softplus(x))


# -- others ----------------------------------------------------------------------------------------


@elementwise(
    lambda x: x * scipy_special.ndtr(x),
    lambda ans, x: _cumulative(x) + x * exp(-0.5 * x * x) * _DENSITY,
    name="gelu",
)
def _gelu(x: Any, /) -> Any:
    """Return x·Φ(x)."""


_DENSITY = 1 / math.sqrt(2 * math.pi)


@elementwise(
    lambda x: scipy_special.ndtr(x),
    lambda ans, x: exp(-0.5 * x * x) * _DENSITY,
    name="normal_cdf",
)
def _cumulative(x: Any, /) -> Any:
    """Return Φ(x), the normal distribution's function."""


def gelu(input: ArrayLike, approximate: str = "none") -> Tensor:
    """Return x·Φ(x) for every element, with the normal distribution function Φ.

    Args:
        input: x, of any shape, real.
        approximate: "none", or "tanh" for x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).

    Returns:
        The values, of the shape of `input`.

    Raises:
        OptionError: if `approximate` is neither.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.gelu(lucid.asarray([-1.0, 1.0]))
        Tensor([-0.15865525,  0.84134475])

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.
    """
    if approximate == "none":
        return _gelu(input)
    if approximate != "tanh":
        want = 'approximate "none" or "tanh"'
        raise OptionError(message("gelu", want, repr(approximate)))
    x = as_tensor("gelu", input)
    return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def hardsigmoid(input: ArrayLike, /) -> Tensor:
    """Return x/6 + 1/2 limited to [0, 1], for every element.

    Args:
        input: x, of any shape, real.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.hardsigmoid(lucid.asarray([-4.0, 0.0, 4.0]))
        Tensor([0. , 0.5, 1. ])
    """
    return clip(as_tensor("hardsigmoid", input) / 6 + 0.5, 0, 1)


def hardswish(input: ArrayLike, /) -> Tensor:
    """Return x·hardsigmoid(x) for every element.

    Args:
        input: x, of any shape, real.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.hardswish(lucid.asarray([-4.0, 3.0, 4.0]))
        Tensor([-0.,  3.,  4.])

    Source: Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """
    x = as_tensor("hardswish", input)
    return x * hardsigmoid(x)


def softsign(input: ArrayLike, /) -> Tensor:
    """Return x / (1 + |x|) for every element.

    Args:
        input: x, of any shape, real.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.softsign(lucid.asarray([-1.0, 3.0]))
        Tensor([-0.5 ,  0.75])
    """
    x = as_tensor("softsign", input)
    return x / (1 + absolute(x))


def tanhshrink(input: ArrayLike, /) -> Tensor:
    """Return x - tanh(x) for every element.

    Args:
        input: x, of any shape.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.tanhshrink(lucid.asarray([0.0, 1.0]))
        Tensor([0.        , 0.23840584])
    """
    x = as_tensor("tanhshrink", input)
    return x - tanh(x)


def glu(input: ArrayLike, dim: int = -1) -> Tensor:
    """Return a·sigmoid(b), where a and b are the halves of the input along an axis.

    Args:
        input: of any shape, even along the axis.
        dim: the axis.

    Returns:
        The values, half as long along the axis.

    Raises:
        ShapeError: if the length is odd.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.glu(lucid.asarray([3.0, 0.0]))
        Tensor([1.5])

    Source: Dauphin, Fan, Auli and Grangier, "Language modeling with gated convolutional networks",
    ICML 2017.
    """
    x = as_tensor("glu", input)
    axis = axis_of("glu", dim, x.ndim)
    if x.shape[axis] % 2:
        raise ShapeError(message("glu", f"an even length of axis {dim}", f"shape {shape_of(x)}"))
    half = x.shape[axis] // 2
    return slice_axis(x, axis, 0, half) * sigmoid(slice_axis(x, axis, half, None))
