"""Exponentials, trigonometric and hyperbolic functions, rounding: edges and the complex plane."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import DTypeError, NotDifferentiableError, OperandError

T = lucid.Tensor
HOLOMORPHIC = [
    *("exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "square", "reciprocal", "sin"),
    *("cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    "sinc",
]
QUADRANTS = [1 + 0.5j, -1 + 0.5j, 1 - 0.5j, -1 - 0.5j, 2.5 + 0.1j, -2.5 - 0.1j, 0.1 + 3j, -0.1 - 3j]
CUTS = [complex(a, b) for a in (2.0, -2.0) for b in (0.0, -0.0)]
CUTS += [complex(b, a) for a in (2.0, -2.0) for b in (0.0, -0.0)]


def slopes(f: Any, z: complex) -> tuple[complex, complex]:
    """The complex derivative of f at z, by either mode."""
    forward = lucid.jvp(f, (T(z),), (T(1.0 + 0j),))[1].item()
    (back,) = lucid.vjp(f, T(z))[1](T(1.0 + 0j))
    return forward, back.numpy().conj().item()


def difference(f: Any, z: complex, along: complex) -> complex:
    """A fourth-order difference quotient, along a direction that keeps the sign of a zero part."""
    h = 1e-4
    if along == 1:
        points = [complex(z.real + k * h, z.imag) for k in (-2, -1, 1, 2)]
    else:
        points = [complex(z.real, z.imag + k * h) for k in (-2, -1, 1, 2)]
    a, b, c, d = (f(T(p)).item() for p in points)
    return (a - 8 * b + 8 * c - d) / (12 * h * along)


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_complex_derivatives_in_every_quadrant_and_on_both_sides_of_branch_cuts(name: str) -> None:
    f = getattr(lucid, name)
    for z in QUADRANTS + CUTS:
        on_real_line = z.imag == 0
        for along in (1,) if on_real_line else (1j,) if z.real == 0 else (1, 1j):
            want = difference(f, z, along)
            for got in slopes(f, z):
                assert got == pytest.approx(want, rel=1e-9), z


def test_functions_with_infinite_slopes_are_masked_by_selection() -> None:
    bad = {
        lucid.log: 0.0,
        lucid.log2: 0.0,
        lucid.sqrt: 0.0,
        lucid.cbrt: 0.0,
        lucid.reciprocal: 0.0,
        lucid.log1p: -1.0,
        lucid.asin: 1.0,
        lucid.acos: 1.0,
        lucid.acosh: 1.0,
        lucid.atanh: 1.0,
        lucid.exp: 1e3,
        lucid.sinh: 1e3,
        lucid.sin: math.inf,
        lucid.tanh: math.nan,
        lucid.square: math.inf,
    }
    with np.errstate(all="ignore"):
        for f, x in bad.items():
            for transform in (lucid.grad, lambda g: lambda a: lucid.jvp(g, (a,), (T([1.0]),))[1]):
                g = transform(lambda a, f=f, x=x: lucid.where(T([False]), f(a), 0.0).sum())
                assert np.all(g(T([x])).numpy() == 0.0), f


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logaddexp_of_many_is_as_accurate_as_numpys(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 30, (2, 100, 60)).astype(dtype)
    scale = 4 * np.finfo(dtype).eps
    for x, y in ((a, b), (a.T, b.T), (a, a)):
        got = lucid.logaddexp(x, y).numpy()
        assert got.dtype == dtype
        exact = np.logaddexp(x.astype(np.longdouble), y.astype(np.longdouble))
        np.testing.assert_allclose(got, exact.astype(dtype), rtol=scale, atol=scale)
    for special in (np.inf, -np.inf, np.nan, np.finfo(dtype).max):
        a[0, :2], b[0, 1:3] = special, special
        with np.errstate(all="ignore"):
            got, want = lucid.logaddexp(a, b).numpy(), np.logaddexp(a, b)
        np.testing.assert_allclose(got, want, rtol=scale, atol=scale)


def test_logaddexp_at_infinities() -> None:
    inf = math.inf
    cases = {
        (-inf, -inf): (0.5, 0.5),
        (inf, inf): (0.5, 0.5),
        (-inf, 1.0): (0.0, 1.0),
        (1.0, -inf): (1.0, 0.0),
        (inf, 1.0): (1.0, 0.0),
        (800.0, -800.0): (1.0, 0.0),
        (2.0, 2.0): (0.5, 0.5),
    }
    for point, want in cases.items():
        got = lucid.grad(lucid.logaddexp, (0, 1))(*map(T, point))
        assert tuple(g.item() for g in got) == want, point
    second = lucid.grad(lucid.grad(lucid.logaddexp))(T(2.0), T(2.0))
    assert second.item() == pytest.approx(0.25)


def test_atan2_in_all_quadrants_and_at_extremes() -> None:
    by_both = lucid.grad(lucid.atan2, (0, 1))
    for y, x in ((1.0, 2.0), (1.0, -2.0), (-1.0, -2.0), (-1.0, 2.0), (0.0, -1.0), (1e-200, 1e-200)):
        r = x * x + y * y if abs(x) > 1e-100 else None
        got = [g.item() for g in by_both(T(y), T(x))]
        want = [x / r, -y / r] if r else [5e199, -5e199]
        np.testing.assert_allclose(got, want, rtol=1e-14)
    assert np.isnan([g.item() for g in by_both(T(0.0), T(0.0))]).all()
    assert by_both(T(np.float32(1.0)), T(np.float32(2.0)))[0].dtype == np.float32


def test_sinc_is_smooth_at_zero_to_every_order() -> None:
    f: Any = lucid.sinc
    for n in range(1, 9):
        f = lucid.grad(f)
        want = 0.0 if n % 2 else (-1) ** (n // 2) * math.pi**n / (n + 1)
        assert f(T(0.0)).item() == pytest.approx(want, rel=1e-13)
        # the integral ∫₀¹ (πt)ⁿ cos(πxt + nπ/2) dt, on either side of where the series ends
        nodes, weights = np.polynomial.legendre.leggauss(80)
        t = (nodes + 1) / 2
        for x in (0.3, 1.1, (n + 0.999) / math.pi, (n + 1.001) / math.pi, 6.5):
            g = (math.pi * t) ** n * np.cos(math.pi * x * t + n * math.pi / 2)
            want = float(weights @ g) / 2
            assert f(T(x)).item() == pytest.approx(want, abs=1e-12 * math.pi**n)


def test_expm1_and_log1p_keep_small_arguments() -> None:
    assert lucid.expm1(T(1e-20)).item() == lucid.log1p(T(1e-20)).item() == 1e-20
    assert lucid.grad(lucid.expm1)(T(0.0)).item() == 1.0


def test_complex_special_cases_of_the_standard() -> None:
    inf, nan = math.inf, math.nan
    with np.errstate(all="ignore"):
        got = lucid.expm1(T([complex(inf, 0), complex(-inf, 1), complex(-inf, nan)])).numpy()
        assert (got[0].real, got[0].imag) == (inf, 0)
        assert got[1].real == got[2].real == -1
        assert lucid.expm1(T(complex(inf, inf))).numpy().real == inf
        z = lucid.tanh(T([complex(inf, 2), complex(-inf, -2)])).numpy()
        assert z.tolist() == [1, -1]
        assert np.signbit(z.imag).tolist() == [False, True]
        assert np.isnan(lucid.sign(T(complex(inf, nan))).numpy())


def test_rounding() -> None:
    assert lucid.round(T([0.5, 1.5, 2.5, -0.5])).tolist() == [0.0, 2.0, 2.0, -0.0]
    assert lucid.round(T([1.25, 1.35]), 1).tolist() == [1.2, 1.4]
    assert lucid.round(T([123, 155]), -1).tolist() == [120, 160]
    assert T([1.26]).round(1).tolist() == [1.3]
    for f in (lucid.floor, lucid.ceil, lucid.trunc, lucid.round):
        assert f(T([3])).dtype == np.int64
        assert lucid.grad(lambda x, f=f: x * f(x))(T(2.5)).item() == f(T(2.5)).item()
    with pytest.raises(OperandError, match=r"round: expected an integer as decimals, got 1\.5"):
        lucid.round(T([1.0]), 1.5)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match=r"floor: .*complex128"):
        lucid.floor(T([1j]))


def test_copysign_differentiates_the_magnitude() -> None:
    x = T([2.0, -2.0, 2.0, -2.0, 0.0])
    y = T([1.0, 1.0, -1.0, -0.0, 1.0])
    got = lucid.grad(lambda x: lucid.copysign(x, y).sum())(x)
    assert got.tolist() == [1.0, -1.0, -1.0, 1.0, 0.0]


def test_nextafter_has_no_derivative_and_says_so() -> None:
    with pytest.raises(NotDifferentiableError, match="nextafter"):
        lucid.grad(lambda x: lucid.nextafter(x, 2.0))(T(1.0))
    with pytest.raises(NotDifferentiableError, match="nextafter"):
        lucid.jvp(lambda x: lucid.nextafter(x, 2.0), (T(1.0),), (T(1.0),))


@pytest.mark.parametrize("name", [*HOLOMORPHIC, "exp2", "cbrt", "deg2rad", "rad2deg", "abs"])
def test_single_precision_stays_single(name: str) -> None:
    f = getattr(lucid, name)
    x = T(np.float32([1.5 if name == "acosh" else 0.5]))
    second = lucid.hessian(lambda t: (3 * f(t) + f(t) / 2).sum())(x)
    assert f(x).dtype == lucid.jvp(f, (x,), (x,))[1].dtype == second.dtype == np.float32


def test_python_numbers_take_the_default_dtype() -> None:
    assert lucid.sin(1.0).dtype == np.float64
    with lucid.set_default_dtype(lucid.float32):
        assert lucid.sin(1.0).dtype == np.float32
        assert lucid.exp(1j).dtype == np.complex64
    assert lucid.exp(2).dtype == np.float64
