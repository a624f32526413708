"""Shape, order, repetition and joining: edges, views, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import IndexOutOfBoundsError, OperandError, ShapeError

T = lucid.Tensor
X = T(np.arange(6.0).reshape(2, 3))


def test_reshape_resolves_one_length() -> None:
    assert lucid.reshape(X, (3, -1)).shape == (3, 2)
    assert lucid.reshape(X, -1).shape == (6,)
    assert X.reshape(3, 2).shape == X.reshape((3, 2)).shape == X.reshape([3, 2]).shape == (3, 2)
    assert X.reshape(-1).shape == (6,)
    assert lucid.reshape(lucid.zeros((0, 3)), (-1, 3)).shape == (0, 3)
    for shape in ((4, -1), (-1, -1), (5,), ()):
        with pytest.raises(ShapeError, match=r"reshape: expected a shape with 6 elements"):
            lucid.reshape(X, shape)
    with pytest.raises(ShapeError, match=r"reshape: expected a shape with 0 elements"):
        lucid.reshape(lucid.zeros((0, 3)), (0, -1))
    with pytest.raises(OperandError, match=r"reshape: expected a shape, an integer or a tuple"):
        lucid.reshape(X, (2.0, 3))  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"reshape: expected lengths of -1 or more"):
        lucid.reshape(X, (-2, 3))


def test_reshape_says_when_a_view_is_impossible() -> None:
    assert lucid.reshape(X, (3, 2), copy=False).shape == (3, 2)
    assert lucid.reshape(X.T, (6,)).tolist() == [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
    with pytest.raises(ShapeError, match=r"reshape: expected memory that can be seen as \(6,\)"):
        lucid.reshape(X.T, (6,), copy=False)


def test_views_do_not_share_memory_with_a_writable_array() -> None:
    a = np.arange(4.0)
    views = [
        lucid.reshape(a, (2, 2)),
        lucid.broadcast_to(a, (2, 4)),
        lucid.flip(a),
        lucid.expand_dims(a, 0),
        lucid.split(a, 2)[0],
        lucid.diagonal(np.stack([a, a])),
        lucid.pad(a, 0),
    ]
    before = [v.tolist() for v in views]
    a[:] = 9.0
    assert [v.tolist() for v in views] == before


def test_views_of_tensors_share_memory() -> None:
    for y in (X.reshape(3, 2), X.T, X.mT, X[1], X[:, 1:], lucid.flip(X), lucid.diagonal(X)):
        assert np.shares_memory(y._value, X._value)


def test_axes_are_checked() -> None:
    for f in (
        lambda: lucid.expand_dims(X, 3),
        lambda: lucid.squeeze(X, 2),
        lambda: lucid.flip(X, 2),
        lambda: lucid.roll(X, 1, axis=-3),
        lambda: lucid.moveaxis(X, 0, 2),
        lambda: lucid.swapaxes(X, 0, 2),
        lambda: lucid.permute_dims(X, (0, 2)),
        lambda: lucid.concat([X, X], axis=2),
        lambda: lucid.stack([X, X], axis=3),
        lambda: lucid.unstack(X, axis=2),
        lambda: lucid.repeat(X, 2, axis=2),
    ):
        with pytest.raises(
            IndexOutOfBoundsError, match=r"[a-z_]+: expected an axis from -\d to \d"
        ):
            f()
    with pytest.raises(ShapeError, match=r"permute_dims: expected each axis once"):
        lucid.permute_dims(X, (0, 0))
    with pytest.raises(ShapeError, match=r"permute_dims: expected 2 axes for shape \(2, 3\)"):
        lucid.permute_dims(X, (0,))
    with pytest.raises(ShapeError, match=r"squeeze: expected axes of length 1, got length 2"):
        lucid.squeeze(X, 0)
    with pytest.raises(ShapeError, match=r"matrix_transpose: expected an array with two axes"):
        _ = T([1.0]).mT
    with pytest.raises(ShapeError, match=r"moveaxis: expected as many destinations as sources"):
        lucid.moveaxis(X, (0, 1), 0)
    with pytest.raises(ShapeError, match=r"roll: expected one shift for each axis"):
        lucid.roll(X, (1, 2, 3), axis=(0, 1))
    with pytest.raises(ShapeError, match=r"diagonal: expected two different axes"):
        lucid.diagonal(X, axis1=1, axis2=-1)
    with pytest.raises(ShapeError, match=r"diag: expected a vector or a matrix"):
        lucid.diag(lucid.zeros((1, 1, 1)))


def test_methods() -> None:
    x = lucid.zeros((2, 3, 4))
    assert x.T.shape == x.transpose().shape == (4, 3, 2)
    assert x.mT.shape == (2, 4, 3)
    assert x.transpose(1, 0, 2).shape == x.transpose((1, 0, 2)).shape == (3, 2, 4)
    assert x.swapaxes(0, 1).shape == (3, 2, 4)
    assert x.ravel().shape == x.flatten().shape == (24,)
    assert x[None].squeeze().shape == x[None].squeeze(0).shape == (2, 3, 4)
    assert X.diagonal(1).tolist() == [1.0, 5.0]
    assert X.repeat(2, 0).shape == (4, 3)
    assert T(3.0).T.shape == ()


def test_atleast() -> None:
    assert [t.shape for t in lucid.atleast_1d(1.0, T([2.0]))] == [(1,), (1,)]
    assert lucid.atleast_2d(3.0).shape == (1, 1)
    assert lucid.atleast_2d(lucid.zeros((1, 2, 3))).shape == (1, 2, 3)
    assert [t.shape for t in lucid.atleast_3d(1.0, X)] == [(1, 1, 1), (2, 3, 1)]


def test_broadcasting_is_checked() -> None:
    assert lucid.broadcast_shapes((3, 1), 2, ()) == (3, 2)
    with pytest.raises(ShapeError, match=r"broadcast_shapes: expected shapes that broadcast"):
        lucid.broadcast_shapes((3,), (2,))
    for shape in ((3, 3), (3,), (2, 3, 1)):
        with pytest.raises(ShapeError, match=r"broadcast_to: expected a shape that broadcasts"):
            lucid.broadcast_to(X, shape)
    with pytest.raises(ShapeError, match=r"broadcast_shapes"):
        lucid.broadcast_arrays(X, lucid.zeros(2))


def test_a_broadcast_is_read_only_and_of_any_layout() -> None:
    for x in (X, X.T, X[:, 1:2], X[:, ::2], T(1.0), lucid.zeros((0, 1))):
        shape = (2, *(4 if n == 1 else n for n in x.shape))
        got = lucid.broadcast_to(x, shape)
        assert not got._value.flags.writeable
        np.testing.assert_array_equal(got.numpy(), np.broadcast_to(x.numpy(), shape))


def test_repeat_and_tile_refuse() -> None:
    with pytest.raises(ShapeError, match=r"repeat: expected 1 or 3 repeats for axis 1"):
        lucid.repeat(X, [1, 2], axis=1)
    for wrong in (-1, 1.5, [1, -1, 0]):
        with pytest.raises(OperandError, match=r"repeat: expected repeats of 0 or more"):
            lucid.repeat(X, wrong, axis=1)
    with pytest.raises(ShapeError, match=r"tile: expected lengths of 0 or more"):
        lucid.tile(X, -1)
    with pytest.raises(lucid.errors.ConcretizationError, match="repeat"):
        lucid.vmap(lambda k: lucid.repeat(X, k))(np.arange(3))


def test_pad_refuses() -> None:
    assert lucid.pad(X, 0) is X
    with pytest.raises(ShapeError, match=r"pad: expected an integer, a pair or 2 pairs of widths"):
        lucid.pad(X, -1)
    with pytest.raises(ShapeError, match=r"pad: expected an integer, a pair or 2 pairs"):
        lucid.pad(X, ((1, 1), (1, 1), (1, 1)))
    with pytest.raises(OperandError, match=r"pad: expected mode .constant., .edge."):
        lucid.pad(X, 1, "mean")
    with pytest.raises(ShapeError, match=r"pad: expected elements for mode 'edge'"):
        lucid.pad(lucid.zeros((0,)), 1, "edge")
    with pytest.raises(ShapeError, match=r"pad: expected one number as constant_values"):
        lucid.pad(X, 1, constant_values=T([1.0, 2.0, 3.0, 4.0, 5.0]))
    with pytest.raises(lucid.errors.DTypeError, match=r"pad: expected a value for int64"):
        lucid.pad(T([1]), 1, constant_values=0.5)


def test_joining_promotes_and_gives_each_its_dtype_back() -> None:
    a, b = np.ones(2, np.float32), np.ones(1)
    assert lucid.concat([a, b]).dtype == np.float64
    assert lucid.stack([T(1.0, dtype=lucid.float32), 2.0]).dtype == np.float32
    ga, gb = lucid.grad(lambda a, b: (lucid.concat([a, b]) ** 2).sum(), (0, 1))(a, b)
    assert (ga.dtype, gb.dtype) == (np.float32, np.float64)
    g = lucid.grad(lambda a: lucid.concat([a, np.ones(1, complex) * 1j]).real.sum())(a)
    assert g.dtype == np.float32
    same = lucid.grad(lambda a: (lucid.stack([a, a]) * T([[1.0], [2.0]])).sum())(b)
    assert same.tolist() == [3.0]


def test_joining_refuses() -> None:
    with pytest.raises(
        ShapeError, match=r"concat: .* agree except at axis 0, got \(2, 3\) and \(3,"
    ):
        lucid.concat([X, X.T])
    with pytest.raises(IndexOutOfBoundsError, match=r"concat: .*a 0-d array has none"):
        lucid.concat([T(1.0), T(2.0)])
    with pytest.raises(ShapeError, match=r"stack: expected arrays of one shape, got \(2, 3\) and"):
        lucid.stack([X, X.T])
    for f in (lucid.concat, lucid.stack, lucid.vstack, lucid.hstack, lucid.column_stack):
        with pytest.raises(OperandError, match=r": expected a tuple or list of arrays, got none"):
            f([])
        with pytest.raises(OperandError, match=r": expected a tuple or list of arrays, got int"):
            f(3)  # type: ignore[arg-type]
    with pytest.raises(OperandError, match=r"concat: expected Tensors, NumPy arrays or numbers"):
        lucid.concat([[1.0], [2.0]])  # type: ignore[list-item]


def test_joining_the_rows_of_one_array() -> None:
    assert lucid.concat(X).tolist() == X.ravel().tolist()
    assert lucid.stack(X, axis=1).tolist() == X.T.tolist()
    assert lucid.vstack(np.ones((2, 3))).shape == (2, 3)


def test_splitting() -> None:
    assert [t.shape for t in lucid.split(X, 3, axis=1)] == [(2, 1)] * 3
    with pytest.raises(ShapeError, match=r"split: expected a length that 2 divides at axis 1"):
        lucid.split(X, 2, axis=1)
    with pytest.raises(ShapeError, match=r"array_split: expected 1 piece or more"):
        lucid.array_split(X, 0)
    a, b = X
    assert [a.tolist(), b.tolist()] == X.tolist()
    assert [t.item() for t in lucid.unstack(T([1.0, 2.0]))] == [1.0, 2.0]


@pytest.mark.parametrize(
    "select",
    [
        lambda y: lucid.split(y, 2)[0].sum(),
        lambda y: lucid.unstack(y)[0],
        lambda y: lucid.diagonal(lucid.stack([y, y]), 0)[0],
        lambda y: lucid.concat([y, y])[0],
        lambda y: lucid.stack([y, y])[1, 0],
        lambda y: lucid.flip(y)[1],
        lambda y: lucid.roll(y, 1)[1],
        lambda y: lucid.pad(y, 1)[1],
        lambda y: lucid.tile(y, 2)[2],
        lambda y: lucid.repeat(y, 2)[1],
        lambda y: lucid.reshape(y, (2, 1)).T[0, 0],
    ],
)
def test_what_is_left_out_is_hidden(select: Any) -> None:
    """The infinite slope of log at 0 does not turn the zero cotangent of a dropped entry to NaN."""
    with np.errstate(divide="ignore"):
        g = lucid.grad(lambda x: select(lucid.log(x)))(T([2.0, 0.0]))
    assert g.tolist() == [0.5, 0.0]
