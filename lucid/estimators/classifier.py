"""Classification by a neural network."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from lucid import functional
from lucid.errors import OptionError, message
from lucid.estimators.base import FLOATS, Array, Estimator

__all__ = ["LucidClassifier"]

E = TypeVar("E", bound="LucidClassifier")


class LucidClassifier(ClassifierMixin, Estimator):
    """A neural network that predicts classes, as scikit-learn's estimators do.

    The network f has an output for every class, and the probabilities are

        p(k | x) = exp f(x)ₖ / Σⱼ exp f(x)ⱼ.

    It minimises the mean of -log p(yᵢ | xᵢ). Features should be scaled to about 1, as by
    ``StandardScaler``. Computes in float32 where the samples it is fitted to are float32, else in
    float64.

    Args:
        hidden_layer_sizes: the widths of the hidden layers; () makes a linear model.
        activation: "relu", "identity", "logistic", "tanh", "gelu", "silu", "elu" or "softplus"; or
            what makes such a layer, as `nn.Mish` does.
        module: a function (n_in, n_out) that makes the network, instead of the two above: a class,
            for instance. Of (n, n_in) samples it computes (n, n_out) outputs.
        loss: "log_loss", or a function of outputs, of shape (n, n_out), and numbers of classes, of
            shape (n,), to one number.
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
        validation_fraction: the share of samples that is then held out, of every class alike.
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
        classes_: the classes, sorted.
        module_: the network, in evaluation mode.
        optimizer_: the optimiser, with its state.
        history_: the `History` of the latest training.
        n_iter_: how many epochs that had.
        n_outputs_: how many classes there are.
        n_features_in_, feature_names_in_: what the samples had at `fit`.

    Raises:
        MissingExtraError: when it is imported without scikit-learn.

    Example:
        >>> import numpy as np
        >>> from lucid.estimators import LucidClassifier
        >>> angle = np.linspace(0, 6, 200)
        >>> x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        >>> y = np.where(x[:, 0] * x[:, 1] > 0, "odd", "even")
        >>> model = LucidClassifier((32,), learning_rate=0.02, batch_size=50, random_state=0)
        >>> model.fit(x, y).score(x, y) > 0.95
        True
        >>> model.predict([[1.0, 1.0], [1.0, -1.0]])
        array(['odd', 'even'], dtype='<U4')
    """

    _losses = {"log_loss": functional.cross_entropy}  # noqa: RUF012 - never changed

    def fit(self: E, X: Any, y: Any) -> E:
        """Train on samples and their classes.

        Args:
            X: the samples, of shape (samples, features).
            y: their classes, numbers or strings, of shape (samples,).

        Returns:
            This estimator.

        Raises:
            OptionError: if a parameter is out of its range, or there is one class alone.
            ValueError: if the data are not finite numbers of such shapes.
            NonFiniteError: if the loss becomes infinite or NaN.
        """
        anew = not (self.warm_start and hasattr(self, "module_"))
        return self._fit(X, y, None, anew=anew, reset=True, whole=True)

    def partial_fit(self: E, X: Any, y: Any, classes: Any = None) -> E:
        """Go once through more samples, with the network as it is; see `fit`.

        Args:
            X: the samples, of shape (samples, features).
            y: their classes.
            classes: all classes that there are; needed at the first call.

        Returns:
            This estimator.
        """
        anew = not hasattr(self, "module_")
        if anew and classes is None:
            want = "classes at the first call of partial_fit"
            raise OptionError(message(type(self).__name__, want, "none"))
        return self._fit(X, y, classes, anew=anew, reset=anew, whole=False)

    def _fit(self, X: Any, y: Any, classes: Any, *, anew: bool, reset: bool, whole: bool) -> Any:
        found: Any = validate_data(self, X, y, reset=reset, dtype=FLOATS)
        x, y = found
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        known = np.unique(y if classes is None else classes)
        name = type(self).__name__
        if anew:
            if len(known) < 2:
                raise OptionError(message(name, "at least two classes", "one class"))
            self.classes_ = known
        elif classes is not None and not np.array_equal(known, self.classes_):
            raise OptionError(message(name, f"the classes {self.classes_}", str(known)))
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise OptionError(message(name, f"classes among {self.classes_}", str(unknown)))
        target = np.searchsorted(self.classes_, y)
        self._train(x, target, len(self.classes_), anew=anew, whole=whole)
        return self

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each sample.

        Args:
            X: the samples, of shape (samples, features).

        Returns:
            An array of classes, of shape (samples,).
        """
        best = self._outputs(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, the softmax of what the network gives.

        Args:
            X: the samples, of shape (samples, features).

        Returns:
            An array of shape (samples, classes), in the order of ``classes_``.
        """
        return functional.softmax(self._outputs(X), 1).numpy().copy()

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of `predict_proba`."""
        return functional.log_softmax(self._outputs(X), 1).numpy().copy()
