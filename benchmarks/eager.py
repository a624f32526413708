"""Eager speed and memory against NumPy, PyTorch, JAX op by op, autograd and MLX, in one run.

    pip install '.[bench]'
    python benchmarks/eager.py

Cases take turns (`_measure.interleave`) and medians are printed, as a markdown table; the last
column is the median over the turns of the quotient, beside what lucid demands of itself.

Every library gets the same cores and threads, one by default (``--threads``). The script restarts
itself without OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE, where they are set: with them OpenBLAS
computes for another processor than this one, and matrix products would not be measured as users
see them. Compiled bytecode is kept for the import times, as it is where a package is installed.

Options: ``--threads N``, ``--seconds S`` per case, ``--only NAME`` for one section (ops, forward,
mse, mlp, import, memory).
"""

# ruff: noqa: E402 - the environment must be set before the libraries start
from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib import metadata
from typing import Any

from _measure import interleave, machine, median, pin, ratio, table

_parser = argparse.ArgumentParser(description="Eager speed and memory of lucid and others.")
_parser.add_argument("--threads", type=int, default=1)
_parser.add_argument("--seconds", type=float, default=2.0)
_parser.add_argument("--only", nargs="*", default=[])
OPTIONS = _parser.parse_args()
pin(OPTIONS.threads)

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import mlx.core as mx
import numpy as np
import torch
import torch.nn.functional as torch_functional

import lucid
from lucid import functional, nn, optim

torch.set_num_threads(OPTIONS.threads)

COLUMNS = ("lucid", "NumPy", "PyTorch", "autograd", "JAX op by op", "MLX")
Bars = dict[str, float]  # how many times as long as another library lucid may take
Row = tuple[str, dict[str, list[float]], Bars]
X8 = np.linspace(-1.0, 1.0, 8, dtype=np.float32)
STEPS = 20


# -- 61 small operations ---------------------------------------------------------------------------


def _chain(tanh: Callable[[Any], Any], x: Any) -> Any:
    for _ in range(STEPS):
        x = tanh(x * 2.0 + x)
    return x.sum()


def small_ops() -> list[Row]:
    """Gradient of 61 operations on 8 numbers: what an operation costs beside its arithmetic."""

    def lucid_object() -> Any:
        x = lucid.Tensor(X8, requires_grad=True)
        _chain(lucid.tanh, x).backward()
        return x.grad

    def torch_object() -> Any:
        x = torch.tensor(X8, requires_grad=True)
        _chain(torch.tanh, x).backward()
        return x.grad

    def torch_grad() -> Any:
        return torch.autograd.grad(_chain(torch.tanh, leaf), leaf)[0]

    leaf = torch.tensor(X8, requires_grad=True)
    jax_x, mlx_x = jnp.asarray(X8), mx.array(X8)
    lucid_grad = lucid.grad(lambda x: _chain(lucid.tanh, x))
    autograd_grad = autograd.grad(lambda x: _chain(anp.tanh, x))
    jax_grad = jax.grad(lambda x: _chain(jnp.tanh, x))
    mlx_grad = mx.grad(lambda x: _chain(mx.tanh, x))

    def mlx_run() -> Any:
        result = mlx_grad(mlx_x)
        mx.eval(result)
        return result

    cases = {
        "lucid": lambda: lucid_grad(X8),
        "lucid object": lucid_object,
        "PyTorch": torch_grad,
        "PyTorch object": torch_object,
        "autograd": lambda: autograd_grad(X8),
        "JAX op by op": lambda: jax_grad(jax_x).block_until_ready(),
        "MLX": mlx_run,
    }
    _agree({name: np.asarray(_plain(case())) for name, case in cases.items()})
    t = interleave(cases, seconds=OPTIONS.seconds)
    bars = {"PyTorch": 1.0, "autograd": 1 / 2.5}
    both = {c: t[f"{c} object"] for c in ("lucid", "PyTorch")}
    return [
        ("61 small ops, gradient", {c: t[c] for c in COLUMNS if c in t}, bars),
        ("61 small ops, `.backward()`", both, {"PyTorch": 1.0}),
    ]


def forward() -> list[Row]:
    """The same 61 operations without a derivative."""
    lucid_x, torch_x = lucid.asarray(X8), torch.tensor(X8)
    jax_x, mlx_x = jnp.asarray(X8), mx.array(X8)

    def mlx_run() -> Any:
        result = _chain(mx.tanh, mlx_x)
        mx.eval(result)
        return result

    t = interleave(
        {
            "lucid": lambda: _chain(lucid.tanh, lucid_x),
            "NumPy": lambda: _chain(np.tanh, X8),
            "PyTorch": lambda: _chain(torch.tanh, torch_x),
            "JAX op by op": lambda: _chain(jnp.tanh, jax_x).block_until_ready(),
            "MLX": mlx_run,
        },
        seconds=OPTIONS.seconds,
    )
    return [("61 small ops, forward", t, {"NumPy": 2.0})]


# -- mse_loss --------------------------------------------------------------------------------------


def mse() -> list[Row]:
    """Value and gradient of the mean squared error, both faces, three sizes."""
    rows: list[Row] = []
    for n in (10, 10**4, 10**7):
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((2, n)).astype(np.float32)
        rows += _mse(f"{n:,}", x, y)
    return rows


def _mse(size: str, x: Any, y: Any) -> list[Row]:
    lucid_y, torch_y = lucid.asarray(y), torch.tensor(y)
    torch_x = torch.tensor(x, requires_grad=True)
    leaf = lucid.Tensor(x, requires_grad=True)
    torch_leaf = torch.tensor(x, requires_grad=True)
    criterion, torch_criterion = nn.MSELoss(), torch.nn.MSELoss()
    both = lucid.value_and_grad(functional.mse_loss)
    lucid_x = lucid.asarray(x)

    def torch_functional_run() -> Any:
        loss = torch_functional.mse_loss(torch_x, torch_y)
        return loss, torch.autograd.grad(loss, torch_x)[0]

    def lucid_object() -> Any:
        leaf.grad = None
        loss = criterion(leaf, lucid_y)
        loss.backward()
        return loss, leaf.grad

    def torch_object() -> Any:
        torch_leaf.grad = None
        loss = torch_criterion(torch_leaf, torch_y)
        loss.backward()
        return loss, torch_leaf.grad

    cases = {
        "lucid": lambda: both(lucid_x, lucid_y),
        "PyTorch": torch_functional_run,
        "lucid object": lucid_object,
        "PyTorch object": torch_object,
    }
    _agree({name: np.asarray(_plain(case()[1])) for name, case in cases.items()})
    t = interleave(cases, seconds=OPTIONS.seconds)
    both = {c: t[f"{c} object"] for c in ("lucid", "PyTorch")}
    return [
        (f"`mse_loss` of {size}, functional", {c: t[c] for c in both}, {"PyTorch": 1.0}),
        (f"`MSELoss` of {size}, object", both, {"PyTorch": 1.0}),
    ]


# -- a training step -------------------------------------------------------------------------------


def mlp() -> list[Row]:
    """One step of gradient descent: 784-256-128-10, batch 128, float32, cross-entropy."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((128, 784)).astype(np.float32)
    y = rng.integers(0, 10, 128)
    sizes = (784, 256, 128, 10)
    weights = [
        (rng.uniform(-1, 1, (n, m)) / np.sqrt(m)).astype(np.float32)
        for m, n in itertools.pairwise(sizes)
    ]
    biases = [np.zeros(n, np.float32) for n in sizes[1:]]
    cases = {
        "lucid": _mlp_functional(x, y, weights, biases),
        "lucid object": _mlp_object(x, y, weights, biases),
        "PyTorch object": _mlp_torch(x, y, weights, biases),
    }
    losses = {name: np.asarray([case().item() for _ in range(3)]) for name, case in cases.items()}
    _agree(losses)
    t = interleave(cases, seconds=2 * OPTIONS.seconds)
    torch_time = t["PyTorch object"]
    return [
        ("MLP step, functional", {"lucid": t["lucid"], "PyTorch": torch_time}, {"PyTorch": 1.0}),
        ("MLP step, object", {"lucid": t["lucid object"], "PyTorch": torch_time}, {"PyTorch": 1.0}),
    ]


def _mlp_functional(x: Any, y: Any, weights: Any, biases: Any) -> Callable[[], Any]:
    x, y = lucid.asarray(x), lucid.asarray(y)
    params = [(lucid.asarray(w), lucid.asarray(b)) for w, b in zip(weights, biases, strict=True)]

    def loss(params: Any) -> Any:
        h = x
        for w, b in params[:-1]:
            h = functional.relu(functional.linear(h, w, b))
        return functional.cross_entropy(functional.linear(h, *params[-1]), y)

    descent = optim.sgd(0.01)
    value_and_grad = lucid.value_and_grad(loss)
    state = [params, descent.init(params)]

    def step() -> Any:
        value, gradient = value_and_grad(state[0])
        updates, state[1] = descent.update(gradient, state[1], state[0])
        state[0] = optim.apply_updates(state[0], updates)
        return value

    return step


def _mlp_object(x: Any, y: Any, weights: Any, biases: Any) -> Callable[[], Any]:
    x, y = lucid.asarray(x), lucid.asarray(y)
    with lucid.set_default_dtype(lucid.float32):
        model = nn.Sequential(
            *(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
        )
    for layer, w, b in zip((model[0], model[2], model[4]), weights, biases, strict=True):
        layer.weight.data, layer.bias.data = w, b
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()

    def step() -> Any:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _mlp_torch(x: Any, y: Any, weights: Any, biases: Any) -> Callable[[], Any]:
    x, y = torch.tensor(x), torch.tensor(y)
    layers = [torch.nn.Linear(w.shape[1], w.shape[0]) for w in weights]
    with torch.no_grad():
        for layer, w, b in zip(layers, weights, biases, strict=True):
            layer.weight.copy_(torch.tensor(w))
            layer.bias.copy_(torch.tensor(b))
    model = torch.nn.Sequential(
        *(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = torch.nn.CrossEntropyLoss()

    def step() -> Any:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


# -- import and memory -----------------------------------------------------------------------------


def start() -> list[Row]:
    """Time to import, in fresh processes that take turns; compiled files are kept, as installed."""
    times: dict[str, list[float]] = {"lucid": [], "NumPy": []}
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(17):
        for column, module in (("lucid", "lucid"), ("NumPy", "numpy")):
            command = [sys.executable, "-c", code.format(module)]
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=environment
            )
            times[column].append(float(done.stdout))
    # the first two rounds fill caches
    return [("import", {name: t[2:] for name, t in times.items()}, {"NumPy": 1.5})]


def memory() -> str:
    """Peak allocation of value and gradient of `mse_loss` at 10⁷, beyond inputs and gradient."""
    n = 10**7
    x, y = lucid.asarray(np.ones(n, np.float32)), lucid.asarray(np.zeros(n, np.float32))
    both = lucid.value_and_grad(functional.mse_loss)
    both(x[:10], y[:10])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    value, gradient = both(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    arrays = (peak - before) / gradient.nbytes - 1
    assert np.isclose(value.item(), 1.0)
    return f"`mse_loss` of 10,000,000: {arrays:.2f} arrays beyond inputs and gradient (bar: 2)"


# -- the table -------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    return value.numpy() if isinstance(value, lucid.Tensor) else value


def _agree(results: dict[str, Any]) -> None:
    """Compare what the libraries compute before timing them."""
    reference = results["lucid"]
    for name, value in results.items():
        scale = np.max(np.abs(reference))
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-4 * scale, err_msg=name)


def _show(times: list[float] | None) -> str:
    if times is None:
        return ""
    micro = median(times) * 1e6
    return f"{micro:.3g} µs" if micro < 1000 else f"{micro / 1e3:.3g} ms"


def _verdict(times: dict[str, list[float]], bars: Bars) -> str:
    """Say how many times as long as others lucid takes, and how long it may."""
    return "; ".join(
        f"{ratio(times['lucid'], times[name]):.2f} x {name} (bar {bar:g})"
        for name, bar in bars.items()
    )


def main() -> None:
    """Measure what was asked for and print the table."""
    sections = {"ops": small_ops, "forward": forward, "mse": mse, "mlp": mlp, "import": start}
    rows: list[Row] = []
    chosen = OPTIONS.only or [*sections, "memory"]
    for name, section in sections.items():
        if name in chosen:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            rows += section()
    body = [
        [case, *(_show(times.get(c)) for c in COLUMNS), _verdict(times, bars)]
        for case, times, bars in rows
    ]
    print(f"{machine()}, {OPTIONS.threads} thread(s), {time.strftime('%Y-%m-%d')}")
    packages = ("numpy", "torch", "autograd", "jax", "mlx")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    print(f"lucid {lucid.__version__}, Python {sys.version.split()[0]}, {versions}\n")
    print(table(("case", *COLUMNS, "lucid takes"), body))
    if "memory" in chosen:
        print("\n" + memory())


if __name__ == "__main__":
    main()
