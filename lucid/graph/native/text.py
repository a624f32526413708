"""LLVM IR as text: one function body that grows line by line, at any number of lanes.

Values are names or literals; a `kind` is the NumPy character code of a dtype, and truth values are
``i1`` in registers and bytes in memory.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["KINDS", "Body", "literal", "memory_type", "register_type"]

# What native code computes with: NumPy's character codes and LLVM's types.
KINDS: dict[str, str] = {
    "f": "float",
    "d": "double",
    "?": "i1",
    **dict.fromkeys("bB", "i8"),
    **dict.fromkeys("hH", "i16"),
    **dict.fromkeys("iI", "i32"),
    **dict.fromkeys("lqLQ", "i64"),
}


def register_type(kind: str, lanes: int) -> str:
    """Return the type of values in registers."""
    return KINDS[kind] if lanes == 1 else f"<{lanes} x {KINDS[kind]}>"


def memory_type(kind: str, lanes: int) -> str:
    """Return the type of values in memory."""
    one = "i8" if kind == "?" else KINDS[kind]
    return one if lanes == 1 else f"<{lanes} x {one}>"


def literal(x: Any, kind: str, lanes: int = 1) -> str:
    """Return a constant, in every lane."""
    if kind in "fd":
        with np.errstate(over="ignore"):
            value = float(np.float32(x)) if kind == "f" else float(x)
        bits = struct.unpack("<Q", struct.pack("<d", value))[0]
        if math.isnan(value):
            bits = 0x7FF8000000000000
        one = f"0x{bits:016X}"
    elif kind == "?":
        one = "true" if x else "false"
    else:
        one = str(int(x))
    return one if lanes == 1 else f"splat ({KINDS[kind]} {one})"


class Body:
    """The body of one function.

    Attributes:
        lanes: how many elements each operation is for, at the point of emission.
        block: the label of the block that is being filled.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.lines: list[str] = []
        self.allocas: list[str] = []
        self.lanes = 1
        self.block = "entry"
        self._count = 0

    # -- lines -----------------------------------------------------------------------------------

    def name(self) -> str:
        """Return a name that is not used yet."""
        self._count += 1
        return f"%t{self._count}"

    def put(self, text: str) -> str:
        """Add an instruction with a result and return the result's name."""
        name = self.name()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Add an instruction without a result."""
        self.lines.append(f"  {text}")

    def label(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")
        self.block = label

    def stack(self, kind: str, lanes: int) -> str:
        """Return the address of a variable, which `sroa` turns into registers."""
        name = self.name()
        self.allocas.append(f"  {name} = alloca {register_type(kind, lanes)}, align 64")
        return name

    @contextmanager
    def loop(self, start: Any, stop: Any, step: int = 1) -> Generator[str]:
        """Emit a loop around what is emitted inside; yields the index."""
        self._count += 1
        k = self._count
        before = self.block
        head, inside, latch, after = (f"{w}{k}" for w in ("head", "body", "latch", "exit"))
        index = f"%i{k}"
        self.do(f"br label %{head}")
        self.label(head)
        self.lines.append(f"  {index} = phi i64 [ {start}, %{before} ], [ {index}.n, %{latch} ]")
        self.lines.append(f"  {index}.c = icmp slt i64 {index}, {stop}")
        self.do(f"br i1 {index}.c, label %{inside}, label %{after}")
        self.label(inside)
        yield index
        self.do(f"br label %{latch}")
        self.label(latch)
        self.lines.append(f"  {index}.n = add nsw i64 {index}, {step}")
        self.do(f"br label %{head}")
        self.label(after)

    @contextmanager
    def loop_while(self, test: Callable[[], str]) -> Generator[None]:
        """Emit a loop around what is emitted inside; `test` emits whether to go on."""
        self._count += 1
        k = self._count
        self.do(f"br label %while{k}")
        self.label(f"while{k}")
        go = test()
        self.do(f"br i1 {go}, label %turn{k}, label %done{k}")
        self.label(f"turn{k}")
        yield
        self.do(f"br label %while{k}")
        self.label(f"done{k}")

    @contextmanager
    def when(self, condition: str) -> Generator[None]:
        """Emit what is inside so that it runs if the condition holds."""
        self._count += 1
        k = self._count
        self.do(f"br i1 {condition}, label %then{k}, label %after{k}")
        self.label(f"then{k}")
        yield
        self.do(f"br label %after{k}")
        self.label(f"after{k}")

    # -- values ----------------------------------------------------------------------------------

    def type(self, kind: str) -> str:
        """Return the register type at the present number of lanes."""
        return register_type(kind, self.lanes)

    def const(self, x: Any, kind: str) -> str:
        """Return a constant at the present number of lanes."""
        return literal(x, kind, self.lanes)

    def splat(self, value: str, kind: str) -> str:
        """Return a scalar in every lane."""
        if self.lanes == 1:
            return value
        t = self.type(kind)
        one = self.put(f"insertelement {t} poison, {KINDS[kind]} {value}, i64 0")
        return self.put(
            f"shufflevector {t} {one}, {t} poison, <{self.lanes} x i32> zeroinitializer"
        )

    def binary(self, op: str, kind: str, a: str, b: str) -> str:
        """Return ``op a, b``."""
        return self.put(f"{op} {self.type(kind)} {a}, {b}")

    def compare(self, predicate: str, kind: str, a: str, b: str) -> str:
        """Return a comparison, with the predicate of the kind of number."""
        op = "fcmp" if kind in "fd" else "icmp"
        return self.put(f"{op} {predicate} {self.type(kind)} {a}, {b}")

    def select(self, kind: str, condition: str, a: str, b: str) -> str:
        """Return `a` where the condition holds, and `b` elsewhere."""
        t = self.type(kind)
        return self.put(f"select {self.type('?')} {condition}, {t} {a}, {t} {b}")

    def call(self, function: str, kind: str, args: list[str], result: str | None = None) -> str:
        """Call a function of values of one kind."""
        given = ", ".join(f"{self.type(kind)} {a}" for a in args)
        return self.put(f"call {self.type(result or kind)} @{function}({given})")

    def intrinsic(self, name: str, kind: str, args: list[str], extra: str = "") -> str:
        """Call an intrinsic that is overloaded by its operands' type."""
        suffix = {"f": "f32", "d": "f64"}.get(kind) or KINDS[kind]
        if self.lanes > 1:
            suffix = f"v{self.lanes}{suffix}"
        t = self.type(kind)
        function = f"llvm.{name}.{suffix}"
        more = ", i1" if extra else ""
        self.module.declare(f"declare {t} @{function}({', '.join([t] * len(args))}{more})")
        given = ", ".join(f"{t} {a}" for a in args)
        return self.put(f"call {t} @{function}({given}{extra})")

    def total(self, value: str, kind: str) -> str:
        """Return the sum of the floating numbers in a register, in any order."""
        if self.lanes == 1:
            return value
        one, t = KINDS[kind], self.type(kind)
        name = f"llvm.vector.reduce.fadd.v{self.lanes}f{8 * np.dtype(kind).itemsize}"
        self.module.declare(f"declare {one} @{name}({one}, {t})")
        return self.put(f"call reassoc {one} @{name}({one} -0.0, {t} {value})")

    # -- memory ----------------------------------------------------------------------------------

    def address(self, base: str, kind: str, index: str) -> str:
        """Return the address of an element."""
        return self.put(f"getelementptr inbounds {memory_type(kind, 1)}, ptr {base}, i64 {index}")

    def on(self, base: str, *steps: str) -> str:
        """Return an address so many bytes on."""
        for step in steps:
            base = self.put(f"getelementptr i8, ptr {base}, i64 {step}")
        return base

    def load(self, address: str, kind: str) -> str:
        """Load neighbouring elements."""
        size = np.dtype(kind).itemsize
        t = memory_type(kind, self.lanes)
        value = self.put(f"load {t}, ptr {address}, align {size}")
        if kind != "?":
            return value
        zero = "zeroinitializer" if self.lanes > 1 else "0"
        return self.put(f"icmp ne {t} {value}, {zero}")

    def gather(self, base: str, kind: str, index: str, stride: int) -> str:
        """Load elements at a stride, the first at `index`."""
        if self.lanes == 1:
            return self.load(self.address(base, kind, index), kind)
        lanes, self.lanes = self.lanes, 1
        t = register_type(kind, lanes)
        value = "poison"
        first = self.address(base, kind, index)
        for k in range(lanes):
            at = first if k == 0 else self.address(first, kind, str(k * stride))
            one = self.load(at, kind)
            value = self.put(f"insertelement {t} {value}, {KINDS[kind]} {one}, i64 {k}")
        self.lanes = lanes
        return value

    def store(self, value: str, address: str, kind: str) -> None:
        """Store neighbouring elements."""
        if kind == "?":
            value = self.put(f"zext {self.type('?')} {value} to {memory_type('?', self.lanes)}")
        size = np.dtype(kind).itemsize
        self.do(f"store {memory_type(kind, self.lanes)} {value}, ptr {address}, align {size}")

    def scatter(self, value: str, base: str, kind: str, index: str, stride: int) -> None:
        """Store elements at a stride, the first at `index`."""
        if self.lanes == 1:
            return self.store(value, self.address(base, kind, index), kind)
        t = self.type(kind)
        lanes, self.lanes = self.lanes, 1
        first = self.address(base, kind, index)
        for k in range(lanes):
            one = self.put(f"extractelement {t} {value}, i64 {k}")
            self.store(one, first if k == 0 else self.address(first, kind, str(k * stride)), kind)
        self.lanes = lanes
        return None
