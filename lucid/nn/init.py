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

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.parameter import Parameter
from lucid.errors import OperandError, message
from lucid.functional import init
from lucid.functional.init import calculate_gain
from lucid.ops.random.generator import Generator, default_generator

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


def _fill(tensor: Any, make: Callable[..., Any], *args: Any, **options: Any) -> Parameter:
    """Replace the value of a parameter by what a pure function makes for its shape."""
    if not isinstance(tensor, Parameter):
        name = f"init.{make.__name__}_"
        hint = "Tensors are immutable: use the function of lucid.functional.init"
        raise OperandError(message(name, "a Parameter", f"a {type(tensor).__name__}", hint))
    tensor.data = make(*args, **options, dtype=tensor.dtype)
    return tensor


def _draw(
    tensor: Any, make: Callable[..., Any], generator: Generator | None, *args: Any
) -> Parameter:
    key = (generator or default_generator).next_key()
    return _fill(tensor, make, key, getattr(tensor, "shape", ()), *args)


def uniform_(
    tensor: Parameter, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill with numbers drawn evenly from [a, b)."""
    return _draw(tensor, init.uniform, generator, a, b)


def normal_(
    tensor: Parameter, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill with normally distributed numbers."""
    return _draw(tensor, init.normal, generator, mean, std)


def trunc_normal_(
    tensor: Parameter,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Parameter:
    """Fill with normally distributed numbers, restricted to [a, b]."""
    return _draw(tensor, init.truncated_normal, generator, mean, std, a, b)


def _full(value: float, shape: Any, dtype: Any) -> Any:
    return np.full(shape, value, dtype)


def constant_(tensor: Parameter, val: float) -> Parameter:
    """Fill with one number."""
    return _fill(tensor, _full, val, getattr(tensor, "shape", ()))


def ones_(tensor: Parameter) -> Parameter:
    """Fill with ones."""
    return constant_(tensor, 1)


def zeros_(tensor: Parameter) -> Parameter:
    """Fill with zeros."""
    return constant_(tensor, 0)


def eye_(tensor: Parameter) -> Parameter:
    """Fill a matrix with the identity."""
    return _fill(tensor, init.eye, getattr(tensor, "shape", ()))


def dirac_(tensor: Parameter, groups: int = 1) -> Parameter:
    """Fill the kernel of a convolution so that it gives its input back."""
    return _fill(tensor, init.dirac, getattr(tensor, "shape", ()), groups)


def xavier_uniform_(
    tensor: Parameter, gain: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill as `lucid.functional.init.xavier_uniform` says."""
    return _draw(tensor, init.xavier_uniform, generator, gain)


def xavier_normal_(
    tensor: Parameter, gain: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill as `lucid.functional.init.xavier_normal` says."""
    return _draw(tensor, init.xavier_normal, generator, gain)


def kaiming_uniform_(
    tensor: Parameter,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Parameter:
    """Fill as `lucid.functional.init.kaiming_uniform` says."""
    return _draw(tensor, init.kaiming_uniform, generator, a, mode, nonlinearity)


def kaiming_normal_(
    tensor: Parameter,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Parameter:
    """Fill as `lucid.functional.init.kaiming_normal` says."""
    return _draw(tensor, init.kaiming_normal, generator, a, mode, nonlinearity)


def fan_in_uniform_(
    tensor: Parameter | None, fan_in: int, generator: Generator | None = None
) -> Parameter | None:
    """Fill as `lucid.functional.init.fan_in_uniform` says; None, a missing bias, stays None."""
    return None if tensor is None else _draw(tensor, init.fan_in_uniform, generator, fan_in)


def orthogonal_(
    tensor: Parameter, gain: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill as `lucid.functional.init.orthogonal` says."""
    return _draw(tensor, init.orthogonal, generator, gain)


def sparse_(
    tensor: Parameter, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Parameter:
    """Fill as `lucid.functional.init.sparse` says."""
    return _draw(tensor, init.sparse, generator, sparsity, std)
