"""Conversions between dtypes, and questions about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import DTypeError, OperandError

T = lucid.Tensor


def test_astype_returns_what_fits_already() -> None:
    x = T([1.0])
    assert x.astype(lucid.float64) is x
    assert x.astype("float64") is x
    assert x.astype(lucid.float32).dtype == np.float32
    a = np.ones(1)
    y = lucid.astype(a, lucid.float64)
    a[0] = 5.0
    assert y.tolist() == [1.0]


def test_astype_is_differentiable_between_floating_dtypes() -> None:
    g = lucid.grad(lambda x: (x.astype(lucid.float32) ** 2).sum())(np.ones(2))
    assert g.dtype == np.float64
    assert g.tolist() == [2.0, 2.0]
    g = lucid.grad(lambda x: (x.astype(lucid.complex64) * (1 + 2j)).real.sum())(np.ones(2))
    assert g.dtype == np.float64
    assert g.tolist() == [1.0, 1.0]
    # a complex result of a complex array, narrowed
    z = np.asarray([1 + 1j])
    g = lucid.grad(lambda z: abs(z.astype(lucid.complex64)).sum())(z)
    assert g.dtype == np.complex128
    np.testing.assert_allclose(g.numpy(), z / abs(z), rtol=1e-6)


def test_astype_to_integers_ends_the_derivative() -> None:
    g = lucid.grad(lambda x: (x * x.astype(lucid.int64)).sum())(np.asarray([2.5]))
    assert g.tolist() == [2.0]
    y, _ = lucid.jvp(lambda x: x.astype(lucid.int64), (2.5,), (1.0,))
    assert y.item() == 2
    assert lucid.grad(lambda x: x.astype(lucid.bool).astype(lucid.float64))(2.0).item() == 0.0


def test_astype_makes_a_weak_number_strong() -> None:
    def f(x: Any) -> Any:
        assert (x + T(1.0, dtype=lucid.float32)).dtype == np.float32
        y = x.astype(lucid.float64)
        assert (y + T(1.0, dtype=lucid.float32)).dtype == np.float64
        return y

    assert lucid.grad(f)(1.0).item() == 1.0


def test_astype_refuses() -> None:
    for target in (lucid.float64, lucid.int64, lucid.float32):
        with pytest.raises(DTypeError, match=r"astype: expected a real array for .* take \.real"):
            T([1j]).astype(target)
    assert T([1j]).astype(lucid.bool).tolist() == [True]
    with pytest.raises(DTypeError, match=r"astype: .*boolean, integer"):
        T([1.0]).astype("U3")
    with pytest.raises(DTypeError, match=r"astype: expected a dtype"):
        T([1.0]).astype(None)
    with pytest.raises(OperandError, match="device"):
        lucid.astype(T([1.0]), lucid.float32, device="gpu")


def test_result_type() -> None:
    assert lucid.result_type(lucid.int8, lucid.uint8) == np.int16
    assert lucid.result_type(T([1], dtype=lucid.int8), lucid.float32) == np.float32
    assert lucid.result_type(np.float32(1), 2.0) == np.float32
    assert lucid.result_type(T([1]), 2.0) == np.float64
    assert lucid.result_type(lucid.float32, 1j) == np.complex64
    assert lucid.result_type(True, 1) == np.int64
    assert lucid.result_type(True) == np.bool_
    assert lucid.result_type(1, 2.0) == np.float64
    with lucid.set_default_dtype(lucid.float32):
        assert lucid.result_type(1, 2.0) == np.float32
        assert lucid.result_type(1, 2j) == np.complex64
    with pytest.raises(OperandError, match=r"result_type: expected arrays or dtypes, got nothing"):
        lucid.result_type()


def test_can_cast() -> None:
    assert lucid.can_cast(lucid.int32, lucid.float64)
    assert not lucid.can_cast(lucid.float64, lucid.float32)
    assert lucid.can_cast(T([1], dtype=lucid.int8), lucid.int16)
    assert not lucid.can_cast(T([1.0]), lucid.int64)


def test_isdtype() -> None:
    assert lucid.isdtype(lucid.float32, "real floating")
    assert lucid.isdtype(np.dtype("int8"), ("unsigned integer", lucid.int8))
    assert not lucid.isdtype(lucid.bool, "numeric")
    assert lucid.isdtype(lucid.complex64, "numeric")
    with pytest.raises(OperandError, match=r"isdtype: expected a dtype or one of bool, signed"):
        lucid.isdtype(lucid.bool, "float")


def test_limits() -> None:
    for dtype in (lucid.float32, lucid.float64, lucid.complex64):
        mine, theirs = lucid.finfo(dtype), np.finfo(dtype)
        for name in ("bits", "eps", "max", "min", "smallest_normal", "tiny"):
            value = getattr(mine, name)
            assert type(value) in (int, float)
            assert value == getattr(theirs, name)
        assert mine.dtype == theirs.dtype
    assert lucid.finfo(T([1.0])).eps == np.finfo(float).eps
    for dtype in (lucid.int8, lucid.uint64):
        mine, theirs = lucid.iinfo(dtype), np.iinfo(dtype)
        assert (mine.bits, mine.max, mine.min) == (theirs.bits, theirs.max, theirs.min)
    assert lucid.iinfo(T([1])).dtype == np.int64
    with pytest.raises(DTypeError, match=r"finfo: expected a floating or complex dtype, got int64"):
        lucid.finfo(lucid.int64)
    with pytest.raises(DTypeError, match=r"iinfo: expected an integer dtype, got float64"):
        lucid.iinfo(lucid.float64)
