"""The examples run as a user runs them, in short form; they check their own results."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("example", "options", "promise"),
    [
        ("regression", ["--steps", "200"], "gradient descent"),
        ("digits", ["--epochs", "20"], "mean"),
        ("train_digits", ["--epochs", "2"], "mean"),
        ("train_chars", ["--steps", "30"], "validation"),
        ("train_tabular", ["--epochs", "2", "--splits", "1"], "lucid"),
    ],
)
def test_example(example: str, options: list[str], promise: str, tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{example}.py")]
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [*command, *options, "--plot", str(plot)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert promise in done.stdout
    assert plot.stat().st_size > 10_000
