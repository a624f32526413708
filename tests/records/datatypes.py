"""Records of conversions between dtypes."""

from __future__ import annotations

import numpy as np

import lucid
from tests.record import BOOL, INEXACT, INTEGER, REAL, Record

RECORDS: list[Record] = [
    Record(
        "astype",
        lambda x: lucid.astype(x, lucid.complex64),
        lambda x: x.astype(np.complex64),
        dtypes=("float32", *INTEGER, *BOOL),  # a double would lose the digits that are compared
        id="complex64",
    ),
    Record(
        "astype",
        lambda x: lucid.astype(x, lucid.complex128),
        lambda x: x.astype(np.complex128),
        dtypes=(*REAL, "complex64", *INTEGER, *BOOL),
        id="complex128",
    ),
    Record(
        "astype",
        lambda x: lucid.astype(x, lucid.float64),
        lambda x: x.astype(np.float64),
        dtypes=("float32", *INTEGER, *BOOL),
        id="float64",
    ),
    Record(
        "astype",
        lambda x: lucid.astype(x, lucid.int32),
        lambda x: x.astype(np.int32),
        dtypes=REAL + INTEGER + BOOL,
        diff=(),
        id="int32",
    ),
    Record(
        "astype",
        lambda x: lucid.astype(x, lucid.bool),
        lambda x: x.astype(np.bool_),
        domains=((-1.0, 1.0),),
        dtypes=INEXACT + INTEGER,
        diff=(),
        id="bool",
    ),
]
