"""Run: a training in progress, with everything that a checkpoint has to hold."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lucid.core.tensor import Tensor
from lucid.errors import NonFiniteError, OperandError, StateDictError, message
from lucid.ops.random.generator import default_generator
from lucid.optim.lr_scheduler import ReduceLROnPlateau
from lucid.optim.transform import number
from lucid.training.batches import Source, batch_size
from lucid.training.callbacks import Callback
from lucid.training.history import History
from lucid.training.interrupts import Interrupts
from lucid.training.state import rebuild, restore, snapshot, weights
from lucid.training.steps import Trainer

__all__ = ["Averages", "Run"]


class Averages:
    """Means over samples of what is known of batches."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.sums = [0.0] * len(self.names)
        self.count = 0

    def add(self, values: Sequence[float], n: int) -> None:
        """Take the means over a batch of n samples into account."""
        self.sums = [total + n * x for total, x in zip(self.sums, values, strict=True)]
        self.count += n

    def means(self) -> dict[str, float]:
        """Return the means so far by name."""
        return {name: s / self.count for name, s in zip(self.names, self.sums, strict=True)}


class Run:
    """A training in progress, which callbacks are given.

    Attributes:
        model, optimiser, scheduler, loader, epochs: as given to `lucid.fit`.
        history: the records of the epochs so far.
        epoch: the number of the epoch in progress, from 1.
        done: how many epochs are complete.
        batch: how many batches of this epoch are.
        step: how many updates of the parameters have been made.
        record: the latest numbers: of a batch after a batch, of an epoch after an epoch.
        names: what an epoch's record will hold.
        resumed: whether the run goes on from a checkpoint.
        error: the exception that ends the training, if one does.

    Example:
        >>> import lucid
        >>> class Stop(lucid.training.Callback):
        ...     def on_epoch_end(self, run):
        ...         if run.record["loss"] < 0.1:
        ...             run.stop("the loss is small enough")
    """

    def __init__(
        self,
        trainer: Trainer,
        measure: Callable[[Any, Any], list[float]] | None,
        source: Source,
        validation: Source | None,
        scheduler: Any,
        *,
        by_step: bool,
        epochs: int,
        callbacks: Sequence[Callback],
        check_finite: bool,
    ) -> None:
        self.model, self.optimiser = trainer.objective.model, trainer.optimiser
        self.scheduler, self.epochs = scheduler, epochs
        self.loader: Any = source.loader
        self.callbacks = list(callbacks)
        self.history = History()
        self.epoch = self.done = self.batch = self.step = 0
        self.record: dict[str, float] = {}
        own = ["loss", *trainer.objective.metrics]
        self.names = {*own, *(f"val_{n}" for n in own if validation), "lr", "seconds"}
        self.resumed = False
        self.error: BaseException | None = None
        self._trainer, self._measure = trainer, measure
        self._source, self._validation = source, validation
        self._by_step, self._check_finite = by_step, check_finite
        self._averages = Averages(own)
        self._generator: Any = None  # the state in the middle of an epoch that is gone on with
        self._seconds = 0.0
        self._interrupts = Interrupts()
        for each in (source, validation):  # their generators start now, with a checkpoint or not
            if each is not None:
                each.state_dict()

    # -- for callbacks ---------------------------------------------------------------------------

    def stop(self, reason: str = "a callback has stopped it") -> None:
        """End the training after this epoch, for a reason that the history tells."""
        self.history.stopped = reason

    def weights(self) -> dict[str, Tensor]:
        """Return the parameters and all buffers of the model by path."""
        return weights(self.model)

    def restore(self, values: Mapping[str, Any]) -> None:
        """Give the model the parameters and buffers that `weights` returned."""
        restore(self.model, values)

    @property
    def resumable(self) -> bool:
        """Whether a run could go on from here: between epochs, or with a loader that can."""
        return self.batch == 0 or self._source.resumable

    # -- training --------------------------------------------------------------------------------

    def train(self) -> None:
        """Train until the last epoch, a callback or Ctrl-C ends it."""
        self._call("on_fit_start")
        with self._interrupts:
            while self.done < self.epochs and self.history.stopped is None:
                self._epoch()
                if self._interrupts.asked:
                    break
        self.history.interrupted = self._interrupts.asked

    def finish(self, error: BaseException | None) -> None:
        """Tell the callbacks that training has ended."""
        self.error = error
        for callback in reversed(self.callbacks):
            callback.on_fit_end(self)

    def _call(self, method: str) -> None:
        for callback in self.callbacks:
            getattr(callback, method)(self)

    def _epoch(self) -> None:
        """Train for an epoch, or for what is left of it, and validate."""
        self.epoch = self.done + 1
        start = time.perf_counter() - self._seconds
        batches = self._source.begin(self.batch)
        if self._generator is not None:  # after the loader, which may have drawn from it
            default_generator.state, self._generator = self._generator, None
        self._call("on_epoch_start")
        for inputs, target in batches:
            self._batch(inputs, target)
            self._seconds = time.perf_counter() - start
            self._call("on_batch_end")
            if self._interrupts.asked:
                return
        if not self._averages.count:
            want = f"{self._source.what} with batches"
            raise OperandError(message("fit", want, "an empty one"))
        if self._trainer.flush():
            self._updated()
        record: dict[str, float] = {"epoch": self.epoch, **self._averages.means()}
        record.update(self._validate())
        record["lr"] = float(number(self.optimiser.param_groups[0]["lr"], self.step - 1))
        record["seconds"] = time.perf_counter() - start
        self._end_epoch(record)

    def _batch(self, inputs: Any, target: Any) -> None:
        """Train with one batch."""
        values, updated = self._trainer.step(inputs, target)
        self.batch += 1
        if self._check_finite and not math.isfinite(values[0]):
            got = f"{values[0]} in epoch {self.epoch}, batch {self.batch} (step {self.step + 1})"
            hint = (
                "lower the learning rate, limit gradients with clip_norm=1.0, or look for what the "
                "data hold; check_finite=False goes on regardless"
            )
            raise NonFiniteError(message("fit", "a finite loss", got, hint))
        if updated:
            self._updated()
        self.record = dict(zip(self._averages.names, values, strict=True))
        self._averages.add(values, batch_size("fit", inputs, target))

    def _updated(self) -> None:
        """Count an update of the parameters."""
        self.step += 1
        if self._by_step:
            self.scheduler.step()

    def _validate(self) -> dict[str, float]:
        """Return loss and metrics of the validation, if there is any."""
        if self._validation is None or self._measure is None:
            return {}
        names = self._averages.names
        found = measured("fit", self.model, self._measure, self._validation, names)
        return {f"val_{name}": value for name, value in found.items()}

    def _end_epoch(self, record: dict[str, float]) -> None:
        """Keep an epoch's record, and be ready for the next."""
        if self.scheduler is not None and not self._by_step:
            if isinstance(self.scheduler, ReduceLROnPlateau):
                self.scheduler.step(record.get("val_loss", record["loss"]))
            else:
                self.scheduler.step()
        self.record = record
        self.history.records.append(record)
        self.done, self.batch, self._seconds = self.epoch, 0, 0.0
        self._averages = Averages(self._averages.names)
        self._call("on_epoch_end")

    # -- state -----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return everything that decides how the training goes on; `lucid.save` takes it."""
        position = {n: getattr(self, n) for n in ("done", "batch", "step", "_seconds")}
        averages = {"sums": dict(zip(self._averages.names, self._averages.sums, strict=True))}
        validation = None if self._validation is None else self._validation.state_dict()
        return {
            "position": {n.strip("_"): value for n, value in position.items()},
            "averages": {**averages, "count": self._averages.count},
            "history": [dict(record) for record in self.history.records],
            "loader": self._source.state_dict(),
            "validation": validation,
            "generator": default_generator.state.tolist(),
            **snapshot(self._trainer, self.scheduler, self.callbacks),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go where the run was whose `state_dict` this is."""
        state = rebuild(self._trainer, self.scheduler, self.callbacks, state)
        for name, value in state["position"].items():
            setattr(self, name if hasattr(self, name) else f"_{name}", value)
        averages = state["averages"]
        if self.batch and list(averages["sums"]) != self._averages.names:
            want = f"the metrics {', '.join(averages['sums'])}, to go on in the middle of an epoch"
            raise StateDictError(message("fit", want, ", ".join(self._averages.names)))
        self._averages.count = averages["count"]
        if self.batch:
            self._averages.sums = list(averages["sums"].values())
        self.history.records = [dict(record) for record in state["history"]]
        default_generator.state = state["generator"]  # then the loaders, which may draw from it
        if self._validation is not None:
            self._validation.load_state_dict(state["validation"], 0)
        self._source.load_state_dict(state["loader"], self.batch)
        self._generator = state["generator"] if self.batch else None
        self.resumed, self.epoch = True, self.done


def measured(
    name: str, model: Any, measure: Callable[[Any, Any], list[float]], source: Source, names: Any
) -> dict[str, float]:
    """Return the means over a loader of what is measured of batches, the model in evaluation."""
    modes = {module: module.training for module in model.modules()}
    averages = Averages(names)
    model.eval()
    try:
        for inputs, target in source.begin(0):
            averages.add(measure(inputs, target), batch_size(name, inputs, target))
    finally:
        for module, training in modes.items():
            module.training = training
    if not averages.count:
        raise OperandError(message(name, f"{source.what} with batches", "an empty one"))
    return averages.means()
