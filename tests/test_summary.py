"""`nn.summary`: its numbers against counts by hand and `cost`, and that it changes nothing."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import lucid
from lucid import nn
from lucid.errors import OperandError, OptionError, ShapeError
from lucid.random import Generator, default_generator


def cnn() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout(),
        nn.Flatten(),
        nn.Linear(288, 5),
    )


def state(model: nn.Module) -> Any:
    """All of a model that a call could change."""
    own = [
        {n: v for n, v in m.__dict__.items() if n not in ("_modules", "_parameters")}
        for m in model.modules()
    ]
    grads = [p.grad for p in model.parameters()]
    values = {n: (id(v), v.numpy().copy()) for n, v in model.state_dict(prefix="x").items()}
    return copy.deepcopy(own), grads, [v for _, v in values.values()], default_generator.state


def same(a: Any, b: Any) -> bool:
    np.testing.assert_equal([np.asarray(x) for x in a[2]], [np.asarray(x) for x in b[2]])
    np.testing.assert_equal(a[3].numpy(), b[3].numpy())
    return repr(a[0]) == repr(b[0]) and a[1] == b[1]


# -- numbers ---------------------------------------------------------------------------------------


def test_rows_by_hand() -> None:
    model = cnn()
    found = nn.summary(model, (2, 3, 8, 8))
    rows = {r.name: r for r in found.layers}
    assert [r.kind for r in found.layers][:3] == ["Sequential", "Conv2d", "BatchNorm2d"]
    assert rows["0"].output_shapes == ((2, 8, 6, 6),)
    assert rows["0"].flops == 2 * (2 * 8 * 6 * 6) * 27 + 2 * 8 * 6 * 6
    assert rows["5"].flops == 2 * (2 * 5) * 288 + 2 * 5
    assert (rows["0"].parameters, rows["1"].parameters, rows["5"].parameters) == (224, 16, 1445)
    assert (rows["1"].buffers, rows["1"].nbytes) == (17, 8 * 16 + 8 * 17)
    assert (rows[""].parameters, rows[""].flops, rows[""].depth, rows["5"].depth) == (0, 0, 0, 1)
    assert found.parameters == model.count_parameters() == sum(r.parameters for r in found.layers)
    assert found.flops == sum(r.flops or 0 for r in found.layers)
    assert found.output_bytes == 8 * 2 * (4 * 288 + 288 + 5)
    assert found["5"] is rows["5"]


@pytest.mark.parametrize("training", [True, False])
def test_flops_are_those_of_the_captured_graph(training: bool) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 2))
    model.train(training)
    x = np.ones((3, 4))
    cost = lucid.jit(model).lower(x).cost()
    found = nn.summary(model, x)
    assert (found.flops, found.traffic) == (sum(cost.flops.values()), sum(cost.bytes.values()))


def test_recurrent_layers_and_scans_count_every_step() -> None:
    found = nn.summary(nn.LSTM(4, 8), (5, 3, 4))
    assert found.layers[0].output_shapes == ((5, 3, 8), (1, 3, 8), (1, 3, 8))
    products = 2 * 5 * 3 * 32 * (4 + 8)
    assert found.flops is not None
    assert products < found.flops < 1.2 * products
    w = np.ones((8, 8))
    for policy in (None, "recompute"):
        loop = lambda c: lucid.scan(lambda c, _: (c @ w, None), c, length=7, policy=policy)[0]  # noqa: E731, B023
        assert lucid.jit(loop).lower(w).cost().flops["scan"] == 7 * 2 * 8**3
        gradient = lucid.jit(lucid.grad(lambda c: (loop(c) ** 2).sum()))  # noqa: B023
        assert sum(gradient.lower(w).cost().flops.values()) >= 7 * 2 * 8**3
    branch = lucid.jit(lambda x: lucid.cond(x[0, 0] > 0, lambda x: x @ w, lambda x: x, x))
    assert branch.lower(w).cost().flops["cond"] == 2 * 8**3
    wait = lucid.jit(lambda x: lucid.while_loop(lambda c: c[0, 0] < 9, lambda c: c @ w, x))
    assert wait.lower(w).cost().flops["while"] >= 2 * 8**3
    kept = lucid.jit(lambda x: lucid.checkpoint(lambda x: x @ w @ w)(x))
    assert kept.lower(w).cost().flops["matmul"] == 2 * 2 * 8**3


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.b = nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight
        self.unused = nn.Linear(2, 3)
        self.again = self.a
        self.list = [self.a]

    def forward(self, x: Any) -> Any:
        return self.b(self.again(self.list[0](x)))


def test_shared_parameters_count_once() -> None:
    model = Tied()
    model.unused.requires_grad_(False)
    found = nn.summary(model, (3, 2))
    assert [r.name for r in found.layers] == ["", "a", "b", "unused"]
    assert (found["a"].parameters, found["a"].calls, found["a"].flops) == (6, 2, 2 * (24 + 6))
    assert (found["b"].parameters, found["b"].shared, found["b"].flops) == (0, 4, 24)
    assert (found["unused"].calls, found["unused"].output_shapes) == (0, ())
    assert (found.parameters, found.trainable, found.nbytes) == (15, 6, 15 * 8)
    text = repr(found)
    for part in ("(3, 2), 2 calls", "4 shared", "not called", "9 frozen"):
        assert part in text
    assert "15, of which 9 frozen" in text


def test_depth_folds_what_lies_deeper() -> None:
    model = nn.Transformer(16, 2, 1, 1, 32, batch_first=True)
    spec = ((2, 5, 16), (2, 4, 16))
    whole = nn.summary(model, spec)
    for depth in (0, 1, 2, 3, 9):
        part = nn.summary(model, spec, depth=depth)
        assert {r.depth for r in part.layers} == set(range(min(depth, 5) + 1))
        assert part[""].depth == 0
        for name in ("parameters", "trainable", "flops", "traffic", "nbytes", "output_bytes"):
            assert getattr(part, name) == getattr(whole, name)
            if name != "output_bytes":
                assert getattr(part, name) == sum(getattr(r, name) for r in part.layers)
    assert nn.summary(model, spec, depth=2)["encoder.layers"].calls is None
    assert nn.summary(Tied(), (3, 2), depth=0)[""].shared == 0


def test_parametrized_and_frozen_parts() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    layer.bias.requires_grad = False
    found = nn.summary(layer, (5, 3))
    assert found.parameters == layer.count_parameters() == 10
    assert found[""].parameters - found[""].trainable == 2
    assert "2 frozen" in repr(found)
    plain = nn.summary(layer.detach(), (5, 3))
    assert (plain.parameters, plain.trainable) == (10, 8)


# -- what it takes ---------------------------------------------------------------------------------


def test_kinds_of_input() -> None:
    model = nn.Linear(3, 2)
    want = nn.summary(model, (4, 3))
    for given in (
        np.zeros((4, 3)),
        lucid.zeros((4, 3)),
        ((4, 3), "float64"),
        (((4, 3), lucid.float64),),
        ((4, 3),),
        torch.zeros(4, 3, dtype=torch.float64).numpy(),
    ):
        assert nn.summary(model, given) == want
    half = nn.summary(model.float(), (4, 3))
    assert half.nbytes * 2 == want.nbytes
    assert half.output_bytes * 2 == want.output_bytes
    pair = nn.summary(nn.Bilinear(3, 4, 2), ((5, 3), (5, 4)))
    assert pair[""].output_shapes == ((5, 2),)
    words = nn.summary(nn.Embedding(10, 3), ((4, 5), lucid.int64))
    assert words[""].output_shapes == ((4, 5, 3),)


class Named(nn.Module):
    def forward(self, batch: Any, times: int = 1, flag: bool = False) -> Any:
        return {"out": batch["x"] * times if flag else batch["x"], "n": 3, "none": None}


def test_pytrees_and_static_arguments() -> None:
    found = nn.summary(Named(), ({"x": (4, 3)}, 2, True))
    assert found[""].output_shapes == ((4, 3),)
    assert found.flops == 12
    assert nn.summary(Named(), {"x": ((), "float32")})[""].output_shapes == ((),)


def test_a_model_that_cannot_be_captured() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(2, 3), nn.BatchNorm1d(3)
            self.drop = nn.Dropout()
            self.count = 0

        def forward(self, x: Any) -> Any:
            self.count += 1
            return self.drop(self.b(self.a(x))) if float(x.sum()) >= 0 else x

    model = Branches()
    before = state(model)
    found = nn.summary(model, (4, 2))
    assert same(before, state(model))
    assert model.count == 0
    assert (found.flops, found["a"].flops, found["a"].calls) == (None, None, 1)
    assert found["a"].output_shapes == ((4, 3),)
    assert "cannot be captured" in repr(found)
    assert nn.summary(model, -np.ones((4, 2)))["a"].calls == 0


def test_lazy_layers_are_shown_as_they_would_be_and_stay_lazy() -> None:
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    before = default_generator.state.numpy()
    found = nn.summary(model, (2, 3, 6, 6))
    assert [r.kind for r in found.layers] == ["Sequential", "Conv2d", "ReLU", "Flatten", "Linear"]
    assert found.parameters == 4 * 28 + 5 * 65
    assert [type(m).__name__ for m in model][0::3] == ["LazyConv2d", "LazyLinear"]
    np.testing.assert_array_equal(before, default_generator.state.numpy())
    model(lucid.zeros((2, 3, 6, 6)))
    assert nn.summary(model, (2, 3, 6, 6)) == found


# -- what it leaves alone --------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_nothing_changes(training: bool) -> None:
    model = cnn().train(training)
    model[2].eval()
    seen: list[Any] = []
    model[0].register_forward_hook(lambda module, args, output: seen.append(output))
    hooks = dict(model[0]._hooks)
    before = state(model)
    nn.summary(model, (2, 3, 8, 8))
    assert same(before, state(model))
    assert seen == []
    assert model[0]._hooks == hooks
    assert [m._hooks for m in model[1:]] == [{}] * 5


def test_own_generators_stay() -> None:
    class Noise(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.source = Generator(3)
            self.seen: list[Any] = []

        def forward(self, x: Any) -> Any:
            self.seen.append(1)
            return x + self.source.normal(x.shape) * (1 if float(x.sum()) > -1 else 0)

    model = Noise()
    before = model.source.state.numpy()
    nn.summary(model, (3,))
    np.testing.assert_array_equal(before, model.source.state.numpy())
    assert model.seen == []


def test_a_compiled_model_is_not_captured_again() -> None:
    model = cnn()
    captures: list[int] = []

    @lucid.jit
    def run(x: Any) -> Any:
        captures.append(1)
        return model(x)

    x = np.ones((2, 3, 8, 8))
    run(x)
    nn.summary(model, x)
    run(x)
    assert captures == [1]


def test_nothing_is_computed() -> None:
    """A shape that no memory could hold."""
    found = nn.summary(nn.Linear(10, 10), (10**12, 10))
    assert found.flops == 10**12 * 210


def test_errors() -> None:
    with pytest.raises(OperandError, match="summary: expected a Module, got a function"):
        nn.summary(lambda x: x, (3,))  # type: ignore[arg-type]
    for depth in (-1, 1.5, True):
        with pytest.raises(OptionError, match="summary: expected depth a natural number"):
            nn.summary(nn.Linear(1, 1), (1, 1), depth=depth)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="summary: expected a shape of natural numbers"):
        nn.summary(nn.Linear(1, 1), (-1, 1))
    with pytest.raises(OptionError, match="Summary: expected a layer among '', '0', got 'x'"):
        nn.summary(nn.Sequential(nn.ReLU()), (1, 1))["x"]
    with pytest.raises(ShapeError):
        nn.summary(nn.Linear(3, 1), (4, 2))


def test_a_summary_is_a_value() -> None:
    found = nn.summary(cnn(), (2, 3, 8, 8))
    assert pickle.loads(pickle.dumps(found)) == found
    assert hash(found) == hash(nn.summary(cnn(), (2, 3, 8, 8)))
