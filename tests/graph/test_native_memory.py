"""The native executor's memory and threads: bounds, sharing, leaks, forks, signals."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.graph.jit import jit

pytest.importorskip("llvmlite")
linux = pytest.mark.skipif(sys.platform != "linux", reason="POSIX memory maps, /proc, fork")

rng = np.random.default_rng(0)
LARGE = rng.standard_normal((1500, 700)).astype(np.float32)
SMALL = rng.standard_normal(7)


def native(function: Any) -> Any:
    return jit(function, executor="native")


@native
def large(x: Any) -> Any:
    e = lucid.exp(lucid.tanh(x))
    return (e / e.sum(axis=1, keepdims=True)).sum(axis=0), (x * x).sum(), x.max(axis=1)


@native
def small(x: Any) -> Any:
    return lucid.concat([x[::-1] * 2, x @ x + x]).sum(), lucid.sort(x)


def same(got: Any, want: Any) -> None:
    """Equal but for the order in which threads' parts are added."""
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


def megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@linux
def test_no_access_is_out_of_bounds() -> None:
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.graph.guarded", "60"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_threads_agree() -> None:
    """Eight threads call one program that shares its loops with workers, and one that does not.

    Each has arguments of its own, so that a result which went to another thread would show.
    """
    assert "lucid_share" in "".join(large.lower(LARGE).program.compiled().source)
    counts: list[int] = []
    errors: list[BaseException] = []

    def work(n: int) -> None:
        x, wide = SMALL + n, LARGE + np.float32(n / 8)
        total, order = (y.numpy().tobytes() for y in small(x))
        want = large(wide)
        done = 0
        try:
            gate.wait()
            for k in range(12_500):
                a, b = small(x)
                assert a.numpy().tobytes() == total
                assert b.numpy().tobytes() == order
                done += 1
                if k % 500 == 0:
                    same(large(wide), want)
        except BaseException as error:
            errors.append(error)
        counts.append(done)

    gate = threading.Barrier(8)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors, errors[0]
    assert sum(counts) == 100_000


@linux
def test_calls_keep_no_memory() -> None:
    step = native(lambda d: {"y": d["x"] * 2, "total": (d["x"] * d["k"]).sum()})
    x = np.ones(2000)
    for _ in range(200):
        step({"x": x, "k": 2.0}), small(SMALL), large(LARGE)
    gc.collect()
    before, objects = megabytes(), sys.getallocatedblocks()
    for k in range(10_000):
        step({"x": x, "k": float(k)}), small(SMALL)
    for _ in range(50):
        large(LARGE)
    gc.collect()
    assert sys.getallocatedblocks() - objects < 500  # one object per call would be 10 000
    assert megabytes() - before < 20  # results of the large program in flight; a leak has 160


@linux
def test_dropped_programs_are_freed() -> None:
    def once(k: int) -> Any:
        f = native(lambda x: x * float(k) + 1)
        f(SMALL), f(SMALL)
        return weakref.ref(f.lower(SMALL).program.compiled())

    for k in range(100):
        once(k)
    gc.collect()
    before = megabytes()
    programs = [once(k) for k in range(1000)]
    gc.collect()
    assert not any(p() for p in programs)
    assert megabytes() - before < 30  # each takes 0.7


def test_a_cache_that_overflows_keeps_no_memory() -> None:
    f = jit(lambda x, k: x * float(k), executor="numpy", static_argnums=1)

    def calls(start: int, stop: int) -> int:
        for k in range(start, stop):
            for _ in range(3):  # the third time the short way
                f(SMALL, k)
        gc.collect()
        return sys.getallocatedblocks()

    one, all_of_them = calls(0, 1), calls(1, 200)
    each = (all_of_them - one) / 128
    assert each > 50
    assert calls(200, 700) - all_of_them < 20 * each  # of 500 programs, as many are kept


@linux
def test_a_forked_process_computes_without_workers() -> None:
    """Also one forked while other threads of the parent compute."""
    want = large(LARGE)
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            large(LARGE)

    spinners = [threading.Thread(target=spin) for _ in range(2)]
    for t in spinners:
        t.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                try:
                    same(large(LARGE), want)
                    os._exit(0)
                except BaseException:
                    os._exit(1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        for t in spinners:
            t.join()


@linux
def test_signals_interrupt_nothing() -> None:
    want = large(LARGE)
    hits: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: hits.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for _ in range(100):
            same(large(LARGE), want)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert hits


def test_results_are_nobody_elses_memory() -> None:
    x = np.arange(4.0)
    z = x + 1j
    f, g = native(lambda x: (x[1:], x.reshape(2, 2))), native(lambda z: z[1:])
    for _ in range(3):  # the first call captures, the next ones take the short way
        views, view = f(x), g(z)
    kept = [y.numpy().copy() for y in (*views, view)]
    x[:], z[:] = 99, 99
    for y, want in zip((*views, view), kept, strict=True):
        np.testing.assert_array_equal(y.numpy(), want)


def test_recycled_memory_is_not_alive() -> None:
    f = native(lambda x: x + 1)
    x = np.zeros(10_000)
    held = [f(x + k) for k in range(10)]
    views = [f(x + k)[5:10] for k in range(10)]
    for k in range(10):
        assert (held[k].numpy() == k + 1).all()
        assert (views[k].numpy() == k + 1).all()


def test_more_arrays_than_ctypes_has_arguments() -> None:
    xs = [np.full((2, 3), float(k)) for k in range(1100)]
    f = native(lambda *xs: sum(xs[1:], xs[0] * 2))
    want = np.sum(xs, axis=0)
    np.testing.assert_array_equal(f(*xs).numpy(), want)
    turned = [np.asfortranarray(x) for x in xs]  # takes the way of copies
    np.testing.assert_array_equal(f(*turned).numpy(), want)
