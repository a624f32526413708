"""Pure functions for learning: activations, affine maps, losses, initial values."""

from lucid.functional import init
from lucid.functional.activation import (
    gelu,
    glu,
    hardsigmoid,
    hardswish,
    logsigmoid,
    mish,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanh,
    tanhshrink,
)
from lucid.functional.adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from lucid.functional.adaptive_softmax import (
    adaptive_log_prob,
    adaptive_log_softmax_with_loss,
    adaptive_predict,
)
from lucid.functional.attention import (
    multi_head_attention_forward,
    scaled_dot_product_attention,
    square_subsequent_mask,
)
from lucid.functional.avg_pool import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
)
from lucid.functional.conv import (
    conv1d,
    conv2d,
    conv3d,
)
from lucid.functional.conv_transpose import (
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from lucid.functional.ctc import (
    ctc_loss,
)
from lucid.functional.distance import (
    cdist,
    cosine_similarity,
    pairwise_distance,
    pdist,
)
from lucid.functional.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from lucid.functional.embedding import (
    embedding,
    embedding_bag,
    one_hot,
)
from lucid.functional.fold import (
    channel_shuffle,
    fold,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
)
from lucid.functional.fractional_pool import (
    fractional_max_pool2d,
    fractional_max_pool3d,
)
from lucid.functional.likelihood import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    kl_div,
    nll_loss,
)
from lucid.functional.linear import (
    bilinear,
    linear,
)
from lucid.functional.loss import (
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from lucid.functional.margin import (
    cosine_embedding_loss,
    gaussian_nll_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multilabel_soft_margin_loss,
    poisson_nll_loss,
    soft_margin_loss,
    triplet_margin_loss,
)
from lucid.functional.margin_classes import (
    multi_margin_loss,
    multilabel_margin_loss,
    triplet_margin_with_distance_loss,
)
from lucid.functional.max_pool import (
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from lucid.functional.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    normalize,
    rms_norm,
    update_statistics,
)
from lucid.functional.pad import (
    pad,
)
from lucid.functional.position import (
    apply_rotary,
    rotary_angles,
    sinusoidal_positions,
)
from lucid.functional.random_activation import (
    gumbel_softmax,
    rrelu,
)
from lucid.functional.rectifier import (
    celu,
    elu,
    hardshrink,
    hardtanh,
    leaky_relu,
    prelu,
    relu,
    relu6,
    selu,
    softshrink,
    threshold,
)
from lucid.functional.recurrent import (
    gru,
    lstm,
    rnn,
)
from lucid.functional.recurrent_cells import (
    gru_cell,
    lstm_cell,
    rnn_cell,
)
from lucid.functional.residual import (
    residual,
)
from lucid.functional.shape import (
    flatten,
    unflatten,
)
from lucid.functional.softmax import (
    log_softmax,
    softmax,
    softmin,
)
from lucid.functional.vision import (
    affine_grid,
    grid_sample,
    interpolate,
    upsample,
)

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_log_prob",
    "adaptive_log_softmax_with_loss",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "adaptive_predict",
    "affine_grid",
    "alpha_dropout",
    "apply_rotary",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cdist",
    "celu",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "flatten",
    "fold",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "grid_sample",
    "group_norm",
    "gru",
    "gru_cell",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "init",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "lstm",
    "lstm_cell",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mish",
    "mse_loss",
    "multi_head_attention_forward",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "residual",
    "rms_norm",
    "rnn",
    "rnn_cell",
    "rotary_angles",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "sinusoidal_positions",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "square_subsequent_mask",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unflatten",
    "unfold",
    "update_statistics",
    "upsample",
]
