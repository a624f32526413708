"""Padding as layers, over `lucid.functional.pad`.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> nn.ReflectionPad1d((2, 1))(lucid.asarray([[1.0, 2.0, 3.0]]))
    Tensor([[3., 2., 1., 2., 3., 2.]])
    >>> nn.ZeroPad2d(1)
    ZeroPad2d((1, 1, 1, 1))
"""

from __future__ import annotations

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.functional.geometry import Lengths, lengths
from lucid.nn.module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

_ANY = -(2**62)  # a negative width cuts off


class Pad(Module):
    """Surround the last axes; subclasses say of how many and with what."""

    _rank: int
    _mode = "constant"
    value: float | None = None

    def __init__(self, padding: Lengths) -> None:
        super().__init__()
        self.padding = lengths(type(self).__name__, "padding", padding, 2 * self._rank, _ANY)

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        return functional.pad(input, self.padding, self._mode, self.value)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"{self.padding}"


class _ConstantPad(Pad):
    def __init__(self, padding: Lengths, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Surround with one value, along the last axis.

    Args:
        padding: how many in front and behind, one number, or two for each axis, the last axis
            first; a negative one cuts off.
        value: the value.
    """

    _rank = 1


class ConstantPad2d(_ConstantPad):
    """Surround with one value, along the last two axes; as `ConstantPad1d`."""

    _rank = 2


class ConstantPad3d(_ConstantPad):
    """Surround with one value, along the last three axes; as `ConstantPad1d`."""

    _rank = 3


class ZeroPad1d(Pad):
    """Surround with zeros, along the last axis.

    Args:
        padding: how many in front and behind, one number, or two for each axis, the last axis
            first; a negative one cuts off.
    """

    _rank = 1


class ZeroPad2d(Pad):
    """Surround with zeros, along the last two axes; as `ZeroPad1d`."""

    _rank = 2


class ZeroPad3d(Pad):
    """Surround with zeros, along the last three axes; as `ZeroPad1d`."""

    _rank = 3


class ReflectionPad1d(Pad):
    """Continue by mirroring at the outermost entries, along the last axis.

    Args:
        padding: how many in front and behind, one number, or two for each axis, the last axis
            first; a negative one cuts off.
    """

    _rank = 1
    _mode = "reflect"


class ReflectionPad2d(Pad):
    """Continue by mirroring along the last two axes; as `ReflectionPad1d`."""

    _rank = 2
    _mode = "reflect"


class ReflectionPad3d(Pad):
    """Continue by mirroring along the last three axes; as `ReflectionPad1d`."""

    _rank = 3
    _mode = "reflect"


class ReplicationPad1d(Pad):
    """Repeat the outermost entries along the last axis.

    Args:
        padding: how many in front and behind, one number, or two for each axis, the last axis
            first; a negative one cuts off.
    """

    _rank = 1
    _mode = "replicate"


class ReplicationPad2d(Pad):
    """Repeat the outermost entries along the last two axes; as `ReplicationPad1d`."""

    _rank = 2
    _mode = "replicate"


class ReplicationPad3d(Pad):
    """Repeat the outermost entries along the last three axes; as `ReplicationPad1d`."""

    _rank = 3
    _mode = "replicate"


class CircularPad1d(Pad):
    """Continue at the other end, along the last axis.

    Args:
        padding: how many in front and behind, one number, or two for each axis, the last axis
            first; a negative one cuts off.
    """

    _rank = 1
    _mode = "circular"


class CircularPad2d(Pad):
    """Continue at the other end, along the last two axes; as `CircularPad1d`."""

    _rank = 2
    _mode = "circular"


class CircularPad3d(Pad):
    """Continue at the other end, along the last three axes; as `CircularPad1d`."""

    _rank = 3
    _mode = "circular"
