"""L-BFGS: steps along a direction that the last changes of the gradient have bent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lucid.core.parameter import Fixed
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OptionError, message
from lucid.ops.join import concat, stack
from lucid.optim.kernels import check_options, first, minimum, where
from lucid.optim.transform import GradientTransformation, Number, flat, is_updated, number, take

__all__ = ["LBFGSState", "direction", "lbfgs", "vector"]

CURVATURE = 1e-10  # pairs whose y·s is not above it are not kept


class LBFGSState(NamedTuple):
    """State of `lbfgs`: the last point, gradient and step, and the pairs that are kept.

    Attributes:
        step: the number of updates made.
        gradient: the last gradient, all leaves in one vector.
        change: the last step.
        steps: the steps s that are kept, a row each, the newest last.
        changes: the changes y of the gradient along them.
        weights: 1/(y·s) for each, or 0 for a row that is empty yet.
        scale: y·s/(y·y) for the newest: the size of the inverse Hessian.
    """

    step: Any
    gradient: Any
    change: Any
    steps: Any
    changes: Any
    weights: Any
    scale: Any


def lbfgs(lr: Number = 1.0, history_size: int = 10) -> GradientTransformation:
    """Return L-BFGS with steps of fixed length: quasi-Newton with little memory.

    The update is lr·d, where d = -H·g and H is the inverse Hessian that the last pairs of steps s
    and changes y of the gradient suggest. The first update is -lr·min(1, 1/‖g‖₁)·g. Pairs with
    y·s ≤ 1e-10 are left out. `LBFGS` has a line search as well.

    Args:
        lr: the length of the step, or a schedule.
        history_size: how many pairs are kept.

    Returns:
        The gradient transformation. Its gradients must be those of one function, not of changing
        batches. A complex number counts as two real ones.

    Raises:
        OptionError: if `lr` is negative or `history_size` not positive.

    Example:
        >>> import lucid
        >>> from lucid import optim
        >>> slope = lucid.grad(lambda x: 2.0 * (x - 1.0) ** 2)
        >>> rule, x = optim.lbfgs(), lucid.asarray(3.0)
        >>> state = rule.init(x)
        >>> for _ in range(3):
        ...     updates, state = rule.update(slope(x), state)
        ...     x = optim.apply_updates(x, updates)
        >>> round(x.item(), 6)
        1.0

    References:
        Liu and Nocedal, "On the limited memory BFGS method for large scale optimization",
        Mathematical Programming 1989; Nocedal and Wright, "Numerical optimization", algorithm 7.4.
    """
    check_options("lbfgs", lr=lr)
    if history_size < 1:
        raise OptionError(message("lbfgs", "a positive history_size", str(history_size)))

    def init(params: Any) -> LBFGSState:
        start, _ = vector(params)
        n, m = start.size, history_size

        def none(*shape: int) -> Tensor:
            return wrap(np.zeros(shape, start.dtype), None)

        return LBFGSState(0, none(n), none(n), none(m, n), none(m, n), none(m), 1.0)

    def update(grads: Any, state: LBFGSState, params: Any = None) -> tuple[Any, LBFGSState]:
        g, rebuild = vector(grads)
        kept = _remember(state, g)
        size = 1.0 / (abs(g).sum() + np.finfo(g.dtype).tiny)
        rate = number(lr, state.step) * first(state.step, minimum(1.0, size), 1.0)
        steps, changes, weights, scale = kept
        rows = range(history_size)
        d = direction(g, [steps[k] for k in rows], [changes[k] for k in rows], weights, scale)
        change = rate * d
        return rebuild(change), LBFGSState(state.step + 1, g, change, *kept)

    return GradientTransformation(init, update)


def _remember(state: LBFGSState, g: Tensor) -> tuple[Any, Any, Any, Any]:
    """Return the pairs, with the newest one added where its curvature is positive."""
    s, y = state.change, g - state.gradient
    curvature = (y * s).sum()
    good = curvature > CURVATURE  # at first s is 0, and nothing is added
    safe = where(good, curvature, 1.0)

    def push(rows: Any, new: Any) -> Any:
        return where(good, concat([rows[1:], new[None]]), rows)

    return (
        push(state.steps, s),
        push(state.changes, y),
        push(state.weights, 1.0 / safe),
        where(good, curvature / where(good, (y * y).sum(), 1.0), state.scale),
    )


def direction(
    g: Any, steps: Sequence[Any], changes: Sequence[Any], weights: Any, scale: Any
) -> Any:
    """Return -H·g by the two loops over pairs, the newest last; of arrays or Tensors.

    Args:
        g: the gradient.
        steps: the steps s.
        changes: the changes y of the gradient along them.
        weights: 1/(y·s), or 0 for a pair that does not count.
        scale: the size of H before the pairs.
    """
    q = -g
    shares: list[Any] = []
    for k in reversed(range(len(steps))):
        share = weights[k] * (steps[k] * q).sum()
        q = q - share * changes[k]
        shares.append(share)
    d = scale * q
    for k, share in enumerate(reversed(shares)):
        d = d + steps[k] * (share - weights[k] * (changes[k] * d).sum())
    return d


def vector(values: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return all leaves in one vector of real numbers, and what makes a tree of such a vector."""
    found, rebuild = flat(values)
    leaves = [take(x) if is_updated(x) and type(x) is not Fixed else None for x in found]
    parts = [_real_parts(x) for x in leaves if x is not None]
    whole = concat(parts) if parts else wrap(np.zeros(0), None)

    def split(new: Any) -> Any:
        at, out = 0, []
        for old, x in zip(found, leaves, strict=True):
            if x is None:
                out.append(old)
                continue
            stop = at + x.size * (2 if x.dtype.kind == "c" else 1)
            out.append(_shaped(new[at:stop], x))
            at = stop
        return rebuild(out)

    return whole, split


def _real_parts(x: Tensor) -> Any:
    if x.dtype.kind != "c":
        return x.reshape(-1)
    return stack([x.real, x.imag], axis=-1).reshape(-1)


def _shaped(piece: Any, x: Tensor) -> Any:
    if x.dtype.kind == "c":
        piece = piece[::2] + 1j * piece[1::2]
    return piece.reshape(x.shape).astype(x.dtype)
