"""DataLoader: batches of a dataset, in an order that depends on its generator alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

from lucid.config import get_default_dtype
from lucid.data.context import OwnGenerator
from lucid.data.dataset import IterableDataset, as_dataset
from lucid.data.fetch import END, Fetcher
from lucid.data.sampler import BatchSampler, RandomSampler, SequentialSampler, positive
from lucid.data.workers import Pool, Setup
from lucid.errors import OperandError, OptionError, StateDictError, WorkerError, message
from lucid.ops.random.generator import Generator

__all__ = ["DataLoader"]

_STATE = {"batches", "batch_size", "drop_last", "generator", "length", "sampler"}


class DataLoader:
    """An iterable over the batches of a dataset; every iteration is an epoch.

    Batches and their order depend on the dataset, the samplers and the generator, never on the
    number or kind of workers. `state_dict` tells where the loader is, also in the middle of an
    epoch; with `load_state_dict` another one continues with exactly the batches that were left.

    Args:
        dataset: a `Dataset`, or anything with ``__getitem__`` and ``__len__``; an
            `IterableDataset`, or another iterable that starts anew each time; an array, DataFrame
            or Series, for its rows; a ``Bunch`` of scikit-learn, for pairs of data and target.
        batch_size: samples per batch; None gives single samples, not collated.
        shuffle: fetch in a new random order every epoch.
        sampler: an iterable of numbers of samples, instead of `shuffle`.
        batch_sampler: an iterable of lists of such numbers, instead of the four above and below.
        num_workers: how many workers fetch ahead; 0 fetches when a batch is asked for.
        collate_fn: makes a batch of a list of samples; None takes `default_collate`, or the
            dataset's own ``fetch``.
        drop_last: leave out the last batch of an epoch if it is smaller.
        timeout: seconds to wait for a worker's batch; 0 waits as long as the worker lives.
        worker_init_fn: called in each worker with its number before anything else.
        generator: a `lucid.random.Generator` or a seed; None starts one from the default
            generator at the first epoch.
        prefetch_factor: batches that each worker is ahead; None means 2.
        persistent_workers: keep the workers from epoch to epoch.
        worker_kind: "process" spawns processes, which need a dataset that can be pickled and an
            ``if __name__ == "__main__":`` in scripts. Their global generators (of `random`,
            `numpy.random` and lucid) are seeded for each batch. "thread" shares memory and starts
            at once, and is the better choice where NumPy or reading files takes the time.

    Raises:
        OptionError: if arguments exclude each other or are out of range.
        OperandError: if the dataset cannot be fetched from.
        WorkerError: in an iteration, if a worker process dies.
        WorkerTimeoutError: in an iteration, if a batch takes longer than `timeout`.

    Example:
        >>> import numpy as np
        >>> from lucid import data
        >>> pairs = data.TensorDataset(np.arange(10.0).reshape(5, 2), np.arange(5))
        >>> for x, y in data.DataLoader(pairs, batch_size=2, shuffle=True, generator=0):
        ...     print(x.shape, y.dtype)
        (2, 2) int64
        (2, 2) int64
        (1, 2) int64
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        *,
        generator: Generator | int | None = None,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        worker_kind: Literal["process", "thread"] = "process",
    ) -> None:
        self.dataset = as_dataset(dataset)
        kind = type(self.dataset)
        self._stream = isinstance(self.dataset, IterableDataset) or not hasattr(kind, "__getitem__")
        _check_order(self._stream, batch_size, shuffle, sampler, batch_sampler, drop_last)
        self._generator = OwnGenerator("DataLoader", generator)
        self.num_workers = positive("DataLoader", "num_workers", num_workers, least=0)
        _check_workers(self.num_workers, timeout, prefetch_factor, persistent_workers, worker_kind)
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.worker_kind = worker_kind
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.batch_size = batch_size
        self.sampler: Any = None
        self.batch_sampler: Any = None
        if not self._stream:
            self._arrange(shuffle, sampler, batch_sampler)
        size = batch_size if batch_sampler is None else 1
        self._fetcher = Fetcher(self.dataset, self._stream, size, drop_last, collate_fn)
        self._epoch: _Epoch | None = None
        self._resume: int = 0
        self._pool: Pool | None = None
        self._user: Any = lambda: None  # a weak reference to the iterator that has the pool

    def _arrange(self, shuffle: bool, sampler: Any, batch_sampler: Any) -> None:
        """Set what yields the numbers of an epoch."""
        if batch_sampler is not None:
            self.batch_sampler, self.batch_size = batch_sampler, None
            return
        if shuffle:
            sampler = RandomSampler(self.dataset)
            sampler._generator = self._generator
        self.sampler = SequentialSampler(self.dataset) if sampler is None else sampler
        self.batch_sampler = (
            None
            if self.batch_size is None
            else BatchSampler(self.sampler, self.batch_size, self.drop_last)
        )

    @property
    def _order(self) -> Any:
        """What yields the numbers of an epoch; nothing for a stream."""
        if self._stream:
            return None
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __len__(self) -> int:
        """Return the number of batches in an epoch.

        Raises:
            OperandError: for a stream without a length.
        """
        if not self._stream:
            return len(self._order)
        if not hasattr(type(self.dataset), "__len__"):
            got = f"a stream, {type(self.dataset).__name__}"
            raise OperandError(message("len(DataLoader)", "a dataset with a length", got))
        n, size = len(self.dataset), self.batch_size or 1
        return n // size if self.drop_last else -(-n // size)

    def __iter__(self) -> Iterator[Any]:
        start, self._resume = self._resume, 0
        epoch = self._epoch = _Epoch(self._generator.words(), self._sampler_state(), start)
        words = self._generator.get().next_key().data.numpy()
        order = None if self._stream else iter(self._order)
        if order is not None:
            skipped = sum(1 for _ in islice(order, start))
            if skipped < start:
                got = f"{skipped} batches"
                want = f"an epoch of at least {start} batches"
                raise StateDictError(message("DataLoader", want, got))
        if self.num_workers == 0:
            return _Serial(self._fetcher, order, words, epoch)
        pool, owned = self._workers()
        ahead = self.prefetch_factor * self.num_workers
        found = _Parallel(pool, owned, order, words, epoch, ahead, self.timeout)
        if not owned:
            self._user = weakref.ref(found)
        return found

    def _workers(self) -> tuple[Pool, bool]:
        """Return workers, and whether the iteration ends them."""
        setup = Setup(
            self._fetcher,
            self.num_workers,
            self.worker_kind,
            self.worker_init_fn,
            get_default_dtype(),
        )
        user = self._user()
        if not self.persistent_workers or (user is not None and not user.finished):
            return Pool(setup), True
        if self._pool is None or self._pool.broken:
            self._pool = Pool(setup)
            weakref.finalize(self, self._pool.stop)
        return self._pool, False

    # -- where it is -----------------------------------------------------------------------------

    def _sampler_state(self) -> dict[str, Any]:
        order = self._order
        return order.state_dict() if hasattr(order, "state_dict") else {}

    def _length(self) -> int | None:
        return len(self.dataset) if hasattr(type(self.dataset), "__len__") else None

    def state_dict(self) -> dict[str, Any]:
        """Return where the latest iteration is: lists, numbers and dicts, which `lucid.save` takes.

        Batches count that were handed out; those that workers have fetched ahead do not.
        """
        epoch = self._epoch
        if epoch is None or epoch.done:
            words, sampler, batches = self._generator.words(), self._sampler_state(), self._resume
        else:
            words, sampler, batches = epoch.words, epoch.sampler, epoch.delivered
        return {
            "generator": words,
            "sampler": sampler,
            "batches": batches,
            "batch_size": self.batch_size,
            "drop_last": self.drop_last,
            "length": self._length(),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where another loader was: the next iteration gives what was left of its epoch.

        A stream is read again and its first batches are skipped; a sampler or stream of your own
        has to give the same as before, or save its state in a ``state_dict`` of its own.

        Args:
            state_dict: what `state_dict` returned, of a loader with equal arguments.

        Raises:
            StateDictError: if it is of another batch size, dataset length or kind.
        """
        name = "DataLoader.load_state_dict"
        if not isinstance(state_dict, Mapping) or set(state_dict) != _STATE:
            got = repr(sorted(state_dict) if isinstance(state_dict, Mapping) else state_dict)
            raise StateDictError(message(name, f"entries {', '.join(sorted(_STATE))}", got))
        own = {"batch_size": self.batch_size, "drop_last": self.drop_last, "length": self._length()}
        for entry, value in own.items():
            if state_dict[entry] != value:
                got = f"{state_dict[entry]}"
                raise StateDictError(message(name, f"{entry} {value}", got))
        batches = state_dict["batches"]
        if isinstance(batches, bool) or not isinstance(batches, int) or batches < 0:
            raise StateDictError(message(name, "a number of batches", repr(batches)))
        self._generator.restore(state_dict["generator"])
        if hasattr(self._order, "load_state_dict"):
            self._order.load_state_dict(state_dict["sampler"])
        self._epoch, self._resume = None, batches


class _Epoch:
    """Where an iteration is: the states from before it, and how many batches it has given."""

    __slots__ = ("delivered", "done", "sampler", "words")

    def __init__(self, words: list[int], sampler: dict[str, Any], delivered: int) -> None:
        self.words = words
        self.sampler = sampler
        self.delivered = delivered
        self.done = False


class _Serial:
    """Fetches each batch when it is asked for."""

    def __init__(self, fetcher: Fetcher, order: Any, words: Any, epoch: _Epoch) -> None:
        own = Fetcher.__new__(Fetcher)  # two iterations at once have an epoch each
        own.__dict__.update(fetcher.__dict__)
        own.begin(words, epoch.delivered, 1)
        self._fetcher, self._order, self._epoch = own, order, epoch

    def __iter__(self) -> _Serial:
        return self

    def __next__(self) -> Any:
        epoch = self._epoch
        indices = END if epoch.done else None if self._order is None else next(self._order, END)
        batch = END if indices is END else self._fetcher.fetch(epoch.delivered, indices)
        if batch is END:
            epoch.done = True
            raise StopIteration
        epoch.delivered += 1
        return batch


class _Parallel:
    """Asks workers for batches ahead of time, and hands them out in order."""

    def __init__(
        self,
        pool: Pool,
        owned: bool,
        order: Any,
        words: Any,
        epoch: _Epoch,
        ahead: int,
        timeout: float,
    ) -> None:
        self._pool, self._order, self._epoch, self._timeout = pool, order, epoch, timeout
        self._asked = epoch.delivered
        self.finished = False
        self._end = weakref.finalize(self, pool.stop) if owned else None
        try:
            pool.begin(words, epoch.delivered)
            for _ in range(ahead):
                self._ask()
        except BaseException:
            self._close(broken=True)
            raise

    def _ask(self) -> None:
        indices = None if self._order is None else next(self._order, END)
        if indices is not END:
            self._pool.submit(self._asked, indices)
            self._asked += 1

    def __iter__(self) -> _Parallel:
        return self

    def __next__(self) -> Any:
        epoch = self._epoch
        if self.finished or epoch.delivered == self._asked:
            return self._stop()
        try:
            batch = self._pool.receive(epoch.delivered, self._timeout)
            if batch is END:
                return self._stop()
            self._ask()
        except BaseException as error:
            self._close(broken=isinstance(error, WorkerError) or not isinstance(error, Exception))
            raise
        epoch.delivered += 1
        return batch

    def _stop(self) -> Any:
        if not self.finished:
            self._epoch.done = True
            self._close(broken=False)
        raise StopIteration

    def _close(self, broken: bool) -> None:
        self.finished = True
        self._order = iter(())
        if self._end is not None:
            self._end()
        elif broken or self._pool.broken:
            self._pool.stop()


def _check_order(
    stream: bool, batch_size: Any, shuffle: bool, sampler: Any, batches: Any, drop_last: bool
) -> None:
    """Raise where arguments about the order exclude each other."""
    name = "DataLoader"
    if batch_size is not None:
        positive(name, "batch_size", batch_size)
    given = [n for n, x in (("shuffle", shuffle), ("sampler", sampler is not None)) if x]
    if stream and (given or batches is not None):
        got = ", ".join(given) or "batch_sampler"
        hint = "shuffle in its __iter__, with lucid.data.sample_key()"
        raise OptionError(message(name, "a stream in its own order", got, hint))
    if batches is not None:
        given += [n for n, x in (("batch_size", batch_size != 1), ("drop_last", drop_last)) if x]
        if given:
            raise OptionError(message(name, "batch_sampler alone", f"also {', '.join(given)}"))
    elif len(given) == 2:
        raise OptionError(message(name, "shuffle or sampler", "both"))
    if batch_size is None and drop_last:
        raise OptionError(message(name, "a batch_size where drop_last=True", "None"))


def _check_workers(count: int, timeout: Any, prefetch: Any, persistent: bool, kind: str) -> None:
    """Raise where arguments about workers are out of range, or without workers to apply to."""
    name = "DataLoader"
    if kind not in ("process", "thread"):
        raise OptionError(message(name, 'worker_kind "process" or "thread"', repr(kind)))
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
        raise OptionError(message(name, "a timeout in seconds", repr(timeout)))
    if prefetch is not None:
        positive(name, "prefetch_factor", prefetch)
    about = (
        ("timeout", timeout),
        ("prefetch_factor", prefetch),
        ("persistent_workers", persistent),
    )
    given = [what for what, x in about if x]
    if not count and given:
        got = f"{', '.join(given)} and num_workers=0"
        raise OptionError(message(name, "at least one worker", got))
