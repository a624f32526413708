"""Putting something around images, or cutting it off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OptionError, ShapeError, message
from lucid.ops.arrange import pad as surround
from lucid.ops.axes import as_tensor
from lucid.ops.index import take

__all__ = ["pad"]


def pad(
    input: ArrayLike, pad: Sequence[int], mode: str = "constant", value: ArrayLike | None = None
) -> Tensor:
    """Put more entries before and behind those of the last axes, or cut some off.

    Args:
        input: of any shape.
        pad: how many in front and behind, first for the last axis, then for the one before it, and
            so on; a negative number cuts off as many.
        mode: "constant"; "reflect" mirrors at the outermost entries; "replicate" repeats them;
            "circular" continues at the other end.
        value: what to put there in mode "constant", by default 0.

    Returns:
        An array with longer or shorter last axes.

    Raises:
        ShapeError: if there are more pairs than axes, more is cut off than there is, or there is
            too little to mirror or to continue with.
        OptionError: for another mode, an odd number of widths, or a `value` in another mode.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.pad(lucid.asarray([1, 2, 3]), (2, 1), "reflect")
        Tensor([3, 2, 1, 2, 3, 2])
    """
    x = as_tensor("pad", input, view=True)
    widths = tuple(int(n) for n in pad)
    if len(widths) % 2:
        raise OptionError(message("pad", "two widths for each axis", repr(tuple(pad))))
    if len(widths) > 2 * x.ndim:
        want = f"at most {2 * x.ndim} widths for shape {x.shape}"
        raise ShapeError(message("pad", want, repr(widths)))
    pairs = tuple(zip(widths[::2], widths[1::2], strict=True))[::-1]
    sizes = x.shape[x.ndim - len(pairs) :]
    if any(n + lo + hi < 0 or n + lo < 0 for n, (lo, hi) in zip(sizes, pairs, strict=True)):
        raise ShapeError(message("pad", f"no more cut off than {sizes}", repr(widths)))
    if mode == "constant":
        return _constant(x, pairs, 0 if value is None else value)
    if mode not in _PLACES:
        want = 'mode "constant", "reflect", "replicate" or "circular"'
        raise OptionError(message("pad", want, repr(mode)))
    if value is not None:
        raise OptionError(message("pad", f"no value in mode {mode!r}", repr(value)))
    for axis, (lo, hi) in enumerate(pairs, x.ndim - len(pairs)):
        if lo or hi:
            places = _PLACES[mode](np.arange(-lo, x.shape[axis] + hi), x.shape[axis], lo, hi)
            x = take(x, wrap(places, None), axis=axis)
    return x


def _constant(x: Tensor, pairs: Sequence[tuple[int, int]], value: Any) -> Tensor:
    lead = x.ndim - len(pairs)
    if any(n < 0 for pair in pairs for n in pair):
        pieces = zip(pairs, x.shape[lead:], strict=True)
        cut = (slice(max(-lo, 0), n - max(-hi, 0)) for (lo, hi), n in pieces)
        x = x[(..., *cut)]
    more = [(max(lo, 0), max(hi, 0)) for lo, hi in pairs]
    return surround(x, [(0, 0)] * lead + more, constant_values=value) if x.ndim else x


def _reflect(at: Any, n: int, lo: int, hi: int) -> Any:
    _enough("reflect", n - 1, n, lo, hi)
    return n - 1 - abs(n - 1 - abs(at))


def _replicate(at: Any, n: int, lo: int, hi: int) -> Any:
    _enough("replicate", at.size if n else 0, n, lo, hi)
    return np.clip(at, 0, n - 1)


def _circular(at: Any, n: int, lo: int, hi: int) -> Any:
    _enough("circular", n, n, lo, hi)
    return at % n


def _enough(mode: str, most: int, n: int, lo: int, hi: int) -> None:
    if max(lo, hi) > most:
        want = f"widths of at most {most} in mode {mode!r} along an axis of length {n}"
        raise ShapeError(message("pad", want, f"{lo} and {hi}"))


_PLACES = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}
