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

from typing import Any

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.nn.init import constant_
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


class ReLU(Module):
    """Return max(x, 0); see `lucid.functional.relu`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.relu(input)


class ReLU6(Module):
    """Return min(max(x, 0), 6); see `lucid.functional.relu6`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.relu6(input)


class Sigmoid(Module):
    """Return 1 / (1 + exp(-x)); see `lucid.functional.sigmoid`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.sigmoid(input)


class Tanh(Module):
    """Return tanh(x); see `lucid.functional.tanh`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.tanh(input)


class Softplus(Module):
    """Return log(1 + exp(beta·x)) / beta; see `lucid.functional.softplus`."""

    def __init__(self, beta: float = 1.0, threshold: float | None = None) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"beta={self.beta!r}, threshold={self.threshold!r}"


class GELU(Module):
    """Return x·Φ(x); see `lucid.functional.gelu`."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """Return x·sigmoid(x); see `lucid.functional.silu`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.silu(input)


class Mish(Module):
    """Return x·tanh(softplus(x)); see `lucid.functional.mish`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.mish(input)


class LeakyReLU(Module):
    """Return x, or negative_slope·x where x is negative; see `lucid.functional.leaky_relu`."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"negative_slope={self.negative_slope!r}"


class ELU(Module):
    """Return x, or alpha·(exp(x) - 1) where x is negative; see `lucid.functional.elu`."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.elu(input, self.alpha)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"alpha={self.alpha!r}"


class CELU(Module):
    """Return x, or alpha·(exp(x / alpha) - 1) where x is negative; see `lucid.functional.celu`."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.celu(input, self.alpha)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"alpha={self.alpha!r}"


class SELU(Module):
    """Return a scaled `elu`; see `lucid.functional.selu`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.selu(input)


class Hardtanh(Module):
    """Return x limited to an interval; see `lucid.functional.hardtanh`."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"min_val={self.min_val!r}, max_val={self.max_val!r}"


class Hardsigmoid(Module):
    """Return x/6 + 1/2 limited to [0, 1]; see `lucid.functional.hardsigmoid`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.hardsigmoid(input)


class Hardswish(Module):
    """Return x·hardsigmoid(x); see `lucid.functional.hardswish`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.hardswish(input)


class Hardshrink(Module):
    """Return x, or 0 where |x| does not exceed lambd; see `lucid.functional.hardshrink`."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"lambd={self.lambd!r}"


class Softshrink(Module):
    """Return x moved towards 0 by lambd; see `lucid.functional.softshrink`."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"lambd={self.lambd!r}"


class Tanhshrink(Module):
    """Return x - tanh(x); see `lucid.functional.tanhshrink`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.tanhshrink(input)


class Softsign(Module):
    """Return x / (1 + |x|); see `lucid.functional.softsign`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softsign(input)


class LogSigmoid(Module):
    """Return log(sigmoid(x)); see `lucid.functional.logsigmoid`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.logsigmoid(input)


class Threshold(Module):
    """Return x, or value where x does not exceed threshold; see `lucid.functional.threshold`."""

    def __init__(self, threshold: float, value: float) -> None:
        super().__init__()
        self.threshold, self.value = threshold, value

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.threshold(input, self.threshold, self.value)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"threshold={self.threshold!r}, value={self.value!r}"


class GLU(Module):
    """Return a·sigmoid(b) of the halves of x along an axis; see `lucid.functional.glu`."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.glu(input, self.dim)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"dim={self.dim!r}"


class Softmax(Module):
    """Return exp(xᵢ) / Σⱼ exp(xⱼ) along an axis; see `lucid.functional.softmax`."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"dim={self.dim!r}"


class Softmin(Module):
    """Return exp(-xᵢ) / Σⱼ exp(-xⱼ) along an axis; see `lucid.functional.softmin`."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softmin(input, self.dim)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"dim={self.dim!r}"


class LogSoftmax(Module):
    """Return log(softmax(x)) along an axis; see `lucid.functional.log_softmax`."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"dim={self.dim!r}"


class PReLU(Module):
    """Return x, or weight·x where x is negative, with a learned weight.

    Args:
        num_parameters: 1, or the number of channels, one weight each.
        init: the first value of the weights.
        dtype: of the weights; by default the default dtype.
    """

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

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """Return x, or a·x where x is negative, with random slopes a; see `lucid.functional.rrelu`."""

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3) -> None:
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.rrelu(input, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"lower={self.lower!r}, upper={self.upper!r}"


class Softmax2d(Module):
    """Return the softmax over the channels of images; see `lucid.functional.softmax`."""

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the function."""
        return functional.softmax(input, -3)
