"""The ambient tape: `requires_grad`, `.backward()`, `.grad`, `no_grad`, inside and outside."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import Tensor
from lucid.core import frames
from lucid.core.frames import Recorded
from lucid.core.parameter import Parameter
from lucid.errors import (
    DTypeError,
    ImmutableTensorError,
    LeakedTensorError,
    NotDifferentiableError,
    OperandError,
    ShapeError,
)


def grad_of(t: Tensor) -> Any:
    """The accumulated gradient as nested lists."""
    assert t.grad is not None
    return t.grad.detach().tolist()


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    before = frames.ambient.get(), frames.silenced.get()
    yield
    assert (frames.ambient.get(), frames.silenced.get()) == before


# -- backward --------------------------------------------------------------------------------------


def test_backward_fills_the_leaves() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    w = Tensor([3.0, 4.0], requires_grad=True)
    constant = Tensor([1.0, 1.0])
    y = (x * w + constant).sum()
    assert (x.is_leaf, y.is_leaf, y.requires_grad) == (True, False, True)
    assert x.grad is None
    y.backward()
    assert (grad_of(x), grad_of(w)) == ([3, 4], [1, 2])
    assert constant.grad is None
    assert y.grad is None
    assert type(x.grad) is Tensor
    assert not x.grad.requires_grad


def test_gradients_accumulate_until_zeroed() -> None:
    x = Tensor(3.0, requires_grad=True)
    y = x * x
    y.backward()
    y.backward()  # values are immutable: the record serves twice
    assert grad_of(x) == 12
    (2 * x).backward()
    assert grad_of(x) == 14
    x.zero_grad()
    assert x.grad is None
    y.backward()
    assert grad_of(x) == 6
    x.grad = None
    assert x.grad is None
    x.grad = Tensor(1.0)
    y.backward()
    assert grad_of(x) == 7


def test_what_grad_takes() -> None:
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(ShapeError, match=r"grad: expected None or a Tensor of shape \(1,\)"):
        x.grad = Tensor(1.0)
    with pytest.raises(OperandError, match="grad: expected None or a Tensor"):
        x.grad = np.ones(1)  # type: ignore[assignment]
    for other in (x * 2, Tensor([1.0])):
        with pytest.raises(ImmutableTensorError, match="requires_grad=True"):
            other.grad = None


def test_gradient_argument() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    with pytest.raises(ShapeError, match="backward: expected a scalar"):
        y.backward()
    y.backward(gradient=np.array([1.0, 10.0]))
    assert grad_of(x) == [2, 40]
    y.backward(Tensor([1.0, 0.0]))
    assert grad_of(x) == [4, 40]
    with pytest.raises(ShapeError, match="gradient of shape"):
        y.backward(1.0)
    with pytest.raises(DTypeError, match="a real gradient"):
        y.backward(np.array([1j, 1j]))
    one = Tensor([[3.0]], requires_grad=True)
    (one * one).backward()  # a single element needs none
    assert grad_of(one) == [[6]]


def test_gradients_have_the_leafs_dtype() -> None:
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    (x * np.ones(2)).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32
    z = Tensor([1 + 2j], requires_grad=True)
    (lucid.abs(z) ** 2).sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), [2 + 4j])  # type: ignore[union-attr]


def test_backward_without_history() -> None:
    for t in (Tensor(1.0), Tensor(1.0, requires_grad=True).detach()):
        with pytest.raises(NotDifferentiableError, match="backward: expected a recorded Tensor"):
            t.backward()
    leaf = Tensor(2.0, requires_grad=True)
    leaf.backward()
    assert grad_of(leaf) == 1
    with pytest.raises(NotDifferentiableError, match="recorded"):
        lucid.floor(leaf).backward()


def test_no_rule_is_no_zero() -> None:
    x = Tensor(1.0, requires_grad=True)
    with pytest.raises(NotDifferentiableError, match="nextafter"):
        lucid.nextafter(x, 2.0).backward()


def test_fan_out_and_shared_parts() -> None:
    x = Tensor(2.0, requires_grad=True)
    y = x
    for _ in range(30):  # 2^30 paths
        y = y + y
    y.backward()
    assert grad_of(x) == 2**30


def test_operations_with_several_results() -> None:
    x = Tensor([3.0, 1.0, 2.0], requires_grad=True)
    _a, b = lucid.linalg.qr(x.reshape(3, 1))
    b.sum().backward()  # only one of the results is used
    expected = lucid.grad(lambda v: lucid.linalg.qr(v.reshape(3, 1))[1].sum())(x.detach())
    np.testing.assert_allclose(grad_of(x), expected.numpy())


# -- no_grad ---------------------------------------------------------------------------------------


def test_no_grad_and_enable_grad() -> None:
    x = Tensor(2.0, requires_grad=True)
    with lucid.no_grad():
        assert not (x * x).requires_grad
        with lucid.enable_grad():
            assert (x * x).requires_grad
            with lucid.no_grad():
                assert not (x * x).requires_grad
        assert not (x * x).requires_grad
        assert Tensor(1.0, requires_grad=True).requires_grad  # a leaf is a leaf
    assert (x * x).requires_grad


def test_no_grad_reaches_every_kind_of_operation() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with lucid.no_grad():
        for y in (
            lucid.sin(x),
            x + 1,
            x.sum(),
            x[0],
            lucid.where(x > 0, x, 0.0),
            x @ x,
            lucid.linalg.qr(x.reshape(2, 1))[0],
            lucid.checkpoint(lambda v: v * v)(x),
        ):
            assert not y.requires_grad


def test_no_grad_as_decorator() -> None:
    x = Tensor(2.0, requires_grad=True)

    @lucid.no_grad()
    def f(t: Tensor, depth: int = 2) -> Tensor:
        """Doc."""
        return f(t, depth - 1) if depth else t * t

    @lucid.enable_grad()
    def g(t: Tensor) -> Tensor:
        return t * t

    assert f.__name__ == "f"
    assert f.__doc__ == "Doc."
    assert not f(x).requires_grad
    assert (x * x).requires_grad
    with lucid.no_grad():
        assert g(x).requires_grad
        assert not (x * x).requires_grad


def test_no_grad_is_undone_after_an_exception() -> None:
    x = Tensor(2.0, requires_grad=True)
    with contextlib.suppress(ZeroDivisionError), lucid.no_grad():
        raise ZeroDivisionError
    assert (x * x).requires_grad
    switch = lucid.no_grad()
    with switch, switch:  # one object, entered twice
        pass
    assert (x * x).requires_grad


def test_no_grad_leaves_transformations_alone() -> None:
    with lucid.no_grad():
        assert lucid.grad(lambda x: x * x)(3.0).item() == 6
        assert lucid.jvp(lambda x: x * x, (3.0,), (1.0,))[1].item() == 6

    def inside(x: Tensor) -> Tensor:
        with lucid.no_grad():
            return x * x

    assert lucid.grad(inside)(3.0).item() == 6

    def tape_inside(x: Tensor) -> Tensor:
        leaf = Tensor(5.0, requires_grad=True)
        (leaf * x).backward()
        assert leaf.grad is not None
        return leaf.grad * x

    with lucid.no_grad():  # outside: the tape inside is a new one
        assert lucid.grad(tape_inside)(3.0).item() == 6


# -- threads ---------------------------------------------------------------------------------------


def in_thread(work: Callable[[], Any]) -> Any:
    out: list[Any] = []
    thread = threading.Thread(target=lambda: out.append(work()))
    thread.start()
    thread.join()
    return out[0]


def test_no_grad_is_per_thread() -> None:
    x = Tensor(2.0, requires_grad=True)
    with lucid.no_grad():
        assert in_thread(lambda: (x * x).requires_grad)
        assert not (x * x).requires_grad


def test_threads_accumulate_into_one_leaf() -> None:
    x = Tensor(np.ones(3), requires_grad=True)
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            start.wait()
            for _ in range(100):
                (x * 2).sum().backward()
                assert lucid.grad(lambda v: (v * v).sum())(np.ones(2)).tolist() == [2, 2]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert grad_of(x) == [800, 800, 800]
    assert gc.isenabled()


# -- with transformations --------------------------------------------------------------------------


def test_backward_through_grad() -> None:
    p = Tensor([1.0, 2.0], requires_grad=True)
    g = lucid.grad(lambda x: (p * x**3).sum())(np.array([2.0, 3.0]))
    g.sum().backward()
    assert grad_of(p) == [12, 27]


@pytest.mark.parametrize(
    ("transformed", "want"),
    [
        (lambda f, x: lucid.vjp(f, x)[1](np.ones(2))[0], [4.0, 6.0]),
        (lambda f, x: lucid.jvp(f, (x,), (np.ones(2),))[1], [4.0, 6.0]),
        (lambda f, x: lucid.linearize(f, x)[1](np.ones(2)), [4.0, 6.0]),
        (lambda f, x: lucid.vmap(f)(x), [13.0, 13.0]),
        (lambda f, x: lucid.jacfwd(f)(x), [4.0, 6.0]),
        (lambda f, x: lucid.jacrev(f)(x), [4.0, 6.0]),
        (lambda f, x: lucid.hessian(lambda v: f(v).sum())(x), [2.0, 2.0]),
        (lambda f, x: lucid.checkpoint(f)(x), [4.0, 9.0]),
        (lambda f, x: lucid.checkpoint(lambda: f(x))(), [4.0, 9.0]),
        (lambda f, x: lucid.value_and_grad(lambda v: f(v).sum())(x)[0], [4.0, 9.0]),
        (lambda f, x: lucid.hvp(lambda v: f(v).sum(), (x,), (np.ones(2),)), [2.0, 2.0]),
    ],
)
def test_backward_through_every_transformation(transformed: Any, want: Any) -> None:
    """The derivative for p of T(x -> p x^2), which is linear in p."""
    x = np.array([2.0, 3.0])
    p = Tensor([1.0, 1.0], requires_grad=True)
    transformed(lambda v: p * v * v, x).sum().backward()
    np.testing.assert_allclose(grad_of(p), want)
    cell = Parameter([1.0, 1.0])
    transformed(lambda v: cell * v * v, x).sum().backward()
    np.testing.assert_allclose(grad_of(cell), want)


def test_grad_through_recorded_arguments() -> None:
    x = Tensor(3.0, requires_grad=True)
    g = lucid.grad(lambda v: v**3)(x)
    assert g.item() == 27
    g.backward()
    assert grad_of(x) == 18
    y = x * 2
    y_grad = lucid.grad(lambda v: v * x)(y)
    assert y_grad.item() == 3
    assert lucid.vmap(lambda v: v * v)(Tensor([1.0, 2.0], requires_grad=True)).requires_grad


def test_leaf_and_backward_inside_grad() -> None:
    def f(x: Tensor) -> Tensor:
        leaf = Tensor(2.0, requires_grad=True)
        (leaf**3 * x**2).backward()
        assert leaf.grad is not None
        return leaf.grad  # 3 * 4 * x^2

    assert f(Tensor(5.0)).item() == 300
    assert lucid.grad(f)(5.0).item() == 120
    assert lucid.jvp(f, (5.0,), (1.0,))[1].item() == 120
    assert lucid.grad(lucid.grad(f))(5.0).item() == 24
    assert lucid.vmap(f)(np.array([1.0, 2.0])).tolist() == [12, 48]
    assert lucid.vmap(lucid.grad(f))(np.array([1.0, 2.0])).tolist() == [24, 48]
    assert lucid.grad(lambda x: lucid.vmap(f)(x).sum())(np.array([1.0, 2.0])).tolist() == [24, 48]
    assert lucid.checkpoint(f)(5.0).item() == 300
    assert lucid.grad(lucid.checkpoint(f))(5.0).item() == 120


def test_leaf_made_of_a_watched_value() -> None:
    def f(x: Tensor) -> Tensor:
        leaf = Tensor(x * x, requires_grad=True)
        (leaf * leaf).sum().backward()
        assert leaf.grad is not None
        return leaf.grad.sum()  # 2 x^2

    assert lucid.grad(f)(np.array([1.0, 2.0])).tolist() == [4, 8]
    assert lucid.vmap(f)(np.array([1.0, 2.0])).tolist() == [2, 8]
    assert lucid.vmap(lucid.grad(f))(np.array([1.0, 2.0])).tolist() == [4, 8]


def test_leaf_of_a_recorded_value_stops_and_goes_on() -> None:
    x = Tensor(3.0, requires_grad=True)
    y = Tensor(x * x, requires_grad=True)  # a leaf that has a history
    (y * y).backward()
    assert grad_of(y) == 18
    assert grad_of(x) == 108


# -- a value that carries an inner level: right, or raises -----------------------------------------


def test_outer_leaf_beside_what_grad_watches() -> None:
    p = Tensor(3.0, requires_grad=True)

    def f(x: Tensor) -> Tensor:
        y = p * x
        with pytest.raises(NotDifferentiableError, match="grad watches too"):
            y.backward()
        return y

    assert lucid.grad(f)(2.0).item() == 3
    assert p.grad is None


def test_outer_leaf_alone_inside_a_body() -> None:
    p = Tensor(3.0, requires_grad=True)

    def f(x: Tensor) -> Tensor:
        (p * p).backward()
        assert p.grad is not None
        return x * p.grad

    assert lucid.grad(f)(2.0).item() == 6
    assert grad_of(p) == 6


def test_outer_leaf_beside_an_inner_leaf() -> None:
    p = Tensor(3.0, requires_grad=True)

    def f(x: Tensor) -> Tensor:
        leaf = Tensor(2.0, requires_grad=True)
        (p * p * leaf).backward()
        assert leaf.grad is not None
        return leaf.grad * x

    assert lucid.grad(f)(5.0).item() == 9
    assert grad_of(p) == 12


@pytest.mark.parametrize("transform", [lucid.grad, lucid.vmap, lucid.checkpoint])
def test_outer_leaf_beside_an_inner_leaf_and_what_is_watched(transform: Any) -> None:
    p = Tensor(3.0, requires_grad=True)

    def f(x: Tensor) -> Tensor:
        leaf = Tensor(2.0, requires_grad=True)
        (p * leaf * x).sum().backward()
        assert leaf.grad is not None
        return (leaf.grad * x).sum()

    with pytest.raises(NotDifferentiableError, match="leaf made outside"):
        transform(f)(np.array(5.0) if transform is not lucid.vmap else np.array([5.0]))
    assert p.grad is None


def test_a_parameter_is_a_leaf_in_every_body() -> None:
    w = Parameter(3.0)

    def f(x: Tensor) -> Tensor:
        (w * w * x).backward()
        assert w.grad is not None
        step, w.grad = w.grad, None
        return step  # 2 w x

    assert lucid.grad(f)(5.0).item() == 6
    assert lucid.grad(lambda x: lucid.grad(f)(x) * x)(5.0).item() == 6
    assert w.grad is None

    def both(x: Tensor) -> Tensor:
        leaf = Tensor(2.0, requires_grad=True)
        (w * leaf).backward()
        assert leaf.grad is not None
        return leaf.grad * x

    assert lucid.grad(both)(5.0).item() == 3
    assert grad_of(w) == 2  # once, though it was read on two tapes


def test_a_gradient_left_behind_leaks_loudly() -> None:
    w = Parameter(3.0)

    def f(x: Tensor) -> Tensor:
        (w * x).backward()
        return x

    lucid.grad(f)(2.0)
    with pytest.raises(LeakedTensorError, match="grad"):
        w.grad + 1  # type: ignore[operator]
    with pytest.raises(LeakedTensorError, match="grad"):
        (w * 2).backward()
    w.grad = None
    (w * 2).backward()
    assert grad_of(w) == 2


def test_a_leaf_that_leaks_says_so() -> None:
    kept: list[Tensor] = []

    def f(x: Tensor) -> Tensor:
        kept.append(Tensor(1.0, requires_grad=True))
        return x

    lucid.grad(f)(1.0)
    with pytest.raises(LeakedTensorError, match="the ambient tape inside grad"):
        kept[0] * 2
    with pytest.raises(LeakedTensorError, match="the ambient tape inside grad"):
        kept[0].backward()


def test_inner_grad_inside_a_recorded_function() -> None:
    p = Tensor(2.0, requires_grad=True)

    def loss(t: Tensor) -> Tensor:
        slope = lucid.grad(lambda x: x**2 * t)(t)  # 2 t^2
        return slope * t

    loss(p).backward()
    assert grad_of(p) == 24
    outer = Tensor(2.0, requires_grad=True)
    for _ in range(2):
        lucid.grad(lambda x: x * loss(outer))(1.0).backward()
    assert grad_of(outer) == 48


# -- size and memory -------------------------------------------------------------------------------


def test_a_million_operations() -> None:
    x = Tensor(0.0, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    y.backward()
    assert (y.item(), grad_of(x)) == (1e6, 1.0)
    del y
    g = lucid.grad(lambda v: _chain(v, 100_000))(1.0)
    assert g.item() == 1.0
    assert lucid.linearize(lambda v: _chain(v, 100_000), 1.0)[1](1.0).item() == 1.0


def _chain(v: Any, n: int) -> Any:
    for _ in range(n):
        v = -v
    return v


CYCLES: dict[str, Callable[[], Any]] = {
    "plain": lambda: lucid.sin(Tensor([1.0])) * 2,
    "backward": lambda: (lucid.sin(Tensor([1.0], requires_grad=True)) * 2).sum().backward(),
    "grad": lambda: lucid.grad(lambda x: (x * x).sum())(np.ones(2)),
    "grad of grad": lambda: lucid.grad(lucid.grad(lambda x: x**3))(1.0),
    "hessian": lambda: lucid.hessian(lambda x: (x**3).sum())(np.ones(2)),
    "masked": lambda: lucid.grad(lambda x: lucid.where(x > 0, lucid.sqrt(x), 0.0).sum())(
        np.array([0.0, 1.0])
    ),
    "vjp": lambda: lucid.vjp(lambda x: x * x, 1.0)[1](1.0),
    "linearize": lambda: lucid.linearize(lambda x: x * x, 1.0)[1](1.0),
    "jvp": lambda: lucid.jvp(lambda x: x * x, (1.0,), (1.0,)),
    "vmap": lambda: lucid.vmap(lambda x: x * x)(np.ones(2)),
    "vmap of grad": lambda: lucid.vmap(lucid.grad(lambda x: x * x))(np.ones(2)),
    "checkpoint": lambda: lucid.grad(lucid.checkpoint(lambda x: x * x))(1.0),
    "parameter": lambda: (Parameter(1.0) * 2).backward(),
    "several results": lambda: lucid.grad(lambda x: lucid.linalg.qr(x.reshape(2, 1))[1].sum())(
        np.array([1.0, 2.0])
    ),
}


@pytest.mark.parametrize("make", CYCLES.values(), ids=CYCLES)
def test_no_reference_cycles(make: Callable[[], Any]) -> None:
    """What a call leaves is freed by counting references alone."""
    for _ in range(2):
        make()  # whatever is cached is now there
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            make()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_record_goes_with_its_result() -> None:
    x = Tensor([1.0], requires_grad=True)
    y = lucid.sin(x) * 2
    note = y._note
    assert isinstance(note, Recorded)
    array = note.ans
    alive = weakref.ref(array)
    del note, array
    assert alive() is not None
    del y
    assert alive() is None
