"""What a jitted function is compiled to, for whoever wants to look."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from lucid.graph.expand import expand
from lucid.graph.ir import Graph, Node
from lucid.graph.program import Program, programs_in

__all__ = ["Cost", "Lowered"]


class Cost(NamedTuple):
    """What one call costs, by operation: numbers of operations on numbers, and bytes moved.

    Attributes:
        flops: additions, multiplications and calls of elementary functions, by operation.
        bytes: read and written, as if nothing stayed in a cache, by operation.
    """

    flops: dict[str, int]
    bytes: dict[str, int]

    def __str__(self) -> str:
        rows: list[tuple[str, Any, Any]] = [("operation", "flops", "bytes")]
        order = sorted(self.flops, key=lambda n: -self.flops[n])
        rows += [(name, self.flops[name], self.bytes[name]) for name in order]
        rows.append(("all", sum(self.flops.values()), sum(self.bytes.values())))
        return "\n".join(f"{name:<24}{a:>16}{b:>16}" for name, a, b in rows)


class Lowered:
    """What a function is compiled to.

    Attributes:
        graph: the operations.
        program: the compiled program.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.graph: Graph = program.graph

    def __str__(self) -> str:
        return str(self.graph)

    def cost(self) -> Cost:
        """Return an estimate of what one call costs."""
        flops: dict[str, int] = {}
        moved: dict[str, int] = {}
        for node in expand(self.graph).nodes:
            name = node.op.name
            flops[name] = flops.get(name, 0) + _flops(node)
            moved[name] = moved.get(name, 0) + (0 if node.op.view else _bytes(node))
        return Cost(flops, moved)

    def fallbacks(self) -> tuple[str, ...]:
        """Return the operations that NumPy computes rather than native code, in order."""
        run: Any = self.program.compiled()
        every = tuple(node.op.name for node in self.graph.nodes)
        return tuple(getattr(run, "fallbacks", every))

    def ir(self) -> str | None:
        """Return the text of the native code, in LLVM's language; None if there is none."""
        text: Any = getattr(self.program.compiled(), "ir", None)
        return str(text()) if callable(text) else text


def _inside(program: Program) -> int:
    return sum(Lowered(program).cost().flops.values())


def _bytes(node: Node) -> int:
    values = (*node.values(), *node.outputs)
    return sum(math.prod(v.aval.shape) * v.aval.dtype.itemsize for v in values)


def _flops(node: Node) -> int:
    """Return how many operations on numbers a node takes; a complex one counts as one."""
    name, out = node.op.name, node.outputs[0].aval if node.outputs else None
    shapes = [v.aval.shape for v in node.values()]
    if out is None or node.op.view or not shapes:
        return 0
    size = math.prod(out.shape)
    if name == "matmul":
        return 2 * size * shapes[0][-1]
    if name == "linear":
        return 2 * size * shapes[0][-1] + (size if len(shapes) > 2 else 0)
    if name == "contract":  # every index of both operands is run through once
        inner = math.prod(shapes[0]) * math.prod(shapes[1]) * size
        return 2 * math.isqrt(inner)
    if name.endswith("_layer"):  # recurrent: a product with the second operand at every step
        return 2 * math.prod(shapes[0]) * shapes[1][-1] + size
    if name in ("scan", "scan_pull"):
        return node.params[3] * _inside(node.params[0])
    if name == "cond":
        return max(_inside(branch) for branch in programs_in(node.params))
    if name == "while":  # one turn: nobody knows how many there are
        return sum(_inside(part) for part in programs_in(node.params))
    if name.startswith("conv"):
        lead = shapes[1][:2] if len(shapes) > 1 and len(shapes[1]) > 2 else (1, 1)
        return 2 * size * (math.prod(shapes[1]) // max(1, lead[0])) if len(shapes) > 1 else size
    return max(size, *(math.prod(s) for s in shapes))
