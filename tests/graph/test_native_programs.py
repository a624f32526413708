"""Random programs, and their gradients: the native executor against the numpy one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lucid
from lucid import tree
from lucid.graph.jit import jit
from tests.graph.programs import Program, random_program

pytest.importorskip("llvmlite")
loops = pytest.importorskip("lucid.graph.native.loops")
module = pytest.importorskip("lucid.graph.native.module")
plan = pytest.importorskip("lucid.graph.native.plan")

randoms = st.randoms(use_true_random=False)
few = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def agree(got: list[Any], want: list[Any], names: list[str]) -> None:
    """Any float32 on the way limits the accuracy, and derivatives lose some more."""
    assert len(got) == len(want)
    for x, y in zip(got, want, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype), names
        a, b = np.asarray(x.numpy()), np.asarray(y.numpy())
        if b.dtype.kind != "f":
            np.testing.assert_array_equal(a, b, err_msg=str(names))
            continue
        scale = max(np.abs(b[np.isfinite(b)]).max(initial=0), 1.0)
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4 * float(scale), err_msg=str(names))


def check_values(program: Program) -> None:
    want = jit(program.run, executor="numpy")(*program.arguments)
    compiled = jit(program.run, executor="native")
    agree(compiled(*program.arguments), want, program.names)
    other = [np.asarray(a, order="F") for a in program.arguments]
    agree(compiled(*other), want, program.names)


def check_gradients(program: Program) -> None:
    which = tuple(k for k, a in enumerate(program.arguments) if a.dtype.kind == "f")
    if not which:
        return

    def total(*xs: Any) -> Any:
        ys = [y.astype("float64") for y in program.run(*xs) if y.dtype.kind == "f"]
        return sum((0.5 * y.sum() for y in ys), lucid.asarray(0.0))

    both = lucid.value_and_grad(total, which)
    want = tree.leaves(jit(both, executor="numpy")(*program.arguments))
    agree(tree.leaves(jit(both, executor="native")(*program.arguments)), want, program.names)
    outside = lucid.value_and_grad(jit(total, executor="native"), which)
    agree(tree.leaves(outside(*program.arguments)), want, program.names)


@few
@given(rng=randoms)
def test_values(rng: random.Random) -> None:
    check_values(random_program(rng))


@few
@given(rng=randoms)
def test_gradients(rng: random.Random) -> None:
    check_gradients(random_program(rng, 10))


@pytest.mark.parametrize("seed", range(40))
def test_threads_and_blocks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code for large arrays, on small ones: loops shared by threads, rows cut into blocks."""
    monkeypatch.setattr(module, "PARALLEL_WORK", 300)
    monkeypatch.setattr(loops, "CHUNK", 32)
    monkeypatch.setattr(loops, "ONE_BY_ONE", 4)
    monkeypatch.setattr(plan, "ROW_LIMIT", 24)
    program = random_program(random.Random(seed))
    (check_values, check_gradients)[seed % 2](program)
