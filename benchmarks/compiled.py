"""Compiled speed against jax.jit, PyTorch (eager and torch.compile) and mlx.compile, in one run.

    pip install '.[jit,bench]'
    python benchmarks/compiled.py

The workloads are those of `_workloads.py`. Cases take turns (`_measure.interleave`); medians are
printed as a markdown table, and in the last column the median over the turns of lucid's time over
that of the best of the others, beside the bar that lucid sets itself. "first" is the first call in
a process that has compiled something else before: tracing and compiling.

Every library gets the same cores and threads, two by default. Options: ``--threads N``,
``--seconds S`` per case, ``--only NAME ...``, ``--compile`` to include torch.compile and
mlx.compile, which need a C++ compiler.
"""

# ruff: noqa: E402 - the environment must be set before the libraries start
from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

from _measure import interleave, machine, median, pin, ratio, table

_parser = argparse.ArgumentParser(description="Compiled speed of lucid and others.")
_parser.add_argument("--threads", type=int, default=2)
_parser.add_argument("--seconds", type=float, default=2.0)
_parser.add_argument("--only", nargs="*", default=[])
_parser.add_argument("--compile", action="store_true")
OPTIONS = _parser.parse_args()
pin(OPTIONS.threads)

import jax
import numpy as np
import torch
from _workloads import WORKLOADS, Workload

import lucid
from lucid import functional

torch.set_num_threads(OPTIONS.threads)
COLUMNS = ("lucid", "jax.jit", "PyTorch", "torch.compile", "mlx.compile")


def shown(seconds: float) -> str:
    """A time with three digits."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def warm() -> None:
    """Let every library import what it imports later, start its threads, and compile something."""
    for module in (functional, lucid.nn, lucid.optim):
        for name in module.__all__:
            getattr(module, name)
    x = np.ones((1000, 1000), np.float32)
    lucid.jit(lambda x: (functional.gelu(lucid.exp(x))).sum())(lucid.asarray(x))
    jax.block_until_ready(jax.jit(lambda x: (jax.numpy.exp(x) + 1).sum())(x))


def first_calls(cases: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The time of the first call of each."""
    found: dict[str, float] = {}
    for name, case in cases.items():
        start = time.perf_counter()
        case()
        found[name] = time.perf_counter() - start
    return found


def agree(workload: Workload, cases: dict[str, Callable[[], Any]]) -> None:
    """Hold results against those of jax.jit; a peer that is wrong is named and not timed."""
    values = {name: workload.value(case()) for name, case in cases.items()}
    want = values["jax.jit"]
    np.testing.assert_allclose(values["lucid"], want, rtol=workload.rtol)
    for name, value in values.items():
        if not np.allclose(value, want, rtol=workload.rtol, atol=0):
            print(f"{workload.name}: {name} is left out, it gives {value} where {want} is right")
            del cases[name]


def measure(workload: Workload) -> list[str]:
    """One row of the table."""
    cases = workload.cases(OPTIONS.compile)
    first = first_calls(cases)
    agree(workload, cases)
    times = interleave(cases, seconds=OPTIONS.seconds)
    others = {n: t for n, t in times.items() if n != "lucid"}
    best = min(others, key=lambda n: median(others[n]))
    quotient = ratio(times["lucid"], others[best])
    row = [workload.name, *(shown(median(times[c])) if c in times else "" for c in COLUMNS)]
    row.append(f"{quotient:.2f} x {best} (bar {workload.bar:.2g})")
    if workload.against is not None and workload.against in times:
        other = ratio(times["lucid"], times[workload.against])
        row[-1] += f"; {other:.2f} x {workload.against}"
    row.append(f"{shown(first['lucid'])}; jax.jit {shown(first['jax.jit'])}")
    print(" | ".join(row), flush=True)
    return row


def main() -> None:
    names = ("lucid-grad", "numpy", "llvmlite", "jax", "torch", "mlx")
    print(machine() + "; " + ", ".join(f"{n} {metadata.version(n)}" for n in names if _has(n)))
    warm()
    rows = [
        measure(make())
        for name, make in WORKLOADS.items()
        if not OPTIONS.only or name in OPTIONS.only
    ]
    print()
    print(table(["workload", *COLUMNS, "lucid takes", "first call"], rows))


def _has(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
