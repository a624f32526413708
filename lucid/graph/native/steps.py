"""The code of steps: functions of their own, and what calls them from the entry."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lucid.graph.ir import Value
from lucid.graph.native.blas import Product
from lucid.graph.native.branch import Branch, While, counted
from lucid.graph.native.elementwise import cast
from lucid.graph.native.loops import KernelCode, combine, identity_of
from lucid.graph.native.lower import Fill
from lucid.graph.native.module import Module
from lucid.graph.native.plan import Kernel, Planner, Ref, Step
from lucid.graph.native.routine import Routine
from lucid.graph.native.scan import Loop
from lucid.graph.native.table import address_of, entry_at, slot
from lucid.graph.native.text import Body, literal

__all__ = ["emitter"]


def emitter(module: Module, planner: Planner, step: Step, name: str, b: Body) -> Callable[[], None]:
    """Emit what a step needs, and return what adds its call to the entry."""
    if isinstance(step, Kernel):
        code = KernelCode(module, planner, step, name)
        code.emit()
        return lambda: _call_kernel(b, code)
    if isinstance(step, Fill):
        module.place(step.root)
        return lambda: _fill(b, step.root)
    for root in (*step.reads(), *step.writes()):
        if root in planner.stored:
            module.place(root)
    if isinstance(step, Loop):
        return _loop_emitter(module, planner, step, name, b)
    if isinstance(step, Routine | Product):
        step.prepare(module, name)
    return lambda: step.emit(b)  # type: ignore[attr-defined]


def _loop_emitter(
    module: Module, planner: Planner, step: Loop, name: str, b: Body
) -> Callable[[], None]:
    def each(steps: Sequence[Step], prefix: str) -> list[Callable[[], None]]:
        named = enumerate(steps)
        return [emitter(module, planner, s, f"{name}{prefix}_{k}", b) for k, s in named]

    if isinstance(step, Branch):
        parts = [each(steps, f"_{k}") for k, steps in enumerate(step.branches)]
        return lambda: _branch(b, step, parts)
    step.place = module.counter_place()  # before the kernels that move with the index
    inner = each(step.steps, "")
    if isinstance(step, While):
        test = each(step.test, "t")
        return lambda: _while(b, step, test, inner)
    return lambda: _loop(b, step, inner)


def _branch(b: Body, step: Branch, parts: Sequence[Sequence[Callable[[], None]]]) -> None:
    b.lanes = 1
    index = b.load(address_of(b, step.index), "?")
    for wanted, calls in zip((b.put(f"xor i1 {index}, true"), index), parts, strict=True):
        with b.when(wanted):
            for call in calls:
                call()


def _while(
    b: Body,
    step: While,
    condition: Sequence[Callable[[], None]],
    inner: Sequence[Callable[[], None]],
) -> None:
    b.lanes = 1
    more = counted(b, step.limit)

    def test() -> str:
        for call in condition:
            call()
        assert step.go is not None
        return more(b.load(address_of(b, step.go), "?"))

    with b.loop_while(test):
        for call in inner:
            call()


def _loop(b: Body, loop: Loop, inner: Sequence[Callable[[], None]]) -> None:
    counter = entry_at(b, loop.place)
    with b.loop(0, loop.length) as i:
        index = b.put(f"sub nsw i64 {loop.length - 1}, {i}") if loop.reverse else i
        b.do(f"store i64 {index}, ptr {counter}, align 8")
        for call in inner:
            call()


def _fill(b: Body, root: Value) -> None:
    base = address_of(b, Ref.whole(root))
    size = math.prod(root.aval.shape) * root.aval.dtype.itemsize
    b.module.declare("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
    b.do(f"call void @llvm.memset.p0.i64(ptr {base}, i8 0, i64 {size}, i1 false)")


def _call_kernel(b: Body, code: KernelCode) -> None:
    """Set accumulators up, run the kernel, and bring accumulators to where results belong."""
    b.lanes = 1
    for item, place, kind, kept in code.accumulators:
        assert item.node is not None
        base = slot(b, place)
        start = literal(identity_of(item.node.op.name, kind), kind)
        with b.loop(0, math.prod(kept) * (b.module.threads if code.parallel else 1)) as i:
            b.store(start, b.address(base, kind, i), kind)
    sums = bool(code.accumulators)
    b.module.run(b, code.name, code.parallel, code.parallel > 1, sums=sums)
    for item, place, kind, kept in code.accumulators:
        assert item.out is not None
        assert item.node is not None
        base = slot(b, place)
        target = address_of(b, Ref.whole(item.out))
        new = item.out.aval.dtype.char
        count = math.prod(kept)
        with b.loop(0, count) as i:
            at = b.address(base, kind, i)
            value = b.load(at, kind)
            for tid in range(1, b.module.threads if code.parallel else 1):
                other = b.load(b.address(at, kind, str(tid * count)), kind)
                value = combine(b, item.node.op.name, kind, value, other)
            b.store(cast(b, value, kind, new), b.address(target, new, i), new)
