"""History: what every epoch of a training gave."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from lucid._lazy import pyplot
from lucid.errors import OptionError, message
from lucid.training.extras import need

__all__ = ["History"]

_SHOWN = 12  # rows of a longer history that its repr shows
_ASIDE = ("epoch", "lr", "seconds")  # what is no learning curve


class History:
    """The record of every epoch, as `lucid.fit` returns it.

    A record is a dict with ``epoch`` (from 1), ``loss``, the metrics, the same of the validation
    as ``val_loss`` and so on, ``lr``, the learning rate of the first group of parameters in the
    epoch, and ``seconds``, how long the epoch took.

    Attributes:
        records: the records, in order.
        interrupted: whether Ctrl-C ended the training.
        stopped: why a callback ended the training; None if none did.

    Example:
        >>> from lucid.training import History
        >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
        >>> history["loss"]
        [0.5, 0.25]
        >>> history
        epoch  loss
            1   0.5
            2  0.25
    """

    def __init__(self, records: Iterable[dict[str, float]] = ()) -> None:
        self.records: list[dict[str, float]] = [dict(r) for r in records]
        self.interrupted = False
        self.stopped: str | None = None

    @property
    def names(self) -> list[str]:
        """The names in the records, in the order in which they appear."""
        return list(dict.fromkeys(name for record in self.records for name in record))

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.records)

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.names:
            want = f"one of {', '.join(self.names) or 'no names, as there is no record'}"
            raise OptionError(message("History", want, repr(name)))
        return [record.get(name, math.nan) for record in self.records]

    def to_dict(self) -> dict[str, list[float]]:
        """Return a list for each name, for a table of any kind; NaN where a record has no such.

        Example:
            >>> from lucid.training import History
            >>> History([{"epoch": 1, "loss": 0.5}]).to_dict()
            {'epoch': [1], 'loss': [0.5]}
        """
        return {name: self[name] for name in self.names}

    def plot(self, *names: str, axes: Any = None) -> Any:
        """Draw the learning curves: training and validation of one quantity in one panel.

        Args:
            names: the quantities, such as "loss"; by default all but the learning rate.
            axes: Matplotlib's Axes to draw in, one per quantity; by default new ones side by side.

        Returns:
            The Axes: one for a single quantity, otherwise a list.

        Raises:
            MissingExtraError: without the extra ``lucid-grad[plot]``.
            OptionError: if there is no such quantity, or another number of axes.

        Example:
            >>> import matplotlib
            >>> matplotlib.use("agg")
            >>> from lucid.training import History
            >>> axes = History([{"epoch": 1, "loss": 0.5, "val_loss": 0.6}]).plot()
            >>> [line.get_label() for line in axes.lines]
            ['training', 'validation']
        """
        need("History.plot", "matplotlib", "plot")
        found = names or tuple(
            dict.fromkeys(n.removeprefix("val_") for n in self.names if n not in _ASIDE)
        )
        if not found:
            raise OptionError(message("History.plot", "a history with records", "an empty one"))
        if axes is None:
            width = 4.8 * len(found)
            axes = pyplot.subplots(1, len(found), figsize=(width, 3.6), layout="constrained")[1]
        panels = [axes] if hasattr(axes, "plot") else list(axes)
        if len(panels) != len(found):
            raise OptionError(message("History.plot", f"{len(found)} axes", str(len(panels))))
        for panel, name in zip(panels, found, strict=True):
            self._draw(panel, name)
        return panels[0] if len(panels) == 1 else panels

    def _draw(self, panel: Any, name: str) -> None:
        both = {"training": name, "validation": f"val_{name}"}
        curves = {label: n for label, n in both.items() if n in self.names} or {name: name}
        style = {"marker": "o"} if len(self) == 1 else {}
        for label, own in curves.items():
            panel.plot(self["epoch"], self[own], label=label, **style)
        panel.set(xlabel="epoch", ylabel=name)
        panel.xaxis.get_major_locator().set_params(integer=True)
        if len(curves) > 1:
            panel.legend()

    def __repr__(self) -> str:
        if not self.records:
            return "History of no epochs"
        rows = [[_text(record.get(n)) for n in self.names] for record in self.records]
        if len(rows) > _SHOWN:
            rows = [*rows[: _SHOWN // 2], ["…"] * len(self.names), *rows[-_SHOWN // 2 :]]
        table = [self.names, *rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(x.rjust(w) for x, w in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        return "\n".join(lines)


def _text(value: float | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.4g}"
