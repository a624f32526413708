"""The innermost functions of matrix products, compiled once per process for all sizes and strides.

Strides are in bytes. A *block* of the result stays in registers while columns of the left matrix
are broadcast against rows of the right one; *dots* are scalar products along contiguous axes.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lucid.graph.native.text import KINDS, Body, register_type

__all__ = ["block", "dots", "lanes_of", "masked_load", "masked_store", "square_of", "turn"]


def lanes_of(module: Any, kind: str) -> int:
    """Return how many numbers a register holds."""
    return module.width // np.dtype(kind).itemsize


# -- blocks --------------------------------------------------------------------------------------


def block(module: Any, kind: str, rows: int, vectors: int, masked: bool) -> str:
    """Return the function that computes or adds to so many rows and registers of columns.

    Its operands: a and its strides; b, whose columns lie together, and its stride; c likewise; the
    length of the sums; whether to add to c; and how many numbers of the last register exist, where
    the function is `masked`.
    """
    symbol = f"lucid_block_{kind}_{rows}x{vectors}{'m' if masked else ''}"
    head = (
        f"void @{symbol}(ptr noalias %a, i64 %a0, i64 %a1, ptr noalias %b, i64 %b0, "
        "ptr noalias %c, i64 %c0, i64 %depth, i64 %more, i64 %valid)"
    )
    module.use(symbol, head, partial(_block, head, kind, rows, vectors, masked))
    return symbol


def _block(head: str, kind: str, rows: int, vectors: int, masked: bool, module: Any) -> None:
    b = Body(module)
    w = lanes_of(module, kind)
    t = register_type(kind, w)
    mask = _mask(b, w, "%valid") if masked else ""
    tile = [(r, v) for r in range(rows) for v in range(vectors)]

    def part(v: int) -> str:
        return mask if v == vectors - 1 else ""

    b.do("br label %head")
    b.label("head")
    b.do("%left = phi i64 [ %depth, %entry ], [ %left.n, %body ]")
    b.do("%x = phi ptr [ %a, %entry ], [ %x.n, %body ]")
    b.do("%y = phi ptr [ %b, %entry ], [ %y.n, %body ]")
    for r, v in tile:
        b.do(f"%s{r}.{v} = phi {t} [ zeroinitializer, %entry ], [ %n{r}.{v}, %body ]")
    b.do("%go = icmp sgt i64 %left, 0")
    b.do("br i1 %go, label %body, label %exit")
    b.label("body")
    b.lanes = w
    row = [masked_load(b, b.address("%y", kind, str(v * w)), kind, part(v)) for v in range(vectors)]
    at = "%x"
    name = f"llvm.fmuladd.v{w}f{8 * np.dtype(kind).itemsize}"
    module.declare(f"declare {t} @{name}({t}, {t}, {t})")
    for r in range(rows):
        at = b.on(at, "%a0") if r else at
        one = b.put(f"load {KINDS[kind]}, ptr {at}, align {np.dtype(kind).itemsize}")
        spread = b.splat(one, kind)
        for v, value in enumerate(row):
            old = f"%s{r}.{v}"
            b.do(f"%n{r}.{v} = call {t} @{name}({t} {spread}, {t} {value}, {t} {old})")
    b.do("%left.n = add nsw i64 %left, -1")
    b.do("%x.n = getelementptr i8, ptr %x, i64 %a1")
    b.do("%y.n = getelementptr i8, ptr %y, i64 %b0")
    b.do("br label %head")
    b.label("exit")
    b.do("%old = icmp ne i64 %more, 0")
    b.do("br i1 %old, label %add, label %put")
    for label in ("add", "put"):
        b.label(label)
        at = "%c"
        for r, v in tile:
            at = b.on(at, "%c0") if r and not v else at
            place = b.address(at, kind, str(v * w))
            value = f"%s{r}.{v}"
            if label == "add":
                value = b.binary("fadd", kind, masked_load(b, place, kind, part(v)), value)
            masked_store(b, value, place, kind, part(v))
        b.do("ret void")
    module.function(f"define {head}", b)


# -- scalar products -----------------------------------------------------------------------------


def dots(module: Any, kind: str, m: int, n: int) -> str:
    """Return the function for products in which both operands have the summed axis contiguous.

    Its operands: a and its stride; b and its stride; c and its strides; the sizes m, n, k. Blocks
    at the edge overlap those before them.
    """
    most = 4 if module.host.registers == 32 else 3
    rows, columns = min(m, most), min(n, most)
    symbol = f"lucid_dots_{kind}_{rows}x{columns}"
    head = (
        f"void @{symbol}(ptr noalias %a, i64 %a0, ptr noalias %b, i64 %b1, "
        "ptr noalias %c, i64 %c0, i64 %c1, i64 %m, i64 %n, i64 %k)"
    )
    module.use(symbol, head, partial(_dots, head, kind, rows, columns))
    return symbol


def _dots(head: str, kind: str, rows: int, columns: int, module: Any) -> None:
    b = Body(module)
    w = lanes_of(module, kind)
    main = b.put(f"and i64 %k, {-w}")
    mask = _mask(b, w, b.put(f"sub nsw i64 %k, {main}"))
    module.declare("declare i64 @llvm.smin.i64(i64, i64)")
    edges = [b.put(f"sub nsw i64 {n}, {c}") for n, c in (("%m", rows), ("%n", columns))]
    with b.loop(0, "%m", rows) as i, b.loop(0, "%n", columns) as j:
        i, j = (
            b.put(f"call i64 @llvm.smin.i64(i64 {x}, i64 {edge})")
            for x, edge in zip((i, j), edges, strict=True)
        )
        xs = _lines(b, b.on("%a", b.put(f"mul nsw i64 {i}, %a0")), "%a0", rows)
        ys = _lines(b, b.on("%b", b.put(f"mul nsw i64 {j}, %b1")), "%b1", columns)
        goal = b.on("%c", b.put(f"mul nsw i64 {i}, %c0"))
        goal = b.on(goal, b.put(f"mul nsw i64 {j}, %c1"))
        sums = _sums(b, kind, w, xs, ys, main, mask)
        for r, line in enumerate(_lines(b, goal, "%c0", rows)):
            for c, place in enumerate(_lines(b, line, "%c1", columns)):
                b.lanes = w
                total = b.total(sums[r][c], kind)
                b.lanes = 1
                b.store(total, place, kind)
    b.do("ret void")
    module.function(f"define {head}", b)


def _sums(
    b: Body, kind: str, w: int, xs: list[str], ys: list[str], main: str, mask: str
) -> list[list[str]]:
    """Return registers of sums of products, over all of the axis."""
    t = register_type(kind, w)
    before, k = b.block, b.name()[1:]
    tile = [(r, c) for r in range(len(xs)) for c in range(len(ys))]

    def step(at: str, part: str) -> list[list[str]]:
        b.lanes = w
        left, right = (
            [masked_load(b, b.address(p, kind, at), kind, part) for p in ps] for ps in (xs, ys)
        )
        out = [
            [b.intrinsic("fmuladd", kind, [x, y, f"%{k}.{r}.{c}"]) for c, y in enumerate(right)]
            for r, x in enumerate(left)
        ]
        b.lanes = 1
        return out

    b.do(f"br label %{k}.head")
    b.label(f"{k}.head")
    b.do(f"%{k}.p = phi i64 [ 0, %{before} ], [ %{k}.q, %{k}.body ]")
    for r, c in tile:
        b.do(
            f"%{k}.{r}.{c} = phi {t} [ zeroinitializer, %{before} ], [ %{k}.{r}.{c}.n, %{k}.body ]"
        )
    b.do(f"%{k}.go = icmp slt i64 %{k}.p, {main}")
    b.do(f"br i1 %{k}.go, label %{k}.body, label %{k}.exit")
    b.label(f"{k}.body")
    new = step(f"%{k}.p", "")
    for r, c in tile:  # names that the head of the loop knows
        b.do(f"%{k}.{r}.{c}.n = bitcast {t} {new[r][c]} to {t}")
    b.do(f"%{k}.q = add nsw i64 %{k}.p, {w}")
    b.do(f"br label %{k}.head")
    b.label(f"{k}.exit")
    return step(main, mask)


# -- transposition -------------------------------------------------------------------------------


def square_of(module: Any, kind: str) -> int:
    """Return the side of the square that `turn` transposes: half of a wide register.

    A whole one of 64 bytes takes LLVM four times as long, for the same speed.
    """
    return min(module.width, 32) // np.dtype(kind).itemsize


def turn(module: Any, kind: str) -> str:
    """Return the function that transposes a square.

    Its operands: where rows lie, and their stride; where they go as columns, and the stride; how
    many of the rows exist: the others repeat the last one.
    """
    symbol = f"lucid_turn_{kind}"
    head = f"void @{symbol}(ptr %x, i64 %sx, ptr %y, i64 %sy, i64 %count)"
    module.use(symbol, head, partial(_turn, head, kind))
    return symbol


def _turn(head: str, kind: str, module: Any) -> None:
    b = Body(module)
    w = b.lanes = square_of(module, kind)
    t = register_type(kind, w)
    rows = []
    at = "%x"
    for j in range(w):
        if j:
            more = b.put(f"icmp sgt i64 %count, {j}")
            at = b.on(at, b.put(f"select i1 {more}, i64 %sx, i64 0"))
        rows.append(b.load(at, kind))
    s = w // 2
    while s:  # exchange ever smaller blocks
        for i in range(w):
            if i & s:
                continue
            first = ", ".join(f"i32 {q if not q & s else w + q - s}" for q in range(w))
            second = ", ".join(f"i32 {q + s if not q & s else w + q}" for q in range(w))
            x, y = rows[i], rows[i + s]
            rows[i] = b.put(f"shufflevector {t} {x}, {t} {y}, <{w} x i32> <{first}>")
            rows[i + s] = b.put(f"shufflevector {t} {x}, {t} {y}, <{w} x i32> <{second}>")
        s //= 2
    at = "%y"
    for u, row in enumerate(rows):
        at = b.on(at, "%sy") if u else at
        b.store(row, at, kind)
    b.do("ret void")
    module.function(f"define {head}", b)


# -- memory --------------------------------------------------------------------------------------


def masked_load(b: Body, at: str, kind: str, mask: str) -> str:
    """Load a register, or its first numbers and zeros where there is a mask."""
    if not mask:
        return b.load(at, kind)
    name, t, m = _masked(b, kind)
    b.module.declare(f"declare {t} @llvm.masked.load.{name}(ptr, i32, {m}, {t})")
    size = np.dtype(kind).itemsize
    return b.put(
        f"call {t} @llvm.masked.load.{name}(ptr {at}, i32 {size}, {m} {mask}, {t} zeroinitializer)"
    )


def masked_store(b: Body, value: str, at: str, kind: str, mask: str) -> None:
    """Store a register, or its first numbers where there is a mask."""
    if not mask:
        b.store(value, at, kind)
        return
    name, t, m = _masked(b, kind)
    b.module.declare(f"declare void @llvm.masked.store.{name}({t}, ptr, i32, {m})")
    size = np.dtype(kind).itemsize
    b.do(f"call void @llvm.masked.store.{name}({t} {value}, ptr {at}, i32 {size}, {m} {mask})")


def _masked(b: Body, kind: str) -> tuple[str, str, str]:
    w = b.lanes
    suffix = f"v{w}f{8 * np.dtype(kind).itemsize}.p0"
    return suffix, register_type(kind, w), register_type("?", w)


def _mask(b: Body, w: int, count: str) -> str:
    """Return the mask of the first numbers of a register."""
    b.lanes = w
    each = ", ".join(f"i64 {k}" for k in range(w))
    mask = b.put(f"icmp slt <{w} x i64> <{each}>, {b.splat(count, 'l')}")
    b.lanes = 1
    return mask


def _lines(b: Body, at: str, step: str, count: int) -> list[str]:
    """Return addresses at a stride."""
    found = [at]
    while len(found) < count:
        found.append(b.on(found[-1], step))
    return found
