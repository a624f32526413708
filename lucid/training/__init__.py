"""Training: `fit`, its callbacks and its history."""

from lucid.training.callbacks import Callback, EarlyStopping
from lucid.training.checkpoint import Checkpoint
from lucid.training.fit import evaluate, fit
from lucid.training.history import History
from lucid.training.loggers import CSVLogger, ProgressBar, TensorBoardLogger
from lucid.training.run import Run

__all__ = [
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "ProgressBar",
    "Run",
    "TensorBoardLogger",
    "evaluate",
    "fit",
]
