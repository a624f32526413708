"""Fourier transforms beyond the tables: adjoints against matrices, lengths, dtypes, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid import fft
from lucid.errors import DTypeError, IndexOutOfBoundsError, OperandError, ShapeError

RNG = np.random.default_rng(0)
NORMS = ("backward", "ortho", "forward")


def matrix_of(f: Any, n: int) -> Any:
    """The complex matrix of a function that is linear over the real numbers, on real vectors."""
    return np.stack([f(e).numpy() for e in np.eye(n)], -1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("length", [None, 1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("n", [1, 4, 5])
def test_the_adjoint_is_that_of_the_matrix(n: int, length: int | None, norm: str) -> None:
    for f in (fft.fft, fft.ifft, fft.rfft, fft.ihfft):
        apply = lambda x, f=f: f(x, length, norm=norm)  # noqa: E731
        a = matrix_of(apply, n)
        u = RNG.normal(size=a.shape[0]) + 1j * RNG.normal(size=a.shape[0])
        got = lucid.vjp(apply, np.ones(n))[1](u)[0]
        np.testing.assert_allclose(got.numpy(), (a.conj().T @ u).real, atol=1e-12)
    if n == 1 and length is None:
        return
    for f in (fft.irfft, fft.hfft):
        apply = lambda x, f=f: f(x, length, norm=norm)  # noqa: E731
        a, b = matrix_of(apply, n), matrix_of(lambda e, g=apply: g(1j * e), n)
        u = RNG.normal(size=a.shape[0])
        got = lucid.vjp(apply, np.ones(n) + 0j)[1](u)[0]
        np.testing.assert_allclose(got.numpy(), a.T @ u + 1j * (b.T @ u), atol=1e-12)


def test_single_precision_stays() -> None:
    x = np.ones(4, np.float32)
    assert fft.fft(x).dtype == fft.rfft(x).dtype == "complex64"
    assert fft.irfft(fft.rfft(x)).dtype == fft.hfft(x).dtype == fft.dct(x).dtype == "float32"
    assert fft.fftn(np.ones((2, 2), np.complex64)).dtype == "complex64"
    assert lucid.grad(lambda x: abs(fft.rfft(x)).sum())(x).dtype == "float32"
    assert fft.fftfreq(4, dtype=lucid.float32).dtype == "float32"


def test_integers_take_the_default_dtype() -> None:
    x = np.arange(4)
    assert fft.fft(x).dtype == "complex128"
    with lucid.set_default_dtype(lucid.float32):
        assert fft.fft(x).dtype == "complex64"
        assert fft.rfftfreq(4).dtype == "float32"


def test_no_axes_change_nothing_but_the_dtype() -> None:
    x = RNG.normal(size=(2, 3))
    got = fft.fftn(x, axes=())
    np.testing.assert_array_equal(got.numpy(), x)
    assert got.dtype == "complex128"
    np.testing.assert_array_equal(lucid.grad(lambda x: fft.fftn(x, axes=()).real.sum())(x), 1)


def test_lengths_follow_numpy() -> None:
    x = RNG.normal(size=(3, 4, 5))
    got = fft.fftn(x, (-1, 2), (0, 1))
    np.testing.assert_allclose(got.numpy(), np.fft.fftn(x, (3, 2), (0, 1)), atol=1e-13)
    got = fft.irfftn(x, (4, -1), (0, 2))
    np.testing.assert_allclose(got.numpy(), np.fft.irfftn(x, (4, 8), (0, 2)), atol=1e-13)
    assert fft.rfftn(x, (2, 2)).shape == (3, 2, 2)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_and_shifts(n: int) -> None:
    for mine, theirs in ((fft.fftfreq, np.fft.fftfreq), (fft.rfftfreq, np.fft.rfftfreq)):
        np.testing.assert_array_equal(mine(n, 0.3).numpy(), theirs(n, 0.3))
    x = RNG.normal(size=(n, 2))
    np.testing.assert_array_equal(fft.ifftshift(fft.fftshift(x)).numpy(), x)
    slope = lucid.grad(lambda d: fft.rfftfreq(n, d).sum())(2.0)
    np.testing.assert_allclose(slope.numpy(), -np.fft.rfftfreq(n, 4.0).sum())


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", NORMS)
def test_cosine_and_sine_transforms_invert(kind: int, norm: str) -> None:
    x = RNG.normal(size=(3, 5))
    for f, g in ((fft.dct, fft.idct), (fft.dst, fft.idst)):
        np.testing.assert_allclose(g(f(x, kind, norm=norm), kind, norm=norm).numpy(), x, atol=1e-13)


def test_vmap_counts_axes_without_the_batch() -> None:
    x = RNG.normal(size=(2, 3, 4))
    got = lucid.vmap(lambda x: fft.rfft(x, axis=0))(x)
    np.testing.assert_allclose(got.numpy(), np.fft.rfft(x, axis=1), atol=1e-13)
    got = lucid.vmap(lambda x: fft.fftn(x), in_axes=2)(x)
    want = np.fft.fftn(x, axes=(0, 1)).transpose(2, 0, 1)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-13)


X = np.ones((2, 3))
FAILURES: tuple[tuple[Any, Any, str], ...] = (
    (lambda: fft.fft(X, 0), ShapeError, "fft: expected a length of 1 or more, got 0"),
    (lambda: fft.fft(np.ones((2, 0))), ShapeError, "fft: expected a length of 1 or more"),
    (lambda: fft.fft(X, 2.0), OperandError, "fft: expected an integer as length"),
    (lambda: fft.irfft(np.ones(1)), ShapeError, "irfft: expected a length of 1 or more, got 0"),
    (lambda: fft.fft(X, axis=2), IndexOutOfBoundsError, "fft: expected an axis from -2 to 1"),
    (lambda: fft.fft(1.0), IndexOutOfBoundsError, "fft: expected no axis"),
    (lambda: fft.fft(X, norm="both"), OperandError, "fft: expected norm 'backward', 'ortho' or"),
    (lambda: fft.rfft(X + 1j), DTypeError, "rfft: expected real data, got complex128; use fft"),
    (lambda: fft.ihfft(X + 1j), DTypeError, "ihfft: expected real data"),
    (lambda: fft.rfftn(X + 1j), DTypeError, "rfftn: expected real data"),
    (lambda: fft.fftn(X, axes=(0, 0)), ShapeError, "fftn: expected each axis once"),
    (lambda: fft.fftn(X, (1,), (0, 1)), ShapeError, "fftn: expected one length for each axis"),
    (lambda: fft.fftn(X, (1, 1, 1)), ShapeError, "fftn: expected at most one length for each axis"),
    (lambda: fft.fftn(X, (0, 1)), ShapeError, "fftn: expected a length of 1 or more"),
    (lambda: fft.rfftn(X, axes=()), ShapeError, "rfftn: expected at least one axis"),
    (lambda: fft.fftfreq(0), ShapeError, "fftfreq: expected a length of 1 or more"),
    (lambda: fft.rfftfreq(4, dtype="int64"), DTypeError, "rfftfreq: expected a floating dtype"),
    (lambda: fft.dct(X, 5), OperandError, "dct: expected type 1, 2, 3 or 4, got 5"),
    (lambda: fft.dct(X, 1, 1), ShapeError, "dct: expected a length of 2 or more for type 1"),
)


@pytest.mark.parametrize(("call", "error", "match"), FAILURES)
def test_errors(call: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        call()
