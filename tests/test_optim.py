"""Optimisers and schedules: the objects against PyTorch, the pure functions against the objects."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import lucid
from lucid import functional, nn, optim, tree
from lucid.errors import OperandError, OptionError, ShapeError, StateDictError
from lucid.optim import lr_scheduler, schedule

STEPS = 12


def start(seed: int = 0) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((3, 4)), rng.standard_normal(4), np.asarray(rng.standard_normal())]


def gradients(step: int) -> list[np.ndarray[Any, Any]]:
    return start(100 + step)


def trajectory(make: Any, options: dict[str, Any], steps: int = STEPS) -> list[Any]:
    """Take steps with an optimiser object; some steps leave a parameter without gradient."""
    params = [nn.Parameter(x) for x in start()]
    optimizer = make(params, **options)
    for k in range(steps):
        for i, (p, g) in enumerate(zip(params, gradients(k), strict=True)):
            p.grad = None if i == 1 and k % 3 == 0 else lucid.Tensor(g)
        optimizer.step()
    return [p.numpy() for p in params]


def torch_trajectory(make: Any, options: dict[str, Any], steps: int = STEPS) -> list[Any]:
    params = [torch.nn.Parameter(torch.tensor(x)) for x in start()]
    optimizer = make(params, **options)
    for k in range(steps):
        for i, (p, g) in enumerate(zip(params, gradients(k), strict=True)):
            p.grad = None if i == 1 and k % 3 == 0 else torch.tensor(g)
        optimizer.step()
    return [p.detach().numpy() for p in params]


CASES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.05, "maximize": True}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_trajectory(name: str, options: dict[str, Any]) -> None:
    ours = trajectory(getattr(optim, name), options)
    theirs = torch_trajectory(getattr(torch.optim, name), options)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def pure(name: str, options: dict[str, Any]) -> Any:
    return getattr(optim, name.lower())(**options)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_pure_functions(name: str, options: dict[str, Any]) -> None:
    """The same numbers as PyTorch over a pytree, and nothing is changed in place."""
    rule = pure(name, options)
    params: Any = {"a": start()[0], "b": [start()[1], start()[2]]}
    state = rule.init(params)
    theirs = [torch.nn.Parameter(torch.tensor(x)) for x in start()]
    optimizer = getattr(torch.optim, name)(theirs, **options)
    for k in range(STEPS):
        grads = dict(zip("ab", (gradients(k)[0], gradients(k)[1:]), strict=True))
        kept = [np.array(x) for x in tree.leaves((grads, state, params))]
        before = (grads, state, params)
        updates, state = rule.update(grads, state, params)
        params = optim.apply_updates(params, updates)
        for x, y in zip(tree.leaves(before), kept, strict=True):
            np.testing.assert_array_equal(np.asarray(x), y)
        for p, g in zip(theirs, gradients(k), strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
    for a, b in zip(tree.leaves(params), theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-13)
    assert int(state.step) == STEPS


def test_single_precision_stays_single() -> None:
    for name, options in CASES:
        params = {"w": np.ones(3, np.float32)}
        rule = pure(name, options)
        updates, state = rule.update({"w": np.ones(3, np.float32)}, rule.init(params), params)
        kinds = {x.dtype for x in tree.leaves((updates, *state[1:]))}
        assert kinds == {np.dtype(np.float32)}
        assert optim.apply_updates(params, updates)["w"].dtype == np.float32


def test_complex_parameters() -> None:
    for name, options in [CASES[2], CASES[8], CASES[10]]:
        z, g = np.array([1 + 2j, -3j]), np.array([0.5 - 1j, 2 + 0.1j])
        p, q = nn.Parameter(z), torch.nn.Parameter(torch.tensor(z))
        ours, theirs = getattr(optim, name)([p], **options), None
        theirs = getattr(torch.optim, name)([q], **options)
        for _ in range(3):
            p.grad, q.grad = lucid.Tensor(g), torch.tensor(g)
            ours.step()
            theirs.step()
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-12)


# -- pure functions --------------------------------------------------------------------------------


def quadratic(params: Any) -> Any:
    return (params["w"] ** 2).sum() + (params["b"] - 1) ** 2


def test_differentiate_through_steps() -> None:
    """The derivative by the learning rate, by forward and by central differences."""

    def after(rate: Any) -> Any:
        rule = optim.adam(rate)
        params: Any = {"w": lucid.asarray([1.0, -2.0]), "b": lucid.asarray(0.5)}
        state = rule.init(params)
        for _ in range(3):
            updates, state = rule.update(lucid.grad(quadratic)(params), state, params)
            params = optim.apply_updates(params, updates)
        return quadratic(params)

    slope = lucid.grad(after)(0.1).item()
    h = 1e-5
    want = (after(0.1 + h).item() - after(0.1 - h).item()) / (2 * h)
    assert slope == pytest.approx(want, rel=1e-8)
    assert lucid.jvp(after, (0.1,), (1.0,))[1].item() == pytest.approx(slope)
    rates = np.array([0.05, 0.1])
    each = lucid.vmap(after)(rates).numpy()
    np.testing.assert_allclose(each, [after(r).item() for r in rates])


def test_the_tape_does_not_follow_a_step() -> None:
    """A training loop over a Module in the pure style keeps no history."""
    model: Any = nn.Linear(2, 1)
    rule = optim.momentum(0.01)
    state = rule.init(model)
    x = np.ones((4, 2))
    for _ in range(3):
        grads = lucid.grad(lambda m: functional.mse_loss(m(x), 1.0))(model)
        updates, state = rule.update(grads, state, model)
        model = optim.apply_updates(model, updates)
    assert not any(leaf.requires_grad for leaf in tree.leaves((model, state.momentum_buffer)))


def test_buffers_and_frozen_parameters_stay() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(np.ones(2))
            self.frozen = nn.Parameter(np.ones(2), requires_grad=False)
            self.register_buffer("shift", np.ones(2))

        def forward(self, x: Any) -> Any:
            return ((self.w * self.frozen + self.shift) * x).sum()

    model: Any = Model()
    rule = optim.adamw(0.1, weight_decay=0.5)
    state = rule.init(model)
    for _ in range(2):
        grads = lucid.grad(lambda m: m(np.ones(2)))(model)
        updates, state = rule.update(grads, state, model)
        model = optim.apply_updates(model, updates)
    assert type(model) is Model
    assert (model.w != 1).all()
    assert (model.frozen == 1).all()
    assert (model.shift == 1).all()


def test_leaves_without_gradient() -> None:
    params = {"w": np.ones(2), "name": "layer", "none": None}
    rule = optim.adam()
    state = rule.init(params)
    grads = {"w": np.ones(2), "name": None, "none": None}
    updates, state = rule.update(grads, state, params)
    new = optim.apply_updates(params, updates)
    assert new["name"] == "layer"
    assert new["none"] is None
    assert (new["w"] != 1).all()


def test_schedule_as_rate() -> None:
    rule = optim.sgd(schedule.step_decay(1.0, 1, 0.5))
    state = rule.init(0.0)
    seen = []
    for _ in range(3):
        update, state = rule.update(1.0, state)
        seen.append(update.item())
    assert seen == [-1.0, -0.5, -0.25]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: optim.sgd(-1.0), OptionError, "sgd: expected a lr that is not negative, got -1.0"),
        (lambda: optim.sgd(momentum=-1.0), OptionError, "momentum that is not negative"),
        (lambda: optim.sgd(nesterov=True), OptionError, "momentum and no dampening for nesterov"),
        (lambda: optim.adam(betas=(1.0, 0.9)), OptionError, r"adam: expected betas in \[0, 1\)"),
        (lambda: optim.adamw(eps=-1.0), OptionError, "adamw: expected a eps"),
        (
            lambda: optim.adamw().update(1.0, optim.adamw().init(1.0)),
            OperandError,
            r"adamw: expected params where weight_decay is set, got none; call update",
        ),
        (
            lambda: optim.adam().update([1.0], optim.AdamState(0, [], [], None)),
            OperandError,
            "adam: expected one structure, got state 0 with 0 leaves for 1",
        ),
        (lambda: optim.apply_updates([1.0], []), OperandError, "updates with 0 leaves for 1"),
        (
            lambda: optim.apply_updates(np.ones(2), np.ones(3)),
            ShapeError,
            r"apply_updates: expected an update of shape \(2,\), got \(3,\)",
        ),
        (lambda: schedule.plateau("up"), OptionError, 'mode "min" or "max"'),
        (lambda: schedule.plateau(factor=1.5), OptionError, "factor below 1"),
        (lambda: schedule.plateau(threshold_mode="x"), OptionError, "threshold_mode"),
        (lambda: schedule.one_cycle(1.0, 0), OptionError, "positive total_steps"),
        (lambda: schedule.one_cycle(1.0, 9, anneal_strategy="x"), OptionError, '"cos" or "linear"'),
        (lambda: schedule.join([abs], [1]), OptionError, "one schedule more than milestones"),
    ],
)
def test_wrong_calls_of_functions(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


# -- objects ---------------------------------------------------------------------------------------


def test_groups() -> None:
    ps = [nn.Parameter(x) for x in start()]
    qs = [torch.nn.Parameter(torch.tensor(x)) for x in start()]

    def groups(params: Any) -> Any:
        return [{"params": params[0], "lr": 0.5}, {"params": [params[1]], "momentum": 0.5}]

    ours, theirs = optim.SGD(groups(ps), lr=0.1), torch.optim.SGD(groups(qs), lr=0.1)
    ours.add_param_group({"params": [ps[2]], "weight_decay": 0.1})
    theirs.add_param_group({"params": [qs[2]], "weight_decay": 0.1})
    for k in range(3):
        for p, q, g in zip(ps, qs, gradients(k), strict=True):
            p.grad, q.grad = lucid.Tensor(g), torch.tensor(g)
        ours.step()
        theirs.step()
    for p, q in zip(ps, qs, strict=True):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-12)
    shown = repr(ours)
    assert shown.startswith("SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: ")
    assert "\n    lr: 0.5\n" in shown
    ours.zero_grad(set_to_none=False)
    assert all((p.grad == 0).all() for p in ps)
    ours.zero_grad()
    assert all(p.grad is None for p in ps)


def test_closure() -> None:
    p = nn.Parameter(3.0)
    optimizer = optim.SGD([p], lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = p * p
        loss.backward()
        return loss

    with lucid.no_grad():
        assert optimizer.step(closure).item() == 9
    assert p.item() == pytest.approx(2.4)


@pytest.mark.parametrize(("name", "options"), [CASES[4], CASES[10]])
def test_state_goes_on_where_it_was(name: str, options: dict[str, Any]) -> None:
    """Saved, loaded, pickled or copied half-way: the same end."""
    make = getattr(optim, name)
    want = trajectory(make, options)

    def run(params: Any, optimizer: Any, first: int, last: int) -> None:
        for k in range(first, last):
            for i, (p, g) in enumerate(zip(params, gradients(k), strict=True)):
                p.grad = None if i == 1 and k % 3 == 0 else lucid.Tensor(g)
            optimizer.step()

    params = [nn.Parameter(x) for x in start()]
    optimizer = make(params, **options)
    run(params, optimizer, 0, 5)
    saved = copy.deepcopy((params, optimizer.state_dict()))
    assert saved[1]["param_groups"][0]["params"] == [0, 1, 2]
    fresh = make(saved[0], lr=0.7)
    fresh.load_state_dict(saved[1])
    assert fresh.param_groups[0]["lr"] == options["lr"]
    for ps, opt in (
        (saved[0], fresh),
        pickle.loads(pickle.dumps((params, optimizer))),
        copy.deepcopy((params, optimizer)),
    ):
        run(ps, opt, 5, STEPS)
        for p, b in zip(ps, want, strict=True):
            np.testing.assert_array_equal(p.numpy(), b)


def test_state_from_pytorch() -> None:
    """A state dict of PyTorch's, its tensors as arrays, loads."""
    q = torch.nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
    theirs = torch.optim.Adam([q])
    q.grad = torch.tensor([0.5, 1.0], dtype=torch.float64)
    theirs.step()
    p = nn.Parameter(q.detach().numpy())
    ours = optim.Adam([p])
    state = theirs.state_dict()
    state["state"] = {k: {n: v.numpy() for n, v in s.items()} for k, s in state["state"].items()}
    ours.load_state_dict(state)
    p.grad = lucid.Tensor(q.grad.numpy())
    ours.step()
    theirs.step()
    np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda p: optim.SGD(p), OperandError, r"an iterable of Parameters .*model.parameters\(\)"),
        (lambda p: optim.SGD(nn.ReLU()), OperandError, "got a ReLU"),
        (lambda p: optim.SGD([]), OptionError, "SGD: expected at least one parameter"),
        (lambda p: optim.SGD([lucid.ones(1)]), OperandError, "wrap it in nn.Parameter"),
        (lambda p: optim.SGD([p, p]), OptionError, "each parameter once"),
        (lambda p: optim.SGD([p], lr=-1), OptionError, "lr that is not negative"),
        (lambda p: optim.Adam([p], betas=(2, 0)), OptionError, "betas in"),
        (lambda p: optim.Adam([{"params": p, "mu": 1}]), OptionError, "options among lr.*got mu"),
        (
            lambda p: optim.SGD([p]).load_state_dict(
                optim.SGD([p, nn.Parameter(1.0)]).state_dict()
            ),
            StateDictError,
            r"SGD.load_state_dict: expected groups of \[1\] parameters, got \[2\]",
        ),
        (
            lambda p: optim.SGD([p]).load_state_dict(
                {"state": {}, "param_groups": [{"params": [0], "mu": True}]}
            ),
            StateDictError,
            "options among lr, .*, got mu",
        ),
        (
            lambda p: optim.SGD([p]).load_state_dict(
                {"state": {0: {"exp_avg": 1.0}}, "param_groups": [{"params": [0]}]}
            ),
            StateDictError,
            "step, momentum_buffer of 1 parameters, got exp_avg at 0",
        ),
        (
            lambda p: optim.SGD([p]).load_state_dict(
                {
                    "state": {0: {"step": 1, "momentum_buffer": np.ones(3)}},
                    "param_groups": [{"params": [0]}],
                }
            ),
            StateDictError,
            r"momentum_buffer of shape \(\), got shape \(3,\)",
        ),
    ],
)
def test_wrong_calls_of_objects(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call(nn.Parameter(1.0))


def test_training_both_ways_gives_the_same() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
    lucid.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    params: Any = model.detach()
    optimizer, rule = optim.Adam(model.parameters(), lr=0.01), optim.adam(0.01)
    state, criterion = rule.init(params), nn.MSELoss()
    step = lucid.value_and_grad(lambda m: functional.mse_loss(m(x), y))
    for _ in range(20):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        value, grads = step(params)
        updates, state = rule.update(grads, state, params)
        params = optim.apply_updates(params, updates)
        assert loss.item() == pytest.approx(value.item(), rel=1e-12)
    for a, b in zip(tree.leaves(model), tree.leaves(params), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


# -- schedules -------------------------------------------------------------------------------------


def pair(lr: float = 0.5, **options: Any) -> tuple[Any, Any]:
    ours = optim.SGD([nn.Parameter(1.0)], lr=lr, **options)
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.tensor(1.0))], lr=lr, **options)
    return ours, theirs


def rates(optimizer: Any, scheduler: Any, steps: int, *metrics: float) -> list[Any]:
    seen = [optimizer.param_groups[0]["lr"]]
    for k in range(steps):
        optimizer.step()
        scheduler.step(*metrics[k : k + 1])
        seen.append(optimizer.param_groups[0]["lr"])
    return seen


@pytest.mark.parametrize(
    ("name", "args"),
    [
        *(("StepLR", (3,)), ("StepLR", (2, 0.5)), ("MultiStepLR", ([2, 5, 5, 7], 0.5))),
        *(("ExponentialLR", (0.9,)), ("CosineAnnealingLR", (6,)), ("CosineAnnealingLR", (6, 0.1))),
        *(("LinearLR", ()), ("LinearLR", (0.1, 0.7, 6)), ("ConstantLR", ()), ("PolynomialLR", ())),
        *(("ConstantLR", (0.2, 3)), ("PolynomialLR", (6, 2.0))),
        *(("LambdaLR", (lambda k: 0.9**k,)), ("LambdaLR", ([lambda k: 1 / (1 + k)],))),
        *(("CosineAnnealingWarmRestarts", (4,)), ("CosineAnnealingWarmRestarts", (2, 2, 0.1))),
    ],
)
@pytest.mark.filterwarnings("ignore:To get the last")
def test_schedulers(name: str, args: Any) -> None:
    ours, theirs = pair()
    a = getattr(lr_scheduler, name)(ours, *args)
    b = getattr(torch.optim.lr_scheduler, name)(theirs, *args)
    seen = rates(ours, a, 14)
    np.testing.assert_allclose(seen, rates(theirs, b, 14), rtol=1e-12, atol=1e-15)
    assert a.get_last_lr() == seen[-1:]
    fresh_optimizer, _ = pair()
    fresh = getattr(lr_scheduler, name)(fresh_optimizer, *args)
    fresh.load_state_dict(pickle.loads(pickle.dumps(a.state_dict())))
    assert fresh.last_epoch == 14


@pytest.mark.parametrize(
    "options",
    [
        {"total_steps": 12},
        {"epochs": 3, "steps_per_epoch": 4, "anneal_strategy": "linear"},
        {"total_steps": 12, "pct_start": 0.4, "three_phase": True, "div_factor": 10.0},
        {"total_steps": 12, "cycle_momentum": False, "final_div_factor": 100.0},
    ],
)
def test_one_cycle(options: Any) -> None:
    ours, theirs = pair(momentum=0.9)
    a = lr_scheduler.OneCycleLR(ours, 2.0, **options)
    b = torch.optim.lr_scheduler.OneCycleLR(theirs, 2.0, **options)
    for _ in range(12):
        for name in ("lr", "momentum"):
            want = theirs.param_groups[0][name]
            assert ours.param_groups[0][name] == pytest.approx(want, rel=1e-12)
        ours.step()
        theirs.step()
        a.step()
        b.step()
    with pytest.raises(OptionError, match="expected at most 12 steps"):
        a.step()


def test_one_cycle_of_adam() -> None:
    p, q = nn.Parameter(1.0), torch.nn.Parameter(torch.tensor(1.0))
    ours, theirs = optim.Adam([p]), torch.optim.Adam([q])
    lr_scheduler.OneCycleLR(ours, 2.0, 10)
    torch.optim.lr_scheduler.OneCycleLR(theirs, 2.0, 10)
    assert ours.param_groups[0]["betas"] == theirs.param_groups[0]["betas"]
    with pytest.raises(OptionError, match="total_steps, or epochs and steps_per_epoch"):
        lr_scheduler.OneCycleLR(ours, 2.0)


@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_sequential() -> None:
    def build(module: Any, optimizer: Any) -> Any:
        parts = [
            module.LinearLR(optimizer, 0.1, 1.0, 3),
            module.ExponentialLR(optimizer, 0.9),
        ]
        return module.SequentialLR(optimizer, parts, [3])

    ours, theirs = pair()
    a, b = build(lr_scheduler, ours), build(torch.optim.lr_scheduler, theirs)
    np.testing.assert_allclose(rates(ours, a, 8), rates(theirs, b, 8), rtol=1e-12)


def test_two_schedulers_combine() -> None:
    def build(module: Any, optimizer: Any) -> list[Any]:
        return [module.ExponentialLR(optimizer, 0.9), module.MultiStepLR(optimizer, [2, 4], 0.5)]

    ours, theirs = pair()
    a, b = build(lr_scheduler, ours), build(torch.optim.lr_scheduler, theirs)
    for _ in range(6):
        ours.step()
        theirs.step()
        for s in (*a, *b):
            s.step()
        want = theirs.param_groups[0]["lr"]
        assert ours.param_groups[0]["lr"] == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 0, "factor": 0.5, "cooldown": 2, "min_lr": 0.05},
        {"mode": "max", "patience": 1, "threshold": 0.5, "threshold_mode": "abs"},
        {"mode": "max", "patience": 0, "threshold": 0.1},
    ],
)
def test_plateau(options: Any) -> None:
    metrics = [3.0, 2.0, 2.0, 2.5, 1.0, 1.1, 1.2, 1.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
    ours, theirs = pair()
    a = lr_scheduler.ReduceLROnPlateau(ours, **options)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    want = rates(theirs, b, len(metrics), *metrics)
    np.testing.assert_allclose(rates(ours, a, len(metrics), *metrics), want, rtol=1e-12)
    fresh = lr_scheduler.ReduceLROnPlateau(ours, **options)
    fresh.load_state_dict(a.state_dict())
    assert fresh.state == a.state
    assert a.get_last_lr() == [pytest.approx(want[-1])]


SCHEDULES = [
    *(schedule.constant(0.5), schedule.step_decay(0.5, 3), schedule.multistep(0.5, [2, 4])),
    *(schedule.exponential(0.5, 0.9), schedule.linear(0.5), schedule.polynomial(0.5, 4, 2.0)),
    *(schedule.cosine(0.5, 4), schedule.warm_restarts(0.5, 2), schedule.warm_restarts(0.5, 2, 2)),
    *(schedule.one_cycle(0.5, 9), schedule.one_cycle(0.5, 9, 0.4, three_phase=True)),
    schedule.join([schedule.constant(0.5), schedule.linear(0.5)], [3]),
]


@pytest.mark.parametrize("rate", SCHEDULES)
def test_schedules_take_tensors(rate: Any) -> None:
    """A counter may be a Tensor, as under jit, or batched."""
    steps = np.arange(8)
    want = [rate(int(k)) for k in steps]
    got = [float(rate(lucid.asarray(k))) for k in steps]
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(lucid.vmap(rate)(steps).numpy(), want, rtol=1e-12, atol=1e-15)


def test_a_scheduler_wants_an_optimiser() -> None:
    with pytest.raises(OptionError, match="an optimiser of lucid"):
        lr_scheduler.StepLR(3, 2)  # type: ignore[arg-type]
    ours, _ = pair()
    with pytest.raises(OptionError, match="initial_lr in every group"):
        lr_scheduler.StepLR(ours, 2, last_epoch=5)
    with pytest.raises(OptionError, match="LambdaLR: expected 1 functions, got 2"):
        lr_scheduler.LambdaLR(ours, [abs, abs])
    with pytest.raises(OptionError, match="an optimiser with momentum"):
        lr_scheduler.OneCycleLR(pair_without_momentum(), 1.0, 5)


def pair_without_momentum() -> Any:
    class Plain(optim.Optimizer):
        def _rule(self, group: Any) -> Any:
            return optim.sgd(group["lr"])

    return Plain([nn.Parameter(1.0)], {"lr": 0.1})
