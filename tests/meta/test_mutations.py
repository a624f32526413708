"""Wrong rules, injected on purpose, are caught by the properties of tests/test_properties.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.core.cotangent import conj, fit
from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval
from tests import support
from tests import test_masks as masks
from tests import test_properties as properties
from tests.record import Record

RECORDS = support.all_records()

VALUE = properties.test_value_shape_dtype
INFER = properties.test_infer
JVP = properties.test_jvp_is_the_derivative
ADJOINT = properties.test_vjp_is_the_adjoint
SECOND = properties.test_second_order
BATCH = properties.test_vmap_is_a_loop
BATCH_VJP = properties.test_vmap_of_vjp_is_a_loop
ARGUMENTS = {
    VALUE: {"layout": "reversed"},
    BATCH: {"axis": 0, "mixed": False},
}


def holds(prop: Any, record: Record) -> bool:
    """Whether a property holds for a record, over as many cases as Hypothesis would draw."""
    check = prop.hypothesis.inner_test
    for k in range(16):
        try:
            check(record=record, seed=k, case=k, k=k, **ARGUMENTS.get(prop, {}))
        except Exception:  # a wrong shape may fail inside an operation that takes it
            return False
    return True


def rows(op: str) -> list[Record]:
    """The plain records of an operation: those named like it, or else the first few."""
    mine = [r for r in RECORDS if r.op == op]
    return [r for r in mine if not r.id] or mine[:3]


def vjps(op: str, *rules: Any) -> dict[str, Any]:
    """The change of an operation's reverse rules: None leaves one as it is."""
    old = OPS[op].vjps
    assert old is not None
    return {
        "vjps": tuple(o if r is None else r for o, r in zip(old, rules, strict=True)),
        "raw": None,
    }


def scaled(op: str, factor: float, i: int = 0) -> dict[str, Any]:
    """Multiply one reverse rule by a factor."""
    old = OPS[op].vjps
    assert old is not None
    rule = old[i]
    assert rule is not None
    new = lambda *a: factor * rule(*a)  # noqa: E731
    return vjps(op, *(new if k == i else None for k in range(len(old))))


def pushed(op: str, factor: float) -> dict[str, Any]:
    """Multiply the forward rule by a factor."""
    old = OPS[op].jvp
    assert old is not None
    return {"jvp": lambda *a: factor * old(*a)}


def batched(op: str, rule: Callable[..., Any]) -> dict[str, Any]:
    """Replace the batching rule; it is given the old one."""
    old = OPS[op].batch
    return {"batch": lambda *a: rule(old, *a)}


def inferred(op: str, change: Callable[[Aval], Aval]) -> dict[str, Any]:
    """Change what `infer` says."""
    old = OPS[op].infer
    assert old is not None
    return {"infer": lambda *a: change(old(*a))}


def detached(op: str) -> dict[str, Any]:
    """Make a reverse rule that is right and whose own derivative is lost."""
    old = OPS[op].vjps
    assert old is not None
    rule = old[0]
    assert rule is not None
    stop = lucid.stop_gradient
    return vjps(
        op, lambda ct, ans, x, *p: rule(ct, stop(ans), stop(x), *p), *(None,) * (len(old) - 1)
    )


def _conjugated_first(op: str) -> dict[str, Any]:
    """Conjugate what the rule conjugates, so that nothing is."""
    old = OPS[op].vjps
    assert old is not None
    rule = old[0]
    assert rule is not None
    return vjps(op, lambda ct, ans, x, y: rule(ct, ans, x, conj(y)), None)


# what is wrong: (operation, change, properties of which at least one must fail)
WRONG: dict[str, tuple[str, Callable[[], dict[str, Any]], list[Any]]] = {
    # a sign
    "sign in a vjp": ("sin", lambda: scaled("sin", -1.0), [ADJOINT]),
    "sign in a jvp": ("cos", lambda: pushed("cos", -1.0), [JVP]),
    "sign of the second operand": ("subtract", lambda: scaled("subtract", -1.0, 1), [ADJOINT]),
    "sign in a reduction": ("logsumexp", lambda: scaled("logsumexp", -1.0), [ADJOINT]),
    # a factor
    "factor in a vjp": ("exp", lambda: scaled("exp", 1.001), [ADJOINT]),
    "factor in a jvp": ("tanh", lambda: pushed("tanh", 1.0001), [JVP]),
    "factor in both": ("log", lambda: {**scaled("log", 2.0), **pushed("log", 2.0)}, [JVP]),
    "factor in a product": ("multiply", lambda: scaled("multiply", 2.0, 1), [ADJOINT]),
    "factor in a contraction": ("matmul", lambda: scaled("matmul", 1.01, 1), [ADJOINT]),
    "a mean that is a sum": (
        "mean",
        lambda: vjps("mean", lambda ct, ans, x, *p: OPS["sum"].vjps[0](ct, ans, x, *p)),  # type: ignore[index]
        [ADJOINT],
    ),
    # a missing un-broadcast
    "no un-broadcast": ("add", lambda: vjps("add", lambda ct, ans, x, y: ct, None), [ADJOINT]),
    "no un-broadcast of a product": (
        "multiply",
        lambda: vjps("multiply", None, lambda ct, ans, x, y: ct * x),
        [ADJOINT],
    ),
    "no broadcast of a tangent": (
        "add",
        lambda: {"jvp": lambda ans, t, args: t[0] if t[1] is None else t[1]},
        [JVP, ADJOINT],
    ),
    # a dropped or an extra conjugate
    "no conjugate": (
        "multiply",
        lambda: vjps("multiply", lambda ct, ans, x, y: fit(ct * y, x), None),
        [ADJOINT],
    ),
    "no conjugate of a function": (
        "exp",
        lambda: vjps("exp", lambda ct, ans, x: ct * ans),
        [ADJOINT],
    ),
    "a conjugate too many": ("exp", lambda: {"jvp": lambda ans, t, args: t[0] * conj(ans)}, [JVP]),
    "no conjugate in a contraction": ("matmul", lambda: _conjugated_first("matmul"), [ADJOINT]),
    # a wrong batching rule
    "batch: the axis is not shifted": (
        "sum",
        lambda: {
            "batch": lambda size, b, args, axes, keep, *more: apply(
                OPS["sum"], tuple(args), (axes, keep, *more)
            )
        },
        [BATCH],
    ),
    "batch: the first row for all": (
        "tanh",
        lambda: batched(
            "tanh",
            lambda old, size, b, args: lucid.broadcast_to(old(size, b, args)[:1], args[0].shape),
        ),
        [BATCH],
    ),
    "batch: reversed": ("sort", lambda: batched("sort", lambda old, *a: old(*a)[::-1]), [BATCH]),
    "batch: only right in the value": (
        "exp",
        lambda: batched("exp", lambda old, *a: lucid.stop_gradient(old(*a))),
        [BATCH_VJP],
    ),
    # a wrong shape or dtype
    "infer: a shape": (
        "reshape",
        lambda: inferred("reshape", lambda a: Aval((1, *a.shape), a.dtype)),
        [INFER],
    ),
    "infer: a dtype": (
        "sqrt",
        lambda: inferred("sqrt", lambda a: Aval(a.shape, np.dtype("float64"))),
        [INFER],
    ),
    "a cotangent of another dtype": (
        "sinh",
        lambda: vjps("sinh", lambda ct, ans, x: (ct * lucid.cosh(x)).astype(complex)),
        [ADJOINT],
    ),
    # right to first order alone
    "second order lost": ("sin", lambda: detached("sin"), [SECOND]),
    "second order lost in a product": (
        "multiply",
        lambda: vjps(
            "multiply", lambda ct, ans, x, y: fit(ct * conj(lucid.stop_gradient(y)), x), None
        ),
        [SECOND],
    ),
    # operands mixed up, a rule left out
    "operands exchanged": (
        "divide",
        lambda: {"vjps": OPS["divide"].vjps[::-1], "raw": None},
        [ADJOINT],  # type: ignore[index]
    ),
    "a silent zero": ("sin", lambda: vjps("sin", lambda ct, ans, x: None), [ADJOINT]),
    "a silent zero, forward": ("sin", lambda: {"jvp": lambda ans, t, args: None}, [JVP]),
    "transpose of another axis order": (
        "permute_dims",
        lambda: vjps(
            "permute_dims",
            lambda ct, ans, x, axes: apply(OPS["permute_dims"], (ct,), (axes,)),
        ),
        [ADJOINT],
    ),
}


@pytest.fixture
def mutate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """Change attributes of an operation for the time of a test."""

    def change(op: str, attributes: dict[str, Any]) -> None:
        for name, value in attributes.items():
            monkeypatch.setattr(OPS[op], name, value)

    return change


@pytest.mark.parametrize(("op", "change", "wanted"), WRONG.values(), ids=WRONG)
def test_a_wrong_rule_is_caught(op: str, change: Any, wanted: list[Any], mutate: Any) -> None:
    records = rows(op)
    assert records, f"no record of {op}"
    for prop in wanted:
        assert all(holds(prop, r) for r in records), "the right rule fails"
    mutate(op, change())
    assert any(not holds(prop, r) for prop in wanted for r in records), "the wrong rule passes"


@pytest.mark.parametrize("op", ["sin", "multiply", "sum", "matmul"])
def test_a_wrong_value_is_caught(op: str) -> None:
    (record, *_) = rows(op)
    assert holds(VALUE, record)
    ref = record.ref
    assert ref is not None
    for wrong in (
        lambda *x: ref(*x) * 1.0001,
        lambda *x: ref(*x)[..., None],
        lambda *x: ref(*x).astype(complex),
    ):
        assert not holds(VALUE, dataclasses.replace(record, ref=wrong))


def test_a_derivative_where_none_is_known_is_caught() -> None:
    """A record that says `diff=()` of an operation with rules does not pass."""
    (record, *_) = rows("sin")
    with pytest.raises(BaseException, match="DID NOT RAISE"):
        properties.test_nothing_is_silently_zero(record=dataclasses.replace(record, diff=()))


MASKS = {
    "log without singular": ("log", {"singular": frozenset()}, "log"),
    "sqrt without singular": ("sqrt", {"singular": frozenset()}, "sqrt"),
    "divide without singular": ("divide", {"singular": frozenset()}, "ratio"),
    "where without masks": ("where", {"masks": None}, "log"),
    "indexing without masks": ("getitem", {"masks": None}, "indexing"),
    "multiply that drops a mask": ("multiply", {"live": None}, "affine"),
    "reshape that drops a mask": ("reshape", {"live": None}, "reshape"),
}


@pytest.mark.parametrize(("op", "attributes", "case"), MASKS.values(), ids=MASKS)
def test_a_lost_mask_is_caught(op: str, attributes: dict[str, Any], case: str, mutate: Any) -> None:
    with np.errstate(all="ignore"):
        masks.test_gradient(*masks.MASKED[case])
        mutate(op, attributes)
        with pytest.raises(AssertionError):
            masks.test_gradient(*masks.MASKED[case])
