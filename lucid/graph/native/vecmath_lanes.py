"""Floating-point IR values with Python's operators, so that mathematics reads as mathematics.

A `Lane` is one SSA value, scalar or vector, with the `Code` that it belongs to. Everything here
emits straight-line code without fast-math flags and without calls but for intrinsics that are
single instructions on the host, so that LLVM's loop vectoriser takes the loop around it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, TypeAlias

from llvmlite import ir

__all__ = ["DOUBLE", "SINGLE", "Code", "Format", "Lane", "Number"]


@dataclass(frozen=True)
class Format:
    """An IEEE 754 binary format and the integer of its width."""

    name: str
    bits: int
    digits: int  # stored bits of the significand
    bias: int
    real: Any
    word: Any
    tiny: float  # the least normal number

    @property
    def one(self) -> int:
        """The bits of 1.0."""
        return self.bias << self.digits

    @property
    def magic(self) -> float:
        """Adding and subtracting 1.5 * 2**digits rounds to the nearest integer."""
        return 1.5 * 2.0**self.digits


SINGLE = Format("f32", 32, 23, 127, ir.FloatType(), ir.IntType(32), 2.0**-126)
DOUBLE = Format("f64", 64, 52, 1023, ir.DoubleType(), ir.IntType(64), 2.0**-1022)


class Lane:
    """An IR value, floating-point or integer (or a truth value), with operators."""

    __slots__ = ("code", "value")

    def __init__(self, code: Code, value: Any) -> None:
        self.code = code
        self.value = value

    @property
    def real(self) -> bool:
        """Whether this is a floating-point value."""
        return self.value.type == self.code.real

    def _pair(self, operation: str, other: Number) -> Lane:
        code = self.code
        return Lane(
            code, getattr(code.builder, operation)(self.value, code.like(other, self.value.type))
        )

    def __add__(self, other: Number) -> Lane:
        return self._pair("fadd" if self.real else "add", other)

    def __sub__(self, other: Number) -> Lane:
        return self._pair("fsub" if self.real else "sub", other)

    def __mul__(self, other: Number) -> Lane:
        return self._pair("fmul" if self.real else "mul", other)

    def __truediv__(self, other: Number) -> Lane:
        return self._pair("fdiv", other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: float) -> Lane:
        return Lane(self.code, self.code.like(other, self.value.type)) - self

    def __rtruediv__(self, other: float) -> Lane:
        return Lane(self.code, self.code.like(other, self.value.type)) / self

    def __neg__(self) -> Lane:
        return Lane(self.code, self.code.builder.fneg(self.value)) if self.real else 0 - self

    def __lshift__(self, count: int) -> Lane:
        return self._pair("shl", count)

    def __rshift__(self, count: int) -> Lane:
        """The arithmetic shift, which keeps the sign."""
        return self._pair("ashr", count)

    def __and__(self, other: Number) -> Lane:
        return self._pair("and_", other)

    def __or__(self, other: Number) -> Lane:
        return self._pair("or_", other)

    def __xor__(self, other: Number) -> Lane:
        return self._pair("xor", other)

    def _compare(self, sign: str, other: Number) -> Lane:
        """An ordered comparison: false where either side is NaN."""
        code, builder = self.code, self.code.builder
        compare = builder.fcmp_ordered if self.real else builder.icmp_signed
        return Lane(code, compare(sign, self.value, code.like(other, self.value.type)))

    def __lt__(self, other: Number) -> Lane:
        return self._compare("<", other)

    def __le__(self, other: Number) -> Lane:
        return self._compare("<=", other)

    def __gt__(self, other: Number) -> Lane:
        return self._compare(">", other)

    def __ge__(self, other: Number) -> Lane:
        return self._compare(">=", other)

    def equals(self, other: Number) -> Lane:
        """Whether both are equal; false where either side is NaN."""
        return self._compare("==", other)

    def isnan(self) -> Lane:
        """Whether this is NaN."""
        return Lane(self.code, self.code.builder.fcmp_unordered("uno", self.value, self.value))

    def where(self, yes: Number, no: Number) -> Lane:
        """`yes` where this truth value holds, else `no`; a Python number takes the other's type."""
        code = self.code
        kind = next((x.value.type for x in (yes, no) if isinstance(x, Lane)), code.real)
        select = code.builder.select(self.value, code.like(yes, kind), code.like(no, kind))
        return Lane(code, select)

    def bits(self) -> Lane:
        """The bits as an integer."""
        return Lane(self.code, self.code.builder.bitcast(self.value, self.code.word))

    def from_bits(self) -> Lane:
        """The floating-point number of these bits."""
        return Lane(self.code, self.code.builder.bitcast(self.value, self.code.real))

    def to(self, code: Code) -> Lane:
        """This floating-point value rounded, or extended, to the format of `code`."""
        if code.format == self.code.format:
            return self
        cast = code.builder.fpext if code.format is DOUBLE else code.builder.fptrunc
        return Lane(code, cast(self.value, code.real))

    def abs(self) -> Lane:
        """The absolute value."""
        return self.code.intrinsic("fabs", self)

    def sqrt(self) -> Lane:
        """The correctly rounded square root."""
        return self.code.intrinsic("sqrt", self)

    def floor(self) -> Lane:
        """The greatest integer not above."""
        return self.code.intrinsic("floor", self)

    def trunc(self) -> Lane:
        """The integer part."""
        return self.code.intrinsic("trunc", self)

    def sign_of(self, other: Lane) -> Lane:
        """This with the sign of `other`, zeros and NaN included."""
        return self.code.intrinsic("copysign", self, other)

    def signed(self) -> Lane:
        """Whether the sign bit is set, also of -0."""
        return self.bits() < 0

    def round(self) -> tuple[Lane, Lane]:
        """The nearest integer as a real and as an integer, for magnitudes below 2**(digits - 1)."""
        magic = self.code.format.magic
        shifted = self + magic
        return shifted - magic, shifted.bits() - self.code.bits_of(magic)


Number: TypeAlias = Lane | float


class Splat(ir.Constant):
    """A vector of equal constants, shorter in text than llvmlite's."""

    def __init__(self, kind: Any, one: Any) -> None:
        super().__init__(kind, ir.Undefined)
        self.text = f"splat ({one.type} {one.get_reference()})"

    def _get_reference(self) -> str:
        return self.text


class Code:
    """Where values are emitted: a builder, a format, a number of lanes, and whether to use FMA."""

    def __init__(self, builder: Any, format: Format, lanes: int, fma: bool) -> None:
        self.builder = builder
        self.format = format
        self.lanes = lanes
        self.has_fma = fma
        self.real = format.real if lanes == 1 else ir.VectorType(format.real, lanes)
        self.word = format.word if lanes == 1 else ir.VectorType(format.word, lanes)

    def with_format(self, format: Format) -> Code:
        """The same place for numbers of another format."""
        return Code(self.builder, format, self.lanes, self.has_fma)

    def bits_of(self, number: float) -> int:
        """The bits of a constant as a signed integer."""
        word, real = ("<i", "<f") if self.format is SINGLE else ("<q", "<d")
        return struct.unpack(word, struct.pack(real, number))[0]

    def like(self, number: Number, kind: Any) -> Any:
        """The IR value of a Lane, or of a Python number as a constant of type `kind`."""
        if isinstance(number, Lane):
            return number.value
        if self.lanes == 1:
            return ir.Constant(kind, number)
        return Splat(kind, ir.Constant(kind.element, number))

    def real_number(self, number: float) -> Lane:
        """A floating-point constant."""
        return Lane(self, self.like(number, self.real))

    def word_number(self, number: int) -> Lane:
        """An integer constant."""
        return Lane(self, self.like(number, self.word))

    def intrinsic(self, name: str, *args: Number) -> Lane:
        """Call an LLVM intrinsic all of whose operands and result have this code's real type."""
        module, suffix = self.builder.module, self.format.name
        full = f"llvm.{name}.{suffix if self.lanes == 1 else f'v{self.lanes}{suffix}'}"
        function = module.globals.get(full)
        if function is None:
            function = ir.Function(
                module, ir.FunctionType(self.real, [self.real] * len(args)), full
            )
        return Lane(self, self.builder.call(function, [self.like(x, self.real) for x in args]))

    def fma(self, a: Lane, b: Number, c: Number) -> Lane:
        """`a * b + c`, in one rounding where the host has the instruction."""
        return self.intrinsic("fma", a, b, c) if self.has_fma else a * b + c

    def poly(self, x: Lane, coefficients: tuple[float, ...]) -> Lane:
        """The polynomial with the coefficients from the constant term up, by Horner's rule."""
        *rest, lead = coefficients
        total: Lane = self.real_number(lead)
        for coefficient in reversed(rest):
            total = self.fma(total, x, coefficient)
        return total

    def power_of_two(self, exponent: Lane) -> Lane:
        """2**exponent for an integer whose power is a normal number."""
        return ((exponent << self.format.digits) + self.format.one).from_bits()

    def scale(self, x: Lane, exponent: Lane) -> Lane:
        """`x * 2**exponent`, also where it overflows or is subnormal, rounded once."""
        half = exponent >> 1
        return x * self.power_of_two(half) * self.power_of_two(exponent - half)

    def product(self, a: Lane, b: Lane) -> tuple[Lane, Lane]:
        """`a * b` exactly, as a rounded value and its error (Dekker's product without FMA)."""
        p = a * b
        if self.has_fma:
            return p, self.fma(a, b, -p)
        ah, al = self.split(a)
        bh, bl = self.split(b)
        return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl

    def split(self, a: Lane) -> tuple[Lane, Lane]:
        """`a` as two numbers of half its digits (Veltkamp)."""
        t = a * (2.0 ** ((self.format.digits + 2) // 2) + 1.0)
        high = t - (t - a)
        return high, a - high

    def sum(self, a: Lane, b: Lane) -> tuple[Lane, Lane]:
        """`a + b` exactly, as a rounded value and its error, where `abs(a) >= abs(b)` (Dekker)."""
        s = a + b
        return s, b - (s - a)

    def sum_any(self, a: Lane, b: Lane) -> tuple[Lane, Lane]:
        """`a + b` exactly for operands in any order (Knuth)."""
        s = a + b
        t = s - a
        return s, (a - (s - t)) + (b - t)
