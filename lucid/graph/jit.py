"""jit: capture once, compile, call many times."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from lucid import tree
from lucid.config import get_default_dtype
from lucid.core.cells import capturing, version
from lucid.core.dispatch import PYTHON, apply, lift
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, aval, lower, wrap
from lucid.errors import GraphError, OperandError, OptionError, message
from lucid.graph.capture import Trace, is_number
from lucid.graph.executors import check_executor
from lucid.graph.ir import Graph
from lucid.graph.program import Program, call, trace
from lucid.graph.quick import MISS, quick
from lucid.transforms.boundary import check_function

__all__ = ["Jitted", "jit", "make_graph"]

F = TypeVar("F", bound=Callable[..., Any])
_ndarray = np.ndarray
_CAPACITY = 128  # programs that one jitted function keeps


def jit(
    fun: F | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    executor: str | None = None,
) -> F:
    """Compile a function: capture it once per shapes and dtypes, and run what it did from then on.

    Python runs only while the function is captured. Parameters, gradients, buffers, optimiser
    states, learning rates and the default random generator are read anew at every call, and
    written after it; Tensors and NumPy arrays that the function closes over are constants, so that
    writing into such an array later changes nothing. Derivatives, `vmap` and `jit` itself can be
    taken of a jitted function, and inside it.

    Args:
        fun: a function of arrays, numbers, or pytrees of them; other arguments are static. Without
            it, `jit` returns a decorator.
        static_argnums: positions of arguments that are hashable and compiled in: a new value means
            a new capture.
        static_argnames: likewise of arguments passed by name.
        executor: "numpy", which gives the bits that eager does; "native", which needs the extra
            ``lucid[jit]``; None takes "native" where it is installed.

    Returns:
        The function, compiled at its first call. ``.lower(*args)`` shows what it is compiled to.

    Raises:
        ConcretizationError: at the first call, if the function needs the number behind a Tensor.
        MissingExtraError: if the executor's package is not installed.
        OptionError: if there is no such executor, or no such argument.

    Example:
        >>> import lucid
        >>> f = lucid.jit(lambda x: (x * x).sum())
        >>> f(lucid.asarray([1.0, 2.0]))
        Tensor(5.)
        >>> lucid.grad(f)(lucid.asarray([1.0, 2.0]))
        Tensor([2., 4.])
    """
    check_executor(executor)
    if fun is None:
        return functools.partial(  # type: ignore[return-value]
            jit,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            executor=executor,
        )
    check_function("jit", fun)
    return Jitted(fun, static_argnums, static_argnames, executor)  # type: ignore[return-value]


class _Entry:
    """One compiled capture: the program, and what must hold for it to be called."""

    __slots__ = ("borrows", "out", "outputs", "program", "trace", "version")

    def __init__(self, found: Trace, out: Any, outputs: int, program: Program) -> None:
        self.trace = found
        self.out = out  # structure of the result
        self.outputs = outputs
        self.program = program
        self.version = -1

    def holds(self) -> bool:
        """Return whether every guard has the value it had."""
        now = version[0]
        if self.version != now:
            for place, value in self.trace.guards:
                present = place.get()
                if present is not value and not _equal(present, value):
                    return False
            self.version = now
        return all(_alive(t) for t in self.trace.outside)

    def read_cells(self) -> list[Any] | None:
        """Return the numbers in all cells; None if one has changed its structure or type."""
        found: list[Any] = []
        for cell in self.trace.cells:
            if cell.structure is None:
                continue
            value = cell.place.get()
            if type(value) is Tensor and len(cell.leaves) == 1:
                leaves: list[Any] = [value]
            else:
                leaves, structure = tree.flatten(value)
                if structure != cell.structure:
                    return None
            for leaf, want, fixed in zip(leaves, cell.leaves, cell.static, strict=True):
                if want is None:
                    if not _equal(leaf, fixed):
                        return None
                else:
                    a = aval(leaf)
                    if a != want.aval:
                        return None
                    found.append(leaf)
        return found


def _equal(a: Any, b: Any) -> bool:
    try:
        return type(a) is type(b) and bool(a == b)
    except Exception:
        return False


def _alive(t: Tensor) -> bool:
    """Whether a closed-over Tensor may be read again: its transformations still run."""
    x: Any = t
    while isinstance(x, Tensor) and x._note is not None:
        if x._note.frame.scoped or not x._note.frame.open:
            return False
        x = x._value
    return True


class Jitted:
    """A compiled function: see `lucid.jit`."""

    def __init__(self, fun: Any, argnums: Any, argnames: Any, executor: str | None) -> None:
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.executor = executor
        self._argnums = _integers(argnums)
        self._argnames = (argnames,) if isinstance(argnames, str) else tuple(argnames)
        self._cache: OrderedDict[Any, list[_Entry]] = OrderedDict()
        self._lock = threading.RLock()
        self._reasons: list[str] = []
        self._quick: Any = None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the function."""
        if self._quick is not None and not kwargs:
            result = self._quick(args)
            if result is not MISS:
                return result
        if capturing.get() is not None:
            return self.fun(*args, **kwargs)
        found, key = self._take(args, kwargs)
        entry, cells = self._find(key, args, kwargs)
        result = self._run(entry, found, cells)
        if not (kwargs or self._argnums):
            program = entry.program
            self._quick = quick(entry.trace, program.compiled(), entry.out, args)
        return result

    # -- arguments -------------------------------------------------------------------------------

    def _take(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
        """Return the traced leaves, and the key of everything that is compiled in."""
        static: list[Any] = []
        if self._argnums or self._argnames:
            args, kwargs, static = self._split_static(args, kwargs)
        leaves, structure = tree.flatten((args, kwargs))
        found: list[Any] = []
        kinds: list[Any] = []
        for x in leaves:
            kind = type(x)
            if kind is Tensor or kind is _ndarray or kind in PYTHON or is_number(x):
                found.append(x)
                kinds.append(_leaf_type(x))
            else:
                kinds.append(_Static(x))
        key = (structure, tuple(kinds), tuple(static), get_default_dtype())
        try:
            hash(key)
        except TypeError as error:
            hint = "static arguments and leaves that are no arrays must be hashable"
            raise OperandError(
                message("jit", "hashable static arguments", str(error), hint)
            ) from None
        return found, key

    def _split_static(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], list[Any]]:
        places = {k % len(args) for k in self._argnums if -len(args) <= k < len(args)}
        static = [(k, type(args[k]), args[k]) for k in sorted(places)]
        static += [(n, type(kwargs[n]), kwargs[n]) for n in self._argnames if n in kwargs]
        rest = tuple(None if k in places else a for k, a in enumerate(args))
        named = {n: a for n, a in kwargs.items() if n not in self._argnames}
        return rest, named, static

    # -- programs --------------------------------------------------------------------------------

    def _find(self, key: Any, args: Any, kwargs: Any) -> tuple[_Entry, list[Any]]:
        for entry in self._cache.get(key, ()):
            if entry.holds():
                cells = entry.read_cells()
                if cells is not None:
                    return entry, cells
        with self._lock:
            entry = self._capture(args, kwargs)
            entries = self._cache.setdefault(key, [])
            entries[:] = [e for e in entries if all(_alive(t) for t in e.trace.outside)]
            entries.insert(0, entry)
            del entries[_CAPACITY:]
            while len(self._cache) > _CAPACITY:
                self._cache.popitem(last=False)
        cells = entry.read_cells()
        if cells is None:
            raise GraphError(message("jit", "cells that keep still", "one that changed in between"))
        return entry, cells

    def _capture(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Entry:
        places = {k % len(args) for k in self._argnums if -len(args) <= k < len(args)}
        rest = tuple(None if k in places else a for k, a in enumerate(args))
        named = {n: a for n, a in kwargs.items() if n not in self._argnames}
        leaves, structure = tree.flatten((rest, named))
        where = [i for i, x in enumerate(leaves) if is_number(x)]
        out: Any = None
        count = 0

        def body(*tensors: Tensor) -> Sequence[Any]:
            nonlocal out, count
            full = list(leaves)
            for i, t in zip(where, tensors, strict=True):
                full[i] = t
            inner, inner_named = tree.unflatten(structure, full)
            inner = tuple(args[k] if k in places else a for k, a in enumerate(inner))
            inner_named |= {n: a for n, a in kwargs.items() if n in self._argnames}
            outs, out = tree.flatten(self.fun(*inner, **inner_named))
            count = len(outs)
            return outs

        found = trace("jit", body, [_aval(leaves[i]) for i in where])
        return _Entry(found, out, count, Program(found.graph, self.executor))

    def _run(self, entry: _Entry, found: list[Any], cells: list[Any]) -> Any:
        operands = lift("jit", (*found, *entry.trace.outside, *cells))
        outs = apply(call, operands, (entry.program,))
        if any(isinstance(x, _ndarray) for x in found):
            outs = _owned(outs, found)
        for k, structure, start, stop in entry.trace.written:
            place = entry.trace.cells[k].place
            assert place.put is not None
            values = [_settled(y) for y in outs[start:stop]]
            place.put(tree.unflatten(structure, values))
        return tree.unflatten(entry.out, outs[: entry.outputs])

    # -- looking inside --------------------------------------------------------------------------

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Return what the function is compiled to for these arguments."""
        _, key = self._take(args, kwargs)
        entry, _ = self._find(key, args, kwargs)
        return Lowered(entry.program)

    def clear_cache(self) -> None:
        """Forget every compiled program."""
        with self._lock:
            self._cache.clear()
            self._quick = None

    def __repr__(self) -> str:
        return f"<jit of {getattr(self.fun, '__qualname__', self.fun)!s}>"


class Lowered:
    """What a function is compiled to.

    Attributes:
        graph: the operations.
        program: the compiled program.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.graph = program.graph

    def __str__(self) -> str:
        return str(self.graph)


class _Static:
    """A leaf that is no number, as part of a key: compared by type and value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and _equal(self.value, other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


def _leaf_type(x: Any) -> Any:
    if type(x) is _ndarray:
        return x.shape, x.dtype
    if type(x) is Tensor and x._note is None and type(x._value) is _ndarray:
        return x._value.shape, x._value.dtype
    return _aval(x)


def _aval(x: Any) -> Aval:
    if isinstance(x, Tensor):
        return aval(x)
    if isinstance(x, np.ndarray | np.generic):
        return Aval(x.shape, x.dtype)
    return aval(x)


def _settled(y: Tensor) -> Any:
    """Return what a cell keeps: Python numbers as such, Tensors without the ambient tape."""
    while y._note is not None and not y._note.frame.scoped:
        y = lower(y)
    return y._value if y._note is None and type(y._value) in PYTHON else y


def _owned(outs: tuple[Any, ...], found: Sequence[Any]) -> tuple[Any, ...]:
    """Copy results that share memory with an array that the caller may write to."""
    arrays = [x for x in found if isinstance(x, _ndarray)]

    def own(t: Any) -> Any:
        value = t._value
        if isinstance(value, Tensor):
            inner = own(value)
            return t if inner is value else wrap(inner, t._note)
        if isinstance(value, _ndarray) and any(np.may_share_memory(value, a) for a in arrays):
            return wrap(value.copy(), t._note)
        return t

    return tuple(own(t) for t in outs)


def _integers(argnums: Any) -> tuple[int, ...]:
    many = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for k in many:
        if not isinstance(k, int) or isinstance(k, bool):
            raise OptionError(message("jit", "static_argnums of integers", repr(argnums)))
    return many


def make_graph(fun: Callable[..., Any]) -> Callable[..., Graph]:
    """Return a function that shows what `fun` does with arguments like the given ones.

    Args:
        fun: a function that `lucid.jit` can compile.

    Returns:
        A function of the same arguments that returns the graph, which prints itself.

    Example:
        >>> import lucid
        >>> lucid.make_graph(lambda x: lucid.sin(x) * 2)(lucid.asarray([1.0, 2.0]))
        graph(%0: float64[2]):
          %1: float64[2] = sin %0
          %2: float64[2] = multiply %1, 2
          return %2
    """
    jitted = Jitted(fun, (), (), "numpy")

    @functools.wraps(fun)
    def graph_of(*args: Any, **kwargs: Any) -> Graph:
        return jitted._capture(args, kwargs).program.graph

    return graph_of
