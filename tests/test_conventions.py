"""docs/conventions.md is a table of tests: every row is evaluated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import functional
from lucid.errors import NotDifferentiableError, ShapeError

PAGE = (Path(__file__).parents[1] / "docs" / "conventions.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+?)` \| `(.+?)` \|", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    found: dict[str, Any] = {}
    block = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    exec(block[1], found)
    return found


@pytest.mark.parametrize(("expression", "value"), ROWS, ids=[e for e, _ in ROWS])
def test_row(expression: str, value: str, names: dict[str, Any]) -> None:
    with np.errstate(all="ignore"):  # some rows stand at a pole
        got, want = eval(expression, names), eval(value, names)
    if isinstance(want, type):
        assert got == want
        return
    array = got.numpy() if isinstance(got, lucid.Tensor) else np.asarray(got)
    assert array.shape == np.shape(want)
    # one rounding per operation, and none of these takes more than a few
    np.testing.assert_allclose(array, want, rtol=1e-15, atol=0)


def test_every_section_has_rows() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert all(re.search(r"^\| `.+?` \| `.+?` \|", s, re.MULTILINE) for s in sections)
    assert len(ROWS) == PAGE.count("\n| `")


def test_a_loss_does_not_broadcast_by_accident() -> None:
    with pytest.raises(ShapeError, match="mse_loss"):
        functional.mse_loss(np.ones((3, 1)), np.ones(3))


def test_no_rule_is_no_zero() -> None:
    with pytest.raises(NotDifferentiableError, match="nextafter"):
        lucid.grad(lambda x: lucid.nextafter(x, 2.0))(1.0)
