"""Matrix products through SciPy's public pointers to BLAS."""

from __future__ import annotations

import ctypes
import functools
import math
from typing import Any

import llvmlite.binding as llvm
import scipy.linalg.cython_blas

from lucid.graph.ir import Value
from lucid.graph.native.gemm import Own, own
from lucid.graph.native.plan import Planner, Ref, Step
from lucid.graph.native.table import address_of, scratch_of, slot
from lucid.graph.native.text import Body

__all__ = ["Product", "function", "pointer", "register"]


@functools.cache
def function(name: str) -> str:
    """Return the symbol of a BLAS routine, made known to the linker."""
    return register("scipy_" + name, scipy.linalg.cython_blas.__pyx_capi__[name])


def register(symbol: str, capsule: Any) -> str:
    """Make the pointer in one of Cython's capsules known to the linker."""
    llvm.add_symbol(symbol, pointer(capsule))
    return symbol


def pointer(capsule: Any) -> int:
    """Return the pointer in one of Cython's capsules."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))


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

    _own: Own | None = None
    _room: int | None = None
    _name = ""
    _shared = False
    _exchanged = False

    def prepare(self, module: Any, name: str) -> None:
        """Choose how to compute; a stack becomes a function of its own, for threads to share."""
        *stack, m, n = self.c.shape
        k = self.a.shape[-1]
        if 0 in self.c.shape:
            return
        kind = self.c.root.aval.dtype.char
        pairs = [r.strides[-2:] for r in (self.a, self.b, self.c)]
        found = own(module, kind, (m, n, k), *pairs)
        if found is None:
            return
        self._own, self._exchanged = found
        if not stack:
            if self._own.size:
                self._room = module.scratch(self._own.size)
            return
        count = stack[0]
        self._shared = 2 * math.prod(self.c.shape) * k >= 20 * module.parallel_work
        if self._own.parallel and count < 2 * module.threads:
            self._shared = False  # it is the single products that threads share
        else:
            self._own.parallel = False
        self._name = name
        b = Body(module)
        room = "null"
        if self._own.size:
            place = module.scratch(self._own.size * module.threads)
            room = scratch_of(b, place, self._own.size)
        self._all(b, ("%lo", "%hi"), room)
        b.do("ret void")
        head = f"define internal void @{name}(ptr %env, i64 %lo, i64 %hi, i64 %tid)"
        module.function(head, b)

    def emit(self, b: Body) -> None:
        """Add the call."""
        if 0 in self.c.shape:
            return
        if self._name:
            b.module.run(b, self._name, self.c.shape[0], self._shared)
            return
        room = "null" if self._room is None else slot(b, self._room)
        self._all(b, (0, self.c.shape[0]), room)

    def _all(self, b: Body, first: tuple[Any, Any], room: str) -> None:
        *stack, m, n = self.c.shape
        kind = self.c.root.aval.dtype.char
        addresses = [address_of(b, r) for r in (self.a, self.b, self.c)]
        strides = [r.strides[: len(stack)] for r in (self.a, self.b, self.c)]
        ranges = [first, *((0, count) for count in stack[1:])] if stack else []

        def each(ranges: Any, strides: Any, addresses: Any) -> None:
            if not ranges:
                if self._own is not None:
                    x, y, z = addresses
                    self._own.call(b, *((y, x) if self._exchanged else (x, y)), z, room)
                else:
                    self._blas(b, addresses, kind, m, n, self.a.shape[-1])
                return
            with b.loop(*ranges[0]) as i:
                inner = []
                for address, s in zip(addresses, strides, strict=True):
                    step = b.put(f"mul nsw i64 {i}, {s[0]}")
                    inner.append(b.address(address, kind, step))
                each(ranges[1:], [s[1:] for s in strides], inner)

        each(ranges, strides, addresses)

    def _blas(self, b: Body, addresses: Any, kind: str, m: int, n: int, k: int) -> None:
        """Call the routine, whose matrices have their columns together."""
        x, y, z = addresses
        left, right = self.a, self.b
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
