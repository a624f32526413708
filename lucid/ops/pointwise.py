"""Rules of elementwise operations whose derivative is no product with a slope: selections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lucid.core.cotangent import fit, spread
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
) -> None:
    """Give a function that `elementwise` made rules of its own.

    Args:
        function: made with BELOW for each partial derivative that the rules replace.
        jvp: ``jvp(ans, tangents, operands)``, of any shape that broadcasts to the result's; None
            where it is known to be zero.
        vjps: one ``vjp(ct, ans, *operands)`` per operand, of the result's shape; it may return
            None, and be None, where the derivative is known to be zero.
        masks: as in `lucid.core.op.Op`.
    """

    def push(ans: Any, tangents: Sequence[Any], operands: Sequence[Any]) -> Any:
        tangent = jvp(ans, tangents, operands)
        return None if tangent is None else spread(tangent, ans)

    def fitted(i: int, rule: Rule) -> Rule:
        def pull(ct: Any, ans: Any, *operands: Any) -> Any:
            pulled = rule(ct, ans, *operands)
            return None if pulled is None else fit(pulled, operands[i])

        return pull

    op = function.op  # type: ignore[attr-defined]
    op.jvp = push
    op.vjps = tuple(None if rule is None else fitted(i, rule) for i, rule in enumerate(vjps))
    op.masks = masks
