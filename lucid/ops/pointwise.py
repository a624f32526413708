"""Rules of elementwise operations whose derivative is no product with a slope: selections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from lucid.core.cotangent import fit, fit_raw, spread
from lucid.core.op import Rule

__all__ = ["BELOW", "rules"]


def BELOW(ans: Any, *operands: Any) -> Any:  # noqa: N802 - stands where SAME and ZERO do
    """Stand for a partial derivative whose rules are given by `rules`, below the function."""
    raise NotImplementedError


def rules(
    function: Callable[..., Any],
    *,
    jvp: Rule,
    vjps: Sequence[Rule | None],
    masks: Rule | None = None,
    raw: Sequence[Rule | None] | None = None,
) -> None:
    """Give a function that `elementwise` made rules of its own.

    Args:
        function: made with BELOW for each partial derivative that the rules replace.
        jvp: ``jvp(ans, tangents, operands)``, of any shape that broadcasts to the result's; None
            where it is known to be zero.
        vjps: one ``vjp(ct, ans, *operands)`` per operand, of the result's shape; it may return
            None, and be None, where the derivative is known to be zero.
        masks: as in `lucid.core.op.Op`.
        raw: `vjps` on plain arrays.
    """

    def push(ans: Any, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
        tangent = jvp(ans, tangents, operands)
        return None if tangent is None else spread(tangent, ans)

    def fitted(i: int, rule: Rule | None, to: Rule) -> Rule | None:
        def pull(ct: Any, ans: Any, *operands: Any) -> Any:
            pulled = cast("Rule", rule)(ct, ans, *operands)
            return None if pulled is None else to(pulled, operands[i])

        return None if rule is None else pull

    op = function.op  # type: ignore[attr-defined]
    op.jvp = push
    op.vjps = tuple(fitted(i, rule, fit) for i, rule in enumerate(vjps))
    op.raw = None if raw is None else tuple(fitted(i, r, fit_raw) for i, r in enumerate(raw))
    op.masks = masks
