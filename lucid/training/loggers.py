"""Loggers: the records as a CSV file, for TensorBoard, as lines, and as a bar on the terminal."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lucid._lazy import tensorboardx, tqdm
from lucid.io.files import replacing
from lucid.training.callbacks import Callback
from lucid.training.extras import need

if TYPE_CHECKING:
    from lucid.training.run import Run

__all__ = ["CSVLogger", "Lines", "ProgressBar", "TensorBoardLogger"]


class CSVLogger(Callback):
    """Writes the history as a CSV file, anew after every epoch: one row for each.

    The file is replaced as a whole. After a resume it holds each epoch once, those from before too.

    Args:
        path: the file; its folder must exist.

    Example:
        >>> import pathlib, tempfile
        >>> import lucid
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     logger = lucid.training.CSVLogger(pathlib.Path(folder, "log.csv"))
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def on_fit_start(self, run: Run) -> None:
        """Write what there is, so that a path that cannot be written to is found out now."""
        self.on_epoch_end(run)

    def on_epoch_end(self, run: Run) -> None:
        """Write all records."""
        text = io.StringIO()
        writer = csv.DictWriter(text, run.history.names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(run.history.records)
        with replacing(self.path) as file:
            file.write(text.getvalue().encode())


class TensorBoardLogger(Callback):
    """Writes the records for TensorBoard, through tensorboardX.

    Numbers of training and validation stand in one chart, such as ``loss/training`` and
    ``loss/validation``. What a run that was killed wrote after its last checkpoint is hidden once
    it has been resumed.

    Args:
        folder: where the files go; ``tensorboard --logdir`` reads it.

    Raises:
        MissingExtraError: without the extra ``lucid-grad[tensorboard]``.

    Example:
        >>> import lucid
        >>> logger = lucid.training.TensorBoardLogger("runs/first")
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        need("TensorBoardLogger", "tensorboardX", "tensorboard")
        self.folder = os.fspath(folder)
        self._writer: Any = None

    def on_fit_start(self, run: Run) -> None:
        """Open a file of its own."""
        purge = run.done + 1 if run.resumed else None
        self._writer = tensorboardx.SummaryWriter(self.folder, purge_step=purge)

    def on_epoch_end(self, run: Run) -> None:
        """Write the epoch's record."""
        for name, value in run.record.items():
            if name == "epoch":
                continue
            part = "validation" if name.startswith("val_") else "training"
            paired = {name, f"val_{name}"} <= set(run.record) or part == "validation"
            tag = f"{name.removeprefix('val_')}/{part}" if paired else name
            self._writer.add_scalar(tag, value, run.epoch)
        self._writer.flush()

    def on_fit_end(self, run: Run) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


class ProgressBar(Callback):
    """Shows a bar for every epoch on the terminal's error stream, through tqdm.

    Raises:
        MissingExtraError: without the extra ``lucid-grad[progress]``.

    Example:
        >>> import lucid
        >>> bar = lucid.training.ProgressBar()
    """

    def __init__(self) -> None:
        need("ProgressBar", "tqdm", "progress")
        self._bar: Any = None

    def on_epoch_start(self, run: Run) -> None:
        """Open the epoch's bar."""
        try:
            total = len(run.loader)
        except TypeError:  # a stream, or a loader without a length
            total = None
        label = f"epoch {run.epoch}/{run.epochs}"
        self._bar = tqdm.tqdm(total=total, initial=run.batch, desc=label, file=sys.stderr)

    def on_batch_end(self, run: Run) -> None:
        """Move on."""
        self._bar.set_postfix_str(f"loss {run.record['loss']:.4g}", refresh=False)
        self._bar.update()

    def on_epoch_end(self, run: Run) -> None:
        """Show the epoch's record, and close the bar."""
        self._bar.set_postfix_str(describe(run.record))
        self._close()

    def on_fit_end(self, run: Run) -> None:
        """Close a bar that was left open."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Lines(Callback):
    """Gives a function, such as `print`, a line for every epoch."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        self.write = write

    def on_epoch_end(self, run: Run) -> None:
        """Write the epoch's line."""
        self.write(f"epoch {run.epoch}/{run.epochs}: {describe(run.record)}")


def describe(record: dict[str, float]) -> str:
    """Return a record in one line."""
    parts = [f"{n} {v:.4g}" for n, v in record.items() if n not in ("epoch", "lr", "seconds")]
    return ", ".join([*parts, f"{record['seconds']:.1f} s"])
