"""Dropout: entries or whole channels set to zero at random."""

from __future__ import annotations

import math

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OptionError, ShapeError, message
from lucid.ops.axes import as_tensor
from lucid.ops.random.discrete import bernoulli
from lucid.ops.random.generator import default_generator
from lucid.ops.random.keys import Key

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


def dropout(
    input: ArrayLike, p: float = 0.5, training: bool = True, *, key: Key | None = None
) -> Tensor:
    """Set entries to zero with probability p, and divide the others by 1 - p.

    Args:
        input: of any shape.
        p: the probability.
        training: if not, the input is returned.
        key: a single, unused random key; by default the next one of the default generator.

    Returns:
        The result, of the shape of `input`, with the same expectation.

    Raises:
        OptionError: if `p` is no probability.
        DTypeError: if `input` is not floating or complex.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> y = functional.dropout(lucid.ones(8), 0.75, key=lucid.random.key(0))
        >>> bool(((y == 0) | (y == 4)).all())
        True

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15 (2014).
    """
    x = _checked("dropout", input, p)
    return _drop(x, p, x.shape, key) if training else x


def _checked(name: str, input: ArrayLike, p: float, ranks: tuple[int, ...] = ()) -> Tensor:
    x = as_tensor(name, input)
    if not 0 <= p <= 1:
        raise OptionError(message(name, "a probability p from 0 to 1", str(p)))
    if x.dtype.kind not in "fc":
        raise DTypeError(message(name, "a floating or complex input", str(x.dtype)))
    if ranks and x.ndim not in ranks:
        want = f"an input with {' or '.join(map(str, ranks))} axes"
        raise ShapeError(message(name, want, f"shape {x.shape}"))
    return x


def _kept(x: Tensor, p: float, shape: tuple[int, ...], key: Key | None) -> Tensor:
    """Return 0 with probability p, and 1 otherwise, in the (real) precision of an array."""
    key = default_generator.next_key() if key is None else key
    return bernoulli(key, 1 - p, shape).astype(np.finfo(x.dtype).dtype)


def _drop(x: Tensor, p: float, shape: tuple[int, ...], key: Key | None) -> Tensor:
    if p == 0:
        return x
    return x * (_kept(x, p, shape, key) * (1 / (1 - p) if p < 1 else 0.0))


# -- channels --------------------------------------------------------------------------------------


def dropout1d(
    input: ArrayLike, p: float = 0.5, training: bool = True, *, key: Key | None = None
) -> Tensor:
    """Set whole channels of signals to zero with probability p, and divide the others by 1 - p.

    Args:
        input: of shape (batch, channels, length), or (channels, length).
        p: the probability.
        training: if not, the input is returned.
        key: a single, unused random key; by default the next one of the default generator.

    Returns:
        The result, of the shape of `input`.

    Raises:
        OptionError: if `p` is no probability.
        ShapeError: if `input` has another number of axes.
        DTypeError: if `input` is not floating or complex.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> y = functional.dropout1d(lucid.ones((5, 2)), key=lucid.random.key(0))
        >>> bool((y[:, 0] == y[:, 1]).all())
        True

    Source: Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.
    """
    x = _checked("dropout1d", input, p, (2, 3))
    return _drop(x, p, _channels(x, x.ndim - 1), key) if training else x


def dropout2d(
    input: ArrayLike, p: float = 0.5, training: bool = True, *, key: Key | None = None
) -> Tensor:
    """Set whole channels of images to zero with probability p, and divide the others by 1 - p.

    Args:
        input: of shape (batch, channels, height, width); also (batch, channels, length).
        p: the probability.
        training: if not, the input is returned.
        key: a single, unused random key; by default the next one of the default generator.

    Returns:
        The result, of the shape of `input`.

    Raises:
        OptionError: if `p` is no probability.
        ShapeError: if `input` has another number of axes.
        DTypeError: if `input` is not floating or complex.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> y = functional.dropout2d(lucid.ones((1, 5, 2, 2)), key=lucid.random.key(0))
        >>> bool((y[:, :, :1, :1] == y).all())
        True
    """
    x = _checked("dropout2d", input, p, (3, 4))
    return _drop(x, p, _channels(x, 2), key) if training else x


def dropout3d(
    input: ArrayLike, p: float = 0.5, training: bool = True, *, key: Key | None = None
) -> Tensor:
    """Set whole channels of volumes to zero with probability p, and divide the others by 1 - p.

    Args:
        input: of shape (batch, channels, depth, height, width), or without the batch.
        p: the probability.
        training: if not, the input is returned.
        key: a single, unused random key; by default the next one of the default generator.

    Returns:
        The result, of the shape of `input`.

    Raises:
        OptionError: if `p` is no probability.
        ShapeError: if `input` has another number of axes.
        DTypeError: if `input` is not floating or complex.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> y = functional.dropout3d(lucid.ones((5, 2, 2, 2)), key=lucid.random.key(0))
        >>> bool((y[:, :1, :1, :1] == y).all())
        True
    """
    x = _checked("dropout3d", input, p, (4, 5))
    return _drop(x, p, _channels(x, x.ndim - 3), key) if training else x


def _channels(x: Tensor, lead: int) -> tuple[int, ...]:
    """Return the shape of one number for each of the first axes."""
    return (*x.shape[:lead], *(1,) * (x.ndim - lead))


# -- for `selu` ------------------------------------------------------------------------------------

_SATURATED = -1.7580993408473766  # what `selu` tends to


def alpha_dropout(
    input: ArrayLike, p: float = 0.5, training: bool = False, *, key: Key | None = None
) -> Tensor:
    """Set entries to the limit of `selu` with probability p, keeping mean 0 and variance 1.

    Args:
        input: of any shape.
        p: the probability.
        training: if not, the input is returned.
        key: a single, unused random key; by default the next one of the default generator.

    Returns:
        The result, of the shape of `input`.

    Raises:
        OptionError: if `p` is no probability.
        DTypeError: if `input` is not floating or complex.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.alpha_dropout(lucid.ones(3), training=False)
        Tensor([1., 1., 1.])

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks",
    NeurIPS 2017.
    """
    x = _checked("alpha_dropout", input, p)
    return _saturate(x, p, x.shape, key) if training else x


def feature_alpha_dropout(
    input: ArrayLike, p: float = 0.5, training: bool = False, *, key: Key | None = None
) -> Tensor:
    """Set whole channels to the limit of `selu` with probability p; as `alpha_dropout`.

    Args:
        input: of shape (batch, channels, ...).
        p: the probability.
        training: if not, the input is returned.
        key: a single, unused random key; by default the next one of the default generator.

    Returns:
        The result, of the shape of `input`.

    Raises:
        OptionError: if `p` is no probability.
        ShapeError: if `input` has fewer than 2 axes.
        DTypeError: if `input` is not floating or complex.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> y = functional.feature_alpha_dropout(lucid.ones((1, 5, 2)), 0.5, True)
        >>> bool((y[..., 0] == y[..., 1]).all())
        True
    """
    x = _checked("feature_alpha_dropout", input, p)
    if x.ndim < 2:
        want = "an input of shape (batch, channels, ...)"
        raise ShapeError(message("feature_alpha_dropout", want, f"shape {x.shape}"))
    return _saturate(x, p, _channels(x, 2), key) if training else x


def _saturate(x: Tensor, p: float, shape: tuple[int, ...], key: Key | None) -> Tensor:
    if p == 0:
        return x
    if p == 1:
        return x * 0.0
    kept = _kept(x, p, shape, key)
    a = 1 / math.sqrt((_SATURATED**2 * p + 1) * (1 - p))
    return x * (kept * a) + ((1 - kept) * (a * _SATURATED) - a * _SATURATED * p)
