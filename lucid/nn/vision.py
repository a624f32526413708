"""Resampling of images as layers.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> nn.Upsample(scale_factor=2)(lucid.ones((1, 1, 2, 2))).shape
    (1, 1, 4, 4)
"""

from __future__ import annotations

from collections.abc import Sequence

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.nn.module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]

Lengths = int | Sequence[int] | None
Factors = float | Sequence[float] | None


class Upsample(Module):
    """Return images with another number of places; see `lucid.functional.interpolate`.

    Args:
        size: how many places along each axis, one number or several.
        scale_factor: how many times longer axes become, one number or several; give either.
        mode: as in the function.
        align_corners: as in the function.
        recompute_scale_factor: as in the function.
    """

    def __init__(
        self,
        size: Lengths = None,
        scale_factor: Factors = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        options = (self.mode, self.align_corners, self.recompute_scale_factor)
        return functional.interpolate(input, self.size, self.scale_factor, *options)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        by_size = self.scale_factor is None
        shown = f"size={self.size}" if by_size else f"scale_factor={self.scale_factor}"
        return f"{shown}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Repeat the places of images; as `Upsample` in mode "nearest"."""

    def __init__(self, size: Lengths = None, scale_factor: Factors = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Interpolate between places; as `Upsample` in mode "bilinear" with `align_corners`."""

    def __init__(self, size: Lengths = None, scale_factor: Factors = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
