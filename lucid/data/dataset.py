"""Datasets: what a DataLoader fetches samples from, by number or as a stream."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import index
from typing import Any

import numpy as np

from lucid.core.tensor import wrap
from lucid.data.context import OwnGenerator
from lucid.data.sources import array_of, is_bunch, is_frame, is_series, one_length, open_npy
from lucid.errors import IndexOutOfBoundsError, OperandError, OptionError, message
from lucid.ops.random.discrete import permutation
from lucid.ops.random.generator import Generator

__all__ = [
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "NpyDataset",
    "Subset",
    "TensorDataset",
    "as_dataset",
    "random_split",
    "shard",
]


class Dataset:
    """Base class of datasets whose samples have numbers: define ``__getitem__`` and ``__len__``.

    A dataset that reads many samples faster than one by one also defines ``fetch(indices)``, which
    takes a list of integers and returns the collated batch; the DataLoader uses it where it was
    given no ``collate_fn``.

    Example:
        >>> from lucid import data
        >>> class Squares(data.Dataset):
        ...     def __len__(self):
        ...         return 5
        ...
        ...     def __getitem__(self, i):
        ...         return i * i
        >>> list(data.DataLoader(Squares(), batch_size=3))
        [Tensor([0, 1, 4]), Tensor([ 9, 16])]
    """

    def __getitem__(self, i: Any) -> Any:
        """Return sample number `i`."""
        raise _undefined(self, "__getitem__")

    def __len__(self) -> int:
        """Return the number of samples."""
        raise _undefined(self, "__len__")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset:
    """Base class of datasets that are streams: define ``__iter__``, the same at every call.

    With n workers, each reads the stream and keeps every n-th batch, so that batches and their
    order are those of a single reader. A dataset that can skip samples without reading them
    overrides `shard`, which also serves a loader that resumes.

    Example:
        >>> from lucid import data
        >>> class Count(data.IterableDataset):
        ...     def __iter__(self):
        ...         return iter(range(5))
        >>> list(data.DataLoader(Count(), batch_size=2, drop_last=True))
        [Tensor([0, 1]), Tensor([2, 3])]
    """

    def __iter__(self) -> Iterator[Any]:
        raise _undefined(self, "__iter__")

    def shard(self, first: int, step: int, block: int) -> Iterator[Any]:
        """Return the samples of every `step`-th block, from block number `first` on.

        Args:
            first: the first block.
            step: from one block to the next.
            block: how many samples make a block.
        """
        return shard(self, first, step, block)


def _undefined(dataset: Any, method: str) -> OperandError:
    kind = type(dataset).__name__
    return OperandError(message(kind, f"a class that defines {method}", "none"))


def shard(stream: Iterable[Any], first: int, step: int, block: int) -> Iterator[Any]:
    """Do what `IterableDataset.shard` says, by reading the whole stream."""
    if first == 0 and step == 1:
        return iter(stream)

    def chosen() -> Iterator[Any]:
        left = first * block  # samples to skip
        taken = 0
        for sample in stream:
            if left:
                left -= 1
                continue
            yield sample
            taken += 1
            if taken == block:
                taken, left = 0, (step - 1) * block

    return chosen()


def _place(name: str, i: Any, length: int) -> int:
    """Return a sample's number from 0."""
    try:
        k = index(i)
    except TypeError:
        raise OperandError(message(name, "an integer index", type(i).__name__)) from None
    if not -length <= k < length:
        raise IndexOutOfBoundsError(message(name, f"an index into {length} samples", str(k)))
    return k % length


class TensorDataset(Dataset):
    """Samples that are tuples of slices of arrays along their first axes.

    Args:
        arrays: arrays of one length: NumPy arrays, Tensors, nested lists, pandas DataFrames or
            Series, of numbers and booleans. They are not copied; samples and batches are. A
            ``Bunch`` of scikit-learn stands for its data and its target.

    Raises:
        OperandError: if lengths differ.
        DTypeError: if an array holds anything but numbers.

    Example:
        >>> import numpy as np
        >>> from lucid import data
        >>> dataset = data.TensorDataset(np.arange(6.0).reshape(3, 2), [0, 1, 1])
        >>> dataset[1]
        (Tensor([2., 3.]), Tensor(1))
    """

    def __init__(self, *arrays: Any) -> None:
        parts: list[Any] = []
        for x in arrays:
            parts += [x["data"], x["target"]] if is_bunch(x) else [x]
        self.arrays = tuple(array_of(type(self).__name__, x) for x in parts)
        self._length = one_length(type(self).__name__, self.arrays)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, i: Any) -> Any:
        k = _place(type(self).__name__, i, self._length)
        return tuple([wrap(np.array(a[k]), None) for a in self.arrays])

    def fetch(self, indices: Sequence[int]) -> Any:
        """Return the batch of these samples."""
        rows = np.asarray(indices, np.intp)
        if rows.size and (rows.min() < -self._length or rows.max() >= self._length):
            wrong = next(int(k) for k in rows if not -self._length <= k < self._length)
            _place(type(self).__name__, wrong, self._length)
        return tuple([wrap(np.asarray(a[rows]), None) for a in self.arrays])


class NpyDataset(TensorDataset):
    """A TensorDataset over ``.npy`` files, mapped into memory: only what is fetched is read.

    Worker processes are told the paths and map the files themselves.

    Args:
        paths: files of arrays of one length, as `numpy.save` writes them.

    Raises:
        FileFormatError: if a file is not a whole ``.npy`` file of numbers.
        OperandError: if lengths differ.
        OSError: if a file cannot be opened.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from lucid import data
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "x.npy")
        ...     np.save(path, np.arange(4.0))
        ...     data.NpyDataset(path)[2]
        (Tensor(2.),)
    """

    def __init__(self, *paths: str | os.PathLike[str]) -> None:
        self.paths = tuple(os.path.abspath(p) for p in paths)
        self.arrays = tuple(map(open_npy, self.paths))
        self._length = one_length("NpyDataset", self.arrays)

    def __reduce__(self) -> Any:
        return type(self), self.paths


class Subset(Dataset):
    """Some samples of another dataset, in a given order.

    Args:
        dataset: the dataset.
        indices: numbers of its samples.

    Example:
        >>> from lucid import data
        >>> list(data.Subset([10, 20, 30], [2, 0]))
        [30, 10]
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = as_dataset(dataset)
        self.indices = [index(k) for k in indices]
        if hasattr(self.dataset, "fetch"):
            self.fetch = self._fetch

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: Any) -> Any:
        return self.dataset[self.indices[_place("Subset", i, len(self.indices))]]

    def _fetch(self, indices: Sequence[int]) -> Any:
        chosen = [self.indices[_place("Subset", i, len(self.indices))] for i in indices]
        return self.dataset.fetch(chosen)


class ConcatDataset(Dataset):
    """The samples of several datasets, one after the other.

    Args:
        datasets: at least one dataset with numbered samples.

    Raises:
        OperandError: if there is none, or a stream among them.

    Example:
        >>> from lucid import data
        >>> list(data.ConcatDataset([[1, 2], [3]]))
        [1, 2, 3]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = [as_dataset(d) for d in datasets]
        if not self.datasets or any(isinstance(d, IterableDataset) for d in self.datasets):
            got = "a stream" if self.datasets else "none"
            raise OperandError(message("ConcatDataset", "datasets with numbered samples", got))
        self.ends = list(accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, i: Any) -> Any:
        k = _place("ConcatDataset", i, len(self))
        which = bisect_right(self.ends, k)
        return self.datasets[which][k - (self.ends[which - 1] if which else 0)]


class _Rows(TensorDataset):
    """The slices of one array as samples."""

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i)[0]

    def fetch(self, indices: Sequence[int]) -> Any:
        """Return the batch of these samples."""
        return super().fetch(indices)[0]


def as_dataset(x: Any) -> Any:
    """Return what a DataLoader can fetch from: arrays and tables by their rows, the rest as it is.

    A ``Bunch`` of scikit-learn gives pairs of data and target.

    Raises:
        OperandError: if it has neither numbered samples nor an iterator.
    """
    if is_bunch(x):
        return TensorDataset(x)
    if isinstance(x, np.ndarray) or is_frame(x) or is_series(x) or hasattr(x, "_note"):
        return _Rows(x)
    kind = type(x)
    if isinstance(x, IterableDataset) or (
        hasattr(kind, "__getitem__") and hasattr(kind, "__len__")
    ):
        return x
    if not hasattr(kind, "__iter__") or iter(x) is x:
        hint = "define __getitem__ and __len__, or __iter__, in a class"
        want = "a dataset, an array, a table or a stream that can be read again"
        raise OperandError(message("DataLoader", want, kind.__name__, hint))
    return x


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Generator | int | None = None
) -> list[Subset]:
    """Divide a dataset into random parts that do not overlap.

    Args:
        dataset: a dataset of n samples.
        lengths: sizes that sum to n, or fractions that sum to 1: what rounding down leaves is
            given to the first parts, one each.
        generator: a generator or seed; None takes the default generator.

    Returns:
        One Subset per length.

    Raises:
        OptionError: if the lengths do not fit.

    Example:
        >>> from lucid import data
        >>> first, second = data.random_split(list(range(10)), [0.7, 0.3], generator=0)
        >>> len(first), len(second), sorted([*first, *second]) == list(range(10))
        (7, 3, True)
    """
    source = as_dataset(dataset)
    n = len(source)
    sizes = [_size(x, n) for x in lengths]
    fractions = any(isinstance(x, float) for x in lengths)
    if fractions and math.isclose(sum(lengths), 1.0, rel_tol=1e-9):
        for k in range(n - sum(sizes)):
            sizes[k % len(sizes)] += 1
    if sum(sizes) != n or min(sizes, default=0) < 0:
        want = f"lengths that sum to {n}, or fractions that sum to 1"
        raise OptionError(message("random_split", want, repr(list(lengths))))
    key = OwnGenerator("random_split", generator).get().next_key()
    order = permutation(key, n).tolist()
    ends = list(accumulate(sizes))
    return [Subset(source, order[e - s : e]) for s, e in zip(sizes, ends, strict=True)]


def _size(x: int | float, n: int) -> int:
    return math.floor(x * n + 1e-9 * n) if isinstance(x, float) else index(x)
