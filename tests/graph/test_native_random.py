"""Draws in native code against NumPy's, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lucid
from lucid import functional, random
from lucid.errors import OptionError, ShapeError
from lucid.graph.native.ziggurat_tables import tables

SEEDS = range(4)


def check(f: Any, *args: Any, rtol: float | None = None) -> None:
    """Compare the executors; nothing may be left to Python."""
    slow, fast = lucid.jit(f, executor="numpy"), lucid.jit(f, executor="native")
    with random.allow_key_reuse():
        want, got = lucid.tree.leaves(slow(*args)), lucid.tree.leaves(fast(*args))
        assert not fast.lower(*args).fallbacks()
    for x, y in zip(want, got, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        if rtol is None:
            np.testing.assert_array_equal(y, x)
        else:
            np.testing.assert_allclose(y, x, rtol=rtol)


@pytest.mark.parametrize("dtype", [lucid.float64, lucid.float32])
@pytest.mark.parametrize("name", ["normal", "exponential"])
def test_a_million_draws_are_numpys(name: str, dtype: Any) -> None:
    draw = getattr(random, name)
    for seed in SEEDS:
        check(lambda k: draw(k, (300_000,), dtype), random.key(seed))


@pytest.mark.parametrize("dtype", [lucid.float64, lucid.float32])
def test_tails_and_edges_are_among_the_draws(dtype: Any) -> None:
    f = lucid.jit(lambda k: random.normal(k, (1_000_000,), dtype), executor="native")
    x = f(random.key(0)).numpy()
    assert (x > 3.7).any()  # from the tail
    assert (x < -3.7).any()
    f = lucid.jit(lambda k: random.exponential(k, (1_000_000,), dtype), executor="native")
    assert (f(random.key(0)).numpy() > 7.7).any()


@pytest.mark.parametrize("name", ["normal", "exponential"])
def test_layers_have_equal_areas(name: str) -> None:
    bounds, scales, densities = tables(name, "d")
    x = np.array(scales) * 2.0 ** (52 if name == "normal" else 53)
    f = np.array(densities)
    areas = x[1:] * (f[:-1] - f[1:])  # of the layers above the base
    np.testing.assert_allclose(areas, x[0] * f[-1], rtol=1e-11)
    whole = 2.0 ** (52 if name == "normal" else 53)
    np.testing.assert_allclose(np.array(bounds)[2:] / whole, x[1:-1] / x[2:], rtol=1e-15)


@pytest.mark.parametrize("count", [1, 3, 63, 64, 65, 127, 128, 129, 1000])
def test_any_number_of_draws(count: int) -> None:
    k = random.key(count)
    for dtype in (lucid.float64, lucid.float32):
        check(lambda k, d=dtype: random.normal(k, (count,), d), k)
        check(lambda k, d=dtype: random.exponential(k, (1, count), d), k)
    check(lambda k: random.permutation(k, count), k)
    check(lambda k: random.randint(k, 0, 10, (count,)), k)
    check(lambda k: random.gamma(k, 0.7, (count,)), k)


def test_keys() -> None:
    for data in (0, 1, 7, 2**63, 2**64 - 2):
        check(lambda k, d=data: random.fold_in(k, d).data, random.key(3))
    check(lambda k: random.normal(random.split(k, 5)[3], (9,)), random.key(0))

    def draws(k: Any) -> Any:
        return [random.normal(random.fold_in(k, i), (3,)) for i in range(3)]

    check(draws, random.key(1))
    keys = random.split(random.key(0), 4)
    check(lucid.vmap(lambda k: random.exponential(k, (5,))), keys)


def test_draws_in_a_loop() -> None:
    def step(k: Any, x: Any) -> Any:
        a, b = random.split(random.Key(k))
        return a.data, x + random.normal(b, x.shape) * random.randint(random.fold_in(b, 1), 1, 5)

    check(lambda k, x: lucid.scan(step, k.data, x), random.key(5), np.zeros((6, 7)))


RANGES = [
    *((0, 10), (-5, 2**31), (0, 2**32 - 2), (0, 2**32 - 1), (3, 2**33), (-(2**62), 2**62)),
    *((0, 3 * 2**61), (7, 8), (-(2**63), 2**63 - 1), (0, 2**32), (0, 2**32 + 1)),
]


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_integers(low: int, high: int) -> None:
    for k in map(random.key, SEEDS):
        check(lambda k: random.randint(k, low, high, (3000,)), k)
        check(lambda k, a, b: random.randint(k, a, b, (5, 3)), k, np.int64(low), np.int64(high))


def test_integers_from_an_empty_range_raise() -> None:
    f = lucid.jit(lambda k, a: random.randint(k, a, 3, (4,)), executor="native")
    for bad in (3, 10):
        with pytest.raises(ShapeError, match="maxval above minval"):
            f(random.key(0), np.int64(bad))
    assert f(random.key(0), np.int64(2)).tolist() == [2] * 4


def test_permutations() -> None:
    for n in (1, 2, 3, 10, 1000, 100_000):
        check(lambda k, n=n: random.permutation(k, n), random.key(n))
    x = np.random.default_rng(0).standard_normal((20, 3))
    check(lambda k, x: random.permutation(k, x), random.key(0), x)
    check(lambda k, x: random.choice(k, x, (7,), replace=False), random.key(0), x)
    check(lambda k, x: random.choice(k, x, (7,)), random.key(0), x)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gamma(dtype: str) -> None:
    rng = np.random.default_rng(0)
    shapes = np.concatenate([rng.uniform(0, 5, 20_000), [0.0, 1.0, 1e-300, 1e30, np.inf]])
    for k in map(random.key, SEEDS):
        check(lambda k, a: random.gamma(k, a), k, shapes.astype(dtype))
        check(lambda k, a: random.gamma(k, a, (4, 3)), k, shapes[:3].astype(dtype))
    f = lucid.jit(lambda k, a: random.gamma(k, a), executor="native")
    for bad in (-1.0, np.nan):
        with pytest.raises(ShapeError, match="not negative"):
            f(random.key(0), np.array([1.0, bad], dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_counts(dtype: str) -> None:
    rng = np.random.default_rng(0)
    means = np.concatenate([rng.uniform(0, 60, 20_000), [0, 1e-300, 9.999, 10, 1e9, 9e18]])
    chances = np.concatenate([rng.random(20_000), [1, 1e-300, 1e-18, 0.33, 0.34, 1e-3]])
    means, chances = means.astype(dtype), np.maximum(chances.astype(dtype), 1e-35)
    for k in map(random.key, SEEDS):
        check(lambda k, m: random.poisson(k, m), k, means)
        check(lambda k, m: random.poisson(k, m, (5, 7)), k, means[:7])
        check(lambda k, p: random.geometric(k, p), k, chances)
        check(lambda k, p: random.geometric(k, p[None, ::-1], (5, 7)), k, chances[:7])
        for m in (3.0, 70.0, 1e6):
            check(lambda k, m=m: random.poisson(k, m, (3000,)), k)
            check(lambda k, m=m: random.geometric(k, 1 / m, (3000,)), k)
    f = lucid.jit(random.poisson, executor="native")
    g = lucid.jit(random.geometric, executor="native")
    for bad in (-1.0, np.nan, 9.3e18):
        with pytest.raises(ShapeError, match="a mean from 0"):
            f(random.key(0), np.array([1.0, bad], dtype))
    for bad in (0.0, np.nan, 1.5):
        with pytest.raises(ShapeError, match="probabilities above 0"):
            g(random.key(0), np.array(bad, dtype))


def test_what_is_made_of_these() -> None:
    k, a = random.key(0), np.array([0.5, 2.0, 3.0])
    m = np.array([[2.0, 0.5], [0.5, 1.0]])
    for f in (
        lambda k: random.lognormal(k, (50,)),
        lambda k: random.weibull(k, 1.5, (50,)),
        lambda k: random.rayleigh(k, (50,), lucid.float32),
        lambda k: random.pareto(k, 3.0, (50,)),
        lambda k: random.chisquare(k, 3.0, (50,)),
        lambda k: random.t(k, 3.0, (50,)),
        lambda k: random.beta(k, 0.3, 3.0, (50,)),
        lambda k: random.dirichlet(k, a, (5,)),
        lambda k: random.multivariate_normal(k, np.zeros(2), m, (50,)),
        lambda k: random.categorical(k, a, shape=(50,)),
        lambda k: random.choice(k, 3, (50,), p=a),
        lambda k: random.choice(k, 3, (3,), replace=False, p=a),
        lambda k: random.bernoulli(k, a / 4, (6, 3)),
        lambda k: random.bernoulli(k, 0.3, (6, 3)),
    ):
        check(f, k, rtol=1e-5)
    f = lucid.jit(lambda k, p: random.choice(k, 3, (2,), replace=False, p=p), executor="native")
    for bad in (a * [1, 0, 0], a - 1, a * np.inf, a * 0):
        with pytest.raises(ShapeError, match="choice"):
            f(random.key(0), bad)
    f = lucid.jit(lambda k, p: random.bernoulli(k, p), executor="native")
    for bad in (-0.1, 1.1, np.nan):
        with pytest.raises(ShapeError, match="probabilities from 0 to 1"):
            f(random.key(0), np.array([0.5, bad]))
    check(lucid.grad(lambda m, k: random.normal(k, (9,), loc=m).sum()), np.float64(2.0), k)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cross_entropy_of_probabilities(dtype: str) -> None:
    rng = np.random.default_rng(0)
    x, t = rng.random((7, 9)).astype(dtype), rng.random((7, 9)).astype(dtype)
    x[0, :2], t[0, :2], x[1, :2], t[1, :2] = 0, (0, 1), 1, (0, 1)
    rtol = 1e-5 if dtype == "float32" else 1e-13
    for reduction in ("mean", "none"):

        def loss(x: Any, t: Any, r: str = reduction) -> Any:
            return functional.binary_cross_entropy(x, t, reduction=r)

        check(loss, x, t, rtol=rtol)
        check(loss, x[1:2, 1:2], t[1:2, 1:2], rtol=rtol)
        check(lambda x, f=loss: f(x, lucid.asarray(1.0, dtype=dtype)), x, rtol=rtol)
    mean = functional.binary_cross_entropy
    check(lucid.value_and_grad(mean), x[2:], t[2:], rtol=10 * rtol)
    f = lucid.jit(mean, executor="native")
    for bad in (-0.1, 1.5, np.nan):
        x[3, 3] = bad
        with pytest.raises(OptionError, match="probabilities between 0 and 1"):
            f(x, t)


def test_checkpoints() -> None:
    def inner(x: Any) -> Any:
        return lucid.sin(lucid.exp(x)) @ x.T

    def f(x: Any) -> Any:
        y = lucid.checkpoint(inner)(lucid.checkpoint(inner)(x * 2))
        return (y * y).sum()

    x = np.random.default_rng(0).standard_normal((5, 5)) / 3
    check(lucid.grad(f), x, rtol=1e-10)
    check(lucid.vmap(lucid.grad(f)), np.stack([x, x + 1]) / 4, rtol=1e-8)
    fast = lucid.jit(lambda x: lucid.checkpoint(lambda x: x)(x), executor="native")
    y = fast(x)
    x[0] = 9
    assert not (y.numpy()[0] == 9).any()
