"""check_grads: derivatives against central differences, for the user's own functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.tensor import Tensor
from lucid.errors import LucidError, OperandError, message
from lucid.transforms.api import jvp, vjp

__all__ = ["GradientCheckError", "check_grads"]


class GradientCheckError(LucidError, AssertionError):
    """A derivative rule disagrees with central differences."""


def check_grads(
    fun: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
) -> None:
    """Check the derivatives of a function against central differences.

    In a random direction t, forward mode is compared with ``(f(x + εt) - f(x - εt)) / 2ε`` and
    reverse mode with forward differences through ⟨u, J t⟩ = ⟨Jᵀu, t⟩; higher orders check the
    derivative functions in the same way.

    Args:
        fun: a function of arrays, or pytrees of them, to the same.
        args: its positional arguments, floating or complex.
        order: how many times to differentiate.
        modes: "fwd", "rev" or both.
        atol: absolute tolerance; by default 1e-6 for double, 1e-2 for single precision.
        rtol: relative tolerance; the same defaults.
        eps: step; by default the cube root of the machine epsilon.
        seed: of the random directions.

    Raises:
        GradientCheckError: if a derivative disagrees; the message says which.
        OperandError: if `args` is no tuple or list, or a mode is unknown.

    Example:
        >>> import lucid
        >>> lucid.check_grads(lucid.sin, (1.0,))
    """
    if not isinstance(args, tuple | list):
        got = type(args).__name__
        raise OperandError(message("check_grads", "args as a tuple or list", got))
    if not set(modes) <= {"fwd", "rev"}:
        raise OperandError(message("check_grads", 'modes of "fwd" and "rev"', repr(modes)))
    args = tuple(tree.map(Tensor, tuple(args)))
    single = any(x.dtype.itemsize // (1 + (x.dtype.kind == "c")) < 8 for x in tree.leaves(args))
    info = np.finfo(np.float32 if single else np.float64)
    step = float(info.eps) ** (1 / 3) if eps is None else eps
    loose = 1e-2 if single else 1e-6
    settings = (step, loose if atol is None else atol, loose if rtol is None else rtol)
    _check(fun, args, order, tuple(modes), settings, np.random.default_rng(seed), "")


def _check(fun: Any, args: Any, order: int, modes: Any, settings: Any, rng: Any, path: str) -> None:
    step, atol, rtol = settings
    tangents = tree.map(lambda x: _random(rng, x), args)
    plus = tree.leaves(fun(*tree.map(lambda x, t: x + step * t, args, tangents)))
    minus = tree.leaves(fun(*tree.map(lambda x, t: x - step * t, args, tangents)))
    numeric = [
        (Tensor(p).numpy() - Tensor(m).numpy()) / (2 * step)
        for p, m in zip(plus, minus, strict=True)
    ]
    out, structure = tree.flatten(fun(*args))
    cts = [_random(rng, Tensor(y)) for y in out]
    if "fwd" in modes:
        _, pushed = jvp(fun, args, tangents)
        for p, n in zip(tree.leaves(pushed), numeric, strict=True):
            _compare(p.numpy(), n, atol, rtol, f"jvp{path}")
    if "rev" in modes:
        _, pull = vjp(fun, *args)
        pulled = tree.leaves(pull(tree.unflatten(structure, cts)))
        left = sum(_inner(p, t) for p, t in zip(pulled, tree.leaves(tangents), strict=True))
        right = sum(_inner(c, n) for c, n in zip(cts, numeric, strict=True))
        _compare(np.asarray(left), np.asarray(right), atol, rtol, f"vjp{path}")
    if order > 1:
        if "fwd" in modes:
            inner = lambda *a: jvp(fun, a, tangents)[1]  # noqa: E731
            _check(inner, args, order - 1, modes, settings, rng, f"{path} of jvp")
        if "rev" in modes:
            whole = tree.unflatten(structure, cts)
            inner = lambda *a: vjp(fun, *a)[1](whole)  # noqa: E731
            _check(inner, args, order - 1, modes, settings, rng, f"{path} of vjp")


def _random(rng: np.random.Generator, x: Tensor) -> Tensor:
    value = rng.standard_normal(x.shape)
    if x.dtype.kind == "c":
        value = value + 1j * rng.standard_normal(x.shape)
    return Tensor(value, dtype=x.dtype)


def _inner(u: Any, v: Any) -> float:
    a, b = (x.detach().numpy() if isinstance(x, Tensor) else np.asarray(x) for x in (u, v))
    return float(np.sum(np.conj(a) * b).real)


def _compare(got: Any, want: Any, atol: float, rtol: float, what: str) -> None:
    if not np.allclose(got, want, atol=atol, rtol=rtol):
        worst = float(np.max(np.abs(got - want)))
        expected = f"{what} to agree with central differences"
        raise GradientCheckError(
            message("check_grads", expected, f"a difference of {worst:.3g}", f"{got} vs {want}")
        )
