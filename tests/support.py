"""Drawing arguments for records, and comparing what comes out."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numpy as np

import lucid
from lucid import tree
from tests import records
from tests.record import Record

# Single precision carries about 7 digits, double about 16. Values agree to a few ulp of the
# largest intermediate; derivative identities lose a few more digits to cancellation.
VALUE_RTOL = {np.dtype("float32"): 2e-5, np.dtype("float64"): 1e-12}
IDENTITY_RTOL = {np.dtype("float32"): 5e-4, np.dtype("float64"): 1e-8}
# A central difference with step h has error h²·f‴/6 + eps·f/h, least near h = eps^(1/3): 6e-6.
STEP = 6e-6
DIFFERENCE_RTOL = 3e-6


def all_records() -> list[Record]:
    """Every record of every table, sorted by name."""
    found: list[Record] = []
    for module in pkgutil.iter_modules(records.__path__):
        found += importlib.import_module(f"tests.records.{module.name}").RECORDS
    return sorted(found, key=lambda r: r.name)


def real_dtype(dtype: Any) -> np.dtype[Any]:
    """The real dtype as precise as this one; float64 for integers."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        return np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def draw_array(rng: Any, domain: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Draw one operand."""
    if callable(domain):
        return np.asarray(domain(rng, shape, dtype))
    lo, hi = domain
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind in "iu":
        lo = max(lo, 0) if dtype.kind == "u" else lo
        return np.asarray(rng.integers(int(np.ceil(lo)), int(np.floor(hi)) + 1, shape), dtype)
    value = rng.uniform(lo, hi, shape)
    if dtype.kind == "c":
        value = value + 1j * rng.uniform(lo, hi, shape)
    return np.asarray(value, dtype)


def draw(record: Record, seed: int, case: int, dtype: str) -> list[Any]:
    """Draw the operands of a record."""
    rng = np.random.default_rng(seed)
    shapes = record.cases[case % len(record.cases)]
    domains = record.domains if len(record.domains) > 1 else [record.domains[0]] * len(shapes)
    kind = np.dtype(dtype)
    return [draw_array(rng, d, s, kind) for d, s in zip(domains, shapes, strict=True)]


def strided(x: Any, layout: str) -> Any:
    """The same values in another memory layout."""
    if layout == "F":
        return np.asarray(x, order="F")  # asfortranarray would give a 0-d array an axis
    if layout == "reversed" and x.ndim:
        return np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    if layout == "gaps" and x.ndim:
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        wide[..., ::2] = x
        return wide[..., ::2]
    return x


def outputs(value: Any) -> list[Any]:
    """The arrays of a result, Tensors as they are."""
    return list(tree.leaves(value))


def numpy_of(value: Any) -> list[Any]:
    """The arrays of a result as NumPy arrays."""
    return [np.asarray(y.numpy() if isinstance(y, lucid.Tensor) else y) for y in outputs(value)]


def inner(u: list[Any], v: list[Any]) -> float:
    """The real inner product Re Σ conj(u)·v over lists of arrays."""
    return sum(float(np.sum(np.conj(a) * b).real) for a, b in zip(u, v, strict=True))


def norm(u: list[Any]) -> float:
    """Euclidean norm over a list of arrays."""
    return float(np.sqrt(max(inner(u, u), 0.0)))


def random_like(rng: Any, x: Any) -> Any:
    """A normal array of the shape and dtype of x."""
    value = rng.standard_normal(x.shape)
    if x.dtype.kind == "c":
        value = value + 1j * rng.standard_normal(x.shape)
    return np.asarray(value, x.dtype)


def differentiable(record: Record, args: list[Any]) -> list[int]:
    """The operands to differentiate with respect to."""
    inexact = [i for i, a in enumerate(args) if a.dtype.kind in "fc"]
    return [i for i in inexact if record.diff is None or i in record.diff]
