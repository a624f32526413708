"""How initialisers replace the value of a parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucid.core.parameter import Parameter
from lucid.errors import OperandError, message
from lucid.ops.random.generator import Generator, default_generator

__all__ = ["draw", "fill"]


def fill(name: str, tensor: Any, make: Callable[..., Any], *args: Any, **options: Any) -> Parameter:
    """Replace the value of a parameter by what a pure function makes for its shape."""
    if not isinstance(tensor, Parameter):
        hint = "Tensors are immutable: use the function of lucid.functional.init"
        raise OperandError(
            message(f"init.{name}", "a Parameter", f"a {type(tensor).__name__}", hint)
        )
    tensor.data = make(*args, **options, dtype=tensor.dtype)
    return tensor


def draw(
    name: str, tensor: Any, make: Callable[..., Any], generator: Generator | None, *args: Any
) -> Parameter:
    """Replace the value of a parameter by what a pure function draws for its shape."""
    key = (generator or default_generator).next_key()
    return fill(name, tensor, make, key, getattr(tensor, "shape", ()), *args)
