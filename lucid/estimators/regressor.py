"""Regression by a neural network."""

from __future__ import annotations

from typing import Any, TypeVar

from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from lucid import functional
from lucid.errors import ShapeError, message
from lucid.estimators.base import FLOATS, Array, Estimator

__all__ = ["LucidRegressor"]

E = TypeVar("E", bound="LucidRegressor")


class LucidRegressor(RegressorMixin, Estimator):
    """A neural network that predicts numbers, as scikit-learn's estimators do.

    It minimises, over the weights w of the network f, the mean

        L(w) = 1/n · Σᵢ ℓ(f(xᵢ; w), yᵢ),        ℓ by default the squared error.

    Features and targets should be scaled to about 1, as by ``StandardScaler``. Computes in float32
    where the samples it is fitted to are float32, else in float64.

    Args:
        hidden_layer_sizes: the widths of the hidden layers; () makes a linear model.
        activation: "relu", "identity", "logistic", "tanh", "gelu", "silu", "elu" or "softplus"; or
            what makes such a layer, as `nn.Mish` does.
        module: a function (n_in, n_out) that makes the network, instead of the two above: a class,
            for instance. Of (n, n_in) samples it computes (n, n_out) outputs.
        loss: "squared_error", "absolute_error", "huber", or a function of predictions and targets,
            both of shape (n, n_out), to one number.
        optimizer: "adam", "adamw", "sgd", "rmsprop", "adagrad", "nadam" or "lbfgs"; or what makes
            an optimiser of parameters and ``lr``, as ``functools.partial(optim.SGD, momentum=0.9)``
            does.
        learning_rate: how far a step goes.
        weight_decay: how fast weights decay; None is the optimiser's own default.
        batch_size: how many samples a step takes at most; the batches of an epoch are of nearly
            equal size.
        max_epochs: how many times the samples are gone through at most.
        tol: the training ends when the loss has not become smaller by this
        n_iter_no_change: in so many epochs; None goes on to `max_epochs`.
        early_stopping: whether some of the samples are held out, the loss watched is theirs, and
            the weights of the best epoch are taken.
        validation_fraction: the share of samples that is then held out.
        shuffle: whether the samples come in another order in every epoch.
        clip_norm: what the norm of the gradients is limited to.
        warm_start: whether `fit` goes on with the network that is there.
        random_state: a seed, a ``numpy.random.RandomState``, or None for NumPy's global one: where
            weights, order and dropout come from. The default generator of `lucid.random` stays as
            it is; estimators that are trained in threads wait for each other.
        jit: whether `lucid.jit` compiles the step; "auto" does so where that takes less time
            than it saves.
        verbose: whether to print a line for every epoch.

    Attributes:
        module_: the network, in evaluation mode.
        optimizer_: the optimiser, with its state.
        history_: the `History` of the latest training.
        n_iter_: how many epochs that had.
        n_outputs_: how many numbers are predicted for a sample.
        n_features_in_, feature_names_in_: what the samples had at `fit`.

    Raises:
        MissingExtraError: when it is imported without scikit-learn.

    Example:
        >>> import numpy as np
        >>> from lucid.estimators import LucidRegressor
        >>> x = np.linspace(-1, 1, 200)[:, None]
        >>> y = np.sin(3 * x[:, 0])
        >>> model = LucidRegressor((32,), learning_rate=0.02, batch_size=50, random_state=0)
        >>> model.fit(x, y).score(x, y) > 0.99
        True
        >>> model.predict(x).shape
        (200,)
    """

    _losses = {  # noqa: RUF012 - never changed
        "squared_error": functional.mse_loss,
        "absolute_error": functional.l1_loss,
        "huber": functional.huber_loss,
    }

    def fit(self: E, X: Any, y: Any) -> E:
        """Train on samples and their targets.

        Args:
            X: the samples, of shape (samples, features).
            y: the targets, of shape (samples,) or (samples, outputs).

        Returns:
            This estimator.

        Raises:
            OptionError: if a parameter is out of its range.
            ValueError: if the data are not finite numbers of such shapes.
            NonFiniteError: if the loss becomes infinite or NaN.
        """
        anew = not (self.warm_start and hasattr(self, "module_"))
        return self._fit(X, y, anew=anew, reset=True, whole=True)

    def partial_fit(self: E, X: Any, y: Any) -> E:
        """Go once through more samples, with the network as it is; see `fit`."""
        anew = not hasattr(self, "module_")
        return self._fit(X, y, anew=anew, reset=anew, whole=False)

    def _fit(self, X: Any, y: Any, *, anew: bool, reset: bool, whole: bool) -> Any:
        found: Any = validate_data(
            self, X, y, reset=reset, dtype=FLOATS, multi_output=True, y_numeric=True
        )
        x, y = found
        target = y.astype(x.dtype, copy=False).reshape(len(y), -1)
        if not anew and target.shape[1] != self.n_outputs_:
            want = f"{self.n_outputs_} targets for each sample, as before"
            raise ShapeError(message(type(self).__name__, want, str(target.shape[1])))
        self._flat = y.ndim == 1
        self._train(x, target, target.shape[1], anew=anew, whole=whole)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> Array:
        """Return the predictions for samples.

        Args:
            X: the samples, of shape (samples, features).

        Returns:
            An array of shape (samples,), or (samples, outputs) where the targets had such a shape.
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if self._flat else outputs
