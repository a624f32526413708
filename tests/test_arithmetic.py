"""Arithmetic and powers: infix operators, Python numbers, edges, errors."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import DTypeError, OperandError, OverflowedError, ShapeError

T = lucid.Tensor
INFIX = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.divide,
    operator.floordiv: np.floor_divide,
    operator.mod: np.remainder,
    operator.pow: np.power,
}


@pytest.mark.parametrize("symbol", INFIX, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
def test_infix_operators_take_tensors_arrays_and_numbers_on_either_side(
    symbol: Any, dtype: str
) -> None:
    if dtype == "complex64" and symbol in (operator.floordiv, operator.mod):
        pytest.skip("not defined for complex numbers")
    x, y = np.array([1, 2, 5], dtype), np.array([3, 1, 2], dtype)
    want = INFIX[symbol](x, y)
    for got in (symbol(T(x), T(y)), symbol(T(x), y)):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-6)
    for number in (2, 2.0, True):
        for got, ref in (
            (symbol(T(x), number), symbol(x, number)),
            (symbol(number, T(x)), symbol(number, x)),
        ):
            assert got.dtype == ref.dtype
            np.testing.assert_allclose(got.numpy(), ref, rtol=1e-6)


def test_python_numbers_are_weak_and_numpy_scalars_strong() -> None:
    x = T(np.float32([1.0]))
    assert (x + 1.0).dtype == (x**0.5).dtype == (2 * x).dtype == np.float32
    assert (x + np.float64(1.0)).dtype == np.float64
    assert (T([1, 2]) + 1.0).dtype == np.float64
    assert (T([1, 2]) + 1j).dtype == np.complex128
    half = lucid.grad(lambda a, b: (a * b**2 / 3 - b**0.5).sum(), 0)(x, 0.25)
    assert half.dtype == np.float32


def test_foreign_operands_are_left_to_python() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        T([1.0]) + "one"
    with pytest.raises(TypeError, match="unsupported operand"):
        None * T([1.0])
    with pytest.raises(OperandError, match="add: expected Tensors, NumPy arrays or numbers, got"):
        lucid.add(T([1.0]), [1.0])  # type: ignore[arg-type]


def test_errors_name_the_operation_and_what_it_got() -> None:
    with pytest.raises(
        ShapeError, match=r"multiply: expected shapes that broadcast.*\(2,\).*\(3,\)"
    ):
        T([1.0, 2.0]) * T([1.0, 2.0, 3.0])
    with pytest.raises(DTypeError, match=r"subtract: expected dtypes.*bool.*bitwise_xor"):
        T([True]) - T([False])
    with pytest.raises(DTypeError, match=r"negative: .*`~` operator"):
        -T([True])
    with pytest.raises(DTypeError, match=r"remainder: .*complex128"):
        T([1j]) % 2
    with pytest.raises(DTypeError, match=r"floor_divide: .*complex128"):
        T([1j]) // 2
    with pytest.raises(OverflowedError, match=r"add: expected numbers that fit.*uint8.*300"):
        T(np.uint8([1])) + 300
    with pytest.raises(ValueError, match=r"pow: .*negative integer powers"):
        T([2]) ** -1


def test_division_by_a_python_zero_differentiates() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        f = lambda x, y: lucid.divide(x, y).sum()  # noqa: E731
        assert lucid.grad(f)(T([1.0]), 0).numpy() == [np.inf]
        assert lucid.grad(f)(T([1.0]), -0.0).numpy() == [-np.inf]
        assert lucid.grad(f)(T(2.0), 0.0).item() == np.inf
        assert lucid.grad(f, 1)(T([1.0]), 0.0).item() == -np.inf
        z = lucid.jvp(lambda z: z / 0j, (T([1j]),), (T([1j]),))[1]
    assert np.isnan(z.numpy()).all()


def test_floor_divide_at_infinity_is_the_standards() -> None:
    inf = np.inf
    x = np.array([inf, -inf, 1.0, -1.0, inf])
    y = np.array([2.0, 2.0, inf, inf, inf])
    got = lucid.floor_divide(T(x), T(y)).numpy()
    np.testing.assert_array_equal(got, [inf, -inf, 0.0, -0.0, np.nan])
    assert (T(np.float32([inf])) // 2).dtype == np.float32
    assert (T([7, -7]) // 2).tolist() == [3, -4]
    assert (7 // T(2.0)).item() == 3.0


def test_a_remainder_counts_whole_divisors() -> None:
    for f, counts in ((lucid.remainder, [-2, 3, 3, -2]), (lucid.fmod, [-2, 2, 2, -2])):
        x, y = T([7.0, -7.0, 7.0, -7.0]), T([3.0, 3.0, -3.0, -3.0])
        got = lucid.grad(lambda x, y, f=f: f(x, y).sum(), (0, 1))(x, y)
        assert got[0].tolist() == [1.0] * 4
        np.testing.assert_allclose(got[1].numpy(), counts, rtol=1e-15)
    # 1 / 0.1 rounds to 10, of which the remainder knows that it is a little less
    assert lucid.grad(lucid.fmod, 1)(T(1.0), T(0.1)).item() == pytest.approx(-9)
    assert lucid.grad(lucid.remainder, 1)(T(1.0), T(0.1)).item() == pytest.approx(-9)
    assert lucid.grad(lucid.grad(lucid.fmod, 1), 1)(T(7.0), T(3.0)).item() == pytest.approx(0)


# -- powers ----------------------------------------------------------------------------------------


def derivatives(x: float, y: Any) -> list[float]:
    """The first three derivatives of x^y by x."""
    f: Any = lambda a: lucid.pow(a, y)  # noqa: E731
    out = []
    for _ in range(3):
        f = lucid.grad(f)
        out.append(f(T(x)).item())
    return out


@pytest.mark.parametrize("tensor", [False, True], ids=["number", "tensor"])
@pytest.mark.parametrize(
    ("x", "y", "want"),
    [
        (0.0, 0.0, [0, 0, 0]),
        (0.0, 1.0, [1, 0, 0]),
        (0.0, 2.0, [0, 2, 0]),
        (0.0, 3.0, [0, 0, 6]),
        (0.0, 5.0, [0, 0, 0]),
        (0.0, 0.5, [math.inf, -math.inf, math.inf]),
        (0.0, -1.0, [-math.inf, math.inf, -math.inf]),
        (-2.0, 0.0, [0, 0, 0]),
        (-2.0, 3.0, [12, -12, 6]),
        (-2.0, -1.0, [-0.25, -0.25, -0.375]),
        (3.0, 2.0, [6, 2, 0]),
    ],
)
def test_powers_differentiate_by_the_base_at_the_edges(
    x: float, y: float, want: list[float], tensor: bool
) -> None:
    with np.errstate(all="ignore"):
        got = derivatives(x, T(y) if tensor else y)
    np.testing.assert_allclose(got, want, rtol=1e-14)


def test_powers_differentiate_by_the_exponent_at_the_edges() -> None:
    by_exponent = lucid.grad(lucid.pow, 1)
    for y in (0.0, 0.5, 1.0, 2.0):
        assert by_exponent(T(0.0), T(y)).item() == 0.0
        assert by_exponent(0.0, T(y)).item() == 0.0
    assert math.isnan(by_exponent(T(-2.0), T(3.0)).item())
    assert by_exponent(2.0, T(3.0)).item() == pytest.approx(8 * math.log(2))
    assert by_exponent(T([1, 2]).sum(), T(2.0)).item() == pytest.approx(9 * math.log(3))
    z = lucid.grad(lambda y: lucid.real(lucid.pow(1j, y)), 0)(T(1.0))
    assert z.item() == pytest.approx(-math.pi / 2)


@pytest.mark.parametrize("y", [0.0, 1.0, 2.0])
def test_mixed_derivatives_of_powers_are_symmetric(y: float) -> None:
    for x in (0.7, 2.0):
        one = lucid.grad(lucid.grad(lucid.pow, 0), 1)(T(x), T(y)).item()
        other = lucid.grad(lucid.grad(lucid.pow, 1), 0)(T(x), T(y)).item()
        assert one == pytest.approx(x ** (y - 1) * (1 + y * math.log(x)), rel=1e-14)
        assert other == pytest.approx(one, rel=1e-14)


def test_a_nan_derivative_by_the_exponent_does_not_reach_that_by_the_base() -> None:
    point = T(-2.0), T(3.0)
    value, slope = lucid.jvp(lucid.pow, point, (T(1.0), T(0.0)))
    assert (value.item(), slope.item()) == (-8.0, 12.0)
    with np.errstate(all="ignore"):
        hessian = lucid.hessian(lambda p: p[0] ** p[1])(T([-2.0, 3.0])).numpy()
    assert hessian[0, 0] == -12.0
    assert np.isnan([hessian[0, 1], hessian[1, 0], hessian[1, 1]]).all()
    by_reverse = lucid.grad(lambda x: lucid.jvp(lucid.pow, (x, point[1]), (T(1.0), T(0.0)))[1])
    assert by_reverse(T(-2.0)).item() == -12.0


def test_integer_exponent_arrays_do_not_overflow_in_derivatives() -> None:
    y = np.arange(0, 21, dtype=np.uint8)
    x = np.full(21, 1.1)
    got = lucid.grad(lambda t: lucid.grad(lambda s: lucid.pow(s, y).sum())(t).sum())(T(x))
    n = y.astype(float)
    np.testing.assert_allclose(got.numpy(), n * (n - 1) * 1.1 ** (n - 2), rtol=1e-13, atol=1e-300)


def test_infix_power_is_numpys() -> None:
    with np.errstate(invalid="ignore"):
        for x in (np.array([-0.0, 4.0, -1.0]), np.float32([2.0]), np.array([3, 5])):
            for y in (2, 0.5, 2.0, 3, 0):
                got = T(x) ** y
                assert got.dtype == (x**y).dtype
                np.testing.assert_array_equal(got.numpy(), x**y)
    assert (2 ** T([1.0, 3.0])).tolist() == [2.0, 8.0]


def test_roots_have_an_honest_infinite_derivative_at_zero() -> None:
    assert lucid.grad(lucid.sqrt)(T(0.0)).item() == np.inf
    assert lucid.grad(lucid.cbrt)(T(0.0)).item() == np.inf
    assert lucid.grad(lucid.reciprocal)(T(-2.0)).item() == -0.25
    assert math.isnan(lucid.grad(lambda x: lucid.sqrt(x) * lucid.sqrt(x))(T(0.0)).item())


def test_hypot_has_gradient_zero_at_the_origin_and_does_not_overflow() -> None:
    by_both = lucid.grad(lucid.hypot, (0, 1))
    assert [g.item() for g in by_both(T(0.0), T(0.0))] == [0.0, 0.0]
    np.testing.assert_allclose([g.item() for g in by_both(T(3e200), T(4e200))], [0.6, 0.8])
    second = lucid.hessian(lambda p: lucid.hypot(p[0], p[1]))(T([0.0, 0.0]))
    assert second.tolist() == [[0.0, 0.0], [0.0, 0.0]]
