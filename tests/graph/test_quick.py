"""The short way through a jitted call: when it is taken, when not, and that both agree."""

from __future__ import annotations

import collections
import copy
import dataclasses
import pickle
import threading
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pytest

import lucid
from lucid import nn, optim
from lucid.errors import KeyReusedError
from lucid.graph.jit import Jitted

X = np.array([0.5, 1.0, 2.0])
T = lucid.asarray(X)
EXECUTORS = ["numpy", None]


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclasses.dataclass(frozen=True)
class Point:
    x: Any
    y: Any


@contextmanager
def long_way(allowed: bool) -> Generator[list[int]]:
    """Count how often the long way is taken; raise there where it is not allowed."""
    counts = [0]
    plain = Jitted._take

    def take(self: Any, args: Any, kwargs: Any) -> Any:
        counts[0] += 1
        assert allowed, "this call took the long way"
        return plain(self, args, kwargs)

    Jitted._take = take  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        Jitted._take = plain  # type: ignore[method-assign]


def warm(g: Any, *args: Any, **named: Any) -> Any:
    for _ in range(2):
        out = g(*args, **named)
    return out


def fresh(x: Any) -> Any:
    return copy.copy(x) if isinstance(x, np.ndarray | str) else x


def check(a: Any, b: Any) -> None:
    found, structure = lucid.tree.flatten(a)
    want, shape = lucid.tree.flatten(b)
    assert structure == shape
    for x, y in zip(found, want, strict=True):
        x, y = lucid.asarray(x), lucid.asarray(y)
        assert (x.shape, x.dtype, type(x._value)) == (y.shape, y.dtype, type(y._value))
        np.testing.assert_array_equal(x.numpy(), y.numpy())


# name: function, options, arguments, named arguments
CALLS: dict[str, tuple[Any, dict[str, Any], tuple[Any, ...], dict[str, Any]]] = {
    "nothing": (lambda: lucid.ones(2), {}, (), {}),
    "an array": (lambda x: x + 1, {}, (X,), {}),
    "a Tensor": (lambda x: x + 1, {}, (T,), {}),
    "both": (lambda x, y: (x, y * x), {}, (T, X), {}),
    "0-d": (lambda x: x * 2, {}, (np.array(2.0),), {}),
    "a NumPy scalar": (lambda x: x * 2, {}, (np.float32(2.0),), {}),
    "no elements": (lambda x: x * 2, {}, (np.zeros((0, 3)),), {}),
    "strides": (lambda x: x @ x, {}, (np.asfortranarray(np.arange(9.0).reshape(3, 3))[::-1],), {}),
    "numbers": (lambda a, b, c, d: (a * b, b + c, d), {}, (2, 0.5, 1j, True), {}),
    "a weak Tensor": (lambda k: k + 1, {}, (lucid.jit(lambda k: k * 2)(1.5),), {}),
    "by name": (lambda x, *, y: x - y, {}, (X,), {"y": T}),
    "a dict": (lambda d: {"q": d["b"], "p": d["a"] * 2}, {}, ({"b": X, "a": T},), {}),
    "a list": (lambda x: [x[0], x[1][0], None], {}, ([X, [T]],), {}),
    "an empty list": (lambda x, y: x * 2, {}, (X, []), {}),
    "a named tuple": (lambda p: Pair(p.b, p.a + p.b), {}, (Pair(X, 2.0),), {}),
    "a dataclass": (lambda p: Point(p.y, p.x * 2), {}, (Point(X, {"k": [T]}),), {}),
    "an ordered dict": (
        lambda d: collections.OrderedDict(z=d["a"], y=d["b"]),
        {},
        (collections.OrderedDict(b=X, a=T),),
        {},
    ),
    "a default dict": (lambda d: d["a"], {}, (collections.defaultdict(list, a=X),), {}),
    "a deque": (lambda d: (d[0], d), {}, (collections.deque([X, T]),), {}),
    "None": (lambda x, y: x, {}, (X, None), {}),
    "a string": (lambda x, how: x.sum() if how == "sum" else x, {}, (X, "sum"), {}),
    "static": (lambda x, n: x**n, {"static_argnums": 1}, (X, 2), {}),
    "static by name": (lambda x, n: x**n, {"static_argnames": "n"}, (X,), {"n": (2)}),
    "from the end": (lambda n, x: x**n, {"static_argnums": -2}, (2, X), {}),
    "a static tuple": (lambda x, s: x.reshape(s), {"static_argnums": 1}, (X, (3, 1)), {}),
    "a module": (lambda m, x: m(x), {}, (nn.Linear(3, 2).detach(), X), {}),
    "a view": (lambda x: (x[1:], x), {}, (X,), {}),
    "a constant": (lambda x: lucid.ones(2), {}, (X,), {}),
    "many": (lambda *x: lucid.stack(x).sum(), {}, (X,) * 70, {}),
}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", CALLS)
def test_the_second_repetition_is_short_and_the_same(name: str, executor: str | None) -> None:
    fun, options, args, named = CALLS[name]
    g = lucid.jit(fun, executor=executor, **options)
    want = warm(g, *args, **named)
    with long_way(allowed=False):
        check(g(*args, **named), want)
        args, named = lucid.tree.map(fresh, (args, named))
        check(g(*args, **named), want)


OTHERS = {
    "another shape": ((X, X), (X[:2], X[:2])),
    "another rank": ((X, X), (X[None], X)),
    "another dtype": ((X, X), (X.astype(np.float32), X)),
    "another order of bytes": ((X, X), (X.astype(">f8"), X)),
    "a number for an array": ((X, X), (X, 2.0)),
    "an array for a number": ((X, 2.0), (X, X)),
    "an int for a float": ((X, 2.0), (X, 2)),
    "a bool for an int": ((X, 1), (X, True)),
    "a 0-d array for a number": ((X, 2.0), (X, np.array(2.0))),
    "a NumPy scalar for a number": ((X, 2.0), (X, np.float64(2.0))),
    "a complex number": ((X, 2.0), (X, 2j)),
    "one more": ((X, X), (X, X, X)),
    "one less": ((X, X), (X,)),
    "a Parameter": ((X, X), (nn.Parameter(X), X)),
    "a frozen Parameter": ((X, X), (nn.Parameter(X, requires_grad=False), X)),
    "a leaf": ((X, X), (lucid.Tensor(X, requires_grad=True), X)),
    "another class of arrays": ((X, X), (np.memmap, X)),
}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", OTHERS)
def test_other_arguments_are_told_apart(name: str, executor: str | None, tmp_path: Any) -> None:
    first, second = OTHERS[name]
    fun = lambda *x: sum(x[1:], x[0] * 2)  # noqa: E731
    g = lucid.jit(fun, executor=executor)
    if second[0] is np.memmap:
        kept = np.memmap(tmp_path / "x", np.float64, "w+", shape=(3,))
        kept[:] = X
        second = (kept, X)
    for args in (first, second) * 3:
        want = lucid.asarray(fun(lucid.asarray(args[0]), *args[1:]))
        got = g(*args)
        assert got.requires_grad == want.requires_grad
        check(got.detach(), want.detach())


def test_other_structures_are_told_apart() -> None:
    g = lucid.jit(lambda d, **named: lucid.tree.map(lambda x: x + 1, (d, named)))
    values = [
        *({"a": X}, {"b": X}, {"a": X, "b": X}, {"a": [X]}, {"a": (X,)}, [X], (X,), [], {}, None),
        *(Pair(X, X), Point(X, X), Pair(X, None), Point(X, [X]), collections.OrderedDict(a=X)),
    ]
    for _ in range(3):
        for value in values:
            check(g(value), lucid.tree.map(lambda x: lucid.asarray(x) + 1, (value, {})))
            check(g(value, k=X), (g(value)[0], {"k": lucid.asarray(X + 1)}))
    assert len(g._quick) == 8
    assert len(g._cache) == 2 * len(values)


def test_static_values_are_told_apart() -> None:
    g = lucid.jit(lambda x, k: x * k, static_argnums=1)
    for _ in range(3):
        for value in (1, True, 1.0, 2, np.float32(1)):
            check(g(X, value), X * value)
            check(g(X, k=value), X * value)
    with long_way(allowed=False):
        check(g(X, 2), X * 2)


def test_defaults_and_captures_around_it_are_noticed() -> None:
    g = lucid.jit(lambda x: x * lucid.ones(3))
    x = X.astype(np.float32)
    assert warm(g, x).dtype == np.float64
    with lucid.set_default_dtype(lucid.float32):
        assert warm(g, x).dtype == np.float32
    assert g(x).dtype == np.float64
    outer = lucid.make_graph(lambda x: g(x) + 1)(x)
    assert [n.op.name for n in outer.nodes][-1] == "add"
    check(lucid.vmap(g)(np.stack([X, X])), np.stack([X, X]))
    check(lucid.grad(lambda x: g(x).sum())(X), np.ones(3))


@pytest.mark.parametrize("executor", EXECUTORS)
def test_results_share_nothing_with_what_the_caller_may_write_to(executor: str | None) -> None:
    g = lucid.jit(lambda x, y: (x, x[1:], x.reshape(3, 1), x * 1, y), executor=executor)
    for make in (np.array, lucid.asarray):
        x = X.copy()
        warm(g, x, T)
        with long_way(allowed=False):
            outs = g(x, make(X))
        x[:] = -1
        for y in outs:
            np.testing.assert_array_equal(y.numpy().ravel(), X[3 - y.size :])
    model = nn.Module()
    model.register_buffer("kept", np.zeros(3))

    def keep(x: Any) -> Any:
        model.kept = x
        return x

    h = lucid.jit(keep, executor=executor)
    x = X.copy()
    warm(h, x)
    with long_way(allowed=False):
        h(x)
    x[:] = -1
    check(model.kept, X)


def test_containers_in_containers_in_containers() -> None:
    for depth in (50, 400):
        deep: Any = X
        for k in range(depth):
            deep = [deep] if k % 2 else {"k": deep}
        g = lucid.jit(lambda d: lucid.tree.map(lambda x: x * 2, d))
        for _ in range(3):
            check(lucid.tree.leaves(g(deep)), [2 * X])


def test_what_has_a_short_way_is_not_forgotten() -> None:
    captured: list[int] = []

    def fun(x: Any, n: int) -> Any:
        captured.append(n)
        return x * n

    g = lucid.jit(fun, executor="numpy", static_argnums=1)
    warm(g, X, 0)
    for n in range(1, 200):
        g(X, n)
        with long_way(allowed=False):
            check(g(X, 0), 0 * X)
    assert len(g._cache) == 128
    g._quick = ()
    check(g(X, 0), 0 * X)
    assert captured.count(0) == 1


def test_arrays_of_other_processes() -> None:
    g = lucid.jit(lambda x: x * 2)
    warm(g, X)
    other = pickle.loads(pickle.dumps(X))
    with long_way(allowed=False):
        check(g(other), 2 * X)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_errors_are_those_of_the_long_way(executor: str | None) -> None:
    inv = lucid.jit(lambda d: lucid.linalg.inv(d["a"]), executor=executor)
    warm(inv, {"a": np.eye(2)})
    take = lucid.jit(lambda x, i: x[i], executor=executor)
    warm(take, X, np.array([1]))
    for _ in range(2):
        with pytest.raises(lucid.errors.LinAlgError, match="inv"):
            inv({"a": np.zeros((2, 2))})
        with pytest.raises(IndexError, match="index 7 is out of bounds"):
            take(X, np.array([7]))
    big = lucid.jit(lambda x, n: x * n, executor=executor)
    warm(big, X.astype(int), 2)
    with pytest.raises(lucid.errors.OverflowedError):
        big(X.astype(int), 1 << 70)
    with long_way(allowed=False):
        check(take(X, np.array([2])), X[2:])


def test_keys_are_used_once() -> None:
    def draw(keys: Any, scale: Any) -> Any:
        a, b = lucid.random.split(keys["k"])
        return lucid.random.normal(a, (2,)) * scale, lucid.random.uniform(b)

    g = lucid.jit(draw, executor="numpy")
    new = lucid.random.key
    for n in range(4):
        check(g({"k": new(n)}, 2.0), draw({"k": new(n)}, 2.0))
    k = new(7)
    with long_way(allowed=False):
        g({"k": k}, 2.0)
        with pytest.raises(KeyReusedError, match="used before"):
            g({"k": k}, 2.0)


# -- modules as arguments and results --------------------------------------------------------------


class Block(nn.Module):
    def __init__(self, bias: bool = True) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.inner = nn.Sequential(nn.Linear(3, 3, bias=bias), nn.Tanh())
        self.scale = nn.Parameter(np.ones(3))
        self.factors = [2.0, {"k": 3.0}]
        self.power = 2

    def forward(self, x: Any) -> Any:
        return (self.inner(self.norm(x)) * self.scale) ** self.power * self.factors[0]


def tie(m: Any) -> None:
    m.inner[0].bias = m.scale


def tie_modules(m: Any) -> None:
    m.inner[1] = m.inner[0]


def untrain(m: Any) -> None:
    m.norm.training = False


ALTERED = {
    "a number": lambda m: setattr(m, "power", 3),
    "another type": lambda m: setattr(m, "power", 2.0),
    "a list": lambda m: m.factors.append(1.0),
    "a list in a list": lambda m: m.factors[1].update(k=4.0),
    "one attribute more": lambda m: setattr(m, "more", 1),
    "one attribute less": lambda m: delattr(m, "power") or setattr(m, "other", 1),
    "no parameter": lambda m: setattr(m.inner[0], "bias", None),
    "another parameter": lambda m: setattr(m, "scale", nn.Parameter(np.ones((1, 3)))),
    "another module": lambda m: m.inner.append(nn.Tanh()),
    "another class": lambda m: setattr(m, "norm", nn.Identity()),
    "frozen": lambda m: m.inner.requires_grad_(False),
    "training": untrain,
    "tied": tie,
    "tied modules": tie_modules,
}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", ALTERED)
def test_modules_are_recognised(name: str, executor: str | None) -> None:
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    lucid.random.seed(0)
    model = Block()
    other = copy.deepcopy(model)
    ALTERED[name](other)
    first, second = model.detach(), other.detach()

    def grads(m: Any, x: Any) -> Any:
        power = getattr(m, "power", 1)
        y = m.inner(x) * m.scale * m.factors[1]["k"] * len(m.factors) * len(m.__dict__)
        return m.training, m.norm.training, lucid.grad(lambda m: (m.inner(x) * y).sum() ** power)(m)

    g = lucid.jit(lambda m, x: grads(m, x)[2], executor=executor)
    warm(g, first, x)
    captured = sum(map(len, g._cache.values()))
    with long_way(allowed=False):
        found = g(first, x)
        again = g(found, x)
    assert type(found) is Block
    assert repr(found) == repr(first)
    assert repr(again) == repr(first)
    assert found.factors == [2.0, {"k": 3.0}]
    assert found.factors is not first.factors
    assert found.factors[1] is not again.factors[1]
    found.inner.append(nn.Tanh())
    for _ in range(3):
        want = grads(second, x)[2]
        for a, b in zip(lucid.tree.leaves(g(second, x)), lucid.tree.leaves(want), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)
        result = g(first, x)
        assert len(result.inner) == 2
    assert sum(map(len, g._cache.values())) == captured + 1


def test_a_functional_training_step_is_short() -> None:
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    lucid.random.seed(0)
    rule = optim.adam(0.01)

    def step(model: Any, state: Any, x: Any) -> Any:
        value, grads = lucid.value_and_grad(lambda m: (m(x) ** 2).mean())(model)
        updates, state = rule.update(grads, state, model)
        return optim.apply_updates(model, updates), state, value

    start = Block().detach()
    found = []
    for f in (step, lucid.jit(step, executor="numpy")):
        model, state = start, rule.init(start)
        for k in range(6):
            with long_way(allowed=k < 3):
                model, state, value = f(model, state, x)
        found.append((model, state, value))
        assert isinstance(model, Block)
        model(x)  # it is a whole Module
        model.scale = nn.Parameter(np.zeros(3))
    for a, b in zip(*map(lucid.tree.leaves, found), strict=True):
        np.testing.assert_allclose(
            lucid.asarray(a).detach().numpy(), lucid.asarray(b).detach().numpy(), rtol=1e-12
        )


# -- cells -----------------------------------------------------------------------------------------

Y = np.ones((4, 2))


def trained(executor: str | None = "numpy", **options: Any) -> tuple[Any, Any, Any]:
    lucid.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.2), nn.Tanh(), nn.Linear(4, 2))
    opt = optim.Adam(model.parameters(), lr=0.01, **options)

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        opt.step()
        return loss

    return model, opt, lucid.jit(step, executor=executor) if executor else step


def contents(model: Any, opt: Any) -> list[Any]:
    states = [v for s in opt.state.values() for v in s if v is not None]
    grads = [p.grad for p in model.parameters()]
    return [*model.state_dict().values(), *states, *grads, lucid.random.default_generator.state]


def test_a_training_step_is_short() -> None:
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    found = []
    for executor in (None, "numpy"):
        model, opt, step = trained(executor)
        losses = [step(x, Y) for _ in range(3)]
        with long_way(allowed=executor is None):
            losses += [step(x, Y) for _ in range(3)]
        assert all(type(s.step) is int for s in opt.state.values())
        found.append([*losses, *contents(model, opt)])
    for a, b in zip(*found, strict=True):
        check(lucid.asarray(a).detach(), lucid.asarray(b).detach())


def change_value(model: Any, opt: Any) -> None:
    model[0].weight.data = model[0].weight.data * 2


def change_grad(model: Any, opt: Any) -> None:
    model[0].weight.grad = None


def change_mode(model: Any, opt: Any) -> None:
    model.train(not model.training)


def change_rate(model: Any, opt: Any) -> None:
    opt.param_groups[0]["lr"] = 0.5


def change_rate_to_a_tensor(model: Any, opt: Any) -> None:
    opt.param_groups[0]["lr"] = lucid.asarray(0.5)


def change_option(model: Any, opt: Any) -> None:
    opt.param_groups[0]["betas"] = (0.5, 0.5)


def change_state(model: Any, opt: Any) -> None:
    opt.load_state_dict(opt.state_dict())


def drop_state(model: Any, opt: Any) -> None:
    opt.state.clear()


def freeze(model: Any, opt: Any) -> None:
    model[0].requires_grad_(False)


def replace(model: Any, opt: Any) -> None:
    model[0].bias = None


def convert(model: Any, opt: Any) -> None:
    model.to("float32")
    opt.state.clear()


def drop_parameter(model: Any, opt: Any) -> None:
    opt.param_groups[0]["params"].pop()


CHANGES = [
    *(change_value, change_grad, change_mode, change_rate, change_rate_to_a_tensor, change_option),
    *(change_state, drop_state, freeze, replace, convert, drop_parameter),
]


@pytest.mark.parametrize("change", CHANGES)
def test_changes_outside_are_noticed(change: Any) -> None:
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    found = []
    for executor in (None, "numpy"):
        model, opt, step = trained(executor)
        losses = [step(x, Y) for _ in range(4)]
        change(model, opt)
        losses += [step(x, Y) for _ in range(3)]
        change(model, opt)
        losses.append(step(x, Y))
        found.append([*losses, *contents(model, opt)])
    for a, b in zip(*found, strict=True):
        if a is None:
            assert b is None
        else:
            check(lucid.asarray(a).detach(), lucid.asarray(b).detach())


def test_results_are_recorded_on_the_ambient_tape() -> None:
    model, other = (nn.Linear(3, 2) for _ in range(2))
    other.load_state_dict(model.state_dict())
    f = lucid.jit(lambda x: ((model(x) ** 2).sum(), model(x).detach(), x * 2), executor="numpy")
    x = np.ones((4, 3))
    warm(f, x)
    with long_way(allowed=False):
        loss, *others = f(x)
        x[:] = -7  # the record has an array of its own
        assert loss.requires_grad
        assert not any(y.requires_grad for y in others)
        with lucid.no_grad():
            assert not f(x)[0].requires_grad
    (3 * loss).backward()
    (3 * (other(np.ones((4, 3))) ** 2).sum()).backward()
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        check(p.grad, q.grad)
    model.zero_grad()
    for _ in range(2):  # what is kept for the backward pass, from the second time on
        model.zero_grad()
        f(np.ones((4, 3)))[0].backward()
        check(model.weight.grad * 3, other.weight.grad)
    outer = lucid.grad(lambda k: k * f(np.ones((4, 3)))[0])(2.0)
    check(outer.detach(), (other(np.ones((4, 3))) ** 2).sum().detach())


@pytest.mark.parametrize("executor", EXECUTORS)
def test_backward_outside_is_short_too(executor: str | None) -> None:
    lucid.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    model[2].bias.requires_grad_(False)
    other = copy.deepcopy(model)
    x = np.linspace(-1, 1, 12).reshape(4, 3)

    def loss(m: Any, x: Any, k: Any) -> Any:
        y = m(x)
        return {"loss": (y * y).mean() * k, "y": y, "x": x * k}

    def step(m: Any, out: Any) -> None:
        m.zero_grad()
        ((out["loss"] + out["y"][0].sum()) * 3).backward()
        for p in m.parameters():
            if p.grad is not None:
                p.data = p.data - 0.1 * p.grad

    f = lucid.jit(lambda x, k: loss(model, x, k), executor=executor)
    for n in range(9):
        batch = x + n
        with long_way(allowed=n < 5):
            out = f(batch, 0.5)
            batch[:] = np.nan  # it keeps one of its own
            step(model, out)
        step(other, loss(other, x + n, 0.5))
        assert not out["x"].requires_grad
        for p, q in zip(model.parameters(), other.parameters(), strict=True):
            np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-10)
    with lucid.no_grad():
        assert not f(x, 0.5)["loss"].requires_grad
    model[2].bias.requires_grad_(True)
    for _ in range(4):
        step(model, f(x, 0.5))
        step(other, loss(other, x, 0.5))
    assert model[2].bias.grad is not None


def test_a_result_keeps_no_states_alive() -> None:
    _, opt, step = trained()
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    warm(step, x, Y)
    with long_way(allowed=False):
        losses = [step(x, Y)]
        states = [weakref.ref(m._value) for m in opt.state[0] if isinstance(m, lucid.Tensor)]
        assert len(states) == 2
        losses.append(step(x, Y))
    assert all(r() is None for r in states)
    assert losses[0].requires_grad


@pytest.mark.parametrize("executor", EXECUTORS)
def test_threads_count_every_call(executor: str | None) -> None:
    class Counter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", np.zeros((), np.int64))

        def forward(self, x: Any) -> Any:
            self.count = self.count + 1
            return x + self.count

    model = Counter()
    f = lucid.jit(model, executor=executor)
    x = np.zeros(3)
    gate = threading.Barrier(8)
    seen: list[float] = []

    def work() -> None:
        gate.wait()
        seen.extend([float(f(x)[0]) for _ in range(200)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert int(model.count) == 1600
    assert sorted(seen) == list(range(1, 1601))
