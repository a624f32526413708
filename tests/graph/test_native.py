"""The native executor against eager, over every op record: values, gradients, special numbers."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.core.dispatch import apply
from lucid.core.op import OPS
from lucid.errors import ConcretizationError
from lucid.graph.jit import jit
from tests import support
from tests.record import Record
from tests.support import IDENTITY_RTOL, VALUE_RTOL

pytest.importorskip("llvmlite")
elementwise = pytest.importorskip("lucid.graph.native.elementwise")

RECORDS = support.all_records()
SMOOTH = [r for r in RECORDS if r.diff is None or len(r.diff)]
LAYOUTS = ("C", "F", "reversed", "gaps")


def native(function: Callable[..., Any]) -> Any:
    return jit(function, executor="native")


def draws(record: Record, kinds: str = "fciub", each: int = 2) -> list[tuple[str, list[Any]]]:
    """Operands of each dtype: some of the record's shapes, in some memory layout."""
    seed = zlib.crc32(record.name.encode())
    names = [d for d in record.dtypes if np.dtype(d).kind in kinds]
    found = []
    for k, dtype in enumerate(names):
        for j in range(min(each, len(record.cases))):
            case = seed + k + j * max(len(record.cases) // each, 1)
            layout = LAYOUTS[(seed + k + j) % 4]
            args = support.draw(record, seed, case, dtype)
            found.append((dtype, [support.strided(a, layout) for a in args]))
    return found


def close(got: Any, want: Any, rtol: float, scale: float = 0.0) -> None:
    """Compare against the largest entry, or what it was computed from; shape and dtype too."""
    got, want = (np.asarray(x.numpy()) for x in (got, want))
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    if want.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, want)
        return
    scale = float(np.max(np.abs(want[np.isfinite(want)]), initial=scale))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * min(scale, 1e300))


def rtol_of(y: Any, dtype: str, table: dict[Any, float], scale: float) -> float:
    """The tolerance of the coarser of the result and the operands."""
    kinds = [support.real_dtype(t) for t in (dtype, y.dtype)]
    return max(table[k] if k in table else table[np.dtype("float32")] for k in kinds) * scale


def together(run: Callable[..., Sequence[Any]], sizes: Sequence[int]) -> Callable[..., Any]:
    """A function of many lists of operands, so that they are compiled at once."""

    def every(*flat: Any) -> list[Any]:
        found, start = [], 0
        for k, n in enumerate(sizes):
            found += run(k, *flat[start : start + n])
            start += n
        return found

    return every


@pytest.mark.parametrize("record", RECORDS, ids=[r.name for r in RECORDS])
def test_values(record: Record) -> None:
    """Shape and dtype are eager's, values agree but for rounding, whatever the memory layout.

    Sums may associate otherwise than NumPy's and the mathematics is within 4 ULP of the true
    value; the tolerances of the records cover both.
    """
    drawn = draws(record)
    wants = [support.outputs(record.fn(*[lucid.Tensor(a) for a in args])) for _, args in drawn]
    every = together(
        lambda k, *args: support.outputs(record.fn(*args)), [len(args) for _, args in drawn]
    )
    flat = [a for _, args in drawn for a in args]
    try:
        gots = native(every)(*flat)
    except ConcretizationError:  # what no executor can run
        with pytest.raises(ConcretizationError):
            jit(every, executor="numpy")(*flat)
        return
    given = [draw for draw, want in zip(drawn, wants, strict=True) for _ in want]
    for got, want, (dtype, args) in zip(gots, chain.from_iterable(wants), given, strict=True):
        scale = 0.0 if record.cancels is None else float(record.cancels(*args))
        close(got, want, rtol_of(want, dtype, VALUE_RTOL, record.scale), scale)


@pytest.mark.parametrize("record", SMOOTH, ids=[r.name for r in SMOOTH])
def test_gradients(record: Record) -> None:
    """A compiled pullback gives what eager's does, in the dtypes of the primals."""
    drawn = [(d, a) for d, a in draws(record, "fc", 1) if support.differentiable(record, a)]
    if not drawn:
        return
    rng = np.random.default_rng(0)
    operands, wants, plans = [], [], []
    for dtype, args in drawn:
        which = support.differentiable(record, args)
        outs = support.outputs(record.fn(*[lucid.Tensor(a) for a in args]))
        cts = [support.random_like(rng, y) for y in outs if y.dtype.kind in "fc"]
        plans.append((which, len(args)))
        operands.append([*args, *cts])
        wants += [(dtype, g) for g in pulled(record, *plans[-1], *map(lucid.Tensor, operands[-1]))]
    every = together(lambda k, *xs: pulled(record, *plans[k], *xs), [len(xs) for xs in operands])
    try:
        gots = native(every)(*[a for xs in operands for a in xs])
    except ConcretizationError:
        return
    for got, (dtype, want) in zip(gots, wants, strict=True):
        # gradients are sums of products with cotangents, which may cancel
        close(got, want, rtol_of(want, dtype, IDENTITY_RTOL, record.scale), 1.0)


def pulled(record: Record, which: Sequence[int], count: int, *values: Any) -> list[Any]:
    args, cts = values[:count], values[count:]

    def fn(*some: Any) -> Any:
        full = list(args)
        for i, x in zip(which, some, strict=True):
            full[i] = x
        return tuple(y for y in support.outputs(record.fn(*full)) if y.dtype.kind in "fc")

    _, back = lucid.vjp(fn, *[args[i] for i in which])
    return [g for g in back(tuple(cts)) if g is not None]


# -- special numbers -------------------------------------------------------------------------------


def special(dtype: Any) -> Any:
    """Zeros, infinities, NaN, subnormals, and where functions turn over, of both signs."""
    i = np.finfo(dtype)
    ends = [i.smallest_subnormal, i.smallest_normal, i.eps, i.max, np.nextafter(dtype(1), dtype(0))]
    points = [0, 1e-8, 0.5, 1, 1.5, 2, 2.5, 3, np.pi, 10, 88.7, 89, 1000, 2.0**24 + 2, 2.0**31]
    x = np.array([*ends, *points, np.inf], dtype)
    return np.concatenate([x, -x, np.array([np.nan], dtype)])


# Where the sign of a zero depends on the order of operands that are equal, NumPy promises none.
EXTREMES = {"maximum", "minimum", "fmax", "fmin", "clip", "clip_lower", "clip_upper"}
# Conditioned like x² in the tail, like 1/|value| near a zero, or flushed to zero by SciPy.
LOOSE = {"gelu", "normal_cdf", "special.ndtr", "logaddexp", "sigmoid", "special.expit"}
PLAIN = sorted(set(elementwise.ELEMENTWISE) - {n for n in OPS if n.startswith("bitwise")})


def arity(name: str) -> int:
    impl = OPS[name].impl
    return impl.nin if isinstance(impl, np.ufunc) else len(inspect.signature(impl).parameters)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PLAIN)
def test_special_numbers(name: str, dtype: Any) -> None:
    """All pairs of special numbers: the same NaN, infinities and zeros, else within 6 ULP.

    The mathematics is within 4 ULP of the true value, and eager's within 2.
    """
    x = special(dtype)
    pairs = [grid.ravel() for grid in np.meshgrid(x, x)]
    args = [*pairs, np.roll(pairs[0], 7)][: arity(name)] if arity(name) > 1 else [x]
    op = OPS[name]
    with np.errstate(all="ignore"):
        want = apply(op, [lucid.Tensor(a) for a in args], ())
    f = native(lambda *xs: apply(op, xs, ()))
    got = np.asarray(f(*args).numpy())
    assert not f.lower(*args).program.compiled().fallbacks
    want = np.asarray(want.numpy())
    assert got.dtype == want.dtype
    if want.dtype.kind == "b":
        np.testing.assert_array_equal(got, want)
        return
    tiny = np.finfo(dtype).smallest_normal
    with np.errstate(all="ignore"):
        unit = np.spacing(np.maximum(np.abs(want), tiny))
        error = np.abs(got.astype(np.longdouble) - want) / unit
    limit = 1000 if name in LOOSE else 6
    right = (got == want) | (np.isnan(got) & np.isnan(want)) | (error <= limit)
    if name in LOOSE:
        right |= (np.abs(got) < 2 * tiny) & (np.abs(want) < 2 * tiny)
    assert right.all(), [tuple(a[~right][0] for a in args), got[~right][0], want[~right][0]]
    if name not in EXTREMES:
        zero = (got == 0) & (want == 0)
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize(
    "new", ["int8", "uint8", "int16", "uint16", "int32", "int64", "uint64", "bool"]
)
@pytest.mark.parametrize("old", ["float32", "float64"])
def test_casts_to_integers_keep_the_low_bits(old: str, new: str) -> None:
    """Also beyond the range of a short integer, where NumPy goes by way of a longer one."""
    x = np.tile(np.array([1.5, -1.5, 300.7, -300.2, 255, 127.9, 128, -129, 70000, 3e4], old), 5)
    with np.errstate(all="ignore"):
        want = x.astype(new)
    np.testing.assert_array_equal(native(lambda t: t.astype(new))(x).numpy(), want)
