"""Layers that learn at the first call how many inputs they have.

Such a layer becomes the ordinary one when it is first called. Before, it has no parameters, and
says so when it is asked for them.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.LazyLinear(2)
    >>> layer(lucid.ones((5, 3))).shape
    (5, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
"""

from __future__ import annotations

import inspect
from typing import Any

from lucid.core.frames import ambient
from lucid.core.methods import ArrayLike
from lucid.errors import ShapeError, UnsupportedError, message
from lucid.functional.checks import shape_of
from lucid.nn.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from lucid.nn.linear import Linear
from lucid.nn.module import Module
from lucid.nn.normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]


class _NotYet(dict[str, Any]):
    """Parameters that are not there yet: whoever goes through them is told so."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def items(self) -> Any:
        raise _unbuilt(self.name, "one that was never called")


def _unbuilt(name: str, got: str) -> UnsupportedError:
    want = "a layer that knows how many inputs it has"
    return UnsupportedError(message(name, want, got, "call the model on an example first"))


def _least(axis: int) -> int:
    """Return how many axes an input needs to have this one."""
    return axis + 1 if axis >= 0 else -axis


class Lazy(Module):
    """Base class: which layer it becomes, and along which axis its inputs are counted."""

    _becomes: Any
    _axis: int

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__()
        inspect.signature(self._becomes).bind(0, *args, **options)  # raises as the layer would
        self.args, self.options = args, options
        self.__dict__["_parameters"] = _NotYet(type(self).__name__)

    def __call__(self, input: ArrayLike, *args: Any, **options: Any) -> Any:
        """Become the ordinary layer, and compute its output."""
        name, shape = type(self).__name__, shape_of(input)
        if tape := ambient.get().name:
            raise _unbuilt(name, f"one first called inside {tape}")
        least = _least(self._axis)
        if len(shape) < least:
            want = f"an input with at least {least} axes"
            raise ShapeError(message(name, want, f"shape {shape}"))
        state, kind, size = dict(self.__dict__), self._becomes, shape[self._axis]
        self.__dict__.clear()
        self.__class__ = kind
        kind.__init__(self, size, *state["args"], **state["options"])
        self.training = state["training"]
        return self(input, *args, **options)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        options = [f"{name}={value!r}" for name, value in self.options.items()]
        return ", ".join([*map(repr, self.args), *options])


class LazyLinear(Lazy):
    """A `Linear` whose `in_features` is that of its first input; the rest is the same."""

    _becomes = Linear
    _axis = -1


class LazyConv1d(Lazy):
    """A `Conv1d` whose `in_channels` is that of its first input; the rest is the same."""

    _becomes = Conv1d
    _axis = -2


class LazyConv2d(Lazy):
    """A `Conv2d` whose `in_channels` is that of its first input; the rest is the same."""

    _becomes = Conv2d
    _axis = -3


class LazyConv3d(Lazy):
    """A `Conv3d` whose `in_channels` is that of its first input; the rest is the same."""

    _becomes = Conv3d
    _axis = -4


class LazyConvTranspose1d(Lazy):
    """A `ConvTranspose1d` whose `in_channels` is that of its first input; the rest is the same."""

    _becomes = ConvTranspose1d
    _axis = -2


class LazyConvTranspose2d(Lazy):
    """A `ConvTranspose2d` whose `in_channels` is that of its first input; the rest is the same."""

    _becomes = ConvTranspose2d
    _axis = -3


class LazyConvTranspose3d(Lazy):
    """A `ConvTranspose3d` whose `in_channels` is that of its first input; the rest is the same."""

    _becomes = ConvTranspose3d
    _axis = -4


class LazyBatchNorm1d(Lazy):
    """A `BatchNorm1d` whose `num_features` is that of its first input; the rest is the same."""

    _becomes = BatchNorm1d
    _axis = 1


class LazyBatchNorm2d(Lazy):
    """A `BatchNorm2d` whose `num_features` is that of its first input; the rest is the same."""

    _becomes = BatchNorm2d
    _axis = 1


class LazyBatchNorm3d(Lazy):
    """A `BatchNorm3d` whose `num_features` is that of its first input; the rest is the same."""

    _becomes = BatchNorm3d
    _axis = 1


class _LazyInstanceNorm(Lazy):
    """Unlike the layers that they become, these have parameters and statistics by default."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(eps, momentum, affine, track_running_stats, dtype, bias=bias)


class LazyInstanceNorm1d(_LazyInstanceNorm):
    """A layer whose `num_features` is that of its first input; as `InstanceNorm1d`.

    But, as in PyTorch, `affine` and `track_running_stats` are true by default.
    """

    _becomes = InstanceNorm1d
    _axis = -2


class LazyInstanceNorm2d(_LazyInstanceNorm):
    """A layer whose `num_features` is that of its first input; as `InstanceNorm2d`.

    But, as in PyTorch, `affine` and `track_running_stats` are true by default.
    """

    _becomes = InstanceNorm2d
    _axis = -3


class LazyInstanceNorm3d(_LazyInstanceNorm):
    """A layer whose `num_features` is that of its first input; as `InstanceNorm3d`.

    But, as in PyTorch, `affine` and `track_running_stats` are true by default.
    """

    _becomes = InstanceNorm3d
    _axis = -4
