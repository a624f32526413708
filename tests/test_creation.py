"""Creation: values and dtypes against NumPy, copies, exchange with other libraries, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import lucid
from lucid.errors import (
    DetachedArrayError,
    DTypeError,
    OperandError,
    ShapeError,
)

T = lucid.Tensor


def same(got: Any, want: Any) -> None:
    want = np.asarray(want)
    assert type(got) is T
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    np.testing.assert_array_equal(got.numpy(), want)


@pytest.mark.parametrize("name", ["zeros", "ones"])
@pytest.mark.parametrize("shape", [(), 3, (2, 0), [2, 3], np.int32(4)])
def test_constants(name: str, shape: Any) -> None:
    same(getattr(lucid, name)(shape), getattr(np, name)(shape))
    for dtype in (lucid.int8, lucid.complex64, lucid.bool, "float32"):
        same(getattr(lucid, name)(shape, dtype=dtype), getattr(np, name)(shape, dtype=dtype))
    with lucid.set_default_dtype(lucid.float32):
        same(getattr(lucid, name)(shape), getattr(np, name)(shape, np.float32))


def test_empty_is_never_garbage() -> None:
    same(lucid.empty((2, 3)), np.zeros((2, 3)))
    same(lucid.empty_like(T([1, 2])), np.zeros(2, np.int64))


def test_like() -> None:
    x = np.ones((2, 3), np.int16)
    same(lucid.zeros_like(x), np.zeros_like(x))
    same(lucid.ones_like(T(x)), np.ones_like(x))
    same(lucid.full_like(x, 7), np.full_like(x, 7))
    same(lucid.full_like(x, 7, dtype=lucid.float32), np.full_like(x, 7, dtype=np.float32))
    same(lucid.zeros_like(3.0), np.zeros(()))
    assert lucid.vmap(lucid.zeros_like)(np.ones((2, 3))).shape == (2, 3)


def test_full() -> None:
    same(lucid.full(3, 7), np.full(3, 7))
    same(lucid.full((2, 2), 0.5), np.full((2, 2), 0.5))
    same(lucid.full((), True), np.full((), True))
    same(lucid.full(2, 1j), np.full(2, 1j))
    same(lucid.full((2, 3), np.arange(3)), np.full((2, 3), np.arange(3)))
    same(lucid.full(2, 7, dtype=lucid.float32), np.full(2, 7, np.float32))
    with lucid.set_default_dtype(lucid.float32):
        assert lucid.full(2, 0.5).dtype == np.float32
    assert lucid.grad(lambda c: lucid.full((2, 3), c).sum())(2.0).item() == 6.0
    with pytest.raises(DTypeError, match=r"full: expected real data for float64"):
        lucid.full(2, 1j, dtype=lucid.float64)
    with pytest.raises(OperandError, match="300"):
        lucid.full(2, 300, dtype=lucid.uint8)


def test_eye() -> None:
    same(lucid.eye(3), np.eye(3))
    same(lucid.eye(2, 4, k=1), np.eye(2, 4, 1))
    same(lucid.eye(3, k=-2, dtype=lucid.int64), np.eye(3, k=-2, dtype=np.int64))


@pytest.mark.parametrize(
    "args",
    [(3,), (0,), (2, 7, 2), (5, 0, -2), (0.5, 3.0), (0, 1, 0.25), (3, 1), (-2,), (np.int64(3),)],
)
def test_arange(args: Any) -> None:
    same(lucid.arange(*args), np.arange(*args))
    same(lucid.arange(*args, dtype=lucid.float32), np.arange(*args, dtype=np.float32))


def test_arange_takes_tensors_and_refuses() -> None:
    same(lucid.arange(T(3)), np.arange(3))
    with lucid.set_default_dtype(lucid.float32):
        assert lucid.arange(3.0).dtype == np.float32
        assert lucid.arange(3).dtype == np.int64
    with pytest.raises(OperandError, match=r"arange: expected a step other than 0"):
        lucid.arange(0, 3, 0)
    with pytest.raises(
        DTypeError, match=r"arange: expected an integer or floating dtype, got bool"
    ):
        lucid.arange(2, dtype=lucid.bool)


def test_linspace() -> None:
    same(lucid.linspace(0, 1, 5), np.linspace(0, 1, 5))
    same(lucid.linspace(1.0, -1.0, 4, endpoint=False), np.linspace(1.0, -1.0, 4, endpoint=False))
    same(lucid.linspace(0, 1, 0), np.linspace(0, 1, 0))
    same(lucid.linspace(0, 5, 3, dtype=lucid.int32), np.linspace(0, 5, 3, dtype=np.int32))
    same(lucid.linspace(0, 1j, 3), np.linspace(0, 1j, 3))
    assert lucid.linspace(T(0.0), 1, 3).tolist() == [0.0, 0.5, 1.0]
    assert lucid.linspace(np.float32(0), 1, 3).dtype == np.float32
    assert lucid.linspace(T([0.0, 1.0]), T([1.0, 3.0]), 3).tolist() == [[0, 1], [0.5, 2], [1, 3]]
    both = lucid.grad(lambda a, b: lucid.linspace(a, b, 3)[1], (0, 1))(1.0, 3.0)
    assert [g.item() for g in both] == [0.5, 0.5]
    with pytest.raises(ShapeError, match=r"linspace: expected lengths of 0 or more"):
        lucid.linspace(0, 1, -1)


@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_meshgrid(indexing: Any) -> None:
    arrays = [np.arange(2), np.arange(3.0), np.arange(4)]
    for count in range(4):
        got = lucid.meshgrid(*arrays[:count], indexing=indexing)
        for g, w in zip(got, np.meshgrid(*arrays[:count], indexing=indexing), strict=True):
            same(g, w)
    g = lucid.grad(lambda x: lucid.meshgrid(x, T([1.0, 2.0, 3.0]), indexing=indexing)[0].sum())
    assert g(np.ones(2)).tolist() == [3.0, 3.0]


def test_meshgrid_refuses() -> None:
    with pytest.raises(OperandError, match=r'meshgrid: expected indexing "xy" or "ij"'):
        lucid.meshgrid(T([1]), indexing="yx")
    with pytest.raises(ShapeError, match=r"meshgrid: expected vectors, got shape \(1, 1\)"):
        lucid.meshgrid(T([[1]]))


def test_triangles_need_matrices() -> None:
    with pytest.raises(ShapeError, match=r"tril: expected an array with two axes or more"):
        lucid.tril(T([1.0]))
    with pytest.raises(ShapeError, match=r"triu: expected an array with two axes or more"):
        lucid.triu(T([1.0]))


def test_a_triangle_hides_what_it_drops() -> None:
    x = T([[1.0, 0.0], [2.0, 4.0]])
    with np.errstate(divide="ignore"):
        g = lucid.grad(lambda x: lucid.tril(lucid.log(x)).sum())(x)
    assert g.tolist() == [[1.0, 0.0], [0.5, 0.25]]


# -- asarray ---------------------------------------------------------------------------------------


def test_asarray_takes_data() -> None:
    same(lucid.asarray(3), np.asarray(3))
    same(lucid.asarray(True), np.asarray(True))
    same(lucid.asarray([1, 2.5]), np.asarray([1, 2.5]))
    same(lucid.asarray([[1j], [2]]), np.asarray([[1j], [2]]))
    same(lucid.asarray(np.float32(2)), np.asarray(np.float32(2)))
    same(lucid.asarray([]), np.asarray([]))
    same(lucid.asarray(range(3)), np.arange(3))
    same(lucid.asarray([1, 2], dtype=lucid.float32), np.asarray([1, 2], np.float32))
    with lucid.set_default_dtype(lucid.float32):
        assert lucid.asarray([1.5]).dtype == np.float32
        assert lucid.asarray(np.ones(1)).dtype == np.float64
        assert lucid.asarray(1j).dtype == np.complex64


def test_asarray_copies() -> None:
    a = np.ones(2)
    for copy in (None, True):
        t = lucid.asarray(a, copy=copy)
        a[0] = 5.0
        assert t.tolist() == [1.0, 1.0]
        a[0] = 1.0
    shared = lucid.asarray(a, copy=False)
    a[0] = 5.0
    assert shared.tolist() == [5.0, 1.0]
    t = T([1.0])
    assert lucid.asarray(t) is t
    assert lucid.asarray(t, copy=False) is t
    for copied in (lucid.asarray(t, copy=True), t.copy()):
        assert copied.tolist() == [1.0]
        assert not np.shares_memory(copied._value, t._value)


def test_asarray_under_transformations() -> None:
    assert lucid.grad(lambda x: lucid.asarray([x, 2 * x]).sum())(1.0).item() == 3.0
    assert lucid.grad(lambda x: lucid.asarray(x, copy=True) * 2)(1.0).item() == 2.0
    nested = lucid.grad(lambda x: lucid.asarray([[x[0], 1.0], [2.0, x[1]]]).sum())
    assert nested(np.ones(2)).tolist() == [1.0, 1.0]
    rows = lucid.vmap(lambda x: lucid.asarray([x, 1.0]))(np.ones(2, np.float32))
    assert rows.shape == (2, 2)


def test_asarray_refuses() -> None:
    with pytest.raises(OperandError, match=r"asarray: expected an array .* with copy=False"):
        lucid.asarray([1, 2], copy=False)
    with pytest.raises(OperandError, match=r"asarray: expected an array of that dtype"):
        lucid.asarray(np.ones(2), dtype=lucid.float32, copy=False)
    with pytest.raises(OperandError, match=r"asarray: expected a Tensor of that dtype"):
        lucid.asarray(T([1.0]), dtype=lucid.float32, copy=False)
    for data in (np.ones(1, complex), T([1j])):
        with pytest.raises(DTypeError, match=r"take \.real, \.imag or abs\(\) first"):
            lucid.asarray(data, dtype=lucid.float64)
    with pytest.raises(DTypeError, match=r"asarray: expected a dtype such as"):
        lucid.asarray(1, dtype="no dtype")
    with pytest.raises(OperandError, match=r"expected device None or .cpu., got 'gpu'"):
        lucid.asarray(1, device="gpu")
    with pytest.raises(OperandError, match=r"asarray: expected an array without a mask"):
        lucid.asarray(np.ma.masked_array([1.0], [True]))
    with pytest.raises(OperandError, match="regular nest"):
        lucid.asarray([[1], [1, 2]])
    with pytest.raises(DTypeError, match="boolean, integer, floating or complex"):
        lucid.asarray(np.asarray(["a"]))


def test_shapes_are_checked() -> None:
    with pytest.raises(
        ShapeError, match=r"zeros: expected lengths of 0 or more, got shape \(-1,\)"
    ):
        lucid.zeros(-1)
    with pytest.raises(OperandError, match=r"ones: expected a shape"):
        lucid.ones(2.5)  # type: ignore[arg-type]


# -- DLPack ----------------------------------------------------------------------------------------


def test_dlpack_from_others() -> None:
    a = np.arange(3.0)
    t = lucid.from_dlpack(a)
    shared = lucid.from_dlpack(a, copy=False)
    a[0] = 9.0
    assert t.tolist() == [0.0, 1.0, 2.0]
    assert shared.tolist() == [9.0, 1.0, 2.0]
    same(lucid.from_dlpack(torch.ones(2)), np.ones(2, np.float32))
    assert lucid.from_dlpack(t) is t
    with pytest.raises(OperandError, match=r"from_dlpack: expected an array that exports CPU"):
        lucid.from_dlpack([1.0])


def test_dlpack_to_others() -> None:
    t = T([1.0, 2.0])
    array = np.from_dlpack(t)
    assert array.tolist() == [1.0, 2.0]
    assert not array.flags.writeable
    copy = torch.from_dlpack(t, copy=True)  # type: ignore[call-arg]
    copy[0] = 5.0
    assert t.tolist() == [1.0, 2.0]
    assert t.__dlpack_device__() == (1, 0)
    assert "versioned" in repr(t.__dlpack__(max_version=(1, 0)))
    assert "versioned" not in repr(t.__dlpack__())
    with pytest.raises(BufferError):
        t.__dlpack__(stream=1, dl_device=(2, 0))


def test_dlpack_refuses_under_transformations() -> None:
    def export(x: Any) -> Any:
        return lucid.asarray(np.from_dlpack(x))

    for transform in (lucid.grad, lucid.vmap):
        with pytest.raises(DetachedArrayError, match=r"__dlpack__: .* watched by (grad|vmap)"):
            transform(export)(np.ones(3))
    with pytest.raises(DetachedArrayError, match=r"call \.detach\(\) first"):
        np.from_dlpack(lucid.Tensor([1.0], requires_grad=True))
