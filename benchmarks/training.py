"""Epochs of three trainings against PyTorch, torch.compile and JAX with optax, in one run.

    pip install '.[jit,bench,examples]'
    python benchmarks/training.py

The trainings are those of `_trainings.py`: a convolutional network on digits, a GPT on characters
and a network of three layers on a table; same weights, same batches, AdamW. Before anything is
timed, the losses of the first ten steps agree. Then epochs take turns (`_measure.interleave`);
medians are printed as a markdown table, with the median over the turns of lucid's time over that
of the best of the others, and the geometric mean of these quotients, for which the bar is 1.
"first" is the first epoch: tracing and compiling as well.

Every library gets the same cores and threads, two by default. Options: ``--threads N``,
``--seconds S`` per case, ``--only NAME ...``, ``--compile`` to include torch.compile, which needs a
C++ compiler.
"""

# ruff: noqa: E402 - the environment must be set before the libraries start
from __future__ import annotations

import argparse
import math
import time
from importlib import metadata

from _measure import interleave, machine, median, pin, ratio, table

_parser = argparse.ArgumentParser(description="Training speed of lucid and others.")
_parser.add_argument("--threads", type=int, default=2)
_parser.add_argument("--seconds", type=float, default=10.0)
_parser.add_argument("--only", nargs="*", default=[])
_parser.add_argument("--compile", action="store_true")
OPTIONS = _parser.parse_args()
pin(OPTIONS.threads)

import numpy as np
import torch
from _trainings import TRAININGS, Training

import lucid

torch.set_num_threads(OPTIONS.threads)
COLUMNS = ("lucid", "JAX + optax", "PyTorch", "torch.compile")
STEPS, TOLERANCE = 10, 1e-4


def shown(seconds: float) -> str:
    """A time with three digits."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def measure(training: Training) -> tuple[list[str], float]:
    """One row of the table, and the quotient in it."""
    cases = training.cases(OPTIONS.compile)
    first, losses = {}, {}
    for name, epoch in cases.items():
        start = time.perf_counter()
        losses[name] = epoch()[:STEPS]
        first[name] = time.perf_counter() - start
    for name, values in losses.items():
        np.testing.assert_allclose(values, losses["PyTorch"], rtol=TOLERANCE, err_msg=name)
    times = interleave(cases, seconds=OPTIONS.seconds)
    others = {name: t for name, t in times.items() if name != "lucid"}
    best = min(others, key=lambda name: median(others[name]))
    quotient = ratio(times["lucid"], others[best])
    row = [training.name]
    row += [shown(median(times[c]) / training.share) if c in times else "" for c in COLUMNS]
    row.append(f"{quotient:.2f} x {best}")
    row.append("; ".join(f"{name} {shown(seconds)}" for name, seconds in first.items()))
    print(" | ".join(row), flush=True)
    return row, quotient


def main() -> None:
    names = ("lucid-grad", "numpy", "llvmlite", "jax", "optax", "torch")
    found = {d.name: d.version for d in metadata.distributions()}
    print(machine() + "; " + ", ".join(f"{n} {found[n]}" for n in names if n in found))
    lucid.set_default_dtype(lucid.float32)
    rows, quotients = [], []
    for name, make in TRAININGS.items():
        if not OPTIONS.only or name in OPTIONS.only:
            row, quotient = measure(make())
            rows.append(row)
            quotients.append(quotient)
    print()
    print(table(["training, an epoch", *COLUMNS, "lucid takes", "first"], rows))
    mean = math.exp(np.mean(np.log(quotients)))
    print(f"\nGeometric mean: lucid takes {mean:.2f} x the best of the others (bar 1)")


if __name__ == "__main__":
    main()
