"""fit: train a model on the batches of a loader."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lucid.errors import MissingExtraError, OperandError, OptionError, message
from lucid.graph.executors import check_executor
from lucid.nn.module import Module
from lucid.ops.random.generator import seed as seed_default
from lucid.optim import LBFGS, Optimizer
from lucid.optim.lr_scheduler import ReduceLROnPlateau
from lucid.training.batches import Source
from lucid.training.callbacks import Callback, EarlyStopping, positive
from lucid.training.checkpoint import Checkpoint, read
from lucid.training.history import History
from lucid.training.loggers import CSVLogger, Lines, ProgressBar
from lucid.training.run import Run, measured
from lucid.training.steps import Objective, Trainer, compiler, evaluator

__all__ = ["evaluate", "fit"]

Function = Callable[[Any, Any], Any]
Path = str | os.PathLike[str]


def fit(
    model: Module,
    loss: Function,
    optimiser: Optimizer,
    loader: Any,
    *,
    epochs: int,
    validation: Any = None,
    metrics: Mapping[str, Function] | None = None,
    scheduler: Any = None,
    schedule: str = "epoch",
    accumulate: int = 1,
    clip_norm: float | None = None,
    callbacks: Sequence[Callback] = (),
    early_stopping: EarlyStopping | int | None = None,
    checkpoint: Checkpoint | Path | None = None,
    resume: bool | Path | None = None,
    log: Path | Callable[[str], Any] | None = None,
    progress: bool | None = None,
    check_finite: bool = True,
    jit: bool = True,
    executor: str | None = None,
    seed: int | None = None,
) -> History:
    """Train a model: for every batch, the gradients of the loss and a step of the optimiser.

    A batch is a tuple or list: its last entry is the target, those before are the model's
    arguments. A single input that is itself a tuple or list gives the model's arguments, a dict
    those by name. The loss of an epoch and its metrics are means over its samples, as they were
    before each step.

    Ctrl-C lets the batch at hand finish, saves the checkpoint, if there is one, and returns; a
    second one raises KeyboardInterrupt at once.

    Args:
        model: the Module; it is trained in the mode of each of its modules, all of them being set
            to training if the model itself is in evaluation, and is left in the modes it came in.
        loss: a function of prediction and target that returns one number, the mean over a batch.
        optimiser: of `lucid.optim`, over the model's parameters.
        loader: what yields batches, anew in every epoch: a `lucid.data.DataLoader`, or a list.
        epochs: how many times the loader is gone through, those before a resume included.
        validation: a loader of batches that are measured after every epoch, in evaluation mode.
        metrics: functions of prediction and target by name, each the mean over a batch. Under
            `jit` they are compiled with the step, and have to be made of lucid's operations.
        scheduler: sets learning rates; `ReduceLROnPlateau` is given "val_loss", or "loss".
        schedule: when the scheduler steps: after every "epoch" or every "step" of the optimiser.
        accumulate: how many batches' gradients are averaged for one step of the optimiser.
        clip_norm: what the norm of all gradients together is limited to.
        callbacks: called in this order, before those that the following arguments make.
        early_stopping: an `EarlyStopping`, or its patience in epochs.
        checkpoint: a `Checkpoint`, or the file to save one to after every epoch.
        resume: True goes on from the checkpoint's file if there is one; a path goes on from that
            file; False begins anew and replaces a file that is there; None does so too, but raises
            if a file is there.
        log: a CSV file for the history, or a function, such as `print`, for a line per epoch.
        progress: whether to show a bar; None shows one on a terminal, if tqdm is installed.
        check_finite: whether a loss that is infinite or NaN raises.
        jit: whether `lucid.jit` compiles the step.
        executor: of `lucid.jit`: "numpy", which gives the bits that eager does, or "native".
        seed: what `lucid.random.seed` is called with first; a resumed run needs none.

    Returns:
        The history: a record for every epoch, also those before a resume.

    Raises:
        OptionError: if an argument is out of its range, or does not go with another.
        OperandError: if an argument is of the wrong kind, or a loader is empty.
        ShapeError: if the loss or a metric returns more than one number.
        NonFiniteError: if the loss is infinite or NaN and `check_finite` is set.
        StateDictError: if a checkpoint does not fit.
        MissingExtraError: if an extra is not installed that an argument needs.

    Example:
        >>> import numpy as np
        >>> import lucid
        >>> lucid.random.seed(0)
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> pairs = lucid.data.TensorDataset(x, 3 * x + 1)
        >>> loader = lucid.data.DataLoader(pairs, batch_size=16, shuffle=True)
        >>> model = lucid.nn.Linear(1, 1)
        >>> optimiser = lucid.optim.SGD(model.parameters(), lr=0.3)
        >>> history = lucid.fit(model, lucid.functional.mse_loss, optimiser, loader, epochs=20)
        >>> history["loss"][-1] < 1e-3
        True
        >>> round(model.weight.item(), 1)
        3.0
    """
    _check(model, loss, optimiser, scheduler, schedule)
    epochs = positive("fit", "epochs", epochs)
    accumulate = positive("fit", "accumulate", accumulate)
    _check_options(optimiser, accumulate, clip_norm, jit, executor)
    objective = Objective(model, loss, _metrics("fit", metrics))
    _check_parameters(objective, optimiser)
    made = [_log(log), _bar(progress), _stopping(early_stopping), _checkpoint(checkpoint)]
    every = _callbacks(callbacks, made)
    path = _origin(resume, every)
    if seed is not None:
        seed_default(seed)
    make = compiler(jit, executor)
    trainer = Trainer(objective, optimiser, make, accumulate, clip_norm)
    run = Run(
        trainer,
        None if validation is None else evaluator(objective, make),
        Source("fit", loader, "a loader"),
        None if validation is None else Source("fit", validation, "a validation loader"),
        scheduler,
        by_step=schedule == "step",
        epochs=epochs,
        callbacks=every,
        check_finite=check_finite,
    )
    trainer.forget()
    if path is not None:
        run.load_state_dict(read(path))
    return _trained(run)


def _trained(run: Run) -> History:
    """Train, whatever happens leaving the model in the modes it came in."""
    modes = {module: module.training for module in run.model.modules()}
    if not run.model.training:
        run.model.train()
    error: BaseException | None = None
    try:
        run.train()
    except BaseException as raised:
        error = raised
        raise
    finally:
        for module, training in modes.items():
            module.training = training
        run.finish(error)
    if run.history.interrupted:
        where = f"epoch {run.epoch}" + (f" after batch {run.batch}" if run.batch else "")
        print(f"lucid.fit: interrupted in {where}", file=sys.stderr)
    return run.history


def evaluate(
    model: Module,
    loss: Function,
    loader: Any,
    *,
    metrics: Mapping[str, Function] | None = None,
    jit: bool = True,
    executor: str | None = None,
) -> dict[str, float]:
    """Measure a model on the batches of a loader, in evaluation mode and without gradients.

    Args:
        model: the Module; it is left in the modes it came in.
        loss: a function of prediction and target that returns one number, the mean over a batch.
        loader: what yields batches, as for `lucid.fit`.
        metrics: functions of prediction and target by name, each the mean over a batch.
        jit: whether `lucid.jit` compiles the step.
        executor: of `lucid.jit`.

    Returns:
        The means over all samples, by name: "loss" and the metrics.

    Raises:
        OperandError: if an argument is of the wrong kind, or the loader is empty.
        ShapeError: if the loss or a metric returns more than one number.

    Example:
        >>> import lucid
        >>> model = lucid.nn.Identity()
        >>> batches = [(lucid.ones(2), lucid.zeros(2)), (lucid.ones(1), lucid.ones(1))]
        >>> round(lucid.training.evaluate(model, lucid.functional.mse_loss, batches)["loss"], 4)
        0.6667
    """
    _check_model("evaluate", model, loss)
    _check_jit("evaluate", jit, executor)
    objective = Objective(model, loss, _metrics("evaluate", metrics))
    measure = evaluator(objective, compiler(jit, executor))
    source = Source("evaluate", loader, "a loader")
    return measured("evaluate", model, measure, source, ["loss", *objective.metrics])


# -- arguments -------------------------------------------------------------------------------------


def _check_model(name: str, model: Any, loss: Any) -> None:
    if not isinstance(model, Module):
        got = f"a {type(model).__name__}"
        raise OperandError(message(name, "a Module as model", got))
    if not callable(loss) or isinstance(loss, type):
        got = f"the class {loss.__name__}" if isinstance(loss, type) else type(loss).__name__
        hint = f"make an instance, {loss.__name__}()" if isinstance(loss, type) else ""
        raise OperandError(message(name, "loss as a function of (prediction, target)", got, hint))


def _check(model: Any, loss: Any, optimiser: Any, scheduler: Any, schedule: str) -> None:
    """Raise where what takes part in a training is not what it should be."""
    _check_model("fit", model, loss)
    if not isinstance(optimiser, Optimizer):
        got = f"a {type(optimiser).__name__}"
        raise OperandError(message("fit", "an optimiser of lucid.optim", got))
    if schedule not in ("epoch", "step"):
        raise OptionError(message("fit", 'schedule "epoch" or "step"', repr(schedule)))
    if scheduler is None:
        if schedule == "step":
            raise OptionError(message("fit", 'a scheduler, for schedule="step"', "none"))
        return
    if not hasattr(scheduler, "step"):
        got = f"a {type(scheduler).__name__}"
        raise OperandError(message("fit", "a scheduler of lucid.optim.lr_scheduler", got))
    if getattr(scheduler, "optimizer", optimiser) is not optimiser:
        raise OptionError(message("fit", "a scheduler of this optimiser", "one of another"))
    if schedule == "step" and isinstance(scheduler, ReduceLROnPlateau):
        got = "ReduceLROnPlateau, which looks at an epoch"
        raise OptionError(message("fit", 'for schedule="step", another scheduler', got))


def _check_options(
    optimiser: Any, accumulate: int, clip_norm: Any, jit: Any, executor: str | None
) -> None:
    if clip_norm is not None and not clip_norm > 0:
        raise OptionError(message("fit", "clip_norm above 0", repr(clip_norm)))
    if isinstance(optimiser, LBFGS) and accumulate > 1:
        got = "LBFGS, which evaluates each batch several times"
        raise OptionError(message("fit", f"for accumulate={accumulate}, another optimiser", got))
    _check_jit("fit", jit, executor)


def _check_jit(name: str, jit: Any, executor: str | None) -> None:
    if not isinstance(jit, bool):
        raise OptionError(message(name, "jit True or False", repr(jit), "pass executor= apart"))
    if not jit and executor is not None:
        raise OptionError(message(name, "no executor with jit=False", repr(executor)))
    check_executor(executor)


def _check_parameters(objective: Objective, optimiser: Any) -> None:
    """Raise where an optimiser trains none of the model's parameters, as after a second model."""
    own = {id(p) for p in objective.model.parameters()}
    trained = {id(p) for group in optimiser.param_groups for p in group["params"]}
    if own and not own & trained:
        hint = "make the optimiser of model.parameters()"
        got = "one with none of them"
        raise OptionError(message("fit", "an optimiser over the model's parameters", got, hint))


def _metrics(name: str, metrics: Any) -> dict[str, Function]:
    """Return the metrics, having made sure that they have names of their own."""
    if metrics is None:
        return {}
    if not isinstance(metrics, Mapping):
        got = f"a {type(metrics).__name__}"
        raise OperandError(message(name, "metrics as a dict of functions by name", got))
    for key, function in metrics.items():
        taken = key in ("epoch", "loss", "lr", "seconds")
        if not isinstance(key, str) or taken or key.startswith("val_"):
            want = 'names of metrics other than "epoch", "loss", "lr", "seconds" and "val_..."'
            raise OptionError(message(name, want, repr(key)))
        if not callable(function):
            got = f"a {type(function).__name__}"
            raise OperandError(message(name, f"metric {key!r} as a function", got))
    return dict(metrics)


def _stopping(given: EarlyStopping | int | None) -> EarlyStopping | None:
    return EarlyStopping(patience=given) if isinstance(given, int) else given


def _checkpoint(given: Checkpoint | Path | None) -> Checkpoint | None:
    return given if isinstance(given, Checkpoint | None) else Checkpoint(given)


def _log(log: Any) -> Callback | None:
    if log is None:
        return None
    return Lines(log) if callable(log) else CSVLogger(log)


def _bar(progress: bool | None) -> Callback | None:
    """Return a progress bar, if one is wanted."""
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return None
    try:
        return ProgressBar()
    except MissingExtraError:
        if progress:
            raise
        return None


def _callbacks(given: Any, made: list[Callback | None]) -> list[Callback]:
    """Return all callbacks; checkpoints are last, so that they hold what the others remember."""
    found = [*given, *(c for c in made if c is not None)]
    for callback in found:
        if not isinstance(callback, Callback):
            got = f"a {type(callback).__name__}"
            if isinstance(callback, type):
                got = f"the class {callback.__name__}"
            raise OperandError(message("fit", "callbacks derived from Callback", got))
    return sorted(found, key=lambda c: isinstance(c, Checkpoint))


def _origin(resume: Any, callbacks: Sequence[Callback]) -> str | None:
    """Return the file to go on from; None to begin."""
    paths = [c.path for c in callbacks if isinstance(c, Checkpoint)]
    if resume is not None and not isinstance(resume, bool):
        return os.fspath(resume)
    if resume and not paths:
        got = "none"
        raise OptionError(message("fit", "a checkpoint, for resume=True", got))
    there = [path for path in paths if os.path.exists(path)]
    if resume is None and there:
        hint = "resume=True goes on from it, resume=False begins anew and replaces it"
        raise OptionError(message("fit", "resume, as there is a checkpoint", repr(there[0]), hint))
    return there[0] if resume and there else None
