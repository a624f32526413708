"""From a plan to compiled code: memory, the entry that Python calls, and the function around it."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.graph.ir import Graph, Node, Value
from lucid.graph.native.decompose import decompose
from lucid.graph.native.lower import Call, lower
from lucid.graph.native.module import Module
from lucid.graph.native.plan import Kernel, Planner, Ref, Step
from lucid.graph.native.recycle import LEAST, recycler
from lucid.graph.native.rewrite import hoist_products, merge_places
from lucid.graph.native.steps import emitter
from lucid.graph.native.table import entry_at
from lucid.graph.native.text import Body
from lucid.graph.numpy_executor import compile_numpy, explained

__all__ = ["NativeProgram", "compile_native"]

ALIGN = 64
DATA = 16  # where an array object keeps its address, and its flags
FLAGS = 64
GOOD = 0x101  # C order and aligned
ARGUMENTS = 64  # of one call; more come in a tuple


def compile_native(graph: Graph) -> NativeProgram:
    """Compile a graph."""
    return NativeProgram(merge_places(hoist_products(decompose(graph))))


class NativeProgram:
    """A compiled graph, to be called with a sequence of arrays and Python numbers.

    Attributes:
        owns_results: whether results never share memory with arguments.
        fallbacks: the names of the operations that are not compiled.
        source: the IR, a text per native part.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        planner = self.planner = Planner()
        for value in graph.inputs:
            planner.given(value)
        for value, array in graph.constants.items():
            planner.given(value, array)
        lower(planner, graph)
        self._outputs: list[Value] = []
        self.results = [self._result(y) for y in graph.outputs]
        self.fallbacks = [s.node.op.name for s in planner.steps if isinstance(s, Call)]
        self.owns_results = self._called.isdisjoint(self._outputs)
        self.source: list[str] = []
        constants = {**graph.constants, **planner.extra}
        wanted = planner.stored | {y for y in graph.outputs if isinstance(y, Value)}
        self._constants: dict[Value, Any] = {
            v: np.array(a, order="C") if v in wanted else a for v, a in constants.items()
        }
        self._keep: list[Any] = []
        self._build()

    def _result(self, y: Any) -> Any:
        """Return the root that an output is, in memory of its own; or a number, or an input."""
        planner = self.planner
        if not isinstance(y, Value) or y in self.graph.constants or y in self.graph.inputs:
            return y
        ref = planner.refs[y]
        if ref.is_whole and planner.home[ref.root] >= 0 and ref.root not in self._outputs:
            planner.stored.add(ref.root)
            self._outputs.append(ref.root)
            return ref.root, y.aval
        new = Value(y.aval)
        planner.made(new, planner.copy(y, Ref.whole(new)))
        planner.stored.add(new)
        self._outputs.append(new)
        return new, y.aval

    # -- memory ----------------------------------------------------------------------------------

    def _build(self) -> None:
        planner = self.planner
        parts: list[list[Step]] = [[]]
        for step in planner.steps:
            if isinstance(step, Call):
                parts.append([step])
                parts.append([])
            else:
                parts[-1].append(step)
        part_of: dict[Value, set[int]] = {}
        spans: dict[Value, tuple[int, int]] = {}
        at = 0
        for k, part in enumerate(parts):
            for step in part:
                for root in (*step.reads(), *step.writes()):
                    if planner.home.get(root, -1) < 0 or root not in planner.stored:
                        continue
                    first, _ = spans.get(root, (at, at))
                    spans[root] = (first, at)
                    part_of.setdefault(root, set()).add(k)
                at += 1
        visible = set(self._outputs) | set(self.graph.inputs)
        visible |= {r for r, p in part_of.items() if len(p) > 1}
        for step in planner.steps:
            if isinstance(step, Call):
                visible.update(step.reads())
                visible.update(step.writes())
        visible -= set(self._constants)
        inner = {r: s for r, s in spans.items() if r not in visible}
        self._offsets, self._arena = _allocate(inner)
        self._visible = visible
        self._run = self._assemble(parts)

    # -- code ------------------------------------------------------------------------------------

    def _assemble(self, parts: Sequence[Sequence[Step]]) -> Callable[[Sequence[Any]], Any]:
        names: dict[Value, str] = {}
        scope: dict[str, Any] = {"empty": np.empty, "asarray": np.asarray, "pool": []}

        def name(v: Value) -> str:
            return names.setdefault(v, f"v{len(names)}")

        def constant(x: Any) -> str:
            key = f"k{len(scope)}"
            scope[key] = x
            return key

        lines: list[str] = []
        nodes: dict[str, Node] = {}
        inputs = ", ".join(name(x) for x in self.graph.inputs)
        if inputs:
            lines.append(f"({inputs},) = arguments")
        lines += [
            f"{name(x)} = asarray({name(x)}, {constant(x.aval.dtype)})"
            for x in self.graph.inputs
            if x.aval.weak
        ]
        for value, array in self._constants.items():
            scope[name(value)] = array
        made: set[Value] = set(self.graph.inputs)
        shapes = {r[0]: r[1].shape for r in self.results if isinstance(r, tuple)}
        self._shapes = {k: s for k, s in shapes.items() if k not in self._called}
        arena_at = len(lines)
        sizes = [self._arena]
        for part in parts:
            if not part:
                continue
            if isinstance(part[0], Call):
                lines.append(self._call_text(part[0], name, constant))
                nodes[lines[-1]] = part[0].node
                made.update(part[0].writes())
                continue
            arrays: list[Value] = []
            for step in part:
                for root in (*step.reads(), *step.writes()):
                    if root in self._visible and root not in arrays and root in self.planner.stored:
                        arrays.append(root)
            for root in arrays:
                if root not in made:
                    shape = shapes.get(root, root.aval.shape)
                    dtype = root.aval.dtype
                    if math.prod(shape) * dtype.itemsize >= LEAST:
                        make = f"{constant(recycler(shape, dtype))}()"
                    else:
                        make = f"empty({constant(shape)}, {constant(dtype)})"
                    lines.append(f"{name(root)} = {make}")
                    made.add(root)
            entry, size = self._native(part, arrays)
            sizes.append(size)
            given = ", ".join([*(name(r) for r in arrays), *["arena"] * bool(size)])
            called = constant(entry)
            lines.append(f"if {called}({given}):")
            lines.append(f"    again = {constant(self._retry)}({called}, ({given},), arguments)")
            lines.append("    if again is not None: return again")
        if max(sizes):
            scope["make"] = _arena_maker(max(sizes))
            lines[arena_at:arena_at] = ["try:", "    arena = pool.pop()"]
            lines[arena_at + 2 : arena_at + 2] = ["except IndexError:", "    arena = make()"]
            lines.append("pool.append(arena)")
        results = []
        for r in self.results:
            if isinstance(r, tuple):
                root, aval = r
                text = name(root)
                if root.aval.shape != aval.shape and root in self._called:
                    text += f".reshape({constant(aval.shape)})"
                results.append(f"{text}.item()" if aval.weak else text)
            elif isinstance(r, Value):
                results.append(f"{name(r)}.item()" if r.aval.weak else name(r))
            else:
                results.append(constant(r))
        lines.append(f"return ({''.join(r + ', ' for r in results)})")
        text = "def program(arguments):\n" + "\n".join("    " + x for x in lines)
        exec(compile(text, "<lucid.jit>", "exec"), scope)
        self._where = {k: nodes[line] for k, line in enumerate(lines, 2) if line in nodes}
        self.wrapper = text
        return scope["program"]

    @property
    def _called(self) -> set[Value]:
        return {y for s in self.planner.steps if isinstance(s, Call) for y in s.writes()}

    def _call_text(self, step: Call, name: Any, constant: Any) -> str:
        args: list[str] = []
        for x in step.operands:
            if not isinstance(x, Ref):
                args.append(constant(x))
            elif x.root.aval.weak:
                args.append(f"{name(x.root)}.item()")
            elif x.is_whole and x.shape == self._shapes.get(x.root, x.root.aval.shape):
                args.append(name(x.root))
            else:
                args.append(f"{constant(_viewer(x))}({name(x.root)})")
        args += [constant(p) for p in step.node.params]
        outs = [name(y) for y in step.node.outputs]
        comma = "," if step.node.op.multi else ""
        text = f"{', '.join(outs)}{comma if len(outs) == 1 else ''} = "
        text += f"{constant(step.node.op.impl)}({', '.join(args)})"
        for y, out in zip(step.node.outputs, outs, strict=True):
            text += f"; {out} = asarray({out}, {constant(y.aval.dtype)}, order='C')"
        return text

    def _retry(self, entry: Any, arguments: tuple[Any, ...], whole: Sequence[Any]) -> Any:
        """Call again with inputs in C order; None if that goes well.

        Where native code gives up, at an index out of bounds or a singular matrix, the numpy
        executor raises what eager does, or gives the results of the whole program.
        """
        given = tuple(
            a if a.flags.c_contiguous and a.flags.aligned else np.array(a, order="C")
            for a in arguments
        )
        if not entry(*given):
            return None
        results = compile_numpy(self.graph)(whole)
        return tuple(y.copy() if isinstance(y, np.ndarray) else y for y in results)

    def _native(self, part: Sequence[Step], arrays: Sequence[Value]) -> tuple[Any, int]:
        """Compile one part; return its entry, and how much of the arena it uses."""
        planner = self.planner
        work = sum(
            math.prod(s.domain) * len(s.items) if isinstance(s, Kernel) else getattr(s, "work", 0)
            for s in part
        )
        module = Module(inline=work > 50_000)
        b = Body(module)
        written = {r for s in part for r in s.writes()}
        for root in arrays:
            module.place(root)
        calls: list[Callable[[], None]] = []
        for k, step in enumerate(part):
            calls.append(emitter(module, planner, step, f"k{k}", b))
        # the table
        head = Body(module)
        head._count = 100_000  # names of its own
        used = self._arena
        places = {}
        constants: list[int] = []
        for root, place in module.places.items():
            if root not in planner.stored:
                continue
            if root in self._constants:
                places[place] = ("constant", len(constants))
                constants.append(self._constants[root].ctypes.data)
            elif root in self._offsets:
                places[place] = ("arena", self._offsets[root])
            else:
                places[place] = ("array", arrays.index(root))
        for place, size in module.scratches:
            places[place] = ("arena", used)
            used += -(-max(size, 1) // ALIGN) * ALIGN
        head.do(f"%env = alloca [{module.count} x ptr], align 16")
        parameters = [*(f"%a{k}" for k in range(len(arrays))), *["%arena"] * bool(used)]
        many = len(parameters) > ARGUMENTS  # they come in a tuple

        flags = str(GOOD)
        if many:
            flags = _take_all(head, len(arrays))
        for k, root in enumerate(arrays):
            if root not in written and not many:
                slot = head.put(f"getelementptr i8, ptr %a{k}, i64 {FLAGS}")
                value = head.put(f"load i32, ptr {slot}, align 4")
                flags = head.put(f"and i32 {flags}, {value}")
        bad = head.put(f"icmp ne i32 {flags}, {GOOD}")
        head.do(f"br i1 {bad}, label %refuse, label %accept")
        head.label("accept")
        aligned = table = ""
        if used:
            arena = _taken(head, str(len(arrays))) if many else "%arena"
            at = head.put(f"getelementptr i8, ptr {arena}, i64 {DATA}")
            raw = head.put(f"load i64, ptr {at}, align 8")
            up = head.put(f"add i64 {raw}, {ALIGN - 1}")
            aligned = head.put(f"and i64 {up}, {-ALIGN}")
        for place, (kind, where) in places.items():
            if kind == "constant":
                if not where:  # their addresses differ from process to process
                    table = head.put("load ptr, ptr @constants, align 8")
                slot = head.put(f"getelementptr inbounds ptr, ptr {table}, i64 {where}")
                value = head.put(f"load ptr, ptr {slot}, align 8")
            elif kind == "arena":
                value = head.put(f"inttoptr i64 {head.put(f'add i64 {aligned}, {where}')} to ptr")
            elif many:
                continue
            else:
                slot = head.put(f"getelementptr i8, ptr %a{where}, i64 {DATA}")
                value = head.put(f"load ptr, ptr {slot}, align 8")
            head.do(f"store ptr {value}, ptr {entry_at(head, place)}, align 8")
        head.do("br label %start")
        head.lines.append("start:")
        b.block = "start"
        b.lines = []
        b.allocas = []
        for call in calls:
            call()
        b.do("ret i32 0")
        b.lines.append("refuse:")
        b.do("ret i32 1")
        b.lines.append("outside:")
        b.do("ret i32 2")
        whole = Body(module)
        whole.allocas = [*head.allocas, *b.allocas]
        whole.lines = [*head.lines, *b.lines]
        if many:
            parameters = ["%all"]
        given = ", ".join(f"ptr {p}" for p in parameters)
        module.function(f"define i32 @entry({given})", whole)
        module.constants["@constants = global ptr null"] = None
        self.source.append(module.text())
        engine = module.compile()
        addresses = np.array(constants, np.uintp)
        table_at = engine.get_global_value_address("constants")
        ctypes.c_void_p.from_address(table_at).value = addresses.ctypes.data
        self._keep += [engine, addresses]
        address = engine.get_function_address("entry")
        kinds = [ctypes.py_object] * len(parameters)
        long = work > 200_000
        maker = ctypes.CFUNCTYPE if long else ctypes.PYFUNCTYPE
        entry = maker(ctypes.c_int, *kinds)(address)
        return (lambda *arrays: entry(arrays)) if many else entry, used

    def __call__(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """Compute the graph."""
        if not self.fallbacks:
            return self._run(arguments)
        try:
            with np.errstate(all="ignore"):
                return self._run(arguments)
        except Exception as error:
            raise explained(error, self._where) from error


def _taken(b: Body, k: str) -> str:
    """Return an array out of the tuple in which many come."""
    first = b.put(f"getelementptr i8, ptr %all, i64 {tuple.__basicsize__}")
    slot = b.put(f"getelementptr ptr, ptr {first}, i64 {k}")
    return b.put(f"load ptr, ptr {slot}, align 8")


def _take_all(b: Body, count: int) -> str:
    """Put the addresses of all arrays into the table, where they come first; return their flags."""
    common = b.stack("i", 1)
    b.do(f"store i32 {GOOD}, ptr {common}, align 4")
    with b.loop(0, count) as k:
        array = _taken(b, k)
        data = b.put(
            f"load ptr, ptr {b.put(f'getelementptr i8, ptr {array}, i64 {DATA}')}, align 8"
        )
        b.do(f"store ptr {data}, ptr {entry_at(b, k)}, align 8")
        at = b.put(f"getelementptr i8, ptr {array}, i64 {FLAGS}")
        flags = b.put(f"load i32, ptr {at}, align 4")
        old = b.put(f"load i32, ptr {common}, align 4")
        b.do(f"store i32 {b.put(f'and i32 {old}, {flags}')}, ptr {common}, align 4")
    return b.put(f"load i32, ptr {common}, align 4")


def _viewer(ref: Ref) -> Callable[[Any], Any]:
    """Return a function that makes a view of the root's array."""
    size = ref.root.aval.dtype.itemsize
    shape, strides = ref.shape, tuple(s * size for s in ref.strides)

    def view(array: Any) -> Any:
        if not math.prod(shape):
            return np.empty(shape, array.dtype)
        flat = np.ascontiguousarray(array)
        return np.ndarray(shape, flat.dtype, flat, ref.offset * size, strides)

    return view


def _arena_maker(size: int) -> Callable[[], Any]:
    return lambda: np.empty(size + ALIGN, np.uint8)


def _allocate(spans: dict[Value, tuple[int, int]]) -> tuple[dict[Value, int], int]:
    """Place values in one arena, so that those alive at the same time do not overlap."""
    offsets: dict[Value, int] = {}
    alive: list[tuple[int, int, int]] = []  # last step, start, stop
    top = 0
    for root, (first, last) in sorted(spans.items(), key=lambda item: item[1]):
        size = max(math.prod(root.aval.shape) * root.aval.dtype.itemsize, 1)
        size = -(-size // ALIGN) * ALIGN
        alive = [a for a in alive if a[0] >= first]
        start = 0
        for _, low, high in sorted(alive, key=lambda a: a[1]):
            if start + size <= low:
                break
            start = max(start, high)
        offsets[root] = start
        alive.append((last, start, start + size))
        top = max(top, start + size)
    return offsets, top
