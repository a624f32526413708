"""Activation functions with a kink or a bend at zero.

The derivative at a kink is the subgradient of least norm: relu'(0) = 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.define import ZERO, elementwise
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.ops.axes import as_tensor
from lucid.ops.complex_ import abs as absolute
from lucid.ops.complex_ import sign
from lucid.ops.pointwise import BELOW, rules
from lucid.ops.select import clip, where

__all__ = [
    "celu",
    "elu",
    "hardshrink",
    "hardtanh",
    "leaky_relu",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "softshrink",
    "threshold",
]


@elementwise(lambda x: np.maximum(x, 0), BELOW)
def relu(input: ArrayLike, /) -> Tensor:
    """Return max(x, 0) for every element; the derivative at 0 is 0.

    Args:
        input: x, of any shape, real.

    Returns:
        The values, of the shape and dtype of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.relu(lucid.asarray([-1.0, 2.0]))
        Tensor([0., 2.])
    """
    ...


def _keep_impl(x: Any, y: Any) -> Any:
    """Select through the bits: faster than np.where, and exact where a product meets NaN."""
    kind = {4: np.int32, 8: np.int64}.get(getattr(x, "itemsize", 0))
    if kind is None or np.shape(x) != np.shape(y) or x.dtype.kind != "f" or not x.ndim:
        return np.where(y > 0, x, 0)
    bits = (y > 0).astype(kind, order="C")
    np.negative(bits, bits)
    np.bitwise_and(bits, x.view(kind), bits)
    return bits.view(x.dtype)


@elementwise(_keep_impl, BELOW, ZERO, name="keep_positive")
def _keep(x: Any, y: Any, /) -> Any:
    """Return x where y is positive, and 0 elsewhere."""


rules(
    _keep,
    jvp=lambda ans, tangents, operands: (
        None if tangents[0] is None else _keep(tangents[0], operands[1])
    ),
    vjps=(lambda ct, ans, x, y: _keep(ct, y), None),
    masks=lambda i, ans, operands: operands[1] > 0 if i == 0 else None,
)
rules(
    relu,
    jvp=lambda ans, tangents, operands: _keep(tangents[0], ans),
    vjps=(lambda ct, ans, x: _keep(ct, ans),),
    masks=lambda i, ans, operands: ans > 0,
)


def relu6(input: ArrayLike, /) -> Tensor:
    """Return min(max(x, 0), 6) for every element.

    Args:
        input: x, of any shape, real.

    Returns:
        The values, of the shape and dtype of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.relu6(lucid.asarray([-1.0, 2.0, 8.0]))
        Tensor([0., 2., 6.])
    """
    return clip(input, 0, 6)


def hardtanh(input: ArrayLike, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return every element limited to an interval; the derivative at its ends is 0.

    Args:
        input: x, of any shape, real.
        min_val: the lower limit.
        max_val: the upper limit.

    Returns:
        The values, of the shape and dtype of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.hardtanh(lucid.asarray([-3.0, 0.5]))
        Tensor([-1. ,  0.5])
    """
    return clip(input, min_val, max_val)


def threshold(input: ArrayLike, threshold: float, value: float) -> Tensor:
    """Return x where it is above a threshold, and a value elsewhere.

    Args:
        input: x, of any shape, real.
        threshold: what x has to exceed.
        value: what replaces it.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.threshold(lucid.asarray([1.0, 3.0]), 2.0, -1.0)
        Tensor([-1.,  3.])
    """
    x = as_tensor("threshold", input)
    return where(x > threshold, x, value)


def _leak(x: Any, slope: Any) -> Any:
    return np.where(x > 0, x, x * slope)


@elementwise(_leak, BELOW, BELOW, name="leaky_relu")
def _leaky_relu(x: Any, slope: Any, /) -> Any:
    """Return x where it is positive, and slope·x elsewhere."""


rules(
    _leaky_relu,
    jvp=lambda ans, tangents, operands: where(
        operands[0] > 0, _or_zero(tangents[0]), _product_tangent(tangents, operands)
    ),
    vjps=(
        lambda ct, ans, x, slope: where(x > 0, ct, ct * slope),
        lambda ct, ans, x, slope: where(x > 0, 0, ct * x),
    ),
)


def _or_zero(tangent: Any) -> Any:
    return 0 if tangent is None else tangent


def _product_tangent(tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
    (tx, ty), (x, y) = tangents, operands
    left = 0 if tx is None else tx * y
    return left if ty is None else left + x * ty


def leaky_relu(input: ArrayLike, negative_slope: float = 0.01) -> Tensor:
    """Return x where it is positive, and negative_slope·x elsewhere.

    Args:
        input: x, of any shape, real.
        negative_slope: the slope of the other half.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.leaky_relu(lucid.asarray([-1.0, 2.0]))
        Tensor([-0.01,  2.  ])
    """
    return _leaky_relu(input, negative_slope)


def prelu(input: ArrayLike, weight: ArrayLike) -> Tensor:
    """Return x where it is positive, and weight·x elsewhere, with a learned weight.

    Args:
        input: x, real; with more than one weight, axis 1 (axis 0 of a vector) is the channel.
        weight: a scalar, or one number per channel, of shape (channels,).

    Returns:
        The values, of the shape of `input`.

    Raises:
        ShapeError: if `weight` has neither one element nor one per channel.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.prelu(lucid.asarray([[-1.0, -1.0]]), lucid.asarray([0.5, 0.25]))
        Tensor([[-0.5 , -0.25]])
    """
    x, w = as_tensor("prelu", input), as_tensor("prelu", weight)
    if w.size == 1:
        return _leaky_relu(x, w.reshape(()))
    channels = x.shape[1] if x.ndim > 1 else math.prod(x.shape)
    if w.shape != (channels,):
        want = f"a weight with 1 or {channels} elements"
        raise ShapeError(message("prelu", want, f"shape {w.shape}"))
    return _leaky_relu(x, w.reshape((channels, *(1,) * (x.ndim - 2))))


def hardshrink(input: ArrayLike, lambd: float = 0.5) -> Tensor:
    """Return x where |x| exceeds lambd, and 0 elsewhere.

    Args:
        input: x, of any shape, real.
        lambd: the threshold.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.hardshrink(lucid.asarray([0.25, 2.0]))
        Tensor([0., 2.])
    """
    x = as_tensor("hardshrink", input)
    return where(absolute(x) > lambd, x, 0)


def softshrink(input: ArrayLike, lambd: float = 0.5) -> Tensor:
    """Return x moved towards 0 by lambd, and 0 where |x| does not exceed it.

    Args:
        input: x, of any shape, real.
        lambd: the threshold, not negative.

    Returns:
        The values, of the shape of `input`.

    Raises:
        OptionError: if `lambd` is negative.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.softshrink(lucid.asarray([0.25, 2.0]))
        Tensor([0. , 1.5])
    """
    if lambd < 0:
        raise OptionError(message("softshrink", "a lambd that is not negative", str(lambd)))
    x = as_tensor("softshrink", input)
    return where(absolute(x) > lambd, x - lambd * sign(x), 0)


# -- with an exponential tail ----------------------------------------------------------------------


def _elu_impl(x: Any, alpha: Any) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@elementwise(
    _elu_impl,
    lambda ans, x, alpha: where(x > 0, 1, ans + alpha),
    lambda ans, x, alpha: where(x > 0, 0, ans / alpha),
    name="elu",
)
def _elu(x: Any, alpha: Any, /) -> Any:
    """Return x where it is positive, and alpha·(exp(x) - 1) elsewhere."""


def elu(input: ArrayLike, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, and alpha·(exp(x) - 1) elsewhere.

    Args:
        input: x, of any shape, real.
        alpha: minus the limit towards -∞.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.elu(lucid.asarray([-1.0, 2.0]))
        Tensor([-0.63212056,  2.        ])

    Source: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units", ICLR 2016.
    """
    return _elu(input, alpha)


def celu(input: ArrayLike, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, and alpha·(exp(x / alpha) - 1) elsewhere.

    Args:
        input: x, of any shape, real.
        alpha: minus the limit towards -∞, positive.

    Returns:
        The values, of the shape of `input`.

    Raises:
        OptionError: if `alpha` is not positive.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.celu(lucid.asarray([-1.0, 2.0]), 2.0)
        Tensor([-0.78693868,  2.        ])

    Source: Barron, "Continuously differentiable exponential linear units", 2017.
    """
    if not alpha > 0:
        raise OptionError(message("celu", "a positive alpha", str(alpha)))
    return alpha * _elu(as_tensor("celu", input) / alpha, 1.0)


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def selu(input: ArrayLike, /) -> Tensor:
    """Return a scaled `elu` that keeps mean 0 and variance 1 from layer to layer.

    Args:
        input: x, of any shape, real.

    Returns:
        The values, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.selu(lucid.asarray([-1.0, 1.0]))
        Tensor([-1.11133074,  1.05070099])

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks",
    NeurIPS 2017.
    """
    return _SELU_SCALE * _elu(input, _SELU_ALPHA)
