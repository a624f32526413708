"""Callbacks: what happens between the steps of a training, and stopping early."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lucid.errors import OptionError, message

if TYPE_CHECKING:
    from lucid.training.run import Run

__all__ = ["Callback", "EarlyStopping", "Monitor", "positive"]


class Callback:
    """Base class: methods that `lucid.fit` calls, each of which does nothing here.

    Every method is given the `Run`, which holds model, optimiser, history and position. Methods are
    called in the order of the callbacks, `on_fit_end` in the opposite one. Entries that a callback
    adds to ``run.record`` at the end of an epoch become part of the history; for others to monitor
    one, add its name to ``run.names`` in `on_fit_start`.

    Example:
        >>> import lucid
        >>> class Shout(lucid.training.Callback):
        ...     def on_epoch_end(self, run):
        ...         print("epoch", run.epoch, "of", run.epochs)
    """

    def on_fit_start(self, run: Run) -> None:
        """Be called before the first epoch, after a resumed run has found its place."""

    def on_epoch_start(self, run: Run) -> None:
        """Be called before the first batch of an epoch."""

    def on_batch_end(self, run: Run) -> None:
        """Be called after each batch of training; ``run.record`` holds its loss and metrics."""

    def on_epoch_end(self, run: Run) -> None:
        """Be called after validation; ``run.record`` is the epoch's, and in the history."""

    def on_fit_end(self, run: Run) -> None:
        """Be called at the end, also when an exception, ``run.error``, ends the training."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of this callback."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what a checkpoint has kept."""


class Monitor(Callback):
    """A callback that watches one number of the records, and remembers its best value."""

    def __init__(self, monitor: str | None, min_delta: float, mode: str | None) -> None:
        self._name = type(self).__name__
        if mode not in (None, "min", "max"):
            raise OptionError(message(self._name, 'mode None, "min" or "max"', repr(mode)))
        if not min_delta >= 0:
            raise OptionError(message(self._name, "min_delta of 0 or more", repr(min_delta)))
        self.monitor, self.min_delta, self.mode = monitor, min_delta, mode
        self.best = math.nan
        self._watched = monitor  # also where `monitor` leaves it open
        self._sign = 1.0

    def _watch(self, run: Run) -> None:
        """Choose what is watched, and check that there will be such a number."""
        name = self.monitor or ("val_loss" if "val_loss" in run.names else "loss")
        if name not in run.names:
            want = f"monitor to be one of {', '.join(sorted(run.names))}"
            raise OptionError(message(self._name, want, repr(name)))
        if self.mode is None and not name.endswith("loss"):
            got = f"none for {name!r}"
            hint = 'say whether less of it is better, "min", or more, "max"'
            raise OptionError(message(self._name, "a mode", got, hint))
        self._watched, self._sign = name, -1.0 if self.mode == "max" else 1.0

    def _improves(self, run: Run) -> bool:
        """Return whether an epoch is the best so far, by `min_delta` at least."""
        value = run.record.get(str(self._watched), math.nan)
        if math.isnan(value):
            return False
        gain = self._sign * (self.best - value)
        better = math.isnan(self.best) or gain > self.min_delta
        if better:
            self.best = value
        return better


class EarlyStopping(Monitor):
    """Ends the training when a number has stopped improving.

    Args:
        monitor: the name of the number in the records; None takes "val_loss", or "loss" without
            validation.
        patience: how many epochs without improvement end the training.
        min_delta: what counts as an improvement is greater than this.
        mode: "min" where less is better, "max" where more is; it can be left out for a loss.
        restore_best: whether the model gets, at the end, the parameters and buffers of the best
            epoch back.

    Attributes:
        best: the best number so far; NaN before the first.
        best_epoch: the epoch that gave it; 0 before the first.

    Raises:
        OptionError: if an argument is out of its range; in `lucid.fit`, if there is no such number.

    Example:
        >>> from lucid.training import EarlyStopping
        >>> EarlyStopping("val_accuracy", patience=3, mode="max").patience
        3
    """

    def __init__(
        self,
        monitor: str | None = None,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str | None = None,
        restore_best: bool = True,
    ) -> None:
        super().__init__(monitor, min_delta, mode)
        self.patience = positive("EarlyStopping", "patience", patience)
        self.restore_best = restore_best
        self._reset()

    def _reset(self) -> None:
        self.best, self.best_epoch, self.waited = math.nan, 0, 0
        self._weights: Any = None

    def on_fit_start(self, run: Run) -> None:
        """Begin anew, unless the run was resumed."""
        self._watch(run)
        if not run.resumed:
            self._reset()
        self._judge(run)

    def on_epoch_end(self, run: Run) -> None:
        """Compare the epoch with the best one."""
        if self._improves(run):
            self.best_epoch, self.waited = run.epoch, 0
            self._weights = run.weights() if self.restore_best else None
        else:
            self.waited += 1
        self._judge(run)

    def _judge(self, run: Run) -> None:
        if self.waited >= self.patience:
            what = f"{self._watched} has not improved on {self.best:.6g} of epoch {self.best_epoch}"
            run.stop(what if self.best_epoch else f"{self._watched} was never a number")

    def on_fit_end(self, run: Run) -> None:
        """Give the model the best epoch's parameters."""
        if run.error is None and self._weights is not None:
            run.restore(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the best epoch, its parameters, and how many epochs have been waited for."""
        names = ("best", "best_epoch", "waited", "_weights")
        return {name.strip("_"): getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on waiting."""
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]
        self.waited, self._weights = state_dict["waited"], state_dict["weights"]


def positive(name: str, what: str, value: Any, least: int = 1) -> int:
    """Return a whole number, having made sure that it is one and not too small."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(message(name, f"{what} as an integer of {least} or more", repr(value)))
    return value
