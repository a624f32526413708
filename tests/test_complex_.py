"""Complex numbers: gradients of real-valued functions, edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

import lucid

T = lucid.Tensor


def test_gradients_point_in_the_direction_of_steepest_ascent() -> None:
    z = T(3.0 - 4.0j)
    assert lucid.grad(lucid.abs)(z).item() == pytest.approx(0.6 - 0.8j)
    assert lucid.grad(lucid.real)(z).item() == 1.0
    assert lucid.grad(lucid.imag)(z).item() == 1j
    assert lucid.grad(lambda z: (z * lucid.conj(z)).real)(z).item() == 6.0 - 8.0j
    assert lucid.grad(lucid.angle)(z).item() == pytest.approx((4.0 + 3.0j) / 25)
    small = z - 1e-3 * lucid.grad(lucid.abs)(z)
    assert abs(small.item()) < abs(z.item())


def test_edges_at_zero() -> None:
    for zero in (0.0, 0j):
        assert lucid.grad(lambda z: lucid.abs(z))(T(zero)).item() == 0.0
        assert lucid.grad(lambda z: lucid.real(lucid.sign(z)))(T(zero)).item() == 0.0
        assert lucid.grad(lambda z: lucid.real(lucid.grad(lucid.abs)(z)))(T(zero)).item() == 0.0
    assert abs(T(-2.5)).item() == 2.5
    assert lucid.grad(lucid.angle)(T(0.0)).item() == 0.0
    assert np.isnan(lucid.grad(lucid.angle)(T(0j)).numpy())
    hidden = lucid.grad(lambda z: lucid.where(z == 0, 0.0, lucid.angle(z)))
    assert hidden(T(0j)).item() == 0.0


def test_parts_of_real_numbers() -> None:
    x = T(np.float32([1.0, -2.0]))
    assert lucid.real(x).tolist() == lucid.conj(x).tolist() == [1.0, -2.0]
    assert lucid.imag(x).tolist() == [0.0, 0.0]
    assert lucid.angle(x).dtype == x.real.dtype == x.imag.dtype == np.float32
    assert lucid.angle(x, deg=True).tolist() == [0.0, 180.0]
    assert lucid.grad(lambda x: lucid.imag(x).sum())(x).tolist() == [0.0, 0.0]
    assert lucid.grad(lambda x: lucid.angle(x).sum())(x).tolist() == [0.0, 0.0]
    assert lucid.real(T([1, 2])).dtype == lucid.conj(T([1])).dtype == np.int64


def test_methods_and_properties() -> None:
    z = T(np.complex64([1 + 2j]))
    assert (z.real.tolist(), z.imag.tolist(), z.conj().tolist()) == ([1.0], [2.0], [1 - 2j])
    assert z.real.dtype == np.float32
    assert lucid.grad(lambda z: (z.real * z.imag).sum())(z).tolist() == [2 + 1j]


def test_sign_of_complex_numbers_turns_along_the_circle() -> None:
    z, dz = T(3.0 + 4.0j), T(1.0j)
    turned = lucid.jvp(lucid.sign, (z,), (dz,))[1].item()
    h = 1e-6
    want = (np.sign(3 + (4 + h) * 1j) - np.sign(3 + (4 - h) * 1j)) / (2 * h)
    assert turned == pytest.approx(want, rel=1e-8)
    assert lucid.jvp(lucid.sign, (T(2.0),), (T(1.0),))[1].item() == 0.0
    assert lucid.hessian(lambda p: lucid.abs(p[0] + 1j * p[1]))(
        T([3.0, 4.0])
    ).numpy() == pytest.approx(np.array([[16, -12], [-12, 9]]) / 125)


def test_the_result_of_real_shares_no_memory_with_a_writable_array() -> None:
    z = np.array([1 + 2j])
    part = lucid.real(z)
    z[0] = 5
    assert part.tolist() == [1.0]
    assert math.isclose(lucid.abs(z).item(), 5.0)
