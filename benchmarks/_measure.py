"""Time implementations against each other, taking turns, so that all see the same noise."""

from __future__ import annotations

import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

__all__ = ["interleave", "machine", "median", "pin", "ratio", "table"]

# OpenBLAS reads the first two to pretend to be another processor, which would favour nobody's
# real use; the others fix the number of threads before any library starts its own.
_UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def pin(threads: int) -> None:
    """Restart this process so that every library sees the same `threads` cores."""
    wanted = {name: str(threads) for name in _THREADS}
    wanted["XLA_FLAGS"] = (
        f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'} "
        f"intra_op_parallelism_threads={threads}"
    )
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-threads:])
    stray = [name for name in _UNSET if name in os.environ]
    if stray or any(os.environ.get(k) != v for k, v in wanted.items()):
        environment = {k: v for k, v in os.environ.items() if k not in _UNSET} | wanted
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def interleave(
    cases: Mapping[str, Callable[[], object]], *, seconds: float = 2.0, slice_ms: float = 1.0
) -> dict[str, list[float]]:
    """Return the times of one call of each case, round by round, in seconds.

    The cases take turns: a round times a slice of each, at least `slice_ms` long, starting with
    another case every time. Rounds go on for `seconds` per case, and there are at least seven.

    Args:
        cases: functions without arguments, by name.
        seconds: how long to measure each case, in seconds.
        slice_ms: the least length of one timing, in milliseconds.
    """
    names = list(cases)
    repeats: dict[str, int] = {}
    for name in names:
        case = cases[name]
        for _ in range(3):  # caches, lazy imports, first allocations
            case()
        once = min(_time(case, 1) for _ in range(3))
        repeats[name] = max(1, math.ceil(slice_ms / 1e3 / max(once, 1e-9)))
    times: dict[str, list[float]] = {name: [] for name in names}
    start = time.perf_counter()
    k = 0
    while k < 7 or time.perf_counter() - start < seconds * len(names):
        shift = k % len(names)
        for name in names[shift:] + names[:shift]:
            times[name].append(_time(cases[name], repeats[name]))
        k += 1
    return times


def median(times: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(times)


def ratio(times: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the quotients round by round, which noise shared by a round leaves."""
    return statistics.median(a / b for a, b in zip(times, others, strict=True))


def _time(case: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        case()
    return (time.perf_counter() - start) / repeats


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """Name the processor, as well as the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            models = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    except OSError:
        models = []
    return f"{models[0] if models else 'unknown processor'}, {os.cpu_count()} cores"
