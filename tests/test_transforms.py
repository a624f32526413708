"""The transformations: arguments, containers, nesting, confusion, leaks, borrowing."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.polynomial import Polynomial

import lucid
from lucid import Tensor, tree
from lucid.core import frames
from lucid.core.parameter import Parameter
from lucid.errors import (
    DTypeError,
    LeakedTensorError,
    LucidError,
    NotDifferentiableError,
    OperandError,
    ShapeError,
    UnsupportedError,
)


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    before = frames.ambient.get(), frames.silenced.get()
    yield
    assert (frames.ambient.get(), frames.silenced.get()) == before


def close(got: Any, want: Any, rtol: float = 1e-11) -> None:
    got = got.detach().numpy() if isinstance(got, Tensor) else np.asarray(got)
    want = want.numpy() if isinstance(want, Tensor) else np.asarray(want)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol)


X = np.array([1.0, 2.0, 3.0])


def square(x: Any) -> Any:
    return (x * x).sum()


# -- grad and value_and_grad -----------------------------------------------------------------------


def test_what_grad_accepts() -> None:
    f = lambda x: x**3  # noqa: E731
    for x in (2.0, np.float64(2), np.array(2.0), Tensor(2.0), Parameter(2.0)):
        g = lucid.grad(f)(x)
        assert type(g) is Tensor
        close(g, 12.0)
    close(lucid.grad(square)(X), 2 * X)
    close(lucid.grad(lambda z: lucid.real(z * z))(1 + 2j), 2 - 4j)
    close(lucid.grad(lambda x: 3.0)(1.0), 0.0)  # a constant has derivative zero
    close(lucid.grad(lambda x: x)(1.0), 1.0)


def test_argnums() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        return a + b**2 + c**3

    args = (1.0, 2.0, 3.0)
    assert [lucid.grad(f, argnums=k)(*args).item() for k in (0, 1, 2, -1, -2)] == [1, 4, 27, 27, 4]
    assert [g.item() for g in lucid.grad(f, argnums=(2, 0))(*args)] == [27, 1]
    assert [g.item() for g in lucid.grad(f, argnums=[0, -1])(*args)] == [1, 27]
    (one,) = lucid.grad(f, argnums=(1,))(*args)
    assert one.item() == 4
    value, g = lucid.value_and_grad(f, 1)(*args)
    assert (value.item(), g.item()) == (32, 4)
    rows = lucid.jacrev(f, argnums=(0, 2))(*args)
    assert [r.item() for r in rows] == [1, 27]
    assert lucid.hessian(f, argnums=2)(*args).item() == 18
    nested = lucid.hessian(f, argnums=(1, 2))(*args)
    assert [[h.item() for h in row] for row in nested] == [[2, 0], [0, 18]]


@pytest.mark.parametrize("argnums", [1, -2, (0, 0), (), (0, -1), True, "0", 0.5, None, (0, True)])
def test_wrong_argnums(argnums: Any) -> None:
    for transform in (lucid.grad, lucid.value_and_grad, lucid.jacrev, lucid.jacfwd, lucid.hessian):
        with pytest.raises(OperandError, match="argnums"):
            transform(lambda x: x, argnums=argnums)(1.0)


def test_keyword_arguments_are_constants() -> None:
    def f(x: Any, *, scale: Any, flag: bool = False) -> Any:
        assert flag
        return (x * scale).sum()

    close(lucid.grad(f)(X, scale=np.array([1.0, 0.0, 2.0]), flag=True), [1, 0, 2])
    close(lucid.jacfwd(f)(X, scale=2.0, flag=True), [2, 2, 2])
    close(lucid.jacrev(f)(X, scale=2.0, flag=True), [2, 2, 2])
    with pytest.raises(OperandError, match="pass the argument by position"):
        lucid.grad(lambda x: x)(x=1.0)


def test_aux() -> None:
    def f(x: Any) -> Any:
        return (x * x).sum(), {"x": x, "twice": 2 * x, "static": "name", "n": 3, "none": None}

    g, aux = lucid.grad(f, has_aux=True)(X)
    (value, aux2), g2 = lucid.value_and_grad(f, has_aux=True)(X)
    y, pull, aux3 = lucid.vjp(f, X, has_aux=True)
    _, tangent, aux4 = lucid.jvp(f, (X,), (X,), has_aux=True)
    j, aux5 = lucid.jacrev(f, has_aux=True)(X)
    j2, aux6 = lucid.jacfwd(f, has_aux=True)(X)
    h, aux7 = lucid.hessian(f, has_aux=True)(X)
    for gradient in (g, g2, pull(1.0)[0], j, j2):
        close(gradient, 2 * X)
    close(value, 14.0)
    close(y, 14.0)
    close(tangent, 28.0)
    close(h, 2 * np.eye(3))
    for a in (aux, aux2, aux3, aux4, aux5, aux6, aux7):
        close(a["twice"] + 0 * a["x"], 2 * X)  # usable: nothing has leaked
        assert (a["static"], a["n"], a["none"]) == ("name", 3, None)


@pytest.mark.parametrize(
    "run",
    [
        lambda f: lucid.grad(f, has_aux=True)(1.0),
        lambda f: lucid.vjp(f, 1.0, has_aux=True),
        lambda f: lucid.jvp(f, (1.0,), (1.0,), has_aux=True),
        lambda f: lucid.jacrev(f, has_aux=True)(1.0),
        lambda f: lucid.jacfwd(f, has_aux=True)(1.0),
        lambda f: lucid.hessian(f, has_aux=True)(1.0),
    ],
)
def test_aux_needs_a_pair(run: Any) -> None:
    for bad in (lambda x: x, lambda x: (x, x, x), lambda x: [x, x]):
        with pytest.raises(OperandError, match="a pair"):
            run(bad)


def test_grad_refuses() -> None:
    with pytest.raises(ShapeError, match=r"scalar output.*vjp"):
        lucid.grad(lambda x: x)(X)
    with pytest.raises(ShapeError, match="scalar output"):
        lucid.grad(lambda x: x.sum(keepdims=True))(X)
    with pytest.raises(DTypeError, match="real floating output"):
        lucid.grad(lambda z: z * z)(1j)
    with pytest.raises(DTypeError, match="real floating output"):
        lucid.grad(lambda x: (x > 0).sum())(X)
    for bad in (3, np.arange(3), True, Tensor([1, 2])):
        with pytest.raises(DTypeError, match="in argument 0; convert it to floating"):
            lucid.grad(square)(bad)
    with pytest.raises(DTypeError, match=r"in argument 1 at \['n'\]"):
        lucid.grad(lambda a, b: a, argnums=1)(1.0, {"n": 3, "x": X})
    for bad in ("text", object(), None):
        with pytest.raises((OperandError, TypeError)):
            lucid.grad(square)(bad)
    for out in (None, "text", object(), (1.0, 2.0), lambda y: y):
        with pytest.raises(OperandError, match="as output"):
            lucid.grad(lambda x, out=out: out)(1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda f: lucid.grad(f),
        lambda f: lucid.value_and_grad(f),
        lambda f: lucid.vjp(f, 1.0),
        lambda f: lucid.jvp(f, (1.0,), (1.0,)),
        lambda f: lucid.linearize(f, 1.0),
        lambda f: lucid.vmap(f),
        lambda f: lucid.hessian(f),
    ],
)
def test_a_function_is_wanted(make: Any) -> None:
    with pytest.raises(OperandError, match="expected a function, got float"):
        make(3.0)


def test_names_and_docs_survive() -> None:
    def documented(x: Any) -> Any:
        """A docstring."""
        return x

    for t in (lucid.grad, lucid.vmap, lucid.jacfwd, lucid.jacrev, lucid.hessian, lucid.checkpoint):
        assert t(documented).__name__ == "documented"
        assert t(documented).__doc__ == "A docstring."


# -- containers ------------------------------------------------------------------------------------


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclasses.dataclass
class Model:
    w: Any
    parts: Any
    name: str = "model"


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: Any
    mode: str = "mode"


def model() -> Model:
    return Model(X, {"z": [Tensor(2.0), None], "a": Pair(np.ones((2, 2)), 3.0)})


def model_loss(m: Model) -> Any:
    assert m.name == "model"
    a = m.parts["a"]
    return square(m.w) * m.parts["z"][0] + a.a.sum() * a.b


def test_gradients_have_the_structure_of_the_argument() -> None:
    g = lucid.grad(model_loss)(model())
    assert type(g) is Model
    assert type(g.parts["a"]) is Pair
    assert g.parts["z"][1] is None
    assert g.name is None  # no array: no gradient
    close(g.w, 4 * X)
    close(g.parts["z"][0], 14.0)
    close(g.parts["a"].a, np.full((2, 2), 3.0))
    close(g.parts["a"].b, 4.0)
    for leaf in tree.leaves(g):
        assert type(leaf) is Tensor


def test_frozen_dataclasses() -> None:
    g = lucid.grad(lambda f: f.x**2)(Frozen(3.0))
    assert g == Frozen(g.x, None)
    close(g.x, 6.0)
    close(lucid.vmap(lambda f: f.x * 2, in_axes=(Frozen(0, None),))(Frozen(X)), 2 * X)


def test_static_leaves() -> None:
    g = lucid.grad(lambda d: d["x"] ** 2)({"x": 3.0, "kind": "relu", "f": square})
    assert (g["x"].item(), g["kind"], g["f"]) == (6.0, None, None)
    first, second = lucid.grad(lambda d, e: d["x"] ** 2, argnums=(0, 1))({"x": 3.0}, {"k": "relu"})
    assert (first["x"].item(), second) == (6.0, {"k": None})
    with pytest.raises(OperandError, match="str in argument 1; leave it out of argnums"):
        lucid.grad(lambda d, e: d[0], argnums=(0, 1))([X, X], "relu")
    close(lucid.grad(lambda x, mode: square(x))(X, "mode"), 2 * X)  # not differentiated: anything


def test_containers_through_vjp_jvp_linearize() -> None:
    def f(d: Any, p: Pair) -> Any:
        return {"sum": d["x"] + p.a, "both": [d["x"] * p.b, p]}

    args = ({"x": X}, Pair(2 * X, 3.0))
    y, pull = lucid.vjp(f, *args)
    close(y["both"][0], 3 * X)
    ct = tree.map(lambda t: np.ones(t.shape), y)
    d, p = pull(ct)
    close(d["x"], np.full(3, 4.0))
    close(p.a, np.full(3, 2.0))
    close(p.b, 6.0 + 1.0)
    tangents = ({"x": np.ones(3)}, Pair(np.zeros(3), 1.0))
    out, pushed = lucid.jvp(f, args, tangents)
    linear_out, push = lucid.linearize(f, *args)
    again = push(*tangents)
    for a, b in zip(tree.leaves(pushed), tree.leaves(again), strict=True):
        close(a, b)
    for a, b in zip(tree.leaves(out), tree.leaves(linear_out), strict=True):
        close(a, b)
    close(pushed["both"][0], 3 + X)
    close(pushed["both"][1].b, 1.0)


def test_jacobians_of_containers() -> None:
    def f(p: Pair) -> Any:
        return {"ab": p.a * p.b, "a": p.a.sum()}

    p = Pair(X, np.array([[1.0], [2.0]]))
    for jac in (lucid.jacfwd, lucid.jacrev):
        j = jac(f)(p)
        assert j["ab"].a.shape == (2, 3, 3)
        assert j["ab"].b.shape == (2, 3, 2, 1)
        close(j["a"].a, np.ones(3))
        close(j["a"].b, np.zeros((2, 1)))
        close(j["ab"].a, np.stack([k * np.eye(3) for k in (1.0, 2.0)]))
    h = lucid.hessian(lambda p: (p.a * p.b).sum())(p)
    assert type(h) is Pair
    assert type(h.a) is Pair
    close(h.a.b, np.broadcast_to(np.array([[1.0], [1.0]])[None], (3, 2, 1)) * np.ones((3, 2, 1)))
    close(h.a.a, np.zeros((3, 3)))


def test_empty_arrays() -> None:
    empty = np.zeros((0, 2))
    close(lucid.grad(square)(empty), empty)
    close(lucid.hessian(square)(np.zeros(0)), np.zeros((0, 0)))
    close(lucid.jacrev(lambda x: x * 2)(np.zeros(0)), np.zeros((0, 0)))
    close(lucid.vmap(lambda x: x.sum())(empty), np.zeros(0))
    close(lucid.vmap(lucid.grad(square))(empty), empty)


# -- vjp, jvp, linearize ---------------------------------------------------------------------------


def test_pull_can_be_called_again_and_is_differentiable() -> None:
    y, pull = lucid.vjp(lambda x: x**3, X)
    close(y, X**3)
    for _ in range(2):
        close(pull(np.ones(3))[0], 3 * X**2)
    close(lucid.grad(lambda ct: square(pull(ct)[0]))(X), 2 * 9 * X**4 * X)
    close(lucid.vmap(lambda ct: pull(ct)[0])(np.eye(3)), np.diag(3 * X**2))
    _, push = lucid.linearize(lambda x: x**3, X)
    close(lucid.vmap(push)(np.eye(3)), np.diag(3 * X**2))
    close(lucid.grad(lambda t: square(push(t)))(X), 2 * 9 * X**4 * X)
    close(lucid.jvp(push, (X,), (X,))[1], 3 * X**3)


def test_what_vjp_and_jvp_refuse() -> None:
    _, pull = lucid.vjp(lambda x: (x, x), X)
    with pytest.raises(OperandError, match="vjp: expected a cotangent of the structure"):
        pull(X)
    with pytest.raises(ShapeError, match=r"vjp: expected a cotangent of shape \(3,\)"):
        pull((X, 1.0))
    with pytest.raises(DTypeError, match="vjp: expected a real"):
        pull((X, X * 1j))
    with pytest.raises(ShapeError, match="jvp: expected a tangent of shape"):
        lucid.jvp(square, (X,), (1.0,))
    with pytest.raises(OperandError, match="primals as a tuple or list"):
        lucid.jvp(square, X, (X,))
    with pytest.raises(OperandError, match="tangents as a tuple or list"):
        lucid.jvp(square, (X,), X)
    with pytest.raises(OperandError, match="the structure"):
        lucid.jvp(square, (X,), (X, X))
    with pytest.raises(DTypeError, match=r"jvp: expected a floating.*primals"):
        lucid.jvp(square, (np.arange(3),), (X,))
    with pytest.raises(OperandError, match="hvp: expected primals as a tuple"):
        lucid.hvp(square, X, (X,))
    with pytest.raises(OperandError, match="gauss_newton_product: expected tangents as a tuple"):
        lucid.gauss_newton_product(square, square, (X,), X)
    _, push = lucid.linearize(square, X)
    with pytest.raises(ShapeError, match="linearize: expected a tangent of shape"):
        push(1.0)


def test_outputs_that_do_not_depend_on_the_input() -> None:
    y, pull = lucid.vjp(lambda x: (x, 2.0, np.ones(2)), 3.0)
    close(pull((1.0, 1.0, np.ones(2)))[0], 1.0)
    close(y[2], np.ones(2))
    _, t = lucid.jvp(lambda x: (x, 2.0, np.ones(2)), (3.0,), (5.0,))
    assert [a.tolist() for a in t] == [5.0, 0.0, [0.0, 0.0]]
    _, push = lucid.linearize(lambda x: (x, np.ones(2)), 3.0)
    assert [a.tolist() for a in push(5.0)] == [5.0, [0.0, 0.0]]
    close(lucid.jacrev(lambda x: np.ones(2))(X), np.zeros((2, 3)))
    close(lucid.jacfwd(lambda x: np.ones(2))(X), np.zeros((2, 3)))


def test_integer_outputs_have_float_friends() -> None:
    y, pull = lucid.vjp(lambda x: (x * 2, lucid.argmax(x)), X)
    assert y[1].item() == 2
    close(pull((np.ones(3), 0))[0], np.full(3, 2.0))


# -- vmap ------------------------------------------------------------------------------------------

A = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("out", [0, 1, -1])
def test_vmap_axes(axis: int, out: int) -> None:
    f = lambda x: lucid.sin(x).sum(axis=1)  # noqa: E731
    want = np.stack([np.sin(x).sum(axis=1) for x in np.moveaxis(A, axis, 0)], axis=out)
    close(lucid.vmap(f, in_axes=axis, out_axes=out)(A), want)


def test_vmap_of_several_arguments() -> None:
    f = lambda x, y, *, z: x @ y + z  # noqa: E731
    x, y, z = A[0], np.ones((4, 5)), np.arange(5.0)
    want = np.stack([x @ c + k for c, k in zip(y.T, z, strict=True)])
    close(lucid.vmap(f, in_axes=(None, 1))(x, y, z=z), want)
    close(lucid.vmap(lambda x, y: x * y, in_axes=[0, None])(X, 2.0), 2 * X)
    close(lucid.vmap(lambda x, k: x * k, in_axes=(0, None))(X, 3), 3 * X)
    close(lucid.vmap(lambda x, s: x if s == "same" else -x, in_axes=(0, None))(X, "same"), X)
    outer = lucid.vmap(lucid.vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None))
    close(outer(X, X), np.outer(X, X))


def test_vmap_containers_and_prefixes() -> None:
    p = Pair(A, {"y": A[:, 0], "c": 2.0})
    f = lambda p: {"s": p.a.sum() * p.b["c"], "t": (p.a[0], p.b["y"])}  # noqa: E731
    out = lucid.vmap(f, in_axes=(Pair(0, {"y": 0, "c": None}),))(p)
    close(out["s"], 2 * A.sum(axis=(1, 2)))
    out = lucid.vmap(f, in_axes=(Pair(0, {"y": 0, "c": None}),), out_axes={"s": 0, "t": (1, -1)})(p)
    close(out["t"][0], A[:, 0].T)
    close(out["t"][1], A[:, 0].T)
    m = Model(A, [A, X[:2]])
    got = lucid.vmap(
        lambda m: m.w.sum() + m.parts[0].sum() * m.parts[1], in_axes=(Model(0, 0, None),)
    )
    close(got(m), A.sum(axis=(1, 2)) * (1 + X[:2]))
    ordered = collections.OrderedDict
    d = ordered([("b", 5.0), ("a", X)])
    got = lucid.vmap(lambda d: d["a"] + d["b"], in_axes=(ordered([("b", None), ("a", 0)]),))(d)
    close(got, X + 5)
    close(lucid.vmap(lambda x: (x, None))(X)[0], X)


def test_vmap_outputs_that_are_not_mapped() -> None:
    close(lucid.vmap(lambda x: 1.5)(X), np.full(3, 1.5))
    close(lucid.vmap(lambda x: np.ones(2), out_axes=1)(X), np.ones((2, 3)))
    _y, c = lucid.vmap(lambda x: (x, np.ones(2)), out_axes=(0, None))(X)
    close(c, np.ones(2))
    with pytest.raises(ShapeError, match="without the mapped axis"):
        lucid.vmap(lambda x: x, out_axes=None)(X)


def test_vmap_axis_size() -> None:
    close(lucid.vmap(lambda: Tensor(1.0), axis_size=3)(), np.ones(3))
    close(lucid.vmap(lambda x: x * 2, in_axes=None, axis_size=2)(X), np.stack([2 * X, 2 * X]))
    close(lucid.vmap(lambda x: x * 2, axis_size=3)(X), 2 * X)


def test_what_vmap_refuses() -> None:
    f = lambda *a: a[0]  # noqa: E731
    with pytest.raises(ShapeError, match=r"mapped axes of one length, got 3 at argument \[0\]"):
        lucid.vmap(f)(X, A)
    with pytest.raises(ShapeError, match="one length"):
        lucid.vmap(f, axis_size=2)(X)
    with pytest.raises(ShapeError, match=r"an array with axis 0, got shape \(\) at argument \[1\]"):
        lucid.vmap(f)(X, 2.0)
    with pytest.raises(ShapeError, match="an array with axis 1"):
        lucid.vmap(f, in_axes=1)(X)
    with pytest.raises(ShapeError, match="an output with axis 2"):
        lucid.vmap(f, out_axes=2)(X)
    for nothing in (lambda: lucid.vmap(f, in_axes=None)(X), lambda: lucid.vmap(f)()):
        with pytest.raises(OperandError, match="an argument to map over"):
            nothing()
    with pytest.raises(OperandError, match="in_axes of length 1"):
        lucid.vmap(f, in_axes=(0, 0))(X)
    for bad in ("0", 0.5, {"a": 0}, (Pair(0, 0),)):
        with pytest.raises(OperandError, match="in_axes a prefix of the arguments"):
            lucid.vmap(f, in_axes=bad)([X])
    with pytest.raises(OperandError, match="out_axes a prefix of the output"):
        lucid.vmap(f, out_axes=(0, 0))(X)
    with pytest.raises(OperandError, match='fallback None or "loop"'):
        lucid.vmap(f, fallback="slow")
    with pytest.raises(OperandError, match="as output"):
        lucid.vmap(lambda x: "text")(X)


@pytest.fixture
def unbatched() -> Iterator[Any]:
    """An operation without a batching rule."""
    from lucid.core.define import general
    from lucid.core.dispatch import bind
    from lucid.core.op import OPS

    op = general(
        "unbatched_test",
        lambda x: np.sort(x)[::-1].copy(),
        vjps=[lambda ct, ans, x: ct[::-1]],  # right for increasing operands
        jvp=lambda ans, tangents, operands: tangents[0][::-1],
    )
    yield lambda x: bind(op, (x,))
    del OPS["unbatched_test"]


def test_vmap_fallback(unbatched: Any) -> None:
    rows = A.reshape(6, 4)
    with pytest.raises(UnsupportedError, match=r'unbatched_test: .*fallback="loop"'):
        lucid.vmap(unbatched)(rows)
    close(lucid.vmap(unbatched, fallback="loop")(rows), rows[:, ::-1])
    f = lambda x: (unbatched(x) * np.arange(4.0)).sum()  # noqa: E731
    close(lucid.vmap(lucid.grad(f), fallback="loop")(rows), np.tile(np.arange(4.0)[::-1], (6, 1)))
    looped = lucid.vmap(f, fallback="loop")
    close(lucid.grad(lambda x: looped(x).sum())(rows), np.tile(np.arange(4.0)[::-1], (6, 1)))


# -- stop_gradient, custom rules, checkpoint, check_grads ------------------------------------------


def test_stop_gradient() -> None:
    sg = lucid.stop_gradient
    f = lambda x: x * sg(x)  # noqa: E731
    close(lucid.grad(f)(3.0), 3.0)
    close(lucid.jvp(f, (3.0,), (1.0,))[1], 3.0)
    close(lucid.grad(lucid.grad(f))(3.0), 0.0)
    close(lucid.vmap(lucid.grad(f))(X), X)
    close(lucid.grad(lambda x: lucid.vmap(f)(x).sum())(X), X)
    close(lucid.grad(lambda x: sg(lucid.grad(lambda y: y**3)(x)) * x)(2.0), 12.0)
    close(lucid.grad(lambda x: lucid.grad(lambda y: sg(y) * y * x)(x))(2.0), 2.0)
    leaf = Tensor(3.0, requires_grad=True)
    f(leaf).backward()
    assert leaf.grad is not None
    close(leaf.grad, 3.0)
    assert not sg(leaf).requires_grad
    out = sg({"a": leaf * 2, "b": ("text", None, 3)})
    assert (out["a"].item(), out["b"][:2], out["a"].requires_grad) == (6.0, ("text", None), False)


def cube_vjp() -> Any:
    """x -> x^3 with a rule that says 10 times as much."""

    @lucid.custom_vjp
    def cube(x: Any) -> Any:
        return x**3

    cube.defvjp(lambda x: (x**3, x), lambda x, ct: (ct * 30 * x**2,))
    return cube


def cube_jvp() -> Any:
    """The same with a forward rule."""

    @lucid.custom_jvp
    def cube(x: Any) -> Any:
        return x**3

    @cube.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x,), (t,) = primals, tangents
        return cube(x), 30 * x**2 * t

    return cube


@pytest.mark.parametrize("make", [cube_vjp, cube_jvp])
def test_custom_rules_are_used_everywhere(make: Any) -> None:
    cube = make()
    close(cube(X), X**3)
    close(lucid.grad(lambda x: cube(x).sum())(X), 30 * X**2)
    close(lucid.vjp(cube, X)[1](X)[0], 30 * X**3)
    close(lucid.vmap(cube)(X), X**3)
    close(lucid.vmap(lucid.grad(cube))(X), 30 * X**2)
    close(lucid.grad(lambda x: lucid.vmap(cube)(x).sum())(X), 30 * X**2)
    close(lucid.vmap(lucid.vmap(lucid.grad(cube)))(A[0]), 30 * A[0] ** 2)
    close(lucid.grad(lambda x: lucid.vmap(lucid.vmap(cube))(x).sum())(A[0]), 30 * A[0] ** 2)
    close(lucid.grad(lucid.checkpoint(lambda x: cube(x).sum()))(X), 30 * X**2)
    close(lucid.grad(lucid.grad(cube))(2.0), 120.0)
    close(lucid.hessian(cube)(2.0), 120.0)
    close(lucid.jacrev(lucid.grad(cube))(2.0), 120.0)
    leaf = Tensor(X, requires_grad=True)
    cube(leaf).sum().backward()
    assert leaf.grad is not None
    close(leaf.grad, 30 * X**2)
    if make is cube_jvp:
        close(lucid.jvp(cube, (X,), (X,))[1], 30 * X**3)
        close(lucid.linearize(cube, X)[1](X), 30 * X**3)
        close(lucid.jacfwd(cube)(X), np.diag(30 * X**2))
        close(lucid.vmap(lambda x: lucid.jvp(cube, (x,), (1.0,))[1])(X), 30 * X**2)
        close(lucid.jvp(lucid.vmap(cube), (X,), (X,))[1], 30 * X**3)
        close(lucid.jvp(lucid.checkpoint(cube), (X,), (X,))[1], 30 * X**3)
    else:
        for forward in (
            lambda: lucid.jvp(cube, (X,), (X,)),
            lambda: lucid.jacfwd(cube)(X),
            lambda: lucid.linearize(cube, X)[1](X),
        ):
            with pytest.raises(NotDifferentiableError, match="cube: expected reverse mode"):
                forward()


def test_custom_vjp_takes_containers_statics_and_none() -> None:
    @lucid.custom_vjp
    def f(d: Any, mode: str, y: Any, flag: Any) -> Any:
        return {"out": d["a"] * y, "mode": d["b"] + y.sum()}

    def forward(d: Any, mode: str, y: Any, flag: Any) -> Any:
        assert mode == "mode"
        assert flag is None
        return {"out": d["a"] * y, "mode": d["b"] + y.sum()}, (d, y)

    def backward(res: Any, ct: Any) -> Any:
        d, y = res
        return {"a": (ct["out"] * y), "b": None}, None, ct["out"] * d["a"] + ct["mode"], None

    f.defvjp(forward, backward)

    def loss(a: Any, b: Any, y: Any) -> Any:
        out = f({"a": a, "b": b}, "mode", y, None)
        return out["out"].sum() + 2 * out["mode"]

    ga, gb, gy = lucid.grad(loss, argnums=(0, 1, 2))(X, 1.0, 2 * X)
    close(ga, 2 * X)
    close(gb, 0.0)
    close(gy, X + 2)
    rows = lucid.vmap(lucid.grad(loss), in_axes=(0, None, None))(A[0].T, 1.0, 2 * X)
    close(rows, np.tile(2 * X, (4, 1)))


def test_custom_rules_refuse() -> None:
    with pytest.raises(NotDifferentiableError, match=r"f: .*\.defvjp"):
        lucid.grad(lucid.custom_vjp(_named("f", lambda x: x)))(1.0)
    for run in (lucid.grad, lambda f: lambda x: lucid.jvp(f, (x,), (x,))):
        with pytest.raises(NotDifferentiableError, match=r"f: .*\.defjvp"):
            run(lucid.custom_jvp(_named("f", lambda x: x)))(1.0)
    bad_shape = lucid.custom_vjp(_named("f", lambda x: x * 2))
    bad_shape.defvjp(lambda x: (x * 2, None), lambda _, ct: (ct.sum(),))
    with pytest.raises(ShapeError, match=r"f: expected a cotangent of shape \(3,\)"):
        lucid.grad(lambda x: bad_shape(x).sum())(X)
    bad_count = lucid.custom_vjp(_named("f", lambda x: x * 2))
    bad_count.defvjp(lambda x: (x * 2, None), lambda _, ct: (ct, ct))
    with pytest.raises(OperandError, match=r"f: .*one entry for each of 1 arguments"):
        lucid.grad(lambda x: bad_count(x).sum())(X)
    bad_pair = lucid.custom_vjp(_named("f", lambda x: x * 2))
    bad_pair.defvjp(lambda x: x * 2, lambda _, ct: (ct,))
    with pytest.raises(OperandError, match="forward to return"):
        lucid.grad(lambda x: bad_pair(x).sum())(X)
    with pytest.raises(OperandError, match="pass every argument by position"):
        bad_pair(x=X)


def _named(name: str, f: Any) -> Any:
    f.__name__ = name
    return f


@pytest.mark.parametrize("make", [lucid.custom_vjp, lucid.custom_jvp])
def test_custom_rules_do_not_lose_what_they_close_over(make: Any) -> None:
    def outer(w: Any) -> Any:
        f = make(_named("f", lambda x: x * w))
        if make is lucid.custom_vjp:
            f.defvjp(lambda x: (x * w, None), lambda _, ct: (ct,))
        else:
            f.defjvp(lambda primals, tangents: (primals[0] * w, tangents[0]))
        return f(w * 2)

    with pytest.raises(NotDifferentiableError, match="closes over a Tensor watched by grad"):
        lucid.grad(outer)(3.0)
    assert outer(Tensor(3.0)).item() == 18


class OwnError(Exception):
    """An exception that cannot be made from a message alone."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(a, b)


def test_exceptions_of_the_users_pass_unchanged() -> None:
    def f(x: Any) -> Any:
        raise OwnError(1, 2)

    def index(x: Any) -> Any:
        raise IndexError("mine")

    for make in (lucid.custom_vjp, lucid.custom_jvp, lucid.checkpoint, lucid.vmap, lucid.grad):
        with pytest.raises(OwnError):
            make(f)(X)
        with pytest.raises(IndexError, match=r"^mine$"):
            make(index)(X)


def test_checkpoint() -> None:
    runs = 0

    def block(x: Any, w: Any = 2.0) -> Any:
        nonlocal runs
        runs += 1
        if x.sum() > 0:  # Python control flow on values
            return {"y": lucid.sin(x * w), "again": x}
        return {"y": x, "again": x}

    f = lambda x: square(lucid.checkpoint(block)(x)["y"])  # noqa: E731
    g = lambda x: square(block(x)["y"])  # noqa: E731
    close(lucid.grad(f)(X), lucid.grad(g)(X))
    close(lucid.hessian(f)(X), lucid.hessian(g)(X))
    close(lucid.jvp(f, (X,), (X,))[1], lucid.jvp(g, (X,), (X,))[1])
    close(lucid.jacfwd(lucid.jacfwd(f))(X), lucid.hessian(g)(X))
    runs = 0
    lucid.grad(f)(X)
    assert runs == 1  # replayed, not run again
    with_weight = lucid.checkpoint(block)
    close(
        lucid.grad(lambda w: square(with_weight(X, w=w)["y"]))(2.0),
        lucid.grad(lambda w: square(block(X, w=w)["y"]))(2.0),
    )
    h = lambda x: x  # noqa: E731
    assert lucid.checkpoint(h)(1.0).item() == 1.0
    close(lucid.vmap(lucid.checkpoint(lambda x: lucid.sin(x) * x))(X), np.sin(X) * X)


def test_checkpoint_differentiates_what_it_closes_over() -> None:
    def loss(wrap: Any) -> Any:
        return lambda w: wrap(lambda x: square(lucid.sin(x * w)))(X)

    same = lambda f: f  # noqa: E731
    close(lucid.grad(loss(lucid.checkpoint))(2.0), lucid.grad(loss(same))(2.0))
    close(lucid.hessian(loss(lucid.checkpoint))(2.0), lucid.hessian(loss(same))(2.0))
    rows = lucid.vmap(lucid.grad(loss(lucid.checkpoint)))(X)
    close(rows, lucid.vmap(lucid.grad(loss(same)))(X))
    w = Parameter(2.0)
    lucid.checkpoint(lambda x: square(lucid.sin(x * w)))(X).backward()
    assert w.grad is not None
    close(w.grad, lucid.grad(loss(same))(2.0))
    both = lucid.grad(lambda x: lucid.checkpoint(lambda y: square(y * w))(x))(X)
    close(both, 2 * 4 * X)


def test_check_grads() -> None:
    lucid.check_grads(lambda p: p["x"] @ p["y"], ({"x": X, "y": X},))
    lucid.check_grads(lambda x: lucid.sin(x), (np.float32(1.0),))
    lucid.check_grads(lambda z: z * z, (np.array([1 + 1j]),), order=2)
    with pytest.raises(lucid.GradientCheckError, match="check_grads: expected vjp to agree"):
        lucid.check_grads(cube_vjp(), (X,), modes=("rev",))
    with pytest.raises(lucid.GradientCheckError, match="jvp to agree"):
        lucid.check_grads(cube_jvp(), (X,))
    with pytest.raises(OperandError, match="args as a tuple"):
        lucid.check_grads(square, X)
    with pytest.raises(OperandError, match="modes"):
        lucid.check_grads(square, (X,), modes=("forward",))


# -- every pair of transformations, against polynomials --------------------------------------------
#
# Each transformation makes of a function of a number another one, and of a polynomial another
# polynomial, so that any nest of them has an exact reference.


def by_backward(f: Any) -> Any:
    def slope(x: Any) -> Any:
        leaf = Tensor(x, requires_grad=True)
        f(leaf).backward()
        assert leaf.grad is not None
        return leaf.grad

    return slope


def by_parameter(f: Any) -> Any:
    def slope(x: Any) -> Any:
        shift = Parameter(0.0)
        f(x + shift).backward()
        assert shift.grad is not None
        return shift.grad

    return slope


def with_custom_vjp(f: Any) -> Any:
    g = lucid.custom_vjp(f)
    g.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * lucid.grad(f)(x),))
    return g


def with_custom_jvp(f: Any) -> Any:
    g = lucid.custom_jvp(f)
    g.defjvp(lambda p, t: (g(*p), lucid.jvp(f, p, t)[1]))
    return g


def both_points(p: Polynomial) -> Polynomial:
    return p + p(Polynomial([0, 2]))


def scalar(x: Any) -> Any:
    return x.sum()


NESTS: dict[str, tuple[Callable[[Any], Any], Callable[[Polynomial], Polynomial]]] = {
    "grad": (lucid.grad, lambda p: p.deriv()),
    "value": (lambda f: lambda x: lucid.value_and_grad(f)(x)[0], lambda p: p),
    "vjp": (lambda f: lambda x: lucid.vjp(f, x)[1](3.0)[0], lambda p: 3 * p.deriv()),
    "jvp": (lambda f: lambda x: lucid.jvp(f, (x,), (3.0,))[1], lambda p: 3 * p.deriv()),
    "jvp along": (
        lambda f: lambda x: lucid.jvp(f, (x,), (x * x,))[1],
        lambda p: p.deriv() * Polynomial([0, 0, 1]),
    ),
    "linearize": (lambda f: lambda x: lucid.linearize(f, x)[1](3.0), lambda p: 3 * p.deriv()),
    "jacfwd": (lucid.jacfwd, lambda p: p.deriv()),
    "jacrev": (lucid.jacrev, lambda p: p.deriv()),
    "hessian": (lucid.hessian, lambda p: p.deriv(2)),
    "hvp": (lambda f: lambda x: lucid.hvp(f, (x,), (2.0,)), lambda p: 2 * p.deriv(2)),
    "gauss_newton": (
        lambda f: lambda x: lucid.gauss_newton_product(f, lambda y: y * y, (x,), (0.5,))[0],
        lambda p: p.deriv() ** 2,
    ),
    "vmap": (
        lambda f: lambda x: lucid.vmap(f)(lucid.stack([x, 2 * x])).sum(),
        both_points,
    ),
    "vmap shared": (
        lambda f: lambda x: lucid.vmap(lambda k: f(k * x))(np.array([1.0, 2.0])).sum(),
        both_points,
    ),
    "checkpoint": (lucid.checkpoint, lambda p: p),
    "checkpoint closure": (lambda f: lambda x: lucid.checkpoint(lambda: f(x))(), lambda p: p),
    "custom_jvp": (with_custom_jvp, lambda p: p),
    "custom_vjp": (with_custom_vjp, lambda p: p),
    "backward": (by_backward, lambda p: p.deriv()),
    "parameter": (by_parameter, lambda p: p.deriv()),
    "no_grad": (lambda f: lucid.no_grad()(f), lambda p: p),
    "own closure": (
        lambda f: lambda x: lucid.grad(lambda y: f(x) * y * y)(x),
        lambda p: p * Polynomial([0, 2]),
    ),
}
FORWARD = {"jvp", "jvp along", "linearize", "jacfwd", "gauss_newton"}
# what reads its inner function by forward mode, or replays it in that mode
FORWARD_OF_REVERSE = {"hessian", "hvp"}
BASE = Polynomial([0.3, -1.1, 0.7, 0.4, -0.2, 0.1])


def horner(x: Any) -> Any:
    total: Any = BASE.coef[-1].item()
    for c in BASE.coef[-2::-1]:
        total = total * x + c.item()
    return total


def run_nest(names: tuple[str, ...]) -> None:
    f: Any = horner
    p = BASE
    for name in reversed(names):
        transform, reference = NESTS[name]
        f, p = transform(f), reference(p)
    x = 0.7
    for point in (np.array(x), x, Tensor(x)):
        close(Tensor(f(point)), p(x), 1e-9)


TAPE = {"backward", "parameter"}


@pytest.mark.parametrize(("a", "b"), list(itertools.product(NESTS, NESTS)))
def test_every_pair(a: str, b: str) -> None:
    if b == "custom_vjp" and a in FORWARD:
        with pytest.raises(NotDifferentiableError, match="expected reverse mode"):
            run_nest((a, b))
        return
    if {a, b} <= TAPE:
        return  # one tape and its leaves, not one derivative within another: see test_ambient.py
    if "no_grad" in (a, b) and TAPE & {a, b}:
        with pytest.raises(NotDifferentiableError, match="recorded"):
            run_nest((a, b))
        return
    run_nest((a, b))


DEEP = [n for n in NESTS if n not in ("custom_vjp", "custom_jvp", "no_grad")]
_triples = [t for t in itertools.product(DEEP, repeat=3) if sum(n in TAPE for n in t) < 2]
TRIPLES = [_triples[k] for k in np.random.default_rng(0).choice(len(_triples), 120, replace=False)]


@pytest.mark.parametrize("names", TRIPLES, ids=" of ".join)
def test_some_triples(names: tuple[str, ...]) -> None:
    run_nest(names)


# -- perturbation confusion ------------------------------------------------------------------------

DERIVATIVES: dict[str, Callable[[Any], Any]] = {
    "grad": lucid.grad,
    "jvp": lambda f: lambda x: lucid.jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f: lambda x: lucid.vjp(f, x)[1](1.0)[0],
    "linearize": lambda f: lambda x: lucid.linearize(f, x)[1](1.0),
    "backward": by_backward,
    "parameter": by_parameter,
}


@pytest.mark.parametrize(
    ("a", "b"),
    [(a, b) for a, b in itertools.product(DERIVATIVES, DERIVATIVES) if not {a, b} <= TAPE],
)
def test_confusion(a: str, b: str) -> None:
    """J. M. Siskind, B. A. Pearlmutter, Perturbation confusion (2005)."""
    d, e = DERIVATIVES[a], DERIVATIVES[b]
    # their example: D (x -> x · D (y -> x + y) 1) 1 is 1, and 2 when perturbations are confused
    close(d(lambda x: x * e(lambda y: x + y)(1.0))(1.0), 1.0)
    close(d(lambda x: x * e(lambda y: x * y)(1.0))(3.0), 6.0)
    close(d(lambda x: e(lambda y: x * x * y)(x))(3.0), 6.0)
    close(d(lambda x: e(lambda y: x * y * y)(x))(3.0), 12.0)
    if not {a, b} & TAPE:  # `.backward()` on a constant raises
        close(d(lambda x: e(lambda y: x)(x))(3.0), 0.0)
        close(d(lambda x: e(lambda y: y)(x))(3.0), 0.0)
    if a not in TAPE:  # an outer leaf beside what `grad` watches: refused
        close(d(lambda x: e(lambda y: x * d(lambda z: x * y * z * z)(y))(x))(2.0), 48.0)
    close(d(e(lambda x: x**4))(1.0), 12.0)


def test_confusion_of_three_levels() -> None:
    def nest(d: Any) -> Any:
        return d(lambda x: d(lambda y: d(lambda z: x * y**2 * z**3)(x))(x))

    for name, d in DERIVATIVES.items():
        if name not in TAPE:
            close(d(d(d(lambda x: x**4)))(2.0), 48.0)
            close(nest(d)(2.0), 192.0)


def test_a_curried_derivative_is_refused_not_confused() -> None:
    """The derivative of a function that returns functions is no array; it says so.

    O. Manzyuk et al., Perturbation confusion in forward automatic differentiation of higher-order
    functions (2019).
    """
    shift = lambda u: lambda f: lambda x: f(x + u)  # noqa: E731
    for run in (
        lambda: lucid.grad(shift)(0.0),
        lambda: lucid.jvp(shift, (0.0,), (1.0,)),
        lambda: lucid.vjp(shift, 0.0),
    ):
        with pytest.raises(OperandError, match="got a function"):
            run()
    d = lambda f: lambda x: lucid.jvp(lambda u: shift(u)(f)(x), (0.0,), (1.0,))[1]  # noqa: E731
    close(d(d(lambda x: x**3))(2.0), 12.0)


def test_closures_carry_the_right_level() -> None:
    def f(x: Any) -> Any:
        g = lambda y: x * y  # noqa: E731 - closes over the outer variable
        return lucid.grad(lambda y: g(y) + lucid.grad(lambda z: g(z) * y)(y))(x)

    close(lucid.grad(f)(3.0), 2.0)  # f(x) = x + x


# -- leaks -----------------------------------------------------------------------------------------

ENDED: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: lucid.grad(f)(X),
    "vjp after an exception": lambda f: lucid.vjp(_then_raise(f), X),
    "jvp": lambda f: lucid.jvp(f, (X,), (X,)),
    "vmap": lambda f: lucid.vmap(f)(A),
    "vmap of grad": lambda f: lucid.vmap(lucid.grad(f))(A),
    "hessian": lambda f: lucid.hessian(f)(X),
    "checkpoint": lambda f: lucid.checkpoint(f)(X),
    "linearize after an exception": lambda f: lucid.linearize(_then_raise(f), X),
}


class StopError(Exception):
    """Ends a function."""


def _then_raise(f: Any) -> Any:
    def g(x: Any) -> Any:
        f(x)
        raise StopError

    return g


@pytest.mark.parametrize("run", ENDED.values(), ids=ENDED)
def test_what_leaks_says_so(run: Any) -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.extend([x, x * 2])
        return x.sum()

    with contextlib.suppress(StopError):
        run(f)
    for t in kept:
        assert repr(t)
        for use in (lambda t: t + 1, lambda t: t.sum(), lambda t: lucid.sin(t), lambda t: t[0]):
            with pytest.raises(LeakedTensorError, match="leaked out of"):
                use(t)
        with pytest.raises((LeakedTensorError, NotDifferentiableError)):
            t.sum().backward()


@pytest.mark.parametrize("run", ENDED.values(), ids=ENDED)
def test_nothing_leaks_after_an_exception(run: Any) -> None:
    leaf = Tensor(1.0, requires_grad=True)
    with pytest.raises(StopError):
        run(_then_raise(lambda x: x * leaf))
    close(lucid.grad(square)(X), 2 * X)
    (leaf * 2).backward()
    assert leaf.grad is not None
    close(leaf.grad, 2.0)


def test_open_closures_are_no_leak() -> None:
    kept: list[Any] = []
    _, pull = lucid.vjp(lambda x: (kept.append(x), x * x)[1], 3.0)
    close(pull(1.0)[0], 6.0)
    inner: list[Any] = []

    def f(x: Any) -> Any:
        _, pull = lucid.vjp(lambda y: y * x, 2.0)
        inner.append(pull)
        return pull(x)[0]  # x^2

    close(lucid.grad(f)(3.0), 6.0)
    with pytest.raises(LeakedTensorError):
        inner[0](1.0)  # it closes over the ended grad's x


# -- borrowing -------------------------------------------------------------------------------------


def test_results_own_their_memory() -> None:
    """Nothing that a transformation returns changes when the caller writes to an argument."""
    views: list[Callable[[Any], Any]] = [
        lambda x: x,
        lambda x: x[1:],
        lambda x: x.reshape(3, 1),
        lambda x: x.T,
        lambda x: lucid.flip(x),
        lambda x: lucid.stop_gradient(x),
        lambda x: lucid.broadcast_to(x, (2, 3)),
    ]
    for view in views:
        for call in (
            lambda a, view=view: lucid.grad(lambda x: (x.sum(), view(x)), has_aux=True)(a)[1],
            lambda a, view=view: lucid.value_and_grad(lambda x: view(x).reshape(-1)[0])(a)[0],
            lambda a, view=view: lucid.vjp(view, a)[0],
            lambda a, view=view: lucid.vjp(lambda x: (x, view(x)), a, has_aux=True)[2],
            lambda a, view=view: lucid.jvp(view, (a,), (a,)),
            lambda a, view=view: lucid.linearize(view, a)[0],
            lambda a, view=view: lucid.vmap(view, in_axes=None, axis_size=2)(a),
            lambda a, view=view: lucid.checkpoint(view)(a),
            lambda a, view=view: lucid.jacfwd(lambda x: (x, view(x)), has_aux=True)(a)[1],
            lambda a, view=view: view(lucid.vmap(lambda x: x)(a)),
            lambda a, view=view: lucid.vmap(lambda x: x, out_axes=0)(a[None]),
        ):
            a = X.copy()
            out = tree.leaves(call(a))
            before = [t.numpy().copy() for t in out]
            a[:] = -7
            for t, b in zip(out, before, strict=True):
                np.testing.assert_array_equal(t.numpy(), b)


def test_closures_own_copies() -> None:
    a, w = X.copy(), X.copy()
    _, pull = lucid.vjp(lambda x, p: x * x * w * p[0], a, [w])
    _, push = lucid.linearize(lambda x: x * x * w, a)
    a[:] = 0
    w[:] = 0
    close(pull(np.ones(3))[0], 2 * X**3)
    close(push(np.ones(3)), 2 * X**2)


def test_a_work_array_may_be_written_to_in_the_body() -> None:
    """What is beside a watched Tensor is kept as it was at that time."""

    def f(x: Any) -> Any:
        work = np.zeros(3)
        total: Any = 0.0
        for k in range(3):
            work[:] = k
            total = total + (x * work).sum() + (work * x**2).sum() + (x[work.astype(int)]).sum()
        return total

    want = 3.0 + 3 * 2 * X + np.full(3, 3.0)
    close(lucid.grad(f)(X), want)
    close(lucid.jacfwd(f)(X), want)
    leaf = Tensor(X, requires_grad=True)
    f(leaf).backward()
    assert leaf.grad is not None
    close(leaf.grad, want)
    close(lucid.vmap(lucid.grad(f))(np.stack([X, X])), np.stack([want, want]))
    close(lucid.grad(lucid.checkpoint(f))(X), want)
    close(lucid.linearize(f, X)[1](np.array([1.0, 0.0, 0.0])), want[0])


INNER: dict[str, Callable[[Any, Any], Any]] = {
    "grad": lambda f, w: lucid.grad(lambda y: f(y).sum())(w),
    "grad of a list": lambda f, w: lucid.grad(lambda y: f(y[0]).sum())([w])[0],
    "value": lambda f, w: lucid.value_and_grad(lambda y: f(y).sum())(w)[0],
    "a second argument": lambda f, w: lucid.grad(lambda y, w: f(y * w).sum())(np.ones(3), w),
    "aux": lambda f, w: lucid.grad(lambda y: (y.sum(), f(y)), has_aux=True)(w)[1],
    "vjp": lambda f, w: lucid.vjp(f, w)[1](np.ones(3))[0],
    "jvp": lambda f, w: lucid.jvp(f, (w,), (np.ones(3),))[1],
    "linearize": lambda f, w: lucid.linearize(f, w)[1](np.ones(3)),
    "vmap": lambda f, w: lucid.vmap(f)(w[None]),
    "vmap shared": lambda f, w: lucid.vmap(f, in_axes=None, axis_size=2)(w),
    "vmap of grad": lambda f, w: lucid.vmap(lucid.grad(lambda y: f(y).sum()))(w[None]),
    "hessian": lambda f, w: lucid.hessian(lambda y: f(y).sum())(w),
    "jacrev": lambda f, w: lucid.jacrev(f)(w),
    "jacfwd": lambda f, w: lucid.jacfwd(f)(w),
    "checkpoint": lambda f, w: lucid.checkpoint(f)(w),
}


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
@pytest.mark.parametrize("custom", [False, True])
def test_outer_records_own_what_an_inner_transformation_borrowed(inner: Any, custom: bool) -> None:
    """An outer tape reads an inner argument after the inner call, when it may have changed."""

    @lucid.custom_vjp
    def product(a: Any, b: Any) -> Any:
        return a * b

    product.defvjp(lambda a, b: (a * b, (a, b)), lambda r, ct: (ct * r[1], ct * r[0]))
    if custom and inner in (INNER["jvp"], INNER["linearize"], INNER["jacfwd"]):
        return

    def run(p: Any, spoil: bool) -> Any:
        w = X.copy()
        times = product if custom else lucid.multiply
        out = inner(lambda y: times(times(y, y), p), w)
        if spoil:
            w[:] = 0
        return lucid.sum(out * out)

    want = lucid.grad(lambda p: run(p, False))(np.ones(3))
    assert np.abs(want.numpy()).min() > 0
    close(lucid.grad(lambda p: run(p, True))(np.ones(3)), want)
    leaf = Tensor(np.ones(3), requires_grad=True)
    run(leaf, True).backward()
    assert leaf.grad is not None
    close(leaf.grad, want)


def test_arguments_are_read_without_a_copy_and_left_alone() -> None:
    a = X.copy()
    a.flags.writeable = False
    seen: list[bool] = []

    def f(x: Any) -> Any:
        value = x._value
        seen.append(np.shares_memory(value, a))
        return square(x)

    close(lucid.grad(f)(a), 2 * X)
    assert seen == [True]
    np.testing.assert_array_equal(a, X)


def test_a_write_between_calls_is_seen() -> None:
    a = X.copy()
    g = lucid.grad(square)
    close(g(a), 2 * X)
    a[:] = 1
    close(g(a), np.full(3, 2.0))


def test_every_error_is_lucids() -> None:
    for broken in (
        lambda: lucid.grad(lambda x: x @ np.ones((2, 2)))(X),
        lambda: lucid.vmap(lambda x: x + np.ones(2))(A),
        lambda: lucid.jvp(lambda x: x.reshape(2), (X,), (X,)),
        lambda: lucid.grad(lambda x: x[7])(X),
    ):
        with pytest.raises(LucidError):
            broken()
