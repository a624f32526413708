"""fit: what it computes, its callbacks, its history, and what it says of wrong arguments."""

from __future__ import annotations

import csv
import importlib.util
import math
import re
import struct
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import lucid
from lucid import data, errors, functional, nn, optim, training
from lucid.training import Callback, Checkpoint, CSVLogger, EarlyStopping, History

mpl.use("agg")
MODES: list[dict[str, Any]] = [{"jit": False}, {"executor": "numpy"}]
if importlib.util.find_spec("llvmlite"):
    MODES.append({"executor": "native"})
IDS = ["eager", "numpy", "native"][: len(MODES)]


def arrays(n: int = 20) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 3))
    return x, x @ [[1.0], [-2.0], [0.5]] + 0.3


def loader(n: int = 20, batch_size: int = 6, **options: Any) -> data.DataLoader:
    return data.DataLoader(data.TensorDataset(*arrays(n)), batch_size, **options)


def parts(lr: float = 0.1, **options: Any) -> tuple[Any, Any, Any]:
    """A model, a loss and an optimiser."""
    lucid.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    return model, nn.MSELoss(), optim.SGD(model.parameters(), lr=lr, **options)


def values(model: Any) -> list[Any]:
    return [p.numpy().copy() for p in model.parameters()]


def mae(prediction: Any, target: Any) -> Any:
    return abs(prediction - target).mean()


# -- what it computes ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES, ids=IDS)
def test_it_is_the_loop_one_would_write(mode: dict[str, Any]) -> None:
    model, loss, optimiser = parts()
    losses, errors_, counts = [], [], []
    for _ in range(3):
        for x, y in loader(shuffle=True, generator=_shared):
            optimiser.zero_grad()
            prediction = model(x)
            value = loss(prediction, y)
            value.backward()
            optimiser.step()
            losses.append(value.item())
            errors_.append(mae(prediction, y).item())
            counts.append(len(y))
    _shared.seed(0)
    other, loss, optimiser = parts()
    history = lucid.fit(
        other,
        loss,
        optimiser,
        loader(shuffle=True, generator=_shared),
        epochs=3,
        metrics={"mae": mae},
        **mode,
    )
    _shared.seed(0)
    exact = mode.get("executor") != "native"
    for a, b in zip(values(model), values(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=0 if exact else 1e-12)
    for name, found in (("loss", losses), ("mae", errors_)):
        want = [np.average(found[k : k + 4], weights=counts[k : k + 4]) for k in (0, 4, 8)]
        np.testing.assert_allclose(history[name], want, rtol=1e-12)
    assert counts[:4] == [6, 6, 6, 2]
    assert history["epoch"] == [1, 2, 3]
    assert history["lr"] == [0.1] * 3
    assert all(p.grad is None for p in other.parameters())


_shared = lucid.random.Generator(0)


@pytest.mark.parametrize("mode", MODES, ids=IDS)
def test_validation_is_in_evaluation_mode_and_changes_nothing(mode: dict[str, Any]) -> None:
    x, y = arrays()
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    frozen = nn.Dropout(0.5).eval()
    model.append(frozen)
    seen = []

    class Look(Callback):
        def on_batch_end(self, run: Any) -> None:
            seen.append((model.training, frozen.training))

    optimiser = optim.Adam(model.parameters())
    history = lucid.fit(
        model,
        functional.mse_loss,
        optimiser,
        loader(),
        epochs=2,
        validation=loader(batch_size=7),
        metrics={"mae": mae},
        callbacks=[Look()],
        **mode,
    )
    assert set(seen) == {(True, False)}
    assert (model.training, frozen.training) == (True, False)
    model.eval()
    with lucid.no_grad():
        prediction = model(x).numpy()
    assert history["val_loss"][-1] == pytest.approx(np.mean((prediction - y) ** 2), rel=1e-12)
    assert history["val_mae"][-1] == pytest.approx(np.mean(abs(prediction - y)), rel=1e-12)
    found = training.evaluate(model, functional.mse_loss, loader(), metrics={"mae": mae}, **mode)
    assert found["mae"] == pytest.approx(history["val_mae"][-1], rel=1e-12)
    assert list(found) == ["loss", "mae"]


def test_a_model_in_evaluation_is_trained_and_left_so() -> None:
    model, loss, optimiser = parts()
    model.eval()
    modes = []

    class Look(Callback):
        def on_batch_end(self, run: Any) -> None:
            modes.append([m.training for m in model.modules()])

    lucid.fit(model, loss, optimiser, loader(), epochs=1, callbacks=[Look()])
    assert all(all(found) for found in modes)
    assert not any(m.training for m in model.modules())


@pytest.mark.parametrize("mode", MODES, ids=IDS)
def test_accumulated_gradients_are_those_of_larger_batches(mode: dict[str, Any]) -> None:
    found = []
    for size, count in ((8, 1), (2, 4)):
        model, loss, optimiser = parts(momentum=0.9)
        steps = []

        class Count(Callback):
            def on_epoch_end(self, run: Any) -> None:
                steps.append(run.step)  # noqa: B023

        lucid.fit(
            model,
            loss,
            optimiser,
            loader(20, size),  # the last step of an epoch has half as many samples
            epochs=2,
            accumulate=count,
            clip_norm=0.1,
            callbacks=[Count()],
            **mode,
        )
        assert steps == [3, 6]
        found.append(values(model))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_gradients_are_clipped() -> None:
    model, loss, optimiser = parts(lr=1.0)
    before = values(model)
    lucid.fit(model, loss, optimiser, loader(batch_size=20), epochs=1, clip_norm=1e-3)
    moved = math.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(before, values(model), strict=True)))
    assert moved == pytest.approx(1e-3, rel=1e-5)


def test_lbfgs_searches_on_every_batch() -> None:
    model, loss, _ = parts()
    optimiser = optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    history = lucid.fit(model, loss, optimiser, loader(batch_size=20), epochs=20)
    assert history["loss"][-1] < 1e-3 * history["loss"][0]
    with pytest.raises(errors.OptionError, match="for accumulate=2, another optimiser, got LBFGS"):
        lucid.fit(model, loss, optimiser, loader(), epochs=1, accumulate=2)


class Two(nn.Module):
    """A model of two arguments that returns a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 1), nn.Linear(2, 1)

    def forward(self, first: Any, second: Any) -> Any:
        return {"sum": self.a(first) + self.b(second)}


@pytest.mark.parametrize("mode", MODES, ids=IDS)
@pytest.mark.parametrize("kind", ["flat", "tuple", "dict"])
def test_models_of_several_arguments(kind: str, mode: dict[str, Any]) -> None:
    x, y = arrays(6)
    u = np.ones((6, 2))
    batch: Any = {
        "flat": [x, u, {"y": y}],
        "tuple": ((x, u), {"y": y}),
        "dict": ({"second": u, "first": x}, {"y": y}),
    }[kind]
    lucid.random.seed(0)
    model = Two()
    history = lucid.fit(
        model,
        lambda p, t: functional.mse_loss(p["sum"], t["y"]),
        optim.SGD(model.parameters(), lr=0.1),
        [batch],
        epochs=50,
        metrics={"mae": lambda p, t: mae(p["sum"], t["y"])},
        **mode,
    )
    assert history["loss"][-1] < 0.1 * history["loss"][0]


def test_parameters_of_the_loss_are_trained_too() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.log_scale = nn.Parameter(0.0)

        def forward(self, prediction: Any, target: Any) -> Any:
            scale = lucid.exp(self.log_scale)
            return functional.mse_loss(prediction, target) / scale + self.log_scale

    model = parts()[0]
    loss = Scaled()
    optimiser = optim.Adam([*model.parameters(), *loss.parameters()], lr=0.05)
    lucid.fit(model, loss, optimiser, loader(), epochs=3)
    assert loss.log_scale.item() != 0.0
    assert loss.log_scale.grad is None


def test_schedulers_step_by_epoch_or_by_step_or_look_at_the_loss() -> None:
    def rates(make: Any, **options: Any) -> list[float]:
        model, loss, optimiser = parts(1.0)
        scheduler = make(optimiser)
        options = {"scheduler": scheduler, "epochs": 3, "clip_norm": 1e-9, **options}
        return lucid.fit(model, loss, optimiser, loader(), **options)["lr"]

    assert rates(lambda o: optim.lr_scheduler.ExponentialLR(o, 0.5)) == [1.0, 0.5, 0.25]
    every = rates(lambda o: optim.lr_scheduler.ExponentialLR(o, 0.5), schedule="step")
    assert every == [2.0**-4, 2.0**-8, 2.0**-12]
    halved = rates(
        lambda o: optim.lr_scheduler.ExponentialLR(o, 0.5), schedule="step", accumulate=2
    )
    assert halved == [2.0**-2, 2.0**-4, 2.0**-6]
    plateau = rates(lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.1, patience=0))
    assert plateau == pytest.approx([1.0, 1.0, 0.1])


GUIDE = Path(__file__).parents[1] / "docs" / "training.md"


def test_the_guide_runs(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "guide"}
    for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(GUIDE), "exec"), names)
    history = names["history"]
    assert max(history["val_accuracy"]) > 0.9
    names["optimiser"].param_groups[0]["lr"] = 1e-3
    arguments = (names["model"], nn.CrossEntropyLoss(), names["optimiser"], names["train"])
    stop = names["GoodEnough"]()
    more = lucid.fit(*arguments, epochs=2, validation=names["test"], callbacks=[stop])
    assert more["gap"][0] == more["val_loss"][0] - more["loss"][0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.csv", "run.safetensors"]


# -- callbacks -------------------------------------------------------------------------------------


class Journal(Callback):
    """Notes what it is called for."""

    def __init__(self, name: str, pages: list[str]) -> None:
        self.name, self.pages = name, pages

    def on_fit_start(self, run: Any) -> None:
        self.pages.append(f"{self.name} start {run.epoch}")

    def on_epoch_start(self, run: Any) -> None:
        self.pages.append(f"{self.name} epoch {run.epoch}")

    def on_batch_end(self, run: Any) -> None:
        assert set(run.record) == {"loss"}
        self.pages.append(f"{self.name} batch {run.batch} step {run.step}")

    def on_epoch_end(self, run: Any) -> None:
        assert run.record is run.history.records[-1]
        self.pages.append(f"{self.name} end {run.epoch}")

    def on_fit_end(self, run: Any) -> None:
        self.pages.append(f"{self.name} over {type(run.error).__name__}")


def test_the_order_of_callbacks() -> None:
    pages: list[str] = []
    both = [Journal("a", pages), Journal("b", pages)]
    lucid.fit(*parts(), loader(batch_size=15), epochs=1, callbacks=both)
    assert pages == [
        *("a start 0", "b start 0", "a epoch 1", "b epoch 1"),
        *("a batch 1 step 1", "b batch 1 step 1", "a batch 2 step 2", "b batch 2 step 2"),
        *("a end 1", "b end 1", "b over NoneType", "a over NoneType"),
    ]
    pages.clear()
    with pytest.raises(errors.OperandError):
        lucid.fit(*parts(), [], epochs=1, callbacks=both)
    assert pages[-2:] == ["b over OperandError", "a over OperandError"]


def test_a_callback_stops_and_adds_to_the_history() -> None:
    class Stop(Callback):
        def on_fit_start(self, run: Any) -> None:
            run.names.add("twice")

        def on_epoch_end(self, run: Any) -> None:
            run.record["twice"] = 2 * run.epoch
            if run.epoch == 3:
                run.stop("three are enough")

    watch = EarlyStopping("twice", patience=9, mode="max")
    history = lucid.fit(*parts(), loader(), epochs=9, callbacks=[Stop()], early_stopping=watch)
    assert history["twice"] == [2, 4, 6]
    assert history.stopped == "three are enough"
    assert (watch.best, watch.best_epoch) == (6, 3)


class Course(Callback):
    """Gives the epochs a number, whatever happens."""

    def __init__(self, numbers: list[float]) -> None:
        self.numbers = numbers

    def on_fit_start(self, run: Any) -> None:
        run.names.add("number")

    def on_epoch_end(self, run: Any) -> None:
        run.record["number"] = self.numbers[run.epoch - 1]


@pytest.mark.parametrize(
    ("numbers", "options", "epochs", "best"),
    [
        ([3, 2, 2, 1, 1, 1, 9], {"mode": "min"}, 6, 4),
        ([3, 2, 2, 1, 1, 1, 9], {"mode": "max"}, 3, 1),
        ([3, 2.6, 2.2, 1, 0.6, 0.55, 0.1], {"mode": "min", "min_delta": 0.5}, 6, 4),
        ([math.nan, 3, math.nan, 2, math.nan, math.nan, 1], {"mode": "min"}, 6, 4),
        ([math.nan] * 7, {"mode": "min"}, 2, 0),
        ([7, 6, 5, 4, 3, 2, 1], {"mode": "min"}, 7, 7),
    ],
)
@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping(numbers: Any, options: Any, epochs: int, best: int, restore: bool) -> None:
    model, loss, optimiser = parts()
    states = []

    class Keep(Callback):
        def on_epoch_end(self, run: Any) -> None:
            states.append(values(model))

    stop = EarlyStopping("number", patience=2, restore_best=restore, **options)
    for _ in range(2):  # the same object begins anew
        states.clear()
        history = lucid.fit(
            *(model, loss, optimiser, loader()),
            epochs=7,
            callbacks=[Course(numbers), Keep()],
            early_stopping=stop,
        )
        assert (len(history), stop.best_epoch) == (epochs, best)
        assert (history.stopped is None) == (epochs == 7)
        expected = states[best - 1] if restore and best else states[-1]
        for a, b in zip(values(model), expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_early_stopping_restores_buffers_and_by_default_watches_the_validation() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimiser = optim.Adam(model.parameters(), lr=0.5)
    history = lucid.fit(
        *(model, nn.MSELoss(), optimiser, loader()),
        epochs=50,
        validation=loader(),
        early_stopping=2,
    )
    best = int(np.argmin(history["val_loss"]))
    assert len(history) == best + 3
    assert "val_loss has not improved" in str(history.stopped)
    found = training.evaluate(model, nn.MSELoss(), loader())["loss"]
    assert found == pytest.approx(history["val_loss"][best], rel=1e-12)


def test_the_best_model_is_kept_in_a_file(tmp_path: Path) -> None:
    model, loss, optimiser = parts()
    states = []

    class Keep(Callback):
        def on_epoch_end(self, run: Any) -> None:
            states.append(values(model))

    best = tmp_path / "best.safetensors"
    keep = Checkpoint(tmp_path / "run.npz", every=3, best=best, monitor="number", mode="max")
    numbers = [1, 4, 2, 4, 3]
    lucid.fit(
        *(model, loss, optimiser, loader()),
        epochs=5,
        callbacks=[keep, Course(numbers), Keep()],  # checkpoints are called last, all the same
    )
    model.load_state_dict(lucid.load(best))
    for a, b in zip(values(model), states[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert lucid.load(tmp_path / "run.npz")["position"]["done"] == 5
    assert keep.best == 4


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    options: dict[str, Any] = {"checkpoint": tmp_path / "run.npz", "log": path}
    lucid.fit(*parts(), loader(), epochs=2, **options)
    history = lucid.fit(*parts(), loader(), epochs=3, resume=True, **options)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "loss", "lr", "seconds"]
    assert [int(r["epoch"]) for r in rows] == [1, 2, 3]
    assert [float(r["loss"]) for r in rows] == history["loss"]
    assert isinstance(CSVLogger(str(path)), Callback)


def test_lines() -> None:
    lines: list[str] = []
    lucid.fit(*parts(), loader(), epochs=2, validation=loader(), log=lines.append)
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2: loss ")
    assert ", val_loss " in lines[0]


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    """What TensorBoard's files hold, newer files replacing what older ones say."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[tuple[str, int], float] = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = Event.FromString(content[12 : 12 + length])
            content = content[12 + length + 4 :]
            for value in event.summary.value:
                found[value.tag, event.step] = value.simple_value
    return found


def test_tensorboard(tmp_path: Path) -> None:
    logger = training.TensorBoardLogger(tmp_path)
    metrics = {"mae": mae}
    history = lucid.fit(
        *parts(), loader(), epochs=2, validation=loader(), metrics=metrics, callbacks=[logger]
    )
    found = scalars(tmp_path)
    pairs = {f"{n}/{p}" for n in ("loss", "mae") for p in ("training", "validation")}
    assert {tag for tag, _ in found} == {*pairs, "lr", "seconds"}
    assert found["mae/validation", 2] == pytest.approx(history["val_mae"][1], rel=1e-6)


def test_progress(capsys: Any) -> None:
    lucid.fit(*parts(), loader(), epochs=2, progress=True)
    told = capsys.readouterr().err
    assert "epoch 2/2: 100%" in told
    assert "4/4" in told
    lucid.fit(*parts(), loader(), epochs=1)  # not on a terminal
    stream = data.DataLoader(iter_anew(), batch_size=2)
    lucid.fit(*parts(), stream, epochs=1, progress=False)
    assert capsys.readouterr().err == ""
    lucid.fit(*parts(), stream, epochs=1, progress=True)
    assert "epoch 1/1: 3it" in capsys.readouterr().err


class iter_anew(data.IterableDataset):  # noqa: N801
    """A stream without a length."""

    def __iter__(self) -> Any:
        x, y = arrays(6)
        return zip(x, y, strict=True)


@pytest.mark.parametrize(
    ("package", "extra", "use"),
    [
        ("matplotlib", "plot", lambda: History([{"epoch": 1, "loss": 1.0}]).plot()),
        ("tensorboardX", "tensorboard", lambda: training.TensorBoardLogger("runs")),
        ("tqdm", "progress", lambda: lucid.fit(*parts(), loader(), epochs=1, progress=True)),
    ],
)
def test_missing_extras(package: str, extra: str, use: Any, monkeypatch: Any) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else found(name)
    )
    with pytest.raises(errors.MissingExtraError, match=rf'pip install "lucid-grad\[{extra}\]"'):
        use()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    if package == "tqdm":
        lucid.fit(*parts(), loader(), epochs=1)  # no bar, and no error


# -- history ---------------------------------------------------------------------------------------


def test_history() -> None:
    assert repr(History()) == "History of no epochs"
    history = History([{"epoch": 1, "loss": 0.123456}, {"epoch": 2, "loss": 2e-7, "mae": 1.0}])
    assert repr(history) == (
        "epoch    loss  mae\n"
        "    1  0.1235    -\n"
        "    2   2e-07    1"
    )  # fmt: skip
    assert math.isnan(history["mae"][0])
    assert history.to_dict()["loss"] == [0.123456, 2e-7]
    assert [r["epoch"] for r in history] == [1, 2]
    long = repr(History([{"epoch": k, "loss": 1.0} for k in range(1, 101)])).splitlines()
    assert len(long) == 14
    assert long[7].split() == ["…", "…"]
    with pytest.raises(errors.OptionError, match="one of epoch, loss, mae, got 'los'"):
        history["los"]
    with pytest.raises(errors.OptionError, match="as there is no record"):
        History()["loss"]


def test_plot() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    history = lucid.fit(*parts(), loader(), epochs=2, validation=loader(), metrics={"mae": mae})
    panels = history.plot()
    assert [panel.get_ylabel() for panel in panels] == ["loss", "mae"]
    assert [line.get_label() for line in panels[1].lines] == ["training", "validation"]
    np.testing.assert_array_equal(panels[1].lines[1].get_ydata(), history["val_mae"])
    rate = history.plot("lr", axes=panels[0])
    assert rate is panels[0]
    with pytest.raises(errors.OptionError, match="2 axes, got 1"):
        history.plot(axes=panels[0])
    with pytest.raises(errors.OptionError, match="a history with records, got an empty one"):
        History().plot()
    plt.close("all")


# -- wrong use -------------------------------------------------------------------------------------


def vector(prediction: Any, target: Any) -> Any:
    return (prediction - target) ** 2


def complicated(prediction: Any, target: Any) -> Any:
    return (prediction - target).sum() * 1j


def alone(n: int) -> Any:
    return optim.SGD(nn.Linear(n, 1).parameters(), lr=0.1)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"epochs": 0}, "OptionError", "fit: expected epochs as an integer of 1 or more, got 0"),
    ({"epochs": True}, "OptionError", "fit: expected epochs as an integer of 1 or more, got True"),
    ({"epochs": 1.5}, "OptionError", "fit: expected epochs as an integer of 1 or more, got 1.5"),
    (
        {"accumulate": 0},
        "OptionError",
        "fit: expected accumulate as an integer of 1 or more, got 0",
    ),
    ({"clip_norm": -1}, "OptionError", "fit: expected clip_norm above 0, got -1"),
    (
        {"early_stopping": 0},
        "OptionError",
        "EarlyStopping: expected patience as an integer of 1 or more, got 0",
    ),
    ({"model": lambda x: x}, "OperandError", "fit: expected a Module as model, got a function"),
    (
        {"loss": nn.MSELoss},
        "OperandError",
        "fit: expected loss as a function of (prediction, target), got the class MSELoss; make an "
        "instance, MSELoss()",
    ),
    (
        {"loss": 3},
        "OperandError",
        "fit: expected loss as a function of (prediction, target), got int",
    ),
    (
        {"loss": vector},
        "ShapeError",
        "fit: expected a loss that returns one number, got shape (6, 1); take its .mean()",
    ),
    (
        {"loss": complicated},
        "DTypeError",
        "fit: expected a loss that returns a real number, got complex128",
    ),
    (
        {"metrics": {"squares": vector}},
        "ShapeError",
        "fit: expected a metric 'squares' that returns one number, got shape (6, 1); take its "
        ".mean()",
    ),
    (
        {"metrics": [vector]},
        "OperandError",
        "fit: expected metrics as a dict of functions by name, got a list",
    ),
    (
        {"metrics": {"loss": mae}},
        "OptionError",
        'fit: expected names of metrics other than "epoch", "loss", "lr", "seconds" and "val_...", '
        "got 'loss'",
    ),
    (
        {"metrics": {"mae": "mae"}},
        "OperandError",
        "fit: expected metric 'mae' as a function, got a str",
    ),
    (
        {"optimiser": optim.sgd(0.1)},
        "OperandError",
        "fit: expected an optimiser of lucid.optim, got a GradientTransformation",
    ),
    (
        {"optimiser": alone(3)},
        "OptionError",
        "fit: expected an optimiser over the model's parameters, got one with none of them; make "
        "the optimiser of model.parameters()",
    ),
    ({"loader": []}, "OperandError", "fit: expected a loader with batches, got an empty one"),
    (
        {"validation": []},
        "OperandError",
        "fit: expected a validation loader with batches, got an empty one",
    ),
    (
        {"loader": 3},
        "OperandError",
        "fit: expected a loader that can be iterated anew every epoch, got a int",
    ),
    (
        {"loader": iter([1])},
        "OperandError",
        "fit: expected a loader that can be iterated anew every epoch, got a list_iterator, which "
        "ends; pass a lucid.data.DataLoader, or a list of batches",
    ),
    (
        {"loader": arrays()},
        "OperandError",
        "fit: expected batches (inputs, target), got an array of shape (20, 3); "
        "lucid.data.DataLoader(TensorDataset(x, y), batch_size=...) yields such batches",
    ),
    (
        {"loader": [(1.0,)]},
        "OperandError",
        "fit: expected batches (inputs, target), got a tuple of 1; "
        "lucid.data.DataLoader(TensorDataset(x, y), batch_size=...) yields such batches",
    ),
    (
        {"loader": [{"x": 1.0}]},
        "OperandError",
        "fit: expected batches (inputs, target), got a dict; "
        "lucid.data.DataLoader(TensorDataset(x, y), batch_size=...) yields such batches",
    ),
    (
        {"schedule": "batch"},
        "OptionError",
        'fit: expected schedule "epoch" or "step", got \'batch\'',
    ),
    (
        {"schedule": "step"},
        "OptionError",
        'fit: expected a scheduler, for schedule="step", got none',
    ),
    (
        {"scheduler": 0.9},
        "OperandError",
        "fit: expected a scheduler of lucid.optim.lr_scheduler, got a float",
    ),
    (
        {"scheduler": optim.lr_scheduler.StepLR(alone(2), 1)},
        "OptionError",
        "fit: expected a scheduler of this optimiser, got one of another",
    ),
    (
        {"jit": "numpy"},
        "OptionError",
        "fit: expected jit True or False, got 'numpy'; pass executor= apart",
    ),
    (
        {"jit": False, "executor": "numpy"},
        "OptionError",
        "fit: expected no executor with jit=False, got 'numpy'",
    ),
    (
        {"callbacks": [EarlyStopping]},
        "OperandError",
        "fit: expected callbacks derived from Callback, got the class EarlyStopping",
    ),
    (
        {"callbacks": [print]},
        "OperandError",
        "fit: expected callbacks derived from Callback, got a builtin_function_or_method",
    ),
    (
        {"early_stopping": EarlyStopping("val_loss")},
        "OptionError",
        "EarlyStopping: expected monitor to be one of loss, lr, seconds, got 'val_loss'",
    ),
    (
        {"early_stopping": EarlyStopping("mae"), "metrics": {"mae": mae}},
        "OptionError",
        "EarlyStopping: expected a mode, got none for 'mae'; say whether less of it is better, "
        '"min", or more, "max"',
    ),
    (
        {"checkpoint": "model.pt"},
        "OptionError",
        "Checkpoint: expected a path that ends in .safetensors or .npz, got 'model.pt'",
    ),
]


@pytest.mark.parametrize(("options", "kind", "text"), WRONG, ids=[w[2][:60] for w in WRONG])
def test_wrong_use(options: dict[str, Any], kind: str, text: str) -> None:
    model, loss, optimiser = parts()
    given: dict[str, Any] = {"model": model, "loss": loss, "optimiser": optimiser}
    given = {**given, "loader": loader(), "epochs": 1, **options}
    with pytest.raises(getattr(errors, kind)) as info:
        lucid.fit(**given)
    assert str(info.value) == text


def test_a_scheduler_that_looks_at_epochs_cannot_step_by_step() -> None:
    model, loss, optimiser = parts()
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimiser)
    with pytest.raises(errors.OptionError, match="another scheduler, got ReduceLROnPlateau"):
        lucid.fit(model, loss, optimiser, loader(), epochs=1, scheduler=scheduler, schedule="step")


def test_wrong_options_of_callbacks() -> None:
    with pytest.raises(errors.OptionError, match='mode None, "min" or "max", got \'auto\''):
        EarlyStopping("loss", mode="auto")
    with pytest.raises(errors.OptionError, match="min_delta of 0 or more, got nan"):
        EarlyStopping("loss", min_delta=math.nan)
    with pytest.raises(errors.OptionError, match='unit "epoch" or "batch", got \'step\''):
        Checkpoint("a.npz", unit="step")
    with pytest.raises(errors.OptionError, match="every as an integer of 1 or more, got 0"):
        Checkpoint("a.npz", 0)
    with pytest.raises(errors.OptionError, match="best, for a monitor, got none"):
        Checkpoint("a.npz", monitor="loss")


@pytest.mark.parametrize("mode", MODES, ids=IDS)
def test_a_loss_that_is_not_finite_names_its_step(mode: dict[str, Any], tmp_path: Path) -> None:
    x, y = arrays(6)
    bad = [(x, y), (x, y), (x, y * math.inf)]
    path = tmp_path / "run.npz"
    with pytest.raises(errors.NonFiniteError, match="a finite loss, got inf in epoch 1, batch 3 "):
        lucid.fit(*parts(), bad, epochs=2, checkpoint=path, **mode)
    assert lucid.load(path)["position"]["done"] == 0  # what has failed is not saved
    with np.errstate(all="ignore"):
        history = lucid.fit(*parts(), bad, epochs=2, check_finite=False, **mode)
    assert not math.isfinite(history["loss"][1])


def test_a_checkpoint_that_cannot_be_written_is_found_out_at_once(tmp_path: Path) -> None:
    model, loss, optimiser = parts()
    before = values(model)
    with pytest.raises(FileNotFoundError):
        lucid.fit(
            *(model, loss, optimiser, loader()), epochs=1, checkpoint=tmp_path / "a" / "b.npz"
        )
    np.testing.assert_array_equal(before[0], values(model)[0])


def test_evaluate_says_what_is_wrong() -> None:
    model, loss, _ = parts()
    with pytest.raises(errors.OperandError, match="evaluate: expected a loader with batches, got"):
        training.evaluate(model, loss, [])
    with pytest.raises(errors.OperandError, match=r"evaluate: expected batches \(inputs, target\)"):
        training.evaluate(model, loss, [3])
    with pytest.raises(errors.OptionError, match="evaluate: expected no executor with jit=False"):
        training.evaluate(model, loss, loader(), jit=False, executor="numpy")
    with pytest.raises(errors.OperandError, match="evaluate: expected a Module as model"):
        training.evaluate(lambda x: x, loss, loader())
