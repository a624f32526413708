"""A softmax over many classes in clusters, as a layer.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> layer = nn.AdaptiveLogSoftmaxWithLoss(8, 100, [10, 50], div_value=2.0)
    >>> output, loss = layer(lucid.ones((3, 8)), lucid.asarray([4, 90, 33]))
    >>> output.shape, loss.shape
    ((3,), ())
    >>> layer.predict(lucid.ones((3, 8))).shape
    (3,)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucid import functional
from lucid.core.methods import ArrayLike
from lucid.core.tensor import Tensor
from lucid.functional.adaptive_softmax import AdaptiveLogSoftmax, cluster_sizes
from lucid.nn.containers import ModuleList, Sequential
from lucid.nn.layer import Layer
from lucid.nn.linear import Linear

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class AdaptiveLogSoftmaxWithLoss(Layer):
    """Log-probabilities of many classes, the frequent ones first, and the mean loss.

    See `lucid.functional.adaptive_log_softmax_with_loss`.

    Args:
        in_features: the width of the input.
        n_classes: how many classes there are.
        cutoffs: the first class of each cluster.
        div_value: by which factor a cluster is narrower than the one before.
        head_bias: whether the head has a bias.
        dtype: of the parameters; by default the default dtype.

    Attributes:
        head: the `Linear` layer of the frequent classes and the clusters.
        tail: for each cluster, two `Linear` layers.

    Raises:
        OptionError: if the cutoffs do not rise from 1 or more to n_classes - 1 or less, or a
            cluster would have no width.
    """

    _options = ("cutoffs", "div_value")

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features, self.n_classes, self.cutoffs = (
            in_features,
            n_classes,
            [*cutoffs, n_classes],
        )
        self.div_value, self.head_bias = div_value, head_bias
        sizes = cluster_sizes(type(self).__name__, in_features, self.cutoffs, div_value)
        self.head = Linear(in_features, cutoffs[0] + len(sizes), head_bias, dtype)
        self.tail = ModuleList(
            Sequential(
                Linear(in_features, width, False, dtype), Linear(width, classes, False, dtype)
            )
            for width, classes in sizes
        )

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input: ArrayLike, target: ArrayLike) -> AdaptiveLogSoftmax:
        """Return the log-probabilities of the targets, and the loss."""
        return functional.adaptive_log_softmax_with_loss(input, target, *self._weights())

    def log_prob(self, input: ArrayLike) -> Tensor:
        """Return the log-probabilities of all classes."""
        return functional.adaptive_log_prob(input, *self._weights())

    def predict(self, input: ArrayLike) -> Tensor:
        """Return the likeliest classes."""
        return functional.adaptive_predict(input, *self._weights())

    def _weights(self) -> tuple[Any, ...]:
        tails = [[layer.weight for layer in pair] for pair in self.tail]
        return self.cutoffs, self.head.weight, tails, self.head.bias
