"""Samplers: the order in which a DataLoader fetches samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import islice
from operator import index
from typing import Any

import numpy as np

from lucid.data.context import OwnGenerator
from lucid.data.sources import array_of
from lucid.errors import OptionError, StateDictError, message
from lucid.ops.random.continuous import uniform
from lucid.ops.random.discrete import permutation, randint
from lucid.ops.random.generator import Generator

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "WeightedRandomSampler",
    "positive",
]

_CHUNK = 1 << 16  # indices that become Python integers at once


def positive(name: str, what: str, value: Any, *, least: int = 1) -> int:
    """Return an integer argument that must not be below `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or index(value) < least:
        raise OptionError(message(name, f"{what} of at least {least}", repr(value)))
    return index(value)


class Sampler:
    """Base class of samplers: define ``__iter__``, which yields numbers, and ``__len__``.

    A sampler with a state of its own defines ``state_dict`` and ``load_state_dict``; a DataLoader
    saves the state from before an epoch, and goes through the epoch again to where it was.

    Example:
        >>> from lucid import data
        >>> class Backwards(data.Sampler):
        ...     def __iter__(self):
        ...         return iter([2, 1, 0])
        ...
        ...     def __len__(self):
        ...         return 3
        >>> list(data.DataLoader([1.0, 2.0, 3.0], batch_size=2, sampler=Backwards()))
        [Tensor([3., 2.]), Tensor([1.])]
    """

    def __iter__(self) -> Iterator[Any]:
        want = "a class that defines __iter__"
        raise OptionError(message(type(self).__name__, want, "none"))


class SequentialSampler(Sampler):
    """The samples in their order.

    Args:
        data_source: a dataset.

    Example:
        >>> from lucid import data
        >>> list(data.SequentialSampler("abc"))
        [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class _Drawn(Sampler):
    """A sampler that draws all numbers of an epoch with one key of its generator."""

    num_samples: int
    _generator: OwnGenerator

    def draw(self) -> np.ndarray[Any, Any]:
        """Return the numbers of an epoch."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        order = self.draw()  # now, and not when the first number is asked for
        starts = range(0, len(order), _CHUNK)
        return (k for start in starts for k in order[start : start + _CHUNK].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator."""
        return {"generator": self._generator.words()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state."""
        if "generator" not in state_dict:
            name = f"{type(self).__name__}.load_state_dict"
            raise StateDictError(message(name, "the entry 'generator'", repr(list(state_dict))))
        self._generator.restore(state_dict["generator"])


class RandomSampler(_Drawn):
    """The samples in a new random order every epoch.

    Args:
        data_source: a dataset.
        replacement: draw each number independently, so that samples can repeat.
        num_samples: how many numbers make an epoch; None takes the length of the dataset. Without
            replacement, more than that means several orders one after the other.
        generator: a generator or a seed; None starts one from the default generator.

    Raises:
        OptionError: if `num_samples` is no positive integer.

    Example:
        >>> from lucid import data
        >>> sorted(data.RandomSampler("abc", generator=0))
        [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | int | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = (
            None if num_samples is None else positive("RandomSampler", "num_samples", num_samples)
        )
        self._generator = OwnGenerator("RandomSampler", generator)

    @property
    def num_samples(self) -> int:  # type: ignore[override]
        """How many numbers make an epoch."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def draw(self) -> np.ndarray[Any, Any]:
        """Return the numbers of an epoch."""
        n, count, generator = len(self.data_source), self.num_samples, self._generator.get()
        if n == 0 and count:
            got = "an empty dataset"
            raise OptionError(message("RandomSampler", "samples to draw from", got))
        if self.replacement:
            return randint(generator.next_key(), 0, max(n, 1), (count,)).numpy()
        orders = [
            permutation(generator.next_key(), n).numpy() for _ in range(-(-count // max(n, 1)))
        ]
        return np.concatenate([*orders, np.empty(0, np.int64)])[:count]


class WeightedRandomSampler(_Drawn):
    """Numbers drawn with given weights.

    Args:
        weights: one number per sample, not negative; they need not sum to 1.
        num_samples: how many numbers make an epoch.
        replacement: draw each number independently; otherwise none repeats.
        generator: a generator or a seed; None starts one from the default generator.

    Raises:
        OptionError: if the weights are not finite, negative, or too few of them positive.

    Example:
        >>> from lucid import data
        >>> list(data.WeightedRandomSampler([0.0, 1.0], 3))
        [1, 1, 1]
    """

    def __init__(
        self,
        weights: Any,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | int | None = None,
    ) -> None:
        name = "WeightedRandomSampler"
        self.num_samples = positive(name, "num_samples", num_samples)
        self.replacement = replacement
        self._generator = OwnGenerator(name, generator)
        self.weights = np.array(array_of(name, weights), np.float64)
        w = self.weights
        least = 1 if replacement else self.num_samples
        if w.ndim != 1 or not np.all((w >= 0) & (w < np.inf)) or np.count_nonzero(w) < least:
            want = f"finite weights, not negative, at least {least} of them positive"
            raise OptionError(message(name, want, f"{w!r:.80}"))

    def draw(self) -> np.ndarray[Any, Any]:
        """Return the numbers of an epoch."""
        w, key = self.weights, self._generator.get().next_key()
        if self.replacement:  # by inversion: memory of one number per draw
            total = np.cumsum(w / w.max())
            u = uniform(key, (self.num_samples,), dtype=np.float64).numpy() * total[-1]
            last = int(np.flatnonzero(w)[-1])
            return np.minimum(np.searchsorted(total, u, side="right"), last)
        # the first arrivals of independent exponential clocks; those of weight 0 never come
        u = uniform(key, w.shape, dtype=np.float64).numpy()
        rows = np.flatnonzero(w)
        with np.errstate(divide="ignore"):
            arrival = np.log(-np.log1p(-u[rows])) - np.log(w[rows])
        return rows[np.argsort(arrival, kind="stable")[: self.num_samples]]


class BatchSampler(Sampler):
    """Groups the numbers of another sampler into lists.

    Args:
        sampler: an iterable of numbers, the same length every time.
        batch_size: how many make a batch.
        drop_last: leave out a last batch that is smaller.

    Raises:
        OptionError: if `batch_size` is no positive integer.

    Example:
        >>> from lucid import data
        >>> list(data.BatchSampler(range(5), 2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = positive("BatchSampler", "batch_size", batch_size)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        return self._grouped(iter(self.sampler))

    def _grouped(self, numbers: Iterator[int]) -> Iterator[list[int]]:
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        assert isinstance(self.sampler, Sized)
        n = len(self.sampler)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the sampler inside, if it has one."""
        inner: Any = self.sampler
        return inner.state_dict() if hasattr(inner, "state_dict") else {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state."""
        inner: Any = self.sampler
        if hasattr(inner, "load_state_dict"):
            inner.load_state_dict(state_dict)
