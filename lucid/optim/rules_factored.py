"""The update rules for matrices: Adafactor, which keeps row and column means, and Muon."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from lucid.core.tensor import Tensor, wrap
from lucid.errors import DTypeError, OptionError, ShapeError, message
from lucid.optim.kernels import (
    check_options,
    check_params,
    decay_of,
    is_zero,
    maximum,
    minimum,
    moved,
    penalised,
    size_of,
)
from lucid.optim.transform import GradientTransformation, Number, leafwise, number, slot

__all__ = ["AdafactorState", "MuonState", "adafactor", "muon"]


class AdafactorState(NamedTuple):
    """State of `adafactor`.

    Attributes:
        step: the number of updates made.
        row_var: means of squared gradients by row; None for a vector.
        col_var: means by column; None for a vector.
        variance: a vector's own; None for a matrix.
    """

    step: Any
    row_var: Any
    col_var: Any
    variance: Any


class MuonState(NamedTuple):
    """State of `muon`.

    Attributes:
        step: the number of updates made.
        momentum_buffer: the running mean of gradients.
    """

    step: Any
    momentum_buffer: Any


def _real(name: str, p: Tensor) -> None:
    if p.dtype.kind == "c":
        hint = "optimise the real and imaginary parts, or take another rule"
        raise DTypeError(message(name, "real parameters", f"one of {p.dtype}", hint))


# -- Adafactor -------------------------------------------------------------------------------------


def adafactor(
    lr: Number = 1e-2,
    beta2_decay: float = -0.8,
    eps: tuple[float | None, float] = (None, 1e-3),
    d: float = 1.0,
    weight_decay: float = 0.0,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """Return Adafactor: a matrix's mean squares are kept as those of its rows and columns.

    With w = t^beta2_decay, let R and C follow the mean squares of g along the last axis and the one
    before, each as R ← (1-w)R + w·mean, and V = R·C / mean(R); a vector keeps V itself. Let
    u = g / max(√V, ε₁). Update number t is -lr·weight_decay·p - α·u / max(1, rms(u)/d), where
    α = max(ε₂, rms(p))·min(lr, 1/√t).

    Args:
        lr: the largest relative step, or a schedule.
        beta2_decay: how fast the newest square loses weight; not positive.
        eps: ε₁, by default the dtype's spacing at 1, and ε₂, the least size of a parameter.
        d: the largest root mean square of u, at least 1.
        weight_decay: how fast parameters decay.
        maximize: ascend instead.

    Returns:
        The gradient transformation, whose `update` needs the parameters.

    Raises:
        OptionError: if a number is out of its range.
        DTypeError: if a parameter is complex.

    Example:
        >>> from lucid import optim
        >>> rule = optim.adafactor(0.1)
        >>> updates, state = rule.update([[3.0, 1.0]], rule.init([[2.0, 2.0]]), [[2.0, 2.0]])
        >>> [round(u.item(), 6) for u in updates[0]]
        [-0.2, -0.2]

    References:
        Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost",
        ICML 2018; ε₁, `lr` and `weight_decay` as PyTorch has them.
    """
    least, smallest = eps
    check_options("adafactor", lr=lr, eps=least, weight_decay=weight_decay)
    check_options("adafactor", eps=smallest)
    if isinstance(beta2_decay, float | int) and beta2_decay > 0:
        raise OptionError(message("adafactor", "a beta2_decay of at most 0", str(beta2_decay)))
    if isinstance(d, float | int) and not d >= 1:
        raise OptionError(message("adafactor", "a d of at least 1", str(d)))

    def init(params: Any) -> AdafactorState:
        return AdafactorState(0, slot(params, _rows), slot(params, _columns), slot(params, _vector))

    def update(grads: Any, state: AdafactorState, params: Any = None) -> tuple[Any, AdafactorState]:
        check_params("adafactor", params)
        step, rate = state.step + 1, number(lr, state.step)
        largest = minimum(rate, 1 / step**0.5)
        shrink = 0.0 if is_zero(weight_decay) else rate * weight_decay
        numbers = (1 - step**beta2_decay, largest, shrink, least, smallest, d)
        numbers += (-1.0 if maximize else 1.0,)
        updates, *new = leafwise("adafactor", _adafactor, grads, state[1:], params, numbers)
        return updates, AdafactorState(step, *new)

    return GradientTransformation(init, update)


def _rows(p: Tensor) -> Any:
    _real("adafactor", p)
    return wrap(np.zeros((*p.shape[:-1], 1), p.dtype), None) if p.ndim > 1 else None


def _columns(p: Tensor) -> Any:
    shape = (*p.shape[:-2], 1, *p.shape[-1:])
    return wrap(np.zeros(shape, p.dtype), None) if p.ndim > 1 else None


def _vector(p: Tensor) -> Any:
    return wrap(np.zeros(p.shape, p.dtype), None) if p.ndim < 2 else None


def _adafactor(
    g: Any, p: Any, row: Any, col: Any, v: Any, kept: Any, largest: Any, shrink: Any, *rest: Any
) -> Any:
    least, smallest, d, sign = rest
    g = penalised(g, p, 0.0, sign)
    eps = float(np.finfo(g.dtype).eps) if least is None else least
    square = g * g
    if row is None:
        v = moved(v, square, kept)
        mean_square = v
    else:
        row = moved(row, square.mean(axis=-1, keepdims=True), kept)
        col = moved(col, square.mean(axis=-2, keepdims=True), kept)
        mean_square = row / maximum(row.mean(axis=-2, keepdims=True), eps) * col
    u = g / maximum(mean_square, eps * eps) ** 0.5
    count = size_of(g)
    alpha = maximum(((p * p).sum() / count) ** 0.5, smallest) * largest
    u = u * (-alpha / maximum(((u * u).sum() / count) ** 0.5 / d, 1.0))
    return (u if is_zero(shrink) else u - shrink * p), row, col, v


# -- Muon ------------------------------------------------------------------------------------------


def muon(
    lr: Number = 1e-3,
    weight_decay: float = 0.1,
    momentum: float = 0.95,
    *,
    nesterov: bool = True,
    ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
    eps: float = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
) -> GradientTransformation:
    """Return Muon: momentum whose singular values are all brought near 1, for matrices alone.

    With b ← μb + (1-μ)g and m = g + μ(b - g) if `nesterov` else b, let X = m / max(‖m‖, eps), and
    X ← aX + (bA + cA²)X with A = XXᵀ, `ns_steps` times. The update is
    -lr·weight_decay·p - lr·s·X, with s = √max(1, rows/columns). The iteration runs in the
    parameter's dtype.

    Args:
        lr: the learning rate, or a schedule.
        weight_decay: how fast parameters decay.
        momentum: μ, the share of the running mean that is kept.
        nesterov: look ahead along the running mean.
        ns_coefficients: a, b and c of the iteration.
        eps: the least norm that m is divided by.
        ns_steps: the number of iterations, below 100.
        adjust_lr_fn: "original" or None for the s above; "match_rms_adamw" for
            s = 0.2·√max(rows, columns), so that rates tuned for `adamw` serve.

    Returns:
        The gradient transformation. Give it matrices alone, see `multi_transform`.

    Raises:
        OptionError: if an option is out of its range.
        ShapeError: if a parameter is no matrix.
        DTypeError: if a parameter is complex.

    Example:
        >>> from lucid import optim
        >>> import numpy as np
        >>> rule, g = optim.muon(1.0, weight_decay=0.0), 3.0 * np.eye(2)
        >>> updates, _ = rule.update(g, rule.init(g))
        >>> updates.round(2)
        Tensor([[-1.11, -0.  ],
                [-0.  , -1.11]])

    References:
        Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024;
        Liu et al., "Muon is scalable for LLM training", 2025.
    """
    check_options("muon", lr=lr, weight_decay=weight_decay, momentum=momentum, eps=eps)
    if len(ns_coefficients) != 3:
        raise OptionError(message("muon", "three ns_coefficients", str(ns_coefficients)))
    if not 0 <= ns_steps < 100:
        raise OptionError(message("muon", "ns_steps from 0 to 99", str(ns_steps)))
    if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
        want = 'adjust_lr_fn None, "original" or "match_rms_adamw"'
        raise OptionError(message("muon", want, repr(adjust_lr_fn)))

    def init(params: Any) -> MuonState:
        return MuonState(0, slot(params, _matrix))

    def update(grads: Any, state: MuonState, params: Any = None) -> tuple[Any, MuonState]:
        rate = number(lr, state.step)
        decay = decay_of("muon", weight_decay, params)
        shrink = 0.0 if is_zero(decay) else rate * decay
        numbers = (rate, shrink, momentum, nesterov, ns_steps, eps, *ns_coefficients)
        numbers += (adjust_lr_fn == "match_rms_adamw",)
        slots = (state.momentum_buffer,)
        updates, buffer = leafwise("muon", _muon, grads, slots, params, numbers)
        return updates, MuonState(state.step + 1, buffer)

    return GradientTransformation(init, update)


def _matrix(p: Tensor) -> Tensor:
    if p.ndim != 2:
        hint = "give other parameters to another rule, see optim.multi_transform"
        raise ShapeError(message("muon", "matrices", f"a parameter of shape {p.shape}", hint))
    _real("muon", p)
    return wrap(np.zeros(p.shape, p.dtype), None)


def _muon(
    g: Any, p: Any, b: Any, lr: Any, shrink: Any, momentum: Any, nesterov: bool, *rest: Any
) -> Any:
    *iteration, match = rest
    b = moved(b, g, momentum)
    m = g + momentum * (b - g) if nesterov else b
    rows, columns = g.shape
    scale = 0.2 * math.sqrt(max(rows, columns)) if match else math.sqrt(max(1, rows / columns))
    u = -(lr * scale) * _orthogonal(m, *iteration)
    return (u if is_zero(shrink) else u - shrink * p), b


def _orthogonal(m: Any, steps: int, eps: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a matrix with the singular vectors of `m`, and singular values near 1."""
    tall = m.shape[0] > m.shape[1]
    x = m.T if tall else m
    x = x / maximum((x * x).sum() ** 0.5, eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x
