"""Linear regression on the diabetes data of scikit-learn, by gradient descent, both ways.

    python examples/regression.py

The functional face differentiates a pure function of a dict of parameters and takes steps with a
pure optimiser. The object face has a module, a loss and an optimiser with state. Both reach the
loss of the closed-form solution to a relative 1e-6, and agree with each other to rounding.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from _common import BLUE, GREY, ORANGE, figure, options, progress, save
from sklearn.datasets import load_diabetes

import lucid
from lucid import functional, nn, optim

# Heavy-ball descent at nearly its best: the curvatures range from 0.017 to 8.0 (twice the
# eigenvalues of the features' correlations), and the step must stay stable for the largest.
RATE, MOMENTUM = 0.45, 0.85
TOLERANCE = 1e-6


def load() -> tuple[Any, Any]:
    """Return features of mean 0 and variance 1, shape (442, 10), and targets, shape (442, 1)."""
    data = load_diabetes(scaled=False)
    x = (data.data - data.data.mean(0)) / data.data.std(0)
    return x, data.target[:, None]


def closed_form(x: Any, y: Any) -> float:
    """Return the least mean squared error of any linear model."""
    design = np.column_stack([x, np.ones(len(x))])
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    return float(np.mean((design @ coefficients - y) ** 2))


def fit_functional(x: Any, y: Any, steps: int) -> tuple[list[float], Any]:
    """Train a dict of parameters; return the losses and the predictions."""
    x, y = lucid.asarray(x), lucid.asarray(y)
    params = {"weight": lucid.zeros((1, 10)), "bias": lucid.zeros(1)}

    def loss(params: Any) -> Any:
        return functional.mse_loss(functional.linear(x, params["weight"], params["bias"]), y)

    loss_and_gradient = lucid.value_and_grad(loss)
    descent = optim.momentum(RATE, MOMENTUM)
    state = descent.init(params)
    losses = []
    for _ in progress(range(steps), "functional"):
        value, gradient = loss_and_gradient(params)
        updates, state = descent.update(gradient, state)
        params = optim.apply_updates(params, updates)
        losses.append(value.item())
    return losses, functional.linear(x, params["weight"], params["bias"]).numpy()


def fit_object(x: Any, y: Any, steps: int) -> tuple[list[float], Any]:
    """Train a module; return the losses and the predictions."""
    x, y = lucid.asarray(x), lucid.asarray(y)
    model = nn.Linear(10, 1)
    model.weight.data, model.bias.data = lucid.zeros((1, 10)), lucid.zeros(1)
    criterion = nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    losses = []
    for _ in progress(range(steps), "object"):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model(x).detach().numpy()


def draw(losses: list[float], best: float, predicted: Any, y: Any, path: Path) -> None:
    """Plot how the loss nears its minimum, and predictions against measurements."""
    plot, (left, right) = figure(10, 4.2, ncols=2)
    # below 1e-15 of the loss itself there is nothing but rounding
    excess = np.maximum(np.asarray(losses) / best - 1, 1e-16)
    left.semilogy(excess, color=BLUE, linewidth=1.8)
    left.axhline(TOLERANCE, color=GREY, linestyle="--", linewidth=1)
    left.annotate("required", (len(losses), TOLERANCE), ha="right", va="bottom", color=GREY)
    left.set(xlabel="step", ylabel="loss / least-squares loss - 1", title="Excess of the loss")
    right.scatter(y, predicted, s=12, color=BLUE, alpha=0.5, linewidth=0)
    ends = [float(y.min()), float(y.max())]
    right.plot(ends, ends, color=ORANGE, linewidth=1.5, label="prediction = measurement")
    right.set(
        xlabel="measured disease progression",
        ylabel="predicted",
        title=f"Predictions (root mean squared error {best**0.5:.1f})",
    )
    right.set_aspect("equal")
    right.legend(loc="upper left")
    save(plot, path)


def main() -> None:
    """Train both ways, compare, draw."""
    chosen = options("regression", "Linear regression on the diabetes data.", 300, "steps")
    x, y = load()
    best = closed_form(x, y)
    start = time.perf_counter()
    losses, predicted = fit_functional(x, y, chosen.rounds)
    other_losses, other_predicted = fit_object(x, y, chosen.rounds)
    seconds = time.perf_counter() - start

    excess = losses[-1] / best - 1
    print(f"closed form          {best:.9f}")
    print(f"gradient descent     {losses[-1]:.9f}  (relative excess {excess:.1e})")
    gap = max(
        np.max(np.abs(np.divide(losses, other_losses) - 1)),
        np.max(np.abs(predicted - other_predicted)) / np.max(np.abs(predicted)),
    )
    print(f"functional - object  {gap:.1e} relative, losses and predictions; {seconds:.2f} s")
    assert abs(excess) <= TOLERANCE, f"the loss is {excess:.1e} above the closed form"
    assert gap <= 1e-12, f"the two faces differ by {gap:.1e}"
    draw(losses, best, predicted, y, chosen.plot)


if __name__ == "__main__":
    main()
