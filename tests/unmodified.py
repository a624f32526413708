"""Functions of SciPy and scikit-learn, as they are installed, under lucid's transformations.

Run as ``python -m tests.unmodified with|without``, with or without SCIPY_ARRAY_API=1, which SciPy
reads when it is imported. Prints as JSON, for every function, how far forward and reverse mode are
from central differences, and how large the derivative is; and for the functions of `scipy.special`
what became of a watched Tensor.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate, optimize, signal, special, stats
from scipy.signal import windows
from scipy.spatial.transform import Rotation
from sklearn import config_context, decomposition, linear_model, metrics
from sklearn.utils import extmath

import lucid
from lucid import Tensor, tree
from lucid.ops.special_functions import ROWS

_rng = np.random.default_rng(3)
ROW = _rng.uniform(0.2, 2.0, 8)
OTHER = _rng.uniform(0.2, 2.0, 8)
TABLE = _rng.uniform(0.2, 2.0, (8, 3))
TABLE_2 = _rng.uniform(0.2, 2.0, (8, 3))
SIGMA = np.array(1.7)

Case = tuple[Callable[..., Any], tuple[Any, ...]]


def raw(metric: Callable[..., Any]) -> Callable[..., Any]:
    """A metric with one number per output, as the others end in `float`."""
    return lambda y, p: metric(y, p, multioutput="raw_values")


def ridge(x: Any, y: Any) -> Any:
    """The coefficients of a regression whose penalty leaving one out has chosen."""
    return linear_model.RidgeCV(alphas=(0.1, 1.0)).fit(x, y).coef_


def principal(x: Any) -> Any:
    """The coordinates along the two principal axes."""
    return decomposition.PCA(n_components=2, svd_solver="full").fit_transform(x)


# with SCIPY_ARRAY_API=1, and array_api_dispatch for scikit-learn
WITH: dict[str, Case] = {
    "scipy.stats.skew": (stats.skew, (ROW,)),
    "scipy.stats.kurtosis": (lambda x: stats.kurtosis(x, axis=0, bias=False), (TABLE,)),
    "scipy.stats.gmean": (lambda x: stats.gmean(x, axis=1), (TABLE,)),
    "scipy.stats.circmean": (stats.circmean, (ROW,)),
    "scipy.stats.differential_entropy": (stats.differential_entropy, (ROW,)),
    "scipy.stats.ttest_ind": (lambda x, y: stats.ttest_ind(x, y).statistic, (ROW, OTHER)),
    "scipy.stats.chisquare": (
        lambda x, y: stats.chisquare(x, y * (x.sum() / y.sum())).statistic,
        (ROW, OTHER),
    ),
    "scipy.signal.fftconvolve": (signal.fftconvolve, (ROW, OTHER)),
    "scipy.signal.freqz": (lambda b: abs(signal.freqz(b, worN=5)[1]), (ROW,)),
    "scipy.signal.group_delay": (lambda b: signal.group_delay((b[:3], b[3:6]), w=5)[1], (ROW,)),
    "scipy.signal.bilinear_zpk": (
        lambda z, p: signal.bilinear_zpk(z, -p, 2.0, 1.5)[0].real,
        (ROW[:2], OTHER[:3]),
    ),
    "scipy.integrate.romb": (lambda y: integrate.romb(y[:5], dx=0.3), (ROW,)),
    "scipy.optimize.rosen": (optimize.rosen, (ROW,)),
    "scipy.spatial.transform.Rotation": (
        lambda v: Rotation.from_rotvec(v).as_matrix(),
        (ROW[:3],),
    ),
    "sklearn.metrics.mean_squared_error": (raw(metrics.mean_squared_error), (TABLE, TABLE_2)),
    "sklearn.metrics.mean_squared_log_error": (
        raw(metrics.mean_squared_log_error),
        (TABLE, TABLE_2),
    ),
    "sklearn.metrics.mean_absolute_percentage_error": (
        raw(metrics.mean_absolute_percentage_error),
        (TABLE, TABLE_2),
    ),
    "sklearn.metrics.pairwise.rbf_kernel": (metrics.pairwise.rbf_kernel, (TABLE, TABLE_2)),
    "sklearn.decomposition.PCA": (principal, (TABLE,)),
    "sklearn.linear_model.RidgeCV": (ridge, (TABLE, OTHER)),
}

# with SCIPY_ARRAY_API unset: through NumPy's protocols alone
WITHOUT: dict[str, Case] = {
    "scipy.signal.windows.gaussian": (lambda s: windows.gaussian(9, s), (SIGMA,)),
    "scipy.signal.windows.general_gaussian": (
        lambda p, s: windows.general_gaussian(9, p, s),
        (SIGMA, SIGMA + 1),
    ),
    "scipy.signal.gausspulse": (lambda t: signal.gausspulse(t, fc=0.3), (ROW,)),
    "scipy.integrate.fixed_quad": (
        lambda a: integrate.fixed_quad(lambda x: np.exp(-a[0] * x) * a[1], 0.0, 1.0)[0],
        (ROW,),
    ),
    "sklearn.utils.extmath.fast_logdet": (lambda x: extmath.fast_logdet(x.T @ x), (TABLE,)),
    "numpy.polynomial.chebyshev.chebval": (
        lambda x: np.polynomial.chebyshev.chebval(x, [0.3, -1.0, 2.0, 0.7]),
        (ROW,),
    ),
}


def check(function: Callable[..., Any], operands: tuple[Any, ...]) -> dict[str, float]:
    """How far both modes are from central differences along a random direction."""
    rng = np.random.default_rng(4)
    tangents = tuple(rng.standard_normal(x.shape) for x in operands)
    step = 1e-6
    ahead, behind = (
        np.asarray(function(*(x + s * t for x, t in zip(operands, tangents, strict=True))))
        for s in (step, -step)
    )
    difference = (ahead - behind) / (2 * step)
    out, pushed = lucid.jvp(function, operands, tangents)
    plain, pull = lucid.vjp(function, *operands)
    ct = rng.standard_normal(out.shape)
    pulled = pull(ct)
    along = sum(float((g.numpy() * t).sum()) for g, t in zip(pulled, tangents, strict=True))
    return {
        "value": float(abs(plain.numpy() - np.asarray(function(*operands))).max()),
        "forward": float(abs(pushed.numpy() - difference).max()),
        "reverse": abs(along - float((ct * difference).sum())),
        "size": float(abs(difference).max()),
    }


def fate(name: str, count: int) -> str:
    """What becomes of a watched Tensor as each argument of a function of `scipy.special`."""
    function = getattr(special, name)
    found: set[str] = set()

    def run(x: Any) -> Any:
        for k in range(count):
            arguments: list[Any] = [1] * count
            arguments[k] = x
            try:
                values = tree.leaves(function(*arguments))
            except lucid.errors.LucidError as error:
                found.add(type(error).__name__)
            else:
                found.add("Tensor" if all(isinstance(y, Tensor) for y in values) else "detached")
        return x

    lucid.grad(run)(1.0)
    return " ".join(sorted(found))


def main(group: str) -> None:
    """Check all functions of a group."""
    with config_context(array_api_dispatch=group == "with"):
        cases = WITH if group == "with" else WITHOUT
        found = {name: check(*case) for name, case in cases.items()}
    names = {n: len(row.partials) for n, row in ROWS.items() if hasattr(special, n)}
    with warnings.catch_warnings(action="ignore"):  # of arguments outside the domain
        fates = {name: fate(name, count) for name, count in names.items()}
    print(json.dumps({"checks": found, "special": fates}))


if __name__ == "__main__":
    main(sys.argv[1])
