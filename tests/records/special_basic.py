from __future__ import annotations

import numpy as np
from scipy import special as sc

from lucid.ops import special
from tests.record import REAL, Record

# scipy.special.polygamma always returns float64


def polygamma(n: int):
    return lambda x: np.asarray(sc.polygamma(n, x), x.dtype)


RECORDS = [
    Record("erf", special.erf, sc.erf),
    Record("erfc", special.erfc, sc.erfc),
    Record("erfinv", special.erfinv, sc.erfinv, domains=((-0.9, 0.9),), dtypes=REAL),
    Record("gammaln", special.gammaln, sc.gammaln, domains=((0.3, 6.0),), dtypes=REAL),
    Record("gammaln", special.gammaln, sc.gammaln, domains=((-0.8, -0.2),), dtypes=REAL, id="left"),
    Record("digamma", special.digamma, sc.digamma, domains=((0.3, 6.0),), dtypes=REAL),
    Record("digamma", special.digamma, sc.digamma, domains=((-0.8, -0.2),), dtypes=REAL, id="left"),
    Record(
        "digamma",
        special.digamma,
        sc.digamma,
        dtypes=("complex128", "complex64"),
        domains=((0.3, 2.0),),
        diff=(),  # the trigamma function of complex numbers is not there
        id="complex",
    ),
    Record(
        "polygamma",
        lambda x: special.polygamma(0, x),
        polygamma(0),
        domains=((0.3, 6.0),),
        dtypes=REAL,
        id="0",
    ),
    Record(
        "polygamma",
        lambda x: special.polygamma(1, x),
        polygamma(1),
        domains=((0.3, 6.0),),
        dtypes=REAL,
        id="1",
    ),
    Record(
        "polygamma",
        lambda x: special.polygamma(3, x),
        polygamma(3),
        domains=((0.4, 6.0),),
        dtypes=REAL,
        id="3",
    ),
    Record(
        "polygamma",
        lambda x: special.polygamma(1, x),
        polygamma(1),
        domains=((-0.8, -0.2),),
        dtypes=REAL,
        id="1 left",
    ),
    Record(
        "polygamma",
        special.polygamma,
        lambda n, x: sc.polygamma(n, x),
        domains=(lambda rng, shape, dtype: rng.integers(0, 4, shape), (0.4, 6.0)),
        dtypes=("float64",),
        id="orders",
    ),
]
