"""Linear algebra beyond the tables: degenerate spectra, singular matrices, errors, edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import lucid
from lucid import linalg
from lucid.errors import DTypeError, LinAlgError, OperandError, ShapeError

RNG = np.random.default_rng(0)
Q = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
G = RNG.normal(size=(3, 3))
# Exactly equal eigenvalues, and equal to rounding.
DEGENERATE = {
    "identity": np.eye(3),
    "pair": np.diag([1.0, 1.0, 2.0]),
    "rounded": Q @ np.diag([1.0, 1.0, 2.0]) @ Q.T,
    "zero": np.zeros((3, 3)),
}
degenerate = pytest.mark.parametrize("a", DEGENERATE.values(), ids=DEGENERATE.keys())


def differences(f: Callable[..., Any], a: Any, step: float = 1e-5) -> Any:
    """The gradient of a real function of a matrix, entry by entry."""
    out = np.zeros_like(a)
    for index in np.ndindex(*a.shape):
        e = np.zeros_like(a)
        e[index] = step
        out[index] = (float(f(a + e)) - float(f(a - e))) / (2 * step)
    return out


def hermitian(a: Any) -> Any:
    return (lucid.asarray(a) + lucid.conj(lucid.matrix_transpose(a))) / 2


def rebuilt(f: Callable[..., Any]) -> Callable[..., Any]:
    """⟨G, V f(w) Vᵀ⟩."""

    def value(a: Any) -> Any:
        w, v = linalg.eigh(a)
        return (((v * f(w)) @ v.T) * G).sum()

    return value


# -- coinciding eigenvalues ------------------------------------------------------------------------


@degenerate
def test_symmetric_functions_of_eigenvalues_are_exact(a: Any) -> None:
    want = scipy.linalg.expm(a)
    for f in (linalg.eigvalsh, lambda a: linalg.eigh(a).eigenvalues):
        got = lucid.grad(lambda a, f=f: lucid.exp(f(a)).sum())(a)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-12, atol=1e-14)
        _, moved = lucid.jvp(lambda a, f=f: lucid.exp(f(a)).sum(), (a,), (G,))
        np.testing.assert_allclose(moved.numpy(), (want * G).sum(), rtol=1e-12)


@pytest.mark.parametrize("f", [lucid.exp, lambda w: w, lucid.log], ids=["exp", "same", "log"])
@pytest.mark.parametrize("name", ["identity", "pair", "rounded"])
def test_a_function_of_the_matrix_names_the_gap(name: str, f: Any) -> None:
    # log is 0 at 1, and with it the cotangent of the vectors: that of the values still tells
    with pytest.raises(LinAlgError, match=r"eigh: derivative: .* gap of .* pair .*sqrtm, logm"):
        lucid.grad(rebuilt(f))(DEGENERATE[name])
    with pytest.raises(LinAlgError, match="eigh"):
        lucid.vmap(lucid.grad(rebuilt(f)))(np.stack([np.diag([1.0, 2, 3]), DEGENERATE[name]]))
    _, moved = lucid.jvp(rebuilt(f), (DEGENERATE[name],), (G + G.T,))
    assert np.isnan(moved.numpy())


def test_vectors_of_other_eigenvalues_are_not_affected() -> None:
    a = Q @ np.diag([0.0, 1.0, 1.0]) @ Q.T

    def lowest(a: Any) -> Any:
        v = linalg.eigh(hermitian(a)).eigenvectors[:, 0]
        return v @ lucid.asarray(G) @ v

    got = lucid.grad(lowest)(a)
    np.testing.assert_allclose(got.numpy(), differences(lowest, a), atol=1e-9)
    _, moved = lucid.jvp(lowest, (a,), (G,))
    np.testing.assert_allclose(moved.numpy(), (got.numpy() * G).sum(), rtol=1e-12)


def test_the_span_of_vectors_is_differentiable() -> None:
    a = Q @ np.diag([1.0, 1.0, 2.0]) @ Q.T

    def projector(a: Any) -> Any:
        v = linalg.eigh(hermitian(a)).eigenvectors[:, :2]
        return ((v @ v.T) * G).sum()

    got = lucid.grad(projector)(a)
    np.testing.assert_allclose(got.numpy(), differences(projector, a), atol=1e-9)


def test_forward_mode_marks_the_vectors_alone() -> None:
    a = np.diag([1.0, 1.0, 2.0])
    _, (w, v) = lucid.jvp(linalg.eigh, (a,), (G + G.T,))
    np.testing.assert_allclose(w.numpy(), np.diag(G + G.T))
    assert np.isnan(v.numpy()[:, :2]).any(axis=0).all()
    assert np.isfinite(v.numpy()[:, 2]).all()
    apart = np.diag([1.0, -1.0, 3.0])  # does not couple the pair
    _, (_, v) = lucid.jvp(linalg.eigh, (a,), (apart,))
    np.testing.assert_array_equal(v.numpy(), 0)


def test_second_derivatives_do_not_lose_terms() -> None:
    # Σ (w - 1)² = tr (A - 1)² has the second derivative 2 at A = 1; the rules cannot tell that
    f = lambda a: ((linalg.eigvalsh(a) - 1) ** 2).sum()  # noqa: E731
    with pytest.raises(LinAlgError, match="eigh"):
        lucid.vjp(lucid.grad(f), np.eye(3))[1](G)
    _, moved = lucid.jvp(lucid.grad(f), (np.eye(3),), (G,))
    assert np.isnan(moved.numpy()).any()


def test_largest_eigenvalue_has_a_subgradient() -> None:
    got = lucid.grad(lambda a: linalg.eigvalsh(a)[-1])(np.eye(2)).numpy()
    assert np.trace(got) == pytest.approx(1)
    assert np.linalg.eigvalsh(got).min() > -1e-15


def test_eig_where_eigenvalues_coincide() -> None:
    a = np.diag([1.0, 1.0, 2.0])
    got = lucid.grad(lambda a: lucid.real(linalg.eigvals(a) ** 2).sum())(a)
    np.testing.assert_allclose(got.numpy(), 2 * a)
    got = lucid.grad(lambda a: lucid.real(linalg.eig(a).eigenvalues ** 2).sum())(a)
    np.testing.assert_allclose(got.numpy(), 2 * a)
    with pytest.raises(LinAlgError, match="eig: derivative"):
        lucid.grad(lambda a: abs(G @ linalg.eig(a).eigenvectors)[0, 0])(a)
    defective = np.array([[1.0, 1.0], [0.0, 1.0]])
    with pytest.raises(LinAlgError, match="eig: derivative"):
        lucid.grad(lambda a: abs(linalg.eig(a).eigenvectors[0, 1]))(defective)


@pytest.mark.parametrize("n", [3, 160])
def test_eigvals_come_in_the_order_of_eig(n: int) -> None:
    a = np.random.default_rng(1).normal(size=(n, n))
    w = linalg.eigvals(a)
    np.testing.assert_array_equal(w.numpy(), linalg.eig(a).eigenvalues.numpy())
    e = np.random.default_rng(2).normal(size=(n, n))
    _, moved = lucid.jvp(linalg.eigvals, (a,), (e,))
    w2, v2 = np.linalg.eig(a)
    want = np.diag(np.linalg.solve(v2, e @ v2))
    near = [np.argmin(abs(w2 - x)) for x in w.numpy()]
    np.testing.assert_allclose(moved.numpy(), want[near], rtol=1e-6, atol=1e-8)


def test_functions_of_the_phases_have_no_derivative() -> None:
    a = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))
    for f in (
        lambda a: linalg.eigh(hermitian(a)).eigenvectors.real.sum(),
        lambda a: linalg.eig(a).eigenvectors.real.sum(),
        lambda a: linalg.svd(a).U.real.sum(),
    ):
        with pytest.raises(LinAlgError, match="phases"):
            lucid.grad(f)(a)


def test_eig_keeps_the_norm() -> None:
    a = RNG.normal(size=(3, 3))
    norms = lambda a: linalg.vector_norm(linalg.eig(a).eigenvectors, axis=0)  # noqa: E731
    _, moved = lucid.jvp(norms, (a,), (G,))
    np.testing.assert_allclose(moved.numpy(), 0, atol=1e-14)


# -- coinciding and vanishing singular values ------------------------------------------------------


@pytest.mark.parametrize("a", [np.eye(3), Q, 2 * Q], ids=["identity", "rotation", "scaled"])
def test_polar_factor_is_smooth_where_singular_values_coincide(a: Any) -> None:
    def polar(a: Any) -> Any:
        u, _, vh = linalg.svd(a)
        return ((u @ vh) * G).sum()

    np.testing.assert_allclose(lucid.grad(polar)(a).numpy(), differences(polar, a), atol=1e-9)


@pytest.mark.parametrize("a", [np.eye(3), Q, np.diag([2.0, 2.0, 1.0])])
def test_symmetric_functions_of_singular_values_are_exact(a: Any) -> None:
    u, _, vh = np.linalg.svd(a)
    for f in (linalg.svdvals, lambda a: linalg.svd(a).S):
        got = lucid.grad(lambda a, f=f: f(a).sum())(a)
        np.testing.assert_allclose(got.numpy(), u @ vh, atol=1e-14)


def test_other_functions_of_coinciding_singular_vectors_raise() -> None:
    def rebuilt(a: Any) -> Any:
        u, s, vh = linalg.svd(a, full_matrices=False)
        return ((u * lucid.log(s)) @ vh).sum()

    with pytest.raises(LinAlgError, match=r"svd: derivative.*gap"):
        lucid.grad(rebuilt)(np.eye(3))
    _, moved = lucid.jvp(rebuilt, (np.eye(3),), (G,))
    assert np.isnan(moved.numpy())


def test_a_vanishing_singular_value_leaves_its_vector_undetermined() -> None:
    a = np.outer([1.0, 2.0, 3.0], [1.0, 1.0])

    def same(a: Any) -> Any:
        u, s, vh = linalg.svd(a, full_matrices=False)
        return (((u * s) @ vh) * G[:, :2]).sum()

    with pytest.raises(LinAlgError, match="svd: derivative"):
        lucid.grad(same)(a)
    largest = lambda a: abs(linalg.svd(a, full_matrices=False).U[:, 0]).sum()  # noqa: E731
    np.testing.assert_allclose(lucid.grad(largest)(a).numpy(), differences(largest, a), atol=1e-9)


def test_added_columns_are_a_basis_and_no_more() -> None:
    a = RNG.normal(size=(4, 2))
    m = lucid.asarray(RNG.normal(size=(4, 4)))
    for rest in (
        lambda a: linalg.svd(a).U[:, 2:],
        lambda a: linalg.qr(a, mode="complete").Q[:, 2:],
        lambda a: lucid.matrix_transpose(linalg.svd(a.T).Vh[2:]),
    ):

        def span(a: Any, rest: Any = rest) -> Any:
            columns = rest(a)
            return ((columns @ columns.T) * m).sum()

        got = lucid.grad(span)(lucid.asarray(a))
        np.testing.assert_allclose(
            got.numpy(), differences(lambda a, f=span: f(lucid.asarray(a)), a), atol=1e-8
        )
        with pytest.raises(LinAlgError, match="span"):
            lucid.grad(lambda a, rest=rest: (rest(a) * m[:, :2]).sum())(lucid.asarray(a))


@pytest.mark.parametrize("scale", [1e-100, 1e-20, 1e20, 1e100])
def test_what_coincides_is_relative(scale: float) -> None:
    a = scale * (Q @ np.diag([1.0, 2.0, 3.0]) @ Q.T)
    for f in (
        lambda a: abs(linalg.eigh(a).eigenvectors).sum(),
        lambda a: abs(linalg.eig(a).eigenvectors).sum(),
        lambda a: abs(linalg.svd(a).U).sum(),
    ):
        got = lucid.grad(f)(a) * scale
        np.testing.assert_allclose(got.numpy(), lucid.grad(f)(a / scale).numpy(), rtol=1e-8)
    second = lucid.jvp(lucid.grad(lambda a: (linalg.eigvalsh(a) ** 2).sum()), (a,), (a,))[1]
    np.testing.assert_allclose(second.numpy() / scale, 2 * a / scale, rtol=1e-8)
    second = lucid.vjp(lucid.grad(lambda a: (linalg.svdvals(a) ** 2).sum()), a)[1](a)[0]
    np.testing.assert_allclose(second.numpy() / scale, 2 * a / scale, rtol=1e-8)


# -- smooth where the spectrum is not --------------------------------------------------------------


@pytest.mark.parametrize("name", ["identity", "pair", "rounded"])
def test_functions_of_matrices_do_not_mind(name: str) -> None:
    a = DEGENERATE[name]
    _, moved = lucid.jvp(linalg.expm, (a,), (G,))
    want = scipy.linalg.expm_frechet(a, G, compute_expm=False)
    np.testing.assert_allclose(moved.numpy(), want, rtol=1e-12, atol=1e-12)
    _, back = lucid.jvp(linalg.logm, (linalg.expm(a),), (moved,))
    np.testing.assert_allclose(back.numpy(), G, atol=1e-11)
    root, moved = lucid.jvp(linalg.sqrtm, (a,), (G,))
    np.testing.assert_allclose((root @ moved + moved @ root).numpy(), G, atol=1e-12)
    pull = lucid.vjp(linalg.logm, a)[1]
    np.testing.assert_allclose(
        (pull(G)[0] * G.T).sum().numpy(),
        (lucid.jvp(linalg.logm, (a,), (G.T,))[1] * G).sum().numpy(),
    )


# -- singular matrices -----------------------------------------------------------------------------


def test_det_has_derivatives_at_singular_matrices() -> None:
    for a in (np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 2.0, 0.0]), np.diag([0.0, 0, 4])):
        got = lucid.grad(linalg.det)(a).numpy()
        np.testing.assert_allclose(got, differences(linalg.det, a), atol=1e-9)
        g = lambda a: (lucid.grad(linalg.det)(a) * G).sum()  # noqa: E731
        np.testing.assert_allclose(lucid.grad(g)(a).numpy(), differences(g, a), atol=1e-9)
    h = lambda a: (lucid.grad(lambda b: (lucid.grad(linalg.det)(b) * G).sum())(a) * G).sum()  # noqa: E731
    with pytest.raises(LinAlgError, match="inv: expected invertible"):
        lucid.grad(h)(np.zeros((3, 3)))
    assert np.isfinite(lucid.grad(h)(np.diag([1.0, 2.0, 3.0])).numpy()).all()


def test_slogdet_of_a_singular_matrix() -> None:
    sign, log = linalg.slogdet(np.zeros((2, 2)))
    assert (sign.item(), log.item()) == (0.0, -np.inf)
    with pytest.raises(LinAlgError, match="singular"):
        lucid.grad(lambda a: linalg.slogdet(a).logabsdet)(np.zeros((2, 2)))
    got = lucid.grad(lambda a: linalg.slogdet(a).sign)(np.eye(2))
    np.testing.assert_array_equal(got.numpy(), 0)


def test_pinv_along_changes_that_keep_the_rank() -> None:
    x, y = RNG.normal(size=(4, 2)), RNG.normal(size=(2, 3))
    f = lambda x: (linalg.pinv(x @ lucid.asarray(y)) * lucid.asarray(W)).sum()  # noqa: E731
    got = lucid.grad(f)(lucid.asarray(x))
    np.testing.assert_allclose(
        got.numpy(), differences(lambda x: f(lucid.asarray(x)), x), atol=1e-7
    )


W = np.random.default_rng(5).normal(size=(3, 4))


def test_pinv_and_rank_take_one_tolerance_for_each_matrix() -> None:
    a = np.stack([np.diag([1.0, 0.1]), np.diag([1.0, 0.1])])
    rtol = np.array([0.5, 0.01])
    np.testing.assert_allclose(
        linalg.pinv(a, rtol=rtol).numpy(), [np.diag([1.0, 0.0]), np.diag([1.0, 10.0])], atol=1e-14
    )
    assert linalg.matrix_rank(a, rtol=rtol).tolist() == [1, 2]
    mapped = lucid.vmap(lambda a, r: linalg.pinv(a, rtol=r))(a, rtol)
    np.testing.assert_array_equal(mapped.numpy(), linalg.pinv(a, rtol=rtol).numpy())
    shared = lucid.vmap(lambda r: linalg.pinv(a, rtol=r))(rtol)
    assert shared.shape == (2, 2, 2, 2)


def test_lstsq_of_a_deficient_system() -> None:
    a, b = np.ones((3, 2)), np.array([1.0, 2.0, 3.0])
    got = linalg.lstsq(a, b)
    x, residual, rank, s = np.linalg.lstsq(a, b)
    np.testing.assert_allclose(got.solution.numpy(), x, atol=1e-14)
    assert got.rank.item() == rank
    np.testing.assert_allclose(got.singular_values.numpy(), s, atol=1e-14)
    assert got.residuals.item() == pytest.approx(2.0)
    assert residual.size == 0  # NumPy leaves it out


# -- conventions -----------------------------------------------------------------------------------


def test_cholesky_reads_one_triangle_and_shares_the_cotangent() -> None:
    a = np.array([[4.0, 9.0], [2.0, 2.0]])
    np.testing.assert_array_equal(linalg.cholesky(a).numpy(), np.linalg.cholesky(a))
    upper = np.array([[4.0, 2.0], [9.0, 2.0]])
    np.testing.assert_array_equal(
        linalg.cholesky(upper, upper=True).numpy(), np.linalg.cholesky(upper, upper=True)
    )
    got = lucid.grad(lambda a: linalg.cholesky(a)[1, 0])(np.array([[4.0, 2.0], [2.0, 2.0]]))
    np.testing.assert_allclose(got.numpy(), [[-0.125, 0.25], [0.25, 0.0]], atol=1e-15)


def test_eigh_reads_one_triangle() -> None:
    a = np.array([[1.0, 9.0], [2.0, 3.0]])
    for uplo in "LU":
        got, want = linalg.eigh(a, uplo), np.linalg.eigh(a, UPLO=uplo)
        np.testing.assert_allclose(got.eigenvalues.numpy(), want.eigenvalues, rtol=1e-14)
        np.testing.assert_allclose(linalg.eigvalsh(a, uplo).numpy(), want.eigenvalues, rtol=1e-14)


def test_results_are_named() -> None:
    a = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert linalg.eigh(a)._fields == linalg.eig(a)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.qr(a)._fields == ("Q", "R")
    assert linalg.slogdet(a)._fields == ("sign", "logabsdet")
    assert linalg.svd(a)._fields == ("U", "S", "Vh")
    assert linalg.lu(a)._fields == ("P", "L", "U")
    _, tangents = lucid.jvp(linalg.eigh, (a,), (a,))
    assert tangents.eigenvalues.shape == (2,)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_single_precision_stays(dtype: str) -> None:
    a = (np.eye(2) * 3 + 0.5).astype(dtype)
    real = np.dtype("float32")
    for fn in (linalg.inv, linalg.det, linalg.cholesky, linalg.expm, linalg.logm, linalg.sqrtm):
        assert fn(a).dtype == dtype
    for fn in (linalg.eigvalsh, linalg.svdvals, linalg.vector_norm, linalg.matrix_norm):
        assert fn(a).dtype == real
    assert linalg.eigvals(a).dtype == "complex64"
    assert linalg.solve_sylvester(a, a, a).dtype == dtype
    assert linalg.solve_triangular(a, a[0]).dtype == dtype
    assert linalg.cond(a).dtype == real


# -- norms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [2, 1, 1.5, 3, 4, 0.5, -1, -2, 0, np.inf, -np.inf])
@pytest.mark.parametrize("x", [np.zeros(3), np.zeros(3, complex), np.zeros((2, 2))])
def test_the_derivative_of_a_norm_at_zero_is_zero(p: float, x: Any) -> None:
    f = lambda x: linalg.vector_norm(x, ord=p)  # noqa: E731
    np.testing.assert_array_equal(lucid.grad(f)(x).numpy(), 0)
    np.testing.assert_array_equal(lucid.jvp(f, (x,), (np.ones_like(x),))[1].numpy(), 0)
    second = lucid.vjp(lucid.grad(f), x)[1](np.ones_like(x))[0]
    np.testing.assert_array_equal(second.numpy(), 0)


@pytest.mark.parametrize("p", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_the_derivative_of_a_matrix_norm_at_zero_is_zero(p: Any) -> None:
    got = lucid.grad(lambda a: linalg.matrix_norm(a, ord=p))(np.zeros((2, 3)))
    np.testing.assert_array_equal(got.numpy(), 0)


def test_norms_where_an_element_is_zero() -> None:
    x = np.array([0.0, 3.0, -4.0])
    for p in (1.5, 3, 0.5, 2):
        got = lucid.grad(lambda x, p=p: linalg.vector_norm(x, ord=p))(x).numpy()
        assert got[0] == 0
        assert np.isfinite(got).all()
    second = lucid.hessian(lambda x: linalg.vector_norm(x))(x).numpy()
    np.testing.assert_allclose(second, np.eye(3) / 5 - np.outer(x, x) / 125, atol=1e-15)
    fourth = lucid.hessian(lambda x: linalg.vector_norm(x, ord=4) ** 4)(x).numpy()
    np.testing.assert_allclose(fourth, np.diag(12 * x**2), atol=1e-12)


def test_ties_of_the_largest_share() -> None:
    got = lucid.grad(lambda x: linalg.vector_norm(x, ord=np.inf))(np.array([2.0, -2.0, 1.0]))
    np.testing.assert_array_equal(got.numpy(), [0.5, -0.5, 0])


def test_norm_follows_numpy() -> None:
    x = RNG.normal(size=(2, 3, 4))
    for options in (
        *({}, {"axis": 1}, {"axis": (0, 2)}, {"axis": (2, 0), "ord": 1}, {"axis": -1, "ord": 0}),
        *({"axis": (0, 1), "ord": "nuc", "keepdims": True}, {"axis": 0, "keepdims": True}),
    ):
        got, want = linalg.norm(x, **options), np.linalg.norm(x, **options)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-13)
    assert linalg.norm(np.array([3, 4])).dtype == "float64"


# -- zero-size -------------------------------------------------------------------------------------


def test_matrices_without_elements() -> None:
    none = np.zeros((0, 0))
    assert linalg.det(none).item() == 1
    assert linalg.slogdet(none).logabsdet.item() == 0
    assert linalg.inv(none).shape == (0, 0)
    assert linalg.matrix_rank(np.zeros((2, 0, 3))).tolist() == [0, 0]
    assert [x.shape for x in linalg.svd(np.zeros((0, 3)))] == [(0, 0), (0,), (3, 3)]
    assert [x.shape for x in linalg.qr(np.zeros((2, 0, 3)))] == [(2, 0, 0), (2, 0, 3)]
    assert [x.shape for x in linalg.lu(np.zeros((3, 0)))] == [(3, 3), (3, 0), (0, 0)]
    assert [x.shape for x in linalg.eig(np.zeros((2, 0, 0)))] == [(2, 0), (2, 0, 0)]
    assert linalg.matrix_norm(np.zeros((0, 3))).item() == 0
    with pytest.raises(ShapeError, match="matrix_norm: expected a matrix with elements for ord 2"):
        linalg.matrix_norm(np.zeros((0, 3)), ord=2)
    with pytest.raises(ShapeError, match="cond: expected matrices with elements"):
        linalg.cond(none)


def test_matrix_power() -> None:
    a = np.array([[1, 1], [0, 1]])
    assert linalg.matrix_power(a, 3).tolist() == [[1, 3], [0, 1]]
    assert linalg.matrix_power(a, 0).dtype == a.dtype
    with pytest.raises(DTypeError, match="inv"):
        linalg.matrix_power(a, -1)
    with pytest.raises(OperandError, match="matrix_power: expected an integer exponent"):
        linalg.matrix_power(a, 2.0)  # type: ignore[arg-type]


# -- errors ----------------------------------------------------------------------------------------

SQUARE = (
    *("inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh", "eig", "eigvals", "expm", "logm"),
    "sqrtm",
)
ANY = (*SQUARE, "pinv", "qr", "lu", "svd", "svdvals", "matrix_rank", "cond")


@pytest.mark.parametrize("name", ANY)
def test_what_is_no_floating_matrix(name: str) -> None:
    fn = getattr(linalg, name)
    with pytest.raises(ShapeError, match=f"{name}: expected an array with at least 2 axes"):
        fn(np.ones(3))
    with pytest.raises(ShapeError, match=name):
        fn(1.0)
    with pytest.raises(DTypeError, match=f"{name}: expected a floating or complex array, got int"):
        fn(np.ones((2, 2), int))
    if name in SQUARE:
        with pytest.raises(ShapeError, match=rf"{name}: expected square matrices .* \(2, 3\)"):
            fn(np.ones((2, 3)))


INFINITE = np.full((2, 2), np.inf)
ZERO = np.zeros((2, 2))
FAILURES: tuple[tuple[Any, Any, str], ...] = (
    (lambda: linalg.solve(ZERO, np.ones(2)), LinAlgError, "solve: .*singular; use pinv or lstsq"),
    (lambda: linalg.inv(ZERO), LinAlgError, "inv: expected invertible matrices, .*use pinv"),
    (lambda: linalg.inv(ZERO[None]), LinAlgError, r"a stack of matrices of shape \(1, 2, 2\)"),
    (lambda: linalg.cholesky(-np.eye(2)), LinAlgError, "cholesky: .*not positive definite"),
    (lambda: linalg.solve_triangular(ZERO, np.ones(2)), LinAlgError, "a zero at 0 of its diagonal"),
    (lambda: linalg.eigvals(INFINITE), LinAlgError, "eigvals: expected finite matrices"),
    (lambda: linalg.eig(INFINITE), LinAlgError, "eig: expected finite matrices"),
    (lambda: linalg.logm(-np.eye(2)), LinAlgError, "logm: .*real logarithm.*astype"),
    (lambda: linalg.sqrtm(-np.eye(2)), LinAlgError, "sqrtm: .*real square root.*astype"),
    (lambda: linalg.sqrtm(np.eye(2, k=1)), LinAlgError, "sqrtm: .*that has none"),
    (lambda: linalg.logm(ZERO), LinAlgError, "logm: .*singular"),
    (
        lambda: linalg.solve_sylvester(np.eye(2), -np.eye(2), ZERO),
        *(LinAlgError, "solve_sylvester: expected A and -B without a common eigenvalue"),
    ),
    (
        lambda: linalg.solve_sylvester(np.eye(2), np.eye(3), ZERO),
        *(ShapeError, r"a right-hand side of shape \(..., 2, 3\), got shape \(2, 2\)"),
    ),
    (
        lambda: linalg.solve(np.eye(2), np.ones(3)),
        *(ShapeError, r"solve: expected a right-hand side with 2 rows .* got shape \(3,\)"),
    ),
    (
        lambda: linalg.solve(np.ones((2, 2, 2)), np.ones((3, 2, 2))),
        *(ShapeError, "solve: expected stacks that broadcast together"),
    ),
    (lambda: linalg.solve(np.ones((2, 3)), np.ones(2)), ShapeError, "solve: expected square"),
    (lambda: linalg.solve(np.eye(2), np.ones(2, int)), DTypeError, "solve: expected a floating"),
    (lambda: linalg.lstsq(np.eye(2), np.ones(3)), ShapeError, "lstsq: expected a right-hand side"),
    (lambda: linalg.cho_solve(np.eye(2), np.ones(2)), OperandError, "cho_solve: expected a pair"),  # type: ignore[arg-type]
    (lambda: linalg.solve_triangular(ZERO, ZERO, trans=3), OperandError, "trans one of"),
    (lambda: linalg.qr(ZERO, mode="raw"), OperandError, "qr: expected mode 'reduced'"),
    (lambda: linalg.eigh(ZERO, "X"), OperandError, "eigh: expected UPLO 'L' or 'U'"),
    (lambda: linalg.vector_norm(ZERO, ord="fro"), OperandError, "ord a real number"),  # type: ignore[arg-type]
    (lambda: linalg.matrix_norm(ZERO, ord=3), OperandError, "matrix_norm: expected ord 'fro'"),
    (lambda: linalg.matrix_norm(np.ones(2)), ShapeError, "matrix_norm: .*at least 2 axes"),
    (lambda: linalg.norm(np.ones(2), ord="fro"), OperandError, "norm: .*real number for vectors"),
    (lambda: linalg.norm(np.ones((2, 2, 2)), ord=1), ShapeError, "norm: expected one axis"),
    (lambda: linalg.trace(np.ones(2)), ShapeError, "trace: expected an array with at least 2"),
    (lambda: linalg.diagonal(ZERO, offset=0.5), OperandError, "diagonal: expected an integer"),  # type: ignore[arg-type]
    (lambda: linalg.inv("A"), OperandError, "inv: expected Tensors"),  # type: ignore[arg-type]
)


@pytest.mark.parametrize(("call", "error", "match"), FAILURES)
def test_errors(call: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_derivatives_of_rank_deficient_factors() -> None:
    a = np.ones((3, 2))
    with pytest.raises(LinAlgError, match="diagonal"):
        lucid.grad(lambda a: linalg.lu(a).U.sum())(a)
    exact = np.zeros((3, 2))
    with pytest.raises(LinAlgError, match="diagonal"):
        lucid.grad(lambda a: linalg.qr(a).Q.sum())(exact)
    with pytest.raises(LinAlgError, match="common eigenvalue"):
        lucid.grad(lambda a: linalg.sqrtm(a).sum())(np.zeros((2, 2)))
