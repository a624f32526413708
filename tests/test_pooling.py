"""Pooling against PyTorch, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as TF  # noqa: N812 - the usual name
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid.errors import DTypeError, IndexOutOfBoundsError, OptionError, ShapeError
from tests.test_conv import RNG, compare, ints, ranks

quick = settings(max_examples=40, deadline=None, derandomize=True)


@st.composite
def cases(draw: Any) -> Any:
    """Rank, shape of the image, and options that all poolings take."""
    rank = draw(ranks)
    window = ints(draw, rank, 1, 4)
    options = {
        "kernel_size": window,
        "stride": draw(st.sampled_from([None, ints(draw, rank, 1, 3)])),
        "padding": tuple(draw(st.integers(0, k // 2)) for k in window),
        "ceil_mode": draw(st.booleans()),
    }
    lead = draw(st.sampled_from([(2,), (2, 3)]))
    return rank, (*lead, *ints(draw, rank, 3, 8)), options


def fits(shape: Any, options: Any, dilation: Any = None) -> bool:
    window, pads = options["kernel_size"], options["padding"]
    every = zip(shape[-len(window) :], window, pads, dilation or (1,) * len(window), strict=True)
    return all(n + 2 * p > (k - 1) * d for n, k, p, d in every)


def both(name: str, options: Any, *more: Any) -> list[Any]:
    """The function of lucid and that of PyTorch, with these options."""
    return [lambda x, m=m: getattr(m, name)(x, *more, **options) for m in (F, TF)]


@quick
@given(cases(), st.booleans(), st.data())
def test_max_pool_is_that_of_pytorch(case: Any, ties: bool, data: Any) -> None:
    rank, shape, options = case
    dilation = ints(data.draw, rank, 1, 2)
    assume(fits(shape, options, dilation))
    options = {**options, "dilation": dilation}
    x = RNG.integers(-2, 3, shape).astype(float) if ties else RNG.standard_normal(shape)
    name = f"max_pool{rank}d"
    compare(*both(name, options), x)
    values, places = getattr(F, name)(x, return_indices=True, **options)
    _, want = getattr(TF, name)(torch.tensor(x), return_indices=True, **options)
    np.testing.assert_array_equal(places.numpy(), want.numpy())
    assert places.dtype == np.int64
    flat = x.reshape((*shape[:-rank], -1))
    taken = np.take_along_axis(flat, places.numpy().reshape((*shape[:-rank], -1)), -1)
    np.testing.assert_array_equal(values.numpy(), taken.reshape(values.shape))


@quick
@given(cases(), st.booleans(), st.sampled_from([None, 3]))
def test_avg_pool_is_that_of_pytorch(case: Any, include: bool, divisor: int | None) -> None:
    rank, shape, options = case
    assume(fits(shape, options))
    options = {**options, "count_include_pad": include}
    if rank > 1:
        options["divisor_override"] = divisor
    compare(*both(f"avg_pool{rank}d", options), RNG.standard_normal(shape))


@quick
@given(cases(), st.sampled_from([1, 2, 3.0]))
def test_lp_pool_is_that_of_pytorch(case: Any, p: float) -> None:
    rank, shape, options = case
    options = {k: v for k, v in options.items() if k != "padding"}
    assume(fits(shape, {**options, "padding": (0,) * rank}))
    if rank == 1:  # PyTorch takes no tuples here
        options = {k: v[0] if isinstance(v, tuple) else v for k, v in options.items()}
    x = np.abs(RNG.standard_normal(shape)) + 0.1
    compare(*both(f"lp_pool{rank}d", options, p), x)


def test_lp_pool_of_zeros_has_derivative_zero() -> None:
    grad = lucid.grad(lambda x: F.lp_pool1d(x, 2.0, 2).sum())(np.array([[0.0, 0.0, 3.0, 4.0]]))
    np.testing.assert_allclose(grad.numpy(), [[0, 0, 0.6, 0.8]])


@quick
@given(ranks, st.data())
def test_adaptive_pooling_is_that_of_pytorch(rank: int, data: Any) -> None:
    sizes = ints(data.draw, rank, 1, 7)
    shape = (*data.draw(st.sampled_from([(2,), (2, 3)])), *sizes)
    wanted = ints(data.draw, rank, 1, 8)
    if rank > 1 and data.draw(st.booleans()):
        wanted = (None, *wanted[1:])
    x = RNG.standard_normal(shape)
    options = {"output_size": wanted}
    compare(*both(f"adaptive_avg_pool{rank}d", options), x)
    x = RNG.integers(-2, 3, shape).astype(float)
    name = f"adaptive_max_pool{rank}d"
    compare(*both(name, options), x)
    values, places = getattr(F, name)(x, wanted, return_indices=True)
    want = getattr(TF, name)(torch.tensor(x), wanted, return_indices=True)
    np.testing.assert_array_equal(values.numpy(), want[0].numpy())
    np.testing.assert_array_equal(places.numpy(), want[1].numpy())


@quick
@given(ranks, st.data())
def test_max_unpool_is_that_of_pytorch(rank: int, data: Any) -> None:
    window = ints(data.draw, rank, 1, 3)
    sizes = tuple(data.draw(st.integers(k, 7)) for k in window)
    x = RNG.standard_normal((2, 3, *sizes))
    options = {"kernel_size": window, "output_size": sizes}
    pool, unpool = f"max_pool{rank}d", f"max_unpool{rank}d"
    values, places = getattr(TF, pool)(torch.tensor(x), window, return_indices=True)
    compare(
        lambda v: getattr(F, unpool)(v, places.numpy(), **options),
        lambda v: getattr(TF, unpool)(v, places, **options),
        values.numpy(),
    )


def test_max_unpool_of_one_place_keeps_the_last() -> None:
    places = np.array([[2, 2, 3]])
    got = F.max_unpool1d(np.array([[1.0, 5.0, 7.0]]), places, 2, 1)
    np.testing.assert_array_equal(got.numpy(), [[0, 0, 5, 7]])


# -- entries that are no ordinary numbers ----------------------------------------------------------


def test_max_pool_of_nan_and_infinity() -> None:
    x = RNG.choice([np.nan, -np.inf, np.inf, 0.0, 1.0], (3, 9, 9))
    options = {"kernel_size": 3, "stride": 2, "padding": 1}
    got = F.max_pool2d(x, return_indices=True, **options)
    want = TF.max_pool2d(torch.tensor(x), return_indices=True, **options)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g.numpy(), w.numpy())


def test_padding_is_never_greatest() -> None:
    for low in (np.full((1, 4), -np.inf), np.full((1, 4), -128, np.int8)):
        values, places = F.max_pool1d(low, 3, 1, 1, return_indices=True)
        assert values.dtype == low.dtype
        np.testing.assert_array_equal(values.numpy(), low)
        np.testing.assert_array_equal(places.numpy(), [[0, 0, 1, 2]])


def test_adaptive_average_of_infinity_stays_in_its_window() -> None:
    got = F.adaptive_avg_pool1d(np.array([[np.inf, 1.0, 2.0, 3.0, 4.0]]), 2)
    np.testing.assert_array_equal(got.numpy(), [[np.inf, 3.0]])


def test_what_no_window_selects_has_derivative_zero() -> None:
    x = np.array([[4.0, 0.0, 9.0, 0.0, 0.0]])
    grad = lucid.grad(lambda x: F.max_pool1d(lucid.sqrt(x), 2).sum())(x)
    np.testing.assert_array_equal(grad.numpy(), [[0.25, 0, 1 / 6, 0, 0]])


def test_empty_batches() -> None:
    x = np.zeros((0, 2, 5, 5))
    assert F.max_pool2d(x, 2).shape == F.avg_pool2d(x, 2).shape == (0, 2, 2, 2)
    assert F.adaptive_avg_pool2d(x, 3).shape == F.adaptive_max_pool2d(x, 3).shape == (0, 2, 3, 3)
    assert F.lp_pool2d(x, 2, 2).shape == (0, 2, 2, 2)


def test_single_precision_stays() -> None:
    x = np.ones((1, 5, 5), np.float32)
    options = {"kernel_size": 2, "padding": 1, "count_include_pad": False}
    for y in (
        F.avg_pool2d(x, **options),
        F.max_pool2d(x, 2),
        F.lp_pool2d(x, 3, 2),
        F.adaptive_avg_pool2d(x, 3),
        F.adaptive_max_pool2d(x, 3),
        F.conv2d(x, np.ones((1, 1, 2, 2), np.float32)),
    ):
        assert y.dtype == np.float32


def test_vmap_and_second_order() -> None:
    x = RNG.standard_normal((3, 2, 5, 5))

    def loss(x: Any) -> Any:
        pooled = F.adaptive_max_pool2d(x, 3) * F.avg_pool2d(x, 3, 1, ceil_mode=True)
        return (F.max_pool2d(pooled, 2, 1) ** 2).sum()

    got = lucid.vmap(lambda x: lucid.hvp(loss, (x,), (x,)))(x)
    got = lucid.tree.leaves(got)[-1].numpy()
    for k in range(3):
        one = lucid.tree.leaves(lucid.hvp(loss, (x[k],), (x[k],)))[-1].numpy()
        np.testing.assert_allclose(got[k], one)
        step = 1e-5
        near = [lucid.grad(loss)(x[k] * (1 + s)).numpy() for s in (step, -step)]
        np.testing.assert_allclose(one, (near[0] - near[1]) / (2 * step), rtol=1e-6, atol=1e-6)


# -- refusals --------------------------------------------------------------------------------------

X = np.zeros((1, 4, 5, 5))
REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "axes": (
        lambda: F.max_pool2d(X[0, 0], 2),
        ShapeError,
        r"max_pool2d: expected an input with 4 axes, or 3 without a batch, got shape \(5, 5\)",
    ),
    "complex": (
        lambda: F.max_pool2d(X + 1j, 2),
        DTypeError,
        "max_pool2d: expected a real operand, got complex128",
    ),
    "padding": (
        lambda: F.avg_pool2d(X, 3, padding=2),
        OptionError,
        r"avg_pool2d: expected padding of at most half a window, got \(2, 2\)",
    ),
    "window": (
        lambda: F.max_pool2d(X, 0),
        OptionError,
        "max_pool2d: expected kernel_size of 1 or more, one number or 2, got 0",
    ),
    "too large": (
        lambda: F.max_pool2d(X, (6, 2)),
        ShapeError,
        r"max_pool2d: expected an input that, padded, holds a window of \(6, 2\) places, "
        r"got shape \(1, 4, 5, 5\)",
    ),
    "divisor": (
        lambda: F.avg_pool2d(X, 2, divisor_override=0),
        OptionError,
        "avg_pool2d: expected a divisor_override other than 0, got 0",
    ),
    "norm": (
        lambda: F.lp_pool2d(X, 0, 2),
        OptionError,
        "lp_pool2d: expected a norm_type other than 0, got 0",
    ),
    "adaptive": (
        lambda: F.adaptive_avg_pool2d(X, (1, 2, 3)),
        OptionError,
        r"adaptive_avg_pool2d: expected one output_size or 2, got \(1, 2, 3\)",
    ),
    "adaptive: empty": (
        lambda: F.adaptive_max_pool2d(X[..., :0], 2),
        ShapeError,
        r"adaptive_max_pool2d: expected axes with something to pool, got shape \(1, 4, 5, 0\)",
    ),
    "unpool: shapes": (
        lambda: F.max_unpool2d(X, np.zeros((1, 4, 5, 4), int), 2),
        ShapeError,
        r"max_unpool2d: expected an input and indices of one shape, "
        r"got \(1, 4, 5, 5\) and \(1, 4, 5, 4\)",
    ),
    "unpool: dtype": (
        lambda: F.max_unpool2d(X, X, 2),
        DTypeError,
        "max_unpool2d: expected integers as indices, got float64",
    ),
    "unpool: size": (
        lambda: F.max_unpool2d(X, X.astype(int), 2, output_size=(10, 12)),
        OptionError,
        r"max_unpool2d: expected an output_size within a stride of \(10, 10\), got \(10, 12\)",
    ),
    "unpool: outside": (
        lambda: F.max_unpool2d(X, X.astype(int) + 100, 2),
        IndexOutOfBoundsError,
        "index 100 is out of bounds",
    ),
}


@pytest.mark.parametrize(("call", "error", "said"), REFUSED.values(), ids=REFUSED)
def test_refusals(call: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        call()
