"""Normalisation over batches, layers, groups, instances and vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.errors import DTypeError, OptionError, ShapeError, message
from lucid.functional.pad import pad
from lucid.functional.standardize import standardize
from lucid.ops.axes import as_tensor, axis_of, slice_axis
from lucid.ops.linalg.norms import vector_norm
from lucid.ops.moments import var
from lucid.ops.power import sqrt
from lucid.ops.select import maximum
from lucid.transforms.stop import stop_gradient

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
    "update_statistics",
]


def _floats(name: str, input: ArrayLike, least: int = 1) -> Tensor:
    x = as_tensor(name, input)
    if x.dtype.kind != "f":
        raise DTypeError(message(name, "a real floating operand", str(x.dtype)))
    if x.ndim < least:
        raise ShapeError(message(name, f"an input with {least} or more axes", f"shape {x.shape}"))
    return x


# -- over the last axes ----------------------------------------------------------------------------


def _last(
    name: str, x: Tensor, shape: int | Sequence[int], *affine: ArrayLike | None
) -> tuple[int, ...]:
    """Return the axes that end an input of this shape, which the affine parameters have too."""
    want = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    if not want or x.shape[x.ndim - len(want) :] != want:
        expected = f"an input whose last axes have shape {want}" if want else "one axis or more"
        raise ShapeError(message(name, expected, f"shape {x.shape}"))
    for p in affine:
        if p is not None and np.shape(p) != want:
            expected = f"weight and bias of shape {want}"
            raise ShapeError(message(name, expected, f"shape {np.shape(p)}"))
    return tuple(range(x.ndim - len(want), x.ndim))


def layer_norm(
    input: ArrayLike,
    normalized_shape: int | Sequence[int],
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Bring the last axes to mean 0 and variance 1, y = (x - x̄) / √(σ² + eps)·w + b.

    Args:
        input: x, of shape (..., *normalized_shape).
        normalized_shape: of the axes over which mean and (biased) variance are taken.
        weight: w, of that shape.
        bias: b, of that shape.
        eps: what is added to the variance.

    Returns:
        The result, of the shape of `input`.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.layer_norm(lucid.asarray([1.0, 3.0]), 2, eps=0.0)
        Tensor([-1.,  1.])

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.
    """
    x = _floats("layer_norm", input)
    axes = _last("layer_norm", x, normalized_shape, weight, bias)
    return standardize(x, weight, bias, axes, eps)


def rms_norm(
    input: ArrayLike,
    normalized_shape: int | Sequence[int],
    weight: ArrayLike | None = None,
    eps: float | None = None,
) -> Tensor:
    """Divide the last axes by their root mean square, y = x / √(mean(x²) + eps)·w.

    Args:
        input: x, of shape (..., *normalized_shape).
        normalized_shape: of the axes over which the mean is taken.
        weight: w, of that shape.
        eps: what is added to the mean; by default the distance from 1 to the next number.

    Returns:
        The result, of the shape of `input`.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.rms_norm(lucid.asarray([1.0, 7.0]), 2, eps=0.0)
        Tensor([0.2, 1.4])

    Source: Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019.
    """
    x = _floats("rms_norm", input)
    axes = _last("rms_norm", x, normalized_shape, weight)
    least = float(np.finfo(x.dtype).eps) if eps is None else eps
    return standardize(x, weight, None, axes, least, False)


# -- over channels ---------------------------------------------------------------------------------


def _channels(name: str, x: Tensor, what: str, p: ArrayLike | None) -> Any:
    """Return a vector with one entry per channel as a Tensor, or None."""
    if p is None:
        return None
    p = as_tensor(name, p)
    if p.shape != x.shape[1:2]:
        raise ShapeError(message(name, f"{what} of shape {x.shape[1:2]}", f"shape {p.shape}"))
    return p


def group_norm(
    input: ArrayLike,
    num_groups: int,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Bring groups of channels to mean 0 and variance 1, in each example on its own.

    Args:
        input: of shape (batch, channels, ...).
        num_groups: into how many groups the channels are divided.
        weight: a factor per channel.
        bias: a term per channel.
        eps: what is added to the variance.

    Returns:
        The result, of the shape of `input`.

    Raises:
        ShapeError: if the shapes do not fit.
        OptionError: if `num_groups` does not divide the number of channels.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.group_norm(lucid.asarray([[1.0, 3.0, 5.0, 9.0]]), 2, eps=0.0)
        Tensor([[-1.,  1., -1.,  1.]])

    Source: Wu and He, "Group normalization", ECCV 2018.
    """
    x = _floats("group_norm", input, 2)
    batch, channels, *places = x.shape
    if num_groups < 1 or channels % num_groups:
        got = f"{num_groups} for {channels} channels"
        raise OptionError(message("group_norm", "num_groups that divides the channels", got))
    split = (num_groups, channels // num_groups, math.prod(places))
    w, b = (
        None if p is None else p.reshape((*split[:2], 1))
        for p in (_channels("group_norm", x, *p) for p in (("weight", weight), ("bias", bias)))
    )
    return standardize(x.reshape((batch, *split)), w, b, (2, 3), eps).reshape(x.shape)


def batch_norm(
    input: ArrayLike,
    running_mean: ArrayLike | None,
    running_var: ArrayLike | None,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    training: bool = False,
    *,
    eps: float = 1e-5,
) -> Tensor:
    """Bring every channel to mean 0 and variance 1 over the batch, (x - x̄) / √(σ² + eps)·w + b.

    Nothing is changed in place: `update_statistics` gives the running statistics after a step of
    training.

    Args:
        input: x, of shape (batch, channels, ...).
        running_mean: a mean per channel, which is used where `training` is False.
        running_var: a variance per channel, likewise.
        weight: w, a factor per channel.
        bias: b, a term per channel.
        training: whether mean and (biased) variance are those of this batch.
        eps: what is added to the variance.

    Returns:
        The result, of the shape of `input`.

    Raises:
        ShapeError: if the shapes do not fit, or channels have a single value in training.
        OptionError: if the running statistics are missing.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.batch_norm(lucid.asarray([[1.0], [3.0]]), None, None, training=True, eps=0.0)
        Tensor([[-1.],
                [ 1.]])

    Source: Ioffe and Szegedy, "Batch normalization", ICML 2015.
    """
    return _over_channels(
        "batch_norm", input, running_mean, running_var, weight, bias, training, eps
    )


def instance_norm(
    input: ArrayLike,
    running_mean: ArrayLike | None = None,
    running_var: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    use_input_stats: bool = True,
    *,
    eps: float = 1e-5,
) -> Tensor:
    """Bring every channel of every example to mean 0 and variance 1, (x - x̄) / √(σ² + eps)·w + b.

    Args:
        input: x, of shape (batch, channels, ...).
        running_mean: a mean per channel, which is used where `use_input_stats` is False.
        running_var: a variance per channel, likewise.
        weight: w, a factor per channel.
        bias: b, a term per channel.
        use_input_stats: whether mean and (biased) variance are those of the input.
        eps: what is added to the variance.

    Returns:
        The result, of the shape of `input`.

    Raises:
        ShapeError: if the shapes do not fit, or channels have a single value.
        OptionError: if the running statistics are missing.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.instance_norm(lucid.asarray([[[1.0, 3.0]]]), eps=0.0)
        Tensor([[[-1.,  1.]]])

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for
    fast stylization", 2016.
    """
    stats = (running_mean, running_var)
    return _over_channels("instance_norm", input, *stats, weight, bias, use_input_stats, eps)


def _over_channels(
    name: str, input: Any, mean: Any, variance: Any, weight: Any, bias: Any, own: bool, eps: float
) -> Tensor:
    """Normalise by the input's `own` statistics, or by those given."""
    x = _floats(name, input, 2)
    w, b = _channels(name, x, "weight", weight), _channels(name, x, "bias", bias)
    if own:
        flat, axes = _flat(name, x)
        w, b = _beside(flat, w), _beside(flat, b)
        return standardize(flat, w, b, axes, eps).reshape(x.shape)
    mean = _channels(name, x, "running_mean", mean)
    variance = _channels(name, x, "running_var", variance)
    if mean is None or variance is None:
        which = "training" if name == "batch_norm" else "use_input_stats"
        want = f"running_mean and running_var where {which} is False"
        raise OptionError(message(name, want, "None"))
    scale = 1 / sqrt(variance + eps)
    scale = scale if w is None else scale * w
    shift = -mean * scale if b is None else b - mean * scale
    return x * _beside(x, scale) + _beside(x, shift)


def _beside(x: Tensor, p: Any) -> Any:
    """Return what is one number per channel so that it broadcasts with the input."""
    return p if p is None or x.ndim == 2 else p.reshape((p.shape[0], *(1,) * (x.ndim - 2)))


def _flat(name: str, x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Return the input with one axis for all places, and the axes of the statistics."""
    batch, channels, *places = x.shape
    count = math.prod(places) * (batch if name == "batch_norm" else 1)
    if count == 1 or (name == "instance_norm" and not places):
        want = "more than one value per channel to take statistics of"
        raise ShapeError(message(name, want, f"shape {x.shape}"))
    flat = x.reshape((batch, channels, math.prod(places))) if len(places) > 1 else x
    if name == "instance_norm":
        return flat, (2,)
    return flat, (0, 2) if places else (0,)


def update_statistics(
    input: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    num_batches: ArrayLike = 0,
    momentum: float | None = 0.1,
    instances: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return running statistics after a batch, (1 - m)·old + m·new; no derivative passes through.

    Args:
        input: of shape (batch, channels, ...).
        running_mean: the means so far, one per channel.
        running_var: the (unbiased) variances so far.
        num_batches: how many batches there were so far.
        momentum: m; None for 1 / (num_batches + 1), which makes them averages over all batches.
        instances: whether statistics are taken of every example, and averaged.

    Returns:
        ``(running_mean, running_var, num_batches)``.

    Raises:
        ShapeError: if the shapes do not fit, or channels have a single value.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> x = lucid.asarray([[1.0], [3.0]])
        >>> functional.update_statistics(x, lucid.zeros(1), lucid.ones(1), momentum=0.5)
        (Tensor([1.]), Tensor([1.5]), Tensor(1))
    """
    name = "instance_norm" if instances else "batch_norm"
    x = stop_gradient(_floats(name, input, 2))
    flat, axes = _flat(name, x)
    count = as_tensor(name, num_batches) + 1
    share = 1 / count if momentum is None else momentum
    new: list[Tensor] = []
    own = (flat.mean(axes), var(flat, axis=axes, correction=1))
    for what, old, value in zip(("mean", "var"), (running_mean, running_var), own, strict=True):
        old = _channels(name, x, f"running_{what}", old)
        value = value.mean(0) if instances else value
        new.append((old + share * (value - old)).astype(old.dtype))
    return new[0], new[1], count


# -- by neighbours and by lengths ------------------------------------------------------------------


def local_response_norm(
    input: ArrayLike, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divide by how strong neighbouring channels are, x / (k + alpha·mean(x²))^beta.

    Args:
        input: x, of shape (batch, channels, ...).
        size: how many channels the mean is taken of, zeros where there are none.
        alpha: the weight of the mean.
        beta: the exponent.
        k: what is added to it.

    Returns:
        The result, of the shape of `input`.

    Raises:
        ShapeError: if `input` has fewer than 3 axes.
        OptionError: if `size` is not positive.
        DTypeError: if `input` is not real and floating.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.local_response_norm(lucid.ones((1, 1, 2)), 1, alpha=1.0, beta=1.0)
        Tensor([[[0.5, 0.5]]])

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional
    neural networks", NeurIPS 2012.
    """
    x = _floats("local_response_norm", input, 3)
    if size < 1:
        raise OptionError(message("local_response_norm", "a positive size", str(size)))
    channels = x.shape[1]
    square = pad(x * x, (*(0, 0) * (x.ndim - 2), size // 2, (size - 1) // 2))
    total = slice_axis(square, 1, 0, channels)
    for i in range(1, size):
        total = total + slice_axis(square, 1, i, i + channels)
    return x / (total * (alpha / size) + k) ** beta


def normalize(input: ArrayLike, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Divide vectors by their length, x / max(‖x‖ₚ, eps).

    Args:
        input: x, of any shape with at least one axis.
        p: of the norm.
        dim: the axis along which vectors lie.
        eps: the least length to divide by.

    Returns:
        The result, of the shape of `input`.

    Raises:
        IndexOutOfBoundsError: if the axis does not exist.

    Example:
        >>> import lucid
        >>> from lucid import functional
        >>> functional.normalize(lucid.asarray([3.0, 4.0]), dim=0)
        Tensor([0.6, 0.8])
    """
    x = as_tensor("normalize", input)
    axis = axis_of("normalize", dim, x.ndim)
    return x / maximum(vector_norm(x, axis=axis, ord=p, keepdims=True), eps)
