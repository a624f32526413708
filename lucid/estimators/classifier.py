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
    """A neural network that predicts classes.

    Placeholder.
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
        X, y = validate_data(self, X, y, reset=reset, dtype=FLOATS)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        found = np.unique(y if classes is None else classes)
        name = type(self).__name__
        if anew:
            if len(found) < 2:
                raise OptionError(message(name, "at least two classes", "one class"))
            self.classes_ = found
        elif classes is not None and not np.array_equal(found, self.classes_):
            raise OptionError(message(name, f"the classes {self.classes_}", str(found)))
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise OptionError(message(name, f"classes among {self.classes_}", str(unknown)))
        target = np.searchsorted(self.classes_, y)
        self._train(X, target, len(self.classes_), anew=anew, whole=whole)
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
