"""Determinants and factorisations of stacks of matrices, by the routines that NumPy calls.

LAPACK has columns together. It is given transposed copies, as by NumPy, for the same rounding, and
what it returns is the transpose of a view.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.lapack import call, memory_of
from lucid.graph.native.layout import zero
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine
from lucid.graph.native.table import address_of, scratch_of
from lucid.graph.native.text import Body

__all__ = ["RULES"]

ALONE = 64  # the order up to which LAPACK does not use threads of its own
CALL = 10_000  # what a call costs at least, in operations on elements


class Factor(Routine):
    """Matrices of a stack, columns together, that are factorised one by one.

    Attributes:
        m: the length of the columns.
        n: how many there are.
        kind: of the numbers.
        results: where results go, each for the whole stack; perhaps over the matrices.
        rooms: how many bytes of scratch each array needs that LAPACK works with.
    """

    can_fail = True
    rooms: Sequence[int] = ()

    def __init__(self, matrix: Value, size: tuple[int, int], results: Sequence[Value]) -> None:
        super().__init__([Ref.whole(matrix)], [matrix, *results])
        self.m, self.n = size
        self.k = min(size)
        self.pieces = math.prod(matrix.aval.shape[:-2])
        self.work = self.pieces * (self.m * self.n * self.k + CALL)
        self.shared = max(size) <= ALONE
        self.kind = matrix.aval.dtype.char
        self.size = matrix.aval.dtype.itemsize
        self.stack = matrix.aval.ndim - 2

    def scratch(self, module: Any) -> None:
        """LAPACK's own memory."""
        self.starts = [0]
        for room in self.rooms:
            self.starts.append(self.starts[-1] + -(-max(room, 1) // 64) * 64)
        self.memory = module.scratch(max(self.starts[-1], 64) * module.threads)

    def code(self, b: Body) -> None:
        """Loop over the stack."""
        bases = [address_of(b, Ref.whole(r)) for r in self.results]
        room = scratch_of(b, self.memory, max(self.starts[-1], 64))
        rooms = [b.put(f"getelementptr inbounds i8, ptr {room}, i64 {s}") for s in self.starts[:-1]]
        self.info = b.stack("i", 1)
        with b.loop("%lo", "%hi") as i:
            places = []
            for base, root in zip(bases, self.results, strict=True):
                step = math.prod(root.aval.shape[self.stack :])
                places.append(b.address(base, self.kind, b.put(f"mul nsw i64 {i}, {step}")))
            self.each(b, places, rooms)

    def each(self, b: Body, places: list[str], rooms: list[str]) -> None:
        """Factorise one matrix; `places` are its own, and those of the results."""
        raise NotImplementedError

    def call(self, b: Body, routine: str, *args: Any) -> None:
        """Call a routine, whose failure is that of the program."""
        status = call(b, self.kind, routine, args, self.info)
        self.fail(b, b.put(f"icmp ne i32 {status}, 0"))

    def upper(self, b: Body, source: str, target: str, rows: int) -> None:
        """Copy so many rows of the upper triangle, and zeros below it."""
        with b.loop(0, self.n) as j:
            count = b.put(f"add nsw i64 {j}, 1")
            small = b.put(f"icmp slt i64 {count}, {rows}")
            count = b.put(f"select i1 {small}, i64 {count}, i64 {rows}")
            start = b.address(target, self.kind, b.put(f"mul nsw i64 {j}, {rows}"))
            zero(b, start, rows * self.size)
            self.run(b, self.column(b, source, j), start, count)

    def column(self, b: Body, base: str, j: str) -> str:
        """Return the address of a column."""
        return b.address(base, self.kind, b.put(f"mul nsw i64 {j}, {self.m}"))

    def run(self, b: Body, source: str, target: str, count: str) -> None:
        """Copy neighbouring numbers."""
        b.module.declare("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        size = b.put(f"mul nsw i64 {count}, {self.size}")
        b.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {size}, i1 false)")


# -- determinants ----------------------------------------------------------------------------------


class Determinant(Factor):
    """Sign and logarithm of determinants; of `det`, its value, which NumPy gets from them."""

    can_fail = False  # a singular matrix has a determinant

    def scratch(self, module: Any) -> None:
        """The order of rows."""
        self.rooms = [4 * self.n]
        super().scratch(module)

    def each(self, b: Body, places: list[str], rooms: list[str]) -> None:
        """Multiply what is on the diagonal of a triangle."""
        matrix, *targets = places
        kind, n = self.kind, self.n
        sign, log = b.stack(kind, 1), b.stack(kind, 1)
        b.store(b.const(1.0, kind), sign, kind)
        b.store(b.const(0.0, kind), log, kind)
        status = call(b, kind, "getrf", (n, n, matrix, n, rooms[0]), self.info)
        with b.loop(0, n) as i:
            x = b.load(b.address(matrix, kind, b.put(f"mul nsw i64 {i}, {n + 1}")), kind)
            row = b.put(f"trunc i64 {b.put(f'add nsw i64 {i}, 1')} to i32")
            moved = b.compare("ne", "i", b.load(b.address(rooms[0], "i", i), "i"), row)
            turned = b.put(f"xor i1 {moved}, {b.compare('olt', kind, x, b.const(0.0, kind))}")
            old = b.load(sign, kind)
            b.store(b.select(kind, turned, b.put(f"fneg {b.type(kind)} {old}"), old), sign, kind)
            size = b.intrinsic("log", kind, [b.intrinsic("fabs", kind, [x])])
            b.store(b.binary("fadd", kind, b.load(log, kind), size), log, kind)
        good = b.put(f"icmp eq i32 {status}, 0")
        first = b.select(kind, good, b.load(sign, kind), b.const(0.0, kind))
        second = b.select(kind, good, b.load(log, kind), b.const(-math.inf, kind))
        if len(targets) == 1:
            whole = b.binary("fmul", kind, first, b.intrinsic("exp", kind, [second]))
            b.store(whole, targets[0], kind)
            return
        b.store(first, targets[0], kind)
        b.store(second, targets[1], kind)


# -- eigenvalues and singular values ---------------------------------------------------------------


class Eigen(Factor):
    """Eigenvalues of symmetric matrices, and vectors over the matrices."""

    job, uplo = "V", "L"

    def scratch(self, module: Any) -> None:
        """What LAPACK asks for."""
        n = self.n
        self.length = memory_of(
            self.kind, "syevd", self.job, self.uplo, n, None, n, None, ..., -1, None, -1
        )
        self.whole = 3 + 5 * n if self.job == "V" else 1
        self.rooms = [self.length * self.size, 4 * self.whole]
        super().scratch(module)

    def each(self, b: Body, places: list[str], rooms: list[str]) -> None:
        """Call LAPACK."""
        matrix, values = places
        head = (self.job, self.uplo, self.n, matrix, self.n, values)
        self.call(b, "syevd", *head, rooms[0], self.length, rooms[1], self.whole)


class Singular(Factor):
    """Singular values, with vectors ("A" for all, "S") or without ("N")."""

    job = "N"

    def scratch(self, module: Any) -> None:
        """What LAPACK asks for."""
        m, n = self.m, self.n
        self.ldv = {"A": n, "S": self.k, "N": 1}[self.job]
        self.length = memory_of(
            self.kind, "gesdd", self.job, m, n, None, m, None, None, m, None, self.ldv, ..., -1,
            None,
        )  # fmt: skip
        self.rooms = [self.length * self.size, 32 * self.k]
        super().scratch(module)

    def each(self, b: Body, places: list[str], rooms: list[str]) -> None:
        """Call LAPACK."""
        matrix, values, *sides = places
        u, v = sides or (rooms[0], rooms[0])
        head = (self.job, self.m, self.n, matrix, self.m, values, u, self.m, v, self.ldv)
        self.call(b, "gesdd", *head, rooms[0], self.length, rooms[1])


# -- triangles -------------------------------------------------------------------------------------


class Orthogonal(Factor):
    """An orthogonal factor over the matrices, of so many columns, and an upper triangle."""

    columns = 0

    def scratch(self, module: Any) -> None:
        """The reflections, and what LAPACK asks for."""
        m, n, k, q = self.m, self.n, self.k, self.columns
        self.lengths = (
            memory_of(self.kind, "geqrf", m, n, None, m, None, ..., -1),
            memory_of(self.kind, "orgqr", m, q, k, None, m, None, ..., -1),
        )
        self.rooms = [k * self.size, max(self.lengths) * self.size]
        super().scratch(module)

    def each(self, b: Body, places: list[str], rooms: list[str]) -> None:
        """Take the triangle away before the reflections become a matrix."""
        matrix, triangle = places
        m, (tau, work) = self.m, rooms
        self.call(b, "geqrf", m, self.n, matrix, m, tau, work, self.lengths[0])
        self.upper(b, matrix, triangle, self.columns)
        self.call(b, "orgqr", m, self.columns, self.k, matrix, m, tau, work, self.lengths[1])


class Triangles(Factor):
    """A permutation and two triangles."""

    def scratch(self, module: Any) -> None:
        """The exchanges of rows, and their order."""
        self.rooms = [4 * self.k, 8 * self.m]
        super().scratch(module)

    def each(self, b: Body, places: list[str], rooms: list[str]) -> None:
        """Eliminate; a singular matrix has triangles, too, but SciPy refuses infinite entries."""
        matrix, order, lower, upper = places
        kind, m, one = self.kind, self.m, b.const(1.0, self.kind)
        with b.loop(0, m * self.n) as i:
            x = b.load(b.address(matrix, kind, i), kind)
            self.fail(b, b.compare("uno", kind, b.binary("fsub", kind, x, x), x))
        call(b, kind, "getrf", (m, self.n, matrix, m, rooms[0]), self.info)
        self.upper(b, matrix, upper, self.k)
        with b.loop(0, self.k) as j:
            start = self.column(b, lower, j)
            zero(b, start, b.put(f"mul nsw i64 {j}, {self.size}"))
            rest = b.put(f"sub nsw i64 {m}, {j}")
            source = b.address(self.column(b, matrix, j), kind, j)
            target = b.address(start, kind, j)
            self.run(b, source, target, rest)
            b.store(one, target, kind)
        with b.loop(0, m) as i:
            b.store(i, b.address(rooms[1], "l", i), "l")
        with b.loop(0, self.k) as i:
            other = b.put(f"sext i32 {b.load(b.address(rooms[0], 'i', i), 'i')} to i64")
            pair = (i, b.put(f"sub nsw i64 {other}, 1"))
            here, there = (b.address(rooms[1], "l", p) for p in pair)
            first, second = b.load(here, "l"), b.load(there, "l")
            b.store(second, here, "l")
            b.store(first, there, "l")
        zero(b, order, m * m * self.size)
        with b.loop(0, m) as i:
            row = b.put(f"mul nsw i64 {b.load(b.address(rooms[1], 'l', i), 'l')}, {m}")
            b.store(one, b.address(order, kind, b.put(f"add nsw i64 {row}, {i}")), kind)


# -- rules -----------------------------------------------------------------------------------------


def _turned(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def _given(planner: Planner, node: Node, rows: int = 0) -> Value:
    """Return a copy of matrices with their columns together, perhaps with room for more columns."""
    (x,) = node.values()
    source = planner.refs[x].view(_turned)
    assert source is not None
    *stack, n, m = source.shape
    alias = Value(x.aval._replace(shape=source.shape, weak=False))
    planner.refs[alias] = source
    made = Value(alias.aval._replace(shape=(*stack, max(n, rows), m)))
    target = Ref.whole(made).view(lambda a: a[..., :n, :])
    assert target is not None
    planner.made(made, planner.copy(alias, target))
    planner.stored.add(made)
    return made


def _turn(planner: Planner, out: Value) -> Value:
    """Return what a result is the transpose of."""
    *stack, m, n = out.aval.shape
    made = Value(out.aval._replace(shape=(*stack, n, m)))
    ref = Ref.whole(made).view(_turned)
    assert ref is not None
    planner.refs[out] = ref
    return made


def _det(planner: Planner, node: Node, matrix: Value) -> None:
    size = matrix.aval.shape[-1]
    planner.add(Determinant(matrix, (size, size), node.outputs), *node.outputs)


def _eigh(planner: Planner, node: Node, matrix: Value) -> None:
    size = matrix.aval.shape[-1]
    values, *vectors = node.outputs
    step = Eigen(matrix, (size, size), [values])
    planner.add(step, values, matrix)
    if not vectors:
        step.job = "N"
        return
    step.uplo = node.params[1] if len(node.params) > 1 else "L"
    ref = planner.refs[matrix].view(_turned)
    assert ref is not None
    planner.refs[vectors[0]] = ref


def _svd(planner: Planner, node: Node, matrix: Value) -> None:
    n, m = matrix.aval.shape[-2:]
    if len(node.outputs) == 1:
        planner.add(Singular(matrix, (m, n), node.outputs), *node.outputs)
        return
    left, values, right = node.outputs
    u, v = _turn(planner, left), _turn(planner, right)
    step = Singular(matrix, (m, n), [values, u, v])
    step.job = "A" if node.params[0] else "S"
    planner.add(step, values, u, v)


def _qr(planner: Planner, node: Node, matrix: Value) -> None:
    (x,) = node.values()
    m, n = x.aval.shape[-2:]
    q, r = node.outputs
    triangle = _turn(planner, r)
    step = Orthogonal(matrix, (m, n), [triangle])
    step.columns = q.aval.shape[-1]
    planner.add(step, matrix, triangle)
    ref = planner.refs[matrix].view(lambda a: _turned(a[..., : step.columns, :]))
    assert ref is not None
    planner.refs[q] = ref


def _lu(planner: Planner, node: Node, matrix: Value) -> None:
    n, m = matrix.aval.shape[-2:]
    order, lower, upper = node.outputs
    parts = [order, _turn(planner, lower), _turn(planner, upper)]
    planner.add(Triangles(matrix, (m, n), parts), *parts)


def _rule(plan: Callable[[Planner, Node, Value], None]) -> Callable[[Planner, Node], bool]:
    def rule(planner: Planner, node: Node) -> bool:
        (x,) = node.operands
        if not isinstance(x, Value) or x.aval.dtype.char not in "fd":
            return False
        if not math.prod(x.aval.shape):
            return _empty(planner, node)
        more = node.outputs[0].aval.shape[-1] if node.op.name == "qr" else 0
        plan(planner, node, _given(planner, node, more))
        return True

    return rule


def _empty(planner: Planner, node: Node) -> bool:
    """Plan what is computed of no elements: a constant."""
    (x,) = node.values()
    found = node.op.impl(np.zeros(x.aval.shape, x.aval.dtype), *node.params)
    for out, array in zip(node.outputs, found if node.op.multi else (found,), strict=True):
        planner.extra[out] = np.asarray(array)
        planner.given(out, planner.extra[out])
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "det": _rule(_det),
    "slogdet": _rule(_det),
    "eigh": _rule(_eigh),
    "eigvalsh": _rule(_eigh),
    "svd": _rule(_svd),
    "svdvals": _rule(_svd),
    "qr": _rule(_qr),
    "lu": _rule(_lu),
}
