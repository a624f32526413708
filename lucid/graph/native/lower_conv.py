"""Convolution: blocks of results in registers, over images laid out so that windows are shifts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.graph.native.gemm import _rows_blocks
from lucid.graph.native.layout import Layout, fill, zero
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine, Stream, moved, run_of
from lucid.graph.native.table import address_of, scratch_of, slot
from lucid.graph.native.text import Body, register_type

__all__ = ["RULES"]

CACHED = 40 * 1024  # bytes of what the gradient of a kernel reads again and again


class Tile:
    """A block of sums in registers."""

    def __init__(self, b: Body, kind: str, rows: int, columns: int, width: int) -> None:
        self.kind, self.width = kind, width
        b.lanes = width
        self.sums = [[b.stack(kind, width) for _ in range(columns)] for _ in range(rows)]
        for line in self.sums:
            for variable in line:
                b.do(f"store {b.type(kind)} zeroinitializer, ptr {variable}")
        b.lanes = 1

    def add(self, b: Body, left: Sequence[str], right: Sequence[str]) -> None:
        """Add all products of the rows' and the columns' vectors."""
        b.lanes = self.width
        t = b.type(self.kind)
        for x, line in zip(left, self.sums, strict=True):
            for y, variable in zip(right, line, strict=True):
                old = b.put(f"load {t}, ptr {variable}")
                new = b.intrinsic("fmuladd", self.kind, [x, y, old])
                b.do(f"store {t} {new}, ptr {variable}")
        b.lanes = 1

    def value(self, b: Body, row: int, column: int) -> str:
        """Return one of the sums."""
        t = register_type(self.kind, self.width)
        return b.put(f"load {t}, ptr {self.sums[row][column]}")


def heights(width_bytes: int, columns: int) -> int:
    """Return how many rows of registers a tile may have beside so many columns."""
    registers = 32 if width_bytes == 64 else 16
    return max(1, min((registers - 2 - columns) // columns, 14 if columns < 3 else 8))


class Conv(Routine):
    """y[n, o, q] = Σ w[o, c, k] x[n, c, q·stride + k·dilation]."""

    shared = True

    def __init__(self, x: Ref, w: Ref, out: Value, layout: Layout, groups: int) -> None:
        super().__init__([x, w], [out])
        self.layout, self.groups = layout, groups
        self.pieces = x.shape[0]
        self.kind = out.aval.dtype.char
        filters, channels = w.shape[:2]
        products = math.prod(out.aval.shape) * channels * len(layout.shifts)
        self.work = products // 6
        self.channels, self.filters = channels, filters // groups

    def scratch(self, module: Any) -> None:
        """One group of channels of an image, and one block of rows of its result."""
        size = np.dtype(self.kind).itemsize
        width = self.width = module.width // size
        vectors = -(-self.layout.span // width)
        self.columns = min(3, vectors)
        self.rows = heights(module.width, self.columns)
        self.line = (vectors + 2) * width
        self.image = (self.channels * self.layout.size + self.line) * size
        self.room = self.rows * self.line * size
        self.image = -(-self.image // 64) * 64
        self.places = (
            module.scratch(self.image * module.threads),
            module.scratch(self.room * module.threads),
        )

    def code(self, b: Body) -> None:
        """Loop over images and groups."""
        x, w = self.operands
        kind, layout = self.kind, self.layout
        image = scratch_of(b, self.places[0], self.image)
        room = scratch_of(b, self.places[1], self.room)
        zero(b, image, self.image)
        base, kernel = address_of(b, x), address_of(b, w)
        whole = Ref.whole(self.results[0])
        out = address_of(b, whole)
        with b.loop("%lo", "%hi") as n, b.loop(0, self.groups) as g:
            source = moved(b, base, kind, n, x.strides[0])
            first = b.put(f"mul nsw i64 {g}, {self.channels}")
            source = moved(b, source, kind, first, x.strides[1])
            with b.loop(0, self.channels) as c:
                here = moved(b, source, kind, c, x.strides[1])
                fill(b, layout, here, kind, x.strides[2:], moved(b, image, kind, c, layout.size))
            filters = b.put(f"mul nsw i64 {g}, {self.filters}")
            weights = moved(b, kernel, kind, filters, w.strides[0])
            result = moved(b, out, kind, n, whole.strides[0])
            result = moved(b, result, kind, filters, whole.strides[1])
            self._image(b, image, weights, result, room)

    def _image(self, b: Body, image: str, weights: str, result: str, room: str) -> None:
        kind, layout, width = self.kind, self.layout, self.width
        w, whole = self.operands[1], Ref.whole(self.results[0])
        vectors = -(-layout.span // width)
        for low, high, rows in _rows_blocks(self.filters, self.rows):
            with b.loop(low, high, rows) as o:
                block = moved(b, weights, kind, o, w.strides[0])
                goal = moved(b, result, kind, o, whole.strides[1])
                for start, stop, columns in _rows_blocks(vectors, self.columns):
                    with b.loop(start, stop, columns) as v:
                        p = b.put(f"mul nsw i64 {v}, {width}")
                        tile = Tile(b, kind, rows, columns, width)
                        self._sum(b, tile, moved(b, image, kind, p, 1), block, rows, columns)
                        self._store(b, tile, moved(b, room, kind, p, 1), rows, columns)
                streams = [
                    Stream(room, kind, (self.line, *layout.steps)),
                    Stream(goal, kind, whole.strides[1:]),
                ]
                run_of(
                    b, (rows, *layout.out), streams,
                    lambda at: b.store(b.load(at[0], kind), at[1], kind),
                )  # fmt: skip

    def _store(self, b: Body, tile: Tile, place: str, rows: int, columns: int) -> None:
        for r in range(rows):
            for c in range(columns):
                b.lanes = self.width
                at = b.address(place, self.kind, str(r * self.line + c * self.width))
                b.store(tile.value(b, r, c), at, self.kind)
        b.lanes = 1

    def _sum(self, b: Body, tile: Tile, image: str, weights: str, rows: int, columns: int) -> None:
        """Add the products with all channels and entries of the window."""
        kind, layout = self.kind, self.layout
        w = self.operands[1]
        entries = [
            sum(i * s for i, s in zip(entry, w.strides[2:], strict=True))
            for entry in itertools.product(*map(range, w.shape[2:]))
        ]

        def one(x: str, y: str) -> None:
            b.lanes = self.width
            right = [b.load(b.address(x, kind, str(k * self.width)), kind) for k in range(columns)]
            left = []
            for r in range(rows):
                b.lanes = 1
                value = b.load(b.address(y, kind, str(r * w.strides[0])), kind)
                b.lanes = self.width
                left.append(b.splat(value, kind))
            tile.add(b, left, right)

        with b.loop(0, self.channels) as c:
            x = moved(b, image, kind, c, layout.size)
            y = moved(b, weights, kind, c, w.strides[1])
            shifts, places = table(b, layout.shifts), table(b, entries)
            with b.loop(0, len(entries)) as k:
                shift = b.load(b.address(shifts, "l", k), "l")
                entry = b.load(b.address(places, "l", k), "l")
                one(b.address(x, kind, shift), b.address(y, kind, entry))


def table(b: Body, numbers: Sequence[int]) -> str:
    """Return the address of constants."""
    return b.module.numbers([f"i64 {n}" for n in numbers])


class ConvWeight(Routine):
    """w[o, c, k] = Σ y[n, o, q] x[n, c, q·stride + k·dilation]: scalar products along q."""

    shared = True
    sums = True

    def __init__(self, x: Ref, y: Ref, out: Value, layout: Layout, groups: int) -> None:
        super().__init__([x, y], [out])
        self.layout, self.groups = layout, groups
        self.kind = out.aval.dtype.char
        filters, channels = out.aval.shape[:2]
        self.channels, self.filters = channels, filters // groups
        products = math.prod(y.shape) * channels * len(layout.shifts)
        self.work = products // 6

    def scratch(self, module: Any) -> None:
        """Some images with a group of channels; what they are multiplied by; partial sums."""
        size = np.dtype(self.kind).itemsize
        width = self.width = module.width // size
        self.vectors = -(-self.layout.span // width)
        self.line = self.vectors * width
        examples = self.operands[0].shape[0]
        self.rows = min(8 if module.width == 64 else 4, self.filters)
        fitting = CACHED // (self.rows * self.line * size)
        self.some = max(1, min(fitting, -(-examples // module.threads)))
        self.pieces = -(-examples // self.some)
        self.channel = self.layout.size
        image = self.some * self.channels * self.channel + self.line + 2 * width
        self.image = -(-image * size // 64) * 64
        self.other = self.some * self.filters * self.line * size
        self.total = math.prod(self.results[0].aval.shape) * size
        self.total = -(-self.total // 64) * 64
        self.places = tuple(
            module.scratch(n * module.threads) for n in (self.image, self.other, self.total)
        )

    def emit(self, b: Body) -> None:
        """Call the function between setting the sums to zero and bringing them together."""
        whole = Ref.whole(self.results[0])
        kind = self.kind
        zero(b, slot(b, self.places[2]), self.total * b.module.threads)
        super().emit(b)
        count = math.prod(whole.shape)
        step = self.total // np.dtype(kind).itemsize
        first = slot(b, self.places[2])
        parts = [b.address(first, kind, str(k * step)) for k in range(b.module.threads)]
        parts = parts if self._parallel else parts[:1]
        streams = [Stream(p, kind, (1,)) for p in (address_of(b, whole), *parts)]

        def visit(at: list[str]) -> None:
            value = b.load(at[1], kind)
            for p in at[2:]:
                value = b.binary("fadd", kind, value, b.load(p, kind))
            b.store(value, at[0], kind)

        run_of(b, (count,), streams, visit)

    def code(self, b: Body) -> None:
        """Loop over groups, and over some images at a time."""
        x, y = self.operands
        kind, layout = self.kind, self.layout
        image = scratch_of(b, self.places[0], self.image)
        other = scratch_of(b, self.places[1], self.other)
        total = scratch_of(b, self.places[2], self.total)
        zero(b, image, self.image)
        zero(b, other, self.other)
        base, ahead = address_of(b, x), address_of(b, y)
        examples = x.shape[0]
        whole = Ref.whole(self.results[0])
        with b.loop("%lo", "%hi") as piece, b.loop(0, self.groups) as g:
            start = b.put(f"mul nsw i64 {piece}, {self.some}")
            left = b.put(f"sub nsw i64 {examples}, {start}")
            few = b.put(f"icmp slt i64 {left}, {self.some}")
            count = b.put(f"select i1 {few}, i64 {left}, i64 {self.some}")
            channel = b.put(f"mul nsw i64 {g}, {self.channels}")
            filters = b.put(f"mul nsw i64 {g}, {self.filters}")
            source = moved(
                b, moved(b, base, kind, start, x.strides[0]), kind, channel, x.strides[1]
            )
            second = moved(
                b, moved(b, ahead, kind, start, y.strides[0]), kind, filters, y.strides[1]
            )
            with b.loop(0, count) as n:
                here = moved(b, source, kind, n, x.strides[0])
                room = moved(b, image, kind, n, self.channels * self.channel)
                with b.loop(0, self.channels) as c:
                    fill(
                        b, layout, moved(b, here, kind, c, x.strides[1]), kind, x.strides[2:],
                        moved(b, room, kind, c, self.channel),
                    )  # fmt: skip
                here = moved(b, second, kind, n, y.strides[0])
                room = moved(b, other, kind, n, self.filters * self.line)
                with b.loop(0, self.filters) as o:
                    streams = [
                        Stream(moved(b, here, kind, o, y.strides[1]), kind, y.strides[2:]),
                        Stream(moved(b, room, kind, o, self.line), kind, layout.steps),
                    ]
                    run_of(
                        b, layout.out, streams,
                        lambda at: b.store(b.load(at[0], kind), at[1], kind),
                    )  # fmt: skip
            goal = moved(b, total, kind, filters, whole.strides[0])
            self._products(b, image, other, goal, count)

    def _products(self, b: Body, image: str, other: str, goal: str, count: str) -> None:
        kind = self.kind
        shifts = self.layout.shifts
        whole = Ref.whole(self.results[0])
        registers = 28 if b.module.width == 64 else 13
        for low, high, rows in _rows_blocks(self.filters, self.rows):
            wide = max(1, min(registers // rows - 1, 9))
            with b.loop(low, high, rows) as o, b.loop(0, self.channels) as c:
                y = moved(b, other, kind, o, self.line)
                x = moved(b, image, kind, c, self.channel)
                z = moved(b, moved(b, goal, kind, o, whole.strides[0]), kind, c, whole.strides[1])
                places = table(b, shifts)
                for start, stop, columns in _rows_blocks(len(shifts), wide):
                    with b.loop(start, stop, columns) as k:
                        first = b.address(places, "l", k)
                        at = [b.load(b.address(first, "l", str(i)), "l") for i in range(columns)]
                        self._tile(b, x, y, b.address(z, kind, k), at, rows, count)

    def _tile(
        self, b: Body, x: str, y: str, z: str, shifts: Sequence[str], rows: int, count: str
    ) -> None:
        kind, width = self.kind, self.width
        tile = Tile(b, kind, rows, len(shifts), width)
        with b.loop(0, count) as n:
            image = moved(b, x, kind, n, self.channels * self.channel)
            other = moved(b, y, kind, n, self.filters * self.line)
            parts = [b.address(image, kind, s) for s in shifts]
            with b.loop(0, self.line, width) as p:
                b.lanes = width
                right = [b.load(b.address(at, kind, p), kind) for at in parts]
                row = b.address(other, kind, p)
                left = [b.load(b.address(row, kind, str(r * self.line)), kind) for r in range(rows)]
                tile.add(b, left, right)
        whole = Ref.whole(self.results[0])
        for r in range(rows):
            for k in range(len(shifts)):
                b.lanes = width
                value = b.total(tile.value(b, r, k), kind)
                b.lanes = 1
                at = b.address(z, kind, str(r * whole.strides[0] + k))
                b.store(b.binary("fadd", kind, b.load(at, kind), value), at, kind)


# -- rules -----------------------------------------------------------------------------------------


def _suited(node: Node) -> bool:
    """Whether all operands are floating arrays of one dtype, with elements."""
    if any(not isinstance(x, Value) for x in node.operands):
        return False
    avals = [x.aval for x in (*node.values(), *node.outputs)]
    kinds = {a.dtype.char for a in avals}
    return len(kinds) == 1 and kinds <= {"f", "d"} and all(math.prod(a.shape) for a in avals)


def _conv(planner: Planner, node: Node) -> bool:
    if not _suited(node):
        return False
    x, w = (planner.ref(v) for v in node.values())
    *geometry, groups = node.params
    layout = Layout(x.shape[2:], w.shape[2:], *geometry)
    (out,) = node.outputs
    planner.add(Conv(x, w, out, layout, groups), out)
    return True


def _conv_weight(planner: Planner, node: Node) -> bool:
    if not _suited(node):
        return False
    x, y = (planner.ref(v) for v in node.values())
    window, *geometry, groups = node.params
    layout = Layout(x.shape[2:], window, *geometry)
    (out,) = node.outputs
    planner.add(ConvWeight(x, y, out, layout, groups), out)
    return True


RULES: dict[str, Callable[[Planner, Node], bool]] = {"conv": _conv, "conv_weight": _conv_weight}
