"""`lucid.special`: complete, lazy, documented, and honest about what it cannot differentiate."""

from __future__ import annotations

import doctest
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special as sc

import lucid
from lucid import special
from lucid.errors import NotDifferentiableError
from lucid.ops.special_functions import ROWS, UFUNCS
from lucid.ops.special_functions.table import NoRule
from tests.records.special import DOMAINS
from tests.support import draw_array

ROOT = Path(__file__).parent.parent
SCIPY = sorted(n for n in dir(sc) if isinstance(getattr(sc, n), np.ufunc))
REFUSED = [
    (name, i)
    for name, row in ROWS.items()
    for i, p in enumerate(row.partials.values())
    if isinstance(p, NoRule) and name in DOMAINS and not callable(DOMAINS[name][i])
]


def arguments(name: str) -> list[Any]:
    rng = np.random.default_rng(0)
    return [draw_array(rng, d, (3,), np.dtype("float64")) for d in DOMAINS[name]]


@pytest.mark.parametrize("name", SCIPY)
def test_every_ufunc_is_here(name: str) -> None:
    row = ROWS[name]
    ufunc = getattr(sc, name)
    assert getattr(special, name) is row.call
    assert len(row.arguments) == ufunc.nin == len(row.partials)
    assert max(len(row.outputs), 1) == ufunc.nout
    assert UFUNCS[ufunc.__name__] is not None


def test_importing_lucid_does_not_import_scipy_special() -> None:
    code = (
        "import sys, lucid, lucid.special\n"
        "assert 'scipy.special' not in sys.modules\n"
        "lucid.special.jv(0, 1.0)\n"
        "assert 'scipy.special' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(("name", "i"), REFUSED)
def test_a_missing_rule_names_function_and_argument(name: str, i: int) -> None:
    row = ROWS[name]
    args = arguments(name)
    argument = list(row.arguments)[i]

    def f(x: Any) -> Any:
        return row.call(*(x if k == i else a for k, a in enumerate(args)))

    match = rf"special\.{name}: .*'{argument}'"
    with pytest.raises(NotDifferentiableError, match=match):
        lucid.jvp(f, (args[i],), (np.ones_like(args[i]),))
    y, pull = lucid.vjp(f, args[i])
    ct = tuple(lucid.ones_like(part) for part in y) if row.outputs else lucid.ones_like(y)
    with pytest.raises(NotDifferentiableError, match=match):
        pull(ct)


def test_a_missing_rule_does_not_harm_the_other_arguments() -> None:
    slope = lucid.grad(lambda x: special.jv(lucid.asarray(1.5), x))(2.0)
    np.testing.assert_allclose(slope.numpy(), sc.jvp(1.5, 2.0), rtol=1e-13)


def test_whole_number_arguments_are_refused_by_name() -> None:
    with pytest.raises(NotDifferentiableError, match=r"special\.yn: .*'n'.*whole numbers"):
        lucid.grad(lambda n: special.yn(n, 2.0))(1.0)


def test_scipy_called_with_a_tensor_differentiates() -> None:
    slope = lucid.grad(lambda x: sc.jv(2, x))(1.0)
    np.testing.assert_allclose(slope.numpy(), sc.jvp(2, 1.0), rtol=1e-13)
    np.testing.assert_allclose(lucid.grad(lambda x: sc.zeta(x, 2.0))(3.0).numpy(), -0.198126, 1e-5)
    np.testing.assert_allclose(lucid.grad(lambda x: sc.sici(x)[0])(1.0).numpy(), np.sin(1.0))
    slope = lucid.grad(lambda x: sc.lambertw(x).real)(1.0)
    w = sc.lambertw(1.0).real
    np.testing.assert_allclose(slope.numpy(), w / (1 + w), rtol=1e-13)


def test_a_wrong_number_of_arguments_is_counted() -> None:
    with pytest.raises(TypeError, match=r"betainc\(\) missing 1 required positional argument"):
        special.betainc(1.0, 2.0)  # type: ignore[call-arg]
    x = np.ones(3)
    with pytest.raises(TypeError, match=r"betainc\(\) takes 3 positional arguments"):
        special.betainc(1.0, 2.0, 0.5, x)  # type: ignore[call-arg]


def test_scaled_functions_refuse_complex_derivatives() -> None:
    with pytest.raises(NotDifferentiableError, match=r"special\.jve: .*'z'.*holomorphic"):
        lucid.vjp(lambda z: special.jve(1.0, z), np.asarray(1 + 1j))[1](1 + 0j)


@pytest.mark.parametrize("name", ["gammainc_aa", "betainc_bb", "kv_vv", "zeta_xx"])
def test_the_third_derivative_by_a_parameter_is_refused(name: str) -> None:
    args = arguments(name)
    place = 1 if name == "betainc_bb" else 0
    third = lucid.grad(lambda *args: ROWS[name].call(*args).sum(), place)
    with pytest.raises(NotDifferentiableError, match=r"third"):
        third(*args)


def test_limits() -> None:
    """Values of derivatives where a textbook formula divides zero by zero."""
    grad = lucid.grad
    assert grad(special.rgamma)(0.0).item() == 1.0
    assert grad(special.rgamma)(-1.0).item() == -1.0
    assert grad(special.j1)(0.0).item() == 0.5
    assert grad(special.beip)(0.0).item() == 0.5
    assert grad(lambda x: special.sici(x)[0])(0.0).item() == 1.0
    assert grad(special.spence)(1.0).item() == -1.0
    assert grad(special.exprel)(0.0).item() == 0.5
    assert grad(special.ellipk)(0.0).item() == pytest.approx(np.pi / 8, rel=1e-14)
    assert grad(grad(special.ellipk))(0.0).item() == pytest.approx(9 * np.pi / 64, rel=1e-13)
    assert grad(lambda y: special.xlogy(0.0, y))(0.0).item() == 0.0
    assert grad(lambda k: special.boxcox(2.0, k))(0.0).item() == pytest.approx(
        np.log(2) ** 2 / 2, rel=1e-14
    )
    assert grad(lambda x: special.gammainc(1.0, x))(0.0).item() == 1.0
    assert grad(lambda x: special.gammainc(2.0, x))(0.0).item() == 0.0
    assert grad(lambda x: special.betainc(1.0, 3.0, x))(0.0).item() == 3.0
    assert grad(lambda a: special.gammainc(a, 0.0))(2.0).item() == 0.0
    assert grad(lambda n: special.eval_hermite(0, n))(0.5).item() == 0.0
    assert grad(lambda m: special.ellipj(0.5, m)[0])(0.0).item() == pytest.approx(
        -0.25 * (0.5 - np.sin(0.5) * np.cos(0.5)) * np.cos(0.5), rel=1e-13
    )


def test_masked_branch_gives_zero() -> None:
    x = np.array([-1.0, 2.0])
    slope = lucid.grad(lambda x: lucid.where(x > 0, special.gammainc(2.0, x), 0.0).sum())(x)
    np.testing.assert_allclose(slope.numpy(), [0.0, 2 * np.exp(-2)], rtol=1e-14)


def test_the_page_of_rules_is_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "generate_special.py"))["render"]()
    hint = "run: python docs/generate_special.py"
    assert (ROOT / "docs" / "special.md").read_text(encoding="utf-8") == page, hint


def test_examples_of_the_table_run() -> None:
    """The functions are made by the table, where doctest does not look for them."""
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    finder = doctest.DocTestParser()
    ran = 0
    for name in special.__all__:
        text = getattr(special, name).__doc__
        test = finder.get_doctest(text, {}, name, None, None)
        report: list[str] = []
        failed, tried = runner.run(test, out=report.append)
        assert not failed, "".join(report)
        ran += tried
    assert ran > 300
