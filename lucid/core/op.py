"""What an operation is: a name, an implementation on NumPy arrays, and its rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

__all__ = ["OPS", "Aval", "Op", "Rule"]

Rule = Callable[..., Any]


class Aval(NamedTuple):
    """An abstract value: all that is known of an array without computing it.

    `weak` holds for a Python number, which takes its dtype from what it meets.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    weak: bool = False

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]" + "*" * self.weak


class Op:
    """An operation and its rules. `lucid.core.define` builds nearly all of them.

    An operation takes operands (Tensors, or Python numbers) and static, hashable parameters, both
    by position. Rules are ordinary lucid code on values of the level below:

    Attributes:
        name: unique; messages begin with it.
        impl: ``impl(*arrays, *params)``, the value on NumPy arrays (a tuple when `multi`).
        infer: ``infer(*avals, *params)``, the `Aval` of the result, or a tuple of them.
        jvp: ``jvp(ans, tangents, operands, *params)``; a tangent may be None, a known zero, and
            the rule may return None. For `multi`, a tuple.
        vjps: one ``vjp(ct, ans, *operands, *params)`` per operand, None where the derivative is
            known to be zero; or None, when `vjp` does all of them at once or no rule exists.
        vjp: ``vjp(ct, needs, ans, operands, *params)``, a tuple of cotangents, of which only those
            with ``needs[i]`` are looked at.
        raw: `vjps` for operands, result and cotangent that are plain arrays, or `vjp` in a tuple;
            derived by `elementwise` where the rules are made of infix operators alone, and written
            for some others. A function that tells them until they are first needed.
        batch: ``batch(size, batched, operands, *params)``, the result with the batch axis first;
            ``batched[i]`` tells whether operand i carries that axis first, and at least one does.
        record: ``record(frame, args, params)``, for an operation that reverse mode does not record
            in the usual way (`custom_vjp`).
        inline: ``inline(args, params)``, the same in other operations, for one that stands for a
            function: a capture puts them in its place, an `opaque` one's only when it compiles.
        opaque: whether `impl` runs a function of the user's, whose exceptions are not lucid's.
        lower: ``lower(*operands, *params)``, the same in simpler operations, up to rounding, which
            native code knows and fuses; or None. It is asked for arrays with elements only.
        multi: whether the result is a tuple.
        smooth: False when the derivative is zero wherever it exists (comparisons, `floor`).
        weak: whether Python numbers alone give a Python number, as Python's own operators do.
        view: whether the result may share memory with an operand.
        singular: operands whose partial can be infinite where the value is not, or which can
            multiply a cotangent by infinity: there a masked cotangent must win (DESIGN §3).
        live: ``live(mask, i, ans, operands, *params)``: a boolean Tensor of operand i's shape, the
            entries whose cotangent can differ from zero when only those of the result's in `mask`
            can; without the rule, all of them.
        masks: ``masks(i, ans, operands, *params)``: a boolean Tensor, the entries of operand i that
            the operation selects at all (`where`, indexing, `max`); None for an operand that is
            not selected from.
    """

    __slots__ = (
        *("name", "impl", "infer", "jvp", "vjps", "vjp", "batch", "lower", "multi"),
        *(
            "smooth",
            "weak",
            "view",
            "singular",
            "live",
            "masks",
            "opaque",
            "raw",
            "record",
            "inline",
        ),
    )

    def __init__(
        self,
        name: str,
        impl: Rule,
        *,
        infer: Rule | None = None,
        jvp: Rule | None = None,
        vjps: Sequence[Rule | None] | None = None,
        vjp: Rule | None = None,
        batch: Rule | None = None,
        lower: Rule | None = None,
        multi: bool = False,
        smooth: bool = True,
        weak: bool = False,
        view: bool = False,
        singular: frozenset[int] = frozenset(),
        live: Rule | None = None,
        masks: Rule | None = None,
        record: Rule | None = None,
        inline: Rule | None = None,
        opaque: bool = False,
        register: bool = True,
    ) -> None:
        self.name = name
        self.impl = impl
        self.infer = infer
        self.jvp = jvp
        self.vjps: tuple[Rule | None, ...] | None = None if vjps is None else tuple(vjps)
        self.vjp = vjp
        self.batch = batch
        self.lower = lower
        self.multi = multi
        self.smooth = smooth
        self.weak = weak
        self.view = view
        self.singular = singular
        self.live = live
        self.masks = masks
        self.record = record
        self.inline = inline
        self.opaque = opaque
        self.raw: tuple[Rule | None, ...] | Callable[[], Any] | None = None
        if register:
            if name in OPS:
                raise ValueError(f"an operation named {name!r} is already registered")
            OPS[name] = self

    @property
    def reversible(self) -> bool:
        """Whether reverse mode has a rule."""
        return self.vjps is not None or self.vjp is not None

    def raw_rules(self) -> tuple[Rule | None, ...] | None:
        """Return `raw`, found out by now."""
        if callable(self.raw):
            self.raw = self.raw()
        return cast("tuple[Rule | None, ...] | None", self.raw)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


OPS: dict[str, Op] = {}
