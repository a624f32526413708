"""Scans of associative functions, in logarithmic depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lucid import tree
from lucid.core.tensor import Tensor
from lucid.errors import GraphError, OperandError, ShapeError, message
from lucid.graph.control import pack
from lucid.ops.axes import axis_of
from lucid.ops.join import concat, stack
from lucid.ops.permute import flip
from lucid.transforms.boundary import check_function, take_in

__all__ = ["associative_scan"]


def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Combine all leading parts of a sequence by an associative function.

        y[0] = x[0],   y[k] = fn(y[k - 1], x[k])

    Because fn(fn(a, b), c) = fn(a, fn(b, c)), neighbours are combined first, then the pairs, and so
    on: some 2 log₂(n) calls of whole arrays in place of n small ones.

    Args:
        fn: associative; takes two pytrees like `elems`, of any length along `axis`, and combines
            them entry by entry along it.
        elems: an array or a pytree of them with one length along `axis`.
        reverse: combine the trailing parts: y[k] = fn(y[k + 1], x[k]).
        axis: the axis of the sequence.

    Returns:
        A pytree like `elems`.

    Raises:
        OperandError: if `elems` holds no array.
        ShapeError: if the lengths differ, or `fn` changes a shape.
        IndexOutOfBoundsError: if there is no such axis.
        GraphError: if `fn` changes the structure.

    Example:
        >>> import lucid
        >>> lucid.associative_scan(lucid.multiply, lucid.asarray([1.0, 2.0, 3.0, 4.0]))
        Tensor([ 1.,  2.,  6., 24.])

    References:
        G. E. Blelloch, Prefix sums and their applications (1990).
    """
    check_function("associative_scan", fn)
    packed = pack("associative_scan", elems)
    leaves = [take_in("associative_scan", x) for x in packed.leaves]
    if not leaves:
        raise OperandError(message("associative_scan", "an array to scan", "none"))
    axes = [axis_of("associative_scan", axis, x.ndim) for x in leaves]
    lengths = {x.shape[a] for x, a in zip(leaves, axes, strict=True)}
    if len(lengths) > 1:
        got = f"{sorted(lengths)}"
        raise ShapeError(message("associative_scan", "one length along the axis", got))

    def combine(left: Sequence[Tensor], right: Sequence[Tensor]) -> list[Any]:
        found, structure = tree.flatten(fn(packed.rebuild(left), packed.rebuild(right)))
        if structure != packed.structure:
            want = f"fn to return the structure {packed.structure}"
            raise GraphError(message("associative_scan", want, str(structure)))
        for x, y in zip(left, found, strict=True):
            if not isinstance(y, Tensor) or y.shape != x.shape:
                got = f"shape {getattr(y, 'shape', ())}"
                want = f"fn to keep the shape {x.shape}"
                raise ShapeError(message("associative_scan", want, got))
        return found

    if reverse:
        leaves = _flipped(leaves, axes)
    done = _scan(combine, leaves, axes)
    return packed.rebuild(_flipped(done, axes) if reverse else done)


def _scan(
    combine: Callable[..., list[Any]], xs: Sequence[Tensor], axes: Sequence[int]
) -> list[Any]:
    length = xs[0].shape[axes[0]]
    if length < 2:
        return list(xs)
    pairs = combine(_every(xs, axes, 0, length - 1, 2), _every(xs, axes, 1, length, 2))
    odd = _scan(combine, pairs, axes)
    rest = _every(xs, axes, 2, length, 2)
    first = _every(xs, axes, 0, 1, 1)
    if length > 2:
        before = odd if length % 2 else _every(odd, axes, 0, length // 2 - 1, 1)
        rest = combine(before, rest)
        even = [concat([f, r], axis=a) for f, r, a in zip(first, rest, axes, strict=True)]
    else:
        even = first
    return [_interleave(e, o, a) for e, o, a in zip(even, odd, axes, strict=True)]


def _every(
    xs: Sequence[Tensor], axes: Sequence[int], start: int, stop: int, step: int
) -> list[Tensor]:
    return [
        x[(*(slice(None),) * a, slice(start, stop, step))] for x, a in zip(xs, axes, strict=True)
    ]


def _interleave(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    n = odd.shape[axis]
    (head,) = _every([even], [axis], 0, n, 1)
    both = stack([head, odd], axis=axis + 1)
    shape = (*odd.shape[:axis], 2 * n, *odd.shape[axis + 1 :])
    both = both.reshape(shape)
    return both if even.shape[axis] == n else concat([both, even[_last(axis)]], axis=axis)


def _last(axis: int) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(-1, None))


def _flipped(xs: Sequence[Tensor], axes: Sequence[int]) -> list[Tensor]:
    return [flip(x, axis=a) for x, a in zip(xs, axes, strict=True)]
