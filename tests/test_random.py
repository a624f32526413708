"""Random numbers: keys are used once, draws have their distributions, gradients are right."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import lucid
from lucid import Tensor, tree
from lucid import random as R  # noqa: N812 - as short as the key that every call takes
from lucid.errors import (
    DTypeError,
    IndexOutOfBoundsError,
    KeyReusedError,
    LinAlgError,
    OperandError,
    ShapeError,
)
from lucid.ops.random import continuous, discrete, gammas

N = 20_000
INF = float("inf")

# -- every distribution, the one it must follow ----------------------------------------------------

CONTINUOUS: dict[str, tuple[Callable[..., Tensor], Any]] = {
    "normal": (lambda k, *a: R.normal(k, *a, loc=1.0, scale=2.0), stats.norm(1, 2)),
    "uniform": (lambda k, *a: R.uniform(k, *a, minval=-1.0, maxval=3.0), stats.uniform(-1, 4)),
    "exponential": (lambda k, *a: R.exponential(k, *a, scale=2.0), stats.expon(scale=2)),
    "gumbel": (lambda k, *a: R.gumbel(k, *a, loc=1.0, scale=2.0), stats.gumbel_r(1, 2)),
    "logistic": (lambda k, *a: R.logistic(k, *a, loc=1.0, scale=2.0), stats.logistic(1, 2)),
    "cauchy": (lambda k, *a: R.cauchy(k, *a, loc=1.0, scale=2.0), stats.cauchy(1, 2)),
    "laplace": (lambda k, *a: R.laplace(k, *a, loc=1.0, scale=2.0), stats.laplace(1, 2)),
    "lognormal": (lambda k, *a: R.lognormal(k, *a, scale=0.5), stats.lognorm(0.5)),
    "weibull": (lambda k, *a: R.weibull(k, 1.5, *a, scale=2.0), stats.weibull_min(1.5, scale=2)),
    "rayleigh": (lambda k, *a: R.rayleigh(k, *a, scale=2.0), stats.rayleigh(scale=2)),
    "pareto": (lambda k, *a: R.pareto(k, 3.0, *a, scale=2.0), stats.pareto(3, scale=2)),
    "truncated": (lambda k, *a: R.truncated_normal(k, -1.0, 2.0, *a), stats.truncnorm(-1, 2)),
    "upper": (lambda k, *a: R.truncated_normal(k, 1.0, INF, *a), stats.truncnorm(1, INF)),
    "lower": (lambda k, *a: R.truncated_normal(k, -INF, -0.5, *a), stats.truncnorm(-INF, -0.5)),
    "far": (lambda k, *a: R.truncated_normal(k, 8.0, 9.0, *a), stats.truncnorm(8, 9)),
    "gamma": (lambda k, *a: R.gamma(k, 2.5, *a, scale=2.0), stats.gamma(2.5, scale=2)),
    "small gamma": (lambda k, *a: R.gamma(k, 0.3, *a), stats.gamma(0.3)),
    "beta": (lambda k, *a: R.beta(k, 2.0, 0.5, *a), stats.beta(2, 0.5)),
    "chisquare": (lambda k, *a: R.chisquare(k, 3.0, *a), stats.chi2(3)),
    "t": (lambda k, *a: R.t(k, 3.0, *a), stats.t(3)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_follow_their_distribution(name: str, dtype: str) -> None:
    draw, law = CONTINUOUS[name]
    x = draw(R.key(len(name)), (N,), dtype)
    assert x.dtype == dtype
    assert stats.kstest(x.numpy().astype(float), law.cdf).pvalue > 1e-3


DISCRETE: dict[str, tuple[Callable[..., Tensor], Callable[[Any], Any], range]] = {
    "bernoulli": (lambda k, s: R.bernoulli(k, 0.3, s), stats.bernoulli(0.3).pmf, range(2)),
    "poisson": (lambda k, s: R.poisson(k, 3.0, s), stats.poisson(3).pmf, range(12)),
    "binomial": (lambda k, s: R.binomial(k, 7, 0.4, s), stats.binom(7, 0.4).pmf, range(8)),
    "geometric": (lambda k, s: R.geometric(k, 0.4, s), stats.geom(0.4).pmf, range(1, 15)),
    "randint": (lambda k, s: R.randint(k, 2, 9, s), lambda v: np.full(7, 1 / 7), range(2, 9)),
    "rademacher": (R.rademacher, lambda v: np.array([0.5, 0, 0.5]), range(-1, 2)),
    "categorical": (
        lambda k, s: R.categorical(k, lucid.log(lucid.asarray([0.2, 0.5, 0.3])), shape=s),
        lambda v: np.array([0.2, 0.5, 0.3]),
        range(3),
    ),
    "choice": (
        lambda k, s: R.choice(k, 4, s, p=lucid.asarray([0.1, 0.0, 0.6, 0.3])),
        lambda v: np.array([0.1, 0.0, 0.6, 0.3]),
        range(4),
    ),
    "choice of few": (
        lambda k, s: lucid.vmap(lambda q: R.choice(q, 3, (1,), replace=False)[0])(R.split(k, 2000)),
        lambda v: np.full(3, 1 / 3),
        range(3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISCRETE)
def test_counts_follow_their_distribution(name: str) -> None:
    draw, pmf, support = DISCRETE[name]
    x = draw(R.key(len(name)), (N,)).numpy()
    p = np.asarray(pmf(np.array(support)))
    seen = np.array([np.sum(x == v) for v in support])
    rest = 1 - p.sum()  # what lies outside the range counted
    if rest > 1e-12:
        p, seen = np.append(p, rest), np.append(seen, x.size - seen.sum())
    assert seen.sum() == x.size
    assert not np.any(seen[p == 0])
    assert stats.chisquare(seen[p > 0], p[p > 0] * x.size).pvalue > 1e-3


def test_vectors_follow_their_distribution() -> None:
    alpha = np.array([0.5, 1.0, 2.5])
    x = R.dirichlet(R.key(0), alpha, (N,)).numpy()
    assert np.allclose(x.sum(-1), 1)
    for i in range(3):  # the marginals are beta distributions
        law = stats.beta(alpha[i], alpha.sum() - alpha[i])
        assert stats.kstest(x[:, i], law.cdf).pvalue > 1e-3
    mean, cov = np.array([1.0, -1.0]), np.array([[2.0, 0.6], [0.6, 0.5]])
    y = R.multivariate_normal(R.key(1), mean, cov, (N,)).numpy()
    whitened = np.linalg.solve(np.linalg.cholesky(cov), (y - mean).T)
    for row in (*whitened, (whitened[0] + whitened[1]) / np.sqrt(2)):
        assert stats.kstest(row, stats.norm.cdf).pvalue > 1e-3


def test_permutations_are_equally_likely() -> None:
    x = lucid.vmap(lambda k: R.permutation(k, 3))(R.split(R.key(0), 3000)).numpy()
    seen = np.unique(x @ [9, 3, 1], return_counts=True)[1]
    assert len(seen) == 6
    assert stats.chisquare(seen).pvalue > 1e-3


def test_choice_without_replacement_follows_its_weights() -> None:
    p = lucid.asarray([0.5, 0.3, 0.2, 0.0])
    draw = lucid.vmap(lambda k: R.choice(k, 4, (2,), replace=False, p=p))
    x = draw(R.split(R.key(5), 3000)).numpy()
    assert (x[:, 0] != x[:, 1]).all()
    assert (x != 3).all()
    assert stats.chisquare(np.bincount(x[:, 0]), 3000 * np.array([0.5, 0.3, 0.2])).pvalue > 1e-3
    after_0 = x[x[:, 0] == 0, 1]  # the second is drawn from the rest
    expected = after_0.size * np.array([0.6, 0.4])
    assert stats.chisquare(np.bincount(after_0)[1:], expected).pvalue > 1e-3


def test_streams_do_not_depend_on_each_other() -> None:
    k = R.key(0)
    folded = [R.fold_in(k, i) for i in range(3)]
    streams = [R.normal(q, (N,)).numpy() for q in (*R.split(R.key(1), 3), *folded, k)]
    correlation = np.corrcoef(streams) - np.eye(len(streams))
    assert np.abs(correlation).max() < 5 / np.sqrt(N)


# -- the numbers themselves ------------------------------------------------------------------------


PINNED: dict[str, Any] = {
    "fold_in": [2095597072082836170, 7943979128473469113],
    "normal": [-0.2059740286292238, -0.12884495093462758, -0.28978987549091256],
    "uniform": [0.014067035665647709, 0.2577672456246177, 0.47156538101528966],
    "gamma": [1.4146464088798536, 1.319844099600963, 0.4305075879566386],
    "poisson": [0, 2, 4, 5, 3],
    "permutation": [0, 3, 4, 2, 1],
}


def test_a_key_gives_the_same_numbers_on_every_machine() -> None:
    """Keys are Philox's and never change; draws would with NumPy's algorithms (NEP 19)."""
    assert R.key(0).data.tolist() == [15793235383387715774, 12390638538380655177]
    assert R.split(R.key(0)).data[1].tolist() == [10711547989694825127, 2408147159756899448]
    assert R.fold_in(R.key(0), 7).data.tolist() == PINNED["fold_in"]
    assert np.allclose(R.normal(R.key(0), (3,)).numpy(), PINNED["normal"])
    assert np.allclose(R.uniform(R.key(0), (3,)).numpy(), PINNED["uniform"])
    assert np.allclose(R.gamma(R.key(0), 2.0, (3,)).numpy(), PINNED["gamma"])
    assert R.poisson(R.key(0), 4.0, (5,)).tolist() == PINNED["poisson"]
    assert R.permutation(R.key(0), 5).tolist() == PINNED["permutation"]


def test_seeds_of_any_size_and_sign_differ() -> None:
    seeds = [0, 1, -1, 2**32 + 1, 2**64, 2**200, -(2**200), np.int64(5)]
    assert len({tuple(R.key(s).data.tolist()) for s in seeds}) == len(seeds)
    assert R.key(None).data.tolist() != R.key(None).data.tolist()


def test_draws_are_pure_in_their_key() -> None:
    for name in (*continuous.__all__, *discrete.__all__, *gammas.__all__):
        first, second = (_plain(name)(R.key(3)) for _ in range(2))
        assert np.array_equal(first.numpy(), second.numpy()), name


PARAMETERS: dict[str, tuple[Any, ...]] = {
    "truncated_normal": (-1.0, 1.0),
    **dict.fromkeys(("weibull", "pareto", "gamma", "chisquare", "t", "poisson"), (2.0,)),
    "beta": (2.0, 3.0),
    "dirichlet": (np.array([1.0, 2.0]),),
    "multivariate_normal": (np.zeros(2), np.eye(2)),
    "binomial": (5, 0.5),
    "geometric": (0.5,),
    "bernoulli": (0.5,),
    "randint": (0, 9),
    "categorical": (np.zeros(4),),
    "permutation": (np.arange(6.0),),
    "choice": (np.arange(6.0),),
}
SHAPED = set(continuous.__all__ + discrete.__all__ + gammas.__all__) - {"permutation"}


def _plain(name: str) -> Callable[..., Tensor]:
    return lambda k, **options: getattr(R, name)(k, *PARAMETERS.get(name, ()), **options)


@pytest.mark.parametrize("name", sorted(SHAPED))
def test_shapes(name: str) -> None:
    own = (2,) if name in ("dirichlet", "multivariate_normal") else ()
    draw = _plain(name)
    for shape in [(), (0,), (3,), (2, 0, 3), (2, 1)]:
        assert draw(R.key(0), shape=shape).shape == shape + own
    assert draw(R.key(0), shape=4).shape == (4, *own)
    assert draw(R.key(0), shape=[np.int64(2)]).shape == (2, *own)
    assert draw(R.key(0)).shape == own
    with pytest.raises(ShapeError, match=f"^{name}: expected"):
        draw(R.key(0), shape=(-1,))
    with pytest.raises(OperandError, match=f"^{name}: expected a shape"):
        draw(R.key(0), shape=2.5)
    with pytest.raises(OperandError, match="expected a Key as first argument, got int"):
        draw(0)


@pytest.mark.parametrize("name", sorted(set(continuous.__all__ + gammas.__all__)))
def test_dtypes(name: str) -> None:
    draw = _plain(name)
    assert draw(R.key(0), dtype="float32").dtype == lucid.float32
    with lucid.set_default_dtype(lucid.float32):
        given = PARAMETERS.get(name, ())
        numbers = [g for g in given if isinstance(g, float)]
        if len(numbers) == len(given):
            assert draw(R.key(0)).dtype == lucid.float32
    for bad in ("int64", "complex128", "float16"):
        with pytest.raises(DTypeError, match="expected float32 or float64"):
            draw(R.key(0), dtype=bad)


def test_parameters_broadcast_and_give_dtype() -> None:
    x = R.normal(R.key(0), loc=np.zeros((2, 1), np.float32), scale=np.ones(3, np.float32))
    assert (x.shape, x.dtype) == ((2, 3), lucid.float32)
    assert R.normal(R.key(0), (4, 2), loc=np.zeros(2)).shape == (4, 2)
    assert R.gamma(R.key(0), np.ones((2, 1)), scale=np.ones(3)).shape == (2, 3)
    assert R.poisson(R.key(0), np.array([0.0, 1e6])).numpy()[0] == 0
    assert R.categorical(R.key(0), np.zeros((2, 5, 3)), axis=1).shape == (2, 3)
    assert R.dirichlet(R.key(0), np.ones((4, 3)), (2, 4)).shape == (2, 4, 3)
    assert R.multivariate_normal(R.key(0), np.zeros((3, 1, 2)), np.eye(2)).shape == (3, 1, 2)
    assert R.multivariate_normal(R.key(0), np.zeros(2), np.tile(np.eye(2), (5, 1, 1))).shape == (
        5,
        2,
    )
    assert R.permutation(R.key(0), np.zeros((2, 3)), axis=-1).shape == (2, 3)
    assert R.choice(R.key(0), np.zeros((2, 3)), (4, 5), axis=1).shape == (2, 4, 5)
    assert R.permutation(R.key(0), np.int64(3)).shape == (3,)


def test_truncated_normal_far_out() -> None:
    for dtype in ("float64", "float32"):
        x = R.truncated_normal(R.key(0), 50.0, float("inf"), (100,), dtype).numpy()
        assert ((x >= 50) & (x < 51)).all()
        assert 0.01 < x.mean() - 50 < 0.04  # 1/50
        y = R.truncated_normal(R.key(0), 2.0, 2.0, (3,), dtype).numpy()
        assert (y == 2).all()


def test_extreme_shape_parameters_stay_in_range() -> None:
    x = R.beta(R.key(0), 1e-3, 1e-3, (1000,)).numpy()
    assert ((x >= 0) & (x <= 1)).all()
    assert np.allclose(R.dirichlet(R.key(0), np.full(4, 1e-4), (50,)).numpy().sum(-1), 1)
    assert np.isfinite(R.gamma(R.key(0), 1e-3, (1000,), "float32").numpy()).all()
    slope = lucid.grad(lambda a: R.gamma(R.key(0), a, (1000,), "float32").sum())(1e-3)
    assert np.isfinite(slope.numpy())


# -- gradients -------------------------------------------------------------------------------------


def _through_quantile(law: Callable[..., Any], x: Any, parameters: list[float], i: int) -> Any:
    """∂x/∂θᵢ at a fixed probability, by central differences of the quantile function."""
    lower = np.asarray(x) < law(*parameters).median()
    p = np.where(lower, law(*parameters).cdf(x), law(*parameters).sf(x))
    h = 1e-5 * max(abs(parameters[i]), 0.1)
    ends = []
    for step in (h, -h):
        moved = law(*(v + step * (j == i) for j, v in enumerate(parameters)))
        ends.append(np.where(lower, moved.ppf(p), moved.isf(p)))
    return (ends[0] - ends[1]) / (2 * h)


REPARAMETERISED: dict[str, tuple[Callable[..., Tensor], Callable[..., Any], list[float]]] = {
    "normal": (lambda k, m, s: R.normal(k, (6,), loc=m, scale=s), stats.norm, [1.0, 2.0]),
    "uniform": (
        lambda k, a, b: R.uniform(k, (6,), minval=a, maxval=b),
        lambda a, b: stats.uniform(a, b - a),
        [1.0, 3.0],
    ),
    "exponential": (
        lambda k, s: R.exponential(k, (6,), scale=s),
        lambda s: stats.expon(scale=s),
        [2.0],
    ),
    "gumbel": (lambda k, m, s: R.gumbel(k, (6,), loc=m, scale=s), stats.gumbel_r, [1.0, 2.0]),
    "logistic": (lambda k, m, s: R.logistic(k, (6,), loc=m, scale=s), stats.logistic, [1.0, 2.0]),
    "cauchy": (lambda k, m, s: R.cauchy(k, (6,), loc=m, scale=s), stats.cauchy, [1.0, 2.0]),
    "laplace": (lambda k, m, s: R.laplace(k, (6,), loc=m, scale=s), stats.laplace, [1.0, 2.0]),
    "lognormal": (
        lambda k, m, s: R.lognormal(k, (6,), loc=m, scale=s),
        lambda m, s: stats.lognorm(s, scale=np.exp(m)),
        [0.3, 0.5],
    ),
    "weibull": (
        lambda k, c, s: R.weibull(k, c, (6,), scale=s),
        lambda c, s: stats.weibull_min(c, scale=s),
        [1.5, 2.0],
    ),
    "rayleigh": (
        lambda k, s: R.rayleigh(k, (6,), scale=s),
        lambda s: stats.rayleigh(scale=s),
        [2.0],
    ),
    "pareto": (
        lambda k, a, m: R.pareto(k, a, (6,), scale=m),
        lambda a, m: stats.pareto(a, scale=m),
        [3.0, 2.0],
    ),
    "truncated_normal": (
        lambda k, a, b: R.truncated_normal(k, a, b, (6,)),
        stats.truncnorm,
        [-1.0, 0.5],
    ),
    "right tail": (
        lambda k, a, b: R.truncated_normal(k, a, b, (6,)),
        stats.truncnorm,
        [1.0, 2.5],
    ),
    "gamma": (
        lambda k, a, s: R.gamma(k, a, (6,), scale=s),
        lambda a, s: stats.gamma(a, scale=s),
        [2.5, 2.0],
    ),
    "small gamma": (
        lambda k, a, s: R.gamma(k, a, (6,), scale=s),
        lambda a, s: stats.gamma(a, scale=s),
        [0.4, 1.0],
    ),
    "large gamma": (
        lambda k, a, s: R.gamma(k, a, (6,), scale=s),
        lambda a, s: stats.gamma(a, scale=s),
        [300.0, 1.0],
    ),
    "chisquare": (lambda k, df: R.chisquare(k, df, (6,)), stats.chi2, [3.0]),
}


@pytest.mark.parametrize("name", REPARAMETERISED)
def test_gradients_move_along_the_quantile_function(name: str) -> None:
    draw, law, parameters = REPARAMETERISED[name]
    x = draw(R.key(1), *parameters).numpy()
    for i in range(len(parameters)):
        expected = _through_quantile(law, x, parameters, i)
        rest = {j: v for j, v in enumerate(parameters) if j != i}

        def along(value: Any, i: int = i, rest: dict[int, float] = rest) -> Tensor:
            return draw(R.key(1), *(rest.get(j, value) for j in range(len(parameters))))

        forward = lucid.jacfwd(along)(parameters[i]).numpy()
        reverse = lucid.jacrev(along)(parameters[i]).numpy()
        np.testing.assert_allclose(forward, expected, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(reverse, forward, rtol=1e-10)


def test_ends_at_infinity_have_derivative_zero() -> None:
    inf = float("inf")
    grad = lucid.grad(lambda a, b: R.truncated_normal(R.key(0), a, b, (5,)).sum(), argnums=(0, 1))
    for a, b in [(-inf, 1.0), (0.5, inf), (-1.0, inf), (-inf, inf), (-inf, -3.0)]:
        da, db = (float(g.numpy()) for g in grad(a, b))
        assert np.isfinite([da, db]).all()
        assert (da == 0) == (a == -inf)
        assert (db == 0) == (b == inf)


def test_implicit_gradients_of_expectations() -> None:
    """E[log x] has the derivative that the distribution says: a test of the composed ones."""
    n = 4000
    a, b = 2.0, 1.5
    f = lucid.grad(lambda p: lucid.log(R.beta(R.key(2), p, b, (n,))).mean())
    # E log x = ψ(a) - ψ(a+b)
    from_key = float(f(a).numpy())
    psi1 = lambda v: float(lucid.polygamma(1, v).numpy())  # noqa: E731
    assert abs(from_key - (psi1(a) - psi1(a + b))) < 0.02
    alpha = np.array([1.0, 2.0, 0.5])
    jac = lucid.jacrev(lambda v: lucid.log(R.dirichlet(R.key(3), v, (n,))).mean(axis=0))(alpha)
    exact = np.diag([psi1(v) for v in alpha]) - psi1(alpha.sum())
    np.testing.assert_allclose(jac.numpy(), exact, atol=0.25)
    # Var t = df / (df - 2)
    df = 8.0
    g = lucid.grad(lambda v: (R.t(R.key(4), v, (n,)) ** 2).mean())(df)
    assert abs(float(g.numpy()) + 2 / (df - 2) ** 2) < 0.02


def test_composed_draws_pass_the_gradient_check() -> None:
    """The noise of a fixed key does not depend on parameters where no gamma draw is involved."""
    m, c = np.array([1.0, 2.0]), np.array([[2.0, 0.3], [0.3, 1.0]])
    lucid.check_grads(
        lambda m, c: R.multivariate_normal(R.key(0), m, 0.5 * (c + c.T), (3,)), (m, c)
    )
    lucid.check_grads(lambda x: R.permutation(R.key(0), x), (np.arange(4.0),))
    lucid.check_grads(lambda x: R.choice(R.key(0), x, (3,)), (np.arange(4.0),))


def test_gamma_differentiates_twice_and_in_float32() -> None:
    def f(a: Any, dtype: Any = None) -> Tensor:
        return R.gamma(R.key(0), a, (4,), dtype)

    x = f(2.5).numpy()
    h = 1e-4
    ends = [
        _through_quantile(
            stats.gamma, stats.gamma(2.5 + d).ppf(stats.gamma(2.5).cdf(x)), [2.5 + d], 0
        )
        for d in (h, -h)
    ]
    second = lucid.jacfwd(lucid.jacfwd(f))(2.5).numpy()
    np.testing.assert_allclose(second, (ends[0] - ends[1]) / (2 * h), rtol=1e-3, atol=1e-5)
    single = lucid.jacfwd(lambda a: f(a, "float32"))(np.float32(2.5))
    assert single.dtype == lucid.float32
    np.testing.assert_allclose(single.numpy(), lucid.jacfwd(f)(2.5).numpy(), rtol=1e-5)


def test_counts_have_no_derivative() -> None:
    g = lucid.grad(lambda p: R.bernoulli(R.key(0), p, (9,)).astype(lucid.float64).sum() * 1.0)
    assert float(g(0.5).numpy()) == 0


# -- keys are used once ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use", [R.normal, R.split, R.poisson, R.gamma, lambda k, *_: R.permutation(k, 3)]
)
def test_a_key_is_used_once(use: Any) -> None:
    parameter = () if use in (R.normal, R.split) else (1.0,)
    k = R.key(0)
    use(k, *parameter)
    with pytest.raises(KeyReusedError, match=r"a key that was not used before.*split it first"):
        R.normal(k)
    with pytest.raises(KeyReusedError):
        R.split(k)
    assert "spent" in repr(k)
    with R.allow_key_reuse():
        use(k, *parameter)
    with pytest.raises(KeyReusedError):
        use(k, *parameter)


def test_parts_of_a_key_are_used_once() -> None:
    ks = R.split(R.key(0), 3)
    R.normal(ks[0])
    R.normal(ks[-1])
    first, second, third = ks
    R.normal(second)
    for k in (first, third, ks[2]):
        with pytest.raises(KeyReusedError):
            R.normal(k)


def test_a_key_is_used_once_under_grad() -> None:
    with pytest.raises(KeyReusedError):
        lucid.grad(lambda x, k: x * R.normal(k) + R.normal(k))(1.0, R.key(0))
    k = R.key(0)
    lucid.grad(lambda x: x * R.normal(k))(1.0)
    with pytest.raises(KeyReusedError):
        R.normal(k)
    k = R.key(0)
    lucid.value_and_grad(lambda x, state: x * R.normal(state["key"]))(1.0, {"key": k})
    with pytest.raises(KeyReusedError):
        R.normal(k)


def test_a_key_is_used_once_under_vmap() -> None:
    with pytest.raises(KeyReusedError):
        lucid.vmap(lambda k: R.normal(k) + R.normal(k))(R.split(R.key(0), 3))
    ks = R.split(R.key(0), 3)
    lucid.vmap(R.normal)(ks)
    with pytest.raises(KeyReusedError):
        lucid.vmap(R.normal)(ks)
    with pytest.raises(KeyReusedError):
        R.normal(ks[1])
    ks = R.split(R.key(0), 3)
    R.normal(ks[1])
    with pytest.raises(KeyReusedError):
        lucid.vmap(lambda s: R.normal(s["key"]))({"key": ks})


def test_keys_are_pytrees() -> None:
    k = R.key(0)
    leaves, structure = tree.flatten({"key": k, "x": 1.0})
    again = tree.unflatten(structure, leaves)["key"]
    R.normal(again)
    with pytest.raises(KeyReusedError):
        R.normal(k)
    other = tree.unflatten(structure, [R.key(1).data, 2.0])["key"]
    R.normal(other)  # another key, though of a structure that is used up
    assert tree.flatten(R.key(1))[1] == tree.flatten(k)[1]
    assert tree.paths({"k": k})


def test_keys_come_out_of_transformations_unused() -> None:
    both = lucid.vmap(R.split)
    rows = both(R.split(R.key(0), 3))
    assert rows.shape == (3, 2)
    R.normal(rows[0][0])
    R.normal(rows[0][1])
    with pytest.raises(KeyReusedError):
        lucid.vmap(lambda row: R.normal(row[0]))(rows)
    rows = both(R.split(R.key(0), 3))
    out = lucid.vmap(lambda row: (R.normal(row[0]), R.normal(row[1])))(rows)
    assert out[0].shape == (3,)


def test_other_keys_are_refused() -> None:
    with pytest.raises(OperandError, match="expected a single key, got keys of shape"):
        R.normal(R.split(R.key(0)))
    with pytest.raises(OperandError, match="expected a single key"):
        R.fold_in(R.split(R.key(0)), 1)
    with pytest.raises(OperandError, match="an integer from 0 to"):
        R.fold_in(R.key(0), -1)
    for seed in (1.5, True, "a"):
        with pytest.raises(OperandError, match="key: expected an integer seed"):
            R.key(seed)  # type: ignore[arg-type]
    with pytest.raises(OperandError, match="split: expected a number of keys"):
        R.split(R.key(0), -1)
    with pytest.raises(IndexOutOfBoundsError, match="into 2 keys, got 2"):
        R.split(R.key(0))[2]
    with pytest.raises(OperandError, match="a single key"):
        len(R.key(0))
    assert len(R.split(R.key(0), 0)) == 0


# -- vmap ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SHAPED | {"permutation"}))
def test_vmap_gives_the_streams_of_a_loop(name: str) -> None:
    draw = _plain(name)
    mapped = lucid.vmap(draw)(R.split(R.key(7), 4)).numpy()
    looped = np.stack([draw(k).numpy() for k in R.split(R.key(7), 4)])
    np.testing.assert_array_equal(mapped, looped)
    assert lucid.vmap(draw)(R.split(R.key(7), 0)).shape == (0, *mapped.shape[1:])


def test_vmap_over_parameters_and_keys() -> None:
    a = np.array([0.5, 1.0, 8.0])

    def f(k: Any, a: Any) -> Tensor:
        return R.gamma(k, a, (2,)).sum() + R.poisson(R.fold_in(k, 1), a)

    ks = R.split(R.key(0), 3)
    with R.allow_key_reuse():
        looped = np.array([float(f(ks[i], a[i])) for i in range(3)])
        np.testing.assert_array_equal(lucid.vmap(f)(ks, a).numpy(), looped)
        slopes = lucid.vmap(lucid.grad(f, argnums=1))(ks, a).numpy()
        expected = [float(lucid.grad(f, argnums=1)(ks[i], a[i]).numpy()) for i in range(3)]
    np.testing.assert_allclose(slopes, expected, rtol=1e-12)
    nested = lucid.vmap(lucid.vmap(R.normal))(lucid.vmap(R.split)(R.split(R.key(0), 3)))
    assert len(np.unique(nested.numpy())) == 6


# -- wrong parameters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda k: R.normal(k, (2,), scale=np.ones(3)), ShapeError, "parameters broadcast to"),
        (lambda k: R.normal(k, loc=1j), DTypeError, "real parameters, got complex128"),
        (lambda k: R.gamma(k, -1.0), ShapeError, "gamma: expected a shape parameter"),
        (lambda k: R.gamma(k, float("nan")), ShapeError, "gamma: expected a shape parameter"),
        (lambda k: R.poisson(k, -1.0), ShapeError, "poisson: expected a mean from 0"),
        (lambda k: R.bernoulli(k, [0.5, 1.5]), ShapeError, "from 0 to 1, got 1.5"),
        (lambda k: R.binomial(k, -1, 0.5), ShapeError, "binomial: expected n"),
        (lambda k: R.binomial(k, 2, -0.5), ShapeError, "binomial: expected probabilities"),
        (lambda k: R.binomial(k, 2.0, 0.5), DTypeError, "integers as n, got float64"),
        (lambda k: R.geometric(k, 0.0), ShapeError, "above 0, up to 1, got 0.0"),
        (lambda k: R.randint(k, 3, 3), ShapeError, "maxval above minval, got 3"),
        (lambda k: R.randint(k, 0.0, 3), DTypeError, "integer ends, got float64"),
        (lambda k: R.permutation(k, -1), ShapeError, "a non-negative number"),
        (lambda k: R.permutation(k, np.ones(2), axis=1), ShapeError, "an array with axis 1"),
        (lambda k: R.choice(k, np.ones(2), axis=1), ShapeError, "an array with axis 1"),
        (lambda k: R.choice(k, 0), ShapeError, "something to choose from"),
        (lambda k: R.choice(k, 2, 3, replace=False), ShapeError, "at most 2 without replacement"),
        (lambda k: R.choice(k, 2, p=[0.5, 0.3, 0.2]), ShapeError, "2 probabilities"),
        (lambda k: R.choice(k, 2, p=[1, 0]), OperandError, "floating probabilities"),
        (lambda k: R.choice(k, 2, p=[1.0, -1.0]), ShapeError, "not negative, got -1.0"),
        (lambda k: R.choice(k, 2, 2, False, [1.0, 0.0]), ShapeError, "2 positive probabilities"),
        (lambda k: R.categorical(k, 1.0), ShapeError, "logits with axis -1"),
        (lambda k: R.categorical(k, np.ones((2, 3)), shape=3), ShapeError, "a shape that ends in"),
        (lambda k: R.dirichlet(k, 1.0), ShapeError, "alpha with an axis"),
        (lambda k: R.multivariate_normal(k, 0.0, 1.0), ShapeError, "mean .* and cov"),
        (lambda k: R.multivariate_normal(k, [0.0], [[-1.0]]), LinAlgError, "cholesky"),
    ],
)
def test_wrong_parameters_are_named(call: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        call(R.key(0))


def test_parameters_are_checked_under_vmap() -> None:
    with pytest.raises(ShapeError, match=r"from 0 to 1, got 1\.5"):
        lucid.vmap(R.bernoulli)(R.split(R.key(0)), np.array([0.5, 1.5]))


# -- the generator ---------------------------------------------------------------------------------


def test_generator_repeats_from_a_seed_and_a_state() -> None:
    g, h = R.Generator(5), R.Generator(5)
    assert g.normal((3,)).tolist() == h.normal((3,)).tolist()
    saved = g.state
    first = g.uniform((3,)).tolist()
    assert g.uniform((3,)).tolist() != first
    g.state = saved
    assert g.uniform((3,)).tolist() == first
    g.state = saved.numpy()
    assert g.uniform((3,)).tolist() == first
    g.seed(5)
    h.seed(5)
    assert g.poisson(3.0, (4,)).tolist() == h.poisson(3.0, (4,)).tolist()
    with pytest.raises(ShapeError, match="two 64-bit words"):
        g.state = np.zeros(3, np.uint64)


def test_generator_pickles_and_copies() -> None:
    g = R.Generator(1)
    g.normal()
    copies = [pickle.loads(pickle.dumps(g)), copy.copy(g), copy.deepcopy(g)]
    expected = g.normal((2,)).tolist()
    for other in copies:
        assert other.normal((2,)).tolist() == expected


def test_keys_pickle() -> None:
    k = R.key(0)
    R.normal(k)
    with pytest.raises(KeyReusedError):
        R.normal(pickle.loads(pickle.dumps(k)))
    fresh = pickle.loads(pickle.dumps(R.key(1)))
    assert R.normal(fresh).item() == R.normal(R.key(1)).item()


@pytest.mark.parametrize("name", sorted(SHAPED | {"permutation"}))
def test_generator_has_every_draw(name: str) -> None:
    g = R.Generator(0)
    assert name in dir(g)
    value = getattr(g, name)(*PARAMETERS.get(name, ()))
    expected = _plain(name)(R.Generator(0).next_key())
    assert np.array_equal(value.numpy(), expected.numpy())


def test_generator_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match="no draw named 'split'"):
        R.Generator(0).split  # noqa: B018


def test_threads_share_a_generator() -> None:
    g, drawn = R.Generator(0), []

    def work() -> None:
        drawn.extend(g.uniform().item() for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = R.Generator(0)
    assert sorted(drawn) == sorted(alone.uniform().item() for _ in range(800))


def test_one_default_generator() -> None:
    kept = R.default_generator.state
    try:
        R.seed(3)
        first = lucid.nn.init.normal_(lucid.nn.Parameter(lucid.zeros(3))).tolist()
        R.seed(3)
        assert R.default_generator.normal((3,)).tolist() == first
        R.seed(None)
        assert R.default_generator.normal((3,)).tolist() != first
    finally:
        R.default_generator.state = kept


def test_a_draw_under_grad_leaves_the_generator_usable() -> None:
    g = R.Generator(0)
    lucid.grad(lambda x: x * g.normal())(1.0)
    lucid.vmap(lambda x: x * g.normal())(np.ones(3))
    assert np.isfinite(g.normal().item())
