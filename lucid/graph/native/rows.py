"""Passes over one row of a kernel, several elements at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Value
from lucid.graph.native.combine import combine, horizontal, identity_of
from lucid.graph.native.elementwise import cast, emit_node
from lucid.graph.native.plan import Item, Kernel, Ref
from lucid.graph.native.text import KINDS, Body, literal, register_type

__all__ = ["EXPENSIVE", "Access", "RowCode"]

EXPENSIVE = frozenset(
    (
        *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "tanh"),
        *("sinh", "cosh", "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "erf"),
        *("erfc", "sigmoid", "cbrt", "hypot", "pow", "gelu", "normal_cdf", "softplus", "elu"),
        *("logaddexp", "pow_derivative", "special.expit", "special.ndtr"),
    )
)


class Access:
    """One stream of elements: an address and a stride along each axis of the loop nest."""

    __slots__ = ("base", "kind", "pointer", "strides")

    def __init__(self, base: str, kind: str, strides: Sequence[int]) -> None:
        self.base = base
        self.kind = kind
        self.strides = list(strides)
        self.pointer = base


class RowCode:
    """Emits the passes over one row: what a kernel's loops contain.

    Attributes:
        module: what it is emitted into.
        kernel: what is computed.
        body: the function that grows.
        accesses: the streams of elements, by what they are for.
    """

    module: Any
    kernel: Kernel
    body: Body
    accesses: dict[Any, Access]

    def _move(self, a: Access, index: str, axis: int) -> Access:
        stride = a.strides[axis]
        if not stride:
            return a
        b = self.body
        step = index if stride == 1 else b.put(f"mul nsw i64 {index}, {stride}")
        return Access(b.address(a.base, a.kind, step), a.kind, a.strides)

    def _row(self, inner: list[int], accesses: dict[Any, Access], depth: int) -> None:
        """Emit the passes over one row, with what is computed per row between them."""
        kernel, b = self.kernel, self.body
        last = max((i.phase for i in kernel.items), default=0)
        rows: dict[Value, str] = {}
        for phase in range(last + 1):
            for item in kernel.items:
                if item.level == "row" and item.phase == phase:
                    self._row_item(item, accesses, rows)
            items = [i for i in kernel.items if i.level != "row" and i.phase == phase]
            if items:
                self._pass(items, inner, accesses, depth, rows, phase)
        b.lanes = 1

    def _row_item(self, item: Item, accesses: dict[Any, Access], rows: dict[Value, str]) -> None:
        b = self.body
        b.lanes = 1
        args: list[tuple[str, str]] = []
        pad = (0,) * (self.kernel.row or 0)
        for a in item.args:
            if isinstance(a, Value):
                args.append((rows[a], a.aval.dtype.char))
            elif isinstance(a, Ref):
                access = accesses["load", a.root, a.offset, a.moving, a.along(item.shape) + pad]
                args.append((b.load(access.base, access.kind), access.kind))
            else:
                args.append((repr(a), ""))
        assert item.node is not None
        assert item.out is not None
        rows[item.out] = self._compute(item, args)
        if ("store", item.out) in accesses:
            access = accesses["store", item.out]
            b.store(rows[item.out], access.base, access.kind)

    def _compute(self, item: Item, args: list[tuple[str, str]]) -> str:
        node = item.node
        assert node is not None
        if any(kind == "" for _, kind in args):  # literals of uniform constants stand for numbers
            operands = [
                a if kind == "" else x
                for a, x, (_, kind) in zip(item.args, node.operands, args, strict=True)
            ]
            args = [
                (literal(a, x.aval.dtype.char, self.body.lanes), x.aval.dtype.char)
                if kind == "" and isinstance(x, Value)
                else (v, kind)
                for a, x, (v, kind) in zip(operands, node.operands, args, strict=True)
            ]
        return emit_node(self.body, node, args)

    # -- a pass over a row -----------------------------------------------------------------------

    def _lanes(self, items: Sequence[Item], n: int) -> tuple[int, int]:
        """Return how many elements go at a time, and how many registers hold."""
        kinds = {a.kind for a in self.accesses.values()}
        kinds |= {i.out.aval.dtype.char for i in items if i.out is not None}
        widest = max((np.dtype(k).itemsize for k in kinds if k != "?"), default=1)
        width = max(self.module.width // max(widest, 4), 1)
        while width > 1 and width // 2 >= n:
            width //= 2
        heavy = any(i.node is not None and i.node.op.name in EXPENSIVE for i in items)
        times = 1 if heavy or len(items) > 12 else 4 if len(items) <= 4 else 2
        while times > 1 and n < 4 * times * width:
            times //= 2
        return width * times, width

    def _pieces(self, items: Sequence[Item], n: int) -> list[tuple[int, int, int, int]]:
        """Cut a row: start, stop, lanes, and how many of them count."""
        lanes, width = self._lanes(items, n)
        pieces: list[tuple[int, int, int, int]] = []
        main = n // lanes * lanes
        if main:
            pieces.append((0, main, lanes, lanes))
        if lanes != width and (n - main) // width:
            pieces.append((main, n // width * width, width, width))
        if rest := n % width:
            pieces.append((n - rest, n, _power_of_two(rest), rest))
        return pieces

    def _pass(
        self,
        items: Sequence[Item],
        inner: list[int],
        accesses: dict[Any, Access],
        depth: int,
        rows: dict[Value, str],
        phase: int,
    ) -> None:
        b = self.body
        n = inner[-1]
        pieces = self._pieces(items, n)
        sums = [
            i
            for i in items
            if i.level == "reduce" and (i.by_row or not accesses["acc", i.out].strides[-1])
        ]
        variables: dict[Any, str] = {}
        for item in sums:
            assert item.out is not None
            assert item.node is not None
            for w in {p[2] for p in pieces}:
                variables[item.out, w] = b.stack(item.out.aval.dtype.char, w)
                b.lanes = w
                kind = item.out.aval.dtype.char
                start = literal(identity_of(item.node.op.name, kind), kind, w)
                b.do(f"store {b.type(kind)} {start}, ptr {variables[item.out, w]}, align 64")
        self._middle(items, inner, accesses, depth, depth + len(inner) - 1, rows, pieces, variables)
        for item in sums:
            self._finish(item, accesses, rows, variables, pieces)

    def _middle(
        self,
        items: Sequence[Item],
        inner: list[int],
        accesses: dict[Any, Access],
        axis: int,
        last: int,
        rows: dict[Value, str],
        pieces: Any,
        variables: Any,
    ) -> None:
        b = self.body
        if axis < last:
            with b.loop(0, inner[len(inner) - 1 - (last - axis)]) as i:
                moved = {k: self._move(a, i, axis) for k, a in accesses.items()}
                self._middle(items, inner, moved, axis + 1, last, rows, pieces, variables)
            return
        for start, stop, lanes, valid in pieces:
            b.lanes = lanes
            hoisted = self._hoist(items, accesses, rows)
            if stop - start <= lanes:
                self._elements(items, accesses, rows, hoisted, str(start), lanes, valid, variables)
            else:
                with b.loop(start, stop, lanes) as j:
                    self._elements(items, accesses, rows, hoisted, j, lanes, valid, variables)
        b.lanes = 1

    def _hoist(
        self, items: Sequence[Item], accesses: dict[Any, Access], rows: dict[Value, str]
    ) -> dict[Any, str]:
        """Return what is the same for the whole row, in every lane."""
        b = self.body
        lanes = b.lanes
        found: dict[Any, str] = {}
        for item in items:
            for a in item.args:
                if isinstance(a, Value) and a in rows and a not in found:
                    found[a] = b.splat(rows[a], a.aval.dtype.char)
                elif isinstance(a, Ref):
                    key = ("load", a.root, a.offset, a.moving, a.along(item.shape))
                    access = accesses[key]
                    if not access.strides[-1] and key not in found:
                        b.lanes = 1
                        value = b.load(access.base, access.kind)
                        b.lanes = lanes
                        found[key] = b.splat(value, access.kind)
        return found

    def _elements(
        self,
        items: Sequence[Item],
        accesses: dict[Any, Access],
        rows: dict[Value, str],
        hoisted: dict[Any, str],
        index: str,
        lanes: int,
        valid: int,
        variables: dict[Any, str],
    ) -> None:
        b = self.body
        registers: dict[Any, str] = {}
        for k, item in enumerate(self.kernel.items):
            if item not in items:
                continue
            args = [
                self._operand(a, item, accesses, hoisted, registers, index, valid)
                for a in item.args
            ]
            if item.level == "copy":
                value, kind = args[0]
                assert item.target is not None
                new = item.target.root.aval.dtype.char
                value = b.const(item.args[0], new) if not kind else cast(b, value, kind, new)
                self._store(value, accesses["copy", k], index, valid)
            elif item.level == "reduce":
                self._add(item, args[0], accesses, index, lanes, valid, variables)
            else:
                assert item.out is not None
                registers[item.out] = self._compute(item, args)
                if ("store", item.out) in accesses:
                    self._store(registers[item.out], accesses["store", item.out], index, valid)

    def _operand(
        self,
        a: Any,
        item: Item,
        accesses: dict[Any, Access],
        hoisted: dict[Any, str],
        registers: dict[Any, str],
        index: str,
        valid: int,
    ) -> tuple[str, str]:
        """Return an operand and its kind, loaded where no register has it."""
        if isinstance(a, Value):
            kind = a.aval.dtype.char
            if a in registers:
                return registers[a], kind
            if a in hoisted:
                return hoisted[a], kind
            registers[a] = self._load(accesses["store", a], index, valid)  # of an earlier pass
            return registers[a], kind
        if not isinstance(a, Ref):
            return repr(a), ""
        key = ("load", a.root, a.offset, a.moving, a.along(item.shape))
        if key in hoisted:
            registers[key] = hoisted[key]
        elif key not in registers:
            registers[key] = self._load(accesses[key], index, valid)
        return registers[key], accesses[key].kind

    def _load(self, a: Access, index: str, valid: int) -> str:
        b = self.body
        stride = a.strides[-1]
        lanes = b.lanes
        at = index if stride == 1 else b.put(f"mul nsw i64 {index}, {stride}")
        b.lanes = valid
        if stride == 0:
            b.lanes = 1
            value = b.load(a.base, a.kind)
            b.lanes = lanes
            return b.splat(value, a.kind)
        if stride == 1:
            value = b.load(b.address(a.base, a.kind, at), a.kind)
        else:
            value = b.gather(a.base, a.kind, at, stride)
        b.lanes = lanes
        return value if valid == lanes else self._widen(value, a.kind, valid, lanes)

    def _widen(self, value: str, kind: str, valid: int, lanes: int) -> str:
        """Fill the lanes that do not count."""
        b = self.body
        if valid == 1:
            t = register_type(kind, lanes)
            return b.put(f"insertelement {t} zeroinitializer, {KINDS[kind]} {value}, i64 0")
        t = register_type(kind, valid)
        mask = ", ".join(f"i32 {k if k < valid else valid}" for k in range(lanes))
        zero = f"{t} zeroinitializer"
        return b.put(f"shufflevector {t} {value}, {zero}, <{lanes} x i32> <{mask}>")

    def _store(self, value: str, a: Access, index: str, valid: int) -> None:
        b = self.body
        lanes = b.lanes
        if valid != lanes:
            t = register_type(a.kind, lanes)
            if valid == 1:
                value = b.put(f"extractelement {t} {value}, i64 0")
            else:
                mask = ", ".join(f"i32 {k}" for k in range(valid))
                value = b.put(f"shufflevector {t} {value}, {t} poison, <{valid} x i32> <{mask}>")
            b.lanes = valid
        stride = a.strides[-1]
        at = index if stride == 1 else b.put(f"mul nsw i64 {index}, {stride}")
        if stride == 1 or b.lanes == 1:
            b.store(value, b.address(a.base, a.kind, at), a.kind)
        else:
            b.scatter(value, a.base, a.kind, at, stride)
        b.lanes = lanes

    # -- reductions ------------------------------------------------------------------------------

    def _add(
        self,
        item: Item,
        arg: tuple[str, str],
        accesses: dict[Any, Access],
        index: str,
        lanes: int,
        valid: int,
        variables: dict[Any, str],
    ) -> None:
        b = self.body
        assert item.out is not None
        assert item.node is not None
        op, kind = item.node.op.name, item.out.aval.dtype.char
        x, have = arg
        x = b.const(item.args[0], kind) if not have else cast(b, x, have, kind)
        if not item.by_row and accesses["acc", item.out].strides[-1]:
            access = accesses["acc", item.out]
            x = cast(b, x, kind, access.kind)
            total = combine(b, op, access.kind, self._load(access, index, valid), x)
            self._store(total, access, index, valid)
            return
        t = b.type(kind)
        if valid != lanes:
            start = literal(identity_of(op, kind), kind, lanes)
            mask = ", ".join(f"i32 {k if k < valid else lanes}" for k in range(lanes))
            if lanes > 1:
                x = b.put(f"shufflevector {t} {x}, {t} {start}, <{lanes} x i32> <{mask}>")
        variable = variables[item.out, lanes]
        old = b.put(f"load {t}, ptr {variable}, align 64")
        new = combine(b, op, kind, old, x)
        b.do(f"store {t} {new}, ptr {variable}, align 64")

    def _finish(
        self,
        item: Item,
        accesses: dict[Any, Access],
        rows: dict[Value, str],
        variables: dict[Any, str],
        pieces: Sequence[tuple[int, int, int, int]],
    ) -> None:
        """Bring the partial results of a row together."""
        b = self.body
        assert item.out is not None
        assert item.node is not None
        op, kind = item.node.op.name, item.out.aval.dtype.char
        total: str | None = None
        for lanes in sorted({p[2] for p in pieces}, reverse=True):
            b.lanes = lanes
            x = b.put(f"load {b.type(kind)}, ptr {variables[item.out, lanes]}, align 64")
            x = horizontal(b, op, kind, x, lanes)
            b.lanes = 1
            total = x if total is None else combine(b, op, kind, total, x)
        b.lanes = 1
        if total is None:
            total = literal(identity_of(op, kind), kind)
        if item.by_row:
            rows[item.out] = total
            if ("store", item.out) in accesses:
                access = accesses["store", item.out]
                b.store(total, access.base, access.kind)
            return
        access = accesses["acc", item.out]
        old = b.load(access.base, access.kind)
        new = combine(b, op, access.kind, old, cast(b, total, kind, access.kind))
        b.store(new, access.base, access.kind)


def _power_of_two(n: int) -> int:
    return 1 << (n - 1).bit_length()
