"""Datasets, samplers and loaders: values, order, workers, resuming, what goes wrong."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

import lucid
from lucid import data, errors, tree
from lucid.data import DataLoader
from tests import datasets

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _no_main_module(monkeypatch: Any) -> None:
    """Spare worker processes the import of pytest, which is the main module here."""
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)


def plain(batch: Any) -> Any:
    """A batch as something that can be compared: bytes, dtypes and shapes of its arrays."""

    def show(leaf: Any) -> Any:
        if isinstance(leaf, lucid.Tensor):
            return str(leaf.dtype), leaf.shape, leaf.numpy().tobytes()
        return leaf

    return repr(tree.map(show, batch))


def batches(loader: Any) -> list[Any]:
    return [plain(b) for b in loader]


def xy(n: int = 20) -> data.TensorDataset:
    return data.TensorDataset(np.arange(2.0 * n).reshape(n, 2), np.arange(n))


# -- collation -------------------------------------------------------------------------------------


def test_collate_keeps_containers_and_dtypes() -> None:
    def sample(k: int) -> Any:
        return {
            "pair": datasets.Pair(np.ones((2,), np.float32) * k, np.int8(k)),
            "rest": [k, float(k), bool(k), 1j * k, "text", None, lucid.asarray([k, k])],
        }

    batch = data.default_collate([sample(0), sample(1), sample(2)])
    assert type(batch["pair"]) is datasets.Pair
    assert batch["pair"].x.dtype == np.float32
    assert batch["pair"].x.shape == (3, 2)
    assert batch["pair"].label.dtype == np.int8
    ints, floats, bools, complexes, text, none, tensors = batch["rest"]
    assert [t.dtype.name for t in (ints, floats, bools, complexes)] == [
        "int64",
        "float64",
        "bool",
        "complex128",
    ]
    assert text == ["text"] * 3
    assert none is None
    assert tensors.shape == (3, 2)
    with lucid.set_default_dtype(lucid.float32):
        assert data.default_collate([1.0, 2]).dtype == np.float32
        assert data.default_collate([np.float64(1.0)]).dtype == np.float64


def test_collate_keeps_derivatives() -> None:
    gradient = lucid.grad(lambda x: data.default_collate([x * 2, x * x]).sum())(3.0)
    assert float(gradient) == 8.0


@pytest.mark.parametrize(
    ("samples", "error", "text"),
    [
        ([], errors.OperandError, "expected at least one sample, got none"),
        ([{"a": 1}, {"b": 1}], errors.OperandError, "in sample 1 of the batch"),
        ([np.ones(2), np.ones(3)], errors.ShapeError, r"samples of one shape, got \(2,\) and"),
    ],
)
def test_collate_errors(samples: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        data.default_collate(samples)


# -- datasets --------------------------------------------------------------------------------------


def test_tensor_dataset() -> None:
    source = np.arange(6, dtype=np.float32).reshape(3, 2)
    d = data.TensorDataset(source, lucid.asarray([True, False, True]), [1, 2, 3])
    assert len(d) == 3
    x, flag, n = d[-1]
    assert (x.dtype, flag.dtype, n.dtype) == (np.float32, np.bool_, np.int64)
    source[2] = 0  # samples are copies
    assert x.tolist() == [4.0, 5.0]
    with pytest.raises(errors.IndexOutOfBoundsError, match="an index into 3 samples, got 3"):
        d[3]
    with pytest.raises(IndexError):
        d.fetch([0, 3])
    with pytest.raises(errors.OperandError, match="arrays of one length, got 3, 4"):
        data.TensorDataset(np.ones(3), np.ones(4))
    with pytest.raises(errors.OperandError, match="got a 0-d array"):
        data.TensorDataset(1.0)
    with pytest.raises(errors.OperandError, match="an integer index, got str"):
        d["0"]


def test_fetching_many_is_fetching_one_by_one() -> None:
    d = data.TensorDataset(
        np.random.default_rng(0).normal(size=(9, 2, 3)), np.arange(9, dtype="i2")
    )
    for source in (d, data.Subset(d, [3, 1, 8, 0])):
        n = len(source)
        assert plain(source.fetch(range(n))) == plain(
            data.default_collate([*map(source.__getitem__, range(n))])
        )


def test_pandas() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": [True, False, True]})
    batch = next(iter(DataLoader(frame, batch_size=3)))
    assert batch.tolist() == [[1, 0.5, 1], [2, 1.5, 0], [3, 2.5, 1]]
    assert next(iter(DataLoader(frame["a"], batch_size=2))).dtype == np.int64
    small = pd.Series([1, None, 3], dtype="Int8")
    assert np.isnan(data.TensorDataset(small)[1][0].item())
    assert data.TensorDataset(pd.Series([1, 2], dtype="Int8"))[0][0].dtype == np.int8
    x, y = data.TensorDataset(frame, frame["c"])[0]
    assert (x.dtype, y.dtype) == (np.float64, np.bool_)
    wrong = pd.DataFrame({"a": [1, 2], "name": ["x", "y"]})
    with pytest.raises(errors.DTypeError, match="in column 'name'; encode it as numbers"):
        data.TensorDataset(wrong)
    with pytest.raises(errors.DTypeError, match="category in column None"):
        data.TensorDataset(pd.Series(["a"], dtype="category"))


@pytest.mark.parametrize("as_frame", [False, True])
def test_bunch(as_frame: bool) -> None:
    loader = DataLoader(load_iris(as_frame=as_frame), batch_size=50, shuffle=True, generator=0)
    x, y = next(iter(loader))
    assert (x.shape, y.shape, y.dtype.kind) == ((50, 4), (50,), "i")


def test_npy(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", np.arange(10))
    d = data.NpyDataset(tmp_path / "x.npy", tmp_path / "y.npy")
    assert isinstance(d.arrays[0], np.memmap)
    assert not d.arrays[0].flags.writeable
    again = pickle.loads(pickle.dumps(d))
    assert len(pickle.dumps(d)) < 500
    want = batches(DataLoader(data.TensorDataset(x, np.arange(10)), batch_size=4))
    assert batches(DataLoader(again, batch_size=4)) == want
    (tmp_path / "short.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-1])
    (tmp_path / "empty.npy").write_bytes(b"")
    np.save(tmp_path / "objects.npy", np.array([{}, None]), allow_pickle=True)
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    for name in ("short", "empty", "objects", "text"):
        with pytest.raises(errors.FileFormatError, match=rf"a .npy file of numbers, got '.*{name}"):
            data.NpyDataset(tmp_path / f"{name}.npy")
    with pytest.raises(FileNotFoundError):
        data.NpyDataset(tmp_path / "none.npy")


def test_subset_concat_split() -> None:
    d = data.ConcatDataset([xy(3), xy(4)])
    assert [int(y) for _, y in d] == [0, 1, 2, 0, 1, 2, 3]
    assert [int(d[k][1]) for k in (-1, -7)] == [3, 0]
    assert len(xy(3) + xy(4)) == 7
    assert [int(data.Subset(d, [6, 3])[k][1]) for k in (0, -1)] == [3, 0]
    parts = data.random_split(range(10), [0.55, 0.25, 0.2], generator=3)
    assert [len(p) for p in parts] == [6, 2, 2]
    assert sorted(k for p in parts for k in p) == list(range(10))
    same = data.random_split(range(10), [6, 2, 2], generator=3)
    assert [list(p) for p in parts] == [list(p) for p in same]
    for wrong in ([5, 6], [0.5, 0.6], [-1, 11]):
        with pytest.raises(errors.OptionError, match="lengths that sum to 10"):
            data.random_split(range(10), wrong)
    with pytest.raises(errors.OperandError, match="datasets with numbered samples, got a stream"):
        data.ConcatDataset([datasets.Stream()])


# -- samplers --------------------------------------------------------------------------------------


def test_random_sampler() -> None:
    s = data.RandomSampler(range(100_000), generator=1)
    first, second = list(s), list(s)
    assert sorted(first) == sorted(second) == list(range(100_000))
    assert first != second
    assert list(data.RandomSampler(range(100_000), generator=1)) == first
    assert type(first[0]) is int
    many = list(data.RandomSampler(range(4), num_samples=10, generator=0))
    assert len(many) == 10
    assert sorted(many[:4]) == sorted(many[4:8]) == [0, 1, 2, 3]
    drawn = np.bincount(list(data.RandomSampler(range(4), True, 40_000, generator=0)))
    assert np.all(np.abs(drawn - 10_000) < 500)
    with pytest.raises(errors.OptionError, match="samples to draw from"):
        list(data.RandomSampler([], num_samples=2))
    lucid.random.seed(5)
    one = list(data.RandomSampler(range(50)))
    lucid.random.seed(5)
    assert list(data.RandomSampler(range(50))) == one


def test_weighted_sampler() -> None:
    weights = [1.0, 0.0, 3.0, 1e-300]
    drawn = np.bincount(list(data.WeightedRandomSampler(weights, 40_000, generator=0)), minlength=4)
    assert drawn[1] == drawn[3] == 0
    assert abs(drawn[0] - 10_000) < 500
    once = [list(data.WeightedRandomSampler(weights, 3, False, generator=k)) for k in range(400)]
    assert all(sorted(o) == [0, 2, 3] and o[2] == 3 for o in once)
    assert abs(sum(o[0] == 2 for o in once) - 300) < 50
    for wrong in ([1.0, -1.0], [np.nan], [0.0], [[1.0]]):
        with pytest.raises(errors.OptionError, match="finite weights, not negative"):
            data.WeightedRandomSampler(wrong, 1)
    with pytest.raises(errors.OptionError, match="at least 4 of them positive"):
        data.WeightedRandomSampler(weights, 4, replacement=False)


def test_batch_sampler() -> None:
    assert list(data.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert len(data.BatchSampler(range(5), 2, True)) == 2
    assert len(data.BatchSampler(range(5), 2, False)) == 3
    with pytest.raises(errors.OptionError, match="batch_size of at least 1, got 0"):
        data.BatchSampler(range(5), 0, False)


# -- loaders ---------------------------------------------------------------------------------------


def test_batches_and_lengths() -> None:
    loader = DataLoader(xy(), batch_size=8)
    assert [b[1].tolist() for b in loader] == [[*range(8)], [*range(8, 16)], [*range(16, 20)]]
    assert len(loader) == 3
    assert len(DataLoader(xy(), batch_size=8, drop_last=True)) == 2
    assert len([*DataLoader(xy(), batch_size=8, drop_last=True)]) == 2
    single = [*DataLoader(datasets.Where(), batch_size=None)]
    assert len(single) == 8
    assert single[0][0].shape == ()
    own = DataLoader(xy(), batch_sampler=[[3, 1], [7]])
    assert [y.tolist() for _, y in own] == [[3, 1], [7]]
    assert [y.tolist() for _, y in DataLoader(xy(), sampler=[5, 2])] == [[5], [2]]
    assert [*DataLoader([1, 2, 3], batch_size=2, collate_fn=datasets.double)] == [[2, 4], [6]]
    assert [*DataLoader([], batch_size=2)] == []
    assert [b.shape for b in DataLoader(lucid.ones((5, 2)), batch_size=4)] == [(4, 2), (1, 2)]


def test_shuffling() -> None:
    loader = DataLoader(xy(), batch_size=8, shuffle=True, generator=7)
    first, second = batches(loader), batches(loader)
    assert first != second
    assert sorted(k for _, y in loader for k in y.tolist()) == list(range(20))
    again = DataLoader(xy(), batch_size=8, shuffle=True, generator=lucid.random.Generator(7))
    assert [batches(again), batches(again)] == [first, second]


def test_streams() -> None:
    loader = DataLoader(datasets.Stream(), batch_size=10)
    assert [b["i"].tolist() for b in loader] == [[*range(10)], [*range(10, 20)], [20, 21, 22]]
    assert [len(b["i"]) for b in DataLoader(datasets.Stream(), batch_size=10, drop_last=True)] == [
        10,
        10,
    ]
    assert [s["i"].item() for s in DataLoader(datasets.Stream(3), batch_size=None)] == [0, 1, 2]
    assert [b.tolist() for b in DataLoader({1, 2}, batch_size=2)] == [[1, 2]]
    with pytest.raises(errors.OperandError, match="a dataset with a length, got a stream"):
        len(loader)
    with pytest.raises(errors.OptionError, match="a stream in its own order, got shuffle"):
        DataLoader(datasets.Stream(), shuffle=True)
    with pytest.raises(errors.OperandError, match="a stream that can be read again, got"):
        DataLoader(x for x in range(3))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"shuffle": True, "sampler": [1]}, "shuffle or sampler, got both"),
        ({"batch_sampler": [[1]], "batch_size": 2}, "batch_sampler alone, got also batch_size"),
        ({"batch_sampler": [[1]], "drop_last": True}, "batch_sampler alone, got also drop_last"),
        ({"batch_size": None, "drop_last": True}, "a batch_size where drop_last=True"),
        ({"batch_size": 0}, "batch_size of at least 1, got 0"),
        ({"num_workers": -1}, "num_workers of at least 0, got -1"),
        ({"timeout": 3}, "at least one worker, got timeout and num_workers=0"),
        ({"prefetch_factor": 3}, "at least one worker, got prefetch_factor"),
        ({"prefetch_factor": 0, "num_workers": 1}, "prefetch_factor of at least 1"),
        ({"persistent_workers": True}, "at least one worker, got persistent_workers"),
        ({"timeout": -1, "num_workers": 1}, "a timeout in seconds, got -1"),
        ({"worker_kind": "fork"}, 'worker_kind "process" or "thread", got \'fork\''),
        ({"generator": "a"}, "generator as a lucid.random.Generator"),
    ],
)
def test_options(options: Any, text: str) -> None:
    with pytest.raises(errors.OptionError, match=text):
        DataLoader(xy(), **options)


def test_what_is_no_dataset() -> None:
    with pytest.raises(errors.OperandError, match="a dataset, an array, a table or a stream"):
        DataLoader(3)
    with pytest.raises(errors.OperandError, match="a class that defines __len__, got none"):
        len(DataLoader(data.Dataset()))
    with pytest.raises(errors.OptionError, match="a DataLoader that is fetching, got none"):
        data.sample_key()


# -- workers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_workers_change_nothing(kind: Any) -> None:
    """Order, contents and random numbers are those without workers, for numbered and streamed."""
    for dataset, options in (
        (datasets.Trees(), {"shuffle": True}),
        (datasets.Stream(), {"drop_last": True}),
    ):
        common: Any = {"batch_size": 4, "generator": 11, **options}
        want = DataLoader(dataset, **common)
        wanted = [batches(want), batches(want)]
        assert wanted[0] != wanted[1] or "shuffle" not in options
        for workers in (1, 3) if kind == "thread" else (2,):
            got = DataLoader(
                dataset,
                **common,
                num_workers=workers,
                worker_kind=kind,
                persistent_workers=True,
            )
            assert [batches(got), batches(got)] == wanted


def test_processes_seed_global_generators() -> None:
    def run(workers: int) -> list[Any]:
        return batches(DataLoader(datasets.GlobalNoise(), 3, num_workers=workers, generator=2))

    one, two = run(1), run(2)
    assert one == two
    assert len(set(one)) == len(one)


def test_worker_info() -> None:
    loader = DataLoader(datasets.Where(), 2, num_workers=2, worker_kind="process")
    seen = [[t.tolist() for t in b] for b in loader]
    assert [b[0] for b in seen] == [[0, 0], [1, 1], [0, 0], [1, 1]]
    pids = {b[2][0] for b in seen}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert data.get_worker_info() is None
    threads = DataLoader(datasets.Where(), 2, num_workers=2, worker_kind="thread")
    assert [b[0].tolist() for b in threads] == [[0, 0], [1, 1], [0, 0], [1, 1]]


def test_worker_init_and_default_dtype() -> None:
    options: Any = {"num_workers": 1, "worker_init_fn": datasets.mark}
    assert [b.tolist() for b in DataLoader(datasets.Marked(), 4, **options)] == [[1] * 4]
    with lucid.set_default_dtype(lucid.float32):
        batch = next(iter(DataLoader([1.0, 2.0], 2, num_workers=1, worker_kind="thread")))
    assert batch.dtype == np.float32
    for kind in ("thread", "process"):
        loader = DataLoader(
            [1, 2], num_workers=1, worker_init_fn=datasets.broken_init, worker_kind=kind
        )
        with pytest.raises(ValueError, match="no start for 0"):
            next(iter(loader))


@pytest.mark.parametrize("kind", [None, "thread", "process"])
def test_errors_come_in_their_turn(kind: Any) -> None:
    options: Any = {} if kind is None else {"num_workers": 2, "worker_kind": kind}
    iterator = iter(DataLoader(datasets.Fails("raise"), 2, **options))
    assert [next(iterator).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(KeyError, match="sample five") as info:
        next(iterator)
    if kind == "process":
        assert "in worker process 0" in info.value.__notes__[0]
        assert "datasets.py" in info.value.__notes__[0]


@pytest.mark.parametrize(
    ("how", "error", "text"),
    [
        ("die", errors.WorkerError, "the end of worker process 0 with exit code -9"),
        ("exit", errors.WorkerError, "exit code 3; a script that uses worker processes"),
        ("strange", errors.WorkerError, "an error in worker 0:(.|\n)*StrangeError: strange"),
        ("unpicklable", errors.WorkerError, "a batch that can be sent back"),
        ("hang", errors.WorkerTimeoutError, "a batch within 0.5 s, got none from worker 0"),
    ],
)
def test_processes_that_fail(how: str, error: Any, text: str) -> None:
    timeout = 0.5 if how == "hang" else 0
    loader = DataLoader(datasets.Fails(how), None, num_workers=1, timeout=0)
    iterator = iter(loader)
    assert [int(next(iterator)) for _ in range(5)] == [0, 1, 2, 3, 4]
    iterator._timeout = timeout
    children = list(iterator._pool._workers)
    with pytest.raises(error, match=text):
        next(iterator)
    for child in children:
        with pytest.raises(ValueError, match="closed"):
            child.process.is_alive()
    with pytest.raises(StopIteration):
        next(iterator)


def test_stop_iteration_does_not_end_an_epoch() -> None:
    with pytest.raises(errors.WorkerError, match="one that raised StopIteration"):
        list(DataLoader(datasets.Fails("stop")))


def test_what_cannot_be_pickled() -> None:
    with pytest.raises(errors.OperandError, match="a dataset and functions that can be pickled"):
        iter(DataLoader([1, 2], collate_fn=lambda x: x, num_workers=1))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(condition: Any, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


def test_an_abandoned_iteration_leaves_nothing() -> None:
    loader = DataLoader(datasets.Slow(1000, 0.01), 2, num_workers=2)
    iterator = iter(loader)
    next(iterator)
    pids = [w.process.pid for w in iterator._pool._workers]
    assert all(map(alive, pids))
    start = time.monotonic()
    del iterator
    gc.collect()
    assert wait_until(lambda: not any(map(alive, pids)))
    assert time.monotonic() - start < 5
    before = threading.active_count()
    for _ in DataLoader(datasets.Slow(1000, 0.01), 2, num_workers=2, worker_kind="thread"):
        break
    gc.collect()
    assert wait_until(lambda: threading.active_count() <= before)


PARENT = """
import os, signal, sys, time
from lucid.data import DataLoader
from tests import datasets

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
    iterator = iter(DataLoader(datasets.Slow(10**6, float(sys.argv[1])), 2, num_workers=2))
    if sys.argv[2] == "first":
        next(iterator)
    print(*[w.process.pid for w in iterator._pool._workers], flush=True)
    time.sleep(1000 if sys.argv[2] != "leave" else 0)
"""


@pytest.mark.parametrize(
    ("slow", "when", "how"),
    [
        ("1000", "now", signal.SIGKILL),
        ("0.01", "first", signal.SIGINT),
        ("1000", "leave", None),
    ],
)
def test_no_orphans(tmp_path: Path, slow: str, when: str, how: Any) -> None:
    """Workers end with their parent, killed or not, also while their dataset hangs."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, str(script), slow, when],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pids = [int(p) for p in parent.stdout.readline().split()]
        assert len(pids) == 2
        if how is not None:
            parent.send_signal(how)
        try:
            parent.wait(20)
        finally:
            parent.kill()
    try:
        assert wait_until(lambda: not any(map(alive, pids)))
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_a_script_without_main_guard_is_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import lucid.data as d\nprint(*d.DataLoader([1, 2], num_workers=1))\n")
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert done.returncode == 1
    assert "DataLoader: expected a batch, got the end of worker process 0" in done.stderr
    assert "__main__" in done.stderr


def test_two_iterations_at_once() -> None:
    loader = DataLoader(
        xy(), 4, num_workers=2, worker_kind="thread", persistent_workers=True, timeout=20
    )
    want = batches(DataLoader(xy(), 4))
    pairs = [(plain(a), plain(b)) for a, b in zip(loader, loader, strict=True)]
    assert [a for a, _ in pairs] == [b for _, b in pairs] == want
    iterator = iter(loader)
    next(iterator)
    del iterator
    assert batches(loader) == want  # what was under way is forgotten
    pool = loader._pool
    assert batches(loader) == want
    assert loader._pool is pool


# -- resuming --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("delivered", [0, 1, 3, 6])
@pytest.mark.parametrize("kind", ["shuffled", "weighted", "stream"])
def test_resume(kind: str, workers: int, delivered: int) -> None:
    def make(seed: Any, num_workers: int) -> DataLoader:
        options: Any = {"num_workers": num_workers, "worker_kind": "thread"} if num_workers else {}
        if kind == "stream":
            return DataLoader(datasets.Stream(), 4, generator=seed, **options)
        if kind == "weighted":
            s = data.WeightedRandomSampler(np.arange(23.0), 23, generator=seed)
            return DataLoader(datasets.Trees(), 4, sampler=s, generator=seed, **options)
        return DataLoader(datasets.Trees(), 4, shuffle=True, generator=seed, **options)

    loader = make(5, workers)
    first = batches(loader)
    iterator = iter(loader)
    head = [plain(next(iterator)) for _ in range(delivered)]
    state = json.loads(json.dumps(loader.state_dict()))
    rest = [plain(b) for b in iterator]
    after = batches(loader)
    assert len(head) + len(rest) == len(first) == 6
    other = make(99, 2 - workers)
    other.load_state_dict(state)
    assert other.state_dict() == state
    assert batches(other) == rest
    assert batches(other) == after
    if kind != "stream":
        assert after != first


def test_state_between_epochs() -> None:
    loader = DataLoader(xy(), 4, shuffle=True, generator=1)
    batches(loader)
    state = loader.state_dict()
    want = batches(loader)
    loader.load_state_dict(state)
    assert batches(loader) == want


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"batch_size": 5}, "batch_size 4, got 5"),
        ({"length": 21}, "length 20, got 21"),
        ({"drop_last": True}, "drop_last False, got True"),
        ({"batches": -1}, "a number of batches, got -1"),
        ({"extra": 1}, "entries batch_size, batches"),
    ],
)
def test_states_that_do_not_fit(change: Any, text: str) -> None:
    loader = DataLoader(xy(), 4)
    with pytest.raises(errors.StateDictError, match=text):
        loader.load_state_dict({**loader.state_dict(), **change})
    with pytest.raises(errors.StateDictError, match="entries"):
        loader.load_state_dict([])  # type: ignore[arg-type]
    loader.load_state_dict({**loader.state_dict(), "batches": 6})
    with pytest.raises(errors.StateDictError, match="an epoch of at least 6 batches, got 5"):
        iter(loader)


def test_importing_data_imports_no_table_library() -> None:
    code = (
        "import lucid.data, sys; lucid.data.DataLoader([1, 2]);"
        "assert not {'pandas', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
