"""Plain NumPy on Tensors: values, derivatives, refusals. `tests/numpy_calls.py` has the calls."""

from __future__ import annotations

import importlib.util
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import errors, tree
from lucid.ops.numpy_api import adapters
from tests.numpy_calls import ARRAYS, calls
from tests.support import DIFFERENCE_RTOL, STEP, inner, norm, random_like

CALLS = calls()
NAMES = [text for text, _ in CALLS]
SMOOTH = [text for text, notes in CALLS if not notes & {"shapes", "no rule"}]
BATCHED = [text for text, notes in CALLS if not notes & {"shapes", "no vmap"}]


KINDS = (np.ndarray, np.generic, lucid.Tensor)


def used(text: str) -> list[str]:
    """The names of the arrays that an expression uses."""
    return [name for name in ARRAYS if re.search(rf"(?<![\w.\"]){name}\b(?!\"|=)", text)]


def evaluate(text: str, values: dict[str, Any]) -> Any:
    return eval(text, {"np": np}, values)


def arrays_of(found: Any) -> list[Any]:
    return [np.asarray(y.numpy() if isinstance(y, lucid.Tensor) else y) for y in tree.leaves(found)]


@pytest.mark.parametrize("text", NAMES)
def test_value(text: str) -> None:
    arrays = {name: ARRAYS[name] for name in used(text)}
    before = pickle.dumps(arrays)
    got = evaluate(text, {name: lucid.asarray(x) for name, x in arrays.items()})
    want = evaluate(text, arrays)
    assert isinstance(got, list) == isinstance(want, list)
    got, want = tree.leaves(got), tree.leaves(want)
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        if not isinstance(w, np.ndarray | np.generic):  # a dtype, a shape, a truth
            assert "shapes" in dict(CALLS)[text] or (g == w and not isinstance(g, lucid.Tensor))
            continue
        assert isinstance(g, lucid.Tensor)
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        if "shapes" not in dict(CALLS)[text]:
            np.testing.assert_allclose(g.numpy(), w, rtol=1e-12, atol=1e-12)
    assert pickle.dumps(arrays) == before


def of_floats(text: str) -> tuple[Any, list[Any]]:
    """An expression as a function of its floating and complex arrays to its like results."""
    names = used(text)
    inexact = [name for name in names if ARRAYS[name].dtype.kind in "fc"]

    def function(*operands: Any) -> list[Any]:
        values = {name: ARRAYS[name] for name in names} | dict(zip(inexact, operands, strict=True))
        found = [y for y in tree.leaves(evaluate(text, values)) if isinstance(y, KINDS)]
        return [y for y in found if np.dtype(y.dtype).kind in "fc"]

    return function, [ARRAYS[name] for name in inexact]


@pytest.mark.parametrize("text", SMOOTH)
def test_derivative(text: str) -> None:
    function, operands = of_floats(text)
    if not operands or not function(*operands):
        return  # truths and whole numbers
    rng = np.random.default_rng(1)
    tangents = [np.where(np.isnan(x), 0, random_like(rng, x)) for x in operands]
    steps = [STEP * v for v in tangents]
    ahead = arrays_of(function(*(x + h for x, h in zip(operands, steps, strict=True))))
    behind = arrays_of(function(*(x - h for x, h in zip(operands, steps, strict=True))))
    difference = [(a - b) / (2 * STEP) for a, b in zip(ahead, behind, strict=True)]
    if "flat" in dict(CALLS)[text]:
        assert all(np.all(abs(d) < 1e-6) for d in difference)
        return
    difference = [np.where(np.isnan(d), 0, d) for d in difference]
    out, pushed = lucid.jvp(function, tuple(operands), tuple(tangents))
    pushed = [np.where(np.isnan(y), 0, p) for y, p in zip(arrays_of(out), arrays_of(pushed))]  # noqa: B905
    scale = norm(difference) + norm(arrays_of(out)) if np.isfinite(norm(arrays_of(out))) else 1.0
    error = norm([a - b for a, b in zip(pushed, difference, strict=True)])
    assert error <= DIFFERENCE_RTOL * max(scale, 1.0)

    out, pull = lucid.vjp(function, *operands)
    cts = [np.where(np.isnan(y), 0, random_like(rng, y)) for y in arrays_of(out)]
    pulled = arrays_of(pull(cts))
    forward, reverse = inner(cts, pushed), inner(pulled, tangents)
    bound = norm(cts) * norm(pushed) + norm(pulled) * norm(tangents)
    assert abs(forward - reverse) <= 1e-10 * max(bound, 1.0)


@pytest.mark.parametrize("text", BATCHED)
def test_vmap(text: str) -> None:
    function, operands = of_floats(text)
    if not operands:
        return
    rows = [function(*(x + 0.01 * k for x in operands)) for k in range(2)]
    batch = [np.stack([x, x + 0.01]) for x in operands]
    found = arrays_of(lucid.vmap(function)(*batch))
    want = [np.stack(pair) for pair in zip(*map(arrays_of, rows), strict=True)]
    for g, w in zip(found, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-10, atol=1e-10)


# -- what is covered -------------------------------------------------------------------------------


def named() -> set[Any]:
    """The functions that the calls name."""
    found = set()
    for name in set(re.findall(r"np\.([a-z_][\w.]*)", " ".join(NAMES))):
        item: Any = np
        for part in name.split("."):
            item = getattr(item, part, None)
            found.add(item) if isinstance(item, np.ufunc) or callable(item) else None
    return found


def test_every_covered_function_is_called() -> None:
    missing = [f.__name__ for f in adapters.FUNCTIONS if f not in named()]
    assert not missing


def test_every_covered_ufunc_is_called() -> None:
    ufuncs = {f for f in vars(np).values() if isinstance(f, np.ufunc)}
    assert [f.__name__ for f in ufuncs - named() if f is not np.isnat] == []


def test_docs_are_up_to_date() -> None:
    docs = Path(__file__).parents[1] / "docs"
    spec = importlib.util.spec_from_file_location("generate_numpy", docs / "generate_numpy.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (docs / "numpy.md").read_text(encoding="utf-8")
    if f"NumPy {script.release()}." not in page:
        pytest.skip("the page is about another release of NumPy")
    assert page == script.render()


# -- every transformation --------------------------------------------------------------------------


def model(x: Any) -> Any:
    return np.sum(np.where(x > 0, np.sqrt(np.abs(x)), np.tanh(x)) * np.linspace(1, 2, 3))


X = np.array([0.4, -1.2, 2.0])
SLOPE = np.where(X > 0, 0.5 / np.sqrt(np.abs(X)), 1 - np.tanh(X) ** 2) * np.linspace(1, 2, 3)


def test_grad_jvp_hessian() -> None:
    np.testing.assert_allclose(lucid.grad(model)(X).numpy(), SLOPE)
    tangent = lucid.jvp(model, (X,), (np.ones(3),))[1]
    np.testing.assert_allclose(tangent.numpy(), SLOPE.sum())
    second = lucid.hessian(lambda x: np.sum(np.sin(x) * x))(X).numpy()
    np.testing.assert_allclose(second, np.diag(2 * np.cos(X) - X * np.sin(X)))


def test_vmap_of_grad() -> None:
    found = lucid.vmap(lucid.grad(model))(np.stack([X, X + 0.1])).numpy()
    np.testing.assert_allclose(found[0], SLOPE)
    np.testing.assert_allclose(found[1], lucid.grad(model)(X + 0.1).numpy())


def test_ambient_tape() -> None:
    x = lucid.Tensor(X, requires_grad=True)
    model(x).backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), SLOPE)


def test_masked_branch_of_np_where() -> None:
    assert lucid.grad(lambda x: np.where(x > 0, np.sqrt(x), 0.0))(0.0).item() == 0


# -- arrays and scalars on the left ----------------------------------------------------------------


LEFT = [np.array([2.0, 3.0, 5.0]), np.float64(2.0), np.array(2.0), np.int64(2), np.float32(2.0)]
INFIX = ["a + x", "a - x", "a * x", "a / x", "a // x", "a % x", "a ** x", "a < x", "a == x"]


@pytest.mark.parametrize("left", LEFT, ids=lambda a: f"{type(a).__name__}{np.shape(a)}")
@pytest.mark.parametrize("text", INFIX)
def test_infix(text: str, left: Any) -> None:
    x = np.array([0.7, 1.3, 2.2])
    got = eval(text, {"a": left, "x": lucid.asarray(x)})
    want = eval(text, {"a": left, "x": x})
    assert isinstance(got, lucid.Tensor)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-15)
    slope = lucid.grad(lambda t: np.sum(eval("a * t", {"a": left, "t": t})))(x)
    np.testing.assert_allclose(slope.numpy(), np.broadcast_to(left, 3))


def test_infix_of_other_kinds() -> None:
    k = lucid.asarray([5, 6, 7])
    for text in ("a & k", "a | k", "a ^ k", "a << k", "a >> k"):
        left = np.array([4, 9, 2])
        np.testing.assert_array_equal(
            eval(text, {"a": left, "k": k}).numpy(), eval(text, {"a": left, "k": k.numpy()})
        )
    product = np.ones((2, 3)) @ lucid.asarray([1.0, 2.0, 3.0])
    assert product.tolist() == [6.0, 6.0]


# -- ufuncs' arguments -----------------------------------------------------------------------------


def test_where_leaves_zeros_without_derivative() -> None:
    mask = np.array([True, False, True])
    x = lucid.asarray([4.0, 0.0, 9.0])
    assert np.sqrt(x, where=mask).tolist() == [2.0, 0.0, 3.0]
    assert lucid.grad(lambda t: np.sum(np.sqrt(t, where=mask)))(x).tolist() == [0.25, 0.0, 1 / 6]
    whole, rest = np.divmod(x, 3.0, where=mask)
    assert whole.tolist() == [1.0, 0.0, 3.0]
    assert rest.tolist() == [1.0, 0.0, 0.0]


def test_dtype_selects_the_loop() -> None:
    x = lucid.asarray([1.0, 2.0], dtype=lucid.float32)
    assert np.add(x, x, dtype=np.float64).dtype == np.float64
    assert np.add(lucid.asarray([1, 2]), 1, dtype=np.float32).dtype == np.float32
    assert np.add.reduce(x, dtype=np.float64).dtype == np.float64
    with pytest.raises(
        errors.DTypeError, match=r"np\.add: expected a dtype it has, got .*int64.*same_kind"
    ):
        np.add(x, 1, dtype=np.int64)
    with pytest.raises(errors.OperandError, match="no further options on Tensors"):
        np.add(x, x, casting="unsafe")
    with pytest.raises(errors.OperandError, match="no further options on Tensors"):
        np.add.outer(x, x, where=np.ones((2, 2), bool))  # type: ignore[call-overload]


def test_reduce_refuses_what_is_undefined() -> None:
    x = lucid.asarray([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(errors.OperandError, match="initial= together with where="):
        np.maximum.reduce(x, where=np.array([True, False]))
    with pytest.raises(errors.OperandError, match=r"np\.subtract\.reduce: expected one axis"):
        np.subtract.reduce(x, axis=None)
    with pytest.raises(errors.OperandError, match=r"\['initial'\]"):
        np.subtract.reduce(x, initial=3.0)
    with pytest.raises(errors.ShapeError, match="at least one entry along the axis"):
        np.subtract.reduce(x[:0])


# -- refusals --------------------------------------------------------------------------------------


def test_out_is_refused() -> None:
    x, out = lucid.asarray([1.0, 2.0]), np.zeros(2)
    for call in (
        lambda: np.sin(x, out=out),
        lambda: np.sin(x, out),
        lambda: np.add.reduce(x, out=out),
        lambda: np.cumsum(x, 0, None, out),
        lambda: np.sum(x, out=out),
        lambda: np.dot(x, x, out),
        lambda: np.einsum("i->i", x, out=out),
    ):
        with pytest.raises(errors.ImmutableTensorError, match=r"np\.\w+(\.\w+)?: .*no out="):
            call()
    array = np.ones(2)
    with pytest.raises(errors.ImmutableTensorError, match=r"write x = x . y"):
        array += x
    assert array.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.histogramdd(x), "np.histogramdd"),
        (lambda x: np.shares_memory(x, x), "np.shares_memory"),
        (lambda x: np.add.at(np.zeros(3), [0], x[0]), "np.add.at"),
        (lambda x: np.add.reduceat(x, [0, 1]), "np.add.reduceat"),
        (lambda x: np.copyto(np.zeros(3), x), "np.copyto"),
        (lambda x: np.savetxt("never.txt", x), "np.savetxt"),
    ],
)
def test_uncovered_functions_raise(call: Any, name: str) -> None:
    for x in (lucid.asarray(X), lucid.Tensor(X, requires_grad=True)):
        with pytest.raises(errors.DetachedArrayError, match=f"^{name}: expected a function that"):
            call(x)


def test_writing_functions_raise() -> None:
    x = lucid.asarray([[1.0, 2.0], [3.0, 4.0]])
    for call in (
        lambda: np.fill_diagonal(x, 0),
        lambda: np.put(x, [0], 1.0),
        lambda: np.copyto(x, 1.0),
        lambda: np.place(x, x > 1, 0.0),
        lambda: np.putmask(x, x > 1, 0.0),
        lambda: np.put_along_axis(x, np.zeros((1, 2), int), 0.0, axis=0),
    ):
        with pytest.raises(errors.ImmutableTensorError, match=r"np\.\w+: .*; use x\.at"):
            call()


LEAKS = {
    "asarray": lambda x: np.asarray(x),
    "array of dtype object": lambda x: np.asarray(x, dtype=object),
    "list of Tensors": lambda x: np.array([x[0], x[1]]),
    "list reduced": lambda x: np.sum([x[0], x[1]]),
    "assignment": lambda x: np.zeros(3).__setitem__(slice(None), x),
    "assignment to objects": lambda x: np.zeros(3, object).__setitem__(slice(None), x),
    "method of an array": lambda x: np.ones(3).dot(x),
    "random numbers": lambda x: np.random.default_rng(0).normal(x),
    "vectorize": lambda x: np.vectorize(abs)(x),
    "Polynomial of Tensors": lambda x: np.polynomial.Polynomial(x),
}


@pytest.mark.parametrize("name", LEAKS)
def test_no_silent_detachment(name: str) -> None:
    def function(x: Any) -> Any:
        LEAKS[name](x)
        return np.sum(x)

    for run in (
        lambda: lucid.grad(function)(X),
        lambda: lucid.jvp(function, (X,), (X,)),
        lambda: lucid.vmap(function)(np.stack([X, X])),
        lambda: function(lucid.Tensor(X, requires_grad=True)),
    ):
        with pytest.raises(errors.DetachedArrayError):
            run()


def test_object_arrays_are_refused() -> None:
    with pytest.raises(errors.DTypeError, match="got object"):
        np.array([1, None], dtype=object) * lucid.asarray(X[:2])


class Quantity:
    """A class with a ufunc protocol of its own."""

    __array_ufunc__ = None
    value = 3.0


class Wrapper:
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return ufunc(*(3.0 if isinstance(x, Wrapper) else x for x in inputs))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return "asked"


def test_other_classes_get_their_turn() -> None:
    x = lucid.asarray([1.0, 2.0])
    assert np.multiply(x, Wrapper()).tolist() == [3.0, 6.0]
    assert np.multiply(Wrapper(), x).tolist() == [3.0, 6.0]
    assert np.concatenate([x, Wrapper()]) == "asked"  # type: ignore[comparison-overlap]
    with pytest.raises(TypeError, match="does not support ufuncs"):
        np.multiply(x, Quantity())


def test_step_functions_need_numbers() -> None:
    with pytest.raises(errors.ConcretizationError, match=r"np\.gcd"):
        lucid.vmap(lambda k: np.gcd(k, 4))(np.array([2, 8]))
    with pytest.raises(errors.ConcretizationError, match=r"np\.unique"):
        lucid.vmap(lambda x: np.unique(x))(np.ones((2, 3)))


def test_no_rule_names_the_function() -> None:
    with pytest.raises(errors.NotDifferentiableError, match="nextafter"):
        lucid.grad(lambda x: np.nextafter(x, 3.0))(1.0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: np.select([x > 0], [x, x]), "np.select: expected as many choices"),
        (lambda x: np.piecewise(x, [x > 0], [1, 2, 3]), "np.piecewise: expected as many functions"),
        (lambda x: np.choose(x > 5, [x]).shape, "expected integers as indices"),
        (lambda x: np.choose(lucid.asarray([-1]), [x]), "np.choose: expected places from 0 on"),
        (lambda x: np.nanargmax(x * np.nan), "np.nanarg... a number in every slice"),
        (lambda x: np.nanquantile(x, 1.5), "np.nanquantile: expected q from 0 to 1"),
        (lambda x: np.nanquantile(x, 0.5, method="lower"), 'method="linear" and no weights='),
        (lambda x: np.nanprod(x, where=x > 0), "np.nanprod: expected no initial= or where="),
        (lambda x: np.ix_(x.reshape((1, 3))), "np.ix_: expected vectors"),
        (lambda x: np.polyfit(x, x, 1, full=True), "np.polyfit: expected x, y, deg and w"),
        (lambda x: np.geomspace(x, 1j), "np.geomspace: expected real ends"),
        (lambda x: np.pad(x, 1, mode="reflect", reflect_type="odd"), "np.pad: expected no further"),
        (lambda x: np.einsum("i->i", x, dtype=float), "np.einsum: expected no further options"),
        (lambda x: np.std(x, where=x > 0), "np.std: expected no where= or mean="),
        (lambda x: np.reshape(x, (3, 1), order="F"), 'np.reshape: expected order="C"'),
        (lambda x: np.take(x, [0], mode="clip"), 'np.take: expected mode="raise"'),
    ],
)
def test_messages(call: Any, text: str) -> None:
    pattern = ".*".join(re.escape(part) for part in text.split("..."))
    with pytest.raises(errors.LucidError, match=pattern):
        call(lucid.asarray(X))


def test_roots_at_the_edges() -> None:
    # the zeros come last, and have a derivative: that of the root next to 0
    p = np.array([2.0, -6.0, 4.0, 0.0])
    found = np.roots(lucid.asarray(p)).numpy()
    assert found[-1] == 0
    np.testing.assert_allclose(np.sort(found), [0, 1, 2], rtol=1e-14)
    slope = lucid.grad(lambda p: np.roots(p)[-1].real)(p)
    np.testing.assert_allclose(slope.numpy(), [0, 0, 0, -0.25], atol=1e-14)
    leading = np.array([0.0, 1.0, -3.0, 2.0])
    np.testing.assert_allclose(np.roots(lucid.asarray(leading)).numpy(), [2, 1])
    with pytest.raises(errors.OperandError, match=r"np\.roots: .* it out, with p\[1:\]"):
        lucid.grad(lambda p: np.roots(p)[0].real)(leading)
    assert np.roots(lucid.asarray([3.0])).shape == np.roots(lucid.asarray([0.0])).shape == (0,)
    np.testing.assert_allclose(np.roots(lucid.asarray([1, -3, 2])).numpy(), [2, 1])
    with pytest.raises(errors.ShapeError, match=r"np\.roots: expected a vector"):
        np.roots(lucid.asarray(X.reshape(-1, 1)))


def test_an_exact_division_of_polynomials() -> None:
    u, v = np.array([1.0, -1.0, -4.0, 4.0]), np.array([1.0, -1.0])
    for got, want in zip(np.polydiv(lucid.asarray(u), v), np.polydiv(u, v), strict=True):
        np.testing.assert_array_equal(got.numpy(), want)


def test_histograms_of_two_variables_check_their_arguments() -> None:
    x = lucid.asarray([0.1, 0.6, 0.7])
    counts, rows, columns = np.histogram2d(x, x, bins=np.array([2, 3]))
    assert (counts.shape, rows.shape, columns.shape) == ((2, 3), (3,), (4,))
    with pytest.raises(errors.ShapeError, match=r"np\.histogram2d: expected as many numbers"):
        np.histogram2d(x, x[:2])
    with pytest.raises(errors.ShapeError, match=r"np\.histogram: expected a number of bins"):
        np.histogram2d(x, x, bins=np.array([0.0, 1.0]))
