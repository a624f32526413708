"""Neural networks as estimators of scikit-learn: pipelines, searches and cross-validation use them.

Needs scikit-learn, the extra ``lucid-grad[sklearn]``.
"""

import lucid.estimators.base  # noqa: F401 - first, as it tells which extra is missing
from lucid.estimators.classifier import LucidClassifier
from lucid.estimators.regressor import LucidRegressor

__all__ = ["LucidClassifier", "LucidRegressor"]
