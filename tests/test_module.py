"""Module: registration, traversal, state, the pytree, and the layers made of it."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch

import lucid
from lucid import functional, nn, tree
from lucid.errors import (
    DTypeError,
    IndexOutOfBoundsError,
    MissingAttributeError,
    OperandError,
    ShapeError,
    StateDictError,
    UnsupportedError,
)
from lucid.nn import init


class Block(nn.Module):
    """Two layers, a buffer, and an attribute of every other kind."""

    def __init__(self, n: int = 3) -> None:
        super().__init__()
        self.linear = nn.Linear(n, n)
        self.scale = nn.Parameter(2.0)
        self.register_buffer("shift", np.full(n, 0.5))
        self.register_buffer("cache", np.zeros(1), persistent=False)
        self.register_parameter("absent", None)
        self.size = n
        self.both = [self.linear, self.scale]

    def forward(self, x: Any) -> Any:
        linear, scale = self.both
        return linear(x) * scale + self.shift


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Block()
        self.second = Block()
        self.second.linear.weight = self.first.linear.weight

    def forward(self, x: Any) -> Any:
        return self.second(lucid.tanh(self.first(x)))


@pytest.fixture
def net() -> Net:
    lucid.random.seed(0)
    return Net()


X = np.linspace(-1, 1, 6).reshape(2, 3)
NAMES = [
    *("first.scale", "first.linear.weight", "first.linear.bias"),
    *("second.scale", "second.linear.bias"),
]


def loss(model: Any, x: Any = X) -> Any:
    return (model(x) ** 2).sum()


# -- registration and traversal --------------------------------------------------------------------


def test_names(net: Net) -> None:
    assert [n for n, _ in net.named_parameters()] == NAMES
    every = [n for n, _ in net.named_parameters(remove_duplicate=False)]
    assert every == [*NAMES[:4], "second.linear.weight", "second.linear.bias"]
    assert [n for n, _ in net.named_parameters("net")] == [f"net.{n}" for n in NAMES]
    assert [n for n, _ in net.first.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in net.named_modules()] == [
        *("", "first", "first.linear", "second", "second.linear")
    ]
    assert [n for n, _ in net.named_children()] == ["first", "second"]
    assert list(net.children()) == [net.first, net.second]
    assert len(list(net.modules())) == 5
    assert [n for n, _ in net.first.named_buffers()] == ["shift", "cache"]
    assert len(list(net.buffers())) == 4
    assert len(list(net.parameters())) == 5
    assert net.count_parameters() == 9 + 3 + 1 + 3 + 1
    net.first.scale.requires_grad = False
    assert net.count_parameters(trainable_only=True) == 9 + 3 + 3 + 1


def test_access_by_path(net: Net) -> None:
    assert net.get_submodule("first.linear") is net.first.linear
    assert net.get_submodule("") is net
    assert net.get_parameter("first.linear.bias") is net.first.linear.bias
    assert net.get_buffer("second.shift") is net.second.shift
    for call in (net.get_submodule, net.get_parameter, net.get_buffer):
        with pytest.raises(MissingAttributeError, match=r"'nowhere\.x'|'nowhere' in"):
            call("nowhere.x")
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'third'"):
        net.third  # noqa: B018
    assert not hasattr(net, "third")
    assert {"first", "second", "forward"} <= set(dir(net))


def test_attributes_move_between_registries(net: Net) -> None:
    block = net.first
    block.extra = 3
    block.extra = nn.Parameter(1.0)
    assert "extra" not in block.__dict__
    assert "extra" in dict(block.named_parameters())
    block.extra = nn.ReLU()
    assert "extra" in dict(block.named_children())
    assert "extra" not in dict(block.named_parameters())
    del block.extra
    assert not hasattr(block, "extra")
    block.size = 4
    del block.size
    assert not hasattr(block, "size")
    block.linear.bias = None
    assert "linear.bias" not in dict(block.named_parameters())
    block.linear.bias = nn.Parameter(np.ones(3))
    assert "linear.bias" in dict(block.named_parameters())
    block.shift = lucid.zeros(3)
    assert block.get_buffer("shift").tolist() == [0, 0, 0]
    block.shift = None
    assert block.shift is None


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda b: setattr(b, "scale", 3.0), OperandError, "Block.scale: .*scale.data = value"),
        (lambda b: setattr(b, "scale", lucid.ones(1)), OperandError, "nn.Parameter"),
        (lambda b: setattr(b, "shift", 3.0), OperandError, "Block.shift: expected a Tensor"),
        (lambda b: setattr(b, "linear", len), OperandError, "expected a Module or None"),
        (lambda b: b.register_buffer("a.b", 1.0), OperandError, "name without dots, got 'a.b'"),
        (lambda b: b.register_buffer("", 1.0), OperandError, "name without dots"),
        (lambda b: b.register_buffer("size", 1.0), OperandError, "existing attribute 'size'"),
        (lambda b: b.register_parameter("p", lucid.ones(1)), OperandError, "a Parameter or None"),
        (lambda b: b.register_module("m", 3), OperandError, "a Module or None"),
        (lambda b: b.train(1), OperandError, "mode True or False"),
        (lambda b: b.to(np.int64), DTypeError, "floating or complex dtype, got int64"),
        (lambda b: b.to("cuda"), OperandError, 'device "cpu"'),
        (lambda b: nn.Module()(1), UnsupportedError, "define forward"),
    ],
)
def test_wrong_calls(change: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        change(Block())


@pytest.mark.parametrize("value", [nn.Parameter(1.0), nn.ReLU()])
def test_init_comes_first(value: Any) -> None:
    class Bad(nn.Module):
        def __init__(self) -> None:
            self.value = value

    with pytest.raises(AttributeError, match=r"Bad.value: .*call super\(\).__init__\(\) first"):
        Bad()


def test_hidden_modules_are_no_silent_loss() -> None:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers: list[Any] = []
            self.layers.append(nn.Linear(1, 1))

    model = Hidden()
    match = r"Hidden.layers: .*list holding a Linear; use nn.ModuleList"
    with pytest.raises(OperandError, match=match):
        list(model.parameters())
    with pytest.raises(OperandError, match=match):
        tree.leaves(model)
    model.layers = nn.ModuleList(model.layers)
    assert len(list(model.parameters())) == 2


# -- modes, conversions, state ---------------------------------------------------------------------


def test_modes(net: Net) -> None:
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    assert not loss(net).requires_grad
    seen: list[Any] = []
    assert net.apply(seen.append) is net
    assert seen[-1] is net
    assert len(seen) == 5


def test_zero_grad(net: Net) -> None:
    loss(net).backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all((p.grad == 0).all() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_to(net: Net) -> None:
    weight = net.first.linear.weight
    net.first.register_buffer("count", np.zeros(2, int))
    loss(net).backward()
    assert net.to(lucid.float32) is net
    assert net.first.linear.weight is weight
    assert net.second.linear.weight is weight
    assert {p.dtype for p in net.parameters()} == {np.dtype("float32")}
    assert {p.grad.dtype for p in net.parameters()} == {np.dtype("float32")}
    assert net.first.shift.dtype == np.float32
    assert net.first.count.dtype == np.int64
    assert net(X.astype(np.float32)).dtype == np.float32
    assert net.to(np.complex64).to(np.float64).first.scale.dtype == np.complex128
    assert net.to("cpu").to(device="cpu") is net
    assert Block().float().scale.dtype == np.float32
    assert Block().to(np.float32).double().scale.dtype == np.float64


def test_state_dict_round_trip(net: Net) -> None:
    state = net.state_dict()
    assert list(state)[:5] == [
        *("first.scale", "first.shift", "first.linear.weight", "first.linear.bias"),
        "second.scale",
    ]
    assert "first.cache" not in state
    assert all(type(v) is lucid.Tensor and not v.requires_grad for v in state.values())
    other = Net()
    other.second.shift = lucid.zeros(3)
    assert other.load_state_dict(state) == ([], [])
    np.testing.assert_array_equal(other(X).numpy(), net(X).numpy())
    other.load_state_dict({k: v.numpy() for k, v in state.items()})
    assert next(iter(net.state_dict(prefix="net."))) == "net.first.scale"
    net.first.scale.data = 9.0
    assert state["first.scale"].item() == 2.0


def test_load_state_dict_changes_nothing_unless_all_fits(net: Net) -> None:
    state = {**net.state_dict(), "first.scale": lucid.ones(2), "more": lucid.ones(1)}
    del state["second.shift"]
    before = net.state_dict()
    match = (
        r"load_state_dict: expected the state of this Net, got first.scale has shape \(2,\) "
        r"instead of \(\), second.shift is missing, more is unexpected"
    )
    with pytest.raises(StateDictError, match=match):
        net.load_state_dict(state)
    for k, v in net.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), before[k].numpy())
    with pytest.raises(StateDictError, match="strict=False skips names, not shapes"):
        net.load_state_dict({"first.scale": lucid.ones(2)}, strict=False)
    result = net.load_state_dict({"first.scale": 5, "more": 1.0}, strict=False)
    assert result.unexpected_keys == ["more"]
    assert "second.shift" in result.missing_keys
    assert net.first.scale.item() == 5.0
    assert net.first.scale.dtype == np.float64


def test_pickle_and_deepcopy(net: Net) -> None:
    net.eval()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.first.linear.weight is other.second.linear.weight
        assert other.first.both[0] is other.first.linear
        assert other.first.linear is not net.first.linear
        assert not other.training
        np.testing.assert_array_equal(other(X).numpy(), net(X).numpy())
    assert len({net, copy.deepcopy(net), net}) == 2


# -- the pytree ------------------------------------------------------------------------------------


def test_leaves(net: Net) -> None:
    assert tree.paths(net) == [
        *(".first.scale", ".first.shift", ".first.cache"),
        *(".first.linear.weight", ".first.linear.bias"),
        *(".second.scale", ".second.shift", ".second.cache", ".second.linear.bias"),
    ]
    found, structure = tree.flatten(net)
    assert found[3] is net.first.linear.weight
    clone = tree.unflatten(structure, found)
    assert clone is not net
    assert clone.first.linear.weight is net.first.linear.weight
    assert clone.first.both[0] is clone.first.linear
    assert tree.flatten(clone)[1] == structure
    clone.first.scale = nn.Parameter(7.0)
    assert net.first.scale.item() == 2.0


def test_structures_tell_static_attributes_apart(net: Net) -> None:
    structure = tree.flatten(net)[1]
    assert tree.flatten(copy.deepcopy(net))[1] == structure
    assert hash(tree.flatten(copy.deepcopy(net))[1]) == hash(structure)
    for change in (
        lambda m: m.eval(),
        lambda m: setattr(m.first, "size", 5),
        lambda m: setattr(m.first, "absent", nn.Parameter(1.0)),
        lambda m: setattr(m.second.linear, "weight", nn.Parameter(np.ones((3, 3)))),
        lambda m: setattr(m.first.scale, "requires_grad", False),
        lambda m: setattr(m.first, "table", np.ones(2)),
    ):
        other = copy.deepcopy(net)
        change(other)
        assert tree.flatten(other)[1] != structure
        assert tree.flatten(copy.deepcopy(other))[1] == tree.flatten(other)[1]


def test_leaves_of_any_kind(net: Net) -> None:
    zeros = tree.map(lambda p: 0, net)
    assert zeros.first.linear.weight == 0
    shapes = tree.map(lambda p: p.shape, net)
    assert shapes.second.linear.weight == (3, 3)
    same = lucid.zeros(3)
    shared = tree.map(lambda p: same, net)
    assert tree.flatten(shared)[1] == tree.flatten(net)[1]


def test_grad_is_a_module_like_it(net: Net) -> None:
    grads = lucid.grad(loss)(net)
    assert type(grads) is Net
    assert tree.flatten(grads)[1] == tree.flatten(net)[1]
    loss(net).backward()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(
            grads.get_parameter(name).numpy(), p.grad.numpy(), rtol=1e-12, err_msg=name
        )
    assert grads.second.linear.weight is grads.first.linear.weight
    assert (grads.first.shift == 0).all()  # a buffer is a constant
    with lucid.no_grad():
        stepped = tree.map(lambda p, g: p - 0.001 * g, net, lucid.grad(loss)(net))
    assert loss(stepped).item() < loss(net).item()
    np.testing.assert_array_equal(stepped.first.shift.numpy(), net.first.shift.numpy())


def test_frozen_parameters_have_zero_gradient(net: Net) -> None:
    net.first.scale.requires_grad = False
    grads = lucid.grad(loss)(net)
    assert grads.first.scale.item() == 0
    assert grads.second.scale.item() != 0
    again = lucid.grad(loss)(tree.map(lambda p: lucid.Tensor(p).detach(), net))
    assert again.first.scale.item() == 0


def test_detach(net: Net) -> None:
    plain = net.detach()
    assert type(plain) is Net
    assert all(type(leaf) is lucid.Tensor for leaf in tree.leaves(plain))
    assert tree.flatten(plain)[1] == tree.flatten(net)[1]
    grads = lucid.grad(loss)(plain)
    assert not grads.first.scale.requires_grad
    np.testing.assert_array_equal(plain(X).numpy(), net(X).numpy())


def test_transformations_of_modules(net: Net) -> None:
    value, grads = lucid.value_and_grad(loss)(net, X)
    ones = tree.map(lambda p: lucid.ones(p.shape), net)
    y, slope = lucid.jvp(lambda m: loss(m), (net,), (ones,))
    assert y.item() == pytest.approx(value.item())
    total = sum((g.sum().item() for g in tree.leaves(grads)), 0.0)
    assert slope.item() == pytest.approx(total)
    each = lucid.vmap(lucid.grad(lambda m, x: loss(m, x[None])), in_axes=(None, 0))(net, X)
    np.testing.assert_allclose(
        each.first.linear.weight.numpy().sum(0), grads.first.linear.weight.numpy()
    )
    stack = tree.map(lambda p: lucid.stack([p, 2 * p]), net)
    out = lucid.vmap(lambda m, x: m(x), in_axes=(0, None))(stack, X)
    np.testing.assert_allclose(out.numpy()[0], net(X).numpy())


def test_the_gradient_of_a_module_can_be_followed_back(net: Net) -> None:
    def penalty(model: Any) -> Any:
        return sum((g**2).sum() for g in tree.leaves(lucid.grad(loss)(model)))

    want = lucid.grad(penalty)(net)
    penalty(net).backward()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(p.grad.numpy(), want.get_parameter(name).numpy(), rtol=1e-9)


def test_functional_call(net: Net) -> None:
    other = {name: p * 0 for name, p in net.named_parameters()}
    out = nn.functional_call(net, other, X)
    np.testing.assert_array_equal(out.numpy(), np.full((2, 3), 0.5))
    assert loss(net).item() != 0
    tied = nn.functional_call(net, {"second.linear.weight": np.zeros((3, 3))}, (X,))
    both = nn.functional_call(net, {"first.linear.weight": np.zeros((3, 3))}, args=X)
    np.testing.assert_array_equal(tied.numpy(), both.numpy())
    g = lucid.grad(lambda s: nn.functional_call(net, {"first.shift": s}, X).sum())(np.zeros(3))
    assert (g != 0).any()  # a buffer that is passed is an argument like any other
    split = ({"first.scale": 1.0}, {"second.scale": 1.0})
    assert nn.functional_call(net, split, (), {"x": X}).shape == (2, 3)
    with pytest.raises(StateDictError, match="expected names of this Net: first"):
        nn.functional_call(net, {"third": 1.0}, X)
    with pytest.raises(StateDictError, match="each name once"):
        nn.functional_call(net, ({"first.scale": 1.0}, {"first.scale": 1.0}), X)
    with pytest.raises(StateDictError, match="none for first"):
        nn.functional_call(net, dict(net.named_parameters()), X, strict=True)


def test_shared_modules() -> None:
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    assert model.count_parameters() == 6
    clone = tree.map(lambda p: p * 1, model)
    assert clone[0] is clone[2]
    x = np.ones((1, 2))
    grads = lucid.grad(lambda m: m(x).sum())(model)
    model(x).sum().backward()
    np.testing.assert_allclose(grads[0].weight.numpy(), shared.weight.grad.numpy())
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


# -- showing ---------------------------------------------------------------------------------------


def test_repr_is_pytorchs() -> None:
    def build(n: Any) -> Any:
        inner = n.Sequential(n.Linear(2, 3), n.ReLU())
        return n.Sequential(
            inner,
            n.ModuleList([n.Tanh(), n.Tanh(), n.Sigmoid()]),
            n.ModuleDict({"a": n.Flatten(), "b": n.Identity()}),
            n.LeakyReLU(0.2),
            n.Softmax(dim=-1),
            n.MSELoss(),
        )

    assert repr(build(nn)) == repr(build(torch.nn))
    assert repr(nn.MSELoss("sum")) == "MSELoss(reduction='sum')"
    assert "without super" in repr(nn.Module.__new__(nn.Module))


# -- containers ------------------------------------------------------------------------------------


def test_sequential() -> None:
    layers = [nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)]
    model = nn.Sequential(*layers)
    assert len(model) == 3
    assert list(model) == layers
    assert model[0] is layers[0]
    assert model[-1] is layers[2]
    assert list(model[1:]) == layers[1:]
    assert layers[1] in model
    with pytest.raises(IndexOutOfBoundsError, match="index below 3, got 3"):
        model[3]
    named = nn.Sequential(OrderedDict(first=layers[0], act=layers[1]))
    assert list(dict(named.named_children())) == ["first", "act"]
    assert named.first is layers[0]
    assert list(dict(named[:1].named_children())) == ["first"]
    model.append(nn.Tanh()).insert(0, nn.Identity()).extend([nn.Identity()])
    assert [type(m).__name__ for m in model] == [
        *("Identity", "Linear", "ReLU", "Linear", "Tanh", "Identity")
    ]
    assert list(dict(model.named_children())) == list("012345")
    del model[0]
    model[1] = nn.Sigmoid()
    assert isinstance(model.pop(), nn.Identity)
    assert [type(m).__name__ for m in model] == ["Linear", "Sigmoid", "Linear", "Tanh"]


def test_module_list_and_dict() -> None:
    many = nn.ModuleList(nn.Linear(1, 1) for _ in range(3))
    assert len(list(many.parameters())) == 6
    assert isinstance(many[:2], nn.ModuleList)
    assert len(many[:2]) == 2
    with pytest.raises(OperandError, match="a Module or None"):
        many.append(3)
    named = nn.ModuleDict({"a": nn.ReLU()})
    named.update({"b": nn.Tanh()})
    assert list(named) == list(named.keys()) == ["a", "b"]
    assert "b" in named
    assert [type(m).__name__ for m in named.values()] == ["ReLU", "Tanh"]
    assert named.pop("a") is not None
    assert [n for n, _ in named.items()] == ["b"]
    del named["b"]
    named["c"] = nn.ReLU()
    named.clear()
    assert len(named) == 0


def test_parameter_list_and_dict() -> None:
    many = nn.ParameterList([np.ones(2), nn.Parameter(3.0)])
    many.append(lucid.zeros(1))
    assert [p.shape for p in many] == [(2,), (), (1,)]
    assert len(list(many.parameters())) == 3
    many[1] = 4.0
    assert many[1].item() == 4.0
    assert many[-1] is list(many)[2]
    assert "(0): Parameter of float64 and shape (2,)" in repr(many)
    named = nn.ParameterDict({"w": np.ones(2)})
    named["b"] = 1.0
    assert [n for n, _ in named.items()] == list(named.keys()) == list(named) == ["w", "b"]
    assert "b" in named
    assert len(named) == 2
    assert named.pop("b").item() == 1.0
    assert len(list(named.values())) == 1
    with pytest.raises(OperandError, match="expected parameters, got a ReLU"):
        named["m"] = nn.ReLU()
    del named["w"]
    named.clear()


# -- layers against PyTorch ------------------------------------------------------------------------


def twin(ours: nn.Module, theirs: Any) -> Any:
    """Give PyTorch's module the state of ours."""
    state = {k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()}
    theirs.double().load_state_dict(state)
    return theirs


@pytest.mark.parametrize(
    ("make", "shapes"),
    [
        (lambda n: n.Linear(3, 4), [(5, 3)]),
        (lambda n: n.Linear(3, 4, bias=False), [(2, 5, 3)]),
        (lambda n: n.Bilinear(3, 2, 4), [(5, 3), (5, 2)]),
        (lambda n: n.Flatten(), [(2, 3, 4)]),
        (lambda n: n.Flatten(0, 1), [(2, 3, 4)]),
        (lambda n: n.Unflatten(1, (3, -1)), [(2, 12)]),
        (lambda n: n.Identity(), [(2,)]),
        (lambda n: n.Sequential(n.Linear(3, 5), n.Tanh(), n.Linear(5, 2)), [(4, 3)]),
        (lambda n: n.PReLU(3), [(2, 3, 2)]),
    ],
)
def test_layers(make: Any, shapes: Any) -> None:
    lucid.random.seed(1)
    ours, rng = make(nn), np.random.default_rng(0)
    theirs = twin(ours, make(torch.nn))
    xs = [rng.standard_normal(s) for s in shapes]
    ins = [lucid.Tensor(x, requires_grad=True) for x in xs]
    torch_ins = [torch.tensor(x, requires_grad=True) for x in xs]
    out, want = ours(*ins), theirs(*torch_ins)
    np.testing.assert_allclose(out.numpy(), want.detach().numpy(), rtol=1e-12, atol=1e-13)
    (out * out).sum().backward()
    (want * want).sum().backward()
    for a, b in [
        *zip(ins, torch_ins, strict=True),
        *zip(ours.parameters(), theirs.parameters(), strict=True),
    ]:
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-11, atol=1e-12)


def test_shapes_that_do_not_fit() -> None:
    layer = nn.Linear(3, 4)
    with pytest.raises(
        ShapeError, match=r"linear: expected an input of shape .*\(2, 2\) and \(4, 3\)"
    ):
        layer(np.ones((2, 2)))
    with pytest.raises(ShapeError, match=r"linear: expected a bias of shape \(4,\)"):
        functional.linear(np.ones((2, 3)), layer.weight, np.ones(3))
    with pytest.raises(ShapeError, match="unflatten: expected lengths whose product is 12"):
        nn.Unflatten(1, (5, -1))(np.ones((2, 12)))
    with pytest.raises(ShapeError, match="flatten: expected start_dim not behind end_dim"):
        functional.flatten(np.ones((2, 3)), 1, 0)


# -- initial values --------------------------------------------------------------------------------


def test_linear_starts_as_in_pytorch() -> None:
    lucid.random.seed(0)
    layer = nn.Linear(100, 200)
    for p in layer.parameters():
        assert abs(p.numpy()).max() <= 0.1
        assert p.numpy().std() == pytest.approx(0.1 / np.sqrt(3), rel=0.1)
    lucid.random.seed(0)
    np.testing.assert_array_equal(nn.Linear(100, 200).weight.numpy(), layer.weight.numpy())
    assert nn.Linear(2, 2, dtype=lucid.float32).weight.dtype == np.float32
    with lucid.set_default_dtype(lucid.float32):
        assert nn.Linear(2, 2).bias.dtype == np.float32


@pytest.mark.parametrize(
    ("fill", "std"),
    [
        (lambda p, g: init.uniform_(p, -1, 1, g), 1 / np.sqrt(3)),
        (lambda p, g: init.normal_(p, 0.0, 2.0, g), 2.0),
        (lambda p, g: init.xavier_uniform_(p, 1.0, g), np.sqrt(2 / 500)),
        (lambda p, g: init.xavier_normal_(p, 2.0, g), 2 * np.sqrt(2 / 500)),
        (lambda p, g: init.kaiming_uniform_(p, generator=g), np.sqrt(2 / 300)),
        (lambda p, g: init.kaiming_normal_(p, 1.0, "fan_out", generator=g), np.sqrt(1 / 200)),
        (lambda p, g: init.fan_in_uniform_(p, 300, g), 1 / np.sqrt(900)),
        (lambda p, g: init.orthogonal_(p, generator=g), 1 / np.sqrt(300)),
        (lambda p, g: init.trunc_normal_(p, 0, 1, -2, 2, g), 0.8796),
    ],
)
def test_random_initialisers(fill: Any, std: float) -> None:
    p = nn.Parameter(np.zeros((200, 300), np.float32))
    assert fill(p, lucid.random.Generator(3)) is p
    first = p.numpy()
    assert first.dtype == np.float32
    # 60000 draws: the deviation of a sample deviates by less than 1 %
    assert first.std() == pytest.approx(std, rel=0.01)
    assert abs(first.mean()) < 0.02 * std
    fill(p, lucid.random.Generator(3))
    np.testing.assert_array_equal(p.numpy(), first)


def test_other_initialisers() -> None:
    p = nn.Parameter(np.zeros((2, 3)))
    assert init.ones_(p).tolist() == [[1, 1, 1]] * 2
    assert init.constant_(p, 0.5).tolist() == [[0.5] * 3] * 2
    assert init.eye_(p).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert init.zeros_(p).tolist() == [[0] * 3] * 2
    wide = init.orthogonal_(nn.Parameter(np.zeros((2, 3, 4))), gain=2.0).numpy().reshape(2, 12)
    np.testing.assert_allclose(wide @ wide.T, 4 * np.eye(2), atol=1e-12)
    x = np.random.default_rng(0).standard_normal((1, 4, 5))
    for groups in (1, 2):
        w = torch.empty(4, 4 // groups, 3)
        torch.nn.init.dirac_(w, groups)
        ours = init.dirac_(nn.Parameter(np.zeros(w.shape)), groups)
        np.testing.assert_array_equal(ours.numpy(), w.numpy())
    assert x.shape == (1, 4, 5)
    rows = init.sparse_(nn.Parameter(np.zeros((10, 4))), 0.25)
    assert (rows.numpy() == 0).sum(0).tolist() == [3] * 4
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    with pytest.raises(ValueError, match="calculate_gain: expected one of linear"):
        init.calculate_gain("swish")
    with pytest.raises(ShapeError, match="at least two axes"):
        init.xavier_normal_(nn.Parameter(np.zeros(3)))
    with pytest.raises(OperandError, match=r"init.uniform_: .*Tensors are immutable"):
        init.uniform_(lucid.zeros(3))
    for name in ("trunc_normal_", "ones_", "eye_"):
        with pytest.raises(
            OperandError, match=rf"init\.{name}: expected a Parameter, got a Tensor"
        ):
            getattr(init, name)(lucid.zeros((3, 3)))


def test_integer_buffers_are_constants() -> None:
    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(2, 1)
            self.register_buffer("count", lucid.asarray(3))

        def forward(self, x: lucid.Tensor) -> lucid.Tensor:
            return self.linear(x) * self.count

    model, x = Counted(), lucid.asarray([[1.0, 2.0]])
    gradient = lucid.grad(lambda m: m(x).sum())(model)
    np.testing.assert_array_equal(gradient.linear.weight.detach().numpy(), 3 * x.numpy())
    assert gradient.count.dtype == np.int64
    assert int(gradient.count) == 0
    lucid.check_grads(lambda m: m(x).sum(), (nn.Linear(2, 1),))
