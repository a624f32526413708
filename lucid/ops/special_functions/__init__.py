"""Every ufunc of `scipy.special`, with a derivative rule or a reason per argument.

`UFUNCS` maps the names under which SciPy's ufuncs call themselves to the functions here, for
`Tensor.__array_ufunc__`. Importing this package does not import SciPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucid.ops.special_functions import (  # noqa: F401 - each fills the table
    airy,
    bessel,
    binomial,
    elementary,
    elliptic,
    erf,
    expint,
    gamma,
    goodness,
    hypergeometric,
    incomplete_beta,
    incomplete_gamma,
    information,
    integrals,
    noncentral,
    noncentral_t,
    orthogonal,
    student,
    waves,
)
from lucid.ops.special_functions.table import ROWS

__all__ = ["ROWS", "UFUNCS"]

UFUNCS: dict[str, Callable[..., Any]] = {
    name: row.call for name, row in ROWS.items() if row.public or name in ("zeta", "lambertw")
}
# what `scipy.special.zeta` and `lambertw`, which are functions, call inside
UFUNCS["_zeta"] = ROWS["zeta"].call
UFUNCS["_riemann_zeta"] = gamma.zeta
UFUNCS["_lambertw"] = lambda z, k, tol: expint.lambertw(z, k)
