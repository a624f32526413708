"""Fractional max pooling as layers, over the functions of `lucid.functional`.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> nn.FractionalMaxPool2d(2, output_ratio=0.5)(lucid.ones((1, 3, 9, 6))).shape
    (1, 3, 4, 3)
"""

from __future__ import annotations

from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.functional.fractional_pool import Ratio, fractional_max_pool
from lucid.functional.geometry import Lengths
from lucid.nn.pooling import Pool

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


class _FractionalMaxPool(Pool):
    _options = ("kernel_size", "output_size", "output_ratio")
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Lengths,
        output_size: Lengths | None = None,
        output_ratio: Ratio | None = None,
        return_indices: bool = False,
        _random_samples: ArrayLike | None = None,
    ) -> None:
        super().__init__()
        if (output_size is None) == (output_ratio is None):
            want = "either output_size or output_ratio"
            got = "none" if output_size is None else "both"
            raise OptionError(message(type(self).__name__, want, got))
        self.kernel_size, self.return_indices = kernel_size, return_indices
        self.output_size, self.output_ratio = output_size, output_ratio
        self.register_buffer("_random_samples", _random_samples)

    def forward(self, input: ArrayLike) -> Any:
        """Apply the layer."""
        options = self.kernel_size, self.output_size, self.output_ratio, self.return_indices
        return fractional_max_pool(self._rank, input, *options, self._random_samples, None)


class FractionalMaxPool2d(_FractionalMaxPool):
    """Return the greatest entry of windows at random; see `functional.fractional_max_pool2d`.

    Args:
        kernel_size: of the windows, one number or two.
        output_size: how many windows, one number or two.
        output_ratio: instead of it, their share of the entries of an axis, one number or two.
        return_indices: whether to return as well where the entries stand.
        _random_samples: numbers from [0, 1), of shape (batch, channels, 2), a buffer; by default
            new ones are drawn at every call, in evaluation too.

    Raises:
        OptionError: unless one of `output_size` and `output_ratio` is given.
    """

    _rank = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """Return the greatest entry of windows at random; see `functional.fractional_max_pool3d`.

    Args:
        kernel_size: of the windows, one number or three.
        output_size: how many windows, one number or three.
        output_ratio: instead of it, their share of the entries of an axis, one number or three.
        return_indices: whether to return as well where the entries stand.
        _random_samples: numbers from [0, 1), of shape (batch, channels, 3), a buffer; by default
            new ones are drawn at every call, in evaluation too.

    Raises:
        OptionError: unless one of `output_size` and `output_ratio` is given.
    """

    _rank = 3
