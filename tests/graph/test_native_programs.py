"""Random programs, and their gradients: the native executor against the numpy one."""

from __future__ import annotations

import math
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

EVERY = (
    *("sum", "max", "std", "matmul", "gram", "where", "concat", "stack", "slice", "permute"),
    *("reshape", "broadcast", "flip", "cumsum", "softmax", "standard", "weighted", "to int8"),
    *("take", "at", "chosen", "sort", "diff", "rows", "steps", "branches", "exp", "tanh", "divide"),
)
randoms = st.randoms(use_true_random=False)
few = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def agree(got: list[Any], want: list[Any], program: Program) -> None:
    """Any float32 on the way limits the accuracy, and derivatives lose some more."""
    names = program.names
    bound = 1e-11 if program.exact else 2e-4
    assert len(got) == len(want)
    for x, y in zip(got, want, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype), names
        a, b = np.asarray(x.numpy()), np.asarray(y.numpy())
        if b.dtype.kind != "f":
            np.testing.assert_array_equal(a, b, err_msg=str(names))
            continue
        scale = max(np.abs(b[np.isfinite(b)]).max(initial=0), 1.0)
        np.testing.assert_allclose(a, b, rtol=bound, atol=bound * float(scale), err_msg=str(names))


def check_values(program: Program) -> None:
    want = jit(program.run, executor="numpy")(*program.arguments)
    compiled = jit(program.run, executor="native")
    agree(compiled(*program.arguments), want, program)
    other = [np.asarray(a, order="F") for a in program.arguments]
    agree(compiled(*other), want, program)


def weights(shape: tuple[int, ...]) -> Any:
    """Cotangents that differ from entry to entry."""
    return np.cos(np.arange(math.prod(shape), dtype=float) * 0.7 + 0.3).reshape(shape)


def total_of(program: Program) -> Any:
    """Return a function of the arrays that is one number."""

    def total(*xs: Any) -> Any:
        ys = [y.astype("float64") for y in program.run(*xs) if y.dtype.kind == "f"]
        return sum((y * weights(y.shape)).sum() for y in ys) + lucid.asarray(0.0)

    return total


def check_gradients(program: Program) -> None:
    which = tuple(k for k, a in enumerate(program.arguments) if a.dtype.kind == "f")
    if not which:
        return
    total = total_of(program)
    both = lucid.value_and_grad(total, which)
    want = tree.leaves(jit(both, executor="numpy")(*program.arguments))
    agree(tree.leaves(jit(both, executor="native")(*program.arguments)), want, program)
    outside = lucid.value_and_grad(jit(total, executor="native"), which)
    agree(tree.leaves(outside(*program.arguments)), want, program)


@few
@given(rng=randoms)
def test_values(rng: random.Random) -> None:
    check_values(random_program(rng))


@few
@given(rng=randoms)
def test_gradients(rng: random.Random) -> None:
    check_gradients(random_program(rng, 10, smooth=rng.random() < 0.7))


def test_the_programs_are_worth_testing() -> None:
    """What is drawn comes up, is fused, is empty at times, and has gradients that are not zero."""
    count = 150
    drawn = [random_program(random.Random(k), 12, smooth=bool(k % 2)) for k in range(count)]
    names = " ".join(n for p in drawn for n in p.names)
    missing = [n for n in EVERY if n not in names]
    assert not missing
    empty = sum(any(v.size == 0 for v in p.values) for p in drawn)
    assert empty > count / 20
    assert count / 4 < sum(p.exact for p in drawn) < count * 3 / 4
    assert sum(any(v.ndim == 0 for v in p.values) for p in drawn) > count / 4
    nonzero = nodes = kernels = 0
    for p in drawn[1::2]:
        which = tuple(range(len(p.arguments)))
        grads = jit(lucid.grad(total_of(p), which), executor="numpy")(*p.arguments)
        nonzero += any(g.numpy().any() for g in grads)
    assert nonzero > count / 4  # of half as many
    for p in drawn[:40]:
        compiled = jit(p.run, executor="native").lower(*p.arguments).program.compiled()
        nodes += len(compiled.graph.nodes)
        kernels += len(compiled.planner.steps)
    assert kernels < nodes / 2


@pytest.mark.parametrize("seed", range(40))
def test_threads_and_blocks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code for large arrays, on small ones: loops shared by threads, rows cut into blocks."""
    monkeypatch.setattr(module, "PARALLEL_WORK", 300)
    monkeypatch.setattr(loops, "CHUNK", 32)
    monkeypatch.setattr(loops, "ONE_BY_ONE", 4)
    monkeypatch.setattr(plan, "ROW_LIMIT", 24)
    program = random_program(random.Random(seed))
    (check_values, check_gradients)[seed % 2](program)
