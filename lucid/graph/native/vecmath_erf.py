"""The error functions."""

from __future__ import annotations

from lucid.graph.native.vecmath_exp import exp_pair
from lucid.graph.native.vecmath_lanes import DOUBLE, SINGLE, Code, Lane

__all__ = ["erf", "erfc"]

# erf(x)/x - 1 in x**2, |x| <= 1/2: single, degree 4, error 2**-29; double, 8, 2**-57.
NEAR = {
    SINGLE: (0.128379166, -0.376126081, 0.112828366, -0.0267580729, 0.00471973792),
    DOUBLE: (
        0.12837916709551256,
        -0.37612638903183476,
        0.11283791670925479,
        -0.026866170632925436,
        0.0052239773735693685,
        -0.0008548297796889954,
        0.00012053337000063388,
        -1.4845891318708644e-05,
        1.4726244972015669e-06,
    ),
}
# erfc(x) e**(x**2) (1 + 2 x) in (x - K) / (x + K), which Shepherd and Laframboise (Math. Comp. 36,
# 1981) made smooth over all x >= 0: single, K = 3, degree 10, x <= 10.2, error 2**-28.7;
# double, K = 3.75, degree 22, x <= 27.3, error 2**-56.
CENTRE = {SINGLE: 3.0, DOUBLE: 3.75}
TAIL = {
    SINGLE: (
        1.25300801,
        -0.135621145,
        -0.0475624017,
        0.129646406,
        -0.119270869,
        0.0682959035,
        -0.0237981938,
        0.0025662994,
        0.00200274587,
        -0.000775129593,
        -0.000266994321,
    ),
    DOUBLE: (
        1.2375126308378275,
        -0.14024059858554672,
        0.003585415485462417,
        0.08227673849011473,
        -0.10880393014163936,
        0.09230432116147208,
        -0.05869339859183641,
        0.02836227740079438,
        -0.009746579537148144,
        0.0017556260198812394,
        0.0002937135665848384,
        -0.00029015501138520235,
        5.1649282623825696e-05,
        2.2387522432931173e-05,
        -1.1443818841494488e-05,
        -9.80958366323917e-07,
        1.7491782463211284e-06,
        -4.68160450138055e-08,
        -2.532257028068334e-07,
        1.4784506896329404e-08,
        3.280022572070871e-08,
        -4.2427501252734263e-10,
        -2.2522185093651563e-09,
    ),
}
# Beyond these erfc is below half the least subnormal.
END = {SINGLE: 10.1, DOUBLE: 27.25}


def tail(code: Code, size: Lane) -> Lane:
    """erfc(size) for size >= 1/2; a rounding error more below."""
    end, centre = END[code.format], CENTRE[code.format]
    size = (size > end).where(end, size)
    square, error = code.product(size, size)
    below, lost = code.sum(size * 2.0, code.real_number(1.0))
    ratio = code.poly((size - centre) / (size + centre), TAIL[code.format]) / below
    # The rounding error of 1 + 2 x, relative to it: the polynomial is about 1.2.
    return exp_pair(code, -square, code.fma(lost, ratio * -0.85, -error), ratio)


def near(code: Code, x: Lane) -> Lane:
    """erf(x) for |x| <= 1/2."""
    return code.fma(x, code.poly(x * x, NEAR[code.format]), x)


def erf(code: Code, x: Lane) -> Lane:
    """The error function: 1 - erfc(x) away from zero."""
    size = x.abs()
    return (size < 0.5).where(near(code, size), 1.0 - tail(code, size)).sign_of(x)


def erfc(code: Code, x: Lane) -> Lane:
    """The complement of the error function, below zero 2 less that of -x."""
    result = tail(code, x.abs())
    result = (x < 0.0).where(2.0 - result, result)
    return (x.abs() < 0.5).where(1.0 - near(code, x), result)
