"""Optimisers against PyTorch: ten steps in double precision over drawn options, to 1e-8."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lucid
from lucid import nn, optim
from lucid.errors import DTypeError, OptionError, ShapeError, StateDictError
from lucid.graph.jit import jit

STEPS = 10


@pytest.fixture(scope="module", autouse=True)
def double() -> Iterator[None]:
    """PyTorch keeps NAdam's product of momenta in its default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


NAMES = ["SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop", "NAdam", "RAdam", "Adamax"]
NAMES += ["Adafactor"]

# Schemes of options, drawn by Hypothesis; each object takes those that it has.
SMALL = st.floats(0.001, 0.3)
SHARE = st.floats(0.1, 0.95)
RANGES: dict[str, Any] = {
    "lr": SMALL,
    "momentum": st.sampled_from([0, 0.5, 0.9]),
    "weight_decay": st.sampled_from([0, 0.01, 0.3]),
    "betas": st.tuples(SHARE, st.floats(0.3, 0.999)),
    "eps": st.sampled_from([1e-8, 1e-4, 0.1]),
    "maximize": st.booleans(),
    "amsgrad": st.booleans(),
    "lr_decay": st.sampled_from([0, 0.1]),
    "initial_accumulator_value": st.sampled_from([0, 0.2]),
    "rho": SHARE,
    "alpha": SHARE,
    "centered": st.booleans(),
    "momentum_decay": st.sampled_from([4e-3, 0.1]),
    "decoupled_weight_decay": st.booleans(),
    "beta2_decay": st.floats(-1.5, -0.1),
    "d": st.floats(1.0, 3.0),
}


@st.composite
def configurations(draw: Any, names: Any = NAMES) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(names))
    known = [n for n in inspect.signature(getattr(optim, name)).parameters if n in RANGES]
    chosen = draw(st.sets(st.sampled_from(known)))
    options = {n: draw(RANGES[n]) for n in sorted(chosen)}
    if name == "Adafactor" and "eps" in options:
        options["eps"] = draw(st.sampled_from([(None, 1e-3), (1e-4, 0.1)]))
    if options.get("momentum") and name == "SGD":
        options |= draw(st.sampled_from([{}, {"nesterov": True}, {"dampening": 0.3}]))
    return name, options


def values(seed: int, kind: Any = float) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = [(3, 4), (5,), (), (2, 3, 2)]
    found = [np.asarray(rng.standard_normal(s)) for s in shapes]
    if kind is complex:
        return [x + 1j * rng.standard_normal(x.shape) for x in found]
    return [x.astype(kind) for x in found]


def walk(module: Any, tensor: Any, name: str, options: Any, seed: int, kind: Any = float) -> Any:
    """Take steps with either library's object; the second parameter lacks some gradients."""
    params = [module.Parameter(tensor(x)) for x in values(seed, kind)]
    namespace = optim if module is nn else torch.optim
    optimizer = getattr(namespace, name)(params, **options)
    for k in range(STEPS):
        for i, (p, g) in enumerate(zip(params, values(seed + 1 + k, kind), strict=True)):
            p.grad = None if i == 1 and k % 3 == 0 else tensor(g)
        optimizer.step()
    return params, optimizer


def both(name: str, options: Any, seed: int, kind: Any = float) -> tuple[Any, Any]:
    ours, _ = walk(nn, lucid.Tensor, name, options, seed, kind)
    theirs, _ = walk(torch.nn, torch.tensor, name, options, seed, kind)
    return [p.numpy() for p in ours], [p.detach().numpy() for p in theirs]


@settings(max_examples=120, deadline=None)
@given(configurations(), st.integers(0, 1000))
def test_ten_steps(config: tuple[str, dict[str, Any]], seed: int) -> None:
    for a, b in zip(*both(*config, seed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(configurations(NAMES[:-1]), st.integers(0, 1000))
def test_ten_complex_steps(config: tuple[str, dict[str, Any]], seed: int) -> None:
    for a, b in zip(*both(*config, seed, complex), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(configurations(), st.integers(0, 1000))
def test_single_precision_stays_and_is_near(config: Any, seed: int) -> None:
    name, options = config
    options = {**options, "lr": min(options.get("lr", 0.01), 0.01)}
    single, _ = walk(nn, lucid.Tensor, name, options, seed, np.float32)
    for a in single:
        assert a.dtype == np.float32
        assert np.isfinite(a.numpy()).all()


@settings(max_examples=60, deadline=None)
@given(configurations([*NAMES, "Lion", "LAMB"]), st.integers(0, 1000))
def test_pure_function_is_object(config: Any, seed: int) -> None:
    """Over a pytree at once, with None and without mutation."""
    name, options = config
    if options.pop("decoupled_weight_decay", False) and name != "Adam":
        options["decoupled_weight_decay"] = True
    ours = [nn.Parameter(x) for x in values(seed)]
    optimizer = getattr(optim, name)(ours, **options)
    rule = getattr(optim, name.lower())(**options)
    first = values(seed)
    params: Any = {"a": first[0], "b": [first[1], None, first[2]], "c": first[3]}
    state = rule.init(params)
    for k in range(STEPS):
        g = values(seed + 1 + k)
        for p, x in zip(ours, g, strict=True):
            p.grad = lucid.Tensor(x)
        optimizer.step()
        grads = {"a": g[0], "b": [g[1], None, g[2]], "c": g[3]}
        updates, state = rule.update(grads, state, params)
        params = optim.apply_updates(params, updates)
    assert params["b"][1] is None
    found = [params["a"], params["b"][0], params["b"][2], params["c"]]
    for a, p in zip(found, ours, strict=True):
        np.testing.assert_array_equal(a.numpy(), p.numpy())


@pytest.mark.parametrize("name", [*NAMES, "LBFGS", "Muon"])
def test_signatures(name: str) -> None:
    """Names, order and defaults of arguments are PyTorch's."""

    def shown(kind: Any) -> list[Any]:
        found = inspect.signature(kind.__init__).parameters.values()
        return [(p.name, p.default) for p in found if p.kind is not p.KEYWORD_ONLY]

    def named(kind: Any) -> dict[str, Any]:
        found = inspect.signature(kind.__init__).parameters.values()
        return {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY}

    ours, theirs = getattr(optim, name), getattr(torch.optim, name)
    assert shown(ours) == shown(theirs)
    assert named(ours) == named(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_state_from_pytorch(name: str) -> None:
    """A state dict of PyTorch's, its tensors as arrays, goes on where it was; ours likewise."""
    options = {"weight_decay": 0.1} | ({"momentum": 0.9} if name in ("SGD", "RMSprop") else {})
    theirs, old = walk(torch.nn, torch.tensor, name, options, 0)
    saved = copy.deepcopy(old.state_dict())
    numbers = {
        k: {n: v.numpy() if isinstance(v, torch.Tensor) else v for n, v in s.items()}
        for k, s in saved["state"].items()
    }
    ours = [nn.Parameter(p.detach().numpy()) for p in theirs]
    again = [nn.Parameter(p.detach().numpy()) for p in theirs]
    one = getattr(optim, name)(ours)
    one.load_state_dict({"state": numbers, "param_groups": saved["param_groups"]})
    two = getattr(optim, name)(again)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    for seed in (50, 51):
        for p, q, r, g in zip(ours, again, theirs, values(seed), strict=True):
            p.grad, q.grad, r.grad = lucid.Tensor(g), lucid.Tensor(g), torch.tensor(g)
        for optimizer in (one, two, old):
            optimizer.step()
    for p, q, r in zip(ours, again, theirs, strict=True):
        np.testing.assert_allclose(p.numpy(), r.detach().numpy(), rtol=1e-6, atol=1e-8)
        np.testing.assert_array_equal(p.numpy(), q.numpy())


# -- Muon ------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "lr": SMALL,
            "weight_decay": st.sampled_from([0, 0.3]),
            "momentum": SHARE,
            "nesterov": st.booleans(),
            "ns_steps": st.integers(0, 6),
            "ns_coefficients": st.just((2.0, -1.5, 0.5)),
            "adjust_lr_fn": st.sampled_from([None, "original", "match_rms_adamw"]),
        },
    ),
    st.integers(0, 1000),
)
def test_muon(options: dict[str, Any], seed: int) -> None:
    """PyTorch iterates in bfloat16; told not to, it takes the same steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
        rng = np.random.default_rng(seed)
        first = [rng.standard_normal(s) for s in ((3, 5), (4, 2), (1, 1))]
        ours = [nn.Parameter(x) for x in first]
        theirs = [torch.nn.Parameter(torch.tensor(x)) for x in first]
        a, b = optim.Muon(ours, **options), torch.optim.Muon(theirs, **options)
        for _ in range(STEPS):
            for p, q in zip(ours, theirs, strict=True):
                g = rng.standard_normal(p.shape)
                p.grad, q.grad = lucid.Tensor(g), torch.tensor(g)
            a.step()
            b.step()
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-8, atol=1e-8)


# -- L-BFGS ----------------------------------------------------------------------------------------


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quartic(x: Any) -> Any:
    return ((x - 1) ** 4).sum() + (x * x).sum() * 0.1


def far(z: Any) -> Any:
    return ((z - (1 + 2j)) * (z - (1 + 2j)).conj()).real.sum() + ((z * z).real ** 2).sum() * 0.1


def closures(module: Any, tensor: Any, function: Any, start: Any, options: Any) -> Any:
    p = module.Parameter(tensor(start))
    namespace = optim if module is nn else torch.optim
    optimizer = namespace.LBFGS([p], **options)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = function(p)
        loss.backward()
        return loss

    return p, optimizer, closure


LBFGS = st.fixed_dictionaries(
    {"lr": st.sampled_from([0.01, 0.1, 1]), "max_iter": st.integers(1, STEPS // 2)},
    optional={
        "max_eval": st.integers(2, 30),
        "history_size": st.integers(1, 5),
        "tolerance_grad": st.sampled_from([1e-7, 1e-3]),
        "tolerance_change": st.sampled_from([1e-9, 1e-4]),
    },
)


@settings(max_examples=60, deadline=None)
@given(
    LBFGS,
    st.sampled_from([None, "strong_wolfe"]),
    st.sampled_from([rosenbrock, quartic, far]),
    st.integers(0, 1000),
)
def test_lbfgs(options: Any, search: Any, function: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = rng.uniform(-1.5, 1.5, 4)
    if function is far:
        start = start + 1j * rng.uniform(-1.5, 1.5, 4)
    if search is None:
        options = {**options, "lr": min(options["lr"], 0.01)}
    args = (function, start, {**options, "line_search_fn": search})
    p, ours, a = closures(nn, lucid.Tensor, *args)
    q, theirs, b = closures(torch.nn, torch.tensor, *args)
    for _ in range(2):
        first = ours.step(a).item()
        assert first == pytest.approx(theirs.step(b).item(), rel=1e-8, abs=1e-12)
    scale = max(1.0, float(np.abs(p.numpy()).max()))
    np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-7, atol=1e-7 * scale)
    mine, other = ours.state[0], theirs.state[q]
    assert (mine.func_evals, mine.n_iter) == (other["func_evals"], other["n_iter"])


def test_lbfgs_state_goes_on() -> None:
    args = (rosenbrock, np.array([-1.2, 1.0]), {"max_iter": 5, "line_search_fn": "strong_wolfe"})
    q, theirs, b = closures(torch.nn, torch.tensor, *args)
    theirs.step(b)
    saved = theirs.state_dict()
    p, ours, a = closures(nn, lucid.Tensor, rosenbrock, q.detach().numpy(), {})
    state = {
        n: [np.asarray(x) for x in v] if isinstance(v, list) and n != "al" else v
        for n, v in saved["state"][0].items()
    }
    ours.load_state_dict({"state": {0: state}, "param_groups": saved["param_groups"]})
    r, again, c = closures(nn, lucid.Tensor, rosenbrock, q.detach().numpy(), {})
    again.load_state_dict(copy.deepcopy(ours.state_dict()))
    for optimizer, closure in ((theirs, b), (ours, a), (again, c)):
        optimizer.step(closure)
    np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-8)
    np.testing.assert_array_equal(p.numpy(), r.numpy())
    assert ours.state[0].n_iter == theirs.state[q]["n_iter"]


@pytest.mark.parametrize("history", [1, 3])
def test_pure_lbfgs_is_the_object_without_search(history: int) -> None:
    start = np.array([-1.2, 1.0, 0.5])
    args = (quartic, start, {"lr": 0.1, "max_iter": 1, "history_size": history})
    q, theirs, b = closures(torch.nn, torch.tensor, *args)
    rule, params = optim.lbfgs(0.1, history), {"x": start[:2], "none": None, "y": start[2:]}
    state = rule.init(params)

    def loss(params: Any) -> Any:
        return quartic(lucid.concat([params["x"], params["y"]]))

    for _ in range(STEPS):
        theirs.step(b)
        updates, state = rule.update(lucid.grad(loss)(params), state, params)
        params = optim.apply_updates(params, updates)
        found = np.concatenate([np.asarray(params["x"]), np.asarray(params["y"])])
        np.testing.assert_allclose(found, q.detach().numpy(), rtol=1e-10)


# -- papers ----------------------------------------------------------------------------------------


def lion_by_the_paper(p: Any, gs: Any, lr: float, b1: float, b2: float, decay: float) -> Any:
    m = np.zeros_like(p)
    for g in gs:
        c = b1 * m + (1 - b1) * g
        p = p - lr * (np.sign(c) + decay * p)
        m = b2 * m + (1 - b2) * g
    return p


def lamb_by_the_paper(
    p: Any, gs: Any, lr: float, b1: float, b2: float, eps: float, decay: float
) -> Any:
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(gs, 1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        r = (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps) + decay * p
        x, y = np.linalg.norm(p), np.linalg.norm(r)
        p = p - lr * (x / y if x > 0 and y > 0 else 1.0) * r
    return p


@settings(max_examples=30, deadline=None)
@given(SMALL, st.tuples(SHARE, SHARE), st.sampled_from([0, 0.1]), st.integers(0, 1000))
def test_papers(lr: float, betas: tuple[float, float], decay: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = rng.standard_normal((3, 4)) * (seed % 5 > 0)  # zero parameters now and then
    gs = list(rng.standard_normal((STEPS, 3, 4)))
    for kind, want in (
        (optim.Lion, lion_by_the_paper(start, gs, lr, *betas, decay)),
        (optim.LAMB, lamb_by_the_paper(start, gs, lr, *betas, 1e-6, decay)),
    ):
        p = nn.Parameter(start)
        optimizer = kind([p], lr=lr, betas=betas, weight_decay=decay)
        for g in gs:
            p.grad = lucid.Tensor(g)
            optimizer.step()
        np.testing.assert_allclose(p.numpy(), want, rtol=1e-8, atol=1e-10)


# -- errors ----------------------------------------------------------------------------------------

p1 = nn.Parameter(np.ones(2))
p2 = nn.Parameter(np.ones((2, 2)))
z2 = nn.Parameter(np.ones((2, 2), complex))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: optim.Adagrad([p1], lr_decay=-1), OptionError, "adagrad: expected a lr_decay"),
        (lambda: optim.Adadelta([p1], rho=1.5), OptionError, r"adadelta: expected a rho in \[0, 1"),
        (lambda: optim.RMSprop([p1], alpha=-1), OptionError, "rmsprop: expected a alpha"),
        (lambda: optim.NAdam([p1], betas=(1, 0)), OptionError, "nadam: expected betas"),
        (lambda: optim.RAdam([p1], betas=(0, 1)), OptionError, "radam: expected betas"),
        (lambda: optim.Adamax([p1], lr=-1), OptionError, "adamax: expected a lr"),
        (lambda: optim.Lion([p1], betas=(0, 1)), OptionError, "lion: expected betas"),
        (lambda: optim.LAMB([p1], eps=-1), OptionError, "lamb: expected a eps"),
        (lambda: optim.Adafactor([p1], beta2_decay=1), OptionError, "a beta2_decay of at most 0"),
        (lambda: optim.Adafactor([p1], d=0.5), OptionError, "a d of at least 1, got 0.5"),
        (lambda: optim.Adafactor([z2]), DTypeError, "adafactor: expected real parameters"),
        (lambda: optim.Muon([p1]), ShapeError, r"muon: .*shape \(2,\); .*optim.multi_transform"),
        (lambda: optim.Muon([z2]), DTypeError, "muon: expected real parameters"),
        (lambda: optim.Muon([p2], ns_steps=100), OptionError, "ns_steps from 0 to 99"),
        (lambda: optim.Muon([p2], ns_coefficients=(1, 2)), OptionError, "three"),  # type: ignore[arg-type]
        (lambda: optim.Muon([p2], adjust_lr_fn="x"), OptionError, 'None, "original" or'),
        (lambda: optim.LBFGS([p1], line_search_fn="x"), OptionError, 'None or "strong_wolfe"'),
        (lambda: optim.LBFGS([{"params": p1}, {"params": p2}]), OptionError, "one group"),
        (lambda: optim.LBFGS([p1]).step(), OptionError, "LBFGS.step: expected a closure, got none"),
        (lambda: optim.lbfgs(history_size=0), OptionError, "a positive history_size"),
        (
            lambda: optim.LBFGS([p1]).load_state_dict(
                {"state": {0: {"d": np.ones(3)}}, "param_groups": [{"params": [0]}]}
            ),
            StateDictError,
            r"vectors of 2 numbers, got shape \(3,\)",
        ),
        (
            lambda: optim.LBFGS([p1]).load_state_dict(
                {"state": {0: {"mu": 1}}, "param_groups": [{"params": [0]}]}
            ),
            StateDictError,
            "a state with func_evals, .*, got mu",
        ),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


# -- under jit -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, "Lion", "LAMB", "Muon"])
def test_compiled_steps(name: str) -> None:
    """One capture serves all steps, whatever the step and the learning rate."""
    x = np.random.default_rng(0).standard_normal((4, 3))
    captures: list[str] = []

    def make() -> tuple[Any, Any, Any]:
        lucid.random.seed(0)
        model = nn.Linear(3, 2, bias=name != "Muon")
        optimizer = getattr(optim, name)(model.parameters(), lr=0.05)
        return model, optimizer, optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

    def train(model: Any, optimizer: Any) -> None:
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        optimizer.step()

    (one, compiled, first), (two, eager, second) = make(), make()

    @jit
    def step() -> None:
        captures.append(name)
        train(one, compiled)

    for _ in range(STEPS):
        step()
        train(two, eager)
        first.step()
        second.step()
        np.testing.assert_allclose(one.weight.numpy(), two.weight.numpy(), rtol=1e-8, atol=1e-10)
    assert captures == [name]
    eager.load_state_dict(compiled.state_dict())
