"""Learning-rate schedulers against PyTorch, over drawn options: rates and momenta to 1e-8."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lucid
from lucid import nn, optim
from lucid.errors import OptionError, UnsupportedError
from lucid.optim import lr_scheduler, schedule
from lucid.optim.optimizer import Optimizer

STEPS = 14
THEIRS = torch.optim.lr_scheduler
pytestmark = pytest.mark.filterwarnings("ignore:The epoch parameter", "ignore:To get the last")

RATES = st.floats(0.01, 2.0)
FACTORS = st.floats(0.05, 0.95)
COUNTS = st.integers(1, 9)


def decay(epoch: float) -> float:
    return 0.9**epoch


def wave(epoch: float) -> float:
    return 1.0 + 0.1 * (epoch % 3)


def either(*choices: dict[str, Any], **required: Any) -> Any:
    optional = choices[0] if choices else {}
    return st.fixed_dictionaries(required, optional=optional)


# What each scheduler is given: strategies for its options.
OPTIONS: dict[str, Any] = {
    "LambdaLR": either(lr_lambda=st.sampled_from([decay, wave, [decay, wave]])),
    "MultiplicativeLR": either(lr_lambda=st.sampled_from([wave, [wave, decay]])),
    "StepLR": either({"gamma": FACTORS}, step_size=COUNTS),
    "MultiStepLR": either({"gamma": FACTORS}, milestones=st.lists(COUNTS, max_size=4)),
    "ConstantLR": either({"factor": FACTORS, "total_iters": COUNTS}),
    "LinearLR": either({"start_factor": FACTORS, "end_factor": FACTORS, "total_iters": COUNTS}),
    "PolynomialLR": either({"total_iters": COUNTS, "power": st.floats(0.5, 3)}),
    "ExponentialLR": either(gamma=FACTORS),
    "CosineAnnealingLR": either({"eta_min": st.floats(0, 0.005)}, T_max=COUNTS),
    "CosineAnnealingWarmRestarts": either(
        {"T_mult": st.integers(1, 3), "eta_min": st.floats(0, 0.005)}, T_0=COUNTS
    ),
    "CyclicLR": either(
        {
            "step_size_down": COUNTS,
            "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
            "gamma": FACTORS,
            "scale_fn": st.just(lambda x: 1 / (1 + x)),
            "scale_mode": st.sampled_from(["cycle", "iterations"]),
            "cycle_momentum": st.booleans(),
            "base_momentum": st.just([0.7, 0.75]),
            "max_momentum": st.floats(0.85, 0.95),
        },
        base_lr=st.sampled_from([0.1, [0.1, 0.2]]),
        max_lr=st.sampled_from([1.0, [1.0, 3.0]]),
        step_size_up=COUNTS,
    ),
    "OneCycleLR": either(
        {
            "pct_start": st.floats(0.2, 0.45),
            "anneal_strategy": st.sampled_from(["cos", "linear"]),
            "cycle_momentum": st.booleans(),
            "base_momentum": st.just([0.7, 0.75]),
            "max_momentum": st.floats(0.85, 0.95),
            "div_factor": st.floats(2, 30),
            "final_div_factor": st.floats(2, 1e4),
            "three_phase": st.booleans(),
        },
        max_lr=st.sampled_from([1.0, [1.0, 3.0]]),
        total_steps=st.just(STEPS),
    ),
}
CHAINABLE = [n for n in OPTIONS if n not in ("CyclicLR", "OneCycleLR")]

configurations = st.sampled_from(sorted(OPTIONS)).flatmap(
    lambda name: st.tuples(st.just(name), OPTIONS[name])
)
chainable = st.sampled_from(CHAINABLE).flatmap(lambda name: st.tuples(st.just(name), OPTIONS[name]))


def pair(lr: float = 0.5, name: str = "SGD") -> tuple[Any, Any]:
    """Optimisers of both libraries, of two groups."""
    options: dict[str, Any] = {"momentum": 0.9} if name == "SGD" else {}

    def groups(module: Any, tensor: Any) -> Any:
        a, b = module.Parameter(tensor(1.0)), module.Parameter(tensor(1.0))
        return [{"params": [a]}, {"params": [b], "lr": 2 * lr}]

    ours = getattr(optim, name)(groups(nn, lucid.Tensor), lr=lr, **options)
    return ours, getattr(torch.optim, name)(groups(torch.nn, torch.tensor), lr=lr, **options)


def numbers(optimizer: Any) -> list[Any]:
    return [
        x
        for g in optimizer.param_groups
        for x in (g["lr"], g["betas"][0] if "betas" in g else g["momentum"])
    ]


def follow(ours: Any, theirs: Any, one: Any, other: Any, steps: int = STEPS) -> None:
    for k in range(steps + 1):
        np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(one.get_last_lr(), other.get_last_lr(), rtol=1e-8, atol=1e-12)
        if k < steps:
            ours.step()
            theirs.step()
            one.step()
            other.step()


def build(module: Any, optimizer: Any, config: tuple[str, Any]) -> Any:
    return getattr(module, config[0])(optimizer, **config[1])


@settings(max_examples=150, deadline=None)
@given(configurations, RATES, st.sampled_from(["SGD", "Adam"]))
def test_steps(config: Any, lr: float, name: str) -> None:
    ours, theirs = pair(lr, name)
    follow(ours, theirs, build(lr_scheduler, ours, config), build(THEIRS, theirs, config))


@settings(max_examples=80, deadline=None)
@given(st.lists(chainable, min_size=2, max_size=3), st.data())
def test_sequential(configs: Any, data: Any) -> None:
    stones = sorted(
        data.draw(st.sets(COUNTS, min_size=len(configs) - 1, max_size=len(configs) - 1))
    )
    ours, theirs = pair()

    def sequence(module: Any, optimizer: Any) -> Any:
        parts = [build(module, optimizer, c) for c in configs]
        return module.SequentialLR(optimizer, parts, stones)

    follow(ours, theirs, sequence(lr_scheduler, ours), sequence(THEIRS, theirs))


MULTIPLYING = ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR"]
MULTIPLYING += ["MultiplicativeLR", "CosineAnnealingLR"]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from(MULTIPLYING).flatmap(lambda n: st.tuples(st.just(n), OPTIONS[n])),
        min_size=1,
        max_size=3,
    )
)
def test_chained(configs: Any) -> None:
    configs = [(n, {**o, "T_max": 20} if "T_max" in o else o) for n, o in configs]
    ours, theirs = pair()

    def chained(module: Any, optimizer: Any) -> Any:
        return module.ChainedScheduler([build(module, optimizer, c) for c in configs])

    follow(ours, theirs, chained(lr_scheduler, ours), chained(THEIRS, theirs))


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["min", "max"]),
            "factor": FACTORS,
            "patience": st.integers(0, 3),
            "threshold": st.sampled_from([1e-4, 0.1]),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 3),
            "min_lr": st.sampled_from([0.0, 0.05, [0.01, 0.1]]),
            "eps": st.sampled_from([1e-8, 0.05]),
        },
    ),
    st.lists(st.integers(1, 20), min_size=STEPS, max_size=STEPS),
)
def test_plateau(options: Any, metrics: list[int]) -> None:
    ours, theirs = pair()
    a = lr_scheduler.ReduceLROnPlateau(ours, **options)
    b = THEIRS.ReduceLROnPlateau(theirs, **options)
    for k, metric in enumerate(metrics):
        a.step(metric / 10)
        b.step(metric / 10)
        np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-8)
        if k == STEPS // 2:  # go on with the state that PyTorch has
            a = lr_scheduler.ReduceLROnPlateau(ours)
            a.load_state_dict(b.state_dict())
    state = a.state_dict()
    assert {n: b.state_dict()[n] for n in state} == state


@settings(max_examples=80, deadline=None)
@given(configurations, st.integers(0, STEPS - 1))
def test_state_goes_on(config: Any, middle: int) -> None:
    """Saved and loaded half-way, ours and PyTorch's: the same end."""
    ours, theirs = pair()
    a, b = build(lr_scheduler, ours, config), build(THEIRS, theirs, config)
    for _ in range(middle):
        for x in (ours, theirs, a, b):
            x.step()
    fresh, _ = pair()
    c = build(lr_scheduler, fresh, config)
    c.load_state_dict(pickle.loads(pickle.dumps(a.state_dict())))
    fresh.load_state_dict(ours.state_dict())
    follow(fresh, theirs, c, b, STEPS - middle)
    other, _ = pair()
    d = build(lr_scheduler, other, config)
    if config[0] not in ("CyclicLR", "OneCycleLR"):  # whose options PyTorch keeps in the groups
        d.load_state_dict(copy.deepcopy(b.state_dict()))
        assert d.last_epoch == b.last_epoch


@pytest.mark.parametrize("kind", ["SequentialLR", "ChainedScheduler"])
def test_states_of_composed_schedulers(kind: str) -> None:
    def make() -> tuple[Any, Any]:
        ours, _ = pair()
        parts = [lr_scheduler.ConstantLR(ours, 0.5, 3), lr_scheduler.ExponentialLR(ours, 0.9)]
        if kind == "ChainedScheduler":
            return ours, lr_scheduler.ChainedScheduler(parts)
        return ours, lr_scheduler.SequentialLR(ours, parts, [4])

    (ours, a), (fresh, b) = make(), make()
    for _ in range(6):
        a.step()
    b.load_state_dict(pickle.loads(pickle.dumps(a.state_dict())))
    fresh.load_state_dict(ours.state_dict())
    for _ in range(3):
        a.step()
        b.step()
        assert numbers(ours) == numbers(fresh)


def test_fractions_of_epochs() -> None:
    ours, theirs = pair()
    a = lr_scheduler.CosineAnnealingWarmRestarts(ours, 2, 2)
    b = THEIRS.CosineAnnealingWarmRestarts(theirs, 2, 2)
    for epoch in (0.25, 1.5, 1.75, 2.0, 3.5, 6.25):
        a.step(epoch)
        b.step(epoch)
        np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=1e-8)


@pytest.mark.parametrize(
    "name", [*OPTIONS, "SequentialLR", "ChainedScheduler", "ReduceLROnPlateau"]
)
def test_signatures(name: str) -> None:
    ours, theirs = (
        [(p.name, p.default) for p in inspect.signature(kind.__init__).parameters.values()]
        for kind in (getattr(lr_scheduler, name), getattr(THEIRS, name))
    )
    assert ours == theirs


def test_everything_of_pytorch_is_there() -> None:
    assert set(lr_scheduler.__all__) == set(THEIRS.__all__)


def test_a_scheduler_as_in_pytorch() -> None:
    """A subclass that defines get_lr, as users of PyTorch write it."""

    class Sqrt(lr_scheduler.LRScheduler):
        def get_lr(self) -> list[float]:
            return [lr / (1 + self.last_epoch) ** 0.5 for lr in self.base_lrs]

    ours, _ = pair()
    scheduler = Sqrt(ours)
    for _ in range(3):
        scheduler.step()
    assert scheduler.get_last_lr() == [0.25, 0.5]
    scheduler.load_state_dict(scheduler.state_dict())
    with pytest.raises(UnsupportedError, match="a method `rate` or `get_lr`, got neither"):
        lr_scheduler.LRScheduler(ours)


class Scale:
    """A function with a state of its own."""

    def __init__(self, base: float) -> None:
        self.base = base

    def __call__(self, epoch: float) -> float:
        return self.base**epoch


def test_attributes_of_functions_are_state() -> None:
    ours, _ = pair()
    a = lr_scheduler.LambdaLR(ours, [Scale(0.5), decay])
    assert a.state_dict()["lr_lambdas"] == [{"base": 0.5}, None]
    b = lr_scheduler.LambdaLR(ours, [Scale(0.9), decay])
    b.load_state_dict(a.state_dict())
    assert b.lr_lambdas[0](1) == 0.5


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cyclic_takes_tensors(mode: str) -> None:
    rate = schedule.cyclic(0.1, 1.0, 3, 2, mode, 0.9)
    steps = np.arange(12)
    want = [rate(int(k)) for k in steps]
    np.testing.assert_allclose(lucid.vmap(rate)(steps).numpy(), want, rtol=1e-12)


def without_momentum() -> Any:
    class Plain(Optimizer):
        def _rule(self, group: Any) -> Any:
            return optim.sgd(group["lr"])

    return Plain([nn.Parameter(1.0)], {"lr": 0.1})


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda m, o: m.StepLR(o, 0), "a positive step_size"),
        (lambda m, o: m.ConstantLR(o, 1.5), r"ConstantLR: expected a factor in \[0, 1\], got 1.5"),
        (lambda m, o: m.LinearLR(o, 0.0), r"LinearLR: expected a start_factor in \(0, 1\]"),
        (lambda m, o: m.LinearLR(o, 0.5, 2.0), r"an end_factor|a end_factor in \[0, 1\]"),
        (lambda m, o: m.LambdaLR(o, [decay]), "LambdaLR: expected 2 functions, got 1"),
        (lambda m, o: m.MultiplicativeLR(o, 0.5), "functions of the epoch, got a float"),
        (lambda m, o: m.CosineAnnealingWarmRestarts(o, 0), "a positive T_0"),
        (lambda m, o: m.OneCycleLR(o, 1.0, 10, pct_start=2.0), r"a pct_start in \[0, 1\]"),
        (lambda m, o: m.OneCycleLR(o, [1.0] * 3, 10), "2 values of max_lr, got 3"),
        (lambda m, o: m.CyclicLR(o, 0.1, 1.0, 0), "a positive step_size_up"),
        (lambda m, o: m.CyclicLR(o, 0.1, 1.0, mode="x"), "a mode among triangular, "),
        (lambda m, o: m.CyclicLR(o, 0.1, 1.0, scale_fn=abs, scale_mode="x"), '"cycle" or "iter'),
        (lambda m, o: m.CyclicLR(without_momentum(), 0.1, 1.0), "an optimiser with momentum"),
        (lambda m, o: m.SequentialLR(o, [], []), "at least one scheduler, got none"),
        (lambda m, o: m.SequentialLR(o, [m.StepLR(o, 1)], [1]), "one scheduler more than miles"),
        (lambda m, o: m.ChainedScheduler([m.ReduceLROnPlateau(o)]), "look at no metric, got a Red"),
        (
            lambda m, o: m.ChainedScheduler([m.StepLR(o, 1), m.StepLR(pair()[0], 1)]),
            "schedulers of one optimiser, got several",
        ),
        (lambda m, o: m.ReduceLROnPlateau(o, min_lr=[0.1]), "2 values of min_lr, got 1"),
        (lambda m, o: m.ReduceLROnPlateau(3), "an optimiser of lucid"),
    ],
)
def test_wrong_calls(call: Any, match: str) -> None:
    with pytest.raises(OptionError, match=match):
        call(lr_scheduler, pair()[0])
