"""Positions in sequences: as sines added to what is there, or as rotations of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.parts import divide
from lucid.ops.axes import as_tensor, as_tensors
from lucid.ops.join import concat, stack
from lucid.ops.trigonometric import cos, sin

__all__ = ["apply_rotary", "rotary_angles", "sinusoidal_positions"]


def _frequencies(name: str, width: int, base: float, dtype: Any) -> Tensor:
    """Return base^(-2i/width) for every pair of entries."""
    if width < 2 or width % 2:
        raise OptionError(message(name, "an even width", str(width)))
    powers = np.arange(0, width, 2, dtype=np.float64) / width
    return Tensor((base**-powers).astype(dtype))


def sinusoidal_positions(
    length: int, width: int, base: float = 10000.0, dtype: Any = None
) -> Tensor:
    """Return sines and cosines of positions, sin(p / base^(2i/width)) at 2i and cos at 2i + 1.

    Args:
        length: how many positions there are.
        width: of the vector for each, even.
        base: the longest wave is about 2π·base positions long.
        dtype: floating; by default the default dtype.

    Returns:
        An array of shape (length, width).

    Raises:
        OptionError: if `width` is odd.

    Example:
        >>> from lucid import functional
        >>> functional.sinusoidal_positions(2, 2)
        Tensor([[0.        , 1.        ],
                [0.84147098, 0.54030231]])

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """
    dtype = get_default_dtype() if dtype is None else dtype
    rates = _frequencies("sinusoidal_positions", width, base, np.float64)
    angles = Tensor(np.arange(length, dtype=np.float64)[:, None]) * rates
    whole = stack([sin(angles), cos(angles)], axis=-1)
    return whole.reshape((length, width)).astype(dtype)


def rotary_angles(
    positions: ArrayLike, width: int, base: float = 10000.0, dtype: Any = None
) -> Tensor:
    """Return by which angles positions rotate pairs of entries, p / base^(2i/width).

    Args:
        positions: p, of any shape.
        width: twice the number of pairs.
        base: the longest wave is about 2π·base positions long.
        dtype: floating; by default the default dtype.

    Returns:
        The angles, of shape (*positions.shape, width / 2).

    Raises:
        OptionError: if `width` is odd.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.rotary_angles(lucid.asarray([0, 3]), 2)
        Tensor([[0.],
                [3.]])
    """
    p = as_tensor("rotary_angles", positions)
    dtype = get_default_dtype() if dtype is None else dtype
    return p.reshape((*p.shape, 1)).astype(dtype) * _frequencies(
        "rotary_angles", width, base, dtype
    )


def apply_rotary(input: ArrayLike, angles: ArrayLike, interleaved: bool = False) -> Tensor:
    """Rotate pairs of entries of vectors, (a, b) to (a·cos θ - b·sin θ, b·cos θ + a·sin θ).

    Products of vectors so rotated by their positions depend on the distance of these only.

    Args:
        input: vectors along the last axis, of shape (..., positions, width).
        angles: θ, as `rotary_angles` gives them, of shape (..., positions, width / 2); with fewer
            pairs, the entries behind them stay as they are.
        interleaved: whether pairs are neighbours, and not the same places of two halves.

    Returns:
        The rotated vectors, of the shape and dtype of `input`.

    Raises:
        ShapeError: if there are more pairs than entries.

    Example:
        >>> import math
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[1.0, 0.0]])
        >>> functional.apply_rotary(x, lucid.asarray([[math.pi / 2]])).round(6)
        Tensor([[0., 1.]])

    Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.
    """
    x, theta = as_tensors("apply_rotary", (input, angles))
    width = 2 * theta.shape[-1] if theta.ndim else 0
    if not x.ndim or not 0 < width <= x.shape[-1]:
        want = "vectors at least twice as wide as there are angles"
        raise ShapeError(message("apply_rotary", want, f"{x.shape} and {theta.shape}"))
    c, s = cos(theta).astype(x.dtype), sin(theta).astype(x.dtype)
    turned, rest = (x, None) if width == x.shape[-1] else (x[..., :width], x[..., width:])
    if interleaved:
        pairs = turned.reshape((*turned.shape[:-1], width // 2, 2))
        a, b = pairs[..., 0], pairs[..., 1]
        both = stack([a * c - b * s, b * c + a * s], axis=-1)
        turned = both.reshape((*both.shape[:-2], width))
    else:
        a, b = divide(turned, 2, turned.ndim - 1)
        turned = concat([a * c - b * s, b * c + a * s], axis=-1)
    return turned if rest is None else concat([turned, rest], axis=-1)
