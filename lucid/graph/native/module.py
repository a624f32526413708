"""One LLVM module: its functions and declarations, its table of memory, and how it is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm

from lucid.graph.ir import Value
from lucid.graph.native import library, threads
from lucid.graph.native.host import host
from lucid.graph.native.store import Stored
from lucid.graph.native.text import Body, register_type
from lucid.graph.native.vecmath import compiled, definition

__all__ = ["Module"]

PARALLEL_WORK = 400_000  # operations on elements from which on a kernel is shared by threads


class Module:
    """Functions as text, and the table of memory that they read addresses from.

    Attributes:
        width: bytes in a vector register.
        parallel_work: the work from which on a kernel is shared by threads.
        inline: whether mathematics is put into loops, rather than called.
    """

    def __init__(self, inline: bool) -> None:
        self.host = host()
        self.width = self.host.width
        self.threads = threads.count()
        self.parallel_work = PARALLEL_WORK if self.threads > 1 else float("inf")
        self.inline = inline
        self.functions: list[str] = []
        self.declarations: dict[str, str] = {}
        self.wanted: dict[str, library.Define] = {}  # of the library
        self.constants: dict[str, None] = {}
        self.arrays: dict[str, str] = {}
        self.places: dict[Value, int] = {}
        self.scratches: list[tuple[int, int]] = []  # place, bytes
        self.count = 0
        self._defined: set[str] = set()
        self.shares = False

    # -- the table of memory ---------------------------------------------------------------------

    def place(self, root: Value) -> int:
        """Return where in the table the address of a value's memory stands."""
        if root not in self.places:
            self.places[root] = self.count
            self.count += 1
        return self.places[root]

    def scratch(self, size: int) -> int:
        """Return the place of scratch memory."""
        self.scratches.append((self.count, size))
        self.count += 1
        return self.count - 1

    def counter_place(self) -> int:
        """Return the place of a loop's index, which stands in the table itself."""
        self.count += 1
        return self.count - 1

    def run(
        self,
        b: Body,
        name: str,
        pieces: int,
        shared: bool,
        env: str = "%env",
        sums: bool = False,
    ) -> None:
        """Call a function ``(env, lo, hi, tid)`` over a range, which threads may share.

        With `sums` the scratch memory of a `tid` outlives the call: it is then the same part of
        the range that has the same memory, whichever thread runs it.
        """
        if shared and pieces > 1:
            self.shares = True
            self.declare("declare void @lucid_share(ptr, ptr, i64, i64)")
            given = f"ptr @{name}, ptr {env}, i64 {pieces}, i64 {int(sums)}"
            b.do(f"call void @lucid_share({given})")
        else:
            b.do(f"call void @{name}(ptr {env}, i64 0, i64 {pieces}, i64 0)")

    # -- text ------------------------------------------------------------------------------------

    def constant(self, kind: str, value: Any) -> str:
        """Return the address of a constant."""
        name = f"@c.{kind}.{str(value).replace('-', 'm')}"
        self.constants[f"{name} = internal constant {kind} {value}"] = None
        return name

    def numbers(self, values: Sequence[str]) -> str:
        """Return the address of constants, each with its type."""
        kind = f"[{len(values)} x {values[0].split()[0]}]"
        text = f"internal constant {kind} [{', '.join(values)}]"
        if text not in self.arrays:
            self.arrays[text] = f"@numbers.{len(self.arrays)}"
        return self.arrays[text]

    def declare(self, text: str) -> None:
        """Declare a function, once, however the text is spelled."""
        self.declarations.setdefault(_symbol(text), text)

    def use(self, symbol: str, head: str, define: library.Define) -> None:
        """Declare a function of the library, which `define` adds to a module."""
        self.declare(f"declare {head}")
        self.wanted[symbol] = define

    def function(self, head: str, body: Body) -> None:
        """Add a function."""
        lines = [f"{head} nounwind {{", "entry:", *body.allocas, *body.lines, "}"]
        self.functions.append("\n".join(lines))

    def first(self, name: str) -> bool:
        """Return whether a name is asked for the first time."""
        new = name not in self._defined
        self._defined.add(name)
        return new

    def math(self, b: Body, name: str, kind: str, args: list[str]) -> str:
        """Call a function of vector mathematics."""
        lanes = b.lanes
        most = self.width // (4 if kind == "f" else 8)
        if lanes > most:  # in pieces of one register
            return self._in_pieces(b, name, kind, args, most)
        if self.inline:
            found = definition(name, kind, lanes, self.host.fma)
            symbol = found.symbol
            if symbol not in self._defined:
                self._defined.add(symbol)
                for text in found.declarations:
                    self.declare(text)
                self.functions.append(found.text)
        else:
            symbol, _ = compiled(name, kind, lanes, self.host.fma)
            t = register_type(kind, lanes)
            self.declare(f'declare {t} @"{symbol}"({", ".join([t] * len(args))})')
        return b.call(f'"{symbol}"', kind, args)

    def _in_pieces(self, b: Body, name: str, kind: str, args: list[str], most: int) -> str:
        lanes = b.lanes
        whole = register_type(kind, lanes)
        results = []
        for start in range(0, lanes, most):
            mask = ", ".join(f"i32 {start + k}" for k in range(most))
            parts = [
                b.put(f"shufflevector {whole} {a}, {whole} poison, <{most} x i32> <{mask}>")
                for a in args
            ]
            b.lanes = most
            results.append(self.math(b, name, kind, parts))
            b.lanes = lanes
        while len(results) > 1:
            size = lanes // len(results)
            t = register_type(kind, size)
            mask = ", ".join(f"i32 {k}" for k in range(2 * size))
            results = [
                b.put(f"shufflevector {t} {x}, {t} {y}, <{2 * size} x i32> <{mask}>")
                for x, y in zip(results[::2], results[1::2], strict=True)
            ]
        return results[0]

    def text(self) -> str:
        """Return the whole module."""
        defined = list(self.functions)
        names = {_symbol(f) for f in defined}
        needed = [d for name, d in self.declarations.items() if name not in names]
        arrays = (f"{name} = {text}" for text, name in self.arrays.items())
        return "\n".join(
            [f'target triple = "{self.host.triple}"', *self.constants, *arrays, *needed, *defined]
        )

    def compile(self, level: int = 2) -> Any:
        """Return the engine that holds the compiled code."""
        with library.LOCK:
            library.complete(self.wanted, Module(inline=False))
            text = self.text()
            stored = Stored(text, self.host, level)
            module = llvm.parse_assembly(text)
            machine = self.host.machine(level)
            if self.shares:
                threads.start(self.host.machine(2))
            if stored.code is None:
                options = llvm.create_pipeline_tuning_options(speed_level=1)
                builder = llvm.create_pass_builder(machine, options)
                passes = llvm.create_new_module_pass_manager()
                passes.add_always_inliner_pass()
                passes.add_sroa_pass()
                passes.run(module, builder)
            engine = llvm.create_mcjit_compiler(module, machine)
            stored.attach(engine)
            engine.finalize_object()
            return engine


def _symbol(text: str) -> str:
    """Return the name of the function that a text declares or defines."""
    return text.split("@", 1)[1].split("(", 1)[0].strip('"')
