"""Where derivatives stop: `stop_gradient`, `no_grad`, `enable_grad`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import Token
from types import TracebackType
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.define import general
from lucid.core.dispatch import bind
from lucid.core.frames import ambient, silenced
from lucid.core.op import Aval
from lucid.core.tensor import Tensor

__all__ = ["enable_grad", "no_grad", "stop_gradient"]


def stop_gradient(x: Any) -> Any:
    """Return `x`, treated as a constant by every derivative.

    Args:
        x: an array, a number, or a pytree of them; other leaves are returned as they are.

    Returns:
        The same values as Tensors.

    Example:
        >>> import lucid
        >>> lucid.grad(lambda x: x * lucid.stop_gradient(x))(3.0)
        Tensor(3.)
    """
    return tree.map(
        lambda leaf: (
            bind(_stop, (leaf,))
            if isinstance(leaf, Tensor | np.ndarray | np.generic | bool | int | float | complex)
            else leaf
        ),
        x,
    )


_stop = general(
    "stop_gradient",
    lambda x: x,
    infer=lambda x: Aval(x.shape, x.dtype, x.weak),
    batch=lambda size, batched, args: bind(_stop, args),
    smooth=False,
    weak=True,
    view=True,
)


class _Switch(ContextDecorator):
    """Sets from which level on ambient tapes record, for a block or a function."""

    _tokens: list[Token[int]]

    def __init__(self) -> None:
        self._tokens = []

    def _threshold(self) -> int:
        raise NotImplementedError

    def __enter__(self) -> None:
        self._tokens.append(silenced.set(self._threshold()))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        silenced.reset(self._tokens.pop())

    def __call__(self, fun: Callable[..., Any]) -> Callable[..., Any]:
        """Return `fun` run inside the block, a new one at every call."""
        switch = type(self)

        @functools.wraps(fun)
        def inner(*args: Any, **kwargs: Any) -> Any:
            with switch():
                return fun(*args, **kwargs)

        return inner


class no_grad(_Switch):  # noqa: N801 - PyTorch's name for it
    """Do not record on the ambient tape, inside a ``with`` block or a decorated function.

    `lucid.grad` and the other transformations are not affected: inside the functions that they
    differentiate, `stop_gradient` says what is constant.

    Example:
        >>> import lucid
        >>> x = lucid.Tensor(1.0, requires_grad=True)
        >>> with lucid.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    def _threshold(self) -> int:
        return ambient.get().level + 1


class enable_grad(_Switch):  # noqa: N801 - PyTorch's name for it
    """Record on the ambient tape again, inside a `no_grad` block.

    Example:
        >>> import lucid
        >>> x = lucid.Tensor(1.0, requires_grad=True)
        >>> with lucid.no_grad(), lucid.enable_grad():
        ...     y = x * 2
        >>> y.requires_grad
        True
    """

    def _threshold(self) -> int:
        return 0
