"""What a compiled function reads and writes: parameters, gradients, buffers, optimisers, keys."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import nn, optim
from lucid.errors import GraphError

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 3))
Y = rng.normal(size=(8, 1))


def jit(fun: Any) -> Any:
    return lucid.jit(fun, executor="numpy")


class Net(nn.Module):
    """A small model with state of every kind."""

    def __init__(self, p: float = 0.0, norm: bool = False) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4) if norm else None
        self.drop = nn.Dropout(p)
        self.second = nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        h = lucid.tanh(self.first(x))
        if self.norm is not None:
            h = self.norm(h)
        return self.second(self.drop(h))


def models(**options: Any) -> tuple[Net, Net]:
    lucid.random.seed(0)
    one = Net(**options)
    return one, copy.deepcopy(one)


def state(module: Any) -> list[Any]:
    return [v.numpy().copy() for v in module.state_dict().values()]


def same(a: Any, b: Any) -> None:
    for x, y in zip(a, b, strict=True):
        x, y = (v.numpy() if isinstance(v, lucid.Tensor) else np.asarray(v) for v in (x, y))
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


def captures(jitted: Any) -> int:
    return sum(map(len, jitted._cache.values()))


def stepper(model: Any, opt: Any) -> Any:
    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        opt.step()
        return loss

    return step


OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=1e-3),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, maximize=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_imperative_step_is_eager_to_the_bit(name: str, dtype: str) -> None:
    one, two = models(p=0.3)
    one.to(dtype), two.to(dtype)
    x, y = X.astype(dtype), Y.astype(dtype)
    losses: list[list[Any]] = []
    for model, wrap in ((one, lambda f: f), (two, jit)):
        lucid.random.seed(1)
        opt = OPTIMIZERS[name](model.parameters())
        step = wrap(stepper(model, opt))
        losses.append([step(x, y).numpy() for _ in range(20)])
        losses[-1] += [np.asarray(v) for s in opt.state.values() for v in s if v is not None]
        assert all(type(s.step) is int and s.step == 20 for s in opt.state.values())
        losses[-1] += [p.grad.numpy() for p in model.parameters()]
        if wrap is jit:
            assert captures(step) == 1
    same(*losses)
    same(state(one), state(two))


def test_running_statistics_in_a_compiled_step() -> None:
    one, two = models(norm=True)
    eager = stepper(one, optim.SGD(one.parameters(), lr=0.1))
    compiled = jit(stepper(two, optim.SGD(two.parameters(), lr=0.1)))
    for _ in range(5):
        eager(X, Y), compiled(X, Y)
    assert two.norm.num_batches_tracked == 5
    for a, b in zip(state(one), state(two), strict=True):  # the rules for plain arrays round apart
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("way", ["grad", "jvp", "lambda"])
def test_running_statistics_are_constants_to_derivatives_of_a_compiled_function(way: str) -> None:
    one, two = (nn.BatchNorm1d(3) for _ in range(2))
    eager = lambda x: (one(x) ** 3).sum()  # noqa: E731
    compiled = jit(lambda x: (two(x) ** 3).sum())
    for f in (eager, compiled):
        if way == "jvp":
            lucid.jvp(f, (X,), (X,))
        else:
            lucid.grad(f if way == "grad" else lambda x, f=f: f(x))(X)
    assert not two.running_mean.requires_grad
    for a, b in zip(state(one), state(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    x = lucid.Tensor(X, requires_grad=True)
    outs = jit(lambda x: (x * 2, x.detach() * 2, lucid.floor(x)))(x)
    assert [y.requires_grad for y in outs] == [True, False, False]


def test_a_compiled_step_goes_on_where_eager_stopped_and_back() -> None:
    one, two = models()
    opts = [optim.Adam(m.parameters(), lr=0.01) for m in (one, two)]
    eager, other = stepper(one, opts[0]), stepper(two, opts[1])
    compiled = jit(other)
    for k in range(9):
        eager(X, Y)
        (compiled if k % 3 else other)(X, Y)
    same(state(one), state(two))
    saved = opts[1].state_dict()
    opts[1].load_state_dict(saved)
    eager(X, Y), compiled(X, Y)
    same(state(one), state(two))


def test_a_schedule_takes_effect_without_another_capture() -> None:
    one, two = models()
    steps = []
    for model, wrap in ((one, lambda f: f), (two, jit)):
        opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
        sched = optim.lr_scheduler.StepLR(opt, 2, 0.5)
        step = wrap(stepper(model, opt))
        for _ in range(6):
            step(X, Y)
            sched.step()
        steps.append(step)
    same(state(one), state(two))
    assert captures(steps[1]) == 1
    with pytest.raises(GraphError, match=r"StepLR\.step: expected a call outside"):
        jit(lambda: sched.step())()


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_numbers_that_a_schedule_moves_become_cells(name: str) -> None:
    one, two = models()
    steps = []
    for model, wrap in ((one, lambda f: f), (two, jit)):
        opt = OPTIMIZERS[name](model.parameters())
        sched = optim.lr_scheduler.OneCycleLR(opt, 0.1, total_steps=12)
        step = wrap(stepper(model, opt))
        for _ in range(10):
            step(X, Y)
            sched.step()
        steps.append(step)
    same(state(one), state(two))
    assert captures(steps[1]) == 2


def test_a_learning_rate_can_be_set_inside() -> None:
    one, two = models()
    for model, wrap in ((one, lambda f: f), (two, jit)):
        opt = optim.SGD(model.parameters(), lr=0.1)
        inner = stepper(model, opt)

        def step(x: Any, y: Any, opt: Any = opt, inner: Any = inner) -> Any:
            loss = inner(x, y)
            for group in opt.param_groups:
                group["lr"] = group["lr"] * 0.5
            return loss

        run = wrap(step)
        for _ in range(4):
            run(X, Y)
        assert opt.param_groups[0]["lr"] == 0.1 / 16
        assert type(opt.param_groups[0]["lr"]) is float
    same(state(one), state(two))

    def change() -> None:
        opt.param_groups[0]["momentum"] = 0.5

    with pytest.raises(GraphError, match="whose 'momentum' it sets"):
        jit(change)()


def test_an_option_is_a_guard() -> None:
    one, two = models()
    opts = [optim.SGD(m.parameters(), lr=0.1, momentum=0.5) for m in (one, two)]
    eager, compiled = stepper(one, opts[0]), jit(stepper(two, opts[1]))
    for _ in range(2):
        eager(X, Y), compiled(X, Y)
    for opt in opts:
        opt.param_groups[0]["weight_decay"] = 0.1
    eager(X, Y), compiled(X, Y)
    same(state(one), state(two))
    assert "'weight_decay'" in lucid.debug.explain_retrace(compiled)


def test_a_functional_step_is_eager_to_the_bit() -> None:
    one, two = (m.detach() for m in models())
    rule = optim.adam(0.01)

    def loss(model: Any, x: Any, y: Any) -> Any:
        return ((model(x) - y) ** 2).mean()

    def step(model: Any, s: Any, x: Any, y: Any) -> Any:
        value, grads = lucid.value_and_grad(loss)(model, x, y)
        updates, s = rule.update(grads, s, model)
        return optim.apply_updates(model, updates), s, value

    compiled = jit(step)
    s1, s2 = rule.init(one), rule.init(two)
    for _ in range(10):
        one, s1, a = step(one, s1, X, Y)
        two, s2, b = compiled(two, s2, X, Y)
        same([a], [b])
    same(state(one), state(two))


def test_training_and_evaluation() -> None:
    one, two = models(p=0.5, norm=True)
    predict = jit(two)
    lucid.random.seed(3)
    one(X)
    wants = [one(X).numpy(), one.eval()(X).numpy(), one.train()(X).numpy()]
    lucid.random.seed(3)
    predict(X)
    same(wants, [predict(X).numpy(), two.eval() and predict(X), two.train() and predict(X)])
    assert captures(predict) == 2
    same(state(one), state(two))


def test_dropout_draws_anew_and_as_eager_does() -> None:
    model = nn.Dropout(0.5)
    f = jit(model)
    x = np.ones(50)
    lucid.random.seed(7)
    wants = [model(x).numpy() for _ in range(4)]
    after = lucid.random.default_generator.state
    lucid.random.seed(7)
    same(wants, [f(x) for _ in range(4)])
    same([after], [lucid.random.default_generator.state])
    assert not np.array_equal(wants[0], wants[1])
    model.p = 0.1
    lucid.random.seed(7)
    a = f(x).numpy()
    lucid.random.seed(7)
    same([a], [model(x)])


def test_generators_of_ones_own() -> None:
    g, h = lucid.random.Generator(5), lucid.random.Generator(5)
    f = jit(lambda: g.normal((3,)))
    for _ in range(3):
        same([f()], [h.normal((3,))])

    @jit
    def inside() -> Any:
        return lucid.random.Generator(1).normal((2,))

    same([inside()], [inside()])
    jit(lambda: g.seed(9))()
    h.seed(9)
    same([g.normal(())], [h.normal(())])


def test_frozen_parameters() -> None:
    one, two = models()
    opts = [optim.SGD(m.parameters(), lr=0.1) for m in (one, two)]
    eager, compiled = stepper(one, opts[0]), jit(stepper(two, opts[1]))
    for _ in range(2):
        eager(X, Y), compiled(X, Y)
    for m in (one, two):
        m.first.requires_grad_(False)
    eager(X, Y), compiled(X, Y)
    same(state(one), state(two))
    assert two.first.weight.grad is None
    assert "'requires_grad'" in lucid.debug.explain_retrace(compiled)


def test_a_replaced_parameter_or_module() -> None:
    _, model = models()
    f = jit(model)
    f(X)
    model.first.weight = nn.Parameter(np.zeros((4, 3)))
    same([f(X)], [model(X)])
    model.second = nn.Linear(4, 2)
    same([f(X)], [model(X)])
    model.extra = 1  # changes nothing that was read
    f(X)
    assert captures(f) == 3


def test_containers_and_lists_of_modules() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    f = jit(model)
    same([f(X)], [model(X)])
    model.append(nn.Linear(3, 2))
    same([f(X)], [model(X)])
    del model[1]
    same([f(X)], [model(X)])

    class Steps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factors = [1.0, 2.0]

        def forward(self, x: Any) -> Any:
            for k in self.factors:
                x = x * k
            return x

    steps = Steps()
    g = jit(steps)
    same([g(X)], [2 * X])
    steps.factors.append(3.0)
    same([g(X)], [6 * X])


def test_tied_parameters() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
            self.b.weight = self.a.weight

        def forward(self, x: Any) -> Any:
            return self.b(lucid.tanh(self.a(x))).sum(axis=1, keepdims=True)

    one = Tied()
    two = copy.deepcopy(one)
    assert two.b.weight is two.a.weight
    eager = stepper(one, optim.SGD(one.parameters(), lr=0.1, momentum=0.5))
    step = jit(stepper(two, optim.SGD(two.parameters(), lr=0.1, momentum=0.5)))
    for _ in range(3):
        eager(X, Y), step(X, Y)
    same(state(one), state(two))


def test_backward_outside_of_a_jitted_loss() -> None:
    one, two = models()
    loss = jit(lambda x, y: ((two(x) - y) ** 2).mean())
    for _ in range(3):  # the second time the forward pass keeps what the backward one needs
        ((one(X) - Y) ** 2).mean().backward()
        loss(X, Y).backward()
    same([p.grad for p in one.parameters()], [p.grad for p in two.parameters()])


def test_values_without_history_have_none_in_a_compiled_function_either() -> None:
    p = nn.Parameter([1.0, 2.0])
    x = lucid.Tensor([3.0, 4.0], requires_grad=True)

    def f(x: Any) -> Any:
        with lucid.no_grad():
            t = p * x
        return (t * p + p.data * x + x.detach()).sum()

    compiled = jit(f)
    f(x).backward()
    wants = [p.grad, x.grad]
    for _ in range(3):
        p.grad = x.grad = None
        compiled(x).backward()
        same(wants, [p.grad, x.grad])
    same([lucid.grad(f)([3.0, 4.0][0])], [lucid.grad(compiled)(3.0)])
    assert not jit(lambda: p.data * 2)().requires_grad


@pytest.mark.parametrize("when", ["tracing", "running"])
def test_an_exception_writes_nothing(when: str) -> None:
    model = Net(norm=True)
    opt = optim.Adam(model.parameters(), lr=0.01)
    step = stepper(model, opt)
    generator = lucid.random.default_generator
    step(X, Y)
    table = lucid.asarray([1.0, 2.0])

    @jit
    def broken(x: Any, y: Any, k: Any) -> Any:
        loss = step(x, y)
        lucid.random.default_generator.normal(())
        for group in opt.param_groups:
            group["lr"] = group["lr"] * 2
        if when == "tracing":
            raise RuntimeError("on purpose")
        return loss + lucid.linalg.cholesky(lucid.full((2, 2), k)).sum() + table.sum()

    before = (state(model), [p.grad.numpy() for p in model.parameters()], generator.state.numpy())
    options = copy.deepcopy(opt.state_dict())
    error: Any = RuntimeError if when == "tracing" else lucid.errors.LinAlgError
    for _ in range(2):
        with pytest.raises(error):
            broken(X, Y, -1.0)
    same(before[0], state(model))
    same(before[1], [p.grad for p in model.parameters()])
    same([before[2]], [generator.state])
    assert repr(options) == repr(opt.state_dict())


def test_effects_that_would_happen_once_raise() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def forward(self, x: Any) -> Any:
            self.count += 1
            return x

    model = Counting()
    with pytest.raises(GraphError, match=r"Counting\.count: .*'count'.*register_buffer"):
        jit(model)(X)
    assert model.count == 0
    with pytest.raises(GraphError, match="'weight'"):
        jit(lambda: setattr(model, "weight", nn.Parameter([1.0])))()
    with pytest.raises(GraphError, match="'count'"):
        jit(lambda: delattr(model, "count"))()
    with pytest.raises(GraphError, match="'dtype'"):
        jit(lambda: model.to("float32"))()
    p = nn.Parameter([1.0])
    with pytest.raises(GraphError, match=r"Parameter\.requires_grad"):
        jit(lambda: p.requires_grad_(False))()
    with pytest.raises(GraphError, match="a conversion to"):
        jit(lambda: p.recast("float32"))()
    jit(lambda: model.train())()  # which it is: nothing changes
    with pytest.raises(GraphError, match="'training'"):
        jit(lambda: model.eval())()


def test_what_is_made_inside_may_change() -> None:
    @jit
    def f(x: Any) -> Any:
        layer = nn.Linear(3, 2)
        layer.note = 1
        layer.register_buffer("seen", np.zeros(()))
        layer.seen = layer.seen + 1
        p = nn.Parameter(np.ones(3))
        p.data = p.data + x
        (p * p).sum().backward()
        return layer(x), p.grad, layer.seen

    lucid.random.seed(0)
    a, grad, seen = f(X[0])
    b, _, again = f(X[0])
    assert not np.array_equal(a.numpy(), b.numpy())  # drawn anew
    same([grad, seen, again], [2 * (1 + X[0]), 1.0, 1.0])
    assert captures(f) == 1


def test_buffers() -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("total", np.zeros(3))
            self.register_buffer("count", np.zeros((), np.int64))
            self.register_buffer("last", None)

        def forward(self, x: Any) -> Any:
            self.total = self.total + x
            self.count = self.count + 1
            self.last = lucid.asarray(x)
            return self.total / self.count

    one, two = Mean(), Mean()
    f = jit(two)
    for x in X:
        same([one(x)], [f(x)])
    same(state(one), state(two))
    assert captures(f) == 1  # `last` is written, never read
    saved = one.state_dict()
    two.load_state_dict(saved)
    jit(lambda: two.load_state_dict(saved))()
    same(state(one), state(two))


def test_methods_see_the_state_of_their_module() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(np.ones(3))
            self.register_buffer("calls", np.zeros(()))

        @lucid.jit
        def forward(self, x: Any) -> Any:
            self.calls = self.calls + 1
            return (self.weight * x).sum()

    model = Model()
    model(X[0])
    model(X[0]).backward()
    same([model.calls, model.weight.grad], [2.0, X[0]])
    other = Model()
    other(X[1])
    same([model.calls, other.calls], [2.0, 1.0])


def test_modules_as_arguments_are_values() -> None:
    one, _ = models(norm=True)
    f = jit(lambda m, x: m(x))
    want = copy.deepcopy(one)(X)
    before = state(one)
    same([want], [f(one, X)])
    same(before, state(one))
    one = one.detach()  # no ambient tape: eager then computes on plain arrays, as the graph does
    g = jit(lucid.grad(lambda m, x: (m(x) ** 2).sum()))
    w = lucid.grad(lambda m, x: (m(x) ** 2).sum())(one, X)
    same(state(w), state(g(one, X)))
