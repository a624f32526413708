"""The transformations that everything else is derived from: grad, vjp, jvp, linearize."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.cotangent import cast, zeros_like
from lucid.core.frames import Recorded, RecordFrame, leaf, transformation
from lucid.core.parameter import Fixed
from lucid.core.tensor import Tensor, lower, strip, wrap
from lucid.errors import DTypeError, OperandError, ShapeError, message
from lucid.transforms.boundary import (
    argument_indices,
    check_function,
    check_sequence,
    differentiable_leaf,
    leave,
    release,
    settle_output,
    split_aux,
)
from lucid.transforms.forward import Dual, ForwardFrame
from lucid.transforms.reverse import pullback, pushforward

__all__ = ["grad", "jvp", "linearize", "value_and_grad", "vjp"]

_ARRAYS = (Tensor, np.ndarray)


class Watched:
    """Arguments of a function, whose leaves a frame watches.

    Attributes:
        args: all arguments, those to differentiate replaced by watched ones.
        leaves: the leaves to differentiate as Tensors; None for one that is no array.
        notes: what each of them carries in the function; None likewise, and for constants.
    """

    __slots__ = ("args", "leaves", "notes", "structure")

    def __init__(
        self, name: str, frame: RecordFrame, args: tuple[Any, ...], places: Sequence[int]
    ) -> None:
        target = tuple([args[k] for k in places])
        self.structure = None  # where every argument is one leaf
        found: Sequence[Any] = target
        for x in target:
            if type(x) is not Tensor and type(x) is not float and not isinstance(x, _ARRAYS):
                found, self.structure = tree.flatten(target)
                break
        self.leaves: list[Any] = []
        self.notes: list[Recorded | None] = []
        inner: list[Any] = []
        for i, x in enumerate(found):
            if type(x) is Tensor and x.dtype.kind in "fc":
                t = x
            elif _is_static(x) and not any(x is whole for whole in target):
                self.leaves.append(None)
                self.notes.append(None)
                inner.append(x)
                continue
            elif isinstance(x, Tensor) and x.dtype.kind not in "fc" and _is_fixed(target, i):
                self.leaves.append(x)
                self.notes.append(None)
                inner.append(x)
                continue
            else:
                t = differentiable_leaf(name, x, functools.partial(_where, places, target, i))
            note = leaf(frame, strip(t))
            self.leaves.append(t)
            self.notes.append(note)
            inner.append(wrap(note.ans, note))
        new = list(args)
        for k, part in zip(places, self.rebuild(inner), strict=True):
            new[k] = part
        self.args = tuple(new)

    def rebuild(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Return the differentiated arguments with other leaves, as a tuple."""
        return tuple(values) if self.structure is None else tree.unflatten(self.structure, values)


def _is_static(x: Any) -> bool:
    return not isinstance(x, Tensor | np.ndarray | np.generic | bool | int | float | complex)


def _is_fixed(target: Any, i: int) -> bool:
    """Whether leaf i is a buffer or frozen parameter: a constant, of whatever dtype."""
    flags: list[bool] = []
    for x in tree.leaves(target, lambda x: isinstance(x, Fixed)):
        flags += [True] * len(x) if isinstance(x, Fixed) else [False]
    return flags[i]


def _where(places: Sequence[int], target: Any, i: int) -> str:
    path = tree.paths(target)[i]
    first, _, rest = path[1:].partition("]")
    return f"argument {places[int(first)]}" + (f" at {rest}" if rest else "")


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Return a function that computes `fun` and its gradient by reverse mode.

    For a real scalar f the gradient is the direction of steepest ascent, ∂f/∂x; for a complex
    argument ∂f/∂(Re z) + i ∂f/∂(Im z), so that ``z - lr * grad`` descends.

    Args:
        fun: a function whose output is one real number; its arguments are arrays, numbers or
            pytrees of them.
        argnums: which positional arguments to differentiate with respect to. Arrays of them are
            read without a copy during the call.
        has_aux: whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        A function with the arguments of `fun` that returns ``(value, gradient)``, or
        ``((value, aux), gradient)``. The gradient has the structure of the argument, or is a tuple
        of such if `argnums` is one; leaves that are no arrays have gradient None.

    Raises:
        ShapeError: if the output is not a scalar.
        DTypeError: if the output is not real, or an argument is not floating or complex.
        OperandError: if `argnums` does not name positional arguments, or the output is no Tensor.

    Example:
        >>> import lucid
        >>> lucid.value_and_grad(lambda x: (x**2).sum())(lucid.asarray([1.0, 2.0]))
        (Tensor(5.), Tensor([2., 4.]))
    """
    compiled = _compiled(value_and_grad, fun, argnums, has_aux)
    return compiled or _value_and_grad(fun, argnums, has_aux, "value_and_grad")


def _compiled(transform: Any, fun: Any, argnums: Any, has_aux: bool) -> Any:
    """Return the transformation of a compiled function, compiled as one; None of any other."""
    derived = getattr(type(fun), "derived_by", None)
    return None if derived is None else derived(fun, transform, argnums, has_aux)


def _value_and_grad(fun: Any, argnums: Any, has_aux: bool, name: str) -> Callable[..., Any]:
    check_function(name, fun)
    many = not isinstance(argnums, int)

    @functools.wraps(fun, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def transformed(*args: Any, **kwargs: Any) -> Any:
        places = argument_indices(name, argnums, len(args))
        frame = RecordFrame(name)
        watched = Watched(name, frame, args, places)
        arrays = [x for x in args if isinstance(x, np.ndarray)]
        if watched.structure is not None:
            arrays += [x._value for x in watched.leaves if isinstance(x, Tensor)]
        if arrays:
            frame.borrowed = {id(x) for x in arrays}
        with transformation(frame):
            out, aux = split_aux(name, fun(*watched.args, **kwargs), has_aux)
            y = settle_output(frame, name, out)
            _check_scalar(name, y)
            value, grads = _gradient(frame, y, watched)
        if has_aux:
            found, structure = tree.flatten(aux)
            found = release(frame, arrays, [leave(frame, a) for a in found])
            aux = tree.unflatten(structure, found)
        if arrays:
            value, *grads = release(frame, arrays, [value, *grads])
        gradient = watched.rebuild(grads)
        if not many:
            (gradient,) = gradient
        return ((value, aux) if has_aux else value), gradient

    return transformed


def _gradient(frame: RecordFrame, y: Tensor, watched: Watched) -> tuple[Tensor, list[Any]]:
    cts: dict[Recorded, Tensor] = {}
    note = y._note
    if isinstance(note, Recorded) and note.frame is frame:
        y = lower(y)
        cts = pullback(frame, [(note, wrap(np.array(1, y.dtype), None))])
    return y, _collect(watched, cts)


def _collect(watched: Watched, cts: dict[Recorded, Tensor]) -> list[Any]:
    return [
        None if t is None else cts[n] if n in cts else zeros_like(t)
        for n, t in zip(watched.notes, watched.leaves, strict=True)
    ]


def _check_scalar(name: str, y: Tensor) -> None:
    if y.shape != ():
        hint = "reduce it with .sum() or .mean(), or use lucid.vjp or lucid.jacobian"
        raise ShapeError(message(name, "a function with a scalar output", f"shape {y.shape}", hint))
    if y.dtype.kind != "f":
        hint = "take .real or abs() of a complex result; use lucid.vjp for a complex cotangent"
        raise DTypeError(message(name, "a real floating output", str(y.dtype), hint))


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Return a function that computes the gradient of `fun` by reverse mode.

    Args:
        fun: a function whose output is one real number.
        argnums: which positional arguments to differentiate with respect to.
        has_aux: whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        A function that returns the gradient, or ``(gradient, aux)``; see `value_and_grad`.

    Raises:
        ShapeError: if the output is not a scalar.
        DTypeError: if the output is not real, or an argument is not floating or complex.
        OperandError: if `argnums` does not name positional arguments, or the output is no Tensor.

    Example:
        >>> import lucid
        >>> lucid.grad(lucid.sin)(0.0)
        Tensor(1.)
    """
    compiled = _compiled(grad, fun, argnums, has_aux)
    if compiled is not None:
        return compiled
    both = _value_and_grad(fun, argnums, has_aux, "grad")

    @functools.wraps(fun, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def transformed(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return transformed


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Compute `fun` and return with it the function that pulls cotangents back.

    Args:
        fun: a function of arrays, or pytrees of them, to the same.
        primals: its positional arguments, all of them floating or complex.
        has_aux: whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        ``(output, pull)``, or ``(output, pull, aux)``. ``pull(cotangent)`` takes a cotangent of
        the structure and shapes of the output and returns a tuple with one cotangent per primal:
        Jᴴ·ct for the Jacobian J. It can be called any number of times.

    Raises:
        DTypeError: if a primal is not floating or complex.
        ShapeError: by `pull`, if the cotangent does not fit the output.

    Example:
        >>> import lucid
        >>> y, pull = lucid.vjp(lucid.sin, 0.0)
        >>> pull(2.0)
        (Tensor(2.),)
    """
    check_function("vjp", fun)
    frame = RecordFrame("vjp")
    primals = tuple(_own_arrays(p) for p in primals)
    watched = Watched("vjp", frame, primals, range(len(primals)))
    with transformation(frame, keep_open=True):
        out, aux = split_aux("vjp", fun(*watched.args), has_aux)
        found, structure = tree.flatten(out)
        outs = [settle_output(frame, "vjp", y) for y in found]
    seeds = [
        y._note if isinstance(y._note, Recorded) and y._note.frame is frame else None for y in outs
    ]
    values = [lower(y) if n is not None else y for y, n in zip(outs, seeds, strict=True)]

    def pull(cotangent: Any) -> tuple[Any, ...]:
        cts = match("vjp", cotangent, values, structure)
        pairs = [(n, ct) for n, ct in zip(seeds, cts, strict=True) if n is not None]
        reached = pullback(frame, pairs)
        return watched.rebuild(_collect(watched, reached))

    result = tree.unflatten(structure, values)
    if not has_aux:
        return result, pull
    return result, pull, tree.map(lambda a: leave(frame, a), aux)


def linearize(fun: Callable[..., Any], *primals: Any) -> Any:
    """Compute `fun` and return with it the function that pushes tangents forward.

    The function is run once; each call of the result replays only derivatives.

    Args:
        fun: a function of arrays, or pytrees of them, to the same.
        primals: its positional arguments, all of them floating or complex.

    Returns:
        ``(output, push)``; ``push(*tangents)`` takes one tangent per primal and returns J·t.

    Raises:
        DTypeError: if a primal is not floating or complex.
        ShapeError: by `push`, if the tangents do not fit the primals.

    Example:
        >>> import lucid
        >>> y, push = lucid.linearize(lucid.sin, 0.0)
        >>> push(2.0)
        Tensor(2.)
    """
    check_function("linearize", fun)
    frame = RecordFrame("linearize")
    primals = tuple(_own_arrays(p) for p in primals)
    watched = Watched("linearize", frame, primals, range(len(primals)))
    with transformation(frame, keep_open=True):
        found, structure = tree.flatten(fun(*watched.args))
        outs = [settle_output(frame, "linearize", y) for y in found]
    ends = [
        y._note if isinstance(y._note, Recorded) and y._note.frame is frame else None for y in outs
    ]
    values = [lower(y) if n is not None else y for y, n in zip(outs, ends, strict=True)]

    def push(*tangents: Any) -> Any:
        _, shape = tree.flatten(tuple(primals))
        given = match("linearize", tuple(tangents), watched.leaves, shape)
        starts = {n: t for n, t in zip(watched.notes, given, strict=True) if n is not None}
        reached = pushforward(frame, [n for n in ends if n is not None], starts)
        return tree.unflatten(
            structure,
            [
                reached[n] if n is not None and reached.get(n) is not None else zeros_like(y)
                for n, y in zip(ends, values, strict=True)
            ],
        )

    return tree.unflatten(structure, values), push


def jvp(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    has_aux: bool = False,
) -> Any:
    """Compute `fun` and its directional derivative by forward mode, J·t.

    Args:
        fun: a function of arrays, or pytrees of them, to the same.
        primals: its positional arguments, a tuple or list.
        tangents: as many tangents, each of the structure and shapes of its primal.
        has_aux: whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        ``(output, tangent)``, or ``(output, tangent, aux)``.

    Raises:
        OperandError: if `primals` or `tangents` is no tuple or list, or their structures differ.
        ShapeError: if shapes differ.
        DTypeError: if a primal is not floating or complex, or a tangent's dtype does not fit.

    Example:
        >>> import lucid
        >>> lucid.jvp(lucid.sin, (0.0,), (2.0,))
        (Tensor(0.), Tensor(2.))
    """
    check_function("jvp", fun)
    check_sequence("jvp", primals=primals, tangents=tangents)
    frame = ForwardFrame("jvp")
    found, structure = tree.flatten(tuple(primals))
    values = [
        x
        if _is_static(x)
        else differentiable_leaf("jvp", x, lambda i=i: f"primals{tree.paths(tuple(primals))[i]}")
        for i, x in enumerate(found)
    ]
    given = match("jvp", tuple(tangents), values, structure)
    duals = [
        v if _is_static(v) else wrap(strip(v), Dual(frame, t))
        for v, t in zip(values, given, strict=True)
    ]
    arrays = [x for x in (*found, *tree.leaves(tuple(tangents))) if isinstance(x, np.ndarray)]
    frame.borrowed = {id(x) for x in arrays}
    with transformation(frame):
        out, aux = split_aux("jvp", fun(*tree.unflatten(structure, duals)), has_aux)
        results, shape = tree.flatten(out)
        outs = [settle_output(frame, "jvp", y) for y in results]
    below: list[Any] = []
    pushed: list[Any] = []
    for y in outs:
        watched = isinstance(y._note, Dual) and y._note.frame is frame
        below.append(lower(y) if watched else y)
        pushed.append(y._note.tangent if watched else zeros_like(y))  # type: ignore[union-attr]
    extra, aux_shape = tree.flatten(aux)
    done = release(frame, arrays, [*below, *pushed, *(leave(frame, a) for a in extra)])
    n = len(below)
    result = tree.unflatten(shape, done[:n]), tree.unflatten(shape, done[n : 2 * n])
    return (*result, tree.unflatten(aux_shape, done[2 * n :])) if has_aux else result


def match(name: str, given: Any, values: Sequence[Any], structure: Any) -> list[Tensor]:
    """Return the leaves of tangents or cotangents, checked against what they belong to."""
    found, shape = tree.flatten(given)
    what = "cotangent" if name == "vjp" else "tangent"
    if shape != structure:
        raise OperandError(message(name, f"a {what} of the structure {structure}", str(shape)))
    out: list[Any] = []
    for x, value in zip(found, values, strict=True):
        if not isinstance(value, Tensor):
            out.append(None)
            continue
        t = Tensor(x)
        if t.shape != value.shape:
            raise ShapeError(message(name, f"a {what} of shape {value.shape}", f"{t.shape}"))
        if t.dtype.kind == "c" and value.dtype.kind != "c":
            raise DTypeError(message(name, f"a real {what} for {value.dtype}", str(t.dtype)))
        out.append(t if t.dtype == value.dtype else cast(t, value.dtype))
    return out


def _own_arrays(x: Any) -> Any:
    """Copy the arrays in a primal: the closure that will read them outlives the call."""
    if isinstance(x, np.ndarray):
        return wrap(x.copy(), None) if x.dtype.kind in "fc" else x
    if isinstance(x, Tensor) or type(x) is float:
        return x
    return tree.map(lambda a: _own_arrays(a) if isinstance(a, np.ndarray) else a, x)
