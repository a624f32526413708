"""Contractions: BLAS-friendliness, dtypes and messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.core.op import OPS
from lucid.errors import IndexOutOfBoundsError, OperandError, ShapeError


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        (
            (2, 3),
            (2, 3),
            r"expected x1.shape\[-1\] == x2.shape\[-2\], got \(2, 3\) and \(2, 3\);",
        ),
        ((2, 3), (4,), r"expected x1.shape\[-1\] == x2.shape\[-1\], got \(2, 3\) and \(4,\)"),
        ((2, 2, 3), (3, 3, 2), "expected leading axes that broadcast together"),
        ((), (2,), "expected operands with at least one axis, got .*; multiply by a number with"),
    ],
)
def test_matmul_refuses(left: Any, right: Any, said: str) -> None:
    x, y = np.ones(left), np.ones(right)
    for call in (lucid.matmul, lambda a, b: lucid.Tensor(a) @ b, lambda a, b: a @ lucid.Tensor(b)):
        with pytest.raises(ShapeError, match=f"matmul: {said}"):
            call(x, y)
    if left and right:
        kinds = [lucid.core.op.Aval(s, np.dtype(float)) for s in (left, right)]
        with pytest.raises(ShapeError, match=said):
            OPS["matmul"].infer(*kinds)


def test_matmul_of_a_number() -> None:
    with pytest.raises(ShapeError, match="multiply by a number with"):
        lucid.ones(2) @ 2.0
    with pytest.raises(TypeError, match="unsupported operand"):
        lucid.ones(2) @ "a"


def test_matmul_keeps_dtypes() -> None:
    x, y = np.ones((2, 2), np.float32), np.ones((2, 2))
    value, pull = lucid.vjp(lucid.matmul, x, y)
    assert value.dtype == np.float64
    assert [g.dtype for g in pull(np.ones((2, 2)))] == [np.float32, np.float64]
    real, z = np.ones((2, 2)), np.full((2, 2), 1j)
    gx, gz = lucid.vjp(lucid.matmul, real, z)[1](np.full((2, 2), 1j))
    assert gx.dtype == np.float64
    np.testing.assert_array_equal(gx.numpy(), 2 * np.ones((2, 2)))
    np.testing.assert_array_equal(gz.numpy(), np.full((2, 2), 2j))


def test_only_the_products_that_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    product = np.matmul
    monkeypatch.setattr(np, "matmul", lambda x, y: calls.append((x, y)) or product(x, y))
    w, x = lucid.ones((3, 2)), np.ones((4, 5, 3))
    lucid.vjp(lambda w: lucid.matmul(lucid.asarray(x), w), w)[1](np.ones((4, 5, 2)))
    (forward,) = calls
    assert [a.shape for a in forward] == [(20, 3), (3, 2)]  # one tall product


def test_a_shared_matrix_under_vmap_is_one_product(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    product = np.matmul
    monkeypatch.setattr(np, "matmul", lambda x, y: calls.append((x, y)) or product(x, y))
    w, x = lucid.ones((3, 2)), np.ones((4, 3))
    lucid.vmap(lambda v: v @ w)(x)
    lucid.vmap(lambda v: w.mT @ v)(x)
    assert [tuple(a.shape for a in c) for c in calls] == [((4, 3), (3, 2))] * 2


def test_tensordot_refuses() -> None:
    x, y = lucid.ones((2, 3)), lucid.ones((4, 2))
    with pytest.raises(ShapeError, match="tensordot: expected paired axes of one length"):
        lucid.tensordot(x, y, axes=1)
    with pytest.raises(ShapeError, match="expected no more axes than the operands have"):
        lucid.tensordot(x, y, axes=3)
    with pytest.raises(ShapeError, match="expected as many axes of x1 as of x2"):
        lucid.tensordot(x, y, axes=((0,), (0, 1)))
    with pytest.raises(ShapeError, match="expected two sequences of axes"):
        lucid.tensordot(x, y, axes=(0, 1, 0))
    with pytest.raises(IndexOutOfBoundsError, match="tensordot: expected an axis from -2 to 1"):
        lucid.tensordot(x, y, axes=((2,), (0,)))
    assert lucid.tensordot(x, y, axes=(0, 1)).shape == (3, 4)


def test_products_of_vectors_refuse() -> None:
    with pytest.raises(ShapeError, match="vecdot: expected vectors of one length along axis -1"):
        lucid.vecdot(lucid.ones((2, 3)), lucid.ones(2))
    with pytest.raises(ShapeError, match="vecdot: expected one length for each index"):
        lucid.vecdot(lucid.ones((2, 3)), lucid.ones((4, 3)))
    with pytest.raises(ShapeError, match="cross: expected vectors of length 3 along axis -1"):
        lucid.cross(lucid.ones(2), lucid.ones(2))
    with pytest.raises(ShapeError, match="cross: expected"):
        lucid.cross(lucid.ones((2, 3)), lucid.ones((4, 3)))
    with pytest.raises(ShapeError, match="inner: expected paired axes of one length"):
        lucid.inner(lucid.ones(2), lucid.ones(3))
    with pytest.raises(ShapeError, match="matmul: expected"):
        lucid.dot(lucid.ones(2), lucid.ones(3))


def test_vecdot_conjugates_first() -> None:
    z = np.array([1j, 2.0])
    assert lucid.vecdot(z, z).item() == np.vecdot(z, z) == 5
    (g,) = lucid.vjp(lambda t: lucid.vecdot(t, z), z)[1](np.asarray(1.0 + 0j))
    np.testing.assert_array_equal(g.numpy(), z)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "said"),
    [
        ("ij,jk->ik", [(2, 3)], "expected 2 operands for 'ij,jk->ik', got 1"),
        ("ij->i", [(2,)], r"expected an operand with 2 axes for 'ij', got shape \(2,\)"),
        ("ij->i", [(2, 3, 4)], "expected an operand with 2 axes"),
        ("i,i->i", [(2,), (3,)], r"expected one length for each index, or 1 \(2 and 3 meet\)"),
        ("ii->i", [(2, 1)], "expected axes of one length for the repeated index 'i'"),
        ("i->ij", [(2,)], "expected a result that names indices of the operands, each once"),
        ("i->ii", [(2,)], "expected a result that names indices"),
        ("...i->i", [(2, 3)], "expected the axes of ... in the result"),
        ("i1->i", [(2, 3)], "expected letters, commas, ... and one ->"),
        ("i->i->i", [(2,)], "expected a result that names indices"),
    ],
)
def test_einsum_refuses(subscripts: str, shapes: Any, said: str) -> None:
    with pytest.raises(ShapeError, match=f"einsum: {said}"):
        lucid.einsum(subscripts, *(np.ones(s) for s in shapes))


def test_einsum_takes_paths() -> None:
    xs = [np.random.default_rng(0).standard_normal(s) for s in ((2, 3), (3, 4), (4, 5), (5,))]
    text = "ij,jk,kl,l->i"
    want = np.einsum(text, *xs)
    for how in (True, False, "greedy", "optimal", ["einsum_path", (2, 3), (1, 2), (0, 1)]):
        np.testing.assert_allclose(lucid.einsum(text, *xs, optimize=how).numpy(), want)
    with pytest.raises(OperandError, match='einsum: expected optimize True, False, "greedy"'):
        lucid.einsum(text, *xs, optimize="best")
    with pytest.raises(OperandError, match="einsum: expected subscripts as a string first, got"):
        lucid.einsum(xs[0], [0, 1])  # type: ignore[arg-type]


def test_einsum_contracts_by_the_path() -> None:
    """A bad order would need 10¹² products here."""
    x, y = np.ones((1000, 1000)), np.ones(1000)
    assert lucid.einsum("ij,jk,k->i", x, x, y).numpy()[0] == 1e6


def test_results_do_not_share_memory_with_arrays() -> None:
    x = np.ones((2, 2))
    results = [lucid.einsum("ij->ji", x), lucid.einsum("ii->i", x), lucid.einsum("ij", x)]
    x[:] = 7
    assert all((r.numpy() == 1).all() for r in results)


def test_arrays_beside_a_watched_tensor_are_copied() -> None:
    y = np.ones(2)
    x = lucid.Tensor([1.0, 2.0], requires_grad=True)
    out = lucid.einsum("i,i->", x, y) + lucid.tensordot(x, y, axes=1) + lucid.vecdot(x, y)
    y[:] = 100
    out.backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), [3, 3])


def test_integers_keep_their_dtype() -> None:
    x = np.full((3, 3), 100, np.int8)
    assert lucid.einsum("ij->", x).dtype == np.einsum("ij->", x).dtype == np.int8
    assert (lucid.Tensor(x) @ x).dtype == np.int8
