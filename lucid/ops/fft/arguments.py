"""Arguments of Fourier transforms: operands, lengths, axes, normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from lucid.config import get_default_dtype
from lucid.core.dispatch import apply
from lucid.core.op import OPS
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OperandError, ShapeError, message
from lucid.ops.axes import as_tensor, axes_of, slice_axis

__all__ = ["OPPOSITE", "Lengths", "check_length", "norm_of", "operand", "resize", "several"]

# The adjoint of a transform is the inverse one without its factor 1/n, or with the other's.
OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
Lengths = Sequence[int] | None


def norm_of(name: str, norm: str | None) -> str:
    """Return the normalisation, checked; None stands for "backward"."""
    norm = "backward" if norm is None else norm
    if norm not in OPPOSITE:
        want = "norm 'backward', 'ortho' or 'forward'"
        raise OperandError(message(name, want, repr(norm)))
    return norm


def operand(name: str, x: Any, real: bool = False) -> Tensor:
    """Return what is to be transformed as a floating or complex Tensor."""
    t = as_tensor(name, x)
    if real and t.dtype.kind == "c":
        hint = "use fft for complex data, or take .real"
        raise DTypeError(message(name, "real data", str(t.dtype), hint))
    return t if t.dtype.kind in "fc" else apply(OPS["astype"], (t,), (get_default_dtype(),))


def check_length(name: str, n: Any) -> int:
    """Return the length of a transform, which is at least 1."""
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise OperandError(message(name, "an integer as length", repr(n)))
    if index(n) < 1:
        hint = "a transform has at least one sample"
        raise ShapeError(message(name, "a length of 1 or more", str(n), hint))
    return index(n)


def resize(x: Tensor, axis: int, n: int) -> Tensor:
    """Crop an axis at its end to length n, or fill it up with zeros."""
    shape = x.shape
    if n < shape[axis]:
        return slice_axis(x, axis, None, n)
    if n == shape[axis]:
        return x
    key = tuple((0, length, None) for length in shape)
    return apply(OPS["place"], (x,), ((*shape[:axis], n, *shape[axis + 1 :]), key))


def several(name: str, x: Tensor, s: Any, axes: Any) -> tuple[tuple[int, ...], list[int]]:
    """Return the axes of a transform and their lengths in it."""
    if s is not None:
        s = [x if x == -1 else check_length(name, x) for x in s]
        if axes is None:  # as NumPy: the last ones
            if len(s) > x.ndim:
                got = f"s={tuple(s)} for shape {x.shape}"
                raise ShapeError(message(name, "at most one length for each axis", got))
            axes = tuple(range(x.ndim - len(s), x.ndim))
    where = axes_of(name, axes, x.ndim)
    if s is None:
        s = [-1] * len(where)
    if len(s) != len(where):
        got = f"s={tuple(s)} for axes {tuple(axes)}"
        raise ShapeError(message(name, "one length for each axis", got))
    found = [x.shape[a] if n == -1 else n for a, n in zip(where, s, strict=True)]
    for n in found:
        check_length(name, n)
    return where, found
