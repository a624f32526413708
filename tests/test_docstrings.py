"""The examples in the docstrings of public functions run, and every public function has one.

`pytest --doctest-modules` passes over functions that a constructor of operations made, since their
globals are those of the module of the constructor.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
from typing import Any

import pytest

import lucid

NAMESPACES = ("", "fft", "functional", "linalg", "random", "special")
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def public() -> list[Any]:
    """Every public function that is no plain function of its own module, once."""
    found: dict[int, Any] = {}
    for name in NAMESPACES:
        module = importlib.import_module(f"lucid.{name}") if name else lucid
        for attribute in module.__all__:
            value = getattr(module, attribute)
            if callable(value) and not inspect.isclass(value):
                found.setdefault(id(value), (f"{name}.{attribute}".strip("."), value))
    return list(found.values())


PUBLIC = public()


@pytest.mark.parametrize(("name", "function"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_public_functions_are_documented(name: str, function: Any) -> None:
    text = inspect.getdoc(function)
    assert text, name
    if not name.startswith("special."):  # generated from tables, and run by tests/test_special.py
        assert doctest.DocTestParser().get_examples(text), f"{name} has no example"


MADE = [(name, f) for name, f in PUBLIC if hasattr(f, "op")]


@pytest.mark.parametrize(("name", "function"), MADE, ids=[name for name, _ in MADE])
def test_examples_of_made_functions(name: str, function: Any) -> None:
    text = inspect.getdoc(function) or ""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)
