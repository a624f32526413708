"""Draws in native code, NumPy's to the bit, compiled once per process.

A draw takes as many words of the stream as it needs, so that draws are made one after the other.

Source: D. Lemire, Fast random integer generation in an interval, ACM Trans. Model. Comput. Simul.
29 (2019).
"""

from __future__ import annotations

import ctypes
import functools

import llvmlite.binding as llvm

from lucid.graph.native import library
from lucid.graph.native.draw_counts import Counts
from lucid.graph.native.text import Body

__all__ = ["available", "compiled"]

_FUNCTIONS = ("exp", "expf", "log", "log1p", "log1pf", "pow")


@functools.cache
def available() -> bool:
    """Return whether the C library's functions, with which NumPy draws, are found; name them."""
    try:
        process = ctypes.CDLL(None)
        for name in _FUNCTIONS:
            address = ctypes.cast(getattr(process, name), ctypes.c_void_p).value
            llvm.add_symbol(f"lucid_c_{name}", address)
    except (AttributeError, OSError, TypeError):
        return False
    return True


def compiled(name: str, kind: str) -> str:
    """Return the symbol of a function that draws numbers; the linker knows it.

    ``normal(key0, key1, out, n)`` and ``exponential(…)`` of kind "d" or "f";
    ``integers(key0, key1, out, n, low, range)`` of kind "i" for ranges below 2³² - 1, "l" for
    longer ones; ``permutation(key0, key1, out, n)`` of kind "i";
    ``gamma(key0, key1, out, n, a, stride)``, ``poisson(…)`` and ``geometric(…)`` of kind "d".
    """
    symbol = f"lucid_draw_{name}_{kind}"
    library.once([symbol], lambda: _Writer(kind).text(name, symbol))
    return symbol


class _Writer(Counts):
    """Writes modules."""

    def text(self, name: str, symbol: str) -> str:
        """Return the module of a function."""
        real, f = self.real, self.f
        parts = [f"declare {t} @lucid_c_exp{g}({t})" for t, g in (("double", ""), ("float", "f"))]
        parts += [f"declare {real} @lucid_c_log1p{f}({real})", self._refill(), self._next()]
        head, more, write = f"define void @{symbol}(i64 %k0, i64 %k1, ptr %out, i64 %n", "", None
        if name in ("normal", "exponential"):
            parts += self.ziggurat(name)
            write = self._ziggurat(name)
        elif name == "integers":
            more, write = ", i64 %low, i64 %range", self._integers
        elif name == "permutation":
            parts.append("declare i64 @llvm.ctlz.i64(i64, i1)")
            write = self._permutation
        else:
            parts += ["declare double @lucid_c_log(double)"]
            parts += ["declare double @lucid_c_pow(double, double)"]
            parts += getattr(self, name)()
            more, write = ", ptr %a, i64 %stride", lambda b: self._each(b, name)
        return "\n".join([*parts, self._outer(f"{head}{more})", write)])

    def _bounded(self, b: Body, top: str) -> str:
        """Draw an integer from 0 to `top`, which is no word's greatest value."""
        w, wide = self.w, f"i{16 * self.size}"
        count = b.put(f"add {w} {top}, 1")
        spread = b.put(f"zext {w} {count} to {wide}")
        b.do("br label %draw")
        b.label("draw")
        word = b.put(f"zext {w} {b.put(f'call {w} @next(ptr %state)')} to {wide}")
        scaled = b.put(f"mul {wide} {word}, {spread}")
        low = b.put(f"trunc {wide} {scaled} to {w}")
        near = b.put(f"icmp ult {w} {low}, {count}")
        b.do(f"br i1 {near}, label %check, label %fine")
        b.label("check")
        bias = b.put(f"urem {w} {b.put(f'sub {w} -1, {top}')}, {count}")
        b.do(f"br i1 {b.put(f'icmp ult {w} {low}, {bias}')}, label %draw, label %fine")
        b.label("fine")
        high = b.put(f"lshr {wide} {scaled}, {8 * self.size}")
        return b.put(f"trunc {wide} {high} to {w}")

    def _integers(self, b: Body) -> None:
        top = "%range"
        if self.w != "i64":
            top = b.put(f"trunc i64 {top} to {self.w}")
        with b.loop(0, "%n") as i:
            x = self._bounded(b, top)
            if self.w != "i64":
                x = b.put(f"zext {self.w} {x} to i64")
            x = b.put(f"add i64 {x}, %low")
            b.do(f"store i64 {x}, ptr {b.address('%out', 'l', i)}, align 8")
        b.do("ret void")

    def _permutation(self, b: Body) -> None:
        """Exchange each entry, from the last one on, with one in front of it or itself."""
        with b.loop(0, "%n") as i:
            b.do(f"store i64 {i}, ptr {b.address('%out', 'l', i)}, align 8")
        with b.loop(1, "%n") as i:
            k = b.put(f"sub i64 %n, {i}")
            zeros = b.put(f"call i64 @llvm.ctlz.i64(i64 {k}, i1 true)")
            mask = b.put(f"lshr i64 -1, {zeros}")
            b.do("br label %draw")
            b.label("draw")
            word = b.put(f"zext {self.w} {b.put(f'call {self.w} @next(ptr %state)')} to i64")
            x = b.put(f"and i64 {word}, {mask}")
            b.do(f"br i1 {b.put(f'icmp ugt i64 {x}, {k}')}, label %draw, label %fine")
            b.label("fine")
            here, there = (b.address("%out", "l", p) for p in (k, x))
            one, other = b.load(here, "l"), b.load(there, "l")
            b.store(one, there, "l")
            b.store(other, here, "l")
        b.do("ret void")

    def _each(self, b: Body, name: str) -> None:
        """Draw each number with a parameter of its own."""
        kind, t = ("d", "double") if name == "gamma" else ("l", "i64")
        with b.loop(0, "%n") as i:
            at = b.put(f"getelementptr double, ptr %a, i64 {b.put(f'mul i64 {i}, %stride')}")
            a = b.put(f"load double, ptr {at}, align 8")
            x = b.put(f"call {t} @{name}(ptr %state, double {a})")
            b.do(f"store {t} {x}, ptr {b.address('%out', kind, i)}, align 8")
        b.do("ret void")
