"""Discrete distributions, permutations, choices: functions of a key, without derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import Any, TypeGuard

import numpy as np

from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS, Aval, Op
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OperandError, ShapeError, message
from lucid.ops.random.continuous import Shape, gumbel, lengths, parameters
from lucid.ops.random.keys import Key, philox, sampler, take

__all__ = [
    "bernoulli",
    "binomial",
    "categorical",
    "choice",
    "geometric",
    "permutation",
    "poisson",
    "rademacher",
    "randint",
]

_INT = np.dtype(np.int64)


def _counts(
    name: str, draw: Callable[..., Any], check: Callable[..., None] | None = None, dtype: Any = _INT
) -> Op:
    def impl(words: Any, *rest: Any) -> Any:
        *values, shape = rest
        if check is not None:
            check(*values)
        return np.asarray(draw(np.random.Generator(philox(words)), *values, shape), dtype)

    return sampler(f"random_{name}", impl, lambda words, *rest: Aval(rest[-1], np.dtype(dtype)))


def _require(name: str, expected: str, good: Any, values: Any) -> None:
    """Refuse values that are not all good; inside the implementation, where they are known."""
    if not np.all(good):
        values, good = np.broadcast_arrays(values, good)
        raise ShapeError(message(name, expected, f"{values[~good][0]}"))


def _probabilities(name: str, p: Any) -> None:
    _require(name, "probabilities from 0 to 1", (p >= 0) & (p <= 1), p)


def _check_binomial(n: Any, p: Any) -> None:
    _require("binomial", "n that is not negative", n >= 0, n)
    _probabilities("binomial", p)


_bernoulli = _counts(
    "bernoulli",
    lambda g, p, shape: g.random(shape) < p,
    lambda p: _probabilities("bernoulli", p),
    np.bool_,
)
_poisson = _counts(
    "poisson",
    lambda g, lam, shape: g.poisson(lam, shape),
    lambda lam: _require("poisson", "a mean from 0 to 9.2e18", (lam >= 0) & (lam < 9.2e18), lam),
)
_binomial = _counts("binomial", lambda g, n, p, shape: g.binomial(n, p, shape), _check_binomial)
_geometric = _counts(
    "geometric",
    lambda g, p, shape: g.geometric(p, shape),
    lambda p: _require("geometric", "probabilities above 0, up to 1", (p > 0) & (p <= 1), p),
)
_integers = _counts(
    "randint",
    lambda g, lo, hi, shape: g.integers(lo, hi, shape),
    lambda lo, hi: _require("randint", "maxval above minval", lo < hi, hi),
)
_permutation = _counts("permutation", lambda g, n, shape: g.permutation(int(n)))


def bernoulli(key: Key, p: ArrayLike = 0.5, shape: Shape | None = None) -> Tensor:
    """Draw booleans that are True with probability p.

    Args:
        key: a single, unused key.
        p: probabilities from 0 to 1.
        shape: of the result; by default that of `p`.

    Returns:
        Booleans.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `p` does not broadcast to `shape`, or lies outside [0, 1].

    Example:
        >>> import lucid
        >>> lucid.random.bernoulli(lucid.random.key(0), 0.5, (4,)).dtype
        dtype('bool')
    """
    full, _, (q,) = parameters("bernoulli", shape, None, p)
    return apply(_bernoulli, (take("bernoulli", key), q), (full,))


def rademacher(key: Key, shape: Shape = (), dtype: Any = None) -> Tensor:
    """Draw -1 or 1 with equal probability.

    Args:
        key: a single, unused key.
        shape: of the result.
        dtype: of the result, by default int64.

    Returns:
        Numbers -1 and 1.

    Raises:
        KeyReusedError: if the key was used before.

    Example:
        >>> import lucid
        >>> bool((abs(lucid.random.rademacher(lucid.random.key(0), (4,))) == 1).all())
        True
    """
    signs = bernoulli(key, 0.5, lengths("rademacher", shape))
    return apply(OPS["astype"], (signs,), (np.dtype(dtype or _INT),)) * 2 - 1


def poisson(key: Key, lam: ArrayLike, shape: Shape | None = None) -> Tensor:
    """Draw from the Poisson distribution, P(k) = λᵏ exp(-λ) / k!.

    Args:
        key: a single, unused key.
        lam: mean λ, not negative.
        shape: of the result; by default that of `lam`.

    Returns:
        Counts, int64.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `lam` does not broadcast to `shape`, or is negative.

    Example:
        >>> import lucid
        >>> lucid.random.poisson(lucid.random.key(0), 3.0, (4,)).dtype
        dtype('int64')
    """
    full, _, (mean,) = parameters("poisson", shape, None, lam)
    return apply(_poisson, (take("poisson", key), mean), (full,))


def binomial(key: Key, n: ArrayLike, p: ArrayLike, shape: Shape | None = None) -> Tensor:
    """Draw from the binomial distribution: how many of n trials with probability p succeed.

    Args:
        key: a single, unused key.
        n: number of trials, integers.
        p: probabilities from 0 to 1.
        shape: of the result; by default the common shape of the parameters.

    Returns:
        Counts, int64.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the parameters do not broadcast to `shape`, or `p` lies outside [0, 1].
        DTypeError: if `n` is not an integer.

    Example:
        >>> import lucid
        >>> lucid.random.binomial(lucid.random.key(0), 10, 0.5, (4,)).dtype
        dtype('int64')
    """
    trials = n if isinstance(n, Tensor) else Tensor(n)
    if trials.dtype.kind not in "iu":
        raise DTypeError(message("binomial", "integers as n", str(trials.dtype)))
    full, _, (_, q) = parameters("binomial", shape, None, trials, p)
    return apply(_binomial, (take("binomial", key), trials, q), (full,))


def geometric(key: Key, p: ArrayLike, shape: Shape | None = None) -> Tensor:
    """Draw how many trials with probability p it takes to succeed, P(k) = (1-p)^(k-1) p.

    Args:
        key: a single, unused key.
        p: probabilities above 0, up to 1.
        shape: of the result; by default that of `p`.

    Returns:
        Counts from 1 on, int64.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `p` does not broadcast to `shape`, or lies outside (0, 1].

    Example:
        >>> import lucid
        >>> bool((lucid.random.geometric(lucid.random.key(0), 0.5, (4,)) >= 1).all())
        True
    """
    full, _, (q,) = parameters("geometric", shape, None, p)
    return apply(_geometric, (take("geometric", key), q), (full,))


def randint(key: Key, minval: ArrayLike, maxval: ArrayLike, shape: Shape | None = None) -> Tensor:
    """Draw integers uniformly from [minval, maxval).

    Args:
        key: a single, unused key.
        minval: lowest value, integers.
        maxval: one above the highest value, integers.
        shape: of the result; by default the common shape of the ends.

    Returns:
        Integers, int64.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if the ends do not broadcast to `shape`, or no integer lies between them.
        DTypeError: if an end is not an integer.

    Example:
        >>> import lucid
        >>> bool((lucid.random.randint(lucid.random.key(0), 0, 3, (4,)) < 3).all())
        True
    """
    ends = [v if isinstance(v, Tensor) else Tensor(v) for v in (minval, maxval)]
    for end in ends:
        if end.dtype.kind not in "iu":
            raise DTypeError(message("randint", "integer ends", str(end.dtype)))
    full, _, _ = parameters("randint", shape, None, *ends)
    return apply(_integers, (take("randint", key), *ends), (full,))


def categorical(key: Key, logits: ArrayLike, axis: int = -1, shape: Shape | None = None) -> Tensor:
    """Draw indices with probabilities softmax(logits), by the Gumbel-max method.

    Args:
        key: a single, unused key.
        logits: unnormalised log-probabilities; -∞ for a category that never occurs.
        axis: the axis of the categories.
        shape: of the result; must end in the shape of `logits` without `axis`, the default.

    Returns:
        Indices, int64.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `logits` has no axis, or `shape` does not end as it must.

    Example:
        >>> import lucid
        >>> logits = lucid.asarray([0.0, -float("inf")])
        >>> lucid.random.categorical(lucid.random.key(0), logits, shape=(3,))
        Tensor([0, 0, 0])
    """
    table = logits if isinstance(logits, Tensor) else Tensor(logits)
    if not -table.ndim <= axis < table.ndim:
        got = f"shape {table.shape}"
        raise ShapeError(message("categorical", f"logits with axis {axis}", got))
    order = [i for i in range(table.ndim) if i != axis % table.ndim] + [axis % table.ndim]
    last = apply(OPS["permute_dims"], (table,), (tuple(order),))
    batch = last.shape[:-1]
    full = batch if shape is None else lengths("categorical", shape)
    if full[len(full) - len(batch) :] != batch:
        raise ShapeError(message("categorical", f"a shape that ends in {batch}", f"{full}"))
    dtype = last.dtype if last.dtype.kind == "f" else None
    noise = gumbel(key, (*full, last.shape[-1]), dtype)
    return apply(OPS["argmax"], (noise + last,), (len(full), False))


def permutation(key: Key, x: int | ArrayLike, axis: int = 0) -> Tensor:
    """Shuffle the slices of an array along an axis, or the integers below a number.

    Args:
        key: a single, unused key.
        x: an array, or an integer n for the numbers 0 … n - 1.
        axis: the axis along which slices are moved.

    Returns:
        The shuffled array; derivatives pass through to `x`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if `x` has no such axis.

    Example:
        >>> import lucid
        >>> lucid.random.permutation(lucid.random.key(0), 4).sort()
        Tensor([0, 1, 2, 3])
    """
    if _is_number(x):
        return _order(key, index(x))
    t = x if isinstance(x, Tensor) else Tensor(x)
    if not -t.ndim <= axis < t.ndim:
        raise ShapeError(message("permutation", f"an array with axis {axis}", f"shape {t.shape}"))
    return t[(slice(None),) * (axis % t.ndim) + (_order(key, t.shape[axis]),)]


def _is_number(x: Any) -> TypeGuard[int]:
    return isinstance(x, int | np.integer) and not isinstance(x, bool)


def _order(key: Key, n: int) -> Tensor:
    if n < 0:
        raise ShapeError(message("permutation", "a non-negative number", str(n)))
    count = Tensor(np.asarray(n))
    return apply(_permutation, (take("permutation", key), count), ((n,),))


def choice(
    key: Key,
    a: int | ArrayLike,
    shape: Shape = (),
    replace: bool = True,
    p: ArrayLike | None = None,
    axis: int = 0,
) -> Tensor:
    """Choose slices of an array, or integers below a number, with or without replacement.

    Args:
        key: a single, unused key.
        a: an array, or an integer n for the numbers 0 … n - 1.
        shape: how many to choose.
        replace: whether one slice can be chosen more than once.
        p: probabilities, one per slice; uniform by default.
        axis: the axis along which slices are chosen.

    Returns:
        The chosen slices; `axis` is replaced by the axes of `shape`.

    Raises:
        KeyReusedError: if the key was used before.
        ShapeError: if more slices are asked for than there are (of positive probability), or `p`
            has another length or is negative.

    Example:
        >>> import lucid
        >>> lucid.random.choice(lucid.random.key(0), 3, (3,), replace=False).sort()
        Tensor([0, 1, 2])
    """
    t = None if _is_number(a) else a if isinstance(a, Tensor) else Tensor(a)
    if t is not None and not -t.ndim <= axis < t.ndim:
        raise ShapeError(message("choice", f"an array with axis {axis}", f"shape {t.shape}"))
    n = index(a) if t is None else t.shape[axis]  # type: ignore[arg-type]
    full = lengths("choice", shape)
    count = int(np.prod(full))
    if n == 0 and count:
        raise ShapeError(message("choice", "something to choose from", "nothing"))
    if not replace and count > n:
        hint = "use replace=True"
        raise ShapeError(message("choice", f"at most {n} without replacement", str(count), hint))
    chosen = _chosen(key, n, full, count, replace, p)
    return chosen if t is None else t[(slice(None),) * (axis % t.ndim) + (chosen,)]


def _chosen(
    key: Key, n: int, full: tuple[int, ...], count: int, replace: bool, p: ArrayLike | None
) -> Tensor:
    if p is None:
        if replace:
            return randint(key, 0, max(n, 1), full)
        return _order(key, n)[:count].reshape(full)
    weights = p if isinstance(p, Tensor) else Tensor(p)
    if weights.shape != (n,):
        raise ShapeError(message("choice", f"{n} probabilities", f"shape {weights.shape}"))
    if weights.dtype.kind != "f":
        raise OperandError(message("choice", "floating probabilities", str(weights.dtype)))
    checked = apply(_weights, (weights,), (0 if replace else count,))
    positive = checked > 0
    logs = apply(OPS["log"], (apply(OPS["where"], (positive, checked, 1.0)),))
    logits = apply(OPS["where"], (positive, logs, -math.inf))
    if replace:
        return categorical(key, logits, shape=full)
    keys = gumbel(key, (n,), weights.dtype) + logits  # the largest k are a draw without replacement
    return keys.argsort(axis=0, descending=True)[:count].reshape(full)


def _check_weights(p: Any, at_least: int) -> Any:
    _require("choice", "probabilities that are not negative", (p >= 0) & (p < math.inf), p)
    have = np.count_nonzero(p > 0, axis=-1)
    if np.any(have < max(at_least, 1)):
        expected = f"at least {max(at_least, 1)} positive probabilities"
        raise ShapeError(message("choice", expected, str(np.min(have))))
    return p.copy()


_weights = general(
    "random_weights",
    _check_weights,
    infer=lambda p, at_least: p,
    batch=lambda size, batched, args, at_least: apply(_weights, (args[0],), (at_least,)),
    smooth=False,
)
