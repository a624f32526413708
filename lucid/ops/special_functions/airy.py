"""Airy functions and their integrals."""

from __future__ import annotations

from typing import Any

from lucid.errors import NotDifferentiableError, message
from lucid.ops.power import sqrt
from lucid.ops.select import where
from lucid.ops.special_functions.table import multi

__all__ = ["airy", "airye", "itairy"]

airy: Any = multi(
    "airy",
    "Ai Aip Bi Bip",
    "Airy functions and their derivatives",
    "Ai(z), Ai'(z), Bi(z), Bi'(z), solutions of w'' = z w",
    "DLMF 9.2",
    "z: the argument",
    "airy(0.0)[0] = Tensor(0.35502805)",
    partials=(
        (
            lambda ans, z: ans[1],
            lambda ans, z: z * ans[0],
            lambda ans, z: ans[3],
            lambda ans, z: z * ans[2],
        ),
    ),
)


def _grow(z: Any) -> Any:
    """ζ' = √z for ζ = 2 z^(3/2)/3; for a real z the scale of Bi is 1 below 0."""
    return sqrt(z) if z.dtype.kind == "c" else sqrt(where(z > 0, z, 0.0))


def _real(z: Any) -> Any:
    if z.dtype.kind == "c":
        expected = "a real z for derivatives of the scaled Bi"
        hint = "exp(-|Re ζ|) is not holomorphic; use special.airy"
        raise NotDifferentiableError(message("special.airye", expected, "a complex one", hint))
    return _grow(z)


airye = multi(
    "airye",
    "eAi eAip eBi eBip",
    "Scaled Airy functions and their derivatives",
    "exp(ζ) Ai(z), exp(ζ) Ai'(z), exp(-|Re ζ|) Bi(z), exp(-|Re ζ|) Bi'(z), ζ = 2 z^(3/2)/3",
    "DLMF 9.2",
    "z: the argument",
    "airye(1.0)[0] = Tensor(0.26351364)",
    domain="z below 1e4, beyond which the derivative is lost in the scaled values",
    partials=(
        (
            lambda ans, z: ans[1] + _grow(z) * ans[0],
            lambda ans, z: z * ans[0] + _grow(z) * ans[1],
            lambda ans, z: ans[3] - _real(z) * ans[2],
            lambda ans, z: z * ans[2] - _real(z) * ans[3],
        ),
    ),
)

itairy = multi(
    "itairy",
    "Apt Bpt Ant Bnt",
    "Integrals of the Airy functions",
    "∫_0^x Ai(t) dt, ∫_0^x Bi(t) dt, ∫_0^x Ai(-t) dt, ∫_0^x Bi(-t) dt",
    "DLMF 9.10",
    "x: the argument",
    "itairy(1.0)[0] = Tensor(0.23631733)",
    partials=(
        (
            lambda ans, x: airy(x)[0],
            lambda ans, x: airy(x)[2],
            lambda ans, x: airy(-x)[0],
            lambda ans, x: airy(-x)[2],
        ),
    ),
)
