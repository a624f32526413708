"""docs/internals.md adds two operations in ten minutes: so does this test, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucid
from lucid.core.op import OPS
from lucid.errors import ShapeError
from tests import test_properties as properties

PAGE = Path(__file__).parents[1] / "docs" / "internals.md"
PROPERTIES = [
    properties.test_value_shape_dtype,
    properties.test_infer,
    properties.test_jvp_is_the_derivative,
    properties.test_vjp_is_the_adjoint,
    properties.test_second_order,
    properties.test_vmap_is_a_loop,
    properties.test_vmap_of_vjp_is_a_loop,
]


@pytest.fixture(scope="module")
def page() -> Iterator[dict[str, Any]]:
    """What the page's code blocks define; the operations are forgotten afterwards."""
    before = set(OPS)
    names: dict[str, Any] = {"__name__": "internals"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    yield names
    for name in set(OPS) - before:
        del OPS[name]


@pytest.mark.parametrize("check", PROPERTIES, ids=lambda p: p.__name__)
@pytest.mark.parametrize("which", [0, 1], ids=["gudermannian", "lagged_difference"])
def test_properties_hold(page: dict[str, Any], check: Any, which: int) -> None:
    check(record=page["RECORDS"][which])


def test_the_operations_are_lucids_own(page: dict[str, Any]) -> None:
    gd, difference = page["gudermannian"], page["lagged_difference"]
    assert gd.__doc__.startswith("Return the Gudermannian function")
    assert lucid.grad(gd)(0.0).item() == 1.0
    x = lucid.Tensor([1.0, 4.0, 9.0], requires_grad=True)
    difference(x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [-1.0, 0.0, 1.0])
    with pytest.raises(ShapeError, match="lagged_difference: expected a lag from 1 to 3, got 4"):
        difference(x, 4)


def test_the_page_names_files_that_exist() -> None:
    root = PAGE.parents[1]
    for path in set(re.findall(r"`((?:lucid|core|transforms|tests)/[\w/.]*)`", PAGE.read_text())):
        inside = path if path.split("/")[0] in ("lucid", "tests") else f"lucid/{path}"
        assert (root / inside).exists(), path
