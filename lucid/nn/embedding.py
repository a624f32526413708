"""Embeddings as layers.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.Embedding(10, 3)
    >>> layer(lucid.asarray([[1, 2, 4, 5]])).shape
    (1, 4, 3)
    >>> layer
    Embedding(10, 3)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import (
    IndexOutOfBoundsError,
    OptionError,
    ShapeError,
    UnsupportedError,
    message,
)
from lucid.nn import init
from lucid.nn.module import Module
from lucid.nn.parameter import Parameter, blank

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """What both layers have in common."""

    weight: Parameter

    def _make(self, rows: int, width: int, weight: ArrayLike | None, dtype: Any) -> None:
        """Take over a table, or draw one."""
        name = type(self).__name__
        self.num_embeddings, self.embedding_dim = rows, width
        if weight is None:
            self.weight = blank((rows, width), dtype)
            self.reset_parameters()
            return
        self.weight = Parameter(weight, dtype=dtype)
        if self.weight.shape != (rows, width):
            got = f"shape {self.weight.shape}"
            raise ShapeError(message(name, f"a table of shape {(rows, width)}", got))

    def _check(self, rows: int, padding: int | None, max_norm: float | None) -> None:
        name = type(self).__name__
        if padding is not None and not -rows <= padding < rows:
            want = f"padding_idx from {-rows} to {rows - 1}"
            raise IndexOutOfBoundsError(message(name, want, str(padding)))
        if max_norm is not None:  # elsewhere it changes the table whenever rows are looked up
            hint = "shorten rows after a step, or use functional.embedding(..., max_norm=...)"
            raise UnsupportedError(message(name, "max_norm=None", str(max_norm), hint))
        self.padding_idx = None if padding is None else padding % rows

    def reset_parameters(self) -> None:
        """Draw the table anew, from the normal distribution; the row for padding is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data = self.weight.data.at[self.padding_idx].set(0)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        shown = f"{self.num_embeddings}, {self.embedding_dim}"
        return shown if self.padding_idx is None else f"{shown}, padding_idx={self.padding_idx}"


def _size(name: str, embeddings: ArrayLike) -> tuple[int, int]:
    shape = np.shape(embeddings)
    if len(shape) != 2:
        want = "embeddings of shape (rows, width)"
        raise ShapeError(message(f"{name}.from_pretrained", want, f"shape {shape}"))
    return shape[0], shape[1]


class Embedding(_Table):
    """Return rows of a learned table; see `lucid.functional.embedding`.

    Args:
        num_embeddings: how many rows there are.
        embedding_dim: their width.
        padding_idx: a row that is 0 at first, and has no gradient.
        max_norm: None; a table does not change when it is read.
        norm_type: see `functional.embedding`.
        scale_grad_by_freq: whether the gradient of a row is divided by how often it is looked up.
        _weight: the table, if there is one already.
        _freeze: whether it is not trained.
        dtype: of the table; by default the default dtype.

    Attributes:
        weight: the table, of shape (num_embeddings, embedding_dim), drawn from the normal
            distribution.

    Raises:
        IndexOutOfBoundsError: if there is no row `padding_idx`.
        UnsupportedError: if `max_norm` is given.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        _weight: ArrayLike | None = None,
        _freeze: bool = False,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._check(num_embeddings, padding_idx, max_norm)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self._make(num_embeddings, embedding_dim, _weight, dtype)
        self.weight.requires_grad = not _freeze

    @classmethod
    def from_pretrained(
        cls,
        embeddings: ArrayLike,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
    ) -> Embedding:
        """Make a layer of a table.

        Args:
            embeddings: the table, of shape (rows, width).
            freeze: whether it is not trained.
            padding_idx: as in the class, and so are the others.
            max_norm: likewise.
            norm_type: likewise.
            scale_grad_by_freq: likewise.
        """
        options = (padding_idx, max_norm, norm_type, scale_grad_by_freq)
        return cls(*_size("Embedding", embeddings), *options, embeddings, freeze)

    def forward(self, input: ArrayLike) -> Tensor:
        """Apply the layer."""
        options = (self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)
        return functional.embedding(input, self.weight, *options)


class EmbeddingBag(_Table):
    """Reduce bags of rows of a learned table; see `lucid.functional.embedding_bag`.

    Args:
        num_embeddings: how many rows there are.
        embedding_dim: their width.
        max_norm: None; a table does not change when it is read.
        norm_type: see `functional.embedding_bag`.
        scale_grad_by_freq: whether the gradient of a row is divided by how often it is looked up.
        mode: "sum", "mean" or "max".
        _weight: the table, if there is one already.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: a row that is 0 at first, and is left out of all bags.
        dtype: of the table; by default the default dtype.

    Attributes:
        weight: the table, of shape (num_embeddings, embedding_dim), drawn from the normal
            distribution.

    Raises:
        IndexOutOfBoundsError: if there is no row `padding_idx`.
        OptionError: for another `mode`.
        UnsupportedError: if `max_norm` is given.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        _weight: ArrayLike | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if mode not in ("sum", "mean", "max"):
            raise OptionError(message("EmbeddingBag", 'mode "sum", "mean" or "max"', repr(mode)))
        self._check(num_embeddings, padding_idx, max_norm)
        self.max_norm, self.norm_type, self.mode = max_norm, norm_type, mode
        self.scale_grad_by_freq, self.include_last_offset = scale_grad_by_freq, include_last_offset
        self._make(num_embeddings, embedding_dim, _weight, dtype)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: ArrayLike,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """Make a layer of a table.

        Args:
            embeddings: the table, of shape (rows, width).
            freeze: whether it is not trained.
            max_norm: as in the class, and so are the others.
            norm_type: likewise.
            scale_grad_by_freq: likewise.
            mode: likewise.
            include_last_offset: likewise.
            padding_idx: likewise.
        """
        options = (max_norm, norm_type, scale_grad_by_freq, mode, embeddings)
        sizes = _size("EmbeddingBag", embeddings)
        layer = cls(*sizes, *options, include_last_offset, padding_idx)
        layer.weight.requires_grad = not freeze
        return layer

    def forward(
        self,
        input: ArrayLike,
        offsets: ArrayLike | None = None,
        per_sample_weights: ArrayLike | None = None,
    ) -> Tensor:
        """Apply the layer."""
        options = (self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode)
        more = (per_sample_weights, self.include_last_offset, self.padding_idx)
        return functional.embedding_bag(input, self.weight, offsets, *options, *more)

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return f"{super().extra_repr()}, mode={self.mode!r}"
