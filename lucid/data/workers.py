"""Workers of a DataLoader: threads, or processes that end when nobody needs them any more.

Every worker has a channel of its own, so that one that dies cannot hold up the others. A process
listens in a thread: it always takes what it is sent, so that neither side waits for the other to
read, and it exits at once when the other end of its pipe is gone.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import pickle
import queue
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator
from multiprocessing import connection, resource_tracker
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

import numpy as np

from lucid.config import set_default_dtype
from lucid.core.tensor import Tensor, wrap
from lucid.data.context import WorkerInfo, worker_info
from lucid.data.fetch import END, Fetcher
from lucid.errors import OperandError, WorkerError, WorkerTimeoutError, message
from lucid.ops.random.generator import seed

__all__ = ["Pool", "Setup"]

_GRACE = 1.0  # seconds that a process has to end by itself


class Setup(NamedTuple):
    """What a worker starts with."""

    fetcher: Fetcher
    workers: int
    kind: str
    init: Callable[[int], Any] | None
    dtype: Any  # the default dtype


class _Begin(NamedTuple):
    """The message that an epoch starts."""

    epoch: int
    words: Any
    first: int


class _Failure(NamedTuple):
    """An exception on its way back."""

    error: BaseException | None
    text: str


class _Latest:
    """The newest epoch that was announced to a worker: what it was asked before is stale."""

    epoch = 0


def _serve(
    setup: Setup, number: int, latest: _Latest, receive: Callable[[], Any], send: Any
) -> None:
    """Answer until there is nothing to answer: the loop of every worker."""
    fetcher, failure, epoch = setup.fetcher, None, 0
    worker_info.set(WorkerInfo(number, setup.workers, setup.kind, fetcher.dataset))
    set_default_dtype(setup.dtype)
    words: Any = None
    try:
        if setup.init is not None:
            setup.init(number)
    except Exception as error:
        failure = _failure(error)
    while (task := receive()) is not None:
        try:
            if isinstance(task, _Begin):
                epoch, words = task.epoch, task.words
                if setup.kind == "process":
                    _seed(words, 0)
                fetcher.begin(words, task.first + number, setup.workers)
                continue
            if task[0] != latest.epoch:
                continue
            if setup.kind == "process" and not fetcher.stream:
                _seed(words, task[1] + 1)
            result = failure or fetcher.fetch(task[1], task[2])
        except Exception as error:
            result = _failure(error)
            if isinstance(task, _Begin):
                failure = result  # the first batch that is asked for reports it
                continue
        send((epoch, task[1], result))


def _failure(error: BaseException) -> _Failure:
    return _Failure(error, "".join(traceback.format_exception(error)))


def _seed(words: Any, number: int) -> None:
    """Start the global generators of a process from an epoch's key and the number of a batch."""
    mixed = np.random.SeedSequence([*words.tolist(), number]).generate_state(4).tolist()
    random.seed(mixed[0])
    np.random.seed(mixed[1])
    seed(mixed[2] << 32 | mixed[3])


# -- threads ---------------------------------------------------------------------------------------


class _ThreadWorker:
    """A worker that shares the memory of this process."""

    def __init__(self, setup: Setup, number: int) -> None:
        self.tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.latest = _Latest()
        fetcher = Fetcher.__new__(Fetcher)  # its own epoch, the same dataset
        fetcher.__dict__.update(setup.fetcher.__dict__)
        threading.Thread(
            target=_serve,
            args=(
                setup._replace(fetcher=fetcher),
                number,
                self.latest,
                self.tasks.get,
                self.replies.put,
            ),
            name=f"lucid-data-{number}",
            daemon=True,
        ).start()

    def send(self, task: Any) -> None:
        if isinstance(task, _Begin):
            self.latest.epoch = task.epoch
        self.tasks.put(task)

    def receive(self, timeout: float | None) -> Any:
        try:
            return self.replies.get(timeout=timeout)
        except queue.Empty:
            return None

    def leave(self) -> None:
        self.latest.epoch = -1
        self.tasks.put(None)

    def join(self, deadline: float) -> None:
        """Let it end after the sample at hand."""


# -- processes -------------------------------------------------------------------------------------


class _ProcessWorker:
    """A worker in a process of its own, spawned with a pipe."""

    def __init__(self, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.number = number
        self.pipe, end = context.Pipe()
        self.process = context.Process(
            target=_process, args=(end, number), name=f"lucid-data-{number}", daemon=True
        )
        with _without_interrupts():
            self.process.start()
        end.close()

    def send(self, task: Any) -> None:
        with contextlib.suppress(OSError):  # it has ended: `receive` will tell, in its turn
            self.pipe.send_bytes(task if isinstance(task, bytes) else pickle.dumps(task))

    def receive(self, timeout: float | None) -> Any:
        try:
            ready = connection.wait([self.pipe, self.process.sentinel], timeout)
            if not ready:
                return None
            if self.pipe in ready or self.pipe.poll():
                return _receive(self.pipe)
        except (EOFError, OSError):
            pass
        raise self._ended()

    def _ended(self) -> WorkerError:
        self.process.join(_GRACE)
        code = self.process.exitcode
        hint = (
            'a script that uses worker processes needs an `if __name__ == "__main__":` around what'
            ' it runs; or pass worker_kind="thread"'
        )
        got = f"the end of worker process {self.number} with exit code {code}"
        return WorkerError(message("DataLoader", "a batch", got, "" if code == -9 else hint))

    def leave(self) -> None:
        with contextlib.suppress(OSError):  # it has ended, or does not even read
            if os.name == "posix":
                os.set_blocking(self.pipe.fileno(), False)
            self.pipe.send_bytes(pickle.dumps(None))
        self.pipe.close()

    def join(self, deadline: float) -> None:
        self.process.join(max(deadline - time.monotonic(), 0.0))
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


@contextlib.contextmanager
def _without_interrupts() -> Generator[None]:
    """Block Ctrl-C, also in a process that is started here, until it unblocks it itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which unblocks the signal when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _process(pipe: Any, number: int) -> None:
    """Be a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process ends this one
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    latest = _Latest()
    threading.Thread(target=_listen, args=(pipe, tasks, latest), daemon=True).start()
    try:
        setup = pickle.loads(tasks.get())
    except Exception as error:
        failure = _failure(error)
        while (task := tasks.get()) is not None:
            if not isinstance(task, _Begin):
                _send(pipe, (task[0], task[1], failure))
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody wants the batch
        _serve(setup, number, latest, tasks.get, lambda reply: _send(pipe, reply))


def _listen(pipe: Any, tasks: queue.SimpleQueue[Any], latest: _Latest) -> None:
    """Take all messages as they come; end the process with the one that started it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    first, family = True, os.getppid()
    sources = [pipe, parent.sentinel]
    try:
        while os.getppid() == family:
            ready = connection.wait(sources, 2.0)
            if parent.sentinel in ready:
                break
            if pipe in ready:
                data = pipe.recv_bytes()
                task = data if first else pickle.loads(data)
                first = False
                if isinstance(task, _Begin):
                    latest.epoch = task.epoch
                elif task is None:  # the main thread ends after the sample at hand
                    latest.epoch = -1
                    sources = [parent.sentinel]
                tasks.put(task)
    except (EOFError, OSError):
        pass
    os._exit(1)


class _Pickler(pickle.Pickler):
    """Pickles Tensors without the copy that making a Tensor takes."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is Tensor and obj._note is None and isinstance(obj._value, np.ndarray):
            return wrap, (obj._value, None)
        return NotImplemented


def _send(pipe: Any, reply: Any) -> None:
    """Send an answer; the memory of arrays goes without a copy."""
    try:
        head, parts = _pickled(reply)
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        failure = reply[2]
        if isinstance(failure, _Failure):
            text = failure.text
        head, parts = _pickled((reply[0], reply[1], _Failure(None, text)))
    pipe.send_bytes(pickle.dumps([len(p) for p in parts]))
    pipe.send_bytes(head)
    for part in parts:
        pipe.send_bytes(part)


def _pickled(reply: Any) -> tuple[bytes, list[memoryview]]:
    stream = io.BytesIO()
    buffers: list[pickle.PickleBuffer] = []
    if isinstance(reply[2], _Failure) and reply[2].error is not None:
        pickle.loads(pickle.dumps(reply[2].error))  # raises where it cannot be made again
    if reply[2] is END:
        reply = (*reply[:2], None, True)
    _Pickler(
        stream, 5, buffer_callback=lambda b: bool(len(b.raw()) == 0 or buffers.append(b))
    ).dump(reply)
    return stream.getvalue(), [b.raw() for b in buffers]


def _receive(pipe: Any) -> Any:
    sizes = pickle.loads(pipe.recv_bytes())
    head = pipe.recv_bytes()
    buffers = [np.empty(n, np.uint8) for n in sizes]
    for buffer in buffers:
        pipe.recv_bytes_into(buffer)
    reply = pickle.loads(head, buffers=buffers)
    return (*reply[:2], END) if len(reply) == 4 else reply


# -- all of them -----------------------------------------------------------------------------------


class Pool:
    """The workers of a loader, which make the batches of an epoch in turn."""

    def __init__(self, setup: Setup) -> None:
        self.count = setup.workers
        self.epoch = 0
        self.first = 0
        self.broken = False  # whether it has stopped, or a worker has
        self._pid = os.getpid()
        self._workers: list[Any] = []
        if setup.kind == "thread":
            self._workers = [_ThreadWorker(setup, k) for k in range(setup.workers)]
            return
        try:
            data = bytes(ForkingPickler.dumps(setup))
        except Exception as error:
            hint = 'define their classes and functions in a module, or pass worker_kind="thread"'
            want = "a dataset and functions that can be pickled"
            raise OperandError(message("DataLoader", want, str(error), hint)) from error
        try:
            for k in range(setup.workers):
                self._workers.append(_ProcessWorker(k))
            for worker in self._workers:
                worker.send(data)
        except BaseException:
            self.stop()
            raise

    def begin(self, words: Any, first: int) -> None:
        """Start an epoch at batch number `first`; what is under way is forgotten."""
        self.epoch += 1
        self.first = first
        for worker in self._workers:
            worker.send(_Begin(self.epoch, words, first))

    def submit(self, number: int, indices: Any) -> None:
        """Ask for a batch."""
        self._worker(number).send((self.epoch, number, indices))

    def _worker(self, number: int) -> Any:
        if not self._workers:
            want = "workers that were not stopped"
            raise WorkerError(message("DataLoader", want, "an iteration that was abandoned"))
        return self._workers[(number - self.first) % self.count]

    def receive(self, number: int, timeout: float) -> Any:
        """Return a batch that was asked for, or END, or raise what went wrong with it."""
        deadline = time.monotonic() + timeout if timeout else None
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            reply = self._worker(number).receive(left)
            if reply is None:
                hint = "pass a longer timeout"
                got = f"none from worker {(number - self.first) % self.count}"
                want = f"a batch within {timeout} s"
                self.broken = True
                raise WorkerTimeoutError(message("DataLoader", want, got, hint))
            epoch, _, result = reply
            if epoch != self.epoch:
                continue  # of an epoch that was abandoned
            if isinstance(result, _Failure):
                raise self._raised(result, (number - self.first) % self.count)
            return result

    def _raised(self, failure: _Failure, worker: int) -> BaseException:
        error = failure.error
        if error is None:
            got = f"an error in worker {worker}:\n{failure.text}"
            return WorkerError(message("DataLoader", "a batch that can be sent back", got))
        if error.__traceback__ is None:
            error.add_note(f"in worker process {worker}:\n{failure.text}")
        return error

    def stop(self) -> None:
        """End all workers; processes that do not by themselves are killed."""
        if os.getpid() != self._pid:
            return  # a forked copy of this process
        self.broken = True
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.leave()
        deadline = time.monotonic() + _GRACE
        for worker in workers:
            worker.join(deadline)
