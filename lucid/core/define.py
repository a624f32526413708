"""Constructors of operations: the mathematics stated once, the other modes derived from it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from lucid.core.cotangent import conj, fit, fit_raw, negative_raw, spread, unbroadcast_mask
from lucid.core.dispatch import apply
from lucid.core.fastpath import binary, nary, unary
from lucid.core.op import OPS, Aval, Op, Rule
from lucid.core.tensor import Tensor, wrap

__all__ = [
    "NEG",
    "SAME",
    "ZERO",
    "bilinear",
    "dummy",
    "elementwise",
    "general",
    "linear",
    "live_elementwise",
    "move_batch_first",
]

F = TypeVar("F", bound=Callable[..., Any])


class _Constant:
    """A partial derivative that needs no computation."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


SAME = _Constant("SAME")  # partial derivative 1
NEG = _Constant("NEG")  # partial derivative -1
ZERO = _Constant("ZERO")  # partial derivative 0 wherever it exists
Partial = Callable[..., Any] | _Constant


# -- elementwise -----------------------------------------------------------------------------------


def elementwise(
    impl: Rule,
    *partials: Partial,
    name: str | None = None,
    weak: bool = False,
    singular: Sequence[int] = (),
    real_valued: bool = False,
    masks: Rule | None = None,
    lower: Rule | None = None,
) -> Callable[[F], F]:
    """Make a function that is applied element by element, with broadcasting, out of its header.

    The decorated function gives signature and docstring; its body is not used.

    Args:
        impl: the value on NumPy arrays and Python numbers, usually a ufunc.
        partials: one ``partial(ans, *operands)`` per operand, the derivative with respect to it;
            or SAME, NEG, ZERO. None at all: no derivative is known, and asking for one raises.
        name: the operation's name, if it is not the function's.
        weak: Python numbers alone give a Python number (what infix operators do).
        singular: the operands whose partial can be infinite.
        real_valued: a real function of a complex operand (`abs`): its partial is the direction of
            steepest ascent, not a complex derivative.
        masks: which entries of an operand are selected, for `where` and its like (see `Op`).
        lower: native code for `jit`.
    """

    def decorate(header: F) -> F:
        arity = header.__code__.co_argcount
        if partials and len(partials) != arity:
            raise ValueError(f"{header.__name__}: {arity} operands, {len(partials)} partials")
        op = Op(
            name or header.__name__,
            impl,
            infer=functools.partial(_infer_elementwise, impl),
            jvp=_elementwise_jvp(partials, real_valued) if partials else None,
            vjps=[_elementwise_vjp(p, i, real_valued) for i, p in enumerate(partials)] or None,
            batch=None,
            lower=lower,
            smooth=not partials or any(p is not ZERO for p in partials),
            weak=weak,
            singular=frozenset(singular),
            live=live_elementwise,
            masks=masks,
        )
        op.batch = functools.partial(_batch_elementwise, op)
        op.raw = functools.partial(_raw_vjps, partials, real_valued) if partials else None
        make = {1: unary, 2: binary}.get(arity, nary)
        call = functools.wraps(header)(make(op))
        call.op = op  # type: ignore[attr-defined]
        return cast("F", call)

    return decorate


def _elementwise_vjp(partial: Partial, i: int, real_valued: bool) -> Rule | None:
    if partial is ZERO:
        return None
    if partial is SAME:
        return lambda ct, ans, *args: fit(ct, args[i])
    if partial is NEG:
        return lambda ct, ans, *args: fit(-ct, args[i])
    p = cast("Rule", partial)
    if real_valued:
        return lambda ct, ans, *args: fit(ct * p(ans, *args), args[i])

    def vjp(ct: Tensor, ans: Tensor, *args: Any) -> Tensor:
        slope = p(ans, *args)
        return fit(ct * (conj(slope) if ans.dtype.kind == "c" else slope), args[i])

    return vjp


def _raw_vjps(partials: Sequence[Partial], real_valued: bool) -> tuple[Rule | None, ...] | None:
    """Return the rules for plain arrays.

    A partial that consists of infix operators alone gives an array for arrays; one that calls
    lucid's functions gives a Tensor, and takes Tensors; one that needs a whole array or Python
    numbers fails, and there are no such rules. It is tried out at the first use: when this
    operation is defined, the functions that the partial calls may not be.
    """
    probe = [np.ones(1) for _ in range(len(partials) + 1)]
    plain: list[Partial] = []
    with np.errstate(all="ignore"):
        for p in partials:
            if callable(p):
                try:
                    slope = p(*probe)
                except Exception:
                    return None
                if isinstance(slope, Tensor):
                    p = _on_tensors(p)
                elif not isinstance(slope, np.ndarray | int | float):
                    return None
            plain.append(p)
    return tuple(_raw_vjp(p, i, len(plain), real_valued) for i, p in enumerate(plain))


def _on_tensors(partial: Rule) -> Rule:
    """Let a partial that calls lucid's functions take and return plain arrays."""

    def slope(*arrays: Any) -> Any:
        tensors = [wrap(a, None) if type(a) is np.ndarray else a for a in arrays]
        value = partial(*tensors)
        return value._value if type(value) is Tensor else value

    return slope


def _raw_vjp(partial: Partial, i: int, arity: int, real_valued: bool) -> Rule | None:
    if partial is ZERO:
        return None
    if partial is SAME:
        return lambda ct, ans, *args: fit_raw(ct, args[i])
    if partial is NEG:
        return lambda ct, ans, *args: fit_raw(negative_raw(ct), args[i])
    p = cast("Rule", partial)
    if arity == 1:

        def unary_vjp(ct: Any, ans: Any, x: Any) -> Any:
            if ans.dtype.kind == "c" and not real_valued:
                ct = ct * p(ans, x).conjugate()
            else:
                ct = ct * p(ans, x)  # in one expression: NumPy reuses the memory of the slope
            return ct if type(x) is np.ndarray and ct.dtype is x.dtype else fit_raw(ct, x)

        return unary_vjp

    def vjp(ct: Any, ans: Any, *args: Any) -> Any:
        if ans.dtype.kind == "c" and not real_valued:
            return fit_raw(ct * p(ans, *args).conjugate(), args[i])
        return fit_raw(ct * p(ans, *args), args[i])

    return vjp


def _elementwise_jvp(partials: Sequence[Partial], real_valued: bool) -> Rule:
    def jvp(ans: Tensor, tangents: Sequence[Tensor | None], args: Sequence[Any]) -> Tensor | None:
        total: Tensor | None = None
        for tangent, partial in zip(tangents, partials, strict=True):
            if tangent is None or partial is ZERO:
                continue
            if partial is SAME:
                term = tangent
            elif partial is NEG:
                term = -tangent
            else:
                slope = cast("Rule", partial)(ans, *args)
                term = tangent * (conj(slope) if real_valued else slope)
            total = term if total is None else total + term
        return None if total is None else spread(total, ans)

    return jvp


def live_elementwise(mask: Tensor, i: int, ans: Tensor, args: Sequence[Any]) -> Tensor:
    """Carry a mask through an elementwise operation: the rule `live` of `Op`."""
    return unbroadcast_mask(mask, args[i].shape)


@functools.lru_cache(maxsize=4096)
def _elementwise_dtype(impl: Rule, key: tuple[Any, ...]) -> np.dtype[Any]:
    operands = [k(1) if isinstance(k, type) else np.ones((), k) for k in key]
    with np.errstate(all="ignore"):
        return np.asarray(impl(*operands)).dtype


def _infer_elementwise(impl: Rule, *avals: Aval) -> Aval:
    kinds = {"b": bool, "i": int, "f": float, "c": complex}
    if all(a.weak for a in avals):
        key = tuple(a.dtype for a in avals)
    else:
        key = tuple(kinds[a.dtype.kind] if a.weak else a.dtype for a in avals)
    shape = np.broadcast_shapes(*(a.shape for a in avals))
    return Aval(shape, _elementwise_dtype(impl, key))


def align_batch(batched: Sequence[bool], args: Sequence[Any]) -> list[Any]:
    """Insert axes of length 1 behind the batch axis, so that operands broadcast as before."""
    rank = max(
        (a.ndim - b if isinstance(a, Tensor) else 0) for a, b in zip(args, batched, strict=True)
    )
    out: list[Any] = []
    for a, b in zip(args, batched, strict=True):
        if b and a.ndim - 1 < rank:
            shape = (a.shape[0], *(1,) * (rank - a.ndim + 1), *a.shape[1:])
            a = apply(OPS["reshape"], (a,), (shape,))
        out.append(a)
    return out


def _batch_elementwise(op: Op, size: int, batched: Sequence[bool], args: Sequence[Any]) -> Tensor:
    return apply(op, tuple(align_batch(batched, args)))


# -- linear and bilinear ---------------------------------------------------------------------------


def dummy(aval: Aval) -> np.ndarray[Any, np.dtype[Any]]:
    """Return an array of one's own shape and dtype that takes no memory."""
    return np.broadcast_to(np.ones((), aval.dtype), aval.shape)


def infer_by_dummy(impl: Rule) -> Rule:
    """Infer shape and dtype by running `impl` on arrays of ones; for those that cost nothing."""

    def infer(*args: Any) -> Aval:
        result = np.asarray(impl(*(dummy(a) if isinstance(a, Aval) else a for a in args)))
        return Aval(result.shape, result.dtype)

    return infer


def linear(
    name: str,
    impl: Rule,
    *,
    transpose: Rule,
    batch: Rule,
    infer: Rule | None = None,
    view: bool = False,
    selects: bool = False,
    mixes: bool = False,
    lower: Rule | None = None,
) -> Op:
    """Register an operation that is linear in its one operand: its JVP is itself.

    Args:
        name: the operation's name.
        impl: ``impl(x, *params)``.
        transpose: ``transpose(ct, x, *params)``, the adjoint; it reads only the shape of `x`.
        batch: ``batch(x, *params)`` for an operand whose first axis is the batch.
        infer: shape and dtype; by default `impl` is run on a dummy.
        view: whether the result may share memory with the operand.
        selects: whether entries of the operand may not reach the result (indexing).
        mixes: whether the transpose has negative or complex coefficients (`fft`), so that it cannot
            carry a mask.
        lower: native code for `jit`.
    """

    def live(mask: Tensor, i: int, ans: Tensor, args: Sequence[Any], *params: Any) -> Tensor:
        ones = apply(OPS["astype"], (mask,), (np.dtype(np.float32),))
        return transpose(ones, args[0], *params) != 0

    def masks(i: int, ans: Tensor, args: Sequence[Any], *params: Any) -> Tensor:
        ones = np.ones(ans.shape, np.float32)
        return transpose(Tensor(ones), args[0], *params) != 0

    op = Op(
        name,
        impl,
        infer=infer or infer_by_dummy(impl),
        jvp=lambda ans, tangents, args, *params: apply(op, (tangents[0],), params),
        vjps=[lambda ct, ans, x, *params: fit(transpose(ct, x, *params), x)],
        batch=lambda size, batched, args, *params: batch(args[0], *params),
        lower=lower,
        view=view,
        live=None if mixes else live,
        masks=masks if selects else None,
    )
    return op


def bilinear(
    name: str,
    impl: Rule,
    *,
    transpose_lhs: Rule,
    transpose_rhs: Rule,
    batch: Rule,
    infer: Rule,
    lower: Rule | None = None,
) -> Op:
    """Register an operation linear in each of two operands.

    Args:
        name: the operation's name.
        impl: ``impl(x, y, *params)``.
        transpose_lhs: ``transpose_lhs(ct, x, conj(y), *params)``, the cotangent of `x`, of which
            only shape and dtype are read.
        transpose_rhs: ``transpose_rhs(ct, conj(x), y, *params)``, likewise that of `y`.
        batch: ``batch(size, batched, operands, *params)``.
        infer: shape and dtype.
        lower: native code for `jit`.
    """

    def jvp(ans: Tensor, tangents: Sequence[Any], args: Sequence[Any], *params: Any) -> Any:
        x, y = args
        tx, ty = tangents
        left = None if tx is None else apply(op, (tx, y), params)
        right = None if ty is None else apply(op, (x, ty), params)
        if left is not None and right is not None:
            return spread(left + right, ans)
        total = right if left is None else left
        return None if total is None else spread(total, ans)

    op = Op(
        name,
        impl,
        infer=infer,
        jvp=jvp,
        vjps=[
            lambda ct, ans, x, y, *params: fit(transpose_lhs(ct, x, conj(y), *params), x),
            lambda ct, ans, x, y, *params: fit(transpose_rhs(ct, conj(x), y, *params), y),
        ],
        batch=batch,
        lower=lower,
    )
    return op


# -- the rest --------------------------------------------------------------------------------------


def general(name: str, impl: Rule, **rules: Any) -> Op:
    """Register an operation whose rules are given one by one (see `lucid.core.op.Op`)."""
    return Op(name, impl, **rules)


def move_batch_first(size: int, batched: Sequence[bool], args: Sequence[Any]) -> list[Tensor]:
    """Give every operand a leading batch axis, repeating those that have none."""
    return [
        a if b else apply(OPS["broadcast_to"], (a,), ((size, *a.shape),))
        for a, b in zip(args, batched, strict=True)
    ]
