"""Importing lucid is quick because it imports little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LATE = (
    *("scipy.special", "scipy.linalg", "scipy.sparse", "scipy.fft", "scipy.optimize"),
    *("llvmlite", "matplotlib", "sklearn", "tqdm", "torch", "jax", "mlx", "autograd"),
    *("hypothesis", "mpmath", "pytest"),
)


def test_what_is_imported_late() -> None:
    code = f"import sys, lucid; print([m for m in {LATE!r} if m in sys.modules])"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
