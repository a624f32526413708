"""One direction of one recurrent layer as an operation.

Its value and its cotangents are computed by the kernels for plain arrays. All further rules come
from the same steps in lucid's own operations, one behind the other: `unroll` is the only loop over
time, and `compose` what it is used for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lucid.core.cells import capturing
from lucid.core.cotangent import fit_raw, zeros_like
from lucid.core.define import general, move_batch_first
from lucid.core.fastpath import several
from lucid.core.op import Aval, Rule
from lucid.core.tensor import Tensor
from lucid.functional import recurrent_kernels as kernels
from lucid.functional.activation import sigmoid
from lucid.functional.parts import divide
from lucid.functional.rectifier import relu
from lucid.graph.control_scan import scan
from lucid.ops.datatypes import astype
from lucid.ops.hyperbolic import tanh
from lucid.ops.join import concat, stack
from lucid.ops.permute import moveaxis
from lucid.ops.select import where
from lucid.transforms.api import jvp as push_forward
from lucid.transforms.api import vjp as pull_back

__all__ = ["gru_layer", "lstm_layer", "lstm_step", "rnn_layer", "unroll"]

State = tuple[Tensor, ...]
Step = Callable[[Tensor, State], State]


def unroll(step: Step, inputs: Tensor, state: State, live: Any, reverse: bool) -> State:
    """Apply a step along the first axis, and return all states along such an axis.

    Args:
        step: ``step(input, state)``, the next state; all arrays begin with an axis of length 1.
        inputs: one along the first axis for every step.
        state: the first one.
        live: booleans that broadcast to states, where these change; or None.
        reverse: whether to begin at the end.
    """
    count = inputs.shape[0]
    state = tuple(s.reshape((1, *s.shape)) for s in state)
    if capturing.get() is not None and count > 1:
        return _scanned(step, inputs, state, live, reverse)
    every: list[State] = [()] * count
    parts = divide(inputs, count, 0)
    for t in range(count - 1, -1, -1) if reverse else range(count):
        new = step(parts[t], state)
        if live is not None:
            new = tuple(where(live[t], n, s) for n, s in zip(new, state, strict=True))
        every[t] = state = new
    return tuple(concat([s[k] for s in every]) for k in range(len(state)))


def _scanned(step: Step, inputs: Tensor, state: State, live: Any, reverse: bool) -> State:
    """Do what `unroll` does, in a graph that is as long for any number of steps."""

    def body(state: State, row: tuple[Tensor, Any]) -> tuple[State, State]:
        part, changes = row
        new = step(part.reshape((1, *part.shape)), state)
        if changes is not None:
            new = tuple(where(changes, n, s) for n, s in zip(new, state, strict=True))
        return new, new

    dtypes = [s.dtype for s in step(inputs[:1], state)]  # dead code, once they are known
    state = tuple(astype(s, d) for s, d in zip(state, dtypes, strict=True))
    _, every = scan(body, state, (inputs, live), reverse=reverse)
    return tuple(s.reshape((s.shape[0], *s.shape[2:])) for s in every)


# -- steps -----------------------------------------------------------------------------------------


def lstm_step(x: Tensor, state: State, w: Tensor, project: Tensor | None = None) -> State:
    """Return the next h and c; h is multiplied by a matrix if there is one to `project`."""
    gates = x + state[0] @ w.mT
    i, f, g, o = divide(gates, 4, gates.ndim - 1)
    c = sigmoid(f) * state[1] + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return (h if project is None else h @ project.mT), c


def _gru_step(x: Tensor, state: State, w: Tensor, b: Tensor) -> State:
    (h,) = state
    own = h @ w.mT
    xr, xz, xn = divide(x, 3, x.ndim - 1)
    hr, hz, hn = divide(own, 3, own.ndim - 1)
    if b.ndim == 2:  # under vmap, one for each example
        b = b.reshape((b.shape[0], 1, b.shape[1]))
    z = sigmoid(xz + hz)
    n = tanh(xn + sigmoid(xr + hr) * (hn + b))
    return (n + z * (h - n),)


def _tanh_step(x: Tensor, state: State, w: Tensor) -> State:
    return (tanh(x + state[0] @ w.mT),)


def _relu_step(x: Tensor, state: State, w: Tensor) -> State:
    return (relu(x + state[0] @ w.mT),)


# -- operations ------------------------------------------------------------------------------------


class _Kind(NamedTuple):
    """What one kind of layer is made of."""

    states: int
    extras: int
    step: Callable[..., State]
    forward: Rule
    back: Rule

    def sort(self, operands: Sequence[Any]) -> tuple[Any, Any, Any]:
        """Return states, extras, and `live` or None; inputs and weight come before them."""
        first, second = 2 + self.states, 2 + self.states + self.extras
        live = operands[second] if len(operands) > second else None
        return tuple(operands[2:first]), tuple(operands[first:second]), live


def _layer(name: str, kind: _Kind) -> Callable[..., Tensor]:
    """Register an operation with operands (inputs, weight, *states, *extras[, live]).

    Its result has one state after the other along the first axis, and time along the second.
    """

    def impl(*args: Any) -> Any:
        *operands, reverse = args
        states, extras, live = kind.sort(operands)
        x, live = _along(operands[0], live, reverse)
        ans = kind.forward(x, operands[1], states, extras, live)
        return ans[:, ::-1] if reverse else ans

    def pull_plain(ct: Any, needs: Any, ans: Any, operands: Any, reverse: bool) -> Any:
        states, extras, live = kind.sort(operands)
        x, live = _along(operands[0], live, reverse)
        if reverse:
            ct, ans = ct[:, ::-1], ans[:, ::-1]
        of_x, *rest = kind.back(ct, ans, x, operands[1], states, extras, live)
        of_x = of_x[::-1] if reverse else of_x
        pairs = zip((of_x, *rest), operands, strict=False)
        return [*(fit_raw(c, like) for c, like in pairs), None][: len(operands)]

    def composed(operands: Sequence[Any], reverse: bool) -> Callable[..., Tensor]:
        """Return the layer as a function of all that can be differentiated."""
        live = kind.sort(operands)[2]

        def whole(x: Tensor, w: Tensor, *rest: Tensor) -> Tensor:
            states, extras, _ = kind.sort((x, w, *rest))

            def step(part: Tensor, state: State) -> State:
                return kind.step(part, state, w, *extras)

            return stack(unroll(step, x, states, live, reverse))

        return whole

    def smooth(operands: Sequence[Any]) -> list[Any]:
        return list(operands[: 2 + kind.states + kind.extras])

    def pull(ct: Tensor, needs: Any, ans: Tensor, operands: Any, reverse: bool) -> Any:
        _, back = pull_back(composed(operands, reverse), *smooth(operands))
        return (*back(ct), None)[: len(operands)]

    def push(ans: Tensor, tangents: Any, operands: Any, reverse: bool) -> Tensor:
        given = smooth(operands)
        full = [zeros_like(x) if t is None else t for t, x in zip(tangents, given, strict=False)]
        return push_forward(composed(operands, reverse), given, full)[1]

    def batch(size: int, batched: Sequence[bool], args: Any, reverse: bool) -> Tensor:
        x, w, *rest = args
        x, *rest = move_batch_first(size, (batched[0], *batched[2:]), (x, *rest))
        behind = 2 + kind.states + kind.extras
        args = [moveaxis(x, 0, 1), w, *rest]
        if len(args) > behind:
            args[behind] = moveaxis(args[behind], 0, 1)
        return moveaxis(composed(args, reverse)(*smooth(args)), 2, 0)

    def infer(x: Aval, w: Aval, *rest: Any) -> Aval:
        floating = [a.dtype for a in (x, w, *rest[: kind.states + kind.extras])]
        return Aval((kind.states, *x.shape[:-1], w.shape[1]), np.result_type(*floating))

    def lower(*args: Any) -> Tensor:
        *operands, reverse = args
        return composed(operands, reverse)(*smooth(operands))

    op = general(name, impl, infer=infer, jvp=push, vjp=pull, batch=batch, lower=lower)
    op.raw = (pull_plain,)
    run = several(op)

    def call(x: Tensor, w: Tensor, *rest: Any, reverse: bool = False) -> Tensor:
        return run((x, w, *(r for r in rest if r is not None)), (reverse,))

    return call


def _along(x: Any, live: Any, reverse: bool) -> tuple[Any, Any]:
    if not reverse:
        return x, live
    return x[::-1], None if live is None else live[::-1]


def _plain(relu: bool) -> tuple[Rule, Rule]:
    forward = functools.partial(kernels.rnn_forward, relu=relu)
    return forward, functools.partial(kernels.rnn_back, relu=relu)


lstm_layer = _layer("lstm_layer", _Kind(2, 0, lstm_step, kernels.lstm_forward, kernels.lstm_back))
gru_layer = _layer("gru_layer", _Kind(1, 1, _gru_step, kernels.gru_forward, kernels.gru_back))
rnn_layer = {
    "tanh": _layer("rnn_tanh_layer", _Kind(1, 0, _tanh_step, *_plain(False))),
    "relu": _layer("rnn_relu_layer", _Kind(1, 0, _relu_step, *_plain(True))),
}
