"""Loops made of `scan` and `while_loop`: `fori_loop` and `map`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.dispatch import PYTHON
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, aval, concrete, wrap
from lucid.errors import DTypeError, OperandError, OptionError, ShapeError, message
from lucid.graph.control import Packed, cast_to, is_abstract, pack, promote
from lucid.graph.control_scan import loop
from lucid.graph.control_while import loop_while
from lucid.ops.join import concat
from lucid.transforms.batch import vmap
from lucid.transforms.boundary import check_function, take_in

__all__ = ["fori_loop", "map"]


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init: Any) -> Any:
    """Apply a function for every integer of a range.

        for i in range(lower, upper): x = body_fun(i, x)

    Where the bounds are known, this is a `scan`, which reverse mode differentiates. Where they are
    not, under `jit` or mapped by `vmap`, it is a `while_loop`.

    Args:
        lower: the first integer; a scalar.
        upper: the integer to stop before; a scalar.
        body_fun: takes the integer and the carry, and returns the next carry. The integer acts as
            a Python number in arithmetic if both bounds are Python numbers, and otherwise has
            their dtype.
        init: the first carry, an array or a pytree of them. A Python number takes the dtype that
            `body_fun` makes of it.

    Returns:
        The last carry.

    Raises:
        DTypeError: if a bound is no integer, or the carry changes its dtype.
        ShapeError: if a bound is no scalar, or the carry changes its shape.
        GraphError: if the carry changes its structure, or `body_fun` writes to a Parameter.

    Example:
        >>> import lucid
        >>> lucid.fori_loop(1, 5, lambda i, x: x * i, 1.0)
        Tensor(24.)
    """
    check_function("fori_loop", body_fun)
    bounds = [_bound(lower), _bound(upper)]
    dtype = promote(*(aval(b) for b in bounds))
    if any(is_abstract(b) for b in bounds):
        first = cast_to(bounds[0], Aval((), dtype))

        def going(state: Any) -> Any:
            return state[0] < bounds[1]

        def step(state: Any) -> Any:
            i, x = state
            return i + 1, body_fun(i, x)

        return loop_while("fori_loop", going, step, (first, init), None)[1]
    start, stop = (int(concrete(b, "fori_loop")) for b in bounds)
    weak = type(lower) in PYTHON and type(upper) in PYTHON
    rows = pack("fori_loop", wrap(np.arange(start, max(start, stop), dtype=dtype), None))
    count = max(0, stop - start)

    def body(x: Any, i: Any) -> Any:
        return body_fun(i, x), None

    return loop("fori_loop", body, init, rows, count, weak_rows=weak)[0]


def _bound(x: Any) -> Tensor:
    t = take_in("fori_loop", x)
    if t.dtype.kind not in "iu":
        raise DTypeError(message("fori_loop", "integer bounds", str(t.dtype)))
    if t.shape != ():
        raise ShapeError(message("fori_loop", "scalar bounds", f"shape {t.shape}"))
    return t


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:  # noqa: A001
    """Apply a function to every row of arrays, one after the other, and stack the results.

        y[k] = f(x[k])

    It gives what `vmap` does, with the memory of one row at a time.

    Args:
        f: takes one row of `xs`.
        xs: an array or a pytree of them whose first axes have one length.
        batch_size: how many rows to compute at once, by `vmap`; None for one, without it.

    Returns:
        The results, stacked along a new first axis.

    Raises:
        OptionError: if `batch_size` is no positive integer.
        OperandError: if `xs` holds no array.
        ShapeError: if the lengths of the first axes differ.
        GraphError: if `f` writes to a Parameter.

    Example:
        >>> import lucid
        >>> lucid.map(lambda x: x.sum(), lucid.asarray([[1.0, 2.0], [3.0, 4.0]]))
        Tensor([3., 7.])
    """
    check_function("map", f)
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise OptionError(message("map", "batch_size a positive integer", repr(batch_size)))
    rows = pack("map", xs)
    size = _common_length(rows, xs)
    if batch_size is None:
        return _rows_one_by_one("map", f, rows, size)
    rows = Packed([x if isinstance(x, Tensor) else take_in("map", x) for x in rows.leaves], rows[1])
    whole = size - size % batch_size
    done: list[Any] = []
    if whole or not size:
        shape = (whole // batch_size, batch_size)
        blocks = [x[:whole].reshape((*shape, *x.shape[1:])) for x in rows.leaves]
        packed = Packed(blocks, rows.structure)
        found = _rows_one_by_one("map", vmap(f), packed, shape[0])
        done.append(tree.map(lambda y: y.reshape((whole, *y.shape[2:])), found))
    if whole < size:
        done.append(vmap(f)(rows.rebuild([x[whole:] for x in rows.leaves])))
    return done[0] if len(done) == 1 else tree.map(lambda *parts: concat(parts), *done)


def _rows_one_by_one(name: str, f: Callable[[Any], Any], rows: Packed, size: int) -> Any:
    return loop(name, lambda _, x: (None, f(x)), None, rows, size)[1]


def _common_length(rows: Packed, xs: Any) -> int:
    sizes: dict[str, int] = {}
    for k, a in enumerate(rows.avals):
        where = f"xs{rows.where(xs, k)}"
        if not a.shape:
            raise ShapeError(message("map", f"{where} with an axis to map over", "a 0-d one"))
        sizes[where] = a.shape[0]
    if not sizes:
        raise OperandError(message("map", "an array to map over", "none"))
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{v} at {k}" for k, v in sizes.items())
        raise ShapeError(message("map", "first axes of one length", shown))
    return next(iter(sizes.values()))
