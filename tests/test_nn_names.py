"""Every layer, function, initialiser and helper of PyTorch is here, or it is said why not."""

from __future__ import annotations

import importlib
import inspect

import pytest
import torch

# What lucid leaves out on purpose. Whatever else PyTorch has must be here under the same name.
IN_PLACE = "changes its input; Tensors are immutable"
OLD = "deprecated in PyTorch"
DEVICES = "for several devices, or for tensors without memory"
INSIDE = "not meant for users"
DTYPES = "for dtypes that NumPy lacks"

ABSENT: dict[str, dict[str, str]] = {
    "nn": {
        "Buffer": "register_buffer",
        "Container": OLD,
        "CrossMapLRN2d": "LocalResponseNorm",
        "DataParallel": DEVICES,
        "LinearCrossEntropyLoss": "Linear and CrossEntropyLoss",
        "LinearCrossEntropyOptions": "of LinearCrossEntropyLoss",
        "NLLLoss2d": OLD,
        "RNNBase": INSIDE,
        "RNNCellBase": INSIDE,
        "SyncBatchNorm": DEVICES,
        "factory_kwargs": INSIDE,
        "UninitializedBuffer": "a lazy layer has no parameters before its first call",
        "UninitializedParameter": "a lazy layer has no parameters before its first call",
    },
    "nn.functional": {
        **dict.fromkeys(
            ("celu_", "elu_", "hardtanh_", "leaky_relu_", "relu_", "rrelu_", "selu_"), IN_PLACE
        ),
        "threshold_": IN_PLACE,
        **dict.fromkeys(("upsample_bilinear", "upsample_nearest"), OLD),
        **dict.fromkeys(
            (f"{kind}max_pool{r}d_with_indices" for kind in ("", "adaptive_") for r in (1, 2, 3)),
            "return_indices=True",
        ),
        **dict.fromkeys(
            (f"fractional_max_pool{r}d_with_indices" for r in (2, 3)), "return_indices=True"
        ),
        "conv_tbc": "conv1d",
        "linear_cross_entropy": "linear and cross_entropy",
        "native_channel_shuffle": "channel_shuffle",
        **dict.fromkeys(("ScalingType", "SwizzleType"), DTYPES),
        **dict.fromkeys(("grouped_mm", "scaled_grouped_mm", "scaled_mm"), DTYPES),
        **dict.fromkeys(
            ("assert_int_or_pair", "boolean_dispatch", "handle_torch_function"), INSIDE
        ),
        **dict.fromkeys(
            (f"has_torch_function{end}" for end in ("", "_unary", "_variadic")), INSIDE
        ),
    },
    "nn.init": dict.fromkeys(
        (
            *("constant", "dirac", "eye", "kaiming_normal", "kaiming_uniform", "normal"),
            *("orthogonal", "sparse", "uniform", "xavier_normal", "xavier_uniform"),
        ),
        OLD,
    ),
    "nn.utils": {
        **dict.fromkeys(("clip_grad_norm", "remove_spectral_norm", "remove_weight_norm"), OLD),
        **dict.fromkeys(("spectral_norm", "weight_norm"), "nn.utils.parametrizations"),
        **dict.fromkeys(("fuse_conv_bn_weights", "fuse_linear_bn_weights"), "functional.fusion"),
        **dict.fromkeys(
            (f"convert_conv{r}d_weight_memory_format" for r in (2, 3)), "about memory formats"
        ),
        "skip_init": DEVICES,
    },
    "nn.utils.parametrizations": {},
    "nn.utils.parametrize": {
        "cached": "a parametrized weight that is read twice is computed twice",
        **dict.fromkeys(
            (
                *("transfer_parametrizations_and_params", "type_before_parametrizations"),
                *("OpaqueBase", "get_swap_module_params_on_conversion"),
                *("is_opaque_reference_type", "is_traceable_wrapper_subclass"),
            ),
            INSIDE,
        ),
    },
    "nn.utils.rnn": dict.fromkeys(
        ("PackedSequence_", "bind", "copy_method_params", "invert_permutation"), INSIDE
    ),
}
FOREIGN = {"Module", "Parameter", "Tensor", "ModuleList", "ModuleDict"}  # imported from elsewhere


def own_names(name: str) -> set[str]:
    """The public functions and classes of a namespace of PyTorch that are PyTorch's."""
    module = importlib.import_module(f"torch.{name}")
    found = set()
    for attribute in dir(module):
        value = getattr(module, attribute)
        origin = getattr(value, "__module__", None) or "torch._C"  # functions made in C have none
        callable_ = inspect.isclass(value) or inspect.isroutine(value)
        if not attribute.startswith("_") and callable_ and origin.startswith("torch"):
            found.add(attribute)
    return found if name == "nn" else found - FOREIGN


@pytest.mark.parametrize("name", ABSENT)
def test_names_of_pytorch(name: str) -> None:
    if tuple(map(int, torch.__version__.split("+")[0].split(".")[:2])) > (2, 13):
        pytest.skip("PyTorch may have new ones")
    here = importlib.import_module("lucid." + name.replace("nn.functional", "functional"))
    missing = {n for n in own_names(name) if not hasattr(here, n)}
    unexplained = missing - ABSENT[name].keys()
    assert not unexplained, f"lucid.{name} lacks {sorted(unexplained)}"
    here_after_all = {n for n in ABSENT[name] if hasattr(here, n)}
    assert not here_after_all, f"lucid.{name} has {sorted(here_after_all)}"
