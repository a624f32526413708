"""What the estimators share: their parameters, the network, and its training."""

from __future__ import annotations

import itertools
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

from lucid import nn, optim
from lucid.config import set_default_dtype
from lucid.core.tensor import Tensor
from lucid.data import DataLoader, TensorDataset
from lucid.errors import MissingExtraError, OperandError, OptionError, ShapeError, message
from lucid.ops.random.generator import Generator as RandomGenerator
from lucid.ops.random.generator import default_generator
from lucid.training import EarlyStopping, History, fit
from lucid.transforms.stop import no_grad

try:
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingExtraError(
        message(
            "lucid.estimators",
            "scikit-learn, 1.6 or newer",
            str(error),
            'install the extra: pip install "lucid-grad[sklearn]"',
        )
    ) from error

__all__ = ["FLOATS", "Array", "Estimator"]

Array = np.ndarray[Any, np.dtype[Any]]

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
}
_OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "sgd": optim.SGD,
    "rmsprop": optim.RMSprop,
    "adagrad": optim.Adagrad,
    "nadam": optim.NAdam,
    "lbfgs": optim.LBFGS,
}
FLOATS = (np.float64, np.float32)
_ROWS = 4096  # of a prediction at a time
# Seconds, measured: what it takes to compile the step of a network; how much longer an eager step
# takes; and how much longer for each weight and sample.
_COMPILING, _EAGER, _SLOWER = 0.3, 2e-4, 1e-10
_training = threading.RLock()  # while one estimator has the default generator


class Estimator(BaseEstimator):
    """What both estimators share: their parameters, the network, its training."""

    _losses: dict[str, Callable[[Any, Any], Any]]

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        module: Any = None,
        loss: Any = None,
        optimizer: Any = "adam",
        learning_rate: float = 1e-3,
        weight_decay: float | None = None,
        batch_size: int = 200,
        max_epochs: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int | None = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        shuffle: bool = True,
        clip_norm: float | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        jit: Any = "auto",
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.module = module
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.shuffle = shuffle
        self.clip_norm = clip_norm
        self.warm_start = warm_start
        self.random_state = random_state
        self.jit = jit
        self.verbose = verbose

    # -- training --------------------------------------------------------------------------------

    def _train(self, x: Array, target: Array, outputs: int, *, anew: bool, whole: bool) -> None:
        """Train the network, a new one or the one that is there, to the end or for one epoch."""
        _check_options(self)
        if anew:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            self._generator = RandomGenerator(int(seed))
        with self._seeded(), set_default_dtype(x.dtype):
            if anew:
                module = self._network(x, outputs)
                self.optimizer_ = self._new_optimizer(module)
                self.module_ = module
                self.n_outputs_ = outputs
            for group in self.optimizer_.param_groups:
                group["lr"] = self.learning_rate
            x = x.astype(self._dtype(), copy=False)
            held: tuple[Array, Array] | None = None
            if whole and self.early_stopping:
                x, target, held = self._hold_out(x, target)
            stop = self._stop(validated=held is not None) if whole else None
            self._run(x, target, held, self.max_epochs if whole else 1, stop)
        if self.history_.interrupted:
            warnings.warn("training was interrupted", ConvergenceWarning, stacklevel=4)
        elif stop is not None and self.history_.stopped is None:
            text = f"{type(self).__name__}: the loss still improves after {self.n_iter_} epochs; "
            hint = "raise max_epochs or learning_rate, or scale the data"
            warnings.warn(text + hint, ConvergenceWarning, stacklevel=4)

    def _run(self, x: Array, target: Array, held: Any, epochs: int, stop: Any) -> None:
        loader = self._loader(x, target, shuffle=self.shuffle)
        self.history_: History = fit(
            self.module_,
            self._loss(),
            self.optimizer_,
            loader,
            epochs=epochs,
            validation=self._loader(*held, shuffle=False) if held else None,
            clip_norm=self.clip_norm,
            early_stopping=stop,
            log=print if self.verbose else None,
            progress=False,
            jit=self._compiles(len(loader) * epochs, len(x)),
        )
        self.n_iter_ = len(self.history_)

    def _stop(self, *, validated: bool) -> EarlyStopping | None:
        """Return what ends the training when the loss has stopped improving."""
        patience = self.n_iter_no_change
        if patience is None:
            return None
        watched = "val_loss" if validated else "loss"
        return EarlyStopping(watched, int(patience), self.tol, restore_best=validated)

    @contextmanager
    def _seeded(self) -> Generator[None]:
        """Let what draws from the default generator draw from the estimator's own."""
        with _training:
            kept = default_generator.state
            default_generator.state = self._generator.state
            try:
                yield
            finally:
                self._generator.state = default_generator.state
                default_generator.state = kept

    def _hold_out(self, x: Array, target: Array) -> tuple[Array, Array, tuple[Array, Array]]:
        """Return what is trained with, and what is not."""
        classes = target if target.ndim == 1 else None
        seed = int(default_generator.randint(0, 2**31 - 1))
        share = self.validation_fraction
        found: Any = train_test_split(
            x, target, test_size=share, random_state=seed, stratify=classes
        )
        a, b, c, d = found
        return a, c, (b, d)

    def _loader(self, x: Array, target: Array, *, shuffle: bool) -> DataLoader:
        batches = -(-len(x) // self.batch_size)
        size = -(-len(x) // batches)  # so that no batch is much smaller than the others
        return DataLoader(TensorDataset(x, target), batch_size=size, shuffle=shuffle)

    def _compiles(self, steps: int, samples: int) -> bool:
        """Return whether the step is compiled: where that takes less time than it saves."""
        if self.jit != "auto":
            return bool(self.jit)
        work = min(self.batch_size, samples) * self.module_.count_parameters()
        return steps * (_EAGER + work * _SLOWER) > _COMPILING

    # -- what takes part in it -------------------------------------------------------------------

    def _network(self, x: Array, outputs: int) -> nn.Module:
        """Return a new network, in evaluation mode."""
        name = type(self).__name__
        make = _layers(self) if self.module is None else self.module
        want = "module to be a function (n_in, n_out) -> nn.Module"
        if isinstance(make, nn.Module) or not callable(make):
            raise OperandError(message(name, want, f"a {type(make).__name__}"))
        module = make(x.shape[1], outputs)
        if not isinstance(module, nn.Module):
            raise OperandError(message(name, want, f"one that returns a {type(module).__name__}"))
        with no_grad():  # which lets lazy layers learn their sizes
            out = module.eval()(Tensor(x[:1]))
        found = getattr(out, "shape", f"a {type(out).__name__}")
        if found != (1, outputs):
            want = f"a module that returns shape (n, {outputs}) for n samples"
            raise ShapeError(message(name, want, f"{found} for one"))
        return module.to(x.dtype)

    def _new_optimizer(self, module: nn.Module) -> optim.Optimizer:
        make = self.optimizer
        make = _choice(self, "optimizer", _OPTIMIZERS) if isinstance(make, str) else make
        options = {} if self.weight_decay is None else {"weight_decay": self.weight_decay}
        return make(module.parameters(), lr=self.learning_rate, **options)

    def _loss(self) -> Callable[[Any, Any], Any]:
        if self.loss is None:
            return next(iter(self._losses.values()))
        return _choice(self, "loss", self._losses) if isinstance(self.loss, str) else self.loss

    # -- prediction ------------------------------------------------------------------------------

    def _dtype(self) -> np.dtype[Any]:
        dtypes = (p.dtype for p in self.module_.parameters())
        return next((d for d in dtypes if d.kind == "f"), np.dtype(float))

    def _outputs(self, x: Any) -> Array:
        """Return what the network gives, an array of its own."""
        check_is_fitted(self, "module_")
        found: Any = validate_data(self, x, reset=False, dtype=FLOATS)
        rows = found.astype(self._dtype(), copy=False)
        with no_grad():
            parts = [
                self.module_(Tensor(rows[k : k + _ROWS])).numpy()
                for k in range(0, len(rows), _ROWS)
            ]
        return np.concatenate(parts)


# -- the network and its options -------------------------------------------------------------------


def _layers(own: Estimator) -> Callable[[int, int], nn.Module]:
    """Return what makes a network of dense layers."""
    kind = own.activation
    activation = _choice(own, "activation", _ACTIVATIONS) if isinstance(kind, str) else kind

    def make(n_in: int, n_out: int) -> nn.Module:
        sizes = [n_in, *np.atleast_1d(np.asarray(own.hidden_layer_sizes, int)).tolist()]
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise(sizes):
            layers += [nn.Linear(a, b), activation()]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], n_out))

    return make


def _choice(own: Estimator, name: str, known: dict[str, Any]) -> Any:
    value = getattr(own, name)
    if value not in known:
        want = f"{name} to be one of {', '.join(map(repr, known))}, or a function"
        raise OptionError(message(type(own).__name__, want, repr(value)))
    return known[value]


def _check_options(own: Estimator) -> None:
    """Raise where a parameter is out of its range."""
    sizes = np.atleast_1d(np.asarray(own.hidden_layer_sizes))
    layers = not sizes.size or (sizes.dtype.kind in "iu" and bool((sizes > 0).all()))
    patience, decay = own.n_iter_no_change, own.weight_decay
    for name, good, want in (
        ("hidden_layer_sizes", layers, "positive integers"),
        ("learning_rate", own.learning_rate > 0, "a positive number"),
        ("weight_decay", decay is None or decay >= 0, "a number of 0 or more, or None"),
        ("batch_size", _counts(own.batch_size), "a positive integer"),
        ("max_epochs", _counts(own.max_epochs), "a positive integer"),
        ("tol", own.tol >= 0, "a number of 0 or more"),
        ("n_iter_no_change", patience is None or _counts(patience), "a positive integer or None"),
        ("validation_fraction", 0 < own.validation_fraction < 1, "a number between 0 and 1"),
        ("jit", own.jit in (True, False, "auto"), 'True, False or "auto"'),
    ):
        if not good:
            got = repr(getattr(own, name))
            raise OptionError(message(type(own).__name__, f"{name} to be {want}", got))


def _counts(value: Any) -> bool:
    return isinstance(value, int | np.integer) and bool(value > 0)
