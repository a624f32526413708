"""What every derivative rule shares: un-broadcasting, the complex convention, dtypes, masks.

Gradients follow the steepest-descent convention: the adjoint is taken with respect to the real
inner product Re Σ conj(u)·v, so the cotangent of a holomorphic f is ``ct * conj(f'(z))``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, wrap

__all__ = [
    "conj",
    "fit",
    "fit_raw",
    "guard",
    "negative_raw",
    "select_raw",
    "spread",
    "unbroadcast",
    "unbroadcast_mask",
    "zeros_like",
]

_ndarray = np.ndarray
_LARGE = 4096  # elements from which on passes over memory decide, and not calls
_BITS = {np.dtype(np.float64): np.int64, np.dtype(np.float32): np.int32}


def conj(x: Any) -> Any:
    """Return the complex conjugate of a complex `x`, and anything else as it is."""
    if isinstance(x, Tensor):
        return apply(OPS["conj"], (x,)) if x.dtype.kind == "c" else x
    return x.conjugate()


def fit(ct: Tensor, like: Any) -> Tensor:
    """Return the cotangent in the shape and dtype of its primal, which may have been broadcast."""
    c, v = ct._value, like._value if isinstance(like, Tensor) else like
    alike = type(c) is type(v) is _ndarray and c.shape == v.shape and c.dtype is v.dtype
    if alike and ct._note is None and like._note is None:
        return ct
    if not isinstance(like, Tensor):
        like = wrap(like, None)
    shape, dtype = like.shape, like.dtype
    if ct.shape != shape:
        ct = unbroadcast(ct, shape)
    return ct if ct.dtype == dtype else cast(ct, dtype)


def fit_raw(ct: Any, like: Any) -> Any:
    """Do what `fit` does on plain arrays and NumPy scalars, which are faster than 0-d arrays."""
    if type(like) is _ndarray and ct.shape == like.shape and ct.dtype is like.dtype:
        return ct
    return fit(wrap(np.asarray(ct), None), wrap(like, None))._value


def select_raw(mask: Any, ct: Any) -> Any:
    """Return a plain cotangent where `mask` holds, and zero elsewhere, whatever it is there."""
    bits = _BITS.get(ct.dtype)
    if ct.size < _LARGE or bits is None or mask.shape != ct.shape:
        return np.where(mask, ct, 0)
    # NumPy's `where` branches at every element; all bits or none of them need no branch
    kept = mask.astype(bits)
    np.negative(kept, out=kept)
    kept &= ct.view(bits)
    return kept.view(ct.dtype)


def negative_raw(ct: Any) -> Any:
    """Return ``-ct`` of a plain cotangent; of one that repeats a number, as `sum`'s does, too."""
    if ct.size < _LARGE or any(ct.strides):
        return -ct
    return np.broadcast_to(-ct[(0,) * ct.ndim], ct.shape)


def cast(ct: Tensor, dtype: Any) -> Tensor:
    """Return the cotangent in its primal's dtype: the real part for a real primal."""
    if ct.dtype.kind == "c" and dtype.kind != "c":
        ct = apply(OPS["real"], (ct,))
    return ct if ct.dtype == dtype else apply(OPS["astype"], (ct,), (dtype,))


def unbroadcast(ct: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum over the axes along which `shape` was broadcast to the shape of `ct`."""
    return _reduce("sum", ct, shape)


def unbroadcast_mask(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return which entries of a broadcast operand reach an entry of the result in `mask`."""
    return mask if mask.shape == shape else _reduce("any", spread_mask(mask, shape), shape)


def spread_mask(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Broadcast `mask` so that it has at least the extent of `shape`."""
    full = np.broadcast_shapes(mask.shape, shape)
    return mask if mask.shape == full else apply(OPS["broadcast_to"], (mask,), (full,))


def _reduce(op: str, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    have = x.shape
    extra = len(have) - len(shape)
    axes = tuple(i for i, n in enumerate(have) if i < extra or (shape[i - extra] == 1 and n != 1))
    if axes:
        x = apply(OPS[op], (x,), (axes, False))
    return x if x.shape == shape else apply(OPS["reshape"], (x,), (shape,))


def spread(tangent: Tensor, ans: Tensor) -> Tensor:
    """Return a tangent with the shape and dtype of the result whose change it is."""
    if tangent.shape != ans.shape:
        tangent = apply(OPS["broadcast_to"], (tangent,), (ans.shape,))
    return tangent if tangent.dtype == ans.dtype else cast(tangent, ans.dtype)


def zeros_like(x: Any) -> Tensor:
    """Return zeros of the shape and dtype of `x`."""
    if not isinstance(x, Tensor):
        x = wrap(x, None)
    return wrap(np.zeros(x.shape, x.dtype), None)


def guard(ct: Tensor, mask: Any) -> Tensor:
    """Set a cotangent to zero where it is masked out and the rule made it NaN.

    `mask` is a function without arguments, called only if something is not finite. Where another
    transformation watches, it is always applied: a cotangent that is finite can still have a
    derivative that is not (``where(x > 0, x**1.5, 0)`` at 0).
    """
    value = ct._value
    if ct._note is None and isinstance(value, _ndarray) and bool(np.isfinite(value.sum())):
        return ct
    return apply(OPS["where"], (mask(), ct, zeros_like(ct)))
