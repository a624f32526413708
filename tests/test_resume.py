"""Resuming: a training that is killed, interrupted or stopped goes on with the same bits."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import errors, nn, optim, training
from tests import resuming
from tests.resuming import BATCHES, digest, train

ROOT = Path(__file__).parents[1]
MODES: list[dict[str, Any]] = [{"jit": False}, {"executor": "numpy"}]
if importlib.util.find_spec("llvmlite"):
    MODES.append({"executor": "native"})
IDS = ["eager", "numpy", "native"][: len(MODES)]


@pytest.fixture(autouse=True)
def _no_main_module(monkeypatch: Any) -> None:
    """Spare worker processes the import of pytest, which is the main module here."""
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)


# -- killed ----------------------------------------------------------------------------------------


def live(path: Path, plan: dict[str, Any], delay: float | None) -> tuple[int, str]:
    """Run the training until it ends or is killed; return the code and what it printed."""
    command = [sys.executable, "-m", "tests.resuming", str(path), json.dumps(plan)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        if delay is None:
            text = process.stdout.read()
        else:
            lines = list(itertools.takewhile("ready\n".__ne__, process.stdout))
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            text = "".join(lines) + process.stdout.read()
    return process.returncode, text


def plans(modes: tuple[str, ...], count: int, seed: int) -> Iterator[tuple[dict[str, Any], Any]]:
    """How each life ends: by its parent, at a batch of its own, or while it saves."""
    rng = random.Random(seed)
    for k in range(count):
        plan: dict[str, Any] = {"mode": modes[k % len(modes)], "workers": k % 3}
        delay = None
        if k % 3 == 0:
            plan["pause"] = 0.004
            delay = rng.uniform(0.0, 0.04)
        elif k % 3 == 1:
            plan["batch"] = rng.randint(1, 12)
        else:
            plan["write"] = [rng.randint(2, 6), rng.choice((0.3, 0.9, 1.0))]
        yield plan, delay


@pytest.mark.parametrize(
    ("modes", "kills"),
    [(("eager", "numpy"), 10), (("native",), 3)][: len(MODES) - 1],
    ids=["eager and numpy", "native"][: len(MODES) - 1],
)
def test_killed_at_random_moments(tmp_path: Path, modes: tuple[str, ...], kills: int) -> None:
    """Parameters, buffers and history have the bits of a training that nobody has killed."""
    path = tmp_path / "run.safetensors"
    places = []
    for plan, delay in plans(modes, kills, seed=len(modes)):
        code, text = live(path, plan, delay)
        assert code == -signal.SIGKILL, (plan, text)
        if path.exists():
            position = lucid.load(path)["position"]
            places.append(BATCHES * position["done"] + position["batch"])
    assert places == sorted(places)
    assert 0 < places[-1] < BATCHES * resuming.EPOCHS
    code, text = live(path, {"mode": modes[0], "workers": 0}, None)
    options: dict[str, Any] = {"jit": False} if modes[0] == "eager" else {"executor": modes[0]}
    assert text.split()[-1] == digest(*train(**options)), places
    assert [f.name for f in tmp_path.iterdir() if not f.name.endswith(".tmp")] == [path.name]


# -- stopped at every batch ------------------------------------------------------------------------


class EndError(Exception):
    pass


class EndAt(training.Callback):
    def __init__(self, batch: int) -> None:
        self.left = batch

    def on_batch_end(self, run: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise EndError


@pytest.mark.parametrize("mode", MODES, ids=IDS)
def test_ended_at_any_batch(tmp_path: Path, mode: dict[str, Any]) -> None:
    whole = digest(*train(epochs=3, **mode))
    batches = (3, 8) if mode.get("executor") == "native" else (1, 2, 3, 6, 7, 8, 14, 20, 21)
    for batch in batches:
        path = tmp_path / f"{batch}.npz"
        with pytest.raises(EndError):
            train(path, epochs=3, callbacks=[EndAt(batch)], **mode)
        assert digest(*train(path, epochs=3, resume=True, **mode)) == whole, batch


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_workers_change_nothing(tmp_path: Path, kind: str) -> None:
    whole = digest(*train(epochs=2, jit=False))
    assert digest(*train(epochs=2, workers=2, kind=kind, executor="numpy")) == whole
    path = tmp_path / "run.safetensors"
    with pytest.raises(EndError):
        train(path, epochs=2, workers=2, kind=kind, callbacks=[EndAt(5)], jit=False)
    assert digest(*train(path, epochs=2, workers=1, kind=kind, resume=True, jit=False)) == whole


@pytest.mark.parametrize("batch", [3, 7, 9])
def test_a_loader_that_shares_the_default_generator(tmp_path: Path, batch: int) -> None:
    path = tmp_path / "run.safetensors"
    shared: dict[str, Any] = {"generator": lucid.random.default_generator, "jit": False}
    with pytest.raises(EndError):
        train(path, epochs=3, callbacks=[EndAt(batch)], **shared)
    found = digest(*train(path, epochs=3, resume=True, **shared))
    assert found == digest(*train(epochs=3, **shared))


def test_one_seed_gives_the_same_run_twice() -> None:
    runs = {digest(*train(epochs=2, **mode)) for mode in (*MODES[:2], *MODES[:2])}
    assert len(runs) == 1
    if len(MODES) == 3:
        assert len({digest(*train(epochs=2, **MODES[2])) for _ in range(2)}) == 1


def test_more_epochs(tmp_path: Path) -> None:
    """A training that is complete goes on to a higher number of epochs, or stays as it is."""
    path = tmp_path / "run.safetensors"
    model, history = train(path, epochs=2, jit=False)
    assert digest(*train(path, epochs=2, resume=True, jit=False)) == digest(model, history)
    found = train(path, epochs=4, resume=True, jit=False)
    assert digest(*found) == digest(*train(epochs=4, jit=False))
    assert found[1]["epoch"] == [1, 2, 3, 4]


def small() -> Any:
    """A model, its optimiser, and batches as a list."""
    lucid.random.seed(3)
    model = nn.Linear(40, 30)
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal((9, 40)), rng.standard_normal((9, 30))) for _ in range(4)]
    return model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1, momentum=0.9), batches


class Projected(nn.Module):
    """A layer on a fixed projection, whose axes lie in memory in an order of its own."""

    def __init__(self) -> None:
        super().__init__()
        basis = lucid.asarray(np.random.default_rng(1).standard_normal((40, 30)))
        self.register_buffer("basis", basis.T)
        self.layer = nn.Linear(30, 1)

    def forward(self, x: Any) -> Any:
        return self.layer(x @ self.basis.T)


@pytest.mark.parametrize("mode", MODES, ids=IDS)
def test_the_order_of_axes_in_memory_is_kept(tmp_path: Path, mode: dict[str, Any]) -> None:
    """Products of a vector and a matrix add up in another order when the matrix is transposed."""
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal((1, 40)), rng.standard_normal((1, 1))) for _ in range(4)]

    def fit(**options: Any) -> Any:
        lucid.random.seed(0)
        model = Projected()
        optimiser = optim.SGD(model.parameters(), lr=1e-2)
        lucid.fit(model, nn.MSELoss(), optimiser, batches, epochs=9, accumulate=3, **options)
        return model

    whole = fit(**mode)
    path = tmp_path / "run.safetensors"
    keep = training.Checkpoint(path, unit="batch")
    with pytest.raises(EndError):
        fit(checkpoint=keep, callbacks=[EndAt(7)], **mode)
    resumed = fit(resume=path, **mode)
    assert not resumed.basis.numpy().flags.c_contiguous
    assert resumed.layer.weight.numpy().tobytes() == whole.layer.weight.numpy().tobytes()


def test_a_list_of_batches_resumes_in_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    whole, resumed = small(), small()
    lucid.fit(*whole, epochs=2)
    keep = training.Checkpoint(path, unit="batch")
    with pytest.raises(EndError):
        lucid.fit(*small(), epochs=2, checkpoint=keep, callbacks=[EndAt(3)])
    history = lucid.fit(*resumed, epochs=2, checkpoint=path, resume=True)
    assert resumed[0].weight.numpy().tobytes() == whole[0].weight.numpy().tobytes()
    assert history["epoch"] == [1, 2]


class Anew:
    """Batches without a state."""

    def __init__(self, batches: Any) -> None:
        self.batches = batches

    def __iter__(self) -> Any:
        return iter(self.batches)


def test_a_loader_without_state_resumes_between_epochs(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    model, loss, optimiser, batches = small()
    keep = training.Checkpoint(path, unit="batch")
    with pytest.raises(errors.OptionError, match=r"tells its state, got a Anew.* use .*DataLoader"):
        lucid.fit(model, loss, optimiser, Anew(batches), epochs=1, checkpoint=keep)
    lucid.fit(model, loss, optimiser, Anew(batches), epochs=2, checkpoint=path)
    again = small()
    lucid.fit(*again[:3], Anew(batches), epochs=3, checkpoint=path, resume=True)
    whole = small()
    lucid.fit(*whole, epochs=3)
    assert again[0].weight.numpy().tobytes() == whole[0].weight.numpy().tobytes()
    keep = training.Checkpoint(path, unit="batch")
    with pytest.raises(EndError):
        lucid.fit(*small(), epochs=2, checkpoint=keep, resume=False, callbacks=[EndAt(3)])
    with pytest.raises(errors.StateDictError, match="to go on in the middle of an epoch, got a An"):
        lucid.fit(*small()[:3], Anew(batches), epochs=2, checkpoint=path, resume=True)
    with pytest.raises(
        errors.StateDictError, match="an epoch of at least 2 batches, got 1 batches"
    ):
        lucid.fit(*small()[:3], batches[:1], epochs=2, checkpoint=path, resume=True)


def test_early_stopping_goes_on_waiting(tmp_path: Path) -> None:
    """Patience counts epochs before the resume too; a training that was stopped stays so."""

    def stopping(path: Any = None, **options: Any) -> Any:
        stop = training.EarlyStopping("accuracy", patience=2, mode="max", min_delta=0.3)
        return train(path, early_stopping=stop, jit=False, **{"epochs": 9, **options})

    whole = stopping()
    assert "accuracy has not improved on" in whole[1].stopped
    assert len(whole[1]) < 9
    path = tmp_path / "run.safetensors"
    with pytest.raises(EndError):
        stopping(path, callbacks=[EndAt(BATCHES * (len(whole[1]) - 1) + 2)])
    for _ in range(2):
        again = stopping(path, resume=True)
        assert digest(*again) == digest(*whole)
        assert again[1].stopped == whole[1].stopped


# -- Ctrl-C ----------------------------------------------------------------------------------------


class Press(training.Callback):
    """Presses Ctrl-C at a batch, once or more often."""

    def __init__(self, batch: int, times: int = 1) -> None:
        self.left, self.times = batch, times

    def on_batch_end(self, run: Any) -> None:
        self.left -= 1
        if self.left == 0:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


@pytest.fixture
def _keyboard() -> Iterator[None]:
    """Ctrl-C as in a program of its own: a parent may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_keyboard")
@pytest.mark.parametrize("mode", MODES, ids=IDS)
def test_interrupted(tmp_path: Path, mode: dict[str, Any], capsys: Any) -> None:
    path = tmp_path / "run.safetensors"
    whole = digest(*train(epochs=3, **mode))
    model, history = train(path, epochs=3, callbacks=[Press(10)], **mode)
    assert history.interrupted
    assert history["epoch"] == [1]
    assert model.training
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"lucid.fit: {path} holds batch 3 of epoch 2; resume=True goes on from there",
        "lucid.fit: interrupted in epoch 2 after batch 3",
    ]
    resumed = train(path, epochs=3, resume=True, **mode)
    assert not resumed[1].interrupted
    assert digest(*resumed) == whole


@pytest.mark.usefixtures("_keyboard")
def test_interrupted_where_only_epochs_can_be_resumed(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "run.safetensors"
    model, loss, optimiser, batches = small()
    press = Press(6)
    lucid.fit(model, loss, optimiser, Anew(batches), epochs=3, checkpoint=path, callbacks=[press])
    assert f"{path} holds epoch 1; resume=True" in capsys.readouterr().err
    assert lucid.load(path)["position"]["done"] == 1


@pytest.mark.usefixtures("_keyboard")
def test_a_second_interrupt_raises(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(path, epochs=3, callbacks=[Press(10, times=2)], jit=False)
    resumed = train(path, epochs=3, resume=True, jit=False)
    assert digest(*resumed) == digest(*train(epochs=3, jit=False))


@pytest.mark.usefixtures("_keyboard")
def test_an_interrupt_in_the_validation_ends_the_epoch() -> None:
    model, loss, optimiser, batches = small()

    class Validation(Anew):
        def __iter__(self) -> Any:
            signal.raise_signal(signal.SIGINT)
            return iter(self.batches)

    history = lucid.fit(
        model, loss, optimiser, batches, epochs=3, validation=Validation(batches), jit=False
    )
    assert history.interrupted
    assert len(history) == 1


def test_handlers_of_others_stay() -> None:
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        history = train(epochs=1, callbacks=[Press(2)], jit=False)[1]
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]
    assert not history.interrupted


CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from lucid.training import Callback
from tests.resuming import train

class Press(Callback):
    def on_epoch_start(self, run):  # the workers have been started, and still import modules
        if run.epoch == 2:
            os.killpg(0, signal.SIGINT)

if __name__ == "__main__":
    history = train(sys.argv[1], workers=2, kind="process", callbacks=[Press()], jit=False)[1]
    print(history.interrupted, len(history))
"""


def test_interrupted_with_all_its_workers(tmp_path: Path) -> None:
    """A terminal sends Ctrl-C to worker processes too."""
    path, script = tmp_path / "run.safetensors", tmp_path / "script.py"
    script.write_text(CTRL_C)
    done = subprocess.run(
        [sys.executable, str(script), str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        check=False,
    )
    assert done.stdout == "True 1\n", done.stderr
    assert "interrupted in epoch 2 after batch 1" in done.stderr
    assert "Traceback" not in done.stderr
    resumed = train(path, epochs=3, resume=True, jit=False)
    assert digest(*resumed) == digest(*train(epochs=3, jit=False))


# -- what does not fit -----------------------------------------------------------------------------


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    lucid.save(path, {"weight": lucid.ones(3)})
    with pytest.raises(
        errors.StateDictError, match=r"a checkpoint of lucid\.fit, got .*model.safe"
    ):
        lucid.fit(*small(), epochs=1, resume=path)
    with pytest.raises(FileNotFoundError):
        lucid.fit(*small(), epochs=1, resume=tmp_path / "none.safetensors")
    lucid.save(path, {"format": "lucid.fit", "version": 2})
    with pytest.raises(errors.StateDictError, match="a checkpoint of version 1, got 2"):
        lucid.fit(*small(), epochs=1, resume=path)


def test_a_checkpoint_of_another_model_or_optimiser(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    lucid.fit(*small(), epochs=1, checkpoint=path)
    _, loss, _, batches = small()
    other = nn.Linear(40, 29)
    optimiser = optim.SGD(other.parameters(), lr=0.1)
    with pytest.raises(errors.StateDictError, match="weight has shape"):
        lucid.fit(other, loss, optimiser, batches, epochs=2, checkpoint=path, resume=True)
    model = small()[0]
    optimiser = optim.Adam(model.parameters())
    with pytest.raises(errors.StateDictError, match="options among"):
        lucid.fit(model, loss, optimiser, batches, epochs=2, checkpoint=path, resume=True)


def test_a_checkpoint_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    lucid.fit(*small(), epochs=1, checkpoint=path)
    with pytest.raises(errors.OptionError, match="resume=True goes on from it, resume=False beg"):
        lucid.fit(*small(), epochs=2, checkpoint=path)
    assert len(lucid.fit(*small(), epochs=2, checkpoint=path, resume=True)) == 2
    assert len(lucid.fit(*small(), epochs=1, checkpoint=path, resume=False)) == 1
    with pytest.raises(errors.OptionError, match="a checkpoint, for resume=True, got none"):
        lucid.fit(*small(), epochs=1, resume=True)


def test_other_metrics_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    keep = training.Checkpoint(path, unit="batch")
    with pytest.raises(EndError):
        lucid.fit(*small(), epochs=1, checkpoint=keep, callbacks=[EndAt(3)])
    metrics = {"mean": lambda p, t: p.mean()}
    with pytest.raises(errors.StateDictError, match="the metrics loss, to go on in the middle"):
        lucid.fit(*small(), epochs=1, checkpoint=path, resume=True, metrics=metrics)


# -- every optimiser and scheduler -----------------------------------------------------------------

RATES = {
    "Adafactor": None,
    "LBFGS": 0.5,
    "SGD": 0.05,
}
OPTIMISERS = sorted(
    name
    for name in optim.__all__
    if isinstance(getattr(optim, name), type)
    and issubclass(getattr(optim, name), optim.Optimizer)
    and getattr(optim, name) is not optim.Optimizer
)
at = optim.lr_scheduler
SCHEDULERS: dict[str, Any] = {
    "ConstantLR": lambda o: at.ConstantLR(o, 0.5, 3),
    "CosineAnnealingLR": lambda o: at.CosineAnnealingLR(o, 7),
    "CosineAnnealingWarmRestarts": lambda o: at.CosineAnnealingWarmRestarts(o, 3, 2),
    "CyclicLR": lambda o: at.CyclicLR(o, 0.01, 0.1, 3, mode="exp_range", gamma=0.9),
    "ExponentialLR": lambda o: at.ExponentialLR(o, 0.9),
    "LambdaLR": lambda o: at.LambdaLR(o, lambda n: 0.9**n),
    "LinearLR": lambda o: at.LinearLR(o, 0.1, 1.0, 5),
    "MultiStepLR": lambda o: at.MultiStepLR(o, [2, 5]),
    "MultiplicativeLR": lambda o: at.MultiplicativeLR(o, lambda n: 0.9),
    "OneCycleLR": lambda o: at.OneCycleLR(o, 0.1, total_steps=20),
    "PolynomialLR": lambda o: at.PolynomialLR(o, 9, 2.0),
    "SequentialLR": lambda o: at.SequentialLR(
        o, [at.LinearLR(o, 0.1, 1.0, 3), at.ExponentialLR(o, 0.8)], [3]
    ),
    "ChainedScheduler": lambda o: at.ChainedScheduler(
        [at.ConstantLR(o, 0.5, 4), at.ExponentialLR(o, 0.9)]
    ),
    "StepLR": lambda o: at.StepLR(o, 2, 0.5),
}


def fitted(path: Any, optimiser: Any, scheduler: Any = None, **options: Any) -> Any:
    """Train a small model; return its parameters' bits and the learning rates."""
    lucid.random.seed(0)
    model = nn.Linear(4, 3, bias=False)  # Muon takes matrices alone
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal((5, 4)), rng.standard_normal((5, 3))) for _ in range(4)]
    opt = optimiser(model.parameters())
    history = lucid.fit(
        model,
        nn.MSELoss(),
        opt,
        batches,
        epochs=3,
        scheduler=None if scheduler is None else scheduler(opt),
        checkpoint=None if path is None else training.Checkpoint(path, unit="batch"),
        jit=False,
        **options,
    )
    return model.weight.numpy().tobytes(), history["lr"]


def resumes(path: Path, *how: Any, **options: Any) -> None:
    whole = fitted(None, *how, **options)
    for batch in (2, 6):
        with pytest.raises(EndError):
            fitted(path, *how, callbacks=[EndAt(batch)], resume=False, **options)
        assert fitted(path, *how, resume=True, **options) == whole


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_goes_on(name: str, tmp_path: Path) -> None:
    kind = getattr(optim, name)
    options = {} if RATES.get(name, 1) is None else {"lr": RATES.get(name, 0.01)}
    resumes(tmp_path / "run.npz", lambda params: kind(params, **options))


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_goes_on(name: str, tmp_path: Path) -> None:
    def make(params: Any) -> Any:
        return optim.SGD(params, lr=0.05, momentum=0.9)

    resumes(tmp_path / "run.npz", make, SCHEDULERS[name], schedule="step")


def test_a_scheduler_that_looks_at_the_loss_goes_on(tmp_path: Path) -> None:
    def make(params: Any) -> Any:
        return optim.Adam(params, lr=1.0)

    resumes(
        tmp_path / "run.npz", make, lambda o: at.ReduceLROnPlateau(o, patience=0, threshold=0.5)
    )


def test_a_rate_that_is_a_function_goes_on(tmp_path: Path) -> None:
    def make(params: Any) -> Any:
        return optim.Adam(params, lr=optim.schedule.exponential(0.1, 0.5))

    resumes(tmp_path / "run.npz", make)
