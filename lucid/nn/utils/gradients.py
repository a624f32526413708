"""Limits to the gradients of parameters, and parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, OverflowedError, message
from lucid.functional import reparametrization as pure

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]

Parameters = Tensor | Iterable[Tensor]


def _with_gradients(parameters: Parameters) -> list[Any]:
    """Return those of the parameters that have a gradient."""
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p for p in found if p.grad is not None]


def get_total_norm(
    tensors: Parameters, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Return the norm of all entries of several arrays.

    Args:
        tensors: the arrays.
        norm_type: of which norm, also infinity.
        error_if_nonfinite: whether to raise if it is infinite or NaN.

    Returns:
        The norm.

    Raises:
        OverflowedError: if it is not finite and `error_if_nonfinite` is set.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.utils.get_total_norm([lucid.asarray([3.0]), lucid.asarray([4.0])])
        Tensor(5.)
    """
    norm = pure.total_norm([tensors] if isinstance(tensors, Tensor) else list(tensors), norm_type)
    if error_if_nonfinite and not abs(norm) < float("inf"):
        raise OverflowedError(message("clip_grad_norm_", "a finite norm", repr(norm)))
    return norm


def clip_grads_with_norm_(parameters: Parameters, max_norm: float, total_norm: ArrayLike) -> None:
    """Multiply the gradients of parameters, whose norm is known, so that it keeps to a limit.

    Args:
        parameters: a parameter or several; those without gradient do not matter.
        max_norm: the limit.
        total_norm: the norm of all gradients together, see `get_total_norm`.

    Example:
        >>> from lucid import nn
        >>> p = nn.Parameter([3.0, 4.0])
        >>> (p * p).sum().backward()
        >>> nn.utils.clip_grads_with_norm_(p, 5.0, 10.0)
        >>> p.grad.round(4)
        Tensor([3., 4.])
    """
    chosen = _with_gradients(parameters)
    clipped = pure.clip_by_norm([p.grad for p in chosen], max_norm, total_norm)
    for p, grad in zip(chosen, clipped, strict=True):
        p.grad = grad


def clip_grad_norm_(
    parameters: Parameters,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Multiply the gradients of parameters so that their norm together keeps to a limit.

    Args:
        parameters: a parameter or several; those without gradient do not matter.
        max_norm: the limit.
        norm_type: of which norm, also infinity.
        error_if_nonfinite: whether to raise if it is infinite or NaN.

    Returns:
        The norm before.

    Raises:
        OverflowedError: if it is not finite and `error_if_nonfinite` is set.

    Example:
        >>> from lucid import nn
        >>> p = nn.Parameter([3.0, 4.0])
        >>> (p * p).sum().backward()
        >>> nn.utils.clip_grad_norm_(p, 5.0)
        Tensor(10.)
        >>> p.grad.round(4)
        Tensor([3., 4.])
    """
    chosen = _with_gradients(parameters)
    norm = get_total_norm([p.grad for p in chosen], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(chosen, max_norm, norm)
    return norm


def clip_grad_value_(parameters: Parameters, clip_value: float) -> None:
    """Restrict the entries of the gradients of parameters to ±clip_value.

    Args:
        parameters: a parameter or several; those without gradient do not matter.
        clip_value: the limit.

    Example:
        >>> from lucid import nn
        >>> p = nn.Parameter([3.0, 0.25])
        >>> (p * p).sum().backward()
        >>> nn.utils.clip_grad_value_(p, 1.0)
        >>> p.grad
        Tensor([1. , 0.5])
    """
    chosen = _with_gradients(parameters)
    clipped = pure.clip_by_value([p.grad for p in chosen], clip_value)
    for p, grad in zip(chosen, clipped, strict=True):
        p.grad = grad


def parameters_to_vector(parameters: Iterable[ArrayLike]) -> Tensor:
    """Return the entries of parameters, one behind the other.

    Args:
        parameters: at least one.

    Returns:
        A vector, through which gradients pass.

    Example:
        >>> from lucid import nn
        >>> nn.utils.parameters_to_vector([nn.Parameter([1.0]), nn.Parameter([2.0])]).detach()
        Tensor([1., 2.])
    """
    return pure.to_vector(list(parameters))


def vector_to_parameters(vec: ArrayLike, parameters: Iterable[Any]) -> None:
    """Give parameters the entries of a vector as values.

    Args:
        vec: a vector as long as all parameters together.
        parameters: the parameters.

    Raises:
        ShapeError: if the length is another.
        OperandError: if one of them is no Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> p = nn.Parameter([1.0, 2.0])
        >>> nn.utils.vector_to_parameters(lucid.asarray([3.0, 4.0]), [p])
        >>> p.data
        Tensor([3., 4.])
    """
    cells = list(parameters)
    for p in cells:
        if not hasattr(p, "data"):
            want, got = "Parameters", f"a {type(p).__name__}"
            raise OperandError(message("vector_to_parameters", want, got))
    for p, value in zip(cells, pure.from_vector(vec, [p.shape for p in cells]), strict=True):
        p.data = value.astype(p.dtype)
