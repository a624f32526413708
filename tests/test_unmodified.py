"""Code that nobody wrote for lucid: SciPy and scikit-learn, differentiated as they are.

They run in processes of their own, since SciPy reads SCIPY_ARRAY_API when it is imported.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special

from lucid.ops.special_functions import ROWS
from tests.unmodified import WITH, WITHOUT

ROOT = Path(__file__).parents[1]
CASES = [("with", name) for name in WITH] + [("without", name) for name in WITHOUT]


@functools.cache
def run(group: str) -> Any:
    """Run `tests/unmodified.py`, once."""
    environment = {k: v for k, v in os.environ.items() if k != "SCIPY_ARRAY_API"}
    if group == "with":
        environment["SCIPY_ARRAY_API"] = "1"
    command = [sys.executable, "-W", "error", "-m", "tests.unmodified", group]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def results(group: str) -> Any:
    """What it finds in a group of functions."""
    done = run(group)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("group", "name"), CASES)
def test_derivative(group: str, name: str) -> None:
    found = results(group)["checks"][name]
    assert found["value"] <= 1e-14
    assert found["size"] > 1e-3  # it does depend on its arguments
    # a central difference with step 1e-6 is good to 1e-9 of the function's scale
    scale = max(found["size"], 1.0)
    assert found["forward"] <= 1e-8 * scale
    assert found["reverse"] <= 1e-7 * scale


@pytest.mark.parametrize("group", ["with", "without"])
def test_special_functions_never_detach(group: str) -> None:
    fates = results(group)["special"]
    refused = {name for name, fate in fates.items() if "Tensor" not in fate.split()}
    # a Python function that converts its arguments; lucid.special has one that does not
    assert refused == (set() if group == "with" else {"polygamma"})
    assert all(fates[name] == "DetachedArrayError" for name in refused)
    assert not any("detached" in fate for fate in fates.values())


def test_every_ufunc_of_scipy_special_is_reached() -> None:
    ufuncs = {n for n, f in vars(scipy.special).items() if isinstance(f, np.ufunc)}
    assert len(ufuncs) >= 232 or os.environ.get("SCIPY_ARRAY_API")
    assert ufuncs <= {*ROWS}
