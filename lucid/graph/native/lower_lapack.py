"""Linear systems through SciPy's public pointers to LAPACK.

LAPACK has columns together: it sees the transpose of what lies row by row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.lapack import call
from lucid.graph.native.layout import zero
from lucid.graph.native.lower_factor import RULES as FACTOR_RULES
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine
from lucid.graph.native.table import address_of, scratch_of
from lucid.graph.native.text import Body

__all__ = ["RULES"]


class Lapack(Routine):
    """Matrices of a stack handed to LAPACK, which writes over them; a failure is reported.

    Attributes:
        name: of the operation.
        matrices: square and contiguous.
        sides: transposed right-hand sides, contiguous; None for none.
        flags: letters that say which triangle is read, and whether its diagonal is 1.
    """

    can_fail = True

    def __init__(self, name: str, matrices: Ref, sides: Ref | None, flags: str = "") -> None:
        both = [matrices] if sides is None else [matrices, sides]
        super().__init__(both, [r.root for r in both])
        self.name, self.matrices, self.sides, self.flags = name, matrices, sides, flags
        *stack, n, _ = matrices.shape
        self.n = n
        self.pieces = math.prod(stack)
        self.work = self.pieces * n**3 // 8

    def scratch(self, module: Any) -> None:
        """The order of rows, and LAPACK's own memory."""
        self.memory = module.scratch(max(self.n, 1) * (4 + 64 * 8) * module.threads)

    def code(self, b: Body) -> None:
        """Loop over the stack."""
        kind = self.matrices.root.aval.dtype.char
        base = address_of(b, self.matrices)
        other = address_of(b, self.sides) if self.sides is not None else ""
        room = scratch_of(b, self.memory, max(self.n, 1) * (4 + 64 * 8))
        info = b.stack("i", 1)
        n = self.n
        with b.loop("%lo", "%hi") as i:
            matrix = b.address(base, kind, b.put(f"mul nsw i64 {i}, {n * n}"))
            side = ""
            if self.sides is not None:
                step = math.prod(self.sides.shape[-2:])
                side = b.address(other, kind, b.put(f"mul nsw i64 {i}, {step}"))
            self._one(b, kind, matrix, side, room, info)

    def _one(self, b: Body, kind: str, matrix: str, side: str, room: str, info: str) -> None:
        module, n = b.module, self.n
        size = module.constant("i32", n)
        letters = list(self.flags)
        if self.name == "cholesky":
            self._call(b, kind + "potrf", [*letters, size, matrix, size], info)
            for row in range(n - 1) if n <= 8 else ():
                self._clear(b, kind, matrix, str(row))
            if n > 8:
                with b.loop(0, n - 1) as row:
                    self._clear(b, kind, matrix, row)
        elif self.name == "inv":
            work = b.put(f"getelementptr inbounds i8, ptr {room}, i64 {64 * 8 * n}")
            self._call(b, kind + "getrf", [size, size, matrix, size, work], info)
            length = module.constant("i32", 64 * n)
            self._call(b, kind + "getri", [size, matrix, size, work, room, length], info)
        else:
            assert self.sides is not None
            count = module.constant("i32", self.sides.shape[-2])
            if self.name == "solve":
                self._call(b, kind + "gesv", [size, count, matrix, size, room, side, size], info)
            else:
                given = [*letters, size, count, matrix, size, side, size]
                self._call(b, kind + "trtrs", given, info)

    def _clear(self, b: Body, kind: str, matrix: str, row: str) -> None:
        """Set what is right of the diagonal to zero."""
        n, size = self.n, np.dtype(kind).itemsize
        start = b.put(f"add nsw i64 {b.put(f'mul nsw i64 {row}, {n + 1}')}, 1")
        length = b.put(f"mul nsw i64 {b.put(f'sub nsw i64 {n - 1}, {row}')}, {size}")
        zero(b, b.address(matrix, kind, start), length)

    def _call(self, b: Body, routine: str, args: list[str], info: str) -> None:
        status = call(b, routine[0], routine[1:], args, info)
        self.fail(b, b.put(f"icmp ne i32 {status}, 0"))


def _fresh(planner: Planner, ref: Ref) -> Ref:
    """Return a contiguous copy, that may be written over."""
    alias = Value(ref.root.aval._replace(shape=ref.shape, weak=False))
    planner.refs[alias] = ref
    return planner.materialise(alias)


def _suited(node: Node) -> bool:
    if any(not isinstance(x, Value) for x in node.operands):
        return False
    avals = [x.aval for x in (*node.values(), *node.outputs)]
    kinds = {a.dtype.char for a in avals}
    return len(kinds) == 1 and kinds <= {"f", "d"} and all(math.prod(a.shape) for a in avals)


def _one_matrix(flags: str) -> Callable[[Planner, Node], bool]:
    def rule(planner: Planner, node: Node) -> bool:
        if not _suited(node):
            return False
        (x,) = node.values()
        (out,) = node.outputs
        planner.made(out, planner.copy(x, Ref.whole(out)))
        planner.stored.add(out)
        planner.add(Lapack(node.op.name, Ref.whole(out), None, flags), out)
        return True

    return rule


def _system(planner: Planner, node: Node) -> bool:
    if not _suited(node):
        return False
    a, right = node.values()
    (out,) = node.outputs
    triangular = node.op.name == "solve_triangular"
    stack = out.aval.shape[:-2]

    def spread(x: Any) -> Any:
        return np.broadcast_to(x, (*stack, *x.shape[-2:]))

    matrices = planner.refs[a].view(lambda x: spread(x if triangular else x.swapaxes(-1, -2)))
    sides = planner.refs[right].view(lambda x: spread(x).swapaxes(-1, -2))
    if matrices is None or sides is None or sides.shape[-1] != matrices.shape[-1]:
        return False
    matrices, sides = _fresh(planner, matrices), _fresh(planner, sides)
    flags = ""
    if triangular:
        lower, unit = node.params
        flags = f"{'U' if lower else 'L'}T{'U' if unit else 'N'}"
    step = Lapack(node.op.name, matrices, sides, flags)
    planner.add(step, matrices.root, sides.root)
    found = planner.refs[sides.root].view(lambda x: x.swapaxes(-1, -2))
    assert found is not None
    planner.refs[out] = found
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "cholesky": _one_matrix("U"),
    "inv": _one_matrix(""),
    "solve": _system,
    "solve_triangular": _system,
    **FACTOR_RULES,
}
