"""Chosen lanes of a register brought to its front: by an instruction, or by a table of shuffles."""

from __future__ import annotations

from typing import NamedTuple

from lucid.graph.native.host import host
from lucid.graph.native.text import Body

__all__ = ["packer"]


class Compress:
    """By LLVM's operation, which is one instruction with AVX-512, and otherwise a long way."""

    def __init__(self, lanes: int, bits: int) -> None:
        self.v, self.m = f"<{lanes} x i{bits}>", f"<{lanes} x i1>"
        self.name = f"@llvm.experimental.vector.compress.v{lanes}i{bits}"

    def text(self) -> list[str]:
        """Return what a module needs."""
        return [f"declare {self.v} {self.name}({self.v}, {self.m}, {self.v})"]

    def packed(self, b: Body, x: str, mask: str) -> str:
        """Emit it."""
        return b.put(f"call {self.v} {self.name}({self.v} {x}, {self.m} {mask}, {self.v} poison)")


class Shuffle(NamedTuple):
    """An instruction that moves parts of a register to places that another register tells.

    Attributes:
        name: of LLVM's intrinsic.
        bits: of a part, and of a place.
    """

    name: str
    bits: int


class Table:
    """By the shuffle that stands for these lanes in a table."""

    def __init__(self, lanes: int, bits: int, shuffle: Shuffle) -> None:
        self.lanes, self.shuffle = lanes, shuffle
        self.v, self.m = f"<{lanes} x i{bits}>", f"<{lanes} x i1>"
        self.each = bits // shuffle.bits  # parts of a lane
        self.parts = lanes * self.each
        self.whole = f"<{self.parts} x i{shuffle.bits}>"
        self.row = f"<{self.parts} x i8>"

    def text(self) -> list[str]:
        """Return what a module needs."""
        rows = []
        for mask in range(1 << self.lanes):
            chosen = [k for k in range(self.lanes) if mask >> k & 1]
            places = [k * self.each + i for k in chosen for i in range(self.each)]
            places += [0] * (self.parts - len(places))
            rows.append(f"{self.row} <{', '.join(f'i8 {p}' for p in places)}>")
        table = f"[{len(rows)} x {self.row}] [{', '.join(rows)}]"
        return [
            f"@shuffles = internal constant {table}",
            f"declare {self.whole} @{self.shuffle.name}({self.whole}, {self.whole})",
        ]

    def packed(self, b: Body, x: str, mask: str) -> str:
        """Emit it."""
        bits = b.put(f"bitcast {self.m} {mask} to i{self.lanes}")
        index = b.put(f"zext i{self.lanes} {bits} to i64")
        at = b.put(f"getelementptr {self.row}, ptr @shuffles, i64 {index}")
        places = b.put(f"load {self.row}, ptr {at}, align 1")
        if self.shuffle.bits > 8:
            places = b.put(f"zext {self.row} {places} to {self.whole}")
        parts = b.put(f"bitcast {self.v} {x} to {self.whole}")
        given = f"{self.whole} {parts}, {self.whole} {places}"
        found = b.put(f"call {self.whole} @{self.shuffle.name}({given})")
        return b.put(f"bitcast {self.whole} {found} to {self.v}")


def packer(lanes: int, bits: int) -> Compress | Table:
    """Return the best way on this host."""
    machine = host()
    x86 = machine.triple.startswith(("x86_64", "i686"))
    if machine.width == 32 and x86:
        return Table(lanes, bits, Shuffle("llvm.x86.avx2.permd", 32))
    if machine.width == 16 and x86 and "+ssse3" in machine.features.split(","):
        return Table(lanes, bits, Shuffle("llvm.x86.ssse3.pshuf.b.128", 8))
    if machine.width == 16 and machine.triple.startswith(("aarch64", "arm64")):
        return Table(lanes, bits, Shuffle("llvm.aarch64.neon.tbl1.v16i8", 8))
    return Compress(lanes, bits)
