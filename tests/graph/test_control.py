"""Control flow: each function against the Python it stands for, under every composition."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lucid
from lucid import Tensor, errors
from lucid.core.op import OPS

X = np.array([0.7, -0.4, 1.3])
ROWS = np.array([[0.2, 0.5, -0.1], [1.1, -0.3, 0.4]])
RNG = np.random.default_rng(0)
W = RNG.normal(size=(3, 3)) * 0.5
XS = RNG.normal(size=(5, 3))


# -- what each stands for --------------------------------------------------------------------------


def py_cond(pred: Any, true_fun: Any, false_fun: Any, *operands: Any) -> Any:
    return true_fun(*operands) if bool(pred) else false_fun(*operands)


def py_switch(index: Any, branches: Any, *operands: Any) -> Any:
    return branches[int(index)](*operands)


def py_scan(
    f: Any, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, **_: Any
) -> Any:
    leaves = lucid.tree.leaves(xs)
    steps = len(leaves[0]) if leaves else length
    assert steps is not None
    outs: list[Any] = [None] * steps
    for k in reversed(range(steps)) if reverse else range(steps):
        init, outs[k] = f(init, lucid.tree.map(lambda x, k=k: lucid.asarray(x)[k], xs))
    return init, lucid.tree.map(lambda *ys: lucid.stack(ys), *outs)


def py_while(cond_fun: Any, body_fun: Any, x: Any, *, max_steps: int | None = None) -> Any:
    taken = 0
    while taken != max_steps and bool(cond_fun(x)):
        x = body_fun(x)
        taken += 1
    return x


def py_fori(lower: int, upper: int, body_fun: Any, x: Any) -> Any:
    for i in range(lower, upper):
        x = body_fun(i, x)
    return x


class Python:
    """The namespace of the plain versions."""

    cond, switch, scan = staticmethod(py_cond), staticmethod(py_switch), staticmethod(py_scan)
    while_loop, fori_loop = staticmethod(py_while), staticmethod(py_fori)

    @staticmethod
    def map(f: Any, xs: Any, **_: Any) -> Any:
        return lucid.stack([f(x) for x in lucid.asarray(xs)])

    @staticmethod
    def associative_scan(fn: Any, xs: Any) -> Any:
        outs = [xs[0:1]]
        for k in range(1, xs.shape[0]):
            outs.append(fn(outs[-1], xs[k : k + 1]))
        return lucid.concat(outs)


# -- functions of a vector to a number, written with control flow ----------------------------------


def branches(lib: Any, x: Any) -> Any:
    a = lib.cond(x[0] > 0.5, lambda y: lucid.sin(y) * x[1], lambda y: y * y, x)
    return a.sum() + lib.cond(x[1] > 0, lambda: lucid.exp(x[0]), lambda: 0.5)


def guarded(lib: Any, x: Any) -> Any:
    """The branch not taken has no finite derivative."""
    return lib.cond(x[1] > 0, lucid.log, lambda y: 2.0 * y, x[1] * x[0])


def switched(lib: Any, x: Any) -> Any:
    k = (x > 0).sum() - 1
    fs = [lambda y: y * x[0], lambda y: lucid.tanh(y * x[1]), lambda y: y**3 + y]
    return lib.switch(k, fs, x).sum()


def recurrent(lib: Any, x: Any) -> Any:
    def step(c: Any, u: Any) -> Any:
        h, k = c
        h = lucid.tanh(W @ h + u * x[0]) + 0.1 * k
        return (h, k + 1), {"h": h * x, "u": u.sum()}

    (h, k), ys = lib.scan(step, (x, 0), XS)
    return (h * h).sum() * k + (ys["h"] * ys["h"]).sum() + ys["u"].sum()


def backwards(lib: Any, x: Any) -> Any:
    step = lambda c, u: (c * u + x, c)  # noqa: E731
    c, ys = lib.scan(step, x * x, lucid.sin(XS * x), reverse=True)
    return (c * ys[0]).sum() + ys[3, 1]


def recomputed(lib: Any, x: Any) -> Any:
    step = lambda c, u: (lucid.sin(c * u) + x, lucid.cos(c) * u)  # noqa: E731
    c, ys = lib.scan(step, x, XS * x, policy="recompute", unroll=2)
    return c.sum() + (ys * ys).sum()


def without_rows(lib: Any, x: Any) -> Any:
    c, ys = lib.scan(lambda c, _: (c * x, c.sum()), x, length=4)
    return c.sum() + ys.sum()


def weak_carry(lib: Any, x: Any) -> Any:
    return lib.scan(lambda c, u: (c * x[0] + (u * x).sum(), None), 1.0, XS)[0]


def nested(lib: Any, x: Any) -> Any:
    def outer(c: Any, u: Any) -> Any:
        d, _ = lib.scan(lambda d, v: (d * v + u, None), c, lucid.cos(XS[:2] * x))
        return lib.cond(d.sum() > 0, lambda e: e * x, lucid.sin, d), d.sum()

    c, ys = lib.scan(outer, x, XS[:3])
    return c.sum() * ys.sum()


def grows(lib: Any, x: Any) -> Any:
    y = lib.while_loop(lambda y: (y * y).sum() < 50.0, lambda y: y * (1.5 + x * x) + 0.1, x)
    return (y * x).sum()


def bounded(lib: Any, x: Any) -> Any:
    def going(s: Any) -> Any:
        return s[1].sum() < 20 + x[0]

    k, y = lib.while_loop(going, lambda s: (s[0] + 1, s[1] * s[1] + 1.0), (0, x), max_steps=6)
    return (lucid.log(y) * x).sum() + k


def counted(lib: Any, x: Any) -> Any:
    return lib.fori_loop(1, 4, lambda i, y: lucid.sin(y * i) + x / i, x).sum()


def loop_in_loop(lib: Any, x: Any) -> Any:
    def body(i: Any, y: Any) -> Any:
        return lib.while_loop(lambda a: (a * a).sum() < 3 * (i + 1), lambda a: a * 1.3 + x * x, y)

    return lib.fori_loop(0, 3, body, x).sum()


def mapped(lib: Any, x: Any) -> Any:
    return (lib.map(lambda u: lucid.sin(u * x).sum(), XS) ** 2).sum()


def chunked(lib: Any, x: Any) -> Any:
    return (lib.map(lambda u: lucid.sin(u * x).sum(), XS * x[0], batch_size=2) ** 2).sum()


def associative(lib: Any, x: Any) -> Any:
    return (lib.associative_scan(lambda a, b: a * b + 0.0, lucid.exp(XS * x)) * x).sum()


FUNCTIONS: list[Callable[[Any, Any], Any]] = [
    *(branches, guarded, switched, recurrent, backwards, recomputed, without_rows, weak_carry),
    *(nested, grows, bounded, counted, loop_in_loop, mapped, chunked, associative),
]

F = Callable[[Any], Any]
FIRST: dict[str, Callable[[F], F]] = {
    "value": lambda f: f,
    "grad": lucid.grad,
    "jvp": lambda f: lambda x: lucid.jvp(f, (x,), (X[::-1].copy(),))[1],
    "jacfwd": lucid.jacfwd,
    "vjp": lambda f: lambda x: lucid.vjp(f, x)[1](2.0)[0],
    "linearize": lambda f: lambda x: lucid.linearize(f, x)[1](x),
    "value_and_grad": lambda f: lambda x: lucid.value_and_grad(f)(x)[1],
    "checkpoint": lambda f: lucid.grad(lucid.checkpoint(f)),
}
SECOND: dict[str, Callable[[F], F]] = {
    "hessian": lucid.hessian,
    "reverse over reverse": lambda f: lucid.jacrev(lucid.grad(f)),
    "reverse over forward": lambda f: lucid.grad(
        lambda x: lucid.jvp(f, (x,), (X[::-1].copy(),))[1]
    ),
    "forward over forward": lambda f: lucid.jacfwd(lucid.jacfwd(f)),
}


def close(got: Any, want: Any) -> None:
    got, want = (np.asarray(lucid.stop_gradient(a)) for a in (got, want))
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


def both(f: Any) -> tuple[F, F]:
    return lambda x: f(lucid, x), lambda x: f(Python, x)


def numpy_jit(f: Any) -> Any:
    return lucid.jit(f, executor="numpy")


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_first_order(f: Any, name: str) -> None:
    mine, plain = both(f)
    want = FIRST[name](plain)(X)
    close(FIRST[name](mine)(X), want)
    if name == "checkpoint":
        return  # not to be captured
    close(numpy_jit(FIRST[name](mine))(X), want)
    close(FIRST[name](numpy_jit(mine))(X), want)


@pytest.mark.parametrize("name", SECOND)
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_second_order(f: Any, name: str) -> None:
    mine, plain = both(f)
    want = SECOND[name](plain)(X)
    close(SECOND[name](mine)(X), want)
    close(numpy_jit(SECOND[name](mine))(X), want)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_batched(f: Any) -> None:
    mine, plain = both(f)
    rows = np.concatenate([ROWS, X[None]])
    want = lucid.stack([plain(x) for x in rows])
    close(lucid.vmap(mine)(rows), want)
    close(numpy_jit(lucid.vmap(mine))(rows), want)
    want = lucid.stack([lucid.grad(plain)(x) for x in rows])
    close(lucid.vmap(lucid.grad(mine))(rows), want)
    close(lucid.grad(lambda x: lucid.vmap(mine)(x).sum())(rows), want)
    close(numpy_jit(lucid.vmap(lucid.grad(mine)))(rows), want)
    close(numpy_jit(lucid.grad(lambda x: lucid.vmap(mine)(x).sum()))(rows), want)
    close(lucid.vmap(numpy_jit(lucid.grad(mine)))(rows), want)
    want = lucid.stack([lucid.hessian(plain)(x) for x in rows])
    close(lucid.vmap(lucid.hessian(mine))(rows), want)
    close(numpy_jit(lucid.vmap(lucid.hessian(mine)))(rows), want)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_the_ambient_tape(f: Any) -> None:
    mine, plain = both(f)
    p = lucid.nn.Parameter(X)
    mine(p * 1.0).backward()
    close(p.grad, lucid.grad(plain)(X))
    x = Tensor(X, requires_grad=True)
    mine(x).backward()
    close(x.grad, lucid.grad(plain)(X))


@pytest.mark.parametrize("f", [recurrent, nested, bounded], ids=lambda f: f.__name__)
def test_native(f: Any) -> None:
    pytest.importorskip("llvmlite")
    mine, plain = both(f)
    for transform in (FIRST["value"], lucid.grad):
        close(lucid.jit(transform(mine), executor="native")(X), transform(plain)(X))


# -- random bodies ---------------------------------------------------------------------------------

UNARY = [lucid.sin, lucid.tanh, lambda a: a * a * 0.5, lambda a: lucid.where(a > 0, a, 0.3 * a)]
BINARY = [lambda a, b: a * b, lambda a, b: a - b, lucid.maximum, lambda a, b: a / (2 + b * b)]


@st.composite
def bodies(draw: Any) -> Any:
    """A random straight-line body ``(constant, carry, row) -> (carry, output)``."""
    steps = draw(
        st.lists(st.tuples(st.booleans(), *[st.integers(0, 99)] * 3), min_size=1, max_size=6)
    )
    carry = draw(st.tuples(*[st.integers(0, 99)] * 2))
    output = draw(st.integers(0, 99))

    def body(k: Any, c: Any, x: Any) -> Any:
        values = [k, *c, x]
        for single, which, i, j in steps:
            a, b = values[i % len(values)], values[j % len(values)]
            values.append(UNARY[which % 4](a) if single else BINARY[which % 4](a, b))
        new = tuple(values[i % len(values)] for i in carry)
        return new, values[output % len(values)]

    return body


@settings(max_examples=25, deadline=None)
@given(bodies(), st.integers(0, 4), st.booleans(), st.sampled_from([None, "recompute"]))
def test_any_scan_is_its_loop(body: Any, length: int, reverse: bool, policy: Any) -> None:
    xs = RNG.normal(size=(length, 3))

    def f(lib: Any, k: Any, c: Any, xs: Any) -> Any:
        step = lambda c, x: body(k, c, x)  # noqa: E731
        if length == 0 and lib is Python:
            return (c[0] * c[1]).sum()
        c, ys = lib.scan(step, (c, c * 0.5), xs, reverse=reverse, policy=policy)
        return (c[0] * c[1]).sum() + (ys * lucid.cos(ys)).sum()

    def c0(f: Any) -> Any:
        return lambda k, c, xs: (
            f(Python, k, (c, c * 0.5), xs) if length == 0 else f(Python, k, c, xs)
        )

    mine = lambda *a: f(lucid, *a)  # noqa: E731
    plain = c0(f)
    every = (0, 1, 2)
    for got, want in zip(
        lucid.grad(mine, every)(W[0], X, xs), lucid.grad(plain, every)(W[0], X, xs), strict=True
    ):
        close(got, want)
    close(lucid.jacfwd(mine, 1)(W[0], X, xs), lucid.grad(plain, 1)(W[0], X, xs))
    for got, want in zip(
        numpy_jit(lucid.grad(mine, every))(W[0], X, xs),
        lucid.grad(plain, every)(W[0], X, xs),
        strict=True,
    ):
        close(got, want)
    for k in every:
        axes = tuple(0 if i == k else None for i in every)
        args: list[Any] = [W[0], X, xs]
        args[k] = np.stack([args[k], args[k] * 0.5])
        want = lucid.stack(
            [plain(*[a[r] if i == k else a for i, a in enumerate(args)]) for r in (0, 1)]
        )
        close(lucid.vmap(mine, in_axes=axes)(*args), want)


# -- examples --------------------------------------------------------------------------------------


def test_a_known_condition_calls_one_function() -> None:
    def never(x: Any) -> Any:
        raise AssertionError

    assert lucid.cond(True, lambda x: x + 1, never, 1) == 2
    assert lucid.switch(1, [never, lambda x: x], 5) == 5
    assert float(lucid.grad(lambda x: lucid.cond(x > 0, lambda: x * x, never))(2.0)) == 4.0


def test_a_masked_branch_gives_no_nan() -> None:
    f = lambda x: lucid.cond(x > 0, lucid.log, lambda y: 0.0, x)  # noqa: E731
    x = np.array([1.0, 0.0, -1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        close(lucid.vmap(f)(x), np.zeros(3))
        close(lucid.grad(lambda x: lucid.vmap(f)(x).sum())(x), np.array([1.0, 0.0, 0.0]))
        close(lucid.vmap(lucid.grad(f))(x), np.array([1.0, 0.0, 0.0]))


def test_zero_steps() -> None:
    c, ys = lucid.scan(lambda c, x: (c + x, (c * 2, 1)), 1.0, np.zeros((0, 3)).sum(1))
    assert ys[0].shape == (0,)
    assert ys[1].dtype == np.int64
    close(c, 1.0)
    close(lucid.scan(lambda c, _: (c * 2, None), X, length=0)[0], X)
    close(lucid.grad(lambda x: lucid.scan(lambda c, _: (c * x, None), x, length=0)[0])(3.0), 1.0)
    close(lucid.fori_loop(3, 1, lambda i, x: x * i, 2.0), 2.0)
    close(lucid.while_loop(lambda x: False, lambda x: x * 2, 2.0), 2.0)
    assert lucid.map(lambda x: x[0], np.zeros((0, 3))).shape == (0,)
    assert lucid.map(lambda x: x[0], np.zeros((0, 3)), batch_size=2).shape == (0,)
    close(lucid.grad(lambda x: lucid.while_loop(lambda y: y < 0, lambda y: y * y, x))(3.0), 1.0)


@pytest.mark.parametrize("f", [grows, loop_in_loop])
def test_third_derivatives_of_loops_without_a_bound(f: Any) -> None:
    mine, plain = both(f)

    def third(f: Any) -> Any:
        curvature = lambda x: (lucid.grad(f)(x) ** 2).sum()  # noqa: E731
        return lucid.grad(lambda x: (lucid.grad(curvature)(x) * X).sum())

    want = third(plain)(X)
    close(third(mine)(X), want)
    for executor in ("numpy", None):
        compiled = lucid.jit(third(mine), executor=executor)
        close(compiled(X), want)
        close(compiled(ROWS[0]), third(plain)(ROWS[0]))  # it takes other steps
    turned = numpy_jit(lambda x: lucid.jvp(third(mine), (x,), (X,))[1])
    close(turned(X), lucid.jvp(third(plain), (X,), (X,))[1])
    rows = lucid.stack([third(plain)(x) for x in ROWS])
    close(numpy_jit(lucid.vmap(third(mine)))(ROWS), rows)


UNROLLED = {
    "forwards": {},
    "backwards": {"reverse": True},
    "recomputed": {"policy": "recompute", "reverse": True},
}


@pytest.mark.parametrize("kind", UNROLLED)
@pytest.mark.parametrize("length", [0, 1, 5, 6])
def test_unrolled_scans_are_scans(kind: str, length: int) -> None:
    xs = {"u": RNG.normal(size=(length, 3)), "k": np.arange(length)}

    def run(w: Any, xs: Any, unroll: int) -> Any:
        def step(c: Any, x: Any) -> Any:
            h, n = c
            h = lucid.sin(W @ h * w) + x["u"] * x["k"]
            return (h, n + x["k"]), (h * w, {"n": n, "none": None})

        return lucid.scan(step, (w, 0), xs, unroll=unroll, **UNROLLED[kind])

    def total(w: Any, xs: Any, unroll: int) -> Any:
        (h, _), (ys, _) = run(w, xs, unroll)
        return (h * h).sum() + (ys * ys).sum()

    want = lucid.tree.leaves(run(X, xs, 1))
    grads = lucid.tree.leaves(
        lucid.grad(lambda w, u: total(w, {**xs, "u": u}, 1), (0, 1))(X, xs["u"])
    )
    second = lucid.hessian(lambda w: total(w, xs, 1))(X)
    for unroll in range(1, length + 3):
        for wrap in (lambda f: f, partial(lucid.jit, executor="numpy"), lucid.jit):
            got = lucid.tree.leaves(wrap(lambda w, xs, k=unroll: run(w, xs, k))(X, xs))
            for a, b in zip(got, want, strict=True):
                assert (a.shape, a.dtype) == (b.shape, b.dtype)
                tolerance = 1e-12 if wrap is lucid.jit else 0
                np.testing.assert_allclose(a.numpy(), b.numpy(), tolerance, tolerance)
            f = lambda w, u, k=unroll: total(w, {**xs, "u": u}, k)  # noqa: E731
            got = lucid.tree.leaves(wrap(lucid.grad(f, (0, 1)))(X, xs["u"]))
            for a, b in zip(got, grads, strict=True):
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-11, atol=1e-12)
        if unroll != 3:
            continue
        g = lambda w, k=unroll: total(w, xs, k)  # noqa: E731
        np.testing.assert_allclose(lucid.hessian(g)(X).numpy(), second.numpy(), 1e-10, 1e-10)
        rows = lucid.vmap(g)(np.stack([X, 2 * X])).numpy()
        np.testing.assert_allclose(rows, [float(total(k * X, xs, 1)) for k in (1, 2)], rtol=1e-12)
    graph = lucid.make_graph(lambda w: run(w, xs, 2))(X)
    turns = [n.params[3] for n in graph.nodes if n.op.name == "scan"]
    assert turns == ([length // 2, length % 2][: 1 + length % 2] if length > 1 else [length])


def test_max_steps_ends_a_loop() -> None:
    double = lambda m: lucid.while_loop(lambda x: True, lambda x: x * 2, 1.0, max_steps=m)  # noqa: E731
    close(double(0), 1.0)
    close(double(5), 32.0)
    close(numpy_jit(lambda: double(5))(), 32.0)
    f = lambda x: lucid.while_loop(lambda y: True, lambda y: y * x, 1.0, max_steps=3)  # noqa: E731
    close(lucid.grad(f)(2.0), 12.0)
    close(numpy_jit(lucid.hessian(f))(2.0), 12.0)


def test_dtypes_of_a_carry() -> None:
    x32 = XS.astype(np.float32)
    carry, ys = lucid.scan(lambda c, x: (c + x.sum(), c), 0.0, x32)
    assert carry.dtype == np.float32
    assert ys.dtype == np.float32
    assert lucid.scan(lambda c, x: (c + 1, None), 0, x32)[0].dtype == np.int64
    assert lucid.scan(lambda c, x: (c + 0.5, None), 0, x32)[0].dtype == np.float64
    (a, b), _ = lucid.scan(lambda c, x: ((c[0] + x[0], c[1] + c[0]), None), (0.0, 0.0), x32)
    assert a.dtype == b.dtype == np.float32
    assert lucid.fori_loop(0, 3, lambda i, x: x * i, x32).dtype == np.float32
    upper = np.int32(3)
    assert lucid.fori_loop(0, upper, lambda i, n: n + i, upper).dtype == np.int32
    double = lucid.fori_loop(0, upper, lambda i, x: x * i, XS)
    assert double.dtype == np.float64
    branch = numpy_jit(lambda p: lucid.cond(p, lambda: x32, lambda: lucid.zeros_like(x32)))
    assert branch(True).dtype == np.float32
    mixed = numpy_jit(lambda p: lucid.cond(p, lambda: np.float32(2), lambda: 0.0))
    assert mixed(False).dtype == np.float32
    assert numpy_jit(lambda p: lucid.cond(p, lambda: 1, lambda: 0.5))(True).dtype == np.float64


def test_bounds_known_only_when_called() -> None:
    f = lambda n, x: lucid.fori_loop(0, n, lambda i, y: y * x + i, 1.0)  # noqa: E731
    want = [py_fori(0, n, lambda i, y: y * 0.5 + i, 1.0) for n in (4, 0, 2)]
    close(numpy_jit(f)(4, 0.5), want[0])
    close(lucid.vmap(f, in_axes=(0, None))(np.array([4, 0, 2]), 0.5), np.array(want))
    close(numpy_jit(lucid.grad(f, 1))(4, 0.5), lucid.grad(f, 1)(4, 0.5))
    g = lucid.vmap(lucid.grad(f, 1), in_axes=(0, None))
    close(g(np.array([4, 0, 2]), 0.5), lucid.stack([lucid.grad(f, 1)(n, 0.5) for n in (4, 0, 2)]))


def test_parameters_are_read_and_not_written() -> None:
    p = lucid.nn.Parameter(2.0)
    frozen = lucid.nn.Parameter(3.0, requires_grad=False)

    def f() -> Any:
        return lucid.scan(lambda c, x: (c * p + x * frozen, None), 1.0, np.ones(2))[0]

    close(f(), 13.0)
    f().backward()
    close(p.grad, 7.0)
    assert frozen.grad is None
    p.data = 3.0
    close(f(), 21.0)
    compiled = numpy_jit(f)
    close(compiled(), 21.0)
    p.data = 2.0
    close(compiled(), 13.0)
    p.grad = None
    compiled().backward()
    close(p.grad, 7.0)

    def g() -> Any:
        return lucid.while_loop(lambda y: y < 10 * p, lambda y: y * p, 1.0)

    p.grad = None
    g().backward()
    close(p.grad, 80.0)  # p**5

    def write(c: Any, _: Any) -> Any:
        p.data = c
        return c, None

    with pytest.raises(errors.GraphError, match="scan: expected a body without side effects, got"):
        lucid.scan(write, 1.0, length=2)
    with pytest.raises(errors.GraphError, match="one that sets 'data'; return the new value"):
        numpy_jit(lambda: lucid.scan(write, 1.0, length=2))()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("policy", [None, "recompute"])
def test_no_grad_in_a_body(policy: Any, compiled: bool) -> None:
    def f(lib: Any, p: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            with lucid.no_grad():
                k = c * p
            return lib.cond(c > 0, lambda c: c * p + k, lambda c: c, c), None

        c, _ = lib.scan(step, 1.0, length=2, policy=policy)

        def advance(c: Any) -> Any:
            with lucid.no_grad():
                k = c * p
            return c * p + k

        return lib.while_loop(lambda c: c < 100.0, advance, c)

    p, q = lucid.nn.Parameter(1.5), lucid.nn.Parameter(1.5)
    f(Python, q).backward()
    (numpy_jit(lambda: f(lucid, p)) if compiled else lambda: f(lucid, p))().backward()
    close(p.grad, q.grad)
    x = np.float64(1.5)
    close(lucid.grad(lambda p: f(lucid, p))(x), lucid.grad(lambda p: f(Python, p))(x))


def test_a_parameter_in_a_training_step() -> None:
    p = lucid.nn.Parameter(X)

    @numpy_jit
    def step() -> Any:
        loss = recurrent(lucid, p)
        loss.backward()
        return loss

    step()
    close(p.grad, lucid.grad(lambda x: recurrent(lucid, x))(X))


def test_graphs_hold_one_node_for_a_loop() -> None:
    f = lambda n: lambda x: lucid.scan(lambda c, _: (lucid.sin(c), None), x, length=n)[0]  # noqa: E731
    names = [n.op.name for n in lucid.make_graph(f(1000))(1.0).nodes if n.op.name != "materialise"]
    assert names == ["scan"]
    names = [n.op.name for n in lucid.make_graph(lucid.grad(f(1000)))(1.0).nodes]
    assert names.count("scan") == 2


def test_what_nobody_reads_is_left_out() -> None:
    p = lucid.nn.Parameter(X)

    def unread(lib: Any) -> Any:
        """Residuals for the tape, an output, and a carry with an operand of its own."""
        step = lambda c, u: ((lucid.sin(c[0] * u), c[1] * p), (c[0] + 1, c[1]))  # noqa: E731
        (c, _), (y, _) = lib.scan(step, (X, X * p), XS)
        k, c, _ = lib.while_loop(
            lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * X, s[2] * p), (0, c, X)
        )
        return (lib.cond(c[0] > k, lambda a, b: (a, b), lambda a, b: (b, a), c, p)[0] * y).sum()

    graph = lucid.make_graph(lambda: unread(lucid))()
    nodes = {n.op.name: n for n in graph.nodes}
    scan, loop = nodes["scan"], nodes["while"]
    assert (len(scan.operands), scan.params[1:3], len(scan.outputs)) == (2, (0, 1), 2)
    assert (len(loop.operands), len(loop.outputs)) == (2, 2)
    assert len(nodes["cond"].outputs) == 1
    close(numpy_jit(lambda: unread(lucid))(), unread(Python))


def test_recompute_keeps_the_carry_alone() -> None:
    def stacked(policy: str | None) -> int:
        step = lambda c, x: (lucid.sin(lucid.exp(lucid.tanh(c * x))), None)  # noqa: E731
        f = lambda c: lucid.scan(step, c, XS, policy=policy)[0].sum()  # noqa: E731
        graph = lucid.make_graph(lucid.grad(f))(X)
        first = next(n for n in graph.nodes if n.op.name == "scan")
        return len(first.outputs) - 1

    assert stacked("recompute") == 1
    assert stacked(None) > 1


def test_arguments_are_not_aliased() -> None:
    init = X.copy()
    carry, ys = lucid.scan(lambda c, x: (c, c), init, length=2)
    init[:] = 0.0
    close(carry, X)
    close(ys[1], X)


def test_values_of_the_operations() -> None:
    """The rules for shapes and dtypes agree with what is computed."""
    for f in FUNCTIONS:
        graph = lucid.make_graph(lucid.grad(lambda x, f=f: f(lucid, x)))(X)
        for node in graph.nodes:
            if node.op in (OPS["scan"], OPS["while"], OPS["cond"]):
                assert all(not y.aval.weak for y in node.outputs)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 13])
def test_associative_scan(n: int) -> None:
    x = RNG.normal(size=(2, n, 3))
    close(lucid.associative_scan(lucid.add, x, axis=1), np.cumsum(x, 1))
    close(
        lucid.associative_scan(lucid.add, x, axis=-2, reverse=True),
        np.cumsum(x[:, ::-1], 1)[:, ::-1],
    )
    a, b = RNG.normal(size=(2, n))

    def affine(f: Any, g: Any) -> Any:
        return {"a": f["a"] * g["a"], "b": f["b"] * g["a"] + g["b"]}

    got = lucid.associative_scan(affine, {"a": a, "b": b})["b"]
    want, y = [], 0.0
    for k in range(n):
        y = y * a[k] + b[k]
        want.append(y)
    close(got, np.array(want))


# -- what is refused -------------------------------------------------------------------------------

ONE = np.ones(3)


def both_branches(a: Any, b: Any) -> Any:
    return numpy_jit(lambda p: lucid.cond(p, lambda: a, lambda: b))(True)


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda: lucid.cond(True, 1, abs), errors.OperandError, "cond: expected a function, got int"),
    (
        lambda: lucid.cond(ONE > 0, abs, abs, 1),
        errors.ShapeError,
        "cond: expected a scalar condition, got shape (3,); reduce it with .all() or .any(), or "
        "map over it with lucid.vmap",
    ),
    (
        lambda: both_branches((1.0, 2.0), [1.0]),
        errors.GraphError,
        "cond: expected results of the structure PyTreeSpec((*, *)), got PyTreeSpec([*])",
    ),
    (
        lambda: both_branches({"a": ONE}, {"a": 1.0}),
        errors.ShapeError,
        "cond: expected a result['a'] of shape (3,), got (); make the shapes agree, with "
        "lucid.broadcast_to for example",
    ),
    (
        lambda: both_branches((ONE,), (ONE.astype(np.float32),)),
        errors.DTypeError,
        "cond: expected a result[0] of float32, got float64; make the dtypes agree with .astype",
    ),
    (
        lambda: lucid.switch(0, abs),
        errors.OperandError,
        "switch: expected a sequence of functions, got builtin_function_or_method",
    ),
    (
        lambda: lucid.switch(0, []),
        errors.OperandError,
        "switch: expected a sequence of functions, got none",
    ),
    (
        lambda: lucid.switch(0.0, [abs], 1),
        errors.DTypeError,
        "switch: expected an integer index, got float64; use lucid.cond",
    ),
    (
        lambda: lucid.switch(ONE, [abs], 1),
        errors.ShapeError,
        "switch: expected a scalar index, got shape (3,); reduce it with .all() or .any(), or "
        "map over it with lucid.vmap",
    ),
    (
        lambda: lucid.switch(-1, [abs, abs], 1),
        errors.IndexOutOfBoundsError,
        "switch: expected an index from 0 to 1, got -1",
    ),
    (
        lambda: numpy_jit(lambda i: lucid.switch(i, [lucid.sin, lucid.cos], 1.0))(2),
        errors.IndexOutOfBoundsError,
        "switch: expected an index from 0 to 1, got 2",
    ),
    (
        lambda: lucid.vmap(lambda i: lucid.switch(i, [lucid.sin, lucid.cos], 1.0))(np.arange(3)),
        errors.IndexOutOfBoundsError,
        "switch: expected an index from 0 to 1, got 0 to 2",
    ),
    (
        lambda: lucid.scan(lambda c, x: (c, x), 0.0),
        errors.OperandError,
        "scan: expected a number of steps, got neither xs nor length; pass xs, or length",
    ),
    (
        lambda: lucid.scan(lambda c, x: (c, x), 0.0, 1.0),
        errors.ShapeError,
        "scan: expected xs with an axis to loop over, got a 0-d one; close over what every step "
        "shares",
    ),
    (
        lambda: lucid.scan(lambda c, x: (c, x), 0.0, (ONE, {"a": ONE[:2]}), length=3),
        errors.ShapeError,
        "scan: expected first axes of one length, got 3 at length, 3 at xs[0], 2 at xs[1]['a']",
    ),
    (
        lambda: lucid.scan(lambda c, x: (c, x), 0.0, ONE, length=-1),
        errors.OptionError,
        "scan: expected length a non-negative integer, got -1",
    ),
    (
        lambda: lucid.scan(lambda c, x: (c, x), 0.0, ONE, unroll=0),
        errors.OptionError,
        "scan: expected unroll a positive integer, got 0",
    ),
    (
        lambda: lucid.scan(lambda c, x: (c, x), 0.0, ONE, policy="dots"),
        errors.OptionError,
        "scan: expected policy None or \"recompute\", got 'dots'",
    ),
    (
        lambda: lucid.scan(lambda c, x: c, 0.0, ONE),
        errors.OperandError,
        "scan: expected the body to return a pair, got a Tensor; return (carry, output), with None "
        "for no output",
    ),
    (
        lambda: lucid.scan(lambda c, x: ((c, c), x), 0.0, ONE),
        errors.GraphError,
        "scan: expected a carry of the structure PyTreeSpec(*), got PyTreeSpec((*, *))",
    ),
    (
        lambda: lucid.scan(lambda c, x: ({"a": c["a"] * ONE}, x), {"a": 0.0}, ONE),
        errors.ShapeError,
        "scan: expected a carry['a'] of shape (), got (3,); make the shapes agree, with "
        "lucid.broadcast_to for example",
    ),
    (
        lambda: lucid.scan(lambda c, x: (c + x, x), np.float32(0), ONE),
        errors.DTypeError,
        "scan: expected a carry of float32, got float64; make the dtypes agree with .astype",
    ),
    (
        lambda: lucid.while_loop(lambda x: ONE > 0, lambda x: x, 1.0),
        errors.ShapeError,
        "while_loop: expected a scalar condition, got shape (3,); reduce it with .all() or .any()",
    ),
    (
        lambda: lucid.while_loop(lambda x: (x, x), lambda x: x, 1.0),
        errors.GraphError,
        "while_loop: expected one condition, got PyTreeSpec((*, *))",
    ),
    (
        lambda: lucid.while_loop(abs, abs, 1.0, max_steps=-1),
        errors.OptionError,
        "while_loop: expected max_steps None or a non-negative integer, got -1",
    ),
    (
        lambda: lucid.fori_loop(0.0, 3, lambda i, x: x, 1.0),
        errors.DTypeError,
        "fori_loop: expected integer bounds, got float64",
    ),
    (
        lambda: lucid.fori_loop(0, np.arange(2), lambda i, x: x, 1.0),
        errors.ShapeError,
        "fori_loop: expected scalar bounds, got shape (2,)",
    ),
    (
        lambda: lucid.map(lambda x: x, ONE, batch_size=0),
        errors.OptionError,
        "map: expected batch_size a positive integer, got 0",
    ),
    (
        lambda: lucid.map(lambda x: x, ()),
        errors.OperandError,
        "map: expected an array to map over, got none",
    ),
    (
        lambda: lucid.map(lambda x: x, (ONE, 1.0)),
        errors.ShapeError,
        "map: expected xs[1] with an axis to map over, got a 0-d one",
    ),
    (
        lambda: lucid.map(lambda x: x, (ONE, ONE[:2])),
        errors.ShapeError,
        "map: expected first axes of one length, got 3 at xs[0], 2 at xs[1]",
    ),
    (
        lambda: lucid.associative_scan(lucid.add, ()),
        errors.OperandError,
        "associative_scan: expected an array to scan, got none",
    ),
    (
        lambda: lucid.associative_scan(lambda a, b: a, (ONE, ONE[:2])),
        errors.ShapeError,
        "associative_scan: expected one length along the axis, got [2, 3]",
    ),
    (
        lambda: lucid.associative_scan(lambda a, b: (a, b), ONE),
        errors.GraphError,
        "associative_scan: expected fn to return the structure PyTreeSpec(*), "
        "got PyTreeSpec((*, *))",
    ),
    (
        lambda: lucid.associative_scan(lambda a, b: a.sum(), ONE),
        errors.ShapeError,
        "associative_scan: expected fn to keep the shape (1,), got shape ()",
    ),
    (
        lambda: lucid.scan(lambda c, x: (c if c > 0 else -c, x), 1.0, ONE),
        errors.ConcretizationError,
        "bool: expected a Tensor with a number, got one under scan, which stands for many values; "
        "use lucid.where or lucid.cond, or compute it outside",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED, ids=[t[:60] for _, _, t in REFUSED])
def test_messages(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).partition(" (at ")[0] == text  # behind it is the user's line
