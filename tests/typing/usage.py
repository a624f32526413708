"""What a user's type checker sees: `pyright` checks this file strictly; nothing here runs."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np

import lucid
from lucid import Tensor, data, functional, nn, optim, training


def arrays(a: np.ndarray[Any, Any]) -> None:
    x = lucid.asarray(a)
    assert_type(x, Tensor)
    assert_type(lucid.sin(a), Tensor)
    assert_type(lucid.sum(x, axis=(0, 1), keepdims=True), Tensor)
    assert_type(x + 1.0, Tensor)
    assert_type(2 * x @ x.T, Tensor)
    assert_type(x > 0, Tensor)
    assert_type(x[0, ..., None], Tensor)
    assert_type(x.reshape(2, -1).mean(axis=0), Tensor)
    assert_type(x.shape, tuple[int, ...])
    assert_type(x.dtype, np.dtype[Any])
    assert_type(x.grad, Tensor | None)


def loss(params: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    return functional.mse_loss(functional.linear(x, params["w"], params["b"]), y)


def transformations(params: dict[str, Tensor], x: Tensor) -> None:
    lucid.grad(loss)(params, x, x)
    lucid.value_and_grad(loss, argnums=(0, 1), has_aux=False)(params, x, x)
    assert_type(lucid.vmap(lucid.sin)(x), Tensor)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features=2, out_features=1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.linear(x))


def objects(x: Tensor, y: Tensor) -> None:
    model = Model()
    assert_type(model.linear.weight, nn.Parameter)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    error = nn.MSELoss()(model(x), y)
    error.backward()
    optimizer.step()
    optimizer.zero_grad()


def trained(x: Tensor, y: Tensor) -> None:
    model = Model()
    optimiser = optim.Adam(model.parameters())
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=8)
    stop = training.EarlyStopping("val_error", patience=3, mode="max")
    history = lucid.fit(
        model,
        nn.MSELoss(),
        optimiser,
        loader,
        epochs=3,
        validation=[(x, y)],
        metrics={"error": functional.l1_loss},
        early_stopping=stop,
        log=print,
    )
    assert_type(history, training.History)
    assert_type(history["loss"], list[float])
    assert_type(training.evaluate(model, nn.MSELoss(), loader), dict[str, float])


class Stop(training.Callback):
    def on_epoch_end(self, run: training.Run) -> None:
        if run.record["loss"] < 0.1:
            run.stop("small enough")
