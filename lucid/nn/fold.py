"""Folding and shuffling as layers, over the functions of `lucid.functional`.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> nn.Unfold(3, padding=1)(lucid.ones((1, 2, 5, 5))).shape
    (1, 18, 25)
    >>> nn.PixelShuffle(2)(lucid.ones((1, 8, 5, 5))).shape
    (1, 2, 10, 10)
    >>> nn.PixelShuffle(2)
    PixelShuffle(upscale_factor=2)
"""

from __future__ import annotations

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.functional.geometry import Lengths
from lucid.nn.layer import Layer

__all__ = ["ChannelShuffle", "Fold", "PixelShuffle", "PixelUnshuffle", "Unfold"]


class Unfold(Layer):
    """Lay out the windows of images as columns; see `lucid.functional.unfold`.

    Args:
        kernel_size: of the windows, one number or two.
        dilation: the distance between the entries of a window.
        padding: with zeros, on every side.
        stride: the step from one window to the next.
    """

    _options = ("kernel_size", "dilation", "padding", "stride")

    def __init__(
        self,
        kernel_size: Lengths,
        dilation: Lengths = 1,
        padding: Lengths = 0,
        stride: Lengths = 1,
    ) -> None:
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        geometry = self.kernel_size, self.dilation, self.padding, self.stride
        return functional.unfold(input, *geometry)


class Fold(Layer):
    """Add up columns where the windows of images lie; see `lucid.functional.fold`.

    Args:
        output_size: height and width of the images, one number or two.
        kernel_size: of the windows, one number or two.
        dilation: the distance between the entries of a window.
        padding: how much is dropped on every side.
        stride: the step from one window to the next.
    """

    _options = ("output_size", "kernel_size", "dilation", "padding", "stride")

    def __init__(
        self,
        output_size: Lengths,
        kernel_size: Lengths,
        dilation: Lengths = 1,
        padding: Lengths = 0,
        stride: Lengths = 1,
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        geometry = self.kernel_size, self.dilation, self.padding, self.stride
        return functional.fold(input, self.output_size, *geometry)


class PixelShuffle(Layer):
    """Turn channels into places; see `lucid.functional.pixel_shuffle`.

    Args:
        upscale_factor: how many times height and width grow.
    """

    _options = ("upscale_factor",)

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return functional.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Layer):
    """Turn places into channels; see `lucid.functional.pixel_unshuffle`.

    Args:
        downscale_factor: how many times height and width shrink.
    """

    _options = ("downscale_factor",)

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return functional.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Layer):
    """Mix the channels of groups; see `lucid.functional.channel_shuffle`.

    Args:
        groups: how many there are.
    """

    _options = ("groups",)

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return functional.channel_shuffle(input, self.groups)
