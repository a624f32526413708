"""Identities that every gradient satisfies, and complex gradients against PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lucid

Function = Callable[..., Any]
POINT = np.array([0.7, -1.3, 0.4])
RNG = np.random.default_rng(20261122)
W = RNG.standard_normal((4, 3))

# vector -> scalar, smooth, each of a different make
SCALAR: dict[str, Function] = {
    "polynomial": lambda x: (x**3 - 2 * x * x[::-1] + 1).sum(),
    "products": lambda x: x[0] * x[1] * x[2] + lucid.prod(x + 2),
    "transcendental": lambda x: (lucid.sin(x) * lucid.exp(-x * x)).sum() + lucid.tanh(x[0]),
    "logsumexp": lambda x: lucid.logsumexp(W @ x),
    "quadratic form": lambda x: x @ (W.T @ W) @ x,
    "norm": lambda x: lucid.linalg.vector_norm(x - 3),
    "determinant": lambda x: lucid.linalg.det(lucid.eye(3) + x[:, None] * x[None]),
    "mean of a cumulative sum": lambda x: lucid.cumulative_sum(x * x).mean(),
    "pieces": lambda x: lucid.where(x > 0, x**2, lucid.sin(x)).sum() + lucid.max(x),
}
# vector -> vector of length 3
VECTOR: dict[str, Function] = {
    "elementwise": lambda x: lucid.sin(x) + x**2,
    "matrix": lambda x: lucid.tanh(W @ x)[:3],
    "solve": lambda x: lucid.linalg.solve(lucid.eye(3) * 4 + x[:, None] * x[None], x),
    "cumulative": lambda x: lucid.cumulative_prod(x + 2),
    "gather": lambda x: x[np.array([2, 0, 2])] * x,
    "scatter": lambda x: x.at[np.array([0, 0])].add(x[1:] ** 2),
    "softmax": lambda x: lucid.exp(x - lucid.logsumexp(x)),
    "convolution": lambda x: lucid.stack([x[0] * x[1], x[1] * x[2], x[2] * x[0]]),
}


def each(table: dict[str, Function], name: str = "f") -> Any:
    return pytest.mark.parametrize(name, table.values(), ids=table)


def pairs(table: dict[str, Function]) -> Any:
    keys = list(table)
    couples = [(a, keys[(i + 1) % len(keys)]) for i, a in enumerate(keys)]
    values = [(table[a], table[b]) for a, b in couples]
    return pytest.mark.parametrize(("f", "g"), values, ids=[f"{a}, {b}" for a, b in couples])


def close(got: Any, want: Any, rtol: float = 1e-10) -> None:
    got = got.numpy() if isinstance(got, lucid.Tensor) else np.asarray(got)
    want = want.numpy() if isinstance(want, lucid.Tensor) else np.asarray(want)
    assert got.shape == want.shape
    np.testing.assert_allclose(
        got, want, rtol=rtol, atol=rtol * (np.abs(want).max(initial=0) + 1e-3)
    )


def grad(f: Function) -> Any:
    return lucid.grad(f)(POINT).numpy()


def value(f: Function) -> Any:
    return f(lucid.Tensor(POINT)).numpy()


# -- rules of calculus -----------------------------------------------------------------------------


@pairs(SCALAR)
def test_linearity(f: Function, g: Function) -> None:
    close(grad(lambda x: 2.5 * f(x) - 3 * g(x)), 2.5 * grad(f) - 3 * grad(g))


@pairs(SCALAR)
def test_product_rule(f: Function, g: Function) -> None:
    close(grad(lambda x: f(x) * g(x)), grad(f) * value(g) + value(f) * grad(g))


@pairs(SCALAR)
def test_quotient_rule(f: Function, g: Function) -> None:
    want = (grad(f) * value(g) - value(f) * grad(g)) / value(g) ** 2
    close(grad(lambda x: f(x) / g(x)), want)


@pairs(SCALAR)
def test_power_rule(f: Function, g: Function) -> None:
    base = lambda x: 2 + lucid.tanh(f(x))  # noqa: E731
    want = value(lambda x: base(x) ** g(x)) * (
        grad(g) * np.log(value(base)) + value(g) * grad(base) / value(base)
    )
    close(grad(lambda x: base(x) ** g(x)), want)


@each(SCALAR)
@each(VECTOR, "g")
def test_chain_rule(f: Function, g: Function) -> None:
    inner = lucid.jacfwd(g)(POINT).numpy()
    outer = lucid.grad(f)(value(g)).numpy()
    close(grad(lambda x: f(g(x))), outer @ inner)


@pairs(VECTOR)
def test_chain_rule_of_jacobians(f: Function, g: Function) -> None:
    want = lucid.jacrev(f)(value(g)).numpy() @ lucid.jacrev(g)(POINT).numpy()
    close(lucid.jacrev(lambda x: f(g(x)))(POINT), want)
    close(lucid.jacfwd(lambda x: f(g(x)))(POINT), want)


def test_the_gradient_of_a_sum_is_ones() -> None:
    for shape in ((), (3,), (2, 0), (2, 3, 4)):
        np.testing.assert_array_equal(
            lucid.grad(lucid.sum)(np.zeros(shape)).numpy(), np.ones(shape)
        )


def test_inverse_functions_have_inverse_derivatives() -> None:
    for f, inverse in [
        (lucid.exp, lucid.log),
        (lucid.sinh, lucid.asinh),
        (lucid.tan, lucid.atan),
        (lucid.square, lucid.sqrt),
        (lucid.expm1, lucid.log1p),
    ]:
        x = np.array([0.3, 0.9])
        g = lucid.grad(lambda v, f=f, inverse=inverse: inverse(f(v)).sum())(x)
        close(g, np.ones(2))


# -- modes agree -----------------------------------------------------------------------------------


@each(VECTOR)
def test_jacobians_agree(f: Function) -> None:
    want = np.stack([lucid.jvp(f, (POINT,), (e,))[1].numpy() for e in np.eye(3)], axis=1)
    close(lucid.jacfwd(f)(POINT), want)
    close(lucid.jacrev(f)(POINT), want)
    close(lucid.jacobian(f)(POINT), want)
    pull = lucid.vjp(f, POINT)[1]
    close(np.stack([pull(e)[0].numpy() for e in np.eye(3)]), want)
    push = lucid.linearize(f, POINT)[1]
    close(np.stack([push(e).numpy() for e in np.eye(3)], axis=1), want)


@each(VECTOR)
def test_adjoint(f: Function) -> None:
    u, t = RNG.standard_normal((2, 3))
    left = u @ lucid.jvp(f, (POINT,), (t,))[1].numpy()
    close(left, lucid.vjp(f, POINT)[1](u)[0].numpy() @ t)


@each(SCALAR)
def test_hessians_are_symmetric_and_agree(f: Function) -> None:
    h = lucid.hessian(f)(POINT).numpy()
    close(h, h.T)
    close(lucid.jacrev(lucid.grad(f))(POINT), h)
    close(lucid.jacrev(lucid.jacfwd(f))(POINT), h)
    close(lucid.jacfwd(lucid.jacfwd(f))(POINT), h)
    v = RNG.standard_normal(3)
    close(lucid.hvp(f, (POINT,), (v,)), h @ v)
    close(lucid.grad(lambda x: lucid.grad(f)(x) @ v)(POINT), h @ v)


@each(SCALAR)
def test_third_derivatives_are_symmetric(f: Function) -> None:
    t = lucid.jacfwd(lucid.hessian(f))(POINT).numpy()
    for order in ((1, 0, 2), (0, 2, 1), (2, 1, 0)):
        close(t.transpose(order), t)


@pytest.mark.parametrize("loss", [lambda y: (y**4).sum(), lambda y: lucid.logsumexp(y)])
@each(VECTOR)
def test_gauss_newton(f: Function, loss: Function) -> None:
    v = RNG.standard_normal(3)
    j = lucid.jacrev(f)(POINT).numpy()
    h = lucid.hessian(loss)(value(f)).numpy()
    (got,) = lucid.gauss_newton_product(f, loss, (POINT,), (v,))
    close(got, j.T @ h @ j @ v)


@each(SCALAR | VECTOR)
def test_check_grads(f: Function) -> None:
    lucid.check_grads(f, (POINT,), rtol=1e-5, atol=1e-5)


# -- batches ---------------------------------------------------------------------------------------


@each(SCALAR)
def test_gradients_of_examples_sum_to_that_of_the_batch(f: Function) -> None:
    batch = RNG.uniform(0.2, 1.5, (5, 3))
    shift = np.array([0.1, 0.2, 0.3])

    def total(s: Any) -> Any:
        return lucid.vmap(lambda x: f(x + s))(batch).sum()

    single = lucid.vmap(lucid.grad(lambda s, x: f(x + s)), in_axes=(None, 0))(shift, batch)
    loop = np.stack([lucid.grad(lambda s, x=x: f(x + s))(shift).numpy() for x in batch])
    close(single, loop)
    close(lucid.grad(total)(shift), loop.sum(axis=0))


@each(VECTOR)
def test_vmap_of_a_jacobian(f: Function) -> None:
    batch = RNG.uniform(0.2, 1.5, (4, 3))
    want = np.stack([lucid.jacrev(f)(x).numpy() for x in batch])
    for jac in (lucid.jacrev, lucid.jacfwd):
        close(lucid.vmap(jac(f))(batch), want)
        full = jac(lucid.vmap(f))(batch).numpy()  # block diagonal
        close(np.stack([full[i, :, i] for i in range(4)]), want)
        off = full.copy()
        for i in range(4):
            off[i, :, i] = 0
        np.testing.assert_array_equal(off, 0)


# -- complex functions -----------------------------------------------------------------------------

Z = np.array([0.7 + 0.4j, -1.3 + 0.2j, 0.5 - 0.6j])
C = RNG.standard_normal((3, 3)) + 1j * RNG.standard_normal((3, 3))

# complex -> real scalar, in the language that lucid and PyTorch share
REAL_OF_COMPLEX: dict[str, Callable[[Any, Any], Any]] = {
    "abs": lambda m, z: m.sum(m.abs(z)),
    "abs squared": lambda m, z: m.sum(m.abs(z) ** 2),
    "real of square": lambda m, z: m.sum(m.real(z * z)),
    "imag of cube": lambda m, z: m.sum(m.imag(z * z * z)),
    "exp": lambda m, z: m.sum(m.real(m.exp(z))),
    "sin over": lambda m, z: m.sum(m.imag(m.sin(z) / z)),
    "conj product": lambda m, z: m.sum(m.real(m.conj(z) * z[[2, 1, 0]] * (1 + 2j))),
    "sqrt and log": lambda m, z: m.sum(m.real(m.sqrt(z)) + m.imag(m.log(z))),
    "power": lambda m, z: m.sum(m.real(z**2.5)),
    "tanh": lambda m, z: m.sum(m.abs(m.tanh(z))),
    "prod": lambda m, z: m.abs(m.prod(z, 0)) ** 2,
    "mixed with a real part": lambda m, z: m.sum(m.real(z) * m.imag(z) ** 2),
}


@pytest.mark.parametrize("f", REAL_OF_COMPLEX.values(), ids=REAL_OF_COMPLEX)
def test_complex_gradients_are_pytorchs(f: Any) -> None:
    torch = pytest.importorskip("torch")
    t = torch.tensor(Z, requires_grad=True)
    f(torch, t).backward()
    want = t.grad.resolve_conj().numpy()
    close(lucid.grad(lambda z: f(lucid, z))(Z), want)
    leaf = lucid.Tensor(Z, requires_grad=True)
    f(lucid, leaf).backward()
    close(leaf.grad, want)


@pytest.mark.parametrize("f", REAL_OF_COMPLEX.values(), ids=REAL_OF_COMPLEX)
def test_complex_gradients_are_those_of_the_parts(f: Any) -> None:
    def of_parts(a: Any, b: Any) -> Any:
        return f(lucid, a + 1j * b)

    ga, gb = lucid.grad(of_parts, argnums=(0, 1))(Z.real.copy(), Z.imag.copy())
    assert ga.dtype == gb.dtype == np.float64
    close(lucid.grad(lambda z: f(lucid, z))(Z), ga.numpy() + 1j * gb.numpy())


@pytest.mark.parametrize("f", REAL_OF_COMPLEX.values(), ids=REAL_OF_COMPLEX)
def test_complex_gradients_descend(f: Any) -> None:
    """The change in the direction t is Re Σ conj(g)·t, most negative for t = -g."""
    g = lucid.grad(lambda z: f(lucid, z))(Z).numpy()
    t = RNG.standard_normal(3) + 1j * RNG.standard_normal(3)
    pushed = lucid.jvp(lambda z: f(lucid, z), (Z,), (t,))[1].item()
    close(pushed, np.sum(np.conj(g) * t).real)
    step = 1e-6
    gain = f(lucid, lucid.Tensor(Z - step * g)).item() - f(lucid, lucid.Tensor(Z)).item()
    np.testing.assert_allclose(gain, -step * np.sum(np.abs(g) ** 2), rtol=1e-3)


HOLOMORPHIC: dict[str, tuple[Function, Function]] = {
    "square": (lambda z: z * z, lambda z: np.diag(2 * z)),
    "exp": (lucid.exp, lambda z: np.diag(np.exp(z))),
    "matrix": (lambda z: C @ z, lambda z: C),
    "quotient": (lambda z: 1 / z, lambda z: np.diag(-1 / z**2)),
}


@pytest.mark.parametrize(("f", "df"), HOLOMORPHIC.values(), ids=HOLOMORPHIC)
def test_holomorphic_jacobians(f: Function, df: Function) -> None:
    for jac in (lucid.jacfwd, lucid.jacrev, lucid.jacobian):
        close(jac(f)(Z), df(Z))
    ct = RNG.standard_normal(3) + 1j * RNG.standard_normal(3)
    close(lucid.vjp(f, Z)[1](ct)[0], df(Z).conj().T @ ct)
    close(lucid.jvp(f, (Z,), (ct,))[1], df(Z) @ ct)


def test_jacobians_of_complex_functions_of_real_arguments() -> None:
    f = lambda x: lucid.exp(1j * x) * (1 + 2j)  # noqa: E731
    want = np.diag(1j * np.exp(1j * POINT) * (1 + 2j))
    close(lucid.jacfwd(f)(POINT), want)
    close(lucid.jacrev(f)(POINT), want)

    def mixed(x: Any, z: Any) -> Any:
        return x * z

    for jac in (lucid.jacfwd, lucid.jacrev):
        jx, jz = jac(mixed, argnums=(0, 1))(POINT, Z)
        close(jx, np.diag(Z))
        close(jz, np.diag(POINT).astype(complex))


def test_real_functions_of_complex_arguments_have_no_jacobian() -> None:
    for jac in (lucid.jacfwd, lucid.jacrev, lucid.jacobian):
        with pytest.raises(lucid.errors.DTypeError, match="holomorphic"):
            jac(lambda z: lucid.real(z * z))(Z)
    with pytest.raises(lucid.errors.DTypeError, match="hessian: expected a real argument"):
        lucid.hessian(lambda z: lucid.real(z * z).sum())(Z)
    v = np.array([1j, 1.0, 0.5 + 1j])  # a Hessian's product is a directional derivative: defined
    close(lucid.hvp(lambda z: lucid.real(z * z).sum(), (Z,), (v,)), 2 * v.conj())
