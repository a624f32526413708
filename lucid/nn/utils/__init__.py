"""What works on parameters and gradients, and on sequences that go into layers."""

from lucid.nn.utils import fusion, parametrizations, parametrize, rnn
from lucid.nn.utils.fusion import (
    fuse_conv_bn_eval,
    fuse_linear_bn_eval,
)
from lucid.nn.utils.gradients import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
    parameters_to_vector,
    vector_to_parameters,
)

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "fuse_conv_bn_eval",
    "fuse_linear_bn_eval",
    "fusion",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "rnn",
    "vector_to_parameters",
]
