"""Einstein summation: parsed once, then carried out pair by pair."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence
from string import ascii_letters
from typing import Any, NamedTuple

import numpy as np

from lucid.core.dispatch import apply
from lucid.core.methods import ArrayLike
from lucid.core.op import OPS
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, ShapeError, message
from lucid.ops.axes import as_tensors
from lucid.ops.contract import LABELS, contract, drop_unit_axes, join_sizes

__all__ = ["einsum"]


def einsum(subscripts: str, /, *operands: ArrayLike, optimize: Any = True) -> Tensor:
    """Sum products over named indices.

    Each operand's axes are named by letters; an index that the result does not name is summed
    over. ``'ij,jk->ik'`` is the matrix product, ``'ii'`` the trace, ``'ij->ji'`` the transpose,
    ``'...ij,...jk'`` a product of stacks of matrices. Without ``->`` the result has the indices
    that occur once, in alphabetical order.

    Args:
        subscripts: the names, operands separated by commas; ``...`` stands for axes without one.
        operands: as many arrays. Axes of one name have one length, or length 1, which broadcasts.
        optimize: the order in which several operands are contracted: True or "greedy" for a good
            one, "optimal" for the best, False for left to right, or a path as `np.einsum_path`
            returns it.

    Returns:
        The sums, with axes in the order that the subscripts say.

    Raises:
        ShapeError: if the subscripts do not fit the operands or each other.
        OperandError: if `subscripts` is not a string.

    Example:
        >>> import lucid
        >>> a, b = lucid.asarray([[1.0, 2.0], [3.0, 4.0]]), lucid.asarray([1.0, 10.0])
        >>> lucid.einsum("ij,j->i", a, b)
        Tensor([21., 43.])
    """
    if not isinstance(subscripts, str):
        hint = "write lucid.einsum('ij,jk->ik', x, y)"
        got = type(subscripts).__name__
        raise OperandError(message("einsum", "subscripts as a string first", got, hint))
    tensors = as_tensors("einsum", operands, view=len(operands) == 1)
    shapes = tuple(t.shape for t in tensors)
    if isinstance(optimize, list):
        optimize = tuple(optimize)
    terms, out, path, at_once = _parse(subscripts, shapes, optimize)
    if at_once:
        return contract(tensors[0], tensors[1], terms[0], terms[1], out)
    return _carry_out(tensors, list(terms), out, path)


def _carry_out(tensors: list[Tensor], terms: list[str], out: str, path: Sequence[Any]) -> Tensor:
    sizes = join_sizes("einsum", terms, [t.shape for t in tensors])
    for k, t in enumerate(tensors):
        t, labels = _diagonal(t, terms[k])
        tensors[k], terms[k] = drop_unit_axes(t, labels, sizes)
    for places in path:
        chosen = [(tensors[k], terms[k]) for k in places]
        for k in sorted(places, reverse=True):
            del tensors[k], terms[k]
        x, a = chosen[0]
        for n, (y, b) in enumerate(chosen[1:], 2):
            others = "".join([*terms, *(labels for _, labels in chosen[n:])])
            x, a = _pair(x, a, y, b, others + out, None if others else out)
        tensors.append(x)
        terms.append(a)
    (x,), (a,) = tensors, terms
    x, a = _sum_out(x, a, out)
    if a == out:
        return x
    return apply(OPS["permute_dims"], (x,), (tuple(a.index(c) for c in out),))


def _diagonal(x: Tensor, labels: str) -> tuple[Tensor, str]:
    """Replace axes of the same label by their diagonal, which is appended."""
    for c in labels:
        while labels.count(c) > 1:
            i, j = labels.index(c), labels.rindex(c)
            x = x.diagonal(0, i, j)
            labels = labels[:i] + labels[i + 1 : j] + labels[j + 1 :] + c
    return x, labels


def _sum_out(x: Tensor, labels: str, needed: str) -> tuple[Tensor, str]:
    """Sum over the labels that nothing else needs."""
    axes = tuple(k for k, c in enumerate(labels) if c not in needed)
    if not axes:
        return x, labels
    x = apply(OPS["sum"], (x,), (axes, False, x.dtype))
    return x, "".join(c for c in labels if c in needed)


def _pair(
    x: Tensor, a: str, y: Tensor, b: str, needed: str, final: str | None
) -> tuple[Tensor, str]:
    """Contract two operands down to the labels that are needed later."""
    x, a = _sum_out(x, a, b + needed)
    y, b = _sum_out(y, b, a + needed)
    if final is None:
        both = [c for c in a if c in b and c in needed]
        final = "".join([*both, *(c for c in a if c not in b), *(c for c in b if c not in a)])
    return contract(x, y, a, b, final), final


class _Parsed(NamedTuple):
    terms: tuple[str, ...]  # the labels of each operand
    out: str
    path: tuple[tuple[int, ...], ...]  # which operands to contract, one pair after the other
    at_once: bool  # whether it is one contraction, with nothing to do before or after


@functools.lru_cache(maxsize=1024)
def _parse(subscripts: str, shapes: tuple[tuple[int, ...], ...], optimize: Hashable) -> _Parsed:
    text = subscripts.replace(" ", "")
    inputs, arrow, out = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        want = f"{len(terms)} operands for {subscripts!r}"
        raise ShapeError(message("einsum", want, str(len(shapes))))
    unnamed = [_unnamed(subscripts, t, s) for t, s in zip(terms, shapes, strict=True)]
    dots = LABELS[-max(unnamed) :] if any(unnamed) else ""
    terms = [t.replace("...", dots[len(dots) - n :]) for t, n in zip(terms, unnamed, strict=True)]
    if arrow:
        if dots and "..." not in out:
            hint = "name them, or write ... in the result too"
            got = repr(subscripts)
            raise ShapeError(message("einsum", "the axes of ... in the result", got, hint))
        out = out.replace("...", dots)
    else:
        named = sorted(set("".join(terms)) - set(dots))
        out = dots + "".join(c for c in named if "".join(terms).count(c) == 1)
    if len(set(out)) != len(out) or not set(out) <= set("".join(terms)):
        want = "a result that names indices of the operands, each once"
        raise ShapeError(message("einsum", want, repr(subscripts)))
    for labels, shape in zip(terms, shapes, strict=True):
        _check_repeated(labels, shape)
    sizes = join_sizes("einsum", terms, shapes)
    at_once = len(terms) == 2 and all(
        len(set(labels)) == len(labels)
        and all(
            n == sizes[c] and (c in out or c in other) for c, n in zip(labels, shape, strict=True)
        )
        for labels, other, shape in zip(terms, terms[::-1], shapes, strict=True)
    )
    return _Parsed(tuple(terms), out, _path(terms, out, shapes, optimize), at_once)


def _unnamed(subscripts: str, term: str, shape: tuple[int, ...]) -> int:
    """Return how many axes of an operand ``...`` stands for."""
    named = term.replace("...", "", 1)
    if not all(c in ascii_letters for c in named):
        want = "letters, commas, ... and one ->"
        raise ShapeError(message("einsum", want, repr(subscripts)))
    left = len(shape) - len(named)
    if left < 0 or (left and named == term):
        want = f"an operand with {len(named)} axes for {term!r}"
        raise ShapeError(message("einsum", want, f"shape {shape}"))
    return left


def _check_repeated(labels: str, shape: tuple[int, ...]) -> None:
    lengths: dict[str, int] = {}
    for c, n in zip(labels, shape, strict=True):
        if lengths.setdefault(c, n) != n:
            want = f"axes of one length for the repeated index {c!r}"
            raise ShapeError(message("einsum", want, f"shape {shape}"))


def _path(
    terms: Sequence[str], out: str, shapes: Sequence[tuple[int, ...]], optimize: Any
) -> tuple[tuple[int, ...], ...]:
    """Return which operands to contract in which order; a result goes to the end of the list."""
    if len(terms) < 3 or optimize is False:
        return ((0, 1),) * min(len(terms) - 1, 1) + tuple(
            (len(terms) - k, 0) for k in range(2, len(terms))
        )
    letters = dict(zip(dict.fromkeys("".join(terms)), ascii_letters, strict=False))
    table = str.maketrans(letters)
    text = ",".join(terms).translate(table) + "->" + out.translate(table)
    dummies = [np.broadcast_to(np.float64(0), shape) for shape in shapes]
    if isinstance(optimize, tuple):
        optimize = list(optimize)
    try:
        path, _ = np.einsum_path(text, *dummies, optimize=optimize)
    except (TypeError, KeyError, ValueError) as error:
        want = 'optimize True, False, "greedy", "optimal" or a path'
        raise OperandError(message("einsum", want, repr(optimize), str(error))) from None
    return tuple(tuple(places) for places in path[1:])
