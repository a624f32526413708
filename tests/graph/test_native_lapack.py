"""Native determinants and factorisations against the numpy executor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lucid
from lucid import linalg
from tests.graph.test_native_ops import REAL, check, drawn

SHAPES = [(1, 1), (3, 3), (5, 3), (3, 5), (40, 40), (70, 33), (4, 5, 5), (2, 3, 4, 2), (200, 3, 3)]


def singular(x: Any, full: bool = True) -> Any:
    """Values, the product, and the products of the sides: vectors may have either sign."""
    u, s, vh = linalg.svd(x, full_matrices=full)
    k = s.shape[-1]
    product = (u[..., :k] * s[..., None, :]) @ vh[..., :k, :]
    return s, product, u.mT @ u, vh @ vh.mT


def eigen(x: Any, uplo: str = "L") -> Any:
    w, v = linalg.eigh(x, UPLO=uplo)
    return w, (v * w[..., None, :]) @ v.mT, v.mT @ v


ANY: dict[str, Any] = {
    "qr": linalg.qr,
    "complete": lambda x: linalg.qr(x, mode="complete"),
    "svd": singular,
    "thin": lambda x: singular(x, False),
    "svdvals": linalg.svdvals,
    "lu": linalg.lu,
}
SQUARE: dict[str, Any] = {
    "det": linalg.det,
    "slogdet": linalg.slogdet,
    "eigh": eigen,
    "upper": lambda x: eigen(x, "U"),
    "eigvalsh": linalg.eigvalsh,
}
BOTH = {**ANY, **SQUARE}


def tolerance(dtype: str) -> float:
    return 1e-3 if dtype == "float32" else 1e-10


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("name", BOTH)
def test_values(name: str, dtype: str) -> None:
    for shape in SHAPES:
        if shape[-1] == shape[-2] or name in ANY:
            check(BOTH[name], drawn(shape, dtype), rtol=tolerance(dtype))


@pytest.mark.parametrize("name", BOTH)
def test_layouts_and_no_elements(name: str) -> None:
    x = drawn((5, 4, 6), "float64").swapaxes(0, 2)[::2, :, :4]
    check(lambda x: BOTH[name](lucid.asarray(x).mT * 1.0), x, rtol=1e-10)
    check(lambda x: BOTH[name](lucid.asarray(x)[::-1]), x, rtol=1e-10)
    check(BOTH[name], x, rtol=1e-10)
    for shape in ((0, 0), (0, 3, 3), (2, 0, 0), (0, 3), (3, 0)):
        if shape[-1] == shape[-2] or name in ANY:
            check(BOTH[name], np.zeros(shape))
            check(lambda x: lucid.tree.map(lambda y: y + 1, BOTH[name](x)), np.zeros(shape))


@pytest.mark.parametrize("dtype", REAL)
def test_singular_matrices_have_determinants(dtype: str) -> None:
    x = np.array([np.zeros((2, 2)), [[1, 2], [2, 4]], np.eye(2), [[np.nan, 1], [1, 2]]], dtype)
    check(linalg.det, x)
    check(linalg.slogdet, x)
    check(linalg.lu, x[:3])


@pytest.mark.parametrize("name", ["eigh", "svd", "svdvals", "eigvalsh", "lu"])
def test_failures_are_those_of_eager(name: str) -> None:
    x = np.full((2, 3, 3), np.nan)
    with pytest.raises(Exception) as eager:  # noqa: PT011 - whatever it is
        BOTH[name](lucid.asarray(x))
    fast = lucid.jit(BOTH[name], executor="native")
    with pytest.raises(type(eager.value)) as compiled:
        fast(x)
    assert str(eager.value) == str(compiled.value)
    fast(np.ones_like(x))  # the program is whole


@pytest.mark.parametrize("shape", [(4, 4), (3, 4, 4)])
def test_gradients(shape: tuple[int, ...]) -> None:
    x = drawn(shape, "float64")

    def symmetric(x: Any) -> Any:
        return x @ x.mT + 2 * np.diag(np.arange(4.0))

    check(lucid.grad(lambda x: linalg.slogdet(symmetric(x)).logabsdet.sum()), x, rtol=1e-10)
    check(lucid.grad(lambda x: (linalg.eigvalsh(symmetric(x)) ** 3).sum()), x, rtol=1e-8)
    check(lucid.grad(lambda x: linalg.svdvals(x).sum()), x, rtol=1e-10)

    check(lucid.grad(lambda x: (linalg.qr(x).Q ** 3).sum()), x, rtol=1e-8)

    def vectors(x: Any) -> Any:
        w, v = linalg.eigh(symmetric(x))
        return ((v * lucid.sqrt(w)[..., None, :]) @ v.mT)[..., 0, :].sum()

    check(lucid.grad(vectors), x, rtol=1e-8)
    check(lambda x: lucid.jvp(vectors, (x,), (x + 1.0,)), x, rtol=1e-8)
    check(lucid.grad(lambda x: (linalg.svd(x).U @ linalg.svd(x).Vh)[..., 0].sum()), x, rtol=1e-8)
    wide = x[..., :2, :]
    check(
        lucid.grad(lambda x: (linalg.svd(x).Vh.mT[..., 2:] @ linalg.svd(x).Vh[..., 2:, :]).sum()),
        wide,
        rtol=1e-8,
    )
    check(lucid.grad(lambda x: linalg.det(x).sum()), x, native=False, rtol=1e-8)


def test_a_derivative_that_does_not_exist_raises_what_eager_does() -> None:
    f = lucid.grad(lambda x: linalg.eigh(x).eigenvectors[0].sum())
    with pytest.raises(lucid.errors.LinAlgError) as eager:
        f(lucid.eye(3))
    with pytest.raises(lucid.errors.LinAlgError) as compiled:
        lucid.jit(f, executor="native")(np.eye(3))
    assert str(eager.value) == str(compiled.value)
    g = lambda x: lucid.jvp(lambda x: linalg.eigh(x).eigenvectors, (x,), (x * 0 + 1.0,))  # noqa: E731
    check(g, np.eye(3))
    check(g, np.diag([1.0, 2.0, 2.0]))


@pytest.mark.parametrize("name", BOTH)
def test_vmap(name: str) -> None:
    check(lucid.vmap(BOTH[name]), drawn((3, 2, 4, 4), "float64"), rtol=1e-10)


def test_in_a_loop() -> None:
    def step(carry: Any, x: Any) -> Any:
        q, r = linalg.qr(carry @ x)
        return q, linalg.slogdet(r).logabsdet

    def run(x: Any) -> Any:
        return lucid.scan(step, lucid.eye(3), x)

    check(run, drawn((6, 3, 3), "float64"), rtol=1e-9)
