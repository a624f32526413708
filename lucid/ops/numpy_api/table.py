"""The table of `__array_function__`: which lucid function computes a NumPy function.

A row either names a lucid function that takes NumPy's arguments as they are, or is an adapter with
NumPy's signature. `where=`, `initial=` and the like are honoured or refused, never ignored.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.dispatch import apply
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, concrete
from lucid.errors import OperandError, message

__all__ = [
    "ACCUMULATE",
    "FUNCTIONS",
    "NAMED",
    "REDUCE",
    "covers",
    "flat",
    "from_initial",
    "plain",
    "same",
    "stepwise",
    "tensor",
    "tensors",
]

FUNCTIONS: dict[Any, Callable[..., Any]] = {}
# by the name of a ufunc: its reduction, its accumulation, and ufuncs that no operation stands for
REDUCE: dict[str, Callable[..., Tensor]] = {}
ACCUMULATE: dict[str, Callable[..., Tensor]] = {}
NAMED: dict[str, Callable[..., Any]] = {}

# names under which NumPy's functions take arrays, or lists in their place
_ARRAYS = frozenset(
    ("a", "b", "v", "m", "x", "y", "x1", "x2", "A", "val", "q", "weights", "fp", "xp")
)


def covers(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register an adapter for NumPy functions."""

    def register(adapter: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            FUNCTIONS[function] = adapter
        return adapter

    return register


def same(function: Any, ours: Callable[..., Any], **names: str) -> None:
    """Register a lucid function that takes a NumPy function's arguments, some under other names.

    Arguments of NumPy's that lucid's function lacks are refused unless they have their default.
    """
    signature = inspect.signature(function)
    accepted = inspect.signature(ours).parameters
    unnamed = sum(p.kind is p.POSITIONAL_ONLY for p in accepted.values())
    prefix = f"np.{function.__name__}"

    def adapter(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for k, (name, value) in enumerate(bound.arguments.items()):
            parameter = signature.parameters[name]
            target = names.get(name, name)
            if name in _ARRAYS and isinstance(value, list | tuple):
                value = Tensor(value)
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional.extend(value)
            elif k < unnamed:
                positional.append(value)
            elif target in accepted:
                keywords[target] = value
            elif not plain(value, parameter.default):
                raise OperandError(message(prefix, f"no {name}= on Tensors", f"{name}={value!r}"))
        return ours(*positional, **keywords)

    FUNCTIONS[function] = adapter


def plain(value: Any, default: Any) -> bool:
    """Whether an argument has its default value, or None, or NumPy's "no value"."""
    return value is default or value is None or value is getattr(np, "_NoValue", None)


def tensor(value: Any) -> Tensor:
    """Return what NumPy would make an array of as a Tensor."""
    return value if isinstance(value, Tensor) else Tensor(value)


def tensors(values: Any) -> list[Tensor]:
    """Return a sequence of arrays as Tensors."""
    return [tensor(v) for v in values]


def flat(value: Any) -> Tensor:
    """Return an array as a Tensor with one axis."""
    return tensor(value).reshape((-1,))


def stepwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a NumPy function whose results do not vary with its arguments' small changes.

    It needs numbers: under `vmap` and `jit` it raises.
    """
    name = f"np.{function.__name__}"

    def number(x: Any) -> Any:
        return concrete(x, name) if isinstance(x, Tensor) else x

    def adapter(*args: Any, **kwargs: Any) -> Any:
        found = function(*tree.map(number, args), **tree.map(number, kwargs))
        return tree.map(lambda y: Tensor(y) if isinstance(y, np.ndarray | np.generic) else y, found)

    return adapter


def from_initial(
    reduce: Callable[..., Tensor],
    join: Callable[..., Tensor],
    x: Tensor,
    axis: Any,
    keepdims: bool,
    initial: Any,
) -> Tensor:
    """Reduce beginning with a value, which is the result where there is nothing to reduce."""
    if x.size:
        return join(initial, reduce(x, axis, keepdims))
    shape = np.sum(np.empty(x.shape), axis=axis, keepdims=keepdims).shape
    start = tensor(initial)
    return apply(
        OPS["broadcast_to"], (start.astype(np.result_type(x.dtype, start.dtype)),), (shape,)
    )
