"""A training that test_resume.py runs in processes of its own, and kills."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import lucid
from lucid import data, nn, optim, training
from lucid.io import files

EPOCHS = 24
BATCHES = 7  # of 8, and a last one of 4


class Life(training.Callback):
    """Tells that training has begun, takes its time, and kills itself at a given batch."""

    def __init__(self, die_at: int, pause: float) -> None:
        self.die_at, self.pause, self.batches = die_at, pause, 0

    def on_batch_end(self, run: Any) -> None:
        self.batches += 1
        if self.batches == 1 and self.pause:
            print("ready", flush=True)
        time.sleep(self.pause)
        if self.batches == self.die_at:
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_write(number: int, part: float) -> None:
    """Be killed in the middle of a checkpoint, or, for part 1, before it takes its name."""
    original, count = files.safetensors.write, 0

    def write(file: Any, document: Any, checksum: bool) -> None:
        nonlocal count
        count += 1
        if count < number:
            return original(file, document, checksum)
        whole = io.BytesIO()
        original(whole, document, checksum)
        file.write(whole.getvalue()[: int(part * len(whole.getvalue()))])
        file.flush()
        return die()

    files.safetensors.write = write  # type: ignore[assignment]


class Model(nn.Module):
    """Something of everything: random numbers, buffers, several layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, 12), nn.BatchNorm1d(12), nn.Tanh(), nn.Dropout(0.2), nn.Linear(12, 2)
        )
        self.register_buffer("seen", lucid.zeros(()), persistent=False)

    def forward(self, x: Any) -> Any:
        if self.training:
            self.seen = self.seen + 1.0
        return self.layers(x) + 1e-3 * self.seen


def accuracy(prediction: Any, target: Any) -> Any:
    return (prediction.argmax(1) == target).astype(lucid.float64).mean()


def train(
    path: Any = None,
    *,
    workers: int = 0,
    kind: str = "thread",
    generator: Any = None,
    **options: Any,
) -> Any:
    """Train the model; return it and the history."""
    lucid.random.seed(0)
    model = Model()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((52, 4))
    pairs = data.TensorDataset(x, (x.sum(1) > 0).astype(np.int64))
    loader = data.DataLoader(
        pairs, 8, shuffle=True, generator=generator, num_workers=workers, worker_kind=kind
    )
    validation = data.DataLoader(pairs, batch_size=16, shuffle=True)
    optimiser = optim.AdamW(model.parameters(), lr=0.02)
    callbacks = list(options.pop("callbacks", ()))
    if path is not None:
        callbacks.append(training.Checkpoint(path, every=2, unit="batch"))
    history = lucid.fit(
        model,
        nn.CrossEntropyLoss(),
        optimiser,
        loader,
        validation=validation,
        metrics={"accuracy": accuracy},
        scheduler=optim.lr_scheduler.StepLR(optimiser, 1, 0.9),
        callbacks=callbacks,
        progress=False,
        seed=1,
        **{"epochs": EPOCHS, "accumulate": 2, "clip_norm": 0.5, "early_stopping": 100, **options},
    )
    return model, history


def digest(model: Any, history: Any) -> str:
    """Return a hash of every bit of the parameters, the buffers and the history."""
    found = hashlib.sha256()
    for value in (*model.parameters(), *model.buffers()):
        found.update(value.numpy().tobytes())
    records = [{n: v for n, v in r.items() if n != "seconds"} for r in history]
    found.update(json.dumps(records).encode())
    return found.hexdigest()


def main(path: str, plan: str) -> None:
    """Live once, as the plan says."""
    todo = json.loads(plan)
    if "write" in todo:
        die_in_write(*todo["write"])
    options = {"jit": True, "executor": todo["mode"]}
    if todo["mode"] == "eager":
        options = {"jit": False}
    life = Life(todo.get("batch", 0), todo.get("pause", 0.0))
    if Path(path).exists():
        life_before = lucid.load(path)["position"]
        print("resumed", life_before["done"], life_before["batch"], flush=True)
    found = train(path, workers=todo["workers"], callbacks=[life], resume=True, **options)
    print("done", digest(*found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
