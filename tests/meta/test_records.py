"""No operation lacks a record or a rule; a record reaches the operation it is said to test."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import lucid
from lucid import Tensor, tree
from lucid.core.op import OPS, Op
from lucid.transforms.program import capture
from tests import support
from tests.record import Record

for _module in pkgutil.walk_packages(lucid.__path__, "lucid."):
    importlib.import_module(_module.name)  # operations register as their files are imported

RECORDS = support.all_records()

# Operations that no array function of a table can stand for, and where they are tested instead.
ELSEWHERE = {
    "stop_gradient": "test_transforms.py: its derivative is zero by intent",
    "custom_vjp": "test_transforms.py: its rules are the user's",
    "custom_vjp_pull": "the record of a custom_vjp",
    "custom_jvp": "test_transforms.py: its rules are the user's",
    "checkpoint": "test_transforms.py: it replays other operations",
    "call": "graph/test_jit.py: it calls other operations",
    "call_pull": "the record of a call",
    "materialise": "graph/test_jit.py: it exists in graphs alone",
    "untape": "graph/test_cells.py: it marks values in graphs",
    "barrier": "graph/test_jit.py: it keeps computations in graphs apart",
    "pull_fused": "graph/test_numpy_executor.py: reverse rules of other operations",
    **dict.fromkeys(("cond", "scan", "while"), "graph/test_control.py: they call programs"),
    "cond_pull": "the record of a cond",
    "scan_pull": "the record of a scan",
    "while_pull": "graph/test_control.py: it goes back through a while",
    "late": "graph/test_control.py: it runs other functions",
    "index_in_range": "graph/test_control.py: a check",
    # random numbers have no reference to compare with; tests/test_random.py tests distributions
    **dict.fromkeys((n for n in OPS if n.startswith("random_")), "test_random.py"),
}
# Rules that may be missing, each for a reason.
WITHOUT_INFER = {"custom_vjp_pull"}
WITHOUT_BATCH = {
    "custom_vjp_pull",
    "call_pull",
    "cond_pull",
    "scan_pull",
}  # only ever recorded, below which the batch has been taken


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_operation_has_a_record(name: str) -> None:
    if name in ELSEWHERE:
        return
    assert any(r.op == name for r in RECORDS), f"add a row for {name!r} to tests/records/"


def test_the_exceptions_are_needed() -> None:
    assert set(ELSEWHERE) <= set(OPS)
    assert not set(ELSEWHERE) & {r.op for r in RECORDS}
    for name in WITHOUT_INFER:
        assert OPS[name].infer is None
    for name in WITHOUT_BATCH:
        assert OPS[name].batch is None


def claims_no_derivative(name: str) -> bool:
    """Whether every record of the operation differentiates nothing, or has integers alone."""
    rows = [r for r in RECORDS if r.op == name]
    exact = [all(np.dtype(d).kind not in "fc" for d in r.dtypes) for r in rows]
    none = [r.diff is not None and not len(r.diff) for r in rows]
    return bool(rows) and all(e or n for e, n in zip(exact, none, strict=True))


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_every_operation_has_its_rules(op: Op) -> None:
    assert callable(op.impl)
    assert op.infer is not None or op.name in WITHOUT_INFER, "infer"
    assert op.batch is not None or op.name in WITHOUT_BATCH, "batch"
    reverse = op.reversible or op.record is not None
    if op.smooth and not claims_no_derivative(op.name) and op.name not in ELSEWHERE:
        assert op.jvp is not None, "jvp; or smooth=False; or a record with diff=()"
        assert reverse, "vjp; or smooth=False; or a record with diff=()"
    if op.smooth and op.name not in ELSEWHERE:  # one mode without the other is a trap
        assert (op.jvp is not None) == reverse


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_rules_take_what_they_are_given(op: Op) -> None:
    """A misspelt number of arguments shows when the rule is first called: look at it now."""

    def accepts(rule: object, at_least: int) -> bool:
        try:
            parameters = inspect.signature(rule).parameters.values()  # type: ignore[arg-type]
        except (TypeError, ValueError):  # a ufunc and the like
            return True
        if any(p.kind is p.VAR_POSITIONAL for p in parameters):
            return True
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return sum(p.kind in positional for p in parameters) >= at_least

    assert op.jvp is None or accepts(op.jvp, 3)
    assert op.vjp is None or accepts(op.vjp, 4)
    assert op.batch is None or accepts(op.batch, 3)
    assert op.live is None or accepts(op.live, 4)
    assert op.masks is None or accepts(op.masks, 3)
    for rule in op.vjps or ():
        assert rule is None or accepts(rule, 3)
    assert op.vjps is None or op.vjp is None


def test_records_have_names_of_their_own() -> None:
    names = [r.name for r in RECORDS]
    repeated = sorted({n for n in names if names.count(n) > 1})
    assert not repeated


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
def test_a_record_reaches_its_operation(record: Record) -> None:
    """Calling the record calls the operation it is said to test."""
    if record.op not in OPS:
        return  # a function composed of others
    args = support.draw(record, 0, 0, record.dtypes[0])
    with np.errstate(all="ignore"):
        run = capture("record", lambda *x: tree.leaves(record.fn(*x)), [Tensor(a) for a in args])
    assert record.op in {step.op.name for step in run[0].steps}


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
def test_results_own_their_memory(record: Record) -> None:
    """A result never shares memory with an array of the caller's, who may write to it."""
    for case in range(len(record.cases)):
        args = support.draw(record, case, case, record.dtypes[0])
        with np.errstate(all="ignore"):
            outs = support.numpy_of(record.fn(*args))
        for out in outs:
            assert not any(np.shares_memory(out, a) for a in args), record.name
