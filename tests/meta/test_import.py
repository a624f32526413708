"""`import lucid` is quick: it loads NumPy, optree, and nothing that can wait."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# distribution -> the module it is imported as, where the two differ
MODULES = {"scikit-learn": "sklearn", "lucid-grad": "", "pytest-xdist": "xdist"}


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.split())


def extras() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names: set[str] = set()
    for group in project["optional-dependencies"].values():
        for requirement in group:
            name = requirement.split(";")[0]
            for mark in "[<>=!~ ":
                name = name.split(mark)[0]
            names.add(MODULES.get(name, name.replace("-", "_")))
    return names - {""}


def test_import_loads_no_more_than_it_needs() -> None:
    loaded = modules_after("import lucid")
    assert "lucid" in loaded
    heavy = {"scipy.special", "scipy.linalg", "scipy.sparse", "scipy.fft", "scipy.optimize"}
    assert not loaded & heavy
    wanted = extras()
    assert {"torch", "jax", "llvmlite", "pytest", "sklearn"} <= wanted
    assert not loaded & wanted


def test_import_shows_no_warning_and_writes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import lucid"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_all_is_what_is_public() -> None:
    code = (
        "import lucid, sys;"
        "names = lucid.__all__;"
        "assert len(set(names)) == len(names);"
        "missing = [n for n in names if not hasattr(lucid, n)];"
        "assert not missing, missing"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
