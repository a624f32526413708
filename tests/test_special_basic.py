"""The error function and the gamma function's kin: against mpmath, edges, errors."""

from __future__ import annotations

import math
import subprocess
import sys

import mpmath
import numpy as np
import pytest

import lucid
from lucid.errors import DTypeError
from lucid.ops import special

T = lucid.Tensor


def test_importing_lucid_does_not_import_scipy_special() -> None:
    code = "import sys, lucid; print('scipy.special' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("x", [0.1, 1.0, 7.5, -0.5, -3.3, -20.3])
def test_polygamma_agrees_with_mpmath(order: int, x: float) -> None:
    want = float(mpmath.polygamma(order, mpmath.mpf(x)))
    assert special.polygamma(order, T(x)).item() == pytest.approx(want, rel=1e-12)
    assert lucid.grad(lambda t: special.polygamma(order, t))(T(x)).item() == pytest.approx(
        float(mpmath.polygamma(order + 1, mpmath.mpf(x))), rel=1e-12
    )


def test_chains_of_derivatives() -> None:
    x = T(0.7)
    f = special.gammaln
    for order in range(4):
        f = lucid.grad(f)
        assert f(x).item() == pytest.approx(float(mpmath.polygamma(order, 0.7)), rel=1e-12)


def test_complex_error_function() -> None:
    z = 0.5 - 1.2j
    slope = lucid.jvp(special.erf, (T(z),), (T(1.0 + 0j),))[1].item()
    assert slope == pytest.approx(2 / math.sqrt(math.pi) * np.exp(-z * z))
    slope = lucid.jvp(special.erfc, (T(z),), (T(1.0 + 0j),))[1].item()
    assert slope == pytest.approx(-2 / math.sqrt(math.pi) * np.exp(-z * z))


def test_edges() -> None:
    assert special.erfinv(T([-1.0, 1.0])).tolist() == [-math.inf, math.inf]
    assert lucid.grad(special.erfinv)(T(1.0)).item() == math.inf
    assert lucid.grad(lambda x: lucid.where(x < 1, special.erfinv(x), 0.0))(T(1.0)).item() == 0.0
    assert special.gammaln(T(0.0)).item() == math.inf


def test_orders_broadcast_and_must_be_integers() -> None:
    got = special.polygamma(T([[0], [1]]), T([1.0, 2.0]))
    assert got.shape == (2, 2)
    assert special.polygamma(1, T(np.float32([1.0]))).dtype == np.float32
    assert special.polygamma(1, 2).item() == pytest.approx(math.pi**2 / 6 - 1)
    assert math.isnan(special.polygamma(-1, T(1.0)).item())
    with pytest.raises(DTypeError, match="polygamma: expected integers as order, got float"):
        special.polygamma(1.0, T(1.0))
    with pytest.raises(DTypeError, match="polygamma: expected integers as order, got float64"):
        special.polygamma(T([1.0]), T(1.0))
    with pytest.raises(DTypeError, match=r"polygamma: .*real numbers only"):
        special.polygamma(1, T(1j))
