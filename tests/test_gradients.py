"""Gradient transformations: by their formulas, over trees, under jit, and in chains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid import nn, optim, tree
from lucid.errors import OperandError, OptionError
from lucid.graph.jit import jit
from lucid.optim import schedule

RNG = np.random.default_rng(0)
W, B = RNG.standard_normal((3, 4)), RNG.standard_normal(4)
PARAMS: dict[str, Any] = {"w": W, "none": None, "b": B}


def grads(step: int) -> dict[str, Any]:
    rng = np.random.default_rng(step + 1)
    return {"w": rng.standard_normal((3, 4)), "none": None, "b": rng.standard_normal(4)}


def run(rule: Any, steps: int = 5, start: Any = PARAMS) -> Any:
    params, state = start, rule.init(start)
    for k in range(steps):
        updates, state = rule.update(grads(k), state, params)
        params = optim.apply_updates(params, updates)
    return params


def close(a: Any, b: Any, rtol: float = 1e-12) -> None:
    for x, y in zip(tree.leaves(a), tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=rtol, atol=1e-14)


def once(rule: Any, k: int = 0) -> Any:
    return rule.update(grads(k), rule.init(PARAMS), PARAMS)[0]


def changed(function: Any, k: int = 0) -> dict[str, Any]:
    return {n: None if g is None else function(n, g) for n, g in grads(k).items()}


NORM = np.sqrt(sum((g**2).sum() for g in (grads(0)["w"], grads(0)["b"])))

FORMULAS = [
    (optim.identity(), lambda n, g: g),
    (optim.set_to_zero(), lambda n, g: 0 * g),
    (optim.scale(3.0), lambda n, g: 3 * g),
    (optim.scale_by_learning_rate(0.5), lambda n, g: -0.5 * g),
    (optim.scale_by_learning_rate(lambda t: 0.5 + t, flip_sign=False), lambda n, g: 0.5 * g),
    (optim.clip_by_value(0.3), lambda n, g: np.clip(g, -0.3, 0.3)),
    (optim.clip_by_global_norm(0.7), lambda n, g: g * 0.7 / NORM),
    (optim.clip_by_global_norm(1e3), lambda n, g: g),
    (optim.clip_by_block_norm(0.7), lambda n, g: g * 0.7 / np.linalg.norm(g)),
    (optim.clip_by_block_norm(1e3), lambda n, g: g),
    (optim.add_decayed_weights(0.1), lambda n, g: g + 0.1 * PARAMS[n]),
    (
        optim.scale_by_trust_ratio(0.5, 0.1),
        lambda n, g: 0.5 * g * np.linalg.norm(PARAMS[n]) / (np.linalg.norm(g) + 0.1),
    ),
    (optim.centralize(), lambda n, g: g - g.mean(1, keepdims=True) if g.ndim > 1 else g),
    (optim.trace(0.9, nesterov=True), lambda n, g: 1.9 * g),
    (optim.ema(0.9, debias=False), lambda n, g: 0.1 * g),
    (optim.scale_by_adam(eps=0.0), lambda n, g: np.sign(g)),
    (optim.zero_nans(), lambda n, g: g),
]


@pytest.mark.parametrize(("rule", "want"), FORMULAS)
def test_formulas(rule: Any, want: Any) -> None:
    close(once(rule), changed(want), 1e-7)


def test_nans_become_zero() -> None:
    g = np.array([np.nan, 1.0, np.inf])
    rule = optim.zero_nans()
    np.testing.assert_array_equal(rule.update(g, rule.init(g))[0].numpy(), [0.0, 1.0, np.inf])


def test_chains_are_the_optimisers() -> None:
    same = [
        (optim.chain(optim.trace(0.9), optim.scale(-0.1)), optim.sgd(0.1, 0.9)),
        (optim.chain(optim.scale_by_adam(), optim.scale(-0.1)), optim.adam(0.1)),
        (
            optim.chain(
                optim.scale_by_adam(),
                optim.add_decayed_weights(0.3),
                optim.scale_by_learning_rate(0.1),
            ),
            optim.adamw(0.1, weight_decay=0.3),
        ),
        (
            optim.chain(
                optim.scale_by_adam(eps=1e-6),
                optim.add_decayed_weights(0.3),
                optim.scale_by_trust_ratio(),
                optim.scale(-0.1),
            ),
            optim.lamb(0.1, weight_decay=0.3),
        ),
        (
            optim.chain(optim.scale_by_schedule(schedule.exponential(1.0, 0.5)), optim.scale(-1.0)),
            optim.sgd(schedule.exponential(1.0, 0.5)),
        ),
    ]
    for one, other in same:
        close(run(one), run(other))


def test_ema_is_a_weighted_mean() -> None:
    rule, state = optim.ema(0.5), optim.ema(0.5).init(0.0)
    for g in (1.0, 2.0, 4.0):
        mean, state = rule.update(g, state)
    assert mean.item() == pytest.approx((1 * 0.25 + 2 * 0.5 + 4) / 1.75)


# -- some leaves, some steps -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask", [{"w": True, "none": None, "b": False}, lambda p: {n: n == "w" for n in p}]
)
def test_masked(mask: Any) -> None:
    rule = optim.masked(optim.sgd(1.0, 0.9, weight_decay=0.1), mask)
    for _ in range(2):
        close(once(rule), changed(lambda n, g: -(g + 0.1 * W) if n == "w" else g))


def test_masks_of_upper_parts() -> None:
    params = {"a": [1.0, (2.0, None)], "b": {"c": 3.0}}
    rule = optim.masked(optim.set_to_zero(), {"a": True, "b": False})
    updates, _ = rule.update(params, rule.init(params))
    assert tree.leaves(updates) == [0.0, 0.0, 3.0]
    rule = optim.masked(optim.set_to_zero(), False)
    assert tree.leaves(rule.update(params, rule.init(params))[0]) == [1.0, 2.0, 3.0]


def test_multi_transform() -> None:
    rules = {"fast": optim.adam(0.1), "slow": optim.sgd(0.01), "unused": optim.muon()}
    rule = optim.multi_transform(rules, {"w": "fast", "none": None, "b": "slow"})
    found = run(rule)
    close(found["w"], run(optim.adam(0.1))["w"])
    close(found["b"], run(optim.sgd(0.01))["b"])


class Model(nn.Module):
    """A layer, a frozen parameter and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 3)
        self.frozen = nn.Parameter(np.ones(3), requires_grad=False)
        self.register_buffer("shift", np.ones(3))

    def forward(self, x: Any) -> Any:
        return (self.linear(x) * self.frozen + self.shift).sum()


RULES = [
    *(optim.adagrad(0.1), optim.adadelta(), optim.rmsprop(0.1, momentum=0.9, centered=True)),
    *(optim.nadam(0.1), optim.radam(0.1), optim.adamax(0.1), optim.lion(0.1), optim.lamb(0.1)),
    *(optim.adafactor(0.1), optim.lbfgs(0.1, 2)),
    optim.chain(
        optim.clip_by_global_norm(0.5),
        optim.centralize(),
        optim.scale_by_adam(),
        optim.masked(
            optim.add_decayed_weights(0.1), lambda p: tree.map(lambda x: np.ndim(x) > 1, p)
        ),
        optim.scale_by_schedule(schedule.cosine(-0.1, 9)),
    ),
    optim.multi_transform(
        {"matrix": optim.muon(0.1, weight_decay=0.0), "rest": optim.adam(0.1)},
        lambda p: tree.map(lambda x: "matrix" if np.ndim(x) > 1 else "rest", p),
    ),
    optim.accumulate(optim.adam(0.1), 2),
    optim.lookahead(optim.adam(0.1), 2),
    optim.apply_if_finite(optim.adam(0.1)),
]


@pytest.mark.parametrize("rule", RULES)
def test_modules_keep_buffers_and_frozen_parameters(rule: Any) -> None:
    model: Any = Model()
    before = model.linear.weight.numpy()
    state = rule.init(model)
    for _ in range(3):
        g = lucid.grad(lambda m: m(np.ones(2)))(model)
        updates, state = rule.update(g, state, model)
        model = optim.apply_updates(model, updates)
    assert type(model) is Model
    assert (model.linear.weight.numpy() != before).all()
    assert (model.frozen == 1).all()
    assert (model.shift == 1).all()


@pytest.mark.parametrize("executor", ["numpy", None])
@pytest.mark.parametrize("rule", RULES)
def test_jit(rule: Any, executor: str | None) -> None:
    """Counters and rates are traced, so that one program serves all steps."""
    params = {"w": W, "b": B}

    @jit(executor=executor)
    def step(params: Any, state: Any, g: Any) -> Any:
        updates, state = rule.update(g, state, params)
        return optim.apply_updates(params, updates), state

    state, want, eager = rule.init(params), params, rule.init(params)
    for k in range(6):
        g = {"w": grads(k)["w"], "b": grads(k)["b"]}
        params, state = step(params, state, g)
        updates, eager = rule.update(g, eager, want)
        want = optim.apply_updates(want, updates)
        close(params, want, 1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_single_precision_stays(rule: Any) -> None:
    params = {"w": W.astype(np.float32), "b": B.astype(np.float32)}
    state = rule.init(params)
    for _ in range(2):
        updates, state = rule.update(params, state, params)
        assert {x.dtype for x in tree.leaves(updates)} == {np.dtype(np.float32)}
        arrays = [x for x in tree.leaves(state) if isinstance(x, lucid.Tensor) and x.ndim]
        assert {x.dtype for x in arrays} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "make",
    [
        *(optim.adagrad, optim.rmsprop, optim.nadam, optim.radam, optim.adamax, optim.lamb),
        *(optim.adafactor, optim.lbfgs, lambda r: optim.lookahead(optim.sgd(r), 2)),
        lambda r: optim.chain(optim.clip_by_global_norm(0.1), optim.scale_by_learning_rate(r)),
    ],
)
def test_derivative_by_the_rate(make: Any) -> None:
    def after(rate: Any) -> Any:
        rule, params = make(rate), {"w": lucid.asarray(W), "b": lucid.asarray(B)}
        state = rule.init(params)
        for _ in range(2):
            g = lucid.grad(lambda p: (p["w"] ** 4).sum() + (p["b"] ** 2).sum())(params)
            updates, state = rule.update(g, state, params)
            params = optim.apply_updates(params, updates)
        return (params["w"] ** 2).sum() + params["b"].sum()

    h = 1e-5
    want = (after(0.02 + h).item() - after(0.02 - h).item()) / (2 * h)
    assert lucid.grad(after)(0.02).item() == pytest.approx(want, rel=1e-6)


def test_accumulation_is_the_mean() -> None:
    k = 3
    got = run(optim.accumulate(optim.adam(0.1), k), 2 * k)
    rule, params = optim.adam(0.1), PARAMS
    state = rule.init(params)
    for i in range(2):
        parts = [grads(k * i + j) for j in range(k)]
        mean = {n: None if n == "none" else sum(p[n] for p in parts) / k for n in PARAMS}
        updates, state = rule.update(mean, state, params)
        params = optim.apply_updates(params, updates)
    close(got, params)
    untouched = run(optim.accumulate(optim.adam(0.1), k), k - 1)
    close(untouched, PARAMS)


def test_lookahead() -> None:
    """By the paper: fast weights restart from the slow ones."""
    slow = fast = W
    rule = optim.adam(0.1)
    state = rule.init(W)
    for k in range(7):
        updates, state = rule.update(grads(k)["w"], state, fast)
        fast = fast + updates.numpy()
        if k % 3 == 2:
            slow = slow + 0.4 * (fast - slow)
            fast = slow
    close(run(optim.lookahead(optim.adam(0.1), 3, 0.4), 7)["w"], fast)


def test_what_is_not_finite_is_skipped() -> None:
    rule = optim.apply_if_finite(optim.sgd(1.0, 0.5), max_consecutive_errors=2)
    state, seen = rule.init(0.0), []
    for g in (1.0, np.inf, np.nan, 1.0, np.nan, np.nan, np.nan):
        update, state = rule.update(g, state)
        seen.append(update.item())
    np.testing.assert_array_equal(seen, [-1.0, 0.0, 0.0, -1.5, 0.0, 0.0, np.nan])
    assert (state.notfinite_count, state.total_notfinite) == (3, 5)


def test_complex_leaves() -> None:
    z = np.array([3 + 4j, 0.1j])
    assert optim.global_norm({"z": z, "x": None}).item() == pytest.approx(np.sqrt(25.01))
    clipped = optim.clip_by_value(1.0).update(z, optim.EmptyState())[0]
    np.testing.assert_allclose(clipped.numpy(), [1 + 1j, 0.1j])
    clipped = optim.clip_by_block_norm(1.0).update(z, optim.EmptyState())[0]
    assert np.linalg.norm(clipped.numpy()) == pytest.approx(1.0)
    assert clipped.dtype == z.dtype


def test_norm_of_nothing() -> None:
    assert optim.global_norm({"a": None}).item() == 0.0


SGD = optim.sgd(0.1)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: optim.chain(SGD, 3), OptionError, "chain: expected gradient trans.*got a int"),  # type: ignore[arg-type]
        (lambda: optim.chain(optim.sgd), OptionError, "got a function; call it"),  # type: ignore[arg-type]
        (lambda: optim.chain(SGD).update(1.0, ()), OperandError, "chain: expected 1 states, got 0"),
        (lambda: optim.masked(SGD, "yes").init(1.0), OperandError, "mask of bools, got a str"),
        (lambda: optim.masked(SGD, {"a": True}).init({"b": 1.0}), OperandError, "upper part"),
        (
            lambda: optim.multi_transform({"a": SGD}, "c").init(1.0),
            OperandError,
            "labels among a, got c",
        ),
        (lambda: optim.accumulate(SGD, 0), OptionError, "a positive integer every_k, got 0"),
        (lambda: optim.lookahead(SGD, True), OptionError, "a positive integer sync_period"),
        (lambda: optim.lookahead(SGD).update(1.0, None), OperandError, "lookahead: expected par"),
        (lambda: optim.clip_by_global_norm(-1.0), OptionError, "max_norm that is not negative"),
        (lambda: optim.clip_by_value(-1.0), OptionError, "max_delta that is not negative"),
        (lambda: optim.add_decayed_weights(-1.0), OptionError, "weight_decay that is not"),
        (
            lambda: optim.add_decayed_weights(0.1).update(1.0, optim.EmptyState()),
            OperandError,
            r"add_decayed_weights: expected params, got none; call update\(grads, state, params\)",
        ),
        (lambda: optim.scale_by_adam(b1=1.0), OptionError, "betas in"),
        (lambda: optim.lamb().update(1.0, optim.lamb().init(1.0)), OperandError, "lamb: expected"),
        (
            lambda: optim.adafactor().update(1.0, optim.adafactor().init(1.0)),
            OperandError,
            "adafactor: expected params",
        ),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
