"""Matrix products through SciPy's public pointers to BLAS."""

from __future__ import annotations

import ctypes
import functools
import math
from typing import Any

import llvmlite.binding as llvm
import scipy.linalg.cython_blas

from lucid.graph.ir import Value
from lucid.graph.native.gemm import small
from lucid.graph.native.packed import LEAST, packed
from lucid.graph.native.plan import Planner, Ref, Step
from lucid.graph.native.table import address_of
from lucid.graph.native.text import Body

__all__ = ["Product", "function", "register"]


@functools.cache
def function(name: str) -> str:
    """Return the symbol of a BLAS routine, made known to the linker."""
    return register("scipy_" + name, scipy.linalg.cython_blas.__pyx_capi__[name])


def register(symbol: str, capsule: Any) -> str:
    """Make the pointer in one of Cython's capsules known to the linker."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    llvm.add_symbol(symbol, api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))
    return symbol


class Product(Step):
    """A stack of products of matrices, c = a b."""

    def __init__(self, a: Ref, b: Ref, c: Ref) -> None:
        self.a, self.b, self.c = a, b, c

    def reads(self) -> Any:
        """The roots of the operands."""
        return iter((self.a.root, self.b.root))

    def writes(self) -> Any:
        """The root of the result."""
        return iter((self.c.root,))

    @classmethod
    def plan(
        cls, planner: Planner, out: Value, stack: tuple[int, ...], a: Ref, b: Ref, c: Ref
    ) -> bool:
        """Plan a product of floating matrices; False for any others."""
        kind = out.aval.dtype
        if kind.char not in "fd" or a.root.aval.dtype != kind or b.root.aval.dtype != kind:
            return False
        a, b = (_suited(planner, x) for x in (a, b))
        for x in (a, b):
            planner.stored.add(x.root)
        planner.add(cls(a, b, c), out)
        return True

    # -- code ------------------------------------------------------------------------------------

    _packed: Any = None
    _name = ""
    _shared = False

    def prepare(self, module: Any, name: str) -> None:
        """Define the functions of a product that is computed here, and not by BLAS."""
        *stack, m, n = self.c.shape
        k = self.a.shape[-1]
        kind = self.c.root.aval.dtype.char
        pairs = [r.strides[-2:] for r in (self.a, self.b, self.c)]
        own = m * n * k < 8 * LEAST and small(kind, (m, n, k), *pairs) is not None
        if not own:
            self._packed = packed(module, name, kind, (m, n, k), *pairs)
            if self._packed is not None:
                self._packed[0].reserve()
                self._packed[0].define()
        elif stack and 0 not in stack:  # many small products: threads share the stack
            self._name = name
            self._shared = 2 * math.prod(self.c.shape) * k >= 20 * module.parallel_work
            b = Body(module)
            self._all(b, ("%lo", "%hi"))
            b.do("ret void")
            head = f"define internal void @{name}(ptr %env, i64 %lo, i64 %hi, i64 %tid)"
            module.function(head, b)

    def emit(self, b: Body) -> None:
        """Add the call."""
        if 0 in self.c.shape:
            return
        if not self._name:
            self._all(b, (0, self.c.shape[0]))
        else:
            b.module.run(b, self._name, self.c.shape[0], self._shared)

    def _all(self, b: Body, first: tuple[Any, Any]) -> None:
        *stack, m, n = self.c.shape
        kind = self.c.root.aval.dtype.char
        addresses = [address_of(b, r) for r in (self.a, self.b, self.c)]
        strides = [r.strides[: len(stack)] for r in (self.a, self.b, self.c)]
        ranges = [first, *((0, count) for count in stack[1:])] if stack else []
        self._stacked(b, ranges, strides, addresses, kind, (m, n, self.a.shape[-1]))

    def _stacked(
        self, b: Body, ranges: Any, strides: Any, addresses: Any, kind: str, sizes: Any
    ) -> None:
        if not ranges:
            self._one(b, addresses, kind, *sizes)
            return
        with b.loop(*ranges[0]) as i:
            inner = []
            for address, s in zip(addresses, strides, strict=True):
                step = b.put(f"mul nsw i64 {i}, {s[0]}")
                inner.append(b.address(address, kind, step))
            self._stacked(b, ranges[1:], [s[1:] for s in strides], inner, kind, sizes)

    def _one(self, b: Body, addresses: Any, kind: str, m: int, n: int, k: int) -> None:
        """Call the routine, whose matrices have their columns together."""
        x, y, z = addresses
        if self._packed is not None:
            own, exchanged = self._packed
            own.call(b, *((y, x, z) if exchanged else (x, y, z)))
            return
        left, right = self.a, self.b
        pairs = (r.strides[-2:] for r in (left, right, self.c))
        own = small(kind, (m, n, k), *pairs)
        if own is not None:
            own.emit(b, x, y, z)
            return
        rows, columns = self.c.strides[-2:]
        if not ((n == 1 or columns == 1) and (m == 1 or rows >= n)):
            # the result has its columns together: compute it as it stands
            (ta, lda), (tb, ldb) = _transposed(left), _transposed(right)
            given = (ta == "n", tb == "n", m, n, k, x, lda, y, ldb, z, max(columns, m))
            self._call(b, kind, *given)
            return
        # row by row: the transposed result is the product of the transposed operands
        (ta, lda), (tb, ldb) = _transposed(left), _transposed(right)
        ldc = max(rows, n) if m > 1 else n
        self._call(b, kind, tb == "t", ta == "t", n, m, k, y, ldb, x, lda, z, ldc)

    def _call(
        self, b: Body, kind: str, ta: bool, tb: bool, m: int, n: int, k: int, *rest: Any
    ) -> None:
        x, ldx, y, ldy, z, ldz = rest
        name = function("sgemm" if kind == "f" else "dgemm")
        b.module.declare(f"declare void @{name}({', '.join(['ptr'] * 13)})")
        real = "float" if kind == "f" else "double"
        flags = [b.module.constant("i8", 116 if t else 110) for t in (ta, tb)]
        ints = [b.module.constant("i32", v) for v in (m, n, k, ldx, ldy, ldz)]
        one = b.module.constant(real, "1.0")
        zero = b.module.constant(real, "0.0")
        args = [*flags, *ints[:3], one, x, ints[3], y, ints[4], zero, z, ints[5]]
        b.do(f"call void @{name}({', '.join(f'ptr {a}' for a in args)})")


def _suited(planner: Planner, x: Ref) -> Ref:
    """Return a matrix that BLAS can read: one of its strides is 1, the other long enough."""
    (m, n), (s, t) = x.shape[-2:], x.strides[-2:]
    if ((n == 1 or t == 1) and (m == 1 or s >= n)) or ((m == 1 or s == 1) and (n == 1 or t >= m)):
        return x
    alias = Value(x.root.aval._replace(shape=x.shape))
    planner.refs[alias] = x
    return planner.materialise(alias)


def _transposed(x: Ref) -> tuple[str, int]:
    """Return "t" if the rows lie together ("n" if the columns do), in BLAS' view of a matrix...

    For a row-major matrix m x n, BLAS sees its transpose: it is taken as it is ("n" after the
    exchange of operands), with leading dimension s.
    """
    (m, n), (s, t) = x.shape[-2:], x.strides[-2:]
    if (n == 1 or t == 1) and (m == 1 or s >= n):
        return "n", max(s if m > 1 else n, 1)
    return "t", max(t if n > 1 else m, 1)
