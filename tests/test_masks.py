"""Structural zeros: what is not selected has derivative zero, whatever its slope is (DESIGN §3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import special

INF, NAN = np.inf, np.nan


@pytest.fixture(autouse=True)
def _singular_points() -> Iterator[None]:
    """The functions are evaluated where NumPy itself warns."""
    with np.errstate(all="ignore"):
        yield


# A function of an array, a point where the branch not taken is singular, and the gradient there.
MASKED: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    "log": (lambda x: lucid.where(x > 0, lucid.log(x), 0.0), [0, 2], [0, 0.5]),
    "log of negative": (lambda x: lucid.where(x > 0, lucid.log(x), 0.0), [-1, 2], [0, 0.5]),
    "sqrt": (lambda x: lucid.where(x > 0, lucid.sqrt(x), 0.0), [0, 4], [0, 0.25]),
    "cbrt": (lambda x: lucid.where(x > 0, lucid.cbrt(x), x), [0, 1], [1, 1 / 3]),
    "pow": (lambda x: lucid.where(x > 0, x**0.5, 0.0), [0, 4], [0, 0.25]),
    "pow 1.5": (lambda x: lucid.where(x > 0, x**1.5, 0.0), [0, 4], [0, 3]),
    "divide": (lambda x: lucid.where(x > 0, 1 / x, 0.0), [0, 2], [0, -0.25]),
    "ratio": (
        lambda x: lucid.where(x > 0, lucid.sin(x) / x, 1.0),
        [0, 1],
        [0, -0.30116867893975674],
    ),
    "reciprocal": (lambda x: lucid.where(x > 0, lucid.reciprocal(x), 0.0), [0, 2], [0, -0.25]),
    "asin": (lambda x: lucid.where(x < 1, lucid.asin(x), 0.0), [1, 0], [0, 1]),
    "acosh": (lambda x: lucid.where(x > 1, lucid.acosh(x), 0.0), [1, 2], [0, 1 / np.sqrt(3)]),
    "atanh": (lambda x: lucid.where(x < 1, lucid.atanh(x), 0.0), [1, 0], [0, 1]),
    "log1p": (lambda x: lucid.where(x > -1, lucid.log1p(x), 0.0), [-1, 1], [0, 0.5]),
    "log2": (lambda x: lucid.where(x > 0, lucid.log2(x), 0.0), [0, 1], [0, 1 / np.log(2)]),
    "log10": (lambda x: lucid.where(x > 0, lucid.log10(x), 0.0), [0, 1], [0, 1 / np.log(10)]),
    "x log x": (lambda x: lucid.where(x > 0, x * lucid.log(x), 0.0), [0, 1], [0, 1]),
    "exp overflows": (lambda x: lucid.where(x < 700, lucid.exp(x), 0.0), [800, 0], [0, 1]),
    "tan": (lambda x: lucid.where(x > 0, lucid.log(lucid.tan(x)), 0.0), [0, np.pi / 4], [0, 2]),
    "the other branch": (lambda x: lucid.where(x <= 0, 0.0, lucid.log(x)), [0, 2], [0, 0.5]),
    "both branches": (
        lambda x: lucid.where(x > 0, lucid.log(x), lucid.sqrt(-x)),
        [2, -4],
        [0.5, -0.25],
    ),
    # through chains of operations that carry the mask
    "affine": (lambda x: lucid.where(x > 0, 3 * lucid.log(x) + 1, 0.0), [0, 2], [0, 1.5]),
    "product": (lambda x: lucid.where(x > 0, x * lucid.log(x) * 2, 0.0), [0, 1], [0, 2]),
    "two chains": (
        lambda x: lucid.where(x > 0, lucid.log(x) + lucid.sqrt(x), 0.0),
        [0, 1],
        [0, 1.5],
    ),
    "composed": (lambda x: lucid.where(x > 0, lucid.sin(lucid.sqrt(x) - 1), 0.0), [0, 1], [0, 0.5]),
    "singular twice": (
        lambda x: lucid.where(x > 0, lucid.log(lucid.sqrt(x)), 0.0),
        [0, 1],
        [0, 0.5],
    ),
    "reshape": (
        lambda x: lucid.where(x > 0, lucid.log(x.reshape(2, 1)).reshape(2), 0.0),
        [0, 2],
        [0, 0.5],
    ),
    "transpose": (
        lambda x: lucid.where(x[None] > 0, (lucid.log(x[:, None]) * 1.0).T, 0.0),
        [0, 2],
        [0, 0.5],
    ),
    "broadcast": (
        lambda x: lucid.where(lucid.broadcast_to(x, (3, 2)) > 0, lucid.log(x), 0.0),
        [0, 2],
        [0, 1.5],
    ),
    "cast": (
        lambda x: lucid.where(x > 0, lucid.log(x).astype(lucid.float64), 0.0),
        [0, 2],
        [0, 0.5],
    ),
    "negation": (lambda x: lucid.where(x > 0, -lucid.log(x), 0.0), [0, 2], [0, -0.5]),
    "concat": (
        lambda x: lucid.where(x > 0, lucid.concat([lucid.log(x[:1]), lucid.sqrt(x[1:])]), 0.0),
        [0, 4],
        [0, 0.25],
    ),
    "row sums": (
        lambda x: lucid.where(x.sum() > 9, lucid.sqrt(x.reshape(2, 1).sum(axis=1)), 0.0),
        [0, 4],
        [0, 0],
    ),
    "norm": (
        lambda x: lucid.where((x * x).sum() > 0, lucid.sqrt((x * x).sum()), 0.0),
        [0, 0],
        [0, 0],
    ),
    "unit vector": (
        lambda x: lucid.where((x * x).sum() > 0, x / lucid.sqrt((x * x).sum()), 0.0),
        [0, 0],
        [0, 0],
    ),
    "mean": (lambda x: lucid.where(x.mean() > 0, lucid.log(x.mean()), 0.0), [-1, 1], [0, 0]),
    "mask on top of a mask": (
        lambda x: lucid.where(x > 0, lucid.where(x > 1, lucid.log(x - 1), x), 0.0),
        [1, 3],
        [1, 0.5],
    ),
    "used twice": (lambda x: lucid.where(x > 0, lucid.log(x), 0.0) + 3 * x, [0, 2], [3, 3.5]),
    # other selections
    "indexing": (lambda x: lucid.log(x)[1:], [0, 2], [0, 0.5]),
    "one element": (lambda x: lucid.sqrt(x)[1], [0, 4], [0, 0.25]),
    "an array of indices": (lambda x: lucid.sqrt(x)[np.array([1, 1])], [0, 4], [0, 0.5]),
    "a boolean mask": (lambda x: lucid.sqrt(x)[np.array([False, True])], [0, 4], [0, 0.25]),
    "take": (lambda x: lucid.take(lucid.sqrt(x), np.array([1])), [0, 4], [0, 0.25]),
    "max": (lambda x: lucid.max(lucid.sqrt(x)), [0, 4], [0, 0.25]),
    "min": (lambda x: lucid.min(-lucid.sqrt(x)), [0, 4], [0, -0.25]),
    "sort": (lambda x: lucid.sort(lucid.sqrt(x))[1:], [4, 0], [0.25, 0]),
    "maximum": (lambda x: lucid.maximum(lucid.sqrt(x), 1.0), [0, 4], [0, 0.25]),
    "minimum": (lambda x: lucid.minimum(lucid.log(x) + 1, 5.0), [1, 1000], [1, 0]),
    "minimum of -inf": (lambda x: lucid.maximum(lucid.log(x), -5.0), [0, 2], [0, 0.5]),
    "clip": (lambda x: lucid.clip(lucid.log(x), -5.0, 5.0), [0, 2], [0, 0.5]),
    "clip above": (lambda x: lucid.clip(1 / x, 0.0, 5.0), [0, 1], [0, -1]),
    "relu": (lambda x: lucid.maximum(lucid.log(x), 0.0), [0, 2], [0, 0.5]),
    "diagonal": (lambda x: lucid.sqrt(lucid.stack([x, x[::-1]])).diagonal(), [4, 0], [0.5, 0]),
}


def cases() -> Any:
    return pytest.mark.parametrize(("f", "point", "want"), MASKED.values(), ids=MASKED)


def summed(f: Any) -> Any:
    return lambda x: lucid.sum(f(x))


def close(got: Any, want: Any) -> None:
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12, atol=1e-14)


@cases()
def test_gradient(f: Any, point: Any, want: Any) -> None:
    x = np.array(point, float)
    close(lucid.grad(summed(f))(x), want)
    t = lucid.Tensor(x, requires_grad=True)
    summed(f)(t).backward()
    assert t.grad is not None
    close(t.grad, want)


@cases()
def test_every_mode_agrees(f: Any, point: Any, want: Any) -> None:
    x = np.array(point, float)
    g = summed(f)
    eye = np.eye(2)
    forward = [lucid.jvp(g, (x,), (e,))[1].item() for e in eye]
    close(lucid.Tensor(forward), want)
    push = lucid.linearize(g, x)[1]
    close(lucid.Tensor([push(e).item() for e in eye]), want)
    close(lucid.jacfwd(g)(x), want)
    close(lucid.jacrev(g)(x), want)
    close(lucid.grad(lucid.checkpoint(g))(x), want)


@cases()
def test_under_vmap(f: Any, point: Any, want: Any) -> None:
    x = np.array([point, [1.5, 0.75], point], float)
    got = lucid.vmap(lucid.grad(summed(f)))(x)
    close(got[0], want)
    close(got[2], want)
    close(lucid.grad(lambda v: lucid.vmap(summed(f))(v).sum())(x), got.numpy())


@cases()
def test_second_order_is_finite_and_consistent(f: Any, point: Any, want: Any) -> None:
    """Forward over reverse, reverse over reverse and reverse over forward agree, without a NaN."""
    x = np.array(point, float)
    g = summed(f)
    h = lucid.hessian(g)(x).numpy()
    assert np.isfinite(h).all(), h
    close(lucid.jacrev(lucid.grad(g))(x), h)
    close(lucid.jacrev(lucid.jacfwd(g))(x), h)
    np.testing.assert_allclose(h, h.T, rtol=1e-12)
    # an entry that the mask leaves out has no curvature either
    for k, slope in enumerate(want):
        if slope == 0:
            np.testing.assert_array_equal(h[k], 0.0)


@cases()
def test_second_order_under_vmap(f: Any, point: Any, want: Any) -> None:
    x = np.array([point, point], float)
    h = lucid.hessian(summed(f))(x[0]).numpy()
    close(lucid.vmap(lucid.hessian(summed(f)))(x), np.stack([h, h]))


# An honest 0·∞ is NaN, an honest ∞ is infinite: nothing there was masked.
HONEST: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "sqrt": (lucid.sqrt, 0.0, INF),
    "sqrt * sqrt": (lambda x: lucid.sqrt(x) * lucid.sqrt(x), 0.0, NAN),
    "exp(log)": (lambda x: lucid.exp(lucid.log(x)), 0.0, NAN),
    "sqrt squared": (lambda x: lucid.square(lucid.sqrt(x)), 0.0, NAN),
    "0 * log": (lambda x: 0 * lucid.log(x), 0.0, NAN),
    "1/x": (lambda x: 1 / x, 0.0, -INF),
    "x / x": (lambda x: x / x, 0.0, NAN),
    "selected": (lambda x: lucid.where(x >= 0, lucid.sqrt(x) * lucid.sqrt(x), 0.0), 0.0, NAN),
    "selected, infinite": (lambda x: lucid.where(x >= 0, lucid.sqrt(x), 0.0), 0.0, INF),
    "norm": (lambda x: lucid.sqrt(x * x), 0.0, NAN),
    "log of negative": (lucid.log, -1.0, -1.0),
    "selected index": (lambda x: lucid.stack([lucid.sqrt(x), x])[0], 0.0, INF),
}


@pytest.mark.parametrize(("f", "point", "want"), HONEST.values(), ids=HONEST)
def test_what_nothing_masks_is_honest(f: Any, point: float, want: float) -> None:
    for x in (point, np.array(point), np.float32(point)):
        got = lucid.grad(lambda v: lucid.sum(f(v)))(x)
        np.testing.assert_array_equal(got.numpy(), want)
        forward = lucid.jvp(f, (x,), (1.0,))[1]
        np.testing.assert_array_equal(forward.numpy(), want)


def test_a_mask_does_not_hide_a_neighbours_nan() -> None:
    x = np.array([0.0, 0.0])
    keep = np.array([True, False])
    got = lucid.grad(lambda v: lucid.where(keep, lucid.sqrt(v) * lucid.sqrt(v), 0.0).sum())(x)
    np.testing.assert_array_equal(got.numpy(), [NAN, 0.0])


def test_a_value_that_is_selected_elsewhere_stays_live() -> None:
    def f(x: Any) -> Any:
        y = lucid.sqrt(x)
        return lucid.where(x > 0, y, 0.0).sum() + y.sum()

    got = lucid.grad(f)(np.array([0.0, 4.0]))
    np.testing.assert_array_equal(got.numpy(), [INF, 0.5])
    a = lucid.grad(lambda x: (lucid.sqrt(x)[1:]).sum() + (lucid.sqrt(x)[:1]).sum())
    np.testing.assert_array_equal(a(np.array([0.0, 4.0])).numpy(), [INF, 0.25])


def test_an_infinite_cotangent_that_is_masked() -> None:
    x = np.array([0.0, 1.0])
    got = lucid.vjp(lambda v: lucid.where(v > 0, lucid.sqrt(v), 0.0), x)[1](np.array([INF, 2.0]))[0]
    assert got.numpy()[1] == 1.0
    assert not np.isinf(got.numpy()[0])


def test_norms_at_zero() -> None:
    zero = np.zeros(3)
    for norm in (lucid.linalg.vector_norm, lambda x: lucid.linalg.vector_norm(x, ord=3)):
        np.testing.assert_array_equal(lucid.grad(norm)(zero).numpy(), zero)
    matrix = np.zeros((2, 2))
    np.testing.assert_array_equal(lucid.grad(lucid.linalg.matrix_norm)(matrix).numpy(), matrix)


def test_masked_outputs_of_several() -> None:
    """A mask reaches through an operation with several results: x is 0 where ci is -∞."""

    def f(x: lucid.Tensor) -> lucid.Tensor:
        si, ci = special.sici(x)
        return lucid.where(x > 0, ci + si, 0.0).sum()

    with np.errstate(all="ignore"):
        got = lucid.grad(f)(np.array([0.0, 1.0])).numpy()
    np.testing.assert_allclose(got, [0.0, np.cos(1.0) + np.sin(1.0)], rtol=1e-14)
