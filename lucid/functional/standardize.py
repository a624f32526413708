"""The operation that all normalisations share: entries brought to mean 0 and variance 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.cotangent import fit, fit_raw, spread
from lucid.core.define import align_batch, general, move_batch_first
from lucid.core.fastpath import several
from lucid.core.op import Aval, Op
from lucid.core.tensor import Tensor
from lucid.ops.power import sqrt

__all__ = ["standardize"]

Axes = tuple[int, ...]


def standardize(
    x: Tensor,
    weight: Any,
    bias: Any,
    axes: Axes,
    eps: float,
    centred: bool = True,
) -> Tensor:
    """Return (x - x̄) / √(variance + eps)·weight + bias along axes, in one operation.

    Args:
        x: real and floating.
        weight: a factor that broadcasts to the shape of `x`, or None.
        bias: a term that broadcasts to the shape of `x`, or None.
        axes: non-negative, in increasing order; mean and variance are taken over all of them.
        eps: what is added to the variance.
        centred: whether the mean is subtracted; if not, x is divided by its root mean square.

    Returns:
        An array of the shape of `x`.
    """
    if weight is None:
        ans = _call((x,), (axes, eps, centred))
        return ans if bias is None else ans + bias
    return _call((x, weight) if bias is None else (x, weight, bias), (axes, eps, centred))


def _mean(x: Any, y: Any, axes: Axes) -> Any:
    """Return the mean of the products x·y along axes, which stay with length 1; y None is 1."""
    n = _count(x, axes)
    if axes[-1] != x.ndim - 1:
        return np.add.reduce(x if y is None else x * y, axes, keepdims=True) / n
    # products along a row are BLAS's, several times faster than sums
    row = np.vecdot(x, np.ones(x.shape[-1], x.dtype) if y is None else y)[..., None]
    if len(axes) > 1:
        row = np.add.reduce(row, axes[:-1], keepdims=True)
    row /= n
    return row


def _count(x: Any, axes: Axes) -> int:
    return max(math.prod(x.shape[i] for i in axes), 1)


def _parts(x: Any, axes: Axes, eps: float, centred: bool) -> tuple[Any, Any]:
    """Return (x - x̄) / √(variance + eps), a new array, and 1 / √(variance + eps)."""
    d = x - _mean(x, None, axes) if centred else x
    scale = _mean(d, d, axes)
    scale += eps
    np.sqrt(scale, scale)
    np.divide(1, scale, scale)
    return np.multiply(d, scale, d if centred else None), scale


def _impl(x: Any, *rest: Any) -> Any:
    *affine, axes, eps, centred = rest
    with np.errstate(all="ignore"):  # without eps, equal entries give NaN
        ans, _ = _parts(x, axes, eps, centred)
    for function, p in zip((np.multiply, np.add), affine, strict=False):
        ans = function(ans, p, ans if p.dtype == ans.dtype else None)
    return ans


def _infer(x: Aval, *rest: Any) -> Aval:
    return Aval(x.shape, np.result_type(x.dtype, *(p.dtype for p in rest[:-3])))


# -- derivatives -----------------------------------------------------------------------------------


def _pull_plain(
    ct: Any, needs: Any, ans: Any, operands: Any, axes: Axes, eps: float, centred: bool
) -> Any:
    """Do what `_pull` does on plain arrays."""
    x, *affine = operands
    unit, scale = _parts(x, axes, eps, centred)
    cts: list[Any] = []
    one_each = bool(affine) and _one_each(x, affine[0], axes)
    own = ct * affine[0] if affine and not one_each else ct
    along, shift = _mean(own, unit, axes), _mean(own, None, axes)
    if affine:
        n = _count(x, axes)
        cts.append(_total(n * along if one_each else ct * unit, affine[0]) if needs[1] else None)
    if len(affine) == 2:
        cts.append(_total(ct, affine[1]) if needs[2] else None)
    np.subtract(own, np.multiply(unit, along, unit), unit)
    if centred:
        unit -= shift
    unit *= scale * affine[0] if one_each else scale
    return (fit_raw(unit, x), *cts)


def _total(ct: Any, p: Any) -> Any:
    """Return the cotangent of an affine parameter, summed over what it was broadcast to."""
    if p.ndim == 1 and ct.shape[-1:] == p.shape and ct.dtype == p.dtype:
        rows = ct.size // max(p.size, 1)
        return np.ones(rows, ct.dtype) @ ct.reshape(rows, p.size)
    return fit_raw(ct, p)


def _one_each(x: Any, weight: Any, axes: Axes) -> bool:
    """Whether all entries that are normalised together have the same weight."""
    lead = x.ndim - weight.ndim
    return all(i < lead or weight.shape[i - lead] == 1 for i in axes)


def _change(t: Tensor, x: Tensor, axes: Axes, eps: float, centred: bool) -> Tensor:
    """Apply the derivative without weight to a tangent or cotangent: it is a symmetric matrix.

    Of what it is given it keeps what is orthogonal to ones and to the result, times the scale.
    """
    d = x - x.mean(axes, keepdims=True) if centred else x
    scale = 1 / sqrt((d * d).mean(axes, keepdims=True) + eps)
    unit = d * scale
    rest = t - unit * (t * unit).mean(axes, keepdims=True)
    return scale * (rest - t.mean(axes, keepdims=True) if centred else rest)


def _pull(ct: Tensor, needs: Any, ans: Tensor, operands: Any, *params: Any) -> tuple[Any, ...]:
    x, *affine = operands
    cts = [fit(_change(ct * affine[0] if affine else ct, x, *params), x) if needs[0] else None]
    if affine:
        unit = standardize(x, None, None, *params)
        cts.append(fit(ct * unit, affine[0]) if needs[1] else None)
    if len(affine) == 2:
        cts.append(fit(ct, affine[1]) if needs[2] else None)
    return tuple(cts)


def _push(ans: Tensor, tangents: Sequence[Any], operands: Any, *params: Any) -> Tensor:
    x, *affine = operands
    terms: list[Tensor] = []
    if tangents[0] is not None:
        change = _change(tangents[0], x, *params)
        terms.append(change * affine[0] if affine else change)
    if affine and tangents[1] is not None:
        terms.append(standardize(x, None, None, *params) * tangents[1])
    terms += [t for t in tangents[2:] if t is not None]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return spread(total, ans)


def _batch(size: int, batched: Sequence[bool], args: Any, axes: Axes, *more: Any) -> Any:
    x, *affine = args
    x = move_batch_first(size, batched[:1], (x,))[0]
    args = align_batch((True, *batched[1:]), (x, *affine))
    return _call(tuple(args), (tuple(a + 1 for a in axes), *more))


_op: Op = general("standardize", _impl, infer=_infer, jvp=_push, vjp=_pull, batch=_batch)
_op.raw = (_pull_plain,)
_call = several(_op)
