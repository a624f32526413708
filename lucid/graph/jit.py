"""jit: capture once, compile, call many times."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

from lucid import tree
from lucid.config import get_default_dtype
from lucid.core.cells import capturing, guarded
from lucid.core.dispatch import PYTHON, apply, lift
from lucid.core.tensor import Tensor, wrap
from lucid.errors import GraphError, OperandError, message
from lucid.graph.arguments import describe_unhashable, static_arguments, why
from lucid.graph.capture import is_number
from lucid.graph.entries import Entry, Static, leaf_aval, leaf_type, shares
from lucid.graph.executors import check_executor
from lucid.graph.ir import Graph
from lucid.graph.lowered import Lowered
from lucid.graph.program import Program, call, trace
from lucid.graph.quick import MISS, quick
from lucid.ops.random.keys import Key, spend_like, unspent
from lucid.transforms.boundary import check_function

__all__ = ["Jitted", "jit", "make_graph"]

F = TypeVar("F", bound=Callable[..., Any])
_ndarray = np.ndarray
_CAPACITY = 128  # kinds of arguments for which one jitted function keeps programs
_VARIANTS = 16  # programs for one kind, which differ in guards
_SHORT = 8  # short ways that are tried, one after the other


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
            ``lucid-grad[jit]``; None takes "native" where it is installed.

    Returns:
        The function, compiled at its first call. ``.lower(*args)`` shows what it is compiled to.

    Raises:
        ConcretizationError: at the first call, if the function needs the number behind a Tensor.
        GraphError: at the first call, if it has an effect that would not be repeated.
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


class Held:
    """An object of which a method is jitted: it is not taken apart, and its state lies in cells."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


class Jitted:
    """A compiled function: see `lucid.jit`."""

    def __init__(self, fun: Any, argnums: Any, argnames: Any, executor: str | None) -> None:
        updated = ("__dict__",) if isinstance(fun, FunctionType) else ()
        functools.update_wrapper(self, fun, updated=updated)
        self.fun = fun
        self.executor = executor
        self._static = static_arguments(fun, argnums, argnames)
        self._cache: OrderedDict[Any, tuple[Entry, ...]] = OrderedDict()
        self._lock = threading.RLock()
        self._writing = threading.RLock()  # from reading cells to writing them
        self._quick: tuple[Any, ...] = ()
        self._derived: dict[Any, Jitted] = {}
        self.reason = "it has not been called"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        return functools.partial(self, Held(instance) if guarded(instance) else instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the function."""
        for short in self._quick:
            result = short(args, kwargs)
            if result is not MISS:
                return result
        if capturing.get() is not None:
            return self.fun(*map(_unheld, args), **kwargs)
        found, key = self._take(args, kwargs)
        entry, cells = self._find(key, args, kwargs)
        if entry.trace.written:
            with self._writing:  # what another thread has written is there now
                entry, cells = self._find(key, args, kwargs)
                result = self._run(entry, found, cells, args, kwargs)
        else:
            result = self._run(entry, found, cells, args, kwargs)
        entry.calls += 1
        if entry.calls > 1:  # writing a function pays from the second call on
            self._shorten(entry, key)
        return result

    def _shorten(self, entry: Entry, key: Any) -> None:
        """Take the short way to this entry from now on, if there is one."""
        old = entry.quick
        if old is None or (entry.seen is not None and entry.seen.pulled and not entry.pulled):
            entry.quick = quick(entry, key, self._writing) or MISS
        if entry.quick is not MISS and entry.quick not in self._quick:
            others = [q for q in self._quick if q is not old]
            self._quick = (entry.quick, *others[: _SHORT - 1])

    # -- arguments -------------------------------------------------------------------------------

    def _take(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
        """Return the traced leaves, and the key of everything that is compiled in."""
        static: tuple[Any, ...] = ()
        if self._static:
            args, kwargs, static = self._static.split(args, kwargs)
        leaves, structure = tree.flatten((args, kwargs))
        found: list[Any] = []
        kinds: list[Any] = []
        for x in leaves:
            kind = type(x)
            if kind is Tensor or kind is _ndarray or kind in PYTHON or is_number(x):
                found.append(x)
                kinds.append(leaf_type(x))
            else:
                kinds.append(Static(x))
        return found, (structure, tuple(kinds), static, get_default_dtype())

    # -- programs --------------------------------------------------------------------------------

    def _find(self, key: Any, args: Any, kwargs: Any) -> tuple[Entry, list[Any]]:
        try:
            entries = self._cache.get(key, ())
        except TypeError as error:
            hint = "static arguments and leaves that are no arrays must be hashable"
            got = describe_unhashable(key, args, kwargs) or str(error)
            raise OperandError(message("jit", "hashable static arguments", got, hint)) from None
        found = _usable(entries)
        if found is None:
            with self._lock:
                found = _usable(self._cache.get(key, ()))  # another thread may have been first
                found = found or self._compile(key, args, kwargs)
        elif len(self._cache) > _CAPACITY // 2:
            with self._lock:
                if key in self._cache:
                    self._cache.move_to_end(key)
        return found

    def _compile(self, key: Any, args: Any, kwargs: Any) -> tuple[Entry, list[Any]]:
        """Capture the function for a key, and keep what it gave."""
        reason = why(self._cache, key, args, kwargs)
        entry = self._capture(args, kwargs)
        kept = [e for e in self._cache.get(key, ()) if e.alive()]
        self._cache[key] = (entry, *kept[: _VARIANTS - 1])
        self._cache.move_to_end(key)
        while len(self._cache) > _CAPACITY:  # what has a short way is in use, whatever its place
            short = self._quick
            idle = (k for k, es in self._cache.items() if all(e.quick not in short for e in es))
            del self._cache[next(idle)]
        self.reason = reason
        cells = entry.read_cells()
        if cells is None:
            raise GraphError(message("jit", "cells that keep still", "one that changed in between"))
        return entry, cells

    def _capture(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Entry:
        keys: list[Key] = []

        def unspent_too(x: Any) -> Any:
            if isinstance(x, Key):
                keys.append(unspent(x))
                return keys[-1]
            return x

        args, kwargs = _map_keys(unspent_too, (args, kwargs))
        rest, named, _ = self._static.split(args, kwargs)
        leaves, structure = tree.flatten((rest, named))
        where = [i for i, x in enumerate(leaves) if is_number(x)]
        out: Any = None
        count = 0

        def body(*tensors: Tensor) -> Sequence[Any]:
            nonlocal out, count
            full = list(leaves)
            for i, t in zip(where, tensors, strict=True):
                full[i] = t
            inner = self._static.join(tree.unflatten(structure, full), args, kwargs)
            outs, out = tree.flatten(self.fun(*map(_unheld, inner[0]), **inner[1]))
            count = len(outs)
            return outs

        found = trace("jit", body, [leaf_aval(leaves[i]) for i in where])
        spends = [k._use.pattern() for k in keys]
        program = Program(found.graph, self.executor)
        return Entry(found, out, count, program, spends if any(spends) else ())

    def _run(self, entry: Entry, found: list[Any], cells: list[Any], args: Any, kwargs: Any) -> Any:
        if entry.spends:
            leaves = tree.leaves((args, kwargs), _is_key)
            for k, pattern in zip(filter(_is_key, leaves), entry.spends, strict=True):
                spend_like("jit", k, pattern)
        operands = lift("jit", (*found, *entry.trace.outside, *cells))
        outs = apply(call, operands, (entry.program,))
        if any(isinstance(x, _ndarray) for x in found):
            outs = _owned(outs, found)
        if entry.trace.written:
            entry.write_cells(outs)
        return tree.unflatten(entry.out, outs[: entry.outputs])

    def derived_by(self, transform: Any, argnums: Any, has_aux: bool) -> Jitted:
        """Return the gradient of the function as a compiled function, with a cache of its own."""
        key = (transform, repr(argnums), has_aux)
        with self._lock:
            if key not in self._derived:
                fun = transform(self.fun, argnums, has_aux=has_aux)
                self._derived[key] = Jitted(fun, *self._static.given, self.executor)
            return self._derived[key]

    # -- looking inside --------------------------------------------------------------------------

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Return what the function is compiled to for these arguments."""
        _, key = self._take(args, kwargs)
        return Lowered(self._find(key, args, kwargs)[0].program)

    def clear_cache(self) -> None:
        """Forget every compiled program."""
        with self._lock:
            self._cache.clear()
            self._quick = ()
            self._derived.clear()

    def __reduce__(self) -> Any:
        return (Jitted, (self.fun, *self._static.given, self.executor))

    def __repr__(self) -> str:
        return f"<jit of {getattr(self.fun, '__qualname__', self.fun)!s}>"


def _usable(entries: Sequence[Entry]) -> tuple[Entry, list[Any]] | None:
    """Return the entry whose guards hold, and what is in its cells."""
    for entry in entries:
        if entry.holds():
            cells = entry.read_cells()
            if cells is not None:
                return entry, cells
    return None


def _unheld(x: Any) -> Any:
    return x.value if type(x) is Held else x


def _is_key(x: Any) -> bool:
    return isinstance(x, Key)


def _map_keys(change: Callable[[Any], Any], values: Any) -> Any:
    found, structure = tree.flatten(values, _is_key)
    if not any(map(_is_key, found)):
        return values
    return tree.unflatten(structure, map(change, found))


def _owned(outs: tuple[Any, ...], found: Sequence[Any]) -> tuple[Any, ...]:
    """Copy results that share memory with an array that the caller may write to."""
    arrays = [x for x in found if isinstance(x, _ndarray)]

    def own(t: Any) -> Any:
        value = t._value
        if isinstance(value, Tensor):
            inner = own(value)
            return t if inner is value else wrap(inner, t._note)
        if not isinstance(value, _ndarray):
            return t
        return wrap(value.copy(), t._note) if shares(value, arrays) else t

    return tuple(own(t) for t in outs)


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
