"""Forty operations one by one: value against NumPy, gradient against autograd and PyTorch.

    pip install '.[bench]'
    python benchmarks/ops.py

Every operation is measured on 10 and on 1,000,000 float64 numbers, one thread each. The forward
column times the operation alone. The gradient column times forward and backward of its sum (of
its result, where that is a scalar): `lucid.grad(f)`, `autograd.grad(f)`, and in PyTorch `f(x)`
followed by `torch.autograd.grad`. Cases take turns and medians are printed as a markdown table,
with the geometric means at its end. The bars: both geometric means below 1; no gradient above 1.5
times the better of autograd and PyTorch without a reason in NOTES, which is printed below.

Options: ``--seconds S`` per case, ``--only NAME ...`` for some operations, ``--size N ...``,
``--gradients`` and ``--forward`` for one half.
"""

# ruff: noqa: E402 - the environment must be set before the libraries start
from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any, NamedTuple

from _measure import interleave, machine, median, pin, ratio, table

_parser = argparse.ArgumentParser(description="lucid's operations against those of others.")
_parser.add_argument("--seconds", type=float, default=0.5)
_parser.add_argument("--only", nargs="*", default=[])
_parser.add_argument("--size", nargs="*", type=int, default=[10, 10**6])
_parser.add_argument("--gradients", action="store_true")
_parser.add_argument("--forward", action="store_true")
OPTIONS = _parser.parse_args()
pin(1)

import autograd
import autograd.numpy as anp
import autograd.scipy.special
import numpy as np
import scipy.special
import torch

import lucid

torch.set_num_threads(1)

Function = Callable[..., Any]
BAR = 1.5


class Case(NamedTuple):
    """One operation, as each library spells it.

    Attributes:
        lucid, torch: the functions; each is called with the arrays of `arrays`.
        numpy: called with NumPy or with autograd.numpy as first argument, then the arrays.
        arrays: makes the arguments of a size; the first is differentiated.
    """

    lucid: Function
    torch: Function
    numpy: Function
    arrays: Function


# -- arguments -------------------------------------------------------------------------------------


def _uniform(lo: float, hi: float, operands: int = 1) -> Function:
    def make(n: int) -> tuple[Any, ...]:
        rng = np.random.default_rng(0)
        return tuple(rng.uniform(lo, hi, n) for _ in range(operands))

    return make


def _square(operands: int = 1) -> Function:
    """Matrices with about n entries."""

    def make(n: int) -> tuple[Any, ...]:
        rng, side = np.random.default_rng(0), math.isqrt(n)
        return tuple(rng.standard_normal((side, side)) for _ in range(operands))

    return make


def _matrices(n: int) -> tuple[Any, ...]:
    """Matrices whose product takes about n multiplications, for 10⁶ a hundred rows."""
    rng, side = np.random.default_rng(0), round(n ** (1 / 3))
    return tuple(rng.standard_normal((side, side)) for _ in range(2))


def _masked(n: int) -> tuple[Any, ...]:
    x, y = _uniform(-1, 1, 2)(n)
    return x, y, x > 0


def _indexed(n: int) -> tuple[Any, ...]:
    (x,) = _uniform(-1, 1)(n)
    return x, np.random.default_rng(1).integers(0, n, n)


FULL, POSITIVE, UNIT = _uniform(-2, 2), _uniform(0.5, 3), _uniform(-0.9, 0.9)
PAIR, POSITIVES = _uniform(0.5, 2, 2), _uniform(0.5, 3, 2)


def _same(name: str, arrays: Function, torch_name: str = "") -> Case:
    """An operation of one name everywhere."""
    return Case(
        getattr(lucid, name),
        getattr(torch, torch_name or name),
        lambda xp, *args: getattr(xp, name)(*args),
        arrays,
    )


def _scipy(name: str, arrays: Function) -> Case:
    plain, differentiable = getattr(scipy.special, name), getattr(autograd.scipy.special, name)
    return Case(
        getattr(lucid, name),
        getattr(torch.special, name),
        lambda xp, x: (plain if xp is np else differentiable)(x),
        arrays,
    )


CASES: dict[str, Case] = {
    "add": _same("add", PAIR),
    "subtract": _same("subtract", PAIR),
    "multiply": _same("multiply", PAIR),
    "divide": _same("divide", PAIR),
    "power": Case(lucid.pow, torch.pow, lambda xp, x, y: xp.power(x, y), PAIR),
    "x ** 3": Case(*(lambda x: x**3,) * 2, lambda xp, x: x**3, FULL),
    "negative": _same("negative", FULL),
    "square": _same("square", FULL),
    "sqrt": _same("sqrt", POSITIVE),
    "abs": _same("abs", FULL),
    "exp": _same("exp", FULL),
    "expm1": _same("expm1", FULL),
    "log": _same("log", POSITIVE),
    "log1p": _same("log1p", POSITIVE),
    "sin": _same("sin", FULL),
    "cos": _same("cos", FULL),
    "tan": _same("tan", UNIT),
    "asin": Case(lucid.asin, torch.asin, lambda xp, x: xp.arcsin(x), UNIT),
    "atan": Case(lucid.atan, torch.atan, lambda xp, x: xp.arctan(x), FULL),
    "sinh": _same("sinh", FULL),
    "tanh": _same("tanh", FULL),
    "erf": _scipy("erf", FULL),
    "gammaln": _scipy("gammaln", POSITIVE),
    "maximum": _same("maximum", _uniform(-1, 1, 2)),
    "clip": Case(
        lambda x: lucid.clip(x, -1.0, 1.0),
        lambda x: torch.clip(x, -1.0, 1.0),
        lambda xp, x: xp.clip(x, -1.0, 1.0),
        FULL,
    ),
    "where": Case(
        lambda x, y, m: lucid.where(m, x, y),
        lambda x, y, m: torch.where(m, x, y),
        lambda xp, x, y, m: xp.where(m, x, y),
        _masked,
    ),
    "logaddexp": _same("logaddexp", PAIR),
    "sum": _same("sum", FULL),
    "mean": _same("mean", FULL),
    "var": Case(lucid.var, lambda x: torch.var(x, correction=0), lambda xp, x: xp.var(x), FULL),
    "max": _same("max", FULL),
    "prod": _same("prod", _uniform(0.9999999, 1.0000001)),
    "cumsum": Case(
        lucid.cumulative_sum,
        lambda x: torch.cumsum(x, 0),
        lambda xp, x: xp.cumsum(x),
        FULL,
    ),
    "sort": Case(lucid.sort, lambda x: torch.sort(x)[0], lambda xp, x: xp.sort(x), FULL),
    "reshape": Case(
        lambda x: lucid.reshape(x, (2, -1)),
        lambda x: torch.reshape(x, (2, -1)),
        lambda xp, x: xp.reshape(x, (2, -1)),
        FULL,
    ),
    "transpose": Case(lambda x: x.T, lambda x: x.T, lambda xp, x: xp.transpose(x), _square()),
    "x[1:-1]": Case(*(lambda x: x[1:-1],) * 2, lambda xp, x: x[1:-1], FULL),
    "x[index]": Case(*(lambda x, i: x[i],) * 2, lambda xp, x, i: x[i], _indexed),
    "concat": Case(
        lambda x, y: lucid.concat([x, y]),
        lambda x, y: torch.concat([x, y]),
        lambda xp, x, y: xp.concatenate([x, y]),
        PAIR,
    ),
    "matmul": Case(lucid.matmul, torch.matmul, lambda xp, x, y: xp.matmul(x, y), _matrices),
}
# Why an operation is slower than 1.5 times the better of the others, by name and size.
NOTES: dict[tuple[str, int], str] = {
    **dict.fromkeys(
        ((name, 10**6) for name in ("sin", "cos", "erf")),
        "NumPy's or SciPy's own value takes at least three times as long as PyTorch's",
    ),
    ("sum", 10**6): (
        "NumPy's sum alone takes longer than PyTorch's; `einsum` is faster and adds less "
        "accurately, a product with ones is slower"
    ),
    ("cumsum", 10**6): (
        "NumPy's running sum, which value and gradient need one each of, takes five times as long "
        "as PyTorch's; by blocks (products with a triangular matrix, columns of a transposed copy) "
        "it is a third faster at best, and rounds otherwise than NumPy"
    ),
    **dict.fromkeys(
        ((name, 10**6) for name in ("reshape", "transpose")),
        "no arithmetic: it is the sum that is measured; see `sum`",
    ),
}


# -- measuring -------------------------------------------------------------------------------------


class Times(NamedTuple):
    """Seconds of one operation at one size, round by round, by library."""

    name: str
    n: int
    forward: dict[str, list[float]]
    gradient: dict[str, list[float]]

    @property
    def value_ratio(self) -> float:
        """Lucid's value over NumPy's."""
        return ratio(self.forward["lucid"], self.forward["NumPy"])

    def gradient_ratio(self, other: str) -> float:
        """Lucid's gradient over another library's."""
        return ratio(self.gradient["lucid"], self.gradient[other])

    @property
    def against_better(self) -> float:
        """Lucid's gradient over the faster of the others."""
        return max(map(self.gradient_ratio, ("autograd", "PyTorch")))


def _forward(case: Case, arrays: tuple[Any, ...]) -> dict[str, list[float]]:
    ours = [lucid.asarray(a) for a in arrays]
    theirs = [torch.tensor(a) for a in arrays]
    cases = {
        "lucid": lambda: case.lucid(*ours),
        "NumPy": lambda: case.numpy(np, *arrays),
        "PyTorch": lambda: case.torch(*theirs),
    }
    results = {name: np.asarray(run()) for name, run in _plain(cases).items()}
    _agree(results)
    return interleave(cases, seconds=OPTIONS.seconds)


def _gradient(case: Case, arrays: tuple[Any, ...]) -> dict[str, list[float]]:
    x, *rest = arrays
    ours = [lucid.asarray(a) for a in rest]
    theirs = [torch.tensor(a) for a in rest]
    leaf = torch.tensor(x, requires_grad=True)
    lucid_x = lucid.asarray(x)
    if np.ndim(case.numpy(np, *arrays)):
        lucid_grad = lucid.grad(lambda x: case.lucid(x, *ours).sum())
        autograd_grad = autograd.grad(lambda x: anp.sum(case.numpy(anp, x, *rest)))
    else:
        lucid_grad = lucid.grad(lambda x: case.lucid(x, *ours))
        autograd_grad = autograd.grad(lambda x: case.numpy(anp, x, *rest))

    def torch_grad() -> Any:
        y = case.torch(leaf, *theirs)
        return torch.autograd.grad(y.sum() if y.ndim else y, leaf)[0]

    cases = {
        "lucid": lambda: lucid_grad(lucid_x),
        "autograd": lambda: autograd_grad(x),
        "PyTorch": torch_grad,
    }
    _agree({name: np.asarray(run()) for name, run in _plain(cases).items()})
    return interleave(cases, seconds=OPTIONS.seconds)


def _plain(cases: dict[str, Function]) -> dict[str, Function]:
    def numbers(run: Function) -> Any:
        value = run()
        return value.numpy() if isinstance(value, lucid.Tensor) else value

    return {name: lambda run=run: numbers(run) for name, run in cases.items()}


def _agree(results: dict[str, Any]) -> None:
    """Compare what the libraries compute before timing them."""
    reference = results["lucid"]
    scale = np.max(np.abs(reference))
    for name, value in results.items():
        np.testing.assert_allclose(value, reference, rtol=1e-8, atol=1e-8 * scale, err_msg=name)


# -- the table -------------------------------------------------------------------------------------


def _show(seconds: list[float] | None) -> str:
    if seconds is None:
        return ""
    micro = median(seconds) * 1e6
    return f"{micro:.3g} µs" if micro < 1000 else f"{micro / 1e3:.3g} ms"


def _row(t: Times) -> list[str]:
    row = [f"`{t.name}`", f"{t.n:,}"]
    row += [_show(t.forward.get(c)) for c in ("lucid", "NumPy", "PyTorch")]
    row.append(f"{t.value_ratio:.2f}" if t.forward else "")
    row += [_show(t.gradient.get(c)) for c in ("lucid", "autograd", "PyTorch")]
    slow = " \\*" if t.gradient and t.against_better > BAR else ""
    return [*row, f"{t.against_better:.2f}{slow}" if t.gradient else ""]


def _mean(ratios: list[float]) -> str:
    return f"{math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}" if ratios else ""


def _means(n: int, times: list[Times]) -> list[str]:
    values = _mean([t.value_ratio for t in times if t.n == n and t.forward])
    pulled = [t for t in times if t.n == n and t.gradient]
    autograd_mean, torch_mean = (
        _mean([t.gradient_ratio(c) for t in pulled]) for c in ("autograd", "PyTorch")
    )
    best = _mean([t.against_better for t in pulled])
    return ["lucid over it, geometric mean", f"{n:,}", "", "", "", values,
            "", autograd_mean, torch_mean, best]  # fmt: skip


def main() -> None:
    times: list[Times] = []
    both = OPTIONS.gradients == OPTIONS.forward
    for name in OPTIONS.only or CASES:
        for n in OPTIONS.size:
            print(f"measuring {name} at {n:,} …", file=sys.stderr, flush=True)
            case = CASES[name]
            arrays = case.arrays(n)
            forward = _forward(case, arrays) if both or OPTIONS.forward else {}
            gradient = _gradient(case, arrays) if both or OPTIONS.gradients else {}
            times.append(Times(name, n, forward, gradient))
    times.sort(key=lambda t: t.n)
    print(f"{machine()}, 1 thread, {time.strftime('%Y-%m-%d')}")
    packages = ("numpy", "torch", "autograd")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    print(f"lucid {lucid.__version__}, Python {sys.version.split()[0]}, {versions}\n")
    head = ("operation", "n", "lucid", "NumPy", "PyTorch",
            "over NumPy",
            "lucid gradient", "autograd", "PyTorch", "over the better")  # fmt: skip
    body = [_row(t) for t in times] + [_means(n, times) for n in OPTIONS.size]
    print(table(head, body))
    slow = [(t.name, t.n) for t in times if t.gradient and t.against_better > BAR]
    for name, n in slow:
        print(f"\n\\* `{name}` at {n:,}: {NOTES.get((name, n), 'no reason is known')}")


if __name__ == "__main__":
    main()
