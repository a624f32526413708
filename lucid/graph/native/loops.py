"""The code of one kernel: loops over rows, and passes over a row with several elements at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Value
from lucid.graph.native.elementwise import cast, emit_node, maximum, minimum
from lucid.graph.native.plan import Item, Kernel, Planner, Ref, contiguous
from lucid.graph.native.text import KINDS, Body, literal, register_type

__all__ = ["KernelCode", "combine", "identity_of"]

CHUNK = 4096  # elements after which a float32 sum goes over into a float64 one
ONE_BY_ONE = 256  # the same, where each number is added to the sum of all before it
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


def identity_of(op: str, kind: str) -> Any:
    """Return what a reduction starts from."""
    if op in ("sum", "any", "count"):
        return 0
    if op in ("prod", "all"):
        return 1
    if kind == "?":
        return op == "min"
    if kind in "fd":
        return -math.inf if op == "max" else math.inf
    info = np.iinfo(kind)
    return info.min if op == "max" else info.max


def combine(b: Body, op: str, kind: str, x: str, y: str) -> str:
    """Return two partial results of a reduction as one."""
    if op == "max":
        return maximum(b, kind, (x, y))
    if op == "min":
        return minimum(b, kind, (x, y))
    if kind == "?":
        return b.binary("or" if op in ("any", "sum") else "and", kind, x, y)
    name = "add" if op == "sum" else "mul"
    return b.binary("f" + name if kind in "fd" else name, kind, x, y)


def horizontal(b: Body, op: str, kind: str, x: str, lanes: int) -> str:
    """Return the reduction of all lanes of a value."""
    have = b.lanes
    while lanes > 1:
        half = lanes // 2
        t = register_type(kind, lanes)
        parts = []
        for start in (0, half):
            mask = ", ".join(f"i32 {start + k}" for k in range(half))
            if half == 1:
                parts.append(b.put(f"extractelement {t} {x}, i64 {start}"))
            else:
                parts.append(b.put(f"shufflevector {t} {x}, {t} poison, <{half} x i32> <{mask}>"))
        b.lanes = half
        x = combine(b, op, kind, parts[0], parts[1])
        lanes = half
    b.lanes = have
    return x


class KernelCode:
    """Emits the functions of a kernel.

    Attributes:
        kernel: what is computed.
        accumulators: per reduction into memory its item, scratch memory, and kind.
        parallel: how many pieces the first axis has, if threads may share them; otherwise 0.
    """

    def __init__(self, module: Any, planner: Planner, kernel: Kernel, name: str) -> None:
        self.module = module
        self.planner = planner
        self.kernel = kernel
        self.name = name
        self.accumulators: list[tuple[Item, Any, str, tuple[int, ...]]] = []
        self.stash: dict[Value, Any] = {}
        self.accesses: dict[Any, Access] = {}
        self.parallel = 0
        self.body = Body(module)
        self.crossing = self._crossing()

    # -- what is accessed ------------------------------------------------------------------------

    def _crossing(self) -> set[Value]:
        """Return the values that a later pass over the row uses."""
        members = self.kernel.members
        found: set[Value] = set()
        for item in self.kernel.items:
            if item.level == "row":
                continue
            for a in item.args:
                if isinstance(a, Value):
                    level, phase = members[a]
                    if level == "full" and phase < item.phase:
                        found.add(a)
        return found

    def _pointer(self, root: Value, offset: int, moving: Any, kind: str) -> str:
        b = self.body
        slot = b.put(f"getelementptr inbounds ptr, ptr %env, i64 {self.module.place(root)}")
        base = b.put(f"load ptr, ptr {slot}, align 8")
        if offset:
            base = b.address(base, kind, str(offset))
        for loop, stride in moving:
            counter = self.module.counter(b, loop)
            step = b.put(f"mul nsw i64 {counter}, {stride}")
            base = b.address(base, kind, step)
        return base

    def _access(self, key: Any, ref: Ref, strides: Sequence[int]) -> None:
        if key not in self.accesses:
            kind = ref.root.aval.dtype.char
            base = self._pointer(ref.root, ref.offset, ref.moving, kind)
            self.accesses[key] = Access(base, kind, strides)

    def _collect(self) -> None:
        kernel, planner = self.kernel, self.planner
        pad = (0,) * (kernel.row or 0)
        for k, item in enumerate(kernel.items):
            row = item.level == "row"
            for i, a in enumerate(item.args):
                if isinstance(a, Ref):
                    strides = a.along(item.shape) + (pad if row else ())
                    self._access(("load", a.root, a.offset, a.moving, strides), a, strides)
            if item.level == "copy":
                assert item.target is not None
                self._access(("copy", k), item.target, item.target.along(item.shape))
            elif item.level == "reduce" and not item.by_row:
                self._accumulator(item)
            elif item.out in planner.stored:
                assert item.out is not None
                whole = Ref.whole(item.out)
                if row or item.level == "reduce":
                    strides = contiguous(kernel.outer_shape) + pad
                else:
                    strides = contiguous(kernel.domain)
                self._access(("store", item.out), whole, strides)
        for value in sorted(self.crossing - planner.stored, key=lambda v: id(v)):
            count = math.prod(kernel.row_shape)
            kind = value.aval.dtype.char
            place = self.module.scratch(count * np.dtype(kind).itemsize * self.module.threads)
            self.stash[value] = place
            base = self._scratch(place, count, kind)
            strides = (0,) * len(kernel.outer_shape) + contiguous(kernel.row_shape)
            self.accesses["store", value] = Access(base, kind, strides)

    def _scratch(self, place: int, count: int, kind: str) -> str:
        """Return this thread's part of a scratch memory."""
        b = self.body
        slot = b.put(f"getelementptr inbounds ptr, ptr %env, i64 {place}")
        base = b.put(f"load ptr, ptr {slot}, align 8")
        return b.address(base, kind, b.put(f"mul nsw i64 %tid, {count}"))

    def _accumulator(self, item: Item) -> None:
        kernel = self.kernel
        assert item.out is not None and item.node is not None
        kind = item.out.aval.dtype.char
        kept = [n for i, n in enumerate(kernel.domain) if i not in item.axes]
        steps = iter(contiguous(kept))
        strides = [0 if i in item.axes else next(steps) for i in range(len(kernel.domain))]
        wide = kind == "f" and item.node.op.name == "sum"
        most = CHUNK if strides[-1:] == [0] else ONE_BY_ONE
        wide = wide and math.prod(kernel.domain[i] for i in item.axes) > most
        memory = "d" if wide else kind
        count = math.prod(kept)
        place = self.module.scratch(count * np.dtype(memory).itemsize * self.module.threads)
        self.accesses["acc", item.out] = Access(self._scratch(place, count, memory), memory, strides)
        self.accumulators.append((item, place, memory, tuple(kept)))

    # -- emission --------------------------------------------------------------------------------

    def emit(self) -> None:
        """Add the kernel's function to the module."""
        kernel = self.kernel
        self._collect()
        domain = list(kernel.domain)
        row = kernel.row or 0
        sizes, row = _collapsed(domain, row, [a.strides for a in self.accesses.values()])
        if not sizes:
            sizes = [1]
            for a in self.accesses.values():
                a.strides = [0]
            row = 0
        self.row = row
        work = math.prod(kernel.domain) * sum(
            8 if i.node is not None and i.node.op.name in EXPENSIVE else 1 for i in kernel.items
        )
        split = not row and len(sizes) >= 1 and sizes[-1] >= 2 * CHUNK
        if split and (len(sizes) == 1 or self.accumulators):
            n, rest = divmod(sizes[-1], CHUNK)
            self._region([*sizes[:-1], n, CHUNK], self._split(n), work)
            if rest:
                start = n * CHUNK
                with self.body.when(self.body.put("icmp eq i64 %lo, 0")):
                    self._region([*sizes[:-1], rest], self._shift(start), 0)
        else:
            self._region(sizes, {k: a for k, a in self.accesses.items()}, work)
        self.body.do("ret void")
        self.module.function(
            f"define internal void @{self.name}(ptr %env, i64 %lo, i64 %hi, i64 %tid)", self.body
        )

    def _split(self, n: int) -> dict[Any, Access]:
        return {
            k: Access(a.base, a.kind, [*a.strides[:-1], a.strides[-1] * CHUNK, a.strides[-1]])
            for k, a in self.accesses.items()
        }

    def _shift(self, start: int) -> dict[Any, Access]:
        new: dict[Any, Access] = {}
        for k, a in self.accesses.items():
            base = a.base
            if a.strides[-1]:
                base = self.body.address(base, a.kind, str(start * a.strides[-1]))
            new[k] = Access(base, a.kind, a.strides)
        return new

    def _region(self, sizes: list[int], accesses: dict[Any, Access], work: int) -> None:
        row = max(self.row, 1)
        outer, inner = sizes[: len(sizes) - row], sizes[len(sizes) - row :]
        if work >= self.module.parallel_work and outer and outer[0] >= 2:
            self.parallel = outer[0]
        self._outer(outer, inner, accesses, 0, bool(work))

    def _outer(
        self, outer: list[int], inner: list[int], accesses: dict[Any, Access], depth: int, top: bool
    ) -> None:
        b = self.body
        if depth == len(outer):
            self._row(inner, accesses, depth)
            return
        shared = depth == 0 and top and self.parallel
        with b.loop("%lo" if shared else 0, "%hi" if shared else outer[depth]) as i:
            moved = {k: self._move(a, i, depth) for k, a in accesses.items()}
            self._outer(outer, inner, moved, depth + 1, top)

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
        assert item.node is not None and item.out is not None
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
        lanes, width = self._lanes(items, n)
        pieces: list[tuple[int, int, int, int]] = []  # start, stop, lanes, how many of them count
        main = n // lanes * lanes
        if main:
            pieces.append((0, main, lanes, lanes))
        if lanes != width and (n - main) // width:
            pieces.append((main, n // width * width, width, width))
        if rest := n % width:
            pieces.append((n - rest, n, _power_of_two(rest), rest))
        sums = [
            i
            for i in items
            if i.level == "reduce" and (i.by_row or not accesses["acc", i.out].strides[-1])
        ]
        variables: dict[Any, str] = {}
        for item in sums:
            assert item.out is not None and item.node is not None
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
            args: list[tuple[str, str]] = []
            for a in item.args:
                if isinstance(a, Value):
                    kind = a.aval.dtype.char
                    if a in registers:
                        args.append((registers[a], kind))
                    elif a in hoisted:
                        args.append((hoisted[a], kind))
                    else:  # computed in an earlier pass
                        key = ("store", a)
                        registers[a] = self._load(accesses[key], index, valid)
                        args.append((registers[a], kind))
                elif isinstance(a, Ref):
                    key = ("load", a.root, a.offset, a.moving, a.along(item.shape))
                    if key in hoisted:
                        registers[key] = hoisted[key]
                    elif key not in registers:
                        registers[key] = self._load(accesses[key], index, valid)
                    args.append((registers[key], accesses[key].kind))
                else:
                    args.append((repr(a), ""))
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
        assert item.out is not None and item.node is not None
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
        assert item.out is not None and item.node is not None
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


def _collapsed(
    sizes: list[int], row: int, strides: Sequence[list[int]]
) -> tuple[list[int], int]:
    """Merge neighbouring axes that all accesses step through evenly, but not across a row's edge."""
    i = len(sizes) - 2
    while i >= 0:
        edge = len(sizes) - row
        even = all(s[i] == sizes[i + 1] * s[i + 1] for s in strides)
        if even and not (row and i + 1 == edge):
            sizes[i] *= sizes[i + 1]
            del sizes[i + 1]
            for s in strides:
                s[i] = s[i + 1]
                del s[i + 1]
            if row and i >= edge:
                row -= 1
        i -= 1
    return sizes, row
