"""Compiled code on disk: found again, checked, never mistaken; nothing is kept by default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.errors import OptionError
from lucid.graph.native import store

X = np.linspace(-1.0, 1.0, 40).reshape(5, 8)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "code"
    lucid.set_compilation_cache(place)
    yield place
    lucid.set_compilation_cache(None)


def compiled() -> Any:
    """The same program each time, with a constant array in it."""
    weight = np.arange(64.0).reshape(8, 8) / 64
    return lucid.jit(lambda x: lucid.functional.softmax(x @ weight, 1) * x, executor="native")


def found(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Tells for each module that is compiled whether its code was found."""
    seen: list[bool] = []
    attach = store.Stored.attach

    def watched(self: Any, engine: Any) -> None:
        seen.append(self.code is not None)
        attach(self, engine)

    monkeypatch.setattr(store.Stored, "attach", watched)
    return seen


def test_code_is_found_again(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = found(monkeypatch)
    first = compiled()(X)
    (file,) = directory.iterdir()
    made = file.stat().st_mtime_ns
    np.testing.assert_array_equal(compiled()(X).numpy(), first.numpy())
    assert seen == [False, True]
    assert file.stat().st_mtime_ns == made


def test_other_programs_have_other_code(directory: Path) -> None:
    compiled()(X)
    compiled()(X[:3])
    assert len(list(directory.iterdir())) == 2


def test_damaged_code_is_compiled_anew(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = found(monkeypatch)
    want = compiled()(X).numpy()
    (file,) = directory.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:100], whole[:-1], whole[:500] + b"\0\1" + whole[502:]):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(compiled()(X).numpy(), want)
        assert file.read_bytes() == whole
    assert seen == [False] * 5


def test_the_processor_is_part_of_the_name() -> None:
    class Other:
        triple, cpu, features = "x86_64-linux", "some", "+sse2"

    other = Other()
    name = store.digest("text", other, 2)
    other.features = "+avx2"
    assert store.digest("text", other, 2) != name


def test_nothing_is_kept_by_default(tmp_path: Path) -> None:
    assert lucid.get_compilation_cache() is None
    compiled()(X)
    assert not list(tmp_path.iterdir())


def test_a_directory_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lucid.set_compilation_cache(tmp_path / "file" / "below")
    try:
        assert compiled()(X).shape == X.shape
    finally:
        lucid.set_compilation_cache(None)


def test_a_directory_is_a_path() -> None:
    with pytest.raises(OptionError, match="set_compilation_cache: expected a directory, or None"):
        lucid.set_compilation_cache(3)  # type: ignore[arg-type]
