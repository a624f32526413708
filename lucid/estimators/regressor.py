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
    """A neural network that predicts numbers.

    Placeholder.
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
        X, y = validate_data(
            self, X, y, reset=reset, dtype=FLOATS, multi_output=True, y_numeric=True
        )
        target = y.astype(X.dtype, copy=False).reshape(len(y), -1)
        if not anew and target.shape[1] != self.n_outputs_:
            want = f"{self.n_outputs_} targets for each sample, as before"
            raise ShapeError(message(type(self).__name__, want, str(target.shape[1])))
        self._flat = y.ndim == 1
        self._train(X, target, target.shape[1], anew=anew, whole=whole)
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
