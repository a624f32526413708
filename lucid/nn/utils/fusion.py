"""Layers that take in the normalisation behind them, for evaluation."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from lucid.errors import OptionError, message
from lucid.functional.fusion import fuse_norm
from lucid.nn.conv import Convolution
from lucid.nn.linear import Linear
from lucid.nn.parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_linear_bn_eval"]

C = TypeVar("C", bound=Convolution)


def fuse_conv_bn_eval(conv: C, bn: Any, transpose: bool = False) -> C:
    """Return a convolution that does what a convolution and a normalisation over the batch do.

    Args:
        conv: the convolution, in evaluation mode.
        bn: the `BatchNorm1d`, `BatchNorm2d` or `BatchNorm3d` behind it, in evaluation mode.
        transpose: whether it is a transposed convolution.

    Returns:
        A new convolution of the same class.

    Raises:
        OptionError: if one is in training mode, or there are no running statistics.
        ShapeError: if the normalisation has another number of channels.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> conv, bn = nn.Conv1d(2, 3, 2).eval(), nn.BatchNorm1d(3).eval()
        >>> x = lucid.ones((1, 2, 4))
        >>> fused = nn.utils.fusion.fuse_conv_bn_eval(conv, bn)
        >>> bool(abs(fused(x) - bn(conv(x))).max() < 1e-12)
        True
    """
    return _fused("fuse_conv_bn_eval", conv, bn, transpose=transpose, groups=conv.groups)


def fuse_linear_bn_eval(linear: Linear, bn: Any) -> Linear:
    """Return a linear layer that does what a linear layer and a normalisation over the batch do.

    Args:
        linear: the layer, in evaluation mode.
        bn: the `BatchNorm1d` behind it, in evaluation mode.

    Returns:
        A new layer.

    Raises:
        OptionError: if one is in training mode, or there are no running statistics.
        ShapeError: if the normalisation has another number of channels.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> linear, bn = nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval()
        >>> fused = nn.utils.fusion.fuse_linear_bn_eval(linear, bn)
        >>> bool(abs(fused(lucid.ones((1, 2))) - bn(linear(lucid.ones((1, 2))))).max() < 1e-12)
        True
    """
    return _fused("fuse_linear_bn_eval", linear, bn)


def _fused(name: str, layer: Any, bn: Any, **options: Any) -> Any:
    if layer.training or bn.training or bn.running_mean is None:
        want, got = "layers in evaluation, with running statistics", "others"
        raise OptionError(message(name, want, got, "call .eval() on both"))
    statistics = (bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
    weight, bias = fuse_norm(layer.weight, layer.bias, *statistics, **options)
    made = copy.deepcopy(layer)
    made.weight, made.bias = Parameter(weight.detach()), Parameter(bias.detach())
    return made
