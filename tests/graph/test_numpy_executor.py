"""The numpy executor computes what eager does, to the last bit, for every record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.core.tensor import wrap
from lucid.graph.ir import typecheck
from lucid.graph.passes import EXACT, simplify
from tests import support
from tests.record import Record

# Of these the shape of the result is not known before it is computed.
DYNAMIC = {"argwhere", "nonzero", "unique_all"}
RECORDS = [r for r in support.all_records() if r.op not in DYNAMIC]
SMOOTH = [r for r in RECORDS if r.diff is None or len(r.diff)]
LAYOUTS = ("C", "F", "reversed", "gaps")


def each(records: list[Record]) -> Any:
    return pytest.mark.parametrize("record", records, ids=[r.name for r in records])


def same(got: Any, want: Any) -> None:
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_array_equal(got.numpy(), want.numpy())


def cases(record: Record) -> Any:
    """Every shape, with dtypes and layouts in turn."""
    for k in range(max(len(record.cases), len(record.dtypes), len(LAYOUTS))):
        dtype = record.dtypes[k % len(record.dtypes)]
        drawn = support.draw(record, k, k % len(record.cases), dtype)
        # borrowed, not copied: NumPy's bits depend on how an array lies in memory
        yield dtype, [wrap(support.strided(a, LAYOUTS[k % 4]), None) for a in drawn]


def check(graph: Any) -> None:
    typecheck(graph)
    typecheck(simplify(graph))
    typecheck(simplify(graph, EXACT))


@each(RECORDS)
def test_value(record: Record) -> None:
    def flat(*args: Any) -> Any:
        return support.outputs(record.fn(*args))

    jitted = lucid.jit(flat, executor="numpy")
    for _, args in cases(record):
        with np.errstate(all="ignore"):
            wants = flat(*args)
        for _ in range(2):
            for got, want in zip(jitted(*args), wants, strict=True):
                same(got, want)
        check(jitted.lower(*args).graph)


@each(SMOOTH)
def test_gradient(record: Record) -> None:
    for dtype, args in cases(record):
        if np.dtype(dtype).kind not in "fc":
            continue
        which = support.differentiable(record, args)
        if not which:
            continue

        def pull(cts: Any, *some: Any, args: Any = args, which: Any = which) -> Any:
            def fn(*some: Any) -> Any:
                full = list(args)
                for i, x in zip(which, some, strict=True):
                    full[i] = x
                return [y for y in support.outputs(record.fn(*full)) if y.dtype.kind in "fc"]

            out, back = lucid.vjp(fn, *some)
            return out, back([c.astype(y.dtype) for c, y in zip(cts, out, strict=True)])

        primals = [args[i] for i in which]
        outs = [y for y in support.outputs(record.fn(*args)) if y.dtype.kind in "fc"]
        rng = np.random.default_rng(0)
        cts = [wrap(support.random_like(rng, y.numpy()), None) for y in outs]
        wants = pull(cts, *primals)
        jitted = lucid.jit(pull, executor="numpy")
        gots = jitted(cts, *primals)
        for got, want in zip(lucid.tree.leaves(gots), lucid.tree.leaves(wants), strict=True):
            same(got, want)
        check(jitted.lower(cts, *primals).graph)
