"""Parametrizations by length and direction, by the largest singular value, and orthogonal ones."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from lucid.core.tensor import Tensor
from lucid.errors import OptionError, message
from lucid.functional import orthogonal as maps
from lucid.functional import reparametrization as pure
from lucid.functional.normalization import normalize
from lucid.nn.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from lucid.nn.module import Module
from lucid.nn.utils.parametrize import register_parametrization
from lucid.ops.random.generator import default_generator
from lucid.transforms.stop import stop_gradient

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


class WeightNorm(Module):
    """A weight of lengths, `original0`, and directions, `original1`."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = None if dim == -1 else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """Compute the weight."""
        return pure.weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return lengths and directions of a weight."""
        return pure.norm_except_dim(weight, self.dim).detach(), weight.detach()


class SpectralNorm(Module):
    """A weight divided by its largest singular value, to which the buffers are the vectors."""

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        if n_power_iterations < 1:
            want, got = "a positive n_power_iterations", str(n_power_iterations)
            raise OptionError(message("spectral_norm", want, got))
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim % weight.ndim, eps
        if weight.ndim > 1:
            rows = weight.shape[self.dim]
            for name, size in (("_u", rows), ("_v", weight.size // rows)):
                drawn = default_generator.normal((size,), dtype=weight.dtype)
                self.register_buffer(name, normalize(drawn, dim=0, eps=eps))
            self._improve(weight, 15)

    def _improve(self, weight: Tensor, steps: int) -> None:
        fixed = stop_gradient(weight if type(weight) is Tensor else weight.detach())
        vectors = (self._u, self._v)
        self._u, self._v = pure.power_iteration(fixed, *vectors, steps, self.dim, self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        """Compute the weight; in training, improve the vectors."""
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        if self.training:
            self._improve(weight, self.n_power_iterations)
        return pure.spectral_norm(weight, self._u, self._v, self.dim)

    def right_inverse(self, value: Any) -> Any:
        """Return what to begin with: the weight itself."""
        return value


class Orthogonal(Module):
    """A matrix with orthonormal rows or columns, turned from the buffer `base` if there is one."""

    base: Any

    def __init__(self, weight: Tensor, orthogonal_map: str | None, trivial: bool) -> None:
        super().__init__()
        self.orthogonal_map = maps.orthogonal_map(weight, orthogonal_map, trivial)
        self.trivial = trivial
        if trivial:
            self.register_buffer("base", None)

    def forward(self, weight: Tensor) -> Tensor:
        """Compute the weight."""
        base = self.base if self.trivial else None
        return maps.orthogonal_matrix(weight, self.orthogonal_map, base)

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Return what to begin with, and set the base."""
        key = default_generator.next_key() if self.trivial else None
        start, base = maps.orthogonal_start(weight.detach(), key)
        if self.trivial:
            self.base = base
        return start


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let lengths and directions of a weight be learned apart; see `functional`'s formula g·v/‖v‖.

    Args:
        module: a layer.
        name: the name of its weight.
        dim: the axis along which each slice has its own length; None for one length.

    Returns:
        The layer.

    Raises:
        MissingAttributeError: if it has no such weight.

    Example:
        >>> from lucid import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
        >>> layer.parametrizations.weight.original0.shape
        (2, 1)

    Source: Salimans and Kingma, "Weight normalization", NeurIPS 2016.
    """
    return register_parametrization(module, name, WeightNorm(dim))


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Keep the largest singular value of a weight at 1.

    Args:
        module: a layer.
        name: the name of its weight, taken as a matrix with one row for each place along an axis.
        n_power_iterations: how often the singular vectors are improved at every reading in
            training.
        eps: the least length to divide by.
        dim: the axis, by default that of the outputs.

    Returns:
        The layer.

    Raises:
        MissingAttributeError: if it has no such weight.
        OptionError: if `n_power_iterations` is not positive.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2), n_power_iterations=9)
        >>> bool(abs(lucid.linalg.matrix_norm(layer.weight, ord=2) - 1) < 0.01)
        True

    Source: Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.
    """
    transposed = isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d)
    axis = int(transposed) if dim is None else dim
    weight = getattr(module, name, None)
    like = weight if isinstance(weight, Tensor) else Tensor(np.zeros((1, 1)))
    made = SpectralNorm(like, n_power_iterations, axis, eps)
    return register_parametrization(module, name, made)


def orthogonal(
    module: M,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> M:
    """Keep the rows of a weight orthonormal, or its columns if there are more rows.

    Args:
        module: a layer.
        name: the name of its weight, of shape (..., rows, columns).
        orthogonal_map: "matrix_exp", "cayley" or "householder"; by default the first if the weight
            is square or complex, and the last otherwise. See
            `lucid.functional.orthogonal.orthogonal_matrix`.
        use_trivialization: whether the weight is turned from where it begins, which is a buffer;
            only "householder" can do without.

    Returns:
        The layer.

    Raises:
        MissingAttributeError: if it has no such weight.
        ShapeError: if the weight has fewer than two axes.
        OptionError: for a map that does not exist, or cannot do without trivialization.
        DTypeError: for "householder" of a complex weight.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> layer = nn.utils.parametrizations.orthogonal(nn.Linear(5, 3))
        >>> bool(abs(layer.weight @ layer.weight.mT - lucid.eye(3)).max() < 1e-12)
        True

    Source: Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds",
    NeurIPS 2019.
    """
    weight = getattr(module, name, None)
    like = weight if isinstance(weight, Tensor) else Tensor(np.zeros((1, 1)))
    made = Orthogonal(like, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made)
