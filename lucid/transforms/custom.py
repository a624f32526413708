"""Derivatives that the user states: `custom_vjp` and `custom_jvp`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from lucid import tree
from lucid.core.cotangent import fit, zeros_like
from lucid.core.define import general
from lucid.core.dispatch import apply, below, lift, record_outputs, top
from lucid.core.frames import RecordFrame
from lucid.core.op import Aval
from lucid.core.tensor import Tensor, aval, strip, wrap
from lucid.errors import NotDifferentiableError, OperandError, ShapeError, message
from lucid.graph.capture import capture
from lucid.graph.ir import Graph
from lucid.transforms.api import vjp
from lucid.transforms.batch import vmap
from lucid.transforms.boundary import settle_output

__all__ = ["custom_jvp", "custom_vjp"]


class Call:
    """One call of a function with a rule of its own: what is not an operand of the operation."""

    def __init__(self, owner: Any, args: tuple[Any, ...]) -> None:
        self.owner = owner
        found, self.structure = tree.flatten(args)
        self.static = [None if _is_array(x) else (x,) for x in found]
        self.operands = lift(owner.name, [x for x in found if _is_array(x)])
        self.out: Any = None  # structure of the output, known once the function has run
        self._graphs: dict[tuple[Aval, ...], Graph] = {}

    def arguments(self, operands: Sequence[Any]) -> tuple[Any, ...]:
        """Return the arguments with these operands in place of the original ones."""
        rest = iter(operands)
        return tree.unflatten(
            self.structure, [next(rest) if s is None else s[0] for s in self.static]
        )

    def graph(self, avals: Sequence[Aval]) -> Graph:
        """Return what the function does to operands of these shapes and dtypes."""
        key = tuple(avals)
        if key not in self._graphs:

            def run(*operands: Any) -> tuple[Tensor, ...]:
                return self.outputs(self.owner.fun(*self.arguments(operands)), float("inf"))

            found = capture(self.owner.name, run, avals, settle_output)
            for t in found.outside:
                raise self._closure(t)
            self._graphs[key] = found.graph
        return self._graphs[key]

    def _closure(self, t: Tensor) -> NotDifferentiableError:
        assert t._note is not None
        got = f"one that closes over a Tensor watched by {t._note.frame.describe()}"
        hint = "pass that Tensor as an argument"
        want = "a function of its arguments alone"
        return NotDifferentiableError(message(self.owner.name, want, got, hint))

    def leaves_of(self, values: Any) -> list[Any]:
        """Return the parts of an argument-shaped tuple that belong to the operands."""
        found, structure = tree.flatten(values, lambda x: x is None)
        args, own = tree.flatten(self.arguments(self.operands), lambda x: x is None)
        if structure == own:
            found = [x for x, a in zip(found, args, strict=True) if a is not None]
        else:
            found = self._per_argument(values)
        return [x for x, s in zip(found, self.static, strict=True) if s is None]

    def _per_argument(self, values: Any) -> list[Any]:
        """As `leaves_of`, where None stands for a whole argument."""
        args = self.arguments(self.operands)
        if not isinstance(values, tuple | list) or len(values) != len(args):
            expected = (
                f"the rule to return a tuple with one entry for each of {len(args)} arguments"
            )
            got = f"{len(values)} of them" if isinstance(values, tuple | list) else repr(values)
            raise OperandError(message(self.owner.name, expected, got))
        out: list[Any] = []
        for value, arg in zip(values, args, strict=True):
            n = len(tree.leaves(arg))
            part = [None] * n if value is None else tree.leaves(value)
            if len(part) != n:
                got = f"{len(part)} leaves for an argument with {n}"
                raise OperandError(message(self.owner.name, "cotangents like the arguments", got))
            out += part
        return out

    def outputs(self, value: Any, level: float) -> tuple[Tensor, ...]:
        """Flatten an output, which may not carry the notes of the levels being differentiated."""
        found, self.out = tree.flatten(value)
        outs = tuple(
            wrap(x, None) if not isinstance(x, Tensor) else x for x in lift(self.owner.name, found)
        )
        for y in outs:
            if y._note is not None and y._note.frame.level >= level:
                raise self._closure(y)
        return outs


def _is_array(x: Any) -> bool:
    return isinstance(x, Tensor | np.ndarray | np.generic | bool | int | float | complex)


class _Custom:
    """A function whose derivative the user states."""

    def __init__(self, fun: Callable[..., Any]) -> None:
        functools.update_wrapper(cast("Any", self), fun)
        self.fun = fun
        self.name: str = getattr(fun, "__name__", type(self).__name__)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(cast("Any", self), instance)

    def _run(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if kwargs:
            hint = "pass every argument by position"
            raise OperandError(message(self.name, "positional arguments", f"{[*kwargs]}", hint))
        call = Call(self, args)
        outs = apply(op, call.operands, (call,))
        return tree.unflatten(call.out, outs)


def _compute(*values: Any) -> tuple[Any, ...]:
    *arrays, call = values
    outs = call.outputs(call.owner.fun(*call.arguments([wrap(a, None) for a in arrays])), 0)
    return tuple(strip(y) for y in outs)


def _infer(*values: Any) -> tuple[Aval, ...]:
    *avals, call = values
    return call.graph(avals).avals()


def _inline(args: tuple[Any, ...], params: tuple[Any, ...]) -> tuple[Any, ...]:
    (call,) = params
    return call.graph([aval(a) for a in args]).run(*args)


# -- custom_vjp ------------------------------------------------------------------------------------


class custom_vjp(_Custom):  # noqa: N801 - JAX's name for it
    """Give a function a reverse-mode rule of its own.

    Args:
        fun: a function of positional arguments: arrays, or pytrees of them.

    Returns:
        The function; its rule is set by ``fun.defvjp(forward, backward)``: ``forward(*args)``
        returns ``(output, residuals)`` and ``backward(residuals, cotangent)`` a tuple with one
        cotangent per argument, None for zero.

    Raises:
        NotDifferentiableError: when called under `grad` without a rule, under `jvp`, or when the
            function closes over a Tensor that is being differentiated.

    Example:
        >>> import lucid
        >>> @lucid.custom_vjp
        ... def clipped(x):
        ...     return x
        >>> clipped.defvjp(lambda x: (x, None), lambda _, ct: (lucid.clip(ct, -1.0, 1.0),))
        >>> lucid.grad(lambda x: 5.0 * clipped(x))(2.0)
        Tensor(1.)
    """

    forward: Callable[..., Any] | None = None
    backward: Callable[..., Any] | None = None

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Set the rule: see the class."""
        self.forward = forward
        self.backward = backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the function; derivatives go by the rule."""
        return self._run(_vjp_op, args, kwargs)


def _record_custom(frame: RecordFrame, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    (call,) = params
    owner = call.owner
    if owner.forward is None:
        hint = "set its rule with .defvjp(forward, backward)"
        raise NotDifferentiableError(message(owner.name, "a custom_vjp with a rule", "none", hint))
    result = owner.forward(*call.arguments(below(frame, args)))
    if not isinstance(result, tuple) or len(result) != 2:
        got = f"a {type(result).__name__}"
        raise OperandError(message(owner.name, "forward to return (output, residuals)", got))
    outs = call.outputs(result[0], frame.level)
    return record_outputs(frame, _pull_op, args, (call, result[1]), outs)


def _pull_custom(
    ct: Sequence[Any], needs: Any, ans: Any, operands: Sequence[Any], call: Call, residuals: Any
) -> tuple[Any, ...]:
    whole = [zeros_like(a) if c is None else c for c, a in zip(ct, ans, strict=True)]
    given = call.owner.backward(residuals, tree.unflatten(call.out, whole))
    return _fitted(call, given, operands)


def _fitted(call: Call, given: Any, operands: Sequence[Any]) -> tuple[Any, ...]:
    out: list[Any] = []
    for g, x in zip(call.leaves_of(given), operands, strict=True):
        if g is None:
            out.append(None)
            continue
        (t,) = lift(call.owner.name, (g,))
        t = t if isinstance(t, Tensor) else wrap(np.asarray(t), None)
        shape = x.shape if isinstance(x, Tensor) else ()
        if t.shape != shape:
            got = f"shape {t.shape}"
            raise ShapeError(message(call.owner.name, f"a cotangent of shape {shape}", got))
        out.append(fit(t, x))
    return tuple(out)


def _batch_custom(size: int, batched: Sequence[bool], operands: Any, call: Call) -> Any:
    axes = [0 if b else None for b in batched]
    owner = call.owner
    mapped = type(owner)(vmap(_flat(call, owner.fun), in_axes=axes, axis_size=size))
    mapped.name = owner.name
    if isinstance(owner, custom_vjp):
        if owner.forward is not None:
            forward = vmap(_flat(call, owner.forward), in_axes=axes, axis_size=size)
            mapped.defvjp(forward, _batched_backward(owner, call, size, axes))  # type: ignore[attr-defined]
    elif owner.rule is not None:
        mapped.defjvp(_batched_rule(owner, call, size, axes))  # type: ignore[attr-defined]
    out = mapped(*operands)
    outs, call.out = tree.flatten(out)
    return tuple(outs)


def _flat(call: Call, fun: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *operands: fun(*call.arguments(operands))


def _batched_backward(owner: Any, call: Call, size: int, axes: Sequence[Any]) -> Any:
    def backward(residuals: Any, ct: Any) -> tuple[Any, ...]:
        def one(res: Any, c: Any) -> tuple[Any, ...]:
            parts = call.leaves_of(owner.backward(res, c))
            return tuple(0.0 if p is None else p for p in parts)

        pulled = vmap(one, axis_size=size)(residuals, ct)
        return tuple(p if a == 0 else p.sum(axis=0) for p, a in zip(pulled, axes, strict=True))

    return backward


def _batched_rule(owner: Any, call: Call, size: int, axes: Sequence[Any]) -> Any:
    def rule(primals: Any, tangents: Any) -> Any:
        def one(p: Any, t: Any) -> Any:
            return owner.rule(call.arguments(p), call.arguments(t))

        ax = (tuple(axes), tuple(axes))
        return vmap(one, in_axes=ax, axis_size=size)(tuple(primals), tuple(tangents))

    return rule


def _refuse_push(ans: Any, tangents: Any, operands: Any, call: Call, *_: Any) -> Any:
    hint = "state a custom_jvp instead, which serves both modes"
    want = "reverse mode, the one a custom_vjp has a rule for"
    raise NotDifferentiableError(message(call.owner.name, want, "forward mode", hint))


_vjp_op = general(
    "custom_vjp",
    _compute,
    multi=True,
    opaque=True,
    infer=_infer,
    inline=_inline,
    record=_record_custom,
    jvp=_refuse_push,
    batch=_batch_custom,
)
_pull_op = general("custom_vjp_pull", _compute, multi=True, jvp=_refuse_push, vjp=_pull_custom)


# -- custom_jvp ------------------------------------------------------------------------------------


class custom_jvp(_Custom):  # noqa: N801 - JAX's name for it
    """Give a function a forward-mode rule of its own, from which reverse mode follows.

    Args:
        fun: a function of positional arguments: arrays, or pytrees of them.

    Returns:
        The function; its rule is set by ``fun.defjvp(rule)``, which may serve as a decorator:
        ``rule(primals, tangents)`` returns ``(output, tangent)``, linear in the tangents.

    Raises:
        NotDifferentiableError: when differentiated without a rule, or when the function closes
            over a Tensor that is being differentiated.

    Example:
        >>> import lucid
        >>> @lucid.custom_jvp
        ... def softplus(x):
        ...     return x + lucid.log1p(lucid.exp(-x))
        >>> @softplus.defjvp
        ... def rule(primals, tangents):
        ...     (x,), (t,) = primals, tangents
        ...     return softplus(x), t / (1 + lucid.exp(-x))
        >>> lucid.grad(softplus)(1000.0)
        Tensor(1.)
    """

    rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Set the rule and return it: see the class."""
        self.rule = rule
        return rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the function; derivatives go by the rule."""
        return self._run(_jvp_op, args, kwargs)


def _push_rule(call: Call, operands: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, ...]:
    if call.owner.rule is None:
        hint = "set its rule with .defjvp(rule)"
        got = "a custom_jvp without"
        raise NotDifferentiableError(message(call.owner.name, "a derivative rule", got, hint))
    result = call.owner.rule(call.arguments(operands), call.arguments(tangents))
    if not isinstance(result, tuple) or len(result) != 2:
        got = f"a {type(result).__name__}"
        raise OperandError(message(call.owner.name, "the rule to return (output, tangent)", got))
    frame = top((*operands, *tangents))
    return call.outputs(result[1], float("inf") if frame is None else frame.level + 1)


def _push_custom(ans: Any, tangents: Sequence[Any], operands: Any, call: Call) -> Any:
    full = [zeros_like(x) if t is None else t for t, x in zip(tangents, operands, strict=True)]
    return _push_rule(call, operands, full)


def _pull_by_rule(
    ct: Sequence[Any], needs: Sequence[bool], ans: Any, operands: Any, call: Call
) -> tuple[Any, ...]:
    """Transpose the rule: pull back along its linear dependence on the tangents."""
    zeros = [zeros_like(x) for x in operands]
    which = [i for i, n in enumerate(needs) if n]

    def push(*some: Any) -> Any:
        full = list(zeros)
        for i, t in zip(which, some, strict=True):
            full[i] = t
        return _push_rule(call, operands, full)

    _, pull = vjp(push, *(zeros[i] for i in which))
    whole = tuple(zeros_like(a) if c is None else c for c, a in zip(ct, ans, strict=True))
    pulled = dict(zip(which, pull(whole), strict=True))
    return tuple(pulled.get(i) for i in range(len(operands)))


_jvp_op = general(
    "custom_jvp",
    _compute,
    multi=True,
    opaque=True,
    infer=_infer,
    inline=_inline,
    jvp=_push_custom,
    vjp=_pull_by_rule,
    batch=_batch_custom,
)
