"""Datasets and functions that worker processes of test_data.py can unpickle."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import lucid
from lucid import data


class Pair(NamedTuple):
    x: Any
    label: Any


class Trees(data.Dataset):
    """Samples that are pytrees, with random numbers of their own."""

    def __init__(self, n: int = 23) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Any:
        noise = lucid.random.normal(data.sample_key(), (2,))
        return {"pair": Pair(np.full((3,), i, np.float32), i), "noise": (noise, f"name{i}")}


class GlobalNoise(data.Dataset):
    """Samples that draw from the global generators."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, i: int) -> Any:
        return [random.random(), np.random.rand(), lucid.random.default_generator.normal()]


class Stream(data.IterableDataset):
    def __init__(self, n: int = 23) -> None:
        self.n = n

    def __iter__(self) -> Iterator[Any]:
        for i in range(self.n):
            yield {"i": i, "x": np.full(2, i, np.int16)}


class Fails(data.Dataset):
    """Fails in a given way at sample 5."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __len__(self) -> int:
        return 12

    def __getitem__(self, i: int) -> Any:
        if i == 5:
            if self.how == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            elif self.how == "exit":
                os._exit(3)
            elif self.how == "hang":
                time.sleep(1000)
            elif self.how == "strange":
                raise StrangeError(1, 2)
            elif self.how == "stop":
                raise StopIteration
            elif self.how == "unpicklable":
                return lambda: None
            raise KeyError("sample five")
        return i


class StrangeError(Exception):
    """Cannot be unpickled: its arguments are not what it was made with."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__("strange")


class Slow(data.Dataset):
    def __init__(self, n: int, seconds: float) -> None:
        self.n, self.seconds = n, seconds

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> int:
        time.sleep(self.seconds)
        return i


class Where(data.Dataset):
    """Samples that tell who fetched them."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, i: int) -> Any:
        info = data.get_worker_info()
        return (-1, 0, os.getpid()) if info is None else (info.id, info.num_workers, os.getpid())


def mark(number: int) -> None:
    """Be a worker_init_fn."""
    np.random.seed(number)
    marks.append(number)


marks: list[int] = []


class Marked(data.Dataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, i: int) -> Any:
        return len(marks)


def broken_init(number: int) -> None:
    raise ValueError(f"no start for {number}")


def double(samples: list[Any]) -> Any:
    """Be a collate_fn."""
    return [2 * s for s in samples]
