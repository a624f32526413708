"""fmod, remainder and floor_divide, in every case what NumPy gives."""

from __future__ import annotations

from collections.abc import Callable

from lucid.graph.native.vecmath_lanes import Code, Lane

__all__ = ["floor_divide", "fmod", "frem", "remainder", "slow"]


def slow(code: Code, x: Lane, y: Lane) -> Lane:
    """Whether the quotient may have more digits than one division gives, or overflow on the way."""
    a, b = x.abs(), y.abs()
    result = a / b >= 2.0**code.format.digits
    if code.has_fma:
        return result
    # Products in halves lose bits, or overflow, outside of these.
    extent = code.format.bias - 2 * code.format.digits // 3
    outside = (a > 2.0**extent) | (b > 2.0**extent) | (b < 2.0 ** -(extent // 2))
    return result | outside


def fmod(code: Code, x: Lane, y: Lane) -> Lane:
    """C's fmod where `slow` is false: the remainder of the quotient cut off is exact."""
    a, b = x.abs(), y.abs()
    quotient = (a / b).trunc()
    product, error = code.product(quotient, b)
    rest = code.fma(-quotient, b, a) if code.has_fma else (a - product) - error
    rest = (rest < 0.0).where(rest + b, rest)  # the quotient was rounded up to a whole number
    return (b > a).where(a, rest).sign_of(x)


def frem(code: Code, x: Lane, y: Lane) -> Lane:
    """C's fmod, by a call."""
    return Lane(code, code.builder.frem(x.value, y.value))


def remainder(fmod: Callable[[Code, Lane, Lane], Lane]) -> Callable[[Code, Lane, Lane], Lane]:
    """Python's remainder, with the divisor's sign."""

    def emit(code: Code, x: Lane, y: Lane) -> Lane:
        rest = fmod(code, x, y)
        other = (y < 0.0) ^ (rest < 0.0)
        signed = rest.equals(0.0).where(rest.sign_of(y), other.where(rest + y, rest))
        return y.equals(0.0).where(rest, signed)

    return emit


def floor_divide(fmod: Callable[[Code, Lane, Lane], Lane]) -> Callable[[Code, Lane, Lane], Lane]:
    """The whole quotient that goes with Python's remainder."""

    def emit(code: Code, x: Lane, y: Lane) -> Lane:
        rest, ratio = fmod(code, x, y), x / y
        quotient = (x - rest) / y
        other = ((y < 0.0) ^ (rest < 0.0)) & (rest.equals(0.0) ^ 1)
        quotient = other.where(quotient - 1.0, quotient)
        floor = quotient.floor()
        floor = (quotient - floor > 0.5).where(floor + 1.0, floor)
        result = quotient.equals(0.0).where(code.real_number(0.0).sign_of(ratio), floor)
        return y.equals(0.0).where(ratio, result)

    return emit
