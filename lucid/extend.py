"""Registering operations of one's own: what lucid's own are made of.

An operation is stated once, by one of the constructors; every transformation then knows it.
`docs/internals.md` walks through an example and says when to use which.

- `elementwise`: applied entry by entry, with broadcasting; one partial derivative per operand, or
  the constants `SAME` (1), `NEG` (-1), `ZERO` (0).
- `linear`, `bilinear`: linear in one operand or in each of two; given by their transposes.
- `reduction`: reduces axes.
- `general`: everything else, rule by rule (see `Op`).

`bind` calls an operation on operands as the user gave them, `apply` on Tensors and Python numbers,
inside rules. `fit`, `conj`, `spread`, `zeros_like`, `move_batch_first` and `dummy` help to write
rules. `OPS` holds every registered operation by name.

Example:
    >>> import lucid
    >>> import numpy as np
    >>> from lucid.extend import elementwise
    >>> @elementwise(lambda x: x / (1 + np.abs(x)), lambda ans, x: (1 - abs(ans)) ** 2)
    ... def squash(x, /):
    ...     "Map the reals to (-1, 1): x / (1 + |x|)."
    >>> lucid.grad(squash)(1.0)
    Tensor(0.25)
    >>> del lucid.extend.OPS["squash"]  # so that this example runs twice
"""

from lucid.core.cotangent import conj, fit, spread, zeros_like
from lucid.core.define import (
    NEG,
    SAME,
    ZERO,
    bilinear,
    dummy,
    elementwise,
    general,
    linear,
    move_batch_first,
)
from lucid.core.dispatch import apply, bind
from lucid.core.op import OPS, Aval, Op
from lucid.core.reductions import reduction
from lucid.core.tensor import Tensor, aval

__all__ = [
    "NEG",
    "OPS",
    "SAME",
    "ZERO",
    "Aval",
    "Op",
    "Tensor",
    "apply",
    "aval",
    "bilinear",
    "bind",
    "conj",
    "dummy",
    "elementwise",
    "fit",
    "general",
    "linear",
    "move_batch_first",
    "reduction",
    "spread",
    "zeros_like",
]
