from __future__ import annotations

import numpy as np

import lucid
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from tests.record import ALL, COMPLEX, INEXACT, INTEGER, REAL, Record
from tests.records.arithmetic import nonzero

RECORDS = [
    Record("real", lucid.real, np.real, dtypes=ALL),
    Record("imag", lucid.imag, np.imag, dtypes=ALL),
    Record("conj", lambda x: bind(OPS["conj"], (x,)), np.conj, dtypes=INEXACT + INTEGER),
    Record("conj", lucid.conj, np.conj, dtypes=COMPLEX, id="public"),
    Record("abs", lucid.abs, np.abs, domains=(nonzero,), dtypes=INEXACT + INTEGER),
    Record("sign", lucid.sign, np.sign, domains=(nonzero,), dtypes=INEXACT + INTEGER),
    Record("angle", lucid.angle, np.angle, domains=(nonzero,)),
    Record("real_angle", lucid.angle, np.angle, domains=(nonzero,), dtypes=REAL, diff=()),
    Record(
        "angle",
        lambda x: lucid.angle(x, True),
        lambda x: np.angle(x, True),
        domains=(nonzero,),
        id="deg",
    ),
]
