"""Reverse rules for plain arrays, in graphs.

Some operations (normalisations, attention, recurrent layers) state a second reverse rule, for plain
arrays, which sums in another order than the one made of operations. Eager computation uses it; so
that the numpy executor has its bits, a capture keeps it as one operation, which stands for the
other rule wherever it is looked into: when it is differentiated, batched, or compiled natively.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid.core.cotangent import zeros_like
from lucid.core.define import general
from lucid.core.op import OPS, Aval
from lucid.transforms.api import jvp, vjp
from lucid.transforms.batch import vmap

__all__ = ["pull_fused"]


def _impl(*values: Any) -> tuple[Any, ...]:
    *arrays, name, needs, params = values
    ct, ans, *operands = arrays
    rules: Any = OPS[name].raw_rules()
    pulled = rules[0](ct, needs, ans, operands, *params)
    return tuple(p for p, n in zip(pulled, needs, strict=True) if n)


def _infer(*values: Any) -> tuple[Aval, ...]:
    *avals, _, needs, _ = values
    return tuple(Aval(a.shape, a.dtype) for a, n in zip(avals[2:], needs, strict=True) if n)


def _inline(args: tuple[Any, ...], params: tuple[Any, ...]) -> tuple[Any, ...]:
    name, needs, more = params
    ct, ans, *operands = args
    rule: Any = OPS[name].vjp
    pulled = rule(ct, needs, ans, tuple(operands), *more)
    return tuple(
        zeros_like(x) if p is None else p
        for p, x, n in zip(pulled, operands, needs, strict=True)
        if n
    )


def _partial(operands: Sequence[Any], which: Sequence[int], params: tuple[Any, ...]) -> Any:
    def run(*some: Any) -> Any:
        full = list(operands)
        for i, x in zip(which, some, strict=True):
            full[i] = x
        return _inline(tuple(full), params)

    return run


def _push(ans: Any, tangents: Sequence[Any], operands: Any, *params: Any) -> Any:
    which = [i for i, t in enumerate(tangents) if t is not None]
    run = _partial(operands, which, params)
    return jvp(run, [operands[i] for i in which], [tangents[i] for i in which])[1]


def _pull(
    ct: Sequence[Any], needs: Sequence[bool], ans: Any, operands: Any, *params: Any
) -> tuple[Any, ...]:
    which = [i for i, n in enumerate(needs) if n]
    _, pull = vjp(_partial(operands, which, params), *(operands[i] for i in which))
    whole = tuple(zeros_like(a) if c is None else c for c, a in zip(ct, ans, strict=True))
    pulled = dict(zip(which, pull(whole), strict=True))
    return tuple(pulled.get(i) for i in range(len(operands)))


def _batch(size: int, batched: Sequence[bool], operands: Any, *params: Any) -> Any:
    axes = [0 if b else None for b in batched]
    return vmap(lambda *xs: _inline(xs, params), in_axes=axes, axis_size=size)(*operands)


pull_fused = general(
    "pull_fused",
    _impl,
    multi=True,
    opaque=True,
    infer=_infer,
    inline=_inline,
    jvp=_push,
    vjp=_pull,
    batch=_batch,
)
