"""The properties that hold for every operation, over every record (DESIGN §6)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lucid
from lucid.core.dispatch import apply, below
from lucid.core.frames import Frame, Note, transformation
from lucid.core.op import OPS, Aval
from lucid.core.tensor import aval, strip, wrap
from tests import support
from tests.record import Record
from tests.support import DIFFERENCE_RTOL, IDENTITY_RTOL, STEP, VALUE_RTOL

RECORDS = support.all_records()
SMOOTH = [r for r in RECORDS if r.diff is None or len(r.diff)]
quick = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def _flat_settings(request: pytest.FixtureRequest) -> None:
    """Hypothesis nests a test's settings once more for each parameter: a thousand overflow."""
    request.function._hypothesis_internal_use_settings = quick


seeds = st.integers(0, 2**31)
cases = st.integers(0, 63)
layouts = st.sampled_from(["C", "F", "reversed", "gaps"])


def each(records: list[Record]) -> Any:
    return pytest.mark.parametrize("record", records, ids=[r.name for r in records])


def pick(record: Record, k: int, kinds: str = "fciub") -> str | None:
    names = [d for d in record.dtypes if np.dtype(d).kind in kinds]
    return names[k % len(names)] if names else None


def close(got: Any, want: Any, rtol: float, what: str) -> None:
    """Compare against the largest entry: a zero has no relative error of its own."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    finite = np.isfinite(want)
    scale = float(np.max(np.abs(want[finite]), initial=0.0)) + 1e-30
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * min(scale, 1e300), err_msg=what)


@each(RECORDS)
@quick
@given(seed=seeds, case=cases, k=cases, layout=layouts)
def test_value_shape_dtype(record: Record, seed: int, case: int, k: int, layout: str) -> None:
    """The value is NumPy's or SciPy's, inputs stay as they were, `infer` tells shape and dtype."""
    dtype = pick(record, k)
    assert dtype is not None
    args = [support.strided(a, layout) for a in support.draw(record, seed, case, dtype)]
    before = [a.copy() for a in args]
    got = support.outputs(record.fn(*[lucid.Tensor(a) for a in args]))
    for a, b in zip(args, before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert all(type(y) is lucid.Tensor for y in got)
    if record.ref is not None:
        with np.errstate(all="ignore"):
            want = support.outputs(record.ref(*before))
        assert len(got) == len(want)
        for y, w in zip(got, want, strict=True):
            rtol = VALUE_RTOL[support.real_dtype(dtype)] * record.scale
            assert y.dtype == np.asarray(w).dtype
            close(y.numpy(), w, rtol, "value")


@each([r for r in RECORDS if r.op in OPS])
@quick
@given(seed=seeds, case=cases, k=cases)
def test_infer(record: Record, seed: int, case: int, k: int) -> None:
    """`infer` gives the shape and dtype of every operation on the way without computing."""
    dtype = pick(record, k)
    assert dtype is not None
    args = support.draw(record, seed, case, dtype)
    frame = InferFrame("infer")
    with transformation(frame):
        record.fn(*[wrap(a, Watched(frame)) for a in args])
    if OPS[record.op].infer is not None:
        assert record.op in frame.checked


class Watched(Note):
    """The note of a Tensor whose operations are compared with what `infer` says of them."""

    __slots__ = ()

    def __init__(self, frame: Frame) -> None:
        self.frame = frame


class InferFrame(Frame):
    """Computes every operation one level below, and what `infer` says of it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.checked: set[str] = set()

    def apply(self, op: Any, args: Any, params: Any) -> Any:
        operands = below(self, args)
        ans = apply(op, operands, params)
        several = ans if op.multi else (ans,)
        if op.infer is not None:
            inferred = op.infer(*map(aval, operands), *params)
            for y, told in zip(several, inferred if op.multi else (inferred,), strict=True):
                assert isinstance(told, Aval)
                assert (y.shape, y.dtype) == (told.shape, told.dtype), op.name
            self.checked.add(op.name)
        watched = tuple(wrap(strip(y), Watched(self)) for y in several)
        return watched if op.multi else watched[0]


def _point(record: Record, seed: int, case: int, k: int, kinds: str = "fc") -> Any:
    dtype = pick(record, k, kinds)
    if dtype is None:
        return None
    args = support.draw(record, seed, case, dtype)
    which = support.differentiable(record, args)
    return (args, which, dtype) if which else None


def _restrict(record: Record, args: list[Any], which: list[int]) -> Any:
    def fn(*some: Any) -> Any:
        full = [lucid.Tensor(a) for a in args]
        for i, x in zip(which, some, strict=True):
            full[i] = x
        outs = support.outputs(record.fn(*full))
        return [y for y in outs if y.dtype.kind in "fc"]

    return fn


@each(SMOOTH)
@quick
@given(seed=seeds, case=cases, k=cases)
def test_jvp_is_the_derivative(record: Record, seed: int, case: int, k: int) -> None:
    """J·t agrees with central differences, in double precision."""
    doubles = [d for d in record.dtypes if d in ("float64", "complex128")]
    if not doubles:
        return
    args = support.draw(record, seed, case, doubles[k % len(doubles)])
    which = support.differentiable(record, args)
    if not which:
        return
    rng = np.random.default_rng(seed + 1)
    fn = _restrict(record, args, which)
    primals = [args[i] for i in which]
    tangents = [support.random_like(rng, p) for p in primals]
    values, pushed = lucid.jvp(fn, primals, tangents)
    steps = [
        support.numpy_of(
            fn(*[lucid.Tensor(p + s * t) for p, t in zip(primals, tangents, strict=True)])
        )
        for s in (STEP, -STEP, 2 * STEP, -2 * STEP)
    ]
    for y, got, a, b, a2, b2 in zip(values, pushed, *steps, strict=True):
        assert (got.shape, got.dtype) == (y.shape, y.dtype)
        want = (8 * (a - b) - (a2 - b2)) / (12 * STEP)
        close(got.numpy(), want, DIFFERENCE_RTOL * record.scale, "jvp")


@each(SMOOTH)
@quick
@given(seed=seeds, case=cases, k=cases)
def test_vjp_is_the_adjoint(record: Record, seed: int, case: int, k: int) -> None:
    """⟨u, J t⟩ = ⟨Jᴴu, t⟩, in every precision, and linearize gives the same J t."""
    point = _point(record, seed, case, k)
    if point is None:
        return
    args, which, dtype = point
    real = support.real_dtype(dtype)
    rng = np.random.default_rng(seed + 2)
    fn = _restrict(record, args, which)
    primals = [args[i] for i in which]
    tangents = [support.random_like(rng, p) for p in primals]
    _values, pushed = lucid.jvp(fn, primals, tangents)
    out, pull = lucid.vjp(fn, *primals)
    cts = [support.random_like(rng, y.numpy()) for y in out]
    pulled = pull(cts)
    for p, x in zip(pulled, primals, strict=True):
        assert (p.shape, p.dtype) == (x.shape, x.dtype)
    jt, jhu = support.numpy_of(pushed), support.numpy_of(list(pulled))
    rtol = IDENTITY_RTOL[real] * record.scale
    size = support.norm(cts) * support.norm(jt) + support.norm(jhu) * support.norm(tangents)
    assert np.isfinite(size), "a derivative that is not finite: choose another domain"
    gap = abs(support.inner(cts, jt) - support.inner(jhu, tangents))
    assert gap <= rtol * (size + 1e-30), (gap, size)
    _, push = lucid.linearize(fn, *primals)
    for a, b in zip(push(*tangents), jt, strict=True):
        close(a.numpy(), b, rtol, "linearize")


@each([r for r in SMOOTH if r.order > 1])
@quick
@given(seed=seeds, case=cases, k=cases)
def test_second_order(record: Record, seed: int, case: int, k: int) -> None:
    """The derivative of the pulled-back cotangent agrees with differences, in both modes."""
    doubles = [d for d in record.dtypes if d in ("float64", "complex128")]
    if not doubles:
        return
    args = support.draw(record, seed, case, doubles[k % len(doubles)])
    which = support.differentiable(record, args)
    if not which:
        return
    rng = np.random.default_rng(seed + 3)
    fn = _restrict(record, args, which)
    primals = [args[i] for i in which]
    cts = [support.random_like(rng, np.asarray(y.numpy())) for y in fn(*map(lucid.Tensor, primals))]
    tangents = [support.random_like(rng, p) for p in primals]

    def first(*x: Any) -> Any:
        return lucid.vjp(fn, *x)[1](cts)

    _, forward = lucid.jvp(first, primals, tangents)
    points = [
        support.numpy_of(
            first(*[lucid.Tensor(p + s * t) for p, t in zip(primals, tangents, strict=True)])
        )
        for s in (STEP, -STEP, 2 * STEP, -2 * STEP)
    ]
    wants = [(8 * (a - b) - (a2 - b2)) / (12 * STEP) for a, b, a2, b2 in zip(*points, strict=True)]
    scale = max((float(np.max(np.abs(w), initial=0.0)) for w in wants), default=0.0)
    base = max((float(np.max(np.abs(p), initial=0.0)) for p in points[0]), default=0.0)
    atol = 10 * DIFFERENCE_RTOL * record.scale * (scale + 1e-2 * base) + 1e-30
    for got, want in zip(forward, wants, strict=True):
        assert np.allclose(got.numpy(), want, rtol=0, atol=atol), (got.numpy(), want)
    # reverse over reverse is the transpose of forward over reverse
    _, pull = lucid.vjp(first, *primals)
    us = [support.random_like(rng, p) for p in primals]
    left = support.inner(us, support.numpy_of(list(forward)))
    right = support.inner(support.numpy_of(list(pull(tuple(us)))), tangents)
    size = support.norm(us) * support.norm(support.numpy_of(list(forward)))
    assert abs(left - right) <= 1e-8 * record.scale * (
        size + support.norm(cts) * support.norm(us) + 1e-30
    )


@each([r for r in RECORDS if r.batch])
@quick
@given(seed=seeds, case=cases, k=cases, axis=st.integers(0, 2), mixed=st.booleans())
def test_vmap_is_a_loop(
    record: Record, seed: int, case: int, k: int, axis: int, mixed: bool
) -> None:
    """vmap over any axis of any operands gives what a Python loop gives."""
    dtype = pick(record, k)
    assert dtype is not None
    rows = [support.draw(record, seed + 17 * r, case, dtype) for r in range(3)]
    count = len(rows[0])
    shared = [mixed and count > 1 and (seed + i) % 2 == 0 for i in range(count)]
    if all(shared):
        shared[0] = False
    axes = [None if s else min(axis, a.ndim) for s, a in zip(shared, rows[0], strict=True)]
    stacked = [
        rows[0][i] if ax is None else np.stack([r[i] for r in rows], ax)
        for i, ax in enumerate(axes)
    ]
    got = support.outputs(lucid.vmap(record.fn, in_axes=tuple(axes))(*stacked))
    loop = [
        support.outputs(
            record.fn(
                *[lucid.Tensor(rows[0][i] if axes[i] is None else r[i]) for i in range(count)]
            )
        )
        for r in rows
    ]
    rtol = VALUE_RTOL[support.real_dtype(dtype)] * record.scale
    for j, y in enumerate(got):
        want = np.stack([row[j].numpy() for row in loop])
        assert y.dtype == want.dtype
        close(y.numpy(), want, 4 * rtol, "vmap")


@each([r for r in SMOOTH if r.batch])
@quick
@given(seed=seeds, case=cases, k=cases)
def test_vmap_of_vjp_is_a_loop(record: Record, seed: int, case: int, k: int) -> None:
    """Per-example pulled-back cotangents equal those computed one by one, in either nesting."""
    point = _point(record, seed, case, k)
    if point is None:
        return
    args, which, dtype = point
    real = support.real_dtype(dtype)
    rng = np.random.default_rng(seed + 4)
    fn = _restrict(record, args, which)
    batches = [[a, support.draw(record, seed + 31, case, dtype)[i]] for i, a in enumerate(args)]
    stacked = [np.stack(batches[i]) for i in which]
    like = [y.numpy() for y in fn(*[lucid.Tensor(args[i]) for i in which])]
    cts = [np.stack([support.random_like(rng, y) for _ in range(2)]) for y in like]
    got = lucid.vmap(lambda x, u: lucid.vjp(fn, *x)[1](u))(stacked, cts)
    other = lucid.vjp(lucid.vmap(fn), *stacked)[1](cts)
    rtol = IDENTITY_RTOL[real] * record.scale
    for j, (g, o) in enumerate(zip(got, other, strict=True)):
        want = np.stack(
            [
                lucid.vjp(fn, *[s[r] for s in stacked])[1]([u[r] for u in cts])[j].numpy()
                for r in range(2)
            ]
        )
        close(g.numpy(), want, rtol, "vmap of vjp")
        close(o.numpy(), want, rtol, "vjp of vmap")


@each([r for r in RECORDS if r.diff is not None and not len(r.diff)])
def test_nothing_is_silently_zero(record: Record) -> None:
    """An operation without a derivative says so, or is piecewise constant by declaration."""
    op = OPS.get(record.op)
    dtype = pick(record, 0, "f")
    if op is None or dtype is None:
        return
    args = support.draw(record, 0, 0, dtype)
    outs = support.outputs(record.fn(*[lucid.Tensor(a) for a in args]))
    if not op.smooth or all(y.dtype.kind not in "fc" for y in outs):
        return
    inexact = [i for i, a in enumerate(args) if a.dtype.kind == "f"]
    with pytest.raises(lucid.errors.NotDifferentiableError):
        lucid.vjp(_restrict(record, args, inexact), *[args[i] for i in inexact])[1](
            [np.ones(y.shape, y.dtype) for y in outs if y.dtype.kind in "fc"]
        )
