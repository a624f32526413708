"""Reductions: what they start from, and how partial results come together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.graph.native.formulas import maximum, minimum
from lucid.graph.native.text import Body, register_type

__all__ = ["combine", "horizontal", "identity_of"]


def identity_of(op: str, kind: str) -> Any:
    """Return what a reduction starts from."""
    if op in ("sum", "any", "count"):
        return 0
    if op in ("prod", "all"):
        return 1
    if kind == "?":
        return op == "min"
    if kind in "fd":
        return -math.inf if op == "max" else math.inf
    info = np.iinfo(kind)
    return info.min if op == "max" else info.max


def combine(b: Body, op: str, kind: str, x: str, y: str) -> str:
    """Return two partial results of a reduction as one."""
    if op == "max":
        return maximum(b, kind, (x, y))
    if op == "min":
        return minimum(b, kind, (x, y))
    if kind == "?":
        return b.binary("or" if op in ("any", "sum") else "and", kind, x, y)
    name = "add" if op == "sum" else "mul"
    return b.binary("f" + name if kind in "fd" else name, kind, x, y)


def horizontal(b: Body, op: str, kind: str, x: str, lanes: int) -> str:
    """Return the reduction of all lanes of a value."""
    have = b.lanes
    while lanes > 1:
        half = lanes // 2
        t = register_type(kind, lanes)
        parts = []
        for start in (0, half):
            mask = ", ".join(f"i32 {start + k}" for k in range(half))
            if half == 1:
                parts.append(b.put(f"extractelement {t} {x}, i64 {start}"))
            else:
                parts.append(b.put(f"shufflevector {t} {x}, {t} poison, <{half} x i32> <{mask}>"))
        b.lanes = half
        x = combine(b, op, kind, parts[0], parts[1])
        lanes = half
    b.lanes = have
    return x
