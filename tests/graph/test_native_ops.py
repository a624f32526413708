"""Native code of single operations against the numpy executor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lucid
from lucid import functional
from lucid.core.dispatch import apply
from lucid.core.op import OPS
from lucid.errors import IndexOutOfBoundsError

REAL = ("float64", "float32")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8", "uint32", "uint64")
KINDS = (*REAL, *INTEGERS, "bool")
FEW = (*REAL, "int64", "int8", "uint32", "bool")


def drawn(shape: Any, dtype: str, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype).kind
    if kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    if kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    return rng.integers(-5 if kind == "i" else 0, 6, shape).astype(dtype)


def check(f: Any, *args: Any, native: bool = True, rtol: float | None = None) -> None:
    """Compare the executors; `native`: whether nothing may be left to Python."""
    slow, fast = lucid.jit(f, executor="numpy"), lucid.jit(f, executor="native")
    want, got = lucid.tree.leaves(slow(*args)), lucid.tree.leaves(fast(*args))
    assert len(want) == len(got)
    for x, y in zip(want, got, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        tolerance = (
            {"float64": 1e-12, "float32": 2e-5}.get(x.dtype.name, 0) if rtol is None else rtol
        )
        np.testing.assert_allclose(y, x, rtol=tolerance, atol=tolerance)
    if native:
        assert not fast.lower(*args).program.compiled().fallbacks


def one(name: str, *params: Any) -> Any:
    return lambda *arrays: apply(OPS[name], tuple(lucid.asarray(a) for a in arrays), params)


# -- indices ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "index"), [*((d, "int64") for d in KINDS), ("float32", "int32"), ("int8", "uint8")]
)
def test_gather_and_scatter_of_all_dtypes(dtype: str, index: str) -> None:
    x, k = drawn((5, 7, 3), dtype), drawn((2, 4), index)
    if index != "uint8":
        k[0, 0] = -5
    k %= np.array(5 if index == "uint8" else 127, index)
    k = np.where(k >= 5, 4, k).astype(index)
    check(lambda x, k: x[k], x, k)
    check(lambda x, k: lucid.take(x, k, axis=1), x, k)
    check(lambda x, k: lucid.take(x, k, axis=2), x[:, :, :], np.abs(k) % np.array(3, index))
    v = drawn((2, 4, 7, 3), dtype, 1)
    for op in ("set", "max", "min", "add"):
        if op != "add" or dtype != "bool":
            check(lambda x, k, v, op=op: getattr(x.at[k], op)(v), x, k, v)


def tensors(f: Any) -> Any:
    return lambda *arrays: f(*(lucid.asarray(a) for a in arrays))


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_several_indices(dtype: str) -> None:
    x = drawn((4, 5, 6), dtype)
    i, j = np.array([[0, -1, 2]]), np.array([[1], [4]])
    check(tensors(lambda x, i, j: x[i, j]), x, i, j)
    check(tensors(lambda x, i, j: x[i, :, j]), x, i, j)
    check(tensors(lambda x, i, j: x[:, i, j]), x, i, j)
    check(tensors(lambda x, i, j: x[::2, i, None, j]), x, i, j)
    check(lambda x: lucid.take_along_axis(x, lucid.argmax(x, axis=1, keepdims=True), axis=1), x)
    v = drawn((2, 3, 5), dtype, 2)
    for op in ("add", "set", "max", "multiply"):
        check(
            tensors(lambda x, i, j, v, op=op: getattr(x.at[i, :, j], op)(v)),
            x,
            i,
            j,
            v,
            native=op != "multiply",
        )


def test_the_last_of_several_values_for_a_place_stays() -> None:
    k = np.array([[3, 1, 3], [1, 3, 0]])
    check(tensors(lambda x, k, v: x.at[k].set(v)), np.zeros(4), k, np.arange(6.0).reshape(2, 3))


def test_sums_of_many_rows() -> None:
    ids, v = np.random.default_rng(0).integers(0, 9, 3000), drawn((3000, 33), "float32")
    check(lambda v, ids: lucid.segment_sum(v, ids, 9), v, ids, rtol=1e-4)
    check(lambda v, ids: lucid.segment_max(v, ids, 9), v, ids)
    check(lambda v, ids: lucid.segment_prod(v, ids, 9), np.exp(v[:50, :2] / 9), ids[:50])
    f = lucid.grad(lambda table, ids: (table[ids] ** 2).sum())
    check(f, v[:9], ids, rtol=1e-4)


def test_zero_sizes_and_other_layouts() -> None:
    for shape in ((0, 3), (3, 0)):
        x = np.zeros(shape)
        check(lambda x: lucid.asarray(x)[np.zeros(0, int)], x, native=False)
    x = drawn((6, 8), "float64").T[::2]
    check(lambda x: lucid.asarray(x)[np.array([1, 0])], x)
    check(lambda x: lucid.asarray(x).T[np.array([1, 5])], x)
    check(lambda x, v: x.at[1:3, ::2].set(v), lucid.asarray(x), np.ones((2, 3)))
    check(lambda x, v: x.at[:, 0].set(v), lucid.asarray(x), np.ones(()))


def test_an_index_out_of_bounds_raises_what_eager_does() -> None:
    x, k = drawn((4, 3), "float32"), np.array([0, 4])
    for f in (
        lambda x, k: (x * 2)[k] + 1,
        lambda x, k: lucid.take(x, k - 1, axis=1),
        lambda x, k: x.at[k].add(1.0),
        lambda x, k: x.at[k].set(1.0),
    ):
        with pytest.raises(IndexOutOfBoundsError) as eager:
            f(lucid.asarray(x), lucid.asarray(k))
        fast = lucid.jit(f, executor="native")
        with pytest.raises(IndexOutOfBoundsError) as compiled:
            fast(lucid.asarray(x), lucid.asarray(k))
        assert str(eager.value).split(":")[0] == str(compiled.value).split(":")[0]
        fast(lucid.asarray(x), lucid.asarray(k) * 0)  # the program is whole


def test_classes() -> None:
    for dtype in REAL:
        x = drawn((6, 5), dtype)
        for t in (np.array([0, 4, 2, -100, 1, 1]), np.array([0, 1, 2, 3, 4, 4], np.uint8)):
            check(lucid.value_and_grad(lambda x, t: functional.cross_entropy(x, t)), x, t)
        check(
            lambda x, t: functional.cross_entropy(x, t, ignore_index=2),
            x,
            np.array([2, 2, 0, 1, 2, 4]),
        )
        images = drawn((2, 5, 3, 4), dtype)
        t = np.random.default_rng(0).integers(0, 5, (2, 3, 4)).astype(np.int32)
        check(lucid.value_and_grad(lambda x, t: functional.cross_entropy(x, t)), images, t)
    fast = lucid.jit(functional.cross_entropy, executor="native")
    for bad in (5, -1):
        with pytest.raises(IndexOutOfBoundsError, match=f"class indices from 0 to 4.*{bad}"):
            fast(x, np.array([0, 4, 2, bad, 1, 1]))


# -- along an axis ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FEW)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_running_results_and_extremes(dtype: str, axis: int) -> None:
    x = drawn((3, 5, 18), dtype)
    check(lambda x: lucid.cumulative_sum(x, axis=axis), x)
    check(lambda x: lucid.cumulative_prod(x, axis=axis), x)
    check(lambda x: lucid.argmax(x, axis=axis), x)
    check(lambda x: lucid.argmin(x, axis=axis, keepdims=True), x)
    if dtype != "bool":
        check(lambda x: lucid.cummax(x, axis=axis), x)
        check(lambda x: lucid.cummin(x, axis=axis), x)


@pytest.mark.parametrize("dtype", REAL)
def test_running_results_of_strange_numbers(dtype: str) -> None:
    x = drawn((4, 70), dtype)
    x[0, 3], x[1, :2], x[2, 5], x[3, :] = np.nan, np.nan, np.inf, -np.inf
    for axis in (0, 1):
        check(lambda x, a=axis: lucid.cummax(x, axis=a), x)
        check(lambda x, a=axis: lucid.argmax(x, axis=a), x)
        check(lambda x, a=axis: lucid.argmin(x, axis=a), x)
        check(lambda x, a=axis: lucid.logcumsumexp(x, axis=a), x)
        check(lambda x, a=axis: lucid.cumulative_sum(x, axis=a), x)
    check(lucid.grad(lambda x: (lucid.cumulative_sum(x, axis=1) ** 2).sum()), x[:1, 4:])
    check(lambda x: lucid.cumulative_sum(x, axis=1), x[:, ::-3])
    check(lambda x: lucid.cumulative_sum(x, axis=0), x[:, ::-3].T)
    check(lambda x: lucid.cumulative_sum(x, axis=1), x[:, :0], native=False)


# -- windows ---------------------------------------------------------------------------------------

GEOMETRIES = [  # images, window, strides, padding, base, dilation, groups
    ((2, 4, 7, 9), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), (1, 1), 1),
    ((5, 4, 8, 6), (2, 3), (2, 3), ((0, 1), (2, 0)), (1, 1), (1, 2), 2),
    ((3, 4, 5, 40), (5, 4), (1, 1), ((3, 2), (-1, 4)), (1, 1), (1, 2), 4),
    ((1, 4, 4, 3), (3, 2), (1, 2), ((2, 2), (1, 0)), (2, 3), (2, 1), 1),
    ((33, 4, 20), (3,), (2,), ((1, 1),), (1,), (1,), 1),
    ((2, 4, 3, 4, 5), (2, 1, 3), (1, 1, 2), ((0, 0), (1, 0), (1, 1)), (1, 1, 1), (1, 1, 1), 2),
    ((6, 4, 1, 1), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1), 1),
]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_convolution(dtype: str, geometry: Any) -> None:
    shape, window, *params = geometry
    x, w = drawn(shape, dtype), drawn((20, 4 // params[-1], *window), dtype, 1)
    check(one("conv", *params), x, w, rtol=1e-4 if dtype == "float32" else 1e-11)
    y = drawn(np.shape(one("conv", *params)(x, w)), dtype, 2)
    tolerance = 1e-4 if dtype == "float32" else 1e-11
    check(one("conv_weight", window, *params), x, y, rtol=tolerance)
    square = lucid.grad(lambda x, w: (one("conv", *params)(x, w) ** 2).sum(), (0, 1))
    check(square, x, w, rtol=tolerance * 100)
    reordered = np.asfortranarray(x)
    check(
        lambda x, w: one("conv", *params)(lucid.flip(x, axis=0), lucid.asarray(w)[::-1] * 2),
        reordered, w, rtol=tolerance,
    )  # fmt: skip


def test_large_convolutions_are_shared_by_threads() -> None:
    x, w = drawn((9, 6, 40, 41), "float32"), drawn((33, 6, 3, 3), "float32", 1)
    pads = ((1, 1), (1, 1))
    f = one("conv", (1, 1), pads, (1, 1), (1, 1), 1)
    check(lucid.value_and_grad(lambda x, w: (f(x, w) ** 2).mean(), (0, 1)), x, w, rtol=1e-3)


POOLS = [  # images, window, strides, padding, dilation
    ((2, 3, 8, 34), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((2, 3, 7, 9), (3, 2), (2, 1), ((1, 1), (1, 0)), (1, 1)),
    ((1, 40, 70), (3,), (3,), ((1, 1),), (2,)),
    ((2, 5, 4, 9), (2, 1, 3), (1, 2, 4), ((1, 0), (0, 0), (2, 1)), (2, 1, 1)),
    ((3, 9, 8), (2, 3), (5, 1), ((-1, 0), (0, 0)), (1, 2)),
]


@pytest.mark.parametrize("dtype", FEW)
@pytest.mark.parametrize("geometry", POOLS)
def test_pooling(dtype: str, geometry: Any) -> None:
    shape, window, strides, padding, dilation = geometry
    params = window, strides, padding, dilation
    x = drawn(shape, dtype)
    check(one("max_pool", *params), x)
    check(one("max_pool_places", *params), x)
    places = np.asarray(one("max_pool_places", *params)(x))
    y = drawn(places.shape, dtype, 1)
    rank = len(window)
    check(one("pick_places", rank, False), x, places)
    plain = (1,) * rank
    if dtype in REAL:
        check(one("put_places", shape[-rank:], False), y, places)
        total = lambda x: (one("max_pool", *params)(x) ** 2).sum()  # noqa: E731
        check(lucid.value_and_grad(total), x, rtol=1e-5)
    if dtype != "bool":
        check(one("window_sum", window, strides, padding, plain, dilation), x, rtol=1e-5)
    check(one("unfold", *params), x)
    patches = np.asarray(one("unfold", *params)(x))
    check(one("fold", shape[-rank:], *params), patches, native=dtype != "bool", rtol=1e-5)
    apart = (2,) * rank
    check(one("window_sum", window, plain, padding, apart, dilation), x, rtol=1e-5)


@pytest.mark.parametrize("dtype", REAL)
def test_pooling_of_strange_numbers(dtype: str) -> None:
    x = drawn((4, 6, 20), dtype)
    x[0, 1, 3] = x[0, 2, 2] = x[0, 2, 3] = np.nan
    x[1], x[2, :3], x[3] = -np.inf, np.inf, 1
    for padding in (((0, 0), (0, 0)), ((1, 1), (1, 1))):
        for name in ("max_pool", "max_pool_places"):
            check(one(name, (3, 3), (2, 2), padding, (1, 1)), x)
            check(one(name, (2, 2), (2, 2), padding, (1, 1)), x.transpose(0, 2, 1))


def test_places_outside_raise() -> None:
    x, places = np.zeros((2, 6)), np.array([[0, 1], [2, 12]])
    with pytest.raises(IndexOutOfBoundsError):
        lucid.jit(one("pick_places", 1, False), executor="native")(x, places)


# -- element by element ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [*REAL, *INTEGERS])
def test_division_with_rest(dtype: str) -> None:
    x, y = drawn((40, 31), dtype), drawn((40, 31), dtype, 1)
    y[0, :3] = x[1, :3] = 0
    if np.dtype(dtype).kind == "i":
        x[2, :5], y[2, :5] = np.iinfo(dtype).min, -1
        x[3, :5], y[4, :9] = np.iinfo(dtype).max, -1
    elif np.dtype(dtype).kind == "f":
        x[2, :4], y[2, :4] = np.inf, 2
        x[3, :4], y[3, :4] = -2, np.inf
        x[4, :4], y[5, :4] = np.nan, np.nan
    for name in ("floor_divide", "remainder", "fmod"):
        check(one(name), x, y)
        check(lambda x, name=name: apply(OPS[name], (lucid.asarray(x), 3), ()), x)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bits_and_powers_of_integers(dtype: str) -> None:
    x = drawn((7, 9), dtype)
    y = np.abs(drawn((7, 9), dtype, 1)) * np.array(15, dtype)
    check(one("bitwise_left_shift"), x, y)
    check(one("bitwise_right_shift"), x, y)
    for n in (0, 1, 2, 3, 7, 10):
        check(lambda x, n=n: lucid.asarray(x) ** n, x)
    check(lambda x: (lucid.isnan(x), lucid.isinf(x), lucid.isfinite(x), lucid.imag(x)), x)


@pytest.mark.parametrize("dtype", REAL)
def test_steps_signs_and_neighbours(dtype: str) -> None:
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, tiny, -tiny, 2.5, np.finfo(dtype).max])
    x = x.astype(dtype)
    y = x[:, None]
    check(one("nextafter"), x, y)
    check(one("heaviside"), x, y)
    check(one("signbit"), x)
    check(one("real_angle"), x)
    for n in (1, 2, -1):
        check(lambda x, n=n: lucid.round(x, n), drawn((5, 40), dtype) * 100)


# -- random numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1,), (3,), (8,), (5, 31), (700, 300)])
def test_random_numbers_are_those_of_eager(shape: Any) -> None:
    def f(k: Any) -> Any:
        a, b, c = lucid.random.split(k, 3)
        single = lucid.random.uniform(a, shape, np.float32)
        return single, lucid.random.uniform(b, shape), lucid.random.bernoulli(c, 0.3, shape)

    key = lucid.random.key(7)
    with lucid.random.allow_key_reuse():
        fast = lucid.jit(f, executor="native")
        for want, got in zip(f(key), fast(key), strict=True):
            np.testing.assert_array_equal(want, got)
        assert not fast.lower(key).program.compiled().fallbacks


def test_probabilities_are_checked() -> None:
    def f(k: Any, p: Any) -> Any:
        return lucid.random.bernoulli(k, p, (5,))

    with pytest.raises(lucid.errors.ShapeError, match="probabilities"):
        lucid.jit(f, executor="native")(lucid.random.key(0), np.array(1.5))


# -- compositions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", REAL)
def test_compositions(dtype: str) -> None:
    x = drawn((4, 6, 5), dtype)
    w, c = drawn((5,), dtype, 1), drawn((5,), dtype, 2)
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    f = lambda x, w, c: functional.layer_norm(x, (5,), w, c)  # noqa: E731
    check(f, x, w, c, rtol=tolerance)
    check(lucid.grad(lambda *a: (f(*a) ** 3).sum(), (0, 1, 2)), x, w, c, rtol=tolerance)
    x[0, 1, 2] = x[1] = np.nan
    for axis in (0, 2):
        check(lambda x, a=axis: (lucid.nanmax(x, axis=a), lucid.nanmin(x, axis=a)), x)
    for axis in (0, 1):
        check(one("shift", axis, False), x)
        check(one("shift", axis, True), x)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize(
    ("name", "count"),
    [("j0", 1), ("gamma", 1), ("log_ndtr", 1), ("gammainc", 2), ("iv", 2), ("betainc", 3)],
)
def test_special_functions(dtype: str, name: str, count: int) -> None:
    strange = np.array([0, 1, np.inf, -np.inf, np.nan, -1.5, 3.25], dtype)
    args = [np.concatenate([strange, drawn((61,), dtype, k) ** 2]) for k in range(count)]
    args[1:] = [np.abs(a[::-1]) for a in args[1:]]
    f = getattr(lucid.special, name)
    check(lambda *a: f(*a) * 2, *args, rtol=1e-13 if dtype == "float64" else 1e-5)
    check(lambda *a: f(*(x[:1, 0] for x in a)), *(a.reshape(-1, 4) for a in args), rtol=1e-5)
    check(lucid.digamma, np.abs(args[0]))
    check(lucid.gammaln, args[0])


@pytest.mark.parametrize("dtype", FEW)
def test_extremes_of_long_rows(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for n in (32, 47, 130, 133, 700):
        x = drawn((5, n), dtype, n)
        if dtype in REAL:
            x[0, rng.integers(0, n, 3)] = np.nan
            x[1, rng.integers(0, n, 3)] = np.inf
            x[2] = -np.inf
        x[3] = x[3, 0]
        for name in ("argmax", "argmin"):
            check(one(name, 1, False), x)
            check(one(name, 0, False), x)
            check(one(name, 0, False), np.asfortranarray(x))


# -- threads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sum", "columns", "kernel"])
def test_shared_sums_have_the_same_bits_every_time(name: str) -> None:
    """Whoever takes which part, and also where another thread has taken the workers."""
    x, y = drawn((600, 700), "float64"), drawn((32, 16, 9, 9), "float64", 1)
    w, cts = drawn((16, 16, 3, 3), "float64", 2), drawn((32, 16, 7, 7), "float64", 3)
    functions: dict[str, Any] = {
        "sum": lambda x: (x * 3).sum(),
        "columns": lambda x: lucid.tanh(x).sum(0),
        "kernel": lucid.grad(lambda w: (functional.conv2d(y, w) * cts).sum()),
    }
    arg = lucid.asarray(w if name == "kernel" else x)
    f = lucid.jit(functions[name], executor="native")
    f(arg)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: f(arg).numpy().tobytes(), range(60)))
    assert len(set(found)) == 1


# -- attention -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("mask", ["none", "causal", "bool", "float"])
def test_attention(dtype: str, mask: str) -> None:
    q, k, v = (drawn((2, 3, 7, 4), dtype, seed) for seed in range(3))
    seen = np.tri(7, dtype=bool)[::-1].copy()
    seen[2] = False  # a query that attends to no key
    added = np.where(seen, 0.5, -np.inf).astype(dtype)
    given = {"bool": seen, "float": added}.get(mask)

    def attend(q: Any, k: Any, v: Any) -> Any:
        return functional.scaled_dot_product_attention(
            q, k, v, attn_mask=given, is_causal=mask == "causal"
        )

    check(attend, q, k, v)
    check(lucid.grad(lambda *x: (attend(*x) ** 2).sum(), (0, 1, 2)), q, k, v)


# -- linear systems --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("n", [1, 5, 40])
def test_linear_systems(dtype: str, n: int) -> None:
    a = drawn((3, n, n), dtype) + 4 * n * np.eye(n, dtype=dtype)
    spd = a @ a.swapaxes(1, 2)
    y = drawn((3, n, 2), dtype, 1)
    tolerance = 1e-3 if dtype == "float32" else 1e-11
    linalg = lucid.linalg
    check(linalg.cholesky, spd, rtol=tolerance)
    check(linalg.inv, a, rtol=tolerance)
    check(linalg.solve, a, y, rtol=tolerance)
    check(lambda a, y: linalg.solve(a[0].mT, y), a, y, rtol=tolerance)
    for lower in (False, True):
        check(lambda a, y, k=lower: linalg.solve_triangular(a, y, lower=k), a, y, rtol=tolerance)
        check(
            lambda a, y, k=lower: linalg.solve_triangular(
                a, y[0, :, 0], lower=k, trans=1, unit_diagonal=True
            ),
            a / (8 * n), y, rtol=tolerance,
        )  # fmt: skip
    check(lucid.grad(lambda a, y: (linalg.solve(a, y) ** 2).sum(), (0, 1)), a, y, rtol=tolerance)
    check(lucid.grad(lambda a: linalg.cholesky(a).sum()), spd, native=False, rtol=tolerance)


def test_singular_matrices_raise_what_eager_does() -> None:
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    for f in (
        lucid.linalg.inv,
        lambda a: lucid.linalg.solve(a, np.ones(2)),
        lambda a: lucid.linalg.cholesky(a - 3),
        lambda a: lucid.linalg.solve_triangular(a * np.array([1.0, 0.0]), np.ones(2)),
    ):
        with pytest.raises(lucid.errors.LinAlgError) as eager:
            f(lucid.asarray(a))
        with pytest.raises(lucid.errors.LinAlgError) as compiled:
            lucid.jit(f, executor="native")(a)
        assert str(eager.value) == str(compiled.value)
