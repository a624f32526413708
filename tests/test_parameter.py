"""Parameter: a cell that operations read."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import functional
from lucid.core.parameter import Parameter
from lucid.errors import DetachedArrayError, DTypeError, ImmutableTensorError, ShapeError


@pytest.fixture
def p() -> Parameter:
    return Parameter([[1.0, 2.0], [3.0, 4.0]])


def test_is_a_tensor_in_all_it_answers(p: Parameter) -> None:
    assert isinstance(p, lucid.Tensor)
    assert (p.shape, p.dtype, p.ndim, p.size, len(p)) == ((2, 2), np.float64, 2, 4, 2)
    np.testing.assert_array_equal(p.numpy(), [[1, 2], [3, 4]])
    assert p[1, 1].item() == 4
    assert p.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert [row.tolist() for row in p] == [[1.0, 2.0], [3.0, 4.0]]
    assert float(Parameter(2.0)) == 2.0
    assert p.T.shape == (2, 2)
    assert (p.is_leaf, p.requires_grad) == (True, True)
    assert repr(p) == "Parameter([[1., 2.],\n           [3., 4.]], requires_grad=True)"


def test_default_dtype() -> None:
    with lucid.set_default_dtype(lucid.float32):
        assert Parameter([1.0]).dtype == np.float32
    assert Parameter(np.ones(2, np.float32)).dtype == np.float32
    assert Parameter([1, 2], dtype=lucid.float32).dtype == np.float32


def test_copies_what_it_is_given() -> None:
    x = np.ones(2)
    p = Parameter(x)
    x[0] = 5
    assert p.tolist() == [1, 1]
    p.data = x
    x[0] = 7
    assert p.tolist() == [5, 1]


def test_backward_accumulates_through_every_read(p: Parameter) -> None:
    (p * p + p).sum().backward()
    np.testing.assert_array_equal(p.grad.numpy(), 2 * p.numpy() + 1)
    p.sum().backward()
    np.testing.assert_array_equal(p.grad.numpy(), 2 * p.numpy() + 2)
    p.zero_grad()
    assert p.grad is None


def test_operands_of_every_kind(p: Parameter) -> None:
    for f in (
        lambda: p @ p,
        lambda: p @ np.eye(2),
        lambda: np.eye(2) @ p,
        lambda: 2 - p,
        lambda: lucid.exp(p),
        lambda: lucid.concat([p, p]),
        lambda: lucid.asarray(p),
        lambda: lucid.Tensor(p),
        lambda: lucid.Tensor([p, p]),
        lambda: p[0],
        lambda: p.at[0].set(1.0),
        lambda: p.reshape(4),
        lambda: p.astype(np.float32),
        lambda: functional.linear(p, p),
        lambda: functional.softmax(p),
        lambda: functional.mse_loss(p, 0.0),
        lambda: functional.relu(p),
        lambda: functional.leaky_relu(p, 0.1),
        lambda: functional.gelu(p),
        lambda: lucid.einsum("ij,ij->i", p, p),
        lambda: lucid.where(p > 2, p, 0.0),
        lambda: np.sin(p),  # type: ignore[call-overload]
    ):
        p.grad = None
        f().sum().backward()
        assert p.grad is not None


def test_frozen_reads_as_a_constant(p: Parameter) -> None:
    p.requires_grad = False
    assert not (p * 2).requires_grad
    x = lucid.Tensor(1.0, requires_grad=True)
    (p * x).sum().backward()
    assert p.grad is None
    p.requires_grad_()
    assert (p * 2).requires_grad


def test_no_grad(p: Parameter) -> None:
    with lucid.no_grad():
        assert not (p * 2).requires_grad
        np.testing.assert_array_equal(np.asarray(p), p.numpy())
        with lucid.enable_grad():
            assert (p * 2).requires_grad


def test_data_is_rebound(p: Parameter) -> None:
    before = p.data
    recorded = p * p
    p.data = p.data + 1
    assert before.tolist() == [[1, 2], [3, 4]]
    assert p.tolist() == [[2, 3], [4, 5]]
    recorded.sum().backward()  # the value that was read
    np.testing.assert_array_equal(p.grad.numpy(), [[2, 4], [6, 8]])
    p.data = (p * 2).astype(np.float32)  # what it holds has no history
    assert p.dtype == np.float32
    assert not p.data.requires_grad


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda p: setattr(p, "data", np.ones(3)), ShapeError, "value of shape .2, 2."),
        (lambda p: setattr(p, "data", np.ones((2, 2), int)), DTypeError, "dtype like float64"),
        (lambda p: setattr(p, "grad", lucid.ones(3)), ValueError, "shape"),
        (lambda p: np.asarray(p), DetachedArrayError, "detach"),
        (lambda p: p.__setitem__(0, 1.0), ImmutableTensorError, "at"),
        (lambda p: Parameter([1, 2]), DTypeError, "floating or complex"),
        (lambda p: setattr(Parameter([1], False), "requires_grad", True), DTypeError, "floating"),
    ],
)
def test_wrong_changes(p: Parameter, change: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        change(p)


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<"])
def test_in_place_arithmetic_is_refused(p: Parameter, symbol: str) -> None:
    with pytest.raises(ImmutableTensorError, match="optimiser"):
        exec(f"p {symbol}= 2", {"p": p})


def test_identity(p: Parameter) -> None:
    q = Parameter(p)
    assert q is not p
    assert len({p, q, p}) == 2
    assert bool((p == q).all())


def test_copies_and_pickles(p: Parameter) -> None:
    p.sum().backward()
    frozen = Parameter([1.0], requires_grad=False)
    for q in (copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert type(q) is Parameter
        assert (q.tolist(), q.requires_grad, q.grad) == (p.tolist(), True, None)
    assert not copy.deepcopy(frozen).requires_grad
    pair = copy.deepcopy([p, p])
    assert pair[0] is pair[1]


# -- under transformations -------------------------------------------------------------------------


def test_grad_of_a_function_that_reads_it(p: Parameter) -> None:
    x = lucid.grad(lambda x: (p * p * x).sum())(2.0)
    assert x.item() == 30
    x.backward()  # the gradient depends on p as well
    np.testing.assert_array_equal(p.grad.numpy(), 2 * p.numpy())


def test_grad_with_respect_to_it(p: Parameter) -> None:
    g = lucid.grad(lambda q: (q**3).sum())(p)
    np.testing.assert_allclose(g.numpy(), 3 * p.numpy() ** 2)
    g.sum().backward()
    np.testing.assert_allclose(p.grad.numpy(), 6 * p.numpy())


def test_backward_inside_grad(p: Parameter) -> None:
    def f(x: Any) -> Any:
        p.grad = None
        (p * p * x).sum().backward()
        return (p.grad * p.grad).sum()

    assert lucid.grad(f)(3.0).item() == pytest.approx(2 * 3 * 4 * 30)
    assert lucid.grad(lambda x: lucid.stop_gradient(p * x).sum())(1.0).item() == 0


def test_every_body_around_records(p: Parameter) -> None:
    def inner(x: Any) -> Any:
        return (p * p * p * x).sum()

    def outer(x: Any) -> Any:
        y = lucid.grad(inner)(x)
        (p.sum() * 2).backward()
        return y * x

    value = lucid.grad(outer)(2.0)
    np.testing.assert_array_equal(p.grad.numpy(), np.full((2, 2), 2.0))
    p.grad = None
    value.backward()  # d/dp of Σp³
    np.testing.assert_allclose(p.grad.numpy(), 3 * p.numpy() ** 2)


def test_vmap_reads_it(p: Parameter) -> None:
    x = np.arange(6.0).reshape(3, 2)
    y = lucid.vmap(lambda v: p @ v)(x)
    np.testing.assert_allclose(y.numpy(), x @ p.numpy().T)
    y.sum().backward()
    np.testing.assert_allclose(p.grad.numpy(), np.tile(x.sum(0), (2, 1)))
    y = lucid.vmap(lambda q: q * 2)(p)
    assert y.tolist() == [[2, 4], [6, 8]]


def test_a_traced_value_leaks_loudly(p: Parameter) -> None:
    def f(x: Any) -> Any:
        p.data = p.data * x
        return (p * p).sum()

    assert lucid.grad(f)(1.0).item() == 60
    with pytest.raises(lucid.errors.LeakedTensorError, match="leaked out of grad"):
        p * 2
