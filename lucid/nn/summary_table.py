"""What `lucid.nn.summary` returns: a row for each layer, totals, and their table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from lucid.errors import OptionError, message

__all__ = ["LayerSummary", "Summary"]


class LayerSummary(NamedTuple):
    """One layer: what is its own, without what is told of the layers below it.

    Attributes:
        name: its path in the model, "" for the model itself.
        kind: its class.
        depth: how many layers it lies in.
        calls: how often one call of the model calls it; None for a container without a forward.
        output_shapes: the shapes of the arrays that its first call returns.
        output_bytes: their size, of all calls together.
        parameters: how many numbers its parameters hold, that no layer above it in the table has.
        trainable: those among them that are not frozen.
        shared: how many numbers more it has in common with layers above it in the table.
        buffers: how many numbers its buffers hold.
        nbytes: the size of parameters and buffers.
        flops: operations on numbers, of all calls; None where the model cannot be captured.
        traffic: bytes read and written by these operations, as if nothing stayed in a cache.
    """

    name: str
    kind: str
    depth: int
    calls: int | None
    output_shapes: tuple[tuple[int, ...], ...]
    output_bytes: int
    parameters: int
    trainable: int
    shared: int
    buffers: int
    nbytes: int
    flops: int | None
    traffic: int | None


@dataclass(frozen=True, repr=False)
class Summary:
    """What `summary` returns: rows that add up, and their totals. Its `repr` is a table.

    Attributes:
        layers: one row for each layer, in the order of registration.
        parameters: how many numbers all parameters hold, each counted once.
        trainable: those that are not frozen.
        buffers: how many numbers the buffers hold.
        nbytes: the size of parameters and buffers.
        output_bytes: the size of what the innermost layers return.
        flops: operations on numbers in one call; None where the model cannot be captured.
        traffic: bytes that these read and write, as if nothing stayed in a cache.
    """

    layers: tuple[LayerSummary, ...]
    parameters: int
    trainable: int
    buffers: int
    nbytes: int
    output_bytes: int
    flops: int | None
    traffic: int | None

    def __getitem__(self, name: str) -> LayerSummary:
        """Return the row of the layer at a path, "" for the model itself."""
        for row in self.layers:
            if row.name == name:
                return row
        known = ", ".join(repr(row.name) for row in self.layers)
        raise OptionError(message("Summary", f"a layer among {known}", repr(name)))

    def __repr__(self) -> str:
        header = ("layer", "output shape", "parameters", "flops")
        table = [header, *map(_cells, self.layers)]
        widths = [max(len(row[k]) for row in table) for k in range(4)]
        a, b, c, d = widths
        lines = [f"{w:<{a}}  {x:<{b}}  {y:>{c}}  {z:>{d}}".rstrip() for w, x, y, z in table]
        rule = "-" * (sum(widths) + 6)
        frozen = self.parameters - self.trainable
        facts = [
            f"parameters: {self.parameters:,}" + (f", of which {frozen:,} frozen" if frozen else "")
        ]
        if self.buffers:
            facts.append(f"buffers: {self.buffers:,}")
        facts.append(f"memory: {_size(self.nbytes)}, and {_size(self.output_bytes)} of outputs")
        if self.flops is not None and self.traffic is not None:
            facts.append(f"a call: {self.flops:,} flops, {_size(self.traffic)} read and written")
        else:
            facts.append("a call: flops are not known, as the model cannot be captured")
        return "\n".join([lines[0], rule, *lines[1:], rule, *facts])


# -- the table -------------------------------------------------------------------------------------


def _cells(row: LayerSummary) -> tuple[str, str, str, str]:
    """Return the cells of a row."""
    title = f"({row.name.rpartition('.')[2]}): {row.kind}" if row.name else row.kind
    shapes = ", ".join(map(str, row.output_shapes)) or "-"
    if row.calls == 0:
        shapes = "not called"
    elif row.calls and row.calls > 1:
        shapes += f", {row.calls} calls"
    parts = [f"{row.parameters:,}"] if row.parameters else []
    if frozen := row.parameters - row.trainable:
        parts[-1] += " frozen" if frozen == row.parameters else f" ({frozen:,} frozen)"
    if row.shared:
        parts.append(f"{row.shared:,} shared")
    flops = "?" if row.flops is None else f"{row.flops:,}" if row.flops else "-"
    return "  " * row.depth + title, shapes, " + ".join(parts) or "-", flops


def _size(count: int) -> str:
    """Return a number of bytes in words."""
    power = min(max(count.bit_length() - 1, 0) // 10, 4)
    return f"{count / 1024**power:.{power and 1}f} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"
