"""What the update rules share: arithmetic on numbers, arrays and Tensors, and checks of options.

A kernel computes on arrays where nothing watches, else on Tensors; its hyper-parameters are Python
numbers, or Tensors under a transformation. Python numbers stay weak here, so that float32 stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.core.dispatch import bind
from lucid.core.op import OPS
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, OptionError, message

__all__ = [
    "absolute",
    "check_betas",
    "check_options",
    "check_params",
    "cos",
    "decay_of",
    "first",
    "floor",
    "is_one",
    "is_zero",
    "log",
    "maximum",
    "minimum",
    "moved",
    "moved_square",
    "penalised",
    "sign",
    "size_of",
    "square",
    "where",
]


def _call(name: str, number: Callable[..., Any], array: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        plain = True
        for a in args:
            if isinstance(a, Tensor):
                return bind(OPS[name], args)
            plain = plain and not isinstance(a, np.ndarray | np.generic)
        return (number if plain else array)(*args)

    return call


cos = _call("cos", math.cos, np.cos)
log = _call("log", math.log, np.log)
floor = _call("floor", math.floor, np.floor)
minimum = _call("minimum", min, np.minimum)
maximum = _call("maximum", max, np.maximum)
absolute = _call("abs", abs, np.abs)
sign = _call("sign", lambda x: (x > 0) - (x < 0), np.sign)
where = _call("where", lambda condition, a, b: a if condition else b, np.where)


def square(x: Any) -> Any:
    """Return the squares of the absolute values, which are real."""
    return x * x if x.dtype.kind != "c" else x.real * x.real + x.imag * x.imag


def size_of(x: Any) -> int:
    """Return how many numbers an array or Tensor holds, but 1 for an empty one: a divisor."""
    return max(1, math.prod(x.shape))


def penalised(g: Any, p: Any, decay: Any, direction: float) -> Any:
    """Return ±g + decay·p."""
    if direction < 0:
        g = -g
    return g if is_zero(decay) else g + decay * p


def moved(average: Any, new: Any, kept: Any) -> Any:
    """Return the running mean kept·average + (1 - kept)·new, as an array of its own."""
    average = kept * average
    average += (1 - kept) * new
    return average


def moved_square(average: Any, g: Any, kept: Any) -> Any:
    """Return the running mean kept·average + (1 - kept)·g²."""
    new = g * g
    new *= 1 - kept
    average = kept * average
    average += new
    return average


def is_zero(x: Any) -> bool:
    """Return whether a hyper-parameter is a Python number that is 0."""
    return isinstance(x, float | int) and x == 0


def is_one(x: Any) -> bool:
    """Return whether a hyper-parameter is a Python number that is 1."""
    return isinstance(x, float | int) and x == 1


def first(step: Any, at_first: Any, later: Any) -> Any:
    """Return `at_first` at step 0 and `later` at all others."""
    if isinstance(step, int):
        return at_first if step == 0 else later
    return later if is_one(later) and is_one(at_first) else where(step == 0, at_first, later)


def decay_of(name: str, decay: Any, params: Any) -> Any:
    """Return a weight decay, having made sure that there are parameters to decay."""
    if not is_zero(decay):
        check_params(name, params, "params where weight_decay is set")
    return decay


def check_params(name: str, params: Any, what: str = "params") -> None:
    """Raise if a transformation that looks at the parameters was given none."""
    if params is None:
        hint = "call update(grads, state, params)"
        raise OperandError(message(name, what, "none", hint))


def check_options(name: str, **numbers: Any) -> None:
    """Raise if a number among options is negative."""
    for what, value in numbers.items():
        if isinstance(value, float | int) and not value >= 0:
            raise OptionError(message(name, f"a {what} that is not negative", str(value)))


def check_betas(name: str, betas: tuple[Any, Any]) -> None:
    """Raise unless all shares that running means keep are in [0, 1)."""
    for beta in betas:
        if isinstance(beta, float | int) and not 0 <= beta < 1:
            raise OptionError(message(name, "betas in [0, 1)", str(betas)))
