"""The rules on plain arrays agree with the rules on Tensors, also where they take another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.core.op import OPS


@pytest.fixture(autouse=True)
def _singular_points() -> Iterator[None]:
    """Some functions are evaluated where NumPy itself warns."""
    with np.errstate(all="ignore"):
        yield


N = 5000  # larger than what any rule takes for small


def _numbers(seed: int = 0, n: int = N) -> Any:
    return np.random.default_rng(seed).uniform(-2, 2, n)


def _rounded(seed: int = 0) -> Any:
    """Numbers among which there are ties."""
    return np.round(_numbers(seed), 1)


def _with_nan() -> Any:
    x = _numbers()
    x[[3, 70]] = np.nan
    return x


PLACES = np.random.default_rng(3).integers(-N, N, 2 * N)
ROWS = lucid.asarray(_rounded(5).reshape(50, 100))

# operations whose rules are compared, a function of an array, the array
CASES: dict[str, tuple[list[str], Callable[[Any], Any], Any]] = {
    "negative": (["negative"], lambda x: -x, _numbers()),
    "negative of a repeated number": (["negative"], lambda x: (-x).sum(), _numbers()),
    "subtract": (["subtract"], lambda x: (1 - x).sum(), _numbers()),
    "where": (["where"], lambda x: lucid.where(x > 0, x, 2 * x), _numbers()),
    "where, broadcast": (["where"], lambda x: lucid.where(ROWS > 0, x, ROWS), _numbers(1, 100)),
    "where of a number": (["where"], lambda x: lucid.where(x > 0, x, 1.0), _numbers()),
    "where, single": (["where"], lambda x: lucid.where(x > 0, x, 0), np.float32(_numbers())),
    "where, complex": (["where"], lambda x: lucid.where(x.real > 0, x, 0), _numbers() * (1 + 2j)),
    "maximum": (["maximum"], lambda x: lucid.maximum(x, _numbers(1)), _numbers()),
    "maximum with ties": (["maximum"], lambda x: lucid.maximum(x, x[::-1]), _rounded()),
    "maximum of NaN": (["maximum"], lambda x: lucid.maximum(x, 0.5), _with_nan()),
    "minimum with ties": (["minimum"], lambda x: lucid.minimum(0.5, x), _rounded()),
    "fmax": (["fmax"], lambda x: lucid.fmax(x, x[::-1]), _with_nan()),
    "fmin": (["fmin"], lambda x: lucid.fmin(x, 0.5), _with_nan()),
    "clip": (["clip"], lambda x: lucid.clip(x, -1.0, 0.5), _with_nan()),
    "clip, a limit": (["clip"], lambda x: lucid.clip(_rounded(1), x, 1.0), _rounded()),
    "clip, the upper limit": (["clip"], lambda x: lucid.clip(_rounded(1), 0.1, x), _rounded()),
    "clip from below": (["clip_lower"], lambda x: lucid.clip(x, -1.0), _with_nan()),
    "clip from above": (["clip_upper"], lambda x: lucid.clip(x, max=1.0), _with_nan()),
    "clip to a Tensor": (["clip_lower"], lambda x: lucid.clip(ROWS, x), _rounded(1)[:100]),
    "getitem": (["getitem"], lambda x: x[1:-1], _numbers()),
    "getitem backwards": (["getitem"], lambda x: x[::-3], _numbers()),
    "getitem, rows": (["getitem"], lambda x: x.reshape(50, 100)[:, None, 3:9], _numbers()),
    "getitem of nothing": (["getitem"], lambda x: x[7:3], _numbers()),
    "gather": (["gather"], lambda x: x[PLACES], _numbers()),
    "gather once": (["gather"], lambda x: x[x > 0], _numbers()),
    "gather, rows": (["gather"], lambda x: x.reshape(100, 50)[PLACES % 100], _numbers()),
    "concat": (["concat"], lambda x: lucid.concat([x, ROWS[0], x]), _numbers()),
    "concat, axis 1": (
        ["concat"],
        lambda x: lucid.concat([ROWS, x.reshape(50, 2)], axis=1),
        np.float32(_numbers(1, 100)),
    ),
    "sort": (["sort"], lucid.sort, _numbers()),
    "sort with ties": (["sort"], lucid.sort, _rounded()),
    "sort of NaN": (["sort"], lucid.sort, _with_nan()),
    "sort, descending": (["sort"], lambda x: lucid.sort(x, descending=True), _numbers()),
    "sort of NaN, descending": (["sort"], lambda x: lucid.sort(x, descending=True), _with_nan()),
    "sort, axis 0": (["sort"], lambda x: lucid.sort(x.reshape(50, 100), axis=0), _numbers()),
    "max": (["max"], lucid.max, _numbers()),
    "max with ties": (["max"], lambda x: lucid.max(x.reshape(50, 100), axis=0), _rounded()),
    "max of NaN": (["max"], lambda x: lucid.max(x.reshape(50, 100), axis=1), _with_nan()),
    "min, axis kept": (
        ["min"],
        lambda x: lucid.min(x.reshape(50, 100), axis=1, keepdims=True),
        _rounded(),
    ),
    "var": (["var"], lambda x: lucid.var(x.reshape(50, 100), axis=1), _numbers()),
    "var, kept": (
        ["var"],
        lambda x: lucid.var(x.reshape(50, 100), axis=0, keepdims=True, correction=1),
        np.float32(_numbers()),
    ),
    "var, complex": (["var"], lucid.var, _numbers() * (1 + 2j)),
    "cumulative_sum": (["cumulative_sum"], lucid.cumulative_sum, _numbers()),
    "cumulative_sum, another dtype": (
        ["cumulative_sum"],
        lambda x: lucid.cumulative_sum(x, dtype=lucid.float64),
        np.float32(_numbers()),
    ),
    "prod": (["prod"], lambda x: lucid.prod(1 + x / 1e4), _numbers()),
    "prod beside a zero": (["prod"], lucid.prod, np.array([2.0, 0.0, 3.0])),
    "prod of large numbers": (["prod"], lucid.prod, np.array([1e200, 1e-200, 1e200, 3.0])),
    "prod of small numbers": (["prod"], lucid.prod, np.array([1e-160, 1e-160, 1e160])),
    "prod along an axis": (
        ["prod"],
        lambda x: lucid.prod(x.reshape(50, 100), axis=0),
        np.abs(_numbers()),
    ),
    "prod, complex": (["prod"], lucid.prod, _numbers(0, 9) * (1 + 2j)),
    "prod, another dtype": (
        ["prod"],
        lambda x: lucid.prod(x, dtype=lucid.float64),
        np.float32(_numbers(0, 9)),
    ),
}


@pytest.mark.parametrize(("ops", "f", "x"), CASES.values(), ids=CASES)
def test_the_rules_agree(ops: list[str], f: Any, x: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    y, pull = lucid.vjp(f, x)
    rng = np.random.default_rng(2)
    ct = np.asarray(rng.standard_normal(y.shape), y.dtype)
    (got,) = pull(ct)
    for op in ops:
        assert OPS[op].raw is not None
        monkeypatch.setattr(OPS[op], "raw", None)
    (want,) = pull(ct)
    assert got.dtype == want.dtype == x.dtype
    tiny = 100 * np.finfo(x.dtype).eps
    scale = np.nanmax(np.abs(want.numpy()), initial=1.0)
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=tiny, atol=tiny * scale)


def test_what_is_not_selected_stays_out_of_a_large_cotangent() -> None:
    x = _numbers()
    ct = np.where(x > 0, 3.0, np.nan)
    for f in (lambda x: lucid.where(x > 0, x, 0), lambda x: lucid.maximum(x, 0.0)):
        (got,) = lucid.vjp(f, x)[1](ct)
        np.testing.assert_array_equal(got.numpy(), np.where(x > 0, 3.0, 0.0))


def test_a_mask_reaches_through_rules_on_plain_arrays() -> None:
    x = np.zeros(N)
    x[1::2] = 4.0

    def f(x: Any) -> Any:
        return lucid.where(x > 0, lucid.log(x) * lucid.sqrt(x)[::-1][::-1], 0.0).sum()

    got = lucid.grad(f)(x).numpy()
    np.testing.assert_array_equal(got[::2], 0.0)
    np.testing.assert_allclose(got[1::2], 0.5 + np.log(4.0) / 4)
