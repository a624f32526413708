"""Layers that apply affine maps, and those that only rearrange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid import functional
from lucid.core.tensor import Tensor
from lucid.nn import init
from lucid.nn.layer import Layer
from lucid.nn.module import Module
from lucid.nn.parameter import Parameter, blank

__all__ = ["Bilinear", "Flatten", "Identity", "Linear", "Unflatten"]


class Linear(Module):
    """Apply x·Wᵀ + b to the last axis; see `lucid.functional.linear`.

    Args:
        in_features: the length of the last axis.
        out_features: its length in the output.
        bias: whether b is added.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: W, of shape (out_features, in_features), drawn evenly from ±1/√in_features.
        bias: b, of shape (out_features,), drawn likewise; or None.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.Linear(3, 2)(lucid.ones((5, 3))).shape
        (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = blank((out_features, in_features), dtype)
        self.register_parameter("bias", blank((out_features,), dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        init.fan_in_uniform_(self.weight, self.in_features)
        init.fan_in_uniform_(self.bias, self.in_features)

    def forward(self, input: Tensor) -> Tensor:
        """Apply the layer."""
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"


class Bilinear(Module):
    """Apply a bilinear map to two inputs; see `lucid.functional.bilinear`.

    Args:
        in1_features: the length of the first input's last axis.
        in2_features: that of the second input.
        out_features: that of the output.
        bias: whether a bias is added.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: of shape (out_features, in1_features, in2_features), drawn evenly from
            ±1/√in1_features.
        bias: of shape (out_features,), drawn likewise; or None.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.Bilinear(3, 4, 2)(lucid.ones((5, 3)), lucid.ones((5, 4))).shape
        (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        self.weight = blank((out_features, in1_features, in2_features), dtype)
        self.register_parameter("bias", blank((out_features,), dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        init.fan_in_uniform_(self.weight, self.in1_features)
        init.fan_in_uniform_(self.bias, self.in1_features)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Apply the layer."""
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}"
        return f"{sizes}, out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """Return the input. Any arguments are taken, so that it can stand for any layer.

    Example:
        >>> from lucid import nn
        >>> nn.Identity(54, unused=True)(3.0)
        3.0
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return the input."""
        return input


class Flatten(Layer):
    """Merge neighbouring axes, by default all but the first; see `lucid.functional.flatten`.

    Args:
        start_dim: the first of the axes.
        end_dim: the last of them.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.Flatten()(lucid.zeros((2, 3, 4))).shape
        (2, 12)
    """

    _options = ("start_dim", "end_dim")

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply the layer."""
        return functional.flatten(input, self.start_dim, self.end_dim)


class Unflatten(Layer):
    """Divide an axis into several; see `lucid.functional.unflatten`.

    Args:
        dim: the axis.
        unflattened_size: the lengths of the new axes.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.Unflatten(1, (3, 4))(lucid.zeros((2, 12))).shape
        (2, 3, 4)
    """

    _options = ("dim", "unflattened_size")

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        """Apply the layer."""
        return functional.unflatten(input, self.dim, self.unflattened_size)
