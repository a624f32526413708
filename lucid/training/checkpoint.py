"""Checkpoint: the whole state of a training in a file, from which it goes on bit by bit alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lucid.errors import OptionError, StateDictError, message
from lucid.io import load, save
from lucid.training.callbacks import Monitor, positive

if TYPE_CHECKING:
    from lucid.training.run import Run

__all__ = ["Checkpoint", "read"]

_FORMAT, _VERSION = "lucid.fit", 1


class Checkpoint(Monitor):
    """Saves the state of the training, so that `lucid.fit` with ``resume`` goes on from there.

    Parameters, buffers, the optimiser's and scheduler's state, the default generator, the loader's
    place in its epoch, the history and what callbacks remember are saved, by `lucid.save`: the old
    file or the whole new one is there, whatever happens. A resumed run gives the same bits as one
    that was never interrupted.

    Args:
        path: the file, ending in ``.safetensors`` or ``.npz``.
        every: how many epochs, or batches of one, lie between two checkpoints.
        unit: "epoch", or "batch", which needs a loader that can resume in the middle of an epoch,
            such as `lucid.data.DataLoader`.
        best: a second file, which gets the ``state_dict`` of the model, for
            ``model.load_state_dict(lucid.load(best))``, whenever `monitor` is the best so far.
        monitor: the name of that number; None takes "val_loss", or "loss" without validation.
        mode: "min" where less of it is better, "max" where more is; may be left out for a loss.

    Raises:
        OptionError: if an argument is out of its range; in `lucid.fit`, if there is no such number.

    Example:
        >>> import lucid
        >>> checkpoint = lucid.training.Checkpoint("run.safetensors", every=100, unit="batch")
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int = 1,
        unit: str = "epoch",
        *,
        best: str | os.PathLike[str] | None = None,
        monitor: str | None = None,
        mode: str | None = None,
    ) -> None:
        super().__init__(monitor, 0.0, mode)
        self.path = _checked(path)
        self.every = positive("Checkpoint", "every", every)
        if unit not in ("epoch", "batch"):
            raise OptionError(message("Checkpoint", 'unit "epoch" or "batch"', repr(unit)))
        if best is None and monitor is not None:
            hint = "name the file for the best model with best="
            raise OptionError(message("Checkpoint", "best, for a monitor", "none", hint))
        self.unit, self.best_path = unit, None if best is None else _checked(best)
        self._saved: Any = None  # where the run was when it was saved last

    def on_fit_start(self, run: Run) -> None:
        """Save at once: a run that is killed early can go on too."""
        if self.best_path is not None:
            self._watch(run)
        if self.unit == "batch" and not run._source.resumable:
            got = f"a {type(run.loader).__name__}, without state_dict"
            want = 'for unit="batch", a loader that tells its state'
            raise OptionError(message("Checkpoint", want, got, "use lucid.data.DataLoader"))
        if not run.resumed:
            self.best = float("nan")
        self._save(run)

    def on_batch_end(self, run: Run) -> None:
        """Save after every so many batches of an epoch."""
        if self.unit == "batch" and run.batch % self.every == 0:
            self._save(run)

    def on_epoch_end(self, run: Run) -> None:
        """Save after every so many epochs; keep the best model."""
        if self.best_path is not None and self._improves(run):
            save(self.best_path, run.model.state_dict())
        if self.unit == "batch" or run.done % self.every == 0:
            self._save(run)

    def on_fit_end(self, run: Run) -> None:
        """Save where the training ends, by Ctrl-C too, but not where it failed."""
        if run.error is not None:
            return
        if run.resumable and self._saved != (run.done, run.batch):
            self._save(run)
        if run.history.interrupted:
            done, batch = self._saved
            place = f"batch {batch} of epoch {done + 1}" if batch else f"epoch {done}"
            text = f"lucid.fit: {self.path} holds {place}; resume=True goes on from there"
            print(text, file=sys.stderr)

    def _save(self, run: Run) -> None:
        state = {"format": _FORMAT, "version": _VERSION, **run.state_dict()}
        save(self.path, state)
        self._saved = (run.done, run.batch)

    def state_dict(self) -> dict[str, Any]:
        """Return the best number so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the best number so far."""
        self.best = state_dict["best"]


def _checked(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path)
    if not name.lower().endswith((".safetensors", ".npz")):
        want = "a path that ends in .safetensors or .npz"
        raise OptionError(message("Checkpoint", want, repr(name)))
    return name


def read(path: str) -> dict[str, Any]:
    """Return the state in a checkpoint's file."""
    state = load(path, mmap=False) if path.lower().endswith(".safetensors") else load(path)
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise StateDictError(message("fit", "a checkpoint of lucid.fit", repr(path)))
    if state.get("version") != _VERSION:
        got = str(state.get("version"))
        raise StateDictError(message("fit", f"a checkpoint of version {_VERSION}", got))
    return state
