"""Sequences of different lengths: padded to one array, or packed behind one another by time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, OptionError, ShapeError, message
from lucid.functional.pad import pad
from lucid.ops.axes import as_tensor
from lucid.ops.creation import full
from lucid.ops.index import take
from lucid.ops.join import concat, stack
from lucid.ops.permute import swapaxes

__all__ = [
    "PackedSequence",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]

Numbers = Sequence[int] | np.ndarray[Any, Any] | Tensor


class PackedSequence(NamedTuple):
    """Sequences without padding: first the first entries of all, the longest first, then the next.

    Attributes:
        data: of shape (sum of the lengths, ...).
        batch_sizes: how many sequences are as long, for every time.
        sorted_indices: which sequence comes at which place; None if their order is kept.
        unsorted_indices: at which place which sequence comes; or None.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None


def _integers(name: str, what: str, numbers: Any) -> np.ndarray[Any, Any]:
    """Return numbers that decide shapes."""
    found = np.asarray(numbers.tolist() if isinstance(numbers, Tensor) else numbers)
    if found.ndim != 1 or found.dtype.kind not in "iu" or not found.size:
        raise OperandError(message(name, f"a sequence of integers as {what}", repr(numbers)))
    return found.astype(np.int64)


def places(packed: PackedSequence) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return time and number of the sequence of every entry of the packed data."""
    sizes = _integers("PackedSequence", "batch_sizes", packed.batch_sizes)
    times = np.repeat(np.arange(len(sizes)), sizes)
    ranks = np.concatenate([np.arange(n) for n in sizes])
    if packed.sorted_indices is None:
        return times, ranks
    return times, _integers("PackedSequence", "sorted_indices", packed.sorted_indices)[ranks]


def repack(padded: Tensor, like: PackedSequence) -> PackedSequence:
    """Return a padded array, of shape (time, batch, ...), packed as another one is."""
    return like._replace(data=padded[places(like)])


def pack_padded_sequence(
    input: ArrayLike, lengths: Numbers, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave out the padding of sequences.

    Args:
        input: of shape (time, batch, ...).
        lengths: of the sequences, which decide the shape of the result.
        batch_first: whether `input` has shape (batch, time, ...).
        enforce_sorted: whether sequences must come by falling length; if not, they are sorted.

    Returns:
        A PackedSequence.

    Raises:
        ShapeError: if lengths do not fit.
        OptionError: if they rise although `enforce_sorted` is set.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> x = lucid.asarray([[1, 2], [3, 0]])
        >>> nn.utils.rnn.pack_padded_sequence(x, [2, 1]).data
        Tensor([1, 2, 3])
    """
    name = "pack_padded_sequence"
    x = as_tensor(name, input, view=True)
    if x.ndim < 2:
        raise ShapeError(message(name, "an input of shape (time, batch, ...)", f"shape {x.shape}"))
    x = swapaxes(x, 0, 1) if batch_first else x
    sizes = _integers(name, "lengths", lengths)
    if len(sizes) != x.shape[1] or sizes.min() < 1 or sizes.max() > x.shape[0]:
        want = f"{x.shape[1]} lengths from 1 to {x.shape[0]}"
        raise ShapeError(message(name, want, str(sizes.tolist())))
    order = back = None
    if not enforce_sorted:
        by_length = np.argsort(-sizes, kind="stable")
        order, back = Tensor(by_length), Tensor(np.argsort(by_length, kind="stable"))
        sizes = sizes[by_length]
    elif (np.diff(sizes) > 0).any():
        hint = "pass enforce_sorted=False to have them sorted"
        raise OptionError(message(name, "falling lengths", str(sizes.tolist()), hint))
    counts = Tensor((np.arange(sizes[0])[:, None] < sizes).sum(1))
    return repack(x, PackedSequence(x, counts, order, back))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Undo `pack_padded_sequence`.

    Args:
        sequence: what is packed.
        batch_first: whether the result has shape (batch, time, ...), not (time, batch, ...).
        padding_value: what is put behind the ends.
        total_length: how long the time axis is, at least; by default as long as need be.

    Returns:
        The padded array, and the lengths.

    Raises:
        OptionError: if `total_length` is too short.

    Example:
        >>> import lucid
        >>> from lucid.nn.utils import rnn
        >>> packed = rnn.pack_sequence([lucid.asarray([1.0, 2.0]), lucid.asarray([3.0])])
        >>> rnn.pad_packed_sequence(packed, batch_first=True)
        (Tensor([[1., 2.],
                [3., 0.]]), Tensor([2, 1]))
    """
    times, columns = places(sequence)
    longest = int(times[-1]) + 1
    total = longest if total_length is None else total_length
    if total < longest:
        want = f"a total_length of {longest} or more"
        raise OptionError(message("pad_packed_sequence", want, str(total_length)))
    lengths = np.bincount(columns)
    data = as_tensor("pad_packed_sequence", sequence.data)
    which = np.full((total, len(lengths)), len(times))  # the last row, which is the padding
    which[times, columns] = np.arange(len(times))
    rows = concat([data, full((1, *data.shape[1:]), padding_value, dtype=data.dtype)])
    return take(rows, which.T if batch_first else which, axis=0), Tensor(lengths)


def pad_sequence(
    sequences: Sequence[ArrayLike],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Put sequences of different lengths into one array.

    Args:
        sequences: at least one, of shapes (length, ...) that agree but for the length.
        batch_first: whether the result has shape (batch, time, ...), not (time, batch, ...).
        padding_value: what fills up the shorter ones.
        padding_side: on which side, "right" or "left".

    Returns:
        The array.

    Raises:
        OptionError: for another side.
        ShapeError: if the shapes do not agree.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> rows = [lucid.asarray([1, 2]), lucid.asarray([3])]
        >>> nn.utils.rnn.pad_sequence(rows, batch_first=True)
        Tensor([[1, 2],
                [3, 0]])
    """
    if padding_side not in ("right", "left"):
        want = 'padding_side "right" or "left"'
        raise OptionError(message("pad_sequence", want, repr(padding_side)))
    found = [as_tensor("pad_sequence", s) for s in sequences]
    shapes = [x.shape for x in found]
    if not shapes or any(not s or s[1:] != shapes[0][1:] for s in shapes):
        want = "sequences whose shapes agree but for the first axis"
        raise ShapeError(message("pad_sequence", want, ", ".join(map(str, shapes)) or "none"))
    longest = max(s[0] for s in shapes)
    rows = []
    for x in found:
        missing = longest - x.shape[0]
        sides = (0, missing) if padding_side == "right" else (missing, 0)
        rows.append(pad(x, (*(0, 0) * (x.ndim - 1), *sides), value=padding_value))
    return stack(rows, axis=0 if batch_first else 1)


def pack_sequence(sequences: Sequence[ArrayLike], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths.

    Args:
        sequences: at least one, of shapes (length, ...) that agree but for the length.
        enforce_sorted: whether they must come by falling length; if not, they are sorted.

    Returns:
        A PackedSequence.

    Raises:
        OptionError: if lengths rise although `enforce_sorted` is set.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.utils.rnn.pack_sequence([lucid.asarray([1, 2]), lucid.asarray([3])]).data
        Tensor([1, 3, 2])
    """
    lengths = [np.shape(s)[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, False, enforce_sorted)


def unpad_sequence(
    padded_sequences: ArrayLike, lengths: Numbers, batch_first: bool = False
) -> list[Tensor]:
    """Undo `pad_sequence`.

    Args:
        padded_sequences: of shape (time, batch, ...).
        lengths: of the sequences.
        batch_first: whether the array has shape (batch, time, ...).

    Returns:
        The sequences.

    Raises:
        ShapeError: if the lengths do not fit.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.utils.rnn.unpad_sequence(lucid.asarray([[1, 3], [2, 0]]), [2, 1])
        [Tensor([1, 2]), Tensor([3])]
    """
    x = as_tensor("unpad_sequence", padded_sequences, view=True)
    x = x if batch_first else swapaxes(x, 0, 1)
    sizes = _integers("unpad_sequence", "lengths", lengths)
    if len(sizes) != x.shape[0] or sizes.max() > x.shape[1]:
        want = f"{x.shape[0]} lengths up to {x.shape[1]}"
        raise ShapeError(message("unpad_sequence", want, str(sizes.tolist())))
    return [x[k, : int(n)] for k, n in enumerate(sizes)]


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undo `pack_sequence`.

    Args:
        packed_sequences: what is packed.

    Returns:
        The sequences.

    Example:
        >>> import lucid
        >>> from lucid.nn.utils import rnn
        >>> rnn.unpack_sequence(rnn.pack_sequence([lucid.asarray([1, 2]), lucid.asarray([3])]))
        [Tensor([1, 2]), Tensor([3])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
