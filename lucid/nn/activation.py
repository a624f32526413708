"""Activation functions as layers.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> nn.ReLU()(lucid.asarray([-1.0, 2.0]))
    Tensor([0., 2.])
    >>> nn.LeakyReLU(0.5)
    LeakyReLU(negative_slope=0.5)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.nn.init import constant_
from lucid.nn.layer import Layer
from lucid.nn.module import Module
from lucid.nn.parameter import Parameter, blank

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _Function(Module):
    """A function of the input alone."""

    _function: ClassVar[Callable[..., Tensor]]

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return type(self)._function(input)


class _AlongAxis(Layer):
    """A function along an axis."""

    _options = ("dim",)
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return type(self)._function(input, self.dim)


class ReLU(_Function):
    """Return max(x, 0); see `lucid.functional.relu`."""

    _function = staticmethod(functional.relu)


class ReLU6(_Function):
    """Return min(max(x, 0), 6); see `lucid.functional.relu6`."""

    _function = staticmethod(functional.relu6)


class Sigmoid(_Function):
    """Return 1 / (1 + exp(-x)); see `lucid.functional.sigmoid`."""

    _function = staticmethod(functional.sigmoid)


class Tanh(_Function):
    """Return tanh(x); see `lucid.functional.tanh`."""

    _function = staticmethod(functional.tanh)


class Softplus(Layer):
    """Return log(1 + exp(beta·x)) / beta; see `lucid.functional.softplus`.

    Args:
        beta: how sharply it bends.
        threshold: beyond which beta·x the result is x; None for nowhere.
    """

    _options = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float | None = None) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softplus(input, self.beta, self.threshold)


class GELU(Layer):
    """Return x·Φ(x); see `lucid.functional.gelu`.

    Args:
        approximate: "none", or "tanh" for a formula with tanh in place of Φ.
    """

    _options = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.gelu(input, self.approximate)


class SiLU(_Function):
    """Return x·sigmoid(x); see `lucid.functional.silu`."""

    _function = staticmethod(functional.silu)


class Mish(_Function):
    """Return x·tanh(softplus(x)); see `lucid.functional.mish`."""

    _function = staticmethod(functional.mish)


class LeakyReLU(Layer):
    """Return x, or negative_slope·x where x is negative; see `lucid.functional.leaky_relu`.

    Args:
        negative_slope: the slope below 0.
    """

    _options = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.leaky_relu(input, self.negative_slope)


class ELU(Layer):
    """Return x, or alpha·(exp(x) - 1) where x is negative; see `lucid.functional.elu`.

    Args:
        alpha: minus the limit towards -∞.
    """

    _options = ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.elu(input, self.alpha)


class CELU(Layer):
    """Return x, or alpha·(exp(x / alpha) - 1) where x is negative; see `lucid.functional.celu`.

    Args:
        alpha: minus the limit towards -∞.
    """

    _options = ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.celu(input, self.alpha)


class SELU(_Function):
    """Return a scaled `elu`; see `lucid.functional.selu`."""

    _function = staticmethod(functional.selu)


class Hardtanh(Layer):
    """Return x limited to an interval; see `lucid.functional.hardtanh`.

    Args:
        min_val: the lower end.
        max_val: the upper end.
    """

    _options = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.hardtanh(input, self.min_val, self.max_val)


class Hardsigmoid(_Function):
    """Return x/6 + 1/2 limited to [0, 1]; see `lucid.functional.hardsigmoid`."""

    _function = staticmethod(functional.hardsigmoid)


class Hardswish(_Function):
    """Return x·hardsigmoid(x); see `lucid.functional.hardswish`."""

    _function = staticmethod(functional.hardswish)


class Hardshrink(Layer):
    """Return x, or 0 where |x| does not exceed lambd; see `lucid.functional.hardshrink`.

    Args:
        lambd: how far from 0 entries become 0.
    """

    _options = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.hardshrink(input, self.lambd)


class Softshrink(Layer):
    """Return x moved towards 0 by lambd; see `lucid.functional.softshrink`.

    Args:
        lambd: how far entries move.
    """

    _options = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softshrink(input, self.lambd)


class Tanhshrink(_Function):
    """Return x - tanh(x); see `lucid.functional.tanhshrink`."""

    _function = staticmethod(functional.tanhshrink)


class Softsign(_Function):
    """Return x / (1 + |x|); see `lucid.functional.softsign`."""

    _function = staticmethod(functional.softsign)


class LogSigmoid(_Function):
    """Return log(sigmoid(x)); see `lucid.functional.logsigmoid`."""

    _function = staticmethod(functional.logsigmoid)


class Threshold(Layer):
    """Return x, or value where x does not exceed threshold; see `lucid.functional.threshold`.

    Args:
        threshold: above which entries stay.
        value: what takes the place of the others.
    """

    _options = ("threshold", "value")

    def __init__(self, threshold: float, value: float) -> None:
        super().__init__()
        self.threshold, self.value = threshold, value

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.threshold(input, self.threshold, self.value)


class GLU(_AlongAxis):
    """Return a·sigmoid(b) of the halves of x along an axis; see `lucid.functional.glu`.

    Args:
        dim: the axis.
    """

    _function = staticmethod(functional.glu)


class Softmax(_AlongAxis):
    """Return exp(xᵢ) / Σⱼ exp(xⱼ) along an axis; see `lucid.functional.softmax`.

    Args:
        dim: the axis.
    """

    _function = staticmethod(functional.softmax)


class Softmin(_AlongAxis):
    """Return exp(-xᵢ) / Σⱼ exp(-xⱼ) along an axis; see `lucid.functional.softmin`.

    Args:
        dim: the axis.
    """

    _function = staticmethod(functional.softmin)


class LogSoftmax(_AlongAxis):
    """Return log(softmax(x)) along an axis; see `lucid.functional.log_softmax`.

    Args:
        dim: the axis.
    """

    _function = staticmethod(functional.log_softmax)


class PReLU(Layer):
    """Return x, or weight·x where x is negative, with a learned weight.

    Args:
        num_parameters: 1, or the number of channels, one weight each.
        init: the first value of the weights.
        dtype: of the weights; by default the default dtype.
    """

    _options = ("num_parameters",)

    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = blank((num_parameters,), dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to their first value."""
        constant_(self.weight, self.init)

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.prelu(input, self.weight)


class RReLU(Layer):
    """Return x, or a·x where x is negative, with random slopes a; see `lucid.functional.rrelu`.

    Args:
        lower: the least slope.
        upper: the greatest slope. Evaluation takes the mean of both.
    """

    _options = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3) -> None:
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.rrelu(input, self.lower, self.upper, self.training)


class Softmax2d(Module):
    """Return the softmax over the channels of images; see `lucid.functional.softmax`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softmax(input, -3)
