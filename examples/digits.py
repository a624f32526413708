"""Handwritten digits of scikit-learn, five fixed folds, both ways.

    python examples/digits.py

A network of 64-256-10 units is trained by Adam on minibatches of four fifths of the 1,797 images
and tested on the last fifth, five times. The functional face differentiates a pure function of the
parameters; the object face has modules, a loss and an optimiser with state. Both start from the
same weights, see the same minibatches and agree to rounding.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _common import BLUE, GREY, ORANGE, figure, options, progress, save
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

import lucid
from lucid import functional, nn, optim

RATE, BATCH, HIDDEN = 3e-3, 64, 256
REQUIRED = 0.97


class Fold(NamedTuple):
    """Images as rows of 64 numbers in [0, 1], and their digits."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any
    test: Any  # positions of the test images


class Result(NamedTuple):
    """What training gave: mean loss of every epoch, class scores of the test images."""

    losses: list[float]
    scores: Any


def folds() -> Iterator[Fold]:
    """Yield five fixed folds with the digits in equal shares."""
    images, digits = load_digits(return_X_y=True)
    images = images / 16.0
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(images, digits):
        yield Fold(images[train], digits[train], images[test], digits[test], test)


def minibatches(fold: Fold, epoch: int) -> Iterator[tuple[Any, Any]]:
    """Yield the training images of a fold once, in an order that depends on the epoch alone."""
    order = np.random.default_rng(epoch).permutation(len(fold.y))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        yield lucid.asarray(fold.x[rows]), lucid.asarray(fold.y[rows])


def first_weights(seed: int) -> dict[str, Any]:
    """Return the parameters that both faces start from."""
    rng = np.random.default_rng(seed)
    params = {}
    for layer, (n, m) in {"0": (64, HIDDEN), "2": (HIDDEN, 10)}.items():
        weight = rng.standard_normal((m, n)) * np.sqrt(2 / n)
        params[f"{layer}.weight"], params[f"{layer}.bias"] = weight, np.zeros(m)
    return {name: lucid.asarray(value) for name, value in params.items()}


def train_functional(fold: Fold, seed: int, epochs: int, label: str) -> Result:
    """Train a dict of parameters."""

    def predict(params: Any, x: Any) -> Any:
        hidden = functional.relu(functional.linear(x, params["0.weight"], params["0.bias"]))
        return functional.linear(hidden, params["2.weight"], params["2.bias"])

    def loss(params: Any, x: Any, y: Any) -> Any:
        return functional.cross_entropy(predict(params, x), y)

    params = first_weights(seed)
    rule = optim.adam(RATE)
    state = rule.init(params)
    loss_and_gradient = lucid.value_and_grad(loss)
    losses = []
    for epoch in progress(range(epochs), label):
        values = []
        for x, y in minibatches(fold, epoch):
            value, gradient = loss_and_gradient(params, x, y)
            updates, state = rule.update(gradient, state)
            params = optim.apply_updates(params, updates)
            values.append(value.item())
        losses.append(float(np.mean(values)))
    return Result(losses, predict(params, lucid.asarray(fold.x_test)).numpy())


def train_object(fold: Fold, seed: int, epochs: int, label: str) -> Result:
    """Train a module."""
    model = nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
    model.load_state_dict(first_weights(seed))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=RATE)
    losses = []
    for epoch in progress(range(epochs), label):
        values = []
        for x, y in minibatches(fold, epoch):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            values.append(loss.item())
        losses.append(float(np.mean(values)))
    with lucid.no_grad():
        return Result(losses, model(lucid.asarray(fold.x_test)).numpy())


def draw(results: list[Result], accuracies: list[float], path: Path) -> None:
    """Plot the loss of every fold, and the test images that were taken for another digit."""
    plot, (left, right) = figure(10, 4.0, ncols=2, width_ratios=(1, 1.35))
    for k, result in enumerate(results):
        epochs = np.arange(1, len(result.losses) + 1)
        label = "one line per fold" if k == 0 else None
        left.semilogy(epochs, result.losses, color=BLUE, alpha=0.6, linewidth=1.3, label=label)
    mean = 100 * np.mean(accuracies)
    left.set(xlabel="epoch", ylabel="mean cross-entropy", title="Training loss")
    left.legend()
    images = load_digits().images
    wrong = [
        (images[where], truth, guess)
        for fold, result in zip(folds(), results, strict=True)
        for where, truth, guess in zip(fold.test, fold.y_test, result.scores.argmax(1), strict=True)
        if truth != guess
    ]
    columns, rows = 8, 4
    shown = wrong[: columns * rows]
    which = "all" if len(shown) == len(wrong) else f"{len(shown)} of"
    right.set_title(f"Test accuracy {mean:.2f} %; {which} {len(wrong)} mistakes among 1,797")
    right.axis("off")
    for k, (image, truth, guess) in enumerate(shown):
        row, column = divmod(k, columns)
        place = right.inset_axes(
            (column / columns, 1 - (row + 1) / rows, 0.9 / columns, 0.8 / rows)
        )
        place.imshow(image, cmap="gray_r")
        place.set(xticks=[], yticks=[])
        place.spines[:].set(visible=True, color=GREY, linewidth=0.5)
        place.set_title(f"{truth} as {guess}", fontsize=8, color=ORANGE, loc="center", pad=2)
    save(plot, path)


def main() -> None:
    """Train both ways on every fold, compare, draw."""
    chosen = options("digits", "Handwritten digits, five folds.", 40, "epochs")
    start = time.perf_counter()
    results: list[Result] = []
    accuracies: list[float] = []
    gap = 0.0
    for k, fold in enumerate(folds()):
        one = train_functional(fold, k, chosen.rounds, f"fold {k + 1} of 5, functional")
        two = train_object(fold, k, chosen.rounds, f"fold {k + 1} of 5, object")
        gap = max(
            gap,
            float(np.max(np.abs(np.divide(one.losses, two.losses) - 1))),
            float(np.max(np.abs(one.scores - two.scores)) / np.max(np.abs(one.scores))),
        )
        results.append(one)
        accuracies.append(float(np.mean(one.scores.argmax(1) == fold.y_test)))
    seconds = time.perf_counter() - start

    print("accuracy per fold    " + "  ".join(f"{100 * a:.2f} %" for a in accuracies))
    print(f"mean                 {100 * np.mean(accuracies):.2f} %")
    print(f"functional - object  {gap:.1e} relative, losses and scores; {seconds:.1f} s")
    assert gap <= 1e-9, f"the two faces differ by {gap:.1e}"
    draw(results, accuracies, chosen.plot)
    assert np.mean(accuracies) >= REQUIRED, f"expected at least {REQUIRED:.0%} in the mean"


if __name__ == "__main__":
    main()
