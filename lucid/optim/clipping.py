"""Transformations that bound gradients: by entry, by leaf, or all leaves together."""

from __future__ import annotations

from typing import Any

from lucid.core.parameter import Fixed
from lucid.core.tensor import Tensor
from lucid.optim.gradients import EmptyState, scaled, stateless
from lucid.optim.kernels import check_options, maximum, minimum, square, where
from lucid.optim.transform import GradientTransformation, flat, is_updated, leafwise, take

__all__ = [
    "clip_by_block_norm",
    "clip_by_global_norm",
    "clip_by_value",
    "global_norm",
    "zero_nans",
]


def clip_by_value(max_delta: Any) -> GradientTransformation:
    """Return the transformation that clips every entry to [-max_delta, max_delta].

    The parts of complex numbers are clipped one by one.

    Args:
        max_delta: the largest absolute value.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if `max_delta` is negative.

    Example:
        >>> from lucid import optim
        >>> rule = optim.clip_by_value(1.0)
        >>> rule.update([0.5, -3.0], rule.init([0.0, 0.0]))[0]
        [Tensor(0.5), Tensor(-1.)]
    """
    check_options("clip_by_value", max_delta=max_delta)
    return stateless("clip_by_value", _clip, max_delta, real=True)


def _clip(g: Any, p: Any, largest: Any) -> Any:
    return (maximum(minimum(g, largest), -largest),)


def global_norm(updates: Any) -> Any:
    """Return the 2-norm of all leaves together: √Σ|g|².

    Args:
        updates: a pytree of arrays. None, and buffers and frozen parameters, do not count.

    Returns:
        A 0-d Tensor.

    Example:
        >>> from lucid import optim
        >>> optim.global_norm({"a": [3.0, 0.0], "b": 4.0})
        Tensor(5.)
    """
    found = [take(x) for x in flat(updates)[0] if is_updated(x) and type(x) is not Fixed]
    total: Any = 0.0
    for x in found:
        total = total + square(x).sum()
    return total**0.5 if isinstance(total, Tensor) else Tensor(0.0)


def clip_by_global_norm(max_norm: Any) -> GradientTransformation:
    """Return the transformation that shrinks all leaves alike, to a `global_norm` of at most one.

    g ↦ g·min(1, max_norm / ‖g‖), with the norm over all leaves together.

    Args:
        max_norm: the largest norm.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if `max_norm` is negative.

    Example:
        >>> from lucid import optim
        >>> rule = optim.clip_by_global_norm(1.0)
        >>> updates, _ = rule.update([3.0, 4.0], rule.init([0.0, 0.0]))
        >>> [round(u.item(), 6) for u in updates]
        [0.6, 0.8]

    References:
        Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
        ICML 2013.
    """
    check_options("clip_by_global_norm", max_norm=max_norm)

    def update(grads: Any, state: EmptyState, params: Any = None) -> tuple[Any, EmptyState]:
        norm = global_norm(grads)
        factor = where(norm > max_norm, max_norm / where(norm > max_norm, norm, 1.0), 1.0)
        (updates,) = leafwise("clip_by_global_norm", scaled, grads, (), params, (factor,))
        return updates, state

    return GradientTransformation(lambda params: EmptyState(), update)


def clip_by_block_norm(max_norm: Any) -> GradientTransformation:
    """Return the transformation that shrinks each leaf to a 2-norm of at most `max_norm`.

    Args:
        max_norm: the largest norm of a leaf.

    Returns:
        The gradient transformation.

    Raises:
        OptionError: if `max_norm` is negative.

    Example:
        >>> from lucid import optim
        >>> rule = optim.clip_by_block_norm(1.0)
        >>> rule.update([0.5, -4.0], rule.init([0.0, 0.0]))[0]
        [Tensor(0.5), Tensor(-1.)]
    """
    check_options("clip_by_block_norm", max_norm=max_norm)
    return stateless("clip_by_block_norm", _clip_norm, max_norm)


def _clip_norm(g: Any, p: Any, largest: Any) -> Any:
    norm = square(g).sum() ** 0.5
    return (where(norm > largest, largest / where(norm > largest, norm, 1.0), 1.0) * g,)


def zero_nans() -> GradientTransformation:
    """Return the transformation that replaces NaN entries by 0.

    Returns:
        The gradient transformation.

    Example:
        >>> from lucid import optim
        >>> rule = optim.zero_nans()
        >>> rule.update([float("nan"), 2.0], rule.init([0.0, 0.0]))[0]
        [Tensor(0.), Tensor(2.)]
    """
    return stateless("zero_nans", lambda g, p: (where(g == g, g, 0.0),))
