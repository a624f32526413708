"""Images at other places: resampled, or looked up where a grid says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OptionError, ShapeError, message
from lucid.functional.resample import Rule, resample
from lucid.ops.axes import as_tensor, as_tensors
from lucid.ops.complex_ import abs as absolute
from lucid.ops.permute import moveaxis
from lucid.ops.rounding import floor
from lucid.ops.rounding import round as nearest
from lucid.ops.select import clip, where

__all__ = ["affine_grid", "grid_sample", "interpolate", "upsample"]

_MODES = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}  # for how many axes of places
_KERNELS = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def interpolate(
    input: ArrayLike,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return signals, images or volumes with another number of places.

    Args:
        input: of shape (batch, channels, ...), with 1 to 3 axes of places.
        size: the lengths of these axes, one number or several.
        scale_factor: how many times longer they become, one number or several; give either.
        mode: "nearest", "nearest-exact", "area", "linear" (of signals), "bilinear" or "bicubic"
            (of images), or "trilinear" (of volumes).
        align_corners: whether the outermost places stay where they are, and not the outer edges;
            for the last four modes, where it is False by default.
        recompute_scale_factor: whether places are as far apart as the lengths say, where
            `scale_factor` gives no whole ones.
        antialias: whether weights reach as far as places are apart, so that nothing is passed over
            where there are fewer; for "bilinear" and "bicubic".

    Returns:
        The result, of shape (batch, channels, *size).

    Raises:
        ShapeError: if `input` has another number of axes.
        OptionError: if the options do not go together.
        DTypeError: if `input` is not floating or complex.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[[0.0, 4.0]]])
        >>> functional.interpolate(x, 3, mode="linear", align_corners=True)
        Tensor([[[0., 2., 4.]]])
    """
    x = as_tensor("interpolate", input)
    if x.dtype.kind not in "fc":
        raise DTypeError(message("interpolate", "a floating or complex input", str(x.dtype)))
    rank = x.ndim - 2
    if not 1 <= rank <= 3 or 0 in x.shape[2:] or _MODES.get(mode, rank) != rank:
        want = f"a shape (batch, channels, ...) with as many axes of places as {mode!r} is for"
        raise ShapeError(message("interpolate", want, f"shape {x.shape}"))
    _check_mode(mode, align_corners, antialias)
    sizes, steps = _sizes(x.shape[2:], size, scale_factor)
    if recompute_scale_factor or steps is None or mode == "area":
        steps = [n / m for n, m in zip(x.shape[2:], sizes, strict=True)]
    kernel = _KERNELS.get(mode, mode)
    for axis, (n, m, step) in enumerate(zip(x.shape[2:], sizes, steps, strict=True), 2):
        if align_corners:
            step = (n - 1) / (m - 1) if m > 1 else 0.0
        if n != m or step != 1:
            x = resample(x, axis, Rule(n, m, kernel, bool(align_corners), step, antialias))
    return x


def _check_mode(mode: str, align_corners: bool | None, antialias: bool) -> None:
    known = ("nearest", "nearest-exact", "area", *_MODES)
    if mode not in known:
        raise OptionError(message("interpolate", f"mode {', '.join(known)}", repr(mode)))
    if align_corners is not None and mode not in _MODES:
        want = f"align_corners=None in mode {mode!r}"
        raise OptionError(message("interpolate", want, str(align_corners)))
    if antialias and mode not in ("bilinear", "bicubic"):
        want = 'antialias in modes "bilinear" and "bicubic" only'
        raise OptionError(message("interpolate", want, repr(mode)))


def _sizes(
    lengths: tuple[int, ...], size: Any, scale_factor: Any
) -> tuple[list[int], list[float] | None]:
    """Return the lengths wanted, and how far apart places are if that was said."""
    if (size is None) == (scale_factor is None):
        got = "neither" if size is None else "both"
        raise OptionError(message("interpolate", "size or scale_factor", got))
    given = size if scale_factor is None else scale_factor
    several = list(given) if isinstance(given, Sequence) else [given] * len(lengths)
    sizes = [int(n * s) if size is None else s for n, s in zip(lengths, several, strict=False)]
    if len(several) != len(lengths) or any(n < 1 for n in sizes):
        want = f"{len(lengths)} of them, that give one place or more"
        raise OptionError(message("interpolate", want, str(given)))
    return sizes, None if scale_factor is None else [1 / s for s in several]


def upsample(
    input: ArrayLike,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Return signals, images or volumes with another number of places; see `interpolate`.

    Args:
        input: of shape (batch, channels, ...), with 1 to 3 axes of places.
        size: the lengths of these axes, one number or several.
        scale_factor: how many times longer they become, one number or several; give either.
        mode: as in `interpolate`.
        align_corners: as in `interpolate`.

    Returns:
        The result, of shape (batch, channels, *size).

    Raises:
        ShapeError: if `input` has another number of axes.
        OptionError: if the options do not go together.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.upsample(lucid.asarray([[[1.0, 2.0]]]), scale_factor=2)
        Tensor([[[1., 1., 2., 2.]]])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


# -- grids -----------------------------------------------------------------------------------------


def affine_grid(theta: ArrayLike, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Return where an affine map takes the places of an image, for `grid_sample`.

    Args:
        theta: the maps, of shape (batch, 2, 3) for images, (batch, 3, 4) for volumes.
        size: (batch, channels, height, width), or with the depth before them.
        align_corners: whether -1 and 1 are the centres of the outermost places, or the outer edges.

    Returns:
        Places from -1 to 1, of shape (batch, height, width, 2), x first; or (batch, depth, height,
        width, 3).

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> same = lucid.asarray([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
        >>> functional.affine_grid(same, (1, 1, 1, 2), align_corners=True)
        Tensor([[[[-1.,  0.],
                  [ 1.,  0.]]]])

    Source: Jaderberg et al., "Spatial transformer networks", NeurIPS 2015.
    """
    t = as_tensor("affine_grid", theta)
    lengths = tuple(size)[2:]
    rank = len(lengths)
    if rank not in (2, 3) or t.shape != (size[0], rank, rank + 1):
        want = "maps of shape (batch, 2, 3) and a size of 4, or (batch, 3, 4) and 5"
        raise ShapeError(message("affine_grid", want, f"{t.shape} and {tuple(size)}"))
    base = np.ones((*lengths, rank + 1), t.dtype)
    for axis, n in enumerate(lengths):
        edge = (1 if align_corners else (n - 1) / n) if n > 1 else 0
        line = np.linspace(-edge, edge, n)
        base[..., rank - 1 - axis] = line.reshape((n, *(1,) * (rank - 1 - axis)))
    flat = Tensor(base.reshape((-1, rank + 1)))
    return (flat @ t.mT).reshape((t.shape[0], *lengths, rank))


Axis = list[tuple[Tensor, Any]]  # places along an axis, and their weights


def grid_sample(
    input: ArrayLike,
    grid: ArrayLike,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
) -> Tensor:
    """Return the values of images where a grid says.

    Args:
        input: of shape (batch, channels, height, width), or with the depth before them.
        grid: places from -1 to 1, of shape (batch, ..., 2), x first; or (batch, ..., 3).
        mode: "bilinear" (also for volumes), "nearest", or "bicubic" (for images).
        padding_mode: what is outside: "zeros"; "border", the nearest place inside; "reflection".
        align_corners: whether -1 and 1 are the centres of the outermost places, or the outer edges.

    Returns:
        The values, of shape (batch, channels, ...).

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: for another mode.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[[[1.0, 3.0]]]])
        >>> functional.grid_sample(x, lucid.zeros((1, 1, 1, 2)))
        Tensor([[[[2.]]]])

    Source: Jaderberg et al., "Spatial transformer networks", NeurIPS 2015.
    """
    x, g = as_tensors("grid_sample", (input, grid))
    rank = x.ndim - 2
    if rank not in (2, 3) or g.ndim != x.ndim or (g.shape[0], g.shape[-1]) != (x.shape[0], rank):
        want = "an input of shape (batch, channels, h, w) and a grid of shape (batch, ..., 2)"
        raise ShapeError(message("grid_sample", want, f"{x.shape} and {g.shape}"))
    if mode not in ("bilinear", "nearest", "bicubic") or (mode == "bicubic" and rank == 3):
        want = 'mode "bilinear", "nearest" or, for images, "bicubic"'
        raise OptionError(message("grid_sample", want, repr(mode)))
    if padding_mode not in ("zeros", "border", "reflection"):
        want = 'padding_mode "zeros", "border" or "reflection"'
        raise OptionError(message("grid_sample", want, repr(padding_mode)))
    axes: list[Axis] = []
    for axis, n in enumerate(x.shape[2:]):
        at = g[..., rank - 1 - axis] + 1
        at = at * ((n - 1) / 2) if align_corners else (at * n - 1) / 2
        axes.append(_MAKERS[mode](at, n, padding_mode, align_corners))
    return _gather(moveaxis(x, 1, -1), axes, g.shape[1:-1])


def _gather(x: Tensor, axes: list[Axis], shape: tuple[int, ...]) -> Tensor:
    """Add up the values at all combinations of places, times their weights."""
    batch = np.arange(x.shape[0]).reshape((x.shape[0], *(1,) * len(shape)))
    total: Any = 0
    for taps in itertools.product(*axes):
        weight: Any = 1
        for _, w in taps:
            weight = weight * w
        value = x[(batch, *(place for place, _ in taps))]
        total = total + value * weight.reshape((*weight.shape, 1))
    return moveaxis(total, -1, 1)


def _inside(at: Tensor, n: int, padding: str, corners: bool) -> Tensor:
    """Bring places inside, but for padding with zeros."""
    if padding == "reflection":
        low, span = (0.0, n - 1.0) if corners else (-0.5, float(n))
        if span == 0:
            return at * 0
        away = absolute(at - low)
        turns = floor(away / span)
        rest = away - turns * span
        at = low + where(turns % 2 == 0, rest, span - rest)
    return at if padding == "zeros" else clip(at, 0, n - 1)


def _tap(place: Tensor, weight: Any, n: int) -> tuple[Tensor, Any]:
    """Return a place of which nothing counts outside, and its weight."""
    live = (place >= 0) & (place <= n - 1)
    return clip(place, 0, n - 1).astype(np.int64), where(live, weight, 0)


def _nearest(at: Tensor, n: int, padding: str, corners: bool) -> Axis:
    at = _inside(at, n, padding, corners)
    return [_tap(nearest(at), at * 0 + 1, n)]


def _linear(at: Tensor, n: int, padding: str, corners: bool) -> Axis:
    at = _inside(at, n, padding, corners)
    low = floor(at)
    part = at - low
    return [_tap(low, 1 - part, n), _tap(low + 1, part, n)]


def _cubic(at: Tensor, n: int, padding: str, corners: bool) -> Axis:
    """Return four places; each is brought inside on its own."""
    low, a = floor(at), -0.75
    t = at - low
    s = 1 - t
    weights = [
        ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a,
        ((a + 2) * t - (a + 3)) * t * t + 1,
        ((a + 2) * s - (a + 3)) * s * s + 1,
        ((a * (s + 1) - 5 * a) * (s + 1) + 8 * a) * (s + 1) - 4 * a,
    ]
    places = (_inside(low + k, n, padding, corners) for k in (-1, 0, 1, 2))
    return [_tap(p, w, n) for p, w in zip(places, weights, strict=True)]


_MAKERS: dict[str, Callable[..., Axis]] = {
    "nearest": _nearest,
    "bilinear": _linear,
    "bicubic": _cubic,
}
