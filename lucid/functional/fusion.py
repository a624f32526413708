"""Affine maps that take in the normalisation behind them, for evaluation."""

from __future__ import annotations

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import ShapeError, message
from lucid.ops.axes import as_tensor

__all__ = ["fuse_norm"]


def fuse_norm(
    weight: ArrayLike,
    bias: ArrayLike | None,
    mean: ArrayLike,
    var: ArrayLike,
    eps: float,
    factor: ArrayLike | None = None,
    term: ArrayLike | None = None,
    *,
    transpose: bool = False,
    groups: int = 1,
) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the map x ↦ (W∗x + b - mean) / √(var + eps) · factor + term.

    Args:
        weight: W, of shape (out, in / groups, ...), or (in, out / groups, ...) if `transpose`.
        bias: b, of shape (out,); None for 0.
        mean: the mean of each output, of shape (out,).
        var: its variance.
        eps: what is added to variances.
        factor: of shape (out,); None for 1.
        term: of shape (out,); None for 0.
        transpose: whether the map is a transposed convolution.
        groups: of the convolution.

    Returns:
        ``(weight, bias)``, of the shapes of W and `mean`.

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid.functional.fusion import fuse_norm
        >>> one = lucid.ones(1)
        >>> fuse_norm(lucid.asarray([[3.0, 4.0]]), None, one, 4 * one, 0.0)
        (Tensor([[1.5, 2. ]]), Tensor([-0.5]))
    """
    w, m = as_tensor("fuse_norm", weight), as_tensor("fuse_norm", mean)
    out = w.shape[1] * groups if transpose else w.shape[0]
    if m.shape != (out,):
        raise ShapeError(message("fuse_norm", f"statistics of {out} outputs", f"shape {m.shape}"))
    scale = (as_tensor("fuse_norm", var) + eps) ** -0.5
    scale = scale if factor is None else scale * as_tensor("fuse_norm", factor)
    moved = -m if bias is None else as_tensor("fuse_norm", bias) - m
    shift = moved * scale if term is None else moved * scale + as_tensor("fuse_norm", term)
    tail = (1,) * (w.ndim - 2)
    if not transpose:
        return w * scale.reshape((out, 1, *tail)).astype(w.dtype), shift.astype(w.dtype)
    parts = w.reshape((groups, w.shape[0] // groups, *w.shape[1:]))
    parts = parts * scale.reshape((groups, 1, out // groups, *tail)).astype(w.dtype)
    return parts.reshape(w.shape), shift.astype(w.dtype)
