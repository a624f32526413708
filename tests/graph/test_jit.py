"""What `lucid.jit` promises: captures, caches, transformations, errors."""

from __future__ import annotations

import copy
import gc
import threading
import tracemalloc
from typing import Any, NamedTuple

import numpy as np
import pytest

import lucid
from lucid import nn
from lucid.core.define import general
from lucid.core.op import OPS
from lucid.errors import (
    ConcretizationError,
    GraphError,
    KeyReusedError,
    LeakedTensorError,
    MissingExtraError,
    NotDifferentiableError,
    OperandError,
    OptionError,
    ShapeError,
)
from lucid.graph import executors
from lucid.graph.ir import typecheck
from lucid.graph.passes import simplify

X = np.array([0.5, 1.0, 2.0])


def jit(fun: Any, **options: Any) -> Any:
    return lucid.jit(fun, executor="numpy", **options)


def f(x: Any, y: Any) -> Any:
    return (lucid.tanh(x * y + 0.5) * lucid.exp(-x * x)).sum()


def same(a: Any, b: Any) -> None:
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    np.testing.assert_array_equal(a.numpy(), b.numpy())


def captures(jitted: Any) -> int:
    return sum(map(len, jitted._cache.values()))


# -- with other transformations --------------------------------------------------------------------

TRANSFORMS = {
    "grad": lambda g: lucid.grad(g)(X, X),
    "value_and_grad": lambda g: lucid.value_and_grad(g, (0, 1))(X, X),
    "grad of grad": lambda g: lucid.grad(lambda x: lucid.grad(g)(x, X).sum())(X),
    "jvp": lambda g: lucid.jvp(g, (X, X), (X, X)),
    "jvp of grad": lambda g: lucid.jvp(lambda x: lucid.grad(g)(x, X), (X,), (X,)),
    "hessian": lambda g: lucid.hessian(g)(X, X),
    "vmap": lambda g: lucid.vmap(g, in_axes=(0, None))(X, X),
    "vmap of grad": lambda g: lucid.vmap(lucid.grad(g), in_axes=(0, None))(X, X),
    "grad of vmap": lambda g: lucid.grad(lambda x: lucid.vmap(g)(x, x).sum())(X),
    "linearize": lambda g: lucid.linearize(g, X, X)[1](X, X),
    "vjp": lambda g: lucid.vjp(g, X, X)[1](1.0),
    "checkpoint": lambda g: lucid.grad(lucid.checkpoint(g))(X, X),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_of_a_jitted_function_and_jitted(name: str) -> None:
    transform = TRANSFORMS[name]
    want = lucid.tree.leaves(transform(f))
    for got in (transform(jit(f)), jit(lambda: transform(f))(), jit(lambda: transform(jit(f)))()):
        for a, b in zip(lucid.tree.leaves(got), want, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-13, atol=1e-15)


def test_stop_gradient_survives() -> None:
    for g in (lambda x: x * lucid.stop_gradient(x), lambda x: x * x.detach()):
        assert lucid.grad(jit(g))(3.0) == 3.0
        assert jit(lucid.grad(g))(3.0) == 3.0


def test_backward() -> None:
    x = lucid.Tensor(X, requires_grad=True)
    g = jit(f)
    for _ in range(3):
        x.grad = None
        g(x, X).backward()
        same(x.grad, lucid.grad(f)(X, X))

    @jit
    def inside(a: Any) -> Any:
        w = lucid.Tensor(a, requires_grad=True)
        f(w, X).backward()
        return w.grad

    same(inside(X), lucid.grad(f)(X, X))
    same(inside(X), lucid.grad(f)(X, X))
    assert captures(inside) == 1


def test_gradients_of_a_jitted_function_are_compiled_whole() -> None:
    calls = 0

    def h(x: Any, d: Any, n: int = 1) -> Any:
        nonlocal calls
        calls += 1
        return (x * d["w"] ** n).sum()

    g = jit(h, static_argnames="n")
    d = {"w": X + 1}
    for executor in ("numpy", None):
        k = lucid.jit(h, static_argnames="n", executor=executor)
        for _ in range(3):
            value, (dx, dd) = lucid.value_and_grad(k, (0, 1))(X, d, n=2)
            want = lucid.value_and_grad(h, (0, 1))(X, d, n=2)
            for a, b in zip((value, dx, dd["w"]), lucid.tree.leaves(want), strict=True):
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-14)
    calls = 0
    for _ in range(3):
        same(lucid.grad(g)(X, d), lucid.asarray(X + 1))
        same(lucid.grad(g, [1])(X, d)[0]["w"], lucid.asarray(X))
        same(lucid.grad(g, -1)(X, d)["w"], lucid.asarray(X))
    assert calls == 3
    assert lucid.grad(g) is lucid.grad(g, has_aux=False)
    assert lucid.grad(g) is not lucid.grad(g, (0,))
    assert len(lucid.grad(g).lower(X, d).graph.outputs) == 1
    g.clear_cache()
    lucid.grad(g)(X, d)
    assert calls == 4
    aux = jit(lambda x: (x.sum(), {"twice": 2 * x}))
    grads, extra = lucid.grad(aux, has_aux=True)(X)
    same(grads, lucid.asarray(np.ones(3)))
    same(extra["twice"], lucid.asarray(2 * X))
    for argnums, text in [(3, "argnums=3 for 2"), (True, "integer"), ([[0]], "integer")]:
        with pytest.raises(OperandError, match=text):
            lucid.grad(g, argnums)(X, d)
    with pytest.raises(ShapeError, match="grad: expected a function with a scalar output"):
        lucid.grad(jit(lambda x: x))(X)
    with pytest.raises(lucid.errors.DTypeError, match="int64 in argument 0"):
        lucid.grad(jit(lambda x: x * 2.0))(3)


# -- custom rules and checkpoints ------------------------------------------------------------------


def custom_vjp() -> Any:
    g = lucid.custom_vjp(lambda x: lucid.sin(x) * 2)
    g.defvjp(lambda x: (lucid.sin(x) * 2, x), lambda x, ct: (100 * ct * x,))
    return g


def custom_jvp() -> Any:
    g = lucid.custom_jvp(lambda x: lucid.sin(x) * 2)
    g.defjvp(lambda p, t: (g(*p), 100 * t[0] * p[0]))
    return g


@pytest.mark.parametrize("make", [custom_vjp, custom_jvp])
def test_custom_rules_are_kept(make: Any) -> None:
    g = make()
    total = lambda x: g(x).sum()  # noqa: E731
    for executor in ("numpy", None):
        h = lucid.jit(g, executor=executor)
        np.testing.assert_allclose(h(X).numpy(), 2 * np.sin(X), rtol=1e-15)
        for got in (
            lucid.grad(lambda x, h=h: h(x).sum())(X),
            lucid.jit(lucid.grad(total), executor=executor)(X),
            lucid.vmap(lucid.grad(h))(X),
            lucid.jit(lucid.vmap(lucid.grad(g)), executor=executor)(X),
        ):
            np.testing.assert_allclose(got.numpy(), 100 * X, rtol=1e-15)
    twice = lucid.grad(lambda x: lucid.grad(jit(g))(x))(2.0)
    np.testing.assert_allclose(twice.numpy(), 100.0)
    with pytest.raises(NotDifferentiableError, match="closes over a Tensor watched by jit"):
        jit(lambda x: (lucid.custom_vjp(lambda y: x * y))(x))(X)


def test_checkpoints_compute_again() -> None:
    block = lucid.checkpoint(lambda x: lucid.sin(lucid.exp(lucid.sin(x))))

    def chain(x: Any) -> Any:
        for _ in range(4):
            x = block(x)
        return x.sum()

    want = lucid.grad(chain)(X)
    whole = jit(lucid.grad(chain))
    for g in (whole, lucid.grad(jit(chain)), lucid.jit(lucid.grad(chain))):
        np.testing.assert_allclose(g(X).numpy(), want.numpy(), rtol=1e-14)
    # each block's three functions once on the way there, and once again on the way back
    source = whole.lower(X).program.compiled().source
    names = [n.op.name for n in simplify(whole.lower(X).graph).nodes]
    assert names.count("exp") == 4
    assert names.count("checkpoint") == 3
    assert source.count("(") > 20
    program = jit(chain).lower(X).program
    forward, backward, kept = program.split((True,))
    assert kept == 4  # the blocks' inputs and nothing of what is inside
    assert {n.op.name for n in forward.graph.nodes} == {"checkpoint", "sum"}
    assert [n.op.name for n in backward.graph.nodes].count("barrier") == 4
    plain = jit(lambda x: lucid.sin(lucid.exp(lucid.sin(x))).sum()).lower(X).program
    assert plain.split((True,))[2] > 1
    np.testing.assert_allclose(
        lucid.hessian(jit(chain))(X).numpy(), lucid.hessian(chain)(X).numpy(), rtol=1e-12
    )
    batch = np.stack([X, 2 * X])
    np.testing.assert_allclose(
        jit(lucid.vmap(lucid.grad(chain)))(batch).numpy(),
        lucid.vmap(lucid.grad(chain))(batch).numpy(),
        rtol=1e-14,
    )
    pushed = jit(lambda x: lucid.jvp(chain, (x,), (x,)))(X)
    np.testing.assert_allclose(pushed[1].numpy(), lucid.jvp(chain, (X,), (X,))[1].numpy())
    typecheck(whole.lower(X).graph)


# -- arguments -------------------------------------------------------------------------------------


class Pair(NamedTuple):
    a: Any
    b: Any


def test_arguments_of_every_kind() -> None:
    g = jit(lambda x, y=2.0, *, scale=1.0: x * y * scale)
    for args, named in [
        ((X,), {}),
        ((X, 3), {}),
        ((X,), {"y": 3.0}),
        ((X,), {"scale": np.float32(2)}),
        ((lucid.asarray(X), X), {}),
        ((X.astype(np.float32), 0.1), {}),
        ((X.astype(np.float32), np.float64(0.1)), {}),
        ((np.zeros((0, 3)), X), {}),
        ((np.float64(2), 3), {}),
        ((X + 1j, 2), {}),
        ((X > 1, True), {}),
        ((np.arange(3, dtype=np.int8), 2), {}),
        ((X[::-1], np.asfortranarray(np.ones((3, 3)))), {}),
    ]:
        for _ in range(2):
            same(
                g(*args, **named), lucid.asarray(g.fun(lucid.asarray(args[0]), *args[1:], **named))
            )


def test_numbers_stay_weak() -> None:
    x = X.astype(np.float32)
    assert jit(lambda a, k: a * k)(x, 0.1).dtype == np.float32
    assert jit(lambda k: lucid.asarray(x) * k)(0.1).dtype == np.float32
    assert (jit(lambda k: k * 2)(0.1) * x).dtype == np.float32
    assert (jit(lambda k: lucid.sin(k))(0.1) * x).dtype == (lucid.sin(0.1) * x).dtype
    with lucid.set_default_dtype(lucid.float32):
        g = jit(lambda x: x + lucid.ones(3))
        assert g(x).dtype == np.float32
    assert g(x).dtype == np.float64
    assert lucid.debug.explain_retrace(g) == "the default dtype was float32, and is float64 now"


def test_pytrees() -> None:
    g = jit(lambda p, o: {"sum": p.a + p.b["x"][0], "same": (p.a, None, o)}, static_argnums=1)
    out = g(Pair(X, {"x": [X, None]}), 3)
    same(out["sum"], lucid.asarray(2 * X))
    assert out["same"][1] is None
    h = jit(lambda x, how: x.sum() if how == "sum" else x.max())
    assert [float(h(X, "sum")), float(h(X, "max"))] == [3.5, 2.0]
    with pytest.raises(OperandError, match="Tensors, arrays or numbers as output, got a str"):
        jit(lambda x: "text")(X)
    assert jit(lambda x: None)(X) is None


def test_static_arguments() -> None:
    calls: list[int] = []

    def power(x: Any, n: int, y: Any = 1.0) -> Any:
        calls.append(n)
        return y * x**n if n > 1 else x

    g = jit(power, static_argnums=1)
    for n in (2, 3, 2, 3):
        same(g(X, n), power(lucid.asarray(X), n))
    same(g(X, n=2, y=3.0), power(lucid.asarray(X), 2, 3.0))
    assert len(calls) == 5 + 3
    same(jit(power, static_argnums=-2)(X, 2), lucid.asarray(X**2))
    same(jit(power, static_argnames="n")(X, 2), lucid.asarray(X**2))
    same(jit(power, static_argnames=("n",))(X, n=2), lucid.asarray(X**2))
    for value in (1, True, 1.0):  # equal, but of other types
        h = jit(lambda x, k: x * k, static_argnums=1)
        assert h(X, value).dtype == (X * value).dtype
    with pytest.raises(OperandError, match="hashable static arguments, got a list for argument 1"):
        g(X, [1])
    with pytest.raises(OperandError, match=r"got a set in argument 0 at \['a'\]"):
        jit(lambda d: X)({"a": {1}})
    wrong = [
        ({"static_argnums": 3}, "static_argnums of positional arguments, got 3 for a function"),
        ({"static_argnums": -4}, "got -4 for a function with 3 positional arguments"),
        ({"static_argnums": 1.5}, "integers"),
        ({"static_argnums": True}, "integers"),
        ({"static_argnames": "m"}, "static_argnames among n, x, y, got 'm'"),
        ({"static_argnames": (1,)}, "strings"),
    ]
    for options, text in wrong:
        with pytest.raises(OptionError, match=text):
            jit(power, **options)
    with pytest.raises(OptionError, match='executor "numpy", "native" or None'):
        lucid.jit(power, executor="fast")
    with pytest.raises(OperandError, match="a function"):
        lucid.jit(3)


def test_a_missing_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "has_native", lambda: False)
    with pytest.raises(MissingExtraError, match="lucid-grad\\[jit\\]"):
        lucid.jit(f, executor="native")


def test_keys_are_used_once() -> None:
    k = lucid.random.key(0)
    g = jit(lambda k: [lucid.random.normal(p, (2,)) for p in lucid.random.split(k)])
    want = [lucid.random.normal(p, (2,)) for p in lucid.random.split(lucid.random.key(0))]
    for a, b in zip(g(k), want, strict=True):
        same(a, b)
    for _ in range(2):
        with pytest.raises(KeyReusedError, match="used before"):
            g(k)
    g(lucid.random.key(0))
    two = lucid.random.split(lucid.random.key(1))
    h = jit(lambda two: lucid.random.normal(two[0]))
    h(two)
    lucid.random.normal(two[1])
    with pytest.raises(KeyReusedError):
        lucid.random.normal(two[0])
    with pytest.raises(KeyReusedError):
        h(two)
    with lucid.random.allow_key_reuse():
        h(two)


def test_methods_and_decorators() -> None:
    class Scale:
        def __init__(self, k: float) -> None:
            self.k = k

        @lucid.jit(executor="numpy", static_argnums=0)
        def __call__(self, x: Any) -> Any:
            """Scale x."""
            return self.k * x

    same(Scale(2.0)(X), lucid.asarray(2 * X))
    same(Scale(3.0)(X), lucid.asarray(3 * X))
    assert Scale.__call__.__doc__ == "Scale x."
    g = jit(f)
    assert g.__name__ == "f"
    assert "jit of f" in repr(g)
    same(copy.deepcopy(g)(X, X), g(X, X))
    model = nn.Linear(3, 2)
    h = jit(model)
    assert not hasattr(h, "training")
    same(h(X).detach(), model(X).detach())


def test_arrays_are_read_anew_and_results_are_ones_own() -> None:
    x = X.copy()
    g = jit(lambda x: (x, x * 1, x[1:], x.reshape(3, 1), x + 1))
    outs = g(x)
    x[:] = -1
    for y in outs[:2]:
        same(y, lucid.asarray(X))
    same(outs[2], lucid.asarray(X[1:]))
    same(g(x)[0], lucid.asarray(x))
    table = np.array([1.0, 2.0, 3.0])
    h = jit(lambda x: x + table)
    h(X)
    table[:] = 0
    same(h(X), lucid.asarray(X + np.arange(1.0, 4.0)))  # a constant of the capture


# -- the cache -------------------------------------------------------------------------------------


def test_retraces_are_explained() -> None:
    g = jit(lambda x, y: x + y)
    explain = lucid.debug.explain_retrace
    assert explain(g) == "it has not been called"
    g(X, X)
    assert explain(g) == "it was the first call"
    g(X, X)
    assert captures(g) == 1
    g(X, X[:1])
    assert explain(g) == "argument 1 was float64[3], and is float64[1] now"
    g(X.astype(np.float32), X)
    assert explain(g) == "argument 0 was float64[3], and is float32[3] now"
    g(X, 1)
    assert explain(g) == "argument 1 was float64[1], and is int64[]* now"
    h = jit(lambda d: d["a"][0])
    h({"a": [X]})
    h({"a": [X[:2]]})
    assert explain(h) == "argument 0 at ['a'][0] was float64[3], and is float64[2] now"
    h({"a": [X, X]})
    assert explain(h).startswith("the arguments had the structure")
    k = jit(lambda x, n: x * n, static_argnames="n")
    k(X, n=1)
    k(X, n=2)
    assert explain(k) == "static argument 'n' was 1, and is 2 now"
    model = nn.Dropout(0.5).eval()
    m = jit(model)
    m(X)
    model.p = 0.25
    m(X)
    assert explain(m) == "'p' of a Dropout was 0.5, and is 0.25 now"
    p = nn.Parameter(X)
    q = jit(lambda: p * 2)
    q()
    p.recast("float32")
    q()
    assert explain(q) == "'data' of a Parameter held float64[3], and holds float32[3] now"
    with pytest.raises(OperandError, match="a jitted function"):
        explain(f)


def test_the_least_recently_used_is_forgotten() -> None:
    count = 0

    def fun(x: Any, n: int) -> Any:
        nonlocal count
        count += 1
        return x * n

    g = jit(fun, static_argnums=1)
    for n in range(128):
        g(X, n)
    g(X, 0)
    g(X, 128)  # drives out 1, the least recently used
    assert count == 129
    g(X, 0)
    assert count == 129
    g(X, 1)
    assert count == 130
    assert len(g._cache) == 128
    g.clear_cache()
    g(X, 0)
    assert count == 131


def test_memory_does_not_grow() -> None:
    def once(n: int) -> None:
        big = np.full(20_000, float(n))
        g = jit(lambda x: (x * big).sum())
        g(X[0])
        lucid.grad(g)(2.0)
        h(X, n)

    h = jit(lambda x, n: x * n, static_argnums=1)
    for n in range(150):
        once(n)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(150, 200):
        once(n)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 3 * 160_000, grown  # 50 arrays of 160 kB would be 8 MB


def test_threads_agree() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    count = 0

    def fun(x: Any) -> Any:
        nonlocal count
        count += 1
        return lucid.grad(lambda x: model(x).sum())(x)

    g = jit(fun)
    want = fun(X)
    count = 0
    gate = threading.Barrier(8)
    found: list[Any] = []

    def work() -> None:
        gate.wait()
        found.append([g(X) for _ in range(5)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert count == 1
    assert len(found) == 8
    for results in found:
        for y in results:
            np.testing.assert_allclose(y.detach().numpy(), want.detach().numpy(), rtol=1e-13)
    assert "__getattribute__" not in vars(nn.Module.__mro__[1])


# -- what cannot be captured -----------------------------------------------------------------------

DYNAMIC = {
    "branch": lambda x: 1 if x[0] > 0 else 2,
    "nonzero": lambda x: lucid.nonzero(x),
    "where": lambda x: lucid.where(x > 1),
    "unique": lambda x: lucid.unique_values(x),
    "np.unique": lambda x: np.unique(x),
    "mask": lambda x: x[x > 1],
    "float": lambda x: float(x[0]),
    "range": lambda x: list(range(lucid.argmax(x))),
    "arange": lambda x: lucid.arange(x.sum()),
    "tolist": lambda x: x.tolist(),
    "repeat": lambda x: lucid.repeat(x, (x > 0).astype(int)),
    "format": lambda x: f"{x.sum():.3f}",
    "sorted": lambda x: sorted(x),
    "in": lambda x: x in [1, 2],
}


@pytest.mark.parametrize("name", DYNAMIC)
def test_numbers_that_are_not_there(name: str) -> None:
    fun = DYNAMIC[name]
    line = fun.__code__.co_firstlineno
    with pytest.raises(ConcretizationError, match=rf"cond.*\(at .*test_jit\.py:{line}\)"):
        jit(fun)(X)


def test_indices_out_of_bounds_are_no_matter_of_compilation() -> None:
    g = jit(lambda x, i: x[i])
    same(g(X, np.array([2])), lucid.asarray(X[[2]]))
    with pytest.raises(IndexError, match="index 7 is out of bounds"):
        g(X, np.array([7]))


def test_leaks() -> None:
    kept: list[Any] = []
    jit(lambda x: (kept.append(x), x)[1])(X)
    for use in (
        lambda: kept[0] + 1,
        lambda: kept[0].numpy(),
        lambda: jit(lambda x: x + kept[0])(X),
        lambda: lucid.grad(lambda y: (y * kept[0]).sum())(X),
    ):
        with pytest.raises(LeakedTensorError, match="leaked out of jit"):
            use()
    assert repr(kept[0]) == "Tensor(float64[3], under jit)"


def test_an_operation_without_infer() -> None:
    op = general("test_without_infer", np.sin, register=False)
    with pytest.raises(GraphError, match=r"test_without_infer: .*no rule tells.*test_jit\.py"):
        jit(lambda x: lucid.extend.bind(op, (x,)))(X)
    assert "test_without_infer" not in OPS


def test_errors_name_the_operation() -> None:
    with pytest.raises(ShapeError, match="add: expected shapes that broadcast"):
        jit(lambda x, y: x + y)(X, np.ones(2))
    g = jit(lambda x: lucid.linalg.inv(x))
    g(np.eye(2))
    with pytest.raises(lucid.errors.LinAlgError, match="inv"):
        g(np.zeros((2, 2)))


# -- looking inside --------------------------------------------------------------------------------


def test_graphs_and_costs() -> None:
    g = jit(lambda a, b: lucid.tanh(a @ b + 1))
    low = g.lower(np.ones((3, 4)), np.ones((4, 5)))
    assert str(low).splitlines() == [
        "graph(%0: float64[3,4], %1: float64[4,5]):",
        "  %2: float64[3,5] = matmul %0, %1",
        "  %3: float64[3,5] = add %2, 1",
        "  %4: float64[3,5] = tanh %3",
        "  return %4",
    ]
    assert str(low.graph) == str(lucid.make_graph(g.fun)(np.ones((3, 4)), np.ones((4, 5))))
    cost = low.cost()
    assert cost.flops == {"matmul": 120, "add": 15, "tanh": 15}
    assert cost.bytes["matmul"] == 8 * (12 + 20 + 15)
    assert str(cost).splitlines()[-1].split() == ["all", "150", "856"]
    assert low.fallbacks() == ("matmul", "add", "tanh")
    assert low.ir() is None
    image, kernel = np.ones((2, 3, 8, 8)), np.ones((5, 3, 3, 3))
    conv = jit(lucid.functional.conv2d).lower(image, kernel).cost()
    assert sum(conv.flops.values()) >= 2 * 2 * 5 * 6 * 6 * 27


def test_materialise_and_weak_results() -> None:
    graph = lucid.make_graph(lambda k: lucid.sin(k) + 1)(2.0)
    assert [n.op.name for n in graph.nodes] == ["materialise", "sin", "add"]
    typecheck(graph)
