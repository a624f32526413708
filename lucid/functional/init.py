"""Initial values of parameters: pure functions of a random key.

`lucid.nn.init` fills parameters with them.
"""

from __future__ import annotations

import math
from typing import Any

from lucid.core.tensor import Tensor
from lucid.errors import OptionError, ShapeError, message
from lucid.functional.init_matrix import Shape, dirac, eye, orthogonal, sparse
from lucid.ops.random import continuous
from lucid.ops.random.keys import Key

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
