"""Tensor: construction, dtypes, immutability, the ways out, the object contract (DESIGN §2, §8)."""

from __future__ import annotations

import ast
import copy
import enum
import inspect
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import Tensor
from lucid.config import get_default_dtype, set_default_dtype
from lucid.core import methods
from lucid.core.parameter import Parameter
from lucid.errors import (
    ConcretizationError,
    DetachedArrayError,
    DTypeError,
    ImmutableTensorError,
    IndexOutOfBoundsError,
    LeakedTensorError,
    LucidError,
    NotDifferentiableError,
    OperandError,
    ShapeError,
)

F32, F64 = np.dtype("float32"), np.dtype("float64")


# -- construction ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1.0, "float64", ()),
        (1, "int64", ()),
        (True, "bool", ()),
        (1j, "complex128", ()),
        ([1, 2.0], "float64", (2,)),
        ([True, 1], "int64", (2,)),
        ([[1], [1j]], "complex128", (2, 1)),
        ((1.0, (2.0)), "float64", (2,)),
        ([], "float64", (0,)),
        ([[], []], "float64", (2, 0)),
        (np.float32(1), "float32", ()),
        (np.ones(2, np.int8), "int8", (2,)),
        ([np.float32(1), np.float32(2)], "float32", (2,)),
        (np.ones((2, 3), ">f8"), ">f8", (2, 3)),
        (range(3), "int64", (3,)),
    ],
    ids=repr,
)
def test_constructor_takes_what_numpy_takes(data: Any, dtype: str, shape: Any) -> None:
    t = Tensor(data)
    assert (t.dtype, t.shape) == (np.dtype(dtype), shape)
    assert (t.ndim, t.size) == (len(shape), int(np.prod(shape)))
    assert t.nbytes == t.size * t.itemsize
    assert t.device == "cpu"
    assert t.to_device("cpu") is t


def test_constructor_copies() -> None:
    a = np.ones(3)
    t = Tensor(a)
    a[:] = 0
    assert t.tolist() == [1, 1, 1]
    assert Tensor(t).tolist() == [1, 1, 1]


def test_constructor_arguments() -> None:
    assert Tensor([1, 2], dtype=lucid.float32).dtype == F32
    assert Tensor([1.7], dtype="int64").tolist() == [1]
    assert Tensor([1.0], True).requires_grad
    assert not Tensor([1.0]).requires_grad
    inner = Tensor(2.0)
    assert Tensor([inner, 3.0]).tolist() == [2.0, 3.0]
    assert Tensor([[inner, inner], [1.0, 0.0]]).shape == (2, 2)
    assert Tensor(Tensor([1.5]), dtype=np.float32).dtype == F32


def test_constructor_keeps_the_history_of_tensors() -> None:
    def stacked(x: Tensor) -> Tensor:
        return (Tensor([x, 2 * x, Tensor(x) ** 2]) * Tensor([1.0, 10.0, 100.0])).sum()

    assert lucid.grad(stacked)(3.0).item() == 1 + 20 + 600
    p = Tensor(3.0, requires_grad=True)
    stacked(p).backward()
    assert p.grad is not None
    assert p.grad.item() == 621


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Tensor([[1.0], [1.0, 2.0]]), OperandError),
        (lambda: Tensor("text"), DTypeError),
        (lambda: Tensor(None), DTypeError),
        (lambda: Tensor(np.array(["2026-01-01"], "datetime64[D]")), DTypeError),
        (lambda: Tensor([2**70]), OperandError),
        (lambda: Tensor(1.0, dtype="nonsense"), OperandError),
        (lambda: Tensor(np.ma.masked_array([1.0, 2.0], [False, True])), OperandError),
        (lambda: Tensor([1, 2], requires_grad=True), DTypeError),
        (lambda: Tensor(True, requires_grad=True), DTypeError),
    ],
)
def test_constructor_refuses(make: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="Tensor: expected") as info:
        make()
    assert isinstance(info.value, LucidError)


# -- dtypes ----------------------------------------------------------------------------------------


def test_default_dtype_is_one_switch() -> None:
    assert get_default_dtype() == F64
    with set_default_dtype(lucid.float32):
        assert get_default_dtype() == F32
        assert Tensor(1.0).dtype == F32
        assert Tensor([1, 2.5]).dtype == F32
        assert Tensor(1j).dtype == np.complex64
        assert Tensor(np.ones(1)).dtype == F64  # an array keeps its own
        assert Tensor([np.float64(1.0)]).dtype == F64
        assert repr(Tensor(1.5)) == "Tensor(1.5)"
        value, gradient = lucid.value_and_grad(lambda x: x * x)(3.0)
        assert (value.dtype, gradient.dtype) == (F32, F32)
        assert repr(value) == "Tensor(9.)"
        with set_default_dtype("float64"):
            assert get_default_dtype() == F64
        assert get_default_dtype() == F32
    assert get_default_dtype() == F64
    set_default_dtype(lucid.float32)
    try:
        assert get_default_dtype() == F32
    finally:
        set_default_dtype(lucid.float64)


@pytest.mark.parametrize("dtype", ["int64", "float16", "nonsense", None, "complex128", 3])
def test_default_dtype_refuses(dtype: Any) -> None:
    with pytest.raises(DTypeError, match="set_default_dtype: expected float32 or float64"):
        set_default_dtype(dtype)
    assert get_default_dtype() == F64


X32 = np.ones(2, np.float32)
WEAK: dict[str, Callable[[Any, Any], Any]] = {
    "mul": lambda x, a: x * a,
    "radd": lambda x, a: a + x,
    "div": lambda x, a: x / a,
    "pow": lambda x, a: x**a,
    "sub of products": lambda x, a: a * a - x * (a * 2),
    "function": lambda x, a: lucid.multiply(x, a),
    "maximum": lambda x, a: lucid.maximum(x, a),
    "where": lambda x, a: lucid.where(x > 0, x, a),
}


@pytest.mark.parametrize("f", WEAK.values(), ids=WEAK)
def test_python_numbers_are_weak_through_transformations(f: Any) -> None:
    assert f(Tensor(X32), 0.5).dtype == F32
    assert f(X32, Tensor(np.float64(0.5))).dtype == F64  # a NumPy scalar is strong

    def loss(x: Any, a: Any) -> Any:
        return f(x, a).sum()

    value, (gx, ga) = lucid.value_and_grad(loss, argnums=(0, 1))(X32, 0.5)
    assert (value.dtype, gx.dtype, ga.dtype) == (F32, F32, F64)
    primal, tangent = lucid.jvp(f, (X32, 0.5), (X32, 1.0))
    assert (primal.dtype, tangent.dtype) == (F32, F32)
    y, pull = lucid.vjp(f, X32, 0.5)
    assert (y.dtype, *(c.dtype for c in pull(X32))) == (F32, F32, F64)
    assert lucid.linearize(f, X32, 0.5)[1](X32, 1.0).dtype == F32
    assert lucid.vmap(f, in_axes=(0, None))(X32, 0.5).dtype == F32
    mapped = lucid.vmap(lucid.grad(loss, argnums=1), in_axes=(0, None))(X32, 0.5)
    assert mapped.dtype == F64
    assert lucid.grad(lambda x: lucid.grad(loss, argnums=0)(x, 0.5).sum())(X32).dtype == F32
    assert lucid.checkpoint(f)(X32, 0.5).dtype == F32


def test_weak_numbers_stay_weak_until_materialised() -> None:
    def nested(a: Any) -> Any:
        b = a * 2.0 + 1.0  # still a Python number, as `0.5 * 2.0 + 1.0` is
        return (Tensor(X32) * b).sum()

    assert lucid.value_and_grad(nested)(0.5)[0].dtype == F32
    assert lucid.jvp(nested, (0.5,), (1.0,))[1].dtype == F32


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("float32", "float64", "float64"),
        ("int8", "uint8", "int16"),
        ("int64", "float32", "float64"),
        ("float32", "complex64", "complex64"),
        ("bool", "int8", "int8"),
        ("int32", 1.0, "float64"),
        ("int8", 1, "int8"),
        ("float32", 1j, "complex64"),
        ("bool", 1, "int64"),
        ("float16", 1.0, "float16"),
    ],
)
def test_promotion_is_numpys(a: str, b: Any, expected: str) -> None:
    other = np.ones((), b) if isinstance(b, str) else b
    assert (Tensor(np.ones((), a)) + other).dtype == np.dtype(expected)
    assert (np.ones((), a) + other).dtype == np.dtype(expected)


def test_a_python_number_that_does_not_fit() -> None:
    with pytest.raises(OverflowError, match="add: expected numbers that fit"):
        Tensor(np.ones(2, np.uint8)) + 300


def test_cotangents_have_their_primals_dtype() -> None:
    x, y = np.ones(2, np.float32), np.ones(2, np.complex128)
    gx, gy = lucid.grad(lambda x, y: lucid.real(x * y * 2).sum(), argnums=(0, 1))(x, y)
    assert (gx.dtype, gy.dtype) == (x.dtype, y.dtype)
    big = np.ones(2, ">f8")
    assert lucid.grad(lambda x: (x * x).sum())(big).tolist() == [2, 2]


def test_dtypes_are_numpys() -> None:
    assert Tensor([1.0]).dtype == np.float64
    assert Tensor([1.0]).dtype.kind == "f"
    assert np.finfo(Tensor(X32).dtype).bits == 32
    assert lucid.float32 is np.float32


# -- immutability ----------------------------------------------------------------------------------


def test_assignment_shows_the_way() -> None:
    t = Tensor([1.0, 2.0])
    with pytest.raises(ImmutableTensorError, match=r"x = x\.at\[0\]\.set\(v\)"):
        t[0] = 5.0
    with pytest.raises(ImmutableTensorError, match=r"x\.at\[i\]\.set"):
        t[np.array([0, 1])] = 5.0
    with pytest.raises(ImmutableTensorError, match="del"):
        del t[0]
    for name in ("shape", "dtype", "anything"):
        with pytest.raises(AttributeError):
            setattr(t, name, 1)
    assert t.tolist() == [1.0, 2.0]


def test_augmented_assignment_rebinds() -> None:
    t = u = Tensor([1.0])
    t += 1.0
    assert (t.tolist(), u.tolist()) == ([2.0], [1.0])


def test_what_leaves_is_read_only() -> None:
    t = Tensor([1.0, 2.0])
    for array in (t.numpy(), np.asarray(t)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9
    fresh = np.array(t)
    fresh[0] = 9
    converted = np.asarray(t, dtype=np.float32)
    converted[0] = 9
    assert t.tolist() == [1.0, 2.0]
    assert np.asarray(t, copy=False) is not None
    with pytest.raises(ValueError, match="a dtype that needs no copy"):
        np.asarray(t, dtype=np.float32, copy=False)


def test_tensors_are_unhashable_and_compare_by_element() -> None:
    t = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="unhashable"):
        hash(t)
    assert (t == t).tolist() == [True, True]
    assert (t != 1.0).tolist() == [False, True]
    assert (t == None) is False  # noqa: E711
    assert (t == "text") is False
    assert hash(Parameter(1.0)) is not None


def test_tensor_is_not_for_subclassing_but_parameter_is_one() -> None:
    p = Parameter([1.0, 2.0])
    assert isinstance(p, Tensor)
    assert p.requires_grad
    q = p
    with pytest.raises(ImmutableTensorError, match=r"p\.data = p\.data \+ v"):
        q += 1.0
    p.data = [3.0, 4.0]
    assert p.tolist() == [3.0, 4.0]
    with pytest.raises(ShapeError, match=r"Parameter\.data"):
        p.data = [1.0]


# -- printing --------------------------------------------------------------------------------------


def test_printing() -> None:
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    assert str(Tensor(1)) == "Tensor(1)"
    assert repr(Tensor(X32)) == "Tensor([1., 1.], dtype=float32)"
    assert repr(Tensor([[1.0], [2.0]])) == "Tensor([[1.],\n        [2.]])"
    x = Tensor([[1.5]], requires_grad=True)
    assert repr(x) == "Tensor([[1.5]], grad=None)"
    y = x * 2
    assert repr(y) == "Tensor([[3.]], grad=None)"
    y.backward()
    assert repr(x) == "Tensor([[1.5]], grad=Tensor([[2.]]))"
    assert f"{Tensor(1.234):.1f} {Tensor([2])}" == "1.2 Tensor([2])"


def test_printing_inside_transformations() -> None:
    seen: list[str] = []

    def f(x: Tensor) -> Tensor:
        seen.append(repr(x))
        return (x * x).sum()

    x = np.array([1.0, 2.0])
    lucid.grad(f)(x)
    lucid.jvp(f, (x,), (x,))
    lucid.vmap(f)(x[:, None])
    lucid.vmap(lucid.grad(f))(x[:, None])
    assert seen == [
        "Tensor([1., 2.], under grad)",
        "Tensor([1., 2.], under jvp)",
        "Tensor(float64[1], under vmap)",
        "Tensor(float64[1], under vmap, under grad)",
    ]


# -- pickling and copying --------------------------------------------------------------------------


def test_pickle_and_deepcopy() -> None:
    t = Tensor(X32)
    for back in (pickle.loads(pickle.dumps(t)), copy.deepcopy(t), copy.copy(t)):
        assert (back.dtype, back.tolist()) == (t.dtype, t.tolist())
        assert not back.requires_grad
    leaf = Tensor([1.0], requires_grad=True)
    for back in (pickle.loads(pickle.dumps(leaf)), copy.deepcopy(leaf)):
        (back * 2).sum().backward()
        assert back.grad is not None
        assert leaf.grad is None
    a, b = copy.deepcopy([t, t])
    assert a is b
    with pytest.raises(NotDifferentiableError, match=r"use \.detach"):
        pickle.dumps(leaf * 2)
    with pytest.raises(NotDifferentiableError, match=r"use \.detach"):
        copy.deepcopy(leaf * 2)
    with pytest.raises(NotDifferentiableError, match="under grad"):
        lucid.grad(lambda x: copy.deepcopy(x))(1.0)
    p = Parameter([1.0])
    assert pickle.loads(pickle.dumps(p)).requires_grad


# -- iteration -------------------------------------------------------------------------------------


def test_iteration() -> None:
    t = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(t) == 2
    assert [row.tolist() for row in t] == [[1.0, 2.0], [3.0, 4.0]]
    a, b = t
    assert (a + b).tolist() == [4.0, 6.0]
    assert [r.tolist() for r in reversed(t)] == [[3.0, 4.0], [1.0, 2.0]]
    for broken in (len, iter):
        with pytest.raises(OperandError, match="0-d"):
            broken(Tensor(1.0))
    g = lucid.grad(lambda x: sum(k * v for k, v in enumerate(x)))(np.ones(3))
    assert g.tolist() == [0.0, 1.0, 2.0]
    assert lucid.vmap(lambda r: r[0] * sum(r))(np.ones((2, 3))).tolist() == [3.0, 3.0]


# -- methods ---------------------------------------------------------------------------------------


def declared_methods() -> list[str]:
    """What `lucid.core.methods.Methods` declares for type checkers."""
    body = ast.parse(inspect.getsource(methods))
    cls = next(n for n in body.body if isinstance(n, ast.ClassDef) and n.name == "Methods")
    names: list[str] = []
    for node in ast.walk(cls):
        if isinstance(node, ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return names


@pytest.mark.parametrize("name", declared_methods())
def test_every_declared_method_exists(name: str) -> None:
    found = inspect.getattr_static(Tensor, name, None)
    assert found is not None
    inherited = inspect.getattr_static(object, name, None)
    assert found is not inherited, f"{name} is only object's"


INFIX = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]


@pytest.mark.parametrize("name", INFIX)
def test_infix_operators_on_either_side(name: str) -> None:
    op = getattr(operator, name)
    a, b = np.array([5.0, 7.0]), np.array([2.0, 3.0])
    want = op(a, b)
    for x, y in [(Tensor(a), Tensor(b)), (Tensor(a), b), (a, Tensor(b))]:
        got = op(x, y)
        assert type(got) is Tensor
        np.testing.assert_allclose(got.numpy(), want)
    np.testing.assert_allclose(op(Tensor(a), 2).numpy(), op(a, 2))
    np.testing.assert_allclose(op(3.0, Tensor(b)).numpy(), op(3.0, b))
    np.testing.assert_allclose(op(np.float64(3), Tensor(b)).numpy(), op(3.0, b))
    with pytest.raises(TypeError):
        op(Tensor(a), object())
    with pytest.raises(TypeError):
        op(None, Tensor(a))


@pytest.mark.parametrize("name", ["and_", "or_", "xor", "lshift", "rshift"])
def test_bitwise_operators(name: str) -> None:
    op = getattr(operator, name)
    a, b = np.array([5, 6]), np.array([1, 2])
    for x, y in [(Tensor(a), Tensor(b)), (Tensor(a), b), (Tensor(a), 2), (6, Tensor(b))]:
        p = x.numpy() if isinstance(x, Tensor) else x
        q = y.numpy() if isinstance(y, Tensor) else y
        assert op(x, y).tolist() == op(p, q).tolist()
    assert (~Tensor([True, False])).tolist() == [False, True]


def test_matmul_operator_and_unary() -> None:
    a = np.arange(4.0).reshape(2, 2)
    for got in (Tensor(a) @ Tensor(a), Tensor(a) @ a, a @ Tensor(a)):
        np.testing.assert_allclose(got.numpy(), a @ a)
    assert (-Tensor(a)).tolist() == (-a).tolist()
    assert (+Tensor(a)).tolist() == a.tolist()
    assert abs(Tensor(-a)).tolist() == a.tolist()


def test_operands_that_are_no_arrays() -> None:
    class Colour(enum.IntEnum):
        RED = 2

    assert (Tensor([1.0]) * Colour.RED).tolist() == [2.0]
    assert (Tensor(np.ones(1, np.float32)) * Colour.RED).dtype == F32
    for bad in ("text", None, [1.0], object(), np.array(["a"]), np.ma.masked_array([1.0])):
        with pytest.raises(TypeError, match="multiply: expected"):
            lucid.multiply(Tensor([1.0]), bad)


# -- the escape table of DESIGN §2 -----------------------------------------------------------------

V = np.array([2.0, 3.0])


def plain(use: Callable[[Tensor], Any]) -> Any:
    return use(Tensor(V))


def recorded(use: Callable[[Tensor], Any]) -> Any:
    return use(Tensor(V, requires_grad=True) * 1.0)


def leaf(use: Callable[[Tensor], Any]) -> Any:
    return use(Tensor(V, requires_grad=True))


def _inside(transform: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def run(use: Callable[[Tensor], Any]) -> Any:
        out: list[Any] = []

        def body(x: Tensor) -> Tensor:
            out.append(use(x))
            return x.sum()

        transform(body)
        return out[0]

    return run


under_grad = _inside(lambda body: lucid.grad(body)(V))
under_jvp = _inside(lambda body: lucid.jvp(body, (V,), (V,)))
under_vjp = _inside(lambda body: lucid.vjp(body, V))
under_linearize = _inside(lambda body: lucid.linearize(body, V))
under_vmap = _inside(lambda body: lucid.vmap(body)(V[None]))
under_vmap_grad = _inside(lambda body: lucid.vmap(lucid.grad(body))(V[None]))
under_grad_vmap = _inside(lambda body: lucid.grad(lambda x: lucid.vmap(body)(x[None]).sum())(V))
under_grad_recorded = _inside(
    lambda body: lucid.grad(lambda x: body(x * Tensor(1.0, requires_grad=True)))(V)
)

DERIVING = [under_grad, under_jvp, under_vjp, under_linearize]
MAPPING = [under_vmap, under_vmap_grad, under_grad_vmap]

PIECEWISE: dict[str, tuple[Callable[[Tensor], Any], Any]] = {
    "bool": (lambda x: bool(x[0]), True),
    "if": (lambda x: 1 if x[0] > 1 else 0, 1),
    "and": (lambda x: bool(x[0] > 1 and x[1] > 1), True),
    "int": (lambda x: int(x[0]), 2),
    "index": (lambda x: [10, 11, 12][x[0].astype(lucid.int64)], 12),
    "range": (lambda x: len(range(x[1].astype(lucid.int64))), 3),
    "operator.index": (lambda x: operator.index(x[0].astype(lucid.int64)), 2),
}
BY_NAME: dict[str, tuple[Callable[[Tensor], Any], Any]] = {
    "float": (lambda x: float(x[0]), 2.0),
    "complex": (lambda x: complex(x[0]), 2.0),
    "item": (lambda x: x[0].item(), 2.0),
    "item(1)": (lambda x: x.item(1), 3.0),
    "tolist": (lambda x: x.tolist(), [2.0, 3.0]),
    "numpy": (lambda x: x.numpy().sum(), 5.0),
    "format": (lambda x: f"{x[0]:.1f}", "2.0"),
}


def _assign(x: Tensor) -> Any:
    a = np.zeros(2)
    a[:] = x
    return a.tolist()


SILENT: dict[str, tuple[Callable[[Tensor], Any], Any]] = {
    "np.asarray": (lambda x: np.asarray(x).tolist(), [2.0, 3.0]),
    "np.array": (lambda x: np.array(x).tolist(), [2.0, 3.0]),
    "np.array of a list": (lambda x: np.array([x, x]).tolist(), [[2.0, 3.0]] * 2),
    "assignment": (_assign, [2.0, 3.0]),
    "from_dlpack": (lambda x: np.from_dlpack(x).tolist(), [2.0, 3.0]),
}


def cases(table: dict[str, Any]) -> Any:
    return pytest.mark.parametrize(("use", "want"), table.values(), ids=table)


def places(*where: Any) -> Any:
    return pytest.mark.parametrize("where", where, ids=lambda w: getattr(w, "__name__", "inside"))


@cases(PIECEWISE)
@places(plain, leaf, recorded, *DERIVING, under_grad_recorded)
def test_piecewise_constant_uses_have_a_number(where: Any, use: Any, want: Any) -> None:
    assert where(use) == want


@cases(PIECEWISE)
@places(*MAPPING)
def test_piecewise_constant_uses_have_none_under_vmap(where: Any, use: Any, want: Any) -> None:
    with pytest.raises(ConcretizationError, match=r"vmap.*lucid\.where or lucid\.cond"):
        where(use)


@cases(PIECEWISE | BY_NAME)
def test_comparisons_stay_tensors(use: Any, want: Any) -> None:
    for where in (plain, recorded, under_grad, under_jvp, under_vmap):
        assert where(lambda x: type(x > 1) is Tensor and (x > 1).dtype == np.bool_)


@cases(BY_NAME)
@places(plain, leaf, recorded)
def test_values_asked_for_by_name_leave(where: Any, use: Any, want: Any) -> None:
    assert where(use) == want


@cases(BY_NAME)
@places(*DERIVING, under_grad_recorded)
def test_values_asked_for_by_name_stay_in(where: Any, use: Any, want: Any) -> None:
    with pytest.raises(DetachedArrayError, match=r"lucid\.stop_gradient"):
        where(use)


@cases(BY_NAME)
@places(*MAPPING)
def test_values_asked_for_by_name_have_no_number(where: Any, use: Any, want: Any) -> None:
    with pytest.raises((ConcretizationError, DetachedArrayError), match=r"vmap|grad"):
        where(use)


@cases(SILENT)
def test_arrays_of_plain_tensors(use: Any, want: Any) -> None:
    assert plain(use) == want


@cases(SILENT)
@places(leaf, recorded)
def test_arrays_of_recorded_tensors(where: Any, use: Any, want: Any) -> None:
    with pytest.raises(DetachedArrayError, match=r"\.detach\(\)"):
        where(use)
    assert where(lambda x: use(x.detach())) == want


@cases(SILENT)
@places(*DERIVING, *MAPPING, under_grad_recorded)
def test_no_arrays_inside_transformations(where: Any, use: Any, want: Any) -> None:
    with pytest.raises((DetachedArrayError, ConcretizationError)):
        where(use)


@places(*DERIVING)
@cases(BY_NAME)
def test_stop_gradient_is_the_way_out(where: Any, use: Any, want: Any) -> None:
    assert where(lambda x: use(lucid.stop_gradient(x))) == want


def test_one_element_of_an_array_takes_a_float() -> None:
    """NumPy asks a 0-d object for `float()`, which is allowed on the tape, not under `grad`."""
    a = np.zeros(2)
    a[0] = Tensor(4.0)
    assert a[0] == 4.0

    def store(x: Tensor) -> Tensor:
        a[1] = x
        return x

    with pytest.raises((ValueError, TypeError)):
        lucid.grad(store)(1.0)


def test_conversions_want_one_element() -> None:
    for convert in (bool, int, float, complex, lambda t: t.item(), lambda t: f"{t:.1f}"):
        with pytest.raises(ShapeError, match="one element"):
            convert(Tensor([1.0, 2.0]))
        with pytest.raises(ShapeError, match="one element"):
            convert(Tensor([]))
    assert float(Tensor([[2.0]])) == 2.0
    with pytest.raises(IndexOutOfBoundsError, match="item"):
        Tensor([1.0]).item(7)
    with pytest.raises(OperandError, match="integer"):
        operator.index(Tensor(1.0))
    for convert in (int, float):
        with pytest.raises(DTypeError, match=r"real"):
            convert(Tensor(1j))


def test_detach() -> None:
    p = Tensor([1.0], requires_grad=True)
    d = (p * 2).detach()
    assert (d.tolist(), d.requires_grad, p.detach().requires_grad) == ([2.0], False, False)
    assert lucid.grad(lambda x: x * x.detach())(3.0).item() == 3.0
    assert lucid.vmap(lambda x: x.detach() * 2)(V).tolist() == [4.0, 6.0]
    rows = lucid.vmap(lucid.grad(lambda x: x * x.detach()))(V)
    assert rows.tolist() == [2.0, 3.0]
    assert lucid.grad(lambda x: lucid.vmap(lambda y: y * y.detach())(x).sum())(V).tolist() == [2, 3]
    t = Tensor([1.0])
    assert t.detach() is t


def test_a_leaked_tensor_says_so_everywhere() -> None:
    kept: list[Tensor] = []
    lucid.grad(lambda x: (kept.append(x), x)[1])(1.0)
    (x,) = kept
    assert "under grad" in repr(x)
    uses: list[Callable[[Tensor], Any]] = [
        lambda x: x + 1,
        lambda x: 1 + x,
        lambda x: lucid.sin(x),
        lambda x: x.sum(),
        lambda x: lucid.where(True, x, 0.0),
        bool,
        float,
        lambda x: x.item(),
        lambda x: x.numpy(),
        lambda x: lucid.grad(lambda y: y * x)(1.0),
        lambda x: lucid.vmap(lambda y: y * x)(V),
        lambda x: lucid.jvp(lambda y: y * x, (1.0,), (1.0,)),
        lambda x: lucid.checkpoint(lambda y: y * x)(1.0),
    ]
    for use in uses:
        with pytest.raises(LeakedTensorError, match="leaked out of grad, which has ended"):
            use(x)
