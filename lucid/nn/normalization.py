"""Normalisation as layers, over the functions of `lucid.functional`.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.BatchNorm1d(3)
    >>> layer(lucid.asarray([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).shape
    (2, 3)
    >>> layer.running_mean
    Tensor([0.2, 0.2, 0.2])
    >>> layer
    BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from lucid import functional
from lucid.config import get_default_dtype
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.checks import shape_of
from lucid.nn import init
from lucid.nn.module import Module
from lucid.nn.parameter import Parameter, blank

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]


class _Affine(Module):
    """What layers with a factor and a term have in common."""

    weight: Parameter | None
    bias: Parameter | None

    def _make(self, shape: Sequence[int], weight: bool, bias: bool, dtype: Any) -> None:
        self.register_parameter("weight", blank(shape, dtype) if weight else None)
        self.register_parameter("bias", blank(shape, dtype) if bias else None)

    def reset_parameters(self) -> None:
        """Set the factors to 1 and the terms to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


# -- over channels ---------------------------------------------------------------------------------


class _ChannelNorm(_Affine):
    """What the layers with running statistics have in common: all that `BatchNorm1d` and so on are.

    Args:
        num_features: the number of channels.
        eps: what is added to variances.
        momentum: the weight of a batch in the running statistics; None averages over all batches.
        affine: whether there are a factor and, with `bias`, a term per channel.
        track_running_stats: whether running statistics are kept, and used in evaluation.
        dtype: of parameters and statistics; by default the default dtype.
        bias: see `affine`.
    """

    running_mean: Any
    running_var: Any
    num_batches_tracked: Any
    _ranks: tuple[int, ...]
    _function: ClassVar[Callable[..., Tensor]] = staticmethod(functional.batch_norm)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._make((num_features,), affine, affine and bias, dtype)
        zero = np.zeros(num_features, get_default_dtype() if dtype is None else dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", zero if tracked else None)
        self.register_buffer("running_var", zero if tracked else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.running_mean is not None:
            dtype = self.running_mean.dtype
            self.running_mean = Tensor(np.zeros(self.num_features, dtype))
            self.running_var = Tensor(np.ones(self.num_features, dtype))
            self.num_batches_tracked = Tensor(np.zeros((), np.int64))

    def reset_parameters(self) -> None:
        """Set the factors to 1 and the terms to 0, and forget the running statistics."""
        self.reset_running_stats()
        super().reset_parameters()

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer; in training, update the running statistics if there are any."""
        self._check(input)
        if self.training and self.track_running_stats:
            self._update(input)
        return self._apply(input)

    def _check(self, input: ArrayLike) -> None:
        shape, name = shape_of(input), type(self).__name__
        if len(shape) not in self._ranks:
            axes = " or ".join(map(str, self._ranks))
            raise ShapeError(message(name, f"an input with {axes} axes", f"shape {shape}"))

    def _update(self, input: ArrayLike) -> None:
        self.running_mean, self.running_var, self.num_batches_tracked = (
            functional.update_statistics(
                *(input, self.running_mean, self.running_var, self.num_batches_tracked),
                momentum=self.momentum,
            )
        )

    def _apply(self, input: ArrayLike) -> Tensor:
        own = self.training or self.running_mean is None
        statistics = (self.running_mean, self.running_var)
        return type(self)._function(input, *statistics, self.weight, self.bias, own, eps=self.eps)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        names = ("eps", "momentum", "affine", "track_running_stats")
        return ", ".join([str(self.num_features), *(f"{n}={getattr(self, n)!r}" for n in names)])


class BatchNorm1d(_ChannelNorm):
    """Bring channels to mean 0 and variance 1 over the batch; see `lucid.functional.batch_norm`.

    Inputs have shape (batch, channels) or (batch, channels, length).

    Args:
        num_features: the number of channels.
        eps: what is added to variances.
        momentum: the weight of a batch in the running statistics; None averages over all batches.
        affine: whether there are a factor and, with `bias`, a term per channel.
        track_running_stats: whether running statistics are kept, and used in evaluation.
        dtype: of parameters and statistics; by default the default dtype.
        bias: see `affine`.

    Attributes:
        weight: the factors, at first 1; or None.
        bias: the terms, at first 0; or None.
        running_mean: the running means, a buffer; or None.
        running_var: the running variances, a buffer; or None.
        num_batches_tracked: how many batches they come from, a buffer; or None.
    """

    _ranks = (2, 3)


class BatchNorm2d(_ChannelNorm):
    """Bring channels of images to mean 0 and variance 1 over the batch; as `BatchNorm1d`.

    Inputs have shape (batch, channels, height, width).
    """

    _ranks = (4,)


class BatchNorm3d(_ChannelNorm):
    """Bring channels of volumes to mean 0 and variance 1 over the batch; as `BatchNorm1d`.

    Inputs have shape (batch, channels, depth, height, width).
    """

    _ranks = (5,)


class _InstanceNorm(_ChannelNorm):
    _function = staticmethod(functional.instance_norm)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        options = (eps, momentum, affine, track_running_stats, dtype)
        super().__init__(num_features, *options, bias=bias)

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer; in training, update the running statistics if there are any."""
        if len(shape_of(input)) == self._ranks[0]:  # a single example
            return super().forward(functional.unflatten(input, 0, (1, -1)))[0]
        return super().forward(input)

    def _update(self, input: ArrayLike) -> None:
        self.running_mean, self.running_var, _ = functional.update_statistics(
            *(input, self.running_mean, self.running_var),
            momentum=self.momentum,
            instances=True,
        )


class InstanceNorm1d(_InstanceNorm):
    """Bring channels of every example to mean 0 and variance 1; see `functional.instance_norm`.

    Inputs have shape (batch, channels, length), or lack the batch.

    Args:
        num_features: the number of channels.
        eps: what is added to variances.
        momentum: the weight of a batch in the running statistics.
        affine: whether there are a factor and, with `bias`, a term per channel.
        track_running_stats: whether running statistics are kept, and used in evaluation.
        dtype: of parameters and statistics; by default the default dtype.
        bias: see `affine`.

    Attributes:
        weight: the factors, at first 1; or None.
        bias: the terms, at first 0; or None.
        running_mean: the running means, a buffer; or None.
        running_var: the running variances, a buffer; or None.
    """

    _ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Bring channels of every image to mean 0 and variance 1; as `InstanceNorm1d`."""

    _ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Bring channels of every volume to mean 0 and variance 1; as `InstanceNorm1d`."""

    _ranks = (4, 5)


class GroupNorm(_Affine):
    """Bring groups of channels to mean 0 and variance 1; see `lucid.functional.group_norm`.

    Args:
        num_groups: into how many groups the channels are divided.
        num_channels: how many channels there are.
        eps: what is added to variances.
        affine: whether there are a factor and, with `bias`, a term per channel.
        dtype: of the parameters; by default the default dtype.
        bias: see `affine`.

    Attributes:
        weight: the factors, at first 1; or None.
        bias: the terms, at first 0; or None.

    Raises:
        OptionError: if `num_groups` does not divide `num_channels`.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            got = f"{num_groups} for {num_channels} channels"
            raise OptionError(message("GroupNorm", "num_groups that divides the channels", got))
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.affine = affine
        self._make((num_channels,), affine, affine and bias, dtype)
        self.reset_parameters()

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


# -- over the last axes ----------------------------------------------------------------------------


class _LastAxes(_Affine):
    """What layers over the last axes have in common."""

    def _set(
        self, shape: int | Sequence[int], eps: Any, weight: bool, bias: bool, dtype: Any
    ) -> None:
        self.normalized_shape = tuple(shape) if isinstance(shape, Sequence) else (shape,)
        self.eps, self.elementwise_affine = eps, weight
        self._make(self.normalized_shape, weight, bias, dtype)
        self.reset_parameters()

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        affine = f"elementwise_affine={self.elementwise_affine}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class LayerNorm(_LastAxes):
    """Bring the last axes to mean 0 and variance 1; see `lucid.functional.layer_norm`.

    Args:
        normalized_shape: their lengths, one number or several.
        eps: what is added to the variance.
        elementwise_affine: whether there is a factor per entry.
        bias: whether there is a term, too.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: the factors, at first 1; or None.
        bias: the terms, at first 0; or None.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        bias = elementwise_affine and bias
        self._set(normalized_shape, eps, elementwise_affine, bias, dtype)

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        affine = (self.weight, self.bias)
        return functional.layer_norm(input, self.normalized_shape, *affine, self.eps)


class RMSNorm(_LastAxes):
    """Divide the last axes by their root mean square; see `lucid.functional.rms_norm`.

    Args:
        normalized_shape: their lengths, one number or several.
        eps: what is added to the mean square; by default the distance from 1 to the next number.
        elementwise_affine: whether there is a factor per entry.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        weight: the factors, at first 1; or None.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._set(normalized_shape, eps, elementwise_affine, False, dtype)

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)


class LocalResponseNorm(Module):
    """Divide by how strong neighbouring channels are; see `functional.local_response_norm`.

    Args:
        size: how many channels count.
        alpha: the weight of their mean square.
        beta: the exponent.
        k: what is added.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
