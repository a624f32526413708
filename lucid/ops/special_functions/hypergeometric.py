"""Hypergeometric and parabolic cylinder functions."""

from __future__ import annotations

from typing import Any

from lucid.ops.special_functions.table import NoRule, function, multi

__all__ = ["hyp0f1", "hyp1f1", "hyp2f1", "hyperu", "pbdv", "pbvv", "pbwa"]

PARAMETER = NoRule("no contiguous relation gives the derivative by a parameter")

hyp0f1: Any = function(
    "hyp0f1",
    "Confluent hypergeometric limit function",
    "0F1(; v; z) = Σ_k z^k / ((v)_k k!)",
    "DLMF 16.2.1",
    "v: the parameter; z: the argument",
    "hyp0f1(1.0, 1.0) = Tensor(2.2795853)",
    partials=(PARAMETER, lambda ans, v, z: hyp0f1(v + 1, z) / v),
)
hyp1f1: Any = function(
    "hyp1f1",
    "Kummer's confluent hypergeometric function",
    "1F1(a; b; x) = Σ_k (a)_k x^k / ((b)_k k!)",
    "DLMF 13.2.2, 13.3.15",
    "a: the upper parameter; b: the lower parameter; x: the argument",
    "hyp1f1(1.0, 1.0, 1.0) = Tensor(2.71828183)",
    partials=(PARAMETER, PARAMETER, lambda ans, a, b, x: a / b * hyp1f1(a + 1, b + 1, x)),
)
hyp2f1: Any = function(
    "hyp2f1",
    "Gauss's hypergeometric function",
    "2F1(a, b; c; z) = Σ_k (a)_k (b)_k z^k / ((c)_k k!)",
    "DLMF 15.2.1, 15.5.1",
    "a: the first upper parameter; b: the second; c: the lower parameter; z: the argument",
    "hyp2f1(1.0, 1.0, 2.0, 0.5) = Tensor(1.38629436)",
    partials=(
        PARAMETER,
        PARAMETER,
        PARAMETER,
        lambda ans, a, b, c, z: a * b / c * hyp2f1(a + 1, b + 1, c + 1, z),
    ),
)
hyperu: Any = function(
    "hyperu",
    "Tricomi's confluent hypergeometric function",
    "U(a, b, x)",
    "DLMF 13.2.6, 13.3.22",
    "a: the first parameter; b: the second parameter; x: the argument, positive",
    "hyperu(1.0, 1.0, 1.0) = Tensor(0.59634736)",
    partials=(PARAMETER, PARAMETER, lambda ans, a, b, x: -a * hyperu(a + 1, b + 1, x)),
)


def _cylinder(name: str, outputs: str, summary: str, formula: str, second: Any) -> Any:
    """A solution of w'' = q w, with its derivative."""
    order = "a" if name == "pbwa" else "v"
    return multi(
        name,
        outputs,
        summary,
        formula,
        "DLMF 12.2",
        f"{order}: the parameter; x: the argument",
        partials=(
            PARAMETER,
            (lambda ans, v, x: ans[1], lambda ans, v, x: second(v, x) * ans[0]),
        ),
    )


pbdv = _cylinder(
    "pbdv",
    "d dp",
    "Parabolic cylinder function D and its derivative",
    "D_v(x), w'' = (x²/4 - v - 1/2) w",
    lambda v, x: 0.25 * x * x - v - 0.5,
)
pbvv = _cylinder(
    "pbvv",
    "v vp",
    "Parabolic cylinder function V and its derivative",
    "V_v(x), w'' = (x²/4 - v - 1/2) w",
    lambda v, x: 0.25 * x * x - v - 0.5,
)
pbwa = _cylinder(
    "pbwa",
    "w wp",
    "Parabolic cylinder function W and its derivative",
    "W(a, x), w'' = (a - x²/4) w",
    lambda a, x: a - 0.25 * x * x,
)
