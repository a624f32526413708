"""Every layer and loss: results, gradients of inputs and of parameters are PyTorch's."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lucid import nn
from tests.layers import agree, share, signature

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((2, 4, 6))
UNIT = np.abs(RNG.random((4, 6)))
SIGNS = np.sign(RNG.standard_normal(4))
CLASSES = RNG.integers(0, 6, 4)
SHARES = UNIT / UNIT.sum(-1, keepdims=True)
LOGS = np.log(SHARES)
WEIGHTS = RNG.random(6)

# (name, arguments, options, inputs)
TABLE: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[Any, ...]]] = [
    *((name, (), {}, (3 * X,)) for name in ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Sigmoid")),
    *((name, (), {}, (3 * X,)) for name in ("Tanh", "Tanhshrink", "Softsign", "LogSigmoid")),
    *((name, (), {}, (3 * X,)) for name in ("Hardsigmoid", "Hardswish", "Hardtanh", "Identity")),
    *((name, (0.7,), {}, (X,)) for name in ("ELU", "CELU", "LeakyReLU")),
    *((name, (0.7,), {}, (X,)) for name in ("Hardshrink", "Softshrink")),
    *(
        (name, (axis,), {}, (X,))
        for name in ("Softmax", "Softmin", "LogSoftmax")
        for axis in (0, 1)
    ),
    ("Softmax2d", (), {}, (X.reshape(2, 2, 2, 3),)),
    ("Softplus", (2.0,), {}, (X,)),
    ("Hardtanh", (-0.5, 0.25), {}, (X,)),
    ("Threshold", (0.1, -3.0), {}, (X,)),
    ("GLU", (0,), {}, (X,)),
    ("GELU", (), {"approximate": "none"}, (X,)),
    ("GELU", (), {"approximate": "tanh"}, (X,)),
    ("PReLU", (), {}, (X,)),
    ("PReLU", (6,), {}, (X,)),
    ("Linear", (6, 3), {}, (X,)),
    ("Linear", (6, 3), {"bias": False}, (X[0],)),
    ("Bilinear", (6, 5, 3), {}, (X, Y[:, :5])),
    ("Bilinear", (6, 6, 3), {"bias": False}, (X, Y)),
    ("Flatten", (0,), {}, (X,)),
    ("Unflatten", (1, (2, 3)), {}, (X,)),
    ("CosineSimilarity", (), {"dim": 1}, (X, Y)),
    ("CosineSimilarity", (0, 1e-3), {}, (X, Y)),
    ("PairwiseDistance", (), {}, (X, Y)),
    ("PairwiseDistance", (1.0,), {"keepdim": True}, (X, Y)),
    *(
        (name, (), {**options, "reduction": way}, inputs)
        for way in ("mean", "sum", "none")
        for name, options, inputs in (
            ("L1Loss", {}, (X, Y)),
            ("MSELoss", {}, (X, Y)),
            ("SmoothL1Loss", {"beta": 0.5}, (X, Y)),
            ("HuberLoss", {"delta": 0.5}, (X, Y)),
            ("BCELoss", {}, (UNIT, UNIT[::-1].copy())),
            ("BCEWithLogitsLoss", {}, (X, UNIT)),
            ("KLDivLoss", {}, (X, SHARES)),
            ("KLDivLoss", {"log_target": True}, (X, LOGS)),
            ("NLLLoss", {}, (LOGS, CLASSES)),
            ("NLLLoss", {"ignore_index": int(CLASSES[0])}, (LOGS, CLASSES)),
            ("CrossEntropyLoss", {"label_smoothing": 0.2}, (X, CLASSES)),
            ("CrossEntropyLoss", {}, (X, SHARES)),
            ("PoissonNLLLoss", {"full": True}, (X, UNIT)),
            ("GaussianNLLLoss", {}, (X, Y, 0.1 + UNIT)),
            ("SoftMarginLoss", {}, (X[:, 0], SIGNS)),
            ("HingeEmbeddingLoss", {"margin": 0.6}, (X[:, 0], SIGNS)),
            ("MarginRankingLoss", {"margin": 0.6}, (X[:, 0], Y[:, 0], SIGNS)),
            ("CosineEmbeddingLoss", {"margin": 0.1}, (X, Y, SIGNS)),
            ("TripletMarginLoss", {"p": 2.0, "swap": True}, (X, Y, X[::-1].copy())),
            ("TripletMarginWithDistanceLoss", {}, (X, Y, X[::-1].copy())),
            ("MultiMarginLoss", {"margin": 0.6}, (X, CLASSES)),
            (
                "MultiLabelMarginLoss",
                {},
                (X[:2], np.array([[1, 3, -1, 0, 0, 0], [0, 5, 2, 3, 4, 1]])),
            ),
            ("MultiLabelSoftMarginLoss", {}, (X, np.rint(UNIT))),
        )
    ),
    *(
        (name, (WEIGHTS,), {}, inputs)
        for name, inputs in (
            ("BCELoss", (UNIT, SHARES)),
            ("BCEWithLogitsLoss", (X, UNIT)),
            ("NLLLoss", (LOGS, CLASSES)),
            ("CrossEntropyLoss", (X, CLASSES)),
            ("MultiLabelSoftMarginLoss", (X, np.rint(UNIT))),
        )
    ),
    ("KLDivLoss", (), {"reduction": "batchmean"}, (X, SHARES)),
    ("BCEWithLogitsLoss", (), {"pos_weight": WEIGHTS}, (X, UNIT)),
]
# losses whose last input PyTorch does not differentiate
TARGETS = {
    *("CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss"),
    *("MultiLabelSoftMarginLoss", "MultiMarginLoss", "SoftMarginLoss"),
}


@pytest.mark.parametrize(
    ("name", "args", "options", "inputs"), TABLE, ids=[f"{t[0]}-{k}" for k, t in enumerate(TABLE)]
)
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss:UserWarning")
def test_layers_are_those_of_pytorch(name: str, args: Any, options: Any, inputs: Any) -> None:
    ours = getattr(nn, name)(*args, **options)
    given = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    more = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    theirs = getattr(torch.nn, name)(*given, **more)
    if not name.endswith("Loss"):
        share(ours, theirs)
    if name not in TARGETS:
        agree(ours, theirs, *inputs)
        return
    *rest, target = inputs
    known = torch.tensor(target)
    agree(lambda *xs: ours(*xs, target), lambda *xs: theirs(*xs, known), *rest)


NAMES = sorted(
    name
    for name in nn.__all__
    if inspect.isclass(getattr(nn, name)) and issubclass(getattr(nn, name), nn.Module)
)
# where the others are tested: those that draw or change, hold others, or are not PyTorch's
ELSEWHERE = {
    "test_adaptive_softmax.py": ("AdaptiveLogSoftmaxWithLoss",),
    "test_attention.py": ("MultiheadAttention", "Transformer"),
    "test_dropout.py": ("Dropout", "AlphaDropout", "FeatureAlphaDropout"),
    "test_embedding.py": ("Embedding", "EmbeddingBag"),
    "test_loss_classes.py": ("CTCLoss", "RReLU"),
    "test_module.py": ("Module", "ParameterList", "ParameterDict", "Sequential"),
    "test_normalization.py": ("BatchNorm", "InstanceNorm", "GroupNorm", "LayerNorm", "RMSNorm"),
    "test_position.py": ("RotaryEmbedding", "SinusoidalEmbedding"),
    "test_recurrent.py": ("RNN", "LSTM", "GRU"),
    "test_vision.py": ("Upsampl",),
    "test_window_layers.py": (
        *("Conv", "MaxPool", "AvgPool", "LPPool", "Adaptive", "MaxUnpool", "FractionalMaxPool"),
        *("Pad", "Fold", "Unfold", "PixelShuffle", "PixelUnshuffle", "ChannelShuffle", "Lazy"),
    ),
}


def test_every_layer_is_tested() -> None:
    here = {name for name, *_ in TABLE}
    stems = {"LocalResponseNorm", "ModuleDict", "ModuleList"}
    for file, names in ELSEWHERE.items():
        assert (Path(__file__).parent / file).exists()
        stems.update(names)
    missing = [n for n in NAMES if n not in here and not any(stem in n for stem in stems)]
    assert not missing


# defaults that differ on purpose: no axis by default is deprecated there, as are other names;
# softplus is exact here
OTHER = {"Hardtanh", "Identity", "LogSoftmax", "Softmax", "Softmin", "Softplus"}


@pytest.mark.parametrize("name", sorted({t[0] for t in TABLE} - OTHER))
def test_signatures_are_those_of_pytorch(name: str) -> None:
    old = {"inplace", "size_average", "reduce", "args", "kwargs"}
    ours, theirs = (signature(getattr(package, name)) for package in (nn, torch.nn))
    assert ours == [p for p in theirs if p[0] not in old]
