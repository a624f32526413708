"""Pooling as layers, over the functions of `lucid.functional`.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> nn.MaxPool2d(2)(lucid.ones((1, 3, 6, 4))).shape
    (1, 3, 3, 2)
    >>> nn.AdaptiveAvgPool2d(1)(lucid.ones((1, 3, 6, 4))).shape
    (1, 3, 1, 1)
    >>> nn.AvgPool1d(3, stride=2)
    AvgPool1d(kernel_size=3, stride=2, padding=0, ceil_mode=False, count_include_pad=True)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.functional.adaptive_pool import Wanted, adaptive_avg_pool, adaptive_max_pool
from lucid.functional.avg_pool import avg_pool, lp_pool
from lucid.functional.geometry import Lengths
from lucid.functional.max_pool import max_pool, max_unpool
from lucid.nn.layer import Layer

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class Pool(Layer):
    """What all poolings have in common: over how many axes they are."""

    _rank: int


class _MaxPool(Pool):
    _options = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        dilation: Lengths = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: ArrayLike) -> Any:
        """Apply the layer."""
        geometry = self.kernel_size, self.stride, self.padding, self.dilation
        return max_pool(self._rank, input, *geometry, self.ceil_mode, self.return_indices)


class _MaxUnpool(Pool):
    _options = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size: Lengths, stride: Lengths | None = None, padding: Lengths = 0
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(
        self, input: ArrayLike, indices: ArrayLike, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Apply the layer."""
        geometry = self.kernel_size, self.stride, self.padding
        return max_unpool(self._rank, input, indices, *geometry, output_size)


class _AvgPool(Pool):
    _options = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
    divisor_override: int | None = None

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        geometry = self.kernel_size, self.stride, self.padding, self.ceil_mode
        return avg_pool(self._rank, input, *geometry, self.count_include_pad, self.divisor_override)


class _DividedAvgPool(_AvgPool):
    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override


class _LPPool(Pool):
    _options = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self,
        norm_type: float,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.ceil_mode = norm_type, kernel_size, ceil_mode
        self.stride = kernel_size if stride is None else stride

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        geometry = self.kernel_size, self.stride, self.ceil_mode
        return lp_pool(self._rank, input, self.norm_type, *geometry)


class _AdaptiveAvgPool(Pool):
    _options = ("output_size",)

    def __init__(self, output_size: Wanted) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return adaptive_avg_pool(self._rank, input, self.output_size)


class _AdaptiveMaxPool(Pool):
    _options = ("output_size",)

    def __init__(self, output_size: Wanted, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: ArrayLike) -> Any:
        """Apply the layer."""
        return adaptive_max_pool(self._rank, input, self.output_size, self.return_indices)


class MaxPool1d(_MaxPool):
    """Return the greatest entry of each window; see `lucid.functional.max_pool1d`.

    Args:
        kernel_size: of the windows.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side.
        dilation: the distance between the entries of a window.
        return_indices: whether to return as well where the entries stand.
        ceil_mode: whether a window may reach past the end.
    """

    _rank = 1


class MaxPool2d(_MaxPool):
    """Return the greatest entry of each window; see `lucid.functional.max_pool2d`.

    Args:
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, one number or two.
        dilation: the distance between the entries of a window.
        return_indices: whether to return as well where the entries stand.
        ceil_mode: whether a window may reach past the end.
    """

    _rank = 2


class MaxPool3d(_MaxPool):
    """Return the greatest entry of each window; see `lucid.functional.max_pool3d`.

    Args:
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, one number or three.
        dilation: the distance between the entries of a window.
        return_indices: whether to return as well where the entries stand.
        ceil_mode: whether a window may reach past the end.
    """

    _rank = 3


class MaxUnpool1d(_MaxUnpool):
    """Undo `MaxPool1d`, with zeros in all other places; see `lucid.functional.max_unpool1d`.

    Args:
        kernel_size: of the windows.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side.
    """

    _rank = 1


class MaxUnpool2d(_MaxUnpool):
    """Undo `MaxPool2d`, with zeros in all other places; see `lucid.functional.max_unpool2d`.

    Args:
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, one number or two.
    """

    _rank = 2


class MaxUnpool3d(_MaxUnpool):
    """Undo `MaxPool3d`, with zeros in all other places; see `lucid.functional.max_unpool3d`.

    Args:
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, one number or three.
    """

    _rank = 3


class AvgPool1d(_AvgPool):
    """Return the mean of each window; see `lucid.functional.avg_pool1d`.

    Args:
        kernel_size: of the windows.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side.
        ceil_mode: whether a window may reach past the end.
        count_include_pad: whether the zeros of the padding count.
    """

    _rank = 1


class AvgPool2d(_DividedAvgPool):
    """Return the mean of each window; see `lucid.functional.avg_pool2d`.

    Args:
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, one number or two.
        ceil_mode: whether a window may reach past the end.
        count_include_pad: whether the zeros of the padding count.
        divisor_override: what to divide by instead of the number of entries.
    """

    _rank = 2


class AvgPool3d(_DividedAvgPool):
    """Return the mean of each window; see `lucid.functional.avg_pool3d`.

    Args:
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, by default `kernel_size`.
        padding: on every side, one number or three.
        ceil_mode: whether a window may reach past the end.
        count_include_pad: whether the zeros of the padding count.
        divisor_override: what to divide by instead of the number of entries.
    """

    _rank = 3


class LPPool1d(_LPPool):
    """Return (Σ xᵖ)^(1/p) of each window; see `lucid.functional.lp_pool1d`.

    Args:
        norm_type: p.
        kernel_size: of the windows.
        stride: the step from one window to the next, by default `kernel_size`.
        ceil_mode: whether a window may reach past the end.
    """

    _rank = 1


class LPPool2d(_LPPool):
    """Return (Σ xᵖ)^(1/p) of each window; see `lucid.functional.lp_pool2d`.

    Args:
        norm_type: p.
        kernel_size: of the windows, one number or two.
        stride: the step from one window to the next, by default `kernel_size`.
        ceil_mode: whether a window may reach past the end.
    """

    _rank = 2


class LPPool3d(_LPPool):
    """Return (Σ xᵖ)^(1/p) of each window; see `lucid.functional.lp_pool3d`.

    Args:
        norm_type: p.
        kernel_size: of the windows, one number or three.
        stride: the step from one window to the next, by default `kernel_size`.
        ceil_mode: whether a window may reach past the end.
    """

    _rank = 3


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Return the means of so many windows; see `lucid.functional.adaptive_avg_pool1d`.

    Args:
        output_size: how many windows.
    """

    _rank = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Return the means of so many windows; see `lucid.functional.adaptive_avg_pool2d`.

    Args:
        output_size: how many windows, one number or two; None keeps a length.
    """

    _rank = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Return the means of so many windows; see `lucid.functional.adaptive_avg_pool3d`.

    Args:
        output_size: how many windows, one number or three; None keeps a length.
    """

    _rank = 3


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Return the greatest entries of so many windows; see `lucid.functional.adaptive_max_pool1d`.

    Args:
        output_size: how many windows.
        return_indices: whether to return as well where the entries stand.
    """

    _rank = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Return the greatest entries of so many windows; see `lucid.functional.adaptive_max_pool2d`.

    Args:
        output_size: how many windows, one number or two; None keeps a length.
        return_indices: whether to return as well where the entries stand.
    """

    _rank = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Return the greatest entries of so many windows; see `lucid.functional.adaptive_max_pool3d`.

    Args:
        output_size: how many windows, one number or three; None keeps a length.
        return_indices: whether to return as well where the entries stand.
    """

    _rank = 3
