"""Records of Fourier transforms: every function with lengths, axes and normalisations."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import scipy.fft

import lucid
from tests.record import ALL, INEXACT, INTEGER, REAL, Record

ONE: Any = (((5,),), ((4,),), ((2, 3),), ((3, 2, 4),))
TWO: Any = (((3, 4),), ((2, 5, 3),))
NOTHING: Any = (((0, 3),), ((2, 0, 4),))

# id, options, and the shapes they fit: both parities, cropped and filled up
FORMS: tuple[tuple[str, dict[str, Any], Any], ...] = (
    ("last", {}, ONE),
    ("axis", {"axis": 0, "norm": "ortho"}, ONE),
    ("odd", {"n": 5, "norm": "forward"}, ONE),
    ("even", {"n": 4, "axis": -1, "norm": "backward"}, ONE),
    ("short", {"n": 2, "norm": "ortho"}, ONE),
    ("nothing", {"axis": -1}, NOTHING),
)
MANY: tuple[tuple[str, dict[str, Any], Any], ...] = (
    ("all", {"norm": "forward"}, TWO),
    ("axes", {"axes": (1, 0), "norm": "ortho"}, TWO),
    ("lengths", {"s": (3, 5), "axes": (0, -1)}, TWO),
    ("even", {"s": (5, 4), "axes": (-1, 0), "norm": "forward"}, TWO),
)
KINDS: dict[str, Any] = {"fft": INEXACT, "ifft": INEXACT, "rfft": REAL, "irfft": INEXACT} | {
    "hfft": INEXACT,
    "ihfft": REAL,
}
KINDS_OF_MANY: dict[str, Any] = {"fftn": INEXACT, "ifftn": INEXACT, "rfftn": REAL} | {
    "irfftn": INEXACT
}


def rows(name: str, forms: Any, dtypes: Any, module: Any = np.fft) -> list[Record]:
    """One record per form; the public functions are named after the operations they consist of."""
    op = OPERATION.get(name, name)
    return [
        Record(
            op,
            partial(getattr(lucid.fft, name), **options),
            partial(getattr(module, name), **options),
            shapes=shapes,
            dtypes=dtypes,
            id=form if op == name else f"{name}-{form}",
        )
        for form, options, shapes in forms
    ]


OPERATION = {"ifft": "fft", "fftn": "fft", "ifftn": "fft", "rfftn": "rfft", "irfftn": "irfft"} | {
    "hfft": "irfft",
    "ihfft": "rfft",
    **dict.fromkeys(("dct", "idct", "dst", "idst"), "dct"),
}

WAVES = [
    Record(
        "dct",
        partial(getattr(lucid.fft, name), **options),
        partial(getattr(scipy.fft, name), **options),
        shapes=ONE,
        id=f"{name}-{options['type']}-{options['norm']}",
    )
    for name in ("dct", "idct", "dst", "idst")
    for options in (
        *({"type": kind, "norm": "backward"} for kind in (1, 2, 3, 4)),
        *({"type": kind, "norm": "ortho", "axis": 0, "n": 3} for kind in (1, 2, 3, 4)),
        *({"type": kind, "norm": "forward", "n": 5} for kind in (2, 3)),
    )
]

SHIFTS = [
    Record(
        name,
        partial(getattr(lucid.fft, name), **options),
        partial(getattr(np.fft, name), **options),
        shapes=TWO,
        domains=((0, 9),),
        dtypes=ALL,
        id=form,
    )
    for name in ("fftshift", "ifftshift")
    for form, options in (("all", {}), ("one", {"axes": 1}), ("two", {"axes": (-1, 0)}))
]

TWO_AXES = [
    Record(
        name,
        getattr(lucid.fft, name),
        getattr(np.fft, name),
        shapes=(*TWO, ((2, 2, 2),)),
        dtypes=REAL if name == "rfft2" else INEXACT,
    )
    for name in ("fft2", "ifft2", "rfft2", "irfft2")
]

WHOLE = [
    Record(
        name, getattr(lucid.fft, name), getattr(np.fft, name), shapes=ONE, dtypes=INTEGER, id="int"
    )
    for name in ("fft", "rfft")
]

RECORDS: list[Record] = [
    *(r for name, dtypes in KINDS.items() for r in rows(name, FORMS, dtypes)),
    *(r for name, dtypes in KINDS_OF_MANY.items() for r in rows(name, MANY, dtypes)),
    *WAVES,
    *SHIFTS,
    *TWO_AXES,
    *WHOLE,
]
