"""Write `docs/numpy.md`, the list of NumPy's functions that compute with Tensors.

Run ``python docs/generate_numpy.py``; a test checks that the file is up to date. Another
release of NumPy may have other functions.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from lucid.ops.numpy_api.adapters import ACCUMULATE, FUNCTIONS, NAMED, REDUCE
from lucid.ops.numpy_api.protocols import ufunc_table

HEAD = """# Plain NumPy on Tensors

A NumPy function that is given a Tensor computes with lucid: its result is a Tensor, and every
transformation sees through it. So `lucid.grad(lambda x: np.sum(np.sin(x) ** 2))` works as it
stands, and so does code that others wrote for NumPy.

What these functions cannot do on Tensors raises an error that names the function: `out=` and
functions that write into their arguments, arguments that lucid has no counterpart for, and
functions that are not in these lists. Nothing is turned into a plain array on the way, which would
lose its derivative: that is also why `np.array([x, y])` of watched Tensors raises, for NumPy offers
no way to intercept it (`np.stack([x, y])` or `lucid.asarray([x, y])` works). With `where=`, a ufunc
gives 0 where NumPy leaves whatever was in memory. Functions whose results are whole numbers or
truths have no derivative; some (`np.unique`, `np.nonzero`, ...) need numbers and raise under
`vmap`. `np.partition` sorts, which is one of the partitions.

Every ufunc of `scipy.special` is reached in the same way. With SCIPY_ARRAY_API=1, many of them are
functions in front of ufuncs, which look for `lucid.special` and find it: there they work, too.
`scipy.special.polygamma` works only then (`lucid.special.polygamma` always); other functions there
that are no ufuncs, such as `comb`, convert their arguments and so raise. The derivatives are listed
in [special functions](special.md). Beyond it, code of SciPy and scikit-learn that is written for
the array API, or in plain NumPy without writing into arrays, differentiates as it is:
`tests/unmodified.py` has examples. This page is generated: `python docs/generate_numpy.py`.
"""


def listed(names: list[str]) -> str:
    """Names as one paragraph of code."""
    return ", ".join(f"`{name}`" for name in sorted(names)) + "."


def functions(module: ModuleType) -> dict[str, Any]:
    """The functions of a namespace that ask their arguments what to do."""
    found = {name: getattr(module, name) for name in dir(module)}
    return {
        name: item
        for name, item in found.items()
        if hasattr(item, "_implementation") and not isinstance(item, np.ufunc)
    }


def release() -> str:
    """The release of NumPy, without its patches."""
    return ".".join(np.__version__.split(".")[:2])


def render() -> str:
    """The whole page."""
    parts = [HEAD, f"The lists are those of NumPy {release()}.\n"]
    missing: list[str] = []
    for title, module in (("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft)):
        names = functions(module)
        covered = [name for name, f in names.items() if f in FUNCTIONS]
        missing += [f"{title}.{n}" for n in names if n not in covered]
        parts += [f"## {title}: {len(covered)} functions\n", listed(covered) + "\n"]
        if module is np:
            makers = {f.__name__ for f in FUNCTIONS if getattr(np, f.__name__, None) is f}
            makers -= {*names}
            parts += [f"With `like=` a Tensor also {listed([*makers])}\n"]
    table = ufunc_table()
    ufuncs = {name: f for name, f in vars(np).items() if isinstance(f, np.ufunc)}
    known = [n for n, f in ufuncs.items() if f in table or f.__name__ in NAMED]
    missing += [f"np.{n}" for n in ufuncs if n not in known]
    parts += [f"## Ufuncs: {len(known)}\n", listed(known) + "\n"]
    parts += [
        "`where=`, `dtype=` and `.outer` work for all of them. `.reduce` and `.accumulate` work "
        "for those of two operands and one result; these have an operation of their own, while the "
        "others go from entry to entry, over one axis:\n",
        f"* `.reduce`: {listed([*REDUCE])}",
        f"* `.accumulate`: {listed([*ACCUMULATE])}\n",
        "`.at` and `.reduceat` raise.\n",
        f"## Not covered: {len(missing)}\n",
        listed(missing),
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("numpy.md").write_text(render(), encoding="utf-8")
