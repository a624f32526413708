"""Positions in sequences as layers.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> nn.RotaryEmbedding(8)(lucid.ones((2, 5, 8))).shape
    (2, 5, 8)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.functional.checks import shape_of
from lucid.nn.module import Module

__all__ = ["RotaryEmbedding", "SinusoidalEmbedding"]


class SinusoidalEmbedding(Module):
    """Look up sines and cosines of positions; see `lucid.functional.sinusoidal_positions`.

    Args:
        num_embeddings: how many positions there are.
        embedding_dim: of the vector for each, even.
        base: the longest wave is about 2π·base positions long.
        dtype: of the table; by default the default dtype.

    Attributes:
        table: the vectors, a buffer that `state_dict` leaves out.
    """

    table: Any

    def __init__(
        self, num_embeddings: int, embedding_dim: int, base: float = 10000.0, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim, self.base = num_embeddings, embedding_dim, base
        table = functional.sinusoidal_positions(num_embeddings, embedding_dim, base, dtype)
        self.register_buffer("table", table, persistent=False)

    def forward(self, positions: ArrayLike) -> Tensor:
        """Return the vectors of positions."""
        return functional.embedding(positions, self.table)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"{self.num_embeddings}, {self.embedding_dim}, base={self.base}"


class RotaryEmbedding(Module):
    """Rotate vectors by their positions; see `lucid.functional.apply_rotary`.

    Args:
        dim: how many entries of the vectors are rotated, an even number.
        base: the longest wave is about 2π·base positions long.
        interleaved: whether pairs are neighbours, and not the same places of two halves.
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = False) -> None:
        super().__init__()
        self.dim, self.base, self.interleaved = dim, base, interleaved

    def forward(self, input: Tensor, positions: ArrayLike | None = None) -> Tensor:
        """Rotate vectors of shape (..., positions, width), by default by 0, 1, 2 and so on."""
        places = np.arange(shape_of(input)[-2]) if positions is None else positions
        angles = functional.rotary_angles(places, self.dim, self.base, input.dtype)
        return functional.apply_rotary(input, angles, self.interleaved)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"{self.dim}, base={self.base}, interleaved={self.interleaved}"
