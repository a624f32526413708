"""Op records: one table row per operation, from which every property test is generated.

A record says how to call an operation, what NumPy or SciPy gives for the same arrays, and from
where to draw arguments. `tests/test_properties.py` runs all properties over all records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

REAL = ("float64", "float32")
COMPLEX = ("complex128", "complex64")
INEXACT = REAL + COMPLEX
INTEGER = ("int64", "int32", "int8", "uint8")
BOOL = ("bool",)
ALL = INEXACT + INTEGER + BOOL

UNARY: tuple[Any, ...] = (((2, 3),), ((),), ((4,),), ((0,),), ((2, 0, 3),))
BINARY: tuple[Any, ...] = (
    *(((2, 3), (2, 3)), ((), ()), ((3,), (2, 3)), ((2, 1), (1, 3)), ((2, 3), ())),
    *(((0,), (1,)), ((0, 3), (3,))),
)
TERNARY: tuple[Any, ...] = (
    *(((2, 3), (2, 3), (2, 3)), ((2, 1), (3,), ()), ((), (2,), (2, 1)), ((0,), (1,), ())),
)

Sampler = Callable[[np.random.Generator, tuple[int, ...], np.dtype[Any]], np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Record:
    """One operation under test.

    Attributes:
        op: the registered name (`lucid.core.op.OPS`), so that no operation goes untested. A public
            function composed of other operations has a record too, under its own name.
        fn: called with Tensors (or arrays), returns a Tensor or a tuple of Tensors.
        ref: the same on NumPy arrays, by NumPy or SciPy; None only if no reference exists, in
            which case the file says why and tests the value elsewhere.
        shapes: the cases to draw from, each a tuple with one shape per operand. By default those of
            an elementwise function of as many operands as `domains` has entries.
        domains: per operand an interval (lo, hi) to draw from uniformly, or a sampler
            ``(rng, shape, dtype) -> array`` (e.g. positive definite matrices, integers, booleans).
            Complex numbers are drawn with both parts in the interval.
        dtypes: the dtypes to draw from; all operands without a sampler get the same one.
        diff: the operands to differentiate; None: all those that come out floating or complex.
            Empty: the operation has no derivative (and the properties check that it says so).
        order: 2 if second derivatives are checked as well, else 1 (with the reason beside it).
        batch: False for an operation that vmap cannot do, with the reason beside it.
        scale: factor on the default tolerance where conditioning demands it, with the reason.
        cancels: of the arrays, the largest number that the value is a difference of, where rounding
            is relative to that and not to the value.
        id: distinguishes several records of one operation.
    """

    op: str
    fn: Callable[..., Any]
    ref: Callable[..., Any] | None
    shapes: Sequence[Sequence[tuple[int, ...]]] | None = None
    domains: Sequence[tuple[float, float] | Sampler] = ((-2.0, 2.0),)
    dtypes: Sequence[str] = INEXACT
    diff: Sequence[int] | None = None
    order: int = 2
    batch: bool = True
    scale: float = 1.0
    cancels: Callable[..., float] | None = None
    id: str = ""

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.op}-{self.id}" if self.id else self.op

    @property
    def cases(self) -> Sequence[Sequence[tuple[int, ...]]]:
        """The shapes to draw from."""
        if self.shapes is not None:
            return self.shapes
        return (UNARY, BINARY, TERNARY)[len(self.domains) - 1]


def integers(lo: int, hi: int) -> Sampler:
    """Sample integers of dtype int64 in [lo, hi)."""
    return lambda rng, shape, dtype: rng.integers(lo, hi, shape)


def booleans(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Sample booleans."""
    return rng.random(shape) < 0.5


def distinct(lo: float, hi: float) -> Sampler:
    """Sample well-separated values in random order: no ties, no crossing under small steps."""

    def sample(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
        count = int(np.prod(shape))
        grid = np.linspace(lo, hi, max(count, 1)) + 0.2 * (hi - lo) / max(count, 1) * rng.random()
        return rng.permutation(grid[:count]).reshape(shape).astype(dtype)

    return sample
