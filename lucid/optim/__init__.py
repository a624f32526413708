"""Optimisation by gradients: pure transformations and schedules, and objects over them."""

from lucid.optim import lr_scheduler, schedule
from lucid.optim.clipping import (
    clip_by_block_norm,
    clip_by_global_norm,
    clip_by_value,
    global_norm,
    zero_nans,
)
from lucid.optim.combine import (
    chain,
    masked,
    multi_transform,
)
from lucid.optim.gradients import (
    EmaState,
    EmptyState,
    ScaleByAdamState,
    ScaleByScheduleState,
    TraceState,
    add_decayed_weights,
    centralize,
    ema,
    identity,
    scale,
    scale_by_adam,
    scale_by_learning_rate,
    scale_by_schedule,
    scale_by_trust_ratio,
    set_to_zero,
    trace,
)
from lucid.optim.objects_adaptive import (
    Adadelta,
    Adagrad,
    RMSprop,
)
from lucid.optim.objects_factored import (
    Adafactor,
    Muon,
)
from lucid.optim.objects_lbfgs import (
    LBFGS,
    LBFGSMemory,
)
from lucid.optim.objects_moments import (
    Adamax,
    NAdam,
    RAdam,
)
from lucid.optim.objects_sign import (
    LAMB,
    Lion,
)
from lucid.optim.optimizer import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
)
from lucid.optim.rules import (
    AdamState,
    SGDState,
    adam,
    adamw,
    momentum,
    sgd,
)
from lucid.optim.rules_adaptive import (
    AdadeltaState,
    AdagradState,
    RMSpropState,
    adadelta,
    adagrad,
    rmsprop,
)
from lucid.optim.rules_factored import (
    AdafactorState,
    MuonState,
    adafactor,
    muon,
)
from lucid.optim.rules_lbfgs import (
    LBFGSState,
    lbfgs,
)
from lucid.optim.rules_moments import (
    AdamaxState,
    NAdamState,
    RAdamState,
    adamax,
    nadam,
    radam,
)
from lucid.optim.rules_sign import (
    LAMBState,
    LionState,
    lamb,
    lion,
)
from lucid.optim.stepping import (
    AccumulateState,
    ApplyIfFiniteState,
    LookaheadState,
    accumulate,
    apply_if_finite,
    lookahead,
)
from lucid.optim.transform import (
    GradientTransformation,
    apply_updates,
)

__all__ = [
    "LAMB",
    "LBFGS",
    "SGD",
    "AccumulateState",
    "Adadelta",
    "AdadeltaState",
    "Adafactor",
    "AdafactorState",
    "Adagrad",
    "AdagradState",
    "Adam",
    "AdamState",
    "AdamW",
    "Adamax",
    "AdamaxState",
    "ApplyIfFiniteState",
    "EmaState",
    "EmptyState",
    "GradientTransformation",
    "LAMBState",
    "LBFGSMemory",
    "LBFGSState",
    "Lion",
    "LionState",
    "LookaheadState",
    "Muon",
    "MuonState",
    "NAdam",
    "NAdamState",
    "Optimizer",
    "RAdam",
    "RAdamState",
    "RMSprop",
    "RMSpropState",
    "SGDState",
    "ScaleByAdamState",
    "ScaleByScheduleState",
    "TraceState",
    "accumulate",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "add_decayed_weights",
    "apply_if_finite",
    "apply_updates",
    "centralize",
    "chain",
    "clip_by_block_norm",
    "clip_by_global_norm",
    "clip_by_value",
    "ema",
    "global_norm",
    "identity",
    "lamb",
    "lbfgs",
    "lion",
    "lookahead",
    "lr_scheduler",
    "masked",
    "momentum",
    "multi_transform",
    "muon",
    "nadam",
    "radam",
    "rmsprop",
    "scale",
    "scale_by_adam",
    "scale_by_learning_rate",
    "scale_by_schedule",
    "scale_by_trust_ratio",
    "schedule",
    "set_to_zero",
    "sgd",
    "trace",
    "zero_nans",
]
