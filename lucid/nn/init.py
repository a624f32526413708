"""Fill parameters with initial values, in place: shells over `lucid.functional.init`.

Every function replaces the value of a parameter and returns the parameter. Random ones draw from
`generator`, a `lucid.random.Generator`, or from the default one, which `lucid.random.seed` starts.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> lucid.random.seed(0)
    >>> w = nn.init.xavier_uniform_(nn.Parameter(lucid.zeros((2, 3))))
    >>> w.shape
    (2, 3)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.parameter import Parameter
from lucid.functional import init
from lucid.functional.init import calculate_gain
from lucid.nn.fill import draw, fill
from lucid.nn.init_matrix import dirac_, eye_, orthogonal_, sparse_
from lucid.ops.random.generator import Generator

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "fan_in_uniform_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]


def uniform_(
    tensor: Parameter, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill a parameter with numbers drawn evenly from [a, b).

    Args:
        tensor: the parameter.
        a: the lower end.
        b: the upper end.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.uniform_(nn.Parameter(lucid.zeros((2, 3))), -1.0, 1.0)
        >>> bool((abs(w.data) <= 1).all())
        True
    """
    return draw("uniform_", tensor, init.uniform, generator, a, b)


def normal_(
    tensor: Parameter, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill a parameter with normally distributed numbers.

    Args:
        tensor: the parameter.
        mean: their centre.
        std: their standard deviation.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.normal_(nn.Parameter(lucid.zeros((2, 3))), std=0.02)
        >>> bool((abs(w.data) > 0).all())
        True
    """
    return draw("normal_", tensor, init.normal, generator, mean, std)


def trunc_normal_(
    tensor: Parameter,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Parameter:
    """Fill a parameter with normally distributed numbers, restricted to [a, b].

    Args:
        tensor: the parameter.
        mean: the centre before they are cut.
        std: the standard deviation before they are cut.
        a: the lower end.
        b: the upper end.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.trunc_normal_(nn.Parameter(lucid.zeros((2, 3))), a=-1.0, b=1.0)
        >>> bool((abs(w.data) <= 1).all())
        True
    """
    return draw("trunc_normal_", tensor, init.truncated_normal, generator, mean, std, a, b)


def _full(value: float, shape: Any, dtype: Any) -> Any:
    return np.full(shape, value, dtype)


def constant_(tensor: Parameter, val: float) -> Parameter:
    """Fill a parameter with one number.

    Args:
        tensor: the parameter.
        val: the number.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.init.constant_(nn.Parameter(lucid.zeros((2, 2))), 0.5).data
        Tensor([[0.5, 0.5],
                [0.5, 0.5]])
    """
    return fill("constant_", tensor, _full, val, getattr(tensor, "shape", ()))


def ones_(tensor: Parameter) -> Parameter:
    """Fill a parameter with ones.

    Args:
        tensor: the parameter.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.init.ones_(nn.Parameter(lucid.zeros((2, 2)))).data
        Tensor([[1., 1.],
                [1., 1.]])
    """
    return fill("ones_", tensor, _full, 1, getattr(tensor, "shape", ()))


def zeros_(tensor: Parameter) -> Parameter:
    """Fill a parameter with zeros.

    Args:
        tensor: the parameter.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.init.zeros_(nn.Parameter(lucid.zeros((2, 2)))).data
        Tensor([[0., 0.],
                [0., 0.]])
    """
    return fill("zeros_", tensor, _full, 0, getattr(tensor, "shape", ()))


def xavier_uniform_(
    tensor: Parameter, gain: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill a parameter evenly from ±gain·√(6 / (fan_in + fan_out)).

    Args:
        tensor: the parameter, of shape (out, in, ...).
        gain: see `calculate_gain`.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.
        ShapeError: if it has fewer than two axes.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.xavier_uniform_(nn.Parameter(lucid.zeros((2, 3))), gain=2.0)
        >>> bool((abs(w.data) > 0).all())
        True

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    return draw("xavier_uniform_", tensor, init.xavier_uniform, generator, gain)


def xavier_normal_(
    tensor: Parameter, gain: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill a parameter normally, with deviation gain·√(2 / (fan_in + fan_out)).

    Args:
        tensor: the parameter, of shape (out, in, ...).
        gain: see `calculate_gain`.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.
        ShapeError: if it has fewer than two axes.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.xavier_normal_(nn.Parameter(lucid.zeros((2, 3))))
        >>> bool((abs(w.data) > 0).all())
        True

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    return draw("xavier_normal_", tensor, init.xavier_normal, generator, gain)


def kaiming_uniform_(
    tensor: Parameter,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Parameter:
    """Fill a parameter evenly from ±gain·√(3 / fan).

    Args:
        tensor: the parameter, of shape (out, in, ...).
        a: the negative slope of the activation function that follows.
        mode: which fan counts, "fan_in" or "fan_out".
        nonlinearity: the activation function; see `calculate_gain`.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.
        ShapeError: if it has fewer than two axes.
        OptionError: for another `mode` or `nonlinearity`.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.kaiming_uniform_(nn.Parameter(lucid.zeros((2, 3))), nonlinearity="relu")
        >>> bool((abs(w.data) > 0).all())
        True

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015.
    """
    return draw("kaiming_uniform_", tensor, init.kaiming_uniform, generator, a, mode, nonlinearity)


def kaiming_normal_(
    tensor: Parameter,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Parameter:
    """Fill a parameter normally, with deviation gain / √fan.

    Args:
        tensor: the parameter, of shape (out, in, ...).
        a: the negative slope of the activation function that follows.
        mode: which fan counts, "fan_in" or "fan_out".
        nonlinearity: the activation function; see `calculate_gain`.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.
        ShapeError: if it has fewer than two axes.
        OptionError: for another `mode` or `nonlinearity`.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.kaiming_normal_(nn.Parameter(lucid.zeros((2, 3))), mode="fan_out")
        >>> bool((abs(w.data) > 0).all())
        True

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015.
    """
    return draw("kaiming_normal_", tensor, init.kaiming_normal, generator, a, mode, nonlinearity)


def fan_in_uniform_(
    tensor: Parameter | None, fan_in: int, generator: Generator | None = None
) -> Parameter | None:
    """Fill a parameter evenly from ±1/√fan_in: what PyTorch's layers start with.

    Args:
        tensor: the parameter; None, a missing bias, stays None.
        fan_in: how many inputs a unit has; 0 gives zeros.
        generator: what draws; by default the default generator.

    Returns:
        The parameter, or None.

    Raises:
        OperandError: if it is no Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.fan_in_uniform_(nn.Parameter(lucid.zeros((2, 3))), 4)
        >>> bool((abs(w.data) <= 0.5).all())
        True
    """
    return (
        None
        if tensor is None
        else draw("fan_in_uniform_", tensor, init.fan_in_uniform, generator, fan_in)
    )
