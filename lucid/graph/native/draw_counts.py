"""Poisson and geometric numbers in native code, NumPy's to the bit.

Source: W. Hörmann, The transformed rejection method for generating Poisson random variables,
Insurance: Mathematics and Economics 12 (1993).
"""

from __future__ import annotations

from lucid.graph.native.draw_gamma import Gamma
from lucid.graph.native.stream import Arithmetic
from lucid.graph.native.text import Body

__all__ = ["Counts"]

# Of Stirling's series for the logarithm of the gamma function, in powers of 1/x².
_SERIES = [
    *(1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156),
    *(-3617 / 122400, 43867 / 244188, -174611 / 125400),
]
_LOG_2PI = 1.8378770664093453


class Counts(Gamma):
    """Writes functions that draw counts."""

    def poisson(self) -> list[str]:
        """Return ``@poisson(state, a)``, and what it calls."""
        return [
            *(f"declare double @llvm.{f}.f64(double)" for f in ("sqrt", "floor", "fabs")),
            self._function("internal double @log_gamma(double %x)", self._log_gamma),
            self._function("internal i64 @poisson(ptr %state, double %a)", self._poisson),
        ]

    def geometric(self) -> list[str]:
        """Return ``@geometric(state, a)``, and what it calls."""
        return [
            "declare double @llvm.ceil.f64(double)",
            *self.ziggurat("exponential"),
            self._one("exponential"),
            self._function("internal i64 @geometric(ptr %state, double %a)", self._geometric),
        ]

    def _poisson(self, b: Body) -> None:
        """Draw one number with mean a."""
        e = Arithmetic(b)
        b.do(f"br i1 {e.compare('oge', '%a', 10.0)}, label %large, label %small")
        b.label("small")
        b.do(f"br i1 {e.compare('oeq', '%a', 0.0)}, label %none, label %multiply")
        b.label("none")
        b.do("ret i64 0")
        b.label("multiply")
        limit = e.call("lucid_c_exp", e.negative("%a"))
        b.do("br label %again")
        b.label("again")
        b.do("%k = phi i64 [ 0, %multiply ], [ %k.n, %again ]")
        b.do("%p = phi double [ 1.0, %multiply ], [ %p.n, %again ]")
        b.do(f"%p.n = fmul double %p, {self._unit(b)}")
        b.do("%k.n = add i64 %k, 1")
        b.do(f"br i1 {e.compare('ogt', '%p.n', limit)}, label %again, label %enough")
        b.label("enough")
        b.do("ret i64 %k")
        b.label("large")
        self._large_poisson(b, e)

    def _large_poisson(self, b: Body, e: Arithmetic) -> None:
        root, log = e.call("llvm.sqrt.f64", "%a"), e.call("lucid_c_log", "%a")
        width = e.add(0.931, e.multiply(2.53, root))
        a = e.add(-0.059, e.multiply(0.02483, width))
        inverse = e.add(1.1239, e.divide(1.1328, e.subtract(width, 3.4)))
        sure = e.subtract(0.9277, e.divide(3.6224, e.subtract(width, 2.0)))
        b.do("br label %try")
        b.label("try")
        u = e.subtract(self._unit(b), 0.5)
        v = self._unit(b)
        us = e.subtract(0.5, e.call("llvm.fabs.f64", u))
        slope = e.add(e.divide(e.multiply(2.0, a), us), width)
        x = e.add(e.add(e.multiply(slope, u), "%a"), 0.43)
        k = b.put(f"fptosi double {e.call('llvm.floor.f64', x)} to i64")
        good = b.put(f"and i1 {e.compare('oge', us, 0.07)}, {e.compare('ole', v, sure)}")
        b.do(f"br i1 {good}, label %found, label %look")
        b.label("look")
        edge = b.put(f"and i1 {e.compare('olt', us, 0.013)}, {e.compare('ogt', v, us)}")
        bad = b.put(f"or i1 {edge}, {b.put(f'icmp slt i64 {k}, 0')}")
        b.do(f"br i1 {bad}, label %try, label %compare")
        b.label("compare")
        shape = e.add(e.divide(a, e.multiply(us, us)), width)
        left = e.add(e.call("lucid_c_log", v), e.call("lucid_c_log", inverse))
        left = e.subtract(left, e.call("lucid_c_log", shape))
        count = b.put(f"sitofp i64 {k} to double")
        after = b.put(f"sitofp i64 {b.put(f'add i64 {k}, 1')} to double")
        right = e.add(e.negative("%a"), e.multiply(count, log))
        right = e.subtract(right, e.call("log_gamma", after))
        b.do(f"br i1 {e.compare('ole', left, right)}, label %found, label %try")
        b.label("found")
        b.do(f"ret i64 {k}")

    def _log_gamma(self, b: Body) -> None:
        """Return the logarithm of the gamma function of a positive whole number."""
        e = Arithmetic(b)
        one = b.put(f"or i1 {e.compare('oeq', '%x', 1.0)}, {e.compare('oeq', '%x', 2.0)}")
        b.do(f"br i1 {one}, label %zero, label %more")
        b.label("zero")
        b.do("ret double 0.0")
        b.label("more")
        steps = b.put(f"fptosi double {e.subtract(7.0, '%x')} to i64")
        few = e.compare("olt", "%x", 7.0)
        steps = b.put(f"select i1 {few}, i64 {steps}, i64 0")
        x = e.add("%x", b.put(f"sitofp i64 {steps} to double"))
        inverse = e.divide(1.0, x)
        square, total = e.multiply(inverse, inverse), e.add(_SERIES[-1], 0.0)
        for c in _SERIES[-2::-1]:
            total = e.add(e.multiply(total, square), c)
        total = e.add(e.divide(total, x), e.multiply(0.5, e.add(_LOG_2PI, 0.0)))
        total = e.add(total, e.multiply(e.subtract(x, 0.5), e.call("lucid_c_log", x)))
        total = e.subtract(total, x)
        b.do("br label %down")
        b.label("down")
        b.do("%i = phi i64 [ 0, %more ], [ %i.n, %step ]")
        b.do(f"%y = phi double [ {x}, %more ], [ %y.n, %step ]")
        b.do(f"%sum = phi double [ {total}, %more ], [ %sum.n, %step ]")
        b.do(f"br i1 {b.put(f'icmp slt i64 %i, {steps}')}, label %step, label %exit")
        b.label("step")
        b.do("%i.n = add i64 %i, 1")
        b.do("%y.n = fsub double %y, 1.0")
        b.do(f"%sum.n = fsub double %sum, {e.call('lucid_c_log', '%y.n')}")
        b.do("br label %down")
        b.label("exit")
        b.do("ret double %sum")

    def _geometric(self, b: Body) -> None:
        """Draw one number: how often it takes to succeed with probability a."""
        e = Arithmetic(b)
        likely = e.compare("oge", "%a", 1 / 3)
        b.do(f"br i1 {likely}, label %search, label %invert")
        b.label("search")
        rest, u = e.subtract(1.0, "%a"), self._unit(b)
        b.do("br label %again")
        b.label("again")
        b.do("%k = phi i64 [ 1, %search ], [ %k.n, %step ]")
        b.do("%p = phi double [ %a, %search ], [ %p.n, %step ]")
        b.do("%sum = phi double [ %a, %search ], [ %sum.n, %step ]")
        b.do(f"br i1 {e.compare('ogt', u, '%sum')}, label %step, label %found")
        b.label("step")
        b.do(f"%p.n = fmul double %p, {rest}")
        b.do("%sum.n = fadd double %sum, %p.n")
        b.do("%k.n = add i64 %k, 1")
        b.do("br label %again")
        b.label("found")
        b.do("ret i64 %k")
        b.label("invert")
        x = e.negative(b.put("call double @exponential(ptr %state)"))
        z = e.call("llvm.ceil.f64", e.divide(x, e.call("lucid_c_log1p", e.negative("%a"))))
        whole = b.put(f"fptosi double {z} to i64")
        top = (1 << 63) - 1
        whole = b.put(f"select i1 {e.compare('oge', z, 2.0**63)}, i64 {top}, i64 {whole}")
        b.do(f"ret i64 {whole}")
