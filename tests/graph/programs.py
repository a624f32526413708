"""Random straight-line programs: operations on what has been computed so far, of any shape."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import lucid
from lucid import functional

__all__ = ["Program", "random_program"]

DIMS = (1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33)
LARGE = (0, 0, 0, 4097, 9000)
DTYPES = ("float32", "float64", "float32", "float64", "int32", "int64", "int8", "bool")
MOST = 60_000  # elements
Step = tuple[Callable[..., Any], tuple[int, ...], str]


class Program(NamedTuple):
    """A function of arrays, arrays for it, the names of its operations, and all it computes.

    Attributes:
        exact: whether no float32 comes up on the way.
    """

    run: Callable[..., list[Any]]
    arguments: list[Any]
    names: list[str]
    values: list[Any]

    @property
    def exact(self) -> bool:
        return not any(v.dtype == np.float32 for v in self.values)


class Builder:
    """Grows a program; what it computes is known, so that it stays of moderate size."""

    def __init__(self, rng: random.Random, smooth: bool) -> None:
        self.rng = rng
        self.families = SMOOTH if smooth else FAMILIES
        self.dtypes = DTYPES[:4] if smooth else DTYPES
        self.steps: list[Step] = []
        self.values: list[Any] = []
        self.dims = [rng.choice(DIMS) for _ in range(4)]
        if rng.random() < 0.25:
            self.dims[0] = rng.choice(LARGE)

    def inputs(self) -> list[Any]:
        rng = self.rng
        shape = tuple(rng.choice(self.dims) for _ in range(rng.randint(0, 3)))
        while math.prod(shape) > MOST:
            shape = shape[1:]
        numbers = np.random.default_rng(rng.randint(0, 2**31))
        arrays = []
        for k in range(rng.randint(1, 3)):
            like = shape
            if k and rng.random() < 0.5:  # one that is broadcast
                like = tuple(1 if rng.random() < 0.3 else n for n in shape)
            dtype = np.dtype(rng.choice(self.dtypes))
            x = numbers.uniform(-2, 2, like)
            arrays.append(np.asarray(x * 3 if dtype.kind == "i" else x, dtype))
        self.values = [lucid.Tensor(a) for a in arrays]
        return arrays

    def add(self, function: Callable[..., Any], operands: Sequence[int], name: str) -> None:
        """Take a step up if lucid can compute it, and it leads to numbers of moderate size."""
        try:
            with np.errstate(all="ignore"):
                y = function(*[self.values[i] for i in operands])
        except (lucid.errors.LucidError, TypeError, ValueError):
            return
        if y.size > MOST or y.dtype.char not in "fd?bhilqBHILQ":
            return
        finite = np.nan_to_num(np.asarray(y.numpy(), np.float64), nan=0, posinf=0, neginf=0)
        if np.abs(finite).max(initial=0) < 1e8:
            self.steps.append((function, tuple(operands), name))
            self.values.append(y)

    def step(self) -> None:
        rng = self.rng
        last = len(self.values) - 1
        i = rng.randint(0, last) if rng.random() < 0.4 else max(last - rng.randint(0, 3), 0)
        rng.choice(self.families)(self, rng, i, self.values[i])


def random_program(rng: random.Random, most: int = 20, smooth: bool = False) -> Program:
    """Return a random program of up to so many operations; `smooth`: mostly differentiable ones."""
    builder = Builder(rng, smooth)
    arguments = builder.inputs()
    for _ in range(rng.randint(2, most)):
        builder.step()
    count = len(builder.values)
    chosen = sorted({count - 1, *(rng.randint(0, count - 1) for _ in range(rng.randint(0, 4)))})
    steps = builder.steps

    def run(*arrays: Any) -> list[Any]:
        values = [lucid.asarray(a) for a in arrays]
        for function, operands, _ in steps:
            values.append(function(*[values[i] for i in operands]))
        return [values[i] for i in chosen]

    return Program(run, arguments, [name for _, _, name in steps], builder.values)


# -- families of operations ------------------------------------------------------------------------

# Where rounding decides (comparisons of what is nearly equal, ceil, signs of zeros) executors
# may differ: such operations are drawn only from what has been rounded to a coarse grid.
UNARY = ("exp", "tanh", "sin", "cos", "negative", "abs", "square", "expm1", "atan", "sigmoid")
BINARY = ("add", "subtract", "multiply", "maximum", "minimum", "hypot", "logaddexp", "fmax")
COARSE = ("less", "greater_equal", "equal", "not_equal", "logical_and", "logical_or")
ROUGH = ("floor", "sign", "isnan", "logical_not", "ceil")
REDUCTIONS = ("sum", "sum", "mean", "max", "min", "var", "std", "prod", "logsumexp")


def coarse(x: Any) -> Any:
    """A grid that no rounding error reaches across, for numbers of moderate size."""
    return lucid.floor(x * 2 + 0.123) if x.dtype.kind == "f" else x


def find(name: str) -> Callable[..., Any]:
    return getattr(lucid, name, None) or getattr(functional, name)


def unary(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    name = rng.choice((*UNARY, *ROUGH, "sqrt", "log1p", "relu", "gelu", "softplus", "divide"))
    g = find(name)
    if name in ("exp", "expm1"):
        b.add(lambda x: g(lucid.minimum(x, 3)), [i], name)
    elif name in ("sqrt", "log1p"):
        b.add(lambda x: g(lucid.abs(x) + 0.1), [i], name)
    elif name == "divide":
        b.add(lambda x: 1 / (lucid.abs(x) + 1.5), [i], name)
    elif name in ROUGH:
        b.add(lambda x: g(coarse(x)), [i], name)
    else:
        b.add(g, [i], name)


def numbers(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    k = rng.choice((2, 3, 0.5, -1, 1.5, 2.0, 0, 1, -0.1))
    changes: dict[str, Callable[[Any], Any]] = {
        "+": lambda x: x + k,
        "*": lambda x: x * k,
        "-": lambda x: k - x,
        "**": lambda x: (lucid.abs(x) + 1) ** k,
    }
    name = rng.choice(sorted(changes))
    b.add(changes[name], [i], f"{name}{k}")


def binary(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    j, k = (rng.randint(0, len(b.values) - 1) for _ in range(2))
    name = rng.choice((*BINARY, *COARSE, "where", "where", "divide"))
    if name == "where":
        b.add(lambda c, x, y: lucid.where(coarse(c) > 0, x, y), [k, i, j], name)
    elif name == "divide":
        b.add(lambda x, y: x / (lucid.abs(y) + 0.5), [i, j], name)
    elif name in COARSE:
        g = find(name)
        b.add(lambda x, y: g(coarse(x), coarse(y)), [i, j], name)
    else:
        b.add(find(name), [i, j], name)


def reduction(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    count = rng.randint(0, x.ndim)
    axis = tuple(rng.sample(range(x.ndim), count)) if count else None
    keep = rng.random() < 0.5
    name = rng.choice((*REDUCTIONS, "any", "all", "count_nonzero"))
    g = find(name)
    if name == "prod":
        b.add(lambda x: g(lucid.clip(x, -1, 1), axis=axis, keepdims=keep), [i], name)
    elif name in ("any", "all", "count_nonzero"):
        b.add(lambda x: g(coarse(x), axis=axis, keepdims=keep), [i], name)
    elif name == "std":  # its derivative at 0 is infinite
        b.add(lambda x: lucid.sqrt(x.var(axis=axis, keepdims=keep) + 0.1), [i], name)
    else:
        b.add(lambda x: g(x, axis=axis, keepdims=keep), [i], f"{name}{axis}{keep}")


def by_row(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    if not x.ndim or x.dtype.kind != "f":
        return
    axis = rng.randint(0, x.ndim - 1)
    axes = tuple(range(axis, x.ndim)) if rng.random() < 0.5 else (axis,)

    def standard(x: Any) -> Any:
        centred = x - x.mean(axis=axes, keepdims=True)
        return centred / lucid.sqrt((centred * centred).mean(axis=axes, keepdims=True) + 0.1)

    name = rng.choice(("softmax", "log_softmax", "standard", "weighted"))
    if name == "standard":
        b.add(standard, [i], f"standard{axes}")
    elif name == "weighted":
        b.add(lambda x: x * (x * x).sum(axis=axes, keepdims=True) * 0.01, [i], f"weighted{axes}")
    else:
        b.add(lambda x: find(name)(x, axis), [i], f"{name}{axis}")


def slices(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    key: list[Any] = []
    for n in x.shape:
        start, stop = rng.randint(0, n), rng.randint(0, n)
        kinds = [slice(None), slice(start, None), slice(None, None, rng.choice((2, 3, -1, -2)))]
        key.append(
            rng.choice([*kinds, slice(start, stop), *([rng.randint(0, n - 1)] if n else [])])
        )
    if rng.random() < 0.2:
        key.append(None)
    b.add(lambda x: x[tuple(key)], [i], f"slice{key}")


def reshaping(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    nd = x.ndim
    order = rng.sample(range(nd), nd)
    factor = rng.choice([k for k in range(1, 41) if x.size % k == 0])
    shape = (factor, x.size // factor) if rng.random() < 0.7 else (1, x.size, 1)
    wide = tuple(rng.choice((2, 3)) if n == 1 and rng.random() < 0.5 else n for n in x.shape)
    wide = (rng.choice((1, 2)), *wide) if rng.random() < 0.4 else wide
    axis = rng.randint(0, max(nd - 1, 0))
    shift = rng.randint(-3, 3)
    changes: list[tuple[Callable[..., Any], str]] = [
        (lambda x: lucid.permute_dims(x, tuple(order)), f"permute{order}"),
        (lambda x: lucid.reshape(x, shape), f"reshape{shape}"),
        (lambda x: lucid.broadcast_to(x, wide), f"broadcast{wide}"),
        (lambda x: lucid.flip(x, axis=axis), f"flip{axis}"),
        (lambda x: lucid.roll(x, shift, axis=axis), f"roll{shift},{axis}"),
        (lambda x: lucid.expand_dims(x, axis=axis), f"expand{axis}"),
        (lambda x: lucid.tril(x, k=shift), f"tril{shift}"),
        (lambda x: lucid.cumulative_sum(x * 0.25, axis=axis), f"cumsum{axis}"),
    ]
    function, name = rng.choice(changes)
    b.add(function, [i], name)


def joining(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    same = [k for k, v in enumerate(b.values) if v.shape == x.shape]
    chosen = [rng.choice(same) for _ in range(rng.randint(1, 3))]
    axis = rng.randint(0, max(x.ndim - 1, 0))
    join = rng.choice((lucid.concat, lucid.stack))
    b.add(lambda *xs: join(xs, axis=axis), chosen, f"{join.__name__}{axis}")


def casting(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    dtype = rng.choice(("float32", "float64", "int32", "int8", "int64", "bool"))
    whole = x.dtype.kind == "f" and not dtype.startswith("float")
    b.add(
        lambda x: (lucid.clip(coarse(x), -100, 100) if whole else x).astype(dtype),
        [i],
        f"to {dtype}",
    )


def products(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    fitting = [
        k
        for k, v in enumerate(b.values)
        if x.ndim and v.ndim and v.shape[-min(v.ndim, 2)] == x.shape[-1]
    ]
    if fitting and rng.random() < 0.5:
        b.add(lambda x, y: (x @ y) * (1 / (1 + x.shape[-1])), [i, rng.choice(fitting)], "matmul")
    elif x.ndim > 1:
        b.add(lambda x: (x @ lucid.matrix_transpose(x)) * (1 / (1 + x.shape[-1])), [i], "gram")


def taking(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    """Entries at places that are known, at those that are computed, and adding to some."""
    if not x.ndim:
        return
    axis = rng.randint(0, x.ndim - 1)
    n = x.shape[axis]
    places = np.array([rng.randint(-n, n - 1) if n else 0 for _ in range(rng.choice((1, 3, 6)))])
    if not n:
        places = places[:0]

    def chosen(x: Any) -> Any:
        where = lucid.astype(lucid.floor(lucid.abs(coarse(x))), "int64").reshape((-1,))[:5]
        return lucid.take(x, where % max(n, 1), axis=axis)

    name = rng.choice(("take", "at", "chosen", "sort", "diff"))
    if name == "take":
        b.add(lambda x: lucid.take(x, places, axis=axis), [i], f"take{axis}")
    elif name == "at":
        b.add(lambda x: x.at[places % max(len(x), 1)].add(x[:1] * 2), [i], "at")
    elif name == "sort":
        b.add(lambda x: lucid.sort(coarse(x), axis=axis) + x.sum() * 0.01, [i], f"sort{axis}")
    elif name == "diff":
        b.add(lambda x: lucid.diff(x * 1, axis=axis), [i], f"diff{axis}")
    else:
        b.add(chosen, [i], f"chosen{axis}")


def looping(b: Builder, rng: random.Random, i: int, x: Any) -> None:
    """Loops and branches, whose bodies are programs of their own."""
    if x.dtype.kind != "f":
        return
    length, reverse, unroll = rng.randint(0, 4), rng.random() < 0.5, rng.randint(1, 3)

    def rows(x: Any) -> Any:
        step = lambda c, r: (lucid.sin(c) + r * 0.5, c * r)  # noqa: E731
        start = lucid.zeros(x.shape[1:], dtype=x.dtype)
        c, ys = lucid.scan(step, start, x, reverse=reverse, unroll=unroll)
        return ys + c

    def steps(x: Any) -> Any:
        return lucid.fori_loop(0, length, lambda k, c: lucid.tanh(c * 0.5) + x / (k + 1.0), x)

    def branches(x: Any) -> Any:
        more = lucid.any(coarse(x) > 1)
        return lucid.cond(more, lambda x: x * x * 0.1, lambda x: lucid.exp(-x * x), x)

    name = rng.choice(("rows", "steps", "branches"))
    if name == "rows" and (not x.ndim or x.shape[0] > 100):
        return
    b.add({"rows": rows, "steps": steps, "branches": branches}[name], [i], name)


SMOOTH = (
    *(unary, unary, numbers, binary, binary, reduction, by_row, slices, reshaping, joining),
    *(products, taking, looping),
)
FAMILIES = (
    *(unary, unary, numbers, binary, binary, binary, reduction, reduction, by_row),
    *(slices, reshaping, reshaping, joining, casting, products, taking, looping),
)
