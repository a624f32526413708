"""NumPy's protocols: plain ``np.f(tensor)`` computes with lucid and differentiates.

`__array_ufunc__` finds the operation whose implementation the ufunc is; `__array_function__` goes
by `lucid.ops.numpy_api.table`. What has no counterpart raises, naming the
function: an array that leaves lucid unnoticed would lose its derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lucid._lazy import numpy_adapters, special_functions
from lucid.core.dispatch import bind
from lucid.core.op import OPS, Op
from lucid.core.tensor import Tensor, install
from lucid.errors import DetachedArrayError, ImmutableTensorError, OperandError, message

__all__ = ["UFUNCS", "ufunc_table"]

# ufuncs whose operation has an implementation of its own, by the operation's name
UFUNCS: dict[Any, str] = {
    np.degrees: "rad2deg",
    np.expm1: "expm1",
    np.floor_divide: "floor_divide",
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
    name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    if any(x is not None for x in _tuple(options.pop("out", None))):
        hint = "use the result instead; x.at[...] updates part of a Tensor"
        raise ImmutableTensorError(message(name, "no out=, as Tensors are immutable", "out=", hint))
    where = options.pop("where", True)
    dtype = options.pop("dtype", None)
    if options.get("casting", "same_kind") == "same_kind":
        options.pop("casting", None)
    if method == "__call__":
        _refuse(name, options)
        if dtype is not None:
            inputs = tuple(_cast(x, dtype) for x in inputs)
        result = _find(ufunc)(*inputs)
        # where= leaves the other entries undefined in NumPy; here they are zero
        return result if where is True else bind(OPS["where"], (where, result, 0))
    if method == "outer":
        _refuse(name, options)
        x, y = (_tensor(i) for i in inputs)
        return _find(ufunc)(x.reshape((*x.shape, *(1,) * y.ndim)), y)
    if method == "reduce":
        return _reduce(name, ufunc, inputs[0], dtype, where, **options)
    if method == "accumulate" and ufunc.__name__ in numpy_adapters.ACCUMULATE:
        axis = options.pop("axis", 0)
        _refuse(name, options)
        x = inputs[0] if dtype is None else _cast(inputs[0], dtype)
        return numpy_adapters.ACCUMULATE[ufunc.__name__](x, axis)
    raise _uncovered(name)


def _tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def _refuse(name: str, options: Mapping[str, Any]) -> None:
    if options:
        raise OperandError(message(name, "no further options on Tensors", f"{[*options]}"))


def _tensor(x: Any) -> Tensor:
    """Return an operand as a Tensor."""
    return x if isinstance(x, Tensor) else Tensor(x)


def _cast(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if isinstance(x, Tensor) else np.asarray(x, dtype)


# what an entry left out by where= contributes
_NEUTRAL: dict[str, Any] = {
    "add": 0,
    "multiply": 1,
    "logical_and": True,
    "logical_or": False,
    "maximum": None,
    "minimum": None,
}


def _reduce(
    name: str,
    ufunc: np.ufunc,
    x: Any,
    dtype: Any,
    where: Any,
    axis: Any = 0,
    keepdims: bool = False,
    initial: Any = None,
    **options: Any,
) -> Tensor:
    _refuse(name, options)
    if ufunc.__name__ not in numpy_adapters.REDUCE:
        raise _uncovered(name)
    x = _tensor(x)
    if dtype is not None:
        x = x.astype(dtype)
    if where is not True:
        fill = _NEUTRAL.get(ufunc.__name__)
        if fill is None:
            if initial is None:
                raise OperandError(message(name, "initial= together with where=", "none"))
            fill = initial
        x = bind(OPS["where"], (where, x, fill))
    result = numpy_adapters.REDUCE[ufunc.__name__](x, axis, keepdims)
    if initial is None or initial is getattr(np, "_NoValue", None):
        return result
    return _find(ufunc)(result, initial)


def array_function(
    self: Tensor, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
) -> Any:
    """Compute a NumPy function on Tensors."""
    covered = numpy_adapters.FUNCTIONS.get(function)
    if covered is None:
        module = getattr(function, "__module__", "numpy")
        raise _uncovered(f"{module}.{function.__name__}".replace("numpy", "np", 1))
    if any(x is not None for x in _tuple(kwargs.pop("out", None))):
        got = f"out= in np.{function.__name__}"
        raise ImmutableTensorError(
            message(f"np.{function.__name__}", "no out=, as Tensors are immutable", got)
        )
    return covered(*args, **kwargs)


install({"__array_ufunc__": array_ufunc, "__array_function__": array_function})
