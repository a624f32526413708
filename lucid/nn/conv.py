"""Convolutions as layers, over the functions of `lucid.functional`.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.Conv2d(3, 8, 3, padding=1)
    >>> layer(lucid.ones((1, 3, 5, 5))).shape
    (1, 8, 5, 5)
    >>> layer
    Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.functional.conv import convolve
from lucid.functional.conv_transpose import convolve_transpose
from lucid.functional.geometry import Lengths, lengths
from lucid.functional.init import fans
from lucid.nn import init
from lucid.nn.module import Module
from lucid.nn.parameter import Parameter, blank

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]


class Convolution(Module):
    """What all convolutions have in common."""

    weight: Parameter
    bias: Parameter | None
    padding: Any  # integers, or "same" or "valid"
    _rank: int
    _modes = ("zeros", "reflect", "replicate", "circular")

    def _check(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths,
        padding: str | Lengths,
        dilation: Lengths,
        groups: int,
        padding_mode: str,
    ) -> None:
        """Keep the options, one number for each axis; raise if they make no sense."""
        name, rank = type(self).__name__, self._rank
        if groups < 1 or in_channels % groups or out_channels % groups:
            want = "groups that divide in_channels and out_channels"
            raise OptionError(message(name, want, f"{groups}, {in_channels} and {out_channels}"))
        if padding_mode not in self._modes:
            want = " or ".join(f'"{mode}"' for mode in self._modes)
            raise OptionError(message(name, f"padding_mode {want}", repr(padding_mode)))
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = lengths(name, "kernel_size", kernel_size, rank)
        self.stride = lengths(name, "stride", stride, rank)
        named = isinstance(padding, str)
        self.padding = padding if named else lengths(name, "padding", padding, rank, 0)
        self.dilation = lengths(name, "dilation", dilation, rank)
        self.padding_mode = padding_mode

    def _make(self, first: int, second: int, bias: bool, dtype: Any) -> None:
        """Make the parameters."""
        self.weight = blank((first, second // self.groups, *self.kernel_size), dtype)
        self.register_parameter("bias", blank((self.out_channels,), dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        fan_in = fans(self.weight.shape)[0]
        init.fan_in_uniform_(self.weight, fan_in)
        init.fan_in_uniform_(self.bias, fan_in)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        usual = {
            "padding": (0,) * self._rank,
            "output_padding": (0,) * self._rank,
            "dilation": (1,) * self._rank,
            "groups": 1,
            "padding_mode": "zeros",
        }
        shown = [f"{self.in_channels}, {self.out_channels}"]
        shown += [f"{name}={getattr(self, name)}" for name in ("kernel_size", "stride")]
        for name, value in usual.items():
            if getattr(self, name, value) != value:
                shown.append(f"{name}={getattr(self, name)!r}")
        return ", ".join(shown if self.bias is not None else [*shown, "bias=False"])


class _Conv(Convolution):
    """A convolution over so many axes."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: str | Lengths = 0,
        dilation: Lengths = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options = kernel_size, stride, padding, dilation, groups, padding_mode
        self._check(in_channels, out_channels, *options)
        self._make(out_channels, in_channels, bias, dtype)

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        options = self.stride, self.padding, self.dilation, self.groups, self.padding_mode
        return convolve(self._rank, input, self.weight, self.bias, *options)


class _ConvTranspose(Convolution):
    """A transposed convolution over so many axes."""

    _modes = ("zeros",)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: Lengths = 0,
        output_padding: Lengths = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Lengths = 1,
        padding_mode: str = "zeros",
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options = kernel_size, stride, padding, dilation, groups, padding_mode
        self._check(in_channels, out_channels, *options)
        name = type(self).__name__
        self.output_padding = lengths(name, "output_padding", output_padding, self._rank, 0)
        self._make(in_channels, out_channels, bias, dtype)

    def forward(self, input: ArrayLike, output_size: Sequence[int] | None = None) -> Tensor:
        """Apply the layer; `output_size`, of the last axes, replaces `output_padding`."""
        options = self.stride, self.padding, self.output_padding, self.groups, self.dilation
        return convolve_transpose(
            self._rank, input, self.weight, self.bias, *options, output_size=output_size
        )


class Conv1d(_Conv):
    """Slide kernels over signals; see `lucid.functional.conv1d`.

    Args:
        in_channels: of the input.
        out_channels: how many kernels there are.
        kernel_size: of the windows.
        stride: the step from one window to the next.
        padding: on every side; or "valid" or "same".
        dilation: the distance between the entries of a kernel.
        groups: into how many groups channels are divided, each with kernels of its own.
        bias: whether a bias is added.
        padding_mode: "zeros", or "reflect", "replicate" or "circular" as in `functional.pad`.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: of shape (out_channels, in_channels // groups, *kernel_size), drawn evenly from
            ±1/√n, where n is the number of entries of one kernel.
        bias: of shape (out_channels,), drawn likewise; or None.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _rank = 1


class Conv2d(_Conv):
    """Slide kernels over images; see `lucid.functional.conv2d`.

    Args:
        in_channels: of the input.
        out_channels: how many kernels there are.
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, one number or two.
        padding: on every side, one number or two; or "valid" or "same".
        dilation: the distance between the entries of a kernel, one number or two.
        groups: into how many groups channels are divided, each with kernels of its own.
        bias: whether a bias is added.
        padding_mode: "zeros", or "reflect", "replicate" or "circular" as in `functional.pad`.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: of shape (out_channels, in_channels // groups, *kernel_size), drawn evenly from
            ±1/√n, where n is the number of entries of one kernel.
        bias: of shape (out_channels,), drawn likewise; or None.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _rank = 2


class Conv3d(_Conv):
    """Slide kernels over volumes; see `lucid.functional.conv3d`.

    Args:
        in_channels: of the input.
        out_channels: how many kernels there are.
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, one number or three.
        padding: on every side, one number or three; or "valid" or "same".
        dilation: the distance between the entries of a kernel, one number or three.
        groups: into how many groups channels are divided, each with kernels of its own.
        bias: whether a bias is added.
        padding_mode: "zeros", or "reflect", "replicate" or "circular" as in `functional.pad`.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: of shape (out_channels, in_channels // groups, *kernel_size), drawn evenly from
            ±1/√n, where n is the number of entries of one kernel.
        bias: of shape (out_channels,), drawn likewise; or None.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _rank = 3


class ConvTranspose1d(_ConvTranspose):
    """Apply the transpose of `Conv1d`; see `lucid.functional.conv_transpose1d`.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the kernels.
        stride: the step from one kernel to the next.
        padding: how much is cut off on every side.
        output_padding: how many more places there are at the ends.
        groups: into how many groups channels are divided, each with kernels of its own.
        bias: whether a bias is added.
        dilation: the distance between the entries of a kernel.
        padding_mode: "zeros", the only one.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: of shape (in_channels, out_channels // groups, *kernel_size), drawn evenly from
            ±1/√n, where n is the number of entries of ``weight[0]``.
        bias: of shape (out_channels,), drawn likewise; or None.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _rank = 1


class ConvTranspose2d(_ConvTranspose):
    """Apply the transpose of `Conv2d`; see `lucid.functional.conv_transpose2d`.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the kernels, one number or two.
        stride: the step from one kernel to the next, one number or two.
        padding: how much is cut off on every side, one number or two.
        output_padding: how many more places there are at the ends, one number or two.
        groups: into how many groups channels are divided, each with kernels of its own.
        bias: whether a bias is added.
        dilation: the distance between the entries of a kernel, one number or two.
        padding_mode: "zeros", the only one.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: of shape (in_channels, out_channels // groups, *kernel_size), drawn evenly from
            ±1/√n, where n is the number of entries of ``weight[0]``.
        bias: of shape (out_channels,), drawn likewise; or None.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _rank = 2


class ConvTranspose3d(_ConvTranspose):
    """Apply the transpose of `Conv3d`; see `lucid.functional.conv_transpose3d`.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the kernels, one number or three.
        stride: the step from one kernel to the next, one number or three.
        padding: how much is cut off on every side, one number or three.
        output_padding: how many more places there are at the ends, one number or three.
        groups: into how many groups channels are divided, each with kernels of its own.
        bias: whether a bias is added.
        dilation: the distance between the entries of a kernel, one number or three.
        padding_mode: "zeros", the only one.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: of shape (in_channels, out_channels // groups, *kernel_size), drawn evenly from
            ±1/√n, where n is the number of entries of ``weight[0]``.
        bias: of shape (out_channels,), drawn likewise; or None.

    Raises:
        OptionError: for an option that makes no sense.
    """

    _rank = 3
