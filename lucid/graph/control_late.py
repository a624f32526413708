"""Functions that wait for numbers: where a graph does not know enough, they run in Python.

The operation ``late``
    operands: those of the function; Python numbers stay Python numbers.
    params: ``(fun, avals)``
        fun: a function of Tensors and numbers that returns a sequence of Tensors. It closes over
            nothing that is watched.
        avals: the types of the results, all of them floating or complex.
    results: what `fun` returns.

Its derivatives are again functions that wait, those of `fun`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import zeros_like
from lucid.core.define import general
from lucid.core.dispatch import PYTHON, apply
from lucid.core.op import Aval
from lucid.core.tensor import aval, concrete, wrap
from lucid.graph.control import is_symbolic, splice, strong
from lucid.transforms.api import jvp, vjp
from lucid.transforms.batch import vmap

__all__ = ["pull_late", "push_late"]

Late = Callable[..., Sequence[Any]]


def _call(fun: Late, operands: Sequence[Any], avals: Sequence[Aval]) -> tuple[Any, ...]:
    """Call a function now if there are numbers; otherwise when there are."""
    if any(is_symbolic(x) for x in operands):
        return apply(_late, tuple(operands), (fun, tuple(avals)))
    return tuple(fun(*operands))


def _impl(*values: Any) -> tuple[Any, ...]:
    *operands, fun, avals = values
    given = [x if type(x) in PYTHON else wrap(np.asarray(x), None) for x in operands]
    found = fun(*given)
    return tuple(
        np.asarray(concrete(y, "late"), a.dtype) for y, a in zip(found, avals, strict=True)
    )


def _partial(fun: Late, operands: Sequence[Any], which: Sequence[bool]) -> tuple[Late, list[Any]]:
    """Return `fun` as a function of some operands, and these."""
    live = [x for x, w in zip(operands, which, strict=True) if w]
    return lambda *some: tuple(fun(*splice(operands, which, some))), live


def push_late(
    ans: Any, tangents: Sequence[Any], operands: Any, fun: Late, avals: Any
) -> tuple[Any, ...]:
    """Return the tangents of a function that waits: the rule `jvp`."""
    which = [t is not None for t in tangents]
    count = len(operands)

    def pushed(*values: Any) -> Any:
        some, live = _partial(fun, values[:count], which)
        return jvp(some, live, list(values[count:]))[1]

    return _call(pushed, (*operands, *(t for t in tangents if t is not None)), avals)


def pull_late(
    ct: Sequence[Any], needs: Sequence[bool], ans: Any, operands: Any, fun: Late, avals: Any
) -> tuple[Any, ...]:
    """Return the cotangents of a function that waits: the rule `vjp`."""
    count = len(operands)

    def pulled(*values: Any) -> Any:
        some, live = _partial(fun, values[:count], needs)
        return vjp(some, *live)[1](tuple(values[count:]))

    whole = [zeros_like(a) if c is None else c for c, a in zip(ct, ans, strict=True)]
    types = [strong(aval(x)) for x, n in zip(operands, needs, strict=True) if n]
    found = iter(_call(pulled, (*operands, *whole), types))
    return tuple(next(found) if n else None for n in needs)


def _batch(
    size: int, batched: Sequence[bool], operands: Any, fun: Late, avals: Sequence[Aval]
) -> tuple[Any, ...]:
    axes = [0 if b else None for b in batched]
    rows = vmap(lambda *values: tuple(fun(*values)), in_axes=axes, axis_size=size)
    return _call(rows, operands, [Aval((size, *a.shape), a.dtype) for a in avals])


_late = general(
    "late",
    _impl,
    multi=True,
    infer=lambda *values: tuple(values[-1]),
    jvp=push_late,
    vjp=pull_late,
    batch=_batch,
)
