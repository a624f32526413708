"""Recurrent layers on plain arrays: all steps forwards, and their cotangents backwards.

A kernel goes along the first axis. `inputs` hold what does not depend on the state, of shape
(time, batch, gates·width); `live`, of shape (time, batch, 1), tells where a state changes at all. A
state that does not is the one before. Gates are computed anew on the way back, for all times at
once, so that nothing but states is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["gru_back", "gru_forward", "lstm_back", "lstm_forward", "rnn_back", "rnn_forward"]


def _common(*arrays: Any) -> np.dtype[Any]:
    return np.result_type(*arrays)


def _before(first: Any, states: Any) -> Any:
    """Return the state before each step."""
    out = np.empty_like(states)
    if len(out):
        out[0] = first
        out[1:] = states[:-1]
    return out


def _rows(x: Any) -> Any:
    return x.reshape(x.shape[0] * x.shape[1], x.shape[2])


def _products(states: Any, w: Any) -> Any:
    """Return states·wᵀ of all times by one product."""
    return (_rows(states) @ w.T).reshape(*states.shape[:2], w.shape[0])


def _weight_ct(gates: Any, before: Any) -> Any:
    """Return the cotangent of the weight of the state."""
    return _rows(gates).T @ _rows(before)


# -- plain -----------------------------------------------------------------------------------------


def rnn_forward(inputs: Any, w: Any, states: Any, extra: Any, live: Any, relu: bool) -> Any:
    """Compute hₜ = tanh(xₜ + W hₜ₋₁), or with max(·, 0)."""
    (h,) = states
    out = np.empty((1, *inputs.shape[:-1], w.shape[1]), _common(inputs, w, h))
    for t in range(len(inputs)):
        new = out[0, t]
        np.matmul(h, w.T, new)
        new += inputs[t]
        if relu:
            np.maximum(new, 0, out=new)
        else:
            np.tanh(new, new)
        if live is not None:
            np.copyto(new, h, where=~live[t])
        h = new
    return out


def rnn_back(
    ct: Any, ans: Any, inputs: Any, w: Any, states: Any, extra: Any, live: Any, relu: bool
) -> Any:
    """Return the cotangents of inputs, weight and state."""
    (h,) = ans
    slope = (h > 0).astype(h.dtype) if relu else 1 - h * h
    kept = None
    if live is not None:
        slope *= live
        kept = (~live).astype(h.dtype)
    gates = np.empty_like(h)
    back = np.zeros(h.shape[1:], h.dtype)
    for t in range(len(h) - 1, -1, -1):
        back += ct[0, t]
        np.multiply(slope[t], back, gates[t])
        if kept is None:
            np.matmul(gates[t], w, back)
        else:
            back *= kept[t]
            back += gates[t] @ w
    return gates, _weight_ct(gates, _before(states[0], h)), back


# -- LSTM ------------------------------------------------------------------------------------------


def _halves(width: int, dtype: Any) -> tuple[Any, Any]:
    """Return factors and terms that make sigmoids (of gates 0, 1 and 3) out of tanh.

    As 1 / (1 + exp(-x)) = tanh(x/2)/2 + 1/2, one call does for all gates.
    """
    factor = np.full((4, width), 0.5, dtype)
    factor[2] = 1
    return factor.ravel(), (1 - factor).ravel()


def lstm_forward(inputs: Any, w: Any, states: Any, extra: Any, live: Any) -> Any:
    """Compute cₜ = f·cₜ₋₁ + i·g and hₜ = o·tanh(cₜ), with gates i, f, g, o = xₜ + W hₜ₋₁."""
    h, c = states
    n = w.shape[1]
    out = np.empty((2, *inputs.shape[:-1], n), _common(inputs, w, h, c))
    factor, term = _halves(n, out.dtype)
    scaled = np.ascontiguousarray((w * factor[:, None]).T)
    inputs = inputs * factor
    gates = np.empty((inputs.shape[1], 4 * n), out.dtype)
    i, f, g, o = (gates[:, k * n : (k + 1) * n] for k in range(4))
    for t in range(len(inputs)):
        np.matmul(h, scaled, gates)
        gates += inputs[t]
        np.tanh(gates, gates)
        gates *= factor
        gates += term
        new_h, new_c = out[0, t], out[1, t]
        np.multiply(f, c, new_c)
        np.multiply(i, g, g)
        new_c += g
        np.tanh(new_c, new_h)
        new_h *= o
        if live is not None:
            dead = ~live[t]
            np.copyto(new_h, h, where=dead)
            np.copyto(new_c, c, where=dead)
        h, c = new_h, new_c
    return out


def lstm_back(ct: Any, ans: Any, inputs: Any, w: Any, states: Any, extra: Any, live: Any) -> Any:
    """Return the cotangents of inputs, weight and both states."""
    h, c = ans
    n = w.shape[1]
    before, old = _before(states[0], h), _before(states[1], c)
    factor, term = _halves(n, h.dtype)
    gates = _products(before, w) + inputs
    gates *= factor
    np.tanh(gates, gates)
    gates *= factor
    gates += term
    gates = gates.reshape(*h.shape[:2], 4, n)
    i, f, g, o = (gates[:, :, k] for k in range(4))
    top = np.tanh(c)
    through = o * (1 - top * top)  # from h to c
    slopes = 1 - gates  # of c with respect to i, f and g; of h with respect to o
    slopes *= gates
    np.multiply(g, g, slopes[:, :, 2])
    np.subtract(1, slopes[:, :, 2], slopes[:, :, 2])
    for k, factor in enumerate((g, old, i, top)):
        slopes[:, :, k] *= factor
    forget, kept = f, None
    if live is not None:
        slopes *= live[..., None]
        through *= live
        forget = np.where(live, f, 1)
        kept = (~live).astype(h.dtype)
    back_h, back_c = np.zeros((2, *h.shape[1:]), h.dtype)
    rows = slopes.reshape(*h.shape[:2], 4 * n)
    for t in range(len(h) - 1, -1, -1):
        back_h += ct[0, t]
        back_c += ct[1, t]
        back_c += back_h * through[t]
        slope = slopes[t]
        slope[:, :3] *= back_c[:, None]
        slope[:, 3] *= back_h
        back_c *= forget[t]
        if kept is None:
            np.matmul(rows[t], w, back_h)
        else:
            back_h *= kept[t]
            back_h += rows[t] @ w
    return rows, _weight_ct(rows, before), back_h, back_c


# -- GRU -------------------------------------------------------------------------------------------


def gru_forward(inputs: Any, w: Any, states: Any, extra: Any, live: Any) -> Any:
    """Compute hₜ = (1 - z)·n + z·hₜ₋₁, with n = tanh(xₙ + r·(Wₙ hₜ₋₁ + b))."""
    (h,) = states
    (b,) = extra
    n = w.shape[1]
    out = np.empty((1, *inputs.shape[:-1], n), _common(inputs, w, h, b))
    gates = np.empty((inputs.shape[1], 3 * n), out.dtype)
    both, last = gates[:, : 2 * n], gates[:, 2 * n :]
    r, z = both[:, :n], both[:, n:]
    for t in range(len(inputs)):
        np.matmul(h, w.T, gates)
        both += inputs[t, :, : 2 * n]
        _sigmoid(both)
        last += b
        last *= r
        last += inputs[t, :, 2 * n :]
        np.tanh(last, last)
        new = out[0, t]
        np.subtract(h, last, new)
        new *= z
        new += last
        if live is not None:
            np.copyto(new, h, where=~live[t])
        h = new
    return out


def _sigmoid(x: Any) -> None:
    x *= 0.5
    np.tanh(x, x)
    x *= 0.5
    x += 0.5


def gru_back(ct: Any, ans: Any, inputs: Any, w: Any, states: Any, extra: Any, live: Any) -> Any:
    """Return the cotangents of inputs, weight, state and bias."""
    (h,) = ans
    n = w.shape[1]
    before = _before(states[0], h)
    gates = _products(before, w)
    hidden = gates[..., 2 * n :] + extra[0]
    both = gates[..., : 2 * n] + inputs[..., : 2 * n]
    _sigmoid(both)
    r, z = both[..., :n], both[..., n:]
    new = np.tanh(inputs[..., 2 * n :] + r * hidden)
    slopes = np.empty((*h.shape[:2], 4, n), h.dtype)  # of h: r, z, state and input of n
    slopes[:, :, 3] = (1 - z) * (1 - new * new)
    slopes[:, :, 2] = slopes[:, :, 3] * r
    slopes[:, :, 1] = (before - new) * z * (1 - z)
    slopes[:, :, 0] = slopes[:, :, 2] * hidden * (1 - r)
    if live is not None:
        slopes *= live[..., None]
        z = np.where(live, z, 1)
    back = np.zeros(h.shape[1:], h.dtype)
    rows = slopes.reshape(*h.shape[:2], 4 * n)
    for t in range(len(h) - 1, -1, -1):
        back += ct[0, t]
        slopes[t] *= back[:, None]
        back *= z[t]
        back += rows[t, :, : 3 * n] @ w
    of_inputs = np.concatenate([rows[..., : 2 * n], rows[..., 3 * n :]], -1)
    of_state = np.ascontiguousarray(rows[..., : 3 * n])
    b = np.add.reduce(rows[..., 2 * n : 3 * n], (0, 1))
    return of_inputs, _weight_ct(of_state, before), back, b
