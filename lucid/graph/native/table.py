"""The table of memory: where functions of a program find the addresses of values and of scratch."""

from __future__ import annotations

from typing import Any

from lucid.graph.native.plan import Ref
from lucid.graph.native.text import Body

__all__ = ["address_of", "entry_at", "scratch_of", "slot"]


def entry_at(b: Body, place: Any) -> str:
    """Return where a place of the table itself is."""
    return b.put(f"getelementptr inbounds ptr, ptr %env, i64 {place}")


def slot(b: Body, place: int) -> str:
    """Return the address that stands at a place of the table."""
    return b.put(f"load ptr, ptr {entry_at(b, place)}, align 8")


def scratch_of(b: Body, place: int, size: int) -> str:
    """Return the address of this thread's part, of so many bytes, of a scratch memory."""
    step = b.put(f"mul nsw i64 %tid, {size}")
    return b.put(f"getelementptr inbounds i8, ptr {slot(b, place)}, i64 {step}")


def address_of(b: Body, ref: Ref) -> str:
    """Return the address of what a reference points to."""
    kind = ref.root.aval.dtype.char
    base = slot(b, b.module.place(ref.root))
    for loop, stride in ref.moving:
        index = b.put(f"load i64, ptr {entry_at(b, loop.place)}, align 8")
        base = b.address(base, kind, b.put(f"mul nsw i64 {index}, {stride}"))
    return b.address(base, kind, str(ref.offset)) if ref.offset else base
