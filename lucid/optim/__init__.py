"""Optimisation by gradients: pure transformations and schedules, and objects over them."""

from lucid.optim import lr_scheduler, schedule
from lucid.optim.optimizer import SGD, Adam, AdamW, Optimizer
from lucid.optim.rules import AdamState, SGDState, adam, adamw, momentum, sgd
from lucid.optim.transform import GradientTransformation, apply_updates

__all__ = [
    "SGD",
    "Adam",
    "AdamState",
    "AdamW",
    "GradientTransformation",
    "Optimizer",
    "SGDState",
    "adam",
    "adamw",
    "apply_updates",
    "lr_scheduler",
    "momentum",
    "schedule",
    "sgd",
]
