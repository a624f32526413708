from __future__ import annotations

import numpy as np

import lucid
from tests.record import BINARY, INEXACT, INTEGER, REAL, Record
from tests.records.arithmetic import nonzero

UNIT = ((-0.9, 0.9),)
POSITIVE = ((0.2, 3.0),)
ABOVE_ONE = ((1.2, 4.0),)


RECORDS = [
    Record("exp", lucid.exp, np.exp),
    Record("exp2", lucid.exp2, np.exp2, dtypes=REAL),
    Record("expm1", lucid.expm1, np.expm1),
    Record("log", lucid.log, np.log, domains=POSITIVE),
    Record("log2", lucid.log2, np.log2, domains=POSITIVE),
    Record("log10", lucid.log10, np.log10, domains=POSITIVE),
    Record("log1p", lucid.log1p, np.log1p, domains=((-0.8, 2.0),)),
    Record("logaddexp", lucid.logaddexp, np.logaddexp, domains=((-3, 3), (-3, 3)), dtypes=REAL),
    Record(
        "logaddexp",
        lambda x: lucid.logaddexp(x, 0.5),
        lambda x: np.logaddexp(x, 0.5),
        dtypes=REAL,
        id="n",
    ),
    Record(
        "logaddexp",
        lambda x: lucid.logaddexp(x, x),
        lambda x: np.logaddexp(x, x),
        dtypes=REAL,
        id="twice",
    ),
    Record("sin", lucid.sin, np.sin),
    Record("cos", lucid.cos, np.cos),
    Record("tan", lucid.tan, np.tan, domains=((-1.2, 1.2),)),
    Record("asin", lucid.asin, np.arcsin, domains=UNIT),
    Record("acos", lucid.acos, np.arccos, domains=UNIT),
    Record("atan", lucid.atan, np.arctan, domains=UNIT),
    Record("atan2", lucid.atan2, np.arctan2, domains=(nonzero, (0.1, 2.0)), dtypes=REAL),
    Record(
        "atan2", lambda x: lucid.atan2(x, 0.5), lambda x: np.arctan2(x, 0.5), dtypes=REAL, id="n"
    ),
    Record("sinh", lucid.sinh, np.sinh),
    Record("cosh", lucid.cosh, np.cosh),
    Record("tanh", lucid.tanh, np.tanh),
    Record("asinh", lucid.asinh, np.arcsinh, domains=UNIT),
    Record("acosh", lucid.acosh, np.arccosh, domains=ABOVE_ONE),
    Record("atanh", lucid.atanh, np.arctanh, domains=UNIT),
    Record("deg2rad", lucid.deg2rad, np.deg2rad, dtypes=REAL),
    Record("rad2deg", lucid.rad2deg, np.rad2deg, dtypes=REAL),
    Record("sinc", lucid.sinc, np.sinc, domains=((-4.0, 4.0),), dtypes=REAL),
    Record("sinc", lucid.sinc, np.sinc, dtypes=("complex128", "complex64"), id="complex"),
    Record("sinc", lucid.sinc, np.sinc, domains=((-1e-3, 1e-3),), dtypes=REAL, id="near 0"),
    Record("floor", lucid.floor, np.floor, domains=((-4, 4),), dtypes=REAL + INTEGER, diff=()),
    Record("ceil", lucid.ceil, np.ceil, domains=((-4, 4),), dtypes=REAL + INTEGER, diff=()),
    Record("trunc", lucid.trunc, np.trunc, domains=((-4, 4),), dtypes=REAL + INTEGER, diff=()),
    Record("round", lucid.round, np.round, domains=((-4, 4),), dtypes=INEXACT + INTEGER, diff=()),
    Record("round", lambda x: lucid.round(x, 2), lambda x: np.round(x, 2), diff=(), id="2"),
    Record("round", lambda x: lucid.round(x, -1), lambda x: np.round(x, -1), diff=(), id="-1"),
    Record("copysign", lucid.copysign, np.copysign, domains=(nonzero, nonzero), dtypes=REAL),
    Record("signbit", lucid.signbit, np.signbit, dtypes=REAL, diff=()),
    Record(
        "nextafter", lucid.nextafter, np.nextafter, domains=(nonzero, nonzero), dtypes=REAL, diff=()
    ),
    Record("heaviside", lucid.heaviside, np.heaviside, domains=(nonzero, nonzero), dtypes=REAL),
    Record(
        "heaviside",
        lucid.heaviside,
        np.heaviside,
        shapes=BINARY,
        domains=(lambda rng, shape, dtype: rng.integers(-1, 2, shape), (-2.0, 2.0)),
        dtypes=("float64",),
        id="at the step",
    ),
]
