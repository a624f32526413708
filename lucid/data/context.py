"""What the code of a dataset can ask while a DataLoader fetches from it: its worker and its key."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

from lucid.core.tensor import wrap
from lucid.errors import OptionError, message
from lucid.ops.random.generator import Generator, default_generator
from lucid.ops.random.keys import Key, fold_in

__all__ = ["OwnGenerator", "WorkerInfo", "get_worker_info", "sample_key", "sampling", "worker_info"]


class WorkerInfo(NamedTuple):
    """The worker in which code runs.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        kind: "thread" or "process".
        dataset: the dataset that it fetches from: a copy of its own in a process.
    """

    id: int
    num_workers: int
    kind: str
    dataset: Any


class _Sample:
    """Where the key of what is being fetched comes from; the key is made when it is asked for."""

    __slots__ = ("batch", "epoch", "key", "place")

    def __init__(self, epoch: Any, batch: int | None, place: int | None) -> None:
        self.epoch = epoch  # the words of the epoch's key
        self.batch = batch
        self.place = place
        self.key: Key | None = None


worker_info: ContextVar[WorkerInfo | None] = ContextVar("lucid_worker_info", default=None)
_sample: ContextVar[_Sample | None] = ContextVar("lucid_sample", default=None)


class sampling:  # noqa: N801 - reads as a statement
    """Give `sample_key` its key inside a ``with`` block: that of an epoch, batch or sample."""

    __slots__ = ("token", "what")

    def __init__(self, epoch: Any, batch: int | None = None, place: int | None = None) -> None:
        self.what = _Sample(epoch, batch, place)

    def __enter__(self) -> _Sample:
        self.token = _sample.set(self.what)
        return self.what

    def __exit__(self, *exception: object) -> None:
        _sample.reset(self.token)


def get_worker_info() -> WorkerInfo | None:
    """Return the worker in which this code runs; None outside of a DataLoader's workers.

    A dataset need not divide itself among workers: the DataLoader does.

    Returns:
        A `WorkerInfo`, or None.

    Example:
        >>> from lucid import data
        >>> data.get_worker_info() is None
        True
    """
    return worker_info.get()


def sample_key() -> Key:
    """Return the random key of the sample that a DataLoader is fetching.

    It depends on the loader's generator, the epoch and the sample's place in it, never on the
    worker: random transformations that draw with it are the same for any number of workers, and
    after the loader resumed in the middle of an epoch. In a ``collate_fn`` it is the key of the
    batch; in a stream, which is read once per worker, the key of the epoch.

    Returns:
        A Key for the functions of `lucid.random`; it is used once, so split it for several draws.

    Raises:
        OptionError: if no DataLoader is fetching.

    Example:
        >>> import lucid
        >>> class Noisy(lucid.data.Dataset):
        ...     def __len__(self):
        ...         return 2
        ...
        ...     def __getitem__(self, i):
        ...         return lucid.random.normal(lucid.data.sample_key(), (3,))
        >>> [batch.shape for batch in lucid.data.DataLoader(Noisy(), batch_size=2, generator=0)]
        [(2, 3)]
    """
    sample = _sample.get()
    if sample is None:
        hint = "call it in a dataset's __getitem__, or in a collate_fn"
        raise OptionError(message("sample_key", "a DataLoader that is fetching", "none", hint))
    if sample.key is None:
        key = Key(wrap(sample.epoch, None))
        for part in (sample.batch, sample.place):
            key = key if part is None else fold_in(key, part)
        sample.key = key
    return sample.key


class OwnGenerator:
    """The generator of a sampler or loader: the one given, or one seeded when first asked for."""

    def __init__(self, name: str, given: Generator | int | None) -> None:
        if given is not None and not isinstance(given, Generator | int):
            expected = "a lucid.random.Generator, an integer seed or None"
            raise OptionError(message(name, f"generator as {expected}", repr(given)))
        self._generator = Generator(given) if isinstance(given, int) else given

    def get(self) -> Generator:
        """Return it; without a seed, it starts from the default generator's next key."""
        if self._generator is None:
            self._generator = Generator(0)
            self._generator.state = default_generator.next_key().data
        return self._generator

    def words(self) -> list[int]:
        """Return its state as two integers."""
        return self.get().state.tolist()

    def restore(self, words: Any) -> None:
        """Continue from a state."""
        self.get().state = words
