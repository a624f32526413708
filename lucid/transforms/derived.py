"""Jacobians, Hessians and their products, composed of the basic transformations."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.dispatch import apply
from lucid.core.op import OPS
from lucid.core.tensor import Tensor, wrap
from lucid.errors import DTypeError, OperandError, message
from lucid.transforms.api import grad, jvp, linearize, vjp
from lucid.transforms.batch import vmap
from lucid.transforms.boundary import argument_indices, check_sequence

__all__ = ["gauss_newton_product", "hessian", "hvp", "jacfwd", "jacobian", "jacrev"]


def jacrev(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of `fun` row by row, by reverse mode.

    Row i is the pulled-back basis vector e_i, so that the cost is that of one gradient per element
    of the output: right for functions with more inputs than outputs. For complex arguments the
    entries are ∂f/∂z of a holomorphic f.

    Args:
        fun: a function of arrays, or pytrees of them, to the same.
        argnums: which positional arguments to differentiate with respect to.
        has_aux: whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        A function that returns, for every output leaf, a pytree like the argument (a tuple of such
        if `argnums` is one) of Tensors of shape ``output.shape + argument.shape``; paired with
        aux if `has_aux`.

    Raises:
        DTypeError: if an argument is not floating or complex, or an output real although an
            argument is complex, so that there is no ∂f/∂z.
        OperandError: if `argnums` does not name positional arguments.

    Example:
        >>> import lucid
        >>> lucid.jacrev(lambda x: x**2)(lucid.asarray([1.0, 2.0]))
        Tensor([[2., 0.],
                [0., 4.]])
    """

    @functools.wraps(fun, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def transformed(*args: Any, **kwargs: Any) -> Any:
        chosen, inner, single = _partial("jacrev", fun, argnums, args, kwargs)
        y, pull, *aux = vjp(inner, *chosen, has_aux=has_aux)
        outs, structure = tree.flatten(y)
        _check_inexact("jacrev", outs)
        _check_holomorphic("jacrev", tree.leaves(chosen), outs)
        rows: list[Any] = []
        for k, out in enumerate(outs):

            def pull_one(e: Any, k: int = k) -> Any:
                seeds = [e if i == k else _zeros(o) for i, o in enumerate(outs)]
                return pull(tree.unflatten(structure, seeds))

            basis = _basis(out)
            stacked = vmap(pull_one)(basis)
            if out.dtype.kind == "c":
                stacked = _holomorphic(stacked, lambda e=basis: vmap(pull_one)(e * 1j))
            unit = tree.map(
                lambda j, o=out: apply(OPS["reshape"], (j,), ((*o.shape, *j.shape[1:]),)), stacked
            )
            rows.append(unit[0] if single else unit)
        jacobian_ = tree.unflatten(structure, rows)
        return (jacobian_, aux[0]) if has_aux else jacobian_

    return transformed


def jacfwd(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of `fun` column by column, by forward mode.

    Column j is the derivative in the direction e_j: right for functions with at least as many
    outputs as inputs.

    Args:
        fun: a function of arrays, or pytrees of them, to the same.
        argnums: which positional arguments to differentiate with respect to.
        has_aux: whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        A function that returns what `jacrev`'s returns.

    Raises:
        DTypeError: if an argument is not floating or complex, or an output real although an
            argument is complex, so that there is no ∂f/∂z.
        OperandError: if `argnums` does not name positional arguments.

    Example:
        >>> import lucid
        >>> lucid.jacfwd(lambda x: x**2)(lucid.asarray([1.0, 2.0]))
        Tensor([[2., 0.],
                [0., 4.]])
    """
    return _columns("jacfwd", fun, argnums, has_aux)


def _columns(name: str, fun: Any, argnums: Any, has_aux: bool) -> Callable[..., Any]:
    @functools.wraps(fun, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def transformed(*args: Any, **kwargs: Any) -> Any:
        chosen, inner, single = _partial(name, fun, argnums, args, kwargs)
        found, structure = tree.flatten(chosen)
        inputs = [Tensor(x) for x in found]
        if name == "hessian" and any(x.dtype.kind == "c" for x in inputs):
            hint = "differentiate by real and imaginary part, or use lucid.hvp"
            raise DTypeError(message(name, "a real argument", "a complex one", hint))
        aux: list[Any] = []

        def push_one(e: Any, k: int) -> Any:
            seeds = [e if i == k else _zeros(x) for i, x in enumerate(inputs)]
            out = jvp(inner, chosen, tree.unflatten(structure, seeds), has_aux=has_aux)
            aux[:] = out[2:]  # does not depend on the direction: vmap need not see it
            return out[1]

        columns: list[list[Tensor]] = []
        shape: Any = None
        for k, x in enumerate(inputs):
            pushed = vmap(lambda e, k=k: push_one(e, k), out_axes=-1)(_basis(x))
            outs, shape = tree.flatten(pushed)
            _check_inexact(name, outs)
            _check_holomorphic(name, [x], outs)
            columns.append(
                [apply(OPS["reshape"], (o,), ((*o.shape[:-1], *x.shape),)) for o in outs]
            )
        if shape is None:
            raise OperandError(message(name, "an argument with arrays", "none"))
        rows: list[Any] = []
        for i in range(len(columns[0])):
            row = tree.unflatten(structure, [column[i] for column in columns])
            rows.append(row[0] if single else row)
        jacobian_ = tree.unflatten(shape, rows)
        return (jacobian_, aux[0]) if has_aux else jacobian_

    return transformed


def jacobian(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of `fun`; the same as `jacrev`.

    Args:
        fun: a function of arrays, or pytrees of them, to the same.
        argnums: which positional arguments to differentiate with respect to.
        has_aux: whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        A function that returns what `jacrev`'s returns.

    Raises:
        DTypeError: if an argument is not floating or complex, or an output real although an
            argument is complex, so that there is no ∂f/∂z.
        OperandError: if `argnums` does not name positional arguments.

    Example:
        >>> import lucid
        >>> lucid.jacobian(lambda x: x.sum())(lucid.asarray([1.0, 2.0]))
        Tensor([1., 1.])
    """
    return jacrev(fun, argnums, has_aux=has_aux)


def hessian(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the Hessian of a scalar `fun`, forward over reverse.

    Args:
        fun: a function whose output is one real number.
        argnums: which positional arguments to differentiate with respect to.
        has_aux: whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        A function that returns, for one array argument, a Tensor of shape
        ``argument.shape + argument.shape``; nested as Jacobians of the gradient otherwise.

    Raises:
        ShapeError: if the output is not a scalar.
        DTypeError: if the output is not real, or an argument is not floating.

    Example:
        >>> import lucid
        >>> lucid.hessian(lambda x: (x**3).sum())(lucid.asarray([1.0, 2.0]))
        Tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    return _columns("hessian", grad(fun, argnums, has_aux=has_aux), argnums, has_aux)


def hvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Compute the product of the Hessian of a scalar function with a vector, H·v.

    Forward over reverse: a small multiple of the cost of one gradient, and no matrix.

    Args:
        fun: a function whose output is one real number.
        primals: its positional arguments, a tuple or list.
        tangents: the vector, of the structure and shapes of `primals`.

    Returns:
        H·v, with the structure of the argument; a tuple of such for several arguments.

    Raises:
        ShapeError: if the output is not a scalar, or shapes differ.
        OperandError: if `primals` or `tangents` is no tuple or list.

    Example:
        >>> import lucid
        >>> x, v = lucid.asarray([1.0, 2.0]), lucid.asarray([1.0, 0.0])
        >>> lucid.hvp(lambda x: (x**3).sum(), (x,), (v,))
        Tensor([6., 0.])
    """
    check_sequence("hvp", primals=primals, tangents=tangents)
    argnums: Any = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(fun, argnums), primals, tangents)[1]


def gauss_newton_product(
    fun: Callable[..., Any],
    loss: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
) -> Any:
    """Compute the product of the Gauss–Newton matrix Jᵀ H J with a vector.

    J is the Jacobian of `fun` and H the Hessian of `loss` at its output; the result is the Hessian
    of ``loss(fun(x))`` without the curvature of `fun`, positive semi-definite for a convex loss.

    Args:
        fun: the model, a function of arrays or pytrees to one array or pytree.
        loss: a function of the model's output to one real number.
        primals: the arguments of `fun`, a tuple or list.
        tangents: the vector, of the structure and shapes of `primals`.

    Returns:
        The product, a tuple with one entry per primal.

    Raises:
        ShapeError: if the loss is not a scalar, or shapes differ.
        OperandError: if `primals` or `tangents` is no tuple or list.

    Example:
        >>> import lucid
        >>> x, v = lucid.asarray([1.0, 2.0]), lucid.asarray([1.0, 0.0])
        >>> lucid.gauss_newton_product(lambda x: x * x, lambda y: (y * y).sum(), (x,), (v,))
        (Tensor([8., 0.]),)

    References:
        N. N. Schraudolph, Fast curvature matrix-vector products for second-order gradient
        descent, Neural Computation 14 (2002).
    """
    check_sequence("gauss_newton_product", primals=primals, tangents=tangents)
    y, push = linearize(fun, *primals)
    _, curved = jvp(grad(loss), (y,), (push(*tangents),))
    return vjp(fun, *primals)[1](curved)


# -- helpers ---------------------------------------------------------------------------------------


def _partial(
    name: str, fun: Callable[..., Any], argnums: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], Callable[..., Any], bool]:
    """Return the chosen arguments and `fun` as a function of them alone."""
    places = argument_indices(name, argnums, len(args))

    def inner(*chosen: Any) -> Any:
        full = list(args)
        for k, value in zip(places, chosen, strict=True):
            full[k] = value
        return fun(*full, **kwargs)

    return tuple(args[k] for k in places), inner, isinstance(argnums, int)


def _basis(t: Tensor) -> Tensor:
    """Return the unit vectors of the shape of `t`, stacked along a new first axis."""
    return wrap(np.eye(t.size, dtype=t.dtype).reshape((t.size, *t.shape)), None)


def _zeros(t: Tensor) -> Tensor:
    return wrap(np.zeros(t.shape, t.dtype), None)


def _holomorphic(pulled: Any, other: Callable[[], Any]) -> Any:
    """Return ∂f/∂z from the pulled-back basis vectors e of a complex output.

    For a complex argument the adjoint of a holomorphic f is conjugated. For a real one it is
    Re(conj(f′)·e): what e leaves out, `other` pulls back with i·e.
    """
    found, structure = tree.flatten(pulled)
    rest = found
    if any(j.dtype.kind != "c" for j in found):
        rest = tree.leaves(other())
    rows = [
        apply(OPS["conj"], (j,)) if j.dtype.kind == "c" else j + k * 1j
        for j, k in zip(found, rest, strict=True)
    ]
    return tree.unflatten(structure, rows)


def _check_holomorphic(name: str, arguments: Sequence[Any], outs: Sequence[Any]) -> None:
    kinds = [getattr(getattr(x, "dtype", None), "kind", type(x).__name__[0]) for x in arguments]
    if "c" in kinds and any(out.dtype.kind != "c" for out in outs):
        hint = "use lucid.grad or lucid.vjp, or differentiate by real and imaginary part"
        want = "a holomorphic function of its complex argument"
        raise DTypeError(message(name, want, "a real output", hint))


def _check_inexact(name: str, outs: Sequence[Any]) -> None:
    for out in outs:
        if out.dtype.kind not in "fc":
            raise DTypeError(message(name, "a floating or complex output", str(out.dtype)))
