"""Weights as functions of other parameters, and limits to gradients: what `nn.utils` stands on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.normalization import normalize
from lucid.ops.axes import as_tensor, as_tensors, axis_of
from lucid.ops.join import concat, stack
from lucid.ops.linalg.norms import vector_norm
from lucid.ops.permute import moveaxis
from lucid.ops.select import clip, minimum

__all__ = [
    "clip_by_norm",
    "clip_by_value",
    "from_vector",
    "norm_except_dim",
    "power_iteration",
    "spectral_norm",
    "to_vector",
    "total_norm",
    "weight_norm",
]

# -- weights ---------------------------------------------------------------------------------------


def norm_except_dim(weight: ArrayLike, dim: int | None = 0) -> Tensor:
    """Return the length of each slice along an axis, or of the whole.

    Args:
        weight: of any shape.
        dim: the axis; None for the whole.

    Returns:
        The lengths, with length 1 of all other axes; without axes for the whole.
    """
    w = as_tensor("norm_except_dim", weight)
    if dim is None:
        return vector_norm(w)
    axis = axis_of("norm_except_dim", dim, w.ndim)
    others = tuple(k for k in range(w.ndim) if k != axis)
    return vector_norm(w, axis=others, keepdims=True) if others else abs(w)


def weight_norm(v: ArrayLike, g: ArrayLike, dim: int | None = 0) -> Tensor:
    """Return g·v / ‖v‖, a weight whose lengths g and directions v are learned apart.

    Args:
        v: the directions, of the shape of the weight.
        g: the lengths, as `norm_except_dim` gives them.
        dim: the axis along which each slice has its own length; None for one length.

    Returns:
        The weight.

    Source: Salimans and Kingma, "Weight normalization", NeurIPS 2016.
    """
    direction, length = as_tensors("weight_norm", (v, g))
    return direction * (length / norm_except_dim(direction, dim))


def _matrix(weight: ArrayLike, dim: int) -> Tensor:
    """Return a weight as a matrix with one row for each place along an axis."""
    w = as_tensor("spectral_norm", weight)
    axis = axis_of("spectral_norm", dim, w.ndim)
    w = moveaxis(w, axis, 0) if axis else w
    return w.reshape((w.shape[0], math.prod(w.shape[1:])))


def power_iteration(
    weight: ArrayLike, u: ArrayLike, v: ArrayLike, steps: int = 1, dim: int = 0, eps: float = 1e-12
) -> tuple[Tensor, Tensor]:
    """Return singular vectors of a weight to its largest singular value, better than those given.

    Args:
        weight: taken as a matrix with one row for each place along an axis.
        u: the left vector so far.
        v: the right vector so far.
        steps: how often to multiply.
        dim: the axis.
        eps: the least length to divide by.

    Returns:
        ``(u, v)``.
    """
    m = _matrix(weight, dim)
    left, right = as_tensors("spectral_norm", (u, v))
    for _ in range(steps):
        left = normalize(m @ right, dim=0, eps=eps)
        right = normalize(m.mT @ left, dim=0, eps=eps)
    return left, right


def spectral_norm(weight: ArrayLike, u: ArrayLike, v: ArrayLike, dim: int = 0) -> Tensor:
    """Return a weight divided by its largest singular value uᵀ W v.

    Args:
        weight: of two axes or more, taken as a matrix with one row for each place along an axis.
        u: the left singular vector.
        v: the right singular vector.
        dim: the axis.

    Returns:
        The weight, of the same shape.

    Source: Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.
    """
    w = as_tensor("spectral_norm", weight)
    left, right = as_tensors("spectral_norm", (u, v))
    return w / (left @ (_matrix(w, dim) @ right))


# -- many at once ----------------------------------------------------------------------------------


def to_vector(tensors: Sequence[ArrayLike]) -> Tensor:
    """Return the entries of several arrays, one behind the other."""
    if not tensors:
        raise OptionError(message("to_vector", "one array or more", "none"))
    return concat([t.reshape((t.size,)) for t in as_tensors("to_vector", tensors)])


def from_vector(vector: ArrayLike, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    """Divide a vector into arrays of these shapes."""
    x = as_tensor("from_vector", vector)
    sizes = [math.prod(s) for s in shapes]
    if x.shape != (sum(sizes),):
        raise ShapeError(message("from_vector", f"a vector of {sum(sizes)}", f"shape {x.shape}"))
    ends = np.cumsum(sizes).tolist()
    return [x[end - n : end].reshape(s) for s, n, end in zip(shapes, sizes, ends, strict=True)]


def total_norm(tensors: Sequence[ArrayLike], norm_type: float = 2.0) -> Tensor:
    """Return the norm of all entries of several arrays, 0 if there are none."""
    if not tensors:
        return Tensor(0.0)
    norms = [vector_norm(t, ord=norm_type) for t in as_tensors("total_norm", tensors)]
    return vector_norm(stack(norms), ord=norm_type)


def clip_by_norm(
    tensors: Sequence[ArrayLike], max_norm: ArrayLike, norm: ArrayLike
) -> list[Tensor]:
    """Multiply arrays, whose norm together is known, so that it does not exceed a limit."""
    limit, length = as_tensors("clip_by_norm", (max_norm, norm))
    factor = minimum(limit / (length + 1e-6), 1)
    return [t * factor.astype(t.dtype) for t in as_tensors("clip_by_norm", tensors)]


def clip_by_value(tensors: Sequence[ArrayLike], limit: float) -> list[Tensor]:
    """Restrict all entries of arrays to ±limit."""
    return [clip(t, -limit, limit) for t in as_tensors("clip_by_value", tensors)]
