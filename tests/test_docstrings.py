"""Docstrings in the house style: what public functions and classes say of themselves.

The examples in the docstrings of public functions run, and every public function has one.
`pytest --doctest-modules` passes over functions that a constructor of operations made, since their
globals are those of the module of the constructor.
"""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
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
        assert examples(text), f"{name} has no example"


def examples(text: str) -> list[Any]:
    return doctest.DocTestParser().get_examples(text)


MADE = [(name, f) for name, f in PUBLIC if hasattr(f, "op")]


@pytest.mark.parametrize(("name", "function"), MADE, ids=[name for name, _ in MADE])
def test_examples_of_made_functions(name: str, function: Any) -> None:
    text = inspect.getdoc(function) or ""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


# -- whole docstrings ------------------------------------------------------------------------------

WHOLE = [
    *("data", "debug", "estimators", "functional", "functional.init", "io", "nn", "optim"),
    *(
        "nn.init",
        "nn.utils",
        "nn.utils.parametrizations",
        "nn.utils.parametrize",
        "nn.utils.fusion",
        "nn.utils.rnn",
    ),
]


def objects() -> list[tuple[str, Any]]:
    """The public functions and classes of `WHOLE`, each once."""
    found: dict[int, tuple[str, Any]] = {}
    for name in WHOLE:
        module = importlib.import_module(f"lucid.{name}")
        for attribute in module.__all__:
            value = getattr(module, attribute)
            if inspect.isclass(value) or inspect.isfunction(value):
                found.setdefault(id(value), (f"{name}.{attribute}", value))
    return list(found.values())


def sections(text: str) -> dict[str, str]:
    """What stands under Args, Returns and so on; and what another class says, if it is as that."""
    found = re.split(r"^(\w+):[ \n]", text, flags=re.MULTILINE)
    other = re.search(r"\bas `([A-Z]\w+)`", text)
    told = sections(inspect.getdoc(getattr(lucid.nn, other[1], None)) or "") if other else {}
    return told | dict(zip(found[1::2], found[2::2], strict=True))


def lacking(thing: Any) -> Iterator[str]:
    """What a docstring does not say: every argument, result, error, and how it is used.

    Records (named tuples and dataclasses) tell their attributes instead, and need no example. That
    of a class may be the example of its file; and its arguments may be those of another class.
    """
    text = inspect.cleandoc(thing.__doc__ or "")
    if not text:
        yield "a docstring"
    told = sections(text)
    record = inspect.isclass(thing) and (
        issubclass(thing, tuple) or dataclasses.is_dataclass(thing)
    )
    arguments = told.get("Attributes" if record else "Args", "")
    for p in inspect.signature(thing).parameters.values():
        named = p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and not p.name.startswith("_")
        if named and not re.search(rf"^ +(\w+, )*{p.name}(, \w+)*:", arguments, re.MULTILINE):
            yield f"{p.name} in {'Attributes' if record else 'Args'}"
    file = inspect.getdoc(inspect.getmodule(thing)) if inspect.isclass(thing) else None
    if not (record or examples(text) or examples(file or "")):
        yield "Example"
    function = thing.__init__ if inspect.isclass(thing) else thing
    if not inspect.isclass(thing):
        result = inspect.signature(thing).return_annotation
        if result not in (None, "None") and not {"Returns", "Yields"} & told.keys():
            yield "Returns"
    if not record and raises(function) and "Raises" not in told:
        yield "Raises"


def raises(function: Any) -> bool:
    """Whether there is a `raise` in a function itself, or in what it defines."""
    if not inspect.isfunction(function):
        return False
    source = textwrap.dedent(inspect.getsource(function))
    return any(isinstance(node, ast.Raise) for node in ast.walk(ast.parse(source)))


OBJECTS = objects()


@pytest.mark.parametrize(("name", "thing"), OBJECTS, ids=[name for name, _ in OBJECTS])
def test_docstrings_are_whole(name: str, thing: Any) -> None:
    found = list(lacking(thing))
    assert not found, f"{name} does not tell: {', '.join(found)}"


def test_the_check_can_fail() -> None:
    def add(x: int, y: int) -> int:
        """Return the sum.

        Args:
            x: a number.
        """
        if x < y:
            raise ValueError
        return x + y

    assert list(lacking(add)) == ["y in Args", "Example", "Returns", "Raises"]
