"""The prices of 53,940 diamonds, beside scikit-learn's MLPRegressor in the same time.

    python examples/train_tabular.py

The table comes with plotnine. Three times, four fifths of it train a network of 26-128-128-1 units
by AdamW, whose rate rises and falls once, to predict the logarithm of the price; the rest tests it.
`lucid.fit` trains; it compiles the step. Then networks of the same shape are trained as
MLPRegressor, with several settings, each with all the time that lucid took, compiling included; the
one that stops early, by a validation of its own, may take as long as it wants.

All see the same standardised numbers, of 32 bits. BLAS has one thread, which is faster than two for
products of this size. The settings of lucid were chosen by validation within the training part of
another split.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from _common import BLUE, GREY, ORANGE, figure, options, save
from plotnine.data import diamonds
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ShuffleSplit
from sklearn.neural_network import MLPRegressor

import lucid
from lucid import functional, nn, optim

RATE, BATCH, WIDTH = 1e-2, 128, 128
OTHERS: dict[str, dict[str, Any]] = {
    "tanh": {"activation": "tanh"},
    "tanh, rate 0.003": {"activation": "tanh", "learning_rate_init": 3e-3},
    "relu": {},
    "relu, rate 0.003": {"learning_rate_init": 3e-3},
    "tanh, early stopping": {"activation": "tanh", "early_stopping": True},
}


class Split(NamedTuple):
    """Standardised rows to train and to test with, and the unit of the targets."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any
    unit: float

    def error(self, predicted: Any) -> float:
        """Return the root mean squared error of the logarithm of the test prices."""
        return float(np.sqrt(np.mean((predicted - self.y_test) ** 2)) * self.unit)


class Result(NamedTuple):
    """Test error, seconds, and what was predicted."""

    error: float
    seconds: float
    predicted: Any


def load(splits: int) -> list[Split]:
    """Return random splits of the table; classes become columns of zeros and ones."""
    x = pd.get_dummies(diamonds.drop(columns="price")).to_numpy(np.float32)
    y = np.log(diamonds["price"].to_numpy(np.float32))
    found = []
    for rows, test in ShuffleSplit(splits, test_size=0.2, random_state=1).split(x):
        mean, deviation = x[rows].mean(0), x[rows].std(0)
        middle, unit = y[rows].mean(), y[rows].std()
        pairs = [((x[k] - mean) / deviation, (y[k] - middle) / unit) for k in (rows, test)]
        found.append(Split(*pairs[0], *pairs[1], float(unit)))
    return found


def train(split: Split, seed: int, epochs: int) -> tuple[Result, list[float]]:
    """Train a network of lucid; return also the losses of the epochs."""
    start = time.perf_counter()
    lucid.random.seed(seed)
    model = nn.Sequential(
        nn.Linear(split.x.shape[1], WIDTH),
        nn.Tanh(),
        nn.Linear(WIDTH, WIDTH),
        nn.Tanh(),
        nn.Linear(WIDTH, 1),
        nn.Flatten(0),
    )
    optimizer = optim.AdamW(model.parameters(), lr=RATE)
    pairs = lucid.data.TensorDataset(split.x, split.y)
    loader = lucid.data.DataLoader(pairs, BATCH, shuffle=True, drop_last=True, generator=seed)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * len(loader))
    history = lucid.fit(
        model,
        functional.mse_loss,
        optimizer,
        loader,
        epochs=epochs,
        scheduler=schedule,
        schedule="step",
    )
    seconds = time.perf_counter() - start
    predicted = model(lucid.asarray(split.x_test)).detach().numpy()
    return Result(split.error(predicted), seconds, predicted), history["loss"]


def train_other(
    split: Split, seed: int, seconds: float, epochs: int, settings: dict[str, Any]
) -> Result:
    """Train scikit-learn's network until the time is up; if it stops early, for these epochs."""
    start = time.perf_counter()
    model = MLPRegressor(
        hidden_layer_sizes=(WIDTH, WIDTH), max_iter=epochs, random_state=seed, **settings
    )
    if model.early_stopping:
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            model.fit(split.x, split.y)
    else:
        while time.perf_counter() - start < seconds:
            model.partial_fit(split.x, split.y)  # an epoch
    taken = time.perf_counter() - start
    predicted = model.predict(split.x_test)
    return Result(split.error(predicted), taken, predicted)


def draw(
    errors: dict[str, list[float]], split: Split, one: Result, losses: Any, path: Path
) -> None:
    """Plot the loss of the first split, its predictions, and the errors of all models."""
    plot, (left, middle, right) = figure(13, 4.0, ncols=3, width_ratios=(1, 1, 1.3))
    left.semilogy(np.arange(1, len(losses) + 1), np.sqrt(losses) * split.unit, color=BLUE)
    left.set(xlabel="epoch", ylabel="root mean squared error, log price", title="Training")
    middle.scatter(split.y_test, one.predicted, s=2, color=BLUE, alpha=0.2, linewidth=0)
    ends = [float(split.y_test.min()), float(split.y_test.max())]
    middle.plot(ends, ends, color=ORANGE, linewidth=1.2)
    middle.set(xlabel="log price, standardised", ylabel="predicted", title="Test predictions")
    names = list(errors)[::-1]
    means = [np.mean(errors[name]) for name in names]
    colors = [BLUE if name == "lucid" else GREY for name in names]
    right.barh(names, means, color=colors)
    for k, name in enumerate(names):
        right.plot(errors[name], [k] * len(errors[name]), ".", color=ORANGE, markersize=5)
        right.annotate(f" {means[k]:.4f}", (max(errors[name]), k), va="center")
    right.set(xlabel="root mean squared test error, log price", title="Test error (dots: splits)")
    right.set_xlim(0, 1.2 * max(map(max, errors.values())))
    save(plot, path)


def main() -> None:
    """Train on every split, with lucid and scikit-learn; compare; draw."""
    chosen = options("train_tabular", "Prices of diamonds.", 40, "epochs", seed=0, splits=3)
    lucid.set_default_dtype(lucid.float32)
    splits = load(chosen.splits)
    errors: dict[str, list[float]] = {name: [] for name in ("lucid", *OTHERS)}
    seconds: dict[str, list[float]] = {name: [] for name in errors}
    curves, first = [], None
    for split in splits:
        result, losses = train(split, chosen.seed, chosen.rounds)
        curves.append(losses)
        first = first or result
        results = {"lucid": result}
        for name, settings in OTHERS.items():
            limits = result.seconds, 5 * chosen.rounds
            results[name] = train_other(split, chosen.seed, *limits, settings)
        for name, each in results.items():
            errors[name].append(each.error)
            seconds[name].append(each.seconds)

    for name in errors:
        means = np.mean(errors[name]), np.mean(seconds[name])
        print(f"{name:<21} {means[0]:.4f} root mean squared error, {means[1]:5.1f} s")
    draw(errors, splits[0], first, curves[0], chosen.plot)
    assert all(losses[-1] < losses[0] for losses in curves)
    if chosen.rounds >= 40:
        best = min(OTHERS, key=lambda name: np.mean(errors[name]))
        assert np.mean(errors["lucid"]) < np.mean(errors[best]), f"{best} is better"


if __name__ == "__main__":
    main()
