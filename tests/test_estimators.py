"""The estimators: scikit-learn's own checks, all of them, and what these do not look at."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_classification, make_regression
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

import lucid
from lucid import functional, nn, optim
from lucid.errors import NonFiniteError, OperandError, OptionError, ShapeError
from lucid.estimators import LucidClassifier, LucidRegressor
from lucid.random import default_generator

ROOT = Path(__file__).parents[1]
UNCONVERGED = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Matrices of this size are slower on several threads."""
    with threadpool_limits(1):
        yield


def regression(n: int = 200, d: int = 5, outputs: int = 1) -> tuple[Any, Any]:
    x, y = make_regression(n, d, n_targets=outputs, random_state=0)
    return x, y / y.std(axis=0)


def iris() -> tuple[Any, Any]:
    x, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(x), y


def brief(kind: Any = LucidRegressor, **options: Any) -> Any:
    """An estimator that trains for three epochs, and does not complain of it."""
    defaults = {"hidden_layer_sizes": (8,), "max_epochs": 3, "n_iter_no_change": None}
    return kind(**{**defaults, "random_state": 0, **options})


# -- scikit-learn's checks -------------------------------------------------------------------------


@UNCONVERGED
@parametrize_with_checks([LucidRegressor(), LucidClassifier()])
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    if "check_array_api_input" in str(check):  # needs a process of its own: see the next test
        return
    check(estimator)


ARRAY_API = """
import warnings
from sklearn.utils.estimator_checks import estimator_checks_generator
from lucid.estimators import LucidClassifier, LucidRegressor
warnings.simplefilter("ignore")
for estimator in (LucidRegressor(), LucidClassifier()):
    found = [c for _, c in estimator_checks_generator(estimator) if "check_array_api" in str(c)]
    assert found
    for check in found:
        check(estimator)
"""


def test_checks_of_scikit_learn_for_the_array_api() -> None:
    """SciPy looks at this setting when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", ARRAY_API],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"SCIPY_ARRAY_API": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr


# -- together with scikit-learn --------------------------------------------------------------------


def test_importing_lucid_does_not_import_scikit_learn() -> None:
    code = (
        "import lucid, sys; assert 'sklearn' not in sys.modules; "
        "assert {'estimators', 'LucidRegressor'} <= set(dir(lucid)); "
        "from lucid import LucidClassifier; assert 'sklearn' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_without_scikit_learn_the_extra_is_named() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import lucid; lucid.LucidRegressor"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "MissingExtraError: lucid.estimators: expected scikit-learn" in done.stderr
    assert 'pip install "lucid-grad[sklearn]"' in done.stderr


@UNCONVERGED
def test_pipelines_searches_and_ensembles() -> None:
    x, y = iris()
    model = make_pipeline(StandardScaler(), brief(LucidClassifier, learning_rate=0.05))
    model.set_params(lucidclassifier__max_epochs=40)
    assert cross_val_score(model, x, y, cv=3).mean() > 0.9
    grid = {"lucidclassifier__activation": ["tanh", "relu"], "lucidclassifier__jit": [False]}
    search = GridSearchCV(model, grid, cv=2, scoring="neg_log_loss").fit(x, y)
    assert search.best_score_ > -0.5
    assert search.predict_proba(x).shape == (150, 3)
    many = BaggingRegressor(brief(), n_estimators=2, random_state=0).fit(*regression())
    assert many.predict(regression()[0]).shape == (200,)


def test_data_frames_and_labels() -> None:
    x, y = iris()
    frame = pd.DataFrame(x, columns=list("abcd"))
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    model = brief(LucidClassifier, max_epochs=60, learning_rate=0.05).fit(frame, pd.Series(labels))
    assert list(model.feature_names_in_) == list("abcd")
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(frame, labels) > 0.95
    shares = model.predict_proba(frame)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(np.log(shares), model.predict_log_proba(frame), atol=1e-9)
    assert (model.classes_[shares.argmax(axis=1)] == model.predict(frame)).all()
    assert model.history_["loss"][-1] == pytest.approx(log_loss(labels, shares), rel=0.2)


# -- training --------------------------------------------------------------------------------------


def test_it_is_lucids_training() -> None:
    """The same network, trained by hand."""
    x, y = regression()
    model = brief(batch_size=50, shuffle=False, jit=False).fit(x, y)
    lucid.random.seed(int(np.random.RandomState(0).randint(2**31 - 1)))
    net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
    opt = optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(3):
        for k in range(0, 200, 50):
            loss = functional.mse_loss(net(x[k : k + 50]), y[k : k + 50, None])
            opt.zero_grad()
            loss.backward()
            opt.step()
    np.testing.assert_allclose(model.predict(x), net(x).numpy()[:, 0], rtol=1e-10)


def test_random_state_decides_everything_and_changes_nothing_else() -> None:
    x, y = regression()
    before = default_generator.state.numpy()
    kept = np.random.get_state()[1].copy()
    dropout = lambda a, b: nn.Sequential(nn.Linear(a, 8), nn.Dropout(), nn.Linear(8, b))  # noqa: E731
    first, second, other = (
        brief(module=dropout, batch_size=20, early_stopping=True, random_state=r).fit(x, y)
        for r in (3, 3, 4)
    )
    np.testing.assert_array_equal(first.predict(x), second.predict(x))
    assert (first.predict(x) != other.predict(x)).any()
    np.testing.assert_array_equal(before, default_generator.state.numpy())
    np.testing.assert_array_equal(kept, np.random.get_state()[1])


def test_threads_do_not_disturb_each_other() -> None:
    x, y = regression()
    found: dict[int, Any] = {}

    def train(k: int) -> None:
        found[k] = brief(random_state=k, batch_size=20).fit(x, y).predict(x)

    workers = [threading.Thread(target=train, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for k in range(4):
        np.testing.assert_array_equal(
            found[k], brief(random_state=k, batch_size=20).fit(x, y).predict(x)
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes(dtype: Any) -> None:
    x, y = regression()
    model = brief().fit(x.astype(dtype), y)
    assert {p.dtype for p in model.module_.parameters()} == {np.dtype(dtype)}
    assert model.predict(x).dtype == model.predict(x.astype(np.float32)).dtype == dtype
    assert brief(LucidClassifier).fit(x.astype(dtype), y > 0).predict_proba(x).dtype == dtype
    assert lucid.get_default_dtype() == np.float64


def test_several_outputs() -> None:
    x, y = regression(outputs=2)
    model = brief(max_epochs=100, learning_rate=0.05).fit(x, y)
    assert model.predict(x).shape == (200, 2)
    assert model.n_outputs_ == 2
    assert model.score(x, y) > 0.95
    assert brief().fit(x, y[:, :1]).predict(x).shape == (200, 1)
    assert brief().fit(x, y[:, 0]).predict(x).shape == (200,)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", nn.HuberLoss(), None])
def test_losses_of_regression(loss: Any) -> None:
    x, y = regression()
    model = brief(loss=loss, max_epochs=60, learning_rate=0.05).fit(x, y)
    assert model.score(x, y) > 0.95
    want = {"absolute_error": 1, "huber": 0.5}
    text = loss if isinstance(loss, str) else ""
    error = model.predict(x) - y
    if text in want:
        rough = np.abs(error).mean() if text == "absolute_error" else (error**2 / 2).mean()
        assert model.history_["loss"][-1] == pytest.approx(rough, rel=0.5)


def test_own_losses_and_optimisers() -> None:
    x, y = iris()
    seen: list[Any] = []

    def loss(outputs: Any, target: Any) -> Any:
        seen.append((outputs.shape, target.shape, target.dtype))
        return functional.cross_entropy(outputs, target, label_smoothing=0.1)

    momentum = functools.partial(optim.SGD, momentum=0.9)
    model = brief(LucidClassifier, loss=loss, optimizer=momentum, learning_rate=0.1, max_epochs=30)
    assert model.fit(x, y).score(x, y) > 0.9
    assert seen[0] == ((150, 3), (150,), np.int64)
    assert model.optimizer_.param_groups[0]["momentum"] == 0.9


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop", "adagrad", "nadam", "lbfgs"])
def test_optimisers_by_name(name: str) -> None:
    x, y = regression()
    rate = {"lbfgs": 1.0, "adagrad": 0.1, "sgd": 0.1}.get(name, 0.02)
    model = brief(optimizer=name, learning_rate=rate, max_epochs=30).fit(x, y)
    assert type(model.optimizer_).__name__.lower() == name
    assert model.score(x, y) > 0.5


def test_weight_decay() -> None:
    x, y = regression()
    norms = [
        sum(float((p * p).sum().item()) for p in model.module_.parameters())
        for model in (
            brief(weight_decay=d, learning_rate=0.05, max_epochs=30).fit(x, y) for d in (None, 10.0)
        )
    ]
    assert norms[1] < norms[0] / 2
    assert brief(optimizer="adamw").fit(x, y).optimizer_.param_groups[0]["weight_decay"] == 0.01


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "silu", nn.Mish])
def test_activations(activation: Any) -> None:
    x, y = regression()
    model = brief(activation=activation, hidden_layer_sizes=(8, 4)).fit(x, y)
    kinds = [type(m).__name__ for m in model.module_]
    assert kinds[0::2] == ["Linear"] * 3
    assert kinds[1] == kinds[3]
    linear = brief(hidden_layer_sizes=()).fit(x, y)
    assert [type(m).__name__ for m in linear.module_] == ["Linear"]
    assert brief(hidden_layer_sizes=7).fit(x, y).module_[0].weight.shape == (7, 5)


def test_own_modules() -> None:
    class Net(nn.Module):
        def __init__(self, n_in: int, n_out: int) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.LazyLinear(6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout())
            self.head = nn.Linear(6, n_out)

        def forward(self, x: Any) -> Any:
            return self.head(self.body(x))

    x, y = iris()
    model = brief(LucidClassifier, module=Net, learning_rate=0.05, max_epochs=30).fit(x, y)
    assert not any(m.training for m in model.module_.modules())
    assert model.score(x, y) > 0.85
    np.testing.assert_array_equal(model.predict_proba(x), model.predict_proba(x))
    np.testing.assert_allclose(model.predict_proba(x)[:1], model.predict_proba(x[:1]))


def test_early_stopping_takes_the_best_epoch() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 20)), rng.normal(size=60)
    options = {"hidden_layer_sizes": (64,), "learning_rate": 0.02, "n_iter_no_change": 5}
    model = brief(max_epochs=200, early_stopping=True, validation_fraction=0.5, **options)
    history = model.fit(x, y).history_
    assert model.n_iter_ == len(history) < 200
    assert history.stopped is not None
    best = int(np.argmin(history["val_loss"]))
    assert best == len(history) - 6
    losses = history["val_loss"]
    held = functional.mse_loss(lucid.asarray(model.predict(x)), y).item()
    assert held < max(losses)


def test_stops_when_the_loss_does_and_warns_when_not() -> None:
    x, y = regression()
    done = LucidRegressor((8,), learning_rate=0.1, max_epochs=2000, random_state=0).fit(x, y)
    assert done.n_iter_ < 2000
    loss = done.history_["loss"]
    assert min(loss[-10:]) > min(loss[:-10]) - 1e-4
    with pytest.warns(ConvergenceWarning, match="LucidRegressor: the loss still improves") as seen:
        LucidRegressor(max_epochs=3).fit(x, y)
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert brief(max_epochs=3).fit(x, y).n_iter_ == 3


def test_partial_fit_and_warm_start_go_on() -> None:
    x, y = regression()
    whole = brief(max_epochs=4, batch_size=50).fit(x, y)
    parts = brief(batch_size=50)
    for _ in range(4):
        parts.partial_fit(x, y)
    assert parts.n_iter_ == 1
    assert parts.history_["loss"][0] == pytest.approx(whole.history_["loss"][-1], rel=0.05)
    warm = brief(max_epochs=2, batch_size=50, warm_start=True).fit(x, y)
    module = warm.module_
    warm.set_params(learning_rate=1e-2).fit(x, y)
    assert warm.module_ is module
    assert warm.optimizer_.param_groups[0]["lr"] == 1e-2
    assert warm.history_["loss"][0] < whole.history_["loss"][1]
    assert brief().fit(x, y).fit(x, y).history_["loss"] == brief().fit(x, y).history_["loss"]


def test_partial_fit_of_classes() -> None:
    x, y = iris()
    model = brief(LucidClassifier, learning_rate=0.05)
    with pytest.raises(OptionError, match="classes at the first call of partial_fit"):
        model.partial_fit(x, y)
    order = np.random.default_rng(0).permutation(150)
    for _ in range(10):
        for rows in np.split(order, 5):
            model.partial_fit(x[rows], y[rows], classes=[0, 1, 2])
    assert model.score(x, y) > 0.9
    model.partial_fit(x[:1], y[:1])
    with pytest.raises(OptionError, match=r"classes among \[0 1 2\], got \[7\]"):
        model.partial_fit(x, np.full(150, 7))
    with pytest.raises(OptionError, match="the classes"):
        model.partial_fit(x, y, classes=[0, 1])


@pytest.mark.parametrize("kind", [LucidRegressor, LucidClassifier])
def test_pickle_and_clone(kind: Any) -> None:
    x, y = regression()
    model = brief(kind).fit(x, y > 0 if kind is LucidClassifier else y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(x), model.predict(x))
    for each in (model, copy):
        each.partial_fit(x, y > 0 if kind is LucidClassifier else y)
    np.testing.assert_array_equal(copy.predict(x), model.predict(x))
    assert {id(p) for g in copy.optimizer_.param_groups for p in g["params"]} == {
        id(p) for p in copy.module_.parameters()
    }
    fresh = clone(model)
    assert not hasattr(fresh, "module_")
    assert repr(fresh) == repr(model)


def test_compiled_or_not() -> None:
    x, y = regression()
    plain, compiled = (brief(jit=jit, batch_size=64).fit(x, y).predict(x) for jit in (False, True))
    np.testing.assert_allclose(plain, compiled, rtol=1e-9, atol=1e-12)
    model = brief(max_epochs=1).fit(x, y)
    assert model._compiles(100, 200) is False
    assert model._compiles(10_000, 200) is True
    small = model._compiles(300, 200)
    model.module_ = nn.Linear(1000, 1000)
    assert (small, model._compiles(300, 200)) == (False, True)


def test_batches_are_of_nearly_equal_size() -> None:
    x, y = regression(201)
    sizes: list[int] = []
    net = lambda a, b: Watch(nn.Linear(a, b), sizes)  # noqa: E731
    brief(module=net, max_epochs=1, jit=False).fit(x, y)
    assert sorted(sizes[1:]) == [100, 101]


class Watch(nn.Module):
    def __init__(self, inner: Any, sizes: list[int]) -> None:
        super().__init__()
        self.inner = inner
        self.seen = lambda n: sizes.append(n)

    def forward(self, x: Any) -> Any:
        self.seen(len(x))
        return self.inner(x)


def test_verbose(capsys: Any) -> None:
    brief(verbose=True).fit(*regression())
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_digits() -> None:
    x, y = load_digits(return_X_y=True)
    model = LucidClassifier((32,), learning_rate=0.01, max_epochs=12, n_iter_no_change=None)
    model.set_params(random_state=0, jit=True)
    assert model.fit(x[:1200] / 16, y[:1200]).score(x[1200:] / 16, y[1200:]) > 0.9


# -- errors ----------------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes to be positive integers"),
    ({"hidden_layer_sizes": (1.5,)}, "hidden_layer_sizes to be positive integers"),
    ({"learning_rate": 0}, "learning_rate to be a positive number"),
    ({"weight_decay": -1}, "weight_decay to be a number of 0 or more, or None"),
    ({"batch_size": 0}, "batch_size to be a positive integer"),
    ({"max_epochs": 1.5}, "max_epochs to be a positive integer"),
    ({"tol": -1}, "tol to be a number of 0 or more"),
    ({"n_iter_no_change": 0}, "n_iter_no_change to be a positive integer or None"),
    ({"validation_fraction": 1}, "validation_fraction to be a number between 0 and 1"),
    ({"jit": "no"}, 'jit to be True, False or "auto"'),
    ({"activation": "x"}, "activation to be one of 'identity'"),
    ({"loss": "x"}, "loss to be one of"),
    ({"optimizer": "x"}, "optimizer to be one of 'adam'"),
]


@pytest.mark.parametrize("kind", [LucidRegressor, LucidClassifier])
@pytest.mark.parametrize(("options", "text"), WRONG)
def test_options_out_of_range(kind: Any, options: dict[str, Any], text: str) -> None:
    x, y = make_classification(random_state=0)
    with pytest.raises(OptionError, match=f"{kind.__name__}: expected {text}"):
        brief(kind, **options).fit(x, y)


def test_modules_that_do_not_fit() -> None:
    x, y = regression()
    want = r"LucidRegressor: expected module to be a function \(n_in, n_out\) -> nn.Module, got "
    for module, got in ((nn.Linear(5, 1), "a Linear"), (3, "a int")):
        with pytest.raises(OperandError, match=want + got):
            brief(module=module).fit(x, y)
    with pytest.raises(OperandError, match=want + "one that returns a int"):
        brief(module=lambda a, b: 3).fit(x, y)
    want = r"LucidRegressor: expected a module that returns shape \(n, 1\) for n samples, got "
    with pytest.raises(ShapeError, match=want + r"\(1, 2\) for one"):
        brief(module=lambda a, b: nn.Linear(a, 2)).fit(x, y)
    with pytest.raises(ShapeError, match=want + "a tuple for one"):
        brief(module=lambda a, b: nn.LSTM(a, b)).fit(x, y)


def test_data_that_do_not_fit() -> None:
    x, y = regression()
    with pytest.raises(
        OptionError, match="LucidClassifier: expected at least two classes, got one"
    ):
        brief(LucidClassifier).fit(x, np.zeros(200))
    model = brief().fit(x, y)
    with pytest.raises(ShapeError, match="1 targets for each sample, as before, got 2"):
        model.partial_fit(x, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="X has 4 features, but LucidRegressor is expecting 5"):
        model.predict(x[:, :4])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_explodes() -> None:
    x, y = regression()
    with pytest.raises(NonFiniteError, match="a finite loss"):
        brief(optimizer="sgd", learning_rate=1e200).fit(x * 1e100, y * 1e100)
