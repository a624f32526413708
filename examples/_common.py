"""What the examples share: options, a progress bar, one thread, and how plots look."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # draws into files, with or without a screen

import matplotlib.pyplot as plt
from threadpoolctl import threadpool_limits
from tqdm import tqdm

# These matrices are so small that threads cost more than they help.
threadpool_limits(1, user_api="blas")

__all__ = ["BLUE", "GREY", "ORANGE", "figure", "options", "progress", "save"]

BLUE, ORANGE, GREY = "#2a6fbb", "#d9731a", "#8a8a8a"


def options(
    name: str, description: str, rounds: int, unit: str, **numbers: int
) -> argparse.Namespace:
    """Read the command line: ``--steps`` or ``--epochs``, where the plot goes, and `numbers`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(f"--{unit}", type=int, default=rounds, dest="rounds")
    for option, number in numbers.items():
        parser.add_argument(f"--{option}", type=int, default=number)
    parser.add_argument("--plot", type=Path, default=Path(f"{name}.png"))
    return parser.parse_args()


def progress(rounds: Iterable[Any], label: str) -> Iterable[Any]:
    """Go through `rounds` behind a progress bar."""
    return tqdm(rounds, desc=f"{label:<28}", ncols=90)


def figure(width: float, height: float, **grid: Any) -> tuple[Any, Any]:
    """Return a figure and its axes, without needless ink."""
    plt.rcParams.update(
        {
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
        }
    )
    return plt.subplots(figsize=(width, height), layout="constrained", **grid)


def save(plot: Any, path: Path) -> None:
    """Write the figure and say where."""
    plot.savefig(path, dpi=150)
    plt.close(plot)
    print(f"plot saved to {path}")
