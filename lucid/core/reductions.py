"""The constructor of reductions, and what a reduced shape is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from lucid.core.cotangent import fit, spread
from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval, Op, Rule
from lucid.core.tensor import Tensor

__all__ = ["infer_reduced", "keep_axes", "reduction"]


def keep_axes(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """Return a shape with some axes shortened to length 1, as `keepdims` leaves them."""
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def infer_reduced(impl: Rule) -> Rule:
    """Infer the shape from the axes, and the dtype from the reduction of a single entry."""

    def infer(x: Aval, axes: tuple[int, ...], keepdims: bool, *more: Any) -> Aval:
        with np.errstate(all="ignore"):
            one = impl(np.ones((1,) * x.ndim, x.dtype), tuple(range(x.ndim)), False, *more)
        kept = keep_axes(x.shape, axes)
        shape = kept if keepdims else tuple(n for i, n in enumerate(x.shape) if i not in axes)
        return Aval(shape, np.asarray(one).dtype)

    return infer


def reduction(
    name: str,
    impl: Rule,
    *,
    vjp: Rule | None = None,
    jvp: Rule | None = None,
    smooth: bool = True,
    singular: bool = False,
    masks: Rule | None = None,
    live: bool = True,
    lower: Rule | None = None,
) -> Op:
    """Register an operation that reduces axes: parameters ``(axes, keepdims, *more)``.

    `axes` is a tuple of non-negative axes; `more` are passed on.

    Args:
        name: the operation's name.
        impl: ``impl(x, axes, keepdims, *more)``.
        vjp: ``vjp(ct, ans, x, axes, *more)``, with `ct` and `ans` of the shape that keeps the
            reduced axes; None: no derivative is known.
        jvp: ``jvp(ans, tangent, x, axes, keepdims, *more)``.
        smooth: False where the derivative is zero wherever it exists.
        singular: whether the derivative can be infinite.
        masks: which entries are selected, as in `Op`.
        live: whether an entry of the operand reaches only its own reduced entry.
        lower: native code for `jit`.
    """

    def pull(ct: Tensor, ans: Tensor, x: Tensor, axes: Any, keepdims: bool, *more: Any) -> Any:
        if not keepdims:
            kept = keep_axes(x.shape, axes)
            ct = apply(OPS["reshape"], (ct,), (kept,))
            ans = apply(OPS["reshape"], (ans,), (kept,))
        return fit(cast("Rule", vjp)(ct, ans, x, axes, *more), x)

    def push(ans: Tensor, tangents: Any, args: Any, axes: Any, keepdims: bool, *more: Any) -> Any:
        return spread(cast("Rule", jvp)(ans, tangents[0], args[0], axes, keepdims, *more), ans)

    def carry(mask: Tensor, i: int, ans: Any, args: Any, axes: Any, keepdims: bool, *_: Any) -> Any:
        x = args[0]
        mask = apply(OPS["reshape"], (mask,), (keep_axes(x.shape, axes),))
        return apply(OPS["broadcast_to"], (mask,), (x.shape,))

    def batch(size: int, batched: Any, args: Any, axes: Any, keepdims: bool, *more: Any) -> Any:
        return apply(op, tuple(args), (tuple(a + 1 for a in axes), keepdims, *more))

    op = Op(
        name,
        impl,
        infer=infer_reduced(impl),
        jvp=push if jvp else None,
        vjps=[pull] if vjp else None,
        batch=batch,
        lower=lower,
        smooth=smooth,
        singular=frozenset((0,)) if singular else frozenset(),
        live=carry if live else None,
        masks=masks,
    )
    return op
