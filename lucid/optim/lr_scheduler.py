"""Learning-rate schedulers as objects, by PyTorch's names."""

from lucid.optim.scheduler_base import LRScheduler
from lucid.optim.scheduler_closed import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from lucid.optim.scheduler_composed import ChainedScheduler, ReduceLROnPlateau, SequentialLR
from lucid.optim.scheduler_cyclic import CyclicLR, OneCycleLR
from lucid.optim.scheduler_functions import LambdaLR, MultiplicativeLR

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
