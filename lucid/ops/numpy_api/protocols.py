"""NumPy's protocols: plain ``np.f(tensor)`` computes with lucid and differentiates.

`__array_ufunc__` finds the operation whose implementation the ufunc is; `__array_function__` goes
by `lucid.ops.numpy_api.table`. What has no counterpart raises, naming the
function: an array that leaves lucid unnoticed would lose its derivative.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lucid import tree
from lucid._lazy import numpy_adapters, special_functions
from lucid.core.dispatch import PYTHON, apply, bind
from lucid.core.op import OPS, Op
from lucid.core.tensor import Tensor, install
from lucid.errors import (
    DetachedArrayError,
    DTypeError,
    ImmutableTensorError,
    OperandError,
    ShapeError,
    message,
)

__all__ = ["UFUNCS", "ufunc_table"]

# ufuncs whose operation has an implementation of its own, by the operation's name
UFUNCS: dict[Any, str] = {
    np.degrees: "rad2deg",
    np.expm1: "expm1",
    np.floor_divide: "floor_divide",
    np.logaddexp: "logaddexp",
    np.power: "pow",
    np.radians: "deg2rad",
    np.rint: "round",
    np.sign: "sign",
    np.tanh: "tanh",
}


def ufunc_table() -> Mapping[Any, Op]:
    """Return the operation of every ufunc that is one's implementation."""
    table = {op.impl: op for op in OPS.values() if isinstance(op.impl, np.ufunc)}
    table.update({ufunc: OPS[name] for ufunc, name in UFUNCS.items()})
    return table


_table: dict[Any, Op] = {}


def _find(ufunc: np.ufunc) -> Callable[..., Any]:
    """Return what computes a ufunc; those outside NumPy are SciPy's special functions."""
    op = _table.get(ufunc)
    if op is None:
        _table.update(ufunc_table())
        op = _table.get(ufunc)
    if op is not None:
        found = op
        return lambda *inputs: bind(found, inputs)
    if ufunc in vars(np).values():
        named = numpy_adapters.NAMED.get(ufunc.__name__)
    else:
        named = special_functions.UFUNCS.get(ufunc.__name__)
    if named is not None:
        return named
    raise _uncovered(f"np.{ufunc.__name__}")


def _uncovered(name: str) -> DetachedArrayError:
    hint = "compose it of lucid's functions, or leave lucid with .detach().numpy()"
    return DetachedArrayError(message(name, "a function that lucid covers", "a Tensor", hint))


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """Compute a NumPy ufunc, or one of its methods, on Tensors."""
    if any(_foreign(x) for x in inputs):
        return NotImplemented
    name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    _refuse_out(name, options)
    dtype = options.pop("dtype", None)
    if options.get("casting", "same_kind") == "same_kind":
        options.pop("casting", None)
    if method == "__call__":
        where = options.pop("where", True)
        _refuse(name, options)
        result = _compute(name, ufunc, inputs, dtype)
        # where= leaves the other entries undefined in NumPy; here they are zero
        return result if where is True else tree.map(lambda y: _where(where, y, 0), result)
    if method == "outer":
        _refuse(name, options)
        x, y = (_tensor(i) for i in inputs)
        return _compute(name, ufunc, (x.reshape((*x.shape, *(1,) * y.ndim)), y), dtype)
    if ufunc.nin == 2 and ufunc.nout == 1 and ufunc.signature is None:
        x = _reducible(name, ufunc, inputs[0], dtype)
        if method == "reduce":
            return _reduce(name, ufunc, x, *inputs[1:], **options)
        if method == "accumulate":
            return _accumulate(name, ufunc, x, *inputs[1:], **options)
    raise _uncovered(name)


def _foreign(x: Any) -> bool:
    """Whether an operand is of a class that computes ufuncs itself, and may know Tensors."""
    if isinstance(x, Tensor | np.ndarray | np.generic):
        return False
    return getattr(type(x), "__array_ufunc__", None) is not None


def _refuse_out(name: str, options: dict[str, Any]) -> None:
    out = options.pop("out", None)
    if any(x is not None for x in (out if isinstance(out, tuple) else (out,))):
        hint = "write x = x + y for x += y; x.at[...] updates part of a Tensor"
        raise ImmutableTensorError(message(name, "no out=, as Tensors are immutable", "out=", hint))


def _refuse(name: str, options: Mapping[str, Any]) -> None:
    if options:
        raise OperandError(message(name, "no further options on Tensors", f"{[*options]}"))


def _tensor(x: Any) -> Tensor:
    """Return an operand as a Tensor."""
    return x if isinstance(x, Tensor) else Tensor(x)


def _where(condition: Any, x: Any, y: Any) -> Any:
    return bind(OPS["where"], (condition, x, y))


def _compute(name: str, ufunc: np.ufunc, inputs: tuple[Any, ...], dtype: Any) -> Any:
    """Call a ufunc, its operands cast to what NumPy would compute in for this result's dtype."""
    inputs = tuple(_tensor(x) if isinstance(x, list | tuple) else x for x in inputs)
    compute = _find(ufunc)
    if dtype is not None:
        kinds = [type(x) if type(x) in PYTHON else x.dtype for x in inputs]
        wanted = (None,) * ufunc.nin + (np.dtype(dtype),) * ufunc.nout
        try:
            resolved = ufunc.resolve_dtypes((*kinds, *(None,) * ufunc.nout), signature=wanted)
        except TypeError as error:
            raise DTypeError(message(name, "a dtype it has", str(dtype), str(error))) from None
        inputs = tuple(_cast(x, d) for x, d in zip(inputs, resolved, strict=False))
    return compute(*inputs)


def _cast(x: Any, dtype: np.dtype[Any]) -> Any:
    return x.astype(dtype) if isinstance(x, Tensor) else np.asarray(x, dtype)


# -- methods of ufuncs -----------------------------------------------------------------------------

# what an entry left out by where= contributes
_NEUTRAL: dict[str, Any] = {
    "add": 0,
    "multiply": 1,
    "logical_and": True,
    "logical_or": False,
    "logical_xor": False,
    "bitwise_or": 0,
    "bitwise_xor": 0,
    "logaddexp": -math.inf,
}


def _reducible(name: str, ufunc: np.ufunc, x: Any, dtype: Any) -> Tensor:
    x = _tensor(x)
    if dtype is None or ufunc.__name__.startswith("logical"):
        return x
    return x.astype(dtype)


def _reduce(
    name: str,
    ufunc: np.ufunc,
    x: Tensor,
    axis: Any = 0,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
    **options: Any,
) -> Tensor:
    _refuse(name, options)
    if initial is getattr(np, "_NoValue", None):
        initial = None
    if where is not True:
        fill = _NEUTRAL.get(ufunc.__name__, initial)
        if fill is None:
            raise OperandError(message(name, "initial= together with where=", "none"))
        x = _where(where, x, fill)
    known = numpy_adapters.REDUCE.get(ufunc.__name__)
    if known is not None:
        if initial is None:
            return known(x, axis, keepdims)
        return numpy_adapters.from_initial(known, _find(ufunc), x, axis, keepdims, initial)
    _refuse(name, {} if initial is None else {"initial": initial})
    return functools.reduce(_find(ufunc), _parts(name, x, axis, keepdims))


def _parts(name: str, x: Tensor, axis: Any, keepdims: bool) -> list[Tensor]:
    """Return the slices along an axis, to be combined one by one."""
    if not isinstance(axis, int) and x.ndim != 1:
        raise OperandError(message(name, "one axis, as an integer", f"{axis}"))
    axis = axis if isinstance(axis, int) else 0
    places = range(x.shape[axis])
    if not places:
        raise ShapeError(message(name, "at least one entry along the axis", f"shape {x.shape}"))
    rows = apply(OPS["permute_dims"], (x,), (_first(x.ndim, axis),))
    if not keepdims:
        return [rows[i] for i in places]
    kept = tuple(1 if i == axis % x.ndim else n for i, n in enumerate(x.shape))
    return [rows[i].reshape(kept) for i in places]


def _first(ndim: int, axis: int) -> tuple[int, ...]:
    """Return the order of axes that has one axis first."""
    return (axis % ndim, *(i for i in range(ndim) if i != axis % ndim))


def _accumulate(name: str, ufunc: np.ufunc, x: Tensor, axis: int = 0, **options: Any) -> Tensor:
    _refuse(name, options)
    known = numpy_adapters.ACCUMULATE.get(ufunc.__name__)
    if known is not None:
        return known(x, axis)
    if x.shape[axis] == 0:
        return x
    rows = [*itertools.accumulate(_parts(name, x, axis, True), _find(ufunc))]
    return bind(OPS["concat"], tuple(rows), (axis % x.ndim,))


# -- functions that are no ufuncs ------------------------------------------------------------------


def array_function(
    self: Tensor, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
) -> Any:
    """Compute a NumPy function on Tensors."""
    if not all(issubclass(t, Tensor | np.ndarray) for t in types):
        return NotImplemented
    module = getattr(function, "__module__", "numpy")
    name = f"{module}.{function.__name__}".replace("numpy", "np", 1)
    covered = numpy_adapters.FUNCTIONS.get(function)
    if covered is not None:
        place = _out_place(function)
        _refuse_out(name, {"out": args[place]} if len(args) > place else kwargs)
        return covered(*args, **kwargs)
    if function.__name__ in _WRITES and isinstance(args[0], Tensor):
        hint = "use x.at[...], which returns a new Tensor"
        raise ImmutableTensorError(message(name, "an array to write to", "a Tensor", hint))
    raise _uncovered(name)


@functools.cache
def _out_place(function: Callable[..., Any]) -> int:
    """Return the position of the argument out=, or one beyond all."""
    parameters = inspect.signature(function).parameters
    out = parameters.get("out")
    if out is None or out.kind is not out.POSITIONAL_OR_KEYWORD:
        return sys.maxsize
    return [*parameters].index("out")


_WRITES = frozenset(("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"))


install({"__array_ufunc__": array_ufunc, "__array_function__": array_function})
