"""Gamma numbers in native code, NumPy's to the bit.

Source: G. Marsaglia, W. W. Tsang, A simple method for generating gamma variables, ACM Trans. Math.
Softw. 26 (2000).
"""

from __future__ import annotations

from lucid.graph.native.stream import Arithmetic
from lucid.graph.native.text import Body, literal
from lucid.graph.native.ziggurat import Ziggurat

__all__ = ["Gamma"]


class Gamma(Ziggurat):
    """Writes functions that draw gamma numbers."""

    def gamma(self) -> list[str]:
        """Return ``@gamma(state, a)``, and what it calls."""
        found = ["declare double @llvm.sqrt.f64(double)"]
        for name in ("normal", "exponential"):
            found += [*self.ziggurat(name), self._one(name)]
        head = "internal double @gamma(ptr %state, double %a)"
        return [*found, self._function(head, self._gamma)]

    def _gamma(self, b: Body) -> None:
        """Draw one gamma number with shape a."""
        e = Arithmetic(b)
        for test, value, yes, no in (
            ("oeq", 1.0, "exponential", "more"),
            ("oeq", 0.0, "zero", "sign"),
            ("olt", 1.0, "small", "large"),
        ):
            b.do(f"br i1 {e.compare(test, '%a', value)}, label %{yes}, label %{no}")
            b.label(no)
        self._large_gamma(b, e)
        b.label("exponential")
        b.do(f"ret double {b.put('call double @exponential(ptr %state)')}")
        b.label("zero")
        b.do(f"ret double {literal(0.0, 'd')}")
        b.label("small")
        self._small_gamma(b, e)

    def _large_gamma(self, b: Body, e: Arithmetic) -> None:
        c = e.subtract("%a", 1.0 / 3.0)
        step = e.divide(1.0, e.call("llvm.sqrt.f64", e.multiply(9.0, c)))
        b.do("br label %try")
        b.label("try")
        x = b.put("call double @normal(ptr %state)")
        v = e.add(1.0, e.multiply(step, x))
        b.do(f"br i1 {e.compare('ole', v, 0.0)}, label %try, label %cube")
        b.label("cube")
        v = e.multiply(e.multiply(v, v), v)
        u, square = self._unit(b), e.multiply(x, x)
        ans = e.multiply(c, v)
        limit = e.subtract(1.0, e.multiply(e.multiply(0.0331, square), square))
        b.do(f"br i1 {e.compare('olt', u, limit)}, label %found, label %second")
        b.label("second")
        rest = e.add(e.subtract(1.0, v), e.call("lucid_c_log", v))
        limit = e.add(e.multiply(e.multiply(0.5, x), x), e.multiply(c, rest))
        good = e.compare("olt", e.call("lucid_c_log", u), limit)
        b.do(f"br i1 {good}, label %found, label %try")
        b.label("found")
        b.do(f"ret double {ans}")

    def _small_gamma(self, b: Body, e: Arithmetic) -> None:
        rest, power = e.subtract(1.0, "%a"), e.divide(1.0, "%a")
        b.do("br label %first")
        b.label("first")
        u = self._unit(b)
        v = b.put("call double @exponential(ptr %state)")
        b.do(f"br i1 {e.compare('ole', u, rest)}, label %near, label %far")
        b.label("near")
        x = e.call("lucid_c_pow", u, power)
        b.do(f"br i1 {e.compare('ole', x, v)}, label %take, label %first")
        b.label("far")
        y = e.negative(e.call("lucid_c_log", e.divide(e.subtract(1.0, u), "%a")))
        z = e.call("lucid_c_pow", e.add(rest, e.multiply("%a", y)), power)
        b.do(f"br i1 {e.compare('ole', z, e.add(v, y))}, label %take, label %first")
        b.label("take")
        b.do(f"%ans = phi double [ {x}, %near ], [ {z}, %far ]")
        b.do("ret double %ans")
