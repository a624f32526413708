"""Dropout as layers, which do something in training only.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.Dropout(0.5)
    >>> layer
    Dropout(p=0.5)
    >>> layer.eval()(lucid.ones(3))
    Tensor([1., 1., 1.])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.nn.layer import Layer

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class _Dropout(Layer):
    _options = ("p",)

    _function: ClassVar[Callable[..., Any]]

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            name = type(self).__name__
            raise OptionError(message(name, "a probability p from 0 to 1", str(p)))
        self.p = p

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return type(self)._function(input, self.p, self.training)


class Dropout(_Dropout):
    """Set entries to zero with probability p; see `lucid.functional.dropout`.

    Args:
        p: the probability.

    Raises:
        OptionError: if `p` is no probability.
    """

    _function = staticmethod(functional.dropout)


class Dropout1d(_Dropout):
    """Set channels of signals to zero; as `Dropout`. See `lucid.functional.dropout1d`."""

    _function = staticmethod(functional.dropout1d)


class Dropout2d(_Dropout):
    """Set channels of images to zero; as `Dropout`. See `lucid.functional.dropout2d`."""

    _function = staticmethod(functional.dropout2d)


class Dropout3d(_Dropout):
    """Set channels of volumes to zero; as `Dropout`. See `lucid.functional.dropout3d`."""

    _function = staticmethod(functional.dropout3d)


class AlphaDropout(_Dropout):
    """Set entries to the limit of `selu`; as `Dropout`. See `lucid.functional.alpha_dropout`."""

    _function = staticmethod(functional.alpha_dropout)


class FeatureAlphaDropout(_Dropout):
    """Set channels to the limit of `selu`; as `Dropout`.

    See `lucid.functional.feature_alpha_dropout`.
    """

    _function = staticmethod(functional.feature_alpha_dropout)
