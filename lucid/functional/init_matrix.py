"""Initial matrices with a structure: orthogonal, the identity, sparse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.config import get_default_dtype
from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.ops.linalg.factor import qr
from lucid.ops.random import continuous
from lucid.ops.random.keys import Key, split

__all__ = ["dirac", "eye", "orthogonal", "sparse"]

Shape = Sequence[int]


def orthogonal(key: Key, shape: Shape, gain: float = 1.0, dtype: Any = None) -> Tensor:
    """Return a random matrix with orthonormal rows, or columns if there are more rows, times gain.

    Args:
        key: a single, unused random key.
        shape: (out, in, ...); the axes after the first count as one.
        gain: the factor.
        dtype: floating; by default the default dtype.

    Returns:
        The matrix, of shape `shape`.

    Raises:
        ShapeError: if there are fewer than two axes.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> w = init.orthogonal(lucid.random.key(0), (2, 3))
        >>> bool(abs(w @ w.mT - lucid.eye(2)).max() < 1e-12)
        True

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", ICLR 2014.
    """
    if len(shape) < 2:
        want = "at least two axes"
        raise ShapeError(message("init.orthogonal", want, f"shape {tuple(shape)}"))
    rows, columns = shape[0], math.prod(shape[1:])
    tall = continuous.normal(key, (max(rows, columns), min(rows, columns)), dtype)
    q, r = qr(tall)
    diagonal = r.diagonal()
    q = q * (
        2 * (diagonal >= 0).astype(tall.dtype) - 1
    )  # with these signs it is distributed evenly
    return gain * (q.mT if rows < columns else q).reshape(tuple(shape))


def eye(shape: Shape, dtype: Any = None) -> Tensor:
    """Return the identity matrix, cut to a shape.

    Args:
        shape: (rows, columns).
        dtype: by default the default dtype.

    Returns:
        The matrix.

    Raises:
        ShapeError: if there are not two axes.

    Example:
        >>> from lucid.functional import init
        >>> init.eye((1, 2))
        Tensor([[1., 0.]])
    """
    if len(shape) != 2:
        raise ShapeError(message("init.eye", "two axes", f"shape {tuple(shape)}"))
    rows, columns = shape
    return Tensor(np.eye(rows, columns), dtype=_default(dtype))


def dirac(shape: Shape, groups: int = 1, dtype: Any = None) -> Tensor:
    """Return the kernel of a convolution that gives its input back.

    Args:
        shape: (out, in / groups, ...) with one to three axes of a kernel.
        groups: of the convolution.
        dtype: by default the default dtype.

    Returns:
        The kernel.

    Raises:
        ShapeError: if there are not three to five axes.
        OptionError: if `groups` does not divide the outputs.

    Example:
        >>> from lucid.functional import init
        >>> init.dirac((1, 1, 3))
        Tensor([[[0., 1., 0.]]])
    """
    if len(shape) not in (3, 4, 5):
        raise ShapeError(message("init.dirac", "three to five axes", f"shape {tuple(shape)}"))
    if shape[0] % groups:
        want = f"groups that divide {shape[0]} outputs"
        raise OptionError(message("init.dirac", want, str(groups)))
    value = np.zeros(tuple(shape))
    each = shape[0] // groups
    middle = tuple(n // 2 for n in shape[2:])
    for group in range(groups):
        for k in range(min(each, shape[1])):
            value[(group * each + k, k, *middle)] = 1
    return Tensor(value, dtype=_default(dtype))


def sparse(key: Key, shape: Shape, sparsity: float, std: float = 0.01, dtype: Any = None) -> Tensor:
    """Return a normally distributed matrix with a share of each column set to zero.

    Args:
        key: a single, unused random key.
        shape: (rows, columns).
        sparsity: the share of zeros, between 0 and 1.
        std: the standard deviation of the rest.
        dtype: floating; by default the default dtype.

    Returns:
        The matrix.

    Raises:
        ShapeError: if there are not two axes.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> (init.sparse(lucid.random.key(0), (10, 3), 0.3) == 0).sum(0)
        Tensor([3, 3, 3])

    Source: Martens, "Deep learning via Hessian-free optimization", ICML 2010.
    """
    if len(shape) != 2:
        raise ShapeError(message("init.sparse", "two axes", f"shape {tuple(shape)}"))
    first, second = split(key)
    order = continuous.uniform(first, shape).argsort(0).argsort(0)
    kept = order >= math.ceil(sparsity * shape[0])
    return std * continuous.normal(second, shape, dtype) * kept


def _default(dtype: Any) -> Any:
    return get_default_dtype() if dtype is None else dtype
