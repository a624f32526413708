"""Connections around what a network computes."""

from __future__ import annotations

from collections.abc import Callable

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.ops.axes import as_tensor

__all__ = ["residual"]


def residual(
    input: ArrayLike,
    block: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    norm_first: bool = False,
) -> Tensor:
    """Return norm(x + block(x)), or x + block(norm(x)) with the normalisation first.

    Args:
        input: x, of any shape.
        block: a function that keeps the shape.
        norm: a function that keeps the shape.
        norm_first: which of the two.

    Returns:
        The sum, of the shape of `input`.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.residual(lucid.ones(2), lambda x: 3 * x, lambda x: x / 2, norm_first=True)
        Tensor([2.5, 2.5])

    Source: Xiong et al., "On layer normalization in the transformer architecture", ICML 2020.
    """
    x = as_tensor("residual", input)
    return x + block(norm(x)) if norm_first else norm(x + block(x))
