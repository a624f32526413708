"""Fetching: from the numbers of samples, or from a stream, to batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from lucid.data.collate import default_collate, default_convert
from lucid.data.context import sampling
from lucid.data.dataset import IterableDataset, shard
from lucid.errors import WorkerError, message

__all__ = ["END", "Fetcher"]

END: Any = type("End", (), {"__repr__": lambda self: "END"})()  # a stream gives no more batches


class Fetcher:
    """Makes the batches of a loader, in the main process or in a worker.

    Args:
        dataset: numbered samples, or a stream.
        stream: which of the two.
        batch_size: samples per batch; None for single samples.
        drop_last: whether a stream's last batch is left out when it is smaller.
        collate: makes a batch of samples; None for the default.
    """

    def __init__(
        self,
        dataset: Any,
        stream: bool,
        batch_size: int | None,
        drop_last: bool,
        collate: Callable[[Any], Any] | None,
    ) -> None:
        self.dataset = dataset
        self.stream = stream
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.collate = collate
        self._words: Any = None
        self._items: Iterator[Any] | None = None

    def begin(self, words: Any, first: int, step: int) -> None:
        """Start an epoch with this key; of a stream, take every `step`-th block from `first` on."""
        self._words, self._items = words, None
        if self.stream:
            with sampling(words):
                block = self.batch_size or 1
                if isinstance(self.dataset, IterableDataset):
                    self._items = iter(self.dataset.shard(first, step, block))
                else:
                    self._items = iter(shard(self.dataset, first, step, block))

    def fetch(self, number: int, indices: Any) -> Any:
        """Return batch `number`, of these samples; END where a stream has no more."""
        try:
            return self._streamed(number) if self.stream else self._numbered(number, indices)
        except StopIteration as error:  # it would end the loop over the loader, silently
            want, got = "a dataset that returns samples", "one that raised StopIteration"
            raise WorkerError(message("DataLoader", want, got)) from error

    def _numbered(self, number: int, indices: Any) -> Any:
        dataset, words = self.dataset, self._words
        if self.batch_size is None:
            with sampling(words, number):
                sample = dataset[indices]
            return self._collated(number, sample)
        if self.collate is None and hasattr(dataset, "fetch"):
            with sampling(words, number):
                return dataset.fetch(indices)
        samples: list[Any] = []
        for place, k in enumerate(indices):
            with sampling(words, number, place):
                samples.append(dataset[k])
        return self._collated(number, samples)

    def _streamed(self, number: int) -> Any:
        assert self._items is not None
        size = self.batch_size or 1
        with sampling(self._words):
            samples = list(islice(self._items, size))
        if not samples or (self.drop_last and len(samples) < size):
            return END
        return self._collated(number, samples if self.batch_size else samples[0])

    def _collated(self, number: int, samples: Any) -> Any:
        collate = self.collate or (default_collate if self.batch_size else default_convert)
        with sampling(self._words, number):
            return collate(samples)
