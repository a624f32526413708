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
    """Eight threads call a program that shares its loops with workers, and one that does not."""
    want_large, want_small = large(LARGE), small(SMALL)
    assert "lucid_share" in "".join(large.lower(LARGE).program.compiled().source)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for k in range(1250):
                for a, b in zip(small(SMALL), want_small, strict=True):
                    assert (a.numpy() == b.numpy()).all()
                if k % 50 == 0:
                    same(large(LARGE), want_large)
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors, errors[0]


@linux
def test_calls_keep_no_memory() -> None:
    for _ in range(200):
        small(SMALL)
    before = megabytes()
    for _ in range(10_000):
        small(SMALL)
    for _ in range(50):
        large(LARGE)
    gc.collect()
    assert megabytes() - before < 20  # results of the large program in flight


@linux
def test_dropped_programs_are_freed() -> None:
    def once(k: int) -> Any:
        f = native(lambda x: lucid.exp(x * float(k)) + lucid.sin(x).sum() + x @ x)
        f(SMALL)
        return weakref.ref(f.lower(SMALL).program.compiled())

    for k in range(100):
        once(k)
    gc.collect()
    before = megabytes()
    programs = [once(k) for k in range(200)]
    gc.collect()
    assert not any(p() for p in programs)
    assert megabytes() - before < 20  # an engine takes about 0.2


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
