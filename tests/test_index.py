"""Keys against NumPy, updates, bounds, masks, and what indexing hides from derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import (
    ConcretizationError,
    DTypeError,
    ImmutableTensorError,
    IndexOutOfBoundsError,
    ShapeError,
)

T = lucid.Tensor
X = T(np.arange(6.0).reshape(2, 3))
Rng = np.random.Generator


# -- random keys -----------------------------------------------------------------------------------


def random_slice(rng: Rng, n: int) -> slice:
    ends = [None if rng.random() < 0.4 else int(rng.integers(-n - 2, n + 3)) for _ in range(2)]
    step = None if rng.random() < 0.4 else int(rng.choice([-3, -2, -1, 1, 2, 3]))
    return slice(*ends, step)


def random_indices(rng: Rng, n: int, common: tuple[int, ...]) -> Any:
    """Indices into an axis of length n, of a shape that broadcasts to the common one."""
    if not n:
        return np.zeros(0, int)
    shape = tuple(k if rng.random() < 0.7 else 1 for k in common)
    return rng.integers(-n, n, shape[rng.integers(0, len(shape) + 1) :])


def random_key(rng: Rng, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A key of everything NumPy takes; now and then one that it does not."""
    common = tuple(rng.integers(0, 3, rng.integers(0, 3)).tolist())
    key: list[Any] = []
    axis = 0
    while axis < len(shape) and rng.random() < 0.85:
        kind, n = rng.random(), shape[axis]
        if kind < 0.2 and n:
            key.append(int(rng.integers(-n, n)))
        elif kind < 0.45:
            key.append(random_slice(rng, n))
        elif kind < 0.55:
            key.append(None)
            continue
        elif kind < 0.62 and ... not in [k for k in key if k is ...]:
            key.append(...)
            axis += int(rng.integers(0, len(shape) - axis + 1))
            continue
        elif kind < 0.88:
            key.append(random_indices(rng, n, common))
        elif kind < 0.95:
            mask = rng.random(shape[axis : axis + int(rng.integers(1, 3))]) < 0.5
            key.append(mask)
            axis += mask.ndim
            continue
        else:
            key.append(bool(rng.random() < 0.7))
            continue
        axis += 1
    return tuple(key)


def with_tensors(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(T(k) if isinstance(k, np.ndarray) else k for k in key)


def accumulate(ufunc: Any, x: Any, key: Any, v: Any) -> Any:
    out = np.array(x)
    ufunc.at(out, key, v)
    return out


@pytest.mark.parametrize("seed", range(400))
def test_random_keys(seed: int) -> None:
    """Reading and updating agree with NumPy: plain, differentiated both ways, and batched."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.choice([0, 1, 2, 3, 4], rng.integers(0, 5), p=[0.04, 0.16, 0.3, 0.3, 0.2]))
    x = rng.standard_normal(shape)
    key = random_key(rng, shape)
    try:
        want = x[key]
    except IndexError:
        for k in (key, with_tensors(key)):
            with pytest.raises(IndexOutOfBoundsError):
                T(x)[k]
            with pytest.raises(IndexOutOfBoundsError):
                lucid.grad(lambda x, k=k: x[k].sum())(x)
        return
    v = rng.standard_normal(np.shape(want))
    back = accumulate(np.add, np.zeros(shape), key, v)
    rows = rng.standard_normal((3, *shape))
    values = rng.standard_normal((3, *np.shape(want)))
    for k in (key, with_tensors(key)):
        got = T(x)[k]
        assert got.shape == np.shape(want)
        np.testing.assert_array_equal(got.numpy(), want)
        y, pull = lucid.vjp(lambda x, k=k: x[k], x)
        np.testing.assert_array_equal(y.numpy(), want)
        np.testing.assert_allclose(pull(v)[0].numpy(), back)
        _, pushed = lucid.jvp(lambda x, k=k: x[k], (x,), (2 * x,))
        np.testing.assert_array_equal(pushed.numpy(), 2 * want)
        mapped = lucid.vmap(lambda x, k=k: x[k])(rows)
        np.testing.assert_array_equal(mapped.numpy(), np.stack([r[key] for r in rows]))
        updated = np.array(x)
        updated[key] = v
        np.testing.assert_array_equal(T(x).at[k].set(v).numpy(), updated)
        for method, ufunc in (("add", np.add), ("multiply", np.multiply), ("min", np.minimum)):
            np.testing.assert_allclose(
                getattr(T(x).at[k], method)(v).numpy(), accumulate(ufunc, x, key, v)
            )
        for axes, xs, vs in (((0, 0), rows, values), ((None, 0), T(x), values)):
            mapped = lucid.vmap(lambda x, v, k=k: x.at[k].set(v), in_axes=axes)(xs, vs)
            for r in range(3):
                updated = np.array(rows[r] if axes[0] == 0 else x)
                updated[key] = values[r]
                np.testing.assert_array_equal(mapped[r].numpy(), updated)


# -- reading ---------------------------------------------------------------------------------------


def test_scalars_are_tensors() -> None:
    for y in (X[0, 1], X[(0, 1)], X[np.int64(0), T(1)], X[T(0)][T(1)], T(1.0)[()], T(1.0)[...]):
        assert type(y) is T
        assert y.item() == 1.0
        assert y.shape == ()


def test_what_a_key_may_hold() -> None:
    assert X[[0, 1], [1, 2]].tolist() == [1.0, 5.0]
    assert X[[True, False]].tolist() == [[0.0, 1.0, 2.0]]
    assert X[[]].shape == (0, 3)
    assert X[T([1, 0], dtype=lucid.uint64)].tolist() == X.numpy()[[1, 0]].tolist()
    assert X[:, T(1) : T(3)].tolist() == [[1.0, 2.0], [4.0, 5.0]]
    assert X[[T(1), 0]].tolist() == X.numpy()[[1, 0]].tolist()
    assert X[X > 4].tolist() == [5.0]
    assert X[True].shape == (1, 2, 3)
    assert X[np.asarray(False)].shape == (0, 2, 3)


@pytest.mark.parametrize(
    ("key", "match"),
    [
        (2, "out of bounds for axis 0 with size 2"),
        ((0, -4), "out of bounds for axis 1 with size 3"),
        (T(2), "out of bounds for axis 0 with size 2"),
        (np.asarray([0, 5]), "out of bounds for axis 0 with size 2"),
        ((0, 0, 0), "too many indices|as many indices as axes"),
        ((..., ...), r"single ellipsis|one \.\.\. in a key"),
        ([True], "fits axis 0|did not match"),
        (1.0, "integers"),
        ("name", "integers"),
        (T([0.5]), "integers or booleans"),
        (slice(0.5, None), "integers or None in a slice"),
    ],
)
def test_bad_keys(key: Any, match: str) -> None:
    with pytest.raises(IndexOutOfBoundsError, match=match):
        X[key]
    with pytest.raises(IndexError, match=match):
        lucid.grad(lambda x: x[key].sum())(X)
    with pytest.raises(IndexError):
        X.at[key].set(1.0)


def test_bounds_hold_under_vmap() -> None:
    rows = np.ones((4, 3))
    for places in ([0, 1, 2, 3], [0, 1, -4, 0]):
        for x, axes in ((rows, (0, 0)), (T(rows[0]), (None, 0))):
            with pytest.raises(IndexOutOfBoundsError, match=r"gather: .* out of bounds"):
                lucid.vmap(lambda x, i: x[i], in_axes=axes)(x, np.asarray(places))
    with pytest.raises(IndexOutOfBoundsError, match=r"out of bounds"):
        lucid.vmap(lambda x: x[3])(rows)
    for method in ("set", "add", "multiply", "max"):
        with pytest.raises(IndexOutOfBoundsError, match=r"out of bounds"):
            lucid.vmap(lambda x, i, m=method: getattr(x.at[i], m)(1.0))(rows, np.arange(4))


def test_masks_under_transformations() -> None:
    x = np.asarray([1.0, -2.0, 3.0])
    assert lucid.grad(lambda x: (x[x > 0] ** 2).sum())(x).tolist() == [2.0, 0.0, 6.0]
    mask = np.asarray([True, False, True])
    assert lucid.vmap(lambda x: x[mask])(np.stack([x, x])).shape == (2, 2)
    with pytest.raises(ConcretizationError, match=r"boolean key.*use lucid\.where"):
        lucid.vmap(lambda x: x[x > 0])(np.stack([x, x]))


def test_a_key_is_copied_into_the_record() -> None:
    i = np.asarray([0, 1])

    def f(x: Any) -> Any:
        y = x[i]
        i[:] = 1
        return (y * T([1.0, 10.0])).sum()

    assert lucid.grad(f)(np.ones(2)).tolist() == [1.0, 10.0]


def test_indexing_hides_what_it_does_not_select() -> None:
    x = T([0.0, 2.0])
    mask = np.asarray([False, True])
    with np.errstate(divide="ignore"):
        for select in (
            lambda y: y[1],
            lambda y: y[1:].sum(),
            lambda y: y[T([1, 1])].sum() / 2,
            lambda y: y[mask].sum(),
            lambda y: lucid.take(y, T([1])).sum(),
            lambda y: lucid.take_along_axis(y, T([1])).sum(),
            lambda y: y.at[0].set(5.0).sum(),
            lambda y: y.at[T([0])].set(5.0).sum(),
            lambda y: y.at[~mask].set(5.0).sum(),
            lambda y: y.at[T([0])].max(5.0).sum(),
            lambda y: lucid.zeros(1).at[T([0, 0])].set(y).sum(),  # the last one stays
            lambda y: lucid.sort(y)[1],
            lambda y: lucid.topk(y, 1).values[0],
        ):
            assert lucid.grad(lambda x, s=select: s(lucid.log(x)))(x).tolist() == [0.0, 0.5]


# -- updates ---------------------------------------------------------------------------------------


def test_assignment_points_to_at() -> None:
    with pytest.raises(ImmutableTensorError, match=r"write x = x\.at\[0\]\.set\(v\)"):
        X[0] = 1.0


def test_update_methods() -> None:
    x = T([1.0, 2.0, 3.0])
    i = T([0, 2])
    assert x.at[i].get().tolist() == [1.0, 3.0]
    for method, want in (
        ("set", [5.0, 2.0, 5.0]),
        ("add", [6.0, 2.0, 8.0]),
        ("subtract", [-4.0, 2.0, -2.0]),
        ("multiply", [5.0, 2.0, 15.0]),
        ("divide", [0.2, 2.0, 0.6]),
        ("power", [1.0, 2.0, 243.0]),
        ("min", [1.0, 2.0, 3.0]),
        ("max", [5.0, 2.0, 5.0]),
    ):
        for key in (i, slice(None, None, 2), np.asarray([True, False, True])):
            got = getattr(x.at[key], method)(5.0)
            np.testing.assert_allclose(got.numpy(), want)
    assert x.tolist() == [1.0, 2.0, 3.0]


def test_repeated_places_apply_one_after_the_other() -> None:
    x, i = T([2.0, 3.0]), T([0, 0, -2])
    v = T([2.0, 3.0, 4.0])
    assert x.at[i].multiply(v).tolist() == [48.0, 3.0]
    assert x.at[i].power(T([2.0, 1.0, 2.0])).tolist() == [16.0, 3.0]
    assert x.at[i].set(v).tolist() == [4.0, 3.0]
    places = np.asfortranarray([[0, 0], [0, 1]])  # in memory, not in this order
    many = x.at[T(places)].set(T([[1.0, 2.0], [3.0, 4.0]]))
    assert many.tolist() == [3.0, 4.0]
    g = lucid.grad(lambda v: x.at[T(places)].set(v)[0])(T([[1.0, 2.0], [3.0, 4.0]]).T)
    assert g.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    # exact even where a factor is zero, and to second order
    zeros = T([0.0, 3.0, 4.0])
    f = lambda v: x.at[i].multiply(v)[0]  # noqa: E731
    assert lucid.grad(f)(zeros).tolist() == [24.0, 0.0, 0.0]
    _, t = lucid.jvp(lucid.grad(f), (zeros,), (T([0.0, 1.0, 0.0]),))
    assert t.tolist() == [8.0, 0.0, 0.0]
    # indices that no one knows while they are applied
    rows = lucid.vmap(lambda i: x.at[i].multiply(v))(np.asarray([[0, 0, -2], [1, 0, 1]]))
    assert rows.tolist() == [[48.0, 3.0], [6.0, 24.0]]


def test_ties_of_extremes_share() -> None:
    x, v, i = T([1.0, 1.0]), T([1.0, 1.0, 0.0]), T([0, 0, 0])
    gx, gv = lucid.grad(lambda x, v: x.at[i].max(v).sum(), (0, 1))(x, v)
    np.testing.assert_allclose(gx.numpy(), [1 / 3, 1.0])
    np.testing.assert_allclose(gv.numpy(), [1 / 3, 1 / 3, 0.0])
    _, t = lucid.jvp(lambda v: x.at[i].max(v), (v,), (T([3.0, 6.0, 9.0]),))
    np.testing.assert_allclose(t.numpy(), [3.0, 0.0])


def test_update_values_must_fit() -> None:
    with pytest.raises(
        ShapeError, match=r"x\.at\[\.\.\.\]\.set: expected a value that broadcasts to"
    ):
        X.at[0].set(T([1.0, 2.0]))
    with pytest.raises(ShapeError, match=r"x\.at\[\.\.\.\]\.add: expected a value that broadcasts"):
        X.at[T([0, 1])].add(np.ones((1, 2, 3)))
    with pytest.raises(DTypeError, match=r"x\.at\[\.\.\.\]\.set: expected a value for int64, got"):
        T([1, 2]).at[0].set(0.5)
    with pytest.raises(DTypeError, match=r"a value for float64, got complex128"):
        X.at[0].add(T(1j))
    with pytest.raises(DTypeError, match=r"divide: expected a result of dtype int64, got float64"):
        T([1, 2]).at[T([0])].divide(2)
    assert T([1, 2], dtype=lucid.int8).at[0].set(3).dtype == np.int8
    assert T([1.0], dtype=lucid.float32).at[0].set(T(2.0)).dtype == np.float32
    assert T([1.0]).at[0].set(True).tolist() == [1.0]


def test_wide_rows_are_added_alike() -> None:
    """Above a size, rows are added by a sparse product."""
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.complex128, np.int64):
        v = (10 * rng.standard_normal((100, 70))).astype(dtype)
        i = rng.integers(-9, 9, 100)
        want = np.zeros((9, 70), dtype)
        np.add.at(want, i, v)
        got = lucid.zeros((9, 70), dtype=dtype).at[T(i)].add(v)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=1e-4)
        assert got.dtype == dtype


# -- take, nonzero ---------------------------------------------------------------------------------


def test_take() -> None:
    assert lucid.take(X, 1, axis=1).tolist() == [1.0, 4.0]
    assert lucid.take(X, [0, -1], axis=1).tolist() == [[0.0, 2.0], [3.0, 5.0]]
    assert X.take(T([5])).tolist() == [5.0]
    with pytest.raises(IndexOutOfBoundsError, match=r"out of bounds for axis 1 with size 3"):
        lucid.take(X, [3], axis=1)
    for wrong in ([0.5], [True], "a"):
        with pytest.raises(IndexOutOfBoundsError, match=r"integers"):
            lucid.take(X, wrong, axis=0)
    with pytest.raises(ShapeError, match=r"take_along_axis: expected indices with 2 axes"):
        lucid.take_along_axis(X, T([0]))


def test_nonzero() -> None:
    assert [t.tolist() for t in X.nonzero()] == [[0, 0, 1, 1, 1], [1, 2, 0, 1, 2]]
    assert lucid.argwhere(T(3.0)).shape == (1, 0)
    with pytest.raises(ShapeError, match=r"nonzero: expected an array with at least one axis"):
        lucid.nonzero(T(1.0))
    for f in (lucid.nonzero, lucid.argwhere):
        assert lucid.grad(lambda x, f=f: x[0, 0] * len(f(x)))(X).shape == X.shape
        with pytest.raises(ConcretizationError, match=r"(nonzero|argwhere)"):
            lucid.vmap(f)(X)
