"""Activation functions that draw random numbers."""

from __future__ import annotations

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.functional.embedding import one_hot
from lucid.functional.rectifier import leaky_relu
from lucid.functional.softmax import softmax
from lucid.ops.axes import as_tensor, axis_of
from lucid.ops.permute import moveaxis
from lucid.ops.random.continuous import gumbel, uniform
from lucid.ops.random.generator import default_generator
from lucid.ops.random.keys import Key
from lucid.ops.select import where
from lucid.ops.sort import argmax
from lucid.transforms.stop import stop_gradient

__all__ = ["gumbel_softmax", "rrelu"]


def rrelu(
    input: ArrayLike,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    *,
    key: Key | None = None,
) -> Tensor:
    """Return x where it is positive, and a·x elsewhere, with a slope a drawn for every entry.

    Args:
        input: x, of any shape, real and floating.
        lower: the least slope.
        upper: the greatest slope.
        training: if not, a is the mean of both.
        key: a single, unused random key; by default the next one of the default generator.

    Returns:
        The values, of the shape of `input`.

    Raises:
        OptionError: if `lower` exceeds `upper`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.rrelu(lucid.asarray([-1.0, 2.0]), 0.25, 0.75)
        Tensor([-0.5,  2. ])

    Source: Xu, Wang, Chen and Li, "Empirical evaluation of rectified activations", 2015.
    """
    if lower > upper:
        raise OptionError(message("rrelu", "lower up to upper", f"{lower} and {upper}"))
    x = as_tensor("rrelu", input)
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    key = default_generator.next_key() if key is None else key
    return where(x > 0, x, x * uniform(key, x.shape, x.dtype, minval=lower, maxval=upper))


def gumbel_softmax(
    logits: ArrayLike,
    tau: float = 1.0,
    hard: bool = False,
    dim: int = -1,
    *,
    key: Key | None = None,
) -> Tensor:
    """Return softmax((x + g) / tau) with Gumbel noise g: classes drawn as x says, but smoothly.

    Args:
        logits: x, logarithms of probabilities, up to a constant, of any shape.
        tau: how smooth it is, positive.
        hard: whether the result is 1 at the largest entry and 0 elsewhere; its derivative is that
            of the smooth one.
        dim: the axis of the classes.
        key: a single, unused random key; by default the next one of the default generator.

    Returns:
        The shares of the classes, of the shape of `logits`.

    Raises:
        OptionError: if `tau` is not positive.
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> float(functional.gumbel_softmax(lucid.zeros(3), hard=True).sum())
        1.0

    Source: Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017.
    """
    if not tau > 0:
        raise OptionError(message("gumbel_softmax", "a positive tau", str(tau)))
    x = as_tensor("gumbel_softmax", logits)
    axis = axis_of("gumbel_softmax", dim, x.ndim)
    key = default_generator.next_key() if key is None else key
    soft = softmax((x + gumbel(key, x.shape, x.dtype)) / tau, axis)
    if not hard:
        return soft
    chosen = one_hot(argmax(soft, axis=axis), x.shape[axis]).astype(x.dtype)
    return moveaxis(chosen, -1, axis) + (soft - stop_gradient(soft))
