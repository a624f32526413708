"""Initial values of parameters: pure functions of a random key.

`lucid.nn.init` fills parameters with them.
"""

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

__all__ = [
    "calculate_gain",
    "dirac",
    "eye",
    "fan_in_uniform",
    "fans",
    "kaiming_normal",
    "kaiming_uniform",
    "normal",
    "orthogonal",
    "sparse",
    "truncated_normal",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
]

Shape = Sequence[int]


def uniform(
    key: Key, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: Any = None
) -> Tensor:
    """Return numbers drawn evenly from [low, high).

    Args:
        key: a single, unused random key.
        shape: of the result.
        low: the lower end.
        high: the upper end.
        dtype: floating; by default the default dtype.

    Returns:
        The numbers.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> bool((init.uniform(lucid.random.key(0), (9,), -1.0, 1.0) < 1).all())
        True
    """
    return continuous.uniform(key, shape, dtype, minval=low, maxval=high)


def normal(
    key: Key, shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: Any = None
) -> Tensor:
    """Return numbers drawn from the normal distribution.

    Args:
        key: a single, unused random key.
        shape: of the result.
        mean: its centre.
        std: its standard deviation.
        dtype: floating; by default the default dtype.

    Returns:
        The numbers.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> init.normal(lucid.random.key(0), (2, 3)).shape
        (2, 3)
    """
    return continuous.normal(key, shape, dtype, loc=mean, scale=std)


def truncated_normal(
    key: Key,
    shape: Shape,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    dtype: Any = None,
) -> Tensor:
    """Return numbers drawn from the normal distribution, restricted to [a, b].

    Args:
        key: a single, unused random key.
        shape: of the result.
        mean: the centre before it was cut.
        std: the standard deviation before it was cut.
        a: the lower end.
        b: the upper end.
        dtype: floating; by default the default dtype.

    Returns:
        The numbers.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> bool((init.truncated_normal(lucid.random.key(0), (9,)) <= 2).all())
        True
    """
    lower, upper = (a - mean) / std, (b - mean) / std
    return mean + std * continuous.truncated_normal(key, lower, upper, shape, dtype)


# -- scaled by how many numbers meet in a unit -----------------------------------------------------


def fans(shape: Shape) -> tuple[int, int]:
    """Return how many inputs and outputs a unit of a weight of this shape has.

    Args:
        shape: (out, in, ...), with at least two axes; the further ones are a kernel's.

    Returns:
        ``(fan_in, fan_out)``.

    Raises:
        ShapeError: if there are fewer than two axes.

    Example:
        >>> from lucid.functional import init
        >>> init.fans((8, 4, 3, 3))
        (36, 72)
    """
    if len(shape) < 2:
        want = "a weight with at least two axes"
        raise ShapeError(message("init.fans", want, f"shape {tuple(shape)}"))
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


_GAINS = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
    **{f"conv{n}d": 1.0 for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": 1.0 for n in (1, 2, 3)},
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return by how much weights grow to make up for what an activation function takes away.

    Args:
        nonlinearity: its name in `lucid.functional`.
        param: the negative slope for "leaky_relu", by default 0.01.

    Returns:
        The factor.

    Raises:
        OptionError: for a name that is not known.

    Example:
        >>> from lucid.functional import init
        >>> init.calculate_gain("leaky_relu", 0.0) == 2**0.5
        True
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        allowed = ", ".join((*_GAINS, "leaky_relu"))
        raise OptionError(message("calculate_gain", f"one of {allowed}", repr(nonlinearity)))
    return _GAINS[nonlinearity]


def xavier_uniform(key: Key, shape: Shape, gain: float = 1.0, dtype: Any = None) -> Tensor:
    """Return weights drawn evenly from ±gain·√(6 / (fan_in + fan_out)).

    Args:
        key: a single, unused random key.
        shape: (out, in, ...).
        gain: see `calculate_gain`.
        dtype: floating; by default the default dtype.

    Returns:
        The weights.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> init.xavier_uniform(lucid.random.key(0), (2, 3)).shape
        (2, 3)

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    bound = gain * math.sqrt(6 / sum(fans(shape)))
    return uniform(key, shape, -bound, bound, dtype)


def xavier_normal(key: Key, shape: Shape, gain: float = 1.0, dtype: Any = None) -> Tensor:
    """Return weights from the normal distribution with deviation gain·√(2 / (fan_in + fan_out)).

    Args:
        key: a single, unused random key.
        shape: (out, in, ...).
        gain: see `calculate_gain`.
        dtype: floating; by default the default dtype.

    Returns:
        The weights.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> init.xavier_normal(lucid.random.key(0), (2, 3)).shape
        (2, 3)
    """
    return normal(key, shape, 0.0, gain * math.sqrt(2 / sum(fans(shape))), dtype)


def _kaiming(shape: Shape, a: float, mode: str, nonlinearity: str) -> float:
    """Return the standard deviation gain / √fan."""
    if mode not in ("fan_in", "fan_out"):
        raise OptionError(message("kaiming", 'mode "fan_in" or "fan_out"', repr(mode)))
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(shape)[mode == "fan_out"])


def kaiming_uniform(
    key: Key,
    shape: Shape,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    dtype: Any = None,
) -> Tensor:
    """Return weights drawn evenly from ±gain·√(3 / fan).

    Args:
        key: a single, unused random key.
        shape: (out, in, ...).
        a: the negative slope of the activation function that follows.
        mode: which fan counts, "fan_in" or "fan_out".
        nonlinearity: the activation function; see `calculate_gain`.
        dtype: floating; by default the default dtype.

    Returns:
        The weights.

    Raises:
        OptionError: for another `mode` or `nonlinearity`.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> init.kaiming_uniform(lucid.random.key(0), (2, 3)).shape
        (2, 3)

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015.
    """
    bound = math.sqrt(3) * _kaiming(shape, a, mode, nonlinearity)
    return uniform(key, shape, -bound, bound, dtype)


def kaiming_normal(
    key: Key,
    shape: Shape,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    dtype: Any = None,
) -> Tensor:
    """Return weights from the normal distribution with deviation gain / √fan.

    Args:
        key: a single, unused random key.
        shape: (out, in, ...).
        a: the negative slope of the activation function that follows.
        mode: which fan counts, "fan_in" or "fan_out".
        nonlinearity: the activation function; see `calculate_gain`.
        dtype: floating; by default the default dtype.

    Returns:
        The weights.

    Raises:
        OptionError: for another `mode` or `nonlinearity`.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> init.kaiming_normal(lucid.random.key(0), (2, 3)).shape
        (2, 3)
    """
    return normal(key, shape, 0.0, _kaiming(shape, a, mode, nonlinearity), dtype)


def fan_in_uniform(key: Key, shape: Shape, fan_in: int, dtype: Any = None) -> Tensor:
    """Return numbers drawn evenly from ±1/√fan_in: what PyTorch's layers start with.

    Args:
        key: a single, unused random key.
        shape: of the result.
        fan_in: how many inputs a unit has; 0 gives zeros.
        dtype: floating; by default the default dtype.

    Returns:
        The numbers.

    Example:
        >>> import lucid
        >>> from lucid.functional import init
        >>> bool((abs(init.fan_in_uniform(lucid.random.key(0), (9,), 4)) <= 0.5).all())
        True
    """
    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
    return uniform(key, shape, -bound, bound, dtype)


# -- with structure --------------------------------------------------------------------------------


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
    fans(shape)  # checks it
    rows, columns = shape[0], math.prod(shape[1:])
    tall = normal(key, (max(rows, columns), min(rows, columns)), dtype=dtype)
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
    return normal(second, shape, 0.0, std, dtype) * kept


def _default(dtype: Any) -> Any:
    return get_default_dtype() if dtype is None else dtype
